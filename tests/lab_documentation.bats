#!/usr/bin/env bats
# lab/lab.1, held against the program: options, JSON events and keys, examples.

# shellcheck disable=SC2030,SC2031 # Bats gives each test a subshell, on purpose
# shellcheck disable=SC2153,SC2154 # PORT and lab come from the helpers
# shellcheck disable=SC2013 # words, not lines

load lab

MANUAL=$BATS_TEST_DIRNAME/../lab/lab.1
NAMES=(run show shell check hint solution next reset report prove ports sockets watch scan wire host peer doctor)

options_in_help() {
  "$lab" "$1" --help | sed '/window/d; s/lab shell --admin//' | grep -oE -- '(^|[ ,])-(-[a-z][a-z-]+|[A-Za-z0-9])\b' | tr -d ' ,' | sort -u
}

# The options of a subcommand's part of the page.
options_in_manual() {
  awk -v name="$1" '/^\.S[sh]/ { mine = $2 == "lab" && $3 == name } mine' "$MANUAL" | sed -n 's/^\.It Fl/Fl/p' |
    grep -oE 'Fl (Fl [a-z-]+|[A-Za-z0-9])' | sed 's/Fl Fl /--/; s/Fl /-/' | sort -u
}

@test "every option of each --help is in the manual page, and the other way round" {
  local name
  # What all have is described once, before the subcommands.
  sed -n '/^\.Sh DESCRIPTION/,/^\.Ss/s/^\.It Fl //p' "$MANUAL" | grep -oE '(Fl )?[a-z-]+\b' >common
  for name in json color help; do grep -qx "Fl $name" common; done
  for name in "${NAMES[@]}"; do
    options_in_help "$name" | grep -vxE -- '--(json|color|help)' >help || true
    options_in_manual "$name" >manual
    run -0 diff help manual
  done
}

@test "every subcommand of lab help has its part, and its place in the synopsis" {
  local name
  "$lab" help | sed -nE 's/^  ([a-z]+) .*/\1/p' | grep -v '^lab$' | sort >actual
  printf '%s\n' "${NAMES[@]}" | sort >expected
  run -0 diff expected actual
  for name in "${NAMES[@]}"; do
    grep -q "^\.Ss lab $name\b" "$MANUAL"
    sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESC/p' "$MANUAL" | grep -qx ".Cm $name"
    run -0 "$lab" help "$name"
    [ "$output" = "$("$lab" "$name" --help)" ]
    for option in $(options_in_help "$name" | grep -- '--' | grep -vx -- --timeout); do
      sed -n "/^\.Cm $name$/,/^\.Nm/p" "$MANUAL" | grep -q "Fl Fl ${option#--}\b" || die "synopsis of $name: $option"
    done
  done
  refused 2 help nonsense
  refused 2 nonsense
}

@test "the states and filters in the page are those the program takes" {
  need_linux "the table of sockets"
  local word
  for word in $(sed -n '/^\.Ss lab sockets/,/^\.Ss lab watch/p' "$MANUAL" | grep -oE '\b(LISTEN|CLOSED|CLOSING|ESTABLISHED|[A-Z]+_[A-Z0-9]+)\b' | sort -u); do
    run -0 "$lab" sockets state "$word" local-port 1
    echo "$word" >>states
  done
  [ "$(wc -l <states)" -eq 11 ]
  for word in $(sed -n '/^Filters/,/^\.El/s/^\.It Cm //p' "$MANUAL" | sed 's/ Ar name/:LISTEN/; s/ Ar n/:80/; s/ ,//'); do
    # shellcheck disable=SC2086 # filter and value
    run -0 "$lab" sockets ${word/:/ } local-port 1
  done
}

@test "the keys of watch are those of its help" {
  sed -n '/^Keys:/,/^\.El/s/^\.It Ic \(.\).*/\1/p' "$MANUAL" | sort >expected
  "$lab" watch --help | sed -n 's/^keys: //p' | grep -oE '(^|   ). ' | tr -d ' ' | sort >actual
  [ "$(wc -l <expected)" -eq 5 ]
  run -0 diff expected actual
}

@test "the manual page has no faults that mandoc can see" {
  need mandoc
  run -0 mandoc -T lint -W warning "$MANUAL"
  [ -z "$output" ]
}

