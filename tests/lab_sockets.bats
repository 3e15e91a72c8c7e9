#!/usr/bin/env bats
# lab sockets: held against ss, in a private network with sockets in every state.

# shellcheck disable=SC2030,SC2031 # Bats gives each test a subshell, on purpose
# shellcheck disable=SC2153,SC2154 # PORT and lab come from the helpers

load lab

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  need_linux "the table of sockets"
  need ss
}

# same_rows "SS ARGS" LAB-ARGS...: lab sockets LAB-ARGS... tells the rows that ss tells, and
# there are some.
same_rows() {
  local filter=$1
  shift
  # shellcheck disable=SC2086 # several arguments
  ss_rows $filter >expected
  lab_rows "$@" >actual
  [ -s expected ] || die "ss $filter: nothing to compare with"
  run -0 diff expected actual
}

# The port of states' IPv4 listener with most connections.
port_of_busiest_listener() {
  "${INSIDE[@]}" ss -Htan state close-wait src 127.0.0.1 | awk '{ sub(/.*:/, "", $3); print $3 }'
}

@test "every row is as ss shows it: local, remote, state; eleven states, IPv4 and IPv6, UDP" {
  start_every_state
  same_rows ''
  [ "$(wc -l <expected)" -ge 25 ]
}

@test "CLOSED: a socket that is bound and nothing else, where this kernel lists such" {
  start_every_state
  run -0 "${INSIDE[@]}" "$lab" sockets state closed
  [[ "$output" == *CLOSED* ]] || skip "this kernel (before 6.8) does not list bound sockets"
  # All else that states has bound is in ss's list; this one is not.
  local bound
  bound=$(sed -nE 's/^tcp +(127\.0\.0\.1:[0-9]+) +\* +CLOSED .*/\1/p' <<<"$output")
  [ -n "$bound" ]
  run -0 grep -cF "$bound " <(ss_rows; echo "$bound ")
  [ "$output" -eq 1 ]
}

@test "each filter lets through what the same filter of ss does" {
  start_every_state
  local port
  port=$(port_of_busiest_listener)
  [ "$port" -gt 0 ]
  local transport
  for transport in tcp udp; do
    ss_rows | grep "^$transport" >expected
    lab_rows "$transport" >actual
    run -0 diff expected actual
  done
  same_rows "sport = :$port or dport = :$port" port "$port"
  same_rows "sport = :$port" local-port "$port"
  same_rows "dport = :$port" remote-port "$port"
  # Together they are an "and".
  ss_rows "dport = :$port" | grep ' CLOSING$' >expected
  lab_rows remote-port "$port" state CLOSING >actual
  run -0 diff expected actual
}

@test "the filter state: each of the ten that ss knows, in either spelling" {
  start_every_state
  local state
  for state in listening:LISTEN syn-sent:syn-sent syn-recv:SYN_RECV established:Established \
    fin-wait-1:FIN_WAIT1 fin-wait-2:fin_wait2 closing:closing time-wait:time-wait \
    close-wait:CLOSE_WAIT last-ack:last-ack; do
    # With one state ss leaves its column out.
    "${INSIDE[@]}" ss -H -tn state "${state%:*}" | awk '{ sub(/^\*:/, "[::]:", $3); print $3 }' | sort >expected
    "${INSIDE[@]}" "$lab" sockets state "${state#*:}" | awk '$1 == "tcp" { print $2 }' | sort >actual
    [ -s expected ]
    run -0 diff expected actual
  done
  "${INSIDE[@]}" ss -H -tn state closing state last-ack | wc -l >expected
  lab_rows state closing state last-ack | wc -l >actual
  run -0 diff expected actual
}

@test "mine: what belongs to this user, and not what is only the kernel's any more" {
  start_every_state
  # ss -e shows an inode where a program has the socket, and a uid where that is not 0.
  "${INSIDE[@]}" ss -Htane | awk '/ ino:[1-9]/ && !/ uid:/' | wc -l >expected
  lab_rows tcp mine | wc -l >actual
  run -0 diff expected actual
  [ "$(wc -l < <(lab_rows tcp))" -gt "$(cat actual)" ]
}

