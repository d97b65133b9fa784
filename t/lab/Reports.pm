package Reports;
# Reports.pm - postern-tlsrptd on the nodes of Nodes.pm: what it has counted, the reports that were sent, and how others read them.

use strict;
use warnings;
use JSON::PP qw(decode_json);
use File::Basename qw(dirname);
use lib dirname(__FILE__) . '/../tlsrptd';
use Counted;
use Lab;
use Nodes;
use POSIX qw(strftime);

our $SUBMITTER = 'rpt-reporter.test';
my $CHECK = dirname(__FILE__) . '/lib/report-check';

sub today { return strftime('%Y-%m-%d', gmtime($_[0] // time)) }

# The day, for a test that ends on it: where it is as good as over, the next one is waited for.
sub whole_day {
    my $left = 86400 - time % 86400;
    sleep $left + 1 if $left < 900;
    return today();
}

# Redis as the daemons use it: nothing that it has said it has is lost but for the last second.
sub start_redis {
    Nodes::start_redis('--appendonly', 'yes', '--appendfsync', 'everysec', '--appenddirname', 'reports', @_);
    return;
}

# The sections of a node with tlsrptd, which has these keys: (SECTION => KEYS, …), as Nodes::configure wants them. A policy fetch that failed is counted, so it is not
# tried again in a test, however long that takes.
sub sections {
    my ($node, %tlsrptd) = @_;
    my $door = Nodes::path($node) . '/tlsrptd.sock';
    $tlsrptd{contact} //= "\"tlsrpt\@$SUBMITTER\"";
    my $keys = join ' ', map { "$_ = $tlsrptd{$_}" } sort keys %tlsrptd;
    return (policyd => 'default_level = "may"', stsd => "tlsrpt = \"unix:$door\" retry_after = \"1h\"", tlsrptd => $keys);
}

sub configure {
    my ($node, %tlsrptd) = @_;
    Nodes::configure($node, sections($node, %tlsrptd));
    return;
}

sub start_node {
    my ($node, %tlsrptd) = @_;
    Nodes::start_node($node, sections($node, %tlsrptd));
    Nodes::start_daemon($node, 'tlsrptd');
    return;
}

# For the demonstration: beside the lab's own daemons, reading the log of the Postfix there
our $DEMO_CONF = "$Lab::DIR/postern/demo.conf";

sub start_demo {
    my ($more) = @_;
    open my $in, '<', "$Lab::DIR/postern/postern.conf" or die;
    open my $out, '>', $DEMO_CONF or die;
    while (my $line = <$in>) {
        print $out $line;
        print $out "    log = \"$Lab::DIR/log/client.log\" contact = \"tlsrpt\@$SUBMITTER\" rsa_key = \"$Lab::DIR/postern/rsa.pem\" post_anywhere = yes ", $more // '', "\n" if $line =~ /^tlsrptd \{/;
    }
    close $out;
    Nodes::start('demo-tlsrptd', sub { Nodes::listening("$Lab::DIR/postern/tlsrptd.sock") },
        "$ENV{POSTERN_BUILD}/tlsrptd/postern-tlsrptd", '-f', '-c', $DEMO_CONF);
    return;
}

sub hash_of {
    my ($key) = @_;
    my $got = eval { decode_json((Lab::capture('redis-cli', '--json', '-s', $Nodes::REDIS, 'hgetall', $key))[1]) };
    return $got // {};
}

# What is counted of a domain (Counted.pm)
sub counts {
    my ($domain, $day) = @_;
    return counted(hash_of('postern:tlsrpt:' . ($day // today()) . ":$domain"));
}

sub counts_line { return counted_line(@_) }

# The same of a report
sub report_line {
    my ($report) = @_;
    my %counts;
    for my $result (@{ $report->{policies} }) {
        my $n = $counts{ $result->{policy}{'policy-type'} } //= {};
        $n->{successful} += $result->{summary}{'total-successful-session-count'};
        $n->{failed} += $result->{summary}{'total-failure-session-count'};
        $n->{ $_->{'result-type'} } += $_->{'failed-session-count'} for @{ $result->{'failure-details'} };
    }
    return counts_line(\%counts);
}

# The files of mails with reports about a domain, in the mailbox of an address
sub mails {
    my ($to) = @_;
    my ($domain) = $to =~ /@(.*)/;
    return grep { join("\n", Lab::lines($_)) =~ /^Delivered-To: \Q$to\E$/m } glob "$Lab::DIR/mail/$domain/new/*";
}

# check(KIND, FILE, DOMAIN, DAY): what is wrong with a report (lines), and the report
sub check {
    my ($kind, $file, $domain, $day) = @_;
    my ($status, $out, $err) = Lab::capture($CHECK, $kind, $file, $domain, $SUBMITTER, $day);
    my $report = $out =~ s/^json (.*)\n//m ? decode_json($1) : undef;
    return ($out . ($report ? '' : $err), $report);
}

# A mail as it was before the last servers had added their fields
sub message_of {
    my ($file) = @_;
    my @lines = Lab::lines($file);
    shift @lines while $lines[0] =~ /^(?:Return-Path:|X-Original-To:|Delivered-To:|Received:|\s)/;
    return map { "$_\r\n" } @lines;
}

# The verdicts of Mail::DKIM, which asks DNS, on each signature: ("rsa-sha256 pass", …). Debian's knows no Ed25519.
sub dkim {
    my ($file) = @_;
    require Mail::DKIM::Verifier;
    my $dkim = Mail::DKIM::Verifier->new;
    $dkim->PRINT($_) for message_of($file);
    $dkim->CLOSE;
    return sort map { $_->algorithm . ' ' . $_->result } grep { $_->algorithm ne 'ed25519-sha256' } $dkim->signatures;
}

# The same of opendkim, which is given the keys as they stand in DNS
sub opendkim {
    my ($file, @selectors) = @_;
    my $base = "$Lab::DIR/tmp/opendkim";
    open my $keys, '>', "$base.keys" or die;
    for my $name (map { "$_._domainkey.$SUBMITTER" } @selectors) {
        my (undef, $answer) = Lab::capture('drill', 'TXT', $name);
        print $keys "$name ", (map { join '', /"([^"]*)"/g } grep { /^\Q$name\E\.\s.*\sTXT\s/ } split /\n/, $answer), "\n";
    }
    close $keys;
    open my $conf, '>', "$base.conf" or die;
    print $conf "Mode v\nSyslog no\nTestPublicKeys $base.keys\n";
    close $conf;
    open my $mail, '>', "$base.mail" or die;
    print $mail message_of($file);
    close $mail;
    my (undef, $out) = Lab::capture('opendkim', '-x', "$base.conf", '-vv', '-t', "$base.mail");
    return sort map { /^dkim=(\w+).*?header\.a=(\S+)/s ? "$2 $1" : () } split /;\s*/, $out;
}

1;
