#!/usr/bin/perl
# Days are those of UTC, wherever the host is (W1), and of what comes by the socket the moment of receipt counts (D7): the built postern-tlsrptd in two far time zones.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use POSIX qw(strftime setlocale tzset LC_TIME);
use Test::More;
use Time::HiRes qw(sleep time);
use Tlsrptd;

setlocale(LC_TIME, 'C');    # syslog has English months everywhere

my $one = 'no-policy-found successful=1 failed=0';
my @zones = ('Pacific/Kiritimati', 'America/Los_Angeles');
my $midnight = 86400 * int(time / 86400);
my ($before, $after) = (today($midnight - 1), today($midnight));
my %report;

# So many seconds since the epoch, as logs have it
sub traditional { my ($at) = @_; return strftime('%b %e %H:%M:%S', localtime $at) }
sub rfc3339 { my ($at, $hours) = @_; return strftime('%Y-%m-%dT%H:%M:%S', gmtime($at + $hours * 3600)) . sprintf('.000001%+03d:00', $hours) }

start_redis() or die 'no Redis: install redis-server, or name it in POSTERN_REDIS_SERVER';
stand_in('stsd.sock', sub { return ('OK', facts($_[1], "mx.$_[1]")) });
for my $zone (@zones) {
    local $ENV{TZ} = $zone;
    tzset();
    redis('FLUSHALL');
    system('rm', '-rf', "$dir/spool", "$dir/mail.log") if defined $dir;
    ok(start('log = "DIR/mail.log" contact = "tlsrpt@sender.example"'), "$zone: started");
    my %form = (traditional => sub { traditional($_[0]) }, east => sub { rfc3339($_[0], 14) }, west => sub { rfc3339($_[0], -8) }, utc => sub { rfc3339($_[0], 0) });
    my $lines = '';
    my $n = 0;
    for my $at ($midnight - 1, $midnight) {
        for my $form (sort keys %form, $at < $midnight ? 'utc' : ()) {
            my $head = $form{$form}->($at) . ' mta postfix/smtp[4711]:';
            $n++;
            $lines .= "$head Trusted TLS connection established to mx.$form.test[192.0.2.1]:25: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\n"
                . "$head 4ABC$n: to=<u\@$form.test>, relay=mx.$form.test[192.0.2.1]:25, delay=0.1, delays=0/0/0/0.1, dsn=2.0.0, status=sent (250 2.0.0 Ok)\n";
        }
    }
    spew("$dir/mail.log", $lines);
    for my $form (sort keys %form) {
        my $wanted = $form eq 'utc' ? 'no-policy-found successful=2 failed=0' : $one;
        is(counts_are($wanted, "$form.test", $before), $wanted, "W1 $zone, time stamp $form: 23:59:59Z is of the day before");
        is(counts_are($one, "$form.test", $after), $one, "W1 $zone, time stamp $form: 00:00:00Z is of the day after");
    }
    for my $domain ('traditional.test', 'east.test') {
        my ($status, $out, $err) = ctl('report', 'build', '--day', $before, '--domain', $domain);
        is($status, 0, "$zone: the report about $domain is built") or diag($err);
        like($out, qr/"date-range": ?\{"start-datetime": ?"${before}T00:00:00Z", ?"end-datetime": ?"${before}T23:59:59Z"\}/, "W1 J3 $zone: the whole day, in UTC");
        $report{$domain}{$out} = 1;
    }
    is(stop(), 0, 'the end');
}
is(join(' ', map { scalar keys %{ $report{$_} } } sort keys %report), '1 1', 'W1 in both zones the reports are the same to the octet');

# By the socket, around midnight, by a clock that is put there. What is sent while a second ends may be of either day.
my $offset = 0;
sub there { return time + $offset }
prepare('');
$offset = 86400 - (int(time) + 4) % 86400; # more than 0, whatever the time of day
my $midnight_there = 86400 * (int(there() / 86400) + 1);
ok(start("clock_offset = $offset"), 'started, just before midnight');
my @sent;
for (my $n = 0; there() < $midnight_there + 1 || $n < 20; $n++) { # on a slow machine all of them come later
    my $from = there();
    send_datagram(event("n$n.test"));
    push @sent, ["n$n.test", $from];
    sleep(abs(there() - $midnight_there) < 0.1 ? 0.001 : 0.05);
}
until_true(sub { metric('events_total') == @sent && metric('spool_batches') == 0 });
is(stop(), 0, 'the end');
my %of = map { my $day = $_; map { ($_ => $day) } domains_of($day) } today($midnight_there - 1), today($midnight_there);
my (@wrong, %days);
for (@sent) {
    my ($domain, $from) = @$_;
    my $is = $of{$domain} // 'none';
    $days{$is}++;
    my $is_late = $is eq today($midnight_there);
    push @wrong, "$domain: $is" if $is eq 'none' || ($from >= $midnight_there && !$is_late);
}
for my $n (1 .. $#sent) { push @wrong, "$sent[$n][0]: before the one before" if $of{ $sent[$n][0] } lt $of{ $sent[$n - 1][0] } }
is(join(', ', @wrong), '', 'D7 the day of receipt counts');
ok($days{ today($midnight_there) }, 'some came after midnight');
unlike(slurp("$dir/log"), qr/Sanitizer|runtime error/, 'nothing for the sanitizers');
done_testing();
