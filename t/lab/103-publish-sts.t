#!/usr/bin/perl
# The owner of a domain publishes MTA-STS by posternctl publish sts: testing, looked at from outside, promoted, enforced, and out
# again; real MX hosts, a real web server and DNS, and a sender that goes by what is published. RFC 8461 3.1 to 3.3, 8.1, 8.3.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use JSON::PP qw(decode_json);
use Lab;
use Test::More;

my $FILE = "$Lab::DIR/web/own.test.txt";
my $DAY = 86400;

# publish(WORD ...): exit code, the object of --json, what is said on standard error
sub publish {
    my ($code, $out, $err) = Lab::capture('posternctl', 'publish', @_, '--json');
    return ($code, eval { decode_json($out) } // {}, $err);
}

# "bad MX mx.own.test", one for each verdict
sub verdicts { return [map { "$_->{level} $_->{what}" } @{ $_[0]{verdicts} // [] }] }

sub check {
    my ($domain) = @_;
    my ($code, $got, $err) = publish('sts', $domain, '--check');
    return ($code, [grep { !/^ok / } @{ verdicts($got) }], $got, $err);
}

# Changes the domain's zone and has it served.
sub zone {
    my ($domain, $edit) = @_;
    my $file = "$Lab::DIR/zones/$domain.zone";
    my $text = join "\n", Lab::lines($file), '';
    $text = $edit->() for $text;
    open my $out, '>', $file or die "$file: $!";
    print $out $text;
    close $out;
    my ($status, undef, $err) = Lab::capture('zones-changed', $domain);
    die "zones-changed: $err" if $status;
    return;
}

sub txt {
    my ($text) = @_;
    zone('own.test', sub { s/^_mta-sts .*\n//mgr . qq{_mta-sts TXT "$text"\n} });
    return;
}

sub redis { return (Lab::capture('redis-cli', '-s', "$Lab::DIR/redis.sock", @_))[1] }

# Makes times of the published policy that much earlier.
sub age {
    my ($member, $seconds) = @_;
    my $json = redis('HGET', 'postern:published:policies', 'own.test');
    $json =~ s/("$member":)(\d+)/$1 . ($2 - $seconds)/e or die "no $member: $json";
    redis('HSET', 'postern:published:policies', 'own.test', $json =~ s/\n\z//r);
    return;
}

sub report {
    my ($name, $failed, $type, $result) = @_;
    $type //= 'sts';
    $result //= 'certificate-host-mismatch';
    my ($d, $m, $y) = (gmtime)[3, 4, 5];
    my $day = sprintf '%04d-%02d-%02d', $y + 1900, $m + 1, $d;
    my $details = $failed ? qq({"result-type":"$result","receiving-mx-hostname":"mx.own.test","failed-session-count":$failed}) : '';
    open my $out, '>', "$Lab::DIR/tmp/$name" or die;
    print $out qq({"organization-name":"Big Mail","date-range":{"start-datetime":"${day}T00:00:00Z","end-datetime":"${day}T23:59:59Z"},"contact-info":"a\@b.test","report-id":"1",),
        qq("policies":[{"policy":{"policy-type":"$type","policy-domain":"own.test"},"summary":{"total-successful-session-count":40,"total-failure-session-count":$failed},"failure-details":[$details]}]});
    close $out;
    return "$Lab::DIR/tmp/$name";
}

# --- into testing ---

my ($code, $got, $err) = publish('sts', 'own.test', '--dry-run');
is($code, 0, 'a dry run');
ok(!$got->{published}, 'publishes nothing');
is((publish('list'))[1]{domains}[0], undef, 'and Redis has nothing');

($code, $got) = publish('sts', 'own.test');
is($code, 0, 'a new domain');
is($got->{mode}, 'testing', 'begins in testing');
is_deeply($got->{mx}, ['mx.own.test'], 'with the MX hosts of DNS');
my ($bad);
($code, $bad) = check('own.test');
is($code, 1, 'before anything is served, the check fails');
is_deeply($bad, ['bad TXT record', 'bad policy file'], 'for record and file, and nothing else');

($code, $got) = publish('sts', 'own.test', '--out', $FILE);
is($code, 0, 'the file is written for the web server');
ok(!$got->{new}, 'under the same id');
($code, $bad) = check('own.test');
is_deeply($bad, ['bad TXT record'], 'the file is served, the record is not there yet');
my $first = $got->{record}{txt};
txt($first);
($code, $bad, $got) = check('own.test');
is($code, 0, 'all of it is there') or diag(explain($got));
is_deeply($bad, [], 'and good');
my $answer = Lab::until_true(sub { (Lab::capture('posternctl', 'resolve', '--fresh', 'own.test', '--json'))[1] =~ /mode: testing/ });
ok($answer, 'a sender has it in mode testing');

zone('own.test', sub { $_ . qq{_mta-sts TXT "v=STSv1; id=twice"\n} });
is_deeply((check('own.test'))[1], ['bad TXT record'], 'two records are none');
txt('v=STSv1; id=another;');
is_deeply((check('own.test'))[1], ['bad TXT record'], 'another id is not ours');
txt($first);

# --- promotion ---

($code, $got) = publish('sts', 'own.test', '--promote', report('good', 0));
is($code, 1, 'too early to be promoted');
like(join('|', @{ verdicts($got) }), qr/bad time in testing/, 'and that is said');
age('changed', 3 * $DAY + 1);
($code, $got) = publish('sts', 'own.test', '--promote', report('good', 0), report('bad', 3));
is($code, 1, 'a report of failures is in the way');
is_deeply($got->{failures}, [{ result => 'certificate-host-mismatch', sender => 'Big Mail', host => 'mx.own.test', sessions => 3 }], 'which are told');
($code, $got) = publish('sts', 'own.test', '--promote', report('good', 0), report('none', 2, 'no-policy-found', 'sts-policy-fetch-error'));
is($code, 1, 'so is one of a sender that could not fetch the policy');
like((grep { $_->{level} eq 'bad' } @{ $got->{verdicts} })[0]{words}, qr/^sts-policy-fetch-error: 2 sessions/, 'which is said with type and number');
is((publish('list'))[1]{domains}[0]{mode}, 'testing', 'it stays in testing');
($code, $got, $err) = publish('sts', 'own.test', '--promote', report('good', 0), '--out', $FILE);
is($code, 0, 'promoted') or diag($err, explain($got));
is($got->{mode}, 'enforce', 'to enforce');
isnt($got->{record}{txt}, $first, 'under a new id');
is_deeply((check('own.test'))[1], ['bad TXT record'], 'the record is still the one before');
txt($got->{record}{txt});
($code, $bad) = check('own.test');
is($code, 0, 'all of it is there');
is_deeply($bad, [], 'and good');
Lab::capture('posternctl', 'resolve', '--fresh', 'own.test');
Lab::until_true(sub { Lab::answer('own.test') =~ /secure/ });
like(Lab::answer('own.test'), qr/^OK secure match=mx\.own\.test /, 'a sender enforces it');
my $to = Lab::send_mail('own.test');
my $outcome = Lab::outcome($to) || { status => 'no verdict', lines => [] };
is($outcome->{status}, 'sent', 'and delivers');
like(join("\n", @{ $outcome->{lines} }), qr/Verified TLS connection established to mx\.own\.test/, 'over verified TLS');

# --- what is not published ---

zone('own.test', sub { $_ . "\@ MX 20 mx2.own.test.\n" });
($code, $got, $err) = publish('sts', 'own.test', '--mx', 'mx.own.test');
is($code, 1, 'an MX host that the policy does not name');
like(join('|', @{ verdicts($got) }), qr/bad MX mx2\.own\.test/, 'is told');
like($err, qr/--force goes on/, 'and how to go on');
($code, $bad) = check('own.test');
is_deeply($bad, ['bad MX mx2.own.test'], 'the check sees it, too');
($code, $got) = publish('sts', 'own.test', '--out', $FILE);
is($code, 0, 'without patterns');
is_deeply($got->{mx}, ['mx.own.test', 'mx2.own.test'], 'the new host comes to those before');
txt($got->{record}{txt});
is((check('own.test'))[0], 0, 'and all is well');

for my $name (qw(selfsigned expired none)) {
    my $domain = "own-$name.test";
    ($code, $got) = publish('sts', $domain, '--mode', 'enforce');
    is($code, 1, "$domain: not in mode enforce");
    is_deeply([grep { /^bad/ } @{ verdicts($got) }], [("bad TLS of mx.$domain") x 2], "$domain: for its two addresses");
    diag("$_->{what}: $_->{words}") for grep { $ENV{LAB_VERBOSE} } @{ $got->{verdicts} };
    is((publish('sts', $domain))[0], 0, "$domain: in testing it may be");
}
($code, $got) = publish('sts', 'own-none.test', '--mode', 'enforce', '--force');
is($code, 0, 'by force anything goes');
like(join(' ', map { $_->{words} } @{ $got->{verdicts} }), qr/STARTTLS/, 'and the reasons are told');

($code, $bad, $got) = check('own-redirect.test');
is($code, 1, 'a redirect');
like(join(' ', map { $_->{words} } @{ $got->{verdicts} }), qr/HTTP status 301, a redirect/, 'is told as such');
($code, $bad, $got) = check('own-badhost.test');
is_deeply([grep { /^bad/ } @$bad], ['bad HTTPS'], 'a policy host whose certificate nobody takes');

# --- faults ---

sub unbound { return Lab::capture('unbound-control', '-c', "$Lab::DIR/unbound.conf", @_) }
unbound('local_zone', 'own.test', 'refuse');
unbound('flush_zone', 'own.test');
Lab::until_true(sub { (publish('sts', 'own.test', '--max-age', '20d', '--dry-run'))[0] == 3 });    # stsd may know it for a second more
($code, $got, $err) = publish('sts', 'own.test', '--max-age', '20d');
is($code, 3, 'DNS away: not now');
like(join('|', @{ verdicts($got) }), qr/unknown MX records/, 'as the MX hosts are not known');
is((publish('list'))[1]{domains}[3]{max_age}, 14 * $DAY, 'what was published stays');
is((check('own.test'))[0], 3, 'and nothing can be checked');
unbound('local_zone_remove', 'own.test');
unbound('flush_zone', 'own.test');
Lab::until_true(sub { (check('own.test'))[0] == 0 });

my $conf = "$Lab::DIR/tmp/away.conf";
open my $out, '>', $conf or die;
print $out map { s/redis\.sock/nonesuch.sock/r . "\n" } Lab::lines("$Lab::DIR/postern/postern.conf");
close $out;
($code) = Lab::capture('posternctl', '-c', $conf, 'publish', 'sts', 'own.test');
is($code, 3, 'Redis away: not now');
my ($late, $text) = Lab::capture('posternctl', '-c', $conf, 'publish', 'sts', 'own.test', '--check', '--json');
is($late, 3, 'Redis away: the check goes on');
is_deeply([grep { !/^ok / } @{ verdicts(decode_json($text)) }], ['unknown Redis'], 'and finds all the rest good');

# --- the way out ---

($code, undef, $err) = publish('remove', 'own.test');
is($code, 1, 'an enforced policy is not removed');
like($err, qr/--mode none/, 'but first one of mode none');
($code, $got) = publish('sts', 'own.test', '--mode', 'none', '--out', $FILE);
is($code, 0, 'mode none');
is($got->{max_age}, $DAY, 'for a day');
cmp_ok($got->{held_until}, '>=', time + 14 * $DAY, 'senders may hold the one before for its max_age');
like(join(' ', @{ $got->{steps} }), qr/Leave record and file as they are until/, 'which is told');
txt($got->{record}{txt});
is((check('own.test'))[0], 0, 'it is served');
Lab::capture('posternctl', 'resolve', '--fresh', 'own.test');
is(Lab::until_true(sub { my $a = Lab::answer('own.test'); $a eq 'NOTFOUND' && $a }), 'NOTFOUND', 'a sender enforces it no more');
($code, undef, $err) = publish('remove', 'own.test');
is($code, 1, 'it is too early to be removed');
like($err, qr/until 20\S+Z/, 'and the date is told');
age('held', 16 * $DAY);
is((publish('remove', 'own.test'))[0], 0, 'after that date it goes');
ok(!(grep { $_->{domain} eq 'own.test' } @{ (publish('list'))[1]{domains} }), 'and is gone');
done_testing();
