#!/usr/bin/env bats
# lab scan: held against ss in a private network, and kept from everybody else's addresses.

# shellcheck disable=SC2030,SC2031 # Bats gives each test a subshell, on purpose
# shellcheck disable=SC2153,SC2154 # PORT, lab and stderr come from the helpers and from Bats

load lab

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  need ss
}

# scan ARGS...: lab scan in the private network.
scan() {
  "${INSIDE[@]}" "$lab" scan "$@"
}

# open_ports ARGS...: what lab scan finds open, ascending.
open_ports() {
  scan "$@" | awk '$1 == "open" { print $2 }'
}

# listening_on ADDRESS: the ports that ss shows listening there, or on all addresses.
listening_on() {
  "${INSIDE[@]}" ss -Hltn | awk -v address="$1" '
    { port = $4; sub(/.*:/, "", port); sub(/:[0-9]+$/, "", $4) }
    $4 == address || $4 == "0.0.0.0" || $4 == "*" { print port }' | sort -nu
}

# finds_what_ss_shows ADDRESS: both are the same, and there are some.
finds_what_ss_shows() {
  listening_on "$1" >expected
  [ -s expected ]
  open_ports "$1" >actual
  run -0 diff expected actual
}

@test "it finds exactly what ss shows, ten times, while clients come and go" {
  start_network
  local i
  for i in 1 2 3 4; do serve "server$i" 0; done
  serve wide -b any 0
  serve elsewhere -b 127.0.0.2 0
  serve visited 0
  # shellcheck disable=SC2016 # expanded by the inner shell
  start clients "${INSIDE[@]}" sh -c 'while "$1" -q -n 200 -c 20 "$2"; do echo; done' clients "$client" "$PORT"
  wait_for_line clients.out '^$'
  for i in {1..10}; do
    finds_what_ss_shows 127.0.0.1
    [ "$(wc -l <actual)" -eq 6 ]
  done
  kill -0 "$(cat clients.pid)"
}

@test "another address of this machine has other ports" {
  start_network
  serve here 0
  serve there -b 127.0.0.2 0
  serve wide -b any 0
  finds_what_ss_shows 127.0.0.2
  [ "$(wc -l <actual)" -eq 2 ]
  finds_what_ss_shows 127.0.0.1
  [ "$(wc -l <actual)" -eq 2 ]
  "${INSIDE[@]}" ip addr add 192.0.2.77/32 dev lo
  finds_what_ss_shows 192.0.2.77
  [ "$(wc -l <actual)" -eq 1 ]
}

@test "IPv6: what listens on ::1" {
  start_network
  start six "${INSIDE[@]}" "$server" -6 0
  wait_until 20 grep -q . six.out six.err
  grep -q . six.err && skip 'no IPv6 here'
  wait_for_line six.out '^listening '
  serve four 0
  listening_on '[::1]' >expected
  open_ports ::1 >actual
  [ -s expected ]
  run -0 diff expected actual
}

@test "nobody listens: not one of the 65,535 ports is open" {
  start_network
  run -0 scan
  [[ "$output" == *'65535 ports: 0 open, 65535 closed, 0 silent'* ]]
  [ -z "$("${INSIDE[@]}" ss -Htan)" ]
}

@test "a port that the scan's own socket got is not open" {
  start_network
  set_in_network ip_local_port_range "40000 40003"
  local i
  for i in {1..50}; do
    run -0 scan 40000-40003
    [[ "$output" == *'4 ports: 0 open, 4 closed, 0 silent'* ]] || die "$output"
    echo "$output" >>all
  done
  # It did come to that: else nothing was shown.
  grep -q 'connected to itself' all
}

@test "a server whose queue is full is silent: neither open nor closed" {
  start_network
  serve full --fault no-accept --backlog 0 0
  start waiting "${INSIDE[@]}" "$client" --hold 60 "$PORT"
  wait_until 20 sh -c '"$@" | grep -q "^LISTEN *1 "' queue "${INSIDE[@]}" ss -Hltn
  run -0 scan -t 0.3 "$PORT"
  [[ "${lines[1]}" =~ ^silent\ +$PORT\  ]]
  [[ "$output" == *'0 open, 0 closed, 1 silent'* ]]
  run -0 scan -t 0.3 --json "$PORT"
  [[ "${lines[0]}" == '{"event":"silent",'*"\"port\":$PORT,"* && "$output" == *'"silent":1'* ]]
}

@test "who speaks first is told with what was said, and who does not" {
  need nc
  start_network
  serve talker 0
  local talker=$PORT silent
  start listener "${INSIDE[@]}" nc -lkv 127.0.0.1 0
  wait_until 20 sh -c '"$@" | grep -q \"nc\"' nc "${INSIDE[@]}" ss -Hltnp
  silent=$("${INSIDE[@]}" ss -Hltnp | sed -nE 's/.* 127\.0\.0\.1:([0-9]+) .*"nc".*/\1/p')
  run -0 scan
  [[ "$output" =~ open\ +$talker\ [^$'\n']*'says "hello 127.0.0.1:' ]]
  [[ "$output" =~ open\ +$silent\ [^$'\n']*'says nothing first' ]]
}

@test "a greeting cannot steer the terminal" {
  need nc
  start_network
  printf '\033[2J\007"x' >greeting
  start listener "${INSIDE[@]}" sh -c 'exec nc -l 127.0.0.1 4000 <greeting'
  wait_until 20 sh -c '"$@" | grep -q :4000' nc "${INSIDE[@]}" ss -Hltn
  run -0 scan 4000
  [[ "$output" == *'says "\x1b[2J\x07\"x'* ]]
}

