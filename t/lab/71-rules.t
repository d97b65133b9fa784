#!/usr/bin/perl
# Rules on real mail: each condition and each action, rules that are edited while mail flows or that are wrong, and messages made to
# keep a milter busy. M4, M6.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Lab;
use Flags;
use MIME::Base64 qw(encode_base64);
use Test::More;

my $words = "Nobody may know of project Nautilus.\n";

sub part { my ($header, $body) = @_; return (header => "MIME-Version: 1.0\n$header\n", body => $body) }

sub attached {
    my ($header) = @_;
    return part('Content-Type: multipart/mixed; boundary=b', "--b\nContent-Type: text/plain\n\nSee there.\n--b\n$header\nContent-Transfer-Encoding: base64\n\nAAAA\n--b--\n");
}

# The same behind another one, which is longer than what rules see of a body
sub attached_late {
    my ($header) = @_;
    my $long = join '', map { 'QUJD' x 18 . "\n" } 1 .. 1500;
    return part('Content-Type: multipart/mixed; boundary=b', "--b\nContent-Type: application/zip; name=long.zip\nContent-Transfer-Encoding: base64\n\n$long--b\n$header\n\nAAAA\n--b--\n");
}

# A rule to requiretls, the message that it fits, and messages that it does not fit.
my @conditions = (
    ['sender-is', 'sender is "Boss@home.test"', { from => 'boss@HOME.test' }, { from => 'boss2@home.test' }],
    ['sender-null', 'sender is ""', { from => '' }],
    ['sender-contains', 'sender contains "finance"', { from => 'Finance-7@home.test' }],
    ['sender-matches', 'sender matches "^ceo-\d+@"', { from => 'ceo-12@home.test' }, { from => 'ceo-x@home.test' }],
    ['sender-list', 'sender in-list exclude', { from => 'x@partner.test' }, { from => 'x@in.partner.test' }],
    ['recipient-is', 'recipient is "vip@remote.test"', { to => ['a@remote.test', 'vip@remote.test'] }, { to => ['vip2@remote.test'] }],
    ['recipient-contains', 'recipient contains "@secret."', { to => ['a@Secret.test'] }, { to => ['secret@remote.test'] }],
    ['recipient-matches', 'recipient matches "^[a-c]+\+sub@"', { to => ['abc+sub@remote.test'] }, { to => ['abc@remote.test'] }],
    ['recipient-list', 'recipient in-list require', { to => ['a@in.bank.test'] }, { to => ['a@bank.test'] }],
    ['address-is', 'client.address is "127.0.0.7"', { session => [from => '127.0.0.7'] }, { session => [from => '127.0.0.8'] }],
    ['address-network', 'client.address is "127.0.8.0/24"', { session => [from => '127.0.8.200'] }, { session => [from => '127.0.9.1'] }],
    ['address-list', 'client.address in-list inbound-exclude', { session => [from => '127.0.10.1'] }, { session => [from => '127.0.11.1'] }],
    ['user', 'client.user is "anna"', { session => [to => '192.0.2.25'], user => 'anna' }, { session => [to => '192.0.2.25'], user => 'bob' }],
    ['tls', 'client.tls and subject is "over tls"', { session => ['tls'], header => "Subject: over tls\n" }, { header => "Subject: over tls\n" }],
    ['header', 'header "X-Class" is "secret"', { header => "x-class:   Secret \n" }, { header => "X-Class: secrets\nX-Classes: secret\n" }],
    ['nul', 'header "X-Nul" contains "hidden"', { header => "X-Nul: nothing\0hidden\n" }, { header => "X-Nul: nothing\0\n" }],
    ['header-second', 'header "X-Second" contains "two"', { header => "X-Second: one\nX-Other: 1\nX-Second: two\n" }],
    ['header-folded', 'header "X-Folded" is "two words, and more"', { header => "X-Folded: two\n words,\n and more\n" }],
    ['header-encoded', "header \"X-Encoded\" is \"gr\xc3\xbc\xc3\x9fe aus k\xc3\xb6ln\"", { header => "X-Encoded: =?iso-8859-1?q?Gr=FC=DFe_aus?=\n =?UTF-8?B?IEvDtmxu?=\n" }],
    ['subject', 'subject contains "confidential"', { header => "Subject: Re: CONFIDENTIAL offer\n" }, { header => "Subject: offer\nX-Subject: confidential\n" }],
    ['subject-encoded', 'subject matches "^Top secret"', { header => "Subject: =?utf-8?b?" . encode_base64('Top secret: x', '') . "?=\n" }],
    ['body', 'body contains "project nautilus"', { body => $words }, { header => "X-Body: $words", body => "no project\nNautilus\n" }],
    ['body-base64', 'body contains "base nautilus"', { part('Content-Transfer-Encoding: base64', encode_base64("in base Nautilus\n")) }],
    ['body-qp', 'body contains "quoted nautilus"', { part('Content-Transfer-Encoding: quoted-printable', "in quo=\nted =4Eautilus\n") }],
    ['body-latin1', "body contains \"gr\xc3\xbc\xc3\x9fe, nautilus\"", { part("Content-Type: text/plain; charset=iso-8859-1", "GR\xdc\xdfE, Nautilus\n") }],
    ['body-latin9', "body contains \"\xe2\x82\xac 5 for nautilus\"", { part('Content-Type: text/plain; charset="ISO-8859-15"', "\xa4 5 for Nautilus\n") }],
    ['body-in-parts', 'body contains "inner nautilus"', { part('Content-Type: multipart/mixed; boundary=o', "--o\nContent-Type: multipart/alternative; boundary=i\n\n--i\n\nx\n--i\n"
        . "Content-Type: text/html\n\n<p>inner Nautilus\n--i--\n--o--\n") }],
    ['body-matches', 'body matches "\b\d{4}[ -]\d{4}\b"', { body => "card 1234-5678.\n" }, { body => "card 12345678.\n" }],
    ['attachment-name', 'attachment.name matches "\.p12$"', { attached("Content-Type: application/octet-stream\nContent-Disposition: attachment; filename=Key.p12") },
        { attached("Content-Type: application/octet-stream\nContent-Disposition: attachment; filename=key.p12.txt") }],
    ['attachment-late', 'attachment.name is "late.key"', { attached_late('Content-Type: application/x-key; name=late.key') }, { attached_late('Content-Type: application/x-key; name=other.key') }],
    ['attachment-encoded', "attachment.name is \"schl\xc3\xbcssel.key\"", { attached("Content-Disposition: attachment; filename*0*=utf-8''schl%C3%BC;\n filename*1=ssel.key") }],
    ['attachment-type', 'attachment.type is "application/pdf"', { attached('Content-Type: Application/PDF; name=x') }],
    ['size-more', 'size > 200K', { body => "0123456789\n" x 30000 }, { body => "0123456789\n" x 15000 }],
    ['size-less', 'size < 1K and subject is "small"', { header => "Subject: small\n" }, { header => "Subject: small\n", body => 'x' x 2000 . "\n" }],
    ['and-or-not', '(header "X-A" is "1" and recipient matches "@one\.") or (header "X-B" is "1" and not header "X-C" is "1")',
        { header => "X-B: 1\n" }, { header => "X-B: 1\nX-C: 1\n" }, { header => "X-A: 1\n" }],
);

