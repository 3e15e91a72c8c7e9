#!/usr/bin/env bats
# What is not accepted: one line on standard error that names what was wrong and what is
# accepted, nothing on standard output, exit 2, and no socket made.
# shellcheck disable=SC2154,SC2030,SC2031 # set by helper.bash and by Bats's run

load helper

# refused WRONG ACCEPTED PROGRAM ARGS...: the program refuses its arguments; its one line
# holds WRONG, the text that it stumbled over, and matches ACCEPTED, what it would take.
refused() {
  local wrong=$1 accepted=$2
  shift 2
  run -2 --separate-stderr "$@"
  if [ -n "$output" ] || [[ "$stderr" == *$'\n'* ]] ||
    [[ "$stderr" != "${1##*/}: "*"$wrong"* ]] || [[ ! "$stderr" =~ $accepted ]]; then
    die "${*@Q} said on stdout: '$output', on stderr: '$stderr'"
  fi
}

a_number='0 to 65535|0-65535|1-65535'
see_help='see (server|client) --help'

# Bad ports for either program, as its last argument.
refuses_port() {
  local port
  for port in 80x '' ' 80' '80 ' +80 0x50 1e3 65536 99999999999999999999 $'80\n' '8 0' 80.0; do
    refused "'${port//$'\n'/\\n}'" "$a_number" "$@" "$port"
  done
  # A minus begins an option, unless -- has ended them.
  for port in -1 -80; do
    refused "'${port:0:2}" "$a_number" "$@" "$port"
    refused "'$port'" "$a_number" "$@" -- "$port"
  done
  refused "'nosuchservice'" 'services database' "$@" nosuchservice
  refused "'http '" "$a_number|services database" "$@" 'http '
}

@test "server: no number but 0 to 65535 and no unknown name is a port" {
  refuses_port "$server"
}

@test "client: no number but 0 to 65535 and no unknown name is a port" {
  refuses_port "$client"
  refuses_port "$client" 127.0.0.1
}

@test "server: exactly one port" {
  refused PORT "$a_number" "$server"
  refused PORT "$a_number" "$server" --
  refused "'8081'" 'one PORT' "$server" 8080 8081
}

@test "client: at most one host, and a port" {
  refused PORT "$a_number" "$client"
  refused "'8080'" 'one HOST' "$client" 127.0.0.1 127.0.0.2 8080
}

@test "server: every option that takes a value refuses to go without" {
  local option
  for option in -b -m --bind --model --backlog --max-clients --idle --user --fault --color; do
    refused "$option needs a value" "$see_help" "$server" "$option"
    refused "$option needs a value" "$see_help" "$server" 0 "$option"
  done
}

@test "client: every option that takes a value refuses to go without" {
  local option
  for option in -n -c -p -s -m -t --count --concurrent --port --source --message --timeout \
    --hold --color; do
    refused "$option needs a value" "$see_help" "$client" "$option"
  done
}

@test "an option that takes no value refuses one" {
  refused --json=yes "$see_help" "$server" --json=yes 0
  refused --hang-up=1 "$see_help" "$server" --hang-up=1 0
  refused --reset=no "$see_help" "$client" --reset=no 9
}

@test "server: a serving model must be one of the list" {
  refused "'nosuch'" iterative "$server" --model nosuch 0
  refused "'nosuch'" fork "$server" -m nosuch 0
  refused "''" poll "$server" -m '' 0
  refused "'POLL'" poll "$server" -m POLL 0
}

@test "server: --backlog and --max-clients are whole numbers in their range" {
  local value
  for value in x '' -1 +1 1x ' 1' 1.5 65536; do
    refused "--backlog '$value'" '0 to 65535' "$server" --backlog "$value" 0
  done
  for value in 0 x '' -1 ' 1' 99999999999999999999; do
    refused "--max-clients '$value'" 'whole number from 1' "$server" --max-clients "$value" 0
  done
}

@test "server: --idle is seconds" {
  local value
  for value in x '' -1 +1 1s ' 1' 1. .5 1e3 inf nan 86401; do
    refused "--idle '$value'" 'seconds from 0' "$server" --idle "$value" 0
  done
}

@test "server: --fault and --color name one of their words" {
  refused "'nosuch'" 'no-accept, no-read, no-close, no-answer or reset' "$server" --fault nosuch 0
  refused "''" 'no-accept, no-read, no-close, no-answer or reset' "$server" --fault '' 0
  refused "'6'" no-accept "$server" --fault 6 0
  refused "'blue'" 'auto, always or never' "$server" --color blue 0
  refused "'blue'" 'auto, always or never' "$client" --color blue 9
}

@test "server: options that contradict each other" {
  refused --hang-up --fault "$server" --hang-up --fault no-close 0
}

@test "client: --count and --concurrent are whole numbers from 1" {
  local value
  for value in 0 x '' -1 +1 ' 1' 1.5 1x 99999999999999999999; do
    refused "--count '$value'" 'whole number from 1' "$client" -n "$value" 9
    refused "--concurrent '$value'" 'whole number from 1' "$client" -c "$value" 9
  done
}

@test "client: its own port is a number from 0 to 65535" {
  local value
  for value in 70000 x '' -1 http 80x; do
    refused "--port '$value'" "$a_number" "$client" -p "$value" 9
  done
}

@test "client: --timeout and --hold are seconds" {
  local value
  for value in x '' -1 1s ' 1' 1. 86401; do
    refused "--timeout '$value'" 'seconds from 0' "$client" -t "$value" 9
    refused "--hold '$value'" 'seconds from 0' "$client" --hold "$value" 9
  done
}

