#!/usr/bin/perl
# postern-policyd, the operator's lists in a real Redis, and facts that cannot be had or that say less than before.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Policyd;
use Test::More;

$SIG{PIPE} = 'IGNORE';

# One edit, as posternctl makes it, and policyd knows of it.
my $edits = 0;
sub edit {
    my ($list, $pattern, $value) = @_;
    $value = $value eq 'override' ? ',"override":true' : ",\"value\":\"$value\"" if $value;
    redis('HSET', "postern:list:$list", $pattern, sprintf '{"v":1%s}', $value // '');
    redis('HSET', 'postern:list:', 'g', '0123456789abcdef', 'n', ++$edits);
    return until_true(sub { log_text() =~ /lists-read \S+ \S+ edits=$edits$/m });
}

ok(start_redis(), 'a Redis');
start('', $redis_url);
ok(until_true(sub { log_text() =~ /lists-read/ }), 'policyd knows the lists');

# --- old answers ---
my $secure = qr/^OK secure match=mx\./;
like(ask('postfix once-a.test'), $secure, 'an enforced policy');
like(ask('postfix once-b.test'), $secure, 'and another');
ok(edit('require', 'once-a.test', 'dane-only'), 'the list require demands more of one');
like(ask('postfix once-b.test'), $secure, 'facts cannot be had any more: what binds goes on');
like(ask('postfix once-a.test'), qr/^TEMP /, 'but not what is less than the list demands now');

# --- an enforced policy that only policyd knows, and an operator who knows better ---
like(ask('postfix drops.test'), $secure, 'an enforced policy');
ok(edit('exclude', 'nothing.test'), 'an edit that makes policyd look anew');
like(ask('postfix drops.test'), $secure, 'facts that say nothing of it: it goes on');
ok(edit('sts-exclude', 'drops.test', 'override'), 'MTA-STS does not count there');
is(ask('postfix drops.test'), 'NOTFOUND ', 'and it does not');
redis('HDEL', 'postern:list:sts-exclude', 'drops.test');
ok(edit('exclude', 'nothing.test'), 'it counts again');
like(ask('postfix drops.test'), qr/^TEMP /, 'and the policy has not been forgotten');

# --- another port: what DANE makes up for at port 25, it does not there ---
like(ask('postfix loses.test'), $secure, 'an enforced policy');
like(ask('postfix loses.test:587'), qr/^TEMP /, 'facts that say nothing of it, and DANE that is not known now: another port waits');
like(ask('postfix loses.test:587'), qr/^TEMP /, 'and goes on to');

# --- Redis refuses ---
sub refusals { return redis('INFO', 'commandstats') =~ /cmdstat_hmget:.*failed_calls=(\d+)/ ? $1 : 0 }
redis('RENAME', 'postern:list:', 'postern:list:kept');
redis('SET', 'postern:list:', 'x');
ok(until_true(sub { refusals() >= 3 }), 'a stamp that cannot be read is asked for again and again');
is(scalar(() = log_text() =~ /lists-unreadable/g), 1, 'and told once');
like(control('status')->{lists}{read_problem}, qr/WRONGTYPE/, 'also by the status');
redis('RENAME', 'postern:list:kept', 'postern:list:');
ok(edit('require', 'back.test', 'encrypt'), 'once it can be read');
is(control('status')->{lists}{read_problem}, '', 'there is no problem any more');

# --- fallback states that nobody can read ---
redis('HSET', 'postern:fallback:none-bad.test', "host$_.test", 'nonsense') for 1 .. 50;
redis('HSET', 'postern:fallback:none-bad.test', 'mx.none-bad.test', '{"v":1,"handshake":' . (int time()) . '}');
ok(edit('fallback', '.test', 'plain'), 'a fallback mode');
is(ask('postfix none-bad.test'), 'OK none', 'the one that can be read goes');
is(scalar(() = log_text() =~ /bad-fallback-state .*left_out=50/g), 1, 'one line tells of the others');
is(scalar(() = log_text() =~ /bad-fallback-state/g), 1, 'and no more');

# --- the file cannot be written for now: no right to do so ---
sub file_text { open(my $file, '<', "$dir/lists") or return ''; local $/; return <$file> // '' }
ok(until_true(sub { file_text() =~ /^stamp\t\w+\t$edits$/m }), 'the file has the last edit');
chmod 0555, $dir;
ok(edit('require', 'other.test', 'encrypt'), 'another');
ok(until_true(sub { log_text() =~ /lists-file .*error=.*denied/ }), 'cannot be written');
chmod 0755, $dir;
ok(until_true(sub { file_text() =~ /^stamp\t\w+\t$edits$/m }), 'and is when it can be, without a further edit');

# --- the same: opening a FIFO takes as long as nobody reads it ---
sub writer { return grep { /^\d+$/ && `cat /proc/$_/stat 2>/dev/null` =~ /^\d+ \(.*\) \S (\d+) / && $1 == $policyd_pid } map { s{/proc/}{}r } glob '/proc/[0-9]*' }
ok(until_true(sub { !writer() }), 'the file has been written');
system('mkfifo', '-m', '666', "$dir/lists.new") == 0 or die;
my $fh = connect_to();
syswrite $fh, netstring('postfix good.test');
like(read_answer($fh), $secure, 'a connection');
ok(edit('require', 'once-a.test', 'encrypt'), 'an edit');
ok(until_true(sub { scalar(writer()) == 1 }), 'a process writes the file');
kill 'TERM', writer(); # as a service manager tells all processes of a service to stop
like(ask('postfix good.test'), $secure, 'meanwhile there are answers');
syswrite $fh, 'x';
is(read_all($fh), '', 'what is closed is closed');
unlike(log_text(), qr/draining/, 'a signal to that process is none to policyd');
is(stop(), 0, 'policyd stops all the same');
like(log_text(), qr/file-unwritten .*still being written/, 'and says that the file was not written');
unlike(log_text(), qr/Sanitizer|runtime error/, 'nothing for the sanitizers');
done_testing();
