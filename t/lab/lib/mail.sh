# mail.sh - the sender's Postfix (stock Debian, asks Postern), and one that is all receivers
# shellcheck shell=bash
#
# The sender's configuration is in /etc/postfix, so that mailq, sendmail and postmap work as
# they do on any Debian host. The receivers are smtpd services of one Postfix on node mx, in
# /etc/postfix-mx, each with addresses, name and certificate of its own; what it is given ends
# in $LAB/mail/DOMAIN, as a Maildir. /etc/postfix-strict is a second sender, which a test may start: it demands TLS where
# Postern says nothing, and asks the node `one` of lib Nodes.pm. /etc/postfix-flag is a third one, which a test may start:
# it has all that contrib/postfix has for postern-milter, and Flags.pm is about it.

MX_SERVICES=$LAB/mx.services
MX_MAILBOXES=$LAB/mx.mailboxes
MX_ADDRESSES=$LAB/mx.addresses
MX_FAULTS=$LAB/mx.faults
SCRIPTED=$LAB/scripted.hosts
# shellcheck disable=SC2154
CONTRIB=$lab/../../contrib/postfix

# mail_listen HOST ADDRESS PORT CERTIFICATE-FILE [-o { PARAMETER = VALUE } …]: a receiving smtpd; without a file: no
# STARTTLS; port 465: TLS from the beginning
mail_listen() {
    local host=$1 addr=$2 port=$3 chain=$4 tls=may
    [ -n "$chain" ] || tls=none
    case $addr in
    *:*) echo "$addr/64" >>"$MX_ADDRESSES"; addr="[$addr]" ;;
    *) echo "$addr/24" >>"$MX_ADDRESSES" ;;
    esac
    {
        echo "$addr:$port inet n - n - - smtpd"
        echo "  -o myhostname=$host -o syslog_name=postfix/$host"
        echo "  -o smtpd_tls_security_level=$tls -o smtpd_tls_chain_files=$chain"
        [ "$port" != 465 ] || echo "  -o smtpd_tls_wrappermode=yes"
        [ $# -lt 5 ] || echo "  ${*:5}"
    } >>"$MX_SERVICES"
}

