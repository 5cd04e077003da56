//! Prepared statements, cursors, and the values of both.

use super::dialogue::{check, check_both, check_joined, run, same};

/// `select a from t where b = ?` as statement 1, with one parameter and one column.
const PREPARED: &str = "1 > P select a from t where b = ?
                        2 < prepared 1 1 1 | def | EOF | def | EOF";

#[test]
fn prepared_statements() {
    check_both(
        &format!(
            "{PREPARED}
             10 > X 1 00 01 0300 05000000
             20 < cols 1 | EOF | brow | brow | END
             30 > C 1
             40 > Q select 1
             50 < cols 1 | EOF | row 1 | END"
        ),
        "10 20 20 rows=2 select a from t where b = ?
         40 50 50 rows=1 select ?",
    );
}

/// Without the login, nothing says whether EOF ends the definitions.
#[test]
fn case_30_the_end_of_a_prepare_is_found_without_the_login() {
    for prepared in ["1 0 0", "1 1 0 | def", "1 1 0 | def | eof", "1 0 1 | def", "1 0 1 | def | eof"] {
        check_joined(
            &format!(
                "1 > P select a
                 2 < prepared {prepared}
                 10 > X 1
                 20 < ok"
            ),
            "10 20 20 rows=0 select a",
        );
    }
    for prepared in ["1 2 2 | def | def | def | def", "1 2 2 | def | def | eof | def | def | eof"] {
        check_joined(
            &format!("1 > P select a\n2 < prepared {prepared}\n10 > X 1\n20 < ok"),
            "10 20 20 rows=0 select a",
        );
    }
}

#[test]
fn a_failed_prepare_is_a_request() {
    check_both(
        "10 > P selec
         20 < err 1064 42000
         30 > X 1
         40 < err 1243 HY000",
        "10 20 20 rows=0 selec 1064/42000
         30 40 40 rows=0 (prepared before capture) 1 1243/HY000
         unnamed=1",
    );
}

#[test]
fn prepared_before_the_capture() {
    check_joined(
        "10 > X 12 00 01 0300 05000000
         20 < cols 1 | brow | okeof
         30 > X 12
         40 < ok 3",
        "10 20 20 rows=1 (prepared before capture) 12
         30 40 40 rows=3 (prepared before capture) 12
         unnamed=2",
    );
}

