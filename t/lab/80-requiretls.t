#!/usr/bin/perl
# Flagged mail on its whole way, to every kind of host: Postfix, postern-milter, the queue, postern-relayd, the hosts of internet/9-requiretls.
# For each: what becomes of the mail and with which words, what the host saw of it, what its sender gets back. And the wire is
# watched all the time for what must not be on it. S1 to S10, B1 to B4, R3, M1, M4, M11.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Lab;
use Flags;
use Nodes;
use Relayed;
use Wire;
use Test::More;

my ($MARK, $CONTROL) = ('quite-private-matter', 'for-all-to-be-read');

# What a host hears of one session: in clear, then under TLS (`heard` has it from the host's own record)
my $CONNECTED = 'open';
my $EHLO = "$CONNECTED EHLO";
my $STARTTLS = "$EHLO STARTTLS";
my $NO_TLS = "$STARTTLS no-tls";    # the handshake has failed, by the host's own word
my $TLS_EHLO = "$STARTTLS tls EHLO";
my $TLS_QUIT = "$TLS_EHLO QUIT";    # S4
my $MAIL = "$TLS_EHLO MAIL:REQUIRETLS";
my $RCPT = "$MAIL RCPT";            # they come at once, where PIPELINING is offered
my $DATA = "$RCPT DATA";
my $MESSAGE = "$DATA message";

# An address literal: what is named there offers REQUIRETLS, but nobody vouches for it
my ($LITERAL) = map { /^mx\.rt-plain\.test\. A (\S+)/ ? "[$1]" : () } Lab::lines("$Lab::DIR/zones/rt-plain.test.zone");

