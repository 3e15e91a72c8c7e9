#!/usr/bin/env bats
# The same conversations for every serving model: run.sh runs this file once for each, with
# its name in $MODEL.
# shellcheck disable=SC2154,SC2153,SC2030,SC2031 # set by helper.bash and by Bats's run

load helper
load serving

MODEL=${MODEL:-epoll}

@test "$MODEL: a client is greeted with its own endpoint and gets its bytes back" {
  serve
  run -0 --separate-stderr "$client" --json -m 'hello, world' "$PORT"
  [ -z "$stderr" ]
  own=$(sed -nE 's/.*"event":"source","local":"([^"]*)","peer".*/\1/p' <<<"$output")
  [[ "$output" == *'"event":"hello"'*"\"saw\":\"$own\",\"number\":1"* ]]
  [[ "$output" == *'"event":"recv"'*'"data":"hello, world"'* ]]
}

@test "$MODEL: every byte there is comes back as it was" {
  need nc
  serve
  for ((i = 0; i < 256; i++)); do
    # shellcheck disable=SC2059 # each byte by its number
    printf "\\x$(printf %02x $i)"
  done >sent
  [ "$(wc -c <sent)" -eq 256 ]
  nc_with nc sent
  ends "$PID"
  data_of nc.out | cmp - sent
}

@test "$MODEL: a megabyte comes back whole, through nc, which closes its half first" {
  need nc
  serve
  head -c 1048576 /dev/urandom >sent
  nc_with nc sent
  ends "$PID"
  data_of nc.out | cmp - sent
  [[ "$(head -n 1 nc.out)" =~ ^hello\ 127\.0\.0\.1:[0-9]+\ from\ 127\.0\.0\.1:$PORT\ connection\ [0-9]+$ ]]
}

@test "$MODEL: a megabyte comes back whole through the client, too" {
  serve
  head -c 1048576 /dev/urandom >sent
  # shellcheck disable=SC2016 # expanded by the inner shell
  start client sh -c 'exec "$1" -q -i "$2" <sent' sh "$client" "$PORT"
  ends "$PID"
  [ "$STATUS" -eq 0 ]
  cmp client.out sent
}

