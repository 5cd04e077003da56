//! The text protocol and its meta commands.

use std::collections::HashSet;

use super::{ENTRY, check, check_joined, check_values};
use crate::proto::text_dialogue::run;

#[test]
fn storage_and_retrieval() {
    check(
        "1 > set user:42 0 60 5~hello~
         2 < STORED~
         3 > get user:42~
         4 < VALUE user:42 0 5~hello~END~
         5 > get user:43~
         6 < END~",
        "1 2 2 27/8 rows=1 set user:?
         3 4 4 13/31 rows=1 get user:?
         5 6 6 13/5 rows=0 get user:?",
    );
    check("1 > add a 0 0 1~x~\n2 < NOT_STORED~", "1 2 2 16/12 rows=0 add a");
    check("1 > cas a 0 0 1 99~x~\n2 < EXISTS~", "1 2 2 19/8 rows=0 cas a");
    check("1 > append a 0 0 1~x~\n2 < NOT_STORED~", "1 2 2 19/12 rows=0 append a");
    check("1 > gets a~\n2 < VALUE a 0 1 7~x~END~", "1 2 2 8/23 rows=1 gets a");
    check("1 > gat 60 k:1 k:2~\n2 < VALUE k:1 0 1~x~END~", "1 2 2 16/23 rows=1 gat k:? ...");
}

#[test]
fn case_45_a_get_with_many_keys_is_one_request() {
    check(
        "1 > get u:1 u:2 s:x9 plain~
         2 < VALUE u:1 0 1~a~VALUE pla cut
         3 < in 0 2~bc~END~",
        "1 2 3 24/44 rows=2 get u:? s:x? plain ...",
    );
    check("1 > get a b~\n2 < END~", "1 2 2 9/5 rows=0 get a b");
    check_values("1 > get u:1 u:2 u:3~\n2 < END~", "get u:? ... | list of 3");
    check_values("1 > get u:1 s:2~\n2 < END~", "get u:? s:? | 1, 2");
}

#[test]
fn names_in_keys_make_few_statements() {
    let letter = |n: u8| char::from(b'a' + n % 26);
    let keys = (0..2000u16)
        .map(|n| n.to_be_bytes())
        .map(|[high, low]| format!("user:{}{}{}", letter(high), letter(low / 26), letter(low)));
    let dialogue: Vec<String> = keys.map(|key| format!("1 > get {key}~\n2 < END~")).collect();
    let mut run = run((ENTRY.start)(true), &dialogue.join("\n"));
    let shown = run.shown();
    assert_eq!(shown.lines().count(), 2000);
    let statements: HashSet<&str> = shown.lines().map(|line| line.split("rows=0 ").nth(1).unwrap()).collect();
    assert_eq!((statements.len(), statements.contains("get user:?")), (33, true), "{statements:?}");
    assert_eq!(run.values().lines().last().unwrap(), "get user:? | hhz");
}

#[test]
fn other_commands() {
    check("1 > delete k~\n2 < DELETED~", "1 2 2 10/9 rows=1 delete k");
    check("1 > delete k~\n2 < NOT_FOUND~", "1 2 2 10/11 rows=0 delete k");
    check("1 > incr k 5~\n2 < 12~", "1 2 2 10/4 rows=1 incr k");
    check("1 > decr k 5~\n2 < 7 ~", "1 2 2 10/4 rows=1 decr k");
    check(
        "1 > incr k x~\n2 < CLIENT_ERROR invalid numeric delta argument~",
        "1 2 2 10/45 rows=0 incr k CLIENT_ERROR",
    );
    check("1 > touch k 9~\n2 < TOUCHED~", "1 2 2 11/9 rows=1 touch k");
    check("1 > version~\n2 < VERSION 1.6.18~", "1 2 2 9/16 rows=0 version");
    check("1 > verbosity 1~\n2 < OK~", "1 2 2 13/4 rows=0 verbosity");
    check("1 > flush_all 10~\n2 < OK~", "1 2 2 14/4 rows=0 flush_all");
    check("1 > cache_memlimit 1~\n2 < OK~", "1 2 2 18/4 rows=0 cache_memlimit");
    check("1 > slabs reassign 1 2~\n2 < BADCLASS x~", "1 2 2 20/12 rows=0 slabs reassign");
    check("1 > lru tune 10 20~\n2 < OK~", "1 2 2 16/4 rows=0 lru tune");
    check("1 > stats~\n2 < STAT pid 1~ cut\n3 < STAT uptime 2~END~", "1 2 3 7/32 rows=2 stats");
    check("1 > stats reset~\n2 < RESET~", "1 2 2 13/7 rows=0 stats reset");
    check("1 > lru_crawler metadump all~\n2 < key=a exp=-1~END~", "1 2 2 26/19 rows=1 lru_crawler metadump");
    check("1 > shutdown~\n2 < ERROR: shutdown not enabled~", "1 2 2 10/29 rows=0 shutdown ERROR");
    check("1 > quit~", "");
}

