//! What texts become: examples by area, golden ids, and the table.

use super::{TextKind, Texts};

mod mysql;

/// One statement, whole: its shown form.
fn shown(sql: impl AsRef<[u8]>) -> String {
    let mut texts = Texts::new(10);
    let id = texts.intern_sql(sql.as_ref(), false);
    texts.get(id).text.clone()
}

fn check(input: impl AsRef<[u8]>, expected: &str) {
    assert_eq!(shown(&input), expected, "of {:?}", String::from_utf8_lossy(input.as_ref()));
    assert_eq!(shown(expected), expected, "a form is its own form");
}

/// A cut statement, alone in its table.
fn check_cut(input: &str, expected: &str) {
    let mut texts = Texts::new(10);
    let id = texts.intern_sql(input.as_bytes(), true);
    assert_eq!(texts.get(id).text, expected, "of {input:?}");
    assert!(texts.get(id).truncated);
}

fn check_same(a: &str, b: &str) {
    let mut texts = Texts::new(10);
    let (a_id, b_id) = (texts.intern_sql(a.as_bytes(), false), texts.intern_sql(b.as_bytes(), false));
    assert_eq!(a_id, b_id, "{a:?} and {b:?}: {} / {}", texts.get(a_id).text, texts.get(b_id).text);
}

fn check_different(a: &str, b: &str) {
    let mut texts = Texts::new(10);
    let (a_id, b_id) = (texts.intern_sql(a.as_bytes(), false), texts.intern_sql(b.as_bytes(), false));
    assert_ne!(a_id, b_id, "{a:?} and {b:?}: {}", texts.get(a_id).text);
}

fn check_operation(input: &str, expected: &str) {
    let mut texts = Texts::new(10);
    let id = texts.intern_sql(input.as_bytes(), false);
    assert_eq!(texts.get(id).operation, expected, "of {input:?}");
}

#[test]
fn strings() {
    check("select 'a'", "select ?");
    check("select ''", "select ?");
    check("select 'it''s'", "select ?");
    check("select ''''", "select ?");
    check(r"select 'C:\'", "select ?");
    check(r"select 'C:\', 'x'", "select ?, ?");
    check(r"select E'it\'s', 1", "select ?, ?");
    check(r"select e'\\', 'x'", "select ?, ?");
    check(r"select E'a''b\\\''", "select ?");
    check(r"select U&'d\0061t', 1", "select ?, ?");
    check(r"select u&'d!0061t' UESCAPE '!', 1", "select ?, ?");
    check(r"select u&'d!0061t'/* c */uescape/* c */'!' || x", "select ? || x");
    check("select B'1010', b'1', X'1F', x'ff', N'x', n'y'", "select ?, ?, ?, ?, ?, ?");
    check("select 'a'\n'b'", "select ?");
    check("select 'a' \n\t 'b'\r\n'c' as x", "select ? as x");
    check("select 'a' -- c 'x'\n  'b', 1", "select ?, ?");
    check("select E'a\\'b'\n'c\\'d', 1", "select ?, ?");
    check("select 'a;b', \"a;b\"", "select ?, \"a;b\"");
    check("select 'a--b', 1 -- x", "select ?, ?");
    check("select 'a/*b', 'c*/d'", "select ?, ?");
    check("select $$it's$$, 1", "select ?, ?");
    check("select $a$ $$ 'x' $b$ $a$, 1", "select ?, ?");
    check("select $ä_1$ x $ä_1$", "select ?");
    check("select a$b$c, $1", "select a$b$c, $1");
    check("do $$ begin perform 'secret'; end $$", "do ?");
    check("select 'unterminated", "select ?");
    check("select $x$ unterminated", "select ?");
    check("select \"unterminated", "select ?");
    check("select 'a'::text", "select ?::text");
    check("select 'a' :: text", "select ?::text");
    check("select cast('a' as varchar(10))", "select cast(? as varchar(?))");
}

