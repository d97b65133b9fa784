# postern.sh - Redis and Postern's daemons on the client node
# shellcheck shell=bash

POSTERN_DIR=$LAB/postern
POSTERN_CONF=$POSTERN_DIR/postern.conf

postern_check() {
    local program
    for program in stsd/postern-stsd policyd/postern-policyd tlsrptd/postern-tlsrptd ctl/posternctl t/relayd/receiver; do
        [ -x "$POSTERN_BUILD/$program" ] ||
            die "$POSTERN_BUILD/$program is not there: build first, or set POSTERN_BUILD"
    done
}

postern_start() {
    chown postern: "$POSTERN_DIR"
    postern_conf >"$POSTERN_CONF"
    postern_ctl
    daemon redis client "redis-cli -s $LAB/redis.sock ping | grep -q PONG" \
        redis-server --port 0 --unixsocket "$LAB/redis.sock" --unixsocketperm 777 \
        --dir "$LAB/tmp" --save '' --appendonly no
    daemon_wait redis
    postern_daemon stsd "$POSTERN_DIR/stsd.sock"
    postern_daemon policyd "$POSTERN_DIR/policyd.sock"
}

# postern_daemon PART SOCKET
postern_daemon() {
    daemon "postern-$1" client "[ -S $2 ]" "$POSTERN_BUILD/$1/postern-$1" -c "$POSTERN_CONF" -f
}

# A good end shows what a sanitized build has to say, too.
postern_stop() {
    daemon_stop postern-policyd
    daemon_stop postern-stsd
}

# posternctl, with the lab's configuration
postern_ctl() {
    cat >"$LAB/bin/posternctl" <<END
#!/bin/sh
exec "$POSTERN_BUILD/ctl/posternctl" -c "$POSTERN_CONF" "\$@"
END
    chmod +x "$LAB/bin/posternctl"
}

postern_conf() {
    cat <<END
redis {
    url = "unix:$LAB/redis.sock"
    prefix = "postern:"
    timeout = "5s"
}
stsd {
    listen = "unix:$POSTERN_DIR/stsd.sock"
    resolvers = {"127.0.0.1:53"}
    ca_file = "$CA_CERT"
    https_port = 443
    https_timeout = "15s"
    retry_after = "2s"
    user = "postern"
    metrics_listen = "inet:127.0.0.1:9462"
}
policyd {
    listen = {"unix:$POSTERN_DIR/policyd.sock", "inet:127.0.0.1:8461"}
    exim_listen = {"inet:127.0.0.1:8464"}
    control = "unix:$POSTERN_DIR/policyd.ctl"
    stsd = "unix:$POSTERN_DIR/stsd.sock"
    user = "postern"
    lists_file = "$POSTERN_DIR/lists"
    metrics_listen = "inet:127.0.0.1:9461"
}
relayd {
    stsd = "unix:$POSTERN_DIR/stsd.sock"
    ca_file = "$CA_CERT"
    name = "client.test"
}
tlsrptd {
    listen = "unix:$POSTERN_DIR/tlsrptd.sock"
    datagrams = "unix:$POSTERN_DIR/tlsrpt.sock"
    stsd = "unix:$POSTERN_DIR/stsd.sock"
    policyd = "unix:$POSTERN_DIR/policyd.ctl"
    spool = "$POSTERN_DIR/spool"
    user = "postern"
    ca_file = "$CA_CERT"
    mail = "sendmail:/usr/sbin/sendmail"
}
END
}
