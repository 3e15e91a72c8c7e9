#!/usr/bin/env bats
# The service over UDP: no connections, each datagram answered by the hello line and itself.
# shellcheck disable=SC2154,SC2153,SC2030,SC2031,SC2094 # set by helper.bash and by Bats's run

load helper

# xs COUNT: that many letters x.
xs() {
  head -c "$1" /dev/zero | tr '\0' x
}

# json_of FILE EVENT KEY: the values of a key in those events, one a line.
json_of() {
  sed -nE "/\"event\":\"$2\"/s/.*\"$3\":\"?([^,\"}]*)\"?[,}].*/\1/p" "$1"
}

@test "udp: nc gets the hello line and its payload in one answer" {
  need nc ss
  start_server -u 0
  # shellcheck disable=SC2016 # expanded by the inner shell
  start nc sh -c 'printf one | nc -u -W 1 127.0.0.1 "$1"' sh "$PORT"
  wait_for_line server.out 'data +#1 '
  wait_for_end "$PID"
  from=$(sed -nE 's/^ +data +#1 +127\.0\.0\.1:([0-9]+) -> .*/\1/p' server.out)
  [ "$(cat nc.out)" = "hello 127.0.0.1:$from from 127.0.0.1:$PORT datagram 1"$'\n'one ]
}

@test "udp: the server's socket is the one ss shows, and it is no TCP port" {
  need ss
  start_server -u 0
  run -0 ss -Hlun "sport = :$PORT"
  [[ "$output" == *"127.0.0.1:$PORT"* ]]
  run -0 ss -Hltn "sport = :$PORT"
  [ -z "$output" ] || [[ "$output" != *"pid=$SERVER_PID,"* ]]
}

@test "udp: datagrams are numbered in the order in which they come, whoever sends them" {
  start_server -u 0
  run -0 "$client" --json -u -m a -m b "$PORT"
  run -0 "$client" --json -u -m c "$PORT"
  [[ "$output" == *'"number":3'* ]]
  run -0 "$client" -q -u -m d "$PORT"
  [ "$output" = d ]
  wait_for_line server.out 'data +#4 '
  run -0 grep -cE '^ +data ' server.out
  [ "$output" -eq 4 ]
}

