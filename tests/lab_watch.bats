#!/usr/bin/env bats
# lab watch: one picture and the log, held against ss; and in a terminal, which must be as
# before whatever ends it.

# shellcheck disable=SC2030,SC2031 # Bats gives each test a subshell, on purpose
# shellcheck disable=SC2153,SC2154 # PORT, lab and stderr come from the helpers and from Bats

load lab

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  need_linux "the table of sockets"
}

# ---- one picture ----

@test "--once: the count in each state is that of ss" {
  need ss
  start_every_state
  ss_rows | awk '$1 == "tcp" { print $4 }' | sort | uniq -c | awk '{ print $2, $1 }' >expected
  "${INSIDE[@]}" "$lab" watch --once >picture
  grep -oE '\b(LISTEN|SYN_[A-Z]+|ESTABLISHED|FIN_WAIT[12]|CLOSING|TIME_WAIT|CLOSE_WAIT|LAST_ACK) [0-9]+' picture |
    sort >actual
  [ "$(wc -l <expected)" -eq 10 ]
  run -0 diff expected actual
}

@test "--once: a row for each socket, as ss has it; with a port only that port's" {
  need ss
  start_every_state
  rows_of_picture() {
    sed -nE 's/^. ([^ ]+) +-> ([^ ]+) +([A-Z_0-9]+)( .*)?$/tcp \1 \2 \3/p' | grep -v CLOSED | sort
  }
  ss_rows | grep '^tcp' >expected
  "${INSIDE[@]}" "$lab" watch --once | rows_of_picture >actual
  [ "$(wc -l <expected)" -gt 20 ]
  run -0 diff expected actual
  local port
  port=$("${INSIDE[@]}" ss -Htan state closing src 127.0.0.1 | awk '{ sub(/.*:/, "", $4); print $4 }')
  ss_rows "sport = :$port or dport = :$port" | grep '^tcp' >expected
  "${INSIDE[@]}" "$lab" watch --once "$port" | rows_of_picture >actual
  [ -s expected ]
  run -0 diff expected actual
}

@test "--once: the number line lights the port in use, no line is wider than 80" {
  start_every_state
  "${INSIDE[@]}" "$lab" watch --once >wide
  LC_ALL=C.UTF-8 "${INSIDE[@]}" "$lab" watch --once >>wide
  [ "$(widest wide)" -le 80 ]
  # Alone in another network: columns of 1024 numbers after a margin of 12.
  start_network
  serve one 50000
  run -0 "${INSIDE[@]}" "$lab" watch --once
  [ "$(grep '^sockets ' <<<"$output" | cut -c13- | awk '{ print length($0) }')" -eq $((50000 / 1024 + 1)) ]
  [ "$(grep '^sockets ' <<<"$output" | cut -c13- | tr -d ' ' | wc -c)" -eq 2 ]
}

@test "--once has nothing that steers a terminal, unless --color always" {
  start_network
  serve one 0
  run -0 "${INSIDE[@]}" "$lab" watch --once
  [[ "$output" != *$'\e'* ]]
  run -0 "${INSIDE[@]}" "$lab" watch --once --color always
  [[ "$output" == *$'\e['* ]]
}

# ---- the log ----

# start_log ARGS...: lab watch --log, which has looked once: it has seen a server come or go.
start_log() {
  start log "${INSIDE[@]}" "$lab" watch --log "$@"
  local i
  for i in {1..10}; do
    serve "early$i" 0
    # Who was there at the first look is not told as new, but as gone.
    wait_until 2 grep -q 'CLOSED -> LISTEN' log.out 2>/dev/null && return 0
    kill -KILL "$(cat "early$i.pid")"
    wait_until 2 grep -q 'LISTEN -> CLOSED' log.out 2>/dev/null && return 0
  done
  die "the log saw nothing: $(cat log.err)"
}

# life FROM TO: the states of that pair in the log, in one line; each change must begin
# where the one before has ended.
life() {
  awk -v from="$1" -v to="$2" '
    $2 == from && $4 == to {
      if (was != "" && was != $5) { print "from " was " to " $5; exit }
      printf "%s%s", was == "" ? $5 " " : "", $7 " "
      was = $7
    }' log.out
}

