#!/usr/bin/perl
# The built postern-tlsrptd as a daemon: when it starts and when it refuses to, reload, what it leaves behind.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use IO::Socket::UNIX;
use POSIX qw(mkfifo);
use Test::More;
use Time::HiRes qw(sleep);
use Tlsrptd;

my $contact = 'contact = "tlsrpt@sender.example"';
$SIG{PIPE} = 'IGNORE';

# It must end by itself, with status 1, and say why.
sub refuses {
    my ($what, $pattern) = @_;
    run();
    is(wait_end(), 256, "$what: it ends with status 1") or stop('KILL');
    like(log_text() =~ s/\\"/"/gr, $pattern, "$what: it says why");
    unlike(log_text(), qr/info started|Sanitizer/, "$what: it has not started");
}

# And -t says so, too.
sub refuses_conf {
    my ($what, $more, $pattern) = @_;
    prepare($more);
    refuses($what, $pattern);
    my $out = `$program -t -c $dir/postern.conf 2>&1`;
    is($?, 256, "$what: -t ends with status 1");
    like($out, $pattern, "$what: -t says why");
}

# --- configurations ---
refuses_conf(@$_) for (
    ['contact without @', 'contact = "tlsrpt"', qr/postern\.conf:\d+: contact: .*tlsrpt/],
    ['from in another domain', "$contact from = \"tlsrpt\@other.example\"", qr/postern\.conf:\d+: from: .*in another domain than contact/],
    ['from in a domain that only ends so', "$contact from = \"tlsrpt\@notsender.example\"", qr/in another domain than contact/],
    ['LMTP', 'mail = "lmtp:127.0.0.1:24"', qr/postern\.conf:\d+: mail: LMTP is not spoken here; write "sendmail:\/path" or "smtp:ADDRESS:PORT"/],
    ['no way for mails', 'mail = "uucp"', qr/postern\.conf:\d+: mail: "uucp" is no way for mails/],
    ['a sendmail without a path', 'mail = "sendmail:sendmail -t"', qr/mail: .*names no program/],
    ['an address that is none', 'datagrams = "tlsrpt.sock"', qr/postern\.conf:\d+: datagrams/],
    ['a time too long', 'commit_interval = 1d', qr/commit_interval/],
);

# --- keys ---
prepare($contact);
key_new('rsa.pem');
key_new('ed25519.pem', '--type', 'ed25519');
my $private = slurp("$dir/rsa.pem");
system("openssl pkey -in $dir/rsa.pem -pubout -out $dir/public.pem 2>/dev/null") == 0 or die 'openssl';
spew("$dir/text", "hello\n");
spew("$dir/cut.pem", substr($private, 0, 300) . "\n-----END PRIVATE KEY-----\n");
chown +(stat $dir)[4, 5], "$dir/$_" for 'public.pem', 'text', 'cut.pem';
refuses_conf(@$_) for (
    ['a key file that is not there', "$contact rsa_key = \"DIR/missing\"", qr/missing: there is no such file; posternctl report key new makes a key/],
    ['a key file that is no PEM', "$contact rsa_key = \"DIR/text\"", qr/text: it is no PEM file/],
    ['the public key', "$contact rsa_key = \"DIR/public.pem\"", qr/public\.pem: it has no private key, perhaps the public one/],
    ['a key that is cut', "$contact ed25519_key = \"DIR/cut.pem\"", qr/cut\.pem: the private key in it is broken/],
    ['authorities that are not there', "$contact ca_file = \"DIR/missing\"", qr/ca_file: .*missing: No such file/],
);
chmod 0644, "$dir/rsa.pem";
ok(start("$contact rsa_key = \"DIR/rsa.pem\" ed25519_key = \"DIR/ed25519.pem\""), 'a key that others may read: it starts');
like(log_text(), qr/warning dkim-key .*rsa\.pem: its mode 0644 lets others read or change the key; make it 0600, or 0640/, 'with a warning');
is(stop(), 0, 'the end');
chmod 0600, "$dir/rsa.pem";

# --- the spool ---
prepare('spool = "DIR/nowhere/spool"');
refuses('a spool in a folder that is not there', qr/nowhere\/spool.*No such file/);
prepare('spool = "DIR/text"');
refuses('a spool that is a file', qr/text.*Not a directory/);
mkdir "$dir/closed";
chmod 0500, "$dir/closed";
prepare('spool = "DIR/closed"');
refuses('a spool that is not ours', qr/closed.*Permission denied/) if $> == 0;
ok(start('pid_file = "DIR/pid"'), 'started');
is(slurp("$dir/pid"), "$pid\n", 'the pid file');
my $first = $pid;
prepare('listen = "unix:DIR/second.sock" datagrams = "" metrics_listen = ""');
refuses('the spool of another tlsrptd', qr/spool.*another process/);

