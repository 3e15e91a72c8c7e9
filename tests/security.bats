#!/usr/bin/env bats
# What the README promises under "Security". Here is what no other suite looks at, and the one
# walk through all outputs for bytes that would steer a terminal.

# shellcheck disable=SC2030,SC2031 # Bats gives each test a subshell, on purpose
# shellcheck disable=SC2153,SC2154 # set by the helpers and by Bats

load runner

# ---- what may reach a screen ----

# A colour, a bell, a title, the CSI of one byte in UTF-8, a stray byte, and writing backwards.
EVIL=$'\033[31m\a\033]0;title\a\302\233\377\342\200\256'
# The same as the name of a program: the kernel keeps 15 bytes.
EVIL_NAME=$'\033[2J\a\302\233x'

# steers FILE: fails where it holds none. In the locale of the suites, C, whatever is not ASCII
# is escaped, too. (tr works on bytes.)
steers() {
  tr -d '\n\t -~' <"$1" | grep -q .
}

# harmless FILE...: nothing in them steers a terminal, and there is something.
harmless() {
  local file
  for file in "$@"; do
    [ -s "$file" ] || die "$file is empty"
    if steers "$file"; then
      die "$file: $(cat -v "$file")"
      return 1
    fi
  done
}

# harmless_json FILE: valid JSON in UTF-8, and harmless.
harmless_json() {
  iconv -f UTF-8 -t UTF-8 <"$1" >/dev/null || die "$1 is not UTF-8: $(cat -v "$1")" || return 1
  valid_json "$1" || die "$1 is not JSON: $(cat -v "$1")" || return 1
  harmless "$1"
}

# says_harmless COMMAND...: runs it; what it says on both is harmless, and one has the escape.
says_harmless() {
  "$@" >said.out 2>said.err </dev/null || true
  cat said.out said.err >said
  harmless said || die "${*@Q}" || return 1
  grep -qF '\x1b' said || die "${*@Q} does not tell of it: $(cat said)"
}

# on_terminal FILE COMMAND...: the command on a terminal; what appears goes to FILE, without the
# returns that a terminal puts before each new line.
on_terminal() {
  local file=$1
  shift
  talk 80 "$@" </dev/null >"$file.raw" || true
  tr -d '\r' <"$file.raw" >"$file"
}

# all_bytes: 0 to 255, and each kind of sequence.
all_bytes() {
  local i
  for ((i = 0; i < 256; i++)); do printf '%b' "\\0$(printf %03o "$i")"; done
  printf '%s\n' "$EVIL"
}

@test "the walk can fail: a file that steers is found" {
  printf 'a\tb\n' >plain
  harmless plain
  local byte
  for byte in '\033' '\a' '\r' '\b' '\177' '\233' '\302\233'; do
    printf 'a%bb\n' "$byte" >evil
    run -1 harmless evil
  done
}

@test "a client's bytes: a server's text and JSON, over TCP with each model, and over UDP" {
  need nc
  all_bytes >bytes
  local model form
  for model in $("$server" --help | sed -n 's/.*--model NAME *//p' | tr -d ,) udp; do
    for form in '' --json; do
      # shellcheck disable=SC2086 # no option is no word
      if [ "$model" = udp ]; then
        start_server_as "$model$form" -u $form 0
        timeout 20 nc -u -w 1 127.0.0.1 "$PORT" <bytes >back
        tail -c +"$(($(head -n 1 back | wc -c) + 1))" back | cmp - bytes
      else
        start_server_as "$model$form" -m "$model" $form 0
        timeout 20 nc -N 127.0.0.1 "$PORT" <bytes >back
        tail -n +2 back | cmp - bytes
        wait_for_line "$model$form.out" '^  close|"event":"close"'
      fi
      end_server
      cat "$model$form.err" >>"$model$form.out"
      harmless "$model$form.out"
    done
    harmless_json "$model--json.out"
  done
  grep -qF '\x' poll.out
}

