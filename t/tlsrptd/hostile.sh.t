#!/usr/bin/perl
# The built postern-tlsrptd among people who mean ill: who may write to its sockets and into the log of mail, and clocks that are wrong.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use POSIX qw(strftime);
use Test::More;
use Time::HiRes qw(time);
use Tlsrptd;

stand_in('stsd.sock', sub { return ('OK', facts($_[1], "mx.$_[1]")) });
start_redis() or die 'no Redis: install redis-server, or name it in POSTERN_REDIS_SERVER';

my $n = 0;
sub log_failure {
    my ($at, $domain) = @_;
    $n++;
    my $head = "$at mta postfix/smtp[4711]:";
    open(my $fh, '>>', "$dir/mail.log") or die;
    syswrite $fh, "$head SSL_connect error to mx.$domain\[192.0.2.1]:25: lost connection\n$head 4ABCDE$n: to=<u\@$domain>, relay=mx.$domain\[192.0.2.1]:25, delay=0.1, "
        . "delays=0/0/0/0.1, dsn=4.7.5, status=deferred (Cannot start TLS: handshake failure)\n";
}
sub fallback_at { my ($domain) = @_; return (redis('HGET', "postern:fallback:$domain", "mx.$domain") // '') =~ /"handshake":(\d+)/ ? $1 : 0 }

# --- times that cannot be ---
my $begun = time;
ok(start('log = "DIR/mail.log"'), 'started');
log_failure('2099-01-01T00:00:00+00:00', 'future.test');
log_failure('9999-12-31T23:59:59-14:00', 'end.test');
log_failure('1970-01-01T00:00:00+14:00', 'begin.test');
log_failure(strftime('%Y-%m-%dT%H:%M:%S+00:00', gmtime), 'now.test');
my %today = map { today($_) => 1 } $begun, $begun + 600;
sub days { return sort map { s/.*://r } @{ redis('KEYS', 'postern:tlsrpt-domains:*') } }
ok(until_true(sub { fallback_at('now.test') > 0 && grep { $_ eq '1970-01-01' } days() }), 'lines with times that cannot be are read');
ok(until_true(sub { join(' ', sort map { domains_of($_) } keys %today) eq 'end.test future.test now.test' }), 'what is not yet is counted as of today');
is(join(' ', grep { $_ ne '1970-01-01' && !$today{$_} } days()), '', 'and there are no days to come');
ok(fallback_at($_) > 0 && fallback_at($_) <= time, "fallback of $_: none later than now") for 'future.test', 'end.test';
is(stop(), 0, 'the end');
unlike(log_text(), qr/Sanitizer|runtime error/, 'nothing for the sanitizers');
done_testing();
