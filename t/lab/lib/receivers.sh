# receivers.sh - the words of the file `internet`, which says what domains there are
# shellcheck shell=bash
#
#   domain NAME 'what it is' [zone=unsigned|signed|expired]
#   mx HOST [pref=N] [what server takes …]
#       an MX record for that host, and the host itself
#   server HOST [cert=good|selfsigned|wrongname|expired|none] [tlsa=none|good|mismatch|'3 1 1 …']
#               [family=4|6|46] [POSTFIX_PARAMETER=VALUE …]
#       only the host: address records, and a receiving smtpd on addresses of its own
#   sts MODE PATTERN … [id=…] [max_age=…]
#       the TXT record, and a policy host with a good certificate that serves this policy
#   policy_host [cert=KIND] 'NGINX DIRECTIVE;' …
#       instead of the policy: anything that nginx can be made to do
#   tlsrpt ADDRESS
#   record 'LINE'
#       any other record, in master file format, relative to the domain
#   expect sent|deferred answer=REGEX [log=REGEX] [reason=REGEX] got=TLS-VERSION|clear|nothing
#          [sni=NAME] [at=HOST]
#       what Postern must answer (all of it, without OK); what the sender must log, and give as the
#       reason; what must reach the receiver, and the TLS name it is asked for (without sni: none).
#       at: the receiving host, if it is not in the domain

receivers_read() {
    MX_NEXT=10
    : >"$LAB/expect.tsv"
    # shellcheck source=/dev/null
    . "$1" || die "the file $1 is not right"
}

domain() {
    DOMAIN=$1
    DOMAIN_TEXT=$2
    echo "@$1 $1/" >>"$MX_MAILBOXES"
    zone_begin "$1" "$(value zone unsigned "${@:3}")"
}

# value NAME DEFAULT WORD…: the value of the last word NAME=…
value() {
    local found=$2 word
    for word in "${@:3}"; do
        case $word in "$1"=*) found=${word#*=} ;; esac
    done
    printf '%s\n' "$found"
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
    local host=$1 cert=good tlsa=none family=46 word params=()
    local ipv4=198.51.100.$MX_NEXT ipv6=2001:db8::1:$MX_NEXT
    shift
    for word in "$@"; do
        case $word in
        cert=*) cert=${word#*=} ;;
        tlsa=*) tlsa=${word#*=} ;;
        family=*) family=${word#*=} ;;
        *_*=*) params+=("-o { $word }") ;;
        *) die "$DOMAIN: $host: what is '$word'?" ;;
        esac
    done
    MX_NEXT=$((MX_NEXT + 1))
    case $family in *4*) record "$host. A $ipv4"; mail_listen "$host" "$ipv4" "$cert" "${params[@]}" ;; esac
    case $family in *6*) record "$host. AAAA $ipv6"; mail_listen "$host" "$ipv6" "$cert" "${params[@]}" ;; esac
    [ "$cert" = none ] || cert_make "$cert" "$host"
    case $tlsa in
    none) return ;;
    good) tlsa=$(cert_tlsa "$host") ;;
    mismatch) tlsa="3 1 1 $(echo 'no such key' | sha256sum | cut -d' ' -f1)" ;;
    esac
    record "_25._tcp.$host. TLSA $tlsa"
}

sts() {
    local mode=$1 word id=20260101 max_age=86400 file=$LAB/web/$DOMAIN.txt
    shift
    {
        printf 'version: STSv1\r\nmode: %s\r\n' "$mode"
        for word in "$@"; do
            case $word in
            id=*) id=${word#*=} ;;
            max_age=*) max_age=${word#*=} ;;
            *) printf 'mx: %s\r\n' "$word" ;;
            esac
        done
        printf 'max_age: %s\r\n' "$max_age"
    } >"$file"
    record "_mta-sts TXT \"v=STSv1; id=$id\""
    policy_host "location = /.well-known/mta-sts.txt { alias $file; }"
}

policy_host() {
    local kind=good
    case $1 in cert=*) kind=${1#*=} && shift ;; esac
    grep -q '^mta-sts A ' "$ZONES/$DOMAIN.zone" ||
        record "mta-sts A $WEB_ADDR" "mta-sts AAAA 2001:db8::80"
    cert_make "$kind" "mta-sts.$DOMAIN"
    web_site "mta-sts.$DOMAIN" "$LAB/certs/mta-sts.$DOMAIN.pem" "$@"
}

tlsrpt() { record "_smtp._tls TXT \"v=TLSRPTv1; rua=mailto:$1\""; }

record() { zone_add "$DOMAIN" "$@"; }

expect() {
    local status=$1 key
    shift
    for key in "$@"; do
        case $key in
        answer=* | log=* | reason=* | got=* | sni=* | at=*) ;;
        *) die "$DOMAIN: expect: what is '$key'?" ;;
        esac
    done
    {
        printf 'domain=%s\ttext=%s\tstatus=%s' "$DOMAIN" "$DOMAIN_TEXT" "$status"
        for key in answer log reason got sni; do
            printf '\t%s=%s' "$key" "$(value "$key" '' "$@")"
        done
        printf '\tat=%s' "$(value at "$DOMAIN" "$@")"
        echo
    } >>"$LAB/expect.tsv"
}
