#!/usr/bin/env bats
# A bind that is refused, and why: each explanation against this machine.
#
# shellcheck disable=SC2030,SC2031,SC2153,SC2154 # tests are subshells; helper.bash sets these

load helper

# refused COMMAND...: it ends with 1 and does not say that it listens; the explanation is
# in $stderr. A server that is not refused would stay: so there is a time limit.
refused() {
  local as=() deadline=()
  if [ "$1" = as_ordinary_user ]; then
    as=("$1")
    shift
  fi
  command -v timeout >/dev/null 2>&1 && deadline=(timeout 60)
  run -1 --separate-stderr "${as[@]}" "${deadline[@]}" "$@"
  [[ "$output" != *listening* ]] || die "it says that it listens: $output"
  [[ "$stderr" == "server: "* ]] || die "no headline: $stderr"
}

# explained WORDS: in the explanation, wherever its lines are broken.
explained() {
  local text
  text=$(tr -s ' \n' '  ' <<<"$stderr")
  [[ "$text" == *"$1"* ]] || die "not explained: '$1' in: $stderr"
}

headline() {
  [ "${stderr%%$'\n'*}" = "server: $1" ] || die "not '$1': ${stderr%%$'\n'*}"
}

limit() {
  "$@" cat /proc/sys/net/ipv4/ip_unprivileged_port_start 2>/dev/null
}

# set_limit PORT: in the open network
set_limit() {
  # shellcheck disable=SC2016 # expanded by the inner shell
  "${in_network[@]}" sh -c 'echo "$0" >/proc/sys/net/ipv4/ip_unprivileged_port_start' "$1" 2>/dev/null ||
    skip "the limit cannot be changed here"
}

# ---- EACCES ----

@test "an ordinary user is refused port 80, with the reason: class, limit and uid" {
  need_ordinary_user
  [ "$(uname)" = Linux ] || skip "other systems have other rules"
  limit=$(limit)
  [ "${limit:-1024}" -gt 80 ] || skip "here ports from $limit on are open to everybody"
  refused as_ordinary_user "$server" 80
  headline 'cannot bind 127.0.0.1:80: Permission denied (EACCES)'
  [[ "$stderr" == *$'\n  why  '* ]]
  explained '80 is a system port (1-1023)'
  [ "${PLATFORM:-linux}" != linux ] || explained "(net.ipv4.ip_unprivileged_port_start = $limit)"
  explained "uid $(as_ordinary_user id -u)"
}

@test "and told four things to try" {
  need_ordinary_user
  open_network
  refused "${in_network[@]}" "${ordinary[@]}" "$server" 80
  [[ "$stderr" == *$'\n  try  '* ]]
  # shellcheck disable=SC2016 # for the reader's shell to expand
  explained '--user "$USER" 80'
  explained 'setcap cap_net_bind_service=ep '
  explained 'sysctl net.ipv4.ip_unprivileged_port_start=80 '
  [[ "$stderr" =~ \ server\ ([0-9]+)\ +a\ registered\ port ]]
  # the first of them at once
  start server "${in_network[@]}" "${ordinary[@]}" "$server" "${BASH_REMATCH[1]}"
  wait_for_line server.out "^listening 127\.0\.0\.1:${BASH_REMATCH[1]} "
}

@test "1023 is refused and 1024 is not, where the limit is 1024" {
  need_ordinary_user
  open_network
  [ "$(limit "${in_network[@]}")" = 1024 ] || set_limit 1024
  refused "${in_network[@]}" "${ordinary[@]}" "$server" 1023
  headline 'cannot bind 127.0.0.1:1023: Permission denied (EACCES)'
  start server "${in_network[@]}" "${ordinary[@]}" "$server" 1024
  wait_for_line server.out '^listening 127\.0\.0\.1:1024 '
}

@test "UDP ports are locked alike" {
  need_ordinary_user
  open_network
  refused "${in_network[@]}" "${ordinary[@]}" "$server" -u 53
  headline 'cannot bind 127.0.0.1:53: Permission denied (EACCES)'
}

