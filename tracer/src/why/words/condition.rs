//! One condition as a clause of a sentence, and as the values of the report.

use super::number::{alternatives, ordinal};
use super::range::{self, Range};
use super::{Names, Place};
use crate::report::sanitize::visible;
use crate::sql::TextId;
use crate::value::PREFIX_BYTES;
use crate::why::attribute::error_from_code;
use crate::why::{Condition, Feature, Subject, Values};

/// Columns of a statement's text inside a sentence.
const TEXT_MOST: usize = 60;
/// Columns of a shown value inside a sentence.
const VALUE_MOST: usize = 64;
/// Alternatives named one by one.
const NAMED_MOST: usize = 8;

/// A condition in words.
pub(super) struct Told {
    /// `the last digit of $1 is 3 or 7`.
    pub clause: String,
    /// `3`, `7`.
    pub values: Vec<String>,
}

/// Puts a condition into words.
pub(super) fn tell(condition: &Condition, names: &dyn Names) -> Told {
    let feature = condition.attribute.feature;
    let subject = match condition.attribute.subject {
        Subject::Value(position) => value_name(names.place(position)),
        _ => String::new(),
    };
    match &condition.values {
        Values::OneOf(codes) => one_of(condition, feature, codes, &subject, names),
        Values::Between(from, to) => between(condition, feature, (*from, *to), &subject, names),
    }
}

/// `$1`, `the 2nd literal ($3)`.
fn value_name(place: Place) -> String {
    match place.literal {
        None => format!("${}", place.number),
        Some(n) => format!("the {} literal (${})", ordinal(n), place.number),
    }
}

fn between(
    condition: &Condition,
    feature: Feature,
    (from, to): (Option<i64>, Option<i64>),
    subject: &str,
    names: &dyn Names,
) -> Told {
    let is_answer = condition.attribute.subject == Subject::Answer;
    let (before, range, after): (String, Range, &str) = match feature {
        Feature::Magnitude => (format!("{subject} is"), range::magnitude(from, to, names), ""),
        Feature::Length => (format!("the length of {subject} is"), range::byte_sizes(from, to), ""),
        Feature::DistanceFromNow => (format!("{subject} lies"), range::distance(from, to), ""),
        Feature::Elements => (format!("{subject} has"), range::numbers(from, to), "elements"),
        Feature::IdleBefore => ("its connection had been idle for".into(), range::idle(from, to), ""),
        Feature::Position => ("its number in its transaction is".into(), range::numbers(from, to), ""),
        Feature::Bytes if is_answer => ("an answer of".into(), range::byte_sizes(from, to), ""),
        Feature::Bytes => ("its size is".into(), range::byte_sizes(from, to), ""),
        Feature::InFlight => {
            (String::new(), range::numbers(from, to), "other requests were in flight to its server")
        }
        Feature::Window => ("it started".into(), range::window(from, to, names), ""),
        Feature::Rows => (String::new(), range::sizes(from, to), "rows"),
        // Nothing else has an order.
        _ => (
            format!("{} of {subject} is", super::feature_name(condition.attribute)),
            range::numbers(from, to),
            "",
        ),
    };
    let clause = format!("{before} {} {after}", range.words).trim().to_owned();
    Told { clause, values: range.values }
}

