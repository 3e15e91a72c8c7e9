# runner.bash - for the suites of the exercises: worksheets of the test's own, a place for
# what the runner leaves or should not leave, processes and their children.

# shellcheck disable=SC2034 # for the suites
# shellcheck disable=SC2154,SC2153 # set by the helpers and by Bats

load lab

# Everything that the runner writes lies below the test's own directory; as root it also plays
# an ordinary account, which must come through to there.
setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  local directory=$BATS_TEST_TMPDIR
  while [ "$directory" != / ]; do
    [ ! -O "$directory" ] || chmod a+x "$directory" 2>/dev/null || true
    directory=$(dirname "$directory")
  done
  export TMPDIR=$BATS_TEST_TMPDIR XDG_STATE_HOME=$BATS_TEST_TMPDIR/state TERM=xterm
  unset PORTLAB_EXERCISES PORTLAB_NETWORK SUDO_UID
}

need_sandbox() {
  need_linux "private networks"
  need_private_network
}

# Python, which has a terminal to offer.
need_talk() {
  need python3
  python3 -c 'import pty, termios' 2>/dev/null || skip "this python3 has no terminals"
}

# talk COLUMNS COMMAND...: a person at a terminal; what to see and to type on standard input.
talk() {
  timeout -k 5 120 python3 "$BATS_TEST_DIRNAME/support/talk.py" "$@"
}

# worksheet NUMBER: an exercise of the test's own, with what comes on standard input below its
# title and minutes; from then on the course is those. Its first line is line 4 of the file.
worksheet() {
  export PORTLAB_EXERCISES=$BATS_TEST_TMPDIR/exercises
  mkdir -p "$PORTLAB_EXERCISES"
  SHEET=$PORTLAB_EXERCISES/$(printf %02d "$1")-own.md
  {
    printf '# %d. A page of the test\n*5 minutes. Terminals A and B.*\n\n' "$1"
    cat
  } >"$SHEET"
}

# descendants PID: its children, theirs, and so on.
descendants() {
  ps -eo pid=,ppid= | awk -v top="$1" '
    { parent[$1] = $2 }
    END {
      for (pid in parent) {
        for (up = parent[pid]; up in parent && up != top; up = parent[up]) continue
        if (up == top) print pid
      }
    }'
}

# all_gone PID...: none of them is there any more (a zombie is not).
all_gone() {
  local pid
  for pid in "$@"; do
    if ps -o stat= -p "$pid" | grep -qv '^Z'; then return 1; fi
  done
}

# Nothing of the runner lies in the test's own directory for temporary files.
no_leftovers() {
  [ -z "$(find "$TMPDIR" -maxdepth 1 -name 'portlab-*')" ]
}

# forbidden COMMAND...: where nobody may make a private network; in the portable build that is
# so everywhere.
forbidden() {
  if [ "${PLATFORM:-linux}" != linux ]; then
    "$@"
    return
  fi
  # shellcheck disable=SC2016 # expanded by the inner shell
  as_ordinary_user unshare --user --map-user=1000 --keep-caps sh -c 'echo 0 >/proc/sys/user/max_user_namespaces &&
    exec setpriv --ambient-caps=-all --inh-caps=-all "$@"' forbidden "$@"
}

# need_forbidden: $lab where forbidden may run it, with a place of its own to write to.
need_forbidden() {
  if [ "${PLATFORM:-linux}" != linux ]; then return; fi
  need unshare setpriv
  need_ordinary_lab
  mkdir -p "$BATS_TEST_TMPDIR/open"
  chmod a+rwx "$BATS_TEST_TMPDIR/open"
  export TMPDIR=$BATS_TEST_TMPDIR/open XDG_STATE_HOME=$BATS_TEST_TMPDIR/open/state
  run forbidden unshare --user true
  [[ "$output" == *'unshare failed: No space left'* ]] ||
    skip "private networks cannot be forbidden here: $output"
}