# met ARGS...: a client meets a server that says what is in the file "say"; what it tells goes
# into "file", and what it tells on a terminal into "screen".
met() {
  serve_say
  timeout 20 "$client" "$@" "$PORT" >file 2>&1 </dev/null || true
  serve_say
  on_terminal screen "$client" --color never "$@" "$PORT"
}

# serve_say: nc that says it once; its port in $PORT.
serve_say() {
  PORT=
  start "say$((++saying))" sh -c 'exec nc -l -v -N 127.0.0.1 0 <say'
  wait_until 20 bound_nc "say$saying"
  bound_nc "say$saying"
}

# The port of that nc, asked from the kernel.
bound_nc() {
  PORT=$(ss -Hltnp | sed -nE "s/.* 127\\.0\\.0\\.1:([0-9]+) .*pid=$(cat "$1.pid"),.*/\\1/p")
  [ -n "$PORT" ]
}

@test "a hostile server's greeting and data: a client's text, JSON, -q and -i, file and screen" {
  need nc ss
  need_linux 'who has a port'
  need_talk
  saying=0
  local greeting
  for greeting in '' 'hello 127.0.0.1:1 from 127.0.0.1:2 connection 1\n' 'hello \033[31m\n'; do
    printf '%b' "$greeting" >say
    all_bytes >>say
    met
    harmless file screen
    met --json
    harmless_json file
    grep -v '^client: ' screen >screen.json || true
    harmless_json screen.json
    met -q # may have nothing to say
    run -1 steers screen
    met -m x
    harmless file screen
    cat file screen >>told
    # As they are into a file, which is a result; never on a screen.
    met -i -q
    harmless screen
    all_bytes | cmp - <(tail -c "$(all_bytes | wc -c)" file)
  done
  [ "$(grep -cF '\x' told)" -ge 3 ] || die "$(cat told)"
}

# ---- names that somebody else has chosen ----

# lab_in ARGS...: the lab in the private network of the test.
lab_in() {
  "${INSIDE[@]}" "$lab" "$@"
}

@test "a program's name: sockets, ports, a refused bind, a check" {
  need_linux 'whose a socket is'
  cp "$server" "$EVIL_NAME"
  start_network
  start holder "${INSIDE[@]}" "./$EVIL_NAME" 4000
  wait_for_line holder.out '^listening '
  says_harmless lab_in sockets
  says_harmless lab_in ports 4000
  says_harmless "${INSIDE[@]}" "$server" 4000
  # In JSON it is the name itself, for the reader of JSON to take out.
  lab_in sockets --json >sockets.json
  harmless_json sockets.json
  grep -qF '"program":"\u001b[2J\u0007' sockets.json
  "${INSIDE[@]}" "$server" --json 4000 >refused.json 2>refused.err || true
  harmless_json refused.json
  harmless refused.err
  worksheet 1 <<'PAGE'
## Your turn
Let nobody else have it.
<!-- check: tcp local-port=4000 state=LISTEN program=server count=1
     Another program has it. -->
<!-- hint: one -->
<!-- solution: server 4000 -->
<!-- wrong: server 4001 -->
PAGE
  says_harmless lab_in check 1
}

@test "its own name: what is to be typed has it without what steers" {
  cp "$server" "$EVIL_NAME"
  open_network
  need_ordinary_user
  says_harmless "${in_network[@]}" "${ordinary[@]}" sh -c 'exec "$@"' sh "./$EVIL_NAME" 80
  "${in_network[@]}" "${ordinary[@]}" "./$EVIL_NAME" --json 80 >json 2>/dev/null || true
  harmless_json json
}

# with_databases COMMAND...: where the services database, the hosts file and the accounts are
# the files "services", "hosts" and "passwd" of this directory, in a network of its own.
with_databases() {
  # shellcheck disable=SC2016,SC2046 # expanded by the inner shell; a list of words
  timeout 60 unshare --mount --net $( ((EUID == 0)) || echo --user --map-root-user) sh -c '
    for name in services hosts passwd; do mount --bind "$name" "/etc/$name" || exit 99; done
    ip link set lo up && exec "$@"' databases "$@"
}

