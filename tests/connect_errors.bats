#!/usr/bin/env bats
# A connection that does not come about, and why: each explanation against this machine.
#
# shellcheck disable=SC2030,SC2031,SC2153,SC2154 # tests are subshells; helper.bash sets these

load helper

# fails COMMAND...: it ends with 1, in time; the explanation is in $stderr.
fails() {
  local limit=()
  command -v timeout >/dev/null 2>&1 && limit=(timeout 60)
  run -1 --separate-stderr "${limit[@]}" "$@"
  [[ "$stderr" == "client: "* ]] || die "no headline: $stderr"
}

# explained WORDS: in the explanation, wherever its lines are broken.
explained() {
  local text
  text=$(tr -s ' \n' '  ' <<<"$stderr")
  [[ "$text" == *"$1"* ]] || die "not explained: '$1' in: $stderr"
}

headline() {
  [ "${stderr%%$'\n'*}" = "client: $1" ] || die "not '$1': ${stderr%%$'\n'*}"
}

# ---- refused ----

@test "a port that nobody listens on: refused, with a reset" {
  open_network
  fails "${in_network[@]}" "$client" 3306
  headline 'cannot connect to 127.0.0.1:3306: Connection refused (ECONNREFUSED)'
  explained 'has TCP port 3306 open'
  explained 'server 3306'
  [[ "$output" != *ESTABLISHED* ]]
}

@test "a UDP port that nobody has: refused, when the answer is read" {
  open_network
  fails "${in_network[@]}" "$client" -u -m x 3306
  headline 'cannot receive from 127.0.0.1:3306: Connection refused (ECONNREFUSED)'
  explained 'has UDP port 3306 open'
  [ "${PLATFORM:-linux}" != linux ] || explained ICMP
}

@test "a listener on another address does not help, and is named" {
  need_linux "who listens"
  open_network
  start_server_in_network server -b 127.0.0.2 3306
  fails "${in_network[@]}" "$client" 127.0.0.1 3306
  explained 'A socket has the port open, but on another address: 127.0.0.2:3306'
}

@test "a TCP server does not serve UDP" {
  open_network
  start_server_in_network server 3306
  fails "${in_network[@]}" "$client" -u -m x 3306
  headline 'cannot receive from 127.0.0.1:3306: Connection refused (ECONNREFUSED)'
}

@test "what it advises is so: with a server on the port the same client gets through" {
  open_network
  fails "${in_network[@]}" "$client" 3306
  start_server_in_network server 3306
  run -0 "${in_network[@]}" "$client" 3306
}

# ---- silence ----

@test "a full queue: silence, told with the state and the reason, within the limit" {
  [ "$(uname)" = Linux ] || skip "other systems refuse where the queue is full"
  need ss
  start_server --fault no-accept --backlog 0 0
  start first "$client" -t 60 --hold 60 "$PORT"
  wait_until 20 has_queued "$PORT" 1
  before=$SECONDS
  fails "$client" -t 1 "$PORT"
  [ $((SECONDS - before)) -lt 30 ]
  headline "cannot connect to 127.0.0.1:$PORT: Connection timed out (ETIMEDOUT)"
  explained 'No answer came at all within 1 s'
  if [ "${PLATFORM:-linux}" = linux ]; then
    [[ "$output" =~ no\ answer\ +SYN_SENT ]]
    explained '1 connection waiting to be accepted and a backlog of 0: its queue is full'
  fi
}

@test "while it waits for an answer, ss says SYN-SENT" {
  [ "$(uname)" = Linux ] || skip "other systems refuse where the queue is full"
  need ss
  start_server --fault no-accept --backlog 0 0
  start first "$client" -t 60 --hold 60 "$PORT"
  wait_until 20 has_queued "$PORT" 1
  start second "$client" -t 60 "$PORT"
  waits() { [ "$(ss -Htn state syn-sent "dport = :$PORT" | wc -l)" -eq 1 ]; }
  wait_until 20 waits
}

@test "an answer that does not come: the client gives up, and says what it waited for" {
  start_server --fault no-read 0
  fails "$client" -t 0.5 -m x "$PORT"
  headline "cannot receive from 127.0.0.1:$PORT: Connection timed out (ETIMEDOUT)"
  explained '0.5 s'
}