@test "--log: a connection's life in order, both ends, in the one format" {
  need ss
  start_network
  start_log --interval 0.05
  serve careless --fault no-close 0
  local server_end=127.0.0.1:$PORT client_end
  start visitor "${INSIDE[@]}" "$client" --hold 100 "$PORT"
  # The next step only when this one is in the log: nothing then may be missing.
  wait_for_line log.out " $server_end -> .* CLOSED -> ESTABLISHED$"
  client_end=$("${INSIDE[@]}" ss -Htn "dport = :$PORT" | awk '{ print $4 }')
  wait_for_line log.out " $client_end -> $server_end CLOSED -> ESTABLISHED$"
  kill -KILL "$(cat visitor.pid)"
  wait_for_line log.out " $server_end -> $client_end ESTABLISHED -> CLOSE_WAIT$"
  wait_for_line log.out " $client_end -> $server_end (ESTABLISHED|FIN_WAIT1) -> FIN_WAIT2$"
  # FIN_WAIT1 is there until the server's kernel has acknowledged: seen, or not.
  kill -KILL "$(cat careless.pid)"
  wait_for_line log.out " $client_end -> $server_end FIN_WAIT2 -> TIME_WAIT$"
  wait_for_line log.out " $server_end -> $client_end CLOSE_WAIT -> .*CLOSED$"
  wait_for_line log.out " $server_end -> \* LISTEN -> CLOSED$"
  # And the one that is the last of the list.
  serve last 65000
  wait_for_line log.out ' 127.0.0.1:65000 -> \* CLOSED -> LISTEN$'
  kill -KILL "$(cat last.pid)"
  wait_for_line log.out ' 127.0.0.1:65000 -> \* LISTEN -> CLOSED$'
  [[ "$(life "$client_end" "$server_end")" =~ ^'CLOSED ESTABLISHED '('FIN_WAIT1 ')?'FIN_WAIT2 TIME_WAIT '$ ]]
  [[ "$(life "$server_end" "$client_end")" =~ ^'CLOSED ESTABLISHED CLOSE_WAIT '('LAST_ACK ')?'CLOSED '$ ]]
  run -1 grep -vE '^[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\.[0-9]{3} 127\.0\.0\.1:[0-9]+ -> (\*|127\.0\.0\.1:[0-9]+) [A-Z_12]+ -> [A-Z_12]+$' log.out
  sort -c -s -k1,1 log.out
}

@test "--log: every connection that ends in TIME_WAIT is told, and no pair twice" {
  need ss
  start_network
  start_log
  serve one 0
  run -0 "${INSIDE[@]}" "$client" -q -n 50 "$PORT"
  "${INSIDE[@]}" ss -Htan state time-wait | awk '{ print $3, "->", $4 }' | sort >expected
  [ "$(wc -l <expected)" -eq 50 ]
  wait_for_line log.out '-> TIME_WAIT$' 50
  awk '$NF == "TIME_WAIT" { print $2, $3, $4 }' log.out | sort >actual
  run -0 diff expected actual
}

@test "--log with a port tells of that port only" {
  start_network
  serve other 4000
  start log "${INSIDE[@]}" "$lab" watch --log 5000
  local i
  for i in {1..40}; do
    start "five$i" "${INSIDE[@]}" "$server" 5000
    wait_for_line "five$i.out" '^listening '
    run "${INSIDE[@]}" "$client" -q 4000
    run "${INSIDE[@]}" "$client" -q 5000
    kill -KILL "$(cat "five$i.pid")"
    wait_until 1 grep -q 'ESTABLISHED\|TIME_WAIT' log.out && break
  done
  grep -q ':5000' log.out
  run -1 grep -v ':5000 ' log.out
}

@test "a signal ends --log; output that cannot be written is a failure" {
  start_network
  serve one 0
  start log "${INSIDE[@]}" "$lab" watch --log
  kill -TERM "$(cat log.pid)"
  wait_for_end "$(cat log.pid)"
  [ "$STATUS" -eq 143 ] || [ "$STATUS" -eq 0 ]
  # shellcheck disable=SC2016 # expanded by the inner shell
  run -1 sh -c '"$@" >/dev/full' full "${INSIDE[@]}" "$lab" watch --once
  [[ "$output" == *'cannot write'* ]]
}

# ---- in a terminal ----

# open_terminal: lab watch in a terminal of 80x24 in the private network. What it shows goes
# to the file screen; keys are written to descriptor 7. It ends with the files before, after
# (stty -g) and status.
open_terminal() {
  need script stty
  start_network
  mkfifo keys
  exec 7<>keys
  cat >session <<'END'
stty rows 24 cols 80
tty >tty
stty -g >before
set -m
ulimit -c 0
sh -c 'echo $$ >watch.pid; exec "$LAB" watch "$@"' watch "$@"
echo $? >status
if [ -n "$AFTER_STOP" ]; then
  stty -g >stopped
  fg >/dev/null
  echo $? >status
fi
stty -g >after
: >ended
END
  start terminal env LAB="$lab" TERM=xterm SHELL=/bin/bash AFTER_STOP="${AFTER_STOP:-}" \
    "${INSIDE[@]}" sh -c 'exec script -qfec "bash ./session" screen <keys' script
  shows 'q quit' || die "$(cat terminal.err)"
}

# shows TEXT: waits until the terminal is sent that text.
shows() {
  wait_until 20 grep -qaF -- "$1" screen
}

# The picture before the last: that one is whole. Without the styles.
whole_picture() {
  awk 'BEGIN { RS = "\033\\[H" } { before = last; last = $0 } END { printf "%s", before }' screen |
    sed -E 's/\x1b\[[0-9;?]*[a-zA-Z]//g; s/\r//g'
}

