#!/usr/bin/perl
# Reports from counts, through make_report, read by software that is not ours: Perl's JSON, gzip and MIME, and openssl for the signatures. Checks J1 to J19, E1 to
# E14, W1, W12.
use strict;
use warnings;
use Digest::SHA qw(sha256);
use File::Temp qw(tempdir);
use IO::Uncompress::Gunzip qw(gunzip $GunzipError);
use JSON::PP;
use MIME::Base64;
use Test::More;

my $make = './t/tlsrptd/make_report';
my $dir = tempdir(CLEANUP => 1);
my $types = join '|', qw(starttls-not-supported certificate-host-mismatch certificate-expired certificate-not-trusted validation-failure tlsa-invalid dnssec-invalid
    dane-required sts-policy-fetch-error sts-policy-invalid sts-webpki-invalid);
my $head = <<'END';
day 20779
domain example.com
record v=TLSRPTv1; rua=mailto:tls@example.com
organization Größe "Mail" GmbH
contact tls@sender.example
submitter sender.example
from tls-reports@sender.example
to tls@example.com
unique abc123
now 1795417200
END
my $policies = <<'END';
policy sts Example.com. 100 7
string version: STSv1
string mode: enforce
string mx: *.example.com
string nonsense
string max_age: 86400
mx *.example.com
mx mx.example.net
failure certificate-not-trusted 5
mx-name mx1.example.com
sending-ip 192.0.2.1
receiving-ip 2001:DB8:0::1
mx-helo %22%FF%01\
failure validation-failure 2
sending-ip fe80::1%eth0
failure certificate-expired 1
reason a
failure certificate-expired 2
reason a
failure 901 0
policy tlsa MX1.Example.com. 50 0
string 3 1 1 0123456789abcdef
policy none elsewhere.example 18446744073709551615 0
END

# What make_report writes; with an error its text.
sub make {
    my ($what, $description) = @_;
    open my $file, '>:raw', "$dir/in" or die;
    print $file $description;
    close $file;
    open my $pipe, '-|:raw', "$make $what <$dir/in 2>&1" or die;
    local $/;
    my $out = <$pipe> // '';
    close $pipe;
    return $out;
}

# --- JSON: a schema in Perl. Returns what is wrong. ---

sub wrong_members {
    my ($what, $hash, @allowed) = @_;
    my %allowed = map { $_ => 1 } @allowed;
    return map { "$what: member $_" } grep { !$allowed{$_} } sort keys %$hash;
}

sub wrong_texts {
    my ($what, @texts) = @_;
    return map { "$what: no text" } grep { !defined || ref || !length || $_ =~ /[\x7f-\x9f\x{fdd0}-\x{fdef}\x{fffe}\x{ffff}]/ } @texts;
}

sub wrong_number { my ($what, $n) = @_; return defined $n && !ref $n && $n =~ /^\d+$/ && $n <= 2**53 ? () : ("$what: no number") }

