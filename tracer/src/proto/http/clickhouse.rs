//! The SQL of a ClickHouse request: the parameter `query`, or else the body (ClickHouse manual, "HTTP Interface"). With the
//! parameter, the body of an INSERT is data.
//!
//! Its texts are normalised by MySQL's lexical rules: the same quotes, backticks, backslashes and comments. What only
//! ClickHouse has (`{name:Type}` parameters, heredocs) stays as it is written.

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

/// An INSERT without the data behind its FORMAT.
fn without_data(sql: &[u8]) -> &[u8] {
    let start = sql.trim_ascii_start();
    if !start.get(..6).is_some_and(|word| word.eq_ignore_ascii_case(b"insert")) {
        return sql;
    }
    let mut at = 0;
    while let Some(byte) = sql.get(at) {
        match byte {
            b'\'' | b'`' | b'"' => {
                at += 1;
                while let Some(inner) = sql.get(at).filter(|inner| *inner != byte) {
                    at += if *inner == b'\\' { 2 } else { 1 };
                }
                at += 1;
            }
            _ if byte.is_ascii_alphabetic() => {
                let end = word_end(sql, at);
                if sql[at..end].eq_ignore_ascii_case(b"format") {
                    let name = end + sql[end..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
                    let behind = word_end(sql, name);
                    let values = sql[name..behind].eq_ignore_ascii_case(b"values");
                    return if name == behind || values { sql } else { &sql[..behind] };
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    sql
}

fn word_end(sql: &[u8], from: usize) -> usize {
    let word = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
    from + sql[from..].iter().take_while(word).count()
}
