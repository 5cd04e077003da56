//! Reports for tests, made the way real ones are made: requests go through the aggregator.

mod why_slow;

use crate::agg::{Aggregator, Limits};
use crate::event::Address;
use crate::report::model::*;
use crate::request::{ErrorCode, Request, Task};
use crate::sql::Texts;
use crate::time::Nanos;

pub(crate) const US: u64 = 1_000;
pub(crate) const MS: u64 = 1_000_000;
pub(crate) const S: u64 = 1_000_000_000;

/// One finished request that took so long.
pub(crate) fn request(latency_ns: u64, error: Option<&[u8]>) -> Request {
    Request {
        text: Texts::OTHER,
        started_at: Nanos(S),
        first_byte_at: Nanos(S + latency_ns / 2),
        ended_at: Nanos(S) + Nanos(latency_ns),
        task: Task { pid: 4242, tid: 4243 },
        rows: 1,
        request_bytes: 60,
        answer_bytes: 200,
        error: error.map(ErrorCode::new),
        transaction: None,
        cancelled: false,
        load: None,
        values: crate::request::ValueRange::default(),
    }
}

/// Finished requests of one statement: text, database, peer, and (latency, error) of each.
type Traffic<'a> = (&'a str, Option<&'a str>, &'a str, Vec<(u64, Option<&'static [u8]>)>);

/// A report of this traffic, everything else as in an ordinary capture of 30 s.
pub(crate) fn report(traffic: &[Traffic<'_>]) -> Report {
    let mut texts = Texts::new(1_000);
    let mut aggregator = Aggregator::new(Limits::default(), Some(Nanos(S)));
    for (sql, database, peer, requests) in traffic {
        let text = texts.intern_sql(sql.as_bytes(), false);
        let peer = match peer.parse() {
            Ok(inet) => Address::Inet(inet),
            Err(_) => Address::Unix(peer.as_bytes().to_vec()),
        };
        let group = aggregator.group(text, "postgresql", *database, &peer);
        for (latency_ns, error) in requests {
            aggregator.record(group, &request(*latency_ns, *error));
        }
    }
    let mut statements = aggregator.statements(&texts);
    // Outputs must be safe without the normaliser's help, and their golden files not depend on its rules.
    for (sql, ..) in traffic {
        let text = texts.intern_sql(sql.as_bytes(), false);
        let normalised = &texts.get(text).text;
        for statement in statements.iter_mut().filter(|s| s.text == *normalised) {
            statement.text = (*sql).to_owned();
        }
    }
    let requests = statements.iter().map(|s| s.count).sum();
    Report {
        schema: SCHEMA.into(),
        tool: Tool { version: "0.1.0".into() },
        host: Host { hostname: "pay-3".into(), kernel: "6.18.0".into(), arch: "x86_64".into() },
        targets: vec![target(4242, "payments")],
        capture: Capture {
            started_at: "2026-11-23T02:00:00Z".into(),
            ended_at: "2026-11-23T02:00:30Z".into(),
            duration_ns: 30 * S,
            ended_by: EndedBy::Duration,
            backend: "socket".into(),
            capture_bytes: 4_096,
            show_values: false,
        },
        coverage: Coverage {
            events: 4 * requests,
            bytes_seen: 260 * requests,
            bytes_captured: 260 * requests,
            requests,
            connections: 1,
            complete: true,
            ..Coverage::default()
        },
        cost: Cost {
            probe_runs: 48_210,
            probe_ns: 21_500_000,
            dbtap_cpu_ns: 240 * MS,
            dbtap_rss_bytes: 22 << 20,
        },
        connections: vec![connection("1f")],
        statements,
        ..Report::default()
    }
}

pub(crate) fn target(pid: u32, comm: &str) -> Target {
    Target {
        pid,
        comm: comm.into(),
        exe: format!("/usr/local/bin/{comm}"),
        started_at: "2026-11-20T08:00:00Z".into(),
        ended: None,
    }
}

pub(crate) fn connection(id: &str) -> Connection {
    Connection {
        id: format!("{id:0>16}"),
        protocol: Some("postgresql".into()),
        role: Some(Role::Client),
        local: "10.0.0.1:40112".into(),
        peer: "10.0.0.5:5432".into(),
        user: Some("pay".into()),
        database: Some("payments".into()),
        opened_before: true,
        requests: 1_000,
        bytes: Some(260_000),
        ..Connection::default()
    }
}

/// `n` values around `middle_ns`, spread like latencies are: half of them below, a tail above.
fn hump(n: u64, middle_ns: u64) -> Vec<(u64, Option<&'static [u8]>)> {
    (0..n).map(|i| (middle_ns / 100 * (80 + (i * i * 70) / (n * n)) + i, None)).collect()
}

/// The night at 02:00: 23 % of a statement's requests take 30 s, the rest 2 ms.
pub(crate) fn two_humps() -> Report {
    let mut slow = hump(770, 2 * MS);
    slow.extend(hump(230, 30 * S));
    report(&[
        (
            "SELECT amount, currency, state FROM payments WHERE user_id = $1",
            Some("payments"),
            "10.0.0.5:5432",
            slow,
        ),
        (
            "UPDATE accounts SET balance = balance - $1 WHERE id = $2",
            Some("payments"),
            "10.0.0.5:5432",
            hump(1_000, 6 * MS),
        ),
        ("BEGIN", Some("payments"), "10.0.0.5:5432", hump(12_345, 90 * US)),
        ("COMMIT", Some("payments"), "10.0.0.5:5432", vec![(12 * MS, None); 3]),
    ])
}

/// Errors by code, few samples, a long text, several peers.
pub(crate) fn errors() -> Report {
    let long = format!(
        "SELECT {} FROM ledger_entries WHERE account_id = ANY ($1) ORDER BY created_at DESC LIMIT $2",
        (1..40).map(|i| format!("column_{i}")).collect::<Vec<_>>().join(", ")
    );
    let mut timeouts = hump(400, 200 * MS);
    timeouts.extend(vec![(15 * S, Some(b"57014" as &[u8])); 12]);
    let mut inserts = hump(5_000, MS);
    for (i, code) in
        [b"23505" as &[u8], b"23505", b"40001", b"40P01", b"53300", b"XX999", b"closed", b"99999"]
            .iter()
            .enumerate()
    {
        inserts[i].1 = Some(code);
    }
    report(&[
        (&long, Some("ledger"), "[2001:db8::15]:5432", timeouts),
        ("INSERT INTO payments VALUES (...)", None, "/run/postgresql/.s.PGSQL.5432", inserts),
        ("SELECT pg_sleep($1)", Some("postgres"), "127.0.0.1:5432", vec![(3 * S, None)]),
    ])
}

/// Requests that hang.
pub(crate) fn in_flight() -> Report {
    let mut report = report(&[
        ("SELECT 1", Some("payments"), "10.0.0.5:5432", hump(150, MS)),
        ("LOCK TABLE accounts IN EXCLUSIVE MODE", Some("payments"), "10.0.0.5:5432", vec![]),
    ]);
    let id = report.statements[1].id.clone();
    let hanging = |age_ns, connection: &str| InFlight {
        statement: id.clone(),
        connection: format!("{connection:0>16}"),
        thread: 4243,
        age_ns,
    };
    report.in_flight = vec![hanging(4 * S, "20"), hanging(29_900 * MS, "1f")];
    report.in_flight.extend((1..=10).map(|i| hanging(i * MS, "21")));
    report.connections.push(connection("20"));
    report.coverage.in_flight = 12;
    report
}

/// A process with two databases; a worker that waits for jobs (case 37).
pub(crate) fn several() -> Report {
    let mut report = report(&[
        ("SELECT state FROM jobs WHERE id = $1", Some("jobs"), "10.0.0.5:5432", hump(300, 2 * MS)),
        ("GET session:?", None, "10.0.0.7:6379", hump(4_000, 200 * US)),
        ("BLPOP jobs:? ?", None, "10.0.0.7:6379", vec![(4 * S, None); 6]),
    ]);
    for statement in report.statements.iter_mut().filter(|s| s.peer.ends_with(":6379")) {
        statement.protocol = "redis".into();
        statement.waits_by_design = statement.text.starts_with("BLPOP");
    }
    let waiting = report.statements.iter().find(|s| s.waits_by_design).map(|s| s.id.clone());
    report.connections.push(Connection {
        protocol: Some("redis".into()),
        peer: "10.0.0.7:6379".into(),
        user: None,
        database: None,
        ..connection("20")
    });
    report.in_flight = vec![InFlight {
        statement: waiting.unwrap_or_default(),
        connection: format!("{:0>16}", "20"),
        thread: 4244,
        age_ns: 3 * S,
    }];
    report.coverage.connections = 2;
    report.coverage.in_flight = 1;
    report.coverage.pushed = 17;
    report
}

/// Everything that can be missing is.
pub(crate) fn incomplete() -> Report {
    let mut report = two_humps();
    report.capture.ended_by = EndedBy::TargetExit;
    report.targets = (0..15).map(|i| target(4242 + i, "payments")).collect();
    report.targets[0].ended =
        Some(Ended { at: "2026-11-23T02:00:21Z".into(), reason: "killed by signal 9".into() });
    report.coverage = Coverage {
        events_lost: 1_204,
        gaps: 3,
        answers_unmatched: 1,
        started_before: 5,
        requests_presumed: 240,
        statements_unnamed: 17,
        connections: 6,
        connections_undecoded: 2,
        connections_tls_opaque: 1,
        skipped: 4,
        complete: false,
        ..report.coverage
    };
    let other = Connection {
        protocol: None,
        role: None,
        requests: 0,
        user: None,
        database: None,
        ..connection("30")
    };
    report.connections.push(Connection { tls: true, ..other.clone() });
    report.connections.push(Connection { peer: "10.0.0.9:9092".into(), ..other });
    report
}

/// No database request at all.
pub(crate) fn no_traffic() -> Report {
    let mut report = report(&[]);
    let seen = Connection {
        protocol: None,
        role: None,
        requests: 0,
        user: None,
        database: None,
        ..connection("30")
    };
    report.connections = vec![
        Connection { peer: "10.0.0.9:9092".into(), ..seen.clone() },
        Connection { bytes: Some(0), ..seen.clone() },
        Connection { tls: true, peer: "[2001:db8::15]:443".into(), ..seen.clone() },
        Connection {
            protocol: Some("postgresql".into()),
            peer: "/run/postgresql/.s.PGSQL.5432".into(),
            ..seen
        },
    ];
    report.logins_refused = [("28P01", Some("pay"), 37), ("53300", None, 2)]
        .map(|(code, user, count)| LoginsRefused {
            protocol: "postgresql".into(),
            peer: "10.0.0.5:5432".into(),
            user: user.map(str::to_owned),
            code: code.into(),
            count,
        })
        .into();
    report.coverage = Coverage {
        connections: 4,
        bytes_seen: 1_040_000,
        bytes_captured: 16_384,
        complete: true,
        ..Coverage::default()
    };
    report
}

/// Text that wants to rule the terminal, and text that is wide (case 79).
pub(crate) fn hostile() -> Report {
    let wide = "SELECT 名前, 金額 FROM 支払い WHERE 利用者番号 = $1 AND 状態 = $2 AND 通貨 = $3 ORDER BY 作成日時 DESC, 名前 ASC LIMIT $4";
    let bad =
        "SELECT \x1b[2J\x1b]0;owned\x07 \0 \u{202e}live\u{2066} \u{200b}x\u{feff} \u{9b}31m\r\nDROP\tTABLE t";
    let mut report = report(&[
        (bad, Some("evil\x1b[31mdb\n"), "\0abstract\x1b[7m", hump(200, 3 * MS)),
        (wide, Some("支払い"), "10.0.0.5:5432", hump(200, 2 * MS)),
        (&"x".repeat(1_000), None, "/tmp/\u{202e}kcos", hump(10, MS)),
        (&"e\u{301}".repeat(300), None, "", hump(10, MS)),
    ]);
    report.targets = vec![target(1, "pay\x1b[5m\nload")];
    report.connections[0].user = Some("\x1b[0mroot".into());
    report.logins_refused = vec![LoginsRefused {
        user: Some("ro\x1b]0;ot".into()),
        code: "28000".into(),
        count: 1,
        ..LoginsRefused::default()
    }];
    report.in_flight = vec![InFlight {
        statement: report.statements[0].id.clone(),
        connection: report.connections[0].id.clone(),
        thread: 1,
        age_ns: S,
    }];
    report
}

/// All of them by name.
pub(crate) fn all() -> Vec<(&'static str, Report)> {
    vec![
        ("two_humps", two_humps()),
        ("errors", errors()),
        ("in_flight", in_flight()),
        ("several", several()),
        ("incomplete", incomplete()),
        ("no_traffic", no_traffic()),
        ("hostile", hostile()),
        ("why_slow", why_slow::explained()),
        ("why_slow_nothing", why_slow::unexplained()),
        ("why_slow_values", why_slow::values_shown()),
    ]
}
