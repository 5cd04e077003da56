//! Do we group statements as pg_stat_statements does? Thousands of varied statements run on a real server; the id that
//! it gives each is compared with the id of our normalised text, for every pair.
//!
//! The two differ on purpose in a few ways, and each has its own set of statements here ([`DIFFERENT`]). All others
//! must group exactly alike. A new difference, or one that goes away, fails the test. The server is PostgreSQL 15: later
//! ones compute their id by other rules.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};
use tests::postgres::PostgresServer;
use tokio_postgres::{NoTls, SimpleQueryMessage};
use tracer::sql::Texts;

/// How many statements are made of each pattern.
const VARIANTS: usize = 16;

const SCHEMA: &str = r#"
CREATE EXTENSION pg_stat_statements;
CREATE TABLE t (id int UNIQUE, a int, b text, c numeric, d date, ts timestamptz, j jsonb, arr int[], f bool);
CREATE TABLE u (id int, t_id int, v text, w int);
CREATE TABLE "Q" ("Col" int, lower int);
CREATE VIEW v AS SELECT id, a FROM t;
CREATE FUNCTION f(x int, y int DEFAULT 0) RETURNS int LANGUAGE sql AS 'SELECT x + y';
CREATE SEQUENCE s;
INSERT INTO t SELECT n, n % 5, 'b' || n, n / 3.0, date '2020-01-01' + n, now(), jsonb_build_object('k', n),
    ARRAY[n, n + 1], n % 2 = 0 FROM generate_series(1, 20) n;
INSERT INTO u SELECT n, n % 20, 'v' || n, n FROM generate_series(1, 20) n;
"#;

