//! The pattern of a key: what is common to the keys of one kind, with `?` where each has its own part.
//!
//! For stores whose keys are their only statement text (memcached, Redis) and for the segments of a path. Never lets
//! through what may tell of whom a key is: numbers, UUIDs, hashes, tokens, e-mail, IP and MAC addresses.
//!
//! A key is read as segments between separators (every ASCII character that is no letter and no digit), which stay. A
//! segment becomes `?` as a whole where it is a UUID, an address, 8 or more hexadecimal digits, looks random, or is no
//! text; otherwise its runs of digits do, and its letters stay: `user42:profile` is `user?:profile`. Tokens may have `-`
//! and `_` in them, so segments with these between them are looked at together first.
//!
//! It knows words only by their form: a name of letters alone (`user:alice`) stays, and a token without digits, capitals
//! and length. [`super::key_words`] bounds how many.

/// A pattern is at most this long, in bytes, without the `…` behind a longer one.
const MOST_PATTERN_BYTES: usize = 128;
/// So much of a key is read, in bytes.
const MOST_KEY_BYTES: usize = 512;
/// Hexadecimal digits that make a hash.
const HASH_DIGITS: usize = 8;
/// A segment with letters and digits that is shorter does not look random.
pub(super) const TOKEN_BYTES: usize = 6;
/// A segment of letters that is shorter does not look random.
const LETTERS_BYTES: usize = 10;
/// So long it looks random also where capitals stand in a row.
const CAPITALS_BYTES: usize = 16;
/// No word is so long.
const LONGEST_WORD_BYTES: usize = 40;

/// What stands for a `?`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'k> {
    /// A run of decimal digits.
    Digits(&'k [u8]),
    /// Anything else: a UUID, a hash, an address, a token, bytes.
    Other(&'k [u8]),
}

/// Appends the pattern of `key` to `text`, and hands out what each `?` stands for, in order.
pub fn push<'k>(key: &'k [u8], text: &mut Vec<u8>, mut values: impl FnMut(Part<'k>)) {
    let cut = key.len() > MOST_KEY_BYTES;
    let key = key.get(..MOST_KEY_BYTES).unwrap_or(key);
    let room_ends = text.len() + MOST_PATTERN_BYTES;
    let mut address = email(key, 0);
    let mut at = 0;
    // Up to here, segments were looked at together.
    let mut joined_to = 0;
    while let Some(first) = key.get(at) {
        if text.len() >= room_ends {
            break;
        }
        // What was taken as a whole may have reached into the name before an `@`.
        if address.is_some_and(|(start, _)| start < at) {
            address = email(key, at);
        }
        let end = match address {
            Some((start, end)) if start == at => {
                address = email(key, end);
                end
            }
            _ if in_word(*first) => at + whole(&key[at..]),
            _ => {
                text.push(*first);
                at += 1;
                continue;
            }
        };
        if end > at {
            // What the limit cut is not the value.
            if cut && end == key.len() {
                break;
            }
            values(Part::Other(&key[at..end]));
            text.push(b'?');
            at = end;
            continue;
        }
        let stop = address.map_or(key.len(), |(start, _)| start);
        let mut end = at + key[at..stop].iter().take_while(|byte| in_word(**byte)).count();
        let mut is_token = false;
        if at >= joined_to
            && key[..stop].get(end).is_some_and(|byte| is_joint(*byte))
            && !is_plain(&key[at..end])
        {
            let run = joined(&key[at..stop]);
            joined_to = at + run.len();
            is_token = joined_is_random(run);
            if is_token {
                end = joined_to;
            }
        }
        if cut && end == key.len() {
            break;
        }
        if is_token {
            values(Part::Other(&key[at..end]));
            text.push(b'?');
        } else {
            word(&key[at..end], text, &mut values);
        }
        at = end;
    }
    if at < key.len() || cut || text.len() > room_ends {
        let mut end = text.len().min(room_ends);
        // Never half a character: continuation bytes are 10xxxxxx.
        while text.get(end).is_some_and(|byte| byte & 0xc0 == 0x80) {
            end -= 1;
        }
        text.truncate(end);
        text.extend_from_slice("…".as_bytes());
    }
}

/// Letters, digits, and everything that is not ASCII or not printable.
#[inline]
fn in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || !(b' '..=b'~').contains(&byte)
}

