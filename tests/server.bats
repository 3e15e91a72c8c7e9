#!/usr/bin/env bats
# The server alone: what it announces, and whether that is so.
#
# shellcheck disable=SC2030,SC2031,SC2153,SC2154 # tests are subshells; helper.bash sets these

load helper

# talk_by_hand NAME COMMAND...: a partner whose standard input is written to descriptor 5.
talk_by_hand() {
  local name=$1
  shift
  mkfifo "$name.in"
  "$@" <"$name.in" >"$name.out" 2>"$name.err" 3>&- 4>&- &
  STARTED+=($!)
  exec 5>"$name.in"
}

# ---- where it listens ----

@test "port 0: the announced port is the one ss shows listening" {
  need ss
  start_server 0
  [ "$PORT" -ge 1024 ]
  run -0 ss -Hltn "sport = :$PORT"
  [[ "$output" == *"127.0.0.1:$PORT"* ]]
}

@test "a given port is the one it listens on" {
  need ss
  open_network
  start_server_in_network server 3306
  grep -qE '^listening 127\.0\.0\.1:3306 ' server.out
  run -0 "${in_network[@]}" ss -Hltn
  [ "$(awk '{ print $4 }' <<<"$output")" = 127.0.0.1:3306 ]
}

@test "a service name is the port that the services database has for it" {
  need getent
  expected=$(getent services mysql/tcp | awk '{ sub(/\/.*/, "", $2); print $2 }')
  [ -n "$expected" ] || skip "mysql is not in this services database"
  open_network
  start_server_in_network server mysql
  grep -q "^listening 127\.0\.0\.1:$expected " server.out
}

@test "it says listening only after it has said that it listens" {
  start_server 0
  [ "$(grep -nE '^  listen ' server.out | cut -d: -f1)" -lt "$(grep -n '^listening ' server.out | cut -d: -f1)" ]
}

@test "it listens on loopback only, unless asked" {
  need ss
  start_server 0
  [ "$(listener_in_ss "$PORT" | cut -d' ' -f3)" = "127.0.0.1:$PORT" ]
}

@test "-b any: reachable on other addresses too" {
  [ "$(uname)" = Linux ] || skip "only Linux answers on 127.0.0.2"
  start_server -b any 0
  grep -q "^listening 0\.0\.0\.0:$PORT " server.out
  run -0 "$client" 127.0.0.2 "$PORT"
  [[ "$output" == *"server saw 127.0.0."* ]]
}

@test "-b 127.0.0.2: not reachable on 127.0.0.1" {
  [ "$(uname)" = Linux ] || skip "only Linux has 127.0.0.2 without being told"
  open_network
  start_server_in_network server -b 127.0.0.2 3306
  run -0 "${in_network[@]}" "$client" 127.0.0.2 3306
  run -1 "${in_network[@]}" "$client" 127.0.0.1 3306
  [[ "$output" == *"ECONNREFUSED"* ]]
}

@test "-6: listens on ::1, and says so in brackets" {
  need nc
  need_ipv6
  start_server -6 0
  grep -qF "listening [::1]:$PORT " server.out
  run -0 nc -N ::1 "$PORT" </dev/null
  [[ "$output" =~ ^hello\ \[::1\]:[0-9]+\ from\ \[::1\]:$PORT\ connection\ 1$ ]]
}

@test "-6 -b any: says whether IPv4 clients come in, and that is so" {
  need_ipv6
  start_server -6 -b any 0
  if grep -q 'IPv4 clients too' server.out; then
    run -0 "$client" 127.0.0.1 "$PORT"
  else
    grep -q 'IPv6 clients only' server.out
    run -1 "$client" 127.0.0.1 "$PORT"
  fi
}

@test "--backlog is what ss shows as the listener's limit" {
  need ss
  start_server --backlog 7 0
  [ "$(listener_in_ss "$PORT" | cut -d' ' -f2)" = 7 ]
}

@test "--reuseport: two servers have one port, and a third without it has not" {
  need ss
  start_server_as one --reuseport 0
  start_server_as two --reuseport "$PORT"
  [ "$(listener_in_ss "$PORT" | wc -l)" -eq 2 ]
  run -1 "$server" "$PORT"
  [[ "$output" == *"EADDRINUSE"* ]]
}

# ---- the wire ----

@test "the hello line is exactly what is promised, and connections are numbered from 1" {
  need nc
  start_server 0
  for number in 1 2 3; do
    nc -N 127.0.0.1 "$PORT" </dev/null >hello
    grep -qE "^hello 127\.0\.0\.1:[0-9]+ from 127\.0\.0\.1:$PORT connection $number$" hello
    [ "$(wc -l <hello)" -eq 1 ]
    [ "$(tail -c 1 hello | od -An -tx1 | tr -d ' ')" = 0a ]
  done
}

