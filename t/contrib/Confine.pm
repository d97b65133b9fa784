# Confine.pm - runs a program under the restrictions of a unit, without systemd, as far as that can be done: user, capabilities, no new privileges, a filter of
# system calls and address families, file system, limits, sockets handed over, a socket for notifications. For root.
package Confine;
use strict;
use warnings;
use Exporter 'import';
use Fcntl qw(F_SETFD);
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX ();
use Socket qw(AF_UNIX AF_INET AF_INET6 SOCK_DGRAM SOCK_STREAM SOMAXCONN);

our @EXPORT = qw(unit_read confined listen_for allowed_calls);

use constant { PR_SET_SECCOMP => 22, PR_CAPBSET_DROP => 24, PR_SET_NO_NEW_PRIVS => 38, CAPS => 41, RET_ALLOW => 0x7fff0000, RET_ERRNO => 0x50000, RET_KILL => 0x80000000, EAFNOSUPPORT => 97, EPERM => 1 };
use constant { CLONE_NEWNS => 0x20000 };
my %FAMILY = (AF_UNIX => AF_UNIX, AF_INET => AF_INET, AF_INET6 => AF_INET6, AF_NETLINK => 16);
my %AUDIT_ARCH = (x86_64 => 0xc000003e, aarch64 => 0xc00000b7);
my @CAP = qw(CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID);

sub slurp { my ($file) = @_; open(my $fh, '<', $file) or die "$file: $!"; local $/; return <$fh> }

# A unit: name => [values], where an empty value forgets those before it, as in systemd
sub unit_read {
    my ($file) = @_;
    my %unit;
    for (split /\n/, slurp($file)) {
        next if !/^(\w+)=(.*)/;
        if ($2 eq '') { $unit{$1} = [] } else { push @{ $unit{$1} }, $2 }
    }
    return \%unit;
}

