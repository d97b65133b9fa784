#!/bin/sh
# cert.sh.t - posternctl cert new, import, list, show, check and remove, with files made by openssl(1). POSTERNCTL names the binary.
. "$(dirname "$0")/lib.sh"

store=$dir/store
mkdir "$dir/etc"
cat >"$dir/etc/postern.conf" <<END
certs { folder = "$store" }
policyd { user = "$(id -un)" }
END
cert() { want=$1 name=$2; shift 2; exits "$want" "$name" -c "$dir/etc/postern.conf" cert "$@"; }
live_key() { openssl pkey -in "$store/$1/live.pem" -pubout 2>/dev/null; }
mode() { [ "$(stat -c %a "$store/$1")" = "$2" ]; }

# an authority, and what it signs: request FILE
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$dir/ca.key" -out "$dir/ca.pem" -days 30 -subj /CN=Authority 2>/dev/null
issue() {
    printf 'subjectAltName=%s\n' "$2" >"$dir/ext"
    openssl req -new -key "$dir/$1.key" -subj "/CN=$1" -out "$dir/$1.csr" 2>/dev/null
    openssl x509 -req -in "$dir/$1.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -CAcreateserial -days "$3" -extfile "$dir/ext" -out "$dir/$1.pem" 2>/dev/null
}
openssl genrsa -out "$dir/one.key" 2048 2>/dev/null
openssl ecparam -name prime256v1 -genkey -noout -out "$dir/two.key" 2>/dev/null
issue one DNS:mx.example.com,DNS:mail.example.com 90
issue two DNS:mx.example.com 90
printf 'geheim\n' >"$dir/password"
printf 'falsch\n' >"$dir/wrong"

# new
cert 0 "list without a store" list
cert 0 "check without a store" check
ok "says that there is nothing" prints "^no certificates in $store yet\$"
cert 0 "acme list without a store" acme list
ok "which is no error" silent err
cert 0 "new: self-signed" new mx.example.com --alt '*.Example.COM' --organization 'Beispiel GmbH' --country de --title 'The first'
ok "new: what it is" prints '^mx.example.com: mx.example.com, \*.example.com; EC P-256, issued by itself, until '
ok "new: who would not take it" prints 'senders under MTA-STS would not take it'
ok "the store is for all to look into" [ "$(stat -c %a "$store")" = 755 ]
ok "the key is for its owner alone" mode mx.example.com/live.pem 600
ok "the same of what is known of it" mode mx.example.com/about.json 600
ok "OpenSSL reads it" sh -c "openssl x509 -in '$store/mx.example.com/live.pem' -noout -checkhost mail.example.com | grep -q 'does match'"
ok "its subject" sh -c "openssl x509 -in '$store/mx.example.com/live.pem' -noout -subject | grep -q 'C = DE, O = Beispiel GmbH, CN = mx.example.com'"
while read -r type kind; do
    cert 0 "new: --type $type" new "t-$type" --alt "$type.example.com" --type "$type" --days 20
    ok "its key is $kind" sh -c "openssl x509 -in '$store/t-$type/live.pem' -noout -text | grep -qE '$kind'"
    cert 0 "remove it" remove "t-$type"
done <<END
rsa2048 Public-Key: .2048 bit
rsa3072 Public-Key: .3072 bit
rsa4096 Public-Key: .4096 bit
p256 NIST CURVE: P-256
ed25519 Public Key Algorithm: ED25519
END
cert 2 "no such type" new x.example.com --type dsa
ok "those there are" says 'p256, ed25519, rsa2048'
cert 2 "no host name" new x
ok "what to do" says 'alt HOST'
cert 2 "odd host name" new x.example.com --alt 'a b'
cert 2 "odd country" new x.example.com --country Germany
cert 2 "odd days" new x.example.com --days 0
cert 2 "odd name" new ../x --alt x.example.com
cert 2 "another odd name" new .x --alt x.example.com
ok "nothing was made of all these" [ "$(ls "$store")" = mx.example.com ]

