//! The same for MySQL's rules.

use proptest::prelude::*;

use super::super::lexer::{Kind, Lexer};
use super::super::{Dialect, Interned, Position, Texts};
use super::{fill, leaks};
use crate::time::Nanos;
use crate::value::Value;

fn intern(texts: &mut Texts, dialect: Dialect, sql: &[u8], truncated: bool) -> Interned {
    texts.intern(dialect, sql, truncated, Nanos::default())
}

fn shown(dialect: Dialect, sql: &[u8], truncated: bool) -> String {
    let mut texts = Texts::new(10);
    let id = intern(&mut texts, dialect, sql, truncated).text;
    texts.get(id).text.clone()
}

/// Positions, and the values of an execution with as many parameters as there are, which are their numbers.
fn positions(dialect: Dialect, sql: &[u8]) -> (Vec<Position>, Vec<Value>) {
    let mut texts = Texts::new(10);
    let interned = intern(&mut texts, dialect, sql, false);
    let (literals, mut values) = (texts.literals().to_vec(), Vec::new());
    let markers = Lexer::new(dialect, sql).filter(|token| token.kind == Kind::Param).count();
    let parameters = (1i64..).take(markers).map(|n| texts.extractor_mut().integer(n));
    let parameters: Vec<Value> = parameters.collect();
    texts.assemble(interned.layout, &parameters, &literals, &mut values);
    (texts.get(interned.text).positions.to_vec(), values)
}

/// A constant that holds SECRET, or its digits, in one of the forms that both settings of backslashes read alike.
fn secret() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "'zzqx'",
        "\"zzqx\"",
        "'it''s zzqx'",
        "\"say \"\"zzqx\"\"\"",
        "\"it's zzqx\"",
        "'say \"zzqx'",
        "'zzqx'''",
        "''' zzqx '",
        r"'it\'s zzqx'",
        r"'a\\ zzqx'",
        r"'zzqx\n;'",
        "N'zzqx'",
        "b'zzqx'",
        "x'zzqx'",
        "X'7777'",
        "'a' 'zzqx'",
        "'a'\n  \"zzqx\"",
        "'a'/* ' */'zzqx'",
        "'a' -- 'b\n 'zzqx'",
        "'-- zzqx'",
        "'# zzqx'",
        "'/* zzqx'",
        "'zzqx */'",
        "'zzqx\n;'",
        "77701",
        "-77701",
        "777.01",
        ".77701",
        "7.",
        "7e77",
        "7.7E-7",
        "0x77",
        "0b1",
        "- 77701",
        "+77701",
        "?",
        "\\N",
    ])
    .prop_map(str::to_owned)
}

/// As [`super::template`].
fn template() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "select a from t where b = {} and c > {}",
        "select {} , f( {} , a ) from `t` as u where u.x in ( {} , {} ) limit {} , {}",
        "insert into t ( a , b ) values ( {} , {} ) , ( {} , {} ) on duplicate key update b = {}",
        "insert into t set a = {} , b = concat( {} , c )",
        "replace into t values ( {} , {} )",
        "update t set a = {} , b = b || {} where c between {} and {}",
        "with x as ( select {} as a ) select a from x where a like {} order by a",
        "select case when a = {} then {} else {} end from t",
        "set @x := {} , @@session.y = {}",
        "create user bob identified by {}",
        "select /*+ MAX_EXECUTION_TIME( {} ) */ a from t where b = {}",
        "/*!50110 select */ a from t where b <=> {} /*! and c = {} */",
        "call p ( {} , @o )",
        "select a from t where ( a , b ) in ( ( ? , {} ) , ( ? , {} ) ) and d = ? or c in ( {} , ? )",
    ])
}

fn blank() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        " ",
        "  ",
        "\n",
        "\t",
        " /* zzqx 77 ' */ ",
        " -- zzqx 'x\n",
        " # zzqx \"x\n",
        "/* /* zzqx */",
        " --\n",
    ])
}

