#!/usr/bin/perl
# Exim and answers that policyd does not give: cut off, empty, without the words that must be there, too many, in other ways wrong. Whatever is not a whole answer
# holds the mail; it never weakens what it says, and flagged mail never goes by another way than to relayd. A stand-in answers, as policyd cannot be made to.
# Then mail that Exim would hand on while it comes in (cutthrough_delivery), which nobody's policy was asked for, and call-outs.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Lab;
use Exim;
use Flags;
use IO::Socket::INET;
use Test::More;

my $PORT = 18464;
my $none = "status=ok route=none\n";
my $may = "status=ok level=may transport=smtp\n";

# What is shown; what is answered to "route", to "policy"; what becomes of mail for a host without TLS
my @answers = (
    ['whole answers', $none, $may, 'sent'],
    ['without the line feed', "status=ok route=none", "status=ok level=may transport=smtp", 'sent'],
    ['more words than are known', "status=ok new=\"a b\" route=none\n", "status=ok new=\"level=secure\" level=may transport=smtp later=1\n", 'sent'],
    ['no route', "status=ok\n", $may, 'deferred'],
    ['no route yet', "status=ok ro", $may, 'deferred'],
    ['a route that is cut off', "status=ok route=require", $may, 'deferred'],
    ['a route without a name', "status=ok route=\n", $may, 'deferred'],
    ['another route', "status=ok route=other\n", $may, 'deferred'],
    ['a route is empty', '', $may, 'deferred'],
    ['a route, no line', "\n", $may, 'deferred'],
    ['a route is bad', "status=bad why=\"x\"\n", $may, 'deferred'],
    ['a policy is empty', $none, '', 'deferred'],
    ['no policy but a status', $none, "status=ok\n", 'deferred'],
    ['a policy cut off in its level', $none, "status=ok level=enc", 'deferred'],
    ['a policy cut off behind its level', $none, "status=ok level=dane", 'deferred'],
    ['a policy cut off in what follows', $none, "status=ok level=may mx=mx.exa", 'deferred'],
    ['no level', $none, "status=ok transport=smtp\n", 'deferred'],
    ['an empty level', $none, "status=ok level= transport=smtp\n", 'deferred'],
    ['another level', $none, "status=ok level=ENCRYPT transport=smtp\n", 'deferred'],
    ['a level in two words', $none, "status=ok level=\"may secure\" transport=smtp\n", 'deferred'],
    ['another transport', $none, "status=ok level=may transport=uucp\n", 'deferred'],
    ['a policy is put off', $none, "status=temp why=\"x\"\n", 'deferred'],
    ['a status in quotes that holds another', $none, "status=\"temp status=ok\" level=may transport=smtp\n", 'deferred'],
    ['encrypt, a host without TLS', $none, "status=ok level=encrypt transport=smtp\n", 'deferred'],
);

my $pid = stand_in();
Exim::install();
Exim::configure(0, "POSTERN_POLICY_SOCKET = inet:127.0.0.1:$PORT\n");
Exim::start();
my @to = map { "a$_\@plain.test" } 0 .. $#answers;
Exim::submit({ to => [$_], options => ["-odi"] }) for @to;    # one at a time
for (0 .. $#answers) {
    my $got = Exim::outcome($to[$_]) // { status => 'no verdict', reason => '' };
    is($got->{status}, $answers[$_][3], $answers[$_][0]) or diag($got->{reason});
}
kill 'KILL', $pid;
waitpid $pid, 0;
is(Exim::stop(), 0, 'Exim ends');
cut_through();
is(join("\n", Lab::lines('/var/log/exim4/paniclog')), '', 'nothing in the panic log');
done_testing();

# While a message comes in there is one connection, and it is the one of the call-out.
sub cut_through {
    Exim::configure(0, "MAIN_ACL_CHECK_RCPT = /etc/exim4/acl_cut\n");
    Exim::put('/etc/exim4/acl_cut', "warn control = cutthrough_delivery\naccept verify = recipient/callout=20s\n");
    Exim::start();
    for (['cut@sts-nostarttls.test', qr/^451 /], ['cut@sts-selfsigned.test', qr/^451 /], ['cut@dane-bad.test', qr/^451 /], ['cut@plain.test', qr/^250 /, 'sent']) {
        my ($to, $reply, $status) = @$_;
        my $session = Flags::session(port => $Exim::PORT, from => '127.0.0.1');
        like($session->transmit({ name => 'cut', to => [$to] }), $reply, "a call-out to $to");
        is((Exim::outcome($to) // { status => 'no verdict' })->{status}, $status, "$to: $status") if $status;
    }
    my $session = Flags::session(port => $Exim::PORT, from => '127.0.0.1');
    my $to = 'cut+requiretls@rt-sts.test';    # relayd does not run
    like($session->transmit({ name => 'cut', to => [$to] }), qr/^451 /, "$to: not past relayd");
    is(join("\n", grep { / >> / } Exim::log_lines()), '', 'nothing is handed on before it is here');
    is(Exim::stop(), 0, 'Exim ends');
    return;
}

# The row is in the local part. The question about the policy does not say for whom; it comes behind that about the route.
sub stand_in {
    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $PORT, Listen => 64, ReuseAddr => 1) or die "port $PORT: $!";
    my $child = fork // die "fork: $!";
    return $child if $child;
    my $row = 0;
    while (my $fh = $listen->accept) {
        my $line = <$fh> // '';
        if ($line =~ /^route a(\d+)\@/) { $row = $1; print $fh $answers[$row][1] }
        else { print $fh $answers[$row][2] }
        close $fh;
    }
    exit 0;
}
