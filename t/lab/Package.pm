package Package;
# Package.pm - a machine of its own in the lab, with a systemd, on which Postern's Debian package is installed for real.
# The machine is this one as seen through an overlay (t/contrib/boot); its network is the lab's node "box". What is
# installed there ends with the machine.

use strict;
use warnings;
use Cwd qw(abs_path);
use Digest::SHA;
use Fcntl ':mode';
use File::Basename qw(dirname);
use File::Find qw(find);
use IPC::Open2 qw(open2);
use Lab;
use Nodes;

our $TREE = abs_path(dirname(__FILE__) . '/../..');
our $ADDRESS = '192.0.2.26';
our $ADDRESS6 = '2001:db8::26';

my ($boot, $to_boot, $from_boot, $init);

# The package: that of the folder $POSTERN_PACKAGE; without that, build/package, built first when it is older than the source
sub deb {
    my $folder = $ENV{POSTERN_PACKAGE};
    if (!$folder) {
        $folder = "$TREE/build/package";
        my ($status, undef, $err) = Lab::capture("$TREE/t/package", $folder);
        die "lab: $err" if $status;
    }
    my ($deb) = glob "$folder/postern_*.deb";
    return $deb // die "lab: no package in $folder\n";
}

# The node box, with an unbound of its own that validates, as the client has one
sub network {
    my $lib = "$TREE/t/lab/lib";
    my ($status, $out, $err) = Lab::capture('nsenter', '--net=/proc/1/ns/net', 'bash', '-c',
        ". $lib/base.sh; . $lib/nodes.sh; node_up box $ADDRESS $ADDRESS6");
    die "lab: node box: $out$err" if $status;
    my $conf = join '', map { "$_\n" } Lab::lines("$Lab::DIR/unbound.conf");
    $conf =~ s/unbound\.(ctl|log)/unbound-box.$1/g;
    open my $file, '>', "$Lab::DIR/unbound-box.conf" or die;
    print $file $conf;
    close $file;
    Nodes::start('unbound-box', sub { (Lab::capture(on_box('drill', '-D', '@127.0.0.1', 'soa', 'test')))[1] =~ /flags:.* ad/ },
        on_box('unbound', '-d', '-c', "$Lab::DIR/unbound-box.conf"));
    return;
}

sub on_box { return ('nsenter', '--net=/run/netns/box', @_) }

