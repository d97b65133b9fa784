#!/usr/bin/perl
# postern-policyd and clients that mean ill, or break off: who goes while a domain is looked up, who never takes the replies, who never ends a request, and
# those who come in masses. Others must be served. What is looked at is the order of things, not how long they take.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use IO::Select;
use Policyd;
use Socket qw(SOL_SOCKET SO_LINGER);
use Test::More;
use Time::HiRes qw(sleep time);

$SIG{PIPE} = 'IGNORE';
my $secure = 'OK secure match=mx.good.test servername=hostname';

sub request { my ($fh, $domain) = @_; syswrite $fh, netstring("postfix $domain"); return $fh }
sub waiting { return request(connect_to(), "hang-$_[0].test") }
sub connections { return control('status')->{connections} }
sub is_connections { my ($want, $what) = @_; until_true(sub { connections() == $want }); is(connections(), $want, $what) }

# A look-up that nobody answers is under way for each of them.
sub all_asked { my (@domains) = @_; return until_true(sub { !grep { !asked($_) } @domains }) }
sub is_open { my ($fh) = @_; return !IO::Select->new($fh)->can_read(0) }

# --- clients that go, and clients that wait, when there is no room ---
start("connections = 4\nlookup_timeout = 90s");
my @waiting = map { waiting($_) } 1 .. 3;
ok(all_asked(map { "hang-$_.test" } 1 .. 3), 'three clients wait');
my $gone = waiting('gone');
all_asked('hang-gone.test');
is_connections(4, 'and a fourth');
close $gone;
is_connections(3, 'which hangs up: its place is free at once');
$gone = request(connect_inet(), 'hang-reset.test');
all_asked('hang-reset.test');
setsockopt($gone, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0));
close $gone;
is_connections(3, 'the same by a reset over TCP');
$gone = request(connect_to(), 'hang-later.test');
all_asked('hang-later.test');
shutdown($gone, 1);
sleep 0.2;
is_connections(4, 'one that has only shut down its side stays');
close $gone;
is_connections(3, 'until it has gone altogether');

$gone = request(connect_inet(), 'hang-inet.test');
all_asked('hang-inet.test');
close $gone;
sleep 0.2;
is_connections(4, 'one that has gone over TCP may have shut down its side only, and stays');
my $half = request(connect_inet(), 'slow-half.test');
is(read_answer($half), 'OK secure match=mx.slow-half.test servername=hostname', 'but makes room when a new one comes');
is(scalar(grep { is_open($_) } @waiting), 3, 'before those who wait');
request($half, 'slow-end.test');
shutdown($half, 1);
is(read_all($half), netstring('OK secure match=mx.slow-end.test servername=hostname'), 'one that has shut down its side gets its answer, then the close');

my $last = waiting('last');
all_asked('hang-last.test');
my $new = request(connect_to(), 'good.test');
sleep 0.2;
ok(is_open($new), 'when all wait a new one waits too');
shutdown($last, 1);
is(read_answer($new), $secure, 'until one of them shuts down its side');
is(scalar(grep { is_open($_) } @waiting), 3, 'the others stay');
close $_ for @waiting, $last;
stop();