/// Patterns that both must group alike. `{i}` integer, `{p}` integer without sign, `{n}` decimal, `{t}` text,
/// `{d}` date, `{s}` time stamp, `{f}` boolean, `{v}` interval, `{j}` JSON text, `{m}` integer or NULL.
/// A blank becomes any white space or comment; letter case varies.
const ALIKE: &[&str] = &[
    // Plain selects and conditions.
    "select {p} , {p}",
    "select a from t",
    "select a , b from t",
    "select b , a from t",
    "select distinct on (a) a , b from t order by a , b",
    "select a from t where id = {i}",
    "select a from t where id = {i} and b = {t}",
    "select a from t where id = {i} or b = {t}",
    "select a from t where not (id = {i})",
    "select a from t where id <> {i}",
    "select a from t where id < {i}",
    "select a from t where id not between {i} and {i}",
    "select a from t where b like {t}",
    "select a from t where b ilike {t}",
    "select a from t where b not like {t}",
    "select a from t where b ~ {t}",
    "select a from t where b similar to {t}",
    "select a from t where c > {n}",
    "select a from t where c > {n} * {n}",
    "select a from t where d = {d}",
    "select a from t where d >= date {d}",
    "select a from t where d > cast({d} as date) - {p}",
    "select a from t where ts < {s}",
    "select a from t where ts < now() - interval {v}",
    "select a from t where ts between timestamp with time zone {s} and now()",
    "select a from t where f",
    "select a from t where f = {f}",
    "select a from t where f is true",
    "select a from t where f is not true",
    "select a from t where f is false",
    "select a from t where a is null",
    "select a from t where a is not null",
    "select a from t where a is distinct from {i}",
    "select a from t where (a , id) = ({i} , {i})",
    "select a from t where (a , id) > ({i} , {i})",
    "select a from t where a = any({t_array}::int[])",
    "select a from t where a <> all({t_array}::int[])",
    "select a from t where exists (select from u where u.t_id = t.id and u.w > {i})",
    "select a from t where id in (select t_id from u where w = {i})",
    "select a from t where id not in (select t_id from u where w = {i})",
    "select a from t where id = (select max(t_id) from u where w < {i})",
    // Order, limits, sets.
    "select a from t order by a desc",
    "select a from t order by a desc nulls last",
    "select a from t order by a nulls first",
    "select a from t order by a , b desc limit {p}",
    "select a from t where id > {i} for update",
    "select a from t where id > {i} for update skip locked",
    "select a from t where id > {i} for share of t nowait",
    "select a from t union select w from u",
    "select a from t union all select w from u where w > {i}",
    "select a from t intersect select w from u",
    "select a from t except select w from u",
    "(select a from t where a = {i}) union (select w from u where w = {i}) order by a limit {p}",
    // Groups and windows.
    "select count(*) from t",
    "select count(a) from t",
    "select count(distinct a) from t",
    "select a , count(*) from t group by a",
    "select a , count(*) from t group by a having count(*) > {p}",
    "select a , sum(c) , avg(c) , min(d) , max(d) from t group by a order by a",
    "select count(*) filter (where a > {i}) from t",
    "select string_agg(b , {t}) from t",
    "select string_agg(b , {t} order by b) from t",
    "select array_agg(a order by id desc) from t",
    "select percentile_cont({frac}) within group (order by c) from t",
    "select a , f , sum(c) from t group by grouping sets ((a) , (f) , ())",
    "select row_number() over (order by id) from t",
    "select rank() over (partition by a order by c desc) from t",
    "select sum(c) over (order by id rows between {p} preceding and current row) from t",
    "select lag(a , {p}) over w , lead(a) over w from t window w as (partition by f order by id)",
    "select ntile({q}) over (order by id) from t",
    // Joins.
    "select t.a , u.v from t join u on u.t_id = t.id",
    "select t.a , u.v from t join u on u.t_id = t.id where t.id = {i}",
    "select t.a , u.v from t left join u on u.t_id = t.id and u.w > {i} where t.b = {t}",
    "select t.a , u.v from t right join u on u.t_id = t.id",
    "select t.a , u.v from t full join u on u.t_id = t.id",
    "select t.a , u.v from t cross join u limit {p}",
    "select a , v from t join u using (id)",
    "select a , v from t natural join u",
    "select t.a , x.w from t , lateral (select w from u where u.t_id = t.id limit {p}) x",
    "select t.a , x.w from t left join lateral (select max(w) as w from u where u.t_id = t.id) x on {f}",
    "select t1.a , t2.a from t t1 join t t2 on t1.id = t2.a where t1.id < {i}",
    "select a from v where id = {i}",
    "select x.a from (select a from t where id > {i}) x where x.a < {i}",
    // WITH.
    "with x as (select a from t where id = {i}) select a from x",
    "with x as materialized (select a from t where id > {i}) select x.a from x join u on u.w = x.a",
    "with x (n) as (select a from t) , y as (select n + {p} as m from x) select m from y where m > {i}",
    "with recursive r (n) as (select {p} union all select n + {p} from r where n < {zero}) select n from r",
    "with d as (delete from u where w = {i} returning id) select count(*) from d",
    "with x as (select {i} as n) insert into u (id) select n from x",
    "with x as (select {i} as n) update u set w = x.n from x where u.id = x.n",
    "with x as (select {i} as n) delete from u using x where u.id = x.n",
    // Expressions, casts, functions.
    "select a + {p} from t",
    "select a - {p} from t",
    "select a * {p} from t",
    "select a / {q} from t",
    "select a % {q} from t",
    "select - a from t",
    "select @ a from t",
    "select ~ a from t",
    "select a # {p} from t",
    "select a << {p} from t",
    "select (a + {p}) * {p} from t",
    "select b || {t} from t",
    "select {t} || b || {t} from t",
    "select a::text from t",
    "select a::bigint from t",
    "select cast({i_text} as integer) from t",
    "select cast(a as numeric(10,2)) from t",
    "select date {d} , time {time} , timestamp {s_plain}",
    "select {d}::date - {d}::date",
    "select interval {v} * {p}",
    "select {v}::interval",
    "select extract(year from d) from t",
    "select extract(epoch from ts) from t",
    "select date_trunc({unit} , ts) from t",
    "select ts at time zone {zone} from t",
    "select coalesce(a , {i}) from t",
    "select nullif(a , {i}) from t",
    "select greatest(a , {i}) , least(a , {i}) from t",
    "select case when a > {i} then {t} else {t} end from t",
    "select case a when {i} then {t} when {i} then {t} end from t",
    "select case when f then a end from t",
    "select f({i})",
    "select f({i} , {i})",
    "select f(x => {i})",
    "select f(y => {i} , x => {i})",
    "select f(a) from t",
    "select lower(b) , upper(b) , length(b) from t",
    "select position({t} in b) from t",
    "select overlay(b placing {t} from {q} for {p}) from t",
    "select trim(both {t} from b) from t",
    "select to_char(ts , {t}) from t",
    "select b collate \"C\" from t where b > {t}",
    "select current_date , current_user , now()",
    "select nextval({s_seq})",
    "select * from generate_series({p} , {p}) n",
    "select n from generate_series({p} , {p} , {q}) with ordinality x (n , o)",
    "select * from unnest({t_array}::int[]) x",
    "select row(a , {i}) from t",
    "select (row(a , b)).f1 from t",
    "select b is not distinct from {t} from t",
    "select a is null or b is not null from t",
    "select set_config({t_name} , {t} , {f})",
    // Arrays and JSON.
    "select arr[{p}] from t",
    "select arr[{p}:{p}] from t",
    "select arr[:{p}] from t",
    "select arr || {p} from t",
    "select {p} = any(arr) from t",
    "select arr @> {t_array}::int[] from t",
    "select array_length(arr , {p}) from t",
    "select array(select w from u where w < {i})",
    "select j ->> {t} from t",
    "select j #> {t_path} from t",
    "select j #>> {t_path} from t",
    "select j ? {t} from t",
    "select j || {j}::jsonb from t",
    "select j - {t} from t",
    "select (j ->> {t})::int from t where (j ->> {t}) is not null and id < {zero}",
    "select jsonb_build_object({t} , a , {t} , {t}) from t",
    "select jsonb_set(j , {t_path} , {j} , {f}) from t",
    "select j @? {jsonpath} from t",
    "select j @@ {jsonpath_predicate} from t",
    "select jsonb_path_query(j , {jsonpath}) from t",
    "select x.key , x.value from t , jsonb_each(j) x where t.id = {i}",
    "select * from jsonb_to_record({jo}::jsonb) as x (a int , b text)",
    // Lists of one fixed length.
    "select w from u where w in ({i} , {i})",
    "select w from u where w not in ({i} , {i} , {i}) and v in ({t} , {t})",
    "select w , v from u where (id , v) in (({i} , {t}) , ({i} , {t}))",
    "select id from u where w = any (array[{i} , {i}])",
    "select w + {p} , x.n from u , (values ({p}) , ({p})) x (n)",
    "insert into u (w , v) values ({p} , {t}) , ({p} , {t})",
    // What object-relational mappers and catalog tools send.
    "select c.relname , n.nspname from pg_catalog.pg_class c left join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.relkind in ({t} , {t}) and n.nspname !~ {t} and pg_catalog.pg_table_is_visible(c.oid) order by c.relname , n.nspname",
    "select a.attname , pg_catalog.format_type(a.atttypid , a.atttypmod) , a.attnotnull from pg_catalog.pg_attribute a where a.attrelid = {reg}::regclass and a.attnum > {p} and not a.attisdropped order by a.attnum",
    "select c.relname from pg_class c where c.relkind operator(pg_catalog.=) {t} collate pg_catalog.default",
    "select t0.id as c0 , t0.a as c1 , count(t1.id) as c2 from t as t0 left outer join u as t1 on t1.t_id = t0.id where ((t0.b = {t}) and (t0.f = {f})) group by t0.id , t0.a having (count(t1.id) >= {p}) order by c2 desc limit {p} offset {p}",
    "select exists (select {p} as one from t where t.b = {t} limit {p})",
    "select jsonb_agg(jsonb_build_object({t} , x.id , {t} , x.a)) from (select id , a from t where a = {i} order by id limit {p}) x",
    "select json_object_agg(b , a) filter (where b is not null) from t where id > {i}",
    "select (d , d + {p}) overlaps (date {d} , date {d}) from t",
    "select id from t tablesample bernoulli ({q}) repeatable ({p})",
    "select x.e , x.o from t , unnest(arr) with ordinality as x (e , o) where t.id = {i}",
    "select id , sum(c) over (partition by a order by d range between interval {v} preceding and current row exclude ties) from t",
    "select first_value(b) over (partition by f order by id groups between unbounded preceding and {p} following) from t",
    "select count(*) from t where ts > now() - {p} * interval {v} and (b is null or b <> {t})",
    "select id from t where b = {t} and c between {n} and {n} and d in (date {d} , date {d}) and j ->> {t} = {t}",
    "select sum(case when a > {i} then {p} else {p} end) , avg(a) filter (where f is not true) from t",
    "select regexp_replace(b , {t} , {t} , {t_flag}) , split_part(b , {t} , {q}) from t",
    "select id from t where to_tsvector({config} , b) @@ plainto_tsquery({config} , {t})",
    "select width_bucket(c , {n} , {q} + {n} + {p} , {q}) is null from t where false",
    // Rows as values.
    "values ({p})",
    "values ({p} , {t})",
    "values ({p} , {t} , {n})",
    // Names.
    "select \"Col\" from \"Q\" where \"Col\" = {i}",
    "select lower from \"Q\" where \"Q\".\"Col\" > {i}",
    // Changes of data.
    "insert into u values ({m} , {m})",
    "insert into u values ({m} , {m} , {t})",
    "insert into u (id , t_id , v , w) values ({i} , {m} , {t} , {m})",
    "insert into u (id , w) values ({i} , default)",
    "insert into u default values",
    "insert into u (id , v) values ({i} , lower({t})) returning id",
    "insert into u (id , v) values ({i} , {t}) returning *",
    "insert into u select id , a from t where id > {i}",
    "insert into t (id , a) values ({i} , {m}) on conflict do nothing",
    "insert into t (id , a) values ({i} , {m}) on conflict (id) do nothing",
    "insert into t (id , a) values ({i} , {m}) on conflict (id) do update set a = {m}",
    "insert into t (id , a) values ({i} , {m}) on conflict (id) do update set a = excluded.a where t.a <> {i} returning a",
    "update u set w = {m}",
    "update u set w = {m} where id = {i}",
    "update u set w = w + {p} where id = {i}",
    "update u set w = w - {p} where id = {i} returning w",
    "update u set w = t.a from t where t.id = u.t_id and t.b = {t}",
    "update u set w = (select max(a) from t where t.id = {i})",
    "update t set j = jsonb_set(j , {t_path} , {j}) where id = {i}",
    "update t set arr[{q}] = {i} where id = {i}",
    "update t set f = {f} , d = {d} where id = {i}",
    "delete from u",
    "delete from u where id = {i}",
    "delete from u where id = {i} returning id , v",
    "delete from u using t where t.id = u.t_id and t.a = {i}",
    "merge into u using t on t.id = u.id when matched and t.a > {i} then update set w = {i} when not matched then insert (id , w) values (t.id , {i})",
    // The scripts of pgbench: simple protocol.
    "UPDATE pgbench_accounts SET abalance = abalance + {i} WHERE aid = {p};",
    "SELECT abalance FROM pgbench_accounts WHERE aid = {p};",
    "UPDATE pgbench_tellers SET tbalance = tbalance + {i} WHERE tid = {p};",
    "UPDATE pgbench_branches SET bbalance = bbalance + {i} WHERE bid = {p};",
    "INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES ({p}, {p}, {p}, {i}, CURRENT_TIMESTAMP);",
    // The same and more with parameters.
    "UPDATE pgbench_accounts SET abalance = abalance + $1 WHERE aid = $2",
    "SELECT abalance FROM pgbench_accounts WHERE aid = $1",
    "INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES ($1, $2, $3, $4, CURRENT_TIMESTAMP)",
    "select a from t where id = $1 and b = $2",
    "select a from t where id = $2 and b = $1",
    "select a from t where id = $1 and a = $1",
    "select a from t where id = $1 and a = {i}",
    "select a from t where id = any($1)",
    "select a from t where id = $1::int limit $2",
    "select - $1::int",
    "select a from t where id in ($1 , $2) and b = $3",
    "select $1::text || {t}",
];

