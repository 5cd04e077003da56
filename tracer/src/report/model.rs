//! The report as data: schema `dbtap.report/1`, field for field.
//!
//! Durations are integers in nanoseconds and end in `_ns`, sizes are bytes and end in `_bytes`. Within version 1
//! fields are only ever added, so readers skip fields they do not know. Times of day are RFC 3339 strings in UTC,
//! made by whoever may read a clock. Text from the target is raw here: each output makes it safe for its medium.

use serde::{Deserialize, Serialize};

/// Value of [`Report::schema`].
pub const SCHEMA: &str = "dbtap.report/1";

/// Everything that one capture found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// What made the report.
    pub tool: Tool,
    /// Where it was made.
    pub host: Host,
    /// The processes that were observed.
    pub targets: Vec<Target>,
    /// When and how.
    pub capture: Capture,
    /// What could make the numbers wrong.
    pub coverage: Coverage,
    /// What the capture took from the host.
    pub cost: Cost,
    /// The connections that were seen.
    pub connections: Vec<Connection>,
    /// Sessions that servers refused, by server, user and code, the most frequent first.
    #[serde(default)]
    pub logins_refused: Vec<LoginsRefused>,
    /// Finished requests by statement, by total time, the most first.
    pub statements: Vec<Statement>,
    /// Requests without an answer when the capture ended, oldest first.
    pub in_flight: Vec<InFlight>,
    /// System calls of the targets, by total time.
    pub syscalls: Vec<Syscall>,
    /// What sets slow requests apart from fast ones. Of each statement the one that explains most first, then the effects.
    pub findings: Vec<Finding>,
    /// Statements with a slow group, explained or not, by the time of their slow requests, the most first.
    #[serde(default)]
    pub slow: Vec<Slow>,
}

/// The program that made the report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// Version of dbtap.
    pub version: String,
}

/// The host that the targets ran on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// Its name.
    pub hostname: String,
    /// Kernel release, as `uname -r` shows it.
    pub kernel: String,
    /// Machine architecture, as `uname -m` shows it.
    pub arch: String,
}

/// One observed process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Process id in the root pid namespace.
    pub pid: u32,
    /// Name of its main thread.
    pub comm: String,
    /// Path of its executable.
    pub exe: String,
    /// When the process started.
    pub started_at: String,
    /// When and why it ended during the capture.
    pub ended: Option<Ended>,
}

/// The end of a target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// When.
    pub at: String,
    /// Why, in words.
    pub reason: String,
}

/// How the capture was made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capture {
    /// When every probe was in place.
    pub started_at: String,
    /// When it ended.
    pub ended_at: String,
    /// From start to end.
    pub duration_ns: u64,
    /// What ended it.
    pub ended_by: EndedBy,
    /// Name of the kernel backend.
    pub backend: String,
    /// At most so many bytes were copied in one direction of a connection until the direction turned.
    pub capture_bytes: u64,
    /// Literals and bind values are shown.
    pub show_values: bool,
}

/// What ended a capture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndedBy {
    /// Its time was up.
    #[default]
    Duration,
    /// Ctrl-C or SIGTERM.
    Interrupt,
    /// The last target ended.
    TargetExit,
    /// It would have cost the host too much.
    Guard,
}

/// Everything that could make a number wrong, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Socket events that reached dbtap.
    pub events: u64,
    /// Socket events that did not.
    pub events_lost: u64,
    /// Bytes that moved on the traced connections.
    pub bytes_seen: u64,
    /// How many of them were copied.
    pub bytes_captured: u64,
    /// Bytes whose memory could not be found or read: sendfile, splice, io_uring, 32-bit programs.
    #[serde(default)]
    pub bytes_unreadable: u64,
    /// Places in byte streams where a lost event left a hole.
    pub gaps: u64,
    /// Finished requests.
    pub requests: u64,
    /// Answers whose request is unknown, and requests whose answer was lost.
    pub answers_unmatched: u64,
    /// Answers to requests that were sent before the capture.
    pub started_before: u64,
    /// Requests without an answer when the capture ended.
    pub in_flight: u64,
    /// Finished requests on connections joined in the middle, or after a loss, whose answer was found by counting from a
    /// moment that only looked quiet: if a request was in flight then, they have the answers of others.
    #[serde(default)]
    pub requests_presumed: u64,
    /// Requests whose statement text is not known.
    pub statements_unnamed: u64,
    /// Connections with any traffic.
    pub connections: u64,
    /// Connections whose protocol was not recognised or not followed.
    pub connections_undecoded: u64,
    /// Encrypted connections whose plain text could not be read.
    pub connections_tls_opaque: u64,
    /// Statements that the server did not run: after an error in a pipeline, or in a transaction that was given up.
    pub skipped: u64,
    /// Messages outside of requests and answers (pub/sub, MONITOR, heartbeats, writes that ask for no answer): no part of
    /// any latency.
    #[serde(default)]
    pub pushed: u64,
    /// Connections that were taken for another protocol first.
    #[serde(default)]
    pub wrong_guesses: u64,
    /// False: the report is known to be incomplete, exit code 3.
    pub complete: bool,
}