# a request
cert 0 "new --csr" new csr --csr --alt csr.example.com --out "$dir/csr.csr"
ok "it is printed" prints 'BEGIN CERTIFICATE REQUEST'
ok "and written" sh -c "openssl req -in '$dir/csr.csr' -noout -verify 2>/dev/null"
ok "its key is kept" mode csr/next.key 600
cert 1 "a second one would lose its key" new csr --csr --alt csr.example.com
cert 0 "--force makes it all the same" new csr --csr --alt csr.example.com --out "$dir/csr.csr" --force
openssl x509 -req -in "$dir/csr.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -CAcreateserial -days 90 -copy_extensions copy -out "$dir/answer.pem" 2>/dev/null
cert 2 "another's certificate is not its answer" import csr "$dir/one.pem"
ok "why" says 'there is no private key in it, and none that fits is kept for csr'
cat "$dir/ca.pem" "$dir/answer.pem" >"$dir/answer-first.pem"
cert 0 "the authority's answer, out of order" import csr "$dir/answer-first.pem"
ok "it says so" prints 'were not in order'
ok "the key is no longer the next" [ ! -e "$store/csr/next.key" ]
cert 0 "its renewal with the same key" import csr "$dir/answer.pem"

# import
cert 0 "import PEM with --key" import one "$dir/one.pem" --key "$dir/one.key" --title 'Line
feed'
ok "the key goes first" sh -c "head -n 1 '$store/one/live.pem' | grep -q 'PRIVATE KEY'"
cert 2 "a key of another" import one "$dir/one.pem" --key "$dir/two.key"
ok "both are named" says 'the private key (EC P-256, .*) belongs to none of .* CN=one (RSA 2048)'
ok "what was live stays" [ "$(live_key one)" = "$(openssl pkey -in "$dir/one.key" -pubout)" ]
cert 1 "a host name would be lost" import one "$dir/two.pem" --key "$dir/two.key"
ok "which" says 'it is not for mail.example.com'
ok "what was live stays" [ "$(live_key one)" = "$(openssl pkey -in "$dir/one.key" -pubout)" ]
cert 0 "--force takes it" import one "$dir/two.pem" --key "$dir/two.key" --force
ok "what was live is kept" [ "$(openssl pkey -in "$store/one/old/live.pem" -pubout)" = "$(openssl pkey -in "$dir/one.key" -pubout)" ]
ok "nothing is half done" [ "$(find "$store" -name '*new' -o -name pending.pem -o -name fresh.pem | wc -l)" -eq 0 ]
cert 1 "an authority's for a self-signed one" new one --alt mx.example.com
ok "why not" says 'this one is self-signed'
# an authority between, whose time is over: the leaf is good, the chain is not
printf 'basicConstraints=critical,CA:true\n' >"$dir/ext"
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$dir/middle.key" -subj /CN=Middle -out "$dir/middle.csr" 2>/dev/null
openssl x509 -req -in "$dir/middle.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -CAcreateserial -days -1 -extfile "$dir/ext" -out "$dir/middle.pem" 2>/dev/null
printf 'subjectAltName=DNS:mx.example.com\n' >"$dir/ext"
openssl x509 -req -in "$dir/two.csr" -CA "$dir/middle.pem" -CAkey "$dir/middle.key" -CAcreateserial -days 90 -extfile "$dir/ext" -out "$dir/under.pem" 2>/dev/null
cat "$dir/under.pem" "$dir/middle.pem" "$dir/ca.pem" >"$dir/chain.pem"
sum() { find "$store/one" -type f -exec sha256sum {} + | sort; }
before=$(sum)
cert 1 "an expired one in the chain" import one "$dir/chain.pem" --key "$dir/two.key"
ok "which, and since when" says "CN=Middle: it has expired on $(date -u -d "$(openssl x509 -in "$dir/middle.pem" -noout -enddate | cut -d = -f 2)" +%Y-%m-%d).*--force"
ok "what was live stays, octet for octet" [ "$(sum)" = "$before" ]
cert 1 "the same under a new name" import middle "$dir/chain.pem" --key "$dir/two.key"
ok "nothing is there" [ ! -e "$store/middle/live.pem" ]
cert 0 "--force takes it" import middle "$dir/chain.pem" --key "$dir/two.key" --force
cert 1 "check: its end is that of the chain" check middle
ok "says so" prints '^middle: .*CN=Middle: it has expired'
cert 0 "remove it" remove middle
openssl pkey -in "$dir/one.key" -aes128 -passout pass:x -out "$dir/encrypted.key"
cert 2 "an encrypted key" import one "$dir/one.pem" --key "$dir/encrypted.key"
ok "what to do" says 'openssl pkey'
cat "$dir/ca.pem" "$dir/one.pem" "$dir/two.pem" >"$dir/many.pem"
cert 2 "one that does not belong there" import one "$dir/many.pem" --key "$dir/one.key"
ok "which" says 'CN=two (EC P-256) does not belong to the chain'
for i in $(seq 1000); do cat "$dir/ca.pem"; done >"$dir/bundle.pem"
cert 2 "a thousand authorities" import one "$dir/bundle.pem"
ok "how many" says '1000 certificates'
cert 2 "no file" import one "$dir/nothing"
cert 2 "too long a file" import one /dev/zero
cert 2 "an empty one" import one /dev/null
ok "what it is not" says 'neither PEM nor PKCS#12'