# --- sockets ---
$pid = $first;
prepare('spool = "DIR/second" datagrams = "" metrics_listen = ""');
refuses('somebody listens there already', qr/tlsrptd\.sock: another process listens there/);
prepare('spool = "DIR/second" listen = "unix:DIR/second.sock" metrics_listen = ""');
refuses('somebody has the socket for datagrams', qr/tlsrpt\.sock: another process listens there/);
$pid = $first;
is(call('event', event('a.test')), 'OK ', 'and the first is not harmed');
kill 'KILL', $pid;
wait_end();
is(join(' ', grep { -S "$dir/$_" } qw(tlsrptd.sock tlsrpt.sock metrics.sock)), 'tlsrptd.sock tlsrpt.sock metrics.sock', 'killed, it leaves its sockets');
ok(start('exim = "unix:DIR/exim.sock" pid_file = "DIR/pid" socket_mode = 0622'), 'D8: which are replaced');
is(sprintf('%o', (stat "$dir/$_")[2] & 07777), '622', "D8: the mode of $_") for 'tlsrpt.sock', 'exim.sock';
is(stop(), 0, 'the end');
is(join(' ', grep { -e "$dir/$_" } qw(tlsrptd.sock tlsrpt.sock exim.sock metrics.sock pid)), '', 'leaves no files');
for (['listen', 'tlsrptd'], ['datagrams', 'tlsrpt'], ['exim', 'exim'], ['metrics_listen', 'metrics']) {
    my ($key, $name) = @$_;
    spew("$dir/$name.sock", "a person's file\n");
    prepare("$key = \"unix:DIR/$name.sock\"");
    refuses("D8: a plain file for $key", qr/\Q$name\E\.sock: .*(?:no socket|not a socket|File exists|in the way)/i);
    is(slurp("$dir/$name.sock"), "a person's file\n", "D8: the file for $key is still there");
    unlink "$dir/$name.sock";
}

# --- the log ---
stand_in('stsd.sock', sub { return ('OK', facts($_[1], "mx.$_[1]")) });
my $n = 0;
sub log_delivery {
    my ($domain) = @_;
    $n++;
    open(my $fh, '>>', "$dir/mail.log") or die;
    my $head = POSIX::strftime('%Y-%m-%dT%H:%M:%S+00:00', gmtime) . " mta postfix/smtp[4711]:";
    syswrite $fh, "$head Trusted TLS connection established to mx.$domain\[192.0.2.1]:25: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\n"
        . "$head 4ABC$n: to=<u\@$domain>, relay=mx.$domain\[192.0.2.1]:25, delay=0.1, delays=0/0/0/0.1, dsn=2.0.0, status=sent (250 2.0.0 Ok)\n";
}
my $log = 'log = "DIR/mail.log"';
my $one = 'no-policy-found successful=1 failed=0';
start_redis() or die 'no Redis: install redis-server, or name it in POSTERN_REDIS_SERVER';
ok(start($log), 'a log that is not there: it starts');
ok(logs(qr/warning log-waits why=".*mail\.log: No such file or directory"/), 'and says that it waits');
log_delivery('late.test');
is(counts_are($one, 'late.test'), $one, 'when it is there it is read, from the beginning');
is(stop(), 0, 'the end');

rename "$dir/mail.log", "$dir/mail.log.1";
prepare($log);
mkdir "$dir/mail.log" or die;
refuses('a log that is a folder', qr/mail\.log: this is no file, and only a file can be followed/);
rmdir "$dir/mail.log";
mkfifo("$dir/mail.log", 0666) or die;
refuses('a log that is a FIFO', qr/mail\.log: this is no file, and only a file can be followed/);
unlink "$dir/mail.log";

if ($> == 0) {
    log_delivery('secret.test');
    chmod 0600, "$dir/mail.log";
    ok(start($log), 'a log that it may not read: it starts');
    ok(logs(qr/log-waits why=".*mail\.log: Permission denied: put the daemon's user into the group that may read it \(adm\)"/), 'and says what to do');
    chmod 0644, "$dir/mail.log";
    is(counts_are($one, 'secret.test'), $one, 'then it is read');
    is(stop(), 0, 'the end');
}

