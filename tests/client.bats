#!/usr/bin/env bats
# The client alone: the source port that it reports, and how it talks, holds and closes.
#
# shellcheck disable=SC2030,SC2031,SC2153,SC2154 # tests are subshells; helper.bash sets these

load helper

# foreign_server NC-OPTIONS...: a server that is not portlab, for one client. It sends what
# the file say holds; its port is in $PORT.
foreign_server() {
  need nc ss
  nc "$@" -l 127.0.0.1 0 <say >said.out 2>said.err 3>&- 4>&- &
  STARTED+=($!)
  wait_until 20 find_foreign_port $!
  PORT=$(find_foreign_port $!)
}

find_foreign_port() {
  ss -Hltnp | sed -nE "s/.* 127\.0\.0\.1:([0-9]+) .*pid=$1,.*/\1/p" | grep .
}

# json_ports FILE: the source ports of a client's --json, in the order of their opening
json_ports() {
  sed -nE 's/^\{"event":"connect",.*"local":"127\.0\.0\.1:([0-9]+)".*/\1/p' "$1"
}

# ---- the source port ----

@test "its source port is the one ss shows and the one the server printed" {
  need ss
  start_server 0
  start client "$client" --hold 60 "$PORT"
  wait_for_line client.out '^  hold '
  source=$(source_port client.out)
  run -0 ss -Htn state established "dport = :$PORT"
  [[ "$output" == *" 127.0.0.1:$source "* ]]
  grep -qE "^  accept +#1 +127\.0\.0\.1:$source -> 127\.0\.0\.1:$PORT " server.out
  grep -qE "^  hello +server saw 127\.0\.0\.1:$source .*the same$" client.out
}

@test "it asks for its port before connect() and after: first there is none" {
  start_server 0
  run -0 "$client" "$PORT"
  sources=$(grep -nE '^  source ' <<<"$output")
  [ "$(wc -l <<<"$sources")" -eq 2 ]
  [[ "$(sed -n 1p <<<"$sources")" =~ 0\.0\.0\.0:0\ .*no\ port\ yet ]]
  [[ "$(sed -n 2p <<<"$sources")" =~ 127\.0\.0\.1:[1-9][0-9]*\ .*kernel\ chose ]]
  connected=$(grep -nE '^  connect ' <<<"$output" | cut -d: -f1)
  [ "$(sed -n 1p <<<"$sources" | cut -d: -f1)" -lt "$connected" ]
  [ "$(sed -n 2p <<<"$sources" | cut -d: -f1)" -gt "$connected" ]
}

@test "the class of its port by IANA, and by this kernel's range as /proc has it" {
  need_linux "the kernel's range"
  open_network
  read -r first last < <("${in_network[@]}" cat /proc/sys/net/ipv4/ip_local_port_range)
  start_server_in_network server 3306
  for option in '' "-p $((first - 1))" "-p $first" "-p $last" "-p $((last + 1))" '-p 49151' '-p 49152'; do
    # shellcheck disable=SC2086 # none, or two words
    run -0 "${in_network[@]}" "$client" $option 3306
    port=$(source_port <(printf '%s\n' "$output"))
    class=registered
    [ "$port" -lt 49152 ] || class=dynamic
    rule='not ephemeral'
    [ "$port" -lt "$first" ] || [ "$port" -gt "$last" ] || rule=ephemeral
    [[ "$output" == *"IANA: $class; this kernel: $rule ($first-$last)"* ]]
  done
}

@test "-n 3: three connections, three ports, all known to the server" {
  start_server 0
  run -0 "$client" -n 3 "$PORT"
  ports=$(sed -nE 's/^  connect +#[123] +127\.0\.0\.1:([0-9]+) -> .*/\1/p' <<<"$output")
  [ "$(sort -u <<<"$ports" | wc -l)" -eq 3 ]
  for port in $ports; do
    grep -qE "^  accept .* 127\.0\.0\.1:$port -> " server.out
  done
}

@test "-n 3: all are open at the same time" {
  need ss
  start_server 0
  start client "$client" -n 3 --hold 60 "$PORT"
  wait_for_line client.out '^  hold '
  [ "$(ss -Htn state established "sport = :$PORT" | wc -l)" -eq 3 ]
}

