#!/usr/bin/perl
# postern-policyd and the operator's lists: what each list makes of the answers, edits while it serves, and lists that cannot be read, or only in part. With a
# real Redis and the built posternctl. POSTERN_POLICYD, POSTERNCTL and POSTERN_REDIS_SERVER name the binaries.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use File::Temp qw(tempdir);
use IO::Select;
use IO::Socket::UNIX;
use Policyd;
use POSIX qw(strftime);
use Test::More;
use Time::HiRes qw(sleep time);

$SIG{PIPE} = 'IGNORE';
my $posternctl = $ENV{POSTERNCTL} // './ctl/posternctl';
my $secure = 'OK secure match=mx.good.test servername=hostname';

# posternctl; what it says. A failure is one of the test unless $may_fail.
our $may_fail;
sub ctl {
    open(my $out, '-|', 'sh', '-c', 'exec "$@" 2>&1 </dev/null', 'sh', $posternctl, '-c', "$dir/postern.conf", @_) or die;
    local $/;
    my $text = <$out> // '';
    close($out) || $may_fail or fail("posternctl @_: $text");
    return $text;
}
sub list { return ctl('list', @_) }

# The answer becomes this one.
sub becomes {
    my ($request, $want, $name) = @_;
    my $last;
    until_true(sub { ($last = ask($request)) =~ $want });
    like($last, $want, $name // "$request is answered $want");
}
sub exact { return qr/^\Q$_[0]\E$/ }
my $notfound = exact('NOTFOUND ');

sub lists { return control('status', '', @_)->{lists} }
sub logs { my ($line, $name) = @_; ok(until_true(sub { log_text() =~ $line }), $name) or diag(join '', (log_text() =~ /.+\n/g)[-5 .. -1]) }
sub by_hand { my ($list, $pattern) = @_; redis('HSET', "postern:list:$list", $pattern, '{"v":1}'); redis('HSETNX', 'postern:list:', 'g', 'ab' x 8); redis('HINCRBY', 'postern:list:', 'n', 1) }
sub edits { return redis('HGET', 'postern:list:', 'n') // 0 }
sub same_edits { my $n = edits(); return until_true(sub { log_text() =~ /lists-read .*edits=$n\n/ }) }
sub slurp { my ($path) = @_; open(my $fh, '<', $path) or return ''; local $/; return <$fh> // '' }
sub spew { my ($path, $text) = @_; open(my $fh, '>', $path) or die "$path: $!"; print $fh $text; close $fh }
sub ends { is(stop(), 0, 'the exit code is 0'); unlike(log_text(), qr/Sanitizer|runtime error|stopped-at-once/, 'nothing went wrong') }

# A configured restart finds the file of the one before: it is in a folder of its own.
my $kept = tempdir(CLEANUP => 1);
chmod 0755, $kept;
mkdir "$kept/lists.d" or die;
chown +(getpwnam('nobody'))[2, 3], "$kept/lists.d" if $> == 0;
my $file = "$kept/lists.d/lists";
my $keep_file = "lists_file = \"$file\"";

ok(start_redis(), 'a Redis');
start("lookup_timeout = 10s\n$keep_file", $redis_url);

# --- what each list does, edit by edit: the edit, then requests and what they are answered; afterwards all is as before ---
my %before = (
    'postfix none.test' => $notfound, 'postfix good.test' => exact($secure), 'QUERYwithTLSRPT none.test' => $notfound, 'postfix sub.none.test' => $notfound,
    'postfix [mx.host.test]' => $notfound, 'postfix [mx.host.test]:587' => $notfound, 'postfix [192.0.2.7]' => $notfound, 'postfix [IPv6:2001:db8::7]:25' => $notfound,
    'postfix none.test:587' => $notfound, 'transport none.test' => $notfound, 'transport good.test' => $notfound,
);
for my $row (
    ['require none.test encrypt', 'postfix none.test' => 'OK encrypt', 'QUERYwithTLSRPT none.test' => 'OK encrypt', 'postfix none.test:587' => 'OK encrypt',
        'postfix sub.none.test' => 'NOTFOUND ', 'postfix good.test' => $secure],
    ['require none.test verify', 'postfix none.test' => 'OK verify'],
    ['require none.test secure', 'postfix none.test' => 'OK secure'],
    ['require none.test dane-only', 'postfix none.test' => 'OK dane-only'],
    ['require .none.test verify', 'postfix sub.none.test' => 'OK verify', 'postfix none.test' => 'OK verify'], # its MX host is below it
    ['require mx.none.test secure', 'postfix none.test' => 'OK secure', 'postfix good.test' => $secure],
    ['require 192.0.2.1 encrypt', 'postfix none.test' => 'OK encrypt', 'postfix [192.0.2.7]' => 'NOTFOUND '], # the MX hosts' address
    ['require [mx.host.test] verify', 'postfix [mx.host.test]' => 'OK verify', 'postfix [mx.host.test]:587' => 'OK verify', 'postfix [MX.Host.Test]:465' => 'OK verify'],
    ['require mx.host.test secure', 'postfix [mx.host.test]' => 'OK secure'],
    ['require 192.0.2.0/28 secure', 'postfix [192.0.2.7]' => 'OK secure', 'postfix [192.0.2.7]:2525' => 'OK secure', 'postfix none.test' => 'OK secure'],
    ['require 2001:db8::/32 encrypt', 'postfix [IPv6:2001:db8::7]:25' => 'OK encrypt'],
    ['exclude none.test', 'postfix none.test' => 'OK none', 'QUERYwithTLSRPT none.test' => 'OK none', 'postfix none.test:465' => 'OK encrypt'],
    ['exclude good.test', 'postfix good.test' => $secure],
    ['exclude good.test --override', 'postfix good.test' => 'OK none'],
    ['exclude mx.good.test --override', 'postfix good.test' => $secure],
    ['exclude [192.0.2.7]', 'postfix [192.0.2.7]' => 'OK none', 'postfix [192.0.2.7]:465' => 'OK encrypt', 'postfix none.test' => 'NOTFOUND '],
    ['only sub.none.test', 'postfix sub.none.test' => 'NOTFOUND ', 'postfix none.test' => 'OK none', 'postfix good.test' => $secure, 'postfix [mx.host.test]' => 'OK none'],
    ['sts-exclude good.test', 'postfix good.test' => $secure],
    ['sts-exclude good.test --override', 'postfix good.test' => 'NOTFOUND '],
    ['protocols none.test TLSv1.2 ciphers=high', 'postfix none.test' => 'OK encrypt protocols=TLSv1.2 ciphers=high'],
    ['protocols good.test >=TLSv1.2', 'postfix good.test' => "$secure protocols=>=TLSv1.2"],
    ['protocols [mx.host.test] !TLSv1:!TLSv1.1', 'postfix [mx.host.test]' => 'OK encrypt protocols=!TLSv1:!TLSv1.1'],
    ['smtps none.test', 'postfix none.test' => 'OK encrypt', 'transport none.test' => 'OK smtps:none.test:465', 'transport a@none.test' => 'OK smtps:none.test:465',
        'transport A@None.Test' => 'OK smtps:none.test:465', 'transport sub.none.test' => 'NOTFOUND ', 'transport .none.test' => 'NOTFOUND ', 'transport *' => 'NOTFOUND ',
        'transport [none.test]' => 'NOTFOUND ', 'transport none.test:587' => 'OK smtps:none.test:465'],
    ['smtps .none.test', 'transport deep.sub.none.test' => 'OK smtps:deep.sub.none.test:465', 'transport .sub.none.test' => 'NOTFOUND '],
    ['smtps mx.good.test', 'transport good.test' => 'OK smtps:good.test:465', 'transport u@good.test' => 'OK smtps:good.test:465', 'transport none.test' => 'NOTFOUND '],
    ['smtps 192.0.2.1', 'transport good.test' => 'OK smtps:good.test:465'],
    ['inbound-exclude 192.0.2.0/24', 'ehlo 192.0.2.200' => 'OK starttls', 'ehlo 192.0.3.1' => 'NOTFOUND ', 'ehlo ::ffff:192.0.2.1' => 'NOTFOUND ', 'ehlo unknown' => 'NOTFOUND '],
    ['inbound-exclude 2001:db8::/32', 'ehlo 2001:DB8:1::1' => 'OK starttls', 'ehlo 2001:db9::1' => 'NOTFOUND ', 'ehlo a b' => 'NOTFOUND '],
    ['requiretls none.test opportunistic', 'requiretls none.test' => 'OK opportunistic', 'requiretls None.Test:25' => 'OK opportunistic',
        'requiretls [none.test]' => 'OK opportunistic', 'requiretls sub.none.test' => 'NOTFOUND ', 'requiretls .none.test' => 'NOTFOUND ', 'postfix none.test' => 'NOTFOUND '],
    ['requiretls .none.test opportunistic+starttls', 'requiretls a.b.none.test' => 'OK opportunistic+starttls', 'requiretls none.test' => 'NOTFOUND '],
    ['requiretls none.test enforce', 'requiretls none.test' => 'OK enforce'],
    ['requiretls 192.0.2.0/28 opportunistic', 'requiretls 192.0.2.7' => 'OK opportunistic', 'requiretls [192.0.2.7]:25' => 'OK opportunistic', 'requiretls good.test' => 'NOTFOUND '],
    ['requiretls mx.good.test opportunistic', 'requiretls mx.good.test' => 'OK opportunistic', 'requiretls good.test' => 'NOTFOUND '],
    ['inbound-exclude .printers.test', 'ehlo P1.printers.test' => 'OK starttls', 'ehlo printers.test' => 'NOTFOUND ', 'ehlo 192.0.2.1' => 'NOTFOUND '],
) {
    my ($words, @rest) = @$row;
    my ($name, $pattern, @value) = split / /, $words;
    list('add', $name, $pattern, @value);
    while (my ($request, $want) = splice @rest, 0, 2) { becomes($request, exact($want), "$words: $request: $want") }
    list('del', $name, $pattern);
    ok(same_edits(), "$words: taken out");
}
becomes($_, $before{$_}, "all is as before: $_") for sort keys %before;

# --- entries that meet ---
list('add', 'inbound-exclude', '192.0.2.0/24');
list('add', 'inbound-require', '192.0.2.9');
becomes('ehlo 192.0.2.8', exact('OK starttls'));
becomes('ehlo 192.0.2.9', $notfound, 'a client on inbound-require is offered STARTTLS');
list('add', 'require', '.none.test', 'encrypt');
list('add', 'require', 'a.none.test', 'verify');
list('add', 'exclude', 'a.none.test', '--override');
becomes('postfix a.none.test', exact('OK verify'), 'the most specific entry goes, and require before exclude');
becomes('postfix b.none.test', exact('OK encrypt'));
list('clear', $_) for qw(inbound-exclude inbound-require require exclude);
becomes('postfix a.none.test', $notfound);

# --- transport does not wait for facts that hang ---
list('add', 'smtps', 'mx.elsewhere.test');
ok(same_edits(), 'a list of MX hosts that use port 465');
my $hanging = connect_to();
syswrite $hanging, netstring('transport hang.test') . netstring('transport *') . netstring('postfix [mx.host.test]');

# --- entries that expire ---
sub expiring { my ($in) = @_; list('add', 'require', 'none.test', 'verify', '--expires', $in); list('add', 'exclude', '[mx.host.test]', '--expires', $in) }
expiring('1h');
becomes('postfix none.test', exact('OK verify'), 'an entry that will expire');
becomes('postfix [mx.host.test]', exact('OK none'), 'another');
expiring('2s');
becomes('postfix none.test', $notfound, 'it has expired');
becomes('postfix [mx.host.test]', $notfound, 'so has the other');
is(lists()->{lists}{require}{entries}, 1, 'it is in the list still');
list('clear', $_) for qw(require exclude);

is(read_answer($hanging), 'NOTFOUND ', 'transport of a domain whose facts hang');
is(read_answer($hanging), 'NOTFOUND ', 'what was asked behind it,');
is(read_answer($hanging), 'NOTFOUND ', 'in its order');
is(asked('hang.test'), 1, 'stsd was asked');
list('clear', 'smtps');

# --- fallback ---
sub report { my ($after, @words) = @_; return ctl('fallback', 'report', @words, '--at', strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(time() + $after))) }
list('add', 'fallback', 'none.test', 'plain');
list('add', 'fallback', '[mx.host.test]', 'alternate');
list('add', 'fallback', 'good.test', 'plain');
becomes('postfix none.test', $notfound, 'a mode, and nothing has failed');
report(-10, 'none.test', 'mx.none.test', 'handshake');
becomes('postfix none.test', exact('OK none'), 'TLS has failed: plain');
report(0, 'none.test', 'mx.none.test', 'tls');
becomes('postfix none.test', $notfound, 'TLS has gone well');
report(5, 'none.test', 'gone.none.test', 'handshake');
report(5, 'none.test', 'mx.none.test', 'handshake');
becomes('postfix none.test', exact('OK none'), 'it has failed again');
ctl('fallback', 'clear', 'none.test');
becomes('postfix none.test', $notfound, 'the state is cleared');
report(0, '[mx.host.test]', 'mx.host.test', 'handshake');
becomes('postfix [mx.host.test]', exact('OK none'), 'a next hop in brackets: plain');
becomes('postfix [mx.host.test]:587', exact('OK none'), 'with a port, too');
becomes('postfix [mx.host.test]:465', exact('OK encrypt'), 'but for implicit TLS');
report(1, '[mx.host.test]', 'mx.host.test', 'plain');
becomes('postfix [mx.host.test]', $notfound, "after an attempt in plain text it is TLS's turn");
report(0, 'good.test', 'mx.good.test', 'handshake');
becomes('postfix good.test', exact($secure), 'an enforced policy goes on');
redis('HSET', 'postern:fallback:none.test', 'mx.none.test', '{"v":1,"handshake":"x"}', 'MX.NONE.TEST', '{}', 'other', 'x' x 500);
logs(qr/bad-fallback-state key=fallback:none\.test left_out=3 first="(?:mx\.none\.test: handshake: not a time|MX\.NONE\.TEST: the host must be written|other: longer than)/, 'a state that cannot be read is told')
    if becomes('postfix none.test', $notfound, 'and counts as none');
redis('DEL', 'postern:fallback:none.test');
redis('SET', 'postern:fallback:none.test', 'x');
becomes('postfix none.test', $notfound, 'so does a key of another type');
ctl('fallback', 'clear');
redis('DEL', 'postern:fallback:none.test');

# --- settings are read again ---
my $conf = slurp("$dir/postern.conf");
sub reread {
    my ($more) = @_;
    my $reloads = () = log_text() =~ /info reloaded/g;
    spew("$dir/postern.conf", "${conf}policyd { $more }\n");
    kill 'HUP', $policyd_pid;
    return until_true(sub { (() = log_text() =~ /info reloaded/g) > $reloads });
}
list('clear', 'fallback');
report(0, 'none.test', 'mx.none.test', 'handshake');
becomes('postfix none.test', $notfound, 'no mode, a failure');
ok(reread('fallback = "plain"'), 'SIGHUP with a mode for all');
becomes('postfix none.test', exact('OK none'), 'it goes');
ok(reread("fallback = \"hold\"\n default_level = \"encrypt\""), 'SIGHUP with a default level');
becomes('postfix none.test', exact('OK encrypt'), 'it goes');
becomes('postfix [mx.host.test]', exact('OK encrypt'), 'for next hops in brackets, too');
ok(reread('default_level = ""'), 'and back');
becomes('postfix none.test', $notfound, 'it goes');
ctl('fallback', 'clear');

# --- entries put in by hand that are wrong: the others go ---
redis('HSET', 'postern:list:require', 'none.test', '{"v":1,"value":"verify"}', 'garbage.test', '{', 'no..name', '{"v":1,"value":"verify"}', '192.0.2.1/24', '{"v":1,"value":"verify"}',
    'UP.test', '{"v":1,"value":"verify"}', 'level.test', '{"v":1,"value":"may"}', 'none-bücher.test', '{"v":1,"value":"verify"}', 'long-none.test', 'x' x 3_000_000, 'y' x 2_000_000, '{}',
    "esc-none\n\e[2J.test", '{"v":1,"value":"verify"}', 'version-none.test', '{"v":2,"value":"verify"}');
redis('SET', 'postern:list:exclude', 'no hash');
redis('RPUSH', 'postern:list:only', 'nor this');
list('add', 'require', 'other-none.test', 'encrypt');
becomes('postfix none.test', exact('OK verify'), 'beside wrong entries the right ones go');
becomes('postfix other-none.test', exact('OK encrypt'));
becomes('postfix [UP.test]', $notfound, 'a wrong one does not');
becomes('postfix good.test', exact($secure), 'all else is as before');
for my $row (['garbage.test', 'JSON'], ['no..name', 'name|label'], ['192.0.2.1/24', '192\.0\.2\.0/24'], ['UP.test', 'up\.test'], ['level.test', 'may'], ['none-b\\xc3\\xbccher.test', 'xn--'],
    ['long-none.test', 'longer'], ['version-none.test', 'version']) {
    my ($entry, $why) = @$row;
    logs(qr/warning bad-list-entry key=list:require entry=\Q$entry\E why=[^\n]*(?:$why)/, "the log names it: $entry");
}
logs(qr/error list-unreadable key=list:exclude error="WRONGTYPE/, 'a key that is no hash, too');
unlike(log_text(), qr/[^\n\x20-\x7e]/, 'nothing in the log acts on a terminal');
my $state = lists();
is_deeply([$state->{lists}{require}{entries}, $state->{lists}{require}{bad}], [2, 10], 'status: how many entries, how many are wrong') or diag explain $state;
isnt($state->{lists}{require}{problem}, '', 'and which one');
like($state->{lists}{$_}{problem}, qr/WRONGTYPE/, "status: $_ cannot be read") for qw(exclude only);
{ local $may_fail = 1; like(ctl('status'), qr/require.*10.*exclude.*WRONGTYPE|exclude.*WRONGTYPE.*require.*10/s, 'posternctl status shows both') } # there is no stsd that answers it
redis('DEL', 'postern:list:exclude', 'postern:list:only', 'postern:list:require');
list('add', 'exclude', 'none.test');
becomes('postfix none.test', exact('OK none'), 'mended');
is_deeply(lists()->{lists}, { exclude => { entries => 1 } }, 'status shows that, too');

# --- Redis loses the lists, and comes back with older ones ---
list('add', 'require', 'other-none.test', 'verify');
becomes('postfix other-none.test', exact('OK verify'));
my %head = @{ redis('HGETALL', 'postern:list:') };
redis('FLUSHALL');
ok(until_true(sub { lists()->{redis} eq 'lost' }), 'Redis has lost the lists: status');
logs(qr/error lists-kept redis=lost entries=2 /, 'and log say so');
becomes('postfix none.test', exact('OK none'), 'the lists that are known go on');
becomes('postfix other-none.test', exact('OK verify'));
redis('HSET', 'postern:list:exclude', 'other-none.test', '{"v":1}');
redis('HSET', 'postern:list:', g => $head{g}, n => $head{n} - 1);
ok(until_true(sub { lists()->{redis} eq 'older' }), 'Redis has older lists: status says so');
becomes('postfix other-none.test', exact('OK verify'), 'the lists that are known go on');
{ local $may_fail = 1; like(list('add', 'exclude', 'new.test'), qr/list restore/, 'posternctl refuses to edit') }
list('restore');
ok(until_true(sub { lists()->{redis} eq 'adopt' }), 'restored');
becomes('postfix other-none.test', exact('OK verify'), 'all entries go');
becomes('postfix none.test', exact('OK none'));
stop_redis();
ok(until_true(sub { control('status')->{redis} eq 'down' }), 'Redis is away');
becomes('postfix none.test', exact('OK none'), 'the lists that are known go on');
becomes('postfix new-none.test', $notfound, 'for new domains, too');
ends();

# --- a start without Redis, with the file ---
start($keep_file, $redis_url);
becomes('postfix none.test', exact('OK none'), 'started without Redis: the lists of the file go');
becomes('postfix other-none.test', exact('OK verify'));
becomes('postfix new-none.test', $notfound, 'and are all there are');
logs(qr/warning lists-from-file file=\S+ entries=2 /, 'the log says so');
is(lists()->{from}, 'file', 'so does status,');
{ local $may_fail = 1; like(ctl('status'), qr/^ +lists +.*file/m, 'and posternctl status') }
ok(start_redis(), 'an empty Redis comes');
ok(until_true(sub { lists()->{redis} eq 'lost' }), 'it has lost the lists');
becomes('postfix other-none.test', exact('OK verify'), 'those of the file go on');
list('restore');
ok(until_true(sub { my $s = lists(); "$s->{from} $s->{redis}" eq 'redis adopt' }), 'restored from the file');
becomes('postfix none.test', exact('OK none'), 'the entries go');
stop_redis();
ends();

# --- without it, or with one that is damaged, cut off, or something else: as if there were none ---
my $whole = slurp($file);
like($whole, qr/^postern-lists 1\n.*other-none\.test.*\nend\t2\t[0-9a-f]{16}\n$/s, 'the file');
my @files = (['no file', undef, ''], ['damaged', $whole =~ s/verify/secure/r, 'checksum'], ['cut off', substr($whole, 0, length($whole) - 9), '.'], ['an empty one', '', '.'],
    ['something else', "exclude none.test\n", '.'], ['a folder', undef, 'directory']);
for my $row (@files) {
    my ($what, $text, $why) = @$row;
    unlink $file;
    spew($file, $text) if defined $text;
    chown +(getpwnam('nobody'))[2, 3], $file if $> == 0;
    mkdir $file if $what eq 'a folder';
    start($keep_file, $redis_url);
    becomes('postfix none.test', qr/^TEMP .*lists are not known/, "$what: what binds nothing waits");
    becomes('postfix [mx.host.test]', qr/^TEMP .*lists are not known/, "$what: so do next hops in brackets") if $what eq 'no file';
    becomes('postfix good.test', exact($secure), "$what: what binds is answered") if $what eq 'no file';
    becomes('transport none.test', $notfound, "$what: transport says nothing") if $what eq 'no file';
    becomes('ehlo 192.0.2.1', $notfound, "$what: ehlo says nothing") if $what eq 'no file';
    becomes('requiretls good.test', qr/^TEMP .*not known/, "$what: REQUIRETLS mail waits") if $what eq 'no file';
    is(lists()->{from}, 'unknown', "$what: status says that the lists are not known");
    logs(qr/warning lists-unknown /, "$what: so does the log");
    if ($why ne '') {
        logs(qr/error lists-file file=\Q$file\E error="[^"\n]*$why/, "$what: the log names the file, and why");
        like(lists()->{file_problem}, qr/\Q$file\E.*$why/, "$what: so does status");
    }
    last if $what eq 'a folder';
    ends();
}

# --- Redis comes; the file cannot be written ---
kill 'HUP', $policyd_pid; # the configuration that named the file goes
logs(qr/info reloaded/, 'the configuration is read again');
ok(start_redis(), 'Redis comes up');
becomes('postfix none.test', $notfound, 'what waited is answered');
becomes('postfix [mx.host.test]', $notfound, 'next hops in brackets, too');
by_hand('exclude', 'none.test'); # posternctl cannot read the file either, and refuses
becomes('postfix none.test', exact('OK none'), 'an edit goes');
logs(qr/error lists-file file=\Q$file\E error="Is a directory/, 'the log says that the file cannot be written');
ok(until_true(sub { lists()->{file_problem} =~ /Is a directory/ }), 'so does status');
rmdir $file;
if ($> == 0) {
    chmod 0555, "$kept/lists.d";
    chown 0, 0, "$kept/lists.d";
    list('add', 'exclude', 'second-none.test');
    becomes('postfix second-none.test', exact('OK none'), 'with a folder that may not be written edits go');
    ok(until_true(sub { lists()->{file_problem} =~ /Permission denied/ }), 'status says so');
    chmod 0755, "$kept/lists.d";
    chown +(getpwnam('nobody'))[2, 3], "$kept/lists.d";
}
list('add', 'exclude', 'third-none.test');
ok(until_true(sub { slurp($file) =~ /third-none/ }), 'the file is written when that is possible again');
ok(until_true(sub { lists()->{file_problem} eq '' }), 'and status has no problem');
ends();

# --- several workers ---
my $count = 3;
start("workers = $count\n$keep_file", $redis_url);
ok(until_true(sub { (grep { ref control('status', '', $_) && lists($_)->{from} eq 'redis' } 1 .. $count) == $count }), 'all workers have the lists');
list('add', 'require', 'none.test', 'verify');
for my $worker (1 .. $count) {
    ok(until_true(sub { control('explain', 'none.test', $worker)->{answer} eq 'OK verify' }), "worker $worker has the edit");
}
ok(until_true(sub { slurp($file) =~ /^require\tnone\.test\t/m }), 'the file has it');
my %pid = log_text() =~ /worker-started worker=(\d+) pid=(\d+)/g;
kill 'STOP', $pid{1};
list('add', 'require', 'other-none.test', 'verify');
ok(until_true(sub { control('explain', 'other-none.test', $_)->{answer} eq 'OK verify' }), "worker $_ has the next one") for 2 .. $count;
unlike(slurp($file), qr/^require\tother-none/m, 'the file is the first one\'s alone');
kill 'CONT', $pid{1};
ok(until_true(sub { slurp($file) =~ /^require\tother-none/m }), 'which writes it when it goes on');
is(join(' ', glob "$kept/lists.d/*"), $file, 'nothing is left beside it');
ends();

# --- many entries ---
my $many = 100_000;
start($keep_file, $redis_url);
list('clear', 'exclude');
spew("$dir/many", join '', map { "d$_.many.test verify # entry $_\n" } 1 .. $many);
like(list('import', 'require', "$dir/many", '--replace'), qr/$many/, "$many entries are imported");
sub patiently { my ($look) = @_; until_true($look) && return 1 for 1 .. 6; return '' } # it is much for a policyd under valgrind
patiently(sub { (lists()->{lists}{require}{entries} // 0) == $many });
is(lists()->{lists}{require}{entries}, $many, 'they are read');
becomes('postfix d1.many.test', exact('OK secure match=mx.d1.many.test servername=hostname'), 'a policy demands more than the first');
becomes("postfix [d$many.many.test]", exact('OK verify'), 'the last goes');
ok(patiently(sub { slurp($file) =~ /\nend\t$many\t[0-9a-f]{16}\n\z/ }), 'the file has them all');

# --- edits under load: no answer is lost, out of order, or anything but the old or the new one ---
# An edit goes to and fro between two states, in each of which other entries of the list say the same of 20 names: so an answer by half an edit would show. (The names
# are given in brackets, as those have no facts to be looked up.) One more entry changes its value.
my $edit = <<'LUA';
local even = redis.call('HINCRBY', KEYS[2], 'n', 1) % 2 == 0
local fields, gone = {}, {}
for i = 1, 20 do
    local name = (i * 7919) .. '.moved.test'
    table.insert(fields, even and name or '[' .. name .. ']')
    table.insert(fields, '{"v":1,"value":"verify"}')
    table.insert(gone, even and '[' .. name .. ']' or name)
end
redis.call('HSET', KEYS[1], 'edited-none.test', even and '{"v":1,"value":"encrypt"}' or '{"v":1,"value":"secure"}', unpack(fields))
redis.call('HDEL', KEYS[1], unpack(gone))
return even and 'OK encrypt' or 'OK secure'
LUA
my @edit = ('EVAL', $edit, 2, 'postern:list:require', 'postern:list:');
my $edit_wire = '*5' . join('', map { "\r\n\$" . length($_) . "\r\n$_" } @edit) . "\r\n";
my @load = (
    (map { ["postfix [@{[$_ * 7919]}.moved.test]", qr/^OK verify$/] } 1 .. 20),
    ['postfix edited-none.test', qr/^OK (?:encrypt|secure)$/], ['postfix still-none.test', qr/^OK dane-only$/], ['postfix good.test', exact($secure)], ['postfix none.test', $notfound],
    ['postfix .parent.test', $notfound], ['postfix [mx.host.test]', $notfound], ['transport none.test', $notfound], ['postfix [fill7.test]', qr/^OK encrypt$/],
);
my $load_wire = join '', map { netstring($_->[0]) } @load;

# Ask all of @load over and over, with five rounds under way, until so many edits were made and the last one goes. Edits follow each other at once, or ($bursts) three
# come with gaps between them, and the next three when these go. Returns the first wrong answer, and numbers.
sub load_and_edit {
    my ($edits, $bursts) = @_;
    my ($client, $redis) = (connect_to(), IO::Socket::UNIX->new(Peer => "$redis_dir/sock") // die);
    my $select = IO::Select->new($client, $redis);
    my ($made, $under_way, $answers, $pending, $in, $goes, %seen) = (0, 0, 0, 0, '', '');
    my $end = time() + 600;
    my $send = sub { syswrite $redis, $edit_wire; $made++; $under_way = 1 };
    $send->();
    while (time() < $end) {
        while ($pending < 5) { syswrite $client, $load_wire; $pending++ }
        for my $fh ($select->can_read(60)) {
            if ($fh == $redis) {
                sysread($redis, my $reply, 1000);
                ($goes) = $reply =~ /^\$\d+\r\n(OK \w+)\r\n$/ or return "Redis: $reply";
                $under_way = 0;
                $seen{$goes} = 0;
                next if $made == $edits || ($bursts && $made % 3 == 0);
                sleep rand 0.03 if $bursts;
                $send->();
                next;
            }
            sysread($client, $in, 65536, length $in) or return 'the connection was closed';
            while ($in =~ /^(\d+):/ && length($in) >= length($1) + 2 + $1) {
                my $text = substr($in, length($1) + 1, $1);
                my $row = $load[$answers++ % @load];
                substr($in, 0, length($1) + 2 + length($text)) = '';
                return "$row->[0]: $text after $answers answers, $made edits" if $text !~ $row->[1];
                $seen{$text}++ if $row->[0] =~ /edited/;
                $pending-- if $answers % @load == 0;
            }
        }
        next if $under_way || !$seen{$goes};
        return ('', $made, $answers) if $made == $edits;
        $send->() if $bursts;
    }
    return "no end after $made edits and $answers answers";
}

for (['a list that is read at once', 900, 5000, 0], ['one that is read in pieces', 3000, 99, 1]) {
    my ($what, $fill, $edits, $bursts) = @$_;
    list('clear', 'require');
    redis('EVAL', "for i = 1, $fill do redis.call('HSET', KEYS[1], 'fill' .. i .. '.test', '{\"v\":1,\"value\":\"encrypt\"}') end", 1, 'postern:list:require');
    list('add', 'require', 'still-none.test', 'dane-only');
    redis(@edit);
    ok(same_edits(), "$what: has been read");
    my $begun = time();
    my $reads = () = log_text() =~ /info lists-read/g;
    my ($wrong, $made, $answers) = load_and_edit($edits, $bursts);
    is($wrong, '', "$what: every answer is the old or the new one, in its place, while it is edited");
    note(sprintf('%d edits and %d answers in %.1f s, %d times read', $made, $answers, time() - $begun, (() = log_text() =~ /info lists-read/g) - $reads)) if $wrong eq '';
}
ends();
stop_redis();
done_testing();
