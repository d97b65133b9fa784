#!/usr/bin/perl
# Policies that would say something else to Postfix, or too much: what the real one makes of the answers, in both maps (checks A5, A12). Real mail to
# sts-inject.test and sts-inject-mx.test is in 10-policies.t.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Lab;
use Test::More;

# What postmap gets from the map for newer Postfix.
sub with_attributes {
    my ($domain) = @_;
    my ($status, $out, $err) = Lab::capture('postmap', '-q', $domain, $Lab::MAP =~ s/:postfix$/:QUERYwithTLSRPT/r);
    chomp $out;
    return "$status $out$err";
}

is(with_attributes('sts-inject.test'),
    '0 secure match=mx.sts-inject.test servername=hostname policy_type=sts policy_ttl=86400 policy_domain=sts-inject.test'
        . join('', map { " { policy_string = $_ }" } 'version: STSv1', 'mode: enforce', 'mx: mx.sts-inject.test', 'mx: hostname', 'max_age: 86400',
            'y: match=.evil.test may, servername=evil.test', 'mode: none')
        . ' mx_host_pattern=mx.sts-inject.test mx_host_pattern=hostname',
    'braces and what is no ASCII are left out of the strings; what is in braces is one value');
is(with_attributes('sts-inject-mx.test'), '1 ', 'an mx line that is no name: no policy');

my @names = ((map { sprintf 'a-host-with-a-name-that-is-long-enough-%04d.sts-many.test', $_ } 1 .. 999), 'mx.sts-many.test');
is(Lab::answer('sts-many.test'), 'OK secure match=' . join(':', @names) . ' servername=hostname', '1,000 names arrive whole');
like(with_attributes('sts-many.test'), qr/^0 secure match=a-host\S+:mx\.sts-many\.test servername=hostname(?: |$)/, 'also with as many attributes as fit');
my $got = Lab::outcome(Lab::send_mail('sts-many.test'));
is($got->{status}, 'sent', 'and the mail is sent') or diag($got->{reason});
like(join("\n", @{ $got->{lines} }), qr/Verified TLS connection established/, 'to the one of them that there is');
done_testing();
