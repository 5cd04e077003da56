//! pgbench: all its protocols, its two usual scripts, and its pipelines.

use crate::expected::check;
use crate::psql::watch;
use crate::server::{Database, run, shared};

/// Transactions of each client of pgbench.
const TRANSACTIONS: &str = "150";

/// Everything between the lines goes in one pipeline.
const PIPELINE: &str = "\\set aid random(1, 10000)
\\startpipeline
SELECT abalance FROM pgbench_accounts WHERE aid = :aid;
SELECT 1, :aid;
UPDATE pgbench_branches SET bbalance = bbalance + 1 WHERE bid = 1;
SELECT count(*) FROM pgbench_tellers;
\\endpipeline
SELECT 'alone';
";

fn initialised(name: &'static str) -> Database {
    let database = Database::new(name, "");
    run(database.command("pgbench").args(["-i", "-q", "-I", "dtGp"]).stderr(std::process::Stdio::null()));
    database
}

#[test]
fn every_protocol_and_script_counts_as_the_server_counts() {
    let _shared = shared();
    let database = initialised("pgbench");
    let pipeline = database.file(PIPELINE).display().to_string();
    let runs: [(&str, &[&str]); 8] = [
        ("simple", &["-S"]),
        ("extended", &["-S"]),
        ("prepared", &["-S"]),
        ("simple", &["-b", "tpcb-like"]),
        ("extended", &["-b", "tpcb-like"]),
        ("prepared", &["-b", "tpcb-like"]),
        ("extended", &["-f", &pipeline]),
        ("prepared", &["-f", &pipeline]),
    ];
    for (protocol, script) in runs {
        println!("pgbench -M {protocol} {script:?}");
        database.forget();
        let mut client = database.command("pgbench");
        client.args(["-n", "-c", "3", "-j", "2", "-M", protocol, "-t", TRANSACTIONS]).args(script);
        let (ended, output) = watch(&client);
        let said = output.success().unwrap();
        assert!(said.contains("actually processed: 450/450"), "{said}");
        let mut expected = database.counted();
        if protocol == "prepared" && script == ["-b", "tpcb-like"] {
            // PostgreSQL 15 counts a prepared utility statement at its first execution only.
            assert_eq!((expected.count("BEGIN"), expected.count("END")), (3, 3));
            expected = expected.exactly("BEGIN", 450, 0).exactly("END", 450, 0);
        }
        let report = check(&ended, &expected);
        assert_eq!(report.connections.len(), 4, "three clients, and one that looks at the tables");
    }
}
