//! The demo: its server and its application as the demo starts them, and the cause that its report names.

use std::process::Command;
use std::time::Duration;

use tests::dbtap::Dbtap;
use tests::demo::statement::LOOKUP;
use tests::drivers::Driver;
use tracer::sql::Texts;

use crate::finding::{Counts, causes};
use crate::server::shared;

#[test]
fn the_demo_names_the_last_digits_3_and_7_of_the_user_id() {
    let _shared = shared();
    let mut server = Command::new(env!("CARGO_BIN_EXE_demo-server"));
    let server = Driver::start(server.arg("--end-with-input")).unwrap();
    let ready = server.hear().unwrap();
    let port = ready.rsplit(':').next().unwrap();
    let address = format!("host=127.0.0.1 port={port} user=payments dbname=payments");
    let mut application = Command::new(env!("CARGO_BIN_EXE_demo-app"));
    let application = Driver::start(application.args([&address, "--end-with-input"])).unwrap();
    application.hear_line(&format!("ready {}", application.pid())).unwrap();
    // It runs for a while before anybody looks at it.
    std::thread::sleep(Duration::from_secs(1));
    let dbtap = Dbtap::attach(application.pid()).unwrap().start().unwrap();
    std::thread::sleep(Duration::from_secs(8));
    let ended = dbtap.interrupt().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&ended.stdout).unwrap();
    application.end().unwrap();
    server.end().unwrap();

    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let shown = serde_json::to_string_pretty(&report["findings"]).unwrap();
    let mut texts = Texts::new(2);
    let id = texts.intern_sql(LOOKUP.as_bytes(), false);
    let statements = report["statements"].as_array().unwrap();
    let lookup = statements.iter().find(|statement| statement["text"] == texts.get(id).text).unwrap();
    let causes = causes(&report);
    let [finding] = &*causes else { panic!("one statement has a cause: {shown}") };
    assert_eq!(finding["statement"], lookup["id"], "{shown}");
    let attribute = &finding["attribute"];
    let values = serde_json::json!(["3", "7"]);
    assert_eq!(
        (&attribute["subject"], &attribute["feature"]),
        (&"$1".into(), &"last_digit".into()),
        "{shown}"
    );
    assert_eq!(attribute["values"], values, "{shown}");
    let counts = Counts::of(finding);
    assert_eq!((counts.slow_matched, counts.fast_matched), (counts.slow_total, 0), "{shown}");
    // 150 lookups a second, two in ten of them slow; those of the last two seconds have no answer.
    assert!(counts.slow_total > 100 && counts.fast_total > 500, "{counts:?}");
}
