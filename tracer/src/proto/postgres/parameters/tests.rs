//! Types, text and binary forms, and Bind messages that are cut anywhere.

use proptest::prelude::*;

use super::*;
use crate::value::{Kind, Settings};

/// 2026-11-23 12:00 UTC
const NOON_MICROS: i64 = 1_795_435_200_000_000;
const AT: Nanos = Nanos(0);

mod oid {
    pub const BOOL: u32 = 16;
    pub const BYTEA: u32 = 17;
    pub const INT8: u32 = 20;
    pub const INT2: u32 = 21;
    pub const INT4: u32 = 23;
    pub const TEXT: u32 = 25;
    pub const OID: u32 = 26;
    pub const JSON: u32 = 114;
    pub const FLOAT4: u32 = 700;
    pub const FLOAT8: u32 = 701;
    pub const INT4_ARRAY: u32 = 1007;
    pub const TEXT_ARRAY: u32 = 1009;
    pub const DATE: u32 = 1082;
    pub const TIMESTAMP: u32 = 1114;
    pub const TIMESTAMPTZ: u32 = 1184;
    pub const NUMERIC: u32 = 1700;
    pub const UUID: u32 = 2950;
    pub const JSONB: u32 = 3802;
    /// The first id of a type that is not built in.
    pub const OF_USER: u32 = 16_384;
}

fn extractor() -> Extractor {
    Extractor::new(Settings { epoch_micros: NOON_MICROS, show_values: true })
}

/// Body of a Bind message. `None` is NULL.
fn bind(formats: &[u16], values: &[Option<&[u8]>]) -> Vec<u8> {
    let count = |n: usize| u16::try_from(n).unwrap().to_be_bytes();
    let mut body = b"portal\0statement\0".to_vec();
    body.extend(count(formats.len()));
    body.extend(formats.iter().flat_map(|format| format.to_be_bytes()));
    body.extend(count(values.len()));
    for value in values {
        match value {
            None => body.extend((-1_i32).to_be_bytes()),
            Some(value) => {
                body.extend(u32::try_from(value.len()).unwrap().to_be_bytes());
                body.extend(*value);
            }
        }
    }
    body.extend([0, 1, 0, 1]);
    body
}

fn values(extractor: &mut Extractor, body: &[u8], oids: &[u32]) -> Vec<Value> {
    let types: Vec<TypeClass> = oids.iter().copied().map(TypeClass::of_oid).collect();
    let mut out = Vec::new();
    bind_values(body, &types, extractor, AT, &mut out);
    out
}

/// Sort of value, and the value itself or its number of elements.
fn describe(extractor: &Extractor, value: Value) -> String {
    let kind = value.kind();
    match value.hash() {
        None => format!("{kind:?}"),
        Some(_) if kind == Kind::List => format!("{kind:?} of {}", value.elements()),
        Some(hash) => format!("{kind:?} {}", extractor.shown(hash).unwrap_or("-")),
    }
}

fn one(extractor: &mut Extractor, oid: u32, format: u16, value: &[u8]) -> Value {
    values(extractor, &bind(&[format], &[Some(value)]), &[oid])[0]
}

#[track_caller]
fn check_text(oid: u32, text: &str, expected: &str) {
    let mut extractor = extractor();
    let value = one(&mut extractor, oid, 0, text.as_bytes());
    assert_eq!(describe(&extractor, value), expected, "{text}");
}

#[track_caller]
fn check_binary(oid: u32, bytes: &[u8], expected: &str) {
    let mut extractor = extractor();
    let value = one(&mut extractor, oid, 1, bytes);
    assert_eq!(describe(&extractor, value), expected, "{bytes:?}");
}

/// Both forms are the same value.
#[track_caller]
fn check_both(oid: u32, text: &str, bytes: &[u8], expected: &str) {
    let mut extractor = extractor();
    let (text_value, value) =
        (one(&mut extractor, oid, 0, text.as_bytes()), one(&mut extractor, oid, 1, bytes));
    assert_eq!(text_value, value, "{text}");
    assert_eq!(describe(&extractor, value), expected, "{text}");
}

