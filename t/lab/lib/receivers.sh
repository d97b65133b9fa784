# receivers.sh - the words of the files in `internet`, which say what domains there are
# shellcheck shell=bash
#
#   domain NAME 'what it is' [ID …] [demo] [zone=KIND] [within=DOMAIN] [ttl=SECONDS]
#       ID: the check that it covers, such as A3 or B-1; demo: shown by `run demo`
#       zone: a KIND of lib/names.sh (unsigned); within: no zone of its own, but a name in that domain's
#   mx HOST [pref=N] [what server takes …]
#       an MX record for that host, and the host itself
#   server HOST [cert=KIND] [tlsa=DATA] [family=4|6|46] [port=465] [address=ADDRESS] [fault=FAULT] [POSTFIX_PARAMETER=VALUE …]
#       only the host: address records, and a receiving smtpd on addresses of its own
#       cert: a KIND of lib/certs.sh (good), or none: no STARTTLS; tlsa: TLSA records at its name
#       port: TLS from the beginning on 465, and nothing on 25; address: only this one; fault: "handshake" or "later", and
#       "once": how lib/faulty breaks its TLS; there is no IPv6 then, so that a delivery has one attempt
#   scripted HOST [pref=N|none] [cert=KIND] [tlsa=DATA] [family=4|6|46] [down=yes] [KEY=VALUE …]
#       an MX record for a host that offers REQUIRETLS, as no server of Debian 12 does, and the host itself: t/relayd/receiver.c, which
#       explains the keys (_ for blanks). pref=none: no MX record; cert: a KIND (hosted); down: nothing listens there until a test has
#       started it by its line in $LAB/scripted.down. What it saw is in $LAB/scripted/HOST.log.
#   tlsa NAME DATA [HOST]
#       TLSA records at that name; DATA: '3 1 1 …', or '3 1 1' for what fits the certificate of HOST (NAME),
#       good for the same, mismatch for another key; more than one with commas between
#   sts MODE PATTERN … [id=…] [max_age=…] [eol=lf] [size=OCTETS] [type=MEDIA/TYPE] [cert=KIND]
#       the TXT record, and a policy host that serves this policy; a record or an address that the
#       zone has before stays instead
#       cert: a KIND (hosted)
#   policy TEXT
#       a policy host that serves these very octets (escapes as for printf %b)
#   policy_host [cert=KIND] 'NGINX DIRECTIVE;' …
#       instead of the policy: anything that nginx can be made to do
#   tlsrpt ADDRESS
#   record 'LINE' …
#       any other records, in master file format, relative to the domain
#   expect sent|deferred|bounced answer=REGEX [why=REGEX] [log=REGEX] [reason=REGEX]
#          got=TLS-VERSION|clear|nothing [sni=NAME] [at=HOST] [to=DOMAIN]
#       what Postern must answer (all of it, without OK), and among its reasons; what the sender must log, and
#       give as the reason; what must reach the receiver, and the TLS name it is asked for (without sni: none).
#       at: the receiving host, if it is not in the domain; to: the domain as mail is addressed to it

declare -A HOST_CERT

# receivers_read FILE …
receivers_read() {
    local file
    MX_NEXT=10
    SCRIPTED_NEXT=10
    : >"$LAB/expect.tsv"
    for file in "$@"; do
        # shellcheck source=/dev/null
        . "$file" || die "the file $file is not right"
    done
}

domain() {
    local word kind=unsigned ttl=60
    DOMAIN=$1 ZONE=$1 DOMAIN_TEXT=$2 DOMAIN_CHECKS='' DOMAIN_DEMO='' DOMAIN_LINES=''
    for word in "${@:3}"; do
        case $word in
        [AB][-0-9]*) DOMAIN_CHECKS+="${DOMAIN_CHECKS:+ }$word" ;;
        demo) DOMAIN_DEMO=1 ;;
        zone=*) kind=${word#*=} ;;
        within=*) ZONE=${word#*=} ;;
        ttl=*) ttl=${word#*=} ;;
        *) die "$1: what is '$word'?" ;;
        esac
    done
    echo "@$1 $1/" >>"$MX_MAILBOXES"
    if [ "$ZONE" = "$1" ]; then
        zone_begin "$1" "$kind" "$ttl"
    else
        record "\$ORIGIN $1."
    fi
}

mx() {
    local host=$1 pref=10 word words=()
    shift
    for word in "$@"; do
        case $word in pref=*) pref=${word#*=} ;; *) words+=("$word") ;; esac
    done
    record "@ MX $pref $host."
    server "$host" "${words[@]}"
}

server() {
    local host=$1 cert=good tlsa=none family=46 port=25 fault='' word params=()
    local ipv4=198.51.100.$MX_NEXT ipv6=2001:db8::1:$MX_NEXT
    shift
    for word in "$@"; do
        case $word in
        cert=*) cert=${word#*=} ;;
        tlsa=*) tlsa=${word#*=} ;;
        family=*) family=${word#*=} ;;
        port=*) port=${word#*=} ;;
        address=*:*) ipv6=${word#*=} family=6 ;;
        address=*) ipv4=${word#*=} family=4 ;;
        fault=*) fault=${word#*=} family=4 port=2525 ;;
        *_*=*) params+=("-o { $word }") ;;
        *) die "$DOMAIN: $host: what is '$word'?" ;;
        esac
    done
    MX_NEXT=$((MX_NEXT + 1))
    CERT=''
    [ "$cert" = none ] || cert_make "$cert" "$host"
    HOST_CERT[$host]=$CERT
    [ -z "$fault" ] || echo "$ipv4 $fault" >>"$MX_FAULTS"
    case $family in *4*) record "$host. A $ipv4"; mail_listen "$host" "$ipv4" "$port" "${CERT:+$CERT.pem}" "${params[@]}" ;; esac
    case $family in *6*) record "$host. AAAA $ipv6"; mail_listen "$host" "$ipv6" "$port" "${CERT:+$CERT.pem}" "${params[@]}" ;; esac
    [ "$tlsa" = none ] || tlsa "$host" "$tlsa"
}

