#!/usr/bin/perl
# posternctl publish tlsrpt, tlsa and all, with a zone that nsd serves, signed, and unbound validates, and a Postfix that
# gets mail under DANE at each step of a rollover.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Lab;
use JSON::PP qw(decode_json);
use Test::More;

my $dir = "$Lab::DIR/publish";
my $certs = "$Lab::DIR/certs";
my $store = "$dir/store";
my $zone = "$Lab::DIR/zones/pubdns.test.zone";
mkdir $_ or die "$_: $!" for $dir, $store;

sub slurp { return join "\n", Lab::lines($_[0]), '' }

sub spew {
    my ($file, @text) = @_;
    open my $out, '>', $file or die "$file: $!\n";
    print $out @text;
    close $out or die "$file: $!\n";
    return;
}

# --- posternctl ---
my $key = "$dir/report.pem";
spew("$dir/conf", slurp("$Lab::DIR/postern/postern.conf") =~ s/^tlsrptd \{\n(?:.*\n)*?\}\n//mr,
    qq(tlsrptd {\n listen = "unix:$dir/tlsrptd.sock"\n contact = "reports\@pubdns.test"\n rsa_key = "$key"\n}\n),
    qq(certs {\n folder = "$store"\n tlsa_ttl = "2s"\n}\n));

sub ctl { return Lab::capture("$ENV{POSTERN_BUILD}/ctl/posternctl", '-c', "$dir/conf", @_) }

# settled(SUB): until it gives something true, the resolver made to ask anew before each try but the first: nsd may still answer one query as before
sub settled {
    my ($try) = @_;
    my $tries = 0;
    return Lab::until_true(sub {
        Lab::capture('unbound-control', '-c', "$Lab::DIR/unbound.conf", 'flush_zone', 'pubdns.test', 'pubdns-unsigned.test') if $tries++;
        return $try->();
    });
}

# exits(CODE, TEXT, WORDS...): gives the output
sub exits {
    my ($code, $text, @words) = @_;
    my ($got, $out, $err);
    settled(sub { ($got, $out, $err) = ctl(@words); $got == $code });
    is($got, $code, $text) or diag("$out$err");
    return wantarray ? ($out, $err) : $out;
}

sub json { my ($out) = ctl_out(@_, '--json'); return decode_json($out) }
sub ctl_out { my (undef, $out) = ctl(@_); return $out }

# Are these the states of the steps, by their first letters?
sub states {
    my ($wanted, $text, @words) = @_;
    my $got;
    settled(sub { $got = join '', map { substr $_->{state}, 0, 1 } @{ json('publish', 'tlsa', @words)->{plan} }; $got eq $wanted });
    return is($got, $wanted, $text);
}

# --- the zone ---
my $before = slurp($zone);
my %part; # what the zone has beside that

sub serve {
    spew($zone, $before, map { $part{$_} } sort keys %part);
    return zone_changed('pubdns.test');
}

sub zone_changed {
    my ($status, undef, $err) = Lab::capture('zones-changed', @_);
    die "zones-changed: $err" if $status;
    return;
}

# A fragment as the whole zone, as nsd reads it; gives its records in one form
sub loads {
    my ($text, $fragment, $origin) = @_;
    $origin //= 'pubdns.test';
    spew("$dir/checked.zone", "\$ORIGIN $origin.\n\$TTL 60\n\@ SOA ns.test. hostmaster.test. 1 3600 600 86400 30\n\@ NS ns.test.\n", $fragment);
    my ($status, $out, $err) = Lab::capture('nsd-checkzone', '-p', $origin, "$dir/checked.zone");
    is($status, 0, "$text: nsd takes the fragment") or diag("$out$err\n$fragment");
    ($status, $out) = Lab::capture('ldns-read-zone', "$dir/checked.zone");
    return $out;
}

sub dig { my ($out) = (Lab::capture('drill', '-D', '@127.0.0.1', @_))[1]; return $out }

