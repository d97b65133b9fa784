#!/usr/bin/perl
# posternctl explain --requiretls, with receivers that do one thing wrong each and a stand-in for stsd. POSTERNCTL names the binary.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../relayd";
use JSON::PP;
use Relay;
use Test::More;

my ($n, @lines, %address, %records) = (0);
my $ctl = $ENV{POSTERNCTL} || './ctl/posternctl';

# NAME, keys of receiver.c: the host mx.NAME.test
my @receivers = (
    ['good', ''], ['second', ''], ['bare', 'after=REQUIRETLS'], ['noreqtls', 'after=PIPELINING'], ['early', 'offer=STARTTLS,REQUIRETLS after=PIPELINING'],
    ['nostarttls', 'offer=PIPELINING'], ['notnow', 'starttls=454_4.7.0_later'], ['injects', 'inject=250_ok'], ['oldtls', 'handshake=old'], ['cutshake', 'handshake=close'],
    ['self', 'cert=self'], ['expired', 'cert=expired'], ['other', 'cert=other'], ['greets421', 'greeting=421_4.3.2_busy'], ['greets554', 'greeting=554_5.7.1_go_away'],
    ['ehlo554', 'tls_ehlo=554_5.0.0_no'], ['hung', 'greeting=hang'], ['ehlohung', 'tls_ehlo=hang'], ['hungshake', 'handshake=hang'], ['full', 'full=1'], ['dane', 'cert=self'], ['danebad', 'cert=self'],
    ['unnamed', ''], ['garbage', 'greeting=garbage'], ['null', 'after=PIPELINING']);
for (@receivers) {
    my ($name, $keys) = @$_;
    $address{$name} = loopback(++$n);
    push @lines, "$address{$name} mx.$name.test $keys";
}
$address{good2} = loopback(++$n);
push @lines, "$address{good2} mx.noreqtls.test";
receivers_start(@lines);

sub of { return "mx.$_[0].test" }
sub hosts { my $at = 0; return hosts => [map { [of($_), [$address{$_}], 10 * ++$at] } @_] }
sub enforced { my ($domain, @names) = @_; return record($domain, mode => 'enforce', hosts(@names)) }
sub dane { my ($name, $tlsa, %more) = @_; return record("$name.test", secure => 1, hosts => [[of($name), [$address{$name}], 10, 'usable', [$tlsa]]], %more) }

my $spki = $spki{of('dane')};
my @bad = qw(noreqtls early nostarttls notnow injects oldtls cutshake self expired other greets421 greets554 ehlo554 hung ehlohung hungshake full garbage);
my $closed = loopback(250);
%records = (
    (map { ("$_.test" => enforced("$_.test", $_)) } @bad, 'good', 'bare', 'null'),
    'dane.test' => dane('dane', "3 1 1 $spki"),
    'danebad.test' => dane('danebad', '3 1 1 ' . '00' x 32),
    'daneonly.test' => record('daneonly.test', secure => 1, mode => 'enforce', hosts => [[of('dane'), [$address{dane}], 10, 'usable', ["3 1 1 $spki"]]]),
    'signed.test' => record('signed.test', secure => 1, hosts('good')),
    'many.test' => record('many.test', mode => 'enforce', mx => [map { of($_) } @bad, 'good', 'second'],
        hosts => [[of('unnamed'), [$address{unnamed}], 5], (map { [of($_), [$address{$_}], 10] } @bad), [of('good'), [$address{good}], 20], [of('second'), [$address{second}], 20]]),
    'testing.test' => record('testing.test', mode => 'testing', hosts('good')),
    'nobody.test' => record('nobody.test', hosts('good')),
    'ststemp.test' => record('ststemp.test', record => 'temp', hosts('good')),
    'fetch.test' => record('fetch.test', record => 'found', failure => 'sts-policy-fetch-error', hosts('good')),
    'tlsatemp.test' => record('tlsatemp.test', secure => 1, hosts => [[of('good'), [$address{good}], 10, 'temp']]),
    'noaddress.test' => record('noaddress.test', mode => 'enforce', hosts => [[of('good'), [], 10]]),
    'dead.test' => record('dead.test', mode => 'enforce', hosts => [[of('good'), [$closed], 10], [of('second'), [$closed], 20]]),
    'stays.test' => record('stays.test', mode => 'enforce', hosts => [[of('good'), [$closed, $address{good}], 10]]),
    'twogood.test' => record('twogood.test', mode => 'enforce', hosts => [[of('noreqtls'), [$address{expired}, $address{noreqtls}, $address{good2}], 10]]),
    'twobad.test' => record('twobad.test', mode => 'enforce', hosts => [[of('noreqtls'), [$address{expired}, $address{noreqtls}, $address{greets554}], 10]]),
    'loop.test' => record('loop.test', mode => 'enforce', hosts => [['relay.example', [$address{good}], 10]]),
    'gone.test' => record('gone.test', hosts => [], state => 'nodomain'),
    'nullmx.test' => record('nullmx.test', hosts => [], state => 'null'),
    'mxtemp.test' => record('mxtemp.test', hosts => [], state => 'temp'),
    'another.test' => record('gone.test', hosts => [], state => 'nodomain'),
    'broken.test' => '{"v":1',
    'silent.test' => 'silent',
    'xn--bcher-kva.test' => record('xn--bcher-kva.test', mode => 'enforce', hosts('good')));
