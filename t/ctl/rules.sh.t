#!/bin/sh
# rules.sh.t - posternctl rules against a real Redis. POSTERNCTL and POSTERN_REDIS_SERVER name the binaries.
. "$(dirname "$0")/lib.sh"
start_redis
conf() { # conf [LINE]: the configuration, the milter's section with that line
    printf 'redis { url = "unix:%s/redis.sock" }\nmilter {\nrules_file = "%s/kept"\n%s\n}\n' "$dir" "$dir" "${1:-}" >"$dir/conf"
}
conf
r() { run -c "$dir/conf" rules "$@"; }
code() { [ "$rc" -eq "$1" ]; }
is() { [ "$1" = "$2" ] || { echo "# is: $1" && false; }; }
text() { redis HGET postern:rules: text; }
edits() { redis HGET postern:rules: n; }
flush() { redis FLUSHALL >/dev/null; }
names() { text | sed -n 's/^ *\([a-z0-9.-]*\):.*/\1/p' | tr '\n' ' '; }

# --- words and options ---
r
ok "no verb" eval 'code 2 && says "rules add" && says "rules test"'
r add
ok "no rule" eval 'code 2 && says "^usage: posternctl rules add .*\[--before NAME\]"'
r add 'a: client.tls -> none' --first --last
ok "two places" eval 'code 2 && says "one of --first, --last, --before and --after"'
r move a
ok "no place" eval 'code 2 && says "where to?"'
r load nonesuch.file
ok "a file that is not there" eval 'code 2 && says "cannot read nonesuch.file: No such file"'
r show --first
ok "an option of others" eval 'code 2 && says "rules show: takes no option --first$"'
ok "nothing was written" is "$(redis KEYS '*')" ""

# --- show of nothing ---
r show
ok "show nothing" eval 'code 0 && prints "^configuration: 0 rules$" && prints "^Redis: 0 rules$"'
r save
ok "save nothing" eval 'code 0 && silent out'

# --- add ---
r add 'b: size > 20M -> reject "too large"'
ok "add" eval 'code 0 && prints "^added: b, rule 1 of 1$"'
ok "add: in Redis" is "$(text)" 'b: size > 20M -> reject "too large"'
ok "add: an edit" is "$(edits)" 1
generation=$(redis HGET postern:rules: g)
ok "add: a generation" eval 'echo "$generation" | grep -qE "^[0-9a-f]{16}$"'
r add 'a: client.tls -> none' --first
ok "add first" eval 'code 0 && prints "^added: a, rule 1 of 2$"'
r add 'd: client.tls -> none' --last
ok "add last" eval 'code 0 && prints "^added: d, rule 3 of 3$"'
r add 'c: client.tls -> none' --before d
ok "add before" eval 'code 0 && prints "^added: c, rule 3 of 4$"'
r add 'a2: subject contains "ä" -> tag "X-A: 1"' --after a
ok "add after" eval 'code 0 && prints "^added: a2, rule 2 of 5$"'
ok "in order" is "$(names)" "a a2 b c d "
ok "still the generation, and five edits" is "$(redis HGET postern:rules: g) $(edits)" "$generation 5"
r add 'a: client.tls -> none'
ok "a name that is taken" eval 'code 1 && says "Redis has a rule a; .*rules replace"'
r add 'e: client.tls -> none' --before nonesuch
ok "before one that is not there" eval 'code 1 && says "Redis has no rule nonesuch; .*rules show"'

# --- errors ---
wrong() { # wrong COLUMN WHAT RULE
    column=$1 what=$2
    r add "$3"
    ok "refused: $3" eval 'code 1 && says "^posternctl: rules add: column $column: .*$what" && silent out'
}
wrong 1 'a rule begins with its name' 'client.tls -> none'
wrong 1 'a rule begins with its name' '# comment'
wrong 12 'a size must follow' 'e: size >  -> none'
wrong 15 'an action' 'e: client.tls encrypt'
wrong 18 'write reject' 'e: client.tls -> discard'
wrong 24 'regular expression' 'e: subject matches "a(b" -> none'
wrong 20 'control character' 'e: client.tls -> no
f: client.tls -> none'
ok "nothing of that was written" is "$(edits)" 5

# --- replace, del, move; comments ---
printf '# ours\n\n# about a\n  # more\na: client.tls -> none\nb: size > 1 -> none\n\n# about c\nc: size > 2 -> none' >"$dir/rules"
r load "$dir/rules"
ok "load" eval 'code 0 && prints "^3 rules in the place of 5$" && is "$(edits)" 6'
r replace 'b: size > 7 -> none'
ok "replace" eval 'code 0 && prints "^replaced: b, rule 2 of 3$" && text | grep -qx "b: size > 7 -> none"'
r replace 'x: size > 7 -> none'
ok "replace what is not there" eval 'code 1 && says "Redis has no rule x"'
r move a --last
ok "move" eval 'code 0 && prints "^moved: a, rule 3 of 3$"'
ok "comments above it go with it" is "$(text)" '# ours

