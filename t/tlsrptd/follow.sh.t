#!/usr/bin/perl
# A log file is followed through all that can happen to it, and each line is given once: in order, none twice, none lost, unless it says so.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Follow;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep);

my ($tests, $log) = (0);

# A folder of its own for each test.
sub fresh { my $folder = "$dir/" . ++$tests; mkdir $folder or die; chmod 0755, $folder; $log = "$folder/mail.log" }
sub touch { append($_[0]) }
sub numbers { return map { "n$_" } $_[0] .. $_[1] }
sub lines { return map { line("n$_") } $_[0] .. $_[1] }

# What came, and that it was that and no more.
sub came { my ($name, @want) = @_; wait_new(scalar @want); is_deeply([new_lines()], \@want, $name) }

# Followed from the beginning of a file that is not there yet.
sub follow_all { fresh(); follow($log, ''); wait_for(sub { said_errors() =~ /log-waits/ }); }

sub last_position { return (positions())[-1] }

subtest 'growth' => sub {
    follow_all();
    like(said_errors(), qr/log-waits why=.*No such file/, 'a missing file is waited for, and that is logged');
    append($log, lines(1, 2));
    came('a file that appears later is read from its beginning', numbers(1, 2));
    for my $octet (split //, line('n3')) { append($log, $octet); sleep 0.002 }
    append($log, lines(4, 4));
    came('a line comes in bits', numbers(1, 4));
    append($log, substr(line('n5'), 0, 60));
    append($log, substr(line('n5'), 60) . "no line of a program\n" . substr(line('n6'), 0, 20));
    came('half a line is waited for', numbers(1, 5));
    append($log, substr(line('n6'), 20, -1) . "\r\n");
    append($log, "\0\0\0" . line("a\0b"));
    append($log, line('x' x 20000), lines(7, 7));
    ok(wait_new(9), 'all lines came');
    my @new = new_lines();
    is_deeply([@new[5, 6, 8]], ['n6', "a\0b", 'n7'], 'CR LF, NUL octets');
    my $cut = 8192 - length(line('')) + 1;
    is($new[7], 'x' x $cut, 'a line that is too long is cut');
    is(lost_count(), 0, 'nothing is lost');
    append($log, line('y' x 1_000_000), lines(8, 8));
    ok(wait_new(11), 'and one of a million octets');
    is((new_lines())[10], 'n8', 'what follows it comes');
};

subtest 'where it begins' => sub {
    fresh();
    append($log, lines(1, 3), substr(line('n4'), 0, 50));
    follow($log, '');
    wait_for(sub { Follow::answer('position') =~ /file/ });
    append($log, substr(line('n4'), 50), lines(5, 5));
    came('without a position at the end, with the line that is half there', numbers(4, 5));
    fresh();
    append($log, 'x' x 100000);
    follow($log, '');
    wait_for(sub { Follow::answer('position') =~ /file/ });
    append($log, " postfix/smtp[1]: rest\n", lines(1, 1));
    came('in the middle of a line that is too long: that is passed over', 'n1');
    follow($log, 'file 1 2 3');
    wait_for(sub { Follow::answer('position') =~ /file/ });
    append($log, lines(2, 2));
    came('with what is no position: at the end', 'n2');
    is(lost_count(), 1, 'that counts as lost');
    like(said_errors(), qr/log-lines-lost .*is no position/, 'and is logged');
    follow($log, 'journal 1 s=1');
    wait_for(sub { Follow::answer('position') =~ /file/ });
    append($log, lines(3, 3));
    came('with a position in the journal: at the end', 'n3');
    is(lost_count(), 1, 'that counts as lost, too');
};

subtest 'renamed' => sub {
    follow_all();
    append($log, lines(1, 2));
    came('before', numbers(1, 2));
    rename $log, "$log.1" or die;
    append("$log.1", lines(3, 3));
    came('the writer goes on in the old file', numbers(1, 3));
    touch($log);
    append("$log.1", lines(4, 4));
    came('also when there is the new one', numbers(1, 4));
    append($log, lines(6, 6));
    append("$log.1", lines(5, 5));
    came('and for a moment when that has lines', numbers(1, 6));
    append($log, lines(7, 8));
    came('then it goes on there', numbers(1, 8));
    rename "$log.1", "$log.2" or die;
    rename $log, "$log.1" or die;
    append($log, lines(9, 9));
    came('again', numbers(1, 9));
    is(lost_count(), 0, 'nothing is lost');
    is((() = said_errors() =~ /log-rotated/g), 2, 'each rotation is logged');
};

subtest 'renamed several times while nothing was taken' => sub {
    fresh();
    follow($log, '', 1);
    wait_for(sub { said_errors() =~ /log-waits/ });
    append($log, lines(1, 2));
    came('stopped after the first', 'n1');
    rename $log, "$log.3" or die;
    append("$log.2", lines(3, 4));
    append("$log.1", '');
    append($log, lines(5, 6));
    for my $n (2 .. 6) { say_to('resume'); wait_new($n) }
    came('all files in their order', numbers(1, 6));
    is(lost_count(), 0, 'nothing is lost');
};

subtest 'copied and cut' => sub {
    follow_all();
    append($log, lines(1, 3));
    came('before', numbers(1, 3));
    append("$log.1", lines(1, 3));
    truncate $log, 0 or die;
    append($log, lines(4, 4));
    came('then', numbers(1, 4));
    rename "$log.1", "$log.2" or die;
    append("$log.1", lines(4, 4));
    truncate $log, 0 or die;
    append($log, lines(5, 12));
    came('longer than it was at once', numbers(1, 12));
    append($log, substr(line('n13'), 0, 60));
    sleep 0.1;
    truncate $log, 0 or die;
    append($log, lines(14, 14));
    came('half a line is gone', numbers(1, 12), 'n14');
    open(my $fh, '+<', $log) or die;
    sysseek($fh, 0, 2);
    truncate $log, 0 or die;
    syswrite($fh, line('n15'));
    came('a writer that goes on at its old place leaves a hole', numbers(1, 12), 'n14', 'n15');
    is(lost_count(), 0, 'nothing is lost');
};

subtest 'copied and cut while nothing was taken' => sub {
    fresh();
    follow($log, '', 1);
    wait_for(sub { said_errors() =~ /log-waits/ });
    append($log, lines(1, 3));
    came('stopped after the first', 'n1');
    append("$log.1", lines(1, 4));
    truncate $log, 0 or die;
    append($log, lines(5, 6));
    for my $n (2 .. 6) { say_to('resume'); wait_new($n) }
    came('the copy, then the file', numbers(1, 6));
    is(lost_count(), 0, 'nothing is lost');
};

subtest 'restart at each position' => sub {
    fresh();
    append($log, '');
    follow($log, '');
    wait_for(sub { Follow::answer('position') =~ /file/ });
    append($log, map { (line("n$_"), "no line of a program\n") } 1 .. 25);
    came('all of it', numbers(1, 25));
    my @positions = positions();
    for my $round ('same file', 'renamed', 'copied') {
        rename $log, "$log.1" or die if $round eq 'renamed';
        append($log, line('after')) if $round eq 'renamed';
        if ($round eq 'copied') { rename "$log.1", "$log.old" or die; append("$log.1", do { local (@ARGV, $/) = "$log.old"; <> }) }
        my $bad = 0;
        my @after = $round eq 'same file' ? () : 'after';
        for my $n (1, 2, 7, 24, 25, $round eq 'same file' ? 1 .. 25 : ()) {
            follow($log, $positions[$n - 1]);
            my @want = (($n < 25 ? numbers($n + 1, 25) : ()), @after);
            wait_for(sub { seen_lines() == $n }) && wait_new(scalar @want);
            my $ok = join(' ', new_lines()) eq "@want" && join(' ', seen_lines()) eq join(' ', numbers(1, $n)) && lost_count() == 0;
            $bad++ if !$ok;
            diag("$round, $n: new @{[new_lines()]}, seen @{[seen_lines()]}, lost @{[lost_count()]}") if !$ok;
        }
        is($bad, 0, "$round: what was before is seen, what was behind is new, once");
    }
};

subtest 'warm-up' => sub {
    fresh();
    append("$log.1", lines(1, 3));
    append($log, lines(4, 5));
    follow($log, 'file 1 ' . (stat $log)[0] . ' ' . (stat _)[1] . ' 0 ' . '0' x 16 . ' 0');
    came('a wrong fingerprint is no position in this file', numbers(1, 5));
    is(lost_count(), 1, 'that counts as lost');
    follow($log, (positions())[3]);
    came('new', 'n5');
    is_deeply([seen_lines()], [numbers(1, 4)], 'the file before is used, too');
    fresh();
    append($log, '');
    follow($log, '');
    wait_for(sub { Follow::answer('position') =~ /file/ });
    append($log, map { line("n$_ " . 'x' x 1000) } 1 .. 3000);
    wait_new(3000);
    my $position = (positions())[2899];
    follow($log, $position);
    ok(wait_new(100), 'all new ones came');
    my @seen = seen_lines();
    is(scalar(new_lines()), 100, 'and no more');
    ok(@seen > 900 && @seen < 1050, 'about a megabyte is seen: ' . @seen . ' lines');
    like($seen[-1], qr/^n2900 /, 'up to the position');
};

subtest 'rotated while nobody followed' => sub {
    follow_all();
    append($log, lines(1, 4));
    came('before', numbers(1, 4));
    my $position = (positions())[1];
    unfollow();
    rename $log, "$log.2" or die;
    append("$log.1", lines(5, 6));
    append($log, lines(7, 8));
    follow($log, $position);
    came('renamed twice', numbers(3, 8));
    is(lost_count(), 0, 'nothing is lost');
    my ($in_second) = grep { defined } (positions())[2];
    rename "$log.2", "$log-20261120" or die;
    rename "$log.1", "$log-20261121" or die;
    follow($log, $position);
    came('with dates as names', numbers(3, 8));
    follow($log, $in_second);
    came('from the middle one', numbers(6, 8));
    rename "$log-20261121", "$log-20261121.gz" or die;
    follow($log, $position);
    came('the middle one is compressed', numbers(3, 4), numbers(7, 8));
    is(lost_count(), 1, 'that is counted');
    like(said_errors(), qr/log-lines-lost log=\S+ file=\S+mail.log-20261121.gz/, 'and named');
    follow($log, $in_second);
    came('the one with the position is compressed: the files after it', numbers(7, 8));
    is(lost_count(), 1, 'counted');
};

subtest 'replaced while nobody followed' => sub {
    follow_all();
    append($log, lines(1, 4));
    came('before', numbers(1, 4));
    my $position = last_position();
    unfollow();
    truncate $log, 0 or die;
    append($log, lines(11, 18));
    follow($log, $position);
    came('same inode, other lines: from its beginning', numbers(11, 18));
    is(lost_count(), 1, 'what may be missing is counted');
    unlink $log or die;
    follow($log, last_position());
    wait_for(sub { said_errors() =~ /log-waits/ });
    append($log, lines(21, 22));
    came('gone: waited for', numbers(21, 22));
    is(lost_count(), 1, 'counted');
};

subtest 'deleted' => sub {
    follow_all();
    append($log, lines(1, 2));
    came('before', numbers(1, 2));
    unlink $log or die;
    ok(wait_for(sub { said_errors() =~ /log-waits.*log-waits/s }), 'it is logged that the file is gone');
    append($log, lines(3, 4));
    came('and when there is another', numbers(1, 4));
};

subtest 'unreadable' => sub {
    fresh();
    append($log, lines(1, 1));
    chmod 0600, $log;
    my @user = $< == 0 ? (0, 65534) : ();
    chmod 0000, $log if $< != 0;
    follow($log, '', @user);
    ok(wait_for(sub { said_errors() =~ /log-waits why=.*Permission denied: put the daemon's user into the group/ }), 'logged, with what to do');
    chmod 0644, $log;
    ok(wait_for(sub { Follow::answer('position') =~ /file/ }), 'tried again');
    append($log, lines(2, 2));
    came('and read', 'n2');
    rename $log, "$log.1" or die;
    append($log, '');
    chmod 0, $log;
    append($log, lines(3, 3)) if $< == 0;
    SKIP: {
        skip 'only root can write to what it may not read', 2 if $< != 0;
        ok(wait_for(sub { said_errors() =~ /log-waits.*log-waits/s }), 'a new file that may not be read is logged');
        chmod 0644, $log;
        came('and read later', 'n2', 'n3');
    }
};

subtest 'no file' => sub {
    fresh();
    POSIX::mkfifo($log, 0600) or die;
    for my $what ($log, $dir, '/dev/null') {
        follow($what, '');
        ok(wait_for(sub { said_errors() =~ /^error \Q$what\E: this is no file/m }), "$what: an error");
        is(unfollow(), 1, 'at once');
    }
    follow("journal:$dir/none", '');
    ok(wait_for(sub { said_errors() =~ /^error .*none: No such file/m }), 'nor a journal');
};

subtest 'many' => sub {
    fresh();
    append($log, '');
    my $noise = join '', map { "2026-11-22T10:00:00.000000+00:00 mta postfix/smtpd[$_]: connect from unknown[192.0.2.$_]\n" x 5 } 1 .. 200;
    follow($log, '', 100);
    wait_for(sub { Follow::answer('position') =~ /file/ });
    open(my $fh, '>>', $log) or die;
    for my $n (1 .. 1000) { print $fh $noise, line("n$n") }
    close $fh;
    ok(-s $log > 80_000_000, 'a big file');
    for my $n (1 .. 10) { wait_new(100 * $n); is(scalar(new_lines()), 100 * $n, 'stopped') if $n == 5; say_to('resume') }
    came('all came, once and in order', numbers(1, 1000));
    like(Follow::answer('stats'), qr/^stats 1001000 \d+ 0$/, 'and all was read');
    my ($octets) = Follow::answer('stats') =~ /^stats \d+ (\d+)/;
    is($octets, -s $log, 'to the last octet');
};

unfollow();
done_testing();