@test "-n 5 -c 2: never more than two are open" {
  start_server 0
  run -0 "$client" -n 5 -c 2 -m x "$PORT"
  [ "$(grep -c '^  connect ' <<<"$output")" -eq 5 ]
  most=$(awk '/^  connect / { if (++open > most) most = open } /^  close / { open-- } END { print most }' <<<"$output")
  [ "$most" -eq 2 ]
  end_server
  grep -q '^served 5 connections, 5 bytes in, ' server.out
}

@test "-p: the port of one's choice, and the kernel agrees" {
  need ss
  open_network
  start_server_in_network server 3306
  start client "${in_network[@]}" "$client" -p 5000 --hold 60 3306
  wait_for_line client.out '^  hold '
  run -0 "${in_network[@]}" ss -Htn state established 'dport = :3306'
  [[ "$output" == *" 127.0.0.1:5000 "* ]]
  grep -qE '^  source +127\.0\.0\.1:5000 .*your choice' client.out
}

@test "-p 0: bound before connecting, so the port is there first" {
  start_server 0
  run -0 "$client" -p 0 "$PORT"
  ports=$(sed -nE 's/^  source +[0-9.]+:([0-9]+) .*/\1/p' <<<"$output")
  [ "$(wc -l <<<"$ports")" -eq 2 ]
  [ "$(uniq <<<"$ports" | wc -l)" -eq 1 ]
  [ "$(head -1 <<<"$ports")" -gt 0 ]
}

@test "-s: the source address of one's choice" {
  [ "$(uname)" = Linux ] || skip "only Linux has 127.0.0.2 without being told"
  start_server 0
  run -0 "$client" -s 127.0.0.2 "$PORT"
  [[ "$output" =~ server\ saw\ 127\.0\.0\.2:[0-9]+\ .*the\ same ]]
  grep -qE '^  accept .* 127\.0\.0\.2:[0-9]+ -> ' server.out
}

@test "-6: over IPv6, in brackets" {
  need_ipv6
  start_server -6 0
  run -0 "$client" -6 "$PORT"
  [[ "$output" =~ server\ saw\ \[::1\]:[0-9]+\ .*the\ same ]]
}

@test "the name localhost leads to the server, whichever address is tried first" {
  start_server 0
  run -0 "$client" localhost "$PORT"
  [[ "$output" =~ server\ saw\ 127\.0\.0\.1:[0-9]+\ .*the\ same ]]
}

# ---- talking ----

@test "-m repeated: everything comes back, in order and complete" {
  start_server 0
  run -0 "$client" -q -m one -m ' two ' -m three "$PORT"
  [ "$output" = 'one two three' ]
}

@test "-m: the bytes go out as they are, nothing added" {
  start_server 0
  run -0 "$client" -m $'a\tb' "$PORT"
  wait_for_line server.out '^  close +#1 +3 bytes in, '
}

@test "-m with many connections: each gets its own back" {
  start_server 0
  run -0 "$client" -q -n 40 -m 'word.' "$PORT"
  [ "$output" = "$(printf 'word.%.0s' {1..40})" ]
}

@test "-m longer than all buffers comes back" {
  message=$(printf '%0100000d' 7)
  start_server 0
  "$client" -q -m "$message" -m "$message" -m "$message" "$PORT" >back
  [ "$(cat back)" = "$message$message$message" ]
}

@test "-i -q: a megabyte of anything through it is a copy" {
  head -c 1000000 /dev/urandom >data
  start_server 0
  "$client" -i -q "$PORT" <data >back
  cmp data back
}

@test "-i: with the narration around it, the copy is complete all the same" {
  head -c 1000000 /dev/urandom | tr '\000-\177' '\200-\377' >data # no byte that narration has
  start_server 0
  "$client" -i "$PORT" <data >back
  tr -dc '\200-\377' <back | cmp - data
  grep -qa '^  hello .*the same$' back
}

@test "--half-close: the answer comes after this side's FIN" {
  start_server 0
  run -0 "$client" --half-close -m farewell "$PORT"
  order=$(sed -nE 's/^  (send|shutdown|recv|eof|close) .*/\1/p' <<<"$output" | paste -sd ' ' -)
  [ "$order" = 'send shutdown recv eof close' ]
  grep -qE '^  recv +8 bytes "farewell"' <<<"$output"
}

