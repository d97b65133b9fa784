#!/usr/bin/perl
# The collector is killed at random while all that it hears of flows, on two nodes with one Redis, which is killed too and loses its last second: what is counted of
# the log is what the receivers saw, not one session more or less; what was acknowledged is counted once; of datagrams only the last ones before a kill may be gone.
# Then both nodes send the reports at the same time, and one of them is killed: no report is sent twice, and each is either sent or said to be unknown.
#
# Each datagram and each call has a number of its own, which is a failure reason, so that what became of each can be told.
#
# environment: POSTERN_LAB_KILLS (of tlsrptd; 12), KILL_SEED (all random choices)
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use IO::Socket::UNIX;
use IO::Uncompress::Gunzip qw(gunzip);
use JSON::PP qw(decode_json);
use Lab;
use List::Util qw(max min sum0);
use Nodes;
use Reports;
use Socket qw(AF_UNIX SOCK_DGRAM MSG_DONTWAIT pack_sockaddr_un);
use Test::More;
use Time::HiRes qw(sleep time);

# What is counted of so many sessions
my %by_log = (
    'rpt-good.test' => 'sts successful=%d failed=0',
    'rpt-none.test' => 'no-policy-found successful=%d failed=0',
    'rpt-none-notls.test' => 'no-policy-found successful=0 failed=%d starttls-not-supported=%1$d',
    'rpt-testing-untrusted.test' => 'sts successful=0 failed=%d certificate-not-trusted=%1$d',
    'rpt-enforce-expired.test' => 'sts successful=0 failed=%d certificate-expired=%1$d',
    'rpt-dane.test' => 'tlsa successful=%d failed=0',
    'rpt-both.test' => 'sts successful=%d failed=0; tlsa successful=%1$d failed=0',
);
my $RECORD = 'v=TLSRPTv1; rua=mailto:first@rpt-two.test,mailto:second@rpt-two.test,https://reports.rpt-post.test/tls?from=postern';    # of *.kill.test
my $COMMIT = 0.2;     # seconds
my $held_up = 2;      # seconds that other work of the machine may keep tlsrptd from its commit; the longest wait for an acknowledgement is added, in vain or not
my $REDIS_LOSES = 1;  # seconds (appendfsync everysec)
my $DETAILS = 900;    # of one domain; more than 1,000 are not told apart
my $kills = $ENV{POSTERN_LAB_KILLS} // 12;
my $MANY = max 40, 2 * $kills;    # domains with three destinations each
my $seed = $ENV{KILL_SEED} // time % 1_000_000_000;
my $day = Reports::whole_day();
my $stop = "$Lab::DIR/tmp/kill-stop";
my $begun = time;
srand $seed;
$Lab::PATIENCE = 120;

my %tlsrptd = (commit_interval => "\"${\($COMMIT * 1000)}ms\"", post_anywhere => 'yes');
my %of = (one => { %tlsrptd, log => "\"$Lab::DIR/log/strict.log\"" }, two => \%tlsrptd);

my $old_lines = 0;    # of the log, from before
note "seed $seed, $kills kills";
start_all();
my @killed = kill_at_random();    # [when, reaped] of two
settle();
log_is_exact();
my $calls = calls_are_counted();
my $datagrams = datagrams_are_counted();
my $reports = reports_are_sent();
end_all();
diag sprintf 'seed %d: %d kills of tlsrptd; %s; %s; %s; %.0f s', $seed, $kills, $calls, $datagrams, $reports, time - $begun;
done_testing();

# --- what flows ---

# As libtlsrpt writes it: event(DOMAIN, REASON), without a reason a success
sub event {
    my ($domain, $reason) = @_;
    my $failure = defined $reason ? ",\"failure-details\":[{\"c\":205,\"n\": \"mx.$domain\",\"f\": \"$reason\"}],\"t\":1,\"f\":1}" : ',"t":0,"f":0}';
    return "{\"dpv\": \"1\",\"d\": \"$domain\",\"pr\": \"$RECORD\",\"policies\":[{\"policy-type\":2,\"policy-domain\": \"$domain\","
        . "\"policy-string\":[\"version: STSv1\",\"mode: testing\",\"mx: mx.$domain\",\"max_age: 86400\"]$failure]}";
}