/// Digits to the base of 10,000 as `numeric_send` writes them.
fn numeric(digits: &[u16], weight: i16, sign: u16) -> Vec<u8> {
    let head = [u16::try_from(digits.len()).unwrap(), weight.cast_unsigned(), sign, 0];
    head.iter().chain(digits).flat_map(|word| word.to_be_bytes()).collect()
}

#[test]
fn numbers_in_both_formats() {
    check_both(oid::INT2, "-7", &[0xff, 0xf9], "Integer -7");
    check_both(oid::INT4, "123456", &123_456_i32.to_be_bytes(), "Integer 123456");
    check_both(oid::INT8, "9223372036854775807", &i64::MAX.to_be_bytes(), "Integer 9223372036854775807");
    check_both(oid::OID, "4294967295", &u32::MAX.to_be_bytes(), "Integer 4294967295");
    check_both(oid::FLOAT8, "0.1", &0.1_f64.to_be_bytes(), "Decimal 0.1");
    check_both(oid::FLOAT8, "1e+300", &1e300_f64.to_be_bytes(), &format!("Decimal 1{}…", "0".repeat(63)));
    check_both(oid::FLOAT8, "12", &12_f64.to_be_bytes(), "Integer 12");
    check_both(oid::FLOAT8, "-0", &(-0.0_f64).to_be_bytes(), "Integer 0");
    check_both(oid::FLOAT8, "NaN", &f64::NAN.to_be_bytes(), "Decimal NaN");
    check_both(oid::FLOAT8, "-Infinity", &f64::NEG_INFINITY.to_be_bytes(), "Decimal -inf");
    check_both(oid::FLOAT4, "0.1", &0.1_f32.to_be_bytes(), "Decimal 0.1");
    check_text(oid::INT4, " +007 ", "Integer 7");
    check_text(oid::INT4, "abc", "Text abc");
}

#[test]
fn numerics() {
    check_both(oid::NUMERIC, "0.00", &numeric(&[], 0, 0), "Integer 0");
    check_both(oid::NUMERIC, "12.50", &numeric(&[12, 5000], 0, 0), "Decimal 12.5");
    check_both(oid::NUMERIC, "-12.50", &numeric(&[12, 5000], 0, 0x4000), "Decimal -12.5");
    check_both(oid::NUMERIC, "100000000", &numeric(&[1], 2, 0), "Integer 100000000");
    check_both(oid::NUMERIC, "12.0", &numeric(&[12], 0, 0), "Integer 12");
    check_both(oid::NUMERIC, "0.00000001", &numeric(&[1], -2, 0), "Decimal 0.00000001");
    check_both(oid::NUMERIC, "0.1", &numeric(&[1000], -1, 0), "Decimal 0.1");
    check_both(
        oid::NUMERIC,
        "12345678901234567890.12345",
        &numeric(&[1234, 5678, 9012, 3456, 7890, 1234, 5000], 4, 0),
        "Decimal 12345678901234567000",
    );
    check_both(oid::NUMERIC, "NaN", &numeric(&[], 0, 0xc000), "Decimal NaN");
    check_both(oid::NUMERIC, "Infinity", &numeric(&[], 0, 0xd000), "Decimal inf");
    check_both(oid::NUMERIC, "-Infinity", &numeric(&[], 0, 0xf000), "Decimal -inf");
    // Digits over 9999, a wrong number of digits, a wrong sign.
    check_binary(oid::NUMERIC, &numeric(&[10_000], 0, 0), "Bytes \\x00010000000000002710");
    check_binary(oid::NUMERIC, &[0, 9, 0, 0, 0, 0, 0, 0], "Bytes \\x0009000000000000");
    check_binary(oid::NUMERIC, &numeric(&[], 0, 1), "Bytes \\x0000000000010000");
}

#[test]
fn truth() {
    for text in ["t", "true", "TRUE", "y", "Yes", "on", "1", " tr "] {
        check_both(oid::BOOL, text, &[1], "Boolean true");
    }
    for text in ["f", "false", "n", "no", "of", "off", "0"] {
        check_both(oid::BOOL, text, &[0], "Boolean false");
    }
    check_text(oid::BOOL, "o", "Text o");
    check_text(oid::BOOL, "truer", "Text truer");
    check_text(oid::BOOL, "", "Text ");
    check_text(0, "t", "Text t");
}