/// Writers with standard_conforming_strings off.
#[test]
fn backslash_before_a_quote_within_a_word_is_an_escape() {
    check(r"select 'it\'s secret', x", "select ?, x");
    check(r"select 'C:\' as x", "select ? as x");
}

#[test]
fn numbers() {
    check("select 1, 1.5, .5, 1., 1e5, 1.5e-10, 2E+3", "select ?, ?, ?, ?, ?, ?, ?");
    check("select 0x1F, 0o17, 0b101, 1_000_000, 0xdead_beef", "select ?, ?, ?, ?, ?");
    check("select 12345678901234567890123", "select ?");
    check("select t1.c2 from t1", "select t1.c2 from t1");
    check("select a1, _1, x$1", "select a1, _1, x$1");
    check("select 123abc", "select ?");
    check("select a[1], a[1:2], a[:2], a[$1]", "select a[?], a[?:?], a[:?], a[$1]");
    // Letters right behind a number are an error since PostgreSQL 15.
    check("select 1from t", "select ? t");
    check("select 1 from t", "select ? from t");
}

#[test]
fn signs() {
    check("select -1", "select ?");
    check("select - 1", "select ?");
    check("select +1.5", "select ?");
    check("select - -1", "select ?");
    check("select a - 1, a -1, a-1", "select a - ?, a - ?, a - ?");
    check("select 2-1", "select ? - ?");
    check("select (a)-1, a[1]-1, \"a\"-1, $1-1", "select (a) - ?, a[?] - ?, \"a\" - ?, $1 - ?");
    check("select * from t where a=-1", "select * from t where a = ?");
    check("select * from t where a in (-1, +2, 3)", "select * from t where a in (?)");
    check("select * from t where a between -5 and -1", "select * from t where a between ? and ?");
    check("select a*-1, (-1), f(-1, -2)", "select a * ?, (?), f(?, ?)");
    check("select -a, -(1), -$1, - f(1)", "select -a, -(?), -$1, -f(?)");
    check("select case when a then -1 else -2 end - 3", "select case when a then ? else ? end - ?");
    check("select * from t limit -1 offset - 2", "select * from t limit ? offset ?");
    check("select a --1\n", "select a");
    check("select 1 @ -1, ~1, @ -5, !!x, |/ 25", "select ? @ ?, ~ ?, @ ?, !!x, |/ ?");
    check("insert into t values (-1) returning -1", "insert into t values (?) returning ?");
}

#[test]
fn constants_by_name() {
    check("select true, FALSE, null, a", "select ?, ?, ?, a");
    check("select * from t where a = true and b = NULL", "select * from t where a = ? and b = ?");
    check("select * from t where a is null", "select * from t where a is null");
    check("select * from t where a IS NOT TRUE", "select * from t where a IS NOT TRUE");
    check("select * from t where a is distinct from null", "select * from t where a is distinct from null");
    check("insert into t values (null, true, 1)", "insert into t values (?, ?, ?)");
    check("create table t (a int not null, b int null)", "create table t (a int not null, b int null)");
    check(
        "alter table t add foreign key (a) references u on delete set null",
        "alter table t add foreign key (a) references u on delete set null",
    );
    check("select a from t join u on true", "select a from t join u on ?");
    check("select null::int", "select ?::int");
    check("select t.null, t.true from t", "select t.null, t.true from t");
    check("select * from t order by a nulls first", "select * from t order by a nulls first");
    check("set enable_seqscan to false", "set enable_seqscan to false");
    check_same("update t set a = null", "update t set a = 5");
}

#[test]
fn typed_literals() {
    check("select DATE '2020-01-01'", "select DATE ?");
    check("select interval '1 day' * 2", "select interval ? * ?");
    check("select INTERVAL '1' DAY, interval(3) '1'", "select INTERVAL ? DAY, interval(?) ?");
    check("select timestamp with time zone '2020-01-01 00:00+00'", "select timestamp with time zone ?");
    check(
        "select double precision '1.5', pg_catalog.float8 '1'",
        "select double precision ?, pg_catalog.float8 ?",
    );
    check("select '{\"a\": 1}'::jsonb -> 'a' ->> 0", "select ?::jsonb -> ? ->> ?");
}

