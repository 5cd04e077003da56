//! The protocol's traps, one by one.

use super::dialogue::{check, check_both, run, same};

#[test]
fn text_queries() {
    check_both(
        "10 > Q select a from t where b = 5
         20 < cols 2 | EOF | row x
         30 < row y | END
         40 > Q update t set a = 1
         50 < ok 3
         60 > Q selec
         70 < err 1064 42000
         80 > ping
         90 < ok",
        "10 20 30 rows=2 select a from t where b = ?
         40 50 50 rows=3 update t set a = ?
         60 70 70 rows=0 selec 1064/42000
         80 90 90 rows=0 (ping)",
    );
}

#[test]
fn case_24_each_result_of_a_multi_statement_is_a_request() {
    check_both(
        "10 > Q select a from t; update t set b = 2; select c from t
         20 < cols 1 | EOF | row x | END 000a | ok 4 000a
         30 < cols 1 | EOF
         40 < row y | row z | END",
        "10 20 20 rows=1 select a from t
         10 20 20 rows=4 update t set b = ?
         10 30 40 rows=2 select c from t",
    );
}

#[test]
fn case_24_results_of_a_call_belong_to_it() {
    check_both(
        "10 > Q call p()
         20 < cols 1 | EOF | row x | END 000a
         30 < cols 2 | EOF | row y | row z | END 000a
         40 < ok",
        "10 20 40 rows=3 call p()",
    );
    check_both(
        "10 > Q call p(); select 1
         20 < cols 1 | EOF | row x | END 000a | ok 0 000a | cols 1 | EOF | row 1 | END",
        "10 20 20 rows=1 call p()
         10 20 20 rows=1 select ?",
    );
}

/// What the server says may be any number.
#[test]
fn case_24_rows_of_a_call_do_not_overflow() {
    check(
        "10 > Q call p()
         20 < hex 00 fe ffffffffffffffff 00 0a00 0000
         30 < cols 1 | row x | okeof",
        "10 20 30 rows=18446744073709551615 call p()",
    );
}

#[test]
fn case_24_an_error_ends_a_multi_statement() {
    check(
        "10 > Q select 1; selec; select 3
         20 < cols 1 | row 1 | okeof 000a | err 1064 42000",
        "10 20 20 rows=1 select ?
         10 20 20 rows=0 selec 1064/42000
         skipped=1",
    );
}

/// So many that not all are told apart.
#[test]
fn case_24_very_many_statements() {
    let most = super::super::exchange::MOST_STATEMENTS_OF_TEXT;
    let text = "select a; ".repeat(most + 2);
    let answers = "ok 0 000a | ".repeat(most + 1);
    let all = run(&format!("10 > Q {text}\n20 < {answers}ok"));
    let shown = all.shown();
    assert_eq!(shown.lines().filter(|line| *line == "10 20 20 rows=0 select a").count(), most);
    let rest = ["10 20 20 rows=0 (statement not captured)"; 2];
    assert_eq!(shown.lines().skip(most).collect::<Vec<_>>(), rest);
}

#[test]
fn case_24_the_body_of_a_routine_is_one_statement() {
    check(
        "10 > Q create procedure p() begin select 1; select 2; end
         20 < ok",
        "10 20 20 rows=0 create procedure p() begin select ?; select ?; end",
    );
}

#[test]
fn case_25_local_infile() {
    check_both(
        "10 > Q load data local infile 'x' into table t
         20 < file x
         30 > data one | data two
         40 > data
         50 < ok 2
         60 > Q select 1
         70 < cols 1 | EOF | row 1 | END",
        "10 20 50 rows=2 load data local infile ? into table t
         60 70 70 rows=1 select ?",
    );
    let refused =
        "10 > Q load data local infile 'x' into table t\n20 < file x\n30 > data\n40 < err 2068 HY000";
    check_both(refused, "10 20 40 rows=0 load data local infile ? into table t 2068/HY000");
}

/// More than 256 packets of a file: its numbers pass zero.
#[test]
fn case_25_a_long_file() {
    let packets = vec!["data x"; 600].join(" | ");
    let shown = run(&format!(
        "10 > Q load data local infile 'x' into table t
         20 < file x
         30 > {packets} | data
         50 < ok 2"
    ));
    same(&shown.shown(), "10 20 50 rows=2 load data local infile ? into table t");
    assert_eq!(shown.out.finished[0].request_bytes, 44 + 600 * 5 + 4);
}

