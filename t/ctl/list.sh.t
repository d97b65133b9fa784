#!/bin/sh
# list.sh.t - posternctl list against a real Redis. POSTERNCTL and POSTERN_REDIS_SERVER name the binaries.
. "$(dirname "$0")/lib.sh"
start_redis
unset SUDO_USER
LOGNAME=berta
export LOGNAME
sed 's/lists_file = .*/lists_file = "" }/' "$dir/conf" >"$dir/conf.new" && mv "$dir/conf.new" "$dir/conf"

l() { run -c "$dir/conf" list "$@"; }
code() { [ "$rc" -eq "$1" ]; }
entry() { redis HGET "postern:list:$1" "$2"; }
edits() { redis HGET postern:list: n; }
is() { [ "$1" = "$2" ] || { echo "# is: $1" && false; }; }
flush() { redis FLUSHALL >/dev/null; }

# --- words and options ---
l show nonesuch
ok "no such list" eval 'code 2 && says "there are exclude, only, require"'
l add require
ok "no pattern" eval 'code 2 && says "^usage: posternctl list add \[--comment TEXT\] \[--expires TIME|DURATION\] \[--override\] \[--by NAME\] LIST PATTERN"'
l show --override
ok "an option of another command" eval 'code 2 && says "list show: takes no option --override$"'
l export require --dry-run
ok "another" eval 'code 2 && says "list export: takes no option --dry-run$"'
l add require a.example secure --comment
ok "an option without its value" eval 'code 2 && says "needs a value"'
l import require nonesuch.file
ok "a file that is not there" eval 'code 2 && says "cannot read nonesuch.file: No such file"'
l import local - --postfix
ok "Postfix has nothing for that list" eval 'code 2 && says "none for local"'
ok "nothing was written" is "$(redis KEYS '*')" ""

# --- add, show, del ---
l add require Example.COM. secure --comment 'their bank' --by anna
ok "add" eval 'code 0 && prints "^added to require: example.com secure by=anna created=.* # their bank$"'
ok "add: in Redis" eval 'entry require example.com | grep -q "^{\"v\":1,\"value\":\"secure\",\"by\":\"anna\",\"comment\":\"their bank\",\"created\":[0-9]*}$"'
ok "add: an edit" is "$(edits)" 1
generation=$(redis HGET postern:list: g)
ok "add: a generation" eval 'echo "$generation" | grep -qE "^[0-9a-f]{16}$"'
l add require example.com verify --expires 30d
ok "add once more" eval 'code 0 && prints "^replaced in require: example.com verify by=berta created=.* expires=" && prints "^  was: example.com secure by=anna"'
ok "still the generation" is "$(redis HGET postern:list: g)" "$generation"
ok "and one edit more" is "$(edits)" 2
SUDO_USER=carl l add exclude .x.example --override
ok "SUDO_USER" eval 'code 0 && prints "^added to exclude: .x.example override by=carl"'
l add protocols a.example '>=TLSv1.2' ciphers=high
ok "a value of two words" eval 'code 0 && prints "a.example >=TLSv1.2 ciphers=high by="'
l add fallback a.example plain-for 1h
ok "a mode with a time" eval 'code 0 && prints "a.example plain-for 1h by="'
l add exclude bücher.example
ok "IDN" eval 'code 0 && prints "xn--bcher-kva.example by="'
l add inbound-exclude 2001:DB8::/32
ok "a network" eval 'code 0 && prints "to inbound-exclude: 2001:db8::/32 by="'
before=$(edits)
for words in 'require a.example' 'require a.example may' 'exclude 192.0.2.1/24' 'exclude *.example.com' 'exclude a@example.com' 'exclude a.example secure' \
    'protocols a.example TLSv9' 'only a.example --override' 'exclude a.example --expires 2020-01-01' 'exclude a.example --expires 30' 'exclude a.example --by two#words' 'fallback a.example never' \
    'inbound-exclude [a.example]' 'exclude no..name'; do
    l add $words
    ok "refused: add $words" eval 'code 2 && says "list add " && silent out'
done
l add exclude 192.0.2.1/24
ok "what to write instead" says 'write 192.0.2.0/24, or 192.0.2.1 for that address alone'
ok "nothing of that was written" is "$(edits)" "$before"
l show require
ok "show" eval 'code 0 && prints "^PATTERN  *VALUE  *BY  *CREATED  *EXPIRES" && prints "^example.com  verify  berta  .* (in 29 d)\|^example.com  verify  berta  .* (in 30 d)"'
json_exits 0 "show --json" '$j->{list} eq "require" && @{$j->{entries}} == 1 && $j->{entries}[0]{pattern} eq "example.com" && $j->{entries}[0]{live}' \
    -c "$dir/conf" list show require