/// Ways in which the two are meant to differ: a class, and patterns of it, separated by ` ;; `.
const DIFFERENT: &[(&str, &str)] = &[
    // We count a list of any length as one statement; PostgreSQL 15 does not.
    (
        "list length",
        "select b from t where id in (1) ;; select b from t where id in (1, 2) ;; select b from t where id in (1, 2, 3)",
    ),
    (
        "list length",
        "select c from t where id in ($1) ;; select c from t where id in ($1, $2) ;; select c from t where id in ($1, $2, $3)",
    ),
    (
        "list length",
        "select c from t where id in ($1) and a = $2 ;; select c from t where id in ($1, $2) and a = $3",
    ),
    ("list length", "select array[1] ;; select array[1, 2] ;; select array[1, 2, 3]"),
    (
        "list length",
        "values (1, 2, 3, 4) ;; values (1, 2, 3, 4), (5, 6, 7, 8) ;; values (1, 2, 3, 4), (5, 6, 7, 8), (9, 0, 1, 2)",
    ),
    (
        "list length",
        "insert into u (v) values ('a') ;; insert into u (v) values ('a'), ('b') ;; insert into u (v) values ('a'), ('b'), ('c')",
    ),
    (
        "list length",
        "select c from t where (id, a) in ((1, 2)) ;; select c from t where (id, a) in ((1, 2), (3, 4))",
    ),
    // The server sees the type that a constant gets; the text has only its place.
    (
        "type of a constant",
        "select d from t where id = 1 ;; select d from t where id = 1.5 ;; select d from t where id = 5000000000",
    ),
    (
        "type of a constant",
        "select 1, 2, 3 ;; select 'a', 'b', 'c' ;; select true, false, null ;; select 1.5, 2, B'1'",
    ),
    ("type of a constant", "select {p} ;; select {t} ;; select {n} ;; select {f}"),
    ("type of a constant", "select j -> {t} from t ;; select j -> {p} from t"),
    // A minus sign binds weaker than a cast: the server negates the value after it.
    ("minus sign before a cast", "select 2.5::float8 ;; select -2.5::float8"),
    // A plus sign is an operator to the server, a minus sign before a constant is not.
    (
        "plus sign",
        "select ts from t where a = 1 ;; select ts from t where a = -1 ;; select ts from t where a = +1",
    ),
    // A position in the select list is a constant to the text.
    (
        "position in ORDER BY or GROUP BY",
        "select a, b, d from t order by 1 ;; select a, b, d from t order by 2",
    ),
    (
        "position in ORDER BY or GROUP BY",
        "select a, b, 7 from t group by 1, 2 ;; select a, b, 7 from t group by 2, 1",
    ),
    // The server compares meaning, we compare words.
    (
        "spelling",
        "select ts from t where d = '2020-01-01'::date ;; select ts from t where d = date '2020-01-01' ;; select ts from t where d = cast('2020-01-01' as date) ;; select ts from t where d = '2020-01-01'",
    ),
    ("spelling", "select ts from t where id <> 1 ;; select ts from t where id != 1"),
    (
        "spelling",
        "select ts from t where (id = 1) ;; select ts from t where id = (1) ;; select ts from t where id = 1",
    ),
    (
        "spelling",
        "select ts from public.t ;; select ts from t ;; select t.ts from t ;; select x.ts from t x ;; select ts as y from t",
    ),
    ("spelling", "select \"j\" from t where \"id\" = 1 ;; select j from t where id = 1"),
    ("spelling", "select j from t order by j ;; select j from t order by j asc"),
    ("spelling", "select t.j from t join u on u.id = t.a ;; select t.j from t inner join u on u.id = t.a"),
    ("spelling", "select c::int from t ;; select cast(c as int) from t ;; select c::int4 from t"),
    ("spelling", "select arr from t limit 5 ;; select arr from t fetch first 5 rows only"),
    ("spelling", "select arr from t where b like 'x' ;; select arr from t where b ~~ 'x'"),
    (
        "spelling",
        "select a from t where id >= {i} and id <= {i} ;; select a from t where id between {i} and {i}",
    ),
    (
        "spelling",
        "update u set v = {t} , w = {m} where id = {i} ;; update u set (v , w) = ({t} , {i}) where id = {i}",
    ),
    (
        "spelling",
        "select a from t order by a limit {p} offset {p} ;; select a from t order by a offset {p} rows fetch first {p} rows only",
    ),
    ("spelling", "select j @> {j} from t ;; select j @> {j}::jsonb from t"),
    ("spelling", "insert into u values ({m}) ;; insert into u (id) values ({m})"),
    ("spelling", "select * from t ;; select t.* from t"),
    ("spelling", "select substring(b from {p} for {p}) from t ;; select substring(b , {p} , {p}) from t"),
    ("spelling", "select {p} ;; select {i_text}::int ;; select {t} ;; select {t}::text"),
    // The query id of PostgreSQL 15 leaves these words out.
    ("word left out of the query id", "select a from t order by a ;; select distinct a from t"),
    (
        "word left out of the query id",
        "select a , f , sum(c) from t group by cube (a , f) ;; select a , f , sum(c) from t group by rollup (a , f)",
    ),
    (
        "hint",
        "/*+ SeqScan(t) */ select f from t where id = 1 ;; /*+ IndexScan(t) */ select f from t where id = 1 ;; select f from t where id = 1",
    ),
];

