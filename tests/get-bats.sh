#!/bin/sh
# Prints the path of a Bats to run the tests with. Where none is installed, gets one: with
# the system's package manager as root, else a private copy under build/.
set -u

build=${BUILD:-build}
private=$build/bats

say() { printf '%s\n' "$*" >&2; }

found() {
  bats=$(command -v bats 2>/dev/null) && [ -n "$bats" ] && return 0
  for bats in "$private/usr/bin/bats" "$private/node_modules/.bin/bats" "$private/bin/bats"; do
    [ -x "$bats" ] && "$bats" --version >/dev/null 2>&1 && return 0
  done
  return 1
}

if found; then
  printf '%s\n' "$bats"
  exit 0
fi

say 'Bats, which runs the tests, is not installed here: getting it.'
log=$build/get-bats.log
mkdir -p "$private"
: >"$log"

# Each way to get it on a line: the command that must exist, then what to run.
try() {
  command -v "$1" >/dev/null 2>&1 || return 1
  shift
  say "  $*"
  sh -c "$*" >>"$log" 2>&1 && found
}

if [ "$(id -u)" = 0 ]; then
  try apt-get 'apt-get update && apt-get install -y bats' ||
    try dnf 'dnf install -y bats' ||
    try apk 'apk add bats bash' ||
    try pacman 'pacman -S --noconfirm bash-bats' ||
    try zypper 'zypper --non-interactive install bats'
else
  try brew 'brew install bats-core' ||
    try apt-get "cd '$private' && apt-get download bats && dpkg -x bats_*.deb ."
fi || try npm "npm install --no-audit --no-fund --prefix '$private' bats"

if found; then
  printf '%s\n' "$bats"
  exit 0
fi
say "No way worked (see $log). Please install the package 'bats', for instance:"
say '  sudo apt-get install bats'
exit 1
