#!/usr/bin/perl
# The built postern-policyd on the wire: the socketmap protocol, its misuse, and a stsd that is slow, silent or talks nonsense.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Policyd;
use Test::More;
use Time::HiRes qw(sleep);

$SIG{PIPE} = 'IGNORE';
start('connections = 300');
my $hanging = connect_to();
syswrite $hanging, netstring('postfix hang.test');

my $secure = 'OK secure match=mx.good.test servername=hostname';

# --- answers ---
is(ask('postfix good.test'), $secure, 'a domain with an enforced policy');
is(ask('QUERY good.test'), $secure, 'the map QUERY is the same');
is(ask('postfix good.test', 'second.sock'), $secure, 'the second listener');
is(ask('postfix GOOD.Test.'), $secure, 'case and final dot do not count');
is(ask('postfix good.test:25'), $secure, 'port 25 is the same next hop');
is(ask('postfix good.test:587'), $secure, 'another port, MTA-STS goes for the domain');
like(ask('QUERYwithTLSRPT good.test'),
    qr/^\Q$secure\E policy_type=sts policy_ttl=86400 policy_domain=good\.test \{ policy_string = version: STSv1 \} .* mx_host_pattern=mx\.good\.test$/,
    'attributes for TLSRPT');
is(ask('postfix none.test'), 'NOTFOUND ', 'a domain without policy');
is(ask("postfix $_"), 'NOTFOUND ', "key $_")
    for ('.test', '.', '[mx.good.test]', '[mx.good.test]:25', '[192.0.2.1]', '[IPv6:2001:db8::1]', '127.0.0.1:2424');
is(asked('good.test'), 2, 'one look-up for memory, one for the other port; keys that have no policy ask nobody');

# --- bad requests ---
like(ask('nosuchmap good.test'), qr/^PERM no such map/, 'unknown map');
like(ask('postfix'), qr/^PERM /, 'no key');
like(ask('postfix good..loc'), qr/^PERM /, 'empty label');
like(ask('postfix ' . 'a' x 9000), qr/^PERM /, 'over-long key');
like(ask("postfix good.test\0.evil.test"), qr/^PERM /, 'NUL in the key');
like(ask("postfix good.test\nx"), qr/^PERM /, 'line feed in the key');
for my $bad ('hello', '5x', '01:a,', ':,', '3:abcd', '10001:', '9' x 100, '-1:a,', "\0") {
    my $fh = connect_to();
    syswrite $fh, $bad;
    is(read_all($fh), '', sprintf('no netstring: "%s": closed', $bad =~ s/\0/\\0/r =~ s/^(9{10}).*/$1…/r));
}

