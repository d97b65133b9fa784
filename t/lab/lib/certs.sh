# certs.sh - a private CA, and certificates good and bad
# shellcheck shell=bash

CA_CERT=$LAB/certs/ca.pem
CA_KEY=$LAB/certs/ca.key
CERT_NEW=(openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes
    -addext 'basicConstraints=critical,CA:false')
CERT_HOSTED=another-name.test
declare -A CERT_JOB CERT_TLSA

certs_up() {
    need "making the CA" openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
        -subj "/CN=Lab CA" -addext keyUsage=critical,keyCertSign \
        -keyout "$CA_KEY" -out "$CA_CERT"
    cert_begin selfsigned snakeoil
}

# cert_make KIND NAME: begins to make the certificate of a host, and sets CERT to $LAB/certs/SOMETHING, where
# CERT.pem will be (key, certificate, the CA's certificate) and CERT.crt (certificate). The kinds:
#   good, selfsigned, expired
#   snakeoil    self-signed, for some name, the same for all hosts that have it
#   hosted      good, the same for all hosts that have it, with the names of all of them
#   wrongname   for another name
#   nexthop     for the name of the domain, not of the host
#   wildcard    for *.PARENT
#   cnonly      the name is in the subject only, not in a subjectAltName
# shellcheck disable=SC2034
cert_make() {
    CERT=$LAB/certs/$2
    case $1 in
    snakeoil) CERT=$LAB/certs/snakeoil ;;
    hosted) CERT=$LAB/certs/hosted; CERT_HOSTED+=",DNS:$2" ;;
    *) cert_begin "$1" "$2" ;;
    esac
}

# certs_ready: until all of them are made
certs_ready() {
    local file
    cert_begin good hosted "$CERT_HOSTED"
    for file in "${!CERT_JOB[@]}"; do
        cert_wait "$file"
    done
}

# cert_begin KIND NAME [NAME,DNS:NAME,…]: in the background, makes the files $LAB/certs/NAME.*
cert_begin() {
    cert_job "$@" >"$LAB/certs/$2.out" 2>&1 &
    CERT_JOB[$LAB/certs/$2]=$!
}

cert_wait() {
    wait "${CERT_JOB[$1]}" || die "making the certificate $1 failed" "$1.out"
}

cert_job() {
    local base=$LAB/certs/$2 san=${3:-$2} names=() sign=(-x509 -days 10 -CA "$CA_CERT" -CAkey "$CA_KEY")
    case $1 in
    good | cnonly) ;;
    selfsigned) sign=(-x509 -days 10) ;;
    expired) sign=() ;;
    wrongname) san=another-name.test ;;
    nexthop) san=$DOMAIN ;;
    wildcard) san="*.${2#*.}" ;;
    *) echo "no such kind of certificate: $1"; return 1 ;;
    esac
    [ "$1" = cnonly ] || names=(-addext "subjectAltName=DNS:$san")
    "${CERT_NEW[@]}" "${sign[@]}" "${names[@]}" -subj "/O=Lab/CN=${san%%,*}" -keyout "$base.key" -out "$base.crt" || return 1
    # only a request can be signed with dates of the past
    [ "$1" != expired ] || openssl x509 -req -in "$base.crt" -copy_extensions copy -days -1 \
        -CA "$CA_CERT" -CAkey "$CA_KEY" -out "$base.crt" || return 1
    printf '%s\n' "$(<"$base.key")" "$(<"$base.crt")" "$(<"$CA_CERT")" >"$base.pem"
}

# cert_tlsa CERT 'USAGE SELECTOR MATCHING': sets TLSA to the data that fit a certificate (usage 0, 2: the CA's)
cert_tlsa() {
    local usage selector matching file=$1.crt form=(openssl x509 -outform DER) digest
    TLSA=${CERT_TLSA["$1 $2"]:-}
    [ -z "$TLSA" ] || return
    cert_wait "$1"
    read -r usage selector matching <<<"$2"
    case $usage in 0 | 2) file=$CA_CERT ;; esac
    case $selector in 1) form=(cert_key) ;; esac
    case $matching in 1) digest=(sha256sum) ;; 2) digest=(sha512sum) ;; 0) digest=(od -An -v -tx1 -w9999) ;; esac
    TLSA="$("${form[@]}" <"$file" | "${digest[@]}")"
    TLSA=${TLSA%-}
    TLSA="$2 ${TLSA// /}"
    CERT_TLSA["$1 $2"]=$TLSA
}

cert_key() { openssl x509 -noout -pubkey | openssl pkey -pubin -outform DER; }
