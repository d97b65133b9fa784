package Wire;
# Wire.pm - what passes a node's interface, by tcpdump, and whether words can be read there.

use strict;
use warnings;
use IO::Socket::INET;
use Lab;
use MIME::Base64 qw(encode_base64);
use Nodes;
use Test::More;

my $DIR = "$Lab::DIR/tmp";
my $LAST = 'the-last-words-on-the-wire';    # shows that the capture has got so far

# start(NODE, WORD ...): from now on looks for these words, plain or within base64, in all that passes that node's wire
sub start {
    my ($node, @words) = @_;
    my $base = "$DIR/wire-$node";
    unlink "$base.done", "$Lab::DIR/log/wire-$node.out";
    open my $out, '>', "$base.words" or die;
    print $out "$_\n" for map({ ($_, base64_forms($_)) } @words), $LAST;
    close $out;
    my $tcpdump = 'exec tcpdump -i eth0 -nn -s 0 -B 65536 -U -Z root -w - > >(LC_ALL=C grep --line-buffered -aoFf "$0.words" > "$0.found"; touch "$0.done")';
    my $ready = sub { grep { /listening on eth0/ } Nodes::log_of("wire-$node") };
    Nodes::start("wire-$node", $ready, 'nsenter', "--net=/run/netns/$node", 'bash', '-c', $tcpdump, $base);
    return;
}

# How a word looks in base64, wherever it begins there
sub base64_forms {
    my ($word) = @_;
    return map { my $form = encode_base64('x' x $_ . $word, ''); $form =~ s/=+$//; my $cut = $_ ? $_ + 1 : 0; substr $form, $cut, length($form) - $cut - 1 } 0 .. 2;
}

# A packet of the client's with that text, in clear, to nobody
sub say_clear {
    my ($text) = @_;
    my $socket = IO::Socket::INET->new(Proto => 'udp', PeerAddr => '192.0.2.66', PeerPort => 9) or die "no socket: $@\n";
    $socket->send($text);
    return;
}

# Ends it: { WHAT WAS FOUND => HOW OFTEN }; and the packets that got lost
sub end {
    my ($node) = @_;
    my %found;
    say_clear("$LAST\n");    # grep waits for the end of a line
    Lab::until_true(sub { grep { $_ eq $LAST } Lab::lines("$DIR/wire-$node.found") });
    Nodes::stop("wire-$node", 'INT');
    Lab::until_true(sub { -e "$DIR/wire-$node.done" });
    $found{$_}++ for Lab::lines("$DIR/wire-$node.found");
    my ($lost) = map { /^(\d+) packets? dropped by kernel/ ? $1 : () } Nodes::log_of("wire-$node");
    return (\%found, $lost);
}

# Ends it, and tests that nothing marked could be read there, while what went in clear on purpose was found, in each form
sub is_clean {
    my ($node, $marked, $control) = @_;
    my ($found, $lost) = end($node);
    is($lost, 0, "the wire at $node: nothing was missed");
    ok($found->{$LAST}, "the wire at $node: seen to the end");
    is(join(' ', grep { $found->{$_} } $marked, base64_forms($marked)), '', "the wire at $node: nothing flagged, plain or in base64");
    is(join(' ', grep { !$found->{$_} } $control, base64_forms($control)), '', "the wire at $node: what is not flagged, plain and in base64");
    return;
}

1;
