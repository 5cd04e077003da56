# DNS over TCP, with the packages dnsmasq-base and bind9-dnsutils.
dnsmasq --no-daemon --port="$PORT" --listen-address=127.0.0.1 --bind-interfaces --no-resolv --no-hosts \
    --address=/shop.example/10.0.0.1 --txt-record=text.example,"some text that is a little longer" >/dev/null 2>&1 &
server=$!
sleep 1
for name in shop.example www.shop.example nothing.example; do
    dig +tcp -p "$PORT" @127.0.0.1 "$name" A >/dev/null
    dig +tcp -p "$PORT" @127.0.0.1 "$name" AAAA >/dev/null
done
dig +tcp +keepopen -p "$PORT" @127.0.0.1 text.example TXT shop.example A shop.example MX >/dev/null
kill "$server"
