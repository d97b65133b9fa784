#!/usr/bin/perl
# Flagged mail in Postfix's queue: what a destination that is away, slow or stuck does to the others, relayd being away, full, reloaded or stopped, and
# messages with many recipients. What is looked at is who was delivered to, and that nothing is lost, comes twice, waits for others, or is in clear: the wire is
# watched all the time, as in 80-requiretls.t. R6, S9, B1.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Lab;
use Flags;
use Nodes;
use Relayed;
use Test::More;
use Time::HiRes qw(sleep);
use Wire;

my $LOG = "$Lab::DIR/log/flag.log";
my $BAD = 150; # messages to each of some, which is more than Postfix delivers at one time; and to others,
my $FEW = 20;  # which is more than relayd delivers at one time
my ($MARK, $CONTROL) = ('quite-private-matter', 'for-all-to-be-read');
my $SUSPENDED = qr/delivery temporarily suspended/;
$Lab::PATIENCE = 120;

my $begun = () = Lab::lines($LOG);

sub log_since { my ($from) = @_; my @log = Lab::lines($LOG); return @log[$from .. $#log] }

# Verdicts since that line of the log: { ADDRESS => ['sent', 'deferred 4.4.5', ...] }, no tag in the addresses
sub verdicts {
    my ($from) = @_;
    my %got;
    for (log_since($from)) {
        next if m{postfix/again/smtp\[};    # to ourselves
        next unless m{postfix/\S+\[\d+\]: \w+: to=<([^>]*)>, .*dsn=([\d.]+), status=(\w+) };
        push @{ $got{ $1 =~ s/\+requiretls//r } }, $3 eq 'deferred' ? "$3 $2" : $3;
    }
    return \%got;
}

# One session sends them all: each with a name, and recipients (flagged)
sub send_all {
    my (@mails) = @_;
    my $session = Flags::session();
    my $taken = 0;
    $taken += $session->transmit(Relayed::message({ name => $_->[0], to => [map { s/@/+requiretls@/r } @{ $_->[1] }], marked => $MARK, @{ $_->[2] // [] } })) =~ /^250/ for @mails;
    return $taken;
}

# A message that has been tried is put into the queue of those that wait a little later; then only it takes notice.
sub flush {
    Lab::until_true(sub { !(() = glob "$Lab::DIR/flag/spool/{incoming,active}/*") });
    Lab::capture('postqueue', '-f');
    return;
}

# Waits until all of these addresses have been sent to; those that have not
sub unsent {
    my ($from, @to) = @_;
    my @open;
    Lab::until_true(sub {
        my $got = verdicts($from);
        @open = grep { my $to = $_; !grep { $_ eq 'sent' } @{ $got->{$to} // [] } } @to;
        return !@open;
    });
    return @open;
}

# How often a host took a message for each recipient: { ADDRESS => TIMES }
sub taken {
    my ($host) = @_;
    my %taken;
    for my $connection (values %{ Relayed::seen($host) }) {
        my @to;
        for (@$connection) {
            my ($what, $text) = @$_;
            @to = () if $what eq 'under' && $text =~ /^(?:MAIL|RSET)/;
            push @to, $1 if $what eq 'under' && $text =~ /^RCPT TO:<([^>]*)>/;
            $taken{$_}++ for $what eq 'message' ? @to : ();
        }
    }
    return \%taken;
}

sub not_once {
    my (@to) = @_;
    my %taken = map { %{ taken("mx.$_") } } keys %{ { map { /@(.*)/ ? ($1 => 1) : () } @to } };
    return grep { ($taken{$_} // 0) != 1 } @to;
}

# The shortest and the longest delivery to a domain
sub delays {
    my ($from, $domain) = @_;
    my @delays = sort { $a <=> $b } map { /to=<[^>]*\@\Q$domain\E>.* delay=([\d.]+),.*status=sent/ ? $1 : () } log_since($from);
    return "$delays[0] to $delays[-1]";
}

sub suspended { my ($from) = @_; return scalar grep { /$SUSPENDED/ } log_since($from) }

sub recipient_limit { Lab::capture('postconf', '-c', '/etc/postfix-flag', '-e', "smtpd_recipient_limit=$_[0]"); return }

recipient_limit(2000);
Relayed::begin(connect_timeout => '"300s"', command_timeout => '"600s"', busy_wait => '"2s"');
Wire::start($_, $MARK, $CONTROL) for 'client', 'mx';

# --- destinations that are away, slow or stuck, and those beside them ---
# That these do not hold up the others is shown by the order of events: they have all the connections that they can get before the others come; when the last of
# the others is delivered, at the first try, no connection that hangs has been closed, and none that is being made has been given up.
my @bad = qw(dead-swallow.test dead-refuse.test hang-ehlo.test slow-final.test);
my @hang = map { "$_-hang.test" } qw(a c e i);
my @well = map { ("$_-well.test") } qw(d h s);
my @elsewhere = map { "$_-many.test" } qw(a m);
my @stuck = ((map { my $n = $_; map { "b$n\@$_" } @bad } 1 .. $BAD), (map { my $n = $_; map { "b$n\@$_" } @hang } 1 .. $FEW));
is(send_all(map { ["bad-$_", [$_], [hold => 1]] } @stuck), @stuck, 'mail to the bad ones waits in the queue');
my $at = () = Lab::lines($LOG);
Lab::capture('postsuper', '-H', 'ALL');
flush();
ok(Lab::until_true(sub { !grep { @{ [Relayed::said("mx.$_", 'open')] } < 10 } 'hang-ehlo.test', 'slow-final.test', @hang }), 'they have all they can get');
my @good = map { my $domain = $_; map { "g$_\@$domain" } 1 .. 10 } @well, @elsewhere;
is(send_all(map { ["good-$_", [$_]] } @good), @good, 'then others come');
is(join(' ', unsent($at, @good)), '', 'which are all delivered');
is(scalar(map { Relayed::said("mx.$_", 'closed') } 'hang-ehlo.test', @hang), 0, 'while those that were stuck before them still are');
my $got = verdicts($at);
is(scalar(grep { /\@dead-swallow/ && "@{ $got->{$_} }" =~ /4\.4\.1/ } keys %$got), 0, 'nor has anybody given up to connect');
is(join(' ', grep { "@{ $got->{$_} }" ne 'sent' } @good), '', 'nor was one of the others put off before');
is(suspended($at), 0, 'none is suspended');
ok(Lab::until_true(sub { my $now = verdicts($at); grep({ /\@dead-refuse/ } keys %$now) == $BAD && !grep { /\@dead-refuse/ && "@{ $now->{$_} }" !~ /^deferred 4\.4\.[15]/ } keys %$now }),
    'each message to a host that refuses has been put off for that');
ok(Lab::until_true(sub { my $now = verdicts($at); grep { /\@slow-final/ && "@{ $now->{$_} }" =~ /sent/ } keys %$now }), 'the slow one gets its mail, slowly');
note("seconds: $_ ", delays($at, $_)) for @well, @elsewhere;
Relayed::stop('KILL');
Lab::capture('postsuper', '-d', 'ALL');

# --- many at once to domains that are well ---
Relayed::configure(busy_wait => '"60s"');
Relayed::start();
$at = () = Lab::lines($LOG);
my @burst = map { ("p$_\@busy-well.test", "p$_\@late-well.test") } 1 .. 200;
send_all(map { ["burst-$_", [$_], [hold => 1]] } @burst);
Lab::capture('postsuper', '-H', 'ALL');
flush();
is(join(' ', unsent($at, @burst)), '', '200 messages at once to a busy domain, and to one that greets late: all are delivered');
$got = verdicts($at);
is(join(' ', grep { "@{ $got->{$_} }" ne 'sent' } @burst), '', 'none is put off');    # of those before, Postfix may say so only now
is(join(' ', not_once(@burst)), '', 'once');
note("seconds: $_ ", delays($at, $_)) for 'busy-well.test', 'late-well.test';
Relayed::stop('TERM');

# --- relayd is away ---
$at = () = Lab::lines($LOG);
my @waiting = map { my $domain = $_; map { "w$_\@$domain" } 1 .. ($domain eq 'm-many.test' ? 100 : 5) } map { "$_-many.test" } qw(a b c m m2 m3);
is(send_all(map { ["waiting-$_", [$_]] } @waiting), @waiting, 'relayd is away: mail is taken in');
Flags::session()->transmit({ hold => 0, name => 'queue-unflagged', to => ['u@home.test'] });
Relayed::mail({ name => 'control', to => ['u@plain.test'], marked => $CONTROL });
is((Flags::verdicts('queue-unflagged'))[0]{status}, 'sent', 'what is not flagged goes on');
ok(Lab::until_true(sub { my $now = verdicts($at); !grep { ($now->{$_}[0] // '') !~ /^deferred 4/ } @waiting }), 'what is flagged waits');
is(suspended($at), 0, 'and each is tried');
Lab::capture('postsuper', '-r', 'ALL');
ok(Lab::until_true(sub { my $now = verdicts($at); !grep { @{ $now->{$_} } < 2 } @waiting }), 'all are requeued, and wait again');
Relayed::start();
flush();
is(join(' ', unsent($at, @waiting)), '', 'relayd is there again: all are delivered');
is(join(' ', not_once(@waiting)), '', 'once');
$got = verdicts($at);
is(join(' ', grep { "@{ $got->{$_} }" !~ /^(?:deferred 4\.\S+ ){2,}sent$/ } @waiting), '', 'each has waited before and after, flagged as it was, R6');

# --- relayd is full ---
Relayed::stop('TERM');
Relayed::configure(connections => 3);
Relayed::start();
$at = () = Lab::lines($LOG);
my @full = map { my $domain = $_; map { "f$_\@$domain" } 1 .. 5 } map { "$_-many.test" } qw(a b c e);
is(send_all(map { ["full-$_", [$_]] } @full), @full, 'mail of four buckets for a relayd with three connections');
is(join(' ', unsent($at, @full)), '', 'all is delivered');
is(join(' ', not_once(@full)), '', 'once');
is(suspended($at), 0, 'none is suspended');

# --- many recipients ---
Relayed::stop('TERM');
Relayed::configure();
Relayed::start();
$at = () = Lab::lines($LOG);
my %fate = ((map { $_ => 'sent' } map({ "$_-many.test" } qw(a b c e f i j k l m m2 m3)), @well, 'rt-sts.test', 'rt-dane.test'),
    'put-off.test' => 'deferred 4.2.0', 'give-back.test' => 'bounced', 'dead-refuse.test' => 'deferred 4.4.1');
my @many = map { my $domain = $_; map { "x$_\@$domain" } 1 .. 10 } sort keys %fate;
is(scalar(@many), 200, '200 recipients, 20 domains');
is(send_all(['many', \@many]), 1, 'in one message');
ok(Lab::until_true(sub { keys(%{ verdicts($at) }) >= 200 }), 'each has its verdict');
$got = verdicts($at);
is(join(' ', grep { /@(.*)/ && "@{ $got->{$_} // [] }" ne $fate{$1} } @many), '', 'its own');
is(join(' ', not_once(grep { /@(.*)/ && $fate{$1} eq 'sent' } @many)), '', 'delivered once');
my %relay = map { /requiretls\/lmtp.*relay=([^,]*),/ ? ($1 => 1) : () } log_since($at);
is(Relayed::metrics()->{transactions_total}, scalar(keys %relay), 'one transaction for each bucket');
my ($report, @more) = @{ Lab::until_true(sub { Relayed::reports()->{many} }) || [''] };
is(scalar(@more), 0, 'one report');
my @given_back = sort map { "x$_+requiretls\@give-back.test" } 1 .. 10;
is(join(' ', sort $report =~ /^Original-Recipient: rfc822;(\S+)$/mg), "@given_back", 'about those that were given back, as the sender has written them, and no others');
is(join(' ', $report =~ /^Status: (\S+)$/mg), join(' ', map { '5.1.1' } @given_back), 'with the code');
is(scalar(() = $report =~ s/\s+/ /gr =~ /host mx\.give-back\.test said: 550 5\.1\.1 nobody/g), 2 * @given_back, 'and the reason in words, for people and for programs');
Relayed::header_alone($report, $MARK, 'the report');
Lab::capture('postsuper', '-d', 'ALL');

$at = () = Lab::lines($LOG);
my @list = map { "l$_\@m-many.test" } 1 .. 1200;
is(send_all(['list', \@list]), 1, '1,200 recipients at one domain');
is(join(' ', unsent($at, @list)), '', 'all are delivered');
is(join(' ', not_once(@list)), '', 'once');
is(suspended($at), 0, 'none is suspended');

# --- relayd is reloaded and stopped while mail flows ---
my $sent = () = Lab::lines($LOG);
my @flow = map { my $domain = $_; map { "s$_\@$domain" } 1 .. 100 } map { "$_-many.test" } qw(a m m2);
my $sender = fork() // die;
if (!$sender) {
    send_all(map { ["flow-$_", [$_]] } @flow);
    POSIX::_exit(0);
}
for my $round (1 .. 5) {
    Lab::until_true(sub { keys(%{ taken('mx.a-many.test') }) > 30 + 10 * $round });
    Relayed::configure(per_domain => $round % 2 ? 20 : 1);
    Nodes::signal('relayd', 'HUP');
}
is(scalar(grep { /reload/ } Nodes::log_of('relayd')) > 0 ? 1 : 0, 1, 'relayd was reloaded');
my @final = map { "z$_\@slow-final.test" } 1 .. 8;
send_all(map { ["final-$_", [$_]] } @final);
ok(Lab::until_true(sub { my $have = taken('mx.slow-final.test'); !grep { !$have->{$_} } @final }), 'eight messages wait for their last word');
is(Relayed::stop('TERM'), 0, 'relayd was asked to end, and has ended well');
is(join(' ', unsent($sent, @final)), '', 'which has come');
Relayed::start();
waitpid $sender, 0;
flush();
is(join(' ', unsent($sent, @flow)), '', 'all are delivered');
is(join(' ', not_once(@flow, @final)), '', 'once');
is(suspended($begun), 0, 'none was ever suspended');
is(join(' ', keys %{ Relayed::reports() }), 'many', 'nothing else was given back');
Relayed::never_unprotected();
Wire::is_clean($_, $MARK, $CONTROL) for 'client', 'mx';

my ($relayd, $milter) = Relayed::finish();
recipient_limit(1000);
is($relayd, 0, 'relayd ends well');
is($milter, 0, 'the milter ends well');
done_testing();
