//! Finds parts of scalars in the source.

use std::ops::Range;

use kubestride_source::Span;

use crate::{
    tree::{Data, Style, Tree},
    value::Value,
};

/// See [`Value::subspan`].
pub(crate) fn subspan(value: Value<'_>, range: Range<usize>) -> Option<Span> {
    let tree = value.tree;
    let node = tree.node(value.index);
    let Data::Scalar { start, owned, style, .. } = node.data else { return None };
    let text = value.scalar_text()?;
    text.get(range.clone())?;
    let found = if !owned {
        start as usize + range.start..start as usize + range.end
    } else if style == Style::Literal {
        literal(tree, node.start as usize, text, range)?
    } else {
        flowed(tree, node.start as usize..node.end as usize, style, text, range)?
    };
    Some(Span::new(tree.file, u32::try_from(found.start).ok()?, u32::try_from(found.end).ok()?))
}

/// In a literal block every line of the text is a line of the source behind its indentation.
fn literal(tree: &Tree, start: usize, text: &str, range: Range<usize>) -> Option<Range<usize>> {
    // The block starts at its first line that is not blank.
    let blank = text.len() - text.trim_start_matches('\n').len();
    let mut source = line_start(tree, start);
    let mut at = blank;
    for line in text.get(blank..)?.split('\n') {
        let end = line_end(tree, source);
        let in_source = tree.text.get(source..end)?.trim_end_matches('\r');
        let line_range = at..at + line.len();
        if range.start >= line_range.start && range.end <= line_range.end {
            let indent = in_source.strip_suffix(line)?;
            if !indent.bytes().all(|b| b == b' ') {
                return None;
            }
            let first = source + indent.len() + (range.start - at);
            return Some(first..first + (range.end - range.start));
        }
        at = line_range.end + 1;
        source = end + 1;
    }
    None
}

/// Where lines are joined, each line of the source still stands in the text as it is, save for white space around it.
/// Lines with escapes do not, and then nothing after them is found.
fn flowed(tree: &Tree, node: Range<usize>, style: Style, text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let quote = usize::from(style == Style::Quoted);
    let (mut source, last) = (node.start + quote, node.end.checked_sub(quote)?);
    let mut at = 0;
    while source < last {
        let end = line_end(tree, source).min(last);
        let line = tree.text.get(source..end)?;
        let content = line.trim_start_matches(BLANK);
        let indent = line.len() - content.len();
        let content = content.trim_end_matches(BLANK);
        let rest = text.get(at..)?;
        let begin = at + rest.len() - rest.trim_start_matches(BLANK).len();
        if !text.get(begin..)?.starts_with(content) {
            return None;
        }
        at = begin + content.len();
        if !content.is_empty() && range.start >= begin && range.end <= at {
            let first = source + indent + (range.start - begin);
            return Some(first..first + (range.end - range.start));
        }
        source = end + 1;
    }
    None
}

/// White space that folding may remove or change.
const BLANK: [char; 4] = [' ', '\t', '\r', '\n'];

fn line_start(tree: &Tree, offset: usize) -> usize {
    tree.text.get(..offset).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1)
}

/// The offset of the `\n` that ends the line, or of the end of the text.
fn line_end(tree: &Tree, offset: usize) -> usize {
    tree.text.get(offset..).and_then(|rest| rest.find('\n')).map_or(tree.text.len(), |len| offset + len)
}
