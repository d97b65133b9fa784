#!/usr/bin/perl
# Debian's Exim with contrib/exim, to the same receivers as Postfix (10-policies.t): the same must become of the same mail, but for what stands in %otherwise. Then what an operator
# can demand by lists, and what Exim may not do: go on with a connection that another policy has made, send mail when policyd is away, stumble when tlsrptd is.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Lab;
use Exim;
use Nodes;
use Policies;
use Test::More;

# What becomes of mail otherwise than with Postfix, and why. It is never sent where Postfix holds it.
my %held = (status => 'deferred', got => 'nothing', reason => 'Server certificate not verified', log => '');
my %otherwise = (
    'backup-selfsigned.test' => { log => 'Verified TLS connection established to mx2' },    # what failed before another host took it stands in no log
    'dane-pkix.test' => { sni => 'mx.dane-pkix.test' },                                     # any TLSA record has it send the name
    'dane-mixed-ta.test' => { log => '(?s)DANE attempt failed.*H=mx2\S* \S+ X=\S+ CV=no' },
    'dane-ta-nexthop.test' => {%held},                                                      # DANE-TA: it takes the name of the MX host alone
    'dane-alias-begin.test' => { %held, sni => '' },    # it looks for TLSA records where a CNAME ends, not where it begins, so there are none
    'dane-alias-out.test' => { %held, sni => '' },
);