# ended STATUS: lab watch has ended with it, and the terminal is as it was.
ended() {
  wait_until 20 test -e ended || die "it goes on"
  [ "$(cat status)" -eq "$1" ]
  [ -s before ]
  run -0 diff before after
  # The cursor is back, and the screen that was there before.
  [[ "$(tail -c 200 screen)" == *$'\e[?25h'* && "$(tail -c 200 screen)" == *$'\e[?1049l'* ]]
}

@test "q ends it with status 0, and the terminal is as before" {
  open_terminal
  # While it runs the terminal is another: keys come without Enter.
  [ "$(stty -F "$(cat tty)" -g)" != "$(cat before)" ]
  printf q >&7
  ended 0
}

@test "Ctrl-C ends it with status 0, and the terminal is as before" {
  open_terminal
  printf '\003' >&7
  ended 0
}

# ends_by SIGNAL STATUS
ends_by() {
  open_terminal
  kill "-$1" "$(cat watch.pid)"
  ended "$2"
}

@test "SIGTERM ends it with status 0, and the terminal is as before" {
  ends_by TERM 0
}

@test "SIGHUP ends it with status 0, and the terminal is as before" {
  ends_by HUP 0
}

@test "SIGSEGV: the terminal is as before, and it still was a crash" {
  ends_by SEGV 139
}

@test "SIGABRT: the terminal is as before, and it still was a crash" {
  ends_by ABRT 134
}

@test "Ctrl-Z gives the terminal back, fg takes it again" {
  AFTER_STOP=yes open_terminal
  printf '\032' >&7
  wait_until 20 test -s stopped
  run -0 diff before stopped
  # A second time on the other screen.
  # shellcheck disable=SC2016 # expanded by the inner shell
  wait_until 20 sh -c '[ "$(grep -oa "1049h" screen | wc -l)" -eq 2 ]'
  printf q >&7
  ended 0
}

@test "another size of the window is taken at once: no line is wider, no row too many" {
  open_terminal
  has_the_whole_line() {
    whole_picture | grep -q 65535
  }
  wait_until 20 has_the_whole_line
  local size
  for size in '16 40' '40 120' '60 200' '24 80'; do
    # shellcheck disable=SC2086 # rows and columns
    set -- $size
    stty -F "$(cat tty)" rows "$1" cols "$2"
    fits() {
      whole_picture >picture
      [ "$(widest picture)" -le "$2" ] && [ "$(awk 'END { print NR }' picture)" -eq "$1" ]
    }
    wait_until 20 fits "$1" "$2" || die "$size: $(cat picture)"
  done
  has_the_whole_line
  printf q >&7
  ended 0
}

@test "keys: p holds the picture, s sorts, f filters, ? explains" {
  open_terminal
  serve first 5000
  shows '127.0.0.1:5000'
  printf p >&7
  shows PAUSED
  serve second 5001
  # Held: drawn again, for a key, it is the same; the new server is not in it.
  printf '?' >&7
  shows 'this page, and back'
  printf '?ss' >&7
  wait_until 20 grep -aq 'latest first' screen
  run -1 grep -aF '127.0.0.1:5001' screen
  printf 'sp' >&7
  shows '127.0.0.1:5001'
  # In the title; the page of help has these words too.
  titled() {
    whole_picture | head -n 1 | grep -q "$1\$"
  }
  printf s >&7
  wait_until 20 titled 'by state'
  printf s >&7
  wait_until 20 titled 'latest first'
  printf s >&7
  wait_until 20 titled 'by port'
  printf 'f5001\r' >&7
  shows 'port 5001'
  filtered() {
    whole_picture >picture
    grep -q ':5001' picture && ! grep -q ':5000' picture
  }
  wait_until 20 filtered
  printf 'f\r' >&7
  unfiltered() {
    whole_picture >picture
    grep -q ':5001' picture && grep -q ':5000' picture
  }
  wait_until 20 unfiltered
  printf q >&7
  ended 0
}

@test "what changes while it is watched is marked" {
  open_terminal
  serve one 0
  shows "* 127.0.0.1:$PORT"
  shows 'LISTEN 1*'
  # And after a while it is not any more.
  unmarked() {
    whole_picture >picture
    grep -q "^  127.0.0.1:$PORT" picture && grep -q 'LISTEN 1 ' picture
  }
  wait_until 20 unmarked
  printf q >&7
  ended 0
}

# ---- what it refuses ----

@test "without a terminal: one line says what to use instead, status 1" {
  refused 1 watch
  [[ "$output" == *--once* && "$output" == *--log* ]]
}

@test "arguments that are none: one line says why, status 2" {
  refused 2 watch 80x
  refused 2 watch 70000
  refused 2 watch 1 2
  refused 2 watch --interval x
  refused 2 watch --nonsense
  refused 2 watch --color blue
}