sub last_of { my ($unit, $name) = @_; return ($unit->{$name} // [''])->[-1] // '' }
sub words_of { my ($unit, $name) = @_; return map { split ' ' } @{ $unit->{$name} // [] } }
sub is_on { return last_of(@_) =~ /^(yes|true|invisible)$/ }

# --- the filter ---

my (%group, %number);
sub group {
    my ($name) = @_;
    if (!%group) {
        my $now;
        for (qx(systemd-analyze syscall-filter)) {
            if (/^(?:\e\[[\d;]*m)?(\@[\w-]+)/) { $now = $1 } elsif (/^ +(?:\e\[[\d;]*m)?([\@\w-]+)/ && defined $now) { push @{ $group{$now} }, $1 }
        }
    }
    return map { /^@/ ? group($_) : $_ } @{ $group{$name} // die "no group $name" };
}

sub number {
    my ($name) = @_;
    if (!%number) {
        my %text = map { /^#define __NR(\S+) (\S+)/ ? ($1 => $2) : () } qx(echo '#include <sys/syscall.h>' | cc -E -dM -);
        for my $call (keys %text) {
            my $value = $text{$call};
            $value = $text{$1} // '' while $value =~ /^__NR(\S+)$/;
            $number{ $call =~ s/^_//r } = $value if $value =~ /^\d+$/;
        }
    }
    return $number{$name};
}

# The names of those that may be called
sub allowed_calls {
    my ($unit) = @_;
    my %may = map { ($_ => 1) } group('@default');
    for my $line (@{ $unit->{SystemCallFilter} }) {
        my ($not, $names) = $line =~ /^(~?)(.*)/;
        for my $call (map { /^@/ ? group($_) : $_ } split ' ', $names) {
            if ($not) { delete $may{$call} } else { $may{$call} = 1 }
        }
    }
    return sort keys %may;
}

# Calls that are not allowed fail; sockets are of those families.
sub program {
    my ($families, @calls) = @_;
    my $arch = $AUDIT_ARCH{ (POSIX::uname())[4] } // die 'no number of this architecture';
    my $code = '';
    my $add = sub { $code .= pack('SCCL', @_) };
    my $answer = sub { my ($value, $then) = @_; $add->(0x15, 0, 1, $value); $add->(0x06, 0, 0, $then) };
    $add->(0x20, 0, 0, 4);
    $add->(0x15, 1, 0, $arch);
    $add->(0x06, 0, 0, RET_KILL);
    $add->(0x20, 0, 0, 0);
    $answer->($_, RET_ALLOW) for grep { $_ != number('socket') } map { number($_) // () } @calls;
    $add->(0x15, 1, 0, number('socket'));
    $add->(0x06, 0, 0, RET_ERRNO | EPERM);
    $add->(0x20, 0, 0, 16);
    $answer->($FAMILY{$_} // die("no family $_"), RET_ALLOW) for @$families;
    $add->(0x06, 0, 0, RET_ERRNO | EAFNOSUPPORT);
    return $code;
}

sub prctl { my (@args) = (@_, (0) x 4); return syscall(number('prctl'), @args[0 .. 4]) == 0 }

# --- the file system ---

sub run { system(@_) == 0 or die "@_: $?" }

sub file_system {
    my ($unit) = @_;
    syscall(number('unshare'), CLONE_NEWNS) == 0 or die "unshare: $!";
    run(qw(mount --make-rprivate /));
    my @write = ('/run/postern', '/var/lib/postern');
    my $system = last_of($unit, 'ProtectSystem');
    run('mount', '-t', 'tmpfs', 'tmpfs', $_) for is_on($unit, 'PrivateTmp') ? ('/tmp', '/var/tmp') : ();
    chmod 01777, '/tmp', '/var/tmp';
    run('mount', '-t', 'tmpfs', '-o', 'mode=0,ro', 'tmpfs', $_) for (is_on($unit, 'ProtectHome') ? ('/home', '/root') : ()), map { s/^-//r } words_of($unit, 'InaccessiblePaths');
    for my $path ($system eq 'strict' ? @write : ()) { run('mount', '--bind', $path, $path) }
    # one that is below another is told apart
    for my $path ($system eq 'strict' ? '/' : $system eq 'full' ? ('/usr', '/etc') : ()) { run('mount', '--bind', $path, $path) if $path ne '/'; run('mount', '-o', 'remount,bind,ro', $path) }
}

# --- sockets ---

# Those of the socket units, as descriptors
sub listen_for {
    my (@files) = @_;
    my @sockets;
    for my $unit (map { unit_read($_) } @files) {
        for (map { [SOCK_STREAM, $_] } @{ $unit->{ListenStream} // [] }) { push @sockets, made($unit, @$_) }
        for (map { [SOCK_DGRAM, $_] } @{ $unit->{ListenDatagram} // [] }) { push @sockets, made($unit, @$_) }
    }
    return @sockets;
}

sub made {
    my ($unit, $type, $at) = @_;
    my @listen = $type == SOCK_STREAM ? (Listen => SOMAXCONN) : ();
    return IO::Socket::INET->new(LocalAddr => $at, ReuseAddr => 1, @listen) // die "$at: $!" if $at !~ m{^/};
    unlink $at;
    my $socket = IO::Socket::UNIX->new(Type => $type, Local => $at, @listen) // die "$at: $!";
    chmod oct last_of($unit, 'SocketMode'), $at;
    chown +(getpwnam last_of($unit, 'SocketUser'))[2, 3], $at;
    return $socket;
}

# --- all of it ---

# confined($unit, sockets => [...], env => {...}, without => [calls], log => FILE, command => [...]): the process, which has become the unit's program, or the command.
sub confined {
    my ($unit, %o) = @_;
    my %without = map { ($_ => 1) } @{ $o{without} // [] };
    my @words = split ' ', last_of($unit, 'ExecStart');
    my $as_root = $words[0] =~ s/^!//;
    my @command = $o{command} ? @{ $o{command} } : @words;
    my $filter = program([words_of($unit, 'RestrictAddressFamilies')], grep { !$without{$_} } allowed_calls($unit));
    my (undef, undef, $uid, $gid) = getpwnam(last_of($unit, 'User')) or die 'no such user';
    my @limits = ([nofile => last_of($unit, 'LimitNOFILE'), qx(bash -c 'ulimit -Hn')], [rtprio => last_of($unit, 'LimitRTPRIO') || 0, qx(bash -c 'ulimit -Hr')]);
    my $pid = fork() // die;
    return $pid if $pid;
    eval {
        open(STDIN, '<', '/dev/null');
        if ($o{log}) { open(STDOUT, '>>', $o{log}); open(STDERR, '>&', \*STDOUT) }
        file_system($unit);
        # they are given away as 3, 4, …
        my @copies = map { fcntl($_, 0, 200) || die "$!" } @{ $o{sockets} // [] };
        for my $i (0 .. $#copies) { POSIX::dup2($copies[$i], 3 + $i) }
        POSIX::close($_) for 3 + @copies .. 400;
        local %ENV = (PATH => $ENV{PATH}, %{ $o{env} // {} }, @copies ? (LISTEN_FDS => scalar @copies, LISTEN_PID => $$) : (), ASAN_OPTIONS => 'detect_leaks=0');
        # as systemd: as near as may be
        run('prlimit', '--pid', $$, map { my ($what, $wanted, $most) = @$_; my $n = $most =~ /^\d+/ && $most < $wanted ? $most + 0 : $wanted; "--$what=$n:$n" } @limits);
        my %keep = map { (s/^CAP_//r => 1) } words_of($unit, 'CapabilityBoundingSet');
        prctl(PR_CAPBSET_DROP, $_) for grep { !$keep{ $CAP[$_] // '' } } 0 .. CAPS;
        umask oct last_of($unit, 'UMask');
        if (!$as_root) {
            my $groups = join ' ', $gid, $gid, map { $_->[2] } grep { " $_->[3] " =~ / postern / } groups();
            $) = $groups;
            POSIX::setgid($gid);
            POSIX::setuid($uid);
        }
        prctl(PR_SET_NO_NEW_PRIVS, 1) or die "no_new_privs: $!" if is_on($unit, 'NoNewPrivileges');
        my $fprog = pack('S x![P] P', length($filter) / 8, $filter);
        no warnings 'exec';
        prctl(PR_SET_SECCOMP, 2, $fprog) or die "seccomp: $!";
        exec @command or print STDERR "@command: $!\n";
        POSIX::_exit(126);
    };
    print STDERR "confined: $@";
    POSIX::_exit(125);
}

sub groups { my @all; setgrent(); while (my @group = getgrent()) { push @all, \@group } endgrent(); return @all }

1;