# What Postfix says, what Exim says; the longer first
my @words = (
    ['Untrusted TLS connection established to mx(\d)', sub { "H=mx$_[0]\\S* \\S+ X=\\S+ CV=no" }],
    ['Verified TLS connection established to mx(\d)', sub { "H=mx$_[0]\\S* \\S+ X=\\S+ CV=(?:yes|dane)" }],
    ['Untrusted TLS connection established', sub { 'X=\S+ CV=no' }],
    ['Verified TLS connection established', sub { 'X=\S+ CV=(?:yes|dane)' }],
    ['TLS connection established', sub { ' X=TLS' }],
    ['no matching DANE TLSA records', sub { 'DANE attempt failed' }],
    ['certificate has expired|hostname mismatch|self-signed certificate', sub { 'defer \(-37\).*certificate verification failed' }],
    ['Server certificate not verified', sub { 'defer \(-37\).*certificate verification failed' }],
    ['TLS is required, but was not offered', sub { 'defer \(-38\).*the server did not offer TLS support' }],
    ['client TLS configuration problem|Host not found, try again', sub { 'defer \(-1\): no TLS policy for \S+ now: ' }],
    ['does not accept mail \\\\\(nullMX\\\\\)', sub { 'indicated no SMTP service' }],
);
# The domain, its entry (list, value, options), the answer, what becomes of the mail, its line in the log. 60-lists.t has what each entry means.
my @clear = ('sent', qr/^(?!.* X=)/);
my @untrusted = ('sent', qr/ X=TLS1\.3:.* CV=no/);
my @verified = ('sent', qr/ X=TLS1\.3:.* CV=yes/);
my @not_verified = ('deferred', qr/defer \(-37\).*certificate verification failed/);
my @not_offered = ('deferred', qr/defer \(-38\)/);
my @no_handshake = ('deferred', qr/defer \(-37\)/);
my @lists = (
    ['list-exclude.test', ['exclude'], 'level=none transport=smtp', @clear],
    ['list-enforced.test', ['exclude'], 'level=secure mx=mx\.list-enforced\.test sni=hostname transport=smtp', @verified],
    ['list-dane.test', ['exclude', '--override'], 'level=none transport=smtp', @clear],
    ['list-encrypt.test', ['require', 'encrypt'], 'level=encrypt transport=smtp', @untrusted],
    ['list-encrypt-none.test', ['require', 'encrypt'], 'level=encrypt transport=smtp', @not_offered],
    ['list-verify.test', ['require', 'verify'], 'level=verify transport=smtp', @verified],
    ['list-verify-any.test', ['require', 'verify'], 'level=verify transport=smtp', @not_verified],
    ['list-secure.test', ['require', 'secure'], 'level=secure mx=list-secure\.test:\.list-secure\.test transport=smtp', @verified],
    ['list-secure-other.test', ['require', 'secure'], 'level=secure mx=\S+ transport=smtp', @not_verified],
    ['dane-mixed.test', ['require', 'dane-only'], 'level=dane-only transport=smtp', 'sent', qr/ H=mx2\..* CV=dane/],
    ['list-dane-only.test', ['require', 'dane-only'], 'level=dane-only transport=smtp', @not_verified],
    ['list-pin-any.test', ['protocols', 'TLSv1.2'], 'level=encrypt protocols=TLSv1\.2 gnutls=\S+ transport=smtp', 'sent', qr/ X=TLS1\.2:/],
    ['list-pin-tls13.test', ['protocols', '>=TLSv1.3'], 'level=encrypt protocols=>=TLSv1\.3 gnutls=\S+ transport=smtp', @untrusted],
    ['list-pin-tls12-new.test', ['protocols', '>=TLSv1.3'], 'level=encrypt protocols=>=TLSv1\.3 gnutls=\S+ transport=smtp', @no_handshake],
    ['list-pin-tls13-old.test', ['protocols', '!TLSv1.3'], 'level=encrypt protocols="?!TLSv1\.3"? gnutls=\S+ transport=smtp', @no_handshake],
    ['list-ciphers.test', ['protocols', 'TLSv1.2 ciphers=high'], 'level=encrypt protocols=TLSv1\.2 ciphers=high gnutls=\S+ transport=smtp', 'sent', qr/ X=TLS1\.2:/],
    ['dane-good.test', ['protocols', 'TLSv1.2'], 'level=dane-only protocols=TLSv1\.2 gnutls=\S+ transport=smtp', 'sent', qr/ X=TLS1\.2:.* CV=dane/],
    ['list-smtps-never.test', ['local'], 'level=default transport=smtp', 'deferred', qr/Connection refused/],
    ['list-smtps.test', ['smtps'], 'level=encrypt transport=smtps', 'sent', qr/ T=postern_smtps .* X=TLS1\.3:/],
    ['list-smtps-backup.test', ['smtps'], 'level=encrypt transport=smtps', 'sent', qr/ T=postern_smtps .* X=TLS1\.3:/],
    ['list-smtps-good.test', ['smtps'], 'level=secure mx=\S+ sni=hostname transport=smtps', 'sent', qr/ T=postern_smtps .* X=TLS1\.3:.* CV=yes/],
    ['list-smtps-selfsigned.test', ['smtps'], 'level=secure mx=\S+ sni=hostname transport=smtps', @not_verified],
);

my %exim = (
    answer => sub { Exim::ask("policy $_[0]") },
    wanted => \&answer_wanted,
    send => \&Exim::send_mail,
    outcome => \&Exim::outcome,
    words => \&words,
    queued => \&Exim::queued,
    forget => \&Exim::forget,
    otherwise => \%otherwise,
);

Exim::install();
both_schemes();
Exim::start();
who_goes_where();
Policies::check_all(\%exim);
lists();
not_one_connection_for_two();
daemons_away();
no_dnssec();
macros_of_debian();
is(Exim::stop(), 0, 'Exim ends');
is(join("\n", Lab::lines('/var/log/exim4/paniclog')), '', 'nothing in the panic log');
done_testing();

sub answer_wanted {
    my $answer = $_[0]{answer};
    return qr/^status=temp why=".+"$/ if $answer =~ /^TEMP/;
    my ($level, $mx) = $answer =~ /^(\S+)(?: match=(\S+) servername=hostname)?$/ or die $answer;
    $level = 'default' if $level eq 'NOTFOUND';
    return qr/^status=ok level=$level@{[defined $mx ? " mx=$mx sni=hostname" : '']} transport=smtp$/;
}

