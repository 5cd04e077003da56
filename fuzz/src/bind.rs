//! The body of a Bind message and a literal, of any bytes: made into values, whole and cut.

use tracer::proto::postgres::parameters::{MAX_PARAMETERS, TypeClass, bind_values};
use tracer::time::Nanos;
use tracer::value::{Extractor, Settings, Value};

/// A type of each class, and one that is not built in.
const OIDS: [u32; 17] =
    [0, 16, 20, 26, 700, 701, 1700, 25, 2950, 17, 1082, 1184, 114, 3802, 1007, 1009, 16_384];
const AT: Nanos = Nanos(1_000_000);

/// The first byte says where to cut, the second how many types follow, one byte each; then the body.
pub(super) fn run(data: &[u8]) {
    let [cut, types, rest @ ..] = data else { return };
    let (types, body) = rest.split_at(usize::from(*types & 15).min(rest.len()));
    let types: Vec<TypeClass> =
        types.iter().map(|n| TypeClass::of_oid(OIDS[usize::from(*n) % OIDS.len()])).collect();
    let mut extractor = Extractor::new(Settings { epoch_micros: 0, show_values: true });
    let mut read = |body: &[u8]| {
        let mut values = Vec::new();
        bind_values(body, &types, &mut extractor, AT, &mut values);
        assert!(values.len() <= MAX_PARAMETERS);
        values
    };
    let whole = read(body);
    assert_eq!(read(body), whole, "the same message, other values");
    let part = read(&body[..body.len() * usize::from(*cut) / 256]);
    assert!(part.is_empty() || part.len() == whole.len());
    let seen = part.iter().zip(&whole).take_while(|(part, whole)| part == whole).count();
    assert!(part[seen..].iter().all(|value| *value == Value::UNSEEN), "a cut value was read");

    let literal = extractor.literal(body, cut & 1 == 1, AT);
    assert_eq!(extractor.literal(body, cut & 1 == 1, AT), literal, "the same literal, another value");
    for value in whole.iter().chain([&literal]) {
        let Some(hash) = value.hash() else { continue };
        let shown = extractor.shown(hash).unwrap_or_default().to_ascii_lowercase();
        assert!(!shown.contains("password=") && !shown.contains("password:"), "a password is shown: {shown}");
    }
}

/// Messages with each type in each format, and a literal of each form.
pub(super) fn seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = [
        "'it''s'",
        "E'a\\tb\\u00e9'",
        "U&'d\\0061ta'",
        "$q$text$q$",
        "B'0101'",
        "X'1F'",
        "0x1F",
        "1_000.5e-3",
        "NULL",
        "TRUE",
        "'password=x'",
        "'2026-11-23 02:00:01.5+01'",
        "'a'\n'b'",
    ]
    .map(|literal| [b"\xff\x00", literal.as_bytes()].concat())
    .to_vec();
    let fields: [&[u8]; 14] = [
        b"42",
        b"-12.50",
        b"t",
        b"\x01",
        b"alice",
        b"550e8400-e29b-41d4-a716-446655440000",
        b"2026-11-23T02:00:01.5Z",
        b"{a,\"b,c\",NULL}",
        b"\\x00ff",
        b"\x00\x00\x00\x2a",
        b"\x00\x02\xcb\x5d\x00\x00\x00\x00",
        b"\x00\x02\x00\x00\x00\x00\x00\x02\x00\x0c\x13\x88",
        b"\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x17\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x04\x00\x00\x00\x07",
        b"\x55\x0e\x84\x00\xe2\x9b\x41\xd4\xa7\x16\x44\x66\x55\x44\x00\x00",
    ];
    for class in 0..OIDS.len() {
        for format in [0, 1] {
            // At most 15 types are given; the values behind them are of unknown type.
            let class = u8::try_from(class).unwrap_or(0);
            let mut seed = vec![200, 14];
            seed.extend([class; 14]);
            seed.extend(b"\0statement\0\0\x01\0");
            seed.push(format);
            seed.extend([0, 15]);
            for field in fields {
                seed.extend([0, 0, 0, u8::try_from(field.len()).unwrap_or(0)]);
                seed.extend(field);
            }
            seed.extend([0xff; 4]);
            seed.extend([0, 0]);
            seeds.push(seed);
        }
    }
    seeds
}
