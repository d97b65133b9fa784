#!/usr/bin/perl
# Policies that try to say to Postfix what they must not, through the built daemons (checks A5, A12): what the text is that Postfix gets, in both maps, and
# how it reads that text.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use World;

my $invalid = 'sts-policy-invalid';
sub policy { return "version: STSv1\nmode: enforce\nmax_age: 86400\n" . join '', map { "$_\n" } @_ }

my $long = join '.', ('l' x 63) x 3, 'l' x 56, 'test'; # 253 octets

# Name, policy, the match list ('' for none; undef: the policy is invalid), what in words, or which strings are left out of the attributes.
my @bodies = (
    # blanks, braces, separators
    ['plain', policy('mx: mx.test'), 'mx.test'],
    ['braces-in-another-key', policy('mx: mx.test', 'x: } policy_type=no-policy-found {', 'y: {', 'z: }'), 'mx.test', qr/^[xyz]:/],
    ['attributes-in-another-key', policy('mx: mx.test', 'x: policy_failure=none match=.evil.test, may'), 'mx.test'],
    ['quotes-in-another-key', policy('mx: mx.test', 'x: "a\\" = $mynetworks ${x}', 'y: \'%s %n'), 'mx.test', qr/^x:/],
    ['braces-in-mx', policy('mx: mx.test', 'mx: }{ policy_type=none'), undef, qr/^line 5: mx pattern "\}\{ policy_type=none"/],
    ['blank-in-mx', policy('mx: a.example match=*'), undef, qr/^line 4: mx pattern/],
    ['tab-in-mx', policy("mx: a.example\tmatch=x"), undef, qr/^line 4: .*control octet 0x09/],
    ['colon-in-mx', policy('mx: mx.test:.evil.test'), undef, qr/^line 4: mx pattern/],
    ['comma-in-mx', policy('mx: mx.test,may'), undef, qr/^line 4: mx pattern/],
    ['equals-in-mx', policy('mx: servername=evil.test'), undef, qr/^line 4: mx pattern/],
    ['percent-in-mx', policy('mx: %s.test'), undef, qr/^line 4: mx pattern/],
    ['words-of-postfix', policy('mx: hostname', 'mx: nexthop', 'mx: dot-nexthop', 'mx: mx.test'), 'mx.test'],
    ['only-words-of-postfix', policy('mx: hostname', 'mx: nexthop'), ''],

    # octets
    ['nul-in-mode', policy('mx: mx.test') =~ s/enforce/enforce\0testing/r, undef, qr/^line 2: octet 14: NUL/],
    ['nul-in-mx', policy("mx: mx.test\0.evil.test"), undef, qr/NUL/],
    ['nul-in-another-key', policy('mx: mx.test', "x: \0"), undef, qr/NUL/],
    ['nul-at-the-end', policy('mx: mx.test') . "\0", undef, qr/^line 5: /],
    ['cr-in-another-key', policy('mx: mx.test', "x: a\rmode: none"), undef, qr/CR without LF/],
    ['cr-for-lf', policy('mx: mx.test') =~ tr/\n/\r/r, undef, qr/CR without LF/],
    ['lf-cr', policy('mx: mx.test') =~ s/\n/\n\r/gr, undef, qr/^line 2: /],
    ['line-separator', policy('mx: mx.test', "x: a\xe2\x80\xa8mode: none"), 'mx.test', qr/^x:/],
    ['next-line', policy('mx: mx.test', "x: a\xc2\x85mode: none"), 'mx.test', qr/^x:/],
    ['vertical-tab', policy('mx: mx.test', "x: a\x0bb"), undef, qr/0x0b/],
    ['form-feed', policy('mx: mx.test', "x: a\x0cb"), undef, qr/0x0c/],
    ['escape', policy('mx: mx.test', "x: \e[2J"), undef, qr/0x1b/],
    ['delete', policy('mx: mx.test', "x: \x7f"), undef, qr/0x7f/],
    ['tab-in-another-key', policy('mx: mx.test', "x: a\tb"), undef, qr/0x09/],
    ['latin-1', policy('mx: mx.test', "x: \xe9t\xe9"), undef, qr/0xe9 is no UTF-8/],
    ['overlong-utf-8', policy('mx: mx.test', "x: \xc0\x8amode: none"), undef, qr/0xc0 is no UTF-8/],
    ['surrogate', policy('mx: mx.test', "x: \xed\xa0\x80"), undef, qr/0xed is no UTF-8/],
    ['right-to-left', policy('mx: mx.test', "x: \xe2\x80\xae"), 'mx.test', qr/^x:/],
    ['bom', "\xef\xbb\xbf" . policy('mx: mx.test'), undef, qr/byte order mark/],
    ['utf-16', join('', map { "$_\0" } split //, policy('mx: mx.test')), undef, qr/^line 1: /],
    ['odd-key', policy('mx: mx.test', "x\xff: y"), undef, qr/^line 5: /],
    ['long-key', policy('mx: mx.test', 'x' x 33 . ': y'), undef, qr/33 octets/],
    ['long-value', policy('mx: mx.test', 'x: ' . 'y' x 60000), 'mx.test'],
    ['no-value', policy('mx: mx.test', 'x:'), undef, qr/no value/],
    ['empty-line', policy('mx: mx.test', ''), undef, qr/line is empty/],
    ['no-last-terminator', policy('mx: mx.test') =~ s/\n\z//r, 'mx.test'],

    # keys
    ['mode-twice', policy('mx: mx.test', 'mode: none', 'mode: testing'), 'mx.test'],
    ['none-first', "mode: none\n" . policy('mx: mx.test'), 'no policy'],
    ['mode-in-capitals', policy('mx: mx.test') =~ s/enforce/ENFORCE/r, undef, qr/mode is "ENFORCE"/],
    ['mode-as-key-in-capitals', policy('mx: mx.test') =~ s/mode/Mode/r, undef, qr/no mode line/],
    ['mode-and-more', policy('mx: mx.test') =~ s/enforce/enforce none/r, undef, qr/mode is "enforce none"/],
    ['blanks-around-mode', policy('mx: mx.test') =~ s/ enforce/ \t enforce  /r, 'mx.test', qr/^mode:/],
    ['blank-before-colon', policy('mx: mx.test') =~ s/mode:/mode :/r, undef, qr/^line 2: /],
    ['blank-before-key', policy('mx: mx.test') =~ s/mode:/ mode:/r, undef, qr/^line 2: /],
    ['version-2', policy('mx: mx.test') =~ s/STSv1/STSv2/r, undef, qr/version is "STSv2"/],
    ['version-twice', policy('mx: mx.test', 'version: STSv9'), 'mx.test'],

    # max_age
    (map { ["max-age-$_->[0]", policy('mx: mx.test') =~ s/86400/$_->[1]/r, undef, qr/max_age/] } ['negative', '-1'], ['plus', '+5'], ['hex', '0x7fff'],
        ['exponent', '1e5'], ['eleven-digits', '99999999999'], ['fraction', '1.5'], ['two', '1 2'], ['arabic', "\xd9\xa3"]),
    ['max-age-ten-digits', policy('mx: mx.test') =~ s/86400/9999999999/r, 'mx.test'],
    ['max-age-zero', policy('mx: mx.test') =~ s/86400/0/r, 'no policy'],
    ['max-age-twice', policy('mx: mx.test', 'max_age: 0'), 'mx.test'],

    # names
    ['no-mx', policy(), undef, qr/no mx line/],
    ['wildcard', policy('mx: *.test'), '.test'],
    (map { ["mx-$_->[0]", policy("mx: $_->[1]"), undef, qr/mx/] } ['star', '*'], ['star-dot', '*.'], ['two-stars', '*.*.test'], ['part-star', 'a*.test'],
        ['star-within', 'a.*.test'], ['dot', '.test'], ['last-dot', 'mx.test.'], ['two-dots', 'mx..test'], ['address', '192.0.2.1'], ['literal', '[192.0.2.1]'],
        ['ipv6', '2001:db8::1'], ['underscore', 'mx_1.test'], ['unicode', "b\xc3\xbccher.test"], ['254-octets', "l$long"], ['label-of-64', 'l' x 64 . '.test'],
        ['homoglyph', "\xd0\xb0.test"], ['full-width-dot', "mx\xef\xbc\x8etest"], ['hyphen', '-mx.test']),
    ['a-label', policy('mx: xn--bcher-kva.test'), 'xn--bcher-kva.test'],
    ['capitals', policy('mx: MX.Test'), 'mx.test'],
    ['253-octets', policy("mx: $long"), $long],
    ['the-same-often', policy(('mx: mx.test') x 1000), 'mx.test'],
    ['1000-mx', policy(map { "mx: mx$_.test" } 1 .. 1000), join ':', map { "mx$_.test" } 1 .. 1000],
    ['1001-mx', policy(map { "mx: mx$_.test" } 1 .. 1001), undef, qr/more than 1000 mx lines/],
    ['250-long-mx', policy(map { 'mx: ' . substr(sprintf('%03d', $_) . $long, 3) =~ s/^l{3}/sprintf 'l%02x', $_/er } 1 .. 250), qr/^l01l.*:lfal+\.l/],
);

my @list = map {
    { name => $_->[0], body => $_->[1], match => $_->[2], more => $_->[3], domain => "$_->[0].test", address => loopback($_->[4]), text => "$HEAD\r\n$_->[1]" }
} map { my $n = $_; [@{ $bodies[$n] }[0 .. 3], $n] } 0 .. $#bodies;
world_start(hosts => \@list, stsd => 'https_timeout = 60s lookup_timeout = 90s');
my %record = ask_stsd('resolve', map { $_->{domain} } @list);

# The words of a policy as Postfix 3.10 and later cut it (mystrtokq, extpar): at blanks and commas outside braces; { name = value } or name=value.
sub words_of {
    my ($text) = @_;
    my @word;
    while ($text =~ /\G[\t\r\n, ]*/gc && pos($text) < length $text) {
        my ($word, $depth) = ('', 0);
        while ($text =~ /\G(.)/gcs) {
            if (!$depth && $1 =~ /[\t\r\n, ]/) { last }
            $depth += $1 eq '{' ? 1 : $1 eq '}' ? -1 : 0;
            die "braces: $text" if $depth < 0;
            $word .= $1;
        }
        die "braces: $text" if $depth;
        push @word, $word;
    }
    my $level = shift @word;
    return ($level, map { s/^\{\s*//s && s/\s*\}$//s; /^([a-z_]+)\s*=\s*(.*)$/s or die "no name=value: $_"; [$1, $2] } @word);
}

for my $row (@list) {
    my ($domain, $sts) = ($row->{domain}, $record{ $row->{domain} }{sts});
    my $plain = ask_policyd('postfix', $domain);
    my $tlsrpt = ask_policyd('QUERYwithTLSRPT', $domain);
    is("$plain$tlsrpt" =~ /[^\x20-\x7e]/ ? 1 : 0, 0, "$domain: the answers are plain text");
    if (!defined $row->{match}) {
        is($sts->{failure}, $invalid, "$domain: A5 is invalid");
        like($sts->{why}, $row->{more}, "$domain: in words");
        is("$plain/$tlsrpt", 'NOTFOUND /NOTFOUND ', "$domain: A8 as without policy");
        next;
    }
    is($sts->{failure}, '', "$domain: A5 is valid") or diag($sts->{why});
    if ($row->{match} eq 'no policy') {
        is("$plain/$tlsrpt", 'NOTFOUND /NOTFOUND ', "$domain: binds nothing");
        next;
    }
    if ($row->{match} eq '') {
        like($_, qr/^TEMP .*match list/, "$domain: A12 nothing that Postfix could match") for $plain, $tlsrpt;
        next;
    }
    my ($match) = $plain =~ /^OK secure match=(\S+) servername=hostname$/;
    ref $row->{match} ? like($match, $row->{match}, "$domain: A12 the match list") : is($match, $row->{match}, "$domain: A12 the match list");
    my ($level, @pairs) = words_of(substr $tlsrpt, 3);
    my %by;
    push @{ $by{ $_->[0] } }, $_->[1] for @pairs;
    is($level, 'secure', "$domain: A12 the level");
    is("@{ $by{match} // [] } @{ $by{servername} // [] }", ($match // '') . ' hostname', "$domain: A12 one match list, the same");
    my @more = sort grep { $_ !~ /^(?:match|servername|mx_host_pattern|policy_string)$/ } keys %by;
    next if !@more && length($tlsrpt) + length($row->{body}) > 60000; # attributes are left out where they do not fit
    is("@more", 'policy_domain policy_ttl policy_type', "$domain: A12 no attribute but ours");
    is("@{ $by{policy_type} } @{ $by{policy_domain} }", "sts $domain", "$domain: A12 which say what they must");
    my @strings = grep { !$row->{more} || !/$row->{more}/ } map { s/^ +| +$//gr } split /\r?\n/, $row->{body};
    is_deeply($by{policy_string} // \@strings, \@strings, "$domain: A12 the strings");
}
is(() = world_log('stsd') =~ /[^\x20-\x7e\n]/g, 0, 'the log is plain text');
is(world_end(), '', 'a good end');
done_testing();
