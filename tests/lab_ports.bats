#!/usr/bin/env bats
# lab ports: classes, names and purposes against getent and the registry's own table; who
# listens against ss; who may bind by trying.

# shellcheck disable=SC2030,SC2031 # Bats gives each test a subshell, on purpose
# shellcheck disable=SC2153,SC2154 # PORT, TSV, lab and stderr come from the helpers and Bats

load lab

# json_value KEY: of the one object in $output; text or number.
json_value() {
  sed -nE "s/.*\"$1\":\"?([^\",}]*).*/\1/p" <<<"$output"
}

# The registry's table, one number on a line: NUMBER TCP-NAME-OR-UDP-NAME; "-" is reserved.
registry_by_number() {
  awk -F'\t' '
    /^[0-9]/ {
      for (p = $1; p <= $2; p++) {
        if ($3 ~ /tcp|any/ && !(p in tcp)) tcp[p] = $4
        if ($3 ~ /udp|any/ && !(p in udp)) udp[p] = $4
      }
    }
    END { for (p = 0; p <= 65535; p++) if (p in tcp) print p, tcp[p]; else if (p in udp) print p, udp[p] }' "$TSV"
}

@test "classes begin and end where RFC 6335 says" {
  local port class words
  while read -r port class words; do
    run -0 "$lab" ports --json "$port"
    [ "$(json_value class)" = "$class" ]
    run -0 "$lab" ports "$port"
    [[ "${lines[0]}" == "$port is "*"$words"* ]]
  done <<'END'
0 reserved reserved
1 system (1-1023)
1023 system (1-1023)
1024 registered (1024-49151)
49151 registered (1024-49151)
49152 dynamic (49152-65535)
65535 dynamic (49152-65535)
END
}

@test "a range is a row for each number, and each has its class" {
  run -0 "$lab" ports 0-65535
  [ "${#lines[@]}" -eq 65537 ]
  tail -n +2 <<<"$output" | awk '{ print $1, $2 }' >actual
  awk 'BEGIN { for (p = 0; p <= 65535; p++)
    print p, p == 0 ? "reserved" : p < 1024 ? "system" : p < 49152 ? "registered" : "dynamic" }' >expected
  run -0 diff expected actual
  run -0 "$lab" ports 1022-1026
  [ "${#lines[@]}" -eq 6 ]
  run -0 "$lab" ports --json 20-25
  [ "$(grep -c '^{"event":"port"' <<<"$output")" -eq 6 ]
}

@test "the names here are those of getent, for every number" {
  need getent
  getent services | awk '
    { split($2, number, "/"); if (!(($2) in seen)) seen[$2] = $1 }
    END { for (p = 0; p <= 65535; p++) {
      name = (p "/tcp") in seen ? seen[p "/tcp"] : (p "/udp") in seen ? seen[p "/udp"] : "-"
      print p, substr(name, 1, 15) } }' >expected
  "$lab" ports 0-65535 | awk 'NR > 1 { print $1, $3 }' >actual
  [ "$(grep -vc ' -$' expected)" -gt 10 ] || skip 'this services database is empty'
  run -0 diff expected actual
  # getent asked for one at a time, as programs do.
  local port name
  for port in 22 80 443 3306; do
    name=$(getent services "$port/tcp" | awk '{ print $1 }')
    run -0 "$lab" ports --json "$port"
    [ "$(json_value service)" = "$name" ]
  done
}

@test "IANA's names are those of the registry's table, for every number" {
  registry_by_number | sed 's/ -$/ (reserved)/' >expected
  "$lab" ports 0-65535 | awk 'NR > 1 && $4 != "-" { print $1, $4 }' >actual
  [ "$(wc -l <expected)" -gt 6000 ]
  run -0 diff expected actual
}

@test "one port in full: the registry's name and purpose, and its date" {
  local port
  for port in 80 8443 5353; do
    run -0 "$lab" ports "$port"
    [[ "$output" == *"IANA       $(awk -F'\t' -v p="$port" '$1 == p { print $4 ": " $5; exit }' "$TSV")"* ]]
  done
  local date
  date=$(sed -nE '1s/.*newest entry ([0-9-]+).*/\1/p' "$TSV")
  run -0 "$lab" ports 4
  [[ "$output" == *"registered to nobody (registry of $date)"* ]]
  run -0 "$lab" ports 49999
  [[ "$output" == *'cannot be registered'* ]]
}

