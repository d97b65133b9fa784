#!/usr/bin/perl
# The end of the built postern-tlsrptd with all under way, and Redis away: what was acknowledged is counted once it starts again. And what it says when it can keep nothing.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use IO::Socket::UNIX;
use POSIX ();
use Socket qw(SOCK_DGRAM MSG_DONTWAIT);
use Test::More;
use Time::HiRes qw(sleep time);
use Tlsrptd;

$SIG{PIPE} = 'IGNORE';
my $past = today(time - 5 * 86400); # a day whose reports are not sent any more but when somebody asks for that
start_redis() or die 'no Redis: install redis-server, or name it in POSTERN_REDIS_SERVER';
stop_redis();
stand_in('stsd.sock', sub { return $_[1] =~ /^slow/ ? () : ('OK', facts($_[1], "mx.$_[1]")) });

sub line { my ($n) = @_; return "no-policy-found successful=$n failed=0" }
sub deliver {
    my ($n, $domain) = @_;
    open(my $fh, '>>', "$dir/mail.log") or die;
    my $head = POSIX::strftime('%Y-%m-%dT%H:%M:%S+00:00', gmtime) . " mta postfix/smtp[4711]:";
    syswrite $fh, "$head Trusted TLS connection established to mx.$domain\[192.0.2.1]:25: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\n"
        . "$head 4ABC$n: to=<u\@$domain>, relay=mx.$domain\[192.0.2.1]:25, delay=0.1, delays=0/0/0/0.1, dsn=2.0.0, status=sent (250 2.0.0 Ok)\n";
}
sub sum { return counts($_[0]) =~ /successful=(\d+)/ ? $1 : 0 }
sub sum_is { my ($wanted, $domain) = @_; until_true(sub { sum($domain) == $wanted }); return sum($domain) }

# --- SIGTERM: events in memory, calls without an answer, datagrams on their way, lines of the log that wait for facts; no Redis ---
my $slow = 'commit_interval = 60s commit_events = 100000 log = "DIR/mail.log" exim = "unix:DIR/exim.sock"';
prepare($slow);
spew("$dir/mail.log", '');
ok(start($slow), 'started, without Redis');
my @calls = map { calling('event', event('called.test')) } 1 .. 50;
deliver(1, 'logged.test');
deliver(2, 'slow.test'); # its facts do not come
deliver(3, 'logged.test');
ok(until_true(sub { metric('attempts_total') == 3 && metric('called_total') == 50 }), 'all is heard');
my $to = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Peer => "$dir/tlsrpt.sock") or die;
my $datagrams = 0;
for (1 .. 5000) { defined $to->send(event('d' . $_ % 40 . '.test')) and $datagrams++ }
kill 'TERM', $pid;
my %answers;
$answers{ answer_of($_) }++ for @calls;
is_deeply(\%answers, { 'OK ' => 50 }, 'SIGTERM: the calls are answered, as it is all on disk');
is(wait_end(), 0, 'it ends well, without Redis');
unlike(log_text(), qr/drain-timeout/, 'in time');

start_redis();
stand_in('stsd.sock', sub { return ('OK', facts($_[1], "mx.$_[1]")) });
ok(start($slow =~ s/commit_interval = 60s/commit_interval = 20ms/r), 'started again, with Redis');
is(sum_is(50, 'called.test'), 50, 'what was acknowledged is counted');
is(sum_is(2, 'logged.test'), 2, 'the log is gone on with');
is(sum_is(1, 'slow.test'), 1, 'also what had waited for facts');
my $counted = 0;
until_true(sub { $counted = 0; $counted += sum("d$_.test") for 0 .. 39; $counted == $datagrams });
is($counted, $datagrams, 'D6 all datagrams that were taken are counted');
is(stop(), 0, 'the end');