@test "what does not come back as it was sent is a failure" {
  { echo 'hello 127.0.0.1:1 from 127.0.0.1:2 connection 1' && printf 'HELLO'; } >say
  foreign_server
  run -1 "$client" -m hello -t 20 "$PORT"
  [[ "$output" == *"what came back is not what was sent"* ]]
}

@test "what comes back incomplete is a failure" {
  start_server --hang-up 0
  run -1 "$client" -m hello "$PORT"
}

# ---- the end ----

@test "--reset: the server is told of a reset, and no TIME_WAIT is left" {
  need ss
  start_server 0
  run -0 "$client" --reset "$PORT"
  source=$(source_port <(printf '%s\n' "$output"))
  wait_for_line server.out '^  reset +#1 .*RST'
  wait_for_line server.out '^  close +#1 '
  [ -z "$(state_in_ss "$source" "$PORT")$(state_in_ss "$PORT" "$source")" ]
}

@test "an orderly end: TIME_WAIT is on the client's port" {
  need ss
  start_server 0
  run -0 "$client" "$PORT"
  source=$(source_port <(printf '%s\n' "$output"))
  wait_until 20 ss_says "$source" "$PORT" TIME_WAIT
  [ "${PLATFORM:-linux}" != linux ] || [[ "$output" == *"TIME_WAIT is here: this side closed first"* ]]
}

@test "--hold: keeps them open for so long, then closes in order" {
  start_server 0
  before=$SECONDS
  run -0 "$client" --hold 1 "$PORT"
  [ $((SECONDS - before)) -ge 1 ]
  order=$(sed -nE 's/^  (hello|hold|close) .*/\1/p' <<<"$output" | paste -sd ' ' -)
  [ "$order" = 'hello hold close' ]
}

@test "--hold enter: until a line comes" {
  need ss
  start_server 0
  mkfifo keyboard
  "$client" --hold enter "$PORT" <keyboard >client.out 2>client.err 3>&- 4>&- &
  CLIENT_PID=$!
  STARTED+=("$CLIENT_PID")
  exec 5>keyboard
  wait_for_line client.out '^  hold '
  ss_says "$(source_port client.out)" "$PORT" ESTABLISHED
  echo >&5
  wait_for_end "$CLIENT_PID"
  [ "$STATUS" -eq 0 ]
  exec 5>&-
}

# ---- output ----

@test "-q says nothing where all is well" {
  start_server 0
  run -0 "$client" -q -n 3 "$PORT"
  [ -z "$output" ]
}

@test "no line of the narration is wider than 80 columns" {
  start_server 0
  run -0 "$client" -m 'a message that is longer than what a line can show' --hold 0.1 "$PORT"
  [ "$(awk 'length > 80' <<<"$output" | wc -l)" -eq 0 ]
}

@test "--json: every line is a JSON object, and the events come in order" {
  start_server 0
  "$client" --json -m 'x"\	' --half-close "$PORT" >client.out
  valid_json client.out
  events=$(sed -E 's/^\{"event":"([a-z-]+)".*/\1/' client.out | paste -sd ' ' -)
  [ "$events" = 'port socket source connect source hello send shutdown recv eof close summary' ]
}

@test "--json: the keys hold what ss and the server show" {
  need jq ss
  start_server 0
  start client "$client" --json --hold 60 "$PORT"
  wait_for_line client.out '"event":"hold"'
  event() { jq -c "select(.event == \"$1\") | $2" client.out; }
  source=$(ss -Htn state established "dport = :$PORT" | awk '{ print $3 }')
  [ "$(event connect '[.local, .peer]')" = "[\"$source\",\"127.0.0.1:$PORT\"]" ]
  [ "$(event hello '[.saw, .number]')" = "[\"$source\",1]" ]
  [ "$(event source .local | tail -1)" = "\"$source\"" ]
  [ "$(event source .local | head -1)" = '"0.0.0.0:0"' ]
  [ "${PLATFORM:-linux}" != linux ] || [ "$(event hello .state)" = '"ESTABLISHED"' ]
}

