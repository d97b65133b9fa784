#!/usr/bin/perl
# Debian's Sendmail with postern-milter and contrib/sendmail/postern.m4: what is in its queue, and where mail is led. What becomes of flagged
# mail is in 79-sendmail-requiretls.t.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Lab;
use Flags;
use Sendmail;
use Test::More;

my $DIR = $Sendmail::DIR;
my $n = 0;

Flags::begin();
Flags::configure();
Flags::ctl('list', 'add', 'local', $_) for 'ours.test', 'client.test';
Flags::ctl('list', 'add', 'inbound-require', '127.0.0.77');
Flags::start_milter();
ok(Flags::read_rules(<<'RULES'), 'rules are read');
virus:  subject contains "virus" -> reject "not for 100% of the world"
marked: subject contains "marked" -> tag "X-Marked: yes"
secret: body contains "secret" -> requiretls
RULES
is(Sendmail::configure(), '0', 'm4 takes the configuration');
Sendmail::start();

# --- what is in the queue ---
my $client = Flags::session();
for (
    ['a tag flags all remote recipients',
        { to => ['a+requiretls@sts-good.test NOTIFY=SUCCESS,DELAY', 'b@dane-good.test NOTIFY=NEVER ORCPT=rfc822;first@dane-good.test', 'c@sts-good.test', 'vmail+detail@ours.test', 'postern+requiretls@ours.test'],
            parameters => 'RET=FULL ENVID=QQ1', header => "X-Postern: forged\n" },
        'a+requiretls@sts-good.test NOTIFY=SUCCESS,DELAY|b+requiretls@dane-good.test NOTIFY=NEVER ORCPT=rfc822;first@dane-good.test|'
            . 'c+requiretls@sts-good.test NOTIFY=FAILURE,DELAY ORCPT=rfc822;c@sts-good.test|postern@ours.test NOTIFY=FAILURE,DELAY ORCPT=rfc822;postern@ours.test|vmail+detail@ours.test NOTIFY=FAILURE,DELAY',
        { envid => 'QQ1', ret => 'HDRS', record => 'requiretls; by=tag; recipients=3' }],
    ['without a tag, a rule, or anything', { to => ['d@sts-good.test'], parameters => 'RET=FULL ENVID=QQ2', header => "x-postern: forged\n" }, 'd@sts-good.test NOTIFY=FAILURE,DELAY', { envid => 'QQ2', ret => 'FULL' }],
    ['a domain of ours that is not in the list local', { to => ['nobody+requiretls@unlisted.test'] }, 'nobody+requiretls@unlisted.test NOTIFY=FAILURE,DELAY', { ret => 'HDRS', record => 'requiretls; by=tag; recipients=1' }],
    ['null sender', { from => '', to => ['e+requiretls@sts-good.test'] }, 'e+requiretls@sts-good.test NOTIFY=FAILURE,DELAY', { ret => 'HDRS', sender => '', record => 'requiretls; by=tag; recipients=1' }],
    ['a rule', { to => ['f@sts-good.test', 'vmail@ours.test'], body => "A secret.\n", header => "TLS-Required: No\n" }, 'f+requiretls@sts-good.test NOTIFY=FAILURE,DELAY ORCPT=rfc822;f@sts-good.test|vmail@ours.test NOTIFY=FAILURE,DELAY',
        { ret => 'HDRS', record => 'requiretls; by=rule; rule=secret; recipients=1' }],
    ['a tag in capitals, and one in quotes', { to => ['G+REQUIRETLS@sts-good.test', '"h h+requiretls"@sts-good.test'] }, '"h h+requiretls"@sts-good.test NOTIFY=FAILURE,DELAY|G+REQUIRETLS@sts-good.test NOTIFY=FAILURE,DELAY',
        { ret => 'HDRS', record => 'requiretls; by=tag; recipients=2' }],
    ['TLS-Required: No', { to => ['i@sts-good.test', 'vmail@ours.test'], header => "TLS-Required: no\n" }, 'i+tlsoptional@sts-good.test NOTIFY=FAILURE,DELAY ORCPT=rfc822;i@sts-good.test|vmail@ours.test NOTIFY=FAILURE,DELAY',
        { record => 'tls-optional; by=header; recipients=1' }],
    ['a rule that adds a field', { to => ['j@sts-good.test'], header => "Subject: marked\n" }, 'j@sts-good.test NOTIFY=FAILURE,DELAY', { marked => 'yes' }],
) {
    my ($what, $mail, $recipients, $more) = @$_;
    $mail->{name} = 'sendmail' . ++$n;
    like(Flags::transmit($client, $mail), qr/^250 2\.0\.0 /, "$what: taken in");
    my $queued = queued($mail->{name});
    is($queued->{recipients}, $recipients, "$what: recipients");
    is($queued->{$_}, $more->{$_} // { ret => '', sender => $mail->{from} // 'sender@home.test' }->{$_}, "$what: $_") for qw(envid ret sender record marked);
}
my @many = map { sprintf 'u%03d@dane-good.test', $_ } 1 .. 100;
like(Flags::transmit($client, { name => 'many', to => ['k+requiretls@sts-good.test', @many] }), qr/^250 /, '100 recipients');
is(scalar(grep { /\+requiretls@/ } split /\|/, queued('many')->{recipients}), 101, 'and one, flagged');
is(Flags::transmit($client, { name => 'no', to => ['l@sts-good.test'], header => "Subject: a virus\n" }), "550 5.7.1 not for 100% of the world\n", 'reject');
is(queued('no'), undef, 'and it is not in the queue');

# --- clients that must use TLS ---
my $clear = Flags::session(from => '127.0.0.77');
my $tls = Flags::tls_session(from => '127.0.0.77');
is($clear->command('MAIL FROM:<sender@home.test>'), "530 5.7.0 Must issue a STARTTLS command first\n", 'a client on inbound-require, without TLS');
like($tls->command('MAIL FROM:<sender@home.test>'), qr/^250 /, 'with TLS');

# --- the milter goes away: nothing passes ---
is(Nodes::stop('milter', 'KILL'), 9, 'the milter is killed');
like(Flags::transmit($client, { name => 'away', to => ['m+requiretls@sts-good.test'] }), qr/^4\d\d /, 'a session with it is put off');
like(eval { Flags::transmit(Flags::session(), { name => 'away', to => ['m+requiretls@sts-good.test'] }) } // '4', qr/^4/, 'so is one without it');
is(queued('away'), undef, 'nothing is in the queue');
Flags::start_milter();
like(Flags::transmit(Flags::session(), { name => 'back', to => ['m+requiretls@sts-good.test'], from => 'sender@sts-good.test', body => "Nobody's business.\n" }), qr/^250 /, 'it is back');

# --- what becomes of it ---
my %before = map { $_ => 1 } delivered_files();
my $unlisted = 'nobody+requiretls@unlisted.test';
ok(scalar(grep { /<\Q$unlisted\E>/ } map { Lab::lines($_) } glob "$DIR/queue/qf*"), 'the one of the domain not listed is in the queue');
my $out = Sendmail::run_queue();
my @delivered;
Lab::until_true(sub { 3 <= (@delivered = sort map { /^Delivered-To: (.*)/ } map { Lab::lines($_) } grep { !$before{$_} } delivered_files()) });
is("@delivered", "d\@sts-good.test i\@sts-good.test j\@sts-good.test", 'what was not flagged is delivered, and nothing else; the tag of TLS-Required: No is off');
like($out, qr/^<\Q$unlisted\E>\.\.\. Sent$/m, 'what is ours is delivered here, with a tag, too');
like(Sendmail::queue()->{'m+requiretls@sts-good.test'}, qr/Connection refused by \[127\.0\.0\.1\]/, 'flagged mail waits for relayd');

# --- where mail is led: the address, the mailer ---
for (
    ['b+requiretls@far.test', 'requiretls'], ['"b b+Requiretls"@far.test', 'requiretls'], ['b+x+requiretls@far.test', 'requiretls'], ['b+requiretls@ours.test.evil.test', 'requiretls'],
    ['b+requiretls@[192.0.2.1]', 'requiretls'], ['b+tlsoptional+requiretls@far.test', 'requiretls'], ['b+requiretls+tlsoptional@far.test', 'relaxed'],
    ['b@far.test', 'esmtp'], ['b+requiretlsx@far.test', 'esmtp'], ['b+requiretls+x@far.test', 'esmtp'], ['b+requiretls@ours.test', 'local'], ['b+tlsoptional@ours.test', 'local'],
    ['b+tlsoptional@far.test', 'relaxed'], ['"b b+tlsoptional"@far.test', 'relaxed'], ['"+tlsoptional"@far.test', 'esmtp'],
) {
    my ($to, $mailer) = @$_;
    is(mailer_of($to), $mailer, "$to goes by $mailer");
    my $shown = Sendmail::try_rules("Translate,check_compat a\@far.test \$| <$to>");
    like($shown, qr/^check_compat +returns: OK/m, "$to: check_compat has nothing against it");
}
is(Sendmail::configure(lines => "LOCAL_RULE_0\nR\$+ < \@ far.test. > \$*\t\$#esmtp \$\@ [192.0.2.99] \$: \$1 < \@ far.test. > \$2\n"), '0', 'with a rule that leads past relayd');
is(mailer_of('b+requiretls@far.test'), 'esmtp', 'so it does');
like(Sendmail::try_rules('Translate,check_compat a@far.test $| <b+requiretls@far.test>'), qr/^check_compat +returns: \$# error \$\@ 4 \. 3 \. 5 \$: "451 flagged mail would be led past relayd"$/m, 'and check_compat has flagged mail wait');
like(Sendmail::try_rules('Translate,check_compat a@far.test $| <b@far.test>'), qr/^check_compat +returns: OK/m, 'but no other');
for (['FEATURE(`sts\')', 'FEATURE(sts)'], ['FEATURE(`tls_session_features\')', 'FEATURE(tls_session_features)']) {
    my ($line, $named) = @$_;
    like(Sendmail::configure(lines => "$line\n"), qr/^1.*\*\*\* ERROR: postern\.m4: sendmail\.mc has \Q$named\E as well/s, "m4 fails for a configuration with $named");
}
debian();
is(Nodes::stop('sendmail', 'TERM'), 0, 'Sendmail ends');
is(Nodes::stop('milter', 'TERM'), 0, 'so does the milter');
Nodes::stop('nodes-redis', 'KILL');
done_testing();

# Everything waits in the queue until it is run.
sub delivered_files { return glob "$Lab::DIR/mail/{sts,dane}-good.test/new/*" }

# Debian's own sendmail.mc, but for what its package makes when it is installed
sub debian {
    my $cf = "$Sendmail::ROOT/share/sendmail/cf";
    my @lines = grep { !/^include/ } Lab::lines("$cf/debian/sendmail.mc");
    Sendmail::write_file("$DIR/debian.mc", join "\n", 'define(`sm_version_math\', `528641\')', @lines, "include(`$FindBin::Bin/../../contrib/sendmail/postern.m4')dnl\n");
    my (undef, $out, $err) = Lab::capture('m4', "-D_CF_DIR_=$cf/", "$cf/m4/cf.m4", "$DIR/debian.mc");
    unlike($err, qr/postern|\*\*\*/, "Debian's sendmail.mc and the one line: m4 has nothing against it");    # a file of Debian's with a fixed place is not there
    like($out, qr/^O \Q$_\E$/m, $_) for 'ConnectionCacheSize=0', 'Timeout.datainit=20m', 'CACertFile=/etc/ssl/certs/ca-certificates.crt', 'InputMailFilters=postern';
    unlike($out, qr/^O HostStatusDirectory/m, 'no HostStatusDirectory');
    Sendmail::write_file($Sendmail::CF, $out);
    is(mailer_of('b+requiretls@far.test'), 'requiretls', 'flagged mail goes by requiretls');
    is(mailer_of('b@far.test'), 'esmtp', 'other mail does not');
    return;
}

sub mailer_of {
    my ($to) = @_;
    return Sendmail::try_rules("canonify,parse $to") =~ /^parse +returns: \$# (\w+) /m ? $1 : '';
}

# A message in the queue: recipients with their parameters, by name, and what else its file says
sub queued {
    my ($name) = @_;
    for my $file (glob "$DIR/queue/qf*") {
        my @lines = Lab::lines($file);
        next unless grep { /^H.*\?X-Name: $name$/ } @lines;
        my %mail = (ret => '');
        my (@recipients, $orcpt);
        for (@lines) {
            $mail{sender} = $1 if /^S<(.*)>/;
            $mail{envid} = $1 if /^Z(.*)/;
            $mail{ret} = /n/ ? 'HDRS' : 'FULL' if /^F.*[dn]/;
            $mail{record} = $1 if /^H\?\?X-Postern: (.*)/i;
            $mail{marked} = $1 if /^H\?\?X-Marked: (.*)/;
            $orcpt = $1 if /^Q(.*)/;
            next unless /^R(\w*):<?(.*?)>?$/;
            my ($flags, $to) = ($1, $2);
            my @notify = map { $flags =~ /$_/ ? { S => 'SUCCESS', F => 'FAILURE', D => 'DELAY' }->{$_} : () } qw(S F D);
            push @recipients, "$to NOTIFY=" . (join(',', @notify) || 'NEVER') . (defined $orcpt ? " ORCPT=$orcpt" : '');
            undef $orcpt;
        }
        $mail{recipients} = join '|', sort @recipients;
        return \%mail;
    }
    return;
}
