package Wire;
# Wire.pm - all that passes the client's interface to the others, kept by tcpdump, and what stands in it for anybody to read.

use strict;
use warnings;
use IO::Socket::INET;
use Lab;
use Nodes;

our $FILE = "$Lab::DIR/tmp/wire.pcap";

# A packet with that text, in clear, to nobody: shows that the capture has got so far, and that a text in clear is found.
sub say_clear {
    my ($text) = @_;
    my $socket = IO::Socket::INET->new(Proto => 'udp', PeerAddr => '192.0.2.66', PeerPort => 9) or die "no socket: $@\n";
    $socket->send($text);
    return;
}

sub start {
    unlink $FILE, "$Lab::DIR/log/wire.out";
    Nodes::start('wire', sub { grep { /listening on/ } Nodes::log_of('wire') }, 'tcpdump', '-i', 'eth0', '-s', 0, '-U', '-B', 65536, '-Z', 'root', '-w', $FILE);
    say_clear('the first words');
    return;
}

# Ends it. Gives how many packets were missed, and how often each of these patterns fits what passed.
sub stop {
    my (@patterns) = @_;
    say_clear('the last words');
    Lab::until_true(sub { end_of($FILE) =~ /the last words/ });
    Nodes::stop('wire', 'INT');
    my ($missed) = map { /^(\d+) packets? dropped by kernel/ ? $1 : () } Nodes::log_of('wire');
    my @found = count($FILE, qr/the first words/, qr/the last words/, @patterns);
    unlink $FILE;
    return ($missed, @found);
}

sub end_of {
    my ($file) = @_;
    open my $in, '<:raw', $file or die "$file: $!";
    seek $in, -4096, 2 if -s $file > 4096;
    local $/;
    return <$in> // '';
}

# In pieces; a text that is cut by their border counts once, as it is shorter than what they have in common.
sub count {
    my ($file, @patterns) = @_;
    my @found = map { 0 } @patterns;
    open my $in, '<:raw', $file or die "$file: $!";
    my ($piece, $before) = ('', '');
    while (read $in, $piece, 1 << 24) {
        my $text = $before . $piece;
        for my $i (0 .. $#patterns) {
            while ($text =~ /$patterns[$i]/g) { $found[$i]++ if $+[0] > length $before }
        }
        $before = substr $text, -100;
    }
    return @found;
}

1;
