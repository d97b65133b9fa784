#!/usr/bin/perl
# The world changes while Postern runs: policies, records, policy hosts and DNSSEC come, go and break. Every state is
# shown on real mail. What was enforced stays so until its owner says otherwise, or its time is over.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Lab;
use Test::More;

# What Postern answers
my $mx1 = qr/^OK secure match=mx1\.changes\.test servername=hostname$/;
my $mx2 = qr/^OK secure match=mx2\.changes\.test servername=hostname$/;
my $dane = qr/^OK dane-only$/;
my $none = qr/^NOTFOUND$/;
my $temp = qr/^TEMP /;

# What becomes of the mail: sent, and the sender's log; or held, and the reason
my @verified = (sent => qr/Verified TLS connection established to mx/);
my @untrusted = (sent => qr/Untrusted TLS connection established to/);
my @not_verified = (held => qr/Server certificate not verified/);
my @no_host = (held => qr/Host not found, try again/);
my @no_answer = (held => qr/client TLS configuration problem/);

# A scenario: the domain, the checks that it covers, and steps, which all scenarios go through side by side.
# A step: text, changes, answer, what becomes of the mail, and after that in any order
#     why => PATTERN    among the reasons
#     fresh => 1        a person has everything looked up again, policy included
#     ends => 1         the policy of before goes with its time, and not sooner
my @begin = ('as it begins', [], $mx1, @verified);
my @intruder = ('an MX host that the policy does not let pass', [mx('bad')], $mx1, @not_verified);

my @scenarios = (
    ['change-id.test', 'A8', [@begin],
        ['a new id, and a policy of another MX host', [policy('enforce', 'mx2'), id(2)], $mx2, @not_verified],
        ['the MX record follows', [mx('mx2')], $mx2, @verified]],
    ['change-same-id.test', 'A8', [@begin],
        ['another policy under the same id is not looked at', [policy('enforce', 'mx2')], $mx1, @verified],
        ['until the id changes', [id(2)], $mx2, @not_verified]],
    ['change-refresh.test', 'A9', [@begin],
        ['another policy under the same id is seen when the old one ages', [policy('enforce', 'mx2')], $mx2, @not_verified]],
    ['change-withdrawn.test', 'A2', [@begin],
        ['record and policy are gone', [no_record(), no_policy()], $mx1, @verified, why => qr/MTA-STS: no record/],
        [@intruder]],
    ['change-expired.test', 'A2 A8', [@begin],
        ['record and policy are gone, and max_age is over', [no_record(), no_policy()], $none,
            sent => qr/Trusted TLS connection established to mx1/, ends => 1],
        ['an MX host that the policy did not let pass', [mx('bad')], $none, @untrusted]],
    ['change-none.test', 'A7', [@begin], ['a policy of mode none', [policy('none', 'mx1'), id(2), mx('bad')], $none, @untrusted]],
    ['change-testing.test', 'A7', [@begin],
        ['a policy of mode testing', [policy('testing', 'mx1'), id(2), mx('bad')], $none, @untrusted],
        ['back to enforce', [policy('enforce', 'mx1'), id(3)], $mx1, @not_verified]],
    ['change-404.test', 'A8', [@begin],
        ['the policy is gone', [no_policy()], $mx1, @verified, fresh => 1, why => qr/fetch failed: .*HTTP status 404/],
        [@intruder]],
    ['change-garbage.test', 'A8', [@begin],
        ['the policy is garbage', [garbage()], $mx1, @verified, fresh => 1, why => qr/fetch failed: sts-policy-invalid/],
        [@intruder]],
    ['change-nohost.test', 'A8', [@begin],
        ['the policy host has no address', [remove('mta-sts')], $mx1, @verified, fresh => 1, why => qr/has no address/],
        [@intruder]],
    ['change-cert.test', 'A3 A8', [@begin],
        ['the policy host has a bad certificate', [bad_certificate()], $mx1, @verified, fresh => 1,
            why => qr/fetch failed: sts-webpki-invalid/],
        [@intruder]],
    ['change-id-404.test', 'A8', [@begin],
        ['a new id, but the policy is gone', [id(2), no_policy()], $mx1, @verified, why => qr/fetch failed: .*HTTP status 404/],
        [@intruder],
        ['the new policy is there', [policy('enforce', 'mx2'), mx('mx2')], $mx2, @verified]],
    ['change-invalid.test', 'A1 A2', [@begin],
        ['the record has no id', [zone(sub { s/; id=1/;/ })], $mx1, @verified, why => qr/no valid record/], [@intruder]],
    ['change-doubled.test', 'A1 A2', [@begin],
        ['a second record', [add('_mta-sts TXT "v=STSv1; id=2"')], $mx1, @verified, why => qr/no valid record/], [@intruder]],
    ['change-record.test', 'A2', [@begin],
        ['the record is bogus', [signatures('broken:TXT')], $mx1, @verified, why => qr/cannot be looked up now/],
        ['and an MX host that the policy does not let pass', [mx('bad'), signatures('broken:TXT')], $mx1, @not_verified,
            why => qr/cannot be looked up now/]],
    ['change-unknown.test', 'A2',
        ['the record is bogus, and nothing known before', [signatures('broken:TXT')], $temp, @no_answer],
        ['it is signed', [signatures('signed')], $mx1, @verified, fresh => 1]],
    ['change-refused.test', 'A2 B-3', [@begin],
        ['the resolver refuses the whole domain', [refused()], $mx1, @no_host, why => qr/cannot be looked up now/],
        ['it does no more', [refused_no_more()], $mx1, @verified, fresh => 1]],
    ['change-bogus.test', 'A2 B-3', [@begin],
        ['the whole domain is bogus', [signatures('expired')], $mx1, @no_host, why => qr/cannot be looked up now/],
        ['it is signed again', [signatures('signed')], $mx1, @verified, fresh => 1]],
    ['change-dane-bogus.test', 'B-3', ['as it begins', [], $dane, @verified],
        ['the whole domain is bogus', [signatures('expired')], $temp, @no_host, why => qr/DANE went for the domain before/],
        ['it is signed again', [signatures('signed')], $dane, @verified, fresh => 1]],
    ['change-dane-key.test', 'B-6', ['as it begins', [], $dane, @verified],
        ['TLSA of another key', [zone(sub { s/TLSA 3 1 1 .*/'TLSA 3 1 1 ' . '0' x 64/e })], $dane, @not_verified]],
    ['change-dane-gone.test', 'B-3 B-6', ['as it begins', [], $dane, @verified],
        ['the TLSA records are gone, as DNSSEC proves', [remove('_25\S*')], $none, @untrusted]],
);

