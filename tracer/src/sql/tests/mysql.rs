//! What texts of MySQL and MariaDB become.

use super::super::{Dialect, Texts, statements};
use crate::time::Nanos;
use crate::value::{Extractor, Settings};

fn shown_in(dialect: Dialect, sql: impl AsRef<[u8]>, truncated: bool) -> String {
    let mut texts = Texts::new(10);
    let id = texts.intern(dialect, sql.as_ref(), truncated, Nanos::default()).text;
    texts.get(id).text.clone()
}

fn check(sql: &str, expected: &str) {
    assert_eq!(shown_in(Dialect::Mysql, sql, false), expected, "of {sql:?}");
    assert_eq!(shown_in(Dialect::Mysql, expected, false), expected, "a form is its own form");
}

fn check_plain(sql: &str, expected: &str) {
    assert_eq!(shown_in(Dialect::MysqlNoBackslashEscapes, sql, false), expected, "of {sql:?}");
}

fn check_cut(sql: &str, expected: &str) {
    assert_eq!(shown_in(Dialect::Mysql, sql, true), expected, "of {sql:?}");
}

fn check_operation(sql: &str, expected: &str) {
    let mut texts = Texts::new(10);
    let id = texts.intern(Dialect::Mysql, sql.as_bytes(), false, Nanos::default()).text;
    assert_eq!(texts.get(id).operation, expected, "of {sql:?}");
}

/// Pieces are joined by ` | `.
fn check_split(sql: &str, expected: &str) {
    let pieces = statements(Dialect::Mysql, sql.as_bytes()).map(String::from_utf8_lossy);
    assert_eq!(pieces.collect::<Vec<_>>().join(" | "), expected, "of {sql:?}");
}

