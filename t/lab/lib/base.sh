# base.sh - failing with a reason, starting daemons, waiting for them
# shellcheck shell=bash

LAB=/run/lab
LAB_DEADLINE=120        # seconds that a daemon has to become ready

# die TEXT [LOGFILE]: the lab does not skip; it fails and says why
die() {
    echo "lab: $1" >&2
    if [ -n "${2:-}" ]; then
        echo "lab: the end of $2:" >&2
        tail -n 20 "$2" >&2
    fi
    exit 1
}

# on NODE COMMAND…: run a command with a node's network
on() {
    local node=$1
    shift
    nsenter --net="/run/netns/$node" -- "$@"
}

declare -A DAEMON_PID DAEMON_NODE DAEMON_TEST
DAEMONS=()

# daemon NAME NODE TEST COMMAND…: start a daemon that stays in front.
# TEST is a shell command that succeeds, on that node, as soon as the daemon answers.
daemon() {
    local name=$1 node=$2 try=$3
    shift 3
    nsenter --net="/run/netns/$node" -- "$@" >"$LAB/log/$name.out" 2>&1 </dev/null &
    DAEMON_PID[$name]=$!
    DAEMON_NODE[$name]=$node
    DAEMON_TEST[$name]=$try
    DAEMONS+=("$name")
}

daemon_wait() {
    local name=$1 log=$LAB/log/$1.out end=$((SECONDS + LAB_DEADLINE))
    [ -s "$LAB/log/$name.log" ] && log=$LAB/log/$name.log
    until on "${DAEMON_NODE[$name]}" bash -c "${DAEMON_TEST[$name]}" >/dev/null 2>&1; do
        kill -0 "${DAEMON_PID[$name]}" 2>/dev/null || die "$name ended while starting" "$log"
        [ "$SECONDS" -lt "$end" ] || die "$name was not ready after $LAB_DEADLINE seconds" "$log"
        sleep 0.03
    done
}

# lab_ready: until every daemon started so far answers
lab_ready() {
    local name
    for name in "${DAEMONS[@]}"; do
        daemon_wait "$name"
    done
}

# lab_alive: whether none of the daemons has ended meanwhile
lab_alive() {
    local name bad=0
    for name in "${DAEMONS[@]}"; do
        kill -0 "${DAEMON_PID[$name]}" 2>/dev/null && continue
        echo "lab: $name has ended; the end of its log:" >&2
        tail -n 20 "$LAB/log/$name.out" >&2
        bad=1
    done
    return $bad
}

# daemon_stop NAME: asks it to end, and expects it to do so well, with status 0
daemon_stop() {
    local name=$1 end=$((SECONDS + LAB_DEADLINE)) status
    kill -TERM "${DAEMON_PID[$name]}"
    while kill -0 "${DAEMON_PID[$name]}" 2>/dev/null; do
        [ "$SECONDS" -lt "$end" ] || die "$name did not end when asked to" "$LAB/log/$name.out"
        sleep 0.03
    done
    wait "${DAEMON_PID[$name]}"
    status=$?
    [ "$status" = 0 ] || die "$name ended with status $status when asked to" "$LAB/log/$name.out"
}

# need DESCRIPTION COMMAND…: a step of the building that must succeed; quiet if it does
need() {
    local what=$1
    shift
    "$@" >"$LAB/log/step.out" 2>&1 || die "$what failed: $*" "$LAB/log/step.out"
}
