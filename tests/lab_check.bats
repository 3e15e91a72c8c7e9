#!/usr/bin/env bats
# lab check and its company: what is done is seen in the kernel's table, what is not is told;
# hints, solutions, the record of it, and what becomes of a damaged record.

# shellcheck disable=SC2030,SC2031 # Bats gives each test a subshell, on purpose
# shellcheck disable=SC2153,SC2154 # lab and stderr come from the helpers and from Bats

load runner

# in_shell NAME COMMAND...: runs in the shared private network until the test ends, and has
# said a line that begins with one of the words that mean "ready".
in_shell() {
  local name=$1
  shift
  start "$name" "$lab" shell -- "$@"
  wait_for_line "$name.out" '^(listening|  hold) ' || die "$(cat "$name.err")"
}

# record WORD: that number of exercise $1 as lab report tells it.
record() { # EXERCISE FACT
  "$lab" report --json | sed -nE "s/.*\"number\":$1,.*\"$2\":\"?([^,\"}]*).*/\\1/p"
}

progress_file() {
  echo "$XDG_STATE_HOME/portlab/progress"
}

@test "nothing done: not yet; what was wanted, what was found, what to do; status 1" {
  need_sandbox
  start shell "$lab" shell -- sh -c 'echo "listening not"; exec sleep 600'
  wait_for_line shell.out listening
  run -1 --separate-stderr "$lab" check 5
  [[ "$output" == 'Looking at the private network of lab shell:'* ]]
  [[ "$output" == *'wanted  at least 1 TCP socket with state LISTEN, local port 3306'*'found   none'*'next    A server must be'* ]]
  [[ "${lines[-1]}" == 'Exercise 5: not yet.'*'lab hint 5 helps.' ]]
  [ "$(record 5 attempts)" = 1 ]
  [ -z "$(record 5 passed)" ]
}

@test "half of it done: that part is done, the other not; what is nearly it is shown" {
  need_sandbox
  in_shell server server 3306
  in_shell client client -n 2 --hold 60 3306
  run -1 "$lab" check 5
  [[ "$output" == *'done: at least 1 TCP socket with state LISTEN'* ]]
  [[ "$output" == *'wanted  at least 3 TCP sockets'*'found   2:'*'127.0.0.1:3306 ESTABLISHED'* ]]
}

@test "the solution, in two windows: done, from outside and from inside; and it is kept" {
  need_sandbox
  in_shell server server 3306
  in_shell client client -n 3 --hold 60 3306
  run -0 "$lab" check 5
  [[ "${lines[-1]}" == 'Exercise 5: done.' ]]
  [[ "$(record 5 passed)" =~ ^20[0-9-]+T[0-9:]+Z$ ]]
  run -0 "$lab"
  [[ "$output" =~ \ 5\ \ [^$'\n']*passed ]]
  # It stays passed when it is over.
  local passed
  passed=$(record 5 passed)
  kill -TERM "$(cat client.pid)"
  wait_for_end "$(cat client.pid)"
  run -1 "$lab" check 5
  [ "$(record 5 passed)" = "$passed" ]
  [ "$(record 5 attempts)" = 2 ]
  # An ordinary account keeps its record from inside as well.
  run -1 "$lab" shell --admin -- lab check 5
  [[ "$output" == 'Looking at this private network:'* ]]
  [ "$(record 5 attempts)" = 3 ]
}

@test "who has the capability is seen: the locked ports" {
  need_sandbox
  start admin "$lab" shell --admin -- server 1023
  wait_for_line admin.out '^listening '
  start wrong "$lab" shell --admin -- server 1024
  wait_for_line wrong.out '^listening '
  run -1 "$lab" check 3
  [[ "$output" == *'done: '*'local port 1023'*'nearly: '*'127.0.0.1:1024'*'CAP_NET_BIND_SERVICE:'*'yes)'* ]]
  kill -TERM "$PID"
  wait_for_end "$PID"
  in_shell right server 1024
  run -0 "$lab" check 3
}