/// What stands between the segments of a token (base64url, RFC 4648 section 5).
#[inline]
fn is_joint(byte: u8) -> bool {
    matches!(byte, b'-' | b'_')
}

/// The segments that the bytes begin with, up to the last one that is joined to them.
fn joined(bytes: &[u8]) -> &[u8] {
    let len = bytes.iter().take_while(|byte| in_word(**byte) || is_joint(**byte)).count();
    let joints = bytes[..len].iter().rev().take_while(|byte| is_joint(**byte)).count();
    &bytes[..len - joints]
}

/// Letters as a word of a name has them, or digits.
fn is_plain(segment: &[u8]) -> bool {
    let [first, rest @ ..] = segment else { return true };
    let all = |fits: fn(&u8) -> bool| rest.iter().all(fits);
    match first {
        b'0'..=b'9' => all(u8::is_ascii_digit),
        b'A'..=b'Z' => all(u8::is_ascii_lowercase) || all(u8::is_ascii_uppercase),
        _ => all(u8::is_ascii_lowercase),
    }
}

/// Length of the UUID, IP or MAC address that the bytes begin with; 0: none.
fn whole(bytes: &[u8]) -> usize {
    if !bytes[0].is_ascii_hexdigit() {
        return 0;
    }
    let ends = |len: usize| bytes.get(len).is_none_or(|byte| !in_word(*byte));
    let found = [uuid(bytes), ipv4(bytes), ipv6(bytes), mac(bytes)];
    found.into_iter().find(|len| *len > 0 && ends(*len)).unwrap_or(0)
}

/// 8, 4, 4, 4 and 12 hexadecimal digits with dashes.
fn uuid(bytes: &[u8]) -> usize {
    let Some(bytes) = bytes.get(..36) else { return 0 };
    let fits = |(at, byte): (usize, &u8)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    if bytes.iter().enumerate().all(fits) { 36 } else { 0 }
}

/// Four numbers of up to three digits with dots.
fn ipv4(bytes: &[u8]) -> usize {
    let mut at = 0;
    for part in 0..4 {
        if part > 0 {
            if bytes.get(at) != Some(&b'.') {
                return 0;
            }
            at += 1;
        }
        let digits = bytes[at..].iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=3).contains(&digits) {
            return 0;
        }
        at += digits;
    }
    at
}

/// Six pairs of hexadecimal digits with colons or dashes.
fn mac(bytes: &[u8]) -> usize {
    let Some(bytes) = bytes.get(..17) else { return 0 };
    let between = bytes[2];
    let fits = |(at, byte): (usize, &u8)| match at % 3 {
        2 => *byte == between,
        _ => byte.is_ascii_hexdigit(),
    };
    if matches!(between, b':' | b'-') && bytes.iter().enumerate().all(fits) { 17 } else { 0 }
}

/// Eight groups of up to four hexadecimal digits with colons, or at least three with `::` among them; fewer if the first
/// one is none that a word can be, as in `fe80::`.
fn ipv6(bytes: &[u8]) -> usize {
    let (mut at, mut groups, mut double) = (0, 0, false);
    loop {
        let digits = bytes[at..].iter().take(5).take_while(|byte| byte.is_ascii_hexdigit()).count();
        if digits > 4 || digits == 0 && !(double && bytes.get(at) != Some(&b':')) {
            return 0;
        }
        at += digits;
        groups += usize::from(digits > 0);
        if groups >= 8 || digits == 0 || bytes.get(at) != Some(&b':') {
            break;
        }
        at += 1;
        if bytes.get(at) == Some(&b':') && !double {
            double = true;
            at += 1;
        }
    }
    let first = bytes.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let no_word = first >= 3 && bytes[..first].iter().any(u8::is_ascii_digit);
    if groups == 8 || double && (groups >= 3 || no_word) { at } else { 0 }
}

