# mounts.sh - the lab's own /run, /usr and /etc, in its private mount namespace
# shellcheck shell=bash

mounts_up() {
    mount -t tmpfs -o mode=755 lab /run || exit 1
    mkdir -p "$LAB"/{bin,log,tmp,mail,zones,certs,web/sites,postern} /run/netns /run/lock
    chmod 1777 "$LAB/tmp"
    export TMPDIR=$LAB/tmp
    need "laying the packages over /usr" overlay /usr
    need "laying a private /etc over the host's" overlay /etc
    PATH=$LAB/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin
    export PATH
    hostname client.test
    etc_write
}

# overlay DIR: host's DIR, over it the packages' DIR, over it what the lab changes
overlay() {
    local over=/run/overlay$1
    mkdir -p "$over/upper" "$over/work"
    mount -t overlay "lab$1" \
        -o "lowerdir=$POSTERN_LAB_ROOT$1:$1,upperdir=$over/upper,workdir=$over/work" "$1"
}

etc_write() {
    local name
    rm -f /etc/resolv.conf /etc/hosts /etc/nsswitch.conf
    printf 'nameserver 127.0.0.1\noptions edns0 trust-ad\n' >/etc/resolv.conf
    printf '127.0.0.1 localhost\n192.0.2.25 client.test client\n' >/etc/hosts
    printf '%s\n' 'passwd: files' 'group: files' 'hosts: files dns' >/etc/nsswitch.conf
    rm -f /etc/mailname && echo client.test >/etc/mailname
    user_add postdrop 901
    for name in postfix:902 vmail:903 postern:904 Debian-exim:905; do
        user_add "${name%:*}" "${name#*:}"
    done
    etc_trust
}

# Of the authorities that the host trusts two are enough, which nothing in here is certified by: programs read all of them at each start.
etc_trust() {
    local all=/etc/ssl/certs/ca-certificates.crt two
    two=$(awk '/BEGIN CERTIFICATE/ { n++ } n <= 2' "$all") && printf '%s\n' "$two" >"$all"
    two=$(grep '^[^#!]' /etc/ca-certificates.conf | head -n 2) && printf '%s\n' "$two" >/etc/ca-certificates.conf
}

# user_add NAME ID: unless the host has it already
user_add() {
    getent group "$1" >/dev/null || echo "$1:x:$2:" >>/etc/group
    getent passwd "$1" >/dev/null ||
        echo "$1:x:$2:$(getent group "$1" | cut -d: -f3)::/nonexistent:/usr/sbin/nologin" >>/etc/passwd
}
