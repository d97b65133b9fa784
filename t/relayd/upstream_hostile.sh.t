#!/usr/bin/perl
# Servers that break TLS in the midst, cut replies short, talk out of turn or without end, or take some recipients of many: what is said of the message, and
# that none of it costs memory.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Relay;
use Test::More;

my $n = 0;
my (@lines, %records);

# A domain NAME.test with a receiver of its own.
sub domain {
    my ($name, $keys) = @_;
    my $address = loopback(++$n);
    push @lines, "$address mx.$name.test $keys";
    $records{"$name.test"} = record("$name.test", hosts => [["mx.$name.test", [$address]]], mode => 'enforce');
}

# --- TLS in the midst of a session: at each step, in both versions ---
my @faults = qw(drop chop chopline clear record huge alert);
my %failed = (
    mail => qr/^ID rcpt 0 failed 451 4\.[45]\.\d [^\n]*\n\z/,
    rcpt => qr/^ID rcpt 0 failed 451 4\.[45]\.\d [^\n]*\n\z/,
    data => qr/^ID rcpt 0 mx\S+ said 250 [^\n]*\nID data failed 451 4\.[45]\.\d [^\n]*\n\z/,
    end => qr/^ID rcpt 0 mx\S+ said 250 [^\n]*\nID data go\nID done failed 451 4\.[45]\.\d [^\n]*\n\z/);
my $DONE = qr/^ID rcpt 0 mx\S+ said 250 [^\n]*\nID data go\nID done mx\S+ said 250 2\.0\.0 kept\n\z/;
my @cases;
for my $step (qw(mail rcpt data end)) {
    for my $version ('', 'tls12') {
        for my $fault (@faults) {
            domain("$fault$step$version", "$step=$fault handshake=$version");
            push @cases, ["$fault$step$version", $failed{$step}];
        }
    }
    domain("rekey$step", "$step=rekey");
    push @cases, ["rekey$step", $DONE];
    # The server asks for it, is told no, and breaks the session off then, as OpenSSL does: at the next step, if there is one.
    domain("renegotiate$step", "$step=renegotiate handshake=tls12");
    push @cases, ["renegotiate$step", $step eq 'end' ? $DONE : qr/^(?:ID \w+(?: 0)? (?:mx\S+ said 2|go).*\n)*ID \w+(?: 0)? failed 451 4\.4\.2 [^\n]*\n\z/];
}

# --- replies out of step ---
my %out_of_step = (
    rcpt354 => ['rcpt=354_go_on', $failed{rcpt}], end354 => ['end=354_more', $failed{end}], rcpttwice => ['rcpt=twice', $failed{data}],
    rcptflood => ['rcpt=flood', $failed{data}], dataflood => ['data=flood', qr/^ID rcpt 0 mx.*\nID data (?:go\nID done )?failed 451 4\.5\.0 [^\n]*\n\z/],
    mailflood => ['mail=flood', qr/failed 451 4\.5\.0/], greetingflood => ['greeting=flood', $failed{mail}], endflood => ['end=flood', $DONE], endtwice => ['end=twice', $DONE]);
for my $name (sort keys %out_of_step) {
    domain($name, $out_of_step{$name}[0]);
    push @cases, [$name, $out_of_step{$name}[1]];
}

# --- for what follows ---
domain('many', 'store=1');
domain('manyslow', 'after=REQUIRETLS');
domain('most', 'most=100');
domain('mostslow', 'most=100 after=REQUIRETLS');
domain('fewer', 'most=2 beyond=hang');
domain('fewerclose', 'most=2 beyond=drop');
domain('morethanasked', 'most=2 beyond=twice');
domain('keptdrop', 'again=drop');
domain('keptclear', 'again=clear');
domain('keptrecord', 'again=record');
my @endless = map { my $step = $_; map { [$step, $_] } qw(endless line drip flood) } qw(greeting tls_ehlo rcpt end);
domain('without-' . ($_->[0] =~ tr/_/-/r) . "-$_->[1]", "$_->[0]=$_->[1]") for @endless;
domain('well', '');
domain('late', 'late=300');
domain($_, "rcpt=$_") for qw(tickets rekeys);
domain('hello', 'handshake=hello');
receivers_start(@lines);
stsd_start(%records);

