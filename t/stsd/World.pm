# World.pm - for tests of the built daemons against policy hosts of every kind: a resolver, policy hosts (policy_hosts.c), postern-stsd and postern-policyd,
# in a private directory, on loopback.
package World;

use strict;
use warnings;
use Exporter 'import';
use File::Temp qw(tempdir);
use FindBin;
use lib "$FindBin::Bin/../policyd";
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use JSON::PP qw(decode_json);
use POSIX qw(:sys_wait_h);
use Policyd qw(fresh netstring read_answer);
use Socket qw(SOCK_STREAM SOL_SOCKET SO_RCVBUF);
use Time::HiRes qw(sleep time);

our @EXPORT = qw(world_start world_end world_dir world_log world_pid ask_stsd call_stsd ask_policyd record_of loopback $HEAD $POLICY);

# A good answer's head, and a good policy for the MX host that all domains have.
our $HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n";
our $POLICY = "version: STSv1\r\nmode: enforce\r\nmx: mx.test\r\nmax_age: 86400\r\n";

our $PORT; # of all policy hosts
my ($dir, %pid, $owner);
$SIG{PIPE} = 'IGNORE';

# The nth address of a test's hosts, of 500: each host has its own, and no other test that runs has them, whose port could be this one's.
sub loopback { my ($n) = @_; return sprintf '127.%d.%d.%d', 128 + ($$ >> 7 & 127), (($$ & 127) << 1) + int($n / 250), $n % 250 + 1 }

# --- the resolver ---
# Of each domain D: MX mx.test, TXT _mta-sts.D, A mta-sts.D, and TXT _smtp._tls.D where `also` has it; of the hosts mx.test only, A. Else: no data.
sub resource_data {
    my ($type, $name, $address) = @_;
    return pack('n', 10) . "\2mx\4test\0" if $type == 15 && $address->{"mta-sts.$name"};
    return chr(length $address->{$name}) . $address->{$name} if $type == 16 && $name =~ /^_smtp\._tls\./ && $address->{$name};
    return "\x0cv=STSv1;id=1" if $type == 16 && $name =~ s/^_mta-sts\.// && $address->{"mta-sts.$name"};
    return pack('C4', split /\./, $address->{$name}) if $type == 1 && $address->{$name};
    return undef;
}

sub resolver {
    my ($socket, $address) = @_;
    while (my $from = $socket->recv(my $packet, 4096)) {
        my ($name, $at) = ('', 12);
        while (my $len = ord substr $packet, $at, 1) { $name .= substr($packet, $at + 1, $len) . '.'; $at += $len + 1 }
        chop $name;
        my $data = resource_data(unpack('n', substr $packet, $at + 1, 2), lc $name, $address);
        my $reply = substr($packet, 0, 2) . pack('nnnnn', 0x8180, 1, defined $data ? 1 : 0, 0, 0) . substr($packet, 12, $at - 7);
        $reply .= "\xc0\x0c" . substr($packet, $at + 1, 4) . pack('Nn', 300, length $data) . $data if defined $data;
        $socket->send($reply, 0, $from);
    }
}

# --- starting and ending ---
sub background {
    my ($name, @command) = @_;
    $pid{$name} = fork() // die;
    return if $pid{$name};
    open(STDERR, '>', "$dir/$name.log");
    exec(@command) or POSIX::_exit(127);
}

sub wait_for {
    my ($what, $try) = @_;
    for (1 .. 1200) { return if $try->(); sleep 0.05 }
    die "no $what: ", world_log('stsd'), world_log('policyd'), "\n";
}

