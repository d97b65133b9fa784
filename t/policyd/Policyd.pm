# Policyd.pm - for the tests of the built postern-policyd: a private directory, a stand-in for stsd whose answers the domain names choose, and socketmap
# requests. The stand-in is for faults and delays that a real stsd cannot be made to show; the lab has the real one.
package Policyd;

use strict;
use warnings;
use Exporter 'import';
use Fcntl qw(SEEK_SET);
use File::Temp qw(tempdir);
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use JSON::PP;
use POSIX qw(:sys_wait_h);
use Socket qw(SOCK_STREAM);
use Time::HiRes qw(sleep time);

our @EXPORT = qw(start stop connect_to connect_inet netstring ask fresh read_answer read_all asked control until_true $dir $policyd_pid log_text $program
    start_redis stop_redis redis $redis_dir $redis_url);
our $program = $ENV{POSTERN_POLICYD} // './policyd/postern-policyd';
our ($dir, $policyd_pid);
our ($redis_dir, $redis_url); # of start_redis
my $inet = sprintf('127.%d.%d.%d:8461', 1 + rand 250, rand 250, 1 + rand 250); # no two tests meet
my ($stsd_pid, $redis_pid);
my $test_pid = $$;

# A test that breaks off leaves nothing behind.
$SIG{INT} = $SIG{TERM} = sub { exit 1 };
END { kill 'KILL', grep { defined } $policyd_pid, $stsd_pid, $redis_pid if $$ == $test_pid }

sub netstring { return length($_[0]) . ":$_[0]," }

sub json_record {
    my ($domain, $enforce) = @_;
    my $now = time();
    my $until = int($now) + 300;
    my $body = "version: STSv1\\nmode: enforce\\nmx: mx.$domain\\nmax_age: 86400\\n";
    my $policy = $enforce
        ? sprintf('{"id":"1","body":"%s","fetched":%d,"expires":%d}', $body, $now, int($now) + 86400)
        : 'null';
    return sprintf('{"v":1,"domain":"%s","resolved":%d,"valid_until":%d,"mx":{"state":"list","secure":false,'
        . '"truncated":false,"dane_before":false,"why":"","hosts":[{"name":"mx.%s","preference":10,"address_secure":false,"dane":"none",'
        . '"tlsa_base":"","tlsa":[],"addresses":["192.0.2.1"]}]},"sts":{"record":"%s","id":"%s","policy":%s,'
        . '"failure":"","why":"","attempted":%d,"temp_since":0},"tlsrpt":""}',
        $domain, $now, $until, $domain, $enforce ? 'found' : 'none', $enforce ? '1' : '', $policy, $enforce ? $now : 0);
}

# With usable TLSA records.
sub with_dane {
    my ($record) = @_;
    my ($host) = $record =~ /"name":"([^"]+)"/;
    return $record =~ s/"(secure|address_secure)":false/"$1":true/gr =~ s/"dane":"none","tlsa_base":"","tlsa":\[\]/sprintf('"dane":"usable","tlsa_base":"%s","tlsa":["3 1 1 %s"]', $host, 'ab' x 32)/er;
}

# What the stand-in says about a domain: status and text, and after how many seconds.
my %answered;
sub stand_in_answer {
    my ($domain) = @_;
    return (0, 'TEMP', 'no luck any more') if $domain =~ /^once/ && $answered{$domain}++;
    return (0, 'OK', json_record($domain, 0)) if $domain =~ /^drops/ && $answered{$domain}++;
    return (0, 'OK', json_record($domain, 0) =~ s/"secure":false/"secure":true/r =~ s/"dane":"none"/"dane":"temp"/r) if $domain =~ /^loses/ && $answered{$domain}++;
    return (0, 'TEMP', 'no luck today') if $domain =~ /^temp/;
    return (0, 'OK', '{"v":1') if $domain =~ /^garbage/;
    return (0, 'OK', json_record('another.test', 0)) if $domain =~ /^otherdomain/;
    return (3600, 'OK', '') if $domain =~ /^hang/;
    return (0, 'OK', with_dane(json_record($domain, $domain !~ /none/))) if $domain =~ /^dane/;
    return ($domain =~ /^slow/ ? 0.5 : 0, 'OK', json_record($domain, $domain !~ /none/));
}

