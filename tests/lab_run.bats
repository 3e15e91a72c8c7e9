#!/usr/bin/env bats
# lab run: the exercises play as they are written; what is not as the page says is found; and
# nothing that was started outlives it.

# shellcheck disable=SC2030,SC2031 # Bats gives each test a subshell, on purpose
# shellcheck disable=SC2153,SC2154 # lab and stderr come from the helpers and from Bats

load runner

# plays N: the exercise happens as it is written; or it says what is missing here.
plays() {
  need_sandbox
  run timeout -k 5 60 "$lab" run --auto "$1"
  [ "$status" -ne 77 ] || skip "$output"
  [ "$status" -eq 0 ] || die "status $status: $output"
  [ "$output" = "exercise $1: everything on the page has happened" ] || die "$output"
  no_leftovers
}

@test "exercise 0 plays as it is written" { plays 0; }
@test "exercise 1 plays as it is written" { plays 1; }
@test "exercise 2 plays as it is written" { plays 2; }
@test "exercise 3 plays as it is written" { plays 3; }
@test "exercise 4 plays as it is written" { plays 4; }
@test "exercise 5 plays as it is written" { plays 5; }
@test "exercise 6 plays as it is written" { plays 6; }
@test "exercise 7 plays as it is written" { plays 7; }
@test "exercise 8 plays as it is written" { plays 8; }
@test "exercise 9 plays as it is written" { plays 9; }

@test "the exercises from 10 on play as they are written" {
  need_sandbox
  local files file number skipped=
  files=("$BATS_TEST_DIRNAME"/../lab/exercises/[1-9][0-9]-*.md)
  [ -f "${files[0]}" ] || skip "there are none yet"
  for file in "${files[@]}"; do
    number=$(basename "$file" | cut -d - -f 1)
    start "play$number" timeout -k 5 60 "$lab" run --auto "$number"
  done
  for file in "${files[@]}"; do
    number=$(basename "$file" | cut -d - -f 1)
    wait_for_end "$(cat "play$number.pid")"
    [[ "$STATUS" -eq 0 || "$STATUS" -eq 77 ]] || die "exercise $number: status $STATUS" "$(cat "play$number.err")"
    [ "$STATUS" -eq 0 ] || skipped+=$(cat "play$number.err")
  done
  no_leftovers
  [ -z "$skipped" ] || skip "$skipped"
}

@test "without standard input, without colours, in a narrow window: the same" {
  need_sandbox
  run -0 timeout 60 "$lab" run --auto 2 <&-
  run -0 env NO_COLOR=1 timeout 60 "$lab" run --auto 2
  run -0 timeout 60 "$lab" run --color always --auto 2
  need_talk
  run -0 talk 40 "$lab" run --auto 2 </dev/null
  [[ "$output" == 'exercise 2: everything on the page has happened'* ]]
}

@test "descriptors that lab was given are not its programs'" {
  need_sandbox
  run -0 timeout 60 "$lab" run --auto 2 5</dev/null 6<&5 3</dev/null || die "$output"
}

@test "two at once do not meet" {
  need_sandbox
  start one "$lab" run --auto 5
  local one=$PID
  start two "$lab" run --auto 5
  wait_for_end "$PID"
  [ "$STATUS" -eq 0 ] || die "$(cat two.err)"
  wait_for_end "$one"
  [ "$STATUS" -eq 0 ] || die "$(cat one.err)"
}

# ---- what is shown ----

@test "a demo shows the page and what really happens on it" {
  need_sandbox
  timeout 60 "$lab" run --demo --pause 0 5 </dev/null >demo
  # A heading, prose, a choice, what is typed, in this order.
  tr '\n' ' ' <demo | grep -q "5. The client's port.*Predict.*Which port does the.*1. 3306 too.*client 3306.*What happened"
  # The kernel chooses the port afresh each time; both ends tell the same.
  local source
  source=$(sed -nE 's/^B.*  source +127\.0\.0\.1:([1-9][0-9]*) .*/\1/p' demo | head -n 1)
  [[ "$source" =~ ^[0-9]+$ ]]
  grep -qE "^A.* accept +#1 +127\.0\.0\.1:$source -> 127\.0\.0\.1:3306" demo
  # Nothing is asked, nothing of the page's source shows.
  run -1 grep -E '\[Enter|<!--|```|<first>|\*\*' demo
  run -1 grep -q $'\033' demo
}

@test "a demo has colours where they are wanted, and none with NO_COLOR" {
  need_sandbox
  need_talk
  worksheet 41 <<'SHEET'
## Do
```console A
$ echo one two
one two
```
SHEET
  talk 80 "$lab" run --demo --pause 0 41 </dev/null >colors
  grep -q $'\033\\[' colors
  NO_COLOR=1 talk 80 "$lab" run --demo --pause 0 41 </dev/null >plain
  run -1 grep -q $'\033' plain
  grep -q 'one two' plain
}

