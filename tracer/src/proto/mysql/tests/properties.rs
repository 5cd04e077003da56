//! What must hold for any stream.

use super::dialogue::{LOGIN, Run, Transfer, transfers};
use crate::proto::{Protocol, Side};
use proptest::prelude::*;

/// Exchanges that end quiet, whatever came before. Each uses its own statement ids.
const EXCHANGES: [&str; 10] = [
    "10 > Q select a from t\n20 < cols 2 | row x | row y | okeof",
    "10 > Q select a; update t set b = 1; select c
     20 < cols 1 | row x | okeof 000a | ok 4 000a | cols 1 | row z | okeof",
    "10 > Q call p()\n20 < cols 1 | row x | okeof 000a | cols 1 | row y | okeof 000a | ok",
    "10 > P select ? from t
     20 < prepared 1 1 1 | def | def
     30 > X 1 00 01 0300 05000000
     40 < cols 1 | brow | brow | okeof
     50 > C 1",
    "10 > P select b from t
     20 < prepared 2 1 0 | def
     30 > XC 2
     40 < cols 1 | okeof 0042
     50 > F 2
     60 < brow | okeof 0042
     70 > F 2
     80 < brow | okeof 0082
     90 > C 2",
    "10 > Q load data local infile 'x' into table t
     20 < file x
     30 > data one | data two | data
     40 < ok 2",
    "10 > Q selec\n20 < err 1064 42000",
    "10 > ping\n20 < ok\n30 > statistics\n40 < text Uptime: 5",
    "10 > P insert into t values (?)
     20 < prepared 3 0 1 | def
     30 > L 3 0 data
     40 > X 3 00 01 fc00
     50 < ok 1
     60 > R 3
     70 < ok
     80 > C 3",
    "10 > db x\n20 < ok\n30 > reset\n40 < ok",
];

/// Known requests, seen again after whatever happened before.
const PROBE: &str = "910 > P select probe from t
     920 < prepared 9 1 0 | def
     930 > X 9
     940 < cols 1 | brow | okeof
     950 > Q select probe
     960 < cols 1 | row x | row y | okeof";
const PROBED: [&str; 2] = ["930 940 940 rows=1 select probe from t", "950 960 960 rows=2 select probe"];

/// A quiet exchange, so that the place can be found again.
const QUIET: &str = "900 > Q select quiet\n901 < ok\n902 > Q select quiet\n903 < ok";

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
    if from_start {
        run.feed_all(LOGIN);
    }
    chunks.iter().for_each(|chunk| run.feed(chunk));
    run
}

fn requests(run: &Run) -> Vec<String> {
    run.out.finished.iter().map(|request| format!("{} {request:?}", run.request(request))).collect()
}

