#!/usr/bin/perl
# The units of contrib/systemd under a systemd of their own (t/contrib/boot): all daemons do their work in there, restarts refuse nobody and lose nothing, who hangs is
# replaced, and what is forbidden is forbidden.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use Time::HiRes qw(sleep time);

if (!$ENV{POSTERN_BOOTED}) {
    plan(skip_all => 'must be root, and systemd be installed') if $> != 0 || !-x '/lib/systemd/systemd';
    $ENV{POSTERN_BOOTED} = 1;
    exec("$FindBin::Bin/boot", $^X, "$FindBin::Bin/systemd.sh.t") or die "$!";
}
require Units;
Units->import;
$SIG{PIPE} = 'IGNORE'; # a daemon may end between connect and write
my @services = Units::SERVICES();

sub said { my $out = qx(@_ 2>&1 </dev/null); return $out =~ s/\s+\z//r }
sub unit { return "postern-$_[0].service" }
sub property { my ($daemon, $name) = @_; return said('systemctl', 'show', '-P', $name, unit($daemon)) }
sub is_active { return property($_[0], 'ActiveState') eq 'active' && property($_[0], 'SubState') eq 'running' }
sub pid { return property($_[0], 'MainPID') }
sub is_replaced { my ($daemon, $before) = @_; my $now = pid($daemon); return $now && $now != $before && is_active($daemon) }
sub nothing_under_way { return until_true(sub { said('systemctl', 'list-jobs') =~ /^No jobs/ }) }
sub log_of { return said('journalctl', '-b', '-o', 'cat', '-u', unit($_[0])) }

# In the mount namespace of a daemon, as its user
sub inside { my ($daemon, $command) = @_; return said('nsenter', '-m', '-t', pid($daemon), 'setpriv', '--reuid=postern', '--regid=postern', '--init-groups', 'sh', '-c', "'$command'") }

sub drop_in {
    my ($daemon, $text) = @_;
    my $dir = '/run/systemd/system/' . unit($daemon) . '.d';
    mkdir '/run/systemd/system';
    mkdir $dir;
    spew("$dir/test.conf", $text);
    system('systemctl', 'daemon-reload');
}

my $documentation = slurp("$FindBin::Bin/../../doc/systemd.md");
begin();
configure();
system("$FindBin::Bin/fake-sendmail") == 0 or die;
spew('/var/log/mail.log', '');
system('chgrp adm /var/log/mail.log; chmod 640 /var/log/mail.log');

# --- as it is installed ---
is(said('systemd-analyze', 'verify', '--man=no', map { "/lib/systemd/system/$_" } (map { unit($_) } @services), 'postern.target'), '', 'systemd-analyze verify has nothing to say');
is(said('stat', '-c', "'%U %G %a'", '/run/postern', '/var/lib/postern'), "postern postern 755\npostern postern 750", 'folders');
is(said('systemctl', '--quiet', 'enable', 'postern.target', map { unit($_) } @services), '', 'enabled');
is(said('systemctl', 'start', 'postern.target'), '', 'all of them started by the target');
ok(is_active($_), "$_ has started") or diag(log_of($_)) for @services;
is(work($_), '', "$_ does its work") or diag(log_of($_)) for @services;
like(ask('w.test', '/run/postern/policyd.sock'), qr/^NOTFOUND/, 'policyd answers on its unix socket, too');

# Of its control group, by the file of version 1, or of 2
sub limit {
    my ($daemon, $one, $two) = @_;
    my $group = property($daemon, 'ControlGroup');
    my ($controller, $file) = split m{/}, $one;
    return slurp(-d "/sys/fs/cgroup/$controller" ? "/sys/fs/cgroup/$controller$group/$file" : "/sys/fs/cgroup$group/$two") =~ s/\s//r;
}

# --- what is forbidden ---
for my $daemon (@services) {
    my %is = slurp('/proc/' . pid($daemon) . '/status') =~ /^(\w+):\t(.*?)\s*$/mg;
    my $loose = $daemon eq 'tlsrptd';
    is($is{Uid}, join("\t", (scalar getpwnam 'postern') x 4), "$daemon runs as postern");
    is("$is{CapEff} $is{CapPrm} $is{Seccomp}", '0000000000000000 0000000000000000 2', "$daemon has no capabilities, and a filter");
    is("$is{CapBnd} $is{NoNewPrivs}", $loose ? '00000000000000fb 0' : '0000000000000000 1', "$daemon: what programs that it runs may have");
    like(inside($daemon, "touch $_/postern-was-here"), qr/Read-only file system|Permission denied|No such file/, "$daemon cannot write to $_") for '/usr', '/etc', '/home', '/';
    is(inside($daemon, 'touch /var/lib/postern/t /run/postern/t && rm /var/lib/postern/t /run/postern/t'), '', "$daemon can write to its folders");
    like(inside($daemon, 'ls /tmp/'), qr/^$/, "$daemon has a /tmp of its own");
    like(inside($daemon, 'cat /var/log/mail.log'), $loose ? qr/^$/ : qr/Permission denied|No such file/, $loose ? 'tlsrptd reads the mail log' : "$daemon does not");
    my $text = slurp("$Units::UNITS/postern-$daemon.service");
    my %unit = $text =~ /^(TasksMax|MemoryMax)=(\d+)/mg;
    is(limit($daemon, 'pids/pids.max', 'pids.max'), $unit{TasksMax}, "$daemon: its tasks have a limit");
    is(limit($daemon, 'memory/memory.limit_in_bytes', 'memory.max'), $unit{MemoryMax} * ($text =~ /^MemoryMax=\d+G/m ? 1 << 30 : 1 << 20), "$daemon: its memory has a limit");
    my ($figure) = said('systemd-analyze', 'security', '--no-pager', unit($daemon)) =~ /: ([\d.]+) /;
    my ($documented) = $documentation =~ /^\| `?postern-$daemon`? \| ([\d.]+) \|/m;
    is($figure, $documented, "$daemon: the figure of systemd-analyze security is that of doc/systemd.md");
}

# --- reload ---
configure("policyd { default_level = \"encrypt\" }\n");
my $pid = pid('policyd');
is(said('systemctl', 'reload', map { unit($_) } @services), '', 'reload');
ok(until_true(sub { ask('w' . time() . '.test') =~ /^OK encrypt/ }), 'policyd goes by the new file');
is(pid('policyd'), $pid, 'it is the same process');
ok(until_true(sub { is_active($_) && log_of($_) =~ /info reloaded/ }), "$_ has read the file again") for @services;
configure();
said('systemctl', 'reload', unit('policyd'));

# --- restarts: who asks meanwhile is answered, also at the doors for Exim ---
sub exim { my ($port, $line) = @_; my $fh = IO::Socket::INET->new("127.0.0.1:$port") // return "refused: $!"; syswrite $fh, "$line\n"; return Units::read_all(Units::fresh($fh)) // 'nothing' }
sub doors_for_exim {
    configure("policyd { exim_listen = {\"inet:127.0.0.1:8464\"} }\ntlsrptd { exim = \"inet:127.0.0.1:8465\" }\n");
    is(said('systemctl', 'stop', 'postern.target'), '', 'all is stopped');
    ok(nothing_under_way(), 'and has ended');
    is(said('systemctl', '-q', 'enable', 'postern-policyd-exim.socket', 'postern-tlsrptd-exim.socket'), '', 'doors for Exim');
    is(said('systemctl', 'start', 'postern.target'), '', 'and with them all is started again');
    return nothing_under_way() && !grep { !is_active($_) } @services;
}
ok(doors_for_exim(), 'all runs');
for my $case (['policyd', sub { exim(8464, 'policy w' . int(rand 1000) . '.test') }, qr/^status=ok /], ['tlsrptd', sub { exim(8465, 'nothing') }, qr/^error: /],
    ['policyd', sub { ask('w' . int(rand 1000) . '.test') }, qr/^(NOTFOUND|OK encrypt)/], ['stsd', sub { call('/run/postern/stsd.sock', 'resolve r' . int(rand 1000) . '.test') }, qr/^OK/],
    ['relayd', sub { work('relayd') }, qr/^$|^LHLO: .*421 4\.3\.2 /s]) {
    my ($daemon, $ask, $good) = @$case;
    my $restarting = fork() // die;
    if (!$restarting) { system('systemctl', 'restart', unit($daemon)) for 1 .. 5; POSIX::_exit(0) }
    my ($asked, %bad) = (0);
    while (waitpid($restarting, POSIX::WNOHANG()) == 0) {
        my $got = $ask->();
        $asked++;
        $bad{$got}++ if $got !~ $good;
    }
    is(join(', ', map { "$_ ($bad{$_})" } sort keys %bad), '', "$daemon restarted five times: nobody is refused ($asked times asked)")
        or diag(said('systemctl', '--no-pager', '--all', 'list-units', "'postern*'"), said('journalctl', '-b', '--no-pager', '-n', 200, '_PID=1'));
    cmp_ok($asked, '>', 1, 'somebody asked meanwhile');
}
is(said('systemctl', '-q', 'stop', unit('tlsrptd')), '', 'tlsrptd stopped');
ok(send_datagram(event("late$_.test")), "datagram $_ is taken") for 1 .. 5;
ok(until_true(sub { my $n = 0; $n += Units::counted_today("late$_.test") for 1 .. 5; $n == 5 }), 'the first one has it started again, and all are counted') or diag(log_of('tlsrptd'));
is(said('systemctl', '-q', 'stop', unit('policyd')), '', 'policyd stopped');
like(ask('again.test'), qr/^(NOTFOUND|OK)/, 'a question starts it again');

# --- who hangs, and who dies ---
for my $daemon (@services) {
    drop_in($daemon, "[Service]\nWatchdogSec=5s\nRestartSec=100ms\n");
    said('systemctl', 'restart', unit($daemon));
    my $before = pid($daemon);
    kill 'STOP', $before;
    ok(until_true(sub { is_replaced($daemon, $before) }), "$daemon hangs, and is replaced") or diag(log_of($daemon));
    like(log_of($daemon), qr/[Ww]atchdog timeout/, 'the watchdog saw it');
    $before = pid($daemon);
    kill 'KILL', $before;
    ok(until_true(sub { is_replaced($daemon, $before) }), "$daemon is killed, and replaced") or diag(log_of($daemon));
    is(work($daemon), '', "$daemon works again");
}

# --- tlsrptd with nothing loosened ---
my ($exec) = slurp("$Units::UNITS/postern-tlsrptd.service") =~ /^ExecStart=!(.*)/m;
drop_in('tlsrptd', slurp("$FindBin::Bin/../../contrib/systemd/tlsrptd-smtp.conf") =~ s/^ExecStart=\/.*/ExecStart=$exec/mr);
said('systemctl', 'restart', unit('tlsrptd'));
is((slurp('/proc/' . pid('tlsrptd') . '/status') =~ /^NoNewPrivs:\t(\d)/m)[0], 1, 'tlsrptd-smtp.conf: tlsrptd runs, and what it runs gets no privileges');
my ($figure) = said('systemd-analyze', 'security', '--no-pager', unit('tlsrptd')) =~ /: ([\d.]+) /;
like($documentation, qr/^\| `postern-tlsrptd` .*\Q| $figure with\E/m, 'its figure is that of doc/systemd.md');
like(work('tlsrptd'), qr/^report: .*"state":"failed|^report: .*exit status/, 'it counts; a program cannot have rights of its own');
configure();

# --- several workers; one of them hangs ---
configure("policyd { workers = 2 }\n");
said('systemctl', 'restart', unit('policyd'));
my ($supervisor, @workers) = (pid('policyd'));
@workers = split ' ', said('pgrep', '-P', $supervisor);
is(scalar @workers, 2, 'two workers');
kill 'STOP', $workers[0];
ok(until_true(sub { my @now = split ' ', said('pgrep', '-P', $supervisor); @now == 2 && !grep { $_ == $workers[0] } @now }), 'the one that hangs is replaced');
is(pid('policyd'), $supervisor, 'by the supervisor, which lives');
is(work('policyd'), '', 'policyd answers');

# --- a configuration that is wrong, and then right ---
configure("policyd { nonsense = 1 }\n");
said('systemctl', 'restart', unit('policyd'));
ok(until_true(sub { property('policyd', 'NRestarts') > 2 }), 'with a wrong configuration it is tried again and again');
configure();
ok(until_true(sub { is_active('policyd') }), 'and runs when that is put right');
is(work('policyd'), '', 'policyd answers');

# --- the end ---
is(said('systemctl', 'stop', 'postern.target'), '', 'stop');
ok(nothing_under_way(), 'what is under way ends');
is(said('pgrep', '-a', '^postern-'), '', 'all have ended');
is(said('ls', '-A', '/run/postern'), '', 'and no socket is left');
unlike(log_of($_), qr/Sanitizer|runtime error|Main process exited, code=dumped.*SYS/, "$_: nothing for the sanitizers") for @services;
done_testing();
