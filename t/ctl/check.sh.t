#!/bin/sh
# check.sh.t - posternctl: options, usage, and "check" in all its forms. POSTERNCTL names the binary.
. "$(dirname "$0")/lib.sh"

# options and usage
exits 0 "-V" -V
ok "-V says the version" prints '^posternctl '
exits 0 "-h" -h
ok "-h lists the commands" prints '^  check mx-match PATTERN HOST '
ok "-h is on standard output alone" silent err
exits 0 "--help of a command" check sts-policy --help
ok "--help of a command gives its usage" prints '^usage: posternctl check sts-policy \[--json\] FILE|-$'
exits 0 "--help goes before missing words" --help check mx-match
exits 0 "--help of a group" check -h
ok "--help of a group lists it" prints '^  check config'
exits 2 "no command"
ok "no command: nothing on standard output" silent out
exits 0 "--help of a group of two words" cert acme -h
ok "--help of a group of two words lists it alone" eval 'prints "^  cert acme renew" && ! prints "^  cert list"'
exits 2 "a group of two words alone" cert acme
ok "a group of two words alone: a word is missing" says '^posternctl: cert acme: a word is missing; there are$'
exits 2 "no such command of a group of two words" cert acme lst
ok "no such command of a group of two words is named" says '^posternctl: no command "cert acme lst"; there are$'
exits 2 "a group alone" check
ok "a group alone: a word is missing" says '^posternctl: check: a word is missing; there are$'
ok "a group alone lists it" says '^  check sts-record'
exits 2 "no such command" frob
ok "no such command is named" says 'no command "frob"'
exits 2 "no such subcommand" check frob
ok "no such subcommand is named" says 'no command "check frob"; there are$'
ok "no such subcommand: the group is listed" says '^  check sts-record'
exits 2 "no such command with a word" frob check
ok "no such command with a word is named" says 'no command "frob";'
exits 2 "unknown option" -x check config
ok "unknown option is named" says 'unknown option -x'
exits 2 "unknown long option" --frob check config
exits 2 "option with a value too many" --json=1 check config
exits 2 "option without its value" check config -c
exits 2 "option of another command" check sts-policy - --fresh
exits 2 "word missing" check mx-match '*.example.net'
ok "word missing: usage" says '^usage: posternctl check mx-match'
exits 2 "word too many" check mx-match '*.example.net' mx.example.net more
exits 2 "no file for sts-policy" check sts-policy
exits 2 "no record" check sts-record
POSIXLY_CORRECT=1
export POSIXLY_CORRECT
json_exits 0 "option before the words" '$j->{match}' check mx-match '*.example.net' mx.example.net
run check mx-match '*.example.net' mx.example.net --json
ok "option behind the words" json '$j->{match}'
unset POSIXLY_CORRECT
exits 1 "-- ends the options" check sts-record -- --json
ok "-- : --json was a word" silent out
"$ctl" -V >/dev/full 2>"$dir/err"
rc=$?
ok "output that cannot be written" [ "$rc" -eq 1 ]

# check sts-policy
policy() { printf "$1" >"$dir/policy"; }
policy 'version: STSv1\r\nmode: enforce\r\nmax_age: 604800\r\nmx: MX1.Example.com\r\nmx: *.example.net\r\n'
json_exits 0 "A5 policy" \
    '$j->{valid} && $j->{mode} eq "enforce" && $j->{max_age} == 604800 && "@{$j->{mx}}" eq "mx1.example.com *.example.net" && !@{$j->{errors}}' \
    check sts-policy "$dir/policy"
