//! Arguments in, values or the sentence of the refusal out.

use super::*;

#[test]
fn durations() {
    let check = |text: &str, expected: Result<u64, UsageError>| {
        assert_eq!(parse_duration(text).map(|d| u64::try_from(d.as_millis()).unwrap()), expected, "{text}");
    };
    check("30s", Ok(30_000));
    check("1m30s", Ok(90_000));
    check("1m 30s", Ok(90_000));
    check("250ms", Ok(250));
    check("2h", Ok(7_200_000));
    check("0s", Err(UsageError::ZeroDuration));
    check("30", Err(UsageError::Duration));
    check("", Err(UsageError::Duration));
    check("-1s", Err(UsageError::Duration));
    check("1000y", Err(UsageError::Duration));
    check("soon", Err(UsageError::Duration));
}

#[test]
fn peers() {
    let check = |text: &str, expected: &str| {
        let shown = match Peer::parse(text) {
            Ok(Peer { host: PeerHost::Ip(ip), port }) => format!("ip {ip} {port:?}"),
            Ok(Peer { host: PeerHost::Name(name), port }) => format!("name {name} {port:?}"),
            Ok(Peer { host: PeerHost::Unix(path), port }) => format!("unix {} {port:?}", path.display()),
            Err(_) => "refused".to_owned(),
        };
        assert_eq!(shown, expected, "{text}");
    };
    check("10.0.0.5", "ip 10.0.0.5 None");
    check("10.0.0.5:5432", "ip 10.0.0.5 Some(5432)");
    check("::1", "ip ::1 None");
    check("[::1]", "ip ::1 None");
    check("[::1]:5432", "ip ::1 Some(5432)");
    check("::ffff:10.0.0.5", "ip 10.0.0.5 None");
    check("db7.internal", "name db7.internal None");
    check("db7.internal:5432", "name db7.internal Some(5432)");
    check("/run/postgresql/.s.PGSQL.5432", "unix /run/postgresql/.s.PGSQL.5432 None");
    for wrong in
        ["", ":5432", "db:", "db:0", "db:65536", "db:+5", "db:x", "[::1]5432", "[::1", "a b", "a\x1b[2J"]
    {
        check(wrong, "refused");
    }
}

#[test]
fn names_and_containers() {
    assert_eq!(parse_comm("a name (x)"), Ok("a name (x)".to_owned()));
    assert_eq!(parse_comm(""), Err(UsageError::Empty));
    assert_eq!(parse_comm("sixteen-letters-"), Err(UsageError::CommTooLong));
    assert_eq!(parse_container("3F2A9c"), Ok("3f2a9c".to_owned()));
    assert_eq!(parse_container("containerd://3f2a9c"), Ok("3f2a9c".to_owned()));
    for wrong in ["", "3f2", "payments", &"a".repeat(65)] {
        assert_eq!(parse_container(wrong), Err(UsageError::Container), "{wrong}");
    }
}

#[test]
fn a_valid_request() {
    let request = AttachRequest {
        pids: vec![7, 8, 7],
        comms: vec!["app".to_owned()],
        protocols: vec!["postgresql".to_owned(), "postgresql".to_owned()],
        output: Some(PathBuf::from("-")),
        ..AttachRequest::default()
    };
    let config = AttachConfig::new(request.clone()).unwrap();
    assert_eq!(config.selectors, [Selector::Pid(7), Selector::Pid(8), Selector::Comm("app".to_owned())]);
    assert_eq!(config.protocols, ["postgresql"]);
    assert_eq!(config.destination, Destination::Stdout);
    let file = AttachRequest { output: Some(PathBuf::from("r.json")), ..request };
    assert_eq!(AttachConfig::new(file).unwrap().destination, Destination::File(PathBuf::from("r.json")));
}

#[test]
fn refused_requests() {
    assert_eq!(AttachConfig::new(AttachRequest::default()), Err(UsageError::NoTarget));
    let relative = AttachRequest { cgroups: vec![PathBuf::from("a/b")], ..AttachRequest::default() };
    assert_eq!(AttachConfig::new(relative), Err(UsageError::Cgroup("a/b".to_owned())));
}
