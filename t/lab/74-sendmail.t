#!/usr/bin/perl
# Debian's Sendmail with postern-milter and contrib/sendmail/postern.m4: what is in its queue, and what becomes of flagged mail.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Lab;
use Flags;
use Test::More;

my $DIR = "$Lab::DIR/sendmail";
my $SENDMAIL = "$ENV{POSTERN_LAB_ROOT}/sendmail/usr";
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
configure();
Nodes::start('sendmail', sub { eval { Flags::session()->{greeting} =~ /^220 / } }, "$SENDMAIL/libexec/sendmail/sendmail", '-C', "$DIR/sendmail.cf", '-bD');

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
my (undef, $out) = Lab::capture("$SENDMAIL/libexec/sendmail/sendmail", '-C', "$DIR/sendmail.cf", '-q', '-v');
my @delivered = sort map { /^Delivered-To: (.*)/ } map { Lab::lines($_) } grep { !$before{$_} } delivered_files();
is("@delivered", "d\@sts-good.test i\@sts-good.test j\@sts-good.test sender\@sts-good.test", 'what was not flagged is delivered, and nothing else; the tag of TLS-Required: No is off');
like($out, qr/^<\Q$unlisted\E>\.\.\. Sent$/m, 'what is ours is delivered here, with a tag, too');
my $bounce = Lab::until_true(sub { Lab::mailbox('sender@sts-good.test') }) // '';
like($bounce, qr/^Action: failed$/m, 'it came back');
like($bounce, qr/^550 5\.7\.30 <m\+requiretls\@sts-good\.test>\.\.\. REQUIRETLS support required$/m, 'with a reason');
like($bounce, qr/^Original-Recipient: rfc822;m\+requiretls\@sts-good\.test$|^Final-Recipient: RFC822; m\+requiretls\@sts-good\.test$/m, 'for its recipient');
like($bounce, qr{^Content-Type: text/rfc822-headers$}m, 'with the header alone');
unlike($bounce, qr/business/, 'and no body');
for (['b+requiretls@far.test', 1], ['"b b+Requiretls"@far.test', 1], ['b@far.test', 0], ['b+requiretls@ours.test', 0], ['b+requiretls@ours.test.evil.test', 1], ['b+requiretlsx@far.test', 0]) {
    my ($to, $returned) = @$_;
    (undef, my $shown) = Lab::capture('sh', '-c', "printf '%s\n' 'Translate,check_compat a\@far.test \$| <$to>' | $SENDMAIL/libexec/sendmail/sendmail -C $DIR/sendmail.cf -bt");
    is($shown =~ /^check_compat +returns: \$# error /m ? 1 : 0, $returned, "check_compat: $to " . ($returned ? 'is given back' : 'is not'));
}
is(Nodes::stop('sendmail', 'TERM'), 0, 'Sendmail ends');
is(Nodes::stop('milter', 'TERM'), 0, 'so does the milter');
Nodes::stop('nodes-redis', 'KILL');
done_testing();

# Everything waits in the queue until it is run.
sub delivered_files { return glob "$Lab::DIR/mail/{sts,dane}-good.test/new/*" }

sub configure {
    mkdir $DIR;
    mkdir "$DIR/queue", 0700;
    open my $deliver, '>', "$DIR/deliver" or die;
    print $deliver "#!/bin/sh\nexec cat >/dev/null\n";
    close $deliver;
    chmod 0755, "$DIR/deliver";
    open my $mc, '>', "$DIR/sendmail.mc" or die;
    print $mc <<"MC";
VERSIONID(`lab')dnl
OSTYPE(`linux')dnl
define(`QUEUE_DIR', `$DIR/queue')dnl
define(`confPID_FILE', `$DIR/pid')dnl
define(`STATUS_FILE', `$DIR/statistics')dnl
define(`HELP_FILE', `')dnl
define(`ALIAS_FILE', `null:none')dnl
define(`LOCAL_MAILER_PATH', `$DIR/deliver')dnl
define(`confDOMAIN_NAME', `client.test')dnl
define(`confDELIVERY_MODE', `q')dnl
define(`confTO_IDENT', `0')dnl
define(`confSERVER_CERT', `$Lab::DIR/certs/snakeoil.crt')dnl
define(`confSERVER_KEY', `$Lab::DIR/certs/snakeoil.key')dnl
define(`confCACERT', `$Lab::DIR/certs/ca.pem')dnl
define(`confCACERT_PATH', `$Lab::DIR/certs')dnl
define(`confMAX_RCPTS_PER_MESSAGE', `200')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`nocanonify')dnl
FEATURE(`no_default_msa')dnl
DAEMON_OPTIONS(`Port=2525, Addr=127.0.0.1, Name=MTA')dnl
LOCAL_DOMAIN(`ours.test unlisted.test')dnl
MAILER(`smtp')dnl
MAILER(`local')dnl
MC
    my $ours = join "\n", Lab::lines("$FindBin::Bin/../../contrib/sendmail/postern.m4");
    $ours =~ s/inet:8463\@127\.0\.0\.1/unix:$Flags::DIR\/milter.sock/ or die;
    print $mc "$ours\nLOCAL_RULESETS\nSTranslate\nR\$* \$\$| \$*\t\$: \$1 \$| \$2\n"; # as sendmail -bt does not know $|
    close $mc;
    my ($status, $cf, $err) = Lab::capture('m4', "-D_CF_DIR_=$SENDMAIL/share/sendmail/cf/", "$SENDMAIL/share/sendmail/cf/m4/cf.m4", "$DIR/sendmail.mc");
    is("$status$err", '0', 'm4 takes the configuration');
    open my $out, '>', "$DIR/sendmail.cf" or die;
    print $out $cf;
    close $out;
    return;
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