@test "--json: the summary counts what the events show" {
  need jq
  start_server 0
  "$client" --json -n 50 "$PORT" >client.out
  ports=$(json_ports client.out)
  [ "$(wc -l <<<"$ports")" -eq 50 ]
  summary() { jq "select(.event == \"summary\") | .$1" client.out; }
  [ "$(summary connections)" -eq 50 ]
  [ "$(summary different)" -eq "$(sort -u <<<"$ports" | wc -l)" ]
  [ "$(summary lowest)" -eq "$(sort -n <<<"$ports" | head -1)" ]
  [ "$(summary highest)" -eq "$(sort -n <<<"$ports" | tail -1)" ]
  [ "$(summary even)" -eq "$(grep -c '[02468]$' <<<"$ports" || true)" ]
  [ "$(summary in_dynamic)" -eq "$(awk '$1 >= 49152' <<<"$ports" | wc -l)" ]
  [ "$(summary below_1024)" -eq "$(awk '$1 < 1024' <<<"$ports" | wc -l)" ]
  [ "$(summary rising)" -eq "$(awk 'NR > 1 && $1 > last { n++ } { last = $1 } END { print n + 0 }' <<<"$ports")" ]
}

@test "on a terminal states are coloured, except with NO_COLOR, TERM=dumb or --color never" {
  need script
  need_linux "states, the only thing coloured"
  start_server 0
  # on_terminal VARIABLE=VALUE OPTION: what it writes there, and how many escapes are in it
  on_terminal() {
    env TERM=xterm "$1" script -qec "'$client' $2 $PORT" /dev/null </dev/null >terminal 3>&-
    grep -q ESTABLISHED terminal
    escapes=$(tr -dc '\033' <terminal | wc -c)
  }
  on_terminal A= ''
  [ "$escapes" -gt 0 ]
  on_terminal NO_COLOR=1 ''
  [ "$escapes" -eq 0 ]
  on_terminal TERM=dumb ''
  [ "$escapes" -eq 0 ]
  on_terminal A= '--color never'
  [ "$escapes" -eq 0 ]
  on_terminal NO_COLOR=1 '--color always'
  [ "$escapes" -gt 0 ]
}

# ---- the picture ----

@test "--plot draws with blocks in a UTF-8 locale, 80 columns at most" {
  [ "$(LC_ALL=C.UTF-8 locale charmap 2>/dev/null)" = UTF-8 ] || skip "there is no locale C.UTF-8"
  start_server 0
  LC_ALL=C.UTF-8 "$client" -n 300 --plot "$PORT" >plot
  grep -q '█' plot
  [ "$(LC_ALL=C.UTF-8 awk '{ gsub(/[\200-\277]/, "") } length > 80' plot | wc -l)" -eq 0 ]
}

@test "--plot draws with ASCII elsewhere, 80 columns at most" {
  start_server 0
  LC_ALL=C "$client" -n 300 --plot "$PORT" >plot
  grep -q '#' plot
  [ "$(tr -d '\n -~' <plot | wc -c)" -eq 0 ]
  [ "$(awk 'length > 80' plot | wc -l)" -eq 0 ]
}

@test "--plot: what it says of the ports is so" {
  open_network
  start_server_in_network server 3306
  # Two fresh and equal networks would give other ports: the server saw the very ones.
  run -0 "${in_network[@]}" "$client" -n 101 --plot 3306
  ports=$(sed -nE 's/^  accept .* 127\.0\.0\.1:([0-9]+) -> .*/\1/p' server.out)
  [ "$(wc -l <<<"$ports")" -eq 101 ]
  lowest=$(sort -n <<<"$ports" | head -1) highest=$(sort -n <<<"$ports" | tail -1)
  different=$(sort -u <<<"$ports" | wc -l)
  [[ "$output" == *"101 connections, $different different source ports, $lowest to $highest"* ]]
  [ "$lowest" -lt 1024 ] || [[ "$output" == *"none is a system port (below 1024)"* ]]
  dynamic=$(awk '$1 >= 49152' <<<"$ports" | wc -l)
  [[ "$output" == *"$dynamic of 101 "*"in IANA's dynamic range 49152-65535"* ]]
  even=$(grep -c '[02468]$' <<<"$ports" || true)
  case $even in
    0) parity='all are odd' ;;
    101) parity='all are even' ;;
    *) parity="$even are even, $((101 - even)) odd" ;;
  esac
  [[ "$output" == *"  $parity"* ]]
  rising=$(awk 'NR > 1 && $1 > last { n++ } { last = $1 } END { print n + 0 }' <<<"$ports")
  [[ "$output" == *"$rising times of 100 the next one was higher"* ]]
}

