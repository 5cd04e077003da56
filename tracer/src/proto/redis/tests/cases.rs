//! What is a request, case by case.

use super::dialogue::{check, run};

#[test]
fn commands_and_answers() {
    check(
        "10 > SET user:17:name bob
         20 < +OK
         30 > GET user:17:name
         40 < $bob
         50 > GET nothing
         60 < nil
         70 > LPUSH user:17:name x
         80 < -WRONGTYPE Operation against a key
         90 > LRANGE list:7 0 -1
         91 < *[$a $b $c]
         92 > HGETALL h
         93 < %[$a :1 $b :2]
         94 > SMEMBERS s
         95 < ~[$a]
         96 > TTL k
         97 < :-1",
        "10 20 20 SET user:?:name ?
         30 40 40 GET user:?:name rows=1
         50 60 60 GET nothing
         70 80 80 LPUSH user:?:name ? !WRONGTYPE
         90 91 91 LRANGE list:? ? rows=3
         92 93 93 HGETALL h rows=2
         94 95 95 SMEMBERS s rows=1
         96 97 97 TTL k",
    );
}

#[test]
fn case_35_each_of_a_pipeline_has_its_own_start_and_end() {
    check(
        "10 > GET a | GET b
         11 > GET c
         20 < $1
         21 < $2 | $3
         30 > GET d",
        "10 20 20 GET a rows=1
         10 21 21 GET b rows=1
         11 21 21 GET c rows=1
         in flight 30 GET d",
    );
}

#[test]
fn case_35_a_pipeline_of_thousands_has_bounds() {
    let mut run = run(true, "");
    let gets = vec!["GET k"; 1000].join(" | ");
    for _ in 0..101 {
        run.all(&format!("10 > {gets}"));
    }
    let answers = vec!["$v"; 1000].join(" | ");
    for _ in 0..101 {
        run.all(&format!("20 < {answers}"));
    }
    assert_eq!(run.out.finished.len(), 100_000);
    assert_eq!(run.out.counts.answers_unmatched, 1000);
    run.all("30 > GET x\n31 < $v\n40 > GET x\n41 < $v\n50 > GET x");
    let last: Vec<String> = run.out.finished[100_000..].iter().map(|request| run.request(request)).collect();
    assert_eq!(last, ["30 31 31 GET x rows=1", "40 41 41 GET x rows=1"]);
    assert_eq!(run.out.counts.resyncs, 1);
}

#[test]
fn case_36_pushes_never_pair() {
    check(
        "10 > HELLO 3
         20 < %[$server $redis $proto :3]
         30 > GET a
         40 < >[$invalidate *[$a]] | $1 | >[$invalidate nil]
         50 < >[$message $c $hello]",
        "10 20 20 HELLO ? rows=2
         30 40 40 GET a rows=1
         pushed=3",
    );
}

#[test]
fn case_36_attributes_belong_to_the_answer_behind_them() {
    check(
        "10 > GET a
         20 < |[+ttl :3600]
         30 < $1
         40 > MGET a b
         50 < *[$1 |[+ttl :7] $2]",
        "10 20 30 GET a rows=1
         40 50 50 MGET a ... rows=2",
    );
}

#[test]
fn case_41_all_types_nested_and_streamed() {
    check(
        "10 > EVAL s 0 | EVAL s 0 | EVAL s 0 | EVAL s 0 | EVAL s 0 | EVAL s 0 | EVAL s 0 | EVAL s 0 | EVAL s 0
         20 < ,3.25 | #t | (3492890328409238509324850943850943825024385 | _ | *[*[:1 ~[$x]] %[+a #f] nil]
         30 < raw =15\\r\\ntxt:Some string\\r\\n
         31 < raw !21\\r\\nSYNTAX invalid syntax\\r\\n
         32 < raw $?\\r\\n;4\\r\\nHell\\r\\n;5\\r\\no wor\\r\\n;0\\r\\n
         33 < raw *?\\r\\n:1\\r\\n*2\\r\\n+a\\r\\n+b\\r\\n.\\r\\n
         40 > GET k
         50 < raw %?\\r\\n+a\\r\\n:1\\r\\n+b\\r\\n:2\\r\\n.\\r\\n",
        "10 20 20 EVAL script-86020b22 0
         10 20 20 EVAL script-86020b22 0
         10 20 20 EVAL script-86020b22 0
         10 20 20 EVAL script-86020b22 0
         10 20 20 EVAL script-86020b22 0 rows=3
         10 30 30 EVAL script-86020b22 0 rows=1
         10 31 31 EVAL script-86020b22 0 !SYNTAX
         10 32 32 EVAL script-86020b22 0 rows=1
         10 33 33 EVAL script-86020b22 0 rows=2
         40 50 50 GET k rows=2",
    );
}

