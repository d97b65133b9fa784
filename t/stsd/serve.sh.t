#!/usr/bin/perl
# The built postern-stsd on its call socket, with a resolver that the names tell what to do: silent, slow, failing. Real zones are in the lab.
use strict;
use warnings;
use File::Temp qw(tempdir);
use FindBin;
use lib "$FindBin::Bin/../policyd";
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use JSON::PP qw(decode_json);
use POSIX qw(:sys_wait_h);
use Policyd qw(fresh netstring read_answer read_all);
use Socket qw(SOCK_STREAM);
use Test::More;
use Time::HiRes qw(sleep time);

$SIG{PIPE} = 'IGNORE';
my $dir = tempdir(CLEANUP => 1);
chmod 0755, $dir;

# --- the resolver ---
# Every name exists without records; "slow" names take half a second, "fail" names are SERVFAIL, "silent" ones are not answered, nor are
# "held" ones before the file `go` is there.
sub resolver {
    my ($socket) = @_;
    my $select = IO::Select->new($socket);
    my (@due, @held);
    open(my $asked, '>>', "$dir/asked") or die;
    $asked->autoflush(1);
    while (1) {
        my $wait = @held ? 0.05 : @due ? $due[0][0] - time() : 10;
        if ($select->can_read($wait < 0 ? 0 : $wait)) {
            my $from = $socket->recv(my $packet, 4096);
            my ($name, $at) = ('', 12);
            while (my $len = ord substr $packet, $at, 1) { $name .= substr($packet, $at + 1, $len) . '.'; $at += $len + 1 }
            $name = lc $name;
            print $asked unpack('n', substr $packet, $at + 1, 2), " $name\n";
            next if $name =~ /silent/;
            my $flags = $name =~ /fail/ ? 0x8182 : 0x8180;
            my $reply = substr($packet, 0, 2) . pack('nnnnn', $flags, 1, 0, 0, 0) . substr($packet, 12, $at + 5 - 12);
            push @{ $name =~ /held/ ? \@held : \@due }, [time() + ($name =~ /slow/ ? 0.5 : 0), $from, $reply];
        }
        push @due, splice @held if -e "$dir/go";
        @due = sort { $a->[0] <=> $b->[0] } @due;
        while (@due && $due[0][0] <= time()) { my $d = shift @due; $socket->send($d->[2], 0, $d->[1]) }
    }
}

# How many MX queries for a domain there were.
sub asked {
    my ($domain) = @_;
    open(my $fh, '<', "$dir/asked") or return 0;
    return scalar grep { $_ eq "15 $domain.\n" } <$fh>;
}

my $socket = IO::Socket::INET->new(Proto => 'udp', LocalAddr => '127.0.0.1') or die "$!";
my $resolver_pid = fork() // die;
if (!$resolver_pid) { resolver($socket); POSIX::_exit(0) }