# The domain, or the address; what is shown; in the end, of the other hosts of the domain: what they have heard. mx. stands for mx.DOMAIN. M1
my @sent = (
    ['rt-sts.test', 'MTA-STS enforce, S1'], ['rt-v6.test', 'IPv6 alone'], ['rt-bare.test', 'nothing but REQUIRETLS is offered'],
    ['rt-dane.test', 'DANE 3 1 1, S1, S2'], ['rt-dane-ta.test', 'DANE 2 1 1, S2'], ['rt-dnssec.test', 'DNSSEC and PKIX, S1, S2'], ['rt-both.test', 'DANE and MTA-STS'],
    ['rt-implicit.test', 'no MX record', 'rt-implicit.test'],
    ['rt-last.test', 'the last of five hosts, S4', 'mx5.rt-last.test', { 'mx2.rt-last.test' => $NO_TLS, 'mx3.rt-last.test' => $TLS_QUIT, 'mx4.rt-last.test' => $CONNECTED }],
    ['rt-first.test', 'the first of two', 'mx1.rt-first.test', { 'mx2.rt-first.test' => '' }],
    ['rt-second.test', 'the one that the policy names', 'mx2.rt-second.test', { 'mx1.rt-second.test' => '' }],
);
# The same with enhanced code and what the reply says; what the host has heard, or each of the domain, '' if nobody has come (without: it has no host of ours)
my @bounced = (
    ['rt-plain.test', 'nobody vouches for the host, S1', '5.7.10', 'mx. is authenticated neither by DNSSEC nor by an MTA-STS policy in mode enforce', ''],
    ['rt-testing.test', 'MTA-STS testing, S1', '5.7.10', 'mx. is authenticated neither by DNSSEC nor', ''],
    ['plain.test', 'a real Postfix, no TLS, no policy', '5.7.10', 'mx. is authenticated neither by DNSSEC nor'],
    ['rt-unnamed.test', 'not in the policy, S1', '5.7.10', 'mx. is not named by the MTA-STS policy', ''],
    ["u\@$LITERAL", 'an address literal, S10', '5.7.10', 'is an address or a host in brackets, without MX records that could be authenticated', { 'mx.rt-plain.test' => '' }],
    ['rt-nomail.test', 'null MX', '5.1.10', 'the domain takes no mail (null MX)'],
    ['rt-noaddress.test', 'no address', '5.4.4', 'the domain has no MX host with an address'],
    ['rt-nothere.test', 'no such domain', '5.1.2', 'the domain does not exist'],
    ['rt-notls.test', 'no STARTTLS, S2, S9', '5.7.10', 'mx. does not offer STARTTLS', $EHLO],
    ['rt-starttls554.test', 'STARTTLS refused, S2, S9', '5.7.10', 'mx. offers STARTTLS, but refused it (554 5.7.0 no)', $STARTTLS],
    ['rt-old.test', 'TLS 1.1, S2', '5.7.10', 'mx. has no TLS version or cipher in common with us', $NO_TLS],
    ['rt-self.test', 'self-signed, S2', '5.7.10', 'mx. has a certificate that is not trusted', $NO_TLS],
    ['rt-expired.test', 'out of date, S2', '5.7.10', 'mx. has a certificate that is not valid now', $NO_TLS],
    ['rt-other.test', 'another name, S2', '5.7.10', 'mx. has a certificate for another name', $NO_TLS],
    ['rt-mismatch.test', 'TLSA mismatch, though the policy holds, S2', '5.7.10', 'mx. has a certificate that fits none of its TLSA records', $NO_TLS],
    ['rt-dnssec-self.test', 'DNSSEC, no TLSA, self-signed, S2', '5.7.10', 'mx. has a certificate that is not trusted', $NO_TLS],
    ['rt-without.test', 'no REQUIRETLS, S3, S6', '5.7.30', 'mx. does not offer REQUIRETLS', $TLS_QUIT],
    ['sts-good.test', 'a real Postfix, S3, S6', '5.7.30', 'mx. does not offer REQUIRETLS'],
    ['dane-good.test', 'a real Postfix, S3, S6', '5.7.30', 'mx. does not offer REQUIRETLS'],
    ['rt-early.test', 'REQUIRETLS before STARTTLS, S3', '5.7.30', 'mx. offers REQUIRETLS before STARTTLS only', $TLS_QUIT],
    ['rt-valued.test', 'REQUIRETLS with a value, R1', '5.7.30', 'mx. does not offer REQUIRETLS', $TLS_QUIT],
    ['rt-refused.test', 'MAIL refused, S6', '5.7.30', 'mx. offers REQUIRETLS, but refused MAIL with it (555 5.5.4 unknown)', $RCPT],
    ['rt-small.test', 'too large', '5.3.4', 'mx. does not take messages of this size', $TLS_QUIT],
    ['r550@rt-sts.test', 'no such user', '5.1.1', 'so it is', $RCPT],
    ['rt-rcpt550.test', 'no such user, 8-bit text and escapes', '5.1.1', 'gr??e ?[31mred', $RCPT],
    ['rt-greeting554.test', 'refused at the greeting', '5.7.1', 'mx. takes no mail from us (554 5.7.1 never)', $CONNECTED],
    ['rt-none.test', 'no host of two, S4, S6', '5.7.30', 'mx2.rt-none.test does not offer REQUIRETLS; mx1.rt-none.test has a certificate that is not trusted', { 'mx1.rt-none.test' => $NO_TLS, 'mx2.rt-none.test' => $TLS_QUIT }],
    ['rt-mail550.test', 'MAIL refused, 8-bit text', '5.7.1', 'mx. refused MAIL (550 5.7.1 gr??e)', $RCPT],
    ['rt-end550.test', 'the message refused', '5.7.1', 'spam', $MESSAGE],
);
my @deferred = (
    ['rt-nopolicy.test', 'the policy cannot be had, S8', '4.4.3', 'mx. could be authenticated by an MTA-STS policy only, which could not be fetched', ''],
    ['rt-bogus.test', 'DNSSEC is bogus, S8', '4.4.3', 'the domain has MX records that cannot be looked up now', ''],
    ['rt-bogus-tlsa.test', 'TLSA is bogus, S8', '4.4.3', 'mx. has TLSA records that cannot be looked up or validated now', ''],
    ['rt-later.test', 'one of two is down, S4, S8', '4.4.1', 'mx1.rt-later.test cannot be reached (Connection refused); mx2.rt-later.test does not offer REQUIRETLS', { 'mx1.rt-later.test' => '', 'mx2.rt-later.test' => $TLS_QUIT }],
    ['rt-starttls454.test', 'STARTTLS later, S8', '4.7.10', 'mx. offers STARTTLS, but refused it for now (454 4.7.0 later)', $STARTTLS],
    ['rt-injection.test', 'STARTTLS injection', '4.7.5', 'mx. sent octets in clear behind its reply to STARTTLS', $NO_TLS],
    ['rt-cutshake.test', 'the handshake is cut, S8', '4.7.5', 'mx. broke the TLS handshake off', $STARTTLS],
    ['rt-hungshake.test', 'the handshake hangs, S8', '4.7.5', 'mx. broke the TLS handshake off', $STARTTLS],
    ['rt-badshake.test', 'garbage for a handshake, S8', '4.7.5', 'mx. ', $STARTTLS],
    ['rt-down.test', 'down, S8', '4.4.1', 'mx. cannot be reached', ''],
    ['rt-swallowed.test', 'no answer, S8', '4.4.1', 'mx. cannot be reached: no answer to the connection'],
    ['rt-silent.test', 'silent, S8', '4.4.2', 'mx. did not reply in time', $CONNECTED],
    ['rt-greeting450.test', '450 at the greeting, S8', '4.3.2', 'mx. takes no mail now (450 4.3.2 later)', $CONNECTED],
    ['rt-mail450.test', '450 to MAIL, S8', '4.3.0', 'mx. refused MAIL for now (450 4.3.0 later)', $RCPT],
    ['r450@rt-sts.test', '450 to RCPT, S8', '4.1.1', 'so it is', $RCPT],
    ['rt-end450.test', '450 to the message, S8', '4.7.1', 'greylisted', $MESSAGE],
    ['rt-cut.test', 'dies in the midst of a message, S8', '4.4.2', 'mx. closed the connection within the message', $DATA],
    ['rt-hangs.test', 'silent after the message, S8', '4.4.2', 'mx. did not go on with the message in time', $MESSAGE],
    ['rt-drip.test', 'a slow drip', '4.4.2', 'mx. did not reply in time', $CONNECTED],
    ['rt-line.test', 'a line of 1 MB', '4.5.0', 'mx. sent what is no SMTP reply', $TLS_EHLO],
    ['rt-endless.test', 'a reply without end', '4.5.0', 'mx. sent what is no SMTP reply', $MAIL],
    ['rt-nul.test', 'a NUL', '4.5.0', 'mx. sent what is no SMTP reply', $MAIL],
    ['rt-endnul.test', 'a NUL after the message', '4.5.0', 'mx. sent what is no SMTP reply within the message', $MESSAGE],
    ['rt-twice.test', 'unasked replies', '4.5.0', 'mx. sent what is no SMTP reply', qr/$CONNECTED(?: EHLO)?/],
);
# Real Postfixes, by what their log says of sessions when these end: the unflagged message has come, in clear, and no other was offered
my $twice = join '; ', ('ehlo=2 starttls=1 quit=1 commands=4') x 2; # by IPv6, then by IPv4
my %postfix = ('plain.test' => 'ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5', 'sts-good.test' => $twice, 'dane-good.test' => $twice);
# Bounces of others: the domain, the code, whether MAIL has the word. B3, M11
my @null = (['rt-sts.test', '2.0.0', 1], ['rt-without.test', '2.0.0', 0], ['rt-self.test', '5.7.10'], ['rt-plain.test', '5.7.10'], ['rt-notls.test', '5.7.10']);