# "event key" for each key of each event in the files' JSON lines.
keys_in_output() {
  sed -E 's/\\"//g' "$@" | awk '
    {
      event = $0; sub(/^\{"event":"/, "", event); sub(/".*/, "", event)
      gsub(/:"[^"]*"/, ":")
      while (match($0, /"[a-z0-9_]+":/)) {
        key = substr($0, RSTART + 1, RLENGTH - 3)
        $0 = substr($0, RSTART + RLENGTH)
        print event, key
      }
    }' | sort -u
}

keys_in_manual() {
  sed -n '/^\.Sh JSON OUTPUT/,/^What the keys mean/p' "$MANUAL" | awk '
    $1 == ".It" { count = 0; listed = 0; for (i = 3; i <= NF; i++) if ($i != ",") { names[++count] = $i; print $i, "event" } }
    $1 == ".Cm" && $NF == ":" { next }
    $1 == ".Cm" { for (i = 2; i <= NF; i++) if ($i ~ /^[a-z]/) for (n = 1; n <= count; n++) print names[n], $i }
  ' | sort -u
}

keys_explained() {
  sed -n '/^What the keys mean/,/^Keys never/s/^\.It Cm //p' "$MANUAL" | tr -d ' ' | tr , '\n' | sort -u
}

@test "every JSON event and key that is printed is in the page, and no other" {
  need_linux "who listens, and so not every key"
  start_every_state
  serve one 5000
  serve goes 5001
  serve full --fault no-accept --backlog 0 5002
  start waiting "${INSIDE[@]}" "$client" --hold 60 5002
  wait_until 20 sh -c '"$@" | grep -q 127.0.0.1:5002' queue "${INSIDE[@]}" "$lab" sockets tcp state established
  "${INSIDE[@]}" "$lab" scan --json 5000-5005 >before.json
  kill -KILL "$(cat goes.pid)"
  wait_until 20 sh -c '! "$@" | grep -q 127.0.0.1:5001' gone "${INSIDE[@]}" "$lab" sockets state listen
  serve comes 5003
  "${INSIDE[@]}" "$lab" scan -t 0.3 --json --before before.json 5000-5005 >scan.json
  "${INSIDE[@]}" "$lab" ports --json 5000 >port.json
  "${INSIDE[@]}" "$lab" ports --json >map.json
  "${INSIDE[@]}" "$lab" ports --json --search mail >search.json
  "${INSIDE[@]}" "$lab" sockets --json >sockets.json
  "${INSIDE[@]}" "$lab" doctor --json >doctor.json
  XDG_STATE_HOME=$PWD "$lab" report --json >report.json
  "${INSIDE[@]}" "$lab" wire --json 5000 "$client" 5000 >wire.json
  keys_in_output ./*.json >seen
  keys_in_manual >said
  [ "$(wc -l <seen)" -gt 50 ]
  run -0 diff seen said
  cut -d' ' -f2 seen | grep -vx event | sort -u >seen.keys
  keys_explained >explained
  run -0 diff seen.keys explained
}

@test "every example runs, with status 0" {
  need_linux "the table of sockets"
  start_network
  serve one 3306
  mkdir bin
  ln -s "$lab" bin/lab
  sed -n 's/^\.Dl \$ //p' "$MANUAL" >examples
  [ "$(wc -l <examples)" -ge 8 ]
  local command
  while IFS= read -r command <&9; do
    # shellcheck disable=SC2016 # expanded by the inner shell
    run -0 "${INSIDE[@]}" env PATH="$PWD/bin:$PATH" sh -c "$command"
    [[ -n "$output" || "$command" == *'>'* ]] || die "$command printed nothing"
  done 9<examples
}

@test "the exit statuses in the page: 0, 1, 2, and 77 where there is no table" {
  [ "$(sed -n '/^\.Sh EXIT STATUS/,/^\.Sh EX/s/^\.It //p' "$MANUAL" | tr '\n' ' ')" = '0 1 2 77 ' ]
  run -0 "$lab" --version
  [[ "$output" == 'portlab lab '* ]]
  if [ "${PLATFORM:-linux}" = posix ]; then
    refused 77 sockets
    refused 77 watch --once
  fi
}
