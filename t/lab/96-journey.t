#!/usr/bin/perl
# What a new user does: the package is installed on a machine with Debian's Postfix and Redis, "posternctl setup postfix --apply", and mail goes: by policies, with REQUIRETLS,
# counted and reported. No file is edited. Then the package is removed, and Postfix is as it was.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use JSON::PP qw(decode_json);
use Lab;
use Package;
use Relayed;
use Reports;
use Test::More;

my $conf = '/etc/postern/postern.conf';
my $day = Reports::whole_day();
my $deb = Package::deb();

my ($machine, $postfix);    # as they were before
my @records;                # of the keys, as posternctl says them

# What a command prints, which must succeed
sub ok_run {
    my ($what, @command) = @_;
    my ($status, $out, $err) = Package::run(@command);
    is($status, 0, "$what: @command") or diag $out, $err;
    return $out . $err;
}

sub ctl { return ok_run('well', 'posternctl', @_) }
sub dpkg { return ok_run(shift, 'dpkg', @_) }

# Files of a folder: names, modes, owners, text
sub files {
    my ($folder) = @_;
    return Package::says('sh', '-c', "cd $folder && find . -printf '%p %y %#m %u:%g %l\\n' | sort && find . -type f | sort | xargs sha256sum");
}

sub local_mail { return Package::says('cat', '/var/mail/root') }

