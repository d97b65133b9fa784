#!/usr/bin/perl
# TLS-Required: No (RFC 8689 5) on real mail: in which forms it goes, for whom, and that it gets mail delivered that a policy would hold;
# never past the flag of a recipient, and never for our own. M3: the field is taken out for those who may not say it.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Lab;
use Flags;
use Relayed;
use MIME::Base64 qw(encode_base64);
use Test::More;

my $yes = ['a+tlsoptional@remote.test h@home.test', 'tls-optional; by=header; recipients=1'];
my $not = ['a@remote.test h@home.test', ''];

# What is shown, the fields, what comes of it; recipients if they are others
my @forms = (
    ['No, R4', "TLS-Required: No\n", $yes],
    ['in any case, R5, M8', "tls-REQUIRED: nO\n", $yes],
    ['folded, M8', "TLS-Required:\n  No\n", $yes],
    ['with comments, M8', "TLS-Required: (not (today))\n No (please)\n", $yes],
    ['with blanks', "TLS-Required:No  \t\n", $yes],
    ['twice the same, M7', "TLS-Required: No\nTLS-Required: no\n", $yes],
    ['two that differ, M7', "TLS-Required: No\nTLS-Required: Yes\n", $not],
    ['two that differ, the other way round, M7', "TLS-Required: maybe\nTLS-Required: No\n", $not],
    ['another value, R5', "TLS-Required: Yes\n", $not],
    ['no value', "TLS-Required:\n", $not],
    ['more than No', "TLS-Required: No; not\n", $not],
    ['a comment without end', "TLS-Required: No (\n", $not],
    ['quoted', "TLS-Required: \"No\"\n", $not],
    ['another field', "X-TLS-Required: No\n", $not],
    ['in the body', "\nTLS-Required: No\n", $not],
    ['a tag wins, M6', "TLS-Required: No\n", ['a+requiretls@remote.test b+requiretls@remote.test h@home.test', 'requiretls; by=tag; recipients=2'],
        'a+requiretls@remote.test', 'b@remote.test', 'h@home.test'],
    ['two domains, an alias and a local recipient with tags, M10, M12', "TLS-Required: No\n", ['a+tlsoptional@remote.test b+tlsoptional@other.test h@home.test out+tlsoptional@remote.test',
        'tls-optional; by=header; recipients=3'], 'a+tlsoptional@remote.test', 'b@other.test', 'h+tlsoptional@home.test', 'out@alias.test'],
);

# Setting, how the message comes, whether it may say it
my @who = (
    ['submitters', 'this machine', {}, 1],
    ['submitters', 'another one', { session => [to => '192.0.2.25', from => '192.0.2.25'] }, 0],
    ['submitters', 'a user who logs in', { session => [to => '192.0.2.25', from => '192.0.2.25'], user => 'anna' }, 1],
    ['submitters', 'a program', { program => 1 }, 1],
    ['nobody', 'this machine', {}, 0],
    ['nobody', 'a user who logs in', { session => [to => '192.0.2.25', from => '192.0.2.25'], user => 'anna' }, 0],
    ['nobody', 'a program', { program => 1 }, 0],
    ['anyone', 'another one', { session => [to => '192.0.2.25', from => '192.0.2.25'] }, 1],
);

# Destinations whose policy would hold the mail, N1; what Postfix must say, and how the mail must come
my @hard = (
    ['sts-selfsigned.test', 'sent', 'TLSv1.3'],
    ['sts-nostarttls.test', 'sent', 'clear'],
    ['dane-bad.test', 'sent', 'TLSv1.3'],
    ['dane-nostarttls.test', 'sent', 'clear'],
    ['insists.test', 'bounced', '', qr/530 5\.7\.0 .*Must issue a STARTTLS/],
);

Flags::begin();
Flags::configure();
Flags::ctl('list', 'add', 'local', 'home.test');
Flags::start_milter();
Relayed::configure();
Relayed::start();
Flags::start_users();
Flags::start_postfix();
deliver();
forms();
who_may_say_it();
delivered();
one_recipient_alone();
Relayed::finish();
done_testing();

