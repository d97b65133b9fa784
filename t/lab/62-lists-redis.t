#!/usr/bin/perl
# The operator's lists when Redis fails, loses them, goes back to older ones or holds what is no list: those that are known
# go on, and mail shows it. Two nodes have the same lists. Edits while look-ups run at full speed.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Lab;
use Nodes;
use Test::More;
use Time::HiRes qw(sleep time);

my $file = Nodes::path('one') . '/lists';
my $bound = 'list-verify-any.test';    # in require: its mail is held as long as the list goes
my %wanted = ($bound => 'OK verify', 'list-exclude.test' => 'OK none', 'list-edited.test' => 'NOTFOUND ', 'sts-good.test' => qr/^OK secure /);

my $rdb = "$Lab::DIR/tmp/dump.rdb";

unlink $rdb;
Nodes::start_redis();
Nodes::start_node($_) for 'one', 'two';
ok(Nodes::tracking($_), "$_ is told of changes") for 'one', 'two';
two_nodes();
Nodes::start_strict();
mail_is_held('with the lists of Redis');
redis_is_away();
redis_loses_all();
redis_loses_all_in_the_middle();
redis_has_older_lists();
what_is_no_list();
no_lists_at_all();
edits_under_load();

Nodes::stop_strict();
for my $name (map { ("$_-policyd", "$_-stsd") } 'one', 'two') {
    is(Nodes::stop($name, 'TERM'), 0, "$name ends well");
    unlike(join("\n", Nodes::log_of($name)), qr/Sanitizer|runtime error/, "$name: nothing for the sanitizers");
}
Nodes::stop('nodes-redis', 'TERM');
done_testing();

# --- helpers ---

sub ctl {
    my ($node, @words) = @_;
    my ($status, $out, $err) = Nodes::ctl_all($node, @words);
    is($status, 0, "$node: posternctl @words") or diag($err);
    return $out;
}

# posternctl does not do that, and says why.
sub refuses {
    my ($pattern, @words) = @_;
    my ($status, $out, $err) = Nodes::ctl_all('one', @words);
    isnt($status, 0, "posternctl @words is refused");
    like($err, $pattern, 'and the reason is given');
    return;
}

sub answers {
    my ($what, $node, %wanted) = @_;
    for my $domain (sort keys %wanted) {
        my ($answer, $wanted) = ('', $wanted{$domain});
        $wanted = qr/^\Q$wanted\E$/ unless ref $wanted;
        Lab::until_true(sub { ($answer = Nodes::ask($node, $domain)) =~ $wanted });
        like($answer, $wanted, "$what, $node: $domain");
    }
    return;
}

# These hold now, without waiting.
sub holds {
    my ($what, $node) = @_;
    is(Nodes::ask($node, $bound), 'OK verify', "$what, $node: what is required");
    is(Nodes::ask($node, 'list-exclude.test'), 'OK none', "$what, $node: what is excluded");
    return;
}

sub mail_is_held {
    my ($what) = @_;
    my $to = Lab::send_mail($bound);
    my $got = Lab::outcome($to) || { status => 'no verdict', reason => '', id => '' };
    is($got->{status}, 'deferred', "$what: mail to a required destination is held");
    like($got->{reason}, qr/Server certificate not verified/, "$what: for its certificate");
    Lab::forget($got->{id});
    return;
}

