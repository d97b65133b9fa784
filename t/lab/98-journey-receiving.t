#!/usr/bin/perl
# What the owner of a domain does who receives mail, with the installed package, Debian's Postfix and nginx: certificates by ACME, the server shows them, MTA-STS and TLSA records are
# published, and a sender elsewhere delivers under both; renewals by the timer's unit; certificates by host name. After the package is removed and purged, mail still comes in.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Acme;
use JSON::PP qw(decode_json);
use Lab;
use Nodes;
use Package;
use Test::More;

my $conf = '/etc/postern/postern.conf';
my $store = '/var/lib/postern-certs';
my $zone = "$Lab::DIR/zones/recv.test.zone";
my $deb = Package::deb();

# What a command prints, which must end like that
sub ends {
    my ($wanted, $what, @command) = @_;
    my ($status, $out, $err) = Package::run(@command);
    is($status, $wanted, "$what: @command") or diag $out, $err;
    return $out . $err;
}

sub ctl { return ends(0, 'well', 'posternctl', @_) }
sub json { my (undef, $out, $err) = Package::run('posternctl', @_, '--json'); return eval { decode_json($out) } // { trouble => "$out$err" } }

# Digest of the key that a host shows to a sender elsewhere; name: the one that it asks for
sub served {
    my (@name) = @_;
    my $pem = Acme::run('bash', '-c', 'openssl s_client -starttls smtp -connect "$0:25" "$@" </dev/null 2>/dev/null | openssl x509 -noout -pubkey 2>/dev/null || :',
        $Package::ADDRESS, @name ? ('-servername', @name) : '-noservername');
    return $pem eq '' ? 'nothing' : Acme::digest_of($pem);
}

sub key_of { return Acme::digest_of(Package::must('openssl', 'pkey', '-in', "$store/$_[0]", '-pubout')) }
sub operator_mails { return grep { /^To: operator\@dane-good\.test$/m } map { join "\n", Lab::lines($_) } glob "$Lab::DIR/mail/dane-good.test/new/*" }

# --- the machine, its authority and its zone ---

sub machine {
    mkdir $Acme::DIR;
    Package::start();
    Acme::make_pebble();
    Acme::start_pebble();
    my $root = Acme::root();
    Package::trust(Acme::slurp("$Lab::DIR/certs/ca.pem"), $root);
    Acme::spew("$Lab::DIR/certs/ca.pem", Acme::slurp("$Lab::DIR/certs/ca.pem") . $root);    # the sender, too
    Package::install_debian(qw(redis-server nginx-light uacme));
    Package::install_postfix();
    Package::must('postconf', '-e', 'myhostname=mx.recv.test', 'mydestination=recv.test, box.test, localhost', 'local_recipient_maps=', 'luser_relay=root');
    Package::must('systemctl', 'restart', 'postfix');
    Package::copy_in($deb, '/tmp/postern.deb');
    ends(0, 'the package', 'dpkg', '-i', '/tmp/postern.deb');
    is(Package::active(), join(' ', ('active') x @Package::SERVICES), 'all daemons run');
    is(Package::says('systemctl', 'is-enabled', 'postern-renew.timer'), 'enabled', 'the timer of renewals is there after a boot');
    is(Package::says('systemctl', 'is-active', 'postern-renew.timer'), 'active', 'and now');
    isnt(Package::says('systemctl', 'is-enabled', 'postern-policyd-sni.socket'), 'enabled', 'the socket for certificates is not');
    ctl('setup', 'postfix', '--apply');
    return;
}

sub configured {
    my $text = Package::read_file($conf);
    $text =~ s/^stsd \{\n/stsd {\n    publish_listen = "inet:127.0.0.1:8466"\n/m;
    $text =~ s/^policyd \{\n/policyd {\n    sni_listen = {"unix:\/var\/spool\/postfix\/postern\/sni.sock"}\n/m;
    $text =~ s/^certs \{\n/certs {\n    acme_url = "https:\/\/192.0.2.53:14000\/dir"\n    contact = "operator\@dane-good.test"\n    tlsa_ttl = 1s\n/m;
    Package::write_file($conf, $text);
    ctl('check', 'config');
    Package::must('systemctl', 'stop', 'postern-policyd');
    ends(0, 'as doc/publishing.md says', 'systemctl', 'enable', '--now', 'postern-policyd-sni.socket');
    Package::must('systemctl', 'start', 'postern-policyd');
    Package::must('systemctl', 'restart', 'postern-stsd');
    is(Package::active(), join(' ', ('active') x @Package::SERVICES), 'all daemons run with it');
    is(Package::says('stat', '-c', '%a %U:%G', '/var/spool/postfix/postern/sni.sock'), '660 postern:postfix', 'the socket for certificates is Postfix\'s');
    return;
}

# contrib/nginx/mta-sts.conf: the block for port 80 first, as there is no certificate for the other one yet
sub nginx {
    my ($whole) = @_;
    my $text = Acme::slurp("$Package::TREE/contrib/nginx/mta-sts.conf");
    $text =~ s/^# Policies go.*?^\}\n//ms if !$whole;
    $text =~ s/(listen \[::\]:80;\n\s+server_name )~\^mta-sts\\\.;/$1~^(mta-sts|mx|alt)\\.;/;
    $text =~ s{/etc/ssl/mta-sts/(?:fullchain|privkey)\.pem}{$store/web/live.pem}g;
    Package::write_file('/etc/nginx/conf.d/mta-sts.conf', $text);
    ends(0, 'nginx takes it', 'nginx', '-t');
    ends(0, 'nginx', 'systemctl', 'reload-or-restart', 'nginx');
    return;
}

# --- certificates ---

sub certificates {
    nginx(0);
    my %host = (mx => 'mx.recv.test', alt => 'alt.recv.test', web => 'mta-sts.recv.test');
    ctl(qw(cert acme new), $_, $host{$_}) for sort keys %host;
    nginx(1);
    my $said = ctl(qw(cert use mx postfix));
    like($said, qr/serves it/, 'Postfix has the certificate');
    is(served(), key_of('mx/live.pem'), 'and shows it to others');
    Lab::capture('postfix', 'reload');
    like((Lab::capture('posternctl', 'probe', 'recv.test'))[1], qr/trusted.*^good/ms, 'a sender finds it good') or diag((Lab::capture('posternctl', 'probe', 'recv.test'))[1]);
    return;
}

# Digest of the key that the policy host shows
sub web_served {
    return Acme::digest_of(Acme::run('bash', '-c', 'openssl s_client -connect "$0:443" -servername mta-sts.recv.test </dev/null 2>/dev/null | openssl x509 -noout -pubkey', $Package::ADDRESS));
}

# --- what is published ---

my $zone_before;

# The zone with a fragment behind what it had
sub put_into_zone {
    my ($fragment) = @_;
    $zone_before //= Acme::slurp($zone);
    my ($serial) = Acme::slurp($zone) =~ /^(\@ SOA \S+ \S+ \d+)/m;
    Acme::spew($zone, $zone_before =~ s/^\@ SOA \S+ \S+ \d+/$serial/mr . $fragment);
    my ($status, undef, $err) = Lab::capture('zones-changed', 'recv.test');
    is($status, 0, 'the zone is served with it') or diag $err, $fragment;
    Lab::capture(Package::on_box('unbound-control', '-c', "$Lab::DIR/unbound-box.conf", 'flush_zone', 'recv.test'));
    return;
}

sub publish_all {
    my $fragment = ctl(qw(publish all recv.test));
    put_into_zone($fragment);
    return $fragment;
}

sub published {
    ctl(qw(publish sts recv.test));
    my $fragment = publish_all();
    like($fragment, qr/^_mta-sts\S*\s.*v=STSv1; id=/m, 'the MTA-STS record');
    like($fragment, qr/^_25\._tcp\.mx\S*\s.*TLSA\s+3 1 1 \S+.*\n(?:.*\n)*?_25\._tcp\.mx\S*\s.*TLSA\s+3 1 1 /m, 'TLSA records for the key in use and the next one') or diag $fragment;
    my $said = '';
    ok(Lab::until_true(sub { my ($status, $out, $err) = Package::run(qw(posternctl publish sts recv.test --check)); $said = $out . $err; return $status == 0 }), 'testing: all is well from outside') or diag $said;
    ends(1, 'too early to promote', qw(posternctl publish sts recv.test --promote));
    ctl(qw(publish sts recv.test --mode enforce));
    publish_all();
    ok(Lab::until_true(sub { my ($status, $out, $err) = Package::run(qw(posternctl publish all recv.test --check)); $said = $out . $err; return $status == 0 }), 'enforce: all is well') or diag $said;
    return;
}

# A sender elsewhere delivers under both, over verified TLS
sub mail_comes {
    my ($what) = @_;
    Lab::capture('posternctl', 'resolve', 'recv.test', '--fresh');
    my $got = Lab::outcome(Lab::send_mail('recv.test'));
    is($got->{status}, 'sent', "$what: mail comes") or diag explain $got;
    ok((grep { /Verified TLS connection established to mx\.recv\.test/ } @{ $got->{lines} }), "$what: over verified TLS") or diag explain $got;
    return;
}

sub under_both {
    my $got = '';
    Lab::until_true(sub { Lab::capture('posternctl', 'resolve', 'recv.test', '--fresh'); ($got = (Lab::capture('posternctl', 'explain', 'recv.test'))[1]) =~ /enforce/ && $got =~ /dane/i });
    like($got, qr/enforce/, 'the sender knows the policy in mode enforce');
    like(Lab::explain('recv.test')->{answer}, qr/dane-only$/, 'and delivers under DANE');
    mail_comes('under DANE and MTA-STS');
    return;
}

# --- renewal ---

# Runs the timer's unit; its result. --force makes all certificates due.
sub renew {
    my ($force) = @_;
    my $drop = '/etc/systemd/system/postern-renew.service.d/due.conf';
    Package::must('mkdir', '-p', '/etc/systemd/system/postern-renew.service.d');
    Package::write_file($drop, "[Service]\nExecStart=\nExecStart=/usr/bin/posternctl -c $conf cert acme renew --force\n") if $force;
    Package::must('rm', '-f', $drop) if !$force;
    Package::must('systemctl', 'daemon-reload');
    Package::run(qw(systemctl reset-failed postern-renew.service));
    Package::run(qw(systemctl start postern-renew.service));
    return Package::says(qw(systemctl show --value -p Result postern-renew.service));
}

sub renewal_log { return Package::says(qw(journalctl -q -o cat -u postern-renew.service)) }

sub renewed {
    Package::must('mkdir', '-p', '/etc/systemd/system/postern-renew.service.d');
    Package::write_file('/etc/systemd/system/postern-renew.service.d/override.conf', "[Service]\nExecStopPost=-/usr/bin/systemctl reload nginx\n");
    is(renew(0), 'success', 'nothing is due') or diag renewal_log();
    my $next = key_of('mx/next.key');
    renew(1);
    my $result = '';
    ok(Lab::until_true(sub { $result = renew(0); key_of('mx/live.pem') eq $next }), 'the unit renews a certificate, under its key whose record is known') or diag renewal_log();
    is(served(), $next, 'Postfix was reloaded by it, and shows the new one') or diag renewal_log();
    ok(Lab::until_true(sub { grep { /_25\._tcp\.mx\.recv\.test\. .*TLSA 3 1 1/ } operator_mails() }), 'without a program for DNS, the operator is told by mail which record is needed') or diag renewal_log(), Package::mail_log();
    ok(Lab::until_true(sub { web_served() eq key_of('web/live.pem') }), 'nginx has the new one of the policy host') or diag renewal_log();
    mail_comes('after a renewal');
    publish_all();
    ok(Lab::until_true(sub { renew(0) eq 'success' }), 'with the zone changed, nothing is left to do') or diag renewal_log();
    unlike(renewal_log(), qr/not permitted|Read-only|denied/i, 'nothing was forbidden to the unit');
    my $said = '';
    ok(Lab::until_true(sub { my ($status, $out, $err) = Package::run(qw(posternctl publish all recv.test --check)); $said = $out . $err; return $status == 0 }), 'all that is published is well') or diag $said;
    mail_comes('with the next record');
    return;
}

sub not_renewed {
    my $before = key_of('mx/live.pem');
    Acme::stop_pebble();
    is(renew(1), 'exit-code', 'an authority that is away: the unit fails');
    ok(Lab::until_true(sub { grep { /Subject: .*certificate mx is not renewed/ } operator_mails() }), 'and mails the operator') or diag renewal_log();
    my ($last) = renewal_log() =~ /.*Starting postern-renew(.*)/s;
    is(join(' ', $last =~ /^(\w+): failed$/mg), 'alt mx web', 'one that fails keeps no other from being tried') or diag $last;
    is(served(), $before, 'what was in use stays');
    renew(0);
    return;
}

# --- certificates by host name ---

sub by_name {
    Package::must('postconf', '-e', 'tls_server_sni_maps=socketmap:unix:postern/sni.sock:sni');
    Package::must('postfix', 'reload');
    my $alt = key_of('alt/live.pem');
    my $shown = '';
    Lab::until_true(sub { ($shown = served('alt.recv.test')) eq $alt });    # an smtpd of before the reload may be there for a moment
    is($shown, $alt, 'a client that asks for another name gets its certificate') or diag Package::mail_log();
    is(served('mx.recv.test'), key_of('mx/live.pem'), 'and that of the server by its own');
    is(served('else.recv.test'), key_of('mx/live.pem'), 'the default chain for a name without one');
    Package::must('systemctl', 'stop', 'postern-policyd');
    is(Package::says('systemctl', 'is-active', 'postern-policyd'), 'inactive', 'policyd is stopped');
    is(served('alt.recv.test'), $alt, 'systemd starts it when Postfix asks');
    is(Package::active('postern-policyd.service'), 'active', 'it runs again');
    mail_comes('by name');
    return;
}

# --- the end ---

sub gone {
    my $key = key_of('mx/live.pem');
    my $said = ends(1, 'while Postfix asks policyd for certificates', 'dpkg', '-r', 'postern');
    like($said, qr/postconf -X tls_server_sni_maps/, 'the package is not removed, and says why');
    is(Package::active(), join(' ', ('active') x @Package::SERVICES), 'Postern serves on');
    Package::must('sh', '-c', 'postconf -X tls_server_sni_maps && postfix reload');
    $said = ends(0, 'the package is removed', 'dpkg', '-r', 'postern');
    like($said, qr/certificate of posternctl cert use stays in postfix/, 'it says what stays');
    is(Package::says('sh', '-c', 'postconf -n | grep -c postern'), 1, 'of Postern nothing but the certificate is in main.cf') or diag Package::says('postconf', '-n');
    is(served(), $key, 'which Postfix shows on');
    ends(0, 'the package is purged', 'dpkg', '-P', 'postern');
    Package::must('systemctl', 'restart', 'postfix');
    is(served(), $key, 'also after a purge and a restart');
    mail_comes('without Postern');
    ends(0, 'the package comes back', 'dpkg', '-i', '/tmp/postern.deb');
    ctl(qw(cert use --undo postfix));
    ok(Lab::until_true(sub { served() ne $key }), 'what was before the first certificate is in use again');
    unlike(Package::says('postconf', '-n'), qr/postern/, 'and nothing of Postern is in main.cf');
    return;
}

machine();
configured();
certificates();
published();
under_both();
renewed();
not_renewed();
by_name();
gone();
put_into_zone('');    # as 99-journey-receiving-exim.t wants it
Package::stop();
done_testing();
