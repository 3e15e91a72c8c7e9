#!/usr/bin/env bash
# What the server survives, in figures: for each serving model and each kind of hostile
# client, whether honest clients beside them are served exactly, how long their round trips
# take alone and beside the crowd, what each hostile client costs in memory, and what is left
# when all have gone. tests/survival.bats asks for the same without the times. Everything
# happens in a private network. Takes less than two minutes.
#
#   MODELS='poll epoll' ATTACKS='silent storm' make survival     only those
#
# Columns: hostile clients; honest streams that came back exactly; median and 99th
# percentile of their round trips in milliseconds, alone and beside the crowd, and the slowest
# of all beside it, which in the iterative model is how long they waited in the queue; kB of
# the server's memory for each hostile client, and kB of the kernel's buffers for it on the
# server's side; descriptors and kB more than before, when all have gone.
set -u
cd "$(dirname "$0")/../.." || exit 1

BIN=${BIN:-bin}
crowd=${BUILD:-build}/support/crowd
honest=4 honest_bytes=1000000 # about 250 round trips each
failures=0

# First of all: into a network of our own, as its root.
if [ -z "${IN_SURVIVAL:-}" ]; then
  enter=(unshare --net)
  [ "$(id -u)" = 0 ] || enter+=(--user --map-root-user)
  if ! "${enter[@]}" ip link set lo up 2>/dev/null || [ ! -r /proc/self/smaps_rollup ]; then
    echo 'survival: this system lets this account have no private network, or shows no memory: skipped'
    exit 77
  fi
  IN_SURVIVAL=1 exec "${enter[@]}" timeout 118 bash "$0"
fi
ip link set lo up
ulimit -Sn "$(ulimit -Hn)"

work=$(mktemp -d)
server_pid=
crowd_pid=
# shellcheck disable=SC2317 # the trap calls it
clean_up() {
  [ -z "$crowd_pid" ] || kill -KILL "$crowd_pid" 2>/dev/null
  [ -z "$server_pid" ] || kill -KILL "$server_pid" 2>/dev/null
  wait
  rm -rf "$work"
}
trap clean_up EXIT

# wait_until COMMAND...: until it succeeds, 40 seconds at most.
wait_until() {
  local deadline=$((SECONDS + 40))
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || { echo "survival: not in time: $*"; return 1; }
    sleep 0.02
  done
}

start_server() { # ARGS...
  : >"$work/server"
  "$BIN/server" -q --backlog 1024 "$@" 0 >"$work/server" 2>&1 7>&- &
  server_pid=$!
  wait_until grep -q '^listening' "$work/server" || exit 1
  port=$(sed -nE 's/^listening .*:([0-9]+).*/\1/p' "$work/server")
}

end_server() {
  kill -INT "$server_pid"
  wait "$server_pid" || failures=$((failures + 1))
  server_pid=
}

# The memory of the server and its children, each page once, in kB.
memory() {
  local pid files=()
  for pid in "$server_pid" $(ps --ppid "$server_pid" -o pid=); do
    files+=("/proc/$pid/smaps_rollup")
  done
  cat "${files[@]}" 2>/dev/null | awk '/^Pss:/ { sum += $2 } END { print sum + 0 }'
}

# What the kernel keeps for the server's connections, unread and unsent, in kB.
kernel_memory() {
  ss -Htnm "sport = :$port" 2>/dev/null | sed -nE 's/.*skmem:\(r([0-9]+),.*,w([0-9]+),.*/\1 \2/p' |
    awk '{ sum += $1 + $2 } END { print int(sum / 1024) }'
}

descriptors() {
  find "/proc/$server_pid/fd" -mindepth 1 | wc -l
}

all_gone() {
  [ "$(descriptors)" -le "$descriptors_before" ] && [ -z "$(ps --ppid "$server_pid" -o pid=)" ] &&
    [ "$(find "/proc/$server_pid/task" -mindepth 1 -maxdepth 1 | wc -l)" -eq 1 ]
}

# word N: of the result line of the honest clients last served.
word() {
  awk -v n="$1" '{ print $n }' "$work/honest"
}

serve_honest() {
  "$crowd" honest "$port" "$honest" "$honest_bytes" >"$work/honest" </dev/null 7>&-
}