l show
ok "show all" eval 'code 0 && prints "^exclude  *2 " && prints "^only  *0 "'
json_exits 0 "show all --json" '@{$j->{lists}} == 11 && $j->{lists}[0]{entries} == 2' -c "$dir/conf" list show
before=$(edits)
l del require EXAMPLE.com
ok "del" eval 'code 0 && prints "^taken out of require: example.com verify by=berta"'
ok "del: gone" is "$(entry require example.com)" ""
ok "del: an edit" is "$(edits)" $((before + 1))
l del require example.com
ok "del what is not there" eval 'code 1 && says "has no entry example.com$"'
l del require 192.0.2.1/24
ok "del what cannot be there" eval 'code 1 && says "has no entry 192.0.2.1/24: the address has bits"'
ok "no edit" is "$(edits)" $((before + 1))
l clear exclude
ok "clear" eval 'code 0 && prints "^exclude: 2 removed$"'
l clear exclude
ok "clear what is empty" eval 'code 0 && prints "^exclude: 0 removed$"'
ok "clear: one edit" is "$(edits)" $((before + 2))

# --- put in by hand ---
flush
redis HSET postern:list:exclude 'foo bar' '{' UP.example '{"v":1}' z.example '{"v":1,"expires":5}' a.example '{"v":1}' esc.example "$(printf '\033[2J')" >/dev/null
l show exclude
ok "garbage is marked" eval 'code 0 && prints "^foo bar  *unreadable: " && prints "^UP.example  *unreadable: the pattern must be written up.example$"'
ok "what has ended is marked" prints '^z.example .*: ended$'
ok "nothing acts on a terminal" eval '! grep -q "$(printf "\033")" "$dir/out"'
json_exits 0 "garbage in JSON" 'grep({ $_->{unreadable} } @{$j->{entries}}) == 3 && grep({ $_->{pattern} eq "z.example" && !$_->{live} } @{$j->{entries}}) == 1' \
    -c "$dir/conf" list show exclude
l export exclude
ok "garbage is not exported" eval 'code 1 && says "entries that cannot be read and are left out: 3;" && is "$(cat "$dir/out")" "a.example
z.example expires=1970-01-01T00:00:05Z"'
l add exclude foo.example
ok "garbage hinders no edit" code 0
l del exclude 'foo bar'
ok "garbage can be taken out" eval 'code 0 && prints "foo bar (unreadable"'
l del exclude UP.example
ok "so can a pattern in another form" code 0
redis EVAL "return redis.call('HSET', KEYS[1], 'big.example', string.rep('x', 4000000), string.rep('y', 3000000), 'x')" 1 postern:list:exclude >/dev/null
l show exclude
ok "huge garbage" eval 'code 0 && prints "^big.example  *unreadable: longer than" && prints "^yyyyyyyy.*unreadable: " && prints "^a.example"'
l add exclude big.example
ok "huge garbage is replaced" eval 'code 0 && prints "was: big.example (unreadable: longer"'
redis SET postern:list:only x >/dev/null
for words in 'show only' 'export only' 'add only a.example' 'del only a.example' 'import only -'; do
    "$ctl" -c "$dir/conf" list $words >"$dir/out" 2>"$dir/err" <<E
a.example
E
    rc=$?
    ok "WRONGTYPE: $words" eval 'code 1 && says "WRONGTYPE postern:list:only holds a string.*posternctl list clear only"'
done
l show
ok "WRONGTYPE: show all" eval 'code 0 && prints "^only  *no list "'
ok "WRONGTYPE: nothing changed" is "$(redis GET postern:list:only)" x
ok "WRONGTYPE: nothing is left" is "$(redis KEYS 'postern:import*')" ""
l clear only
ok "WRONGTYPE: clear takes it away" eval 'code 0 && is "$(redis EXISTS postern:list:only)" 0'
redis SET postern:list: x >/dev/null
l add only a.example
ok "WRONGTYPE of the hash about all" eval 'code 1 && says "WRONGTYPE postern:list: holds a string.*restore --discard"'
ok "and nothing was written" is "$(redis EXISTS postern:list:only)" 0
l restore --discard
l add only a.example
ok "discard makes it anew" code 0
redis HSET postern:list: n xyz >/dev/null
l add only b.example
ok "a count that is none" eval 'code 1 && says "is broken.*restore --discard" && is "$(entry only b.example)" ""'
flush

# --- import and export ---
cat >"$dir/file" <<'E'
# our friends
Example.com secure by=anna created=2026-01-01T00:00:00Z expires=2099-01-01T00:00:00Z # "x" # y
.example.net encrypt
[mx.example.org] dane-only
192.0.2.0/24 verify
bücher.example verify

