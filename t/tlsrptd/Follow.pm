# Follow.pm - for tests of what follows a log: the driver (drive_log.c) and what it said, in a private folder.
package Follow;

use strict;
use warnings;
use Exporter 'import';
use File::Temp qw(tempdir);
use IO::Handle;
use IO::Select;
use POSIX ();
use Time::HiRes qw(sleep time);

our @EXPORT = qw(line append follow unfollow say_to wait_new wait_for new_lines seen_lines positions lost_count said_errors $dir);
our $dir = tempdir(CLEANUP => 1);
chmod 0755, $dir;
my ($pid, $in, $out, $err_file, $text, $owner);
my (@new, @seen, @positions, @said, $rest);
END { local $?; unfollow() if defined $owner && $owner == $$ }
$SIG{INT} = $SIG{TERM} = sub { exit 1 };
$SIG{PIPE} = 'IGNORE';

# A line of smtp's, and one of another program's.
sub line { return "2026-11-22T10:00:00.000000+00:00 mta postfix/smtp[4711]: $_[0]\n" }

sub append {
    my ($file, @text) = @_;
    open(my $fh, '>>', $file) or die "$file: $!";
    syswrite($fh, join '', @text);
}

# follow(WHERE, POSITION, STOP, UID): start the driver.
sub follow {
    my ($where, $position, @more) = @_;
    unfollow();
    $owner = $$;
    (@new, @seen, @positions, @said) = ();
    $rest = '';
    open(my $fh, '>', "$dir/position") or die;
    print $fh $position;
    close $fh;
    unlink "$dir/stderr";
    pipe(my $child_in, $in) or die;
    pipe($out, my $child_out) or die;
    $pid = fork() // die;
    if (!$pid) {
        open(STDIN, '<&', $child_in);
        open(STDOUT, '>&', $child_out);
        open(STDERR, '>', "$dir/stderr");
        close $_ for $in, $out, $child_in, $child_out;
        exec($ENV{POSTERN_DRIVE_LOG} // './t/tlsrptd/drive_log', $where, "$dir/position", @more) or POSIX::_exit(127);
    }
    $in->autoflush(1);
}

sub take_line {
    my ($line) = @_;
    if ($line =~ /^(new|seen) (.*) <([^<>]*)>\z/s) {
        if ($1 eq 'new') { push @new, $2; push @positions, $3 }
        else { push @seen, $2 }
    }
    push @said, $line if $line !~ /^(?:new|seen) /;
}

# Read what there is, for at most so long. False at the end.
sub pump {
    my ($patience) = @_;
    return 1 if !IO::Select->new($out)->can_read($patience);
    sysread($out, my $bit, 1 << 20) or return 0;
    $rest .= $bit;
    take_line($1) while $rest =~ s/\A([^\n]*)\n//;
    return 1;
}

# Until the condition holds, at most a minute. Returns whether it did.
sub wait_for {
    my ($condition) = @_;
    my $end = time + 60;
    while (!$condition->()) {
        return 0 if time > $end || !pump(0.05);
    }
    return 1;
}

# A path in the private folder.
sub in_folder { return "$dir/$_[0]" }

sub say_to { print $in "$_[0]\n" }

# Until so many new entries came.
sub wait_new { my ($n) = @_; return wait_for(sub { @new >= $n }) }

sub new_lines { return @new }
sub seen_lines { return @seen }
sub positions { return @positions }

# The answer to a word.
sub answer {
    my ($word) = @_;
    @said = grep { !/^$word/ } @said;
    say_to($word);
    wait_for(sub { grep { /^$word/ } @said });
    my ($answer) = grep { /^$word/ } @said;
    return $answer // '';
}

sub lost_count { return answer('stats') =~ /(\d+)\z/ ? $1 : 'unknown' }

sub said_errors {
    open(my $fh, '<', "$dir/stderr") or return '';
    local $/;
    return (<$fh> // '') . join "\n", @said;
}

# End the driver. Returns its exit code.
sub unfollow {
    return if !defined $pid;
    close $in;
    1 while pump(60);
    waitpid($pid, 0);
    undef $pid;
    return $? >> 8;
}

1;
