#!/usr/bin/env bats
# One port, many clients; one number, many sockets: what tells them apart is the 4-tuple.
#
# shellcheck disable=SC2030,SC2031,SC2153,SC2154 # tests are subshells; helper.bash sets these

load helper

@test "accept() opens no new port: every accepted socket has the listener's" {
  need ss
  start_server 0
  start clients "$client" -n 30 --hold 60 "$PORT"
  wait_for_line clients.out '^  hold '
  wait_for_line server.out '^  accept ' 30
  # all sockets of the server's process, as ss sees them
  run -0 ss -Htanp
  locals=$(grep "pid=$SERVER_PID," <<<"$output" | awk '{ print $4 }')
  [ "$(wc -l <<<"$locals")" -eq 31 ]
  [ "$(sort -u <<<"$locals")" = "127.0.0.1:$PORT" ]
  # and as the server says
  [ "$(grep '^  accept ' server.out | grep -c -- "-> 127\.0\.0\.1:$PORT ")" -eq 30 ]
}

@test "each client is told its own port, and only its own bytes come back" {
  need jq
  start_server 0
  "$client" --json -n 50 -m word "$PORT" >clients.out
  [ "$(jq -r 'select(.event == "hello") | .saw == .local' clients.out | sort | uniq -c | tr -s ' ')" = ' 50 true' ]
  [ "$(jq -r 'select(.event == "recv") | .data' clients.out | sort | uniq -c | tr -s ' ')" = ' 50 word' ]
}

@test "TCP and UDP have the same number at the same time" {
  need ss
  open_network
  start_server_in_network tcp 3306
  start_server_in_network udp -u 3306
  [ "$("${in_network[@]}" ss -Hltun 'sport = :3306' | awk '{ print $1 }' | sort | paste -sd ' ' -)" = 'tcp udp' ]
  run -0 "${in_network[@]}" "$client" -q -m over-tcp 3306
  [ "$output" = over-tcp ]
  run -0 "${in_network[@]}" "$client" -q -u -m over-udp 3306
  [[ "$output" == *over-udp ]]
}

@test "127.0.0.1 and 127.0.0.2 have the same port at the same time" {
  [ "$(uname)" = Linux ] || skip "only Linux has 127.0.0.2 without being told"
  open_network
  start_server_in_network one -b 127.0.0.1 3306
  start_server_in_network two -b 127.0.0.2 3306
  run -0 "${in_network[@]}" "$client" 127.0.0.2 3306
  wait_for_line two.out '^  accept +#1 '
  [ "$(grep -c '^  accept ' one.out || true)" -eq 0 ]
}

@test "one source port towards two servers, at the same time" {
  need ss
  open_network
  start_server_in_network one 3306
  start_server_in_network two 3307
  for port in 3306 3307; do
    start "client$port" "${in_network[@]}" "$client" -p 5000 --hold 60 "$port"
    wait_for_line "client$port.out" '^  hold '
  done
  run -0 "${in_network[@]}" ss -Htn state established 'sport = :5000'
  [ "$(awk '{ print $4 }' <<<"$output" | sort | paste -sd ' ' -)" = '127.0.0.1:3306 127.0.0.1:3307' ]
}

@test "one source port from two addresses towards one server, at the same time" {
  [ "$(uname)" = Linux ] || skip "only Linux has 127.0.0.2 without being told"
  open_network
  start_server_in_network server 3306
  for address in 127.0.0.1 127.0.0.2; do
    start "client$address" "${in_network[@]}" "$client" -s "$address" -p 5000 --hold 60 3306
    wait_for_line "client$address.out" '^  hold '
  done
  grep -qE '^  accept .* 127\.0\.0\.1:5000 -> 127\.0\.0\.1:3306 ' server.out
  grep -qE '^  accept .* 127\.0\.0\.2:5000 -> 127\.0\.0\.1:3306 ' server.out
}

# ---- ten thousand ----

need_ten_thousand() {
  local hard
  hard=$(ulimit -Hn)
  [ "$hard" = unlimited ] || [ "$hard" -ge 10100 ] ||
    skip "a process may have only $hard descriptors here (ulimit -Hn)"
  need ss jq
  open_network # of its own, so that ten thousand source ports are missed by nobody
  # Reset, not closed, in the end: so none stays in TIME_WAIT, and a range for all is there.
  "${in_network[@]}" sh -c 'echo "20000 60000" >/proc/sys/net/ipv4/ip_local_port_range' 2>/dev/null || true
}

established() {
  "${in_network[@]}" ss -Htn state established 'sport = :3306' | wc -l
}

has_established() {
  [ "$(established)" -eq "$1" ]
}

@test "10,000 clients at once are all served, each told its own port" {
  need_ten_thousand
  start_server_in_network server -q --backlog 4096 3306
  start clients "${in_network[@]}" "$client" --json -n 10000 -t 300 --hold 300 3306
  deadline=$((SECONDS + 200))
  until grep -q '"event":"hold"' clients.out; do
    ((SECONDS < deadline)) || die "no 10,000 in time: $(cat clients.err)"
    sleep 0.1
  done
  [ "$(established)" -eq 10000 ]
  [ "$(grep -c '"event":"hello"' clients.out)" -eq 10000 ]
  ports=$(sed -nE 's/^\{"event":"hello","id":[0-9]+,"local":"127\.0\.0\.1:([0-9]+)",.*"saw":"127\.0\.0\.1:\1".*/\1/p' clients.out)
  [ "$(sort -u <<<"$ports" | wc -l)" -eq 10000 ]
}

@test "half of 10,000 are cut off with resets: the others are not disturbed" {
  need_ten_thousand
  start_server_in_network server -q --backlog 4096 3306
  start stay "${in_network[@]}" "$client" -n 5000 -t 300 --hold 300 3306
  mkfifo keyboard
  "${in_network[@]}" "$client" -n 5000 -t 300 --reset --hold enter 3306 <keyboard >cut.out 2>cut.err 3>&- 4>&- &
  cut=$!
  STARTED+=("$cut")
  exec 5>keyboard
  wait_until 200 grep -q '^  hold ' stay.out
  wait_until 200 grep -q '^  hold ' cut.out
  [ "$(established)" -eq 10000 ]
  echo >&5
  wait_for_end "$cut"
  [ "$STATUS" -eq 0 ]
  # an orderly end would have left them in TIME_WAIT
  [ "$("${in_network[@]}" ss -Htn state time-wait 'dport = :3306' | wc -l)" -eq 0 ]
  wait_until 60 has_established 5000
  run -0 "${in_network[@]}" "$client" -q -t 300 -m 'still here' 3306
  [ "$output" = 'still here' ]
  kill -0 "$SERVER_PID"
  [ ! -s server.err ]
  exec 5>&-
}
