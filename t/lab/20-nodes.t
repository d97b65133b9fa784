#!/usr/bin/perl
# Two nodes, each with a stsd and a policyd of its own, share one Redis: a domain is resolved once, a change reaches both, and Redis may go.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use IO::Socket::UNIX;
use JSON::PP qw(decode_json);
use Lab;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep);

my $dir = "$Lab::DIR/nodes";
my $redis = "$dir/redis.sock";
my %pid;

sub start {
    my ($name, $ready, @command) = @_;
    $pid{$name} = fork // die;
    if (!$pid{$name}) {
        open STDOUT, '>>', "$Lab::DIR/log/$name.out";
        open STDERR, '>&', \*STDOUT;
        exec @command or POSIX::_exit(127);
    }
    Lab::until_true($ready) or BAIL_OUT("$name does not start, see its log");
    return;
}

# Ends a process and returns its wait status.
sub stop {
    my ($name, $signal) = @_;
    kill $signal, $pid{$name};
    waitpid $pid{$name}, 0;
    return $?;
}

sub start_redis {
    unlink $redis;
    start('nodes-redis', sub { redis('PING') =~ /PONG/ }, 'redis-server', '--port', 0, '--unixsocket', $redis,
        '--unixsocketperm', 777, '--dir', "$Lab::DIR/tmp", '--save', '');
    return;
}

# A node is a directory with the lab's configuration, but for the sockets.
sub start_node {
    my ($node) = @_;
    my (undef, undef, $uid, $gid) = getpwnam('postern');
    mkdir $node;
    chown $uid, $gid, $node;
    open my $in, '<', "$Lab::DIR/postern/postern.conf" or die;
    open my $out, '>', "$node/postern.conf" or die;
    while (my $line = <$in>) {
        $line =~ s{$Lab::DIR/postern/}{$node/}g;
        $line =~ s{unix:$Lab::DIR/redis.sock}{unix:$redis};
        $line =~ s{, "inet:127.0.0.1:8461"}{};
        $line =~ s{metrics_listen = .*}{};
        print $out $line;
    }
    close $out;
    for my $daemon ('stsd', 'policyd') {
        start($node =~ s{.*/}{}r . "-$daemon", sub { -S "$node/$daemon.sock" },
            "$ENV{POSTERN_BUILD}/$daemon/postern-$daemon", '-f', '-c', "$node/postern.conf");
    }
    return;
}

sub netstring { return length($_[0]) . ":$_[0]," }

# Asks a policyd without waiting; answer() waits.
sub asking {
    my ($node, $domain) = @_;
    my $fh = IO::Socket::UNIX->new(Peer => "$node/policyd.sock") or die "$node: $!";
    syswrite $fh, netstring("postfix $domain");
    return $fh;
}

sub answer {
    my ($fh) = @_;
    local $SIG{ALRM} = sub { die "no answer\n" };
    alarm 30;
    my $got = '';
    eval { sysread $fh, $got, 65536, length $got or die "closed\n" until $got =~ /,\z/; };
    alarm 0;
    return $@ ? "nothing: $@" : $got =~ s/^\d+:(.*),\z/$1/r;
}

sub ask { return answer(asking(@_)) }

sub fetches {
    my ($domain) = @_;
    return scalar grep { /sni=mta-sts\.\Q$domain\E / } Lab::lines("$Lab::DIR/log/web.log");
}

sub redis { return (Lab::capture('redis-cli', '-s', $redis, @_))[1] }

sub status {
    my ($node, $daemon) = @_;
    my (undef, $out) = Lab::capture("$ENV{POSTERN_BUILD}/ctl/posternctl", '-c', "$node/postern.conf", 'status', '--json');
    return eval { decode_json($out)->{$daemon} } // {};
}

my ($first, $second) = ("$dir/one", "$dir/two");
mkdir $dir;
start_redis();
start_node($_) for $first, $second;
for my $node ($first, $second) {
    ok(Lab::until_true(sub { status($node, 'policyd')->{tracking} }), "$node is told of changes");
}

