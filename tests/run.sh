#!/bin/sh
# Runs every test and ends with one line: "N passed, N failed, N skipped".
#
#   STRICT=1    a skipped test is a failure, unless ALLOW_SKIP (an extended regular
#               expression) matches its name or reason
#   ONLY=name   only the suites whose name contains that
#   JOBS=n      how many suites at once (default: twice the processors)
#
# A suite is one Bats file, or one C unit test; both speak TAP. models.bats and
# survival.bats run once for each serving model.
set -u

build=${BUILD:-build}
case ${BIN:-bin} in
  /*) ;;
  *) BIN=$PWD/${BIN:-bin} ;;
esac
export BIN
results=$build/test
only=${ONLY:-}
processors=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
jobs=${JOBS:-$((processors * 2))}

bats=$(BUILD=$build sh tests/get-bats.sh) || exit 1
export bats results

rm -rf "$results"
mkdir -p "$results"

list_suites() {
  for unit in "$build"/unit/*_test; do
    [ -x "$unit" ] && echo "$(basename "$unit") - $unit"
  done
  for file in tests/*.bats; do
    name=$(basename "$file" .bats)
    if [ "$name" = models ] || [ "$name" = survival ]; then
      # The words after "--model NAME" in the help are the models that this build has.
      for model in $("$BIN/server" --help | sed -n 's/.*--model NAME *//p' | tr -d ,); do
        echo "$name-$model $model $file"
      done
    else
      echo "$name - $file"
    fi
  done
}

# What one suite does: its TAP goes to a file, so that suites may run side by side.
# shellcheck disable=SC2016 # expanded by the inner shell
one='
  name=$1 model=$2 file=$3
  limit=
  command -v timeout >/dev/null 2>&1 && limit="timeout -k 10 600"
  case $file in
    *.bats) MODEL=$model $limit "$bats" --tap "$file" ;;
    *) $limit "$file" ;;
  esac >"$results/$name.tap" 2>"$results/$name.err" </dev/null
  echo "# exit $?" >>"$results/$name.tap"
'
list_suites | grep -e "$only" | xargs -n 3 -P "$jobs" sh -c "$one" suite

# A plan that was not carried out to its end is a failure too: the suite died.
awk -v strict="${STRICT:-}" -v allow="${ALLOW_SKIP:-}" '
  function suite() { name = FILENAME; sub(/.*\//, "", name); sub(/\.tap$/, "", name); return name }
  function finish() {
    if (last != "" && (planned == "" || planned != seen)) {
      failed++
      printf "FAILED  %s: %d of %s tests were run; see %s\n", last, seen, planned == "" ? "?" : planned, file
    }
  }
  FNR == 1 { finish(); planned = ""; seen = 0; last = suite(); file = FILENAME; failing = 0 }
  /^1\.\.[0-9]+/ { planned = substr($0, 4) + 0; failing = 0; next }
  /^ok .*# [sS][kK][iI][pP]/ {
    seen++; failing = 0; text = $0; sub(/^ok [0-9]+ /, "", text)
    if (strict != "" && (allow == "" || text !~ allow)) { failed++; printf "FAILED  %s: %s (STRICT: a skip)\n", last, text }
    else { skipped++; printf "skipped %s: %s\n", last, text }
    next
  }
  /^ok / { seen++; passed++; failing = 0; next }
  /^not ok / { seen++; failed++; failing = 1; text = $0; sub(/^not ok [0-9]+ /, "", text); printf "FAILED  %s: %s\n", last, text; next }
  /^#/ && failing { print "        " $0 }
  END { finish(); printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped; exit failed > 0 || passed == 0 }
' "$results"/*.tap
