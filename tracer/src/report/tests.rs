//! Outputs against golden files, and what must hold for any report.

use std::path::PathBuf;

use proptest::prelude::*;
use unicode_width::UnicodeWidthStr as _;

use super::model::{Connection, Cost, Coverage, Distribution, EndedBy, Finding, InFlight, Report, Slow};
use super::testdata;
use super::{Layout, OUTPUTS, Output, output};

fn render(output: &dyn Output, report: &Report, layout: Layout) -> String {
    let mut bytes = Vec::new();
    output.render(report, layout, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// Compares with `testdata/FILE`. `UPDATE_GOLDEN=1` writes it instead; look at the difference before committing.
fn check_golden(file: &str, actual: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/report/testdata").join(file);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, actual).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    for (n, (actual, expected)) in actual.lines().zip(expected.lines()).enumerate() {
        let same = actual.bytes().zip(expected.bytes()).take_while(|(a, b)| a == b).count();
        let from = actual.floor_char_boundary(same.saturating_sub(60));
        let part = |line: &str| {
            line.chars().skip(line.get(..from).unwrap_or("").chars().count()).take(120).collect::<String>()
        };
        assert!(
            actual == expected,
            "{file}:{}\n actual ...{}\n golden ...{}",
            n + 1,
            part(actual),
            part(expected)
        );
    }
    assert_eq!(actual.lines().count(), expected.lines().count(), "{file}");
}

#[test]
fn every_output_matches_its_golden_files() {
    for (name, report) in testdata::all() {
        for output in OUTPUTS {
            let kind = output.name();
            if kind == "table" {
                for width in [80, 140] {
                    let layout = Layout { width, ..Layout::default() };
                    check_golden(&format!("{name}.{width}.txt"), &render(*output, &report, layout));
                }
            } else {
                check_golden(&format!("{name}.{kind}"), &render(*output, &report, Layout::default()));
            }
        }
    }
    let ascii = Layout { ascii: true, ..Layout::default() };
    check_golden("hostile.ascii.txt", &render(&super::table::Table, &testdata::hostile(), ascii));
    let color = Layout { color: true, ..Layout::default() };
    check_golden("errors.color.txt", &render(&super::table::Table, &testdata::errors(), color));
}

#[test]
fn outputs_have_names_of_their_own() {
    for (n, one) in OUTPUTS.iter().enumerate() {
        assert!(
            !one.name().is_empty() && one.name().bytes().all(|b| b.is_ascii_lowercase()),
            "{}",
            one.name()
        );
        assert_eq!(output(one.name()).map(|found| found.name()), Some(one.name()));
        assert!(OUTPUTS[n + 1..].iter().all(|other| other.name() != one.name()), "{} twice", one.name());
    }
    assert_eq!(OUTPUTS[0].name(), "table", "the default");
    assert!(output("no such output").is_none());
}

/// Shown columns of a line, the most that any reading of it gives.
fn columns(line: &str) -> usize {
    let by_char: usize = line.chars().map(|c| unicode_width::UnicodeWidthChar::width(c).unwrap_or(0)).sum();
    by_char.max(line.width())
}

/// What must hold of any table: no line too wide, no control character but the line's end (case 79).
fn check_table(report: &Report, layout: Layout) {
    let table = render(&super::table::Table, report, layout);
    for line in table.lines() {
        assert!(columns(line) <= layout.width, "{} columns at {layout:?}: {line:?}", columns(line));
        assert!(!line.chars().any(char::is_control), "{line:?}");
        assert!(!layout.ascii || line.is_ascii(), "{line:?}");
        assert!(!line.ends_with(' '), "{line:?}");
    }
    assert!(table.ends_with('\n') && (layout.width == 0 || !table.starts_with('\n')));
    let colored = render(&super::table::Table, report, Layout { color: true, ..layout });
    let mut plain = String::new();
    for piece in colored.split('\x1b') {
        // Only colours: `[`, digits and semicolons, `m`.
        let rest = piece
            .strip_prefix('[')
            .and_then(|p| p.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').strip_prefix('m'));
        plain += rest.unwrap_or(if plain.is_empty() { piece } else { "not a colour" });
    }
    assert_eq!(plain, table, "colours change nothing else");
}

#[test]
fn tables_keep_to_any_width() {
    for (_, report) in testdata::all() {
        for width in [0, 1, 2, 3, 10, 20, 39, 55, 56, 60, 79, 80, 81, 99, 100, 110, 120, 140, 200, 500] {
            for ascii in [false, true] {
                check_table(&report, Layout { width, color: false, ascii });
            }
        }
    }
}

#[test]
fn json_reads_back_as_the_same_report() {
    for (name, mut report) in testdata::all() {
        let json = render(&super::json::Json, &report, Layout::default());
        assert_eq!(json.lines().count(), 1, "{name}");
        let back: Report = serde_json::from_str(&json).unwrap();
        for connection in &mut report.connections {
            connection.bytes = None;
        }
        assert_eq!(back, report, "{name}");
    }
}

/// Whoever reads that a report is incomplete reads on why, whatever made it so.
#[test]
fn an_incomplete_report_always_says_why() {
    let reasons = |report: &Report| {
        let table = render(&super::table::Table, report, Layout::default());
        let (_, coverage) = table.split_once("INCOMPLETE").expect("it must say so");
        coverage.lines().filter(|line| line.trim_start().starts_with("- ")).count()
    };
    let complete = testdata::two_humps();
    assert!(!render(&super::table::Table, &complete, Layout::default()).contains("INCOMPLETE"));
    for change in [
        |_: &mut Report| {},
        |r: &mut Report| r.coverage.events_lost = 1,
        |r: &mut Report| r.coverage.gaps = 1,
        |r: &mut Report| r.coverage.answers_unmatched = 1,
        |r: &mut Report| r.coverage.wrong_guesses = 1,
        |r: &mut Report| r.capture.ended_by = EndedBy::Guard,
        |r: &mut Report| r.capture.ended_by = EndedBy::TargetExit,
    ] {
        let mut report = complete.clone();
        report.coverage.complete = false;
        change(&mut report);
        assert_eq!(reasons(&report), 1);
    }
}

/// The field names that people's scripts rely on, in the order of the schema.
#[test]
fn json_has_every_field_of_the_schema() {
    let mut report = testdata::errors();
    report.in_flight.push(InFlight::default());
    report.syscalls.push(super::model::Syscall::default());
    report.findings.push(Finding {
        and: Some(super::model::Attribute::default()),
        same_requests: vec![super::model::Attribute::default()],
        ..Finding::default()
    });
    report.slow.push(Slow::default());
    report.logins_refused.push(super::model::LoginsRefused::default());
    report.targets[0].ended = Some(super::model::Ended::default());
    let value = serde_json::to_value(&report).unwrap();
    let distribution = "buckets hdr max_ns mean_ns min_ns p50_ns p90_ns p95_ns p999_ns p99_ns sum_ns";
    for (path, expected) in [
        (
            "",
            "capture connections cost coverage findings host in_flight logins_refused schema slow statements syscalls targets tool",
        ),
        ("/tool", "version"),
        ("/host", "arch hostname kernel"),
        ("/targets/0", "comm ended exe pid started_at"),
        ("/capture", "backend capture_bytes duration_ns ended_at ended_by show_values started_at"),
        (
            "/coverage",
            "answers_unmatched bytes_captured bytes_seen bytes_unreadable complete connections connections_tls_opaque \
             connections_undecoded events events_lost gaps in_flight pushed requests requests_presumed skipped started_before \
             statements_unnamed wrong_guesses",
        ),
        ("/cost", "dbtap_cpu_ns dbtap_rss_bytes probe_ns probe_runs"),
        (
            "/connections/0",
            "database id local login_error opened_before peer protocol requests role tls user",
        ),
        (
            "/statements/0",
            "answer_bytes cancelled count database errors first_byte id latency operation peer protocol request_bytes rows \
             slow_count text waits_by_design",
        ),
        ("/logins_refused/0", "code count peer protocol user"),
        ("/statements/0/errors/0", "code count"),
        ("/statements/0/latency", distribution),
        ("/statements/0/first_byte", distribution),
        ("/in_flight/0", "age_ns connection statement thread"),
        ("/syscalls/0", "count latency name"),
        ("/syscalls/0/latency", distribution),
        (
            "/findings/0",
            "and attribute explained fast_matched fast_total kind p_value same_requests slow_matched slow_total \
             statement summary",
        ),
        ("/findings/0/attribute", "feature subject values"),
        ("/findings/0/and", "feature subject values"),
        ("/findings/0/same_requests/0", "feature subject values"),
        (
            "/slow/0",
            "explained fast fast_p99_ns fast_sampled in_flight no_difference not_seen slow slow_p50_ns slow_sampled \
             split_by split_ns statement summary tried",
        ),
    ] {
        let mut names: Vec<&str> =
            value.pointer(path).unwrap().as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names.join(" "), expected, "{path}");
    }
    assert_eq!(value["schema"], "dbtap.report/1");
    assert_eq!(value["capture"]["ended_by"], "duration");
    assert_eq!(value["connections"][0]["role"], "client");
    assert!(value["statements"][0]["latency"]["buckets"][0][1].is_u64());
    for (ended_by, name) in
        [(EndedBy::Interrupt, "interrupt"), (EndedBy::TargetExit, "target_exit"), (EndedBy::Guard, "guard")]
    {
        assert_eq!(serde_json::to_value(ended_by).unwrap(), name);
    }
}

/// Fields are only ever added: a reader of today takes a report of a later version 1.
#[test]
fn unknown_fields_are_skipped() {
    let mut value = serde_json::to_value(testdata::two_humps()).unwrap();
    value["new"] = serde_json::json!([1]);
    value["statements"][0]["new"] = serde_json::json!({});
    let back: Report = serde_json::from_value(value).unwrap();
    assert_eq!(back.statements.len(), 4);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_text_from_the_target_is_safe_and_fits(
        text in any::<String>(), name in "\\PC{0,80}|.{0,20}", controls in "[\\x00-\\x20\\x7f-\\u{a0}漢\u{301}\u{202e}a]{0,200}",
        width in 1..200_usize, ascii: bool,
    ) {
        let mut report = testdata::report(&[
            (&text, Some(&name), &controls, vec![(testdata::MS, None)]),
            (&controls, Some(&text), &name, vec![(testdata::MS, Some(b"57014"))]),
        ]);
        report.targets[0].comm = name.clone();
        report.targets.push(testdata::target(7, &controls));
        report.targets[0].ended = Some(super::model::Ended { at: name.clone(), reason: text.clone() });
        report.connections.push(Connection { peer: text.clone(), protocol: None, requests: 0, ..report.connections[0].clone() });
        report.connections[0].user = Some(controls.clone());
        let statement = report.statements[0].id.clone();
        let connection = report.connections[0].id.clone();
        report.in_flight.push(InFlight { statement, connection, thread: u32::MAX, age_ns: u64::MAX });
        let (mut finding, mut slow) = (Finding::default(), Slow::default());
        finding.statement.clone_from(&report.statements[0].id);
        finding.summary.clone_from(&controls);
        slow.statement.clone_from(&report.statements[0].id);
        slow.summary.clone_from(&text);
        for list in [&mut slow.tried, &mut slow.no_difference, &mut slow.not_seen, &mut slow.slow_examples, &mut slow.fast_examples] {
            list.extend([controls.clone(), name.clone()]);
        }
        report.slow.extend([slow, Slow { statement: text.clone(), ..Slow::default() }]);
        report.findings.push(finding);
        for error in report.statements.iter_mut().flat_map(|s| &mut s.errors) {
            error.code.clone_from(&text);
        }
        check_table(&report, Layout { width, color: false, ascii });
        let json = render(&super::json::Json, &report, Layout::default());
        prop_assert!(!json.trim_end_matches('\n').contains(|c| c < ' '));
    }

    #[test]
    fn any_numbers_fit(n: u64, ns: u64, width in 60..140_usize) {
        let mut report = testdata::incomplete();
        for statement in &mut report.statements {
            statement.count = n;
            statement.slow_count = ns;
            statement.latency = Distribution {
                min_ns: ns, mean_ns: ns, p50_ns: ns, p90_ns: ns, p95_ns: ns, p99_ns: ns, p999_ns: ns, max_ns: ns,
                sum_ns: ns, buckets: vec![(ns, n), (n, ns)], hdr: String::new(),
            };
        }
        report.coverage = Coverage { events_lost: n, gaps: ns, requests: n, connections: n, skipped: ns, ..report.coverage };
        report.cost = Cost { probe_runs: n, probe_ns: ns, dbtap_cpu_ns: n, dbtap_rss_bytes: ns };
        report.capture.duration_ns = n;
        check_table(&report, Layout { width, color: false, ascii: false });
    }
}