b: size > 7 -> none

# about c
c: size > 2 -> none
# about a
  # more
a: client.tls -> none'
r move a --before c
ok "move before" is "$(text | sed -n '5,$p')" '# about a
  # more
a: client.tls -> none
# about c
c: size > 2 -> none'
r move c --first
ok "move first" is "$(names)" "c b a "
r move c --after a
ok "move after" is "$(names)" "b a c "
r move c --after c
ok "move after itself" eval 'code 1 && says "itself"'
r move nonesuch --first
ok "move what is not there" eval 'code 1 && says "no rule nonesuch"'
r del a
ok "del" eval 'code 0 && prints "^taken out: a$" && is "$(names)" "b c "'
ok "del: comments stay" eval 'text | grep -qx "# about a" && text | grep -qx "# ours"'
r del a
ok "del what is not there" eval 'code 1 && says "no rule a"'

# --- save and load ---
r save
ok "save" is "$(cat "$dir/out")" "$(text)"
r save "$dir/saved"
ok "save to a file" eval 'code 0 && is "$(cat "$dir/saved")" "$(text)"'
r save "$dir/none/such"
ok "save where there is no folder" eval 'code 1 && says "cannot write $dir/none/such: "'
before=$(text)
printf 'a: client.tls -> none\n\nb: size >> 1 -> none\r\n# c\na: client.tls -> none\nc: x -> none\n' >"$dir/wrong"
r load "$dir/wrong"
ok "load: every wrong line, with file, line and column" eval 'code 1 && says "^posternctl: $dir/wrong:3: column 10: " && says "^posternctl: $dir/wrong:5: column 1: there is a rule a already" && says "wrong:6: column 4: "'
ok "load: nothing was written" eval 'says "nothing was written$" && is "$(text)" "$before"'
"$ctl" -c "$dir/conf" rules load - <"$dir/saved" >"$dir/out" 2>"$dir/err"
ok "load from standard input" eval 'prints "^2 rules in the place of 2$" && is "$(text)" "$before"'
r load /dev/null
ok "load nothing: all rules go, the hash stays" eval 'code 0 && prints "^0 rules in the place of 2$" && is "$(redis HGET postern:rules: text)" "" && [ "$(edits)" -gt 1 ]'
yes '# long' | head -c 4200000 >"$dir/long"
r load "$dir/long"
ok "load too much" eval 'code 2 && says "longer than the rules may be"'
yes 'x: client.tls -> none' | sed 's/x/&NR/' | awk '{sub("NR", NR); print} NR == 501 {exit}' >"$dir/many"
r load "$dir/many"
ok "more rules than may be" eval 'code 1 && says "many:501: more than 500 rules"'

# --- the configuration's rules ---
conf "rules = {'mine: client.tls -> none'}"
r add 'mine: client.tls -> none'
ok "a name of the configuration" eval 'code 1 && says "the configuration has a rule mine"'
r add 'theirs: size > 1 -> requiretls'
ok "numbers go on behind the configuration's" eval 'code 0 && prints "^added: theirs, rule 2 of 2$"'
r show
ok "show" eval 'code 0 && prints "^   1  mine: client.tls -> none$" && prints "^   2  theirs: size > 1 -> requiretls$"'
json_exits 0 "show --json" '$j->{configuration}[0]{name} eq "mine" && $j->{redis}{rules}[0]{number} == 2 && $j->{redis}{rules}[0]{action} eq "requiretls" && $j->{redis}{edits} > 1' \
    -c "$dir/conf" rules show
r del mine
ok "del of the configuration" eval 'code 1 && says "Redis has no rule mine"'
conf