# --- the order and shape of the stream ---
my $fh = connect_to();
syswrite $fh, join '', map { netstring($_) } 'postfix slow-a.test', 'postfix none.test', 'postfix .x', 'postfix slow-b.test', 'postfix good.test';
is(read_answer($fh), 'OK secure match=mx.slow-a.test servername=hostname', 'pipelined: 1, which has to wait');
is(read_answer($fh), 'NOTFOUND ', 'pipelined: 2');
is(read_answer($fh), 'NOTFOUND ', 'pipelined: 3');
is(read_answer($fh), 'OK secure match=mx.slow-b.test servername=hostname', 'pipelined: 4, which has to wait');
is(read_answer($fh), $secure, 'pipelined: 5');
for my $octet (split //, netstring('postfix good.test')) { syswrite $fh, $octet; sleep 0.002 }
is(read_answer($fh), $secure, 'one octet at a time');
syswrite $fh, netstring('postfix slow-c.test') . netstring('postfix good.test');
shutdown($fh, 1);
is(read_all($fh), netstring('OK secure match=mx.slow-c.test servername=hostname') . netstring($secure),
    'a client that has shut down its side gets its answers, then the end');

$fh = connect_to();
my $many = 2000;
my $writer = fork() // die;
if (!$writer) { my $all = netstring('QUERYwithTLSRPT good.test') x $many; while (length $all) { my $n = syswrite $fh, $all or last; substr($all, 0, $n, '') } POSIX::_exit(0) }
sleep 0.3; # the replies pile up meanwhile
my $count = 0;
while ($count < $many && (read_answer($fh) // '') =~ /^OK secure/) { $count++ }
is($count, $many, 'replies that are taken late all come');
waitpid($writer, 0);

# Replies that wait in the server because they are not taken, then one that had to be looked up: the order stays.
$fh = connect_to();
my $piled = 4615;
my $rest = netstring('QUERYwithTLSRPT good.test') x $piled . netstring('postfix slow-order.test');
$writer = fork() // die;
if (!$writer) { while (length $rest) { my $n = syswrite $fh, $rest or last; substr($rest, 0, $n, '') } POSIX::_exit(0) }
sleep 1.2; # the look-up is done while earlier replies still wait
my $index = 0;
while (defined(my $reply = read_answer($fh))) { last if $reply =~ /slow-order/; $index++ }
is($index, $piled, 'a looked-up reply does not overtake those that wait');
waitpid($writer, 0);

# More replies than a socket takes at a time, and less than the server sends at a time.
my $reply = netstring(ask('QUERYwithTLSRPT good.test'));
$piled = int(250000 / length $reply);
$fh = connect_to();
syswrite $fh, netstring('QUERYwithTLSRPT good.test') x $piled . 'x';
sleep 0.3;
is(length(read_all($fh)), $piled * length $reply, 'replies that wait still go out before a connection is closed for what is no netstring');

# --- one look-up a domain ---
my @waiting = map { my $c = connect_to(); syswrite $c, netstring('postfix slow-once.test'); $c } 1 .. 100;
is(scalar(grep { (read_answer($_) // '') =~ /^OK secure match=mx\.slow-once/ } @waiting), 100, '100 clients ask for one new domain');
is(asked('slow-once.test'), 1, 'which is looked up once');
close $_ for @waiting;

# --- stsd is in trouble ---
like(ask('postfix temp.test'), qr/^TEMP /, 'stsd says TEMP');
like(ask('postfix garbage.test'), qr/^TEMP /, 'stsd sends half a record');
like(ask('postfix otherdomain.test'), qr/^TEMP /, 'stsd sends the record of another domain');
like(read_answer($hanging), qr/^TEMP /, 'stsd is silent: TEMP at the deadline');
$fh = connect_to();
syswrite $fh, netstring('postfix slow-gone.test');
close $fh;
sleep 0.7;
is(ask('postfix good.test'), $secure, 'a client that goes while its domain is looked up does no harm');

# --- many connections ---
my @idle = map { connect_to() } 1 .. 290;
syswrite $_, netstring('postfix good.test') for @idle;
is(scalar(grep { (read_answer($_) // '') eq $secure } @idle), 290, '290 connections');
my @more = map { connect_to() } 1 .. 50;
syswrite $_, netstring('postfix good.test') for @more;
is(scalar(grep { (read_answer($_) // '') eq $secure } @more), 50, 'beyond the limit the longest idle make room');
close $_ for @idle, @more;

# --- signals ---
# Tells it to read the configuration again, and waits until the log has said so often what that came to.
sub reread {
    my ($said, $times) = @_;
    kill 'HUP', $policyd_pid;
    ok(until_true(sub { (() = log_text() =~ /$said/g) == $times }), 'the configuration is read again');
}
reread(qr/info reloaded/, 1);
is(ask('postfix good.test'), $secure, 'after a reload');
unlike(log_text(), qr/takes-a-restart/, 'which changed nothing that takes a restart');
open(my $more, '>>', "$dir/postern.conf");
print $more "policyd { cache_entries = 7 stale_max = 2h }\nredis { prefix = \"x:\" }\n";
close $more;
reread(qr/info reloaded/, 2);
is(join(' ', sort(log_text() =~ /takes-a-restart key=(\S+)/g)), 'policyd.cache_entries redis.prefix',
    'after another one the log names what takes a restart');
open(my $conf, '>>', "$dir/postern.conf");
print $conf "nonsense = 1\n";
close $conf;
reread(qr/config-error/, 1);
is(ask('postfix good.test'), $secure, 'after a reload of a broken file the old one goes on');
like(log_text(), qr/postern\.conf:\d+: .*nonsense/, 'and the log says which line is broken');
$fh = connect_to();
syswrite $fh, netstring('postfix slow-drain.test');
until_true(sub { asked('slow-drain.test') });
my $status = stop();
is(read_answer($fh), 'OK secure match=mx.slow-drain.test servername=hostname', 'TERM: what is under way is still answered');
is($status, 0, 'TERM: exit code 0');
unlike(log_text(), qr/Sanitizer|runtime error/, 'nothing for the sanitizers');
done_testing();
