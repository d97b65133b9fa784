#!/bin/sh
# daemon.sh.t - posternctl's commands that ask daemons, against fake ones. POSTERNCTL names the binary.
. "$(dirname "$0")/lib.sh"

printf 'stsd {\n  listen = "unix:%s/stsd.sock"\n}\npolicyd {\n  control = "unix:%s/policyd.sock"\n}\n' "$dir" "$dir" >"$dir/conf"
ask() { run -c "$dir/conf" "$@"; }
asked() { [ "$(cat "$dir/$1/asked")" = "$2" ]; }
code() { [ "$rc" -eq "$1" ]; }
same_json() { sed 's/^OK //' "$1" | cmp -s - "$dir/out"; }

# nobody there
ask resolve example.com
ok "stsd away" code 1
ok "stsd away: what, where, what to do" says "postern-stsd at unix:$dir/stsd.sock: .*is it running"
ok "stsd away: nothing on standard output" silent out
ask explain example.com --json
ok "policyd away" code 1
ok "policyd away: nothing on standard output" silent out
ask status
ok "status, both down" code 1
ok "status, both down: told" prints '^postern-policyd  down$'
ask status --json
ok "status, both down, JSON" json 'exists $j->{policyd} && !defined $j->{policyd} && exists $j->{stsd} && !defined $j->{stsd}'
ok "status, both down, JSON: exit code" code 1
run -c "$dir/nonesuch" status
ok "no configuration" code 2
ok "no configuration: told" says 'nonesuch.*-c FILE'

start_daemon stsd
start_daemon policyd

# resolve
ask resolve 'no..name'
ok "resolve: no domain name" code 2
ok "resolve: no domain name, not asked" [ ! -e "$dir/stsd/asked" ]
cat >"$dir/stsd/resolve" <<'END'
OK {"v":1,"domain":"example.com","resolved":1763747820,"valid_until":1763748840,"mx":{"state":"list","secure":false,"truncated":false,"dane_before":false,"why":"","hosts":[{"name":"mx1.example.com","preference":10,"address_secure":false,"dane":"none","tlsa_base":"","tlsa":[],"addresses":["192.0.2.1"]}]},"sts":{"record":"none","id":"","policy":null,"failure":"","why":"","attempted":0,"temp_since":0},"tlsrpt":""}
END
ask resolve --json Example.COM.
ok "resolve --json" code 0
ok "resolve --json: the record as it came" same_json "$dir/stsd/resolve"
ok "resolve: asked in the one form" asked stsd 'resolve|example.com'
ask resolve example.com
ok "resolve, for people" code 0
ok "resolve, for people: host" prints '^10    mx1.example.com  192.0.2.1  no      none$'
rm "$dir/stsd/asked"
cp "$dir/stsd/resolve" "$dir/stsd/refresh"
ask resolve --fresh example.com
ok "resolve --fresh" code 0
ok "resolve --fresh: verb" asked stsd 'refresh|example.com'
echo 'TEMP too many look-ups' >"$dir/stsd/resolve"
ask resolve example.com
ok "resolve: TEMP" code 1
ok "resolve: TEMP is told" says 'example.com: too many look-ups; try again later'
printf 'PERM bad \033[2Jname\n' >"$dir/stsd/resolve"
ask resolve example.com
ok "resolve: PERM" code 1
ok "resolve: PERM is told, escaped" says 'bad \\x1b\[2Jname$'
echo 'OK {"v":1,"domain":7}' >"$dir/stsd/resolve"
ask resolve example.com
ok "resolve: no record" code 1
ok "resolve: no record is told" says 'no destination record'
for answer in 'OK ' 'OK {' 'OK []' 'OK 7'; do
    echo "$answer" >"$dir/stsd/resolve"
    ask resolve --json example.com
    ok "resolve: answer '$answer'" eval 'code 1 && silent out && says "cannot be read"'
done
rm "$dir/stsd/resolve"
ask resolve example.com
ok "closed without an answer" eval 'code 1 && says "postern-stsd at unix:"'
echo 'frob' >"$dir/stsd/raw"
ask resolve example.com
ok "an answer that is no call protocol" eval 'code 1 && says "postern-stsd at unix:"'
rm "$dir/stsd/raw"

