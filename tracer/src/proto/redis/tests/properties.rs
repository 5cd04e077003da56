//! What must hold for any stream.

use super::dialogue::{Run, Transfer, run, transfers};
use crate::proto::{Protocol as _, Side};
use proptest::prelude::*;

/// Exchanges that end quiet, whatever came before.
const EXCHANGES: [&str; 9] = [
    "10 > GET a:1 | SET b:2 value EX 5 | LRANGE l 0 -1
     20 < $hello | +OK | *[$a $b *[:1 nil]]",
    "10 > MULTI | INCR a | EXEC
     20 < +OK | +QUEUED | *[:1]",
    "10 > EVAL return(1) 1 k:1 x
     20 < |[+ttl :1] %[+a :1]",
    "10 > inline PING
     20 < +PONG",
    "10 > SET k v*3000
     20 < +OK
     30 > GET k
     40 < $v*3000",
    "10 > SUBSCRIBE a b
     20 < >[$subscribe $a :1] | >[$subscribe $b :2] | >[$message $a $x]
     30 > UNSUBSCRIBE
     40 < >[$unsubscribe $a :1] | >[$unsubscribe $b :0]",
    "10 > SELECT 3 | AUTH bob secret | GET nothing
     20 < +OK | -WRONGPASS no | _",
    "10 > GET x
     20 < raw $?\\r\\n;3\\r\\nabc\\r\\n;0\\r\\n
     30 > LPOP l
     40 < -WRONGTYPE no",
    "10 > MGET a b c d
     20 < *[$1 nil $3 nil] | >[$invalidate *[$a]]",
];

/// Enough quiet exchanges that pairing is believed again, then known requests.
const PROBE: &str = "9000 > PING\n9001 < +PONG\n9100 > PING\n9101 < +PONG\n9200 > PING\n9201 < +PONG
     9300 > GET probe:1\n9310 < $x\n9400 > LRANGE probe 0 -1\n9410 < *[$a $b]";
const PROBED: [&str; 2] = ["9300 9310 9310 GET probe:? rows=1", "9400 9410 9410 LRANGE probe ? rows=2"];

fn dialogue() -> impl Strategy<Value = Vec<Transfer>> {
    prop::collection::vec(0..EXCHANGES.len(), 1..5).prop_map(|picks| {
        let mut all = Vec::new();
        for (round, pick) in (1u64..).zip(picks) {
            for mut transfer in transfers(EXCHANGES[pick]) {
                transfer.at += round * 100;
                all.push(transfer);
            }
        }
        all
    })
}

/// Cuts every transfer at the given places; the chunks keep its time.
fn split(transfers: &[Transfer], cuts: &[usize]) -> Vec<Transfer> {
    let mut cuts = cuts.iter().cycle();
    let mut chunks = Vec::new();
    for transfer in transfers {
        let mut rest = &transfer.bytes[..];
        while !rest.is_empty() {
            let (head, tail) = rest.split_at((*cuts.next().unwrap()).clamp(1, rest.len()));
            rest = tail;
            chunks.push(Transfer { bytes: head.to_vec(), ends: rest.is_empty(), ..transfer.clone() });
        }
    }
    chunks
}

fn after(from_start: bool, chunks: &[Transfer]) -> Run {
    let mut run = Run::new(from_start);
    chunks.iter().for_each(|chunk| run.feed(chunk));
    run
}