stsd_start(%records);

sub conf {
    my ($file, %more) = @_;
    my %keys = (stsd => "\"unix:$dir/stsd.sock\"", ca_file => "\"$dir/ca.pem\"", name => '"relay.example"', port => $port, connect_timeout => '"10s"', command_timeout => '"10s"', %more);
    open(my $fh, '>', "$dir/$file") or die;
    print $fh "relayd {\n", (map { "  $_ = $keys{$_}\n" } sort keys %keys), "}\n";
    close $fh;
}
conf('conf');

my ($out, $err, $rc);
sub slurp { open(my $fh, '<:encoding(UTF-8)', $_[0]) or return ''; local $/; return <$fh> // '' }
sub run {
    my (@words) = @_;
    my $conf = $words[0] =~ /^conf/ ? shift @words : 'conf';
    my $child = fork() // die;
    if (!$child) {
        @SIG{qw(INT TERM)} = ('DEFAULT') x 2;
        open(STDIN, '<', '/dev/null');
        open(STDOUT, '>', "$dir/out");
        open(STDERR, '>', "$dir/err");
        binmode STDOUT;
        alarm 300;
        utf8::encode($_) for @words;
        exec($ctl, '-c', "$dir/$conf", 'explain', '--requiretls', @words) or POSIX::_exit(127);
    }
    waitpid $child, 0;
    $rc = $? & 127 ? "signal $?" : $? >> 8;
    ($out, $err) = (slurp("$dir/out"), slurp("$dir/err"));
    diag($err) if $err =~ /Sanitizer|runtime error/;
}
sub object { my $j = eval { JSON::PP->new->decode($out) }; return ref $j eq 'HASH' ? $j : {} }
sub conditions {
    my ($host) = @_;
    return join ' ', map { my $c = $host->{conditions}{$_}; !defined $c->{holds} ? '-' : $c->{holds} ? 'yes' : 'no' }
        qw(mx_authenticated policy_names_it connects starttls tls certificate requiretls);
}

# It would go.
run('good.test');
is($rc, 0, 'delivered');
like($out, qr/^PREF  HOST          MX       POLICY  CONNECTS\s+STARTTLS  TLS      CERTIFICATE  REQUIRETLS  TAKES IT\n10    mx.good.test  MTA-STS  yes     $address{good}\s+yes       TLSv1.3  PKIX         offered     yes\n\nREQUIRETLS mail for good.test would be delivered now to mx.good.test.\n\z/, 'the table');
is($err, '', 'no error');
like(seen(of('good'), qr/closed/), qr/^1 open \S+\n1 clear EHLO relay.example\n1 clear STARTTLS\n1 tls TLSv1.3 mx.good.test\n1 under EHLO relay.example\n1 under QUIT\n/m, 'the host is asked so far, and left with QUIT');
run('dane.test');
is($rc, 0, 'DANE');
like($out, qr/^10 .* DNSSEC  -  .* TLSv1.3  DANE         offered     yes$/m, 'by DANE');
run('daneonly.test');
is($rc, 1, 'DANE and an enforced policy: both must hold');
run('signed.test');
like($out, qr/^10 .* DNSSEC  -  .*  PKIX /m, 'signed, without TLSA');
run('stays.test');
is($rc, 0, 'the second address');
like($out, qr/ $address{good} .* yes$/m, 'is named');

run('twogood.test');
is($rc, 0, 'addresses that fail otherwise: the third takes it');
like($out, qr/ $address{good2} .* yes$/m, 'and is named');
run('twobad.test');
is($rc, 1, 'none of them takes it:');
like($out, qr/ $address{noreqtls} .* no$/m, 'the one that got furthest is named');

# One thing is wrong. mx, policy, connects, STARTTLS, TLS, certificate, REQUIRETLS
my %wrong = (
    noreqtls => ['yes yes yes yes yes yes no', 1, '5.7.30', 'requiretls'], early => ['yes yes yes yes yes yes no', 1, '5.7.30', 'requiretls-bare'],
    nostarttls => ['yes yes yes no - - -', 1, '5.7.10', 'starttls-absent'], notnow => ['yes yes yes no - - -', 3, '4.7.10', 'starttls-temp'],
    injects => ['yes yes yes no - - -', 3, '4.7.5', 'starttls-injection'], oldtls => ['yes yes yes yes no - -', 1, '5.7.10', 'handshake-refused'],
    cutshake => ['yes yes yes yes no - -', 3, '4.7.5', 'handshake'], self => ['yes yes yes yes yes no -', 1, '5.7.10', 'cert-untrusted'],
    expired => ['yes yes yes yes yes no -', 1, '5.7.10', 'cert-expired'], other => ['yes yes yes yes yes no -', 1, '5.7.10', 'cert-name'],
    greets421 => ['yes yes yes - - - -', 3, '4.3.2', 'greeting-temp'], greets554 => ['yes yes yes - - - -', 1, '5.7.1', 'greeting-perm'],
    ehlo554 => ['yes yes yes yes yes yes no', 1, '5.7.30', 'tls-ehlo-perm'], hung => ['yes yes yes - - - -', 3, '4.4.2', 'timeout'],
    ehlohung => ['yes yes yes yes yes yes -', 3, '4.4.2', 'timeout'], hungshake => ['yes yes yes yes no - -', 3, '4.7.5', 'handshake'], full => ['yes yes no - - - -', 3, '4.4.1', 'connect-timeout'],
    garbage => ['yes yes yes - - - -', 3, '4.5.0', 'nonsense'], danebad => ['yes - yes yes yes no -', 1, '5.7.10', 'cert-tlsa'],
    testing => ['no - - - - - -', 1, '5.7.10', 'unauthenticated'], nobody => ['no - - - - - -', 1, '5.7.10', 'unauthenticated'],
    loop => ['yes yes - - - - -', 1, '5.4.6', 'loop'], ststemp => ['no - - - - - -', 3, '4.4.3', 'policy-temp'], fetch => ['no - - - - - -', 3, '4.4.3', 'policy-fetch'],
    tlsatemp => ['yes - - - - - -', 3, '4.4.3', 'tlsa-temp'], noaddress => ['yes yes no - - - -', 3, '4.4.3', 'address-temp']);
$records{$_} || die $_ for map { "$_.test" } keys %wrong;
for my $name (sort keys %wrong) {
    my ($want, $code, $status, $failed) = @{ $wrong{$name} };
    run('--json', '--timeout', $code == 3 ? '6s' : '120s', "$name.test"); # the time shall be up where that is the matter, and nowhere else
    my $j = object();
    is($rc, $code, "$name: exit code");
    is(conditions($j->{hosts}[0]), $want, "$name: conditions");
    is($j->{hosts}[0]{failed}, $failed, "$name: why");
    is($j->{mail}{enhanced}, $status, "$name: status");
    is($j->{mail}{result}, $code == 1 ? 'returned' : 'deferred', "$name: result");
    is(int($j->{mail}{code} / 100), $code == 1 ? 5 : 4, "$name: code");
    ok(!$j->{hosts}[0]{takes}, "$name: does not take it");
}

# The very words of relayd.
my @asked = grep { !/^(hung|ehlohung|full|cutshake)/ } @bad; # how a cut handshake ends is a matter of time
my ($driven) = drive('parallel=100 connect=20000 command=20000', map { "$_.test <s\@client.test> <u\@$_.test> 10" } @asked, qw(testing fetch nobody gone nullmx mxtemp));
for my $i (0 .. @asked + 5) {
    my $domain = (@asked, qw(testing fetch nobody gone nullmx mxtemp))[$i] . '.test';
    my $id = $i + 1;
    my ($said) = $driven =~ /^$id rcpt 0 failed (.*)$/m;
    run($domain);
    like($out, qr/: \Q$said\E\n/, "$domain: as relayd says it");
}

# Many hosts.
run('--json', '--timeout', '7s', 'many.test');
my $j = object();
is($rc, 0, 'many: delivered');
is_deeply($j->{mail}{hosts}, [of('good'), of('second')], 'many: to one of those that take it') or diag $out;
is(scalar(@{ $j->{hosts} }), @bad + 3, 'many: all are shown');
is($j->{hosts}[0]{host}, of('unnamed'), 'many: in order of preference, the barred ones too');
ok($j->{hosts}[0]{barred} && !$j->{hosts}[0]{asked}, 'many: barred, and not asked');
is(seen(of('unnamed')), '', 'many: it saw nobody');
is(scalar(grep { $_->{hurried} } @{ $j->{hosts} }), 4, 'many: those that were not waited for as long as relayd does') or diag $out;
run('--timeout', '7s', 'many.test');
like($out, qr/^5     mx.unnamed.test .* no      -  .* no$/m, 'many: the barred one');
like($out, qr/^mx.unnamed.test is not named by the MTA-STS policy\.$/m, 'many: why');
like($out, qr/^mx.hung.test did not reply in time \(postern-relayd waits longer\)\.$/m, 'many: hurried');
like($out, qr/delivered now to mx\.good\.test or mx\.second\.test\.$/m, 'many: to whom');
like($out, qr/^10 .*greets421.* not now$/m, 'many: not now');

# A bounce.
run('null.test');
is($rc, 1, 'no REQUIRETLS: mail comes back');
like($out, qr/^REQUIRETLS mail for null.test would be given back: 550 5.7.30 .*\nA bounce, .* would be delivered now to mx.null.test\.\n\z/m, 'a bounce is delivered');
run('--json', 'null.test');
$j = object();
is_deeply([@{ $j->{bounce} }{qw(result hosts code)}], ['delivered', [of('null')], undef], 'the same as an object');
run('good.test');
unlike($out, qr/bounce/, 'nothing is said of bounces where all is well');

# Offline.
my $before = seen(of('bare'));
run('--offline', 'bare.test');
is($rc, 0, 'offline');
like($out, qr/^10    mx.bare.test  MTA-STS  yes     -         -         -    -            -           -\n\nREQUIRETLS mail for bare.test would be offered to mx.bare.test; no host was asked/m, 'offline: what is known');
is(seen(of('bare')), $before, 'offline: nobody is asked');
run('--offline', 'nobody.test');
is($rc, 1, 'offline, and all are barred');

# Domains without a host to ask.
for my $case (['gone.test', 1, '550 5.1.2'], ['nullmx.test', 1, '556 5.1.10'], ['mxtemp.test', 3, '451 4.4.3'], ['[127.0.0.1]', 1, '550 5.7.10'], ['[IPv6:::1]', 1, '550 5.7.10'],
    ['[mx.good.test]', 1, '550 5.7.10'], ['127.0.0.1', 1, '550 5.7.10']) {
    my ($domain, $code, $said) = @$case;
    run($domain);
    is($rc, $code, "$domain: exit code");
    like($out, qr/^REQUIRETLS mail for \S+ would be .*: $said /, "$domain: $said, without a table");
    is($err, '', "$domain: no error");
    run('--json', $domain);
    is_deeply(object()->{hosts}, [], "$domain: no hosts");
}
run('Bücher.test');
is($rc, 0, 'U-labels');
like($out, qr/mail for xn--bcher-kva.test would be delivered/, 'U-labels: the domain');
run('dead.test');
is($rc, 3, 'all hosts dead');
like($out, qr/^mx.good.test cannot be reached: Connection refused\.\nmx.second.test cannot/m, 'all hosts dead: told');
for ('no..domain', 'u@good.test', 'good.test:25', '[mx.good.test]:25', '.good.test', '', 'a b') {
    run($_);
    is($rc, 2, "\"$_\": wrong usage");
    like($err, qr/is no domain that an address may have/, "\"$_\": told");
    is($out, '', "\"$_\": nothing else");
}

# stsd.
for my $case (['away.test', qr/no luck today/], ['broken.test', qr/no destination record/], ['another.test', qr/asked about another.test, it told of gone.test/]) {
    my ($domain, $why) = @$case;
    run('--timeout', '60s', $domain);
    is($rc, 3, "$domain: later");
    like($err, $why, "$domain: why");
    like($out, qr/kept and tried again: 451 4.4.3 /, "$domain: as relayd says it");
}
conf('conf.away', stsd => "\"unix:$dir/nonesuch\"");
run('conf.away', 'good.test');
is($rc, 3, 'stsd away');
like($err, qr/postern-stsd at unix:\S+nonesuch: .*is it running/, 'stsd away: what to do');
is($out, '', 'stsd away: nothing is said of mail');
run('--timeout', '1s', 'silent.test');
is($rc, 3, 'stsd is silent');
like($err, qr/^posternctl: postern-stsd at unix:\S+: .*is it running/, 'stsd is silent: told');
is($out, '', 'stsd is silent: nothing is said of mail');

# Configuration and options.
conf('conf.ca', ca_file => "\"$dir/nonesuch\"");
run('conf.ca', 'good.test');
is($rc, 2, 'no such file of authorities');
like($err, qr/nonesuch/, 'it is named');
is($out, '', 'nothing else');
conf('conf.system', ca_file => "\"$dir/hosts\"");
run('conf.system', 'good.test');
is($rc, 2, 'no certificates in it');
run('conf.none', 'good.test');
is($rc, 2, 'no configuration');
for ('0', '1ms', 'x', '11m', '-1s') {
    run('--timeout', $_, 'good.test');
    is($rc, 2, "--timeout $_");
    like($err, qr/^posternctl: --timeout: /, "--timeout $_: told");
}
for my $words (['--offline'], ['--timeout', '1s']) {
    system("$ctl explain @$words good.test >$dir/out 2>$dir/err");
    is($? >> 8, 2, "$words->[0] without --requiretls");
}

relay_end();
done_testing();