@test "udp: an empty datagram is answered by the hello line alone" {
  start_server -u --json 0
  run -0 "$client" --json -u "$PORT"
  printf '%s\n' "$output" >client.out
  [ "$(json_of client.out send bytes)" = 0 ]
  [ "$(json_of client.out recv bytes)" = 0 ]
  [ "$(json_of client.out hello number)" = 1 ]
  wait_for_line server.out '"event":"data"'
  [ "$(json_of server.out data bytes)" = 0 ]
  end_server
  # "hello A from B datagram 1\n": what came back is that line, counted by hand.
  local="$(json_of client.out hello local)"
  line="hello $local from 127.0.0.1:$PORT datagram 1"
  [ "$(json_of client.out close bytes_in)" -eq $((${#line} + 1)) ]
  [ "$(json_of server.out summary bytes_out)" -eq $((${#line} + 1)) ]
}

@test "udp: 60000 bytes come back whole in one datagram" {
  start_server -u 0
  xs 60000 >sent
  run -0 --separate-stderr "$client" -q -u -m "$(cat sent)" "$PORT"
  [ -z "$stderr" ]
  printf '%s' "$output" | cmp - sent
  wait_for_line server.out 'data +#1 .* 60000 bytes'
}

@test "udp: what would not fit one datagram with the greeting is not answered, and said" {
  start_server -u 0
  start client "$client" -u -t 30 -m "$(xs 65500)" "$PORT"
  wait_for_line server.out 'no answer: .*would not fit'
  run -0 "$client" -q -u -m after "$PORT"
  [ "$output" = after ]
}

@test "udp: the largest payload that fits is answered, one byte more is not" {
  # A source port that was free just now, so that the length of the greeting is known.
  start_server_as probe -u 0
  own=$PORT
  end_server
  start_server -u 0
  line="hello 127.0.0.1:$own from 127.0.0.1:$PORT datagram 1"
  # 65507 bytes are IPv4's most: 65535 less 20 of IP and 8 of UDP.
  most=$((65507 - ${#line} - 1))
  run -0 "$client" -q -u -p "$own" -m "$(xs "$most")" "$PORT"
  [ "${#output}" -eq "$most" ]
  start client "$client" -u -t 30 -p "$own" -m "$(xs $((most + 1)))" "$PORT"
  wait_for_line server.out 'no answer: '
}

@test "udp: fifty clients on one socket are each told their own address" {
  start_server -u 0
  run -0 "$client" --json -u -n 50 -m x "$PORT"
  printf '%s\n' "$output" >client.out
  json_of client.out hello saw | sort >saw
  json_of client.out hello local | sort >own
  cmp saw own
  [ "$(sort -u saw | wc -l)" -eq 50 ]
}

@test "udp: the source port that the client names is the one ss shows" {
  need ss
  start_server -u 0
  start client "$client" -u -m x --hold 60 "$PORT"
  wait_for_line client.out '^ +hold '
  own=$(sed -nE 's/^ +source +127\.0\.0\.1:([0-9]+) .*kernel chose$/\1/p' client.out)
  run -0 ss -Hun "dport = :$PORT"
  [[ "$output" == *"127.0.0.1:$own "* ]]
  wait_for_line server.out "data +#1 +127\.0\.0\.1:$own -> "
}

@test "udp: from a server on all addresses the answer comes from the one that was asked" {
  need_linux "which address a datagram was sent to"
  [ "$(uname -s)" = Linux ] || skip "only Linux has 127.0.0.2 by itself"
  start_server -u -b any 0
  # The client's socket is connected: an answer from any other address would not reach it.
  run -0 "$client" --json -u -m x 127.0.0.2 "$PORT"
  [[ "$output" == *'"event":"hello"'*"\"peer\":\"127.0.0.2:$PORT\""* ]]
  wait_for_line server.out "-> 127\.0\.0\.2:$PORT "
}

@test "udp: nc, too, gets its answer from 127.0.0.2" {
  need nc
  need_linux "which address a datagram was sent to"
  start_server -u -b any 0
  # shellcheck disable=SC2016 # expanded by the inner shell
  start nc sh -c 'echo x | nc -u -W 1 127.0.0.2 "$1"' sh "$PORT"
  wait_for_line nc.out "^hello 127\.0\.0\.1:[0-9]+ from 127\.0\.0\.2:$PORT datagram 1$"
  wait_for_line nc.out '^x$'
}

@test "udp: IPv6" {
  [ -e /proc/net/if_inet6 ] || [ "$(uname -s)" != Linux ] || skip "this kernel has no IPv6"
  start_server -u -6 0
  run -0 "$client" -6 -q -u -m six "$PORT"
  [ "$output" = six ]
  wait_for_line server.out "data +#1 +\[::1\]:[0-9]+ -> \[::1\]:$PORT"
}

@test "udp: one port number, TCP and UDP at the same time" {
  start_server_as tcp 0
  tcp_port=$PORT
  start_server_as udp -u "$tcp_port"
  run -0 "$client" -q -m one "$tcp_port"
  [ "$output" = one ]
  run -0 "$client" -q -u -m two "$tcp_port"
  [ "$output" = two ]
}

@test "udp: a closed port is refused: the send works, the answer is an error" {
  # On an address of its own, lest another test's server gets the same port meanwhile.
  address=127.0.0.1
  [ "$(uname -s)" != Linux ] || address=127.31.$((BASHPID / 250 % 250)).$((BASHPID % 250 + 1))
  start_server -u -b "$address" 0
  end_server
  [ "$STATUS" -eq 0 ]
  run -1 --separate-stderr "$client" -u -m x "$address" "$PORT"
  [[ "$output" == *send*'"x"'* ]]
  [[ "$stderr" == *"cannot receive from $address:$PORT: "*ECONNREFUSED* ]]
}

@test "udp: what is about connections is refused" {
  local option
  for option in '-m poll' '--model poll' '--backlog 5' --hang-up '--idle 5' '--max-clients 2'; do
    # shellcheck disable=SC2086 # an option and its value
    run -2 --separate-stderr "$server" -u $option 0
    [ -z "$output" ]
    [[ "$stderr" == "server: --"*UDP* ]]
  done
  for option in no-accept no-close; do
    run -2 --separate-stderr "$server" -u --fault $option 0
    [[ "$stderr" == *no-read* ]]
  done
}

@test "udp: a server that never reads: the client says that no answer came" {
  start_server -u --fault no-read 0
  run -1 --separate-stderr "$client" -u -t 0.3 -m x "$PORT"
  [[ "$stderr" == *ETIMEDOUT* ]]
  end_server
  [ "$STATUS" -eq 0 ]
  run -0 grep -E '^served ' server.out
  [[ "$output" == 'served 0 datagrams, 0 bytes in, 0 out'* ]]
}

@test "udp: a datagram that waits for a server that never reads is in its queue, as ss shows" {
  need ss
  start_server -u --fault no-read 0
  run -1 "$client" -u -t 0.1 -m x "$PORT"
  run -0 ss -Hlun "sport = :$PORT"
  read -r _ waiting _ <<<"$output"
  [ "$waiting" -gt 0 ]
}

@test "udp: SIGTERM ends it in order, with the counts" {
  start_server -u --json 0
  run -0 "$client" -q -u -m 12345 -m 678 "$PORT"
  run -0 "$client" -q -u "$PORT"
  end_server
  [ "$STATUS" -eq 0 ]
  [ ! -s server.err ]
  [ "$(json_of server.out summary datagrams)" = 3 ]
  [ "$(json_of server.out summary bytes_in)" = 8 ]
  [ "$(tail -n 1 server.out | cut -c1-20)" = '{"event":"summary","' ] ||
    die "$(tail -n 1 server.out)"
}

@test "udp: with -q the server says only where it listens" {
  start_server -u -q 0
  run -0 "$client" -q -u -m x "$PORT"
  end_server
  [ "$(wc -l <server.out)" -eq 1 ]
}
