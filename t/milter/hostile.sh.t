#!/usr/bin/perl
# What no MTA sends, sent to the built postern-milter: garbage, packets that are cut off or out of order, and very many sessions at once. It goes on serving.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Milter;
use Test::More;
use Time::HiRes qw(sleep);

$SIG{PIPE} = 'IGNORE';
ok(start('record_header = "X-Postern" rules = {\'body: body contains "confidential" -> requiretls\'}'), 'the milter');
my @flagged = ('delete <u@far.test>', 'add <u+requiretls@far.test> ORCPT=rfc822;u@far.test', 'from <s@client.test> RET=HDRS', 'header X-Postern: requiretls; by=mail-from; recipients=1');

sub serves {
    my ($what) = @_;
    my $s = session();
    my $got = message($s, from => ['<s@client.test>', 'REQUIRETLS']);
    is_deeply([$got->{reply}, @{ $got->{changes} }], ['continue', @flagged], "$what: it serves");
    hang_up($s);
}

# --- octets that are no packets; each connection is closed, by it or by us ---
my $hello = pack('NANNN', 13, 'O', 6, 0x1ff, 0x1fffff);
for (['nothing', ''], ['text', "EHLO client.test\r\n"], ['an empty packet', pack('N', 0)], ['a length of 4 GB', pack('NA', 0xffffffff, 'O')], ['2 GB', pack('NA', 0x7fffffff, 'O') . 'x' x 1000],
    ['half a length', "\0\0"], ['half a packet', substr($hello, 0, 9)], ['a short negotiation', pack('NAN', 5, 'O', 6)], ['a long one', pack('NANNN', 60013, 'O', 6, 0x1ff, 0x1fffff) . 'x' x 60000],
    ['version 0', pack('NANNN', 13, 'O', 0, 0x1ff, 0x1fffff)], ['version 99', pack('NANNN', 13, 'O', 99, ~0 & 0xffffffff, 0x1fffff)], ['an unknown command', $hello . pack('NA', 1, '~')],
    ['zeroes', "\0" x 5000], ['ones', "\xff" x 5000]) {
    my ($what, $octets) = @$_;
    my $fh = connect_to();
    syswrite $fh, $octets;
    shutdown($fh, 1);
    sysread($fh, my $rest, 65536) if $what ne 'nothing';
    close $fh;
    serves($what);
}
srand 5;
for (1 .. 100) {
    my $fh = connect_to();
    syswrite $fh, $hello if $_ % 2;
    syswrite $fh, join '', map { my $data = join '', map { chr rand 256 } 1 .. rand 50; pack('NA', 1 + length $data, (split //, 'ADBCEHLMOQTRUKN')[rand 15]) . $data } 1 .. 30;
    close $fh;
}
serves('a hundred connections of random packets');

# --- packets out of order: what is no whole message is never said to be one ---
my %packet = (C => "client.test\0004\x12\x34192.0.2.1\0", H => "client.test\0", M => "<s\@client.test>\0REQUIRETLS\0", R => "<u\@far.test>\0", T => '', L => "Subject\0text\0", N => '',
    B => "A text.\r\n", E => '', A => '', K => '', U => "FOO\0", D => "Mi\0id\0");
# What is answered after negotiation (C, M, R, L and N are not), and without one: c goes on, t is put off, -2eh flags, e alone when there is no recipient.
my @orders = (
    ['E'               , '', ''],
    ['M'               , '', 'c'],
    ['R'               , '', ''],
    ['L'               , '', ''],
    ['B'               , '', ''],
    ['N'               , '', ''],
    ['CE'              , '', ''],
    ['CRE'             , '', ''],
    ['CUR'             , 'c', 'cc'],
    ['CURLNBE'         , 'cct', 'ccccct'],
    ['CURBE'           , 'cct', 'ccct'],
    ['CUB'             , 'cc', 'cc'],
    ['CMRLNBEURLNBE'   , 'c-2ehccct', 'ccccctccccct'],
    ['CMUBE'           , 'ccec', 'ccct'],
    ['CMRLNBEUBE'      , 'c-2ehccct', 'ccccctcct'],
    ['CMRLNBEBE'       , 'c-2ehc', 'ccccct'],
    ['CMRLNBEE'        , 'c-2ehc', 'ccccct'],
    ['CMRE'            , '-2ehc', 'cct'],
    ['CME'             , '', 'c'],
    ['CMRTRLE'         , 'c', 'ccc'],
    ['CMRLNBMRLNBE'    , 'cc-2ehc', 'cccccccccct'],
    ['CMALNBE'         , '', 'c'],
    ['CMRAE'           , '', 'cc'],
    ['CCMRLNBE'        , 'c-2ehc', 'ccccct'],
    ['KCMRLNBE'        , 'c-2ehc', 'ccccct'],
    ['CMRLNBEKCMRLNBE' , 'c-2ehcct', 'ccccctccccct'],
    ['CMRLNBKLNBE'     , 'c', 'ccccc'],
    ['CMRLNBECMRLNBE'  , 'c-2ehcc-2ehc', 'ccccctccccct'],
    ['AAAE'            , '', ''],
    ['DDD'             , '', ''],
    ['CMDRDLDNDBDE'    , 'c-2ehc', 'ccccct'],
    ['CHHHMRLNBE'      , 'cccc-2ehc', 'cccccccct'],
);
for (@orders) {
    my ($order, @wanted) = @$_;
    for my $hello ($hello, '') {
        my $s = { fh => connect_to() };
        syswrite $s->{fh}, $hello;
        send_packet($s, $_, $packet{$_}) for split //, $order;
        shutdown($s->{fh}, 1);
        my $replies = '';
        while (my ($got) = reply($s)) { $replies .= $got }
        is($replies =~ s/^O//r, shift @wanted, "packets $order" . ($hello eq '' ? ' without negotiation' : ''));
    }
}
serves('packets out of order');

# --- far too much ---
my $s = session();
my $got = message($s, from => ['<' . 's' x 60000 . '@client.test>', 'REQUIRETLS'], to => ['<u@far.test>']);
like($got->{reply}, qr/^(?:continue|451 )/, 'a sender of 60 kB');
$got = message($s, from => ['<s@client.test>', 'REQUIRETLS'], to => ['<' . 'u' x 60000 . '@far.test>']);
like($got->{reply}, qr/^550 5\.7\.30 /, 'a recipient of 60 kB cannot be flagged');
$got = message($s, from => ['<s@client.test>', 'REQUIRETLS'], to => [map { "<u$_\@far.test>" } 1 .. 5000]);
is("$got->{reply} " . @{ $got->{changes} }, 'continue 10002', '5000 recipients are flagged');
$got = message($s, from => ['<s@client.test>', 'REQUIRETLS'], to => [['<u@far.test>', map { "X$_=y" } 1 .. 5000]]);
is_deeply([$got->{reply}, @{ $got->{changes} }], ['continue', @flagged], '5000 parameters');
$got = message($s, from => ['<s@client.test>', 'REQUIRETLS'], header => [map { ["X-$_", 'x' x 900] } 1 .. 12000]);
is($got->{reply}, 'continue', '12000 header fields');
$got = message($s, from => ['<s@client.test>', 'REQUIRETLS'], header => [['X-Postern', 'forged']] );
is_deeply([$got->{reply}, @{ $got->{changes} }], ['continue', 'change X-Postern 1: ', @flagged], 'the session goes on');
hang_up($s);

# --- many sessions ---
my @half = map { my $fh = connect_to(); syswrite $fh, substr($hello, 0, 9); $fh } 1 .. 50;
close $_ for @half;
serves('50 that stopped in the midst of a packet');
my @sessions = map { session() } 1 .. 200;
is(scalar(grep { $_->{refused} } @sessions), 0, '200 sessions at once');
is(metric('sessions'), 200, 'the metrics say so');
my @begun = map { message($_, from => ['<s@client.test>', 'REQUIRETLS'], until => 'N')->{reply} } @sessions;
is(scalar(grep { $_ eq 'left' } @begun), 200, 'each has a message under way');
for (@sessions) { send_packet($_, 'N'); send_packet($_, 'B', 'text'); send_packet($_, 'E') }
my $good = 0;
for my $each (@sessions) {
    my $all = '';
    while (my ($reply) = reply($each)) { $all .= $reply; last if $reply =~ /[rty]/ || $all =~ /h.*c/ }
    $good++ if $all =~ /\Ac-2ehc\z/;
}
is($good, 200, 'and each is flagged');
close $_->{fh} for @sessions[0 .. 99];
hang_up($_) for @sessions[100 .. 199];
ok(until_true(sub { metric('sessions') == 0 }), 'sessions that are cut end');
serves('after all that');
is(metric('failures_total'), 0, 'nothing failed');
is(stop(), 0, 'and it ends well');
unlike(slurp("$dir/log"), qr/ERROR: \w+Sanitizer|runtime error/, 'nothing was wrong with it');
done_testing();
