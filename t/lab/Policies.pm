package Policies;
# Policies.pm - one real message to every domain of the files in `internet`: what Postern answered, what the sender did, and what the receiving server saw and kept. The
# senders that can be tried are hashes of subs: %POSTFIX here, %exim in 64-exim.t.
#
#   answer(DOMAIN)           what Postern answers it
#   wanted(RECEIVER)         a pattern for that
#   send(DOMAIN)             sends a message, gives its address
#   outcome(ADDRESS)         what became of it, as Lab::outcome gives it
#   words(PATTERN)           what `expect` says of Postfix's words, in its own
#   queued(ADDRESS)          is it in the queue?
#   forget(ID)               takes the message out of the queue
#   otherwise                { DOMAIN => { KEY => VALUE } }: what it expects otherwise

use strict;
use warnings;
use Lab;
use Test::More;

our %POSTFIX = (
    answer => \&Lab::answer,
    wanted => \&Lab::answer_wanted,
    send => \&Lab::send_mail,
    outcome => \&Lab::outcome,
    words => sub { $_[0] },
    queued => \&Lab::queued,
    forget => \&Lab::forget,
    otherwise => {},
);

my ($sender, $seen);

# Sends all of it first, and then waits.
sub check_all {
    ($sender) = @_;
    $seen = () = Lab::lines("$Lab::DIR/log/mx.log");
    my @receivers = map { { %$_, %{ $sender->{otherwise}{ $_->{domain} } // {} } } } Lab::receivers();
    $_->{address} = $sender->{send}->($_->{to}) for @receivers;
    check($_) for @receivers;
    return;
}

sub check {
    my ($want) = @_;
    my ($domain, $to) = @$want{qw(domain address)};
    my $good = 1;
    my $test = sub { $good &&= shift };

    note("$domain: $want->{text} ($want->{checks})");
    $test->(like($sender->{answer}->($want->{to}), $sender->{wanted}->($want), "$domain: the answer"));
    $test->(like(join("\n", @{ Lab::explain($domain)->{reasons} }), qr/$want->{why}/, "$domain: why"))
        if $want->{why};

    my $got = $sender->{outcome}->($to) || { status => 'no verdict', reason => '', lines => [], id => '' };
    $test->(is($got->{status}, $want->{status}, "$domain: $want->{status}"));
    $test->(says($got->{reason}, $want->{reason}, "$domain: for the right reason")) if $want->{reason};
    my $lines = join "\n", @{ $got->{lines} };
    $test->(says($lines, $want->{log}, "$domain: the sender's log")) if $want->{log};
    $test->(unlike($lines, qr/${\$sender->{words}->('TLS connection established')}/, "$domain: the sender used no TLS")) if $want->{got} eq 'clear';

    $test->(check_receiver($want));
    if ($want->{status} eq 'deferred') {
        $test->(ok($sender->{queued}->($to), "$domain: the message waits in the queue"));
        $sender->{forget}->($got->{id});
    }
    else {
        $test->(ok(Lab::until_true(sub { !$sender->{queued}->($to) }), "$domain: the queue is empty"));
    }
    explain_failure($want, $got) unless $good;
    return;
}

sub says {
    my ($text, $pattern, $what) = @_;
    return like($text, qr/${\$sender->{words}->($pattern)}/, $what);
}

sub check_receiver {
    my ($want) = @_;
    my ($domain, $to) = @$want{qw(domain address)};
    my $good = 1;
    my $test = sub { $good &&= shift };

    if ($want->{got} eq 'nothing') {
        # The receiver has seen the sender go, and no message was given to it.
        Lab::until_true(sub { Lab::receiver_log($want->{at}, $seen) =~ /disconnect from/ }) if $want->{sni};
        $test->(unlike(Lab::receiver_log($want->{at}, $seen), qr/\bmail=[1-9]/, "$domain: no message was offered"));
        $test->(ok(!Lab::mailbox($to), "$domain: nothing was delivered"));
    }
    else {
        my $message = Lab::until_true(sub { Lab::mailbox($to) });
        $test->(ok($message, "$domain: the message was delivered"));
        $test->(is(Lab::transport_of($message || ''), $want->{got}, "$domain: as $want->{got}"));
    }
    my @names = Lab::receiver_log($want->{at}, $seen) =~ /TLS SNI (\S+)/g;
    $test->(is($names[0] // '', $want->{sni}, "$domain: the name asked for in TLS"));
    return $good;
}

sub explain_failure {
    my ($want, $got) = @_;
    diag("$want->{domain} ($want->{text})");
    diag("  sender: $_") for @{ $got->{lines} };
    diag("  receiver: $_") for split /\n/, Lab::receiver_log($want->{at}, $seen);
    diag("  policyd: $_") for grep { /\Q$want->{domain}\E/ } Lab::lines("$Lab::DIR/log/postern-policyd.out");
    diag("  stsd: $_") for grep { /\Q$want->{domain}\E/ } Lab::lines("$Lab::DIR/log/postern-stsd.out");
    return;
}

1;
