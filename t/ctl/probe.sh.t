#!/usr/bin/perl
# posternctl probe and posternctl tls ciphers, with receivers that do one thing wrong each and a stand-in for stsd. POSTERNCTL names the binary.
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
    ['good', ''], ['second', 'after=PIPELINING'], ['middle', 'cert=middle'], ['tls12', 'handshake=tls12'], ['dane', 'cert=self'], ['ta', 'cert=untold'], ['nostarttls', 'offer=PIPELINING'],
    ['notnow', 'starttls=454_4.7.0_later'], ['injects', 'inject=250_ok'], ['oldtls', 'handshake=old'], ['cutshake', 'handshake=close'], ['hungshake', 'handshake=hang'], ['junkshake', 'handshake=garbage'],
    ['self', 'cert=self'], ['expired', 'cert=expired'], ['other', 'cert=other'], ['untold', 'cert=untold'], ['stale', 'cert=stale'], ['crooked', 'cert=crooked'], ['many', 'cert=many'],
    ['nul', 'cert=nul'], ['huge', 'cert=huge'], ['greets421', 'greeting=421_4.3.2_busy'], ['greets554', 'greeting=554_5.7.1_go_away'], ['ehlo502', 'ehlo=502_5.5.1_what'], ['ehlo554', 'tls_ehlo=554_5.0.0_no'],
    ['hung', 'greeting=hang'], ['full', 'full=1'], ['drip', 'greeting=drip'], ['line', 'greeting=line'], ['endless', 'ehlo=endless'], ['garbage', 'greeting=garbage'], ['nulreply', 'greeting=nul'],
    ['twice', 'greeting=twice'], ['flood', 'ehlo=flood'], ['closes', 'greeting=close'], ['bell', "greeting=220_a\e[31mb\x{9b}c_hello"], ['tickets', 'tls_ehlo=tickets'], ['rekeys', 'tls_ehlo=rekeys']);
for (@receivers) {
    my ($name, $keys) = @$_;
    $address{$name} = loopback(++$n);
    utf8::encode($keys);
    push @lines, "$address{$name} mx.$name.test $keys";
}
receivers_start(@lines);

sub of { return "mx.$_[0].test" }
sub one { my ($name, %more) = @_; return record("$name.test", hosts => [[of($name), [$address{$name}], 10]], %more) }
sub enforced { return one($_[0], mode => 'enforce') }
sub dane { my ($name, $tlsa) = @_; return record("$name.test", secure => 1, hosts => [[of($name), [$address{$name}], 10, 'usable', [$tlsa]]]) }

my $closed = loopback(250);
%records = (
    (map { ("$_->[0].test" => enforced($_->[0])) } @receivers),
    'dane.test' => dane('dane', "3 1 1 $spki{of('dane')}"),
    'ta.test' => dane('ta', "2 0 1 $ta{of('ta')}"),
    'danebad.test' => record('danebad.test', secure => 1, hosts => [[of('good'), [$address{good}], 10, 'usable', ['3 1 1 ' . '00' x 32]]]),
    'danetemp.test' => record('danetemp.test', secure => 1, hosts => [[of('good'), [$address{good}], 10, 'temp']]),
    'nothing.test' => record('nothing.test', hosts => [[of('self'), [$address{self}], 10]]),
    'testing.test' => record('testing.test', mode => 'testing', hosts => [[of('self'), [$address{self}], 10]]),
    'unnamed.test' => record('unnamed.test', mode => 'enforce', mx => ['mx.elsewhere.test'], hosts => [[of('good'), [$address{good}], 10]]),
    'two.test' => record('two.test', mode => 'enforce', hosts => [[of('good'), [$address{good}, 'ff0e::1'], 10], [of('second'), [$address{second}], 20]]),
    'unrouted.test' => record('unrouted.test', hosts => [[of('good'), ['ff0e::1'], 10]]),
    'dead.test' => record('dead.test', hosts => [[of('good'), [$closed], 10]]),
    'noaddress.test' => record('noaddress.test', hosts => [[of('good'), [], 10]]),
    'ststemp.test' => record('ststemp.test', record => 'temp', hosts => [[of('good'), [$address{good}], 10]]),
    'fetch.test' => record('fetch.test', record => 'found', failure => 'sts-policy-fetch-error', hosts => [[of('good'), [$address{good}], 10]]),
    'gone.test' => record('gone.test', hosts => [], state => 'nodomain'),
    'nullmx.test' => record('nullmx.test', hosts => [], state => 'null'),
    'mxtemp.test' => record('mxtemp.test', hosts => [], state => 'temp'),
    'broken.test' => '{"v":1',
    'crowd.test' => record('crowd.test', mode => 'enforce', hosts => [map { [of($_->[0]), [($address{$_->[0]}) x 8], 10] } @receivers[0 .. 31]]));
