#!/usr/bin/perl
# The journal is followed: what is read of it, what nobody may forge, where it begins, and what becomes of a position. The journal files are made by
# systemd-journal-remote, the machine's own or the lab's.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Follow;
use Test::More;
use Time::HiRes qw(sleep);

my $lab = $ENV{POSTERN_LAB_ROOT} // "$FindBin::Bin/../../.lab/root";
my ($maker) = grep { -x } map { "$_/systemd/systemd-journal-remote" } '/lib', '/usr/lib', "$lab/usr/lib", "$lab/lib";
plan skip_all => 'there is no systemd-journal-remote, or no journalctl' if !$maker || system('journalctl --version >/dev/null 2>&1') != 0;

my ($folders, $folder, $to, $time) = (0, '', undef, 1795305600_000000);
my ($uid) = (getpwnam('postfix'))[2] // 0;

# A folder with a journal that is written to. The maker ends when $to is closed.
sub fresh {
    close $to if $to;
    $folder = "$dir/j" . ++$folders;
    mkdir $folder or die;
    local $ENV{LD_LIBRARY_PATH} = "$lab/usr/lib/x86_64-linux-gnu" if $maker =~ /^\Q$lab\E/;
    open($to, '|-', "exec $maker --output=$folder/a.journal - >$folder/maker 2>&1") or die;
    $to->autoflush(1);
}

sub entry {
    my ($text, %field) = @_;
    %field = (_TRANSPORT => 'syslog', _UID => $uid, _PID => 12, SYSLOG_FACILITY => 2, SYSLOG_IDENTIFIER => 'postfix/smtp', %field);
    $time += 1000;
    my $entry = "__REALTIME_TIMESTAMP=$time\n__MONOTONIC_TIMESTAMP=" . ($time - 1795000000_000000) . "\n_BOOT_ID=0123456789abcdef0123456789abcdef\n";
    $entry .= "$_=$field{$_}\n" for grep { defined $field{$_} } sort keys %field;
    return "${entry}MESSAGE=$text\n\n";
}

sub numbers { return map { "n$_" } $_[0] .. $_[1] }
sub entries { return join '', map { entry("n$_") } $_[0] .. $_[1] }
sub came { my ($name, @want) = @_; wait_new(scalar @want); is_deeply([new_lines()], \@want, $name) }

# The maker writes when it has read an entry; it is there when the journal can be read.
sub put { print $to @_ }
sub made { for (1 .. 400) { return 1 if `journalctl --directory=$folder -o cat 2>/dev/null` =~ /^\Q$_[0]\E$/m; sleep 0.05 } return 0 }

subtest 'entries' => sub {
    fresh();
    put(entry('old'));
    ok(made('old'), 'there is a journal');
    follow("journal:$folder", '');
    is(Follow::answer('position'), 'position ', 'no position yet');
    put(entries(1, 2));
    came('without a position from the end on', numbers(1, 2));
    put(entry('f1', SYSLOG_FACILITY => 3), entry('f2', _TRANSPORT => 'journal'), entry('f3', _UID => 12345), entry('f4', _UID => undef));
    put(entry('n3', _UID => 0), entry('x' x 9000), entry('n4', _PID => undef, SYSLOG_PID => 13));
    came('only of root and of Postfix, and through syslog', numbers(1, 3), 'x' x 8192, 'n4');
    is(lost_count(), 0, 'nothing is lost');
};

subtest 'positions' => sub {
    my @positions = positions();
    follow("journal:$folder", $positions[1]);
    came('new', 'n3', 'x' x 8192, 'n4');
    is_deeply([seen_lines()], ['old', numbers(1, 2)], 'what was before is seen');
    is(lost_count(), 0, 'nothing is lost');
    follow("journal:$folder", $positions[-1]);
    ok(wait_for(sub { seen_lines() == 6 }), 'at the last one all is seen');
    put(entries(5, 6));
    came('and what comes is new', numbers(5, 6));
    my $here = (positions())[-1];
    fresh();
    put(entries(1, 3));
    ok(made('n3'), 'another journal');
    follow("journal:$folder", $here);
    wait_for(sub { said_errors() =~ /log-lines-lost/ });
    is(lost_count(), 1, 'a position that is gone is counted');
    put(entries(7, 8));
    came('and it goes on behind the place where it would be', numbers(1, 3), numbers(7, 8));
};

subtest 'warm-up' => sub {
    fresh();
    put(entries(1, 3000));
    ok(made('n3000'), 'there is a journal');
    follow("journal:$folder", 'file 1 1 2 3 0123456789abcdef 4');
    is(lost_count(), 1, 'a position in a file is none here');
    put(entries(3001, 3010));
    came('at the end', numbers(3001, 3010));
    follow("journal:$folder", (positions())[4], 7);
    ok(wait_for(sub { said_errors() =~ /^stopped/m }), 'it stops');
    is(scalar(seen_lines()), 7, 'at once');
    for (1 .. 2000) { last if new_lines() >= 5; say_to('resume'); Follow::pump(0.01) }
    came('the new ones', numbers(3006, 3010));
    is_deeply([seen_lines()], [numbers(1006, 3005)], 'two thousand are seen before');
};

unfollow();
close $to;
done_testing();
