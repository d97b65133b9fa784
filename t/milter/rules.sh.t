#!/usr/bin/perl
# The built postern-milter and its rules in a real Redis: taken up when they are edited, kept when Redis loses them, goes back, has nonsense, or is away.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Milter;
use Test::More;

$SIG{PIPE} = 'IGNORE';
my $generation = '0123456789abcdef';
sub put { my ($n, $text, $g) = @_; redis('HSET', 'postern:rules:', 'g', $g // $generation, 'n', $n, 'text', $text) }

# What becomes of a message with this subject
my $s;
sub fate { my ($subject) = @_; my $got = message($s, header => [['Subject', $subject]]); return $got->{reply} . (@{ $got->{changes} } ? ' flagged' : '') }

# In the end it is so, for a session that is open all the time and for a new one.
sub becomes {
    my ($subject, $wanted, $what) = @_;
    until_true(sub { fate($subject) eq $wanted });
    is(fate($subject), $wanted, $what);
    my $open = $s;
    $s = session();
    is(fate($subject), $wanted, "$what (in a new session)");
    hang_up($s);
    $s = $open;
}

my $flag = sub { return "$_[0]: subject contains \"$_[0]\" -> requiretls" };

# --- edits ---
ok(start_redis(), 'a Redis');
ok(start('rules = {\'first: subject contains "public" -> none\'}', $redis_url), 'without rules in it');
$s = session();
becomes('red', 'continue', 'no rules but that of the configuration');
put(1, "# secrets\n\n" . $flag->('red'));
becomes('red', 'continue flagged', 'a rule goes');
becomes('public red', 'continue', 'that of the configuration goes first');
is(metric('rules'), 2, 'the metrics count both');
ok(until_true(sub { slurp("$dir/rules") =~ /^postern-rules 1\n.*^red: subject/ms }), 'the file has it');
put(2, $flag->('blue') . "\n" . 'no: subject contains "virus" -> reject "no"' . "\n");
becomes('blue', 'continue flagged', 'an edit goes');
is(fate('virus'), '550 5.7.1 no', 'with all its rules');
is(fate('red'), 'continue', 'and no other');
# none of them in another: each may be the one that goes for a moment
put($_, $flag->(sprintf 'colour%02d', $_)) for 3 .. 40;
becomes('colour40', 'continue flagged', 'of many edits the last goes');
is(fate('colour39'), 'continue', 'alone');

# --- what is no set of rules ---
my $n = 40;
for (
    ['an error', "good: subject contains \"new\" -> requiretls\n\nbad: subject kontains \"x\" -> none", qr/error rules-wrong why="rules in Redis: line 3: .*kontains/],
    ['a name twice', $flag->('new') . "\n" . $flag->('new'), qr/line 2: [^"]*there is a rule new already/],
    ['the name of one of the configuration', "first: subject contains \"new\" -> requiretls", qr/line 1: [^"]*there is a rule first already/],
    ['a NUL', $flag->('new') . "\0\n", qr/rules in Redis: line 1: /],
    ['no UTF-8', "new: subject contains \"\xff\" -> requiretls", qr/rules in Redis: line 1: /],
    ['too long', $flag->('new') . "\n#" . 'x' x 1_050_000, qr/error rules-unreadable why="the rules have 10500\d\d octets/],
    ['far too long', $flag->('new') . "\n#" . 'x' x 5_000_000, qr/warning redis-down .*error="[^"]*a reply that is too long/],
) {
    my ($what, $text, $pattern) = @$_;
    put(++$n, $text);
    ok(logs($pattern), "$what: the log says so") or diag(substr(log_text(), -600));
    becomes('colour40', 'continue flagged', "$what: the rules that are known go on");
    is(fate('new'), 'continue', 'and nothing of the others');
}
redis('DEL', 'postern:rules:');
redis('SET', 'postern:rules:', 'text');
ok(logs(qr/error rules-unreadable why="WRONGTYPE/), 'another type: the log says so');
redis('DEL', 'postern:rules:');
redis('HSET', 'postern:rules:', 'text', $flag->('new'));
ok(logs(qr/lacks one of its fields/), 'without a stamp: the log says so');
is(fate('colour40'), 'continue flagged', 'the rules that are known go on');
put(++$n, $flag->('green'));
becomes('green', 'continue flagged', 'then rules that can be read');

# --- what Redis has lost, or has an older state of ---
redis('FLUSHALL');
ok(logs(qr/error rules-kept why="Redis has lost the rules"/), 'an emptied Redis: the log says so');
becomes('green', 'continue flagged', 'the rules that are known go on');
put($n - 1, $flag->('older'));
ok(logs(qr/error rules-kept why="Redis has an older state of the rules"/), 'an older state: the log says so');
becomes('green', 'continue flagged', 'the rules that are known go on');
is(fate('older'), 'continue', 'and the older ones do not');
put(1, $flag->('anew'), 'fedcba9876543210');
becomes('anew', 'continue flagged', 'another generation is a new beginning');
put(2, '', 'fedcba9876543210');
becomes('anew', 'continue', 'an edit that takes all rules away');
put(3, $flag->('last'), 'fedcba9876543210');
becomes('last', 'continue flagged', 'and one that brings some');

# --- without Redis ---
stop_redis();
ok(until_true(sub { metric('redis_up') == 0 }), 'Redis is away');
becomes('last', 'continue flagged', 'the rules that are known go on');
hang_up($s);
is(stop(), 0, 'the end');
ok(start('', $redis_url), 'started without Redis, with the files');
$s = session();
becomes('last', 'continue flagged', 'their rules go');
is(metric('rules'), 1, 'and the metrics count them');
ok(start_redis(), 'an empty Redis comes');
ok(logs(qr/error rules-kept why="Redis has lost the rules"/), 'the log says so');
becomes('last', 'continue flagged', 'the rules of the file go on');
put(4, $flag->('back'), 'fedcba9876543210');
becomes('back', 'continue flagged', 'an edit goes');
is(metric('failures_total'), 0, 'nothing failed');
hang_up($s);
is(stop(), 0, 'the end');
stop_redis();

# --- without Redis, and without a file that can be used: nothing may pass unseen ---
my $kept = slurp("$dir/rules");
spew("$dir/rules", $kept =~ s/back/sack/gr);
ok(!start('', $redis_url), 'the file of rules is damaged: it does not start');
like(log_text(), qr/error rules-file file=\S+rules error=.*error start-failed reason="Redis cannot be reached \([^"]*and no file has the lists and rules/s, 'and says why');
ok(start_redis(), 'a Redis');
put(1, 'bad: subject kontains "x" -> none');
unlink "$dir/rules";
ok(!start('', $redis_url), 'rules that cannot be read: it does not start');
like(log_text(), qr/error start-failed reason="lists and rules cannot be read from Redis: rules in Redis: line 1: .*kontains/, 'and says why');
stop_redis();
done_testing();
