#!/usr/bin/perl
# The built postern-milter as a daemon: when it starts and when it refuses to, reload, the end with messages under way, kill -9.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Milter;
use IO::Socket::UNIX;
use Test::More;
use Time::HiRes qw(sleep);

$SIG{PIPE} = 'IGNORE';
my @flag_u = ('delete <u@far.test>', 'add <u+requiretls@far.test> ORCPT=rfc822;u@far.test', 'from <s@client.test> RET=HDRS');

# Whether a message with this subject is flagged, in a session of its own or in one that is given
sub answer_to {
    my ($subject, $s) = @_;
    my $got = message($s // session(), header => [['Subject', $subject]]);
    return @{ $got->{changes} } ? "flagged: $got->{reply}" : $got->{reply};
}

# It must end by itself, with status 1, and say why.
sub refuses {
    my ($what, $pattern) = @_;
    run();
    is(wait_end(), 256, "$what: it ends with status 1");
    like(log_text(), $pattern, "$what: it says why");
    unlike(log_text(), qr/info started/, "$what: it has not started");
}

# --- configurations ---
prepare('rules = {\'a: subject contains "x" -> requiretls\'}');
my $line = 1 + (() = (slurp("$dir/postern.conf") =~ /\A(.*?)rules = /s)[0] =~ /\n/g);
for (
    ['a rule that cannot be read', 'rules = {\'a: subject contains -> requiretls\'}', qr/reason=.*postern\.conf:$line: .*rule.*a/],
    ['an unknown action', 'rules = {\'good: subject contains "x" -> requiretls\', \'bad: subject contains "x" -> explode\'}', qr/reason=.*explode/],
    ['two rules of one name', 'rules = {\'a: subject contains "x" -> requiretls\', \'a: subject contains "y" -> none\'}', qr/reason=.*"?a"?.*/],
    ['two tags that are the same', 'tag = "secret" optional_tag = "SECRET"', qr/reason=.*postern\.conf:\d+: optional_tag: .*is the value of tag as well/],
    ['a key that it does not know', 'rulez = {}', qr/postern\.conf:\d+: .*rulez/],
    ['a delimiter that is none', 'delimiter = "x"', qr/delimiter/],
    ['a tag with a blank in it', 'tag = "require tls"', qr/tag/],
    ['a scope that is none', 'scope = "all"', qr/scope/],
) {
    my ($what, $more, $pattern) = @$_;
    prepare($more);
    refuses($what, $pattern);
    my ($out) = `$program -t -c $dir/postern.conf 2>&1`;
    isnt($?, 0, "$what: -t says so, too");
}
prepare('', '', 'unix:DIR/nowhere/milter.sock');
refuses('a folder that is not there', qr/nowhere/);

# --- an address in use ---
unlink "$dir/milter.sock";
my $other = IO::Socket::UNIX->new(Local => "$dir/milter.sock", Listen => 1) or die "$!";
prepare('');
refuses('somebody listens there', qr/milter\.sock: somebody listens there already/);
close $other;
ok(start('pid_file = "DIR/pid"'), 'a socket that is left over is replaced');
is(slurp("$dir/pid"), "$pid\n", 'the pid file');
my $first = $pid;
run();
my $second = $pid;
waitpid($second, 0);
is($?, 256, 'a second one ends');
$pid = $first;
is(answer_to('hello'), 'continue', 'and does the first no harm');
is(stop(), 0, 'the end');
is(join(' ', grep { -e "$dir/$_" } qw(milter.sock metrics.sock pid)), '', 'leaves no files');
$other = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1) or die;
my $port = $other->sockport;
prepare('', '', "inet:127.0.0.1:$port");
refuses('somebody listens on the port', qr/127\.0\.0\.1:$port: somebody listens there already/);
close $other;

# --- reload ---
ok(start(''), 'started');
my $quiet = session();
is(stop(), 0, 'the end, while somebody is connected,');
ok(!-e "$dir/milter.sock", 'leaves no socket either');
undef $quiet;

ok(start('rules = {\'one: subject contains "secret" -> requiretls\'}'), 'one rule');
my $open = session();
is(answer_to('secret'), 'flagged: continue', 'it goes');
is(answer_to('private'), 'continue', 'and no other');
prepare('rules = {\'two: subject contains "private" -> requiretls\'}');
kill 'HUP', $pid;
ok(logs(qr/info reloaded/), 'reloaded');
is(answer_to('private'), 'flagged: continue', 'the new rule goes');
is(answer_to('secret'), 'continue', 'the old one does not');
is(answer_to('private', $open), 'flagged: continue', 'nor in sessions that are open');
prepare('rules = {\'two: subject kontains "private" -> requiretls\'}');
kill 'HUP', $pid;
ok(logs(qr/error .*kontains/), 'a wrong rule: the log says so');
is(answer_to('private'), 'flagged: continue', 'and the rules before go on');
prepare('tag = "plain" optional_tag = "plain"');
kill 'HUP', $pid;
ok(logs(qr/is the value of tag as well/), 'both tags the same: the log says so');
is(answer_to('private'), 'flagged: continue', 'and the settings before go on');
prepare('tag = "tls" record_header = "X-Why" rules = {\'three: body contains "private" -> requiretls\'}');
kill 'HUP', $pid;
ok(until_true(sub { (() = log_text() =~ /info reloaded/g) == 2 }), 'reloaded, with a rule about the body');
my $got = message(session(), body => ['private']);
is_deeply([$got->{reply}, @{ $got->{changes} }],
    ['continue', $flag_u[0], 'add <u+tls@far.test> ORCPT=rfc822;u@far.test', $flag_u[2], 'header X-Why: requiretls; by=rule; rule=three; recipients=1'], 'it goes, with another tag');
is(metric('rules'), 1, 'the metrics count it');
is(answer_to('private', $open), 'flagged: continue', 'a session that was not asked for the body goes by the rules before');
is(metric('failures_total'), 0, 'nothing failed');
is(stop(), 0, 'the end');

# --- the end, with messages under way ---
my @flagged = (from => ['<s@client.test>', 'REQUIRETLS']);
ok(start('rules = {\'body: body contains "nothing" -> none\'}'), 'started');
my ($begun, $idle) = (session(), session());
is(message($idle, @flagged)->{reply}, 'continue', 'a session between two messages,');
is(message($begun, @flagged, until => 'N')->{reply}, 'left', 'and one in the midst of one');
send_packet($begun, 'N');
send_packet($begun, 'B', 'text');
is((reply($begun))[0], 'c', 'of which the milter knows');
kill 'TERM', $pid;
ok(logs(qr/info draining/), 'TERM');
is(session()->{refused}, 'closed', 'no session begins any more');
is(message($idle, @flagged)->{reply}, 'tempfail', 'nor a message');
is(waitpid($pid, 1), 0, 'it waits');
send_packet($begun, 'E');
my $replies = '';
while (my ($reply) = reply($begun)) { $replies .= $reply; last if $reply =~ /[cty]/ }
is($replies, '-2ec', 'the message is flagged');
is(wait_end(), 0, 'then it ends');

# --- kill -9 ---
ok(start(''), 'started');
$begun = session();
message($begun, @flagged, until => 'N');
kill 'KILL', $pid;
is(wait_end(), 9, 'killed in the midst of a message');
send_packet($begun, 'E');
is((reply($begun))[0], undef, 'which gets no answer');
ok(start(''), 'started again, over the socket that is left');
$got = message(session(), @flagged);
is_deeply([$got->{reply}, @{ $got->{changes} }], ['continue', @flag_u], 'it serves');
is(stop('INT'), 0, 'INT ends it too');
done_testing();
