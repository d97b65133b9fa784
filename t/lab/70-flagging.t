#!/usr/bin/perl
# postern-milter beside a stock Postfix: which recipients of a message are flagged, whatever the form of their addresses, read back
# from Postfix's queue; and that a flagged message goes to relayd, never out by smtp(8), and comes back from domains without REQUIRETLS.
# R6 (aliases, forwards, many recipients), R8 (by SMTP and by sendmail), B1, M5, M8, M10 to M12.
use strict;
use warnings;
use utf8;
use FindBin;
use lib $FindBin::Bin;
use Lab;
use Flags;
use Relayed;
use Test::More;

my $line = 'x' x 75 . "\n";
my $big = $line x ((50 << 20) / length $line);
my @many = map { ("many$_\@" . ('remote.test', 'other.test', 'home.test', 'third.test')[$_ % 4]) } 1 .. 200;

my $refused = qr/^550 5\.7\.30 recipient <.*(?:the message goes only with REQUIRETLS|it has a tag)/;

# What is shown, the message; what is in the queue: recipients, sender and RET, our header field, and more of recipients.
# M12: home.test is ours. Or, instead of the queue, the reply.
my @cases = (
    ['nothing is flagged', { to => ['a@remote.test', 'h@home.test'], parameters => 'RET=FULL' }, 'a@remote.test h@home.test', 'FULL', ''],
    ['a tag flags all remote recipients, M10, M12', { to => ['a+requiretls@remote.test', 'b@other.test', 'h@home.test'] },
        'a+requiretls@remote.test b+requiretls@other.test h@home.test', 'HDRS', 'requiretls; by=tag; recipients=2',
        'a+requiretls@remote.test' => { orcpt => qr/a(?:\+requiretls)?\@remote/ }, 'b+requiretls@other.test' => { orcpt => qr/;b\@other/ }],
    ['in capitals', { to => ['a+RequireTLS@Remote.Test', 'b@remote.test'] }, qr/^a\+RequireTLS\@(?i)remote\.test b\+requiretls\@remote\.test$/,
        'HDRS', 'requiretls; by=tag; recipients=2'],
    ['a sub-address before it', { to => ['a+x+requiretls@remote.test', 'b+y@remote.test'] },
        'a+x+requiretls@remote.test b+y+requiretls@remote.test', 'HDRS', 'requiretls; by=tag; recipients=2'],
    ['not at the end, nothing before it, another delimiter', { to => ['a+requiretls+x@remote.test', '+requiretls@remote.test',
        'a-requiretls@remote.test', 'requiretls@remote.test', 'a+xrequiretls@remote.test'] },
        '+requiretls@remote.test a+requiretls+x@remote.test a+xrequiretls@remote.test a-requiretls@remote.test requiretls@remote.test', undef, ''],
    ['in quotes', { to => ['"a b+requiretls"@remote.test', '"c d"@remote.test', '"e"@remote.test'] },
        'a b+requiretls@remote.test c d+requiretls@remote.test e+requiretls@remote.test', 'HDRS', 'requiretls; by=tag; recipients=3',
        'c d+requiretls@remote.test' => { orcpt => qr/^rfc822;"c d"\@remote\.test$/ }],
    ['an address literal', { to => ['a+requiretls@[192.0.2.66]', 'b@[IPv6:2001:db8::66]'] },
        'a+requiretls@[192.0.2.66] b+requiretls@[IPv6:2001:db8::66]', 'HDRS', 'requiretls; by=tag; recipients=2'],
    ['a source route', { to => ['<@x.test,@y.test:a+requiretls@remote.test>', '<@x.test:b@remote.test>'] },
        'a+requiretls@remote.test b+requiretls@remote.test', 'HDRS', 'requiretls; by=tag; recipients=2'],
    ['NOTIFY and ORCPT stay', { to => ['a+requiretls@remote.test NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;z+2Bq@first.test', 'b@remote.test NOTIFY=NEVER',
        'c@remote.test NOTIFY=DELAY ORCPT=rfc822;c@first.test', 'h@home.test NOTIFY=NEVER'] },
        'a+requiretls@remote.test b+requiretls@remote.test c+requiretls@remote.test h@home.test', 'HDRS', 'requiretls; by=tag; recipients=3',
        'a+requiretls@remote.test' => { notify => qr/^6$/, orcpt => qr/^rfc822;z\+q\@first\.test$/ },
        'b+requiretls@remote.test' => { notify => qr/^1$/, orcpt => qr/^rfc822;b\@remote\.test$/ },
        'c+requiretls@remote.test' => { notify => qr/^8$/, orcpt => qr/^rfc822;c\@first\.test$/ }, 'h@home.test' => { notify => qr/^1$/ }],
    ['RET=FULL is overridden, ENVID stays, B1', { to => ['a+requiretls@remote.test'], parameters => 'RET=FULL ENVID=zz' },
        'a+requiretls@remote.test', 'HDRS', 'requiretls; by=tag; recipients=1', envid => 'zz'],
    ['a null sender, M11', { to => ['a+requiretls@remote.test', 'b@remote.test'], from => '' }, 'a+requiretls@remote.test b+requiretls@remote.test',
        'HDRS', 'requiretls; by=tag; recipients=2'],
    ['200 recipients in four domains', { to => ['first+requiretls@remote.test', @many] },
        join(' ', sort 'first+requiretls@remote.test', map { s/@(?!home)/+requiretls@/r } @many), 'HDRS', 'requiretls; by=tag; recipients=151'],
    ['the same address with and without tag', { to => ['a@remote.test', 'a+requiretls@remote.test'] }, 'a+requiretls@remote.test', 'HDRS', qr/^requiretls; by=tag; recipients=[12]$/],
    ['a local recipient loses the tag', { to => ['h+requiretls@home.test', 'h2+x@home.test'] }, 'h2+x@home.test h@home.test', 'HDRS', qr/^(?:requiretls; by=tag; recipients=0)?$/],
    ['aliases: the tag goes where they lead', { to => ['a+requiretls@remote.test', 'out@alias.test', 'in@alias.test', 'out@forward.test'] },
        'a+requiretls@remote.test in+requiretls@home.test out+requiretls@forward.test out+requiretls@remote.test', 'HDRS', 'requiretls; by=tag; recipients=4'],
    ['an alias with a tag', { to => ['out+requiretls@alias.test', 'b@remote.test'] }, 'b+requiretls@remote.test out+requiretls@remote.test', 'HDRS',
        'requiretls; by=tag; recipients=2'],
    ['a final dot', { to => ['a+requiretls@remote.test.', 'b@remote.test.'] }, qr/^a\+requiretls\@remote\.test\.? b\+requiretls\@remote\.test\.?$/, 'HDRS',
        'requiretls; by=tag; recipients=2'],
    ['without <>, and with blanks', { to => ['TO:a+requiretls@remote.test', 'TO: <b@remote.test>', 'TO:c@remote.test'] },
        'a+requiretls@remote.test b+requiretls@remote.test c+requiretls@remote.test', 'HDRS', 'requiretls; by=tag; recipients=3'],
    ['of ours, but leads elsewhere: a%b', { to => ['a+requiretls@remote.test', 'b%remote.test@home.test'] }, $refused],
    ['of ours, but leads elsewhere: b!a', { to => ['a+requiretls@remote.test', 'remote.test!c'] }, $refused],
    ['of ours, but leads elsewhere, with a tag', { to => ['a+requiretls%remote.test@home.test'] }, $refused],
    ['no domain', { to => ['a+requiretls@remote.test', 'postmaster'] }, 'a+requiretls@remote.test postmaster+requiretls@client.test', 'HDRS',
        'requiretls; by=tag; recipients=2'],
    ['no domain: an alias leads elsewhere', { to => ['a+requiretls@remote.test', 'root'] }, 'a+requiretls@remote.test out+requiretls@remote.test', 'HDRS',
        'requiretls; by=tag; recipients=2'],
    ['no domain, with a tag', { to => ['root+requiretls'] }, 'out+requiretls@remote.test', 'HDRS', 'requiretls; by=tag; recipients=1'],
    ['a semicolon, which Postfix takes off', { to => ['a+requiretls@remote.test', 'TO:<b@remote.test;>'] }, $refused],
    ['a comma, which Postfix takes off', { to => ['a+requiretls@remote.test', 'TO:<,b@remote.test>'] }, $refused],
    ['a semicolon behind the other tag', { to => ['TO:<a+tlsoptional@remote.test;>'] }, $refused],
    ['the other tag, written by somebody, is taken off, M8', { to => ['a+tlsoptional@remote.test', 'b+TLSoptional@remote.test', 'h+tlsoptional@home.test'] },
        'a@remote.test b@remote.test h@home.test', undef, ''],
    ['both tags', { to => ['a+tlsoptional+requiretls@remote.test', 'b+requiretls+tlsoptional@remote.test', 'c+tlsoptional@remote.test'] },
        qr/^a\+requiretls\@remote\.test b\+requiretls\@remote\.test c\+requiretls\@remote\.test$/, 'HDRS', 'requiretls; by=tag; recipients=3'],
    ['our header field is forged, nothing is flagged', { to => ['a@remote.test'], header => "X-Postern: requiretls; by=tag\nx-POSTERN: again\n" },
        'a@remote.test', undef, ''],
    ['our header field is forged, it is flagged', { to => ['a+requiretls@remote.test'], header => "X-Postern: tls-optional;\n folded\nX-postern: again\n" },
        'a+requiretls@remote.test', 'HDRS', 'requiretls; by=tag; recipients=1'],
    ['8-bit text', { to => ['a+requiretls@remote.test', 'b@remote.test'], parameters => 'BODY=8BITMIME', header => "Content-Type: text/plain; charset=iso-8859-1\n",
        body => "gr\xfc\xdfe\n\xff\xfe\x80\n" }, 'a+requiretls@remote.test b+requiretls@remote.test', 'HDRS', 'requiretls; by=tag; recipients=2'],
    ['SMTPUTF8', { to => ["\xc3\xbc+requiretls\@remote.test", "b\@b\xc3\xbccher.test", "h\xc3\xa4\@home.test"], parameters => 'SMTPUTF8' },
        "b+requiretls\@b\xc3\xbccher.test h\xc3\xa4\@home.test \xc3\xbc+requiretls\@remote.test", 'HDRS', 'requiretls; by=tag; recipients=2'],
    ['50 MB', { to => ['a+requiretls@remote.test', 'b@remote.test'], body => $big }, 'a+requiretls@remote.test b+requiretls@remote.test', 'HDRS',
        'requiretls; by=tag; recipients=2'],
);