# PKCS#12
p12() { out=$1; shift; openssl pkcs12 -export -inkey "$dir/one.key" -in "$dir/one.pem" -certfile "$dir/ca.pem" "$@" -out "$dir/$out" 2>/dev/null; }
p12 new.p12 -passout pass:geheim
p12 none.p12 -passout pass:
cert 2 "PKCS#12 without its password" import bag "$dir/new.p12"
ok "what to do" says 'password FILE'
cert 2 "a wrong one" import bag "$dir/new.p12" --password "$dir/wrong"
ok "says so" says 'the password is wrong'
cert 0 "the right one" import bag "$dir/new.p12" --password "$dir/password"
ok "with its chain" [ "$(grep -c 'BEGIN CERTIFICATE' "$store/bag/live.pem")" -eq 2 ]
cert 0 "one without a password" import bag "$dir/none.p12"
if p12 old.p12 -legacy -passout pass:geheim; then
    cert 0 "RC2 and 3DES" import bag "$dir/old.p12" --password "$dir/password"
    OPENSSL_MODULES=$dir
    export OPENSSL_MODULES
    cert 2 "the same without the legacy provider" import bag "$dir/old.p12" --password "$dir/password"
    ok "what to do" says 'pkcs12 -legacy'
    unset OPENSSL_MODULES
fi
head -c 700 "$dir/new.p12" >"$dir/cut.p12"
cert 2 "half of one" import bag "$dir/cut.p12" --password "$dir/password"