#[test]
fn dates_and_times() {
    // 9,823 days and 43,201.5 seconds behind 2000-01-01.
    let micros = 9_823 * 86_400_000_000_i64 + 43_201_500_000;
    let bytes = micros.to_be_bytes();
    check_both(oid::TIMESTAMP, "2026-11-23 12:00:01.5", &bytes, "Time 2026-11-23 12:00:01.5");
    check_both(oid::TIMESTAMPTZ, "2026-11-23 13:00:01.5+01", &bytes, "Time 2026-11-23 12:00:01.5");
    check_both(oid::DATE, "2026-11-23", &9_823_i32.to_be_bytes(), "Time 2026-11-23");
    check_both(oid::DATE, "1999-12-31", &(-1_i32).to_be_bytes(), "Time 1999-12-31");
    check_both(oid::DATE, "infinity", &i32::MAX.to_be_bytes(), "Time infinity");
    check_both(oid::DATE, "-infinity", &i32::MIN.to_be_bytes(), "Time -infinity");
    check_both(oid::TIMESTAMPTZ, "infinity", &i64::MAX.to_be_bytes(), "Time infinity");
    check_both(oid::TIMESTAMPTZ, "-infinity", &i64::MIN.to_be_bytes(), "Time -infinity");
    check_text(oid::TIMESTAMP, "Mon Nov 23 12:00:01 2026", "Text Mon Nov 23 12:00:01 2026");
    check_text(oid::TEXT, "infinity", "Text infinity");
    let mut extractor = extractor();
    let value = one(&mut extractor, oid::TIMESTAMPTZ, 1, &(micros - 86_400_000_000).to_be_bytes());
    assert_eq!(value.seconds_from_now(), Some(-6 * 3_600));
    check_binary(oid::DATE, &(i32::MAX - 1).to_be_bytes(), "Time infinity");
    check_binary(oid::DATE, &(i32::MIN + 1).to_be_bytes(), "Time -infinity");
}

#[test]
fn texts_bytes_and_documents() {
    check_both(oid::TEXT, "alice", b"alice", "Text alice");
    check_both(oid::TEXT, "42", b"42", "Integer 42");
    check_both(oid::TEXT, "", b"", "Text ");
    check_both(oid::BYTEA, "\\x00ff41", &[0, 255, 65], "Bytes \\x00ff41");
    check_both(oid::BYTEA, "\\000\\377A\\\\", &[0, 255, 65, b'\\'], "Bytes \\x00ff415c");
    check_both(oid::JSON, "42", b"42", "Text 42");
    check_both(oid::JSONB, "{\"a\": 1}", b"\x01{\"a\": 1}", "Text {\"a\": 1}");
    check_both(oid::OF_USER, "happy", b"happy", "Text happy");
    check_binary(oid::OF_USER, &[0, 1], "Bytes \\x0001");
    check_text(oid::OF_USER, "42", "Text 42");
    check_both(
        oid::UUID,
        "550e8400-e29b-41d4-a716-446655440000",
        &0x550e_8400_e29b_41d4_a716_4466_5544_0000_u128.to_be_bytes(),
        "Uuid 550e8400-e29b-41d4-a716-446655440000",
    );
    check_text(oid::UUID, "550e8400e29b41d4a716446655440000", "Uuid 550e8400-e29b-41d4-a716-446655440000");
    check_text(oid::UUID, "550e8400e29b41d4a71644665544000", "Text 550e8400e29b41d4a71644665544000");
    check_text(oid::TEXT, "password=x", "Unseen");
}

