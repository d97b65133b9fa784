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

# Cipher and group are those that openssl comes to with the same server.
my %group_of = (prime256v1 => 'P-256', secp384r1 => 'P-384', secp521r1 => 'P-521');

# "TLSv1.2 CIPHER GROUP" of a server's port; without a temporary key it is RSA
sub seen_by_openssl {
    my ($address, $port) = @_;
    my $at = $address =~ /:/ ? "[$address]" : $address;
    my (undef, $out) = Lab::capture('sh', '-c', "echo QUIT | timeout $Lab::PATIENCE openssl s_client -starttls smtp -connect '$at:$port' -servername mx.sts-good.test");
    my ($version, $cipher) = $out =~ /^New, (\S+), Cipher is (\S+)$/m or return "nothing: $out";
    ($version) = $out =~ /^    Protocol  : (\S+)$/m if $version ne 'TLSv1.3';    # that before is of the cipher
    my ($kind, $curve, $bits) = $out =~ /^Server Temp Key: (\w+),(?: (\w+),)? (\d+) bits$/m;
    my $group = !defined $kind ? 'RSA' : $kind eq 'DH' ? "DH $bits" : $kind eq 'ECDH' ? $group_of{$curve} // $curve : $kind;
    return "$version $cipher $group";
}

# A server beside mx.sts-good.test for each: port, options of smtpd, part of what is to be seen
sub ciphers {
    my ($ipv4) = grep { !/:/ } map { $_->{address} } addresses((probe('[mx.sts-good.test]'))[1]);
    my $rsa = "$Lab::DIR/tmp/probe-rsa.pem";
    my ($made, undef, $err) = Lab::capture('sh', '-c', "openssl req -x509 -newkey rsa:2048 -nodes -days 10 -subj /CN=mx.sts-good.test -keyout $rsa.key -out $rsa.crt && cat $rsa.key $rsa.crt >$rsa && rm $rsa.key $rsa.crt");
    die "openssl: $err" if $made;
    my @servers = (
        [2601, 'tls_eecdh_auto_curves=prime256v1', 'TLSv1.3 TLS_AES_256_GCM_SHA384 P-256'],
        [2602, 'tls_eecdh_auto_curves=secp521r1', 'TLSv1.3 TLS_AES_256_GCM_SHA384 P-521'],
        [2603, 'tls_eecdh_auto_curves=X448', 'TLSv1.3 TLS_AES_256_GCM_SHA384 X448'],
        [2604, 'smtpd_tls_protocols=TLSv1.2 tls_eecdh_auto_curves=secp384r1 smtpd_tls_exclude_ciphers=AES256', 'TLSv1.2 ECDHE-RSA-CHACHA20-POLY1305 P-384'],
        [2605, 'smtpd_tls_protocols=TLSv1.2 tls_eecdh_auto_curves=X25519', 'TLSv1.2 ECDHE-RSA-AES256-GCM-SHA384 X25519'],
        [2606, 'smtpd_tls_protocols=TLSv1.2 smtpd_tls_exclude_ciphers=kEECDH', 'TLSv1.2 DHE-RSA-AES256-GCM-SHA384 DH '],
        [2607, 'smtpd_tls_protocols=TLSv1.2 smtpd_tls_exclude_ciphers=kEECDH,kEDH', 'TLSv1.2 AES256-GCM-SHA384 RSA'],
    );
    for (@servers) {
        my ($port, $options) = @$_;
        Lab::capture('postconf', '-c', '/etc/postfix-mx', '-M', "$ipv4:$port/inet=$ipv4:$port inet n - n - - smtpd -o myhostname=mx.sts-good.test"
                . " -o smtpd_tls_security_level=may -o smtpd_tls_chain_files=$rsa " . join ' ', map { "-o $_" } split / /, $options);
    }
    utime time - 60, time - 60, '/etc/postfix-mx/master.cf';
    Lab::capture('postfix', '-c', '/etc/postfix-mx', 'reload');
    for (@servers) {
        my ($port, undef, $wanted) = @$_;
        my $theirs = '';
        Lab::until_true(sub { ($theirs = seen_by_openssl($ipv4, $port)) !~ /^nothing/ });
        like($theirs, qr/^\Q$wanted\E/, "the server of port $port is as it is to be");
        is_seen($ipv4, $port, $theirs);
    }
    Lab::capture('postconf', '-c', '/etc/postfix-mx', '-MX', "$ipv4:$_->[0]/inet") for @servers;
    utime time - 60, time - 60, '/etc/postfix-mx/master.cf';
    Lab::capture('postfix', '-c', '/etc/postfix-mx', 'reload');
    is_seen($_->{address}, 25, seen_by_openssl($_->{address}, 25)) for addresses((probe('[mx.sts-good.test]'))[1]);
    return;
}

# Does probe see that at an address, in the object and in print?
sub is_seen {
    my ($address, $port, $theirs) = @_;
    my @host = ('--port', $port, '[mx.sts-good.test]');
    my ($at) = grep { $_->{address} eq $address } addresses((probe(@host))[1]);
    is(join(' ', map { $_ // 'none' } @$at{qw(protocol cipher group)}), $theirs, "port $port of $address: what openssl sees");
    my (undef, $cipher, $group) = split / /, $theirs, 3;
    like((Lab::capture('posternctl', 'probe', @host))[1], qr/^  \Q$address\E calls itself \S+: \Q$cipher, $group\E$/m, "port $port of $address: and in print");
    return;
}
ciphers();

# For people
for my $domain (qw(sts-good.test sts-selfsigned.test dane-bad.test sts-404.test plain.test v6-dane.test)) {
    my (undef, $out) = Lab::capture('posternctl', 'probe', '--warn', '0', $domain);
    like($out, qr/^  ADDRESS +TLS +CERTIFICATE +ENDS +MTA-STS +DANE +REQUIRETLS +MAIL$/m, "$domain: the table");
    is_deeply([grep { /^  \S+ +(?:TLSv|none|away|failed|no way)/ && length > 100 } split /\n/, $out], [], "$domain: fits");
}
($status) = Lab::capture('posternctl', 'probe', '--warn', '300d', 'sts-good.test');
is($status, 1, 'a certificate that ends soon');
done_testing();
