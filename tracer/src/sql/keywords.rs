//! What a word says about the token that follows it. Decides spacing, signs and constants, nothing else.

/// What may follow a word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct After {
    /// A value follows: a sign is unary.
    pub value: bool,
    /// NULL, TRUE and FALSE right behind it are constants, not part of a test or an option.
    pub constant: bool,
    /// TRUE and FALSE are, but NULL is not.
    pub boolean: bool,
    /// A parenthesis behind it opens no argument list.
    pub space: bool,
}

/// What a word, in lower case, says about what follows it.
pub(super) fn after(word: &[u8]) -> After {
    let (value, constant, space) = match word {
        b"and" | b"between" | b"case" | b"default" | b"distinct" | b"else" | b"having" | b"ilike"
        | b"like" | b"limit" | b"offset" | b"or" | b"return" | b"returning" | b"select" | b"similar"
        | b"symmetric" | b"then" | b"when" | b"where" => (true, true, true),
        // A value follows, where NULL, TRUE and FALSE may have a meaning of their own.
        b"by" | b"escape" | b"fetch" | b"from" | b"not" | b"on" | b"to" | b"using" => (true, false, true),
        // A parenthesis is not the one of an argument list.
        b"all" | b"analyze" | b"any" | b"as" | b"atomic" | b"check" | b"conflict" | b"constraint"
        | b"cube" | b"do" | b"except" | b"exclude" | b"explain" | b"filter" | b"foreign" | b"full"
        | b"group" | b"inner" | b"intersect" | b"into" | b"is" | b"join" | b"key" | b"lateral"
        | b"materialized" | b"only" | b"order" | b"outer" | b"over" | b"partition" | b"primary"
        | b"references" | b"rollup" | b"set" | b"sets" | b"some" | b"table" | b"union" | b"unique"
        | b"update" | b"window" | b"with" | b"within" => (false, false, true),
        _ => (false, false, false),
    };
    // `JOIN ... ON true`, but `RETURNS NULL ON NULL INPUT`.
    After { value, constant, boolean: word == b"on", space }
}

/// As [`after`], with the words that only MySQL has.
pub(super) fn after_mysql(word: &[u8]) -> After {
    let (value, constant, space) = match word {
        b"div" | b"elseif" | b"regexp" | b"rlike" | b"until" | b"while" | b"xor" => (true, true, true),
        b"interval" | b"mod" => (true, false, false),
        b"duplicate" | b"force" | b"fulltext" | b"ignore" | b"index" | b"spatial" | b"straight_join"
        | b"use" => (false, false, true),
        _ => return after(word),
    };
    After { value, constant, boolean: false, space }
}

/// NULL, TRUE or FALSE, in lower case.
pub(super) fn is_constant(word: &[u8]) -> bool {
    matches!(word, b"null" | b"true" | b"false")
}

/// May be the main verb behind a WITH list; in parentheses, begins a query rather than a list of values.
pub(super) fn is_verb(word: &[u8]) -> bool {
    matches!(word, b"select" | b"insert" | b"update" | b"delete" | b"merge" | b"values" | b"table")
}