# --- what somebody put there by hand ---
redis HSET postern:rules: text 'good: size > 1 -> none
bad: size > -> none
worse
' >/dev/null
r show
ok "show what is wrong" eval 'code 1 && prints "^   -  bad: size > -> none$" && prints "^      line 2: column 13: " && prints "^   1  good" && says "rules that cannot be read: 2"'
json_exits_dirty() {
    run --json -c "$dir/conf" rules show
    ok "show --json what is wrong" eval 'code 1 && json "\$j->{redis}{rules}[1]{error} =~ /column 13/ && \$j->{redis}{rules}[1]{line} == 2"'
}
json_exits_dirty
before=$(text)
r add 'new: size > 1 -> none'
ok "add to that" eval 'code 1 && says "^posternctl: rules in Redis:2: column 13: " && says "nothing was written; mend" && is "$(text)" "$before"'
r del bad
ok "del of a wrong one" eval 'code 0 && prints "^taken out: bad$" && says "rules in Redis:2: column 1: " && is "$(text)" "good: size > 1 -> none
worse"'
r load "$dir/saved"
ok "load mends" code 0
redis HSET postern:rules: n nonsense >/dev/null
r add 'new: size > 1 -> none'
ok "a broken stamp" eval 'code 1 && says "is broken: the count of edits \"nonsense\" is no number.*--discard makes it anew"'
r add 'new: size > 1 -> none' --discard
ok "a broken stamp, --discard" eval 'code 0 && is "$(edits)" 1 && is "$(names)" "b c new "'
redis DEL postern:rules: >/dev/null
redis SET postern:rules: x >/dev/null
r show
ok "no hash" eval 'code 1 && says "WRONGTYPE postern:rules: holds a string, no hash"'
r add 'new: size > 1 -> none'
ok "no hash: add" eval 'code 1 && says "WRONGTYPE"'

# --- Redis has lost them ---
flush
r load "$dir/saved"
generation=$(redis HGET postern:rules: g)
kept() { # kept N: the milter's file as of that edit
    "${WRITE_RULES:-./t/ctl/write_rules}" "$generation" "$1" <"$dir/saved" >"$dir/kept"
}
kept 7
r add 'new: size > 1 -> none'
ok "older rules" eval 'code 1 && says "Redis has older rules than this node knows (2 in $dir/kept), which the milter goes by: .*rules load --discard $dir/kept" && is "$(edits)" 1'
r show
ok "older rules: show" eval 'code 1 && says "older rules" && prints "^   1  b: "'
flush
r add 'new: size > 1 -> none'
ok "lost rules" eval 'code 1 && says "Redis has lost the rules that this node knows (2 in $dir/kept)" && is "$(redis KEYS "*")" ""'
r load --discard "$dir/kept"
ok "put back" eval 'code 0 && prints "^2 rules in the place of 0$" && is "$(text)" "$(cat "$dir/saved")" && is "$(edits)" 1 && [ "$(redis HGET postern:rules: g)" != "$generation" ]'
r add 'new: size > 1 -> none'
ok "edits go again" code 0
flush
r add 'new: size > 1 -> none' --discard
ok "begun anew" eval 'code 0 && is "$(names)" "new "'
head -c 60 "$dir/kept" >"$dir/cut" && mv "$dir/cut" "$dir/kept"
r del new
ok "a damaged file, Redis has rules: edits go" code 0
flush
r add 'new: size > 1 -> none'
ok "a damaged file, Redis has none: refused" eval 'code 1 && says "cannot be told: $dir/kept: .*--discard begins anew" && is "$(redis KEYS "*")" ""'
r load --discard "$dir/kept"
ok "a damaged file is not loaded" eval 'code 2 && says "^posternctl: $dir/kept: the file of rules is truncated" && is "$(redis KEYS "*")" ""'
rm "$dir/kept"

# --- many edits at once: none is lost ---
flush
pids=
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
    "$ctl" -c "$dir/conf" rules add "n$i: size > $i -> none" >"$dir/out.$i" 2>&1 </dev/null &
    pids="$pids $!"
done
failed=0
for pid in $pids; do wait "$pid" || failed=$((failed + 1)); done
ok "twelve at once: all were taken" eval 'is "$failed" 0 && is "$(edits)" 12 && is "$(text | grep -c "^n")" 12'

# --- as posternctl's own user ---
redis_user posternctl
run -c "$dir/conf.posternctl" rules add 'own: size > 1 -> none'
ok "as its user of Redis" eval 'code 0 && prints "^added: own, rule 13 of 13$"'
run -c "$dir/conf.posternctl" rules show
ok "and show" code 0

# --- without Redis ---
printf 'redis { url = "" }\nmilter { rules = {"mine: client.tls -> none"} }\n' >"$dir/conf"
r show
ok "no Redis: show" eval 'code 0 && prints "^   1  mine" && ! prints Redis'
r add 'a: client.tls -> none'
ok "no Redis: add" eval 'code 1 && says "names no Redis"'
conf "rules = {'mine: client.tls -> none'}"
kill "$redis_pid" && wait "$redis_pid" 2>/dev/null
r show
ok "Redis is away: show what there is" eval 'code 1 && prints "^   1  mine" && says "is it running"'
r add 'a: client.tls -> none'
ok "Redis is away: add" eval 'code 1 && says "is it running"'
finish