# --- reload ---
my $past = today(time - 5 * 86400); # a day whose reports are not sent any more but when somebody asks for that
spew("$dir/sendmail", "#!/bin/sh\nexec cat >\"\$(mktemp $dir/mails/XXXXXX)\"\n");
chmod 0755, "$dir/sendmail";
mkdir "$dir/mails";
chmod 0777, "$dir/mails";
sub configured { my ($more) = @_; return "keep = 366d organization = \"The sender\" mail = \"sendmail:$dir/sendmail\" $more" }
sub mail_of {
    my ($domain) = @_;
    my ($status, $out, $err) = ctl('report', 'send', '--day', $past, '--domain', $domain, '--again');
    my @found = grep { /^TLS-Report-Domain: \Q$domain\E\r?$/m } map { slurp($_) } glob "$dir/mails/*";
    unlink glob "$dir/mails/*";
    return @found ? $found[0] : "$out$err";
}
sub reload {
    my ($more, $pattern) = @_;
    my $seen = () = log_text() =~ /$pattern/g;
    prepare(configured($more));
    kill 'HUP', $pid;
    return until_true(sub { (() = log_text() =~ /$pattern/g) > $seen });
}
ok(start(configured('report_delay = 4h')), 'started, without a contact');
like(log_text(), qr/reports-off why="tlsrptd.contact is not set" action="nothing is sent"/, 'it says that nothing is sent');
for my $field ('policy', 'successful') {
    my $policy = '{"record":"v=TLSRPTv1; rua=mailto:r@a.test","policy-type":"no-policy-found","policy-domain":"far.test"}';
    my $id = substr(qx(printf %s '$policy' | sha256sum), 0, 32);
    redis('SADD', "postern:tlsrpt-domains:$past", 'far.test');
    redis('HSET', "postern:tlsrpt:$past:far.test", "$field $id", $field eq 'policy' ? $policy : 1);
}
like(mail_of('far.test'), qr/no reports are sent, as tlsrptd\.contact is not set/, 'and so it is when asked');
ok(reload($contact, qr/info reloaded/), 'a contact, by a reload');
my $mail = mail_of('far.test');
like($mail, qr/^TLS-Report-Submitter: sender\.example\r?$/m, 'the contact is taken up');
unlike($mail, qr/^DKIM-Signature:/m, 'there is no key yet');
ok(reload("$contact rsa_key = \"DIR/rsa.pem\"", qr/info reloaded/), 'a key, by a reload');
like(mail_of('far.test'), qr/^DKIM-Signature: .*\n?.*\ba=rsa-sha256/m, 'it signs');
ok(reload("$contact rsa_key = \"DIR/text\"", qr/error config-error .*text: it is no PEM file.*action="the old one stays"/), 'a key file that is wrong: it says that the old settings stay');
like(mail_of('far.test'), qr/^DKIM-Signature: /m, 'it signs as before');
ok(reload('contact = "nobody"', qr/error config-error .*action="the old one stays"/), 'a contact that is none: the same');
unlink "$dir/ed25519.pem";
ok(reload("contact = \"tlsrpt\@other.example\" ed25519_key = \"DIR/ed25519.pem\"", qr/error config-error .*ed25519\.pem: there is no such file.*action="the old one stays"/), 'another contact, and a key that is gone');
like(mail_of('far.test'), qr/^TLS-Report-Submitter: sender\.example\r?$/m, 'nothing of it is taken up');
ok(reload('contact = "tlsrpt@other.example"', qr/info reloaded/), 'another contact');
like(mail_of('far.test'), qr/^TLS-Report-Submitter: other\.example\r?$/m, 'is taken up');
ok(reload('contact = "tlsrpt@other.example" spool = "DIR/another"', qr/takes-a-restart key=tlsrptd\.spool/), 'another spool takes a restart, and it says so');
is(stop(), 0, 'the end');

# Just after a day, by a clock that is put there: most of its reports wait, but not any more when all are to go at once.
my $day = today();
my $offset = 86400 - int(time) % 86400 + 1000;
for my $domain (map { "wait$_.test" } 1 .. 30) {
    my $policy = '{"record":"v=TLSRPTv1; rua=mailto:r@a.test","policy-type":"no-policy-found","policy-domain":"far.test"}';
    redis('SADD', "postern:tlsrpt-domains:$day", $domain);
    redis('HSET', "postern:tlsrpt:$day:$domain", 'policy 0123456789abcdef0123456789abcdef', $policy, 'successful 0123456789abcdef0123456789abcdef', 1);
}
ok(start(configured("$contact clock_offset = $offset report_delay = 4h")), 'started, when a day is just over');
ok(logs(qr/redis-up/) && reload("$contact clock_offset = $offset report_delay = 4h", qr/info reloaded/), 'it looks which there are');
sleep 0.5;
cmp_ok(metric('reports_sent_total'), '<', 30, 'W2 not all reports go at once');
ok(reload("$contact clock_offset = $offset report_delay = 0", qr/info reloaded/), 'no delay, by a reload');
ok(until_true(sub { metric('reports_sent_total') >= 30 }), 'is taken up: all of them go') or diag(metric('reports_sent_total'));
is(stop(), 0, 'the end');
unlike(slurp("$dir/log"), qr/Sanitizer|runtime error/, 'nothing for the sanitizers');
done_testing();