/// What the whole comparison finds beside agreement: for each class, in how many of our groups the server sees several
/// statements, and of how many of its statements we make several groups.
const EXPECTED: &[(&str, usize, usize)] = &[
    ("hint", 0, 1),
    ("list length", 7, 0),
    ("minus sign before a cast", 1, 0),
    ("plus sign", 1, 0),
    ("position in ORDER BY or GROUP BY", 2, 0),
    ("spelling", 0, 17),
    ("spelling + type of a constant", 1, 2),
    ("type of a constant", 3, 0),
    ("word left out of the query id", 0, 2),
];

#[tokio::test]
async fn groups_as_pg_stat_statements_does() -> Result<()> {
    let server = PostgresServer::start_major(
        15,
        &[
            ("shared_preload_libraries", "pg_stat_statements"),
            ("pg_stat_statements.track_utility", "off"),
            ("jit", "off"),
        ],
    )?;
    server.psql(SCHEMA)?;
    ensure!(server.command("pgbench").args(["-i", "-q"]).output()?.status.success(), "pgbench -i failed");
    let (client, connection) = tokio_postgres::connect(&server.conninfo(), NoTls).await?;
    let connection = tokio::spawn(connection);

    let statements = statements();
    assert!(statements.len() > 3_000, "only {} statements", statements.len());
    let mut texts = Texts::new(10_000);
    let mut compared = Compared::default();
    let mut refused = Vec::new();
    for (class, sql) in &statements {
        let query_id = match query_id(&client, sql).await {
            Ok(id) => id,
            Err(error) => {
                refused.push(format!("{sql:?}: {error:?}"));
                client.batch_execute("ROLLBACK").await?;
                client.batch_execute("DEALLOCATE ALL").await?;
                continue;
            }
        };
        let id = texts.intern_sql(sql.as_bytes(), false);
        compared.add(class, sql, &texts.get(id).text.to_lowercase(), query_id);
    }
    drop(client);
    connection.await??;

    assert!(refused.is_empty(), "{} refused: {}", refused.len(), refused.join("\n"));
    let report = compared.report(statements.len());
    println!("{report}");
    let found: Vec<_> = compared.differences().into_iter().collect();
    let found: Vec<_> =
        found.iter().map(|(class, (merged, split))| (class.as_str(), *merged, *split)).collect();
    assert_eq!(found, EXPECTED, "{report}");
    Ok(())
}

