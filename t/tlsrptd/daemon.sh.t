#!/usr/bin/perl
# What is told to the built postern-tlsrptd by its doors: calls, datagrams, Exim's lines; what it says of itself; and its end with all of it under way.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use IO::Select;
use JSON::PP qw(decode_json);
use Test::More;
use Time::HiRes qw(sleep time);
use Tlsrptd;

$SIG{PIPE} = 'IGNORE';
my $none = 'no-policy-found';
my $one = "$none successful=1 failed=0";
start_redis() or die 'no Redis: install redis-server, or name it in POSTERN_REDIS_SERVER';
stand_in('stsd.sock', sub { return $_[1] =~ /^slow/ ? () : ('OK', facts($_[1], "mx.$_[1]")) });
my $conf = 'exim = "unix:DIR/exim.sock" contact = "tlsrpt@sender.example" report_delay = 4h';
ok(start($conf), 'started');

# --- calls ---
is(call('event', event('called.test')), 'OK ', 'event: it is safe');
is(counts('called.test') || counts_are($one, 'called.test'), $one, 'and counted');
is(call('event', event('called.test', 201, 205)), 'OK ', 'event: a session that failed');
is(counts_are("$none successful=1 failed=1 starttls-not-supported=1 validation-failure=1", 'called.test'), "$none successful=1 failed=1 starttls-not-supported=1 validation-failure=1", 'J12 one, of two causes');
like(call('event', $_), qr/^PERM this is no outcome: \S/, 'event: PERM for nonsense: ' . (substr($_, 0, 30) =~ s{[^ -~]}{?}gr)) for '', 'x', '{}', '[]', '{"d":"a.test"}', '{"d":"a.test","policies":[]}', event('a.test') . 'x', event('a..test'), '[' x 5000, "\0";
like(call($_, 'x'), qr/^PERM tlsrptd does not know the verb \Q$_\E$/, "no such verb: $_") for 'resolve', 'explain', 'report';
my $past = today(time - 5 * 86400); # a day whose reports are not sent any more but when somebody asks for that
like(call('report-send', $_), qr/^PERM write: report-send 2026-11-22 example\.com \[again\]$/, "report-send: PERM for bad words: " . substr($_, 0, 40))
    for '', $past, 'yesterday a.test', '2026-02-30 a.test', "$past a.test once", "$past a.test again again", "$past ../../x again", "$past a..test", "$past " . 'x' x 300;
like(call('report-send', today() . ' a.test'), qr/^TEMP that day is not over yet/, 'W1 report-send: today is not over');
is(call('report-send', "$past *"), 'OK {"rows":[],"left_out":0,"left_out_unsent":0}', 'report-send: a day without anything');
my $fh = connect_to('tlsrptd.sock');
syswrite $fh, 'GET / HTTP/1.0' . "\r\n\r\n";
is(sysread($fh, my $octets, 10), 0, 'no netstring: it hangs up');