need_databases() {
  need unshare ip mount getent
  cp /etc/services /etc/hosts /etc/passwd .
  with_databases true 2>/dev/null || skip 'this system lets nobody put a file over another'
}

@test "names of services and accounts: server, client, ports, scan, sockets, --user" {
  need_linux 'whose a socket is'
  need_databases
  printf '%s\t4000/tcp\n%s\t4000/udp\n' "$EVIL" "$EVIL" >>services
  sed -i "s/^root:/$EVIL:/" passwd
  cat >all.sh <<'SCRIPT'
"$1/server" 4000 >server.text 2>&1 &
until grep -q ^listening server.text; do sleep 0.02; done
"$1/client" 4000 >client.text
"$1/client" --json 4000 >client.json
"$1/lab" ports 4000 >ports.text
"$1/lab" ports --json 4000 >ports.json
"$1/lab" ports >map.text
"$1/lab" scan 4000 >scan.text
"$1/lab" scan --json 4000 >scan.json
"$1/lab" sockets >sockets.text
"$1/lab" sockets --json >sockets.json
"$1/server" 4000 >refused.text 2>&1
"$1/server" --json 4000 >refused.json 2>refused.err
kill "$!"
wait
SCRIPT
  with_databases sh all.sh "$BIN"
  with_databases getent services 4000 | grep -qF "$EVIL" || skip 'the resolver here takes no such name'
  harmless ./*.text refused.err
  local file
  for file in ./*.json; do harmless_json "$file"; done
  # The names did come through: each of these tells one.
  grep -qF '\x1b' server.text && grep -qF '\x1b' ports.text && grep -qF '\x1b' scan.text
  grep -qF '\x1b' sockets.text && grep -qF '\x1b' refused.text
  # The name of an account, given and found.
  says_harmless "$server" --user "$EVIL" 0
}

@test "the name of an interface: its number stands for it" {
  need_linux 'an interface of its own'
  start_network
  local name=$'\033[31mevil'
  "${INSIDE[@]}" ip link add name "$name" type veth peer name other 2>/dev/null ||
    skip 'this system has no virtual Ethernet'
  # shellcheck disable=SC2016 # expanded by the inner shell
  "${INSIDE[@]}" sh -c 'ip link set "$1" up && ip link set other up &&
    ip -6 addr add fe80::7/64 dev "$1" nodad' sh "$name" || skip 'there is no IPv6'
  local index
  index=$("${INSIDE[@]}" cat "/sys/class/net/$name/ifindex" 2>/dev/null) ||
    index=$("${INSIDE[@]}" ip -o link show dev "$name" | cut -d: -f1)
  start held "${INSIDE[@]}" "$server" -6 -b "fe80::7%$index" 4000
  wait_for_line held.out "^listening \\[fe80::7%$index\\]:4000"
  lab_in doctor >doctor.out || true
  lab_in doctor --json >doctor.json || true
  lab_in sockets >sockets.out
  lab_in ports 4000 >ports.out
  "${INSIDE[@]}" "$client" "fe80::7%$index" 4000 >client.out
  grep -q "fe80::7%$index" sockets.out
  harmless held.out doctor.out sockets.out ports.out client.out
  harmless_json doctor.json
}

@test "hosts, files, directories and the environment: each complaint is harmless" {
  says_harmless "$client" "$EVIL" 80
  says_harmless "$server" -b "$EVIL" 80
  says_harmless "$lab" scan "$EVIL"
  says_harmless "$lab" scan --before "$EVIL" 1-2
  says_harmless "$lab" ports "$EVIL"
  says_harmless "$lab" sockets port "$EVIL"
  says_harmless "$lab" show "$EVIL"
  says_harmless "$lab" "$EVIL"
  says_harmless env TERM="$EVIL" "$lab" doctor
  env TERM="$EVIL" "$lab" doctor --json >doctor.json || true
  harmless_json doctor.json
  says_harmless env XDG_STATE_HOME="/dev/null/$EVIL" "$lab" hint 5
  says_harmless env PORTLAB_EXERCISES="/$EVIL" "$lab"
  says_harmless env TMPDIR="/dev/null/$EVIL" "$lab" run --auto 1
  mkdir "$EVIL"
  cp "$BIN/lab" "$EVIL/"
  says_harmless env PORTLAB_EXERCISES="$BATS_TEST_DIRNAME/../lab/exercises" "$EVIL/lab" run --auto 1
}

@test "a command's name in the sandbox: shell, host, wire" {
  need_sandbox
  says_harmless "$lab" shell -- "$EVIL"
  says_harmless "$lab" shell --admin -- "$lab" host 1 "$EVIL"
  says_harmless "$lab" shell --admin -- "$lab" wire --pcap "/dev/null/$EVIL" 80 -- true
  says_harmless "$lab" shell --admin -- "$lab" wire 80 -- "$EVIL"
}

# ---- worksheets ----

@test "a page with a byte that steers is refused, with its line, and so is what is not UTF-8" {
  local byte
  for byte in '\001' '\a' '\b' '\v' '\f' '\r' '\033[31m' '\177' '\302\200' '\302\233' '\302\237' \
    '\342\200\256' '\342\201\246' '\233' '\377' '\300\233' '\340\202\233' '\355\240\200'; do
    # shellcheck disable=SC2059 # the byte is in the format
    worksheet 1 < <(printf "## Predict\nAll ${byte}is well.\n")
    run --separate-stderr "$lab" show 1
    [[ "$status" -eq 1 && -z "$output" && "$stderr" == "lab: $SHEET:5: "*' in this line'* ]] || die "$byte: $stderr"
    printf '%s\n' "$stderr" >said
    harmless said
    case $byte in
      '\233' | '\377' | '\300'* | '\340'* | '\355'*) [[ "$stderr" == *'is not UTF-8'* ]] ;;
      *) [[ "$stderr" == *'a control character'* ]] ;;
    esac
  done
  worksheet 1 < <(printf '## Predict\nAll is w\303\251ll \342\224\202 \360\237\231\202.\n')
  run -0 "$lab" show 1
}

@test "the name of a page's file: harmless where it is complained of" {
  worksheet 1 </dev/null
  mv "$SHEET" "$PORTLAB_EXERCISES/01-$EVIL.md"
  printf '\033\n' >>"$PORTLAB_EXERCISES/01-$EVIL.md"
  says_harmless "$lab" show 1
  says_harmless "$lab" run --auto 1
  says_harmless "$lab"
}

@test "what a program on a page prints: colours on a screen, and nothing else" {
  need_talk
  all_bytes >"$TMPDIR/bytes"
  worksheet 1 <<PAGE
<!-- network: host -->
## Do
\`\`\`console A
\$ cat $TMPDIR/bytes; echo; echo well
...
well
\`\`\`
PAGE
  chmod a+r "$TMPDIR/bytes"
  "$lab" run --demo --pause 0 1 >file
  LC_ALL=C.UTF-8 "$lab" run --demo --pause 0 1 >file.utf8
  on_terminal screen "$lab" run --demo --pause 0 1
  grep -q well file
  grep -q well screen
  harmless file
  # In UTF-8 the line of a lane may be drawn; on a screen there may be colours.
  sed $'s/\342\224\202/|/g' file.utf8 >file.drawn
  harmless file.drawn
  sed $'s/\033\\[[0-9;]*m//g' screen >screen.plain
  harmless screen.plain
}

# ---- loopback by default ----

@test "without -b nothing but loopback is bound: TCP and UDP, IPv4 and IPv6, each model" {
  need ss
  need_linux 'the socket table'
  local options
  for options in '' -u -4 '-4 -u' $("$server" --help | sed -n 's/.*--model NAME *//p' | tr -d , | sed -E 's/[a-z]+/-m&/g'); do
    # shellcheck disable=SC2086 # several words
    start_server_as "with$options" $options 0
    [ "$(ss -Htuanp | grep "pid=$SERVER_PID," | awk '{ print $5 }')" = "127.0.0.1:$PORT" ] || die "$options"
  done
  need_ipv6
  for options in -6 '-6 -u'; do
    # shellcheck disable=SC2086 # several words
    start_server_as "with$options" $options 0
    [ "$(ss -Htuanp | grep "pid=$SERVER_PID," | awk '{ print $5 }')" = "[::1]:$PORT" ] || die "$options"
  done
}