# ---- 4-tuples, and running out ----

@test "a connection to itself is no success, and is explained" {
  open_network
  fails "${in_network[@]}" "$client" -p 5000 5000
  headline 'connected to itself: 127.0.0.1:5000 is both ends'
  explained 'Nobody listens on port 5000'
}

@test "with a server on the port, that source port is not to be had" {
  open_network
  start_server_in_network server 5000
  fails "${in_network[@]}" "$client" -p 5000 5000
  headline 'cannot bind 0.0.0.0:5000: Address already in use (EADDRINUSE)'
}

@test "the same 4-tuple twice: refused, and the one that exists is named" {
  open_network
  start_server_in_network server 3306
  start first "${in_network[@]}" "$client" -p 5000 --hold 60 3306
  wait_for_line first.out '^  hold '
  fails "${in_network[@]}" "$client" -p 5000 3306
  headline 'cannot connect to 127.0.0.1:3306: Cannot assign requested address (EADDRNOTAVAIL)'
  [ "${PLATFORM:-linux}" != linux ] ||
    explained '127.0.0.1:5000 -> 127.0.0.1:3306 exists already (ESTABLISHED)'
}

@test "out of source ports: towards one destination only" {
  [ "$(uname)" = Linux ] || skip "needs a network with a range of its own"
  open_network
  "${in_network[@]}" sh -c 'echo "40000 40009" >/proc/sys/net/ipv4/ip_local_port_range' 2>/dev/null ||
    skip "the range cannot be changed here"
  start_server_in_network one 3306
  start_server_in_network two 3307
  start ten "${in_network[@]}" "$client" -n 10 --hold 60 3306
  wait_for_line ten.out '^  hold '
  fails "${in_network[@]}" "$client" 3306
  headline 'cannot connect to 127.0.0.1:3306: Cannot assign requested address (EADDRNOTAVAIL)'
  if [ "${PLATFORM:-linux}" = linux ]; then
    explained '40000-40009: 10 numbers'
    explained "Now 10 of this machine's sockets go there"
  fi
  run -0 "${in_network[@]}" "$client" 3307
  # and what it advises is so
  explained 'client -s 127.0.0.2 ...'
  run -0 "${in_network[@]}" "$client" -s 127.0.0.2 3306
}

@test "-n with more connections than ports: those that were made are told, exit 1" {
  [ "$(uname)" = Linux ] || skip "needs a network with a range of its own"
  open_network
  "${in_network[@]}" sh -c 'echo "40000 40009" >/proc/sys/net/ipv4/ip_local_port_range' 2>/dev/null ||
    skip "the range cannot be changed here"
  start_server_in_network server 3306
  fails "${in_network[@]}" "$client" -n 11 3306
  headline 'cannot connect to 127.0.0.1:3306: Cannot assign requested address (EADDRNOTAVAIL)'
  [ "$(grep -c '^  connect ' <<<"$output")" -eq 10 ]
  [ "$(grep -c '^  accept ' server.out)" -eq 10 ]
}

@test "-p 0 reserves a port for every destination: its end is another error" {
  [ "$(uname)" = Linux ] || skip "needs a network with a range of its own"
  open_network
  "${in_network[@]}" sh -c 'echo "40000 40009" >/proc/sys/net/ipv4/ip_local_port_range' 2>/dev/null ||
    skip "the range cannot be changed here"
  start_server_in_network server 3306
  fails "${in_network[@]}" "$client" -p 0 -n 11 3306
  headline 'cannot bind 0.0.0.0:0: Address already in use (EADDRINUSE)'
  explained 'none left'
}

@test "-s with a name that nobody has, or an address of the other family: told of the name" {
  fails "$client" -s nosuchhost.invalid 3306
  explained 'nosuchhost.invalid'
  [[ "$stderr" != *'no IPv4 address'* && "$stderr" != *'cannot bind'* ]]
  fails "$client" -s ::1 127.0.0.1 3306
  explained '::1'
  [[ "$stderr" != *'cannot bind'* ]]
}

