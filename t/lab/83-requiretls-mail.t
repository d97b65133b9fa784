#!/usr/bin/perl
# Flagged mail of every kind on its whole way, to hosts with a real Postfix behind them: what arrives, and how often; and recipients of one message, each with
# its own fate; and that no relay host has a say. S4, S8 to S10, B1, M10; RFC 3461, 6152, 6531. The wire is watched as in 80-requiretls.t.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use FindBin;
use lib $FindBin::Bin;
use Lab;
use Flags;
use Nodes;
use Relayed;
use Wire;
use Test::More;

my ($MARK, $CONTROL) = ('quite-private-matter', 'for-all-to-be-read');
my @BEHIND = ('rt-sts.test', 'rt-dane.test', 'rt-dnssec.test');    # a real Postfix is behind these
my $umlauts = "\xc3\xbc";

# The name of a message and what it is like
my %mail = (
    usual => { to => [map { "usual+requiretls\@$_" } @BEHIND], marked => $MARK },
    mixed => { to => ['mixed+requiretls@rt-sts.test', map({ "mixed\@$_" } 'rt-dane.test', 'rt-self.test', 'rt-without.test', 'rt-down.test', 'rt-mail450.test', 'rt-end450.test', 'sts-good.test', 'home.test'),
            map({ "$_\@rt-dnssec.test" } 'r550', 'r450', 'mixed'), 'hush@rt-down.test NOTIFY=NEVER'], marked => $MARK },
    eight => { to => ['eight+requiretls@rt-sts.test', 'eight@rt-bare.test'], parameters => 'BODY=8BITMIME', body => "$MARK gr\xfc\xdfe\n\xff\xfe\x80\n", header => "Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: 8bit\n" },
    undeclared => { to => ['undeclared+requiretls@rt-dane.test'], body => "$MARK gr\xfc\xdfe\n" },
    utf => { to => ["$umlauts+requiretls\@rt-sts.test", "$umlauts\@rt-bare.test"], parameters => 'BODY=8BITMIME SMTPUTF8', header => "Subject: gr$umlauts$umlauts\n", body => "$MARK $umlauts\n" },
    dots => { to => ['dots+requiretls@rt-dane.test'], body => "$MARK\n.\n..\n.a\n...\n\n.\n" },
    stray => { to => ['stray+requiretls@rt-dane.test'], body => "$MARK a\rb\n" },
    long => { to => ['long+requiretls@rt-dnssec.test'], body => $MARK . 'x' x 900 . "\n" },
    empty => { to => ['empty+requiretls@rt-dnssec.test'], body => '' },
    dsn => { to => ['dsn+requiretls@rt-sts.test NOTIFY=SUCCESS,DELAY ORCPT=rfc822;first+2Bx@first.test', 'dsn2@rt-sts.test NOTIFY=NEVER', 'dsn3@rt-bare.test NOTIFY=SUCCESS', 'dsn4@home.test NOTIFY=SUCCESS'], parameters => 'RET=FULL ENVID=QQ+2B7', marked => $MARK },
    quiet => { to => ['quiet+requiretls@rt-self.test NOTIFY=NEVER', 'late@rt-self.test NOTIFY=DELAY'], marked => $MARK },
    large => { to => ['large+requiretls@rt-large.test'], parameters => 'SIZE=' . (51 << 20), body => join('', map { "$_ $MARK " . 'y' x 40 . "\n.and a dot\n" } 1 .. 640_000) },
    control => { to => ['u@plain.test'], marked => $CONTROL },
);
# What becomes of the recipients; those that are flagged, without the tag, by message
my %fate = (
    usual => { map { ("usual\@$_" => '2.0.0') } @BEHIND },
    mixed => { 'mixed@rt-sts.test' => '2.0.0', 'mixed@rt-dane.test' => '2.0.0', 'mixed@rt-dnssec.test' => '2.0.0', 'mixed@home.test' => '2.0.0', 'mixed@rt-self.test' => '5.7.10', 'mixed@rt-without.test' => '5.7.30',
        'mixed@sts-good.test' => '5.7.30', 'mixed@rt-down.test' => '4.4.1', 'mixed@rt-mail450.test' => '4.3.0', 'mixed@rt-end450.test' => '4.7.1', 'r550@rt-dnssec.test' => '5.1.1', 'r450@rt-dnssec.test' => '4.1.1',
        'hush@rt-down.test' => '4.4.1' },
    eight => { 'eight@rt-sts.test' => '2.0.0', 'eight@rt-bare.test' => '5.6.3' },
    undeclared => { 'undeclared@rt-dane.test' => '2.0.0' },
    utf => { "$umlauts\@rt-sts.test" => '2.0.0', "$umlauts\@rt-bare.test" => '5.6.7' },
    dots => { 'dots@rt-dane.test' => '2.0.0' }, stray => { 'stray@rt-dane.test' => '2.0.0' }, long => { 'long@rt-dnssec.test' => '2.0.0' }, empty => { 'empty@rt-dnssec.test' => '2.0.0' }, bare => { 'bare@rt-dane.test' => '2.0.0' },
    dsn => { 'dsn@rt-sts.test' => '2.0.0', 'dsn2@rt-sts.test' => '2.0.0', 'dsn3@rt-bare.test' => '2.0.0', 'dsn4@home.test' => '2.0.0' },
    quiet => { 'quiet@rt-self.test' => '5.7.10', 'late@rt-self.test' => '5.7.10' },
    large => { 'large@rt-large.test' => '2.0.0' },
    control => { 'u@plain.test' => '2.0.0' },
);