exits 0 "policy, for people" check sts-policy "$dir/policy"
ok "policy, for people: facts" prints '^valid: mode enforce, max_age 604800 (7 d), 2 mx$'
ok "policy, for people: mx" prints '^  \*\.example\.net$'
"$ctl" check --json sts-policy - <"$dir/policy" >"$dir/out" 2>"$dir/err"
ok "policy on standard input" json '$j->{valid}'
policy 'version: STSv1\nmode: none\nmax_age: 1\n'
json_exits 0 "A5 mode none without mx" '$j->{valid} && $j->{mode} eq "none" && !@{$j->{mx}}' check sts-policy "$dir/policy"
policy 'version: STSv1\nmode: enforcing\nmax_age: 604800\nmx: a.example\n'
json_exits 1 "A5 bad mode" '!$j->{valid} && @{$j->{errors}} && $j->{errors}[0] =~ /2/ && !defined $j->{mode}' check sts-policy "$dir/policy"
exits 1 "bad mode, for people" check sts-policy "$dir/policy"
ok "bad mode: file and line are named" says 'policy: not valid: .*line 2'
ok "bad mode: nothing on standard output" silent out
policy 'version: STSv1\nmode: \377\033[2J\nmax_age: 604800\nmx: a.example\n'
json_exits 1 "odd octets" '!$j->{valid} && @{$j->{errors}}' check sts-policy "$dir/policy"
exits 1 "odd octets, for people" check sts-policy "$dir/policy"
ok "no escape sequence gets through" sh -c '! grep -q "$(printf "\033")" "$1"' sh "$dir/err"
policy ''
json_exits 1 "empty policy" '!$j->{valid} && @{$j->{errors}}' check sts-policy "$dir/policy"
policy 'version: STSv1\nmode: none\nmax_age: 1\n'
head -c 65496 /dev/zero | tr '\0' x | sed 's/^/x: /' >>"$dir/policy"
ok "(a file of 64 KiB)" [ "$(wc -c <"$dir/policy")" -eq 65536 ]
json_exits 0 "A3 64 KiB" '$j->{valid}' check sts-policy "$dir/policy"
echo >>"$dir/policy"
json_exits 1 "A3 more than 64 KiB" '!$j->{valid} && $j->{errors}[0] =~ /65536/' check sts-policy "$dir/policy"
json_exits 2 "no such file" '!$j->{valid} && $j->{errors}[0] =~ /nonesuch: No such file/' check sts-policy "$dir/nonesuch"
exits 2 "a directory" check sts-policy "$dir"
ok "a directory is told" says 'Is a directory'

# check sts-record
json_exits 0 "A1 record" '$j->{valid} && $j->{id} eq "20160831085700Z" && !@{$j->{errors}}' check sts-record 'v=STSv1; id=20160831085700Z;'
exits 0 "record, for people" check sts-record 'v=STSv1; id=1'
ok "record, for people: id" prints '^valid: id 1$'
json_exits 0 "A1 others are passed over" '$j->{valid} && $j->{id} eq "1"' check sts-record 'v=spf1 -all' 'v=STSv1; id=1'
json_exits 1 "A1 two records" '!$j->{valid} && @{$j->{errors}}' check sts-record 'v=STSv1; id=1' 'v=STSv1; id=1'
json_exits 1 "A1 none of them" '!$j->{valid} && $j->{errors}[0] =~ /STSv1/' check sts-record 'v=spf1 -all' ''
json_exits 1 "A1 no id" '!$j->{valid} && @{$j->{errors}} && !defined $j->{id}' check sts-record 'v=STSv1;'
json_exits 1 "A1 id of 33" '!$j->{valid}' check sts-record 'v=STSv1; id=012345678901234567890123456789012'
exits 1 "broken record, for people" check sts-record 'v=STSv1; id=a-b'
ok "broken record is told" says '^posternctl: MTA-STS record: not valid: '
json_exits 1 "octets that are no UTF-8" '!$j->{valid} && @{$j->{errors}}' check sts-record "$(printf 'v=STSv1; id=\377')"

