//! What stands at the positions of a statement, and the values that an execution gets of them.

use super::super::layout::LayoutId;
use super::super::normalize::Normalizer;
use super::super::{Dialect, TextId, Texts};
use super::Written;
use crate::time::Nanos;
use crate::value::{Extractor, Value};

const AT: Nanos = Nanos::from_secs(100);

/// `$1=$1 $2=[$2 $3] ?3=-5 ?4=_`: the positions with what stands at each; `_` is nothing that may be known.
fn written(sql: &str, truncated: bool) -> String {
    let mut normalizer = Normalizer::new();
    normalizer.run(Dialect::Postgresql, sql.as_bytes(), truncated);
    let slots = normalizer.slots().iter().map(|(position, members)| {
        let mut all = Vec::new();
        for member in members {
            let member = match member {
                Written::Parameter(n) => format!("${n}"),
                Written::Literal(start, end, negative) => {
                    format!("{}{}", if negative { "-" } else { "" }, &sql[start..end])
                }
            };
            if !member.starts_with('$') || member.starts_with("$$") || !all.contains(&member) {
                all.push(member);
            }
        }
        let sign = if position.literal { '?' } else { '$' };
        let value = match all.as_slice() {
            [] => "_".to_owned(),
            [only] => only.clone(),
            _ => format!("[{}]", all.join(" ")),
        };
        format!("{sign}{}={value}", position.number)
    });
    slots.collect::<Vec<_>>().join(" ")
}

/// Parameter n of an execution, which has twenty.
fn parameter(n: u64, extractor: &mut Extractor) -> Value {
    match i64::try_from(n) {
        Ok(n @ 1..=20) => extractor.integer(1_000_000 + n),
        _ => Value::UNSEEN,
    }
}

/// The value that stands behind `=` in what [`written`] says.
fn value(text: &str, extractor: &mut Extractor) -> Value {
    let number = text.strip_prefix('$').and_then(|n| n.parse().ok());
    match (text, number) {
        ("_", _) => Value::UNSEEN,
        (_, Some(n)) => parameter(n, extractor),
        _ => match text.strip_prefix('-') {
            Some(rest) => extractor.literal(rest.as_bytes(), true, AT),
            None => extractor.literal(text.as_bytes(), false, AT),
        },
    }
}

fn values(expected: &str, extractor: &mut Extractor) -> Vec<Value> {
    let mut values = Vec::new();
    let mut rest = expected;
    while let Some((_, behind)) = rest.split_once('=') {
        let list = behind.strip_prefix('[').and_then(|list| list.split_once(']'));
        let (text, behind) = list.unwrap_or_else(|| behind.split_once(' ').unwrap_or((behind, "")));
        let all: Vec<Value> = text.split(' ').map(|text| value(text, extractor)).collect();
        values.push(if list.is_some() { extractor.list(&all) } else { all[0] });
        rest = behind;
    }
    values
}

/// The values of an execution with twenty parameters.
fn execution(texts: &mut Texts, sql: &str, truncated: bool) -> (TextId, LayoutId, Vec<Value>) {
    let interned = texts.intern(Dialect::Postgresql, sql.as_bytes(), truncated, AT);
    let literals = texts.literals().to_vec();
    let parameters: Vec<Value> = (1..=20).map(|n| parameter(n, texts.extractor_mut())).collect();
    let mut out = Vec::new();
    texts.assemble(interned.layout, &parameters, &literals, &mut out);
    (interned.text, interned.layout, out)
}

fn check_with(sql: &str, truncated: bool, expected: &str) {
    assert_eq!(written(sql, truncated), expected, "of {sql:?}");
    let mut texts = Texts::new(10);
    let (text, layout, first) = execution(&mut texts, sql, truncated);
    let positions = texts.get(text).positions.len();
    let expected = values(expected, texts.extractor_mut());
    assert_eq!(positions, expected.len(), "of {sql:?}");
    assert_eq!(first.get(..positions).unwrap(), expected, "of {sql:?}");
    let all_parameters = layout == LayoutId::PARAMETERS;
    assert_eq!(first.len(), if all_parameters { 20 } else { positions }, "of {sql:?}");
    assert_eq!(execution(&mut texts, sql, truncated), (text, layout, first), "remembered, {sql:?}");
}

