//! The private server itself: it starts, both addresses answer, and nothing of it stays.

use tests::postgres::PostgresServer;

#[test]
fn starts_answers_on_both_addresses_and_leaves_nothing() {
    let server = PostgresServer::start(&[("application_name", "it's me")]).unwrap();
    assert_eq!(server.psql("SHOW application_name").unwrap(), "psql\n");
    assert_eq!(server.psql("SELECT 6 * 7").unwrap(), "42\n");
    let unix = server
        .command("psql")
        .env("PGHOST", server.socket_dir())
        .args(["-XAtc", "SELECT inet_server_addr() IS NULL"])
        .output();
    assert_eq!(String::from_utf8_lossy(&unix.unwrap().stdout), "t\n");
    assert!(server.psql("SELECT no_such_column").unwrap_err().to_string().contains("no_such_column"));
    let (pid, dir) = (server.pid().unwrap(), server.socket_dir().to_owned());
    // A process that nobody has reaped yet has no command line any more.
    let command_line = || std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    assert!(!command_line().is_empty());
    drop(server);
    assert!(!dir.exists());
    assert!(command_line().is_empty());
}
