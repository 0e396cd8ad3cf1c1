//! Connection strings of database drivers: `Server=sql;Database=orders;User Id=sa;Password=…` as ADO.NET and ODBC take
//! them, and `host=db port=5432 dbname=orders` as libpq does.

use std::ops::Range;

use crate::address::{Address, is_host, normal, parameter};

/// Keys of the host. <https://learn.microsoft.com/dotnet/api/microsoft.data.sqlclient.sqlconnection.connectionstring>,
/// <https://www.npgsql.org/doc/connection-string-parameters.html>
const HOSTS: [&str; 8] =
    ["server", "data source", "datasource", "addr", "address", "network address", "host", "hostname"];
/// Keys of which one at least stands beside the host.
const OTHERS: [&str; 15] = [
    "database",
    "initial catalog",
    "dbname",
    "user id",
    "userid",
    "uid",
    "user",
    "username",
    "user name",
    "password",
    "pwd",
    "integrated security",
    "trusted_connection",
    "encrypt",
    "persist security info",
];

/// The hosts of a connection string; none if the text is no such string.
pub(crate) fn find(text: &str) -> Option<Vec<Address>> {
    let pairs = pairs(text);
    let is = |keys: &[&str], key: &str| keys.iter().any(|k| k.eq_ignore_ascii_case(key));
    let (_, value, at) = pairs.iter().find(|(key, ..)| is(&HOSTS, key))?;
    pairs.iter().find(|(key, ..)| is(&OTHERS, key))?;
    let stated = pairs.iter().find(|(key, ..)| key.eq_ignore_ascii_case("port")).and_then(|(_, v, _)| v.parse().ok());
    let credential = pairs.iter().any(|(key, value, _)| is(&["password", "pwd"], key) && !value.is_empty());
    // Keys in front of which something else ends have no blanks in them.
    let tls = if text.contains(';') { parameter(&text.replace(' ', "")) } else { parameter(text) };
    let mut found = Vec::new();
    let mut start = *at;
    // `tcp:host,1433` and `host\instance` of SQL Server; `first:5432,second:5432` of others.
    let mut rest = *value;
    if let Some((_, after)) =
        rest.split_once(':').filter(|(protocol, _)| ["tcp", "np", "lpc", "admin"].contains(protocol))
    {
        start += rest.len() - after.len();
        rest = after;
    }
    for part in rest.split(',') {
        let (name, port) = part.split_once(':').map_or((part, None), |(name, port)| (name, port.parse().ok()));
        let host = name.split('\\').next().unwrap_or("").trim();
        if let Ok(number) = part.trim().parse::<u16>() {
            if let Some(Address { port, .. }) = found.last_mut() {
                *port = Some(number);
            }
        } else if is_host(host) && host != "." && !host.starts_with('(') {
            let range: Range<usize> = start..start + part.len();
            let (host, port, scheme) = (normal(host), port.or(stated), Some("tcp".to_owned()));
            found.push(Address { host, port, scheme, credential, tls, range });
        }
        start += part.len() + 1;
    }
    Some(found)
}

/// Keys and values with the places of the values.
fn pairs(text: &str) -> Vec<(&str, &str, usize)> {
    let semicolons = text.contains(';');
    let separator = |c: char| if semicolons { c == ';' } else { c.is_whitespace() };
    let mut at = 0;
    let mut out = Vec::new();
    for part in text.split(separator) {
        let start = at;
        at += part.len() + 1;
        let Some((key, value)) = part.split_once('=') else { continue };
        // Of a line of a file, what stands before the string is not of it.
        let key = key.rsplit(['"', '\'']).next().unwrap_or(key).trim();
        let value_at = start + part.len() - value.len();
        let lead = value.len() - value.trim_start_matches([' ', '"', '\'']).len();
        let value = value.get(lead..).unwrap_or("");
        let value = value.split(['"', '\'']).next().unwrap_or("").trim_end();
        out.push((key, value, value_at + lead));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::find;

    fn hosts(text: &str) -> Vec<(String, Option<u16>, bool, &str)> {
        let of = |a: super::Address| (a.host, a.port, a.credential, text.get(a.range).unwrap_or(""));
        find(text).unwrap_or_default().into_iter().map(of).collect()
    }

    #[test]
    fn drivers_take_their_hosts_in_several_forms() {
        let sql = "Server=tcp:sqldata,1433;Initial Catalog=Orders;User Id=sa;Password=a=b:1";
        assert_eq!(hosts(sql), [("sqldata".to_owned(), Some(1433), true, "sqldata")]);
        let npgsql = "\"ConnectionString\": \"Host=Postgres;Port=5433;Database=x;Username=y\"";
        assert_eq!(hosts(npgsql), [("postgres".to_owned(), Some(5433), false, "Postgres")]);
        let libpq = "host=db port=5432 user=app password= dbname=orders";
        assert_eq!(hosts(libpq), [("db".to_owned(), Some(5432), false, "db")]);
        let several = "Host=a:5432,b:5433;Database=x";
        let expected = [("a".to_owned(), Some(5432), false, "a:5432"), ("b".to_owned(), Some(5433), false, "b:5433")];
        assert_eq!(hosts(several), expected);
    }

    #[test]
    fn other_texts_are_not_connection_strings() {
        for text in
            ["server=x", "a=b;c=d", "Server=(localdb)\\mssql;Database=x", "Data Source=.;Database=x", "host=;user=a"]
        {
            assert_eq!(hosts(text), [], "{text}");
        }
    }
}
