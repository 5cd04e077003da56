//! The SQL of a ClickHouse request: the parameter `query`, or else the body (ClickHouse manual, "HTTP Interface"). With the
//! parameter, the body of an INSERT is data.
//!
//! Its texts are normalised by MySQL's lexical rules: the same quotes, backticks and backslashes. Other comments and texts
//! ([`super::lexer`]) are taken out before. `{name:Type}` parameters stay as they are written.

use super::lexer::{blank, without_data};
use super::path::{decode, parameters};
use crate::sql::{Dialect, Interned, Texts};
use crate::time::Nanos;
use crate::value::Value;

/// Bytes kept of a text.
pub(super) const SQL_BYTES: usize = 64 << 10;

/// The text of a request on its way. Its `Debug` shows no content.
#[derive(Default)]
pub(super) struct Sql {
    text: Vec<u8>,
    /// It stands in the body.
    in_body: bool,
    cut: bool,
    values: Vec<Value>,
}

impl std::fmt::Debug for Sql {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes of SQL", self.text.len())
    }
}

impl Sql {
    /// A request begins.
    pub fn begin(&mut self, query: &[u8]) {
        self.clear();
        let found = parameters(query).find(|(name, _)| *name == b"query").map(|(_, value)| value);
        if let Some(value) = found.filter(|value| !value.is_empty()) {
            decode(value, true, &mut self.text);
        } else {
            self.in_body = true;
        }
        // The body is in ClickHouse's own compressed format.
        if parameters(query).any(|(name, value)| name == b"decompress" && value != b"0") {
            self.cut();
        }
    }

    /// The body is compressed, or a part of it was not seen: what is known is only a beginning.
    pub fn cut(&mut self) {
        self.cut |= self.in_body;
        self.in_body = false;
    }

    /// Content of the body.
    pub fn body(&mut self, part: &[u8]) {
        if !self.in_body {
            return;
        }
        let room = SQL_BYTES.saturating_sub(self.text.len()).min(part.len());
        self.text.extend_from_slice(part.get(..room).unwrap_or_default());
        if room < part.len() {
            self.cut();
        }
    }

    /// The statement, if a text was seen; and its values. Forgets the text.
    pub fn intern(&mut self, at: Nanos, texts: &mut Texts) -> Option<(Interned, &[Value])> {
        self.values.clear();
        blank(&mut self.text);
        let statement = without_data(&self.text);
        // Data that is cut leaves the statement whole.
        let cut = self.cut && statement.len() == self.text.len();
        let statement = if cut { statement } else { statement.trim_ascii_end() };
        let statement = statement.strip_suffix(b";").unwrap_or(statement);
        let text = (!statement.trim_ascii().is_empty() && std::str::from_utf8(statement).is_ok()
            || cut && !statement.is_empty())
        .then(|| texts.intern(Dialect::Mysql, statement, cut, at));
        if let Some(interned) = text {
            let literals: Vec<Value> = texts.literals().to_vec();
            texts.assemble(interned.layout, &[], &literals, &mut self.values);
        }
        self.clear();
        text.map(|interned| (interned, self.values.as_slice()))
    }

    pub fn clear(&mut self) {
        self.text.fill(0);
        self.text.clear();
        self.text.shrink_to(4 << 10);
        self.in_body = false;
        self.cut = false;
    }
}
