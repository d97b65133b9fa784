#!/usr/bin/perl
# publish.sh.t - postern-stsd serves published policies and answers to ACME, from a real Redis: edits, a Redis that goes, comes back empty or old, or is
# another one; a start without Redis. POSTERN_STSD and POSTERN_REDIS_SERVER name the binaries.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../shared", "$FindBin::Bin/../policyd";
use Daemon;
use IO::Socket::UNIX;
use Policyd qw(start_redis stop_redis redis until_true $redis_url);
use Test::More;

$SIG{PIPE} = 'IGNORE';
$program = $ENV{POSTERN_STSD} // './stsd/postern-stsd';
$metrics = 'postern_stsd_';
my $user = daemon_folder();
my $policies = 'postern:published:policies';
my $n = 0;

# A Redis that lets stsd do what contrib/redis/users.conf says, and no more
my ($rights) = slurp("$FindBin::Bin/../../contrib/redis/users.conf") =~ /^user postern-stsd on #HASH-stsd (.*)/m;
sub redis_begins { return start_redis() && redis('ACL', 'SETUSER', 'postern-stsd', 'on', '>secret', split / /, $rights) eq 'OK' }

sub configure {
    spew("$dir/postern.conf", qq(redis {\n    url = "$redis_url"\n    timeout = 10s\n}\nstsd {\n    user = "$user"\n    redis_username = "postern-stsd"\n    redis_password = "secret"\n    listen = "unix:$dir/stsd.sock"\n)
        . qq(    metrics_listen = "unix:$dir/metrics.sock"\n    publish_listen = "unix:$dir/http.sock"\n    publish_file = "$dir/published"\n)
        . qq(    resolvers = "127.0.0.1"\n    pid_file = ""\n}\n));
}

