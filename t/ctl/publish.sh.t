#!/bin/sh
# publish.sh.t - posternctl publish sts, list and remove against a real Redis; postern-stsd is away. POSTERNCTL and POSTERN_REDIS_SERVER name the binaries.
. "$(dirname "$0")/lib.sh"
start_redis
unset SUDO_USER
LOGNAME=berta
export LOGNAME
printf 'stsd { listen = "unix:%s/stsd.sock" resolvers = {"127.0.0.1:1"} dns_timeout = "200ms" dns_tries = 1 }\n' "$dir" >>"$dir/conf"

p() { run -c "$dir/conf" publish "$@"; }
code() { [ "$rc" -eq "$1" ]; }
stored() { redis HGET postern:published:policies "$1"; }
# age DOMAIN MEMBER SECONDS: make a time of it that much earlier
age() {
    stored "$1" | perl -pe 's/("'"$2"'":)(\d+)/$1 . ($2 - '"$3"')/e' >"$dir/aged"
    redis HSET postern:published:policies "$1" "$(cat "$dir/aged")" >/dev/null
}

# --- words and options ---
p sts
ok "no domain" eval 'code 2 && says "a word is missing" && says "^usage: posternctl publish sts "'
p sts _mta-sts.example.com
ok "the name of a record" eval 'code 2 && says "\"_mta-sts.example.com\" is the name of a record: give the domain or host that it is for"'
p tlsrpt _smtp._tls.example.com
ok "the name of a record, for TLS reports" eval 'code 2 && says "is the name of a record: give the domain"'
p sts 'a b'
ok "no domain name" eval 'code 2 && says "\"a b\" is no domain name"'
p sts example.com --mode strict
ok "no such mode" eval 'code 2 && says "there are testing, enforce and none"'
p sts example.com --max-age 2y
ok "no such time" eval 'code 2 && says "^posternctl: --max-age: "'
p sts example.com --max-age 400d
ok "longer than RFC 8461 allows" eval 'code 2 && says "^posternctl: --max-age: "'
p sts example.com --mx 192.0.2.1
ok "an address is no pattern" eval 'code 2 && says "^posternctl: --mx 192.0.2.1: "'
p sts example.com --check --mode none
ok "--check changes nothing" eval 'code 2 && says "check changes nothing"'
p sts example.com --promote --mx a.b
ok "--promote takes no patterns" eval 'code 2 && says "does not go with --mode or --mx"'
p sts example.com report.json
ok "reports without --promote" eval 'code 2 && says "files of reports go with --promote"'
p list more
ok "list takes no word" eval 'code 2 && says "one word too many"'
p remove
ok "remove wants a domain" eval 'code 2 && says "a word is missing"'
p list
ok "nothing is published" eval 'code 0 && prints "^no domain publishes a policy$"'
p remove example.com
ok "nothing to remove" eval 'code 1 && says "example.com: no policy is published"'

# --- DNS not known ---
p sts example.com
ok "no patterns, stsd away: not now" eval 'code 3 && says "cannot be known now" && says "postern-stsd is away: unix:"'
p sts example.com --mx mx.example.com
ok "patterns, stsd away: not now" eval 'code 3 && prints "^unknown  MX records  cannot be looked up now: postern-stsd is away" && says "not published"'
ok "nothing was written" [ -z "$(stored example.com)" ]
p sts example.com --mx mx.example.com --force --dry-run
ok "dry run" eval 'code 0 && prints "^example.com: mode testing, max_age 86400 (24 h), id .* (not published)$"'
ok "dry run: nothing was written" [ -z "$(stored example.com)" ]

# --- testing ---
p sts Example.COM. --mx MX.example.com --mx '*.example.net' --mx mx.example.com --force --out "$dir/policy.txt"
ok "published all the same" eval 'code 0 && prints "^_mta-sts.example.com. IN TXT \"v=STSv1; id=2[0-9TZ]*;\"$"'
ok "what to do, in order" eval 'prints "^ 1. Have the name mta-sts.example.com lead" && prints "^ 4. Only then publish the TXT record"'
ok "in Redis" eval 'stored example.com | grep -q "\"mode\":\"testing\",\"max_age\":86400,\"mx\":\[\"mx.example.com\",\"\*.example.net\"\].*\"by\":\"berta\""'
"$ctl" check sts-policy "$dir/policy.txt" >"$dir/out" 2>"$dir/err"
ok "the file is a policy" prints '^valid: mode testing, max_age 86400'
ok "the file is for all to read" [ "$(stat -c %a "$dir/policy.txt")" = 644 ]
echo mine >"$dir/precious"
mkdir "$dir/web"
for name in policy.txt policy.txt.new policy.txt.postern-new; do
    ln -s "$dir/precious" "$dir/web/$name"      # as whoever may write there could
