//! redis-rs, a driver of applications in Rust: one connection that many tasks share, the blocking connection, transactions,
//! scripts, subscriptions, pushes, a cache in the driver, users with few rights, and limits of the client's own.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Instant;

use tests::dbtap::Dbtap;
use tests::drivers::{Driver, redis_rs};
use tests::redis::RedisServer;
use tests::whole::{Gaps, complete, lines, none_shows, watch, watch_in_all_forms};
use tracer::report::model::Report;

use crate::expected::{Expected, check_with};
use crate::{alone, shared};

const PROTOCOLS: [&str; 2] = ["resp2", "resp3"];

/// What the client adds to the middle one of many calls, and to one of 5 MB.
const OWN_WORK_NS: u64 = 2_000_000;
const OWN_WORK_LARGE_NS: u64 = 40_000_000;

fn client(server: &RedisServer, mode: &str, protocol: &str) -> Command {
    client_as(server, mode, protocol, "")
}

fn client_as(server: &RedisServer, mode: &str, protocol: &str, login: &str) -> Command {
    let mut command = redis_rs(mode).unwrap();
    command.env("REDIS_URL", format!("redis://{login}127.0.0.1:{}/?protocol={protocol}", server.port()));
    command
}

/// What the server counted, and CLIENT SETINFO, which the driver sends twice on each connection (its name, its version) and
/// which Redis 7.0 does not know: a subcommand that the server does not know is counted as an error only.
fn expected(server: &RedisServer, connections: i64) -> Expected {
    Expected::of_server(server).and("client", 2 * connections)
}

/// Requests of this command, whatever its keys.
fn of(report: &Report, word: &str) -> u64 {
    let name = |text: &str| text.split(' ').next() == Some(word);
    report.statements.iter().filter(|s| name(&s.text)).map(|s| s.count).sum()
}

/// Cases 35, 39 and 57: the commands of 16 tasks are one pipeline, with transactions among them.
#[test]
fn a_connection_that_tasks_share_counts_as_the_server_counts() {
    let _shared = shared();
    for protocol in PROTOCOLS {
        let server = RedisServer::start(&[]).unwrap();
        server.forget().unwrap();
        let (ended, output) = watch(&client(&server, "multiplexed", protocol)).unwrap();
        output.success().unwrap();
        println!("{protocol}: {:#?}", lines(&ended.report().unwrap()));
        // The script's own command is no request of the client.
        let expected = expected(&server, 1).and("incrby", -160);
        let report = check_with(&ended, &expected, Gaps { skipped: 1, ..Gaps::default() });
        assert_eq!((of(&report, "MULTI"), of(&report, "EXEC")), (160 + 2, 160 + 2));
        assert_eq!(report.connections.len(), 1);
    }
}

#[test]
fn the_blocking_connection_counts_as_the_server_counts() {
    let _shared = shared();
    for protocol in PROTOCOLS {
        let server = RedisServer::start(&[]).unwrap();
        server.forget().unwrap();
        let (ended, output) = watch(&client(&server, "sync", protocol)).unwrap();
        output.success().unwrap();
        let report = check_with(&ended, &expected(&server, 1), Gaps::default());
        let popped = report.statements.iter().find(|s| s.text.starts_with("BLPOP")).unwrap();
        assert!(popped.waits_by_design && popped.latency.min_ns >= 400_000_000, "{popped:?}");
    }
}

/// Case 38: a connection that only listens.
#[test]
fn messages_of_subscriptions_are_no_requests() {
    let _shared = shared();
    for protocol in PROTOCOLS {
        let server = RedisServer::start(&[]).unwrap();
        server.forget().unwrap();
        let (ended, output) = watch(&client(&server, "published", protocol)).unwrap();
        output.success().unwrap();
        let report = ended.report().unwrap();
        println!("{protocol}: {:#?} {:?}", lines(&report), report.coverage);
        let report = complete(&ended, Gaps { pushed: 200, ..Gaps::default() }).unwrap();
        assert_eq!(of(&report, "PUBLISH"), 200);
    }
}

