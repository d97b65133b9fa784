#!/usr/bin/perl
# The built postern-policyd on the wire: the lines of Exim's readsocket, each verb, half-closed connections, look-ups that take time, and misuse. What cannot be
# answered is temp or bad, never a weaker policy. With a real Redis and the built posternctl.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use Policyd;
use Test::More;
use Time::HiRes qw(sleep);

$SIG{PIPE} = 'IGNORE';
my $posternctl = $ENV{POSTERNCTL} // './ctl/posternctl';
my $inet = sprintf('127.%d.%d.%d:8463', 1 + rand 250, rand 250, 1 + rand 250);
my $listen = "exim_listen = {\"unix:DIR/exim.sock\", \"inet:$inet\"}\n    metrics_listen = \"unix:DIR/metrics.sock\"";

sub client { return connect_to('exim.sock') }
sub client_inet { return fresh(IO::Socket::INET->new(PeerAddr => $inet) // die "connect: $!") }

# As Exim does it: the request, its end, then all until the end.
sub exim {
    my ($line, $fh) = @_;
    $fh //= client();
    syswrite $fh, $line;
    shutdown($fh, 1);
    return read_all($fh) // 'no end';
}

sub counted { my ($name) = @_; my $fh = connect_to('metrics.sock'); syswrite $fh, "GET /metrics HTTP/1.0\r\n\r\n"; return (read_all($fh) // '') =~ /^postern_policyd_$name (\d+)/m ? $1 : -1 }
sub list { system('sh', '-c', 'exec "$@" >/dev/null', 'sh', $posternctl, '-c', "$dir/postern.conf", 'list', @_) == 0 or fail("posternctl list @_"); return }
sub edits { return redis('HGET', 'postern:list:', 'n') // 0 }
sub same_edits { my $n = edits(); return until_true(sub { log_text() =~ /lists-read .*edits=$n\n/ }) }

sub becomes {
    my ($line, $want, $name) = @_;
    my $last;
    until_true(sub { ($last = exim("$line\n")) eq "$want\n" });
    is($last, "$want\n", $name // "$line: $want");
}

my $default = 'status=ok level=default transport=smtp';
my $secure = 'status=ok level=secure mx=mx.good.test sni=hostname transport=smtp';

ok(start_redis(), 'a Redis');
start($listen, $redis_url);

# --- each verb ---
for my $row (
    ['policy good.test', $secure], ['policy Good.TEST.', $secure], ['policy none.test', $default],
    ['policy temp.test', qr/^status=temp why="[^"]+"$/], ['policy garbage.test', qr/^status=temp why="[^"]+"$/],
    ['mx good.test mx.good.test', 'status=ok mx=yes'], ['mx Good.Test MX.good.test.', 'status=ok mx=yes'],
    ['mx good.test mx.evil.test', 'status=ok mx=no why="mx.evil.test is no MX host of good.test by its MTA-STS policy"'],
    ['mx good.test a.mx.good.test', qr/^status=ok mx=no why=".+"$/], ['mx none.test mx.evil.test', 'status=ok mx=yes'], ['mx temp.test mx.temp.test', qr/^status=temp why=".+"$/],
    ['list require none.test', 'status=ok found=no'], ['list local [192.0.2.1]', 'status=ok found=no'],
    ['route u@none.test', 'status=ok route=none'], ['route u+requiretls@none.test', 'status=ok route=requiretls'], ['route u+x+REQUIRETLS@none.test', 'status=ok route=requiretls'],
    ['route u+tlsoptional@none.test', 'status=ok route=relaxed'], ['route u+requiretls+tlsoptional@none.test', 'status=ok route=requiretls'],
    ['route a b+requiretls@none.test', 'status=ok route=requiretls'], ['route "a b+requiretls"@none.test', 'status=ok route=requiretls'],
    ['route u+requiretls@[192.0.2.1]', 'status=ok route=requiretls'],
) {
    my ($line, $want) = @$row;
    $want = qr/^\Q$want\E$/ if !ref $want;
    for my $end ("\n", '') {
        like(exim("$line$end"), qr/$want\n\z/, "$line" . ($end ? '' : ', ended by the end of input'));
    }
    like(exim("$line\n", client_inet()), qr/$want\n\z/, "$line, over TCP");
}

# --- lists ---
list('add', 'require', 'none.test', 'verify');
becomes('policy none.test', 'status=ok level=verify transport=smtp');
becomes('list require none.test', 'status=ok found=yes value="verify"');
list('add', 'require', 'none.test', 'secure');
becomes('policy none.test', 'status=ok level=secure mx=none.test:.none.test transport=smtp', 'secure without a policy: the names are the domain\'s own');
becomes('mx none.test a.mx.none.test', 'status=ok mx=yes');
like(exim("mx none.test mx.evil.test\n"), qr/^status=ok mx=no why="/, 'another name');
list('add', 'require', 'none.test', 'dane-only');
becomes('policy none.test', 'status=ok level=dane-only transport=smtp');
list('del', 'require', 'none.test');
list('add', 'protocols', 'none.test', '>=TLSv1.2', 'ciphers=high');
becomes('policy none.test', 'status=ok level=encrypt protocols=>=TLSv1.2 ciphers=high gnutls=NORMAL:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.3 transport=smtp');
becomes('list protocols none.test', 'status=ok found=yes value=">=TLSv1.2 ciphers=high"');
list('del', 'protocols', 'none.test');
list('add', 'exclude', 'none.test');
becomes('policy none.test', 'status=ok level=none transport=smtp');
list('add', 'exclude', 'good.test');
ok(same_edits(), 'an entry that would make an enforced policy plain');
is(exim("policy good.test\n"), "$secure\n", 'it does not go');
list('clear', 'exclude');
list('add', 'smtps', 'good.test');
becomes('policy good.test', $secure =~ s/smtp$/smtps/r);
list('add', 'smtps', 'dane.test');
list('add', 'smtps', 'dane-none.test');
ok(same_edits(), 'implicit TLS where there are TLSA records, which are of port 25');
for my $how ('looked up', 'from memory') {
    is(exim("policy dane.test\n"), "status=ok level=secure mx=mx.dane.test sni=hostname transport=smtps\n", "$how: the policy for port 465, by MTA-STS");
    is(exim("policy dane-none.test\n"), "status=ok level=encrypt transport=smtps\n", "$how: the policy for port 465, no MTA-STS");
    like(exim("mx dane.test mx.evil.test\n"), qr/^status=ok mx=no /, "$how: the names go with it");
}
list('clear', 'smtps');
becomes('policy dane.test', 'status=ok level=dane-only transport=smtp');
becomes('mx dane.test mx.evil.test', 'status=ok mx=yes', 'with DANE no names bind');
list('add', 'local', 'ours.test');
becomes('list local ours.test', 'status=ok found=yes value=""');
is(exim("route u+requiretls\@Ours.Test\n"), "status=ok route=none\n", 'our own domain');
is(exim("route u+requiretls\@sub.ours.test\n"), "status=ok route=requiretls\n", 'not what is below it');
list('add', 'inbound-exclude', '192.0.2.0/24');
becomes('list inbound-exclude 192.0.2.7', 'status=ok found=yes value=""');
is(exim("list inbound-exclude a b\n"), "status=ok found=no\n", 'what is no client is on no list');

# --- the stream ---
my $fh = client();
syswrite $fh, "policy good.test\n";
is(read_all($fh), "$secure\n", 'who has not shut down its side gets the answer and the end');
close $fh;
$fh = client();
syswrite $fh, "policy good.test\npolicy none.test\nrubbish\n";
is(read_all($fh), "$secure\n", 'several requests: the first is answered');
close $fh;
for my $how (\&client, \&client_inet) {
    $fh = $how->();
    syswrite $fh, "policy slow-many.test\n";
    syswrite $fh, 'x' x 30000;
    is(read_all($fh), "status=ok level=secure mx=mx.slow-many.test sni=hostname transport=smtp\n", 'much behind a request that is looked up');
    close $fh;
    $fh = $how->();
    for my $octet (split //, "policy good.test\n") { syswrite $fh, $octet; sleep 0.002 }
    is(read_all($fh), "$secure\n", 'one octet at a time');
    close $fh;
    my @waiting;
    push @waiting, $how->() for 1 .. 20;
    my $name = $how == \&client ? 'u' : 't';
    syswrite($waiting[$_], "policy slow-$name$_.test" . ($_ % 2 ? "\n" : '')) for 0 .. 19;
    shutdown($_, 1) for @waiting;
    is(read_all($waiting[$_]), "status=ok level=secure mx=mx.slow-$name$_.test sni=hostname transport=smtp\n", "half-closed while it is looked up ($_)") for 0 .. 19;
}
like(exim("policy hang.test\n"), qr/^status=temp why=".+"\n\z/, 'a look-up that nobody answers');
$fh = client();
shutdown($fh, 1);
is(read_all($fh), '', 'nothing asked, nothing answered');
$fh = client();
syswrite $fh, "policy slow-gone.test\n";
close $fh;
is(exim("policy good.test\n"), "$secure\n", 'one that has gone does no harm');

# --- what is no request ---
my $bad_before = counted('bad_requests_total');
my @bad = (
    ["\n", 'begins with'], ["policy\n", 'the domain'], ["policy \n", 'the domain'], ["policy a.test b.test\n", 'one word'], ["policy  a.test\n", 'one word'], ["policy a.test \n", 'one word'],
    ["Policy a.test\n", 'begins with'], ["GET / HTTP/1.1\n", 'begins with'], ["policy a.test\r\n", 'control octet'], ["policy a\0.test\n", 'control octet'], ["\0\n", 'control octet'],
    ["policy [192.0.2.1]\n", 'in brackets'], ["policy 192.0.2.1\n", 'an address'], ["policy [mx.a.test]\n", 'in brackets'], ["policy .a.test\n", 'a parent'], ["policy a.test:25\n", 'a port'],
    ["policy a..test\n", 'the domain: '], ["policy -a.test\n", 'the domain: '], ["policy a\"b\\c.test\n", 'the domain: '], ["policy \xff.test\n", 'the domain: '],
    ["mx a.test\n", 'two words'], ["mx a.test \n", 'two words'], ["mx a.test b c\n", 'two words'], ["mx a.test [192.0.2.1]\n", 'the MX host'], ["mx [a.test] b.test\n", 'the domain'],
    ["list require\n", 'two words'], ["list nothing a.test\n", 'there is no list'], ["list " . 'x' x 100 . " a.test\n", 'there is no list'],
    ["route u\n", 'local part and domain'], ["route \@a.test\n", 'local part and domain'], ["route u+requiretls\@\n", 'local part and domain'], ["route\n", 'local part and domain'],
);
for (@bad) {
    my ($line, $why) = @$_;
    my $shown = $line =~ s/[^ -~]/?/gr;
    like(exim($line), qr/\Astatus=bad why="(?:[^"\\\x00-\x1f]|\\["\\])*\Q$why\E(?:[^"\\\x00-\x1f]|\\["\\])*"\n\z/, "no request: $shown");
}
is(counted('bad_requests_total') - $bad_before, @bad, 'they are counted');
my $requests_before = counted('exim_requests_total');
my $long = 'list local ' . 'x' x (1024 - length 'list local ');
is(exim("$long\n"), "status=ok found=no\n", 'a line of 1024 octets');
is(exim($long), "status=ok found=no\n", 'ended by the end of input');
for my $how (\&client, \&client_inet) {
    for my $text ("${long}x\n", "${long}x", $long . 'x' x 20000) {
        $fh = $how->();
        syswrite $fh, $text;
        is(read_all($fh), "status=bad why=\"a request is one line of at most 1024 octets\"\n", length($text) . ' octets are too many');
        close $fh;
    }
}
is(counted('exim_requests_total') - $requests_before, 2, 'requests are counted');
like(log_text(), qr/warning bad-request why="/, 'and bad ones logged');
is(ask('postfix none.test'), 'NOTFOUND ', 'the other protocols have their own listeners');

# --- other tags, while it runs ---
open(my $conf, '>>', "$dir/postern.conf") or die;
print $conf "milter { tag = \"tls-only\"\n optional_tag = \"any\"\n delimiter = \"-\" }\n";
close $conf;
kill 'HUP', $policyd_pid;
becomes('route u-tls-only@none.test', 'status=ok route=requiretls');
is(exim("route u-any\@none.test\n"), "status=ok route=relaxed\n", 'both tags');
is(exim("route u+requiretls\@none.test\n"), "status=ok route=none\n", 'not the old ones');
is(stop(), 0, 'the exit code is 0');
unlike(log_text(), qr/Sanitizer|runtime error/, 'nothing went wrong');
stop_redis();

# --- without Redis: the lists are not known ---
start($listen, $redis_url);
like(exim("policy none.test\n"), qr/^status=temp why="[^"]*the operator's lists are not known/, 'what does not bind is held');
like(exim("policy good.test\n"), qr/^status=ok level=secure mx=mx\.good\.test /, 'what binds goes');
like(exim("list require none.test\n"), qr/^status=temp why="/, 'no list can be told of');
like(exim("route u+requiretls\@ours.test\n"), qr/^status=temp why="/, 'a tag may be of our own domain');
is(exim("route u\@none.test\n"), "status=ok route=none\n", 'mail without a tag goes on');
is(stop(), 0, 'the exit code is 0');

# --- no room: who asks is not given up for others, though its side is shut down ---
start("$listen\n    connections = 5\n    lookup_timeout = 60s");
my @waiting;
for my $i (0 .. 4) { push @waiting, $i % 2 ? client_inet() : client(); syswrite $waiting[$i], "policy slow-full$i.test\n"; shutdown($waiting[$i], 1) }
is(exim("policy good.test\n"), "$secure\n", 'others wait, and come and go') for 1 .. 10;
is(read_all($waiting[$_]), "status=ok level=secure mx=mx.slow-full$_.test sni=hostname transport=smtp\n", 'and each gets its answer') for 0 .. 4;
$fh = client();
syswrite $fh, "policy slow-drain.test\n";
shutdown($fh, 1);
ok(until_true(sub { asked('slow-drain.test') }), 'a look-up is under way');
my ($late, $half, $mute) = (client(), client(), client());
syswrite $half, 'policy go';
ok(until_true(sub { counted('connections') == 4 }), 'and some are about to ask');
kill 'TERM', $policyd_pid;
ok(until_true(sub { log_text() =~ /info draining/ }), 'SIGTERM');
syswrite $late, "policy good.test\n";
syswrite $half, "od.test\n";
is(read_all($_), "$secure\n", 'who was about to ask is answered') for $late, $half;
is(read_all($fh), "status=ok level=secure mx=mx.slow-drain.test sni=hostname transport=smtp\n", 'so is the one who waits');
is(read_all($mute), '', 'one who does not ask is not waited for');
sub has_ended { open(my $stat, '<', "/proc/$policyd_pid/stat") or return 0; return <$stat> =~ /\) Z / }
ok(until_true(\&has_ended), 'then it ends');    # a second SIGTERM would end it at once
is(stop(), 0, 'the end');
unlike(log_text(), qr/drain-timeout/, 'in time');
unlike(log_text(), qr/Sanitizer|runtime error/, 'nothing went wrong');
done_testing();
