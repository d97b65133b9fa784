# nodes.sh - hosts of the small internet: network namespaces on one bridge
# shellcheck shell=bash
#
# The bridge is in the lab's own first network namespace, so the host sees none of it.
# All names and addresses are the ones set aside for documentation.

DNS_ADDR=192.0.2.53
WEB_ADDR=192.0.2.80
WEB_ADDR6=2001:db8::80
CLIENT_ADDR=192.0.2.25
CLIENT_ADDR6=2001:db8::25
# shellcheck disable=SC2034
DEAD_ADDR=$DNS_ADDR         # refuses connections for mail and for the web
SILENT_ADDR=192.0.2.66      # swallows all that the client sends there

nodes_up() {
    need "making the bridge" ip link add wire type bridge forward_delay 0
    need "starting the bridge" ip link set wire up
    node_up dns "$DNS_ADDR" 2001:db8::53
    node_up web "$WEB_ADDR" "$WEB_ADDR6"
    node_up client "$CLIENT_ADDR" "$CLIENT_ADDR6"
    node_up mx 198.51.100.1 2001:db8::1:1
    need "an address that swallows" ip -n client neigh add "$SILENT_ADDR" lladdr 02:00:00:00:00:66 dev eth0
}

# node_up NAME IPV4 IPV6
node_up() {
    need "making node $1" ip netns add "$1"
    need "wiring node $1" ip link add "$1" type veth peer name eth0 netns "$1"
    need "wiring node $1" ip link set "$1" master wire up
    ip -n "$1" -batch - >"$LAB/log/step.out" 2>&1 <<END || die "addresses of node $1" "$LAB/log/step.out"
link set lo up
link set eth0 up
addr add $2/24 dev eth0
addr add $3/64 dev eth0 nodad
route replace 192.0.2.0/24 dev eth0
route replace 198.51.100.0/24 dev eth0
route replace 203.0.113.0/24 dev eth0
END
}

# node_addrs NODE FILE: more addresses for a node, one a line
node_addrs() {
    sed 's/.*:.*/& nodad/; s/^/addr add dev eth0 /' "$2" | ip -n "$1" -batch - >"$LAB/log/step.out" 2>&1 ||
        die "addresses for node $1" "$LAB/log/step.out"
}
