//! Interned strings.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// A string of a [`Symbols`] table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol(pub u32);

/// The table of all strings of a model.
#[derive(Debug, Default, Clone)]
pub struct Symbols {
    /// All strings, one behind the other.
    text: String,
    /// Where each string ends.
    ends: Vec<usize>,
    /// By the hash of the string, or the next number that is free: growing the table then reads no strings.
    by_hash: HashMap<u64, Symbol>,
    hasher: RandomState,
}

impl Symbols {
    /// The symbol of `text`, new if it was not in the table.
    pub fn intern(&mut self, text: &str) -> Symbol {
        match self.look_up(text) {
            Ok(symbol) => symbol,
            Err(place) => {
                let symbol = Symbol(self.ends.len() as u32);
                self.text.push_str(text);
                self.ends.push(self.text.len());
                self.by_hash.insert(place, symbol);
                symbol
            }
        }
    }

    /// The symbol of `text` if it is in the table.
    pub fn find(&self, text: &str) -> Option<Symbol> {
        self.look_up(text).ok()
    }

    /// The string of a symbol; empty for a symbol of another table.
    pub fn text(&self, symbol: Symbol) -> &str {
        let at = symbol.0 as usize;
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.ends.get(at).and_then(|end| self.text.get(start..*end)).unwrap_or("")
    }

    /// The symbol of `text`, or the place for it.
    fn look_up(&self, text: &str) -> Result<Symbol, u64> {
        let mut place = self.hasher.hash_one(text);
        loop {
            match self.by_hash.get(&place) {
                Some(symbol) if self.text(*symbol) == text => return Ok(*symbol),
                Some(_) => place = place.wrapping_add(1),
                None => return Err(place),
            }
        }
    }
}
