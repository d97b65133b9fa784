#!/usr/bin/perl
# Two nodes, each with a stsd and a policyd of its own, share one Redis: a domain is resolved once, a change reaches both, and Redis may go.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Lab;
use Nodes;
use Test::More;

Nodes::start_redis();
Nodes::start_node($_) for 'one', 'two';
ok(Nodes::tracking($_), "$_ is told of changes") for 'one', 'two';

# --- once per domain, on all nodes together ---
my $want = qr/^OK secure match=mx\.sts-slow\.test servername=hostname$/;
my $before = Nodes::fetches('sts-slow.test');
my @asking = map { (Nodes::asking('one', 'sts-slow.test'), Nodes::asking('two', 'sts-slow.test')) } 1 .. 25;
my @good = grep { Nodes::answer($_) =~ $want } @asking;
is(scalar @good, 50, '50 clients of two nodes ask for a domain whose policy host is slow: all get its policy');
Lab::until_true(sub { Nodes::fetches('sts-slow.test') > $before });    # nginx logs a request behind its answer
is(Nodes::fetches('sts-slow.test') - $before, 1, 'which was fetched once');
is(Nodes::status('one', 'stsd')->{resolution_seconds}{count} + Nodes::status('two', 'stsd')->{resolution_seconds}{count} > 0, 1, 'by one of the two');

# --- a change in Redis reaches both ---
my $key = 'postern:dest:sts-slow.test';
my $record = Nodes::redis('GET', $key);
chomp $record;
(my $changed = $record) =~ s/mx: mx\.sts-slow\.test/mx: other.sts-slow.test/;
isnt($changed, $record, 'the record holds the policy');
Nodes::redis('SET', $key, $changed);
for my $node ('one', 'two') {
    ok(Lab::until_true(sub { Nodes::ask($node, 'sts-slow.test') =~ /match=other\.sts-slow\.test/ }), "$node: a change is seen");
}
Nodes::redis('SET', $key, '{"v":1,"domain":"sts-slow.test"');
ok(Lab::until_true(sub { Nodes::ask('one', 'sts-slow.test') =~ $want }), 'a broken record is resolved anew');
Nodes::redis('DEL', $key);
Nodes::redis('LPUSH', $key, 'x');
ok(Lab::until_true(sub { Nodes::ask('two', 'sts-slow.test') =~ $want }), 'a key of the wrong type does no harm');
Nodes::redis('DEL', $key);

# --- Redis goes and comes back ---
like(Nodes::ask('one', 'sts-good.test'), qr/^OK secure/, 'before Redis goes');
Nodes::stop('nodes-redis', 'KILL');
like(Nodes::ask('one', 'sts-good.test'), qr/^OK secure/, 'Redis is gone: what was known');
like(Nodes::ask('one', 'example.test'), qr/^OK secure match=mx1\.example\.test/, 'and what was not');
is(Nodes::ask('one', 'plain.test'), 'NOTFOUND ', 'a domain without policy');
ok(Lab::until_true(sub { (Nodes::status('one', 'policyd')->{redis} // '') =~ /down/ }), 'status says that it is down');
Nodes::start_redis();
ok(Nodes::tracking('one'), 'Redis is back, empty, and tells of changes again');
like(Nodes::ask('one', 'sts-good.test'), qr/^OK secure/, 'what was known is known');
ok(Lab::until_true(sub { Nodes::redis('EXISTS', 'postern:dest:example.test') =~ /1/ }), 'stsd gives Redis what it knows');
ok(Nodes::tracking('two'), 'the other node is told of changes again, too');
like(Nodes::ask('two', 'example.test'), qr/^OK secure match=mx1\.example\.test/, 'and has the facts');

# --- stsd goes ---
Nodes::redis('FLUSHALL');
is(Nodes::stop('two-stsd', 'TERM'), 0, 'stsd ends when asked to');
like(Nodes::ask('two', 'example.test'), qr/^OK secure match=mx1\.example\.test/, 'stsd is gone: an enforced policy goes on');
like(Nodes::ask('two', 'never-seen.test'), qr/^TEMP /, 'a domain never seen is a temporary error');
like(Nodes::ask('one', 'never-seen.test'), qr/^NOTFOUND $/, 'but not on the other node');

is(Nodes::stop($_, 'TERM'), 0, "$_ ends when asked to") for 'two-policyd', 'one-policyd', 'one-stsd';
unlike(join("\n", map { Nodes::log_of($_) } 'one-stsd', 'one-policyd', 'two-stsd', 'two-policyd'),
    qr/Sanitizer|runtime error/, 'nothing for the sanitizers');
Nodes::stop('nodes-redis', 'TERM');
done_testing();
