#!/usr/bin/perl
# posternctl setup postfix on a real Postfix, as Debian's postinst leaves it: what it shows, --apply and real mail after it, operators with things of their own,
# failures midway, --undo octet for octet, item by item, and with flagged mail in the queue.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Fcntl qw(:flock);
use File::Basename qw(dirname);
use File::Copy ();
use File::Path qw(make_path remove_tree);
use File::Temp ();
use Flags;
use IO::Socket::INET;
use JSON::PP ();
use Lab;
use Nodes;
use Relayed;
use Setup;
use Test::More;

my $dir = File::Temp->newdir;
my $etc = '/etc/pf-setup';
my $share = dirname(dirname($FindBin::Bin)) . '/contrib';
my $conf = "$dir/postern.conf";
my $kept = "$dir/setup";
my $posternctl = "$ENV{POSTERN_BUILD}/ctl/posternctl";
@Setup::CTL = ($posternctl, '-c', $conf);
$Setup::RUN = \&setup;
my $log = "$Lab::DIR/log/flag.log";

chmod 0755, $dir;

# Postfix waits until a file that it reads is two seconds old.
sub age { utime time - 60, time - 60, glob "$etc/*"; return }

# What Debian's postinst writes, where the smtpd is one of the test's own
my $main = slurp('/usr/share/postfix/main.cf.debian') . <<"END";
smtpd_tls_cert_file=/etc/ssl/certs/ssl-cert-snakeoil.pem
smtpd_tls_key_file=/etc/ssl/private/ssl-cert-snakeoil.key
smtp_tls_CAfile=$Lab::DIR/certs/ca.pem
smtp_tls_session_cache_database = btree:\${data_directory}/smtp_scache
smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated defer_unauth_destination
myhostname = client.test
alias_maps = inline:{root=out\@remote.test}
alias_database =
local_recipient_maps =
myorigin = /etc/mailname
mydestination = \$myhostname, client.test, localhost.test, , localhost
relayhost =
mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128
mailbox_size_limit = 0
inet_protocols = all
smtp_bind_address = 192.0.2.25
queue_directory = $Lab::DIR/flag/spool
data_directory = $Lab::DIR/flag/lib
maillog_file = $log
maillog_file_prefixes = $Lab::DIR
queue_run_delay = 1h
minimal_backoff_time = 1h
END
my $master = slurp('/usr/share/postfix/master.cf.dist') =~ s/^smtp( +inet)/127.0.0.1:2525$1/mr;
my $postern = <<"END";
# the operator's own
redis {
    url = "unix:$Nodes::REDIS" # here
}
stsd { listen = "unix:$Lab::DIR/postern/stsd.sock" }
policyd { lists_file = "" }
milter { user = "postern" lists_file = "" rules_file = "" }
relayd {
    stsd = "unix:$Lab::DIR/postern/stsd.sock"
    user = "postern"
    name = "client.test"
    ca_file = "$Lab::DIR/certs/ca.pem"
    # tlsrpt = ""
}
posternctl { setup_folder = "$kept" }
END

