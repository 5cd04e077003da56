# AMQP 0-9-1, with the packages rabbitmq-server and amqp-tools. The broker leaves this script's process tree: only the
# clients' ends are recorded.
dir=$(mktemp -d)
chown rabbitmq "$dir"
export RABBITMQ_NODENAME=recorded@localhost RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_NODE_PORT="$PORT" RABBITMQ_DIST_PORT=$((PORT - 10000)) \
    RABBITMQ_MNESIA_BASE="$dir" RABBITMQ_LOG_BASE="$dir" RABBITMQ_PID_FILE="$dir/pid" HOME=/var/lib/rabbitmq
cd "$dir" || exit 1
as_rabbitmq() { runuser -u rabbitmq --preserve-environment -- "$@" >/dev/null 2>&1; }
trap 'kill "$(cat "$dir/pid")"; sleep 3; rm -rf "$dir"' EXIT
as_rabbitmq /usr/lib/rabbitmq/bin/rabbitmq-server -detached
for n in $(seq 60); do
    amqp-declare-queue --port="$PORT" -q orders >/dev/null 2>&1 && break
    sleep 1
done
for n in 1 2; do
    amqp-publish --port="$PORT" -r orders -b "{\"order\": $n}"
done
timeout 5 amqp-consume --port="$PORT" -q orders -c 2 cat >/dev/null
