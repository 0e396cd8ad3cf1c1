//! A diagram as Graphviz text.
//!
//! Source of the syntax: <https://graphviz.org/doc/info/lang.html>.

use std::io::{self, Write};

use crate::drawing::ShapeKind;
use crate::graph::{Bundle, Graph, Item, Node};
use crate::text::is_unprintable;

const HEAD: &str = r##"digraph "data flows" {
    rankdir=LR;
    fontname="Helvetica"; fontsize=11;
    node [fontname="Helvetica", fontsize=11, style=filled];
    edge [fontname="Helvetica", fontsize=9, color="#4a5765"];
"##;

/// Writes a graph in the language `dot`.
pub(crate) fn write(graph: &Graph, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(HEAD.as_bytes())?;
    let members = graph.members();
    group(graph, &members, 0, 1, out)?;
    for (source, target, bundle) in graph.lines() {
        edge(source, &target, bundle, out)?;
    }
    writeln!(out, "}}")
}

fn group(graph: &Graph, members: &[Vec<Item>], index: usize, depth: usize, out: &mut dyn Write) -> io::Result<()> {
    let indent = "    ".repeat(depth);
    for item in members.get(index).into_iter().flatten() {
        match *item {
            Item::Group(inner) => {
                writeln!(out, "{indent}subgraph cluster_{inner} {{")?;
                let name = quoted(&graph.groups[inner].name);
                writeln!(out, "{indent}    label={name}; style=dashed; color=\"#c0362c\"; fontcolor=\"#c0362c\";")?;
                group(graph, members, inner, depth + 1, out)?;
                writeln!(out, "{indent}}}")?;
            }
            Item::Node(i) => node(&graph.nodes[i], i, &indent, out)?,
        }
    }
    Ok(())
}

fn node(node: &Node, index: usize, indent: &str, out: &mut dyn Write) -> io::Result<()> {
    let style = match node.kind {
        ShapeKind::Process => "shape=ellipse, fillcolor=\"#eaf2fb\"",
        ShapeKind::Store => STORE,
        ShapeKind::External => "shape=box, fillcolor=\"#f2f2ef\"",
        ShapeKind::Summary => "shape=box, style=\"rounded,filled\", fillcolor=\"#eaf2fb\"",
    };
    writeln!(out, "{indent}n{index} [label={}, {style}];", quoted(&node.lines.join(" ")))?;
    match &node.attached {
        Some(attached) => writeln!(out, "{indent}n{index}s [label={}, {STORE}];", quoted(&attached.text)),
        None => Ok(()),
    }
}

const STORE: &str = "shape=cylinder, fillcolor=\"#eef6ee\"";

fn edge(source: usize, target: &str, bundle: &Bundle, out: &mut dyn Write) -> io::Result<()> {
    let style = if bundle.dashed { ", style=dashed" } else { "" };
    writeln!(out, "    n{source} -> n{target} [label={}{style}];", quoted(&bundle.label))
}

/// A text of the language, without escapes of its own: a backslash is one.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars().filter(|c| !is_unprintable(*c)) {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_text() {
        assert_eq!(quoted("a\" ]; \\N\n\u{202e}"), r#""a\" ]; \\N""#);
    }
}
