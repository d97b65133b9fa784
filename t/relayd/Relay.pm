# Relay.pm - for tests of the upstreams of postern-relayd: receivers (receiver.c), a stand-in for stsd that gives the record a test wants, and the driver
# (drive_upstream.c), in a private directory, on loopback. The lab has a real stsd.
package Relay;

use strict;
use warnings;
use Exporter 'import';
use File::Temp qw(tempdir);
use IO::Select;
use IO::Socket::UNIX;
use JSON::PP;
use POSIX qw(:sys_wait_h);
use Socket qw(SOCK_STREAM);
use Time::HiRes qw(sleep time);

our @EXPORT = qw(receivers_start stsd_start collector_start collector_stop collector_has drive seen record loopback sanitized relay_end $dir $port %spki %ta);
our ($dir, $port);
our (%spki, %ta); # of a host's key, of the authority: SHA-256 in hex
my (%pid, $owner);
my $net = 1 + int rand 250;
END { local $?; relay_end() if defined $owner && $$ == $owner }
$SIG{INT} = $SIG{TERM} = sub { exit 1 };

# The nth address of a test's hosts.
sub loopback { my ($n) = @_; return sprintf '127.78.%d.%d', $net, $n }

# Lines for receiver.c.
sub receivers_start {
    my (@lines) = @_;
    $owner = $$;
    $dir = tempdir(CLEANUP => 1);
    open(my $list, '>', "$dir/hosts") or die;
    print $list map { "$_\n" } @lines;
    close $list;
    my $program = $ENV{POSTERN_RECEIVER} // './t/relayd/receiver';
    $pid{receiver} = fork() // die;
    if (!$pid{receiver}) {
        @SIG{qw(INT TERM)} = ('DEFAULT') x 2;
        open(STDIN, '<', "$dir/hosts");
        open(STDOUT, '>', "$dir/receiver");
        exec($program, $dir) or POSIX::_exit(127);
    }
    my $said = '';
    for (1 .. 1200) { $said = slurp("$dir/receiver"); last if $said =~ /^ready$/m; sleep 0.05 }
    ($port) = $said =~ /^port (\d+)$/m or die 'no receivers';
    while ($said =~ /^(\S+) \S+ ([0-9a-f]{64}) ([0-9a-f]{64})$/mg) { $spki{$1} = $2; $ta{$1} = $3 }
}

sub slurp {
    open(my $fh, '<', $_[0]) or return '';
    local $/;
    return <$fh> // '';
}

