#!/usr/bin/perl
# Certificates by ACME, against pebble: issued by http-01 and dns-01, served by Postfix, with TLSA records rolled over while mail under DANE flows without
# one failure; authorities that are away or refuse; runs that are killed; and without a program for DNS, what the operator is told.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Acme;
use JSON::PP qw(decode_json);
use Lab;
use Nodes;
use POSIX ();
use Test::More;
use Time::HiRes qw(time sleep);

my $live = "$Acme::CERTS/mx/live.pem";
my $next = "$Acme::CERTS/mx/next.key";
my $operator = "$Lab::DIR/mail/dane-good.test";

sub mails { return grep { /^To: operator\@dane-good\.test$/m } map { join "\n", Lab::lines($_) } glob "$operator/new/*" }

# Until the state is that one; the row
sub until_state {
    my ($state, @options) = @_;
    my $row;
    Lab::until_true(sub { $row = Acme::renew('mx', @options); @options = (); return $row->{state} eq $state });
    return $row;
}

# One whole rollover: a certificate for the next key, its record known, in use, the old record gone
sub roll_over {
    my ($what) = @_;
    my ($before, $after) = (Acme::key_of($live), Acme::key_of($next));
    my $row = until_state('activated', '--force');
    is($row->{state}, 'activated', "$what: there is a new certificate") or diag explain $row;
    is(Acme::key_of($live), $after, "$what: its key is the one that was next");
    is(Acme::served(), $after, "$what: the mail server has it");
    my $coming = Acme::key_of($next);
    isnt($coming, $after, "$what: there is a key for the one after it");
    my $want = join ' ', sort $after, $coming;
    ok(Lab::until_true(sub { Acme::renew('mx'); join(' ', Acme::tlsa('mx.acme.test')) eq $want }),
        "$what: the records are those of the key in use and the next one") or diag join ' ', Acme::tlsa('mx.acme.test');
    unlike("@{[Acme::tlsa('mx.acme.test')]}", qr/$before/, "$what: the one of the key before has gone");
    return;
}

Acme::up();
Acme::start_web();

# --- the first certificate ---

my ($status, $out, $err) = Acme::ctl(qw(cert acme new mx mx.acme.test --dry-run));
is("$status $err", '0 ', 'what would be made is shown');
ok(!-e $Acme::CERTS, 'and nothing is');
my $row = Acme::row(qw(cert acme new mx mx.acme.test alt.acme.test --title), 'Mail');
is($row->{state}, 'activated', 'the authority has issued a certificate, by http-01') or diag explain $row;
is(Acme::run('openssl', 'x509', '-in', $live, '-noout', '-ext', 'subjectAltName') =~ s/\s+//gr, 'X509v3SubjectAlternativeName:DNS:mx.acme.test,DNS:alt.acme.test',
    'for both hosts');
my (undef, undef, $postern) = getpwnam 'postern';
is((stat "$Acme::CERTS/.acme/uacme/private/key.pem")[4], $postern, 'uacme runs as the user that policyd runs as');
is(sprintf('%o %o', map { (stat $_)[2] & 07777 } "$Acme::CERTS/.acme/uacme", $next), '700 600', 'its account and our keys are nobody else\'s');
is(join(' ', Acme::tlsa('mx.acme.test')), '', 'a host without TLSA records gets none');
is(join(' ', split /\n/, (Lab::capture('redis-cli', '-s', "$Lab::DIR/redis.sock", 'keys', 'postern:acme:*'))[1]), '', 'no challenge is left in Redis');
$row = Acme::row(qw(cert acme new mx mx.acme.test));
like("$row->{status} $row->{err}", qr/^1 .*there is a certificate mx already/, 'one of that name is not made again');