# Boots the machine: without Postern or a mail server, and with the lab's names and its authority.
sub start {
    network();
    local $ENV{BOOT_BARE} = 1;
    local $ENV{BOOT_NET} = 'keep';
    $boot = open2($from_boot, $to_boot, on_box("$TREE/t/contrib/boot", 'sh', '-c', 'echo up; exec cat'));
    (readline($from_boot) // '') eq "up\n" or die "lab: the machine does not boot\n";
    ($init) = grep { join('', Lab::lines("/proc/$_/status")) =~ /NSpid:\t\d+\t1[A-Z]/ } map { m{(\d+)$} } glob '/proc/[0-9]*';
    -e "/proc/$init/ns" or die "lab: the machine has no first process\n";
    my $ca = join '', map { "$_\n" } Lab::lines("$Lab::DIR/certs/ca.pem");
    write_file('/etc/resolv.conf', "nameserver 127.0.0.1\noptions edns0 trust-ad\n");
    write_file('/etc/hosts', "127.0.0.1 localhost\n$ADDRESS box.test box\n");
    write_file('/etc/nsswitch.conf', "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n");
    write_file('/etc/mailname', "box.test\n");
    append_file('/etc/ssl/certs/ca-certificates.crt', $ca);
    run('hostname', 'box.test');
    # container images forbid to start what is installed, and some manual pages; indexing these takes seconds
    run('sh', '-c', 'rm -f /usr/sbin/policy-rc.d /etc/dpkg/dpkg.cfg.d/* /var/lib/man-db/auto-update');
    return;
}

# trust(PEM ...): as an administrator has it trust authorities
sub trust {
    my $number = 0;
    write_file('/usr/local/share/ca-certificates/lab-' . ++$number . '.crt', $_) for @_;
    must('update-ca-certificates');
    return;
}

# These key records of box.test, and no others
sub publish_keys {
    my (@records) = @_;
    my $path = "$Lab::DIR/zones/box.test.zone";
    my @zone = map { "$_\n" } grep { !/\._domainkey\./ } Lab::lines($path);
    open my $zone, '>', $path or die;
    print $zone @zone, @records;
    close $zone;
    Lab::capture('zones-changed', 'box.test');
    Lab::capture('unbound-control', '-c', "$Lab::DIR/unbound.conf", 'flush_zone', 'box.test');
    Lab::capture(on_box('unbound-control', '-c', "$Lab::DIR/unbound-box.conf", 'flush_zone', 'box.test'));
    return;
}

sub stop {
    return if !$boot;
    close $to_boot;
    waitpid $boot, 0;
    undef $boot;
    Nodes::stop('unbound-box', 'TERM');
    Lab::capture('nsenter', '--net=/proc/1/ns/net', 'sh', '-c', 'ip link del box; ip netns del box');    # the next test has one of its own
    return;
}

END {
    my $status = $?;
    stop();
    $? = $status;
}

# run(COMMAND ...): on the machine, as root: exit status, standard output, standard error
sub run {
    my @command = @_;
    return Lab::capture('nsenter', '-t', $init, '-a', '--wdns=/', 'env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL=C.UTF-8', 'HOME=/root',
        'DEBIAN_FRONTEND=noninteractive', 'TERM=dumb', @command);
}

# What a command says there, all of it, without the last line's end
sub says {
    my (undef, $out, $err) = run(@_);
    chomp(my $all = $out . $err);
    return $all;
}

# A command that must succeed; otherwise the test ends here with what it said.
sub must {
    my ($status, $out, $err) = run(@_);
    die "on the machine: @_: status $status\n$out$err" if $status;
    return $out . $err;
}

# The machine's files, as seen from outside it
sub path { return "/proc/$init/root$_[0]" }
sub read_file { return join '', map { "$_\n" } Lab::lines(path($_[0])) }

sub put {
    my ($how, $path, $text) = @_;
    my $quoted = $path =~ s/'/'\\''/gr;
    open my $out, '|-', 'nsenter', '-t', $init, '-a', '--wdns=/', 'sh', '-c', "cat $how '$quoted'" or die;
    print $out $text;
    close $out or die "on the machine: cannot write $path\n";
    return;
}
sub write_file { return put('>', @_) }
sub append_file { return put('>>', @_) }

# dpkg(OPTION ...): exit status and all that it and the package's scripts said
sub dpkg {
    my ($status, $out, $err) = run('dpkg', @_);
    return ($status, $out . $err);
}

# Debian's packages that the lab has fetched, and what they depend on that this machine lacks, installed there
sub install_debian {
    my @wanted = @_;
    my %deb;
    for my $file (map { glob "$ENV{POSTERN_LAB_ROOT}/archives/$_" } '*.deb', 'exim/*.deb') {
        my ($name) = $file =~ m{([^/_]+)_[^/]*$};
        $deb{$name} = $file;
    }
    my (%take, %seen);
    while (defined(my $name = shift @wanted)) {
        next if $seen{$name}++;
        my (undef, $installed) = run('dpkg-query', '-W', '-f', '${db:Status-Status}', $name);
        next if $installed eq 'installed' || !$deb{$name};
        $take{$name} = $deb{$name};
        my (undef, $needs) = Lab::capture('dpkg-deb', '-f', $deb{$name}, 'Depends', 'Pre-Depends');
        push @wanted, $needs =~ /(?:^|[:,|\n])\s*([a-z0-9][a-z0-9+.-]+)/g;
    }
    return if !%take;
    # their folder is not there: one after the other through a pipe
    must('mkdir', '-p', '/tmp/debs');
    copy_in($take{$_}, "/tmp/debs/$_.deb") for sort keys %take;
    return must('sh', '-c', 'dpkg -i /tmp/debs/*.deb && rm -r /tmp/debs');
}

# copy_in(FILE, PATH): a file of the lab to the machine
sub copy_in {
    my ($from, $to) = @_;
    system('cp', $from, path($to)) == 0 or die "on the machine: cannot copy $from\n";
    return;
}

# version(DEB, VERSION): the same package under another version, on the machine. Its path there
sub other_version {
    my ($deb, $version, $change) = @_;
    my $to = "/tmp/postern-$version";
    must('dpkg-deb', '-R', $deb, $to);
    must('sed', '-i', "s/^Version: .*/Version: $version/", "$to/DEBIAN/control");
    must('sh', '-c', "cd $to && $change") if $change;
    must('dpkg-deb', '-b', '-Znone', $to, "$to.deb");
    must('rm', '-r', $to);
    return "$to.deb";
}

# --- what a package leaves ---

# What differs from this machine: path => what is there. Left out are dpkg's own records, logs and caches, and what systemd, Postfix, Exim and Redis keep.
sub changes {
    my ($upper) = glob "/proc/$boot/root/tmp/postern-boot.*/upper";
    my %found;
    find({ no_chdir => 1, wanted => sub {
        my $path = substr $File::Find::name, length $upper;
        return if $path eq '' || $path =~ m{^/var/(?:lib/dpkg|lib/ucf|log|cache|(?:lib|spool)/(?:systemd|private|dbus|postfix|exim4|redis)|tmp/systemd-private[^/]*)(?:/|$)};
        my @stat = lstat $File::Find::name;
        my @under = lstat $path;
        return if S_ISDIR($stat[2]) && @under && $under[2] == $stat[2] && $under[4] == $stat[4];    # a file in it was there meanwhile
        my $what = sprintf '%06o %d:%d', @stat[2, 4, 5];
        $what .= ' ' . Digest::SHA->new(256)->addfile($File::Find::name, 'b')->hexdigest if S_ISREG($stat[2]);
        $what .= ' ' . readlink $File::Find::name if S_ISLNK($stat[2]);
        $found{$path} = $what;
    } }, $upper);
    return \%found;
}

# What of `before` is otherwise in `after`, as a list of lines
sub differences {
    my ($before, $after) = @_;
    my @lines;
    for my $path (sort keys %{ { %$before, %$after } }) {
        my ($was, $is) = ($before->{$path} // 'nothing', $after->{$path} // 'nothing');
        push @lines, "$path: $was, now $is" if $was ne $is;
    }
    return @lines;
}

# --- Postfix there ---

# As an administrator has it who has answered Debian's questions: an Internet site, here with the lab's addresses
sub install_postfix {
    must('sh', '-c', "printf 'postfix postfix/%s\n' 'main_mailer_type select Internet Site' 'mailname string box.test' | debconf-set-selections");
    install_debian('postfix');
    must('postconf', '-e', "smtp_bind_address=$ADDRESS", 'smtp_helo_name=box.test', 'minimal_backoff_time=1h', 'queue_run_delay=1h');
    must('systemctl', 'restart', 'postfix');
    return;
}

my $sent = 0;

# Sends a message from there to a new address at a domain; returns the address.
sub send_mail {
    my ($domain) = @_;
    my $to = sprintf 'p%d-%d@%s', $$, ++$sent, $domain;
    must('sh', '-c', "printf 'From: sender\@box.test\nTo: $to\nSubject: through Postern\n\nHello.\n' | sendmail -N never -f sender\@box.test $to");
    return $to;
}

# What its Postfix has logged
sub mail_log { return says('sh', '-c', 'journalctl -q -o cat --facility=mail') }

# Waits for what becomes of mail to an address: the line of the log that says it. What passes the milter on its way in is none.
sub outcome {
    my ($to) = @_;
    return Lab::until_true(sub {
        my ($line) = grep { /: to=<\Q$to\E>, relay=(?!127\.0\.0\.1\[).* status=/ } split /\n/, mail_log();
        return $line;
    });
}

# --- Exim there ---

# The same of Exim
sub install_exim {
    my @answers = ('dc_eximconfig_configtype select internet site; mail is sent and received directly using SMTP', 'mailname string box.test', 'dc_other_hostnames string box.test');
    must('sh', '-c', join ' && ', map { "echo 'exim4-config exim4/$_' | debconf-set-selections" } @answers);
    install_debian('exim4-daemon-heavy');
    return;
}

# Waits for what becomes of mail to an address: the line of its log that says it, as in exim(8): => went, == waits, ** came back
sub exim_outcome {
    my ($to) = @_;
    return Lab::until_true(sub {
        my ($line) = grep { / (?:=>|->|==|\*\*) (?:[^<]* <\Q$to\E>|\Q$to\E):? / } exim_log();
        return $line;
    });
}

sub exim_log { return Lab::lines(path('/var/log/exim4/mainlog')) }

# --- Postern there ---

our @SERVICES = map { "postern-$_.service" } qw(milter policyd relayd stsd tlsrptd);

# The process of a service, 0 for none
sub main_pid {
    my ($unit) = @_;
    return says('systemctl', 'show', '--value', '-p', 'MainPID', $unit);
}

# Waits until all of Postern's services run; what each is then
sub active {
    my @units = @_ ? @_ : @SERVICES;
    Lab::until_true(sub { !grep { $_ ne 'active' } split /\n/, says('systemctl', 'is-active', @units) });
    return join ' ', split /\n/, says('systemctl', 'is-active', @units);
}

1;
