//! What holds for every text: no panic, no secret, nothing that steers a terminal, one form.

use proptest::prelude::*;

use super::lexer::{Kind, Lexer};
use super::{Dialect, Interned, Position, Texts, effect, statements};
use crate::time::Nanos;
use crate::value::Value;

mod mysql;

const DIALECTS: [Dialect; 3] = [Dialect::Postgresql, Dialect::Mysql, Dialect::MysqlNoBackslashEscapes];

fn shown(sql: &[u8], truncated: bool) -> String {
    let mut texts = Texts::new(10);
    let id = texts.intern_sql(sql, truncated);
    texts.get(id).text.clone()
}

fn intern(
    texts: &mut Texts,
    dialect: Dialect,
    sql: &[u8],
    truncated: bool,
) -> (Interned, Vec<Position>, Vec<Value>) {
    let interned = texts.intern(dialect, sql, truncated, Nanos::default());
    let mut values = Vec::new();
    let literals = texts.literals().to_vec();
    texts.assemble(interned.layout, &[Value::NULL; 9], &literals, &mut values);
    (interned, texts.get(interned.text).positions.to_vec(), values)
}

/// How many `?` and different `$n` a form shows outside of hints.
fn shown_positions(dialect: Dialect, form: &str) -> usize {
    let mut literals = 0;
    let mut parameters = std::collections::HashSet::new();
    for token in Lexer::new(dialect, form.as_bytes()) {
        match token.kind {
            Kind::Operator | Kind::Param if token.text == b"?" => literals += 1,
            Kind::Param => {
                let number: u128 = std::str::from_utf8(&token.text[1..]).unwrap().parse().unwrap();
                parameters.insert(number.min(u16::MAX.into()));
            }
            _ => {}
        }
    }
    literals + parameters.len()
}

/// Pieces that lead the lexer into every state, in any order, and bytes of all kinds between them.
fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "select ", "in (", "array[", "values (", "'", "''", "E'", "\\'", "U&'", "uescape ", "\"", "$a$", "$$", "$1",
            "$", "/*", "/*+", "*/", "--", "\n", "(", ")", "[", "]", ",", ";", ".", ":", "::", ":=", "-", "+", "*", "?", "?|",
            "@", "1", ".5", "0x", "e", "null", "is ", "date ", "a", "with ", "prepare ", "as ", "begin atomic ", "case ",
            "end", "create function ", "x b'", "u&\"", "\\", "deallocate ", "all", "{", "}", "`", "/*!", "/*!50110", "/*M!", "#",
            "-- ", "@", "@@", "\\N", "0b1", "<=>", "begin ", "if ", "loop ", "then ", "identified ", "set password ",
        ]).prop_map(|s| s.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..6),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// A constant that holds SECRET, or its digits, in one of the forms of PostgreSQL.
fn secret() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "'zzqx'",
        "'it''s zzqx'",
        "'zzqx'''",
        "''' zzqx '",
        r"E'\'zzqx\\'",
        r"e'a\' zzqx \'b'",
        r"U&'zzqx\0061'",
        "U&'!0061zzqx' UESCAPE '!'",
        "N'zzqx'",
        "B'zzqx'",
        "x'zzqx'",
        "$$zzqx$$",
        "$$ ' \" zzqx ' $$",
        "$a$ $$ zzqx $b$ $a$",
        "'a'\n  'zzqx'",
        "E'a\\''\n'zzqx\\''",
        "'a' -- 'b\n 'zzqx'",
        "'-- zzqx'",
        "'/* zzqx'",
        "'\\ zzqx\\'",
        "'zzqx\n;'",
        "77701",
        "-77701",
        "777.01",
        ".77701",
        "7e77",
        "0x77",
        "7_7_7",
        "- 77701",
        "+77701",
        "DATE 'zzqx'",
        "INTERVAL '77 zzqx'",
        "timestamp with time zone 'zzqx'",
        "'zzqx'::text",
        "CAST('zzqx' AS text)",
        "ARRAY['zzqx', 'zzqx']",
        "'{zzqx,\"zzqx\"}'::text[]",
        "ROW('zzqx', 77)",
        "$x$zzqx'$x$",
        "'zzqx' || 77",
    ])
    .prop_map(str::to_owned)
}

/// A statement with holes for constants (`{}`) and for white space or comments (a blank).
fn template() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "select a from t where b = {} and c > {}",
        "select {} , f( {} , a ) from t as u where u.x in ( {} , {} ) limit {}",
        "insert into t ( a , b ) values ( {} , {} ) , ( {} , {} ) on conflict ( a ) do update set b = {} returning a",
        "update t set a = {} , b = b || {} where c between {} and {}",
        "with x as ( select {} as a ) select a from x where a like {} order by a",
        "delete from t where a = {} or a is null and b ?| array [ {} , {} ]",
        "select case when a = {} then {} else {} end from t",
        "set x to {}",
        "alter role bob set password = {}",
        "/*+ SeqScan( t ) Set( a {} ) */ select a from t where b = {}",
        "call p ( {} , x => {} )",
        "select a from t where a in ( $1 , $2 , $3 ) and b = $4 or c in ( {} , $5 ) and d = $6",
        "select a from t where ( a , b ) in ( ( $1 , {} ) , ( $2 , {} ) ) and c = array [ [ {} , {} ] , [ {} , {} ] ] and d = $3",
    ])
}

