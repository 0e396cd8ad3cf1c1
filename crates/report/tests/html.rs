//! The page and the picture: nothing of the input becomes markup, and nothing is fetched.

mod common;

use std::collections::BTreeSet;

use common::Fixture;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The start tags of a text as a browser would see them: name and attributes. Style sheets and scripts are passed over.
fn tags(html: &str) -> Vec<(String, Vec<(String, String)>)> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if rest.starts_with(['/', '!']) {
            continue;
        }
        let end = rest.find(|c: char| c.is_whitespace() || c == '>' || c == '/').expect("a tag ends");
        let name = rest[..end].to_owned();
        rest = &rest[end..];
        let mut attributes = Vec::new();
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
            if let Some(after) = rest.strip_prefix('>') {
                rest = after;
                break;
            }
            let end = rest.find(|c: char| c == '=' || c == '>' || c.is_whitespace()).expect("an attribute ends");
            let attribute = rest[..end].to_owned();
            rest = &rest[end..];
            let mut value = String::new();
            if let Some(after) = rest.strip_prefix("=\"") {
                let end = after.find('"').expect("a value ends");
                value = after[..end].to_owned();
                rest = &after[end + 1..];
            }
            attributes.push((attribute, value));
        }
        if name == "style" || name == "script" {
            rest = &rest[rest.find(&format!("</{name}>")).expect("it is closed")..];
        }
        tags.push((name, attributes));
    }
    tags
}

fn between<'a>(text: &'a str, open: &str, close: &str) -> &'a str {
    let start = text.find(open).expect("it is opened") + open.len();
    let length = text[start..].find(close).expect("it is closed");
    &text[start..start + length]
}

fn base64(bytes: &[u8]) -> String {
    let digits: Vec<char> = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['+', '/']).collect();
    let bits: Vec<u8> = bytes.iter().flat_map(|b| (0..8).rev().map(move |i| b >> i & 1)).collect();
    let value = |six: &[u8]| (0..6).fold(0usize, |v, i| v << 1 | usize::from(six.get(i).copied().unwrap_or(0)));
    let mut out: String = bits.chunks(6).map(|six| digits[value(six)]).collect();
    while !out.len().is_multiple_of(4) {
        out.push('=');
    }
    out
}

#[test]
fn the_policy_allows_the_style_and_the_script_of_the_page_only() {
    let html = Fixture::new().write("html");
    let policy = between(&html, "http-equiv=\"Content-Security-Policy\" content=\"", "\"");
    for (open, close, directive) in [("<style>", "</style>", "style-src"), ("<script>", "</script>", "script-src")] {
        let hash = base64(&Sha256::digest(between(&html, open, close).as_bytes()));
        assert!(policy.contains(&format!("{directive} 'sha256-{hash}';")), "{directive} does not match: {policy}");
        assert_eq!(html.matches(open).count(), 1);
    }
    assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"), "{policy}");
    assert!(html.find("Content-Security-Policy") < html.find("<style>"), "the policy comes before what it is about");
}

#[test]
fn nothing_of_the_input_is_markup() {
    for format in ["html", "svg"] {
        let text = Fixture::new().write(format);
        for (name, attributes) in tags(&text) {
            assert!(
                !["img", "iframe", "object", "embed", "form", "base", "link", "image", "use"].contains(&name.as_str()),
                "<{name}>"
            );
            for (attribute, value) in attributes {
                assert!(
                    !attribute.starts_with("on") && attribute != "style" && attribute != "src",
                    "{attribute} of <{name}>"
                );
                if attribute == "href" {
                    let known = value.starts_with("https://") && !value.contains("evil.example");
                    assert!(known || value.starts_with('#'), "<{name} href={value}>");
                }
            }
        }
    }
}

#[test]
fn links_within_the_page_lead_somewhere() {
    let html = Fixture::new().write("html");
    let tags = tags(&html);
    let values = |wanted: &str| -> Vec<String> {
        let all = tags.iter().flat_map(|(_, attributes)| attributes.iter());
        all.filter(|(name, _)| name == wanted).map(|(_, value)| value.clone()).collect()
    };
    let ids = values("id");
    let unescape = |text: &str| {
        text.replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&amp;", "&")
    };
    let mut known: BTreeSet<String> = ids.iter().map(|id| unescape(id)).collect();
    assert_eq!(known.len(), ids.len(), "an id occurs twice");
    assert!(!known.iter().any(|id| id.contains(char::is_whitespace)));
    known.extend(made_by_the_script(&html));
    for href in values("href").iter().filter_map(|h| h.strip_prefix('#')) {
        assert!(known.contains(&percent_decoded(href)), "#{href} leads nowhere");
    }
}

/// The addresses of threats, types, services and interactions, which the page's script makes from its data.
fn made_by_the_script(html: &str) -> Vec<String> {
    let data = data(html);
    let list = |name: &str| data.get(name).and_then(Value::as_array).expect(name).clone();
    let id = |item: &Value| item.get("id").and_then(Value::as_str).map(str::to_owned);
    let types: Vec<Option<String>> = list("types").iter().map(id).collect();
    let threats = list("threats").into_iter().map(|threat| {
        let of_type = threat.get("type").and_then(Value::as_u64).expect("a type");
        let type_id = types[usize::try_from(of_type).expect("a position")].as_deref().expect("a type that occurs");
        format!("{type_id}@{}", id(&threat).expect("an id"))
    });
    let mut out: Vec<String> = threats.collect();
    out.extend(types.iter().flatten().map(|id| format!("type-{id}")));
    out.extend(list("elements").iter().filter_map(id).map(|id| format!("service-{id}")));
    out.extend(list("flows").iter().filter_map(id).map(|id| format!("flow-{id}")));
    out
}

/// The data of the page.
fn data(html: &str) -> Value {
    serde_json::from_str(between(html, "<script type=\"application/json\" id=\"data\">", "</script>")).expect("JSON")
}

#[test]
fn data_cannot_end_the_element_that_holds_it() {
    let html = Fixture::new().write("html");
    let text = between(&html, "<script type=\"application/json\" id=\"data\">", "</script>");
    assert!(!text.contains(['<', '>', '&']), "an unescaped character");
    assert!(text.contains("\\u003c"), "the fixture has markup in its names");
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits: Vec<u8> = rest.by_ref().take(2).collect();
            let digits = std::str::from_utf8(&digits).expect("digits");
            bytes.push(u8::from_str_radix(digits, 16).expect("two digits"));
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).expect("text")
}

#[test]
fn the_page_says_what_people_look_for() {
    let html = Fixture::new().write("html");
    for wanted in [
        "What to do first",
        "<svg ",
        "Not determinable from this input",
        "Messages about the input",
        "deploy/my shop.yaml",
        "Scope application",
        "2026-01-31",
        "Not Started",
    ] {
        assert!(html.contains(wanted), "{wanted} is missing");
    }
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    for format in ["html", "svg"] {
        assert_eq!(Fixture::new().write(format), Fixture::new().write(format));
    }
}