#[test]
fn a_watch_is_a_stream() {
    check(
        "1 > watch fetchers~
         2 < OK~
         3 < ts=1 gid=1 type=item_get key=secret~",
        "1 2 2 16/4 rows=0 watch
         streaming=1",
    );
    check(
        "1 > watch x~\n2 < ERROR~\n3 > get a~\n4 < END~",
        "1 2 2 9/7 rows=0 watch ERROR\n3 4 4 7/5 rows=0 get a",
    );
}

#[test]
fn errors() {
    check("1 > bogus secret~\n2 < ERROR~", "1 2 2 14/7 rows=0 (unknown command) ERROR");
    check("1 > get~\n2 < ERROR~", "1 2 2 5/7 rows=0 get ERROR");
    check(
        "1 > set big 0 0 9~{9}~
         2 < SERVER_ERROR object too large for cache~
         3 > get a~
         4 < END~",
        "1 2 2 26/41 rows=0 set big SERVER_ERROR
         3 4 4 7/5 rows=0 get a",
    );
    // The server does not read the data block of a line that is wrong: it is a command to it.
    check(
        "1 > set k 0 0 abc~xyz~
         2 < CLIENT_ERROR bad command line format~ERROR~",
        "1 2 2 15/38 rows=0 set CLIENT_ERROR
         1 2 2 5/7 rows=0 (unknown command) ERROR",
    );
    // No server says such a length.
    for answer in ["VALUE a 0 18446744073709551615", "VA 18446744073709551614", "VALUE a 0 2147483646"] {
        check(&format!("1 > get a~\n2 < {answer}~"), "unmatched=1\nresyncs=1");
    }
    // Said before the client's first word.
    check("1 < ERROR Too many open connections~", "unmatched=1");
}

#[test]
fn silence_is_no_request() {
    check(
        "1 > set a 0 0 1 noreply~x~
         2 > delete b noreply~
         3 > incr c 1 noreply~
         4 > get a~
         5 < VALUE a 0 1~x~END~",
        "4 5 5 7/21 rows=1 get a",
    );
    // Nor is an error said, even of a line that is wrong.
    check("1 > set a 0 0 x noreply~incr a x noreply~get a~\n2 < END~", "1 2 2 7/5 rows=0 get a");
    // Of a meta command it is.
    check(
        "1 > ms a 1 q~x~
         2 > mn~
         3 < SERVER_ERROR object too large for cache~MN~",
        "1 3 3 13/41 rows=0 ms a SERVER_ERROR
         2 3 3 4/4 rows=0 mn",
    );
}

#[test]
fn pipelines_keep_their_order() {
    check(
        "1 > get a~set b 0 0 1~x~
         2 > get c~
         3 < END~STORED~ cut
         4 < VALUE c 0 1~x~END~",
        "1 3 3 7/5 rows=0 get a
         1 3 3 16/8 rows=1 set b
         2 4 4 7/21 rows=1 get c",
    );
}

