#!/usr/bin/perl
# postern-policyd with several workers: they share the listeners, what is told to one process reaches all, and what happens to one does not harm the others.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use IO::Select;
use IO::Socket::UNIX;
use Policyd;
use POSIX qw(:sys_wait_h);
use Test::More;
use Time::HiRes qw(sleep time);

$SIG{PIPE} = 'IGNORE';
my $posternctl = $ENV{POSTERNCTL} // './ctl/posternctl';
my $count = 3;
my $secure = 'OK secure match=mx.good.test servername=hostname';

# The present process of each worker, from 1.
sub workers { my %pid = log_text() =~ /worker-started worker=(\d+) pid=(\d+)/g; return (undef, map { $pid{$_} } 1 .. $count) }
sub state_of { my ($pid) = @_; return `cat /proc/$pid/stat 2>/dev/null` =~ /\) (\w) / ? $1 : '' }
sub running { my ($pid) = @_; return kill(0, $pid) && state_of($pid) ne 'Z' }

# Do something while only one worker can take it. One that is told to stop may still take something until it has.
sub with_worker {
    my ($worker, $do) = @_;
    my @pid = workers();
    my @others = map { $pid[$_] } grep { $_ != $worker } 1 .. $count;
    kill 'STOP', @others;
    until_true(sub { !grep { state_of($_) ne 'T' } @others });
    my @result = $do->();
    kill 'CONT', @others;
    return wantarray ? @result : $result[0];
}

sub request { my ($fh, $domain) = @_; syswrite $fh, netstring("postfix $domain"); return $fh }
sub connected { my ($worker) = @_; return with_worker($worker, sub { my $fh = request(connect_to(), '.'); is(read_answer($fh), 'NOTFOUND ', "a connection of worker $worker"); $fh }) }
sub entries { my ($worker) = @_; return join ' ', sort map { $_->{domain} } @{ control('cache-show', '', $worker)->{domains} } }
sub ctl { my $out = `$posternctl -c $dir/postern.conf @_ 2>&1`; return $out }

