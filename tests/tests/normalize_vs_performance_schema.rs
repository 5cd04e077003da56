//! Do we group statements as MariaDB's statement digests do? Many varied statements run on a real server; the digest that
//! it gives each is compared with the id of our normalised text, for every pair.
//!
//! The two differ on purpose in a few ways, and each has its own set of statements here ([`DIFFERENT`]). All others must
//! group exactly alike. A new difference, or one that goes away, fails the test.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use tests::mariadb::MariadbServer;
use tracer::sql::{Dialect, Texts};
use tracer::time::Nanos;

/// How many statements are made of each pattern.
const VARIANTS: usize = 12;

const SCHEMA: &str = "
CREATE DATABASE d CHARACTER SET utf8mb4; USE d;
CREATE TABLE t (id int PRIMARY KEY AUTO_INCREMENT, a int, b varchar(100), c decimal(10,2), d date, ts datetime, j text, f bool);
CREATE TABLE u (id int, t_id int, v varchar(100), w int, KEY i_w (w));
CREATE TABLE `q-q` (`Col` int, `1a` int, a$b int);
CREATE VIEW v AS SELECT id, a FROM t;
CREATE FUNCTION f(x int, y int) RETURNS int DETERMINISTIC RETURN x + y;
CREATE PROCEDURE p(IN x int, OUT y int) SET y = x;
INSERT INTO t (a, b, c, d, ts, j, f) SELECT seq % 5, concat('b', seq), seq / 3, '2020-01-01', now(), '{\"k\": 1}', seq % 2
    FROM seq_1_to_20;
INSERT INTO u SELECT seq, seq % 20, concat('v', seq), seq FROM seq_1_to_20;
";

