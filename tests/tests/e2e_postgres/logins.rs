//! Logins that the server refuses.

use std::process::Command;

use tests::whole::{lines, watch_in_all_forms};

use crate::server::{Database, server, shared};

#[test]
fn refused_logins_are_counted_by_code_and_user() {
    let _shared = shared();
    let database = Database::new("refused", "");
    let script = format!(
        "for n in 1 2 3; do psql -X -h 127.0.0.1 -p {0} -U nobody_here -d {1} -c 'SELECT 1'; done; \
         psql -X -h 127.0.0.1 -p {0} -U postgres -d no_such_database -c 'SELECT 2'; \
         psql -X -h 127.0.0.1 -p {0} -U postgres -d {1} -c 'SELECT 3'",
        server().port(),
        database.name
    );
    let mut client = Command::new("sh");
    client.args(["-c", &script]).env("PGSSLMODE", "disable");
    let reports = watch_in_all_forms(&client).unwrap();
    let report = reports[2].1.report().unwrap();
    let refused: Vec<_> = report
        .logins_refused
        .iter()
        .map(|refused| (&*refused.protocol, &*refused.code, refused.user.as_deref(), refused.count))
        .collect();
    let expected =
        [("postgresql", "28000", Some("nobody_here"), 3), ("postgresql", "3D000", Some("postgres"), 1)];
    assert_eq!(refused, expected, "{:?}", report.connections);
    assert_eq!(report.coverage.requests, 1, "{:#?}", lines(&report));
    assert!(report.coverage.complete);
    let table = reports[0].1.text();
    assert!(table.contains("LOGINS FAILED: 4"), "{table}");
}