#[test]
fn case_31_packets_of_16_mib() {
    let mut all = run("");
    let mut long = super::dialogue::transfers("10 > Q select 'x'").remove(0);
    let sql = [&b"\x03insert into t values ('"[..], &vec![b'x'; 0xff_ffff - 24]].concat();
    long.bytes = [&[0xff, 0xff, 0xff, 0][..], &sql, &[2, 0, 0, 1], b"')"].concat();
    all.feed(&long);
    all.feed_all("20 < seq 2 | ok 1\n30 > Q select a\n40 < cols 1");
    let mut row = super::dialogue::transfers("50 < row x").remove(0);
    let text = vec![b'y'; 0xff_ffff - 4];
    row.bytes = [&[0xff, 0xff, 0xff, 3, 0xfd, 0xff, 0xff, 0xff][..], &text, &[3, 0, 0, 4], b"yyy"].concat();
    all.feed(&row);
    all.feed_all("60 < seq 5 | row z | okeof");
    same(
        &all.shown(),
        "10 20 20 rows=1 insert into t values (? …
         30 40 60 rows=2 select a",
    );
    assert_eq!(all.out.finished[0].request_bytes, 0xff_ffff + 4 + 6);
}

/// What is not captured of a long command may hide the header of its next packet.
#[test]
fn case_31_a_hole_in_a_continued_command() {
    let mut all = run("");
    let mut long = super::dialogue::transfers("10 > Q select 'x'").remove(0);
    long.bytes = [&[0xff, 0xff, 0xff, 0][..], b"\x03insert into t (a) values (5, 'x"].concat();
    long.skipped = 0xff_ffff + 10;
    all.feed(&long);
    all.feed_all("20 < seq 2 | ok 1\n30 > Q select a\n40 < cols 1 | row x | okeof");
    same(
        &all.shown(),
        "10 20 20 rows=1 insert into t (a) values (?, ? …
         30 40 40 rows=1 select a",
    );
}

/// Each header is a transfer of its own, also where the session is joined.
#[test]
fn case_33_a_header_apart_from_its_body() {
    let dialogue = "10 > Q select 1\n20 < cols 1 | row 1 | okeof\n30 > ping\n40 < ok";
    for from_start in [true, false] {
        let mut all = if from_start { run("") } else { super::dialogue::join("") };
        for transfer in super::dialogue::transfers(dialogue) {
            let mut rest = &transfer.bytes[..];
            while let Some((header, behind)) = rest.split_at_checked(4) {
                let (body, behind) = behind.split_at(usize::from(header[0]));
                rest = behind;
                for bytes in [header, body] {
                    all.feed(&super::dialogue::Transfer { bytes: bytes.to_vec(), ..transfer.clone() });
                }
            }
        }
        same(&all.shown(), "10 20 20 rows=1 select ?\n30 40 40 rows=0 (ping)");
    }
}

#[test]
fn case_34_kill_marks_the_cancelled_request() {
    let mut session = run("10 > Q select sleep(9)");
    let key = session.observer.exchange.session.backend_key.unwrap();
    for kill in ["Q KILL QUERY 7", "killed 7", "Q kill 7"] {
        let other = run(&format!("15 > {kill}\n16 < ok"));
        assert_eq!(other.out.cancels, [key], "{kill}");
    }
    crate::proto::Protocol::cancelled(&mut session.observer, crate::time::Nanos(15));
    session.feed_all("20 < err 1317 70100\n30 > Q select 1\n40 < err 1317 70100");
    same(
        &session.shown(),
        "10 20 20 rows=0 select sleep(?) 1317/70100 cancelled
         30 40 40 rows=0 select ? 1317/70100",
    );
}

#[test]
fn case_34_a_lost_server() {
    let mut session = run("10 > Q select a; select b\n20 < cols 1 | row x");
    crate::proto::Protocol::close(&mut session.observer, crate::time::Nanos(50), &mut session.out);
    same(
        &session.shown(),
        "10 20 50 rows=1 select a closed
         10 50 50 rows=0 select b closed",
    );
}

