//! What the values of one request cost: a Bind message with five parameters, in PostgreSQL's binary and text formats.
//! Items are requests.
//!
//! Each of 64 messages has other values, so that no branch is learnt from one of them.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use tracer::proto::postgres::parameters::{TypeClass, bind_values};
use tracer::time::Nanos;
use tracer::value::{Extractor, Settings, Value};

const MESSAGES: u64 = 64;
const AT: Nanos = Nanos::from_secs(1000);
/// 2026-11-23 12:00 UTC
const EPOCH_MICROS: i64 = 1_795_435_200_000_000;

fn main() {
    divan::main();
}

/// Body of a Bind message to the statement `S_1`.
fn bind(formats: &[u16], values: &[Vec<u8>]) -> Vec<u8> {
    let count = |n: usize| u16::try_from(n).unwrap_or_default().to_be_bytes();
    let mut body = b"\0S_1\0".to_vec();
    body.extend(count(formats.len()));
    body.extend(formats.iter().flat_map(|format| format.to_be_bytes()));
    body.extend(count(values.len()));
    for value in values {
        body.extend([0, 0]);
        body.extend(count(value.len()));
        body.extend(value);
    }
    body.extend([0, 0]);
    body
}

/// Spread over all values of 64 bits, the same in each run.
fn scatter(n: u64) -> u64 {
    n.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn number(n: u64) -> i64 {
    (scatter(n) >> 44).cast_signed()
}

fn name(n: u64) -> Vec<u8> {
    format!("customer-{:011}", scatter(n) >> 32).into_bytes()
}

fn uuid(n: u64) -> u128 {
    u128::from(scatter(n)) << 64 | u128::from(scatter(n + 1))
}

fn messages(of: impl Fn(u64) -> Vec<u8>) -> Vec<Vec<u8>> {
    (1..=MESSAGES).map(of).collect()
}

fn run(bencher: Bencher<'_, '_>, messages: &[Vec<u8>], types: &[TypeClass]) {
    let mut extractor = Extractor::new(Settings { epoch_micros: EPOCH_MICROS, show_values: false });
    let mut values: Vec<Value> = Vec::new();
    bencher.counter(ItemsCount::new(messages.len())).bench_local(|| {
        values.clear();
        for body in messages {
            bind_values(black_box(body), types, &mut extractor, AT, &mut values);
        }
        black_box(values.len())
    });
}

/// int8, int8, a number as text, text of 20 bytes, uuid; as a driver with a prepared statement sends them.
#[divan::bench]
fn binary(bencher: Bencher<'_, '_>) {
    use TypeClass::{Integer, Text, Uuid};
    let messages = messages(|n| {
        let texts = [number(n + 2).to_string().into_bytes(), name(n)];
        let [text, name] = texts;
        let (first, second) = (number(n).to_be_bytes().to_vec(), number(n + 1).to_be_bytes().to_vec());
        bind(&[1, 1, 0, 0, 1], &[first, second, text, name, uuid(n).to_be_bytes().to_vec()])
    });
    run(bencher, &messages, &[Integer, Integer, Integer, Text, Uuid]);
}

/// As `binary`, with a timestamp in place of the uuid.
#[divan::bench]
fn binary_with_timestamp(bencher: Bencher<'_, '_>) {
    use TypeClass::{Integer, Text, Timestamp};
    let messages = messages(|n| {
        let time = number(n) * 86_400_000_000 / 1_000;
        let (first, second) = (number(n).to_be_bytes().to_vec(), number(n + 1).to_be_bytes().to_vec());
        let text = number(n + 2).to_string().into_bytes();
        bind(&[1, 1, 0, 0, 1], &[first, second, text, name(n), time.to_be_bytes().to_vec()])
    });
    run(bencher, &messages, &[Integer, Integer, Integer, Text, Timestamp]);
}

fn texts(n: u64) -> [Vec<u8>; 4] {
    let [first, second, third] = [n, n + 1, n + 2].map(|n| number(n).to_string().into_bytes());
    [first, second, third, name(n)]
}

fn uuid_text(n: u64) -> Vec<u8> {
    let mut text = format!("{:032x}", uuid(n));
    for at in [20, 16, 12, 8] {
        text.insert(at, '-');
    }
    text.into_bytes()
}

/// The values of `binary` as text, with types.
#[divan::bench]
fn text(bencher: Bencher<'_, '_>) {
    use TypeClass::{Integer, Text, Uuid};
    let messages = messages(|n| {
        let [first, second, third, name] = texts(n);
        bind(&[], &[first, second, third, name, uuid_text(n)])
    });
    run(bencher, &messages, &[Integer, Integer, Integer, Text, Uuid]);
}

/// The values of `binary` as text, without types: all must be recognised.
#[divan::bench]
fn text_untyped(bencher: Bencher<'_, '_>) {
    let messages = messages(|n| {
        let [first, second, third, name] = texts(n);
        bind(&[], &[first, second, third, name, uuid_text(n)])
    });
    run(bencher, &messages, &[]);
}

/// As `text_untyped`, with a point in time in place of the UUID.
#[divan::bench]
fn text_untyped_with_timestamp(bencher: Bencher<'_, '_>) {
    let messages = messages(|n| {
        let [first, second, third, name] = texts(n);
        let time = format!("2026-{:02}-{:02} 02:{:02}:01.5+01", n % 12 + 1, n % 28 + 1, n % 60);
        bind(&[], &[first, second, third, name, time.into_bytes()])
    });
    run(bencher, &messages, &[]);
}