# A machine as before: files (FILE => TEXT instead), an empty Redis, nothing kept
sub fresh {
    my (%other) = @_;
    remove_tree($etc, $kept);
    make_path($etc);
    my %file = ('main.cf' => $main, 'master.cf' => $master, %other);
    spew($conf, delete $file{'postern.conf'} // $postern);
    chmod 0640, $conf;
    spew("$etc/$_", $file{$_}) for keys %file;
    age();
    Nodes::redis('FLUSHALL');
    return;
}

# All files that setup may change, as one hash
sub files {
    return { map { $_ => slurp($_) } $conf, glob "$etc/*" };
}

# setup(WORD, ...): status, output, errors
sub setup {
    my (@words) = @_;
    my @got = Lab::capture($posternctl, '-c', $conf, 'setup', 'postfix', '--config-dir', $etc, '--share', $share, @words);
    age();
    return @got;
}

sub postconf {
    my (@words) = @_;
    my ($status, $out) = Lab::capture('postconf', '-c', $etc, @words);
    chomp $out;
    return $out;
}

sub edit {
    my (@words) = @_;
    Lab::capture('postconf', '-c', $etc, @words);
    age();
    return;
}

sub findings {
    my ($status, $out) = Lab::capture($posternctl, '-c', $conf, 'check', 'postfix', '--config-dir', $etc, '--json');
    return JSON::PP->new->utf8->decode($out)->{findings};
}

Nodes::start_redis();

# --- the plan, and its end without Postfix ---

fresh();
my $before = files();
my $out = ok_setup('the plan', 1, qr/^Needed:$/m);
like($out, qr/^  postconf -c \Q$etc\E -e smtp_tls_policy_maps=socketmap:inet:127\.0\.0\.1:8461:postfix$/m, 'a command');
like($out, qr/^    \| if !\/\@\(client\\\.test\|localhost\\\.test\|localhost\)\$\/$/m, 'a line of a file');
is_deeply(files(), $before, 'and nothing is changed');
ok(!-e $kept, 'nor kept');

# What it shows does what --apply does: the commands are pasted into a shell.
{
    my @commands = map { /^  (postconf .*)/ ? $1 : () } split /\n/, $out;
    cmp_ok(scalar @commands, '>', 15, 'commands');
    for my $command (@commands) {
        my ($status, undef, $err) = Lab::capture('sh', '-c', $command);
        is($status, 0, substr($command, 0, 100)) or diag($err);
    }
    my %pasted = (main => slurp("$etc/main.cf"), master => slurp("$etc/master.cf"));
    fresh();
    ok_setup('--apply', 0, qr/^Done; --undo takes it back\.$/m, undef, '--apply');
    is(slurp("$etc/$_.cf"), $pasted{$_}, "$_.cf: as pasted") for qw(main master);
}
is_deeply(findings(), [], 'check postfix finds nothing');
is_deeply(local_list(), ['client.test', 'localhost', 'localhost.test'], 'the list local');
like(slurp($conf), qr/^    # tlsrpt = ""\n    tlsrpt = "unix:\/run\/postern\/tlsrptd\.sock"$/m, 'postern.conf: a line below its comment');
like(slurp($conf), qr/^    url = "unix:\Q$Nodes::REDIS\E" # here$/m, 'the others stay');
is((stat $conf)[2] & 07777, 0640, 'with its permissions');
is(scalar(() = Lab::lines("$dir/keys/rsa.pem")) > 5, 1, 'a key');
my $applied = files();
ok_setup('--apply again', 0, qr/^postfix: nothing is needed$/m, undef, '--apply');
is_deeply(files(), $applied, 'changes nothing');
ok_setup('the plan now', 0, qr/^postfix: nothing is needed$/m);
ok_setup('--undo', 0, qr/^Taken back\.$/m, undef, '--undo');
is_deeply(diff_of($before, files()), [], 'octet for octet');
is_deeply(local_list(), [], 'the list local is empty');
is_deeply([glob "$kept/*/*"], [glob "$kept/*/lock"], 'nothing is kept any more');
ok_setup('--undo again', 0, qr/there is nothing to take back/, undef, '--undo');

# --- operators with things of their own ---

# what, main.cf, master.cf (a change), then what main.cf has afterwards: NAME => VALUE; clash: what is said
my @operators = (
    ['maps, milters and domains of his own', <<'END', undef,
smtp_tls_policy_maps = inline:{ {partner.test = secure} }
transport_maps = inline:{ {x.test = smtp:[192.0.2.1]} }, static:smtp:
smtp_tls_security_level = encrypt
smtpd_milters = inet:127.0.0.1:11332
milter_default_action = accept
recipient_delimiter = -+
relayhost = [192.0.2.66]:25
propagate_unmatched_extensions = virtual, generic
relay_domains = inner.test
virtual_alias_domains = alias.test
END
     { smtp_tls_policy_maps => 'inline:{ {partner.test = secure} }, socketmap:inet:127.0.0.1:8461:postfix',
       transport_maps => 'regexp:$config_directory/transport_flags.regexp, inline:{ {x.test = smtp:[192.0.2.1]} }, static:smtp:',
       smtp_tls_security_level => 'encrypt', milter_default_action => 'accept', recipient_delimiter => '-+',
       smtpd_milters => 'inet:127.0.0.1:11332, { inet:127.0.0.1:8463, default_action = tempfail }',
       sender_dependent_default_transport_maps => 'inline:{ {tlsrpt@client.test = smtp-relaxed:[192.0.2.66]:25} }',
       propagate_unmatched_extensions => 'virtual, generic, canonical, alias, forward, include' }],
    ['port 10026 is taken', "smtpd_milters = inet:127.0.0.1:11332\n", sub { "$_[0]127.0.0.1:10026 inet n - y - - smtpd -o smtpd_milters=inet:127.0.0.1:8463\n" },
     { smtpd_milters => 'inet:127.0.0.1:11332, inet:127.0.0.1:8463' }],
    ['another delimiter', "recipient_delimiter = -\n", undef, qr/recipient_delimiter is -, and Postern's is \+: write delimiter = "-"/],
    ['a filter of pickup', '', sub { $_[0] =~ s/^(pickup.*\n)/$1    -o content_filter=scan:[127.0.0.1]:10024\n/mr }, qr/pickup has a content_filter of yours/],
    ['a service of that name', '', sub { "$_[0]requiretls unix - - n - - smtp\n" }, qr/master\.cf has a service requiretls\/unix that is smtp/],
);
for (@operators) {
    my ($what, $more, $change, $want) = @$_;
    fresh('main.cf' => $main . $more, 'master.cf' => $change ? $change->($master) : $master);
    my $was = files();
    if (ref $want ne 'HASH') {
        ok_setup($what, 1, $want);
        ok_setup("$what: --apply", 1, $want, qr/nothing was changed/, '--apply');
        is_deeply(files(), $was, "$what: nothing is changed");
        next;
    }
    ok_setup("$what: --apply", 0, qr/^Done/m, undef, '--apply');
    is(postconf('-h', $_), $want->{$_}, "$what: $_") for sort keys %$want;
    is(postconf('-Ph', 'smtp-relaxed/unix/smtp_tls_security_level'), $more =~ /^relayhost/m ? '' : 'may', "$what: what TLS-Required: No has no say in") if $what;
    is_deeply(findings(), [], "$what: check postfix finds nothing") or diag(explain(findings()));
    ok_setup("$what: --apply again", 0, qr/nothing is needed/, undef, '--apply');
    is_deeply(local_list(), [qw(.inner.test client.test inner.test localhost localhost.test)], 'and not the domain of aliases') if $what =~ /^maps/;
    like(slurp("$etc/transport_flags.regexp"), qr/inner\\\.test\|alias\\\.test\)/, 'which the table has') if $what =~ /^maps/;
    like(slurp("$etc/master.cf"), qr/^127\.0\.0\.1:10027 /m, 'so another one is') if $what =~ /^port/;
    ok_setup("$what: --undo", 0, qr/^Taken back\.$/m, undef, '--undo');
    is_deeply(diff_of($was, files()), [], "$what: octet for octet");
}

# postern.conf
fresh('postern.conf' => "$postern\nmilter { delimiter = \"-\" }\n", 'main.cf' => "${main}recipient_delimiter = -\n");
ok_setup('a delimiter that both know', 0, qr/^Done/m, undef, '--apply');
like(slurp("$etc/transport_flags.regexp"), qr{^/-requiretls"\?\@a}m, 'in the table');
is_deeply(findings(), [], 'check postfix finds nothing');
fresh('postern.conf' => "$postern\ntlsrptd { contact = \"me\@client.test\" log = \"journal\" }\n");
ok_setup('what the operator has set', 0, qr/^Done/m, undef, '--apply');
like(slurp($conf), qr/contact = "me\@client\.test" log = "journal"/, 'stays');
fresh('postern.conf' => "$postern\ntlsrptd { contact = \"\" }\n");
ok_setup('what he has set to nothing', 1, qr/postern\.conf has "" there; take it out/, undef);

# --- the operator edits, then --undo: item by item ---

fresh();
setup('--apply');
edit('-e', 'mynetworks = 127.0.0.0/8', 'transport_maps = regexp:$config_directory/transport_flags.regexp, inline:{ {x.test=error:} }');
edit('-M', '-e', 'own/unix=own unix - - n - - smtp');
spew($conf, slurp($conf) =~ s/log = "[^"]*"/log = "journal"/r . "# mine\n");
$out = ok_setup('--undo after edits', 1, qr/^Taken back, but for what is left\.$/m, undef, '--undo');
like($out, qr/^changed since, and left as it is; this would take it back: postconf -c \Q$etc\E -X transport_maps$/m, 'what is left: a parameter');
like($out, qr/tlsrptd \{ log \} was changed since/, 'a setting');
is(postconf('-h', 'transport_maps'), 'regexp:$config_directory/transport_flags.regexp, inline:{ {x.test=error:} }', 'his edit stays');
is(postconf('-h', 'mynetworks'), '127.0.0.0/8', 'the other, too');
unlike(slurp("$etc/main.cf"), qr/^(?:smtp_tls_policy_maps|smtpd_milters|recipient_delimiter|requiretls_)/m, 'all else is gone');
unlike(slurp("$etc/master.cf"), qr/requiretls|again|smtp-relaxed/, 'of master.cf, too');
like(slurp("$etc/master.cf"), qr/^own /m, 'but not his own');
ok(!-e "$etc/transport_flags.regexp", 'the file is gone');
unlike(slurp($conf), qr/^    tlsrpt =|contact|rsa_key/m, 'of postern.conf, too');
like(slurp($conf), qr/# mine\n\z/, 'but not his own');
is_deeply(local_list(), [], 'and the list');

# main.cf alone is edited: what only a service in master.cf makes known goes, too.
fresh();
setup('--apply');
edit('-e', 'mynetworks = 127.0.0.0/8');
ok_setup('--undo after an edit of main.cf', 0, qr/^Taken back\.$/m, undef, '--undo');
unlike(slurp("$etc/main.cf"), qr/requiretls/, 'parameters of the service requiretls');
is(slurp("$etc/master.cf"), $master, 'master.cf is as it was');

# A table of his own is not written over; one of ours is.
fresh();
setup('--apply');
edit('-e', 'mydestination = client.test, new.test');
ok_setup('one more domain', 0, qr/^Done/m, undef, '--apply');
like(slurp("$etc/transport_flags.regexp"), qr/client\\\.test\|new\\\.test/, 'is in the table');
spew("$etc/transport_flags.regexp", slurp("$etc/transport_flags.regexp") . "# mine\n");
edit('-e', 'mydestination = client.test, newer.test');
ok_setup('a table that he has edited', 0, qr/is taken for yours/, undef, '--apply');
like(slurp("$etc/transport_flags.regexp"), qr/new\\\.test.*# mine\n\z/s, 'stays');
ok_setup('and at --undo', 1, qr/transport_flags\.regexp: was edited since it was made here, and stays/, undef, '--undo');

# A symbolic link stays one.
fresh();
File::Copy::move("$etc/main.cf", "$dir/real.cf");
age();
symlink "$dir/real.cf", "$etc/main.cf";
ok_setup('main.cf is a link', 0, qr/^Done/m, undef, '--apply');
ok_setup('main.cf is a link: --undo', 0, qr/^Taken back/m, undef, '--undo');
is(readlink "$etc/main.cf", "$dir/real.cf", 'and is one again');
is(slurp("$dir/real.cf"), $main, 'with what it had');

# --- failures midway ---

# In place of postconf: fails at the WHEN-th change
sub failing_postconf {
    my ($when) = @_;
    make_path("$dir/bin");
    spew("$dir/bin/postconf", <<"END");
#!/bin/sh
case " \$* " in *" -e "*)
    echo >>$dir/changes
    if [ "\$(wc -l <$dir/changes)" -ge $when ]; then echo 'postconf: fatal: no space left' >&2; exit 1; fi ;;
esac
exec /usr/sbin/postconf "\$@"
END
    chmod 0755, "$dir/bin/postconf";
    unlink "$dir/changes";
    return;
}

for my $when (1, 20) {
    fresh();
    my $was = files();
    failing_postconf($when);
    {
        local $ENV{PATH} = "$dir/bin:$ENV{PATH}";
        ok_setup("postconf fails at change $when", 1, undef, qr/all is as it was before: postconf failed: postconf: fatal: no space left/, '--apply');
    }
    is_deeply(diff_of($was, files()), [], 'all is as it was');
    is_deeply(local_list(), [], 'the list, too');
    ok(!-e "$kept/postfix,etc,pf-setup/manifest", 'nothing to take back');
}

# Redis is away: all is put back, too.
fresh('postern.conf' => $postern =~ s/unix:\Q$Nodes::REDIS\E/unix:$dir\/nonesuch/r);
{
    my $was = files();
    ok_setup('Redis is away: the plan', 1, qr/by hand: Redis could not be asked/);
    ok_setup('Redis is away', 1, undef, qr/all is as it was before: the list local cannot be edited/, '--apply');
    is_deeply(diff_of($was, files()), [], 'all is as it was');
}

# Killed midway: --undo puts all back.
fresh();
{
    my $was = files();
    make_path("$dir/bin");
    spew("$dir/bin/postconf", "#!/bin/sh\ncase \" \$* \" in *recipient_delimiter=*) kill -9 \$PPID; exit 1 ;; esac\nexec /usr/sbin/postconf \"\$@\"\n");
    {
        local $ENV{PATH} = "$dir/bin:$ENV{PATH}";
        setup('--apply');
    }
    isnt(scalar @{ diff_of($was, files()) }, 0, 'killed midway: some is changed');
    ok_setup('--apply then', 1, undef, qr/an earlier run was broken off; "posternctl setup postfix --undo" first/, '--apply');
    ok_setup('--undo then', 0, qr/^Taken back\.$/m, undef, '--undo');
    is_deeply(diff_of($was, files()), [], 'octet for octet');
}

# Whose a file is, and who may read it, stays.
fresh();
chmod 0600, "$etc/master.cf";
chown 0, 6, "$etc/main.cf";
chmod 0640, "$etc/main.cf";
for (['--apply', qr/^Done/m], ['--undo', qr/^Taken back\.$/m]) {
    ok_setup("$_->[0] with files that not all may read", 0, $_->[1], undef, $_->[0]);
    is(join(' ', map { sprintf '%o:%d', (stat "$etc/$_")[2] & 07777, (stat _)[5] } 'master.cf', 'main.cf'), '600:0 640:6', 'not all may read them then');
}

# Two at a time, and a folder that others may write to
fresh();
make_path("$kept/postfix,etc,pf-setup", { mode => 0700 });
chmod 0700, $kept;
{
    open my $lock, '>', "$kept/lock";
    flock $lock, LOCK_EX;
    ok_setup('two at a time', 1, undef, qr/another posternctl setup is at work/, '--apply');
}
chmod 0777, $kept;
ok_setup('a folder of everybody', 1, undef, qr/is no folder that root alone may write to/, '--apply');
is_deeply(diff_of({ map { $_ => 1 } "$etc/main.cf" }, { map { $_ => 1 } "$etc/main.cf" }), [], 'nothing was changed');

# --- real mail ---

fresh();
$before = files();
Flags::start_postfix($etc);
sub reloads { return scalar grep { /reload -- version/ } Lab::lines($log) }
my $reloads = reloads();
ok_setup('Postfix runs', 0, qr/^postfix -c \Q$etc\E reload$/m, undef, '--apply');
($Flags::CONF, $Relayed::CONF) = ($conf, $conf);
chmod 0644, $conf;
Flags::start_milter();
Relayed::start();
Lab::until_true(sub { reloads() > $reloads });
{
    my $good = Lab::send_mail('sts-good.test');
    my $bad = Lab::send_mail('sts-expired.test');
    my $sent = Lab::outcome($good);
    is($sent->{status}, 'sent', 'MTA-STS enforce: delivered') or diag(explain($sent));
    ok((grep { /Verified TLS connection/ } @{ $sent->{lines} // [] }), 'over verified TLS') or diag(explain($sent));
    my $held = Lab::outcome($bad);
    is($held->{status}, 'deferred', 'and not with a certificate that has expired') or diag(explain($held));
    Lab::forget($held->{id});
}
truncate $_, 0 for glob "$Lab::DIR/scripted/*.log";
is(Flags::submit({ name => 'flagged', hold => 0, from => 'sender@client.test', to => ['user+requiretls@rt-sts.test'] }), 0, 'flagged mail, by sendmail');
ok(Lab::until_true(sub { Relayed::outcomes()->{flagged}{'user+requiretls@rt-sts.test'} }), 'has an end');
my $flagged = Relayed::outcomes()->{flagged}{'user+requiretls@rt-sts.test'};
is("$flagged->{by} $flagged->{status}", 'requiretls/lmtp sent', 'delivered by relayd') or diag(explain($flagged));
like(join("\n", Relayed::said('mx.rt-sts.test', 'under')), qr/MAIL FROM:<[^>]*>.*REQUIRETLS/i, 'with REQUIRETLS');

# Flagged mail in the queue, when it is taken back
Relayed::stop('TERM');
Flags::submit({ name => 'waits', hold => 0, from => 'sender@client.test', to => ['user+requiretls@rt-sts.test'] });
Flags::submit({ name => 'other', hold => 0, from => 'sender@client.test', to => ['user@sts-expired.test'] });
sub in_queue {
    my ($status, $text) = Lab::capture('postqueue', '-j');
    return { map { my $m = JSON::PP->new->utf8->decode($_); map { $_->{address} => $m->{queue_name} } @{ $m->{recipients} } } split /\n/, $text };
}
ok(Lab::until_true(sub { my $q = in_queue(); 2 == grep { ($q->{$_} // '') eq 'deferred' } 'user+requiretls@rt-sts.test', 'user@sts-expired.test' }), 'mail waits');
$out = ok_setup('--undo', 0, qr/^on hold: \w+ to user\+requiretls\@rt-sts\.test$/m, undef, '--undo');
like($out, qr/postsuper -H ID/, 'and how it is released');
is_deeply(in_queue(), { 'user+requiretls@rt-sts.test' => 'hold', 'user@sts-expired.test' => 'deferred' }, 'flagged mail is on hold, other mail is not');
is_deeply(diff_of($before, files()), [], 'octet for octet');
Lab::capture('postqueue', '-f');
is(in_queue()->{'user+requiretls@rt-sts.test'}, 'hold', 'and stays there');
Flags::stop('TERM');
Nodes::start_redis();

# Postfix is stopped: the queue is looked at all the same
fresh();
ok_setup('Postfix is stopped', 0, qr/postfix does not run, so nothing is reloaded/, undef, '--apply');
Nodes::stop('nodes-redis', 'TERM');
ok_setup('Redis is away: --undo', 1, qr/main\.cf is as it was/, qr/all is taken back but entries of the list local/, '--undo');
is_deeply(diff_of($before, files()), [], 'octet for octet');
Nodes::start_redis();
ok_setup('Postfix is stopped: --undo', 0, qr/^Taken back/m, undef, '--undo');
Nodes::stop('nodes-redis', 'TERM');
remove_tree($etc);
done_testing();