# hosts: a list of hashes with domain, address, cert, conduct, text, first (policy_hosts.c explains them); stsd: more lines of its
# section; also: more addresses by name; redis: the section, policyd: more lines of its section; without them there is no Redis; more: other sections.
sub world_start {
    my (%world) = @_;
    $owner = $$;
    $dir = tempdir(CLEANUP => 1);
    chmod 0755, $dir;
    my %address = ('mx.test' => '127.0.0.1', (map { ("mta-sts.$_->{domain}" => $_->{address}) } @{ $world{hosts} }), %{ $world{also} // {} });
    my $socket = IO::Socket::INET->new(Proto => 'udp', LocalAddr => '127.0.0.1') or die "$!";
    setsockopt $socket, SOL_SOCKET, SO_RCVBUF, 1 << 20; # many ask at once
    $pid{resolver} = fork() // die;
    if (!$pid{resolver}) { resolver($socket, \%address); POSIX::_exit(0) }

    open(my $list, '>', "$dir/hosts") or die;
    for (@{ $world{hosts} }) {
        my @texts = map { $_ eq '' ? '-' : unpack 'H*', $_ } $_->{text} // '', defined $_->{first} ? $_->{first} : ();
        print $list "$_->{address} mta-sts.$_->{domain} ", $_->{cert} // 'GOOD', ' ', $_->{conduct} // 'SEND', " @texts\n";
    }
    close $list;
    my $hosts = $ENV{POSTERN_POLICY_HOSTS} // './t/stsd/policy_hosts';
    background('hosts', '/bin/sh', '-c', "exec $hosts $dir/ca.pem <$dir/hosts >$dir/port");
    wait_for('policy hosts', sub { -s "$dir/port" });
    open(my $in, '<', "$dir/port") or die;
    chomp($PORT = <$in>);

    my $user = $> == 0 ? 'nobody' : (getpwuid($>))[0];
    open(my $conf, '>', "$dir/postern.conf") or die;
    print $conf <<CONF;
redis { @{[$world{redis} // 'url = ""']} }
stsd {
    listen = "unix:$dir/stsd.sock"
    resolvers = {"127.0.0.1:@{[$socket->sockport]}"}
    dns_timeout = 10s
    ca_file = "$dir/ca.pem"
    https_port = $PORT
    user = "$user"
    $world{stsd}
}
policyd {
    listen = {"unix:$dir/policyd.sock"}
    control = "unix:$dir/policyd.ctl"
    stsd = "unix:$dir/stsd.sock"
    user = "$user"
    @{[$world{policyd} // 'lists_file = ""']}
}
@{[$world{more} // '']}
CONF
    close $conf;
    background('stsd', $ENV{POSTERN_STSD} // './stsd/postern-stsd', '-f', '-c', "$dir/postern.conf");
    wait_for('stsd', sub { world_log('stsd') =~ /started/ });
    background('policyd', $ENV{POSTERN_POLICYD} // './policyd/postern-policyd', '-f', '-c', "$dir/postern.conf");
    wait_for('policyd', sub { world_log('policyd') =~ /started/ });
}

sub world_log {
    my ($name) = @_;
    open(my $fh, '<', "$dir/$name.log") or return '';
    local $/;
    return <$fh> // '';
}

# TERM for the daemons; returns what is wrong with their ends, '' for nothing.
sub world_end {
    my $wrong = '';
    for my $name (qw(policyd stsd)) {
        my $ended;
        for (1 .. 1200) {
            kill 'TERM', $pid{$name} if $_ % 40 == 1; # the second one does not wait for what is under way
            sleep 0.05;
            if (waitpid($pid{$name}, WNOHANG) == $pid{$name}) { $ended = $?; last }
        }
        $wrong .= "$name: status " . ($ended // 'none') . ' ' if !defined $ended || $ended;
        kill 'KILL', $pid{$name} if !defined $ended;
        $wrong .= "$name: sanitizer " if world_log($name) =~ /Sanitizer|runtime error/;
    }
    for (delete @pid{qw(hosts resolver)}) { kill 'KILL', $_; waitpid $_, 0 }
    %pid = ();
    return $wrong;
}

END {
    my $status = $?;
    if (($owner // 0) == $$) { for (values %pid) { kill 'KILL', $_; waitpid $_, 0 } }
    $? = $status;
}

# --- asking ---
sub world_pid { my ($name) = @_; return $pid{$name} }
sub world_dir { return $dir }

sub connect_to {
    my ($socket) = @_;
    return fresh(IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => "$dir/$socket") // die "connect: $!");
}

# Calls of a verb for many domains, all at once, each on a connection of its own; returns the connections by domain.
sub call_stsd {
    my ($verb, @domains) = @_;
    return map { my $fh = connect_to('stsd.sock'); syswrite $fh, netstring("1 1 $verb $_"); ($_ => $fh) } @domains;
}

sub record_of {
    my ($fh) = @_;
    my $answer;
    for (1 .. 2) { last if defined($answer = read_answer($fh)) } # each waits a minute
    return ($answer // '') =~ /^1 1 OK (.*)$/s ? decode_json($1) : { answer => $answer };
}

# The records of many domains.
sub ask_stsd {
    my %fh = call_stsd(@_);
    return map { $_ => record_of($fh{$_}) } keys %fh;
}

# What Postfix gets.
sub ask_policyd {
    my ($map, $domain) = @_;
    my $fh = connect_to('policyd.sock');
    syswrite $fh, netstring("$map $domain");
    return read_answer($fh) // 'nothing';
}

1;