sub http {
    my ($request) = @_;
    my $fh = IO::Socket::UNIX->new(Peer => "$dir/http.sock") or return "http: $!";
    print $fh $request;
    $fh->flush;
    local $/;
    return scalar(<$fh>) // '';
}
sub get { my ($host, $path, $method) = @_; return http(($method // 'GET') . " $path HTTP/1.1\r\nHost: $host\r\n\r\n") }
sub policy { my ($domain) = @_; return get("mta-sts.$domain", '/.well-known/mta-sts.txt') }
sub status { return $_[0] =~ /^HTTP\/1\.1 (\d+) / ? $1 : $_[0] }

# An edit as posternctl makes it; json "": removed. One script, so that it is told once.
sub edit {
    my ($domain, $mode, $changed, $g) = @_;
    my $json = $mode eq '' ? '' : qq({"v":1,"mode":"$mode","max_age":86400,"mx":["mx.$domain"],"id":"id$changed","changed":$changed,"since":$changed,"by":"root"});
    return redis('EVAL', q(local n = redis.call('HINCRBY', KEYS[2], 'n', 1) redis.call('HSET', KEYS[2], string.format('e%d', math.fmod(n, 16)), ARGV[1])
        redis.call('HSETNX', KEYS[2], 'g', ARGV[3])
        if ARGV[2] == '' then redis.call('HDEL', KEYS[1], ARGV[1]) else redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end return n),
        2, $policies, 'postern:published:', $domain, $json, $g // '0123456789abcdef');
}
sub becomes { my ($domain, $pattern, $what) = @_; my $got; until_true(sub { ($got = policy($domain)) =~ $pattern }); like($got, $pattern, $what) }
sub current { my ($what) = @_; ok(until_true(sub { metric('published_current') eq '1' }), "$what: current") }

ok(redis_begins(), 'a Redis') or die 'no Redis: install redis-server, or name it in POSTERN_REDIS_SERVER';
configure();
ok(started(), 'stsd') or diag(log_text());
current('nothing published');

# --- what is served ---
is(status(policy('a.test')), 404, 'no policy yet');
edit('a.test', 'enforce', 1795342500);
becomes('a.test', qr/mode: enforce/, 'an edit is seen');
my $answer = policy('a.test');
like($answer, qr/^HTTP\/1\.1 200 OK\r\n/, 'served');
like($answer, qr/\r\nContent-Type: text\/plain; charset=utf-8\r\n/, 'A4 as plain text');
like($answer, qr/\r\nCache-Control: max-age=60\r\nETag: "id1795342500"\r\nLast-Modified: Sun, 22 Nov 2026 10:15:00 GMT\r\n/, 'which nobody keeps for long');
like($answer, qr/\r\nConnection: close\r\n/, 'and the connection ends');
my ($head, $body) = split /\r\n\r\n/, $answer, 2;
is($body, "version: STSv1\r\nmode: enforce\r\nmx: mx.a.test\r\nmax_age: 86400\r\n", 'A5 the policy, with CRLF');
is($head =~ /Content-Length: (\d+)/ ? $1 : '', length $body, 'and its length');
my $url = '/.well-known/mta-sts.txt';
is((split /\r\n\r\n/, get('mta-sts.a.test', $url, 'HEAD'), 2)[1], '', 'HEAD has no body');
for ([200, 'MTA-STS.A.Test', $url], [200, 'mta-sts.a.test.', $url], [200, 'mta-sts.a.test:8080', $url], [200, 'mta-sts.a.test', "$url?x"],
    [404, 'a.test', $url], [404, 'mta-sts.b.test', $url], [404, 'mta-sts.', $url], [404, '192.0.2.1', $url], [404, '', $url],
    [404, "mta-sts.a.test/$url", '/'], [404, 'mta-sts.a.test', '/'], [404, 'mta-sts.a.test', "$url/"], [404, 'mta-sts.a.test', '/.well-known/%6dta-sts.txt']) {
    is(status(get(@$_[1, 2])), $_->[0], "@$_");
}
is(status(http("GET $url HTTP/1.1\r\nHost: b.test\r\nX-Forwarded-Host: mta-sts.a.test\r\n\r\n")), 404, 'X-Forwarded-Host is not believed');
is(status(get('mta-sts.a.test', $url, 'POST')), 405, 'POST');
is(status(http("GET $url HTTP/1.1\r\n\r\n")), 400, 'without Host');

# --- edits ---
edit('b.test', 'testing', 1795342501);
edit('a.test', 'none', 1795342502);
becomes('a.test', qr/mode: none/, 'changed');
becomes('b.test', qr/mode: testing/, 'and added');
edit('b.test', '', 0);
becomes('b.test', qr/ 404 /, 'removed');
edit("n$_.test", 'testing', 1795342503) for 1 .. 40;
becomes('n40.test', qr/mode: testing/, 'many at once: the last');
is(status(policy('n1.test')), 200, 'and the first');
redis('HSET', $policies, 'n1.test', 'garbage');
edit('garbage.test', 'enforce"', 1);
ok(until_true(sub { log_text() =~ /bad-published domain=garbage.test/ }), 'what cannot be read is in the log');
is(status(policy('n1.test')), 200, 'and the one before is served');
ok(until_true(sub { metric('published_bad') eq '2' }), 'a metric counts them');
edit('garbage.test', 'enforce"', 2);
edit('garbage.test', '', 0);
edit('n1.test', 'testing', 1795342503);
ok(until_true(sub { metric('published_bad') eq '0' }), 'as long as they are there');

# --- challenges ---
redis('SET', 'postern:acme:To_k-en', 'To_k-en.thumb');
my $acme = '/.well-known/acme-challenge';
$answer = get('whatever.test', "$acme/To_k-en");
like($answer, qr/^HTTP\/1\.1 200 .*\r\n\r\nTo_k-en\.thumb\z/s, 'an answer to a challenge');
like($answer, qr/Cache-Control: no-store/, 'which nobody keeps');
redis('SET', 'postern:acme:long', 'x' x 513);
is(status(get('x', "$acme/$_")), 404, "no challenge: '$_'") for 'other', '', 'a/b', '..', 'long', 'x' x 129, 'a%41', '*';

# --- Redis goes ---
is(metric('published_domains'), 41, 'domains'); # a, n1 to n40
stop_redis();
is(status(policy('a.test')), 200, 'without Redis the policies are served');
is(status(get('x', "$acme/To_k-en")), 503, 'but no challenges');
ok(until_true(sub { metric('published_current') eq '0' }), 'and a metric tells');
is(stop(), 0, 'stsd ends');
ok(started(), 'and starts without Redis');
is(status(policy('a.test')), 200, 'with the policies of the file');
is(metric('published_domains'), 41, 'all of them');

# --- Redis comes back empty: what it has lost is put back ---
ok(redis_begins(), 'Redis, empty');
ok(until_true(sub { log_text() =~ /published-lost domains=41/ }), 'it is told that it has lost them');
current('put back');
is(redis('HLEN', $policies), 41, 'they are there again');
is(redis('HGET', 'postern:published:', 'g'), '0123456789abcdef', 'and are what they were');
edit('c.test', 'testing', 1795342600);
becomes('c.test', qr/mode: testing/, 'and edits go on');
redis('FLUSHALL');
ok(until_true(sub { (redis('HLEN', $policies) // 0) == 42 }), 'emptied while stsd looks on: put back');
is(status(policy('c.test')), 200, 'and served all the time');
current('again');

# --- another data set, in which somebody has published already: the later one of each domain ---
stop();
redis('FLUSHALL');
edit('a.test', 'testing', 1795349999, 'aaaaaaaaaaaaaaaa');
edit('c.test', 'enforce', 1795300000, 'aaaaaaaaaaaaaaaa');
edit('d.test', 'testing', 1795300000, 'aaaaaaaaaaaaaaaa');
ok(started(), 'another Redis');
current('another Redis');
is(redis('HGET', 'postern:published:', 'g'), 'aaaaaaaaaaaaaaaa', 'it stays what it is');
like(policy('a.test'), qr/mode: testing/, 'the later one there');
like(policy('c.test'), qr/mode: testing/, 'the later one here');
is(status(policy('d.test')), 200, 'what was there alone');
is(redis('HLEN', $policies), 43, 'and Redis has all');
edit('d.test', '', 0);
becomes('d.test', qr/ 404 /, 'which go when they are taken away');

# --- a stamp that is none ---
for my $g ("abc\0def", 'x' x 100) {
    redis('HSET', 'postern:published:', 'g', $g);
    ok(until_true(sub { (redis('HGET', 'postern:published:', 'g') // '') =~ /^[0-9a-f]{16}\z/ }), 'a stamp that is none is made one');
    current('and all is as before');
}

# --- the file ---
is(stop(), 0, 'stsd ends');
is((stat "$dir/published")[2] & 0777, 0640, 'the file is nobody\'s business');
stop_redis();
spew("$dir/published", substr(slurp("$dir/published"), 0, -30));
ok(started(), 'a damaged file');
like(log_text(), qr/published-file .*truncated/, 'is told');
is(status(policy('a.test')), 503, 'and nothing is known: not 404');
is(stop(), 0, 'stsd ends');
unlike(slurp("$dir/log"), qr/NOPERM/, 'its user in Redis may do all that it does');
unlike(slurp("$dir/log"), qr/Sanitizer|runtime error/, 'nothing for the sanitizers');
done_testing();
