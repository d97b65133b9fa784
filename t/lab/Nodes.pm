package Nodes;
# Nodes.pm - nodes of a test's own, each a stsd and a policyd, that share one Redis: started, stopped and asked here.
# A node is a directory with the lab's configuration, but for the sockets. Processes go by name, those of a node are
# NODE-stsd and NODE-policyd.

use strict;
use warnings;
use IO::Socket::UNIX;
use JSON::PP qw(decode_json);
use Lab;
use POSIX ();

our $DIR = "$Lab::DIR/nodes";
our $REDIS = "$DIR/redis.sock";

my %pid;

sub start {
    my ($name, $ready, @command) = @_;
    $pid{$name} = fork // die;
    if (!$pid{$name}) {
        open STDOUT, '>>', "$Lab::DIR/log/$name.out";
        open STDERR, '>&', \*STDOUT;
        if (ref $command[0]) { $command[0]->(); POSIX::_exit(0) }
        exec @command or POSIX::_exit(127);
    }
    Lab::until_true($ready) or die "$name does not start, see its log\n";
    return;
}

sub signal {
    my ($name, $signal) = @_;
    kill $signal, $pid{$name};
    return;
}

# Ends a process and returns its wait status.
sub stop {
    my ($name, $signal) = @_;
    signal($name, $signal);
    waitpid delete $pid{$name}, 0;
    return $?;
}

sub running {
    my ($name) = @_;
    return exists $pid{$name};
}

# How many seconds of the processor it has had, which does not depend on what else the machine does
sub processor {
    my ($name) = @_;
    my ($stat) = Lab::lines("/proc/$pid{$name}/stat");
    my @field = split / /, $stat =~ s/.*\) //r;
    return ($field[11] + $field[12]) / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}

# What a process has logged, line by line
sub log_of {
    my ($name) = @_;
    return Lab::lines("$Lab::DIR/log/$name.out");
}

sub listening {
    my ($path) = @_;
    return defined IO::Socket::UNIX->new(Peer => $path);
}

# --- Redis ---

sub start_redis {
    my (@options) = @_;
    mkdir $DIR;
    unlink $REDIS;
    start('nodes-redis', sub { listening($REDIS) }, 'redis-server', '--port', 0, '--unixsocket', $REDIS, '--unixsocketperm',
        777, '--dir', "$Lab::DIR/tmp", '--save', '', '--enable-debug-command', 'yes', @options);
    return;
}

sub redis {
    my (@words) = @_;
    return (Lab::capture('redis-cli', '-s', $REDIS, @words))[1];
}

# --- nodes ---

sub path { return "$DIR/$_[0]" }

# configure(NODE, SECTION => 'key = value  key = value', ...): without values as in the lab
sub configure {
    my ($node, %more) = @_;
    my $dir = path($node);
    my (undef, undef, $uid, $gid) = getpwnam('postern');
    mkdir $DIR;
    mkdir $dir;
    chown $uid, $gid, $dir;
    open my $in, '<', "$Lab::DIR/postern/postern.conf" or die;
    open my $out, '>', "$dir/postern.conf" or die;
    my $section = '';
    while (my $line = <$in>) {
        $line =~ s{$Lab::DIR/postern/}{$dir/}g;
        $line =~ s{unix:$Lab::DIR/redis.sock}{unix:$REDIS};
        $line =~ s{, "inet:127.0.0.1:8461"}{};
        $line =~ s{metrics_listen = .*}{};
        next if $line =~ /exim_listen/;
        $section = $1 if $line =~ /^(\w+) \{/;
        next if $line =~ /^\s+(\w+) = / && ($more{$section} // '') =~ /\b$1 =/;
        print $out $line;
        print $out "    $more{$section}\n" if $line =~ /\{$/ && $more{$section};
    }
    close $out;
    return;
}

sub start_daemon {
    my ($node, $daemon) = @_;
    my $dir = path($node);
    start("$node-$daemon", sub { listening("$dir/$daemon.sock") },
        "$ENV{POSTERN_BUILD}/$daemon/postern-$daemon", '-f', '-c', "$dir/postern.conf");
    return;
}

# A node that knows nothing of before
sub start_node {
    my ($node, %more) = @_;
    configure($node, %more);
    unlink path($node) . '/lists';
    start_daemon($node, $_) for 'stsd', 'policyd';
    return;
}

# ctl_all(NODE, WORD ...): status, standard output, standard error; ctl gives the output alone
sub ctl_all {
    my ($node, @words) = @_;
    return Lab::capture("$ENV{POSTERN_BUILD}/ctl/posternctl", '-c', path($node) . '/postern.conf', @words);
}

sub ctl { return (ctl_all(@_))[1] }

# status(NODE, 'stsd' or 'policyd'): a hash, empty when it does not answer
sub status {
    my ($node, $daemon) = @_;
    return eval { decode_json(ctl($node, 'status', '--json'))->{$daemon} } // {};
}

# Waits until policyd is told of changes, so that Redis is in use.
sub tracking {
    my ($node) = @_;
    return Lab::until_true(sub { status($node, 'policyd')->{tracking} });
}

# --- mail through a node ---

# The second sender, which asks the node `one`; from now on Lab's subs are about its mail.
sub start_strict {
    ($ENV{MAIL_CONFIG}, $Lab::SENDER) = ('/etc/postfix-strict', 'strict');
    my $ready = sub { -S "$Lab::DIR/strict/spool/public/qmgr" && join('', Lab::lines("$Lab::DIR/log/strict.log")) =~ /daemon started/ };
    start('strict', $ready, 'postfix', 'start-fg');
    return;
}

sub stop_strict {
    my $status = stop('strict', 'TERM');
    ($ENV{MAIL_CONFIG}, $Lab::SENDER) = ('/etc/postfix', 'client');
    return $status;
}

# --- asking a policyd ---

# asking(NODE, KEY, MAP): asks without waiting; answer() waits.
sub asking {
    my ($node, $key, $map) = @_;
    my $fh = IO::Socket::UNIX->new(Peer => path($node) . '/policyd.sock') or die "$node: $!";
    my $request = ($map // 'postfix') . " $key";
    syswrite $fh, length($request) . ":$request,";
    return $fh;
}

sub answer {
    my ($fh) = @_;
    local $SIG{ALRM} = sub { die "no answer\n" };
    alarm 2 * $Lab::PATIENCE;
    my $got = '';
    eval { sysread $fh, $got, 65536, length $got or die "closed\n" until $got =~ /,\z/; };
    alarm 0;
    return $@ ? "nothing: $@" : $got =~ s/^\d+:(.*),\z/$1/r;
}

sub ask { return answer(asking(@_)) }

# How often the policy of a domain was fetched, by anybody
sub fetches {
    my ($domain) = @_;
    return scalar grep { /sni=mta-sts\.\Q$domain\E / } Lab::lines("$Lab::DIR/log/web.log");
}

1;
