#!/usr/bin/perl
# posternctl top against the built daemons: as text, as JSON, and on a terminal, which gets back what it was however top ends.
use strict;
use warnings;
use Fcntl qw(O_RDWR O_NOCTTY);
use File::Temp qw(tempdir);
use FindBin;
use lib "$FindBin::Bin/../stsd", "$FindBin::Bin/../policyd";
use IO::Select;
use IO::Socket::UNIX;
use JSON::PP qw(decode_json);
use Policyd qw(fresh netstring read_answer);
use POSIX qw(:sys_wait_h :termios_h);
use Socket qw(SOCK_STREAM);
use Test::More;
use Time::HiRes qw(sleep time);
use World;

my $ctl = $ENV{POSTERNCTL} // './ctl/posternctl';
my $tlsrptd = $ENV{POSTERN_TLSRPTD} // './tlsrptd/postern-tlsrptd';
my $ENTER = "\e[?1049h\e[?25l";
my $LEAVE = "\e[0m\e[?25h\e[?1049l";
my $own = tempdir(CLEANUP => 1);
my $user = $> == 0 ? 'nobody' : (getpwuid $>)[0];
my $owner = $$;
my (%child, $conf);
END { my $status = $?; if ($$ == $owner) { for (values %child) { kill 'KILL', $_; waitpid $_, 0 } } $? = $status }
chmod 0755, $own;
mkdir "$own/run" or die;
chown +(getpwnam $user)[2, 3], "$own/run";

# Looks until it is so, for a minute.
sub until_true { my ($look) = @_; my $end = time + 60; my $seen; sleep 0.05 until ($seen = $look->()) || time > $end; return $seen }

# --- a terminal: a pty of which the test has the other side ---
sub ioctl_int { my ($fh, $request, $int) = @_; my $arg = pack 'i', $int; ioctl $fh, $request, $arg or die "ioctl: $!"; return unpack 'i', $arg }
sub resize { my ($t, $rows, $columns) = @_; my $arg = pack 'S4', $rows, $columns, 0, 0; ioctl $t->{master}, 0x5414, $arg or die "TIOCSWINSZ: $!" }
sub settings { my ($t) = @_; my $s = POSIX::Termios->new; $s->getattr($t->{fd}); return join ' ', $s->getiflag, $s->getoflag, $s->getcflag, $s->getlflag, map { $s->getcc($_) } VMIN, VTIME }

sub terminal {
    my ($config, @words) = @_;
    my %t = (out => q());
    sysopen $t{master}, '/dev/ptmx', O_RDWR | O_NOCTTY or die "ptmx: $!";
    ioctl_int($t{master}, 0x40045431, 0);                                # TIOCSPTLCK: unlock
    my $name = '/dev/pts/' . ioctl_int($t{master}, 0x80045430, 0);       # TIOCGPTN: its number
    sysopen $t{slave}, $name, O_RDWR | O_NOCTTY or die "$name: $!";
    $t{fd} = fileno $t{slave};
    resize(\%t, 24, 80);
    $t{before} = settings(\%t);
    $t{pid} = $child{terminal} = fork // die;
    if (!$t{pid}) {
        POSIX::setsid();
        ioctl_int($t{slave}, 0x540e, 0); # TIOCSCTTY
        open STDIN, '<&', $t{slave};
        open STDOUT, '>&', $t{slave};
        open STDERR, '>&', $t{slave};
        $ENV{TERM} = 'xterm';
        $ENV{TERM} = shift @words if $words[0] =~ /^TERM-/;
        $ENV{TERM} =~ s/^TERM-//;
        delete $ENV{NO_COLOR};
        exec $ctl, '-c', $config, @words or POSIX::_exit(127);
    }
    return \%t;
}

# What has come up to now.
sub output {
    my ($t) = @_;
    while (IO::Select->new($t->{master})->can_read(0)) { last if !sysread $t->{master}, $t->{out}, 65536, length $t->{out} }
    return $t->{out};
}

