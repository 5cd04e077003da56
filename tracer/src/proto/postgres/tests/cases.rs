//! The protocol's traps, one by one, on sessions seen from their start.

use super::dialogue::{check, run};

#[test]
fn case_1_several_executions_one_sync() {
    check(
        "10 > P - select 1 | B - - | E - | P - select 2 | B - - | E - | S
         20 < 1 | 2 | D | C SELECT 1
         30 < 1 | 2 | D
         40 < C SELECT 1 | Z I",
        "10 20 20 rows=1 select ?
         10 30 40 rows=1 select ?",
    );
}

#[test]
fn case_1_each_keeps_its_own_start() {
    check(
        "10 > P a select a | B - a | E -
         15 > B - a | E -
         17 > S
         20 < 1 | 2 | C SELECT 1 | 2 | C SELECT 2 | Z I",
        "10 20 20 rows=1 select a
         15 20 20 rows=2 select a",
    );
}

#[test]
fn case_2_flush_instead_of_sync() {
    check(
        "10 > P - select a | D S - | H
         20 < 1 | t | T
         30 > B - - | E - | H
         40 < 2 | D | C SELECT 1
         50 > B - - | E - | S
         60 < 2 | C SELECT 0 | Z I",
        "30 40 40 rows=1 select a
         50 60 60 rows=0 select a",
    );
}

#[test]
fn case_3_portal_read_in_pieces() {
    check(
        "10 > Q begin
         11 < C BEGIN | Z T
         20 > P - select a | B p - | E p 2 | S
         30 < 1 | 2 | D | D | s | Z T
         40 > E p 2 | S
         50 < D | D | s | Z T
         60 > E p 2 | S
         70 < D | C SELECT 1 | Z T",
        "10 11 11 rows=0 begin
         20 30 70 rows=5 select a",
    );
}

#[test]
fn case_3_suspended_portal_is_closed_replaced_or_ends_with_the_transaction() {
    let opened = "20 > P s select a | B p s | E p 2 | S
                  30 < 1 | 2 | D | D | s | Z T";
    check(&format!("{opened}\n40 > C P p | S\n50 < 3 | Z T"), "20 30 30 rows=2 select a");
    check(
        &format!("{opened}\n40 > Q commit\n50 < C COMMIT | Z I"),
        "40 50 50 rows=0 commit
         20 30 30 rows=2 select a",
    );
    check(opened, "in flight 20 select a");
    check(
        "20 > P s select a | B - s | E - 2 | S
         30 < 1 | 2 | D | D | s | Z T
         40 > B - s | E - | S
         50 < 2 | D | C SELECT 1 | Z T",
        "20 30 30 rows=2 select a
         40 50 50 rows=1 select a",
    );
    check(
        "20 > P s select a | B - s | E - 2 | S
         30 < 1 | 2 | D | D | s | Z I",
        "20 30 30 rows=2 select a",
    );
}

#[test]
fn case_4_named_portals_interleaved() {
    check(
        "10 > P a select a | P b select b | B pa a | B pb b | E pb 1 | E pa 1 | S
         20 < 1 | 1 | 2 | 2 | D | s | D | s | Z T
         30 > E pa | E pb | S
         40 < C SELECT 0
         50 < D | C SELECT 1 | Z T",
        "10 20 40 rows=1 select a
         10 20 50 rows=2 select b",
    );
}

#[test]
fn case_5_error_in_a_pipeline() {
    check(
        "10 > P - select a | B - - | E - | P - select b | B - - | E - | P - select c | B - - | E - | S
         11 > P - select d | B - - | E - | S
         20 < 1 | 2 | C SELECT 1 | 1 | 2 | E 22012 | Z I
         30 < 1 | 2 | C SELECT 4 | Z I",
        "10 20 20 rows=1 select a
         10 20 20 rows=0 select b 22012
         11 30 30 rows=4 select d
         skipped=1",
    );
}

#[test]
fn case_5_messages_behind_the_error() {
    check(
        "10 > P - select a | B - - | E - | H
         20 < 1 | 2 | E 22012
         30 > P x select x | B - x | E -
         31 > B - x | E - | S
         40 < Z I
         50 > B - x | E - | S
         60 < E 26000 | Z I",
        "10 20 20 rows=0 select a 22012
         50 60 60 rows=0 (prepared before capture) x 26000
         skipped=2
         unnamed=1",
    );
}

#[test]
fn case_5_the_failed_groups_own_execute_is_not_skipped() {
    check(
        "10 > P - select a | B - -
         20 < E 42601
         30 > E - | S
         40 < Z I",
        "10 20 20 rows=0 select a 42601",
    );
}

