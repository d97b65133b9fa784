#!/usr/bin/perl
# What the collector is told of TLS sessions (J12 to J19): each once, of each policy that applies, whether the collector is there or comes later. At last with the
# whole daemon.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX ':sys_wait_h';
use Relay;
use Socket qw(SOCK_STREAM);
use Test::More;
use Time::HiRes qw(sleep time);

my $RECORD = 'v=TLSRPTv1; rua=mailto:reports@a.test';
my $n = 0;
my (@lines, %address);

# name, keys of the receiver, what is told: an event a word, "TYPE:ok" or "TYPE:CODE/REASON" of each policy, joined by '+'; record (default: an enforced policy)
my @cases = (
    ['good', '', '2:ok'],
    ['dane', 'cert=self', '1:ok', dane => 'own', mode => undef],
    ['both', '', '1:ok+2:ok', dane => 'own'],
    ['testing', '', '1:ok+2:ok', dane => 'own', mode => 'testing'],
    ['noted', 'cert=self', '1:ok+2:203/self-signed_certificate', dane => 'own', mode => 'testing'],
    ['notnamed', '', '1:ok+2:205/not-in-policy', dane => 'own', mode => 'testing', mx => ['other.test']],
    ['onlydane', 'cert=self', '1:ok+2:203/self-signed_certificate', dane => 'own'],
    ['onlysts', '', '1:203/cert-tlsa+2:ok', dane => 'wrong'],
    ['nopolicy', '', '9:ok', mode => undef, secure => 1],
    ['nostarttls', 'offer=PIPELINING', '2:201/starttls-absent'],
    ['nostarttls2', 'offer=PIPELINING', '1:201/starttls-absent+2:201/starttls-absent', dane => 'own'],
    ['starttls454', 'starttls=454_4.7.0_later', '2:201/starttls-temp'],
    ['injection', 'inject=250_ok', '2:205/starttls-injection'],
    ['cutshake', 'handshake=close', '2:205/handshake'],
    ['hungshake', 'handshake=hang', '2:205/handshake'],
    ['oldtls', 'handshake=old', '2:205/handshake-refused'],
    ['self', 'cert=self', '2:203/self-signed_certificate'],
    ['expired', 'cert=expired', '2:204/cert-expired'],
    ['other', 'cert=other', '2:202/cert-name'],
    ['danebad', 'cert=self', '1:203/cert-tlsa', dane => 'wrong', mode => undef],
    ['unusable', '', '1:304/no-usable-record', dane => 'unusable', mode => undef],
    ['tlsatemp', '', '1:305/tlsa-temp', dane => 'temp', mode => undef],
    ['unnamed', '', '2:205/not-in-policy', mx => ['other.test']],
    # Verified: that is all of TLS that there is to say.
    ['noreqtls', 'after=PIPELINING', '2:ok'],
    ['mail554', 'mail=554_5.7.1_never', '2:ok'],
    ['tlsehloclose', 'tls_ehlo=close', '2:ok'],
    ['rcpt550', 'rcpt=550_5.1.1_no', '2:ok'],
    # No matter of TLS, or nobody who wants to know.
    ['greeting421', 'greeting=421_4.3.2_later', ''],
    ['greetingclose', 'greeting=close', ''],
    ['ehloclose', 'ehlo=close', ''],
    ['unauthenticated', '', '', mode => 'testing'],
    ['fetch', '', '', mode => undef, record => 'found', failure => 'sts-policy-fetch-error'],
    ['silent', '', '', tlsrpt => ''],
    ['silentself', 'cert=self', '', tlsrpt => '']);

for my $case (@cases, ['first', 'offer=PIPELINING'], ['second', ''], ['reuse', ''], ['daemon', '']) {
    $address{ $case->[0] } = loopback(++$n);
    push @lines, "$address{ $case->[0] } mx.$case->[0].test $case->[1]";
}
receivers_start(@lines);

