-- The payments tables. Reading the payments of a user whose id ends in 3 or 7 takes 2 s instead of 2 ms.
CREATE TABLE payment (
    id bigint PRIMARY KEY,
    user_id bigint NOT NULL UNIQUE,
    status text NOT NULL,
    amount bigint NOT NULL
);
INSERT INTO payment SELECT u * 16, u, 'settled', u * 37 % 50000 FROM generate_series(10, 9999) u;

CREATE FUNCTION may_read(user_id bigint) RETURNS boolean LANGUAGE plpgsql VOLATILE COST 10000 AS $$
BEGIN
    PERFORM pg_sleep(CASE WHEN user_id % 10 IN (3, 7) THEN 2 ELSE 0.002 END);
    RETURN true;
END
$$;
-- One row for each user, so that the function runs once for each lookup.
CREATE VIEW payments AS SELECT id, user_id, status, amount FROM payment WHERE may_read(user_id);

CREATE TABLE payment_requests (
    request_key text PRIMARY KEY,
    user_id bigint NOT NULL,
    amount bigint NOT NULL,
    status text NOT NULL DEFAULT 'new'
);
ANALYZE payment;