# explain
cat >"$dir/policyd/explain" <<'END'
OK {"nexthop":"[mx.Example.com]:25","domain":"mx.example.com","kind":"host","answer":"NOTFOUND ","answer_tlsrpt":"NOTFOUND ","temp":false,"level":"default","reasons":["no MX look-up, so no MTA-STS"],"source":"none","valid_until":4102444800,"record":null}
END
ask explain --json '[mx.Example.com]:25'
ok "explain --json" eval 'code 0 && same_json "$dir/policyd/explain"'
ok "explain: next hop as given" asked policyd 'explain|[mx.Example.com]:25'
ask explain '[mx.Example.com]:25'
ok "explain, for people" eval 'code 0 && prints "^  1. no MX look-up, so no MTA-STS$"'
ok "explain, for people: until when" prints '^The answer holds until 2100-01-01T00:00:00Z (in [0-9]* d)\.$'
ok "no colour when it is no terminal" sh -c '! grep -q "$(printf "\033")" "$1"' sh "$dir/out"
ask explain "$(head -c 50000 /dev/zero | tr '\0' a)"
ok "explain: too long to be sent" eval 'code 1 && says "too long"'
echo 'PERM no next hop' >"$dir/policyd/explain"
ask explain '..'
ok "explain: PERM" eval 'code 1 && says "no next hop"'