sub record_of {
    my ($name, %r) = @_;
    my $dane = delete $r{dane};
    my $host = ["mx.$name.test", [$address{$name}], 10];
    push @$host, $dane eq 'own' ? ('usable', ["3 1 1 $spki{\"mx.$name.test\"}"]) : $dane eq 'wrong' ? ('usable', ['3 1 1 ' . '00' x 32])
        : $dane eq 'unusable' ? ('unusable', ['3 1 9 00']) : ('temp') if $dane;
    return record("$name.test", hosts => [$host], mode => 'enforce', tlsrpt => $RECORD, $dane ? (secure => 1) : (), %r);
}
sub hosts { return map { ["mx.$_->[0].test", [$address{ $_->[0] }], $_->[1]] } @_ }
my %records = (map { my ($name, undef, undef, %r) = @$_; ("$name.test" => record_of($name, %r)) } @cases, ['reuse'], ['daemon']);
$records{'closed.test'} = record('closed.test', hosts => [['mx.closed.test', [loopback(250)]]], mode => 'enforce', tlsrpt => $RECORD);
$records{'over.test'} = record('over.test', hosts => [hosts(['first', 10], ['second', 20])], mode => 'enforce', tlsrpt => $RECORD);
# Of a policy that names only the second: the first would have been tried before it, but not one behind it.
$records{'before.test'} = record('before.test', hosts => [hosts(['first', 10], ['second', 20])], mode => 'enforce', mx => ['mx.second.test'], tlsrpt => $RECORD);
$records{'behind.test'} = record('behind.test', hosts => [hosts(['second', 10], ['first', 20])], mode => 'enforce', mx => ['mx.second.test'], tlsrpt => $RECORD);
stsd_start(%records);

