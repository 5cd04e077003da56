//! Sessions joined in the middle, and holes in the bytes.

use super::dialogue::{check, check_joined, join, run, same, transfers};
use crate::proto::Protocol;

#[test]
fn an_answer_without_its_command_was_started_before() {
    check_joined(
        "10 < seq 9 | row x | row y | okeof
         20 > Q select 1
         30 < cols 1 | row 1 | okeof",
        "20 30 30 rows=1 select ?
         started_before=1",
    );
    check_joined("10 > Q select 1\n20 < cols 1 | row 1 | okeof", "10 20 20 rows=1 select ?");
}

#[test]
fn a_session_joined_at_its_greeting() {
    let mut all = join(super::dialogue::LOGIN);
    all.feed_all("10 > Q select 1\n20 < cols 1 | row 1 | okeof");
    same(&all.shown(), "10 20 20 rows=1 select ?");
    assert_eq!(all.observer.exchange.session.user.as_deref(), Some("u"));
}

#[test]
fn a_session_joined_in_a_file() {
    check_joined(
        "10 > seq 5 | data x | data y
         20 > data
         30 < ok 2
         40 > ping
         50 < ok",
        "40 50 50 rows=0 (ping)
         started_before=1",
    );
}

#[test]
fn a_hole_in_a_large_result() {
    check(
        "10 > Q select a
         20 < cols 1 | row x | ...5000
         30 < hex 78787878 | ...100000 cut
         40 < row y | okeof
         50 > ping
         60 < ok",
        "10 20 40 rows=1 select a
         50 60 60 rows=0 (ping)",
    );
    let all = run("10 > Q select a\n20 < cols 1 | row x | ...5000\n30 < row y | okeof");
    assert_eq!(all.out.finished[0].answer_bytes, 5 + 31 + 6 + 5000 + 6 + 11);
}

#[test]
fn a_hole_whose_end_is_an_error_or_an_eof() {
    check(
        "10 > Q select a
         20 < cols 1 | row x | ...5000
         30 < row y | err 1317 70100",
        "10 20 30 rows=1 select a 1317/70100",
    );
    check_joined(
        "10 > Q select a
         20 < cols 1 | eof | row x | ...5000
         30 < row y | eof 0003",
        "10 20 30 rows=1 select a",
    );
}

#[test]
fn a_hole_whose_end_is_not_seen_ends_before_the_next_command() {
    check(
        "10 > Q select a
         20 < cols 1 | row x | ...5000
         30 < ...5000
         40 > Q select b
         50 < cols 1 | row x | okeof",
        "10 20 30 rows=1 select a
         40 50 50 rows=1 select b",
    );
}

#[test]
fn a_hole_in_the_results_of_a_call() {
    check(
        "10 > Q call p()
         20 < cols 1 | row x | ...5000
         30 < row y | okeof 000a
         40 < cols 1 | row z | okeof 000a | ok",
        "10 20 40 rows=2 call p()",
    );
}

#[test]
fn a_hole_among_several_statements_is_not_guessed() {
    check(
        "10 > Q select a; select b
         20 < cols 1 | row x | ...5000
         30 < row y | okeof
         40 > ping
         50 < ok",
        "40 50 50 rows=0 (ping)
         unmatched=2
         resyncs=1",
    );
}

#[test]
fn a_hole_inside_a_command_or_a_row_costs_nothing() {
    check(
        "10 > Q select a
         20 < cols 1 | row x | okeof",
        "10 20 20 rows=1 select a",
    );
    let mut all = run("");
    let mut long = transfers("10 > Q select aaaaaaaaaaaaaaaaaaaaaaaaa").remove(0);
    long.bytes.truncate(15);
    long.skipped = 22;
    all.feed(&long);
    all.feed_all("20 < seq 1 | cols 1");
    let mut row = transfers("20 < seq 3 | row xxxxxxxxxxxxxxx").remove(0);
    row.bytes.truncate(8);
    row.skipped = 12;
    all.feed(&row);
    all.feed_all("30 < seq 4 | okeof");
    same(&all.shown(), "10 20 30 rows=1 select …");
}

#[test]
fn a_lost_command_makes_its_answer_unmatched() {
    check(
        "10 > ...30
         20 < cols 1 | row x | okeof
         30 > Q select b
         40 < cols 1 | row x | okeof",
        "30 40 40 rows=1 select b
         resyncs=1",
    );
    // The gap shows only with the next bytes of that direction.
    check(
        "20 < seq 1 | cols 1 | row x | okeof
         30 > Q select b
         40 < cols 1 | row x | okeof",
        "30 40 40 rows=1 select b
         unmatched=1
         resyncs=1",
    );
}

#[test]
fn an_answer_out_of_step_is_not_credited() {
    check(
        "10 > Q select a
         20 < seq 3 | ok
         30 > Q select b
         40 < ok",
        "30 40 40 rows=0 select b
         unmatched=1
         resyncs=1",
    );
}

#[test]
fn never_in_sync_without_an_answer() {
    let all = join("10 > Q select a");
    assert!(!all.observer.in_sync());
    let all = join("10 > Q select a\n20 < ok");
    assert!(all.observer.in_sync());
}