@test "mine: as one of two users of a network, only one's own" {
  ((EUID == 0)) || skip 'needs root: only root can be two users'
  start_network
  need_ordinary_lab
  serve root 0
  local of_root=$PORT
  start other "${INSIDE[@]}" setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all "$server" 0
  wait_for_line other.out '^listening '
  run -0 "${INSIDE[@]}" setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all "$lab" sockets mine
  [ "$(grep -c '^tcp' <<<"$output")" -eq 1 ]
  [[ "$output" != *:"$of_root "* ]]
  run -0 "${INSIDE[@]}" "$lab" sockets mine
  [ "$(grep -c '^tcp' <<<"$output")" -eq 1 ]
  [[ "$output" == *:"$of_root "* ]]
}

@test "queues are ss's Recv-Q and Send-Q; of a listener the accept queue and the backlog" {
  start_every_state
  "${INSIDE[@]}" ss -Htuan | awk '{ sub(/^\*:/, "[::]:", $5); sub(/^.*:\*$/, "*", $6); print $1, $5, $6, $3 "/" $4 }' |
    sort >expected
  "${INSIDE[@]}" "$lab" sockets | awk '/^(tcp|udp)/ && $4 != "CLOSED" { print $1, $2, $3, $5 }' | sort >actual
  run -0 diff expected actual
  grep -q ' \* 2/7$' actual
  grep -q ' 5/0$' actual
}

# seconds_left: of each TIME_WAIT as ss -o tells it ("59sec", "1min", "1.5sec"), rounded up.
seconds_left() {
  "${INSIDE[@]}" ss -Hton state time-wait | sed -nE 's/.*timer:\(timewait,(([0-9]+)min)?(([0-9.]+)(ms|sec))?,.*/\2 \4 \5/p' |
    awk '{ s = NF == 3 ? $1 * 60 + $2 : NF == 1 ? $1 * 60 : $2 == "ms" ? $1 / 1000 : $1; print int(s + 0.999) }' | sort -n | head -n 1
}

@test "TIME_WAIT: the seconds left are those of ss -o" {
  start_every_state
  local before after told
  before=$(seconds_left)
  told=$("${INSIDE[@]}" "$lab" sockets state time-wait | sed -nE 's/.* ends ([0-9]+)s .*/\1/p' | sort -n | head -n 1)
  after=$(seconds_left)
  [ -n "$told" ]
  ((told <= before + 1 && told >= after - 1)) || die "ss: $before, lab: $told, ss: $after"
}

@test "--explain names the states that are there, with their number, and no others" {
  start_every_state
  ss_rows | awk '{ print $1 == "udp" ? "UDP" : $4 }' | sort | uniq -c | awk '{ print $1, $2 }' >expected
  "${INSIDE[@]}" "$lab" sockets --explain | sed '1,/^$/d' >sentences
  awk '$2 != "CLOSED" { print $1, $2 }' sentences | sort -k2 >actual
  run -0 diff expected actual
  # A whole sentence each, of its own: what it means, and what ends it.
  [ "$(cut -c20- sentences | sort -u | wc -l)" -eq "$(wc -l <sentences)" ]
  run -1 grep -vE '^.{19}[a-z].{20}' sentences
  "${INSIDE[@]}" "$lab" sockets --explain state listen | sed '1,/^$/d' >sentences
  run -0 cat sentences
  [[ "${#lines[@]}" -eq 1 && "$output" == *LISTEN* ]]
}

@test "the process of one's own socket is named, as ss -p names it" {
  start_network
  serve mine 0
  run -0 "${INSIDE[@]}" ss -Hltnp "sport = :$PORT"
  local pid
  pid=$(sed -nE 's/.*pid=([0-9]+).*/\1/p' <<<"$output")
  [ -n "$pid" ]
  run -0 "${INSIDE[@]}" "$lab" sockets local-port "$PORT"
  [[ "$output" == *" server/$pid "* ]]
  run -0 "${INSIDE[@]}" "$lab" sockets --json local-port "$PORT"
  [[ "$output" == *"\"pid\":$pid,\"program\":\"server\""* ]]
}

