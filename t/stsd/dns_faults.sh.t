#!/usr/bin/perl
# Wrong DNS replies end to end: the built postern-stsd and postern-policyd, with a real Redis and policy host, against a resolver that says what it should
# not. Whatever it says, policyd's answer is never weaker than the true one: the truth, the policy that was known before, or TEMP. Checks A1, A2, A8, B-1, B-3,
# B-5, B-6.
#
# What is tested where:
#   a message alone: broken, cut, compressed badly, foreign records, chains, TTLs, codes    t/shared/core/dns_*.t.c, t/fuzz/fuzz_dns_reply.c
#   tries, servers in turn, time-outs, TCP, forged replies, ids and ports, no descriptors   t/shared/io/dns_io.t.c
#   which resolvers are asked and believed                                                  t/shared/io/dns_server_io.t.c
#   every way in which answers can fail, in any order                                       t/shared/core/resolve*.t.c, t/fuzz/fuzz_resolve.c
#   what comes of wrong replies for mail, and for what was known before                     here
#   resolvers that are away, restarted, not believed; no descriptors                        dns_away.sh.t
#   a real validating resolver, signed and bogus zones                                      t/lab
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Hostile;
use Test::More;

# --- how replies are made wrong: each sub here and in the tables below gets the query and returns what is sent ---

sub code { my ($rcode) = @_; return sub { message($_[0], rcode => $rcode) } }
sub truncated { return message($_[0], flags => 0x8380) }

# The truth over TCP.
sub large { my ($q, %change) = @_; return $q->{tcp} ? good($q, %change) : truncated($q) }

# A sub that does the one over UDP, where it should not matter, and the other over TCP.
sub then_tcp { my ($deed) = @_; return sub { $_[0]{tcp} ? $deed->($_[0]) : truncated($_[0]) } }

# A reply that would be taken if one looked less closely: it says that there is no such name.
sub forged { my ($q, %m) = @_; return message($q, rcode => 3, flags => 0x81a0, authority => [soa('test')], %m) }
sub wrong_id { my ($q) = @_; return forged($q, id => $q->{id} ^ 1) }