sub words {
    my ($pattern) = @_;
    for (@words) {
        my ($postfix, $exim) = @$_;
        $pattern =~ s/$postfix/$exim->($1)/e;
    }
    return $pattern;
}

# --- the configuration ---

sub both_schemes {
    my @seen;
    for my $split (0, 1) {
        Exim::configure($split);
        push @seen, join '', map { Exim::run('exim4', '-bP', $_) } 'routers', 'transports', 'macros';
        s/^POSTERN_LAB.*\n//mg, s{^UPEX4C.*\n}{}mg for @seen;
    }
    like($seen[0], qr/^postern_smtps transport:$/m, 'the template with our files in it is taken');
    is($seen[1], $seen[0], 'and is the same as the split configuration');
    return;
}

# exim4 -bt, as an administrator would ask: the transport
sub who_goes_where {
    for (['a+requiretls@sts-good.test', 'postern_relayd'], ['"a b+REQUIRETLS"@plain.test', 'postern_relayd'], ['a@sts-good.test', 'postern_smtp'], ['a+requiretlsx@sts-good.test', 'postern_smtp'],
        ['anna@client.test', 'mail_spool'], ['anna@ours.test', 'mail_spool']) {
        my ($to, $transport) = @$_;
        my (undef, $out) = Lab::capture('exim4', '-bt', $to);
        like($out, qr/transport = $transport$/m, "exim4 -bt $to: $transport");
    }
    return;
}

# --- lists ---

sub lists {
    for (@lists) {
        my ($domain, $entry) = @$_;
        my ($list, @value) = @$entry;
        my ($status, $out, $err) = Lab::capture('posternctl', 'list', 'add', $list, $domain, @value);
        is($status, 0, "list $list $domain @value") or diag($out, $err);
    }
    my @to = map {
        my ($domain, undef, $answer) = @$_;
        Lab::until_true(sub { Exim::ask("policy $domain") =~ /^status=ok $answer$/ });
        Exim::send_mail($domain)
    } @lists;
    Exim::outcome($_) for @to;
    for (@lists) {
        my ($domain, $entry, $answer, $status, $line) = @$_;
        my $to = shift @to;
        like(Exim::ask("policy $domain"), qr/^status=ok $answer$/, "$domain, @$entry: the answer");
        # some have an MX host in common, which is left alone for a second when TLS has failed
        my $got = Exim::outcome_by_runs($to, undef, 1) // { status => 'no verdict', reason => '' };
        is($got->{status}, $status, "$domain, @$entry: $status");
        like($got->{reason}, $line, "$domain, @$entry: its line");
        Exim::forget($got->{id}) if $got->{id};
    }
    one_host_for_two();
    Lab::capture('posternctl', 'list', 'clear', $_) for qw(exclude require protocols smtps local);
    ok(Lab::until_true(sub { Exim::ask('policy dane-good.test') !~ /protocols/ }), 'the lists are empty again');
    return;
}