sub stand_in {
    my ($listener) = @_;
    my $select = IO::Select->new($listener);
    my (%in, @due);
    open(my $asked, '>>', "$dir/asked") or die;
    $asked->autoflush(1);
    while (1) {
        my $wait = @due ? $due[0][0] - time() : 10;
        for my $fh ($select->can_read($wait < 0 ? 0 : $wait)) {
            if ($fh == $listener) { $select->add($fh->accept); next }
            if (!sysread($fh, $in{$fh}, 65536, length($in{$fh} // ''))) { $select->remove($fh); close $fh; next }
            while ($in{$fh} =~ s/^(\d+):// ) {
                my $request = substr($in{$fh}, 0, $1, '');
                $in{$fh} =~ s/^,//;
                my (undef, $id, $verb, $domain) = split / /, $request, 4;
                print $asked "$verb $domain\n";
                my ($after, $status, $text) = stand_in_answer($domain);
                push @due, [time() + $after, $fh, netstring("1 $id $status $text")];
            }
        }
        @due = sort { $a->[0] <=> $b->[0] } @due;
        while (@due && $due[0][0] <= time()) { my $d = shift @due; syswrite $d->[1], $d->[2] }
    }
}

# $more: what else goes into the section policyd; DIR in it is the private directory. $redis: the url, or none.
sub start {
    my ($more, $redis) = @_;
    $redis //= '';
    $more .= "\n    lookup_timeout = 10s" if $more !~ /lookup_timeout/;
    $more .= "\n    lists_file = \"DIR/lists\"" if $more !~ /lists_file/;
    $dir = tempdir(CLEANUP => 1);
    chmod 0755, $dir;
    $more =~ s/DIR/$dir/g;
    my $user = $> == 0 ? 'nobody' : (getpwuid($>))[0];
    chown +(getpwnam($user))[2, 3], $dir if $> == 0; # so that it can remove what it made
    open(my $conf, '>', "$dir/postern.conf") or die;
    print $conf <<CONF;
redis { url = "$redis" }
policyd {
    listen = {"unix:$dir/policyd.sock", "unix:$dir/second.sock", "inet:$inet"}
    control = "unix:$dir/policyd.ctl"
    stsd = "unix:$dir/stsd.sock"
    user = "$user"
    $more
}
CONF
    close $conf;
    my $listener = IO::Socket::UNIX->new(Type => SOCK_STREAM, Local => "$dir/stsd.sock", Listen => 100) or die "$!";
    chmod 0666, "$dir/stsd.sock";
    $stsd_pid = fork() // die;
    if (!$stsd_pid) { @SIG{qw(INT TERM)} = ('DEFAULT') x 2; stand_in($listener); POSIX::_exit(0) }
    close $listener;
    $policyd_pid = fork() // die;
    if (!$policyd_pid) {
        @SIG{qw(INT TERM)} = ('DEFAULT') x 2;
        open(STDERR, '>', "$dir/log");
        exec($program, '-f', '-c', "$dir/postern.conf") or POSIX::_exit(127);
    }
    until_true(sub { -S "$dir/second.sock" && -S "$dir/policyd.ctl" && log_text() =~ /info started/ });
}

# Ends policyd with TERM and returns its wait status; undef when it does not end.
sub stop {
    my $status;
    kill 'TERM', $policyd_pid;
    until_true(sub { my $ended = waitpid($policyd_pid, WNOHANG); $status = $ended > 0 ? $? : -1 if $ended != 0; $ended != 0 });
    kill 'KILL', $policyd_pid unless defined $status;
    undef $policyd_pid;
    kill 'TERM', $stsd_pid;
    waitpid($stsd_pid, 0);
    undef $stsd_pid;
    return $status;
}

# A Redis of our own, empty. Its socket is the same one each time.
sub start_redis {
    $redis_dir //= tempdir(CLEANUP => 1);
    $redis_url = "unix:$redis_dir/sock";
    chmod 0755, $redis_dir;
    $redis_pid = fork() // die;
    if (!$redis_pid) {
        @SIG{qw(INT TERM)} = ('DEFAULT') x 2;
        open(STDOUT, '>', "$redis_dir/log");
        exec($ENV{POSTERN_REDIS_SERVER} || 'redis-server', '--port', 0, '--unixsocket', "$redis_dir/sock", '--unixsocketperm', 777, '--save', '', '--dir', $redis_dir)
            or POSIX::_exit(127);
    }
    return until_true(sub { (redis('PING') // '') eq 'PONG' });
}

sub stop_redis {
    kill 'KILL', $redis_pid;
    waitpid($redis_pid, 0);
    undef $redis_pid;
}

sub redis_reply {
    my ($fh) = @_;
    my ($type, $rest) = (readline($fh) // return undef) =~ /^(.)(.*?)\r\n/s;
    return [map { redis_reply($fh) } 1 .. $rest] if $type eq '*';
    return $rest if $type ne '$' || $rest < 0;
    read($fh, my $text, $rest + 2);
    return substr($text, 0, $rest);
}

# A command; what Redis replies, undef when it is away.
sub redis {
    my $fh = IO::Socket::UNIX->new(Peer => "$redis_dir/sock") or return undef;
    print $fh '*' . @_ . "\r\n" . join('', map { '$' . length($_) . "\r\n$_\r\n" } @_);
    $fh->flush;
    return redis_reply($fh);
}

sub log_text {
    open(my $fh, '<', "$dir/log") or return '';
    local $/;
    return <$fh> // '';
}

# How often the stand-in was asked for a domain.
sub asked {
    my ($domain) = @_;
    open(my $fh, '<', "$dir/asked") or return 0;
    return scalar grep { /^resolve \Q$domain\E$/ } <$fh>;
}

sub connect_to {
    my ($name) = @_;
    return fresh(IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => "$dir/" . ($name // 'policyd.sock')) // die "connect: $!");
}

sub connect_inet { return fresh(IO::Socket::INET->new(PeerAddr => $inet) // die "connect: $!") }

# What policyd's control socket answers, that of a worker from the second on: status word and text, or the JSON object when it is OK.
sub control {
    my ($verb, $argument, $worker) = @_;
    my $fh = connect_to('policyd.ctl' . (($worker // 1) > 1 ? ".$worker" : ''));
    syswrite $fh, netstring("1 1 $verb " . ($argument // ''));
    my (undef, undef, $status, $text) = split / /, read_answer($fh) // '1 1 none ', 4;
    return $status eq 'OK' ? decode_json($text) : "$status $text";
}

# Looks until it is so, for a minute; what was seen last.
sub until_true {
    my ($look) = @_;
    my $end = time() + 60;
    my $seen;
    sleep 0.02 until ($seen = $look->()) || time() > $end;
    return $seen;
}

# One whole reply's text, or undef when the connection ends or a minute passes.
my %rest;
sub read_answer {
    my ($fh) = @_;
    my $end = time() + 60;
    while (1) {
        my $have = $rest{$fh} // '';
        if ($have =~ /^(\d+):/ && length($have) >= length($1) + 2 + $1) {
            my $text = substr($have, length($1) + 1, $1);
            $rest{$fh} = substr($have, length($1) + 2 + $1);
            return $text;
        }
        return undef if $end < time() || !IO::Select->new($fh)->can_read($end - time());
        return undef if !sysread($fh, $rest{$fh}, 65536, length($have));
    }
}

# A new connection: what an old one of that name left is forgotten.
sub fresh { delete $rest{ $_[0] }; return $_[0] }

# Everything until the connection ends; undef after a minute.
sub read_all {
    my ($fh) = @_;
    my $all = delete $rest{$fh} // '';
    while (IO::Select->new($fh)->can_read(60)) {
        return $all if !sysread($fh, $all, 65536, length($all));
    }
    return undef;
}

# One request on a connection of its own.
sub ask {
    my ($request, $socket) = @_;
    my $fh = connect_to($socket);
    syswrite $fh, netstring($request);
    return read_answer($fh) // 'nothing';
}

1;