# --- the other verbs, on what an authority has issued and a mail server serves ---
sub verbs {
    my ($issuer) = Acme::run('openssl', 'x509', '-in', $live, '-noout', '-issuer') =~ /(Pebble Intermediate CA \w+)/;
    my ($mx) = grep { $_->{name} eq 'mx' } @{ decode_json((Acme::ctl(qw(cert list --json)))[1])->{certificates} };
    is("@{$mx->{hosts}} | $mx->{title} | @{$mx->{use}}", "mx.acme.test alt.acme.test | Mail | postfix:$Acme::POSTFIX", 'cert list: what it is for, and who uses it');
    like($mx->{issuer}, qr/\Q$issuer\E/, 'and the authority');
    like((Acme::ctl(qw(cert list)))[1], qr/^mx +mx\.acme\.test alt\.acme\.test +.*\Q$issuer\E.* postfix +Mail$/m, 'as a line');
    is(decode_json((Acme::ctl(qw(cert show mx --json)))[1])->{chain}[0]{spki_sha256}, Acme::served(), 'cert show: the key that is served');
    my ($status, $out, $err) = Acme::ctl(qw(cert remove mx));
    is($status, 1, 'cert remove: one that is served stays');
    like($err, qr/postfix/, 'who serves it') or diag $out, $err;
    is(Acme::served(), Acme::key_of($live), 'and it does');
    is((Acme::ctl(qw(cert new own --alt mx.acme.test)))[0], 0, 'cert new');
    my $bag = "$Acme::DIR/bag.p12";
    Acme::run('openssl', 'pkcs12', '-export', '-in', $live, '-out', $bag, '-passout', 'pass:');
    is((Acme::ctl('cert', 'import', 'bag', $bag))[0], 0, 'cert import: the same as PKCS#12');
    is(Acme::key_of("$Acme::CERTS/bag/live.pem"), Acme::served(), 'its key');
    is((Acme::ctl(qw(cert check --warn 1d)))[0], 0, 'cert check: all is well');
    is((Acme::ctl(qw(cert remove), $_))[0], 0, "cert remove: $_") for qw(own bag);
    my ($suite) = grep { /^ECDHE-ECDSA/ } map { $_->{name} } @{ decode_json((Acme::ctl('tls', 'ciphers', '--protocols', '<=TLSv1.2', '--json'))[1])->{suites} };
    my $said = Acme::run(Acme::on('mx', 'bash', '-c', "openssl s_client -starttls smtp -connect $Acme::ADDRESS:25 -tls1_2 -cipher $suite </dev/null 2>&1"));
    like($said, qr/Cipher is \Q$suite\E$/m, "tls ciphers: $suite is offered, and the server takes it");
    return;
}

# --- in use, and then under DANE ---

($status, $out, $err) = Acme::ctl(qw(cert use mx postfix --config-dir), $Acme::POSTFIX);
is($status, 0, 'Postfix is to use it') or diag $out, $err;
Acme::start_postfix();
is(Acme::served(), Acme::key_of($live), 'and serves it');
verbs();
Acme::change_zone('add', '_25._tcp.mx.acme.test', 'TLSA', 1, '3 1 1', Acme::key_of($live));
my $both = join ' ', sort map { Acme::key_of($_) } $live, $next;
$row = Acme::renew('mx');
is("$row->{state} @{[Acme::tlsa('mx.acme.test')]}", "good $both", 'with a record for the key in use there is soon one for the next')
    or diag explain $row;
($status, $out, $err) = Lab::capture('posternctl', 'resolve', 'acme.test', '--fresh');
my $first = Lab::outcome(Lab::send_mail('acme.test'));
is($first->{status}, 'sent', 'mail flows') or diag explain $first;
like(Lab::explain('acme.test')->{answer}, qr/dane-only$/, 'under DANE');

# --- rollovers, while mail flows ---

my $skip = () = Lab::lines("$Lab::DIR/log/client.log");
my $begin = time;
my $sender = fork // die;
if (!$sender) {
    open my $list, '>', "$Acme::DIR/sent" or die;
    $list->autoflush(1);
    $SIG{TERM} = sub { POSIX::_exit(0) };
    while (1) { print $list Lab::send_mail('acme.test'), "\n"; sleep 0.05 }
}
roll_over("rollover $_") for 1 .. 3;