/// Case 78.
#[test]
fn lists_have_one_form() {
    check("select * from t where a in (1)", "select * from t where a in (?)");
    check("select * from t where a in (1,2,3)", "select * from t where a in (?)");
    check("select * from t where a not in ('a', 'b') and c", "select * from t where a not in (?) and c");
    check("select * from t where a in ($1, $2, $3)", "select * from t where a in ($1)");
    check("select * from t where a in ($1, $2, $3) and b = $4", "select * from t where a in ($1) and b = $2");
    check(
        "select * from t where a = $1 and b in ($2,$3) and c in ($4,$5) and d = $6 and e = $1",
        "select * from t where a = $1 and b in ($2) and c in ($3) and d = $4 and e = $1",
    );
    check(
        "select * from t where a in ($1,$2,$3,$4) and b = $5 and c in ($6,$7) and d = $5 and e = $8",
        "select * from t where a in ($1) and b = $2 and c in ($3) and d = $2 and e = $4",
    );
    check("select * from t where a in ($1::uuid, $2::uuid)", "select * from t where a in ($1::uuid)");
    check("select * from t where a in (1, null, 'x', -3)", "select * from t where a in (?)");
    check("select * from t where (a, b) in ((1, 2), (3, 4))", "select * from t where (a, b) in ((?, ?))");
    check("select * from t where a in (lower('a'), lower('b'))", "select * from t where a in (lower(?))");
    check(
        "select * from t where a in (select 1, 1 from u)",
        "select * from t where a in (select ?, ? from u)",
    );
    check("select * from t where a in (values (1), (2))", "select * from t where a in (values (?))");
    check("select * from t where a in (b, c)", "select * from t where a in (b, c)");
    check("select array[1,2,3], ARRAY [1]", "select array[?], ARRAY[?]");
    check("select array[[1,2],[3,4]]", "select array[[?]]");
    check("select array['a'::text, 'b'::text]", "select array[?::text]");
    check("select array[a, b]", "select array[a, b]");
    check("select * from t where a = any (array[1, 2])", "select * from t where a = any (array[?])");
    check("select f(1, 2, 3)", "select f(?, ?, ?)");
    check("insert into t values (1, 2), (3, 4), (5, 6)", "insert into t values (?, ?)");
    check(
        "insert into t (a, b) values ($1, $2), ($3, $4) on conflict do nothing",
        "insert into t (a, b) values ($1, $2) on conflict do nothing",
    );
    check(
        "insert into t values ($1,$2,now()),($3,$4,now()) returning a + $5",
        "insert into t values ($1, $2, now()) returning a + $3",
    );
    check("insert into t values (1), (default), (2)", "insert into t values (?), (default), (?)");
    check("insert into t values (array[1,2]), (array[3])", "insert into t values (array[?])");
    check(
        "select * from (values (1, 'a'), (2, 'b')) v (x, y), u",
        "select * from (values (?, ?)) v(x, y), u",
    );
    check("values (1), (2) order by 1", "values (?) order by ?");
    check(
        "insert into t values (1) on duplicate key update a = values(a), b = values(b)",
        "insert into t values (?) on duplicate key update a = values (a), b = values (b)",
    );
    check_different("insert into t values (1)", "insert into t values (1, 2)");
    check_different("select f(1)", "select f(1, 2)");
    let long = format!(
        "select * from t where a in ({}) and b = $5001",
        (1..=5000).map(|n| format!("${n}")).collect::<Vec<_>>().join(",")
    );
    check(long, "select * from t where a in ($1) and b = $2");
}