fn dialect() -> impl Strategy<Value = Dialect> {
    prop::sample::select(vec![Dialect::Mysql, Dialect::MysqlNoBackslashEscapes])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    /// Case 78. Also cut at any byte, and also when nobody says that it was cut.
    #[test]
    fn no_constant_is_ever_shown(
        dialect in dialect(),
        template in template(),
        constants in prop::collection::vec(secret(), 1..6),
        blanks in prop::collection::vec(blank(), 1..6),
    ) {
        let sql = fill(template, &constants, &blanks);
        for cut in 0..=sql.len() {
            for truncated in [false, true] {
                let text = shown(dialect, &sql.as_bytes()[..cut], truncated);
                prop_assert!(!leaks(&text), "{text:?} of {:?}", String::from_utf8_lossy(&sql.as_bytes()[..cut]));
            }
        }
    }

    /// A form is its own form.
    #[test]
    fn normalising_twice_changes_nothing(
        dialect in dialect(),
        template in template(),
        constants in prop::collection::vec(secret(), 1..6),
        blanks in prop::collection::vec(blank(), 1..6),
    ) {
        let once = shown(dialect, fill(template, &constants, &blanks).as_bytes(), false);
        prop_assert_eq!(shown(dialect, once.as_bytes(), false), once);
    }

    /// Case 78. A parameter is like a constant.
    #[test]
    fn constants_and_blanks_decide_nothing(
        dialect in dialect(),
        template in template(),
        a in prop::collection::vec(secret(), 1..6),
        b in prop::collection::vec(secret(), 1..6),
        blanks_a in prop::collection::vec(blank(), 1..6),
        blanks_b in prop::collection::vec(blank(), 1..6),
    ) {
        let upper = template.to_uppercase().replace("`T`", "`t`");
        let (a, b) = (fill(template, &a, &blanks_a), fill(&upper, &b, &blanks_b));
        let mut texts = Texts::new(10);
        let a_id = intern(&mut texts, dialect, a.as_bytes(), false).text;
        let b_id = intern(&mut texts, dialect, b.as_bytes(), false).text;
        prop_assert_eq!(a_id, b_id, "{} / {}", &texts.get(a_id).text, &texts.get(b_id).text);
        let (a, b) = (positions(dialect, a.as_bytes()), positions(dialect, b.as_bytes()));
        prop_assert_eq!(&a.0, &b.0);
        prop_assert_eq!(a.0.len(), texts.get(a_id).text.replace("MAX_EXECUTION_TIME(?)", "").replace("max_execution_time(?)", "").matches('?').count());
        prop_assert_eq!(a.1.len(), a.0.len());
    }

    /// Case 78: no list's length decides, neither of constants nor of parameters, nor where a value stands.
    #[test]
    fn lengths_of_lists_decide_nothing(n in 1usize..20, m in 1usize..20, params: bool) {
        let list = |len: usize| vec![if params { "?" } else { "'v'" }; len].join(", ");
        let rows = |len: usize| vec![format!("({})", list(2)); len].join(",");
        let sql = |len: usize| format!("insert into t select * from (values {}) v where a in ({}) and c = ?", rows(len), list(len));
        let of = |len: usize| positions(Dialect::Mysql, sql(len).as_bytes());
        prop_assert_eq!(shown(Dialect::Mysql, sql(n).as_bytes(), false), shown(Dialect::Mysql, sql(m).as_bytes(), false));
        let (a, b) = (of(n), of(m));
        prop_assert_eq!(&a.0, &b.0);
        let numbers: Vec<u16> = a.0.iter().map(|position| position.number).collect();
        prop_assert_eq!(numbers, [1, 2, 3, 4]);
        // The last parameter is behind those of the lists.
        let last = if params { 3 * n + 1 } else { 1 };
        let remainder = Some(u16::try_from(last % 10).unwrap());
        prop_assert_eq!(a.1[3].remainder(10), remainder);
    }

    /// Case 77: cut anywhere, it joins the one whole statement that it is a part of.
    #[test]
    fn every_cut_joins_its_statement(
        dialect in dialect(),
        template in template(),
        constants in prop::collection::vec(secret(), 1..6),
        blanks in prop::collection::vec(blank(), 1..6),
    ) {
        let sql = fill(template, &constants, &blanks);
        for cut in 0..=sql.len() {
            let mut texts = Texts::new(10);
            let whole = intern(&mut texts, dialect, sql.as_bytes(), false).text;
            let part = intern(&mut texts, dialect, &sql.as_bytes()[..cut], true).text;
            if texts.get(part).text != "…" {
                prop_assert_eq!(whole, part, "{} / {}", &texts.get(whole).text, &texts.get(part).text);
            }
        }
    }
}
