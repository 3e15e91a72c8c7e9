#!/usr/bin/env bash
# Serves a churn of clients for a long time and watches that nothing grows. Everything
# happens in a private network: one server of each model and one of UDP, each with a client
# loop of its own: short conversations, several at once, large ones, half-closed ones, cut
# ones. SOAK_SECONDS=n (default 1200), NICE=n (default 10).
#
# Fails if a client failed; if a server served another number than its clients counted; if
# descriptors, threads or children at the end are not those of the beginning; or if memory
# grew by more than MARGIN_KB (default 256) after the first quarter. What a server keeps for
# good (buffers of standard output, stacks of threads for the next one, the heap's free lists)
# it has by then. In twenty minutes each serves some 50,000 clients in the other three
# quarters: 256 kB would be 5 bytes of each, less than the smallest block that malloc() gives.
set -u
cd "$(dirname "$0")/../.." || exit 1

BIN=${BIN:-bin}
seconds=${SOAK_SECONDS:-1200}
margin=${MARGIN_KB:-256}
samples=${BUILD:-build}/soak
every=$((seconds < 200 ? (seconds + 19) / 20 : 10))
failures=0

say() { printf '%s\n' "$*"; }
fail() {
  say "FAILED: $*"
  failures=$((failures + 1))
}

# First of all: into a network of our own, as its root.
if [ -z "${IN_SOAK:-}" ]; then
  enter=(unshare --net)
  [ "$(id -u)" = 0 ] || enter+=(--user --map-root-user)
  if ! "${enter[@]}" ip link set lo up 2>/dev/null; then
    say 'soak: this system lets this account have no private network: skipped'
    exit 77
  fi
  rm -rf "$samples"
  mkdir -p "$samples"
  IN_SOAK=1 exec nice -n "${NICE:-10}" "${enter[@]}" timeout $((seconds + 120)) bash "$0"
fi
ip link set lo up
head -c 300000 /dev/urandom >"$samples/large"

declare -A pid_of port_of reader_of
names=()
clients=()
trap 'kill "${clients[@]}" "${pid_of[@]}" 2>/dev/null; wait' EXIT

# start_server NAME OPTION...: its pid and its port in the tables; it tells what it does, as it
# would on a screen, but only the lines that are needed are kept.
start_server() {
  local name=$1 out=$samples/$1.out deadline=$((SECONDS + 20))
  shift
  : >"$out"
  mkfifo "$samples/$name.told"
  grep --line-buffered -E '^(listening|served) ' <"$samples/$name.told" >"$out" &
  reader_of[$name]=$!
  "$BIN/server" "$@" 0 >"$samples/$name.told" 2>"$samples/$name.err" </dev/null &
  pid_of[$name]=$!
  until grep -q '^listening' "$out"; do
    ((SECONDS < deadline)) || { say "soak: $name does not listen: $(cat "$samples/$name.err")"; exit 1; }
    sleep 0.05
  done
  port_of[$name]=$(sed -nE 's/^listening .*:([0-9]+) .*/\1/p' "$out")
  names+=("$name")
}

# converse NAME OPTION...: one run of the client; says on standard error what went wrong.
converse() {
  local name=$1 status
  shift
  "$BIN/client" -q -t 30 "$@" "${port_of[$name]}" >"$samples/$name.said" 2>"$samples/$name.error" </dev/null
  status=$?
  ((status == 0)) && return
  echo "client $*: status $status: $(tr '\n' ' ' <"$samples/$name.error")" >>"$samples/$name.failed"
}

# The large one: what comes back must be what was sent.
converse_large() {
  local name=$1
  "$BIN/client" -q -t 30 -i "${port_of[$name]}" <"$samples/large" >"$samples/$name.said" 2>"$samples/$name.error"
  cmp -s "$samples/$name.said" "$samples/large" ||
    echo "client -i: something else came back: $(tr '\n' ' ' <"$samples/$name.error")" >>"$samples/$name.failed"
}

# churn NAME AT_ONCE: client after client until the end; how many goes to a file. The pauses
# keep it at some 50 connections a second, far below the 28,232 source ports in a minute.
churn() {
  local name=$1 at_once=$2 count=0
  while [ ! -e "$samples/over" ]; do
    converse "$name" -n 25 -c "$at_once" -m 'once more'
    converse "$name" -n 10 -c 1 --reset -m 'cut'
    converse "$name" -n 5 -c "$at_once" --half-close -m "$(printf '%01000d' 7)"
    converse_large "$name"
    converse "$name" --hold 0.2
    count=$((count + 42))
    echo "$count" >"$samples/$name.count"
    sleep 0.5
  done
}

