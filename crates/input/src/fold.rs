//! Keeps one broken file from drowning the messages about all others.

use std::collections::BTreeMap;

use kubestride_source::{Diagnostic, FileId, SourceMap};

/// How many diagnostics of a kind are kept for one file.
const KEPT: usize = 20;

/// Keeps the first [`KEPT`] of each code and file, and says behind the last of them how many more there were.
pub(crate) fn fold(diagnostics: Vec<Diagnostic>, sources: &SourceMap) -> Vec<Diagnostic> {
    let key = |d: &Diagnostic| (d.span.map(|span| span.file), d.code);
    let mut totals: BTreeMap<(Option<FileId>, &str), usize> = BTreeMap::new();
    for diagnostic in &diagnostics {
        *totals.entry(key(diagnostic)).or_default() += 1;
    }
    let mut seen: BTreeMap<(Option<FileId>, &str), usize> = BTreeMap::new();
    let mut kept = Vec::with_capacity(diagnostics.len().min(10_000));
    for diagnostic in diagnostics {
        let key = key(&diagnostic);
        let seen = seen.entry(key).or_default();
        *seen += 1;
        if *seen > KEPT {
            continue;
        }
        kept.push(diagnostic);
        let more = totals.get(&key).copied().unwrap_or(0).saturating_sub(KEPT);
        if *seen == KEPT && more > 0 {
            let (file, code) = key;
            let place = file.map_or(String::new(), |file| format!(" in {}", sources.name(file)));
            kept.push(Diagnostic::note("more", format!("{more} more of `{code}`{place} are not shown")));
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use kubestride_source::{Diagnostic, FileOrigin, SourceMap, Span};

    use super::fold;

    #[test]
    fn folds_by_file_and_code() {
        let mut sources = SourceMap::new();
        let file = sources.add("a.yaml", "", FileOrigin::Stated);
        let at = |code| Diagnostic::error(code, "x").at(Span::new(file, 0, 0));
        let mut all: Vec<Diagnostic> = (0..25).map(|_| at("many")).collect();
        all.extend((0..20).map(|_| at("enough")));
        all.push(Diagnostic::error("many", "elsewhere"));
        let folded = fold(all, &sources);
        assert_eq!(folded.len(), 20 + 1 + 20 + 1);
        assert_eq!(folded.get(20).map(|d| d.message.as_str()), Some("5 more of `many` in a.yaml are not shown"));
    }
}