E
l import require "$dir/file" --dry-run
ok "dry run" eval 'code 0 && prints "^require: 5 added, 0 changed, 0 removed, 0 as they were$" && prints "^  + xn--bcher-kva.example verify by=berta" && prints "^nothing was written"'
ok "dry run: nothing is written" is "$(redis KEYS '*')" ""
l import require "$dir/file"
ok "import" eval 'code 0 && prints "^require: 5 added"'
ok "import: one edit" is "$(edits)" 1
ok "import: a list that does not end" is "$(redis TTL postern:list:require)" -1
ok "import: nothing else is left" is "$(redis KEYS '*' | sort | tr '\n' ' ')" "postern:list: postern:list:require "
l export require "$dir/export"
ok "export" eval 'code 0 && silent out'
ok "export: in order" eval 'LC_ALL=C sort -c "$dir/export"'
flush
l import require "$dir/export" --by nobody
l export require
ok "export and import: the same" cmp -s "$dir/export" "$dir/out"
l import require "$dir/file" --by dora --dry-run
ok "what says the same keeps who and when" prints '^require: 0 added, 0 changed, 0 removed, 5 as they were$'
printf 'example.com encrypt\nnew.example verify\n' >"$dir/file2"
l import require "$dir/file2" --dry-run
ok "what would change" eval 'prints "^require: 1 added, 1 changed, 0 removed, 4 as they were$" && prints "^  ~ example.com encrypt" && prints "^    was: example.com secure by=anna"'
l import require "$dir/file2" --replace --dry-run
ok "what would go" eval 'prints "^require: 1 added, 1 changed, 4 removed, 0 as they were$" && prints "^  - .example.net encrypt"'
l import require "$dir/file2"
ok "merged" is "$(redis HLEN postern:list:require)" 6
l import require "$dir/file2" --replace
ok "replaced" is "$(redis HLEN postern:list:require) $(redis TTL postern:list:require)" "2 -1"
"$ctl" -c "$dir/conf" list import require - <"$dir/file" >"$dir/out" 2>"$dir/err"
rc=$?
ok "from standard input" eval 'code 0 && prints "^require: 4 added, 1 changed"'
printf '# nothing\n' >"$dir/empty"
l import require "$dir/empty" --replace
ok "an empty file empties no list" eval 'code 1 && says "list clear require" && is "$(redis HLEN postern:list:require)" 6'
before=$(edits)
l import require "$dir/empty"
ok "an empty file adds nothing" eval 'code 0 && is "$(edits)" "$before"'
{
    echo 'ok.example secure'
    for i in $(seq 25); do echo "bad$i.example insecure"; done
    echo '10.1.2.3/8 secure'
} >"$dir/bad"
l import require "$dir/bad"
ok "bad lines are named" eval 'code 1 && says "^$dir/bad:2: bad1.example: \"insecure\" is no level: encrypt" && says "^$dir/bad:21: " && ! says "/bad:22: " && says "more lines that are wrong: 6$"'
ok "nothing of it is there" is "$(redis HLEN postern:list:require) $(edits)" "6 $before"
printf '# p\na.example encrypt protocols=>=TLSv1.2\nb.example secure\n   match=.b.example\nc.example none\nd.example may\n' >"$dir/policy"
l import exclude "$dir/policy" --postfix
ok "Postfix: exclude" eval 'code 0 && prints "^exclude: 1 added" && says "policy:3: b.example: match=.b.example is left out" && says "policy:6: d.example: level may has no list" && says "lines that have nothing for this list: 1;"'
l import protocols "$dir/policy" --postfix
ok "Postfix: protocols" eval 'code 0 && prints "^protocols: 1 added"'

# --- many ---
flush
perl -e 'print "d$_.example.com secure\n" for 1 .. 100000' >"$dir/many"
l import require "$dir/many"
ok "100,000 entries" eval 'code 0 && prints "^require: 100000 added" && is "$(redis HLEN postern:list:require)" 100000'
l export require "$dir/export"
perl -e 'print "d$_.example.com secure\n" for 50001 .. 150000' >"$dir/more"
l import require "$dir/more"
ok "100,000 more" eval 'code 0 && prints "^require: 50000 added, 0 changed, 0 removed, 100000 as they were$" && is "$(redis HLEN postern:list:require)" 150000'
l import require "$dir/export" --replace
ok "back again" eval 'code 0 && prints "^require: 0 added, 0 changed, 50000 removed"'
l export require
ok "as it was" cmp -s "$dir/export" "$dir/out"