/// Case 78.
#[test]
fn comments_go_and_hints_stay() {
    check("select/* a */1--b\n,2", "select ?, ?");
    check("/* trace 'id' */ select 1 /* /* nested */ 'x' */", "select ?");
    check("select 1 -- x\n", "select ?");
    check("select 1 /* unterminated 'x", "select ?");
    check("/*+ SeqScan(t) */ select 1", "/*+ SeqScan(t) */ select ?");
    check(
        "select /*+   IndexScan(t  t_idx)\n Rows(a b #10) Set(work_mem '1MB') */ 1",
        "select /*+ IndexScan(t t_idx) Rows(a b # ?) Set(work_mem ?) */ ?",
    );
    check("select /*+ a */ -1", "select /*+ a */ ?");
    check("select /*+ a", "select");
    check_same("select 1", "select /* traceparent=00-12 */ 1");
    check_same("/*+ Set(a 1) */ select 1", "/*+ set(a 2)*/ select 1");
}

#[test]
fn names_and_spacing() {
    check("SELECT  Foo ,\n\tBar FROM  Baz", "SELECT Foo, Bar FROM Baz");
    check(
        "select \"Foo Bar\", \"a\"\"b\" from \"T\" . \"X\"",
        "select \"Foo Bar\", \"a\"\"b\" from \"T\".\"X\"",
    );
    check("select U&\"d\\0061t\" from t", "select U&\"d\\0061t\" from t");
    check("select count ( * ) , count(*) from t", "select count(*), count(*) from t");
    check("select t.*, * from t", "select t.*, * from t");
    check(
        "select a*b,a/b,a||b,a>=b,a<>b,a!=b,a::int",
        "select a * b, a / b, a || b, a >= b, a <> b, a != b, a::int",
    );
    check("select a<-1, a=-b, a*-b", "select a < ?, a = -b, a * -b");
    check("select exists(select 1), (select 2)", "select exists(select ?), (select ?)");
    check(
        "select sum(a)over(partition by b)filter(where c)",
        "select sum(a) over (partition by b) filter (where c)",
    );
    check("insert into s.\"T\"(a,b)select f(a),b from t", "insert into s.\"T\" (a, b) select f(a), b from t");
    check("create table t(a int,check(a>0))", "create table t (a int, check (a > ?))");
    check("select a into b from f(1)", "select a into b from f(?)");
    check("select 1;", "select ?");
    check("select 1 ; ; ", "select ?");
    check("select 1; select 2", "select ?; select ?");
    check("select f(a => 1, b := 2)", "select f(a => ?, b := ?)");
    check(
        "select data ? 'a', data ?| array['a','b'], data @> '{}'",
        "select data ? ?, data ?| array[?], data @> ?",
    );
    check("select größe, ÄÖ from tabelle", "select größe, ÄÖ from tabelle");
    check("select (row(1,2)).f1, (a).b[1].c", "select (row(?, ?)).f1, (a).b[?].c");
    check("select a from t where a = $1 and b = $02", "select a from t where a = $1 and b = $2");
    check("select '1'; ", "select ?");
    check_same("SELECT a FROM t", "select A  from\nT");
    check_same("select f ( a )", "select f(a)");
    check_different("select \"A\" from t", "select \"a\" from t");
    check_different("select a from t", "select b from t");
    check_different("select $1", "select $2");
    check_different("select a - b", "select a + b");
}