/// The id that pg_stat_statements gives a statement: it runs alone, and is rolled back.
async fn query_id(client: &tokio_postgres::Client, sql: &str) -> Result<String> {
    client.batch_execute("BEGIN; SELECT pg_stat_statements_reset()").await?;
    let parameters = (1..10).take_while(|n| sql.contains(&format!("${n}"))).count();
    if parameters > 0 {
        let nulls = vec!["NULL"; parameters].join(", ");
        client.batch_execute(&format!("PREPARE p AS {sql}")).await?;
        client.batch_execute(&format!("EXECUTE p ({nulls})")).await?;
        client.batch_execute("DEALLOCATE p").await?;
    } else {
        client.batch_execute(sql).await?;
    }
    let rows = client
        .simple_query(
            "SELECT queryid FROM pg_stat_statements WHERE query NOT LIKE '%pg_stat_statements_reset%'",
        )
        .await?;
    client.batch_execute("ROLLBACK").await?;
    let ids: Vec<_> = rows
        .iter()
        .filter_map(|m| if let SimpleQueryMessage::Row(row) = m { row.get(0) } else { None })
        .collect();
    ensure!(ids.len() == 1, "pg_stat_statements has {} entries", ids.len());
    Ok(ids.concat())
}

/// Groups by both rules.
#[derive(Default)]
struct Compared {
    ours: BTreeMap<String, Group>,
    theirs: BTreeMap<String, Group>,
}

