//! Start-up, encryption, secrets, cancel requests.

use super::dialogue::{Run, check, join, same, transfers};
use crate::proto::Protocol;

fn from_start(dialogue: &str) -> Run {
    let mut run = Run::new(true);
    for transfer in transfers(dialogue) {
        run.feed(&transfer);
    }
    run
}

const QUERY: &str = "90 > Q select a\n91 < C SELECT 1 | Z I";

#[test]
fn case_17_encryption_refused() {
    for opening in [
        "1 > ssl\n2 < byte N\n3 > startup user=u\n4 < R | par | Z I",
        "1 > gss\n2 < byte N\n3 > ssl\n4 < byte N\n5 > startup user=u\n6 < R | Z I",
    ] {
        let mut run = from_start(&format!("{opening}\n{QUERY}"));
        same(&run.shown(), "90 91 91 rows=1 select a");
        assert!(!run.observer.session().tls);
        assert_eq!(run.observer.session().database.as_deref(), Some("u"));
    }
}

#[test]
fn case_17_encryption_accepted() {
    for opening in ["1 > ssl\n2 < byte S", "1 > gss\n2 < byte G"] {
        let mut run = from_start(&format!("{opening}\n3 > hex 16030100\n4 < hex 160303\n{QUERY}"));
        same(&run.shown(), "");
        assert!(run.observer.session().tls && run.observer.in_sync());
    }
}

#[test]
fn case_17_an_old_server_answers_with_an_error() {
    let mut run = from_start("1 > ssl\n2 < E 08P01\n3 > hex 00");
    same(&run.shown(), "");
    assert!(!run.observer.session().tls);
}

#[test]
fn case_18_direct_tls() {
    let run = from_start("1 > hex 160301020001000000");
    assert!(run.observer.session().tls);
}

#[test]
fn case_19_start_up() {
    let mut run = from_start(&format!(
        "1 > startup user=alice database=shop application_name=x
         2 < v | SASL
         3 > p SCRAM-SHA-256-first-hunter2
         4 < SASL
         5 > p final-hunter2
         6 < R | par | par | K 4711 abcdefghijklmnopqrstuvwxyz | Z I
         {QUERY}"
    ));
    let debug = format!("{:?}", run.observer);
    assert!(!debug.contains("hunter2") && !debug.contains("abcdefgh"), "{debug}");
    same(&run.shown(), "90 91 91 rows=1 select a");
    let session = run.observer.session();
    assert_eq!((session.user.as_deref(), session.database.as_deref()), (Some("alice"), Some("shop")));
    assert_eq!(session.backend_key.unwrap().process_id, 4711);
    let cancel = from_start("1 > cancel 4711 abcdefghijklmnopqrstuvwxyz");
    assert_eq!(cancel.out.cancels, [session.backend_key.unwrap()]);
}

#[test]
fn case_19_no_secret_stays_at_any_point() {
    let dialogue = "1 > startup user=alice\n2 < SASL\n3 > p hunter2hunter2\n6 < R | Z I";
    let mut run = Run::new(true);
    for transfer in transfers(dialogue) {
        for (at, byte) in transfer.bytes.iter().enumerate() {
            let ends = at + 1 == transfer.bytes.len();
            run.feed(&super::dialogue::Transfer { bytes: vec![*byte], ends, ..transfer.clone() });
            let debug = format!("{:?}", run.observer);
            // Neither as text nor as a list of numbers ("hu" is 104, 117).
            assert!(!debug.contains("hunter2") && !debug.contains("104, 117"), "{debug}");
        }
    }
    assert!(run.observer.in_sync());
}

#[test]
fn case_19_session_refused() {
    let mut run = from_start(&format!("1 > startup user=u\n2 < FATAL 28P01\n{QUERY}"));
    run.observer.close(crate::time::Nanos(9), &mut run.out);
    same(&run.shown(), "");
    assert_eq!(run.observer.session().login_error.unwrap().as_str(), "28P01");
    assert_eq!(run.out.counts.logins_refused, 1);
    // Behind a password, and as an error of a running session.
    let run = from_start("1 > startup user=u\n2 < SASL\n3 > p hunter2\n4 < FATAL 53300");
    assert_eq!(run.observer.session().login_error.unwrap().as_str(), "53300");
    let run = from_start(&format!("1 > startup user=u\n2 < R | Z I\n{QUERY}\n95 < FATAL 57P01"));
    assert_eq!((run.observer.session().login_error, run.out.counts.logins_refused), (None, 0));
}

#[test]
fn case_22_replication_start_up() {
    assert!(from_start("1 > startup user=u replication=database").observer.session().streaming);
    assert!(!from_start("1 > startup user=u replication=off").observer.session().streaming);
}

#[test]
fn case_22_a_base_backup_is_one_request_and_its_data_no_loss() {
    let mut run = from_start(
        "1 > startup user=u replication=true
         2 < R | Z I
         10 > Q BASE_BACKUP
         20 < T | D | C SELECT | T | D | C SELECT | H | d 100
         21 < d 10 | ...5000
         22 < ...9000
         30 < hex 0102030405",
    );
    same(&run.shown(), "10 20 20 rows=0 BASE_BACKUP");
    assert!(run.observer.in_sync());
}

#[test]
fn start_up_in_one_go_and_answers_before_it() {
    check("", "");
    let mut run = from_start("1 < R | Z I\n2 > startup user=u | Q select a\n3 < C SELECT 1 | Z I");
    same(&run.shown(), "2 3 3 rows=1 select a");
}

#[test]
fn not_a_start_up_packet() {
    let mut run = from_start(QUERY);
    same(&run.shown(), "90 91 91 rows=1 select a");
    let run = from_start("1 > hex 00000001ffffffff\n2 > hex 0102");
    assert!(!run.observer.in_sync());
}

#[test]
fn joined_is_not_in_sync_before_it_knows() {
    assert!(!join("").observer.in_sync());
    assert!(join("1 > Q select a").observer.in_sync());
}