scripted() {
    local host=$1 pref=10 cert=hosted tlsa=none family=4 down='' word keys=() addr
    shift
    for word in "$@"; do
        case $word in
        pref=*) pref=${word#*=} ;;
        cert=*) cert=${word#*=} ;;
        tlsa=*) tlsa=${word#*=} ;;
        family=*) family=${word#*=} ;;
        down=*) down=${word#*=} ;;
        *=*) keys+=("${word// /_}") ;;
        *) die "$DOMAIN: $host: what is '$word'?" ;;
        esac
    done
    SCRIPTED_NEXT=$((SCRIPTED_NEXT + 1))
    [ "$pref" = none ] || record "@ MX $pref $host."
    cert_make "$cert" "$host"
    HOST_CERT[$host]=$CERT
    case $family in *4*) addr=203.0.113.$SCRIPTED_NEXT; record "$host. A $addr"; scripted_at "$addr/24" ;; esac
    case $family in *6*) addr=2001:db8::3:$SCRIPTED_NEXT; record "$host. AAAA $addr"; scripted_at "$addr/64" ;; esac
    [ "$tlsa" = none ] || tlsa "$host" "$tlsa"
}

# The rest of what scripted says: the host is at that address, too
scripted_at() {
    local file=$SCRIPTED
    echo "$1" >>"$MX_ADDRESSES"
    [ "$down" != yes ] || file=$LAB/scripted.down
    echo "${1%/*} $host cert=$CERT.pem ${keys[*]}" >>"$file"
}

tlsa() {
    local list
    IFS=, read -ra list <<<"$2"
    for TLSA in "${list[@]}"; do
        case $TLSA in
        mismatch) TLSA="3 1 1 $(printf '%064x' 1)" ;;
        good) cert_tlsa "${HOST_CERT[${3:-$1}]}" '3 1 1' ;;
        ?' '?' '?) cert_tlsa "${HOST_CERT[${3:-$1}]}" "$TLSA" ;;
        esac
        record "_25._tcp.$1. TLSA $TLSA"
    done
}

sts() {
    local mode=$1 word id=20260101 max_age=86400 eol=$'\r\n' size=0 type='' cert=hosted patterns=()
    local file=$LAB/web/$DOMAIN.txt text
    shift
    for word in "$@"; do
        case $word in
        id=*) id=${word#*=} ;;
        max_age=*) max_age=${word#*=} ;;
        eol=lf) eol=$'\n' ;;
        size=*) size=${word#*=} ;;
        type=*) type="types {} default_type ${word#*=};" ;;
        cert=*) cert=${word#*=} ;;
        *=*) die "$DOMAIN: sts: what is '$word'?" ;;
        *) patterns+=("mx: $word") ;;
        esac
    done
    printf -v text "%s$eol" 'version: STSv1' "mode: $mode" "${patterns[@]}" "max_age: $max_age"
    [ "$size" = 0 ] || printf -v text "%sfiller: %0$((size - ${#text} - 8 - ${#eol}))d$eol" "$text" 0
    printf %s "$text" >"$file"
    recorded '_mta-sts ' || record "_mta-sts TXT \"v=STSv1; id=$id\""
    policy_host "cert=$cert" "location = /.well-known/mta-sts.txt { $type alias $file; }"
}

policy() {
    local file=$LAB/web/$DOMAIN.txt
    printf '%b' "$1" >"$file"
    record '_mta-sts TXT "v=STSv1; id=20260101"'
    policy_host "location = /.well-known/mta-sts.txt { alias $file; }"
}

policy_host() {
    local kind=hosted
    case $1 in cert=*) kind=${1#*=} && shift ;; esac
    recorded 'mta-sts ' || record "mta-sts A $WEB_ADDR" "mta-sts AAAA $WEB_ADDR6"
    cert_make "$kind" "mta-sts.$DOMAIN"
    web_site "mta-sts.$DOMAIN" "$CERT.pem" "$@"
}

tlsrpt() { record "_smtp._tls TXT \"v=TLSRPTv1; rua=mailto:$1\""; }

record() {
    local line
    zone_add "$ZONE" "$@"
    for line in "$@"; do DOMAIN_LINES+=$'\n'$line; done
}

# recorded TEXT: whether a line of this domain begins so
recorded() { [[ $DOMAIN_LINES == *$'\n'"$1"* ]]; }

# expect: appends a line to expect.tsv, KEY=VALUE with tabs between
expect() {
    local status=$1 word key
    local -A is=([at]=$DOMAIN [to]=$DOMAIN)
    shift
    for word in "$@"; do
        key=${word%%=*}
        case $key in
        answer | why | log | reason | got | sni | at | to) is[$key]=${word#*=} ;;
        *) die "$DOMAIN: expect: what is '$word'?" ;;
        esac
    done
    [ "${is[to]}" = "$DOMAIN" ] || echo "@${is[to]} ${is[to]}/" >>"$MX_MAILBOXES"
    {
        printf 'domain=%s\ttext=%s\tchecks=%s\tdemo=%s' "$DOMAIN" "$DOMAIN_TEXT" "$DOMAIN_CHECKS" "$DOMAIN_DEMO"
        for key in answer why log reason got sni at to; do
            printf '\t%s=%s' "$key" "${is[$key]:-}"
        done
        printf '\tstatus=%s\n' "$status"
    } >>"$LAB/expect.tsv"
}
