//! Hints to a planner: their names stay, their values go. A value in a hint is none of the statement.

use super::dialect::Dialect;
use super::lexer::{Kind, Lexer, Token};
use super::output::Output;

/// Writes a hint `/*+ ... */` that has its end.
pub(super) fn write(dialect: Dialect, token: &Token<'_>, output: &mut Output) {
    let body = token.text.get(3..token.text.len().saturating_sub(2)).unwrap_or_default();
    output.push(b"/*+");
    let mut tight = false;
    for inner in Lexer::new(dialect, body) {
        if inner.is_blank() || inner.kind == Kind::Hint {
            continue;
        }
        let parenthesis = inner.is_punct("(") || inner.is_punct(")");
        if !tight && !parenthesis {
            output.push(b" ");
        }
        tight = inner.is_punct("(");
        // What would end the hint early, or never.
        let ends = inner.text.windows(2).any(|w| w == b"*/" || w == b"/*");
        match inner.kind {
            _ if ends || inner.open => output.push(b"?"),
            Kind::String { .. } | Kind::Number => output.push(b"?"),
            _ => output.push_foreign(inner.text, inner.kind == Kind::Word),
        }
    }
    output.push(b" */");
}