my $received = () = Lab::lines("$Lab::DIR/log/mx.log");
Relayed::begin(connect_timeout => '10s', command_timeout => '15s', data_timeout => '15s');
ok(Flags::read_rules(qq(flag: header "X-Flag" is "yes" -> requiretls\n)), 'a rule flags mail whose recipients have no tag, M4');
like(Flags::session()->command('MAIL FROM:<sender@home.test> REQUIRETLS'), qr/^555 5\.5\.4 /, 'a client that asks this Postfix itself for REQUIRETLS is refused, R3');
Wire::start($_, $MARK, $CONTROL) for 'client', 'mx';
send_all();
my $got = wait_for_all();
went($_) for @sent;
came_back($_) for @bounced;
waits($_) for @deferred;
ends_within_the_message();
postfix_saw($_) for sort keys %postfix;
without_sender($_) for @null;
no_other_reports();
bounce_to_elsewhere();
Relayed::never_unprotected();
goes_when_mended();
Wire::is_clean($_, $MARK, $CONTROL) for 'client', 'mx';
for (['rt-sts.test', 0, qr/^10 +mx\.rt-sts\.test +MTA-STS +yes .* TLSv1\.3 +PKIX +offered +yes$/m], ['rt-dane.test', 0, qr/ DNSSEC .* DANE +offered +yes$/m],
    ['rt-plain.test', 1, qr/given back: 550 5\.7\.10 /], ['sts-good.test', 1, qr/given back: 550 5\.7\.30 /]) {
    my ($domain, $status, $says) = @$_;
    my @got = Lab::capture('posternctl', 'explain', '--requiretls', $domain);
    is($got[0], $status, "explain --requiretls $domain: the status");
    like($got[1], $says, 'and what it says');
}
my ($relayd, $milter) = Relayed::finish();
is($relayd, 0, 'relayd ends well');
is($milter, 0, 'the milter ends well');
done_testing();

