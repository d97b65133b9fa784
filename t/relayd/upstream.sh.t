#!/usr/bin/perl
# The way to MX hosts and through them (S1 to S9, B3), with receivers that do one thing wrong each. What is looked at is what the MTA would be told and what
# the receiver saw.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Relay;
use Test::More;

my $n = 0;
my (@lines, %records, @cases);

# A receiver of this name, for a domain of its own: NAME.test, MX mx.NAME.test. Returns its address.
sub receiver {
    my ($name, $keys) = @_;
    my $address = loopback(++$n);
    push @lines, "$address mx.$name.test " . ($keys // '');
    return $address;
}

# name, keys of the receiver, what the recipient is answered, record (default: an enforced policy), sender
sub case {
    my ($name, $keys, $want, %more) = @_;
    my $address = receiver($name, $keys);
    $records{"$name.test"} = record("$name.test", hosts => [["mx.$name.test", [$address]]], mode => 'enforce', %more);
    push @cases, [$name, $want, $more{sender} // '<s@client.test>', $more{parameters} // ''];
}

my $OK = qr/^ID rcpt 0 mx\.\S+ said 250 .*\nID data go\nID done mx\.\S+ said 250 2\.0\.0 kept\n/;
sub refused { my ($text) = @_; return qr/^ID rcpt 0 failed $text/ }

# Well.
case('good', '', $OK);
case('secure', '', $OK, secure => 1, mode => undef);
case('null', 'after=PIPELINING', $OK, sender => '<>');
case('bare', 'after=REQUIRETLS', $OK);

# Who may be asked (S1).
case('nobody', '', refused('550 5\.7\.10 .*neither by DNSSEC nor'), mode => undef);
case('testing', '', refused('550 5\.7\.10 .*neither by DNSSEC nor'), mode => 'testing');
case('unnamed', '', refused('550 5\.7\.10 .*not named by'), mx => ['other.test']);
case('ststemp', '', refused('451 4\.4\.3'), mode => undef, record => 'temp');

# TLS and its certificate (S2, S9).
case('nostarttls', 'offer=PIPELINING', refused('550 5\.7\.10 .*does not offer STARTTLS'));
case('starttls454', 'starttls=454_4.7.0_later', refused('451 4\.7\.10 .*454 4\.7\.0 later'));
case('starttls554', 'starttls=554_5.7.0_no', refused('5\d\d 5\.7\.'));
case('injection', 'inject=250_ok', refused('451 4\.'));
case('cutshake', 'handshake=close', refused('451 4\.7\.\d'));
case('hungshake', 'handshake=hang', refused('451 4\.7\.\d'));
case('badshake', 'handshake=garbage', refused('451 4\.7\.\d'));
case('oldtls', 'handshake=old', refused('550 5\.7\.10'));
case('self', 'cert=self', refused('550 5\.7\.10'));
case('expired', 'cert=expired', refused('550 5\.7\.10'));
case('other', 'cert=other', refused('550 5\.7\.10'));

# REQUIRETLS (S3, S6, S7).
case('noreqtls', 'after=PIPELINING,DSN', refused('550 5\.7\.30 .*REQUIRETLS'));
case('early', 'offer=STARTTLS,REQUIRETLS after=PIPELINING', refused('550 5\.7\.30 .*REQUIRETLS'));
case('refusesit', 'mail=555_5.5.4_unknown', refused('550 5\.7\.30'));
case('valued', 'after=REQUIRETLS_x', refused('550 5\.7\.30'));
case('small', 'after=REQUIRETLS,SIZE_100', refused('5\d\d 5\.3\.4 '), parameters => 'SIZE=1000');
case('seven', 'after=REQUIRETLS', refused('550 5\.6\.3 .*8BITMIME'), parameters => 'BODY=8BITMIME');
case('ascii', 'after=REQUIRETLS', refused('550 5\.6\.7'), parameters => 'SMTPUTF8');

# Replies, greeting to MAIL (S8).
for my $step (['greeting', 'greeting'], ['ehlo', 'ehlo'], ['tlsehlo', 'tls_ehlo'], ['mail', 'mail']) {
    my ($name, $key) = @$step;
    case("${name}421", "$key=421_4.3.2_later", refused('451 4\.'));
    case("${name}554", "$key=554_5.7.1_never", refused('5\d\d 5\.'));
    case("${name}$_", "$key=$_", refused('451 4\.')) for qw(close hang drip line endless garbage nul);
}
case('ehlo220', 'ehlo=220_hello', refused('451 4\.5\.0'));
case('tlsehlo220', 'tls_ehlo=220_hello', refused('451 4\.5\.0'));
case('greetingtwice', 'greeting=twice', refused('451 4\.5\.0'));
case('starttls' . $_, "starttls=$_", refused('451 4\.')) for qw(close hang drip line endless garbage);

# Once MAIL was taken.
case('rcpt550', 'rcpt=550_5.1.1_no_such_user', qr/^ID rcpt 0 mx\.\S+ said 550 5\.1\.1 no such user\n(?!ID)/);
case('rcpt450', 'rcpt=450_4.2.0_greylisted', qr/^ID rcpt 0 mx\.\S+ said 450 4\.2\.0 greylisted\n(?!ID)/);
case("rcpt$_", "rcpt=$_", refused('451 4\.')) for qw(close hang drip line endless garbage nul);
my $TAKEN = qr/^ID rcpt 0 mx\.\S+ said 250 .*\n/;
case('data451', 'data=451_4.3.0_full', qr/${TAKEN}ID data mx\.\S+ said 451 4\.3\.0 full\n(?!ID)/);
case('data250', 'data=250_2.0.0_kept', qr/${TAKEN}ID data failed 451 4\.5\.0 .*\n(?!ID)/);
case("data$_", "data=$_", qr/${TAKEN}ID data failed 451 4\..*\n(?!ID)/) for qw(close hang drip line endless garbage nul);
case("end$_", "end=$_", qr/${TAKEN}ID data go\nID done failed 451 4\..*\n(?!ID)/) for qw(close hang drip line endless garbage nul);
case('end550', 'end=550_5.7.1_spam', qr/${TAKEN}ID data go\nID done mx\.\S+ said 550 5\.7\.1 spam\n/);
case('end450', 'end=450_4.7.1_later', qr/${TAKEN}ID data go\nID done mx\.\S+ said 450 4\.7\.1 later\n/);

# Domains that have no host to ask.
my @elsewhere = (
    ['[127.0.0.1]', '550 5\.7\.10'], ['away.test', '451 4\.4\.3'], ['garbage.test', '451 4\.4\.3'], ['another.test', '451 4\.4\.3'], ['gone.test', '550 5\.1\.2'],
    ['nullmx.test', '556 5\.1\.10'], ['mxtemp.test', '451 4\.4\.3'], ['bad..test', '550 5\.1\.2']);
%records = (%records, 'garbage.test' => '{"v":1', 'another.test' => record('gone.test', hosts => [], state => 'nodomain'), 'silent.test' => 'silent',
    'gone.test' => record('gone.test', hosts => [], state => 'nodomain'), 'nullmx.test' => record('nullmx.test', hosts => [], state => 'null'),
    'mxtemp.test' => record('mxtemp.test', hosts => [], state => 'temp'));

# --- other tests' hosts ---
my $closed = loopback(250);
my %address = map { my ($name, $keys) = @$_; $name => receiver($name, $keys) } (
    ['first', 'mail=451_4.3.0_later'], ['single', 'after=REQUIRETLS mail=451_4.3.0_later'], ['apart', 'after=REQUIRETLS'], ['second', ''], ['bad', 'cert=self'], ['dane', 'cert=self'], ['danebad', 'cert=self'], ['ta', ''], ['plain', 'after=REQUIRETLS'],
    ['reuse', ''], ['once', 'once=1'], ['slow', 'slow=2'], ['large', ''], ['cut', 'cut=150000'], ['early550', 'early=552_5.3.4_too_large'], ['early250', 'early=250_2.0.0_kept'],
    ['busy', 'end=hang'], ['stall', 'slow=100000'], ['nopipe', 'after=REQUIRETLS'], ['full', 'full=1'], ['againclose', 'again=close'],
    ['again421', 'again=421_4.4.2_idle'], ['again451', 'again=451_4.3.0_later'], ['again550', 'again=550_5.7.1_too_many_messages']);
receivers_start(@lines);

sub of { my ($name) = @_; return "mx.$name.test" }
sub enforced { my ($domain, @names) = @_; return record($domain, mode => 'enforce', hosts => [map { [of($names[$_]), [$address{$names[$_]}], 10 * $_] } 0 .. $#names]) }
sub dane_record {
    my ($name, $tlsa, %more) = @_;
    return record("$name.test", secure => 1, hosts => [[of($name), [$address{$name}], 10, 'usable', [$tlsa]]], %more);
}
%records = (%records,
    (map { ("$_.test" => enforced("$_.test", $_)) } qw(againclose again421 again451 again550 plain full reuse once slow large cut early550 early250 busy stall nopipe)),
    'over.test' => enforced('over.test', 'first', 'bad', 'second'),
    'oversingle.test' => enforced('oversingle.test', 'single', 'second'), 'toapart.test' => enforced('toapart.test', 'first', 'apart'),
    'stays.test' => record('stays.test', mode => 'enforce', hosts => [[of('second'), [$closed, '::1', $address{second}], 10]]),
    'behind.test' => record('behind.test', mode => 'enforce', hosts => [[of('second'), [$address{full}, $address{second}], 10]]),
    'none.test' => record('none.test', mode => 'enforce', hosts => [[of('second'), [$closed], 10], [of('bad'), [$address{bad}], 20]]),
    'dane.test' => dane_record('dane', "3 1 1 $spki{of('dane')}"),
    'danebad.test' => dane_record('danebad', '3 1 1 ' . '00' x 32),
    'ta.test' => dane_record('ta', "2 0 1 $ta{of('ta')}"),
    'both.test' => record('both.test', secure => 1, mode => 'enforce', hosts => [[of('dane'), [$address{dane}], 10, 'usable', ["3 1 1 $spki{of('dane')}"]]]));
stsd_start(%records);

# All cases at once: one that hangs holds nobody up.
my ($out, $log) = drive('parallel=1000 connect=20000 command=20000 final=20000', (map { "$_->[0].test $_->[2] <u+requiretls\@$_->[0].test> 1000 $_->[3]" } @cases),
    map { "$_->[0] <s\@client.test> <u\@x.test> 1000" } @elsewhere);
my %said;
for (split /^/, $out) { $said{$1} .= $_ if /^(\d+) / }
my $i = 0;
for my $case (@cases) {
    my ($name, $want) = @$case;
    my $id = ++$i;
    my $text = ($said{$id} // '') =~ s/^\Q$id\E /ID /mgr;
    like($text, $want, $name);
    unlike(seen(of($name)), qr/clear (?!EHLO|STARTTLS|QUIT)/, "$name: no mail in clear");
    unlike(seen(of($name)), qr/MAIL FROM:<s\@client.test>(?! REQUIRETLS)/, "$name: never without REQUIRETLS");
}
for my $case (@elsewhere) {
    my $id = ++$i;
    like($said{$id} // '', qr/^\Q$id\E rcpt 0 failed $case->[1]/, $case->[0]);
}
for my $step (['greeting421', 'clear'], ['greeting554', 'clear'], ['ehlo421', 'clear'], ['ehlo554', 'clear'], ['nostarttls', 'clear'], ['tlsehlo421', 'under'], ['tlsehlo554', 'under'], ['noreqtls', 'under'], ['mail554', 'under']) {
    my ($name, $how) = @$step;
    my $quit = qr/^1 $how QUIT$/m;
    like(seen(of($name), $quit), $quit, "S4: $name is left with QUIT");
}
unlike(seen(of($_)), qr/ QUIT$/m, "$_: to whom nothing more is said") for qw(self expired injection);
like(seen(of('good')), qr/under MAIL FROM:<s\@client.test> REQUIRETLS RET=HDRS\n1 under RCPT TO:<u\@good.test>\n/, 'S7: what the server is told; no tag');
like(seen(of('good')), qr/1 message 1000 /, 'the message, whole');
like(seen(of('null')), qr/under MAIL FROM:<>\n/, 'B3');
like($said{1 + (grep { $cases[$_][0] eq 'injection' } 0 .. $#cases)[0]}, qr/clear|STARTTLS/, 'injection is named');
unlike($out, qr/[^\x20-\x7e\n]/, 'printable');
like($log, qr/connection domain=good.test host=mx.good.test address=\S+ tls=TLSv1.3 cipher=\S+ verified=pkix result=verified/, 'the connection is logged');
like($log, qr/message domain=good.test host=mx.good.test recipients=1 taken=1 result=delivered code=250/, 'so is the message');

# One after the other.
sub one {
    my ($settings, $line) = @_;
    my ($text) = drive($settings, $line);
    return $text;
}
like(one('', 'over.test <s@client.test> <u@over.test> 10'), qr/1 done mx.second.test said 250/, 'S4: the last of three takes it');
like(seen(of('first'), qr/QUIT/), qr/MAIL.*\n1 under RCPT.*\n1 under QUIT/, 'the first was told the recipient with MAIL, and left with QUIT');
like(one('', 'oversingle.test <s@client.test> <u@oversingle.test>,<v@oversingle.test> 10'), qr/1 rcpt 1 mx.second.test said 250.*1 done mx.second.test said 250/s, 'one that takes a command at a time');
like(seen(of('single'), qr/QUIT/), qr/MAIL.*\n1 under QUIT/, 'is told no recipient before it has taken MAIL');
like(one('', 'toapart.test <s@client.test> <u@toapart.test>,<v@toapart.test> 10'), qr/1 rcpt 1 mx.apart.test said 250.*1 done mx.apart.test said 250/s, 'told to one host, recipients are told to the next one too');
like(one('', 'stays.test <s@client.test> <u@stays.test> 10'), qr/1 done mx.second.test said 250/, 'the next address of a host');
like(one('connect=1000', 'behind.test <s@client.test> <u@behind.test> 10'), qr/1 done mx.second.test said 250/, 'also behind one that does not answer');
like(one('connect=1000', 'full.test <s@client.test> <u@full.test> 10'), qr/failed 451 4.4.1 .*no answer/, 'which is temporary');
like(one('', 'none.test <s@client.test> <u@none.test> 10'), qr/failed 451 4.4.1 .*second.*bad/, 'S8: one that is away makes it temporary, and both are named');
like(one('', 'dane.test <s@client.test> <u@dane.test> 10'), qr/1 done .* 250/, 'DANE-EE');
like(one('', 'danebad.test <s@client.test> <u@danebad.test> 10'), qr/failed 550 5.7.10/, 'DANE-EE that does not fit');
like(one('', 'ta.test <s@client.test> <u@ta.test> 10'), qr/1 done .* 250/, 'DANE-TA');
like(one('', 'both.test <s@client.test> <u@both.test> 10'), qr/failed 550 5.7.10/, 'DANE and an enforced policy: both must hold');

my $mixed = join ',', map { "<r$_\@x.test>" } qw(250 550 450 250);
for my $name (qw(reuse nopipe)) {
    my $text = one('', "$name.test <s\@client.test> $mixed 10");
    my @codes = $text =~ /rcpt \d .*said (\d+)/g;
    is("@codes", '250 550 450 250', "$name: each recipient its own reply");
    like($text, qr/1 done .* 250/, "$name: and the message goes");
}

# Reuse (S9).
($out, $log) = drive('per_domain=1', map { "reuse.test <s\@client.test> <$_\@reuse.test> 10" } qw(a r550 b c));
is(scalar(() = $out =~ /done .* 250/g), 3, 'three of four');
is(scalar(() = $log =~ /connection domain=reuse/g), 1, 'over one connection');
like(seen(of('reuse')), qr/RCPT TO:<r550\@reuse.test>\n2 under RSET\n/, 'RSET after a transaction without a message');
like($out, qr/^open 1$/m, 'which is kept');
($out, $log) = drive('idle=0', map { "reuse.test <s\@client.test> <$_\@reuse.test> 10" } qw(a b));
is(scalar(() = $log =~ /connection domain=reuse/g), 2, 'none is kept when none shall');
($out, $log) = drive('', map { "once.test <s\@client.test> <$_\@once.test> 10" } qw(a b c));
is(scalar(() = $out =~ /done .* 250/g), 3, 'a kept connection that has ended is no failure');
for (['againclose', 3, 3], ['again421', 3, 3], ['again451', 3, 3], ['again550', 3, 3]) {
    my ($name, $delivered, $connections) = @$_;
    ($out, $log) = drive('', map { "$name.test <s\@client.test> <$_\@$name.test> 10" } qw(a b c));
    is(scalar(() = $out =~ /done .* 250/g), $delivered, "$name: so many of three");
    is(scalar(() = $log =~ /connection domain=$name/g), $connections, "$name: over so many connections");
}

# Limits.
($out) = drive('wait=0 per_domain=2 parallel=10 final=3000', map { "busy.test <s\@client.test> <$_\@busy.test> 10" } 'a' .. 'e');
is(scalar(() = $out =~ /rcpt 0 failed 451 4.4.5 .*\(per_domain: /g), 3, 'per_domain');
($out) = drive('wait=0 upstreams=2 parallel=10 final=3000', map { "busy.test <s\@client.test> <$_\@busy.test> 10" } 'a' .. 'e');
is(scalar(() = $out =~ /rcpt 0 failed 451 4.4.5 .*\(upstreams: /g), 3, 'upstreams');
($out) = drive('wait=500 upstreams=2 parallel=10 final=3000', map { "busy.test <s\@client.test> <$_\@busy.test> 10" } 'a' .. 'e');
is(scalar(() = $out =~ /rcpt 0 failed 451 4.4.5 .*\(upstreams: /g), 3, 'upstreams, after a wait');
($out) = drive('upstreams=1', map { "$_.test <s\@client.test> <a\@$_.test> 10" } qw(plain reuse));
is(scalar(() = $out =~ /done .* 250/g), 2, 'an idle connection makes room');

# The message.
my $small = one('', 'large.test <s@client.test> <u@large.test> 10');
my $text = one('', 'large.test <s@client.test> <u@large.test> 50000000');
like($text, qr/1 done .* 250/, '50 MB');
like(seen(of('large')), qr/message 50000000 /, 'all of it');
my ($little, $much) = map { /^memory (\d+)/m } $small, $text;
cmp_ok($much - $little, '<', sanitized() ? 300000 : 4096, 'in bounded memory');
$text = one('', 'slow.test <s@client.test> <u@slow.test> 3000000');
like($text, qr/1 done .* 250/, 'a slow reader');
like(seen(of('slow')), qr/message 3000000 /, 'gets all of it');
like(one('command=10000', 'stall.test <s@client.test> <u@stall.test> 30000000'), qr/1 done failed 451 4.4.2 .*time/, 'a reader that stops');
like(one('', 'cut.test <s@client.test> <u@cut.test> 3000000'), qr/1 done failed 451 4.4.2/, 'lost in the midst');
like(one('', 'early550.test <s@client.test> <u@early550.test> 30000000'), qr/1 done mx.early550.test said 552 5.3.4/, 'refused in the midst');
like(one('', 'early250.test <s@client.test> <u@early250.test> 30000000'), qr/1 done failed 451 4.5.0/, 'taken before it is there: not believed');
one('', 'plain.test <s@client.test> <u@plain.test> DIE');
unlike(seen(of('plain')), qr/message 200000/, 'given up: the server gets no end');

# The whole has a deadline, whatever it waits for.
my @late = (['mailhang', 'rcpt 0'], ['rcpthang', 'rcpt 0'], ['datahang', 'data'], ['silent', 'rcpt 0'], ['hungshake', 'rcpt 0']);
($out) = drive('parallel=5 whole=6000', map { "$_->[0].test <s\@client.test> <u\@$_->[0].test> 10" } @late);
for my $n (1 .. @late) {
    my ($name, $what) = @{ $late[$n - 1] };
    like($out, qr/^$n $what failed 451 4\.4\.\d .*(?:deadline|time)/m, "the deadline: $name");
}

relay_end();
done_testing();
