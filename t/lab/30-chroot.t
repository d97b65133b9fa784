#!/usr/bin/perl
# Debian runs smtp(8) in a chroot, where a socket in /run is not to be seen: there Postern
# has to be asked over the loopback network.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Lab;
use Test::More tests => 5;

my $inet = 'socketmap:inet:127.0.0.1:8461:postfix';
is((Lab::capture('postmap', '-q', 'dane-good.test', $inet))[1], "dane-only\n",
    'policyd answers on its network address');

set('-F', 'smtp/unix/chroot=y');
my $lost = deliver('sts-good.test', 'deferred');
is($lost->{status}, 'deferred', 'in a chroot, with the UNIX socket: the mail stays');
like($lost->{reason}, qr/client TLS configuration problem/, 'for want of an answer');
Lab::forget($lost->{id});

set('-e', "smtp_tls_policy_maps=$inet");
my $got = deliver('sts-good.test', 'sent');
is($got->{status}, 'sent', 'in a chroot, over the loopback network: the mail goes');
like(join("\n", @{ $got->{lines} }), qr/Verified TLS connection established/, 'and verified');

set('-F', 'smtp/unix/chroot=n');
set('-e', "smtp_tls_policy_maps=$Lab::MAP");

# postconf, and a reload that has taken effect: Postfix waits for a file younger than two
# seconds, so it is made to look older
sub set {
    my @change = @_;
    my ($status, undef, $err) = Lab::capture('postconf', @change);
    $status == 0 or die "postconf @change: $err";
    utime time - 60, time - 60, glob '/etc/postfix/*.cf';
    my $reloads = () = join("\n", Lab::lines("$Lab::DIR/log/client.log")) =~ /reload -- version/g;
    Lab::capture('postfix', 'reload');
    Lab::until_true(sub {
        my $now = () = join("\n", Lab::lines("$Lab::DIR/log/client.log")) =~ /reload -- version/g;
        return $now > $reloads;
    });
    return;
}

# The first delivery after a reload may still be by a process of before: what counts is how it
# settles.
sub deliver {
    my ($domain, $status) = @_;
    my $got;
    Lab::until_true(sub {
        $got = Lab::outcome(Lab::send_mail($domain))
            || { status => 'no verdict', reason => '', lines => [], id => '' };
        return 1 if $got->{status} eq $status;
        Lab::forget($got->{id}) if $got->{status} eq 'deferred';
        return;
    });
    return $got;
}
