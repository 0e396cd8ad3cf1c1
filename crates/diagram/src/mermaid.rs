//! A diagram as Mermaid text, for wikis and pull requests that draw it themselves.
//!
//! Source of the syntax: <https://mermaid.js.org/syntax/flowchart.html>.

use std::io::{self, Write};

use crate::drawing::ShapeKind;
use crate::graph::{Bundle, Graph, Item, Node};
use crate::text::is_unprintable;

/// Writes a graph as a flowchart.
pub(crate) fn write(graph: &Graph, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "flowchart LR")?;
    let members = graph.members();
    group(graph, &members, 0, 1, out)?;
    for (source, target, bundle) in graph.lines() {
        edge(source, &target, bundle, out)?;
    }
    writeln!(out, "    classDef boundary fill:none,stroke:#c0362c,stroke-dasharray:6 4,color:#c0362c")?;
    let named: Vec<String> = (1..graph.groups.len()).map(|i| format!("g{i}")).collect();
    if named.is_empty() { Ok(()) } else { writeln!(out, "    class {} boundary", named.join(",")) }
}

fn group(graph: &Graph, members: &[Vec<Item>], index: usize, depth: usize, out: &mut dyn Write) -> io::Result<()> {
    let indent = "    ".repeat(depth);
    for item in members.get(index).into_iter().flatten() {
        match *item {
            Item::Group(inner) => {
                writeln!(out, "{indent}subgraph g{inner}[\"{}\"]", escaped(&graph.groups[inner].name))?;
                group(graph, members, inner, depth + 1, out)?;
                writeln!(out, "{indent}end")?;
            }
            Item::Node(i) => node(&graph.nodes[i], i, &indent, out)?,
        }
    }
    Ok(())
}

fn node(node: &Node, index: usize, indent: &str, out: &mut dyn Write) -> io::Result<()> {
    let name = escaped(&node.lines.join(" "));
    let (open, close) = match node.kind {
        ShapeKind::Process => ("([", "])"),
        ShapeKind::Store => ("[(", ")]"),
        ShapeKind::External | ShapeKind::Summary => ("[", "]"),
    };
    writeln!(out, "{indent}n{index}{open}\"{name}\"{close}")?;
    match &node.attached {
        Some(attached) => writeln!(out, "{indent}n{index}s[(\"{}\")]", escaped(&attached.text)),
        None => Ok(()),
    }
}

fn edge(source: usize, target: &str, bundle: &Bundle, out: &mut dyn Write) -> io::Result<()> {
    let arrow = if bundle.dashed { "-.->" } else { "-->" };
    let label = escaped(&bundle.label);
    if label.is_empty() {
        writeln!(out, "    n{source} {arrow} n{target}")
    } else {
        writeln!(out, "    n{source} {arrow}|\"{label}\"| n{target}")
    }
}

/// Everything that could end a text or be markup, as a character code of Mermaid.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().filter(|c| !is_unprintable(*c)) {
        if c.is_alphanumeric() || " -_./:,()+…→".contains(c) {
            out.push(c);
        } else {
            out.push_str(&format!("#{};", c as u32));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Edge, Group};

    #[test]
    fn a_flowchart_has_groups_shapes_and_labels() {
        let node = |name: &str, kind, group| Node {
            identity: name.to_owned(),
            kind,
            lines: vec![name.to_owned()],
            caption: String::new(),
            tooltip: String::new(),
            group,
            attached: None,
            own_flows: None,
        };
        let group = Group { identity: "g".into(), name: "Namespace shop".into(), kind: "namespace", parent: 0 };
        let bundle = Bundle { label: "HTTP 80".into(), dashed: true, ..Bundle::default() };
        let graph = Graph {
            groups: vec![Group::default(), group],
            nodes: vec![
                node("web", ShapeKind::Process, 1),
                node("db", ShapeKind::Store, 1),
                node("host", ShapeKind::External, 0),
            ],
            edges: vec![Edge { source: 0, target: 2, bundle }],
            ..Graph::default()
        };
        let mut out = Vec::new();
        write(&graph, &mut out).expect("memory");
        let expected = "flowchart LR
    subgraph g1[\"Namespace shop\"]
        n1[(\"db\")]
        n0([\"web\"])
    end
    n2[\"host\"]
    n0 -.->|\"HTTP 80\"| n2
    classDef boundary fill:none,stroke:#c0362c,stroke-dasharray:6 4,color:#c0362c
    class g1 boundary
";
        assert_eq!(String::from_utf8(out).expect("text"), expected);
    }

    #[test]
    fn nothing_ends_a_text() {
        assert_eq!(escaped("a\"] --> b;#\n\u{202e}"), "a#34;#93; --#62; b#59;#35;");
    }
}
