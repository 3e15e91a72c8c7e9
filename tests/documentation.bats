#!/usr/bin/env bats
# What README.md and the manual pages say, held against the programs: every option and JSON
# key is described, and every command shown there runs and shows what stands there.

# shellcheck disable=SC2030,SC2031 # Bats gives each test a subshell, on purpose
# shellcheck disable=SC2016 # backquotes are Markdown's here
# shellcheck disable=SC2153,SC2154 # STATUS, server and client come from the helper

load helper

ROOT=$BATS_TEST_DIRNAME/..

manual_of() { echo "$ROOT/$1/$1.1"; }

# ---- options ----

options_in_help() {
  "$BIN/$1" --help | grep -oE -- '(^|[ ,])-(-[a-z][a-z-]+|[A-Za-z0-9])\b' | tr -d ' ,' | sort -u
}

options_in_manual() {
  sed -nE '/^\.Sh DESCRIPTION/,/^\.Sh THE/s/^\.It (Fl .*)/\1/p' "$(manual_of "$1")" |
    grep -oE 'Fl (Fl [a-z-]+|[A-Za-z0-9])' | sed 's/Fl Fl /--/; s/Fl /-/' | sort -u
}

@test "every option of --help is in the manual page, and the other way round" {
  local program
  for program in server client; do
    [ "$(options_in_help "$program" | wc -l)" -gt 15 ]
    run -0 diff <(options_in_help "$program") <(options_in_manual "$program")
  done
}

# The synopsis bundles the short ones: "Fl 46hquV".
@test "every option is in the synopsis too" {
  local program option synopsis
  for program in server client; do
    synopsis=$(sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESC/p' "$(manual_of "$program")")
    for option in $(sed -nE '/^\.Sh DESCRIPTION/,/^\.Sh THE/s/^\.It Fl (Fl )?([A-Za-z0-9-]+).*/\1\2/p' \
      "$(manual_of "$program")" | tr ' ' _); do
      case $option in
        Fl_*) grep -q "Fl Fl ${option#Fl_}\b" <<<"$synopsis" ;;
        *) grep -qE "Fl [A-Za-z0-9]*$option" <<<"$synopsis" ;;
      esac || die "$program.1: the synopsis lacks $option"
    done
  done
}

@test "the manual pages have no faults that mandoc can see" {
  need mandoc
  local program
  for program in server client; do
    run -0 mandoc -T lint -W warning "$(manual_of "$program")"
    [ -z "$output" ]
  done
}

# ---- JSON ----

# "event key" for each key of each event in the files' JSON lines.
keys_in_output() {
  cat "$@" | grep '^{' | sed 's/\\"//g' | while IFS= read -r line; do
    event=$(sed -E 's/^\{"event":"([^"]*)".*/\1/' <<<"$line")
    sed -E 's/:"[^"]*"/:/g' <<<"$line" | grep -oE '"[a-z0-9_]+":' | tr -d '":' |
      sed "/^event$/d; s/^/$event /"
    echo "$event event"
  done | sort -u
}

# The same from the first list of the manual page's section.
keys_in_manual() {
  sed -n '/^\.Sh JSON OUTPUT/,/^What the keys mean/p' "$(manual_of "$1")" |
    awk '
      $1 == ".It" { count = 0; for (i = 3; i <= NF; i++) if ($i != ",") { names[++count] = $i; print $i, "event" } }
      $1 == ".Cm" { for (i = 2; i <= NF; i++) if ($i ~ /^[a-z]/) for (n = 1; n <= count; n++) print names[n], $i }
    ' | sort -u
}

keys_explained() {
  sed -n '/^What the keys mean/,/^Keys never/s/^\.It Cm //p' "$(manual_of "$1")" |
    tr -d ' ' | tr , '\n' | sort -u
}

# Ends the servers NAME..., in order.
end_servers() {
  local name
  for name in "$@"; do
    kill -TERM "$(cat "$name.pid")"
    wait_for_end "$(cat "$name.pid")"
    [ "$STATUS" -eq 0 ]
  done
}

