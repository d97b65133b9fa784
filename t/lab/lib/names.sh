# names.sh - the DNS: nsd serves signed zones, unbound on the client validates them
# shellcheck shell=bash
#
# The tree is the root, test. below it, and below that a zone for every domain in the
# files of `internet`. The root and test. are signed. A domain is delegated
#   unsigned    without DS
#   signed      with DS
#   expired     with DS, signatures whose time is over: bogus for a validating resolver
#   broken:TYPE with DS, but the records of that type are not signed: these are bogus

ZONES=$LAB/zones
ZONE_NAMES=()
declare -A ZONE_KIND

# zone_begin NAME KIND [TTL]: a new zone file with SOA and NS
zone_begin() {
    local ttl=${3:-60}
    ZONE_NAMES+=("$1")
    ZONE_KIND[$1]=$2
    printf '%s\n' "\$ORIGIN ${1%.}." "\$TTL $ttl" \
        "@ SOA ns.test. hostmaster.test. 1 3600 600 86400 $((ttl < 30 ? ttl : 30))" \
        "@ NS ns.test." >"$ZONES/$1.zone"
}

# zone_add NAME LINE…: lines in master file format
zone_add() {
    local zone=$1
    shift
    printf '%s\n' "$@" >>"$ZONES/$zone.zone"
}

# zone_sign NAME KIND: makes NAME.signed, and the key if there is none yet
zone_sign() (
    cd "$ZONES/keys" || exit 1
    case $2 in
    signed | broken:*) span=() ;;
    expired) span=(-i 20200101 -e 20200201) ;;
    *) echo "no such kind of zone: $2" && exit 1 ;;
    esac
    zone_key "$1" || ldns-keygen -a ECDSAP256SHA256 -k "$1" || exit 1
    zone_key "$1"
    ldns-signzone "${span[@]}" -f "$ZONES/$1.new" "$ZONES/$1.zone" "$ZONE_KEY" || exit 1
    case $2 in broken:*) sed -i "/RRSIG[[:space:]]${2#*:}[[:space:]]/d" "$ZONES/$1.new" ;; esac
    mv "$ZONES/$1.new" "$ZONES/$1.signed"
)

# zone_key NAME: sets ZONE_KEY to its key's files, without .key, .private, .ds; false: it has none
zone_key() {
    local files=("$ZONES/keys/K${1%.}.+"*.key)
    ZONE_KEY=${files[0]%.key}
    [ -e "${files[0]}" ]
}

# zones_sign: every domain first, then test. with their DS records, then the root
zones_sign() {
    local zone job jobs=()
    mkdir "$ZONES/keys"
    zone_begin test signed
    zone_add test "ns A $DNS_ADDR" "client A $CLIENT_ADDR"
    for zone in "${ZONE_NAMES[@]}"; do
        [ "$zone" = test ] && continue
        zone_add test "$zone. NS ns.test."
        [ "${ZONE_KIND[$zone]}" = unsigned ] && continue
        zone_sign "$zone" "${ZONE_KIND[$zone]}" >"$LAB/log/sign.$zone" 2>&1 &
        jobs+=("$!:$zone")
    done
    for job in "${jobs[@]}"; do
        zone=${job#*:}
        wait "${job%%:*}" || die "signing $zone failed" "$LAB/log/sign.$zone"
        zone_key "$zone" && cat "$ZONE_KEY.ds" >>"$ZONES/test.zone"
    done
    need "signing test" zone_sign test signed
    zone_begin . signed
    zone_add . "test. NS ns.test." "ns.test. A $DNS_ADDR"
    zone_key test && cat "$ZONE_KEY.ds" >>"$ZONES/..zone"
    need "signing the root" zone_sign . signed
    zone_key . && ln -s "$ZONE_KEY.key" "$ZONES/root.key"
}

# zones_change NAME[=KIND] …: serve these zones anew, after a change to NAME.zone or with signatures of that kind
# (signed), and have the resolver forget what it knew of them. Goes by files alone: it is also the command zones-changed.
zones_change() {
    local word zone serial end=$((SECONDS + LAB_DEADLINE))
    for word in "$@"; do
        zone=${word%%=*}
        serial=$(zone_serial "$zone")
        need "a new serial for $zone" sed -i "s/^@ SOA .* $serial 3600/@ SOA ns.test. hostmaster.test. $((serial + 1)) 3600/" \
            "$ZONES/$zone.zone"
        case $word in *=*) word=${word#*=} ;; *) word=signed ;; esac
        ! zone_key "$zone" || need "signing $zone" zone_sign "$zone" "$word"
        need "reading $zone anew" nsd-control -c "$LAB/nsd.conf" reload "$zone"
    done
    for zone in "${@%%=*}"; do
        serial=$(zone_serial "$zone")
        # as long as there is another one, the process of before may still answer
        until drill "@$DNS_ADDR" soa "$zone" | grep -q "SOA.* $serial 3600 " && [ "$(pgrep -c '^nsd: server')" = 1 ]; do
            [ "$SECONDS" -lt "$end" ] || die "the change to $zone is not served" "$LAB/log/nsd.log"
            sleep 0.03
        done
        need "forgetting $zone" unbound-control -c "$LAB/unbound.conf" flush_zone "$zone"
    done
}

zone_serial() { sed -n 's/^@ SOA .* \([0-9]*\) 3600 .*/\1/p' "$ZONES/$1.zone"; }

# the command zones-changed
names_command() {
    {
        echo '#!/bin/bash'
        # shellcheck disable=SC2154
        printf '. %q\n' "$lab"/lib/{base,nodes,names}.sh
        echo 'zones_change "$@"'
    } >"$LAB/bin/zones-changed"
    chmod +x "$LAB/bin/zones-changed"
}

names_start() {
    zones_sign
    names_command
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
    control-enable: yes
    control-interface: "$LAB/nsd.ctl"
END
    local zone file
    for zone in "${ZONE_NAMES[@]}"; do
        file=$zone.signed
        [ "${ZONE_KIND[$zone]}" = unsigned ] && file=$zone.zone
        printf 'zone:\n    name: "%s"\n    zonefile: "%s"\n' "$zone" "$file"
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
    trust-anchor-file: "$ZONES/root.key"
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