#[test]
fn the_server_ends_an_idle_session() {
    check("10 < seq 0 | err 1927 70100", "");
    check("10 > ping\n20 < ok\n30 < seq 1 | err 4031 HY000", "10 20 20 rows=0 (ping)");
}

#[test]
fn case_30_session_tracking_and_optional_metadata() {
    // OK with a changed schema; a count with MariaDB's flag, and with MySQL's.
    check(
        "10 > Q use x
         20 < hex 00 00 00 02 40 00 00 00 04 01 02 01 78
         30 > Q select a
         40 < count 01 00 | row x | okeof
         50 > Q select b
         60 < count 00 02 | row x | okeof
         70 > Q select c
         80 < count 01 01 | def | row x | okeof",
        "10 20 20 rows=0 use x
         30 40 40 rows=1 select a
         50 60 60 rows=1 select b
         70 80 80 rows=1 select c",
    );
}

#[test]
fn progress_reports_answer_nothing() {
    check(
        "10 > Q alter table t add b int
         20 < hex ff ff ff 01 01 02 00 00 00 05 73 74 61 67 65
         30 < ok",
        "10 20 30 rows=0 alter table t add b int",
    );
}

#[test]
fn other_commands() {
    check_both(
        "10 > db x
         11 < ok
         20 > statistics
         21 < text Uptime: 5  Threads: 1
         30 > fields
         31 < def | def | END
         40 > set
         41 < eof
         50 > reset
         51 < ok
         60 > killed 99
         61 < ok
         70 > Q select 1
         71 < cols 1 | EOF | row 1 | END",
        "10 11 11 rows=0 (init db)
         20 21 21 rows=0 (statistics)
         30 31 31 rows=0 (field list)
         40 41 41 rows=0 (set option)
         50 51 51 rows=0 (reset connection)
         60 61 61 rows=0 (process kill)
         70 71 71 rows=1 select ?
         cancels=1",
    );
}

/// A command byte and nothing else: the server answers it, with an error.
#[test]
fn empty_texts() {
    check(
        "10 > Q
         20 < err 1065 42000
         30 > P
         40 < err 1065 42000
         50 > db
         60 < err 1046 3D000",
        "10 20 20 rows=0 (empty) 1065/42000
         30 40 40 rows=0 (empty) 1065/42000
         50 60 60 rows=0 (init db) 1046/3D000",
    );
}

#[test]
fn databases_and_users_follow_the_session() {
    let mut all = run("10 > db a\n11 < ok");
    assert_eq!(all.observer.exchange.session.database.as_deref(), Some("a"));
    all.feed_all("20 > Q use b\n21 < ok");
    assert_eq!(all.observer.exchange.session.database.as_deref(), Some("b"));
    all.feed_all("30 > Q use nowhere\n31 < err 1049 42000\n40 > user v c\n41 < hex fe 61 00 62 ");
    assert_eq!(all.observer.exchange.session.database.as_deref(), Some("b"));
    all.feed_all("42 > seq 3 | hex 0102030405\n43 < ok");
    let session = &all.observer.exchange.session;
    assert_eq!((session.user.as_deref(), session.database.as_deref()), (Some("v"), Some("c")));
    assert_eq!(all.out.counts.resyncs, 0);
}

#[test]
fn replication_is_no_request() {
    let all = run("10 > binlog\n20 < hex 00 01 02 03 | hex 00 04\n30 < hex 00 05");
    same(&all.shown(), "");
    assert!(all.observer.exchange.session.streaming);
}

#[test]
fn quit_ends_the_session() {
    let all = run("10 > quit");
    assert!(all.observer.exchange.session.terminated);
    same(&all.shown(), "");
}

#[test]
fn literals_are_read_as_the_session_says() {
    // With NO_BACKSLASH_ESCAPES a backslash ends no string.
    let all = run(r"10 > Q select 'a\' from t
         20 < cols 1 | row x | okeof 0202
         30 > Q select '\' from t
         40 < cols 1 | row x | okeof 0202");
    assert!(all.shown().contains("30 40 40 rows=1 select ? from t"), "{}", all.shown());
    let mut all = run("10 > ping\n11 < ok 0 0202\n20 > statistics\n21 < text Uptime: 5");
    all.feed_all("30 > Q select '\\', a, 'b'\n40 < ok");
    assert!(all.shown().contains("30 40 40 rows=0 select ?, a, ?"), "{}", all.shown());
}