# --- what Exim has told, and no log has: its facts are waited for ---
stand_in('stsd.sock', sub { sleep 2; return ('OK', facts($_[1], "mx.$_[1]")) });
ok(start('commit_interval = 60s exim = "unix:DIR/exim.sock"'), 'with a slow stsd');
my $exim = IO::Socket::UNIX->new(Peer => "$dir/exim.sock") or die;
syswrite $exim, qq(attempt event="smtp:ehlo" domain="exim.test" host="mx.exim.test" address="192.0.2.1" cipher="TLS1.3:X" verified="1" id=1a\n);
is(scalar <$exim>, "ok\n", 'Exim tells');
kill 'TERM', $pid;
is(wait_end(), 0, 'it ends well');
is(sum('exim.test'), 1, 'and that is counted');
unlike(log_text(), qr/drain-timeout|exim-attempts-lost/, 'in time');
stand_in('stsd.sock', sub { return $_[1] =~ /^silent/ ? () : ('OK', facts($_[1], "mx.$_[1]")) });
ok(start('commit_interval = 60s exim = "unix:DIR/exim.sock"'), 'with an stsd that says nothing');
$exim = IO::Socket::UNIX->new(Peer => "$dir/exim.sock") or die;
syswrite $exim, qq(attempt event="smtp:ehlo" domain="silent.test" host="mx.silent.test" address="192.0.2.1" cipher="TLS1.3:X" verified="1" id=1b\n);
is(scalar <$exim>, "ok\n", 'Exim tells');
is(stop(), 0, 'it ends all the same');
like(log_text(), qr/warning exim-attempts-lost count=1 /, 'and says what is lost');

# --- neither Redis nor the spool takes more ---
stop_redis();
my $tight = 'spool = "DIR/tight" spool_octets = 1048576 commit_interval = 10ms';
ok(start($tight), 'a spool of a megabyte, without Redis');
my ($ok, $answer) = (0, '');
my $reason = 'r' x 2000;
for my $n (1 .. 20000) {
    $answer = call('event', event("t$n.test", 205) =~ s/\{"c":205\}/{"c":205,"f": "$reason"}/r);
    last if $answer !~ /^OK/;
    $ok++;
}
like($answer, qr/^TEMP it cannot be kept now: neither the spool nor Redis takes it$/, "TEMP when it is full, after $ok");
ok(logs(qr/error spool|warning spool/), 'and the log says so');
start_redis();
ok(until_true(sub { call('event', event('again.test')) eq 'OK ' }), 'OK again when Redis is back');
is(stop(), 0, 'the end');
my $kept = grep { /^t\d+\.test$/ } domains_of();
cmp_ok($kept, '>=', $ok, 'all that was acknowledged is counted');

# --- a report under way ---
spew("$dir/sendmail", "#!/bin/sh\necho \$\$ >$dir/sending\nexec sleep 100\n");
chmod 0755, "$dir/sendmail";
ok(start("contact = \"tlsrpt\@sender.example\" keep = 366d mail = \"sendmail:$dir/sendmail\" report_delay = 4h"), 'started');
my $policy = '{"record":"v=TLSRPTv1; rua=mailto:r@a.test","policy-type":"no-policy-found","policy-domain":"far.test"}';
my $id = substr(qx(printf %s '$policy' | sha256sum), 0, 32);
redis('SADD', "postern:tlsrpt-domains:$past", 'far.test');
redis('HSET', "postern:tlsrpt:$past:far.test", "policy $id", $policy, "failed $id", 1);
my $asked = calling('report-send', "$past far.test");
ok(until_true(sub { slurp("$dir/sending") =~ /^\d+$/ }), 'a report is being sent, and that does not end');
kill 'TERM', $pid;
ok(logs(qr/info draining/), 'SIGTERM');
is(waitpid($pid, POSIX::WNOHANG()), 0, 'it waits');
is(stop(), 0, 'a second one: it ends at once');
is(answer_of($asked), 'closed', 'who asked is not left waiting');
my ($sender) = slurp("$dir/sending") =~ /(\d+)/;
ok(until_true(sub { !kill 0, $sender }), 'and the program that sends is not left behind') or kill 'KILL', $sender;
unlike(slurp("$dir/log"), qr/Sanitizer|runtime error/, 'nothing for the sanitizers');
done_testing();