@test "-s with an address that is not this machine's" {
  open_network
  fails "${in_network[@]}" "$client" -s 192.0.2.77 3306
  headline 'cannot bind 192.0.2.77:0: Cannot assign requested address (EADDRNOTAVAIL)'
  [ "${PLATFORM:-linux}" != linux ] || explained 'Its IPv4 addresses are 127.0.0.1.'
}

# ---- no way there ----

@test "no route: ENETUNREACH, with the addresses that this machine has" {
  open_network
  fails "${in_network[@]}" "$client" 192.0.2.1 80
  headline 'cannot connect to 192.0.2.1:80: Network is unreachable (ENETUNREACH)'
  explained 'no route'
  [ "${PLATFORM:-linux}" != linux ] || explained 'Its IPv4 addresses are 127.0.0.1.'
}

@test "a route that says unreachable: EHOSTUNREACH" {
  open_network
  "${in_network[@]}" ip route add unreachable 192.0.2.0/24
  fails "${in_network[@]}" "$client" 192.0.2.1 80
  headline 'cannot connect to 192.0.2.1:80: No route to host (EHOSTUNREACH)'
}

@test "a route that says prohibit: EACCES, and no word of ports" {
  open_network
  "${in_network[@]}" ip route add prohibit 192.0.2.0/24
  fails "${in_network[@]}" "$client" 192.0.2.1 80
  headline 'cannot connect to 192.0.2.1:80: Permission denied (EACCES)'
  explained prohibit
}

@test "an unknown host is a failure at run time, and nothing is opened" {
  open_network # the question does not leave it
  fails "${in_network[@]}" "$client" no-such-host.invalid 80
  [[ "$stderr" == "client: cannot find host 'no-such-host.invalid': "* ]]
  explained 'hosts file, then DNS'
  [ -z "$output" ]
}

@test "port 0 cannot be reached" {
  fails "$client" 0
  headline 'port 0 cannot be reached: no packet carries it; give the port that a server announced'
  [ -z "$output" ]
}

# ---- the other side cuts it ----

@test "a server that is killed: the client is told of the end or of a reset, and ends in order" {
  need ss
  start_server --fault no-read 0
  start client "$client" -t 60 -m 12345 "$PORT"
  pid=$PID
  wait_for_line client.out '^  send '
  received() { [ "$(ss -Htn state established "sport = :$PORT" | awk '{ print $1 }')" = 5 ]; }
  wait_until 20 received
  kill -KILL "$SERVER_PID" # closed with bytes unread: RST
  wait_for_end "$pid"
  [ "$STATUS" -eq 1 ]
  grep -qF '(ECONNRESET)' client.err
}

@test "--json: an error event with call, errno, peer, why and try; the headline on standard error" {
  need jq
  open_network
  fails "${in_network[@]}" "$client" --json 3306
  [ "${#stderr_lines[@]}" -eq 1 ]
  error=$(jq -c 'select(.event == "error")' <<<"$output")
  [ "$(jq -c '[.call, .errno, .peer]' <<<"$error")" = '["connect","ECONNREFUSED","127.0.0.1:3306"]' ]
  [ "$(jq '.why | length > 20' <<<"$error")$(jq '.try | length > 10' <<<"$error")" = truetrue ]
}

@test "a name with two addresses: when the first refuses, the next one is tried" {
  need_private_network
  printf '::1 twofold\n127.0.0.1 twofold\n' >hosts
  # shellcheck disable=SC2016 # expanded by the inner shell
  run private_network unshare --mount sh -c 'mount --bind hosts /etc/hosts || exit 77
    grep -q "^hosts:.*files" /etc/nsswitch.conf || exit 77
    "$1" -q 3306 >listening & server=$!
    until grep -q . listening; do sleep 0.02; done
    "$2" twofold 3306; status=$?
    kill "$server"; exit "$status"' two "$server" "$client"
  [ "$status" -ne 77 ] || skip 'this system lets nobody have a hosts file of its own'
  [ "$status" -eq 0 ]
  [[ "$output" == *'[::1]:3306: Connection refused; now the next address'* ]]
  [[ "$output" == *'server saw 127.0.0.1:'*'the same'* ]]
}