# hosts: [[name, [addresses], preference, dane state, [TLSA texts], TLSA base domain (default the name)], ...]; secure; sts: mode of a policy that names mx (default all), or a state; state.
sub record {
    my ($domain, %r) = @_;
    my $now = int time;
    my @hosts = map {
        my ($name, $addresses, $preference, $dane, $tlsa, $base) = @$_;
        { name => $name, preference => $preference // 10, address_secure => $r{secure} ? JSON::PP::true : JSON::PP::false, dane => $dane // 'none',
            tlsa_base => ($dane // 'none') eq 'none' ? '' : $base // $name, tlsa => $tlsa // [], addresses => $addresses }
    } @{ $r{hosts} };
    my $policy;
    if ($r{mode}) {
        my $body = "version: STSv1\nmode: $r{mode}\n" . join('', map { "mx: $_\n" } @{ $r{mx} // [map { $_->{name} } @hosts] }) . "max_age: 86400\n";
        $policy = { id => '1', body => $body, fetched => $now, expires => $now + 86400 };
    }
    my $record = $r{record} // ($policy ? 'found' : 'none');
    return JSON::PP->new->canonical->encode({
        v => 1, domain => $domain, resolved => $now, valid_until => $now + 300,
        mx => { state => $r{state} // 'list', secure => $r{secure} ? JSON::PP::true : JSON::PP::false, truncated => JSON::PP::false,
            dane_before => JSON::PP::false, why => '', hosts => \@hosts },
        sts => { record => $record, id => $record eq 'found' ? '1' : '', policy => $policy, failure => $r{failure} // '', why => '',
            attempted => $policy || $r{failure} ? $now : 0, temp_since => $record eq 'temp' ? $now : 0 },
        tlsrpt => $r{tlsrpt} // '' });
}

# Serves the call protocol for ever: $answer gets verb and argument, and gives status and text, or nothing for no answer.
sub serve_calls {
    my ($listener, $answer) = @_;
    my $select = IO::Select->new($listener);
    my %in;
    $SIG{PIPE} = 'IGNORE'; # one who did not wait
    while (1) {
        for my $fh ($select->can_read(10)) {
            if ($fh == $listener) { $select->add($fh->accept); next }
            if (!sysread($fh, $in{$fh}, 65536, length($in{$fh} // ''))) { $select->remove($fh); delete $in{$fh}; close $fh; next }
            while ($in{$fh} =~ /^(\d+):/ && length($in{$fh}) > length($1) + 1 + $1) {
                $in{$fh} =~ s/^(\d+)://;
                my (undef, $id, $verb, $argument) = split / /, substr($in{$fh}, 0, $1, ''), 4;
                $in{$fh} =~ s/^,//;
                my ($status, $said) = $answer->($verb, $argument) or next;
                my $text = "1 $id $status $said";
                syswrite $fh, length($text) . ":$text,";
            }
        }
    }
}

# A stand-in for a daemon, that serves at this path; it may be started again. Others can connect, whoever they run as.
sub stand_in {
    my ($name, $path, $answer) = @_;
    $owner = $$;
    stand_in_stop($name); # another one of that name
    unlink $path;
    my $listener = IO::Socket::UNIX->new(Type => SOCK_STREAM, Local => $path, Listen => 100) or die "$path: $!";
    chmod 0666, $path;
    $pid{$name} = fork() // die;
    return if $pid{$name};
    @SIG{qw(INT TERM)} = ('DEFAULT') x 2;
    serve_calls($listener, $answer);
}

sub stand_in_stop {
    my ($name) = @_;
    my $child = delete $pid{$name} or return;
    kill 'KILL', $child;
    waitpid $child, 0;
}

# Of each domain: a record, or [status, text], or [seconds, record] for one that comes so late, or ['turns', record, …], one after the other and then the first
# again. Others: TEMP.
sub stsd_start {
    my (%records) = @_;
    stand_in('stsd', "$dir/stsd.sock", sub {
        my (undef, $domain) = @_;
        my $r = $records{$domain} // ['TEMP', 'no luck today'];
        return if $r eq 'silent';
        if (ref $r && $r->[0] eq 'turns') { my $now = splice @$r, 1, 1; push @$r, $now; $r = $now }
        if (ref $r && $r->[0] =~ /^\d+$/) { sleep $r->[0]; $r = $r->[1] }
        return ref $r ? @$r : ('OK', $r);
    });
}

# A stand-in for the collector, at $dir/collector.sock, that comes after so many seconds. What it is told stands in $dir/events, one event a line.
sub collector_start {
    my ($late) = @_;
    my $path = "$dir/collector.sock";
    $pid{collector} = fork() // die;
    return if $pid{collector};
    @SIG{qw(INT TERM)} = ('DEFAULT') x 2;
    sleep $late if $late;
    unlink $path;
    my $listener = IO::Socket::UNIX->new(Type => SOCK_STREAM, Local => $path, Listen => 100) or POSIX::_exit(1);
    open(my $events, '>>', "$dir/events") or POSIX::_exit(1);
    $events->autoflush(1);
    serve_calls($listener, sub {
        my ($verb, $event) = @_;
        print $events "$event\n" if $verb eq 'event';
        return ('OK', '');
    });
}

sub collector_stop { stand_in_stop('collector') }

# All events so far, of each domain a list; with a number: once so many have come, or after a while.
sub collector_has {
    my ($wanted) = @_;
    my (@lines, %of);
    for (1 .. 1200) { @lines = split /\n/, slurp("$dir/events"); last if @lines >= ($wanted // 0); sleep 0.05 }
    for (@lines) { my $event = decode_json($_); push @{ $of{ $event->{d} } }, $event }
    return %of;
}

# The driver was built with a sanitizer, which keeps what was freed.
sub sanitized { return slurp($ENV{POSTERN_DRIVE} // './t/relayd/drive_upstream') =~ /__asan_init/ }

# Run the driver, which must end well. $settings: KEY=NUMBER words; then lines. Returns (what it printed, what it logged).
sub drive {
    my ($settings, @lines) = @_;
    open(my $in, '>', "$dir/work") or die;
    print $in map { "$_\n" } @lines;
    close $in;
    my $program = $ENV{POSTERN_DRIVE} // './t/relayd/drive_upstream';
    my $child = fork() // die;
    if (!$child) {
        @SIG{qw(INT TERM)} = ('DEFAULT') x 2;
        open(STDIN, '<', "$dir/work");
        open(STDOUT, '>', "$dir/out");
        open(STDERR, '>', "$dir/err");
        alarm 300;
        exec($program, "$dir/ca.pem", "unix:$dir/stsd.sock", $port, split / /, $settings) or POSIX::_exit(127);
    }
    waitpid $child, 0;
    my ($status, $err) = ($?, slurp("$dir/err"));
    die "the driver: $status, $err" if $status != 0 || $err =~ /Sanitizer|runtime error/;
    return (slurp("$dir/out"), $err);
}

# What a host saw; with a pattern: once that is in it, or after a while.
sub seen {
    my ($host, $pattern) = @_;
    my $text;
    for (1 .. 1200) { $text = slurp("$dir/$host.log"); last if !defined $pattern || $text =~ $pattern; sleep 0.05 }
    return $text;
}

sub relay_end {
    for (keys %pid) { kill 'KILL', $pid{$_}; waitpid $pid{$_}, 0 }
    %pid = ();
}

1;
