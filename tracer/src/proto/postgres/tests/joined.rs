//! Sessions joined in the middle, holes, and lost places.

use super::dialogue::{Run, check, check_joined, join, run, same, transfers};
use crate::proto::Protocol;

#[test]
fn case_46_first_event_is_a_send() {
    check_joined(
        "10 > B - s1 | E - | S
         20 < 2 | D | C SELECT 1 | Z I
         30 > Q select a
         40 < C SELECT 2 | Z I",
        "10 20 20 rows=1 (prepared before capture) s1
         30 40 40 rows=2 select a
         unnamed=1",
    );
}

#[test]
fn case_46_first_event_is_a_read() {
    check_joined(
        "10 < 2 | D | C SELECT 1 | Z I
         20 > Q select a
         30 < T | D | C SELECT 1 | Z I",
        "20 30 30 rows=1 select a
         started_before=1",
    );
}

#[test]
fn case_67_joined_in_the_middle_of_a_large_result() {
    check_joined(
        "10 < hex 0102030405060708 | D 50 | D 50
         11 < D 60 | D 70 cut
         12 < D 10 | ...5000
         13 < D 9 | D 9 | C SELECT 90 | Z I
         20 > Q select a
         30 < C SELECT 1 | Z I",
        "20 30 30 rows=1 select a
         started_before=1",
    );
    // The answer of an idle server's first transfer need not begin with a message.
    check_joined(
        "10 < hex 7878787878
         13 < hex 7878 | C SELECT 90 | Z T
         20 > P - select a | B - - | E - | S
         30 < 1 | 2 | C SELECT 1 | Z T",
        "20 30 30 rows=1 select a
         started_before=1",
    );
}

#[test]
fn case_67_older_answer_of_another_shape() {
    // A simple query was under way. Its answer must not go to the batch sent meanwhile.
    check_joined(
        "10 > B - s | E - | S
         20 < T | D | C SELECT 1 | Z I
         30 < 2 | C SELECT 1 | Z I
         40 > Q select a
         50 < C SELECT 1 | Z I",
        "40 50 50 rows=1 select a
         started_before=1
         unmatched=1
         resyncs=1",
    );
}

#[test]
fn case_67_older_answer_of_the_same_shape() {
    check_joined(
        "10 > B - s | E - | S
         20 < 2 | C SELECT 1 | Z I
         30 < 2 | C SELECT 1 | Z I
         40 > Q select a
         50 < C SELECT 1 | Z I
         60 > Q select b",
        "40 50 50 rows=1 select a
         in flight 60 select b
         started_before=1
         unmatched=1
         resyncs=1
         unnamed=1",
    );
}

#[test]
fn joined_while_copy_in_runs() {
    check_joined(
        "10 > d 100 | d 100
         11 > d 100 | c
         20 < C COPY 300 | Z I
         30 > Q select a
         40 < C SELECT 1 | Z I",
        "30 40 40 rows=1 select a
         started_before=1
         resyncs=1",
    );
}

#[test]
fn joined_in_the_middle_of_a_request() {
    check_joined(
        "10 > hex 6162636465666768
         20 < T | C SELECT 1 | Z I
         30 > Q select a
         40 < C SELECT 1 | Z I",
        "30 40 40 rows=1 select a
         started_before=1",
    );
}

#[test]
fn joined_replication_is_streaming() {
    let run = join("10 < keepalive\n20 > d 34\n30 < keepalive");
    assert!(run.observer.session().streaming && run.out.finished.is_empty());
}

#[test]
fn a_start_up_seen_by_a_joined_observer() {
    check_joined(
        "10 > startup user=u
         11 < R | Z I
         20 > Q select a
         21 < C SELECT 1 | Z I",
        "20 21 21 rows=1 select a",
    );
}

#[test]
fn case_60_long_messages() {
    // The hole lies inside one message: framing holds.
    // Bind: 4 + 3 + 1000 + 2 bytes. DataRow: 4 + 1000 + 20.
    check(
        "10 > P s select a | hex 42000003f1007300 | ...1000 | hex 0000 | E - | S
         20 < 1 | 2 | hex 4400000400 | ...1000 | hex 0000000000000000000000000000000000000000
         21 < hex 43000000 cut
         22 < hex 0d53454c454354203100 | Z I",
        "10 20 22 rows=1 select a",
    );
    // The end of a long text is not needed.
    check(
        "10 > hex 510000040673656c6563742061 | ...1017 | hex 00
         20 < C SELECT 1 | Z I",
        "10 20 20 rows=1 select …",
    );
}

#[test]
fn a_name_that_was_not_captured_is_not_the_unnamed_statement() {
    check(
        "10 > P - select a | S
         11 < 1 | Z I
         20 > hex 42000003ee | ...1000 | hex 0000 | E - | S
         21 < 2 | C SELECT 1 | Z I",
        "20 21 21 rows=1 (name not captured)
         unnamed=1",
    );
}

#[test]
fn case_60_large_result_of_which_head_and_tail_are_captured() {
    check(
        "10 > P - select a | B - - | E - | S
         20 < 1 | 2 | D 100 | ...8000
         30 < D 100 | ...8000
         40 < hex 76767676 | ...700 | hex 7676767676 | D 6 | C SELECT 1000000 | Z I
         50 > Q select b
         60 < C SELECT 1 | Z I",
        "10 20 40 rows=1000000 select a
         50 60 60 rows=1 select b",
    );
    // CommandComplete and ReadyForQuery in transfers of their own.
    check(
        "10 > Q select a
         20 < T | D 100 | ...8000
         30 < C SELECT 7
         40 < Z I",
        "10 20 30 rows=7 select a",
    );
    // An error after the rows.
    check(
        "10 > Q select a
         20 < T | D 100 | ...8000
         40 < hex 76 | E 57014 | Z I",
        "10 20 40 rows=0 select a 57014",
    );
}