@test "nc gets the hello line and its own bytes back, and the port in it is the one ss shows" {
  need nc ss
  start_server 0
  talk_by_hand nc nc 127.0.0.1 "$PORT"
  wait_for_line nc.out '^hello '
  seen=$(sed -nE 's/^hello 127\.0\.0\.1:([0-9]+) from .*/\1/p' nc.out)
  run -0 ss -Htn state established "dport = :$PORT"
  [[ "$output" == *"127.0.0.1:$seen "* ]]
  echo 'one two three' >&5
  wait_for_line nc.out '^one two three$'
  exec 5>&-
}

@test "curl's telnet is a partner" {
  need curl
  start_server 0
  talk_by_hand curl curl -sN --max-time 60 "telnet://127.0.0.1:$PORT"
  wait_for_line curl.out '^hello '
  echo 'from curl' >&5
  wait_for_line curl.out '^from curl$'
  exec 5>&-
}

@test "every byte value comes back, NUL included" {
  need nc
  for i in {0..255}; do printf '%b' "\\x$(printf %x "$i")"; done >data
  [ "$(wc -c <data)" -eq 256 ]
  start_server 0
  nc -N 127.0.0.1 "$PORT" <data >back
  tail -n +2 back | cmp - data
}

@test "a megabyte of anything comes back, though the client had closed its side" {
  need nc
  head -c 1000000 /dev/urandom >data
  start_server 0
  nc -N 127.0.0.1 "$PORT" <data >back
  tail -n +2 back | cmp - data
  wait_for_line server.out '^  close +#1 +1000000 bytes in, '
}

@test "a telling of many bytes gets quiet, with a line that says so" {
  need nc
  head -c 1000000 /dev/zero >data
  start_server 0
  nc -N 127.0.0.1 "$PORT" <data >/dev/null
  wait_for_line server.out '^  close '
  [ "$(grep -c '^  data ' server.out)" -le 8 ]
  grep -q 'further data of #1 is echoed, but not shown' server.out
}

@test "control characters of a client never reach the screen raw" {
  need nc
  start_server 0
  printf 'a\033[31m\a\b\r\177\200\377b' | nc -N 127.0.0.1 "$PORT" >/dev/null
  wait_for_line server.out '^  close '
  [ "$(tr -d '\n -~' <server.out | wc -c)" -eq 0 ]
}

# ---- states ----

@test "LISTEN and ESTABLISHED are told when ss says so" {
  need ss
  need_linux "states"
  start_server 0
  grep -qE '^  listen .* LISTEN$' server.out
  [ "$(ss -Hltn "sport = :$PORT" | awk '{ print $1 }')" = LISTEN ]
  start client "$client" --hold 60 "$PORT"
  wait_for_line client.out '^  hold '
  source=$(source_port client.out)
  grep -qE "^  accept +#1 +127\.0\.0\.1:$source -> 127\.0\.0\.1:$PORT +ESTABLISHED" server.out
  ss_says "$PORT" "$source" ESTABLISHED
}

@test "the portable build says that it does not see states" {
  [ "${PLATFORM:-linux}" != linux ] || skip "this build sees them"
  start_server 0
  grep -qE '^  listen .* not visible$' server.out
  run -0 "$server" --json --version
}

@test "--fault no-close: CLOSE_WAIT is told, and stays in ss" {
  need ss
  start_server --fault no-close 0
  start client "$client" -t 60 "$PORT"
  wait_for_line client.out '^  shutdown '
  wait_for_line server.out '^  eof +#1 '
  wait_until 20 ss_says "$PORT" "$(source_port client.out)" CLOSE_WAIT
  [ "${PLATFORM:-linux}" != linux ] || grep -qE '^  eof +#1 .* CLOSE_WAIT$' server.out
  ss_says "$(source_port client.out)" "$PORT" FIN_WAIT2
}

@test "--fault no-accept: connected, in the queue, and never accepted" {
  need ss
  start_server --fault no-accept 0
  start client "$client" -t 60 "$PORT"
  wait_for_line client.out '^  connect '
  wait_until 20 has_queued "$PORT" 1
  source=$(source_port client.out)
  ss_says "$PORT" "$source" ESTABLISHED
  [ "$(grep -c accept server.out)" -eq 1 ]
  grep -q -- '--fault no-accept' server.out
}

