//! Puts a report together from what each part of a capture knows.

use std::collections::{HashMap, HashSet};

use super::names::CaptureNames;
use super::targets::{Targets, Traced};
use crate::{
    config::AttachConfig,
    conn::{Connection, State},
    event::Address,
    host::{
        clock::Clock,
        self_usage::SelfUsage,
        socket::{OpenSocket, State as SocketState},
    },
    pipeline::{Pipeline, Unanswered},
    proto::Side,
    report::{
        address,
        model::{self, EndedBy, Report},
    },
    source::{Losses, Source, bpf::Kernel},
    time::Nanos,
    why::examine::{Known, Waiting, examine},
};

/// Connections listed in a report; the others are in the totals only.
const MOST_CONNECTIONS: usize = 10_000;
/// Requests in flight listed in a report, the oldest ones.
const MOST_IN_FLIGHT: usize = 10_000;

/// Ways in which logins failed that are listed in a report, the most frequent ones.
const MOST_LOGINS: usize = 1_000;

pub(super) struct Parts<'a> {
    pub config: &'a AttachConfig,
    pub pipeline: &'a mut Pipeline,
    pub targets: &'a Targets,
    pub kernel: &'a mut Kernel,
    /// Sockets that the targets had at the beginning.
    pub idle: &'a [OpenSocket],
    pub ended_by: EndedBy,
    pub clock: &'a Clock,
    pub began: Nanos,
    pub ended: Nanos,
}

pub(super) fn report(parts: Parts<'_>) -> Report {
    let losses = parts.kernel.losses();
    parts.pipeline.capture_ends(parts.ended);
    let unanswered = parts.pipeline.in_flight(parts.ended);
    let in_flight = unanswered
        .iter()
        .take(MOST_IN_FLIGHT)
        .map(|unanswered| model::InFlight {
            statement: format!(
                "{:016x}",
                parts.pipeline.aggregator().statement_id(unanswered.group, parts.pipeline.texts())
            ),
            connection: unanswered.connection.to_string(),
            thread: unanswered.request.task.tid,
            age_ns: (parts.ended - unanswered.request.started_at).0,
        })
        .collect();
    let coverage = coverage(&parts, &losses, u64::try_from(unanswered.len()).unwrap_or(u64::MAX));
    let (findings, slow) = why(&parts, &coverage, &unanswered);
    let (probe_runs, probe_ns) = parts.kernel.cost.estimate();
    let usage = SelfUsage::read();
    let host = rustix::system::uname();
    Report {
        schema: model::SCHEMA.to_owned(),
        tool: model::Tool { version: env!("CARGO_PKG_VERSION").to_owned() },
        host: model::Host {
            hostname: host.nodename().to_string_lossy().into_owned(),
            kernel: host.release().to_string_lossy().into_owned(),
            arch: host.machine().to_string_lossy().into_owned(),
        },
        targets: parts.targets.all().into_iter().map(|traced| target(traced, parts.clock)).collect(),
        capture: model::Capture {
            started_at: parts.clock.rfc3339(parts.began),
            ended_at: parts.clock.rfc3339(parts.ended),
            duration_ns: (parts.ended - parts.began).0,
            ended_by: parts.ended_by,
            backend: parts.kernel.backend().name().to_owned(),
            capture_bytes: u64::from(parts.config.capture_bytes),
            show_values: parts.config.show_values,
        },
        coverage,
        cost: model::Cost {
            probe_runs,
            probe_ns,
            dbtap_cpu_ns: usage.cpu_ns,
            dbtap_rss_bytes: usage.peak_rss_bytes,
        },
        connections: connections(&parts),
        logins_refused: logins_refused(&parts),
        statements: parts.pipeline.aggregator().statements(parts.pipeline.texts()),
        in_flight,
        syscalls: Vec::new(),
        findings,
        slow,
    }
}

/// What sets slow requests apart.
fn why(
    parts: &Parts<'_>,
    coverage: &model::Coverage,
    unanswered: &[Unanswered],
) -> (Vec<model::Finding>, Vec<model::Slow>) {
    let Some(sampler) = parts.pipeline.sampler() else { return (Vec::new(), Vec::new()) };
    let waiting: Vec<Waiting<'_>> = unanswered
        .iter()
        .map(|unanswered| Waiting {
            text: unanswered.request.text,
            facts: &unanswered.facts,
            values: &unanswered.request.values,
            tag: unanswered.tag,
        })
        .collect();
    let known = Known {
        aggregator: parts.pipeline.aggregator(),
        sampler,
        texts: parts.pipeline.texts(),
        waiting: &waiting,
        given: parts.config.slow.map(super::nanos),
        encrypted: coverage.connections_tls_opaque,
        lost: coverage.answers_unmatched,
    };
    examine(&known, &|text| {
        Box::new(CaptureNames {
            pipeline: &*parts.pipeline,
            clock: parts.clock,
            show_values: parts.config.show_values,
            text,
        })
    })
}