@test "without a lab shell this machine's own network is looked at" {
  need_linux "the table of sockets"
  start_server 0
  worksheet 41 <<SHEET
<!-- network: host -->
## Your turn
Do it.
<!-- check: tcp state=LISTEN local-port=$PORT program=server count=1
     Start it. -->
<!-- check: tcp state=ESTABLISHED remote-port=$PORT
     Go there. -->
SHEET
  run -1 "$lab" check 41
  [[ "$output" == "Looking at this machine's own network"*'done: exactly 1 TCP socket'*'wanted '*'next    Go there.'* ]]
  start client "$client" --hold 60 "$PORT"
  wait_for_line client.out '^  hold '
  run -0 "$lab" check 41
  # What is in the shared network is looked at instead, once there is one.
  need_private_network
  start shell "$lab" shell -- sh -c 'echo ready; exec sleep 600'
  wait_for_line shell.out ready
  run -1 "$lab" check 41
  [[ "$output" == 'Looking at the private network of lab shell:'* ]]
}

@test "a setting of the network is a condition, too" {
  need_sandbox
  worksheet 41 <<'SHEET'
<!-- check: sysctl net.ipv4.ip_unprivileged_port_start<=80
     Lower it. -->
SHEET
  local command
  for command in 1024 80; do
    start shell "$lab" shell --admin -- sh -c "echo $command >/proc/sys/net/ipv4/ip_unprivileged_port_start; echo ready; exec sleep 600"
    wait_for_line shell.out ready || die "$(cat shell.err)"
    run "$lab" check 41
    [ "$status" -eq $((command > 80)) ]
    [[ "$command" -eq 80 || "$output" == *'wanted  the setting net.ipv4.ip_unprivileged_port_start'*'found   1024'*'next    Lower it.'* ]]
    kill -TERM "$PID"
    wait_for_end "$PID"
  done
}

@test "distinct: as many different values as there must be" {
  need_linux "the table of sockets"
  start_server 0
  local port=$PORT
  start_server_as other 0
  worksheet 41 <<SHEET
<!-- check: tcp state=LISTEN program=server count>=2 distinct local-address>=2
     Another address. -->
<!-- check: tcp state=ESTABLISHED remote-port=$port count=3 distinct local-port=3
     Three clients. -->
SHEET
  run -1 "$lab" check 41
  [[ "$output" == *'wanted '*'2 different values of the local address'* ]]
  start client "$client" -n 3 --hold 60 "$port"
  wait_for_line client.out '^  hold '
  start_server_as third -b 127.0.0.2 0
  run -0 "$lab" check 41
}

# One kind of server differs from the other in these alone: all have three clients.
@test "how many processes and threads a server has are conditions, too" {
  need_linux "the table of sockets"
  local model passed number told
  for model in thread fork poll; do
    start_server_as "$model" -m "$model" 0
    start "client-$model" "$client" -n 3 --hold 60 "$PORT"
    wait_for_line "client-$model.out" '^  hold '
    worksheet 41 <<SHEET
<!-- check: tcp state=ESTABLISHED local-port=$PORT program=server threads=1 count=3 distinct process=1
     One thread. -->
SHEET
    worksheet 42 <<SHEET
<!-- check: tcp state=ESTABLISHED local-port=$PORT program=server count=3 distinct process=3
     A process for each. -->
SHEET
    worksheet 43 <<SHEET
<!-- check: tcp state=ESTABLISHED local-port=$PORT program=server threads>1 count=3 distinct process=1
     Threads. -->
SHEET
    case $model in
      poll) passed=41 ;;
      fork) passed=42 ;;
      thread) passed=43 ;;
    esac
    # A parent that has just forked may still have its copy of the last connection.
    wait_until 20 sh -c '"$@" >/dev/null 2>&1' check "$lab" check "$passed"
    for number in 41 42 43; do
      [ "$number" = "$passed" ] || run -1 "$lab" check "$number"
    done
  done
  # The last was poll's: what is told are pids and threads.
  run -1 "$lab" check 42
  told=$(tr -s ' \n' ' ' <<<"$output") # however the lines are wrapped
  [[ "$told" == *'exactly 3 different values of the process found 3:'* ]] || die "$told"
  [[ "$told" == *"(process: $SERVER_PID)"* ]]
  run -1 "$lab" check 43
  told=$(tr -s ' \n' ' ' <<<"$output")
  [[ "$told" == *"found none nearly: "*"(the process's threads: 1)"* ]] || die "$told"
}

@test "an exercise without a part to do; one that is not there; words that are none" {
  refused 1 check 0
  [[ "$output" == *'exercise 0 has no part for you to do'* ]]
  refused 1 hint 0
  refused 2 check 99
  refused 2 check
  refused 2 check 1 2
  refused 2 check x
  refused 2 check --teacher 1
  refused 2 hint -1
  refused 2 hint 1 2
  refused 2 solution
  refused 2 solution --nonsense 1
  refused 2 next 1
  refused 2 reset
  refused 2 reset 1 2
  refused 2 reset --all 1
  refused 2 report --xml
  refused 2 report 1
}

