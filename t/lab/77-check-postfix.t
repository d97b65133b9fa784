#!/usr/bin/perl
# posternctl check postfix on a real Postfix's configuration: nothing is found in what contrib/postfix has; and each line that is
# spoilt, is. S9, S10: whatever would lead flagged mail another way (lmtp_fallback_relay, a map before ours, a filter).
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use File::Temp ();
use JSON::PP ();
use Lab;
use Test::More;

my $dir = File::Temp->newdir;
my $conf = "$dir/postern.conf";
my @files = qw(main.cf master.cf transport_flags.regexp generic_flags.regexp);
my %sound = map { $_ => join "\n", Lab::lines("/etc/postfix-flag/$_"), '' } @files;

# Not of contrib: a service for tests of the milter by TCP.
$sound{'master.cf'} =~ s/^127\.0\.0\.1:2526 .*\n//m or die 'no service to take out';
put($conf, qq(milter { listen = "unix:$Lab::DIR/milter/milter.sock" }\npolicyd { listen = {"unix:$Lab::DIR/postern/policyd.sock"} }\n));

sub put {
    my ($path, $text) = @_;
    open my $out, '>', $path or die "$path: $!";
    print $out $text;
    close $out;
    utime time - 60, time - 60, $path; # postconf waits until a file is two seconds old
    return;
}

