#!/usr/bin/perl
# The Debian package on a machine of its own, with Debian's Postfix, Redis and systemd: what it installs, and that it serves mail; upgrades, which keep what was
# edited; removal and purge, which leave the machine as it was.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Lab;
use Package;
use Test::More;

my $conf = '/etc/postern/postern.conf';
my $template = '/usr/share/postern/postern.conf';
my $completion = '/usr/share/bash-completion/completions/posternctl';

my $deb = Package::deb();
Package::start();
Package::install_debian('redis-server');
Package::install_postfix();
my $before = Package::changes();

# What dpkg is told must succeed; what it says else is shown.
sub dpkg_ok {
    my ($what, @words) = @_;
    my ($status, $said) = Package::dpkg(@words);
    is($status, 0, $what) or diag $said;
    return $said;
}

sub owner { return Package::says('stat', '-c', '%a %U:%G', $_[0]) }
sub pids { return join ' ', map { Package::main_pid($_) } @Package::SERVICES }
sub socket_inode { return Package::says('sh', '-c', q{awk '$8 == "/run/postern/policyd.sock" {print $7}' /proc/net/unix | head -n 1}) }

# --- installed ---
Package::copy_in($deb, '/tmp/postern.deb');
dpkg_ok('it is installed', '-i', '/tmp/postern.deb');
is(Package::says('dpkg', '-V', 'postern'), '', 'all of its files are there');
for (
    [$conf, '640 root:postern'], ['/etc/postern', '755 root:root'], ['/var/lib/postern', '750 postern:postern'], ['/run/postern', '755 postern:postern'],
    ['/usr/sbin/postern-stsd', '755 root:root'], ['/usr/bin/posternctl', '755 root:root'], [$template, '644 root:root'],
    [$completion, '644 root:root'], ['/usr/share/zsh/vendor-completions/_posternctl', '644 root:root'],
) {
    my ($path, $wanted) = @$_;
    is(owner($path), $wanted, "$path: $wanted");
}
like(Package::says('getent', 'passwd', 'postern'), qr{^postern:x:\d+:\d+:[^:]*:/var/lib/postern:/usr/sbin/nologin$}, 'the user postern');
is(Package::says('cat', $conf), Package::says('cat', $template), 'the configuration is the one with all defaults');
is_deeply([Package::run('posternctl', 'check', 'config')], [0, "valid\n", ''], 'posternctl finds it valid');
for my $page (map { s{.*/}{}r } glob "$Package::TREE/doc/*.[1-8]") {
    like(Package::says('man', '-w', $page =~ /\.(\d)$/, $page =~ s/\.\d$//r), qr{^/usr/share/man/.*/\Q$page\E\.gz$}, "manual page $page");
}
# What bash does at TAB: it calls the function that the file has for posternctl with the words so far.
is(Package::says('bash', '-c', "source $completion; complete -p posternctl"), 'complete -F _posternctl posternctl', 'bash completes posternctl');
is(Package::says('bash', '-c', "source $completion; COMP_WORDS=(posternctl pub) COMP_CWORD=1; _posternctl; echo \${COMPREPLY[*]}"), 'publish', 'posternctl pub: publish');
is(Package::active(), join(' ', ('active') x @Package::SERVICES), 'all daemons run');
is(Package::says('systemctl', 'is-enabled', 'postern.target', @Package::SERVICES), join("\n", ('enabled') x (1 + @Package::SERVICES)), 'and will after a boot');
for my $unit (@Package::SERVICES) {
    is(Package::says('ps', '-o', 'user=', '-p', Package::main_pid($unit)), 'postern', "$unit: user postern");
}

# --- it serves mail ---
like(Package::says('posternctl', 'explain', 'sts-good.test'), qr/secure/, 'policyd and stsd answer');
is(Package::says('postmap', '-q', 'dane-good.test', 'socketmap:unix:/run/postern/policyd.sock:postfix'), 'dane-only', 'Postfix is answered');
Package::must('cp', '-p', '/etc/postfix/main.cf', '/tmp/main.cf');
Package::must('postconf', '-e', 'smtp_tls_policy_maps = socketmap:inet:127.0.0.1:8461:postfix', 'smtp_tls_security_level = may', 'smtp_dns_support_level = dnssec',
    'smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt', 'smtp_tls_loglevel = 1');
Package::must('systemctl', 'reload', 'postfix');
my $to = Package::send_mail('sts-good.test');
like(Package::outcome($to), qr/status=sent/, 'mail through the installed Postfix goes');
like(Package::mail_log(), qr/Verified TLS connection established to mx\.sts-good\.test/, 'over verified TLS');
ok(Lab::until_true(sub { Lab::mailbox($to) }), 'and is delivered');
Package::must('cp', '-p', '/tmp/main.cf', '/etc/postfix/main.cf');
Package::must('systemctl', 'reload', 'postfix');

# --- upgrades ---
my ($pids, $inode) = (pids(), socket_inode());
my $newer = Package::other_version('/tmp/postern.deb', '0.1.0+new1', "sed -i '1s/^/# newer\\n/' usr/share/postern/postern.conf");
dpkg_ok('an upgrade', '-i', $newer);
like(Package::says('head', '-n', 1, $conf), qr/^# newer$/, 'a configuration that nobody has edited becomes the newer one');
is(owner($conf), '640 root:postern', 'with the same owner');
is(Package::active(), join(' ', ('active') x @Package::SERVICES), 'all daemons run');
my %old = map { $_ => 1 } split / /, $pids;
is(join(' ', grep { $old{$_} } split / /, pids()), '', 'they are new ones');
is(socket_inode(), $inode, 'their sockets are the same: who asked meanwhile has waited');

Package::must('sed', '-i', 's/^policyd {/policyd {\n    default_level = "may"/', $conf);
my $edited = Package::says('sha256sum', $conf);
$newer = Package::other_version('/tmp/postern.deb', '0.1.0+new2', "sed -i '1s/^/# newest\\n/' usr/share/postern/postern.conf");
dpkg_ok('another upgrade, with nobody to ask', '-i', $newer);
is(Package::says('sha256sum', $conf), $edited, 'a configuration that was edited is kept');
is(Package::active(), join(' ', ('active') x @Package::SERVICES), 'all daemons run');

# --- removal ---
Package::must('sh', '-c', 'mkdir -p -m 700 /var/lib/postern-setup/nonesuch && touch /var/lib/postern-setup/nonesuch/manifest');
my ($status, $said) = Package::dpkg('-r', 'postern');
isnt($status, 0, 'what was set up cannot be taken back: the package stays');
like($said, qr{not removed.*rm /var/lib/postern-setup/nonesuch/manifest}s, 'it says why, and what to do');
is(Package::active(), join(' ', ('active') x @Package::SERVICES), 'and serves on');
# A stand-in shows with what posternctl is called, and when.
Package::must('sh', '-c', 'cd /var/lib/postern-setup && rm -r nonesuch && mkdir postfix exim postfix,etc,pf-out && touch postfix/manifest postfix,etc,pf-out/manifest');
Package::write_file('/usr/bin/posternctl', qq{#!/bin/sh\necho "\$*: \$(systemctl is-active postern-policyd)" >>/tmp/undone\n});
dpkg_ok('it is removed', '-r', 'postern');
is(Package::says('cat', '/tmp/undone'), "setup postfix --config-dir /etc/pf-out --undo: active\nsetup postfix --undo: active",
    'what was set up is taken back while the daemons still answer');
Package::must('rm', '-r', '/var/lib/postern-setup');
is(join(' ', split /\n/, Package::says('systemctl', 'is-active', @Package::SERVICES)), join(' ', ('inactive') x @Package::SERVICES), 'no daemon runs');
is(Package::says('pgrep', '-u', 'postern'), '', 'and no process is left');
is(Package::says('sha256sum', $conf), $edited, 'the configuration is kept');
is(Package::says('sh', '-c', 'ls /run/postern'), '', 'no socket is left');
dpkg_ok('installed again', '-i', '/tmp/postern.deb');
is(Package::says('sha256sum', $conf), $edited, 'it has the configuration of before');
is(Package::active(), join(' ', ('active') x @Package::SERVICES), 'all daemons run');

# --- purge ---
dpkg_ok('it is purged', '-P', 'postern');
is(Package::says('sh', '-c', 'ls -d /etc/postern /var/lib/postern /run/postern 2>&1 | grep -v "No such file"'), '', 'its folders are gone');
my @left = grep { !m{^/etc/(?:passwd|group|shadow|gshadow)-?: } } Package::differences($before, Package::changes());
is(join("\n", @left), '', 'but for the user, nothing is left of it');
like(Package::says('getent', 'passwd', 'postern'), qr/^postern:/, 'the user stays');
Package::stop();
done_testing();