/// Patterns that both must group alike. `{p}` integer without sign, `{negative}` one with a minus, `{n}` decimal, `{t}` text,
/// `{d}` date, `{s}` time stamp, `{m}` integer or NULL. A blank becomes any white space or comment; the letter case of
/// [`KEYWORDS`] varies.
const ALIKE: &[&str] = &[
    "select {p}",
    "select a from t",
    "select a , b from t",
    "select distinct a , b from t order by a , b",
    "select a from t where id = {p}",
    "select a from t where id = {p} and b = {t}",
    "select a from t where id = {p} or b = {t}",
    "select a from t where id = {p} || b = {t}",
    "select a from t where not (id = {p})",
    "select a from t where id <> {p}",
    "select a from t where id < {p}",
    "select a from t where id <=> {p}",
    "select a from t where id between {p} and {p}",
    "select a from t where id not between {p} and {p}",
    "select a from t where b like {t}",
    "select a from t where b not like {t}",
    "select a from t where b regexp {path}",
    "select a from t where b like binary {t}",
    "select a from t where c > {n}",
    "select a from t where c > {n} * {n}",
    "select a from t where d >= date {d}",
    "select a from t where d > {d} - interval {p} day",
    "select a from t where ts < {s}",
    "select a from t where ts < now() - interval {p} hour",
    "select a from t where ts between {s} and now()",
    "select a from t where a is null",
    "select a from t where a is not null",
    "select a from t where (a , id) = ({p} , {p})",
    "select a from t where exists (select w from u where u.t_id = t.id and u.w > {p})",
    "select a from t where id in (select t_id from u where w = {p})",
    "select a from t where id = (select max(t_id) from u where w < {p})",
    "select a from t order by a desc limit {p}",
    "select a from t limit {p} offset {p}",
    "select a from t where id > {p} for update",
    "select a from t where id > {p} lock in share mode",
    "select sql_no_cache a from t",
    "select a from t union all select w from u where w > {p}",
    "(select a from t where a = {p}) union (select w from u where w = {p}) order by a limit {p}",
    "select count(*) from t",
    "select count(distinct a) from t",
    "select a , count(*) from t group by a having count(*) > {p}",
    "select a , sum(c) , avg(c) , min(d) , max(d) from t group by a order by a",
    "select a , sum(c) from t group by a with rollup",
    "select group_concat(b order by id separator {t}) from t",
    "select row_number() over (partition by a order by id) from t",
    "select sum(c) over (order by id rows between {p} preceding and current row) from t",
    "select t.a , u.v from t join u on u.t_id = t.id where t.id = {p}",
    "select t.a , u.v from t left join u on u.t_id = t.id and u.w > {p} where t.b = {t}",
    "select t.a , u.v from t straight_join u on u.t_id = t.id",
    "select a , v from t join u using (id)",
    "select a from v where id = {p}",
    "select x.a from (select a from t where id > {p}) x where x.a < {p}",
    "select w from u force index (i_w) where w = {p}",
    "with x as (select a from t where id = {p}) select a from x",
    "with recursive r (n) as (select {p} union all select n + {p} from r where n < {zero}) select n from r",
    "select a + {p} from t",
    "select a - {p} from t",
    "select a * {p} , a / {p} from t",
    "select a div {q} , a mod {q} , a % {q} from t",
    "select - a , ~ a , ! a from t",
    "select a & {p} , a | {p} , a ^ {p} , a << {q} , a >> {q} from t",
    "select a xor {p} from t",
    "select cast(a as decimal(10,2)) from t",
    "select convert(b using utf8mb4) from t",
    "select b collate utf8mb4_bin from t",
    "select coalesce(a , {p}) from t",
    "select if(a > {p} , {t} , b) from t",
    "select case when a > {p} then {t} else {t} end from t",
    "select case a when {p} then {t} when {p} then {t} end from t",
    "select f({p} , a) from t",
    "select lower(b) , length(b) , concat(b , {t}) from t",
    "select substring(b , {q}) from t",
    "select trim(both {t} from b) from t",
    "select extract(year from d) , date_format(d , {t}) from t",
    "select json_extract(j , {path}) from t",
    "select current_date , current_user() , now() , @@version , @@global.max_connections",
    "select @x , @y := {p}",
    "select match_ from (select a as match_ from t) z",
    "select 0x4d , a from t",
    "select b'101' , a from t",
    "select `Col` , `1a` , a$b from `q-q`",
    "select z.1a from `q-q` z where `z`.`Col` = {p}",
    "select /*!·sql_no_cache·*/ a from t where id = {p}",
    "select /*!50101·a,·*/ b from t",
    "/*!40101·set·names·utf8mb4·*/",
    "select /*M!·a,·*/ b , id from t",
    "select w from u where w in ({p} , {p})",
    "select w from u where w not in ({p} , {p} , {p}) and v in ({t} , {t})",
    "insert into u values ({p} , {p} , {t} , {p})",
    "insert into u (id , t_id , v , w) values ({p} , {p} , {t} , {p})",
    "insert into u (id , w) values ({p} , default)",
    "insert into u (id , v) values ({p} , lower({t}))",
    "insert into u (id , w) values ({p} , {p}) , ({p} , {p})",
    "insert ignore into u (id , w) values ({p} , {p}) , ({p} , {p}) , ({p} , {p})",
    "insert into u set id = {p} , v = {t}",
    "insert into u select id , a , b , a from t where id > {p}",
    "insert into t (id , a) values ({p} , {p}) on duplicate key update a = values(a) , b = {t}",
    "insert into t (id , a) values ({p} , {p}) on duplicate key update a = a + {p}",
    "replace into t (id , a) values ({p} , {p})",
    "update u set v = {m}",
    "update u set w = {p} where id = {p}",
    "update u set w = w - {p} , v = {t} where id = {p} order by id limit {p}",
    "update u join t on t.id = u.t_id set u.w = {p} where t.b = {t}",
    "delete from u where id = {p}",
    "delete from u where id = {p} order by id limit {p}",
    "delete u from u join t on t.id = u.t_id where t.a = {p}",
    "call p({p} , @out)",
    "do sleep({zero})",
    "set @a = {p} , @b = {t}",
    "set session max_statement_time = {p}",
    "set names utf8mb4",
    "show variables like {t}",
    "show full columns from t",
    "show create table t",
    "explain select a from t where id = {p}",
    "analyze table t",
    "optimize table u",
    "lock tables t read",
    "unlock tables",
    "start transaction",
    "commit",
    "rollback",
    "flush status",
    "select t0.id as c0 , t0.a as c1 , count(t1.id) as c2 from t as t0 left outer join u as t1 on t1.t_id = t0.id where ((t0.b = {t}) and (t0.f = {p})) group by t0.id , t0.a having (count(t1.id) >= {p}) order by c2 desc limit {p} offset {p}",
    "select table_name from information_schema.tables where table_schema = {t} and table_type = {t} order by table_name",
];