/// The first `name@host` at or behind `from`; `%40` is an `@` too.
fn email(key: &[u8], from: usize) -> Option<(usize, usize)> {
    let in_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte >= 0x80 || b"._%+-".contains(byte);
    let in_host = |byte: &u8| byte.is_ascii_alphanumeric() || *byte >= 0x80 || b".-".contains(byte);
    let mut from = from;
    if key.get(from..)?.iter().fold(true, |none, byte| none & !matches!(byte, b'@' | b'%')) {
        return None;
    }
    loop {
        let rest = key.get(from..)?;
        let is_at = |at: &usize| rest[*at] == b'@' || rest[*at..].starts_with(b"%40");
        let at = from + (0..rest.len()).find(is_at)?;
        let behind = at + if key[at] == b'@' { 1 } else { 3 };
        let name = key[from..at].iter().rev().take_while(|byte| in_name(byte)).count();
        let host = key[behind..].iter().take_while(|byte| in_host(byte)).count();
        if name > 0 && host > 0 {
            return Some((at - name, behind + host));
        }
        from = behind;
    }
}

/// A segment that is no address.
fn word<'k>(word: &'k [u8], text: &mut Vec<u8>, values: &mut impl FnMut(Part<'k>)) {
    if word.len() >= TOKEN_BYTES && is_random(word) || !is_text(word) {
        text.push(b'?');
        let digits = every(word, u8::is_ascii_digit);
        return values(if digits { Part::Digits(word) } else { Part::Other(word) });
    }
    let mut rest = word;
    while let Some(first) = rest.first() {
        let digit = first.is_ascii_digit();
        let len = rest.iter().take_while(|byte| byte.is_ascii_digit() == digit).count();
        let (run, behind) = rest.split_at(len);
        if digit {
            text.push(b'?');
            values(Part::Digits(run));
        } else {
            text.extend_from_slice(run);
        }
        rest = behind;
    }
}

/// Text in UTF-8 without control characters.
fn is_text(word: &[u8]) -> bool {
    every(word, u8::is_ascii_alphanumeric)
        || !word.iter().any(u8::is_ascii_control) && std::str::from_utf8(word).is_ok()
}

/// Looks at every byte, also behind one that does not fit: without an early end it is done many bytes at a time.
#[inline]
fn every(bytes: &[u8], fits: impl Fn(&u8) -> bool) -> bool {
    bytes.iter().fold(true, |all, byte| all & fits(byte))
}

/// How the characters of some segments follow each other.
#[derive(Clone, Copy, Debug, Default)]
struct Forms {
    len: usize,
    digits: usize,
    capitals: usize,
    hex: usize,
    /// Changes between letters and digits.
    turns: usize,
    /// Changes between digits, capitals and other letters; not that behind a capital, where a word goes on.
    cuts: usize,
    /// Turns of the segment that has most.
    most_turns: usize,
}

impl Forms {
    fn of(run: &[u8]) -> Self {
        let mut forms = Self::default();
        let (mut last, mut turns): (Option<(bool, bool)>, usize) = (None, 0);
        for byte in run {
            if is_joint(*byte) {
                (last, turns) = (None, 0);
                continue;
            }
            let (digit, capital) = (byte.is_ascii_digit(), byte.is_ascii_uppercase());
            forms.len += 1;
            forms.digits += usize::from(digit);
            forms.capitals += usize::from(capital);
            forms.hex += usize::from(byte.is_ascii_hexdigit());
            if let Some((last_digit, last_capital)) = last {
                turns += usize::from(digit != last_digit);
                forms.turns += usize::from(digit != last_digit);
                forms.cuts += usize::from(digit != last_digit || capital && !last_capital);
                forms.most_turns = forms.most_turns.max(turns);
            }
            last = Some((digit, capital));
        }
        forms
    }

    fn small(self) -> usize {
        self.len - self.digits - self.capitals
    }
}

