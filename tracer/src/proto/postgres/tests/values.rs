//! Which values each request has.

use super::dialogue::{join, run, same, transfers};
use crate::value::Value;

#[track_caller]
fn check(dialogue: &str, expected: &str) {
    same(&run(dialogue).values(), expected);
}

#[test]
fn of_a_bind() {
    check(
        "1 > P s select $1, $2, $3 | B - s 7 abc NULL | E - | S
         2 < 1 | 2 | D | C SELECT 1 | Z I
         3 > B - s -12 x y | E - | S
         4 < 2 | D | C SELECT 1 | Z I",
        "select $1, $2, $3 | 7, abc, NULL
         select $1, $2, $3 | -12, x, y",
    );
}

#[test]
fn of_a_pipeline_each_has_its_own() {
    check(
        "1 > P s select $1 | B - s a | E - | B - s b | E - | S
         2 > B - s c | E - | S
         3 < 1 | 2 | D | C SELECT 1 | 2 | D | C SELECT 1 | Z I
         4 < 2 | D | C SELECT 1 | Z I",
        "select $1 | a
         select $1 | b
         select $1 | c",
    );
}

#[test]
fn what_the_server_skips_takes_its_values_along() {
    check(
        "1 > P s select $1 | B - s a | E - | B - s b | E - | S | B - s c | E - | S
         2 < 1 | 2 | E 22012 | Z I | 2 | D | C SELECT 1 | Z I",
        "select $1 | a
         select $1 | c",
    );
}

#[test]
fn of_a_bind_that_fails() {
    check(
        "1 > P s select $1 | B - s a | E - | S
         2 < 1 | E 22P02 | Z I
         3 > B - s b | E - | S
         4 < 2 | D | C SELECT 1 | Z I",
        "select $1 | a
         select $1 | b",
    );
}

#[test]
fn of_a_simple_query() {
    check(
        "1 > Q select * from t where a = 5 and b = 'x''y'; update t set a = -1; select now()
         2 < T | D | C SELECT 1 | C UPDATE 1 | T | D | C SELECT 1 | Z I",
        "select * from t where a = ? and b = ? | 5, x'y
         update t set a = ? | -1
         select now() |",
    );
}

#[test]
fn of_a_list_is_one() {
    check(
        "1 > P s select * from t where a in ($1, $2, $3) and b = $4 | B - s 1 2 3 x | E - | S
         2 < 1 | 2 | C SELECT 0 | Z I
         3 > Q select * from t where a in (1, 2) and b = 'x'
         4 < T | C SELECT 0 | Z I",
        "select * from t where a in ($1) and b = $2 | list of 3, x
         select * from t where a in (?) and b = ? | list of 2, x",
    );
}

#[test]
fn literals_of_a_prepared_statement_stand_where_they_are_written() {
    check(
        "1 > P s select * from t where a = 'l' and b = $1 limit 10 | B - s 7 | E - | S
         2 < 1 | 2 | C SELECT 0 | Z I",
        "select * from t where a = ? and b = $1 limit ? | l, 7, 10",
    );
}

#[test]
fn of_execute_in_sql() {
    // What is no literal has no known place.
    check(
        "1 > Q prepare q as select $1, $2
         2 < C PREPARE | Z I
         3 > Q execute q(now(), 7)
         4 < T | D | C SELECT 1 | Z I",
        "prepare q as select $1, $2 |
         select $1, $2 |",
    );
    check(
        "1 > Q prepare q as select * from t where a in ($1, $2) and b = $3 and c = 'k'
         2 < C PREPARE | Z I
         3 > Q execute q(1, 2, 'x')
         4 < T | C SELECT 0 | Z I",
        "prepare q as select * from t where a in ($1) and b = $2 and c = ? | list of 2, ?, k
         select * from t where a in ($1) and b = $2 and c = ? | list of 2, x, k",
    );
}

#[test]
fn of_a_portal_read_in_pieces() {
    check(
        "1 > P s select $1 | B c s a | E c 1 | S
         2 < 1 | 2 | D | s | Z T
         3 > B - s b | E - | S
         4 < 2 | D | C SELECT 1 | Z T
         5 > E c | S
         6 < D | C SELECT 1 | Z T",
        "select $1 | b
         select $1 | a",
    );
}

#[test]
fn of_a_statement_prepared_before_the_capture() {
    same(
        &join(
            "1 > B - s1 7 abc | E - | S
             2 < 2 | D | C SELECT 1 | Z I",
        )
        .values(),
        "(prepared before capture) s1 | 7, abc",
    );
}

#[test]
fn types_told_by_the_server_read_binary_values() {
    check(
        "1 > P s select $1 | D S s | S
         2 < 1 | t | T | Z I
         3 > B - s #0000002a | E - | S
         4 < 2 | D | C SELECT 1 | Z I",
        "select $1 | 42",
    );
}

#[test]
fn of_a_statement_that_runs_very_often_one_in_four_is_read() {
    let mut run = run("1 > P s select $1 | S\n2 < 1 | Z I");
    for at in 0..20_000 {
        for transfer in
            transfers(&format!("{0} > B - s {0} | E - | S\n{0} < 2 | D | C SELECT 1 | Z I", 3 + at))
        {
            run.feed(&transfer);
        }
    }
    let passed_over: Vec<bool> =
        run.out.finished.iter().map(|request| run.out.values_of(request) == [Value::PASSED_OVER]).collect();
    let (all, often) = passed_over.split_at(8192);
    assert!(!all.contains(&true));
    let passed_over = often.iter().filter(|passed_over| **passed_over).count();
    // Of 738 times 16 three quarters, within four standard deviations of the choice.
    assert!((8_856 - 753..8_856 + 753).contains(&passed_over), "{passed_over}");
}

#[test]
fn a_password_is_kept_nowhere() {
    let mut run = run("1 > P s update users set password = $1 where id = $2 | B - s hunter2 7 | E - | S
         2 < 1 | 2 | C UPDATE 1 | Z I
         3 > Q alter role u password 'hunter2'
         4 < C ALTER ROLE | Z I");
    same(
        &run.values(),
        "update users set password = $1 where id = $2 | ?, 7
         alter role u password ? | ?",
    );
    run.texts.extractor_mut().text(b"hunter3", crate::time::Nanos(0));
    let extractor = run.texts.extractor();
    assert!(extractor.keeps("hunter3") && !extractor.keeps("hunter2"));
    assert!(!format!("{extractor:?}").contains("hunter3"));
}

#[test]
fn in_flight() {
    check(
        "1 > P s select $1 | B - s a | E - | S
         2 < 1 | 2 | D | C SELECT 1 | Z I
         3 > B - s b | E - | S
         4 > B - s c | E - | S
         5 > Q select 5",
        "select $1 | a
         in flight select $1 | b
         in flight select $1 | c
         in flight select ? | 5",
    );
}

#[test]
fn after_a_loss_values_are_not_shifted() {
    check(
        "1 > P s select $1 | S
         2 < 1 | Z I
         3 > B - s a | E - | S
         4 > ...100
         5 < 2 | D | C SELECT 1 | Z I
         6 > B - s b | E - | S
         7 < 2 | D | C SELECT 1 | Z I
         8 > B - s c | E - | S
         9 < 2 | D | C SELECT 1 | Z I",
        "select $1 | b
         select $1 | c",
    );
}