/// Case 36: pushes between the answers of one connection.
#[test]
fn pushes_between_answers_are_no_answers() {
    let _shared = shared();
    let server = RedisServer::start(&[]).unwrap();
    server.forget().unwrap();
    let (ended, output) = watch(&client(&server, "pushed", "resp3")).unwrap();
    output.success().unwrap();
    println!("{:#?}", lines(&ended.report().unwrap()));
    let report = check_with(&ended, &expected(&server, 2), Gaps { pushed: 100, ..Gaps::default() });
    assert_eq!((of(&report, "SET"), of(&report, "GET")), (100, 100));
}

/// Case 36: invalidations of a cache in the driver.
#[test]
fn invalidations_are_no_answers() {
    let _shared = shared();
    let server = RedisServer::start(&[]).unwrap();
    server.forget().unwrap();
    let (ended, output) = watch(&client(&server, "cached", "resp3")).unwrap();
    output.success().unwrap();
    let pushed = ended.report().unwrap().coverage.pushed;
    println!("{pushed} {:#?}", lines(&ended.report().unwrap()));
    assert!((100..=200).contains(&pushed), "{pushed}");
    check_with(&ended, &expected(&server, 2), Gaps { pushed, ..Gaps::default() });
}

#[test]
fn a_user_without_rights_and_logins_that_fail_are_errors_without_secrets() {
    let _shared = shared();
    for protocol in PROTOCOLS {
        let server = RedisServer::start(&[]).unwrap();
        let rights = ["on", ">hunter2-login", "~session:*", "+@all", "-flushall"];
        server.cli(["ACL", "SETUSER", "someone"].iter().chain(&rights)).unwrap();
        server.forget().unwrap();
        let client = client_as(&server, "refused", protocol, "someone:hunter2-login@");
        let (ended, output) = watch(&client).unwrap();
        output.success().unwrap();
        println!("{protocol}: {:#?}", lines(&ended.report().unwrap()));
        check_with(&ended, &expected(&server, 1 + 3), Gaps::default());
        let reports = watch_in_all_forms(&client).unwrap();
        none_shows(&reports, &["hunter2"], "set session:?").unwrap();
    }
}

#[test]
fn values_and_arguments_are_in_no_report() {
    let _shared = shared();
    for mode in ["multiplexed", "sync", "pushed"] {
        let server = RedisServer::start(&[]).unwrap();
        let reports = watch_in_all_forms(&client(&server, mode, "resp3")).unwrap();
        none_shows(&reports, &["hunter2"], "get session:?").unwrap();
    }
}

/// Up to so many requests are on their way at any time in the mode `busy`.
const TASKS: u64 = 16;

/// Sixteen tasks, one connection, never idle. What was on its way when the capture began cannot always be told from what
/// came then: those few are counted as unmatched, and nothing after them.
#[test]
fn a_shared_connection_is_joined_in_the_middle_and_counted_exactly() {
    let _shared = shared();
    for protocol in PROTOCOLS {
        let server = RedisServer::start(&[]).unwrap();
        let mut client = Driver::start(&mut client(&server, "busy", protocol)).unwrap();
        client.hear_line("ready").unwrap();
        let dbtap = Dbtap::attach(client.pid()).unwrap().start().unwrap();
        client.say("go").unwrap();
        let counted: u64 = client.hear().unwrap().parse().unwrap();
        let ended = dbtap.interrupt().unwrap();
        let report = ended.report().unwrap();
        println!("{protocol}: {counted} {:#?} {:?}", lines(&report), report.coverage);
        let second = report.statements.iter().find(|s| s.text == "GET second:?").unwrap();
        assert_eq!(second.count, counted);
        let coverage = &report.coverage;
        let older = coverage.started_before + coverage.answers_unmatched;
        assert!(older <= 2 * TASKS, "{coverage:?}");
        assert_eq!(
            (coverage.events_lost, coverage.gaps, coverage.bytes_unreadable),
            (0, 0, 0),
            "{coverage:?}"
        );
        assert_eq!((coverage.wrong_guesses, coverage.in_flight, coverage.pushed), (0, 0, 0), "{coverage:?}");
        // Nothing is unmatched and the report complete, or both is told.
        assert_eq!(
            (coverage.complete, ended.code),
            match coverage.answers_unmatched {
                0 => (true, Some(0)),
                _ => (false, Some(3)),
            }
        );
        assert!(report.connections[0].opened_before);
    }
}