fn coverage(parts: &Parts<'_>, losses: &Losses, in_flight: u64) -> model::Coverage {
    let (totals, connections) = parts.pipeline.totals();
    let (events, damaged) = parts.pipeline.events();
    let events_lost = losses.records + losses.targets_refused + losses.sockets_refused + damaged;
    let mut undecoded = 0;
    let mut tls = 0;
    for connection in parts.pipeline.connections() {
        match connection.session() {
            Some(session) if session.tls => tls += 1,
            Some(_) => {}
            None if connection.is_tls() => tls += 1,
            None => undecoded += 1,
        }
    }
    let counts = totals.protocol;
    let complete = events_lost == 0
        && totals.gaps == 0
        && counts.answers_unmatched == 0
        && counts.resyncs == 0
        && totals.wrong_guesses == 0
        && losses.calls_unseen == 0
        && !matches!(parts.ended_by, EndedBy::TargetExit | EndedBy::Guard);
    model::Coverage {
        events,
        events_lost,
        bytes_seen: totals.bytes_seen,
        bytes_captured: totals.bytes_captured,
        bytes_unreadable: totals.bytes_unreadable,
        gaps: totals.gaps,
        requests: totals.requests,
        answers_unmatched: counts.answers_unmatched,
        started_before: counts.started_before,
        in_flight,
        requests_presumed: counts.presumed,
        statements_unnamed: counts.statements_unnamed,
        connections,
        connections_undecoded: undecoded,
        connections_tls_opaque: tls,
        skipped: counts.skipped,
        pushed: counts.pushed,
        wrong_guesses: totals.wrong_guesses,
        calls_unseen: losses.calls_unseen,
        complete,
    }
}

fn target(traced: &Traced, clock: &Clock) -> model::Target {
    let process = &traced.process;
    let exe = process.exe.as_ref().map_or_else(String::new, |exe| exe.path.to_string_lossy().into_owned());
    model::Target {
        pid: process.pid,
        comm: process.comm.clone(),
        exe,
        started_at: clock.process_start(process.start_time_ticks),
        ended: traced.ended_at.map(|at| model::Ended {
            at: if at.0 == 0 { String::new() } else { clock.rfc3339(at) },
            reason: "exited".to_owned(),
        }),
    }
}

/// Connections with traffic by number, then those that the targets held open without any.
fn connections(parts: &Parts<'_>) -> Vec<model::Connection> {
    let mut with_traffic: Vec<&Connection> = parts.pipeline.connections().collect();
    with_traffic.sort_unstable_by_key(|connection| connection.id);
    let seen: HashSet<u64> = with_traffic
        .iter()
        .filter_map(|connection| connection.facts.as_ref())
        .map(|facts| facts.inode)
        .collect();
    let mut listed: Vec<model::Connection> =
        with_traffic.into_iter().take(MOST_CONNECTIONS).map(with_bytes).collect();
    let idle = parts.idle.iter().filter(|socket| {
        socket.state == SocketState::Established
            && !seen.contains(&socket.facts.inode)
            && !is_socket_pair(&socket.facts.peer)
    });
    for socket in idle.take(MOST_CONNECTIONS - listed.len()) {
        listed.push(model::Connection {
            id: format!("idle-{}", socket.facts.inode),
            local: address::text(&socket.facts.local),
            peer: address::text(&socket.facts.peer),
            opened_before: true,
            bytes: Some(0),
            ..model::Connection::default()
        });
    }
    listed
}

/// Sessions that servers refused, alike ones together.
fn logins_refused(parts: &Parts<'_>) -> Vec<model::LoginsRefused> {
    let mut counts: HashMap<(&str, String, Option<&str>, &str), u64> = HashMap::new();
    for connection in parts.pipeline.connections() {
        let Some(session) = connection.session() else { continue };
        let Some(code) = &session.login_error else { continue };
        let peer = connection.server_address().map_or_else(String::new, address::text);
        let alike = (connection.protocol().unwrap_or_default(), peer, session.user.as_deref(), code.as_str());
        *counts.entry(alike).or_default() += 1;
    }
    let mut refused: Vec<model::LoginsRefused> = counts
        .into_iter()
        .map(|((protocol, peer, user, code), count)| model::LoginsRefused {
            protocol: protocol.to_owned(),
            peer,
            user: user.map(str::to_owned),
            code: code.to_owned(),
            count,
        })
        .collect();
    refused.sort_unstable_by(|a, b| {
        let names = |refused: &model::LoginsRefused| {
            (refused.peer.clone(), refused.user.clone(), refused.code.clone())
        };
        b.count.cmp(&a.count).then_with(|| names(a).cmp(&names(b)))
    });
    refused.truncate(MOST_LOGINS);
    let listed: u64 = refused.iter().map(|alike| alike.count).sum();
    let forgotten = parts.pipeline.totals().0.protocol.logins_refused.saturating_sub(listed);
    if forgotten > 0 {
        let code = "(other)".to_owned();
        refused.push(model::LoginsRefused { code, count: forgotten, ..model::LoginsRefused::default() });
    }
    refused
}

/// Two unnamed ends: a process talks to itself or to its child, never to a database server.
fn is_socket_pair(peer: &Address) -> bool {
    matches!(peer, Address::Unix(path) if path.is_empty())
}

fn with_bytes(connection: &Connection) -> model::Connection {
    let session = connection.session().cloned().unwrap_or_default();
    let (protocol, role) = match connection.state() {
        State::Decoding { protocol, side } => {
            let role = match side {
                Side::Client => model::Role::Client,
                Side::Server => model::Role::Server,
            };
            (Some(protocol.to_owned()), Some(role))
        }
        State::Detecting | State::Undecoded => (None, None),
    };
    let unknown = Address::Unix(Vec::new());
    let facts = connection.facts.as_ref();
    model::Connection {
        id: connection.id.to_string(),
        protocol,
        role,
        local: address::text(facts.map_or(&unknown, |facts| &facts.local)),
        peer: address::text(facts.map_or(&unknown, |facts| &facts.peer)),
        tls: session.tls || connection.is_tls(),
        user: session.user,
        database: session.database,
        login_error: session.login_error.map(|code| code.as_str().to_owned()),
        opened_before: facts.is_some_and(|facts| facts.opened_before),
        requests: connection.counted.requests,
        bytes: Some(connection.counted.bytes_seen),
    }
}
