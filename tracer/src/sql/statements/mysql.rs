//! Semicolons inside stored programs of MySQL and MariaDB (MySQL 8.4 manual, section 15.6 "Compound Statement Syntax").

use crate::sql::lexer::{Kind, Token};

/// Where in a statement the reader is, as far as semicolons are concerned.
#[derive(Debug, Default)]
pub(super) struct Nesting {
    program: Program,
    before: Before,
    /// Open BEGIN, CASE, IF, LOOP, REPEAT, WHILE and FOR.
    blocks: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Program {
    #[default]
    Unknown,
    /// CREATE or ALTER was seen: the kind of object is to come.
    Maybe,
    /// BEGIN began the statement: a block only where NOT ATOMIC follows (MariaDB).
    Begin,
    /// The statement has a body.
    Yes,
    No,
}

/// The token before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Before {
    #[default]
    Other,
    /// A statement of a body begins here.
    Start,
    /// END: what follows names the block that it ends.
    End,
    /// A dot: a name follows.
    Dot,
}

/// Behind these a statement of a body begins.
const STARTS: [&str; 7] = ["begin", "do", "else", "loop", "repeat", "row", "then"];
/// Behind these, or a parenthesis or a string, the body itself may begin.
const HEADS: [&str; 6] = ["data", "definer", "deterministic", "invoker", "sql", "atomic"];
/// Statements with an END of their own; some of these words are functions, too.
const COMPOUND: [&str; 5] = ["for", "if", "loop", "repeat", "while"];
/// Objects that have a body.
const PROGRAMS: [&str; 5] = ["event", "function", "package", "procedure", "trigger"];
/// Behind these words there is none: they name another kind of object, or begin the definition of a view.
const OTHERS: [&str; 10] =
    ["as", "database", "index", "role", "schema", "sequence", "server", "table", "user", "view"];

fn is_any(token: &Token<'_>, words: &[&str]) -> bool {
    token.kind == Kind::Word && words.iter().any(|word| token.is_word(word))
}

impl Nesting {
    pub(super) fn is_inside(&self) -> bool {
        self.blocks > 0
    }

    /// Passes the next token that is not blank.
    pub(super) fn take(&mut self, token: &Token<'_>) {
        match self.program {
            Program::Unknown if is_any(token, &["create", "alter"]) => self.program = Program::Maybe,
            Program::Unknown if token.is_word("begin") => self.program = Program::Begin,
            // MariaDB takes these outside of a stored program, too.
            Program::Unknown if is_any(token, &COMPOUND) || token.is_word("case") => {
                (self.program, self.before) = (Program::Yes, Before::Start);
                self.body(token);
            }
            Program::Unknown => self.program = Program::No,
            Program::Begin if token.is_word("not") => {
                (self.program, self.blocks, self.before) = (Program::Yes, 1, Before::Other);
            }
            Program::Begin => self.program = Program::No,
            Program::Maybe if is_any(token, &PROGRAMS) => self.program = Program::Yes,
            Program::Maybe if is_any(token, &OTHERS) => self.program = Program::No,
            Program::Maybe | Program::No => {}
            Program::Yes => self.body(token),
        }
    }

    fn body(&mut self, token: &Token<'_>) {
        let before = std::mem::take(&mut self.before);
        let starts = before == Before::Start;
        let opens = match before {
            Before::Dot | Before::End => false,
            _ if token.is_word("begin") || token.is_word("case") => true,
            _ => starts && is_any(token, &COMPOUND),
        };
        if opens {
            self.blocks = self.blocks.saturating_add(1);
        } else if token.is_word("end") && before != Before::Dot {
            self.blocks = self.blocks.saturating_sub(1);
            self.before = Before::End;
            return;
        }
        self.before = match token.kind {
            Kind::Punct if token.text == b"." => Before::Dot,
            Kind::Punct if matches!(token.text, b";" | b":") => Before::Start,
            _ if before == Before::End || before == Before::Dot => Before::Other,
            Kind::Punct if token.text == b")" && self.blocks == 0 => Before::Start,
            Kind::String { .. } if self.blocks == 0 => Before::Start,
            // `REPEAT('a', 3)` is a function where no statement begins.
            Kind::Word if is_any(token, &["loop", "repeat"]) && !opens => Before::Other,
            Kind::Word if is_any(token, &STARTS) => Before::Start,
            Kind::Word if self.blocks == 0 && is_any(token, &HEADS) => Before::Start,
            _ => Before::Other,
        };
    }
}
