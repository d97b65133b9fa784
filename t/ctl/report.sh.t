#!/bin/sh
# report.sh.t - posternctl report against a real Redis. POSTERNCTL and POSTERN_REDIS_SERVER name the binaries.
. "$(dirname "$0")/lib.sh"
here=$(dirname "$0")
start_redis

r() { run -c "$dir/conf" report "$@"; }
code() { [ "$rc" -eq "$1" ]; }
is() { [ "$1" = "$2" ] || { echo "# is: $1" && false; }; }
conf() { # conf LINES: the configuration, and what tlsrptd has there
    printf 'redis { url = "unix:%s/redis.sock" }\ntlsrptd {\nlisten = "unix:%s/tlsrptd.sock"\n%s\n}\n%s\n' "$dir" "$dir" "$1" "${2:-}" >"$dir/conf"
}

# --- what is counted (counts.h) ---
day=2020-01-21
record='v=TLSRPTv1; rua=mailto:tls@good.example,https://good.example/tls'
policy='{"record":"'"$record"'","policy-type":"sts","policy-domain":"good.example","policy-string":["version: STSv1","mode: enforce"],"mx-host":["*.good.example"]}'
dane='{"record":"'"$record"'","policy-type":"tlsa","policy-domain":"mx.good.example","policy-string":["3 1 1 00"]}'
none='{"record":"v=TLSRPTv1; rua=ftp://x","policy-type":"no-policy-found","policy-domain":"none.example"}'
id() { printf %s "$1" | sha256sum | cut -c1-32; }
count() { # count DAY DOMAIN FIELD VALUE
    redis SADD "postern:tlsrpt-domains:$1" "$2" >/dev/null
    redis HSET "postern:tlsrpt:$1:$2" "$3" "$4" >/dev/null
}
conf ''
count $day good.example "policy $(id "$policy")" "$policy"
count $day good.example "successful $(id "$policy")" 40
count $day good.example "failed $(id "$policy")" 2
count $day good.example "failure $(id "$policy") {\"result-type\":\"certificate-expired\",\"receiving-mx-hostname\":\"mx.good.example\",\"receiving-mx-helo\":\"\\u001b[2Jevil\\u202e\"}" 2
count $day good.example "policy $(id "$dane")" "$dane"
count $day good.example "successful $(id "$dane")" 7
count $day none.example "policy $(id "$none")" "$none"
count $day none.example "successful $(id "$none")" 1
sum=$(id "$record")
redis HSET "postern:tlsrpt-sent:$day:good.example" "mailto:tls@good.example $sum" '{"v":1,"state":"sent","node":"n","id":"1","first":1795305600,"at":1795305700,"tries":1}' >/dev/null
redis HSET "postern:tlsrpt-sent:$day:good.example" "https://good.example/tls $sum" '{"v":1,"state":"failed","node":"n","id":"1","first":1795305600,"at":1795305700,"next":1795306000,"tries":2,"why":"503 from it"}' >/dev/null

# --- usage ---
for words in 'frob' 'key' 'key frob' 'read' 'read a b' 'list x' 'list --day 2026-2-1' 'list --day 2026-02-30' 'list --domain good.example' 'show --domain no..name' 'build' "build --day $day" \
    'build --json --domain good.example' 'send --mail' 'send --day today' 'key new' 'key new --type dsa x' 'key check x'; do
    r $words
    ok "refused: $words" eval 'code 2 && silent out && ! silent err'
done

# --- list and show ---
r list --day $day
ok "list" eval 'code 0 && prints "^good.example  *2  *47  *2  *sent 1, failed 1$" && prints "^none.example  *1  *1  *0  *no destination$"'
json_exits 0 "list --json" '$j->{day} eq "'$day'" && @{$j->{domains}} == 2 && $j->{domains}[0]{successful} == 47 && $j->{domains}[0]{failed} == 2 && $j->{domains}[0]{policies} == 2
    && $j->{domains}[0]{reports}[1]{state} eq "failed" && $j->{domains}[0]{reports}[1]{why} eq "503 from it" && $j->{domains}[0]{reports}[1]{tries} == 2 && !@{$j->{domains}[1]{reports}}' -c "$dir/conf" report list --day $day
