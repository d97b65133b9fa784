# Units.pm - for the tests of contrib/systemd: a resolver, Redis, a configuration at its place, and a piece of real work for each daemon.
package Units;
use strict;
use warnings;
use Exporter 'import';
use FindBin;
use File::Path qw(make_path);
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX qw(strftime);
use Socket qw(SOCK_DGRAM SOCK_STREAM);
use Time::HiRes qw(sleep time);
use lib "$FindBin::Bin/../policyd";
use Policyd qw(netstring read_answer read_all fresh until_true);

our @EXPORT = qw(begin conf configure work slurp spew until_true ask call send_datagram event redis SERVICES);
use constant SERVICES => qw(stsd policyd milter relayd tlsrptd);

my @started;
my $owner = $$;
END { kill 'KILL', @started if $$ == $owner }

sub spew { my ($file, $text) = @_; open(my $fh, '>', $file) or die "$file: $!"; print $fh $text; close $fh }
sub slurp { my ($file) = @_; open(my $fh, '<', $file) or return ''; local $/; return <$fh> // '' }

# Every name exists, without records but those that ask for reports about domains far….test.
sub resolver {
    my ($socket) = @_;
    while (my $from = $socket->recv(my $packet, 4096)) {
        my $at = 12;
        while (my $len = ord substr $packet, $at, 1) { $at += $len + 1 }
        my $question = substr $packet, 12, $at + 5 - 12;
        my $record = 'v=TLSRPTv1; rua=mailto:r@a.test';
        my $wanted = $question =~ /^\x05_smtp\x04_tls.far.*\x00\x10\x00\x01\z/is;
        $socket->send(substr($packet, 0, 2) . pack('nnnnn', 0x8180, 1, $wanted ? 1 : 0, 0, 0) . $question
            . ($wanted ? pack('nnnNnC', 0xc00c, 16, 1, 300, 1 + length $record, length $record) . $record : ''), 0, $from);
    }
}

sub background {
    my ($code) = @_;
    my $pid = fork() // die;
    if (!$pid) { $code->(); POSIX::_exit(127) }
    push @started, $pid;
}

# The resolver and Redis, on loopback of this network namespace
sub begin {
    my $socket = IO::Socket::INET->new(Proto => 'udp', LocalAddr => '127.0.0.1:53') or die "port 53: $!";
    background(sub { resolver($socket) });
    background(sub {
        open(STDOUT, '>', '/dev/null');
        exec($ENV{POSTERN_REDIS_SERVER} || 'redis-server', '--port', 6379, '--bind', '127.0.0.1', '--save', '', '--dir', '/tmp');
    });
    until_true(sub { redis('PING') eq 'PONG' }) or die 'no Redis: install redis-server, or name it in POSTERN_REDIS_SERVER';
}

our $UNITS = '/lib/systemd/system'; # where boot has put them

# Where they say it is
sub conf {
    my ($path) = slurp("$UNITS/postern-policyd.service") =~ / -c (\S+)/ or die 'no units: make all';
    return $path;
}

sub configure {
    my ($more) = @_;
    my $path = conf();
    my ($dir) = $path =~ m{(.*)/};
    make_path($dir);
    spew($path, <<CONF . ($more // ''));
stsd { resolvers = {"127.0.0.1:53"} tlsrpt = "unix:/run/postern/tlsrptd.sock" }
relayd { tlsrpt = "unix:/run/postern/tlsrptd.sock" }
tlsrptd { contact = "postmaster\@sender.example" commit_interval = 20ms log = "/var/log/mail.log" }
CONF
    chown 0, scalar getgrnam('postern'), $path;
    chmod 0640, $path;
}

# One command; what is not a list or a number comes back as it is.
sub redis {
    my $fh = IO::Socket::INET->new('127.0.0.1:6379') // return '';
    print $fh '*' . @_ . "\r\n", map { '$' . length() . "\r\n$_\r\n" } @_;
    my $line = <$fh> // return '';
    return $line =~ /^[+:](.*)\r/ ? $1 : $line =~ /^\$(\d+)/ ? do { read $fh, my ($text), $1; $text } : $line;
}

# A policy, by the socket map protocol; as Postfix does, once more by a new connection when the first one is closed
sub ask { my $got = ask_once(@_); return $got eq 'closed' ? ask_once(@_) : $got }

sub ask_once {
    my ($domain, $peer) = @_;
    my $fh = ($peer // '') =~ m{^/} ? IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $peer) : IO::Socket::INET->new($peer // '127.0.0.1:8461');
    return "refused: $!" if !$fh;
    syswrite fresh($fh), netstring("postfix $domain");
    return read_answer($fh) // 'closed';
}

# A call to stsd or tlsrptd: "STATUS text"; once more by a new connection, too
sub call { my $got = call_once(@_); return $got eq 'closed' ? call_once(@_) : $got }

sub call_once {
    my ($path, $request) = @_;
    my $fh = fresh(IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $path) // return "refused: $!");
    syswrite $fh, netstring("1 1 $request");
    return (read_answer($fh) // 'closed') =~ s/^1 1 //r;
}

sub event { return qq({"dpv": "1","d": "$_[0]","pr": "v=TLSRPTv1; rua=mailto:r\@a.test","policies":[{"policy-type":9,"policy-domain": "$_[0]","t":0,"f":0}]}) }

sub send_datagram {
    my $to = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Peer => '/run/postern/tlsrpt.sock') // return 0;
    return defined $to->send($_[0]);
}

# --- a piece of real work; '' or what went wrong ---

sub wrong { my ($what, $got, $wanted) = @_; return $got =~ $wanted ? '' : "$what: $got" }

my $turn = 0;
# Or just before midnight
sub counted_today { my ($domain) = @_; return 0 != grep { redis('SISMEMBER', 'postern:tlsrpt-domains:' . strftime('%Y-%m-%d', gmtime $_), $domain) eq '1' } time, time - 300 }

# A report, by a program with a set-group-ID bit that writes into its own queue, as Postfix's postdrop does.
sub report {
    my $day = strftime('%Y-%m-%d', gmtime(time - 86400));
    my $domain = 'far' . $turn . '.test';
    my $policy = qq({"record":"v=TLSRPTv1; rua=mailto:r\@a.test","policy-type":"no-policy-found","policy-domain":"$domain"});
    my $id = substr(qx(printf %s '$policy' | sha256sum), 0, 32);
    redis('SADD', "postern:tlsrpt-domains:$day", $domain);
    redis('HSET', "postern:tlsrpt:$day:$domain", "policy $id", $policy, "failed $id", 1);
    return call('/run/postern/tlsrptd.sock', "report-send $day $domain");
}

my %work = (
    stsd => sub { return wrong('resolve', call('/run/postern/stsd.sock', 'resolve w' . ++$turn . '.test'), qr/^OK \{.*"state":"implicit"/) },
    policyd => sub { return wrong('policy', ask('w' . ++$turn . '.test'), qr/^NOTFOUND /) },
    milter => sub {
        my $fh = IO::Socket::INET->new('127.0.0.1:8463') // return "refused: $!";
        syswrite $fh, pack('NaNNN', 13, 'O', 6, 0x1ff, 0x1fffff);
        return 'no answer' if !IO::Select->new($fh)->can_read(60) || !sysread $fh, my $got, 4096;
        return wrong('negotiation', substr($got, 4, 1), qr/^O$/);
    },
    relayd => sub {
        my $fh = IO::Socket::INET->new('127.0.1.' . (1 + $turn % 16) . ':8689') // return "refused: $!";
        syswrite $fh, "LHLO mta.test\r\nQUIT\r\n";
        return wrong('LHLO', read_all(fresh($fh)) // 'nothing', qr/^220 .*^250[- ].*^221 /ms);
    },
    tlsrptd => sub {
        my $domain = 'd' . ++$turn . '.test';
        return 'no datagram' if !send_datagram(event($domain));
        return "$domain is not counted" if !until_true(sub { counted_today($domain) });
        my $file = '/var/spool/postfix/maildrop/mail';
        unlink $file;
        my $said = report();
        return "report: $said" if !until_true(sub { -s $file });
        return wrong('report mail', slurp($file), qr/^Subject: .*report/mi) || wrong('its group', (getgrgid +(stat $file)[5]) // 'none', qr/^postdrop$/);
    },
);

sub work { my ($daemon) = @_; return $work{$daemon}->() }

1;
