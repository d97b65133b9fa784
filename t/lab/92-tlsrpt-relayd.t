#!/usr/bin/perl
# Flagged mail and TLS reports: what relayd sees of TLS, from mail through Postfix to MX hosts, is told to tlsrptd, counted, and stands in the report of the day as
# software that is not ours reads it. J7 to J14.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use JSON::PP qw(decode_json);
use Lab;
use Nodes;
use Relayed;
use Reports;
use Test::More;

# The domain; what becomes of the mail; what is counted; of a failure the reason, and whether a host was asked
my @cases = (
    ['good', 'sent', 'sts successful=1 failed=0'],
    ['dane', 'sent', 'tlsa successful=1 failed=0'],
    ['self', 'bounced', 'sts successful=0 failed=1 certificate-not-trusted=1', 'self-signed_certificate', 1],
    ['unnamed', 'bounced', 'sts successful=0 failed=1 validation-failure=1', 'not-in-policy', 0],
    ['notls', 'bounced', 'sts successful=0 failed=1 starttls-not-supported=1', 'starttls-absent', 1],
    ['without', 'bounced', 'sts successful=1 failed=0'],    # it is given back, but its TLS was as the policy wants it
);
my $day = Reports::whole_day();

Relayed::begin(tlsrpt => '"unix:' . Nodes::path('one') . '/tlsrptd.sock"');
Reports::configure('one', commit_interval => '"200ms"');
Nodes::start_daemon('one', 'tlsrptd');
mail_goes();
is_counted($_) for @cases;
is_shown($_) for @cases;
is_reported($_) for @cases;
my ($relayd, $milter) = Relayed::finish();
is($relayd, 0, 'relayd ends well');
is($milter, 0, 'the milter ends well');
is(Nodes::stop('one-tlsrptd', 'TERM'), 0, 'tlsrptd ends well');
unlike(join("\n", Nodes::log_of('one-tlsrptd')), qr/Sanitizer|runtime error/, 'nothing for the sanitizers');
done_testing();

sub domain { return "rpt-relayed-$_[0].test" }

sub mail_goes {
    my $got;
    Relayed::mail({ name => $_->[0], to => ['u+requiretls@' . domain($_->[0])] }) for @cases;
    Lab::until_true(sub { $got = Relayed::outcomes(); @cases == grep { $got->{ $_->[0] } } @cases });
    is($got->{ $_->[0] }{ 'u+requiretls@' . domain($_->[0]) }{status}, $_->[1], "$_->[0]: $_->[1]") for @cases;
    return;
}

sub is_counted {
    my ($name, undef, $wanted) = @{ $_[0] };
    my $line = '';
    Lab::until_true(sub { ($line = Reports::counts_line(Reports::counts(domain($name), $day))) eq $wanted });
    is($line, $wanted, "$name: what is counted");
    return;
}

# posternctl report show: the policies of a domain
sub is_shown {
    my ($name, undef, $wanted) = @{ $_[0] };
    my ($status, $out, $err) = Nodes::ctl_all('one', 'report', 'show', '--json', '--day', $day, '--domain', domain($name));
    is($status, 0, "$name: report show") or diag($err);
    my ($shown, @others) = @{ (eval { decode_json($out) } // {})->{domains} // [] };
    is(scalar @others, 0, "$name: of this domain alone");
    is(Reports::report_line($shown // {}), $wanted, "$name: what it says") or diag($out);
    return;
}

# posternctl report build: the report itself
sub is_reported {
    my ($name, undef, $wanted, $reason, $asked) = @{ $_[0] };
    my ($domain, $file) = (domain($name), "$Lab::DIR/tmp/relayed.json");
    my ($status, $out, $err) = Nodes::ctl_all('one', 'report', 'build', '--day', $day, '--domain', $domain);
    is($status, 0, "$name: report build") or diag($err);
    open my $json, '>', $file or die;
    print $json $out;
    close $json;
    Lab::capture('gzip', '-f', $file);
    my ($wrong, $report) = Reports::check('gzip', "$file.gz", $domain, $day);
    is($wrong, '', "$name: the report is as the RFC wants it");
    is(Reports::report_line($report), $wanted, "$name: it says what is counted");
    return if !defined $reason;
    my $failure = $report->{policies}[0]{'failure-details'}[0];
    is($failure->{'failure-reason-code'}, $reason, "$name: the reason");
    is($failure->{'receiving-mx-hostname'}, "mx.$domain", "$name: the host");
    like($failure->{'receiving-ip'} // '', $asked ? qr/^203\.0\.113\.\d+$/ : qr/^$/, "$name: its address, if it was asked");
    return;
}
