# MQTT 3.1.1, with the packages mosquitto and mosquitto-clients.
mosquitto -p "$PORT" >/dev/null 2>&1 &
server=$!
sleep 1
mosquitto_sub -p "$PORT" -t 'plant/#' -q 1 -C 5 >/dev/null &
subscriber=$!
sleep 0.5
for n in 1 2 3 4 5; do
    mosquitto_pub -p "$PORT" -t "plant/line$n" -q 1 -m "{\"temperature\": 2$n.5}"
done
wait "$subscriber"
kill "$server"
