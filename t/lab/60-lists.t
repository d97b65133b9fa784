#!/usr/bin/perl
# The operator's lists on real mail: what each does, by which patterns, and what becomes of it when entries come, go and
# end while mail flows.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Lab;
use Test::More;

# What becomes of the mail: how it is received, and the sender's log; or held, and the reason.
my @clear = ('clear', qr/status=sent/);
my @untrusted = ('TLSv1.3', qr/Untrusted TLS connection established/);
my @trusted = ('TLSv1.3', qr/Trusted TLS connection established/);
my @verified = ('TLSv1.3', qr/Verified TLS connection established/);
my @tls12 = ('TLSv1.2', qr/(?:Anonymous|Untrusted) TLS connection established .*: TLSv1\.2 with cipher/);
my @not_verified = ('held', qr/Server certificate not verified/);
my @not_offered = ('held', qr/TLS is required, but was not offered/);
my @no_handshake = ('held', qr/Cannot start TLS: handshake failure/);
my @port465 = ('TLSv1.3', qr/TLS connection established to \S+:465: .*relay=\S+:465, .*status=sent/s);

# The destination, what is shown, its entries (list, pattern, value, options), the answer, what becomes of the mail
my @entries = (
    ['list-exclude.test', 'exclude, by name', [['exclude', 'list-exclude.test']], 'OK none', @clear],
    ['in.list-below.test', 'exclude, by the domain above', [['exclude', '.list-below.test']], 'OK none', @clear],
    ['list-below.test', 'exclude, but not the domain above itself', [], 'NOTFOUND', @untrusted],
    ['list-hosts.test', 'exclude, by its MX hosts', [['exclude', '.mail.lists.test']], 'OK none', @clear],
    ['list-half.test', 'exclude, but not when only one of its MX hosts is on it', [], 'NOTFOUND', @untrusted],
    ['list-near.test', 'exclude, by the network of its MX host', [['exclude', '192.0.2.160/28']], 'OK none', @clear],
    ['list-near6.test', 'exclude, by the network of its MX host, IPv6', [['exclude', '2001:db8:0:0:6::/80']], 'OK none', @clear],
    ['list-near-half.test', 'exclude, but not when only one of its MX hosts is in the network', [], 'NOTFOUND', @untrusted],
    ['list-hop.test', 'exclude, by the next hop in brackets', [['exclude', '[mx.list-hop.test]']], 'OK none', @clear,
        key => '[mx.list-hop.test]'],
    ['list-enforced.test', 'exclude, but MTA-STS binds', [['exclude', 'list-enforced.test']], 'OK secure .*', @verified],
    ['list-override.test', 'exclude, with override', [['exclude', 'list-override.test', '--override']], 'OK none', @clear],
    ['list-dane.test', 'exclude, with override, DANE', [['exclude', 'list-dane.test', '--override']], 'OK none', @clear],

    ['list-encrypt.test', 'require encrypt', [['require', 'list-encrypt.test', 'encrypt']], 'OK encrypt', @untrusted],
    ['list-encrypt-none.test', 'require encrypt, no STARTTLS', [['require', 'list-encrypt-none.test', 'encrypt']], 'OK encrypt',
        @not_offered],
    ['list-verify.test', 'require verify', [['require', 'list-verify.test', 'verify']], 'OK verify', @verified],
    ['list-verify-any.test', 'require verify, bad certificate', [['require', 'list-verify-any.test', 'verify']], 'OK verify',
        @not_verified],
    ['list-secure.test', 'require secure', [['require', 'list-secure.test', 'secure']], 'OK secure', @verified],
    ['list-secure-other.test', 'require secure, MX host in another domain', [['require', 'list-secure-other.test', 'secure']],
        'OK secure', @not_verified],
    ['dane-mixed.test', 'require dane-only, TLSA at the second MX host only', [['require', 'dane-mixed.test', 'dane-only']],
        'OK dane-only', 'TLSv1.3', qr/Verified TLS connection established to mx2/],
    ['list-dane-only.test', 'require dane-only, no DNSSEC', [['require', 'list-dane-only.test', 'dane-only']], 'OK dane-only',
        'held', qr/non DNSSEC destination/],
    ['list-require-host.test', 'require, by one of its MX hosts: the other is passed over',
        [['require', 'required.lists.test', 'encrypt']], 'OK encrypt', 'TLSv1.3', qr/established to required\.lists\.test/],
    ['list-require-near.test', 'require, by the network of its MX host', [['require', '192.0.2.176/28', 'encrypt']], 'OK encrypt',
        @not_offered],
    ['list-require-exclude.test', 'require goes before exclude, even with override',
        [['require', 'list-require-exclude.test', 'encrypt'], ['exclude', 'list-require-exclude.test', '--override']], 'OK encrypt',
        @untrusted],
    ['list-hop-require.test', 'require, by the next hop in brackets', [['require', '[mx.list-hop-require.test]', 'verify']],
        'OK verify', @not_verified, key => '[mx.list-hop-require.test]'],
    ['list-hop-address.test', 'require, by the address in brackets, though its network is excluded',
        [['require', '[192.0.2.161]', 'encrypt']], 'OK encrypt', @untrusted, key => '[192.0.2.161]'],

    ['list-sts.test', 'sts-exclude, but MTA-STS binds', [['sts-exclude', 'list-sts.test']], 'OK secure .*', @not_verified],
    ['list-sts-override.test', 'sts-exclude, with override', [['sts-exclude', 'list-sts-override.test', '--override']], 'NOTFOUND',
        @untrusted],

    ['list-pin-any.test', 'protocols', [['protocols', 'list-pin-any.test', 'TLSv1.2']], 'OK encrypt protocols=TLSv1\.2', @tls12],
    ['list-pin-tls12.test', 'protocols, all that the receiver has', [['protocols', 'list-pin-tls12.test', '<=TLSv1.2']],
        'OK encrypt protocols=<=TLSv1\.2', @tls12],
    ['list-pin-tls13.test', 'protocols, all that the receiver has', [['protocols', 'list-pin-tls13.test', '>=TLSv1.3']],
        'OK encrypt protocols=>=TLSv1\.3', @untrusted],
    ['list-pin-tls12-new.test', 'protocols, too new for the receiver', [['protocols', 'list-pin-tls12-new.test', '>=TLSv1.3']],
        'OK encrypt protocols=>=TLSv1\.3', @no_handshake],
    ['list-pin-tls13-old.test', 'protocols, too old for the receiver', [['protocols', 'list-pin-tls13-old.test', '!TLSv1.3']],
        'OK encrypt protocols=!TLSv1\.3', @no_handshake],
    ['list-pin-none.test', 'protocols, no STARTTLS', [['protocols', 'list-pin-none.test', '>=TLSv1.2']],
        'OK encrypt protocols=>=TLSv1\.2', @not_offered],
    ['list-ciphers.test', 'protocols, and the cipher grade', [['protocols', 'list-ciphers.test', 'TLSv1.2 ciphers=high']],
        'OK encrypt protocols=TLSv1\.2 ciphers=high', @tls12],
    ['sts-good.test', 'protocols, and MTA-STS', [['protocols', 'sts-good.test', 'TLSv1.2']],
        'OK secure match=mx\.sts-good\.test servername=hostname protocols=TLSv1\.2', 'TLSv1.2', qr/Verified TLS .*: TLSv1\.2 with/],
    ['dane-good.test', 'protocols, and DANE', [['protocols', 'dane-good.test', 'TLSv1.2']], 'OK dane-only protocols=TLSv1\.2',
        'TLSv1.2', qr/Verified TLS .*: TLSv1\.2 with/],

    ['list-smtps-never.test', 'not in smtps, and port 25 is closed', [], 'NOTFOUND', 'held', qr/Connection refused/],
    ['list-smtps.test', 'smtps, and port 25 is closed', [['smtps', 'list-smtps.test']], 'OK encrypt', @port465],
    ['in.list-smtps.test', 'smtps, by the domain above', [['smtps', '.list-smtps.test']], 'OK encrypt', @port465],
    ['list-smtps-backup.test', 'smtps, the first MX host has it not', [['smtps', 'list-smtps-backup.test']],
        'OK encrypt', @port465],
    ['list-smtps-exclude.test', 'smtps, and exclude with override: never in plain text',
        [['smtps', 'list-smtps-exclude.test'], ['exclude', 'list-smtps-exclude.test', '--override']], 'OK encrypt', @port465],
    ['list-smtps-host.test', 'smtps, by its MX host', [['smtps', 'mx.list-smtps-host.test']], 'OK encrypt', @port465],
    ['list-smtps-good.test', 'smtps, and MTA-STS', [['smtps', 'list-smtps-good.test']], 'OK secure .*', 'TLSv1.3',
        qr/Verified TLS connection established to \S+:465/],
    ['list-smtps-selfsigned.test', 'smtps, and MTA-STS, bad certificate', [['smtps', 'list-smtps-selfsigned.test']],
        'OK secure .*', @not_verified],

    ['list-local.test', 'local says nothing of mail that goes out', [['local', 'list-local.test']], 'NOTFOUND', @untrusted],
);

