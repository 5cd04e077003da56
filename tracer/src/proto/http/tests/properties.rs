//! What must hold for any stream.

use super::{CLICKHOUSE, ELASTICSEARCH};
use crate::proto::text_dialogue::{Run, Transfer, split, transfers};
use crate::proto::{Entry, Side};
use proptest::prelude::*;

/// Exchanges that end quiet.
const EXCHANGES: [&str; 6] = [
    "10 > GET /i/_search?q=1 HTTP/1.1~Host: x~Authorization: Basic abc~~\n20 < HTTP/1.1 200 OK~Content-Length: 300~~{300}",
    "10 > POST /_bulk HTTP/1.1~Content-Length: 300~~{300}\n20 < HTTP/1.1 200 OK~Transfer-Encoding: chunked~~a~{10}~0~~",
    "10 > PUT /i/_doc/7 HTTP/1.1~Transfer-Encoding: chunked~~5~ddddd~0~X: y~~\n20 < HTTP/1.1 201 Created~content-length: 0~~",
    "10 > HEAD /i HTTP/1.1~~\n20 < HTTP/1.1 404 No~Content-Length: 50~~",
    "10 > GET /a HTTP/1.1~~GET /b HTTP/1.1~~\n20 < HTTP/1.1 204 No~~HTTP/1.1 200 OK~Content-Length: 2~~xx",
    "10 > POST /?database=d HTTP/1.1~Content-Length: 9~Expect: 100-continue~~\n20 < HTTP/1.1 100 Continue~~\n30 > select 42\n40 < HTTP/1.1 200 OK~X-ClickHouse-Summary: {\"result_rows\":\"7\"}~Content-Length: 0~~",
];

const PROBE: &str = "8000 > GET /quiet HTTP/1.1~~\n8001 < HTTP/1.1 200 OK~Content-Length: 0~~
    8002 > GET /quiet HTTP/1.1~~\n8003 < HTTP/1.1 200 OK~Content-Length: 0~~
    9000 > GET /probe HTTP/1.1~~\n9001 < HTTP/1.1 200 OK~Content-Length: 0~~";
const PROBED: [&str; 1] = ["9000 9001 9001 23/38 rows=0 GET /probe"];

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

fn after(entry: &Entry, from_start: bool, chunks: &[Transfer]) -> Run {
    let mut run = Run::new((entry.start)(from_start));
    for chunk in chunks {
        run.feed(chunk);
    }
    run
}

fn requests(run: &Run) -> Vec<String> {
    run.out.finished.iter().map(|request| format!("{} {request:?}", run.request(request))).collect()
}

fn probed(shown: &str) -> Vec<&str> {
    shown.lines().filter(|line| line.contains("probe")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_split_gives_the_same_requests(
        dialogue in dialogue(),
        cuts in prop::collection::vec(1usize..40, 1..20),
        clickhouse: bool,
    ) {
        let entry = if clickhouse { CLICKHOUSE } else { ELASTICSEARCH };
        let mut whole = after(&entry, true, &dialogue);
        let mut pieces = after(&entry, true, &split(&dialogue, &cuts));
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
        holed.extend(transfers(PROBE));
        let shown = after(&ELASTICSEARCH, true, &holed).shown();
        prop_assert_eq!(probed(&shown), PROBED, "{}", shown);
    }

    #[test]
    fn any_join_finds_its_place(dialogue in dialogue(), skip in any::<prop::sample::Index>(), inside in 0usize..100) {
        let mut rest = dialogue[skip.index(dialogue.len())..].to_vec();
        let inside = inside.min(rest[0].bytes.len() - 1);
        rest[0].bytes.drain(..inside);
        rest.extend(transfers(PROBE));
        let shown = after(&ELASTICSEARCH, false, &rest).shown();
        prop_assert_eq!(probed(&shown), PROBED, "{}", shown);
    }

    #[test]
    fn garbage_never_panics(
        from_start: bool,
        chunks in prop::collection::vec((any::<bool>(), any::<prop::sample::Index>(), prop::collection::vec(any::<u8>(), 0..60), 0u64..50, any::<bool>()), 0..80),
    ) {
        const PARTS: [&str; 10] = [
            "GET / HTTP/1.1~~", "HTTP/1.1 200 OK~", "Content-Length: 5~~", "Transfer-Encoding: chunked~~", "5~", "0~~",
            "HTTP/1.1 101 x~~", "POST /?query=a HTTP/1.1~", "~", "",
        ];
        let mut run = Run::new((CLICKHOUSE.start)(from_start));
        for (client, pick, garbage, skipped, ends) in chunks {
            let side = if client { Side::Client } else { Side::Server };
            let mut bytes = crate::proto::text_dialogue::bytes(PARTS[pick.index(PARTS.len())]);
            if bytes.is_empty() {
                bytes = garbage;
            }
            run.feed(&Transfer { at: 1, side, bytes, skipped: skipped.saturating_sub(45), ends });
        }
        run.shown();
        run.observer.close(crate::time::Nanos(9), &mut run.out);
        prop_assert_eq!(run.observer.open_requests(), 0);
    }
}

#[test]
fn memory_is_bounded() {
    use super::super::exchange::PENDING;
    let mut run = after(&ELASTICSEARCH, true, &[]);
    for transfer in transfers("1 > GET /a HTTP/1.1~~").iter().cycle().take(2 * PENDING + 10) {
        run.feed(transfer);
    }
    assert!(run.observer.open_requests() as usize <= PENDING);
    assert!(run.out.counts.resyncs > 0);
    // A head without end.
    let mut run = after(&ELASTICSEARCH, true, &transfers("1 > GET /a HTTP/1.1~ cut"));
    for transfer in transfers("1 > X-A: {1000}~ cut").iter().cycle().take(2000) {
        run.feed(transfer);
    }
    assert!(run.out.counts.resyncs > 0);
}