# ---- privilege ----

# powerless PID USER GROUP: by the kernel's word that account, in no other group, without any
# capability in any set that counts, and without a way to more.
powerless() {
  local id=$2 group=$3
  awk -v id="$id" -v group="$group" '
    /^Uid:/ { bad += $2 != id || $3 != id || $4 != id || $5 != id }
    /^Gid:/ { bad += $2 != group || $3 != group || $4 != group || $5 != group }
    /^Groups:/ { for (i = 2; i <= NF; i++) bad += $i != group }
    /^Cap(Inh|Prm|Eff|Amb):/ { seen++; bad += $2 !~ /^0+$/ }
    /^NoNewPrivs:/ { seen++; bad += $2 != 1 }
    END { exit bad > 0 || seen != 5 }' "/proc/$1/status" || die "$(cat "/proc/$1/status")"
}

@test "--user: every thread and every process of every model is powerless, while it serves" {
  ((EUID == 0)) || skip 'needs root: only root can become another user'
  need_linux 'capabilities'
  need getent ps setpriv
  local nobody group model task
  nobody=$(getent passwd nobody | cut -d: -f3)
  group=$(getent passwd nobody | cut -d: -f4)
  for model in $("$server" --help | sed -n 's/.*--model NAME *//p' | tr -d ,); do
    # With more than root usually has: what may be inherited, and groups.
    start "$model" setpriv --inh-caps=+setuid,+dac_override --groups=0,1,2 "$server" -m "$model" --user nobody 0
    SERVER_PID=$PID
    wait_for_line "$model.out" '^listening '
    PORT=$(sed -nE 's/^listening .*:([0-9]+)( .*)?$/\1/p' "$model.out")
    start "client.$model" "$client" --hold 600 "$PORT"
    wait_for_line "client.$model.out" '^ +hold '
    for task in "/proc/$SERVER_PID"/task/* $(ps --ppid "$SERVER_PID" -o pid= | sed 's|^ *|/proc/|'); do
      powerless "${task#/proc/}" "$nobody" "$group"
    done
  done
}

@test "--user: groups, group, user, in that order; then every way back is tried" {
  ((EUID == 0)) || skip 'needs root: only root can become another user'
  need_linux 'capabilities'
  need strace
  export ASAN_OPTIONS=detect_leaks=0 # its leak check does not work under strace
  strace -qq -o /dev/null true 2>/dev/null || skip 'this system allows no strace'
  # -D: the server keeps its own pid, so that it ends with the test.
  start traced strace -D -qq -o trace -e trace='/^set(groups|[re]*s?[ug]id)$' "$server" --user nobody 0
  wait_for_line traced.out '^listening '
  wait_until 20 grep -q '^setresgid.* = -1' trace
  sed -E 's/\(.*\) += ([-0-9]+).*/ \1/; s/ -1$/ refused/; s/ 0$/ done/' trace | uniq >calls
  # seteuid and setegid are setresuid and setresgid to the kernel.
  run -0 cat calls
  [ "${lines[0]}" = 'setgroups done' ]
  [ "${lines[1]}" = 'setgid done' ]
  [ "${lines[2]}" = 'setuid done' ]
  [ "$(tail -n +4 calls | sort | uniq -c | awk '{ print $2, $3 }' | paste -sd, -)" = \
    'setgid refused,setresgid refused,setresuid refused,setuid refused' ] || die "$(cat trace)"
}

