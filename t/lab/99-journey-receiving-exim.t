#!/usr/bin/perl
# Certificates by ACME for Debian's Exim, with the installed package: had, in use, renewed by the timer's unit as it is confined, and what the operator is told when that fails.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Acme;
use Lab;
use Package;
use Test::More;

my $conf = '/etc/postern/postern.conf';
my $live = '/var/lib/postern-certs/mx/live.pem';
my $deb = Package::deb();

sub ends {
    my ($wanted, $what, @command) = @_;
    my ($status, $out, $err) = Package::run(@command);
    is($status, $wanted, "$what: @command") or diag $out, $err;
    return $out . $err;
}

sub served {
    my $pem = Acme::run('bash', '-c', 'openssl s_client -starttls smtp -connect "$0:25" </dev/null 2>/dev/null | openssl x509 -noout -pubkey 2>/dev/null || :', $Package::ADDRESS);
    return $pem eq '' ? 'nothing' : Acme::digest_of($pem);
}

sub key_of { return Acme::digest_of(Package::must('openssl', 'pkey', '-in', $_[0], '-pubout')) }
sub renewal_log { return Package::says(qw(journalctl -q -o cat -u postern-renew.service)) }

sub machine {
    mkdir $Acme::DIR;
    Package::start();
    Acme::make_pebble();
    Acme::start_pebble();
    Package::trust(Acme::slurp("$Lab::DIR/certs/ca.pem"), Acme::root());
    Package::install_debian(qw(redis-server nginx-light uacme));
    Package::install_exim();
    Package::write_file('/etc/exim4/exim4.conf.localmacros', "MAIN_HARDCODE_PRIMARY_HOSTNAME = mx.recv.test\nMAIN_TLS_ENABLE = true\n");
    Package::must('sed', '-i', "s/^dc_local_interfaces=.*/dc_local_interfaces=''/; s/^dc_other_hostnames=.*/dc_other_hostnames='recv.test:box.test'/", '/etc/exim4/update-exim4.conf.conf');
    Package::must('systemctl', 'restart', 'exim4');
    Package::copy_in($deb, '/tmp/postern.deb');
    ends(0, 'the package', 'dpkg', '-i', '/tmp/postern.deb');
    my $text = Package::read_file($conf);
    $text =~ s/^stsd \{\n/stsd {\n    publish_listen = "inet:127.0.0.1:8466"\n/m;
    $text =~ s/^certs \{\n/certs {\n    acme_url = "https:\/\/192.0.2.53:14000\/dir"\n    contact = "operator\@dane-good.test"\n/m;
    Package::write_file($conf, $text);
    ends(0, 'the configuration', qw(posternctl check config));
    Package::must('systemctl', 'restart', 'postern-stsd');
    is(Package::active(), join(' ', ('active') x @Package::SERVICES), 'all daemons run');
    $text = Acme::slurp("$Package::TREE/contrib/nginx/mta-sts.conf") =~ s/^# Policies go.*?^\}\n//msr =~ s/server_name ~\^mta-sts\\\.;/server_name mx.recv.test;/r;
    Package::write_file('/etc/nginx/conf.d/mta-sts.conf', $text);
    ends(0, 'nginx', 'systemctl', 'reload-or-restart', 'nginx');
    return;
}

# The timer's unit, which is told that all are due
sub renew {
    Package::must('mkdir', '-p', '/etc/systemd/system/postern-renew.service.d');
    Package::write_file('/etc/systemd/system/postern-renew.service.d/due.conf', "[Service]\nExecStart=\nExecStart=/usr/bin/posternctl -c $conf cert acme renew --force\n");
    Package::must('systemctl', 'daemon-reload');
    Package::run(qw(systemctl start postern-renew.service));
    return Package::says(qw(systemctl show --value -p Result postern-renew.service));
}

sub told { return grep { /^To: operator\@dane-good\.test$/m && /Subject: .*certificate mx is not renewed/ } map { join "\n", Lab::lines($_) } glob "$Lab::DIR/mail/dane-good.test/new/*" }

machine();
ends(0, 'a certificate', qw(posternctl cert acme new mx mx.recv.test));
ends(0, 'in use', qw(posternctl cert use mx exim));
is(served(), key_of($live), 'Exim shows it');
my $next = key_of('/var/lib/postern-certs/mx/next.key');
is(renew(), 'success', 'the unit renews it') or diag renewal_log();
is(key_of($live), $next, 'under the next key');
is(served(), $next, 'which Exim shows') or diag renewal_log();
Acme::stop_pebble();
is(renew(), 'exit-code', 'an authority that is away: the unit fails');
ok(Lab::until_true(sub { told() }), 'and the operator has the mail, sent by Exim') or diag renewal_log(), join "\n", Package::exim_log();
is(served(), $next, 'what was in use stays');
my $said = ends(0, 'the package is removed', 'dpkg', '-P', 'postern');
like($said, qr/certificate of posternctl cert use stays in exim/, 'it says what stays');
Package::must('systemctl', 'restart', 'exim4');
ok(Lab::until_true(sub { served() eq $next }), 'Exim shows the certificate on');
Package::stop();
done_testing();
