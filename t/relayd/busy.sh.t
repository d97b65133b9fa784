#!/usr/bin/perl
# More messages than there may be connections, to one domain and in all: who waits for one, and who is put off.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Relay;
use Test::More;

my (@lines, %address);
for (['quick', 'late=20'], ['quick2', 'late=20'], ['hang', 'end=hang'], ['hang2', 'end=hang'], ['pause', 'late=9000'], ['bad', 'mail=451_4.3.0_later'], ['good', 'late=20'],
    ['second', ''], ['nodata', 'data=451_4.3.0_full'], ['refuse', 'rcpt=550_5.1.1_nobody'], ['hellohang', 'tls_ehlo=hang'], ['idle', '']) {
    my ($name, $keys) = @$_;
    $address{$name} = loopback(1 + keys %address);
    push @lines, "$address{$name} mx.$name.test $keys";
}
receivers_start(@lines);

sub of { my ($name) = @_; return "mx.$name.test" }
sub enforced { my ($domain, @names) = @_; return "$domain.test" => record("$domain.test", mode => 'enforce', hosts => [map { [of($names[$_]), [$address{$names[$_]}], 10 * $_] } 0 .. $#names]) }
stsd_start(map({ enforced($_, $_) } keys %address), enforced('next', 'bad', 'second'));

sub mails { my ($domain, $n, $to) = @_; return map { "$domain.test <s\@client.test> <" . ($to // "u$_") . "\@$domain.test> 10" } 1 .. $n }

# How many of these, by number, ended so: delivered, busy (4.4.5), others by the answer's begin
sub ends {
    my ($out, $from, $to) = @_;
    my %ends;
    for (split /^/, $out) {
        next if !/^(\d+) (?:rcpt 0 failed|done|data failed|data mx\S+ said|rcpt 0 mx\S+ said) (.*)/ || $1 < $from || $1 > $to;
        my $text = $2;
        next if /rcpt 0 mx\S+ said 2/;
        $ends{ $text =~ /451 4\.4\.5/ ? 'busy' : $text =~ /said 250/ ? 'delivered' : 'other' }++;
    }
    return \%ends;
}

# The most connections that a host had at one time
sub most {
    my ($host) = @_;
    my ($now, $most) = (0, 0);
    for (split /^/, seen($host)) {
        $now++ if /^\d+ open/;
        $now-- if /^\d+ closed/;
        $most = $now if $now > $most;
    }
    return $most;
}

# A burst to a domain that is well: nobody is put off.
my ($out, $log) = drive('per_domain=5 parallel=100', mails('quick', 100));
is_deeply(ends($out, 1, 100), { delivered => 100 }, '100 at once over 5 connections');
is(most(of('quick')), 5, 'no more than 5');
is(scalar(() = $log =~ /connection domain=quick/g), 5, 'each used again and again');

# In order: the last one that came is delivered last.
($out) = drive('per_domain=1 parallel=20', mails('quick2', 20));
is(join(' ', $out =~ /^(\d+) done/mg), join(' ', 1 .. 20), 'in the order in which they came');

# Limit in all.
($out) = drive('upstreams=3 parallel=60', mails('quick', 20), mails('quick2', 20), mails('good', 20));
is_deeply(ends($out, 1, 60), { delivered => 60 }, '60 to three domains over 3 connections in all');
like($out, qr/^open [0-3]$/m, 'and no more than 3 are open');
($out) = drive('upstreams=1 parallel=1', map { mails($_, 1) } qw(idle good idle good));
is_deeply(ends($out, 1, 4), { delivered => 4 }, 'an idle one makes room');

# One that hangs: those that wait are put off, and later ones at once; others go on.
($out, $log) = drive('wait=8000 per_domain=4 parallel=60 final=20000', mails('hang', 30), mails('good', 30));
is_deeply(ends($out, 31, 60), { delivered => 30 }, 'beside one that hangs all others are delivered');
my $ends = ends($out, 1, 30);
is_deeply($ends, { busy => 26, other => 4 }, 'to it there are 4 attempts, and the others are put off');
my @order = $out =~ /^(\d+) (?:rcpt 0 failed 451 4.4.5|done failed)/mg;
ok(!grep({ $_ <= 4 } @order[0 .. 25]), 'long before the attempts fail');
like($log, qr/message domain=hang.test \S+ \S+ taken=0 result=failed code=451 status=4\.4\.5 reply=".*as many connections .*\(per_domain: /, 'which is logged');

# Also when these hang before MAIL.
($out) = drive('wait=8000 per_domain=4 parallel=60 command=20000', mails('hellohang', 30), mails('good', 30));
is_deeply(ends($out, 31, 60), { delivered => 30 }, 'one that hangs after EHLO');
is_deeply(ends($out, 1, 30), { busy => 26, other => 4 }, 'as above');

# The line is over: nobody waits any more until half of the places are free.
($out) = drive('wait=1000 per_domain=2 parallel=3 final=10000', mails('hang2', 12));
is_deeply(ends($out, 1, 12), { busy => 10, other => 2 }, 'one at a time');
@order = $out =~ /^(\d+) rcpt 0 failed 451 4.4.5/mg;
is("@order", '3 4 5 6 7 8 9 10 11 12', 'the first one has waited, the next ones have not');

# A pause is no end: when the places have come free, all is as before.
($out) = drive('wait=4000 per_domain=2 parallel=4', mails('pause', 4), mails('good', 100), mails('pause', 2));
is(ends($out, 1, 4)->{busy}, 2, 'put off in a pause');
is_deeply(ends($out, 5, 104), { delivered => 100 }, 'which others do not feel');

# The next host of the same message, and a recipient that is refused, do not stand in line again.
($out) = drive('per_domain=2 parallel=40', mails('next', 40));
is_deeply(ends($out, 1, 40), { delivered => 40 }, 'a domain whose first host does not take mail');
cmp_ok(most(of('second')), '<=', 2, 'no more connections than may be');
($out, $log) = drive('per_domain=1 parallel=20', mails('next', 20));
is(join(' ', ($log =~ /connection domain=next.test host=mx.(\w+)/mg)[0 .. 3]), 'bad second bad second', 'a place is kept from one host to the next');
($out) = drive('per_domain=2 parallel=40', mails('refuse', 40));
is_deeply(ends($out, 1, 40), { other => 40 }, 'one that refuses recipients');
cmp_ok(most(of('refuse')), '<=', 2, 'RSET keeps its place until it is answered');

# One that has had its last word needs no place, though the rest of its message is under way.
($out) = drive('per_domain=1 parallel=5', map { s/10$/STAY/r } mails('good', 5));
is_deeply(ends($out, 1, 5), { delivered => 5 }, 'a place is given back with the last word');
($out) = drive('per_domain=1 parallel=2', map({ s/10$/STAY/r } mails('nodata', 1)), mails('nodata', 1));
is_deeply(ends($out, 1, 2), { other => 2 }, 'or when DATA is refused');

# Given up while it waits: by the deadline of the whole.
($out) = drive('per_domain=1 parallel=10 whole=1000 final=2000', mails('hang', 10));
is(scalar(() = $out =~ /failed 451 4\.4\.\d .*(?:deadline|time)/g), 10, 'the deadline goes for those that wait, too');

relay_end();
done_testing();