sub question {
    my ($q, %other) = @_;
    my ($name, $type, $class) = $q->{question} =~ /^(.*)(..)(..)$/s;
    return ($other{name} // $name) . ($other{type} // $type) . ($other{class} // $class);
}

# The header's six words, changed by a sub.
sub header {
    my ($octets, $change) = @_;
    my @word = unpack 'n6', $octets;
    $change->(\@word);
    return pack('n6', @word) . substr $octets, 12;
}

sub ttl { my ($ttl) = @_; return sub { good($_[0]) =~ s/\0\0\x01\x2c/pack 'N', $ttl/ger } }
sub true_records { my ($q) = @_; my %truth = truth($q); return @{ $truth{answer} // [] } }

# A record at the name that was asked for.
sub here { my ($q, $rdata) = @_; return rr("\xc0\x0c", $q->{type}, 300, $rdata) }
sub mx { my ($q, $preference, $name) = @_; return here($q, pack('n', $preference) . wire_name($name)) }
sub txt { my ($q, @strings) = @_; return here($q, pack '(C/a*)*', @strings) }

# CNAMEs from the name on, each to the next, and at last to the records at $end.
sub chain {
    my ($q, $links, $end) = @_;
    my @names = ($q->{name}, (map { "c$_.test" } 1 .. $links - 1), $end);
    return ((map { rr($names[$_], CNAME, 300, wire_name($names[ $_ + 1 ])) } 0 .. $links - 1), true_records({%$q, name => $end}));
}

sub foreign_records {
    my ($q) = @_;
    my %rdata = (TXT, pack('C/a*', 'v=STSv1; id=9'), MX, "\0\1" . wire_name('evil.test'), TLSA, "\3\1\1" . 'e' x 32, A, 'evil');
    return map { rr($_, $q->{type}, 0, $rdata{ $q->{type} } // 'evil' x 4) } 'evil.test', "x.$q->{name}", 'test', '';
}

# Records of no use that fill a message up to so many octets.
sub padding {
    my ($octets) = @_;
    my $one = rr("\0", TXT, 300, pack 'C/a*', 'p' x 20);
    return [($one) x ($octets / length $one)];
}

# --- the tables: what is wrong, and what is sent ---

# Nothing comes, or nothing that is from the resolver and for this query: not known now.
my %unheard = (
    'no reply' => sub { () },
    'an empty datagram' => sub { $_[0]{tcp} ? () : '' },
    'wrong id' => \&wrong_id,
    'wrong name' => sub { forged($_[0], question => question($_[0], name => wire_name('other.test'))) },
    'wrong type' => sub { forged($_[0], question => question($_[0], type => "\0\2")) },
    'wrong class' => sub { forged($_[0], question => question($_[0], class => "\0\3")) },
    'a query, not a reply' => sub { forged($_[0], flags => 0x0120) },
    'another opcode' => sub { forged($_[0], flags => 0xa1a0) },
    'no question' => sub { forged($_[0], question => '', questions => 0) },
    'a header alone, FORMERR' => sub { message($_[0], question => '', questions => 0, rcode => 1) },
    'the question twice' => sub { forged($_[0], question => $_[0]{question} x 2, questions => 2) },
    'from another port' => sub { {by => 'port', octets => forged($_[0])} },
    'from another address' => sub { {by => 'address', octets => forged($_[0])} },
    'too late' => sub { {after => 4, octets => good($_[0])} },
    'truncated, TCP silent' => then_tcp(sub { () }),
    'truncated, TCP drips' => then_tcp(sub { my ($q, $n) = ($_[0], 0); map { {raw => $_, after => $n++ / 4} } split //, substr pack('n/a*', good($q)), 0, 30 }),
);

# Nonsense, or the resolver does not want to: that says nothing of the name either.
my %nonsense = (
    'FORMERR, to EDNS say' => code(1),
    'NOTIMP' => code(4),
    'REFUSED' => code(5),
    'NOTAUTH' => code(9),
    'BADVERS' => sub { message($_[0], additional => [rr("\0", 41, 0x01000000, '', 1232)]) },
    'a referral' => sub { message($_[0], flags => 0x8100, authority => [rr('test', 2, 300, wire_name('ns.test'))]) },
    'cut off without TC' => sub { substr good($_[0]), 0, -3 },
    'more octets than records' => sub { good($_[0]) . 'x' },
    'a record count too high' => sub { header(good($_[0]), sub { $_[0][3]++ }) },
    'record counts without records' => sub { header(message($_[0]), sub { @{ $_[0] }[3 .. 5] = (65535) x 3 }) },
    'rdata too short' => sub { good($_[0], answer => [here($_[0], "\x09")]) },
    'NXDOMAIN with records of the name' => sub { good($_[0], rcode => 3, answer => [here($_[0], "\0\1\1xxxx\0")]) },
    'pointer to itself' => sub { good($_[0], answer => [rr(pack('n', 0xc00c + length $_[0]{question}), $_[0]{type}, 300, "\0" x 4)]) },
    'pointer past the end' => sub { good($_[0], answer => [rr("\xff\xff", $_[0]{type}, 300, "\0" x 4)]) },
    'truncated over TCP too' => \&truncated,
    'truncated, TCP reset' => then_tcp(sub { {reset => 1} }),
    'truncated, TCP ends at once' => then_tcp(sub { {end => 1} }),
    'truncated, TCP cut half-way' => then_tcp(sub { {raw => substr(pack('n/a*', good($_[0])), 0, 20), end => 1} }),
    'truncated, TCP length too long' => then_tcp(sub { {raw => pack('n', 9999) . good($_[0]), end => 1} }),
    'truncated, TCP length too short' => then_tcp(sub { {raw => pack('n', 20) . good($_[0]), end => 1} }),
    'truncated, wrong id over TCP' => then_tcp(\&wrong_id),
);

# The resolver says that it could not find out: a failed fetch when it is about a policy host (RFC 8461 3.3), elsewhere not known now.
my %failed = (
    'SERVFAIL' => code(2),
    'SERVFAIL with AD and records' => sub { good($_[0], rcode => 2, flags => 0x81a0) },
    'a CNAME to itself' => sub { good($_[0], answer => [rr("\xc0\x0c", CNAME, 300, "\xc0\x0c")]) },
    'two CNAMEs in a circle' => sub { good($_[0], answer => [chain($_[0], 2, $_[0]{name})]) },
    'a chain of 40 CNAMEs' => sub { good($_[0], answer => [chain($_[0], 40, 'end.test')]) },
);

# Odd, but the truth is in it, and must be found.
my %seen;
my %odd = (
    'the reply twice' => sub { (good($_[0])) x 2 },
    'name in another case' => sub { good($_[0], question => question($_[0], name => uc(($_[0]{question} =~ /^(.*)..../s)[0]))) },
    'AA and CD, no RA' => sub { header(good($_[0]), sub { $_[0][1] = $_[0][1] & ~0x80 | 0x0410 }) },
    'truncated, fine over TCP' => then_tcp(\&good),
    'truncated with half of the records' => sub { $_[0]{tcp} ? good($_[0]) : substr header(good($_[0]), sub { $_[0][1] |= 0x0200 }), 0, -3 },
    'over TCP with more behind it' => then_tcp(sub { {raw => pack('n/a*', good($_[0])) x 2} }),
    'over TCP in two pieces' => then_tcp(sub { my $all = pack 'n/a*', good($_[0]); ({raw => substr $all, 0, 1}, {after => 0.05, raw => substr $all, 1}) }),
    '300 wrong replies before the right one' => sub { $_[0]{tcp} ? good($_[0]) : ((wrong_id($_[0])) x 300, good($_[0])) },
    'wrong replies, then truncated' => sub { $_[0]{tcp} ? good($_[0]) : ((wrong_id($_[0])) x 5, truncated($_[0])) },
    'lost, right when asked again' => sub { $seen{"$_[0]{name} $_[0]{type}"}++ ? good($_[0]) : () },
    'records of other names around it' => sub { my @foreign = foreign_records($_[0]); good($_[0], answer => [@foreign, true_records($_[0]), @foreign]) },
    'other types and classes beside it' => sub { good($_[0], answer => [true_records($_[0]), rr($_[0]{name}, 99, 0, 'x', 3), rr($_[0]{name}, 65280, 0, 'x' x 300)]) },
    'behind a CNAME out of the zone' => sub { good($_[0], answer => [chain($_[0], 1, 'elsewhere.example')]) },
    'behind 16 CNAMEs, in reverse order' => sub { good($_[0], answer => [reverse chain($_[0], 16, 'end.test')]) },
    '65,000 octets over UDP' => sub { good($_[0], additional => padding(64000)) },
    '65,000 octets over TCP' => sub { large($_[0], additional => padding(65000)) },
    'TTL 0' => ttl(0),
    'TTL 2^31' => ttl(2**31),
    'TTL 2^32-1' => ttl(2**32 - 1),
);

# Odd contents of one kind of record: which query, what the answer is when the domain was never heard of before, "dane" and "sts".
my ($SECURE, $DANE_ONLY, $NOTFOUND) = ($Hostile::TRUTH{sts}, $Hostile::TRUTH{dane}, 'NOTFOUND ');
my @ODD_NAMES = ('a b.test', '{servername=x}.test', "nul\0.test", "line\nOK none.test", "\xff\xfe.test", '-a.test', 'a:25', "t\tab.test");
my @contents = (
    ['the root beside a host', mx => {dane => $DANE_ONLY, sts => $SECURE}, sub { good($_[0], answer => [mx($_[0], 0, ''), true_records($_[0])]) }],
    ['the root alone: no mail (B-5)', mx => {dane => $NOTFOUND, sts => $NOTFOUND}, sub { good($_[0], answer => [mx($_[0], 0, '')]) }],
    ['an address for a name, beside a host', mx => {dane => 'OK dane', sts => $SECURE}, sub { good($_[0], answer => [mx($_[0], 0, '192.0.2.1'), true_records($_[0])]) }],
    ['names that are none, beside a host', mx => {dane => 'OK dane', sts => $SECURE},
        sub { my $q = $_[0]; good($q, answer => [(map { mx($q, 1, $_) } @ODD_NAMES), true_records($q)]) }],
    ['100 hosts', mx => {dane => 'OK dane', sts => $SECURE}, sub { my $q = $_[0]; large($q, answer => [map { mx($q, $_, "h$_.$q->{domain}") } 1 .. 100]) }],
    ['1,500 hosts', mx => {dane => 'OK dane', sts => $SECURE}, sub { my $q = $_[0]; large($q, answer => [map { mx($q, 1, "h$_.$q->{domain}") } 1 .. 1500]) }],
    ['two records (A1)', txt => {sts => $NOTFOUND}, sub { good($_[0], answer => [map { txt($_[0], "v=STSv1; id=$_") } 1, 2]) }],
    ['behind 2,500 others', txt => {sts => $SECURE}, sub { my $q = $_[0]; large($q, answer => [(map { txt($q, "other $_") } 1 .. 2500), true_records($q)]) }],
    ['in pieces, some of them empty', txt => {sts => $SECURE}, sub { good($_[0], answer => [txt($_[0], '', 'v=STS', '', 'v1; id=', '1', ('') x 50)]) }],
    ['beside NULs and long strings', txt => {sts => $SECURE},
        sub { good($_[0], answer => [txt($_[0], "\0" x 255, 'x' x 255), true_records($_[0]), txt($_[0], "v=STSv1\0; id=2;")]) }],
    ['a NUL in it', txt => {sts => $NOTFOUND}, sub { good($_[0], answer => [txt($_[0], "v=STSv1; id=1\0;")]) }],
    ['NXDOMAIN, the record in another section', txt => {sts => $NOTFOUND}, sub { message($_[0], rcode => 3, authority => [true_records($_[0]), soa('test')]) }],
    ['no data, for ever', txt => {sts => $NOTFOUND}, sub { message($_[0], authority => [soa('test', 2**31 - 1)]) }],
    ['no such name', policy => {sts => $NOTFOUND}, sub { message($_[0], rcode => 3, authority => [soa('test')]) }],
    ['no records', policy => {sts => $NOTFOUND}, sub { message($_[0], authority => [soa('test')]) }],
    ['64 kB, the usable one last (B-2)', tlsa => {dane => $DANE_ONLY},
        sub { my $q = $_[0]; large($q, answer => [(map { here($q, "\1\1\1" . 'x' x 32) } 1 .. 1300), true_records($q)]) }],
    ['one that is too large beside an unusable one', tlsa => {dane => 'TEMP'},
        sub { large($_[0], answer => [here($_[0], "\3\0\0" . 'x' x 20000), here($_[0], "\1\1\1" . 'x' x 32)]) }],
    ['an unusable one alone (B-3)', tlsa => {dane => 'OK dane'}, sub { good($_[0], answer => [here($_[0], "\0\1\1" . 'x' x 32)]) }],
);

# --- the matrix: each fault at each query of each kind of domain, never heard of before or known before ---

my %QUERIES = (sts => [qw(mx txt policy)], dane => [qw(mx host tlsa)]);

# The one answer that is right.
sub right_answer {
    my ($class, $kind, $known, $query) = @_;
    return $Hostile::TRUTH{$kind} if $class eq 'odd';
    return 'TEMP' if $kind eq 'dane';
    return $SECURE if $known eq 'known';
    return $query eq 'policy' && $class eq 'failed' ? $NOTFOUND : 'TEMP';
}

sub class_rows {
    my ($class, $faults) = @_;
    my @cells;
    for my $kind ('sts', 'dane') {
        for my $known ('new', $class eq 'odd' ? () : 'known') {
            push @cells, map { [$kind, $known, $_, right_answer($class, $kind, $known, $_)] } @{ $QUERIES{$kind} };
        }
    }
    return map { {what => "$class: $_", deed => $faults->{$_}, cells => \@cells} } sort keys %$faults;
}

# What binds and was known before goes on, unless DNS says otherwise: for DANE it does.
sub content_row {
    my ($what, $query, $answers, $deed) = @$_;
    my @cells = map { [$_, 'new', $query, $answers->{$_}] } sort keys %$answers;
    push @cells, ['sts', 'known', $query, $SECURE] if $answers->{sts};
    return {what => "contents: $query: $what", deed => $deed, cells => \@cells};
}

my @rows = (class_rows(unheard => \%unheard), class_rows(nonsense => \%nonsense), class_rows(failed => \%failed), class_rows(odd => \%odd),
    map { content_row() } @contents);

# A row's domains: "KNOWN-QUERY-ROW.KIND.test".
for my $n (0 .. $#rows) {
    for my $cell (@{ $rows[$n]{cells} = [@{ $rows[$n]{cells} }] }) {
        my ($kind, $known, $query, $want) = @$cell;
        $cell = {kind => $kind, known => $known, query => $query, want => $want, domain => "$known-$query-$n.$kind.test"};
    }
}

sub respond {
    my ($q) = @_;
    my ($query, $n) = $q->{label} =~ /-(\w+)-(\d+)$/ or return good($q);
    return $q->{role} eq $query ? $rows[$n]{deed}->($q) : good($q);
}

sub check_row {
    my ($row, $answer) = @_;
    my (@got, @want);
    for my $cell (@{ $row->{cells} }) {
        my $name = "$cell->{kind}, $cell->{known}, $cell->{query}";
        push @want, "$name: $cell->{want}";
        push @got, "$name: " . ask_until($cell->{want}, $cell->{domain}, $answer->{ $cell->{domain} });
    }
    is(join("\n", @got), join("\n", @want), $row->{what});
}

machine_start(map { $_->{domain} } grep { $_->{kind} eq 'sts' } map { @{ $_->{cells} } } @rows);
my $port = resolver_start(\&respond);
node_start('matrix', ["127.0.0.1:$port"]);
my @left = @rows;
while (my @some = splice @left, 0, 8) {
    my @cells = map { @{ $_->{cells} } } @some;
    remember('matrix', $_->{domain}, $_->{kind}) for grep { $_->{known} eq 'known' } @cells;
    my %answer = ask_all(map { $_->{domain} } @cells);
    check_row($_, \%answer) for @some;
}

# A TTL with its top bit set counts as 0 (RFC 2181 8), which is a second for us; nothing is known for more than an hour. The policy host does not count.
for my $row (grep { $_->{what} =~ /TTL|for ever/ } @rows) {
    my $longest = $row->{what} =~ /TTL/ ? 1 : 3600;
    my @facts = map { facts($_->{domain}) } grep { $_->{query} ne 'policy' } @{ $row->{cells} };
    is(scalar(grep { $_->{valid_until} - $_->{resolved} <= $longest } @facts), scalar @facts, "$row->{what}: facts for $longest s at most (B-6)");
}
ok(node_alive(), 'both daemons are still there');
is(node_stop(), '', 'and end well');
done_testing();
