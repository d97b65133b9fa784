#!/usr/bin/perl
# What postern-stsd tells the collector: policy fetches that failed (RFC 8460 4.3.2.2), each once, of domains that want reports.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../relayd";
use File::Temp qw(tempdir);
use Relay ();
use Test::More;
use Time::HiRes qw(sleep);
use World;

my $RECORD = 'v=TLSRPTv1; rua=mailto:reports@a.test';
my $n = 0;
# Name, what the policy host does, what is told.
my @cases = (
    ['good', {}, ''],
    ['refused', { conduct => 'REFUSED' }, '301'],
    ['status', { text => "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n" }, '301'],
    ['invalid', { text => "$HEAD\r\nversion: STSv1\r\nmode: maybe\r\n" }, '302'],
    ['self', { cert => 'SELF' }, '303'],
    ['expired', { cert => 'EXPIRED' }, '303'],
    ['unwanted', { cert => 'SELF' }, ''],
);
$Relay::dir = tempdir(CLEANUP => 1);
chmod 0777, $Relay::dir;
world_start(
    hosts => [map { { domain => "$_->[0].test", address => loopback(++$n), text => "$HEAD\r\n$POLICY", %{ $_->[1] } } } @cases],
    also => { map { $_->[0] eq 'unwanted' ? () : ("_smtp._tls.$_->[0].test" => $RECORD) } @cases },
    stsd => "tlsrpt = \"unix:$Relay::dir/collector.sock\"\n    retry_after = 20s\n");

# While the collector is away, nobody waits for it.
my @domains = map { "$_->[0].test" } @cases;
my %record = ask_stsd('resolve', @domains);
is($record{'self.test'}{sts}{failure}, 'sts-webpki-invalid', 'the fetch failed');
is($record{'self.test'}{tlsrpt}, $RECORD, 'of a domain that wants reports');
Relay::collector_start();
for (1 .. 1200) { last if chmod 0777, "$Relay::dir/collector.sock"; sleep 0.05 }
my $want = grep { $_->[2] ne '' } @cases;
my %events = Relay::collector_has($want);
for my $case (@cases) {
    my $told = join ' ', map { $_->{policies}[0]{'failure-details'}[0]{c} } @{ $events{"$case->[0].test"} // [] };
    is($told, $case->[2], "$case->[0]: " . ($case->[2] || 'nothing'));
}
my ($event) = @{ $events{'invalid.test'} };
is($event->{pr}, $RECORD, 'W7 the record');
is(scalar @{ $event->{policies} }, 1, 'one policy');
my $p = $event->{policies}[0];
is_deeply([@$p{qw(policy-type policy-domain policy-string mx-host t f)}], [2, 'invalid.test', undef, undef, 1, 1], 'J7 J9 MTA-STS, without strings');
like($p->{'failure-details'}[0]{f}, qr/^line_2:_[^ ]+$/, 'J15 the reason, without blanks');

# Looked up again: told again only when it is fetched again.
ask_stsd('resolve', @domains) for 1 .. 3;
sleep 1;
%events = Relay::collector_has(0);
is(scalar(map { @$_ } values %events), $want, 'looked up again: nothing more');
for (1 .. 120) { ask_stsd('refresh', 'self.test'); %events = Relay::collector_has(0); last if @{ $events{'self.test'} } > 1; sleep 0.5 }
is(scalar @{ $events{'self.test'} }, 2, 'fetched again: told again');

is(world_end(), '', 'they end well');
Relay::collector_stop();
done_testing();