/// What the capture took from the host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// How often a probe ran.
    pub probe_runs: u64,
    /// Kernel time in probes.
    pub probe_ns: u64,
    /// CPU time of dbtap itself.
    pub dbtap_cpu_ns: u64,
    /// Largest resident memory of dbtap itself.
    pub dbtap_rss_bytes: u64,
}

/// One connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Unique in the report: a decimal number in the order of first traffic, or `idle-` and the socket's inode number.
    pub id: String,
    /// OpenTelemetry `db.system.name`; null when not recognised.
    pub protocol: Option<String>,
    /// The target's side; null when not recognised.
    pub role: Option<Role>,
    /// The target's address.
    pub local: String,
    /// The other end's address.
    pub peer: String,
    /// It is encrypted.
    pub tls: bool,
    /// User of the session, where seen.
    pub user: Option<String>,
    /// Database of the session, where seen.
    pub database: Option<String>,
    /// The server refused the session with this code.
    #[serde(default)]
    pub login_error: Option<String>,
    /// It was open when the capture began.
    pub opened_before: bool,
    /// Finished requests on it.
    pub requests: u64,
    /// Bytes that moved on it, both directions. Not in schema version 1; shown by the table of a live capture.
    #[serde(skip)]
    pub bytes: Option<u64>,
}

/// Logins that failed in one way. A login is no request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginsRefused {
    /// OpenTelemetry `db.system.name`; empty where several are taken together.
    pub protocol: String,
    /// The server's address; empty where several are taken together.
    pub peer: String,
    /// Who wanted to log in; null where the server did not wait for the name.
    pub user: Option<String>,
    /// The server's code, as in [`ErrorCount`]; `(other)` for connections that are no longer remembered one by one.
    pub code: String,
    /// How often.
    pub count: u64,
}

/// A side of a database connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The target sends requests.
    Client,
    /// The target answers them.
    Server,
}

/// All finished requests of one statement text, protocol, database and server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// 16 hex digits, the same for the same normalised text on every host. Statements that differ only in
    /// database or server share it.
    pub id: String,
    /// OpenTelemetry `db.system.name`.
    pub protocol: String,
    /// OpenTelemetry `db.operation.name`.
    pub operation: String,
    /// The text without literals.
    pub text: String,
    /// The server's address; empty where several are taken together.
    pub peer: String,
    /// The database, where known.
    pub database: Option<String>,
    /// Finished requests. 0: it is here for a request in flight.
    pub count: u64,
    /// Errors among them by code, the most frequent first.
    pub errors: Vec<ErrorCount>,
    /// Rows returned or affected, from the server's own count.
    pub rows: u64,
    /// Bytes of the requests on the wire.
    pub request_bytes: u64,
    /// Bytes of the answers on the wire.
    pub answer_bytes: u64,
    /// From the first byte of the request to the last byte of the answer.
    pub latency: Distribution,
    /// From the first byte of the request to the first byte of the answer.
    pub first_byte: Distribution,
    /// Requests at or above the threshold given by `--slow`.
    pub slow_count: u64,
    /// How many of the errors came after a cancel request that was seen on another connection.
    #[serde(default)]
    pub cancelled: u64,
    /// The request waits until something happens (Redis' BLPOP): its latency says nothing of the server's speed.
    #[serde(default)]
    pub waits_by_design: bool,
}

/// How often one error came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorCount {
    /// The server's code (SQLSTATE), or `closed`: the connection ended before the answer did.
    pub code: String,
    /// How often.
    pub count: u64,
}

/// Time spans, summed up. Minimum, mean, maximum and sum are exact; percentiles are within 0.1 %. All are 0 when
/// there was none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distribution {
    /// The shortest.
    pub min_ns: u64,
    /// The arithmetic mean, rounded down.
    pub mean_ns: u64,
    /// The median.
    pub p50_ns: u64,
    /// 90 % are at or below.
    pub p90_ns: u64,
    /// 95 % are at or below.
    pub p95_ns: u64,
    /// 99 % are at or below.
    pub p99_ns: u64,
    /// 99.9 % are at or below.
    pub p999_ns: u64,
    /// The longest.
    pub max_ns: u64,
    /// All together; saturates.
    pub sum_ns: u64,
    /// Quarter octaves in use: highest value (inclusive) and count of values above the one before. Counts are not
    /// cumulative. Bounds are the same in every report, so buckets of several add up.
    pub buckets: Vec<(u64, u64)>,
    /// The full HDR histogram in nanoseconds, 3 significant digits, up to 1 h: base64 of HdrHistogram's "V2
    /// compressed" encoding, which the decoders of HdrHistogram libraries read.
    pub hdr: String,
}