my @strict = (
    ['bad', 'attachment.name matches "\.exe$" and header "X-Hostile" matches "."', { header => "X-Hostile: deep\n" . deep_header(0), body => deep(1, 90) },
        { header => "X-Hostile: no\n", body => "Hello.\n" }],
    ['slow', 'body matches "^(?:a|aa|aaa)+$"', { body => 'a' x 3000 . "b\n" }],
);

sub deep_header { return "Content-Type: multipart/mixed; boundary=b$_[0]\n" }
sub deep { my ($from, $to) = @_; return join '', map { '--b' . ($_ - 1) . "\n" . deep_header($_) . "\n" } $from .. $to }

Flags::begin();
Flags::configure(body_octets => 65536, rules => q({'own: header "X-Own" is "yes" -> requiretls', 'label: header "X-Label" is "yes" -> tag "X-Labelled: by the milter"'}));
Flags::ctl('list', 'add', 'local', 'home.test');
Flags::ctl('list', 'add', @$_) for ['exclude', 'partner.test'], ['require', '.bank.test', 'encrypt'], ['inbound-exclude', '127.0.10.0/24'];
Flags::start_milter();
Flags::start_users();
Flags::start_postfix();
conditions();
actions();
hostile();
edits();
wrong_at_start();
Flags::stop();
done_testing();