@test "--user: power that is not root's is not overlooked" {
  ((EUID == 0)) || skip 'needs root, to give some of its power away'
  need_linux 'capabilities'
  need setpriv getent
  local nobody group
  nobody=$(getent passwd nobody | cut -d: -f3)
  group=$(getent passwd nobody | cut -d: -f4)
  local -a as=(setpriv --reuid="$nobody" --regid="$group")
  # It is that account already, but with a capability, or in root's group.
  need_ordinary_user
  run -1 --separate-stderr timeout 20 "${as[@]}" --clear-groups --inh-caps=+dac_override --ambient-caps=+dac_override \
    "$server" --user nobody 0
  [[ "$stderr" == *'EPERM'* && "$output" != *listening* ]]
  run -1 --separate-stderr timeout 20 "${as[@]}" --groups=0 --inh-caps=-all "$server" --user nobody 0
  [[ "$stderr" == *'for good'* && "$output" != *listening* ]]
  # Where it may give them up, it does.
  local caps=+dac_override,+setuid,+setgid,+net_bind_service
  start_server_by "${as[@]}" --groups=0,1 --inh-caps=$caps --ambient-caps=$caps
  powerless "$SERVER_PID" "$nobody" "$group"
  run -1 grep -E 'from the start|no more' by.out
  # And who has none from the start gets no way to any.
  start_server_by "${as[@]}" --clear-groups --inh-caps=-all
  powerless "$SERVER_PID" "$nobody" "$group"
  grep -q 'from the start' by.out
}