fn check(sql: &str, expected: &str) {
    check_with(sql, false, expected);
}

/// The text was cut.
fn check_cut(sql: &str, expected: &str) {
    check_with(sql, true, expected);
}

/// The layout of these is that of parameters alone.
fn check_parameters(sql: &str, expected: &str) {
    check(sql, expected);
    let interned = Texts::new(10).intern(Dialect::Postgresql, sql.as_bytes(), false, AT);
    assert_eq!(interned.layout, LayoutId::PARAMETERS, "of {sql:?}");
}

#[test]
fn parameters() {
    check_parameters("select now()", "");
    check_parameters("select a from t where b = $1 and c = $2", "$1=$1 $2=$2");
    check_parameters("select a from t where b = $1 and c = $2 or d = $1", "$1=$1 $2=$2");
    check("select a from t where b = $2 and c = $1", "$2=$2 $1=$1");
    check("select a from t where b = $2", "$2=$2");
    check("update t set a = $3 where b = $1 returning $3", "$3=$3 $1=$1");
    check("select $0, $21, $99999999999999999999", "$0=$0 $21=$21 $65535=$18446744073709551615");
}

#[test]
fn literals() {
    check("select 1", "?1=1");
    check("select 1 from t where a = 'x' limit 20;", "?1=1 ?2='x' ?3=20");
    check("select 1.5e3, .5, 0x1F from t", "?1=1.5e3 ?2=.5 ?3=0x1F");
    check(
        "select 'it''s', E'a\\'b', U&'d', B'01', x'ff', n'y', $$a$$, $q$b$q$",
        "?1='it''s' ?2=E'a\\'b' ?3=U&'d' ?4=B'01' ?5=x'ff' ?6=n'y' ?7=$$a$$ ?8=$q$b$q$",
    );
    check("select 'a'\n'b', 2", "?1='a'\n'b' ?2=2");
    check("select u&'d!0061' uescape '!', 2", "?1=_ ?2=2");
    check("insert into t (a) values (null, TRUE, false)", "?1=null ?2=TRUE ?3=false");
    check("select a from t where a is null and b is not true and c = 7", "?1=7");
    check("select a[1], a[2:3], cast('x' as varchar(10))", "?1=1 ?2=2 ?3=3 ?4='x' ?5=10");
    check("select DATE '2020-01-01', '1'::int", "?1='2020-01-01' ?2='1'");
    check("execute q(1,'x')", "?1=1 ?2='x'");
    check("select 1 /* 2 */, -- 3\n4", "?1=1 ?2=4");
    check("/*+ Set(a 1) */ select 2 /*+ Rows(a b #10) */, 'x'", "?1=2 ?2='x'");
    check("select data ? 'a', data ?| array['b']", "?1='a' ?2='b'");
}

#[test]
fn literals_count_on_behind_the_parameters() {
    check("select a from t where b = $1 and c = 5", "$1=$1 ?2=5");
    check("select a from t where b = 5 and c = $2 and d = 'x' and e = $1", "?3=5 $2=$2 ?4='x' $1=$1");
    check("select a from t where b = $1 limit 5 offset $7", "$1=$1 ?8=5 $7=$7");
}

#[test]
fn signs() {
    check("select -5", "?1=-5");
    check("select - 5, +5, - -5, -+5, + - - -5", "?1=-5 ?2=5 ?3=5 ?4=-5 ?5=-5");
    check("select a - 5, a -5, (a)-5, 2-1", "?1=5 ?2=5 ?3=5 ?4=2 ?5=1");
    check("select a from t where a = -1 and b between -5 and - 2", "?1=-1 ?2=-5 ?3=-2");
    check("select -$1, -a, @ -5, -(5)", "$1=$1 ?2=-5 ?3=5");
    check("select - /*+ a */ 5", "?1=-5");
    check("select * from t where a in (-1, 2, - -3)", "?1=[-1 2 3]");
}