@test "a limit that was raised locks registered ports too, and is told" {
  need_linux "the limit"
  need_ordinary_user
  open_network
  set_limit 2000
  refused "${in_network[@]}" "${ordinary[@]}" "$server" 1999
  headline 'cannot bind 127.0.0.1:1999: Permission denied (EACCES)'
  explained '1999 is a registered port'
  explained '(net.ipv4.ip_unprivileged_port_start = 2000)'
}

@test "a limit that was lowered lets an ordinary user in, and is told as the reason" {
  need_linux "the limit"
  need_ordinary_user
  open_network
  set_limit 79
  start server "${in_network[@]}" "${ordinary[@]}" "$server" 80
  wait_for_line server.out '^listening 127\.0\.0\.1:80 '
  grep -qE '^  bind .*limit lowered$' server.out
  grep -q 'net\.ipv4\.ip_unprivileged_port_start = 79' server.out
}

@test "uid 0 without the capability is refused: it is not the name that counts" {
  need_linux "capabilities"
  need setpriv
  open_network
  refused "${in_network[@]}" setpriv --bounding-set=-all --inh-caps=-all "$server" 80
  headline 'cannot bind 127.0.0.1:80: Permission denied (EACCES)'
  explained 'although its uid is 0'
}

@test "root of a user namespace that does not own the network is refused, and told why" {
  need_linux "namespaces"
  need unshare
  unshare --user --map-root-user true 2>/dev/null ||
    skip "this system lets no ordinary user make a user namespace"
  [ "$(limit)" -gt 80 ] || skip "here any user may bind port 80"
  refused unshare --user --map-root-user "$server" 80
  headline 'cannot bind 127.0.0.1:80: Permission denied (EACCES)'
  explained 'in its own user namespace only'
}

@test "who may bind 80 is told by what right" {
  need_linux "capabilities"
  open_network
  start_server_in_network server 80
  grep -q 'CAP_NET_BIND_SERVICE' server.out
  read -r inside outside count < <("${in_network[@]}" cat /proc/self/uid_map)
  if [ "$inside $outside $count" = '0 0 4294967295' ]; then
    grep -qE '^  bind .*root may$' server.out
  else
    grep -qE "^  bind .*network's root$" server.out
  fi
}

@test "a port from 1024 on needs no right" {
  need_linux "the limit"
  open_network
  start_server_in_network server 3306
  grep -qE '^  bind +127\.0\.0\.1:3306 .*any user may$' server.out
  [ "$(grep -c CAP_ server.out || true)" -eq 0 ]
}

# ---- EADDRINUSE ----

@test "a port that is taken: its holder is named, with pid, program and user" {
  need_linux "who holds a port"
  start_server 0
  refused "$server" "$PORT"
  headline "cannot bind 127.0.0.1:$PORT: Address already in use (EADDRINUSE)"
  explained "a socket listens on it, held by server, pid $SERVER_PID (user $(id -un))"
  explained "ss -ltnp 'sport = :$PORT'"
}

@test "a holder that is not portlab's is named too" {
  need_linux "who holds a port"
  need nc
  open_network
  start holder "${in_network[@]}" nc -l 127.0.0.1 3306
  pid=$PID
  listens() { "${in_network[@]}" ss -Hltn 'sport = :3306' | grep -q .; }
  wait_until 20 listens
  refused "${in_network[@]}" "$server" 3306
  explained "held by $(cat "/proc/$pid/comm"), pid $pid "
}

@test "a holder that is another user's: the user is named, the process is not" {
  need_linux "who holds a port"
  ((EUID == 0)) || skip "needs root, to be another user"
  need_ordinary_user
  start_server 0
  refused as_ordinary_user "$server" "$PORT"
  explained 'a process of user root'
  [[ "$stderr" != *"pid $SERVER_PID"* ]]
}

@test "a holder on all addresses is in the way of each" {
  need_linux "who holds a port"
  start_server -b any 0
  refused "$server" "$PORT"
  explained "0.0.0.0:$PORT is taken"
  explained 'It has the port on every address of this machine'
}

@test "a holder on one address is in the way of all" {
  need_linux "who holds a port"
  start_server 0
  refused "$server" -b any "$PORT"
  headline "cannot bind 0.0.0.0:$PORT: Address already in use (EADDRINUSE)"
  explained "127.0.0.1:$PORT is taken"
}