# cache
rm "$dir/policyd/asked"
echo 'OK {"workers":1}' >"$dir/policyd/status"
cat >"$dir/policyd/cache-show" <<'END'
OK {"entries":1,"limit":10,"domains":[{"domain":"example.com","answer":"OK dane-only","valid_until":4102444800,"hits":3}],"more":false}
END
ask cache show
ok "cache show" eval 'code 0 && prints "^example.com  3     2100-" && prints "^1 of at most 10 entries$"'
ask cache show --json
ok "cache show --json" eval 'code 0 && same_json "$dir/policyd/cache-show"'
echo 'OK {"domain":"example.com","answer":"OK dane","valid_until":4102444800,"hits":1}' >"$dir/policyd/cache-get"
ask cache get example.com
ok "cache get" eval 'code 0 && prints "^answer       OK dane$"'
echo 'PERM not cached' >"$dir/policyd/cache-get"
ask cache get example.com --json
ok "cache get, not cached" eval 'code 1 && silent out && says "^posternctl: example.com: not cached$"'
echo 'OK {"flushed":2}' >"$dir/policyd/cache-flush"
ask cache flush
ok "cache flush" eval 'code 0 && prints "^2 answers forgotten$"'
ask cache flush example.com --json
ok "cache flush of a domain" eval 'code 0 && json "\$j->{flushed} == 2"'
ok "cache: what was asked" [ "$(grep -v '^status|$' "$dir/policyd/asked")" = 'cache-show|
cache-show|
cache-get|example.com
cache-get|example.com
cache-flush|
cache-flush|example.com' ]

# cache, with two workers
echo 'OK {"workers":2}' >"$dir/policyd/status"
ask cache flush
ok "a worker that is away" eval 'code 1 && prints "^2 answers forgotten$" && says "policyd.sock.2.*is it running"'
start_daemon policyd2 "$dir/policyd.sock.2"
echo 'OK {"flushed":3}' >"$dir/policyd2/cache-flush"
ask cache flush
ok "cache flush: of all workers" eval 'code 0 && silent err && prints "^5 answers forgotten$"'
ask cache flush --json
ok "cache flush --json: of all workers" eval 'code 0 && json "\$j->{flushed} == 5"'
echo 'OK {"entries":1,"limit":10,"domains":[{"domain":"example.net","answer":"NOTFOUND ","valid_until":0,"hits":1}],"more":true}' >"$dir/policyd2/cache-show"
ask cache show
ok "cache show: of all workers" eval 'code 0 && prints "^example.com  1       3     2100-" && prints "^example.net  2       1     to be" && prints "^2 of at most 20 entries; not all are shown$"'
ask cache show --json
ok "cache show --json: of all workers" eval 'code 0 && json "\$j->{entries} == 2 && \$j->{more} && \$j->{domains}[0]{worker} == 1 && \$j->{domains}[1]{domain} eq q(example.net) && \$j->{domains}[1]{worker} == 2"'
echo 'OK {"domain":"example.com","answer":"OK dane","valid_until":4102444800,"hits":1}' >"$dir/policyd2/cache-get"
ask cache get example.com
ok "cache get: the second worker has it" eval 'code 0 && silent err && prints "^example.com  2       1     2100-" && ! prints "at most"'
ask cache get example.com --json
ok "cache get --json: who has it" eval 'code 0 && json "@{\$j->{domains}} == 1 && \$j->{domains}[0]{worker} == 2"'
echo 'PERM not cached' >"$dir/policyd2/cache-get"
ask cache get example.com --json
ok "cache get: no worker has it" eval 'code 1 && silent out && says "^posternctl: example.com: not cached$"'

# many workers with much to tell: one daemon stands for all of them
echo 'OK {"workers":20}' >"$dir/policyd/status"
for n in 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do ln -s policyd.sock "$dir/policyd.sock.$n"; done
perl -e 'print q(OK {"entries":1000,"limit":1000,"more":false,"domains":[),
    join(",", map { sprintf q({"domain":"d%d.test","answer":"OK %s","valid_until":0,"hits":1}), $_, "x" x 900 } 1 .. 1000), "]}\n"' >"$dir/policyd/cache-show"
ask cache show
ok "cache show: more than 16 MiB" eval 'code 0 && silent err && prints "^19001 of at most 19010 entries; not all are shown$"'

# the first worker is away: the others know as much
sed '/^policyd/a\  workers = 2' "$dir/conf" >"$dir/conf2"
sed 's/policyd.sock/policyd0.sock/' "$dir/conf2" >"$dir/conf3"
ln -s policyd.sock "$dir/policyd0.sock.2"
echo 'OK {"version":"0.1.0","workers":2}' >"$dir/policyd/status"
echo 'OK {"version":"0.1.0","workers":2}' >"$dir/stsd/status"
run -c "$dir/conf2" status
ok "status, two workers" eval 'code 0 && silent err && prints "workers  *2"'
run -c "$dir/conf3" status
ok "status: of the second worker" eval 'code 0 && prints "workers  *2" && says "policyd0.sock: No such file or directory; worker 2 answers in its place"'
echo 'OK {"nexthop":"a.test","domain":"a.test","kind":"domain","answer":"TEMP x","reasons":["no"],"source":"stsd","valid_until":0,"record":null}' >"$dir/policyd/explain"
run -c "$dir/conf3" explain a.test --json
ok "explain: by the second worker" eval 'code 0 && same_json "$dir/policyd/explain" && says "worker 2 answers"'
rm "$dir/policyd0.sock.2"
run -c "$dir/conf3" status --json
ok "status: no worker" eval 'code 1 && json "!defined \$j->{policyd}" && says "policyd0.sock: No such file.*is it running" && ! says "worker 2"'
run -c "$dir/conf3" explain a.test
ok "explain: no worker" eval 'code 1 && silent out && says "policyd0.sock: No such file.*is it running"'

# milter and relayd cannot be asked: do they listen?
{ cat "$dir/conf"; printf 'milter {\n  listen = "unix:%s/nobody.sock"\n}\nrelayd {\n  listen = {"unix:%s/stsd.sock", "unix:%s/other.sock"}\n}\n' "$dir" "$dir" "$dir"; } >"$dir/listening"
run -c "$dir/listening" status
ok "status: the milter is away" prints "^postern-milter  does not listen on unix:$dir/nobody.sock\$"
ok "status: relayd is there" prints "^postern-relayd  listens on unix:$dir/stsd.sock\$"
run -c "$dir/listening" status --json
ok "status, JSON: who listens" json '!$j->{milter}{listens} && $j->{relayd}{listens} && $j->{relayd}{address} =~ /stsd/'

# status
echo 'OK {"version":"0.1.0","pid":7,"uptime":7200,"redis":"up"}' >"$dir/policyd/status"
echo 'OK {"version":"0.1.0","pid":8,"uptime":5,"redis":"down"}' >"$dir/stsd/status"
ask status
ok "status" eval 'code 0 && silent err && prints "^  uptime         2 h$" && prints "^  uptime      5 s$"'
ask status --json
ok "status --json" eval 'code 0 && json "\$j->{policyd}{pid} == 7 && \$j->{stsd}{redis} eq q(down)"'
rm "$dir/stsd/status"
ask status --json
ok "status, stsd down" eval 'code 1 && says "postern-stsd at .*is it running" && json "\$j->{policyd}{pid} == 7 && !defined \$j->{stsd}"'

finish