#[test]
fn lists() {
    check("select * from t where a in ($1)", "$1=$1");
    check("select * from t where a in ($1,$2,$3)", "$1=[$1 $2 $3]");
    check("select * from t where a in ($1,$2,$3) and b = $4", "$1=[$1 $2 $3] $2=$4");
    check(
        "select * from t where a = $1 and b in ($2,$3) and c in ($4,$5) and d = $6",
        "$1=$1 $2=[$2 $3] $3=[$4 $5] $4=$6",
    );
    check("select * from t where a in (1)", "?1=1");
    check("select * from t where a in (1,2,3) and b = 4", "?1=[1 2 3] ?2=4");
    check("select * from t where a in ('a', null, 'a') and b = $1", "?2=['a' null 'a'] $1=$1");
    check("select * from t where a in ($1::int, $2::int)", "$1=[$1 $2]");
    check("select * from t where a in (lower('a'), lower('b'), upper('c'))", "?1=['a' 'b'] ?2='c'");
    check("select * from t where a in (1, b, 2, 3)", "?1=1 ?2=[2 3]");
    check("select * from t where a in (select 1, 2 from u)", "?1=1 ?2=2");
    check("select f(1, 2, 3)", "?1=1 ?2=2 ?3=3");
    check("select * from t where (a, b) in ((1, 'x'), (2, 'y'))", "?1=[1 2] ?2=['x' 'y']");
    check("select * from t where (a, b) in (($1, $2), ($3, $4)) and c = $5", "$1=[$1 $3] $2=[$2 $4] $3=$5");
    check("insert into t values (1, 'a'), (2, 'b'), (3, 'c')", "?1=[1 2 3] ?2=['a' 'b' 'c']");
    check("insert into t values ($1, $2), ($3, $4) on conflict do nothing", "$1=[$1 $3] $2=[$2 $4]");
    check("insert into t values ($1,$2,now()),($3,$4,now()) returning a + $5", "$1=[$1 $3] $2=[$2 $4] $3=$5");
    check("insert into t values (1), (default), (2)", "?1=1 ?2=2");
    check("select array[1,2,3], array['a']", "?1=[1 2 3] ?2='a'");
    check("select array[[1,2],[3,4],[5,6]]", "?1=[1 2 3 4 5 6]");
    check("select array[[$1,$2],[$3,$4]], $5", "$1=[$1 $2 $3 $4] $2=$5");
    check("insert into t values (1, array[1,2]), (3, array[4])", "?1=[1 3] ?2=[1 2 4]");
    check("select * from t where a in (f(array[1,2]), f(array[3]))", "?1=[1 2 3]");
    check("select * from t where a in (values (1), (2))", "?1=[1 2]");
}

#[test]
fn parameters_and_literals_in_one_list() {
    check("select * from t where a in ($1, 5, $2, 6)", "$1=[$1 5 $2 6]");
    check("select * from t where a in (5, $1, 6) and b = 7", "?1=[5 $1 6] ?2=7");
    check("insert into t values ($1, 'a'), ('b', $2)", "$1=[$1 'b'] ?2=['a' $2]");
    check("insert into t values ($1, 'a'), ($2, 'b') returning $3", "$1=[$1 $2] ?3=['a' 'b'] $2=$3");
}

/// One position, with every parameter that stands there.
#[test]
fn a_parameter_twice() {
    check("select * from t where a in ($1,$2) or b in ($1,$2)", "$1=[$1 $2]");
    check("select * from t where a in ($1,$2) or b in ($1,$2,$3)", "$1=[$1 $2 $3]");
    check("select * from t where a in ($1, $1)", "$1=$1");
    check("select * from t where a in ($2, $1, $4, $6, $8, $4, $9)", "$2=[$2 $1 $4 $6 $8 $9]");
    // Both are shown as `$2`.
    check("select * from t where a in ($1,$2,$3) and b = $2 and c = $4", "$1=[$1 $2 $3] $2=[$2 $4]");
}

/// Text that was normalised before.
#[test]
fn placeholders() {
    check("select a from t where b = ? limit ?", "?1=_ ?2=_");
    check("select * from t where a in (?) and b = $1", "?2=_ $1=$1");
    check("select * from t where a in (?, 5)", "?1=_");
    check("select * from t where a in (5, ?) and b = 6", "?1=_ ?2=6");
    check("select array[[1, 2], [3, ?]], 6", "?1=_ ?2=6");
    check("/*+ Set(a ?) */ select ?", "?1=_");
}

