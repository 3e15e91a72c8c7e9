#!/usr/bin/env bats
# Every error path of the three programs is walked: a library before the C library
# (support/interposer.c) lets one call fail in one way, in scenes of their use
# (support/walk.c), with the errors that support/errnos.txt lists. The program must end in
# time and with a status of its own, say what failed or give its whole service, and not go
# round in circles. Here the first two calls of each kind fail, each with its first two errors;
# "make faults" walks all.
#
# shellcheck disable=SC2154 # set by helper.bash and by Bats

load helper

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  BUILD=${BUILD:-build}
  [[ "$BUILD" == /* ]] || BUILD=$BATS_TEST_DIRNAME/../$BUILD
  need_linux 'what the interposer does'
  need timeout unshare ldd
  [[ -x "$BUILD/support/walk" && -e "$BUILD/support/interposer.so" ]] ||
    skip 'build/support/walk and interposer.so are not built (make faults builds them)'
  # The name of the linker that a program asks for stands near its beginning.
  head -c 4096 "$server" | grep -aq '/ld' ||
    skip 'statically linked: there is nothing to stand before'
  in_network=(unshare --net --pid --fork --mount-proc --kill-child)
  ((EUID == 0)) || in_network+=(--user --map-root-user)
  "${in_network[@]}" true 2>/dev/null ||
    skip 'this system lets no ordinary user make a private network'
  # A sanitizer's library must be the first.
  WALK_PRELOAD=$(ldd "$server" 2>/dev/null | sed -nE 's/.*=> (\/[^ ]*lib[a-z]*san[^ ]*).*/\1/p' | tr '\n' ' ')
  if nm "$server" 2>/dev/null | grep -q ' __[at]san_init' && [ -z "$WALK_PRELOAD" ]; then
    skip 'a sanitizer is inside the program: nothing may stand before it'
  fi
  export WALK_PRELOAD
  # As root, lab plays an ordinary account, which must come through to where that happens.
  local directory=$BATS_TEST_TMPDIR
  while [ "$directory" != / ]; do
    [ ! -O "$directory" ] || chmod a+x "$directory" 2>/dev/null || true
    directory=$(dirname "$directory")
  done
}

# walk SCENE...: all is well, and something was walked.
walk() {
  # shellcheck disable=SC2016 # expanded by the inner shell
  run timeout -k 5 300 "${in_network[@]}" env PATH="$BIN:$PATH" TMPDIR="$BATS_TEST_TMPDIR" \
    "$BUILD/support/walk" -n "${FAULT_CALLS:-2}" -e "${FAULT_ERRORS:-2}" \
    "$BIN" "$BUILD/support/interposer.so" "$BATS_TEST_DIRNAME/support/errnos.txt" "$@"
  echo "$output"
  [ "$status" -eq 0 ]
  [[ "${lines[-1]}" =~ ^walked\ [1-9][0-9]*\ error\ paths\ of\ [1-9][0-9]*\ calls,\ 0\ crashes,\ 0\ hangs,\ 0\ silent$ ]]
  [[ "$output" != *'cannot be played here'* ]]
}

# need_one_library: what lab starts, sh and others, is loaded with the same C library.
need_one_library() {
  if head -c 4096 "$server" | grep -aq '/ld-musl' && ! head -c 4096 /bin/sh | grep -aq '/ld-musl'; then
    skip 'linked with musl, and the programs of this system are not'
  fi
}

# with_fault FAULT COMMAND...: the command, with that fault.
with_fault() {
  local fault=$1
  shift
  env LD_PRELOAD="$WALK_PRELOAD $BUILD/support/interposer.so" FAULT="$fault" "$@"
}

@test "the interposer delivers: the call that is to fail fails, and says why" {
  run -1 --separate-stderr with_fault socket:1:EMFILE "$client" 9
  [[ "$stderr" == *'(EMFILE)'* ]]
  run -1 --separate-stderr with_fault fwrite:1:ENOSPC "$client" 9
  [[ "$stderr" == *'cannot write to standard output: No space left on device'* ]]
  run -126 with_fault nosuch:1:EMFILE "$client" 9
  run -126 with_fault socket:0:EMFILE "$client" 9
}

@test "a socket table that breaks off is not shown twice, nor half" {
  start_server 0
  run -1 --separate-stderr with_fault recv:2:ENOMEM "$BIN/lab" sockets tcp
  [[ "$stderr" =~ ^lab:\ cannot\ read\ the\ socket\ table:\ .*memory$ ]]
  [ -z "$output" ]
}

@test "faults in a server: iterative" { walk server-iterative; }

@test "faults in a server: fork" { walk server-fork; }

@test "faults in a server: thread" { walk server-thread; }

@test "faults in a server: poll, epoll" { walk server-poll server-epoll; }

@test "faults in a server: JSON, quiet, hanging up" {
  walk server-json server-quiet server-hang-up
}

@test "faults in a server: UDP" { walk server-udp; }

@test "faults in a server that drops its privilege" {
  ((EUID == 0)) || skip 'not root: there is nothing to drop'
  walk server-user
}

@test "faults in a client: one connection" {
  walk client client-quiet client-json client-half-close client-reset client-own-port
}

@test "faults in a client: many connections, interactive, UDP, refused" {
  walk client-swarm client-many client-interactive client-udp client-refused
}

@test "faults in lab: the instruments" {
  walk lab-ports lab-port lab-search lab-sockets lab-sockets-json lab-scan lab-scan-silent \
    lab-doctor lab-watch
}

@test "faults in lab: pages and progress" {
  walk lab-list lab-show lab-key lab-check lab-hint lab-report lab-reset
}

@test "faults in lab: playing an exercise" {
  need_one_library
  # The sanitizer is then inside the programs of others, too, which the page runs.
  export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
  walk lab-run
}

@test "faults in lab: the shell, the wire" {
  need_one_library
  walk lab-shell lab-wire
}