/// What object-relational mappers and catalog tools send.
#[test]
fn statements_of_real_programs() {
    check(
        r#"INSERT INTO "users" ("id","name") VALUES ($1,$2),($3,$4) RETURNING "users"."id""#,
        r#"INSERT INTO "users" ("id", "name") VALUES ($1, $2) RETURNING "users"."id""#,
    );
    check(
        r#"SELECT a."x" AS "X_1" FROM "T" AS a WHERE (a."x" IN ($1,$2,$3)) AND (a.y @> ARRAY[1,2]::int[]) LIMIT $4"#,
        r#"SELECT a."x" AS "X_1" FROM "T" AS a WHERE (a."x" IN ($1)) AND (a.y @> ARRAY[?]::int[]) LIMIT $2"#,
    );
    check(
        "SELECT c.oid::pg_catalog.regclass FROM pg_catalog.pg_class c WHERE c.relkind OPERATOR(pg_catalog.=) 'r' COLLATE pg_catalog.default",
        "SELECT c.oid::pg_catalog.regclass FROM pg_catalog.pg_class c WHERE c.relkind OPERATOR(pg_catalog.=) ? COLLATE pg_catalog.default",
    );
    check(
        "CREATE UNIQUE INDEX CONCURRENTLY i ON t USING btree (a, lower(b)) WHERE a > 5",
        "CREATE UNIQUE INDEX CONCURRENTLY i ON t USING btree(a, lower(b)) WHERE a > ?",
    );
    check("SAVEPOINT _sqlx_savepoint_1", "SAVEPOINT _sqlx_savepoint_1");
    check(
        "select interval '1' year(3), a::timestamp(3) with time zone",
        "select interval ? year(?), a::timestamp(?) with time zone",
    );
    check(
        "UPDATE pgbench_accounts SET abalance = abalance + -4921 WHERE aid = 99;",
        "UPDATE pgbench_accounts SET abalance = abalance + ? WHERE aid = ?",
    );
}

#[test]
fn secrets_in_utility_statements() {
    check("ALTER ROLE bob PASSWORD 'hunter2'", "ALTER ROLE bob PASSWORD ?");
    check(
        "create user bob with encrypted password E'hun\\'ter2' valid until '2030-01-01'",
        "create user bob with encrypted password ? valid until ?",
    );
    check("SET x TO abc", "SET x TO abc");
    check("set search_path = a, b", "set search_path = a, b");
    check("SET application_name = 'secret'; ", "SET application_name = ?");
    check("set timezone to 'UTC'", "set timezone to ?");
    check("notify c, 'secret'", "notify c, ?");
    check(
        "create subscription s connection 'password=x' publication p",
        "create subscription s connection ? publication p",
    );
    check(
        "copy t from '/secret' with (format csv, delimiter ';')",
        "copy t from ? with (format csv, delimiter ?)",
    );
    check("prepare p (int) as select $1 + 5", "prepare p(int) as select $1 + ?");
    check("execute p (1, 'x')", "execute p(?, ?)");
}

/// Case 79.
#[test]
fn nothing_steers_the_terminal() {
    check(b"select \x1b[31m a", "select \\x1b[? a");
    check(b"select a\0b", "select a\\x00b");
    check(b"select \"a\x1b]0;x\x07\n\"", "select \"a\\x1b]0;x\\x07\\x0a\"");
    check(b"select \"\xff\xfe\", \xc3", "select \"\\xff\\xfe\", \\xc3");
    check("select \"a\u{202e}b\u{9b}\"", "select \"a\\u202eb\\x9b\"");
    check("select a\u{200b}b", "select a\\u200bb");
    check("select\u{c}a\u{b}b\tc", "select a b c");
    let mut texts = Texts::new(10);
    let id = texts.intern_prepared_before(b"p\x1b[2J\xff");
    assert_eq!(texts.get(id).text, "(prepared before capture) p\\x1b[2J\\xff");
    let id = texts.intern_prepared_before(b"");
    assert_eq!(texts.get(id).text, "(prepared before capture)");
    let id = texts.intern_prepared_before(&[b'x'; 1000]);
    assert_eq!(texts.get(id).text.len(), "(prepared before capture) ".len() + 128 + "…".len());
}

#[test]
fn operations() {
    check_operation("select 1", "SELECT");
    check_operation("/* a */ Insert into t values (1)", "INSERT");
    check_operation("(select 1) union (select 2)", "SELECT");
    check_operation("((select 1))", "SELECT");
    check_operation("with a as (select 1) select * from a", "SELECT");
    check_operation("with a as (select 1), b (x) as (select 2) insert into t select * from a", "INSERT");
    check_operation("with recursive a as materialized (select 1) update t set a = 1", "UPDATE");
    check_operation("with a as (delete from t returning *) delete from u", "DELETE");
    check_operation("(with a as (delete from t returning *) select 1)", "SELECT");
    check_operation("with a as (select 1", "WITH");
    check_operation("explain analyze select 1", "EXPLAIN");
    check_operation("values (1)", "VALUES");
    check_operation("begin", "BEGIN");
    check_operation("/*+ x */ select 1", "SELECT");
    check_operation("1 select", "");
    check_operation("'x' select", "");
    check_operation("", "");
    check_operation(";", "");
}

