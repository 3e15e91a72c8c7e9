#!/usr/bin/env bats
# lab doctor: each point, found and missed, on this machine and on broken ones.

# shellcheck disable=SC2030,SC2031 # Bats gives each test a subshell, on purpose
# shellcheck disable=SC2153,SC2154 # lab and stderr come from the helpers and from Bats

load lab

# says VERDICT NAME [TEXT]: whether $output has the point, so judged, with that text in it.
says() {
  grep -E "^$1 +$2 " <<<"$output" | grep -qF -- "${3:-}" || die "not '$1 $2 ${3:-}' in:" "$output"
}

# alone COMMAND...: in a private network whose loopback is not up, as its root.
alone() {
  # shellcheck disable=SC2046 # words
  unshare --net $( ((EUID == 0)) || echo --user --map-root-user) "$@"
}

@test "the core lessons work here: status 0, and every point has a line and a verdict" {
  run -0 "$lab" doctor
  [[ "${lines[-1]}" == *'core lessons work'* ]]
  local point
  for point in system account 'system ports' ephemeral loopback 'TCP states' addresses \
    'socket table' sandbox packets descriptors terminal ss nc nft bats; do
    # Names stand in a column of twelve: "system" is not "system ports".
    [ "$(grep -cE "^(fine|limited|missing) +$(printf %-12s "$point") " <<<"$output")" -eq 1 ] || die "$point: $output"
  done
  says fine loopback '127.0.0.1 works'
  says '(fine|limited)' system "$(uname -sr)"
  says '(fine|limited)' account "uid $(id -u)"
}

@test "what this machine is: the kernel's range and limit, the descriptors, from the system" {
  need_linux "what /proc says"
  local first last start
  read -r first last </proc/sys/net/ipv4/ip_local_port_range
  read -r start </proc/sys/net/ipv4/ip_unprivileged_port_start
  run -0 "$lab" doctor
  says fine ephemeral "$first-$last"
  says '(fine|limited)' 'system ports' "below $start "
  says '(fine|limited)' descriptors "$(ulimit -n) at once, at most $(ulimit -Hn)"
}

@test "few descriptors are a limit" {
  # shellcheck disable=SC2016 # expanded by the inner shell
  run -0 sh -c 'ulimit -n 200 && exec "$1" doctor' few "$lab"
  says limited descriptors '200 at once, at most 200'
}

@test "another limit on system ports is told, and what it means" {
  need_linux "the limit"
  start_network
  set_in_network ip_unprivileged_port_start 0
  run -0 "${INSIDE[@]}" "$lab" doctor
  says limited 'system ports' 'below 0 '
}

@test "an ordinary user has no right to system ports; root has, which is a limit here" {
  need_linux "the capability"
  start_network
  need_ordinary_inside
  run -0 "${INSIDE[@]}" "${ORDINARY[@]}" "$lab" doctor
  says fine account 'without CAP_NET_BIND_SERVICE'
  run -0 "${INSIDE[@]}" "$lab" doctor
  says '(fine|limited)' account 'with CAP_NET_BIND_SERVICE'
}

@test "the private network is tried: it works where unshare does" {
  need_linux "private networks"
  need_private_network
  run -0 "$lab" doctor
  says fine sandbox
  says fine packets
}

@test "the private network is tried: an ordinary user who may make none is told so" {
  need_linux "private networks"
  need unshare
  need_ordinary_lab
  # A user namespace in which no further one may be made; then nobody special in it.
  # shellcheck disable=SC2016 # expanded by the inner shell
  forbidden() {
    as_ordinary_user unshare --user --map-user=1000 --keep-caps sh -c 'echo 0 >/proc/sys/user/max_user_namespaces &&
      exec setpriv --ambient-caps=-all --inh-caps=-all "$@"' forbidden "$@"
  }
  need setpriv
  run forbidden unshare --user true
  [[ "$output" == *'unshare failed: No space left'* ]] || skip "user namespaces cannot be forbidden here: $output"
  run -0 forbidden "$lab" doctor
  says missing sandbox 'unshare: ENOSPC'
  says missing packets
  [[ "$output" == *'so: '*'do: '* ]]
}

@test "loopback is down: no lesson works, status 1, and what to do" {
  need_private_network
  run -1 alone "$lab" doctor
  says missing loopback '127.0.0.1 does not'
  [[ "$output" == *'bring the interface lo up'* && "${lines[-1]}" == *'do not work'* ]]
  run -1 alone "$lab" doctor --json
  [[ "$output" == *'"name":"loopback","verdict":"missing"'* ]]
}

@test "the addresses are those that ip shows" {
  need_linux "every address"
  start_network
  "${INSIDE[@]}" ip addr add 192.0.2.77/32 dev lo
  run -0 "${INSIDE[@]}" "$lab" doctor
  says fine addresses '127.0.0.1'
  says fine addresses '192.0.2.77'
}

@test "the socket table's count is ss's" {
  need_linux "the table of sockets"
  need ss
  start_every_state
  local seen closed
  seen=$("${INSIDE[@]}" ss -Htan | wc -l)
  closed=$("${INSIDE[@]}" "$lab" sockets tcp state closed | grep -c CLOSED || true)
  run -0 "${INSIDE[@]}" "$lab" doctor
  says fine 'socket table' " $((seen + closed)) TCP sockets"
}

@test "tools are looked for in PATH: found there, and missing" {
  mkdir tools
  run -0 env PATH="$PWD/tools" "$lab" doctor
  local tool
  for tool in ss nc nft bats; do says missing "$tool" 'not installed'; done
  printf '#!/bin/sh\n' >tools/nft
  run -0 env PATH="$PWD/tools" "$lab" doctor
  says missing nft
  chmod +x tools/nft
  run -0 env PATH="/nonexistent:$PWD/tools" "$lab" doctor
  says fine nft 'installed'
  says missing ss
}

@test "what is missing says what that means and what to do; what is fine says neither" {
  mkdir tools
  run -0 env PATH="$PWD/tools" "$lab" doctor
  [ "$(grep -cE '^missing +(ss|nc|nft|bats) ' <<<"$output")" -eq 4 ]
  [ "$(grep -A1 -E '^missing +(ss|nc|nft|bats) ' <<<"$output" | grep -c ' so: ')" -eq 4 ]
  run -1 grep -E '^ +(so|do): ' <(grep -A1 '^fine' <<<"$output")
}

@test "--json is valid: an object for each point, with the same verdicts" {
  "$lab" doctor --json >json
  each_line_is_json json
  sed -nE 's/.*"name":"([^"]*)","verdict":"([^"]*)".*/\2 \1/p' json >actual
  "$lab" doctor | sed -nE 's/^(fine|limited|missing) +(system ports|TCP states|socket table|[a-z]+) .*/\1 \2/p' >expected
  [ "$(wc -l <expected)" -eq "$(wc -l <json)" ]
  run -0 diff expected actual
}

@test "arguments that are none: one line says why, status 2" {
  refused 2 doctor nonsense
  refused 2 doctor --nonsense
  refused 2 doctor --color blue
}
