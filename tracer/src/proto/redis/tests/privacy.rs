//! Case 40, and what a statement and its values are made of.

use super::dialogue::{Transfer, run, same, transfers};
use crate::proto::{Protocol as _, Side};

/// Statement and values of each command, all answered.
#[track_caller]
fn check(commands: &str, expected: &str) {
    let commands: Vec<&str> = commands.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let answers = vec!["+OK"; commands.len()].join(" | ");
    let dialogue = format!("10 > {}\n20 < {answers}", commands.join(" | "));
    same(&run(true, &dialogue).values(), expected);
}

#[test]
fn case_40_secrets_are_neither_text_nor_value() {
    check(
        "AUTH secret
         AUTH alice secret
         HELLO 3 AUTH alice secret SETNAME me
         CONFIG SET requirepass secret
         CONFIG SET maxmemory 100mb masterauth secret
         CONFIG SET hunter2secret x
         CONFIG GET requirepass
         ACL SETUSER alice on >secret ~*
         ACL secret
         MIGRATE host 6379 user:7 0 5000 AUTH secret
         MIGRATE host 6379 '' 0 5000 COPY AUTH2 alice secret KEYS user:7 user:8
         CLIENT SETNAME secret
         hunter2 secret
         SENTINEL SET master auth-pass secret",
        "AUTH ? |
         AUTH ? |
         HELLO ? |
         CONFIG SET requirepass ? |
         CONFIG SET maxmemory ... ? |
         CONFIG SET ? |
         CONFIG GET ? |
         ACL SETUSER ? |
         ACL ? |
         MIGRATE user:? ? |
         MIGRATE user:? ... ? |
         CLIENT SETNAME ? | secret
         (unknown command) |
         SENTINEL SET ? |",
    );
}

#[test]
fn keys_become_patterns_and_everything_else_one_mark() {
    check(
        "SET user:17:name ann EX 60
         GET key:000000000012
         MGET user:1 user:2 user:3
         MSET user:1 a user:2 b
         HSET cart:550e8400-e29b-41d4-a716-446655440000 item 3
         RENAME a:1 b:2
         ZUNIONSTORE out 2 a b
         ZINTER 2 a:1 b:2 WITHSCORES
         BITOP AND dest a b
         XGROUP CREATE stream:1 group $
         XREADGROUP GROUP g consumer COUNT 10 STREAMS orders:1 >
         XREADGROUP GROUP streams block COUNT 1 STREAMS orders:1 >
         OBJECT ENCODING user:5
         LRANGE list 0 -1
         GET ''
         PING
         FT.SEARCH idx query
         MYMODULE.CMD user:5",
        "SET user:?:name ? | 17, ann, EX, 60
         GET key:? | 12
         MGET user:? ... | 1, 3
         MSET user:? ... ? | 1, 2, a, b
         HSET cart:? ? | 550e8400-e29b-41d4-a716-446655440000, item, 3
         RENAME a:? b:? | 1, 2
         ZUNIONSTORE out ? | 2, a, b
         ZINTER a:? b:? ? | 1, 2, 2, WITHSCORES
         BITOP dest ... ? | 3, AND
         XGROUP CREATE stream:? ? | 1, group, $
         XREADGROUP STREAMS orders:? ? | 1, GROUP, g, consumer, COUNT, 10, STREAMS, >
         XREADGROUP STREAMS orders:? ? | 1, GROUP, streams, block, COUNT, 1, STREAMS, >
         OBJECT ENCODING user:? | 5
         LRANGE list ? | 0, -1
         GET ? | ?
         PING |
         FT.SEARCH ? | idx, query
         MYMODULE.CMD ? |",
    );
}

#[test]
fn no_password_is_kept_while_its_command_comes_in_pieces() {
    for words in [
        "AUTH hunter2hunter2",
        "AUTH alice hunter2hunter2",
        "HELLO 3 AUTH alice hunter2hunter2",
        "CONFIG SET requirepass hunter2hunter2",
        "ACL SETUSER alice >hunter2hunter2",
        "MIGRATE h 1 k 0 9 AUTH hunter2hunter2",
        "MIGRATE h 1 k 0 9 AUTH2 alice hunter2hunter2",
        "SENTINEL SET m auth-pass hunter2hunter2",
        "MODULE LOADEX path CONFIG name hunter2hunter2",
        "inline AUTH hunter2hunter2",
        "inline   'auth' alice hunter2hunter2",
        "inline HELLO 3 AUTH alice hunter2hunter2",
        "inline CONFIG SET requirepass \"a hunter2hunter2\"",
        "inline ACL SETUSER alice >hunter2hunter2",
        "inline SENTINEL SET m auth-pass hunter2hunter2",
    ] {
        let transfer = transfers(&format!("10 > {words}")).remove(0);
        let mut run = run(true, "");
        for (at, byte) in transfer.bytes.iter().enumerate() {
            let ends = at + 1 == transfer.bytes.len();
            run.feed(&Transfer { bytes: vec![*byte], ends, ..transfer });
            assert!(!run.observer.keeps(b"hunter"), "{words}, byte {at}");
        }
        run.feed(&Transfer {
            at: 20,
            side: Side::Server,
            bytes: b"+OK\r\n".to_vec(),
            skipped: 0,
            ends: true,
        });
        assert_eq!(run.out.finished.len(), 1, "{words}");
        assert_eq!(run.observer.open_requests(), 0);
        assert!(
            run.texts.extractor().shown(0).is_none() && !run.texts.extractor().keeps("hunter"),
            "{words}"
        );
    }
    // Nothing of any other command stays behind either.
    let mut run = run(true, "");
    for transfer in transfers("10 > inline SET a hunter2") {
        run.feed(&transfer);
    }
    assert!(!run.observer.keeps(b"hunter"));
}

#[test]
fn long_arguments_have_a_length_and_a_beginning() {
    let mut run = run(
        true,
        "10 > SET k v*5000 | SET k v*5000 | SET k v*5001
         20 < +OK | +OK | +OK",
    );
    run.observer.capture_ends(&mut run.out);
    let values: Vec<_> = run.out.finished.iter().map(|request| run.out.values_of(request)[0]).collect();
    assert_eq!(values[0], values[1]);
    assert_ne!(values[0], values[2]);
    assert_eq!(values[0].size(), Some(crate::value::Size::of_u64(5000)));
}
