#!/usr/bin/perl
# Flagged mail on its way through Debian's Sendmail: the milter, the queue, postern-relayd by LMTP, the hosts of internet/9-requiretls. One message to
# good and bad destinations at once: each recipient has an outcome of its own. S1 to S3, S6 to S8, S10, B1, M1, M10.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Lab;
use Flags;
use Nodes;
use Relayed;
use Sendmail;
use Test::More;

my $MARK = 'quite-private-matter';

begin();
per_recipient();
without_relayd();
without_policyd();
past_smart_host();
is(Nodes::stop('sendmail', 'TERM'), 0, 'Sendmail ends');
is(Relayed::stop(), 0, 'so does relayd');
is(Nodes::stop('milter', 'TERM'), 0, 'and the milter');
Nodes::stop('nodes-redis', 'KILL');
done_testing();

sub begin {
    truncate $_, 0 for glob "$Lab::DIR/scripted/*.log";
    Flags::begin();
    Flags::configure();
    Flags::start_milter();
    Relayed::configure(connect_timeout => '10s', command_timeout => '15s', data_timeout => '15s');
    Relayed::start();
    is(Sendmail::configure(), '0', 'm4 takes the configuration');
    Sendmail::start();
    return;
}

sub submit {
    my ($name, @to) = @_;
    my %mail = (name => $name, from => "back-$$\@plain.test", to => \@to, hold => 0, marked => $MARK);
    return like(Flags::session()->transmit(Relayed::message(\%mail)), qr/^250 /, "$name: taken in");
}

sub in_queue { return join ' ', sort keys %{ Sendmail::queue() } }

sub per_recipient {
    submit('all', 'u+requiretls@rt-sts.test', map { "$_.test" } 'v@rt-dane', 'w@rt-without', 'x@rt-down', 'y@plain', 'z@rt-silent', 'r450@rt-sts', 'r550@rt-sts');
    Sendmail::run_queue();
    my $queue = Sendmail::queue();
    is(in_queue(), 'r450+requiretls@rt-sts.test x+requiretls@rt-down.test z+requiretls@rt-silent.test', 'in the queue: what may go later');
    for (['mx.rt-sts.test', 'u@rt-sts.test'], ['mx.rt-dane.test', 'v@rt-dane.test']) {
        my ($host, $to) = @$_;
        my @under = Relayed::said($host, 'under');
        like((grep { /^MAIL/ } @under)[0] // '', qr/^MAIL FROM:<back-$$\@plain\.test> REQUIRETLS\b.* RET=HDRS/, "$host: MAIL, with the word");
        ok(scalar(grep { /^RCPT TO:<\Q$to\E>/ } @under), "$host: RCPT, without the tag") or diag(explain(\@under));
        ok(!grep({ /requiretls@/i } @under), "$host: no tag anywhere");
    }
    my $bounce = Lab::until_true(sub { Lab::mailbox("back-$$\@plain.test") }) // '';
    my %report = map { /^Original-Recipient: rfc822;(\S+)$/m ? ($1 => $_) : () } split /\n\n/, $bounce;
    is(join(' ', sort grep { $report{$_} =~ /^Action: failed$/m } keys %report), 'r550@rt-sts.test w@rt-without.test y@plain.test', 'the notice names what failed, without tag') or diag($bounce);
    for (['w@rt-without.test', '5.7.30', 'REQUIRETLS mail for rt-without.test cannot be delivered: mx.rt-without.test does not offer REQUIRETLS'],
        ['y@plain.test', '5.7.10', 'REQUIRETLS mail for plain.test cannot be delivered: mx.plain.test is authenticated neither by DNSSEC'],
        ['r550@rt-sts.test', '5.1.1', 'so it is']) {
        my ($to, $code, $words) = @$_;
        like($report{$to} // '', qr/^Status: \Q$code\E$/m, "$to: its code");
        like($report{$to} // '', qr/^Diagnostic-Code: SMTP; 550 \Q$code\E .*\Q$words\E/m, "$to: its words");
        like($bounce, qr/\Q$words\E/, "$to: and for people");
    }
    like($bounce, qr{^Content-Type: text/rfc822-headers$}m, 'with the header alone');
    unlike($bounce, qr/$MARK-secret/, 'and no body');
    return;
}

# relayd away: flagged mail waits, other mail does not
sub without_relayd {
    unlink glob "$Sendmail::DIR/queue/*";
    truncate $_, 0 for glob "$Lab::DIR/scripted/*.log";
    is(Relayed::stop('KILL'), 9, 'relayd is killed');
    submit('flagged', 'u+requiretls@rt-sts.test', 'v@rt-dane.test');
    submit('other', "other-$$\@sts-good.test");
    Sendmail::run_queue();
    is(in_queue(), 'u+requiretls@rt-sts.test v+requiretls@rt-dane.test', 'flagged mail waits, other mail goes');
    ok(Lab::until_true(sub { Lab::mailbox("other-$$\@sts-good.test") }), 'the other one is delivered');
    Relayed::start();
    Sendmail::run_queue();
    is(in_queue(), '', 'relayd is back: all has gone');
    is(scalar(grep { /^MAIL FROM:<\S+> REQUIRETLS/ } Relayed::said($_, 'under')), 1, "$_: once, with the word") for 'mx.rt-sts.test', 'mx.rt-dane.test';
    return;
}

# policyd away: that is nothing to flagged mail, and all other mail waits
sub without_policyd {
    unlink glob "$Sendmail::DIR/queue/*";
    is(Sendmail::configure(define => { POSTERN_POLICYD => "local:$Sendmail::DIR/nobody" }), '0', 'a policyd that is not there');
    submit('flagged-too', 'u+requiretls@rt-sts.test');
    submit('other-too', "waits-$$\@sts-good.test", "waits-$$\@plain.test");
    Sendmail::run_queue();
    is(in_queue(), "waits-$$\@plain.test waits-$$\@sts-good.test", 'flagged mail goes, other mail waits');
    return;
}

# A smart host, which offers REQUIRETLS, gets none of it, S10
sub past_smart_host {
    unlink glob "$Sendmail::DIR/queue/*";
    truncate $_, 0 for glob "$Lab::DIR/scripted/*.log";
    is(Sendmail::configure(define => { SMART_HOST => 'relay:[mx.rt-plain.test]' }), '0', 'a smart host');
    submit('flagged-past', 'u+requiretls@rt-sts.test');
    submit('other-past', 'other@rt-sts.test');
    Sendmail::run_queue();
    is(in_queue(), '', 'all has gone');
    is(join(' ', map { /^RCPT TO:<([^>]*)>/i ? $1 : () } map { Relayed::said('mx.rt-plain.test', $_) } 'clear', 'under'), 'other@rt-sts.test', 'the smart host has what is not flagged');
    is(join(' ', map { /^RCPT TO:<([^>]*)>/i ? $1 : () } Relayed::said('mx.rt-sts.test', 'under')), 'u@rt-sts.test', 'the MX host has what is');
    return;
}