@test "client: options that contradict each other" {
  refused --interactive 'one connection' "$client" -i -n 2 9
  refused --half-close UDP "$client" -u --half-close 9
  refused --reset UDP "$client" -u --reset 9
}

@test "an unknown option is named, short or long, before the port or after" {
  local program
  for program in "$server" "$client"; do
    refused ' -x' "$see_help" "$program" -x 9
    refused ' -x' "$see_help" "$program" 9 -x
    refused ' -x' "$see_help" "$program" -qx 9
    refused ' --nosuch' "$see_help" "$program" --nosuch 9
    refused ' --nosuch=1' "$see_help" "$program" 9 --nosuch=1
  done
}

@test "an option shortened until it could be several is refused" {
  refused ' --m' "$see_help" "$server" --m 0
}

# What a terminal would obey must not reach it. (A bell, a colour, a title, a C1 control.)
@test "control characters in an argument are shown, not sent to the terminal" {
  local program evil=$'\033[31m\a\033]0;title\a\302\233' shown='\x1b[31m\x07'
  for program in "$server" "$client"; do
    refused "$shown" "$a_number|services" "$program" "$evil"
    refused "--$shown" "$see_help" "$program" "--$evil" 9
    refused "$shown" 'auto, always' "$program" --color "$evil" 9
    refused '\x1b' "$see_help" "$program" -$'\033' 9
  done
  refused "$shown" iterative "$server" --model "$evil" 0
  refused "$shown" no-accept "$server" --fault "$evil" 0
  refused "$shown" 'too much' "$server" 1 "$evil"
  refused "$shown" 'from 1' "$client" -n "$evil" 9
}

@test "what is refused is shown in one line, however long it is" {
  local long
  long=$(head -c 5000 /dev/zero | tr '\0' x)
  refused xx "$a_number|services database" "$server" "$long"
  [ "${#stderr}" -le 200 ]
  refused xx 'from 1' "$client" -n "$long" 9
  [ "${#stderr}" -le 200 ]
}

@test "a refusal comes before anything else is done: the user is not even looked up" {
  refused "'x'" 'seconds' "$server" --user nosuchuser --idle x 0
}

# ---- asked for help, none of that is an error ----

# help_of PROGRAM NAME: its help fits a terminal and ends with two commands to try.
help_of() {
  run -0 --separate-stderr "$1" --help
  [ -z "$stderr" ]
  [ "${#lines[@]}" -ge 10 ]
  [ "$(printf '%s\n' "$output" | wc -l)" -le 24 ]
  [[ "${lines[0]}" == "usage: $2 "*PORT* ]]
  [[ "${lines[-2]}" == "  $2 "* && "${lines[-1]}" == "  $2 "* ]]
  [ "$("$1" -h)" = "$output" ]
}

@test "--help: exit 0, on stdout, at most 24 lines, and two examples at the end" {
  help_of "$server" server
  help_of "$client" client
}

@test "the examples at the end of --help are commands that are accepted" {
  local program line words
  for program in server client; do
    run -0 "$BIN/$program" --help
    for line in "${lines[-1]}" "${lines[-2]}"; do
      read -ra words <<<"${line%%   *}" # only the command: three blanks end it
      [ "${words[0]}" = "$program" ]
      run -0 "$BIN/$program" "${words[@]:1}" --version # an error before it would be 2
    done
  done
}

@test "--help names every option, and every serving model" {
  local option
  run -0 "$server" --help
  for option in --bind -4 -6 --udp --model --backlog --max-clients --idle --no-reuseaddr \
    --reuseport --user --hang-up --fault --json --quiet --color --help --version \
    iterative fork thread poll; do
    [[ "$output" == *"$option"* ]] || die "no $option"
  done
  run -0 "$client" --help
  for option in --count --concurrent --plot --port --source --message --interactive --hold \
    --half-close --reset --udp -4 -6 --timeout --json --quiet --color --help --version; do
    [[ "$output" == *"$option"* ]] || die "no $option"
  done
}

@test "--version: one line with a number, exit 0" {
  local program
  for program in server client; do
    run -0 --separate-stderr "$BIN/$program" --version
    [ -z "$stderr" ]
    [[ "$output" =~ ^portlab\ $program\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
    [ "$("$BIN/$program" -V)" = "$output" ]
  done
}

@test "--help and --version to a full disk: exit 1 with a message" {
  [ -c /dev/full ] || skip "this system has no /dev/full"
  local program option
  for program in server client; do
    for option in --help --version; do
      # shellcheck disable=SC2016 # expanded by the inner shell
      run -1 sh -c '"$1" "$2" 2>&1 >/dev/full' sh "$BIN/$program" "$option"
      [ "${#lines[@]}" -eq 1 ]
      [[ "$output" == "$program: "*"No space left on device"* ]]
    done
  done
}

@test "--help with standard output closed: exit 1 with a message" {
  # shellcheck disable=SC2016 # expanded by the inner shell
  run -1 sh -c '"$1" --help 2>&1 >&-' sh "$server"
  [[ "$output" == "server: "* ]]
}

@test "--help: no line is over 80 columns" {
  local program
  for program in "$server" "$client" "$BIN/lab"; do
    # shellcheck disable=SC2016 # expanded by the inner shell
    run -0 sh -c '"$1" --help | awk "length > 80"' sh "$program"
    [ -z "$output" ]
  done
}
