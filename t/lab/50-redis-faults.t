#!/usr/bin/perl
# Redis in every state that it can be in, and stsd gone in the middle of its work: an answer comes all the same, and
# never a weaker one than the true one.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Lab;
use Nodes;
use Test::More;
use Time::HiRes qw(sleep);

my %limits = (
    redis => 'timeout = 500ms',
    stsd => 'lookup_timeout = 30s  https_timeout = 15s  retry_after = 1s',
    policyd => 'lookup_timeout = 45s',
);
# Short enough for a test that waits for them: the locks of stsd live two seconds longer than its lookup_timeout.
my %short = (%limits, stsd => 'lookup_timeout = 8s  https_timeout = 7s  retry_after = 1s');
my $temp = qr/^TEMP /;
my %truth = (
    'sts-good.test' => qr/^OK secure match=mx\.sts-good\.test servername=hostname$/,
    'dane-good.test' => qr/^OK dane-only$/,
    'plain.test' => qr/^NOTFOUND $/,
    'example.test' => qr/^OK secure match=mx1\.example\.test:\.backup\.example\.test servername=hostname$/,
    'dane-bad.test' => qr/^OK dane-only$/,
    'sts-404.test' => qr/^NOTFOUND $/,
    'sts-slow.test' => qr/^OK secure match=mx\.sts-slow\.test servername=hostname$/,
    'bogus.test' => $temp,
);
my @known = ('sts-good.test', 'dane-good.test', 'plain.test');
my @never_asked = ('example.test', 'dane-bad.test', 'sts-404.test', 'bogus.test');

# The web server takes connections, and says nothing on them.
sub hang_policy_hosts {
    my ($hang) = @_;
    my ($master) = Lab::lines("$Lab::DIR/web/nginx.pid");
    kill $hang ? 'STOP' : 'CONT', map { split } Lab::lines("/proc/$master/task/$master/children");
    return;
}