#[test]
fn meta_commands() {
    check(
        "1 > mg user:1 t v~
         2 < VA 5 t30~hello~
         3 > mg user:2 v~
         4 < EN~
         5 > ms user:1 2 T60~hi~
         6 < HD~
         7 > md user:1~
         8 < NF~
         9 > ma n:1~
         10 < HD~
         11 > mn~
         12 < MN~
         13 > me user:1~
         14 < ME user:1 exp=-1 la=2~",
        "1 2 2 15/17 rows=1 mg user:?
         3 4 4 13/4 rows=0 mg user:?
         5 6 6 21/4 rows=1 ms user:?
         7 8 8 11/4 rows=0 md user:?
         9 10 10 8/4 rows=1 ma n:?
         11 12 12 4/4 rows=0 mn
         13 14 14 11/23 rows=1 me user:?",
    );
    // A key in base64 is none that a person chose.
    check("1 > mg Zm9v b v~\n2 < EN~", "1 2 2 13/4 rows=0 mg ?");
    check("1 > ms k 2 b T0~hi~\n2 < CLIENT_ERROR bad data chunk~", "1 2 2 17/29 rows=0 ms ? CLIENT_ERROR");
}

#[test]
fn quiet_meta_commands_are_found_by_their_opaque() {
    check(
        "1 > mg k:1 v q O11~
         2 > mg k:2 v q O12~
         3 > mg k:3 v q O13~
         4 > mn~
         5 < VA 1 O12~x~MN~",
        "2 5 5 16/13 rows=1 mg k:?
         4 5 5 4/4 rows=0 mn",
    );
    // By its key, where it has no opaque.
    check(
        "1 > mg user:1 v k q~mg cart:1 v k q~mn~
         2 < VA 3 kcart:1~abc~MN~
         3 > mg a k O1~mg b k~
         4 < EN ka O1~EN~",
        "1 2 2 17/19 rows=1 mg cart:?
         1 2 2 4/4 rows=0 mn
         3 4 4 11/10 rows=0 mg a
         3 4 4 8/4 rows=0 mg b",
    );
    // No silence about a flag that is there twice, nor of me.
    check(
        "1 > mg a v v q~mn~
         2 < CLIENT_ERROR duplicate flag~MN~
         3 > me a q~
         4 < EN~",
        "1 2 2 12/29 rows=0 mg a CLIENT_ERROR
         1 2 2 4/4 rows=0 mn
         3 4 4 8/4 rows=0 me a",
    );
    check(
        "1 > ms a 1 q~x~
         2 > ms b 1 q ME~y~
         3 > mg c q k v~
         4 > mn~
         5 < NS~
         6 < MN~",
        "1 5 5 13/4 rows=0 ms a
         4 6 6 4/4 rows=0 mn",
    );
    // NF may be that of the quiet one or of the loud one: MN tells that the loud one has had it.
    check(
        "1 > md k:1 q~md k:2~mn~
         2 < NF~MN~
         3 > mg a~
         4 < HD~",
        "1 2 2 10/4 rows=0 md k:?
         1 2 2 4/4 rows=0 mn
         3 4 4 6/4 rows=1 mg a",
    );
    // As a server of 1.6.18 says it.
    check(
        "1 > ma n N0 J5 v~ma n v~md k:1 q~md k:1~mn~
         2 < VA 1~5~VA 1~6~NF~MN~
         3 > me k:1~
         4 < EN~",
        "1 2 2 14/9 rows=1 ma n
         1 2 2 8/9 rows=1 ma n
         1 2 2 10/4 rows=0 md k:?
         1 2 2 4/4 rows=0 mn
         3 4 4 8/4 rows=0 me k:?",
    );
    check(
        "1 > md k:1 q~md k:2~mn~
         2 < NF~HD~MN~",
        "1 2 2 10/4 rows=0 md k:?
         1 2 2 8/4 rows=1 md k:?
         1 2 2 4/4 rows=0 mn",
    );
}

