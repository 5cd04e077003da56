//! What must hold for any stream.

use super::ENTRY;
use super::binary::{get, says, set};
use crate::proto::text_dialogue::{Run, Transfer, split, transfers};
use crate::proto::{Chunk, Moment, Protocol, Side};
use proptest::prelude::*;

/// Exchanges that end quiet.
const EXCHANGES: [&str; 8] = [
    "10 > get a:1~\n20 < VALUE a:1 0 3~abc~END~",
    "10 > set a:1 0 0 300~{300}~\n20 < STORED~",
    "10 > get a b c~get d~\n20 < VALUE b 0 300~{300}~VALUE c 0 1~x~END~\n30 < END~",
    "10 > set a 0 0 2 noreply~xx~delete b~\n20 < DELETED~",
    "10 > mg k v q O1~mg k v q O2~mn~\n20 < VA 3 O2~abc~MN~",
    "10 > ms k 3~abc~\n20 < HD~",
    "10 > stats~\n20 < STAT pid 1~STAT uptime 2~\n30 < END~",
    "10 > incr n 1~bogus~\n20 < 5~ERROR~",
];

fn dialogue() -> impl Strategy<Value = Vec<Transfer>> {
    prop::collection::vec(0..EXCHANGES.len(), 1..8).prop_map(|picks| {
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

fn binary() -> impl Strategy<Value = Vec<Transfer>> {
    prop::collection::vec((0u32..1000, 0usize..300, any::<bool>()), 1..8).prop_map(|picks| {
        let mut all = Vec::new();
        for (round, (opaque, size, stores)) in (1u64..).zip(picks) {
            let value = vec![b'v'; size];
            let (asked, said) = if stores {
                (set(1, "k:1", &value, opaque), says(1, 0, b"", opaque))
            } else {
                (get(0, "k:1", opaque), says(0, 0, &value, opaque))
            };
            for (at, side, bytes) in [(10, Side::Client, asked), (20, Side::Server, said)] {
                all.push(Transfer { at: round * 100 + at, side, bytes, skipped: 0, ends: true });
            }
        }
        all
    })
}

fn after(from_start: bool, chunks: &[Transfer]) -> Run {
    let mut run = Run::new((ENTRY.start)(from_start));
    for chunk in chunks {
        run.feed(chunk);
    }
    run
}

const PROBE: &str = "9000 > get probe~\n9001 < END~\n9002 > set probe 0 0 1~x~\n9003 < STORED~";
const QUIET: &str = "8000 > version~\n8001 < VERSION 1~\n8002 > version~\n8003 < VERSION 1~";
const PROBED: [&str; 2] = ["9000 9001 9001 11/5 rows=0 get probe", "9002 9003 9003 20/8 rows=1 set probe"];

fn requests(run: &Run) -> Vec<String> {
    run.out.finished.iter().map(|request| format!("{} {request:?}", run.request(request))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_split_gives_the_same_requests(
        dialogue in prop_oneof![dialogue(), binary()],
        cuts in prop::collection::vec(1usize..40, 1..20),
    ) {
        let mut whole = after(true, &dialogue);
        let mut pieces = after(true, &split(&dialogue, &cuts));
        prop_assert_eq!(whole.shown(), pieces.shown());
        prop_assert_eq!(requests(&whole), requests(&pieces));
        prop_assert_eq!(whole.out.counts, crate::request::Counts::default());
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
        for transfer in transfers(QUIET).iter().chain(&transfers(PROBE)) {
            run.feed(transfer);
        }
        let shown = run.shown();
        let probed: Vec<_> = shown.lines().filter(|line| line.contains("probe")).collect();
        prop_assert_eq!(probed, PROBED, "{}", shown);
    }

    #[test]
    fn any_join_finds_its_place(dialogue in dialogue(), skip in any::<prop::sample::Index>(), inside in 0usize..100) {
        let mut rest = dialogue[skip.index(dialogue.len())..].to_vec();
        let inside = inside.min(rest[0].bytes.len() - 1);
        rest[0].bytes.drain(..inside);
        rest.extend(transfers(QUIET));
        rest.extend(transfers(PROBE));
        let shown = after(false, &rest).shown();
        let probed: Vec<_> = shown.lines().filter(|line| line.contains("probe")).collect();
        prop_assert_eq!(probed, PROBED, "{}", shown);
    }

    #[test]
    fn garbage_never_panics(
        from_start: bool,
        chunks in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..300), 0u64..50, any::<bool>()), 0..60),
    ) {
        let mut run = Run::new((ENTRY.start)(from_start));
        for (client, bytes, skipped, ends) in chunks {
            let side = if client { Side::Client } else { Side::Server };
            run.feed(&Transfer { at: 1, side, bytes, skipped: skipped.saturating_sub(40), ends });
        }
        run.shown();
        run.observer.close(crate::time::Nanos(9), &mut run.out);
        prop_assert_eq!(run.observer.open_requests(), 0);
    }

    /// Well-formed lines of both sides in any order.
    #[test]
    fn lines_in_any_order_never_panic(
        from_start: bool,
        picks in prop::collection::vec((any::<bool>(), any::<prop::sample::Index>(), 0u64..30), 0..120),
    ) {
        const CLIENT: [&str; 9] = [
            "get a~", "set a 0 0 1~x~", "delete a noreply~", "mg a q v~", "mn~", "stats~", "touch a 1~", "x~", "get a",
        ];
        const SERVER: [&str; 9] =
            ["END~", "VALUE a 0 1~x~", "STORED~", "ERROR~", "HD~", "MN~", "STAT a 1~", "TOUCHED~", "VALUE a 0 100~"];
        let mut run = Run::new((ENTRY.start)(from_start));
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
    use super::super::pending::PENDING;
    // A client that is never answered; and one that asks for silence.
    let mut run = after(true, &[]);
    for transfer in transfers("1 > get a~get b~set c 0 0 1 noreply~x~").iter().cycle().take(PENDING) {
        run.feed(transfer);
    }
    assert!(run.observer.open_requests() as usize <= PENDING);
    assert!(run.out.counts.resyncs > 0);
    let mut run = after(true, &[]);
    for transfer in transfers("1 > set c 0 0 1 noreply~x~").iter().cycle().take(3 * PENDING) {
        run.feed(transfer);
    }
    assert_eq!(run.out.counts.resyncs, 0);
    // Nothing waits for what is never answered.
    let mut observer = super::super::observer::Observer::new(true);
    for transfer in transfers("1 > set c 0 0 1 noreply~x~delete c noreply~incr c x noreply~ms a 1 q~x~") {
        let task = crate::request::Task::default();
        let moment = Moment { at: crate::time::Nanos(1), task, ends_transfer: true, load: None };
        observer.feed(moment, Side::Client, Chunk::Bytes(&transfer.bytes), &mut run.texts, &mut run.out);
    }
    assert_eq!(observer.pairing.pending.iter().count(), 1);
    // An answer of no command that was not silent looks for its command only so far.
    let far: Vec<String> = (1..=2000).map(|n| format!("1 > ms a 1 q O{n}~x~")).collect();
    let mut run = after(true, &transfers(&far.join("\n")));
    for line in ["2 < NS O2000~", "2 < NS O1000~"] {
        run.feed(&transfers(line)[0]);
    }
    assert_eq!((run.out.finished.len(), run.out.counts.answers_unmatched), (1, 1));
    // A line without end.
    let mut run = after(true, &[]);
    let moment = Moment {
        at: crate::time::Nanos(1),
        task: crate::request::Task::default(),
        ends_transfer: false,
        load: None,
    };
    for _ in 0..200 {
        let chunk = Chunk::Bytes(&[b'a'; 16 << 10]);
        run.observer.feed(moment, Side::Client, chunk, &mut run.texts, &mut run.out);
    }
    assert!(run.out.counts.resyncs > 0);
}
