#!/usr/bin/env bats
# lab wire, lab host and lab peer, in private networks: what wire shows is held against what
# the client says, the kernel's own counters, tcpdump, and a reader of its own in Python.

# shellcheck disable=SC2030,SC2031 # Bats gives each test a subshell, on purpose
# shellcheck disable=SC2153,SC2154 # PORT, lab and stderr come from the helpers and from Bats

load lab

KEYS=(id microseconds source destination flags sequence relative_sequence acknowledgement
  relative_acknowledgement window length checksum checksum_right verdict words)

# need_wire: a private network whose packets can be seen.
need_wire() {
  need_linux packets
  need timeout
  start_network
}

# wire ARGS...: lab wire in the private network; output in wire.out and wire.err.
wire() {
  "${INSIDE[@]}" timeout 20 "$lab" wire "$@" >wire.out 2>wire.err
}

# talk CLIENT-ARGS...: a client, for lab wire to run; its output in client.out.
talk() {
  # shellcheck disable=SC2016 # expanded by the inner shell
  TALK=(sh -c '"$0" "$@" >client.out 2>client.err' "$client" "$@")
}

# segments: "FROM -> TO | FLAGS | BYTES" of each in wire.out.
segments() {
  sed -nE 's/^ *[0-9]+\.[0-9]{6}  ([0-9]+ -> [0-9]+) +([A-Z ]*[A-Z]) +seq .* ([0-9]+) bytes?$/\1 | \2 | \3/p' wire.out
}

# value KEY: of each line of JSON in wire.out.
value() {
  sed -nE "s/.*\"$1\":(\"([^\"]*)\"|([0-9]+))[,}].*/\\2\\3/p" wire.out
}

# counter NAME: of TCP, in the private network, by the kernel.
counter() {
  # shellcheck disable=SC2016 # awk's own
  "${INSIDE[@]}" awk -v name="$1" '
    $1 == "Tcp:" && !seen { split($0, names); seen = 1; next }
    $1 == "Tcp:" { for (i in names) if (names[i] == name) print $i }' /proc/net/snmp
}

# bits NUMBER: of 16, in two halves.
bits() {
  local number=$1 text='' i
  for ((i = 0; i < 16; i++)); do
    text=$((number >> i & 1))$text
  done
  echo "${text:0:8} ${text:8}"
}

# no_link NAME: the network has no such device; to be waited for.
no_link() {
  "${INSIDE[@]}" ip -o link >links
  if grep -q " $1[@:]" links; then return 1; fi
}

# write_reader: a program that reads a pcap file, makes every sum itself, and holds both
# against the JSON of the same segments.
write_reader() {
  need python3
  cat >reader.py <<'PYTHON'
import json, struct, sys

def fold(data):
    total = sum(int.from_bytes(data[i:i + 2].ljust(2, b"\0"), "big") for i in range(0, len(data), 2))
    return total % 0xffff or (0xffff if total else 0)  # the same arithmetic, in another way

def read(packet):
    if packet[0] >> 4 == 4:
        start = packet[0] % 16 * 4
        names, form = packet[12:20], lambda a: ".".join(map(str, a))
    else:
        start = 40
        names, form = packet[8:40], lambda a: "[::1]" if a == bytes(15) + b"\1" else a.hex()
    half, tcp = len(names) // 2, packet[start:]
    source, destination, sequence, acknowledgement = struct.unpack("!HHII", tcp[:12])
    flags = [name for bit, name in ((2, "SYN"), (1, "FIN"), (4, "RST"), (8, "PSH"), (16, "ACK"), (32, "URG"))
             if tcp[13] & bit]
    pseudo = names + struct.pack("!II", len(tcp), 6)
    right = ~fold(pseudo + tcp[:16] + b"\0\0" + tcp[18:]) & 0xffff
    checksum = int.from_bytes(tcp[16:18], "big")
    return {"source": "%s:%d" % (form(names[:half]), source), "sequence": sequence,
            "destination": "%s:%d" % (form(names[half:]), destination),
            "acknowledgement": acknowledgement, "flags": " ".join(flags),
            "length": len(tcp) - (tcp[12] >> 4) * 4, "checksum": checksum, "checksum_right": right,
            "verdict": "good" if checksum == right else "left" if checksum == fold(pseudo) else "wrong"}

file = open(sys.argv[1], "rb").read()
magic, major, minor, zone, digits, most, link = struct.unpack("=IHHiIII", file[:24])
assert (magic, major, minor, link) == (0xa1b2c3d4, 2, 4, 101), "the file's header"
at, packets = 24, []
while at < len(file):
    seconds, micro, kept, length = struct.unpack("=IIII", file[at:at + 16])
    assert kept == length and micro < 1000000, "a packet's header"
    packets.append((seconds * 1000000 + micro, read(file[at + 16:at + 16 + kept])))
    at += 16 + kept
lines = [json.loads(line) for line in open(sys.argv[2])]
assert len(lines) == len(packets) > 0, "%d lines, %d packets" % (len(lines), len(packets))
for line, (time, packet) in zip(lines, packets):
    for key in packet:
        assert line[key] == packet[key], "%s: %s, in the file %s" % (key, line[key], packet[key])
    assert abs(line["microseconds"] - (time - packets[0][0])) <= 1, "the time"
    print(packet["verdict"])
PYTHON
}