# By sendmail(1): it comes in by SMTP once more, with addresses as Postfix has rewritten them
my @submitted = (
    ['nothing is flagged', { to => ['a@remote.test'] }, 'a@remote.test', undef, ''],
    ['a tag flags all remote recipients', { to => ['a+requiretls@remote.test', 'b@other.test', 'h@home.test', 'postmaster'] },
        'a+requiretls@remote.test b+requiretls@other.test h@home.test postmaster@client.test', 'HDRS', 'requiretls; by=tag; recipients=2'],
    ['recipients of the header, -R', { to => [], header => "To: a+requiretls\@remote.test, \"c d\" <c\@remote.test>\nBcc: b\@remote.test\n",
        options => ['-t', '-R', 'full'] }, 'a+requiretls@remote.test b+requiretls@remote.test c+requiretls@remote.test', 'HDRS',
        'requiretls; by=tag; recipients=3'],
    ['a null sender', { to => ['a+requiretls@remote.test'], from => '<>' }, 'a+requiretls@remote.test', 'HDRS', 'requiretls; by=tag; recipients=1'],
    ['addresses that Postfix rewrites', { to => ['a+requiretls@remote.test', 'old@other.test', 'b%remote.test', 'c@remote.test.', 'remote.test!d', 'out@alias.test', 'joe'] },
        'a+requiretls@remote.test b+requiretls@remote.test c+requiretls@remote.test d+requiretls@remote.test joe@client.test new+requiretls@other.test out+requiretls@remote.test', 'HDRS',
        'requiretls; by=tag; recipients=6'],
    ['-N', { to => ['a+requiretls@remote.test', 'b@remote.test'], options => ['-N', 'delay,success'] }, 'a+requiretls@remote.test b+requiretls@remote.test', 'HDRS',
        'requiretls; by=tag; recipients=2'],
);