fn probed(mut run: Run) -> (Vec<String>, String, bool) {
    run.feed_all(QUIET);
    run.feed_all(PROBE);
    let shown = run.shown();
    let probed = shown.lines().filter(|line| line.contains("probe")).map(str::to_owned).collect();
    (probed, shown, run.observer.in_sync())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_split_gives_the_same_requests(
        from_start: bool,
        dialogue in dialogue(),
        cuts in prop::collection::vec(1usize..40, 1..20),
    ) {
        let whole = after(from_start, &dialogue);
        let pieces = after(from_start, &split(&dialogue, &cuts));
        prop_assert_eq!(whole.shown(), pieces.shown());
        prop_assert_eq!(requests(&whole), requests(&pieces));
        prop_assert_eq!(whole.out.counts.resyncs, 0);
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
        let (probed, shown, in_sync) = probed(after(true, &holed));
        prop_assert_eq!(probed, PROBED, "{}", shown);
        prop_assert!(in_sync);
    }

    #[test]
    fn any_join_finds_its_place(dialogue in dialogue(), skip in any::<prop::sample::Index>(), inside in 0usize..100) {
        let mut rest = dialogue[skip.index(dialogue.len())..].to_vec();
        let inside = inside.min(rest[0].bytes.len() - 1);
        rest[0].bytes.drain(..inside);
        let (probed, shown, _) = probed(after(false, &rest));
        prop_assert_eq!(probed, PROBED, "{}", shown);
    }

    #[test]
    fn garbage_never_panics_and_is_not_kept(
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
    }

    /// Packets with the right shape in any order, cut and holed.
    #[test]
    fn packets_in_any_order_never_panic(
        from_start: bool,
        picks in prop::collection::vec((any::<bool>(), any::<prop::sample::Index>(), 0u64..30, 0u8..4), 0..120),
    ) {
        const CLIENT: [&str; 22] = [
            "Q select a", "Q select 1; select 2", "Q call p()", "P select ?", "X 1 00 01 0300 05000000", "XC 1", "F 1",
            "C 1", "R 1", "L 1 0 x", "ping", "statistics", "fields", "reset", "user u d", "data x", "hex", "X LAST",
            "XC LAST", "F LAST", "C LAST", "R LAST",
        ];
        const SERVER: [&str; 14] = [
            "ok", "ok 1 000a", "okeof", "okeof 0042", "eof", "eof 000a", "err 1064 42000", "cols 1", "row x", "brow",
            "prepared 1 1 1", "def", "file x", "count 01",
        ];
        let mut run = if from_start { after(true, &[]) } else { Run::new(false) };
        for (client, pick, skipped, sequence) in picks {
            let line = if client {
                format!("1 > seq {sequence} | {}", CLIENT[pick.index(CLIENT.len())])
            } else {
                format!("1 < seq {sequence} | {}", SERVER[pick.index(SERVER.len())])
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

/// One byte lost anywhere in every exchange.
#[test]
fn every_byte_may_be_lost() {
    for exchange in EXCHANGES {
        let whole = transfers(exchange);
        for (at, transfer) in whole.iter().enumerate() {
            for start in 0..transfer.bytes.len() {
                let mut holed = whole.clone();
                let head = Transfer {
                    bytes: transfer.bytes[..start].to_vec(),
                    skipped: 1,
                    ends: false,
                    ..transfer.clone()
                };
                let tail = Transfer { bytes: transfer.bytes[start + 1..].to_vec(), ..transfer.clone() };
                holed.splice(at..=at, [head, tail]);
                let (probed, shown, _) = probed(after(true, &holed));
                assert_eq!(probed, PROBED, "byte {start} of line {at} of {exchange}:\n{shown}");
            }
        }
    }
}

/// Commands that each looked for theirs among all that wait would make this the slowest test by far.
#[test]
fn a_long_queue_is_paired() {
    let mut run = after(true, &[]);
    let commands = transfers(&format!("1 > {}X LAST", "X LAST | ".repeat(9_000)));
    let answers = transfers(&format!("2 < {}seq 1 | ok", "seq 1 | ok | ".repeat(9_000)));
    for _ in 0..10 {
        commands.iter().chain(&answers).for_each(|transfer| run.feed(transfer));
    }
    assert_eq!((run.out.finished.len(), run.out.counts.resyncs), (90_010, 0));
}

#[test]
fn memory_is_bounded() {
    use super::super::exchange::MOST_PENDING;
    use super::super::prepared::MOST_STATEMENTS;
    let mut run = after(true, &[]);
    for id in 0..2 * MOST_STATEMENTS {
        run.feed_all(&format!("1 > P select 1\n2 < prepared {id} 0 0"));
    }
    assert!(run.observer.exchange.statements.len() <= MOST_STATEMENTS);
    run.feed_all(&format!("3 > X {}\n4 < ok", 2 * MOST_STATEMENTS - 1));
    assert!(run.shown().contains("3 4 4 rows=0 select ?"), "{}", run.shown());
    // A client that is never answered.
    for _ in 0..2 * MOST_PENDING {
        run.feed_all("7 > ping");
    }
    assert!(run.observer.exchange.pending.len() <= MOST_PENDING);
    assert!(run.out.counts.resyncs > 0);
    // The same with many statements in each command.
    let text = "select a;".repeat(MOST_PENDING / 4);
    for at in 8..20 {
        run.feed_all(&format!("{at} > Q {text}"));
        assert!(run.observer.exchange.requests_pending <= MOST_PENDING);
    }
}