@test "words: names and numbers, in any order, each number once" {
  run -0 "$lab" ports --json mysql 80 3306 79-80
  [ "$(grep '^{"event":"port"' <<<"$output" | sed -E 's/.*"port":([0-9]+).*/\1/' | tr '\n' ' ')" = '79 80 3306 ' ]
  # A name of the registry that begins with a digit, and one of UDP alone.
  run -0 "$lab" ports --json 4-tieropmgw # no range
  [ "$(json_value port)" = "$(awk -F'\t' '$4 == "4-tieropmgw" { print $1 }' "$TSV")" ]
  run -0 "$lab" ports --json 3com-tsmux
  [ "$(json_value port)" = "$(awk -F'\t' '$4 == "3com-tsmux" { print $1 }' "$TSV")" ]
  run -0 "$lab" ports --json syslog
  [ "$(head -n 1 <<<"$output" | sed -E 's/.*"port":([0-9]+).*/\1/')" = "$(awk -F'\t' '$4 == "syslog" { print $1 }' "$TSV")" ]
}

@test "--search finds every service whose name or purpose has the text, and only those" {
  need getent
  local text
  for text in mail SQL zigbee 'over TLS' '(' ftp; do
    awk -F'\t' -v text="$text" '
      /^[0-9]/ && $4 != "-" && (index(tolower($4), tolower(text)) || index(tolower($5), tolower(text))) {
        print $1 == $2 ? $1 : $1 "-" $2, $4 }' "$TSV" >expected
    "$lab" ports --search "$text" | awk '$3 == "IANA" { print $1, $2 }' >actual
    [ -s expected ]
    run -0 diff expected actual
  done
  # Those that only this machine's database has.
  awk -F'\t' '/^[0-9]/ { name = tolower($4); if ($3 ~ /tcp|any/) print name "/tcp"; if ($3 ~ /udp|any/) print name "/udp" }' "$TSV" >registered
  getent services | awk -v text=ftp '
    NR == FNR { registered[$1] = 1; next }
    { split($2, at, "/"); if (index(tolower($1), text) && !((tolower($1) "/" at[2]) in registered)) print at[1], $1 }' registered - >expected
  "$lab" ports --search ftp | awk '$3 == "services" { print $1, $2 }' >actual
  run -0 diff expected actual
}

@test "--search without a match says so, status 1" {
  refused 1 ports --search 'no service has this'
  [[ "$output" == *'no service has this'* ]]
}

@test "--json is valid: ports, listeners, the map, a search" {
  start_server 0
  "$lab" ports --json "$PORT" 0 1-200 >json
  "$lab" ports --json >>json
  "$lab" ports --json --search mail >>json
  each_line_is_json json
  local event
  for event in port class service; do
    grep -q "^{\"event\":\"$event\"" json
  done
}

@test "who listens, TCP and UDP: as ss shows, with the process" {
  need_linux "who listens"
  need ss
  start_network
  serve tcp 5000
  serve udp -u 5000
  local pid protocol
  run -0 "${INSIDE[@]}" "$lab" ports 5000
  for protocol in t u; do
    pid=$("${INSIDE[@]}" ss "-Hl${protocol}np" 'sport = :5000' | sed -nE 's/.* 127\.0\.0\.1:5000 .*pid=([0-9]+).*/\1/p')
    [ -n "$pid" ]
    [[ "$output" == *"${protocol^}"??" 127.0.0.1:5000  server, pid $pid ("* || "$output" == *"${protocol^^}"??" 127.0.0.1:5000  server, pid $pid ("* ]]
  done
  run -0 "${INSIDE[@]}" "$lab" ports --json 5000
  [ "$(grep -c '^{"event":"listener"' <<<"$output")" -eq 2 ]
  run -0 "${INSIDE[@]}" "$lab" ports 5001
  [[ "$output" == *'nobody listens on it'* ]]
}

