#!/usr/bin/env bats
# lab shell: one private network for all windows of an account, and nothing left of it.

# shellcheck disable=SC2030,SC2031 # Bats gives each test a subshell, on purpose
# shellcheck disable=SC2153,SC2154 # lab and stderr come from the helpers and from Bats

load runner

# shell ARGS...: lab shell ARGS, ended where it does not end.
shell() {
  timeout -k 5 30 "$lab" shell "$@"
}

# open_shell NAME ARGS...: one that stays until it is ended, in the background; its pid in
# $PID. What runs there says "ready" when it does.
open_shell() {
  local name=$1
  shift
  start "$name" "$lab" shell "$@"
  wait_for_line "$name.out" '^(ready|listening )' || die "$(cat "$name.err")"
}

# What runs there, for sh -c: it tells its network first.
STAY='readlink /proc/self/ns/net; echo ready; exec sleep 600'
SERVE='readlink /proc/self/ns/net; exec server 3306'

# network_in NAME: that network; it is not this machine's own.
network_in() {
  grep '^net:' "$1.out"
  run -1 grep -qxF "$(readlink /proc/self/ns/net)" "$1.out"
}

# in_network NET: the processes that are in it.
in_network() {
  local net
  for net in /proc/[0-9]*/ns/net; do
    [ "$(readlink "$net" 2>/dev/null)" != "$1" ] || echo "$net"
  done
}

is_empty() {
  [ -z "$(in_network "$1")" ]
}

@test "an ordinary account: a system port is refused, loopback is up, all ports are free" {
  need_sandbox
  need ss
  run -1 --separate-stderr shell -- server 80
  [[ "$stderr" == *'cannot bind 127.0.0.1:80: Permission denied (EACCES)'* ]]
  run -0 shell -- ss -Htuan
  [ -z "$output" ]
  # shellcheck disable=SC2016 # expanded by the inner shell
  run -0 shell -- sh -c 'id -u; ip -o link show lo; echo "$PORTLAB_NETWORK"; pwd -P; command -v server client lab'
  [[ "$output" == *'LOOPBACK,UP'*sandbox* ]]
  if ((EUID == 0)); then
    [ "${lines[0]}" -ne 0 ]
  else
    [ "${lines[0]}" -eq "$(id -u)" ]
    [[ "$output" == *"$PWD"* ]]
  fi
  no_leftovers
}

@test "--admin: root of this network, and of nothing else" {
  need_sandbox
  # shellcheck disable=SC2016 # expanded by the inner shell
  run -0 shell --admin -- sh -c 'id -u; ip addr add 192.0.2.1/32 dev lo && server -b 192.0.2.1 80 >out & \
    until grep -q ^listening out; do sleep 0.02; done; client 192.0.2.1 80 | grep hello; kill $!'
  [[ "$output" == 0*'server saw 192.0.2.1:'* ]]
  no_leftovers
}

@test "this machine's own network is not touched, nor seen" {
  need_sandbox
  need ss
  start_server 0
  ss -Hltn "sport = :$PORT" >before
  [ -s before ]
  run -0 shell --admin -- ss -Hltn "sport = :$PORT"
  [ -z "$output" ]
  # The same port is free there, and a server on it does not meet the one here.
  open_shell there -- server "$PORT"
  run -0 ss -Hltn "sport = :$PORT"
  [ "$output" = "$(cat before)" ]
  run -0 "$client" "$PORT"
  wait_for_line server.out 'accept +#1 '
  run -1 grep accept there.out
}

@test "the exit status is the command's; what is not found is told" {
  need_sandbox
  run -3 shell -- sh -c 'exit 3'
  run -0 shell -- true
  # shellcheck disable=SC2016 # expanded by the inner shell
  run -143 shell -- sh -c 'kill -TERM $$'
  run -127 --separate-stderr shell -- portlab-no-such-program
  [[ "$stderr" == 'lab: cannot run portlab-no-such-program: '* ]]
  echo given >input
  run -0 shell -- cat <input
  [ "$output" = given ]
  run -0 shell -- printf '%s,' 'a b' '' '*' --help
  [ "$output" = 'a b,,*,--help,' ]
  no_leftovers
}

@test "two share one network: a client in the second reaches the server in the first" {
  need_sandbox
  open_shell first -- server 3306
  run -0 shell -- client 3306
  [[ "$output" == *'server saw 127.0.0.1:'* ]]
  wait_for_line first.out 'accept +#1 '
  # Program and pid are seen from there, too.
  local pid
  pid=$(ps -o pid= --ppid "$(ps -o pid= --ppid "$PID" | tr -d ' ')" | tr -d ' ')
  run -0 shell -- lab sockets local-port 3306
  [[ "$output" == *LISTEN*"server/$pid"* ]] || die "no pid $pid: $output"
  # So it is for the admin; who sees the same network.
  run -0 shell --admin -- lab sockets local-port 3306
  [[ "$output" == *LISTEN*"server/$pid"* ]] || die "no pid $pid: $output"
  run -1 shell --admin -- server 3306
  [[ "$output" == *'EADDRINUSE'* ]]
}

@test "the admin's window and the ordinary one: same network, other power" {
  need_sandbox
  open_shell admin --admin -- server 80
  run -0 shell -- client 80
  [[ "$output" == *'server saw'* ]]
  run -1 shell -- server 81
  [[ "$output" == *EACCES* ]]
}

