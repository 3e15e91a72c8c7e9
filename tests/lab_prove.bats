#!/usr/bin/env bats
# lab prove: the whole course is what it promises; a worksheet that is not is found out, and so
# is a server that is not.

# shellcheck disable=SC2030,SC2031 # Bats gives each test a subshell, on purpose
# shellcheck disable=SC2153,SC2154 # lab and stderr come from the helpers and from Bats
# shellcheck disable=SC2016 # signs of Markdown and of the worksheets

load runner

# The claims of the README that exercises 1 to 9 carry, and the beliefs that they correct.
CLAIMS=(1 3 4 5 6 7 8 9 10 11 12 13 14 16 22)
BELIEFS=(1 3 4 5 6 7 8)

@test "the whole course is proved" {
  need_sandbox
  # All at once: for the most part they wait.
  local files file number skipped=
  files=("$BATS_TEST_DIRNAME"/../lab/exercises/[0-9]*.md)
  for file in "${files[@]}"; do
    number=$((10#$(basename "$file" | cut -d - -f 1)))
    start "prove$number" timeout -k 5 120 "$lab" prove "$number"
  done
  for file in "${files[@]}"; do
    number=$((10#$(basename "$file" | cut -d - -f 1)))
    wait_for_end "$(cat "prove$number.pid")"
    [[ "$STATUS" -eq 0 || "$STATUS" -eq 77 ]] || die "exercise $number: status $STATUS" "$(cat "prove$number".*)"
    grep -qE "^(proved|skipped) +$number\. " "prove$number.out" || die "$(cat "prove$number".*)"
    [ "$STATUS" -eq 0 ] || skipped+=$(cat "prove$number.err")
  done
  no_leftovers
  [ -z "$skipped" ] || skip "$skipped"
}

@test "each claim is carried by an exercise, each belief corrected by one" {
  local claim belief
  for claim in "${CLAIMS[@]}"; do
    grep -qE "^<!-- claims:( C[0-9]+)* C$claim( C[0-9]+)* -->" "$BATS_TEST_DIRNAME"/../lab/exercises/*.md ||
      die "C$claim is not carried"
  done
  for belief in "${BELIEFS[@]}"; do
    grep -qE "^<!-- dispels:( [0-9]+)* $belief( [0-9]+)* -->" "$BATS_TEST_DIRNAME"/../lab/exercises/*.md ||
      die "belief $belief is not corrected"
  done
}

# ---- worksheets that are not what they promise ----

# good NUMBER: a whole exercise, which is proved.
good() {
  worksheet "$1" <<'SHEET'
<!-- claims: C3 -->

## New words
- **listener**: a socket that waits.
- `server PORT`: waits at PORT.
- `client PORT`: goes to PORT.
- `echo`: says it again.

## Predict
Does it run?
1. no
2. yes
<!-- answer: 2. It does. -->

## Do
```console A
$ echo yes
yes
```

## Your turn
Start it.
<!-- check: tcp state=LISTEN local-port=3306
     Start a server. -->
<!-- hint: Which program waits? -->
<!-- hint: server 3306 -->
<!-- solution:
A$ server 3306
...
listening ...
-->
<!-- wrong:
A$ server 3307
...
listening ...
-->
<!-- wrong:
A$ client 3306
-->

## Review
1. One?
<!-- key: One. -->
2. Two?
<!-- key: Two. -->
3. Three?
<!-- key: Three. -->
SHEET
}

# broken NAME LINE WORDS SED-SCRIPT: the good one, changed so, is not proved: file, line and
# words are told. All of them are tried side by side; verdicts tells what came of them.
BROKEN=()
broken() {
  local name=$1 sheet
  PORTLAB_EXERCISES=$BATS_TEST_TMPDIR/$name
  mkdir -p "$PORTLAB_EXERCISES"
  sheet=$PORTLAB_EXERCISES/41-own.md
  sed "$4" "$SHEET" >"$sheet"
  run -1 cmp -s "$SHEET" "$sheet" # else sed changed nothing
  export PORTLAB_EXERCISES
  start "$name" timeout -k 5 60 "$lab" prove 41
  BROKEN+=("$name|$sheet:$2: |$3")
}

verdicts() {
  local row name where words
  for row in "${BROKEN[@]}"; do
    IFS='|' read -r name where words <<<"$row"
    wait_for_end "$(cat "$name.pid")"
    [ "$STATUS" -eq 1 ] || die "$name: status $STATUS: $(cat "$name.out" "$name.err")"
    grep -F "lab: $where" "$name.err" | grep -qF -- "$words" || die "$name: no '$where$words' in: $(cat "$name.err")"
    grep -qx 'FAILED   41. A page of the test' "$name.out" || die "$name: $(cat "$name.out")"
    grep -qx '0 proved, 1 failed, 0 skipped' "$name.out" || die "$name: $(cat "$name.out")"
  done
}

# line WORDS: the line of the good one that begins with these.
line() {
  grep -nF -m 1 -- "$1" "$SHEET" | cut -d : -f 1
}

@test "a good one is proved; parts that are missing are told" {
  need_sandbox
  good 41
  run -0 timeout 60 "$lab" prove 41
  [[ "$output" == *'proved   41. A page of the test'*'1 proved, 0 failed, 0 skipped'* ]] || die "$output"
  # Without a number: the whole course, and what it carries.
  run -0 timeout 60 "$lab" prove
  [[ "$output" == *'claim C3: exercise'*' 41'* && "$output" == *' C4'* ]] || die "$output"
  broken words 1 'there is no section "New words"' '/^## New words/,/^- `echo/d'
  broken claims 1 'claims' '/claims/d'
  broken prediction 1 'prediction' '/^1. no/,/answer/d'
  broken block 1 'console block' '/^```console/,/^```$/d'
  broken check 1 'no check' '/check:/,/Start a/d'
  broken hints 1 'fewer than two hints' '/hint: Which/d'
  broken solution 1 'no solution' '/solution:/,/^-->/d'
  broken wrongs 1 'fewer than two wrong ways' '/^<!-- wrong:/{N;/client/{N;d}}'
  broken question 1 'three questions' '/^3. Three/,/key: Three/d'
  broken key 1 'its key' '/key: Two/d'
  verdicts
}

@test "your turn: a check that says nothing, a wrong way that is right, a solution that is wrong" {
  need_sandbox
  good 41
  local check wrong solution
  check=$(line '<!-- check:')
  solution=$(line 'A$ server 3306')
  wrong=$(line 'A$ server 3307')
  broken nothing "$check" 'the check passes with nothing done' 's/check: tcp.*/check: tcp count>=0/'
  broken right "$wrong" 'the check passes for this wrong way' 's/3307/3306/'
  broken false "$wrong" 'the check passes for this wrong way' 's/local-port=3306/local-port=3306-3307/'
  broken stuck "$((solution + 2))" 'expected on terminal A: listening' 's/^A\$ server 3306/A$ echo 3306/'
  broken play "$(grep -nx yes "$SHEET" | cut -d : -f 1)" 'expected on terminal A: yes' 's/^\$ echo yes/$ echo no/'
  # The check gets as long as any wait to see the solution.
  broken unsolved "$solution" 'the check does not pass for the solution' 's/local-port=3306/local-port=3308/'
  verdicts
}

@test "what is used before it is introduced: commands and terms" {
  need_sandbox
  good 41
  local directory=$PORTLAB_EXERCISES
  broken command "$(($(line '$ echo yes') - 1))" "the command 'echo' is not introduced" '/^- `echo/d'
  broken program "$(($(line 'A$ server 3306') - 1))" "the command 'server' is not introduced" '/^- `server/d'
  verdicts
  # A later exercise introduces a term; however it is written, it is found in the earlier one.
  export PORTLAB_EXERCISES=$directory
  local text name=0
  sed -e 's/^# 41/# 42/' -e 's/\*\*listener\*\*/**bold word**/' "$SHEET" >"$directory/42-own.md"
  run -0 timeout 60 "$lab" prove 41
  for text in 'A bold word.' 'Some Bold Words.' 'A bold
word.' '- a list with a bold
  word.' '`bold word`'; do
    name=$((name + 1))
    mkdir "terms$name"
    cp "$directory/42-own.md" "terms$name/"
    awk -v text="$text" '{ print } /^Start it/ { print ""; print text }' "$SHEET" >"terms$name/41-own.md"
    PORTLAB_EXERCISES=$PWD/terms$name start "terms$name" timeout 60 "$lab" prove 41
  done
  local i
  for ((i = 1; i <= name; i++)); do
    wait_for_end "$(cat "terms$i.pid")"
    [ "$STATUS" -eq 1 ] || die "$i: $(cat "terms$i/41-own.md")"
    grep -qE "^lab: .*/41-own.md:$(($(line 'Start it') + 2)): 'bold word' is used here, but introduced only in exercise 42" "terms$i.err" ||
      die "$i: $(cat "terms$i.err")"
  done
  # Part of another word is another word.
  awk '{ print } /^Start it/ { print ""; print "The bold wording, a rebold word." }' "$SHEET" >other
  cp other "$SHEET"
  run -0 timeout 60 "$lab" prove 41
}

@test "a page with a mistake: file and line; words that are none: status 2" {
  good 41
  sed -i 's/^<!-- claims.*/<!-- claims: C99 -->/' "$SHEET"
  run -1 --separate-stderr "$lab" prove
  [[ "$stderr" == "lab: $SHEET:4: "*C99* ]]
  refused 2 prove 99
  refused 2 prove x
  refused 2 prove --nonsense
}

@test "where private networks are forbidden: status 77, and no claim is made" {
  need_forbidden
  good 41
  run -77 --separate-stderr forbidden timeout 60 "$lab" prove 41
  [[ "$stderr" == *'exercise 41 cannot be played here'* ]]
  [[ "$output" == *'skipped  41. '*'0 proved, 0 failed, 1 skipped' ]]
}

# ---- servers that are not what they say ----

# mutant FILE SED-SCRIPT: a directory of programs, $MUTANT, whose server was built from changed
# sources.
mutant() {
  local file=$1 script=$2 tree=$BATS_TEST_DIRNAME/..
  need make "${CC:-cc}"
  mkdir sources
  cp -r "$tree/Makefile" "$tree/lab" "$tree/server" "$tree/client" sources/
  sed "$script" "$tree/$file" >"sources/$file"
  run -1 cmp -s "$tree/$file" "sources/$file" # else sed changed nothing
  env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u SANITIZE -u BUILD -u BIN \
    make -s -j 4 -C sources BUILD=build BIN=bin CFLAGS='-O0 -w' bin/server >make.out 2>&1 ||
    die "$(cat make.out)"
  MUTANT=$PWD/bin.mutant
  mkdir "$MUTANT"
  cp "$lab" "$client" "$MUTANT/"
  cp sources/bin/server "$MUTANT/"
  export PORTLAB_EXERCISES=$tree/lab/exercises
}

# found_by N...: those exercises tell that server from the real one, with file and line.
found_by() {
  local number
  for number; do
    start "m$number" timeout -k 5 60 "$MUTANT/lab" run --auto "$number"
  done
  for number; do
    wait_for_end "$(cat "m$number.pid")"
    [ "$STATUS" -eq 1 ] || die "exercise $number: status $STATUS: $(cat "m$number".*)"
    grep -qE "^lab: .*/0?$number-.*\.md:[0-9]+: not as the page says" "m$number.err" || die "$(cat "m$number.err")"
  done
}

@test "a server that shows a wrong port is found out" {
  need_sandbox
  mutant server/listener.c 's/"listening %s"/"listening 127.0.0.1:3307"/'
  found_by 2 5 6
}

@test "a server that tells a wrong state is found out" {
  need_sandbox
  mutant lab/kit/tcp_state_linux.c 's/return (enum tcp_state)info.tcpi_state;/return info.tcpi_state == TCP_STATE_ESTABLISHED ? TCP_STATE_LISTEN : info.tcpi_state;/'
  found_by 5 7 8 9
}

@test "a server that hides CLOSE_WAIT is found out" {
  need_sandbox
  mutant lab/kit/tcp_state_linux.c 's/return (enum tcp_state)info.tcpi_state;/return info.tcpi_state == TCP_STATE_CLOSE_WAIT ? TCP_STATE_ESTABLISHED : info.tcpi_state;/'
  found_by 9
}

@test "a server that greets with a port off by one is found out" {
  need_sandbox
  mutant lab/kit/greeting.c 's/^\tchar \*end = stpcpy(line, "hello ");/\tendpoint_set_port(\&client_end, (uint16_t)(endpoint_port(\&client_end) + 1));\n&/'
  found_by 5 7
}

@test "a child process that keeps the socket in LISTEN is found out" {
  need_sandbox
  mutant server/model_fork.c '/^\t(void)close(service->listener);/d'
  found_by 19
}

@test "a parent process that keeps each connection is found out" {
  need_sandbox
  mutant server/model_fork.c '/^\t(void)close(start->fd);/d'
  found_by 19
}

@test "the same server, built from sources that mean the same, is not" {
  need_sandbox
  mutant lab/kit/greeting.c 's/^$/ /'
  run -0 timeout 60 "$MUTANT/lab" run --auto 7
}
