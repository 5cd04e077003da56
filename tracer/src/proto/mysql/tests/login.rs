//! The login, TLS, and the compressed protocol.

use super::dialogue::{Run, Transfer, join, run, same, transfers};
use crate::proto::Protocol as _;
use std::io::Write as _;

#[test]
fn user_and_database() {
    let session = run("").observer.exchange.session;
    assert_eq!((session.user.as_deref(), session.database.as_deref()), (Some("u"), Some("d")));
    assert_eq!(session.backend_key.unwrap().process_id, 7);
}

#[test]
fn authentication_takes_as_long_as_it_takes() {
    let mut all = Run::new(true);
    all.feed_all(
        "0 < greet 7
         1 > login u - 1000000
         2 < hex fe 61 00 62
         3 > hex 0102
         4 < hex 01 03
         5 > hex 736563726574
         6 < ok
         10 > Q select 1
         20 < cols 1 | row 1 | okeof",
    );
    same(&all.shown(), "10 20 20 rows=1 select ?");
    assert_eq!(all.observer.exchange.session.database, None);
}

/// MariaDB's dialog plug-in, for PAM: questions begin with their own byte.
#[test]
fn authentication_may_be_a_dialogue() {
    let mut all = Run::new(true);
    all.feed_all(
        "0 < greet 7
         1 > login u - 1000000
         2 < hex fe 6469616c6f67 00
         3 > data
         4 < hex 04 50617373776f72643a20
         5 > data secret
         6 < hex 02 436f64653a20
         7 > data 123456
         8 < ok
         10 > Q select 1
         20 < cols 1 | row 1 | okeof",
    );
    same(&all.shown(), "10 20 20 rows=1 select ?");
}

#[test]
fn a_refused_login_is_no_request() {
    for (dialogue, code) in [
        ("0 < seq 0 | hex ff 10 04 546f6f", "1040"),
        ("0 < greet 7\n1 > login u\n2 < err 1045 28000", "1045/28000"),
        ("0 < greet 7\n1 > login u\n2 < hex fe 61 00 62\n3 > hex 0102\n4 < err 1698 28000", "1698/28000"),
    ] {
        let mut all = Run::new(true);
        all.feed_all(dialogue);
        same(&all.shown(), "");
        assert_eq!(all.observer.session().login_error.unwrap().as_str(), code);
        assert_eq!(all.out.counts.logins_refused, 1);
    }
    // COM_CHANGE_USER is a request, and has its error.
    assert_eq!(run("10 > cmd 11 7500\n20 < err 1045 28000").out.counts.logins_refused, 0);
}

#[test]
fn tls_is_opaque() {
    let mut all = Run::new(true);
    all.feed_all("0 < greet 7\n1 > ssl\n2 > hex 160301\n3 < hex 160303");
    same(&all.shown(), "");
    assert!(all.observer.session().tls);
    assert!(all.observer.in_sync());
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

type Pack = fn(&[u8]) -> Vec<u8>;

/// A transfer as one compressed packet.
fn packed(transfer: &Transfer, sequence: u8, pack: Option<Pack>) -> Transfer {
    let plain = u32::try_from(transfer.bytes.len()).unwrap();
    let (body, plain) = match pack {
        Some(pack) if plain >= 50 => (pack(&transfer.bytes), plain),
        _ => (transfer.bytes.clone(), 0),
    };
    let len = u32::try_from(body.len()).unwrap().to_le_bytes();
    let bytes = [&len[..3], &[sequence], &plain.to_le_bytes()[..3], &body].concat();
    Transfer { bytes, ..transfer.clone() }
}

const QUERIES: &str = "10 > Q select a from t where b = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'
                       20 < cols 2 | row xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx | row y | okeof
                       30 > ping
                       40 < ok";
const ANSWERED: &str = "10 20 20 rows=2 select a from t where b = ?
                        30 40 40 rows=0 (ping)";

/// Case 32.
#[test]
fn case_32_compressed_packets() {
    for pack in [None, Some(zlib as Pack), Some(zstd)] {
        for from_start in [true, false] {
            for cut in [1, 3, 1000] {
                let mut all = Run::new(from_start);
                if from_start {
                    all.feed_all("0 < greet 7 4000020\n0 > login u d 5000020\n0 < ok");
                }
                for (n, transfer) in transfers(QUERIES).iter().enumerate() {
                    let packed = packed(transfer, u8::try_from(n % 2).unwrap(), pack);
                    let chunks: Vec<_> = packed.bytes.chunks(cut).collect();
                    for (index, bytes) in chunks.iter().enumerate() {
                        let ends = index + 1 == chunks.len();
                        all.feed(&Transfer { bytes: bytes.to_vec(), ends, ..packed.clone() });
                    }
                }
                same(&all.shown(), ANSWERED);
            }
        }
    }
}

#[test]
fn case_32_a_hole_in_compressed_packets() {
    let mut all = Run::new(true);
    all.feed_all("0 < greet 7 20\n0 > login u d 1000020\n0 < ok");
    let mut answer_bytes = 0;
    for (n, transfer) in transfers(QUERIES).iter().enumerate() {
        let mut packed = packed(transfer, u8::try_from(n % 2).unwrap(), Some(zlib));
        if n == 1 {
            packed.skipped = packed.bytes.len() as u64 - 20 + 1000;
            packed.bytes.truncate(20);
            answer_bytes = 20 + packed.skipped;
        }
        all.feed(&packed);
    }
    same(
        &all.shown(),
        "10 20 20 rows=0 select a from t where b = ?
         30 40 40 rows=0 (ping)",
    );
    assert_eq!(all.out.finished[0].answer_bytes, answer_bytes);
}

#[test]
fn case_32_broken_compression_is_a_hole() {
    let mut all = join("");
    let mut answer_bytes = 0;
    for (n, transfer) in transfers(QUERIES).iter().enumerate() {
        let mut packed = packed(transfer, u8::try_from(n % 2).unwrap(), Some(zlib));
        if n == 1 {
            packed.bytes[20..40].fill(0xff);
            answer_bytes = packed.bytes.len() as u64;
        }
        all.feed(&packed);
    }
    assert!(all.shown().ends_with("30 40 40 rows=0 (ping)"), "{}", all.shown());
    assert_eq!(all.out.finished[0].answer_bytes, answer_bytes);
}
