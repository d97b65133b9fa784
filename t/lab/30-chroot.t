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
my $lost = deliver('sts-good.test');
is($lost->{status}, 'deferred', 'in a chroot, with the UNIX socket: the mail stays');
like($lost->{reason}, qr/client TLS configuration problem/, 'for want of an answer');
Lab::forget($lost->{id});

set('-e', "smtp_tls_policy_maps=$inet");
my $got = deliver('sts-good.test');
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
    # An smtp(8) that waits for work would do one more delivery under the old settings.
    for my $comm (glob '/proc/[0-9]*/comm') {
        my ($pid) = $comm =~ /(\d+)/;
        kill 'TERM', $pid if ((Lab::lines($comm))[0] // '') eq 'smtp';
    }
    return;
}

sub deliver {
    my ($domain) = @_;
    return Lab::outcome(Lab::send_mail($domain)) || { status => 'no verdict', reason => '', lines => [], id => '' };
}
