#!/usr/bin/perl
# Mail that comes in: which clients a real smtpd offers STARTTLS, as the lists inbound-exclude and inbound-require say.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Lab;
use Test::More;

# Clients are on the node of the receivers, which has all these addresses.
my $asks = <<'END';
use IO::Socket::IP;
my ($from, $to) = @ARGV;
my $s = IO::Socket::IP->new(PeerHost => $to, PeerPort => 25, LocalHost => $from, Timeout => 60) or die "$from: $@\n";
my $read = sub { my $all = ''; while (<$s>) { $all .= $_; last unless /^\d+-/ } $all };
$read->();
print $s "EHLO somebody.test\r\n";
print $read->();
print $s "QUIT\r\n";
END

my $near = '192.0.2.161';
my $near6 = '2001:db8:0:0:6::1';
my $other = '198.51.100.10';
my $other6 = '2001:db8::1:10';

my @cases = (
    ['nothing on the lists', [], [$near, $near6, $other, $other6], []],
    ['an address', [['add', 'inbound-exclude', $near]], [$near6, $other, $other6], [$near]],
    ['an IPv6 address', [['add', 'inbound-exclude', '2001:DB8::6:0:0:1']], [$other, $other6], [$near, $near6]],
    ['gone again', [['clear', 'inbound-exclude']], [$near, $near6, $other, $other6], []],
    ['a network', [['add', 'inbound-exclude', '192.0.2.160/28']], [$near6, $other, $other6], [$near]],
    ['an IPv6 network', [['add', 'inbound-exclude', '2001:db8:0:0:6::/80']], [$other, $other6], [$near, $near6]],
    ['a network, but inbound-require has the client', [['add', 'inbound-require', $near]], [$near, $other, $other6], [$near6]],
    ['the whole of IPv6, but for a network', [['clear', 'inbound-require'], ['add', 'inbound-exclude', '::/0'],
        ['add', 'inbound-require', '2001:db8::1:0/112']], [$other, $other6], [$near, $near6]],
    ['a name says nothing of addresses', [['clear', 'inbound-exclude'], ['clear', 'inbound-require'],
        ['add', 'inbound-exclude', 'near.lists.test']], [$near, $near6, $other, $other6], []],
);

for (@cases) {
    my ($what, $edits, $with, $without) = @$_;
    ctl('list', @$_) for @$edits;
    for my $client (@$without) {
        Lab::until_true(sub { Lab::answer($client, 'ehlo') eq 'OK starttls' });
        is(Lab::answer($client, 'ehlo'), 'OK starttls', "$what: smtpd is told to leave out STARTTLS for $client");
        unlike(ehlo($client), qr/STARTTLS/, "$what: it does");
    }
    for my $client (@$with) {
        Lab::until_true(sub { Lab::answer($client, 'ehlo') eq 'NOTFOUND' });
        is(Lab::answer($client, 'ehlo'), 'NOTFOUND', "$what: smtpd is told nothing for $client");
        like(ehlo($client), qr/^250[ -]STARTTLS/m, "$what: it offers STARTTLS");
    }
}

# Postfix asks by address only; who asks by name is told, too.
is(Lab::answer('near.lists.test', 'ehlo'), 'OK starttls', 'the name of a client');
ctl('list', 'add', 'inbound-exclude', '.lists.test', '--expires', '15s');
ctl('list', 'del', 'inbound-exclude', 'near.lists.test');
Lab::until_true(sub { Lab::answer('any.lists.test', 'ehlo') eq 'OK starttls' });
is(Lab::answer('any.lists.test', 'ehlo'), 'OK starttls', 'the name of a client, by the domain above');
Lab::until_true(sub { Lab::answer('any.lists.test', 'ehlo') eq 'NOTFOUND' });
is(Lab::answer('any.lists.test', 'ehlo'), 'NOTFOUND', 'until the entry ends');
is(Lab::answer($_, 'ehlo'), 'NOTFOUND', "a client without a name, or a bad one: $_") for 'unknown', 'no name', '192.0.2.999';
ctl('list', 'clear', $_) for 'inbound-exclude', 'inbound-require';
done_testing();

sub ctl {
    my ($status, $out, $err) = Lab::capture('posternctl', @_);
    is($status, 0, "posternctl @_") or diag($err);
    return $out;
}

# What smtpd says to EHLO from that address
sub ehlo {
    my ($client) = @_;
    my $server = $client =~ /:/ ? '2001:db8::25' : '192.0.2.25';
    my ($status, $out, $err) = Lab::capture('nsenter', '--net=/run/netns/mx', $^X, '-e', $asks, $client, $server);
    return $status == 0 ? $out : "no EHLO: $err";
}