# The address that a case is about, with or without the tag
sub address {
    my ($where, $tag) = @_;
    my ($user, $domain) = $where =~ /@/ ? split(/@/, $where) : ('u', $where);
    return "$user$tag\@$domain";
}

sub name { return $_[0] =~ s/@/-/r }

sub send_all {
    like(Relayed::mail({ name => name($_->[0]), to => [address($_->[0], '+requiretls')], marked => $MARK }), qr/^250/, "$_->[1]: taken in") for @sent, @deferred;
    like(Relayed::mail({ name => name($_->[0]), to => [address($_->[0], '')], header => "X-Flag: yes\n", marked => $MARK }), qr/^250/, "$_->[1]: taken in") for @bounced;
    like(Relayed::mail({ name => "null-$_->[0]", from => '', to => [address($_->[0], '+requiretls')], marked => $MARK }), qr/^250/, "null, $_->[0]: taken in") for @null;
    like(Relayed::mail({ name => 'elsewhere', from => 'back@rt-without.test', to => ['u+requiretls@rt-plain.test'], marked => $MARK }), qr/^250/, 'a sender elsewhere: taken in');
    like(Relayed::mail({ name => 'control', to => ['u@plain.test'], marked => $CONTROL }), qr/^250/, 'unflagged: taken in');
    return;
}

sub wait_for_all {
    my $count = @sent + @bounced + @deferred + @null + 2;
    Lab::until_true(sub { $got = Relayed::outcomes(); keys %$got >= $count && keys %{ Relayed::reports() } >= @bounced }, 120);
    return $got;
}