r list --day 2020-01-20
ok "list: a day without" eval 'code 0 && prints "^2020-01-20: nothing was counted$"'
yesterday=$(date -u -d yesterday +%Y-%m-%d)
r list
ok "list: yesterday, if no day is named" eval 'code 0 && prints "^$yesterday: nothing" || [ "$(date -u -d yesterday +%Y-%m-%d)" != "$yesterday" ]'
conf 'clock_offset = "1d"'
today=$(date -u +%Y-%m-%d)
r list
ok "list: by the clock of tlsrptd" eval 'code 0 && prints "^$today: nothing" || [ "$(date -u +%Y-%m-%d)" != "$today" ]'
conf ''
r show --day $day
ok "show" eval 'code 0 && prints "^good.example$" && prints "^sts  *good.example$" && prints "^  policy  *version: STSv1$" && prints "^  successful  *40$" && prints "^tlsa  *mx.good.example$" && prints "^none.example$"'
ok "show: failures" prints '^  certificate-expired  *2  *mx.good.example  *\\x1b\[2Jevil\\xe2\\x80\\xae$'
ok "show: destinations" prints '^good.example  *https://good.example/tls  *failed  *503 from it$'
json_exits 0 "show --json" '@{$j->{domains}} == 1 && $j->{domains}[0]{policies}[0]{record} =~ /TLSRPT/ && (grep { $_->{"failure-details"}[0] } @{$j->{domains}[0]{policies}}) == 1' -c "$dir/conf" report show --day $day --domain Good.Example.
r show --day $day --domain nobody.example
ok "show: nothing" eval 'code 0 && prints "nothing was counted of nobody.example"'
count $day broken.example "policy x" '{'
redis SET "postern:tlsrpt:$day:wrong.example" x >/dev/null
r list --day $day
ok "list: what cannot be read" eval 'code 0 && prints "^broken.example  *0" && prints "fields in Redis cannot be read"'
redis DEL "postern:tlsrpt:$day:broken.example" >/dev/null
redis SREM "postern:tlsrpt-domains:$day" broken.example >/dev/null
r show --day $day --domain wrong.example
ok "WRONGTYPE" eval 'code 1 && says WRONGTYPE'

# --- build ---
r build --day $day --domain good.example
ok "build: no contact" eval 'code 1 && says "tlsrptd.contact is not set"'
conf 'contact = "tls@sender.example" organization = "Sender"'
r build --day $day --domain good.example
cp "$dir/out" "$dir/report.json"
ok "build" eval 'code 0 && silent err && json "\$j->{\"contact-info\"} eq q(tls@sender.example) && @{\$j->{policies}} == 2"'
r build --day $day --domain nobody.example
ok "build: nothing" eval 'code 1 && says "nothing was counted of nobody.example"'
r build --day $day --domain none.example --mail
ok "build --mail: no address" eval 'code 1 && says "none.example: no destination takes mail"'