churn_datagrams() {
  local count=0
  while [ ! -e "$samples/over" ]; do
    converse udp -u -n 25 -c 5 -m 'once more'
    converse udp -u -m "$(printf '%01000d' 7)"
    count=$((count + 26))
    echo "$count" >"$samples/udp.count"
    sleep 0.5
  done
}

# children PID: how many, those that ended and were not fetched included.
children() {
  local all
  # Some kernels are built without this file.
  all=$(cat "/proc/$1/task/$1/children" 2>/dev/null) || { echo -; return; }
  wc -w <<<"$all"
}

# look NAME: "VmRSS descriptors threads children" now.
look() {
  local pid=${pid_of[$1]} descriptors=(/proc/"${pid_of[$1]}"/fd/*)
  awk -v descriptors="${#descriptors[@]}" -v children="$(children "$pid")" '
    /^VmRSS/ { memory = $2 } /^Threads/ { threads = $2 }
    END { print memory + 0, descriptors, threads + 0, children }' "/proc/$pid/status"
}

# memory NAME PERCENT: the median of the five samples around that part of the time, so that
# one more or less at work in that moment does not count.
memory() {
  awk -v percent="$2" '{ kb[NR] = $2 } END {
    middle = int(NR * percent / 100 + 0.5); first = middle - 2
    if (first < 1) first = 1
    if (first > NR - 4) first = NR > 4 ? NR - 4 : 1
    count = 0
    for (i = first; i < first + 5 && i <= NR; i++) window[++count] = kb[i]
    for (i = 2; i <= count; i++)
      for (j = i; j > 1 && window[j] < window[j - 1]; j--) { t = window[j]; window[j] = window[j - 1]; window[j - 1] = t }
    print window[int((count + 1) / 2)] }' "$samples/$1.samples"
}

# settle NAME: until no client is left at it, at most 20 seconds.
settle() {
  local deadline=$((SECONDS + 20))
  until [ "$(look "$1" | cut -d' ' -f2-)" = "$(cut -d' ' -f2- "$samples/$1.before")" ]; do
    ((SECONDS < deadline)) || return 1
    sleep 0.2
  done
}

judge() {
  local name=$1 before after quarter end counted served
  before=$(cut -d' ' -f2- "$samples/$name.before")
  settle "$name" || fail "$name: descriptors, threads and children were $before and are now $(look "$name" | cut -d' ' -f2-)"
  after=$(look "$name" | cut -d' ' -f2-)
  kill -TERM "${pid_of[$name]}"
  wait "${pid_of[$name]}" || fail "$name: the server ended with status $?"
  wait "${reader_of[$name]}" # its last line is there
  counted=$(cat "$samples/$name.count")
  served=$(sed -nE 's/.*served ([0-9]+) .*/\1/p' "$samples/$name.out")
  quarter=$(memory "$name" 25)
  end=$(memory "$name" 100)
  printf '%-10s %9s %9s %9s %9s %12s %12s\n' "$name" "$served" "$(memory "$name" 10)" "$quarter" "$end" \
    "${before// /\/}" "${after// /\/}"
  [ "$served" = "$counted" ] || fail "$name: served $served, and its clients counted $counted"
  ((end - quarter <= margin)) || fail "$name: memory grew from $quarter kB at a quarter of the time to $end kB"
  [ ! -s "$samples/$name.err" ] || fail "$name: the server complained: $(head -n 3 "$samples/$name.err")"
  [ ! -e "$samples/$name.failed" ] || fail "$name: $(wc -l <"$samples/$name.failed") clients failed, first: $(head -n 1 "$samples/$name.failed")"
}

for model in $("$BIN/server" --help | sed -n 's/.*--model NAME *//p' | tr -d ,); do
  start_server "$model" -m "$model"
done
start_server udp -u
for name in "${names[@]}"; do look "$name" >"$samples/$name.before"; done

say "$(uname -sr), $(getconf _NPROCESSORS_ONLN) processors, load $(cut -d' ' -f1 /proc/loadavg); $seconds seconds, a look every $every"
for name in "${names[@]}"; do
  case $name in
    udp) churn_datagrams & ;;
    iterative) churn "$name" 1 & ;; # whoever waits for its turn is not greeted meanwhile
    *) churn "$name" 5 & ;;
  esac
  clients+=($!)
done
began=$SECONDS
while ((SECONDS - began < seconds)); do
  sleep "$every"
  for name in "${names[@]}"; do
    echo "$((SECONDS - began)) $(look "$name")" >>"$samples/$name.samples"
  done
done
: >"$samples/over"
wait "${clients[@]}"
clients=()

printf '%-10s %9s %9s %9s %9s %12s %12s\n' '' served 'kB, 10%' 'kB, 25%' 'kB, end' 'before' 'after'
for name in "${names[@]}"; do judge "$name"; done
say '(before, after: descriptors/threads/children)'
say "$failures failures"
exit $((failures > 0))
