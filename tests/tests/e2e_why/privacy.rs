//! Values are shown when asked for and never else; passwords never.

use std::time::Duration;

use serde_json::{Value, json};
use tests::dbtap::Ended;
use tests::drivers::Driver;

use crate::finding::{causes, check};
use crate::plan::{Plan, Random, Request, Style};
use crate::run::{watch, watch_all, watch_once};
use crate::server::{server, shared};

const WORD: &str = "sentinel-customer";
const NUMBER: u64 = 4_929_123_412_341_234;

/// Neither its beginning nor its length tells any of them from [`WORD`].
fn some_name(random: &mut Random) -> String {
    let most = 10_u64.pow(u32::try_from(1 + random.below(14)).unwrap());
    format!("someone-{}", random.below(most))
}

/// Two statements, each slow for one value that comes often.
fn heavy_hitters(style: Style) -> Plan {
    Plan::new(style, 12).phase(40, 4, |random| {
        let heavy = random.once_in(8);
        if random.once_in(2) {
            let name = if heavy { WORD.to_owned() } else { some_name(random) };
            Request::new("SELECT by_name($1)", [json!(name)], heavy)
        } else {
            let id = if heavy { NUMBER } else { random.below(2 * NUMBER) };
            Request::new("SELECT by_number($1)", [json!(id)], heavy)
        }
    })
}

/// All forms of report. The first one is JSON, the second one for people.
const FORMS: [&str; 3] = ["json", "table", "csv"];

/// Options of captures with each form of report.
fn all_forms(options: &[&'static str]) -> [Vec<&'static str>; 3] {
    FORMS.map(|form| [&["--format", form], options].concat())
}

#[track_caller]
fn assert_not_said(reports: &[Ended], secrets: &[&str]) {
    for ended in reports {
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        for secret in secrets {
            assert!(!ended.text().contains(secret), "{secret}: {}", ended.text());
            assert!(!ended.stderr.contains(secret), "{secret}: {}", ended.stderr);
        }
    }
}

fn json_of(ended: &Ended) -> Value {
    serde_json::from_slice(&ended.stdout).unwrap()
}

#[track_caller]
fn nothing_is_shown(style: Style) {
    let _shared = shared();
    let captures = all_forms(&[]);
    let (reports, _) = watch_all(&heavy_hitters(style), &captures.each_ref().map(Vec::as_slice), |_| ());
    // Neither the values nor pieces of them; nor those of the fast ones.
    assert_not_said(&reports, &["sentinel", "customer", "someone", "4929123412341234", "492912341"]);
    let report = json_of(&reports[0]);
    assert_eq!(report["capture"]["show_values"], false);
    assert_eq!(causes(&report).len(), 2, "{}", report["findings"]);
    // The answer comes before the numbers.
    let table = reports[1].text();
    let at = |head: &str| table.lines().position(|line| line.starts_with(head));
    assert!(at("WHY SLOW").is_some() && at("WHY SLOW") < at("STATEMENTS"), "{table}");
}

#[test]
fn bind_values_are_not_shown() {
    nothing_is_shown(Style::Text);
}

#[test]
fn literals_are_not_shown() {
    nothing_is_shown(Style::Literals);
}

#[test]
fn values_are_shown_when_asked_for() {
    let _shared = shared();
    let plan = Plan::of(Style::Binary, |random| {
        let heavy = random.once_in(8);
        let name = if heavy { WORD.to_owned() } else { some_name(random) };
        Request::new("SELECT by_name($1)", [json!(name)], heavy)
    });
    let outcome = watch(&plan, &["--show-values"], |_| ());
    check(&outcome, ("$1", "value_hash", &[WORD]));
    assert_eq!(outcome.report()["capture"]["show_values"], true);
}

#[test]
fn passwords_are_not_shown_even_when_asked_for_values() {
    let _shared = shared();
    // Fast and different at first, then one and the same while a lock keeps them waiting, three times over.
    let statement =
        |password: &str| Request::new(format!("ALTER ROLE CURRENT_USER PASSWORD '{password}'"), [], false);
    let mut plan = Plan::new(Style::Literals, 4);
    // Each lane has a role of its own: two at a time cannot change the same one.
    for (number, lane) in plan.lanes.iter_mut().enumerate() {
        lane.conninfo = lane.conninfo.replace("user=postgres", &format!("user=user_{number}"));
    }
    for _ in 0..3 {
        plan = plan.phase(30, 4, |random| statement(&format!("hunter2-{}", random.below(1_000_000))));
        plan = plan.phase(1, 0, |_| Request { slow: Some(true), ..statement("hunter2-slow") });
    }
    let mut holders = Vec::new();
    let captures = all_forms(&["--show-values", "--slow", "250ms"]);
    let (reports, _) = watch_once(&plan, &captures.each_ref().map(Vec::as_slice), |phase| {
        if phase % 2 == 1 {
            holders.push(hold_roles(Duration::from_millis(500)));
        }
    });
    assert_not_said(&reports, &["hunter2"]);
    let report = json_of(&reports[0]);
    assert_eq!(report["capture"]["show_values"], true);
    // It was there to be seen, and some were slow, which made it look at the values.
    let [statement] = report["statements"].as_array().unwrap().as_slice() else { panic!("{report}") };
    assert!(
        statement["text"].as_str().unwrap().starts_with("ALTER ROLE CURRENT_USER PASSWORD"),
        "{statement}"
    );
    assert_eq!(report["slow"][0]["statement"], statement["id"]);
    assert!(report["slow"][0]["slow"].as_u64() >= Some(12), "{}", report["slow"]);
    // Whatever else they have in common.
    assert!(!report["findings"].to_string().contains("\"$1\""), "{}", report["findings"]);
}

/// Nobody changes a role for this time.
fn hold_roles(time: Duration) -> Driver {
    let mut holder = Driver::start(server().command("psql").args(["-XAtq"])).unwrap();
    let sql = format!(
        "BEGIN; LOCK TABLE pg_authid IN SHARE MODE; \\echo locked\nSELECT pg_sleep({}); COMMIT;",
        time.as_secs_f64()
    );
    holder.say(&sql).unwrap();
    holder.hear_line("locked").unwrap();
    holder
}
