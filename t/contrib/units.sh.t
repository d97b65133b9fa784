#!/usr/bin/perl
# The units of contrib/systemd where no systemd is booted: what systemd-analyze says of them, and each daemon at its work under what its unit allows (Confine.pm), on an
# overlay of this machine and a network of its own. systemd.sh.t has the rest.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use Time::HiRes qw(sleep time);

if (!$ENV{POSTERN_APART}) {
    plan(skip_all => 'must be root, and systemd be installed') if $> != 0 || system('command -v systemd-analyze >/dev/null') != 0;
    $ENV{POSTERN_APART} = 1;
    exec("$FindBin::Bin/boot", "-n", $^X, "$FindBin::Bin/units.sh.t") or die "$!";
}
require Units;
require Confine;
Units->import;
Confine->import;
my $units = "$FindBin::Bin/../../contrib/systemd";
my @services = Units::SERVICES();
my %LIMIT = (tlsrptd => 30); # tenths; the others
my %unit = map { ($_ => unit_read("$Units::UNITS/postern-$_.service")) } @services;
my %sockets = map { my $daemon = $_; ($daemon => [map { "$units/$_" } map { split ' ' } @{ $unit{$daemon}{Sockets} // [] }]) } @services;

sub said { my $out = qx(@_ 2>&1 </dev/null); return $out =~ s/\s+\z//r }

# --- what systemd-analyze says ---
my $folder = '/run/units';
mkdir $folder;
system("cp $Units::UNITS/postern-*.service $units/*.socket $units/*.timer $units/*.target $folder") == 0 or die;
is(said('systemd-analyze', 'verify', '--man=no', "$folder/postern*"), '', 'systemd-analyze verify has nothing to say');
for my $daemon (@services) {
    my $limit = $LIMIT{$daemon} // 15;
    is(system("systemd-analyze security --offline=yes --threshold=$limit --no-pager $folder/postern-$daemon.service >/dev/null 2>&1"), 0, "$daemon: its exposure is at most $limit tenths");
}

# --- what the sockets are, and the documentation says ---
my $sample = slurp("$FindBin::Bin/../../contrib/postern.conf");
for my $daemon (grep { @{ $sockets{$_} } } @services) {
    my ($section) = $sample =~ /^$daemon \{(.*?)^\}/ms;
    my @default = map { my $all = $_; $all =~ /1-16/ ? map { $all =~ s/1-16/$_/r } 1 .. 16 : $all } map { /"(?:unix|inet):([^"]+)"/g } $section =~ /# (?:listen|datagrams) = (.*)/g;
    my @held = map { my $u = unit_read($_); @{ $u->{ListenStream} // [] }, @{ $u->{ListenDatagram} // [] } } @{ $sockets{$daemon} };
    is(join(' ', sort @held), join(' ', sort @default), "$daemon: its sockets are those of its default settings");
}

# --- at work ---
my %pid;

# What the daemons say to systemd stands in a file, a line each. Somebody must hear it at all times: few words fit into the socket, and who finds it full waits.
my $said = '/run/said';
my $since = 0;

sub listen_to_them {
    my $notified = IO::Socket::UNIX->new(Type => Socket::SOCK_DGRAM(), Local => '/run/notify') // die "$!";
    chmod 0666, '/run/notify';
    $pid{listener} = fork() // die;
    return if $pid{listener};
    open(my $file, '>>', $said) or POSIX::_exit(1);
    syswrite $file, "$_\n" while defined $notified->recv($_, 4096);
    POSIX::_exit(1);
}

sub heard { my ($what) = @_; return until_true(sub { substr(slurp($said), $since) =~ /^$what$/m }) }

# All that was said up to now is forgotten.
sub forget {
    my $mark = 'MARK=' . time;
    IO::Socket::UNIX->new(Type => Socket::SOCK_DGRAM(), Peer => '/run/notify')->send($mark);
    heard($mark);
    $since = length slurp($said);
}

my $owner = $$;
END { kill 'KILL', values %pid if $$ == $owner }

listen_to_them();
begin();
configure();
system("$FindBin::Bin/fake-sendmail") == 0 or die;
spew('/var/log/mail.log', '');
chown 0, scalar getgrnam('adm'), '/var/log/mail.log';
chmod 0640, '/var/log/mail.log';

for my $daemon (@services) {
    my @sockets = listen_for(@{ $sockets{$daemon} });
    # a system call that it needs is not there
    my $pid = confined($unit{$daemon}, sockets => \@sockets, env => { NOTIFY_SOCKET => '/run/notify' }, without => ['epoll_create1', 'epoll_create', 'poll', 'select', 'pselect6', 'ppoll'], log => "/run/$daemon.log");
    my $ended = until_true(sub { waitpid($pid, POSIX::WNOHANG()) == $pid && $? != 0 && $? >> 8 < 125 });
    kill 'KILL', $pid if !$ended;
    diag("status $? " . slurp("/run/$daemon.log")) if !$ended;
    ok($ended, "$daemon ends where a system call is forbidden that it needs");
    forget();
    $pid{$daemon} = confined($unit{$daemon}, sockets => \@sockets, env => { NOTIFY_SOCKET => '/run/notify', WATCHDOG_USEC => 500000 }, log => "/run/$daemon.log");
    ok(heard('READY=1'), "$daemon says that it is ready") or diag(slurp("/run/$daemon.log"));
    ok(heard('WATCHDOG=1'), "$daemon says that it lives");
}
is(work($_), '', "$_ does its work") or diag(slurp("/run/$_.log")) for @services;

# --- what is forbidden, to a program in the same place ---
my $probe = <<'PROBE';
use Socket;
for (qw(/usr /etc /home /root /)) { print "writes $_\n" if open(my $fh, '>', "$_/postern-was-here") }
for (qw(/run/postern /var/lib/postern /tmp)) { print "cannot write $_: $!\n" if !open(my $fh, '>', "$_/was-here"); unlink "$_/was-here" }
print "netlink\n" if socket(my $n, 16, SOCK_DGRAM, 0);
print "packet\n" if socket(my $p, 17, SOCK_DGRAM, 0);
print "chroot\n" if chroot '/';
print "reads the log\n" if open(my $l, '<', '/var/log/mail.log');
print "chowns\n" if chown $<, -1, '/proc/self/fd/1';
print "$1 $2\n" while do { local $/; open(my $s, '<', '/proc/self/status'); <$s> } =~ /^(NoNewPrivs|CapBnd|Seccomp):\t(\S+)/mg;
PROBE
$probe =~ s/^print "\$1.*/my \$all = do { local \$\/; open(my \$s, '<', '\/proc\/self\/status'); <\$s> }; print "\$1 \$2\\n" while \$all =~ \/^(NoNewPrivs|CapBnd|Seccomp):\\t(\\S+)\/mg;/m;
spew('/run/probe.pl', $probe);
for my $daemon (@services) {
    unlink '/run/probe.log';
    waitpid(confined($unit{$daemon}, command => [$^X, '/run/probe.pl'], log => '/run/probe.log'), 0);
    my @expected = $daemon eq 'tlsrptd' ? ('writes /', 'netlink', 'reads the log', 'chowns', 'CapBnd 00000000000000fb', 'NoNewPrivs 0', 'Seccomp 2') : ('CapBnd 0000000000000000', 'NoNewPrivs 1', 'Seccomp 2');
    is(join("\n", sort split /\n/, slurp('/run/probe.log')), join("\n", sort @expected), "$daemon: what is forbidden is, and the rest is not");
}

# --- the end ---
for my $daemon (@services) {
    forget();
    kill 'TERM', $pid{$daemon};
    ok(heard('STOPPING=1'), "$daemon says that it is stopping");
    is(waitpid(delete $pid{$daemon}, 0) && $?, 0, "$daemon ends well") or diag(slurp("/run/$daemon.log"));
    unlike(slurp("/run/$daemon.log"), qr/Sanitizer|runtime error/, 'nothing for the sanitizers');
}
done_testing();