/// Patterns with a known difference, and which. ` ;; ` separates patterns that one of the two puts together.
const DIFFERENT: &[(&str, &str)] = &[
    // The server keeps TRUE and FALSE.
    ("true and false", "select a from t where f = true ;; select a from t where f = false"),
    // One and many are two digests; we show any number as one.
    ("list length", "select b from t where a in ({p}) ;; select b from t where a in ({p} , {p})"),
    ("list length", "insert into u (v) values ({t}) ;; insert into u (v) values ({t}) , ({t})"),
    // The server shortens any list of values; we only IN and VALUES, so that an argument more is another statement.
    (
        "values side by side",
        "select concat(b , {t} , {t}) from t ;; select concat(b , {t} , {t} , {t}) from t",
    ),
    ("values side by side", "select {p} , {p} ;; select {p} , {p} , {p}"),
    ("values side by side", "select v from u limit {p} , {p}"),
    // Names are compared byte by byte by the server, and without the quotes around them.
    ("letter case of a name", "select a as x from t ;; select A as X from t"),
    ("quotes of a name", "select c from t where d = {d} ;; select `c` from `t` where `d` = {d}"),
    // One constant in several parts has several places in the digest.
    ("adjacent strings", "select a from t where j = {t} ;; select a from t where j = {t} {t}"),
    // The server keeps a sign behind most operators, and not in lists.
    ("minus sign", "select a from t where c = {p} ;; select a from t where c = {negative}"),
    // The server takes the two for different kinds of constants.
    ("hexadecimal constant", "select 0x4d , b from t ;; select x'4d' , b from t"),
    // The server knows both as one token.
    ("spelling", "select b from t where a <> {p} ;; select b from t where a != {p}"),
    // The server leaves out the names of user variables.
    ("user variable", "set @c = {p} ;; set @d = {p}"),
];

/// Their letter case varies; names are as they are.
const KEYWORDS: &str = " select from where and or not in like between is null as join left on using order by group having \
    limit offset union all insert into values update set delete replace case when then else end distinct interval day call ";

/// Differences found: the class, how many of our texts have several digests, how many digests have several of our texts.
const EXPECTED: &[(&str, usize, usize)] = &[
    ("adjacent strings", 1, 0),
    ("hexadecimal constant", 1, 0),
    ("letter case of a name", 1, 0),
    ("list length", 2, 0),
    ("minus sign", 1, 0),
    ("quotes of a name", 0, 1),
    ("spelling", 0, 1),
    ("true and false", 1, 0),
    ("user variable", 0, 1),
    ("values side by side", 0, 2),
];

#[test]
fn groups_as_performance_schema_does() -> Result<()> {
    let server = MariadbServer::start(&[
        "--performance-schema-consumer-events-statements-current=ON",
        "--performance-schema-consumer-events-statements-history-long=ON",
        "--performance-schema-events-statements-history-long-size=10000",
        "--performance-schema-max-sql-text-length=8192",
    ])?;
    server.sql(&SCHEMA.replace(";\n", "//\n"))?;
    let statements = statements();
    assert!(statements.len() > 1_000, "only {} statements", statements.len());
    let digests = digests(&server, &statements)?;
    let mut texts = Texts::new(10_000);
    let mut compared = Compared::default();
    for ((class, sql), digest) in statements.iter().zip(&digests) {
        let id = texts.intern(Dialect::Mysql, sql.as_bytes(), false, Nanos::default()).text;
        compared.add(class, sql, &texts.get(id).text.to_lowercase(), digest.clone());
    }
    let report = compared.report(statements.len());
    let found: Vec<_> = compared.differences().into_iter().collect();
    let found: Vec<_> =
        found.iter().map(|(class, (merged, split))| (class.as_str(), *merged, *split)).collect();
    assert_eq!(found, EXPECTED, "{report}");
    Ok(())
}

