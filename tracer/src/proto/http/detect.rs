//! Is it HTTP, and whose? From the first pieces of a connection.
//!
//! HTTP: a piece that begins with a request line or a status line. Whose: by the first final answer that tells it.
//! - A field `X-Elastic-Product: Elasticsearch` (Elasticsearch 7.14 and later): Elasticsearch.
//! - A field whose name begins with `X-ClickHouse-`: ClickHouse.
//! - OpenSearch names itself in a field `X-OpenSearch-Version` of later versions, in the body of `GET /`, and its clients
//!   in User-Agent. Otherwise it answers as the Elasticsearch from which it came.
//! - A path with a word of the common interface (`/_search`, `/x/_doc/1`), or a body that begins as theirs do, with an
//!   answer of JSON: Elasticsearch, unless something says OpenSearch.
//! - A second answer of JSON without any sign, or an answer of another type: no database. A client that speaks their
//!   interface is watched longer, because a proxy between may answer with a page of its own.
//! - CouchDB names itself. FHIR and others have types of their own (`application/fhir+json`), which are not JSON here.

use super::fields::{request_line, status_line};
use super::path;
use crate::proto::{Detection, Piece, Side};

/// What answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Product {
    Elasticsearch,
    Opensearch,
    Clickhouse,
    /// No database that is known.
    Other,
}

/// Pieces of which none begins a message, before it is none of HTTP.
const MISSES: usize = 8;
/// Answers of JSON without a sign, before they are no database's.
const MOST_WITHOUT_SIGN: u32 = 2;
/// Answers that cannot have a sign, before they are no database's: to HEAD, or of a proxy to a request of their interface.
const MOST_PAGES: u32 = 16;
/// Bytes of an answer that are looked at.
const LOOKED_AT: usize = 8 << 10;

/// Words of the common interface (Elasticsearch REST API 7.10), without those that other products have too.
const WORDS: [&[u8]; 37] = [
    b"_search",
    b"_msearch",
    b"_bulk",
    b"_doc",
    b"_update",
    b"_mget",
    b"_count",
    b"_cluster",
    b"_cat",
    b"_nodes",
    b"_mapping",
    b"_mappings",
    b"_settings",
    b"_alias",
    b"_aliases",
    b"_refresh",
    b"_flush",
    b"_forcemerge",
    b"_analyze",
    b"_delete_by_query",
    b"_update_by_query",
    b"_reindex",
    b"_pit",
    b"_sql",
    b"_ingest",
    b"_snapshot",
    b"_template",
    b"_index_template",
    b"_component_template",
    b"_ilm",
    b"_validate",
    b"_termvectors",
    b"_field_caps",
    b"_source",
    b"_async_search",
    b"_rollover",
    b"_plugins",
];

/// What one of the registry's entries says.
pub(super) fn detect(pieces: &[Piece<'_>], product: Product) -> Detection {
    match look(pieces) {
        Look::No => Detection::No,
        Look::Maybe => Detection::Maybe,
        Look::Is(side, found) if found == product => Detection::Yes(side),
        Look::Is(..) => Detection::No,
    }
}

enum Look {
    No,
    Maybe,
    Is(Side, Product),
}

/// What a request tells of its server.
#[derive(Clone, Copy, Default)]
struct Asked {
    api: bool,
    opensearch: bool,
    method: &'static str,
}

/// What an answer tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Is(Product),
    /// It could be anyone's. So many of them are no database's.
    Doubt {
        most: u32,
    },
}

fn look(pieces: &[Piece<'_>]) -> Look {
    let mut asked: Option<Asked> = None;
    let mut side: Option<Side> = None;
    let (mut misses, mut doubts) = (0, 0);
    for (n, piece) in pieces.iter().enumerate() {
        if piece.bytes.is_empty() {
            continue;
        }
        let (line, _) = first_line(piece.bytes);
        let (speaker, request) = if let Some(request) = request_line(line) {
            (Side::Client, Some(request))
        } else if status_line(line).is_some() {
            (Side::Server, None)
        } else {
            misses += 1;
            continue;
        };
        let own = match (piece.sent, speaker) {
            (true, speaker) => speaker,
            (false, Side::Client) => Side::Server,
            (false, Side::Server) => Side::Client,
        };
        if side.is_some_and(|side| side != own) {
            return Look::No;
        }
        side = Some(own);
        if let Some((method, target)) = request {
            let said = asked.is_some_and(|asked| asked.opensearch);
            let tells = request_tells(method, target, piece.bytes);
            asked = Some(Asked { opensearch: tells.opensearch || said, ..tells });
            continue;
        }
        match answer_tells(&pieces[n..], asked) {
            Some(Told::Is(product)) => return Look::Is(own, product),
            Some(Told::Doubt { most }) => {
                doubts += 1;
                if doubts >= most {
                    return Look::Is(own, Product::Other);
                }
            }
            None => {}
        }
    }
    if side.is_none() && misses >= MISSES { Look::No } else { Look::Maybe }
}

/// A line without its end, and what follows.
fn first_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let (line, rest) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
    // Without its end it is no line.
    (line.strip_suffix(b"\r\n").unwrap_or_default(), rest)
}

