#!/usr/bin/perl
# One real message to every domain of the files in `internet`: what Postern answered, what the
# sending Postfix did, and what the receiving server saw and kept.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Lab;
use Test::More;

my @receivers = Lab::receivers();
$_->{address} = Lab::send_mail($_->{to}) for @receivers;
check($_) for @receivers;
done_testing();

sub check {
    my ($want) = @_;
    my ($domain, $to) = @$want{qw(domain address)};
    my $good = 1;
    my $test = sub { $good &&= shift };

    note("$domain: $want->{text} ($want->{checks})");
    $test->(like(Lab::answer($want->{to}), Lab::answer_wanted($want), "$domain: the answer"));
    $test->(like(join("\n", @{ Lab::explain($domain)->{reasons} }), qr/$want->{why}/, "$domain: why"))
        if $want->{why};

    my $got = Lab::outcome($to) || { status => 'no verdict', reason => '', lines => [], id => '' };
    $test->(is($got->{status}, $want->{status}, "$domain: $want->{status}"));
    $test->(like($got->{reason}, qr/$want->{reason}/, "$domain: for the right reason"))
        if $want->{reason};
    my $lines = join "\n", @{ $got->{lines} };
    if ($want->{log}) {
        $test->(like($lines, qr/$want->{log}/, "$domain: the sender's log"));
    }
    if ($want->{got} eq 'clear') {
        $test->(unlike($lines, qr/TLS connection established/, "$domain: the sender used no TLS"));
    }

    $test->(check_receiver($want));
    if ($want->{status} eq 'deferred') {
        $test->(ok(Lab::queued($to), "$domain: the message waits in the queue"));
        Lab::forget($got->{id});
    }
    else {
        $test->(ok(Lab::until_true(sub { !Lab::queued($to) }), "$domain: the queue is empty"));
    }
    explain_failure($want, $got) unless $good;
    return;
}

sub check_receiver {
    my ($want) = @_;
    my ($domain, $to) = @$want{qw(domain address)};
    my $good = 1;
    my $test = sub { $good &&= shift };

    if ($want->{got} eq 'nothing') {
        # The receiver has seen the sender go, and no message was given to it.
        Lab::until_true(sub { Lab::receiver_log($want->{at}) =~ /disconnect from/ }) if $want->{sni};
        $test->(unlike(Lab::receiver_log($want->{at}), qr/\bmail=[1-9]/, "$domain: no message was offered"));
        $test->(ok(!Lab::mailbox($to), "$domain: nothing was delivered"));
    }
    else {
        my $message = Lab::until_true(sub { Lab::mailbox($to) });
        $test->(ok($message, "$domain: the message was delivered"));
        $test->(is(Lab::transport_of($message || ''), $want->{got}, "$domain: as $want->{got}"));
    }
    my @names = Lab::receiver_log($want->{at}) =~ /TLS SNI (\S+)/g;
    $test->(is($names[0] // '', $want->{sni}, "$domain: the name asked for in TLS"));
    return $good;
}

sub explain_failure {
    my ($want, $got) = @_;
    diag("$want->{domain} ($want->{text})");
    diag("  sender: $_") for @{ $got->{lines} };
    diag("  receiver: $_") for split /\n/, Lab::receiver_log($want->{at});
    diag("  policyd: $_") for grep { /\Q$want->{domain}\E/ } Lab::lines("$Lab::DIR/log/postern-policyd.out");
    diag("  stsd: $_") for grep { /\Q$want->{domain}\E/ } Lab::lines("$Lab::DIR/log/postern-stsd.out");
    return;
}
