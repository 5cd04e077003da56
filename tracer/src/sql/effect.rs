//! What a statement does to the names of prepared statements and to the shape of the session.

use super::dialect::Dialect;
use super::lexer::{Kind, Lexer, Token};

/// What a statement does to the names of prepared statements and to the shape of the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect<'a> {
    /// None of the others.
    None,
    /// `PREPARE name [(types)] AS body`.
    Prepare {
        /// Folded as PostgreSQL folds identifiers.
        name: Vec<u8>,
        /// The statement behind AS.
        body: &'a [u8],
    },
    /// `EXECUTE name [(values)]`.
    Execute {
        /// Folded as PostgreSQL folds identifiers.
        name: Vec<u8>,
    },
    /// `DEALLOCATE [PREPARE] name`.
    Deallocate {
        /// Folded as PostgreSQL folds identifiers.
        name: Vec<u8>,
    },
    /// `DEALLOCATE ALL` or `DISCARD ALL`.
    DeallocateAll,
    /// `LISTEN channel`.
    Listen,
}

/// The effect of one statement.
pub fn effect(sql: &[u8]) -> Effect<'_> {
    let mut lexer = Lexer::new(Dialect::Postgresql, sql);
    let Some(verb) = lexer.next_solid() else { return Effect::None };
    let found = if verb.is_word("prepare") {
        prepare(sql, &mut lexer)
    } else if verb.is_word("execute") {
        name(&mut lexer).map(|name| Effect::Execute { name })
    } else if verb.is_word("deallocate") {
        deallocate(&mut lexer)
    } else if verb.is_word("discard") {
        lexer.next_solid().filter(|t| t.is_word("all")).map(|_| Effect::DeallocateAll)
    } else if verb.is_word("listen") {
        Some(Effect::Listen)
    } else {
        None
    };
    found.unwrap_or(Effect::None)
}

fn prepare<'a>(sql: &'a [u8], lexer: &mut Lexer<'a>) -> Option<Effect<'a>> {
    let name = name(lexer)?;
    let mut depth = 0u32;
    loop {
        // PREPARE TRANSACTION has neither types nor AS.
        let token = lexer.next_solid()?;
        if token.is_punct("(") {
            depth = depth.saturating_add(1);
        } else if token.is_punct(")") {
            depth = depth.saturating_sub(1);
        } else if depth == 0 {
            let body = token.is_word("as").then(|| sql.get(lexer.offset()..))??;
            return Some(Effect::Prepare { name, body: trim(body) });
        }
    }
}

fn trim(body: &[u8]) -> &[u8] {
    let mut body = body.trim_ascii();
    while let Some(rest) = body.strip_suffix(b";") {
        body = rest.trim_ascii_end();
    }
    body
}

fn deallocate<'a>(lexer: &mut Lexer<'a>) -> Option<Effect<'a>> {
    let mut first = lexer.clone();
    if first.next_solid()?.is_word("prepare") {
        // A statement may itself be called "prepare".
        let mut second = first.clone();
        if second.next_solid().is_some_and(|t| matches!(t.kind, Kind::Word | Kind::Quoted)) {
            *lexer = first;
        }
    }
    let all = lexer.clone().next_solid().is_some_and(|t| t.is_word("all"));
    if all { Some(Effect::DeallocateAll) } else { name(lexer).map(|name| Effect::Deallocate { name }) }
}

/// A name as PostgreSQL keeps it: unquoted ones in lower case (ASCII only, as in every multi-byte encoding), escapes
/// of `U&""` resolved, cut to 63 bytes at a character's edge.
fn name(lexer: &mut Lexer<'_>) -> Option<Vec<u8>> {
    let token = lexer.next_solid()?;
    let mut name = match token.kind {
        Kind::Word => token.text.to_ascii_lowercase(),
        Kind::Quoted => unquote(&token, lexer),
        _ => return None,
    };
    if name.len() > 63 {
        // A continuation byte (10xxxxxx) at the cut means that the cut is within a character.
        let cut = (0..=63).rev().find(|n| name.get(*n).is_none_or(|b| b & 0xc0 != 0x80));
        name.truncate(cut.filter(|n| *n > 59).unwrap_or(63));
    }
    Some(name)
}

fn unquote(token: &Token<'_>, lexer: &mut Lexer<'_>) -> Vec<u8> {
    let unicode = !token.text.starts_with(b"\"");
    let start = if unicode { 3 } else { 1 };
    let end = token.text.len() - usize::from(!token.open);
    let inner = token.text.get(start..end).unwrap_or_default();
    let mut plain = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(b) = bytes.next() {
        plain.push(*b);
        if *b == b'"' {
            bytes.next();
        }
    }
    if unicode { unescape(&plain, escape_character(lexer)) } else { plain }
}

/// The character of a `UESCAPE 'c'` that follows, else backslash.
fn escape_character(lexer: &mut Lexer<'_>) -> u8 {
    let mut ahead = lexer.clone();
    let Some(()) = ahead.next_solid().filter(|t| t.is_word("uescape")).map(|_| ()) else { return b'\\' };
    match ahead.next_solid().map(|t| t.text) {
        Some([b'\'', c, b'\'']) => {
            *lexer = ahead;
            *c
        }
        _ => b'\\',
    }
}

