#!/bin/sh
# demo.sh - the whole story of ports in one terminal, on real sockets.
#
#   DEMO_PAUSE   seconds before each scene (default 2.5; 0: none)
#   DEMO_PORT    the server's port (default 3306)
#
# Works as any user. Where the port is taken it plays in a private network if the system
# lets it have one, else on the next free port, and says so.
set -u

pause=${DEMO_PAUSE:-2.5}
port=${DEMO_PORT:-3306}
bin=$(cd "${BIN:-bin}" && pwd) || exit 1
work=$(mktemp -d) || exit 1
server_pid=
refused_pid=

cleanup() {
  for pid in $server_pid $refused_pid; do
    kill -TERM "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
  done
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 141' PIPE
trap 'exit 143' TERM

bold='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
  bold=$(printf '\033[1m')
  plain=$(printf '\033[0m')
fi

scene() {
  [ "$pause" = 0 ] || sleep "$pause"
  printf '\n%s== %s%s\n' "$bold" "$1" "$plain"
}

# typed TERMINAL COMMAND: what somebody types there. What it does is shown below.
typed() { printf '%s%s$ %s%s\n' "$bold" "$1" "$2" "$plain"; }

# Terminal A belongs to the server, which writes to a file: show what is new in it.
shown=0
show_server() {
  total=$(($(wc -l <"$work/server")))
  sed -n "$((shown + 1)),${total}p" "$work/server"
  shown=$total
}

# wait_for REGEX COUNT FILE PID: until the file has so many such lines, about ten seconds at
# most; fails where the process has ended without.
wait_for() {
  tries=0
  until [ "$(grep -c "$1" "$3")" -ge "$2" ]; do
    tries=$((tries + 1))
    kill -0 "$4" 2>/dev/null || break
    [ "$tries" -lt 200 ] || break
    sleep 0.05
  done
  [ "$(grep -c "$1" "$3")" -ge "$2" ]
}

start_server() {
  "$bin/server" "$1" >"$work/server" 2>"$work/error" &
  server_pid=$!
  wait_for '^listening' 1 "$work/server" "$server_pid" && return 0
  wait "$server_pid"
  server_pid=
  return 1
}

# The same story in a network of its own, where every port is free; the player is an
# ordinary user there too. Does not come back if that works.
try_private_network() {
  [ -z "${DEMO_PRIVATE:-}" ] || return 1
  command -v unshare >/dev/null 2>&1 && command -v ip >/dev/null 2>&1 || return 1
  if [ "$(id -u)" = 0 ]; then
    outer='--net' inner=''
  else
    outer='--user --map-root-user --net'
    inner="unshare --user --map-user=$(id -u) --map-group=$(id -g)"
  fi
  # shellcheck disable=SC2086 # these are lists of words
  unshare $outer sh -c "ip link set lo up && $inner true" 2>/dev/null || return 1
  echo "Port $port is taken on this machine; so this plays in a private network,"
  echo 'where every port is free and nobody is disturbed.'
  cleanup
  # shellcheck disable=SC2086
  DEMO_PRIVATE=1 exec unshare $outer sh -c "ip link set lo up && exec $inner sh '$0'"
}

# As an ordinary user: this one, or nobody if this is root.
become_ordinary() {
  if [ "$(id -u)" != 0 ]; then
    exec "$@"
  elif command -v setpriv >/dev/null 2>&1; then
    exec setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all "$@"
  else
    exec su -s /bin/sh nobody -c "$*"
  fi
}

if ! start_server "$port"; then
  grep -q EADDRINUSE "$work/error" || { cat "$work/error" >&2; exit 1; }
  try_private_network
  taken=$port
  until start_server "$port"; do
    port=$((port + 1))
    [ "$port" -lt $((taken + 100)) ] || { cat "$work/error" >&2; exit 1; }
  done
  echo "Port $taken is taken on this machine; so this plays on $port, the next free one."
fi

printf '%sportlab: what a port is, in six scenes. A and B are two terminals.%s\n' \
  "$bold" "$plain"

scene '1. A server takes a port, and waits'
typed A "server $port"
show_server

scene '2. Three clients at once: one port, three source ports'
typed B "client -n 3 --hold 1 $port"
"$bin/client" -n 3 --hold 1 "$port" </dev/null || exit 1
wait_for '^  close ' 3 "$work/server" "$server_pid"
typed A '                      meanwhile'
show_server

scene '3. A fourth, step by step: when does a client get its port?'
typed B "client $port"
"$bin/client" "$port" </dev/null || exit 1
wait_for '^  close ' 4 "$work/server" "$server_pid"
typed A '                      meanwhile'
show_server

scene '4. An ordinary user asks for port 80'
mkdir "$work/bin" && chmod 755 "$work" "$work/bin" && cp "$bin/server" "$work/bin/"
who=$(id -un 2>/dev/null || id -u)
[ "$(id -u)" != 0 ] || who=nobody
typed B "server 80                       as user $who"
(cd "$work" && become_ordinary bin/server 80) >"$work/refused" 2>&1 &
refused_pid=$!
if wait_for '^listening' 1 "$work/refused" "$refused_pid"; then
  cat "$work/refused"
  echo '-- Here that is allowed, and the lines above say by what right. Elsewhere it is not.'
  kill "$refused_pid"
else
  cat "$work/refused"
fi
wait "$refused_pid"
refused_pid=

scene "5. A second server wants port $port too"
typed B "server $port"
"$bin/server" "$port" 2>&1

scene '6. Ctrl-C: the server gives the port back'
kill -INT "$server_pid"
wait "$server_pid"
status=$?
server_pid=
typed A '^C'
show_server
echo
echo 'Now you: open two terminals; in one type  bin/server 3306'
echo '                            in the other  bin/client 3306'
exit $status
