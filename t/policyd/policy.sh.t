#!/usr/bin/perl
# The built postern-policyd on the wire: the policy delegation protocol, by which Postfix 3.11 learns that a message is to go by REQUIRETLS, and its misuse. No
# request that cannot be read may let a tagged recipient go unprotected: it is answered 451, and the connection ends.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use IO::Select;
use IO::Socket::INET;
use Policyd;
use Test::More;
use Time::HiRes qw(sleep);

$SIG{PIPE} = 'IGNORE';
my $inet = sprintf('127.%d.%d.%d:8462', 1 + rand 250, rand 250, 1 + rand 250);
start("policy_listen = {\"unix:DIR/policy.sock\", \"inet:$inet\"}\n    metrics_listen = \"unix:DIR/metrics.sock\"");

my $tagged = "action=PREPEND Require-TLS-ESMTP: yes\n\n";
my $dunno = "action=DUNNO\n\n";
my $refused = "action=451 4.3.5 Server configuration problem\n\n";

# A request as Debian's Postfix 3.7 sends it.
sub policy_request {
    my ($recipient, %more) = @_;
    my %is = (state => 'RCPT', count => 0, %more);
    return "request=smtpd_access_policy\nprotocol_state=$is{state}\nprotocol_name=ESMTP\nhelo_name=a.test\nqueue_id=\nsender=s\@client.test\n"
        . "recipient=$recipient\nrecipient_count=$is{count}\nclient_address=192.0.2.1\nclient_name=a.test\nreverse_client_name=a.test\ninstance=1a.2b.3c.0\n"
        . "sasl_method=\nsasl_username=\nsasl_sender=\nsize=0\nccert_subject=\nccert_issuer=\nccert_fingerprint=\nencryption_protocol=\nencryption_cipher=\n"
        . "encryption_keysize=0\netrn_domain=\nstress=\nccert_pubkey_fingerprint=\nclient_port=40012\npolicy_context=\nserver_address=192.0.2.2\nserver_port=25\n"
        . "compatibility_level=3.6\nmail_version=3.7.11\n\n";
}

# Whole replies, as many as said; less when the connection ends or a minute passes.
sub replies {
    my ($fh, $many) = @_;
    my $got = '';
    while ((() = $got =~ /\n\n/g) < $many && IO::Select->new($fh)->can_read(60)) { last if !sysread($fh, $got, 65536, length($got)) }
    return $got;
}