/// One group by one rule: into which groups of the other it falls, with an example each, and its classes.
#[derive(Default)]
struct Group {
    others: BTreeMap<String, String>,
    classes: BTreeSet<&'static str>,
}

impl Group {
    /// "alike" among the classes is always a surprise: those statements have no known difference.
    fn class(&self) -> String {
        self.classes.iter().copied().collect::<Vec<_>>().join(" + ")
    }
}

impl Compared {
    fn add(&mut self, class: &'static str, sql: &str, text: &str, query_id: String) {
        for (groups, key, other) in [(&mut self.ours, text, &*query_id), (&mut self.theirs, &*query_id, text)]
        {
            let group = groups.entry(key.to_owned()).or_default();
            group.others.entry(other.to_owned()).or_insert_with(|| sql.to_owned());
            group.classes.insert(class);
        }
    }

    fn differences(&self) -> BTreeMap<String, (usize, usize)> {
        let mut classes = BTreeMap::<_, (usize, usize)>::new();
        for group in self.ours.values().filter(|g| g.others.len() > 1) {
            classes.entry(group.class()).or_default().0 += 1;
        }
        for group in self.theirs.values().filter(|g| g.others.len() > 1) {
            classes.entry(group.class()).or_default().1 += 1;
        }
        classes
    }