@test "TIME_WAIT is in the way without SO_REUSEADDR, for the seconds that are told" {
  need_linux "TIME_WAIT"
  need nc ss
  open_network
  start_server_in_network first --hang-up 3306
  run -0 "${in_network[@]}" nc -d 127.0.0.1 3306 # closes after the server only
  end_server
  run -0 "${in_network[@]}" ss -Htan 'sport = :3306'
  [[ "$output" == TIME-WAIT* ]]
  refused "${in_network[@]}" "$server" --no-reuseaddr 3306
  explained '1 earlier connection of this port is in TIME_WAIT'
  [[ "$stderr" =~ ends\ in\ ([0-9]+)\ +s ]]
  [ "${BASH_REMATCH[1]}" -ge 1 ]
  [ "${BASH_REMATCH[1]}" -le 60 ]
}

@test "TIME_WAIT is not in the way of a server as it is by default" {
  need nc ss
  open_network
  start_server_in_network first --hang-up 3306
  run -0 "${in_network[@]}" nc -d 127.0.0.1 3306 # closes after the server only
  end_server
  run -0 "${in_network[@]}" ss -Htan 'sport = :3306'
  [[ "$output" == TIME-WAIT* ]]
  start_server_in_network second 3306
}

@test "a connection that lives on is in the way without SO_REUSEADDR" {
  need_linux "who holds a port"
  need ss
  open_network
  start_server_in_network first -m fork 3306
  start client "${in_network[@]}" "$client" --hold 60 3306
  wait_for_line client.out '^  hold '
  run -0 "${in_network[@]}" ss -Htnp state established 'sport = :3306'
  [[ "$output" =~ pid=([0-9]+) ]]
  STARTED+=("${BASH_REMATCH[1]}")
  kill -STOP "${BASH_REMATCH[1]}" # the child keeps its connection
  kill -KILL "$SERVER_PID"
  wait "$SERVER_PID" || true
  refused "${in_network[@]}" "$server" --no-reuseaddr 3306
  explained 'Nobody listens on it, but 1 connection of this port still lives'
  explained ESTABLISHED
}

@test "a socket that is bound and does not listen is in the way" {
  need_linux "who holds a port"
  need python3
  open_network
  start holder "${in_network[@]}" python3 -c 'import socket, time
s = socket.socket()
s.bind(("127.0.0.1", 3306))
print("bound", flush=True)
time.sleep(600)'
  wait_for_line holder.out bound
  refused "${in_network[@]}" "$server" 3306
  [[ "$stderr" == *'not listening'* ]] || explained 'bound and neither listens'
}

@test "where TIME_WAIT is over, the port is free: nothing else is left behind" {
  open_network
  start_server_in_network first 3306
  run -0 "${in_network[@]}" "$client" --reset 3306
  end_server
  start_server_in_network second --no-reuseaddr 3306
}

# ---- EADDRNOTAVAIL and the like ----

@test "an address that is not this machine's: its own are listed" {
  need_linux "the addresses"
  open_network
  "${in_network[@]}" ip address add 192.0.2.5/32 dev lo
  refused "${in_network[@]}" "$server" -b 192.0.2.77 3306
  headline 'cannot bind 192.0.2.77:3306: Cannot assign requested address (EADDRNOTAVAIL)'
  explained '192.0.2.77 is not an address of this machine'
  explained 'Its IPv4 addresses are 127.0.0.1, 192.0.2.5.'
}

@test "a name that is no address is no address to bind" {
  open_network # no question leaves it
  refused "${in_network[@]}" "$server" -b no-such-host.invalid 3306
  [[ "$stderr" == "server: cannot find host 'no-such-host.invalid': "* ]]
}

# ---- --user ----

@test "--user nobody: binds as root, serves as nobody, and cannot go back" {
  ((EUID == 0)) || skip "needs root"
  [ "$(uname)" = Linux ] || skip "needs /proc"
  need getent
  nobody=$(getent passwd nobody | cut -d: -f3)
  open_network
  start_server_in_network server --user nobody 80
  status=/proc/$SERVER_PID/status
  [ "$(awk '/^Uid:/ { print $2, $3, $4, $5 }' "$status")" = "$nobody $nobody $nobody $nobody" ]
  [ "$(awk '/^Gid:/ { print $2 == $3 && $3 == $4 && $4 == $5 && $2 != 0 }' "$status")" -eq 1 ]
  [ -z "$(awk '/^Groups:/ { print $2 }' "$status")" ]
  [ "$(awk '/^Cap(Eff|Prm|Inh|Amb):/ { print $2 }' "$status" | tr -d '0\n')" = '' ]
  run -0 "${in_network[@]}" "$client" 80
  [[ "$output" == *'server saw 127.0.0.1:'*'the same'* ]]
}

