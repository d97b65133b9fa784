# certs.sh - a private CA, and certificates good and bad
# shellcheck shell=bash

CA_CERT=$LAB/certs/ca.pem
CA_KEY=$LAB/certs/ca.key

certs_up() {
    need "making the CA" openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
        -subj "/CN=Lab CA" -addext keyUsage=critical,keyCertSign \
        -keyout "$CA_KEY" -out "$CA_CERT"
}

# cert_make KIND NAME: makes $LAB/certs/NAME.pem, key and certificate, for host NAME
cert_make() {
    local kind=$1 name=$2 san=$2
    local base=$LAB/certs/$name
    local sign=(-CA "$CA_CERT" -CAkey "$CA_KEY" -days 10)
    case $kind in
    good) ;;
    selfsigned) sign=(-signkey "$base.key" -days 10) ;;
    wrongname) san=another-name.test ;;
    expired) sign=(-CA "$CA_CERT" -CAkey "$CA_KEY" -days -1) ;;
    *) die "no such kind of certificate: $kind (of $name)" ;;
    esac
    need "key of $name" openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -subj "/O=Lab/CN=$san" -addext "subjectAltName=DNS:$san" \
        -addext basicConstraints=critical,CA:false -keyout "$base.key" -out "$base.csr"
    need "certificate of $name" openssl x509 -req -in "$base.csr" -copy_extensions copy \
        "${sign[@]}" -out "$base.crt"
    cat "$base.key" "$base.crt" >"$base.pem"
}

# cert_tlsa NAME: prints the 3 1 1 data for NAME's key
cert_tlsa() {
    openssl x509 -in "$LAB/certs/$1.crt" -noout -pubkey |
        openssl pkey -pubin -outform DER | sha256sum | sed 's/ .*//; s/^/3 1 1 /'
}