# ---- hints and solutions ----

@test "hints come one at a time, from vague to plain; then all again" {
  local turn
  for turn in 1 2 3; do
    run -0 "$lab" hint 5
    [ "$(grep -c '^hint ' <<<"$output")" -eq 1 ]
    [[ "$output" == "hint $turn of 3: "* ]]
    [ "$(record 5 hints)" = "$turn" ]
  done
  for turn in 1 2; do
    run -0 "$lab" hint 5
    [ "$(grep -c '^hint ' <<<"$output")" -eq 3 ]
    [[ "$output" == *'There are no more. lab check 5'* ]]
    [ "$(record 5 hints)" = 3 ]
  done
  # Those of another exercise are others.
  run -0 "$lab" hint 9
  [[ "$output" == 'hint 1 of '* ]]
}

@test "the solution is told after a pass, and to teachers" {
  refused 1 solution 2
  [[ "$output" == *'not before lab check 2 has passed'*'--teacher'* ]]
  run -0 "$lab" solution --teacher 2
  [[ "$output" == *'terminal A: server 8080'*'terminal B: server 0'* ]]
  # What is only waited for is not told.
  [[ "$output" != *listening* ]]
  refused 1 solution 2
  need_sandbox
  in_shell one server 8080
  in_shell two server 0
  run -0 "$lab" check 2
  run -0 "$lab" solution 2
  [[ "$output" == *'terminal B: server 0'* ]]
  run -0 "$lab" reset 2
  refused 1 solution 2
  [[ "$output" != *"stands for what"* ]]
  run -0 "$lab" solution --teacher 19 # one of its lines has a number that only the terminal shows
  [[ "$output" == *"kill -KILL <child>"*"A word in <> stands for what your own terminal has shown"* ]]
}

# ---- where one is ----