#[test]
fn latencies_are_those_that_the_client_measures() {
    let _alone = alone();
    let server = RedisServer::start(&[]).unwrap();
    let mut client = Driver::start(&mut client(&server, "timed", "resp3")).unwrap();
    client.hear_line("ready").unwrap();
    let dbtap = Dbtap::attach(client.pid()).unwrap().start().unwrap();
    client.say("go").unwrap();
    let mut measured: BTreeMap<String, Vec<u64>> = serde_json::from_str(&client.hear().unwrap()).unwrap();
    let report = complete(&dbtap.interrupt().unwrap(), Gaps::default()).unwrap();
    let find = |text: &str| report.statements.iter().find(|s| s.text.starts_with(text)).unwrap();
    // Behind a command of 0.3 s on the same connection: each has waited as long as the client says.
    let mut behind = measured.remove("GET behind:?").unwrap();
    behind.sort_unstable();
    let ours = &find("GET behind:?").latency;
    println!("behind: client {behind:?}, dbtap {ours:?}");
    assert_eq!(find("GET behind:?").count, 10);
    assert!(ours.min_ns >= 150_000_000 && ours.max_ns <= behind[9], "{ours:?}");
    assert!(ours.min_ns + OWN_WORK_NS + behind[0] / 10 >= behind[0], "{ours:?}");
    for (text, mut times) in measured {
        times.sort_unstable();
        // One more, which the last ones waited behind.
        let (own, more) = match &*text {
            "DEBUG" => (OWN_WORK_NS, 1),
            "GET large:?" => (OWN_WORK_LARGE_NS, 0),
            _ => (OWN_WORK_NS, 0),
        };
        let (min, median, max) = (times[0], times[times.len() / 2], times[times.len() - 1]);
        let statement = find(&text);
        let ours = &statement.latency;
        let what = format!(
            "{text}: client {min} {median} {max}, dbtap {} {} {}",
            ours.min_ns, ours.p50_ns, ours.max_ns
        );
        println!("{what}");
        assert_eq!(statement.count, times.len() as u64 + more, "{what}");
        // Never more than the client waited. The percentile is exact within 0.1 %.
        assert!(more > 0 || ours.min_ns <= min && ours.max_ns <= max, "{what}");
        assert!(more > 0 || ours.p50_ns <= median + median / 1_000, "{what}");
        assert!(ours.p50_ns + own + median / 10 >= median, "{what}");
        if text == "DEBUG" {
            assert!(ours.min_ns >= 300_000_000, "{what}");
        }
    }
}

/// The driver gives up after 200 ms, the answer comes after 500: it belongs to the command that it answers.
#[test]
fn an_answer_after_the_clients_own_limit_ends_its_command() {
    let _shared = shared();
    for protocol in PROTOCOLS {
        let server = RedisServer::start(&[]).unwrap();
        let mut client = Driver::start(&mut client(&server, "gives-up", protocol)).unwrap();
        client.hear_line("ready").unwrap();
        let dbtap = Dbtap::attach(client.pid()).unwrap().start().unwrap();
        let before = Instant::now();
        client.say("go").unwrap();
        client.hear_line("done").unwrap();
        let ended = dbtap.interrupt().unwrap();
        let most = u64::try_from(before.elapsed().as_nanos()).unwrap();
        let report = complete(&ended, Gaps::default()).unwrap();
        let slow = report.statements.iter().find(|s| s.text.starts_with("DEBUG")).unwrap();
        assert_eq!((slow.count, of(&report, "GET")), (1, 50), "{:#?}", lines(&report));
        assert!((500_000_000..most).contains(&slow.latency.min_ns), "{slow:?}");
    }
}