/// A request without an answer when the capture ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InFlight {
    /// Id of its statement.
    pub statement: String,
    /// Id of its connection.
    pub connection: String,
    /// Thread id of the sender, in the root pid namespace.
    pub thread: u32,
    /// How long it has been waiting: a lower bound of its latency.
    pub age_ns: u64,
}

/// One kind of system call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Syscall {
    /// Its name without prefix, for instance `futex`.
    pub name: String,
    /// How often it returned.
    pub count: u64,
    /// From entry to return.
    pub latency: Distribution,
}

/// An attribute that sets slow requests apart from fast ones. It goes with slowness; whether it is the cause, no capture
/// can tell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// `attribute`: one attribute; `pair`: two that hold together; `effect`: something of the answer, which came after.
    pub kind: String,
    /// Id of the statement it is about.
    pub statement: String,
    /// One sentence for people.
    pub summary: String,
    /// What the slow ones have in common.
    pub attribute: Attribute,
    /// The second attribute of a pair.
    #[serde(default)]
    pub and: Option<Attribute>,
    /// Slow requests with it. This and the next three count requests that were compared and not all requests, where
    /// only a sample was: see [`Slow::slow_sampled`].
    pub slow_matched: u64,
    /// All slow requests that were compared.
    pub slow_total: u64,
    /// Fast requests with it.
    pub fast_matched: u64,
    /// All fast requests that were compared.
    pub fast_total: u64,
    /// Probability of such a difference by chance, corrected for everything that was tried.
    pub p_value: f64,
    /// How much of the question "slow or fast?" it answers: 0 nothing, 1 all.
    #[serde(default)]
    pub explained: f64,
    /// Attributes that the very same requests have: the capture cannot tell which of them it is.
    #[serde(default)]
    pub same_requests: Vec<Attribute>,
}

/// A property of requests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    /// `$1`, `$2`, ... for a parameter or the n-th literal; else `server`, `connection`, `thread`, `time`, ...
    pub subject: String,
    /// For instance `last_digit`, `is_null`, `length`, `value_hash`.
    pub feature: String,
    /// The values that slow requests have: any of these; or limits (`>= 900000`, `<= 30 s`), all of which hold.
    pub values: Vec<String>,
}

/// The slow requests of one statement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slow {
    /// Id of the statement, over all databases and servers.
    pub statement: String,
    /// How many, how slow, and against what: one sentence for people.
    pub summary: String,
    /// Requests that took this long or longer are slow.
    pub split_ns: u64,
    /// How that was decided.
    pub split_by: SplitBy,
    /// Slow requests, those in flight among them.
    pub slow: u64,
    /// Fast requests.
    pub fast: u64,
    /// Slow requests that were in flight when the capture ended.
    pub in_flight: u64,
    /// Slow requests that were compared: all, or a sample.
    pub slow_sampled: u64,
    /// Fast requests that were compared: all, or a sample.
    pub fast_sampled: u64,
    /// 99 % of the fast ones took this long or less.
    pub fast_p99_ns: u64,
    /// Half of the slow ones took this long or longer; those in flight count with their age.
    pub slow_p50_ns: u64,
    /// There is a finding that is no effect.
    pub explained: bool,
    /// Subjects that were compared: those that are not the same for all requests.
    pub tried: Vec<String>,
    /// Those of them in which slow and fast requests do not differ. Values are not listed.
    pub no_difference: Vec<String>,
    /// What could not be seen and might be what differs: sentences for people.
    pub not_seen: Vec<String>,
    /// Values of slow requests; only with `--show-values`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slow_examples: Vec<String>,
    /// Values of fast requests; only with `--show-values`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fast_examples: Vec<String>,
}

impl Slow {
    /// About how much time the slow requests took together: statements are ordered by it.
    pub fn time_ns(&self) -> u128 {
        u128::from(self.slow) * u128::from(self.slow_p50_ns)
    }
}

/// How it was decided which requests are slow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitBy {
    /// By `--slow`.
    #[default]
    Given,
    /// Slow and fast ones are two humps of the distribution.
    TwoHumps,
    /// They are a tail that the others do not let expect.
    Tail,
}
