//! Joined in the middle, and holes.

use super::dialogue::{check, check_joined, run};

#[test]
fn joined_while_nothing_is_in_flight() {
    check_joined(
        "10 > GET a
         20 < $1
         30 > GET b
         40 < $2",
        "10 20 20 GET a rows=1
         30 40 40 GET b rows=1
         presumed=2",
    );
}

#[test]
fn joined_before_an_answer() {
    check_joined(
        "10 < $old
         20 > GET a
         30 < $1",
        "20 30 30 GET a rows=1
         started_before=1
         presumed=1",
    );
}

#[test]
fn joined_inside_a_long_string() {
    check_joined(
        "10 < raw of a value\\r\\n
         20 > GET a
         30 < $1
         40 > GET a
         50 < $1",
        "20 30 30 GET a rows=1
         40 50 50 GET a rows=1
         started_before=1
         presumed=2",
    );
    check_joined(
        "10 > raw rest of a value\\r\\n
         20 < +OK
         30 > GET a
         40 < $1",
        "30 40 40 GET a rows=1
         started_before=1
         presumed=1",
    );
}

#[test]
fn an_older_answer_shows_that_the_pairing_was_wrong() {
    // Its type shows that this is the answer to a SET that was sent before.
    check_joined(
        "10 > GET a
         11 < +OK
         12 < $1
         20 > GET b
         30 < $2",
        "10 12 12 GET a rows=1
         20 30 30 GET b rows=1
         started_before=1
         presumed=2",
    );
    // A GET was sent before. Its answer went to this one, until the second answer came unasked.
    check_joined(
        "10 > GET a
         11 < $1
         12 < $1
         20 > GET b
         30 < $2",
        "20 30 30 GET b rows=1
         started_before=1
         unmatched=1
         presumed=1",
    );
}

#[test]
fn joined_where_a_pipeline_is_never_empty() {
    // A SET was sent before; then there is always one more in flight.
    let turns: Vec<String> = (1..=6)
        .map(|turn| format!("{turn}0 > GET a\n{turn}1 < +OK\n{turn}2 > SET a 1\n{turn}3 < $v"))
        .collect();
    check_joined(
        &turns.join("\n"),
        "10 13 13 GET a rows=1
         12 21 21 SET a ?
         20 23 23 GET a rows=1
         22 31 31 SET a ?
         30 33 33 GET a rows=1
         32 41 41 SET a ?
         40 43 43 GET a rows=1
         42 51 51 SET a ?
         50 53 53 GET a rows=1
         52 61 61 SET a ?
         60 63 63 GET a rows=1
         in flight 62 SET a ?
         started_before=1
         presumed=11",
    );
    // Too few that tell: not believed.
    check_joined(
        &turns[..2].join("\n"),
        "in flight 22 SET a ?
         started_before=1
         unmatched=3",
    );
}

#[test]
fn joined_where_a_pipeline_of_one_type_is_never_empty() {
    // Always two or three in flight: nothing tells which answer is whose, and none is shown.
    let turns: Vec<String> = (1..=200)
        .map(|turn| format!("{turn}0 > GET a\n{turn}1 > GET b\n{turn}2 < $1\n{turn}3 < $1"))
        .collect();
    let dialogue = format!("1 < $1\n2 > GET c\n{}", turns.join("\n"));
    check_joined(&dialogue, "in flight 2001 GET b\nstarted_before=1\nunmatched=400");
}

#[test]
fn joined_where_one_is_always_in_flight() {
    // As the bytes tell it, this client waits for each answer. It may as well be one answer behind: said.
    let turns: Vec<String> = (1..=20).map(|turn| format!("{turn}0 > GET a\n{turn}1 < $1")).collect();
    let mut all = run(false, &turns.join("\n"));
    assert!(all.shown().ends_with("presumed=20"));
    // Late evidence: nobody had asked for the last answer.
    let mut all = run(false, &format!("{}\n250 < $1\n300 > GET b\n310 < nil", turns.join("\n")));
    assert!(
        all.shown().ends_with("200 201 201 GET a rows=1\nunmatched=2\npresumed=20\nresyncs=1"),
        "{}",
        all.shown()
    );
    // Two threads of a client are seen in the wrong order only for a moment.
    let mut all = run(false, &format!("{}\n250 < $1\n251 > GET b", turns.join("\n")));
    assert!(all.shown().ends_with("251 250 250 GET b rows=1\npresumed=21"), "{}", all.shown());
}

#[test]
fn a_long_pause_proves_the_pairing() {
    check_joined(
        "10 > GET a
         20 < $1
         1020 > GET b
         1030 < $1",
        "10 20 20 GET a rows=1
         1020 1030 1030 GET b rows=1",
    );
}