# Runs both programs in so many ways that every event occurs, and keeps their JSON.
run_every_event() {
  local me=nobody
  ((EUID == 0)) || me=$(id -un)
  start_server_as many --json --user "$me" 0
  run -0 "$client" --json --hold 0.05 -m hello -n 2 "$PORT"
  echo "$output" >client-many.out
  run -0 "$client" --json --reset "$PORT"
  echo "$output" >client-reset.out
  run -1 "$server" --json "$PORT"
  echo "$output" >taken.out
  wait_for_line many.out '"event":"reset"'
  start_server_as hangup --json --hang-up 0
  run -0 "$client" --json "$PORT"
  echo "$output" >client-hangup.out
  start_server_as cut --json --fault reset 0
  run -1 "$client" --json "$PORT"
  start_server_as idle --json --idle 0.2 0
  run -0 "$client" --json --hold 1 "$PORT"
  echo "$output" >client-idle.out
  start_server_as udp --json -u 0
  run -0 "$client" --json -u -m hello "$PORT"
  echo "$output" >client-udp.out
  start few sh -c 'ulimit -n 12 && exec "$1" --json 0' few "$server"
  wait_for_line few.out '"event":"listening"'
  PORT=$(sed -nE 's/.*"event":"listening","local":"[^"]*:([0-9]+)".*/\1/p' few.out)
  start client-few "$client" --json -n 12 --hold 9 "$PORT"
  wait_for_line few.out '"event":"pause"'
  end_servers many hangup cut idle udp few
  run -1 "$client" --json "$PORT"
  echo "$output" >client-refused.out
  open_network
  # shellcheck disable=SC2016 # expanded by the inner shell
  "${in_network[@]}" sh -c 'echo "10000 10399" >/proc/sys/net/ipv4/ip_local_port_range'
  start_server_in_network parity -q 3306
  run -0 "${in_network[@]}" "$client" --json -n 320 --hold 0 3306
  end_servers parity
  echo "$output" >client-parity.out
}

@test "every JSON event and key that the programs print is in their manual pages, and no other" {
  need_linux 'every state, and so not every key'
  run_every_event
  keys_in_output many.out hangup.out cut.out idle.out udp.out few.out taken.out >server.seen
  keys_in_output client-*.out >client.seen
  local program
  for program in server client; do
    [ "$(wc -l <"$program.seen")" -gt 40 ]
    keys_in_manual "$program" >"$program.said"
    run -0 comm -23 "$program.seen" "$program.said"
    [ -z "$output" ] || die "$program.1 does not say (event key): $output"
    # Each event and each key that is described has been seen with some event.
    run -0 comm -13 <(cut -d' ' -f1 "$program.seen" | sort -u) <(cut -d' ' -f1 "$program.said" | sort -u)
    [ -z "$output" ] || die "$program.1 describes events that never occur: $output"
    run -0 comm -3 <(cut -d' ' -f2 "$program.seen" | grep -vx event | sort -u) <(keys_explained "$program")
    [ -z "$output" ] || die "$program.1: keys on one side only: $output"
  done
}

# ---- the commands that are shown ----

