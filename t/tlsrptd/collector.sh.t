#!/usr/bin/perl
# The collector (tlsrptd/collector_io.h) with a real Redis: what it said to be safe is counted, once, whoever is killed, and whatever the disk does.
#     t/tlsrptd/collector.sh.t [KILLS [REDIS-KILLS]]     in the build folder; 20 and 4
use strict;
use warnings;
use File::Temp qw(tempdir);
use FindBin;
use IO::Handle;
use IO::Select;
use IO::Socket::UNIX;
use IPC::Open2;
use POSIX qw(:sys_wait_h);
use Test::More;
use Time::HiRes qw(sleep time);

my $kills = $ARGV[0] // 20;
my $redis_kills = $ARGV[1] // 4;
my $program = $ENV{DRIVE_COLLECTOR} // './t/tlsrptd/drive_collector';
my $DAY = '2026-11-22';
my $dir = tempdir(CLEANUP => 1);
my $owner = $$;
my $redis_pid;
my ($begun, %running) = (0);
$SIG{PIPE} = 'IGNORE';
$SIG{INT} = $SIG{TERM} = sub { exit 1 };
END { kill 'KILL', grep { defined } $redis_pid, keys %running if $$ == $owner }

# --- Redis ---
sub redis_start {
    my @more = @_;
    $redis_pid = fork() // die;
    if (!$redis_pid) {
        open(STDOUT, '>', '/dev/null');
        open(STDERR, '>&', \*STDOUT);
        my @server = ($ENV{POSTERN_REDIS_SERVER} || 'redis-server');
        exec(@server, '--port', 0, '--unixsocket', "$dir/redis.sock", '--dir', $dir, '--save', '', @more) or POSIX::_exit(127);
    }
    until_true(sub { (redis('PING') // '') eq 'PONG' }) or die 'no Redis: install redis-server, or name it in POSTERN_REDIS_SERVER';
    user_make();
}
sub redis_kill { kill 'KILL', $redis_pid; waitpid $redis_pid, 0; undef $redis_pid; unlink "$dir/redis.sock" }

sub reply {
    my ($fh) = @_;
    my $line = <$fh> // return undef;
    $line =~ s/\r\n$//;
    my ($kind, $rest) = (substr($line, 0, 1), substr($line, 1));
    return $kind eq '-' ? $line : $rest if $kind =~ /[-+:]/;
    return undef if $rest < 0;
    return [map { reply($fh) } 1 .. $rest] if $kind eq '*';
    read $fh, my $text, $rest + 2;
    return substr $text, 0, $rest;
}
sub redis {
    my @words = @_;
    my $fh = IO::Socket::UNIX->new(Peer => "$dir/redis.sock") or return undef;
    $fh->autoflush(1);
    print $fh '*' . @words . "\r\n", map { '$' . length($_) . "\r\n$_\r\n" } @words;
    return reply($fh);
}
sub hash { my %h = @{ redis('HGETALL', "postern:tlsrpt:$DAY:$_[0]") // [] }; return \%h }
sub sum { my ($domain, $what) = @_; my $h = hash($domain); my $n = 0; $n += $h->{$_} for grep { /^$what / } keys %$h; return $n }

sub until_true {
    my ($look, $patience) = @_;
    my $end = time() + ($patience // 60);
    my $seen;
    sleep 0.02 until ($seen = $look->()) || time() > $end;
    return $seen;
}

# The collector logs in as its own user, with the rights of contrib/redis/users.conf.
my $acl = do { open(my $fh, '<', "$FindBin::Bin/../../contrib/redis/users.conf") or die; local $/; <$fh> };
my ($user) = $acl =~ /^(user postern-tlsrptd .*)/m or die;
$user =~ s/#HASH-tlsrptd/>secret/;
sub user_make { my (undef, @rule) = split ' ', $user; redis('ACL', 'SETUSER', @rule) eq 'OK' or die }

# --- the collector ---
sub begin {
    my ($spool, @more) = @_;
    my %c = (log => "$dir/log." . ++$begun);
    open(my $saved, '>&', \*STDERR);
    open(STDERR, '>', $c{log});
    $c{pid} = open2($c{out}, $c{in}, $program, "unix:$dir/redis.sock", $spool, @more);
    open(STDERR, '>&', $saved);
    $running{ $c{pid} } = 1;
    $c{in}->autoflush(1);
    $c{first} = line(\%c);
    return \%c;
}
sub give { my ($c, @lines) = @_; print { $c->{in} } map { "$_\n" } @lines }
sub line {
    my ($c) = @_;
    my $end = time() + 150;
    my $select = IO::Select->new($c->{out});
    $c->{buffer} //= '';
    while (index($c->{buffer}, "\n") < 0) {
        my $left = $end - time();
        return undef if $left < 0 || !$select->can_read($left) || !sysread $c->{out}, $c->{buffer}, 65536, length $c->{buffer};
    }
    $c->{buffer} =~ s/^(.*)\n//;
    return $1;
}
sub asked { my ($c, @words) = @_; give($c, @words); return line($c) }
sub ended { my ($c) = @_; waitpid $c->{pid}, 0; delete $running{ $c->{pid} }; return $? }
sub killed { my ($c) = @_; kill 'KILL', $c->{pid}; ended($c) }
sub drained { my ($c) = @_; give($c, 'wait', 'drain 120000'); my $said; do { $said = line($c) } until !defined $said || $said eq 'drained'; return ended($c) == 0 && defined $said }
sub log_of { my ($c) = @_; open(my $fh, '<', $c->{log}) or die; local $/; return scalar <$fh> }
sub flush { redis('FLUSHALL') }

redis_start('--appendonly', 'yes', '--appendfsync', 'everysec');

# --- counting ---
{
    my $c = begin("$dir/spool");
    is($c->{first}, 'ready', 'the folder is made');
    give($c, "event 3 $DAY example.com ok", "event 2 $DAY EXAMPLE.com. fail why", "event 1 $DAY example.com fail other why", 'position log 4711', 'safe one');
    is(line($c), 'safe one', 'safe when it is on disk');
    is(asked($c, 'saved log'), 'saved 4711', 'and so is the position');
    ok(until_true(sub { sum('example.com', 'failed') == 3 }), 'D4, J12: counted');
    is(sum('example.com', 'successful'), 3, 'sessions that came off');
    is_deeply([asked($c, "counts $DAY example.com"), map { line($c) } 1 .. 4],
        ['counts example.com', 'policy v=TLSRPTv1; rua=mailto:a@example.net sts 3 3', 'failure certificate-expired other why 1', 'failure certificate-expired why 2', 'end 0 0'],
        'J13: read back, equal failures together');
    is(asked($c, "domains $DAY"), 'domains example.com', 'the domains of the day');
    is_deeply([asked($c, "counts $DAY nothing.test"), line($c)], ['counts nothing.test', 'end 0 0'], 'nothing of another');
    my $ttl = redis('TTL', "postern:tlsrpt:$DAY:example.com");
    ok($ttl > 604800 && $ttl <= 604800 + 3 * 86400, 'W9: they expire');
    is(join(' ', grep { redis('TTL', $_) <= 0 } @{ redis('KEYS', '*') }), '', 'W9: and so does all else');
    my $second = begin("$dir/spool");
    like($second->{first}, qr/^cannot: .*another process has it/, 'a second process is refused');
    ended($second);
    ok(drained($c), 'and ends');
    is_deeply(redis('ACL', 'LOG'), [], 'nothing that it sent was refused');
    flush();
}

# --- more details than are kept (E13) ---
{
    my $c = begin("$dir/details", 'commit_events=100000');
    give($c, "event 3000 $DAY many.test fail NUMBERED", 'safe it');
    line($c);
    give($c, 'wait', "event 500 $DAY many.test fail again", "event 5 $DAY many.test fail number 1", 'safe it', 'wait', "counts $DAY many.test");
    is(line($c), 'safe it', 'many details');
    is(line($c), 'counts many.test', 'are read back');
    my ($details, $sessions, $other) = (0, 0, 0);
    is(line($c), 'policy v=TLSRPTv1; rua=mailto:a@example.net sts 0 3505', 'all sessions are counted');
    while (defined(my $said = line($c))) {
        last if $said =~ /^end/;
        my ($reason, $n) = $said =~ /^failure certificate-expired (.*) (\d+)$/ or next;
        $details++;
        $sessions += $n;
        $other = $n if $reason eq 'other';
    }
    is("$details $sessions $other", '1001 3505 2500', 'E13: a thousand details, and the rest as other');
    is(hash('many.test')->{details}, 1000, 'their number');
    ok(drained($c), 'end');
    flush();
}

# More policies than are kept of a domain, of two nodes, neither of which has too many: of the rest sessions are counted.
{
    for my $node ('a', 'b') {
        my $c = begin("$dir/policies-$node", 'commit_events=100000');
        give($c, "event 150 $DAY policies.test ok $node", 'safe it', 'wait', "event 150 $DAY policies.test ok $node");
        ok(drained($c), "policies of node $node are counted");
    }
    my %hash = %{ hash('policies.test') };
    is($hash{policies}, 200, 'E13 so many policies are kept of a domain');
    is(scalar(grep { /^policy / } keys %hash), 200, 'and there are no more');
    is(scalar(grep { /^successful / } keys %hash), 200, 'nor sessions of more');
    is(sum('policies.test', 'successful') . ' ' . $hash{'left-out'}, '400 200', 'sessions under the others are counted');
}

# --- the process is killed ---
{
    my (%sent, %safe);
    my ($late, $restarts) = (0, 0);
    for my $round (1 .. $kills) {
        my $c = begin("$dir/killed", 'commit_ms=10');
        my $end = time() + rand(0.25);
        my (%waits, $step);
        while (time() < $end || ($round == 1 && !IO::Select->new($c->{out})->can_read(0))) { # the first one until something is safe
            my $id = ++$late;
            for my $domain (map { 'd' . int(rand 20) . '.test' } 1 .. 5) { my $n = 1 + int(rand 50); give($c, "event $n $DAY $domain " . (rand() < 0.5 ? 'ok' : "fail r" . int(rand 5))); $sent{$domain} += $n; $waits{$id}{$domain} += $n; }
            give($c, "safe $id");
            sleep rand(0.01);
        }
        killed($c);
        my $text = join '', $c->{buffer} // '', do { local $/; readline($c->{out}) // '' };
        for my $id ($text =~ /^safe (\d+)$/mg) { my $w = delete $waits{$id}; $safe{$_} += $w->{$_} for keys %$w }
    }
    my $c = begin("$dir/killed");
    ok(drained($c), "killed $kills times, it comes to an end");
    my ($all, $all_safe, $all_sent) = (0, 0, 0);
    my @wrong;
    for my $domain (sort keys %sent) {
        my $sum = sum($domain, 'failed') + sum($domain, 'successful');
        push @wrong, "$domain: safe " . ($safe{$domain} // 0) . ", counted $sum, sent $sent{$domain}" if $sum < ($safe{$domain} // 0) || $sum > $sent{$domain};
        push @wrong, "$domain: details" if sum($domain, 'failure') != sum($domain, 'failed');
        $all += $sum; $all_safe += $safe{$domain} // 0; $all_sent += $sent{$domain};
    }
    is_deeply(\@wrong, [], 'D6: all that was safe is counted, and nothing twice');
    ok($all_safe > 0, 'some was safe');
    diag "killed $kills times: sent $all_sent, safe $all_safe, counted $all";
    flush();
}

# --- Redis is killed, and loses its last second ---
{
    my $c = begin("$dir/redis", 'commit_ms=10', 'timeout=500');
    my $sent = 0;
    for my $round (1 .. $redis_kills) {
        my $end = time() + 1.5 + rand(1);
        while (time() < $end) { give($c, "event 7 $DAY lost.test ok"); $sent += 7; sleep 0.002 }
        redis_kill();
        give($c, "event 5 $DAY lost.test ok", 'safe away');
        $sent += 5;
        is(line($c), 'safe away', 'safe while Redis is away');
        redis_start('--appendonly', 'yes', '--appendfsync', 'everysec');
    }
    ok(drained($c), 'it comes to an end');
    is(sum('lost.test', 'successful'), $sent, "Redis was killed $redis_kills times: each is counted once");
    flush();
    # All is gone while nobody asks.
    $c = begin("$dir/gap", 'commit_ms=10');
    give($c, "event 5 $DAY gap.test ok", 'safe x');
    line($c);
    ok(until_true(sub { sum('gap.test', 'successful') == 5 }), 'counted');
    flush();
    give($c, "event 3 $DAY gap.test ok");
    ok(until_true(sub { sum('gap.test', 'successful') == 8 }), 'Redis lost it: the batch goes again with the next') or diag sum('gap.test', 'successful');
    flush();
    ok(until_true(sub { sum('gap.test', 'successful') == 8 }), 'Redis lost it, and nothing else comes: it goes again, too');
    ok(drained($c), 'end');
    flush();
}

# --- files that are cut or broken ---
{
    redis_kill();
    my $c = begin("$dir/torn", 'commit_ms=10');
    for my $i (1 .. 3) { give($c, "event 10 $DAY torn.test ok", "position log p$i", "safe $i"); is(line($c), "safe $i", 'on disk') }
    killed($c);
    my ($file) = glob "$dir/torn/*.batches";
    my $size = -s $file;
    truncate $file, $size - 20;
    $c = begin("$dir/torn");
    is(asked($c, 'saved log'), 'saved p2', 'the position is that of the last whole batch');
    like(asked($c, 'stats'), qr/^stats 0 0 0 2 \d+ 0 1 0$/, 'the cut one is told');
    killed($c);
    open(my $fh, '+<', $file) or die;
    seek $fh, int($size / 2), 0;
    print $fh "\0" x 30;
    close $fh;
    redis_start();
    $c = begin("$dir/torn");
    ok(drained($c), 'it ends');
    is(sum('torn.test', 'successful'), 10, 'a whole batch is counted');
    flush();
    mkdir "$dir/strange";
    symlink '/etc/passwd', "$dir/strange/00000001.batches";
    like(begin("$dir/strange")->{first}, qr/^cannot: spool file 00000001.batches/, 'a link is not followed');
    like(begin("$dir/none/of/it")->{first}, qr/^cannot: .*cannot be made: No such file/, 'a folder that cannot be made');
    waitpid -1, 0 for 1 .. 2;
}

# --- the spool is full ---
{
    redis_kill();
    my $c = begin("$dir/full", 'commit_ms=10', 'spool_max=2000');
    my $said = '';
    for my $i (1 .. 50) { give($c, "event 2 $DAY full.test ok", "safe $i"); $said = line($c); last if $said =~ /unsafe/ }
    like($said, qr/^unsafe/, 'neither spool nor Redis: not safe');
    like(log_of($c), qr/error spool-fails error=".*it has all of its 2000 octets"/, 'the log says so');
    redis_start();
    give($c, 'wait', "event 2 $DAY more.test ok", 'safe later');
    is(line($c), 'safe later', 'safe in Redis');
    my ($n) = $said =~ /(\d+)/;
    ok(until_true(sub { sum('full.test', 'successful') == 2 * $n }), 'nothing was lost, as it stayed in memory');
    is(scalar(() = log_of($c) =~ /error spool-fails/g), 1, 'one line about it');
    ok(drained($c), 'end');
    flush();
}

SKIP: {
    skip 'wants root, and mount namespaces', 1 if $> != 0 || system('unshare -m true 2>/dev/null') != 0;
    mkdir "$dir/disk";
    my $wrapper = "$dir/wrapped";
    open(my $fh, '>', $wrapper) or die;
    print $fh "#!/bin/sh\n[ -n \"\$INSIDE\" ] || INSIDE=1 exec unshare -m \"\$0\" \"\$@\"\nmount -t tmpfs -o size=64k,\${OPTIONS:-rw} none $dir/disk || exit 9\nexec $program \"\$@\"\n";
    close $fh;
    chmod 0755, $wrapper;
    $program = $wrapper;
    redis_kill();
    my $c = begin("$dir/disk", 'commit_ms=10');
    is($c->{first}, 'ready', 'on a tiny disk');
    my ($n, $said) = (0, '');
    for my $i (1 .. 500) { give($c, "event 1 $DAY disk.test fail r$i", "safe $i"); $n++; $said = line($c) // last; last if $said =~ /unsafe/ }
    like($said, qr/^unsafe/, 'it is full');
    like(log_of($c), qr/No space left on device/, 'the log says so');
    system('nsenter', '-m', "--target=$c->{pid}", 'mount', '-o', 'remount,size=1m', "$dir/disk");
    give($c, 'safe room');
    is(line($c), 'safe room', 'and when there is room again, all is safe');
    system('nsenter', '-m', "--target=$c->{pid}", 'sh', '-c', "cat /dev/zero >$dir/disk/another 2>/dev/null");
    ($said, my $m) = ('', 0);
    for my $i (1 .. 500) { give($c, "event 1 $DAY disk.test ok", "safe $i"); $m++; $said = line($c) // last; last if $said =~ /unsafe/ }
    like($said, qr/^unsafe/, 'full again: not safe');
    redis_start();
    give($c, 'wait', "event 1 $DAY disk.test ok", 'safe redis');
    is(line($c), 'safe redis', 'Redis is back: safe there');
    ok(until_true(sub { sum('disk.test', 'failed') == $n && sum('disk.test', 'successful') == $m + 1 }), 'all is counted');
    system('nsenter', '-m', "--target=$c->{pid}", 'rm', "$dir/disk/another");
    give($c, "event 1 $DAY disk.test ok", 'safe works');
    ok(until_true(sub { log_of($c) =~ /spool-works/ }), 'writable again');
    ok(drained($c), 'end');
    local $ENV{OPTIONS} = 'ro';
    like(begin("$dir/disk")->{first}, qr/^cannot: .*Read-only file system/, 'on a read-only disk it says why it does not start');
}

done_testing();