# check mx-match
json_exits 0 "A6 one label" '$j->{valid} && $j->{match} && !@{$j->{errors}}' check mx-match '*.example.net' mx.example.net
json_exits 0 "A6 case and final dot" '$j->{match}' check mx-match 'MX.Example.net.' mx.EXAMPLE.net
json_exits 1 "A6 two labels" '$j->{valid} && !$j->{match} && !@{$j->{errors}}' check mx-match '*.example.net' a.b.example.net
json_exits 1 "A6 the parent itself" '$j->{valid} && !$j->{match}' check mx-match '*.example.net' example.net
json_exits 1 "invalid pattern" '!$j->{valid} && @{$j->{errors}}' check mx-match 'a.*.example.net' a.b.example.net
json_exits 1 "invalid host" '!$j->{valid} && $j->{errors}[0] =~ /host/' check mx-match '*.example.net' 'a..example.net'
json_exits 0 "U-labels" '$j->{match}' check mx-match '*.bücher.example' mx.xn--bcher-kva.example
exits 0 "match, for people" check mx-match '*.example.net' mx.example.net
ok "match, for people: words" prints '^match: mx.example.net fits \*.example.net$'
exits 1 "no match, for people" check mx-match mx.example.net mx2.example.net
ok "no match, for people: words" prints '^no match: '

# check tlsrpt-record
json_exits 0 "TLSRPT record" '$j->{valid} && "@{$j->{rua}}" eq "mailto:a\@b.example https://c.example/d" && !@{$j->{errors}}' \
    check tlsrpt-record 'v=TLSRPTv1; rua=mailto:a@b.example,https://c.example/d'
exits 0 "TLSRPT record, for people" check tlsrpt-record 'v=TLSRPTv1;rua=mailto:a@b.example'
ok "TLSRPT record, for people: rua" prints '^  mailto:a@b.example$'
json_exits 0 "others are passed over" '$j->{valid} && @{$j->{rua}} == 1' check tlsrpt-record 'x' 'v=TLSRPTv1;rua=mailto:a@b.example'
json_exits 1 "W3 two records" '!$j->{valid} && @{$j->{errors}} && !@{$j->{rua}}' \
    check tlsrpt-record 'v=TLSRPTv1;rua=mailto:a@b.example' 'v=TLSRPTv1;rua=mailto:a@b.example'
json_exits 1 "W3 no rua" '!$j->{valid} && @{$j->{errors}}' check tlsrpt-record 'v=TLSRPTv1;'
json_exits 1 "no TLSRPT record" '!$j->{valid} && $j->{errors}[0] =~ /TLSRPTv1/' check tlsrpt-record 'v=STSv1; id=1'
json_exits 1 "W12 header fields" '!$j->{valid}' check tlsrpt-record 'v=TLSRPTv1; rua=mailto:a@b.example?bcc=c@d.example'

# check config
: >"$dir/conf"
json_exits 0 "an empty configuration" '$j->{valid} && !@{$j->{errors}}' check config "$dir/conf"
exits 0 "configuration, for people" check config "$dir/conf"
exits 0 "configuration by -c" -c "$dir/conf" check config
printf 'stsd {\n  frob = 1\n}\n' >"$dir/conf"
json_exits 1 "unknown key" '!$j->{valid} && $j->{errors}[0] =~ /conf:2: .*frob/' check config "$dir/conf"
exits 1 "unknown key, for people" check config "$dir/conf"
ok "unknown key is told" says 'conf:2: .*frob'
json_exits 2 "no configuration" '!$j->{valid} && $j->{errors}[0] =~ /No such file/' check config "$dir/nonesuch"
exits 2 "no configuration by -c" -c "$dir/nonesuch" check config
exits 2 "configuration is a directory" check config "$dir"

