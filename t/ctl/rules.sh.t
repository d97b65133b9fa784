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

# --- test: which rules fit a message ---
cat >"$dir/mail" <<'M'
From: a@example.com
Subject: =?utf-8?q?Confidential=3A_=C3=BCber?=
TLS-Required: No
X-Postern: forged
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain
Content-Transfer-Encoding: base64

bnVtYmVyIDEyMzQtNTY3OAo=
--b
Content-Type: application/x-pkcs12; name=key.p12

AAAA
--b--
M
cat >"$dir/rules" <<'M'
# of a test
key: attachment.name matches "\.p12$" and attachment.type contains "pkcs12" -> tag "X-Key: yes"
trusted: client.address is "192.0.2.0/24" and client.user is "anna" and client.tls -> none
from: sender is "boss@example.com" -> tls-optional
ours: recipient in-list local -> tag "X-Ours: 1"
secret: subject contains "confidential" and size > 300 -> requiretls
cards: body matches "\d{4}-\d{4}" -> reject "no cards"
M
printf 'cards: body matches "\\d{4}-\\d{4}" -> reject "no cards"\n' >"$dir/cards"
t() { run -c "$dir/conf" rules test "$dir/mail" "$@"; }
flush
conf 'record_header = "X-Postern"'
run -c "$dir/conf" list add local ours.example
t
ok "test: no rules" eval 'code 0 && prints "^verdict: none$" && prints "^note: no --rcpt was given"'
t --rcpt r@far.example
ok "test: TLS-Required" eval 'code 0 && prints "^verdict: tls-optional, by header$" && prints "^  TLS-Required: no$" && prints "^  <r@far.example> -> <r+tlsoptional@far.example>: delivery rather than TLS$"'
t --rcpt r+RequireTLS@far.example --rcpt '<s@far.example>' --rcpt x+requiretls@ours.example
ok "test: a tag" eval 'code 0 && prints "^verdict: requiretls, by tag$" && prints "no, but REQUIRETLS wins" && prints "<s@far.example> -> <s+requiretls@far.example>: only over" && prints "<x+requiretls@ours.example> -> <x@ours.example>: one of ours"'
r load "$dir/rules"
t --sender a@example.com --rcpt r@far.example
ok "test: which rules fit, and why" eval 'code 0 && prints "^key: fits -> tag$" && prints "^  attachment.name matches .*: yes, \"\.p12\" in \"key.p12\"$" && prints "^trusted: does not fit$" && prints "^secret: fits -> requiretls$" && prints "yes, \"Confidential\" in \"Confidential: über\"" && ! prints "^cards"'
ok "test: the verdict" eval 'prints "^verdict: requiretls, rule secret$" && prints "^  adds X-Key: yes (rule key)$" && prints "^  adds X-Postern: requiretls; by=rule; rule=secret; recipients=1$" && prints "only the milter writes: 1$" && ! prints "^note"'
t --rcpt r@ours.example
ok "test: a list in Redis" eval 'code 0 && prints "^ours: fits -> tag$" && prints "^  <r@ours.example>: one of ours$" && prints "^note: no --sender"'
t --sender '<boss@example.com>' --rcpt r@far.example
ok "test: the sender" prints "^verdict: tls-optional, rule from$"
t --client 192.0.2.7 --user anna --tls --rcpt r@far.example
ok "test: the client" prints "^trusted: fits -> none$"
t --client 192.0.2.7 --user anna --rcpt r@far.example
ok "test: the client without TLS" prints "^trusted: does not fit$"
t --client nonsense
ok "test: no address" eval 'code 2 && says "\-\-client nonsense: no address"'
t --rules "$dir/cards" --rcpt r@far.example
ok "test: rules of a file in place of those in Redis" eval 'code 0 && prints "^cards: fits -> reject$" && prints "^verdict: reject, rule cards$" && prints "^  refused: 550 5.7.1 no cards$" && ! prints "^secret" && ! prints far.example'
"$ctl" -c "$dir/conf" rules test "$dir/mail" --rules - <"$dir/cards" >"$dir/out" 2>"$dir/err"
ok "test: rules of standard input" prints "^cards: fits"
"$ctl" -c "$dir/conf" rules test - --rcpt r@far.example <"$dir/mail" >"$dir/out" 2>"$dir/err"
ok "test: a message of standard input" prints "^secret: fits"
{ echo 'From a@example.com Thu Jan  1 00:00:00 2026' && sed 's/$/\r/' "$dir/mail"; } >"$dir/mbox"
run -c "$dir/conf" rules test "$dir/mbox" --rcpt r@far.example
ok "test: a line From, and CR LF" eval 'prints "^key: fits" && prints "^secret: fits"'
printf 's: subject contains "секрет" -> tag "X-S: 1"\nb: body contains "機密" -> requiretls\n' >"$dir/words"
charset() { printf 'Subject: %s\nContent-Type: text/plain; charset=%s\n\n\276\367\261K\n' "$1" "$2" >"$dir/foreign"; }
charset '=?koi8-r?q?=D3=C5=CB=D2=C5=D4?=' big5
run -c "$dir/conf" rules test "$dir/foreign" --rules "$dir/words" --rcpt r@far.example
ok "test: charsets" eval 'code 0 && prints "^s: fits" && prints "yes, \"секрет\" in" && prints "^b: fits -> requiretls$"'
charset '=?x-none?q?a?=' x-none
run -c "$dir/conf" rules test "$dir/foreign" --rules "$dir/words" --rcpt r@far.example
ok "test: charsets that are not known" eval 'prints "^s: does not fit" && prints "unknown, an encoded word of" && prints "^b: fits" && prints "unknown, the charset x-none is not known$"'
printf 'x: size > nonsense -> none\n' >"$dir/wrong"
t --rules "$dir/wrong"
ok "test: wrong rules" eval 'code 1 && says "^posternctl: $dir/wrong:1: column 11: "'
run -c "$dir/conf" rules test - --rules -
ok "test: standard input for both" eval 'code 2 && says "one of them"'
run -c "$dir/conf" rules test "$dir/nonesuch"
ok "test: no message" eval 'code 2 && says "cannot read $dir/nonesuch"'
json_exits 0 "test --json" '$j->{verdict} eq "requiretls" && $j->{rule} eq "secret" && $j->{tls_required} eq "no" && $j->{recipients}[0]{becomes} eq "<r+requiretls\@far.example>" && $j->{rules}[0]{conditions}[0]{match} eq ".p12" && !@{$j->{notes}}' \
    -c "$dir/conf" rules test "$dir/mail" --sender '' --rcpt r@far.example
