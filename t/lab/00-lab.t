#!/usr/bin/perl
# The lab itself: if this fails, no other result here means anything.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Lab;
use Test::More;

sub drill { my (undef, $out) = Lab::capture('drill', '-D', @_); return $out }

like(drill('mx', 'dane-good.test'), qr/flags:[^;]* ad\b/, 'a signed zone validates (AD)');
my $tlsa = drill('tlsa', '_25._tcp.mx.dane-good.test');
like($tlsa, qr/TLSA\s+3 1 1 /, 'the TLSA record is there');
like($tlsa, qr/flags:[^;]* ad\b/, 'and validates');
my $unsigned = drill('mx', 'sts-good.test');
like($unsigned, qr/NOERROR/, 'an unsigned zone is answered');
unlike($unsigned, qr/flags:[^;]* ad\b/, 'without AD');
like(drill('mx', 'bogus.test'), qr/SERVFAIL/, 'expired signatures give SERVFAIL');
like(drill('-o', 'CD', 'mx', 'bogus.test'), qr/NOERROR/, 'but not with checking disabled');
like(drill('txt', 'nothing.test'), qr/NXDOMAIN/, 'a name that is not there gives NXDOMAIN');

sub policy {
    my ($domain, @option) = @_;
    return Lab::capture('curl', '--silent', '--show-error', '--max-time', $Lab::PATIENCE, @option,
        "https://mta-sts.$domain/.well-known/mta-sts.txt");
}

my @ca = ('--cacert', "$Lab::DIR/certs/ca.pem");
my (undef, $text) = policy('sts-good.test', @ca);
like($text, qr/\Aversion: STSv1\r\nmode: enforce\r\nmx: /, 'a policy is served');
my ($status) = policy('sts-good.test');
isnt($status, 0, 'under a CA that only the lab knows');
(undef, $text) = policy('sts-404.test', @ca, '--write-out', ' %{http_code}');
like($text, qr/ 404\z/, 'and 404 where it shall be 404');

is((Lab::capture('redis-cli', '-s', "$Lab::DIR/redis.sock", 'ping'))[1], "PONG\n", 'Redis answers');
my @nets = split /\n/, (Lab::capture('ip', '-o', 'link'))[1];
is(scalar @nets, 2, 'this host has a loopback and one wire');
isnt((Lab::capture('ip', 'route', 'get', '198.18.0.1'))[0], 0, 'and no way out of the lab');

done_testing();