done
p sts example.com --force --out "$dir/web/policy.txt"
ok "a link that was planted leads nowhere" eval 'code 0 && grep -q "^mode: testing" "$dir/web/policy.txt" && [ ! -L "$dir/web/policy.txt" ] && [ "$(cat "$dir/precious")" = mine ]'
before=$(stored example.com)
p sts example.com --force --json
ok "once more: as it was" json '$j->{published} && !$j->{new} && $j->{mode} eq "testing" && $j->{record}{name} eq "_mta-sts.example.com." && $j->{verdicts}[0]{level} eq "unknown"'
ok "once more: nothing changed" [ "$(stored example.com)" = "$before" ]
p sts example.com --force --out "$dir/no/such/folder"
ok "a file that cannot be written" eval 'code 1 && says "cannot write" && says "the file is not written"'
ok "but what is published is told, and what to do" eval 'prints "^_mta-sts.example.com. IN TXT" && prints "^ 1. Have the web server serve the policy file"'
p list
ok "list" eval 'code 0 && prints "^example.com  testing  .*Z (.*)  24 h  *2[0-9TZ]*  mx.example.com$"'
redis HSET postern:list:local example.org '{"v":1,"created":1}' .example.com '{"v":1,"created":1}' >/dev/null
redis HSET postern:published:policies broken.example '{}' >/dev/null
p list --json
ok "list: what publishes none, what cannot be read" json '"@{$j->{without}}" eq "example.org" && $j->{domains}[0]{error} && $j->{domains}[1]{domain} eq "example.com"'
p sts broken.example --mx a.b --dry-run
ok "what cannot be read is not overwritten" eval 'code 1 && says "cannot be read" && says "force"'
p remove broken.example --force
ok "but taken away with --force" eval 'code 0 && prints "^broken.example: removed."'

# --- enforce ---
p sts example.com --mode enforce
ok "enforce, stsd away: not now" eval 'code 3 && prints "^unknown  TLS of the MX hosts" && says "stays"'
p sts example.com --promote
ok "promote: too early" eval 'code 1 && prints "^bad *time in testing" && prints "^warn *TLS reports"'
age example.com changed 259201
p sts example.com --promote
ok "promote: not known" eval 'code 3 && prints "^ok *time in testing" && prints "^unknown *TXT record" && prints "^unknown *policy host"'
report() {
    printf '{"organization-name":"Big","date-range":{"start-datetime":"%sT00:00:00Z","end-datetime":"%sT23:59:59Z"},"contact-info":"a@b","report-id":"1","policies":[{"policy":{"policy-type":"sts","policy-domain":"example.com"},"summary":{"total-successful-session-count":7,"total-failure-session-count":%d},"failure-details":[%s]}]}' "$1" "$1" "$2" "$3"
}
today=$(date -u +%Y-%m-%d)
report "$today" 2 '{"result-type":"certificate-expired","receiving-mx-hostname":"mx.example.com","failed-session-count":2}' >"$dir/bad.json"
report "$today" 0 '' >"$dir/good.json"
report 2020-01-01 2 '' >"$dir/old.json"
p sts example.com --promote "$dir/good.json" "$dir/bad.json" "$dir/old.json"
ok "promote: a report speaks against it" eval 'code 1 && prints "^bad *TLS reports *2 failed sessions" && prints "^certificate-expired  Big     mx.example.com  2$" && prints "1 of before the policy last changed"'
p sts example.com --promote "$dir/bad.json" --json
ok "promote, as JSON" json '!$j->{published} && $j->{failures}[0]{result} eq "certificate-expired" && $j->{failures}[0]{sessions} == 2'
p sts example.com --promote "$dir/bad.json" --max-age 0 --dry-run
ok "promote: the max_age that is asked for is judged" prints '^warn *max_age *0'
p sts example.com --promote "$dir/nonesuch"
ok "promote: no such report" eval 'code 2 && says "nonesuch"'
p sts example.com --promote "$dir/good.json" --force
ok "promote by force" eval 'code 0 && prints "mode enforce, max_age 1209600 (14 d)" && prints "^ok *TLS reports *7 good" && prints "^ 2. Only then change the TXT record"'
p sts other.example --promote
ok "nothing to promote" eval 'code 1 && says "no policy is published"'

# --- check ---
p sts example.com --check
ok "check: not known" eval 'code 3 && prints "^unknown  TXT record" && prints "^unknown  policy host" && prints "^unknown  MX records"'
p sts example.com --check --json
ok "check, as JSON" json '$j->{verdict} eq "unknown" && $j->{verdicts}[0]{what} eq "TXT record"'

p all nothing.example --check
ok "check of all: no policy" prints '^warn *policy in Redis *there is none'
redis HSET postern:published:policies broken.example '{"v":1' >/dev/null
p all broken.example --check
ok "check of all: a policy that cannot be read" prints '^unknown *policy in Redis *it cannot be read: '
p remove broken.example --force

# --- out ---
p remove example.com
ok "remove: enforced" eval 'code 1 && says "the policy is in mode enforce"'
p sts example.com --mode none
ok "mode none" eval 'code 0 && prints "mode none, max_age 86400" && prints "Leave record and file as they are until 20.*Z (in 15 d)"'
p remove example.com
ok "remove: too early" eval 'code 1 && says "may hold an earlier policy until 20" && says "force"'
age example.com held 1300000
p remove example.com --json
ok "remove: in time" json '$j->{removed} && $j->{domain} eq "example.com"'
ok "remove: it is gone" [ -z "$(stored example.com)" ]

# --- as the user that contrib/redis gives to posternctl ---
redis_user posternctl
run -c "$dir/conf.posternctl" publish sts acl.example --mx a.b --force
ok "the user of contrib/redis may publish" code 0
run -c "$dir/conf.posternctl" publish list
ok "and list" eval 'code 0 && prints "^acl.example "'
run -c "$dir/conf.posternctl" publish remove acl.example --force
ok "and remove" code 0

# --- Redis is away ---
kill "$redis_pid"
wait "$redis_pid" 2>/dev/null
p sts example.com --mx a.b --force
ok "Redis away: not now" eval 'code 3 && says "is it running"'
p list
ok "Redis away: list" code 3
p remove example.com --force
ok "Redis away: remove" code 3
p sts example.com --check
ok "Redis away: check goes on" eval 'code 3 && prints "^unknown  Redis" && prints "^unknown  TXT record"'
finish