# ---- lab wire: what passes ----

@test "each segment of a connection is seen once, with the ports that the client says" {
  need_wire
  serve server 0
  talk -m hello "$PORT"
  wire "$PORT" -- "${TALK[@]}"
  local source
  source=$(source_port client.out)
  segments >seen
  [ "$(wc -l <seen)" -eq "$(counter InSegs)" ]
  run -0 sed -n 1,4p seen
  [ "${lines[0]}" = "$source -> $PORT | SYN | 0" ]
  [ "${lines[1]}" = "$PORT -> $source | SYN ACK | 0" ]
  [ "${lines[2]}" = "$source -> $PORT | ACK | 0" ]
  local greeting="hello 127.0.0.1:$source from 127.0.0.1:$PORT connection 1"
  [ "${lines[3]}" = "$PORT -> $source | PSH ACK | $((${#greeting} + 1))" ]
  # Every other one goes one of both ways, and both sides end.
  run -1 grep -vE "^($source -> $PORT|$PORT -> $source) " seen
  [ "$(grep -c "^$source -> $PORT | PSH ACK | 5$" seen)" -eq 1 ]
  [ "$(grep -c "^$PORT -> $source | PSH ACK | 5$" seen)" -eq 1 ]
  [ "$(grep -c "^$source .* FIN " seen)" -eq 1 ]
  [ "$(grep -c "^$PORT .* FIN " seen)" -eq 1 ]
  [ "$(tail -1 wire.out)" = "$(wc -l <seen) segments of 1 connection" ]
  [ ! -s wire.err ]
}

@test "the words count bytes from 1, and the sides acknowledge what the other sent" {
  need_wire
  serve server 0
  talk -m hello "$PORT"
  wire "$PORT" -- "${TALK[@]}"
  local greeting
  greeting=$(sed -nE 's/^ .*PSH ACK .* ([0-9]+) bytes$/\1/p' wire.out | head -1)
  [ "$greeting" -gt 40 ]
  grep -q "^ *here are bytes 1 to $greeting\$" wire.out
  grep -q "^ *here are bytes 1 to 5\$" wire.out
  grep -q "^ *here are bytes $((greeting + 1)) to $((greeting + 5))\$" wire.out
  grep -q "^ *I have everything up to byte $((greeting + 5)), and your FIN\$" wire.out
  run -1 grep 'once more' wire.out
}

@test "other ports are passed over" {
  need_wire
  serve server 0
  local watched=$PORT
  serve other 0
  # shellcheck disable=SC2016 # expanded by the inner shell
  wire "$watched" -- sh -c '"$0" "$1" && "$0" -p "$3" "$2"' "$client" "$PORT" "$watched" 23456
  [ "$(counter InSegs)" -gt "$(segments | wc -l)" ]
  [ -n "$(segments)" ]
  segments >seen
  run -1 grep -v "\b$watched\b" seen
  run -1 grep "\b$PORT\b" seen
}

@test "several connections are told apart and counted" {
  need_wire
  serve server 0
  talk -q -n 5 "$PORT"
  wire --json "$PORT" -- "${TALK[@]}"
  [ "$(value id | sort -u | tr '\n' ' ')" = '1 2 3 4 5 ' ]
  [ "$(value flags | grep -c '^SYN$')" -eq 5 ]
  [ "$(value source | grep -v ":$PORT\$" | sort -u | wc -l)" -eq 5 ]
}

@test "IPv6 is seen, too" {
  need_ipv6
  need_wire
  "${INSIDE[@]}" grep -q '^0\{31\}1 ' /proc/net/if_inet6 || skip 'the private network has no ::1'
  start server "${INSIDE[@]}" "$server" -6 0
  wait_for_line server.out '^listening '
  PORT=$(sed -nE 's/^listening .*\]:([0-9]+).*/\1/p' server.out)
  write_reader
  talk -6 -m hello "$PORT"
  wire --json --pcap six.pcap "$PORT" -- "${TALK[@]}"
  [ "$(value source | head -2 | tail -1)" = "[::1]:$PORT" ]
  [ "$(value flags | head -3 | tr '\n' ,)" = 'SYN,SYN ACK,ACK,' ]
  python3 reader.py six.pcap wire.out >verdicts
  [ "$(sort -u verdicts)" = left ]
  talk -6 "$PORT"
  wire --checksum=4 "$PORT" -- "${TALK[@]}"
  grep -qE '^  in the segment: .* left to the hardware, 0x[0-9a-f]{4} would be right$' wire.out
}

