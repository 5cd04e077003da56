//! What must hold for any stream.

use super::dialogue::{Run, Transfer, run, transfers};
use crate::proto::{Protocol, Side};
use proptest::prelude::*;

/// Exchanges that end quiet, whatever came before. Each uses its own names.
const EXCHANGES: [&str; 10] = [
    "10 > P - select a | B - - | E - | P - select b | B - - | E - | S
     20 < 1 | 2 | D | C SELECT 1 | 1 | 2 | D | C SELECT 1 | Z I",
    "10 > Q select a; select b
     20 < T | D | C SELECT 1 | T | D 300 | D 300 | C SELECT 2 | Z I",
    "10 > P s1 select a | D S s1 | H
     20 < 1 | t | T
     30 > B - s1 | E - | C S s1 | S
     40 < 2 | D | C SELECT 1 | 3 | Z I",
    "10 > Q begin
     20 < C BEGIN | Z T
     30 > P s2 select a | B p s2 | E p 1 | S
     40 < 1 | 2 | D | s | Z T
     50 > E p | C P p | C S s2 | S
     60 < D | C SELECT 1 | 3 | 3 | Z T
     70 > Q commit
     80 < C COMMIT | Z I",
    "10 > P - selec | B - - | E - | P - select b | B - - | E - | S
     20 < E 42601 | Z I",
    "10 > Q copy t from stdin
     20 < G
     30 > d 300 | d 200
     40 > d 10 | c
     50 < C COPY 3 | Z I",
    "10 > P - copy t from stdin | B - - | E - | S
     20 < 1 | 2 | G
     30 > d 300 | c | S
     40 < C COPY 3 | Z I",
    "10 > Q copy t to stdout
     20 < H | d 100
     30 < d 100 | c | C COPY 2 | Z I",
    "10 > F
     20 < V | Z I",
    "5 < A | N | par
     10 > Q select a
     20 < N | T | D | E 57014 | Z I
     30 < A",
];

/// Known requests, seen again after whatever happened before.
const PROBE: &str = "910 > P - select probe | B - - | E - | S
     920 < 1 | 2 | D | C SELECT 1 | Z I
     930 > Q select probe
     940 < T | C SELECT 7 | Z I";
const PROBED: [&str; 2] = ["910 920 920 rows=1 select probe", "930 940 940 rows=7 select probe"];

/// A quiet exchange, so that the place can be found again.
const QUIET: &str =
    "900 > Q select quiet\n901 < T | C SELECT 0 | Z I\n902 > Q select quiet\n903 < T | C SELECT 0 | Z I";

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

fn after(chunks: &[Transfer]) -> Run {
    let mut run = run("");
    for chunk in chunks {
        run.feed(chunk);
    }
    run
}

fn requests(run: &Run) -> Vec<String> {
    run.out.finished.iter().map(|request| format!("{} {request:?}", run.request(request))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_split_gives_the_same_requests(
        dialogue in dialogue(),
        cuts in prop::collection::vec(1usize..40, 1..20),
    ) {
        let mut whole = after(&dialogue);
        let mut pieces = after(&split(&dialogue, &cuts));
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
        let mut run = after(&holed);
        for transfer in transfers(QUIET).iter().chain(&transfers(PROBE)) {
            run.feed(transfer);
        }
        let shown = run.shown();
        let probed: Vec<_> = shown.lines().filter(|line| line.contains("probe")).collect();
        prop_assert_eq!(probed, PROBED, "{}", shown);
        prop_assert!(run.observer.in_sync());
    }

    #[test]
    fn any_join_finds_its_place(dialogue in dialogue(), skip in any::<prop::sample::Index>(), inside in 0usize..100) {
        let mut rest = dialogue[skip.index(dialogue.len())..].to_vec();
        let inside = inside.min(rest[0].bytes.len() - 1);
        rest[0].bytes.drain(..inside);
        let mut run = Run::new(false);
        for transfer in rest.iter().chain(&transfers(QUIET)).chain(&transfers(PROBE)) {
            run.feed(transfer);
        }
        let shown = run.shown();
        let probed: Vec<_> = shown.lines().filter(|line| line.contains("probe")).collect();
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

    /// Messages with the right shape in any order, cut and holed.
    #[test]
    fn messages_in_any_order_never_panic(
        from_start: bool,
        picks in prop::collection::vec((any::<bool>(), any::<prop::sample::Index>(), 0u64..30), 0..120),
    ) {
        const CLIENT: [&str; 14] = [
            "P - select a", "P s select b", "B - -", "B p s", "D S s", "D P p", "C S s", "C P p", "E - 1", "E p", "S",
            "Q begin; select 1", "c", "H",
        ];
        const SERVER: [&str; 17] = [
            "1", "2", "3", "n", "s", "I", "T", "t", "D", "C SELECT 1", "Z I", "Z T", "E 42601", "G", "H", "W", "V",
        ];
        let mut run = if from_start { run("") } else { Run::new(false) };
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
    }
}

#[test]
fn memory_is_bounded() {
    use super::super::names::NAMES;
    use super::super::pending::PENDING;
    let mut run = run("");
    let feed = |run: &mut Run, line: &str| transfers(line).iter().for_each(|transfer| run.feed(transfer));
    for name in 0..3 * NAMES {
        feed(&mut run, &format!("1 > P s{name} select 1 | S\n2 < 1 | Z I"));
    }
    assert!(run.observer.exchange.names.len() <= NAMES + 100);
    // The youngest are kept.
    feed(&mut run, &format!("3 > B - s{} | E - | S\n4 < 2 | C SELECT 1 | Z I", 3 * NAMES - 1));
    feed(&mut run, "5 > B - s0 | E - | S\n6 < 2 | C SELECT 1 | Z I");
    let last: Vec<_> = run.out.finished.iter().map(|request| run.request(request)).collect();
    assert_eq!(last, ["3 4 4 rows=1 select ?", "5 6 6 rows=1 (prepared before capture) s0"]);
    // A client that is never answered.
    for _ in 0..PENDING / 4 + 10 {
        feed(&mut run, "7 > B - s1 | E - | B - s1 | E - | S");
    }
    assert!(run.observer.exchange.pending.iter().count() <= PENDING + 10);
    assert!(run.out.counts.resyncs > 0);
}

#[test]
fn names_without_meaning_are_forgotten() {
    let mut run = run("");
    for name in 0..5_000 {
        let line = format!("1 > P s{name} select 1 | B p{name} s{name} | E p{name} | C S s{name} | S");
        for transfer in transfers(&line).iter().chain(&transfers("2 < 1 | 2 | C SELECT 1 | 3 | Z I")) {
            run.feed(transfer);
        }
    }
    assert!(run.observer.exchange.names.len() < 500);
    assert_eq!(run.out.counts.statements_unnamed, 0);
}
