#!/usr/bin/env bash
# Measures server and client against a bare epoll loop and a bare opener, and against socat,
# ncat and small servers with libuv and libevent where those are installed. Everything
# happens in private networks, load and server on one processor. What is compared is the
# processor time of both ends together, which is what the clock shows on such a processor
# when nobody else is there; of answers it is the clock. A round after the other; medians.
# usage: pair.sh        ROUNDS=n (default 5)  CONNECTIONS=n (default 19000)
set -u
# shellcheck source=tests/bench/common.sh
. "$(dirname "$0")/common.sh"
crowd=${CONNECTIONS:-19000}
load=$build/load

if [ -z "${IN_BENCH:-}" ]; then
  compile load tests/bench/load.c tests/bench/measure.c || exit 1
  compile bare_server tests/bench/bare_server.c || exit 1
  for library in uv event; do # they are measured where they are installed
    rm -f "$build/${library}_server"
    compile "${library}_server" "tests/bench/${library}_server.c" -l"$library" 2>/dev/null
  done
fi
enter_network 420 "$0"

declare -A commands=(
  [bare]="$build/bare_server 3306" ["server -q"]="$BIN/server -q 3306"
  ["server >file"]="$BIN/server 3306"
  [libuv]="$build/uv_server 3306" [libevent]="$build/event_server 3306"
  [socat]="socat TCP-LISTEN:3306,fork,backlog=128,reuseaddr PIPE"
  [ncat]="ncat -l -k 127.0.0.1 3306 -e /bin/cat"
  ["bare x3"]="$build/bare_server 3306 reuseport"
  ["server x3"]="$BIN/server -q --reuseport 3306"
  ["bare opener"]="$load opener $crowd 0" ["client -q"]="$BIN/client -q -n $crowd -c $crowd --hold 60 3306"
  [client]="$BIN/client -n $crowd -c $crowd --hold 60 3306"
)
libraries=()
[ ! -x "$build/uv_server" ] || libraries+=(libuv)
[ ! -x "$build/event_server" ] || libraries+=(libevent)
forkers=()
for name in socat ncat; do
  ! command -v "$name" >/dev/null 2>&1 || forkers+=("$name")
done

