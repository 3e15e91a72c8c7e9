#!/usr/bin/env bash
# Measures lab scan and lab sockets against bare loops written for the purpose, and against
# ss, nmap and nc where they are installed. Everything happens in a private network. Prints
# medians, as ratios to the bare loop, with the fastest and the slowest run. Takes less than
# two minutes.
# usage: lab.sh         ROUNDS=n (default 5)  PAIRS=n connections in the table (15000)
set -u
# shellcheck source=tests/bench/common.sh
. "$(dirname "$0")/common.sh"
pairs=${PAIRS:-15000}

if [ -z "${IN_BENCH:-}" ]; then
  compile bare_scan tests/bench/bare_scan.c || exit 1
  compile bare_table tests/bench/bare_table.c || exit 1
fi
enter_network 118 "$0"

# The server and the client, which are ended in any case.
processes=()
trap 'kill "${processes[@]}" 2>/dev/null; wait' EXIT

# once COMMAND...: its wall-clock milliseconds, with output thrown away as a pipe would.
once() {
  local before=$EPOCHREALTIME after status
  "$@" </dev/null 2>/dev/null | cat >/dev/null
  status=${PIPESTATUS[0]}
  after=$EPOCHREALTIME
  # nmap and nc have their own ideas of an exit status; 126 and above is no measurement.
  [ "$status" -lt 126 ] || return 1
  local tenths=$(((${after/[.,]/} - ${before/[.,]/}) / 100))
  echo "$((tenths / 10)).$((tenths % 10))"
}

# race NAME...: times go to $build/NAME.times; the command of NAME is in commands[NAME].
declare -A commands
race() {
  local round name
  for name; do : >"$build/$name.times"; done
  for ((round = 0; round < rounds; round++)); do
    while IFS= read -r name; do
      # shellcheck disable=SC2086 # the words of a command
      once ${commands[$name]} >>"$build/$name.times" || say "bench: $name failed in round $round"
    done < <(turns "$@")
  done
}

# table BASE NAME...: medians, ratios to BASE's median; noisy: slowest over 1.5 x fastest.
table() {
  local base name
  base=$(median "$build/$1.times")
  printf '%-14s %10s %18s %8s\n' '' 'median ms' 'fastest-slowest' 'ratio'
  for name; do
    sort -n "$build/$name.times" | awk -v name="$name" -v median="$(median "$build/$name.times")" -v base="$base" '
      NR == 1 { fast = $1 } { slow = $1 }
      END { printf "%-14s %10.1f %18s %8.2f%s\n", name, median, sprintf("%.1f-%.1f", fast, slow), median / base,
        (slow > 1.5 * fast) ? "   noisy" : "" }'
  done
}

# count STATE: how many sockets are in it, as /proc has it (01: established, 0A: listening).
count() {
  awk -v state="$1" '$4 == state' /proc/net/tcp | wc -l
}

# wait_for COUNT STATE: until there are so many, at most 25 seconds.
wait_for() {
  local deadline=$((SECONDS + 25))
  until [ "$(count "$2")" -ge "$1" ]; do
    ((SECONDS < deadline)) || return 1
    sleep 0.1
  done
}

bench_scan() {
  local names=(bare-scan lab-scan)
  "$BIN/server" -q 3306 >/dev/null 2>&1 &
  processes+=($!)
  wait_for 1 0A || { say 'bench: the server does not listen'; exit 1; }
  commands[bare-scan]=$build/bare_scan
  commands[lab-scan]="$BIN/lab scan"
  if command -v nc >/dev/null 2>&1; then
    names+=(nc-z)
    commands[nc-z]='timeout 20 nc -z 127.0.0.1 1-65535'
  fi
  if command -v nmap >/dev/null 2>&1; then
    names+=(nmap-sT)
    commands[nmap-sT]='timeout 20 nmap -n -Pn -sT -p- 127.0.0.1'
  fi
  say "all 65,535 ports of 127.0.0.1, one of them open; $rounds rounds"
  race "${names[@]}"
  table "${names[@]}"
  target 'lab scan to the bare scan' "$(ratio "$build/lab-scan.times" "$build/bare-scan.times")" most 1.2
  say
}

bench_sockets() {
  local names=(bare-table lab-sockets) limit
  if ! "$BIN/lab" sockets local-port 1 >/dev/null 2>&1; then
    say 'lab sockets: this build sees no sockets: skipped'
    return
  fi
  limit=$(ulimit -Hn)
  if [ "$limit" != unlimited ] && [ "$limit" -lt $((pairs + 100)) ]; then
    pairs=$((limit - 100))
    say "only $limit descriptors are allowed (ulimit -Hn): $pairs connections instead"
  fi
  ulimit -Sn "$limit" 2>/dev/null
  "$BIN/client" -q -n "$pairs" -c "$pairs" --hold 120 3306 >/dev/null 2>&1 &
  processes+=($!)
  wait_for $((2 * pairs)) 01 || { say "bench: no $pairs connections within 25 s: skipped"; return; }
  commands[bare-table]=$build/bare_table
  commands[lab-sockets]="$BIN/lab sockets tcp"
  if command -v ss >/dev/null 2>&1; then
    names+=(ss-tan)
    commands[ss-tan]='ss -tan'
  fi
  if command -v netstat >/dev/null 2>&1; then
    names+=(netstat-tan)
    commands[netstat-tan]='netstat -tan'
  fi
  say "a table of $(count 01) connected sockets; $rounds rounds"
  race "${names[@]}"
  table "${names[@]}"
  [ -z "${commands[ss-tan]:-}" ] ||
    target 'lab sockets to ss -tan' "$(ratio "$build/lab-sockets.times" "$build/ss-tan.times")" most 1.0
}

say_machine
bench_scan
bench_sockets
say "$targets_missed targets missed"
