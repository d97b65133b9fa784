#!/usr/bin/perl
# Every way in which a policy host can be broken or hostile, with the built daemons: what the record says (RFC 8460 4.3.2.2), and what Postfix gets. Each fault
# meets a domain of which nothing is known: it is as without policy (RFC 8461 3.3; check A8); and one whose policy is known: that stays. Also what is no fault.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use IO::Compress::Gzip qw(gzip);
use Test::More;
use World;

use constant { FETCH => 'sts-policy-fetch-error', INVALID => 'sts-policy-invalid', WEBPKI => 'sts-webpki-invalid', NONE => '' };
my $SECURE = 'OK secure match=mx.test servername=hostname';

sub body { return "$HEAD\r\n" . ($_[0] // $POLICY) }
sub status { my ($line, $more) = @_; return "HTTP/1.1 $line\r\nContent-Type: text/plain\r\nConnection: close\r\n" . ($more // '') . "\r\n$POLICY" }
sub type { my ($field) = @_; return "HTTP/1.1 200 OK\r\n${field}Connection: close\r\n\r\n$POLICY" }
sub length_of { my ($more) = @_; return "Content-Length: " . (length($POLICY) + ($more // 0)) . "\r\n\r\n$POLICY" }
sub chunk { my ($size, $rest) = @_; return "${HEAD}Transfer-Encoding: chunked\r\n\r\n$size\r\n$POLICY$rest" }

# A policy of that many octets.
sub padded {
    my ($octets) = @_;
    my $text = $POLICY;
    while ((my $missing = $octets - length $text) > 0) {
        my $line = $missing > 1100 ? 1000 : $missing;
        $text .= 'x: ' . 'y' x ($line - 5) . "\r\n";
    }
    return $text;
}

sub gzipped { my ($text) = @_; gzip(\$text => \my $out) or die; return $out }

my $size = sprintf '%x', length $POLICY;
my $bomb = gzipped($POLICY . "x: y\r\n" x 1000000);

# Name, certificate, conduct, text, what kind of failure, its words.
my @hosts = (
    # the connection
    ['refused', 'GOOD', 'REFUSED', '', FETCH, qr/connect/],
    ['full', 'GOOD', 'FULL', '', FETCH, qr/time-out after 30000 ms, connecting/],
    ['closed', 'GOOD', 'CLOSE_ACCEPTED', '', FETCH, qr/onnect|SSL/],
    ['reset', 'GOOD', 'RESET_ACCEPTED', '', FETCH, qr/reset|connect|SSL/i],

    # the handshake
    ['silent', 'GOOD', 'HANG_ACCEPTED', '', FETCH, qr/time-out .* in the TLS handshake/],
    ['half-a-record', 'GOOD', 'HANG_RECORD', '', FETCH, qr/time-out .* in the TLS handshake/],
    ['only-a-server-hello', 'GOOD', 'HANG_HELLO', '', FETCH, qr/time-out .* in the TLS handshake/],
    ['handshake-drips', 'GOOD', 'DRIP_HANDSHAKE', '', FETCH, qr/time-out .* in the TLS handshake/],
    ['reset-after-hello', 'GOOD', 'RESET_HELLO', '', FETCH, qr/reset|SSL/i],
    ['alert', 'GOOD', 'ALERT', '', FETCH, qr/alert/],
    ['no-tls', 'GOOD', 'PLAIN', body(), FETCH, qr/SSL/],
    ['tls-1-1', 'GOOD', 'OLD_TLS', body(), FETCH, qr/protocol/],
    ['no-cipher', 'GOOD', 'NO_CIPHER', body(), FETCH, qr/alert/],
    ['http-2', 'GOOD', 'H2', body(), FETCH, qr/SSL/],
    ['renegotiation', 'GOOD', 'RENEGOTIATE', body(), FETCH, qr/SSL/],

    # the certificate
    ['expired', 'EXPIRED', 'SEND', body(), WEBPKI, qr/expired/],
    ['early', 'EARLY', 'SEND', body(), WEBPKI, qr/not yet valid/],
    ['self-signed', 'SELF', 'SEND', body(), WEBPKI, qr/self-signed/],
    ['name-in-cn-only', 'CN_ONLY', 'SEND', body(), WEBPKI, qr/mismatch/],
    ['another-name', 'OTHER', 'SEND', body(), WEBPKI, qr/mismatch/],
    ['address', 'IP', 'SEND', body(), WEBPKI, qr/mismatch/],
    ['wide-wildcard', 'WIDE', 'SEND', body(), WEBPKI, qr/mismatch/],
    ['partial-wildcard', 'PARTIAL', 'SEND', body(), WEBPKI, qr/mismatch/],
    ['wildcard', 'WILDCARD', 'SEND', body(), NONE],
    ['no-intermediate', 'ORPHAN', 'SEND', body(), WEBPKI, qr/issuer/],
    ['intermediate', 'CHAIN', 'SEND', body(), NONE],
    ['enormous-chain', 'ENORMOUS', 'SEND', body(), FETCH, qr/SSL/],

    # silence, and the end, at each point of the answer
    ['silent-after-handshake', 'GOOD', 'HANG_SECURED', '', FETCH, qr/time-out .* waiting for the answer/],
    ['reset-after-handshake', 'GOOD', 'RESET_SECURED', '', FETCH, qr/./],
    ['no-answer', 'GOOD', 'SEND', '', FETCH, qr/Empty reply/],
    ['silent-after-request', 'GOOD', 'SEND_HANG', '', FETCH, qr/time-out .* waiting for the answer/],
    ['reset-after-request', 'GOOD', 'SEND_RESET', '', FETCH, qr/reset|SSL|Empty/i],
    ['half-a-status-line', 'GOOD', 'SEND', 'HTTP/1.1 2', FETCH, qr/./],
    ['half-a-status-line-hangs', 'GOOD', 'SEND_HANG', 'HTTP/1.1 2', FETCH, qr/time-out .* waiting for the answer/],
    ['half-a-status-line-reset', 'GOOD', 'SEND_RESET', 'HTTP/1.1 2', FETCH, qr/./],
    ['half-a-header', 'GOOD', 'SEND', "${HEAD}Cont", FETCH, qr/ended within its headers/],
    ['half-a-header-hangs', 'GOOD', 'SEND_HANG', "${HEAD}Cont", FETCH, qr/time-out .* receiving the answer/],
    ['half-a-header-reset', 'GOOD', 'SEND_RESET', "${HEAD}Cont", FETCH, qr/./],
    ['half-a-header-cut', 'GOOD', 'SEND_CUT', "${HEAD}Cont", FETCH, qr/./],
    ['no-body-cut', 'GOOD', 'SEND_CUT', $HEAD, FETCH, qr/./],
    ['half-a-body-hangs', 'GOOD', 'SEND_HANG', body(substr $POLICY, 0, 40), FETCH, qr/time-out .* receiving the answer/],
    ['half-a-body-reset', 'GOOD', 'SEND_RESET', body(substr $POLICY, 0, 40), FETCH, qr/./],
    ['half-a-body-cut', 'GOOD', 'SEND_CUT', body("version: STSv1\nmode: testing\nmx: mx.test\nmax_age: 1"), FETCH, qr/./],
    ['half-a-body-ends', 'GOOD', 'SEND', body(substr $POLICY, 0, 40), INVALID, qr/./],
    ['status-line-drips', 'GOOD', 'SEND_DRIP', 'HTTP/1.1 200 ', FETCH, qr/time-out .* waiting for the answer/],
    ['headers-drip', 'GOOD', 'SEND_DRIP', "HTTP/1.1 200 OK\r\nX: y", FETCH, qr/time-out .* receiving the answer/],
    ['body-drips', 'GOOD', 'SEND_DRIP', body("version: STSv1\nmode: enforce\nx: "), FETCH, qr/time-out .* receiving the answer/],

    # lengths
    ['never-closed', 'GOOD', 'SEND_HANG', body(), FETCH, qr/time-out .* receiving the answer/],
    ['announced-and-never-closed', 'GOOD', 'SEND_HANG', $HEAD . length_of(), NONE],
    ['less-than-announced', 'GOOD', 'SEND', $HEAD . length_of(1), FETCH, qr/1 bytes remaining/],
    ['less-than-announced-hangs', 'GOOD', 'SEND_HANG', $HEAD . length_of(1), FETCH, qr/time-out .* receiving the answer/],
    ['two-lengths', 'GOOD', 'SEND', "${HEAD}Content-Length: 20\r\n" . length_of(), NONE], # the host's own word, either way
    ['negative-length', 'GOOD', 'SEND', "${HEAD}Content-Length: -5\r\n\r\n$POLICY", FETCH, qr/Content-Length/],
    ['huge-length', 'GOOD', 'SEND', "${HEAD}Content-Length: 99999999999999999999999\r\n\r\n$POLICY", FETCH, qr/larger than 65536 octets|Content-Length/],
    ['64-kib', 'GOOD', 'SEND', body(padded(65536)), NONE],
    ['64-kib-and-one', 'GOOD', 'SEND', body(padded(65537)), FETCH, qr/larger than 65536 octets/],
    ['endless-body', 'GOOD', 'REPEAT', "$HEAD\r\n$POLICY\fx: y\r\n", FETCH, qr/larger than 65536 octets/],

    # chunks
    ['chunked', 'GOOD', 'SEND', chunk($size, "\r\n0\r\n\r\n"), NONE],
    ['chunked-without-end', 'GOOD', 'REPEAT', chunk($size, "\r\n\f6\r\nx: y\r\n\r\n"), FETCH, qr/larger than 65536 octets/],
    ['chunked-and-cut', 'GOOD', 'SEND', chunk($size, "\r\n"), FETCH, qr/./],
    ['chunked-hangs', 'GOOD', 'SEND_HANG', chunk($size, "\r\n"), FETCH, qr/time-out .* receiving the answer/],
    ['chunk-shorter-than-said', 'GOOD', 'SEND', chunk('fff', ''), FETCH, qr/./],
    ['chunk-longer-than-said', 'GOOD', 'SEND', chunk('10', "\r\n0\r\n\r\n"), FETCH, qr/./],
    ['chunk-size-huge', 'GOOD', 'SEND', chunk('ffffffffffffffff', ''), FETCH, qr/./],
    ['chunk-size-too-huge', 'GOOD', 'SEND', chunk('f' x 40, ''), FETCH, qr/./],
    ['chunk-size-negative', 'GOOD', 'SEND', chunk('-5', "\r\n0\r\n\r\n"), FETCH, qr/./],
    ['chunk-size-no-number', 'GOOD', 'SEND', chunk('zz', "\r\n0\r\n\r\n"), FETCH, qr/./],
    ['chunk-extension-without-end', 'GOOD', 'REPEAT', "${HEAD}Transfer-Encoding: chunked\r\n\r\n5;\f0123456789", FETCH, qr/more than \d+ octets/],
    ['trailers-without-end', 'GOOD', 'REPEAT', chunk($size, "\r\n0\r\n\fX: y\r\n"), FETCH, qr/headers larger than 65536 octets/],

    # headers
    ['headers-without-end', 'GOOD', 'REPEAT', "$HEAD\fX: y\r\n", FETCH, qr/headers larger than 65536 octets/],
    ['header-of-100-kb', 'GOOD', 'SEND', "${HEAD}X: " . 'y' x 102500 . "\r\n" . length_of(), FETCH, qr/headers larger than 65536 octets/],
    ['header-of-60-kb', 'GOOD', 'SEND', "${HEAD}X: " . 'y' x 60000 . "\r\n" . length_of(), NONE],
    ['status-line-of-100-kb', 'GOOD', 'SEND', 'HTTP/1.1 200 ' . 'y' x 102500 . "\r\n\r\n$POLICY", FETCH, qr/headers larger than 65536 octets/],
    ['header-with-nul', 'GOOD', 'SEND', "${HEAD}X: a\0b\r\n\r\n$POLICY", FETCH, qr/Nul|NUL/i],
    ['http-0-9', 'GOOD', 'SEND', $POLICY, FETCH, qr/HTTP\/0\.9/],
    ['http-3-preface', 'GOOD', 'SEND', "HTTP/9.9 200 OK\r\n\r\n$POLICY", FETCH, qr/./],

    # status
    ['100-without-end', 'GOOD', 'REPEAT', "\fHTTP/1.1 100 Continue\r\n\r\n", FETCH, qr/headers larger than 65536 octets/],
    ['103-first', 'GOOD', 'SEND', "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" . body(), NONE],
    ['101', 'GOOD', 'SEND', status('101 Switching Protocols', "Upgrade: h2c\r\n"), FETCH, qr/./],
    ['upgrade-offered', 'GOOD', 'SEND', status('200 OK', "Upgrade: h2c\r\n"), NONE],
    (map { ["status-$_", 'GOOD', 'SEND', status("$_ Word"), FETCH, qr/^HTTP status $_$/] } 201, 203, 204, 205, 206, 226, 304, 400, 401, 403, 404, 407, 410, 429,
        500, 503, 999),
    (map { ["status-$_", 'GOOD', 'SEND', status("$_ Word", "Location: https://mta-sts.wildcard.test/.well-known/mta-sts.txt\r\n"), FETCH, qr/^HTTP status $_$/] }
        300, 301, 302, 303, 307, 308),
    ['status-of-words', 'GOOD', 'SEND', "HTTP/1.1 OK\r\n\r\n$POLICY", FETCH, qr/./],

    # encodings and types
    ['gzip-unasked', 'GOOD', 'SEND', "${HEAD}Content-Encoding: gzip\r\n\r\n" . gzipped($POLICY), INVALID, qr/line 1/],
    ['gzip-transfer', 'GOOD', 'SEND', "${HEAD}Transfer-Encoding: gzip\r\n\r\n$bomb", FETCH, qr/./],
    ['type-missing', 'GOOD', 'SEND', type(''), FETCH, qr/no content type/],
    ['type-empty', 'GOOD', 'SEND', type("Content-Type:\r\n"), FETCH, qr/content type/],
    ['type-html', 'GOOD', 'SEND', type("Content-Type: text/html\r\n"), FETCH, qr/text\/html/],
    ['type-octets', 'GOOD', 'SEND', type("Content-Type: application/octet-stream\r\n"), FETCH, qr/octet-stream/],
    ['type-plainer', 'GOOD', 'SEND', type("Content-Type: text/plainer\r\n"), FETCH, qr/text\/plainer/],
    ['type-list', 'GOOD', 'SEND', type("Content-Type: text/plain, text/html\r\n"), FETCH, qr/text\/html/],
    ['type-parameter', 'GOOD', 'SEND', type("content-type:TEXT/Plain ; charset=utf-7\r\n"), NONE],
    ['type-odd', 'GOOD', 'SEND', type("Content-Type: text/\x{e9}\x{1b}[31m}{\r\n"), FETCH, qr/^content type is text\/\?\?\[31m\}\{/],

    # the policy
    ['empty', 'GOOD', 'SEND', body(''), INVALID, qr/empty/],
    ['html', 'GOOD', 'SEND', body("<html>\n<body>not here</body>\n"), INVALID, qr/line 1/],
    ['testing', 'GOOD', 'SEND', body($POLICY =~ s/enforce/testing/r), NONE],
    ['mode-none', 'GOOD', 'SEND', body("version: STSv1\nmode: none\nmax_age: 60\n"), NONE],
);

my @list;
for my $host (@hosts) {
    my ($name, $cert, $conduct, $text, $failure, $why) = @$host;
    my %row = (name => $name, cert => $cert, conduct => $conduct, text => $text, failure => $failure, why => $why);
    push @list, { %row, domain => "$name.test", address => loopback(scalar @list) };
    push @list, { %row, domain => "known-$name.test", address => loopback(scalar @list), first => body() };
}
world_start(hosts => \@list, stsd => 'https_timeout = 30s lookup_timeout = 60s');

my @known = grep { defined $_->{first} } @list;
my %first = ask_stsd('resolve', map { $_->{domain} } @known);
my @unlike = grep { ($first{ $_->{domain} }{sts}{policy}{body} // '') ne $POLICY } @known;
is(join(' ', map { "$_->{domain}: " . ($first{ $_->{domain} }{sts}{why} // '?') } @unlike), '', 'the policies of the known domains are fetched');

my @new = grep { !defined $_->{first} } @list;
my %fh = (world_call('resolve', @new), world_call('refresh', @known));
my %record = map { $_ => record_of($fh{$_}) } keys %fh;
sub world_call { my ($verb, @rows) = @_; return call_stsd($verb, map { $_->{domain} } @rows) }

for my $row (@list) {
    my ($domain, $sts) = ($row->{domain}, $record{ $row->{domain} }{sts} // {});
    my $answer = ask_policyd('postfix', $domain);
    my $tlsrpt = ask_policyd('QUERYwithTLSRPT', $domain);
    is($sts->{failure} // 'none', $row->{failure}, "$domain: A8 kind of failure") or diag($sts->{why} // 'no record');
    is($sts->{record}, 'found', "$domain: the record is there");
    if ($row->{failure} eq NONE) {
        is($sts->{why}, '', "$domain: nothing is wrong");
        my $free = $row->{name} =~ /^(?:testing|mode-none)$/;
        is($answer, $free ? 'NOTFOUND ' : $SECURE, "$domain: the answer");
        next;
    }
    like($sts->{why}, $row->{why}, "$domain: in words");
    is($answer, defined $row->{first} ? $SECURE : 'NOTFOUND ', "$domain: A8 the answer");
    like($tlsrpt, defined $row->{first} ? qr/^\Q$SECURE\E policy_type=sts / : qr/^NOTFOUND $/, "$domain: with attributes");
    is($sts->{policy}{body}, defined $row->{first} ? $POLICY : undef, "$domain: A8 the policy");
}
is(() = world_log('stsd') =~ /[^\x20-\x7e\n]/g, 0, 'the log is plain text');
is(world_end(), '', 'a good end');
done_testing();
