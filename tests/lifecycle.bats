#!/usr/bin/env bats
# The life of a socket: what both sides tell of each state is what ss says, from LISTEN to
# TIME_WAIT. States that last are compared at that moment; of those that pass in microseconds
# (LAST_ACK, and FIN_WAIT1 on an empty way) only what may follow is required.
#
# shellcheck disable=SC2030,SC2031,SC2153,SC2154 # tests are subshells; helper.bash sets these

load helper

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  need ss
  need_linux "states"
}

# told FILE VERB: the state in the last line of that verb.
told() {
  grep -E "^  $2 " "$1" | tail -1 |
    grep -oE 'ESTABLISHED|SYN_SENT|SYN_RECV|FIN_WAIT[12]|TIME_WAIT|CLOSED|CLOSE_WAIT|LAST_ACK|LISTEN|CLOSING' | tail -1
}

# held_client ARGS...: a client that is connected and holds; its source port is in $SOURCE.
held_client() {
  start client "$client" --hold 60 "$@"
  wait_for_line client.out '^  hold '
  SOURCE=$(source_port client.out)
}

# client_until_enter ARGS...: the same, until press_enter; then its exit status is in $STATUS.
client_until_enter() {
  mkfifo keyboard
  "$client" --hold enter "$@" <keyboard >client.out 2>client.err 3>&- 4>&- &
  CLIENT_PID=$!
  STARTED+=("$CLIENT_PID")
  exec 5>keyboard
  wait_for_line client.out '^  hold '
  SOURCE=$(source_port client.out)
}

press_enter() {
  echo >&5
  exec 5>&-
  wait_for_end "$CLIENT_PID"
}

@test "CLOSED, then LISTEN: the listening socket" {
  start_server 0
  [ "$(told server.out socket)" = CLOSED ]
  [ "$(told server.out bind)" = CLOSED ]
  [ "$(told server.out listen)" = LISTEN ]
  [ "$(ss -Hltn "sport = :$PORT" | awk '{ print $1 }')" = LISTEN ]
}

@test "CLOSED, then ESTABLISHED: the client" {
  start_server 0
  held_client "$PORT"
  [ "$(told client.out socket)" = CLOSED ]
  [ "$(told client.out connect)" = ESTABLISHED ]
  [ "$(told client.out hold)" = ESTABLISHED ]
  ss_says "$SOURCE" "$PORT" ESTABLISHED
}

@test "ESTABLISHED on both sides at once" {
  start_server 0
  held_client "$PORT"
  [ "$(told server.out accept)" = ESTABLISHED ]
  ss_says "$PORT" "$SOURCE" ESTABLISHED
  ss_says "$SOURCE" "$PORT" ESTABLISHED
}

@test "ESTABLISHED without accept(): connected is not the same as accepted" {
  start_server --fault no-accept 0
  start client "$client" -t 60 "$PORT"
  wait_for_line client.out '^  connect '
  [ "$(told client.out connect)" = ESTABLISHED ]
  SOURCE=$(source_port client.out)
  wait_until 20 ss_says "$PORT" "$SOURCE" ESTABLISHED
}

@test "SYN_SENT: nobody answers" {
  start_server --fault no-accept --backlog 0 0
  start first "$client" -t 60 --hold 60 "$PORT"
  wait_until 20 has_queued "$PORT" 1
  start second "$client" -t 2 "$PORT"
  second=$PID
  waits() { [ "$(ss -Htn state syn-sent "dport = :$PORT" | wc -l)" -eq 1 ]; }
  wait_until 20 waits
  wait_for_end "$second"
  [ "$STATUS" -eq 1 ]
  [ "$(told second.out connect)" = SYN_SENT ]
}

@test "FIN_WAIT2 and CLOSE_WAIT: the client has closed, the server has not" {
  start_server --fault no-close 0
  run -0 "$client" -t 0.5 "$PORT"
  printf '%s\n' "$output" >client.out
  SOURCE=$(source_port client.out)
  [ "$(told client.out close)" = FIN_WAIT2 ]
  ss_says "$SOURCE" "$PORT" FIN_WAIT2
  [ "$(told server.out eof)" = CLOSE_WAIT ]
  ss_says "$PORT" "$SOURCE" CLOSE_WAIT
}