@test "--fault no-read: accepted and greeted, but the bytes stay in the receive queue" {
  need ss
  start_server --fault no-read 0
  start client "$client" -t 60 -m 12345 "$PORT"
  wait_for_line client.out '^  send '
  grep -q '^  hello .*the same' client.out
  received() { [ "$(ss -Htn state established "sport = :$PORT" | awk '{ print $1 }')" = 5 ]; }
  wait_until 20 received
  [ "$(grep -c '^  data ' server.out || true)" -eq 0 ]
}

# patient_client: one that does not close before the server does. Its words are in $output.
patient_client() {
  mkfifo nothing
  exec 6<>nothing # no end of input, and no input
  run -0 "$client" -i "$PORT" <&6
  exec 6>&-
}

@test "--hang-up: the server closes first, and TIME_WAIT is on its port" {
  need ss
  start_server --hang-up 0
  patient_client
  [[ "$output" == *"the server closed first"* ]]
  source=$(source_port <(printf '%s\n' "$output"))
  wait_until 20 ss_says "$PORT" "$source" TIME_WAIT
  [ -z "$(state_in_ss "$source" "$PORT")" ]
}

@test "--hang-up: both sides say where TIME_WAIT is" {
  need_linux "states"
  start_server --hang-up 0
  patient_client
  [[ "$output" == *"TIME_WAIT is on the server's side: it closed first"* ]]
  wait_for_line server.out '^  close +#1 .* TIME_WAIT '
}

# ---- limits ----

@test "--max-clients 1: the second client waits in the queue, and is served afterwards" {
  need ss
  start_server --max-clients 1 0
  start first "$client" --hold 60 "$PORT"
  first=$PID
  wait_for_line first.out '^  hold '
  start second "$client" -t 60 "$PORT"
  second=$PID
  wait_for_line second.out '^  connect '
  wait_until 20 has_queued "$PORT" 1
  [ "$(grep -c '^  accept ' server.out)" -eq 1 ]
  kill "$first"
  wait_for_end "$second"
  [ "$STATUS" -eq 0 ]
  grep -q '^  hello .*the same' second.out
}

@test "--idle closes a silent client" {
  need ss
  start_server --idle 0.5 0
  start client "$client" --hold 60 "$PORT"
  wait_for_line server.out '^  idle +#1 '
  wait_for_line server.out '^  close +#1 .* 0 open$'
  wait_until 20 ss_says "$(source_port client.out)" "$PORT" CLOSE_WAIT
}

@test "out of descriptors: says that it pauses, does not spin, and serves again" {
  [ -r /proc/self/stat ] || skip "needs /proc to measure processor time"
  # shellcheck disable=SC2016 # expanded by the inner shell
  start server sh -c 'ulimit -n 20; exec "$@"' limited "$server" 0
  wait_for_line server.out '^listening '
  PORT=$(sed -nE 's/^listening .*:([0-9]+) .*/\1/p' server.out)
  start crowd "$client" -n 30 -t 60 "$PORT"
  crowd=$PID
  wait_for_line server.out '^  pause '
  does_not_spin "$(cat server.pid)"
  [ "$(grep -c '^  pause ' server.out)" -eq 1 ] # and it is said once, not at every try
  kill "$crowd"
  run -0 "$client" -t 60 "$PORT"
  [[ "$output" == *"server saw"* ]]
}

# ---- the end ----

@test "SIGTERM and SIGINT: connections are closed, a summary, exit 0" {
  need ss
  for signal in TERM INT; do
    start_server 0
    start client "$client" --hold 60 "$PORT"
    wait_for_line client.out '^  hold '
    kill -s "$signal" "$SERVER_PID"
    wait_for_end "$SERVER_PID"
    [ "$STATUS" -eq 0 ]
    grep -qE '^  close +#1 .*by this end' server.out
    grep -qE '^served 1 connection, 0 bytes in, [0-9]+ out$' server.out
    [ -z "$(listener_in_ss "$PORT")" ]
    wait_until 20 ss_says "$(source_port client.out)" "$PORT" CLOSE_WAIT
    [ ! -s server.err ]
  done
}

@test "a second signal ends it at once, even while a child holds on" {
  need pgrep
  start_server -m fork 0
  start client "$client" --hold 60 "$PORT"
  wait_for_line client.out '^  hold '
  child=$(pgrep -P "$SERVER_PID")
  STARTED+=("$child")
  kill -STOP "$child" # it cannot see that the server ends, so the server waits for it
  kill -TERM "$SERVER_PID"
  wait_for_line server.out '^  stop '
  kill -0 "$SERVER_PID"
  kill -TERM "$SERVER_PID"
  wait_for_end "$SERVER_PID"
  [ "$STATUS" -eq $((128 + 15)) ]
}

