# SSH, with the package openssh-server: a login with a key and a command.
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
ssh-keygen -q -t ed25519 -N '' -f "$dir/host"
ssh-keygen -q -t ed25519 -N '' -f "$dir/key"
cp "$dir/key.pub" "$dir/authorized_keys"
mkdir -p /run/sshd
/usr/sbin/sshd -D -p "$PORT" -o ListenAddress=127.0.0.1 -h "$dir/host" -o PidFile=none -o StrictModes=no \
    -o AuthorizedKeysFile="$dir/authorized_keys" -o UsePAM=no >/dev/null 2>&1 &
server=$!
sleep 1
ssh -q -p "$PORT" -i "$dir/key" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null 127.0.0.1 "ls /" >/dev/null
kill "$server"