/// Case 78.
#[test]
fn passwords() {
    check("alter role bob password 'x'", "?1=_");
    check("create user bob with ENCRYPTED PASSWORD E'x' valid until '2030-01-01'", "?1=_ ?2='2030-01-01'");
    check("create user bob password $$x$$ connection limit 5", "?1=_ ?2=5");
    check("alter user mapping for u server s options (set user 'bob', set password 'x')", "?1='bob' ?2=_");
    check("create user mapping for u server s options (password 'x', user 'bob')", "?1=_ ?2='bob'");
    check("create user mapping for u server s options (\"password\" 'x')", "?1=_");
    check("set password = 'x'", "?1=_");
    check("set my.password to 'x'", "?1=_");
    check("set password = password('x')", "?1=_");
    check("create user 'bob' identified by 'x'", "?1='bob' ?2=_");
    check("create user bob identified with caching_sha2_password by 'x'", "?1=_");
    check("create subscription s connection 'host=a' publication p", "?1=_");
    check("select * from dblink('host=a PassWord=x', 'select_1')", "?1=_ ?2='select_1'");
    check("update users set user_password = 'x', age = 5 where id = 7", "?1=_ ?2=5 ?3=7");
    check("update users set passwd = $1 where id = $2", "$1=_ $2=$2");
    check("select * from users where password = md5('x') and id = 5", "?1=_ ?2=5");
    check("select array['a', 'host=a password=x'], 'b'", "?1=_ ?2='b'");
    check("select crypt('x', 'salt')", "?1=_ ?2='salt'");
    check("select * from users where password in ('x', 'y') and id = 5", "?1=_ ?2=5");
    check("insert into users (name, password) values ('x', 5)", "?1='x' ?2=5");
    check("select password, 5 from users where password is not null and id = 7", "?1=5 ?2=7");
    check("select 'x' from passage where way = 'pass'", "?1='x' ?2='pass'");
}

/// Case 77. What is left is a beginning of the positions; what the cut leaves open has no value.
#[test]
fn cut_texts() {
    check_cut("select a from t where b = $1 and c = 5 and d", "$1=$1 ?2=5");
    check_cut("select a from t where b = 5 and c = $1", "?1=5");
    check_cut("select a from t where b = 5 and c = 'x", "?1=5 ?2=_");
    check_cut("select a from t where b = 5 and c = 'x'", "?1=5 ?2=_");
    check_cut("select a from t where b = 5 and c = 12", "?1=5 ?2=_");
    check_cut("select a from t where b = 5 and c = 12 ", "?1=5 ?2=12");
    check_cut("select a from t where b = 5 and c = - ", "?1=5");
    check_cut("select a from t where b in (1, 2, 3", "?1=_");
    check_cut("select a from t where b in (1, 2, ", "?1=_");
    check_cut("select a from t where b = 5 and c in ($1, $2, ", "?2=5 $1=_");
    check_cut("select a from t where b in (1, 2) and c in (1, f(", "?1=[1 2] ?2=1");
    check_cut("select a from t where b in (1, 2, x, 3, ", "?1=[1 2] ?2=_");
    check_cut("insert into t values (1, 2), (3, 4), (5, ", "?1=_ ?2=_");
    check_cut("insert into t values (1, array[1,2]), (3, array[1, ", "?1=_ ?2=_");
    check_cut("insert into t values (1, 2)", "?1=_ ?2=_");
    check_cut("sel", "");
    // Nobody says that it was cut.
    check("select a from t where b = 5 and c = 'x", "?1=5 ?2=_");
    check("select $x$ abc", "?1=_");
    check("select \"abc", "?1=_");
}

#[test]
fn a_cut_text_is_a_beginning_of_its_statement() {
    let mut texts = Texts::new(10);
    let (whole, ..) = execution(&mut texts, "select 7 from t where a = $1 and b = 5 and c = $2", false);
    let (cut, layout, values) = execution(&mut texts, "select 8 from t where a = $1 an", true);
    assert_eq!((cut, layout == LayoutId::PARAMETERS), (whole, false));
    assert_eq!(values, [value("8", texts.extractor_mut()), value("$1", texts.extractor_mut())]);
    let (cut, layout, values) = execution(&mut texts, "sel", true);
    assert_eq!((texts.get(cut).text.as_str(), layout), ("…", LayoutId::NOTHING));
    assert_eq!(values, []);
}