# start_server_by COMMAND...: that starts a server --user nobody 0.
start_server_by() {
  start by "$@" "$server" --user nobody 0
  SERVER_PID=$PID
  wait_for_line by.out '^listening ' || die "$(cat by.err)"
}

# ---- the sandbox ----

# account COMMAND...: as an ordinary account, with a place for its state and files.
account() {
  as_ordinary_user env HOME="$BATS_TEST_TMPDIR/home" XDG_STATE_HOME="$BATS_TEST_TMPDIR/home" \
    TMPDIR="$BATS_TEST_TMPDIR/home" timeout -k 5 60 "$@"
}

need_account() {
  need_sandbox
  need_ordinary_lab
  mkdir -p home
  chmod a+rwx home
  account unshare --user --map-root-user true 2>/dev/null ||
    skip 'this system lets no ordinary user make a user namespace'
}

@test "the sandbox's root may do to files and processes what its account may, and nothing else" {
  need_account
  need nsenter
  # What it may is asked for, or is without effect: nothing here could do harm.
  cat >try.sh <<'SCRIPT'
try() { if "$@" >/dev/null 2>&1; then echo "may $*"; fi; }
for file in /etc/passwd /etc/shadow /proc/1/mem /proc/sys/kernel/hostname /proc/sys/vm/swappiness; do
  try test -r "$file"
  try test -w "$file"
done
try chown 1 "$HOME/own"
try mount -t tmpfs none "$HOME/mountpoint"
try mknod "$HOME/device" c 1 3
try kill -0 1
try nsenter --target 1 --net true
try nsenter --target 1 --mount true
try setpriv --reuid=1 true
try chroot / true
SCRIPT
  chmod a+r try.sh
  # shellcheck disable=SC2016 # expanded by the inner shell
  account sh -c 'touch "$HOME/own"; mkdir "$HOME/mountpoint"'
  account sh "$PWD/try.sh" >outside
  account "$lab" shell --admin -- sh "$PWD/try.sh" >inside
  grep -qx 'may test -r /etc/passwd' inside
  # A root directory of its own it may choose, as every user namespace's root: over its own
  # processes only.
  run -1 diff outside inside
  [ "$(grep '^[<>]' <<<"$output")" = '> may chroot / true' ] || die "$output"
  # Its map has one row, this account.
  # shellcheck disable=SC2016 # awk's
  run -0 account "$lab" shell --admin -- awk '{ print $1, $2, $3 }' /proc/self/uid_map
  [ "$output" = "0 $(account id -u) 1" ]
}