# run_load WHAT NAME KIND COUNT NUMBER: what it prints goes to files of those names.
run_load() {
  local what=$1 name=$2 output=/dev/null words
  [ "$name" != 'server >file' ] || output=$build/narration
  # shellcheck disable=SC2086 # the words of a command
  if words=$(OUTPUT=$output timeout 60 "$load" "${@:3}" ${commands[$name]} 2>"$build/complaint"); then
    # shellcheck disable=SC2086 # pairs of words
    set -- $words
    while [ $# -gt 1 ]; do
      echo "$2" >>"$build/$what.$name.$1"
      shift 2
    done
  else
    say "bench: $what, $name, round $round: $(tail -n 1 "$build/complaint")"
  fi
}

# race WHAT 'KIND COUNT NUMBER' NAME...
race() {
  local what=$1 name
  local -a arguments
  read -ra arguments <<<"$2"
  shift 2
  rm -f "$build/$what."*
  for ((round = 0; round < rounds; round++)); do
    while IFS= read -r name; do
      run_load "$what" "$name" "${arguments[@]}"
    done < <(turns "$@")
  done
}

# table WHAT METRIC UNIT NAME...: the rate against the first one, whose rate is 1.
table() {
  local what=$1 metric=$2 unit=$3 name base
  shift 3
  base=$build/$what.$1.$metric
  printf '  %-14s %11s %17s %8s\n' '' "$unit" 'least-most' 'rate'
  for name; do
    [ -s "$build/$what.$name.$metric" ] || continue
    sort -n "$build/$what.$name.$metric" | awk -v name="$name" -v median="$(median "$build/$what.$name.$metric")" -v base="$(median "$base")" '
      NR == 1 { fast = $1 } { slow = $1 }
      END { printf "  %-14s %11.2f %17s %8.2f%s\n", name, median, sprintf("%.2f-%.2f", fast, slow),
        (median > 0 ? base / median : 1), (slow > 1.3 * fast ? "   noisy" : "") }'
  done
}

# rate WHAT NAME BASE METRIC: how quick NAME is, where BASE is 1.
rate() {
  ratio "$build/$1.$3.$4" "$build/$1.$2.$4"
}

bench_churn() {
  say 'churn: connect, greeting, 64 bytes there and back, close; 32 at once'
  race churn 'churn 15000 2' bare 'server -q' 'server >file' "${libraries[@]}"
  [ ${#forkers[@]} -eq 0 ] || race mute 'mute 15000 1' "${forkers[@]}"
  for name in "${forkers[@]}"; do
    [ ! -s "$build/mute.$name.wall" ] || cp "$build/mute.$name.wall" "$build/churn.$name.cost"
  done
  table churn cost 'us each' bare 'server -q' 'server >file' "${libraries[@]}" "${forkers[@]}"
  [ ${#forkers[@]} -eq 0 ] || say "  (${forkers[*]}: by the clock, without a greeting, a process for each)"
  target 'server -q' "$(rate churn 'server -q' bare cost)" least 0.95
  target 'server, narrating to a file' "$(rate churn 'server >file' bare cost)" least 0.80
  say
}

bench_echo() {
  local count all=$rounds rounds
  for count in 1 64 1000; do
    rounds=$((count == 1 ? all * 3 : all)) # what matters is a fraction of a microsecond
    say "echo: 64 bytes there and back on each of $count connection$([ "$count" = 1 ] || echo s), again and again"
    race "echo$count" "echo $count 0.5" bare 'server -q' "${libraries[@]}"
    table "echo$count" cost 'us each' bare 'server -q' "${libraries[@]}"
    table "echo$count" p99 'p99, us' bare 'server -q' "${libraries[@]}"
    target 'server -q' "$(rate "echo$count" 'server -q' bare cost)" least 0.95
    target 'its p99 to the bare one' "$(ratio "$build/echo$count.server -q.p99" "$build/echo$count.bare.p99")" most 1.10
    say
  done
}

bench_bulk() {
  local rounds=$((rounds * 3)) # one run differs from the next by more than the servers do
  say 'bulk: 400 MB one way through the echo on one connection'
  race bulk 'bulk 400 0' bare 'server -q' "${libraries[@]}"
  table bulk cost 'us for a MB' bare 'server -q' "${libraries[@]}"
  target 'server -q' "$(rate bulk 'server -q' bare cost)" least 0.95
  say
}

# beyond WHAT NAME BASE: bytes that a connection takes more than with the bare one.
beyond() {
  awk -v one="$(median "$build/$1.$2.bytes")" -v other="$(median "$build/$1.$3.bytes")" 'BEGIN { printf "%.0f", one - other }'
}

bench_idle() {
  say "idle: $crowd silent connections to one server; answers on 100 more"
  race idle "idle $crowd 1" bare 'server -q' "${libraries[@]}"
  table idle p50 'p50, us' bare 'server -q' "${libraries[@]}"
  for name in bare 'server -q' "${libraries[@]}"; do
    say "  $name: $(median "$build/idle.$name.bytes") bytes of its own memory for each"
  done
  target 'bytes beyond the bare loop' "$(beyond idle 'server -q' bare)" most 64
  target 'server -q' "$(rate idle 'server -q' bare p50)" least 0.91
  say
  say "idle: $((3 * crowd)) on one port of three servers (SO_REUSEPORT)"
  race idle3 "idle $crowd 3" 'bare x3' 'server x3'
  table idle3 p50 'p50, us' 'bare x3' 'server x3'
  target 'server --reuseport' "$(rate idle3 'server x3' 'bare x3' p50)" least 0.91
  say
}

bench_opening() {
  say "opening: a client opens $crowd connections and holds them; enough ports of one parity"
  race opening "opening $crowd wide" 'bare opener' 'client -q' client
  table opening cost 'us each' 'bare opener' 'client -q' client
  target 'client -q' "$(rate opening 'client -q' 'bare opener' cost)" least 0.90
  say
  say "opening: the same with the usual range, whose first parity has 14116 ports"
  race cliff "opening $crowd narrow" 'bare opener' client
  table cliff cost 'us each' 'bare opener' client
  target client "$(rate cliff client 'bare opener' cost)" least 0.90
  say
}

bench_start() {
  say 'start: until "listening" can be read'
  race start 'start 20 0' bare 'server -q'
  table start wall 'us' bare 'server -q'
  target 'server -q, microseconds' "$(median "$build/start.server -q.wall")" most 5000
  say
}

limit=$(ulimit -Hn)
if [ "$limit" != unlimited ] && [ "$limit" -lt $((crowd + 400)) ]; then
  crowd=$((limit - 400))
  say "only $limit descriptors are allowed (ulimit -Hn): $crowd connections instead"
fi
say_machine
bench_churn
bench_echo
bench_bulk
bench_idle
bench_opening
bench_start
say "$targets_missed targets missed"
