//! The HTML report of a model holds everything that Threat Modeling Tool's full report of it holds.

mod program;

use std::collections::BTreeSet;
use std::path::PathBuf;

use program::Folder;

/// Models with the reports that the tool wrote of them. One report is of a later state with a second diagram; it is
/// compared up to there.
const PAIRS: [(&str, &str, Option<&str>); 3] = [
    (
        "accuknox+k8sthreatmodeling__models__kubearmor__KubeArmor.tm7",
        "accuknox+k8sthreatmodeling__models__kubearmor__KubeArmor_Threat_Model.htm",
        None,
    ),
    (
        "jactymilena+APP1_S8__Threats_Modeling__mill3003-saej3101-pera3307.tm7",
        "jactymilena+APP1_S8__Threats_Modeling__REPORT-mill3003-saej3101-pera3307.htm",
        Some("Diagram: Diagram 2"),
    ),
    (
        "kevinobee+SvelteKit-Aspire__security__Threat-Model.tm7",
        "kevinobee+SvelteKit-Aspire__security__reports__Threat-List.htm",
        None,
    ),
];

/// The words of the tool's report itself: headings and labels, for which ours has others.
const LABELS: [&str; 21] = [
    "Assumptions:",
    "Category:",
    "Contributors:",
    "Description:",
    "External Dependencies:",
    "Justification:",
    "Mitigation Implemented",
    "Owner:",
    "Reviewer:",
    "Short Description:",
    "Threat Model Name:",
    "Threat Model Summary:",
    "Threat Modeling Report",
    "Total",
    "Total Migrated",
    "<no mitigation provided>",
    "High",
    "Medium",
    "Low",
    "Not Started",
    "Not Applicable",
];

/// The texts between tags, without styles and scripts.
fn texts(html: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = html.trim_start_matches('\u{feff}');
    while let Some((before, after)) = rest.split_once('<') {
        out.push(before.to_owned());
        let (tag, after) = after.split_once('>').unwrap_or((after, ""));
        let name = tag.split_whitespace().next().unwrap_or("");
        rest = match name {
            "style" | "script" => after.split_once(&format!("</{name}>")).map_or("", |(_, after)| after),
            _ => after,
        };
    }
    out.push(rest.to_owned());
    // Texts of people were escaped twice.
    out.iter().map(|t| plain(&unescaped(&unescaped(t)))).filter(|t| !t.is_empty()).collect()
}

fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let end = after.find(';').filter(|end| *end < 8);
        let name = end.map_or("", |end| &after[..end]);
        let number = name.strip_prefix('#').and_then(|n| n.parse().ok()).and_then(char::from_u32);
        let known = [("amp", '&'), ("lt", '<'), ("gt", '>'), ("quot", '"')].into_iter().find(|(n, _)| *n == name);
        match number.or(known.map(|(_, c)| c)) {
            Some(c) => {
                out.push(c);
                rest = &after[name.len() + 1..];
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out + rest
}

fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Every text of the report's data.
fn strings(value: &serde_json::Value, out: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) => out.push(plain(&unescaped(text))),
        serde_json::Value::Array(items) => items.iter().for_each(|item| strings(item, out)),
        serde_json::Value::Object(fields) => fields.values().for_each(|field| strings(field, out)),
        _ => {}
    }
}

/// What a line says without its number and its label: `[State: Not Started`, `12. Title`, `Interaction: HTTPS`.
fn said(line: &str) -> &str {
    let line = match line.split_once(". ") {
        Some((number, title)) if number.chars().all(|c| c.is_ascii_digit()) => title,
        _ => line,
    };
    let line = match ["[State: ", "Priority: "].iter().find_map(|label| line.strip_prefix(label)) {
        Some(value) => return value.trim_end_matches(']'),
        None => line,
    };
    let labels = ["Interaction: ", "Diagram: "];
    labels.iter().find_map(|label| line.strip_prefix(label)).unwrap_or(line)
}

#[test]
fn nothing_of_the_full_report_is_lost() {
    let Some(root) = std::env::var_os("KUBESTRIDE_CORPUS").filter(|v| !v.is_empty()) else { return };
    let corpus = PathBuf::from(root).join("corpus");
    for (model, report, end) in PAIRS {
        let theirs = std::fs::read_to_string(corpus.join("reports").join(report)).expect("the report");
        let folder = Folder::new(&[]);
        let model = corpus.join("tm7").join(model);
        let run = folder.run(&["analyze", model.to_str().expect("a path"), "-q", "-o", "r.html"]);
        assert_eq!(run.status, 0, "{}", run.err);
        assert!(run.out.contains("Written: r.html"), "{}", run.out);
        let html = folder.read("r.html");
        let data = html.split_once("<script type=\"application/json\"").and_then(|(_, after)| after.split_once('>'));
        let data = data.and_then(|(_, after)| after.split_once("</script>")).expect("the data").0;
        let mut ours = texts(&html);
        strings(&serde_json::from_str(data).expect("JSON"), &mut ours);
        let ours = ours.join("\n");
        let lines = texts(&theirs);
        let compared = lines.iter().take_while(|line| Some(line.as_str()) != end);
        let compared: BTreeSet<&str> = compared.flat_map(|line| line.split("] [")).map(said).collect();
        assert!(compared.len() > 50, "{report}: {} texts", compared.len());
        let own = |text: &str| {
            LABELS.contains(&text) || text.ends_with(" Diagram Summary:") || text.starts_with("Created on ")
        };
        let missing: Vec<&str> = compared.into_iter().filter(|text| !own(text) && !ours.contains(text)).collect();
        assert_eq!(missing, Vec::<&str>::new(), "{report}");
    }
}
