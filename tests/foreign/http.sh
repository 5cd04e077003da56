# HTTP/1.1 of no database: files, ranges, an upload, errors, kept alive.
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
head -c 20000 /dev/urandom | base64 >"$dir/file.txt"
cd "$dir" && /usr/bin/python3 -m http.server --bind 127.0.0.1 --protocol HTTP/1.1 "$PORT" >/dev/null 2>&1 &
server=$!
sleep 1
url=http://127.0.0.1:$PORT
curl -s "$url/" "$url/file.txt" "$url/missing" -o /dev/null -o /dev/null -o /dev/null
curl -s -X POST -d 'a=1&b=2' "$url/form" >/dev/null
curl -s -I "$url/file.txt" >/dev/null
kill "$server"
