#!/usr/bin/perl
# Exim, flagged mail and TLS-Required: No: what has the tag goes to relayd and no other way, whatever fails; what comes back has no text; one destination that puts mail off holds
# no other one; "TLS-Required: No" gets mail delivered that a policy would hold, but not past a tag, and not when a stranger says it. S1, S3, S8, B1, N1 to N3, R4, R5, M6 to M8.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Lab;
use Exim;
use Flags;
use Nodes;
use Relayed;
use Test::More;

my $SECRET = 'quite-private-matter';

# The recipient, what becomes of it, what stands in the log
my @flagged = (
    ['u+requiretls@rt-sts.test', 'sent', '250 2.0.0 '],
    ['u+requiretls@rt-dane.test', 'sent', '250 2.0.0 '],
    ['"q q+REQUIRETLS"@rt-dnssec.test', 'sent', '250 2.0.0 '],
    ['u+requiretls@rt-without.test', 'bounced', '550 5\.7\.30 .*mx\.rt-without\.test does not offer REQUIRETLS'],
    ['u+requiretls@rt-plain.test', 'bounced', '550 5\.7\.10 .*mx\.rt-plain\.test is authenticated neither by DNSSEC nor'],
    ['u+requiretls@plain.test', 'bounced', '550 5\.7\.10 '],
    ['u+requiretls@rt-mail450.test', 'deferred', '45\d 4\.3\.0 .*refused MAIL for now'],
    ['u+requiretls@rt-end450.test', 'deferred', '45\d 4\.7\.1 .*greylisted'],
    ['u+requiretls@rt-down.test', 'deferred', '45\d 4\.4\.1 .*mx\.rt-down\.test cannot be reached'],
);

# What is shown, the fields, whether TLS is then not demanded
my @forms = (
    ['No, R4', "TLS-Required: No\n", 1],
    ['in any case, R5, M8', "tls-REQUIRED: nO\n", 1],
    ['folded, M8', "TLS-Required:\n  No\n", 1],
    ['with comments, M8', "TLS-Required: (not (today))\n No (please)\n", 1],
    ['with blanks', "TLS-Required:No  \t\n", 1],
    ['twice the same, M7', "TLS-Required: No\nTLS-Required: no\n", 1],
    ['two that differ, M7', "TLS-Required: No\nTLS-Required: Yes\n", 0],
    ['two that differ, the other way round, M7', "TLS-Required: maybe\nTLS-Required: No\n", 0],
    ['another value, R5', "TLS-Required: Yes\n", 0],
    ['no value', "TLS-Required:\n", 0],
    ['twice in one', "TLS-Required: No\n No\n", 0],
    ['more than No', "TLS-Required: No; not\n", 0],
    ['a comment without end', "TLS-Required: No (\n", 0],
    ['quoted', "TLS-Required: \"No\"\n", 0],
    ['another field', "X-TLS-Required: No\n", 0],
    ['none', '', 0],
);

# Destinations whose policy would hold the mail, N1: what becomes of it, how it is received
my @hard = (
    ['sts-selfsigned.test', 'sent', 'TLSv1.3'],
    ['sts-notlisted.test', 'sent', 'TLSv1.3'],
    ['dane-bad.test', 'sent', 'TLSv1.3'],
    ['dane-nostarttls.test', 'sent', 'clear'],
    ['bogus.test', 'deferred'],
    ['insists.test', 'bounced'],
);

Exim::install();
Exim::configure(0);
truncate $_, 0 for glob "$Lab::DIR/scripted/*.log";
Relayed::configure();
Relayed::start();
Exim::start();
my $n = 0;
my @sent = map { my ($what, $header, $relaxed) = @$_; my $to = 'form' . ++$n . '@sts-nostarttls.test'; Exim::submit({ to => [$to], header => $header }); [$what, $to, $relaxed] } @forms;
Exim::submit({ to => ["relaxed\@$_->[0]"], header => "TLS-Required: No\n" }) for @hard;
Exim::submit({ to => [$_->[0]], from => 'anna@client.test', body => "$SECRET\n" }) for @flagged;
flagged();
mixed();
came_back();
nothing_holds_others();
forms();
relaxed();
strangers();
daemons_away();
is(Exim::stop(), 0, 'Exim ends');
is(Relayed::stop(), 0, 'relayd ends well');
is(join("\n", Lab::lines('/var/log/exim4/paniclog')), '', 'nothing in the panic log');
done_testing();