# check(TEXTS): exit status, the object, and what was said on standard error, of a Postfix that has these files
sub check {
    my (%text) = @_;
    put("$dir/$_", $text{$_}) for grep { defined $text{$_} } keys %text;
    my ($status, $out, $err) = Lab::capture("$ENV{POSTERN_BUILD}/ctl/posternctl", '-c', $conf, 'check', 'postfix', '--config-dir', "$dir", '--json');
    return ($status, eval { JSON::PP->new->utf8->decode($out) } // {}, $err);
}

my $set = sub { my ($line) = @_; sub { $_ .= "$line\n" } };                        # one more line of main.cf
my $first = sub { my ($line) = @_; sub { s/^(if !)/$line\n$1/m } };                # a line before the others of the flag map
my $option = sub { my ($service, $o) = @_; sub { s/^(\Q$service\E[^\n]*\n(?: +-o[^\n]*\n)*)/$1    -o $o\n/m } }; # behind the others, where it counts

# File, what is done to it; the findings, and where the first of them is.
my @spoilt = (
    ['transport_flags.regexp', sub { s/requiretls:inet:127\.0\.1\.1:8689/requiretls:inet:127.0.1.1:868\$1/ }, 'flag-substitution', qr/regexp:\d+$/],
    ['transport_flags.regexp', sub { s{^/\\\+requiretls"\?@/.*\n}{}m }, 'flag-unrouted', qr/transport_maps/],
    ['transport_flags.regexp', sub { s{^/\\\+requiretls.*\n}{}mg }, 'flag-unrouted'],
    ['transport_flags.regexp', sub { s{(requiretls"\?@.*:8689)}{$1}; s{requiretls:inet}{:inet} }, 'flag-no-transport', qr/regexp:\d+$/],
    ['transport_flags.regexp', sub { s{/ +requiretls:inet:127.0.1.16:8689}{/i$&}; s{/i/}{/i} }, 'flag-unrouted'],
    ['transport_flags.regexp', sub { s{requiretls:inet:127\.0\.1\.7:8689}{requiretls:inet:127.0.1.17:8689} }, 'flag-nexthop', qr/regexp:\d+$/],
    ['transport_flags.regexp', sub { s{requiretls:inet:127\.0\.1\.7:8689}{requiretls:inet:127.0.1.7:8690} }, 'flag-nexthop'],
    ['transport_flags.regexp', sub { s{requiretls:inet:127\.0\.1\.7:8689}{requiretls:} }, 'flag-nexthop'],
    ['transport_flags.regexp', sub { s{requiretls:inet:127\.0\.1\.7:8689}{smtp:} }, 'flag-service-not-lmtp', qr/regexp:\d+$/],
    ['transport_flags.regexp', sub { s{requiretls:inet:127\.0\.1\.7:8689}{reqtls:inet:127.0.1.7:8689} }, 'flag-service-missing'],
    ['transport_flags.regexp', sub { s{(requiretls"\?\@a\[)}{$1z-a} }, 'flag-line-skipped', qr/regexp:\d+$/],
    ['transport_flags.regexp', $first->('/@example\.org$/!/^bob/ smtp:[192.0.2.1]'), 'flag-line-unseen', qr/regexp:\d+$/],
    ['transport_flags.regexp', $first->('/@example\.org$/ smtp:[192.0.2.1]'), 'flag-service-not-lmtp', qr/regexp:\d+$/],
    ['transport_flags.regexp', $first->('/\.example\.org$/ smtp:[192.0.2.1]'), 'flag-service-not-lmtp'],
    ['transport_flags.regexp', $first->('/@\[/ smtp:[192.0.2.1]'), 'flag-service-not-lmtp'],
    ['transport_flags.regexp', $first->('if /x$/'), 'flag-unrouted'],
    ['transport_flags.regexp', $first->('!/@home\.test$/ smtp:[192.0.2.1]'), 'flag-service-not-lmtp'],
    ['transport_flags.regexp', $first->('/[^"]\+tlsoptional"?@[^@]*$/ smtp-relaxed:'), 'relaxed-order'],
    ['transport_flags.regexp', sub { s{^.*smtp-relaxed:\n}{}m }, 'relaxed-unrouted'],
    ['transport_flags.regexp', sub { s{smtp-relaxed:}{relaxed:} }, 'relaxed-service'],
    ['transport_flags.regexp', sub { $_ .= "\0" }, 'flag-map-unreadable'],
    ['transport_flags.regexp', sub { $_ = 'x' x (2 << 20) }, 'flag-map-unreadable'],
    ['generic_flags.regexp', sub { s{tlsoptional}{tlsmaybe} }, 'relaxed-tag'],
    ['main.cf', $set->('transport_maps = hash:/etc/postfix/transport, regexp:$config_directory/transport_flags.regexp'), 'flag-map-before', qr/^main\.cf: transport_maps$/],
    ['main.cf', $set->('transport_maps = socketmap:inet:127.0.0.1:8461:transport regexp:$config_directory/transport_flags.regexp'), 'flag-map-before'],
    ['main.cf', $set->('transport_maps = static:smtp: regexp:$config_directory/transport_flags.regexp'), 'flag-service-not-lmtp'],
    ['main.cf', $set->('transport_maps = regexp:{ {/^(.+)@example\.org$$/ smtp:[192.0.2.1]} } regexp:$config_directory/transport_flags.regexp'), 'flag-service-not-lmtp', qr/^main\.cf: transport_maps: line 1$/],
    ['main.cf', $set->('transport_maps = pcre:{ {/^.+(?<=tls)@a\.example\.org$$/ smtp:[192.0.2.1]} } regexp:$config_directory/transport_flags.regexp'), 'flag-service-not-lmtp'],
    ['main.cf', $set->('transport_maps ='), 'flag-unrouted'],
    ['main.cf', $set->('transport_maps = regexp:$config_directory/nonesuch'), 'flag-map-unreadable'],
    ['main.cf', $set->('transport_maps = regexp:/dev/zero'), 'flag-map-unreadable'],
    ['main.cf', $set->('requiretls_destination_concurrency_failed_cohort_limit = 1'), 'flag-cohort-limit', qr/^main\.cf: requiretls_dest/],
    ['main.cf', $set->('default_destination_rate_delay = 1s'), 'flag-rate-delay', qr/^main\.cf: requiretls_destination_rate_delay/],
    ['main.cf', $set->('requiretls_destination_concurrency_limit = 200'), 'flag-service-small'],
    ['main.cf', $set->('requiretls_destination_concurrency_limit = 10'), 'flag-concurrency'],
    ['main.cf', sub { s/^requiretls_initial.*\n//m }, 'flag-concurrency'],
    ['main.cf', $set->('defer_transports = smtps, requiretls'), 'flag-deferred'],
    ['main.cf', $set->('milter_default_action = accept'), 'milter-action', qr/^main\.cf: milter_default_action$/],
    ['main.cf', $set->('milter_protocol = 2'), 'milter-protocol'],
    ['main.cf', $set->('message_strip_characters = \1'), 'milter-strip'],
    ['main.cf', $set->('smtpd_milters = inet:127.0.0.1:1'), 'milter-missing'],
    ['main.cf', $set->("smtpd_milters = { unix:$Lab::DIR/milter/milter.sock, default_action = accept }"), 'milter-action'],
    ['main.cf', $set->("smtpd_milter_maps = cidr:{ {192.0.2.0/24 DISABLE} }"), 'milter-maps'],
    ['main.cf', $set->("non_smtpd_milters = unix:$Lab::DIR/milter/milter.sock"), 'milter-non-smtpd'],
    ['main.cf', $set->('receive_override_options = no_milters'), 'milter-missing', qr/^main\.cf: receive_override_options$/],
    ['main.cf', $set->('recipient_delimiter = -'), 'milter-delimiter'],
    ['main.cf', $set->('propagate_unmatched_extensions = canonical, virtual'), 'milter-propagate'],
    ['main.cf', $set->('smtp_tls_policy_maps ='), 'policy-maps'],
    ['main.cf', $set->('relayhost = [192.0.2.1]'), 'relaxed-relayhost'],
    ['main.cf', $set->('always_bcc = archive@other.test'), 'flag-bcc'],
    ['main.cf', $set->('content_filter = scan:[192.0.2.1]:10024'), 'flag-filter'],
    ['main.cf', $set->('header_checks = regexp:{ {/^X-Route:/ FILTER smtp:[192.0.2.1]} }'), 'flag-header-action', qr/^main\.cf: header_checks: line 1$/],
    ['main.cf', $set->('virtual_alias_maps = regexp:{ {/^.*@example\.org$$/ bob@example.net} }'), 'flag-rewritten', qr/^main\.cf: virtual_alias_maps: line 1$/],
    ['master.cf', $option->('requiretls unix', 'lmtp_fallback_relay=[192.0.2.1]'), 'flag-fallback-relay', qr/^master\.cf: requiretls\/unix: -o lmtp_fallback_relay$/],
    ['master.cf', $option->('requiretls unix', 'lmtp_data_done_timeout=10m'), 'flag-timeout'],
    ['master.cf', $option->('requiretls unix', 'lmtp_tls_security_level=encrypt'), 'flag-lmtp-tls'],
    ['master.cf', sub { s/^(requiretls unix.*)lmtp$/$1smtp/m }, 'flag-service-not-lmtp'],
    ['master.cf', sub { s/^(requiretls unix.*)200( +lmtp)$/${1}5$2/m }, 'flag-service-small', qr/^master\.cf: requiretls\/unix$/],
    ['master.cf', sub { s/^requiretls /reqtls /m }, 'flag-service-missing'],
    ['master.cf', $option->('rewrite ', 'transport_maps='), 'flag-unrouted', qr/^master\.cf: rewrite\/unix: -o transport_maps$/],
    ['master.cf', $option->('smtp-relaxed unix', 'smtp_tls_security_level=encrypt'), 'relaxed-service'],
    ['master.cf', $option->('smtp-relaxed unix', 'smtp_tls_policy_maps=static:secure'), 'relaxed-service'],
    ['master.cf', $option->('127.0.0.1:2525 inet', 'smtpd_milters='), 'milter-missing', qr/^master\.cf: 127\.0\.0\.1:2525\/inet: -o smtpd_milters$/],
    ['master.cf', $option->('127.0.0.1:10026 inet', 'receive_override_options=no_milters'), 'milter-missing'],
    ['master.cf', sub { $option->('127.0.0.1:2525 inet', 'content_filter=scan:[127.0.0.1]:10024')->(); $option->('127.0.0.1:10026 inet', 'smtpd_milters=')->() }, 'milter-missing', qr/^master\.cf: 127\.0\.0\.1:10026\/inet: -o smtpd_milters$/],
    ['master.cf', $option->('127.0.0.1:2525 inet', 'smtpd_proxy_filter=127.0.0.1:10027'), 'milter-proxy'],
    ['master.cf', sub { s/^(pickup.*\n) +-o content_filter.*\n/$1/m }, 'milter-pickup'],
    ['master.cf', sub { s/(content_filter=again:\[127\.0\.0\.1\]:)10026/${1}10027/ }, 'milter-pickup-filter'],
    ['master.cf', $option->('again ', 'smtp_generic_maps=static:x@example.net'), 'milter-pickup-filter'],
    ['master.cf', $option->('smtp ', 'smtp_tls_policy_maps='), 'policy-maps', qr/^master\.cf: smtp\/unix: -o smtp_tls_policy_maps$/],
    ['master.cf', $option->('relay ', 'smtp_tls_policy_maps=static:none'), 'policy-maps', qr/^master\.cf: relay\/unix: -o smtp_tls_policy_maps$/],
    ['master.cf', sub { $_ .= "pre-cleanup unix n - y - 0 cleanup\n    -o { header_checks = regexp:{ {/^X-Route:/ FILTER smtp:[192.0.2.1]} } }\n" }, 'flag-header-action', qr/^master\.cf: pre-cleanup\/unix: -o header_checks: line 1$/],
    ['master.cf', sub { $_ .= "628 inet n - n - - qmqpd\n" }, 'milter-qmqp'],
);

# What is no fault: other ways to say the same.
my @other = (
    ['main.cf', $set->('transport_maps = regexp:$config_directory/transport_flags.regexp, socketmap:inet:127.0.0.1:8461:transport')],
    ['main.cf', $set->("smtpd_milters = inet:127.0.0.1:11332, { unix:$Lab::DIR/milter/milter.sock, default_action = tempfail }")],
    ['main.cf', $set->('message_strip_characters = \1\000')],
    ['main.cf', $set->('default_transport = error:no')],
    ['main.cf', $set->('virtual_alias_maps = regexp:{ {/\+requiretls@example\.org$$/ bob+requiretls@example.net} {/@example\.org$$/ bob@example.net} }')],
    ['main.cf', $set->('recipient_delimiter = -+')],
    ['transport_flags.regexp', $first->('/@home\.test$/ virtual:')],
    ['transport_flags.regexp', $first->('/^[^+]*@example\.org$/ smtp:[192.0.2.1]')],
);

my ($status, $got) = check(%sound);
is_deeply([$status, $got->{valid}, $got->{findings}], [0, JSON::PP::true, []], 'contrib/postfix as it is') or diag(explain($got));

for (@other) {
    my ($file, $change) = @$_;
    my %text = %sound;
    $change->() for $text{$file};
    my ($code, $object) = check(%text);
    is_deeply([$code, $object->{findings}], [0, []], 'no fault: ' . difference($sound{$file}, $text{$file})) or diag(explain($object));
}

for (@spoilt) {
    my ($file, $change, $name, $where) = @$_;
    my %text = %sound;
    $change->() for $text{$file};
    isnt($text{$file}, $sound{$file}, "$file is spoilt");
    my ($code, $object) = check(%text);
    my ($finding) = grep { $_->{name} eq $name } @{ $object->{findings} // [] };
    ok($code == 1 && !$object->{valid} && $finding, "$name: " . difference($sound{$file}, $text{$file})) or diag(explain($code, $object));
    like($finding->{where}, $where, 'and where') if $where;
    ok(!(grep { $finding->{$_} eq '' } qw(where what why do)), 'with all that is to be said of it') if $finding;
}

check(%sound);
unlink "$dir/main.cf";
($status, $got) = check();
ok($status == 2 && !$got->{valid} && $got->{errors}[0] =~ /main\.cf: No such file/, 'no main.cf') or diag(explain($got));
{
    local $ENV{PATH} = $dir;
    put("$dir/postconf", "#!/bin/sh\nwhile :; do echo 0123456789 0123456789 0123456789; done\n");
    chmod 0755, "$dir/postconf";
    ($status, $got) = check(%sound);
    ok($status == 2 && $got->{errors}[0] =~ /writes more than/, 'a postconf that does not stop') or diag(explain($got));
    put("$dir/postconf", "#!/bin/sh\nprintf 'a = b\\0c\\n'\n");
    ($status, $got) = check(%sound);
    ok($status == 2 && $got->{errors}[0] =~ /NUL/, 'a NUL') or diag(explain($got));
}
done_testing();

# The first line that differs, for the test's name
sub difference {
    my @lines = map { [split /\n/] } @_;
    for (0 .. $#{ $lines[1] }) {
        my $line = $lines[1][$_];
        return substr($line, 0, 90) =~ s/[^ -~]/?/gr if !defined $lines[0][$_] || $lines[0][$_] ne $line;
    }
    return 'a line less';
}
