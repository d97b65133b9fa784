#!/usr/bin/perl
# posternctl setup sendmail on Debian's Sendmail: from sendmail.mc as its package has it: what it shows, what is in the way, --apply and real mail after it, --undo octet
# for octet, after edits, and with flagged mail in the queue.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Lab;

# Debian's files at their places, in mounts of this test's own
BEGIN {
    exec 'env', 'SETUP_SENDMAIL=1', 'unshare', '--mount', $^X, $0 or die if !$ENV{SETUP_SENDMAIL};
}
use Fcntl qw(:flock);
use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use File::Temp ();
use Flags;
use Nodes;
use Relayed;
use Sendmail;
use Setup;
use Test::More;

my $dir = File::Temp->newdir;
my $etc = '/etc/mail';
my $share = dirname(dirname($FindBin::Bin)) . '/contrib';
my $conf = "$dir/postern.conf";
my $kept = "$dir/setup";
my $queue = '/var/spool/mqueue';
my $program = '/usr/libexec/sendmail/sendmail';
my $posternctl = "$ENV{POSTERN_BUILD}/ctl/posternctl";
our @config_dir;    # option
@Setup::CTL = ($posternctl, '-c', $conf);
$Setup::RUN = sub { return Lab::capture($posternctl, '-c', $conf, 'setup', 'sendmail', '--share', $share, @config_dir, @_) };

chmod 0755, $dir;

sub command {
    my (@words) = @_;
    my ($status, $out, $err) = Lab::capture(@words);
    die "@words: $out$err" if $status != 0;
    return $out;
}

# The folders of the package, and what its scripts make when it is installed
sub install {
    command('mount', '-t', 'overlay', 'sendmail', '-o', "lowerdir=$ENV{POSTERN_LAB_ROOT}/sendmail/usr:/usr", '/usr');
    command('mount', '-t', 'tmpfs', 'spool', '/var/spool');
    make_path($queue, '/run/sendmail/mta', "$etc/m4");
    chmod 0700, $queue;
    if (!getpwnam 'smmta') {
        for (['smmta', 990], ['smmsp', 991]) {
            my ($name, $id) = @$_;
            command('sh', '-c', "echo $name:x:$id: >>/etc/group; echo $name:x:$id:$id\::/:/bin/false >>/etc/passwd");
        }
    }
    spew("$etc/m4/$_.m4", '') for qw(dialup provider);
    spew("$etc/sendmail.mc", debian());
    make_cf();
    command('sh', '-c', "/usr/sbin/makemap hash $etc/access </dev/null");
    return;
}

# Debian's own, but for a port and authorities of the lab's, and no aliases
my $mc;
my $postern = <<"END";
redis { url = "unix:$Nodes::REDIS" }
policyd { lists_file = "" }
milter { user = "postern" lists_file = "" rules_file = "" }
relayd {
    stsd = "unix:$Lab::DIR/postern/stsd.sock"
    user = "postern"
    name = "client.test"
    ca_file = "$Lab::DIR/certs/ca.pem"
}
posternctl { setup_folder = "$kept" }
END