#[test]
fn nothing_at_all_is_a_label() {
    check("", "(empty)");
    check(" ; -- x", "(empty)");
    let mut texts = Texts::new(10);
    let id = texts.intern_sql(b"/* */", false);
    assert_eq!(texts.get(id).kind, TextKind::Label);
}

/// Case 77.
#[test]
fn cut_texts() {
    check_cut("select a, b from tab", "select a, b from …");
    check_cut("select a, b from t where x = 'abc", "select a, b from t where x = ? …");
    check_cut("select a from t where x = $1", "select a from t where x = …");
    check_cut("select a from t where x = -", "select a from t where x = …");
    check_cut("select a from t where x = - ", "select a from t where x = …");
    check_cut("select a from t where x in (1, 2, 3", "select a from t where x in (? …");
    check_cut("select a from t where x in (1, 2, ", "select a from t where x in (? …");
    check_cut("select a from t where x in (", "select a from t where x in (…");
    check_cut("insert into t values (1, 2), (3, ", "insert into t values (?, ?) …");
    check_cut("insert into t values (1, array[1,2]), (3, array[1, ", "insert into t values (?, array[?]) …");
    check_cut("insert into t values (1, 2", "insert into t values (?, ? …");
    check_cut("select 1 /* abc", "select ? …");
    check_cut("select /*+ Seq", "select …");
    check_cut("select $abc", "select ? …");
    check_cut("select $", "select …");
    check_cut("sel", "…");
    check_cut("", "…");
}

/// Case 77.
#[test]
fn a_cut_text_without_a_whole_word_is_one_entry() {
    let mut texts = Texts::new(10);
    let other = texts.intern_sql(b"select a from t where x = 1", true);
    let nothing = texts.intern_sql(b"sel", true);
    assert_ne!(nothing, other);
    assert_eq!(texts.intern_sql(b"", true), nothing);
    assert_eq!(texts.get(nothing).text, "…");
}

/// Case 77: a cut text counts for the statement that it is a part of, where only one comes into question.
#[test]
fn cut_texts_join_their_statement() {
    let mut texts = Texts::new(100);
    let whole = texts.intern_sql(b"SELECT a, b FROM t WHERE x IN (1, 2, 3) AND y = 'abc' ORDER BY z", false);
    let other = texts.intern_sql(b"SELECT a, b FROM u", false);
    assert_ne!(whole, other);
    for cut in [
        "select a, b from t where x in (1, 2, 3, 4, 5",
        "select a, b from t where x in (7) and y = 'a",
        "SELECT a, b FROM t ",
    ] {
        assert_eq!(texts.intern_sql(cut.as_bytes(), true), whole, "{cut}");
    }
    let both = texts.intern_sql(b"SELECT a, b FROM ", true);
    assert!(both != whole && both != other);
    assert!(texts.get(both).truncated);
    assert!(!texts.get(whole).truncated);
    // A name that only begins alike is another name.
    texts.intern_sql(b"SELECT c FROM tab", false);
    let cut = texts.intern_sql(b"SELECT c FROM t ", true);
    assert_eq!(texts.get(cut).text, "SELECT c FROM t …");
}

/// Case 77: the length of a constant decides where the limit cuts, and must not decide about the group.
#[test]
fn cut_texts_join_each_other() {
    let mut texts = Texts::new(100);
    let first = texts.intern_sql(b"select a from t where b = 'xx' and c = 1 or", true);
    assert_eq!(texts.intern_sql(b"select a from t where b = 'xxxxxxxxxx' and", true), first);
    assert_eq!(texts.intern_sql(b"select a from t where b = '' and c = 1 or d =", true), first);
    assert_ne!(texts.intern_sql(b"select a from u where b = ''", true), first);
    // A beginning that says little takes nothing in.
    let little = texts.intern_sql(b"insert into t values ('", true);
    assert_ne!(
        texts.intern_sql(b"insert into t values ('', a, b, c, d, e, f, g, h, i, j, k, l", true),
        little
    );
}