# A run that is killed anywhere: what is served has its record at all times, and the next run goes on from there: it may have been between a certificate and the key
# for the one after it.
my $bad = 0;
for my $i (1 .. 14) {
    my $run = fork // die;
    if (!$run) {
        open STDOUT, '>', '/dev/null';
        exec Acme::on('mx', $Acme::POSTERNCTL, '-c', $Acme::CONF, qw(cert acme renew mx --force)) or POSIX::_exit(127);
    }
    sleep 0.06 * $i + rand 0.05;
    kill 'KILL', $run;
    waitpid $run, 0;
    my ($served, $known) = (Acme::served(), join ' ', Acme::tlsa('mx.acme.test'));
    $bad++ unless $known =~ $served && Acme::key_of($live);
}
is($bad, 0, 'runs that are killed leave a certificate in use that has its record');
is(until_state('good')->{state}, 'good', 'the next run ends what they had begun');
roll_over('after them');
kill 'TERM', $sender;
waitpid $sender, 0;
my $seconds = time - $begin;

my @to = Lab::lines("$Acme::DIR/sent");
cmp_ok(scalar @to, '>', 10, 'mail was sent all the while');
my %state;
my @held;
Lab::until_true(sub {
    my @log = Lab::lines("$Lab::DIR/log/client.log");
    %state = ();
    @held = ();
    for (@log[$skip .. $#log]) {
        next unless /to=<(m\S+\@acme\.test)>.* status=(\w+)/;
        $state{$1} = $2 if ($state{$1} // '') ne 'deferred';
        push @held, $_ if $2 ne 'sent';
    }
    return keys %state >= @to;
});
my @sent = grep { ($state{$_} // '') eq 'sent' } @to;
is(@sent, @to, 'mail under DANE flowed without one failure') or diag join "\n", @held[0 .. ($#held > 5 ? 5 : $#held)];
my @log = Lab::lines("$Lab::DIR/log/client.log");
my @connections = grep { /TLS connection established to mx\.acme\.test/ } @log[$skip .. $#log];
cmp_ok(scalar @connections, '>', 0, 'over TLS');
is(scalar(grep { !/Verified/ } @connections), 0, 'all of it over verified connections');
diag sprintf '%d messages in %d s, with four rollovers and 14 runs killed', scalar @to, $seconds;

# --- an authority that refuses, or is away ---

# pebble asks for no proof of what an account has shown before once in a hundred times, whatever PEBBLE_AUTHZREUSE says: what is to fail is of an account, or for a
# host, that has shown nothing yet.
my $serial = Acme::run('openssl', 'x509', '-in', $live, '-noout', '-serial');
my $told = mails();
Acme::stop_pebble();
Acme::start_pebble();
$row = Acme::renew('mx', '--force');
is("$row->{state} $row->{status}", 'failed 1', 'an authority that knows the account no more');
like($row->{trouble}, qr/no account associated/, 'is what is said');
ok(Lab::until_true(sub { mails() == $told + 1 }), 'and the operator is told');
ok((grep { /Subject: .*certificate mx is not renewed.*no account associated/s } mails()), 'what it is') or diag mails();
Acme::stop_web();
$row = Acme::renew('mx', '--force');
like("$row->{state} $row->{trouble}", qr/^failed .*the authority says: .*(?:refused|challenge)/, 'a challenge that fails, of a new account');
$row = Acme::row(qw(cert acme list));
like("$row->{state} $row->{trouble}", qr/^failed .*: the authority says/, 'the list has it');
Acme::stop_pebble();
$row = Acme::renew('mx', '--force');
like("$row->{state} $row->{trouble}", qr/^failed .*connect/, 'an authority that is away');
is(scalar mails(), $told + 1, 'the operator is told once a day');
is(Acme::run('openssl', 'x509', '-in', $live, '-noout', '-serial'), $serial, 'what was in use stays in use');
is(Acme::served(), Acme::key_of($live), 'in the mail server, too');
Acme::start_pebble();
Acme::start_web();
$row = Acme::renew('mx');
is($row->{state}, 'good', 'one that is not due is not asked for again');
roll_over('all is back');

# A first certificate that cannot be had: tried again a day later, not before
Acme::stop_web();
$row = Acme::row(qw(cert acme new web web.acme.test));
is($row->{state}, 'failed', 'a first certificate that cannot be had');
Acme::start_web();
my $asked = () = Nodes::log_of('pebble');
$row = Acme::renew('web');
like("$row->{state} $row->{status} $row->{trouble}", qr/^failed 1 .*: the authority says/, 'it is still said a little later');
cmp_ok($row->{until}, '>', time + 80000, 'and it is not tried again before a day has passed');
is(scalar(() = Nodes::log_of('pebble')), $asked, 'the authority was not asked');
$row = Acme::renew('web', '--force');
is("$row->{state} $row->{trouble}", 'activated ', 'but when one says so');

# --- dns-01 ---

$row = Acme::row(qw(cert acme new wild *.acme.test acme.test --type rsa2048));
like("$row->{status} $row->{err}", qr/^2 .*wildcard.*--dns/, 'a wildcard by HTTP there is none');
$row = Acme::row(qw(cert acme new wild *.acme.test acme.test --dns --type rsa2048));
is("$row->{state} $row->{trouble}", 'activated ', 'a wildcard by dns-01') or diag explain $row;
unlike(Acme::slurp("$Lab::DIR/zones/acme.test.zone"), qr/_acme-challenge/, 'its records are gone from DNS');
like(Acme::run('openssl', 'x509', '-in', "$Acme::CERTS/wild/live.pem", '-noout', '-text'), qr/Public-Key: \(2048 bit\).*DNS:\*\.acme\.test/s, 'of the key asked for');

# --- without Redis ---

Acme::configure_redis("$Acme::DIR/nobody.sock");
$row = Acme::row(qw(cert acme new gone gone.acme.test));
like("$row->{state} $row->{trouble}", qr/^failed .*Redis at unix:.*nobody/, 'where the challenge cannot be served, that is said');

# --- without a program for DNS: the operator does it ---

Acme::configure(dns_hook => '');
my $coming = Acme::key_of($next);
Acme::change_zone('del', '_25._tcp.mx.acme.test', 'TLSA', 1, '3 1 1', $coming);
$row = until_state('failed', '--force');
like("$row->{state} $row->{trouble}", qr/^failed the certificate waits for TLSA records/, 'without a hook it waits');
is_deeply($row->{publish}, ["_25._tcp.mx.acme.test. 1 IN TLSA 3 1 1 $coming"], 'and says for what');
my $record = qr/certificate mx waits.*^_25\._tcp\.mx\.acme\.test\. 1 IN TLSA 3 1 1 $coming$/ms;
ok(Lab::until_true(sub { return grep { $_ =~ $record } mails() }), 'the operator is told which record to publish') or diag mails();
isnt(Acme::key_of($live), $coming, 'the key in use is the one of before');
Acme::change_zone('add', '_25._tcp.mx.acme.test', 'TLSA', 1, '3 1 1', $coming);
$row = until_state('activated');
is(Acme::served(), $coming, 'with the record there it goes on');
is(@{ $row->{publish} }, 1, 'and says what is next');
Acme::change_zone('add', '_25._tcp.mx.acme.test', 'TLSA', 1, '3 1 1', Acme::key_of($next));
ok(Lab::until_true(sub { @{ ($row = Acme::renew('mx'))->{withdraw} } == 1 }), 'when that is known, the record of the key before may go');
my $spare = sub { return grep { /of no more use:\n\n\Q$row->{withdraw}[0]\E\n/ } mails() };
ok(Lab::until_true(sub { $spare->() == 1 }), 'the operator is told of that') or diag mails();
Acme::renew('mx') for 1 .. 2;
$told = mails();
Acme::renew('mx', '--force');
ok(Lab::until_true(sub { mails() > $told }), 'the next rollover has a mail of its own') or diag mails();
is(scalar $spare->(), 1, 'which is the next one');

done_testing;
