//! Models that are edited at random and read again.

use kubestride_source::{FileOrigin, SourceMap};
use kubestride_tmt::write::{Patches, serialise};
use kubestride_tmt::xml::{Tree, Xml};

struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % limit.max(1)
    }

    fn text(&mut self) -> String {
        let pieces = ["a", "<", ">", "&", "\"", "'", " ", "\n", "\r", "]]>", "ü", "🦀", "{x}", "&amp;", "<![CDATA["];
        (0..self.below(6)).map(|_| pieces[self.below(pieces.len())]).collect()
    }
}

/// A random tree of a few elements.
fn random(dice: &mut Dice, depth: usize, out: &mut String) {
    let name = ["A", "b:B", "C"][dice.below(3)];
    out.push_str(&format!("<{name} x=\"{}\">", dice.text().replace(['<', '&', '"', '\n', '\r'], "")));
    if depth > 0 && dice.below(3) > 0 {
        (0..1 + dice.below(4)).for_each(|_| random(dice, depth - 1, out));
    } else {
        out.push_str(&kubestride_tmt::write::escaped(&dice.text()));
    }
    out.push_str(&format!("</{name}>"));
}

fn leaves<'t, 'a>(xml: Xml<'t, 'a>, out: &mut Vec<Xml<'t, 'a>>) {
    if xml.children().next().is_none() {
        out.push(xml);
    }
    xml.children().for_each(|child| leaves(child, out));
}

fn texts(text: &str) -> Vec<String> {
    let file = SourceMap::new().add("m", "", FileOrigin::Stated);
    let tree = Tree::parse(file, text).expect(text);
    let mut all = Vec::new();
    leaves(tree.root(), &mut all);
    all.iter().map(|leaf| leaf.text().into_owned()).collect()
}

#[test]
fn what_is_written_is_what_is_read() {
    for seed in 1..=2000u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut text = String::new();
        random(&mut dice, 4, &mut text);
        let file = SourceMap::new().add("m", "", FileOrigin::Stated);
        let tree = Tree::parse(file, &text).expect(&text);
        let mut all = Vec::new();
        leaves(tree.root(), &mut all);
        let mut expected: Vec<String> = all.iter().map(|leaf| leaf.text().into_owned()).collect();
        let mut patches = Patches::default();
        for (i, leaf) in all.iter().enumerate() {
            if dice.below(3) == 0 {
                expected[i] = dice.text();
                patches.set_text(*leaf, &expected[i]);
            }
        }
        let written = patches.apply(&text);
        assert_eq!(texts(&written), expected, "seed {seed}");
        let anew = Tree::parse(file, &written).map(|tree| serialise(&tree)).expect("XML");
        assert_eq!(texts(&anew), expected, "seed {seed}");
    }
}