# list, show, check
cert 0 "list" list
ok "a line for each" [ "$(wc -l <"$dir/out")" -eq 5 ]
ok "in their order" sh -c "sed -n 2p '$dir/out' | grep -q '^bag '"
ok "titles are harmless" prints 'Line\\x0afeed'
cert 0 "list --json" list --json
ok "what it says" json '@{$j->{certificates}} == 4 && $j->{certificates}[2]{title} eq "The first" && $j->{certificates}[2]{hosts}[1] eq "*.example.com" && $j->{certificates}[2]{days_left} >= 396'
cert 0 "show" show bag
spki=$(openssl pkey -in "$dir/one.key" -pubout -outform DER | openssl dgst -sha256 -r | cut -d ' ' -f 1)
ok "show: TLSA" prints "3 1 1 $spki"
ok "show: the authority, too" prints '^CN=Authority$'
cert 0 "show --json" show bag --json
ok "what it says" json '@{$j->{chain}} == 2 && $j->{chain}[1]{ca} && !$j->{chain}[0]{ca} && $j->{chain}[0]{spki_sha256} eq "'"$spki"'"'
cert 1 "show: no such" show nobody
cert 2 "show: no name" show ../bag
cert 0 "check" check
ok "all is well" prints '4 certificates, all is well'
cert 1 "check --warn" check bag --warn 91d
ok "what to do" prints '^bag: ends in [0-9]* days; have it renewed: '
cert 2 "check: odd --warn" check --warn soon
printf 'junk' >"$store/one/live.pem"
cert 1 "check: what is broken" check
ok "alone" [ "$(wc -l <"$dir/out")" -eq 1 ]
ok "says so" prints '^one: live.pem: is not PEM'
cert 1 "check --json" check --json
ok "what it says" json '!$j->{well} && $j->{certificates}[0]{well} && !$j->{certificates}[3]{well} && $j->{certificates}[3]{why} =~ /not PEM/'

# what an authority has said is foreign text: of 200 letters of two octets one is cut, behind one that acts on a terminal
cert 0 "another" new odd --alt odd.example.com
printf '{"trouble": "\\u009b31m%s"}' "$(printf '\303\244%.0s' $(seq 200))" >"$store/odd/about.json"
cert 1 "check: foreign words" check odd
ok "they act on nothing" prints '^odd: \\xc2\\x9b31m'
cert 1 "check --json: foreign words" check odd --json
ok "they are there" json '$j->{certificates}[0]{why} =~ /^.xc2.x9b31m/ && $j->{certificates}[0]{trouble} =~ /^.xc2.x9b31m/'
cert 0 "remove it" remove odd
# one by ACME that was never issued, and another one; what fails is in nobody's way
printf 'certs { folder = "%s" acme_client = "%s/no-uacme" acme_url = "https://127.0.0.1:1/" }\npolicyd { user = "%s" }\n' "$dir/acme" "$dir" "$([ "$(id -u)" = 0 ] && echo nobody || id -un)" >"$dir/etc/acme.conf"
acme() { want=$1 name=$2; shift 2; exits "$want" "$name" -c "$dir/etc/acme.conf" cert "$@"; }
acme 1 "acme new: no client" acme new a a.example.com
ok "what is next" prints 'posternctl cert acme renew a --force$'
acme 1 "acme new: another" acme new b b.example.com
acme 1 "acme renew: both fail" acme renew --force --json
ok "each was tried" json 'join(" ", map { "$_->{name} $_->{state}" } @{ $j->{certificates} }) eq "a failed b failed"'
acme 1 "check: they are not well" check
ok "says why" prints '^a: nothing is issued yet: .'
for name in a b; do
    mv "$dir/acme/$name/next.key" "$dir/$name.next"
    printf junk >"$dir/acme/$name/next.key"
done
acme 1 "acme list: two whose next keys cannot be read" acme list
ok "both are told" eval 'says "^posternctl: .*/a/next.key is no private key" && says "^posternctl: .*/b/next.key is no private key"'
for name in a b; do mv "$dir/$name.next" "$dir/acme/$name/next.key"; done