#[test]
fn case_26_long_data_and_close_have_no_answer() {
    let all = run("1 > P insert into t values (?, ?)
         2 < prepared 1 0 2 | def | def
         10 > L 1 1 secret
         11 > L 1 1 secret
         20 > X 1 00 01 0300 fc00 05000000
         30 < ok 1
         40 > C 1 | C 9 | Q select 1
         50 < cols 1 | row 1 | okeof");
    same(
        &all.shown(),
        "20 30 30 rows=1 insert into t values (?, ?)
         40 50 50 rows=1 select ?",
    );
    same(&all.values(), "insert into t values (?, ?) | 5, ?\nselect ? | 1");
    assert_eq!(all.out.finished[0].request_bytes, 2 * 17 + 24);
}

#[test]
fn case_27_ids_are_used_again() {
    for (again, answer) in [("C 1 | ping", "ok"), ("reset", "ok"), ("user v d", "ok")] {
        let all = run(&format!(
            "1 > P select a
             2 < prepared 1 1 0 | def
             10 > {again}
             20 < {answer}
             30 > X 1
             40 < cols 1 | brow | okeof
             50 > P select b
             60 < prepared 1 1 0 | def
             70 > X 1
             80 < cols 1 | brow | okeof"
        ));
        let shown = all.shown();
        assert!(shown.contains("30 40 40 rows=1 (prepared before capture) 1"), "{shown}");
        assert!(shown.contains("70 80 80 rows=1 select b"), "{shown}");
    }
}

#[test]
fn case_28_types_are_remembered() {
    let all = run("1 > P select ?, ?
         2 < prepared 1 2 2 | def | def | def | def
         10 > X 1 00 01 0300 fd00 05000000 0161
         20 < cols 2 | brow | okeof
         30 > X 1 00 00 06000000 0162
         40 < cols 2 | brow | okeof
         50 > X 1 01 00 0163
         60 < cols 2 | brow | okeof");
    same(&all.values(), "select ?, ? | 5, a\nselect ?, ? | 6, b\nselect ?, ? | NULL, c");
}

/// Also by an execution whose values are passed over.
#[test]
fn case_28_types_of_an_execution_that_is_passed_over() {
    let mut all = run("1 > P select ?\n2 < prepared 1 1 1 | def | def");
    let forms = ["0300 05000000", "fd00 03616263"];
    for round in 0..3000u64 {
        let (first, next) = forms[usize::from(round % 6 >= 3)].split_at(4);
        let execution = if round % 3 == 0 { format!("00 01 {first}{next}") } else { format!("00 00 {next}") };
        all.feed_all(&format!("{round} > X 1 {execution}\n{round} < ok"));
        for _ in 0..3 {
            all.feed_all(&format!("{round} > X 1 00 00 {next}\n{round} < ok"));
        }
    }
    let shown = all.values();
    let (mut passed_over, mut read) = (0, 0);
    for line in shown.lines() {
        match line {
            "select ? | passed over" => passed_over += 1,
            "select ? | 5" | "select ? | abc" => read += 1,
            _ => panic!("{line}"),
        }
    }
    assert!(passed_over > 1000 && read > 9000, "{passed_over}, {read}");
}

#[test]
fn case_29_a_cursor_is_one_request() {
    check_both(
        &format!(
            "{PREPARED}
             10 > XC 1 00 01 0300 05000000
             20 < cols 1 | END 0042
             30 > F 1
             40 < brow | brow | END 0042
             50 > F 1
             60 < brow | END 0082
             70 > ping
             80 < ok"
        ),
        "10 20 60 rows=3 select a from t where b = ?
         70 80 80 rows=0 (ping)",
    );
}

#[test]
fn case_29_a_cursor_that_is_left() {
    let opened = format!(
        "{}
         10 > XC 1 00 01 0300 05000000
         20 < cols 1 | okeof 0042
         30 > F 1
         40 < brow | brow | okeof 0042",
        PREPARED.replace(" | EOF", "")
    );
    check(&opened, "in flight 10 select a from t where b = ?");
    let ended = "10 20 40 rows=2 select a from t where b = ?";
    check(&format!("{opened}\n50 > C 1"), ended);
    check(&format!("{opened}\n50 > R 1\n60 < ok"), ended);
    check(
        &format!("{opened}\n50 > F 1\n60 < err 1317 70100"),
        "10 20 60 rows=2 select a from t where b = ? 1317/70100",
    );
    let again = format!("{opened}\n50 > X 1 00 00 05000000\n60 < cols 1 | brow | okeof");
    check(&again, &format!("{ended}\n50 60 60 rows=1 select a from t where b = ?"));
    let mut closed = run(&opened);
    crate::proto::Protocol::close(&mut closed.observer, crate::time::Nanos(90), &mut closed.out);
    same(&closed.shown(), ended);
    // A small result has no cursor, though one was asked for.
    check(
        "1 > P select a\n2 < prepared 1 1 0 | def\n10 > XC 1\n20 < cols 1 | brow | okeof",
        "10 20 20 rows=1 select a",
    );
}

#[test]
fn case_30_query_attributes() {
    let all = run("10 > cmd 03 00 01 73656c6563742031
         20 < cols 1 | row 1 | okeof
         30 > cmd 03 01 01 00 01 fe00 026964 03616263 73656c6563742032
         40 < cols 1 | row 1 | okeof");
    same(&all.values(), "select ? | 1\nselect ? | 2");
    let all = super::dialogue::join(
        "1 > P select ?
         2 < prepared 1 1 1 | def | def
         10 > XA 1 02 00 01 0300 00 fe00 026964 07000000 03616263
         20 < cols 1 | brow | okeof",
    );
    same(&all.values(), "select ? | 7");
}

#[test]
fn values_of_text_and_binary_are_alike() {
    let all = run("1 > P select a from t where b = ? and c = 'x' and d in (?, ?)
         2 < prepared 1 1 3 | def | def | def | def
         10 > X 1 00 01 0800 fd00 0580 0500000000000000 0179 000000000000f83f
         20 < cols 1 | brow | okeof
         30 > Q select a from t where b = 5
         40 < cols 1 | row x | okeof");
    let shown = all.values();
    assert!(shown.starts_with("select a from t where b = ? and c = ? and d in"), "{shown}");
    assert!(shown.ends_with("select a from t where b = ? | 5"), "{shown}");
}

/// Clients of MariaDB send an execution ahead of the answer that tells the id.
#[test]
fn the_last_prepared_statement() {
    let all = run("1 > P select a from t where b = ? | X LAST 00 01 0300 05000000
         2 < seq 1 | prepared 4 1 1 | def | def
         3 < seq 1 | cols 1 | brow | okeof
         10 > X LAST 00 00 06000000
         20 < cols 1 | brow | okeof");
    same(
        &all.shown(),
        "1 3 3 rows=1 select a from t where b = ?
         10 20 20 rows=1 select a from t where b = ?",
    );
}

#[test]
fn the_last_prepared_statement_with_a_cursor() {
    let opened = "1 > P select a from t where b = ? | XC LAST 00 01 0300 05000000
         2 < seq 1 | prepared 4 1 1 | def | def
         3 < seq 1 | cols 1 | okeof 0042
         4 > F LAST
         5 < brow | brow | okeof 0042";
    check(opened, "in flight 1 select a from t where b = ?");
    let ended = "1 3 5 rows=2 select a from t where b = ?";
    check(&format!("{opened}\n6 > C LAST"), ended);
    check(&format!("{opened}\n6 > R LAST\n7 < ok"), ended);
    check(&format!("{opened}\n6 > F 4\n7 < brow | okeof 0082"), "1 3 7 rows=3 select a from t where b = ?");
    // Closed ahead of the answer that opens the cursor: no row will be read.
    check(
        "1 > P select a\n2 < prepared 4 1 0 | def\n10 > XC 4 | C 4\n20 < seq 1 | cols 1 | okeof 0042",
        "10 20 20 rows=0 select a",
    );
    check(
        "1 > P select a | X LAST | X LAST | BULK LAST | C LAST
         2 < seq 1 | prepared 4 0 0
         3 < seq 1 | ok
         4 < seq 1 | ok
         5 < seq 1 | ok 7
         6 > P select b
         7 < prepared 5 0 0
         8 > BULK LAST
         9 < ok 8",
        "1 3 3 rows=0 select a
         1 4 4 rows=0 select a
         1 5 5 rows=7 select a
         8 9 9 rows=8 select b",
    );
}

#[test]
fn bulk_execution() {
    check_both(
        "1 > P insert into t values (?)
         2 < prepared 1 0 1 | def | EOF
         10 > BULK 1
         20 < ok 5",
        "10 20 20 rows=5 insert into t values (?)",
    );
}
