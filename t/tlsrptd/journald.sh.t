#!/usr/bin/perl
# The machine's own way: a real journald, in a mount namespace, that takes what syslog(3) sends, says from whom it comes, and rotates its files.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep);

my $journald = '/lib/systemd/systemd-journald';
plan skip_all => 'only root can make a namespace' if $< != 0;
plan skip_all => "there is no $journald" if !-x $journald;
if (!$ENV{POSTERN_IN_NAMESPACE}) {
    $ENV{POSTERN_IN_NAMESPACE} = 1;
    exec('unshare', '--mount', $^X, $0) or die;
}
require Follow;
Follow->import;

sub run { system(@_) == 0 or die "@_: $?" }
run(qw(mount -t tmpfs tmpfs), $_) for '/run', '/var/log';
run('mkdir', '-p', '/run/systemd/journal', '/run/systemd/journald.conf.d', '/run/log/journal');
open(my $conf, '>', '/run/systemd/journald.conf.d/test.conf') or die;
print $conf "[Journal]\nStorage=volatile\nAudit=no\nReadKMsg=no\nForwardToSyslog=no\nForwardToWall=no\nForwardToKMsg=no\nForwardToConsole=no\nRateLimitIntervalSec=0\n";
close $conf;
my $owner = $$;
my $pid = fork() // die;
if (!$pid) {
    open(STDOUT, '>', Follow::in_folder("journald"));
    open(STDERR, '>&', \*STDOUT);
    exec($journald) or POSIX::_exit(127);
}
END { local $?; if (defined $pid && defined $owner && $$ == $owner) { kill 'TERM', $pid; waitpid($pid, 0) } }
my $socket = '/run/systemd/journal/dev-log';
for (1 .. 1200) { last if -S $socket; sleep 0.05 }

sub put {
    my ($user, @texts) = @_;
    my @as = $user ? ('setpriv', '--reuid', $user, '--clear-groups') : ();
    run(@as, 'logger', '-u', $socket, '-p', 'mail.info', '-t', 'postfix/smtp[77]', $_) for @texts;
}

sub came { my ($name, @want) = @_; wait_new(scalar @want); is_deeply([new_lines()], \@want, $name) }
my $postfix = getpwnam('postfix');

put(0, 'old');
for (1 .. 1200) { last if `journalctl -o cat 2>/dev/null` =~ /^old$/m; sleep 0.05 }
follow('journal', '');
like(Follow::answer('position'), qr/^position journal \S/, 'the position is the end, before anything was read');
put(0, 'n1');
put(65534, 'forged');
put($postfix // 0, 'n2');
came('what root and Postfix say, not what anybody says in their name', 'n1', 'n2');
my ($first) = positions();
kill 'USR2', $pid;
for (1 .. 1200) { last if (() = glob '/run/log/journal/*/*.journal') > 1; sleep 0.05 }
put(0, 'n3');
came('journald begins another file', 'n1', 'n2', 'n3');
follow('journal', $first);
put(0, 'n4');
came('from a position in the old file', 'n2', 'n3', 'n4');
is_deeply([seen_lines()], ['old', 'n1'], 'what was before is seen');
is(lost_count(), 0, 'nothing is lost');
my $last = (positions())[-1];
unfollow();
put(0, 'n5');
unlink $_ for grep { /\@/ } glob '/run/log/journal/*/*.journal';
follow('journal', $last);
came('the old file is gone, with what was read', 'n5');
is(lost_count(), 0, 'nothing is lost');
follow('journal', $first);
came('a position that was in it', 'n3', 'n4', 'n5');
is(lost_count(), 1, 'is gone');

unfollow();
done_testing();