fn probed(run: &mut Run) -> Vec<String> {
    transfers(PROBE).iter().for_each(|transfer| run.feed(transfer));
    run.shown().lines().filter(|line| line.contains("probe")).map(str::to_owned).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_split_gives_the_same_requests(
        dialogue in dialogue(),
        cuts in prop::collection::vec(1usize..40, 1..20),
        from_start: bool,
    ) {
        let mut whole = after(from_start, &dialogue);
        let mut pieces = after(from_start, &split(&dialogue, &cuts));
        prop_assert_eq!(whole.shown(), pieces.shown());
        prop_assert_eq!(whole.values(), pieces.values());
        let sizes = |run: &Run| -> Vec<_> {
            run.out.finished.iter().map(|request| (request.request_bytes, request.answer_bytes)).collect()
        };
        prop_assert_eq!(sizes(&whole), sizes(&pieces));
        prop_assert_eq!(whole.out.counts.resyncs, 0);
        prop_assert_eq!(whole.out.counts.answers_unmatched, 0);
    }

    #[test]
    fn any_hole_is_followed_by_exact_requests(
        dialogue in dialogue(),
        pick in any::<prop::sample::Index>(),
        from in any::<prop::sample::Index>(),
        length in 1usize..2000,
    ) {
        let mut holed = dialogue;
        let at = pick.index(holed.len());
        let transfer = holed[at].clone();
        let start = from.index(transfer.bytes.len());
        let end = (start + length).min(transfer.bytes.len());
        let head = Transfer {
            bytes: transfer.bytes[..start].to_vec(),
            skipped: (end - start) as u64,
            ends: end == transfer.bytes.len(),
            ..transfer.clone()
        };
        let tail = Transfer { bytes: transfer.bytes[end..].to_vec(), ..transfer };
        holed.splice(at..=at, [head, tail]);
        let mut run = after(true, &holed);
        prop_assert_eq!(probed(&mut run), PROBED, "{}", run.shown());
        prop_assert!(run.observer.in_sync());
    }

    #[test]
    fn any_join_finds_its_place(dialogue in dialogue(), skip in any::<prop::sample::Index>(), inside in 0usize..100) {
        let mut rest = dialogue[skip.index(dialogue.len())..].to_vec();
        let inside = inside.min(rest[0].bytes.len() - 1);
        rest[0].bytes.drain(..inside);
        let mut run = after(false, &rest);
        prop_assert_eq!(probed(&mut run), PROBED, "{}", run.shown());
    }

    #[test]
    fn garbage_never_panics(
        from_start: bool,
        chunks in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..300), 0u64..50, any::<bool>()), 0..60),
    ) {
        let mut run = Run::new(from_start);
        for (client, bytes, skipped, ends) in chunks {
            let side = if client { Side::Client } else { Side::Server };
            run.feed(&Transfer { at: 1, side, bytes, skipped: skipped.saturating_sub(40), ends });
        }
        run.shown();
        run.observer.close(crate::time::Nanos(9), &mut run.out);
        prop_assert_eq!(run.observer.open_requests(), 0);
    }

    /// Values with the right shape in any order, cut and holed.
    #[test]
    fn values_in_any_order_never_panic(
        from_start: bool,
        picks in prop::collection::vec((any::<bool>(), any::<prop::sample::Index>(), 0u64..30), 0..120),
    ) {
        const CLIENT: [&str; 14] = [
            "GET a", "MULTI", "EXEC", "DISCARD", "SUBSCRIBE a", "UNSUBSCRIBE", "MONITOR", "RESET", "AUTH a b",
            "CLIENT REPLY OFF", "CLIENT REPLY ON", "SELECT 1", "inline PING", "raw *2\\r\\n$3\\r\\nGET",
        ];
        const SERVER: [&str; 17] = [
            "+OK", "+QUEUED", "-ERR x", ":1", "$x", "nil", "nil*", "*[]", "*[$a :1]", "%[+a +b]", ">[+x]", "+RESET",
            "*[$subscribe $a :1]", ">[$unsubscribe $a :0]", "*[$message $a $b]", "|[+a +b]", "raw *2\\r\\n$3\\r\\nab",
        ];
        let mut run = Run::new(from_start);
        for (client, pick, skipped) in picks {
            let line = if client {
                format!("1 > {}", CLIENT[pick.index(CLIENT.len())])
            } else {
                format!("1 < {}", SERVER[pick.index(SERVER.len())])
            };
            for mut transfer in transfers(&line) {
                transfer.skipped = skipped.saturating_sub(25);
                run.feed(&transfer);
            }
        }
        run.shown();
        run.observer.close(crate::time::Nanos(9), &mut run.out);
        prop_assert_eq!(run.observer.open_requests(), 0);
    }
}

#[test]
fn memory_is_bounded() {
    // Values nested deeper than anything real, and a line that never ends.
    let deep = "*1\\r\\n".repeat(100);
    let mut run = run(true, "10 > GET a");
    run.all(&format!("20 < raw {deep}"));
    assert_eq!(run.out.counts.resyncs, 1);
    for _ in 0..1000 {
        run.feed(&Transfer { at: 30, side: Side::Client, bytes: vec![b'x'; 1000], skipped: 0, ends: false });
    }
    assert!(run.observer.kept_bytes() <= 8 << 10);
    assert!(run.observer.open_requests() < 10);
}

#[test]
fn what_is_held_back_is_bounded() {
    // Always something in flight, with one type of answers: never sure.
    let mut run = Run::new(false);
    run.all("10 > GET a");
    let gets = vec!["GET a"; 100].join(" | ");
    let answers = vec!["$x"; 100].join(" | ");
    for _ in 0..50 {
        run.all(&format!("20 > {gets}\n30 < {answers}"));
    }
    assert!(run.out.finished.is_empty());
    assert!(run.out.counts.answers_unmatched >= 4096);
    assert_eq!(run.observer.open_requests(), 1);
    run.shown();
    assert_eq!(run.out.counts.answers_unmatched, 5000);
}
