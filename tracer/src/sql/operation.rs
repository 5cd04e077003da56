//! Finds what a statement does: its first keyword, or the main verb behind a WITH list.

use super::keywords;

/// How far the search is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Search {
    #[default]
    First,
    /// WITH was found at this depth: the verb behind its list counts.
    Verb(u32),
    Done,
}

/// Reads along.
#[derive(Debug, Default)]
pub(super) struct Operation {
    search: Search,
    name: Vec<u8>,
}

impl Operation {
    pub(super) fn clear(&mut self) {
        self.search = Search::First;
        self.name.clear();
    }

    /// A word, also in lower case (empty: too long for a keyword), at this depth of parentheses.
    pub(super) fn word(&mut self, text: &[u8], lower: &[u8], depth: u32) {
        match self.search {
            Search::First => {
                let plain = !lower.is_empty() && lower.iter().all(|b| b.is_ascii_alphabetic());
                self.search = if lower == b"with" { Search::Verb(depth) } else { Search::Done };
                if plain {
                    self.name.extend(text.to_ascii_uppercase());
                }
            }
            Search::Verb(of) if of == depth && keywords::is_verb(lower) => {
                self.search = Search::Done;
                self.name.clear();
                self.name.extend(text.to_ascii_uppercase());
            }
            Search::Verb(_) | Search::Done => {}
        }
    }

    /// A value or a quoted name: a statement that begins so has no operation.
    pub(super) fn value(&mut self) {
        if self.search == Search::First {
            self.search = Search::Done;
        }
    }

    /// In capitals; empty where there is none.
    pub(super) fn name(&self) -> String {
        String::from_utf8_lossy(&self.name).into_owned()
    }
}