# What failed by the policy of one domain holds no mail for another one that has the same MX host.
sub one_host_for_two {
    Exim::submit({ to => ['held@list-verify-any.test'] });
    Exim::outcome('held@list-verify-any.test');
    # its host may have failed less than a second ago
    is((Exim::outcome_by_runs('held@list-verify-any.test', undef, 1) // {})->{status}, 'deferred', 'a message that fails by the policy of its domain');
    my $n = 0;
    ok(Lab::until_true(sub {
        my $to = 'free' . ++$n . '@list-encrypt.test';
        Exim::submit({ to => [$to] });
        my $got = Exim::outcome($to) // { status => '', id => '' };
        Exim::forget($got->{id}) if $got->{status} ne 'sent';
        sleep 1 if $got->{status} ne 'sent';
        return $got->{status} eq 'sent';
    }), 'a message for another domain with the same MX host goes');
    like(Exim::run('exim4', '-brt', 'any.lists.test', 'tls_required'), qr/F,4d,1s;/, 'by the retry rule');
    return;
}

# --- what may not be ---

# Two domains with one MX host, one of which wants a certificate that is right; waiting messages for the same host
sub not_one_connection_for_two {
    Exim::submit({ to => ['one@sts-good.test', 'two@sts-hosted.test', 'three@sts-good.test'] });
    my @got = map { Exim::outcome($_) // {} } my @to = ('one@sts-good.test', 'two@sts-hosted.test', 'three@sts-good.test');
    is(join(' ', map { $_->{status} // '' } @got), 'sent sent sent', 'a message for two domains with one MX host');
    my @mails = map { my $to = $_; Lab::until_true(sub { Lab::mailbox($to) }) // '' } @to;
    my @ids = map { /^Received: .*?\bid (\w+)/ms } @mails;
    is($ids[0], $ids[2], 'recipients of one domain stay together');
    isnt($ids[0], $ids[1], 'and another domain has a connection of its own');
    Exim::submit({ to => ["queued$_\@sts-good.test"], options => ['-odq'] }) for 1, 2;
    Lab::capture('exim4', '-qqf');
    is((Exim::outcome("queued$_\@sts-good.test") // {})->{status}, 'sent', "waiting message $_ is sent") for 1, 2;
    unlike(join("\n", map { @{ Exim::outcome("queued$_\@sts-good.test")->{lines} } } 1, 2), qr/\]\* X=/, 'and none by the connection of another one');
    return;
}

# A time-out of readsocket or a refused connection: mail waits, whole, and goes later. tlsrptd is not there in all of this test.
sub daemons_away {
    Exim::configure(1, "POSTERN_POLICY_SOCKET = inet:127.0.0.1:1\n");    # nobody is there
    my @to = map { "away$_\@sts-good.test" } 1 .. 5;
    Exim::submit({ to => [@to, 'away+requiretls@rt-sts.test', 'anna@client.test'] });
    for (@to, 'away+requiretls@rt-sts.test') {
        my $got = Exim::outcome($_) // { status => 'no verdict', reason => '' };
        is($got->{status}, 'deferred', "policyd is away: $_ waits");
        like($got->{reason}, qr/defer \(-1\): cannot tell now whether \Q$_\E is flagged: policyd does not answer/, 'and it is said why');
    }
    is((Exim::outcome('anna@client.test') // {})->{status}, 'sent', 'a local recipient has its mail');
    Exim::configure(1);
    is((Exim::outcome_by_runs($_, 'sent') // {})->{status}, 'sent', "policyd is back: $_ has it") for @to;
    Exim::forget(Exim::outcome('away+requiretls@rt-sts.test')->{id});
    return;
}

# Without trust-ad in resolv.conf Exim does not see what DNSSEC has authenticated. Mail to domains with DANE waits then; it is not returned, and it is not sent without DANE.
sub no_dnssec {
    my $file = '/etc/resolv.conf';
    my $before = Exim::text($file);
    Exim::put($file, $before =~ s/ trust-ad//r);
    Exim::submit({ to => ["unseen\@$_"] }) for 'dane-good.test', 'dane-ta-good.test', 'example.test';
    for ('dane-good.test', 'dane-ta-good.test') {
        my $got = Exim::outcome("unseen\@$_") // { status => 'no verdict', reason => '' };
        is($got->{status}, 'deferred', "$_, no trust-ad in resolv.conf: it waits");
        like($got->{reason}, qr/defer \(-37\)/, "$_, and is not returned");
    }
    is((Exim::outcome('unseen@example.test') // {})->{status}, 'sent', 'example.test: MTA-STS needs no DNSSEC');
    Exim::put($file, $before);
    is((Exim::outcome_by_runs("unseen\@$_", 'sent') // {})->{status}, 'sent', "$_: with trust-ad it goes") for 'dane-good.test', 'dane-ta-good.test';
    return;
}

# --- macros of Debian's ---

# The HELO name and the signature that an operator has for remote_smtp are those of our transports, too.
sub macros_of_debian {
    Exim::configure(1, join '', map { "$_\n" } 'REMOTE_SMTP_HELO_DATA = greets.ours.test', 'DKIM_DOMAIN = ours.test', 'DKIM_SELECTOR = chosen', 'DKIM_PRIVATE_KEY = /etc/exim4/dkim.pem');
    Exim::run('openssl', 'genrsa', '-out', '/etc/exim4/dkim.pem', '2048');
    chmod 0644, '/etc/exim4/dkim.pem';
    my $public = join '', grep { !/^-/ } split /\n/, Exim::run('openssl', 'rsa', '-in', '/etc/exim4/dkim.pem', '-pubout');
    Lab::capture('posternctl', 'list', 'add', 'smtps', 'list-smtps.test');
    Lab::until_true(sub { Exim::ask('policy list-smtps.test') =~ /transport=smtps/ });
    for (['postern_smtp', 'signed@sts-good.test', ''], ['postern_smtps', 'signed@list-smtps.test', ''], ['postern_relaxed', 'signed@sts-selfsigned.test', "TLS-Required: No\n"]) {
        my ($transport, $to, $header) = @$_;
        Exim::submit({ to => [$to], header => $header });
        like((Exim::outcome_by_runs($to, 'sent') // { reason => 'no verdict' })->{reason}, qr/ T=$transport /, "Debian's macros: $to goes by $transport");
        my $message = Lab::until_true(sub { Lab::mailbox($to) }) // '';
        like($message, qr/^Received: from greets\.ours\.test /m, "$transport: the HELO name");
        is(signatures($message, $public), 'ours.test chosen pass', "$transport: a signature of the key");
    }
    Lab::capture('posternctl', 'list', 'clear', 'smtps');
    requires_tls();
    return;
}

# Debian's macro for hosts that must have TLS counts wherever it is defined, before or behind ours; it says nothing against a policy.
sub requires_tls {
    for my $file ('000_localmacros', '00_local_macros') {
        Exim::configure(1, $file eq '000_localmacros' ? "REMOTE_SMTP_HOSTS_REQUIRE_TLS = *\n" : '');
        Exim::put("/etc/exim4/conf.d/main/$file", "REMOTE_SMTP_HOSTS_REQUIRE_TLS = *\n") if $file ne '000_localmacros';
        Exim::run('update-exim4.conf');
        is(scalar(() = Exim::run('exim4', '-bP', 'transports') =~ /^hosts_require_tls = \$\{if eq\{.*\}\{default\}\{\*\}/mg), 2, "REMOTE_SMTP_HOSTS_REQUIRE_TLS in $file");
        Exim::submit({ to => ["must-$file\@plain.test"] });
        like((Exim::outcome_by_runs("must-$file\@plain.test", 'deferred') // { reason => 'no verdict' })->{reason}, qr/TLS session is required/, "$file: no TLS, no mail");
        unlink "/etc/exim4/conf.d/main/$file" if $file ne '000_localmacros';
    }
    return;
}

# The domain, the selector and the verdict of each signature. The key is given, as DNS has none; what stands above the first signature are fields of the receiver.
sub signatures {
    my ($message, $public) = @_;
    require Mail::DKIM::Verifier;
    no warnings qw(redefine once);
    local *Mail::DKIM::PublicKey::fetch_async = sub {
        my ($class, %arg) = @_;
        my $key = $class->parse("v=DKIM1; k=rsa; p=$public");
        return sub { $arg{Callbacks}{Success} ? $arg{Callbacks}{Success}->($key) : $key };
    };
    my $dkim = Mail::DKIM::Verifier->new;
    $message =~ s/\A.*?^(?=DKIM-Signature:)//ms;
    $dkim->PRINT("$_\r\n") for split /\n/, $message;
    $dkim->CLOSE;
    return join ', ', map { join ' ', $_->domain, $_->selector, $_->result } $dkim->signatures;
}