# --- stsd ---
my $user = $> == 0 ? 'nobody' : (getpwuid($>))[0];
sub configure {
    my (%of) = @_;
    open(my $conf, '>', "$dir/postern.conf") or die;
    print $conf <<CONF;
redis { url = "" }
stsd {
    listen = "unix:$dir/stsd.sock"
    resolvers = {"127.0.0.1:@{[$socket->sockport]}"}
    user = "$user"
    dns_timeout = 30s
    lookup_timeout = $of{timeout}
    lookup_concurrency = $of{at_once}
    lookup_queue = $of{queue}
    ttl_min = 300
}
CONF
    close $conf or die;
}
configure(timeout => '8s', at_once => 4, queue => 2);
my $stsd_pid = fork() // die;
if (!$stsd_pid) {
    open(STDERR, '>', "$dir/log");
    exec($ENV{POSTERN_STSD} // './stsd/postern-stsd', '-f', '-c', "$dir/postern.conf") or POSIX::_exit(127);
}
sub until_true {
    my ($try) = @_;
    for (1 .. 1200) { return 1 if $try->(); sleep 0.05 }
    return 0;
}
sub reload {
    my $before = () = log_text() =~ / reloaded /g;
    configure(@_);
    kill 'HUP', $stsd_pid;
    return until_true(sub { $before < (() = log_text() =~ / reloaded /g) });
}
sub log_text { open(my $fh, '<', "$dir/log") or return ''; local $/; return <$fh> // '' }
until_true(sub { log_text() =~ /started/ });

my $id = 0;

sub connect_to {
    return fresh(IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => "$dir/stsd.sock") // die "connect: $!");
}

sub call_on {
    my ($fh, $request) = @_;
    syswrite $fh, netstring("1 " . ++$id . " $request");
    return $id;
}

sub call {
    my ($request) = @_;
    my $fh = connect_to();
    my $want = call_on($fh, $request);
    my $answer = read_answer($fh) // 'nothing';
    return $answer =~ /^1 $want (.*)$/s ? $1 : "not ours: $answer";
}

sub record {
    my ($text) = @_;
    return $text =~ /^(?:1 \d+ )?OK (.*)$/s ? decode_json($1) : {};
}

# --- answers ---
my $record = record(call('resolve Plain.TEST.'));
is($record->{domain}, 'plain.test', 'a record, under the name in its one form');
is($record->{mx}{state}, 'implicit', 'no MX records: the domain itself');
is($record->{sts}{record}, 'none', 'no MTA-STS');
is(asked('plain.test'), 1, 'one query');
call('resolve plain.test');
is(asked('plain.test'), 1, 'none while the facts hold');
call('refresh plain.test');
is(asked('plain.test'), 2, 'one more when they are wanted anew');

$record = record(call('resolve fail.test'));
is($record->{mx}{state}, 'temp', 'SERVFAIL: not known now');
is($record->{sts}{record}, 'temp', 'nor is MTA-STS');
cmp_ok($record->{valid_until} - $record->{resolved}, '<=', 30, 'for half a minute at most');
my $before = asked('fail.test');
call('resolve fail.test');
is(asked('fail.test'), $before, 'in which nobody is asked again');

# --- misuse ---
like(call('resolve good..loc'), qr/^PERM .*label/, 'no domain name');
like(call('resolve '), qr/^PERM /, 'no domain');
like(call('explode plain.test'), qr/^PERM .*explode/, 'unknown verb');
for my $bad ('hello', netstring('2 1 resolve a.test'), netstring('1 x resolve a.test'), netstring('x' x 3000)) {
    my $fh = connect_to();
    syswrite $fh, $bad;
    is(read_all($fh), '', 'no request: closed (' . substr($bad, 0, 20) . ')');
}

# --- one resolution a domain, answers in any order, bounds ---
my @fh = map { my $fh = connect_to(); call_on($fh, 'resolve slow.test'); $fh } 1 .. 20;
is(scalar(grep { record(read_answer($_) // '')->{domain} eq 'slow.test' } @fh), 20, '20 clients ask for one new domain');
is(asked('slow.test'), 1, 'which is resolved once');

my $fh = connect_to();
my $first = call_on($fh, 'resolve silent-order.test');
my $second = call_on($fh, 'resolve quick.test');
like(read_answer($fh), qr/^1 $second OK /, 'a quick domain overtakes a silent one');
like(read_answer($fh), qr/^1 $first OK .*"state":"temp"/, 'which is a temporary failure at the deadline');

$fh = connect_to();
my %of = map { call_on($fh, "resolve silent-$_.test") => $_ } 1 .. 8;
my %answer;
for (1 .. 8) { my ($n, $status) = (read_answer($fh) // '') =~ /^1 (\d+) (\w+)/; $answer{ $of{ $n // 0 } // 0 } = $status }
is(join(' ', map { $answer{$_} // '-' } 1 .. 8), 'OK OK OK OK OK OK TEMP TEMP',
    'four at a time, two wait their turn, more are refused at once');
my $status = record(call('status '));
is($status->{refused_total}, 2, 'status counts them');
is($status->{redis}, 'none', 'and says that there is no Redis');

# --- more places ---
ok(reload(timeout => '60s', at_once => 1, queue => 10), 'SIGHUP: one at a time');
my @held = map { "held-$_.test" } 1 .. 6;
$fh = connect_to();
call_on($fh, "resolve $_") for @held;
ok(until_true(sub { record(call('status '))->{waiting} == 5 }), 'five wait');
ok(until_true(sub { asked($held[0]) }), 'one is asked about');
is(scalar(grep { asked($_) } @held), 1, 'and no other');
ok(reload(timeout => '60s', at_once => 10, queue => 10), 'SIGHUP: ten at a time');
ok(until_true(sub { !grep { !asked($_) } @held }), 'those that waited are asked about');
is(scalar(() = IO::Select->new($fh)->can_read(0)), 0, 'before one of them has ended');
open(my $go, '>', "$dir/go") or die;
is(join(' ', sort map { record(read_answer($fh) // '')->{domain} // '' } @held), "@held", 'and all are answered');

# --- the end ---
$fh = connect_to();
call_on($fh, 'resolve slow-end.test');
until_true(sub { asked('slow-end.test') });
kill 'TERM', $stsd_pid;
is(record(read_answer($fh) // '')->{domain}, 'slow-end.test', 'TERM: what is under way is still answered');
my $ended;
for (1 .. 1200) { if (waitpid($stsd_pid, WNOHANG) == $stsd_pid) { $ended = $?; last } sleep 0.05 }
kill 'KILL', $stsd_pid if !defined $ended;
is($ended, 0, 'TERM: exit code 0');
unlike(log_text(), qr/Sanitizer|runtime error/, 'nothing for the sanitizers');
kill 'TERM', $resolver_pid;
waitpid $resolver_pid, 0;
done_testing();