sub wrong_detail {
    my ($d) = @_;
    my @wrong = wrong_members('detail', $d, qw(result-type sending-mta-ip receiving-mx-hostname receiving-mx-helo receiving-ip failed-session-count
        additional-information failure-reason-code));
    push @wrong, 'result-type' if $d->{'result-type'} !~ /^($types)$/;    # J14
    push @wrong, 'J15' if $d->{'result-type'} =~ /^(validation-failure|certificate-not-trusted)$/ && !defined $d->{'failure-reason-code'};
    push @wrong, 'J13' if wrong_number('', $d->{'failed-session-count'}) || $d->{'failed-session-count'} < 1;
    push @wrong, map { "J16: $_" } grep { defined && !/^(\d+\.\d+\.\d+\.\d+|[0-9a-f:]+)$/ } map { $d->{$_} // () } qw(sending-mta-ip receiving-ip);
    return @wrong, wrong_texts('detail', map { $d->{$_} // () } qw(receiving-mx-helo failure-reason-code receiving-mx-hostname));
}

sub wrong_policy {
    my ($p) = @_;
    my $type = $p->{policy}{'policy-type'};
    my @wrong = (wrong_members('element', $p, qw(policy summary failure-details)), wrong_members('policy', $p->{policy}, qw(policy-type policy-string policy-domain),
        $type eq 'sts' ? 'mx-host' : ()));    # J6, J10
    push @wrong, 'J7' if $type !~ /^(tlsa|sts|no-policy-found)$/;
    push @wrong, 'J8' if ref $p->{policy}{'policy-string'} ne 'ARRAY' || ($type eq 'no-policy-found' && @{$p->{policy}{'policy-string'}});
    push @wrong, 'J9' if $p->{policy}{'policy-domain'} !~ /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/;
    push @wrong, 'J10' if $type eq 'sts' && ref $p->{policy}{'mx-host'} ne 'ARRAY';
    push @wrong, map { wrong_number("J11 $_", $p->{summary}{"total-$_-session-count"}) } qw(successful failure);
    push @wrong, 'J6' if ref $p->{'failure-details'} ne 'ARRAY';
    my (%seen, @twice);
    for my $d (@{$p->{'failure-details'}}) {
        push @twice, 'J13: twice' if $seen{join "\0", map { "$_=$d->{$_}" } grep { $_ ne 'failed-session-count' } sort keys %$d}++;
    }
    return @wrong, @twice, wrong_texts('policy-string', @{$p->{policy}{'policy-string'}}), map { wrong_detail($_) } @{$p->{'failure-details'}};
}

sub wrong_report {
    my ($r) = @_;
    my @wrong = wrong_members('report', $r, qw(organization-name date-range contact-info report-id policies));
    push @wrong, wrong_texts('J2', @$r{qw(organization-name contact-info report-id)});
    push @wrong, map { "J3: $_" } grep { $r->{'date-range'}{$_} !~ /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/ } qw(start-datetime end-datetime);
    push @wrong, 'J2: policies' if ref $r->{policies} ne 'ARRAY' || !@{$r->{policies}};
    return @wrong, map { wrong_policy($_) } @{$r->{policies}};
}

sub report_of { my ($json) = @_; return JSON::PP->new->utf8->decode($json) }

my $json = make('json', $head . $policies);
my $r = report_of($json);
is(join('; ', wrong_report($r)), '', 'J1 to J17: the schema');
is($r->{'organization-name'}, "Gr\x{f6}\x{df}e \"Mail\" GmbH", 'J2: the organization in UTF-8');
is_deeply($r->{'date-range'}, {'start-datetime' => '2026-11-22T00:00:00Z', 'end-datetime' => '2026-11-22T23:59:59Z'}, 'J3: the whole day');
is($r->{'contact-info'}, 'tls@sender.example', 'J4');
like($r->{'report-id'}, qr/^20261122\.[0-9a-f]{16}\.example\.com\@sender\.example$/, 'J5');
is(make('json', $head . $policies), $json, 'J5: built again it is the same');
for my $zone ('Pacific/Kiritimati', 'America/Los_Angeles') {
    my $here = make('mail', $head . $policies);
    local $ENV{TZ} = $zone;
    is(make('json', $head . $policies), $json, "W1: the day is the UTC day in $zone");
    is(make('mail', $head . $policies), $here, "W1: and so in the mail");
}
isnt(report_of(make('json', $head =~ s/mailto:tls/mailto:other/r . $policies))->{'report-id'}, $r->{'report-id'}, 'J5: of another record it has another id');
my ($sts, $tlsa, $none) = @{$r->{policies}};
is_deeply($sts->{policy}, {'policy-type' => 'sts', 'policy-domain' => 'example.com', 'mx-host' => ['*.example.com', 'mx.example.net'],
    'policy-string' => ['version: STSv1', 'mode: enforce', 'mx: *.example.com', 'nonsense', 'max_age: 86400']}, 'J8 to J10: an STS policy');
is_deeply($tlsa, {policy => {'policy-type' => 'tlsa', 'policy-domain' => 'mx1.example.com', 'policy-string' => ['3 1 1 0123456789abcdef']}, 'failure-details' => [],
    summary => {'total-successful-session-count' => 50, 'total-failure-session-count' => 0}}, 'J8, J9, J19: TLSA beside it');
is_deeply($none->{policy}, {'policy-type' => 'no-policy-found', 'policy-domain' => 'example.com', 'policy-string' => []}, 'J8, J9: none');
like($json, qr/"total-successful-session-count":9007199254740991\b/, 'J1: no number is beyond what all read exactly');
is_deeply($sts->{'failure-details'}, [
    {'result-type' => 'certificate-not-trusted', 'receiving-mx-hostname' => 'mx1.example.com', 'sending-mta-ip' => '192.0.2.1', 'receiving-ip' => '2001:db8::1',
        'receiving-mx-helo' => "\"?\x01\\", 'failure-reason-code' => 'chain-not-trusted', 'failed-session-count' => 5},
    {'result-type' => 'certificate-expired', 'failure-reason-code' => 'a', 'failed-session-count' => 3},
    {'result-type' => 'validation-failure', 'failure-reason-code' => 'unspecified', 'failed-session-count' => 2},
], 'J13, J15 to J17: details, equal ones merged, addresses in their form, octets mended');

# --- J17: hostile text ---

for my $hostile ('%22%5Cx00%FF', '%ED%A0%80', '%EF%BF%BF', '%F4%90%80%80', '%C0%80', '%7F%C2%85', '%0D%0ABcc: x', 'x' x 10000, '%C3%A9' x 5000, '%01' x 10000) {
    my $one = make('json', "${head}policy sts example.com 1 1\nstring $hostile\nmx $hostile\nfailure validation-failure 1\nmx-helo $hostile\nmx-name $hostile\n"
        . "reason $hostile\nadditional $hostile\nsending-ip $hostile\nreceiving-ip $hostile\n");
    my $read = eval { report_of($one) };
    is($read ? join('; ', wrong_report($read)) : "$@$one", '', 'J17: ' . substr $hostile, 0, 20);
}
is(length report_of(make('json', "${head}policy sts example.com 1 1\nfailure validation-failure 1\nmx-helo " . 'x' x 10000 . "\n"))->{policies}[0]{'failure-details'}[0]
    {'receiving-mx-helo'}, 1024, 'J17: an EHLO of 10 kB is cut');

# --- E13: too much ---

my $many = "${head}policy sts example.com 5 20000\nfailures certificate-expired 20000 500\nfailures sts-policy-invalid 2 200\n";
my $cut = make('json', $many);
$r = report_of($cut);
my %sum;
$sum{$_->{'result-type'}} += $_->{'failed-session-count'} for @{$r->{policies}[0]{'failure-details'}};
my ($other) = grep { $_->{'failure-reason-code'} eq 'other' } @{$r->{policies}[0]{'failure-details'}};
cmp_ok(length $cut, '<=', 7_000_000, 'E13: a report has a limit');
cmp_ok(length $cut, '>', 6_800_000, 'E13: and uses what it has');
is(join('; ', wrong_report($r)), '', 'E13: the schema still');
is_deeply(\%sum, {'certificate-expired' => 20000 * 20001 / 2, 'sts-policy-invalid' => 3}, 'E13, J18: sums stay exact');
my $left_out = 20002 - grep { $_->{'failure-reason-code'} ne 'other' } @{$r->{policies}[0]{'failure-details'}};
is(make('left-out', $many), "$left_out\n", "E13: it is said how many were left out ($left_out)");
my ($least) = sort { $a <=> $b } map { $_->{'failed-session-count'} } grep { $_->{'failure-reason-code'} ne 'other' } @{$r->{policies}[0]{'failure-details'}};
is($other->{'failed-session-count'}, ($least - 1) * $least / 2, 'E13: the rarest');
is(make('left-out', $head . $policies), "0\n", 'E13: else none');

# --- the mail ---

my %how = (rsa => 'RSA -pkeyopt rsa_keygen_bits:2048', ed25519 => 'ed25519');
for (sort keys %how) {
    system "openssl genpkey -algorithm $how{$_} -out $dir/$_.pem 2>/dev/null; chmod 600 $dir/$_.pem; openssl pkey -in $dir/$_.pem -pubout -out $dir/$_.pub";
}
my $keys = "key $dir/rsa.pem sender.example rsa1\nkey $dir/ed25519.pem sender.example ed1\n";
my $mail = make('mail', $head . $policies . $keys);
my ($header, $body) = split /\r\n\r\n/, $mail, 2;
$header .= "\r\n";
unlike($mail =~ s/\r\n//gr, qr/[\r\n]|[^\x00-\x7f]/, 'E7: line ends are CR LF, and all is 7bit');
is(join(',', grep { length > 998 } split /\r\n/, $mail), '', 'E7: no long lines');
my @fields = map { [/^([^:]+):[ \t]*(.*)/s] } split /\r\n(?![ \t])/, $header;
$_->[1] =~ s/\r\n//g for @fields;
my %field = map { lc $_->[0] => $_->[1] } @fields;
my %times;
$times{lc $_->[0]}++ for @fields;
is_deeply([grep { $times{$_} != 1 } qw(from to date message-id subject mime-version content-type tls-report-domain tls-report-submitter tls-required auto-submitted)], [],
    'E4, E8: each field once');
is(join(' ', map { $_->[0] } @fields[0, 1, 2]), 'DKIM-Signature DKIM-Signature From', 'signatures come first');
is($field{from}, 'tls-reports@sender.example', 'E8: From');
is($field{to}, 'tls@example.com', 'E8: To');
is($field{date}, 'Mon, 23 Nov 2026 07:00:00 +0000', 'E8: Date');
is($field{'message-id'}, '<abc123@sender.example>', 'E8: Message-ID');
my $id = (split /\n/, make('id', $head . $policies))[0];
is($field{subject}, "Report Domain: example.com Submitter: sender.example Report-ID: <$id>", 'E5: Subject');
is("$field{'tls-report-domain'} $field{'tls-report-submitter'} $field{'tls-required'} $field{'auto-submitted'}", 'example.com sender.example No auto-generated',
    'E4, E11, E12');
like($field{'content-type'}, qr{^multipart/report; report-type="tlsrpt";\s+boundary="report_abc123"$}, 'E1');
my @parts = split /(?:^|\r\n)--report_abc123(?:--)?\r\n/, $body;
is(scalar @parts, 3, 'E2: two parts and nothing before or behind them');
is($parts[0], '', 'E2: nothing before');
my ($text_header, $text) = split /\r\n\r\n/, $parts[1], 2;
my ($gzip_header, $base64) = split /\r\n\r\n/, $parts[2], 2;
like($text_header, qr{^Content-Type: text/plain}, 'E2: the first is text');
like($text, qr/\Q$_\E/, "E14: the text has $_") for 'example.com', 'sender.example', $id, '2026-11-22T00:00:00Z', '2026-11-22T23:59:59Z', '7 failed';
is($gzip_header =~ s/\r\n\t/ /gr, "Content-Type: application/tlsrpt+gzip\r\nContent-Transfer-Encoding: base64\r\n"
    . "Content-Disposition: attachment; filename=\"sender.example!example.com!1795305600!1795391999!" . ($id =~ /\.([0-9a-f]{16})\./)[0] . '.json.gz"', 'E3, E6, E7');
is(join(',', grep { length > 76 } split /\r\n/, $base64), '', 'E7: base64 in lines of 76');
my $gzip = decode_base64($base64);
is($gzip, make('gzip', $head . $policies), 'E3: the attachment is the report');
is(substr($gzip, 0, 9), "\x1f\x8b\x08\0\0\0\0\0\0", 'E3: gzip without name and time');
my $un = IO::Uncompress::Gunzip->new(\$gzip);
my $unzipped = join '', <$un>;
is($unzipped, $json, 'E3: which decompresses to the JSON');
is($un->trailingData // '', '', 'E3: and to nothing else');

# --- DKIM (E9), by the words of RFC 6376 alone ---

sub relaxed { my ($f) = @_; my ($n, $v) = $f =~ /^([^:]*?)[ \t]*:(.*)/s; s/\r\n//g, s/[ \t]+/ /g, s/^ | $//g for $v; return lc($n) . ":$v" }

for my $n (0, 1) {
    my ($raw) = (split /\r\n(?![ \t])/, $header)[$n];
    my %tag = map { my $t = $_ =~ s/\s+//gr; $t =~ /^(\w+)=(.*)/ ? ($1, $2) : () } split /;/, $fields[$n][1];
    my %left;
    unshift @{$left{lc((/^([^:]+)/)[0])}}, $_ for split /\r\n(?![ \t])/, $header =~ s/\r\n\z//r;
    my $signed = join '', map { my $f = shift @{$left{$_} // []}; defined $f ? relaxed($f) . "\r\n" : '' } split /:/, $tag{h};
    $signed .= relaxed($raw =~ s/\bb=[^;]*\z/b=/sr);
    (my $canonical = $body) =~ s/[ \t]+\r\n/\r\n/g;
    $canonical =~ s/[ \t]+/ /g;
    $canonical =~ s/(\r\n)+\z/\r\n/;
    is($tag{bh}, encode_base64(sha256($canonical), ''), "E9: $tag{a}: digest of the body");
    ok(!exists $tag{l}, "E9: $tag{a}: no l=");
    is("$tag{d} $tag{c} $tag{t}", 'sender.example relaxed/relaxed 1795417200', "E9: $tag{a}: d=, c=, t=");
    is_deeply([grep { $tag{h} !~ /(^|:)\Q$_\E(:|$)/ } qw(from to subject date message-id mime-version content-type tls-report-domain tls-report-submitter tls-required
        auto-submitted)], [], "E9: $tag{a}: what is signed");
    like($tag{h}, qr/\b$_:.*?\b$_\b/, "$tag{a}: a second $_ would break it") for qw(from to subject date);
    my $name = $tag{a} =~ /^(\w+)-/ ? $1 : '';
    for (['signed', $name eq 'rsa' ? $signed : sha256($signed)], ['signature', decode_base64($tag{b})]) {
        open my $file, '>:raw', "$dir/$_->[0]" or die;
        print $file $_->[1];
        close $file;
    }
    my $raw_in = $name eq 'rsa' ? '-rawin -digest sha256' : '-rawin';
    is(system("openssl pkeyutl -verify -pubin -inkey $dir/$name.pub $raw_in -in $dir/signed -sigfile $dir/signature >$dir/log 2>&1"), 0, "E9: $tag{a}: openssl verifies it")
        or diag(`cat $dir/log`);
    is(join(',', grep { length(s/\t/        /gr) > 78 } split /\r\n/, $raw), '', "$tag{a}: folded at 78 columns");
}
my $public = join '', grep { !/--/ } split /\n/, `cat $dir/rsa.pub`;
is(make('record', $head . $policies . $keys), "v=DKIM1; k=rsa; s=tlsrpt:email; p=$public\n", 'E10: the record, with the key as openssl has it');

# --- long names, odd addresses, refusals ---

my $d253 = join '.', ('d' x 63) x 3, 'd' x 61;
my $f253 = join '.', ('f' x 63) x 3, 'f' x 61;
my $long = make('mail', ($head =~ s/example\.com\n/$d253\n/r =~ s/sender\.example/$f253/gr) . $policies);
like($long =~ s/\r\n(?=[ \t])//gr, qr/^Subject: (?=.{1,989}\r$)Report Domain: $d253 Submitter: $f253 Report-ID: <20261122\.[0-9a-f]{16}\@$f253>\r$/m, 'E5: long names');
like($long =~ s/\r\n(?=[ \t])//gr, qr/filename="$f253!$d253!1795305600!1795391999!\w+\.json\.gz"\r$/m, 'E6: long names');
is(join(',', grep { length > 998 } split /\r\n/, $long), '', 'E7: long names');

# Whatever form the domain comes in, A-labels leave: E4 to E6, J9.
my $idn = "xn--bcher-kva.example";
my ($idn_in, %idn) = ($head =~ s/^domain .*/domain B\xc3\xbccher.Example./mr =~ s/sender\.example/m\xc3\xa4il.example/gr) . "policy sts B%C3%BCcher.Example. 1 0\n";
$idn{$_} = make($_, $idn_in) for 'json', 'mail';
$idn{mail} =~ s/\r\n(?=[ \t])//g;
my $idn_report = eval { report_of($idn{json}) } // {policies => [{policy => {}}]};
is($idn_report->{policies}[0]{policy}{'policy-domain'}, $idn, 'J9: A-labels');
is($idn_report->{'contact-info'}, 'tls@xn--mil-qla.example', 'J4: A-labels');
like($idn{mail}, qr/^TLS-Report-Domain: \Q$idn\E\r\nTLS-Report-Submitter: xn--mil-qla\.example\r$/m, 'E4: A-labels');
like($idn{mail}, qr/^Subject: Report Domain: \Q$idn\E Submitter: xn--mil-qla\.example Report-ID: <20261122\.\w+\.\Q$idn\E\@xn--mil-qla\.example>\r$/m, 'E5: A-labels');
like($idn{mail}, qr/filename="xn--mil-qla\.example!\Q$idn\E!1795305600!1795391999!\w+\.json\.gz"\r$/m, 'E6: A-labels');

my @mails = (
    ['to' => '-oQ/tmp@example.com' => qr/^To: -oQ\/tmp\@example\.com\r$/m],
    ['to' => 'a..b.@example.com' => qr/^To: "a\.\.b\."\@example\.com\r$/m],
    ['to' => 'x@B%C3%BCcher.example' => qr/^To: x\@xn--bcher-kva\.example\r$/m],
    ['to' => 'a@b.example%0D%0ABcc: c@d.example' => qr/^make_report: mail: the recipient of a report: the domain of the address: /],
    ['to' => 'a%0D%0ABcc: c@d.example' => qr/^make_report: mail: the recipient of a report: octet 0x0d is not allowed/],
    ['to' => 'A B <a@b.example>' => qr/^make_report: mail: the recipient of a report: octet 0x20/],
    ['to' => '' => qr/^make_report: mail: the recipient of a report: the address has no '\@'/],
    ['from' => 'r@other.example' => qr/^make_report: mail: the sender of reports, r\@other\.example, is not at the domain/],
    ['from' => 'r@xsender.example' => qr/^make_report: mail: the sender of reports, r\@xsender\.example, is not at the domain/],
    ['from' => 'r@mail.sender.example' => qr/^From: r\@mail\.sender\.example\r$/m],
    ['from' => 'r%0A@sender.example' => qr/^make_report: mail: the sender of reports: octet 0x0a/],
    ['unique' => 'a"%0D%0A' => qr/^make_report: mail: what makes a mail unique must be letters and digits/],
    ['unique' => '' => qr/^make_report: mail: what makes a mail unique must have 1 to 50 octets/],
    ['now' => '-1' => qr/^make_report: mail: the time of a mail is before 1970 or after 9999/],
    ['contact' => 'x@other.example' => qr/^make_report: report: the contact of reports, x\@other\.example, is not at the domain that submits them, sender\.example/],
    ['contact' => 'Name <x@sender.example>' => qr/^make_report: report: the contact of reports: octet 0x20/],
    ['submitter' => 'sender..example' => qr/^make_report: report: who submits reports: an empty label/],
    ['domain' => 'example.com%0A' => qr/^make_report: report: the domain of a report: /],
);
for (@mails) {
    my ($word, $value, $want) = @$_;
    my $out = make('mail', $head =~ s/^$word .*/$word $value/mr . $policies);
    like($out, $want, "W12: $word $value");
    unlike($out, qr/^Bcc/m, "W12: $word $value: no field of its own");
}
like(make('json', $head), qr/^make_report: report: nothing was counted of example\.com under this TLSRPT record/, 'no policies');
like(make('mail', $head . $policies . "key $dir/rsa.pem other.example s1\n"), qr/^make_report: mail: a DKIM key of other\.example cannot sign/, 'a key of another domain');

# E13: what does not compress is below 10 MB as well.
my $random = join '', map { "failure certificate-expired 1\nreason " . unpack('H*', pack 'N*', map { int rand 2**32 } 1 .. 60) . "\n" } 1 .. 15000;
cmp_ok(length make('mail', "${head}policy sts example.com 0 15000\n$random$keys"), '<', 10_000_000, 'E13: a mail is below 10 MB');

done_testing;
