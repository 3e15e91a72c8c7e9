#!/usr/bin/env bats
# What only one serving model does. What all of them do is in models.bats.
# shellcheck disable=SC2154,SC2153,SC2034,SC2030,SC2031 # set by, or for, helper.bash

load helper
load serving

@test "iterative: the second client is connected, but accepted only when the first has left" {
  MODEL=iterative
  need ss
  serve
  hold one
  start two "$client" -q -t 60 -m mine "$PORT"
  wait_until 20 server_ends_in ESTAB 2
  # The listener's receive queue holds who waits to be accepted.
  run -0 ss -Hltn "sport = :$PORT"
  read -r _ waiting _ <<<"$output"
  [ "$waiting" -eq 1 ]
  [ "$(grep -c '^ *accept ' server.out)" -eq 1 ]
  leave one
  ends "$(cat two.pid)"
  [ "$STATUS" -eq 0 ]
  [ "$(cat two.out)" = mine ]
  [ "$(grep -c '^ *accept ' server.out)" -eq 2 ]
}

@test "fork: each client has a process, and they leave no zombies" {
  MODEL=fork
  need ps
  serve
  no_children
  hold one
  hold two
  [ "$(children | wc -l)" -eq 2 ]
  leave one
  leave two
  wait_until 20 no_children # a zombie would be listed
  run -0 "$client" -q -m after "$PORT"
  [ "$output" = after ]
}

@test "fork: a killed child ends its own connection and nobody else's" {
  MODEL=fork
  need nc ps
  serve
  # shellcheck disable=SC2016 # expanded by the inner shell
  start victim sh -c 'exec nc -d 127.0.0.1 "$1"' sh "$PORT"
  wait_for_line victim.out '^hello '
  child=$(children)
  mkfifo in
  # shellcheck disable=SC2016 # expanded by the inner shell
  start other sh -c 'exec nc 127.0.0.1 "$1" <in' sh "$PORT"
  exec 7>in
  wait_for_line other.out '^hello '
  kill -KILL "$child"
  ends "$(cat victim.pid)"
  echo 'still here' >&7
  wait_for_line other.out '^still here$'
  one_child() { [ "$(children | wc -l)" -eq 1 ]; }
  wait_until 20 one_child
  run -0 "$client" -q -m newcomer "$PORT"
  [ "$output" = newcomer ]
  ends_in_order
  [[ "$(tail -n 1 server.out)" == 'served 3 connections, '* ]]
  exec 7>&-
}

@test "fork: a server that is killed takes no connection down in silence: its children end" {
  MODEL=fork
  need nc ps
  serve
  # shellcheck disable=SC2016 # expanded by the inner shell
  start nc sh -c 'exec nc -d 127.0.0.1 "$1"' sh "$PORT"
  wait_for_line nc.out '^hello '
  child=$(children)
  kill -KILL "$SERVER_PID"
  ends "$PID" # nc sees the end
  gone() { ! kill -0 "$child"; }
  wait_until 20 gone
}
