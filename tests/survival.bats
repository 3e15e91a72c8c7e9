#!/usr/bin/env bats
# What a server survives: clients that mean harm, or cannot do better, while honest ones are
# served beside them. run.sh runs this file once for each serving model, with its name in
# $MODEL. The clients are those of support/crowd.c, which compares each stream byte by byte.
#
# The iterative model serves one client at a time, so what it promises is less: whoever is
# silent is put off after --idle, whoever leaves makes room, and all who waited in the queue
# are then served. That is what its tests here ask for.
#
# shellcheck disable=SC2154,SC2153,SC2030,SC2031 # set by helper.bash and by Bats's run

load helper
load serving

MODEL=${MODEL:-epoll}
CROWD=${BUILD:-$PWD/build}/support/crowd
[[ $CROWD == /* ]] || CROWD=$PWD/$CROWD

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  [ -r /proc/self/smaps_rollup ] || skip "this system has no /proc to read memory from"
  need ps
  # Thousands of connections, and their TIME_WAITs, are nobody else's business.
  in_network=()
  if command -v nsenter >/dev/null && command -v setpriv >/dev/null &&
    private_network true 2>/dev/null; then
    open_network
  fi
  mkfifo leave
  exec 7<>leave # who stays does so until this is closed
  : >results
}

# defend ARGS...: a server of this model. What is there before any attack is noted after a
# first use, when what is allocated once is allocated.
defend() {
  local program=$server
  server='env' start_server "${in_network[@]}" "$program" --json -m "$MODEL" "$@" 0 7>&-
  honest_are_served
  wait_until 60 no_workers
  descriptors_before=$(descriptors)
  memory_before=$(memory_of_all)
}

# besiege NAME [-q] [-s SOURCE] BEHAVIOUR COUNT: hostile clients, which stand when this
# returns, and stay.
besiege() {
  local name=$1 count=${*: -1}
  shift
  "${in_network[@]}" "$CROWD" "${@:1:$#-1}" "$PORT" "$count" <leave >"$name.out" 2>"$name.err" \
    3>&- 4>&- 7>&- &
  STARTED+=("$!")
  echo "$!" >"$name.pid"
  wait_until 120 grep -q '^ready ' "$name.out"
}

# relieve NAME...: those that stay leave now, and their result is the last line of NAME.out.
relieve() {
  local name
  exec 7>&-
  for name; do
    ends "$(cat "$name.pid")"
    [ "$STATUS" -eq 0 ] || die "$name: $(cat "$name.out" "$name.err")" || return 1
    tail -n 1 "$name.out" >>results
  done
}

# crowd ARGS...: clients that do what they came for and leave; their result in $output.
crowd() {
  run -0 "${in_network[@]}" "$CROWD" "$1" "${@:2}" </dev/null 7>&-
  printf '%s\n' "$output" >>results
}

# exact NAME COUNT: the last result says that every byte of every one of them came back.
exact() {
  local line
  line=$(tail -n 1 results)
  [[ "$line" == "$1 $2 exact $2 cut 0 wrong 0 "* ]] || die "not all served: $line"
}

# honest_are_served [COUNT [BYTES]]
honest_are_served() {
  crowd honest "$PORT" "${1:-20}" "${2:-100000}"
  exact honest "${1:-20}"
}

# ---- what it costs ----

# The memory that belongs to the server and its children, each page once, in kB.
memory_of_all() {
  local pid files=()
  for pid in "$SERVER_PID" $(children); do
    files+=("/proc/$pid/smaps_rollup")
  done
  cat "${files[@]}" 2>/dev/null | awk '/^Pss:/ { sum += $2 } END { print sum + 0 }'
}

# A sanitizer's bookkeeping is larger than what is to be measured.
memory_means_something() {
  if grep -qE '__(asan|tsan|msan)_init' "$server"; then
    return 1
  fi
}

# costs_at_most COUNT KIND: the memory, now, is bounded for each of the hostile. `idle` ones
# have a session, a few hundred bytes (poll: and a place in its table), and in a model with
# workers the worker: a thread's stack, of which it has touched SESSION_CHUNK for reading and
# as much again for calls; or the pages that a child process has written to. `full` ones have
# besides one SESSION_CHUNK that they do not take.
costs_at_most() {
  local each=1 chunk now
  memory_means_something || return 0
  chunk=$(sed -nE 's/.*SESSION_CHUNK = ([0-9]+).*/\1/p' "$BATS_TEST_DIRNAME/../server/session.h")
  [ "$chunk" -gt 0 ]
  chunk=$((chunk / 1024))
  [ "$MODEL" != thread ] || each=$((2 * chunk))
  [ "$MODEL" != fork ] || each=128
  [ "$2" != full ] || each=$((each + chunk))
  now=$(memory_of_all)
  ((now <= memory_before + $1 * each + 1024)) ||
    die "$memory_before kB before, $now kB with $1 clients: more than $each kB for each"
}

# Memory is as before, but for 1 MB: what the last 32 of a crowd had (see CROWD in
# server/service.c), and poll's table, 24 bytes for each descriptor, which does not shrink.
# The C library keeps up to 40 MB of address space in stacks for further threads: 160 of
# the size they have here, of each of which a few pages are in memory.
memory_is_back() {
  local margin=1024
  [ "$MODEL" != thread ] || margin=$((1024 + 160 * 40))
  (($(memory_of_all) <= memory_before + margin))
}

# Neither a child nor a second thread; ThreadSanitizer has one of its own.
no_workers() {
  local threads=1
  if grep -q __tsan_init "$server"; then
    threads=2
  fi
  no_children && [ "$(find "/proc/$SERVER_PID/task" -mindepth 1 -maxdepth 1 | wc -l)" -le "$threads" ]
}

# All that the hostile had is given back, and the next one is served.
all_is_as_before() {
  wait_until 60 descriptors_are "$descriptors_before" ||
    die "$(descriptors) descriptors, $descriptors_before before" || return 1
  wait_until 60 no_workers
  if memory_means_something; then
    wait_until 60 memory_is_back ||
      die "$(memory_of_all) kB, $memory_before kB before" || return 1
  fi
  honest_are_served 1 1
}

# sum N: the sum of the Nth word of all results.
sum() {
  awk -v n="$1" '{ sum += $n } END { printf "%d\n", sum }' results
}

# ends_with_summary [bytes]: Ctrl-C ends it. All connections were counted; with `bytes`, where
# each arrived and left whole, those too.
ends_with_summary() {
  kill -INT "$SERVER_PID"
  ends "$SERVER_PID"
  [ "$STATUS" -eq 0 ] || die "exit status $STATUS"
  [ ! -s server.err ] || die "$(cat server.err)"
  [ "$(summary connections)" -eq "$(sum 2)" ]
  if [ "${1:-}" = bytes ]; then
    [ "$(summary bytes_in)" -eq "$(sum 10)" ]
    [ "$(summary bytes_out)" -eq "$(sum 12)" ]
  fi
}

# How many processes the control groups allow, of either version.
cgroup_limits() {
  sed -nE 's|^0::(.*)|/sys/fs/cgroup\1|p; s|^[0-9]+:pids:(.*)|/sys/fs/cgroup/pids\1|p' \
    /proc/self/cgroup | while read -r path; do
    cat "$path/pids.max" 2>/dev/null || true
  done
}

# as_many_as_may COUNT: that many, or what the limits on descriptors, and in a model with a
# worker for each client on processes, leave of it.
as_many_as_may() {
  local count=$1 limit
  limit=$(ulimit -Hn)
  [ "$limit" = unlimited ] || [ "$count" -le $((limit - 100)) ] || count=$((limit - 100))
  if [ "$MODEL" = fork ] || [ "$MODEL" = thread ]; then
    # Others have processes, too: half of the limit.
    for limit in $(ulimit -u) $(cgroup_limits); do
      [[ ! "$limit" =~ ^[0-9]+$ ]] || [ "$count" -le $((limit / 2)) ] || count=$((limit / 2))
    done
  fi
  [ "$count" -ge 10 ] || skip "the limits here leave only $count clients"
  echo "$count"
}

# full COUNT: before the server and behind it bytes lie, on so many connections.
full() {
  [ "$("${in_network[@]}" ss -Htan "sport = :$PORT" |
    awk '$1 == "ESTAB" && $2 > 0 && $3 > 0' | wc -l)" -eq "$1" ]
}

# ---- the attacks ----

@test "$MODEL: clients that send and never read cost a chunk each; when they read, all is there" {
  need ss
  if [ "$MODEL" = iterative ]; then
    defend --idle 1
    besiege slow slow-readers 1
    honest_are_served # the silent one is put off
    relieve slow
    grep -q '^slow-readers 1 exact 0 cut 1 wrong 0 ' results
    all_is_as_before
    ends_with_summary
    return
  fi
  count=$(as_many_as_may 1000)
  defend
  besiege slow slow-readers "$count"
  full "$count"
  honest_are_served
  costs_at_most "$count" full
  full "$count" # all the time
  relieve slow
  exact slow-readers "$count"
  [ "$(sum 10)" -ge $((count * 32768)) ] # and it was not little that they had sent
  all_is_as_before
  ends_with_summary bytes
}

@test "$MODEL: clients that write a byte a second delay nobody" {
  if [ "$MODEL" = iterative ]; then
    defend --idle 3
    besiege slow slow-writers 1
    start honest "${in_network[@]}" "$CROWD" honest "$PORT" 20 100000 7>&-
    three_bytes() { [ "$(grep -c '"event":"data","id":21,' server.out)" -ge 3 ]; }
    wait_until 60 three_bytes
    [ ! -s honest.out ] # not silent, so it may stay; the others wait
    relieve slow
    exact slow-writers 1
    ends "$(cat honest.pid)"
    cat honest.out >>results
    exact honest 20
    all_is_as_before
    ends_with_summary bytes
    return
  fi
  count=$(as_many_as_may 1000)
  defend --idle 60
  besiege slow slow-writers "$count"
  honest_are_served 20 400000
  costs_at_most "$count" idle
  relieve slow
  exact slow-writers "$count"
  all_is_as_before
  ends_with_summary bytes
}

@test "$MODEL: thousands that connect and say nothing delay nobody and cost next to nothing" {
  if [ "$MODEL" = iterative ]; then
    defend --idle 0.5
    besiege silent -q silent 3
    honest_are_served # all three have been put off
    relieve silent
    grep -q '^silent 3 exact 0 cut 3 wrong 0 ' results
    [ "$(grep -c '"event":"idle"' server.out)" -eq 3 ]
    all_is_as_before
    ends_with_summary bytes
    return
  fi
  count=10000
  [ "$MODEL" != fork ] && [ "$MODEL" != thread ] || count=1000 # each has a worker
  count=$(as_many_as_may "$count")
  defend
  besiege silent silent "$count"
  honest_are_served
  costs_at_most "$count" idle
  relieve silent
  exact silent "$count"
  all_is_as_before
  ends_with_summary bytes
}

@test "$MODEL: a storm of connections that are reset at once, or with bytes under way, is ridden out" {
  defend
  besiege storm resets 2000
  for _ in 1 2 3; do
    honest_are_served
  done
  relieve storm
  [[ "$(tail -n 1 results)" =~ ^resets\ ([0-9]+)$ ]]
  ((BASH_REMATCH[1] > 2000)) # it went on meanwhile
  all_is_as_before
  ends_with_summary
}

# Their address is taken away, and with it the way back: the server hears neither a FIN nor a
# reset, as when a cable is cut. Half of them were silent, half had bytes to come.
@test "$MODEL: peers that vanish without a word are put off after --idle" {
  [ ${#in_network[@]} -gt 0 ] ||
    skip "this system lets no ordinary user make a private network"
  count=50
  queue=()
  if [ "$MODEL" = iterative ]; then
    count=1
    queue=(-q)
  fi
  "${in_network[@]}" ip address add 10.9.9.9/32 dev lo
  defend --idle 2
  besiege full "${queue[@]}" -s 10.9.9.9 slow-readers "$count"
  besiege silent "${queue[@]}" -s 10.9.9.9 silent "$count"
  "${in_network[@]}" ip address delete 10.9.9.9/32 dev lo
  for name in full silent; do
    kill -KILL "$(cat "$name.pid")"
    wait "$(cat "$name.pid")" || true
    echo "$name $count" >>results
  done
  honest_are_served
  all_put_off() { [ "$(grep -c '"event":"idle"' server.out)" -eq $((2 * count)) ]; }
  wait_until 60 all_put_off
  all_is_as_before
  ends_with_summary
}

@test "$MODEL: lines of a megabyte, NULs and every byte there is come back as they were, side by side" {
  defend
  start lines "${in_network[@]}" "$CROWD" lines "$PORT" 8
  start binary "${in_network[@]}" "$CROWD" binary "$PORT" 8 500000
  honest_are_served
  for name in lines binary; do
    ends "$(cat "$name.pid")"
    tail -n 1 "$name.out" >>results
    exact "$name" 8
  done
  all_is_as_before
  ends_with_summary bytes
}

@test "$MODEL: clients that close or reset in every state leave nothing behind" {
  each=20
  one_at_a_time=()
  if [ "$MODEL" = iterative ]; then
    each=2
    one_at_a_time=(-q)
  fi
  defend
  start closes "${in_network[@]}" "$CROWD" "${one_at_a_time[@]}" closes "$PORT" "$each"
  honest_are_served
  ends "$(cat closes.pid)"
  [ "$STATUS" -eq 0 ] || die "$(cat closes.err)"
  tail -n 1 closes.out >>results
  # Ten of the ways read to the end; of the others nothing but their own bytes came either.
  [[ "$(tail -n 1 results)" =~ ^closes\ ([0-9]+)\ exact\ ([0-9]+)\ cut\ 0\ wrong\ 0\  ]]
  ((BASH_REMATCH[1] >= 25 * each && BASH_REMATCH[2] >= 6 * each))
  all_is_as_before
  ends_with_summary
}

@test "$MODEL: all of that at once" {
  if [ "$MODEL" = iterative ]; then
    defend --idle 1
    besiege silent -q silent 2
    besiege storm resets 20
    crowd lines "$PORT" 2
    exact lines 2
    honest_are_served
    relieve silent storm
    all_is_as_before
    ends_with_summary
    return
  fi
  count=$(as_many_as_may 200)
  defend
  besiege readers slow-readers "$count"
  besiege writers slow-writers "$count"
  besiege silent silent "$count"
  besiege storm resets 500
  start closes "${in_network[@]}" "$CROWD" closes "$PORT" 3 7>&-
  crowd lines "$PORT" 4
  exact lines 4
  honest_are_served 50
  costs_at_most $((3 * count)) full
  ends "$(cat closes.pid)"
  [ "$STATUS" -eq 0 ] || die "$(cat closes.err)"
  tail -n 1 closes.out >>results
  relieve readers writers silent storm
  for name in slow-readers slow-writers silent; do
    grep -q "^$name $count exact $count cut 0 wrong 0 " results
  done
  all_is_as_before
  ends_with_summary
}