@test "a refused connection: SYN, and RST from nobody" {
  need_wire
  talk 4445
  wire 4445 -- "${TALK[@]}"
  grep -q ECONNREFUSED client.err
  local source
  source=$(segments | sed -nE '1s/ .*//p')
  [ "$(segments)" = "$source -> 4445 | SYN | 0
4445 -> $source | RST ACK | 0" ]
  grep -q 'nobody listens here: RST$' wire.out
  [ "$(tail -1 wire.out)" = '2 segments of 1 connection' ]
}

@test "a connection that is cut shows RST, from the side that cut it" {
  need_wire
  serve server 0
  talk --reset "$PORT"
  wire "$PORT" -- "${TALK[@]}"
  [[ "$(segments | tail -1)" == "$(source_port client.out) -> $PORT | RST"* ]]
  grep -q 'I cut this connection: RST$' wire.out
}

# ---- lab wire: other pictures ----

@test "--diagram: arrows both ways, between both ports, with the states of both" {
  need_wire
  serve server 0
  talk -m hello "$PORT"
  wire --diagram "$PORT" -- "${TALK[@]}"
  run -0 grep -E "^ +$(source_port client.out) +$PORT\$" wire.out
  grep '|' wire.out >arrows
  [ "$(wc -l <arrows)" -eq "$(counter InSegs)" ]
  run -0 sed -n 1,3p arrows
  [[ "${lines[0]}" =~ ^'SYN_SENT    |-'.*' SYN seq 0 '-+'>| '?$ ]]
  [[ "${lines[1]}" =~ ^'ESTABLISHED |<-'.*' SYN ACK seq 0 ack 1 '-+'| SYN_RECV'$ ]]
  [[ "${lines[2]}" =~ ^'ESTABLISHED |-'.*' ACK seq 1 ack 1 '-+'>| ESTABLISHED'$ ]]
  [[ "$(tail -1 arrows)" =~ ^'TIME_WAIT '.*'>| CLOSED'$ ]]
  grep -qE '^FIN_WAIT1 .*FIN ACK.*>\| CLOSE_WAIT$' arrows
  grep -qE '<-.* FIN ACK .*\| LAST_ACK$' arrows
  [ "$(widest wire.out)" -le 80 ]
}

# header_field NAME: its bits, and its number.
header_field() {
  sed -nE "s/^  $1 +([01][01 ]*[01]) +([0-9]+) .*/\\1 = \\2/p" wire.out
}

@test "--header: the bits of both ports are those of the client's and the server's" {
  need_wire
  serve server 0
  talk "$PORT"
  wire --header "$PORT" -- "${TALK[@]}"
  # The client was ended with the first segment: which port it had is in the other order below.
  [ "$(header_field 'destination port')" = "$(bits "$PORT") = $PORT" ]
  [[ "$(header_field 'flags')" == '000010 = 2' ]]
  local port
  for port in 1024 34567 65535; do
    talk -p "$port" "$PORT"
    wire --header "$PORT" -- "${TALK[@]}"
    [ "$(header_field 'source port')" = "$(bits "$port") = $port" ]
    [ "$(header_field 'destination port')" = "$(bits "$PORT") = $PORT" ]
  done
  wire --header=2 "$PORT" -- "$client" -p 45678 "$PORT"
  [ "$(header_field 'source port')" = "$(bits "$PORT") = $PORT" ]
  [ "$(header_field 'destination port')" = "$(bits 45678) = 45678" ]
  [[ "$(header_field 'flags')" == '010010 = 18' ]]
  [ "$(tail -1 wire.out)" = '2 segments of 1 connection; one shown' ]
  [ "$(widest wire.out)" -le 80 ]
}

@test "--header: every field is the one that --json has" {
  need_wire
  serve server 0
  # shellcheck disable=SC2016 # expanded by the inner shell
  wire --json --count 4 "$PORT" -- sh -c '"$1" wire --header=4 "$0" -- "$2" "$0" >header.out' \
    "$PORT" "$lab" "$client"
  local port
  port=$(value destination | sed -n '4s/.*://p')
  value sequence >sequences
  value acknowledgement >acknowledgements
  value checksum >checksums
  value length >lengths
  wait_for_line header.out ' one shown$'
  mv header.out wire.out
  [ "$(header_field 'source port')" = "$(bits "$PORT") = $PORT" ]
  [ "$(header_field 'destination port')" = "$(bits "$port") = $port" ]
  [[ "$(header_field sequence)" == *" = $(sed -n 4p sequences)" ]]
  [[ "$(header_field acknowledgement)" == *" = $(sed -n 4p acknowledgements)" ]]
  [ "$(header_field checksum)" = "$(bits "$(sed -n 4p checksums)") = $(sed -n 4p checksums)" ]
  grep -qE "^  data +$(sed -n 4p lengths) bytes\$" wire.out
}

@test "--checksum: what it comes to is what --json says is right, of every segment" {
  need_wire
  serve server 0
  local which right
  for which in 1 2 3 4; do
    # shellcheck disable=SC2016 # expanded by the inner shell
    wire --json --count 4 "$PORT" -- sh -c \
      '"$1" wire --checksum="$3" "$0" -- "$2" -m hello "$0" >sum.out' "$PORT" "$lab" "$client" "$which"
    wait_for_line sum.out ' one shown$'
    printf -v right '0x%04x' "$(value checksum_right | sed -n "${which}p")"
    [ "$(sed -n 's/^  every bit turned:  checksum //p' sum.out)" = "$right" ]
    [[ "$(sed -n 's/^  in the segment: *//p' sum.out)" == *"left to the hardware, $right would be right" ]]
  done
}

# carried: the sums that --checksum shows, made again word by word.
carried() {
  sed -nE 's/^  .* 0x([0-9a-f]{4})   sum 0x([0-9a-f]{4})(   .1 carried round.)?$/\1 \2 \3/p' sum.out
}

@test "--checksum: every step is the sum of the step before and a word" {
  need_wire
  serve server 0
  wire --checksum=1 "$PORT" -- "$client" "$PORT"
  mv wire.out sum.out
  local word sum note total=0
  [ "$(carried | wc -l)" -gt 20 ]
  while read -r word sum note; do
    total=$((total + 0x$word))
    if ((total > 0xffff)); then
      total=$(((total & 0xffff) + 1))
      [ -n "$note" ]
    else
      [ -z "$note" ]
    fi
    [ "$total" -eq $((0x$sum)) ]
  done <<<"$(carried)"
  printf -v total '0x%04x' $((~total & 0xffff))
  grep -qx "  every bit turned:  checksum $total" sum.out
}

@test "--json: every line is an object with every key, and nothing else is printed" {
  need_wire
  serve server 0
  talk -m hello "$PORT"
  wire --json "$PORT" -- "${TALK[@]}"
  each_line_is_json wire.out
  [ "$(wc -l <wire.out)" -eq "$(counter InSegs)" ]
  local key
  for key in "${KEYS[@]}"; do
    [ "$(grep -c "\"$key\":" wire.out)" -eq "$(wc -l <wire.out)" ] || die "$key"
  done
  [ "$(value source | head -1)" = "127.0.0.1:$(source_port client.out)" ]
  [ "$(value destination | head -1)" = "127.0.0.1:$PORT" ]
  [ "$(value microseconds | head -1)" -eq 0 ]
  run -0 sort -nc <<<"$(value microseconds)"
  [ ! -s wire.err ]
}

@test "--count: it ends after so many, and ends the command" {
  need_wire
  serve server 0
  local count
  for count in 1 3; do
    wire --count "$count" "$PORT" -- "$client" --hold 60 "$PORT"
    [ "$(segments | wc -l)" -eq "$count" ]
  done
  # Refused: there are 2, and 3 never come; the command's end ends it.
  wire --count 3 4445 -- "$client" 4445
  [ "$(segments | wc -l)" -eq 2 ]
}

@test "--header of a segment that never came: status 1, and one line says so" {
  need_wire
  run -1 wire --header=3 4445 -- "$client" -q 4445
  [ "$(tail -1 wire.err)" = 'lab: there was no segment 3' ]
  run -1 wire --checksum 4445 -- true
  [ "$(tail -1 wire.err)" = 'lab: there was no segment 1' ]
}

# ---- lab wire: files ----

@test "--pcap: tcpdump reads the same ports, flags and numbers as --json has" {
  need_wire
  need tcpdump
  serve server 0
  talk -m hello "$PORT"
  wire --json --pcap file.pcap "$PORT" -- "${TALK[@]}"
  # "FROM TO FLAGS SEQ ACK LENGTH"; tcpdump shows no sequence number where nothing is sent.
  paste -d' ' <(value source | sed 's/.*://') <(value destination | sed 's/.*://') \
    <(value flags | tr -d ' ' | sed 's/PSH/P/; s/SYN/S/; s/FIN/F/; s/RST/R/; s/ACK/./') \
    <(value sequence) <(value acknowledgement) <(value length) |
    awk '{ if ($3 == "." && $6 == 0) $4 = "-"; if ($3 == "S") $5 = "-"; print }' >expected
  tcpdump -ttnSr - <file.pcap 2>tcpdump.err |
    sed -nE 's/^[0-9.]+ IP 127\.0\.0\.1\.([0-9]+) > 127\.0\.0\.1\.([0-9]+): Flags \[([A-Z.]+)\],( seq ([0-9]+)[:0-9]*,)?( ack ([0-9]+),)? .*length ([0-9]+).*$/\1 \2 \3 \5- \7- \8/p' |
    sed -E 's/([0-9])-/\1/g' >actual
  [ "$(wc -l <expected)" -eq "$(counter InSegs)" ]
  run -0 diff expected actual
}

@test "--pcap: what the file holds is what --json says, and every right checksum is right" {
  need_wire
  write_reader
  serve server 0
  talk -m hello -m 'an odd length.' "$PORT"
  wire --json --pcap file.pcap "$PORT" -- "${TALK[@]}"
  # On loopback the kernel leaves the checksum to hardware that is not there.
  python3 reader.py file.pcap wire.out >verdicts
  [ "$(sort -u verdicts)" = left ]
  # The reader does see a difference.
  sed 's/"checksum_right":\([0-9]*\)/"checksum_right":1\1/' wire.out >other.out
  run -1 python3 reader.py file.pcap other.out
  sed '$d' wire.out >other.out
  run -1 python3 reader.py file.pcap other.out
}

@test "--pcap: a file that exists is not touched, and the command not run" {
  need_wire
  echo mine >file.pcap
  run -1 --separate-stderr "${INSIDE[@]}" "$lab" wire --pcap file.pcap 4445 -- touch ran
  [ "${#stderr_lines[@]}" -eq 1 ]
  [[ "$stderr" == 'lab: '*'file.pcap'*'File exists'* ]]
  [ "$(cat file.pcap)" = mine ]
  [ ! -e ran ]
  ln -s nowhere link.pcap
  run -1 "${INSIDE[@]}" "$lab" wire --pcap link.pcap 4445 -- true
  [ ! -e nowhere ]
  run -1 "${INSIDE[@]}" "$lab" wire --pcap missing/file.pcap 4445 -- true
  # One that is full is said to be.
  if [ -w /dev/full ]; then
    run -1 "${INSIDE[@]}" "$lab" wire --pcap /dev/full 4445 -- true
  fi
}

@test "--pcap: whoever interrupts has what was seen so far" {
  need_wire
  write_reader
  serve server 0
  start wire "${INSIDE[@]}" "$lab" wire --json --pcap file.pcap "$PORT"
  local pid=$PID
  wait_until 20 test -s file.pcap
  start client "${INSIDE[@]}" "$client" --hold 60 "$PORT"
  wait_for_line wire.out '"length":[1-9]'
  wait_for_line wire.out '"flags":"ACK"' 2
  kill -KILL "$pid"
  wait_for_end "$pid"
  python3 reader.py file.pcap wire.out
}

# ---- lab wire: its end ----

@test "Ctrl-C and SIGTERM end it with the sum, and status 0" {
  need_wire
  serve server 0
  local signal
  for signal in INT TERM; do
    start wire "${INSIDE[@]}" "$lab" wire "$PORT"
    wait_for_line wire.out '^watching TCP port '
    run -0 "${INSIDE[@]}" "$client" -q "$PORT"
    wait_for_line wire.out '^ *[0-9.]+ .* FIN ACK ' 2
    kill "-$signal" "$(cat wire.pid)"
    wait_for_end "$(cat wire.pid)"
    [ "$STATUS" -eq 0 ]
    [[ "$(tail -1 wire.out)" =~ ^[0-9]+' segments of 1 connection'$ ]]
    [ ! -s wire.err ]
  done
}

@test "Ctrl-C ends the command, too" {
  need_wire
  serve server 0
  # shellcheck disable=SC2016 # expanded by the inner shell
  start wire "${INSIDE[@]}" "$lab" wire "$PORT" -- sh -c 'echo "$$" >command.pid && exec "$0" --hold 60 "$1"' "$client" "$PORT"
  wait_for_line wire.out '^ *here are bytes'
  kill -INT "$(cat wire.pid)"
  wait_for_end "$(cat wire.pid)"
  [ "$STATUS" -eq 0 ]
  run -1 kill -0 "$(cat command.pid)"
}

@test "the command's end ends it, though nothing was seen" {
  need_wire
  wire 4445 -- true
  [ "$(tail -1 wire.out)" = '0 segments of 0 connections' ]
  # Its words do not stand between the segments, and -- may be left out.
  wire 4445 echo between
  run -1 grep between wire.out
}

@test "a command that is not there: one line says so, and it ends" {
  need_wire
  run -1 wire 4445 -- ./no-such-program
  [ "$(cat wire.err)" = 'lab: cannot run ./no-such-program: No such file or directory' ]
  [ "$(tail -1 wire.out)" = '0 segments of 0 connections' ]
}

@test "wrong command lines: one line says why, status 2" {
  local trouble
  refused 2 wire
  refused 2 wire 65536
  refused 2 wire ''
  [[ "$output" == *"''"* ]]
  refused 2 wire no-such-service-name
  for trouble in --count=0 --count=-1 --count=x --count= --header=0 --header=x --checksum=0 \
    --checksum=1x --color=perhaps --nonsense --json=yes --diagram=1; do
    refused 2 wire "$trouble" 4445
  done
  refused 2 wire --pcap
  refused 2 host
  refused 2 host 1
  for trouble in 0 251 -1 x 1x '' 99999999999999999999; do
    refused 2 host "$trouble" true
  done
  refused 2 host --nonsense 1 true
  refused 2 peer
  refused 2 peer 7 8
  refused 2 peer 65536
  refused 2 peer --trouble
  for trouble in x '' flipflop Flip 1; do
    refused 2 peer --trouble "$trouble" 7
    [[ "$output" == *'flip, swap, drop, delay or twice' ]]
  done
}

@test "an ordinary user is told why not, status 1; the portable build says it knows no way" {
  if [ "${PLATFORM:-linux}" != linux ]; then
    run -77 --separate-stderr "$lab" wire 4445 -- true
    [[ "$stderr" == *'this build knows no way'* ]]
    run -77 --separate-stderr "$lab" host 1 true
    [[ "$stderr" == *'this build knows no way'* ]]
    run -77 --separate-stderr "$lab" peer 7
    [[ "$stderr" == *'this build knows no way'* ]]
    return
  fi
  need_wire
  need_ordinary_inside
  run -1 --separate-stderr "${INSIDE[@]}" "${ORDINARY[@]}" "$lab" wire 4445 -- true
  [ -z "$output" ]
  [[ "${stderr_lines[0]}" == 'lab: cannot see packets: Operation not permitted'* ]]
  [[ "$stderr" == *CAP_NET_RAW*'lab shell --admin'* ]]
  run -1 --separate-stderr "${INSIDE[@]}" "${ORDINARY[@]}" "$lab" host 1 true
  [ -z "$output" ]
  [[ "${stderr_lines[0]}" == 'lab: cannot make the host: '*'Operation not permitted (EPERM)' ]]
  [[ "$stderr" == *CAP_NET_ADMIN*'lab shell --admin'* ]]
  run -1 --separate-stderr "${INSIDE[@]}" "${ORDINARY[@]}" "$lab" peer 7
  [ -z "$output" ]
  [[ "${stderr_lines[0]}" == 'lab: cannot make the second host: '*'Operation not permitted (EPERM)' ]]
  [[ "$stderr" == *CAP_NET_ADMIN*'lab shell --admin'* ]]
}

# ---- lab host ----

# established PORT: how many connections the server's side has, by ss.
established() {
  "${INSIDE[@]}" ss -Htn state established "sport = :$1"
}

@test "three hosts with one source port: the server has all three" {
  need_wire
  need ss
  serve server -b any 0
  local host
  for host in 1 2 3; do
    start "host$host" "${INSIDE[@]}" "$lab" host "$host" "$client" -p 40000 --hold 60 "10.77.$host.1" "$PORT"
  done
  for host in 1 2 3; do
    wait_for_line "host$host.out" "^  hello +server saw 10\.77\.$host\.2:40000 "
    grep -qx "host $host is 10.77.$host.2, with a cable to here, 10.77.$host.1" "host$host.out"
  done
  wait_for_line server.out '^  accept ' 3
  run -0 established "$PORT"
  [ "${#lines[@]}" -eq 3 ]
  for host in 1 2 3; do
    [[ "$output" =~ "10.77.$host.1:$PORT"\ +"10.77.$host.2:40000" ]]
  done
  # A host ends with its command, and its cable with it.
  kill -TERM "$(cat host2.pid)"
  wait_for_end "$(cat host2.pid)"
  wait_until 10 no_link host2
  run -1 no_link host1
  run -1 no_link host3
}

@test "a host has a network of its own, a way back, and its command's status" {
  need_wire
  run -7 "${INSIDE[@]}" "$lab" host 250 sh -c 'exit 7'
  run -0 "${INSIDE[@]}" "$lab" host 9 -- ip -o -4 addr
  [[ "$output" == *' lo '*'127.0.0.1/8 '* ]]
  [[ "$output" == *' eth0 '*'10.77.9.2/24 '* ]]
  [[ "$output" != *10.77.9.1/* ]]
  run -0 "${INSIDE[@]}" "$lab" host 9 ip route
  [[ "$output" == *'default via 10.77.9.1 dev eth0'* ]]
  run -1 --separate-stderr "${INSIDE[@]}" "$lab" host 9 ./no-such-program
  [[ "$stderr" == 'lab: cannot run ./no-such-program: No such file or directory' ]]
  wait_until 10 no_link host9
}

@test "two hosts of one number: the second is refused" {
  need_wire
  start host "${INSIDE[@]}" "$lab" host 4 sleep 60
  wait_for_line host.out '^host 4 is '
  run -1 --separate-stderr "${INSIDE[@]}" "$lab" host 4 touch ran
  [[ "${stderr_lines[0]}" == 'lab: cannot make the host: '*'(EEXIST)' ]]
  [[ "$stderr" == *'there is a host of this number already'* ]]
  [ ! -e ran ]
  kill -0 "$(cat host.pid)"
  run -1 no_link host4
}

@test "on a host's cable each segment is seen once, and its checksum is left, too" {
  need_wire
  write_reader
  serve server -b any 0
  talk -p 40000 -m hello 10.77.5.1 "$PORT"
  wire --json --pcap file.pcap "$PORT" -- "$lab" host 5 "${TALK[@]}"
  [ "$(value source | head -2 | tr '\n' ' ')" = "10.77.5.2:40000 10.77.5.1:$PORT " ]
  [ "$(value source | grep -c '^10\.77\.5\.2:')" -eq "$(counter InSegs)" ]
  [ "$(value source | grep -c '^10\.77\.5\.1:')" -eq "$(counter OutSegs)" ]
  python3 reader.py file.pcap wire.out >verdicts
  [ "$(sort -u verdicts)" = left ]
}

# ---- lab peer ----

# start_peer ARGS...: a lab peer at port 7 that is ready.
start_peer() {
  start peer "${INSIDE[@]}" "$lab" peer "$@" 7
  PEER=$PID
  wait_for_line peer.out '^listening 10\.78\.0\.2:7' || die "$(cat peer.err)"
}

# client_says STATUS ARGS...: a client of it ends so; output in client.out and client.err.
client_says() {
  local expected=$1 status=0
  shift
  "${INSIDE[@]}" timeout 20 "$client" "$@" 10.78.0.2 7 >client.out 2>client.err || status=$?
  [ "$status" -eq "$expected" ] || die "status $status: $(cat client.out client.err)"
}

# came_back TEXT: the client had that from it.
came_back() {
  grep -qE "^  recv +${#1} bytes \"$1\" " client.out
}

@test "a plain peer: one connection after the other, and every checksum good" {
  need_wire
  write_reader
  start_peer
  talk -m hello 10.78.0.2 7
  wire --json --pcap file.pcap 7 -- "${TALK[@]}"
  came_back hello
  grep -q '^  hello .* the same$' client.out
  python3 reader.py file.pcap wire.out >verdicts
  [ "$(sort -u verdicts)" = good ]
  client_says 0 --json
  grep -qE '"event":"hello".*"saw":"10\.78\.0\.1:[0-9]+","number":2[,}]' client.out
  client_says 0 -q -m again -m ' and again' # sent at once, so they may come as one
  [ "$(cat client.out)" = 'again and again' ]
  [ "$(counter InCsumErrors)" -eq 0 ]
  [ ! -s peer.err ]
}

@test "--trouble flip: the kernel counts a wrong checksum, and the data come whole" {
  need_wire
  start_peer --trouble flip
  [ "$(counter InCsumErrors)" -eq 0 ]
  client_says 0 -m 'hello there'
  came_back 'hello there'
  [ "$(counter InCsumErrors)" -eq 1 ]
  grep -q 'one bit of byte 1 is turned: 0x68 becomes 0x69$' peer.out
  grep -q 'wrong checksums: 0 before, 1 now (InCsumErrors)$' peer.out
  [ "$(grep -c 'once more, whole$' peer.out)" -eq 1 ]
  client_says 0 -m 'hello there'
  [ "$(counter InCsumErrors)" -eq 1 ]
}

@test "--trouble swap: no checksum sees it, but the client does" {
  need_wire
  start_peer --trouble swap
  client_says 1 -m 'hello there'
  came_back 'llheo there'
  grep -q 'this is no echo$' client.err
  [ "$(counter InCsumErrors)" -eq 0 ]
  grep -q 'change places: 0x6865 and 0x6c6c$' peer.out
  run -1 grep 'once more' peer.out
  client_says 0 -m 'hello there'
  came_back 'hello there'
}

@test "--trouble swap waits for data that has two words" {
  need_wire
  start_peer --trouble swap
  client_says 1 -q -m abc -m defg
  [ "$(cat client.out)" = abcfgde ]
}

@test "--trouble drop: it is sent again, and the data come whole" {
  need_wire
  start_peer --trouble drop
  client_says 0 -m 'hello there'
  came_back 'hello there'
  [ "$(grep -c 'on its way it is lost$' peer.out)" -eq 1 ]
  [ "$(grep -c 'once more, whole$' peer.out)" -eq 1 ]
}

@test "--trouble delay: the late one does no harm" {
  need_wire
  start_peer --trouble delay
  start wire "${INSIDE[@]}" "$lab" wire --json 7
  wait_until 20 has_packet_socket
  client_says 0 -m 'hello there'
  came_back 'hello there'
  wait_for_line peer.out 'held up arrives$'
  # The wire shows it twice: the one sent again, and then the late one.
  wait_for_line wire.out '"source":"10.78.0.2:7".*"length":11,' 2
  grep -q '"source":"10.78.0.2:7".*"words":"once more: here are bytes' wire.out
  client_says 0 -m 'hello there'
  came_back 'hello there'
}

# has_packet_socket: somebody sees this network's packets.
has_packet_socket() {
  "${INSIDE[@]}" grep -q '^[0-9a-f]* *[0-9]* *[0-9]* *0003 ' /proc/net/packet
}

@test "--trouble twice: it comes twice, and the client has it once" {
  need_wire
  start_peer --trouble twice
  talk -m 'hello there' 10.78.0.2 7
  wire --json 7 -- "${TALK[@]}"
  came_back 'hello there'
  [ "$(grep -c '"source":"10.78.0.2:7".*"length":11,' wire.out)" -eq 2 ]
  [ "$(grep -c '"source":"10.78.0.2:7".*"words":"once more: here are' wire.out)" -eq 1 ]
  grep -qE '^  close +11 bytes out, ' client.out
}

@test "while one client is there a second is refused" {
  need_wire
  start_peer
  start first "${INSIDE[@]}" "$client" --hold 60 10.78.0.2 7
  wait_for_line first.out '^  hello '
  client_says 1
  grep -q ECONNREFUSED client.err
  kill -0 "$(cat first.pid)"
  run -1 grep -E '^  (eof|reset) ' first.out
  kill -TERM "$(cat first.pid)"
  wait_for_end "$(cat first.pid)"
  wait_until 10 client_says 0 --json
  grep -q '"number":2[,}]' client.out
}

@test "another port of it is closed to everybody, as nobody is there" {
  need_wire
  start_peer
  run -1 "${INSIDE[@]}" timeout 20 "$client" -t 0.3 10.78.0.2 8
  [[ "$output" == *ETIMEDOUT* ]]
  client_says 0 -q
}

@test "SIGTERM and Ctrl-C end the peer with its count, status 0, and its cable" {
  need_wire
  local signal
  for signal in TERM INT; do
    start_peer
    run -1 no_link peer0
    client_says 0 -q
    kill "-$signal" "$PEER"
    wait_for_end "$PEER"
    [ "$STATUS" -eq 0 ]
    no_link peer0
    [ "$(tail -1 peer.out)" = '1 connection' ]
  done
}

@test "a second peer in the same network is refused; after SIGKILL it can be started at once" {
  need_wire
  start_peer
  run -1 --separate-stderr "${INSIDE[@]}" "$lab" peer 7
  [[ "${stderr_lines[0]}" == 'lab: cannot make the second host: '*'(EEXIST)' ]]
  [[ "$stderr" == *'a lab peer runs in this network already'* ]]
  client_says 0 -q
  local i
  for i in 1 2 3; do
    kill -KILL "$PEER"
    wait_for_end "$PEER"
    start_peer
    client_says 0 -m hello
    came_back hello
  done
}

@test "nc is a client, too: 3000 bytes come back, every one of them" {
  need_wire
  need nc cmp
  nc -h 2>&1 | grep -q -- '-N' || skip 'this nc has no option -N, to end its side'
  start_peer
  seq 1 1000 | head -c 3000 >bytes
  "${INSIDE[@]}" timeout 20 nc -N 10.78.0.2 7 <bytes >back
  head -1 back | grep -q '^hello 10.78.0.1:'
  tail -n +2 back >data
  cmp bytes data
}

# write_attack: a program that sends so many frames to the peer through a packet socket: random
# bytes, ARP, IP and TCP that are nearly right, and segments whose checksum is right. Of the flags only those in the
# second argument are used; the third are seconds between two frames.
write_attack() {
  need python3
  cat >attack.py <<'PYTHON'
import random, socket, struct, sys, time

random.seed(20261120)
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
out.bind(("peer0", 0))
own = out.getsockname()[4]
mask, pause = int(sys.argv[2]), float(sys.argv[3])
far = bytes([2, 0, 0, 0, 0, 2])
near_ip, far_ip = bytes([10, 78, 0, 1]), bytes([10, 78, 0, 2])

def some(most):
    return random.randbytes(random.randrange(most + 1))

def total(data):
    result = sum(struct.unpack("!%dH" % ((len(data) + 1) // 2), data + b"\0" * (len(data) % 2)))
    while result >> 16:
        result = (result & 0xffff) + (result >> 16)
    return result

def ip(payload, source, **other):
    length = other.get("length", 20 + len(payload))
    return struct.pack("!BBHHHBBH4s4s", other.get("first", 0x45), 0, length & 0xffff, 0,
                       other.get("fragment", 0), 64, other.get("protocol", 6), 0, source, far_ip) + payload

def tcp(source, right, flags):
    words = random.choice((5, 5, 5, 6, 10, 15, 0, 4))
    payload = struct.pack("!HHIIBBHHH", random.choice((40000, random.randrange(65536))), 7,
                          random.getrandbits(32), random.getrandbits(32), words << 4, flags & mask,
                          random.getrandbits(16), 0, random.getrandbits(16)) + some(1400)
    checksum = ~total(source + far_ip + struct.pack("!II", len(payload), 6) + payload) & 0xffff
    return payload[:16] + struct.pack("!H", checksum if right else random.getrandbits(16)) + payload[18:]

def frame():
    kind = random.randrange(8)
    if kind == 0:
        return some(1500)
    if kind == 1:
        return far + own + some(1500)
    if kind == 2:
        return b"\xff" * 6 + own + b"\x08\x06" + struct.pack("!HHBBH", 1, 0x800, 6, 4, random.randrange(3)) + some(40)
    if kind == 3:
        return far + own + b"\x08\x00" + some(100)
    if kind == 4:
        other = random.choice(({"first": 0x40 | random.randrange(16)}, {"length": random.getrandbits(16)},
                               {"fragment": random.getrandbits(16)}, {"protocol": random.randrange(256)},
                               {"first": random.randrange(256)}))
        return far + own + b"\x08\x00" + ip(tcp(near_ip, True, 0x10), near_ip, **other)
    if kind == 5:
        return far + own + b"\x08\x00" + ip(tcp(near_ip, False, random.randrange(256)), near_ip)
    if kind == 6:  # without SYN: whoever begins and never goes on would be waited for
        source = random.randbytes(4)
        return far + own + b"\x08\x00" + ip(tcp(source, True, random.randrange(256) & ~2), source)
    return far + own + b"\x08\x00" + ip(tcp(near_ip, True, random.randrange(256)), near_ip)

sent = 0
while sent < int(sys.argv[1]):
    data = frame()
    if len(data) < 14:
        continue
    try:
        out.send(data[:1514])
        sent += 1
        if pause:
            time.sleep(pause)
    except OSError:  # no room in the queue: then that one is not sent
        pass
print(sent)
PYTHON
}

@test "20,000 frames of garbage: the peer survives them, and serves a client afterwards" {
  need_wire
  write_attack
  start_peer
  run -0 "${INSIDE[@]}" timeout 60 python3 attack.py 20000 255 0
  [ "$output" = 20000 ]
  kill -0 "$PEER"
  wait_until 20 client_says 0 -m 'still there'
  came_back 'still there'
  grep -q 'checksum wrong ' peer.out # it did look at them
  kill -TERM "$PEER"
  wait_for_end "$PEER"
  [ "$STATUS" -eq 0 ]
  [ ! -s peer.err ]
}

@test "garbage while clients are served: what comes back is whole all the same" {
  need_wire
  write_attack
  start_peer
  # Without SYN (2), so that nobody else is the one client that it has time for.
  start attack "${INSIDE[@]}" python3 attack.py 1000000 253 0.001
  wait_for_line peer.out 'checksum wrong '
  local i
  for i in 1 2 3; do
    client_says 0 -q -m 'hello there' -m ' and more'
    [ "$(cat client.out)" = 'hello there and more' ]
  done
  kill -0 "$(cat attack.pid)"
}
