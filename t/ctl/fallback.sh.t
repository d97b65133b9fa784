#!/bin/sh
# fallback.sh.t - posternctl fallback against a real Redis. POSTERNCTL and POSTERN_REDIS_SERVER name the binaries.
. "$(dirname "$0")/lib.sh"
start_redis
sed 's/^redis {/redis { prefix = "a[b]*:"/' "$dir/conf" >"$dir/conf.new" && mv "$dir/conf.new" "$dir/conf"

f() { run -c "$dir/conf" fallback "$@"; }
code() { [ "$rc" -eq "$1" ]; }
is() { [ "$1" = "$2" ] || { echo "# is: $1" && false; }; }
state() { redis HGET "a[b]*:fallback:$1" "$2"; }

for words in 'report example.com mx.example.com' 'report example.com mx.example.com frob' 'report .example.com mx.example.com tls' 'report no..name mx.example.com tls' \
    'report example.com no..name tls' 'report example.com mx.example.com tls --at soon' 'report example.com mx.example.com tls --at 2999-01-01T00:00:00Z' \
    'show .example.com' 'show --at 2026-01-01T00:00:00Z' 'clear a@example.com'; do
    f $words
    ok "refused: $words" eval 'code 2 && silent out && ! silent err'
done
f show
ok "nothing is known" eval 'code 0 && prints "no TLS outcome is known"'
f report Example.com:25 MX.example.com. handshake --at 2026-11-01T00:00:00Z
ok "report" eval 'code 0 && prints "^example.com, mx.example.com: handshake noted$"'
ok "report: in Redis" is "$(state example.com mx.example.com)" '{"v":1,"handshake":1793491200}'
ok "report: it ends" [ "$(redis TTL 'a[b]*:fallback:example.com')" -gt 2591000 ]
f report example.com mx.example.com plain --at 2026-11-02
ok "a second event adds to it" is "$(state example.com mx.example.com)" '{"v":1,"handshake":1793491200,"plain":1793577600}'
f report '[MX.example.net]:25' mx.example.net later
ok "a next hop in brackets" eval 'code 0 && state "[mx.example.net]" mx.example.net | grep -q later'
f report 192.0.2.1 192.0.2.1 handshake
ok "an address" eval 'code 0 && state "[192.0.2.1]" 192.0.2.1 | grep -q handshake'
redis HSET 'a[b]*:fallback:garbage.example' mx.example '{' >/dev/null
redis SET 'a[b]*:fallback:wrong.example' x >/dev/null
redis SET 'abx:fallback:other.example' x >/dev/null
redis EVAL "return redis.call('HSET', KEYS[1] .. string.rep('x', 2000000), 'a', '{}')" 1 'a[b]*:fallback:' >/dev/null
f show
ok "show" eval 'code 0 && prints "^example.com  *mx.example.com  *2026-11-01T00:00:00Z (.* ago)  *-  *-  *2026-11-02T00:00:00Z" && prints "^\[192.0.2.1\] " && prints "^garbage.example  *mx.example  *unreadable" && prints "^wrong.example  *unreadable: no hash"'
ok "only these" is "$(wc -l <"$dir/out")" 6
json_exits 0 "show --json" '@{$j->{fallback}} == 5 && $j->{fallback}[2]{host} eq "mx.example.com" && $j->{fallback}[2]{handshake} == 1793491200' -c "$dir/conf" fallback show
f show example.com:587
ok "show one" is "$(wc -l <"$dir/out")" 2
f show wrong.example
ok "WRONGTYPE: show" eval 'code 1 && says "WRONGTYPE .*:fallback:wrong.example holds a string.*posternctl fallback clear wrong.example"'
f report wrong.example mx.example handshake
ok "WRONGTYPE: report" eval 'code 1 && says "WRONGTYPE.*posternctl fallback clear wrong.example"'
f clear wrong.example
ok "clear takes it away" eval 'code 0 && prints "^wrong.example: forgotten$"'
f clear wrong.example
ok "clear what is not there" eval 'code 0 && prints "^wrong.example: nothing was known$"'
f report garbage.example mx.example handshake --at 2026-11-01
ok "garbage is replaced" is "$(state garbage.example mx.example)" '{"v":1,"handshake":1793491200}'
f report example.com mx.example.com tls --at 2026-11-03
ok "TLS went well" is "$(state example.com mx.example.com)" '{"v":1,"handshake":1793491200,"tls":1793664000,"plain":1793577600}'
for i in 1 2 3 4 5 6 7 8; do
    for event in handshake later plain; do
        "$ctl" -c "$dir/conf" fallback report busy.example "mx$i.example" $event --at 2026-11-0$i >/dev/null 2>>"$dir/errors" &
        pids="$pids $!"
    done
done
for pid in $pids; do wait "$pid"; done
ok "events at once: none is lost" eval '[ ! -s "$dir/errors" ] && is "$(redis HVALS a\[b\]\*:fallback:busy.example | grep -c "handshake.*later.*plain")" 8'
f clear
ok "clear all" eval 'code 0 && prints "^next hops forgotten: [1-9]" && is "$(redis KEYS "a\\[b\\]\\*:fallback:[a-w]*")" ""'
ok "and nothing else" is "$(redis GET 'abx:fallback:other.example')" x
sed 's/prefix = "[^"]*"//' "$dir/conf" >"$dir/conf.new" && mv "$dir/conf.new" "$dir/conf"
set -f
redis_user posternctl
redis_user postern-tlsrptd
run -c "$dir/conf.postern-tlsrptd" fallback report example.com mx.example.com handshake
ok "as the user of tlsrptd: report" eval 'code 0 && silent err'
for i in $(seq 128); do redis HSET postern:fallback:example.com "m$i" '{"v":1}' >/dev/null; done
run -c "$dir/conf.postern-tlsrptd" fallback report example.com mx2.example.com handshake
ok "as the user of tlsrptd: report once more" eval 'code 0 && silent err && is "$(redis HLEN postern:fallback:example.com)" 1'
for words in 'report example.com mx.example.com tls' 'show' 'show example.com' 'clear example.com' 'clear'; do
    run -c "$dir/conf.posternctl" fallback $words
    ok "as the user of posternctl: $words" eval 'code 0 && silent err'
done
set +f
kill "$redis_pid"
wait "$redis_pid" 2>/dev/null
f report example.com mx.example.com tls
ok "Redis away" eval 'code 1 && says "Redis at unix:$dir/redis.sock: .*is it running"'
finish
