#!/bin/sh
# The table in README.md names the scenarios of each check; with the argument `print` this writes its rows.
cd "$(dirname "$0")" || exit 1
rows() {
    for id in $(sed -n 's/^checks //p' ./*.scn | tr ' ' '\n' | sort -u -t- -k1,1.1 -k1.2,1n -k2,2n); do
        printf '| %s | %s |\n' "$id" "$(grep -lE "^checks( .*)? $id( |\$)" ./*.scn | sed 's/^\.\///; s/\.scn$//' | LC_ALL=C sort | paste -sd, | sed 's/,/, /g')"
    done
}
[ "${1-}" = print ] && { rows; exit; }
echo 1..2
if [ "$(rows)" = "$(grep -E '^\| [AB]-?[0-9]' README.md)" ]; then echo "ok 1 - the table of checks and scenarios is true"
else echo "not ok 1 - the table of checks and scenarios is true (table.sh.t print writes it)"; fi
if [ -z "$(grep -L '^checks ' ./*.scn)" ]; then echo "ok 2 - each scenario says what it checks"
else echo "not ok 2 - each scenario says what it checks"; fi