    fn report(&self, statements: usize) -> String {
        let mut out =
            format!("{statements} statements: {} texts, {} query ids\n", self.ours.len(), self.theirs.len());
        for (what, groups) in
            [("one text, several query ids", &self.ours), ("one query id, several texts", &self.theirs)]
        {
            for (key, group) in groups.iter().filter(|g| g.1.others.len() > 1) {
                out += &format!("{what} ({}): {key}\n", group.class());
                for (other, example) in &group.others {
                    out += &format!("    {other}: {example:?}\n");
                }
            }
        }
        out
    }
}

/// Every statement with its class.
fn statements() -> Vec<(&'static str, String)> {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut all = Vec::new();
    for pattern in ALIKE {
        for _ in 0..VARIANTS {
            all.push(("alike", vary(pattern, &mut random)));
        }
    }
    for (class, line) in DIFFERENT {
        for pattern in line.split(" ;; ") {
            all.extend((0..VARIANTS).map(|_| (*class, vary(pattern, &mut random))));
        }
    }
    all
}

/// One statement of a pattern.
fn vary(pattern: &str, random: &mut Random) -> String {
    let upper = !pattern.contains('"') && random.below(4) == 0;
    let mut out = String::new();
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            ' ' => {
                out +=
                    random.pick(&[" ", " ", " ", "  ", "\n", "\t", " /* it's 5 */ ", " -- 'x\n", "/*/**/*/"])
            }
            '{' => {
                let (kind, after) = rest.split_once('}').unwrap_or((rest, ""));
                rest = after;
                out += &constant(kind, random);
            }
            c if upper => out.extend(c.to_uppercase()),
            c => out.push(c),
        }
    }
    out
}