# --- the server ---
sub new_certificate {
    my ($name, $host) = @_;
    my ($status, undef, $err) = Lab::capture(qw(openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 10), '-subj', "/CN=$host", '-CA', "$certs/ca.pem",
        '-CAkey', "$certs/ca.key", '-addext', 'basicConstraints=critical,CA:false',
        '-addext', "subjectAltName=DNS:$host", '-keyout', "$dir/$name.key", '-out', "$dir/$name.crt");
    die $err if $status;
    spew("$dir/$name.pem", slurp("$dir/$name.key"), slurp("$dir/$name.crt"), slurp("$certs/ca.pem"));
    return;
}

# The mx host uses that key and certificate from now on, at all its addresses.
sub use_certificate {
    my ($pem) = @_;
    my $digest = key_digest($pem);
    spew("$certs/mx.pubdns.test.pem", slurp($pem));
    Lab::capture('postfix', '-c', '/etc/postfix-mx', 'reload');
    my $all = Lab::until_true(sub {
        my $check = json('publish', 'tlsa', 'mx.pubdns.test', '--cert', $pem, '--force');
        return 2 == grep { $_->{what} =~ /^server at/ && $_->{words} =~ /^shows the key of \Q$pem\E/ } @{ $check->{notes} };
    });
    ok($all, "the server shows $pem");
    return;
}

sub key_digest {
    my ($pem) = @_;
    my ($digest) = (Lab::capture('sh', '-c', "openssl x509 -in $pem -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum"))[1] =~ /(\S+)/;
    return $digest;
}