sub metrics {
    my $fh = IO::Socket::UNIX->new(Peer => "$dir/metrics.sock") // die "$!";
    syswrite $fh, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    return { (read_all(fresh($fh)) // '') =~ /^postern_policyd_(\w+) (\d+)$/mg };
}


start("workers = $count\nmetrics_listen = \"unix:DIR/metrics.sock\"\npid_file = \"DIR/pid\"");

# --- the processes ---
my @pid = workers();
is(scalar(grep { $_ && running($_) } @pid), $count, 'as many workers as were asked for');
is(`cat $dir/pid`, "$policyd_pid\n", 'the pid file names the process that was started');
is(scalar(grep { (stat "/proc/$_")[4] == 0 } $policyd_pid, @pid[1 .. $count]), 0, 'none of them runs as root') if $> == 0;

# --- all of them answer, each from a memory of its own ---
my @fh = (undef, map { connected($_) } 1 .. $count);
is(read_answer(request($fh[$_], 'good.test')), $secure, "worker $_ answers") for 1 .. $count;
is(asked('good.test'), $count, 'each has looked the domain up,');
is(read_answer(request($fh[$_], 'good.test')), $secure, "worker $_ answers again") for 1 .. $count;
is(asked('good.test'), $count, 'and remembers it');
request($fh[2], 'two.test') && read_answer($fh[2]);
is(join(', ', map { entries($_) } 1 .. $count), 'good.test, good.test two.test, good.test', 'what each of them remembers');
is(control('explain', 'good.test', $count)->{answer}, $secure, 'explain asks any of them');

# --- numbers are of all ---
sub settled { my ($name, $want) = @_; return until_true(sub { control('status')->{$name} == $want }) }
ok(settled('connections', $count), 'status: connections of all workers,');
ok(settled('memory_entries', $count + 1), 'entries of all memories,');
my @status = map { control('status', '', $_) } 1 .. $count;
is_deeply([map { "$_->{requests_total} $_->{connections_accepted_total} $_->{memory_hits_total}" } @status], [((3 * $count + 1) . " $count $count") x $count],
    'and the same sums whichever worker is asked') or diag explain \@status;
is(join(' ', $status[1]{workers}, $status[1]{pid}), "$count $policyd_pid", 'how many they are, and the process to be told');
like(ctl('status'), qr/^  workers +$count\n/m, 'posternctl tells it');
my $page = metrics();
is_deeply([@$page{qw(requests_total workers connections memory_entries)}], [3 * $count + 1, $count, $count, $count + 1], 'the page for Prometheus has the same sums');

# --- posternctl and the memories ---
like(ctl('cache show'), qr/^good\.test +1 .*^two\.test +2 .*^4 of at most 300000 entries$/ms, 'cache show: all memories, and whose');
like(ctl('cache get two.test'), qr/^DOMAIN +WORKER.*\ntwo\.test +2 /, 'cache get: who has it');
is(ctl('cache get none.test'), "posternctl: none.test: not in memory\n", 'cache get: nobody has it');
is(ctl('cache flush good.test'), "3 answers forgotten\n", 'cache flush of a domain reaches all');
is(join(', ', map { entries($_) } 1 .. $count), ', two.test, ', 'it does');
is(read_answer(request($fh[$_], 'good.test')), $secure, "worker $_ looks it up again") for 1 .. $count;
is(ctl('cache flush'), "4 answers forgotten\n", 'cache flush reaches all');
is(join('', map { entries($_) } 1 .. $count), '', 'it does');
is(ctl('cache flush no..name') =~ /^posternctl: no\.\.name: this is no next hop/, 1, 'a refusal is told once');

# --- a worker dies ---
kill 'KILL', $pid[2];
is(read_answer(request($fh[$_], 'good.test')), $secure, "worker $_ goes on") for 1, 3;
is(read_all($fh[2]), '', 'the clients of the one that died see the end');
is(ask('postfix good.test'), $secure, 'and are answered when they connect again');
ok(until_true(sub { my $now = (workers())[2]; $now != $pid[2] && running($now) }), 'it is replaced');
like(log_text(), qr/error worker-died worker=2 pid=$pid[2] how=Killed code=9\n/, 'and the log says so');
@pid = workers();
$fh[2] = connected(2);
is(read_answer(request($fh[2], 'good.test')), $secure, 'the new one answers');
my $before = $page;
$page = metrics();
is(scalar(grep { /_total$/ && $page->{$_} < $before->{$_} } keys %$before), 0, 'no counter has gone back');
ok($page->{requests_total} > $before->{requests_total}, 'they go on');
ok(settled('connections', $count), 'the connections of the dead are not counted');
kill 'TERM', $pid[3];
ok(until_true(sub { my $now = (workers())[3]; $now != $pid[3] && running($now) }), 'one that is told to end ends, and is replaced too');
$fh[3] = connected(3);
@pid = workers();

# --- the first one hangs ---
kill 'STOP', $pid[1];
like(ctl('status'), qr/worker 2 answers in its place.*^  workers +$count\n/ms, 'posternctl status asks the next one');
like(ctl('explain good.test'), qr/worker 2 answers in its place.*\Q$secure\E/s, 'and so does explain');
kill 'CONT', $pid[1];

# --- the configuration is read again ---
sub append { open(my $conf, '>>', "$dir/postern.conf") or die; print $conf "@_\n" }
sub reloads { return scalar(() = log_text() =~ /info reloaded/g) }
append('policyd { sts = no }', 'redis { prefix = "x:" }');
kill 'HUP', $policyd_pid;
ok(until_true(sub { reloads() == $count }), 'SIGHUP reaches all workers');
is(read_answer(request($fh[$_], 'good.test')), 'NOTFOUND ', "worker $_ goes by the new settings") for 1 .. $count;
is(join(' ', log_text() =~ /takes-a-restart key=(\S+)/g), 'redis.prefix', 'what takes a restart is named once');
append('nonsense = 1');
kill 'HUP', $policyd_pid;
ok(until_true(sub { log_text() =~ /config-error .*nonsense/ }), 'a broken configuration is told');
kill 'KILL', $pid[1];
ok(until_true(sub { my $now = (workers())[1]; $now != $pid[1] && running($now) }), 'a worker that is replaced then');
@pid = workers();
$fh[1] = connected(1);
is(read_answer(request($fh[1], 'good.test')), 'NOTFOUND ', 'goes by the settings that the others have');

# --- the end ---
request($fh[$_], "slow-end-$_.test") for 1 .. $count;
ok(until_true(sub { !grep { !asked("slow-end-$_.test") } 1 .. $count }), 'each worker has something under way');
my $drained = () = log_text() =~ /info draining/g;
kill 'TERM', @pid[1 .. $count]; # systemd tells the whole group
ok(until_true(sub { (() = log_text() =~ /info draining/g) == $drained + $count }), 'they are told');
my $status = stop();
is(read_answer($fh[$_]), 'NOTFOUND ', "worker $_ answers before it ends") for 1 .. $count;
is($status, 0, 'the exit code is 0');
is(scalar(grep { running($_) } @pid[1 .. $count]), 0, 'no worker is left');
is(join(' ', grep { -e "$dir/$_" } qw(policyd.sock second.sock policyd.ctl policyd.ctl.2 policyd.ctl.3 metrics.sock pid)), '', 'nor any socket, nor the pid file');
unlike(log_text(), qr/Sanitizer|runtime error|drain-timeout|stopped-at-once/, 'nothing went wrong');

# --- Redis tells each of them ---
ok(start_redis(), 'a Redis');
start("workers = $count", $redis_url);
ok(settled('tracking', 1), 'all workers are connected to Redis, which tells them of changes');
@fh = (undef, map { connected($_) } 1 .. $count);
is(read_answer(request($fh[$_], 'none.test')), 'NOTFOUND ', "worker $_ knows of no policy") for 1 .. $count;
sleep 1; # the new facts are later ones
redis('SET', 'postern:dest:none.test', Policyd::json_record('none.test', 1));
for my $worker (1 .. $count) {
    ok(until_true(sub { read_answer(request($fh[$worker], 'none.test')) =~ /^OK secure match=mx\.none\.test / }), "worker $worker has been told");
}
stop();
stop_redis();

# --- the supervisor dies ---
start("workers = $count");
@pid = workers();
request(my $client = connect_to(), 'hang.test');
kill 'STOP', $pid[2];
kill 'KILL', $policyd_pid;
waitpid($policyd_pid, 0);
ok(until_true(sub { !grep { running($_) } @pid[1 .. $count] }), 'when the supervisor is killed no worker is left');
kill 'KILL', grep { running($_) } @pid[1 .. $count];
ok(!defined IO::Socket::UNIX->new(Peer => "$dir/policyd.sock"), 'and nobody listens');
stop();

# --- a worker that dies again and again ---
start("workers = $count\nmetrics_listen = \"unix:DIR/metrics.sock\"");
for (1 .. 6) {
    my $old = (workers())[1];
    kill 'KILL', $old;
    until_true(sub { my $now = (workers())[1]; $now != $old && running($now) });
}
is(join(' ', log_text() =~ /worker-replaced worker=1 in_ms=(\d+)/g), '0 100 200 400 800 1600', 'is replaced later each time');
kill 'KILL', (workers())[1];
ok(until_true(sub { metrics()->{workers} == $count - 1 }), 'one that is not there does not count');
ok(until_true(sub { metrics()->{workers} == $count }), 'until it is back');
stop();

# --- in the background ---
start("workers = $count\npid_file = \"DIR/pid\"");
stop();
is(system("$program -t -c $dir/postern.conf >$dir/out") >> 8, 0, '-t: the configuration is fine');
ok(!-e "$dir/policyd.sock", 'and nothing is started');
is(system("$program -c $dir/postern.conf </dev/null >$dir/out 2>&1") >> 8, 0, 'the program that was started ends with 0');
is(ask('postfix .test'), 'NOTFOUND ', 'when the workers answer');
chomp(my $pid = `cat $dir/pid`);
@pid = split ' ', `pgrep -P $pid`;
is(scalar(@pid), $count, 'the pid file names their supervisor');
kill 'TERM', $pid;
ok(until_true(sub { !grep { running($_) } $pid, @pid }), 'which ends with them');
done_testing();