@test "$MODEL: three clients at the same time are all served, at once or in their turn" {
  serve
  start one "$client" --json -m first --hold 600 "$PORT"
  wait_for_line one.out '"event":"hold"'
  for name in two three; do
    start "$name" "$client" --json -t 60 -m "$name" --hold 600 "$PORT"
    if [ "$MODEL" != iterative ]; then
      wait_for_line "$name.out" '"event":"hold"'
    fi
  done
  leave one
  # Now, at the latest, comes the next: and after it the last.
  next_held() { grep -l '"event":"hold"' two.out three.out; }
  wait_until 20 next_held
  first=$(next_held | head -n 1)
  leave "${first%.out}"
  wait_for_line two.out '"event":"recv".*"data":"two"'
  wait_for_line three.out '"event":"recv".*"data":"three"'
  run -0 sort -u <(sed -nE 's/.*"event":"hello".*"number":([0-9]+).*/\1/p' ./*.out)
  [ "$output" = $'1\n2\n3' ]
}

@test "$MODEL: connections are numbered 1, 2, 3" {
  serve
  for number in 1 2 3; do
    run -0 "$client" --json "$PORT"
    [[ "$output" == *"\"number\":$number}"* ]]
  done
}

@test "$MODEL: the summary counts connections and bytes exactly" {
  need nc
  serve --json
  for text in a bcd '' 0123456789; do
    printf %s "$text" >sent
    nc_with nc sent
    ends "$PID"
    cat nc.out >>all
  done
  ends_in_order
  [ "$(summary connections)" -eq 4 ]
  [ "$(summary bytes_in)" -eq 14 ]
  [ "$(summary bytes_out)" -eq "$(wc -c <all)" ]
}

@test "$MODEL: the summary also counts who is still connected at the end" {
  serve --json
  start client "$client" --json -m 12345 --hold 600 "$PORT"
  wait_for_line client.out '"event":"hold"'
  ends_in_order
  [ "$(summary connections)" -eq 1 ]
  [ "$(summary bytes_in)" -eq 5 ]
}

# Back-pressure: a writer that never reads fills both kernels' buffers, then waits.
@test "$MODEL: a client that sends and never reads costs bounded memory and delays nobody" {
  need ss ps
  [ -r /proc/self/status ] || skip "this system has no /proc to read the memory from"
  serve -q
  run -0 "$client" -q -m before "$PORT" # what is allocated once is allocated now
  before=$(memory)
  # shellcheck disable=SC2016 # expanded by the inner shell
  start writer bash -c 'exec 5<>"/dev/tcp/127.0.0.1/$1" && exec head -c 200000000 /dev/zero >&5' \
    bash "$PORT"
  # Full: bytes lie unread before the server, and unsent behind it, and neither moves.
  full() {
    local now
    now=$(server_ends | awk '$2 > 0 && $3 > 0')
    [ -n "$now" ] || return 1
    sleep 0.1
    [ "$(server_ends | awk '$2 > 0 && $3 > 0')" = "$now" ]
  }
  wait_until 60 full
  if [ "$MODEL" != iterative ]; then # there everybody waits: that is its nature
    run -0 "$client" -q -m meanwhile "$PORT"
    [ "$output" = meanwhile ]
  fi
  limit=2048
  [ "$MODEL" != fork ] || limit=6144 # a child's own pages are counted once more
  if grep -q __asan_init "$server"; then
    limit=49152 # its bookkeeping is larger than all else
  fi
  grown=$(($(memory) - before))
  ((grown <= limit)) || die "grew by $grown kB"
  kill -0 "$(cat writer.pid)" # it still waits: nobody has taken its 200 MB
}

@test "$MODEL: a client that cuts its connection disturbs nobody" {
  need ss
  serve
  for _ in 1 2 3; do
    run -0 "$client" --reset -m x "$PORT"
  done
  wait_for_line server.out '^ +reset ' 3
  run -0 "$client" -q -m after "$PORT"
  [ "$output" = after ]
  ends_in_order
}

@test "$MODEL: a client killed in the middle of a megabyte disturbs nobody" {
  need ss
  serve
  # shellcheck disable=SC2016 # expanded by the inner shell
  start writer bash -c 'exec 5<>"/dev/tcp/127.0.0.1/$1" && exec head -c 100000000 /dev/zero >&5' \
    bash "$PORT"
  wait_for_line server.out '^ +data +#1 '
  kill -KILL "$PID" # with bytes unread: the kernel answers further ones with a reset
  wait_for_line server.out '^ +close +#1 '
  run -0 "$client" -q -m after "$PORT"
  [ "$output" = after ]
  ends_in_order
}

@test "$MODEL: --hang-up: greeted, and the server closes first" {
  need ss
  serve --hang-up
  # This client reads its greeting and then keeps its own half open.
  # shellcheck disable=SC2016 # expanded by the inner shell
  start stayer bash -c \
    'exec 5<>"/dev/tcp/127.0.0.1/$1" && read -r line <&5 && echo "$line" && exec sleep 600' \
    bash "$PORT"
  wait_for_line stayer.out '^hello '
  wait_until 20 server_ends_in FIN-WAIT-2 1
  [ "$(grep -c '^ *close ' server.out)" -eq 0 ]
  kill -KILL "$PID" # closes the other half: who closed first keeps the 4-tuple
  wait_until 20 server_ends_in TIME-WAIT 1
  wait_for_line server.out '^ +close +#1 '
}

@test "$MODEL: --idle closes a silent connection" {
  need nc
  serve --idle 0.5
  # shellcheck disable=SC2016 # expanded by the inner shell
  start nc sh -c 'exec nc -d 127.0.0.1 "$1"' sh "$PORT"
  ends "$PID" # nc ends because the server has closed
  wait_for_line server.out '^ +idle +#1 '
  wait_for_line server.out '^ +close +#1 '
  kill -0 "$SERVER_PID"
}

@test "$MODEL: --max-clients 1: the second is connected, but waits in the queue" {
  need ss
  serve --max-clients 1
  hold one
  start two "$client" -q -t 60 -m mine "$PORT"
  wait_until 20 server_ends_in ESTAB 2
  run -0 ss -Hltn "sport = :$PORT"
  read -r _ waiting _ <<<"$output"
  [ "$waiting" -eq 1 ]
  leave one
  ends "$(cat two.pid)"
  [ "$STATUS" -eq 0 ]
  [ "$(cat two.out)" = mine ]
}

@test "$MODEL: --fault no-close leaves CLOSE_WAIT behind, as ss shows" {
  need ss
  serve --fault no-close
  hold one
  leave one
  wait_until 20 server_ends_in CLOSE-WAIT 1
  wait_for_line server.out '^ +eof +#1 '
  [ "$(grep -c '^ *close ' server.out)" -eq 0 ]
  ends_in_order
}

@test "$MODEL: --fault no-read: what a client sends stays unread in the server's queue" {
  need ss
  serve --fault no-read
  start client "$client" -t 60 -m 12345 "$PORT"
  unread() { server_ends | grep -q '^ESTAB 5 '; }
  wait_until 20 unread
  ends_in_order
}

@test "$MODEL: SIGTERM with open connections: exit 0, a summary, and every client sees the end" {
  need nc
  serve
  clients=(one two three)
  [ "$MODEL" != iterative ] || clients=(one)
  for name in "${clients[@]}"; do
    # shellcheck disable=SC2016 # expanded by the inner shell
    start "$name" sh -c 'exec nc -d 127.0.0.1 "$1"' sh "$PORT"
    wait_for_line "$name.out" '^hello '
  done
  ends_in_order
  [[ "$(tail -n 1 server.out)" == "served ${#clients[@]} connection"* ]]
  [ "$(grep -c '^ *close ' server.out)" -eq ${#clients[@]} ]
  for name in "${clients[@]}"; do
    ends "$(cat "$name.pid")"
    [ "$STATUS" -eq 0 ] # nc's 0: it ended with the connection, not with an error
  done
}

@test "$MODEL: SIGINT does the same with one client" {
  need ps
  serve
  hold one
  kill -INT "$SERVER_PID"
  ends "$SERVER_PID"
  [ "$STATUS" -eq 0 ]
  [[ "$(tail -n 1 server.out)" == 'served 1 connection, '* ]]
}

@test "$MODEL: after its end no process of the server is left" {
  need ps
  serve
  hold one
  mapfile -t workers < <(children)
  [ "$MODEL" != fork ] || [ "${#workers[@]}" -eq 1 ]
  ends_in_order
  for pid in "${workers[@]}"; do
    run -1 kill -0 "$pid"
  done
}

@test "$MODEL: a second signal ends it at once" {
  serve
  # Both are delivered together, before the first one's orderly end can begin.
  kill -STOP "$SERVER_PID"
  kill -TERM "$SERVER_PID"
  kill -INT "$SERVER_PID"
  kill -CONT "$SERVER_PID"
  ends "$SERVER_PID"
  [ "$STATUS" -eq 130 ] || [ "$STATUS" -eq 143 ] # 128 + SIGINT, or SIGTERM
  run -1 grep '^served' server.out
}

@test "$MODEL: two hundred connections later it has as many descriptors as before" {
  [ -d /proc/self/fd ] || skip "this system has no /proc to count descriptors in"
  need ps
  serve -q
  run -0 "$client" -q -m x "$PORT" # whatever is opened only once is open now
  before=$(descriptors)
  at_once=20
  [ "$MODEL" != iterative ] || at_once=1
  run -0 "$client" -q -n 200 -c "$at_once" "$PORT"
  wait_until 20 descriptors_are "$before"
  wait_until 20 no_children
}