sub with_setting {
    my (%settings) = @_;
    my $before = () = Nodes::log_of('milter');
    Flags::configure(%settings);
    Nodes::signal('milter', 'HUP');
    ok(Lab::until_true(sub { my @log = Nodes::log_of('milter'); grep { /info reloaded/ } @log[$before .. $#log] }), join ' ', 'reloaded with', %settings);
    return;
}

sub forms {
    my $smtp = Flags::session();
    my $n = 0;
    for (@forms) {
        my (undef, $header, undef, @to) = @$_;
        like($smtp->transmit({ name => 'form' . ++$n, header => $header, to => @to ? \@to : ['a@remote.test', 'h@home.test'] }), qr/^250/, "$_->[0]: taken in");
    }
    my $held = Flags::held();
    $n = 0;
    for (@forms) {
        my ($what, $header, $want) = @$_;
        my $got = $held->{ 'form' . ++$n };
        is(Flags::recipients($got), $want->[0], "$what: recipients");
        is(Flags::record($got), $want->[1], "$what: our header field");
        my $stays = () = $header =~ /^TLS-Required:/mgi;
        $stays = 0 if $header =~ /^\n/;
        is(scalar(() = $got->{header} =~ /^TLS-Required:/mgi), $stays, "$what: fields stay in the message, N3");
        is($got->{ret}, $want->[1] =~ /^requiretls/ ? 'HDRS' : undef, "$what: RET");
    }
    Flags::forget_held();
    return;
}

sub who_may_say_it {
    my $setting = '';
    my $n = 0;
    for (@who) {
        my ($now, undef, $how) = @$_;
        with_setting(tls_required => qq("$now")) if $now ne $setting;
        $setting = $now;
        my $mail = { name => 'who' . ++$n, header => "TLS-Required: No\nTLS-Required: No\n", to => ['a@remote.test', 'h@home.test'] };
        if ($how->{program}) {
            is(Flags::submit($mail), 0, 'a program sends');
            Lab::until_true(sub { Flags::held()->{"who$n"} });    # before the setting changes
            next;
        }
        my $smtp = Flags::session(@{ $how->{session} // [] });
        $smtp->command('AUTH PLAIN ' . encode_base64("\0$how->{user}\0x", '')) if $how->{user};
        like($smtp->transmit($mail), qr/^250/, "$now, $_->[1]: taken in");
    }
    my $held = Flags::held();
    $n = 0;
    for (@who) {
        my ($setting, $who, undef, $may) = @$_;
        my $got = $held->{ 'who' . ++$n };
        is(Flags::recipients($got), ($may ? $yes : $not)->[0], "tls_required = $setting, $who: recipients");
        is(scalar(() = $got->{header} =~ /^TLS-Required:/mgi), $may ? 2 : 0, "tls_required = $setting, $who: the field " . ($may ? 'stays' : 'is taken out'));
    }
    Flags::forget_held();
    return;
}

# Sent first, so that nobody waits for it.
sub deliver {
    my $smtp = Flags::session();
    my $no = "TLS-Required: No\n";
    like($smtp->transmit({ name => 'relaxed', hold => 0, header => $no, to => [map({ "relaxed\@$_->[0]" } @hard), 'h@home.test', 'in@alias.test'] }), qr/^250/, 'a message for hard places');
    like($smtp->transmit({ name => 'both', hold => 0, header => $no, to => ['both+requiretls@sts-selfsigned.test', 'both@sts-nostarttls.test', 'both@home.test'] }), qr/^250/, 'the same, with a tag');
    like($smtp->transmit({ name => 'usual', hold => 0, to => ['usual@sts-selfsigned.test', 'usual@sts-nostarttls.test'] }), qr/^250/, 'and without anything');
    like($smtp->transmit({ name => 'quoted-no', hold => 0, header => $no, to => ['"q x"@sts-selfsigned.test'] }), qr/^250/, 'a quoted address');
    return;
}

sub delivered {
    my %verdict = map { $_->{orig_to} // $_->{to} => $_ } Flags::verdicts('relaxed');
    for (@hard) {
        my ($domain, $status, $transport, $reason) = @$_;
        my $got = $verdict{"relaxed+tlsoptional\@$domain"} // {};
        is($got->{by}, 'smtp-relaxed/smtp', "$domain: by the service smtp-relaxed");
        is($got->{status}, $status, "$domain: $status");
        like($got->{reason}, $reason, "$domain: and why, N2") if $reason;
        next if !$transport;
        my $message = Lab::until_true(sub { Lab::mailbox("relaxed\@$domain") }) || '';
        is(Lab::transport_of($message), $transport, "$domain: received as $transport, by the address without tag, N1");
        like($message, qr/^TLS-Required: No$/m, "$domain: the field is in the message, N3");
        unlike($message, qr/\+tlsoptional/, "$domain: the tag is not");
    }
    is($verdict{'h@home.test'}{by}, 'virtual', 'a local recipient never goes there');
    is(($verdict{'in+tlsoptional@alias.test'} // $verdict{'in@alias.test'})->{by}, 'virtual', 'nor one behind an alias');
    %verdict = map { $_->{to} => $_ } Flags::verdicts('both');
    for my $to ('both+requiretls@sts-selfsigned.test', 'both+requiretls@sts-nostarttls.test') {
        is($verdict{$to}{by}, 'requiretls/lmtp', "$to: a flagged recipient goes to relayd, M6");
        like($verdict{$to}{reason}, qr/550 5\.7\.10 /, "$to: and comes back");
    }
    is($verdict{'both@home.test'}{status}, 'sent', 'the local one is delivered');
    is((Flags::verdicts('quoted-no'))[0]{status}, 'sent', 'a quoted address is found without its tag, too');
    my @log;
    Lab::until_true(sub { (@log = grep { /to=<usual@/ } Lab::lines("$Lab::DIR/log/flag.log")) >= 2 });
    like($_, qr{postfix/smtp\[.*status=deferred}, 'without the field such mail waits') for @log;
    is(scalar @log, 2, 'at both places');
    return;
}

sub one_recipient_alone {
    with_setting(scope => '"recipient"');
    my $smtp = Flags::session();
    like($smtp->transmit({ name => 'scope1', to => ['a+requiretls@remote.test', 'b@remote.test', 'h+requiretls@home.test'] }), qr/^250/, 'scope = recipient: a tag');
    like($smtp->transmit({ name => 'scope2', header => "TLS-Required: No\n", to => ['a+requiretls@remote.test', 'b@remote.test', 'h@home.test'] }), qr/^250/, 'scope = recipient: a tag and the field');
    my $held = Flags::held();
    is(Flags::recipients($held->{scope1}), 'a+requiretls@remote.test b@remote.test h@home.test', 'scope = recipient: the others are not flagged');
    is(Flags::recipients($held->{scope2}), 'a+requiretls@remote.test b+tlsoptional@remote.test h@home.test', 'scope = recipient: the field is about the others');
    is($held->{$_}{ret}, 'HDRS', "$_: RET") for 'scope1', 'scope2';
    Flags::forget_held();
    return;
}