#[test]
fn case_41_inline_commands() {
    check(
        "10 > inline PING
         20 < +PONG
         30 > inline set user:1 \"a b\"
         40 < +OK
         50 > raw \\r\\n
         60 > raw *0\\r\\n
         70 > raw *-1\\r\\n
         80 > GET user:1
         90 < $x",
        "10 20 20 PING
         30 40 40 SET user:? ?
         80 90 90 GET user:? rows=1",
    );
}

#[test]
fn case_37_blocking_commands_are_marked() {
    let run = run(
        true,
        "10 > BLPOP q 0 | XREAD BLOCK 0 STREAMS s $ | XREAD STREAMS s 0 | WAIT 1 0 | LPOP q
         20 < nil* | nil* | nil* | :0 | nil",
    );
    let texts: Vec<String> = run
        .out
        .finished
        .iter()
        .map(|request| {
            let text = run.texts.get(request.text);
            format!("{} {}", text.text, text.waits_by_design)
        })
        .collect();
    assert_eq!(
        texts,
        [
            "BLPOP q ? true",
            "XREAD BLOCK STREAMS s ? true",
            "XREAD STREAMS s ? false",
            "WAIT ? true",
            "LPOP q false"
        ]
    );
    assert_eq!(run.observer_open(), 0);
}

#[test]
fn case_38_subscriptions() {
    // RESP2: arrays.
    check(
        "10 > SUBSCRIBE news:1 news:2
         20 < *[$subscribe $news:1 :1]
         21 < *[$subscribe $news:2 :2]
         30 < *[$message $news:1 $hello]
         40 > PING
         41 < *[$pong $]
         50 > PSUBSCRIBE n*
         51 < *[$message $news:1 $hello] | *[$psubscribe $n* :3] | *[$pmessage $n* $news:1 $x]
         60 > UNSUBSCRIBE
         61 < *[$unsubscribe $news:1 :2] | *[$unsubscribe $news:2 :1]
         70 > PUNSUBSCRIBE n*
         71 < *[$punsubscribe $n* :0]
         80 > GET a
         90 < $x",
        "10 20 21 SUBSCRIBE news:? ...
         40 41 41 PING rows=2
         50 51 51 PSUBSCRIBE n*
         60 61 61 UNSUBSCRIBE
         70 71 71 PUNSUBSCRIBE n*
         80 90 90 GET a rows=1
         pushed=3",
    );
    // RESP3: pushes, and other commands between.
    check(
        "10 > SUBSCRIBE a b
         20 < >[$subscribe $a :1] | >[$subscribe $b :2]
         30 > GET x
         31 < >[$message $a $1] | $y
         40 > UNSUBSCRIBE
         41 < >[$unsubscribe $a :1] | >[$unsubscribe $b :0]
         50 > SUBSCRIBE c
         51 < -NOPERM no",
        "10 20 20 SUBSCRIBE a ...
         30 31 31 GET x rows=1
         40 41 41 UNSUBSCRIBE
         50 51 51 SUBSCRIBE c !NOPERM
         pushed=1",
    );
    // RESP3: an array is always an answer.
    check(
        "10 > SUBSCRIBE a
         20 < >[$subscribe $a :1]
         30 > LRANGE l 0 -1 | LRANGE l 0 -1
         31 < *[$message $a $1] | >[$message $a $1] | *[$unsubscribe $a :0]",
        "10 20 20 SUBSCRIBE a
         30 31 31 LRANGE l ? rows=3
         30 31 31 LRANGE l ? rows=3
         pushed=1",
    );
}

#[test]
fn case_38_monitor() {
    check(
        "10 > MONITOR
         20 < +OK
         30 < raw +1700000000.123456 [0 127.0.0.1:6379] \"GET\" \"secret\"\\r\\n
         40 < raw +1700000001.123456 [0 lua] \"GET\" \"secret\"\\r\\n
         50 > PING
         60 < +PONG
         70 > RESET
         80 < +RESET",
        "10 20 20 MONITOR
         50 60 60 PING
         70 80 80 RESET
         pushed=2",
    );
}

