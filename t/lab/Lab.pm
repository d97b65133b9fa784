package Lab;
# Lab.pm - what the lab's tests and its demonstration share: send real mail, and read
# the logs, queues and mailboxes of both sides.
#
# A test that is started outside the lab starts itself again inside.

use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use IPC::Open3 qw(open3);
use JSON::PP qw(decode_json);
use POSIX ();
use Symbol qw(gensym);
use Time::HiRes qw(time sleep);

our $DIR = $ENV{POSTERN_LAB} // '';
our $MAP = "socketmap:unix:$DIR/postern/policyd.sock:postfix";
our $SENDER = 'client';    # whose log; which configuration Postfix's commands go by, MAIL_CONFIG says
our $PATIENCE = 60;    # seconds that anything may take: other labs may run beside this one, and the machine be slow

sub import {
    return if $DIR;
    exec dirname(abs_path(__FILE__)) . '/run', 'exec', $^X, abs_path($0), @ARGV
        or die "lab: cannot start t/lab/run: $!\n";
}

# The expectations of the files in `internet`: a list of hashes, or those for the domains named.
sub receivers {
    my %only = map { $_ => 1 } @_;
    my @list;
    for my $line (lines("$DIR/expect.tsv")) {
        my %receiver = map { split /=/, $_, 2 } split /\t/, $line;
        push @list, \%receiver if !@_ || delete $only{ $receiver{domain} };
    }
    die 'lab: no such domain: ', join(' ', sort keys %only), "\n" if %only;
    return @list;
}

sub lines {
    my ($file) = @_;
    open my $in, '<', $file or return;
    chomp(my @lines = <$in>);
    return @lines;
}

# capture(COMMAND, ...): exit status, standard output, standard error
sub capture {
    my @command = @_;
    my $pid = open3(my $in, my $out, my $err = gensym, @command);
    close $in;
    local $/;
    my $stdout = <$out> // '';
    my $stderr = <$err> // '';
    waitpid $pid, 0;
    return ($? >> 8, $stdout, $stderr);
}

# until_true(SUB): polls until SUB gives something true, and returns that
sub until_true {
    my ($try, $patience) = @_;
    my $end = time + ($patience // $PATIENCE);
    while (1) {
        my $got = $try->();
        return $got if $got || time > $end;
        sleep 0.03;
    }
}

# What the sender's Postfix gets for a domain, or a key of another map: "OK ...", "NOTFOUND" or "TEMP ..."
sub answer {
    my ($key, $map) = @_;
    my ($status, $out, $err) = capture('postmap', '-q', $key, $MAP =~ s/postfix$/$map || 'postfix'/er);
    chomp($out, $err);
    return "OK $out" if $status == 0;
    return 'NOTFOUND' if $err eq '';
    return "TEMP $1" if $err =~ /server temporary error: (.*)/;
    return "PERM $1" if $err =~ /server permanent error: (.*)/;
    return "error: $err";
}

# The expected answer of a receiver as a pattern, with or without the word OK before it
sub answer_wanted {
    my ($receiver) = @_;
    return qr{^(?:OK )?(?:$receiver->{answer})\s*$};
}

my $sent = 0;

# Sends a message to a new address at a domain; returns the address. No bounce is asked for.
sub send_mail {
    my ($domain) = @_;
    my $to = sprintf 'm%d-%d@%s', $$, ++$sent, $domain;
    open my $mail, '|-', 'sendmail', '-N', 'never', '-f', 'sender@client.test', $to or die "lab: sendmail: $!\n";
    print $mail "From: sender\@client.test\nTo: $to\nSubject: through Postern\n\nHello.\n";
    close $mail or die "lab: sendmail failed for $to\n";
    return $to;
}

# outcome(ADDRESS, STATUS, SKIP): waits for the sender's verdict on an address, the first one behind so many lines of
# the log. Gives a hash: id, status, reason, and lines, the log lines of that delivery, TLS lines included.
sub outcome {
    my ($to, $status, $skip) = @_;
    $status //= 'sent|deferred|bounced';
    return until_true(sub {
        my (%since, @log);
        @log = lines("$DIR/log/$SENDER.log");
        for my $line (@log[($skip // 0) .. $#log]) {
            next unless $line =~ m{postfix/(?:smtps/)?(?:smtp|error)\[(\d+)\]: (.*)};
            my ($pid, $text) = ($1, $2);
            push @{ $since{$pid} }, $text;
            next unless $text =~ /^(\w+): to=<([^>]*)>.* status=(\w+) \((.*)\)$/;
            my $end = { id => $1, status => $3, reason => $4, lines => delete $since{$pid} };
            return $end if $2 eq $to && $3 =~ /^(?:$status)$/;
        }
        return;
    });
}

# Is the address still in the sender's queue?
sub queued {
    my ($to) = @_;
    my ($status, $out, $err) = capture('postqueue', '-j');
    die "lab: postqueue: $err\n" if $status;
    return scalar grep {
        grep { $_->{address} eq $to } @{ decode_json($_)->{recipients} }
    } split /\n/, $out;
}

# Takes a message out of the sender's queue, so that no retry disturbs what follows.
sub forget {
    my ($id) = @_;
    capture('postsuper', '-d', $id);
    return;
}

# The message that the receiver has for an address, or nothing
sub mailbox {
    my ($to) = @_;
    my ($domain) = $to =~ /@(.*)/;
    for my $file (glob "$DIR/mail/$domain/new/*") {
        my $message = join "\n", lines($file);
        return $message if $message =~ /^Delivered-To: \Q$to\E$/m;
    }
    return;
}

# 'TLSv1.3' and the like, or 'clear': how a delivered message came to the receiver
sub transport_of {
    my ($message) = @_;
    my ($received) = $message =~ /^(Received: from .*?)^(?=\S)/ms;
    return ($received // '') =~ /\(using (TLS\S+)/ ? $1 : 'clear';
}

# The lines that the receiving host's smtpd logged, as one text, behind so many lines of the log
sub receiver_log {
    my ($host, $skip) = @_;
    my @log = lines("$DIR/log/mx.log");
    return join "\n", grep { m{postfix/(?:[^/]*\.)?\Q$host\E/smtpd} } @log[($skip // 0) .. $#log];
}

# posternctl explain: answer and reasons
sub explain {
    my ($domain) = @_;
    my ($status, $out, $err) = capture('posternctl', 'explain', $domain, '--json');
    my $got = eval { decode_json($out) };
    return $got if ref $got eq 'HASH' && defined $got->{answer};
    chomp $err;
    return { answer => "posternctl failed (exit $status): $err", reasons => [] };
}

1;