@test "--plot marks this kernel's range, changed or not" {
  need_linux "the kernel's range"
  open_network
  # shellcheck disable=SC2016 # expanded by the inner shell
  "${in_network[@]}" sh -c 'echo "10000 10999" >/proc/sys/net/ipv4/ip_local_port_range' ||
    skip "the range cannot be changed here"
  start_server_in_network server 3306
  run -0 "${in_network[@]}" "$client" -n 50 --plot 3306
  [[ "$output" == *"50 of 50 "*"in this kernel's range 10000-10999"* ]]
  [[ "$output" == *" 0 of 50 "*"in IANA's dynamic range"* ]]
}

@test "--plot of one connection" {
  start_server 0
  run -0 "$client" --plot "$PORT"
  port=$(source_port <(printf '%s\n' "$output"))
  [[ "$output" == *"one source port: $port"* ]]
}

# The expectation is computed from the source ports of all connections, in their order.
@test "the ports of the usual parity run out: said, at the right connection, with the pace" {
  need_linux "the kernel's range"
  open_network
  # shellcheck disable=SC2016 # expanded by the inner shell
  "${in_network[@]}" sh -c 'echo "10000 10399" >/proc/sys/net/ipv4/ip_local_port_range' ||
    skip "the range cannot be changed here"
  start_server_in_network server -q 3306
  "${in_network[@]}" "$client" -n 320 --json --hold 0 3306 >out.json
  sed -n 's/.*"event":"connect","id":\([0-9]*\),"local":"127.0.0.1:\([0-9]*\)".*/\1 \2/p' out.json >ports
  [ "$(wc -l <ports)" -eq 320 ]
  read -r id port < <(awk 'NR == 1 { first = $2 % 2 } $2 % 2 != first { print; exit }' ports)
  if [ -z "$id" ]; then skip "this kernel gives connect() both parities from the start"; fi
  ((id > 32)) || skip "this kernel mixes the parities"
  grep -qF "\"event\":\"parity\",\"id\":$id,\"port\":$port,\"before\":$((id - 1))}" out.json
  grep -qE "\"event\":\"pace\",\"before\":$((id - 1)),\"us_before\":[0-9]+,\"us_since\":[0-9]+" out.json
}

@test "the ports of the usual parity run out: explained for people, though lines are few" {
  need_linux "the kernel's range"
  open_network
  # shellcheck disable=SC2016 # expanded by the inner shell
  "${in_network[@]}" sh -c 'echo "10001 10400" >/proc/sys/net/ipv4/ip_local_port_range' ||
    skip "the range cannot be changed here"
  start_server_in_network server -q 3306
  "${in_network[@]}" "$client" -n 320 --plot --hold 0 3306 >text
  if ! grep -q '200 are even\|120 are even' text; then skip "this kernel mixes the parities"; fi
  grep -Eq '^  parity   #201  source port [0-9]+ is even$' text
  grep -qF 'all 200 before it were odd' text
  grep -qF '10001-10400 has 200 odd ones' text
  grep -Eq '^  pace           [0-9.]+ ms each up to #200, [0-9.]+ since$' text
  "${in_network[@]}" "$client" -n 50 3306 >few
  if grep -q parity few; then return 1; fi
}

@test "the ports of the usual parity run out for bind(), too" {
  need_linux "the kernel's range"
  open_network
  # shellcheck disable=SC2016 # expanded by the inner shell
  "${in_network[@]}" sh -c 'echo "10000 10399" >/proc/sys/net/ipv4/ip_local_port_range' ||
    skip "the range cannot be changed here"
  start_server_in_network server -q 3306
  "${in_network[@]}" "$client" -s 127.0.0.1 -n 320 --plot --hold 0 3306 >text
  if ! grep -q '200 odd' text; then skip "this kernel mixes the parities"; fi
  grep -Eq '^  parity   #201  source port [0-9]+ is even$' text
  grep -qF '10000-10399 has 200 odd ones' text
}