sub client { return connect_to('policy.sock') }
sub ask_policy { my $fh = client(); syswrite $fh, $_[0]; return replies($fh, 1) }
sub counted { my ($name) = @_; my $fh = connect_to('metrics.sock'); syswrite $fh, "GET /metrics HTTP/1.0\r\n\r\n"; return (read_all($fh) // '') =~ /^postern_policyd_$name (\d+)/m ? $1 : -1 }

# --- answers ---
is(ask_policy(policy_request('u@a.test')), $dunno, 'a recipient without tag');
is(ask_policy(policy_request('u+requiretls@a.test')), $tagged, 'a recipient with the tag');
is(ask_policy(policy_request('u+x+REQUIRETLS@a.test')), $tagged, 'a sub-address before it, and in capitals');
is(ask_policy(policy_request('u+requiretls+x@a.test')), $dunno, 'something behind it');
is(ask_policy(policy_request('a b+requiretls@a.test')), $tagged, 'a quoted local part, as Postfix says it');
is(ask_policy(policy_request('u+requiretls@a.test', state => 'DATA', count => 1)), $tagged, 'the only recipient, at DATA');
is(ask_policy(policy_request('u+requiretls@a.test', state => 'VRFY')), $dunno, 'VRFY sends nothing');
unlike(log_text(), qr/policy-misplaced/, 'so far all is well');
is(ask_policy(policy_request('', state => 'DATA', count => 2)), $dunno, 'several recipients, at DATA');
is(ask_policy(policy_request('u+requiretls@a.test', state => 'END-OF-MESSAGE', count => 1)), $dunno, 'at the end of the message it is too late');
is(scalar(() = log_text() =~ /error policy-misplaced .*smtpd_recipient_restrictions/g), 1, 'what is misplaced is said once');

# --- over TCP ---
my $fh = fresh(IO::Socket::INET->new(PeerAddr => $inet) // die "connect: $!");
syswrite $fh, policy_request('u+requiretls@a.test');
is(replies($fh, 1), $tagged, 'over TCP');
ok(!IO::Select->new($fh)->can_read(0.1), 'the connection stays open');
syswrite $fh, policy_request('u@a.test');
is(replies($fh, 1), $dunno, 'for the next request');

# --- the stream ---
$fh = client();
syswrite $fh, policy_request('a+requiretls@a.test') . policy_request('b@a.test') . policy_request('c+requiretls@a.test');
is(replies($fh, 3), $tagged . $dunno . $tagged, 'three at once, in order');
for my $octet (split //, policy_request('u+requiretls@a.test')) { syswrite $fh, $octet; sleep 0.0005 }
is(replies($fh, 1), $tagged, 'one octet at a time');
my $two = policy_request('a@a.test') . policy_request('b+requiretls@a.test');
for my $at (1, 10, length($two) / 2 - 1, length($two) / 2, length($two) / 2 + 1, length($two) - 1) {
    syswrite $fh, substr($two, 0, $at);
    sleep 0.02;
    syswrite $fh, substr($two, $at);
    is(replies($fh, 2), $dunno . $tagged, "two in two pieces, the first of $at octets");
}
$fh = client();
syswrite $fh, policy_request('u+requiretls@a.test') x 2;
shutdown($fh, 1);
is(read_all($fh), $tagged x 2, 'a client that has shut down its side gets its answers, then the end');
$fh = client();
syswrite $fh, substr(policy_request('u+requiretls@a.test'), 0, -1);
shutdown($fh, 1);
is(read_all($fh), '', 'a request without its end gets none');
my $many = 5000;
$fh = client();
my $writer = fork() // die;
if (!$writer) { my $all = (policy_request('u+requiretls@a.test') . policy_request('u@a.test')) x ($many / 2); while (length $all) { my $n = syswrite $fh, $all or last; substr($all, 0, $n, '') } POSIX::_exit(0) }
sleep 0.3; # the replies pile up meanwhile
my $all = replies($fh, $many);
is($all, ($tagged . $dunno) x ($many / 2), 'replies that are taken late all come, in order') or diag(length $all);
waitpid($writer, 0);

# --- what is no request ---
my $bad_before = counted('bad_requests_total');
my $requests_before = counted('policy_requests_total');
my $rcpt = "request=smtpd_access_policy\nprotocol_state=RCPT\n";
my @bad = (
    ['an empty one', "\n"], ['another request', "request=junk\n"], ['no state', "request=smtpd_access_policy\nrecipient=u+requiretls\@a.test\n\n"],
    ['no recipient', "$rcpt\n"], ['an empty recipient', "${rcpt}recipient=\n\n"], ['two recipients', "${rcpt}recipient=a\@a\nrecipient=u+requiretls\@a\n\n"],
    ['a line without =', "${rcpt}recipient\n"], ['a NUL', "${rcpt}recipient=a\0+requiretls\@a.test\n\n"], ['CR LF', $rcpt =~ s/\n/\r\n/gr],
    ['socketmap', netstring('postfix good.test') . "\n"], ['HTTP', "GET / HTTP/1.1\r\n\r\n"], ['a line that is too long', $rcpt . 'helo_name=' . 'x' x 5000],
    ['one that is too long', $rcpt . ('helo_name=' . 'x' x 2000 . "\n") x 6], ['too many attributes', $rcpt . "a=\n" x 200],
);
for (@bad) {
    my ($what, $text) = @$_;
    $fh = client();
    syswrite $fh, $text;
    is(read_all($fh), $refused, "no request: $what: refused for now, closed");
}
is(counted('bad_requests_total') - $bad_before, @bad, 'they are counted');

# Postfix reads no reply when it cannot write its request to the end: so what is behind the refusal is taken, and dropped.
for my $how ('a unix socket', 'TCP') {
    $fh = $how eq 'TCP' ? fresh(IO::Socket::INET->new(PeerAddr => $inet) // die "connect: $!") : client();
    syswrite $fh, $rcpt . 'helo_name=' . 'x' x 5000;
    ok(IO::Select->new($fh)->can_read(60), "$how: a request is refused before its end");
    my $written = 0;
    for (1 .. 3) { $written += syswrite($fh, 'x' x 2000) // 0; sleep 0.05 }
    is($written, 6000, 'the rest of it is taken');
    is(read_all($fh), $refused, 'and the refusal is there');
    close $fh;
}
$fh = client();
syswrite $fh, "rubbish\n";
ok(until_true(sub { !defined(syswrite($fh, 'x' x 1000)) }), 'but not for ever');
like(log_text(), qr/warning bad-request why="policy delegation: a line is no name=value; connection closed"/, 'and logged');
$fh = client();
syswrite $fh, policy_request('u+requiretls@a.test') . "rubbish\n";
is(read_all($fh), $tagged . $refused, 'rubbish behind a request: that is answered first');
is(counted('policy_requests_total') - $requests_before, 1, 'requests are counted');
cmp_ok(counted('policy_tagged_total'), '>=', $many / 2, 'and tagged recipients');
is(ask('postfix none.test'), 'NOTFOUND ', 'the other protocol has its own listener');

# --- another tag, while it runs ---
sub reload {
    my ($text) = @_;
    my $before = () = log_text() =~ /info reloaded/g;
    open(my $out, '>>', "$dir/postern.conf") or die;
    print $out $text;
    close $out;
    kill 'HUP', $policyd_pid;
    ok(until_true(sub { (() = log_text() =~ /info reloaded/g) > $before }), 'the configuration is read again');
}
my $open = client();
syswrite $open, policy_request('u+requiretls@a.test');
is(replies($open, 1), $tagged, 'a connection that stays');
reload("milter { tag = \"tls-only\" delimiter = \"-\" }\n");
syswrite $open, policy_request('u+requiretls@a.test') . policy_request('u-TLS-only@a.test');
is(replies($open, 2), $dunno . $tagged, 'has the new tag and delimiter');
unlike(log_text(), qr/needs-restart/, 'which take no restart');
ask_policy(policy_request('', state => 'MAIL'));
is(scalar(() = log_text() =~ /policy-misplaced/g), 2, 'what is misplaced is said once again');

# --- the end ---
my $half = client();
syswrite $half, 'request=smtpd_acc';
is(stop(), 0, 'policyd ends while clients are connected');
is(read_all($open) . read_all($half), '', 'and closes their connections');
unlike(log_text(), qr/Sanitizer|runtime error|stopped-at-once/, 'nothing went wrong');

# --- limits are those of all connections ---
start("policy_listen = {\"unix:DIR/policy.sock\"}\n    connections = 3\n    idle_timeout = 10s");
my @idle = map { my $c = client(); syswrite $c, policy_request('u@a.test'); replies($c, 1); $c } 1 .. 3;
is(ask('postfix none.test'), 'NOTFOUND ', 'one more connection, of the other protocol');
is(scalar(grep { IO::Select->new($_)->can_read(0) } @idle), 1, 'makes the one idle longest end');
my $drip = $idle[2];
syswrite $drip, 'request=';
ok(until_true(sub { sleep 0.1; IO::Select->new($drip)->can_read(0) || !defined(syswrite($drip, 'x')) }), 'a request that never ends keeps no connection open');
is(stop(), 0, 'policyd ends');

# --- by default there is no such listener ---
start('');
ok(!-e "$dir/policy.sock", 'none unless it is configured');
stop();
done_testing();