# check postfix, with a postconf that prints three files; the real one is asked in the lab
mkdir "$dir/bin"
printf '#!/bin/sh\n[ "$1" = -c ] && shift 2\n[ ! -e "%s/fails" ] || { echo "postconf: fatal: no such thing" >&2; exit 1; }\nexec cat "%s/postconf$1"\n' "$dir" "$dir" >"$dir/bin/postconf"
chmod 755 "$dir/bin/postconf"
: >"$dir/conf"
cat >"$dir/postconf-x" <<'END'
transport_maps = regexp:{ {/\+requiretls"?@/ requiretls:inet:127.0.1.1:8689} {/\+tlsoptional"?@/ relaxed:} }
recipient_delimiter = +
propagate_unmatched_extensions = canonical, virtual, alias, forward, include
requiretls_destination_concurrency_failed_cohort_limit = 0
smtp_tls_policy_maps = socketmap:inet:127.0.0.1:8461:postfix
END
cat >"$dir/postconf-M" <<'END'
requiretls unix - - n - 200 lmtp
relaxed unix - - n - - smtp
END
cat >"$dir/postconf-Px" <<'END'
requiretls/unix/lmtp_rcpt_timeout = 1000s
requiretls/unix/lmtp_data_init_timeout = 1000s
requiretls/unix/lmtp_data_xfer_timeout = 1000s
requiretls/unix/lmtp_data_done_timeout = 1000s
relaxed/unix/smtp_tls_security_level = may
relaxed/unix/smtp_tls_policy_maps =
relaxed/unix/smtp_generic_maps = regexp:{{/^(.+)\+tlsoptional("?@[^@]*)$/ $1$2}}
END
old_path=$PATH
PATH=$dir/bin:$PATH
json_exits 0 "Postfix without a finding" '$j->{valid} && !@{$j->{findings}} && !@{$j->{errors}}' -c "$dir/conf" check postfix
exits 0 "Postfix without a finding, for people" -c "$dir/conf" check postfix --config-dir "$dir"
ok "Postfix without a finding: it is said" prints '^valid: 0 findings\. Not looked at: '
printf 'relayd { listen = {"inet:127.0.1.2:8689"} }\n' >"$dir/conf"
json_exits 1 "a finding" '!$j->{valid} && @{$j->{findings}} == 1 && $j->{findings}[0]{name} eq "flag-nexthop"' -c "$dir/conf" check postfix
exits 1 "a finding, for people" -c "$dir/conf" check postfix
ok "a finding: where and what" prints '^main.cf: transport_maps: line 1: relayd does not listen on next hop inet:127.0.1.1:8689: .*; write '
: >"$dir/conf"
printf 'transport_maps = regexp:/\033[2J\377\n' >>"$dir/postconf-Px" # of no service
json_exits 2 "postconf that prints nonsense" '!$j->{valid} && $j->{errors}[0] =~ /no parameter of a service/' -c "$dir/conf" check postfix
: >"$dir/postconf-Px"
printf 'transport_maps = regexp:/\033[2J\377\n' >"$dir/postconf-x"
json_exits 1 "odd octets in Postfix's configuration" '@{$j->{findings}} > 1' -c "$dir/conf" check postfix
exits 1 "odd octets in Postfix's configuration, for people" -c "$dir/conf" check postfix
ok "no escape sequence gets through from there" sh -c '! grep -q "$(printf "\033")" "$1"' sh "$dir/out"
: >"$dir/fails"
exits 2 "postconf fails" -c "$dir/conf" check postfix
ok "postconf fails: what it said" says 'postconf failed: postconf: fatal: no such thing$'
perl -e '$SIG{CHLD} = "IGNORE"; exec @ARGV' "$ctl" -c "$dir/conf" check postfix >"$dir/out" 2>"$dir/err" </dev/null
rc=$?
ok "postconf fails where SIGCHLD was ignored at the start" [ "$rc" -eq 2 ]
ok "postconf fails where SIGCHLD was ignored: what it said" says 'postconf failed: postconf: fatal: no such thing$'
exits 2 "no configuration of Postern" -c "$dir/nonesuch" check postfix
printf '#!/nonesuch\n' >"$dir/bin/postconf"
exits 2 "postconf cannot be run" -c "$dir/conf" check postfix
exits 2 "check postfix takes no words" check postfix main.cf
PATH=$old_path

finish