@test "the sandbox's ordinary account has no capability, and no way up to its root" {
  need_account
  need nsenter
  start admin account "$lab" shell --admin -- sh -c 'echo "pid $$"; exec sleep 600'
  wait_for_line admin.out '^pid '
  local admin
  admin=$(sed -n 's/^pid //p' admin.out)
  STARTED+=("$admin") # with its command the window ends
  # shellcheck disable=SC2016 # expanded by the inner shell
  run -0 account "$lab" shell -- sh -c 'grep -E "^Cap(Inh|Prm|Eff|Amb)" /proc/self/status
    id -u
    if nsenter --target "$1" --user true 2>/dev/null; then echo up; fi
    if ip link set lo down 2>/dev/null; then echo down; fi' sh "$admin"
  [ "${#lines[@]}" -eq 5 ] || die "$output"
  [ "$(printf '%s\n' "${lines[@]:0:4}" | grep -cE ':\s0+$')" -eq 4 ]
  [ "${lines[4]}" -eq "$(account id -u)" ]
}

@test "by real root the sandbox's ordinary account is one, for good" {
  ((EUID == 0)) || skip 'needs root'
  need_sandbox
  need setpriv
  # shellcheck disable=SC2016 # expanded by the inner shell
  start stays setpriv --groups=0,1,2 "$lab" shell -- sh -c 'echo "pid $$"; exec sleep 600'
  wait_for_line stays.out '^pid '
  local pid
  pid=$(sed -n 's/^pid //p' stays.out)
  # shellcheck disable=SC2016 # awk's
  run -0 awk '/^Uid:|^Gid:/ { for (i = 2; i < 6; i++) if ($i == 0) print }
    /^Groups:/ && NF > 1
    /^Cap(Prm|Eff|Amb):/ && $2 !~ /^0+$/' "/proc/$pid/status"
  [ -z "$output" ]
  run -0 --separate-stderr "$lab" shell -- sh -c 'if setpriv --reuid=0 true; then echo back; fi; echo tried'
  [[ "$output" == tried && -n "$stderr" ]]
}

@test "--admin says of what one is root: by real root of the whole machine, as before" {
  need_sandbox
  need_talk
  printf 'see lab-admin#\ntype exit\n' | SHELL=/bin/sh talk 80 "$lab" shell --admin >screen
  if ((EUID == 0)) && [ "$(awk '{ print $3 }' /proc/self/uid_map)" = 4294967295 ]; then
    grep -q 'whole machine' screen
  else
    run -1 grep 'whole machine' screen
    grep -q 'of nothing else' screen
  fi
}

# ---- files ----