my %waiting;    # by domain: the addresses for which mail is held
my %expires;    # by domain: the end of the policy that was seen last
for my $i (1 .. 3) {
    my @now = map { { domain => $_->[0], step($_->[1], $_->[1 + $i]) } } grep { $_->[1 + $i] } @scenarios;
    change(@now);
    settle($_) for @now;
    $_->{to} = Lab::send_mail($_->{domain}) for @now;
    Lab::capture('postqueue', '-f') if $i > 1;
    check($_) for @now;
}
done_testing();

sub step {
    my ($checks, $step) = @_;
    my ($text, $changes, $answer, @rest) = @$step;
    return (text => "$text ($checks)", changes => $changes, answer => $answer, @rest);
}

# Makes the changes of all and has them served.
sub change {
    my @zones;
    for my $step (@_) {
        my @kinds = map { $_->($step->{domain}) } @{ $step->{changes} };
        push @zones, "$step->{domain}=$kinds[-1]" if @kinds;
    }
    my ($status, undef, $err) = @zones ? Lab::capture('zones-changed', @zones) : 0;
    die "zones-changed: $err" if $status;
    my $now = time;
    $_->{since} = $now for @_;
    $_->{fresh} && Lab::capture('posternctl', 'resolve', '--fresh', $_->{domain}) for @_;
    return;
}