@test "FIN_WAIT2, then TIME_WAIT: the server closes after all" {
  start_server --fault no-close 0
  start client "$client" -t 60 "$PORT"
  pid=$PID
  wait_for_line client.out '^  shutdown '
  SOURCE=$(source_port client.out)
  wait_until 20 ss_says "$SOURCE" "$PORT" FIN_WAIT2
  end_server
  wait_for_end "$pid"
  [ "$(told client.out eof)" = TIME_WAIT ]
  [ "$(told client.out close)" = TIME_WAIT ]
  ss_says "$SOURCE" "$PORT" TIME_WAIT
  [ -z "$(state_in_ss "$PORT" "$SOURCE")" ]
}

@test "TIME_WAIT on the side that closed first: the client" {
  start_server 0
  client_until_enter "$PORT"
  press_enter
  [ "$STATUS" -eq 0 ]
  [[ "$(told client.out shutdown)" =~ ^(FIN_WAIT1|FIN_WAIT2|TIME_WAIT)$ ]]
  [ "$(told client.out close)" = TIME_WAIT ]
  ss_says "$SOURCE" "$PORT" TIME_WAIT
  wait_for_line server.out '^  close '
  [ "$(told server.out eof)" = CLOSE_WAIT ]
  [[ "$(told server.out close)" =~ ^(LAST_ACK|CLOSED)$ ]]
  [ -z "$(state_in_ss "$PORT" "$SOURCE")" ]
}

@test "TIME_WAIT is told with the seconds that ss gives it" {
  start_server 0
  run -0 "$client" "$PORT"
  SOURCE=$(source_port <(printf '%s\n' "$output"))
  [[ "$output" =~ close\ .*\ TIME_WAIT\ +([0-9]+)\ s\ left ]]
  told=${BASH_REMATCH[1]}
  shown=$(ss -Htano state time-wait "sport = :$SOURCE and dport = :$PORT" |
    sed -nE 's/.*timer:\(timewait,([0-9]+)sec,.*/\1/p')
  [ -n "$shown" ]
  # ss was asked later, and rounds down
  [ "$shown" -le "$told" ]
  [ "$shown" -gt 0 ]
}

@test "FIN_WAIT2 on the server, CLOSE_WAIT on the client: the server hangs up first" {
  start_server --hang-up 0
  client_until_enter "$PORT"
  wait_for_line server.out '^  hang-up '
  [[ "$(told server.out hang-up)" =~ ^FIN_WAIT[12]$ ]]
  wait_until 20 ss_says "$PORT" "$SOURCE" FIN_WAIT2
  wait_until 20 ss_says "$SOURCE" "$PORT" CLOSE_WAIT
  press_enter
  [ "$STATUS" -eq 0 ]
  [[ "$(told client.out shutdown)" =~ ^(LAST_ACK|CLOSED)$ ]]
  wait_for_line server.out '^  close '
  [ "$(told server.out eof)" = TIME_WAIT ]
  [ "$(told server.out close)" = TIME_WAIT ]
  ss_says "$PORT" "$SOURCE" TIME_WAIT
  [ -z "$(state_in_ss "$SOURCE" "$PORT")" ]
}

@test "CLOSE_WAIT on the client: it is told, after the server has hung up" {
  start_server --hang-up 0
  mkfifo nothing
  exec 6<>nothing # no end of input, and no input: the client waits for the server's end
  run -0 "$client" -i "$PORT" <&6
  exec 6>&-
  printf '%s\n' "$output" >client.out
  [ "$(told client.out eof)" = CLOSE_WAIT ]
  grep -qF "TIME_WAIT is on the server's side: it closed first" client.out
  wait_until 20 ss_says "$PORT" "$(source_port client.out)" TIME_WAIT
}

