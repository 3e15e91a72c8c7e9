# shellcheck shell=bash
# What the benchmarks share; to be sourced. Expects BUILD, BIN and CC in the environment
# (make sets them), and defines build, BIN (absolute) and
# rounds (ROUNDS=n).

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
build=${BUILD:-build}/bench
BIN=$(cd "${BIN:-bin}" && pwd) || exit 1
rounds=${ROUNDS:-5}
targets_missed=0

say() { printf '%s\n' "$*"; }

# say_machine: what the figures depend on.
say_machine() {
  say "$(uname -sr), $(getconf _NPROCESSORS_ONLN) processors, load $(cut -d' ' -f1 /proc/loadavg); $rounds rounds"
  say
}

# compile NAME FILE... [-lLIBRARY]: to $build/NAME.
compile() {
  local name=$1
  shift
  mkdir -p "$build"
  "${CC:-cc}" -O2 -o "$build/$name" "$@"
}

# enter_network SECONDS SCRIPT: starts the script again as root of a private network.
enter_network() {
  local enter=(unshare --net)
  [ -z "${IN_BENCH:-}" ] || { ip link set lo up; return 0; }
  [ "$(id -u)" = 0 ] || enter+=(--user --map-root-user)
  if ! "${enter[@]}" ip link set lo up 2>/dev/null; then
    say 'bench: this system lets this account have no private network: skipped'
    exit 77
  fi
  IN_BENCH=1 exec "${enter[@]}" timeout "$1" bash "$2"
}

# median FILE: of the numbers in it.
median() {
  sort -n "$1" | awk '{ t[NR] = $1 }
    END { if (NR) print NR % 2 ? t[(NR + 1) / 2] : (t[NR / 2] + t[NR / 2 + 1]) / 2 }'
}

# turns NAME...: the names, each round beginning with another one, so that what disturbs
# one disturbs all; $round is the round.
turns() {
  printf '%s\n' "${@:round % $# + 1}" "${@:1:round % $#}"
}

# target WORDS RATIO least|most BOUND: says whether it was reached.
target() {
  local sense='at least'
  [ "$3" = least ] || sense='at most'
  if awk -v r="$2" -v b="$4" -v s="$3" 'BEGIN { exit !(s == "least" ? r >= b : r <= b) }'; then
    say "  reached: $1: $2, $sense $4"
  else
    say "  MISSED:  $1: $2, not $sense $4"
    targets_missed=$((targets_missed + 1))
  fi
}

# ratio FILE FILE: of their medians.
ratio() {
  awk -v one="$(median "$1")" -v other="$(median "$2")" 'BEGIN { printf "%.2f", one / other }'
}