sub summary {
    my ($event) = @_;
    return join '+', map { my ($f) = @{ $_->{'failure-details'} // [] }; "$_->{'policy-type'}:" . ($f ? "$f->{c}/" . ($f->{f} // '') : 'ok') } @{ $event->{policies} };
}
sub told { my ($events) = @_; return join ' ', sort map { summary($_) } @{ $events // [] } }
sub mail_to { return map { "$_.test <s\@client.test> <u\@$_.test> 1000" } @_ }
my $TELL = "tlsrpt=unix:$dir/collector.sock";

# --- outcomes ---
my @elsewhere = (['closed', ''], ['over', '2:201/starttls-absent 2:ok'], ['before', '2:205/not-in-policy 2:ok'], ['behind', '2:ok']);
my @want = (map({ [$_->[0], $_->[2]] } @cases), @elsewhere);
collector_start();
my ($out) = drive("parallel=1000 connect=20000 command=20000 final=20000 $TELL", mail_to(map { $_->[0] } @want));
my $count = 0;
$count += () = $_->[1] =~ /\S+/g for @want;
like($out, qr/^events $count lost 0 waiting 0$/m, 'all were taken');
my %events = collector_has($count);
is(told($events{"$_->[0].test"}), $_->[1], "$_->[0]: " . ($_->[1] || 'nothing')) for @want;

my ($both) = @{ $events{'onlydane.test'} };
is($both->{pr}, $RECORD, 'the TLSRPT record');
my ($tlsa, $sts) = @{ $both->{policies} };
is_deeply([@$tlsa{qw(policy-domain policy-string mx-host t f)}], ['mx.onlydane.test', ["3 1 1 $spki{'mx.onlydane.test'}"], undef, 0, 0], 'J8 J9 the TLSA records');
is_deeply([@$sts{qw(policy-domain policy-string mx-host t f)}],
    ['onlydane.test', ['version: STSv1', 'mode: enforce', 'mx: mx.onlydane.test', 'max_age: 86400'], ['mx.onlydane.test'], 1, 1], 'J8 J9 J10 the policy');
my $failure = $sts->{'failure-details'}[0];
is_deeply([@$failure{qw(n r)}], ['mx.onlydane.test', $address{onlydane}], 'J13 the host');
like($failure->{s} // '', qr/^127\.[\d.]+$/, 'J16 our address');
is($failure->{h}, 'mx.onlydane.test', 'what it calls itself');
is($events{'unnamed.test'}[0]{policies}[0]{'failure-details'}[0]{r}, undef, 'a host that was not asked has no address');

# --- sessions, not messages (J12) ---
($out) = drive("parallel=1 $TELL", mail_to(('reuse') x 8));
is(() = $out =~ /done mx\.reuse\.test said 250/g, 8, 'eight messages');
like($out, qr/^events 1 lost 0 waiting 0$/m, 'over one connection: one session');

# --- the collector is away, and comes while mail flows ---
collector_stop();
unlink "$dir/events", "$dir/collector.sock";
($out) = drive("parallel=1 $TELL", mail_to('good'));
like($out, qr/done .* said 250 .*^events 1 lost 0 waiting 1$/ms, 'nobody listens: mail goes');
collector_start(1);
my $log;
($out, $log) = drive("parallel=100 per_domain=100 idle=0 command=20000 $TELL", mail_to(('good') x 40, 'hungshake', ('other') x 5));
like($out, qr/^events 46 lost 0 waiting 0$/m, 'nothing is lost');
%events = collector_has(46);
is(scalar(map { @$_ } values %events), 46, 'and nothing comes twice');
is(told($events{'good.test'}), join(' ', ('2:ok') x 40), 'each is there');
is(() = $log =~ /collector-away/g, 1, 'one line that it is away');
like($log, qr/collector-back waiting=/, 'and one that it is back');

# --- the daemon ---
my ($daemon, $test) = (undef, $$);
END { kill 'KILL', $daemon if defined $daemon && $$ == $test }
my $metrics = sprintf('127.%d.%d.%d:9464', 1 + rand 250, rand 250, 1 + rand 250);
my $user = $> == 0 ? 'nobody' : (getpwuid($>))[0];
if ($> == 0) { chown +(getpwnam($user))[2, 3], $dir; chmod 0755, $dir; chmod 0777, "$dir/stsd.sock", "$dir/collector.sock" }
open(my $conf, '>', "$dir/postern.conf") or die;
print $conf qq(relayd { listen = {"unix:$dir/lmtp"} stsd = "unix:$dir/stsd.sock" user = "$user" name = "relay.test" metrics_listen = "inet:$metrics" )
    . qq(ca_file = "$dir/ca.pem" port = $port tlsrpt = "unix:$dir/collector.sock" }\n);
close $conf;
sub daemon_log { open(my $fh, '<', "$dir/daemon.log") or return ''; local $/; return <$fh> // '' }
sub until_true { my ($look) = @_; for (1 .. 1200) { return 1 if $look->(); sleep 0.05 } return 0 }

$daemon = fork() // die;
if (!$daemon) {
    @SIG{qw(INT TERM)} = ('DEFAULT') x 2;
    open(STDERR, '>', "$dir/daemon.log");
    exec($ENV{POSTERN_RELAYD} // './relayd/postern-relayd', '-f', '-c', "$dir/postern.conf") or POSIX::_exit(127);
}
ok(until_true(sub { daemon_log() =~ /info started/ }), 'the daemon') or diag(daemon_log());

# One message by LMTP; the reply to its end.
sub deliver {
    my ($domain) = @_;
    my $lmtp = IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => "$dir/lmtp") or die "lmtp: $!";
    alarm 300;
    my $reply = sub { my $line; do { $line = <$lmtp> // '' } while $line =~ /^\d{3}-/; return $line };
    $reply->();
    for my $say ("LHLO a.test", "MAIL FROM:<s\@client.test>", "RCPT TO:<u\@$domain>", 'DATA') { print $lmtp "$say\r\n"; $reply->() }
    print $lmtp "Subject: x\r\n\r\nx\r\n.\r\n";
    my $said = $reply->();
    alarm 0;
    return $said;
}
sub metric {
    my ($name) = @_;
    my $http = IO::Socket::INET->new($metrics) or return '';
    print $http "GET /metrics HTTP/1.0\r\n\r\n";
    local $/;
    return (<$http> // '') =~ /^postern_relayd_$name (\d+)/m ? $1 : '';
}
like(deliver('daemon.test'), qr/^250 /, 'a message');
%events = collector_has(47);
is(told($events{'daemon.test'}), '2:ok', 'is told of');
ok(until_true(sub { metric('events_waiting') eq '0' }), 'none waits');
is(metric('events_total'), 1, 'events_total');
is(metric('events_lost_total'), 0, 'events_lost_total');

# What waits when it ends is told if it can be.
collector_stop();
unlink "$dir/collector.sock";
$log = deliver('good.test') . deliver('good.test');
like($log, qr/^250 .*\n250 /, 'the collector goes: mail does as before');
is(metric('events_waiting'), 1, 'one session waits');
kill 'TERM', $daemon;
ok(until_true(sub { waitpid($daemon, WNOHANG) == $daemon }), 'it ends for all that');
undef $daemon;
like(daemon_log(), qr/events-lost count=1 why="the program ends"/, 'and says what is lost') or diag(daemon_log());

relay_end();
done_testing();
