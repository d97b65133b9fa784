#!/usr/bin/perl
# What tlsrptd hears of TLS from Exim, by the event_action of contrib/exim: the same domains as for Postfix (90-tlsrpt.t), the same counts but for what Exim does not tell.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Lab;
use Exim;
use Nodes;
use Reports;
use Test::More;

# By domain: messages, and what is to be counted.
my @domains = (
    ['rpt-good.test', 3, 'sts successful=3 failed=0'],
    ['rpt-two.test', 1, 'no-policy-found successful=1 failed=0'],
    ['rpt-enforce-expired.test', 1, 'sts successful=0 failed=1 certificate-not-trusted=1'],    # not certificate-expired: it does not say what is wrong with a certificate
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

Reports::whole_day();
Reports::start_redis();
Reports::start_node('exim', exim => qq("inet:$Exim::TOLD"), commit_interval => '"200ms"');
Lab::capture('posternctl', 'list', 'add', 'exclude', 'rpt-excluded.test');
Lab::until_true(sub { Exim::ask('policy rpt-excluded.test') =~ /level=none/ });
Exim::install();
Exim::configure(1);
Exim::start();
# Messages that are not told of: relaxed ones, and reports
Exim::submit({ to => ['n@rpt-good.test'], header => "TLS-Required: No\n" });
Exim::submit({ to => ['r@rpt-good.test'], header => "TLS-Report-Domain: other.test\n" });
my @sent = map { my ($domain, $messages) = @$_; map { Exim::send_mail($domain) } 1 .. $messages } @domains;
isnt((Exim::outcome($_) // { status => 'no verdict' })->{status}, 'no verdict', $_) for 'n@rpt-good.test', 'r@rpt-good.test', @sent;
for (@domains) {
    my ($domain, undef, $wanted) = @$_;
    my $line = '';
    Lab::until_true(sub { ($line = Reports::counts_line(Reports::counts($domain))) eq $wanted });
    is($line, $wanted, "$domain: what is counted") or diag(map { "$_\n" } grep { /\Q$domain\E/ } Exim::log_lines());
}
Lab::capture('posternctl', 'list', 'clear', 'exclude');
is(Exim::stop(), 0, 'Exim ends');
is(Nodes::stop($_, 'TERM'), 0, "$_ ends well") for 'exim-tlsrptd', 'exim-policyd', 'exim-stsd';
Nodes::stop('nodes-redis', 'TERM');
Exim::run('rm', '-rf', "$Lab::DIR/tmp/reports", Nodes::path('exim'));    # nothing is left for a test of reports that comes later
done_testing();