# `only` is about all destinations; the entries above are there still.
my @only = (
    ['list-only.test', 'only', [['only', 'list-only.test']], 'NOTFOUND', @untrusted],
    ['list-edited.test', 'not in only', [], 'OK none', @clear],
    ['list-exclude.test', 'only: exclude does not go', [['only', 'list-exclude.test']], 'NOTFOUND', @untrusted],
    ['list-override.test', 'only: exclude with override goes', [], 'OK none', @clear],
    ['example.test', 'not in only, but MTA-STS binds', [], 'OK secure .*', 'TLSv1.3', qr/Verified TLS/],
    ['dane-alias.test', 'not in only, but DANE binds', [], 'OK dane-only', @verified],
    ['list-encrypt.test', 'not in only, but in require', [], 'OK encrypt', @untrusted],
    ['list-smtps.test', 'not in only, but in smtps: never in plain text', [], 'OK encrypt', @port465],
    ['list-half.test', 'only, by one of its MX hosts', [['only', 'mx1.mail.lists.test']], 'NOTFOUND', @untrusted],
);

my @lists = qw(exclude only require sts-exclude protocols smtps inbound-exclude inbound-require local fallback requiretls);
try_entries('', @entries);
overrides_are_logged();
try_entries('only: ', @only);
ctl('list', 'clear', 'only');
try_entries('without only again: ', ['list-edited.test', 'no list', [], 'NOTFOUND', @untrusted]);
an_entry_ends();
edits_while_mail_flows();
ctl('list', 'clear', $_) for @lists;
try_entries('no lists: ', map { [$_->[0], 'as before', [], @$_[1 .. $#$_]] }
    ['list-exclude.test', 'NOTFOUND', @untrusted], ['list-encrypt-none.test', 'NOTFOUND', @clear],
    ['list-smtps.test', 'NOTFOUND', 'held', qr/Connection refused/], ['list-pin-tls12-new.test', 'NOTFOUND', @tls12]);
done_testing();

sub ctl {
    my ($status, $out, $err) = Lab::capture('posternctl', @_);
    is($status, 0, "posternctl @_") or diag($err);
    return $out;
}

sub add_entry {
    my ($list, $pattern, @rest) = @_;
    return ctl('list', 'add', $list, $pattern, map({ split } @rest), '--by', 'anna');
}

# Puts all entries on the lists, waits until they go, sends a message to each destination and looks what becomes of it.
sub try_entries {
    my ($what, @cases) = @_;
    my @now;
    for (@cases) {
        my ($domain, $text, $entries, $answer, $got, $log, %more) = @$_;
        add_entry(@$_) for @$entries;
        push @now, { domain => $domain, name => "$what$domain: $text", entries => $entries, answer => qr/^$answer\s*$/,
            got => $got, log => $log, key => $domain, %more };
    }
    settle($_) for @now;
    $_->{to} = Lab::send_mail($_->{domain}) for @now;
    check($_) for @now;
    return;
}

sub settle {
    my ($case) = @_;
    my $answer;
    Lab::until_true(sub { ($answer = Lab::answer($case->{key})) =~ $case->{answer} });
    like($answer, $case->{answer}, "$case->{name}: the answer");
    my $why = join "\n", @{ Lab::explain($case->{key})->{reasons} };
    for (@{ $case->{entries} }) {
        my ($list, $pattern) = @$_;
        next if $list eq 'local';
        like($why, qr/list $list: \Q$pattern\E.* by anna on \d{4}-\d\d-\d\d/, "$case->{name}: explain names the entry of $list, who added it and when");
    }
    return;
}

sub check {
    my ($case) = @_;
    my $name = $case->{name};
    my $got = Lab::outcome($case->{to}) || { status => 'no verdict', reason => '', lines => [], id => '' };
    my $log = join "\n", @{ $got->{lines} };
    if ($case->{got} eq 'held') {
        is($got->{status}, 'deferred', "$name: held");
        like($got->{reason}, $case->{log}, "$name: for the right reason");
        ok(!Lab::mailbox($case->{to}), "$name: nothing was delivered");
        Lab::forget($got->{id});
        return;
    }
    is($got->{status}, 'sent', "$name: sent") or diag($got->{reason});
    like($log, $case->{log}, "$name: the sender's log");
    my $message = Lab::until_true(sub { Lab::mailbox($case->{to}) }) || '';
    is(Lab::transport_of($message), $case->{got}, "$name: received as $case->{got}") or diag($log);
    return;
}

# Whoever makes an enforced policy weaker shall be found in the log.
sub overrides_are_logged {
    my $log = join "\n", grep { / warning override / } Lab::lines("$Lab::DIR/log/postern-policyd.out");
    like($log, qr/\Q$_\E/, "$_: the override is in policyd's log") for 'list-override.test', 'list-dane.test', 'list-sts-override.test';
    unlike($log, qr/list-exclude\.test|list-enforced\.test/, 'what overrides nothing is not');
    return;
}

sub an_entry_ends {
    add_entry('require', 'list-expires.test', 'dane-only', '--expires 15s');
    settle({ domain => 'list-expires.test', key => 'list-expires.test', name => 'an entry for 15 s', answer => qr/^OK dane-only\s*$/ });
    my $to = Lab::send_mail('list-expires.test');
    my $got = Lab::outcome($to) || { reason => 'no verdict' };
    like($got->{reason}, qr/non DNSSEC destination/, 'an entry for 15 s: the mail is held');
    $got = Lab::outcome($to, 'sent') || { status => 'not sent' };
    is($got->{status}, 'sent', 'and is sent when the entry is over, though nobody has touched the list');
    like(Lab::answer('list-expires.test'), qr/^NOTFOUND/, 'as the answer says, too');
    return;
}

sub edits_while_mail_flows {
    my (@flow, @checked);
    for my $round (1 .. 6) {
        my $on = $round % 2;
        push @flow, map { Lab::send_mail('list-edited.test') } 1 .. 3;
        $on ? add_entry('exclude', 'list-edited.test') : ctl('list', 'del', 'exclude', 'list-edited.test');
        push @flow, map { Lab::send_mail('list-edited.test') } 1 .. 3;
        my $case = { domain => 'list-edited.test', key => 'list-edited.test', entries => [], name => "edit $round while mail flows",
            answer => $on ? qr/^OK none\s*$/ : qr/^NOTFOUND\s*$/, got => $on ? 'clear' : 'TLSv1.3', log => qr/status=sent/ };
        settle($case);
        # Not over a connection that Postfix has kept from the mail before, in clear, and may use where nothing demands TLS
        for (1 .. 5) {
            $case->{to} = Lab::send_mail('list-edited.test');
            my $got = Lab::outcome($case->{to}) || { lines => [] };
            last if !grep { /conn_use=/ } @{ $got->{lines} };
            sleep 3;
        }
        check($case);
    }
    my %how;
    for my $to (@flow) {
        my $message = Lab::until_true(sub { Lab::mailbox($to) });
        $how{ $message ? Lab::transport_of($message) : 'not received' }++;
    }
    is(($how{clear} // 0) + ($how{'TLSv1.3'} // 0), scalar @flow, 'all that was sent meanwhile was received, one way or the other')
        or diag(explain(\%how));
    return;
}