#[test]
fn types_prove_the_pairing() {
    // 64 GETs behind the only INCR: whoever was some places off would have had the number for a GET.
    let turns: Vec<String> = (2..=66).map(|turn| format!("{turn}0 > GET a\n{turn}1 < $1")).collect();
    let mut all = run(false, &format!("10 > INCR a\n11 < :1\n{}", turns.join("\n")));
    let shown = all.shown();
    assert!(!shown.contains("presumed"), "{shown}");
    assert_eq!(all.out.finished.len(), 66);
}

#[test]
fn case_38_joined_while_subscribed_or_monitoring() {
    check_joined(
        "10 < *[$message $news $hello]
         20 < *[$message $news $hello]
         30 > UNSUBSCRIBE news
         40 < *[$unsubscribe $news :0]
         50 > PING
         60 < +PONG",
        "30 40 40 UNSUBSCRIBE news
         50 60 60 PING
         presumed=2
         pushed=2",
    );
    check_joined("10 < raw +1700000000.123456 [0 127.0.0.1:6379] \"GET\" \"x\"\\r\\n", "pushed=1\nstreaming");
}

#[test]
fn joined_at_a_replica() {
    check_joined(
        "10 < *[$SET $a $b]
         20 > REPLCONF ACK 17
         30 < *[$PING]
         40 > REPLCONF ACK 19",
        "started_before=1
         streaming",
    );
    // The other way round: the primary was taken for the client.
    check_joined(
        "10 > SET a b
         20 > SET a c
         30 < *[$REPLCONF $ACK $17]",
        "streaming",
    );
}

#[test]
fn joined_inside_a_transaction() {
    check_joined(
        "10 > INCR a
         20 < +QUEUED
         30 > EXEC
         40 < *[:1 :2]",
        "10 40 40 INCR a
         30 40 40 EXEC rows=2
         started_before=1
         presumed=2",
    );
}

#[test]
fn case_60_a_hole_inside_a_value_costs_nothing() {
    check(
        "10 > raw *3\\r\\n$3\\r\\nSET\\r\\n$1\\r\\na\\r\\n$20\\r\\n01234 | ...10
         11 > raw 56789\\r\\n
         20 < +OK
         30 > GET a
         40 < raw $20\\r\\n012 | ...17
         41 < raw \\r\\n
         50 > GET b
         60 < nil",
        "10 20 20 SET a ?
         30 40 41 GET a rows=1
         50 60 60 GET b",
    );
}

#[test]
fn case_60_a_large_result_with_holes_ends_where_the_client_speaks_again() {
    check(
        "10 > LRANGE l 0 -1
         20 < raw *1000\\r\\n$5\\r\\nhello\\r\\n | ...50000
         21 < raw llo\\r\\n$5\\r\\nhello\\r\\n
         30 > GET a
         40 < $1",
        "10 20 21 LRANGE l ? rows=1000
         30 40 40 GET a rows=1",
    );
    // At the end of the capture too; not where it is cut.
    check(
        "10 > LRANGE l 0 -1
         20 < raw *1000\\r\\n$5\\r\\nhello\\r\\n | ...50000
         21 < raw llo\\r\\n",
        "10 20 21 LRANGE l ? rows=1000",
    );
    check(
        "10 > LRANGE l 0 -1
         20 < raw *1000\\r\\n$5\\r\\nhello\\r\\n | ...50000",
        "in flight 10 LRANGE l ?",
    );
}

#[test]
fn case_61_a_lost_answer_shifts_nothing() {
    check(
        "10 > GET a | GET b | GET c
         20 < raw $1\\r\\n | ...9
         21 < $3
         30 > GET d
         40 < $4
         50 > GET e
         60 < $5",
        "30 40 40 GET d rows=1
         50 60 60 GET e rows=1
         unmatched=3
         presumed=2
         resyncs=1",
    );
}

#[test]
fn case_61_lost_commands_leave_those_before_them_right() {
    check(
        "10 > GET a | GET b | ...500
         11 > GET z
         20 < $1 | $2 | $3 | $4
         21 < $5
         30 > GET d
         40 < $4
         50 > GET e
         60 < $5",
        "10 20 20 GET a rows=1
         10 20 20 GET b rows=1
         30 40 40 GET d rows=1
         50 60 60 GET e rows=1
         unmatched=3
         presumed=2
         resyncs=1",
    );
}

#[test]
fn case_60_a_command_with_holes_over_its_arguments_is_still_one() {
    check(
        "10 > raw *4001\\r\\n$4\\r\\nSADD\\r\\n$5\\r\\nset:1\\r\\n$3\\r\\nabc\\r\\n | ...40000
         11 > raw 3\\r\\nabc\\r\\n
         20 < :4000
         30 > GET a
         40 < $1",
        "10 20 20 SADD set:? ?
         30 40 40 GET a rows=1
         presumed=1
         resyncs=1",
    );
}
