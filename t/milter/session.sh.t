#!/usr/bin/perl
# The built postern-milter on the wire: what it agrees upon with an MTA, and exactly what it asks for in each message.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Milter;
use Test::More;

$SIG{PIPE} = 'IGNORE';
ok(start_redis(), 'a Redis');
redis('HSET', 'postern:list:local', 'ours.test', '{"v":1}');
redis('HSET', 'postern:list:', 'g', '0123456789abcdef', 'n', 1);
ok(start('record_header = "X-Postern"', $redis_url), 'the milter');
my ($s, $got);

# A message in a session; the reply that ends it, and the changes that were asked for before it, all of them and in their order.
sub message_is {
    my ($what, $session, $message, $reply, @changes) = @_;
    $got = message($session, %$message);
    is_deeply([$got->{reply}, @{ $got->{changes} }], [$reply, @changes], $what);
}

# --- what is agreed upon ---
my $all = 0;
$all |= $ACTION{$_} for my @wanted = qw(ADDHDRS CHGHDRS ADDRCPT_PAR DELRCPT CHGFROM SETSYMLIST);
$s = session();
is($s->{actions}, $all, 'the actions that it asks for');
is_deeply($s->{asks}, { 2 => '{auth_authen} {tls_version}', 3 => '{rcpt_mailer} {rcpt_host}', 5 => 'i' }, 'the macros that it asks for');
ok($s->{steps} & $STEP{$_}, "without rules: $_") for qw(NOBODY NODATA NOHELO NOUNKNOWN NR_CONN NR_MAIL NR_RCPT NR_HDR NR_EOH);
ok(!($s->{steps} & 0x6c), 'MAIL, RCPT, header fields and their end come');
for my $lacking (@wanted) {
    my $without = session(actions => 0x1ff & ~$ACTION{$lacking});
    is($without->{refused} // 'served', 'closed', "an MTA that does not offer $lacking is not served");
    like(log_text(), qr/error mta-too-old offers=[0-9a-f]+ wants=[0-9a-f]+$/m, 'the log says so') if $lacking eq 'ADDHDRS';
}
is(session(actions => $all)->{refused}, undef, 'one that offers no more than that is');
message_is('and those were no harm to a session', $s, { to => ['<u@far.test>'] }, 'continue');
hang_up($s);
$s = session(steps => 0x800); # none at all would be taken for those of the first version
is($s->{steps}, 0x800, 'an MTA that can leave nothing out, and tells of refused recipients');
is($s->{connected}, 'continue', 'gets a reply to each step');
message_is('and is served', $s, { to => ['<a+requiretls@far.test>', '<b@far.test>'], body => ['x' x 65535, 'y' x 65535] }, 'continue',
    'delete <b@far.test>', 'add <b+requiretls@far.test> ORCPT=rfc822;b@far.test', 'from <s@client.test> RET=HDRS', 'header X-Postern: requiretls; by=tag; recipients=2');
hang_up($s);

# --- MAIL FROM with REQUIRETLS (R2, RFC 8689 2) ---
$s = session();
my @by_sender = ('from <s@client.test> RET=HDRS', 'header X-Postern: requiretls; by=mail-from; recipients=1');
my @u_flagged = ('delete <u@far.test>', 'add <u+requiretls@far.test> ORCPT=rfc822;u@far.test');
message_is('REQUIRETLS', $s, { from => ['<s@client.test>', 'REQUIRETLS'] }, 'continue', @u_flagged, @by_sender);
message_is('in any case, among others', $s, { from => ['<s@client.test>', 'SIZE=100', 'RequireTLS', 'BODY=8BITMIME'] }, 'continue', @u_flagged, @by_sender);
message_is('the next message is free of it', $s, { from => ['<s@client.test>', 'SIZE=100'] }, 'continue');
message_is('REQUIRETLS=x is another parameter', $s, { from => ['<s@client.test>', 'REQUIRETLS=x'] }, 'continue');
message_is('local recipients stay', $s, { from => ['<s@client.test>', 'REQUIRETLS'], to => ['<l@ours.test>', '<u@far.test>', '<m@OURS.test>'] }, 'continue', @u_flagged, @by_sender);
message_is('all are local', $s, { from => ['<s@client.test>', 'REQUIRETLS'], to => ['<l@ours.test>'] }, 'continue', 'from <s@client.test> RET=HDRS');
message_is('ENVID, which some MTAs lose otherwise', $s, { from => ['<s@client.test>', 'RET=FULL', 'envid=QQ314159', 'REQUIRETLS', 'ENVID=other'] }, 'continue', @u_flagged,
    'from <s@client.test> RET=HDRS envid=QQ314159', $by_sender[1]);
message_is("ENVID that is none: $_", $s, { from => ['<s@client.test>', 'REQUIRETLS', $_] }, 'continue', @u_flagged, @by_sender) for 'ENVID=', 'ENVID', "ENVID=a b", "ENVID=\xe4", 'ENVID=' . 'x' x 101;
message_is('the longest ENVID', $s, { from => ['<s@client.test>', 'REQUIRETLS', 'ENVID=' . 'x' x 100] }, 'continue', @u_flagged, 'from <s@client.test> RET=HDRS ENVID=' . 'x' x 100, $by_sender[1]);
message_is('null sender', $s, { from => ['<>', 'REQUIRETLS'] }, 'continue', @u_flagged, 'from <> RET=HDRS', $by_sender[1]);
message_is('ORCPT and NOTIFY go along, and nothing else', $s, { from => ['<s@client.test>', 'REQUIRETLS'],
    to => [['<u@far.test>', 'ORCPT=rfc822;first+40far.test', 'NOTIFY=SUCCESS,DELAY', 'XFOO=1']] }, 'continue',
    'delete <u@far.test>', 'add <u+requiretls@far.test> ORCPT=rfc822;first+40far.test NOTIFY=SUCCESS,DELAY', @by_sender);

message_is('neither header nor body', $s, { from => ['<s@client.test>', 'REQUIRETLS'], header => [] }, 'continue', @u_flagged, @by_sender);

# --- recipients that the MTA has refused: with a tag they flag the others, and are added nowhere ---
my @by_tag = ('from <s@client.test> RET=HDRS', 'header X-Postern: requiretls; by=tag; recipients=1');
message_is('one with a tag', $s, { refused => ['<x+requiretls@ours.test>', '<y@far.test>'] }, 'continue', @u_flagged, @by_tag);
message_is('with both', $s, { refused => ['<x+requiretls+tlsoptional@far.test>'] }, 'continue', @u_flagged, @by_tag);
message_is('the next message is free of it', $s, {}, 'continue');
message_is('without a tag', $s, { refused => ['<x@far.test>', '<x+tlsoptional@far.test>', '<>', ''] }, 'continue');

# --- messages that end early, and what follows them ---
my %flagged = (from => ['<s@client.test>', 'REQUIRETLS'], to => ['<u@far.test>', '<v+requiretls@far.test>'], header => [['TLS-Required', 'No'], ['X-Postern', 'forged']]);
for (['R', 'behind MAIL'], ['T', 'behind RCPT'], ['N', 'behind the header']) {
    my ($until, $where) = @$_;
    is(message($s, %flagged, until => $until)->{reply}, 'left', "a flagged message ends $where");
    send_packet($s, 'A');
    message_is('nothing of it is in the next one', $s, { header => [] }, 'continue');
}
is(message($s, %flagged, until => 'N')->{reply}, 'left', 'the next one begins without an end of the last');
message_is('nothing of that is in it', $s, { to => ['<w@far.test>'] }, 'continue');
send_packet($s, 'A') for 1 .. 3;
message_is('an end of what did not begin', $s, { to => ['<w@far.test>'] }, 'continue');
message_is("message $_ of a session", $s, { $_ % 2 ? () : (from => ['<s@client.test>', 'REQUIRETLS']) }, 'continue', $_ % 2 ? () : (@u_flagged, @by_sender)) for 1 .. 6;
send_packet($s, 'K');
step($s, 'C', "client.test\0" . '4' . pack('n', 25) . "192.0.2.1\0");
message_is('a further client on the same connection, without negotiation, is put off', $s, { from => ['<s@client.test>', 'REQUIRETLS'] }, 'tempfail');
$s = session();
message_is('another connection is served', $s, { from => ['<s@client.test>', 'REQUIRETLS'] }, 'continue', @u_flagged, @by_sender);

# --- header fields (R4, R5) ---
message_is('ours that come in go, the last first', $s, { header => [['X-Postern', 'requiretls'], ['Subject', 's'], ['x-postern', 'none']] }, 'continue',
    'change X-Postern 2: ', 'change X-Postern 1: ');
message_is('TLS-Required: No', $s, { to => ['<u@far.test>', '<l@ours.test>'], header => [['tls-required', ' NO']] }, 'continue',
    'delete <u@far.test>', 'add <u+tlsoptional@far.test> ORCPT=rfc822;u@far.test', 'header X-Postern: tls-optional; by=header; recipients=1');
message_is('REQUIRETLS wins', $s, { from => ['<s@client.test>', 'REQUIRETLS'], header => [['TLS-Required', 'No']] }, 'continue', @u_flagged, @by_sender);
message_is('a tag wins for all', $s, { to => ['<u@far.test>', '<v+REQUIRETLS@far.test>'], header => [['TLS-Required', 'No']] }, 'continue',
    @u_flagged, $by_sender[0], 'header X-Postern: requiretls; by=tag; recipients=2');
hang_up($s);
is(stop(), 0, 'the end');

# --- scope recipient; TLS-Required for nobody ---
ok(start('scope = "recipient" tls_required = "nobody"', $redis_url), 'scope recipient');
$s = session();
message_is('a tag goes for its recipient alone', $s, { to => ['<a+requiretls@far.test>', '<b@far.test>'] }, 'continue', $by_sender[0]);
message_is('REQUIRETLS of MAIL FROM goes for all', $s, { from => ['<s@client.test>', 'REQUIRETLS'], to => ['<u@far.test>', '<l@ours.test>', '<v+requiretls@far.test>'] }, 'continue',
    @u_flagged, $by_sender[0]);
message_is('a tag of a local recipient is taken off, and goes for nobody', $s, { to => ['<l+requiretls@ours.test>', '<u@far.test>'] }, 'continue',
    'delete <l+requiretls@ours.test>', 'add <l@ours.test> ORCPT=rfc822;l@ours.test', 'from <s@client.test> RET=HDRS');
message_is('who may not say TLS-Required: No has it taken out', $s, { header => [['TLS-Required', 'No'], ['TLS-Required', 'maybe']] }, 'continue',
    'change TLS-Required 2: ', 'change TLS-Required 1: ');
hang_up($s);
is(stop(), 0, 'the end');

# --- who may say it: those that log in, and this machine ---
ok(start('tls_required = "submitters"', $redis_url), 'tls_required = submitters');
my @no = (header => [['TLS-Required', 'No']]);
my @relaxed = ('delete <u@far.test>', 'add <u+tlsoptional@far.test> ORCPT=rfc822;u@far.test');
for (['a stranger', '192.0.2.1', {}, 'change TLS-Required 1: '], ['a user', '192.0.2.1', { '{auth_authen}' => 'berta' }, @relaxed], ['nobody has logged in', '192.0.2.1', { '{auth_authen}' => '' },
    'change TLS-Required 1: '], ['this machine', '127.0.0.1', {}, @relaxed], ['this machine by IPv6', '::1', {}, @relaxed], ['a program of it', undef, {}, @relaxed],
    ['this machine as IPv6 has it', '::ffff:127.0.0.1', {}, @relaxed]) {
    my ($who, $address, $macros, @changes) = @$_;
    $s = session(client => ['client.test', $address]);
    message_is($who, $s, { @no, macros => $macros }, 'continue', @changes);
    message_is("$who: the next message has its own macros", $s, { @no, macros => { '{auth_authen}' => 'carla' } }, 'continue', @relaxed) if $who eq 'a stranger';
    message_is("$who: and the one behind it, none", $s, { @no, macros => { '{mail_addr}' => 's@client.test' } }, 'continue', 'change TLS-Required 1: ') if $who eq 'a stranger';
    hang_up($s);
}
is(stop(), 0, 'the end');

# --- rules: what is asked of the MTA, the body in pieces, actions ---
ok(start(<<'CONF', $redis_url), 'rules');
body_octets = 100000
    rules = {'no: subject contains "virus" -> reject "we do not want 100% of this"',
        'both: subject contains "both" -> tag "X-Kind: secret"',
        'tls: subject contains "plain" and not client.tls -> reject "not without TLS"',
        'user: client.user is "berta" and subject contains "mine" -> tls-optional',
        'body: body contains "confidential" -> requiretls'}
CONF
$s = session();
ok(!($s->{steps} & $STEP{NOBODY}), 'a rule about the body: it comes');
ok($s->{steps} & $STEP{SKIP}, 'and may be left off');
my $piece = 'a' x 998 . "\r\n";
message_is('the word is in the first piece', $s, { body => ["all of it is Confidential\r\n", $piece] }, 'continue', @u_flagged, $by_sender[0]);
is($got->{sent}, 2, 'all pieces came');
message_is('it is cut between two', $s, { body => [$piece, 'it is CONFI', "DENTIAL\r\n"] }, 'continue', @u_flagged, $by_sender[0]);
message_is('one octet at a time', $s, { body => [split //, 'it is confidential'] }, 'continue', @u_flagged, $by_sender[0]);
message_is('many pieces without it', $s, { body => [($piece) x 200] }, 'continue');
is($got->{sent}, 100, 'no more than body_octets of it are sent');
message_is('a word in what is not looked at', $s, { body => [($piece) x 100, "confidential\r\n"] }, 'continue');
message_is('no body', $s, { body => [] }, 'continue');
message_is('reject', $s, { header => [['Subject', 'a =?utf-8?q?v=69rus?=']] }, '550 5.7.1 we do not want 100%% of this'); # MTAs take it for a format
message_is('the next message', $s, {}, 'continue');
message_is('tag', $s, { header => [['Subject', 'both']], body => ['confidential'] }, 'continue', 'header X-Kind: secret', @u_flagged, $by_sender[0]);
message_is('without TLS', $s, { header => [['Subject', 'plain']] }, '550 5.7.1 not without TLS');
message_is('with TLS', $s, { header => [['Subject', 'plain']], macros => { '{tls_version}' => 'TLSv1.3' } }, 'continue');
message_is('a user', $s, { header => [['Subject', 'mine']], macros => { '{auth_authen}' => 'berta' } }, 'continue', @relaxed);
message_is('another', $s, { header => [['Subject', 'mine']], macros => { '{auth_authen}' => 'carla' } }, 'continue');
hang_up($s);
$s = session(steps => 0x1fffff & ~$STEP{SKIP});
message_is('an MTA that cannot leave off', $s, { body => [($piece) x 120, "confidential\r\n"] }, 'continue');
is($got->{sent}, 121, 'sends all of it');
hang_up($s);
is(stop(), 0, 'the end');

# --- inbound-require ---
redis('HSET', 'postern:list:inbound-require', $_, '{"v":1}') for '198.51.100.0/24', '2001:db8::7', 'strict.test';
redis('HINCRBY', 'postern:list:', 'n', 1);
ok(start('', $redis_url), 'clients that have to use TLS');
my $refusal = '530 5.7.0 Must issue a STARTTLS command first';
my $tls = { macros => { '{tls_version}' => 'TLSv1.2' } };
for (['client.test', '198.51.100.9', 'a network'], ['client.test', '2001:db8:0:0::7', 'an IPv6 address'], ['Strict.test', '192.0.2.1', 'a name'], ['client.test', '::ffff:198.51.100.9', 'IPv4 as IPv6 has it']) {
    my ($name, $address, $what) = @$_;
    $s = session(client => [$name, $address]);
    message_is("$what: refused without TLS", $s, {}, $refusal);
    is($got->{at}, 'M', 'at MAIL');
    message_is('and again', $s, { from => ['<s@client.test>', 'REQUIRETLS'] }, $refusal);
    message_is('not with TLS', $s, { %$tls, from => ['<s@client.test>', 'REQUIRETLS'] }, 'continue', @u_flagged, $by_sender[0]);
    hang_up($s);
}
for (['client.test', '192.0.2.1'], ['[198.51.100.9]', '192.0.2.1'], ['unknown', undef], ['localhost', '127.0.0.1']) {
    $s = session(client => $_);
    message_is('nothing is asked of ' . ($_->[1] // 'who has no address'), $s, {}, 'continue');
    hang_up($s);
}
$s = session();
redis('HSET', 'postern:list:inbound-require', '192.0.2.1', '{"v":1}');
redis('HINCRBY', 'postern:list:', 'n', 1);
ok(until_true(sub { (message($s)->{reply}) eq $refusal }), 'an entry goes for sessions that are open');
hang_up($s);
is(metric('failures_total'), 0, 'nothing failed');
is(stop(), 0, 'the end');

# --- by TCP: DATA is answered, so that what Postfix writes after it does not wait for an acknowledgement ---
my $address = sprintf('127.%d.%d.%d', 1 + rand 250, rand 250, 1 + rand 250);
ok(start('', undef, "inet:$address:8463"), 'the milter, by TCP');
unlike(slurp("$dir/log"), qr/slow-by-tcp/, 'its socket is set to send at once');
$s = session();
ok(!($s->{steps} & $STEP{NODATA}), 'DATA is asked for');
message_is('and messages go on', $s, {}, 'continue');
hang_up($s);
is(stop(), 0, 'the end');
stop_redis();
done_testing();