@test "--before tells what was opened and what was closed since, and nothing else" {
  start_network
  serve stays 0
  serve goes 0
  local gone=$PORT
  scan --json >before
  run -0 scan --before before
  [[ "${lines[-1]}" == 'since then '*'nothing was opened or closed' ]]
  kill -TERM "$(cat goes.pid)"
  wait_for_end "$(cat goes.pid)"
  serve comes 0
  run -0 scan --before before
  [ "$(grep -c '^since then' <<<"$output")" -eq 2 ]
  [[ "$output" =~ since\ then\ +$gone\ .*was\ closed ]]
  [[ "$output" =~ since\ then\ +$PORT\ .*was\ opened ]]
  run -0 scan --json --before before
  [ "$(grep -cE '^{"event":"(opened|closed)"' <<<"$output")" -eq 2 ]
  [[ "$output" == *"{\"event\":\"opened\","*"\"port\":$PORT}"* ]]
  [[ "$output" == *"{\"event\":\"closed\","*"\"port\":$gone}"* ]]
}

@test "--before with a file that is none: said in one line, status 1" {
  refused 1 scan --before ./missing 1
  [[ "$output" == *missing* ]]
  echo 'something else' >other
  refused 1 scan --before other 1
  [[ "$output" == *other* ]]
}

@test "--json is valid, and its numbers add up to the ports" {
  start_network
  serve one 0
  serve two 0
  scan --json >json
  each_line_is_json json
  [ "$(grep -c '^{"event":"open"' json)" -eq 2 ]
  tail -n 1 json | grep -q '^{"event":"scan",.*"first":1,"last":65535,"open":2,"closed":65533,"silent":0,'
  sed -nE 's/^\{"event":"open".*"port":([0-9]+),.*/\1/p' json >actual
  listening_on 127.0.0.1 >expected
  run -0 diff expected actual
}

@test "a port, or a range, before or after the address" {
  start_network
  serve one 5000
  serve two 5002
  local words
  for words in 5000-5002 '127.0.0.1 5000-5002' '5000-5002 127.0.0.1' 'localhost 5000-5002'; do
    # shellcheck disable=SC2086 # two words
    run -0 scan $words
    [[ "$output" == *'3 ports: 2 open, 1 closed, 0 silent'* ]]
  done
  run -0 scan 5001
  [[ "$output" == *' 0 open, 1 closed, 0 silent'* ]]
  run -0 scan 65535
  [[ "$output" == *' 0 open, 1 closed, 0 silent'* ]]
}

@test "nothing is left behind in TIME_WAIT, even where the server closes first" {
  need nc
  need_linux "which connections rest"
  start_network
  serve one 0
  serve two --hang-up 0
  start listener "${INSIDE[@]}" nc -lk 127.0.0.1 4000
  wait_until 20 sh -c '"$@" | grep -q :4000' nc "${INSIDE[@]}" ss -Hltn
  run -0 scan
  [[ "$output" == *'3 open'* && "$output" == *'left behind: nothing'* ]]
  # No port of the servers is in any pair that rests.
  run -0 "${INSIDE[@]}" ss -Htan state time-wait
  [ -z "$output" ]
}

# Addresses that are nobody's or somebody else's: documentation's, multicast, broadcast, and
# those that mean every address.
FOREIGN=(8.8.8.8 192.0.2.1 224.0.0.1 255.255.255.255 0.0.0.0 :: 2001:db8::1 ff02::1 0x08080808)

@test "an address that is not this machine's is refused, with the reason" {
  local address
  for address in "${FOREIGN[@]}"; do
    refused 2 scan "$address" 1-9
    [[ "$output" == *"'$address'"*'not an address of this machine'* ]]
    refused 2 scan --json "$address"
  done
}

@test "before any packet: of a foreign address connect is never called" {
  need strace
  export ASAN_OPTIONS=detect_leaks=0 # its leak check does not work under strace
  start_network
  strace -qq -o /dev/null true 2>/dev/null || skip 'this system allows no strace'
  # Even with a way to get there.
  "${INSIDE[@]}" ip route add default dev lo
  local address calls=connect,sendto,sendmsg,sendmmsg
  for address in "${FOREIGN[@]}"; do
    run -2 "${INSIDE[@]}" strace -qq -f -o trace -e "trace=$calls" "$lab" scan "$address" 7-9
    run -1 grep -E "sin6?_port=htons\([789]\)" trace
  done
  # The same look at a scan that is allowed does find its connects.
  run -0 "${INSIDE[@]}" strace -qq -f -o trace -e "trace=$calls" "$lab" scan 127.0.0.1 7-9
  [ "$(grep -oE 'connect\(.*htons\([789]\)' trace | grep -oE 'htons.*' | sort -u | wc -l)" -eq 3 ]
}

@test "ports and options that are none: one line says why, status 2" {
  local ports
  for ports in 0 0-5 70000 9-5 1-70000 1-2-3 1- - 99999999999999999999; do
    refused 2 scan "$ports"
    [[ "$output" == *"'$ports'"* ]]
  done
  refused 2 scan ''
  refused 2 scan -t x
  refused 2 scan -t -1
  refused 2 scan --nonsense
  refused 2 scan --before
}