#[test]
fn case_6_failed_parse() {
    // It removes the unnamed statement, and registers no name.
    check(
        "10 > P - select a | S
         11 < 1 | Z I
         20 > P - selec b | B - - | E - | S
         21 < E 42601 | Z I
         30 > B - - | E - | S
         31 < E 26000 | Z I",
        "20 21 21 rows=0 selec b 42601
         30 31 31 rows=0 (prepared before capture) 26000
         unnamed=1",
    );
    check(
        "10 > P s select a | S
         11 < 1 | Z I
         20 > P s select b | S
         21 < E 42P05 | Z I
         30 > B - s | E - | S
         31 < 2 | C SELECT 1 | Z I",
        "20 21 21 rows=0 select b 42P05
         30 31 31 rows=1 select a",
    );
}

#[test]
fn case_6_failed_bind() {
    check(
        "10 > P a select a | P b select b | B - a | E - | S
         11 < 1 | 1 | 2 | C SELECT 1 | Z I
         20 > B - b | D P - | E - | S
         21 < E 22P02 | Z I
         30 > B - a | E - | S
         31 < 2 | C SELECT 1 | Z I",
        "10 11 11 rows=1 select a
         20 21 21 rows=0 select b 22P02
         30 31 31 rows=1 select a",
    );
}

#[test]
fn case_7_unnamed_statement() {
    check(
        "10 > P - select a | B - - | E - | P - select b | B - - | E - | S
         20 < 1 | 2 | C SELECT 1 | 1 | 2 | C SELECT 2 | Z I
         30 > Q select c
         31 < T | C SELECT 3 | Z I
         40 > B - - | E - | S
         41 < E 26000 | Z I",
        "10 20 20 rows=1 select a
         10 20 20 rows=2 select b
         30 31 31 rows=3 select c
         40 41 41 rows=0 (prepared before capture) 26000
         unnamed=1",
    );
}

#[test]
fn case_8_names_in_sql() {
    check(
        "10 > Q prepare Q1 as select a
         11 < C PREPARE | Z I
         20 > Q execute q1(5)
         21 < T | D | C SELECT 1 | Z I
         30 > P - execute q1 | B - - | E - | S
         31 < 1 | 2 | C SELECT 1 | Z I
         40 > B - q1 | E - | S
         41 < 2 | C SELECT 1 | Z I
         50 > Q deallocate q1
         51 < C DEALLOCATE | Z I
         60 > Q execute q1
         61 < E 26000 | Z I",
        "10 11 11 rows=0 prepare Q1 as select a
         20 21 21 rows=1 select a
         30 31 31 rows=1 select a
         40 41 41 rows=1 select a
         50 51 51 rows=0 deallocate q1
         60 61 61 rows=0 (prepared before capture) q1 26000
         unnamed=1",
    );
    check(
        "10 > P s select a | P - discard all | B - - | E - | S
         11 < 1 | 1 | 2 | C DISCARD ALL | Z I
         20 > B - s | E - | S
         21 < E 26000 | Z I",
        "10 11 11 rows=0 discard all
         20 21 21 rows=0 (prepared before capture) s 26000
         unnamed=1",
    );
}

#[test]
fn case_9_prepared_before() {
    check(
        "10 > B - S_7 | E - | S
         11 < 2 | D | C SELECT 1 | Z I
         20 > B - S_7 | E -",
        "10 11 11 rows=1 (prepared before capture) S_7
         in flight 20 (prepared before capture) S_7
         unnamed=1",
    );
}

#[test]
fn case_10_names_belong_to_one_connection() {
    check("10 > P s select a | S\n11 < 1 | Z I", "");
    check(
        "10 > B - s | E - | S\n11 < 2 | C SELECT 1 | Z I",
        "10 11 11 rows=1 (prepared before capture) s
         unnamed=1",
    );
}

#[test]
fn case_11_several_statements_in_a_query() {
    check(
        "10 > Q select a; insert into t values (1); ; select b
         20 < T | D | C SELECT 1
         30 < C INSERT 0 1
         40 < T
         50 < C SELECT 0 | Z I",
        "10 20 20 rows=1 select a
         10 30 30 rows=1 insert into t values (?)
         10 40 50 rows=0 select b",
    );
    check(
        "10 > Q select a; select b; select c
         20 < T | C SELECT 0 | E 22012 | Z I",
        "10 20 20 rows=0 select a
         10 20 20 rows=0 select b 22012
         skipped=1",
    );
}

