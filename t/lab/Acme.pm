package Acme;
# Acme.pm - what a test about certificates by ACME needs: pebble, an authority for tests (node dns); a Postfix of its own
# that takes mail for acme.test, with the store of certificates beside it (node mx); a program that changes the zone
# acme.test, as certs.dns_hook does.

use strict;
use warnings;
use IO::Socket::UNIX;
use JSON::PP qw(decode_json);
use Lab;
use Nodes;

our $DIR = "$Lab::DIR/acme";
our $CERTS = "$DIR/certs";
our $CONF = "$DIR/postern.conf";
our $ADDRESS = '198.51.100.250';
our $POSTFIX = '/etc/postfix-acme';

# uacme's hook runs it as an ordinary user, who need not be able to read the build
our $POSTERNCTL = "$Lab::DIR/posternctl-acme";
my $api = "$DIR/dns.sock";

sub spew {
    my ($file, $text, $mode) = @_;
    open my $out, '>', $file or die "$file: $!";
    print $out $text;
    close $out;
    chmod $mode, $file if $mode;
    return;
}

sub slurp { return join '', map { "$_\n" } Lab::lines($_[0]) }

sub on { my ($node, @command) = @_; return ('nsenter', "--net=/run/netns/$node", '--', @command) }

sub run { my ($status, $out, $err) = Lab::capture(@_); die "@_: $err" if $status; return $out }

# --- the authority ---

# Its own certificate is by the lab's authority, which the machine trusts from now on.
sub make_pebble {
    run('install', '-m', '755', "$ENV{POSTERN_BUILD}/ctl/posternctl", $POSTERNCTL);
    mkdir "$DIR/pebble";
    run(split(/ /, 'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 10 -subj /CN=pebble -addext'),
        'subjectAltName=IP:192.0.2.53', '-addext', 'basicConstraints=critical,CA:false', '-CA', "$Lab::DIR/certs/ca.pem", '-CAkey',
        "$Lab::DIR/certs/ca.key", '-keyout', "$DIR/pebble/key.pem", '-out', "$DIR/pebble/cert.pem");
    spew("$DIR/pebble/conf.json", <<"END_CONF");
{"pebble": {"listenAddress": "192.0.2.53:14000", "managementListenAddress": "192.0.2.53:15000", "certificate": "$DIR/pebble/cert.pem",
 "privateKey": "$DIR/pebble/key.pem", "httpPort": 80, "tlsPort": 443, "ocspResponderURL": "", "externalAccountBindingRequired": false}}
END_CONF
    open my $trust, '>>', '/etc/ssl/certs/ca-certificates.crt' or die;
    print $trust slurp("$Lab::DIR/certs/ca.pem");
    close $trust;
    return;
}

sub start_pebble {
    local $ENV{PEBBLE_VA_NOSLEEP} = 1;
    local $ENV{PEBBLE_WFE_NONCEREJECT} = 0;
    local $ENV{PEBBLE_AUTHZREUSE} = 0;
    my $ready = sub { (Lab::capture(on('dns', 'bash', '-c', 'exec 3<>/dev/tcp/192.0.2.53/14000')))[0] == 0 };
    Nodes::start('pebble', $ready, on('dns', 'pebble', '-config', "$DIR/pebble/conf.json", '-dnsserver', '192.0.2.53:53'));
    return;
}

# What its certificates end in, another one after each start
sub root { return run('curl', '-sS', '--cacert', "$Lab::DIR/certs/ca.pem", 'https://192.0.2.53:15000/roots/0') }

sub stop_pebble { return Nodes::stop('pebble', 'KILL') }

# --- the mail server, on node mx, with a resolver beside it ---

sub make_postfix {
    my $queue = "$Lab::DIR/acme-spool";
    run('ip', '-n', 'mx', 'addr', 'add', "$ADDRESS/24", 'dev', 'eth0');
    mkdir $_ for $POSTFIX, $queue, "$queue/spool", "$queue/lib";
    my (undef, undef, $uid) = getpwnam 'postfix';
    chown $uid, -1, "$queue/lib";
    my $main = slurp('/etc/postfix-mx/main.cf');
    $main =~ s/^(queue_directory|data_directory|maillog_file|myhostname|smtpd_tls_chain_files|tls_server_sni_maps|smtpd_tls_cert_file|smtpd_tls_key_file) *=.*\n//mg;
    spew("$POSTFIX/main.cf", $main . <<"END_MAIN");
queue_directory = $queue/spool
data_directory = $queue/lib
maillog_file = $Lab::DIR/log/acme.log
inet_interfaces = $ADDRESS
myhostname = mx.acme.test
smtpd_tls_security_level = may
END_MAIN
    my $kept = '';
    for my $line (Lab::lines('/usr/share/postfix/master.cf.dist')) {
        next if $line =~ /^smtp +inet/;
        $line =~ s/^(\S+\s+\S+\s+\S+\s+\S+\s+)y/$1n/ unless $line =~ /^#/;
        $kept .= "$line\n";
    }
    spew("$POSTFIX/master.cf", "smtp inet n - n - - smtpd\n$kept");
    run('touch', '-d', '1 minute ago', "$POSTFIX/main.cf", "$POSTFIX/master.cf");
    return;
}

sub start_postfix {
    my $ready = sub { (Lab::capture(on('mx', 'bash', '-c', "exec 3<>/dev/tcp/$ADDRESS/25 && read -t 5 line <&3")))[0] == 0 };
    Nodes::start('acme-postfix', $ready, on('mx', 'postfix', '-c', $POSTFIX, 'start-fg'));
    return;
}

