package Relayed;
# Relayed.pm - postern-relayd behind the Postfix of Flags.pm: mail goes through the milter, the queue and relayd to the hosts of
# internet/9-requiretls, and what these saw is read here.

use strict;
use warnings;
use File::Basename qw(dirname);
use Flags;
use IO::Socket::INET;
use JSON::PP qw(decode_json);
use Lab;
use MIME::Base64 qw(encode_base64);
use Nodes;
use Test::More;
use Wire;

our $DIR = "$Lab::DIR/relayd";
our $CONF = "$DIR/postern.conf";
our $METRICS = '127.0.0.1:9466';
my $LOG = "$Lab::DIR/log/flag.log";
my $session;       # with the Postfix of Flags.pm
my $logged = 0;    # lines of its log that are of earlier tests
my @hosts;         # started here

# --- relayd ---

# configure(KEY => 'VALUE', ...): of the section relayd, as the file has them
sub configure {
    my (%more) = @_;
    my (undef, undef, $uid, $gid) = getpwnam('postern');
    mkdir $DIR;
    chown $uid, $gid, $DIR;
    my %keys = (stsd => qq("unix:$Lab::DIR/postern/stsd.sock"), user => '"postern"', name => '"client.test"', ca_file => qq("$Lab::DIR/certs/ca.pem"),
        metrics_listen => qq("inet:$METRICS"), %more);
    open my $out, '>', $CONF or die "$CONF: $!";
    print $out "relayd {\n", map({ "    $_ = $keys{$_}\n" } sort keys %keys), "}\n";
    close $out;
    return;
}

sub start {
    my $ready = sub { defined IO::Socket::INET->new(PeerAddr => '127.0.1.1', PeerPort => 8689) };
    Nodes::start('relayd', $ready, "$ENV{POSTERN_BUILD}/relayd/postern-relayd", '-f', '-c', $CONF);
    return;
}

