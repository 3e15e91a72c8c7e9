#!/usr/bin/env bats
# At the limits: memory, processes, descriptors and disk run out, signals come in a storm,
# somebody sets the clock. Each time: a clear line, the service goes on or ends in order;
# never a crash, a spin or a silent loss. (No descriptor in the default model, and a full
# device: server.bats, client.bats.)
#
# shellcheck disable=SC2154,SC2153,SC2030,SC2031 # set by helper.bash and by Bats's run

load helper
load serving

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  BUILD=${BUILD:-build}
  [[ "$BUILD" == /* ]] || BUILD=$BATS_TEST_DIRNAME/../$BUILD
}

need_no_sanitizer() {
  if grep -qE '__(asan|tsan)_init' "$server"; then
    skip 'a sanitizer needs memory and descriptors of its own'
  fi
}

need_prlimit() {
  need prlimit
  [ -r /proc/self/status ] || skip 'this system has no /proc to read the memory from'
}

# serve_model NAME ARGS...: a server of that model.
serve_model() {
  MODEL=$1
  shift
  start_server -m "$MODEL" "$@" 0
}

# is_served WORD: a client gets exactly what it sent.
is_served() {
  run -0 --separate-stderr "$client" -q -t 60 -m "$1" "$PORT"
  [ "$output" = "$1" ]
}

# is_served_again, to be waited for.
is_served_again() {
  [ "$("$client" -q -t 60 -m after "$PORT" 2>/dev/null)" = after ]
}

# ends_well WORDS: SIGTERM leads to exit 0 and a summary; of standard error only such lines.
ends_well() {
  kill -TERM "$SERVER_PID"
  ends "$SERVER_PID"
  [ "$STATUS" -eq 0 ] || die "exit status $STATUS: $(tail -n 3 server.err)"
  grep -q '^served ' server.out
  run -1 grep -vE "$1" server.err
}

# with_shortage_of_memory MODEL CROWD LINE: all the memory there will be is what the server has
# when it begins to listen. A crowd comes; who cannot be served is told of in such a LINE.
with_shortage_of_memory() {
  need_prlimit
  need_no_sanitizer
  serve_model "$1"
  is_served before
  size=$(sed -nE 's/^VmSize:\s*([0-9]+) kB/\1/p' "/proc/$SERVER_PID/status")
  prlimit --pid "$SERVER_PID" --as=$((size * 1024 + 4096))
  start crowd "$client" -q -n "$2" -c "$2" -t 60 --hold 60 "$PORT"
  crowd=$PID
  if [ -n "$3" ]; then
    short() { cat server.out server.err | grep -qE "$3"; }
    wait_until 60 short "$@"
  else
    wait_for_line server.out '^ +accept ' "$(($2 + 1))"
  fi
  kill -KILL "$crowd"
  wait_until 60 is_served_again # once it has noticed that they have gone
  kill -0 "$SERVER_PID"
  ends_well 'cannot (watch|wait for) connection'
}

@test "memory short, epoll: who cannot be served is told of, and the service goes on" {
  need_linux epoll
  with_shortage_of_memory epoll 4000 '^ +error +#[0-9]+ +cannot allocate: '
}

@test "memory short, poll: who cannot be served is told of, and the service goes on" {
  with_shortage_of_memory poll 4000 \
    'cannot allocate: |cannot watch connection [0-9]+'
}

@test "memory short, thread: who cannot be served is told of, and the service goes on" {
  with_shortage_of_memory thread 50 '^ +error +#[0-9]+ +cannot create a thread: '
}

@test "memory short, fork: each process has its own, and the service goes on" {
  with_shortage_of_memory fork 20 ''
}

# with_shortage_of_processes MODEL LINE: a server that may start nobody, and later may.
with_shortage_of_processes() {
  need_prlimit
  need_no_sanitizer
  need_ordinary_user # root has as many processes as it wants
  MODEL=$1
  alone=()
  # An account that nobody else has: its processes are those of this test.
  ((EUID != 0)) || alone=(setpriv --reuid=64321 --regid=64321 --clear-groups --inh-caps=-all)
  start server "${alone[@]}" prlimit --nproc=1: "$server" -m "$MODEL" 0
  SERVER_PID=$PID
  wait_for_line server.out '^listening ' || die "$(cat server.err)" || return 1
  PORT=$(sed -nE 's/^listening .*:([0-9]+) .*/\1/p' server.out)
  for number in 1 2; do
    # Accepted by the kernel, and given up: no greeting comes, and no answer.
    run "$client" -q -t 60 -m x "$PORT"
    [ "$output" != x ]
    wait_for_line server.out "^ +error +#$number +$2"
  done
  before=$(processor_ticks "$SERVER_PID")
  "${alone[@]}" prlimit --pid "$SERVER_PID" --nproc="$(ulimit -Hu):"
  is_served after
  [ $(($(processor_ticks "$SERVER_PID") - before)) -le "$(getconf CLK_TCK)" ]
  ends_well '^$'
}

@test "no process left, fork: told for each client, and the service goes on" {
  with_shortage_of_processes fork 'cannot fork: Resource temporarily unavailable'
}

@test "no process left, thread: told for each client, and the service goes on" {
  with_shortage_of_processes thread 'cannot create a thread: Resource temporarily unavailable'
}

# with_shortage_of_descriptors MODEL
with_shortage_of_descriptors() {
  # shellcheck disable=SC2016 # expanded by the inner shell
  start server sh -c 'ulimit -n 24; exec "$@"' limited "$server" -m "$1" 0
  SERVER_PID=$PID
  wait_for_line server.out '^listening '
  PORT=$(sed -nE 's/^listening .*:([0-9]+) .*/\1/p' server.out)
  start crowd "$client" -q -n 40 -c 40 -t 60 --hold 60 "$PORT"
  wait_for_line server.out '^ +pause +no descriptor left: accepting pauses '
  kill -KILL "$PID"
  is_served after
  ends_well '^$'
}

# with_the_last_descriptor MODEL: all are in use, and nobody else comes.
with_the_last_descriptor() {
  # shellcheck disable=SC2016 # expanded by the inner shell
  local limited=(sh -c 'ulimit -n 24; exec "$@"' limited "$server" -m "$1" 0) room

  start server "${limited[@]}"
  wait_for_line server.out '^listening '
  PORT=$(sed -nE 's/^listening .*:([0-9]+) .*/\1/p' server.out)
  start crowd "$client" -q -n 40 -c 40 -t 60 --hold 60 "$PORT"
  wait_for_line server.out '^ +pause '
  room=$(grep -c '^  accept ' server.out)
  start server "${limited[@]}"
  SERVER_PID=$PID
  wait_for_line server.out '^listening '
  PORT=$(sed -nE 's/^listening .*:([0-9]+) .*/\1/p' server.out)
  start crowd "$client" -q -n "$room" -c "$room" -t 60 --hold 60 "$PORT"
  wait_for_line server.out '^ +pause '
  does_not_spin "$SERVER_PID"
  kill -KILL "$PID"
  is_served after
  ends_well '^$'
}

@test "the last descriptor is in use and nobody waits, epoll: it waits, too" {
  need_linux epoll
  [ -r /proc/self/stat ] || skip "needs /proc to measure processor time"
  with_the_last_descriptor epoll
}

@test "the last descriptor is in use and nobody waits, thread: it waits, too" {
  [ -r /proc/self/stat ] || skip "needs /proc to measure processor time"
  with_the_last_descriptor thread
}

@test "no descriptor left, poll: it pauses, and the service goes on" {
  with_shortage_of_descriptors poll
}

@test "no descriptor left, thread: it pauses, and the service goes on" {
  with_shortage_of_descriptors thread
}

@test "client --hold that cannot wait any more says so, and does not go round in circles" {
  need_prlimit
  need_no_sanitizer
  start_server 0
  start holder "$client" -n 3 --hold 600 "$PORT"
  holder=$PID
  wait_for_line holder.out '^ +hold '
  prlimit --pid "$holder" --nofile=2: # poll() of four: EINVAL, from the next time on
  kill -KILL "$SERVER_PID"            # which comes now
  ends "$holder"
  [ "$STATUS" -eq 1 ]
  [ "$(cat holder.err)" = 'client: cannot wait: Invalid argument' ]
}

@test "a child that is killed is told of, and the others are served on" {
  need ps
  serve_model fork
  hold one
  victim=$(children)
  hold two
  kill -KILL "$victim"
  wait_for_line server.out "^ +error +process $victim was ended by signal 9: its client is cut off"
  is_served after
  ends_well '^$'
}

# ---- the disk ----

@test "a disk that fills up: said once on standard error, and it ends in order, exit 1" {
  need unshare mount
  mkdir small
  private=(unshare --mount)
  ((EUID == 0)) || private+=(--user --map-root-user)
  "${private[@]}" mount -t tmpfs -o size=4k tmpfs small 2>/dev/null ||
    skip 'this system lets no ordinary user mount'
  # shellcheck disable=SC2016 # expanded by the inner shell
  start server "${private[@]}" sh -c \
    'mount -t tmpfs -o size=4k tmpfs small && exec "$1" 0 >small/out' sh "$server"
  SERVER_PID=$PID
  there=/proc/$SERVER_PID/root$PWD/small/out
  wait_for_line "$there" '^listening ' || die "$(cat server.err)" || return 1
  PORT=$(sed -nE 's/^listening .*:([0-9]+) .*/\1/p' "$there")
  # Clients come until it is full. The one that is connected then sees an orderly end.
  for _ in $(seq 100); do
    "$client" -q -t 60 -m x "$PORT" >/dev/null 2>&1 || break
  done
  ends "$SERVER_PID"
  [ "$STATUS" -eq 1 ]
  [ "$(cat server.err)" = 'server: cannot write to standard output: No space left on device' ]
}

@test "a file as large as it may be: said on standard error, exit 1, and no signal" {
  need prlimit
  for program in server client lab; do
    # shellcheck disable=SC2016 # expanded by the inner shell
    run -1 prlimit --fsize=100 sh -c 'exec "$1" --help 2>&1 >out' sh "$BIN/$program"
    [ "$output" = "$program: cannot write to standard output: File too large" ]
    [ "$(wc -c <out)" -le 100 ]
  done
  start server prlimit --fsize=1500 "$server" 0
  SERVER_PID=$PID
  wait_for_line server.out '^listening '
  PORT=$(sed -nE 's/^listening .*:([0-9]+) .*/\1/p' server.out)
  for _ in $(seq 100); do
    "$client" -q -t 60 -m x "$PORT" >/dev/null 2>&1 || break
  done
  ends "$SERVER_PID"
  [ "$STATUS" -eq 1 ]
  [ "$(cat server.err)" = 'server: cannot write to standard output: File too large' ]
}

@test "what lab starts has the signals' usual effects again" {
  need_linux 'private networks'
  need_private_network
  [ -r /proc/self/status ] || skip 'this system has no /proc to read the signals from'
  export XDG_STATE_HOME=$BATS_TEST_TMPDIR TMPDIR=$BATS_TEST_TMPDIR
  chmod a+x "$BATS_TEST_TMPDIR"
  for command in '-- cat' "--admin -- $BIN/lab host 1 cat"; do
    # shellcheck disable=SC2086 # words on purpose
    run -0 --separate-stderr "$BIN/lab" shell $command /proc/self/status
    ignored=$((16#$(sed -nE 's/^SigIgn:\s*//p' <<<"$output")))
    [ $((ignored >> 12 & 1)) -eq 0 ] # SIGPIPE, 13
    [ $((ignored >> 24 & 1)) -eq 0 ] # SIGXFSZ, 25
  done
}

# ---- input ----

@test "client -i: input that cannot be read is told, exit 1, and not taken for its end" {
  start_server 0
  # shellcheck disable=SC2016 # expanded by the inner shell
  run -1 --separate-stderr timeout 60 sh -c 'exec "$1" -q -i "$2" </' sh "$client" "$PORT"
  [ "$stderr" = 'client: cannot read standard input: Is a directory' ]
}

# ---- signals ----

# storm PID...: some thousand signals that are no request to end, until one of PID is gone.
# Stopped for a moment by the way, as with Ctrl-Z and fg.
storm() {
  local signal
  for _ in $(seq 150); do
    for signal in WINCH CHLD CONT URG PIPE XFSZ WINCH CHLD STOP CONT; do
      kill -s "$signal" "$@" 2>/dev/null || true
    done
  done
}

# in_a_storm MODEL: a megabyte comes back as it went, whatever signals arrive on both sides.
in_a_storm() {
  need ps
  serve_model "$1"
  head -c 1048576 /dev/urandom >sent
  # shellcheck disable=SC2016 # expanded by the inner shell
  start one sh -c 'exec "$1" -q -i -t 60 "$2" <sent' sh "$client" "$PORT"
  one=$PID
  # shellcheck disable=SC2016 # expanded by the inner shell
  [ "$1" = iterative ] || start two sh -c 'exec "$1" -q -i -t 60 "$2" <sent' sh "$client" "$PORT"
  two=$PID
  mapfile -t workers < <(children)
  storm "$SERVER_PID" "$one" "$two" "${workers[@]}"
  for pid in "$one" "$two"; do
    [ "$pid" != "$two" ] || [ "$1" != iterative ] || break
    ends "$pid"
    [ "$STATUS" -eq 0 ]
  done
  cmp one.out sent
  [ "$1" = iterative ] || cmp two.out sent
  is_served after
  ends_well '^$'
}

@test "signals in a storm, iterative: every byte comes back" { in_a_storm iterative; }

@test "signals in a storm, fork: every byte comes back" { in_a_storm fork; }

@test "signals in a storm, thread: every byte comes back" { in_a_storm thread; }

@test "signals in a storm, poll: every byte comes back" { in_a_storm poll; }

@test "signals in a storm, epoll: every byte comes back" {
  need_linux epoll
  in_a_storm epoll
}

@test "signals in a storm, UDP: every datagram is answered" {
  start_server -u 0
  for i in $(seq 20); do
    start "client$i" "$client" -q -u -t 60 -m "message $i" "$PORT"
  done
  storm "$SERVER_PID"
  for i in $(seq 20); do
    ends "$(cat "client$i.pid")"
    [ "$(cat "client$i.out")" = "message $i" ]
  done
  ends_well '^$'
}

@test "SIGHUP, when the terminal is closed: children end with their server" {
  need ps
  serve_model fork
  hold one
  worker=$(children)
  [ -n "$worker" ]
  kill -HUP "$SERVER_PID"
  ends "$SERVER_PID"
  [ "$STATUS" -eq 129 ] # 128 + SIGHUP
  gone() { ! kill -0 "$worker" 2>/dev/null; }
  wait_until 20 gone
}

# ---- the clock ----

# jumping FROM SECONDS COMMAND...: for it the wall clock is set by so much, from its FROMth
# look at it on.
jumping() {
  local from=$1 by=$2
  shift 2
  ${REPLACE:-} env LD_PRELOAD="$BUILD/support/interposer.so" FAULT="realtime:$from+:$by" "$@"
}

need_jumping() {
  need_linux 'what the interposer does'
  need_no_sanitizer
  need timeout
  [ -e "$BUILD/support/interposer.so" ] || skip 'build/interposer.so is not built (make test builds it)'
  [ "$(jumping 1 -3600 date +%s 2>/dev/null)" -lt "$(($(date +%s) - 3000))" ] ||
    skip 'here the interposer does not reach a program of the system: another C library'
  "$server" --version >/dev/null
}

@test "the clock set back or forward: --idle goes by another clock" {
  need_jumping
  for from in 1 2 3; do
    for by in -3600 3600; do
      start server jumping "$from" "$by" "$server" --idle 0.3 0
      SERVER_PID=$PID
      wait_for_line server.out '^listening '
      PORT=$(sed -nE 's/^listening .*:([0-9]+) .*/\1/p' server.out)
      hold one
      wait_for_line server.out '^ +idle +#1 '
      kill -KILL "$(cat one.pid)"
      ends_well '^$'
    done
  done
  start server jumping 2 3600 "$server" --idle 600 0
  SERVER_PID=$PID
  wait_for_line server.out '^listening '
  PORT=$(sed -nE 's/^listening .*:([0-9]+) .*/\1/p' server.out)
  hold one
  is_served meanwhile # several looks at the clock later
  run -1 grep -E '^ +idle ' server.out
}

@test "the clock set back or forward: the client's waits go by another clock" {
  need_jumping
  start_server --fault no-accept --backlog 0 0
  start first "$client" -t 60 --hold 60 "$PORT"
  wait_until 20 has_queued "$PORT" 1
  for from in 1 2 3; do
    run -1 --separate-stderr timeout 30 env LD_PRELOAD="$BUILD/support/interposer.so" \
      FAULT="realtime:$from+:-3600" "$client" -t 0.3 "$PORT"
    [[ "$stderr" == *'(ETIMEDOUT)'* ]]
  done
  start_server_as echo 0
  for from in 1 2 3; do
    for by in -3600 3600; do
      run -0 timeout 30 env LD_PRELOAD="$BUILD/support/interposer.so" FAULT="realtime:$from+:$by" \
        "$client" -n 2 --hold 0.3 -m x "$PORT"
    done
  done
  start holder jumping 2 3600 "$client" --hold 600 "$PORT"
  wait_for_line holder.out '^ +hold '
  wait_for_line echo.out '^ +accept ' 13
  is_served meanwhile
  kill -0 "$PID"
}

@test "the clock set back or forward: lab scan and lab watch go by another clock" {
  need_jumping
  start_server --fault no-answer 0
  for from in 1 2 3; do
    run -0 timeout 60 env LD_PRELOAD="$BUILD/support/interposer.so" FAULT="realtime:$from+:-3600" \
      "$BIN/lab" scan -t 0.3 "$PORT"
    [[ "$output" == *'0 open, 0 closed, 1 silent'* ]]
  done
  start_server_as echo 0
  start watch jumping 2 -3600 "$BIN/lab" watch --log --interval 0.05 "$PORT"
  watch=$PID
  comes_and_goes() {
    "$client" -q -m x "$PORT" && grep -q 'CLOSED -> ' watch.out
  }
  wait_until 20 comes_and_goes
  kill -TERM "$watch"
  ends "$watch"
}