# besiege ARGS... BEHAVIOUR COUNT: the crowd, which stands when this returns.
besiege() {
  local count=${*: -1}
  : >"$work/crowd"
  "$crowd" "${@:1:$#-1}" "$port" "$count" <"$work/leave" >"$work/crowd" 2>&1 7>&- &
  crowd_pid=$!
  case " $* " in
    *' closes '* | *' lines '*) ;; # these only pass by
    *) wait_until grep -q '^ready' "$work/crowd" ;;
  esac
}

# Without an address there is no way back to them: the server never hears of their end.
vanish() {
  ip address delete 10.9.9.9/32 dev lo
  kill -KILL "$crowd_pid"
  wait "$crowd_pid" 2>/dev/null
}

# attack NAME CROWD-ARGS...: a row of the table.
attack() {
  local name=$1 alone_median alone_99 memory_before most kernel count=${*: -1}
  shift
  serve_honest
  alone_median=$(word 14) alone_99=$(word 16)
  descriptors_before=$(descriptors) memory_before=$(memory)
  exec 7<>"$work/leave"
  besiege "$@"
  [ "$name" != vanished ] || vanish
  serve_honest
  most=$(memory)
  kernel=$(kernel_memory)
  exec 7>&-
  wait "$crowd_pid" 2>/dev/null # those that vanish have been killed
  crowd_pid=
  wait_until all_gone
  [ "$(word 4)" = "$honest" ] || failures=$((failures + 1))
  case $name in
    storm) count=$(awk 'END { print $2 }' "$work/crowd") ;;
    closing) count=$(awk 'END { print $2 }' "$work/crowd") most=- ;;
  esac
  printf '%-9s %-13s %6d %4s/%s %7s %7s %7s %7s %8s %7s %7s %4d %6d\n' "$model" "$name" "$count" \
    "$(word 4)" "$honest" "$alone_median" "$(word 14)" "$alone_99" "$(word 16)" "$(word 18)" \
    "$(each "$most" "$memory_before" "$count")" "$(each "${kernel:--}" 0 "$count")" \
    $(($(descriptors) - descriptors_before)) $(($(memory) - memory_before))
}

# each NOW BEFORE COUNT: the difference for each; nothing for those that only pass by.
each() {
  awk -v now="$1" -v before="$2" -v count="$3" \
    'BEGIN { if (now == "-" || now < before) print "-"; else printf "%.2f", (now - before) / count }'
}

wanted() {
  [[ " ${ATTACKS:-$1} " == *" $1 "* ]]
}

attack_model() {
  local many=1000 silent=10000 some=1000 queue=() idle=(--idle 3)
  case $model in
    fork | thread) silent=1000 ;;
    iterative) many=1 silent=3 some=3 queue=(-q) idle=(--idle 1) ;;
  esac
  start_server -m "$model" "${idle[@]}"
  serve_honest # what is allocated once is allocated now
  # A byte a second is not silence: one such client has the iterative server to itself.
  if wanted slow-writers && [ "$model" != iterative ]; then
    attack slow-writers slow-writers "$many"
  fi
  ! wanted storm || attack storm resets 2000
  ! wanted closing || attack closing "${queue[@]}" closes 10
  ! wanted lines || attack lines "${queue[@]}" lines 16
  if wanted vanished; then
    ip address add 10.9.9.9/32 dev lo
    attack vanished "${queue[@]}" -s 10.9.9.9 silent "$some"
  fi
  [ "$model" = iterative ] || { end_server; start_server -m "$model"; serve_honest; }
  ! wanted slow-readers || attack slow-readers "${queue[@]}" slow-readers "$many"
  ! wanted silent || attack silent "${queue[@]}" silent "$silent"
  end_server
}

printf '%s\n\n' "$(uname -sr), $(getconf _NPROCESSORS_ONLN) processors, load $(cut -d' ' -f1 /proc/loadavg)"
printf '%-9s %-13s %6s %6s %7s %7s %7s %7s %8s %7s %7s %4s %6s\n' model attack number exact \
  median beside p99 beside slowest 'kB each' kernel fds 'kB left'
mkfifo "$work/leave"
for model in ${MODELS:-$("$BIN/server" --help | sed -n 's/.*--model NAME *//p' | tr -d ,)}; do
  attack_model
done
echo
echo "$failures failures"
[ "$failures" -eq 0 ]
