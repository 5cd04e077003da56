//! What a word says about the token that follows it. Decides spacing, signs and constants, nothing else.

/// What may follow a word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct After {
    /// A value follows: a sign is unary.
    pub value: bool,
    /// NULL, TRUE and FALSE right behind it are constants, not part of a test or an option.
    pub constant: bool,
    /// A parenthesis behind it opens no argument list.
    pub space: bool,
}

/// A value follows; NULL, TRUE and FALSE are constants there.
const BEFORE_CONSTANT: &[&str] = &[
    "and",
    "between",
    "case",
    "default",
    "distinct",
    "else",
    "having",
    "ilike",
    "like",
    "limit",
    "offset",
    "or",
    "return",
    "returning",
    "select",
    "similar",
    "symmetric",
    "then",
    "when",
    "where",
];

/// A value follows, where NULL, TRUE and FALSE have a meaning of their own.
const BEFORE_VALUE: &[&str] = &["by", "escape", "fetch", "from", "not", "on", "to", "using"];

/// A parenthesis behind these opens no argument list, beside those above.
const BEFORE_PARENTHESIS: &[&str] = &[
    "all",
    "analyze",
    "any",
    "as",
    "atomic",
    "check",
    "conflict",
    "constraint",
    "cube",
    "do",
    "except",
    "exclude",
    "explain",
    "filter",
    "foreign",
    "full",
    "group",
    "inner",
    "intersect",
    "into",
    "is",
    "join",
    "key",
    "lateral",
    "materialized",
    "only",
    "order",
    "outer",
    "over",
    "partition",
    "primary",
    "references",
    "rollup",
    "set",
    "sets",
    "some",
    "table",
    "union",
    "unique",
    "update",
    "window",
    "with",
    "within",
];

/// What a word, in lower case, says about what follows it.
pub(super) fn after(word: &[u8]) -> After {
    let listed = |list: &[&str]| list.iter().any(|w| w.as_bytes() == word);
    let constant = listed(BEFORE_CONSTANT);
    let value = constant || listed(BEFORE_VALUE);
    After { value, constant, space: value || listed(BEFORE_PARENTHESIS) }
}

/// NULL, TRUE or FALSE, in lower case.
pub(super) fn is_constant(word: &[u8]) -> bool {
    matches!(word, b"null" | b"true" | b"false")
}

/// May be the main verb behind a WITH list; in parentheses, begins a query rather than a list of values.
pub(super) fn is_verb(word: &[u8]) -> bool {
    matches!(word, b"select" | b"insert" | b"update" | b"delete" | b"merge" | b"values" | b"table")
}