@test "the numbers of the summary are those of the wire" {
  need nc
  start_server 0
  sent=0 got=0
  for text in a bcd ''; do
    printf %s "$text" | nc -N 127.0.0.1 "$PORT" >back
    sent=$((sent + ${#text})) got=$((got + $(wc -c <back)))
  done
  wait_for_line server.out '^  close ' 3
  end_server
  [ "$STATUS" -eq 0 ]
  [[ "$(tail -1 server.out)" == "served 3 connections, $sent bytes in, $got out"* ]]
}

# ---- output ----

@test "-q prints the listening line and nothing else" {
  start_server -q 0
  run -0 "$client" -m x "$PORT"
  end_server
  [ "$STATUS" -eq 0 ]
  [ "$(wc -l <server.out)" -eq 1 ]
  [[ "$(cat server.out)" == "listening 127.0.0.1:$PORT"* ]]
  [ ! -s server.err ]
}

@test "no line of the narration is wider than 80 columns" {
  start_server 0
  run -0 "$client" -m 'a message that is longer than what a line can show' "$PORT"
  run -0 "$client" --reset "$PORT"
  wait_for_line server.out '^  close ' 2
  end_server
  [ "$(awk 'length > 80' server.out | wc -l)" -eq 0 ]
}

@test "--json: every line is a JSON object, and the events come in order" {
  start_server --json 0
  run -0 "$client" -m 'x"\	' "$PORT"
  wait_for_line server.out '"event":"close"'
  end_server
  valid_json server.out
  events=$(sed -E 's/^\{"event":"([a-z-]+)".*/\1/' server.out | paste -sd ' ' -)
  [ "$events" = 'port socket bind listen listening accept data eof close stop summary' ]
}

@test "--json: the documented keys, with the values that ss and the client show" {
  need jq
  start_server --json 0
  run -0 "$client" --json -m hello "$PORT"
  source=$(jq -r 'select(.event == "source" and .peer) | .local' <<<"$output")
  wait_for_line server.out '"event":"close"'
  event() { jq -c "select(.event == \"$1\") | $2" server.out; }
  [ "$(event listening .local)" = "\"127.0.0.1:$PORT\"" ]
  [ "$(event accept '[.id, .local, .peer]')" = "[1,\"127.0.0.1:$PORT\",\"$source\"]" ]
  [ "$(event data .bytes)" -eq 5 ]
  [ "$(event close '[.id, .bytes_in]')" = '[1,5]' ]
  [ "$(event close .bytes_out)" -gt 5 ]
  class=registered
  [ "${source##*:}" -lt 49152 ] || class=dynamic
  [ "$(event accept .class)" = "\"$class\"" ]
  if [ "${PLATFORM:-linux}" = linux ]; then
    [ "$(event listen .state)$(event accept .state)$(event eof .state)" = '"LISTEN""ESTABLISHED""CLOSE_WAIT"' ]
  else
    [ "$(event listen .state)$(event accept .state)$(event eof .state)" = nullnullnull ]
  fi
}

escapes_in() {
  [ "$(tr -dc '\033' <"$1" | wc -c)" -gt 0 ]
}

@test "--color always colours a file, never and auto do not" {
  need_linux "states, the only thing coloured"
  start_server_as always --color always 0
  escapes_in always.out
  start_server_as never --color never 0
  run -1 escapes_in never.out
  start_server_as auto 0
  run -1 escapes_in auto.out
}

@test "standard output full: said on standard error, exit 1" {
  [ -w /dev/full ] || skip "there is no /dev/full"
  need timeout
  # shellcheck disable=SC2016 # expanded by the inner shell
  run -1 timeout 60 sh -c '"$0" 0 >/dev/full' "$server"
  [ "${#lines[@]}" -eq 1 ]
  [[ "$output" == "server: cannot write to standard output: No space left on device" ]]
}

@test "standard output closed: said on standard error, exit 1" {
  need timeout
  # shellcheck disable=SC2016 # expanded by the inner shell
  run -1 timeout 60 sh -c '"$0" 0 >&-' "$server"
  [ "${#lines[@]}" -eq 1 ]
  [[ "$output" == "server: cannot write to standard output: "* ]]
}

@test "its reader goes away: it ends with exit 1 and says why" {
  mkfifo pipe
  "$server" 0 >pipe 2>server.err </dev/null 3>&- 4>&- &
  SERVER_PID=$!
  STARTED+=("$SERVER_PID")
  sed '/^listening /q' <pipe >server.out # takes its leave after this line
  PORT=$(sed -nE 's/^listening .*:([0-9]+) .*/\1/p' server.out)
  run "$client" -t 60 "$PORT" # the server finds out when it has something to say
  wait_for_end "$SERVER_PID"
  [ "$STATUS" -eq 1 ]
  [ "$(cat server.err)" = "server: cannot write to standard output: Broken pipe" ]
}