#[test]
fn case_20_binary_without_a_type_goes_by_its_length() {
    check_binary(0, &7_i16.to_be_bytes(), "Integer 7");
    check_binary(0, &7_i32.to_be_bytes(), "Integer 7");
    check_binary(0, &7_i64.to_be_bytes(), "Integer 7");
    check_binary(0, b"eightful", "Text eightful");
    check_binary(0, b"alice", "Text alice");
    check_binary(0, b"123456", "Integer 123456");
    check_binary(0, &[1], "Boolean true");
    check_binary(0, &[0, 1, 2], "Bytes \\x000102");
    check_binary(
        0,
        &0x550e_8400_e29b_41d4_a716_4466_5544_0000_u128.to_be_bytes(),
        "Uuid 550e8400-e29b-41d4-a716-446655440000",
    );
    // Neither version nor variant fits.
    check_binary(0, &[0xff; 16], &format!("Bytes \\x{}", "ff".repeat(16)));
    check_binary(0, b"sixteen letters.", "Text sixteen letters.");
    check_text(0, "42", "Integer 42");
    check_text(0, "2026-11-23", "Time 2026-11-23");
}

#[test]
fn lengths_that_do_not_fit_the_type() {
    for oid in
        [oid::INT8, oid::UUID, oid::TIMESTAMP, oid::DATE, oid::FLOAT8, oid::FLOAT4, oid::BOOL, oid::OID]
    {
        check_binary(oid, &[1, 2, 3], "Bytes \\x010203");
    }
    check_binary(oid::NUMERIC, &[], "Bytes \\x");
    check_binary(oid::INT4_ARRAY, &[0, 0, 0, 1], "Bytes \\x00000001");
}

#[test]
fn arrays_as_text() {
    for (text, elements) in [
        ("{}", 0),
        ("{ }", 0),
        ("{1}", 1),
        ("{1,2,3}", 3),
        ("{a,\"b,c\",NULL,{d,e}}", 4),
        ("{{1,2},{3,4},{5,6}}", 3),
        ("{\"a\\\"b,c\",d}", 2),
        ("{a\\,b,c}", 2),
        ("{\"}\",\"{\",x}", 3),
        ("[0:2]={1,2,3}", 3),
        ("{},}", 2),
    ] {
        check_text(oid::TEXT_ARRAY, text, &format!("List of {elements}"));
    }
    check_text(oid::TEXT_ARRAY, "{1,2", "Text {1,2");
    check_text(oid::TEXT_ARRAY, "", "Text ");
    check_text(oid::TEXT_ARRAY, "[", "Text [");
}

#[test]
fn arrays_in_binary() {
    let head = |dimensions: i32| [dimensions.to_be_bytes(), [0; 4], 23_i32.to_be_bytes()].concat();
    let dimension = |length: i32| [length.to_be_bytes(), 1_i32.to_be_bytes()].concat();
    let element = [4_i32.to_be_bytes(), 7_i32.to_be_bytes()].concat();
    let check = |bytes: Vec<u8>, expected: &str| check_binary(oid::INT4_ARRAY, &bytes, expected);
    check(head(0), "List of 0");
    check([head(1), dimension(3), element.repeat(3)].concat(), "List of 3");
    check([head(2), dimension(2), dimension(3), element.repeat(6)].concat(), "List of 2");
    for wrong in [
        [head(7), dimension(1), element.repeat(3)].concat(),
        [head(1), dimension(i32::MAX), element.repeat(3)].concat(),
        [head(1), dimension(-1), element.repeat(3)].concat(),
        head(1),
    ] {
        let mut extractor = extractor();
        assert_eq!(one(&mut extractor, oid::INT4_ARRAY, 1, &wrong).kind(), Kind::Bytes, "{wrong:?}");
    }
}

#[track_caller]
fn check_bind(formats: &[u16], fields: &[Option<&[u8]>], oids: &[u32], expected: &str) {
    let mut extractor = extractor();
    let values = values(&mut extractor, &bind(formats, fields), oids);
    let described: Vec<String> = values.iter().map(|value| describe(&extractor, *value)).collect();
    assert_eq!(described.join(", "), expected);
}

