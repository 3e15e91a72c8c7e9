#!/usr/bin/env bash
# faults.sh - the whole walk: each of the first FAULT_CALLS calls of a kind, and the last one,
# fails with every error that errnos.txt lists, in every scene. Ends with one line.
set -u
support=$(cd "$(dirname "$0")" && pwd)
bin=$(cd "${BIN:-bin}" && pwd)
build=$(cd "${BUILD:-build}" && pwd)
network=(unshare --net --pid --fork --mount-proc --kill-child)
((EUID == 0)) || network+=(--user --map-root-user)

if ! "${network[@]}" true 2>/dev/null; then
  echo 'skipped: this system lets no ordinary user make a private network'
  exit 77
fi
PATH=$bin:$PATH exec "${network[@]}" "$build/support/walk" -n "${FAULT_CALLS:-5}" -e 99 \
  -j "${JOBS:-$(getconf _NPROCESSORS_ONLN)}" "$bin" "$build/support/interposer.so" \
  "$support/errnos.txt" all