# An ordinary user in a network of its own, where every port is free: runs the function.
in_lesson_network() {
  need_linux 'the states that are shown'
  need_private_network
  need_ordinary_user
  need ss
  local ordinary=(unshare --user --map-user=1000 --map-group=1000)
  ((EUID != 0)) || ordinary=(setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all)
  private_network "${ordinary[@]}" true 2>/dev/null ||
    skip "this system makes no ordinary user inside a private network"
  mkdir -m 777 lesson
  cd lesson
  cp "$ROOT"/README.md "$(manual_of server)" "$(manual_of client)" .
  export PATH=${server%/*}:$PATH
  # Functions go as text: sh, on the way, would drop exported ones.
  private_network "${ordinary[@]}" bash -c "$(declare -f); lesson \"\$@\"" lesson "$@"
}

# The ordinary user's shell: ends whatever it has started.
lesson() {
  set -e
  STARTED=()
  declare -A RUNNING=() EXPECTED=()
  trap teardown EXIT
  "$@"
}

# What differs from run to run gets one name: ephemeral ports, ids, and the states that are
# asked for while the other side answers. Lines that go on are joined, blanks are squeezed.
masked() {
  sed -E 's/^(  (shutdown|close) .*) (FIN_WAIT1|FIN_WAIT2|TIME_WAIT|LAST_ACK|CLOSED)/\1 STATE/' |
    sed -zE 's/\n {7,}/ /g' | sed -E '
    s/ +/ /g; s/ $//
    s/:[0-9]{5}\b/:PORT/g; s/pid [0-9]+/pid N/; s/uid [0-9]+/uid N/; s/\((user|uid) [^)]*\)/(USER)/
    s/[0-9]+ s left/N s left/; s/IANA: (registered|dynamic)/IANA: CLASS/
    s/in the (services database and the IANA registry|at IANA, not in the services database)/in the DATABASES/'
}

# type_in TERMINAL COMMAND: its output goes on the terminal's screen, a file.
type_in() {
  printf '$ %s\n' "$2" >>"$1.screen"
  sh -c "exec $2" >>"$1.screen" 2>&1 </dev/null 3>&- 4>&- 9>&- &
  RUNNING[$1]=$!
  STARTED+=("$!")
}

# end_of TERMINAL: waits for its command; the status is in $STATUS.
end_of() {
  local pid=${RUNNING[$1]}
  timeout 60 tail --pid="$pid" -f /dev/null || die "it does not end: $(cat "$1.screen")"
  wait_for_end "$pid"
  RUNNING[$1]=
}

screen_matches() {
  local actual pattern
  actual=$(masked <"$1.screen")
  # A line "..." stands for any lines, also for none.
  pattern=$(masked <<<"${EXPECTED[$1]%$'\n'}" | sed -E 's/[][\\*?]/\\&/g' | sed -zE 's/\n\.\.\.(\n|$)/*\1/g')
  # shellcheck disable=SC2053 # a pattern
  [[ $actual == $pattern ]]
}

expect_screen() {
  wait_until 20 screen_matches "$1" ||
    die "terminal $1 does not show what README.md says:" "$(diff <(masked <<<"${EXPECTED[$1]}") <(masked <"$1.screen"))"
}

# read_line TERMINAL LINE: one line of a console block.
read_line() {
  local terminal=$1 line=$2
  case $line in
    "\$ echo \$?")
      end_of "$terminal"
      printf '%s\n%s\n' "$line" "$STATUS" >>"$terminal.screen"
      ;;
    "\$ "*)
      [ -z "${EXPECTED[$terminal]:-}" ] || expect_screen "$terminal"
      if [ -n "${RUNNING[$terminal]:-}" ]; then
        end_of "$terminal"
        [ "$STATUS" -eq 0 ] || die "status $STATUS before: $line"
      fi
      type_in "$terminal" "${line#\$ }"
      ;;
    ^C)
      expect_screen "$terminal"
      echo '^C' >>"$terminal.screen"
      # SIGTERM does the same, and no shell has it ignored in the background.
      kill -TERM "${RUNNING[$terminal]}"
      end_of "$terminal"
      ;;
  esac
  EXPECTED[$terminal]+=$line$'\n'
}

# play FILE: every console block, in its terminal.
play() {
  local terminal='' line blocks=0
  while IFS= read -r line <&9; do
    case $line in
      '```console '*) terminal=${line##* } ;;
      '```')
        [ -z "$terminal" ] || expect_screen "$terminal"
        blocks=$((blocks + ${#terminal}))
        terminal=
        ;;
      *) [ -z "$terminal" ] || read_line "$terminal" "$line" ;;
    esac
  done 9<"$1"
  ((blocks >= 6)) || die "only $blocks console blocks were found"
}

@test "README: the lesson in two terminals goes as it is shown" {
  in_lesson_network play README.md
}

# has_texts FILE TEXT...: all are in it, however many blanks are between the words.
has_texts() {
  local file=$1 text
  shift
  for text; do
    tr -s ' ' <"$file" | grep -qF -- "$text" || return 1
  done
}

# try_command COMMAND STATUS TEXT...: runs it until it has shown every text, and has ended with
# that status. What goes on by itself is stopped then.
try_command() {
  local command=$1 status=$2
  shift 2
  : >try.screen
  type_in try "$command"
  wait_until 20 has_texts try.screen "$@" || die "not all of ($*): $(cat try.screen)"
  case $command in
    server*) [ "$status" -ne 0 ] || kill -TERM "${RUNNING[try]}" ;;
    nc*) kill -TERM "${RUNNING[try]}" && status=143 ;;
  esac
  end_of try
  [ "$STATUS" -eq "$status" ] || die "$command: status $STATUS, not $status: $(cat try.screen)"
}

# The rows of the table of claims: | id | claim | `command` | `text`, `text`, exit status N |
try_rows() {
  local id command look status text texts rows=0
  type_in A 'server 3306'
  wait_until 20 has_texts A.screen 'listening 127.0.0.1:3306'
  while IFS='|' read -r _ id _ command look _ <&9; do
    status=$(sed -nE 's/.*exit status ([0-9]+).*/\1/p' <<<"$look")
    texts=()
    while IFS= read -r text; do texts+=("$text"); done < <(grep -oE '`[^`]+`' <<<"$look" | tr -d '`')
    ((${#texts[@]} > 0)) || die "nothing to look for in row $id"
    try_command "$(tr -d '`' <<<"$command" | sed 's/^ *//; s/ *$//')" "${status:-0}" "${texts[@]}"
    rows=$((rows + 1))
  done 9< <(grep -E '^\| C[0-9]+ \|' "$1")
  ((rows >= 16)) || die "only $rows rows were found"
}

@test "README: every claim's command shows what to look for" {
  in_lesson_network try_rows README.md
}

@test "README: each claim that the pair can show has a row" {
  local claim
  for claim in 1 3 4 5 6 7 8 9 10 11 12 13 14 16 22; do
    grep -q "^| C$claim | " "$ROOT/README.md" || die "no row for C$claim"
  done
}

# The example COMMAND of a manual page, beside "server 3306" where it is not that itself.
try_example() {
  case $1 in
    'server 80') try_command "$1" 1 'Permission denied' ;;
    server*) try_command "$1" 0 'listening ' ;;
    nc*) try_command "$1" 0 'hello 127.0.0.1:' ;;
    ss*) try_command "$1" 0 'Local Address:Port' ;;
    client*--hold*) try_command "$1" 0 'hold ' ;;
    client*) try_command "$1" 0 'connect' ;;
    *) die "how is this to be run: $1" ;;
  esac
}