@test "the last one out removes it; a later one is a new one" {
  need_sandbox
  open_shell first -- sh -c "$SERVE"
  local first=$PID network
  network=$(network_in first)
  open_shell second -- sh -c "$STAY"
  local second=$PID
  [ "$(network_in second)" = "$network" ]
  kill -TERM "$first"
  wait_for_end "$first"
  # The first is gone, its server with it, and the network stays.
  run -0 shell -- readlink /proc/self/ns/net
  [ "$output" = "$network" ]
  run -0 shell -- lab sockets local-port 3306
  [ "$output" = 'no such socket now' ]
  kill -TERM "$second"
  wait_for_end "$second"
  wait_until 10 is_empty "$network"
  run -0 shell -- readlink /proc/self/ns/net
  [ "$output" != "$(readlink /proc/self/ns/net)" ]
  no_leftovers
}

@test "twenty at once come into one network" {
  need_sandbox
  open_shell first -- sh -c "$STAY"
  local i
  for i in {1..20}; do start "n$i" "$lab" shell -- readlink /proc/self/ns/net; done
  for i in {1..20}; do
    wait_for_end "$(cat "n$i.pid")"
    [ "$STATUS" -eq 0 ] || die "$(cat "n$i.err")"
  done
  [ "$(cat n*.out | sort -u)" = "$(network_in first)" ]
}

@test "twenty at once make one network" {
  need_sandbox
  local i
  for i in {1..20}; do start "n$i" "$lab" shell -- sh -c "$STAY"; done
  for i in {1..20}; do wait_for_line "n$i.out" '^ready$' || die "$(cat "n$i.err")"; done
  [ "$(sed '/ready/d' n*.out | sort -u | wc -l)" -eq 1 ]
}

@test "other accounts, which keep their state elsewhere, have another network" {
  need_sandbox
  open_shell first -- server 3306
  XDG_STATE_HOME=$PWD/other run -0 shell -- lab sockets local-port 3306
  [ "$output" = 'no such socket now' ]
}

@test "inside one no further one is opened" {
  need_sandbox
  run -1 --separate-stderr shell -- lab shell -- true
  [[ "$stderr" == 'lab: you are in the private network already'* ]]
}

# to_be_killed: a shell in which a program runs that does not go by itself; sets SHELL_PID,
# WORKER, LEFT and NETWORK.
to_be_killed() {
  need_sandbox
  start victim setsid "$lab" shell -- sh -c 'trap "" HUP INT TERM; setsid sleep 765432 & readlink /proc/self/ns/net; server 3306'
  SHELL_PID=$PID
  wait_for_line victim.out '^listening ' || die "$(cat victim.err)"
  WORKER=$(ps -o pid= --ppid "$SHELL_PID" | tr -d ' ')
  mapfile -t LEFT < <(descendants "$SHELL_PID")
  STARTED+=("${LEFT[@]}")
  NETWORK=$(network_in victim)
  [ "${#LEFT[@]}" -ge 4 ]
  # Held open, its number is not given to another test's network as soon as it is empty.
  local pid
  for pid in "${LEFT[@]}"; do
    if [ "$(readlink "/proc/$pid/ns/net")" = "$NETWORK" ]; then
      exec 8<"/proc/$pid/ns/net"
    fi
  done
}

nothing_is_left() {
  wait_until 5 all_gone "$SHELL_PID" "${LEFT[@]}" || die "$(ps -o pid,ppid,stat,args -p "$(IFS=,; echo "${LEFT[*]}")")"
  wait_until 5 is_empty "$NETWORK"
  wait_until 5 no_leftovers
}

@test "SIGTERM and SIGHUP end it with all that runs there" {
  local signal
  for signal in TERM HUP; do
    to_be_killed
    kill "-$signal" "$SHELL_PID"
    nothing_is_left
  done
}

@test "the worker is killed: nothing is left" {
  to_be_killed
  kill -KILL "$WORKER"
  nothing_is_left
}

@test "the guardian is killed: nothing is left" {
  to_be_killed
  kill -KILL "$SHELL_PID"
  nothing_is_left
}

@test "a window: a prompt that says where one is, and the way out" {
  need_sandbox
  need_talk
  export SHELL=/bin/sh
  run -0 talk 80 "$lab" shell <<'TALK'
see private network
see lab$
type echo "$PORTLAB_NETWORK network"
see sandbox network
type exit
see It is gone.
TALK
  run -0 talk 80 "$lab" shell --admin <<'TALK'
see You are root of this network
see lab-admin#
type exit 0
see It is gone.
TALK
  open_shell first -- sh -c "$STAY"
  run -0 talk 80 "$lab" shell <<'TALK'
see another window opened
see lab$
press D
see It stays
TALK
}

@test "the list tells that one is open" {
  need_sandbox
  run -0 "$lab"
  [[ "$output" != *'private network is open'* ]]
  open_shell first -- sh -c "$STAY"
  run -0 "$lab"
  [[ "$output" == *'A private network is open: lab shell joins it.'* ]]
  run -0 shell --admin -- lab
  [[ "$output" == *'You are in the private network'* ]]
}

@test "where private networks are forbidden: status 77, and which setting forbids them" {
  need_forbidden
  run -77 --separate-stderr forbidden timeout 30 "$lab" shell -- true
  [ -z "$output" ]
  [[ "$stderr" == *'allows no private network'*'why '*'try '* ]]
  [ "${PLATFORM:-linux}" != linux ] || [[ "$stderr" == *'user.max_user_namespaces = 0'*'sysctl user.max_user_namespaces='* ]]
  no_leftovers
}

@test "arguments that are none, and no terminal: one line says why, status 2" {
  refused 2 shell --nonsense
  refused 2 shell </dev/null
  [[ "$output" == *'needs a terminal'*'lab shell -- COMMAND'* ]]
}