# What status says of the lists, when it says that
sub lists_status {
    my ($node, $is) = @_;
    my $lists = {};
    Lab::until_true(sub { $is->($lists = Nodes::status($node, 'policyd')->{lists} // {}) });
    return $lists;
}

sub logged {
    my ($name, $pattern, $what) = @_;
    my $log = '';
    Lab::until_true(sub { ($log = join "\n", Nodes::log_of($name)) =~ $pattern });
    like($log, $pattern, $what);
    return;
}

sub restart_policyd {
    my ($node) = @_;
    is(Nodes::stop("$node-policyd", 'TERM'), 0, "$node: policyd ends when asked to");
    Nodes::start_daemon($node, 'policyd');
    return;
}

# Redis gets the lists again, and edits go on from there.
sub restored {
    my ($what) = @_;
    ctl('one', 'list', 'restore');
    is(lists_status($_, sub { ($_[0]{redis} // '') eq 'adopt' })->{redis}, 'adopt', "$what, restored: $_ has the lists of Redis") for 'one', 'two';
    holds("$what, restored", $_) for 'one', 'two';
    ctl('one', 'list', 'add', 'exclude', 'list-edited.test');
    answers("$what, restored, and edited", $_, 'list-edited.test' => 'OK none') for 'one', 'two';
    ctl('one', 'list', 'del', 'exclude', 'list-edited.test');
    answers("$what, restored, and edited back", $_, 'list-edited.test' => 'NOTFOUND ') for 'one', 'two';
    return;
}

# A file for import; returns its path.
sub list_file {
    my ($name, @lines) = @_;
    my $path = "$Lab::DIR/tmp/$name.list";
    open my $out, '>', $path or die;
    print $out map { "$_\n" } @lines;
    close $out;
    return $path;
}

# --- the tests ---

sub two_nodes {
    ctl('one', 'list', 'add', 'require', $bound, 'verify');
    answers('an edit at one node', $_, $bound => 'OK verify') for 'one', 'two';
    ctl('two', 'list', 'add', 'exclude', 'list-exclude.test');
    answers('an edit at the other node', $_, %wanted) for 'one', 'two';
    return;
}

sub redis_is_away {
    Nodes::stop('nodes-redis', 'KILL');
    holds('Redis is away', $_) for 'one', 'two';
    restart_policyd('one');
    answers('Redis is away, and policyd is new', 'one', %wanted);
    mail_is_held('Redis is away, and policyd is new');
    is(lists_status('one', sub { ($_[0]{from} // '') eq 'file' })->{from}, 'file', 'status says that the lists are those of the file');
    logged('one-policyd', qr/lists-from-file file=\Q$file\E entries=2/, 'so does the log');
    Nodes::start_redis();
    ok(Nodes::tracking($_), "Redis is back, empty: $_ is told of changes") for 'one', 'two';
    return;
}

# Redis came back without the lists above, and now loses all once more.
sub redis_loses_all {
    for my $how ('came back empty', 'was emptied') {
        Nodes::redis('FLUSHALL') if $how eq 'was emptied';
        for my $node ('one', 'two') {
            is(lists_status($node, sub { ($_[0]{redis} // '') eq 'lost' })->{redis}, 'lost', "Redis $how: status of $node says that it has lost the lists");
            holds("Redis $how", $node);
        }
        logged('one-policyd', qr/lists-kept redis=lost/, "Redis $how: so does the log");
        mail_is_held("Redis $how");
        restart_policyd('one');
        answers("Redis $how, and policyd is new", 'one', %wanted);
        refuses(qr/list restore/, 'list', 'add', 'exclude', 'list-edited.test');
        restored("Redis $how");
    }
    return;
}

# What a node answers when it can: facts are looked up anew, which a busy machine may put off (TEMP)
sub settled {
    my ($node, $key) = @_;
    my $got;
    Lab::until_true(sub { ($got = Nodes::ask($node, $key)) !~ /^TEMP/ });
    return $got;
}

# While policyd reads a long list
sub redis_loses_all_in_the_middle {
    ctl('one', 'list', 'import', 'require', list_file('long', "$bound verify", map { "n$_.long.test encrypt" } 1 .. 20_000));
    answers('a long list', $_, 'n20000.long.test' => 'OK encrypt', $bound => 'OK verify') for 'one', 'two';
    my $weaker = 0;
    for my $after (1 .. 5) {
        Nodes::ctl('one', 'list', 'add', 'require', 'edited.long.test', 'encrypt', '--comment', $after);
        sleep 0.01 * $after;
        Nodes::redis('FLUSHALL');
        for my $node ('one', 'two') {
            my $lists = lists_status($node, sub { ($_[0]{redis} // '') eq 'lost' });
            my @got = ($lists->{redis} // '', settled($node, $bound), settled($node, 'n7.long.test'));
            $weaker++ if "@got" ne 'lost OK verify OK encrypt';
            diag("$node, after $after: @got") if $weaker;
        }
        last if $weaker;
        Nodes::ctl('one', 'list', 'restore');
    }
    is($weaker, 0, 'Redis loses all while a long list is read: nothing is adopted from there') or return start_anew();
    ctl('one', 'list', 'import', 'require', list_file('short', "$bound verify"), '--replace');
    answers('a short list again', $_, 'n7.long.test' => 'NOTFOUND ', $bound => 'OK verify') for 'one', 'two';
    return;
}

# What a failed test has lost
sub start_anew {
    Nodes::redis('FLUSHALL');
    Nodes::ctl('one', 'list', 'restore', '--discard');
    Nodes::ctl('one', 'list', 'add', 'require', $bound, 'verify');
    Nodes::ctl('one', 'list', 'add', 'exclude', 'list-exclude.test');
    answers('anew', $_, %wanted) for 'one', 'two';
    return;
}

sub redis_has_older_lists {
    ctl('one', 'list', 'del', 'require', $bound);
    answers('before', $_, $bound => 'NOTFOUND ') for 'one', 'two';
    Nodes::redis('SAVE');
    ctl('one', 'list', 'add', 'require', $bound, 'verify');
    answers('after', $_, $bound => 'OK verify') for 'one', 'two';
    Nodes::stop('nodes-redis', 'KILL');
    Nodes::start_redis();
    ok(Nodes::tracking($_), "Redis is back with older lists: $_ is told of changes") for 'one', 'two';
    for my $node ('one', 'two') {
        is(lists_status($node, sub { ($_[0]{redis} // '') eq 'older' })->{redis}, 'older', "Redis has older lists: status of $node says so");
        holds('Redis has older lists', $node);
    }
    logged('one-policyd', qr/lists-kept redis=older/, 'Redis has older lists: so does the log');
    mail_is_held('Redis has older lists');
    restart_policyd('one');
    answers('Redis has older lists, and policyd is new', 'one', %wanted);
    restored('Redis has older lists');
    return;
}

# By hand, in the middle of what is right
sub what_is_no_list {
    Nodes::redis('HSET', 'postern:list:exclude', 'garbage.test', '{"v":1,', 'Not A Name', '{"v":1}', 'list-near.test/33', '{"v":1}');
    Nodes::redis('HSET', 'postern:list:require', 'wrong.test', '{"v":1,"value":"very-secure"}');
    for my $node ('one', 'two') {
        my $lists = lists_status($node, sub { ($_[0]{lists}{exclude}{bad} // 0) == 3 && ($_[0]{lists}{require}{bad} // 0) == 1 });
        is($lists->{lists}{exclude}{bad}, 3, "$node: status counts the entries that are none");
        like($lists->{lists}{require}{problem} // '', qr/wrong\.test/, "$node: and names one of a list");
        holds('entries that are none', $node);
        for my $entry (['exclude', 'garbage\.test'], ['exclude', '"?Not A Name'], ['exclude', 'list-near\.test/33'], ['require', 'wrong\.test']) {
            logged("$node-policyd", qr/key=list:$entry->[0] entry=$entry->[1]/, "$node: the log names key and entry");
        }
        is(Nodes::ask($node, 'garbage.test'), 'NOTFOUND ', "$node: an entry that is none does nothing");
        like(ctl($node, 'status'), qr/garbage\.test|list-near|Not A Name/, "$node: status shows it to people");
    }
    Nodes::redis('HDEL', 'postern:list:exclude', 'garbage.test', 'Not A Name', 'list-near.test/33');
    Nodes::redis('HDEL', 'postern:list:require', 'wrong.test');
    ok(!lists_status($_, sub { !$_[0]{lists}{exclude}{bad} && !$_[0]{lists}{require}{bad} })->{lists}{exclude}{bad}, "$_: and no more when they are gone")
        for 'one', 'two';

    Nodes::redis('RENAME', 'postern:list:exclude', 'aside');
    Nodes::redis('SET', 'postern:list:exclude', 'a string');
    for my $node ('one', 'two') {
        my $lists = lists_status($node, sub { $_[0]{lists}{exclude}{problem} });
        like($lists->{lists}{exclude}{problem} // '', qr/WRONGTYPE/, "$node: status says that the key holds no list");
        logged("$node-policyd", qr/key=list:exclude error=.*WRONGTYPE/, "$node: so does the log, and names the key");
        like(ctl($node, 'status'), qr/exclude.*WRONGTYPE/, "$node: and shows it to people");
        is(Nodes::ask($node, $bound), 'OK verify', "$node: the other lists go on");
    }
    ctl('one', 'list', 'add', 'require', 'list-encrypt.test', 'encrypt');
    answers('one list is none, another is edited', $_, 'list-encrypt.test' => 'OK encrypt', $bound => 'OK verify') for 'one', 'two';
    Nodes::redis('RENAME', 'aside', 'postern:list:exclude');
    answers('the list is there again', $_, %wanted) for 'one', 'two';
    return;
}

# A node that has never seen them
sub no_lists_at_all {
    Nodes::stop('nodes-redis', 'KILL');
    unlink $rdb;
    is(Nodes::stop('two-policyd', 'TERM'), 0, 'two: policyd ends');
    unlink Nodes::path('two') . '/lists';
    Nodes::start_daemon('two', 'policyd');
    answers('neither Redis nor a file has the lists', 'two', 'sts-good.test' => qr/^OK secure /, 'dane-good.test' => 'OK dane-only',
        'plain.test' => qr/^TEMP /, $bound => qr/^TEMP /);
    is(lists_status('two', sub { $_[0]{from} })->{from}, 'unknown', 'status says that they are not known');
    logged('two-policyd', qr/lists-unknown/, 'so does the log');
    restart_policyd('one');
    answers('a file has them', 'one', %wanted);
    Nodes::start_redis();
    ok(Nodes::tracking('one'), 'Redis is back, empty');
    lists_status('one', sub { ($_[0]{redis} // '') eq 'lost' });
    ctl('one', 'list', 'restore');
    answers('a node restores the lists', $_, %wanted) for 'one', 'two';
    return;
}

# A process that asks for these domains in turn as fast as it is answered, until the file appears, but some hundred times, and then says how often it
# has asked, and which answers were wrong
sub asker {
    my ($wanted, $end, @domains) = @_;
    my $pid = open(my $out, '-|') // die;
    return $out if $pid;
    my $fh = IO::Socket::UNIX->new(Peer => Nodes::path('one') . '/policyd.sock');
    my ($asked, %wrong) = (0);
    my @requests = map { length("postfix $_") . ":postfix $_," } @domains;
    while ($asked <= 100 || !-e $end) {
        for (1 .. 100) {
            my $got = '';
            syswrite $fh, $requests[$asked % @requests];
            sysread $fh, $got, 65536, length $got or last until $got =~ /,\z/;
            $asked++;
            $wrong{$got}++ unless $got =~ /^\d+:(?:$wanted),\z/;
        }
    }
    print "$asked ", join(' ', map { "$wrong{$_} x '$_'" } sort keys %wrong), "\n";
    close STDOUT;
    POSIX::_exit(0);
}

# edits_under(WHAT, SECONDS, [DOMAINS, ANSWER] ...): asks, and makes the edits of the sub in turn meanwhile
sub edits_under {
    my ($what, $seconds, $edit, @asks) = @_;
    my $end = "$Lab::DIR/tmp/load.end";
    unlink $end;
    my @askers = map { asker($_->[1], $end, @{ $_->[0] }) } @asks;
    my ($edits, $until, $failed) = (0, time + $seconds);
    while (time < $until && !$failed) {
        ($failed) = Nodes::ctl_all($edits % 2 ? 'two' : 'one', $edit->($edits));
        $edits++;
    }
    is($failed, 0, "$what: $edits edits");
    open my $mark, '>', $end;
    for my $i (0 .. $#asks) {
        my ($asked, $wrong) = (readline($askers[$i]) // '') =~ /^(\d+) (.*)$/;
        close $askers[$i];
        cmp_ok($asked // 0, '>', 100, "$what: $asks[$i][0][0] was asked for " . ($asked // 0) . ' times');
        is($wrong, '', "$what: no wrong answer for $asks[$i][0][0]");
    }
    return;
}

sub edits_under_load {
    my $list = list_file('load', "$bound verify", map { "n$_.long.test encrypt" } 1 .. 1000);
    ctl('one', 'list', 'import', 'require', $list, '--replace');
    Nodes::configure('one', policyd => 'workers = 2');
    restart_policyd('one');
    answers('before the load', 'one', 'n7.long.test' => 'OK encrypt');
    my @edits = (['list', 'add', 'exclude', 'list-edited.test'], ['list', 'add', 'require', $bound, 'verify', '--comment', 'again'],
        ['list', 'import', 'require', $list, '--replace'], ['list', 'add', 'exclude', 'list-exclude.test', '--comment', 'again'],
        ['list', 'del', 'exclude', 'list-edited.test'], ['list', 'add', 'require', 'other.long.test', 'encrypt']);
    edits_under('edits under load', 2, sub { @{ $edits[$_[0] % @edits] } },
        [[$bound], 'OK verify'], [['n7.long.test'], 'OK encrypt'], [['list-exclude.test'], 'OK none'], [['list-encrypt.test'], 'NOTFOUND '],
        [['list-edited.test'], 'NOTFOUND |OK none'], [['sts-good.test'], 'OK secure match=mx\.sts-good\.test servername=hostname'],
        [['dane-good.test'], 'OK dane-only']);
    no_mixture();
    return;
}

# Two states of a long list, each of which requires TLS for all of these domains, by different entries
sub no_mixture {
    my @numbers = 1 .. 30;
    my @others = map { "n$_.long.test encrypt" } 1 .. 3000;
    my @states = (list_file('by-name', @others, map { "x.p$_.swap.test verify" } @numbers),
        list_file('by-parent', @others, map { ".p$_.swap.test verify" } @numbers));
    ctl('one', 'list', 'import', 'require', $states[0], '--replace');
    answers('before the list is replaced', 'one', 'x.p1.swap.test' => 'OK verify', 'x.p30.swap.test' => 'OK verify');
    edits_under('a long list is replaced', 2, sub { ('list', 'import', 'require', $states[$_[0] % 2], '--replace') },
        [[map { "x.p$_.swap.test" } @numbers], 'OK verify'], [['n7.long.test'], 'OK encrypt']);
    return;
}