mail_start() {
    node_addrs mx "$MX_ADDRESSES"
    mail_conf_common /etc/postfix client
    mail_conf_common /etc/postfix-mx mx
    mail_conf_common /etc/postfix-strict strict
    mail_conf_common /etc/postfix-flag flag
    { mail_conf_client "$LAB/postern/policyd.sock"; mail_conf_transport "$LAB/postern/policyd.sock"; mail_conf_may; } >>/etc/postfix/main.cf
    { mail_conf_client "$LAB/nodes/one/policyd.sock"; mail_conf_transport "$LAB/nodes/one/policyd.sock"; mail_conf_strict; } \
        >>/etc/postfix-strict/main.cf
    { mail_conf_client "$LAB/postern/policyd.sock"; mail_conf_flag; mail_contrib_milter; } >>/etc/postfix-flag/main.cf
    mail_conf_mx >>/etc/postfix-mx/main.cf
    sed '/^smtp  *inet/s/^smtp/127.0.0.1:25/' -i /etc/postfix/master.cf
    sed '/^smtp  *inet/d' -i /etc/postfix-{mx,strict,flag}/master.cf
    mail_unchroot "$CONTRIB/master.cf" | tee -a /etc/postfix-{strict,flag}/master.cf >>/etc/postfix/master.cf
    sed '/^pickup/d' -i /etc/postfix-flag/master.cf
    { mail_services_flag; mail_unchroot "$CONTRIB/sendmail.cf"; } >>/etc/postfix-flag/master.cf
    sed 's/example\\.com/home\\.test/; s/lists\\.example\\.com/alias\\.test|forward\\.test/' "$CONTRIB/transport_flags.regexp" \
        >/etc/postfix-flag/transport_flags.regexp
    cp "$CONTRIB/generic_flags.regexp" /etc/postfix-flag/
    mail_services_inbound >>/etc/postfix/master.cf
    cat "$MX_SERVICES" >>/etc/postfix-mx/master.cf
    # Postfix waits until a file that it reads is two seconds old.
    touch -d "1 minute ago" /etc/postfix/*.cf /etc/postfix-{mx,strict,flag}/* "$MX_MAILBOXES"
    chgrp postdrop /usr/sbin/postdrop /usr/sbin/postqueue
    chmod 2555 /usr/sbin/postdrop /usr/sbin/postqueue
    mail_daemon client client 127.0.0.1
    mail_daemon mx mx 198.51.100.10
    daemon faulty mx "exec 3<>/dev/tcp/$(head -n 1 "$MX_FAULTS" | cut -d' ' -f1)/25" "$lab/lib/faulty" "$MX_FAULTS"
}

# When there are certificates
scripted_start() {
    daemon scripted mx "grep -q ^ready $LAB/log/scripted.out" "$lab/lib/scripted" "$SCRIPTED" "$LAB/scripted"
}

# mail_daemon NAME NODE ADDRESS
mail_daemon() {
    local conf=/etc/postfix
    [ "$1" = mx ] && conf=/etc/postfix-mx
    daemon "$1" "$2" "exec 3<>/dev/tcp/$3/25 && read -r -t 5 line <&3 && [[ \$line = 220* ]]" \
        postfix -c "$conf" start-fg
}

# A master.cf without chroot, but for the way to relayd: it needs nothing that is not in there.
mail_unchroot() { sed '/^requiretls/b; /^[^# ]/s/^\(\S\+\s\+\S\+\s\+\S\+\s\+\S\+\s\+\)y/\1n/' "$1"; }

# All start from Debian's main.cf and master.cf.
mail_conf_common() {
    local dir=$1 name=$2
    mkdir -p "$dir" "$LAB/$name/spool" "$LAB/$name/lib"
    chown postfix: "$LAB/$name/lib"
    cp /usr/share/postfix/main.cf.debian "$dir/main.cf"
    mail_unchroot /usr/share/postfix/master.cf.dist >"$dir/master.cf"
    # what Debian's start script copies, for services that are switched back to chroot
    mkdir -p "$LAB/$name/spool/etc"
    cp /etc/resolv.conf /etc/hosts /etc/nsswitch.conf /etc/services "$LAB/$name/spool/etc/"
    cat >>"$dir/main.cf" <<END
queue_directory = $LAB/$name/spool
data_directory = $LAB/$name/lib
maillog_file = $LAB/log/$name.log
maillog_file_prefixes = $LAB
alias_database =
local_recipient_maps =
mynetworks = 127.0.0.0/8
END
}

# mail_conf_client SOCKET: a sender that asks the policyd there
mail_conf_client() {
    cat <<END
myhostname = client.test
myorigin = client.test
smtp_helo_name = client.test
smtp_bind_address = $CLIENT_ADDR
smtp_dns_support_level = dnssec
smtp_tls_loglevel = 1
smtp_tls_CAfile = $CA_CERT
smtp_tls_policy_maps = socketmap:unix:$1:postfix
END
}

mail_conf_transport() {
    cat <<END
# three domains that an operator has led elsewhere, and else what policyd says
transport_maps = inline:{ {list-hop.test = smtp:[mx.list-hop.test]}
        {list-hop-require.test = smtp:[mx.list-hop-require.test]} {list-hop-address.test = smtp:[192.0.2.161]} }
    socketmap:unix:$1:transport
END
}

# With the line of contrib/postfix/tlsrpt.cf
mail_conf_may() {
    cp "$CONTRIB/generic_flags.regexp" /etc/postfix/
    sed -n 's/^#sender_dependent/sender_dependent/; s/example\.com/rpt-reporter.test/; /^sender_dependent/p' "$CONTRIB/tlsrpt.cf"
    cat <<END
mydestination =
alias_maps =
smtp_tls_security_level = may
# so that a test sees the second attempt too
queue_run_delay = 2s
minimal_backoff_time = 2s
maximal_backoff_time = 10s
END
}

# Attempts are made only when a test asks for them.
mail_conf_strict() {
    cat <<END
mydestination =
alias_maps =
smtp_tls_security_level = encrypt
queue_run_delay = 1h
minimal_backoff_time = 1h
maximal_backoff_time = 1h
END
}

# A sender with a milter. home.test is its own, in alias.test and forward.test are aliases. Users log in on its address in the
# world; on port 2526 the milter is asked by TCP. A header field X-Hold keeps a message in the queue, so that a test may look at it.
mail_conf_flag() {
    cat <<END
smtp_tls_security_level = may
queue_run_delay = 1h
minimal_backoff_time = 1h
message_size_limit = 100000000
mailbox_size_limit = 0
smtpd_recipient_limit = 1000
virtual_mailbox_domains = home.test
virtual_mailbox_maps = inline:{@home.test=home.test/}
virtual_mailbox_base = $LAB/mail
virtual_mailbox_limit = 0
virtual_uid_maps = static:$(id -u vmail)
virtual_gid_maps = static:$(id -g vmail)
mydestination = forward.test
alias_maps = inline:{out=out@remote.test}
virtual_alias_domains = alias.test
virtual_alias_maps = inline:{ {out@alias.test = out@remote.test} {in@alias.test = in@home.test} {root@client.test = out@remote.test} }
recipient_canonical_maps = inline:{old@other.test=new@other.test}
smtpd_relay_restrictions = check_client_access static:ok, reject
smtpd_peername_lookup = no
smtpd_tls_security_level = may
smtpd_tls_chain_files = $LAB/certs/snakeoil.pem
smtpd_sasl_type = dovecot
smtpd_sasl_path = $LAB/flag/auth.sock
smtpd_client_connection_rate_limit = 0
header_checks = regexp:{ {/^X-Hold:/ HOLD} }
END
}

# What contrib/postfix/flags.cf has, but for the sockets
mail_contrib_milter() {
    sed "s,inet:127.0.0.1:8461,unix:$LAB/postern/policyd.sock,; s,inet:127.0.0.1:8463,unix:$LAB/milter/milter.sock," "$CONTRIB/flags.cf"
}

mail_services_flag() {
    echo "127.0.0.1:2525 inet n - n - - smtpd"
    echo "$CLIENT_ADDR:2525 inet n - n - - smtpd -o smtpd_sasl_auth_enable=yes"
    echo "127.0.0.1:2526 inet n - n - - smtpd -o smtpd_milters=inet:127.0.0.1:8463"
}

# What the world sees of the sender; which clients get STARTTLS there, policyd says.
mail_services_inbound() {
    local addr
    for addr in "$CLIENT_ADDR" "[$CLIENT_ADDR6]"; do
        cat <<END
$addr:25 inet n - n - - smtpd
  -o syslog_name=postfix/inbound -o smtpd_peername_lookup=no
  -o smtpd_tls_security_level=may -o smtpd_tls_chain_files=$LAB/certs/snakeoil.pem
  -o smtpd_discard_ehlo_keyword_address_maps=socketmap:unix:$LAB/postern/policyd.sock:ehlo
END
    done
}

mail_conf_mx() {
    chown vmail: "$LAB/mail"
    cat <<END
mydestination =
alias_maps =
myhostname = mx.test
smtpd_tls_loglevel = 1
smtpd_tls_received_header = yes
# an entry that is never used, so that smtpd logs the name that the client asks for
tls_server_sni_maps = inline:{unused.invalid=$CA_KEY}
smtpd_peername_lookup = no
virtual_mailbox_domains = static:all
virtual_mailbox_maps = texthash:$MX_MAILBOXES
virtual_mailbox_base = $LAB/mail
virtual_uid_maps = static:$(id -u vmail)
virtual_gid_maps = static:$(id -g vmail)
default_transport = error:the receivers send nothing
smtpd_client_connection_rate_limit = 0
END
}
