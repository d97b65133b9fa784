#!/usr/bin/perl
# Debian's miltertest against postern-milter: milter.lua has the messages.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Lab;
use Flags;
use Test::More;

Flags::begin();
Flags::configure(body_octets => 300000);
Flags::ctl('list', 'add', 'local', 'ours.test');
Flags::start_milter();
part('flags');
for (['all that there are', 0x1ff, 1], ['no other sender', 0x1bf, 0], ['no parameters of recipients', 0x17f, 0], ['those of an old version', 0x3f, 0]) {
    my ($what, $actions, $served) = @$_;
    my (undef, $out) = miltertest('offer', $actions);
    is($out =~ /^served$/m ? 1 : 0, $served, "an MTA that offers $what is " . ($served ? 'served' : 'not served'));
}
is(scalar(grep { /error mta-too-old / } Nodes::log_of('milter')), 3, 'the log says so');
ok(Flags::read_rules(<<'RULES'), 'rules are read');
virus:  subject is "virus" -> reject "no"
user:   client.user is "berta" -> requiretls
secret: body contains "secret" -> requiretls
RULES
part('rules');
my $read = times_read();
Flags::ctl('list', 'add', 'inbound-require', '198.51.100.0/24');
ok(Lab::until_true(sub { times_read() > $read }), 'a list is read');
part('clients');
is(Nodes::stop('milter', 'TERM'), 0, 'the milter ends well');
Nodes::stop('nodes-redis', 'KILL');
done_testing();

sub times_read { return scalar grep { /lists-read / } Nodes::log_of('milter') }

sub miltertest {
    my ($part, $actions) = @_;
    return Lab::capture('timeout', 2 * $Lab::PATIENCE, 'miltertest', '-D', "sock=$Flags::DIR/milter.sock", '-D', "part=$part", '-D', 'actions=' . ($actions // 0), '-s', "$FindBin::Bin/milter.lua");
}

sub part {
    my ($part) = @_;
    my ($status, $out, $err) = miltertest($part);
    for (split /\n/, $out) {
        next if $_ eq 'end';
        ok($_ =~ /^ok /, "$part: " . s/^(?:not )?ok //r);
    }
    like($out, qr/^end$/m, "$part: to its end") or diag($err);
    is($status, 0, "$part: miltertest");
    return;
}
