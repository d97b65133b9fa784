#!/usr/bin/perl
# Flagged mail on its whole way: Postfix, postern-milter, the queue, postern-relayd, hosts that offer REQUIRETLS and others.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Lab;
use Flags;
use Relayed;
use Test::More;

Relayed::begin();
like(Relayed::mail({ name => 'first', to => [map { "u+requiretls\@$_" } 'rt-sts.test', 'rt-dane.test', 'rt-plain.test'] }), qr/^250/, 'taken in');
my %got = map { $_->{to} => $_ } Flags::verdicts('first');
is($got{"u+requiretls\@$_"}{status}, 'sent', "$_: delivered") for 'rt-sts.test', 'rt-dane.test';
is($got{'u+requiretls@rt-plain.test'}{status}, 'bounced', 'rt-plain.test: given back');
like($got{'u+requiretls@rt-plain.test'}{reason}, qr/5\.7\.10/, 'with the reason');
for my $domain ('rt-sts.test', 'rt-dane.test') {
    my @under = Relayed::said("mx.$domain", 'under');
    like("@under", qr/MAIL FROM:<sender\@home\.test>.* REQUIRETLS.*RCPT TO:<u\@$domain>/, "$domain: REQUIRETLS, and no tag");
}
my ($relayd, $milter) = Relayed::finish();
is($relayd, 0, 'relayd ends well');
is($milter, 0, 'the milter ends well');
done_testing();
