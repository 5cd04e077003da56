# TLS 1.2 and 1.3, with HTTP inside that nobody can see.
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -days 1 -keyout "$dir/key" -out "$dir/cert" 2>/dev/null
openssl s_server -quiet -accept "127.0.0.1:$PORT" -key "$dir/key" -cert "$dir/cert" -www >/dev/null 2>&1 &
server=$!
sleep 1
curl -sk "https://127.0.0.1:$PORT/" --tlsv1.3 >/dev/null
curl -sk "https://127.0.0.1:$PORT/" --tls-max 1.2 >/dev/null
kill "$server"