#[test]
fn formats_of_a_bind() {
    let int = 42_i32.to_be_bytes();
    check_bind(&[], &[], &[], "");
    check_bind(&[], &[Some(b"42"), None, Some(b"a")], &[], "Integer 42, Null, Text a");
    check_bind(&[1], &[Some(&int), None, Some(b"a")], &[23, 23, 25], "Integer 42, Null, Text a");
    check_bind(&[1, 0], &[Some(&int), Some(b"42")], &[oid::INT4, oid::INT4], "Integer 42, Integer 42");
    // Case 28: types only for the first; formats for fewer values than there are.
    check_bind(&[1, 0], &[Some(&int), Some(b"t"), Some(b"b")], &[23], "Integer 42, Text t, Text b");
}

#[test]
fn names_of_any_length_are_passed_over() {
    for length in 0..40 {
        for (portal, statement) in [(0, length), (length, 0), (length, length)] {
            let mut body = vec![b'\x80'; portal];
            body.push(0);
            body.extend(vec![1; statement]);
            body.extend(*b"\0\0\0\0\x01\0\0\0\x0242");
            let mut extractor = extractor();
            let value = extractor.integer(42);
            assert_eq!(values(&mut extractor, &body, &[]), [value], "{body:?}");
        }
    }
}

#[test]
fn hostile_binds() {
    let mut extractor = extractor();
    let mut check = |body: &[u8], expected: usize| {
        let values = values(&mut extractor, body, &[]);
        assert_eq!(values, vec![Value::UNSEEN; expected], "{body:?}");
    };
    check(b"", 0);
    check(b"\0", 0);
    check(b"\0\0", 0);
    check(b"\0\0\xff\xff", 0);
    check(b"\0\0\x00\x00\xff", 0);
    check(b"\0\0\x00\x00\xff\xff", MAX_PARAMETERS);
    check(b"\0\0\x00\x00\x00\x02\x7f\xff\xff\xff", 2);
    check(b"\0\0\x00\x00\x00\x02\xff\xff\xff\xfe\0\0", 2);
    check(b"\0\0\x00\x00\x00\x02\x80\x00\x00\x00\0\0", 2);
}

#[test]
fn at_most_256_parameters_are_read() {
    let mut extractor = extractor();
    let fields = vec![Some(&b"1"[..]); 300];
    assert_eq!(values(&mut extractor, &bind(&[], &fields), &[]).len(), MAX_PARAMETERS);
}

#[test]
fn type_lists() {
    let mut types = vec![TypeClass::Json];
    parse_types(&[0, 2, 0, 0, 0, 23, 0, 0, 0, 0], &mut types);
    assert_eq!(types, [TypeClass::Integer, TypeClass::Unknown]);
    described_types(&[0, 3, 0, 0, 0, 16, 0, 0, 0, 25, 0, 0], &mut types);
    assert_eq!(types, [TypeClass::Bool, TypeClass::Text]);
    for cut in [&[][..], &[0], &[0, 1], &[0, 1, 0, 0, 0]] {
        parse_types(cut, &mut types);
        assert!(types.is_empty());
    }
    parse_types(&[0xff; 3000], &mut types);
    assert_eq!(types.len(), MAX_PARAMETERS);
    parse_types(&[&[0, 0][..], &[0xff; 30]].concat(), &mut types);
    assert!(types.is_empty());
    assert_eq!(size_of::<TypeClass>(), 1);
}

