# Daemon.pm - for the tests of built daemons: a private directory, one daemon in it, which reads postern.conf and logs to the file log there, and its end.
package Daemon;
use strict;
use warnings;
use Exporter 'import';
use File::Temp qw(tempdir);
use FindBin;
use IO::Socket::UNIX;
use POSIX qw(:sys_wait_h);
use Time::HiRes qw(sleep time);
use lib "$FindBin::Bin/../policyd";
use Policyd qw(until_true);

our @EXPORT = qw(daemon_folder run started wait_end stop log_text logs metric spew slurp $dir $pid $program $metrics);
our ($dir, $pid);
our ($program, $metrics); # its path; how the names of its metrics begin
my $test_pid = $$;

END { kill 'KILL', $pid if defined $pid && $$ == $test_pid }

sub spew { my ($file, $text) = @_; open(my $fh, '>', $file) or die "$file: $!"; print $fh $text; close $fh }
sub slurp { my ($file) = @_; open(my $fh, '<', $file) or return ''; local $/; return <$fh> // '' }

# The private directory; the user that the daemon is to run as.
sub daemon_folder {
    if (!defined $dir) {
        $dir = tempdir(CLEANUP => 1);
        chmod 0755, $dir;
        chown +(getpwnam('nobody'))[2, 3], $dir if $> == 0;
    }
    return $> == 0 ? 'nobody' : (getpwuid($>))[0];
}

# Starts the daemon; its process id.
my $log_begin = 0;
sub run {
    my (@options) = @_;
    $log_begin = -s "$dir/log" // 0;
    $pid = fork() // die;
    return $pid if $pid;
    @SIG{qw(INT TERM PIPE)} = ('DEFAULT') x 3;
    open(STDERR, '>>', "$dir/log");
    exec($program, '-f', '-c', "$dir/postern.conf", @options) or POSIX::_exit(127);
}

# What it has logged since it was started
sub log_text { return substr(slurp("$dir/log"), $log_begin) }

sub logs { my ($pattern) = @_; return until_true(sub { log_text() =~ $pattern }) }

# Starts it, and whether it came up.
sub started {
    run();
    return until_true(sub { log_text() =~ /info started/ || ended() } ) && defined $pid;
}

my $status;
sub ended { return !defined $pid || (waitpid($pid, WNOHANG) == $pid && do { $status = $?; undef $pid; 1 }) }

# Its wait status when it ends by itself; undef when it does not.
sub wait_end {
    undef $status;
    until_true(\&ended);
    return $status;
}

sub stop {
    my ($signal) = @_;
    kill $signal // 'TERM', $pid if defined $pid;
    return wait_end();
}

# The value of a metric, without what its name begins with
sub metric {
    my ($name) = @_;
    my $fh = IO::Socket::UNIX->new(Peer => "$dir/metrics.sock") or return "metrics: $!";
    print $fh "GET /metrics HTTP/1.0\r\n\r\n";
    local $/;
    return (<$fh> // '') =~ /^\Q$metrics$name\E (\S+)$/m ? $1 : 'none';
}

1;
