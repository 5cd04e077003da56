//! No value, and of a key only its pattern, may be seen.

use tests::drivers::memcached_client;
use tests::memcached::MemcachedServer;
use tests::whole::{none_shows, watch_in_all_forms};

#[test]
fn values_and_numbers_of_keys_are_in_no_report() {
    let server = MemcachedServer::start(&[]).unwrap();
    let mut client = memcached_client("secrets");
    client.env("DB_HOST", "127.0.0.1").env("DB_PORT", server.port().to_string());
    let reports = watch_in_all_forms(&client).unwrap();
    none_shows(&reports, &["hunter2", "492912341", "4d6a4b1e", "example.com"], "get user:?").unwrap();
    assert!(reports[2].1.report().unwrap().coverage.requests >= 7);
}