fn blank() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        " ",
        "  ",
        "\n",
        "\t",
        " /* zzqx 77 */ ",
        " -- zzqx 'x\n",
        "/* /* zzqx */ ' */",
    ])
}

fn fill(template: &str, constants: &[String], blanks: &[&str]) -> String {
    let mut constants = constants.iter().cycle();
    let mut blanks = blanks.iter().cycle();
    let mut out = String::new();
    let mut rest = template;
    // A comment within a hint would be a hint of its own kind; its inside keeps plain blanks.
    while let Some(at) = rest.find([' ', '{']) {
        out.push_str(&rest[..at]);
        let in_hint = out.contains("/*+") && !out.contains(") */");
        if rest[at..].starts_with("{}") {
            out.push_str(if in_hint { "'zzqx 77'" } else { constants.next().map_or("1", |c| c) });
            rest = &rest[at + 2..];
        } else {
            out.push_str(if in_hint { " " } else { blanks.next().unwrap_or(&" ") });
            rest = &rest[at + 1..];
        }
    }
    out + rest
}

fn leaks(text: &str) -> bool {
    text.contains("zzqx") || text.contains('7')
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    /// Case 79.
    #[test]
    fn any_bytes_are_harmless(sql in any_bytes(), truncated: bool) {
        for dialect in DIALECTS {
            let mut texts = Texts::new(10);
            let id = intern(&mut texts, dialect, &sql, truncated).0.text;
            let text = &texts.get(id).text;
            prop_assert!(!text.chars().any(char::is_control), "{text:?}");
            prop_assert!(!text.is_empty());
            let pieces: usize = statements(dialect, &sql).map(<[u8]>::len).sum();
            prop_assert!(pieces <= sql.len());
        }
        let _: super::Effect<'_> = effect(&sql);
    }

    /// Positions are what the form shows. (Not where it was shown before: there a `?` may be an operator as well.)
    #[test]
    fn every_position_is_shown(sql in any_bytes(), truncated: bool, dialect in prop::sample::select(&DIALECTS)) {
        prop_assume!(!sql.contains(&b'?') || dialect != Dialect::Postgresql);
        let mut texts = Texts::new(10);
        let (interned, positions, _) = intern(&mut texts, dialect, &sql, truncated);
        let form = &texts.get(interned.text).text;
        prop_assert_eq!(positions.len(), shown_positions(dialect, form).min(256), "{:?}", form);
        let literals = positions.iter().filter(|position| position.literal).count();
        let highest = positions.iter().filter(|position| !position.literal).map(|position| position.number).max();
        let numbers = positions.iter().filter(|position| position.literal).map(|position| position.number);
        let from = highest.unwrap_or(0);
        prop_assert!(numbers.enumerate().all(|(n, number)| usize::from(number) == (usize::from(from) + n + 1).min(65_535)));
        // A `?` of MySQL may be a parameter.
        prop_assert!(sql.contains(&b'?') || literals <= texts.literals().len());
    }

    /// A value for every position, and the same ones again.
    #[test]
    fn every_position_has_its_value(sql in any_bytes(), truncated: bool, dialect in prop::sample::select(&DIALECTS)) {
        let mut texts = Texts::new(10);
        let first = intern(&mut texts, dialect, &sql, truncated);
        prop_assert_eq!(intern(&mut texts, dialect, &sql, truncated), first.clone());
        let (interned, positions, values) = first;
        if interned.layout != super::LayoutId::PARAMETERS {
            prop_assert_eq!(values.len(), positions.len());
        }
    }

    /// What positions there are is decided by the form alone; a cut leaves a beginning of them.
    #[test]
    fn positions_belong_to_the_form(
        template in template(),
        a in prop::collection::vec(plain_constant(), 1..6),
        b in prop::collection::vec(plain_constant(), 1..6),
    ) {
        let (a, b) = (fill(template, &a, &[" "]), fill(template, &b, &["\n"]));
        let of = |sql: &[u8], truncated| intern(&mut Texts::new(10), Dialect::Postgresql, sql, truncated);
        let (whole, other) = (of(a.as_bytes(), false), of(b.as_bytes(), false));
        prop_assert_eq!(&whole.1, &other.1);
        let mut texts = Texts::new(10);
        intern(&mut texts, Dialect::Postgresql, a.as_bytes(), false);
        for cut in 0..=b.len() {
            let (interned, positions, values) = intern(&mut texts, Dialect::Postgresql, &b.as_bytes()[..cut], true);
            prop_assert!(values.len() <= whole.1.len());
            let alone = of(&b.as_bytes()[..cut], true).1;
            let kinds = |positions: &[Position]| positions.iter().map(|p| p.literal).collect::<Vec<_>>();
            prop_assert!(kinds(&whole.1).starts_with(&kinds(&alone)), "{:?}", &b[..cut]);
            prop_assert_eq!(values.len(), alone.len());
            prop_assert!(positions == whole.1 || texts.get(interned.text).text == "…");
        }
    }

    /// A form is its own form. (Not for text that is no SQL: there a `?` may be the operator as well.)
    #[test]
    fn normalising_twice_changes_nothing(
        template in template(),
        constants in prop::collection::vec(secret(), 1..6),
        blanks in prop::collection::vec(blank(), 1..6),
    ) {
        let once = shown(fill(template, &constants, &blanks).as_bytes(), false);
        prop_assert_eq!(shown(once.as_bytes(), false), once);
    }

    /// Case 78. Also cut at any byte, and also when nobody says that it was cut.
    #[test]
    fn no_constant_is_ever_shown(
        template in template(),
        constants in prop::collection::vec(secret(), 1..6),
        blanks in prop::collection::vec(blank(), 1..6),
    ) {
        let sql = fill(template, &constants, &blanks);
        for cut in 0..=sql.len() {
            for truncated in [false, true] {
                let text = shown(&sql.as_bytes()[..cut], truncated);
                prop_assert!(!leaks(&text), "{text:?} of {:?}", String::from_utf8_lossy(&sql.as_bytes()[..cut]));
            }
        }
    }

    /// Case 78.
    #[test]
    fn constants_and_blanks_decide_nothing(
        template in template(),
        a in prop::collection::vec(plain_constant(), 1..6),
        b in prop::collection::vec(plain_constant(), 1..6),
        blanks_a in prop::collection::vec(blank(), 1..6),
        blanks_b in prop::collection::vec(blank(), 1..6),
    ) {
        let (a, b) = (fill(template, &a, &blanks_a), fill(&template.to_uppercase(), &b, &blanks_b));
        let mut texts = Texts::new(10);
        let (a_id, b_id) = (texts.intern_sql(a.as_bytes(), false), texts.intern_sql(b.as_bytes(), false));
        prop_assert_eq!(a_id, b_id, "{} / {}", &texts.get(a_id).text, &texts.get(b_id).text);
    }

    /// Case 78: no list's length decides, neither of constants nor of parameters.
    #[test]
    fn lengths_of_lists_decide_nothing(n in 1usize..40, m in 1usize..40, params: bool) {
        let list = |from: usize, len: usize| {
            let item = |i: usize| if params { format!("${}", from + i) } else { format!("'v{i}'") };
            (0..len).map(item).collect::<Vec<_>>().join(", ")
        };
        let rows = |from: usize, len: usize| {
            (0..len).map(|i| format!("({})", list(from + 2 * i, 2))).collect::<Vec<_>>().join(",")
        };
        let sql = |len: usize| format!(
            "insert into t select * from (values {}) v where a in ({}) and b = array[{}] and c = {}",
            rows(1, len), list(2 * len + 1, len), list(3 * len + 1, len), list(4 * len + 1, 1),
        );
        prop_assert_eq!(shown(sql(n).as_bytes(), false), shown(sql(m).as_bytes(), false));
        let (a, b) = (intern(&mut Texts::new(10), Dialect::Postgresql, sql(n).as_bytes(), false), intern(&mut Texts::new(10), Dialect::Postgresql, sql(m).as_bytes(), false));
        prop_assert_eq!(&a.1, &b.1);
        prop_assert_eq!(a.1.len(), 5);
    }

    /// Case 77: cut anywhere, it joins the one whole statement that it is a part of.
    #[test]
    fn every_cut_joins_its_statement(
        template in template(),
        constants in prop::collection::vec(secret(), 1..6),
        blanks in prop::collection::vec(blank(), 1..6),
    ) {
        let sql = fill(template, &constants, &blanks);
        for cut in 0..=sql.len() {
            let mut texts = Texts::new(10);
            let whole = texts.intern_sql(sql.as_bytes(), false);
            let part = texts.intern_sql(&sql.as_bytes()[..cut], true);
            if texts.get(part).text != "…" {
                prop_assert_eq!(whole, part, "{} / {}", &texts.get(whole).text, &texts.get(part).text);
            }
        }
    }
}

/// A constant without a cast, a type name or an expression.
fn plain_constant() -> impl Strategy<Value = String> {
    secret().prop_filter("one constant", |s| {
        let first = s.trim_start_matches(['-', '+', ' ']);
        !["DATE", "INTERVAL", "timestamp", "CAST", "ARRAY", "ROW"].iter().any(|w| first.starts_with(w))
            && !s.contains("::")
            && !s.contains(" || ")
    })
}