@test "a port of a connection is not one that is listened on" {
  need_linux "who listens"
  need ss
  start_network
  serve one 0
  start holding "${INSIDE[@]}" "$client" --hold 60 "$PORT"
  wait_for_line one.out 'ESTABLISHED'
  local source
  source=$("${INSIDE[@]}" ss -Htn "dport = :$PORT" | awk '{ sub(/.*:/, "", $4); print $4 }')
  run -0 "${INSIDE[@]}" "$lab" ports "$source"
  [[ "$output" == *'nobody listens on it'* ]]
  # A UDP socket that talks to one server alone is none either.
  serve datagrams -u 0
  start talking "${INSIDE[@]}" "$client" -u -m hello --hold 60 "$PORT"
  wait_for_line datagrams.out '#1'
  source=$("${INSIDE[@]}" ss -Huan "dport = :$PORT" | awk '{ sub(/.*:/, "", $4); print $4 }')
  [ "$source" -gt 0 ]
  run -0 "${INSIDE[@]}" "$lab" ports "$source"
  [[ "$output" == *'nobody listens on it'* ]]
}

@test "another user's listener: whose it is, not which process" {
  need_linux "who listens"
  ((EUID == 0)) || skip 'needs root: only root can be two users'
  need_ordinary_lab
  start_server 0
  run -0 as_ordinary_user "$lab" ports "$PORT"
  [[ "$output" == *"TCP 127.0.0.1:$PORT  of user root"* ]]
}

# binds PORT COMMAND-PREFIX...: whether the kernel lets nc have it as its own port; it then
# connects to a port that nobody has.
binds() {
  local port=$1
  shift
  "$@" nc -v -w 5 -p "$port" 127.0.0.1 65535 >tried 2>&1 || true
  grep -q 'refused' tried || { grep -q 'Permission denied' tried && return 1; } || die "nc: $(cat tried)"
}

@test "who may bind: as the kernel does for root and an ordinary user, however the limit is set" {
  need_linux "the rule about system ports"
  need nc
  start_network
  need_ordinary_inside
  local limit port told tries=0
  for limit in 1024 500 0; do
    set_in_network ip_unprivileged_port_start "$limit"
    for port in 80 499 500 1023 1024 50000; do
      for who in root ordinary; do
        local -a as=("${INSIDE[@]}")
        [ "$who" = root ] || as+=("${ORDINARY[@]}")
        run -0 "${as[@]}" "$lab" ports --json "$port"
        told=$(json_value may_bind)
        if binds "$port" "${as[@]}"; then
          [[ "$told" =~ ^(1|true)$ ]] || die "$who may bind $port at limit $limit: $output"
        else
          [[ "$told" =~ ^(0|false)$ ]] || die "$who may not bind $port at limit $limit: $output"
          tries=$((tries + 1))
        fi
      done
    done
  done
  # An ordinary user is refused 80, 499, 500, 1023 below 1024, and 80, 499 below 500.
  [ "$tries" -eq 6 ]
}

@test "who may bind, in words: not an ordinary user; anybody where the limit is lowered" {
  need_linux "the rule about system ports"
  start_network
  need_ordinary_inside
  run -0 "${INSIDE[@]}" "${ORDINARY[@]}" "$lab" ports 80
  [[ "$output" == *'may bind   not you'*CAP_NET_BIND_SERVICE* ]]
  run -0 "${INSIDE[@]}" "$lab" ports 80
  [[ "$output" == *'may bind   you'*CAP_NET_BIND_SERVICE* ]]
  set_in_network ip_unprivileged_port_start 80
  run -0 "${INSIDE[@]}" "${ORDINARY[@]}" "$lab" ports 80
  [[ "$output" == *'may bind   any user, here: ip_unprivileged_port_start = 80'* ]]
  run -0 "${INSIDE[@]}" "${ORDINARY[@]}" "$lab" ports 8080
  [[ "$output" =~ may\ bind\ +any\ user$'\n' ]]
}

@test "the map: the classes hold all 65,536 numbers, with the registry's numbers of names" {
  run -0 "$lab" ports
  grep -E '^(system|registered|dynamic) +[0-9]' <<<"$output" >classes
  [ "$(awk '{ sum += $3 } END { print sum + 1 }' classes)" -eq 65536 ]
  [[ "$output" == *'port 0 is reserved'* ]]
  registry_by_number | awk '
    $2 == "-" { next }
    $1 >= 1 && $1 <= 1023 { s++ }
    $1 >= 1024 && $1 <= 49151 { r++ }
    $1 >= 49152 { d++ }
    END { print "system", s + 0; print "registered", r + 0; print "dynamic", d + 0 }' >expected
  awk '{ print $1, $4 }' classes >actual
  run -0 diff expected actual
  [ "$(wc -l <expected)" -eq 3 ]
}

