//! The `## Tests` section of a threat type.

use std::sync::Arc;

use kubestride_discover::Scope;
use kubestride_source::FileId;
use kubestride_yaml::{Limits, Value, read};

/// Manifests and what is stated about them.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) scope: Scope,
    pub(crate) manifests: String,
    pub(crate) marks: Vec<Mark>,
    pub(crate) expected: Vec<Expected>,
}

/// `# threat: <id>` or `# mitigated: <id>` at the end of a line of the manifests.
#[derive(Debug)]
pub(crate) struct Mark {
    pub(crate) line: u32,
    pub(crate) id: String,
    pub(crate) open: bool,
}

/// An entry of a block `expect`.
#[derive(Debug)]
pub(crate) struct Expected {
    pub(crate) id: String,
    pub(crate) subject: String,
    pub(crate) open: bool,
    /// The controls in place, if the block says which.
    pub(crate) controls: Option<Vec<String>>,
}

impl Block {
    pub(crate) fn states_anything(&self) -> bool {
        !self.marks.is_empty() || !self.expected.is_empty()
    }
}

/// All blocks of a section.
///
/// # Errors
/// What is not written as it should be.
pub(crate) fn parse(section: &str) -> Result<Vec<Block>, String> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut lines = section.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```") else { continue };
        let mut body = String::new();
        loop {
            match lines.next() {
                Some("```") => break,
                Some(line) => body.extend([line, "\n"]),
                None => return Err("a block of `## Tests` is not closed".to_owned()),
            }
        }
        match language.trim() {
            "yaml" => blocks.push(block(Scope::Application, body)?),
            "yaml scope=cluster" => blocks.push(block(Scope::Cluster, body)?),
            "expect" => match blocks.last_mut() {
                Some(block) if block.expected.is_empty() => block.expected = expected(&body)?,
                _ => return Err("a block `expect` must come directly after one of manifests".to_owned()),
            },
            other => {
                return Err(format!(
                    "a block of `## Tests` is `yaml`, `yaml scope=cluster` or `expect`, not `{other}`"
                ));
            }
        }
    }
    Ok(blocks)
}

fn block(scope: Scope, manifests: String) -> Result<Block, String> {
    Ok(Block { scope, marks: marks(&manifests)?, manifests, expected: Vec::new() })
}

fn marks(manifests: &str) -> Result<Vec<Mark>, String> {
    let mut marks = Vec::new();
    for (number, line) in manifests.lines().enumerate() {
        // Several marks may stand at one line.
        for part in line.split('#').skip(1) {
            let (open, id) = match part.trim().split_once(':') {
                Some(("threat", id)) => (true, id.trim()),
                Some(("mitigated", id)) => (false, id.trim()),
                _ => continue,
            };
            if id.is_empty() || id.contains(' ') {
                return Err(format!("not a mark: {line}"));
            }
            marks.push(Mark { line: number as u32 + 1, id: id.to_owned(), open });
        }
    }
    Ok(marks)
}

fn expected(text: &str) -> Result<Vec<Expected>, String> {
    let text: Arc<str> = Arc::from(text);
    let documents = read(FileId(0), &text, &Limits::default());
    let tree = documents.iter().find_map(|d| d.tree.as_ref()).ok_or("a block `expect` is no YAML")?;
    tree.root().items().map(entry).collect()
}

fn entry(item: Value<'_>) -> Result<Expected, String> {
    let field = |key: &str| item.get(key).and_then(|v| v.as_str()).map(str::to_owned);
    let (Some(id), Some(subject), Some(state)) = (field("type"), field("subject"), field("state")) else {
        return Err("an expectation has `type`, `subject` and `state`".to_owned());
    };
    if let Some(other) = item.entries().find(|e| !["type", "subject", "state", "controls"].contains(&e.key)) {
        return Err(format!("an expectation has no `{}`", other.key));
    }
    let open = match state.as_str() {
        "open" => true,
        "mitigated" => false,
        other => return Err(format!("`{other}` is neither open nor mitigated")),
    };
    let names = |v: Value<'_>| v.items().filter_map(|i| i.as_str()).map(str::to_owned).collect();
    Ok(Expected { id, subject, open, controls: item.get("controls").map(names) })
}