# Ends it by that signal; its wait status
sub stop {
    my ($signal) = @_;
    return Nodes::stop('relayd', $signal // 'TERM');
}

# Its numbers, { NAME => VALUE }, without postern_relayd_
sub metrics {
    my (undef, $text) = Lab::capture('curl', '-s', "http://$METRICS/metrics");
    return { $text =~ /^postern_relayd_(\S+) (\S+)$/mg };
}

# All of it: Redis, milter, relayd, Postfix; and nothing of an earlier test
sub begin {
    my (%relayd) = @_;
    $logged = () = Lab::lines($LOG);
    truncate $_, 0 for glob "$Lab::DIR/scripted/*.log";
    unlink glob("$Lab::DIR/scripted/*.test.*.[0-9]*"), glob("$Lab::DIR/mail/{home,rt-*}.test/new/*");
    Flags::begin();
    Flags::configure();
    Flags::ctl('list', 'add', 'local', 'home.test');
    Flags::start_milter();
    configure(%relayd);
    start();
    Flags::start_postfix();
    return;
}

# The wait statuses of relayd and the milter, which were asked to end. Hosts that were started end, too.
sub finish {
    Nodes::stop($_, 'KILL') for splice @hosts;
    my $relayd = stop('TERM');
    undef $session;
    return ($relayd, Flags::stop('TERM'));
}

# --- mail ---

# Sends a message as Flags::transmit does, which is not held; gives the reply. marked: a word for the subject, the text and, as
# base64, an attachment; in the subject -subject follows it, in the others -secret.
sub mail {
    my ($mail) = @_;
    $session //= Flags::session();
    return $session->transmit(message($mail));
}

sub message {
    my ($mail) = @_;
    my %mail = (hold => 0, %$mail);
    return \%mail unless $mail{marked};
    my $secret = "$mail{marked}-secret";
    $mail{header} = "Subject: $mail{marked}-subject\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=part\n" . ($mail{header} // '');
    $mail{body} = "--part\n\nHere is $secret.\n--part\nContent-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\n"
        . encode_base64("$secret " x 40) . "--part--\n";
    return \%mail;
}

# What the sender's log says of all messages: { NAME => { ADDRESS => { by, status, dsn, reason, statuses } } }, the last word on each;
# statuses: all of them, in order
sub outcomes {
    my (%name, %outcome);
    my @log = Lab::lines($LOG);
    for (@log[$logged .. $#log]) {
        $name{$1} = $2 if /cleanup\[\d+\]: (\w+): message-id=<(.*)\@somebody\.test>/;
        next unless m{postfix/(\S+)\[\d+\]: (\w+): to=<([^>]*)>, .*dsn=([\d.]+), status=(\w+) \((.*)\)$} && $name{$2} && $1 ne 'again/smtp';
        my $before = $outcome{ $name{$2} }{$3};
        $outcome{ $name{$2} }{$3} = { by => $1, dsn => $4, status => $5, reason => $6, id => $2, statuses => join ' ', $before ? $before->{statuses} : (), $5 };
    }
    return \%outcome;
}

# The sender's queue: { ADDRESS => why it waits }
sub queue {
    my (undef, $out) = Lab::capture('postqueue', '-j');
    return { map { map { $_->{address} => $_->{delay_reason} // '' } @{ decode_json($_)->{recipients} } } split /\n/, $out };
}

# The reports in home.test, by the names of the messages that they are about
sub reports {
    my %report;
    for (Flags::home(qr/^Content-Type: multipart\/report/m)) { push @{ $report{$1} }, $_ if /^Message-Id: <(.*)\@somebody\.test>/mi }
    return \%report;
}

# Tests that a report has the header of the message that it is about, and not its text (B1)
sub header_alone {
    my ($report, $marked, $what) = @_;
    like($report, qr{^Content-Type: text/rfc822-headers}m, "$what: the header of the message, B1");
    unlike($report, qr/$marked-secret|${\join '|', Wire::base64_forms("$marked-secret")}/, "$what: not its text, B1");
    return;
}

# --- hosts ---

# Starts a host that was down: its address, name and keys, as t/relayd/receiver.c has them
sub host {
    my ($address, $name, @keys) = @_;
    my $file = "$DIR/$name.host";
    open my $out, '>', $file or die "$file: $!";
    print $out "$address $name @keys\n";
    close $out;
    my $ready = sub { grep { /^ready/ } Nodes::log_of("host-$name") };
    push @hosts, "host-$name";
    unlink "$Lab::DIR/log/host-$name.out";
    Nodes::start("host-$name", $ready, 'nsenter', '--net=/run/netns/mx', dirname(__FILE__) . '/lib/scripted', $file, "$Lab::DIR/scripted");
    return;
}

# Its connections, { NUMBER => [[WHAT, TEXT], ...] }: t/relayd/receiver.c has the words
sub seen {
    my ($host) = @_;
    my %seen;
    for (Lab::lines("$Lab::DIR/scripted/$host.log")) { push @{ $seen{$1} }, [$2, $3 // ''] if /^(\d+) (\S+)(?: (.*))?$/ }
    return \%seen;
}

# All it saw of that kind ('clear', 'under', 'message', ...), in order, of all connections
sub said {
    my ($host, $what) = @_;
    my $seen = seen($host);
    return map { my $number = $_; map { $_->[1] } grep { $_->[0] eq $what } @{ $seen->{$number} } } sort { $a <=> $b } keys %$seen;
}

# Tests of all hosts that they have heard nothing of a message in clear, that MAIL has had the word but where there is no sender, and that no tag has gone out
sub never_unprotected {
    my @hosts = map { m{([^/]*)\.log$} } glob "$Lab::DIR/scripted/*.log";
    my %wrong = (clear => [grep { !/^(?:EHLO client\.test|STARTTLS|QUIT)$/ } map { said($_, 'clear') } @hosts]);
    push @{ $wrong{ /^MAIL/ ? 'mail' : 'tag' } }, $_ for grep { /^MAIL FROM:<.+>(?! REQUIRETLS)|^RCPT.*requiretls/i } map { said($_, 'under') } @hosts;
    is(join(' ', @{ $wrong{clear} }), '', 'nothing but EHLO, STARTTLS, QUIT in clear, S9');
    is(join(' ', @{ $wrong{mail} // [] }), '', 'MAIL with a sender always has the word, S7');
    is(join(' ', @{ $wrong{tag} // [] }), '', 'no tag has gone out');
    return;
}

1;
