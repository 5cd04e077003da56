//! The servers, and the functions in them that are slow for a reason.

use std::sync::{OnceLock, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tests::kept::KeptServer;
use tests::postgres::PostgresServer;

/// Every function takes 10 ms, and 400 ms where its rule says so, and returns whether it did. Each has its own name, so
/// each test has its own statement.
const SCHEMA: &str = "
CREATE FUNCTION take(slow boolean) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_sleep(CASE WHEN slow THEN 0.4 ELSE 0.01 END);
    RETURN slow;
END $$;
CREATE FUNCTION by_digit(id bigint) RETURNS boolean LANGUAGE sql AS 'SELECT take(id % 10 IN (3, 7))';
CREATE FUNCTION often_by_digit(id bigint) RETURNS boolean LANGUAGE sql
    AS 'SELECT take(id % 10 IN (3, 7) AND random() < 0.7)';
CREATE FUNCTION by_size(id bigint) RETURNS boolean LANGUAGE sql AS 'SELECT take(id >= 524288)';
CREATE FUNCTION by_null(id bigint) RETURNS boolean LANGUAGE sql AS 'SELECT take(id IS NULL)';
CREATE FUNCTION by_prefix(name text) RETURNS boolean LANGUAGE sql AS $$SELECT take(name LIKE 'vip-%')$$;
CREATE FUNCTION by_name(name text) RETURNS boolean LANGUAGE sql
    AS $$SELECT take(name = 'sentinel-customer')$$;
CREATE FUNCTION by_number(id bigint) RETURNS boolean LANGUAGE sql AS 'SELECT take(id = 4929123412341234)';
CREATE FUNCTION by_count(elements bigint) RETURNS boolean LANGUAGE sql AS 'SELECT take(elements > 16)';
CREATE FUNCTION by_null_pair(id bigint, note text) RETURNS boolean LANGUAGE sql
    AS 'SELECT take(id % 10 = 3 AND note IS NULL)';
CREATE FUNCTION by_true_pair(id bigint, urgent boolean) RETURNS boolean LANGUAGE sql
    AS 'SELECT take(id % 10 = 3 AND urgent)';
CREATE FUNCTION by_setting(id bigint) RETURNS boolean LANGUAGE sql
    AS $$SELECT take(coalesce(current_setting('app.slow', true), '') = 'on')$$;
CREATE FUNCTION by_first(id bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    first boolean := current_setting('app.known', true) IS DISTINCT FROM 'yes';
BEGIN
    PERFORM set_config('app.known', 'yes', false);
    RETURN take(first);
END $$;
CREATE TABLE flag AS SELECT false AS slow;
CREATE FUNCTION by_flag(id bigint) RETURNS boolean LANGUAGE sql AS 'SELECT take((SELECT slow FROM flag))';
CREATE TABLE locked (id bigint);
CREATE FUNCTION by_lock(id bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM count(*) FROM locked;
    PERFORM take(false);
    RETURN clock_timestamp() > statement_timestamp() + interval '400 ms';
END $$;
CREATE TABLE patience AS SELECT 0.4::float8 AS seconds;
CREATE FUNCTION by_patience(id bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_sleep(CASE WHEN id % 10 IN (3, 7) THEN (SELECT seconds FROM patience) ELSE 0.01 END);
    RETURN id % 10 IN (3, 7);
END $$;
CREATE FUNCTION in_three_classes(id bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_sleep(CASE WHEN id % 10 = 7 THEN 1 WHEN id % 10 IN (3, 4, 5) THEN 0.3 ELSE 0.01 END);
    RETURN id % 10 IN (3, 4, 5, 7);
END $$;
CREATE FUNCTION at_random(id bigint) RETURNS boolean LANGUAGE sql AS 'SELECT take(random() < 0.05)';
CREATE FUNCTION always(id bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_sleep(0.05);
    RETURN false;
END $$;
CREATE FUNCTION computes(id bigint) RETURNS boolean LANGUAGE sql
    AS 'SELECT count(*) < 0 FROM generate_series(1, 20000) n WHERE n % 7 = id % 7';
CREATE TABLE items AS SELECT n::bigint AS id FROM generate_series(1, 5000) n;
CREATE ROLE user_0 LOGIN; CREATE ROLE user_1 LOGIN; CREATE ROLE user_2 LOGIN; CREATE ROLE user_3 LOGIN;
";

/// Tests without a cause run alone: what another test does to the machine would be one.
static QUIET: RwLock<()> = RwLock::new(());

/// Held by a test that knows its cause.
pub fn shared() -> RwLockReadGuard<'static, ()> {
    QUIET.read().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Held by a test without a cause.
pub fn alone() -> RwLockWriteGuard<'static, ()> {
    QUIET.write().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A server with the schema and these settings.
pub fn start(settings: &[(&str, &str)]) -> PostgresServer {
    let plain = [("max_connections", "200"), ("autovacuum", "off"), ("jit", "off")];
    let server = PostgresServer::start(&[&plain, settings].concat()).unwrap();
    server.psql(SCHEMA).unwrap();
    server
}

/// The server of all tests.
pub fn server() -> &'static PostgresServer {
    static SHARED: OnceLock<KeptServer> = OnceLock::new();
    SHARED.get_or_init(|| KeptServer::new(start(&[])).unwrap()).server()
}
