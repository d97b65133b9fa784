# Tlsrptd.pm - for the tests of the built postern-tlsrptd: the daemon in a private directory, with a Redis of its own and stand-ins for stsd and policyd; what is
# told to it, and what it has counted.
package Tlsrptd;
use strict;
use warnings;
use Exporter 'import';
use FindBin;
use IO::Select;
use IO::Socket::UNIX;
use JSON::PP qw(decode_json);
use POSIX qw(strftime);
use Socket qw(SOCK_DGRAM SOCK_STREAM);
use Time::HiRes qw(sleep time);
use lib map { "$FindBin::Bin/../$_" } 'policyd', 'relayd', 'shared';
use Counted;
use Daemon;
use Policyd qw(start_redis stop_redis redis until_true netstring read_answer fresh $redis_url);
use Relay ();

our @EXPORT = (qw(prepare start restart tell_counts counts counts_are domains_of today call calling answer_of send_datagram event connect_to ctl key_new facts stand_in stand_in_stop
    counted counted_line start_redis stop_redis redis until_true $redis_url), @Daemon::EXPORT);
$program = $ENV{POSTERN_TLSRPTD} // './tlsrptd/postern-tlsrptd';
$metrics = 'postern_tlsrptd_';
my $ctl = $ENV{POSTERNCTL} // './ctl/posternctl';

# A configuration in the private directory. $more: what else goes into the section tlsrptd, DIR in it is the directory. Redis is there once start_redis was called.
sub prepare {
    my ($more) = @_;
    my $section = '    user = "' . daemon_folder() . "\"\n";
    for (['listen', '"unix:DIR/tlsrptd.sock"'], ['datagrams', '"unix:DIR/tlsrpt.sock"'], ['spool', '"DIR/spool"'], ['stsd', '"unix:DIR/stsd.sock"'], ['policyd', '""'],
        ['metrics_listen', '"unix:DIR/metrics.sock"'], ['commit_interval', '20ms']) {
        $section .= "    $_->[0] = $_->[1]\n" if $more !~ /\b$_->[0] =/;
    }
    spew("$dir/postern.conf", sprintf("redis { url = \"%s\" }\ntlsrptd {\n%s    %s\n}\n", $redis_url // "unix:$dir/no-redis", $section, $more) =~ s/DIR/$dir/gr);
}

sub start {
    prepare(@_);
    return started();
}

# --- stand-ins ---

sub stand_in { my ($name, $answer) = @_; daemon_folder(); Relay::stand_in($name, "$dir/$name", $answer) }
sub stand_in_stop { Relay::stand_in_stop(@_) }

# What stsd says of a domain with this MX host (Relay::record)
sub facts {
    my ($domain, $hosts, %r) = @_;
    return Relay::record($domain, hosts => [map { ref $_ ? $_ : [$_, ['192.0.2.1'], 10] } ref $hosts ? @$hosts : $hosts], tlsrpt => 'v=TLSRPTv1; rua=mailto:r@a.test', %r);
}

# --- what is told ---

sub connect_to { my ($name) = @_; return IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => "$dir/$name") // die "connect: $name: $!" }

# A call to the door, and what it is answered: "STATUS text"; "closed" when it is not.
sub calling { my ($verb, $argument, $fh) = @_; $fh //= fresh(connect_to('tlsrptd.sock')); syswrite $fh, netstring("1 1 $verb" . (defined $argument ? " $argument" : ' ')); return $fh }
sub answer_of { my ($fh) = @_; my $got = read_answer($fh) // return 'closed'; return $got =~ s/^1 1 //r }
sub call { return answer_of(calling(@_)) }

# An outcome as libtlsrpt writes it: a session under no policy, that came off; or the failures of one that did not
sub event {
    my ($domain, @failures) = @_;
    return sprintf '{"dpv": "1","d": "%s","pr": "v=TLSRPTv1; rua=mailto:r@a.test","policies":[{"policy-type":9,"policy-domain": "%s"%s,"t":%d,"f":%d}]}', $domain, $domain,
        @failures ? sprintf(',"failure-details":[%s]', join ',', map { qq({"c":$_}) } @failures) : '', scalar @failures, @failures ? 1 : 0;
}

sub send_datagram {
    my $to = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Peer => "$dir/tlsrpt.sock") // die "datagrams: $!";
    for (@_) { defined $to->send($_) or die "send: $!" }
}

# posternctl: its status, what it prints, and its errors
sub ctl {
    my $status = system("$ctl -c $dir/postern.conf " . join(' ', map { "'$_'" } @_) . " >$dir/out 2>$dir/err </dev/null");
    return ($status >> 8, slurp("$dir/out"), slurp("$dir/err"));
}

# A new key for reports, of the user of the daemon
sub key_new {
    my ($name, @options) = @_;
    my ($status, undef, $err) = ctl('report', 'key', 'new', @options, "$dir/$name");
    die $err if $status != 0;
    chown +(stat $dir)[4, 5], "$dir/$name";
}

# --- what is counted ---

sub today { return strftime('%Y-%m-%d', gmtime($_[0] // time)) }

# Since the test began: one, or two when it was midnight meanwhile
my $begun = int(time / 86400);
sub days { return map { today(86400 * $_) } $begun .. int(time / 86400) }

# Of a domain on a day, or since the test began, as one line (Counted.pm)
sub counts {
    my ($domain, $day) = @_;
    my %fields;
    for (defined $day ? $day : days()) {
        my %of_day = @{ redis('HGETALL', "postern:tlsrpt:$_:$domain") // [] };
        $fields{$_} = /^(?:successful|failed|failure) / ? ($fields{$_} // 0) + $of_day{$_} : $of_day{$_} for keys %of_day;
    }
    return counted_line(counted(\%fields));
}

# Until it is that, or it did not become so: what it is at last
sub counts_are {
    my ($wanted, @which) = @_;
    until_true(sub { counts(@which) eq $wanted });
    return counts(@which);
}

sub domains_of { return sort map { @{ redis('SMEMBERS', "postern:tlsrpt-domains:$_") // [] } } @_ ? @_ : days() }

1;
