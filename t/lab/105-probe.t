#!/usr/bin/perl
# posternctl probe at every domain of the files in `internet`: the verdict that its receivers deserve, the exit code for monitoring, the table and the object.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use JSON::PP ();
use Lab;
use Test::More;

# Whatever is not here is good. Exit code, and why.
my %bad = (
    'sts-selfsigned.test' => [1, 'self-signed, so nobody vouches'],
    'sts-wrongname.test' => [1, 'is for another-name\.test, not for mx\.sts-wrongname\.test'],
    'sts-expired.test' => [1, 'the certificate has expired'],
    'sts-nostarttls.test' => [1, 'does not offer STARTTLS'],
    'sts-notlisted.test' => [1, 'policy does not name this host'],
    'sts-parent.test' => [1, 'policy does not name this host'],
    'sts-testing.test' => [1, 'self-signed'],
    'sts-none.test' => [1, 'does not offer STARTTLS'],
    'sts-unknown.test' => [3, 'MTA-STS record cannot be looked up now'],
    (map { ("sts-$_.test" => [1, '^MTA-STS: .']) } qw(nomode doubled noid 404 redirect html notype oversize endless noaddress refused silent hangup inject-mx), map { "web-$_" } qw(selfsigned wrongname expired cnonly)),
    'dane-bad.test' => [1, 'no TLSA record fits'],
    'dane-nostarttls.test' => [1, 'does not offer STARTTLS'],
    'dane-ta-wrongname.test' => [1, 'usage 2 fits, but: hostname mismatch'],
    'dane-ta-expired.test' => [1, 'usage 2 fits, but: certificate has expired'],
    'dane-pkix-nostarttls.test' => [1, 'does not offer STARTTLS'],
    'dane-bogus.test' => [3, 'TLSA records cannot be looked up now'],
    'dane-bogus-one.test' => [3, '^mx\.dane-bogus\.test .*TLSA records cannot be looked up now'],
    'dane-mixed-bad.test' => [1, '^mx1\..*no TLSA record fits'],
    'dane-mixed-ta.test' => [1, '^mx1\..*usage 2'],
    'dane-mixed-sts.test' => [1, '^mx1\..*self-signed'],
    'dane-bad-sts-good.test' => [1, 'no TLSA record fits'],
    'dane-good-sts-bad.test' => [1, 'policy does not name this host'],
    'dane-pkix-sts.test' => [1, 'self-signed'],
    'bogus.test' => [3, 'MX records of bogus\.test cannot be looked up now'],
    'plain.test' => [1, 'does not offer STARTTLS'],
    'nomail.test' => [1, 'takes no mail'],
    'backup-refused.test' => [1, '^mx1\..*Connection refused'],
    'backup-selfsigned.test' => [1, '^mx1\..*self-signed'],
);

# probe(WORDS): exit code, the object, standard error
sub probe {
    my ($status, $out, $err) = Lab::capture('posternctl', 'probe', '--json', '--warn', '0', @_);
    diag("probe @_: no object: $out $err") if $out ne '' && !eval { JSON::PP->new->utf8->decode($out) };
    return ($status, $out eq '' ? {} : eval { JSON::PP->new->utf8->decode($out) } // {}, $err);
}

sub addresses { my ($j) = @_; return map { @{ $_->{addresses} } } @{ $j->{hosts} // [] } }

my %expected = map { $_->{domain} => $_ } Lab::receivers();
is_deeply([grep { !$expected{$_} } sort keys %bad], [], 'those that are bad are receivers');
for my $domain (sort keys %expected) {
    my ($code, $why) = @{ $bad{$domain} // [0, '^$'] };
    my ($status, $j, $err) = probe($domain);

    is($status, $code, "$domain: exit code");
    like($j->{why} // $err, qr/$why/, "$domain: why");
    next if $code != 0;
    my @open = grep { $_->{stage} ne 'done' && !$_->{unrouted} } addresses($j);
    is(scalar @open, 0, "$domain: each address is seen to its end");
    ok((grep { ($_->{protocol} // '') eq 'TLSv1.3' && $_->{group} && $_->{cipher} && @{ $_->{chain} } } addresses($j)), "$domain: protocol, group, cipher, chain");
}

# DANE, and both kinds of addresses
my (undef, $dane) = probe('dane-good.test');
is($_->{tlsa}{result}, 'verified', "by DANE at $_->{address}") for addresses($dane);
is($dane->{hosts}[0]{dane}, 'usable', 'usable records');
ok($dane->{mx_secure}, 'DNSSEC');
my ($status, $v6) = probe('v6.test');
like($_->{address}, qr/:/, 'IPv6') for addresses($v6);

# One host alone
my @alone = (['[mx.dane-good.test]', 0, 'good'], ['[mx.dane-bad.test]', 1, 'bad'], ['[mx.sts-nostarttls.test]', 1, 'bad'], ['[mx.sts-selfsigned.test]', 0, 'good'], ['[nothing-here.test]', 1, 'bad']);
for (@alone) {
    my ($host, $code, $verdict) = @$_;
    my ($got, $j) = probe($host);
    is($got, $code, "$host: exit code");
    is($j->{verdict}, $verdict, "$host: verdict");
    is($j->{mta_sts}{record}, 'none', "$host: no MTA-STS");
}

# REQUIRETLS
my (undef, $flagged) = probe('rt-sts.test');
ok((grep { $_->{requiretls} } addresses($flagged)), 'REQUIRETLS is seen');

# For people
for my $domain (qw(sts-good.test sts-selfsigned.test dane-bad.test sts-404.test plain.test v6-dane.test)) {
    my (undef, $out) = Lab::capture('posternctl', 'probe', '--warn', '0', $domain);
    like($out, qr/^  ADDRESS +TLS +CERTIFICATE +ENDS +MTA-STS +DANE +REQUIRETLS +MAIL$/m, "$domain: the table");
    is_deeply([grep { /^  \S+ +(?:TLSv|none|away|failed|no way)/ && length > 100 } split /\n/, $out], [], "$domain: fits");
}
($status) = Lab::capture('posternctl', 'probe', '--warn', '300d', 'sts-good.test');
is($status, 1, 'a certificate that ends soon');
done_testing();
