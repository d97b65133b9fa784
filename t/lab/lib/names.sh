# names.sh - the DNS: nsd serves signed zones, unbound on the client validates them
# shellcheck shell=bash
#
# The tree is the root, test. below it, and below that a zone for every domain in the
# file `internet`. The root and test. are signed. A domain is delegated
#   unsigned    without DS
#   signed      with DS
#   expired     with DS, signatures whose time is over: bogus for a validating resolver

ZONES=$LAB/zones
ZONE_NAMES=()
declare -A ZONE_KIND

# zone_begin NAME KIND: a new zone file with SOA and NS
zone_begin() {
    local origin=${1%.}.
    ZONE_NAMES+=("$1")
    ZONE_KIND[$1]=$2
    cat >"$ZONES/$1.zone" <<END
\$ORIGIN $origin
\$TTL 60
@ SOA ns.test. hostmaster.test. 1 3600 600 86400 30
@ NS ns.test.
END
}

# zone_add NAME LINE…: lines in master file format
zone_add() {
    local zone=$1
    shift
    printf '%s\n' "$@" >>"$ZONES/$zone.zone"
}

# zone_sign NAME KIND: makes NAME.signed and leaves the DS in NAME.ds
zone_sign() (
    mkdir -p "$ZONES/keys/$1" && cd "$ZONES/keys/$1" || exit 1
    case $2 in
    signed) span=() ;;
    expired) span=(-i 20200101 -e 20200201) ;;
    unsigned) cp "$ZONES/$1.zone" "$ZONES/$1.signed"; exit ;;
    *) echo "no such kind of zone: $2" && exit 1 ;;
    esac
    key=$(ldns-keygen -a ECDSAP256SHA256 -k "$1") &&
        ldns-signzone "${span[@]}" -f "$ZONES/$1.signed" "$ZONES/$1.zone" "$key" &&
        cat "$key.ds" >"$ZONES/$1.ds" && cp "$key.key" "$ZONES/$1.key"
)

# zones_sign: every domain first, then test. with their DS records, then the root
zones_sign() {
    local zone job jobs=()
    zone_begin test signed
    zone_add test "ns A $DNS_ADDR" "client A $CLIENT_ADDR"
    for zone in "${ZONE_NAMES[@]}"; do
        [ "$zone" = test ] && continue
        zone_sign "$zone" "${ZONE_KIND[$zone]}" >"$LAB/log/sign.$zone" 2>&1 &
        jobs+=("$!:$zone")
    done
    for job in "${jobs[@]}"; do
        zone=${job#*:}
        wait "${job%%:*}" || die "signing $zone failed" "$LAB/log/sign.$zone"
        zone_add test "$zone. NS ns.test."
        [ -e "$ZONES/$zone.ds" ] && cat "$ZONES/$zone.ds" >>"$ZONES/test.zone"
    done
    need "signing test" zone_sign test signed
    zone_begin . signed
    zone_add . "test. NS ns.test." "ns.test. A $DNS_ADDR"
    cat "$ZONES/test.ds" >>"$ZONES/..zone"
    need "signing the root" zone_sign . signed
}

names_start() {
    zones_sign
    nsd_conf >"$LAB/nsd.conf"
    unbound_conf >"$LAB/unbound.conf"
    daemon nsd dns "drill @$DNS_ADDR soa test | grep -q NOERROR" \
        nsd -d -c "$LAB/nsd.conf"
    daemon unbound client "drill -D @127.0.0.1 soa test | grep -q 'flags:.* ad'" \
        unbound -d -c "$LAB/unbound.conf"
}

nsd_conf() {
    cat <<END
server:
    ip-address: $DNS_ADDR
    zonesdir: "$ZONES"
    zonelistfile: "$LAB/nsd.zonelist"
    database: ""
    pidfile: ""
    xfrdfile: ""
    xfrdir: "$LAB/tmp"
    logfile: "$LAB/log/nsd.log"
    username: ""
    chroot: ""
    server-count: 1
    rrl-ratelimit: 0
remote-control:
    control-enable: no
END
    local zone
    for zone in "${ZONE_NAMES[@]}"; do
        printf 'zone:\n    name: "%s"\n    zonefile: "%s.signed"\n' "$zone" "$zone"
    done
}

unbound_conf() {
    cat <<END
server:
    interface: 127.0.0.1
    username: ""
    chroot: ""
    directory: "$LAB"
    pidfile: ""
    use-syslog: no
    logfile: "$LAB/log/unbound.log"
    val-log-level: 2
    log-servfail: yes
    module-config: "validator iterator"
    trust-anchor-file: "$ZONES/..key"
    local-zone: "test." nodefault
stub-zone:
    name: "."
    stub-addr: $DNS_ADDR
remote-control:
    control-enable: yes
    control-interface: "$LAB/unbound.ctl"
    control-use-cert: no
END
}
