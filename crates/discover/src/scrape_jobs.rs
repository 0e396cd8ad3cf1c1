//! The jobs of a Prometheus configuration, wherever it stands: in a file of its own, in the configuration of a
//! collector, or as a list that is added to a configuration.

use std::ops::Range;
use std::sync::Arc;

use kubestride_source::FileId;
use kubestride_yaml::{Kind, Limits, Tree, Value, read};

/// Texts with more than this are not configuration.
const LIMITS: Limits = Limits { max_depth: 64, max_nodes: 200_000 };

/// A text that was read as YAML because it may hold jobs.
pub(crate) struct Configuration {
    trees: Vec<Tree>,
}

impl Configuration {
    /// Reads a text if it looks as if it held jobs.
    pub(crate) fn read(text: &str) -> Option<Self> {
        if !["scrape_configs", "static_configs", "kubernetes_sd_configs"].iter().any(|word| text.contains(word)) {
            return None;
        }
        let documents = read(FileId(u32::MAX), &Arc::from(text), &LIMITS);
        let trees: Vec<Tree> = documents.into_iter().filter_map(|d| d.tree).filter(Tree::is_bounded).collect();
        Some(Self { trees })
    }

    /// The jobs, and the parts of the configuration that tell where alerts are sent, which look alike.
    pub(crate) fn jobs(&self) -> Vec<Value<'_>> {
        let mut out = Vec::new();
        self.trees.iter().for_each(|tree| collect(tree.root(), 0, &mut out));
        out
    }

    /// Where the jobs stand in the text.
    pub(crate) fn ranges(&self) -> Vec<Range<usize>> {
        self.jobs().iter().map(|job| job.span()).map(|s| s.start as usize..s.end as usize).collect()
    }
}

/// Looks for lists of jobs at the depth of a collector's receivers.
fn collect<'t>(value: Value<'t>, depth: usize, out: &mut Vec<Value<'t>>) {
    if depth > 6 {
        return;
    }
    let is_job = |v: &Value<'_>| v.entries().any(|e| e.key.ends_with("_configs") && e.value.kind() == Kind::Sequence);
    for entry in value.entries() {
        if matches!(entry.key, "scrape_configs" | "alertmanagers") {
            out.extend(entry.value.items().filter(is_job));
        } else {
            collect(entry.value, depth + 1, out);
        }
    }
    if depth == 0 {
        out.extend(value.items().filter(|v| v.get("job_name").is_some() && is_job(v)));
    }
}
