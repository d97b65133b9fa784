#!/usr/bin/perl
# TLS reports, from mail that a stock Postfix sends, by its log, to the mails and POSTs that come of it: what is counted is what
# the receivers saw, and what is reported is what is counted, as software that is not ours reads it.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Lab;
use Nodes;
use Reports;
use Test::More;

# By domain: messages, and what is to be counted; all lines are of one session for each message.
my @domains = (
    ['rpt-post.test', 1, 'sts successful=1 failed=0'],
    ['rpt-good.test', 3, 'sts successful=3 failed=0'],
    ['rpt-two.test', 1, 'no-policy-found successful=1 failed=0'],
    ['rpt-enforce-expired.test', 2, 'sts successful=0 failed=2 certificate-expired=2'],
    ['rpt-enforce-notls.test', 1, 'sts successful=0 failed=1 starttls-not-supported=1'],
    ['rpt-testing-good.test', 1, 'sts successful=1 failed=0'],
    ['rpt-testing-untrusted.test', 2, 'sts successful=0 failed=2 certificate-not-trusted=2'],
    ['rpt-testing-notls.test', 1, 'sts successful=0 failed=1 starttls-not-supported=1'],
    ['rpt-testing-notlisted.test', 1, 'sts successful=0 failed=1 validation-failure=1'],
    ['rpt-none.test', 1, 'no-policy-found successful=1 failed=0'],
    ['rpt-none-notls.test', 1, 'no-policy-found successful=0 failed=1 starttls-not-supported=1'],
    ['rpt-excluded.test', 1, ''],
    ['rpt-handshake.test', 1, 'no-policy-found successful=0 failed=1 validation-failure=1'],
    ['rpt-dane.test', 1, 'tlsa successful=1 failed=0'],
    ['rpt-dane-bad.test', 1, 'tlsa successful=0 failed=1 certificate-not-trusted=1'],
    ['rpt-both.test', 1, 'sts successful=1 failed=0; tlsa successful=1 failed=0'],
    ['rpt-fetch.test', 1, 'no-policy-found successful=1 failed=0; sts successful=0 failed=1 sts-policy-fetch-error=1'],
    ['rpt-unwanted.test', 1, ''],
    ['rpt-ambiguous.test', 1, ''],
);
my $keys = "$Lab::DIR/nodes/keys";
my $day = Reports::whole_day();

Reports::start_redis();
make_keys();
my %tlsrptd = (
    log => "\"$Lab::DIR/log/strict.log\"",
    commit_interval => '"200ms"',
    post_anywhere => 'yes', # the lab's addresses are not public ones
    organization => '"The lab"',
    rsa_key => "\"$keys/rsa.pem\"",
    ed25519_key => "\"$keys/ed25519.pem\"",
);
Nodes::start_strict();
Reports::start_node('one', %tlsrptd);
ok(Nodes::tracking('one'), 'policyd is told of changes');
ctl('list', 'add', 'exclude', 'rpt-excluded.test');
ok(Lab::until_true(sub { Nodes::ask('one', 'rpt-excluded.test') eq 'OK none' }), 'policyd has the list');
publish_keys();
mail_is_counted();
the_day_is_over();
reports_are_sent();
nothing_is_sent_twice();

Nodes::stop_strict();
is(Nodes::stop($_, 'TERM'), 0, "$_ ends well") for 'one-tlsrptd', 'one-policyd', 'one-stsd';
unlike(join("\n", map { Nodes::log_of("one-$_") } 'stsd', 'policyd', 'tlsrptd'), qr/Sanitizer|runtime error/, 'nothing for the sanitizers');
Nodes::stop('nodes-redis', 'TERM');
done_testing();

sub ctl {
    my ($status, $out, $err) = Nodes::ctl_all('one', @_);
    is($status, 0, "posternctl @_") or diag($out, $err);
    return $out;
}

# --- keys ---

sub make_keys {
    my (undef, undef, $uid, $gid) = getpwnam('postern');
    Nodes::configure('one', tlsrptd => '');
    mkdir $keys;
    for my $type ('rsa', 'ed25519') {
        my $record = ctl('report', 'key', 'new', '--type', $type, "$keys/$type.pem");
        like($record, qr/\._domainkey.*TXT.*v=DKIM1.*s=tlsrpt.*p=/s, "the record of a new key, $type");
        open my $zone, '>>', "$Lab::DIR/zones/$Reports::SUBMITTER.zone" or die;
        print $zone $record;
        close $zone;
        chown $uid, $gid, "$keys/$type.pem";
    }
    return;
}

sub publish_keys {
    my ($status) = Nodes::ctl_all('one', 'report', 'key', 'check');
    is($status, 1, 'the keys are not published yet');
    Lab::capture('zones-changed', $Reports::SUBMITTER);
    ctl('report', 'key', 'check');
    return;
}

# --- counting ---

