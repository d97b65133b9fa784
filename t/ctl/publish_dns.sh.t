#!/bin/sh
# publish_dns.sh.t - posternctl publish tlsrpt, tlsa and all, without Redis and stsd, against a DNS server that knows TXT records alone: words, key files of
# each kind and broken ones, --json. What needs signed zones and servers is in t/lab/104-publish-dns.t.
. "$(dirname "$0")/lib.sh"
here=$(dirname "$0")
code() { [ "$rc" -eq "$1" ]; }
p() { run -c "$dir/conf" publish "$@"; }

mkdir "$dir/txt" "$dir/store"
perl "$here/txt_server.pl" "$dir/port" "$dir/txt" &
daemons="$daemons $!"
tries=0
until [ -s "$dir/port" ] || [ $((tries += 1)) -gt 1200 ]; do sleep 0.05; done
cat >"$dir/conf" <<END
redis { url = "unix:$dir/no-redis.sock" }
stsd { listen = "unix:$dir/stsd.sock"  resolvers = {"127.0.0.1:$(cat "$dir/port")"} }
tlsrptd { listen = "unix:$dir/tlsrptd.sock"  contact = "tls@reports.example" }
certs { folder = "$dir/store" }
END

# --- usage ---
for words in 'tlsrpt' 'tlsrpt a b' 'tlsrpt a..b' 'tlsrpt example.com --rua tls@example.com' 'tlsrpt example.com --rua http://example.com/' 'tlsrpt example.com --cert x' 'tlsa' \
    'tlsa mx.example.com' 'tlsa mx.example.com --cert no-such' 'tlsa mx.example.com --port 0' 'tlsa mx.example.com --port 65536' 'tlsa mx.example.com --port 25x' 'all' 'all -- -x'; do
    p $words
    ok "refused: $words" eval 'code 2 && silent out && ! silent err'
done

# --- tlsrpt ---
p tlsrpt Example.COM.
ok "tlsrpt: as tlsrptd.contact" eval 'code 0 && prints "^_smtp._tls.example.com. 3600 IN TXT \"v=TLSRPTv1; rua=mailto:tls@reports.example\"$"'
p tlsrpt example.com --rua mailto:a@example.com --rua https://r.example/ --json
ok "tlsrpt --json" json '$j->{domain} eq "example.com" && $j->{name} eq "_smtp._tls.example.com" && $j->{ttl} == 3600 && $j->{record} eq "v=TLSRPTv1; rua=mailto:a\@example.com,https://r.example/"
    && $j->{zone} =~ /IN TXT/ && @{$j->{notes}} == 2'
p tlsrpt example.com --check
ok "tlsrpt --check: none" eval 'code 1 && prints "^bad .*no TXT record"'
printf 'v=TLSRPTv1; rua=https://r.example/' >"$dir/txt/_smtp._tls.example.com.1"
p tlsrpt example.com --check
ok "tlsrpt --check: there" eval 'code 0 && prints "^ok .*not validated by DNSSEC"'
p tlsrpt example.com --check --rua https://s.example/ --json
ok "tlsrpt --check: another one" eval 'code 1 && json "\$j->{verdicts}[0]{level} eq \"bad\" && \$j->{verdicts}[0]{words} =~ /other URIs/"'
printf 'v=TLSRPTv1; rua=mailto:x@y.example\033[2J' >"$dir/txt/_smtp._tls.example.com.2"
p tlsrpt example.com --check
ok "tlsrpt --check: two, one hostile" eval 'code 1 && ! grep -q "$(printf "\033")" "$dir/out"'

# --- tlsa: files ---
ctl=$(realpath "$ctl")
cd "$dir" || exit 99
ossl() { openssl "$@" >/dev/null 2>&1 </dev/null; }
ossl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 10 -subj /CN=mx.example.com -addext subjectAltName=DNS:mx.example.com -keyout a.key -out a.crt
ossl req -x509 -newkey rsa:2048 -nodes -days 10 -subj /CN=mx.example.com -addext subjectAltName=DNS:mx.example.com -keyout b.key -out b.crt
ossl genpkey -algorithm ed25519 -out ed.key
ossl pkey -in a.key -pubout -out a.pub
ossl req -new -key a.key -subj /CN=mx.example.com -out a.csr
ossl pkey -in a.key -aes128 -passout pass:secret -out locked.key
cat a.key a.crt >a.pem
cat a.key b.crt >mixed.pem
: >empty.pem
head -c 2000000 /dev/zero >huge.pem
{ echo '-----BEGIN CERTIFICATE-----'; head -c 3000 /dev/urandom | base64; echo '-----END CERTIFICATE-----'; } >noise.pem
digest() { openssl pkey "$@" -outform DER 2>/dev/null | sha256sum | cut -c1-64; }
a=$(digest -in a.key -pubout) b=$(digest -in b.key -pubout) ed=$(digest -in ed.key -pubout)

for file in a.crt a.key a.pem a.pub a.csr; do
    p tlsa mx.example.com --cert "./$file"
    ok "tlsa: $file" eval 'code 0 && prints "^_25._tcp.mx.example.com. 3600 IN TLSA 3 1 1 $a$" && prints "^; bad: DNSSEC" && prints "^; unknown: server"'
