#!/usr/bin/perl
# The LMTP side of postern-relayd on the wire, with next servers that do what the name of the domain says (fake_upstream.c).
use strict;
use warnings;
use File::Temp 'tempdir';
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX ':sys_wait_h';
use Test::More;
use Time::HiRes qw(sleep time);

$SIG{PIPE} = 'IGNORE';
my $program = './t/relayd/relayd_with_fake';
my $dir = tempdir(CLEANUP => 1);
my $metrics = sprintf('127.%d.%d.%d:9464', 1 + rand 250, rand 250, 1 + rand 250);
my ($pid, $test_pid) = (undef, $$);
$SIG{INT} = $SIG{TERM} = sub { exit 1 };
END { kill 'KILL', $pid if defined $pid && $$ == $test_pid }

my $user = $> == 0 ? 'nobody' : (getpwuid($>))[0];
chmod 0755, $dir;
chown +(getpwnam($user))[2, 3], $dir if $> == 0;

sub configure {
    open(my $conf, '>', "$dir/postern.conf") or die;
    print $conf "relayd { listen = {\"unix:$dir/lmtp\"} user = \"$user\" name = \"@{[$_[2] // 'relay.test']}\" metrics_listen = \"inet:$metrics\" $_[0] }\n" . ($_[1] // '') . "\n";
    close $conf;
}

sub log_text {
    open(my $fh, '<', "$dir/log") or return '';
    local $/;
    return <$fh> // '';
}

# Looks until it is so, for a minute; what was seen last.
sub until_true {
    my ($look) = @_;
    my $end = time() + 60;
    my $seen;
    sleep 0.02 until ($seen = $look->()) || time() > $end;
    return $seen;
}

# With so many descriptors at most.
sub start {
    my ($settings, $files) = @_;
    configure($settings);
    unlink "$dir/log";
    $pid = fork() // die;
    if (!$pid) {
        @SIG{qw(INT TERM)} = ('DEFAULT') x 2;
        open(STDERR, '>', "$dir/log");
        exec('/bin/sh', '-c', ($files ? "ulimit -n $files && " : '') . 'exec "$@"', 'sh', $program, '-f', '-c', "$dir/postern.conf") or POSIX::_exit(127);
    }
    return until_true(sub { log_text() =~ /info started/ });
}

# The wait status; undef when it does not end.
sub ended {
    my $status;
    until_true(sub { my $gone = waitpid($pid, WNOHANG); $status = $? if $gone == $pid; $gone != 0 });
    undef $pid if defined $status;
    return $status;
}

sub connect_to { return IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => "$dir/lmtp") // die "connect: $!" }

# Lines until there are so many, or the connection ends, or a minute passes.
my %rest;
sub lines {
    my ($fh, $count) = @_;
    my $end = time() + 60;
    my @got;
    while (@got < $count) {
        $rest{$fh} //= '';
        if ($rest{$fh} =~ s/^(.*?)\r\n//s) { push @got, $1; next }
        last if time() > $end || !IO::Select->new($fh)->can_read($end - time());
        last if !sysread($fh, $rest{$fh}, 65536, length $rest{$fh});
    }
    return @got;
}

sub crlf { my ($text) = @_; $text =~ s/\n/\r\n/g; return $text }

# A session that is greeted already.
sub session {
    my $fh = connect_to();
    delete $rest{$fh};
    syswrite $fh, "LHLO mta.test\r\n";
    lines($fh, 8);
    return $fh;
}

sub send_all {
    my ($fh, $octets, $piece) = @_;
    while (length $octets) {
        my $n = syswrite($fh, $octets, $piece // length $octets) // last;
        substr($octets, 0, $n, '');
        sleep 0.001 if $piece;
    }
}

# --- few descriptors ---
ok(start('connections = 100 upstreams = 300', 164), 'it starts with few descriptors') or BAIL_OUT(log_text());
like(log_text(), qr/warning fewer-connections connections=25 upstreams=74 needed=464 why=".*LimitNOFILE.*"/, 'and says that there are fewer connections then');
my @few = map { connect_to() } 1 .. 26;
is(scalar(grep { (lines($_, 1))[0] =~ /^220 / } @few[0 .. 24]), 25, 'so many');
ok(!IO::Select->new($few[25])->can_read(0.3), 'one more waits');
close $_ for @few;
configure('connections = 20 upstreams = 70');
kill 'HUP', $pid;
until_true(sub { log_text() =~ /info reloaded/ });
is(scalar(() = log_text() =~ /fewer-connections/g), 1, 'nothing is said of limits that can be kept');
kill 'TERM', $pid;
is(ended(), 0, 'it ends');
%rest = ();

ok(start('connections = 50 upstreams = 100 size_max = 3000000 command_timeout = 60s'), 'it starts') or BAIL_OUT(log_text());

# --- the table: what is sent, with QUIT behind it, and the replies ---
my $message = "Subject: x\n\nhello\n..dot\n.\n";
sub took {
    my ($host, $text) = @_;
    return qr/^250 2\.0\.0 host mx\.\Q$host\E said: 250 2\.0\.0 octets @{[length crlf($text)]} sum @{[unpack '%32C*', crlf($text)]}$/;
}
my ($sender, $rcpt, $go) = (qr/^250 2\.1\.0 /, qr/^250 2\.1\.5 host mx\.\S+ said: 250 2\.1\.5 ok$/, qr/^354 /);
my @table = (
    ['one recipient', "MAIL FROM:<a\@b.test>\nRCPT TO:<c\@ok.test>\nDATA\n$message", $sender, $rcpt, $go, took('ok.test', $message)],
    ['with REQUIRETLS', "MAIL FROM:<a\@b.test> REQUIRETLS\nRCPT TO:<c\@ok.test>\nDATA\n$message", $sender, $rcpt, $go, took('ok.test', $message)],
    ['a bounce', "MAIL FROM:<>\nRCPT TO:<c\@ok.test>\nDATA\n$message", $sender, $rcpt, $go, took('ok.test', $message)],
    ['an empty message', "MAIL FROM:<>\nRCPT TO:<c\@ok.test>\nDATA\n.\n", $sender, $rcpt, $go, took('ok.test', ".\n")],
    ['two recipients of a domain, however written', "MAIL FROM:<>\nRCPT TO:<c\@ok.test>\nRCPT TO:<d\@OK.test>\nDATA\n$message",
        $sender, $rcpt, $rcpt, $go, (took('ok.test', $message)) x 2],
    ['several domains, in the order of the recipients, not of the answers',
        "MAIL FROM:<>\nRCPT TO:<a\@late.test>\nRCPT TO:<b\@no.test>\nRCPT TO:<c\@ok.test>\nRCPT TO:<bad\@late.test>\nRCPT TO:<d\@away.test>\nRCPT TO:<e\@late.test>\nDATA\n$message",
        $sender, $rcpt, qr/^550 5\.7\.1 host mx\.no\.test said: 550 5\.7\.1 not here$/, $rcpt, qr/^550 5\.1\.1 host mx\.late\.test said: /,
        qr/^451 4\.4\.1 away\.test: no host can be reached$/, $rcpt, $go, took('late.test', $message), took('ok.test', $message), took('late.test', $message)],
    ['an address literal', "MAIL FROM:<>\nRCPT TO:<a\@[127.0.0.1]>\nDATA\n$message", $sender, $rcpt, $go, qr/^250 2\.0\.0 /],
    ['DATA behind recipients that are all refused', "MAIL FROM:<>\nRCPT TO:<a\@no.test>\nRCPT TO:<b\@late.test>\nRCPT TO:<bad\@ok.test>\nRSET\nMAIL FROM:<>\nRCPT TO:<a\@no.test>\nRCPT TO:<a\@away.test>\nDATA\nRSET\nNOOP\n",
        $sender, qr/^550/, $rcpt, qr/^550/, qr/^250 2\.0\.0 /, $sender, qr/^550/, qr/^451/, qr/^503 5\.5\.1 /, qr/^250/, qr/^250/],
    ['DATA refused by one domain', "MAIL FROM:<>\nRCPT TO:<a\@nodata.test>\nRCPT TO:<b\@ok.test>\nDATA\n$message",
        $sender, $rcpt, $rcpt, $go, qr/^451 4\.3\.0 host mx\.nodata\.test said: 451 4\.3\.0 not now$/, took('ok.test', $message)],
    ['DATA refused by all', "MAIL FROM:<>\nRCPT TO:<a\@nodata.test>\nDATA\n$message", $sender, $rcpt, $go, qr/^451 4\.3\.0 /],
    ['refused at the end of the message', "MAIL FROM:<>\nRCPT TO:<a\@data550.test>\nRCPT TO:<b\@data421.test>\nRCPT TO:<c\@ok.test>\nDATA\n$message",
        $sender, ($rcpt) x 3, $go, qr/^550 5\.6\.0 host mx\.data550\.test said: /, qr/^451 4\.3\.2 host mx\.data421\.test said: 421 4\.3\.2 going down$/, took('ok.test', $message)],
    ['lost in the message', "MAIL FROM:<>\nRCPT TO:<a\@cut.test>\nRCPT TO:<c\@ok.test>\nDATA\n$message",
        $sender, ($rcpt) x 2, $go, qr/^451 4\.4\.1 cut\.test: the connection was lost$/, took('ok.test', $message)],
    ['stuck: ended by its own deadline', "MAIL FROM:<>\nRCPT TO:<a\@stuck.test>\nRCPT TO:<c\@ok.test>\nDATA\n$message",
        $sender, ($rcpt) x 2, $go, qr/^451 4\.4\.1 stuck\.test: took no octets in time$/, took('ok.test', $message)],
    ['full for a while', "MAIL FROM:<>\nRCPT TO:<a\@full.test>\nDATA\n$message", $sender, $rcpt, $go, took('full.test', $message)],
    ['several messages', "MAIL FROM:<>\nRCPT TO:<a\@ok.test>\nDATA\n${message}MAIL FROM:<>\nRCPT TO:<a\@no.test>\nRSET\nMAIL FROM:<>\nRCPT TO:<a\@ok.test>\nDATA\n$message",
        $sender, $rcpt, $go, took('ok.test', $message), $sender, qr/^550/, qr/^250 2\.0\.0 /, $sender, $rcpt, $go, took('ok.test', $message)],
    ['RSET with recipients under way', "MAIL FROM:<>\nRCPT TO:<a\@late.test>\nRSET\nNOOP\nDATA\n", $sender, $rcpt, qr/^250 2\.0\.0 /, qr/^250/, qr/^503/],
    ['LHLO in a transaction', "MAIL FROM:<>\nRCPT TO:<a\@ok.test>\nLHLO again\nDATA\n", $sender, $rcpt, (qr/^250-/) x 6, qr/^250 SIZE 3000000/, qr/^503/],
    ['out of order', "RCPT TO:<a\@ok.test>\nDATA\nMAIL FROM:<>\nMAIL FROM:<>\nDATA\n", qr/^503/, qr/^503/, $sender, qr/^503/, qr/^503/],
    ['the rest', "NOOP x\nVRFY a\nHELO x\nBDAT 1\nnonsense\nMAIL FROM:x\nMAIL FROM:<> FOO=1\nRSET\n",
        qr/^250/, qr/^252 2\.5\.0/, qr/^500 5\.5\.1/, qr/^502/, qr/^500/, qr/^501/, qr/^555/, qr/^250/],
    ['a wrong RCPT between others', "MAIL FROM:<>\nRCPT TO:<a\@late.test>\nRCPT TO:b\nRCPT TO:<c\@ok.test>\nDATA\n$message",
        $sender, $rcpt, qr/^501 5\.1\.3/, $rcpt, $go, took('late.test', $message), took('ok.test', $message)],
    ['wrong RCPTs alone', "MAIL FROM:<>\nRCPT TO:b\nRCPT TO:<c>\nDATA\nRSET\n", $sender, qr/^501 5\.1\.3/, qr/^501 5\.1\.3/, qr/^503 5\.5\.1/, qr/^250/],
    ['UTF-8 without SMTPUTF8', "MAIL FROM:<>\nRCPT TO:<\xc3\xa4\@ok.test>\nRCPT TO:<a\@ok.test>\nRSET\n", $sender, qr/^553 5\.6\.7/, $rcpt, qr/^250/],
    ['UTF-8 with it', "MAIL FROM:<> SMTPUTF8\nRCPT TO:<\xc3\xa4\@ok.test>\nRSET\n", $sender, $rcpt, qr/^250/],
    ['SIZE too large', "MAIL FROM:<> SIZE=3000001\nMAIL FROM:<> SIZE=3000000\nRSET\n", qr/^552 5\.3\.4/, $sender, qr/^250/],
    ['a message in a message', "MAIL FROM:<>\nRCPT TO:<a\@ok.test>\nRCPT TO:<a\@ok2.test>\nRCPT TO:<a\@cut.test>\nDATA\nx\n\x01.\x01MAIL FROM:<>\x01y\n.\nNOOP\n",
        $sender, ($rcpt) x 3, $go, (qr/^554 5\.6\.0 LF without CR/) x 3, qr/^250 2\.0\.0 ok/],
);
for my $row (@table) {
    my ($name, $sent, @want) = @$row;
    push @want, qr/^221 2\.0\.0 /;
    for my $piece (undef, 7) {
        my $fh = session();
        send_all($fh, crlf("${sent}QUIT\n") =~ s/\x01/\n/gr, $piece);
        my @got = lines($fh, @want + 1);
        my $good = @got == @want && !grep { $got[$_] !~ $want[$_] } 0 .. $#want;
        ok($good, $name . ($piece ? ', in pieces' : '')) or diag(join("\n", 'got:', @got, 'wanted:', @want));
    }
}
sub free_again { return until_true(sub { my $log = log_text(); (() = $log =~ /fake-new /g) == (() = $log =~ /fake-free /g) }) }
ok(free_again(), 'all upstreams are freed');
unlike(log_text(), qr/fake-free domain=(ok2?|cut)\.test octets=[1-9]\d* ended=1 .*LF without/, 'a broken message has no final dot');

# --- recipients under way together ---
my $fh = session();
syswrite $fh, crlf("MAIL FROM:<>\nRCPT TO:<first\@mute.test>\nRCPT TO:nonsense\nRCPT TO:<\xc3\xa4\@ok.test>\nRCPT TO:<second\@ok.test>\nRCPT TO:<third\@mute2.test>\nDATA\n");
ok(until_true(sub { log_text() =~ /fake-rcpt path=<first.*fake-rcpt path=<second.*fake-rcpt path=<third/s }), 'all recipients are asked about at once, wrong ones between them or not');
is_deeply([lines($fh, 1)], ['250 2.1.0 sender taken'], 'and the sender has been answered');
close $fh;
ok(free_again(), 'a client that goes while recipients are under way: upstreams freed');

# --- it goes in the message ---
$fh = session();
syswrite $fh, crlf("MAIL FROM:<>\nRCPT TO:<gone\@ok77.test>\nDATA\n");
lines($fh, 3);
syswrite $fh, "half a message\r\n";
until_true(sub { log_text() =~ /fake-fed domain=ok77\.test/ });
close $fh;
ok(until_true(sub { log_text() =~ /fake-free domain=ok77\.test octets=16 ended=0/ }), 'a client that goes in the message: no final dot');

# --- a broken message is given up at once, and without its end ---
$fh = session();
syswrite $fh, crlf("MAIL FROM:<>\nRCPT TO:<a\@ok78.test>\nDATA\n");
lines($fh, 3);
syswrite $fh, "good line\r\n";
until_true(sub { log_text() =~ /fake-fed domain=ok78\.test/ });
syswrite $fh, "bad\rline\r\n";
ok(until_true(sub { log_text() =~ /fake-free domain=ok78\.test octets=11 ended=0/ }), 'a broken message: the next server is left before its end');
syswrite $fh, "more\r\n.\r\n";
like((lines($fh, 1))[0], qr/^554 5\.6\.0 CR without LF/, 'and the MTA is told at the end');

# --- a reply is written as soon as it is known: whatever ends relayd until then has the MTA ask again for what was delivered ---
sub give {
    my (@to) = @_;
    my $session = session();
    syswrite $session, crlf("MAIL FROM:<>\n" . join('', map { "RCPT TO:<a\@$_.test>\n" } @to) . "DATA\n");
    lines($session, @to + 2);
    syswrite $session, crlf($message);
    return $session;
}
$fh = give('ok', 'wait', 'ok2');
like((lines($fh, 1))[0], took('ok.test', $message), 'a reply comes while the next domain is waited for');
ok(!IO::Select->new($fh)->can_read(0.2), 'and those behind that wait');
close $fh;
my @pair = map { give("pair$_") } 1, 2;
like(join('', map { lines($_, 1) } @pair), qr/^250.*250/, 'two messages answered in the same turn of the loop');
my @order = log_text() =~ /(?:fake-done|relayed) domain=pair\d/g;
like("@order", qr/^fake-done domain=(pair\d) relayed domain=\1 fake-done domain=(pair\d) relayed domain=\2$/, 'each reply is written before anything else is done');
like(log_text(), qr/relayed domain=\S+ recipients=\d+ octets=\d+ answer="250 [^"\\]*"$/m, 'and logged, without its end of line');
close $_ for @pair;

# --- large ones ---
my $line = ('x' x 70) . "\r\n";
for my $row (['ok', 2_999_999, qr/^250 2\.0\.0 .* octets (\d+) sum (\d+)$/], ['full', 600_000, qr/^250 2\.0\.0 .* octets (\d+) sum (\d+)$/], ['ok', 3_100_000, qr/^552 5\.3\.4 /]) {
    my ($domain, $size, $want) = @$row;
    my $text = ($line x ($size / 72)) . ".\r\n";
    $fh = session();
    syswrite $fh, crlf("MAIL FROM:<>\nRCPT TO:<a\@$domain.test>\nRCPT TO:<b\@full.test>\nDATA\n");
    lines($fh, 4);
    send_all($fh, $text);
    my ($a, $b) = lines($fh, 2);
    like($a, $want, "$size octets to $domain.test and full.test");
    is("$1 $2", length($text) . ' ' . unpack('%32C*', $text), 'as they were sent') if $a =~ $want && defined $1;
    like($b, $want, 'both');
}

# --- 200 recipients over 20 domains ---
$fh = session();
send_all($fh, crlf("MAIL FROM:<>\n" . join('', map { sprintf("RCPT TO:<u%d\@%s%d.test>\n", $_, $_ % 3 ? 'ok' : 'late', $_ % 20) } 1 .. 200) . "DATA\n"));
is(scalar(grep { /^250/ } lines($fh, 201)), 201, '200 recipients of 20 domains are taken');
like((lines($fh, 1))[0], $go, 'and the message wanted');
send_all($fh, crlf($message));
my @final = lines($fh, 200);
is(scalar(grep { my $host = sprintf('%s%d.test', ($_ + 1) % 3 ? 'ok' : 'late', ($_ + 1) % 20); $final[$_] =~ took($host, $message) } 0 .. 199), 200, 'each has the reply of its server');
my @more = map { "RCPT TO:<u$_\@ok.test>\n" } 1 .. 1001;
send_all($fh, crlf("MAIL FROM:<>\n@more") =~ s/\n RCPT/\nRCPT/gr);
my @got = lines($fh, 1002);
is(scalar(grep { /^250 2\.1\.5/ } @got), 1000, 'a thousand recipients');
like($got[-1], qr/^452 4\.5\.3 /, 'and not one more');
close $fh;

# --- what is no LMTP ---
$fh = session();
syswrite $fh, 'x' x 5000;
like(join('|', lines($fh, 2)), qr/^500 5\.5\.2 [^|]*$/, 'a line without an end: 500, closed');
$fh = session();
my $noops = fork() // die;
if (!$noops) { send_all($fh, "NOOP\r\n" x 20_000); POSIX::_exit(0) }
sleep 0.3;
is(scalar(grep { /^250 / } lines($fh, 20_000)), 20_000, 'replies that are taken late all come');
waitpid($noops, 0);

# --- limits ---
close $fh;
my @many = map { connect_to() } 1 .. 50;
is(scalar(grep { (lines($_, 1))[0] =~ /^220 relay\.test LMTP/ } @many), 50, 'as many connections as are allowed');
my $waits = connect_to();
ok(!IO::Select->new($waits)->can_read(0.3), 'one more waits');
close pop @many;
like((lines($waits, 1))[0], qr/^220 /, 'until another one is closed');
close $_ for @many, $waits;

# --- numbers ---
my $http = IO::Socket::INET->new(PeerAddr => $metrics) // die;
print $http "GET /metrics HTTP/1.0\r\n\r\n";
my $numbers = do { local $/; <$http> };
like($numbers, qr/^postern_relayd_upstreams 0$/m, 'metrics: no upstream is left');
like($numbers, qr/^postern_relayd_recipients_answered_total\{answer="delivered"\} [1-9]/m, 'and deliveries are counted');

# --- an MTA that falls silent; limits are taken up by a reload ---
configure('connections = 50 command_timeout = 3s', 'milter { tag = secure }', 'other.test');
kill 'HUP', $pid;
until_true(sub { log_text() =~ /info reloaded/ });
$fh = connect_to();
like((lines($fh, 1))[0] // '', qr/^220 other\.test LMTP/, 'as is the name');
close $fh;
like(log_text(), qr/fake-tag delimiter=43 word=requiretls.*fake-tag delimiter=43 word=secure/s, 'as is the tag of the section milter');
$fh = session();
syswrite $fh, crlf("MAIL FROM:<>\nRCPT TO:<a\@late.test>\nRCPT TO:<a\@late.test>\n");
@got = lines($fh, 5);
is(scalar(grep { /^250/ } @got), 3, 'whoever waits for a next server is not silent');
like($got[3] // '', qr/^421 4\.4\.2 /, 'an MTA that is: 421');
is(scalar(@got), 4, 'and closed');
# A next server does not wait for ever for another one, of another domain, that keeps the message up.
for (['mute', 1, 0], ['mutedata', 1, 1], ['deaf', 1, 1], ['mute2', 0, 0]) {
    my ($slow, $with_other, $is_taken) = @$_;
    my $text = $message =~ s/(?=\.\n\z)/('x' x 70 . "\n") x 5000/er;
    $fh = session();
    if (!$with_other) {
        syswrite $fh, crlf("MAIL FROM:<>\nRCPT TO:<a\@$slow.test>\n");
        is(scalar(IO::Select->new($fh)->can_read(7)) ? (lines($fh, 2))[1] // 'none' : 'none', 'none', "$slow: who holds up nobody is waited for");
        close $fh;
        next;
    }
    syswrite $fh, crlf("MAIL FROM:<>\nRCPT TO:<a\@ok.test>\nRCPT TO:<b\@$slow.test>\nDATA\n");
    @got = lines($fh, 4);
    like($got[1] // '', qr/^250/, "$slow: one is ready");
    like($got[2] // '', $is_taken ? qr/^250/ : qr/^451 .*given up/, "$slow: and waits for the other");
    like($got[3] // '', qr/^354/, "$slow: but not for ever");
    send_all($fh, crlf($text));
    @got = lines($fh, 1 + $is_taken);
    like($got[0] // '', took('ok.test', $text), "$slow: the one is delivered");
    like($got[1] // '', qr/^451 .*given up/, "$slow: the other later") if $is_taken;
}
configure('connections = 50');
kill 'HUP', $pid;
until_true(sub { (() = log_text() =~ /info reloaded/g) == 2 });

# --- the end: what is under way is finished ---
my ($idle, $busy, $between) = (session(), session(), session());
syswrite $busy, crlf("MAIL FROM:<>\nRCPT TO:<a\@late.test>\nDATA\n");
lines($busy, 3);
syswrite $between, crlf("MAIL FROM:<>\n");
lines($between, 1);
kill 'TERM', $pid;
like((lines($idle, 1))[0], qr/^421 4\.3\.2 /, 'TERM: an idle session is told');
send_all($busy, crlf("${message}MAIL FROM:<>\n"));
@got = lines($busy, 3);
like($got[0], took('late.test', $message), 'a message under way is finished');
like($got[1], qr/^421 4\.3\.2 /, 'and no other one begun');
syswrite $between, crlf("RCPT TO:<a\@ok.test>\nDATA\n$message");
@got = lines($between, 5);
like($got[2], took('ok.test', $message), 'nor is one cut off of which only the sender is known');
is(ended(), 0, 'then it ends');
unlike(log_text(), qr/Sanitizer|runtime error/, 'nothing for the sanitizers');
done_testing();