@test "the map: how many of each class are listened on, as ss shows" {
  need_linux "who listens"
  need ss
  start_network
  serve s 80
  serve r1 3306
  serve r2 -b 127.0.0.2 3306
  serve r3 -u 4000
  serve d 50000
  "${INSIDE[@]}" ss -Hltun | awk '{ sub(/.*:/, "", $5); print $5 }' | sort -u | awk '
    { class = $1 < 1024 ? "system" : $1 < 49152 ? "registered" : "dynamic"; count[class]++ }
    END { print "system", count["system"]; print "registered", count["registered"]; print "dynamic", count["dynamic"] }' >expected
  "${INSIDE[@]}" "$lab" ports | awk '/^(system|registered|dynamic) +[0-9]/ { print $1, $NF }' >actual
  run -0 diff expected actual
  grep -qx 'registered 2' actual
}

@test "the map: this kernel's range, what it leaves out and its limit are those of /proc" {
  need_linux "the settings of /proc"
  start_network
  set_in_network ip_local_port_range '20000 50001'
  set_in_network ip_local_reserved_ports '20010,25000-25005'
  set_in_network ip_unprivileged_port_start 81
  run -0 "${INSIDE[@]}" "$lab" ports
  [[ "$output" == *'gives clients 20000-50001 '* ]]
  [[ "$output" == *' 20010,25000-25005 '* ]]
  [[ "$output" == *'below 81 '* ]]
  [[ "$output" =~ this\ kernel\ +\[-+\ 20000-50001\ -+\] ]]
  run -0 "${INSIDE[@]}" "$lab" ports --json
  [[ "$output" == *'{"event":"ephemeral","first":20000,"last":50001}'* ]]
  [[ "$output" == *'"unprivileged_start":81'* ]]
  # And of the network that the test itself is in.
  local first last
  read -r first last </proc/sys/net/ipv4/ip_local_port_range
  run -0 "$lab" ports
  [[ "$output" == *"gives clients $first-$last "* ]]
}

@test "a port of the kernel's range says that a client may be given it" {
  need_linux "the range of /proc"
  start_network
  set_in_network ip_local_port_range '20000 20010'
  local port
  for port in 20000 20010; do
    run -0 "${INSIDE[@]}" "$lab" ports "$port"
    [[ "$output" == *'20000-20010'* ]]
  done
  for port in 19999 20011; do
    run -0 "${INSIDE[@]}" "$lab" ports "$port"
    [[ "$output" != *'20000-20010'* ]]
  done
}

@test "no line is wider than 80 columns, in UTF-8 or ASCII" {
  start_server 0
  local locale
  for locale in C C.UTF-8; do
    {
      LC_ALL=$locale "$lab" ports
      LC_ALL=$locale "$lab" ports "$PORT" 0 80 50000
      LC_ALL=$locale "$lab" ports 0-65535
      LC_ALL=$locale "$lab" ports --search a
    } >wide
    [ "$(widest wide)" -le 80 ] || die "$(awk 'length($0) > 80' wide | head -n 3)"
  done
  LC_ALL=C "$lab" ports >ascii
  run -1 grep -P '[^\x20-\x7e]' ascii
  [ "$(LC_ALL=C.UTF-8 locale charmap 2>/dev/null)" = UTF-8 ] || skip 'no UTF-8 locale here'
  LC_ALL=C.UTF-8 "$lab" ports | grep -q '█'
}

@test "words that are no port: one line says why, status 2" {
  local word
  for word in 80x 70000 65536 9-5 5- 1-70000 1.5 '' ' 80' nosuchservice 99999999999999999999; do
    refused 2 ports "$word"
    [[ "$output" == *"'$word'"* ]]
  done
  refused 2 ports 80 80x
  refused 2 ports -1
  refused 2 ports --nonsense
  [[ "$output" == *--nonsense* ]]
  refused 2 ports --search
  refused 2 ports --color blue
}
