#!/usr/bin/perl
# The logs in samples/ through the built postern-tlsrptd: what is counted in Redis is what judged.txt says, also when the log comes in pieces, is rotated, and tlsrptd
# is killed between them; and the datagrams in samples/.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use File::Temp qw(tempdir);
use JSON::PP qw(decode_json);
use POSIX qw(strftime setlocale LC_TIME);
use Test::More;
use Time::HiRes qw(sleep time);
use Tlsrptd;

setlocale(LC_TIME, 'C');    # syslog has English months everywhere

my $samples = "$FindBin::Bin/samples";
my %result = (201 => 'starttls-not-supported', 202 => 'certificate-host-mismatch', 203 => 'certificate-not-trusted', 204 => 'certificate-expired', 205 => 'validation-failure',
    303 => 'sts-webpki-invalid');
my %policy = (1 => 'tlsa', 2 => 'sts', 9 => 'no-policy-found');
srand($ENV{SAMPLES_SEED} //= int rand 100000);
diag("SAMPLES_SEED=$ENV{SAMPLES_SEED}");
$SIG{PIPE} = 'IGNORE';

sub add { my ($n, $type, $result) = @_; my $of = $n->{ $policy{$type} } //= {}; $result eq 'ok' ? $of->{successful}++ : do { $of->{failed}++; $of->{ $result{$result} // $result }++ } }

# --- what is wanted ---

# Of each case of a version: the facts of its domain, its hosts, and the line of counts
sub cases {
    my ($version) = @_;
    my (%judged, %case, $name);
    for (split /\n/, slurp("$samples/judged.txt")) {
        my ($case, $facts, @results) = split ' ', s/#.*//r or next;
        $judged{$case} = [$facts, @results] if defined $facts;
    }
    for (split /\n/, slurp("$samples/attempts.txt")) {
        if (/^([^# ]+): /) { $name = $1; next }
        my ($of, undef, $host) = split ' ' or next;
        push @{ $case{$name}{hosts} }, $host if defined $host && defined $name && $of =~ /^(?:both|\Q$version\E)$/;
    }
    for my $name (keys %case) {
        my ($facts, @results) = @{ $judged{"$name\@$version"} // $judged{$name} // die "judged.txt does not have $name" };
        my (%count, $result);
        for (@{ $case{$name}{hosts} }) {
            $result = shift @results // $result;
            add(\%count, split /:/) for grep { $_ ne 'nothing' } split /\+/, $result;
        }
        @{ $case{$name} }{qw(facts line)} = ($facts, counted_line(\%count));
    }
    return %case;
}

# What stsd says of the domain of a case
sub record_of {
    my ($domain, $case) = @_;
    my %hosts = map { $_ => 1 } @{ $case->{hosts} };
    my ($facts, @hosts) = ($case->{facts}, sort keys %hosts);
    return facts($domain, [map { [$_, ['192.0.2.1'], 10, 'usable', ['3 1 1 ' . 'ab' x 32]] } @hosts], secure => 1) if $facts eq 'dane';
    return facts($domain, \@hosts, mode => $facts) if $facts =~ /^(?:enforce|testing)$/;
    return facts($domain, \@hosts, mode => 'enforce', mx => ['mx.other.example']) if $facts eq 'other';
    return facts($domain, $facts eq 'away' ? 'mx.away.example' : \@hosts);
}

# The log, each case with a domain of its own, as they are told apart by it; all of it yesterday, by the local time of whoever wrote it
sub log_of {
    my ($version) = @_;
    my $yesterday = strftime('%b %e', localtime(time - 86400));
    my $text = slurp("$samples/postfix-$version-mail.log");
    $text =~ s/^[A-Z][a-z][a-z] [ \d]\d(?= )/$yesterday/mg;
    $text =~ s/: to=<([^@>]+)@[^>]+>/: to=<u\@$1.test>/g;
    return $text;
}
sub days { return map { today(time - $_ * 86400) } 0 .. 2 }

# --- runs ---

sub append { open(my $fh, '>>', "$dir/mail.log") or die; syswrite $fh, $_[0] }
sub stand_ins {
    my (%case) = @_;
    my %record = map { ("$_.test" => record_of("$_.test", $case{$_})) } keys %case;
    stand_in('stsd.sock', sub { return exists $record{ $_[1] } ? ('OK', $record{ $_[1] }) : ('OK', facts($_[1], "mx.$_[1]")) });
    stand_in('policyd.ctl', sub { return ('OK', '{"level":"may"}') });
}
sub fresh_run {
    stop() if defined $pid;
    unlink glob "$dir/mail.log*";
    system('rm', '-rf', "$dir/spool");
    redis('FLUSHALL');
    append('');
}
# Of all days, which may be one more at midnight
sub line_of {
    my ($domain) = @_;
    my %fields;
    for my $day (days()) {
        my @got = @{ redis('HGETALL', "postern:tlsrpt:$day:$domain") // [] };
        while (my ($key, $value) = splice @got, 0, 2) { $fields{$key} = $key =~ /^(?:successful|failed|failure) / ? ($fields{$key} // 0) + $value : $value }
    }
    return counted_line(counted(\%fields));
}
# All cases are as they should be, and nothing else is counted
sub check_cases {
    my ($what, %case) = @_;
    append(sprintf "%s mta postfix/smtp[1]: 4LAST: to=<u\@last.test>, relay=mx.last.test[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 Ok)\n",
        strftime('%b %e %H:%M:%S', localtime));
    until_true(sub { line_of('last.test') ne '' });
    my @wrong = map { my $is = line_of("$_.test"); $is eq $case{$_}{line} ? () : "$_: is '$is', not '$case{$_}{line}'" } sort keys %case;
    is(join("\n", @wrong), '', $what);
    my %known = map { ("$_.test" => 1) } keys %case, 'last';
    my %extra = map { $known{$_} ? () : ($_ => 1) } map { domains_of($_) } days();
    is(join(' ', sort keys %extra), '', "$what: and nothing else is counted");
}
my $conf = 'log = "DIR/mail.log" policyd = "unix:DIR/policyd.ctl"';

start_redis() or die 'no Redis: install redis-server, or name it in POSTERN_REDIS_SERVER';
prepare($conf);
for my $version ('3.7', '3.12') {
    my %case = cases($version);
    my $text = log_of($version);
    cmp_ok(scalar keys %case, '>', 50, "Postfix $version: the samples have cases");
    stand_ins(%case);
    fresh_run();
    ok(start($conf), "Postfix $version: started");
    append($text);
    check_cases("Postfix $version, at once", %case);

    # In pieces, which may end anywhere, rotated twice, once by a name with a date.
    fresh_run();
    ok(start($conf), 'started');
    my @at = sort { $a <=> $b } map { int rand length $text } 1 .. 8;
    my $from = 0;
    for my $n (0 .. $#at + 1) {
        my $to = $at[$n] // length $text;
        append(substr $text, $from, $to - $from);
        $from = $to;
        sleep rand 0.1;
        if (($n == 2 || $n == 5) && $n <= $#at) {
            my $rest = index($text, "\n", $from) + 1;
            append(substr $text, $from, $rest - $from);
            $from = $rest;
            @at = map { $_ < $rest ? $rest : $_ } @at;
            rename "$dir/mail.log", "$dir/mail.log" . ($n == 2 ? '.1' : '-20200101');
            append('');
        }
    }
    check_cases("Postfix $version, in pieces, and rotated", %case);

    # Killed between and while they are read. Where it begins, the first time, is kept when there is a batch.
    fresh_run();
    ok(start($conf) && until_true(sub { metric('batches_total') > 0 }), 'started');
    @at = sort { $a <=> $b } map { int rand length $text } 1 .. 6;
    $from = 0;
    for my $to (@at, length $text) {
        append(substr $text, $from, $to - $from);
        $from = $to;
        sleep rand 0.15;
        stop('KILL');
        started();
    }
    check_cases("Postfix $version, killed between the pieces", %case);
    is(stop(), 0, 'the end');
}

# --- datagrams ---
my @datagrams = split /\n/, slurp("$samples/libtlsrpt-datagrams.jsonl");
my %wanted;
for my $event (map { decode_json($_) } @datagrams) {
    for my $policy (@{ $event->{policies} }) {
        my $n = $wanted{ $event->{d} }{ $policy{ $policy->{'policy-type'} } } //= {};
        $n->{ $policy->{f} ? 'failed' : 'successful' }++;
        $n->{ $result{ $_->{c} } // die $_->{c} }++ for @{ $policy->{'failure-details'} // [] };
    }
}
fresh_run();
ok(start(''), 'started');
send_datagram(@datagrams);
my $wanted = join "\n", map { "$_: " . counted_line($wanted{$_}) } sort keys %wanted;
my $counted = sub { return join "\n", map { "$_: " . line_of($_) } sort keys %wanted };
until_true(sub { $counted->() eq $wanted });
is(metric('datagrams_total') . ' ' . metric('datagrams_unreadable_total') . ' ' . metric('events_total'), '58 0 58', 'J20 all datagrams of Postfix 3.12 are read');
is($counted->(), $wanted, 'J20 and counted');
is(stop(), 0, 'the end');
unlike(slurp("$dir/log"), qr/Sanitizer|runtime error/, 'nothing for the sanitizers');
done_testing();