stsd_start(%records);
{
    open(my $fh, '>', "$dir/conf") or die;
    print $fh qq(relayd { stsd = "unix:$dir/stsd.sock" ca_file = "$dir/ca.pem" name = "probe.example" port = 1 }\nstsd { listen = "unix:$dir/stsd.sock" }\ncerts { warn_before = "1d" }\n);
    close $fh;
}

my ($out, $err, $rc);
sub slurp { open(my $fh, '<:raw', $_[0]) or return ''; local $/; return <$fh> // '' }
sub run {
    my (@words) = @_;
    splice @words, 1, 0, '--port', $port if $words[0] eq 'probe' && !grep { $_ eq '--port' } @words; # relayd's port is not asked for
    my $child = fork() // die;
    if (!$child) {
        @SIG{qw(INT TERM)} = ('DEFAULT') x 2;
        open(STDIN, '<', '/dev/null');
        open(STDOUT, '>', "$dir/out");
        open(STDERR, '>', "$dir/err");
        alarm 300;
        exec($ctl, '-c', "$dir/conf", @words) or POSIX::_exit(127);
    }
    waitpid $child, 0;
    $rc = $? & 127 ? "signal $?" : $? >> 8;
    ($out, $err) = (slurp("$dir/out"), slurp("$dir/err"));
    diag($err) if $err =~ /Sanitizer|runtime error/;
}
sub object { my $j = eval { JSON::PP->new->utf8->decode($out) }; return ref $j eq 'HASH' ? $j : {} }

# Each alone: the exit code, and what the object says of its one address
my %wrong = (
    good => [0, 'done', 'good', ''], middle => [0, 'done', 'good', ''], tls12 => [0, 'done', 'good', ''], dane => [0, 'done', 'good', ''], ta => [1, 'done', 'bad', 'usage 2|no TLSA record fits'],
    nostarttls => [1, 'greeted', 'bad', 'does not offer STARTTLS'], notnow => [3, 'greeted', 'later', '454 4.7.0 later'], injects => [1, 'greeted', 'bad', 'text in clear'],
    oldtls => [1, 'starttls', 'bad', 'TLS 1.1 at most|no version of TLS in common'], cutshake => [1, 'starttls', 'bad', 'closed the connection within the TLS handshake'],
    hungshake => [3, 'starttls', 'later', 'no time was left to wait for the end of the TLS handshake'], junkshake => [1, 'greeted|starttls', 'bad', 'does not speak TLS|text in clear'], self => [1, 'done', 'bad', 'self-signed'],
    expired => [1, 'done', 'bad', 'expired 1 day ago'], other => [1, 'done', 'bad', 'for other.invalid, not for mx.other.test'], untold => [1, 'done', 'bad', 'certificate of CN=Test middle is missing'],
    stale => [1, 'done', 'bad', 'certificate 2 of the chain, CN=Test middle, has expired'], crooked => [0, 'done', 'good', ''], many => [1, '\w+', 'bad', 'too large|other|not for'], nul => [1, 'done', 'bad', 'no host names that can be used|not for'],
    huge => [1, 'starttls', 'bad', 'too large'], greets421 => [3, 'connected', 'later', '421 4.3.2 busy'], greets554 => [1, 'connected', 'bad', '554 5.7.1 go away'], ehlo502 => [1, 'greeted', 'bad', '502 5.5.1'],
    ehlo554 => [1, 'tls', 'bad', 'EHLO under TLS is 554'], hung => [3, 'connected', 'later', 'wait for its greeting'], full => [3, 'unreachable', 'later', 'wait for the connection'],
    drip => [3, 'connected', 'later', 'its greeting'], line => [1, 'connected', 'bad', 'its greeting: '], endless => [1, 'greeted', 'bad', 'the reply to EHLO: '], garbage => [1, 'connected', 'bad', 'its greeting: '],
    nulreply => [1, 'connected', 'bad', 'its greeting: '], twice => [1, '\w+', 'bad', 'before it is asked|the reply to EHLO is 220'], flood => [1, 'greeted', 'bad', 'before it is asked|the reply to EHLO: '], closes => [1, 'connected', 'bad', 'closed the connection before its greeting'],
    bell => [0, 'done', 'good', ''], tickets => [1, 'tls', 'bad', 'closed the connection|without end'], rekeys => [1, 'tls', 'bad', 'closed the connection|without end'], second => [0, 'done', 'good', '']);
for my $name (sort keys %wrong) {
    my ($code, $stage, $verdict, $why) = @{ $wrong{$name} };
    run('probe', '--json', '--timeout', $code == 3 ? '10s' : '120s', "$name.test"); # the time shall be up where that is the matter, and nowhere else
    my $at = object()->{hosts}[0]{addresses}[0] // {};
    my $published = $at->{verdicts}{published} // {};
    is($rc, $code, "$name: exit code");
    like($at->{stage} // '', qr/^(?:$stage)\z/, "$name: how far");
    is($published->{verdict}, $verdict, "$name: verdict") or diag($out);
    like($published->{why} // '', qr/$why/, "$name: why");
    like($out, qr/\A[\x20-\x7e]*\n\z/, "$name: plain JSON");
}

# What is published
my %whole = (
    danebad => [1, 'no TLSA record fits'], danetemp => [3, 'TLSA records cannot be looked up'], nothing => [0, ''], testing => [1, 'self-signed'], unnamed => [1, 'does not name this host'],
    dead => [1, 'Connection refused'], noaddress => [3, 'addresses cannot be looked up'], ststemp => [3, 'MTA-STS record cannot'], fetch => [1, 'MTA-STS'], gone => [1, 'no such domain'],
    nullmx => [1, 'takes no mail'], two => [0, ''], unrouted => [3, 'no way']);
for my $name (sort keys %whole) {
    my ($code, $why) = @{ $whole{$name} };
    run('probe', '--json', '--timeout', $code == 3 ? '10s' : '120s', "$name.test");
    is($rc, $code, "$name: exit code") or diag($out, $err);
    like(object()->{why} // '', qr/$why/, "$name: why");
}
for ('mxtemp', 'broken', 'unknown') {
    run('probe', '--timeout', '5s', "$_.test");
    is($rc, 3, "$_: not known now");
    like($err, qr/^posternctl: .+\n\z/, 'one line of error');
    is($out, '', 'no output');
}

# The table
run('probe', 'two.test');
is($rc, 0, 'two hosts');
like($out, qr/^10 mx\.good\.test\n  ADDRESS +TLS +CERTIFICATE +ENDS +MTA-STS +DANE +REQUIRETLS +MAIL\n  \Q$address{good}\E +TLSv1\.3 +trusted +9 d +yes +- +yes +good$/m, 'a row');
like($out, qr/^  ff0e::1 .* -$/m, 'an address that cannot be reached from here is nobody\'s fault');
like($out, qr/^20 mx\.second\.test\n.*\n  \Q$address{second}\E +TLSv1\.3 +trusted +9 d +yes +- +no +good$/m, 'the other host');
like($out, qr/^good: every address is as what is published demands\.\n\z/m, 'the verdict');
ok(!(grep { length > 100 } split /\n/, $out), 'no line is longer than 100 columns') or diag($out);
run('probe', 'bell.test');
unlike($out, qr/[\x00-\x09\x0b-\x1f\x7f\x9b]/, 'nothing in a greeting acts on a terminal');
run('probe', '--warn', '30d', 'good.test');
is($rc, 1, 'the certificate ends too soon');
like($out, qr/But mx\.good\.test \[\S+\]: the certificate ends in 9 days, so the exit code is 1 \(--warn\)\.$/m, 'and that is said');
run('probe', '--json', 'dane.test');
my $dane = object()->{hosts}[0];
is($dane->{addresses}[0]{tlsa}{result}, 'verified', 'DANE goes by the key');
is($dane->{addresses}[0]{pkix}{result}, 'untrusted', 'and PKIX is told beside it');
is($dane->{addresses}[0]{chain}[0]{spki_sha256}, $spki{of('dane')}, 'the digest of the key');
like(seen(of('dane')), qr/ under QUIT$/m, 'it is left with QUIT');
unlike(join('', map { seen(of($_->[0])) } @receivers), qr/MAIL|RCPT|DATA/, 'no mail is ever said');

# A crowd: 32 hosts with 8 addresses, bounded connections
run('probe', '--json', '--timeout', '30s', 'crowd.test');
is($rc, 1, 'a crowd: it ends');
is(scalar(map { @{ $_->{addresses} } } @{ object()->{hosts} }), 256, 'all addresses of all hosts');
ok((grep { $_->{host} eq of('good') && (grep { $_->{stage} eq 'done' } @{ $_->{addresses} }) == 8 } @{ object()->{hosts} }), 'the good one is seen at each');

# Words
for (['--port', '0', 'good.test'], ['--timeout', 'soon', 'good.test'], ['[192.0.2.1]'], ['good.test:25'], ['..'], []) {
    run('probe', @$_);
    is($rc, 2, "usage: @$_");
}
run('probe', '--port', $port + 1 > 65535 ? 1 : $port + 1, 'good.test');
isnt($rc, 0, 'another port');

# tls ciphers
run('tls', 'ciphers', '--json');
is($rc, 0, 'tls ciphers');
my $offer = object();
my %version = map { $_->{version} => $_->{offered} } @{ $offer->{versions} };
ok($version{'TLSv1.2'} && $version{'TLSv1.3'}, 'TLS 1.2 and 1.3');
ok((grep { $_->{name} eq 'TLS_AES_256_GCM_SHA384' && $_->{bits} == 256 } @{ $offer->{suites} }), 'suites');
ok((grep { /x25519/i } @{ $offer->{groups} }), 'groups');
run('tls', 'ciphers', '--json', '--protocols', '>=TLSv1.3 ciphers=high');
$offer = object();
is($offer->{postfix}, 'protocols=>=TLSv1.3 ciphers=high', 'as Postfix has it');
is($offer->{exim}, 'NORMAL:-VERS-ALL:+VERS-TLS1.3', 'as Exim has it');
ok(!(grep { $_->{since} ne 'TLSv1.3' } @{ $offer->{suites} }), 'suites of TLS 1.3 alone');
run('tls', 'ciphers', '--protocols', '>=TLSv1.2:<=TLSv1');
is($rc, 1, 'a pin that leaves no version');
like($err, qr/leaves no TLS version/, 'with the reason');
run('tls', 'ciphers', '--protocols', 'TLSv1.7');
is($rc, 2, 'no pin');
{
    open(my $fh, '>', "$dir/openssl.cnf") or die;
    print $fh "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nMinProtocol = TLSv1.3\n";
    close $fh;
    local $ENV{OPENSSL_CONF} = "$dir/openssl.cnf";
    run('tls', 'ciphers', '--protocols', 'TLSv1.2');
    is($rc, 1, 'the system has no TLS 1.2');
    like($err, qr/TLSv1\.2: the system's openssl\.cnf/, 'with the reason');
}
relay_end();
done_testing();
