#!/bin/bash
# t/suites: what suites beside each other come to, however one ends.
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" && mkdir build || exit 1
# shellcheck source=t/suites
. "$here/suites"

tests=0
is() { # is GOT WANTED NAME
    tests=$((tests + 1))
    if [ "$1" = "$2" ]; then echo "ok $tests - $3"; else printf 'not ok %d - %s\n# is: %s, not: %s\n' "$tests" "$3" "$1" "$2"; fi
}

# comes_to WANTED NAME COMMAND…: "passed failed" of a suite by itself
comes_to() {
    local wanted=$1 name=$2; shift 2
    passed=0 failed=0
    begin one "$@" >/dev/null
    finish one >out
    is "$passed $failed" "$wanted" "$name"
}
says() { printf '%s\n' "${@:2}"; return "$1"; }

comes_to '2 0' 'what passes' says 0 'ok 1 - a' 'PASS: b.t 1 - b'
comes_to '1 2' 'what fails' says 1 'ok 1 - a' 'not ok 2 - b' 'FAIL: c.t 1 - c'
is "$(grep -c '^build/check-one.log:[23]: ' out)" 2 'where'
comes_to '1 1' 'a test that is skipped has failed' says 0 'ok 1 - a' 'ok 2 - b # SKIP no c'
comes_to '0 1' 'nothing was run' says 0
comes_to '1 1' 'it breaks off after all that it ran has passed' says 3 'ok 1 - a'
is "$(sed -n 2p out)" 'exit status: 3; the end of its output:' 'how'
comes_to '1 1' 'it ends its own shell' eval 'echo ok 1 - a; exit 4'
# shellcheck disable=SC2016
comes_to '1 1' 'it is killed' eval 'echo ok 1 - a; kill -9 $BASHPID'
is "$(sed -n 2p out)" 'exit status: 137; the end of its output:' 'how it was'
# shellcheck disable=SC2016
comes_to '1 1' 'all of it is killed' eval 'echo ok 1 - a; kill -9 0'
is "$(sed -n 2p out)" 'exit status: killed; the end of its output:' 'it left no status'

# The kernel has given its pid to another child, so that bash knows nothing of it any more.
passed=0 failed=0
begin one says 0 'ok 1 - a' >/dev/null
wait "${suites[one]}"
suites[one]=$$
finish one >out
is "$passed $failed $(wc -l <out)" '1 0 1' 'a process that bash has forgotten'

passed=0 failed=0
begin one says 0 'ok 1 - a' >/dev/null
begin two says 1 'ok 1 - a' 'not ok 2 - b' >/dev/null
finish two >out
finish one >>out
is "$passed $failed ${#suites[@]}" '2 1 0' 'two beside each other'
is "$(sed 's/:.*//' "$failures" | sort -u | paste -sd' ')" 'one two' 'all failures are kept for the end'

# shellcheck disable=SC2016
begin one eval 'sleep 1000 & echo $! >pid; wait' >/dev/null
until [ -s pid ]; do sleep 0.05; done
stop_suites
runs() { grep -q '^State:.[^ZX]' "/proc/$1/status" 2>/dev/null; }
for _ in {1..200}; do runs "$(cat pid)" || break; sleep 0.05; done
is "$(runs "$(cat pid)" && echo runs)" '' 'ended, with all that it started'
echo "1..$tests"