json_exits 0 "test --json, refused" '$j->{verdict} eq "reject" && $j->{reply} eq "550 5.7.1 no cards" && !@{$j->{recipients}}' \
    -c "$dir/conf" rules test "$dir/mail" --rules "$dir/cards" --rcpt r@far.example
run -c "$dir/conf" list add inbound-require 192.0.2.0/24
t --client 192.0.2.7 --rcpt r@far.example
ok "test: a client that must use STARTTLS" eval 'code 0 && prints "^verdict: reject$" && prints "refused: 530 5.7.0 Must issue a STARTTLS command first$" && ! prints "^secret"'
conf 'tls_required = "submitters"'
t --client 198.51.100.1 --rcpt r@far.example --rules /dev/null
ok "test: a sender who may not say TLS-Required" eval 'prints "^verdict: none$" && prints "TLS-Required: no, not heeded and taken out"'
t --client 198.51.100.1 --user anna --rcpt r@far.example --rules /dev/null
ok "test: one who may" prints "^verdict: tls-optional, by header$"
t --rcpt 'a b@far.example' --rcpt '"a b"@far.example' --rcpt 'far.example!r@ours.example' --rules /dev/null
ok "test: strange addresses" eval 'code 0'
printf 'f: client.tls or not client.tls -> requiretls\n' >"$dir/flag"
t --rcpt 'no address' --rules "$dir/flag"
ok "test: one that cannot be flagged" eval 'code 0 && prints "^verdict: reject, rule f$" && prints "refused: 550 5.7.30 "'
conf

# --- as posternctl's own user ---
redis_user posternctl
run -c "$dir/conf.posternctl" rules add 'own: size > 1 -> none'
ok "as its user of Redis" eval 'code 0 && prints "^added: own, rule 7 of 7$"'
run -c "$dir/conf.posternctl" rules show
ok "and show" code 0

# --- without Redis ---
printf 'redis { url = "" }\nmilter { rules = {"mine: client.tls -> none"} }\n' >"$dir/conf"
r show
ok "no Redis: show" eval 'code 0 && prints "^   1  mine" && ! prints Redis'
r add 'a: client.tls -> none'
ok "no Redis: add" eval 'code 1 && says "names no Redis"'
t --sender a@example.com --rcpt r@ours.example --rules "$dir/rules"
ok "no Redis: test knows that there are no lists" eval 'code 0 && prints "^  recipient in-list local: no$" && ! prints "^note"'
conf "rules = {'mine: client.tls -> none'}"
kill "$redis_pid" && wait "$redis_pid" 2>/dev/null
r show
ok "Redis is away: show what there is" eval 'code 1 && prints "^   1  mine" && says "is it running"'
r add 'a: client.tls -> none'
ok "Redis is away: add" eval 'code 1 && says "is it running"'
t --rules "$dir/rules" --sender a@example.com --rcpt r@ours.example
ok "Redis is away: test says what it could not ask" eval 'code 0 && prints "^ours: does not fit (could not be evaluated" && prints "^verdict: requiretls, rule secret$" && prints "^note: Redis could not be asked for lists$" && prints "^note: lists could not be asked"'
t --sender a@example.com --rcpt r@ours.example
ok "Redis is away: test goes by the configuration" eval 'code 0 && prints "^mine: does not fit" && prints "^note: Redis could not be asked: its rules are not here$"'
finish