# --- once per domain, on all nodes together ---
my $want = qr/^OK secure match=mx\.sts-slow\.test servername=hostname$/;
my $before = fetches('sts-slow.test');
my @asking = map { (asking($first, 'sts-slow.test'), asking($second, 'sts-slow.test')) } 1 .. 25;
my @good = grep { answer($_) =~ $want } @asking;
is(scalar @good, 50, '50 clients of two nodes ask for a domain whose policy host is slow: all get its policy');
is(fetches('sts-slow.test') - $before, 1, 'which was fetched once');
is(status($first, 'stsd')->{resolutions_total} + status($second, 'stsd')->{resolutions_total} > 0, 1, 'by one of the two');

# --- a change in Redis reaches both ---
my $key = 'postern:dest:sts-slow.test';
my $record = redis('GET', $key);
chomp $record;
(my $changed = $record) =~ s/mx: mx\.sts-slow\.test/mx: other.sts-slow.test/;
isnt($changed, $record, 'the record holds the policy');
redis('SET', $key, $changed);
for my $node ($first, $second) {
    ok(Lab::until_true(sub { ask($node, 'sts-slow.test') =~ /match=other\.sts-slow\.test/ }, 5), "$node: a change is seen");
}
redis('SET', $key, '{"v":1,"domain":"sts-slow.test"');
ok(Lab::until_true(sub { ask($first, 'sts-slow.test') =~ $want }, 10), 'a broken record is resolved anew');
redis('DEL', $key);
redis('LPUSH', $key, 'x');
ok(Lab::until_true(sub { ask($second, 'sts-slow.test') =~ $want }, 10), 'a key of the wrong type does no harm');
redis('DEL', $key);

# --- Redis goes and comes back ---
like(ask($first, 'sts-good.test'), qr/^OK secure/, 'before Redis goes');
stop('nodes-redis', 'KILL');
like(ask($first, 'sts-good.test'), qr/^OK secure/, 'Redis is gone: what was known');
like(ask($first, 'example.test'), qr/^OK secure match=mx1\.example\.test/, 'and what was not');
is(ask($first, 'plain.test'), 'NOTFOUND ', 'a domain without policy');
like(status($first, 'policyd')->{redis}, qr/down/, 'status says that it is down');
start_redis();
ok(Lab::until_true(sub { status($first, 'policyd')->{tracking} }), 'Redis is back, empty, and tells of changes again');
like(ask($first, 'sts-good.test'), qr/^OK secure/, 'what was known is known');
ok(Lab::until_true(sub { redis('EXISTS', 'postern:dest:example.test') =~ /1/ }), 'stsd gives Redis what it knows');
ok(Lab::until_true(sub { status($second, 'policyd')->{tracking} }), 'the other node is told of changes again, too');
like(ask($second, 'example.test'), qr/^OK secure match=mx1\.example\.test/, 'and has the facts');

# --- stsd goes ---
redis('FLUSHALL');
is(stop('two-stsd', 'TERM'), 0, 'stsd ends when asked to');
like(ask($second, 'example.test'), qr/^OK secure match=mx1\.example\.test/, 'stsd is gone: an enforced policy goes on');
like(ask($second, 'never-seen.test'), qr/^TEMP /, 'a domain never seen is a temporary error');
like(ask($first, 'never-seen.test'), qr/^NOTFOUND $/, 'but not on the other node');

is(stop($_, 'TERM'), 0, "$_ ends when asked to") for 'two-policyd', 'one-policyd', 'one-stsd';
unlike(join("\n", map { Lab::lines("$Lab::DIR/log/$_.out") } 'one-stsd', 'one-policyd', 'two-stsd', 'two-policyd'),
    qr/Sanitizer|runtime error/, 'nothing for the sanitizers');
stop('nodes-redis', 'TERM');
done_testing();