sub domain_of {
    my ($kind, $number) = @_;
    return sprintf '%s%d.kill.test', $kind, $number / $DETAILS;
}

sub over { return -e $stop }

# A message for all domains, and the next; it says the addresses.
sub send_mails {
    for (my $n = 1; !over(); $n++) {
        my @to = map { "k$n\@$_" } sort keys %by_log;
        open my $mail, '|-', 'sendmail', '-N', 'never', '-f', 'sender@client.test', @to or die;
        print $mail "From: sender\@client.test\nSubject: through Postern\n\nHello.\n";
        close $mail or die "sendmail failed\n";
        print map { "$_\n" } @to;
        sleep 0.2;
    }
    return;
}

# A socket for each, as libtlsrpt does: a failure with a number, and a success as all others. It says when it began, when it was done, and whether it was taken.
sub send_datagrams {
    my $to = pack_sockaddr_un(Nodes::path('two') . '/tlsrpt.sock');
    for (my $n = 0; !over(); $n++) {
        for my $event (event(domain_of('d', $n), $n), event('same.kill.test')) {
            my $from = time;
            socket(my $socket, AF_UNIX, SOCK_DGRAM, 0) or die;
            my $taken = send($socket, $event, MSG_DONTWAIT, $to);
            printf "%s %d %.6f %.6f %d\n", $event =~ /same/ ? 'same' : 'one', $n, $from, time, $taken ? 1 : 0;
        }
        sleep 0.02 if rand > 0.3;
    }
    return;
}

# Calls as relayd makes them, up to eight at a time; each is sent once. It says what was sent, what was acknowledged, what never will be, and when.
sub send_calls {
    my ($n, $in, $socket, %waiting) = (0, '');
    while (!over() || %waiting) {
        ($socket, $in, %waiting) = (IO::Socket::UNIX->new(Peer => Nodes::path('two') . '/tlsrptd.sock'), '') if !$socket;
        if (!$socket) { last if over(); sleep 0.02; next }
        while (keys %waiting < 8 && !over()) {
            my $call = "1 $n event " . event(domain_of('c', $n), $n);
            print "sent $n ", time, "\n";
            $waiting{ $n++ } = 1;
            last if !print {$socket} length($call) . ":$call,";
        }
        $socket->flush;
        if (!sysread $socket, $in, 65536, length $in) { print map({ "gone $_ " . time . "\n" } keys %waiting); undef $socket; %waiting = (); next }
        while ($in =~ s/^\d+:1 (\d+) (\w+)[^,]*,//) {
            print "$2 $1 ", time, "\n";
            delete $waiting{$1};
        }
        sleep 0.01;
    }
    return;
}

# --- the beginning ---

sub start_flow {
    my ($name, $flow) = @_;
    Nodes::start($name, sub { 1 }, sub { $| = 1; local $SIG{PIPE} = 'IGNORE'; $flow->() });
    return;
}

sub start_all {
    nothing_of_before();
    Reports::start_redis();
    Nodes::start_strict();
    Reports::start_node($_, %{ $of{$_} }) for 'one', 'two';
    ok(Nodes::tracking('one'), 'policyd is told of changes');
    unlink $stop;
    start_flow('mails', \&send_mails);
    start_flow('datagrams', \&send_datagrams);
    start_flow('calls', \&send_calls);
    return;
}

# --- kills ---

my @sizes;    # [when, octets] of Redis' log

sub redis_log { return (glob "$Lab::DIR/tmp/reports/*.incr.aof")[0] }