# wanted: the outcome that it has in the end, by runs of the queue
sub is_outcome {
    my ($to, $status, $line, $wanted) = @_;
    my $got = ($wanted ? Exim::outcome_by_runs($to, $wanted) : Exim::outcome($to)) // { status => 'no verdict', reason => '', lines => [] };
    is($got->{status}, $status, "$to: $status") or diag(map { "$_\n" } @{ $got->{lines} });
    like($got->{reason}, $line, "$to: and how") if $line;
    return $got;
}

sub flagged {
    is_outcome($_->[0], $_->[1], qr/R=postern_requiretls T=postern_relayd .*$_->[2]/) for @flagged;
    for my $host ('mx.rt-sts.test', 'mx.rt-dane.test') {
        my @under = Relayed::said($host, 'under');
        like((grep { /^MAIL/ } @under)[0] // '', qr/^MAIL FROM:<anna\@client\.test> REQUIRETLS/, "$host: what it is told, S7");
        like(join(' ', grep { /^RCPT/ } @under), qr/^RCPT TO:<u\@/, "$host: no tag");
    }
    is(join(' ', map { Relayed::said($_, 'message') } 'mx.rt-without.test', 'mx.rt-plain.test'), '', 'a host that may not have it has not had it, S3');
    return;
}

# The tag is one of a recipient: the others go by their policy. A recipient of our own is ours, with a tag, too.
sub mixed {
    my %to = ('m+requiretls@rt-sts.test' => 'postern_relayd', 'n+requiretls@rt-sts.test' => 'postern_relayd', 'm+requiretls@rt-dane.test' => 'postern_relayd', 'm@sts-good.test' => 'postern_smtp',
        'anna@client.test' => 'mail_spool');
    Exim::submit({ to => [sort keys %to], header => "X-Name: mixed\n" });
    is_outcome($_, 'sent', qr/T=$to{$_}\b/) for sort keys %to;
    is(scalar(grep { /X-Name: mixed/ } Exim::mailbox(qr/mixed/)), 1, 'the local one is in the mailbox');
    return;
}

# B1
sub came_back {
    for (grep { $_->[1] eq 'bounced' } @flagged) {
        my ($to, undef, $line) = @$_;
        my ($report) = @{ Lab::until_true(sub { my @got = Exim::mailbox(qr/^X-Failed-Recipients: \Q$to\E$/m); @got && \@got }) || [''] };
        like($report, qr/^Action: failed$/m, "$to: it came back");
        like($report =~ s/\s+/ /gr, qr/$line/, "$to: with the reason");
        like($report, qr/^Subject: through Postern$/m, "$to: with the header of the message");
        unlike($report, qr/$SECRET/, "$to: not its text");
    }
    return;
}

# Of what was put off, nothing is remembered but the recipients.
sub nothing_holds_others {
    is(join(' ', grep { /^T:127/ } Exim::retry_keys()), '', 'relayd is not put off');
    my ($keys, $wanted) = ('', join ' ', sort map { "R:$_->[0]" } grep { $_->[1] eq 'deferred' } @flagged);
    Lab::until_true(sub { ($keys = join ' ', sort map { s/:<.*//r } grep { /\@rt-/ } Exim::retry_keys()) eq $wanted });    # Exim writes that last
    is($keys, $wanted, 'only the recipients are');
    Exim::submit({ to => ['again+requiretls@rt-sts.test', 'other+requiretls@rt-end450.test'] });
    is_outcome('again+requiretls@rt-sts.test', 'sent', qr/T=postern_relayd/);
    is_outcome('other+requiretls@rt-end450.test', 'deferred', qr/greylisted/);
    like(Exim::run('exim4', '-brt', '127.0.0.1'), qr/Retry rule: 127\.0\.0\.1 +\* +F,4d,1m;/, 'when relayd was away it is tried again after a minute');
    return;
}

# --- TLS-Required: No ---

sub forms {
    for (@sent) {
        my ($what, $to, $relaxed) = @$_;
        # the host is left alone for a second when TLS has failed for another one
        my $got = ($relaxed ? Exim::outcome_by_runs($to, undef, 1) : Exim::outcome($to)) // { status => 'no verdict', reason => '' };
        is($got->{status}, $relaxed ? 'sent' : 'deferred', $what);
        like($got->{reason}, $relaxed ? qr/T=postern_relaxed / : qr/T=postern_smtp defer \(-(?:38|54)\)/, "$what: the way");
        Exim::forget($got->{id});
    }
    return;
}

sub relaxed {
    for (@hard) {
        my ($domain, $status, $transport) = @$_;
        my $to = "relaxed\@$domain";
        is_outcome($to, $status, $domain eq 'bogus.test' ? undef : qr/R=postern_relaxed T=postern_relaxed/);
        next if !$transport;
        my $message = Lab::until_true(sub { Lab::mailbox($to) }) || '';
        is(Lab::transport_of($message), $transport, "$domain: received as $transport, N1");
        like($message, qr/^TLS-Required: No$/m, "$domain: the field is in the message, N3");
    }
    Exim::submit({ to => ['both+requiretls@rt-without.test', 'both@sts-selfsigned.test'], header => "TLS-Required: No\n" });
    is_outcome('both+requiretls@rt-without.test', 'bounced', qr/T=postern_relayd .*550 5\.7\.30/);    # M6
    is_outcome('both@sts-selfsigned.test', 'sent', qr/T=postern_relaxed/);
    return;
}

# Who may relay may say it; who may not, cannot, though what he sends is forwarded.
sub strangers {
    Exim::put('/etc/aliases', "sender: :blackhole:\nout: out\@sts-nostarttls.test\nin: in\@dane-nostarttls.test\n");
    for (['127.0.0.77', 'out', 'sts-nostarttls.test', ' == ', qr/T=postern_smtp/], ['127.0.0.1', 'in', 'dane-nostarttls.test', ' => ', qr/T=postern_relaxed/]) {
        my ($from, $user, $domain, $sign, $line) = @$_;
        my $session = Flags::session(port => $Exim::PORT, from => $from);
        like($session->transmit({ name => $user, header => "TLS-Required: No\n", to => ["$user\@client.test"] }), qr/^250/, "a message from $from");
        my $to = "$user\@$domain";
        my $got = Lab::until_true(sub { (grep { / <\Q$user\E\@client\.test>| \Q$to\E / && / (?:=>|==) / } Exim::log_lines())[0] }) // '';
        like($got, qr/$sign/, "$to: $sign");
        like($got, $line, "$to: the way");
    }
    return;
}

# --- daemons ---

# Mail waits, and goes later. What Exim is told to try is what the queue run would try when the time has come.
sub daemons_away {
    is(Relayed::stop('KILL'), 9, 'relayd is killed');
    Exim::submit({ to => ['w1+requiretls@rt-sts.test', 'w2+requiretls@rt-dane.test', 'w1@sts-good.test'] });
    is_outcome('w1@sts-good.test', 'sent');
    my $got = is_outcome($_, 'deferred', qr/T=postern_relayd defer \(111\): Connection refused/) for 'w1+requiretls@rt-sts.test', 'w2+requiretls@rt-dane.test';
    Relayed::start();
    is_outcome($_, 'sent', qr/T=postern_relayd/, 'sent') for 'w1+requiretls@rt-sts.test', 'w2+requiretls@rt-dane.test';
    Exim::submit({ to => ['w3+requiretls@rt-sts.test'] });
    is_outcome('w3+requiretls@rt-sts.test', 'sent', qr/T=postern_relayd/);

    Relayed::stop();
    Relayed::configure(stsd => '"unix:/nonexistent/stsd.sock"');
    Relayed::start();
    Exim::submit({ to => ['w4+requiretls@rt-sts.test'] });
    is_outcome('w4+requiretls@rt-sts.test', 'deferred', qr/T=postern_relayd .*451 4\.4\.3/);
    Relayed::stop();
    Relayed::configure();
    Relayed::start();
    is_outcome('w4+requiretls@rt-sts.test', 'sent', qr/T=postern_relayd/, 'sent');
    is(join(' ', grep { /^T:127/ } Exim::retry_keys()), '', 'and relayd is not put off any more');
    return;
}