@test "a narrow window: no line is wider" {
  need_sandbox
  need_talk
  talk 40 env NO_COLOR=1 LC_ALL=C "$lab" run --demo --pause 0 1 </dev/null | tr -d '\r' >demo
  grep -q 'What happened' demo
  # Tables and addresses are not broken.
  grep -vE '^  \||<http' demo >lines
  [ "$(widest lines)" -le 40 ] || die "$(awk 'length > 40' lines | head -n 3)"
}

# ---- what is not as it should be ----

@test "a page with a mistake is refused, with file and line" {
  worksheet 41 <<'SHEET'
## Do
```console A
$ true
```
<!-- hnt: x -->
SHEET
  refused 1 run --auto 41
  [[ "$output" == "lab: $SHEET:8: "*"'hnt'"* ]]
  refused 1 show 41
  [[ "$output" == "lab: $SHEET:8: "* ]]
}

# differs LINE EXPECTED SEEN: the page of the test is not what happens.
differs() {
  run -1 --separate-stderr timeout -k 5 60 "$lab" run --auto 41
  [ -z "$output" ]
  [[ "$stderr" == "lab: $SHEET:$1: "* ]] || die "$stderr"
  [[ "$stderr" == *"$2"* && "$stderr" == *"$3"* ]] || die "no '$2' and '$3' in: $stderr"
  no_leftovers
}

@test "a line that is another: file, line, what was expected, what was seen" {
  need_sandbox
  worksheet 41 <<'SHEET'
## Do
```console A
$ echo one; echo three; echo two
one
two
```
SHEET
  differs 8 'expected on terminal A: two' 'three'
}

@test "a number that is not the one that was kept" {
  need_sandbox
  worksheet 41 <<'SHEET'
## Do
```console A
$ echo 34104
<p>
```
```console B
$ echo port 34014
port <p>
```
SHEET
  differs 11 'expected on terminal B: port 34104' 'port 34014'
}

@test "a line too many, at the end and before the next command" {
  need_sandbox
  worksheet 41 <<'SHEET'
## Do
```console A
$ echo one; echo two
one
$ echo three
three
```
SHEET
  differs 8 'two' 'not on the page'
  worksheet 41 <<'SHEET'
## Do
```console A
$ echo one; echo two
one
```
SHEET
  differs 5 'two' 'not on the page'
}

@test "a command that ends before the line has come: its status is told" {
  need_sandbox
  worksheet 41 <<'SHEET'
## Do
```console A
$ sh -c 'exit 3'
never
```
SHEET
  differs 7 never 'status 3'
}

@test "a name that does not hold its promise" {
  need_sandbox
  worksheet 41 <<'SHEET'
## Do
```console A
$ echo 80; echo 80; echo 443
<a>
<b>
<c>
```
<!-- expect: <a> <b> equal -->
<!-- expect: <a> is system -->
<!-- expect: count A "80" = 2 -->
<!-- expect: <a> <b> <c> different -->
SHEET
  differs 14 'different' '80 and 80'
}

@test "shell words, signs and several commands in a line; an empty directory each time" {
  need_sandbox
  worksheet 41 <<'SHEET'
## Do
```console A
$ echo "a  b" 'c;d' | tr c C && echo $((1 + 1)) >file; cat file
a b C;d
2
$ X=5 sh -c 'echo $X'
5
$ cat
...
> typed
typed
> more
more
^D
...
$ cat; true
...
> typed again
typed again
^C
...
```
```console B
$ echo "<$X>"
<>
```
SHEET
  run -0 timeout 60 "$lab" run --auto 41 || die "$output"
}

@test "a key that is pressed at once reaches the command" {
  need_sandbox
  worksheet 41 <<'SHEET'
## Do
```console A
$ sleep 300
...
^C
...
```
SHEET
  run -0 timeout 60 "$lab" run --auto 41 || die "$output"
}

@test "a command of the shell's own" {
  need_sandbox
  worksheet 41 <<'SHEET'
## Do
```console A
$ ulimit -n
<n>
$ exit 3
```
<!-- expect: <n> > 3 -->
SHEET
  run -0 timeout 60 "$lab" run --auto 41
}

@test "a command that floods its terminal ends the play, not the machine" {
  need_sandbox
  worksheet 41 <<'SHEET'
## Do
```console A
$ yes
y
...
^C
...
$ yes
never
```
SHEET
  differs 12 never 'y'
}

