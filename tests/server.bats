#!/usr/bin/env bats
# The server alone: what it announces, and whether that is so.

load helper

@test "port 0: the announced port is the one ss shows listening" {
  need ss
  start_server 0
  [ "$PORT" -ge 1024 ]
  run -0 ss -Hltn "sport = :$PORT"
  [[ "$output" == *"127.0.0.1:$PORT"* ]]
}

@test "nc gets the hello line and its own bytes back, and the port in it is the one ss shows" {
  need nc ss
  start_server 0
  mkfifo in
  nc 127.0.0.1 "$PORT" <in >nc.out 3>&- &
  STARTED+=($!)
  exec 5>in
  wait_for_line nc.out '^hello '
  seen=$(sed -nE 's/^hello 127\.0\.0\.1:([0-9]+) from .*/\1/p' nc.out)
  run -0 ss -Htn state established "dport = :$PORT"
  [[ "$output" == *"127.0.0.1:$seen "* ]]
  echo 'one two three' >&5
  wait_for_line nc.out '^one two three$'
  exec 5>&-
}