sub answers_are {
    my ($what, $node, $wanted, @domains) = @_;
    my @asking = map { Nodes::asking($node, $_) } @domains;
    for my $i (0 .. $#domains) {
        like(Nodes::answer($asking[$i]), $wanted->{ $domains[$i] } // $truth{ $domains[$i] }, "$what: $domains[$i]");
    }
    return;
}

# Asks until the answer is the true one. On the way there may be temporary errors, but never a weaker answer.
sub becomes_true {
    my ($what, $node, $domain) = @_;
    my $answer;
    Lab::until_true(sub { ($answer = Nodes::ask($node, $domain)) !~ $temp || $truth{$domain} == $temp });
    like($answer, $truth{$domain}, "$what: $domain in the end");
    return;
}

# Both daemons of a node use Redis.
sub in_use {
    my ($node) = @_;
    return Nodes::tracking($node) && Lab::until_true(sub { (Nodes::status($node, 'stsd')->{redis} // '') eq 'up' });
}

sub in_redis {
    my ($domain, $what) = @_;
    return Lab::until_true(sub { Nodes::redis('GET', "postern:dest:$domain") =~ ($what // qr/./) });
}

# Answers in a policyd's memory are out of date from now on.
sub outdate {
    my ($node) = @_;
    my $reloads = sub { scalar grep { / reloaded / } Nodes::log_of("$node-policyd") };
    my $before = $reloads->();
    Nodes::signal("$node-policyd", 'HUP');
    Lab::until_true(sub { $reloads->() > $before });
    return;
}

# The client's routes to the policy hosts
sub policy_hosts {
    my ($there) = @_;
    my $do = $there ? 'del' : 'add';
    system("ip route $do blackhole 192.0.2.80/32 && ip -6 route $do blackhole 2001:db8::80/128") == 0 or die 'no routes';
    return;
}

sub end_all {
    my ($what) = @_;
    my @names = grep { Nodes::running($_) } map { ("$_-policyd", "$_-stsd") } 'one', 'two';
    for my $name (@names) {
        is(Nodes::stop($name, 'TERM'), 0, "$what: $name ends well");
        unlike(join("\n", Nodes::log_of($name)), qr/Sanitizer|runtime error/, "$what: nothing for the sanitizers");
    }
    Nodes::stop('nodes-redis', 'KILL') if Nodes::running('nodes-redis');
    return;
}

# --- the states of Redis ---
# `away`: the state is there when the daemons start, and nothing is known, lists neither. `no_facts`: neither Redis nor stsd can say
# anything; what is not known already, or does not bind, may be a temporary error.
my @states = (
    { name => 'Redis is away at the start', away => 1, fault => sub { }, heal => \&Nodes::start_redis },
    { name => 'Redis dies and comes back empty', fault => sub { Nodes::stop('nodes-redis', 'KILL') },
        heal => \&Nodes::start_redis },
    { name => 'Redis loses all', fault => sub { Nodes::redis('FLUSHALL') }, heal => sub { } },
    { name => 'Redis hangs', fault => sub { Nodes::signal('nodes-redis', 'STOP') },
        heal => sub { Nodes::signal('nodes-redis', 'CONT') } },
    { name => 'Redis is slow', fault => sub { fork or exec 'redis-cli', '-s', $Nodes::REDIS, 'DEBUG', 'SLEEP', 3 },
        heal => sub { Lab::until_true(sub { Nodes::redis('PING') =~ /PONG/ }) } },
    { name => 'Redis is a replica', fault => sub { Nodes::redis('REPLICAOF', '127.0.0.1', 1) },
        heal => sub { Nodes::redis('REPLICAOF', 'NO', 'ONE') } },
    { name => 'Redis is a replica that serves nothing',
        fault => sub { Nodes::redis('CONFIG', 'SET', 'replica-serve-stale-data', 'no'); Nodes::redis('REPLICAOF', '127.0.0.1', 1) },
        heal => sub { Nodes::redis('REPLICAOF', 'NO', 'ONE') } },
    { name => 'Redis has no memory left', fault => sub { Nodes::redis('CONFIG', 'SET', 'maxmemory', 1) },
        heal => sub { Nodes::redis('CONFIG', 'SET', 'maxmemory', 0) } },
    { name => 'Redis wants another password',
        fault => sub { Nodes::redis('CONFIG', 'SET', 'requirepass', 'other'); Nodes::redis('-a', 'other', 'CLIENT', 'KILL', 'TYPE', 'normal') },
        heal => sub { Nodes::redis('-a', 'other', 'CONFIG', 'SET', 'requirepass', '') } },
    { name => 'Redis permits to read only', fault => sub { Nodes::redis('ACL', 'SETUSER', 'default', '-@write', '-eval') },
        heal => sub { Nodes::redis('ACL', 'SETUSER', 'default', '+@all') } },
    { name => 'stsd dies', no_facts => 1, fault => sub { Nodes::stop('one-stsd', 'KILL') },
        heal => sub { Nodes::start_daemon('one', 'stsd') } },
    { name => 'stsd hangs', no_facts => 1, limits => { %limits, policyd => 'lookup_timeout = 8s' }, fault => sub { Nodes::signal('one-stsd', 'STOP') },
        heal => sub { Nodes::signal('one-stsd', 'CONT') } },
    { name => 'Redis and stsd die', no_facts => 1,
        fault => sub { Nodes::stop('one-stsd', 'KILL'); Nodes::stop('nodes-redis', 'KILL') },
        heal => sub { Nodes::start_redis(); Nodes::start_daemon('one', 'stsd') } },
);

sub try_state {
    my ($state) = @_;
    my $name = $state->{name};
    # An entry of the operator's lists, which Redis has, may demand TLS.
    my %wanted = $state->{away} ? map { $_ => qr/^TEMP .*lists are not known/ } grep { $truth{$_} eq $truth{'plain.test'} } keys %truth
        : $state->{no_facts} ? map { $_ => qr/$truth{$_}|$temp/ } 'plain.test', @never_asked : ();
    Nodes::start_redis() unless $state->{away};
    Nodes::start_node('one', %{ $state->{limits} // \%limits });
    if (!$state->{away}) {
        ok(in_use('one'), "$name: before");
        answers_are("$name: before", 'one', {}, @known);
    }
    $state->{fault}->();
    answers_are($name, 'one', \%wanted, @known, @never_asked[0, 1]);
    outdate('one');
    answers_are("$name, memory out of date", 'one', \%wanted, @known, @never_asked);
    $state->{heal}->();
    ok(in_use('one'), "$name: in use again");
    becomes_true("$name: afterwards", 'one', $never_asked[0]); # what binds and is known goes on without a look
    outdate('one');
    for my $domain (@known, @never_asked) {
        becomes_true("$name: afterwards", 'one', $domain);
        ok(in_redis($domain), "$name: and Redis has it");
    }
    end_all($name);
    return;
}

try_state($_) for @states;

# --- what one node knows, Redis gets again, and with it the others ---
Nodes::start_redis();
Nodes::start_node('one', %limits);
ok(in_use('one'), 'two nodes');
answers_are('the first node asks', 'one', {}, @known);
Nodes::redis('FLUSHALL');
ok(in_redis('sts-good.test'), 'Redis loses all: it is given back though nobody asks');
policy_hosts(0);
Nodes::start_node('two', %limits);
answers_are('the policy hosts cannot be reached, a node that never asked', 'two', {}, @known);
policy_hosts(1);

# Records of before the domains had policies, which still hold by their time.
my $rdb = "$Lab::DIR/tmp/other.sock";
my $plain = Nodes::redis('GET', 'postern:dest:plain.test');
$plain =~ s/"resolved":(\d+)/'"resolved":' . ($1 - 5)/e or die $plain;
chomp $plain;
Nodes::start('other-redis', sub { Nodes::listening($rdb) }, 'redis-server', '--port', 0, '--unixsocket', $rdb, '--dir',
    "$Lab::DIR/tmp", '--dbfilename', 'other.rdb');
for my $domain ('sts-good.test', 'dane-good.test') {
    Lab::capture('redis-cli', '-s', $rdb, 'SET', "postern:dest:$domain", $plain =~ s/plain\.test/$domain/gr);
}
Lab::capture('redis-cli', '-s', $rdb, 'SHUTDOWN', 'SAVE');
Nodes::stop('nodes-redis', 'KILL');
Nodes::start_redis('--dbfilename', 'other.rdb');
ok(in_use($_), "Redis is back with another data set, in use by $_") for 'one', 'two';
answers_are('another data set', 'one', {}, @known);
ok(in_redis('sts-good.test', qr/mode: enforce/), 'it is mended');
ok(in_redis('dane-good.test', qr/"dane":"usable"/), 'without a question');
Nodes::stop('two-stsd', 'KILL');
Nodes::stop('two-policyd', 'KILL');
Nodes::start_daemon('two', $_) for 'stsd', 'policyd';
answers_are('another data set, a node that knows nothing', 'two', {}, @known);

# --- two nodes, the stsd of one is dead: it has what the other finds out ---
Nodes::stop('two-stsd', 'KILL');
like(Nodes::ask('two', 'example.test'), $temp, 'a node without stsd asks for the first time');
answers_are('the other one asks', 'one', {}, 'example.test');
answers_are('a node without stsd', 'two', {}, 'example.test', @known);
end_all('two nodes');

# --- who still knows a policy keeps it in force, when its host cannot be reached ---
for my $keeps (1 .. 7) {
    my @parts = ('Redis', 'stsd', 'policyd');
    my @lost = grep { !($keeps & 1 << $_) } 0 .. 2;
    my $what = join(' and ', map { $parts[$_] } grep { $keeps & 1 << $_ } 0 .. 2) . ' know of it';
    Nodes::start_redis();
    Nodes::start_node('one', %limits);
    ok(in_use('one'), $what);
    answers_are("$what, before", 'one', {}, @known);
    ok(in_redis($_), "$what: Redis has $_") for @known;
    policy_hosts(0);
    Nodes::stop(('nodes-redis', 'one-stsd', 'one-policyd')[$_], 'KILL') for @lost;
    for my $part (@lost) {
        $part == 0 ? Nodes::start_redis() : Nodes::start_daemon('one', lc $parts[$part]);
    }
    becomes_true($what, 'one', $_) for @known;
    outdate('one');
    Nodes::ctl('one', 'resolve', '--fresh', 'sts-good.test');
    answers_are("$what, after another attempt", 'one', {}, @known);
    policy_hosts(1);
    end_all($what);
}

# --- stsd dies in the middle of a resolution ---
# The policy host takes a second; two nodes, so that one waits for the lock that the dead stsd has left.
Nodes::start_redis();
Nodes::start_node($_, %short) for 'one', 'two';
ok(in_use($_), "stsd dies at work: $_") for 'one', 'two';
my $lock = 'postern:lock:sts-slow.test';
sub at_work { return Lab::until_true(sub { Nodes::redis('EXISTS', $lock, 'postern:dest:sts-slow.test') =~ /[1-9]/ }) }    # or at its end already
for my $after (0, 0.5, 0.9, 1.2) {
    my $what = "stsd dies $after s after it began";
    Nodes::redis('DEL', $lock, 'postern:dest:sts-slow.test');
    Nodes::ctl($_, 'cache', 'flush') for 'one', 'two';
    my $asking = Nodes::asking('one', 'sts-slow.test');
    at_work();
    cmp_ok(Nodes::redis('PTTL', $lock), '<=', 10_000, "$what: the lock is held, but not for ever");
    sleep $after;
    Nodes::stop('one-stsd', 'KILL');
    like(Nodes::answer($asking), qr/$truth{'sts-slow.test'}|$temp/, "$what: the client's answer");
    becomes_true("$what, the other node", 'two', 'sts-slow.test');
    Nodes::start_daemon('one', 'stsd');
    becomes_true("$what, its own node", 'one', 'sts-slow.test');
}

# --- Redis dies while many wait ---
Nodes::redis('DEL', $lock, 'postern:dest:sts-slow.test');
Nodes::ctl($_, 'cache', 'flush') for 'one', 'two';
my @asking = map { (Nodes::asking('one', 'sts-slow.test'), Nodes::asking('two', 'sts-slow.test')) } 1 .. 20;
at_work();
Nodes::stop('nodes-redis', 'KILL');
is(scalar(grep { Nodes::answer($_) =~ $truth{'sts-slow.test'} } @asking), 40, 'Redis dies while 40 wait: all get the policy');
end_all('stsd dies at work');

# --- Redis hangs, and then not, while a domain is resolved of which only Redis knows the policy ---
Nodes::start_redis();
Nodes::start_node('one', %short);
ok(in_use('one'), 'only Redis knows');
answers_are('only Redis knows, before', 'one', {}, @known);
ok(in_redis($_), "only Redis knows $_") for @known;
Nodes::stop($_, 'KILL') for 'one-stsd', 'one-policyd';
Nodes::start_daemon('one', $_) for 'stsd', 'policyd';
ok(in_use('one'), 'only Redis knows, the daemons are new');
hang_policy_hosts(1);
my $losses = sub { scalar grep { / redis-down / } Nodes::log_of('one-stsd') };
my $losses_before = $losses->();
Nodes::signal('nodes-redis', 'STOP');
my $waiting = Nodes::asking('one', 'sts-good.test');
Lab::until_true(sub { $losses->() > $losses_before });
Nodes::signal('nodes-redis', 'CONT');
like(Nodes::answer($waiting), $truth{'sts-good.test'}, 'Redis comes back before the fetch has failed');
hang_policy_hosts(0);
Nodes::redis('FLUSHALL');
ok(in_redis('sts-good.test', qr/mode: enforce/), 'and stsd knows the policy now');
end_all('only Redis knows');

# --- what stands in Redis is larger than anything of ours ---
Nodes::start_redis();
Nodes::start_node('one', %limits, redis => 'timeout = 10s');
ok(in_use('one'), 'large things in Redis');
$losses_before = $losses->();
Nodes::redis('EVAL', "redis.call('set', 'postern:dest:sts-good.test', string.rep('x', 3000000))", 0);
becomes_true('a record of 3 MB', 'one', 'sts-good.test');
ok(in_redis('sts-good.test', qr/^\{"v":1,/), 'and is replaced');
is($losses->(), $losses_before, 'and Redis stayed in use');
Nodes::redis('EVAL', "redis.call('zadd', 'postern:refresh:', 1, string.rep('x', 3000000), 1, 'no domain')", 0);
ok(Lab::until_true(sub { Nodes::redis('ZCOUNT', 'postern:refresh:', 1, 1) =~ /^0/ }), 'what is no domain leaves the schedule');
is($losses->(), $losses_before, 'and Redis stays in use');
end_all('large things in Redis');

# --- no flood of log lines ---
my $name_number = 0;

sub warnings_of_many {
    my ($what, $log) = @_;
    my @names = ('one-stsd', 'one-policyd');
    my %before = map { $_ => scalar Nodes::log_of($_) } @names;
    my @asking = map { Nodes::asking('one', 'n' . ++$name_number . '.plain.test') } 1 .. 200;
    is(scalar(grep { Nodes::answer($_) eq 'NOTFOUND ' } @asking), 200, "$what: 200 domains");
    ok((grep { $_ =~ $log } map { Nodes::log_of($_) } @names), "$what: the log tells of it");
    for my $name (@names) {
        my @lines = Nodes::log_of($name);
        my @warnings = grep { / warning / } @lines[$before{$name} .. $#lines];
        cmp_ok(scalar @warnings, '<=', 5, "$what: few warnings of $name") or diag(@warnings[0 .. 5]);
    }
    return;
}

Nodes::start_redis();
Nodes::start_node('one', %limits);
ok(in_use('one'), 'log lines');
Nodes::redis('CONFIG', 'SET', 'maxmemory', 1);
warnings_of_many('Redis has no memory left', qr/warning redis-error command=SET error="OOM /);
Nodes::redis('CONFIG', 'SET', 'maxmemory', 0);
Nodes::redis('ACL', 'SETUSER', 'default', '-getrange', '-set', '-eval');
warnings_of_many('Redis permits nothing', qr/warning redis-error command=GETRANGE error="NOPERM /);
Nodes::stop('nodes-redis', 'KILL');
warnings_of_many('Redis is away', qr/warning redis-down link=commands /);
end_all('log lines');
done_testing();
