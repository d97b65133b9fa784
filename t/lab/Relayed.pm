package Relayed;
# Relayed.pm - postern-relayd behind the Postfix of Flags.pm: mail goes through the milter, the queue and relayd to the hosts of
# internet/9-requiretls, and what these saw is read here.

use strict;
use warnings;
use Flags;
use IO::Socket::INET;
use Lab;
use Nodes;

our $DIR = "$Lab::DIR/relayd";
our $CONF = "$DIR/postern.conf";
our $METRICS = '127.0.0.1:9466';

# --- relayd ---

# configure(KEY => 'VALUE', ...): of the section relayd, as the file has them
sub configure {
    my (%more) = @_;
    my (undef, undef, $uid, $gid) = getpwnam('postern');
    mkdir $DIR;
    chown $uid, $gid, $DIR;
    my %keys = (stsd => qq("unix:$Lab::DIR/postern/stsd.sock"), user => '"postern"', name => '"client.test"', ca_file => qq("$Lab::DIR/certs/ca.pem"),
        metrics_listen => qq("inet:$METRICS"), %more);
    open my $out, '>', $CONF or die "$CONF: $!";
    print $out "relayd {\n", map({ "    $_ = $keys{$_}\n" } sort keys %keys), "}\n";
    close $out;
    return;
}

sub start {
    my $ready = sub { defined IO::Socket::INET->new(PeerAddr => '127.0.1.1', PeerPort => 8689) };
    Nodes::start('relayd', $ready, "$ENV{POSTERN_BUILD}/relayd/postern-relayd", '-f', '-c', $CONF);
    return;
}

# Ends it by that signal; its wait status
sub stop {
    my ($signal) = @_;
    return Nodes::stop('relayd', $signal // 'TERM');
}

# Its numbers, { NAME => VALUE }, without postern_relayd_
sub metrics {
    my (undef, $text) = Lab::capture('curl', '-s', "http://$METRICS/metrics");
    return { $text =~ /^postern_relayd_(\S+) (\S+)$/mg };
}

# All of it: Redis, milter, relayd, Postfix
sub begin {
    my (%relayd) = @_;
    Flags::begin();
    Flags::configure();
    Flags::ctl('list', 'add', 'local', 'home.test');
    Flags::start_milter();
    configure(%relayd);
    start();
    Flags::start_postfix();
    return;
}

# The wait statuses of relayd and the milter, which were asked to end
sub finish {
    my $relayd = stop('TERM');
    return ($relayd, Flags::stop('TERM'));
}

# --- mail ---

# Sends a message as Flags::transmit does, which is not held; gives the reply.
sub mail {
    my ($mail) = @_;
    return Flags::session()->transmit({ hold => 0, %$mail });
}

# --- what a host saw ---

# Its connections, { NUMBER => [[WHAT, TEXT], ...] }: t/relayd/receiver.c has the words
sub seen {
    my ($host) = @_;
    my %seen;
    for (Lab::lines("$Lab::DIR/scripted/$host.log")) { push @{ $seen{$1} }, [$2, $3 // ''] if /^(\d+) (\S+)(?: (.*))?$/ }
    return \%seen;
}

# All it saw of that kind ('clear', 'under', 'message', ...), in order, of all connections
sub said {
    my ($host, $what) = @_;
    my $seen = seen($host);
    return map { my $number = $_; map { $_->[1] } grep { $_->[0] eq $what } @{ $seen->{$number} } } sort { $a <=> $b } keys %$seen;
}

1;