# Until Postern has looked since the change, and says what it should. Looked within the second of the change may be
# before the change.
sub settle {
    my ($step) = @_;
    my $got;
    Lab::until_true(sub {
        $got = Lab::explain($step->{domain});
        $expires{ $step->{domain} } = $got->{record}{sts}{policy}{expires} // $expires{ $step->{domain} };
        my $looked = ref $got->{record} && $got->{record}{resolved} > $step->{since};
        return $looked && $got->{answer} =~ s/\s+$//r =~ $step->{answer};
    });
    my $name = "$step->{domain}: $step->{text}";
    like($got->{answer} =~ s/\s+$//r, $step->{answer}, "$name: what is decided");
    cmp_ok($got->{record}{resolved}, '>', $step->{since}, "$name: after a look at what it is now");
    like(join("\n", @{ $got->{reasons} }), $step->{why}, "$name: why") if $step->{why};
    cmp_ok($got->{record}{resolved}, '>=', $expires{ $step->{domain} }, "$name: not before its time") if $step->{ends};
    like(Lab::answer($step->{domain}), $step->{answer}, "$name: what Postfix is told");
    return;
}

sub check {
    my ($step) = @_;
    my ($domain, $to) = @$step{qw(domain to)};
    return check_sent($step) if $step->{sent};
    my $got = Lab::outcome($to) || { status => 'no verdict', reason => '' };
    is($got->{status}, 'deferred', "$domain: $step->{text}: held");
    like($got->{reason}, $step->{held}, "$domain: $step->{text}: for the right reason");
    ok(!Lab::mailbox($to), "$domain: $step->{text}: nothing was delivered");
    push @{ $waiting{$domain} }, $to;
    return;
}

# The message, and those that waited until now
sub check_sent {
    my ($step) = @_;
    for my $to ($step->{to}, splice @{ $waiting{ $step->{domain} } //= [] }) {
        my $name = "$step->{domain}: $step->{text}" . ($to eq $step->{to} ? '' : ', a message that waited');
        my $got = Lab::outcome($to, $to eq $step->{to} ? undef : 'sent') || { status => 'no verdict', reason => '', lines => [] };
        is($got->{status}, 'sent', "$name: sent") or diag($got->{reason});
        like(join("\n", @{ $got->{lines} }), $step->{sent}, "$name: as it should");
        my $message = Lab::until_true(sub { Lab::mailbox($to) }) || '';
        is(Lab::transport_of($message), 'TLSv1.3', "$name: received over TLS");
    }
    return;
}

# --- changes: subs that take the domain, and return how its zone is to be signed anew, or nothing ---

sub spew {
    my ($file, @text) = @_;
    open my $out, '>', $file or die "$file: $!";
    print $out @text;
    close $out or die "$file: $!";
    return;
}

# The sub finds the zone in $_.
sub zone {
    my ($how) = @_;
    return sub {
        my $file = "$Lab::DIR/zones/$_[0].zone";
        local $_ = join "\n", Lab::lines($file), '';
        $how->();
        spew($file, $_);
        return 'signed';
    };
}

sub mx { my ($host) = @_; return zone(sub { s/^\@ MX .*/\@ MX 10 $host.changes.test./m }) }
sub id { my ($id) = @_; return zone(sub { s/; id=\w+/; id=$id/ }) }
sub add { my ($line) = @_; return zone(sub { $_ .= "$line\n" }) }
sub remove { my ($name) = @_; return zone(sub { s/^$name .*\n//mg }) }
sub no_record { return remove('_mta-sts') }
sub signatures { my ($kind) = @_; return sub { $kind } }

sub policy {
    my ($mode, $host) = @_;
    my @line = ('version: STSv1', "mode: $mode", "mx: $host.changes.test", 'max_age: 86400');
    return sub { spew("$Lab::DIR/web/$_[0].txt", map { "$_\r\n" } @line) };
}

sub garbage { return sub { spew("$Lab::DIR/web/$_[0].txt", "<html>\n") } }

sub no_policy {
    return sub {
        unlink "$Lab::DIR/web/$_[0].txt" or die "$_[0]: $!";
        return;
    };
}

# The policy host gets the certificate of another name.
sub bad_certificate {
    return sub {
        my $certs = "$Lab::DIR/certs";
        my $url = "https://mta-sts.$_[0]/";
        my @command = ('curl', '--silent', '--output', '/dev/null', '--cacert', "$certs/ca.pem", $url);
        spew("$certs/mta-sts.$_[0].pem", map { "$_\n" } Lab::lines("$certs/snakeoil.pem"));
        my $before = nginx_workers();
        Lab::capture('nginx', '-c', "$Lab::DIR/web/nginx.conf", '-e', "$Lab::DIR/log/nginx.log", '-s', 'reload');
        Lab::until_true(sub { my $now = nginx_workers(); $now =~ /^\d+$/ && $now ne $before });    # the one of before takes connections as long as it is there
        Lab::until_true(sub { (Lab::capture(@command))[0] }) or die "nginx keeps its certificate";
        return;
    };
}

sub nginx_workers {
    my ($master) = Lab::lines("$Lab::DIR/web/nginx.pid");
    return join ' ', map { split } Lab::lines("/proc/$master/task/$master/children");
}

sub refused { return sub { unbound('local_zone', $_[0], 'refuse') } }
sub refused_no_more { return sub { unbound('local_zone_remove', $_[0]) } }

sub unbound {
    my ($status, $out) = Lab::capture('unbound-control', '-c', "$Lab::DIR/unbound.conf", @_);
    die "unbound-control @_: $out" if $status;
    return;
}