/// One constant of a kind; every form has the same type on the server.
fn constant(kind: &str, random: &mut Random) -> String {
    let quoted = |text: &str, random: &mut Random| match random.below(4) {
        0 => format!("$${text}$$"),
        1 => format!("E'{text}'"),
        2 => format!("U&'{text}'"),
        _ => format!("'{text}'"),
    };
    let list = |choices: &[&'static str], random: &mut Random| quoted(random.pick(choices), random);
    let n = random.below(30_000);
    match kind {
        "i" => random.pick(&["", "", "-", "- "]).to_owned() + &n.to_string(),
        "p" => n.to_string(),
        "q" => (1 + n % 9).to_string(),
        "zero" => random.pick(&["0", "00", "000"]).to_owned(),
        "m" if n.is_multiple_of(4) => "NULL".to_owned(),
        "m" => n.to_string(),
        "n" => random.pick(&["1.5", ".5", "2.", "1e3", "1.5E-3", "-2.25", "0.1e+2"]).to_owned(),
        "frac" => random.pick(&["0.5", ".25", "1e-1"]).to_owned(),
        "t" => match n % 3 {
            0 => random
                .pick(&["'it''s'", "'a'\n'b'", "E'it\\'s'", "$x$ $$ ' $x$", "'-- x'", "'/* x'", "''"])
                .to_owned(),
            _ => quoted(&format!("x{n}"), random),
        },
        "i_text" => quoted(&n.to_string(), random),
        "f" => random.pick(&["true", "false", "TRUE", "False"]).to_owned(),
        "d" => list(&["2020-01-01", "1999-12-31", "2024-02-29"], random),
        "s" => list(&["2020-01-01 00:00:00+00", "1999-12-31 23:59:59.999+02"], random),
        "s_plain" => list(&["2020-01-01 00:00:00", "1999-12-31 23:59:59.999"], random),
        "time" => list(&["10:00", "23:59:59"], random),
        "v" => list(&["1 day", "2 hours 3 minutes", "1 month -0 days"], random),
        "unit" => list(&["day", "hour", "month"], random),
        "zone" => list(&["UTC", "Europe/Berlin"], random),
        "s_seq" => list(&["s", "public.s"], random),
        "t_name" => list(&["app.x", "app.y"], random),
        "t_array" => list(&["{1,2,3}", "{}", "{7}"], random),
        "t_path" => list(&["{k}", "{a,b}"], random),
        "j" => list(&["{\"a\": 1}", "[1, 2]", "{}"], random),
        "reg" => list(&["t", "public.u"], random),
        "t_flag" => list(&["g", "i", "gi"], random),
        "config" => list(&["simple", "english"], random),
        "jo" => list(&["{\"a\": 1}", "{}"], random),
        "jsonpath" => list(&["$.k", "$.a[*] ? (@ > 1)"], random),
        "jsonpath_predicate" => list(&["$.k > 1", "$.a == 2"], random),
        other => format!("no such kind: {other}"),
    }
}

/// xorshift64: the same statements on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }

    fn pick(&mut self, choices: &[&'static str]) -> &'static str {
        let n = self.below(choices.len() as u64);
        usize::try_from(n).ok().and_then(|n| choices.get(n)).copied().unwrap_or_default()
    }
}