# Who waits is told of at once
Lab::capture('postconf', '-c', '/etc/postfix-flag', 'delay_warning_time = 1s');
Lab::capture('touch', '-d', '1 minute ago', '/etc/postfix-flag/main.cf');
Relayed::begin();
Wire::start($_, $MARK, $CONTROL) for 'client', 'mx';
like(Relayed::mail({ name => $_, %{ $mail{$_} } }), qr/^250/, "$_: taken in") for sort keys %mail;
is(Flags::submit({ name => 'bare', hold => 0, to => ['bare+requiretls@rt-dane.test'], body => "$MARK: no final newline" }), 0, 'no final newline: taken in');
fates();
arrives_whole();
parameters();
large();
reports();
Relayed::never_unprotected();
past_relay_hosts();
by_unix_socket();
own_name();
Wire::is_clean($_, $MARK, $CONTROL) for 'client', 'mx';
Lab::capture('postconf', '-c', '/etc/postfix-flag', '-X', 'delay_warning_time');
my ($relayd, $milter) = Relayed::finish();
is($relayd, 0, 'relayd ends well');
is($milter, 0, 'the milter ends well');
done_testing();

sub fates {
    my $got = {};
    my $count = 0;
    $count += keys %$_ for values %fate;
    Lab::until_true(sub {
        my $outcomes = Relayed::outcomes();
        $got = {};
        for my $name (keys %$outcomes) { $got->{$name}{ s/\+requiretls(?=@)//r } = $outcomes->{$name}{$_} for keys %{ $outcomes->{$name} } }
        return $count <= map { keys %$_ } values %$got;
    }, 120);
    for my $name (sort keys %fate) {
        is_deeply({ map { $_ => $got->{$name}{$_}{dsn} } keys %{ $got->{$name} } }, $fate{$name}, "$name: each recipient its own fate") or diag(explain($got->{$name}));
        my %by = map { $got->{$name}{$_}{by} => 1 } grep { !/home\.test$/ } keys %{ $fate{$name} };
        is(join(' ', keys %by), $name eq 'control' ? 'smtp' : 'requiretls/lmtp', "$name: the way");
    }
    my ($queue, $wanted) = ('', join ' ', sort map { my $mail = $_; map { s/@/+requiretls@/r } grep { $mail->{$_} =~ /^4/ } keys %$mail } values %fate);
    Lab::until_true(sub { ($queue = join ' ', sort keys %{ Relayed::queue() }) eq $wanted });
    is($queue, $wanted, 'what is to wait does, and nothing else');
    return;
}

# The bodies of the messages of that name in the mailboxes of a domain
sub bodies {
    my ($name, $domain) = @_;
    my @texts = grep { /^X-Name: \Q$name\E$/m && !/^Content-Type: multipart\/report/m } map { local (@ARGV, $/) = $_; scalar <> } glob "$Lab::DIR/mail/$domain/new/*";
    return map { s/^.*?\n\n//sr } @texts;
}

sub arrives_whole {
    my %where = (eight => ['rt-sts.test'], undeclared => ['rt-dane.test'], utf => ['rt-sts.test'], dots => ['rt-dane.test'], stray => ['rt-dane.test'], long => ['rt-dnssec.test'], empty => ['rt-dnssec.test'], bare => ['rt-dane.test'], usual => \@BEHIND,
        mixed => [@BEHIND, 'home.test'], dsn => ['rt-sts.test']);
    my %becomes = (bare => "$MARK: no final newline\n", stray => "$MARK a b\n");    # a CR alone is Postfix's to mend
    for my $name (sort keys %where) {
        my $body = $becomes{$name} // Relayed::message($mail{$name})->{body};
        for my $domain (@{ $where{$name} }) {
            my @want = ($body) x ($name eq 'dsn' ? 2 : 1);
            my @got;
            Lab::until_true(sub { @got = bodies($name, $domain); @got >= @want });
            is_deeply(\@got, \@want, "$name: in the mailbox of $domain, whole, and once");
        }
    }
    is(join(' ', map { "$_->[0] $_->[1]" } grep { bodies(@$_) } ['eight', 'rt-bare.test'], ['utf', 'rt-bare.test'], map { ['mixed', $_] } 'sts-good.test', 'rt-self.test', 'rt-without.test', 'rt-down.test'), '', 'and nowhere else');
    return;
}

# What servers are told, S7
sub parameters {
    my $under = join "\n", Relayed::said('mx.rt-sts.test', 'under');
    like($under, qr/^MAIL FROM:<sender\@home\.test> REQUIRETLS SIZE=\d+ RET=HDRS ENVID=QQ\+2B7$/m, 'RET is HDRS, and ENVID stays, B1');
    like($under, qr/^RCPT TO:<dsn\@rt-sts\.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;first\+2Bx\@first\.test$/m, 'NOTIFY and ORCPT stay');
    like($under, qr/^RCPT TO:<dsn2\@rt-sts\.test> NOTIFY=NEVER ORCPT=rfc822;dsn2\@rt-sts\.test$/m, 'NOTIFY=NEVER');
    like($under, qr/^MAIL FROM:<sender\@home\.test> REQUIRETLS SIZE=\d+ BODY=8BITMIME(?! SMTPUTF8)/m, 'BODY');
    like($under, qr/^MAIL FROM:<sender\@home\.test> REQUIRETLS SIZE=\d+ BODY=8BITMIME SMTPUTF8/m, 'SMTPUTF8');
    like($under, qr/^RCPT TO:<$umlauts\@rt-sts\.test>/m, 'an address that is not ASCII');
    my $bare = join "\n", Relayed::said('mx.rt-bare.test', 'under');
    like($bare, qr/^MAIL FROM:<sender\@home\.test> REQUIRETLS\nRCPT TO:<dsn3\@rt-bare\.test>\n/m, 'without DSN nothing of it is said');
    is(scalar(() = $bare =~ /^MAIL/mg), 1, 'what a host cannot take is not offered to it');
    return;
}

sub large {
    my ($seen) = Relayed::said('mx.rt-large.test', 'message');
    my ($file) = glob "$Lab::DIR/scripted/mx.rt-large.test.*.0";
    my $text = do { local (@ARGV, $/) = $file; <> } // '';
    unlink $file;
    is($seen, length($text) . ' ' . sha256_hex($text), '50 MB: octets and digest');
    $text =~ s/^.*?\r\n\r\n//s;
    $text =~ s/^\.//mg;
    my $want = $mail{large}{body} =~ s/\n/\r\n/gr;
    is(length $text, length $want, '50 MB: all of its text');
    is(sha256_hex($text), sha256_hex($want), '50 MB: as it was');
    my ($said) = grep { /^MAIL/ } Relayed::said('mx.rt-large.test', 'under');
    my ($size) = ($said // '') =~ /SIZE=(\d+)/;
    cmp_ok($size // 0, '>=', length $want, '50 MB: SIZE');
    return;
}

# The recipients that reports of this kind are about
sub about {
    my ($action, @reports) = @_;
    return join ' ', sort map { /^Original-Recipient: rfc822;(\S+)\nAction: $action$/mg } @reports;
}

sub reports {
    my $reports = {};
    Lab::until_true(sub { $reports = Relayed::reports(); 5 <= map { @$_ } values %$reports });
    is(join(' ', map { ($_) x @{ $reports->{$_} } } sort keys %$reports), 'dsn eight mixed mixed utf', 'as many reports as are wanted');
    is(about('failed', @{ $reports->{mixed} }), 'mixed@rt-self.test mixed@rt-without.test mixed@sts-good.test r550@rt-dnssec.test', 'mixed: about those that could not go, and no other');
    is(about('delayed', @{ $reports->{mixed} }), 'mixed@rt-down.test mixed@rt-end450.test mixed@rt-mail450.test r450@rt-dnssec.test', 'mixed: about those that wait, but for one who is not to be told of');
    is(about('delivered', @{ $reports->{dsn} }), 'dsn4@home.test', 'dsn: about our own; of the others the next server tells');
    unlike(join('', map { @$_ } values %$reports), qr/$MARK-secret|gr\xfc\xdfe|$MARK $umlauts/, 'none has a text, B1');
    return;
}

sub transport_maps { return (Lab::capture('postconf', '-c', '/etc/postfix-flag', '-h', 'transport_maps'))[1] =~ s/\n//r }

# Postfix with another setting; a session with it
sub with_setting {
    Lab::capture('postconf', '-c', '/etc/postfix-flag', '-e', join ' = ', @_);
    Lab::capture('touch', '-d', '1 minute ago', '/etc/postfix-flag/main.cf');
    Lab::capture('postfix', 'stop');
    Nodes::stop('flag', 'TERM');
    Flags::start_postfix();
    return Flags::session();
}

# However Postfix is told to hand its mail to another host: that host gets what is not flagged, and never what is, though it offers REQUIRETLS. S10
sub past_relay_hosts {
    my ($to) = map { /^mx\.rt-plain\.test\. A (\S+)/ ? "[$1]:25" : () } Lab::lines("$Lab::DIR/zones/rt-plain.test.zone");
    my $ours = transport_maps();
    my %way = (relayhost => $to, default_transport => "smtp:$to", transport_maps => "$ours, regexp:{ {/\@rt-sts\\.test\$\$/ smtp:$to} }",
        sender_dependent_relayhost_maps => "inline:{ {sender\@home.test = $to} }", sender_dependent_default_transport_maps => "inline:{ {sender\@home.test = smtp:$to} }");
    for my $way (sort keys %way) {
        my $session = with_setting($way, $way{$way});
        my %to = ($way => "$way\@rt-sts.test", "$way-flagged" => "$way+requiretls\@rt-sts.test");
        like($session->transmit(Relayed::message({ name => $_, to => [$to{$_}], $_ eq $way ? () : (marked => $MARK) })), qr/^250/, "$_: taken in") for sort keys %to;
        my $got;
        Lab::until_true(sub { $got = Relayed::outcomes(); 2 == grep { $got->{$_} } keys %to });
        is(join(' ', map { "$got->{$_}{$to{$_}}{by} $got->{$_}{$to{$_}}{status}" } sort keys %to), 'smtp sent requiretls/lmtp sent', "$way: what is flagged goes its own way") or diag(explain($got->{$way}));
        Lab::capture('postconf', '-c', '/etc/postfix-flag', $way eq 'transport_maps' ? ('-e', "$way = $ours") : ('-X', $way));
    }
    is(join(' ', sort map { /^RCPT TO:<([^>]*)>/ ? $1 : () } map { Relayed::said('mx.rt-plain.test', $_) } 'clear', 'under'), join(' ', sort map { "$_\@rt-sts.test" } keys %way), 'the relay host: what is not flagged');
    my $flagged = join '|', map { "$_\@" } keys %way;
    is(scalar(grep { /^RCPT TO:<(?:$flagged)/ } Relayed::said('mx.rt-sts.test', 'under')), 5, 'the MX host: what is');
    return;
}

# relayd on a unix socket where the chrooted lmtp(8) finds it, as doc/requiretls.md has it
sub by_unix_socket {
    my $dir = "$Lab::DIR/flag/spool/postern";
    my $ours = transport_maps();
    Lab::capture('install', '-d', '-o', 'postern', '-g', 'postern', $dir);
    is(Relayed::stop('TERM'), 0, 'relayd ends well');
    Relayed::configure(listen => qq({"inet:127.0.1.1:8689", "unix:$dir/relayd.sock"}));
    Relayed::start();
    my $session = with_setting(transport_maps => 'regexp:{ {/@rt-sts\.test$$/ requiretls:unix:postern/relayd.sock} }, ' . $ours);
    like($session->transmit(Relayed::message({ name => 'by-unix', to => ['by-unix+requiretls@rt-sts.test'], marked => $MARK })), qr/^250/, 'by a unix socket: taken in');
    my $got;
    Lab::until_true(sub { $got = Relayed::outcomes()->{'by-unix'}{'by-unix+requiretls@rt-sts.test'} });
    is("$got->{by} $got->{status}", 'requiretls/lmtp sent', 'by a unix socket: delivered') or diag(explain($got));
    is(scalar(grep { m{to=<by-unix\+requiretls\@rt-sts\.test>, relay=client\.test\[postern/relayd\.sock\]} } Lab::lines("$Lab::DIR/log/flag.log")), 1, 'on that way');
    with_setting(transport_maps => $ours);
    return;
}

# On a host that goes by a short name relayd greets with the whole one of /etc/hosts.
sub own_name {
    for (['127.0.1.1 mail.client.test mail', 'mail.client.test'], ['127.0.1.1 mail', 'mail']) {
        my ($hosts, $wanted) = @$_;
        open my $out, '>', "$Relayed::DIR/hosts" or die;
        print $out "127.0.0.1 localhost\n$hosts\n";
        close $out;
        Relayed::configure(name => '""', listen => '"inet:127.0.0.1:8690"', metrics_listen => '"inet:127.0.0.1:9467"');
        my $greeting;
        my $ready = sub { my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => 8690); $greeting = <$s> if $s; return defined $greeting };
        Nodes::start('named', $ready, 'unshare', '--uts', '--mount', 'sh', '-c',
            "hostname mail && mount --bind $Relayed::DIR/hosts /etc/hosts && exec $ENV{POSTERN_BUILD}/relayd/postern-relayd -f -c $Relayed::CONF");
        is($greeting, "220 $wanted LMTP postern-relayd\r\n", "its own name: $wanted");
        is(Nodes::stop('named', 'TERM'), 0, 'it ends well');
        is(scalar(grep { /short-name name=mail / } Lab::lines("$Lab::DIR/log/named.out")), $wanted eq 'mail' ? 1 : 0, 'who greets with a short name is told');
        truncate "$Lab::DIR/log/named.out", 0;
    }
    return;
}