/// A hash, a token, or base64: not what a person would call something.
pub(super) fn is_random(word: &[u8]) -> bool {
    // Most segments are a number or a plain word, which their forms would tell too, but slower.
    if every(word, u8::is_ascii_digit) {
        return true;
    }
    if every(word, u8::is_ascii_lowercase) {
        return word.len() >= HASH_DIGITS && every(word, u8::is_ascii_hexdigit)
            || word.len() > LONGEST_WORD_BYTES;
    }
    let forms = Forms::of(word);
    let Forms { len, digits, capitals, hex, turns, cuts, .. } = forms;
    if digits == len || len >= HASH_DIGITS && hex == len || len > LONGEST_WORD_BYTES {
        return true;
    }
    // Letters and digits take turns, and not as in `v2`; or words would be of two letters.
    if digits > 0 && (turns >= 3 || cuts >= 4 && cuts * 3 > len) {
        return true;
    }
    // One letter in three is a capital, among small ones: more than the words of camelCase have.
    let mixed = capitals * 3 >= len && forms.small() * 4 >= len;
    mixed && (len >= CAPITALS_BYTES || len >= LETTERS_BYTES && cuts >= 3)
}

/// The same of several segments that are joined, the first of which is no word: a token in base64url, or in blocks.
fn joined_is_random(run: &[u8]) -> bool {
    let forms = Forms::of(run);
    let Forms { len, capitals, turns, cuts, most_turns, .. } = forms;
    let mixed = capitals * 4 >= len && forms.small() * 4 >= len;
    let base64 = mixed && cuts >= 4 && cuts * 4 > len;
    let blocks = turns >= 4 && turns * 4 > len && most_turns >= 2;
    len >= 8 && (base64 || blocks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pattern(key: &[u8]) -> (String, Vec<String>) {
        let (mut text, mut parts) = (Vec::new(), Vec::new());
        push(key, &mut text, |part| {
            let (Part::Digits(bytes) | Part::Other(bytes)) = part;
            parts.push(String::from_utf8_lossy(bytes).into_owned());
        });
        (String::from_utf8_lossy(&text).into_owned(), parts)
    }

    /// `expected`: the pattern, then what each `?` stands for.
    #[track_caller]
    fn check(key: &str, expected: &str) {
        let (text, parts) = pattern(key.as_bytes());
        assert_eq!([&[text][..], &parts].concat().join(" "), expected, "{key}");
    }

    #[test]
    fn words_and_separators_stay() {
        check("user", "user");
        check("user:profile", "user:profile");
        check("Größe:x", "Größe:x");
        check("{tag}.a-b_c/d|e", "{tag}.a-b_c/d|e");
        check("getUserProfileByEmailAddress", "getUserProfileByEmailAddress");
        check("internationalization", "internationalization");
        check("getUserProfileV2", "getUserProfileV? 2");
        check("API_iOS_eBPF_OAuth2Token-myT", "API_iOS_eBPF_OAuth?Token-myT 2");
        check("user_profile-v2_2026-11-23", "user_profile-v?_?-?-? 2 2026 11 23");
        check("std::vec", "std::vec");
        check("100%40", "?%? 100 40");
        check("p1-q2_user3", "p?-q?_user? 1 2 3");
        check("facade:decade", "facade:decade");
        check("", "");
        check("@", "@");
        check("a@", "a@");
    }

    #[test]
    fn digits_become_a_mark() {
        check("user:42", "user:? 42");
        check("user42:profile", "user?:profile 42");
        check("key:000000012345", "key:? 000000012345");
        check("a1b2", "a?b? 1 2");
        check("12.5", "?.? 12 5");
        check("v2:2026-11-23", "v?:?-?-? 2 2026 11 23");
        check("memtier-1234567890123456", "memtier-? 1234567890123456");
    }

    #[test]
    fn identities_become_one_mark() {
        check("s:550e8400-e29b-41d4-a716-446655440000:x", "s:?:x 550e8400-e29b-41d4-a716-446655440000");
        check("550E8400-E29B-41D4-A716-446655440000", "? 550E8400-E29B-41D4-A716-446655440000");
        check("h:d41d8cd98f00b204e9800998ecf8427e", "h:? d41d8cd98f00b204e9800998ecf8427e");
        check("abcdefabcdefabcd", "? abcdefabcdefabcd");
        check("ip:10.0.0.1:hits", "ip:?:hits 10.0.0.1");
        check("1.2.3", "?.?.? 1 2 3");
        check("1.2.3.4567", "?.?.?.? 1 2 3 4567");
        check("ip:2001:db8::1", "ip:? 2001:db8::1");
        check("2001:db8:0:0:0:0:0:1", "? 2001:db8:0:0:0:0:0:1");
        check("a::b", "a::b");
        check("mail:bob.b+x@example.org:x", "mail:?:x bob.b+x@example.org");
        check("bob@localhost", "? bob@localhost");
        check("b::b:0%40ets", "?%?ets b::b:0 40");
        check("x 2001:db8::1@host y", "x ?@host y 2001:db8::1");
        check("a@b c@d", "? ? a@b c@d");
        check("sess:Xk3v9QzT1pLw", "sess:? Xk3v9QzT1pLw");
        check("t:QWxhZGRpbjpvcGVuIHNlc2FtZQ", "t:? QWxhZGRpbjpvcGVuIHNlc2FtZQ");
        check("t:aBcDeFgHiJkLmNoPqR", "t:? aBcDeFgHiJkLmNoPqR");
        check("a\u{1}b:c", "?:c a\u{1}b");
        check("sess:V1StGXR8_Z5jdHi6B-myT:x", "sess:?:x V1StGXR8_Z5jdHi6B-myT");
        check("user:alice%40example.com", "user:? alice%40example.com");
        check("mac:aa:bb:cc:dd:ee:ff", "mac:? aa:bb:cc:dd:ee:ff");
        check("mac:0A-1b-2c-3d-4e-5F:x", "mac:?:x 0A-1b-2c-3d-4e-5F");
        check("sess:deadbeef", "sess:? deadbeef");
        check("sess:5f2a9c1b", "sess:? 5f2a9c1b");
        check("ip:fe80::abcd", "ip:? fe80::abcd");
        check("fe80::", "? fe80::");
        check("feed::42", "feed::? 42");
        check("::ffff:10.0.0.1", "::ffff:? 10.0.0.1");
        check("t:AbCdEfGhIjKlMnO", "t:? AbCdEfGhIjKlMnO");
        check("t:x7k2p9", "t:? x7k2p9");
        check("t:Ab3dE_9fGh", "t:? Ab3dE_9fGh");
        check("key_x7k2-p9q1-z3m4:x", "key_?:x x7k2-p9q1-z3m4");
    }

    #[test]
    fn length_is_bounded() {
        let (text, parts) = pattern("xy:12:".repeat(300).as_bytes());
        assert!(text.starts_with("xy:?:xy:?") && text.ends_with('…'), "{text}");
        assert!(text.len() <= MOST_PATTERN_BYTES + 3 && parts.iter().all(|part| part == "12"));
        // A value that the limit cut is none.
        let (text, parts) = pattern(&[b"a:".as_slice(), &[b'7'; 600]].concat());
        assert_eq!((text.as_str(), parts.len()), ("a:…", 0));
        let (text, _) = pattern("ä:".repeat(100).as_bytes());
        assert!(text.ends_with('…') && !text.contains(char::REPLACEMENT_CHARACTER), "{text}");
    }

    proptest! {
        #[test]
        fn no_digit_is_kept(key in prop::collection::vec(any::<u8>(), 0..700)) {
            let mut text = Vec::new();
            push(&key, &mut text, |_| {});
            prop_assert!(!text.iter().any(u8::is_ascii_digit));
            prop_assert!(std::str::from_utf8(&text).is_ok());
            prop_assert!(text.len() <= MOST_PATTERN_BYTES + 3);
        }

        #[test]
        fn equal_shapes_have_equal_patterns(word in "[a-z]{1,8}", first in any::<u64>(), second in any::<u64>()) {
            let shape = |number: u64| pattern(format!("{word}:{number}:{word}").as_bytes()).0;
            prop_assert_eq!(shape(first), shape(second));
        }
    }
}