@test "another user's process is not shown to an ordinary user, but whose it is" {
  ((EUID == 0)) || skip 'needs root: only root can be two users'
  need_ordinary_lab
  start_server 0
  run -0 as_ordinary_user "$lab" sockets local-port "$PORT"
  [[ "$output" == *' LISTEN '*' root' && "$output" != *server/* ]]
  run -0 as_ordinary_user "$lab" sockets --json local-port "$PORT"
  [[ "$output" == *'"user":"root"'* && "$output" != *'"pid"'* ]]
}

@test "--json is valid, an object for each row, and says what the text says" {
  start_every_state
  "${INSIDE[@]}" "$lab" sockets --json >json
  each_line_is_json json
  # Taken apart by sed, as a script would: transport, local, peer, state.
  grep -v '"state":"CLOSED"' json | sed -E 's/.*"transport":"([a-z]+)".*/\1 &/' | awk '
    function value(key) { return match($0, "\"" key "\":\"[^\"]*\"") ? substr($0, RSTART + length(key) + 4, RLENGTH - length(key) - 5) : "" }
    { peer = value("peer"); state = value("state"); print $1, value("local"), peer == "" ? "*" : peer, state == "" ? "-" : state }' |
    sort >actual
  ss_rows >expected
  run -0 diff expected actual
}

@test "the table of /proc, where the kernel's other way is shut, says the same" {
  need strace
  export ASAN_OPTIONS=detect_leaks=0 # its leak check does not work under strace
  start_every_state
  strace -qq -o /dev/null true 2>/dev/null || skip 'this system allows no strace'
  lab_rows >expected
  "${INSIDE[@]}" strace -qq -o trace -e trace=socket -e inject=socket:error=EPROTONOSUPPORT \
    "$lab" sockets >told
  grep -q 'NETLINK.*INJECTED' trace
  awk '/^(tcp|udp)/ && $4 != "CLOSED" { print $1, $2, $3, $4 }' told | sort >actual
  run -0 diff expected actual
  [ "$(wc -l <actual)" -ge 25 ]
}

@test "an empty result is said, with status 0; with --json it is no line" {
  start_network
  run -0 "${INSIDE[@]}" "$lab" sockets
  [ "$output" = 'no such socket now' ]
  run -0 "${INSIDE[@]}" "$lab" sockets --json
  [ -z "$output" ]
  serve some 0
  run -0 "${INSIDE[@]}" "$lab" sockets remote-port "$PORT"
  [ "$output" = 'no such socket now' ]
}

@test "filters that are none: one line says why, status 2" {
  refused 2 sockets nonsense
  [[ "$output" == *nonsense*local-port* ]]
  refused 2 sockets port
  refused 2 sockets port 70000
  [[ "$output" == *65535* ]]
  refused 2 sockets port 80x
  refused 2 sockets local-port ''
  refused 2 sockets remote-port nosuchservice
  refused 2 sockets state
  [[ "$output" == *TIME_WAIT* ]]
  refused 2 sockets state OPEN
  [[ "$output" == *OPEN*ESTABLISHED* ]]
  refused 2 sockets state LISTENING
  refused 2 sockets --nonsense
  refused 2 sockets --color blue
}

@test "a name of a service is a port: mysql and 3306 are the same filter" {
  need getent
  getent services mysql/tcp >/dev/null || skip 'no mysql in this services database'
  start_network
  serve mysql 3306
  run -0 "${INSIDE[@]}" "$lab" sockets port mysql
  [[ "$output" == *:3306* ]]
  [ "$output" = "$("${INSIDE[@]}" "$lab" sockets port 3306)" ]
}

# The columns that do not change from one look to the next.
ends_of() {
  awk '{ print $1, $2, $3, $4 }' <<<"$1"
}

@test "a bare number is a port, a bare name of a state is a state" {
  start_every_state
  local port
  port=$("${INSIDE[@]}" ss -Htln | awk '{ sub(/.*:/, "", $4); print $4; exit }')
  run -0 "${INSIDE[@]}" "$lab" sockets port "$port"
  long=$output
  [[ "$long" == *":$port"*LISTEN* ]]
  run -0 "${INSIDE[@]}" "$lab" sockets "$port"
  [ "$(ends_of "$output")" = "$(ends_of "$long")" ]
  run -0 "${INSIDE[@]}" "$lab" sockets listen
  [ "$(awk 'NR > 1 { print $4 }' <<<"$output" | sort -u)" = LISTEN ]
}
