//! The commands whose statement shows more than their name: on which collection they work, and which of their fields matter.
//!
//! Source: MongoDB manual, "Database Commands". A command that is not here may carry a password: nothing of it is read.

/// A field of a command that its statement shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Its name.
    pub field: &'static [u8],
    /// What stands before its shape.
    pub label: &'static [u8],
    pub how: How,
}

/// How a field is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// Its shape.
    Shape,
    /// A string that is the name of a field.
    Name,
    /// Its label alone, where it is true.
    Flag,
    /// An array of documents: these parts of the first one.
    First(&'static [Part]),
    /// An array of documents: `[?]`, with their number.
    Number,
}

/// What a command is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    /// The value of its first field is the collection.
    Collection(&'static [Part]),
    /// Its field `collection` is.
    GetMore(&'static [Part]),
    /// The value of its first field is another command.
    Explain,
    /// `hello` and its old names.
    Hello,
    /// Begins an authentication.
    SaslStart,
    /// Anything else.
    Other,
}

const fn shape(field: &'static [u8], label: &'static [u8]) -> Part {
    Part { field, label, how: How::Shape }
}
const fn flag(field: &'static [u8], label: &'static [u8]) -> Part {
    Part { field, label, how: How::Flag }
}

const FIND: &[Part] = &[
    shape(b"filter", b""),
    shape(b"sort", b"sort "),
    shape(b"projection", b"projection "),
    shape(b"skip", b"skip "),
    shape(b"limit", b"limit "),
];
const AGGREGATE: &[Part] = &[shape(b"pipeline", b"")];
const COUNT: &[Part] = &[shape(b"query", b""), shape(b"skip", b"skip "), shape(b"limit", b"limit ")];
const DISTINCT: &[Part] = &[Part { field: b"key", label: b"", how: How::Name }, shape(b"query", b"")];
const INSERT: &[Part] = &[Part { field: b"documents", label: b"", how: How::Number }];
const UPDATE_STATEMENT: &[Part] = &[
    shape(b"q", b"q: "),
    shape(b"u", b"u: "),
    shape(b"arrayFilters", b"arrayFilters: "),
    flag(b"upsert", b"upsert"),
    flag(b"multi", b"multi"),
];
const UPDATE: &[Part] = &[Part { field: b"updates", label: b"", how: How::First(UPDATE_STATEMENT) }];
const DELETE_STATEMENT: &[Part] = &[shape(b"q", b"q: "), shape(b"limit", b"limit: ")];
const DELETE: &[Part] = &[Part { field: b"deletes", label: b"", how: How::First(DELETE_STATEMENT) }];
const FIND_AND_MODIFY: &[Part] = &[
    shape(b"query", b""),
    shape(b"sort", b"sort "),
    shape(b"update", b"update "),
    flag(b"remove", b"remove"),
    flag(b"upsert", b"upsert"),
];
// Only a tailable cursor takes it: then the server waits for new documents.
const GET_MORE: &[Part] = &[shape(b"maxTimeMS", b"maxTimeMS ")];
const MAP_REDUCE: &[Part] = &[shape(b"query", b"")];

/// The command of this name.
pub(super) fn verb(name: &[u8]) -> Verb {
    match name {
        b"find" => Verb::Collection(FIND),
        b"aggregate" => Verb::Collection(AGGREGATE),
        b"count" => Verb::Collection(COUNT),
        b"distinct" => Verb::Collection(DISTINCT),
        b"insert" => Verb::Collection(INSERT),
        b"update" => Verb::Collection(UPDATE),
        b"delete" => Verb::Collection(DELETE),
        b"findAndModify" | b"findandmodify" => Verb::Collection(FIND_AND_MODIFY),
        b"mapReduce" | b"mapreduce" => Verb::Collection(MAP_REDUCE),
        b"getMore" => Verb::GetMore(GET_MORE),
        b"explain" => Verb::Explain,
        b"hello" | b"isMaster" | b"ismaster" => Verb::Hello,
        b"saslStart" => Verb::SaslStart,
        b"create"
        | b"drop"
        | b"createIndexes"
        | b"dropIndexes"
        | b"deleteIndexes"
        | b"listIndexes"
        | b"collMod"
        | b"collStats"
        | b"collstats"
        | b"validate"
        | b"reIndex"
        | b"compact"
        | b"convertToCapped"
        | b"killCursors"
        | b"planCacheClear"
        | b"createSearchIndexes"
        | b"dropSearchIndex"
        | b"updateSearchIndex"
        | b"filemd5" => Verb::Collection(&[]),
        _ => Verb::Other,
    }
}
