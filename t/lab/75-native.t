#!/usr/bin/perl
# The native way to flag mail: a real smtpd asks policyd about each recipient, and the queue file has the header field that makes Postfix 3.11 send the message by
# REQUIRETLS. This Postfix, Debian's 3.7, writes the field and knows nothing of it, so what comes after that is not looked at here; nor is smtp_requiretls_policy,
# but for the map behind it. The lines are those of contrib/postfix/native.cf.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use IO::Socket::INET;
use Lab;
use Nodes;
use Test::More;

my $native = "$FindBin::Bin/../../contrib/postfix/native.cf";
my $dir = '/etc/postfix';
my $policy = 'check_policy_service inet:127.0.0.1:8462';
my $long = 'x' x 5000; # longer than policyd takes
my %service = (    # port => what differs from main.cf
    2601 => '',
    2602 => "-o { smtpd_recipient_restrictions = } -o { smtpd_data_restrictions = $policy }",
    2603 => "-o { smtpd_recipient_restrictions = } -o { smtpd_end_of_data_restrictions = $policy, check_client_access static:HOLD }",
    2604 => '-o { smtpd_recipient_restrictions = check_policy_service inet:127.0.0.1:9 }',
    2605 => "-o { smtpd_recipient_restrictions = check_policy_service { inet:127.0.0.1:8462, policy_context=$long, default_action=DUNNO } }",
    10025 => '',
    2606 => "-o { smtpd_recipient_restrictions = $policy, permit } -o { smtpd_end_of_data_restrictions = }",
);

Nodes::start_redis();
Nodes::start_node('native', policyd => 'policy_listen = {"inet:127.0.0.1:8462"}');
Nodes::tracking('native');
configure();

# --- which messages get the field: once for each tagged recipient ---
my @forms = (
    ['no tag', 0, 'u@example.test'],
    ['the tag', 1, 'u+requiretls@example.test'],
    ['in capitals', 1, 'u+REQUIRETLS@EXAMPLE.test'],
    ['a sub-address before it', 1, 'u+list+requiretls@example.test'],
    ['something behind it', 0, 'u+requiretls+x@example.test'],
    ['nothing before it', 0, '+requiretls@example.test'],
    ['quoted', 1, '"u+requiretls"@example.test'],
    ['quoted, with a blank', 1, '"a b+requiretls"@example.test'],
    ['quoted, with an @', 1, '"a@b+requiretls"@example.test'],
    ['quoted, with a quote', 1, '"a\"b+requiretls"@example.test'],
    ['quoted, with a backslash', 1, '"a\\\\+requiretls"@example.test'],
    ['a quoted pair within the tag', 1, '"u+require\\tls"@example.test'],
    ['a source route', 1, '@relay.test,@relay2.test:u+requiretls@example.test'],
    ['an address literal', 1, 'u+requiretls@[192.0.2.9]'],
    ['UTF-8', 1, "J\303\266rg+requiretls\@example.test"],
    ['a domain in UTF-8', 1, "u+requiretls\@b\303\274cher.test"],
    ['two tagged, two not', 2, 'a+requiretls@example.test', 'b@example.test', 'c+requiretls@list-exclude.test', 'd@list-exclude.test'],
    ['one of 200', 1, (map { "r$_\@example.test" } 1 .. 199), 'last+requiretls@example.test'],
    ['none of 200', 0, map { "r$_\@example.test" } 1 .. 200],
);
for (@forms) {
    my ($what, $fields, @to) = @$_;
    my $reply = submit(2601, [@to]);
    is(fields($reply), $fields, "$what: " . ($fields ? "the field is in the queue file, $fields times" : 'no field'));
}
my $message = queue_file(submit(2601, ['u+requiretls@example.test', 'v@example.test']));
like($message, qr/^recipient: u\+requiretls\@example\.test$/m, 'the tag stays in the address');
is(fields(submit(2601, ['u+requiretls@example.test'], sender => '')), 1, 'the null sender');

# --- one session, several messages: each by itself ---
my $smtp = session(2601);
is(fields(transaction($smtp, ['u+requiretls@example.test'])), 1, 'the first message of a session is flagged');
is(fields(transaction($smtp, ['u@example.test'])), 0, 'the second is not');
command($smtp, $_) for 'MAIL FROM:<s@client.test>', 'RCPT TO:<u+requiretls@example.test>', 'RSET';
is(fields(transaction($smtp, ['u@example.test'])), 0, 'nor one after RSET');
close $smtp;