fn request_tells(method: &'static str, target: &[u8], bytes: &[u8]) -> Asked {
    let (path, _) = path::split(target);
    let has = |word: &[u8]| path.split(|byte| *byte == b'/').any(|segment| segment == word);
    let agent = fields(bytes).find(|(name, _)| name.eq_ignore_ascii_case(b"user-agent"));
    Asked {
        api: WORDS.iter().any(|word| has(word)) && !has(b"_design"),
        opensearch: agent.is_some_and(|(_, value)| contains(&value.to_ascii_lowercase(), b"opensearch")),
        method,
    }
}

/// The fields of a head, as far as it is there.
fn fields(head: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let lines = head.split(|byte| *byte == b'\n').skip(1);
    let lines =
        lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line)).take_while(|line| !line.is_empty());
    lines.filter_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = line.split_at(colon);
        Some((name, value.get(1..)?.trim_ascii()))
    })
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// What the answer tells that the first piece begins. `None`: not enough of it is seen.
fn answer_tells(pieces: &[Piece<'_>], asked: Option<Asked>) -> Option<Told> {
    let speaker = pieces.first()?.sent;
    let mut bytes = Vec::new();
    for piece in pieces.iter().take_while(|piece| piece.sent == speaker) {
        let room = LOOKED_AT.saturating_sub(bytes.len()).min(piece.bytes.len());
        bytes.extend_from_slice(piece.bytes.get(..room).unwrap_or_default());
        if piece.skipped > 0 || room < piece.bytes.len() {
            break;
        }
    }
    let mut answer = bytes.as_slice();
    // An interim answer stands before the final one.
    while status_line(first_line(answer).0)? / 100 == 1 {
        if status_line(first_line(answer).0)? == 101 {
            break;
        }
        answer = answer.get(head_end(answer)?..)?;
    }
    let mut json = false;
    for (name, value) in fields(answer) {
        let prefix =
            |prefix: &[u8]| name.get(..prefix.len()).is_some_and(|name| name.eq_ignore_ascii_case(prefix));
        if name.eq_ignore_ascii_case(b"x-elastic-product") && value.eq_ignore_ascii_case(b"elasticsearch") {
            return Some(Told::Is(Product::Elasticsearch));
        }
        if prefix(b"x-clickhouse-") {
            return Some(Told::Is(Product::Clickhouse));
        }
        if prefix(b"x-opensearch-") {
            return Some(Told::Is(Product::Opensearch));
        }
        if name.eq_ignore_ascii_case(b"server") && value.starts_with(b"CouchDB") {
            return Some(Told::Is(Product::Other));
        }
        if name.eq_ignore_ascii_case(b"content-type") {
            let media = value.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
            json = TYPES.iter().any(|kind| media.eq_ignore_ascii_case(kind));
        }
    }
    // The field that decides may be the one that is missing.
    let body = answer.get(head_end(answer)?..)?;
    let asked = asked?;
    let body = body.get(..1024).unwrap_or(body);
    let interface = asked.api || asked.opensearch;
    let deleted = asked.method == "DELETE" && body == b"{\"acknowledged\":true}";
    let signed = deleted || BODIES.iter().any(|sign| contains(body, sign));
    Some(match (json, interface || signed) {
        (true, true) if asked.opensearch || contains(body, b"\"opensearch\"") => {
            Told::Is(Product::Opensearch)
        }
        (true, true) => Told::Is(Product::Elasticsearch),
        // It has no body that could tell.
        (true, false) if asked.method == "HEAD" => Told::Doubt { most: MOST_PAGES },
        (true, false) => Told::Doubt { most: MOST_WITHOUT_SIGN },
        (false, _) if interface => Told::Doubt { most: MOST_PAGES },
        (false, _) => Told::Is(Product::Other),
    })
}

/// Their types of JSON.
const TYPES: [&[u8]; 2] = [b"application/json", b"application/vnd.elasticsearch+json"];

/// What their bodies begin with, and no other's.
const BODIES: [&[u8]; 6] = [
    b"\"_shards\":{",
    b"{\"took\":",
    b"{\"error\":{\"root_cause\":[",
    b"\"shards_acknowledged\":",
    b"\"distribution\" : \"opensearch\"",
    b"\"tagline\" : \"You Know, for Search\"",
];

/// Where the head ends.
fn head_end(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}