proptest! {
    #[test]
    fn any_body_is_read(body: Vec<u8>, oids: Vec<u32>) {
        let mut extractor = extractor();
        prop_assert!(values(&mut extractor, &body, &oids).len() <= MAX_PARAMETERS);
    }

    #[test]
    fn any_values_are_read(
        fields in prop::collection::vec(prop::option::of(prop::collection::vec(any::<u8>(), 0..40)), 0..20),
        formats in prop::collection::vec(0..2_u16, 0..20),
        oids in prop::collection::vec(prop::sample::select(vec![
            0_u32, 16, 17, 20, 21, 23, 25, 26, 114, 700, 701, 1007, 1009, 1082, 1114, 1700, 2950, 3802, 20_000,
        ]), 0..20),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut extractor = extractor();
        let fields: Vec<Option<&[u8]>> = fields.iter().map(Option::as_deref).collect();
        let body = bind(&formats, &fields);
        let whole = values(&mut extractor, &body, &oids);
        prop_assert_eq!(whole.len(), fields.len());
        for (field, value) in fields.iter().zip(&whole) {
            prop_assert_eq!(field.is_none(), value.kind() == Kind::Null);
        }
        // Cut anywhere: the same values, then what was not seen; or nothing at all.
        let part = values(&mut extractor, &body[..cut.index(body.len() + 1)], &oids);
        prop_assert!(part.is_empty() || part.len() == whole.len());
        let seen = part.iter().zip(&whole).take_while(|(part, whole)| part == whole).count();
        prop_assert!(part[seen..].iter().all(|value| *value == Value::UNSEEN));
    }

    #[test]
    fn a_whole_number_is_one_in_every_type_and_format(number: i32) {
        let mut e = extractor();
        let text = number.to_string();
        let value = e.integer(i64::from(number));
        for oid in [0, oid::INT2, oid::INT4, oid::INT8, oid::TEXT, oid::NUMERIC, oid::FLOAT8] {
            prop_assert_eq!(one(&mut e, oid, 0, text.as_bytes()), value);
        }
        prop_assert_eq!(one(&mut e, oid::INT4, 1, &number.to_be_bytes()), value);
        prop_assert_eq!(one(&mut e, oid::INT8, 1, &i64::from(number).to_be_bytes()), value);
        prop_assert_eq!(one(&mut e, oid::FLOAT8, 1, &f64::from(number).to_be_bytes()), value);
        prop_assert_eq!(e.literal(number.unsigned_abs().to_string().as_bytes(), number < 0, AT), value);
        prop_assert_eq!(e.literal(format!("'{number}'").as_bytes(), false, AT), value);
    }

    #[test]
    fn a_numeric_is_its_text(
        digits in prop::collection::vec(0..10_000_u16, 1..8), weight in -3_i16..6, negative: bool,
    ) {
        // As `numeric_out` writes it.
        let mut text = if negative { "-".to_owned() } else { String::new() };
        let digit = |at: i16| usize::try_from(at).ok().and_then(|at| digits.get(at)).copied().unwrap_or(0);
        for power in (0..=weight.max(0)).rev() {
            text.push_str(&format!("{:04}", digit(weight - power)));
        }
        text.push('.');
        for power in 1..=12 {
            text.push_str(&format!("{:04}", digit(weight + power)));
        }
        let mut e = extractor();
        let binary = one(&mut e, oid::NUMERIC, 1, &numeric(&digits, weight, if negative { 0x4000 } else { 0 }));
        prop_assert_eq!(one(&mut e, oid::NUMERIC, 0, text.as_bytes()), binary, "{}", text);
    }

    #[test]
    fn a_uuid_is_one_in_every_form(number: u128) {
        let mut e = extractor();
        let plain = format!("{number:032X}");
        let parts = [&plain[..8], &plain[8..12], &plain[12..16], &plain[16..20], &plain[20..]];
        let text = parts.join("-");
        let value = one(&mut e, oid::UUID, 1, &number.to_be_bytes());
        prop_assert_eq!(one(&mut e, oid::UUID, 0, text.as_bytes()), value);
        prop_assert_eq!(one(&mut e, oid::TEXT, 0, text.to_lowercase().as_bytes()), value);
        prop_assert_eq!(one(&mut e, oid::UUID, 0, plain.as_bytes()), value);
        prop_assert_eq!(e.literal(format!("'{{{text}}}'").as_bytes(), false, AT), value);
    }

    #[test]
    fn a_point_in_time_is_one_in_every_form(seconds in -60_000_000_000_i64..200_000_000_000, micros in 0..1_000_000_i64) {
        let mut e = extractor();
        let value = one(&mut e, oid::TIMESTAMPTZ, 1, &(seconds * 1_000_000 + micros).to_be_bytes());
        let text = describe(&e, value).replace("Time ", "");
        prop_assert_eq!(one(&mut e, oid::TIMESTAMP, 0, text.as_bytes()), value);
        prop_assert_eq!(one(&mut e, 0, 0, text.as_bytes()), value);
        prop_assert_eq!(e.literal(format!("'{text}'").as_bytes(), false, AT), value);
    }
}