@test "--user with a name that nobody has" {
  refused "$server" --user no-such-user 0
  headline "cannot find user 'no-such-user'"
}

@test "--user root is refused: there is nothing to give up" {
  refused "$server" --user root 0
  [[ "$stderr" == *root* ]]
}

@test "--user by an ordinary user is refused" {
  need_ordinary_user
  need getent
  other=$(getent passwd | awk -F: '$3 != 0 && $3 != 65534 && $3 != '"$(id -u)"' { print $1; exit }')
  refused as_ordinary_user "$server" --user "$other" 0
  [[ "$stderr" == "server: cannot become user '$other': "*'(EPERM)'* ]]
  explained "uid $(as_ordinary_user id -u)"
}

@test "--user in a user namespace that has root only: a namespace of its own, without power" {
  need unshare
  unshare --user --map-root-user true 2>/dev/null ||
    skip "this system lets no ordinary user make a user namespace"
  need_private_network
  start rootless private_network "$server" --user nobody 80
  wait_for_line rootless.out '^listening '
  grep -q '^  user  *nobody, uid ' rootless.out
  grep -q 'in a user namespace of its own' rootless.out || ((EUID == 0))
  # By the kernel's word: no capability, and no way back.
  local server_pid
  server_pid=$(pgrep -P "$PID" -f 'user nobody' || echo "$PID")
  grep -qE '^CapEff:\s0+$' "/proc/$server_pid/status"
  grep -qE '^CapPrm:\s0+$' "/proc/$server_pid/status"
}

# ---- as JSON ----

@test "--json: an error event with call, errno, why and try; the headline on standard error" {
  need jq
  start_server 0
  refused "$server" --json "$PORT"
  headline "cannot bind 127.0.0.1:$PORT: Address already in use (EADDRINUSE)"
  [ "${#stderr_lines[@]}" -eq 1 ]
  error=$(tail -1 <<<"$output")
  [ "$(jq -c '[.event, .call, .errno, .local]' <<<"$error")" = "[\"error\",\"bind\",\"EADDRINUSE\",\"127.0.0.1:$PORT\"]" ]
  [ "$(jq '.why | length > 20' <<<"$error")$(jq '.try | length > 10' <<<"$error")" = truetrue ]
}

@test "-q does not silence an error" {
  start_server 0
  refused "$server" -q "$PORT"
  [ -z "$output" ]
  explained why
}

@test "an explanation is not wider than 80 columns" {
  need_ordinary_user
  open_network
  refused "${in_network[@]}" "${ordinary[@]}" "$server" 80
  [ "$(awk 'length > 80 && !/sudo/' <<<"$stderr" | wc -l)" -eq 0 ]
}

@test "a taken UDP port: its holder is named" {
  need_linux "who holds a port"
  start_server -u 0
  refused "$server" -u "$PORT"
  explained "a socket is bound on it, held by server, pid $SERVER_PID "
}

@test "the command that gives the capability names the whole path" {
  need_ordinary_user
  open_network
  run -1 --separate-stderr "${in_network[@]}" "${ordinary[@]}" "$server" 80
  [[ "$stderr" == *"setcap cap_net_bind_service=ep $server"* ]]
}

@test "with a raised limit, the port that any user may bind is one" {
  need_linux "the limit"
  need_ordinary_user
  open_network
  "${in_network[@]}" sh -c 'echo 10000 >/proc/sys/net/ipv4/ip_unprivileged_port_start'
  run -1 --separate-stderr "${in_network[@]}" "${ordinary[@]}" "$server" 80
  [[ "$stderr" =~ \ server\ ([0-9]+)\ +a\ registered\ port ]]
  [ "${BASH_REMATCH[1]}" -ge 10000 ]
}