#[test]
fn holes() {
    // Inside a data block.
    check("1 > set a 0 0 100~...102\n2 < STORED~", "1 2 2 117/8 rows=1 set a");
    check(
        "1 > get a~
         2 < VALUE a 0 100~abc...97
         3 < ~END~
         4 > get b~
         5 < END~",
        "1 2 3 7/122 rows=1 get a
         4 5 5 7/5 rows=0 get b",
    );
    // Over the boundary between two values: the answer's end is seen.
    check(
        "1 > get a b c~
         2 < VALUE a 0 100~abc...300
         3 < ddd~END~
         4 > get d~
         5 < END~",
        "1 2 3 11/328 rows=1 get a b c
         4 5 5 7/5 rows=0 get d
         resyncs=1",
    );
    // Over a command: what waits cannot be paired; the next one can.
    check(
        "1 > get a~...30
         2 < END~END~END~
         3 > get b~
         4 < END~
         5 > get c~
         6 < END~",
        "3 4 4 7/5 rows=0 get b
         5 6 6 7/5 rows=0 get c
         unmatched=3
         presumed=2
         resyncs=1",
    );
    // Over answers.
    check(
        "1 > get a~get b~
         2 < ...10
         3 > get c~
         4 < END~
         5 > get d~
         6 < END~",
        "3 4 4 7/5 rows=0 get c
         5 6 6 7/5 rows=0 get d
         unmatched=2
         presumed=2
         resyncs=1",
    );
    // Inside a line of many keys.
    check("1 > get a:1 a:2...20\n2 > a:9~ \n3 < END~", "1 3 3 36/5 rows=0 get a:? ...");
}

#[test]
fn joined_in_the_middle() {
    check_joined(
        "1 < VALUE a 0 1~x~END~
         2 > get b~
         3 < END~
         4 > get c~
         5 < END~",
        "2 3 3 7/5 rows=0 get b
         4 5 5 7/5 rows=0 get c
         started_before=1
         presumed=2",
    );
    // In a data block; and with an answer to come for what was sent before.
    check_joined(
        "1 > dddd~
         2 > get b~
         3 < STORED~END~
         4 > get c~
         5 < END~",
        "2 3 3 7/5 rows=0 get b
         4 5 5 7/5 rows=0 get c
         started_before=1
         presumed=2",
    );
    check_joined("1 > get a~", "in flight 1 get a");
    // A value of another key tells that an answer to a command not seen came late.
    check_joined(
        "1 < END~
         2 > get user:1~
         3 < END~
         4 > get z:1~
         5 < VALUE user:1 0 1~x~END~
         6 > get y:1~
         7 < END~
         8 > get x:1~
         9 < VALUE x:1 0 1~x~END~",
        "2 3 3 12/5 rows=0 get user:?
         6 7 7 9/5 rows=0 get y:?
         8 9 9 9/23 rows=1 get x:?
         started_before=1
         unmatched=1
         presumed=3
         resyncs=1",
    );
    check_joined("1 > get a~\n2 < END~", "1 2 2 7/5 rows=0 get a\npresumed=1");
}

#[test]
fn what_proves_the_pairing_after_a_join() {
    // A pause of a second with nothing in flight.
    check_joined(
        "1 > get a~
         2 < END~
         1000000002 > get a~
         1000000003 < END~",
        "1 2 2 7/5 rows=0 get a
         1000000002 1000000003 1000000003 7/5 rows=0 get a",
    );
    // Values whose keys were asked for by none of the 16 commands before. One key alone says nothing.
    let turns = |key: &dyn Fn(u32) -> u32| {
        let turn = |n| format!("{n}0 > get k{0}~\n{n}1 < VALUE k{0} 0 1~x~END~", key(n));
        (1..=40).map(turn).collect::<Vec<_>>().join("\n")
    };
    for (key, presumed) in [(&(|n| n) as &dyn Fn(u32) -> u32, false), (&|_| 7, true)] {
        let shown = run((ENTRY.start)(false), &turns(key)).shown();
        assert_eq!(shown.contains("presumed=40"), presumed, "{shown}");
        assert_eq!(shown.contains("presumed"), presumed, "{shown}");
    }
}
