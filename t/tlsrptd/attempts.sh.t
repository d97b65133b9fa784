#!/usr/bin/perl
# attempts_io.c against stand-ins for stsd and policyd: attempts leave in order, once their facts are there; stsd away and back; domains that it cannot tell of;
# a collector that is full; what policyd says of plain text.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../relayd";
use File::Temp qw(tempdir);
use IO::Select;
use POSIX ();
use Relay ();
use Test::More;
use Time::HiRes qw(sleep time);

my $dir = tempdir(CLEANUP => 1);
my (%pid, $driver, $said, $in, $out);
my $owner = $$;
END { my $status = $?; if ($$ == $owner) { for (values %pid) { kill 'KILL', $_; waitpid $_, 0 } } $? = $status }

# --- stand-ins: what they say of a domain stands in a file, or not yet ---
sub says {
    my ($who, $domain, $text) = @_;
    open(my $fh, '>', "$dir/$who.$domain.new") or die;
    print $fh $text;
    close $fh;
    rename "$dir/$who.$domain.new", "$dir/$who.$domain";
}
sub stand_in {
    my ($who) = @_;
    Relay::stand_in($who, "$dir/$who.sock", sub {
        my ($asked, $domain) = @_;
        open(my $log, '>>', "$dir/$who.asked"); print $log "$asked $domain\n"; close $log;
        open(my $fh, '<', "$dir/$who.$domain") or return ('TEMP', 'no luck today');
        local $/;
        my $text = <$fh>;
        return if $text eq 'silent';
        return split / /, $text, 2;
    });
}
sub stop { my ($who) = @_; Relay::stand_in_stop($who); unlink "$dir/$who.sock" }
sub asked { my ($who) = @_; open(my $fh, '<', "$dir/$who.asked") or return ''; local $/; return <$fh> // '' }

# --- the driver ---
sub drive {
    my ($counts, $policyd) = @_;
    pipe(my $child_in, $in); pipe($out, my $child_out);
    $said = '';
    $pid{driver} = fork() // die;
    if (!$pid{driver}) {
        @SIG{qw(INT TERM)} = ('DEFAULT') x 2;
        open(STDIN, '<&', $child_in); open(STDOUT, '>&', $child_out); open(STDERR, '>>', "$dir/err");
        close $in; close $out;
        exec($ENV{POSTERN_DRIVE} // './t/tlsrptd/drive_attempts', "unix:$dir/stsd.sock", $policyd // '', $counts) or POSIX::_exit(127);
    }
    close $child_in; close $child_out;
    $in->autoflush(1);
}
sub tell_it { print $in map { "$_\n" } @_ } # in one write, so that it is heard in one turn
sub hear {
    my ($wait) = @_;
    while (IO::Select->new($out)->can_read($wait)) { sysread($out, $said, 65536, length $said) or last }
}
sub until_said {
    my ($pattern, $name) = @_;
    for (1 .. 600) { hear(0.1); last if $said =~ $pattern }
    like($said, $pattern, $name);
}
sub finish {
    my ($name) = @_;
    tell_it('end');
    my $ended = 0;
    for (1 .. 1200) { if (waitpid($pid{driver}, POSIX::WNOHANG()) > 0) { $ended = 1; last } sleep 0.05 }
    my $status = $?;
    ok($ended && $status == 0, "$name: it ends well");
    delete $pid{driver} if $ended;
}
sub log_said { open(my $fh, '<', "$dir/err") or return ''; local $/; return <$fh> // '' }

sub facts {
    my ($domain, %r) = @_;
    return 'OK ' . Relay::record($domain, hosts => [["mx.$domain", ['192.0.2.1'], 10]], tlsrpt => 'v=TLSRPTv1; rua=mailto:r@x.test', %r);
}
my ($NO_TLS, $NOT_OFFERED, $TLS) = (0, 1, 4);
my ($UNTRUSTED, $TRUSTED) = (2, 3);
my ($SENT, $GAVE_UP) = (0, 3);
my $good = "$TLS $TRUSTED $SENT";

# --- order: the first waits, those behind it are known ---
says('stsd', 'slow.test', 'silent');
says('stsd', "$_.test", facts("$_.test")) for 'a' .. 'c';
says('stsd', 'testing.test', facts('testing.test', mode => 'testing'));
stand_in('stsd');
drive(1);
tell_it('position p0', "attempt a.test mx.a.test $good", 'position p1');
until_said(qr/counted.*\nposition log p1\n/s, 'an attempt, then its position');
is($said, "position log p0\nfallback a.test mx.a.test tls 1795341600\ncounted a.test 20779 9:ok\nposition log p1\n", 'W1 judged, told, on its day');
$said = '';
tell_it("attempt b.test mx.b.test $good", 'position p2', 'position p3', "attempt slow2.test mx.slow2.test $good", 'position p4', "attempt a.test mx.a.test $good", 'position p5');
until_said(qr/position log p5\n/, 'a domain that cannot be looked up is given up');
like($said, qr/counted b.test .*position log p3\n.*position log p4\ncounted a.test .*position log p5\n/s, 'in their order, positions joined');
unlike($said, qr/log p2\n|counted slow2/, 'and it is not counted');
like($said, qr/fallback slow2.test mx.slow2.test tls/, 'but fallback hears of it');
like($said, qr/fallback a.test .*fallback slow2.test/s, 'and it does not wait for its turn');
like(log_said(), qr/no-facts domain=slow2.test why="no luck today"/, 'it is logged');
is(scalar(() = asked('stsd') =~ /resolve slow2.test/g), 3, 'after so many tries');
is(scalar(() = asked('stsd') =~ /resolve a.test/g), 1, 'what is known is not asked for again');
$said = '';

# --- stsd goes, and comes back ---
stop('stsd');
tell_it(map({ ("attempt $_.test mx.$_.test $good 50", "position q$_") } 'c', 'testing', 'a'), 'stats');
until_said(qr/^stats .*$/m, 'stsd is away');
hear(1.5);
unlike($said, qr/counted|position/, 'nothing leaves') or diag($said);
like(log_said(), qr/stsd-away/, 'and it says so');
is(scalar(() = log_said() =~ /stsd-away/g), 1, 'once');
stand_in('stsd');
until_said(qr/position log qa\n/, 'it comes back: all leave');
is(join(' ', $said =~ /^counted (\S+)\./mg), join(' ', ('c') x 50, ('testing') x 50, ('a') x 50), 'each once, in order');
like(log_said(), qr/stsd-back/, 'and it says so');
$said = '';

# --- the collector is full ---
tell_it('full 1', "attempt a.test mx.a.test $good", 'position r1', "attempt a.test mx.a.test $good 9998", 'stats');
until_said(qr/stats 1?\d+ \d+ 1 9999 0\n/, 'the collector is full: attempts wait');
tell_it("attempt a.test mx.a.test $good", 'stats');
until_said(qr/stats \d+ \d+ 1 10000 1\n/, 'until there is no more room');
unlike($said, qr/counted|room|position/, 'none left');
tell_it('full 0');
until_said(qr/room\n/, 'there is room again');
for (1 .. 600) { last if (() = $said =~ /^counted a.test/mg) >= 10000; hear(0.1) }
hear(0.2);
is(scalar(() = $said =~ /^counted a.test/mg), 10000, 'all were counted');
is(scalar(() = $said =~ /^room/mg), 1, 'and that was said once');
$said = '';
finish('collector');

# --- which are told ---
drive(1);
tell_it("attempt testing.test mx.testing.test $TLS $UNTRUSTED $SENT", "attempt testing.test mx.testing.test $NOT_OFFERED 0 $GAVE_UP",
    "attempt testing.test smarthost.test $good", "attempt testing.test - $good", 'position s');
until_said(qr/position log s\n/, 'testing');
is($said =~ s/^fallback.*\n//mgr, "counted testing.test 20779 2:203\ncounted testing.test 20779 2:201\nposition log s\n", 'what goes by another way is not told');
is(join(' ', $said =~ /^fallback \S+ (\S+) (\S+)/mg), 'mx.testing.test tls mx.testing.test handshake', 'nor to fallback');
$said = '';
# Without policyd: TLS was wanted where a policy is published.
tell_it("attempt a.test mx.a.test $NO_TLS 0 $SENT", "attempt testing.test mx.testing.test $NO_TLS 0 $SENT", 'position t');
until_said(qr/position log t\n/, 'without TLS and policyd');
is($said =~ s/^fallback.*\n//mgr, "counted testing.test 20779 2:201\nposition log t\n", 'told of the one that publishes a policy');
finish('alone');

# --- policyd ---
stand_in('policyd');
says('policyd', 'a.test', 'OK {"level":"default"}');
says('policyd', 'b.test', 'OK {"level":"none"}');
says('policyd', 'c.test', 'OK {"level":"temp"}');
says('policyd', 'testing.test', 'OK {"level":"none"}');
drive(1, "unix:$dir/policyd.sock");
tell_it(map({ "attempt $_.test mx.$_.test $NO_TLS 0 $SENT" } 'a', 'b', 'c', 'testing'), "attempt a.test mx.a.test $good", 'position u');
until_said(qr/position log u\n/, 'without TLS');
is($said =~ s/^fallback.*\n//mgr, "counted a.test 20779 9:201\ncounted a.test 20779 9:ok\nposition log u\n", 'only where it was not plain text that was wanted');
is(scalar(() = $said =~ /^fallback \S+ \S+ plain/mg), 4, 'fallback hears of all of them');
# What it decided on is gone, and its answer goes on.
says('policyd', 'a.test', 'OK {"level":"unknown","answer":"OK may"}');
says('policyd', 'b.test', 'OK {"level":"unknown","answer":"OK none"}');
says('policyd', 'c.test', 'OK {"level":"unknown","answer":"TEMP not now"}');
says('policyd', 'testing.test', 'OK {"level":"unknown","answer":"NOTFOUND "}');
$said = '';
tell_it(map({ "attempt $_.test mx.$_.test $NO_TLS 0 $SENT" } 'a', 'b', 'c', 'testing'), 'position x');
until_said(qr/position log x\n/, 'the last answer goes on');
is($said =~ s/^fallback.*\n//mgr, "counted a.test 20779 9:201\ncounted testing.test 20779 2:201\nposition log x\n", 'then that answer says what was wanted');
stop('policyd');
$said = '';
tell_it(map({ "attempt $_.test mx.$_.test $NO_TLS 0 $SENT" } 'a', 'testing'), 'position v');
until_said(qr/position log v\n/, 'policyd is away');
is($said =~ s/^fallback.*\n//mgr, "counted testing.test 20779 2:201\nposition log v\n", 'then the published policy says it');
$said = '';
tell_it("attempt slow.test mx.slow.test $good");
finish('with a look-up under way');

# --- only for fallback ---
drive(0);
tell_it("attempt a.test mx.a.test $good", "attempt testing.test mx.testing.test $NO_TLS 0 $SENT", 'position w');
until_said(qr/position log w\n/, 'only for fallback');
is($said, "fallback a.test mx.a.test tls 1795341600\nfallback testing.test mx.testing.test plain 1795341600\nposition log w\n", 'nothing is counted');
finish('fallback');
unlike(log_said(), qr/Sanitizer|runtime error/, 'no sanitizer complains');
done_testing();