sub rest {
    my ($seconds) = @_;
    my $end = time + $seconds;
    do { push @sizes, [time, -s redis_log() // 0]; sleep 0.05 } until time >= $end;
    return;
}

sub kill_tlsrptd {
    my ($node) = @_;
    my $when = time;
    Nodes::stop("$node-tlsrptd", 'KILL');
    my $reaped = time;
    rest(rand 0.6);
    Nodes::start_daemon($node, 'tlsrptd');
    return [$when, $reaped];
}

# As by a power failure: what it has written last is gone.
sub kill_redis {
    Nodes::stop('nodes-redis', 'KILL');
    my @safe = grep { $_->[0] <= time - $REDIS_LOSES } @sizes;
    truncate redis_log(), $safe[-1][1] if @safe;
    @sizes = ();
    rest(rand 1.5);
    Reports::start_redis();
    return;
}

# As logrotate does with "create": Postfix would make the file so that only root may read it.
sub rotate {
    my $log = "$Lab::DIR/log/strict.log";
    rename $log, "$log.1" or die;
    open my $new, '>', $log or die;
    close $new;
    is((Lab::capture('postfix', 'reload'))[0], 0, 'the log is rotated');
    return;
}

# Kills as many, of one or both nodes by turns, Redis after every fourth; the log is rotated in the middle.
sub kill_at_random {
    my @times;
    rest(2);
    for my $n (1 .. $kills) {
        rest(rand 2.2);
        my $node = $n % 2 ? 'two' : 'one';
        my $killed = kill_tlsrptd($node);
        push @times, $killed if $node eq 'two';
        if ($n % 4 == 2) { rest(rand 1.2); kill_redis() }
        rotate() if $n == int($kills / 2);
    }
    rest(1);
    return @times;
}

# Of an earlier test in the same lab
sub nothing_of_before {
    Lab::capture('rm', '-rf', "$Lab::DIR/tmp/reports", map { Nodes::path($_) . '/spool' } 'one', 'two');
    unlink glob("$Lab::DIR/mail/rpt-*.test/new/*"), glob("$Lab::DIR/posted/*"), "$Lab::DIR/log/strict.log.1";
    truncate "$Lab::DIR/log/mx.log", 0;
    $old_lines = () = Lab::lines("$Lab::DIR/log/strict.log");
    return;
}

# --- what came of it ---

sub said { return Nodes::log_of($_[0]) }

sub log_lines {
    my @lines = map { Lab::lines($_) } "$Lab::DIR/log/strict.log.1", "$Lab::DIR/log/strict.log";
    return @lines[$old_lines .. $#lines];
}

sub all_have_ended {
    my %ended = map { m{ to=<([^>]+)>.* status=} ? ($1 => 1) : () } log_lines();
    return !grep { !$ended{$_} } said('mails');
}

sub settle {
    open my $out, '>', $stop or die;
    close $out;
    is(Nodes::stop($_, 0), 0, "all $_ are sent") for 'mails', 'datagrams', 'calls';
    ok(Lab::until_true(\&all_have_ended), 'of each recipient the log says what became of it');
    return;
}

# Sessions as the log has them, of each domain: what TLS was established, and deliveries without
sub sessions_logged {
    my %n;
    for (log_lines()) {
        $n{$1}++ if m{ TLS connection established to mx\.([\w.-]+)\[};
        $n{$1}++ if m{ relay=mx\.(rpt-none-notls\.test)\[} && !m{ conn_use=};
    }
    return \%n;
}

sub sessions_seen {
    my %n;
    for (Lab::lines("$Lab::DIR/log/mx.log")) { $n{$1}++ if m{postfix/mx\.([\w.-]+)/smtpd\[\d+\]: disconnect from } }
    return \%n;
}

sub log_is_exact {
    my $logged = sessions_logged();
    for my $domain (sort keys %by_log) {
        my $n = $logged->{$domain} // 0;
        Lab::until_true(sub { (sessions_seen()->{$domain} // 0) == $n });
        is(sessions_seen()->{$domain}, $n, "$domain: the receiver has seen what the sender's log has");
        my ($line, $wanted) = ('', sprintf $by_log{$domain}, $n);
        Lab::until_true(sub { ($line = Reports::counts_line(Reports::counts($domain))) eq $wanted });
        is($line, $wanted, "$domain: that is what is counted");
    }
    return;
}

# How often each number of a kind was counted
sub numbers_counted {
    my ($kind, $last) = @_;
    my %n;
    for my $part (0 .. $last / $DETAILS) {
        my $fields = Reports::hash_of("postern:tlsrpt:$day:$kind$part.kill.test");
        for (keys %$fields) { $n{ decode_json($1)->{'failure-reason-code'} } += $fields->{$_} if /^failure \w+ (.*)$/s }
    }
    return \%n;
}

# What is in memory, and in spools, is in Redis now.
sub numbers_settled {
    my ($kind, $last) = @_;
    Lab::until_true(sub {
        !grep { my $s = Nodes::status($_, 'tlsrptd'); ($s->{spool_batches} // 1) || ($s->{redis} // '') ne 'up' } 'one', 'two';
    });
    sleep 2 * $COMMIT;
    return numbers_counted($kind, $last);
}

sub calls_are_counted {
    my (%sent, %acked, %gone);
    for (said('calls')) {
        my ($what, $n, $when) = split / /;
        $sent{$n} = $when if $what eq 'sent';
        $acked{$n} = $when if $what eq 'OK';
        $gone{$n} = $when if $what eq 'gone';
    }
    $held_up += max map { ($acked{$_} // $gone{$_}) - $sent{$_} } keys %acked, keys %gone;
    my $counted;
    Lab::until_true(sub { $counted = numbers_settled('c', max keys %sent); !grep { !$counted->{$_} } keys %acked });
    is(join(' ', grep { !$counted->{$_} } sort keys %acked), '', 'calls: all that was acknowledged is counted');
    is(join(' ', grep { $counted->{$_} > 1 || !$sent{$_} } sort keys %$counted), '', 'calls: nothing is counted twice');
    my $unknown = keys(%sent) - keys %acked;
    cmp_ok(scalar keys %acked, '>', 50 + 5 * $kills, 'calls: most were acknowledged');
    return sprintf 'calls: %d acknowledged, %d without an answer, of which %d are counted', scalar keys %acked, $unknown, keys(%$counted) - keys %acked;
}

# Which process had it: how many were killed before; undef: it cannot be told.
sub life {
    my ($from, $until) = @_;
    return if grep { $_->[1] >= $from && $_->[1] <= $until } @killed;
    return scalar grep { $_->[1] < $from } @killed;
}

# Of the datagrams that one process took some may be gone at its end: the last ones, and none that had come before the last commit.
sub check_life {
    my ($life, $counted, @taken) = @_;
    my @gone = grep { !$counted->{ $_->{n} } } @taken;
    return ([], []) if !@gone;
    my @between = grep { $_->{from} > $gone[0]{from} && $counted->{ $_->{n} } } @taken;
    my $end = $life < @killed ? $killed[$life][0] : time + 1e9;
    my @early = grep { $end - $_->{until} > $COMMIT + $held_up } @gone;
    return ([map { "$_->{n}, ${\ sprintf '%.3f', $end - $_->{until}} s before the end" } @early], [map { $_->{n} } @between], map { $end - $_->{until} } @gone);
}

sub datagrams_are_counted {
    my (%taken, @all, %same, @early, @between, @before);
    for (said('datagrams')) {
        my ($kind, $n, $from, $until, $ok) = split / /;
        push @all, { kind => $kind, n => $n, from => $from, until => $until } if $ok;
    }
    my @one = grep { $_->{kind} eq 'one' } @all;
    $taken{ $_->{n} } = 1 for @one;
    my @last = grep { (life($_->{from}, $_->{until}) // -1) == @killed } @one;    # of a process that was not killed
    my $counted;
    Lab::until_true(sub { $counted = numbers_settled('d', max map { $_->{n} } @one); !grep { !$counted->{ $_->{n} } } @last });
    is(join(' ', grep { $counted->{$_} > 1 || !$taken{$_} } sort keys %$counted), '', 'datagrams: nothing is counted twice, or that was not taken');
    for my $life (0 .. @killed) {
        my ($early, $between, @times) = check_life($life, $counted, grep { (life($_->{from}, $_->{until}) // -1) == $life } @one);
        push @early, @$early;
        push @between, @$between;
        push @before, @times;
    }
    is(join('; ', @early), '', 'datagrams: none is gone that came before the commit interval');
    is(join(' ', @between), '', 'datagrams: none is gone while a later one is counted');
    my @same = grep { $_->{kind} eq 'same' } @all;
    my @sure = grep { my $d = $_; !grep { $d->{until} >= $_->[0] - $COMMIT - $held_up && $d->{from} <= $_->[1] } @killed } @same;
    my $same;
    Lab::until_true(sub { ($same = Reports::counts('same.kill.test')->{sts}{successful} // 0) >= @sure });
    cmp_ok($same, '>=', @sure, 'datagrams that are all the same: at least those before the commit interval are counted');
    cmp_ok($same, '<=', @same, 'datagrams that are all the same: and no more than were taken');
    return sprintf 'datagrams: %d taken, %d gone, the earliest %.0f ms before its process was killed', scalar @one, scalar @before, 1000 * max 0, @before;
}

# --- reports ---

# Tells some events; how many were acknowledged
sub tell_events {
    my ($node, @events) = @_;
    my $socket = IO::Socket::UNIX->new(Peer => Nodes::path($node) . '/tlsrptd.sock') or return 0;
    my ($n, $got) = (0, '');
    print {$socket} map { ++$n; my $call = "1 $n event $_"; length($call) . ":$call," } @events;
    $socket->flush;
    while ((() = $got =~ /,/g) < @events) { sysread $socket, $got, 65536, length $got or last }
    return scalar(() = $got =~ /:1 \d+ OK /g);
}

# At this time of tomorrow, and so much later, both nodes are told to send all, twice the one that is killed so often.
sub send_all {
    my ($offset, $times) = @_;
    for my $node ('one', 'two') {
        is(Nodes::stop("$node-tlsrptd", 'TERM'), 0, "tlsrptd of $node ends well");
        Reports::configure($node, %{ $of{$node} }, clock_offset => "\"$offset\"");
        Nodes::start_daemon($node, 'tlsrptd');
    }
    start_send($_) for 'one', 'two';
    for (1 .. $times) {
        rest(0.1 + rand 0.8);
        kill_tlsrptd('two');
        Nodes::stop('two-send', 0);
        start_send('two');
    }
    Nodes::stop("$_-send", 0) for 'one', 'two';
    ok(all_mail_is_there(), 'all mail has left');
    return;
}

# In the queues of neither side; a message that is just being moved may be overlooked once.
sub all_mail_is_there {
    return Lab::until_true(sub { !grep { (Lab::capture('postqueue', '-c', $_, '-j'))[1] ne '' } ('/etc/postfix', '/etc/postfix-mx') x 3 });
}

sub start_send {
    my ($node) = @_;
    Nodes::start("$node-send", sub { 1 }, "$ENV{POSTERN_BUILD}/ctl/posternctl", '-c', Nodes::path($node) . '/postern.conf', 'report', 'send', '--day', $day);
    return;
}

# What came: { 'DOMAIN DESTINATION' => how often }, and what came that is no whole report
sub reports_there {
    my (%n, @bad);
    for my $file (glob "$Lab::DIR/mail/rpt-*.test/new/*") {
        my $mail = join "\n", Lab::lines($file);
        next if $mail !~ /^Return-Path: <tlsrpt\@/m;
        my ($to) = $mail =~ /^Delivered-To: (\S+)$/m;
        my ($domain) = $mail =~ /^TLS-Report-Domain: (\S+)$/m;
        my ($boundary) = $mail =~ /boundary="?([^";\n]+)/;
        push @bad, "to $to, of " . length($mail) . ' octets' if !$domain || !$boundary || $mail !~ /^--\Q$boundary\E--$/m;
        $n{"$domain mailto:$to"}++ if $domain;
    }
    for my $file (grep { -f } glob "$Lab::DIR/posted/*") {
        my $report = eval { gunzip($file => \my $text) or die; decode_json($text) };
        if (!$report) { push @bad, "$file, posted"; next }
        $n{"$report->{policies}[0]{policy}{'policy-domain'} post"}++;
    }
    return (\%n, @bad);
}

# { 'DOMAIN DESTINATION' => state }
sub states {
    my %state;
    for my $domain (split /\n/, Nodes::redis('smembers', "postern:tlsrpt-domains:$day")) {
        my $fields = Reports::hash_of("postern:tlsrpt-sent:$day:$domain");
        for (keys %$fields) {
            my ($uri) = split / /;
            $state{ "$domain " . ($uri =~ /^https/ ? 'post' : $uri) } = decode_json($fields->{$_})->{state};
        }
    }
    return \%state;
}

sub none_twice {
    my ($when) = @_;
    my ($there, @bad) = reports_there();
    is(join('; ', grep { $there->{$_} > 1 } sort keys %$there), '', "$when: no report has come twice");
    is(join('; ', @bad), '', "$when: each is whole");
    return $there;
}

sub wanted_reports {
    my @wanted = map { "$_ mailto:reports\@$_" } keys %by_log;
    my @domains = grep { /kill\.test$/ } split /\n/, Nodes::redis('smembers', "postern:tlsrpt-domains:$day");
    return (@wanted, map { ("$_ mailto:first\@rpt-two.test", "$_ mailto:second\@rpt-two.test", "$_ post") } @domains);
}

sub reports_are_sent {
    is(tell_events('one', map { event("m$_.kill.test") } 1 .. $MANY), $MANY, 'events for more reports are taken');
    Nodes::stop_strict();
    my @wanted;
    Lab::until_true(sub { (@wanted = wanted_reports()) > 3 * $MANY + keys %by_log });
    send_all('24h', max 3, $kills / 10);
    my $first = none_twice('killed');
    cmp_ok(scalar keys %$first, '<=', @wanted, 'nothing else has come');
    send_all('25h', 0);    # leases of the killed one have ended
    my $there = none_twice('an hour later');
    my $state = states();
    is(join('; ', grep { !$there->{$_} && ($state->{$_} // '') ne 'unknown' } sort @wanted), '', 'what has not come is said to be unknown');
    is(join('; ', grep { ($state->{$_} // '') !~ /^(?:sent|unknown)$/ } sort @wanted), '', 'all are sent, or unknown');
    my @unknown = grep { ($state->{$_} // '') eq 'unknown' } @wanted;
    my %again = map { (split / /)[0] => 1 } @unknown;
    my @failed = grep { (Nodes::ctl_all('one', 'report', 'send', '--day', $day, '--domain', $_, '--again'))[0] } sort keys %again;
    is("@failed", '', 'what is unknown is sent again');
    all_mail_is_there();
    my ($last) = reports_there();
    is(join('; ', grep { !$last->{$_} } sort @wanted), '', 'then each has come');
    return sprintf 'reports: %d wanted, %d came, %d unknown, of which %d came', scalar @wanted, scalar keys %$there, scalar @unknown, scalar grep { $there->{$_} } @unknown;
}

# --- the end ---

sub left_over {
    return grep { m{postern-\w+ .*\Q$Nodes::DIR\E|sendmail -i -f tlsrpt} } map { join(' ', split /\0/, join '', Lab::lines($_)) } glob '/proc/[0-9]*/cmdline';
}

sub end_all {
    for my $node ('one', 'two') { is(Nodes::stop("$node-$_", 'TERM'), 0, "$node-$_ ends well") for 'tlsrptd', 'policyd', 'stsd' }
    my @logs = map { my $node = $_; map { Nodes::log_of("$node-$_") } 'stsd', 'policyd', 'tlsrptd' } 'one', 'two';
    is(join("\n", grep { /Sanitizer|runtime error/ } @logs), '', 'nothing for the sanitizers');
    is(join("\n", grep { /batch-lost|spool-fails|log-lines-lost|counts_refused/ } @logs), '', 'no daemon says that something was lost');
    Nodes::stop('nodes-redis', 'TERM');
    is(join("\n", left_over()), '', 'no process is left');
    return;
}
