//! Whether the text of a command that was cut may be the beginning of a whole one.

use super::command::Command;

/// `cut`: as it is shown, with its mark. Where the cut came before `$db`, any database will do.
pub(super) fn fits(whole: &[u8], cut: &[u8], command: &Command) -> bool {
    let cut = cut.strip_suffix(" …".as_bytes()).unwrap_or(cut);
    // What was open is closed in the text; more may stand there.
    let open = cut.iter().rposition(|byte| !matches!(byte, b']' | b'}')).map_or(0, |last| last + 1);
    let cut = cut.get(..open).unwrap_or_default();
    if command.knows_database {
        return begins(whole, cut);
    }
    let (name, rest) = cut.split_at(command.operation_bytes.min(cut.len()));
    let Some(whole) = whole.strip_prefix(name).and_then(|whole| whole.strip_prefix(b" ")) else {
        return false;
    };
    let Some(rest) = rest.strip_prefix(b" ") else { return false };
    // A database's name has no dot.
    let dot = whole.iter().position(|byte| matches!(byte, b'.' | b' '));
    let behind = dot.filter(|dot| whole.get(*dot) == Some(&b'.')).and_then(|dot| whole.get(dot + 1..));
    behind.is_some_and(|behind| begins(behind, rest))
}

/// A name that begins like another is not the same.
fn begins(whole: &[u8], cut: &[u8]) -> bool {
    let Some(rest) = whole.strip_prefix(cut) else { return false };
    matches!(cut.last(), Some(b'{' | b'[')) || matches!(rest.first(), None | Some(b' ' | b',' | b']' | b'}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_goes_on_alike_fits() {
        let command = |knows_database| Command { operation_bytes: 4, knows_database, ..Command::default() };
        for (cut, whole, knows_database, expected) in [
            ("find u {a: {$in: [?]}} …", "find d.u {a: {$in: [?]}}", false, true),
            ("find u {a: {$in: [?]}} …", "find d.u {a: {$in: [?]}, b: ?} sort {c: ?}", false, true),
            ("find u {a: {$in: [?]}} …", "find d.users {a: {$in: [?]}}", false, false),
            ("find u {a: {$in: [?]}} …", "find d.u {a: {$nin: [?]}}", false, false),
            ("find u {a: {$in: [?]}} …", "find {a: {$in: [?]}}", false, false),
            ("find u …", "find d.users {a: ?}", false, false),
            ("find u …", "find d.u {a: ?}", false, true),
            ("find u.v {} …", "find d.u.v {a: ?}", false, true),
            ("find d.u {a: ?} …", "find d.u {a: ?, b: ?}", true, true),
            ("find d.u {a: ?} …", "find e.u {a: ?, b: ?}", true, false),
            ("find d.u {a: ?} …", "find d.u {a: ?x}", true, false),
        ] {
            assert_eq!(
                fits(whole.as_bytes(), cut.as_bytes(), &command(knows_database)),
                expected,
                "{cut} {whole}"
            );
        }
    }
}