#[test]
fn case_39_queued_commands_run_until_exec() {
    check(
        "10 > MULTI
         20 < +OK
         30 > INCR a:1
         40 < +QUEUED
         50 > LRANGE l 0 -1 | LPUSH a:1 x
         60 < +QUEUED | +QUEUED
         70 > EXEC
         80 < *[:1 *[$a $b] -WRONGTYPE no]
         90 > GET a
         91 < $1",
        "10 20 20 MULTI
         30 80 80 INCR a:?
         50 80 80 LRANGE l ? rows=2
         50 80 80 LPUSH a:? ? !WRONGTYPE
         70 80 80 EXEC rows=3
         90 91 91 GET a rows=1",
    );
}

#[test]
fn case_39_transactions_that_do_not_run() {
    check(
        "10 > MULTI | SET a 1 | DISCARD
         20 < +OK | +QUEUED | +OK
         30 > WATCH a | MULTI | SET a 1 | EXEC
         40 < +OK | +OK | +QUEUED | nil*
         50 > MULTI | SET a 1 | NOSUCH x | EXEC
         60 < +OK | +QUEUED | -ERR unknown command | -EXECABORT Transaction discarded",
        "10 20 20 MULTI
         10 20 20 DISCARD
         30 40 40 WATCH a
         30 40 40 MULTI
         30 40 40 EXEC
         50 60 60 MULTI
         50 60 60 NOSUCH ? !ERR
         50 60 60 EXEC !EXECABORT
         skipped=3",
    );
}

#[test]
fn case_39_scripts_are_one_request() {
    check(
        "10 > EVALSHA 5F4DCC3B5AA765D61D8327DEB882CF9900000000 2 user:1 user:2 secret
         20 < -NOSCRIPT No matching script
         30 > EVAL return(1) 1 user:9
         40 < :1
         50 > FCALL my_func2 1 cart:9 x | FCALL hunter2hunter2hunter2hunter2hunter2hunter2 0
         60 < $x | $x",
        "10 20 20 EVALSHA 5f4dcc3b 2 user:? user:? ? !NOSCRIPT
         30 40 40 EVAL script-2637a01f 1 user:?
         50 60 60 FCALL my_func2 1 cart:? ? rows=1
         50 60 60 FCALL ? 0 rows=1",
    );
}

#[test]
fn replies_that_never_come() {
    check(
        "10 > CLIENT REPLY SKIP | SET a 1 | SET b 2
         20 < +OK
         30 > CLIENT REPLY OFF | SET a 1 | SET b 2
         40 > SET c 3 | CLIENT REPLY ON | GET a
         50 < +OK | $1",
        "10 20 20 SET b ?
         40 50 50 CLIENT REPLY ?
         40 50 50 GET a rows=1",
    );
}

#[test]
fn an_unanswered_select_does_not_shift_the_next_one() {
    check(
        "10 > CLIENT REPLY OFF | SELECT 3 | CLIENT REPLY ON | SELECT 4
         20 < +OK | +OK",
        "10 20 20 CLIENT REPLY ?
         10 20 20 SELECT ?
         database=4",
    );
}

#[test]
fn what_select_does_in_a_transaction_is_not_known() {
    check(
        "10 > SELECT 3 | MULTI | SELECT 4 | EXEC
         20 < +OK | +OK | +QUEUED | *[+OK]",
        "10 20 20 SELECT ?
         10 20 20 MULTI
         10 20 20 SELECT ?
         10 20 20 EXEC rows=1",
    );
}

#[test]
fn a_command_may_have_an_empty_name() {
    check(
        "10 > '' | GET a\n20 < -ERR unknown | $1",
        "10 20 20 (unknown command) !ERR\n10 20 20 GET a rows=1",
    );
}

#[test]
fn a_large_exec_leaves_no_memory_behind() {
    let mut run = run(true, "10 > MULTI | GET a | EXEC\n20 < +OK | +QUEUED");
    run.all(&format!("30 < *[{}]", "$1 ".repeat(50_000)));
    assert_eq!(run.out.finished.len(), 3);
    assert!(run.observer.kept_elements() <= 1024);
}

#[test]
fn client_reply_between_multi_and_exec_is_queued() {
    check(
        "10 > MULTI | CLIENT REPLY SKIP | DISCARD | GET a
         20 < +OK | +QUEUED | +OK | $1",
        "10 20 20 MULTI
         10 20 20 DISCARD
         10 20 20 GET a rows=1
         skipped=1",
    );
}