try_examples() {
  local command examples=0
  while IFS= read -r command <&9; do
    if [[ $command == *' 3306' && $command == server* && $command != *-[bu]' '* ]]; then
      [ -z "${RUNNING[A]:-}" ] || { kill -TERM "${RUNNING[A]}" && end_of A; }
    elif [ -z "${RUNNING[A]:-}" ]; then
      : >A.screen
      type_in A 'server 3306'
      wait_until 20 has_texts A.screen 'listening 127.0.0.1:3306'
    fi
    try_example "$command"
    examples=$((examples + 1))
  done 9< <(sed -n 's/^\.Dl \$ //p' "$1")
  ((examples >= 8)) || die "only $examples examples were found"
}

@test "server.1: every example runs" {
  need nc
  in_lesson_network try_examples server.1
}

@test "client.1: every example runs" {
  in_lesson_network try_examples client.1
}

@test "README: root binds a system port and serves as nobody" {
  ((EUID == 0)) || skip 'needs root: only root can become another user'
  need_private_network
  grep -q 'server --user nobody 80' "$ROOT/README.md"
  grep -q '^\.Dl # server --user nobody 80$' "$(manual_of server)"
  start bound private_network "$server" --user nobody 80
  wait_for_line bound.out '^listening 127.0.0.1:80 '
  [ "$(ps -o ruser= -p "$PID")" = nobody ]
}

# ---- README's other promises ----

@test "README: the files to read, the options and the make targets exist" {
  local name
  for name in $(sed -n '/^## Reading the code/,/^## License/p' "$ROOT/README.md" | grep -oE '`[^`]+`' | tr -d '`') LICENSE; do
    [ -f "$ROOT/$name" ] || die "README names $name, which is not there"
  done
  while IFS= read -r name; do
    grep -q "^$name:" "$ROOT/Makefile" || die "there is no make $name"
  done < <(grep -oE '^make [a-z]+' "$ROOT/README.md" | cut -d' ' -f2)
  local program
  for program in server client; do
    options_in_help "$program" >"$program.options"
    sed -n "/^| .$program. | shows/,/^$/p" "$ROOT/README.md" | grep -oE '`-[^`]+`' | tr -d '`' >"$program.named"
    [ "$(wc -l <"$program.named")" -gt 8 ]
    run -0 grep -vxFc -f "$program.options" <(cat "$program.named" <(echo nothing))
    [ "$output" -eq 1 ] || die "options of $program that README invents: $output"
  done
}

@test "the README's table of exercises says what the pages say" {
  sed -nE "s/^\\| ([0-9]+) \\| ([^|]*) \\| ([0-9]+) \\| [^|]* \\| ([^|]*) \\|$/\\1|\\2|\\3|\\4/p" "$ROOT/README.md" >said
  local file
  for file in "$ROOT"/lab/exercises/[0-9]*.md; do
    awk -v OFS='|' '
      NR == 1 { number = $2 + 0; title = $0; sub(/^# [0-9]+\. /, "", title) }
      NR == 2 { minutes = substr($1, 2) }
      /^<!-- claims: / { claims = $0; gsub(/^<!-- claims: | -->$/, "", claims) }
      END { if (number > 0) print number, title, minutes, claims }' "$file"
  done >written
  [ "$(wc -l <said)" -ge 18 ]
  run -0 diff said written
}
