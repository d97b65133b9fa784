#!/usr/bin/perl
# Debian's Sendmail with contrib/sendmail/postern.m4, and one real message to every domain of the files in `internet`: the same table as for
# Postfix (10-policies.t), and what is otherwise, with its reason.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Lab;
use Nodes;
use Sendmail;
use POSIX ();
use Test::More;

my $WORKERS = 12;
my $USER = "sendmail-$$";

# What is otherwise than with Postfix. By domain: what becomes of the mail, what Sendmail says, and why.
my %otherwise = (
    'nomail.test' => ['bounced', undef, 'its own words for a null MX'],
    'bogus.test' => ['deferred', qr/Name server timeout/i, 'its own words for names that cannot be looked up'],
    'xn--bcher-kva.test' => ['bounced', undef, 'Debian builds it without SMTPUTF8'],
);

# What Postfix says, in Sendmail's words
my @says = (
    [qr/not verified/, qr/Server certificate not verified|cannot check/], [qr/not offered/, qr/TLS is required, but was not offered/],
    [qr/configuration problem/, qr/client TLS configuration problem/],
);

is(Sendmail::configure(), '0', 'm4 takes the configuration');
my $logged = () = Lab::lines("$Lab::DIR/log/mx.log");
my @receivers = Lab::receivers();
my %said = all(map { $_->{to} } @receivers);
my $queue = Sendmail::queue();
check($_) for @receivers;
lists();
same_hosts();
other_hops();
names();
without_dane();
done_testing();