Flags::begin();
Flags::configure();
Flags::start_milter();
Relayed::configure();
Relayed::start();
Flags::start_postfix();
for my $ours ('home.test', 'client.test') {
    my ($status, $out, $err) = Flags::ctl('list', 'add', 'local', $ours);
    is($status, 0, "$ours is ours") or diag($err);
}
lists_are_known();
try('SMTP', sub { my $smtp = Flags::session(); sub { $smtp->transmit($_[0]) } }->(), @cases);
try('sendmail', sub { Flags::submit($_[0]) == 0 ? '250' : 'sendmail failed' }, @submitted);
refused_recipients();
transports();
flagged_mail_comes_back();
my ($relayd, $milter) = Relayed::finish();
is($relayd, 0, 'relayd ends well');
is($milter, 0, 'the milter ends well');
done_testing();

sub lists_are_known {
    my $n = 0;
    my $smtp = Flags::session();
    ok(Lab::until_true(sub {
        my $name = 'local' . ++$n;
        $smtp->transmit({ name => $name, to => ['a+requiretls@remote.test', 'h@home.test', 'c@client.test'] });
        return Flags::recipients(Flags::held()->{$name}) eq 'a+requiretls@remote.test c@client.test h@home.test';
    }), 'the milter knows the list local');
    Flags::forget_held();
    return;
}

