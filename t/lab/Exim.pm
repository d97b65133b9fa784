package Exim;
# Exim.pm - Debian's Exim with all of contrib/exim, as a sender on the client node: installed from the folder of its own into the lab's /usr, /etc and /var, configured by
# update-exim4.conf as Debian does it, started, given mail, and what came of it read in its log, its queue and its retry data.

use strict;
use warnings;
use File::Basename qw(dirname);
use IO::Socket::INET;
use Lab;
use Nodes;

our $PORT = 2526;
our $LOG = '/var/log/exim4/mainlog';
our $POLICY = '127.0.0.1:8464';    # policyd; as in contrib/exim
our $TOLD = '127.0.0.1:8465';      # tlsrptd
my $ROOT = "$ENV{POSTERN_LAB_ROOT}/exim";
my $CONTRIB = dirname(__FILE__) . '/../../contrib/exim';
my $logged = 0;    # lines of its log that are of earlier tests

# --- the package ---

# What dpkg and its scripts would do. Names that Postfix has as well stay Postfix's.
sub install {
    return if -e "$Lab::DIR/exim";
    mkdir "$Lab::DIR/exim";    # the home of anna, who has a mailbox
    run('mkdir', '-p', '/run/overlay/var/upper', '/run/overlay/var/work');
    run('mount', '-t', 'overlay', 'lab/var', '-o', 'lowerdir=/var,upperdir=/run/overlay/var/upper,workdir=/run/overlay/var/work', '/var');
    run('sh', '-c', "cd $ROOT/usr/sbin && cp -a exim* update-exim4* /usr/sbin/ && cp -a $ROOT/usr/lib/exim4 /usr/lib/ && cp -a $ROOT/etc/exim4 $ROOT/etc/email-addresses /etc/");
    for ('/var/lib/exim4', '/var/spool/exim4', '/var/log/exim4') {
        run('rm', '-rf', $_);
        run('install', '-d', '-o', 'Debian-exim', '-g', 'Debian-exim', $_);
    }
    run('install', '-d', '-m', '2775', '-g', 'mail', '/var/mail');
    run('sh', '-c', 'echo "sender: :blackhole:" >/etc/aliases; grep -q ^anna: /etc/passwd || echo anna:x:906:906::/run/lab/exim:/bin/sh >>/etc/passwd');
    return;
}

sub run {
    my @command = @_;
    my ($status, $out, $err) = Lab::capture(@command);
    die "@command: $out$err" if $status;
    return $out;
}

sub put {
    my ($file, @text) = @_;
    open my $out, '>', $file or die "$file: $!";
    print $out @text;
    close $out;
    return;
}

sub text { return join '', map { "$_\n" } Lab::lines($_[0]) }