@test "lab lists every exercise, with minutes and what comes next" {
  run -0 "$lab"
  local file number
  for file in "$BATS_TEST_DIRNAME"/../lab/exercises/[0-9]*.md; do
    number=$((10#$(basename "$file" | cut -c1-2)))
    [ "$(grep -cE "^[ >]* $number  .* [0-9]+ min" <<<"$output")" -eq 1 ] || die "$number: $output"
  done
  [[ "$output" =~ \>\ +1\ \  && "$output" == *'0 of '*' passed. Next: lab run 1'* ]]
}

@test "what comes next follows what was done" {
  run -0 "$lab" next
  [[ "$output" == '1. '*'lab run 1'*'plays it'* ]]
  mkdir -p "$XDG_STATE_HOME/portlab"
  local zeros='predicted 0 right 0 attempts 0 hints 0 seconds 0'
  printf 'portlab progress 1\nexercise 1 reached 0 played 1 %s passed 1700000000\nexercise 2 reached 40 played 0 %s passed 0\n' \
    "$zeros" "$zeros" >"$(progress_file)"
  run -0 "$lab" next
  [[ "$output" == '2. '*'You stopped in the middle.'*'lab run 2'* ]]
  run -0 "$lab"
  [[ "$output" =~ \ 1\ [^$'\n']*\ passed && "$output" =~ \>\ +2\ [^$'\n']*\ begun ]]
  [[ "$output" == *'1 of '*' passed. Next: lab run 2'* ]]
  printf 'portlab progress 1\nexercise 1 reached 0 played 1 %s passed 0\n' "$zeros" >"$(progress_file)"
  run -0 "$lab" next
  [[ "$output" == '1. '*'now it is your turn'*'lab shell'*'lab check 1'* ]]
}

@test "reset forgets one, or all" {
  "$lab" hint 2
  "$lab" hint 5
  run -0 "$lab" reset 2
  [ "$(record 2 hints)" = 0 ]
  [ "$(record 5 hints)" = 1 ]
  "$lab" hint 2
  run -0 "$lab" reset --all
  [ "$(record 2 hints)" = 0 ]
  [ "$(record 5 hints)" = 0 ]
  # There may be nothing to forget.
  run -0 "$lab" reset 7
  run -0 "$lab" reset --all
}

@test "the report: for people, for a spreadsheet, for a program" {
  "$lab" hint 5
  run -0 "$lab" report
  grep -qE '^ 5  The client.s port +0/0 +- +0 +1 ' <<<"$output" || die "$output"
  [[ "$output" == *'this machine: '* ]]
  "$lab" report --json >json
  each_line_is_json json
  # The tour is none that one does.
  local files
  files=("$BATS_TEST_DIRNAME"/../lab/exercises/[0-9]*.md)
  [ "$(grep -c '"event":"exercise"' json)" -eq $((${#files[@]} - 1)) ]
  grep -q '"event":"machine",.*"account":"' json
  need python3
  "$lab" report --csv >table.csv
  run -0 python3 -c 'import csv
rows = list(csv.reader(open("table.csv")))
exercises = rows[: rows.index([])]
assert len(exercises) == '"${#files[@]}"', exercises
assert all(len(row) == len(exercises[0]) for row in exercises), exercises
five = dict(zip(exercises[0], exercises[5]))
assert five["exercise"] == "5" and five["hints"] == "1" and five["passed"] == "no", five
assert len(rows[-1]) == len(rows[-2]), rows[-2:]'
}

@test "a title with commas and quotes is one field of the table" {
  need python3
  worksheet 41 </dev/null
  sed -i '1s/.*/# 41. He said: "a, b"/' "$SHEET"
  "$lab" report --csv >table.csv
  run -0 python3 -c 'import csv
rows = list(csv.reader(open("table.csv")))
assert rows[1][1] == "He said: \"a, b\"", rows[1]
assert len(rows[1]) == len(rows[0]), rows[1]'
}

# ---- the record ----

@test "the record is a file of its own, for this account only, without remains" {
  "$lab" hint 5
  [ "$(stat -c %a "$(progress_file)")" = 600 ]
  [ "$(head -n 1 "$(progress_file)")" = 'portlab progress 1' ]
  [ "$(find "$XDG_STATE_HOME/portlab" -type f ! -name progress ! -name '*.lock' | wc -l)" -eq 0 ]
  # The rest of a draft of somebody who was interrupted is in nobody's way.
  echo half >"$(progress_file).new"
  run -0 "$lab" hint 5
  [ "$(record 5 hints)" = 2 ]
  [ ! -e "$(progress_file).new" ]
}

@test "where it is kept: XDG_STATE_HOME, else below HOME; elsewhere nothing is written" {
  mkdir home
  env -u XDG_STATE_HOME HOME="$PWD/home" "$lab" hint 5
  [ -f home/.local/state/portlab/progress ]
  # Only a whole path counts, says the specification.
  env XDG_STATE_HOME=relative HOME="$PWD/home" "$lab" hint 5
  [ ! -e relative ]
  # The list can be shown all the same.
  run -0 --separate-stderr env -u XDG_STATE_HOME -u HOME "$lab"
  [[ "$stderr" == 'lab: '*'XDG_STATE_HOME'* && "$output" == *'0 of '*'passed'* ]]
}

# damaged: the file as it is now is set aside with a message, and a new one begun.
damaged() {
  local before
  before=$(cksum <"$(progress_file)")
  run -0 --separate-stderr "$lab"
  [[ "$stderr" == "lab: $(progress_file) is damaged"*'.damaged'* ]] || die "$1: $stderr"
  [ "$(cksum <"$(progress_file).damaged")" = "$before" ]
  [[ "$output" == *'0 of '*' passed'* ]]
  run -0 --separate-stderr "$lab" hint 5
  [[ "$output" == 'hint 1 of '* && -z "$stderr" ]] || die "$1: $stderr"
  rm -f "$(progress_file)" "$(progress_file).damaged"
}

@test "a damaged record is set aside, with a message, and never a crash" {
  mkdir -p "$XDG_STATE_HOME/portlab"
  local good='exercise 5 reached 0 played 1 predicted 2 right 1 attempts 1 hints 0 seconds 9 passed 1700000000'
  printf 'portlab progress 1\n%s\n' "$good" >"$(progress_file)"
  run -0 --separate-stderr "$lab"
  [[ -z "$stderr" && "$output" == *'1 of '*' passed'* ]]
  : >"$(progress_file)"
  damaged empty
  head -c 5000 /dev/urandom >"$(progress_file)"
  damaged binary
  head -c 70000 /dev/zero >"$(progress_file)"
  damaged zeros
  printf 'portlab progress 2\n%s\n' "$good" >"$(progress_file)"
  damaged 'another version'
  printf 'portlab progress 1\n%s' "$good" >"$(progress_file)"
  damaged 'without its last newline'
  printf 'portlab progress 1\n%.40s' "$good" >"$(progress_file)"
  damaged 'cut off'
  printf 'portlab progress 1\n%s\n%s\n' "$good" "$good" >"$(progress_file)"
  damaged 'the same exercise twice'
  printf 'portlab progress 1\n%s \n' "$good" >"$(progress_file)"
  damaged 'more on the line'
  local value
  for value in 99999999999999999999999 4294967296 -1 1e3 x ''; do
    printf 'portlab progress 1\n%s\n' "${good/reached 0/reached $value}" >"$(progress_file)"
    damaged "reached $value"
    printf 'portlab progress 1\n%s\n' "${good/exercise 5/exercise $value}" >"$(progress_file)"
    damaged "exercise $value"
  done
  for value in -1 4294967297 99999999999999999999999; do
    printf 'portlab progress 1\n%s\n' "${good/hints 0/hints $value}" >"$(progress_file)"
    damaged "hints $value"
  done
  printf 'portlab progress 1\n%s\n' "${good/right 1/right 3}" >"$(progress_file)"
  damaged 'more right than predicted'
  {
    echo 'portlab progress 1'
    for value in {0..999}; do echo "${good/exercise 5/exercise $value}"; done
  } >"$(progress_file)"
  damaged 'a thousand exercises'
}

@test "a directory, a pipe, a link in its place: no crash, and no other file is touched" {
  mkdir -p "$XDG_STATE_HOME/portlab/progress/full"
  run timeout 10 "$lab"
  [[ "$status" -le 1 && "$output" == *"$(progress_file)"* ]]
  run timeout 10 "$lab" hint 5
  [[ "$status" -le 1 && "$output" == *'hint 1 of '* ]]
  rm -rf "$XDG_STATE_HOME/portlab"
  mkdir -p "$XDG_STATE_HOME/portlab"
  mkfifo "$(progress_file)"
  run timeout 10 "$lab" hint 5
  [ "$status" -le 1 ]
  rm -rf "$XDG_STATE_HOME/portlab"
  mkdir -p "$XDG_STATE_HOME/portlab"
  echo mine >other
  local name
  for name in progress progress.new progress.lock network.lock; do
    ln -sf "$PWD/other" "$XDG_STATE_HOME/portlab/$name"
    run timeout 10 "$lab" hint 5
    [ "$status" -le 1 ]
    run timeout 10 "$lab"
    [ "$status" -le 1 ]
    run timeout 10 "$lab" check 5
    run timeout 10 "$lab" reset --all
    [ "$(cat other)" = mine ] || die "$name was followed"
    rm -f "$XDG_STATE_HOME/portlab/$name"
  done
}

@test "a record that cannot be written is told, and the hint comes all the same" {
  run --separate-stderr env XDG_STATE_HOME=/dev/null "$lab" hint 5
  [[ "$status" -le 1 && "$output" == *'hint 1 of '* && "$stderr" == *'cannot make the directory /dev/null/portlab'* ]]
  # Root may write everywhere.
  need_ordinary_lab
  mkdir -p closed/portlab
  cp -r "$BATS_TEST_DIRNAME/../lab/exercises" exercises
  chmod -R a+rX exercises closed
  chmod a-w closed/portlab
  run --separate-stderr as_ordinary_user env PORTLAB_EXERCISES="$PWD/exercises" XDG_STATE_HOME="$PWD/closed" "$lab" hint 5
  [[ "$status" -le 1 && "$output" == *'hint 1 of '* && "$stderr" == *"cannot write $PWD/closed/portlab/"* ]] || die "$output $stderr"
  run -0 --separate-stderr as_ordinary_user env PORTLAB_EXERCISES="$PWD/exercises" XDG_STATE_HOME="$PWD/closed" "$lab"
  chmod u+w closed/portlab
}

@test "many at once lose nothing" {
  local i
  worksheet 41 <<'SHEET'
<!-- check: tcp local-port=1 count=0
     Never. -->
<!-- hint: One. -->
SHEET
  for i in {1..30}; do start "c$i" "$lab" check 41; done
  for i in {1..30}; do
    wait_for_end "$(cat "c$i.pid")"
    run -1 grep -v 'this system does not show' "c$i.err"
  done
  [ "$(record 41 attempts)" = 30 ]
}

@test "killed at any moment, the record is whole" {
  local i
  for i in {1..40}; do
    start k "$lab" hint $((i % 9 + 1))
    ((i % 3 == 0)) || kill -KILL "$PID" 2>/dev/null || true
    wait_for_end "$PID"
    run -0 --separate-stderr "$lab"
    [ -z "$stderr" ] || die "$stderr"
  done
}