my ($out, $log) = drive('parallel=1000 connect=60000 command=60000 final=60000', map { "$_->[0].test <s\@client.test> <u\@$_->[0].test> 1000" } @cases);
my %said;
for (split /^/, $out) { $said{$1} .= $_ if /^(\d+) / }
for my $i (0 .. $#cases) {
    my ($name, $want) = @{ $cases[$i] };
    my $id = $i + 1;
    like(($said{$id} // '') =~ s/^\Q$id\E /ID /mgr, $want, $name);
    my $seen = seen("mx.$name.test");
    unlike($seen, qr/clear (?!EHLO|STARTTLS|QUIT)/, "$name: nothing in clear after TLS");
    is(scalar(() = $seen =~ /^\d+ open/mg), 1, "$name: one connection, as nothing is tried twice");
}
like($log, qr/domain=renegotiatercpt\.test .* tls=TLSv1\.2 .*result=verified/, 'renegotiation was tried under TLS 1.2, which has it');
like($out, qr/^counter postern_relayd_connects_total\{outcome="verified"\} \d+$/m, 'verified connections are counted');
like($out, qr/^counter postern_relayd_connects_total\{outcome="nonsense"\} 1$/m, 'and what came of others: nonsense for a greeting');

# --- a kept connection that goes bad is no failure ---
for my $name (qw(keptdrop keptclear keptrecord)) {
    ($out) = drive('command=60000', map { "$name.test <s\@client.test> <$_\@$name.test> 10" } qw(a b));
    is(scalar(() = $out =~ /done .* 250/g), 2, "$name: the next message goes over a new connection");
}

# --- many recipients of one domain ---
sub many { my ($domain, $count) = @_; return join ',', map { "<user$_\@$domain.test>" } 1 .. $count }
for my $domain (qw(many manyslow)) {
    ($out) = drive('', "$domain.test <s\@client.test> " . many($domain, 1000) . ' 10');
    is(scalar(() = $out =~ /^1 rcpt \d+ mx\S+ said 250 /mg), 1000, "$domain: a thousand recipients");
    like($out, qr/^1 done mx.*250/m, "$domain: and the message");
    my @seen = seen("mx.$domain.test") =~ /RCPT TO:<user(\d+)@/g;
    is_deeply(\@seen, [1 .. 1000], "$domain: each once, in order");
}
for my $domain (qw(most mostslow)) {
    ($out) = drive('', "$domain.test <s\@client.test> " . many($domain, 350) . ' 10');
    is(scalar(() = $out =~ /^1 rcpt \d+ mx\S+ said 250 /mg), 100, "$domain: a hundred are taken");
    is(scalar(() = $out =~ /^1 rcpt (?:1\d\d|2\d\d|3[0-4]\d) mx\S+ said 452 4\.5\.3 too many$/mg), 250, "$domain: the others have the server's word");
    like($out, qr/^1 done mx.*250/m, "$domain: and the message goes to the hundred");
}
($out) = drive('command=6000', 'fewer.test <s@client.test> ' . many('fewer', 5) . ' 10');
like($out, qr/(?:^1 rcpt [01] mx.*250.*\n){2}(?:1 rcpt [234] failed 451 4\.4\.2 .*time.*\n){3}1 data failed 451 4\.4\.2 .*\n(?!1)/m, 'fewer replies than commands: the rest waits no longer than for one command');
($out) = drive('', 'fewerclose.test <s@client.test> ' . many('fewerclose', 5) . ' 10');
like($out, qr/(?:^1 rcpt [01] mx.*250.*\n){2}(?:1 rcpt [234] failed 451 4\.4\.2 .*\n){3}1 data failed 451 4\.4\.2 .*\n(?!1)/m, 'an end instead of replies');
($out) = drive('command=60000', 'morethanasked.test <s@client.test> ' . many('morethanasked', 4) . ' 10');
# One too many may be there before DATA is sent, or be taken for its reply.
like($out, qr/^1 data (?:failed 451 4\.5\.0 .*(?:no SMTP|step)|mx\S+ said 452 )/m, 'more replies than commands');
unlike($out, qr/done .* 250|data go/, 'no message after them');

# --- TLS's own messages without end do not keep the loop from the others; the driver gives up when they do ---
($out) = drive('parallel=100 command=30000 final=60000', map { "$_.test <s\@client.test> <u\@$_.test> 1000" } ('tickets', 'rekeys', 'hello') x 2, ('late') x 3);
is(scalar(() = $out =~ /^[1245] rcpt 0 failed 451 4\.[45]\.\d .*(?:in time|messages of TLS itself without end\))$/mg), 4, 'tickets and new keys without end are no reply');
is(scalar(() = $out =~ /^[36] rcpt 0 failed 451 4\.7\.5 .*messages of TLS itself without end\)$/mg), 2, 'requests to begin anew, no handshake');
is(scalar(() = $out =~ /^[789] done mx\.late\.test said 250/mg), 3, 'and others are served meanwhile');

# --- memory: replies without end cost no more than those that end ---
sub memory { my ($text) = @_; return ($text =~ /^memory (\d+)/m)[0] }
sub all_of { return map { "$_.test <s\@client.test> <u\@$_.test> 1000" } @_ }
($out) = drive('parallel=100 command=60000 final=60000', all_of(('well') x @endless));
my $calm = memory($out);
($out) = drive('parallel=100 command=6000 final=6000', all_of(map { 'without-' . ($_->[0] =~ tr/_/-/r) . "-$_->[1]" } @endless));
is(scalar(() = $out =~ /^\d+ (?:rcpt 0|data|done) failed 451/mg), @endless - 1, 'all are cut off but the one whose first reply was the last word');
like($out, qr/^16 done mx.* 250/m, 'which is delivered');
cmp_ok(memory($out) - $calm, '<', sanitized() ? 30_000 : 3_000, 'no more memory in all than for as many that are well (KB)');
relay_end();
done_testing();
