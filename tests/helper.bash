# helper.bash - for every Bats suite: start programs, wait for what they say, end them.
#
# Rules: port 0 or a private network, never a fixed port on the host; wait for a line, never
# a fixed time; exact exit statuses (run -1 ...); end only what was started here, by pid.
#
# shellcheck disable=SC2034 # what is set here is for the tests

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
# its pid in $PID and NAME.pid. Standard input is empty. Functions of this file that run a
# command let it replace their shell, so that the pid is the command's own.
start() {
  local name=$1
  shift
  REPLACE='exec' "$@" >"$name.out" 2>"$name.err" </dev/null 3>&- 4>&- &
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
  # shellcheck disable=SC2016,SC2046 # expanded by the inner shell; a list of words
  ${REPLACE:-} unshare --net $( ((EUID == 0)) || echo --user --map-root-user) \
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
    ${REPLACE:-} "$@"
  else
    ${REPLACE:-} setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all "$@"
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

# open_network: a private network that lasts until the test ends, with loopback up. Its root
# runs "${in_network[@]}" COMMAND..., an ordinary user of it
# "${in_network[@]}" "${ordinary[@]}" COMMAND... (arrays, so that start gets the program's
# own pid). Call need_ordinary_user first where the latter runs our programs.
#
# shellcheck disable=SC2034 # for the tests
open_network() {
  need nsenter setpriv
  need_private_network
  # shellcheck disable=SC2016 # expanded by the inner shell
  start network private_network sh -c 'echo "$$" && exec sleep 600'
  wait_for_line network.out '^[0-9]+$' || return 1
  local holder
  holder=$(cat network.out)
  STARTED+=("$holder")
  if ((EUID == 0)); then
    in_network=(nsenter --target "$holder" --net)
    ordinary=(setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all)
  else
    in_network=(nsenter --target "$holder" --user --net --preserve-credentials)
    ordinary=(unshare --user) # a user namespace below: no capability over this network
  fi
}

# start_server_in_network NAME ARGS...: as start_server_as, in the open network.
start_server_in_network() {
  local name=$1
  shift
  start "$name" "${in_network[@]}" "$server" "$@"
  SERVER_PID=$PID
  wait_for_line "$name.out" '^listening ' ||
    die "the server said: $(cat "$name.err")" || return 1
}

# state_in_ss PORT PEER_PORT: the state of that connection, in the words of the programs.
state_in_ss() {
  ss -Htan "sport = :$1 and dport = :$2" |
    awk '{ sub(/^ESTAB$/, "ESTABLISHED", $1); gsub(/-/, "_", $1); sub(/WAIT_/, "WAIT", $1); print $1 }'
}

# ss_says PORT PEER_PORT STATE, to be waited for.
ss_says() {
  [ "$(state_in_ss "$1" "$2")" = "$3" ]
}

# listener_in_ss PORT: "RECV-Q SEND-Q ADDRESS:PORT", a line for each.
listener_in_ss() {
  ss -Hltn "sport = :$1" | awk '{ print $2, $3, $4 }'
}

# has_queued PORT COUNT: that many connections wait to be accepted there; to be waited for.
has_queued() {
  [[ "$(listener_in_ss "$1")" == "$2 "* ]]
}

# valid_json FILE: every line is a JSON object, by a program that knows.
valid_json() {
  if command -v jq >/dev/null 2>&1; then
    jq -es 'length > 0 and all(type == "object")' "$1" >/dev/null || return 1
    [ "$(jq -cs length "$1")" = "$(wc -l <"$1" | tr -d ' ')" ]
  elif command -v python3 >/dev/null 2>&1; then
    python3 -c 'import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
sys.exit(not lines or not all(isinstance(line, dict) for line in lines))' "$1"
  else
    skip "neither jq nor python3 is installed"
  fi
}

# source_port FILE: the source port that a client's narration in FILE gives.
source_port() {
  sed -nE 's/^  source +127\.[0-9.]+:([1-9][0-9]*) .*/\1/p' "$1" | tail -1
}

# need_ipv6: skips where loopback has no IPv6 address.
need_ipv6() {
  grep -qs '^00000000000000000000000000000001 ' /proc/net/if_inet6 ||
    skip "this machine has no ::1"
}

# processor_ticks PID: the processor time that it has used, in clock ticks.
processor_ticks() {
  sed 's/.*) //' "/proc/$1/stat" | awk '{ print $12 + $13 }'
}

# does_not_spin PID: for longer than the server waits until its next try it does nothing. There
# is nothing to wait for but time: the half second allowed is a fifth of it.
does_not_spin() {
  local before
  before=$(processor_ticks "$1")
  sleep 2.5
  [ $(($(processor_ticks "$1") - before)) -le $(($(getconf CLK_TCK) / 2)) ]
}