# --- at once ---
flush
for i in $(seq 10); do
    for j in $(seq 20); do "$ctl" -c "$dir/conf" list add local "w$i-$j.example" >/dev/null 2>>"$dir/errors" || echo failed >>"$dir/errors"; done &
    writers="$writers $!"
done
for i in $(seq 5); do
    perl -e 'print "i$ARGV[0]-$_.example\n" for 1 .. 300' "$i" | "$ctl" -c "$dir/conf" list import local - >/dev/null 2>>"$dir/errors" || echo failed >>"$dir/errors"
done
for pid in $writers; do wait "$pid"; done
ok "edits at once: none fails" [ ! -s "$dir/errors" ]
ok "edits at once: none is lost" is "$(redis HLEN postern:list:local) $(edits)" "1700 205"
# Readers meanwhile see the list of the one file or of the other, never a mixture.
perl -e 'print "d$_.example secure\n" for 1 .. 20000' >"$dir/one"
perl -e 'print "d$_.example verify\n" for 1 .. 20000' >"$dir/two"
l import require "$dir/one"
for i in 1 2 3; do for f in two one; do "$ctl" -c "$dir/conf" list import require "$dir/$f" --replace >/dev/null 2>&1; done; done &
writer=$!
mixed=0
reads=0
while kill -0 $writer 2>/dev/null; do
    l export require
    [ "$rc" -eq 0 ] || continue
    reads=$((reads + 1))
    [ "$(wc -l <"$dir/out")/$(cut -d' ' -f2 "$dir/out" | sort -u | wc -l)" = 20000/1 ] || mixed=$((mixed + 1))
done
wait $writer
l export require
ok "no reader sees a half ($reads reads)" [ "$mixed" -eq 0 ]

# --- broken off ---
flush
l import require "$dir/file"
l export require "$dir/export"
edits=$(edits)
for delay in 0.05 0.1 0.15 0.2 0.3; do
    "$ctl" -c "$dir/conf" list import require "$dir/many" --replace >/dev/null 2>&1 &
    pid=$!
    sleep $delay
    kill -9 $pid 2>/dev/null
    wait $pid 2>/dev/null
    l export require
    cmp -s "$dir/export" "$dir/out" || break
done
ok "kill -9 of an import: the list is as it was, or all new" eval 'cmp -s "$dir/export" "$dir/out" || is "$(wc -l <"$dir/out")" 100000'
lasting=0
for key in $(redis KEYS 'postern:import:*'); do
    ttl=$(redis TTL "$key")     # -2: gone since, as Redis still does what a killed import had sent
    [ "$ttl" -eq -2 ] || { [ "$ttl" -gt 0 ] && [ "$ttl" -le 600 ]; } || lasting=$((lasting + 1))
done
ok "what was put aside ends" [ "$lasting" -eq 0 ]

# --- Redis refuses, or is away ---
redis ACL SETUSER reader on '>secret' '~postern:*' +ping +eval_ro +hget +hscan +type +hlen +hmget >/dev/null
sed 's/^redis {/redis { username = "reader" password = "secret"/' "$dir/conf" >"$dir/conf.reader"
run -c "$dir/conf.reader" list show require
ok "a user who may read" code 0
run -c "$dir/conf.reader" list add require a.example secure
ok "a user who may not write" eval 'code 1 && says "Redis at unix:$dir/redis.sock: .*\(permission\|run this command\)"'
sed 's/^redis {/redis { username = "reader" password = "wrong"/' "$dir/conf" >"$dir/conf.wrong"
run -c "$dir/conf.wrong" list show require
ok "a wrong password" eval 'code 1 && says "Redis at unix:$dir/redis.sock: reply to AUTH: WRONGPASS"'
flush
set -f
redis_user posternctl
cat >"$dir/words" <<E
add require a.example secure
import require $dir/file
import require $dir/file2 --dry-run
import require $dir/file2
import require $dir/file2 --replace
show
show require
export require
del require example.com
clear require
restore --discard
E
while read -r words; do
    run -c "$dir/conf.posternctl" list $words
    ok "as the user of users.conf: $words" eval 'code 0 && silent err'
done <"$dir/words"
set +f
kill "$redis_pid"
wait "$redis_pid" 2>/dev/null
for words in 'show require' 'show' 'add require a.example secure' 'del require a.example' 'clear require' 'restore' 'export require'; do
    l $words
    ok "Redis away: $words" eval 'code 1 && says "^posternctl: Redis at unix:$dir/redis.sock: .*is it running" && is "$(wc -l <"$dir/err")" 1 && silent out'
done
echo 'redis { url = "" }' >"$dir/conf"
l show
ok "no Redis" eval 'code 1 && says "names no Redis"'
finish
