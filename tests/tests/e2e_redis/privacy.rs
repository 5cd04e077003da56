//! No value, no argument, no password, and of a key only its pattern, may be seen. (Case 40.)

use tests::redis::RedisServer;
use tests::whole::{none_shows, watch_in_all_forms};

use crate::expected::client;
use crate::shared;

const SECRETS: [&str; 4] = ["hunter2", "492912341", "4d6a4b1e", "4929 "];

#[test]
fn values_keys_and_passwords_are_in_no_report() {
    let _shared = shared();
    for password in [None, Some("hunter2-password")] {
        let settings: Vec<&str> = password.iter().flat_map(|word| ["--requirepass", word]).collect();
        let server = RedisServer::start(&settings).unwrap();
        let mut client = client(&server, "secrets");
        if let Some(password) = password {
            client.env("DB_PASSWORD", password);
        }
        let reports = watch_in_all_forms(&client).unwrap();
        none_shows(&reports, &SECRETS, "set user:?:card").unwrap();
        let coverage = reports[2].1.report().unwrap().coverage;
        assert!(coverage.requests >= 15 && coverage.answers_unmatched == 0, "{coverage:?}");
    }
}

#[test]
fn a_password_that_is_typed_is_in_no_report() {
    let _shared = shared();
    let server = RedisServer::start(&["--requirepass", "hunter2-password"]).unwrap();
    let folder = server.folder().join("typed");
    // Inline, without RESP, as over telnet.
    let script = "import socket, sys\ns = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n\
                  for line in (b'AUTH hunter2-wrong', b'auth default hunter2-password', b'SET user:492912341 hunter2', b'PING'):\n    \
                  s.sendall(line + b'\\r\\n')\n    s.recv(1000)\n";
    std::fs::write(&folder, script).unwrap();
    let mut client = std::process::Command::new("/usr/bin/python3");
    client.arg(folder).arg(server.port().to_string());
    let reports = watch_in_all_forms(&client).unwrap();
    none_shows(&reports, &SECRETS, "set user:?").unwrap();
    assert_eq!(reports[2].1.report().unwrap().coverage.requests, 4);
}