@test "a program that is not installed: skipped, with the reason; a block: left out" {
  need_sandbox
  worksheet 41 <<'SHEET'
<!-- needs: sh portlab-no-such-program -->
## Do
```console A
$ true
```
SHEET
  run -77 --separate-stderr timeout 60 "$lab" run --auto 41
  [[ "$stderr" == *'exercise 41'*'portlab-no-such-program'* ]]
  worksheet 41 <<'SHEET'
## Do
```console A needs=portlab-no-such-program
$ portlab-no-such-program
<p>
```
```console A needs=portlab-no-such-program
more of it
```
<!-- expect: <p> in 80 -->
```console A
$ echo here
here
```
SHEET
  run -0 timeout 60 "$lab" run --auto 41
  run -0 timeout 60 "$lab" run --demo --pause 0 41 </dev/null
  [[ "$output" == *'portlab-no-such-program is not installed'*here* ]]
}

@test "where private networks are forbidden: skipped, and why" {
  need_forbidden
  worksheet 41 <<'SHEET'
## Do
```console A
$ true
```
SHEET
  run -77 --separate-stderr forbidden timeout 60 "$lab" run --auto 41
  [ -z "$output" ]
  [[ "$stderr" == *'exercise 41 is skipped'*'private network'*'why '*'try '* ]]
  [ "${PLATFORM:-linux}" != linux ] || [[ "$stderr" == *'user.max_user_namespaces = 0'*'sysctl user.max_user_namespaces='* ]]
  no_leftovers
}

@test "arguments that are none: one line says why, status 2" {
  refused 2 run
  refused 2 run 1 2
  refused 2 run x
  refused 2 run 99
  [[ "$output" == *"'99'"* ]]
  refused 2 run -1
  refused 2 run --nonsense 1
  refused 2 run --demo --pause x 1
  refused 2 run --demo --pause -1 1
  refused 2 run --auto --color blue 1
  refused 2 run ''
}

@test "without a terminal it cannot ask: status 2, and what to do" {
  worksheet 41 </dev/null
  refused 2 run 41 </dev/null
  [[ "$output" == *'terminal'*'--auto'* ]]
}

@test "exercises that are not there: status 1" {
  PORTLAB_EXERCISES=$PWD/missing refused 1 run --auto 1
  [[ "$output" == *"$PWD/missing"* ]]
}

# ---- nothing outlives it ----