# What became of a case: status, its code and words
sub is_outcome {
    my ($name, $where, $status, $code, $words, $what) = @_;
    my $is = $got->{$name}{ address($where, '+requiretls') } // {};
    my ($domain) = $where =~ /([^@]*)$/;
    $words =~ s/^mx\. /mx.$domain /;
    $words = "REQUIRETLS mail for $domain cannot be delivered" . ($code =~ /^4/ ? ' now' : '') . ": $words" if $words =~ /^mx|^the domain/;    # else it is the host that says so
    is($is->{status}, $status, "$what: $status") or diag(explain($is));
    is($is->{dsn}, $code, "$what: $code");
    like($is->{reason} // '', qr/ said: (?:\d+ \Q$code\E .*)?\Q$words\E/, "$what: in words");
    is($is->{by}, 'requiretls/lmtp', "$what: by relayd");
    return;
}

# What a host has heard of mail to an address, each session in the words above, those that differ; not of mail without a sender, which is another case's.
sub heard {
    my ($host, $address) = @_;
    my $seen = Relayed::seen($host);
    my %heard;
    for my $connection (values %$seen) {
        my (@begin, @mails);
        for (@$connection) {
            my ($what, $text) = @$_;
            my $word = $what =~ /^(?:clear|under)$/ ? $text =~ s/[ :].*//r : $what;
            push @mails, { words => [], null => scalar $text =~ /^MAIL FROM:<>/ } if $word eq 'MAIL';
            my $words = @mails ? $mails[-1]{words} : \@begin;
            $mails[-1]{to}{$1} = 1 if $text =~ /^RCPT TO:<([^>]*)>/;
            push @$words, $word . ($text =~ /^MAIL .* REQUIRETLS\b/ ? ':REQUIRETLS' : '') unless $word =~ /^(?:closed|RSET)$/ || $word eq 'QUIT' && (@mails || $what eq 'clear');
        }
        $heard{"@begin"} = 1 unless @mails;
        $heard{"@begin @{ $_->{words} }"} = 1 for grep { !$_->{null} && (!$_->{to} || $_->{to}{$address}) } @mails;
    }
    return join '; ', sort keys %heard;
}

sub hosts_heard {
    my ($where, $wanted, $what) = @_;
    my ($domain) = $where =~ /([^@]*)$/;
    my %wanted = ref $wanted eq 'HASH' ? %$wanted : ("mx.$domain" => $wanted);
    for my $host (sort keys %wanted) {
        my ($heard, $fits) = ('', ref $wanted{$host} ? $wanted{$host} : quotemeta $wanted{$host});
        Lab::until_true(sub { $heard = heard($host, address($where, '')); $heard =~ /^$fits$/ });
        like($heard, qr/^$fits$/, "$what: what $host has heard" . ($wanted{$host} eq '' ? ': nobody has come' : ''));
    }
    return;
}

sub went {
    my ($domain, $what, $host, $others) = @$_;
    $host //= "mx.$domain";
    is_outcome($domain, $domain, 'sent', '2.0.0', '', $what);
    hosts_heard($domain, { $host => $MESSAGE, %{ $others // {} } }, $what);
    my @offered = $domain eq 'rt-bare.test' ? () : ('SIZE=\d+', 'RET=HDRS');
    my @under = Relayed::said($host, 'under');
    like((grep { /^MAIL/ } @under)[0] // '', qr/^@{[join ' ', 'MAIL FROM:<sender\@home\.test>', 'REQUIRETLS', @offered]}$/, "$what: what the host is told, S7, B4");
    like(join(' ', grep { /^RCPT/ } @under), qr/^RCPT TO:<u\@\Q$domain\E>/, "$what: no tag");
    like((Relayed::said($host, 'tls'))[0] // '', qr/^TLSv1\.3 \Q$host\E$/, "$what: TLS, and the name asked for");
    return;
}

# B1
sub came_back {
    my ($where, $what, $code, $words, $heard) = @$_;
    my $name = name($where);
    is_outcome($name, $where, 'bounced', $code, $words, $what);
    is($got->{$name}{ address($where, '+requiretls') }{statuses}, 'bounced', "$what: at once, S5");
    hosts_heard($where, $heard, $what) if defined $heard;
    my ($report, @more) = @{ Relayed::reports()->{$name} // [''] };
    is(scalar @more, 0, "$what: one report");
    like($report, qr/^Original-Recipient: rfc822;\Q${\address($where, '')}\E$/m, "$what: it names the recipient without tag");
    like($report, qr/^Status: \Q$code\E$/m, "$what: it has the code");
    like($report =~ s/\s+/ /gr, qr/\Q${\($words =~ s{^mx\. }{}r)}\E/, "$what: and the reason");
    Relayed::header_alone($report, $MARK, $what);
    return;
}

sub waits {
    my ($where, $what, $code, $words, $heard) = @$_;
    is_outcome(name($where), $where, 'deferred', $code, $words, $what);
    hosts_heard($where, $heard, $what) if defined $heard;
    like(Relayed::queue()->{ address($where, '+requiretls') } // '', qr/\Q$code\E/, "$what: it stays in the queue");
    return;
}

# What a host has of the message that it has cut off
sub ends_within_the_message {
    my ($file) = glob "$Lab::DIR/scripted/mx.rt-cut.test.*.0";
    my $text = join "\n", $file ? Lab::lines($file) : ();
    like($text, qr/^X-Name: rt-cut\.test/m, 'rt-cut.test: a part of the message has come');
    unlike($text, qr/^--part--/m, 'rt-cut.test: and not its end');
    return;
}

sub postfix_saw {
    my ($domain) = @_;
    my $saw = '';
    Lab::until_true(sub {
        $saw = join '; ', map { / disconnect from \S+ (.*)/ || /: (NOQUEUE: .*)/ ? $1 : () } split /\n/, Lab::receiver_log("mx.$domain", $received);
        return $saw eq $postfix{$domain};
    });
    is($saw, $postfix{$domain}, "mx.$domain, a real Postfix: what it has heard");
    is(join(' ', grep { /$MARK/ } map { join "\n", Lab::lines($_) } glob "$Lab::DIR/mail/$domain/new/*"), '', "$domain: nothing flagged in its mailboxes");
    return;
}

sub without_sender {
    my ($domain, $code, $word) = @$_;
    my $is = $got->{"null-$domain"}{"u+requiretls\@$domain"} // {};
    is($is->{dsn}, $code, "null, $domain: $code, B3") or diag(explain($is));
    return unless defined $word;
    my @mail = grep { /^MAIL FROM:<>/ } Relayed::said("mx.$domain", 'under');
    is(scalar(grep { / REQUIRETLS/ } @mail), $word, "null, $domain: with the word only where it is offered, B3");
    return;
}

sub no_other_reports {
    is(join(' ', sort keys %{ Relayed::reports() }), join(' ', sort map { name($_->[0]) } @bounced), 'no other reports: none about what waits, none about bounces');
    return;
}

# The report about flagged mail has no more than its header (B1), so it need not be flagged itself (B2); it goes by the policy of its domain.
sub bounce_to_elsewhere {
    my $dir = "$Lab::DIR/scripted";
    my $report = Lab::until_true(sub { (grep { /^Subject: Undelivered/m } map { join "\n", Lab::lines($_) } glob "$dir/mx.rt-without.test.*.*")[0] }) // '';
    Relayed::header_alone($report, $MARK, 'a report to another domain, B2');
    return;
}

# Three faults end, and the mail goes, S8
sub goes_when_mended {
    my %mend = (
        'rt-down.test' => sub {
            my ($address) = map { /^mx\.rt-down\.test\. A (\S+)/ } Lab::lines("$Lab::DIR/zones/rt-down.test.zone");
            Relayed::host($address, 'mx.rt-down.test', "cert=$Lab::DIR/certs/hosted.pem");
        },
        'rt-bogus.test' => sub { Lab::capture('zones-changed', 'rt-bogus.test') },
        'rt-nopolicy.test' => sub {
            Lab::capture('sed', '-i', 's/^mta-sts A .*/mta-sts A 192.0.2.80/', "$Lab::DIR/zones/rt-nopolicy.test.zone");
            Lab::capture('zones-changed', 'rt-nopolicy.test');
        },
    );
    for (sort keys %mend) {
        $mend{$_}->();
        Lab::capture('posternctl', 'resolve', '--fresh', $_);    # else 30 s until the next look
    }
    for my $domain (sort keys %mend) {
        my $is;
        Lab::until_true(sub {
            Lab::capture('postqueue', '-i', $got->{$domain}{"u+requiretls\@$domain"}{id});
            select undef, undef, undef, 0.5;
            $is = Relayed::outcomes()->{$domain}{"u+requiretls\@$domain"};
            return $is->{status} eq 'sent';
        });
        is($is->{status}, 'sent', "$domain: mended, and it goes") or diag(explain($is));
        like(join(' ', Relayed::said("mx.$domain", 'under')), qr/MAIL FROM:<sender\@home\.test> REQUIRETLS/, "$domain: with the word");
    }
    return;
}
