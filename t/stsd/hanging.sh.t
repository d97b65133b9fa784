#!/usr/bin/perl
# Policy hosts that hang by the hundred do not keep other domains waiting, with the built daemons. What is looked at is who is answered while who is not,
# never how long anything takes.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use IO::Select;
use Test::More;
use Time::HiRes qw(sleep);
use World;

my $secure = 'OK secure match=mx.test servername=hostname';
my $answer = "$HEAD\r\n$POLICY";
my $n = 0;

sub host { my ($domain, @more) = @_; return { domain => $domain, address => loopback($n++), text => $answer, @more } }
sub readable { return IO::Select->new(@_)->can_read(0) }

sub status_of_stsd { my %fh = call_stsd('status', ''); return record_of($fh{''}) }

sub until_fetches {
    my ($wanted) = @_;
    return until_true(sub { status_of_stsd()->{policy_fetches_started_total} >= $wanted });
}

sub until_true {
    my ($try) = @_;
    for (1 .. 1200) { return 1 if $try->(); sleep 0.05 }
    return 0;
}

# Three hundred hang, and hold places of neither kind that others need: ten domains at a time, and a policy host's tenth of the fetches.
my @hanging = map { host("hang$_.test", conduct => 'HANG_ACCEPTED') } 1 .. 300;
my @drip = map { host("drip$_.test", conduct => 'DRIP_HANDSHAKE') } 1 .. 20;
my $one = host('one1.test', conduct => 'HANG_ACCEPTED');
my @good = map { host("good$_.test") } 1 .. 30;
world_start(
    hosts => [@hanging, @drip, $one, @good],
    also => { map { ("mta-sts.one$_.test" => $one->{address}) } 2 .. 300 },
    stsd => 'lookup_concurrency = 10 https_concurrency = 1000 https_timeout = 60s lookup_timeout = 90s',
);
my %hung = call_stsd('resolve', map { $_->{domain} } @hanging, @drip);
ok(until_fetches(320), '320 policy hosts are asked');
my %one = call_stsd('resolve', map { "one$_.test" } 1 .. 300);
ok(until_fetches(620), 'and one host for 300 domains');
my %record = ask_stsd('resolve', map { $_->{domain} } @good);
is(scalar(grep { ($_->{sts}{policy}{body} // '') eq $POLICY } values %record), 30, 'the policies of 30 good domains are fetched');
is(ask_policyd('postfix', 'good1.test'), $secure, 'and one is answered');
is(scalar(() = readable(values %hung)), 0, 'while all 320 hang');
my @ended = map { record_of($_) } readable(values %one);
my @refused = grep { $_->{sts}{why} eq "the policy was not fetched: too many fetches from $one->{address} at once" } @ended;
is(scalar @refused, 100, 'of the 300 of one host a hundred run and a hundred wait');
is(scalar(grep { "$_->{sts}{record} $_->{sts}{failure}" ne 'temp ' } @ended), 0, 'the rest is not known now, and no failure');
like(ask_policyd('postfix', $refused[0]{domain}), qr/^TEMP /, 'so mail waits');
is(status_of_stsd()->{waiting}, 0, 'nobody waits for a turn');
close $_ for values %hung, values %one;
is(world_end(), '', 'a good end');

# Four places: who is slow gives way, and has not failed; a policy that is known stays.
@hanging = map { host("hang$_.test", conduct => 'HANG_SECURED', $_ % 2 ? (first => $answer) : ()) } 1 .. 12;
@good = host('good.test');
world_start(hosts => [@hanging, @good], stsd => 'https_concurrency = 4 https_timeout = 20s lookup_timeout = 90s');
for (@hanging) { ask_stsd('resolve', $_->{domain}) if $_->{first} }
%hung = call_stsd('refresh', map { $_->{domain} } @hanging);
ok(until_fetches(18), 'twelve hosts hang, for four places');
my %good = ask_stsd('resolve', 'good.test');
is($good{'good.test'}{sts}{policy}{body}, $POLICY, 'the thirteenth is asked');
cmp_ok(scalar(() = readable(values %hung)), '>=', 9, 'since nine of the others have given up');
my %kind;
for my $row (@hanging) {
    my $sts = record_of($hung{ $row->{domain} })->{sts};
    my $kind = $sts->{why} =~ /^the policy was not fetched: too many fetches at once: gave way after \d+ ms, waiting for the answer$/ ? 'gave way'
        : $sts->{why} =~ /^time-out after 20000 ms/ ? 'failed' : $row->{first} && $sts->{why} eq '' ? 'as before' : $sts->{why};
    my %expected = ('gave way' => 'temp ', failed => 'found sts-policy-fetch-error', 'as before' => 'found ');
    $kind{$kind}++;
    is("$sts->{record} $sts->{failure}", $expected{$kind}, "$row->{domain}: $kind");
    my $got = ask_policyd('postfix', $row->{domain});
    like($got, $row->{first} ? qr/^\Q$secure\E$/ : $kind eq 'failed' ? qr/^NOTFOUND $/ : qr/^TEMP /, "$row->{domain}: A8 the answer");
}
is(join(' ', $kind{failed}, $kind{'gave way'} + $kind{'as before'}), '3 9', 'the last three have their whole time');
is(world_end(), '', 'a good end');

# One place, and little time: the last of eight gets it so late that it is not to blame; alone, a host that hangs is.
@hanging = map { host("hang$_.test", conduct => 'HANG_SECURED') } 1 .. 8;
world_start(hosts => \@hanging, stsd => 'https_concurrency = 1 https_timeout = 60s lookup_timeout = 12s');
%record = ask_stsd('resolve', map { $_->{domain} } @hanging);
is(join(' ', sort map { "$_->{sts}{record}/$_->{sts}{failure}" } values %record), join(' ', ('temp/') x 8), 'a turn that comes late is not enough to be at fault');
is(scalar(grep { ask_policyd('postfix', $_->{domain}) =~ /^TEMP / } @hanging), 8, 'mail waits');
%record = ask_stsd('refresh', 'hang1.test');
is("$record{'hang1.test'}{sts}{record} $record{'hang1.test'}{sts}{failure}", 'found sts-policy-fetch-error', 'all the time that there is');
is(world_end(), '', 'a good end');
done_testing();