# waiting COMMAND: a page starts that command and a server, and waits for ever; sets RUNNER,
# the guardian's pid, WORKER, and LEFT, everything below.
waiting() {
  need_sandbox
  worksheet 41 <<SHEET
## Do
\`\`\`console A
\$ server 3306
...
listening ...
\`\`\`
\`\`\`console B
\$ $1
never
\`\`\`
SHEET
  # Ctrl-C reaches a whole group: it has one of its own, as from a shell with job control.
  start runner setsid "$lab" run --auto 41
  RUNNER=$PID
  wait_until 20 everything_runs "${2:-sleep 987654}"
  WORKER=$(ps -o pid= --ppid "$RUNNER" | tr -d ' ')
  mapfile -t LEFT < <(descendants "$RUNNER")
  STARTED+=("${LEFT[@]}")
  [ "${#LEFT[@]}" -ge 3 ]
  run -1 no_leftovers
}

everything_runs() {
  ps -o args= -p "$(descendants "$RUNNER" | paste -sd , -)" >below.txt
  grep -qx 'server 3306' below.txt && grep -qx -- "$1" below.txt
}

# Soon, and long before the limit of a wait for a line (ten seconds).
nothing_is_left() {
  wait_until 5 all_gone "$RUNNER" "${LEFT[@]}" || die "$(ps -o pid,ppid,stat,args -p "$(IFS=,; echo "$RUNNER,${LEFT[*]}")")"
  wait_until 5 no_leftovers
}

# Programs that do not go by themselves: one that has left its terminal, one that is deaf.
AWAY='setsid sleep 987654 & sleep 987654'
DEAF='trap "" HUP INT TERM QUIT; sleep 987654'

@test "the guardian is killed: nothing outlives it" {
  local command
  for command in 'sleep 987654' "$AWAY" "$DEAF"; do
    waiting "$command"
    kill -KILL "$RUNNER"
    nothing_is_left
  done
}

@test "the worker is killed: nothing outlives it" {
  local command
  for command in 'sleep 987654' "$AWAY" "$DEAF"; do
    waiting "$command"
    kill -KILL "$WORKER"
    nothing_is_left
    wait_for_end "$RUNNER"
    [ "$STATUS" -eq 137 ]
  done
}

@test "SIGTERM and SIGHUP end it: nothing outlives it" {
  local signal command
  for signal in 'TERM AWAY' 'HUP DEAF'; do
    command=${signal#* }
    signal=${signal% *}
    waiting "${!command}"
    kill "-$signal" "$RUNNER"
    nothing_is_left
    wait_for_end "$RUNNER"
    [ "$STATUS" -ne 0 ]
  done
}

@test "SIGINT ends it, for its group as from a keyboard, and alone" {
  waiting "$AWAY"
  kill -INT -- "-$RUNNER"
  nothing_is_left
  waiting "$DEAF"
  kill -INT "$RUNNER"
  nothing_is_left
}

@test "a play that differs leaves no program either" {
  need_sandbox
  # So long as nobody else sleeps.
  local left seconds=$((800000 + BASHPID))
  worksheet 41 <<SHEET
## Do
\`\`\`console A
\$ setsid sleep $seconds & trap "" HUP; sleep $seconds & echo started
started
never
\`\`\`
SHEET
  differs 8 never 'status 0'
  mapfile -t left < <(pgrep -f "^sleep $seconds\$")
  STARTED+=("${left[@]}")
  [ "${#left[@]}" -eq 0 ]
}

# ---- with a person ----

# The page on which a person works.
page_to_ask() {
  need_sandbox
  need_talk
  worksheet 41 <<'SHEET'
The introduction.

## Predict
How much is one and one?
1. one
2. two
3. three
<!-- answer: 2. It is the sum. -->

## Do
```console A
$ echo one
one
```

## What happened
The first explanation.

## Predict
And two and two?
1. four
2. five
<!-- answer: 1. Count your fingers. -->

## Do
```console A
$ echo four
four
```

## What happened
The second explanation.

## Review
1. Is that all?
<!-- key: It is all. -->
SHEET
}

@test "a person predicts, presses Enter, sees what happens and what was right" {
  page_to_ask
  run -0 talk 80 "$lab" run 41 <<'TALK'
see The introduction.
see [Enter
type 
see How much is one and one?
see 3. three
see What do you think? 1-3
type 3
see [Enter
type 
see echo one
see [Enter
type 
see one
see [Enter
type 
see You said 3; it is 2. It is the sum.
see The first explanation.
see [Enter
type 
see And two and two?
see What do you think? 1-2
type 1
see [Enter
type 
see echo four
see [Enter
type 
see four
see [Enter
type 
see You said 1, and so it is. Count your fingers.
see The second explanation.
see [Enter
type 
see Is that all?
see [think
type 
see It is all.
see That was exercise 41
TALK
  run -0 "$lab" report --json
  [[ "$output" == *'"number":41,'*'"predictions_right":1,"predictions":2,'* ]]
  no_leftovers
}

@test "q stops; the next time it goes on there; --restart begins again" {
  page_to_ask
  run -0 talk 80 "$lab" run 41 <<'TALK'
see [Enter
type 
see 1-3
type 2
see [Enter
type 
see [Enter
type 
see [Enter
type 
see The first explanation.
see [Enter
type 
see 1-2
type q
see Stopped. lab run 41 goes on here.
TALK
  echo "$output" >first.txt
  run -0 talk 80 "$lab" run 41 <<'TALK'
see You were here before
see And two and two?
see 1-2
type 2
see [Enter
type q
see Stopped
TALK
  # What was seen before is not shown again.
  [[ "$output" != *'How much is one and one?'* && "$output" != *'The first explanation'* ]]
  run -0 talk 80 "$lab" run --restart 41 <<'TALK'
see The introduction.
see [Enter
type 
see How much is one and one?
see 1-3
type q
see Stopped
TALK
  [[ "$output" != *'You were here before'* ]]
}

@test "an answer that is none is refused kindly; the end of input stops" {
  page_to_ask
  run -0 talk 80 "$lab" run 41 <<'TALK'
see [Enter
type 
see 1-3
type 4
see One of the numbers 1 to 3
see 1-3
type two
see One of the numbers 1 to 3
see 1-3
type 22
see One of the numbers 1 to 3
see 1-3
type 
see One of the numbers 1 to 3
see 1-3
press D
see Stopped
TALK
}

@test "Ctrl-C at a question stops, and leaves nothing" {
  page_to_ask
  run talk 80 "$lab" run 41 <<'TALK'
see [Enter
type 
see 1-3
press C
see Stopped
TALK
  [ "$status" -ne 99 ]
  no_leftovers
}

@test "for a person a difference is told, and the page goes on" {
  need_sandbox
  need_talk
  worksheet 41 <<'SHEET'
## Do
```console A
$ echo one
two
```

## What happened
The end of the page.
SHEET
  run -0 talk 80 "$lab" run 41 <<'TALK'
see [Enter
type 
see echo one
see [Enter
type 
see This machine says something else
see expected on terminal A: two
see one
see [Enter
type 
see [Enter
type 
see The end of the page.
see [Enter
type 
see That was exercise 41
TALK
}