# --- datagrams ---
my $plain = event('d.test');
send_datagram($plain, $plain);
is(counts_are("$none successful=2 failed=0", 'd.test'), "$none successful=2 failed=0", 'D6 two equal datagrams count 2');
send_datagram(event('d1.test') =~ s/"dpv": "1",//r, event('d1.test') =~ s/"dpv": "1"/"dpv": "7"/r);
is(counts_are("$none successful=2 failed=0", 'd1.test'), "$none successful=2 failed=0", 'D1 no version, and another one: counted');
ok(logs(qr/version/), 'D1 and logged');
send_datagram('{"dpv": "1","d": "d2.test","pr": "x"}', '{"dpv": "1","d": "d2.test","pr": "x","policies":[]}');
send_datagram(event('d3.test', 202) =~ s/"t":1/"t":5/r);
is(counts_are("$none successful=0 failed=1 certificate-host-mismatch=1", 'd3.test'), "$none successful=0 failed=1 certificate-host-mismatch=1", 'D3 another number of failures: counted');
is(counts('d2.test'), '', 'D2 without policies: not counted');
send_datagram(event('D4.Test.'), event('d4.test'), event('d4.test..'), event('.'));
is(counts_are("$none successful=2 failed=0", 'd4.test'), "$none successful=2 failed=0", 'D4 mixed case and a final dot are the same domain');
send_datagram('{"dpv": "1","d": "a.te', 'x', "\0", '', 'x' x 65536, '[' x 200000, event('wrong.test') =~ s/"f":0/"f":"0"/r, event('d5.test'));
is(counts_are($one, 'd5.test'), $one, 'D5 nonsense, and what comes after it is counted');
is(counts('wrong.test'), '', 'D5 a text for a number: not counted');
is(slurp("$dir/spool/unreadable-datagram"), '{"dpv": "1","d": "d2.test","pr": "x"}', 'D5 the first that could not be read is kept');
send_datagram(event('j20.test', 901));
is(counts_are("$none successful=0 failed=1 validation-failure=1", 'j20.test'), "$none successful=0 failed=1 validation-failure=1", 'J20 an unknown result');

# --- Exim ---
sub exim_fh { my ($text, $close) = @_; my $fh = connect_to('exim.sock'); syswrite $fh, $text; shutdown $fh, 1 if $close; return $fh }
sub exim_answer { my ($fh) = @_; my $all = ''; while (IO::Select->new($fh)->can_read(60)) { sysread($fh, $all, 4096, length $all) or return $all } return "$all…" }
sub exim_line { my ($domain) = @_; return qq(attempt event="smtp:ehlo" domain="$domain" host="mx.$domain" address="192.0.2.1" cipher="TLS1.3:X" verified="1" id=1a) }
is(exim_answer(exim_fh(exim_line('e1.test') . "\n")), "ok\n", 'Exim: a line');
is(counts_are($one, 'e1.test'), $one, 'is counted');
is(exim_answer(exim_fh(exim_line('e2.test'), 1)), "ok\n", 'Exim: a client that half-closes');
is(counts_are($one, 'e2.test'), $one, 'is counted');
like(exim_answer(exim_fh("$_\n")), qr/^error: /, 'Exim: nonsense: ' . substr($_, 0, 30)) for 'hello', '', 'attempt domain="x', exim_line('e3.test') . ' domain=again', exim_line('e3.test') . ' x=' . 'y' x 5000;
my $mute = connect_to('exim.sock');
is(exim_answer(exim_fh('', 1)), '', 'Exim: one that hangs up');
is(exim_answer($mute), '', 'Exim: one that says nothing is let go');
is(counts('e3.test'), '', 'and nothing is counted');

# --- what it says of itself ---
my %metric = map { ($_ => metric($_)) } qw(events_total events_lost_total datagrams_total datagrams_unreadable_total datagrams_dropped_total called_total called_refused_total log_lines_total log_bytes_total
    log_lost_total exim_lines_total exim_unreadable_total exim_refused_total attempts_total spool_failures_total spool_unreadable_total fallback_lost_total reports_sent_total reports_failed_total reports_given_up_total reports_unknown_total attempts_waiting spool_batches redis_up);
is_deeply(\%metric, { events_total => 13, events_lost_total => 0, datagrams_total => 20, datagrams_unreadable_total => 11, datagrams_dropped_total => 0, called_total => 12, called_refused_total => 10,
    log_lines_total => 0, log_bytes_total => 0, log_lost_total => 0, exim_lines_total => 7, exim_unreadable_total => 6, exim_refused_total => 0, attempts_total => 2, spool_failures_total => 0, spool_unreadable_total => 0, fallback_lost_total => 0, reports_sent_total => 0,
    reports_failed_total => 0, reports_given_up_total => 0, reports_unknown_total => 0, attempts_waiting => 0, spool_batches => 0, redis_up => 1 }, 'the metrics');
my $status = decode_json(call('status') =~ s/^OK //r);
is_deeply([@$status{qw(pid redis)}, map { $status->{$_} } grep { /_total$/ && $_ !~ /^(?:batches|sessions|fallback\w*)_/ } sort keys %$status],
    [$pid, 'up', map { $metric{$_} } grep { /_total$/ && !/^fallback/ } sort keys %metric], 'status: the same numbers');
my ($code, $out) = ctl('status');
like($out, qr/^  events  *13$/m, 'posternctl status shows them');

# --- many reports: of domains of which nothing is counted, so that nothing is sent, and that is told ---
redis('SADD', "postern:tlsrpt-domains:$past", map { "n$_." . join('.', ('x' x 60) x 3) . '.test' } 1 .. 1100);
my $sent = call('report-send', "$past *");
like($sent, qr/^OK \{"rows":\[\{/, 'what became of the reports of 1100 domains') or diag(substr $sent, 0, 300);
cmp_ok(length $sent, '<', 1048576, 'the answer is not too long');
my $answer = decode_json($sent =~ s/^OK //r);
is(@{ $answer->{rows} } + $answer->{left_out}, 1100, 'some rows are left out, and that is told');
cmp_ok($answer->{left_out}, '>=', 100, 'at least those beyond a thousand');
is($answer->{left_out_unsent}, $answer->{left_out}, 'and that they are not sent');
($code, $out, my $err) = ctl('report', 'send', '--day', $past);
my ($more) = $out =~ /^and (\d+) more, of which $answer->{left_out_unsent} are not sent$/m;
is((() = $out =~ /^n\d+\..*  none /mg) + ($more // 0), 1100, 'posternctl says how many it does not show');
is(stop(), 0, 'the end');
unlike(slurp("$dir/log"), qr/Sanitizer|runtime error/, 'nothing for the sanitizers');
done_testing();
