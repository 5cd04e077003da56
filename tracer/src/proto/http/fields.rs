//! What the first line and the fields of a head say.

use super::head::Line;

/// The methods of RFC 9110 and RFC 5789, and their names.
const METHODS: [(&[u8], &str); 9] = [
    (b"GET", "GET"),
    (b"POST", "POST"),
    (b"PUT", "PUT"),
    (b"DELETE", "DELETE"),
    (b"HEAD", "HEAD"),
    (b"PATCH", "PATCH"),
    (b"OPTIONS", "OPTIONS"),
    (b"CONNECT", "CONNECT"),
    (b"TRACE", "TRACE"),
];

/// Method and target of a request line. `None`: it is none of HTTP/1.
pub(super) fn request_line(line: &[u8]) -> Option<(&'static str, &[u8])> {
    let end = line.iter().position(|byte| *byte == b' ')?;
    let (word, rest) = line.split_at(end);
    let method = METHODS.iter().find(|(name, _)| *name == word)?.1;
    let rest = rest.get(1..)?;
    let target = match rest.iter().rposition(|byte| *byte == b' ').map(|end| rest.split_at(end)) {
        Some((target, b" HTTP/1.1" | b" HTTP/1.0")) => target,
        // Longer than what is kept of a line.
        _ if line.len() >= 1 << 14 => rest,
        _ => return None,
    };
    let plain = !target.is_empty() && target.iter().all(|byte| *byte > b' ' && *byte != 0x7f);
    let form = match method {
        "CONNECT" => true,
        "OPTIONS" => target == b"*" || target.starts_with(b"/"),
        _ => target.starts_with(b"/") || target.starts_with(b"http://") || target.starts_with(b"https://"),
    };
    (plain && form).then_some((method, target))
}

/// The status of a status line. `None`: it is none of HTTP/1.
pub(super) fn status_line(line: &[u8]) -> Option<u16> {
    let rest = line.strip_prefix(b"HTTP/1.1 ").or_else(|| line.strip_prefix(b"HTTP/1.0 "))?;
    let [a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', behind @ ..] = rest else { return None };
    let digit = |byte: &u8| u16::from(byte - b'0');
    matches!(behind, [] | [b' ', ..]).then(|| digit(a) * 100 + digit(b) * 10 + digit(c))
}

/// The fields of one message that matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields {
    /// Of a request. Empty: the first line was none.
    pub method: &'static str,
    /// Of an answer.
    pub status: u16,
    pub length: Option<u64>,
    pub chunked: bool,
    /// The body is compressed.
    pub encoded: bool,
    /// X-ClickHouse-Summary: rows of the result, or else rows written.
    pub rows: u64,
}

impl Fields {
    /// Takes a field.
    pub fn take(&mut self, line: Line<'_>) {
        let Line::Field(name, value) = line else { return };
        if name.eq_ignore_ascii_case(b"content-length") {
            self.length = std::str::from_utf8(value).ok().and_then(|value| value.parse().ok());
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            let last = value.rsplit(|byte| *byte == b',').next().unwrap_or_default().trim_ascii();
            self.chunked = last.eq_ignore_ascii_case(b"chunked");
        } else if name.eq_ignore_ascii_case(b"content-encoding") {
            self.encoded = !value.eq_ignore_ascii_case(b"identity");
        } else if name.eq_ignore_ascii_case(b"x-clickhouse-summary") {
            let rows = |key| number(value, key).unwrap_or(0);
            self.rows = match rows(b"\"result_rows\"") {
                0 => rows(b"\"written_rows\""),
                rows => rows,
            };
        }
    }
}

/// The number behind a key of a flat JSON object, also as a string.
fn number(json: &[u8], key: &[u8]) -> Option<u64> {
    let at = json.windows(key.len()).position(|window| window == key)?;
    let value = json.get(at + key.len()..)?;
    let value = value.iter().skip_while(|byte| b": \"".contains(byte));
    let digits: Vec<u8> = value.take_while(|byte| byte.is_ascii_digit()).copied().take(19).collect();
    std::str::from_utf8(&digits).ok()?.parse().ok()
}
