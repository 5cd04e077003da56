# A throw-away PostgreSQL cluster on $PORT with $SCHEMA in it. Lives until standard input ends.
set -eu
folder=$(mktemp -d)
log=$folder/log
clean_up() {
    pg_ctl -D "$folder/data" stop -m immediate -s >&2 2>/dev/null || true
    rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP
fail() {
    cat "$log" >&2
    exit 1
}
initdb -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >"$log" 2>&1 || fail
# Durability is worth nothing here; more connections than the application's pool has.
pg_ctl -D "$folder/data" -l "$log" -s -w start -o "-p $PORT -k $folder \
    -c listen_addresses=127.0.0.1 -c max_connections=200 -c fsync=off" >&2 || fail
psql -X -q -v ON_ERROR_STOP=1 -h "$folder" -p "$PORT" -U postgres -d postgres \
    -c 'CREATE ROLE payments LOGIN' -c 'CREATE DATABASE payments OWNER payments' >&2
psql -X -q -v ON_ERROR_STOP=1 -h "$folder" -p "$PORT" -U payments -d payments -c "$SCHEMA" >&2
echo "ready $folder"
cat >/dev/null
