# serving.bash - for the suites about serving models: clients that come, stay and leave, and
# what the system says of the server meanwhile. The model's name is in $MODEL.
# shellcheck disable=SC2154,SC2153,SC2034 # set by, or for, helper.bash and the suites

# serve ARGS...: a server of this model on a free port.
serve() {
  start_server -m "$MODEL" "$@" 0
}

# hold NAME: a client that has been greeted and stays, until it is killed; pid in NAME.pid.
hold() {
  start "$1" "$client" --hold 600 "$PORT"
  wait_for_line "$1.out" '^ +hold '
}

# leave NAME: that client goes.
leave() {
  local pid
  pid=$(cat "$1.pid")
  kill -KILL "$pid"
  wait "$pid" || true
}

# nc_with NAME FILE: nc sends a file, closes its half, and reads all there is to NAME.out.
nc_with() {
  # shellcheck disable=SC2016 # expanded by the inner shell
  start "$1" sh -c 'exec nc -N 127.0.0.1 "$1" <"$2"' sh "$PORT" "$2"
}

# data_of FILE: what came after the hello line.
data_of() {
  tail -c +$(($(head -n 1 "$1" | wc -c) + 1)) "$1"
}

# ends PID: it ends by itself, and soon; its exit status in $STATUS.
ends() {
  local pid=$1
  # shellcheck disable=SC2317 # wait_until calls it
  gone() { ! kill -0 "$pid" 2>/dev/null; }
  wait_until 60 gone || die "process $pid goes on" || return 1
  wait_for_end "$pid"
}

# The kernel's view of the server's ends of its connections: state, unread bytes, unsent
# bytes, peer.
server_ends() {
  ss -Htan "sport = :$PORT" | awk '$1 != "LISTEN" { print $1, $2, $3, $5 }'
}

server_ends_in() { # STATE COUNT
  [ "$(server_ends | grep -c "^$1 ")" -eq "$2" ]
}

no_server_ends() {
  [ -z "$(server_ends)" ]
}

summary() { # KEY: of the --json summary
  sed -nE "/\"event\":\"summary\"/s/.*\"$1\":([0-9]+).*/\1/p" server.out
}

children() {
  ps --ppid "$SERVER_PID" -o pid= | tr -d ' '
}

no_children() {
  [ -z "$(children)" ]
}

# The memory of the server and of its children, in kB.
memory() {
  local pid
  for pid in "$SERVER_PID" $(children); do
    sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status"
  done | awk '{ sum += $1 } END { print sum }'
}

descriptors() {
  find "/proc/$SERVER_PID/fd" -mindepth 1 | wc -l
}

descriptors_are() {
  [ "$(descriptors)" -eq "$1" ]
}

# ends_in_order: SIGTERM leads to exit 0, a summary, and nobody left behind.
ends_in_order() {
  kill -TERM "$SERVER_PID"
  ends "$SERVER_PID"
  [ "$STATUS" -eq 0 ] || die "exit status $STATUS"
  [ ! -s server.err ] || die "$(cat server.err)"
  grep -qE '^served |"event":"summary"' server.out || die "no summary"
}