# --- in other places ---
is(fields(submit(2602, ['u+requiretls@example.test'])), 1, 'at DATA: the only recipient');
is(fields(submit(2602, ['u+requiretls@example.test', 'v@example.test'])), 0, 'at DATA, several recipients: policyd cannot tell');
ok(Lab::until_true(sub { grep { /error policy-misplaced .*smtpd_recipient_restrictions/ } Nodes::log_of('native-policyd') }), 'and says what to do');
is(fields(submit(2603, ['u+requiretls@example.test'])), 0, 'at the end of the message it is too late');

# --- policyd cannot be asked, or cannot read the request: tagged recipients do not go through ---
like(submit(2604, ['u+requiretls@example.test']), qr/^451 4\.3\.5 /, 'no policyd: mail waits at its client');
like(submit(2605, ['u+requiretls@example.test']), qr/^451 4\.3\.5 /, 'a request that policyd does not take: the same, even where the default action is DUNNO');
ok(Lab::until_true(sub { grep { /bad-request why="policy delegation: a line is longer/ } Nodes::log_of('native-policyd') }), 'which is logged');
Nodes::stop('native-policyd', 'KILL');
like(submit(2601, ['u+requiretls@example.test']), qr/^451 4\.3\.5 /, 'policyd killed: mail waits');
Nodes::start_daemon('native', 'policyd');
is(fields(submit(2601, ['u+requiretls@example.test'])), 1, 'and goes on when it is back');
Nodes::tracking('native');

# --- on the wire ---
my $box = sprintf 'n%d', $$;
like(submit(2606, ["$box+requiretls\@example.test"]), qr/^250 /, 'a message that is not held');
my $got = Lab::until_true(sub { Lab::mailbox("$box\@example.test") }) // '';
like($got, qr/^Delivered-To: \Q$box\E\@example\.test$/m, 'smtp_generic_maps takes the tag off');
like($got, qr/^Require-TLS-ESMTP: yes$/m, 'the field stays in the message');

# --- sendmail(1), by the lines for master.cf: it comes in by SMTP, and waits there ---
my $to = "sent-$box+requiretls\@example.test";
open my $sendmail, '|-', 'sendmail', '-f', 's@client.test', $to, "other-$box\@example.test" or die;
print $sendmail "From: s\@client.test\nSubject: native\n\nHello.\n";
close $sendmail;
my $waits = Lab::until_true(sub { (grep { /status=sent .*queued as (\w+)/ && /to=<\Q$to\E>/ } Lab::lines("$Lab::DIR/log/client.log"))[0] }) // '';
is(fields($waits), 1, 'sendmail: the field is in the queue file');

# --- the map requiretls, as Postfix 3.11 asks it ---
sub map_says { my ($key) = @_; my ($status, $out) = Lab::capture('postmap', '-q', $key, 'socketmap:unix:' . Nodes::path('native') . '/policyd.sock:requiretls'); chomp $out; return $status ? 'nothing' : $out }
is(map_says('example.test'), 'nothing', 'no entry: enforce');
for my $value ('opportunistic', 'opportunistic+starttls', 'enforce') {
    Nodes::ctl('native', 'list', 'add', 'requiretls', 'example.test', $value);
    Lab::until_true(sub { map_says('example.test') eq $value });
    is(map_says('Example.TEST'), $value, "an entry: $value");
}
is(map_says('sub.example.test'), 'nothing', 'it goes for that name alone');
Nodes::ctl('native', 'list', 'del', 'requiretls', 'example.test');
is(Lab::until_true(sub { map_says('example.test') eq 'nothing' }), 1, 'taken out');
my ($status, $out, $err) = Nodes::ctl_all('native', 'list', 'add', 'requiretls', '[mx.example.test]', 'enforce');
like($err, qr/write mx\.example\.test/, 'a next hop in brackets would never be asked for');

restore();
is(Nodes::stop('native-policyd', 'TERM'), 0, 'policyd ends well');
Nodes::stop($_, 'TERM') for 'native-stsd', 'nodes-redis';
unlike(join("\n", Nodes::log_of('native-policyd')), qr/Sanitizer|runtime error/, 'nothing went wrong');
done_testing();

# What master.cf gets of the lines that are shipped: the comment behind its name, without chroot. The lab sends from an address that its smtpd does not trust.
sub shipped_services {
    my ($lines) = join("\n", Lab::lines($native)) =~ /master\.cf have it.*?\n(#     pickup.*)/s or die "$native: no lines for master.cf\n";
    $lines =~ s/^#     //mg;
    $lines =~ s/^(\S+\s+\S+\s+\S+\s+\S+\s+)y/$1n/mg;
    $lines =~ s/^127\.0\.0\.1:10025.*//m;
    return $lines =~ s/(smtp\n)/$1    -o smtp_bind_address=127.0.0.1\n/r;
}

# The lines that are shipped, but for the one that this Postfix does not know, and the services above; messages stay on hold.
sub configure {
    Lab::capture('cp', '-p', "$dir/$_.cf", "$Lab::DIR/tmp/$_.cf.before") for 'main', 'master';
    open my $main, '>>', "$dir/main.cf" or die;
    print $main map { "$_\n" } grep { /^\w/ && !/^smtp_requiretls_policy/ } Lab::lines($native);
    close $main;
    my @services = grep { !/^pickup/ } Lab::lines("$dir/master.cf");
    open my $master, '>', "$dir/master.cf" or die;
    print $master map { "$_\n" } @services, shipped_services();
    for my $port (sort keys %service) {
        my $hold = $service{$port} =~ /smtpd_end_of_data/ ? '' : '-o { smtpd_end_of_data_restrictions = check_client_access static:HOLD }';
        print $master "127.0.0.1:$port inet n - n - - smtpd\n  -o syslog_name=postfix/native -o smtpd_policy_service_retry_delay=1 $hold $service{$port}\n";
    }
    close $master;
    reload();
    Lab::until_true(sub { IO::Socket::INET->new(PeerAddr => '127.0.0.1:2606') }) or die "no smtpd\n";
    return;
}

sub reload {
    Lab::capture('touch', '-d', '1 minute ago', "$dir/main.cf", "$dir/master.cf");
    my ($status, $out, $err) = Lab::capture('postfix', 'reload');
    is($status, 0, 'postfix reload') or diag($err);
    return;
}

sub restore {
    Lab::capture('postsuper', '-d', 'ALL', 'hold');
    Lab::capture('cp', '-p', "$Lab::DIR/tmp/$_.cf.before", "$dir/$_.cf") for 'main', 'master';
    reload();
    return;
}

# --- SMTP ---

sub reply {
    my ($fh) = @_;
    local $SIG{ALRM} = sub { die "smtpd says nothing\n" };
    alarm 2 * $Lab::PATIENCE;
    my $last = '';
    while (defined(my $line = <$fh>)) { $last = $line; last unless $line =~ /^\d+-/ }
    alarm 0;
    return $last =~ s/\r\n\z//r;
}

sub command {
    my ($fh, $line) = @_;
    print $fh "$line\r\n";
    return reply($fh);
}

sub session {
    my ($port) = @_;
    my $fh = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port") or die "port $port: $@";
    reply($fh);
    command($fh, 'EHLO a.test');
    return $fh;
}

# The first reply that is a refusal, or the one to the message.
sub transaction {
    my ($fh, $to, %more) = @_;
    my $sender = $more{sender} // 's@client.test';
    for my $line ("MAIL FROM:<$sender>" . (grep({ /[\x80-\xff]/ } @$to) ? ' SMTPUTF8' : ''), (map { "RCPT TO:<$_>" } @$to), 'DATA') {
        my $reply = command($fh, $line);
        return $reply if $reply !~ /^[23]/;
    }
    return command($fh, "From: s\@client.test\r\nSubject: native\r\n\r\nHello.\r\n.");
}

sub submit {
    my ($port, @rest) = @_;
    my $fh = session($port);
    return transaction($fh, @rest);
}

# The queue file of the message that was accepted so, as text
sub queue_file {
    my ($reply) = @_;
    my ($id) = $reply =~ /queued as (\w+)/ or return "not accepted: $reply";
    my (undef, $out) = Lab::capture('postcat', '-q', $id);
    return $out;
}

# How often the field stands in its header; or what the reply was
sub fields {
    my ($reply) = @_;
    my $file = queue_file($reply);
    return $file if $file =~ /^not accepted/;
    my ($header) = $file =~ /^\*\*\* MESSAGE CONTENTS .*?\n(.*?)\n\n/ms;
    return scalar(() = $header =~ /^Require-TLS-ESMTP: yes$/mg);
}
