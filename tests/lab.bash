# lab.bash - for the suites of the lab: a private network that several programs share, and
# what the answers are held against.

# shellcheck disable=SC2034 # for the suites
# shellcheck disable=SC2154 # server comes from the helper

load helper

lab=$BIN/lab
TSV=$BATS_TEST_DIRNAME/../lab/kit/iana-ports.tsv

# start_network: makes a private network that stays for the test. "${INSIDE[@]}" COMMAND
# runs a command in it, as its root, also with start (a function would be one process more).
start_network() {
  need unshare nsenter ip
  need_private_network
  local -a make=(unshare --net) enter=(--net)
  if ((EUID != 0)); then
    make+=(--user --map-root-user)
    enter+=(--user --preserve-credentials)
  fi
  start network "${make[@]}" sh -c 'ip link set lo up && echo up && exec sleep 900'
  INSIDE=(nsenter --target "$PID" "${enter[@]}")
  wait_for_line network.out '^up$'
}

# serve NAME ARGS...: a server in that network, listening; its port in $PORT.
serve() {
  local name=$1
  shift
  start "$name" "${INSIDE[@]}" "$server" "$@"
  wait_for_line "$name.out" '^listening ' || die "the server said: $(cat "$name.err")" || return 1
  PORT=$(sed -nE 's/^listening .*:([0-9]+)( .*)?$/\1/p' "$name.out")
}

# start_every_state: sockets in all eleven TCP states, in a private network.
start_every_state() {
  start_network
  local cc=${CC:-cc}
  command -v "${cc%% *}" >/dev/null 2>&1 || skip "there is no C compiler"
  # shellcheck disable=SC2086 # CC may have arguments
  $cc -o states "$BATS_TEST_DIRNAME/support/states.c"
  start states "${INSIDE[@]}" ./states
  wait_for_line states.out '^ready$' || die "$(cat states.err)" || return 1
  wait_until 20 ten_states
}

# ten_states: whether ss sees every state that it can see; CLOSED it cannot.
ten_states() {
  [ "$("${INSIDE[@]}" ss -Htan | awk '{ print $1 }' | sort -u | wc -l)" -eq 10 ]
}

# ss_rows SS-ARGS...: "tcp local remote STATE" as ss sees it in the network, sorted. Names
# of states are the long ones; UDP has none; who talks to nobody has "*".
ss_rows() {
  "${INSIDE[@]}" ss -H -tuan "$@" | awk '
    BEGIN {
      split("LISTEN LISTEN ESTAB ESTABLISHED SYN-SENT SYN_SENT SYN-RECV SYN_RECV FIN-WAIT-1 FIN_WAIT1 " \
        "FIN-WAIT-2 FIN_WAIT2 CLOSING CLOSING TIME-WAIT TIME_WAIT CLOSE-WAIT CLOSE_WAIT LAST-ACK LAST_ACK", words, " ")
      for (i = 1; i in words; i += 2) name[words[i]] = words[i + 1]
    }
    $1 == "tcp" && !($2 in name) { next }
    {
      sub(/^\*:/, "[::]:", $5)
      sub(/^.*:\*$/, "*", $6)
      print $1, $5, $6, $1 == "udp" ? "-" : name[$2]
    }' | sort
}

# lab_rows ARGS...: the same as lab sockets tells it.
lab_rows() {
  "${INSIDE[@]}" "$lab" sockets "$@" |
    awk '($1 == "tcp" || $1 == "udp") && $4 != "CLOSED" { print $1, $2, $3, $4 }' | sort
}

# each_line_is_json FILE: held against somebody else's reader.
each_line_is_json() {
  [ -s "$1" ]
  if command -v jq >/dev/null 2>&1; then
    [ "$(jq -c 'select(type == "object" and has("event"))' <"$1" | wc -l)" -eq "$(wc -l <"$1")" ]
  elif python3 -c '' 2>/dev/null; then
    python3 -c 'import json, sys
for line in sys.stdin: json.loads(line)["event"]' <"$1"
  else
    skip 'no reader of JSON (jq or python3) is installed'
  fi
}

# refused STATUS ARGS...: lab ARGS... ends with that status, says so in one line on standard
# error, and nothing on standard output. The line is then in $output.
refused() {
  local status=$1
  shift
  run "-$status" --separate-stderr "$lab" "$@"
  [ -z "$output" ] || die "lab $* printed: $output"
  output=$stderr
  [[ "${#stderr_lines[@]}" -eq 1 && "$output" == 'lab: '* ]] || die "lab $*: $output"
}

# need_ordinary_lab: $lab where an ordinary user may run it.
need_ordinary_lab() {
  need_ordinary_user
  cp "$BIN/lab" "$BATS_TEST_TMPDIR/bin/lab"
  chmod a+rx "$BATS_TEST_TMPDIR/bin/lab"
  lab=$BATS_TEST_TMPDIR/bin/lab
}

# need_ordinary_inside: "${INSIDE[@]}" "${ORDINARY[@]}" COMMAND runs it in the private network
# as a user without power over it.
need_ordinary_inside() {
  need_ordinary_lab
  ORDINARY=(unshare --user --map-user=1000 --map-group=1000)
  ((EUID != 0)) || ORDINARY=(setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all)
  "${INSIDE[@]}" "${ORDINARY[@]}" true 2>/dev/null ||
    skip 'this system makes no ordinary user inside a private network'
}

# set_in_network NAME VALUE: a setting of the private network.
set_in_network() {
  # shellcheck disable=SC2016 # expanded by the inner shell
  "${INSIDE[@]}" sh -c 'echo "$2" >"/proc/sys/net/ipv4/$1"' set "$1" "$2"
}

# widest FILE: the most columns a line takes.
widest() {
  LC_ALL=C.UTF-8 wc -L <"$1"
}