sub start_resolver {
    my $conf = slurp("$Lab::DIR/unbound.conf") =~ s{unbound\.ctl}{unbound-mx.ctl}r =~ s{unbound\.log}{unbound-mx.log}r;
    spew("$DIR/unbound.conf", $conf);
    Nodes::start('acme-resolver', sub { run(on('mx', 'sh', '-c', 'drill -D @127.0.0.1 soa test || :')) =~ /flags:.* ad/ },
        on('mx', 'unbound', '-d', '-c', "$DIR/unbound.conf"));
    return;
}

# --- certs.dns_hook: it has no rights; what changes the zone does, and is asked by a socket ---

sub change_zone {
    my ($verb, $name, $type, $ttl, @data) = @_;
    my $file = "$Lab::DIR/zones/acme.test.zone";
    my $line = "$name. $ttl $type @data";
    my $zone = slurp($file);
    $zone =~ s/^\Q$name\E\. \d+ \Q$type @data\E\n//mg;
    $zone .= "$line\n" if $verb eq 'add';
    spew($file, $zone);
    return (Lab::capture('zones-changed', 'acme.test'))[0] == 0 ? 'ok' : 'failed';
}

sub start_api {
    Nodes::start('acme-dns', sub { Nodes::listening($api) }, sub {
        local $SIG{PIPE} = 'IGNORE'; # a hook that is killed takes no answer
        my $socket = IO::Socket::UNIX->new(Local => $api, Listen => 10) or die;
        chmod 0777, $api;
        while (my $client = $socket->accept) {
            my $line = <$client> // next;
            chomp $line;
            print $client change_zone(split / /, $line), "\n";
            close $client;
        }
    });
    spew("$DIR/hook", <<"END_HOOK", 0755);
#!/usr/bin/perl
use IO::Socket::UNIX;
\$ARGV[4] = '"' . \$ARGV[4] . '"' if \$ARGV[2] eq 'TXT';
my \$s = IO::Socket::UNIX->new(Peer => '$api') or die "the DNS is away: \$!\\n";
print \$s "\@ARGV\\n";
chomp(my \$answer = <\$s>);
die "the DNS has not taken it\\n" if \$answer ne 'ok';
END_HOOK
    return;
}

# stsd, which serves challenges out of Redis at port 80 of the mail server's address
sub start_web {
    Nodes::start('acme-stsd', sub { (Lab::capture(on('mx', 'bash', '-c', "exec 3<>/dev/tcp/$ADDRESS/80")))[0] == 0 },
        on('mx', "$ENV{POSTERN_BUILD}/stsd/postern-stsd", '-f', '-c', $CONF));
    return;
}

sub stop_web { return Nodes::stop('acme-stsd', 'TERM') }

# The TLSA records as the world sees them, hex alone, sorted
sub tlsa { return sort map { /\sTLSA\s+3 1 1 (\S+)/ ? lc $1 : () } split /\n/, run('drill', '@192.0.2.53', 'tlsa', "_25._tcp.$_[0]") }

# --- Postern ---

sub configure {
    my (%certs) = @_;
    my $conf = slurp("$Lab::DIR/postern/postern.conf") =~ s{$Lab::DIR/postern/}{$DIR/}gr;
    $conf =~ s[^stsd \{\n][stsd {\n    publish_listen = "inet:$ADDRESS:80"\n    publish_file = "$DIR/published"\n]m;
    my %value = (folder => $CERTS, acme_url => 'https://192.0.2.53:14000/dir', contact => 'operator@dane-good.test', tlsa_ttl => '1s',
        dns_hook => "$DIR/hook", %certs);
    $conf .= "certs {\n" . join('', map { "    $_ = \"$value{$_}\"\n" } sort keys %value) . "}\n";
    $conf .= "posternctl { setup_folder = \"$Lab::DIR/setup-acme\" }\n";
    spew($CONF, $conf, 0644);
    return;
}

sub configure_redis { my ($socket) = @_; return spew($CONF, slurp($CONF) =~ s{unix:$Lab::DIR/redis\.sock}{unix:$socket}r, 0644) }

sub ctl { return Lab::capture(on('mx', $POSTERNCTL, '-c', $CONF, @_)) }

# One row of cert acme renew or list: a hash
sub row {
    my ($status, $out, $err) = ctl(@_, '--json');
    my $all = eval { decode_json($out) } or return { state => "no JSON: $out$err", status => $status, err => $err };
    return { %{ $all->{certificates}[0] // {} }, status => $status, err => $err };
}

sub renew { my ($name, @options) = @_; return row(qw(cert acme renew), $name, @options) }

# SHA-256 of the public key of a file of the store, or of what the mail server shows
sub digest_of { my ($pem) = @_; return run('bash', '-c', 'openssl pkey -pubin -outform DER <<<"$0" | sha256sum | cut -d" " -f1', $pem) =~ s/\s//gr }
sub key_of { my ($file) = @_; return -e $file ? digest_of(run('openssl', 'pkey', '-in', $file, '-pubout')) : '' }

sub served {
    my ($cert) = run(on('mx', 'bash', '-c', "openssl s_client -starttls smtp -connect $ADDRESS:25 </dev/null 2>/dev/null | openssl x509 -noout -pubkey"));
    return digest_of($cert);
}

sub up {
    my (undef, undef, $uid, $gid) = getpwnam 'postern';
    mkdir $DIR;
    chown $uid, $gid, $DIR;
    configure();
    make_pebble();
    start_pebble();
    start_resolver();
    start_api();
    make_postfix();
    return;
}

# Also when a test dies: prove waits for all that it has started.
my $owner = $$;

END {
    if ($$ == $owner) {
        my $status = $?;
        Nodes::stop('acme-postfix', 'TERM') if Nodes::running('acme-postfix');
        Nodes::stop($_, 'KILL') for grep { Nodes::running($_) } qw(acme-stsd acme-resolver acme-dns pebble);
        $? = $status;
    }
}

1;
