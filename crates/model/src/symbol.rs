//! Interned strings.

use std::collections::HashMap;
use std::sync::Arc;

/// A string of a [`Symbols`] table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol(pub u32);

/// The table of all strings of a model.
#[derive(Debug, Default, Clone)]
pub struct Symbols {
    strings: Vec<Arc<str>>,
    by_text: HashMap<Arc<str>, Symbol>,
}

impl Symbols {
    /// The symbol of `text`, new if it was not in the table.
    pub fn intern(&mut self, text: &str) -> Symbol {
        if let Some(symbol) = self.by_text.get(text) {
            return *symbol;
        }
        let symbol = Symbol(self.strings.len() as u32);
        let text: Arc<str> = Arc::from(text);
        self.strings.push(text.clone());
        self.by_text.insert(text, symbol);
        symbol
    }

    /// The symbol of `text` if it is in the table.
    pub fn find(&self, text: &str) -> Option<Symbol> {
        self.by_text.get(text).copied()
    }

    /// The string of a symbol; empty for a symbol of another table.
    pub fn text(&self, symbol: Symbol) -> &str {
        self.strings.get(symbol.0 as usize).map_or("", |s| s)
    }
}