sub try {
    my ($how, $give, @these) = @_;
    my $n = 0;
    my %reply;
    for my $case (@these) {
        my $name = "\L$how" . ++$n;
        $case->[1]{name} = $name;
        $reply{$name} = $give->($case->[1]);
    }
    Lab::until_true(sub { keys %{ Flags::held() } >= @these }) if $how eq 'sendmail';
    my $held = Flags::held();
    check($how, $_, $reply{ $_->[1]{name} }, $held->{ $_->[1]{name} }) for @these;
    Flags::forget_held();
    return;
}

sub check {
    my ($how, $case, $reply, $got) = @_;
    my ($what, $mail, $recipients, $ret, $record, %more) = @$case;
    $what = "$how: $what";
    return like($reply, $recipients, "$what: refused") if "$recipients" eq "$refused";
    like($reply, qr/^250/, "$what: taken in");
    $got //= { rcpt => {} };
    is_or_like(Flags::recipients($got), $recipients, "$what: recipients");
    is($got->{ret}, $ret, "$what: RET");
    is($got->{sender}, ($mail->{from} // 'sender@home.test') =~ s/^<>$//r, "$what: the sender stays");
    is_or_like(Flags::record($got), $record, "$what: our header field");
    is($got->{envid}, $more{envid}, "$what: ENVID") if $more{envid};
    for my $to (grep { ref $more{$_} } sort keys %more) {
        like($got->{rcpt}{$to}{$_} // '', $more{$to}{$_}, "$what: $to: $_") for sort keys %{ $more{$to} };
    }
    return;
}

sub is_or_like {
    my ($got, $want, $what) = @_;
    return ref $want ? like($got, $want, $what) : is($got, $want, $what);
}

# A recipient with a tag that smtpd refuses: the sender asked for it, so the others are flagged; and nobody gets the refused one.
sub refused_recipients {
    my $smtp = Flags::session();
    my %want = (tagged => ['nobody+requiretls@alias.test', 'b+requiretls@remote.test out+requiretls@remote.test'], both => ['nobody+requiretls+tlsoptional@alias.test', 'b+requiretls@remote.test out+requiretls@remote.test'],
        plain => ['nobody@alias.test', 'b@remote.test out@remote.test']);
    for my $name (sort keys %want) {
        like($smtp->transmit({ name => "refused-$name", to => [$want{$name}[0], 'b@remote.test', 'out@alias.test'] }), qr/^550 5\.1\.1 /, "refused, $name");
    }
    my $held = Flags::held();
    is(Flags::recipients($held->{"refused-$_"}), $want{$_}[1], "refused, $_: the others") for sort keys %want;
    Flags::forget_held();
    return;
}

# What Postfix's transport map says about addresses, which it looks up without quotes
sub transports {
    my @want = (['a+requiretls@remote.test' => 'requiretls:'], ['a+tlsoptional@remote.test' => 'smtp-relaxed:'], ['"a b+tlsoptional"@remote.test' => 'smtp-relaxed:'],
        ['a+tlsoptional@x.test+requiretls@remote.test' => 'requiretls:'], ['a+requiretls@home.test' => ''], ['a@remote.test' => ''],
        ['a+tlsoptional@x.test@remote.test' => ''], ['"a+tlsoptional@x.test"@remote.test' => ''], ['+tlsoptional@remote.test' => ''],
        ['"+tlsoptional"@remote.test' => '']);
    for (@want) {
        my (undef, $out) = Lab::capture('postmap', '-q', $_->[0], 'regexp:/etc/postfix-flag/transport_flags.regexp');
        is($out =~ s/(?:inet:127\.0\.1\.\d+:8689)?\n//r, $_->[1], "transport of $_->[0]");
    }
    return;
}

# Real mail, with a flag or without; all of it is under way before the first is looked at.
sub flagged_mail_comes_back {
    my $smtp = Flags::session();
    my $secret = 'the body that nobody else may see';
    my %sent = (
        'returned' => { to => ['a+requiretls@sts-good.test', 'b@dane-good.test', 'h@home.test', 'i+requiretls@home.test'], parameters => 'RET=FULL', body => "$secret\n" },
        'forwarded' => { to => ['out+requiretls@forward.test', 'out+requiretls@alias.test', 'in+requiretls@alias.test'] },
        'quoted' => { to => ['"a b+requiretls"@sts-good.test'] },
        'quiet' => { to => ['a+requiretls@sts-good.test NOTIFY=NEVER'] },
        'unflagged' => { to => ['c@sts-good.test', 'h@home.test', 'd+tlsoptional@sts-good.test'] },
    );
    for my $name (sort keys %sent) {
        like($smtp->transmit({ name => $name, hold => 0, %{ $sent{$name} } }), qr/^250/, "$name: taken in");
    }
    my %verdict = map { my $name = $_; $name => { map { $_->{to} => $_ } Flags::verdicts($name) } } sort keys %sent;
    my $without = qr/550 5\.7\.30 .* does not offer REQUIRETLS/;
    my @flagged = ([returned => 'a+requiretls@sts-good.test', $without], [returned => 'b+requiretls@dane-good.test', $without],
        [forwarded => 'out+requiretls@remote.test', qr/550 5\.1\.2 /], [quoted => '"a b+requiretls"@sts-good.test', $without], [quiet => 'a+requiretls@sts-good.test', $without]);
    for (@flagged) {
        my ($name, $to, $reason) = @$_;
        my $got = $verdict{$name}{$to} // {};
        is($got->{by}, 'requiretls/lmtp', "$name: $to goes to relayd");
        is($got->{status}, 'bounced', "$name: and comes back");
        like($got->{reason}, $reason, "$name: with the reason");
    }
    is($verdict{$_->[0]}{ $_->[1] }{status}, 'sent', "$_->[0]: $_->[1] is delivered")
        for [returned => 'h@home.test'], [returned => 'i@home.test'], [forwarded => 'in+requiretls@home.test'], [unflagged => 'c@sts-good.test'],
        [unflagged => 'd@sts-good.test'], [unflagged => 'h@home.test'];
    my @out = grep { $_->{to} =~ /requiretls/ && $_->{by} =~ /smtp/ } map { values %$_ } values %verdict;
    is(scalar @out, 0, 'nothing flagged has met smtp(8)') or diag(explain(\@out));
    bounces_hold_no_body($secret);
    return;
}

# B1, M5
sub bounces_hold_no_body {
    my ($secret) = @_;
    my $bounced = sub { Flags::home(qr/^Message-Id: <$_[0]\@somebody\.test>.*^--/ms) };
    my ($bounce) = Lab::until_true(sub { my @b = $bounced->('returned'); @b ? $b[0] : undef }) || '';
    like($bounce, qr/^Original-Recipient: rfc822;b\@dane-good\.test$/m, 'the bounce names the recipient that the sender wrote');
    like($bounce, qr/^Status: 5\.7\.30$/m, 'the bounce says 5.7.30');
    unlike($bounce, qr/\Q$secret\E/, 'and has not the body, though RET=FULL was asked for');
    my $forwarded = qr/out\@forward\.test|out\+requiretls\@forward\.test/;
    my @forwarded;    # one for each way
    Lab::until_true(sub { grep { $_ =~ $forwarded } @forwarded = $bounced->('forwarded') });
    like(join('', @forwarded), $forwarded, 'what local(8) forwards keeps the flag');
    is(scalar $bounced->('quiet'), 0, 'NOTIFY=NEVER: no bounce');
    return;
}