#[test]
fn an_empty_query_is_a_request() {
    check("10 > Q  \n20 < I | Z I", "10 20 20 rows=0 (empty)");
}

#[test]
fn case_12_error_after_rows() {
    check(
        "10 > Q select a
         20 < T | D | D
         30 < D | E 57014 | Z I",
        "10 20 30 rows=0 select a 57014",
    );
}

#[test]
fn case_13_copy_in() {
    check(
        "10 > Q copy t from stdin
         20 < G
         30 > d 100 | d 100
         40 > c
         50 < C COPY 2 | Z I",
        "10 20 50 rows=2 copy t from stdin",
    );
    // The Sync that was sent before the client knew of the COPY is swallowed.
    check(
        "10 > P - copy t from stdin | B - - | E - | S
         20 < 1 | 2 | G
         30 > d 100 | S
         40 > c | S
         50 < C COPY 1 | Z I
         60 > Q select 1
         70 < C SELECT 1 | Z I",
        "10 20 50 rows=1 copy t from stdin
         60 70 70 rows=1 select ?",
    );
    // All in one go.
    check(
        "10 > P - copy t from stdin | B - - | E - | d 5 | c | S
         20 < 1 | 2 | G | C COPY 1 | Z I",
        "10 20 20 rows=1 copy t from stdin",
    );
}

#[test]
fn case_13_copy_fails() {
    check(
        "10 > Q copy t from stdin
         20 < G
         30 > d 100 | f
         50 < E 57014 | Z I",
        "10 20 50 rows=0 copy t from stdin 57014",
    );
    // The server gives up first; what is on its way is ignored.
    check(
        "10 > P - copy t from stdin | B - - | E - | S
         20 < 1 | 2 | G
         30 > d 100
         40 < E 22P04
         50 > d 100 | f | S
         60 < Z I
         70 > Q select 1
         80 < C SELECT 1 | Z I",
        "10 20 40 rows=0 copy t from stdin 22P04
         70 80 80 rows=1 select ?",
    );
}

#[test]
fn case_13_copy_out() {
    check(
        "10 > Q copy t to stdout
         20 < H | d 500
         30 < d 100 | c | C COPY 2 | Z I",
        "10 20 30 rows=2 copy t to stdout",
    );
}

#[test]
fn case_13_long_copy_in_without_framing() {
    check(
        "10 > P - copy t from stdin | B - - | E - | S
         20 < 1 | 2 | G
         30 > d 100 | ...60000
         31 > ...60000
         32 > hex 7878 | ...4
         40 > hex 78
         50 < C COPY 9 | Z I
         60 > Q select 1
         70 < C SELECT 1 | Z I",
        "10 20 50 rows=9 copy t from stdin
         60 70 70 rows=1 select ?",
    );
}

#[test]
fn case_14_asynchronous_messages() {
    check(
        "5 < N | A
         10 > Q select a
         15 < N | par
         20 < T | A | D
         30 < C SELECT 1 | N | Z I
         40 < par",
        "10 20 30 rows=1 select a",
    );
    check("5 < FATAL 57P01", "");
}

#[test]
fn case_15_listen_only() {
    check(
        "10 > Q listen c
         20 < C LISTEN | Z I
         30 < A
         40 < A | A",
        "10 20 20 rows=0 listen c",
    );
}

#[test]
fn case_16_cancel_request() {
    use super::dialogue::{Run, transfers};
    let mut session = run("10 > Q select pg_sleep(9)");
    let mut other = Run::new(true);
    other.feed(&transfers("1 > cancel 7 abcd")[0]);
    assert_eq!(other.out.cancels, [session.observer.exchange.session.backend_key.unwrap()]);
    super::dialogue::same(&other.shown(), "cancels=1");
    crate::proto::Protocol::cancelled(&mut session.observer, crate::time::Nanos(15));
    for transfer in transfers("20 < E 57014 | Z I") {
        session.feed(&transfer);
    }
    super::dialogue::same(&session.shown(), "10 20 20 rows=0 select pg_sleep(?) 57014");
    assert!(session.out.finished.iter().all(|request| request.cancelled));
    // The next one ran into a time limit of the server.
    for transfer in transfers("30 > Q select pg_sleep(9)\n40 < E 57014 | Z I") {
        session.feed(&transfer);
    }
    assert_eq!(session.out.finished.iter().filter(|request| request.cancelled).count(), 1);
}