/// Case 78.
#[test]
fn strings() {
    check("select 'a'", "select ?");
    check("select \"a\"", "select ?");
    check("select 'it''s'", "select ?");
    check(r"select 'it\'s'", "select ?");
    check(r#"select "say \"hi\"""#, "select ?");
    check(r"select '\\'", "select ?");
    check(r"select 'a\\\' b', c", "select ?, c");
    check("select \"a'b\", 'a\"b', c", "select ?, ?, c");
    check("select 'a' 'b' \"c\"", "select ?");
    check("select 'a'\n /* ' */ # ' \n -- '\n 'b', c", "select ?, c");
    check("select 'a'/*! 'b' */", "select ? ?");
    check("select N'a', n'b', X'4D', x'4d', b'101', B'0'", "select ?, ?, ?, ?, ?, ?");
    check(
        "select _utf8mb4'a', _latin1 'b', _binary\"c\", _utf8 0x41",
        "select _utf8mb4 ?, _latin1 ?, _binary ?, _utf8 ?",
    );
    check("select DATE '2020-01-01', {ts '2020-01-01 00:00:00'}", "select DATE ?, { ts ? }");
    check("select 'a", "select ?");
    check("select \"a", "select ?");
    check("select a 'b', a as \"b c\" from t", "select a ?, a as ? from t");
    check(r"select 'C:\', a, '", "select ?");
}

/// MySQL 9: bodies of routines in other languages.
#[test]
fn dollar_quotes() {
    check("select $$it's$$, a", "select ?, a");
    check("select $js$ return 'x; $$ y'; $js$, a, $b", "select ?, a, $b");
    check(
        "create function f() returns int language javascript as $$ return 'hush'; $$",
        "create function f() returns int language javascript as ?",
    );
    check("select $x$ hush hush", "select ?");
    check("select a$b$c, $1, $a", "select a$b$c, $1, $a");
    check_split("select $$a;b$$; select $x$;$y$;$x$; c", "select $$a;b$$ | select $x$;$y$;$x$ | c");
}

/// In sjis, gbk and their like, the second byte of a character may be that of a backslash.
#[test]
fn a_backslash_inside_a_character_hides_what_follows() {
    let check = |sql: &[u8], expected: &str| {
        assert_eq!(shown_in(Dialect::Mysql, sql, false), expected, "of {}", sql.escape_ascii());
    };
    check(b"insert into t (a, b) values ('\x95\x5c', 'hush hush')", "insert into t (a, b) values (?");
    check(b"select '\x95\x5c\x5c', 'hush', ', a", "select ?");
    check(b"select 'a\x95\x5c'' hush', 'b', a", "select ?");
    check(b"select '\x95\x5cn', a, 'b'", "select ?, a, ?");
    check(r"select 'é\'', é, 'é\\', a".as_bytes(), "select ?, é, ?, a");
    check(r"select 'ééé\'é\'é', a".as_bytes(), "select ?, a");
}

/// The same of a backtick.
#[test]
fn a_backtick_inside_a_character_hides_what_follows() {
    let check = |sql: &[u8], expected: &str| {
        assert_eq!(shown_in(Dialect::Mysql, sql, false), expected, "of {}", sql.escape_ascii());
    };
    // A column whose name ends with such a character, or has one; half a character of sjis before it.
    check(b"select `\x83\x60` from t where a = 'hush' and `b` = 1", "select ?");
    check(b"select `\x83\x60x` from t where a = 'hush' and `b` = 1", "select ?");
    check(b"select `\xb1\x83\x60` from t where a = 'hush' and `b` = 1", "select ?");
    // A byte that may be a whole character or the first of two.
    check(b"select `caf\xe9` from t where a = 'hush' and `b` = 1", "select ?");
    // Whole characters, and UTF-8.
    check(b"select `a\x83\x5c` from t where a = 'hush'", r"select `a\x83\` from t where a = ?");
    check(
        "select `é` from t where a = 'hush' and `b``é` = 1".as_bytes(),
        "select `é` from t where a = ? and `b``é` = ?",
    );
}

#[test]
fn strings_without_backslash_escapes() {
    check_plain(r"select 'C:\', a, 'b'", "select ?, a, ?");
    check_plain(r#"select "C:\", a"#, "select ?, a");
    check_plain(r"select 'it\'s', a", "select ?, a");
    check_plain("select 'it''s', a", "select ?, a");
    check_plain(r"select 'a\\', a", "select ?, a");
}

#[test]
fn numbers() {
    check("select 1, 1.5, .5, 5., 1e5, 1.5e-3, 1E+5, 0x1F, 0b101", "select ?, ?, ?, ?, ?, ?, ?, ?, ?");
    check("select -1, +1, - 1, a - 1, a-1, -a, a--1", "select ?, ?, ?, a - ?, a - ?, -a, a - ?");
    check("select \\N, null, true, a is null", "select ?, ?, ?, a is null");
    check("select 1a, a.1b, a.1, t.1e5, 1_a from 2t", "select 1a, a.1b, a.1, t.1e5, 1_a from 2t");
    check("select 5 mod 3, 5 div -2, 5 xor -1, a % -2", "select ? mod ?, ? div ?, ? xor ?, a % ?");
    check("select now() - interval -1 day", "select now() - interval ? day");
    check("select 0XFF", "select ?");
    check("select 7e", "select ?");
}

#[test]
fn names() {
    check("select `a b`, `a``b`, a$b, $a, été", "select `a b`, `a``b`, a$b, $a, été");
    check("select `db`.`t`.`c`, db . t from `x`", "select `db`.`t`.`c`, db.t from `x`");
    check(
        "select @a, @a.b, @@version, @@global.max_connections",
        "select @a, @a.b, @@version, @@global.max_connections",
    );
    check("select @'a b', @\"a\", @`a b`, @@`version`", "select @?, @?, @`a b`, @@`version`");
    check("set @a := 5, @b = -1", "set @a := ?, @b = ?");
    check("set @a:=1", "set @a := ?");
    check("select @a-1", "select @a - ?");
    check(
        "drop user 'bob'@'localhost', bob@`h`, 'x'@localhost, y@'%'",
        "drop user ?@?, bob @`h`, ?@localhost, y @?",
    );
    check("SELECT A FROM T", "SELECT A FROM T");
}

#[test]
fn operators() {
    check(
        "select a<=>1, a<>1, a!=-1, a<<1, !a, a||1, a&&-1",
        "select a <=> ?, a <> ?, a != ?, a << ?, !a, a || ?, a && ?",
    );
    check("select c->'$.a', c->>\"$.b\" from t", "select c -> ?, c ->> ? from t");
    check("select * from t where a=-1 and b>=-1", "select * from t where a = ? and b >= ?");
    check("select count(*), t.* from t", "select count(*), t.* from t");
    check("select a regexp 'x', a rlike binary 'x'", "select a regexp ?, a rlike binary ?");
}

#[test]
fn comments() {
    check("select 1 # ' 2\n, a", "select ?, a");
    check("select 1 -- ' 2\n, a", "select ?, a");
    check("select 1 --\t2", "select ?");
    check("select 1 --", "select ?");
    check("select a --2", "select a - ?");
    check("select /* /* */ a", "select a");
    check("select /* ' */ a /* \" */", "select a");
    check("select # a\r 1\n b", "select b");
    check("/*!40101 SET NAMES utf8 */", "SET NAMES utf8");
    check("/*!40101 SET @x=5 */;", "SET @x = ?");
    check("select /*!50110 sql_no_cache*/ a, /*! 'x' */ from t", "select sql_no_cache a, ? from t");
    check("select /*!080020 a */, /*!5 */, /*!1234567 */", "select a, ?, ?");
    check("select /*M! a */, /*M!100100 b */, /*m!x*/", "select a, b,");
    check("select /*! '*/' */ a", "select ? a");
    check("select /*! a /* b */ c */ d", "select a c d");
    check("select /*! a", "select a");
    check(
        "select /*+ MAX_EXECUTION_TIME(1000) BKA(t1@`q`) */ a",
        "select /*+ MAX_EXECUTION_TIME(?) BKA(t1 @ `q`) */ a",
    );
}

#[test]
fn lists() {
    check(
        "select a from t where b in (1, 2, 3) and c not in ('x')",
        "select a from t where b in (?) and c not in (?)",
    );
    check("select a from t where (b, c) in ((1, 2), (3, 4))", "select a from t where (b, c) in ((?, ?))");
    check("select a from t where b in (row(1, 2), row(3, 4))", "select a from t where b in (row(?, ?))");
    check("insert into t (a, b) values (1, 'x'), (2, 'y'), (3, null)", "insert into t (a, b) values (?, ?)");
    check("insert into t values(1,now()),(2,now())", "insert into t values (?, now())");
    check("insert into t (a) value (1), (2)", "insert into t (a) value (?)");
    check("insert into t set a=1, b='x'", "insert into t set a = ?, b = ?");
    check("replace into `t` (`a`) values (1),(2)", "replace into `t` (`a`) values (?)");
    check(
        "insert into t values (1),(2) on duplicate key update a = values(a), b = b + 1",
        "insert into t values (?) on duplicate key update a = values (a), b = b + ?",
    );
    check("select a from t limit 5, 10", "select a from t limit ?, ?");
    check("select a from t limit 5 offset 10", "select a from t limit ? offset ?");
    check(
        "select f(1, 2), value from t where value -1 > 0",
        "select f(?, ?), value from t where value - ? > ?",
    );
}

/// A prepared statement and one whose driver puts the values in are one.
#[test]
fn parameters_look_as_constants_do() {
    check(
        "select a from t where b = ? and c in (?, ?) limit ?, ?",
        "select a from t where b = ? and c in (?) limit ?, ?",
    );
    check("insert into t values (?, ?), (?, ?)", "insert into t values (?, ?)");
    check("call p(?, 1, @out)", "call p(?, ?, @out)");
    check("select ?,a,?", "select ?, a, ?");
    check("select -?", "select - ?");
    check("select f(?)", "select f(?)");
    check("select a?b", "select a ? b");
}

#[test]
fn operations() {
    check_operation("select 1", "SELECT");
    check_operation("(select 1) union (select 2)", "SELECT");
    check_operation("with x as (select 1) delete from t", "DELETE");
    check_operation("replace into t values (1)", "REPLACE");
    check_operation("load data local infile 'x' into table t", "LOAD");
    check_operation("/* a */ call p()", "CALL");
    check_operation("# a\nshow full processlist", "SHOW");
    check_operation("/*!40101 set names utf8 */", "SET");
    for verb in [
        "USE", "DO", "HANDLER", "KILL", "LOCK", "UNLOCK", "XA", "FLUSH", "OPTIMIZE", "ANALYZE", "BEGIN",
        "COMMIT", "TRUNCATE", "DESCRIBE", "EXPLAIN", "PREPARE", "EXECUTE", "CHECK", "REPAIR", "RENAME",
        "SIGNAL", "BINLOG",
    ] {
        check_operation(&format!("{} x y", verb.to_lowercase()), verb);
    }
    check_operation("'x'", "");
    check_operation("`call` x", "");
}

#[test]
fn cut_texts() {
    check_cut("select a from t where b = 'x", "select a from t where b = ? …");
    check_cut("select a from t where b = \"x", "select a from t where b = ? …");
    check_cut("select a from t where b = ?", "select a from t where b = ? …");
    check_cut("select a from t where b = -", "select a from t where b = …");
    check_cut("select a from t where `b", "select a from t where …");
    check_cut("select a /*!501", "select a …");
    check_cut("select a /* b", "select a …");
    check_cut("select @@glo", "select …");
    check_cut("insert into t values (?, ?), (?, ", "insert into t values (?, ?) …");
}

/// Case 24.
#[test]
fn splits_at_semicolons() {
    check_split(
        "select 1; select ';' ;\n# ;\n select \";\"; /* ; */ -- ;\n",
        "select 1 | select ';' | # ;\n select \";\"",
    );
    check_split(r"select '\';'; select `;`", r"select '\';' | select `;`");
    check_split("begin; select 1; end; commit", "begin | select 1 | end | commit");
    check_split("select if(a, 1, 2); select 2", "select if(a, 1, 2) | select 2");
    check_split("select case a when 1 then 2 end; select 2", "select case a when 1 then 2 end | select 2");
    check_split(
        "create table if not exists t (a int); select 2",
        "create table if not exists t (a int) | select 2",
    );
    check_split("create user begin; select 2", "create user begin | select 2");
    check_split("xa begin 'x'; xa end 'x'", "xa begin 'x' | xa end 'x'");
    check_split("; ;", "");
}

/// Case 24.
#[test]
fn bodies_of_stored_programs_stay_whole() {
    for body in [
        "create procedure p() begin select 1; select 2; end",
        "CREATE DEFINER=`r`@`%` PROCEDURE p(IN a INT) COMMENT 'x' BEGIN IF a > 1 THEN SELECT 1; ELSEIF a THEN SELECT 2; ELSE BEGIN END; END IF; END",
        "create or replace function f() returns int deterministic begin declare x int default 1; set x = if(x, 1, 2); return case x when 1 then 2 else 3 end; end",
        "create trigger t before insert on a for each row begin set new.end = 1; l: loop leave l; end loop l; end",
        "create trigger t before insert on a for each row if new.x then set new.y = repeat('a', 3); end if",
        "create event e on schedule every 1 day do begin delete from t; while x do set x = x - 1; end while; end",
        "create procedure p() begin declare c cursor for select 1; declare exit handler for not found begin rollback; end; repeat fetch c into x; until done end repeat; case x when 1 then select 1; else select 2; end case; end",
        "create procedure p() case x when 1 then select 1; end case",
        "create procedure p() if a then if b then select 1; end if; else if c then select 1; end if; end if",
        "create procedure if not exists p() begin for i in 1..5 do select i; end for; end",
        "create procedure p() begin drop table if exists t; create table if not exists t (a int); end",
        "begin not atomic select 1; select 2; end",
        "if @a then select 1; else select 2; end if",
        "/*!50003 create*/ /*!50020 definer=x*/ /*!50003 trigger t after delete on a for each row begin select 1; end */",
    ] {
        check_split(&format!("{body}; select 9;"), &format!("{body} | select 9"));
    }
    check_split("create procedure p() select 1; select 2", "create procedure p() select 1 | select 2");
    check_split(
        "create procedure p() begin select 1; select 2",
        "create procedure p() begin select 1; select 2",
    );
}

/// The texts that `--show-values` keeps of a statement's literals and of parameters that are `'zzqx'`.
fn keeps_secret(dialect: Dialect, sql: &str) -> bool {
    let settings = Settings { show_values: true, ..Settings::default() };
    let mut texts = Texts::with_extractor(10, Extractor::new(settings));
    let interned = texts.intern(dialect, sql.as_bytes(), false, Nanos::default());
    let literals = texts.literals().to_vec();
    let parameters = sql.matches('?').map(|_| texts.extractor_mut().text_only(b"zzqx"));
    let parameters: Vec<_> = parameters.collect();
    texts.assemble(interned.layout, &parameters, &literals, &mut Vec::new());
    texts.extractor().keeps("zzqx")
}

/// Case 78.
#[test]
fn a_password_is_no_value() {
    for sql in [
        "create user bob identified by {}",
        "create user 'bob'@'localhost' identified by password {}",
        "create user bob identified via mysql_native_password using {}",
        "create user bob identified with 'caching_sha2_password' as {}",
        "create user bob identified with sha256_password by {} require ssl",
        "create user a identified by 'x', b identified by {} password expire never",
        "alter user bob identified by 'x' replace {} retain current password",
        "alter user bob identified via ed25519 using password({}) or unix_socket",
        "/*!50110 alter user bob identified by {} */",
        "grant all on *.* to 'bob'@'%' identified by {}",
        "set password = {}",
        "set password for 'bob'@'localhost' = {}",
        "set password for bob@localhost = password({})",
        "set password for 'bob'@'localhost' = old_password({})",
        "change master to master_host = 'h', master_user = 'u', master_password = {}",
        "change replication source to source_password={}",
        "start slave user = 'u' password = {}",
        "create server s foreign data wrapper mysql options (host 'h', password {}, port 3306)",
        "create table t (a int) engine=federated connection = {}",
        "create table t (a int) engine=federated connection {}",
        "select aes_encrypt('text', {})",
        "select aes_decrypt(concat(a, 'b'), unhex(sha2({}, 512)), 'iv') from t",
        "select AES_ENCRYPT({}, 'key')",
        "select encode(a, {}), des_encrypt(a, {}), encrypt(a, {})",
        "update mysql.user set authentication_string = {} where user = 'bob'",
        "begin not atomic create user bob identified with x as {}; end",
        "select 1; set password for 'bob'@'h' = {}",
        "set @password = {}",
    ] {
        for value in ["'zzqx'", "\"zzqx\"", "?"] {
            let sql = sql.replace("{}", value);
            for dialect in [Dialect::Mysql, Dialect::MysqlNoBackslashEscapes] {
                assert!(!keeps_secret(dialect, &sql), "{sql}");
            }
        }
    }
    // The test sees values that are none.
    for sql in [
        "select {}",
        "select aes_encrypt('text', 'key'), {}",
        "set password = 'x'; select {}",
        "insert into t (connection) values ({})",
    ] {
        assert!(keeps_secret(Dialect::Mysql, &sql.replace("{}", "'zzqx'")), "{sql}");
        assert!(keeps_secret(Dialect::Mysql, &sql.replace("{}", "?")), "{sql}");
    }
}