@test "the state directory: another's, a link, or one where others may write is not used" {
  mkdir -p other state
  chmod 700 other
  ln -s "$PWD/other" state/portlab
  run --separate-stderr "$lab" hint 5
  [[ "$status" -le 1 && "$stderr" == *"cannot write $PWD/state/portlab/: it is no directory" ]] || die "$stderr"
  [ -z "$(ls other)" ]
  rm state/portlab
  mkdir state/portlab
  local mode
  for mode in 770 702 1777; do
    chmod "$mode" state/portlab
    run --separate-stderr "$lab" hint 5
    [[ "$status" -le 1 && "$stderr" == *'others may write to it'* ]] || die "$mode: $stderr"
    [ -z "$(ls state/portlab)" ]
  done
  chmod 755 state/portlab
  run -0 --separate-stderr "$lab" hint 5
  [[ -z "$stderr" && -f state/portlab/progress ]]
  ((EUID == 0)) || skip 'the rest needs root, to make what is another account'"'"'s'
  rm state/portlab/*
  chown 65534 state/portlab
  run --separate-stderr "$lab" hint 5
  [[ "$status" -le 1 && "$stderr" == *'belongs to another account'* ]] || die "$stderr"
  run -1 --separate-stderr "$lab" shell -- true
  [ -z "$(ls state/portlab)" ]
}

@test "root makes no directory in another account's home: it would be closed to its owner" {
  ((EUID == 0)) || skip 'needs root'
  mkdir home
  chown 65534 home
  run --separate-stderr env -u XDG_STATE_HOME HOME="$PWD/home" "$lab" hint 5
  [[ "$status" -le 1 && "$stderr" == *"home is another account's"* ]] || die "$stderr"
  [ -z "$(ls -A home)" ]
}

@test "what is kept is for its account alone, whatever the umask" {
  (umask 000 && "$lab" hint 5)
  [ "$(stat -c %a state/portlab)" = 700 ]
  run -0 find state/portlab -type f -perm /077
  [ -z "$output" ]
}

@test "what is played is taken away: links in it are not followed, closed directories go, too" {
  mkdir -p precious/below
  echo mine >precious/below/file
  chmod -R a+rwX precious
  worksheet 1 <<PAGE
<!-- network: host -->
## Do
\`\`\`console A
\$ mkdir -p a/b c; ln -s $PWD/precious a/b/link; ln -s $PWD/precious link; touch c/x; chmod 0 c; echo done
done
\`\`\`
PAGE
  run -0 "$lab" run --auto 1
  [ "$(cat precious/below/file)" = mine ]
  [ "$(stat -c %a precious/below)" = 777 ]
  no_leftovers
}

@test "--pcap goes through no link, not even one to nowhere" {
  need_sandbox
  ln -s "$PWD/target" link
  run -1 --separate-stderr "$lab" shell --admin -- "$lab" wire --pcap "$PWD/link" 80 -- true
  [[ "$stderr" == *"cannot make $PWD/link: "* ]]
  [ ! -e target ]
}

# ---- scan and wire ----

@test "a scan asks only this machine, by whatever name or spelling" {
  need_linux 'files over others'
  need_databases
  printf '192.0.2.9 outside.test\n192.0.2.9 both.test\n127.0.0.1 both.test\n127.0.0.3 inside.test\n' >>hosts
  local name
  for name in outside.test ::ffff:8.8.8.8 ::ffff:0.0.0.0 ::ffff:192.0.2.9 fe80::1 fe80::1%lo 127.0.0.1%eth0 \
    8.8.8.8. 134744072 010.8.8.8 127.255.255.255 'http://127.0.0.1' '[::1]'; do
    run --separate-stderr with_databases "$lab" scan "$name" 7-9
    [[ "$status" -eq 1 || "$status" -eq 2 ]] || die "$name: $output"
    [[ -z "$output" && "$stderr" == 'lab: '* ]] || die "$name: $output $stderr"
  done
  run -0 with_databases "$lab" scan inside.test 7-9
  # A name of several addresses is one of them, and this machine's or none.
  run --separate-stderr with_databases "$lab" scan both.test 7-9
  [[ "$output" == 'scan of 127.0.0.1, '* || ("$status" -eq 2 && -z "$output") ]]
}

@test "the wire is this network's own: no other network's segments, and no promiscuous mode" {
  need_sandbox
  need nsenter
  start_server 0
  start wire "$lab" shell --admin -- "$lab" wire "$PORT"
  wait_for_line wire.out '^watching '
  run -0 "$client" "$PORT"
  run -0 "$lab" shell --admin -- ip -d link show
  [ "$(grep -o 'promiscuity [0-9]*' <<<"$output" | sort -u)" = 'promiscuity 0' ] || die "$output"
  # It does see what is of its own network.
  run "$lab" shell -- "$client" "$PORT"
  wait_for_line wire.out 'SYN'
  kill -TERM "$PID"
  wait_for_end "$PID"
  # One connection, refused: nothing of the one on this machine.
  run -0 grep -cE '^ *[0-9]+\.[0-9]{6} ' wire.out
  [ "$output" -eq 2 ] || die "$(cat wire.out)"
}

@test "outside of the sandbox an ordinary account changes no network" {
  need_linux 'networks'
  need_ordinary_lab
  need ip
  ip -o link >before
  run --separate-stderr as_ordinary_user "$lab" host 1 true
  [[ "$status" -eq 1 && "$stderr" == 'lab: cannot make the host: '*'(EPERM)'* ]]
  run --separate-stderr as_ordinary_user "$lab" peer 80
  [[ "$status" -eq 1 && "$stderr" == 'lab: '*'(EPERM)'* ]]
  ip -o link | cmp - before
}
