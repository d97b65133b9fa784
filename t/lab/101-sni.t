#!/usr/bin/perl
# One certificate per host name: real Postfix asks policyd by tls_server_sni_maps, in a chroot and outside, while the store of
# certificates changes, is broken, or policyd is away.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use IO::Socket::INET;
use IO::Socket::UNIX;
use Lab;
use Nodes;
use POSIX ();
use Test::More;

my $store = "$Lab::DIR/nodes/sni/certs";
my $work = "$Lab::DIR/tmp/sni";
my $log = "$Lab::DIR/log/client.log";
my (undef, undef, $postern, $postern_group) = getpwnam('postern');
my $postfix_group = getgrnam('postfix');
my $queue = said('postconf', '-h', 'queue_directory');
my $socket = "$queue/postern/sni.sock";
my %port = (plain => 2598, chroot => 2597);
my @children;

start();
answers();
sockets();
changes();
load();
away();
finish();
done_testing();

sub said {
    my (undef, $out) = Lab::capture(@_);
    chomp $out;
    return $out;
}

# --- certificates ---

# certificate(FILE, NAMES, options of openssl): the key and the certificate in one text
sub certificate {
    my ($name, $hosts, %how) = @_;
    my @key = $how{rsa} ? ('rsa:2048') : ('ec', '-pkeyopt', 'ec_paramgen_curve:P-256');
    my $san = join ',', map { "DNS:$_" } @$hosts;
    my ($file, $days) = ("$work/$name", $how{days} // 30);
    open my $conf, '>', "$file.cnf" or die;
    print $conf "[req]\ndistinguished_name=dn\nprompt=no\nx509_extensions=ext\n[dn]\nCN=$name\n[ext]\nsubjectAltName=$san\n";
    close $conf;
    my ($status, undef, $err) = Lab::capture('openssl', 'req', '-x509', '-newkey', @key, '-nodes', '-keyout', "$file.key", '-out', "$file.crt", '-days', $days, '-config', "$file.cnf");
    die "openssl: $err" if $status;
    return slurp("$file.key") . slurp("$file.crt");
}

# One that has ended
sub expired {
    my ($name, $hosts) = @_;
    certificate($name, $hosts);
    open my $conf, '>', "$work/ca.cnf" or die;
    print $conf "[ca]\ndefault_ca=d\n[d]\nnew_certs_dir=$work\ndatabase=$work/index\nrand_serial=yes\ndefault_md=sha256\npolicy=p\nx509_extensions=ext\n[p]\nCN=supplied\n",
        "[ext]\nsubjectAltName=", join(',', map { "DNS:$_" } @$hosts), "\n";
    close $conf;
    open my $index, '>', "$work/index" or die;
    close $index;
    Lab::capture('openssl', 'req', '-new', '-key', "$work/$name.key", '-subj', "/CN=$name", '-out', "$work/$name.csr");
    my ($status, undef, $err) = Lab::capture('openssl', 'ca', '-batch', '-notext', '-selfsign', '-config', "$work/ca.cnf", '-keyfile', "$work/$name.key", '-in', "$work/$name.csr",
        '-out', "$work/$name.crt", '-startdate', '20200101000000Z', '-enddate', '20200201000000Z');
    die "openssl ca: $err" if $status;
    return slurp("$work/$name.key") . slurp("$work/$name.crt");
}

sub slurp {
    my ($file) = @_;
    open my $in, '<', $file or die "$file: $!";
    local $/ = undef;
    return scalar <$in>;
}

# Replaced as a whole, as posternctl does it
sub put {
    my ($name, $pem) = @_;
    mkdir "$store/$name";
    open my $out, '>', "$store/$name/.new" or die;
    print $out $pem;
    close $out;
    chmod 0600, "$store/$name/.new";
    chown $postern, $postern_group, "$store/$name/.new";
    rename "$store/$name/.new", "$store/$name/live.pem" or die;
    return;
}

sub drop { my ($name) = @_; unlink "$store/$name/live.pem"; rmdir "$store/$name"; return }

# --- servers ---

sub start {
    mkdir $work;
    mkdir "$queue/postern";
    chown $postern, $postfix_group, "$queue/postern";
    chmod 02750, "$queue/postern";
    Nodes::configure('sni', policyd => qq(sni_listen = {"unix:$socket"}  metrics_listen = "inet:127.0.0.1:9471"));
    open my $conf, '>>', Nodes::path('sni') . '/postern.conf' or die;
    print $conf qq(certs {\n    folder = "$store"\n}\n);
    close $conf;
    mkdir $store;
    put('one', certificate('one', ['one.sni.test', 'also.sni.test']));
    put('both-ec', certificate('both-ec', ['both.sni.test']));
    put('both-rsa', certificate('both-rsa', ['both.sni.test'], rsa => 1));
    put('wild', certificate('wild', ['*.wild.sni.test']));
    put('own', certificate('own', ['own.wild.sni.test']));
    put('old', expired('old', ['pair.sni.test']));
    put('new', certificate('new', ['pair.sni.test']));
    put('only-old', expired('only-old', ['only-old.sni.test']));
    put('mismatch', slurp("$work/one.key") . (certificate('mismatch', ['one.sni.test', 'mismatch.sni.test'], days => 300) =~ s/.*?-----END PRIVATE KEY-----\n//sr));
    put('many', certificate('many', ['one.sni.test', map { "n$_.many.sni.test" } 1 .. 10000]));
    put('junk', 'no certificate');
    Nodes::start_daemon('sni', 'policyd');
    for (['plain', 'n'], ['chroot', 'y']) {
        Lab::capture('postconf', '-M', "127.0.0.1:$port{$_->[0]}/inet=127.0.0.1:$port{$_->[0]} inet n - $_->[1] - - smtpd -o syslog_name=postfix/sni -o smtpd_peername_lookup=no"
                . " -o smtpd_tls_security_level=may -o smtpd_tls_chain_files=$Lab::DIR/certs/snakeoil.pem -o tls_server_sni_maps=socketmap:unix:postern/sni.sock:sni -o smtpd_client_connection_rate_limit=0");
    }
    reload();
    return;
}

sub reload {
    utime time - 60, time - 60, glob '/etc/postfix/*.cf';
    Lab::capture('postfix', 'reload');
    Lab::until_true(sub { defined IO::Socket::INET->new("127.0.0.1:$port{chroot}") });
    return;
}

# The name of the certificate that is shown, "snakeoil" for the default, or what went wrong; host undef: no SNI
sub shown {
    my ($host, $where, @options) = @_;
    my ($status, $out, $err) = Lab::capture('timeout', $Lab::PATIENCE, 'openssl', 's_client', '-connect', "127.0.0.1:$port{ $where // 'plain' }", '-starttls', 'smtp',
        (defined $host ? ('-servername', $host) : '-noservername'), @options);
    return "$1" if $out =~ /^subject=.*?CN = (\S+)/m;
    return "alert $1" if $err =~ /SSL alert number (\d+)/;
    return "failed $status $err";
}

# policyd itself, as Postfix asks it
sub ask {
    my ($text, $path) = @_;
    my $s = IO::Socket::UNIX->new(Peer => $path // $socket) or return "connect: $!";
    syswrite $s, length($text) . ":$text,";
    my $got = '';
    while ($got !~ /^(\d+):/ || length $got < $1 + length("$1:,")) { sysread($s, $got, 200000, length $got) or last }
    return $got =~ /^\d+:(.*),\z/s ? $1 : $got;
}

sub becomes {
    my ($host, $want, $what) = @_;
    my $got = '';
    ok(Lab::until_true(sub { ($got = shown($host)) eq $want }), $what) or diag("$host: $got");
    return;
}

# --- what is shown ---

sub answers {
    my @rows = (
        ['one.sni.test', 'one', 'a host name; one with another key, and one with 10,000 names, are passed over'], ['also.sni.test', 'one', 'another name of it'],
        ['ONE.Sni.Test', 'one', 'case does not count'], ['x.wild.sni.test', 'wild', 'a wildcard'], ['own.wild.sni.test', 'own', 'the own name before a wildcard'],
        ['a.b.wild.sni.test', 'snakeoil', 'a wildcard is for one label'], ['wild.sni.test', 'snakeoil', 'and not for its parent'], ['pair.sni.test', 'new', 'never the expired one'],
        ['only-old.sni.test', 'only-old', 'an expired one when there is no other'], ['mismatch.sni.test', 'snakeoil', 'key and certificate do not fit: the default chain'],
        ['n5.many.sni.test', 'snakeoil', '10,000 names: the default chain'], ['nobody.test', 'snakeoil', 'an unknown name: the default chain'], [undef, 'snakeoil', 'no name: the default chain'],
        ['x_y.test', 'snakeoil', 'an odd name'],
    );
    for (@rows) {
        my ($host, $want, $what) = @$_;
        is(shown($host, $_), $want, "$_: $what") for 'plain', 'chroot';
    }
    is(shown('both.sni.test', 'plain', '-tls1_2', '-cipher', 'ECDHE-RSA-AES128-GCM-SHA256'), 'both-rsa', 'two kinds of keys: RSA');
    is(shown('both.sni.test', 'plain', '-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-GCM-SHA256'), 'both-ec', 'and EC');
    return;
}

sub sockets {
    my @st = stat $socket;
    is(sprintf('%o %s %s', $st[2] & 07777, $st[4], $st[5]), "660 $postern $postfix_group", 'the socket is for Postfix alone');
    like(ask('sni one.sni.test'), qr{^OK [A-Za-z0-9+/]+=*\z}, 'base64 without line ends');
    is(ask('sni .sni.test'), 'NOTFOUND ', 'parents are not found');
    is(ask('sni a..b'), 'NOTFOUND ', 'nor is what is no name');
    like(ask('postfix one.sni.test'), qr/^PERM /, 'no other map on this socket');
    my $dir = Nodes::path('sni');
    like(ask('sni one.sni.test', "$dir/policyd.sock"), qr/^PERM no such map/, 'no certificates on others');
    my $as_nobody = fork // die;
    if (!$as_nobody) { POSIX::setgid(65534); POSIX::setuid(65534); POSIX::_exit(ask('sni one.sni.test') =~ /^connect: Permission/ ? 0 : 1) }
    waitpid $as_nobody, 0;
    is($?, 0, 'others cannot connect');
    my $page = (Lab::capture('curl', '-s', '-m', $Lab::PATIENCE, 'http://127.0.0.1:9471/metrics'))[1];
    for my $name (qw(one new only-old)) {
        my $end = said('date', '-u', '-d', said('openssl', 'x509', '-in', "$store/$name/live.pem", '-noout', '-enddate') =~ s/^notAfter=//r, '+%s');
        is(($page =~ /^postern_certificate_expires_seconds\{name="$name"\} (\S+)$/m)[0], $end, "metrics: when $name ends, as openssl has it");
    }
    like($page, qr/^postern_certificate_trouble\{name="junk"\} 1$/m, 'what is broken');
    like($page, qr/^postern_certificate_folder_trouble 0$/m, 'the folder is read');
    like($page, qr/^postern_policyd_sni_requests_total\{outcome="$_"\} [1-9]/m, "requests: $_") for 'found', 'none';
    unlike(join("\n", Nodes::log_of('sni-policyd')), qr/PRIVATE|LS0tLS1/, 'no key in the log');
    return;
}

# --- changes ---

sub changes {
    put('late', certificate('late', ['late.sni.test']));
    becomes('late.sni.test', 'late', 'a new certificate is served without being told');
    put('late', certificate('later', ['late.sni.test']));
    becomes('late.sni.test', 'later', 'one that was replaced');
    drop('late');
    becomes('late.sni.test', 'snakeoil', 'one that was removed');
    rename $store, "$store.away";
    ok(Lab::until_true(sub { join("\n", Nodes::log_of('sni-policyd')) =~ /certificates-unreadable/ }), 'a folder that has gone is told of');
    is(shown('one.sni.test'), 'one', 'and what was read before is served');
    like((Lab::capture('curl', '-s', '-m', $Lab::PATIENCE, 'http://127.0.0.1:9471/metrics'))[1], qr/^postern_certificate_folder_trouble 1$/m, 'metrics tell, too');
    rename "$store.away", $store;
    put('late', certificate('late', ['late.sni.test']));
    Nodes::signal('sni-policyd', 'HUP');
    becomes('late.sni.test', 'late', 'read again, at SIGHUP');
    return;
}

# Sessions one after the other, from two clients, while certificates are replaced
sub load {
    my @texts = map { certificate("load$_", ['load.sni.test']) } 1, 2;
    put('load', $texts[0]);
    becomes('load.sni.test', 'load1', 'before the load');
    for my $client (1, 2) {
        push @children, fork // die;
        next if $children[-1];
        my $bad = 0;
        for (1 .. 40) { my $got = shown('load.sni.test', $client == 1 ? 'plain' : 'chroot'); $bad++ if $got !~ /^load[12]$/ }
        POSIX::_exit($bad);
    }
    for my $i (1 .. 8) { put('load', $texts[$i % 2]); select undef, undef, undef, 0.5; Nodes::signal('sni-policyd', 'HUP') }
    for my $pid (@children) { waitpid $pid, 0; is($? >> 8, 0, 'no session failed while the store changed') }
    return;
}

# --- without policyd ---

sub away {
    is(Nodes::stop('sni-policyd', 'TERM'), 0, 'policyd ends well');
    is(shown('one.sni.test'), 'alert 80', 'policyd is away: who names a host gets no TLS');
    is(shown(undef), 'snakeoil', 'who names none does');
    my $s = IO::Socket::INET->new("127.0.0.1:$port{plain}");
    my @said = map { print $s "$_\r\n" if $_ ne ''; my $l; do { $l = <$s> // '' } while ($l =~ /^\d+-/); $l } '', 'EHLO x.test', 'MAIL FROM:<a@x.test>';
    like($said[2], qr/^250 /, 'and mail is taken without TLS');
    Nodes::start_daemon('sni', 'policyd');
    becomes('one.sni.test', 'one', 'policyd is back: served as before');
    return;
}

sub finish {
    is(Nodes::stop('sni-policyd', 'TERM'), 0, 'policyd ends well');
    Lab::capture('postconf', '-MX', "127.0.0.1:$port{$_}/inet") for sort keys %port;
    Lab::capture('postfix', 'reload');
    system 'rm', '-rf', $work, "$queue/postern";
    return;
}