# configure(SPLIT, MACROS): Debian's configuration for a host on the Internet and the files of contrib/exim, by whichever of its two schemes; the macros come before those of
# contrib/exim. Nothing else is changed.
sub configure {
    my ($split, $macros) = @_;
    run('sh', '-c', "rm -rf /etc/exim4 && cp -a $ROOT/etc/exim4 /etc/");
    put('/etc/exim4/update-exim4.conf.conf', map { "$_\n" } "dc_eximconfig_configtype='internet'", "dc_other_hostnames='ours.test'", "dc_local_interfaces='127.0.0.1.$PORT'",
        "dc_readhost=''", "dc_relay_domains=''", "dc_minimaldns='false'", "dc_relay_nets=''", "dc_smarthost=''", "CFILEMODE='644'",
        "dc_use_split_config='" . ($split ? 'true' : 'false') . "'", "dc_hide_mailname=''", "dc_mailname_in_oh='true'", "dc_localdelivery='mail_spool'");
    $macros = "POSTERN_CA = $Lab::DIR/certs/ca.pem\n" . ($macros // '');
    if ($split) { plug_into_split($macros) }
    else { plug_into_template($macros) }
    run('update-exim4.conf');
    return;
}

sub plug_into_split {
    my ($macros) = @_;
    put('/etc/exim4/conf.d/main/000_localmacros', $macros);
    my %place = (macros => 'main/000_postern', routers => 'router/190_postern', transports => 'transport/20_postern', retry => 'retry/20_postern');
    run('cp', "$CONTRIB/$_", "/etc/exim4/conf.d/$place{$_}") for sort keys %place;
    return;
}

sub plug_into_template {
    my ($macros) = @_;
    put('/etc/exim4/exim4.conf.localmacros', $macros, text("$CONTRIB/macros"));
    my $template = text('/etc/exim4/exim4.conf.template');
    my %before = (routers => '### router/200_exim4-config_primary', transports => '### transport/30_exim4-config_address_file', retry => '### retry/30_exim4-config');
    for my $part (sort keys %before) {
        $template =~ s/^(?=#+\n\Q$before{$part}\E\n)/text("$CONTRIB\/$part")/me or die "no place for $part\n";
    }
    put('/etc/exim4/exim4.conf.template', $template);
    return;
}

# --- the daemon ---

# With nothing of an earlier test. There are no runs of the queue but those that a test starts.
sub start {
    run('sh', '-c', 'rm -rf /var/spool/exim4/* /var/mail/*');
    $logged = () = Lab::lines($LOG);
    Nodes::start('exim', sub { defined IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $PORT) }, 'exim4', '-bdf');
    return;
}

sub stop { return Nodes::stop('exim', 'TERM') }

# --- asking policyd as Exim does ---

sub ask {
    my ($line) = @_;
    my $fh = IO::Socket::INET->new(PeerAddr => $POLICY) or return 'nobody answers';
    print $fh "$line\n";
    $fh->flush;
    $fh->shutdown(1);
    my $got = join '', <$fh>;
    chomp $got;
    return $got;
}

# --- mail ---

my $sent = 0;

# Sends a message to a new address at a domain, and does not wait; returns the address. What comes back for its sender is thrown away.
sub send_mail {
    my ($domain) = @_;
    my $to = sprintf 'x%d-%d@%s', $$, ++$sent, $domain;
    submit({ to => [$to] });
    return $to;
}

# submit({ from, to => [...], header, body, options }): by the program; it goes at once, unless the options say otherwise
sub submit {
    my ($mail) = @_;
    my @to = @{ $mail->{to} };
    open my $pipe, '|-', 'exim4', '-i', '-odb', @{ $mail->{options} // [] }, '-f', $mail->{from} // 'sender@client.test', @to or die "exim4: $!\n";
    print $pipe 'From: ', $mail->{from} // 'sender@client.test', "\nTo: ", join(', ', @to), "\n", $mail->{header} // '', "Subject: through Postern\n\n", $mail->{body} // "Hello.\n";
    close $pipe or die "exim4 failed for @to\n";
    return;
}

# Its log since this test began
sub log_lines {
    my @log = Lab::lines($LOG);
    return @log[$logged .. $#log];
}

sub logged_outcome {
    my ($to, $status, $tried) = @_;
    $status //= 'sent|deferred|bounced';
    my %word = ('=>' => 'sent', '->' => 'sent', '==' => 'deferred', '**' => 'bounced');
    my %lines;
    for (log_lines()) {
        my ($id, $text) = /^\S+ \S+ (\w{6}-\w{6}-\w\w) (.*)/ or next;
        push @{ $lines{$id} }, $text;
        my ($sign, $rest) = $text =~ /^(=>|->|==|\*\*) (?:[^<]* <\Q$to\E>|\Q$to\E):? (.*)/ or next;
        next if $tried && $rest =~ /defer \(-54\)/;
        return { id => $id, status => $word{$sign}, reason => $rest, lines => $lines{$id} } if $word{$sign} =~ /^(?:$status)$/;
    }
    return;
}

# outcome(ADDRESS, STATUS, TRIED): as Lab::outcome; tried: not that the time for another attempt has not come
sub outcome {
    my @wanted = @_;
    return Lab::until_true(sub { logged_outcome(@wanted) });
}

# The same, by runs of the queue, whatever the time for another attempt: one passes over what a process is still busy with.
sub outcome_by_runs {
    my @wanted = @_;
    return Lab::until_true(sub {
        my $got = logged_outcome(@wanted);
        return $got if $got;
        Lab::capture('exim4', '-qff');
        return logged_outcome(@wanted);
    });
}

sub queued {
    my ($to) = @_;
    return scalar grep { /^ +(?!D )\Q$to\E$/ } split /\n/, run('exim4', '-bp');
}

sub forget {
    my ($id) = @_;
    Lab::capture('exim4', '-Mrm', $id);
    return;
}

# The messages in anna's mailbox that fit
sub mailbox {
    my ($fits) = @_;
    return grep { $_ =~ $fits } split /^(?=From )/m, text('/var/mail/anna');
}

# What it knows of hosts and addresses that it could not deliver to: the keys of its retry data
sub retry_keys { return map { /^  (\S+)/ ? $1 : () } split /\n/, (Lab::capture('exim_dumpdb', '/var/spool/exim4', 'retry'))[1] }

1;