done
p tlsa mx.example.com --cert ./a.pem --next ./ed.key --port 465
ok "tlsa: two, and a port" eval 'code 0 && prints "^_465._tcp.mx.example.com. 3600 IN TLSA 3 1 1 $a$" && prints "^_465._tcp.mx.example.com. 3600 IN TLSA 3 1 1 $ed$" && prints "^; 1. .now. Publish both"'
p tlsa mx.example.com --cert ./b.crt --next ./b.key
ok "tlsa: the next key is the same" eval 'code 0 && [ "$(grep -c "^_25.*$b" "$dir/out")" = 1 ]'
for file in mixed.pem empty.pem huge.pem noise.pem locked.key store no-such; do
    p tlsa mx.example.com --cert "./$file"
    ok "tlsa: $file is refused" eval 'code 2 && silent out && says "$file: "'
    p tlsa mx.example.com --cert ./a.pem --next "./$file"
    ok "tlsa: $file is no next key" eval 'code 2 && silent out && says "$file: "'
done
p tlsa mx.example.com --cert ./a.pem --next ./b.key --json
ok "tlsa --json" json '$j->{host} eq "mx.example.com" && $j->{port} == 25 && $j->{step} eq "publish" && @{$j->{plan}} == 5 && $j->{plan}[0]{state} eq "now" && $j->{zone} =~ /'"$b"'/'

# --- tlsa: the store ---
mkdir store/mx store/broken
cp a.pem store/mx/live.pem
cp mixed.pem store/broken/live.pem
p tlsa mx.example.com
ok "tlsa: of the store" eval 'code 0 && prints "^; mx (in the store)$" && prints "$a"'
cp b.key store/mx/next.key
p tlsa mx.example.com --cert mx
ok "tlsa: with its next key" eval 'code 0 && prints "$a" && prints "$b"'
p tlsa mx.example.com --cert broken
ok "tlsa: a broken entry" eval 'code 2 && silent out && says "broken: "'
mkdir store/two
cat b.key b.crt >store/two/live.pem
p tlsa mx.example.com
ok "tlsa: two of the store" eval 'code 2 && says "2 certificates of the store are for mx.example.com"'
p tlsa mx.example.com --check --cert mx
ok "tlsa --check: nothing there" eval 'code 1 && prints "^bad .*there are none at _25._tcp.mx.example.com"'

echo mx.example.com >"$dir/txt/example.com.mx"

# --- all: what cannot be read is told of, the rest is there ---
p all example.com
ok "all without Redis" eval 'code 1 && says "no-redis.sock" && prints "^; unknown: Redis" && prints "^_smtp._tls.example.com. 3600 IN TXT"'
ok "all: what cannot be seen of a host" eval 'prints "^; unknown: what it shows cannot be seen now: it has no address" && prints "^; _25._tcp.mx.example.com. .* TLSA 3 1 1" && ! prints "^_25._tcp"'
ok "all: what of the store cannot be read" eval 'prints "^; unknown: broken of the store cannot be read" && says "not all certificates"'
p all example.com --check
ok "all --check: two of the store" eval 'prints "^warn *mx.example.com *its keys are not compared.* 2 certificates" && prints "^warn *store *broken cannot be read"'
seq 40 | sed 's/.*/h&.example/' >"$dir/txt/many.example.mx"
mv "$dir/store/broken" "$dir/broken"
p all many.example
ok "all: more hosts than are looked at" eval 'code 1 && says "more than [0-9]* MX hosts"'
p all many.example --check
ok "all --check: more hosts than are looked at" prints "^unknown *MX hosts .*more than [0-9]* MX hosts"

# --- all: was it validated? Each says so, in the same words ---
run -c "$dir/conf" report key new --type ed25519 "$dir/report.key"
sed "s|contact = |ed25519_key = \"$dir/report.key\"  &|" "$dir/conf" >"$dir/signing"
run -c "$dir/signing" publish all reports.example
record=$(sed -n 's/^\([a-z0-9-]*\._domainkey\.reports\.example\)\. .*/\1/p' "$dir/out")
sed -n 's/^[a-z0-9-]*\._domainkey.*"\(v=DKIM1.*\)"$/\1/p' "$dir/out" | tr -d '\n' >"$dir/txt/$record.1"
printf 'v=STSv1; id=1;' >"$dir/txt/_mta-sts.reports.example.1"
printf 'v=TLSRPTv1; rua=mailto:tls@reports.example' >"$dir/txt/_smtp._tls.reports.example.1"
echo mx.reports.example >"$dir/txt/reports.example.mx"
for validated in 'not validated' validated; do
    [ "$validated" != validated ] || : >"$dir/txt/validated"
    run -c "$dir/signing" publish all reports.example --check
    for what in 'TXT record  *id 1' 'TLSRPT record .*: valid' 'DKIM record .*: fits the key' 'MX hosts  *reports.example has 1'; do
        ok "all --check: $validated: $what" prints "^ok  *$what ($validated by DNSSEC)$"
    done
    run -c "$dir/signing" publish all reports.example --check --json
    ok "all --check --json: $validated" json '4 == grep { $_->{level} eq "ok" && $_->{words} =~ /\('"$validated"' by DNSSEC\)$/ } @{$j->{verdicts}}'
done
rm "$dir/txt/validated"
head -c 40 /dev/zero | tr '\0' x >"$dir/txt/$record.1"
run -c "$dir/signing" publish all reports.example --check
ok "all --check: a key record that does not fit" prints '^bad  *DKIM record .*(not validated by DNSSEC)$'

p all example.com --json
ok "all --json" json '$j->{domain} eq "example.com" && !$j->{complete} && $j->{zone} =~ /_smtp\._tls/'
finish
