# helper.bash - for every Bats suite: start programs, wait for what they say, end them.
#
# Rules: port 0 or a private network, never a fixed port on the host; wait for a line, never
# a fixed time; exact exit statuses (run -1 ...); end only what was started here, by pid.

bats_require_minimum_version 1.5.0

BIN=${BIN:-$PWD/bin}
server=$BIN/server
client=$BIN/client
STARTED=()

# Names of system calls' errors and the programs' own words must not depend on the locale.
export LC_ALL=C
unset NO_COLOR

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
}

teardown() {
  local pid
  for pid in "${STARTED[@]}"; do
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
}

# die WORDS: ends the test with a reason.
die() {
  printf '%s\n' "$*" >&2
  return 1
}

# wait_until SECONDS COMMAND...: runs the command until it succeeds; dies at the deadline.
wait_until() {
  local deadline=$((SECONDS + $1 + 1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || die "not in time: $*" || return 1
    sleep 0.02
  done
}

# wait_for_line FILE REGEX [COUNT]: until FILE has at least COUNT (default 1) such lines.
wait_for_line() {
  local file=$1 regex=$2 count=${3:-1} deadline=$((SECONDS + 20))
  until [ "$(grep -cE -- "$regex" "$file" 2>/dev/null)" -ge "$count" ] 2>/dev/null; do
    if ((SECONDS >= deadline)); then
      die "no line '$regex' ($count times) in $file, which holds:" "$(cat "$file" 2>/dev/null)"
      return 1
    fi
    sleep 0.02
  done
}

# start NAME COMMAND...: runs it in the background, with output in NAME.out and NAME.err and
# its pid in $PID and NAME.pid. Standard input is empty.
start() {
  local name=$1
  shift
  "$@" >"$name.out" 2>"$name.err" </dev/null 3>&- 4>&- &
  PID=$!
  STARTED+=("$PID")
  echo "$PID" >"$name.pid"
}

# start_server ARGS...: a server that is listening; output in server.out and server.err, its
# pid in $SERVER_PID, its port in $PORT. Use port 0.
start_server() {
  start_server_as server "$@"
}

# start_server_as NAME ARGS...: the same under another name.
start_server_as() {
  local name=$1
  shift
  start "$name" "$server" "$@"
  SERVER_PID=$PID
  wait_for_line "$name.out" '^listening |"event":"listening"' ||
    die "the server said: $(cat "$name.err")" || return 1
  PORT=$(sed -nE 's/^listening .*:([0-9]+)( .*)?$/\1/p; s/.*"event":"listening","local":"[^"]*:([0-9]+)".*/\1/p' "$name.out")
}

# end_server: SIGTERM, and its exit status in $STATUS.
end_server() {
  kill -TERM "$SERVER_PID"
  STATUS=0
  wait "$SERVER_PID" || STATUS=$?
}

# wait_for_end PID: its exit status in $STATUS.
wait_for_end() {
  STATUS=0
  wait "$1" || STATUS=$?
}

# need TOOL...: skips where one is missing.
need() {
  local tool
  for tool in "$@"; do
    command -v "$tool" >/dev/null 2>&1 || skip "$tool is not installed"
  done
}

# need_linux: skips in the portable build, which cannot see the kernel's socket table.
need_linux() {
  [ "${PLATFORM:-linux}" = linux ] || skip "the portable build does not see $1"
}

# private_network COMMAND...: runs it in a network of its own, with loopback up, as that
# network's root (without being root on the host).
private_network() {
  # shellcheck disable=SC2016 # expanded by the inner shell
  unshare --net $( ((EUID == 0)) || echo --user --map-root-user) \
    sh -c 'ip link set lo up && exec "$@"' private "$@"
}

need_private_network() {
  need unshare ip
  private_network true 2>/dev/null ||
    skip "this system lets no ordinary user make a private network"
}

# as_ordinary_user COMMAND...: drops root if the tests run as root. Files in the current
# directory stay readable; the programs are copied where anybody may run them.
as_ordinary_user() {
  if ((EUID != 0)); then
    "$@"
  else
    setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all "$@"
  fi
}

need_ordinary_user() {
  ((EUID != 0)) || need setpriv
  mkdir -p "$BATS_TEST_TMPDIR/bin"
  cp "$server" "$client" "$BATS_TEST_TMPDIR/bin/"
  # Every directory on the way down must let the ordinary user through.
  local directory=$BATS_TEST_TMPDIR
  while [ "$directory" != / ]; do
    [ ! -O "$directory" ] || chmod a+x "$directory" 2>/dev/null || true
    directory=$(dirname "$directory")
  done
  chmod -R a+rX "$BATS_TEST_TMPDIR/bin"
  server=$BATS_TEST_TMPDIR/bin/server
  client=$BATS_TEST_TMPDIR/bin/client
  as_ordinary_user "$server" --version >/dev/null 2>&1 ||
    skip "an ordinary user cannot run programs in $BATS_TEST_TMPDIR"
}