# --- key ---
mkdir "$dir/txt"
perl "$here/txt_server.pl" "$dir/port" "$dir/txt" &
daemons="$daemons $!"
tries=0
until [ -s "$dir/port" ] || [ $tries -ge 200 ]; do tries=$((tries + 1)) && sleep 0.1; done
# the text of a zone line's strings
joined() { sed -n '1{s/^[^"]*"//;s/"[^"]*$//;s/" "//g;p}' "$1" | tr -d '\n'; }
keys='contact = "tls@sender.example"
rsa_key = "'"$dir/rsa.pem"'"
ed25519_key = "'"$dir/ed.pem"'"'
r key check
ok "key check: no key" eval 'code 1 && says "no rsa_key and no ed25519_key"'
conf "$keys" "stsd { resolvers = {\"127.0.0.1:$(cat "$dir/port")\"} }"
r key new "$dir/rsa.pem"
cp "$dir/out" "$dir/rsa.zone"
ok "key new" eval 'code 0 && silent err && prints "^tlsrpt._domainkey.sender.example. IN TXT ( \"v=DKIM1;.*s=tlsrpt" && is "$(stat -c %a "$dir/rsa.pem")" 600'
ok "E10: strings of 255 octets at most" perl -ne 'exit 1 if grep { length > 255 } /"([^"]*)"/g' "$dir/rsa.zone"
cp "$dir/rsa.pem" "$dir/rsa.old"
r key new "$dir/rsa.pem"
ok "key new: never overwrites" eval 'code 1 && silent out && says "rsa.pem" && cmp -s "$dir/rsa.pem" "$dir/rsa.old"'
r key new "$dir/none/rsa.pem"
ok "key new: no such folder" eval 'code 1 && silent out && says "No such file"'
r key new --type ed25519 "$dir/ed.pem"
cp "$dir/out" "$dir/ed.zone"
ok "key new --type ed25519" eval 'code 0 && prints "^tlsrpt-ed25519._domainkey.sender.example. IN TXT ( \"v=DKIM1; k=ed25519;.*s=tlsrpt" && prints "ed25519_key = \"$dir/ed.pem\""'
joined "$dir/rsa.zone" >"$dir/txt/tlsrpt._domainkey.sender.example.1"
r key check
ok "key check: one is not published" eval 'code 1 && prints "^rsa  *tlsrpt._domainkey.sender.example  *fits$" && prints "^ed25519 .*  missing  *there is no TXT record"'
joined "$dir/ed.zone" >"$dir/txt/tlsrpt-ed25519._domainkey.sender.example.1"
json_exits 0 "key check --json" '@{$j->{keys}} == 2 && !grep { $_->{state} ne "fits" } @{$j->{keys}}' -c "$dir/conf" report key check
sed -i 's/ s=[^;]*;//' "$dir/txt/tlsrpt._domainkey.sender.example.1"
r key check
ok "E10: key check: no s=tlsrpt" eval 'code 0 && prints "^rsa  *.*  weak  *.*s=tlsrpt"'
joined "$dir/ed.zone" >"$dir/txt/tlsrpt._domainkey.sender.example.1"
r key check
ok "key check: another key" eval 'code 1 && prints "^rsa  *.*  wrong  "'
joined "$dir/rsa.zone" >"$dir/txt/tlsrpt._domainkey.sender.example.2"
r key check
ok "key check: two records" eval 'code 1 && prints "^rsa  *.*  wrong  *there are 2 TXT records"'
mv "$dir/ed.pem" "$dir/ed.old"
r key check
ok "key check: no key file" eval 'code 1 && prints "^ed25519  *.*  unknown  *.*ed.pem"'
mv "$dir/ed.old" "$dir/ed.pem"

# --- the mail, and what others make of it ---
r build --day $day --domain good.example --mail
cp "$dir/out" "$dir/mail"
ok "build --mail" eval 'code 0 && silent err && prints "^Subject: Report Domain: good.example" && is "$(grep -c "^DKIM-Signature:" "$dir/mail")" 2'
for file in report.json mail; do
    r read "$dir/$file"
    ok "read: our own $file" eval 'code 0 && silent err && prints "^contact  *tls@sender.example$" && prints "^  failed  *2$" && ! prints "^note: "'