fn one_of(condition: &Condition, feature: Feature, codes: &[i64], subject: &str, names: &dyn Names) -> Told {
    let code = codes.first().copied().unwrap_or(0);
    // Yes-or-no features: the clause depends on the only code.
    let yes = code != 0;
    let either = |when: &str, otherwise: &str| Told {
        clause: if yes { when.to_owned() } else { otherwise.to_owned() },
        values: vec![yes.to_string()],
    };
    let named = |before: &str, name: &dyn Fn(i64) -> (String, String)| list(before, codes, name);
    let word = |words: &'static [(&'static str, &'static str)]| {
        move |code: i64| {
            let (word, value) = usize::try_from(code).ok().and_then(|n| words.get(n)).unwrap_or(&("?", "?"));
            ((*word).to_owned(), (*value).to_owned())
        }
    };
    let plain = |code: i64| (code.to_string(), code.to_string());
    let number = |code: i64| u32::try_from(code).unwrap_or(0);
    let both = |text: String| (text.clone(), text);
    match feature {
        Feature::IsNull => either(&format!("{subject} is NULL"), &format!("{subject} is not NULL")),
        Feature::IsZero => either(&format!("{subject} is zero"), &format!("{subject} is not zero")),
        Feature::IsEmpty => either(&format!("{subject} is empty"), &format!("{subject} is not empty")),
        Feature::Boolean => either(&format!("{subject} is TRUE"), &format!("{subject} is FALSE")),
        Feature::HasNonAscii => either(
            &format!("{subject} has characters outside ASCII"),
            &format!("{subject} has only ASCII characters"),
        ),
        Feature::FirstOnConnection => {
            either("it is the first on its connection", "it is not the first on its connection")
        }
        Feature::OpenedBefore => either(
            "its connection was opened before the capture",
            "its connection was opened during the capture",
        ),
        Feature::Sign => named(&format!("{subject} is"), &word(SIGNS)),
        Feature::Parity => named(&format!("{subject} is"), &word(PARITIES)),
        Feature::Kind => named(&format!("{subject} is"), &word(KINDS)),
        Feature::FirstCharacter => named(&format!("{subject} begins with"), &word(FIRST_CHARACTERS)),
        Feature::Status => named("before it, its session was", &word(STATUSES)),
        Feature::LastDigit => named(&format!("the last digit of {subject} is"), &plain),
        Feature::Remainder(divisor) => named(&format!("{subject} modulo {divisor} is"), &plain),
        Feature::UuidVersion => named(&format!("{subject} is a UUID of version"), &plain),
        Feature::Prefix(index) => {
            let bytes = PREFIX_BYTES.get(usize::from(index)).unwrap_or(&0);
            let before = match bytes {
                1 => format!("the first byte of {subject} is"),
                _ => format!("the first {bytes} bytes of {subject} are"),
            };
            hashes(&before, codes, names, &|code| names.shown_prefix(index, code).map(str::to_owned))
        }
        Feature::ValueHash => hashes(&format!("{subject} is"), codes, names, &|code| {
            names.shown_value(code.cast_unsigned()).map(str::to_owned)
        }),
        Feature::Identity => match condition.attribute.subject {
            Subject::Server => named("the server is", &|code| both(names.server(number(code)))),
            Subject::Database => named("the database is", &|code| both(names.database(number(code)))),
            Subject::Connection => named("the connection is", &|code| both(names.connection(number(code)))),
            Subject::Process => named("the process is", &plain),
            _ => named("the thread is", &plain),
        },
        Feature::Previous => named("the statement before it on its connection is", &|code| {
            let text = TextId(number(code));
            (shortened(&names.statement(text), TEXT_MOST), names.statement_id(text))
        }),
        Feature::Error if codes == [0] => Told { clause: "no error".into(), values: vec!["none".into()] },
        Feature::Error => named("error", &|code| {
            both(error_from_code(code).map_or_else(|| "none".to_owned(), |error| error.as_str().to_owned()))
        }),
        // Counts: told one by one where a set of them was found.
        _ => named(&format!("{} of {subject} is", super::feature_name(condition.attribute)), &plain),
    }
}

/// A list of alternatives behind what they are alternatives of.
fn list(before: &str, codes: &[i64], name: &dyn Fn(i64) -> (String, String)) -> Told {
    let (mut words, values): (Vec<String>, Vec<String>) = codes.iter().map(|code| name(*code)).unzip();
    if words.len() > NAMED_MOST {
        let more = words.len() - NAMED_MOST + 1;
        words.truncate(NAMED_MOST - 1);
        words.push(format!("one of {more} more"));
    }
    Told { clause: format!("{before} {}", alternatives(&words)), values }
}

/// Values by their hashes; with `--show-values` the values.
fn hashes(before: &str, codes: &[i64], names: &dyn Names, value: &dyn Fn(i64) -> Option<String>) -> Told {
    let known: Vec<(u64, Option<String>)> =
        codes.iter().map(|code| (names.shown_hash(code.cast_unsigned()), value(*code))).collect();
    let values = known
        .iter()
        .map(|(shown, value)| value.clone().unwrap_or_else(|| format!("hash:{shown:016x}")))
        .collect();
    let words: Vec<String> = known
        .iter()
        .map(|(shown, value)| match value {
            Some(value) => format!("'{}'", shortened(&value.replace('\'', "''"), VALUE_MOST)),
            None => format!("{:08x}", shown >> 32),
        })
        .collect();
    let all_known = known.iter().all(|(_, value)| value.is_some());
    let list = alternatives(&words);
    let clause = match words.len() {
        _ if all_known => format!("{before} {list}"),
        1 => format!("{before} one value (hash {list})"),
        n => format!("{before} one of {n} values (hashes {list})"),
    };
    Told { clause, values }
}

/// A text cut to so many characters, safe to stand between others.
fn shortened(text: &str, most: usize) -> String {
    let mut kept = visible(text, false, most);
    if text.chars().nth(most).is_some() {
        kept.push('…');
    }
    kept
}

const SIGNS: &[(&str, &str)] = &[("not negative", "not_negative"), ("negative", "negative")];
const PARITIES: &[(&str, &str)] = &[("even", "even"), ("odd", "odd")];
/// In the order of [`crate::value::Kind`].
const KINDS: &[(&str, &str)] = &[
    ("not seen", "unseen"),
    ("NULL", "null"),
    ("a whole number", "integer"),
    ("a number with a fraction", "decimal"),
    ("text", "text"),
    ("TRUE or FALSE", "boolean"),
    ("a UUID", "uuid"),
    ("a date or a time", "time"),
    ("bytes", "bytes"),
    ("a list", "list"),
];
/// In the order of [`crate::value::FirstCharacter`].
const FIRST_CHARACTERS: &[(&str, &str)] = &[
    ("a digit", "digit"),
    ("a small letter", "lower_case"),
    ("a capital letter", "upper_case"),
    ("white space", "space"),
    ("punctuation", "other"),
    ("a character outside ASCII", "non_ascii"),
];
/// In the order of [`crate::request::TransactionStatus`].
const STATUSES: &[(&str, &str)] = &[
    ("not in a transaction", "idle"),
    ("in a transaction", "in_transaction"),
    ("in a failed transaction", "failed"),
];
