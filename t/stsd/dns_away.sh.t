#!/usr/bin/perl
# Resolvers that are away, come back, or are not believed, and no descriptors to ask them: the built postern-stsd and postern-policyd with a real Redis and
# policy host. policyd's answer is never weaker than the true one. What is tested where: see dns_faults.sh.t. Checks A2, A8, B-1, B-3.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Hostile;
use Test::More;
use Time::HiRes qw(sleep);

my ($SECURE, $DANE_ONLY) = @Hostile::TRUTH{qw(sts dane)};

# What a label makes the resolver do; other labels get the truth.
my %seen;
my %deeds = (
    # The first is how a validating resolver says that records are forged; the second is what another would make of them.
    bogus => sub { my ($q) = @_; $seen{"$q->{name} $q->{type}"}++ ? good($q, flags => 0x8180) : message($q, rcode => 2) },
    truncated => sub { $_[0]{tcp} ? good($_[0]) : message($_[0], flags => 0x8380) },
    dies => sub { (good($_[0]), $_[0]{role} eq 'txt' ? {die => 1} : ()) },
    starved => sub { descriptors(3) if $_[0]{role} eq 'policy'; good($_[0]) }, # both families are asked by then
    exhausted => sub { descriptors(3) if $_[0]{role} eq 'txt'; good($_[0]) },
);

sub respond {
    my ($q) = @_;
    my ($what) = $q->{label} =~ /^([a-z]+)/;
    return ($deeds{ $what // '' } // \&good)->($q);
}

my $resolver;    # as it stands in the configuration

# A node that was told of known-N.KIND.test an hour ago.
my $nodes = 0;
sub begin {
    my ($resolvers, $more) = @_;
    my $prefix = 'node' . ++$nodes;
    node_start($prefix, $resolvers, $more);
    remember($prefix, "known-$_.sts.test", 'sts') for 1 .. 4;
    remember($prefix, "known-$_.dane.test", 'dane') for 1 .. 4;
}

sub answers {
    my ($what, %want) = @_;
    my %answer = ask_all(sort keys %want);
    is_deeply({map { $_ => ask_until($want{$_}, $_, $answer{$_}) } keys %want}, \%want, $what);
}

sub restart { resolver_stop(); return resolver_start(\&respond, @_) }

machine_start(map { ("known-$_.sts.test", map { "$_.sts.test" } "new-$_", "dies-$_", "exhausted-$_", "starved-$_", "truncated-$_") } 1 .. 4);
$resolver = '127.0.0.1:' . resolver_start(\&respond);

# --- nobody listens, and then somebody does ---
begin([$resolver]);
answers('all is well', 'new-1.sts.test' => $SECURE, 'new-1.dane.test' => $DANE_ONLY);
answers('a resolver that dies before the policy host is looked up is not the policy host\'s fault', 'dies-1.sts.test' => 'TEMP');
resolver_stop();
answers('nobody listens: TEMP, or what binds and was known before',
    'new-2.sts.test' => 'TEMP', 'new-2.dane.test' => 'TEMP', 'known-1.sts.test' => $SECURE, 'known-1.dane.test' => 'TEMP',
    'new-1.sts.test' => $SECURE, 'new-1.dane.test' => $DANE_ONLY);
restart();
answers('it is back', map { ("$_.sts.test" => $SECURE, "$_.dane.test" => $DANE_ONLY) } 'new-2', 'known-1');

# --- restarted while it is asked ---
resolver_stop();
my $asking = fork() // die;
if (!$asking) {
    my %answer = ask_all('new-3.sts.test', 'new-3.dane.test', 'known-2.sts.test');
    POSIX::_exit(scalar grep { !/^(TEMP|\Q$SECURE\E$|\Q$DANE_ONLY\E$)/ } values %answer);
}
sleep 0.3;
restart();
waitpid $asking, 0;
is($?, 0, 'restarted while it is asked: no weaker answer');
answers('and soon the true one', 'new-3.sts.test' => $SECURE, 'new-3.dane.test' => $DANE_ONLY, 'known-2.sts.test' => $SECURE);

# --- truncated, and nobody listens for TCP ---
restart(tcp => 0);
answers('truncated and no TCP', map { ("$_-1.sts.test" => 'TEMP', "$_-1.dane.test" => 'TEMP') } 'truncated');
restart();
answers('but for that all is well', 'truncated-2.sts.test' => $SECURE, 'truncated-2.dane.test' => $DANE_ONLY);

# --- no descriptors ---
descriptors(3);
answers('no descriptors', 'new-4.sts.test' => 'TEMP', 'known-3.sts.test' => $SECURE);
my %dane = ask_all('new-4.dane.test', 'known-3.dane.test'); # a query may find a socket that was kept
is_deeply([grep { !/^(TEMP|\Q$DANE_ONLY\E$)/ } values %dane], [], 'no descriptors: nothing weaker');
descriptors(1024);
answers('with descriptors', 'new-4.sts.test' => $SECURE, 'new-4.dane.test' => $DANE_ONLY, 'known-3.dane.test' => $DANE_ONLY);
answers('none left for the addresses of the policy host', 'exhausted-1.sts.test' => 'TEMP');
descriptors(1024);
answers('none left for the fetch', 'starved-1.sts.test' => 'TEMP');
descriptors(1024);
ok(node_alive(), 'both daemons are still there');
is(node_stop(), '', 'and end well');

# --- not on loopback, as far as one can tell: 0.0.0.0 is this machine for the kernel, but not one of the addresses that are believed ---
my ($port) = $resolver =~ /:(\d+)/;
my $elsewhere = "0.0.0.0:$port";
begin([$elsewhere]);
answers('AD of a resolver that is not believed is no DANE; MTA-STS needs none', 'new-1.dane.test' => 'NOTFOUND ', 'new-1.sts.test' => $SECURE);
like(node_log(), qr/dane-off/, 'and the log says so');
is(node_stop(), '', 'it ends well');

begin([$elsewhere], 'trust_ad = yes');
answers('trust_ad believes it', 'new-1.dane.test' => $DANE_ONLY, 'new-1.sts.test' => $SECURE);
is(node_stop(), '', 'it ends well');

begin([$resolver, $elsewhere]);
answers('what one that is believed finds bogus is not asked for elsewhere (B-3)',
    'bogus.dane.test' => 'TEMP', 'bogus.sts.test' => 'TEMP', 'new-1.dane.test' => $DANE_ONLY);
like(node_log(), qr/resolver-left-out.*\Q$elsewhere\E/, 'and the log says so');
is(node_stop(), '', 'it ends well');
done_testing();