#[test]
fn sizes_count_the_hole() {
    let sum = |dialogue: &str| {
        let run = run(dialogue);
        let request = &run.out.finished[0];
        (request.rows, request.answer_bytes)
    };
    let whole = "10 > Q select a\n20 < T | D 100 | D 100 | D 100\n30 < D 100 | C SELECT 4 | Z I";
    let holed = "10 > Q select a\n20 < T | D 100 | ...222\n30 < D 100 | C SELECT 4 | Z I";
    assert_eq!(sum(whole), sum(holed));
}

#[test]
fn case_60_completions_inside_the_hole_are_not_guessed() {
    check(
        "10 > P - select a | B - - | E - | P s select b | B - s | E - | S
         20 < 1 | 2 | D 100 | ...8000
         30 < D 100 | C SELECT 5 | Z I
         40 > B - s | E - | S
         50 < 2 | C SELECT 1 | Z I",
        "10 30 30 rows=5 select b
         40 50 50 rows=1 select b
         unmatched=1",
    );
    check(
        "10 > B - a | E - | B - b | E - | S
         20 < 2 | D 100 | ...8000
         30 < E 57014 | Z I
         40 > Q select b
         50 < C SELECT 1 | Z I",
        "40 50 50 rows=1 select b
         unmatched=2",
    );
    check(
        "10 > Q select a
         20 < T | D 100 | ...8000
         30 < Z I
         40 > Q select b
         50 < C SELECT 1 | Z I",
        "40 50 50 rows=1 select b
         unmatched=1",
    );
}

#[test]
fn case_61_lost_events() {
    // Of the server, with two answers due.
    check(
        "10 > B - a | E - | S
         11 > B - b | E - | S
         20 < 2 | ...200
         30 < D 4 | C SELECT 1 | Z I
         40 > Q select b
         50 < C SELECT 1 | Z I",
        "40 50 50 rows=1 select b
         unmatched=2
         resyncs=1",
    );
    // Of the client.
    check(
        "10 > B - a | E - | ...100
         20 < 2 | C SELECT 1 | 2 | C SELECT 1 | Z I
         40 > Q select b
         50 < C SELECT 1 | Z I",
        "40 50 50 rows=1 select b
         unmatched=2
         resyncs=1",
    );
    // Of the server while nothing was due: the next quiet moment.
    check(
        "20 < ...200
         30 > Q select a
         40 < C SELECT 1 | Z I
         50 > Q select b
         60 < C SELECT 1 | Z I",
        "50 60 60 rows=1 select b
         unmatched=1
         resyncs=1",
    );
}

#[test]
fn case_61_a_lost_request_does_not_shift_the_pairs() {
    check(
        "10 > Q select a
         11 < C SELECT 1 | Z I
         20 > ...30
         21 < T | C SELECT 2 | Z I
         30 > Q select c
         31 < C SELECT 3 | Z I",
        "10 11 11 rows=1 select a
         30 31 31 rows=3 select c
         unmatched=1
         resyncs=1",
    );
}

#[test]
fn the_unnamed_statement_is_forgotten_after_a_loss() {
    check(
        "10 > P - select a | B - - | E - | S
         11 < 1 | 2 | C SELECT 1 | Z I
         20 > ...30
         21 < 1 | 2 | C SELECT 2 | Z I
         30 > B - - | E - | S
         31 < 2 | C SELECT 3 | Z I",
        "10 11 11 rows=1 select a
         30 31 31 rows=3 (prepared before capture)
         unmatched=1
         resyncs=1
         unnamed=1",
    );
}

#[test]
fn case_51_headers_in_pieces() {
    let dialogue = "10 > P - select a | B - - | E - | S\n20 < 1 | 2 | D | C SELECT 1 | Z I";
    let mut pieces = run("");
    for transfer in transfers(dialogue) {
        for (at, byte) in transfer.bytes.iter().enumerate() {
            let ends = at + 1 == transfer.bytes.len();
            pieces.feed(&super::dialogue::Transfer { bytes: vec![*byte], ends, ..transfer.clone() });
        }
    }
    same(&pieces.shown(), "10 20 20 rows=1 select a");
}

#[test]
fn garbage_from_the_server_is_no_answer() {
    check(
        "10 > Q select a
         20 < hex ffffffffffff
         30 > Q select b
         40 < hex 00 | C SELECT 1 | Z I
         50 > Q select c
         60 < C SELECT 1 | Z I",
        "50 60 60 rows=1 select c
         unmatched=1
         resyncs=1",
    );
}

#[test]
fn close_while_unsure_keeps_what_finished() {
    let mut run = Run::new(false);
    for transfer in transfers("10 > Q select a\n20 < C SELECT 1 | Z I\n30 > Q select b") {
        run.feed(&transfer);
    }
    run.observer.close(crate::time::Nanos(40), &mut run.out);
    same(&run.shown(), "10 20 20 rows=1 select a\n30 40 40 rows=0 select b closed");
}

#[test]
fn case_60_start_up_answer_of_which_head_and_tail_are_captured() {
    let mut run = Run::new(true);
    let dialogue = "1 > startup user=u\n2 < R | par | ...300 | hex 7878 | par | Z I
        10 > Q select a\n20 < C SELECT 1 | Z I";
    for transfer in transfers(dialogue) {
        run.feed(&transfer);
    }
    same(&run.shown(), "10 20 20 rows=1 select a");
}