sub mail_is_counted {
    my @sent = map { my ($domain, $messages) = @$_; map { { domain => $domain, to => Lab::send_mail($domain) } } 1 .. $messages } @domains;
    for my $mail (@sent) {
        my $got = Lab::outcome($mail->{to}) || { status => 'no verdict', lines => [] };
        isnt($got->{status}, 'no verdict', "$mail->{domain}: $got->{status}");
        $mail->{lines} = $got->{lines};
    }
    for (@domains) {
        my ($domain, $messages, $wanted) = @$_;
        my $line = '';
        Lab::until_true(sub { ($line = Reports::counts_line(Reports::counts($domain))) eq $wanted });
        is($line, $wanted, "$domain: what is counted") or diag(map { map { "$_\n" } @{ $_->{lines} } } grep { $_->{domain} eq $domain } @sent);
    }
    return;
}

# --- reports ---

# For tlsrptd it is days later now, when reports of that day are sent no more but when somebody asks for them. A second node reads the log of the Postfix by which reports leave.
sub the_day_is_over {
    my ($status, undef, $err) = Nodes::ctl_all('one', 'report', 'send', '--day', $day);
    is($status, 1, 'W1 a day that is not over is not reported');
    like($err, qr/not over/, 'and that is said');
    is(Nodes::stop('one-tlsrptd', 'TERM'), 0, 'tlsrptd ends well');
    Reports::configure('one', %tlsrptd, clock_offset => '"3d"');
    Nodes::start_daemon('one', 'tlsrptd');
    Reports::start_node('two', %tlsrptd, log => "\"$Lab::DIR/log/client.log\"", clock_offset => '"3d"');
    return;
}

sub reports_are_sent {
    my @wanted = grep { $_->[2] ne '' } @domains;
    ctl('report', 'send', '--day', $day);
    for (@wanted) {
        my ($domain, undef, $line) = @$_;
        check_posted($domain, $line), next if $domain eq 'rpt-post.test';
        check_mail($domain, $_, $line) for addresses($domain);
    }
    is(scalar(posted()), 2, 'two reports were sent by HTTPS');
    return;
}

sub addresses {
    my ($domain) = @_;
    return map { "$_\@$domain" } 'first', 'second' if $domain eq 'rpt-two.test';
    return 'reports@rpt-good.test' if $domain eq 'rpt-handshake.test';
    return "reports\@$domain";
}

sub check_mail {
    my ($domain, $to, $line) = @_;
    my @files;
    Lab::until_true(sub { @files = grep { join("\n", Lab::lines($_)) =~ /^TLS-Report-Domain: \Q$domain\E$/m } Reports::mails($to) });
    is(scalar @files, 1, "$domain: one report at $to" . ($domain =~ /enforce/ ? ', E11 whatever its TLS' : '')) or return;
    my ($wrong, $report) = Reports::check('mail', $files[0], $domain, $day);
    is($wrong, '', "$domain: the report is as the RFC wants it");
    is(Reports::report_line($report), $line, "$domain: it says what is counted");
    is(join(', ', Reports::dkim($files[0])), 'rsa-sha256 pass', "$domain: E9 Mail::DKIM finds the signature good");
    is(join(', ', Reports::opendkim($files[0], 'tlsrpt', 'tlsrpt-ed25519')), 'ed25519-sha256 pass, rsa-sha256 pass', "$domain: E9 opendkim both of them");
    return;
}

sub posted { return grep { -f } glob "$Lab::DIR/posted/*" }

sub check_posted {
    my ($domain, $line) = @_;
    my ($found) = grep { (Reports::check('gzip', $_, $domain, $day))[1]{'report-id'} =~ /\Q$domain\E/ } posted();
    ok($found, "$domain: the report came by HTTPS") or return;
    my ($wrong, $report) = Reports::check('gzip', $found, $domain, $day);
    is($wrong, '', "$domain: H2 it is the report alone");
    is(Reports::report_line($report), $line, "$domain: it says what is counted");
    my $request = Lab::until_true(sub { (grep { /sni=reports\.rpt-post\.test .*from=postern/ } Lab::lines("$Lab::DIR/log/web.log"))[0] });
    like($request // '', qr/"POST \/tls\?from=postern HTTP/, "$domain: H1 to the very address");
    return;
}

sub nothing_is_sent_twice {
    my $before = all_reports();
    ctl('report', 'send', '--day', $day);
    my ($status, undef, $err) = Nodes::ctl_all('two', 'report', 'send', '--day', $day);
    is($status, 0, 'another node is asked to send them') or diag($err);
    is(all_reports(), $before, 'W6 nothing is sent again');
    is(Nodes::stop("two-$_", 'TERM'), 0, "two-$_ ends well") for 'tlsrptd', 'policyd', 'stsd';
    is(Reports::counts_line(Reports::counts($_->[0], $day)), $_->[2], "$_->[0]: W8 the mails with reports are not counted") for @domains;
    return;
}

sub all_reports {
    Lab::until_true(sub { (Lab::capture('mailq'))[1] !~ /tlsrpt\@/ });
    return posted() + grep { join("\n", Lab::lines($_)) =~ /^TLS-Report-Domain: /m } glob "$Lab::DIR/mail/rpt-*.test/new/*";
}