/// The digest that the server gives each statement. All run on one connection; each has its number in a comment.
fn digests(server: &MariadbServer, statements: &[(&'static str, String)]) -> Result<Vec<String>> {
    let mut client = server.command("mariadb");
    client.args(["--comments", "--force", "--batch", "--delimiter=$$", "d"]);
    let mut client = client.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let script: String =
        statements.iter().enumerate().map(|(n, (_, sql))| format!("/*{n}*/{sql}$$\n")).collect();
    client.stdin.take().context("no input")?.write_all(script.as_bytes())?;
    let output = client.wait_with_output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success() && errors.is_empty(), "refused: {errors}");
    let rows = server.sql(
        "SELECT REGEXP_SUBSTR(SQL_TEXT, '[0-9]+'), CONCAT(DIGEST, ' ', DIGEST_TEXT) FROM \
         performance_schema.events_statements_history_long WHERE SQL_TEXT REGEXP '^/[*][0-9]+[*]/'",
    )?;
    let mut by_number = BTreeMap::new();
    for row in rows.lines() {
        let (number, digest) = row.split_once('\t').context("no digest")?;
        by_number.insert(number.parse::<usize>()?, digest.to_owned());
    }
    (0..statements.len())
        .map(|n| by_number.remove(&n).with_context(|| format!("no digest of {:?}", statements.get(n))))
        .collect()
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
    fn add(&mut self, class: &'static str, sql: &str, text: &str, digest: String) {
        for (groups, key, other) in [(&mut self.ours, text, &*digest), (&mut self.theirs, &*digest, text)] {
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
            format!("{statements} statements: {} texts, {} digests\n", self.ours.len(), self.theirs.len());
        for (what, groups) in
            [("one text, several digests", &self.ours), ("one digest, several texts", &self.theirs)]
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
    let upper = random.below(4) == 0;
    let mut out = String::new();
    for (n, word) in pattern.split(' ').enumerate() {
        if n > 0 {
            // Two dashes and a number sign begin a comment only behind white space or at a token's end.
            out += random.pick(&[" ", " ", " ", "  ", "\n", "\t", " /* it's 5 */ ", " -- 'x\n", " # \"x\n"]);
        }
        if upper && KEYWORDS.contains(&format!(" {word} ")) {
            out += &word.to_uppercase();
            continue;
        }
        let mut rest = word;
        while let Some((before, behind)) = rest.split_once('{') {
            let (kind, after) = behind.split_once('}').unwrap_or((behind, ""));
            out += before;
            out += &constant(kind, random);
            rest = after;
        }
        out += rest;
    }
    // No comment goes inside an executable one.
    out.replace('·', " ")
}

/// One constant of a kind; every form has the same type on the server.
fn constant(kind: &str, random: &mut Random) -> String {
    let quoted = |text: &str, random: &mut Random| match random.below(3) {
        0 => format!("\"{text}\""),
        _ => format!("'{text}'"),
    };
    let list = |choices: &[&'static str], random: &mut Random| quoted(random.pick(choices), random);
    let n = random.below(30_000);
    match kind {
        "negative" => format!("-{n}"),
        "p" => n.to_string(),
        "q" => (1 + n % 9).to_string(),
        "zero" => random.pick(&["0", "00", "0.0"]).to_owned(),
        "m" if n.is_multiple_of(2) => "NULL".to_owned(),
        "m" => n.to_string(),
        "n" => random.pick(&["1.5", ".5", "2.", "1e3", "1.5E-3", "2.25", "0.1e+2"]).to_owned(),
        "t" => match n % 3 {
            0 => random
                .pick(&[
                    "'it''s'",
                    "'it\\'s'",
                    "\"it's\"",
                    "\"a\\\"b\"",
                    "'-- x'",
                    "'/* x'",
                    "'# x'",
                    "''",
                    "'a\\\\'",
                ])
                .to_owned(),
            _ => quoted(&format!("x{n}"), random),
        },
        "d" => list(&["2020-01-01", "1999-12-31", "2024-02-29"], random),
        "s" => list(&["2020-01-01 00:00:00", "1999-12-31 23:59:59.999"], random),
        "path" => list(&["$.k", "$.a[0]"], random),
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