sub mail_flows {
    my ($text) = @_;
    my $to = Lab::send_mail('pubdns.test');
    my $end = Lab::outcome($to);
    like(join("\n", @{ $end->{lines} // [] }), qr/Verified TLS connection established to mx\.pubdns\.test/, "$text: mail goes under DANE");
    is($end->{status}, 'sent', "$text: and arrives") or diag($end->{reason});
    return;
}

tls_reports();
before_it_is_published();
rollover();
all_of_it();
done_testing();

sub tls_reports {
    my $record;
    like(exits(1, 'TLSRPT: nothing is there', qw(publish tlsrpt pubdns.test --check)), qr/^bad .*there is no TXT record at _smtp\._tls\.pubdns\.test/m, 'and it is said');
    $record = exits(0, 'TLSRPT: the record', qw(publish tlsrpt pubdns.test));
    like($record, qr/^_smtp\._tls\.pubdns\.test\. 3600 IN TXT "v=TLSRPTv1; rua=mailto:reports\@pubdns\.test"$/m, 'goes to tlsrptd.contact');
    like($record, qr/^; warn: .*pubdns\.test alone/m, 'whose own failures could stop it');
    loads('TLSRPT', $record);
    $part{tlsrpt} = $record;
    serve();
    like(exits(0, 'TLSRPT: it is there', qw(publish tlsrpt pubdns.test --check)), qr/^ok .*_smtp\._tls\.pubdns\.test: valid \(validated by DNSSEC\)/m, 'and validated');
    exits(1, 'TLSRPT: another one is wanted', qw(publish tlsrpt pubdns.test --check --rua mailto:a@pubdns-unsigned.test));

    my @many = map { ('--rua', "https://r$_.pubdns.test/" . 'x' x 90 . '?a=%22%5C&b=$(c)') } 1 .. 8;
    $part{tlsrpt} = exits(0, 'TLSRPT: a long record', qw(publish tlsrpt pubdns.test), @many);
    like($part{tlsrpt}, qr/^_smtp\S+ 3600 IN TXT "[^"]{255}" "[^"]{255}" "/m, 'in strings of 255 octets');
    loads('TLSRPT, long', $part{tlsrpt});
    serve();
    exits(0, 'TLSRPT: the long record is there', qw(publish tlsrpt pubdns.test --check), @many);
    my (undef, $err) = exits(2, 'TLSRPT: a URI that would end its field', qw(publish tlsrpt pubdns.test --rua), 'mailto:a@pubdns.test;b');
    like($err, qr/'%3B'|%3B/, 'and how to write it');
    exits(1, 'TLSRPT: to a domain that is not there', qw(publish tlsrpt no-such.test --check));
    loads('TLSRPT, IDN', exits(0, 'TLSRPT: a U-label', qw(publish tlsrpt), "b\xc3\xbccher.test"), 'xn--bcher-kva.test');
    return;
}

sub before_it_is_published {
    my ($out, $err);
    my $own = "$certs/mx.pubdns.test.crt";

    ($out, $err) = exits(2, 'TLSA: no certificate is known', qw(publish tlsa mx.pubdns.test));
    like($err, qr/--cert/, 'and what to do');
    exits(2, 'TLSA: no such certificate', qw(publish tlsa mx.pubdns.test --cert nosuch));
    exits(1, 'TLSA: nothing is there', qw(publish tlsa mx.pubdns.test --check));
    ($out, $err) = exits(1, 'TLSA: not what the server shows', qw(publish tlsa mx.pubdns.test --cert), "$certs/mx.pubdns-unsigned.test.crt");
    is($out, '', 'no record is printed');
    like($err, qr/would refuse it.*\n.*--force/s, 'and why not');
    like(exits(0, 'TLSA: by force', qw(publish tlsa mx.pubdns.test --force --cert), "$certs/mx.pubdns-unsigned.test.crt"), qr/^_25.* IN TLSA 3 1 1 /m, 'it is');
    like(exits(0, 'TLSA: without DNSSEC', qw(publish tlsa mx.pubdns-unsigned.test --cert), "$certs/mx.pubdns-unsigned.test.crt"), qr/^; bad: DNSSEC: .*do nothing/ms,
        'they would do nothing');
    like(exits(1, 'TLSA: bogus', qw(publish tlsa mx.pubdns-bogus.test --check)), qr/^bad .*SERVFAIL/m, 'senders do not deliver');
    $out = exits(0, 'TLSA: a port where nothing is', qw(publish tlsa mx.pubdns.test --port 465 --cert), $own);
    like($out, qr/^; unknown: .*cannot be seen now/m, 'what is shown there is not known');
    like($out, qr/^_465\._tcp\.mx\.pubdns\.test\. /m, 'the record is for that port');
    return;
}

sub rollover {
    my $old = "$dir/old.pem";
    my @keys;

    spew($old, slurp("$certs/mx.pubdns.test.pem"));
    new_certificate('next', 'mx.pubdns.test');
    @keys = ('mx.pubdns.test', '--cert', $old, '--next', "$dir/next.key");
    states('nllll', 'rollover: first publish', @keys);
    $part{tlsa} = exits(0, 'rollover: the records', qw(publish tlsa), @keys);
    is(join(' ', sort $part{tlsa} =~ /^_25\._tcp\.mx\.pubdns\.test\. 2 IN TLSA 3 1 1 (\S+)$/mg), join(' ', sort map { key_digest($_) } $old, "$dir/next.pem"),
        'are those of openssl');
    loads('rollover', $part{tlsa});
    serve();
    states('dnlll', 'rollover: then wait', @keys);
    like(exits(0, 'rollover: both are there', qw(publish tlsa), @keys, '--check'), qr/^ok .*server at 198\.51\.100\.\d+ .*fits the records/m, 'and fit the server');
    like(dig('TLSA', '_25._tcp.mx.pubdns.test'), qr/flags:.* ad[ ;]/, 'the resolver validates them');
    mail_flows('both records');

    use_certificate("$dir/next.pem");
    states('dddnl', 'rollover: switched, wait again', @keys);
    exits(0, 'rollover: the new certificate fits', qw(publish tlsa), @keys, '--check');
    mail_flows('the new key');

    $part{tlsa} =~ s/^.*\Q@{[key_digest($old)]}\E\n//m;
    serve();
    states('ddddd', 'rollover: the old record is gone', @keys);
    like(exits(0, 'rollover: all is well', qw(publish tlsa mx.pubdns.test --check --cert), "$dir/next.pem"), qr/^ok +certificate/m, 'with the new certificate');
    mail_flows('the record of the new key alone');
    like(exits(1, 'the old certificate must not come back', qw(publish tlsa mx.pubdns.test --check --cert), $old), qr/^bad +certificate +.*no record fits/m, 'and it is said');

    use_certificate($old);
    like(exits(1, 'it came back', qw(publish tlsa mx.pubdns.test --check)), qr/^bad +server at \S+ +no TLSA record fits/m, 'and senders refuse it');
    use_certificate("$dir/next.pem");
    $part{tlsa} .= "_25._tcp.mx.pubdns.test. 2 IN TLSA 3 0 1 " . '0' x 64 . "\n_25._tcp.mx.pubdns.test. 2 IN TLSA 1 1 1 " . '0' x 64 . "\n";
    serve();
    my $check = exits(0, 'records that do no harm', qw(publish tlsa mx.pubdns.test --check));
    like($check, qr/^warn +record 3 0 1 0+ +fits neither/m, 'a foreign one');
    like($check, qr/^warn +record 1 1 1 0+ +cannot be used/m, 'one of a usage that is not for SMTP');
    return;
}

sub all_of_it {
    my ($out, $err);

    %part = ();
    serve();
    exits(0, 'a key that signs reports', qw(report key new), $key);
    for my $entry (['mx', "$dir/next.pem"], ['elsewhere', "$certs/mx.pubdns-elsewhere.test.pem"]) {
        mkdir "$store/$entry->[0]";
        spew("$store/$entry->[0]/live.pem", slurp($entry->[1]));
    }
    new_certificate('after', 'mx.pubdns.test');
    spew("$store/mx/next.key", slurp("$dir/after.key"));

    $out = exits(0, 'all: no policy yet', qw(publish all pubdns.test));
    like($out, qr/^; .*posternctl publish sts pubdns\.test/m, 'and the command for it');
    Lab::capture('redis-cli', '-s', "$Lab::DIR/redis.sock", 'HSET', 'postern:published:policies', 'pubdns.test',
        '{"v":1,"mode":"testing","max_age":86400,"mx":["mx.pubdns.test","mx.pubdns-elsewhere.test"],"id":"20261122T101500Z","changed":1,"since":1,"by":"lab"}');
    $out = exits(0, 'all', qw(publish all pubdns.test));
    my $read = loads('all', $out);
    like($read, qr/^_mta-sts\.pubdns\.test\.\s+3600\s+IN\s+TXT\s+"v=STSv1; id=20261122T101500Z;"$/m, 'MTA-STS');
    like($read, qr/^_smtp\._tls\.pubdns\.test\.\s+3600\s+IN\s+TXT\s/m, 'TLSRPT');
    like($read, qr/^\S+\._domainkey\.pubdns\.test\.\s+3600\s+IN\s+TXT\s+"v=DKIM1;/m, 'DKIM');
    is(scalar(() = $read =~ /^_25\._tcp\.mx\.pubdns\.test\.\s+2\s+IN\s+TLSA\s+3 1 1/mg), 2, 'TLSA of both keys');
    unlike($read, qr/elsewhere/, 'nothing of another zone');
    like($out, qr/^; _25\._tcp\.mx\.pubdns-elsewhere\.test\. 2 IN TLSA/m, 'but what belongs there');

    ($out) = exits(1, 'all: it is not there yet', qw(publish all pubdns.test --check));
    like($out, qr/^bad +\Q$_\E/m, "$_ is missing") for 'TXT record', 'TLSRPT record', 'DKIM record';
    $part{all} = ctl_out(qw(publish all pubdns.test));
    serve();
    spew("$Lab::DIR/web/pubdns.test.txt", map { "$_\r\n" } 'version: STSv1', 'mode: testing', 'mx: mx.pubdns.test', 'mx: mx.pubdns-elsewhere.test', 'max_age: 86400');
    exits(0, 'all: it is all there', qw(publish all pubdns.test --check));
    my $live = json(qw(publish all pubdns.test --check));
    my %worst;
    for my $v (@{ $live->{verdicts} }) {
        $worst{ $v->{what} } = $v->{level} if !defined $worst{ $v->{what} } || $v->{level} ne 'ok';
    }
    is($worst{$_}, 'ok', "all: $_") for 'TLSRPT record', 'DKIM record', 'mx.pubdns.test: certificate', 'mx.pubdns.test: next key';
    is(scalar(grep { $_->{what} eq 'TLSRPT record' } @{ $live->{verdicts} }), 1, 'all: it is said once');
    validated('validated', $live, 'policy host', 'DKIM record', 'TXT record', 'TLSRPT record', 'MX hosts');
    mail_flows('all');
    replaced();
    unsigned();

    spew("$store/mx/live.pem", slurp("$dir/after.pem"));
    unlink "$store/mx/next.key";
    $out = exits(0, 'all: the store has another certificate than the server', qw(publish all pubdns.test));
    like($out, qr/^; bad: at \S+ it shows another certificate/m, 'it is said');
    like($out, qr/^; _25\._tcp\.mx\.pubdns\.test\./m, 'and its record is a comment');
    unlike(loads('all, another certificate', $out), qr/TLSA/, 'and not loaded');
    Lab::capture('redis-cli', '-s', "$Lab::DIR/redis.sock", 'DEL', 'postern:published:policies');
    return;
}

# What of DNS was looked at says in the same words whether it was validated.
sub validated {
    my ($how, $check, @what) = @_;
    for my $what (@what) {
        my $words = join "\n", map { $_->{words} } grep { $_->{what} eq $what } @{ $check->{verdicts} };
        like($words, qr/\($how by DNSSEC\)$/m, "all: $what: $how");
    }
    return;
}

# The same in a zone that is not signed
sub unsigned {
    my $file = "$Lab::DIR/zones/pubdns-unsigned.test.zone";
    my $was = slurp($file);
    my @posternctl = ("$ENV{POSTERN_BUILD}/ctl/posternctl", '-c', "$dir/unsigned", qw(publish all pubdns-unsigned.test));

    spew("$dir/unsigned", slurp("$dir/conf") =~ s/reports\@pubdns\.test/reports\@pubdns-unsigned.test/r);
    spew($file, $was, (Lab::capture(@posternctl))[1], qq(_mta-sts.pubdns-unsigned.test. 60 IN TXT "v=STSv1; id=1;"\n));
    zone_changed('pubdns-unsigned.test');
    my $check;
    settled(sub { $check = decode_json((Lab::capture(@posternctl, '--check', '--json'))[1]); 2 == grep { $_->{what} =~ /^(TXT|DKIM) record/ && $_->{level} eq 'ok' } @{ $check->{verdicts} } });
    validated('not validated', $check, 'DKIM record', 'TXT record', 'TLSRPT record', 'MX hosts');
    spew($file, $was);
    return zone_changed('pubdns-unsigned.test');
}

# A certificate that is shown (here by host name) gives way to none that its TLSA records do not fit.
sub replaced {
    my $live = slurp("$store/mx/live.pem");
    my @import = ("$ENV{POSTERN_BUILD}/ctl/posternctl", '-c', "$dir/shown", qw(cert import mx));

    spew("$dir/shown", slurp("$dir/conf"), qq(policyd { sni_listen = {"unix:$dir/sni.sock"} }\n));
    new_certificate('other', 'mx.pubdns.test');
    my ($code, undef, $err) = Lab::capture(@import, "$dir/other.pem");
    is($code, 1, 'cert import: a key that no TLSA record fits');
    my $wanted = key_digest("$dir/other.pem");
    like($err, qr/mx\.pubdns\.test.*3 1 1 $wanted/s, 'and the record that would have to be there');
    is(slurp("$store/mx/live.pem"), $live, 'what was there stays');
    is((Lab::capture(@import, "$dir/after.pem"))[0], 0, 'cert import: the key whose record is there');
    is((Lab::capture(@import, "$dir/other.pem", '--force'))[0], 0, 'cert import: by force');
    return;
}