# Delivers a message to each, many at a time; { DOMAIN => what Sendmail said }
sub all {
    my @domains = @_;
    my @pids;
    for my $worker (0 .. $WORKERS - 1) {
        my $pid = fork // die;
        if (!$pid) {
            for my $i (grep { $_ % $WORKERS == $worker } 0 .. $#domains) { Sendmail::write_file("$Sendmail::DIR/said.$i", Sendmail::deliver(address($domains[$i]))) }
            POSIX::_exit(0);
        }
        push @pids, $pid;
    }
    waitpid $_, 0 for @pids;
    return map { $domains[$_] => join("\n", Lab::lines("$Sendmail::DIR/said.$_")) } 0 .. $#domains;
}

sub address { return "$USER\@$_[0]" }

sub wanted {
    my ($want) = @_;
    return @{ $otherwise{ $want->{domain} } } if $otherwise{ $want->{domain} };
    return ('deferred', qr/TLS is required, but was not offered/, 'no DANE in this Sendmail') if $want->{domain} =~ /^dane.*-nostarttls/;
    return ('deferred', qr/DANE goes for \Q$want->{domain}\E, which this Sendmail cannot check/, 'no DANE in this Sendmail') if $want->{answer} =~ /^dane/;
    my ($says) = grep { ($want->{reason} // '') =~ $_->[0] } @says;
    return ($want->{status}, $says ? $says->[1] : $want->{reason});
}

sub check {
    my ($want) = @_;
    my ($domain, $to) = ($want->{domain}, address($want->{to}));
    my ($status, $says, $why) = wanted($want);
    note("$domain: $want->{text}" . ($why ? ", otherwise with Sendmail: $why" : ''));
    my $waits = $queue->{$to};
    my $said = $said{ $want->{to} } . (defined $waits ? "\nmailq: $waits" : '');
    my $is = $said =~ /^\Q$to\E\.\.\. Sent \(/m ? 'sent' : defined $waits ? 'deferred' : 'bounced';
    my $good = is($is, $status, "$domain: $status");
    $good &&= like($said, qr/$says/, "$domain: in words") if $says;
    if ($status eq 'sent') {
        my $message = Lab::until_true(sub { Lab::mailbox($to) });
        $good &&= ok($message, "$domain: the message was delivered");
        $good &&= is(Lab::transport_of($message || ''), $want->{got}, "$domain: as $want->{got}");
    }
    else {
        $good &&= unlike($said, qr/^>>> MAIL/m, "$domain: no sender was named");
        $good &&= ok(!Lab::mailbox($to), "$domain: nothing was delivered");
    }
    $good &&= ok(asked_for($want->{at}, $want->{sni}), "$domain: the name asked for in TLS") if $want->{answer} =~ /^secure/ && $want->{sni} && $status ne 'bounced';
    diag($said) unless $good;
    return;
}

# Was a receiving host asked for that name, since we began?
sub asked_for {
    my ($host, $name) = @_;
    return Lab::until_true(sub {
        my @log = Lab::lines("$Lab::DIR/log/mx.log");
        return scalar grep { /\Q$host\E\/smtpd.*TLS SNI \Q$name\E / } @log[$logged .. $#log];
    });
}

# What of these waits, in the queue
sub waiting {
    my $queue = Sendmail::queue();
    return join ' ', sort grep { defined $queue->{ address($_) } } @_;
}

sub delivered {
    my ($domain) = @_;
    my $message = Lab::until_true(sub { Lab::mailbox(address($domain)) });
    return $message ? Lab::transport_of($message) : 'nothing';
}

# The operator's lists: the entry, and how the mail is delivered, or why it waits
sub lists {
    unlink glob "$Sendmail::DIR/queue/*";
    $USER = "lists-$$";
    my @entries = (
        ['dane-notlsa.test', 'clear', 'exclude'], ['implicit.test', 'TLSv1.3', 'require', 'encrypt'], ['plain.test', qr/TLS is required/, 'require', 'encrypt'],
        ['list-verify.test', 'TLSv1.3', 'require', 'verify'], ['list-verify-any.test', qr/certificate not verified/, 'require', 'verify'],
        ['list-secure.test', 'TLSv1.3', 'require', 'secure'], ['list-secure-other.test', qr/certificate not verified: good.lists.test is not below/, 'require', 'secure'],
        ['sts-404.test', qr/this Sendmail cannot do what policyd says of sts-404.test/, 'protocols', '>=TLSv1.2'],
    );
    ctl('add', $_->[2], $_->[0], @$_[3 .. $#$_]) for @entries;
    for my $domain (map { $_->[0] } @entries) { Lab::until_true(sub { Lab::answer($domain) ne 'NOTFOUND' }) }
    all(map { $_->[0] } @entries);
    my $queue = Sendmail::queue();
    for (@entries) {
        my ($domain, $becomes, @entry) = @$_;
        like($queue->{ address($domain) } // '', $becomes, "@entry: waits") if ref $becomes;
        is(delivered($domain), $becomes, "@entry: delivered") unless ref $becomes;
    }
    ctl('del', $_->[2], $_->[0]) for @entries;
    for my $domain (map { $_->[0] } @entries) { Lab::until_true(sub { Lab::answer($domain) eq 'NOTFOUND' }) }
    return;
}

# One connection for two domains with the same MX hosts, of which only one may go by it. Which of them the connection is made for is Sendmail's matter.
sub same_hosts {
    my @both = ('dane-elsewhere.test', 'dane-unsigned.test');
    for my $bound (@both) {
        unlink glob "$Sendmail::DIR/queue/*";
        $USER = "same-$bound-$$";
        ctl('add', 'require', $bound, 'secure');
        Lab::until_true(sub { Lab::answer($bound) eq 'OK secure' });
        Sendmail::deliver(map { address($_) } @both);
        like(waiting(@both), qr/\b$bound\b/, "to @both: $bound demands a certificate, and waits");
        ok(!Lab::mailbox(address($bound)), 'and is not delivered');
        ctl('del', 'require', $bound);
        Lab::until_true(sub { Lab::answer($bound) eq 'NOTFOUND' });
        Sendmail::run_queue();
        is(waiting(@both), '', 'nothing is demanded any longer: all has gone');
        is(delivered($_), 'TLSv1.3', "$_: delivered") for @both;
    }
    return;
}

sub ctl { return Lab::capture('posternctl', 'list', @_) }

# The next hop is what policyd is asked for
sub other_hops {
    is(Sendmail::configure(define => { SMART_HOST => 'relay:[mx.sts-good.test]' }), '0', 'with a smart host');
    my $out = Sendmail::try_rules('.Dh[mx.sts-good.test]', 'PosternHop u@sts-wrongname.test', 'PosternHop "u v"@sts-wrongname.test');
    is(join('|', map { s/ //gr } $out =~ /^PosternHop +returns: (.*)$/mg), '[mx.sts-good.test]|[mx.sts-good.test]', 'the next hop is the smart host');
    $USER = "smart-$$";
    Sendmail::deliver(address('sts-wrongname.test'));
    is(waiting('sts-wrongname.test'), '', 'and the policy of the recipient\'s domain is not for it');
    return;
}

# PosternNamed, PosternNear: list or next hop, the server, the names in its certificate; passes?
sub names {
    for (
        ['PosternNamed mx.a.test:', 'mx.a.test', 'mx.a.test', 1], ['PosternNamed mx.b.test:mx.a.test:', 'mx.a.test', 'MX.A.test', 1], ['PosternNamed mx.a.test:', 'MX.A.TEST', 'mx.a.test', 1],
        ['PosternNamed mx.a.test:', 'mx.a.test', 'mx.b.test', 0], ['PosternNamed mx.b.test:', 'mx.a.test', 'mx.a.test', 0], ['PosternNamed a.test:', 'mx.a.test', 'mx.a.test', 0],
        ['PosternNamed .a.test:', 'mx.a.test', 'mx.a.test', 1], ['PosternNamed .a.test:', 'mx.a.test', '*.a.test', 1], ['PosternNamed .a.test:', 'a.test', 'a.test', 0],
        ['PosternNamed .a.test:', 'x.mx.a.test', 'x.mx.a.test', 0], ['PosternNamed .a.test:', 'x.mx.a.test', '*.a.test', 0], ['PosternNamed mx.a.test:', 'mx.a.test', '*.test', 0],
        ['PosternNamed ?', 'mx.a.test', 'mx.a.test', 0], ['PosternNamed mx.a.test:', 'x.mx.a.test', 'mx.a.test', 0], ['PosternNamed mx.a.test:', 'mx.a.test.evil.test', 'mx.a.test', 0],
        ['PosternNear a.test', 'a.test', 'a.test', 1], ['PosternNear a.test', 'x.mx.a.test', 'x.mx.a.test', 1], ['PosternNear a.test', 'mx.a.test', 'a.test', 0],
        ['PosternNear a.test', 'mx.ba.test', 'mx.ba.test', 0], ['PosternNear a.test', 'mx.b.test', 'mx.b.test', 0],
    ) {
        my ($call, $server, $certificate, $passes) = @$_;
        my $out = Sendmail::try_rules(".C{cert_altnames}$certificate", ".D{server_name}$server", $call);
        is($out =~ /^Postern\w+ +returns: OK$/m ? 1 : 0, $passes, "$call, server $server, certificate for $certificate: " . ($passes ? 'good' : 'not good')) or diag($out);
    }
    return;
}

# A policyd that was told that the MTA has no DANE, and a Sendmail that goes on in clear when TLS breaks
sub without_dane {
    unlink glob "$Sendmail::DIR/queue/*";
    Nodes::start_redis();
    Nodes::start_node('nodane', policyd => 'dane = no');
    my $socket = Nodes::path('nodane') . '/policyd.sock';
    is(Sendmail::configure(define => { POSTERN_POLICYD => "local:$socket", confTLS_FALLBACK_TO_CLEAR => 'true' }), '0', 'another policyd, and a way back to clear text');
    $USER = "nodane-$$";
    my @go = (['dane-good.test', 'TLSv1.3'], ['dane-bad.test', 'TLSv1.3'], ['dane-bad-sts-good.test', 'TLSv1.3'], ['hold-handshake.test', 'clear'], ['sts-good.test', 'TLSv1.3']);
    my @wait = ('dane-good-sts-bad.test', 'sts-handshake.test', 'sts-later.test');
    all(@wait, map { $_->[0] } @go);
    is(waiting(@wait, map { $_->[0] } @go), join(' ', sort @wait), 'without DANE: MTA-STS goes on, and nothing goes in clear that must not');
    is(delivered($_->[0]), $_->[1], "$_->[0]: $_->[1]") for @go;
    restart_policyd('dane = no  idle_timeout = 1s');
    connection_closed();
    restart_policyd('dane = no');
    policyd_away('sts-good.test', 'plain.test');
    Nodes::stop($_, 'TERM') for 'nodane-policyd', 'nodane-stsd';
    Nodes::stop('nodes-redis', 'KILL');
    return;
}

sub restart_policyd {
    Nodes::stop('nodane-policyd', 'TERM');
    Nodes::configure('nodane', policyd => @_);
    Nodes::start_daemon('nodane', 'policyd');
    return;
}

# policyd closes the connection of a process that is busy elsewhere for long. On a machine with much other work it may be closed once more, between two questions; then the same is done again.
sub connection_closed {
    my ($out, $try);
    for (1 .. 5) {
        $try = "$_-$$";
        unlink glob "$Sendmail::DIR/queue/*";
        # The queue is run in the order of how many recipients there are; delivery to daemon takes longer than idle_timeout.
        Sendmail::enqueue("before$try\@sts-good.test");
        Sendmail::enqueue('daemon@ours.test', 'bin@ours.test');
        Sendmail::enqueue(map { "after$_-$try\@sts-case.test" } 1 .. 3);
        Sendmail::enqueue('daemon@ours.test', map { "bin+$_\@ours.test" } 2 .. 4);
        Sendmail::enqueue(map { "last$_-$try\@sub.sts-good.test" } 1 .. 5);
        $out = Sendmail::run_queue();
        last if $out =~ /^before\S* Sent .*^daemon\S* Sent.*^after\S* Sent .*^daemon\S* Sent.*^last\S* Sent /ms;
        undef $try;
    }
    ok($try, 'an idle connection is closed: the next question is asked by another one') or diag($out);
    is(Lab::transport_of(Lab::until_true(sub { Lab::mailbox("last1-$try\@sub.sts-good.test") }) || ''), 'TLSv1.3', 'and TLS is used where nobody demands it') if $try;
    return;
}

# policyd is away: nobody knows what goes, so everything waits, and goes when it is back
sub policyd_away {
    my @domains = @_;
    unlink glob "$Sendmail::DIR/queue/*";
    Nodes::stop('nodane-policyd', 'KILL');
    $USER = "away-$$";
    my %said = all(@domains);
    is(waiting(@domains), join(' ', sort @domains), 'policyd is away: all waits');
    like($said{$_}, qr/client TLS configuration problem: policyd cannot say what goes for \Q$_\E now/, "$_: in words") for @domains;
    Nodes::start_daemon('nodane', 'policyd');
    Sendmail::run_queue();
    is(waiting(@domains), '', 'it is back: all has gone');
    return;
}