#[test]
fn what_has_no_text_has_no_positions() {
    let mut texts = Texts::new(10);
    for text in [texts.intern_prepared_before(b"p"), texts.label("(call)"), Texts::OTHER] {
        assert_eq!(texts.get(text).positions.len(), 0);
    }
    let empty = texts.intern(Dialect::Postgresql, b"/* 1 */", false, AT);
    assert_eq!((texts.get(empty.text).positions.len(), empty.layout), (0, LayoutId::PARAMETERS));
    let mut texts = Texts::new(1);
    let (text, layout, values) = execution(&mut texts, "select 1, $1", false);
    assert_eq!((text, layout, values.len()), (Texts::OTHER, LayoutId::NOTHING, 0));
    assert_eq!(texts.literals(), []);
}

#[test]
fn values_that_are_passed_over_are_nothing() {
    let mut texts = Texts::new(10);
    texts.pass_over_values();
    let first = execution(&mut texts, "select 1, $1", false);
    assert_eq!(
        (texts.get(first.0).text.as_str(), first.1, first.2.len()),
        ("select ?, $1", LayoutId::NOTHING, 0)
    );
    assert_eq!(texts.literals(), []);
    assert_eq!(execution(&mut texts, "select 1, $1", false), first);
}

#[test]
fn positions_are_bounded() {
    let mut texts = Texts::new(10);
    let sql = |item: &dyn Fn(usize) -> String| {
        format!("select {}", (1..=300).map(item).collect::<Vec<_>>().join(", "))
    };
    for (sql, literals) in [(sql(&|n| n.to_string()), 256), (sql(&|n| format!("${n}")), 0)] {
        let interned = texts.intern(Dialect::Postgresql, sql.as_bytes(), false, AT);
        assert_eq!(texts.get(interned.text).positions.len(), 256);
        assert_eq!(texts.literals().len(), literals);
        let (literals, mut out) = (texts.literals().to_vec(), Vec::new());
        texts.assemble(interned.layout, &[Value::NULL; 300], &literals, &mut out);
        assert_eq!(out.len(), 256);
    }
    // A literal in front counts on behind the highest parameter, also behind one that is left out.
    let interned = texts.intern(
        Dialect::Postgresql,
        format!("select 'x', {}", &sql(&|n| format!("${n}"))[7..]).as_bytes(),
        false,
        AT,
    );
    assert_eq!(texts.get(interned.text).positions[0].number, 301);
}

#[test]
fn long_lists() {
    let mut texts = Texts::new(10);
    let list = |n: usize| (0..n).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    for (n, elements) in [(5_000, 5_000), (70_000, u16::MAX)] {
        texts.intern(
            Dialect::Postgresql,
            format!("select * from t where a in ({})", list(n)).as_bytes(),
            false,
            AT,
        );
        assert_eq!(texts.literals().iter().map(Value::elements).collect::<Vec<_>>(), [elements]);
    }
    let parameters =
        |step: usize| (1..=30_000).map(|n| format!("${}", n * step % 30_011)).collect::<Vec<_>>();
    let all = vec![Value::NULL; 30_011];
    for (step, elements) in [(1, 30_000), (7_919, 1)] {
        let sql = format!("select * from t where a in ({})", parameters(step).join(","));
        let interned = texts.intern(Dialect::Postgresql, sql.as_bytes(), false, AT);
        let mut out = Vec::new();
        texts.assemble(interned.layout, &all, &[], &mut out);
        assert_eq!(out.iter().map(Value::elements).collect::<Vec<_>>(), [elements], "by {step}");
    }
}

/// The same form of parameters has the same layout, whatever the literals; others have their own.
#[test]
fn layouts_are_shared() {
    let mut texts = Texts::new(10);
    let mut layout = |sql: &str| texts.intern(Dialect::Postgresql, sql.as_bytes(), false, AT).layout;
    let first = layout("select a from t where b = $1 and c in (1, 2)");
    assert_eq!(layout("delete from u where b < $1 or c = 'x'"), first);
    assert_ne!(layout("select a from t where b = $2 and c = 5"), first);
    assert_ne!(layout("select a from t where c = 5 and b = $1"), first);
    let list = layout("select a from t where b in ($1, $2)");
    assert_ne!(list, LayoutId::PARAMETERS);
    assert_ne!(layout("select a from t where b in ($1, $2, $3)"), list);
    assert_eq!(layout("select a from u where b in ($1, $2)"), list);
}