# More than 32 odd ones, and then even ones: but because those are free again.
@test "the ports of the usual parity come back: nothing has run out, and nothing is said" {
  need_linux "the kernel's range"
  need ss
  open_network
  # shellcheck disable=SC2016 # expanded by the inner shell
  "${in_network[@]}" sh -c 'cd /proc/sys/net/ipv4 && echo "10000 10199" >ip_local_port_range &&
    seq -s, 10000 2 10198 >ip_local_reserved_ports' || skip "the range cannot be changed here"
  start_server_in_network server -q --backlog 400 3306
  kill -STOP "$SERVER_PID" # so no greeting comes, and the client waits with half of them
  start client "${in_network[@]}" "$client" -t 60 -n 100 --plot --hold 0 3306
  local established=("${in_network[@]}" ss -Htn state established 'dport = :3306')
  enough() { [ "$("${established[@]}" | wc -l)" -gt 40 ]; }
  wait_until 20 enough
  "${in_network[@]}" sh -c 'echo >/proc/sys/net/ipv4/ip_local_reserved_ports'
  kill -CONT "$SERVER_PID"
  wait "$PID"
  run -0 sed -nE 's/.* ([0-9]+) are even, ([0-9]+) odd.*/\1 \2/p' client.out
  local even odd
  read -r even odd <<<"$output"
  ((even > 0 && odd > 32)) || skip "this kernel mixes the parities"
  run -1 grep -E '^  (parity|pace)' client.out
}

# ---- servers that are not portlab ----

@test "a server that says something else: shown, and no failure" {
  printf 'SSH-2.0-x\r\n' >say
  foreign_server
  run -0 "$client" -t 20 "$PORT"
  [[ "$output" == *'"SSH-2.0-x\r\n"'* ]]
}

@test "a server that says nothing: said so, and no failure" {
  mkfifo say
  exec 5<>say # stays open, and silent
  foreign_server
  run -0 "$client" -t 0.5 "$PORT"
  [[ "$output" == *"none: the server says nothing"* ]]
}

@test "a server that closes at once: said who closed, and no failure" {
  : >say
  foreign_server -N
  run -0 "$client" -t 20 "$PORT"
  [[ "$output" == *"the server closed first"* ]]
}

@test "control characters and escape sequences of a server never reach the screen raw" {
  printf 'a\033[31m\a\b\r\177\200\377\033]0;title\a\n' >say
  foreign_server -N
  "$client" -m x -t 20 "$PORT" >client.out
  grep -q '\\x1b' client.out
  [ "$(tr -d '\n -~' <client.out | wc -c)" -eq 0 ]
}

@test "nor in JSON, which stays valid" {
  printf 'a\033[31m"\\\200\377\n' >say
  foreign_server -N
  "$client" --json -m x -t 20 "$PORT" >client.out
  valid_json client.out
  [ "$(tr -d '\n -~' <client.out | wc -c)" -eq 0 ]
}

@test "a server that saw another address: said so" {
  printf 'hello 192.0.2.1:4711 from 127.0.0.1:80 connection 1\n' >say
  foreign_server
  run -0 "$client" -t 20 "$PORT"
  [[ "$output" == *"server saw 192.0.2.1:4711"*"not the same!"* ]]
}

# ---- output that cannot be written ----

@test "standard output full: said on standard error, exit 1" {
  [ -w /dev/full ] || skip "there is no /dev/full"
  need timeout
  start_server 0
  # shellcheck disable=SC2016 # expanded by the inner shell
  run -1 timeout 60 sh -c '"$0" "$1" >/dev/full' "$client" "$PORT"
  [ "$output" = "client: cannot write to standard output: No space left on device" ]
}

@test "standard output closed: exit 1, and nothing of it goes into the socket" {
  need timeout
  start_server 0
  # shellcheck disable=SC2016 # expanded by the inner shell
  run -1 timeout 60 sh -c '"$0" -m "$2" "$1" >&-' "$client" "$PORT" word
  [[ "$output" == "client: cannot write to standard output: "* ]]
  end_server
  [ "$(sed -nE 's/^served .*, ([0-9]+) bytes? in.*/\1/p' server.out)" -le 4 ]
}

@test "--hold: a connection that the server ends is told at once, in CLOSE_WAIT" {
  need_linux 'states'
  start_server 0
  start holder "$client" --hold 60 "$PORT"
  wait_for_line holder.out '^  hold '
  end_server
  wait_for_line holder.out '^  eof +the server closed first +CLOSE_WAIT'
  kill -0 "$(cat holder.pid)"
}

@test "-t 0 is refused: no answer comes in no time" {
  run -2 --separate-stderr "$client" -t 0 3306
  [[ "$stderr" == *"--timeout '0'"*'more'* ]]
  [ -z "$output" ]
}