# A message by SMTP, as a mail program on that machine gives it to Postfix; the reply to its end
sub by_smtp {
    my ($to) = @_;
    my $script = <<'END';
use IO::Socket::INET;
my $s = IO::Socket::INET->new('127.0.0.1:25') or die;
my $last;
for my $line (undef, 'EHLO box.test', 'MAIL FROM:<root@box.test>', "RCPT TO:<$ARGV[0]>", 'DATA', "From: root\@box.test\r\nTo: $ARGV[0]\r\nSubject: flagged\r\n\r\nHello.\r\n.", 'QUIT') {
    print {$s} "$line\r\n" if defined $line;
    do { $last = <$s> // die 'closed' } while $last =~ /^\d+-/;
    print $last if $last !~ /^[23]/;
}
END
    is(Package::must('perl', '-e', $script, $to), '', "$to: Postfix takes it");
    return;
}

# The same by sendmail, as cron and scripts do
sub by_sendmail {
    my ($to) = @_;
    Package::must('sh', '-c', "printf 'From: root\@box.test\nTo: $to\nSubject: flagged\n\nHello.\n' | sendmail -f root\@box.test '$to'");
    return;
}

sub installed {
    dpkg('the package', '-i', '/tmp/postern.deb');
    is(files('/etc/postfix'), $postfix, 'Postfix is not touched by it');
    is(Package::active(), join(' ', ('active') x @Package::SERVICES), 'all daemons run');
    return;
}

# --- posternctl setup ---

sub set_up {
    my $before = Package::says('sha256sum', $conf);
    my ($status, $out) = Package::run('posternctl', 'setup', 'postfix');
    is($status, 1, 'setup: something is needed');
    like($out, qr/^  postconf -e smtp_tls_policy_maps=/m, 'it says what');
    is(files('/etc/postfix') . Package::says('sha256sum', $conf), $postfix . $before, 'and nothing is changed');
    my $said = ctl('setup', 'postfix', '--apply');
    like($said, qr/^Done; --undo takes it back\.$/m, 'setup --apply');
    @records = $said =~ /^(\S+\._domainkey\.box\.test\. IN TXT .*\n)/mg;
    is(scalar @records, 2, 'it says the records of the keys');
    like(ctl('setup', 'postfix'), qr/^postfix: nothing is needed$/m, 'nothing else is needed');
    is(join(' ', sort map { $_->{pattern} } @{ decode_json(ctl('list', 'show', 'local', '--json'))->{entries} }), 'box.test localhost localhost.test', 'the list local');
    like(ctl('check', 'postfix'), qr/^valid: 0 findings/, 'posternctl check postfix');
    is(ctl('check', 'config'), "valid\n", 'posternctl check config');
    my $after = Package::says('systemctl', 'show', '-p', 'After', 'postfix@-.service');
    is(join(' ', grep { $after !~ /[= ]\Q$_\E(?: |$)/ } map { "postern-$_.service" } 'milter', 'policyd', 'relayd', 'tlsrptd'), '', 'after a boot, Postfix waits for these');
    return;
}

# --- mail ---

# Who gets what: where to, what becomes of it, what the log says besides
my @mail = (
    ['rpt-good.test', 'sent', qr/Verified TLS connection established to mx\.rpt-good\.test/],
    ['rpt-enforce-expired.test', 'deferred', qr/certificate verification failed for mx\.rpt-enforce-expired\.test/],
    ['rpt-dane.test', 'sent', qr/Verified TLS connection established to mx\.rpt-dane\.test/],
    ['rpt-dane-bad.test', 'deferred', qr/verification failed for mx\.rpt-dane-bad\.test.*no matching DANE TLSA records/],
    ['rpt-none.test', 'sent', qr/Untrusted TLS connection established to mx\.rpt-none\.test/],
);
my @flagged = (
    ['rt-sts.test', \&by_smtp], ['rt-dane.test', \&by_sendmail], ['rt-without.test', \&by_smtp], ['sts-good.test', \&by_sendmail], ['rt-down.test', \&by_smtp], ['rt-self.test', \&by_sendmail],
);

sub send_flagged {
    $_->[1]->("user+requiretls\@$_->[0]") for @flagged;
    return;
}

sub mail_goes {
    send_flagged();
    $_->[3] = Package::send_mail($_->[0]) for @mail;
    for (@mail) {
        my ($domain, $status, $says, $to) = @$_;
        like(Package::outcome($to), qr/status=$status/, "$domain: $status");
        like(Package::mail_log(), $says, "$domain: its TLS");
        Lab::until_true(sub { Lab::mailbox($to) }) if $status eq 'sent';
        is(defined Lab::mailbox($to) ? 'sent' : 'deferred', $status, "$domain: what its mailbox says");
    }
    return;
}

# The line of the log about flagged mail to a domain
sub flagged_outcome { return Package::outcome("user+requiretls\@$_[0]") }

sub requiretls_goes {
    for my $domain ('rt-sts.test', 'rt-dane.test') {
        like(flagged_outcome($domain), qr{:8689, .* status=sent }, "$domain: goes with REQUIRETLS");
        like(join("\n", Relayed::said("mx.$domain", 'under')), qr/^MAIL FROM:<root\@box\.test> REQUIRETLS/m, "$domain: which its host has seen");
    }
    for (['rt-without.test', '5.7.30'], ['sts-good.test', '5.7.30'], ['rt-self.test', '5.7.10']) {
        my ($domain, $code) = @$_;
        like(flagged_outcome($domain), qr/dsn=\Q$code\E, status=bounced/, "$domain: comes back, $code");
        ok(Lab::until_true(sub { local_mail() =~ /^Final-Recipient: rfc822; user\+requiretls\@\Q$domain\E\n(?:.+\n)*Status: \Q$code\E\n(?:.+\n)*Diagnostic-Code: .*REQUIRETLS/m }), "$domain: to who has sent it, with the reason");
    }
    like(flagged_outcome('rt-down.test'), qr/status=deferred/, 'rt-down.test: waits');
    is(join("\n", Relayed::said('mx.rt-without.test', 'clear'), Relayed::said('mx.rt-without.test', 'under')) =~ /^MAIL/m, '', 'nothing was offered to one without');
    return;
}

# --- looking ---

sub looks_well {
    my $status = decode_json(ctl('status', '--json'));
    is(join(' ', map { "$_ $status->{$_}{redis}" } grep { exists $status->{$_}{redis} } sort keys %$status), 'policyd up stsd up tlsrptd up', 'posternctl status: all have Redis');
    ok($status->{$_}{listens}, "$_ listens") for 'milter', 'relayd';
    is($status->{tlsrptd}{log_followed}, 1, 'the log is read');
    ok($status->{stsd}{dnssec}, 'the resolver validates');
    like(ctl('top', '--once'), qr/^stsd     up .*Redis up.*^TLS FAILS/ms, 'posternctl top');
    like(ctl('explain', 'rpt-good.test'), qr/secure/, 'posternctl explain');
    my $state = '';
    Lab::until_true(sub { ($state = Package::says('systemctl', 'is-system-running')) ne 'starting' });
    is($state, 'running', 'systemd finds all well');
    # but that Redis answers late, as it does where the machine is busy
    is(join("\n", grep { !/redis-down .*(?:no reply|time-out)/ } split /\n/, Package::says('sh', '-c', 'journalctl -q -o cat -p warning -u "postern-*"')), '', 'no warning of Postern');
    return;
}

# --- reports ---

# { DOMAIN => 'sessions that came off, failed' } of today
sub counted {
    return { map { $_->{domain} => "$_->{successful} $_->{failed}" } @{ decode_json(ctl_quiet('report', 'list', '--day', $day, '--json'))->{domains} } };
}

sub ctl_quiet { return (Package::run('posternctl', @_))[1] }

sub sessions_are_counted {
    my %wanted = ('rpt-good.test' => '1 0', 'rpt-enforce-expired.test' => '0 1', 'rpt-dane.test' => '1 0', 'rpt-dane-bad.test' => '0 1', 'rpt-none.test' => '1 0', 'sts-good.test' => '2 0'); # relayd has asked sts-good.test at both its addresses
    my $got = {};
    Lab::until_true(sub { $got = counted(); !grep { ($got->{$_} // '') ne $wanted{$_} } keys %wanted });
    is_deeply($got, \%wanted, 'tlsrptd has counted them') or diag(explain($got));
    return;
}

sub publish_keys {
    is((Package::run('posternctl', 'report', 'key', 'check'))[0], 1, 'the keys are not published yet');
    Package::publish_keys(@records);
    ctl('report', 'key', 'check');
    return;
}

# The day is over, so long that its reports are not sent any more by themselves: of all that is here this alone nobody does but a test.
sub tomorrow {
    my ($what) = @_;
    Package::must('sh', '-c', "cp -p $conf /tmp/postern.conf && sed -i 's/^tlsrptd {/tlsrptd {\\n    clock_offset = \"3d\"/' $conf && systemctl restart postern-tlsrptd");
    $what->();
    Package::must('sh', '-c', "cp -p /tmp/postern.conf $conf && systemctl restart postern-tlsrptd");
    return;
}

sub reports_are_sent {
    $Reports::SUBMITTER = 'box.test';
    like(ctl('report', 'build', '--domain', 'rpt-good.test', '--day', $day, '--mail'), qr/^DKIM-Signature: .*^DKIM-Signature: .*^To: <?reports\@rpt-good\.test/ms, 'report build');
    publish_keys();
    # one whose TLS is good, and one that could get no mail today
    my @domains = ('rpt-good.test', 'rpt-enforce-expired.test');
    tomorrow(sub { ctl('report', 'send', '--day', $day, '--domain', $_) for @domains });
    for my $domain (@domains) {
        my @files;
        Lab::until_true(sub { @files = Reports::mails("reports\@$domain") });
        is(scalar @files, 1, "$domain: the report arrives") or next;
        my ($wrong, $report) = Reports::check('mail', $files[0], $domain, $day);
        is($wrong, '', "$domain: it is as the RFC wants it");
        is($report->{'contact-info'}, 'postmaster@box.test', "$domain: whom to ask about it");
        is(join(', ', Reports::opendkim($files[0], 'tlsrpt', 'tlsrpt-ed25519')), 'ed25519-sha256 pass, rsa-sha256 pass', "$domain: signed by the keys that setup has made");
    }
    return;
}

# --- removal ---

sub removed {
    my $said = dpkg('the package is removed', '-r', 'postern');
    like($said, qr/^on hold: \w+ to user\+requiretls\@rt-down\.test$/m, 'flagged mail in the queue is named');
    like(Package::says('postqueue', '-j'), qr/"queue_name": "hold".*user\+requiretls\@rt-down\.test/, 'and on hold');
    is(files('/etc/postfix'), $postfix, 'Postfix is as it was');
    my $to = Package::send_mail('rpt-enforce-expired.test');
    like(Package::outcome($to), qr/status=sent/, 'it sends as it did, without policies');
    return;
}

# Again, on a machine with a syslog daemon. A stand-in for rsyslog writes what Debian's would.
sub with_a_log_file {
    Package::must('sh', '-c', 'install -m 640 -g adm /dev/null /var/log/mail.log && systemd-run -q --unit=syslog-file sh -c "journalctl -q -f -n 0 -o short-iso-precise --facility=mail | sed -u \"s/\\([+-]..\\)\\(..\\) /\\1:\\2 /\" >>/var/log/mail.log"');
    dpkg('the package, once more', '-i', '/tmp/postern.deb');
    my $said = ctl('setup', 'postfix', '--apply');
    like($said, qr/^tlsrptd\.log = "\/var\/log\/mail\.log"$/m, 'with a syslog daemon tlsrptd reads its file');
    unlike($said, qr/key new/, 'the keys are the ones of before');
    my $before = counted()->{'rpt-good.test'};
    my $to = Package::send_mail('rpt-good.test');
    like(Package::outcome($to), qr/status=sent/, 'mail goes');
    my $after = '';
    Lab::until_true(sub { ($after = counted()->{'rpt-good.test'}) ne $before });
    is($after, '2 0', 'and is counted');
    return;
}

# The operator has edited main.cf since: his own lines stay; where he has changed one of ours he is asked.
sub removed_after_edits {
    Package::must('postconf', '-e', 'message_size_limit=12345678', 'smtp_tls_loglevel=2');
    my ($status, $said) = Package::dpkg('-r', 'postern');
    isnt($status, 0, 'not removed: one of its settings was edited');
    like($said, qr/changed since, and left as it is; this would take it back: postconf -X smtp_tls_loglevel$/m, 'it says which, and what to do');
    is(Package::active(), join(' ', ('active') x @Package::SERVICES), 'Postern serves on');
    Package::must('postconf', '-X', 'smtp_tls_loglevel');
    dpkg('then it is removed', '-r', 'postern');
    is(Package::says('postconf', '-h', 'message_size_limit'), '12345678', 'what is his own stays');
    Package::must('postconf', '-X', 'message_size_limit');
    is(files('/etc/postfix'), $postfix, 'and all else is as it was');
    return;
}

sub purged {
    dpkg('the package is purged', '-P', 'postern');
    my @left = grep { !m{^/etc/(?:passwd|group|shadow|gshadow)-?: |^/var/mail|^/etc/aliases} } Package::differences($machine, Package::changes());
    is(join("\n", @left), '', 'but for the user, nothing is left of it');
    return;
}

Package::start();
Package::install_debian('redis-server');
Package::install_postfix();
Package::copy_in($deb, '/tmp/postern.deb');
($machine, $postfix) = (Package::changes(), files('/etc/postfix'));

installed();
set_up();
mail_goes();
requiretls_goes();
sessions_are_counted();
looks_well();
reports_are_sent();
removed();
with_a_log_file();
removed_after_edits();
purged();
Package::stop();
done_testing();
