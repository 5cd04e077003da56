//! Bodies of the frontend messages that matter, and whether bytes can be a frontend message at all.
//!
//! Never reads a bind value.

/// Splits at the first NUL: the string before it, and what follows. Without a NUL, all of it is the string.
pub(super) fn cstring(bytes: &[u8]) -> (&[u8], Option<&[u8]>) {
    match bytes.iter().position(|byte| *byte == 0) {
        Some(nul) => (&bytes[..nul], Some(&bytes[nul + 1..])),
        None => (bytes, None),
    }
}

/// Stands for a name whose end was not captured. No name has a NUL inside.
pub(super) const UNREAD: &[u8] = b"\0";

/// A name, and what follows it.
fn named(bytes: &[u8]) -> (&[u8], Option<&[u8]>) {
    match cstring(bytes) {
        (name, Some(rest)) => (name, Some(rest)),
        (_, None) => (UNREAD, None),
    }
}

/// Parse: name of the statement, its text, and what follows the text, where that was captured to its end.
pub(super) fn parse(body: &[u8]) -> (&[u8], &[u8], Option<&[u8]>) {
    let (name, rest) = named(body);
    let (sql, end) = cstring(rest.unwrap_or_default());
    (name, sql, end)
}

/// Bind: names of the portal and of the statement. A portal whose name was not captured is taken as the unnamed one,
/// so that this one does not keep its old statement.
pub(super) fn bind(body: &[u8]) -> (&[u8], &[u8]) {
    let (portal, rest) = cstring(body);
    match rest {
        Some(rest) => (portal, named(rest).0),
        None => (b"", UNREAD),
    }
}

/// Execute: name of the portal, and its row limit (0: none).
pub(super) fn execute(body: &[u8]) -> (&[u8], u32) {
    let (portal, rest) = named(body);
    let limit = rest.and_then(|rest| rest.first_chunk::<4>()).map_or(0, |limit| u32::from_be_bytes(*limit));
    // The server takes a limit that is not positive as none.
    (portal, if limit > 0x7fff_ffff { 0 } else { limit })
}

/// What Describe and Close speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Object<'a> {
    /// A prepared statement.
    Statement(&'a [u8]),
    /// A portal.
    Portal(&'a [u8]),
}

/// Describe and Close.
pub(super) fn object(body: &[u8]) -> Option<Object<'_>> {
    let (kind, rest) = body.split_first()?;
    let (name, _) = named(rest);
    match kind {
        b'S' => Some(Object::Statement(name)),
        b'P' => Some(Object::Portal(name)),
        _ => None,
    }
}

/// The content fits the type. `body` may be only the beginning of `body_bytes`; then only that is judged.
pub(super) fn plausible(tag: u8, body: &[u8], body_bytes: u32) -> bool {
    let whole = body.len() == body_bytes as usize;
    match tag {
        b'Q' => match cstring(body) {
            (text, Some(rest)) => whole && rest.is_empty() && is_text(text),
            (text, None) => !whole && is_text(text),
        },
        b'P' => plausible_parse(body, whole),
        b'B' => plausible_bind(body, whole),
        b'E' => match cstring(body) {
            (name, Some(rest)) => is_text(name) && if whole { rest.len() == 4 } else { rest.len() < 4 },
            (name, None) => !whole && is_text(name),
        },
        b'D' | b'C' => match body.split_first() {
            Some((b'S' | b'P', rest)) => match cstring(rest) {
                (name, Some(rest)) => whole && rest.is_empty() && is_text(name),
                (name, None) => !whole && is_text(name),
            },
            Some(_) => false,
            None => !whole,
        },
        b'F' => body_bytes >= 10,
        b'p' | b'd' => true,
        b'f' => match cstring(body) {
            (_, Some(rest)) => whole && rest.is_empty(),
            (_, None) => !whole,
        },
        b'S' | b'H' | b'X' | b'c' => body_bytes == 0,
        _ => false,
    }
}

fn plausible_parse(body: &[u8], whole: bool) -> bool {
    let (name, Some(rest)) = cstring(body) else { return !whole && is_text(body) };
    let (sql, Some(rest)) = cstring(rest) else { return !whole && is_text(name) && is_text(rest) };
    if !(is_text(name) && is_text(sql)) {
        return false;
    }
    match rest.split_first_chunk::<2>() {
        Some((count, rest)) => {
            let types = usize::from(u16::from_be_bytes(*count)) * 4;
            if whole { rest.len() == types } else { rest.len() < types }
        }
        None => !whole,
    }
}

fn plausible_bind(body: &[u8], whole: bool) -> bool {
    let (portal, Some(rest)) = cstring(body) else { return !whole && is_text(body) };
    let (statement, Some(rest)) = cstring(rest) else { return !whole && is_text(portal) && is_text(rest) };
    if !(is_text(portal) && is_text(statement)) {
        return false;
    }
    match bind_tail(rest) {
        Tail::Ends => whole,
        Tail::Cut => !whole,
        Tail::Wrong => false,
    }
}

enum Tail {
    Ends,
    Cut,
    Wrong,
}

/// Parameter formats, values, result formats.
fn bind_tail(mut rest: &[u8]) -> Tail {
    fn formats(rest: &mut &[u8]) -> Option<Tail> {
        let Some((count, behind)) = rest.split_first_chunk::<2>() else { return Some(Tail::Cut) };
        let bytes = usize::from(u16::from_be_bytes(*count)) * 2;
        let Some((codes, behind)) = behind.split_at_checked(bytes) else { return Some(Tail::Cut) };
        *rest = behind;
        codes.chunks_exact(2).any(|code| code[0] != 0 || code[1] > 1).then_some(Tail::Wrong)
    }
    if let Some(end) = formats(&mut rest) {
        return end;
    }
    let Some((count, mut values)) = rest.split_first_chunk::<2>() else { return Tail::Cut };
    for _ in 0..u16::from_be_bytes(*count) {
        let Some((length, behind)) = values.split_first_chunk::<4>() else { return Tail::Cut };
        let length = match u32::from_be_bytes(*length) {
            u32::MAX => 0,
            length if length > 0x3fff_ffff => return Tail::Wrong,
            length => length as usize,
        };
        let Some((_, behind)) = behind.split_at_checked(length) else { return Tail::Cut };
        values = behind;
    }
    if let Some(end) = formats(&mut values) {
        return end;
    }
    if values.is_empty() { Tail::Ends } else { Tail::Wrong }
}

/// No control characters other than white space: names and SQL have none, binary data soon does. The beginning decides.
fn is_text(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .take(256)
        .all(|byte| *byte >= b' ' && *byte != 0x7f || matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x0b))
}
