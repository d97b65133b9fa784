#!/usr/bin/perl
# Which hosts and addresses of a domain are tried, over IPv6 too and when this relay is among them; what a reload changes for connections, kept ones above all;
# and what is counted.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use IO::Socket::IP;
use Relay;
use Test::More;

my $n = 0;
my @lines;
sub receiver {
    my ($name, $keys, $address) = @_;
    $address //= loopback(++$n);
    push @lines, "$address mx.$name.test " . ($keys // '');
    return $address;
}
sub of { my ($name) = @_; return "mx.$name.test" }

my $v6 = IO::Socket::IP->new(LocalHost => '::1', LocalPort => 0, Listen => 1) ? '::1' : undef;
my @dead = map { loopback(200 + $_) } 1 .. 8;
receiver('six', '', $v6) if $v6; # first, as it chooses the port for all: only this address is others', too
my $alive = receiver('alive');
my %address = map { $_ => receiver($_) } qw(better self worse kept reload);
my $late = receiver('late', 'late=500');
my @full = map { receiver("full$_", 'full=1') } 1 .. 8;
my @silent = map { receiver('quiet', 'greeting=hang') } 1 .. 3;
my @shakeless = map { receiver("shakeless$_", 'handshake=hang') } 1 .. 3;
my $noreqtls = receiver('noreqtls', 'after=PIPELINING');
my $hang = receiver('hang', 'rcpt=hang');
my $busy = receiver('busy', 'end=hang');
my %leaves = map { $_ => receiver("${_}421", "$_=421_4.3.2_going") } qw(rcpt data end);
my %ends = map { my ($name, $step) = @$_; $name => receiver($name, $step) } ['mailclose', 'mail=close'], ['mailgarbage', 'mail=garbage'], ['rcptclose', 'rcpt=close'];
my $data451 = receiver('data451', 'data=451_4.3.0_full_up');

# Hosts of two addresses, one of which fails: at the first of them, then at the second.
my %fault = (
    greeting451 => 'greeting=451_4.3.2_later', greeting554 => 'greeting=554_5.7.1_never', silent => 'greeting=hang', closes => 'greeting=close', nonsense => 'greeting=garbage', ehlo => 'ehlo=502_no',
    nostarttls => 'offer=PIPELINING', starttls454 => 'starttls=454_4.7.0_later', injects => 'inject=250_ok', cutshake => 'handshake=close', hungshake => 'handshake=hang', oldtls => 'handshake=old',
    self => 'cert=self', expired => 'cert=expired', other => 'cert=other', tlsehlo => 'tls_ehlo=554_5.0.0_no', norequiretls => 'after=PIPELINING', early => 'offer=STARTTLS,REQUIRETLS after=PIPELINING',
    mail451 => 'mail=451_4.3.0_later', mail555 => 'mail=555_5.5.4_what', mailclose => 'mail=close', mailhang => 'mail=hang');
my %two = map { $_ => [receiver("two$_", $fault{$_}), receiver("two$_")] } sort keys %fault;
my ($expired, $later, $lacks, $lacks2, $final, $past) = map { receiver('mixed', $_) } @fault{qw(expired greeting451 norequiretls norequiretls)}, 'mail=550_5.7.1_never', '';
my @lacking = map { receiver('lacking', $fault{norequiretls}) } 1 .. 8;
my @behind = map { receiver('behind', $fault{norequiretls}) } 1 .. 2;
my @sized = (receiver('sized', 'after=REQUIRETLS,SIZE_100'), receiver('sized'));
my @daned = (receiver('daned', 'cert=self'), receiver('daned', 'cert=self'));
my ($shared, $turns, $moved) = (receiver('shared'), receiver('turns'), receiver('moved'));
receivers_start(@lines);

sub enforced { my ($domain, @hosts) = @_; return ("$domain.test" => record("$domain.test", mode => 'enforce', hosts => [@hosts])) }
# The same host, of which something else is demanded each time.
my %demand = (
    pkix => [mode => 'enforce'], dane => [secure => 1, tlsa => "3 1 1 $spki{of('turns')}"], daneta => [secure => 1, tlsa => "2 0 1 $ta{of('turns')}"],
    both => [secure => 1, mode => 'enforce', tlsa => "3 1 1 $spki{of('turns')}"], misfit => [secure => 1, tlsa => '3 1 1 ' . '00' x 32]);
sub demanded {
    my ($domain, $which) = @_;
    my %d = @{ $demand{$which} };
    my $tlsa = delete $d{tlsa};
    return record("$domain.test", %d, hosts => [[of('turns'), [$turns], 10, $tlsa ? ('usable', [$tlsa]) : ()]]);
}
sub turns { my ($domain, @which) = @_; return ("$domain.test" => ['turns', map { demanded($domain, $_) } @which]) }
my @changes = (['pkix', 'dane'], ['dane', 'pkix'], ['dane', 'daneta'], ['pkix', 'both'], ['dane', 'both'], ['both', 'dane']);
# Two hosts, aliases of one name maybe, of which the same is demanded.
my ($moves, $moves_to) = map { record('moves.test', secure => 1, hosts => [[of($_->[0]), [$_->[1]], 10, 'usable', [map { "3 1 1 $spki{of($_)}" } qw(moved turns)], of('turns')]]) }
    ['turns', $turns], ['moved', $moved];
my (undef, $cold) = enforced('cold', [of('alive'), [$alive]]);
stsd_start(
    'cold.test' => [2, $cold],
    enforced('dead7', [of('alive'), [@dead[0 .. 6], $alive]]), enforced('dead8', [of('alive'), \@dead]), enforced('alive', [of('alive'), [$alive]]),
    enforced('quiet', [of('quiet'), \@silent, 10], [of('alive'), [$alive], 20]), enforced('shakeless', (map { [of("shakeless$_"), [$shakeless[$_ - 1]], $_] } 1 .. 3), [of('alive'), [$alive], 20]),
    enforced('full', [of('alive'), [@full[0 .. 6], $alive]]), enforced('fullhosts', (map { [of("full$_"), [$full[$_ - 1]], $_] } 1 .. 8), [of('alive'), [$alive], 10]),
    ($v6 ? (enforced('six', [of('six'), ['::1']]), enforced('foursix', [of('six'), [$dead[0], '::1']]), enforced('sixfour', [of('six'), ['::1', $dead[0]]])) : ()),
    enforced('loop', [of('better'), [$address{better}], 10], [of('self'), [$address{self}], 20], [of('worse'), [$address{worse}], 30]),
    enforced('loopdead', [of('better'), [$dead[0]], 10], [of('self'), [$address{self}], 20], [of('worse'), [$address{worse}], 30]),
    enforced('loopequal', [of('worse'), [$address{worse}], 20], [of('self'), [$address{self}], 20]),
    enforced('loopfirst', [of('self'), [$address{self}], 0], [of('worse'), [$address{worse}], 30]),
    (map { enforced("two$_", [of("two$_"), $two{$_}]), enforced("back$_", [of("two$_"), [reverse @{ $two{$_} }]]) } keys %two),
    enforced('temporary', [of('mixed'), [$expired, $later, $lacks]]), enforced('permanent', [of('mixed'), [$expired, $lacks, $expired]]),
    enforced('final', [of('mixed'), [$lacks, $final, $past], 10], [of('alive'), [$alive], 20]), enforced('nexthost', [of('mixed'), [$expired, $later], 10], [of('alive'), [$alive], 20]),
    enforced('same', [of('mixed'), [$lacks, $lacks, $lacks2, $past]]), enforced('bound', [of('lacking'), \@lacking, 10], [of('behind'), \@behind, 20]),
    enforced('shareda', [of('shared'), [$shared]]), enforced('sharedb', [of('shared'), [$shared]]), 'moves.test' => ['turns', $moves, $moves_to],
    (map { turns(join('to', @$_), @$_) } @changes), (map { turns("stays$_", $_, $_) } qw(pkix dane both)), turns('misfits', 'dane', 'misfit'),
    enforced('halfdead', [of('mixed'), [$dead[0], $lacks, $dead[1]]]), enforced('sized', [of('sized'), \@sized]), enforced('deadlacking', [of('lacking'), [@dead[0 .. 6], $lacking[0]], 10], [of('behind'), \@behind, 20], [of('alive'), [$alive], 30]),
    'daned.test' => record('daned.test', secure => 1, hosts => [[of('daned'), \@daned, 10, 'usable', ["3 1 1 $spki{of('daned')}"]]]),
    ($v6 ? (enforced('badsix', [of('alive'), ['::1', $alive]]), enforced('goodsix', [of('alive'), [$alive, '::1']])) : ()),
    map { my ($name, $at) = @$_; enforced($name, [of($name), [$at]]) } ['kept', $address{kept}], ['reload', $address{reload}], ['late', $late], ['noreqtls', $noreqtls], ['hang', $hang],
    ['busy', $busy], ['data451', $data451], map({ ["${_}421", $leaves{$_}] } keys %leaves), map { [$_, $ends{$_}] } keys %ends);

sub line { my ($name) = @_; return "$name.test <s\@client.test> <u\@$name.test> 10" }
sub run { my ($settings, @names) = @_; return drive($settings, map { /^RELOAD/ ? $_ : line($_) } @names) }
sub done { my ($text) = @_; return scalar(() = $text =~ / done mx\S+ said 250/g) }
sub connections { my ($log) = @_; return scalar(() = $log =~ /result=verified/g) }
sub counter { my ($text, $name) = @_; return $text =~ /^counter postern_relayd_\Q$name\E (\d+)$/m ? $1 : 0 }
my ($out, $log);

# --- addresses ---
($out, $log) = run('', 'dead7');
is(done($out), 1, 'seven dead addresses, and the eighth behind them takes it');
is(counter($out, 'connects_total{outcome="connect"}'), 7, 'each was tried');
($out, $log) = run('', 'dead8');
like($out, qr/^1 rcpt 0 failed 451 4\.4\.1 .*mx\.alive\.test cannot be reached \(Connection refused\)$/m, 'dead ones alone');
is(scalar(() = $log =~ /result=connect /g), 8, 'each stands in the log');
($out) = run('connect=200 whole=1000', 'full');
like($out, qr/^1 rcpt 0 failed 451 4\.4\.\d .*(?:our time was over|no answer)/m, 'seven addresses that do not answer, and the time for all is shorter');
($out) = run('connect=200', 'full', 'fullhosts');
is(done($out), 2, 'with time enough the last one is reached, be it an address or a host');
($out, $log) = run('parallel=2 command=3000 whole=9000', 'quiet', 'shakeless');
is(done($out), 2, 'three addresses of a host, and three hosts, that hang leave time for the host behind them');
is(scalar(() = $log =~ /result=(?:timeout|handshake) /g), 6, 'each was tried');
SKIP: {
    skip('no IPv6 on loopback', 5) if !$v6;
    for my $name (qw(six foursix sixfour)) {
        ($out, $log) = run('', $name);
        is(done($out), 1, "$name: over IPv6");
    }
    like($log, qr/address=::1 .*result=verified/, 'as the log says');
    like(seen(of('six')), qr/1 tls TLSv1\.3 mx\.six\.test\n/, 'with the name for SNI');
}

# --- each address is a candidate of its own, until MAIL was taken ---
my %slow = map { $_ => 1 } qw(silent hungshake mailhang);
for my $name (sort keys %fault) {
    ($out, $log) = run($slow{$name} ? 'command=6000 idle=0' : 'idle=0', "two$name", "back$name");
    is(done($out), 2, "$name: the host's other address takes it, as it does when it comes first");
    is(scalar(() = $log =~ /connection .*address=\Q$two{$name}[0]\E /g), 1, "$name: and then the one that fails is not asked");
}
($out, $log) = run('', 'daned');
is(done($out), 1, 'with DANE: the key that fits is at the second address');
like($log, qr/address=\Q$daned[0]\E .*result=cert-tlsa .*\n.*address=\Q$daned[1]\E .*verified=dane result=verified/, 'and each was verified for itself');
($out, $log) = run('', 'temporary');
like($out, qr/^1 rcpt 0 failed 451 4\.3\.2 REQUIRETLS mail for temporary\.test cannot be delivered now: mx\.mixed\.test [^;]*\(451 4\.3\.2 later\)$/m,
    'all bad: what is temporary at one of them counts, and the host is named once');
is(scalar(() = $log =~ /connection /g), 3, 'after all were tried');
($out, $log) = run('', 'permanent');
like($out, qr/^1 rcpt 0 failed 550 5\.7\.30 [^;]*: mx\.mixed\.test does not offer REQUIRETLS$/m, 'all bad for good: the one that got furthest');
is(scalar(() = $log =~ /connection /g), 2, 'an address that stands there twice is tried once');
($out) = run('', 'halfdead');
like($out, qr/^1 rcpt 0 failed 550 5\.7\.30 [^;]*: mx\.mixed\.test does not offer REQUIRETLS$/m, 'S5: an address that takes no connection does not put off what the host lacks');
($out, $log) = run('', 'same');
is(done($out), 1, 'nor does one that fails twice keep others from being tried');
is(scalar(() = $log =~ /connection /g), 3, 'each once');
($out, $log) = run('', 'final');
like($out, qr/^1 rcpt 0 failed 550 5\.7\.1 .*refused MAIL/m, 'S4: MAIL refused for good is the last word,');
is(join(' ', $log =~ /connection .*address=(\S+)/g), "$lacks $final", 'and neither the next address nor the next host is asked');
($out) = run('', 'nexthost');
is(done($out), 1, 'behind the addresses of a host comes the next host');
($out, $log) = run('', 'bound');
like($out, qr/^1 rcpt 0 failed 550 5\.7\.30 [^;]*mx\.lacking\.test does not offer REQUIRETLS; mx\.behind\.test does not offer REQUIRETLS$/m, 'many addresses that take connections:');
is(scalar(() = $log =~ /connection \S+ host=mx\.lacking\.test /g), 5, 'five of one host are asked,');
is(scalar(() = $log =~ /connection \S+ host=mx\.behind\.test /g), 1, 'then one of each other host');
($out, $log) = run('', 'deadlacking');
is(done($out), 1, 'addresses that take no connection');
is(scalar(() = $log =~ /connection \S+ host=mx\.behind\.test /g), 2, 'do not count for that');
SKIP: {
    skip('no IPv6 on loopback', 3) if !$v6;
    ($out, $log) = run('idle=0', qw(badsix goodsix));
    is(done($out), 2, 'a bad IPv6 address beside a good IPv4 one');
    is(scalar(() = $log =~ /address=::1 .*result=cert-name/g), 1, 'was asked when it came first');
    is(connections($log), 2, 'and the other one both times');
}
($out, $log) = run('', ('twoself') x 2);
is(done($out), 2, 'the second message');
is(scalar(() = $log =~ /connection /g), 2, 'goes over the kept connection to the good address');
($out, $log) = drive('', map { line('sized') . " SIZE=$_" } 10, 1000);
is(done($out), 2, 'a kept connection to a server that does not take so large a message');
is(join(' ', $log =~ /connection .*address=(\S+)/g), "@sized", 'the other address does, and the first is not asked again');

# --- the record of a domain that stsd has to look up itself ---
($out) = run('connect=1000', 'cold');
is(done($out), 1, 'it may come later than a host may take to be reached');

# --- this relay among the hosts ---
($out) = run('name=MX.self.Test', 'loop');
like($out, qr/ done mx\.better\.test said 250/, 'the host before us takes it');
($out) = run('name=mx.self.test', 'loopdead');
like($out, qr/rcpt 0 failed 451 4\.4\.1 .*mx\.better\.test cannot be reached.*mx\.self\.test is this relay/, 'it is away: put off');
($out) = run('name=mx.self.test', 'loopequal', 'loopfirst');
is(scalar(() = $out =~ /rcpt 0 failed 550 5\.4\.6 REQUIRETLS mail for .*this relay/g), 2, 'none is before us: a loop');
is(seen(of('self')) . seen(of('worse')), '', 'neither we nor those behind us are connected to');
($out) = run('', 'loopfirst');
is(done($out), 1, 'under another name it is a host as any other');

# --- a reload ---
($out) = run('wait=0 per_domain=0', 'kept', 'RELOAD per_domain=1', 'kept');
like($out, qr/^1 rcpt 0 failed 451 4\.4\.5 .*\n3 rcpt 0 mx\.kept/m, 'per_domain');
is(counter($out, 'connects_total{outcome="busy"}'), 1, 'busy is counted');
($out) = run('wait=0 upstreams=0', 'kept', 'RELOAD upstreams=1', 'kept');
like($out, qr/^1 rcpt 0 failed 451 4\.4\.5 .*\n3 rcpt 0 mx\.kept/m, 'upstreams');
($out) = run('command=600000 whole=600000', 'RELOAD command=6000', 'hang');
like($out, qr/^2 rcpt 0 failed 451 4\.4\.2 .*time/m, 'times');
($out) = run('idle=10000', 'kept', 'RELOAD idle=0', 'kept', 'kept');
like($out, qr/^open 0$/m, 'idle: none is kept any more');
($out, $log) = run('', 'kept', 'kept');
is(connections($log), 1, 'without a reload one connection carries two messages');
is(counter($out, 'reused_total'), 1, 'the second is counted as such');
($out, $log) = run('', 'kept', 'RELOAD', 'kept');
is(connections($log), 2, 'after a reload the kept one is not used, as it was verified by other authorities maybe');
is(done($out), 2, 'and both are delivered');
($out, $log) = run('', 'reload', "RELOAD ca_file=$Relay::dir/stranger.pem", 'reload', "RELOAD ca_file=$Relay::dir/ca.pem", 'reload');
like($out, qr/^1 done .* 250.*\n3 rcpt 0 failed 550 5\.7\.10 .*not trusted.*\n(?:5 .*\n)*5 done .* 250/m, 'other authorities: the same host is not trusted, until they are back');
unlike(seen(of('reload')), qr/2 under/, 'nothing is said to it in between');
($out, $log) = run('', 'reload', "RELOAD ca_file=$Relay::dir/none.pem", 'reload');
is(done($out), 2, 'a file that is not there: the authorities from before hold');
like($log, qr/error certificates why="those read before stay in use: .*none\.pem: /, 'and the log says so');
($out, $log) = run('', "RELOAD-IN ca_file=$Relay::dir/stranger.pem", 'late', 'late');
like($out, qr/^2 done .* 250.*\n3 rcpt 0 failed 550 5\.7\.10/m, 'a message under way is seen through, and its connection not kept');
like($out, qr/^open 0$/m, 'none is left');

# --- S9: a kept connection is for its domain, its host, and what was demanded of it ---
($out, $log) = run('', qw(shareda sharedb shareda));
is(done($out), 3, 'two domains with the same MX host');
is(connections($log), 2, 'have each a connection of its own, which the third message uses again');
like(seen(of('shared')), qr/^(\d+) under MAIL.*\n\1 under RCPT TO:<u\@shareda\.test>.*^(?!\1)(\d+) under MAIL.*\n\2 under RCPT TO:<u\@sharedb\.test>.*^\1 under MAIL.*\n\1 under RCPT TO:<u\@shareda/ms, 'as the host saw');
for my $which (qw(pkix dane both)) {
    ($out, $log) = run('', ("stays$which") x 2);
    is(done($out) . connections($log), '21', "the same is demanded, $which: one connection carries two messages");
}
for my $change (@changes) {
    my $name = join 'to', @$change;
    ($out, $log) = run('', ($name) x 2);
    is(done($out) . connections($log), '22', "from $change->[0] to $change->[1]: the host has to show it anew");
}
($out, $log) = run('', ('misfits') x 2);
like($out, qr/^1 done .* 250.*\n2 rcpt 0 failed 550 5\.7\.10 /m, 'TLSA records that no longer fit: the kept connection does not count');
($out, $log) = run('', ('moves') x 2);
is(done($out) . connections($log), '22', 'another MX host, of which the same is demanded');

# --- a server that says 421 is about to close ---
for my $step (qw(rcpt data end)) {
    ($out, $log) = run('', ("${step}421") x 2);
    is(scalar(() = $out =~ / mx\.${step}421\.test said 421 4\.3\.2 going$/mg), 2, "421 to $step: what the server said");
    is(connections($log), 2, "421 to $step: the next message goes over a new connection");
    unlike(seen(of("${step}421")), qr/RSET/, "421 to $step: nothing more is asked of the old one");
}
($out, $log) = run('per_domain=1', ('data451') x 2);
is(connections($log), 1, 'one that refuses DATA otherwise stays connected');
like($log, qr/message domain=data451\.test .* taken=1 result=failed code=451 status=4\.3\.0 reply="451 4\.3\.0 full up"/, 'its words stand in the log');

# --- numbers, and descriptors ---
($out) = run('', 'noreqtls', 'alive');
is(counter($out, 'declined_total{why="requiretls"}'), 1, 'a server without REQUIRETLS is counted');
is(counter($out, 'connects_total{outcome="verified"}'), 2, 'beside its verified connection');
($out) = run('', 'mailclose', 'mailgarbage', 'rcptclose');
is(counter($out, 'declined_total{why="late-lost"}'), 2, 'a connection that ends once MAIL was said');
is(counter($out, 'declined_total{why="late-nonsense"}'), 1, 'or carries nonsense');
is(counter($out, 'connects_total{outcome="lost"}'), 0, 'is none that could not begin');
($out) = run('command=6000', 'hang');
is(counter($out, 'declined_total{why="late-timeout"}'), 1, 'no reply in time');
($out) = run('whole=6000', 'hang');
is(counter($out, 'declined_total{why="deadline"}'), 1, 'our time over');
($out, $log) = run('files=16 parallel=20 final=2000 whole=5000', ('busy') x 20);
like($out, qr/ rcpt 0 failed 451 4\.3\.0 .*want of means on our side \(Too many open files\)/, 'no descriptor is left: our fault, not the host\'s');
relay_end();
done_testing();