# The lines of the last whole frame, without colours.
sub frame {
    my ($t) = @_;
    my @frames = output($t) =~ /\e\[H((?:(?!\e\[H).)*?)\e\[J/sg;
    return () if !@frames;
    return split /\r*\n/, $frames[-1] =~ s/\e\[(?:K|[\d;]*m)//gr;
}

sub shows { my ($t, $what) = @_; return until_true(sub { join("\n", frame($t)) =~ $what }) }
sub press { my ($t, $key) = @_; syswrite $t->{master}, $key }

# Its wait status; undef when it does not end.
sub ended {
    my ($t) = @_;
    my $status = until_true(sub { output($t); waitpid($t->{pid}, WNOHANG) == $t->{pid} ? [$?] : undef });
    output($t);
    delete $child{terminal} if $status;
    return $status ? $status->[0] : undef;
}

sub given_back {
    my ($t, $name) = @_;
    is(settings($t), $t->{before}, "$name: the terminal's settings are what they were");
    like($t->{out}, qr/\Q$LEAVE\E[^\e]*\z/, "$name: the last thing said is to leave the screen");
}

# --- the daemons ---
my $more = <<"CONF";
tlsrptd {
    listen = "unix:$own/run/tlsrptd.sock"
    datagrams = ""
    spool = "$own/run/spool"
    stsd = "unix:$own/none"
    user = "$user"
    contact = "postmaster\@a.test"
    from = "tls\@a.test"
    mail = "smtp:127.0.0.1:1"
}
CONF
world_start(
    hosts => [
        { domain => 'good.test', address => loopback(1), text => "$HEAD\r\n$POLICY" },
        { domain => 'self.test', address => loopback(2), text => "$HEAD\r\n$POLICY", cert => 'SELF' },
        { domain => 'hang.test', address => loopback(3), text => "$HEAD\r\n$POLICY", conduct => 'HANG_ACCEPTED' },
    ],
    also => { 'plain.test' => '127.0.0.1' },
    stsd => "https_timeout = 60s\n    lookup_timeout = 90s",
    policyd => "lists_file = \"\"\n    workers = 2\n    lookup_timeout = 60s",
    more => $more);
$conf = world_dir() . '/postern.conf';
$child{tlsrptd} = fork // die;
if (!$child{tlsrptd}) { open STDERR, '>', "$own/tlsrptd.log"; exec $tlsrptd, '-f', '-c', $conf or POSIX::_exit(127) }
sub tlsrptd_socket { return IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => "$own/run/tlsrptd.sock") }
ok(until_true(sub { tlsrptd_socket() }), 'tlsrptd is up') or diag `cat $own/tlsrptd.log`;

sub run_ctl { my $out = `$ctl -c $conf @_ 2>$own/err </dev/null`; return ($? >> 8, $out) }
sub tell_failure {
    my ($domain, $host, $code) = @_;
    my $fh = fresh(tlsrptd_socket());
    syswrite $fh, netstring(sprintf '1 1 event {"dpv": "1","d": "%s","pr": "v=TLSRPTv1; rua=mailto:r@a.test","policies":[{"policy-type":9,"policy-domain": "%s",'
        . '"failure-details":[{"c":%d,"h":"%s","n":"%s"}],"t":1,"f":1}]}', $domain, $domain, $code, $host, $host);
    return read_answer($fh);
}

# --- as text and as JSON ---
is(ask_policyd('postfix', 'good.test'), 'OK secure match=mx.test servername=hostname', 'a domain is asked for') for 1 .. 12;
ask_policyd('postfix', $_) for 'plain.test', 'self.test';
my $waiting = { call_stsd('resolve', 'hang.test') };
like(tell_failure('fails.test', 'mx.fails.test', 203), qr/^1 1 (OK|TEMP)/, 'a failure is told');
# Names are remembered for 10 s only: each look has been asked for one just before. policyd's workers have an answer each, the first from stsd.
my ($asked, $rc, $text) = (12);
sub ask_again { $asked++; ask_policyd('postfix', 'good.test') }
until_true(sub { ask_again(); ($rc, $text) = run_ctl('top --once --interval 100ms'); $text =~ /^hang\.test .*the policy host$/m });
is($rc, 0, 'text: all is well') or diag `cat $own/err`;
like($text, qr/^policyd  up .*2 workers$/m, 'text: policyd');
like($text, qr/^stsd     up /m, 'text: stsd');
like($text, qr/^tlsrptd  up /m, 'text: tlsrptd');
my ($all, $hits) = $text =~ m{^requests  all (\d+) \(\d+\.\d/s\), from memory (\d+) \(0\.0/s\)}m;
is($all, $asked + 2, 'text: requests');
ok($hits == $asked - 1 || $hits == $asked - 2, 'text: from memory') or diag $text;
like($text, qr/^answers   secure $asked .*default 2 /m, 'text: answers of both workers, by kind');
like($text, qr/^good\.test +\d+\.\d +\d+%  secure$/m, 'text: asked most');
like($text, qr/^hang\.test +\d+\.\d  waits for the policy host$/m, 'text: what is waited for');
like($text, qr/^self\.test +\d+\.\d  sts-webpki-invalid/m, 'text: how it ended');
like($text, qr/^fails\.test +1 +\d+ \w+  certificate-not-trusted +mx\.fails\.test$/m, 'text: where TLS fails');
unlike($text, qr/\e/, 'text: no escape sequence');
ask_again();
($rc, my $plain) = run_ctl('top --interval 100ms');
like($plain, qr/^good\.test/m, 'no terminal: text, once');
($rc, my $json) = run_ctl('top --json --interval 100ms');
my $j = eval { decode_json($json) };
is($rc, 0, 'JSON');
is(scalar @{ $j->{policyd}{activity} }, 2, 'JSON: each worker');
is($j->{tlsrptd}{activity}[0]{failing}[0]{domain}, 'fails.test', 'JSON: where TLS fails');
ok(defined $j->{rates}{requests_total} && $j->{seconds} >= 0.1, 'JSON: rates');
for (['--interval soon', 'interval'], ['--interval 1ms', 'interval'], ['word', 'word']) {
    ($rc) = run_ctl("top --once $_->[0]");
    is($rc, 2, "wrong: $_->[0]");
    like(do { local (@ARGV, $/) = "$own/err"; <> }, qr/\Q$_->[1]\E/, "wrong: $_->[0]: told");
}

# --- on a terminal ---
sub shows_busy { my ($t) = @_; return until_true(sub { ask_again(); join("\n", frame($t)) =~ /^good\.test/m }) }
my $t = terminal($conf, 'top', '--interval', '200ms');
ok(shows($t, qr/^fails\.test/m), 'terminal: it shows something');
like($t->{out}, qr/\A\Q$ENTER\E/, 'terminal: on another screen');
isnt(settings($t), $t->{before}, 'terminal: keys come at once');
my @lines = frame($t);
ok(@lines <= 24 && !grep { length > 80 } @lines, 'terminal: 80x24 is enough') or diag join "\n", @lines;
like($lines[0], qr/every 0\.2 s   q ends/, 'terminal: how to end it');
unlike(join("\n", @lines), qr/mx\.fails\.test/, 'terminal: no room for the host');
resize($t, 40, 150);
ok(shows($t, qr/mx\.fails\.test/), 'terminal: larger, and more is shown');
resize($t, 8, 40);
ok(until_true(sub { my @l = frame($t); @l <= 8 && !grep { length > 40 } @l }), 'terminal: as small as it gets') or diag join "\n", frame($t);
resize($t, 24, 80);
ok(until_true(sub { ask_policyd('postfix', 'later.test'); join("\n", frame($t)) =~ /^later\.test/m }), 'terminal: what is asked meanwhile comes');
press($t, 'x');
press($t, 'q');
is(ended($t), 0, 'terminal: q ends it');
given_back($t, 'q');

for my $end (['Ctrl-C', sub { press($_[0], "\3") }, 0], ['TERM', sub { kill 'TERM', $_[0]{pid} }, 0], ['HUP', sub { kill 'HUP', $_[0]{pid} }, 0],
    ['SEGV', sub { kill 'SEGV', $_[0]{pid} }, POSIX::SIGSEGV], ['ABRT', sub { kill 'ABRT', $_[0]{pid} }, POSIX::SIGABRT]) {
    $t = terminal($conf, 'top');
    ok(shows_busy($t), "$end->[0]: it shows something first");
    $end->[1]->($t);
    my $status = ended($t);
    if ($end->[2] == 0) { is($status, 0, "$end->[0] ends it") } else { ok($status, "$end->[0] ends it") }
    given_back($t, $end->[0]);
}

$t = terminal($conf, 'top', '--interval', '200ms');
ok(shows_busy($t), 'Ctrl-Z: it shows something first');
press($t, "\032");
sub state_of { my $stat = `cat /proc/$_[0]/stat`; return $stat =~ /\) (\w)/ ? $1 : '' }
ok(until_true(sub { state_of($t->{pid}) eq 'T' }), 'Ctrl-Z stops it');
output($t);
given_back($t, 'Ctrl-Z');
kill 'CONT', $t->{pid};
ok(until_true(sub { output($t) =~ /\Q$LEAVE$ENTER\E.*\e\[H/s }), 'and it comes back');
press($t, 'q');
is(ended($t), 0, 'and ends');
given_back($t, 'after that');

$t = terminal($conf, 'TERM-dumb', 'top', '--interval', '100ms');
is(ended($t), 0, 'a terminal that cannot move its cursor: text');
unlike($t->{out}, qr/\e\[[?H]/, 'and no other screen');
$t = terminal($conf, 'top', '--once', '--interval', '100ms');
is(ended($t), 0, '--once on a terminal');
unlike($t->{out}, qr/\e\[[?H]/, 'leaves it as it is');

# --- a daemon that is away, or hangs ---
$t = terminal($conf, 'top', '--interval', '200ms');
shows($t, qr/^stsd     up/m);
kill 'STOP', world_pid('stsd');
ok(shows($t, qr/^stsd     away: .*$/m), 'one that hangs is told');
ok(shows($t, qr/^policyd  up .*\nstsd     away: /m), 'and the rest goes on');
kill 'CONT', world_pid('stsd');
ok(shows($t, qr/^stsd     up/m), 'it is back');
kill 'TERM', $child{tlsrptd};
waitpid delete $child{tlsrptd}, 0;
ok(shows($t, qr/^tlsrptd  away: /m), 'one that is away is told');
ok(shows($t, qr/RESULT.*\nnot known: the daemon is away/), 'in its place, too');
press($t, 'q');
is(ended($t), 0, 'all the same it ends well');
given_back($t, 'with a daemon away');
($rc, $text) = run_ctl('top --once --interval 100ms');
is($rc, 1, 'text: one is away');
like($text, qr/^policyd  up /m, 'text: the others are there');

# --- a daemon that says what acts on a terminal ---
my $nasty = '\u001b[2J\u009b31m\u202e\n';
open(my $fh, '>', "$own/hostile.conf") or die;
print $fh "policyd { control = \"unix:$own/hostile.sock\" }\nstsd { listen = \"unix:$own/hostile.sock\" }\n";
close $fh;
my $listener = IO::Socket::UNIX->new(Type => SOCK_STREAM, Local => "$own/hostile.sock", Listen => 10) or die;
$child{hostile} = fork // die;
if (!$child{hostile}) {
    my $select = IO::Select->new($listener);
    while (1) {
        for my $c ($select->can_read) {
            if ($c == $listener) { $select->add($c->accept); next }
            if (!sysread $c, my $in, 65536) { $select->remove($c); close $c; next }
            else {
                syswrite $c, netstring("1 $1 OK " . ($2 eq 'status' ? qq({"pid":1,"uptime":1,"redis":"$nasty"})
                    : qq({"seconds":1,"asked":[{"domain":"$nasty.x","asked":3,"missed":0,"answer":"$nasty"}],"answers":{},"under_way":[{"domain":"$nasty","ms":1,"waits":"$nasty"}]})))
                    while $in =~ /\d+:1 (\d+) (\S+) ,/g;
            }
        }
    }
}
close $listener;
$t = terminal("$own/hostile.conf", 'top', '--interval', '100ms');
ok(shows($t, qr/^\\x1b\[2J/m), 'a hostile name is shown');
press($t, 'q');
is(ended($t), 0, 'and it ends');
(my $left = $t->{out}) =~ s/\e(?:\[(?:H|K|J|\d*m)|\[\?(?:1049|25)[hl])//g;
unlike($left, qr/\e|\xc2\x9b|\xe2\x80\xae/, 'nothing of it acts');
unlike($t->{out}, qr/\e\[2J|\e\[31m\./, 'nor did it slip in as ours');

kill 'KILL', $child{hostile};
waitpid delete $child{hostile}, 0;
is(world_end(), '', 'the daemons end well');
done_testing();