/// Resolves `\XXXX`, `\+XXXXXX` and the doubled escape character; surrogate pairs are joined. What is no valid escape
/// stays as it is.
fn unescape(text: &[u8], escape: u8) -> Vec<u8> {
    let hex = |from: usize, digits: usize| {
        let digits = text.get(from..from.checked_add(digits)?)?;
        let all = digits.iter().all(u8::is_ascii_hexdigit);
        all.then(|| u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok())?
    };
    let code_at = |at: usize| match text.get(at + 1) {
        Some(b'+') => Some((hex(at + 2, 6)?, 8)),
        _ => Some((hex(at + 1, 4)?, 5)),
    };
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(b) = text.get(at) {
        if *b != escape {
            out.push(*b);
            at += 1;
            continue;
        }
        if text.get(at + 1) == Some(&escape) {
            out.push(escape);
            at += 2;
            continue;
        }
        let Some((mut code, mut len)) = code_at(at) else {
            out.push(*b);
            at += 1;
            continue;
        };
        if (0xd800..0xdc00).contains(&code)
            && text.get(at + len) == Some(&escape)
            && let Some((low @ 0xdc00..0xe000, low_len)) = code_at(at + len)
        {
            code = 0x1_0000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            len += low_len;
        }
        let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        at += len;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Effect, effect};

    fn check(input: &str, expected: &str) {
        let text = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
        let found = match effect(input.as_bytes()) {
            Effect::None => "none".to_owned(),
            Effect::Prepare { name, body } => format!("prepare {} as {}", text(&name), text(body)),
            Effect::Execute { name } => format!("execute {}", text(&name)),
            Effect::Deallocate { name } if name == b"all" => "deallocate \"all\"".to_owned(),
            Effect::Deallocate { name } => format!("deallocate {}", text(&name)),
            Effect::DeallocateAll => "deallocate all".to_owned(),
            Effect::Listen => "listen".to_owned(),
        };
        assert_eq!(found, expected, "of {input:?}");
    }

    /// Case 8.
    #[test]
    fn names_change_in_sql() {
        check("PREPARE p AS SELECT 1", "prepare p as SELECT 1");
        check("prepare P (int, numeric(10, 2)) as select $1;", "prepare p as select $1");
        check("/* a */PREPARE/* b */p/* c */AS/* d */select 1 ; ", "prepare p as /* d */select 1");
        check("prepare \"P p\" as select 1", "prepare P p as select 1");
        check("prepare \"a\"\"b\" as select 1", "prepare a\"b as select 1");
        check("prepare transaction 'x'", "none");
        check("prepare transaction as select 1", "prepare transaction as select 1");
        check("prepare p", "none");
        check("prepare", "none");
        check("prepare p (int", "none");
        check("prepare p as", "prepare p as ");
        check("EXECUTE P", "execute p");
        check("execute p(1, 'x');", "execute p");
        check("-- hi\nExecute \"P\" (1)", "execute P");
        check("explain execute p", "none");
        check("explain (analyze) execute p", "none");
        check("create table t as execute p", "none");
        check("execute", "none");
        check("execute 'p'", "none");
        check("deallocate P", "deallocate p");
        check("DEALLOCATE PREPARE p;", "deallocate p");
        check("deallocate prepare", "deallocate prepare");
        check("deallocate prepare;", "deallocate prepare");
        check("deallocate all", "deallocate all");
        check("deallocate prepare ALL", "deallocate all");
        check("deallocate \"all\"", "deallocate \"all\"");
        check("discard all", "deallocate all");
        check("DISCARD ALL;", "deallocate all");
        check("discard plans", "none");
        check("listen c", "listen");
        check("LISTEN \"C\";", "listen");
        check("unlisten c", "none");
        check("notify c", "none");
        check("select 'prepare p as select 1'", "none");
        check("", "none");
    }

    #[test]
    fn names_are_folded_as_the_server_folds_them() {
        check("execute ÄB", "execute Äb");
        check(r#"execute U&"d\0061t\+000061""#, "execute data");
        check(r#"execute U&"d!0061ta" UESCAPE '!'"#, "execute data");
        check(r#"execute U&"a\\b""#, r"execute a\b");
        check(r#"execute U&"\d83d\de00""#, "execute 😀");
        check(r#"execute U&"x\00""#, r"execute x\00");
        let long = "n".repeat(70);
        check(&format!("execute {long}"), &format!("execute {}", "n".repeat(63)));
        let long = format!("{}éé", "n".repeat(62));
        check(&format!("execute \"{long}\""), &format!("execute {}", "n".repeat(62)));
    }

    /// Hostile or cut text never panics.
    #[test]
    fn any_cut_is_harmless() {
        let texts: [&[u8]; 4] = [
            b"prepare \"a\"\"b\" (int) as select $$x$$ /* c */",
            br#"execute U&"d\0061t\+000061\d83d\de00" UESCAPE '!'"#,
            b"deallocate prepare \xff\x00\x1b[31m",
            b"/* /* */ */ listen c",
        ];
        for text in texts {
            for cut in 0..=text.len() {
                let _: Effect<'_> = effect(&text[..cut]);
            }
        }
        assert_eq!(effect(b"deallocate \xff\x00"), Effect::Deallocate { name: b"\xff\x00".to_vec() });
    }
}