sub debian {
    my $text = slurp('/usr/share/sendmail/cf/debian/sendmail.mc');
    $text =~ s/Port=smtp, Addr=127/Port=2525, Addr=127/ or die;
    $text =~ s/^MAILER_DEFINITIONS$/define(`confCACERT', `$Lab::DIR\/certs\/ca.pem')dnl\ndefine(`ALIAS_FILE', `null:none')dnl\nMAILER_DEFINITIONS/m or die;
    return $text;
}

sub make_cf {
    command('sh', '-c', "cd $etc && m4 sendmail.mc >sendmail.cf");
    return;
}

# A machine as before: MC and other files, an empty Redis, nothing kept
sub fresh {
    my ($text, %file) = @_;
    remove_tree($kept);
    unlink "$etc/mailertable", "$etc/relay-domains", glob "$queue/*";
    spew($conf, delete $file{'postern.conf'} // $postern);
    chmod 0644, $conf;
    spew("$etc/sendmail.mc", $text // $mc);
    spew("$etc/local-host-names", "ours.test\n# not.test\n");
    spew("$etc/$_", $file{$_}) for keys %file;
    make_cf();
    chown 0, 991, "$etc/sendmail.cf";
    Nodes::redis('FLUSHALL');
    return;
}

sub files {
    return { map { ($_ => slurp($_), "$_ owner" => join ' ', (stat)[2, 4, 5]) } $conf, "$etc/sendmail.mc", "$etc/sendmail.cf" };
}

sub says {
    my ($line) = @_;
    return (Lab::capture('sh', '-c', "echo '$line' | $program -C $etc/sendmail.cf -bt 2>&1"))[1];
}

# { ADDRESS => 'qf' or 'hf' }
sub in_queue {
    my %found;
    for my $file (glob "$queue/[qh]f*") {
        my ($kind) = $file =~ m{/(.f)};
        $found{$_} = $kind for map { /^R\w*:<?(.*?)>?$/ } Lab::lines($file);
    }
    return \%found;
}

# A message that was tried, and is not being delivered now
sub rests {
    my ($file) = @_;
    open my $qf, '+<', $file or return;
    return flock($qf, LOCK_EX | LOCK_NB) && grep { /^MDeferred/ } <$qf>;
}

sub at_rest {
    return Lab::until_true(sub { !grep { !rests($_) } glob "$queue/qf*" });
}

install();
$mc = debian();
$Sendmail::DIR = "$dir";
$Sendmail::CF = "$etc/sendmail.cf";
Nodes::start_redis();

# --- the plan ---

fresh();
my $before = files();
my $out = ok_setup('the plan', 1, qr/^Needed:$/m);
like($out, qr/'include\(`\Q$share\E\/sendmail\/postern\.m4'\\''\)dnl'/, 'the line');
like($out, qr/^  \S+postern\.conf: policyd \{ dane = no \}$/m, 'DANE');
like($out, qr/policyd \{ dane = yes \}": that mail waits/, 'and the choice');
like($out, qr/list add local ours\.test$/m, 'a domain of class w');
unlike($out, qr/not\.test/, 'and no comment');
is_deeply(files(), $before, 'nothing is changed');
is_deeply([glob "$etc/*.new $etc/*.errors"], [], 'nor left');

# What it shows does what --apply does: the commands are pasted into a shell.
{
    my @commands = $out =~ /^  (sh -c 'set .*)/mg;
    is(scalar @commands, 2, 'commands') or diag($out);
    command('sh', '-c', $_) for @commands;
    my $pasted = slurp("$etc/sendmail.mc");
    fresh();
    $before = files();
    ok_setup('--apply', 0, qr/^Done; --undo takes it back\.$/m, undef, '--apply');
    is(slurp("$etc/sendmail.mc"), $pasted, 'sendmail.mc: as pasted');
}
like(slurp("$etc/sendmail.mc"), qr/^MAILER\(`smtp'\)dnl\n\n?dnl >>> postern: .*\ninclude\(`\Q$share\E\/sendmail\/postern\.m4'\)dnl\ndnl <<< postern\n\z/m, 'sendmail.mc');
is((stat "$etc/sendmail.cf")[5], 991, 'sendmail.cf: its group');
like(says('canonify,parse a+requiretls@far.test'), qr/returns: \$# requiretls /, 'flagged mail is for relayd');
like(slurp($conf), qr/dane = no/, 'postern.conf');
ok((grep { $_ eq 'ours.test' } @{ local_list() }), 'the list local');
my $applied = files();
ok_setup('--apply again', 0, qr/^sendmail: nothing is needed$/m, undef, '--apply');
is_deeply(files(), $applied, 'changes nothing');
ok_setup('--undo', 0, qr/^Taken back\.$/m, undef, '--undo');
is_deeply(files(), $before, 'octet for octet');
is_deeply(local_list(), [], 'the list local is empty');
ok_setup('--undo again', 0, qr/there is nothing to take back/, undef, '--undo');

# --- operators with things of their own ---

for (
    ['FEATURE(sts)', sub { $_[0] =~ s/^MAILER_DEF/FEATURE(`sts')dnl\nMAILER_DEF/mr }, qr/m4 does not take sendmail\.mc with Postern's lines: .*FEATURE\(sts\)/],
    ['FEATURE(compat_check)', sub { $_[0] =~ s/^MAILER_DEF/FEATURE(`compat_check')dnl\nMAILER_DEF/mr }, qr/a ruleset check_compat of its own/],
    ['rules for tls_server', sub { "$_[0]LOCAL_TLS_SERVER\nR\$*\t\$\@ OK\n" }, qr/LOCAL_TLS_SERVER/],
    ['no mailer', sub { $_[0] =~ s/^MAILER.*\n//gmr }, qr/no MAILER line/],
    ['a mailer of that name', sub { "$_[0]MAILER_DEFINITIONS\nMrelaxed,\tP=/bin/true, F=ms, A=true\n" }, qr/a mailer relaxed of its own/],
    ['half a mark', sub { "$_[0]dnl >>> postern\n" }, qr/one of the marks/],
    ['another tag', sub { $_[0] }, qr/has tags or a delimiter of its own/, 'postern.conf' => "${postern}milter { tag = \"safe\" }\n"],
    ['relayd by a socket', sub { $_[0] }, undef, 'postern.conf' => "${postern}relayd { listen = {\"unix:/run/r.sock\"} }\n"],
) {
    my ($what, $change, $want, %file) = @$_;
    fresh($change->($mc), %file);
    my $was = files();
    ok_setup("$what: --apply", $want ? 1 : 2, $want, $want ? qr/nothing was changed/ : qr/relayd\.listen in postern\.conf has no inet: address/, '--apply');
    is_deeply(files(), $was, "$what: nothing is changed");
}
fresh();
spew("$etc/sendmail.cf", slurp("$etc/sendmail.cf") . "O PrivacyOptions=goaway\n");
ok_setup('sendmail.cf edited by hand', 1, qr/is not what m4 makes of/, qr/nothing was changed/, '--apply');
spew("$etc/sendmail.cf", slurp("$etc/sendmail.cf") . "O Nonesuch=1\n");
ok_setup('sendmail.cf is wrong', 1, qr/Sendmail does not take .*unknown option name Nonesuch/, qr/nothing was changed/, '--apply');
unlink "$etc/sendmail.cf";
ok_setup('no sendmail.cf', 1, qr/there is no \/etc\/mail\/sendmail\.cf/, qr/nothing was changed/, '--apply');
unlink "$etc/sendmail.mc";
ok_setup('no sendmail.mc', 1, qr/there is no \/etc\/mail\/sendmail\.mc/, qr/nothing was changed/, '--apply');

# Another place for the files, other listeners, an old block of ours, an end without a newline
fresh();
{
    local @config_dir = ('--config-dir', "$dir/mail");
    make_path("$dir/mail");
    spew("$dir/mail/sendmail.mc", ($mc =~ s/\n+\z//r) . "\ndnl >>> postern: old\ninclude(`/nonesuch')dnl\ndnl <<< postern");
    spew("$dir/mail/sendmail.cf", slurp("$etc/sendmail.cf"));
    my @was = map { slurp("$dir/mail/sendmail.$_") } qw(mc cf);
    spew($conf, "${postern}policyd { listen = {\"unix:/run/p.sock\"} }\nmilter { listen = \"unix:/run/m.sock\" }\nrelayd { listen = {\"inet:[::1]:99\"} }\n");
    ok_setup('another folder', 0, qr/^Done/m, undef, '--apply');
    my $now = slurp("$dir/mail/sendmail.mc");
    like($now, qr/\Q`POSTERN_POLICYD', `local:\/run\/p.sock'\E.*\Q`POSTERN_MILTER', `local:\/run\/m.sock'\E.*\Q`POSTERN_RELAYD', `[IPv6:::1] 99'\E/s, 'other listeners');
    unlike($now, qr/nonesuch/, 'the old lines are gone');
    ok_setup('another folder: again', 0, qr/nothing is needed/, undef, '--apply');
    ok_setup('another folder: --undo', 0, qr/^Taken back\.$/m, undef, '--undo');
    is_deeply([map { slurp("$dir/mail/sendmail.$_") } qw(mc cf)], \@was, 'octet for octet');
}

# The include was there by hand
fresh("${mc}include(`$share/sendmail/postern.m4')dnl\n");
ok_setup('an include of his own', 0, qr/^Done/m, undef, '--apply');
is(scalar(() = slurp("$etc/sendmail.mc") =~ /postern\.m4/g), 1, 'is the only one');
unlike(slurp($conf), qr/dane/, 'and DANE, which the rules had waiting, stays');

# Domains: relay-domains with and without mailertable
fresh(undef, 'relay-domains' => "inner.test\nfar.test\n", mailertable => "inner.test\tesmtp:[192.0.2.9]\nother.test\tesmtp:[192.0.2.9]\n");
ok_setup('domains', 0, qr/^far\.test: in relay-domains, and not in the mailertable/m, undef, '--apply');
is_deeply([grep { /(?:inner|far|other|ours)\.test/ } @{ local_list() }], ['inner.test', 'ours.test'], 'in the list local: own ones, and those with a host inside');

# Postfix was set up here, too
fresh();
make_path("$kept/postfix");
spew("$kept/postfix/manifest", '{}');
ok_setup('beside Postfix', 1, qr/postfix asks this policyd, too, so DANE stays on/);
fresh(undef, 'postern.conf' => "${postern}policyd { dane = yes }\n");
$out = ok_setup('DANE by hand', 1, qr/dane = yes \}" \(so it is here\)/);

# --- edits, then --undo ---

fresh();
$before = files();
ok_setup('edits', 0, qr/^Done/m, undef, '--apply');
spew("$etc/sendmail.mc", slurp("$etc/sendmail.mc") =~ s/^MAILER_DEF/define(`confMAX_HOP', `33')dnl\nMAILER_DEF/mr);
make_cf();
ok_setup('edits: the plan', 0, qr/nothing is needed/);
ok_setup('edits: --undo', 0, qr/^Taken back\.$/m, undef, '--undo');
is(slurp("$etc/sendmail.mc"), $mc =~ s/^MAILER_DEF/define(`confMAX_HOP', `33')dnl\nMAILER_DEF/mr, 'our lines are gone, his are not');
like(slurp("$etc/sendmail.cf"), qr/^O MaxHopCount=33$/m, 'sendmail.cf is made anew');
unlike(slurp("$etc/sendmail.cf"), qr/requiretls/i, 'without ours');

fresh();
ok_setup('sendmail.mc edited only', 0, qr/^Done/m, undef, '--apply');
spew("$etc/sendmail.mc", slurp("$etc/sendmail.mc") . "dnl mine\n");
ok_setup('sendmail.mc edited only: --undo', 0, qr/^Taken back\.$/m, undef, '--undo');
is(slurp("$etc/sendmail.mc"), "${mc}dnl mine\n", 'our lines are gone');
is(slurp("$etc/sendmail.cf") =~ s/^#.*\n//gmr, $before->{"$etc/sendmail.cf"} =~ s/^#.*\n//gmr, 'of sendmail.cf, too');

fresh();
ok_setup('make only', 0, qr/^Done/m, undef, '--apply');
sleep 1;
make_cf();
ok_setup('make only: --undo', 0, qr/^Taken back\.$/m, undef, '--undo');
is(slurp("$etc/sendmail.mc"), $mc, 'sendmail.mc');
unlike(slurp("$etc/sendmail.cf"), qr/requiretls/i, 'sendmail.cf');

# --- failures midway ---

fresh();
{
    my $was = files();
    make_path("$dir/bin");
    spew("$dir/bin/chmod", "#!/bin/sh\necho 'chmod: no space left' >&2\nexit 1\n");
    chmod 0755, "$dir/bin/chmod";
    local $ENV{PATH} = "$dir/bin:$ENV{PATH}";
    ok_setup('a command fails', 1, undef, qr/all is as it was before: .*no space left/, '--apply');
    is_deeply(files(), $was, 'all is as it was');
    is_deeply([glob "$etc/*.new"], [], 'nothing is left');
    is_deeply(local_list(), [], 'nor in the list');
}

# --- real mail ---

fresh();
$before = files();
ok_setup('Sendmail is stopped', 0, qr/^sendmail does not run, so nothing is reloaded$/m, undef, '--apply');
ok_setup('Sendmail is stopped: --undo', 0, qr/^Taken back\.$/m, undef, '--undo');
Nodes::start('sendmail', sub { eval { Flags::session()->{greeting} =~ /^220 / } }, $program, '-C', "$etc/sendmail.cf", @Sendmail::WHATEVER_LOAD, '-bD');
ok_setup('Sendmail runs', 0, qr/^sh -c 'kill -HUP /m, undef, '--apply');
($Flags::CONF, $Relayed::CONF) = ($conf, $conf);
Flags::start_milter();
Relayed::start();
truncate $_, 0 for glob "$Lab::DIR/scripted/*.log";
sub flagged { return eval { Flags::session()->transmit(Relayed::message({ from => 'sender@plain.test', hold => 0, @_ })) } // '' }
ok(Lab::until_true(sub { flagged(name => 'first', to => ['user+requiretls@rt-sts.test']) =~ /^250/ }), 'flagged mail is taken in');
like(Sendmail::deliver('user@sts-good.test'), qr/^user\@sts-good\.test\.\.\. Sent/m, 'MTA-STS enforce: delivered');
like(Sendmail::deliver('user@sts-expired.test'), qr/Server certificate not verified/, 'and not with a certificate that has expired');
ok(Lab::until_true(sub { Sendmail::run_queue(); grep { /^MAIL FROM:<[^>]*> REQUIRETLS/ } Relayed::said('mx.rt-sts.test', 'under') }), 'flagged mail is delivered by relayd, with REQUIRETLS');
ok(Lab::until_true(sub { !in_queue()->{'user+requiretls@rt-sts.test'} }), 'and is gone');

# Flagged mail in the queue, when it is taken back
Relayed::stop();
like(flagged(name => 'waits', to => ['user+requiretls@rt-sts.test', '"a b+requiretls"@rt-dane.test']), qr/^250/, 'flagged mail');
ok(Lab::until_true(sub { my $q = in_queue(); $q->{'user+requiretls@rt-sts.test'} && $q->{'user@sts-expired.test'} }) && at_rest(), 'mail waits');
$out = ok_setup('--undo', 0, qr/^in quarantine: \w+ to .*\+requiretls"?\@rt-\w+\.test>?$/m, undef, '--undo');
like($out, qr/-qQ -Q -qI/, 'and how it is let out');
is_deeply({ map { $_ => in_queue()->{$_} } 'user+requiretls@rt-sts.test', '"a b+requiretls"@rt-dane.test', 'user@sts-expired.test' },
    { 'user+requiretls@rt-sts.test' => 'hf', '"a b+requiretls"@rt-dane.test' => 'hf', 'user@sts-expired.test' => 'qf' }, 'flagged mail is in quarantine, other mail is not');
is_deeply(files(), $before, 'octet for octet');
Sendmail::run_queue();
is(in_queue()->{'user+requiretls@rt-sts.test'}, 'hf', 'and stays there when the queue is run');
Nodes::stop('milter', 'TERM');
ok(Lab::until_true(sub { flagged(name => 'after', to => ['user@plain.test']) =~ /^250/ }), 'Sendmail takes mail without the milter');

# Back again: what was let out goes on flagged.
ok_setup('--apply once more', 0, qr/^Done/m, undef, '--apply');
Relayed::start();
truncate $_, 0 for glob "$Lab::DIR/scripted/*.log";
for my $id (map { m{/hf(\w+)$} } glob "$queue/hf*") {
    Lab::capture($program, '-C', "$etc/sendmail.cf", '-qQ', '-Q', "-qI$id");
}
ok(Lab::until_true(sub { Sendmail::run_queue(); !in_queue()->{'user+requiretls@rt-sts.test'} }), 'let out after --apply, it goes');
ok((grep { /^MAIL FROM:<[^>]*> REQUIRETLS/ } Relayed::said('mx.rt-sts.test', 'under')), 'flagged');

# A message that is being delivered cannot be put away; then nothing is taken back.
Relayed::stop();
Flags::start_milter();
ok(Lab::until_true(sub { flagged(name => 'locked', to => ['user+requiretls@rt-sts.test']) =~ /^250/ }), 'flagged mail');
my $qf = Lab::until_true(sub { (grep { my $text = slurp($_); $text =~ /requiretls/ && $text =~ /^MDeferred/m } glob "$queue/qf*")[0] });
{
    open my $lock, '+<', $qf or die "$qf: $!";    # it was tried once, and nobody writes it now
    flock $lock, LOCK_EX;
    my $now = files();
    ok_setup('a message is locked', 1, undef, qr/nothing was taken back, .*are being delivered just now/, '--undo');
    is_deeply(files(), $now, 'nothing is changed');
}
ok_setup('then', 0, qr/^in quarantine: /m, undef, '--undo');
Nodes::stop('sendmail', 'TERM');
Nodes::stop('milter', 'TERM');
Nodes::stop('nodes-redis', 'TERM');
done_testing();