#[test]
fn client_reply_on_may_be_lost() {
    check(
        "10 > CLIENT REPLY OFF | SET a 1 | ...100
         20 < +OK | $1
         30 > GET a
         40 < $1
         50 > GET b
         60 < $2",
        "30 40 40 GET a rows=1
         50 60 60 GET b rows=1
         unmatched=2
         presumed=2
         resyncs=1",
    );
}

#[test]
fn the_session_follows_the_answers() {
    check(
        "10 > AUTH alice wonder | SELECT 3 | AUTH bob wrong | SELECT 99
         20 < +OK | +OK | -WRONGPASS no | -ERR DB index is out of range",
        "10 20 20 AUTH ?
         10 20 20 SELECT ?
         10 20 20 AUTH ? !WRONGPASS
         10 20 20 SELECT ? !ERR
         user=alice
         database=3",
    );
    check(
        "10 > HELLO 3 AUTH carol wonder SETNAME x
         20 < %[$server $redis]
         30 > QUIT
         40 < +OK",
        "10 20 20 HELLO ? rows=1
         30 40 40 QUIT
         user=carol
         terminated",
    );
    check("10 > AUTH wonder\n20 < +OK", "10 20 20 AUTH ?\nuser=default");
    // Of an inline command only their number is known.
    check("10 > inline AUTH wonder\n20 < +OK", "10 20 20 AUTH ?\nuser=default");
    check("10 > inline AUTH won\"der 2\"\n20 < +OK", "10 20 20 AUTH ?\nuser=default");
    check("10 > inline AUTH al\"ice\" wonder\n20 < +OK", "10 20 20 AUTH ?");
    check("10 > inline AUTH 'won\\\\' der'\n20 < +OK", "10 20 20 AUTH ?\nuser=default");
}

#[test]
fn replication_is_no_exchange() {
    check(
        "10 > PING | REPLCONF listening-port 6380
         20 < +PONG | +OK
         30 > PSYNC ? -1
         40 < raw +FULLRESYNC abc 0\\r\\n$5\\r\\nREDIS*3\\r\\n$3\\r\\nSET
         50 > REPLCONF ACK 12",
        "10 20 20 PING
         10 20 20 REPLCONF ?
         streaming",
    );
}

#[test]
fn long_values_pass_by_their_length() {
    check(
        "10 > raw *3\\r\\n$3\\r\\nSET\\r\\n$5\\r\\nbig:1\\r\\n$536870912\\r\\nxx | ...536870910
         20 > raw \\r\\n
         30 < +OK
         40 > GET big:1
         50 < raw $536870912\\r\\nxx | ...536870912
         60 > PING
         70 < +PONG",
        "10 30 30 SET big:? ?
         40 50 50 GET big:? rows=1
         60 70 70 PING",
    );
}

#[test]
fn redirections_are_errors_with_a_code() {
    check(
        "10 > GET {user:1}:cart | ASKING | GET x
         20 < -MOVED 3999 127.0.0.1:6381 | +OK | -ASK 3999 127.0.0.1:6381",
        "10 20 20 GET {user:?}:cart !MOVED
         10 20 20 ASKING
         10 20 20 GET x !ASK",
    );
}

#[test]
fn a_closed_connection_ends_what_waits() {
    let mut run = run(true, "10 > MULTI | SET a 1 | GET b\n20 < +OK | +QUEUED");
    crate::proto::Protocol::close(&mut run.observer, crate::time::Nanos::from_millis(50), &mut run.out);
    super::dialogue::same(
        &run.shown(),
        "10 20 20 MULTI
         10 50 50 SET a ? !closed
         10 50 50 GET b !closed",
    );
}

#[test]
fn an_answer_may_be_seen_before_its_command() {
    check(
        "10 > PING
         20 < +PONG
         30 < $early
         31 > GET a
         40 > GET b
         50 < $x",
        "10 20 20 PING
         31 30 30 GET a rows=1
         40 50 50 GET b rows=1",
    );
    // Its second chunk begins like a push.
    check(
        "10 > PING
         20 < +PONG
         30 < raw $10\\r\\nab cut
         31 < raw >cdefghi\\r\\n
         32 > GET a
         40 > GET b
         50 < $x",
        "10 20 20 PING
         32 30 31 GET a rows=1
         40 50 50 GET b rows=1",
    );
}