start("connections = 2\nlookup_timeout = 90s");
my @full = map { request(connect_to(), "slow-$_.test") } 1 .. 2;
my @queue = map { request(connect_to(), "good-$_.test") } 1 .. 2;
is(scalar(grep { (read_answer($_) // '') =~ /^OK secure/ } @full), 2, 'clients that wait get their answers,');
is(scalar(grep { (read_answer($_) // '') =~ /^OK secure/ } @queue), 2, 'and when they only stay new ones are let in');
stop();

# --- another limit while it runs ---
sub reload {
    my ($from, $to) = @_;
    my $before = () = log_text() =~ /info reloaded/g;
    open(my $in, '<', "$dir/postern.conf") or die;
    my $conf = do { local $/; <$in> };
    $conf =~ s/$from/$to/ or die;
    open(my $out, '>', "$dir/postern.conf") or die;
    print $out $conf;
    close $out;
    kill 'HUP', $policyd_pid;
    until_true(sub { (() = log_text() =~ /info reloaded/g) > $before });
}
start("connections = 8\nlookup_timeout = 90s");
my @idle = map { my $fh = request(connect_to(), 'good.test'); read_answer($fh); $fh } 1 .. 6;
my @two = map { waiting($_) } 1 .. 2;
all_asked(map { "hang-$_.test" } 1 .. 2);
is_connections(8, 'six idle clients, and two that wait');
reload('connections = 8', 'connections = 3');
is_connections(3, 'with a lower limit idle ones are closed until it is kept');
ok(is_open($idle[5]), 'those that were idle longest,');
is(scalar(grep { is_open($_) } @two), 2, 'and none that waits');
reload('connections = 3', 'connections = 1');
is_connections(2, 'those that wait stay also when they are too many');
$new = request(connect_to(), 'good.test');
sleep 0.2;
ok(is_open($new), 'a new one waits');
reload('connections = 1', 'connections = 3');
is(read_answer($new), $secure, 'until there is room for it');
close $_ for @two;
is_connections(1, 'they go');
stop();

# --- clients that do not take their replies ---
# Requests until the server takes no more of them.
sub stuff {
    my ($fh) = @_;
    my $many = netstring('QUERYwithTLSRPT good.test') x 1000;
    my $at = 0;
    $fh->blocking(0);
    while (IO::Select->new($fh)->can_write(0.5)) {
        my $sent = syswrite($fh, $many, length($many) - $at, $at) // last;
        $at = ($at + $sent) % length $many;
    }
    return $fh;
}

start('connections = 4');
is(ask('postfix good.test'), $secure, 'a domain in memory');
my @slow = map { stuff(connect_to()) } 1 .. 4;
is_connections(4, 'four clients that do not take their replies take all places');
is(scalar(grep { ask('postfix good.test') eq $secure } 1 .. 2), 2, 'others are served');
close $_ for @slow;
stop();

start('idle_timeout = 10s');
is(ask('postfix good.test'), $secure, 'a domain in memory');
my $slow = stuff(connect_to());
ok(until_true(sub { defined(syswrite($slow, '1')) ? 0 : !$!{EAGAIN} }), 'a client that does not take its replies in idle_timeout is closed');

# --- requests that never end ---
my ($drip, $live) = (connect_to(), connect_to());
syswrite $drip, '9000:postfix ';
my ($octets, $served) = (0, 0);
ok(until_true(sub {
    sleep 0.2;
    $octets++;
    $served++ if (read_answer(request($live, 'good.test')) // '') eq $secure;
    !is_open($drip) || !defined(syswrite($drip, 'a'));
}), 'one octet now and then keeps no connection open');
is($served, $octets, 'whole requests do');
my $long = connect_to();
my $closed = 0;
for (1 .. 1000) { $closed = !defined(syswrite($long, '9' x 1000)) and last; sleep 0.001 }
ok($closed, 'a length without end is closed');
stop();

# --- masses ---
# Children that open connections and leave them, some in the middle of a request; they say when that is done and stay until they are told to go.
sub crowd {
    my ($children, $each) = @_;
    my ($parent, @crowd) = ($$);
    for (1 .. $children) {
        pipe(my $done, my $say) or die;
        my $pid = fork() // die;
        if (!$pid) {
            my @all = map { my $c = connect_to(); syswrite $c, '17:postfix go' if $_ % 2; $c } 1 .. $each;
            syswrite $say, 'x';
            sleep 1 while getppid() == $parent;
            POSIX::_exit(0);
        }
        push @crowd, [$pid, $done];
    }
    return @crowd;
}

sub disperse { my @crowd = @_; kill 'KILL', map { $_->[0] } @crowd; waitpid($_->[0], 0) for @crowd }

for my $case (['connections = 10100', 10000, 10001], ['connections = 500', 400, 500]) {
    my ($settings, $least, $most) = @$case;
    start($settings);
    is(ask('postfix good.test'), $secure, "$settings: a domain in memory");
    my @crowd = crowd(20, 500);
    my ($asked, $served) = (0, 0);
    my $present = IO::Select->new(map { $_->[1] } @crowd);
    while ($present->count || $asked < 50) {
        $present->remove($_) for $present->can_read(0);
        $asked++;
        $served++ if ask('postfix good.test') eq $secure;
    }
    is($served, $asked, "while 10000 connections are opened and left, all $asked others are served");
    is(ask('postfix new.test'), 'OK secure match=mx.new.test servername=hostname', 'and look-ups are made');
    cmp_ok(connections(), '>=', $least, 'the connections are held,');
    cmp_ok(connections(), '<=', $most, 'as many as may be');
    disperse(@crowd);
    is_connections(0, 'and given up when their clients go');
    is(ask('postfix good.test'), $secure, 'policyd goes on');
    is(stop(), 0, 'and ends well');
    unlike(log_text(), qr/accept-failed|Sanitizer|runtime error/, 'without a fault');
}
done_testing();
