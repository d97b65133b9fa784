#!/usr/bin/perl
# The datagram socket in a process of its own (datagram_sink.c): D5, D6, D8, and its end by a signal, while others send.
use strict;
use warnings;
use File::Temp qw(tempdir);
use IO::Handle;
use IO::Socket::UNIX;
use POSIX qw(:sys_wait_h);
use Socket qw(SOCK_DGRAM MSG_DONTWAIT);
use Test::More;
use Time::HiRes qw(sleep time);

my $dir = tempdir(CLEANUP => 1);
my $path = "$dir/tlsrpt.sock";
my ($sink, $out);
my $test_pid = $$;
END { kill 'KILL', $sink if $sink && $$ == $test_pid }

sub start {
    my (@options) = @_;
    my $pid = open($out, '-|') // die "$!";
    if (!$pid) { open STDERR, '>>', "$dir/log"; exec './t/tlsrptd/datagram_sink', "unix:$path", @options }
    $sink = $pid;
    my $line = <$out>;
    return defined $line && $line eq "ready\n";
}

# By the signal; what it says at the end, a hash.
sub stop {
    my ($signal) = @_;
    kill $signal, $sink;
    my $line = <$out> // '';
    close $out;
    undef $sink;
    return split ' ', $line;
}

sub to_path { return IO::Socket::UNIX->new(Type => SOCK_DGRAM, Peer => $path) }
sub event { return qq({"dpv": "1","d": "$_[0]","pr": "v=TLSRPTv1; rua=mailto:a\@a.test","policies":[{"policy-type":9,"policy-domain": "$_[0]","t":0,"f":0}]}) }

sub slurp {
    open(my $fh, '<:raw', $_[0]) or return undef;
    local $/;
    return scalar <$fh>;
}

# D8
ok start('mode=0622'), 'it starts';
is sprintf('%o', (stat $path)[2] & 07777), '622', 'D8: the socket has its mode';
my %end = stop('TERM');
is $end{received}, 0, 'it ends by itself';
ok !-e $path, 'and takes its socket along';
open(my $file, '>', $path) or die;
print $file "a person's file";
close $file;
ok !start(), 'D8: no socket in place of a file';
close $out;
undef $sink;
is slurp($path), "a person's file", 'D8: which is still there';
unlink $path;

# D5
ok start("bad=$dir/bad"), 'it starts again';
my $to = to_path();
$to->send($_) for "\0", '', 'x' x 65536, '[' x 200000, '{"dpv": "1","d": "a.te', event('a..test'), event('a.test');
%end = stop('TERM');
is $end{unreadable}, 6, 'D5: what cannot be read is counted as that';
is $end{counted}, 1, 'D5: and what comes after it is counted';
is slurp("$dir/bad"), "\0", 'D5: the first is kept';
is +(stat "$dir/bad")[2] & 07, 0, 'not for everybody';

# D1 to D3: what is odd is counted and told; what has no policies is told and not counted. In the log once a while each, so one at a time.
sub told { my ($text) = @_; my $before = length(slurp("$dir/log") // ''); start(); to_path()->send($text); my %said = stop('TERM'); return (\%said, substr slurp("$dir/log"), $before) }
my @odd = (
    ['D1: without dpv' => event('a.test') =~ s/"dpv": "1",//r => 1, 0, 0, qr/^(?!.*datagram)/s],
    ['D1: another version' => event('a.test') =~ s/"1"/"2"/r => 1, 1, 0, qr/warning datagram-odd domain=a\.test what=\S*version/],
    ['D2: policies is missing' => '{"dpv": "1","d": "a.test","pr": ""}' => 0, 0, 1, qr/warning datagram-unreadable why="policies: is missing"/],
    ['D2: policies is empty' => '{"dpv": "1","d": "a.test","pr": "","policies":[]}' => 0, 0, 1, qr/warning datagram-unreadable why="policies: is empty"/],
    ['D3: t is another number' => event('a.test') =~ s/"t":0/"t":3/r => 1, 1, 0, qr/warning datagram-odd domain=a\.test what=\S*count/],
);
for (@odd) {
    my ($name, $text, $counted, $odd, $unreadable, $log) = @$_;
    my ($said, $lines) = told($text);
    is "$said->{counted} $said->{odd} $said->{unreadable}", "$counted $odd $unreadable", $name;
    like $lines, $log, "$name: the log";
}

# D6: three senders at once, none of which waits for long; what was taken is counted, whatever comes in between.
ok start(), 'D6: it starts';
my $each = 34000;
my @senders = map {
    my $pid = fork() // die;
    if (!$pid) {
        my $s = to_path();
        my @texts = map { event("d$_.test") } 1 .. 50;
        for (1 .. $each) { $s->send($texts[$_ % 50]) // do { print STDERR "# send: $!\n"; POSIX::_exit(1) } }
        POSIX::_exit(0);
    }
    $pid
} 1 .. 3;
my $well = 0;
for (@senders) { waitpid $_, 0; $well++ if $? == 0 }
is $well, 3, 'D6: all was sent';
%end = stop('TERM');
is $end{counted}, 3 * $each, 'D6: ' . 3 * $each . ' datagrams, none lost';

# Signals while others send: each that the sender got rid of is counted.
for my $signal (qw(TERM INT)) {
    ok start(), "it starts before $signal";
    pipe(my $r, my $w) or die;
    my $pid = fork() // die;
    if (!$pid) {
        my $s = to_path();
        my $sent = 0;
        my $text = event('a.test');
        $SIG{PIPE} = 'IGNORE';
        while (defined $s->send($text)) { syswrite $w, "begun\n" if !$sent++ }
        syswrite $w, $sent;
        POSIX::_exit(0);
    }
    close $w;
    sysread $r, my $begun, 6;
    sleep 0.3;
    %end = stop($signal);
    sysread $r, my $sent, 100;
    waitpid $pid, 0;
    cmp_ok $sent, '>', 0, "$sent were sent before $signal";
    is $end{counted}, $sent, 'and counted';
}

# D8: what a killed one leaves is replaced.
ok start(), 'it starts';
kill 'KILL', $sink;
close $out;
ok -S $path, 'D8: killed, it leaves its socket';
ok start(), 'D8: which the next one replaces';
to_path()->send(event('a.test'));
%end = stop('TERM');
is $end{counted}, 1, 'and is sent to';
done_testing;