@test "FIN_WAIT1: the FIN waits behind bytes that nobody reads" {
  read -r _ default most </proc/sys/net/ipv4/tcp_wmem
  read -r _ window _ </proc/sys/net/ipv4/tcp_rmem
  [ -n "$default" ]
  [ $((window * 6)) -le "$most" ] || skip "the buffers here are not as usual (tcp_rmem, tcp_wmem)"
  start_server --fault no-read 0
  message=$(printf "%0$((window / 2))d" 7)
  start client "$client" -t 60 --half-close -m "$message" -m "$message" -m "$message" -m "$message" -m "$message" -m "$message" "$PORT"
  wait_for_line client.out '^  shutdown '
  [ "$(told client.out shutdown)" = FIN_WAIT1 ]
  SOURCE=$(source_port client.out)
  ss_says "$SOURCE" "$PORT" FIN_WAIT1
  ss_says "$PORT" "$SOURCE" ESTABLISHED
}

@test "CLOSED at once on both sides: a reset leaves nothing" {
  start_server 0
  run -0 "$client" --reset "$PORT"
  printf '%s\n' "$output" >client.out
  SOURCE=$(source_port client.out)
  [ "$(told client.out reset)" = CLOSED ]
  wait_for_line server.out '^  close '
  [ "$(told server.out reset)" = CLOSED ]
  [ "$(told server.out close)" = CLOSED ]
  [ -z "$(state_in_ss "$SOURCE" "$PORT")$(state_in_ss "$PORT" "$SOURCE")" ]
}

@test "a server that ends closes first: it waits in FIN_WAIT2 for a client in CLOSE_WAIT" {
  start_server 0
  held_client "$PORT"
  end_server
  [ "$STATUS" -eq 0 ]
  [[ "$(told server.out close)" =~ ^FIN_WAIT[12]$ ]]
  wait_until 20 ss_says "$PORT" "$SOURCE" FIN_WAIT2
  wait_until 20 ss_says "$SOURCE" "$PORT" CLOSE_WAIT
}

@test "an idle client is closed by the server: the server is first" {
  start_server --idle 0.2 0
  held_client "$PORT"
  wait_for_line server.out '^  close '
  [[ "$(told server.out close)" =~ ^FIN_WAIT[12]$ ]]
  wait_until 20 ss_says "$SOURCE" "$PORT" CLOSE_WAIT
}

@test "a client that is killed: its kernel says goodbye for it" {
  start_server 0
  held_client "$PORT"
  kill -KILL "$PID"
  wait_for_line server.out '^  close '
  [ "$(told server.out eof)" = CLOSE_WAIT ]
  wait_until 20 ss_says "$SOURCE" "$PORT" TIME_WAIT
}

@test "the whole of an orderly life, in order, on both sides" {
  start_server 0
  run -0 "$client" -m x --half-close "$PORT"
  verbs=$(sed -nE 's/^  ([a-z-]+) .*/\1/p' <<<"$output" | paste -sd ' ' -)
  [ "$verbs" = 'socket source connect source hello send shutdown recv eof close' ]
  wait_for_line server.out '^  close '
  verbs=$(sed -nE 's/^  ([a-z-]+) .*/\1/p' server.out | paste -sd ' ' -)
  [ "$verbs" = 'socket bind listen accept data eof close' ]
}

@test "--fault no-answer: the kernel drops what comes, the client meets silence" {
  need_linux 'a filter on a socket'
  start_server --fault no-answer 0
  run -1 --separate-stderr "$client" -t 0.3 "$PORT"
  [[ "$output" == *'no answer  '*SYN_SENT* ]]
  [[ "$stderr" == *'(ETIMEDOUT)'* ]]
  [[ "$(listener_in_ss "$PORT")" == '0 '* ]] # nobody has come as far as the queue
  start_server_as datagrams -u --fault no-answer 0
  run -1 "$client" -u -t 0.3 -m hello "$PORT"
}

@test "--fault reset: each connection is cut as soon as it is accepted" {
  start_server --fault reset 0
  run -1 --separate-stderr "$client" "$PORT"
  [[ "$stderr" == *'(ECONNRESET)'* ]]
  wait_for_line server.out '^  close  *#1 '
  run -1 grep -E '^  close .*ESTABLISHED' server.out
  [ -z "$(ss -Htan "sport = :$PORT and state time-wait")" ]
}

@test "--fault by number is the same fault, and quiet does not tell it" {
  start_server --fault 3 0
  run -0 "$client" --half-close -m x "$PORT" # it closes nothing, but the client is answered
  wait_for_line server.out 'no-close'
  start_server_as quiet -q --fault 3 0
  run -1 grep -q 'close' quiet.out
}