# Each message of its own; those that come from elsewhere in a session of their own.
sub transmit {
    my ($mail) = @_;
    my %session = @{ $mail->{session} // [] } % 2 ? () : @{ $mail->{session} // [] };
    my $smtp = ($mail->{session} // [''])->[0] eq 'tls' ? Flags::tls_session() : $mail->{session} ? Flags::session(%session) : ($main::usual //= Flags::session());
    like($smtp->command('AUTH PLAIN ' . encode_base64("\0$mail->{user}\0x", '')), qr/^235/, "$mail->{user} logs in") if $mail->{user};
    return $smtp->transmit({ to => ['a@remote.test', 'h@home.test'], %$mail });
}

sub conditions {
    my @all = (@strict, @conditions);
    ok(Flags::read_rules(join '', "# a comment\n\n", map { "$_->[0]: $_->[1] -> requiretls\n" } @all), 'the milter reads the rules in Redis') or diag(join "\n", Nodes::log_of('milter'));
    undef $main::usual;
    my %took;
    for my $rule (@all) {
        my ($name, undef, @mails) = @$rule;
        for my $i (0 .. $#mails) {
            my $begin = Nodes::processor('milter');
            like(transmit({ %{ $mails[$i] }, name => "$name-$i" }), qr/^250/, "$name, message $i: taken in");
            $took{$name} = Nodes::processor('milter') - $begin;
        }
    }
    my $held = Flags::held();
    for my $rule (@all) {
        my ($name, $text, @mails) = @$rule;
        is(Flags::record($held->{"$name-0"}) =~ s/recipients=.*//r, "requiretls; by=rule; rule=$name; ", "$text: fits");
        is(join(' ', grep { !/\+requiretls\@|\@home\.test$/ } keys %{ $held->{"$name-0"}{rcpt} }), '', "$text: all remote recipients are flagged");
        is($held->{"$name-0"}{ret}, 'HDRS', "$text: RET");
        is(Flags::record($held->{"$name-$_"}), '', "$text: does not fit message $_") for 1 .. $#mails;
    }
    cmp_ok($took{$_->[0]}, '<', 30, "$_->[0]: in bounded time") for @strict;
    my $log = join "\n", Nodes::log_of('milter');
    like($log, qr/rule-unknown qid=\S+ rule=$_->[0] .*counts_as=fitting/, "$_->[0]: the log says that it could not be evaluated") for @strict;
    Flags::forget_held();
    return;
}

# What is shown, header and subject of the message; the reply, recipients, our header field, the tags of rules
my @actions = (
    ['requiretls', "X-Do: require\n", qr/^250/, 'a+requiretls@remote.test h@home.test', 'requiretls; by=rule; rule=require; recipients=1', ''],
    ['tls-optional', "X-Do: optional\n", qr/^250/, 'a+tlsoptional@remote.test h@home.test', 'tls-optional; by=rule; rule=optional; recipients=1', ''],
    ['reject', "X-Do: reject\n", qr/^550 5\.7\.1 not "this" way, 100%\n$/, '', '', ''],
    ['tag goes on', "X-Do: tag\n", qr/^250/, 'a+requiretls@remote.test h@home.test', 'requiretls; by=rule; rule=after-tag; recipients=1', 'one|two: 2'],
    ['none ends', "X-Do: none\n", qr/^250/, 'a@remote.test h@home.test', '', ''],
    ['none ends, but a tag of a recipient stays', "X-Do: none\n", qr/^250/, 'a+requiretls@remote.test b+requiretls@remote.test', 'requiretls; by=tag; recipients=2', '', 'a@remote.test', 'b+requiretls@remote.test'],
    ['tls-optional, but a tag of a recipient stays, M6', "X-Do: optional\n", qr/^250/, 'a+requiretls@remote.test b+requiretls@remote.test', 'requiretls; by=tag; recipients=2', '', 'a@remote.test', 'b+requiretls@remote.test'],
    ['rules of the configuration go first', "X-Do: none\nX-Own: yes\n", qr/^250/, 'a+requiretls@remote.test h@home.test', 'requiretls; by=rule; rule=own; recipients=1', ''],
);

sub actions {
    my $rules = <<'END';
require: header "X-Do" is "require" -> requiretls
optional: header "X-Do" is "optional" -> tls-optional
reject: header "X-Do" is "reject" -> reject "not \"this\" way, 100%"
tag: header "X-Do" is "tag" -> tag "X-Rule: one"
tag-too: header "X-Do" is "tag" -> tag "X-Rule: two: 2"
after-tag: header "X-Do" is "tag" -> requiretls
none: header "X-Do" is "none" -> none
after-none: header "X-Do" is "none" -> requiretls
END
    ok(Flags::read_rules($rules), 'rules with all actions are read');
    my $smtp = Flags::session();
    my $n = 0;
    my @replies = map { my @to = @$_[6 .. $#$_]; $smtp->transmit({ name => 'action' . ++$n, header => $_->[1], to => @to ? \@to : ['a@remote.test', 'h@home.test'] }) } @actions;
    my $held = Flags::held();
    $n = 0;
    for my $action (@actions) {
        my ($what, undef, $reply, $recipients, $record, $tags) = @$action;
        my $got = $held->{ 'action' . ++$n } // { rcpt => {}, header => '' };
        like($replies[$n - 1], $reply, "$what: the reply");
        is(Flags::recipients($got), $recipients, "$what: recipients");
        is(Flags::record($got), $record, "$what: our header field");
        is(join('|', $got->{header} =~ /^X-Rule: (.*)$/mg), $tags, "$what: header fields that rules add");
    }
    Flags::forget_held();
    return;
}

# No rule is about these but the strict one about attachments: they are taken in, in bounded time.
sub hostile {
    ok(Flags::read_rules(qq(name: attachment.name contains "exe" or body contains "nautilus" -> requiretls\nloose: body matches "^(?:a|aa|aaa)+\$" -> tls-optional\n)), 'rules about bodies');
    my $lines = "--b0\n\n" x 40000;
    my %mails = (
        'a boundary in each line' => { header => deep_header(0), body => $lines },
        'boundaries that begin alike' => { header => deep_header(0) , body => join '', map { "--b0$_\n\n" } 1 .. 20000 },
        'a boundary without end' => { header => 'Content-Type: multipart/mixed; boundary="' . 'b' x 5000 . "\n", body => $lines },
        'no boundary' => { header => "Content-Type: multipart/mixed\n", body => $lines },
        'an unknown encoding' => { header => "Content-Transfer-Encoding: x-" . 'y' x 900 . "\nContent-Type: text/plain; charset=" . 'z' x 800 . "\n" },
        'an unknown charset' => { header => "Content-Type: text/plain; charset=x-nonesuch\n", body => "n a u t i l u s\n" },
        'broken base64' => { header => "Content-Transfer-Encoding: base64\n", body => "====\n\x00\xff!!!\n" x 10000 },
        'encoded words without end' => { header => 'Subject: ' . '=?utf-8?b?' x 80 . "\n" . join('', map { ' ' . '=?utf-8?q?=F' x 60 . "\n" } 1 .. 60) },
        'a thousand header fields' => { header => join '', map { "X-Many-$_: $_\n" } 1 .. 1000 },
        'a line of a megabyte' => { body => 'y' x (1 << 20) . "\n" },
        'all octets' => { body => join('', map { chr } 1 .. 9, 11, 12, 14 .. 255) . "\n" },
        'messages in messages' => { header => "Content-Type: message/rfc822\n", body => "Content-Type: message/rfc822\n\n" x 500 },
        'a catastrophic expression, not strict' => { body => 'a' x 3000 . "b\n" },
    );
    my $smtp = Flags::session();
    my ($n, %number) = (0);
    for my $what (sort keys %mails) {
        my $begin = Nodes::processor('milter');
        $number{$what} = 'hostile' . ($n + 1);
        like($smtp->transmit({ to => ['a@remote.test'], name => 'hostile' . ++$n, %{ $mails{$what} } }), qr/^250/, "$what: taken in");
        cmp_ok(Nodes::processor('milter') - $begin, '<', 30, "$what: in bounded time");
    }
    my $held = Flags::held();
    is(Flags::recipients($held->{ $number{'a catastrophic expression, not strict'} }), 'a@remote.test', 'a catastrophic expression: what is not strict does not fit');
    is(Flags::recipients($held->{ $number{$_} }), 'a+requiretls@remote.test', "$_: what is strict fits, as it cannot be told")
        for 'a boundary without end', 'an unknown charset';
    Flags::forget_held();
    return;
}

# --- rules that change, and rules that are wrong ---

# How a message is flagged now, by a session of its own
my $looks = 0;

sub flagged_by {
    my $name = 'look' . ++$looks;
    Flags::session()->transmit({ name => $name, to => ['a@remote.test'], header => "X-Try: 1\n" . ($_[0] // '') });
    my $got = Flags::held()->{$name};
    Flags::forget_held();
    return Flags::record($got) =~ /rule=([\w-]+)/ ? $1 : 'none';
}

sub logged {
    my ($fits) = @_;
    return ok(Lab::until_true(sub { grep { $_ =~ $fits } Nodes::log_of('milter') }), "the log has $fits") || diag(join "\n", Nodes::log_of('milter'));
}

sub edits {
    ok(Flags::read_rules(qq(first: header "X-Try" is "1" -> requiretls\n)), 'an edit is read');
    is(flagged_by(), 'first', 'and goes');
    ok(Flags::read_rules(qq(# now\nsecond: header "X-Try" is "1" -> requiretls\n)), 'another one is read');
    is(flagged_by(), 'second', 'and goes');
    my @wrong = ([qq(third: header "X-Try" is "1" -> requiretls\nfourth: header "X-Try" was "1" -> none\n), qr/line 2: column \d+: /],
        [qq(own: header "X-Try" is "1" -> none\n), qr/own/], [qq(twice: size > 1 -> none\ntwice: size > 2 -> none\n), qr/twice/]);
    for (@wrong) {
        my ($text, $why) = @$_;
        Flags::put_rules($text);
        logged($why);
        is(flagged_by(), 'second', 'rules that cannot be read: none of them goes, those before do');
    }
    ok(Flags::read_rules(qq(third: header "X-Try" is "1" -> requiretls\n)), 'mended rules are read');
    is(flagged_by(), 'third', 'and go');
    my ($status, $out, $err) = Flags::ctl('rules', 'add', '--first', 'shell: header "X-Try" is "1" -> requiretls');
    is($status, 0, 'posternctl adds a rule before it') or diag($err);
    is(Lab::until_true(sub { my $by = flagged_by(); $by eq 'shell' && $by }), 'shell', 'which goes now');
    is((Flags::ctl('rules', 'del', 'shell'))[0], 0, 'and takes it out again');
    is(Lab::until_true(sub { my $by = flagged_by(); $by eq 'third' && $by }), 'third', 'so that the one behind it goes');
    $Flags::edits += 2;
    Nodes::redis('FLUSHALL');
    sleep 1;
    is(flagged_by(), 'third', 'a Redis that was emptied: the rules that are known go on');
    ok(Flags::read_rules(''), 'rules taken out, as an edit does it');
    is(flagged_by(), 'none', 'are gone');
    is(flagged_by("X-Own: yes\n"), 'own', 'those of the configuration are not');
    reload();
    return;
}

sub reload {
    my $before = () = Nodes::log_of('milter');
    Flags::configure(rules => q({'own: header "X-Own" is "yes" -> requiretls', 'wrong: header X-Try is "1" -> requiretls'}));
    Nodes::signal('milter', 'HUP');
    ok(Lab::until_true(sub { my @log = Nodes::log_of('milter'); grep { /postern\.conf:\d+: rules: rule 2: / } @log[$before .. $#log] }), 'reload with a wrong rule: the log names it');
    is(flagged_by("X-Own: yes\n"), 'own', 'the rules before go on');
    Flags::configure(rules => q({'renewed: header "X-Own" is "yes" -> requiretls'}));
    Nodes::signal('milter', 'HUP');
    is(Lab::until_true(sub { my $by = flagged_by("X-Own: yes\n"); $by eq 'renewed' && $by }), 'renewed', 'reload with mended rules: they go');
    return;
}

sub wrong_at_start {
    Nodes::stop('milter', 'KILL');
    my @wrong = ([q({'nonsense'}), qr/nonsense|rules/], [q({'a: size > 1 -> none', 'a: size > 2 -> none'}), qr/\ba\b/], [q~{'a: body matches "(" -> requiretls'}~, qr/column/],
        [q({'a: header "X" is "1" -> tag "no colon"'}), qr/HEADER|column/]);
    for (@wrong) {
        my ($rules, $why) = @$_;
        Flags::configure(rules => $rules);
        my ($status, $said) = Flags::start_in_vain();
        ok($status != 0 && $status < 124, "$rules: refused at the start") or diag("status $status");
        like($said, $why, "$rules: and says why");
        like($said, qr/postern\.conf:\d+|line \d+/, "$rules: and where") or diag($said);
    }
    return;
}