#[test]
fn case_16_cancel_request_that_came_too_late() {
    use super::dialogue::transfers;
    let mut session = run("10 > Q select 1\n12 < T | D | C SELECT 1 | Z I");
    crate::proto::Protocol::cancelled(&mut session.observer, crate::time::Nanos(15));
    for transfer in transfers("20 > Q select pg_sleep(9)\n40 < E 57014 | Z I") {
        session.feed(&transfer);
    }
    assert_eq!(session.out.finished.len(), 2);
    assert!(session.out.finished.iter().all(|request| !request.cancelled));
}

#[test]
fn case_20_no_value_is_kept() {
    let shown = format!("{:?}", run("10 > P - select 'hunter2' | B - - | E - | S").observer);
    assert!(!shown.contains("bindme") && !shown.contains("hunter2"), "{shown}");
}

#[test]
fn case_21_large_result() {
    check(
        "10 > Q select a
         20 < T | D 1000 cut
         30 < D 1000
         90 < C SELECT 2 | Z I",
        "10 20 90 rows=2 select a",
    );
}

#[test]
fn case_22_replication() {
    let mut replication = run("10 > Q START_REPLICATION SLOT s LOGICAL 0/0
         20 < W | keepalive
         30 > d 34
         40 < keepalive");
    super::dialogue::same(&replication.shown(), "");
    assert!(replication.observer.exchange.session.streaming);
    check(
        "10 > Q START_REPLICATION SLOT s LOGICAL 0/0
         20 < W | keepalive
         30 > c
         40 < c | C COPY 0 | Z I
         50 > Q IDENTIFY_SYSTEM
         60 < T | D | C IDENTIFY_SYSTEM | Z I",
        "50 60 60 rows=0 IDENTIFY_SYSTEM",
    );
}

#[test]
fn case_23_transaction_status() {
    use crate::request::TransactionStatus::{Failed, Idle, InTransaction};
    let run = run("10 > Q begin
         11 < C BEGIN | Z T
         20 > P - select a | B - - | E - | P - selec | B - - | E - | S
         21 < 1 | 2 | C SELECT 1 | E 42601 | Z E
         30 > Q rollback
         31 < C ROLLBACK | Z I");
    let status: Vec<_> = run.out.finished.iter().map(|request| request.transaction.unwrap()).collect();
    assert_eq!(status, [Idle, InTransaction, InTransaction, Failed]);
}

#[test]
fn an_implicit_commit_may_fail() {
    check(
        "10 > P - insert into t values ($1) | B - - | E - | S
         20 < 1 | 2 | C INSERT 0 1 | E 23503 | Z I",
        "10 20 20 rows=1 insert into t values ($1)
         10 20 20 rows=0 (implicit commit) 23503",
    );
}

#[test]
fn function_call() {
    check(
        "10 > F
         20 < V | Z I
         30 > F
         40 < E 42883 | Z I",
        "10 20 20 rows=0 (function call)
         30 40 40 rows=0 (function call) 42883",
    );
}

#[test]
fn case_64_connection_closes_while_a_query_runs() {
    use crate::proto::Protocol;
    let mut run = run("10 > P - select a | B - - | E - | S
         20 < 1 | 2 | D");
    run.observer.close(crate::time::Nanos(99), &mut run.out);
    super::dialogue::same(&run.shown(), "10 20 99 rows=0 select a closed");
}

#[test]
fn case_66_capture_ends_while_a_query_runs() {
    check("10 > Q select pg_sleep(30)", "in flight 10 select pg_sleep(?)");
    check(
        "10 > P - select a | B - - | E - | P - select b | B - - | E - | S
         20 < 1 | 2",
        "in flight 10 select a
         in flight 10 select b",
    );
}

#[test]
fn sizes_are_wire_sizes() {
    let run = run("10 > P - select a | B - - | E - | S\n20 < 1 | 2 | D 10 | C SELECT 1 | Z I");
    let request = &run.out.finished[0];
    // Parse 5+1+9+2, Bind 5+2+20, Execute 5+1+4; ParseComplete 5, BindComplete 5, DataRow 5+2+4+10, CommandComplete 5+9.
    assert_eq!((request.request_bytes, request.answer_bytes), (17 + 25 + 10, 5 + 5 + 21 + 14));
}

#[test]
fn an_answer_seen_before_its_request() {
    check(
        "20 < T | C SELECT 1 | Z I
         21 > Q select a
         30 > Q select b
         40 < C SELECT 2 | Z I",
        "21 20 20 rows=1 select a
         30 40 40 rows=2 select b",
    );
}
