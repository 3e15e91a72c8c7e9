#!/usr/bin/env bash
# Measures the serving models of the server beside each other ("make models"), in private
# networks, load and server on one processor. Prints the table of the README.
# usage: models.sh      ROUNDS=n (default 5)
set -u
# shellcheck source=tests/bench/common.sh
. "$(dirname "$0")/common.sh"
load=$build/load

[ -n "${IN_BENCH:-}" ] || compile load tests/bench/load.c tests/bench/measure.c || exit 1
enter_network 300 "$0"

# The models that this build has are named in its help.
read -ra models < <("$BIN/server" --help | sed -n 's/.*--model NAME *//p' | tr -d ,)

# measure WHAT MODEL KIND COUNT NUMBER: what the load prints goes to files of those names.
measure() {
  local what=$1 model=$2 words
  if ! words=$(timeout 60 "$load" "${@:3}" "$BIN/server" -q -m "$model" --backlog 1024 3306 2>"$build/complaint"); then
    say "models: $what, $model: $(tail -n 1 "$build/complaint")"
    return
  fi
  # shellcheck disable=SC2086 # pairs of words
  set -- $words
  while [ $# -gt 1 ]; do
    echo "$2" >>"$build/$what.$model.$1"
    shift 2
  done
}

# silent MODEL: how many silent clients it is given; 0: it cannot have more than one.
silent() {
  case $1 in
    iterative) echo 0 ;;
    fork) echo 300 ;; # processes: more than a class may start on one machine
    thread) echo 1000 ;;
    *) echo 10000 ;;
  esac
}

rm -f "$build"/{churn,echo,idle}.*
for ((round = 0; round < rounds; round++)); do
  while IFS= read -r model; do
    measure churn "$model" churn 5000 1
    [ "$model" = iterative ] || measure echo "$model" echo 64 0.5
    count=$(silent "$model")
    [ "$count" = 0 ] || measure idle "$model" idle "$count" 1
  done < <(turns "${models[@]}")
done

# value WHAT MODEL METRIC [FORMAT]: the median; "-" where there is none.
value() {
  [ -s "$build/$1.$2.$3" ] || { echo -; return; }
  median "$build/$1.$2.$3" | awk -v format="${4:-%.1f}" '{ printf format "\n", $1 }'
}

say_machine
say 'One client: connect, greeting, 64 bytes there and back, close: microseconds of processor'
say 'time of both ends, and the rate against epoll. Echo: the same for 64 bytes on each of 64'
say 'connections. Silent: so many clients that say nothing; bytes of the memory that the server'
say 'itself takes for each; microseconds until a client beside them has its answer.'
say
printf '%-10s %8s %6s %9s %8s %9s %9s\n' model 'us' rate 'echo us' silent bytes 'answer us'
for model in "${models[@]}"; do
  rate=-
  [ ! -s "$build/churn.epoll.cost" ] || rate=$(ratio "$build/churn.epoll.cost" "$build/churn.$model.cost")
  printf '%-10s %8s %6s %9s %8s %9s %9s\n' "$model" "$(value churn "$model" cost)" "$rate" \
    "$(value echo "$model" cost)" "$(silent "$model")" "$(value idle "$model" bytes %.0f)" \
    "$(value idle "$model" p50)"
done