# a fault of the store is told to the operator, once, and kept; what is live stays live
cat >"$dir/sendmail" <<END
#!/bin/sh
cat >>"$dir/mails"
END
chmod 755 "$dir/sendmail"
sed 's|^certs {|certs { contact = "op@example.com" |' "$dir/etc/acme.conf" >"$dir/etc/told.conf"
printf 'tlsrptd { mail = "sendmail:%s" }\n' "$dir/sendmail" >>"$dir/etc/told.conf"
told() { want=$1 name=$2; shift 2; exits "$want" "$name" -c "$dir/etc/told.conf" cert "$@"; }
mkdir "$dir/acme/c"
printf '{"source": "acme", "host": ["mx.example.com"], "challenge": "http-01", "key_type": "p256"}' >"$dir/acme/c/about.json"
cat "$dir/one.key" "$dir/one.pem" "$dir/ca.pem" >"$dir/acme/c/live.pem"
chmod 600 "$dir/acme/c/live.pem" "$dir/acme/c/about.json"
printf junk >"$dir/acme/c/next.key"
told 0 "check: it is good for long" check c
told 1 "acme renew: its next key cannot be read" acme renew c
ok "the operator is told" [ "$(grep -c 'next.key is no private key' "$dir/mails")" -eq 1 ]
told 1 "check: it is not well" check c
ok "why" prints '^c: .*next.key is no private key'
told 1 "acme renew: again" acme renew c
ok "and not told once more" [ "$(grep -c 'next.key is no private key' "$dir/mails")" -eq 1 ]
ok "what is live stays live" sh -c "cat '$dir/one.key' '$dir/one.pem' '$dir/ca.pem' | cmp -s - '$dir/acme/c/live.pem'"
rm -r "$dir/acme/c"
printf junk >"$dir/acme/a/about.json"
acme 1 "acme list: one that cannot be read" acme list --json
ok "is told, and the other listed" eval 'says "^posternctl: a: about.json" && json "@{\$j->{certificates}} == 1"'
acme 1 "acme renew: it alone" acme renew a
ok "says why" eval 'says "a: about.json: " || prints "about.json: "'
printf junk >"$dir/acme/a/live.pem"
acme 1 "acme list: when the rest of it cannot be read, too" acme list
ok "is told all the same" says '^posternctl: a: about.json: .*; live.pem: is not PEM'
rm "$dir/acme/a/live.pem"
acme 1 "acme renew: one that cannot be read" acme renew
ok "is told, and the other renewed" eval 'says "^posternctl: a: about.json" && prints "^b: failed"'

# remove
printf junk >"$store/bag/about.json"
cert 1 "remove: who uses it cannot be read" remove bag
ok "says so" says '^posternctl: bag: about.json: .*--force'
cert 1 "import: the same" import bag "$dir/one.pem" --key "$dir/one.key"
ok "says so" says '^posternctl: bag: about.json: .*--force'
cert 1 "new --csr: the same" new bag --alt bag.example.com --csr
ok "nothing has changed" [ "$(cat "$store/bag/about.json")" = junk ]
cert 1 "check: the same" check bag
ok "what to do" prints 'about.json: .*mend that file, or .*--force'
cert 0 "import --force writes it anew" import bag "$dir/one.pem" --key "$dir/one.key" --force
cert 0 "and all is well" check bag
printf '{"use": ["postfix:/etc/postfix"]}' >"$store/bag/about.json"
cert 1 "remove: it is used" remove bag
ok "by whom" says 'postfix:/etc/postfix uses it'
ok "it is there" [ -e "$store/bag/live.pem" ]
cert 0 "remove --force" remove bag --force
ok "it is gone" [ ! -e "$store/bag" ]
cert 1 "remove: no such" remove bag
cert 0 "one that no mail server uses" new shown --alt shown.example.com
printf 'certs { folder = "%s" }\npolicyd { user = "%s" sni_listen = {"unix:%s/sni.sock"} }\n' "$store" "$(id -un)" "$dir" >"$dir/etc/sni.conf"
exits 1 "remove: policyd serves it by name" -c "$dir/etc/sni.conf" cert remove shown
ok "says so" says 'sni_listen.*--force'
exits 0 "remove --force" -c "$dir/etc/sni.conf" cert remove shown --force
chmod 777 "$store"
cert 1 "a store that others may write into" new a.example.com
ok "is not used" says 'no private key is kept there'
chmod 755 "$store"
echo "1..$count"
