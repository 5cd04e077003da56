//! What must hold for any stream.

use super::dialogue::{Run, Transfer, message, transfers};
use crate::proto::{Protocol as _, Side};
use proptest::prelude::*;

/// Exchanges that end quiet. `@` is replaced by numbers that are used once.
const EXCHANGES: [&str; 8] = [
    r#"10 > @1 {find: "u", filter: {a: 1, b: [1, 2]}, $db: "d"}
    20 < @2:@1 {cursor: {firstBatch: [{a: 1}, {a: "xyz"}, {b: [1, 2]}], id: long(0), ns: "d.u"}, ok: 1.0}"#,
    r#"10 > @1 +more {insert: "u", $db: "d"} documents {a: 1} {a: 2}
    20 > @2 {insert: "u", $db: "d"} documents {a: 1} {a: 2}
    30 < @3:@2 {n: 2, writeErrors: [{index: 0, code: 11000, errmsg: "x"}], ok: 1.0}"#,
    r#"10 > @1 +exhaust {getMore: long(4), collection: "u", $db: "d"}
    20 < @2:@1 +more {cursor: {nextBatch: [{a: 1}], id: long(4)}, ok: 1.0}
    30 < @3:@2 +sum {cursor: {nextBatch: [{a: 1}], id: long(0)}, ok: 1.0}"#,
    r#"10 > zlib @1 {update: "u", $db: "d"} updates {q: {a: 1}, u: {$set: {b: repeat(300)}}}
    20 < zlib @2:@1 {n: 1, nModified: 1, ok: 1.0}"#,
    r#"10 > snappy @1 {aggregate: "u", pipeline: [{$match: {a: 1}}, {$limit: 3}], cursor: {}, $db: "d"}
    20 < snappy @2:@1 {cursor: {firstBatch: [{a: 1}], id: long(0)}, ok: 1.0}"#,
    r#"10 > @1 query admin.$cmd {isMaster: 1, client: {}}
    20 < @2:@1 reply {ismaster: true, ok: 1.0}"#,
    r#"10 > @1 {find: "u", filter: {blob: repeat(20000)}, $db: "d"}
    20 < @2:@1 {ok: 0.0, errmsg: "no", code: 2, codeName: "BadValue"}"#,
    r#"10 > @1 {find: "a", $db: "d"} | @2 {find: "b", $db: "d"}
    20 < @3:@1 {cursor: {firstBatch: [{a: repeat(3000)}], id: long(0)}, ok: 1.0} | @4:@2 {ok: 1.0}"#,
];

const PROBE: &str = r#"910 > 9001 {find: "probe", $db: "d"}
    920 < 9002:9001 {cursor: {firstBatch: [{a: 1}], id: long(0)}, ok: 1.0}
    930 > 9003 {count: "probe", $db: "d"}
    940 < 9004:9003 {n: 7, ok: 1.0}"#;
const PROBED: [&str; 2] = ["910 920 920 rows=1 find d.probe", "930 940 940 rows=1 count d.probe"];

/// A whole exchange, so that the place can be found again.
const QUIET: &str = r#"900 > 8001 {find: "quiet", $db: "d"}
    901 < 8002:8001 {ok: 1.0}"#;

fn dialogue() -> impl Strategy<Value = Vec<Transfer>> {
    prop::collection::vec(0..EXCHANGES.len(), 1..5).prop_map(|picks| {
        let mut all = Vec::new();
        for (round, pick) in (1u64..).zip(picks) {
            let text = EXCHANGES[pick].replace('@', &round.to_string());
            for mut transfer in transfers(&text) {
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

fn requests(run: &Run) -> Vec<String> {
    run.out.finished.iter().map(|request| format!("{} {request:?}", run.request(request))).collect()
}

fn probed(run: &mut Run) -> (Vec<String>, String) {
    let shown = run.shown();
    (shown.lines().filter(|line| line.contains("probe")).map(str::to_owned).collect(), shown)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_split_gives_the_same_requests(
        dialogue in dialogue(),
        from_start: bool,
        cuts in prop::collection::vec(1usize..60, 1..20),
    ) {
        let mut whole = after(from_start, &dialogue);
        let mut pieces = after(from_start, &split(&dialogue, &cuts));
        prop_assert_eq!(whole.shown(), pieces.shown());
        prop_assert_eq!(whole.values(), pieces.values());
        prop_assert_eq!(requests(&whole), requests(&pieces));
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
        holed.extend(transfers(QUIET));
        holed.extend(transfers(PROBE));
        let mut run = after(true, &holed);
        let (probed, shown) = probed(&mut run);
        prop_assert_eq!(probed, PROBED, "{}", shown);
        prop_assert!(run.observer.in_sync());
        prop_assert_eq!(run.observer.open_requests(), 0, "{}", shown);
    }

    #[test]
    fn any_join_finds_its_place(dialogue in dialogue(), skip in any::<prop::sample::Index>(), inside in 0usize..100) {
        let mut rest = dialogue[skip.index(dialogue.len())..].to_vec();
        let inside = inside.min(rest[0].bytes.len() - 1);
        rest[0].bytes.drain(..inside);
        rest.extend(transfers(QUIET));
        rest.extend(transfers(PROBE));
        let mut run = after(false, &rest);
        let (probed, shown) = probed(&mut run);
        prop_assert_eq!(probed, PROBED, "{}", shown);
        prop_assert_eq!(run.out.counts.answers_unmatched, 0);
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

    /// A message with some bytes changed.
    #[test]
    fn damaged_messages_never_panic(
        pick in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        server: bool,
    ) {
        let text = EXCHANGES[pick.index(EXCHANGES.len())].replace('@', "1");
        let mut transfers = transfers(&text);
        for transfer in transfers.iter_mut().filter(|transfer| (transfer.side == Side::Server) == server) {
            for (at, byte) in &changes {
                let at = at.index(transfer.bytes.len());
                transfer.bytes[at] = *byte;
            }
        }
        let mut run = after(true, &transfers);
        run.shown();
        run.observer.close(crate::time::Nanos(9), &mut run.out);
    }
}

#[test]
fn memory_is_bounded() {
    use super::super::pending::PENDING;
    let mut run = Run::new(true);
    for id in 1..10_000 {
        let bytes = message(&format!(r#"{id} {{find: "u", filter: {{a: 1}}, $db: "d"}}"#));
        run.feed(&Transfer { at: 1, side: Side::Client, bytes, skipped: 0, ends: true });
    }
    let pending = u64::try_from(PENDING).unwrap();
    assert_eq!(u64::from(run.observer.open_requests()), pending);
    assert_eq!(run.out.counts.answers_unmatched, 9_999 - pending);
}