done
gzip -c "$dir/report.json" >"$dir/report.gz"
json_exits 0 "read --json: gzip" '$j->{policies}[0]{policy}{"policy-type"}' -c "$dir/conf" report read "$dir/report.gz"
"$ctl" report read - <"$dir/mail" >"$dir/out" 2>"$dir/err"
rc=$?
ok "read -: needs no configuration" eval 'code 0 && silent err && prints "^report  "'
sed 's/^Subject: Report Domain: good/Subject: Report Domain: bad/' "$dir/mail" >"$dir/other"
r read "$dir/other"
ok "D 6: read: another subject" eval 'code 0 && prints "^note: the subject has another domain than the body: bad.example$"'
r read --json "$dir/other"
ok "D 6: read --json: another subject" eval 'code 0 && says "note: the subject has another domain" && json "\$j->{policies}"'
printf '{"organization-name":"a\\u0000\\u001b[31m\\u202e","policies":[]}' >"$dir/evil"
r read "$dir/evil"
ok "read: nothing acts on the terminal" eval 'code 0 && prints "^of  *a\\\\x00\\\\x1b\[31m\\\\xe2\\\\x80\\\\xae$"'
head -c 100000000 /dev/zero | gzip >"$dir/bomb"
r read "$dir/bomb"
ok "read: a gzip bomb" eval 'code 1 && silent out && says "bomb: it holds more than 20971520 octets"'
printf 'hello\n' >"$dir/hello"
r read "$dir/hello"
ok "read: no report" eval 'code 1 && silent out && says "hello: it is neither a mail nor gzip nor JSON"'
r read "$dir/nonesuch"
ok "read: no file" eval 'code 2 && says "nonesuch"'

# --- send ---
r send --day $day --dry-run
ok "send --dry-run" eval 'code 0 && prints "^good.example  *mailto:tls@good.example  *sent: would not be sent$" && prints "^good.example  *https://good.example/tls  *failed: would be sent  *503 from it$"'
json_exits 0 "send --dry-run --again --json" '@{$j->{rows}} == 2 && !grep { !$_->{send} } @{$j->{rows}}' -c "$dir/conf" report send --day $day --domain good.example --dry-run --again
r send --day 2020-01-20 --dry-run
ok "send --dry-run: nothing" eval 'code 0 && prints "there is nothing to send"'
r send --day $day
ok "send: tlsrptd is down" eval 'code 1 && silent out && says "postern-tlsrptd at .*is it running"'
start_daemon tlsrptd
echo 'OK {"rows":[{"domain":"good.example","destination":"mailto:tls@good.example","state":"sent","why":""},{"domain":"good.example","destination":"https://good.example/tls","state":"failed","why":"\u001b[2J"}]}' >"$dir/tlsrptd/report-send"
r send --day $day
ok "send: one failed" eval 'code 1 && prints "^good.example  *mailto:tls@good.example  *sent$" && prints "failed  *\\\\x1b\[2J$"'
echo 'OK {"rows":[{"domain":"good.example","destination":"mailto:tls@good.example","state":"sent"}]}' >"$dir/tlsrptd/report-send"
json_exits 0 "send --json" '$j->{rows}[0]{state} eq "sent"' -c "$dir/conf" report send --day $day --domain GOOD.example --again
echo 'OK {"rows":[]}' >"$dir/tlsrptd/report-send"
r send --day $day
ok "send: nothing" eval 'code 0 && prints "there is nothing to send"'
echo 'PERM no contact' >"$dir/tlsrptd/report-send"
r send --day $day
ok "send: refused" eval 'code 1 && silent out && says "no contact"'
ok "send: what was asked" is "$(grep ^report-send "$dir/tlsrptd/asked")" "report-send|$day *
report-send|$day good.example again
report-send|$day *
report-send|$day *"

# --- status ---
echo 'OK {"version":"0.1.0","uptime":5,"events":12}' >"$dir/tlsrptd/status"
run -c "$dir/conf" status
ok "status: tlsrptd, as it has a contact" eval 'code 1 && prints "^postern-tlsrptd  *up$" && prints "^  events  *12$"'
run -c "$dir/conf" status --json
ok "status --json" json '$j->{tlsrptd}{events} == 12'
conf ''
run -c "$dir/conf" status --json
ok "status: tlsrptd is not in use" json '!exists $j->{tlsrptd}'

# --- Redis ---
redis_user posternctl
set -f
for words in list show 'show --domain good.example' 'send --dry-run'; do
    run -c "$dir/conf.posternctl" report $words --day $day
    ok "as the user of posternctl: $words" eval 'code 0 && silent err'
done
set +f
kill "$redis_pid"
wait "$redis_pid" 2>/dev/null
r list
ok "Redis away" eval 'code 1 && says "Redis at unix:$dir/redis.sock: .*is it running"'
finish