/// CPU time of this thread so far, in nanoseconds (first field of schedstat, proc(5)): unlike the clock on the wall it
/// does not depend on what else the machine does.
fn cpu_ns() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split(' ').next().unwrap().parse().unwrap()
}

/// Effort grows with the length of a text, not with its square.
#[test]
fn no_text_is_slow() {
    let pieces = [
        "+-",
        "-+",
        "'a'\n",
        "U&'a' ",
        "$a$b",
        "$a ",
        "? ",
        "/*",
        "/*+ x */",
        "(",
        "array[",
        "in (1,",
        "\\'",
        "((),",
        "- ",
        "in ($1,",
        "values (1),",
        "a.",
        "\"",
        "-- x\n",
    ];
    for piece in pieces {
        let sql = piece.repeat(50_000 / piece.len());
        let before = cpu_ns();
        for truncated in [false, true] {
            Texts::new(10).intern_sql(sql.as_bytes(), truncated);
        }
        assert!(super::statements(super::Dialect::Postgresql, sql.as_bytes()).count() < 2);
        // Some 100 ms without optimisation; the square would take several seconds.
        let took = cpu_ns() - before;
        assert!(took < 2_000_000_000, "{piece:?}: {took} ns");
    }
}

/// These values never change in version 1.
#[test]
fn ids_are_stable() {
    let id = |sql: &str| {
        let mut texts = Texts::new(10);
        let id = texts.intern_sql(sql.as_bytes(), false);
        format!("{:016x}", texts.get(id).id)
    };
    // FNV-1a of `select ?`, `begin`, `select * from t where a in (?) and b = $1`.
    assert_eq!(id("SELECT 1"), "02fb7a5a1a5a9a58");
    assert_eq!(id("begin"), "9a848d5e6672b3de");
    assert_eq!(id("select * from T where a IN (1,2) and b = $1"), "fd1171044d2d3743");
    assert_eq!(id("SELECT 1"), id("/* x */ select 'abc' ;"));
    let mut texts = Texts::new(10);
    let cut = texts.intern_sql(b"SELECT a FROM ", true);
    assert_eq!(texts.get(cut).id, super::id::text_id("select a from …".as_bytes()));
    assert_eq!(texts.get(Texts::OTHER).id, super::id::text_id(b"(other)"));
}

#[test]
fn table_is_bounded() {
    let mut texts = Texts::new(3);
    let a = texts.intern_sql(b"select a", false);
    let b = texts.intern_sql(b"select b", false);
    assert_ne!(a, b);
    assert_eq!(texts.intern_sql(b"select c", false), Texts::OTHER);
    assert_eq!(texts.intern_sql(b"select c", false), Texts::OTHER);
    assert_eq!(texts.intern_sql(b"select d x", true), Texts::OTHER);
    assert_eq!(texts.intern_prepared_before(b"p"), Texts::OTHER);
    assert_eq!(texts.overflowed(), 4);
    assert_eq!(texts.intern_sql(b"SELECT A", false), a);
    assert_eq!(texts.get(Texts::OTHER).text, "(other)");
    assert_eq!(texts.get(super::TextId(99)).text, "(other)");
}

/// Many raw texts of one statement: one entry, and the memory of raw texts stays bounded.
#[test]
fn many_raw_texts_are_one_entry() {
    let mut texts = Texts::new(3);
    let first = texts.intern_sql(b"select 0", false);
    for n in 0..40_000 {
        assert_eq!(texts.intern_sql(format!("select {n}").as_bytes(), false), first);
    }
    assert_eq!(texts.overflowed(), 0);
}
