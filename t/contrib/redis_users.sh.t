#!/usr/bin/perl
# contrib/redis/users.conf with a real Redis: each daemon does all its work as its own user, and none can do another's. A wrong password, or rights that are
# missing, are as a Redis that is away, and the log says why.
use strict;
use warnings;
use File::Temp qw(tempdir);
use FindBin;
use lib "$FindBin::Bin/../stsd";
use Digest::SHA qw(sha256_hex);
use IO::Socket::UNIX;
use Test::More;
use Time::HiRes qw(sleep time);
use World;

my $SECURE = 'OK secure match=mx.test servername=hostname';
my @PROGRAMS = qw(policyd stsd milter posternctl tlsrptd);
my %USER = (policyd => 'postern-policyd', stsd => 'postern-stsd', milter => 'postern-milter', posternctl => 'posternctl', tlsrptd => 'postern-tlsrptd');
my %PASSWORD = map { ($_ => "secret-of-$_") } @PROGRAMS;

# --- Redis ---
my $redis_dir = tempdir(CLEANUP => 1);
chmod 0755, $redis_dir;
my $redis_pid;
my $owner = $$;
END { kill 'KILL', $redis_pid if $redis_pid && $owner == $$ }

sub file { my ($path) = @_; open(my $fh, '<', $path) or die "$path: $!"; local $/; return <$fh> }
sub write_file { my ($path, $text) = @_; open(my $fh, '>', $path) or die "$path: $!"; print $fh $text; close $fh }

# Returns whether it runs.
sub redis_start {
    my ($conf) = @_;
    write_file("$redis_dir/redis.conf", qq(port 0\nunixsocket "$redis_dir/sock"\nunixsocketperm 777\nsave ""\ndir "$redis_dir"\n$conf));
    $redis_pid = fork() // die;
    if (!$redis_pid) {
        open(STDOUT, '>', "$redis_dir/log");
        open(STDERR, '>&', \*STDOUT);
        exec($ENV{POSTERN_REDIS_SERVER} || 'redis-server', "$redis_dir/redis.conf") or POSIX::_exit(127);
    }
    for (1 .. 1200) {
        return 1 if -S "$redis_dir/sock" && IO::Socket::UNIX->new(Peer => "$redis_dir/sock");
        if (waitpid($redis_pid, POSIX::WNOHANG) != 0) { undef $redis_pid; return 0 }
        sleep 0.05;
    }
    return 0;
}

sub redis_end { kill 'KILL', $redis_pid; waitpid $redis_pid, 0; undef $redis_pid; unlink "$redis_dir/sock" }

# A reply: text, number, reference to an array, undef; an error with its minus.
sub reply {
    my ($fh) = @_;
    my $line = <$fh> // return 'no reply';
    $line =~ s/\r\n$//;
    my ($kind, $rest) = (substr($line, 0, 1), substr($line, 1));
    return $kind eq '-' ? $line : $rest if $kind =~ /[-+:]/;
    return undef if $rest < 0;
    return [map { reply($fh) } 1 .. $rest] if $kind eq '*';
    read $fh, my $text, $rest + 2;
    return substr $text, 0, $rest;
}

sub command { my ($fh, @words) = @_; print $fh '*' . @words . "\r\n", map { '$' . length($_) . "\r\n$_\r\n" } @words; return reply($fh) }

# A command as the user of a program; "admin" is the default user, who may all.
sub as {
    my ($program, @words) = @_;
    my $fh = IO::Socket::UNIX->new(Peer => "$redis_dir/sock") or die "$!";
    $fh->autoflush(1);
    is(command($fh, 'AUTH', $USER{$program}, $PASSWORD{$program}), 'OK', "$program logs in") or return '' if $program ne 'admin';
    return command($fh, @words);
}
sub admin { return as('admin', @_) }

sub until_true {
    my ($look) = @_;
    my $end = time() + 60;
    my $seen;
    sleep 0.05 until ($seen = $look->()) || time() > $end;
    return $seen;
}

# --- the file ---
my $users = file("$FindBin::Bin/../../contrib/redis/users.conf");
write_file("$redis_dir/users.conf", $users);
ok(!redis_start("include $redis_dir/users.conf"), 'with a password missing, Redis does not start');
like(file("$redis_dir/log"), qr/hash must be exactly 64 char/, 'and says why');
for my $program (@PROGRAMS) { ok($users =~ s/#HASH-$program /'#' . sha256_hex($PASSWORD{$program}) . ' '/e, "a place for the password of $program") }
write_file("$redis_dir/users.acl", join '', $users =~ /^user.*\n/mg);
ok(redis_start("aclfile $redis_dir/users.acl"), 'its users as a file of ACLs') or die 'no Redis: install redis-server, or name it in POSTERN_REDIS_SERVER';
redis_end();
write_file("$redis_dir/users.conf", $users);
ok(redis_start("include $redis_dir/users.conf"), 'the whole of it in redis.conf');

# --- the daemons, as their users ---
sub login { my ($program) = @_; return qq(redis_username = "$USER{$program}"\nredis_password = "$PASSWORD{$program}") }
my @domains = map { "d$_.test" } 1 .. 4;
my @hosts = map { { domain => "d$_.test", address => loopback($_), text => "$HEAD\r\n$POLICY" } } 1 .. 4;
my %world = (hosts => \@hosts, redis => qq(url = "unix:$redis_dir/sock"));
sub log_has { my ($daemon, $what) = @_; return until_true(sub { world_log($daemon) =~ $what }) }

# posternctl as its user, or with that password: exit code and output.
mkdir "$redis_dir/state";
chmod 0777, "$redis_dir/state"; # policyd runs as somebody else
my $lists_file = qq(lists_file = "$redis_dir/state/lists");
sub ctl {
    my ($login, @words) = @_;
    write_file("$redis_dir/ctl.conf", qq(redis { url = "unix:$redis_dir/sock" }\nposternctl {\n$login\n}\npolicyd { $lists_file }\n));
    my $posternctl = $ENV{POSTERNCTL} // './ctl/posternctl';
    my $output = `$posternctl -c $redis_dir/ctl.conf @words 2>&1 </dev/null`;
    return ($? >> 8) . " $output";
}
sub answers { my ($domain, $want) = @_; return until_true(sub { ask_policyd('postfix', $domain) =~ $want }) }

world_start(%world, stsd => login('stsd'), policyd => login('policyd') . qq(\n$lists_file\nfallback = "plain"));
ok(log_has($_, qr/redis-up link=commands/), "$_ is connected") for qw(stsd policyd);
ok(log_has($_, qr/redis-up link=changes/), "$_ is told of changes") for qw(stsd policyd);
is(ask_policyd('postfix', $domains[0]), $SECURE, 'a look-up by way of stsd');
ok(until_true(sub { admin('EXISTS', 'postern:dest:d1.test') }), 'stsd has written the facts,');
ok(until_true(sub { admin('ZSCORE', 'postern:refresh:', 'd1.test') }), 'the time of the next fetch,');
ok(until_true(sub { admin('ZSCORE', 'postern:used:', 'd1.test') }), 'the time of the last use,');
ok(until_true(sub { !admin('EXISTS', 'postern:lock:d1.test') }), 'and given back the lock');
admin('SET', 'postern:dest:changes.test', Policyd::json_record('changes.test', 0));
is(ask_policyd('postfix', 'changes.test'), 'NOTFOUND ', 'policyd reads facts');
admin('SET', 'postern:dest:changes.test', Policyd::json_record('changes.test', 1));
ok(until_true(sub { ask_policyd('postfix', 'changes.test') =~ /^OK secure match=mx.changes.test / }), 'and hears of newer ones');
admin('FLUSHALL');
ok(until_true(sub { admin('EXISTS', 'postern:dest:d1.test') }), 'stsd gives back what it knows when Redis was emptied');
admin('ZADD', 'postern:refresh:', 1, 'd1.test');
admin('ZADD', 'postern:used:', time(), 'd1.test');
ok(until_true(sub { admin('ZSCORE', 'postern:refresh:', 'd1.test') > 1 }), 'stsd does what is due');
admin('ZADD', 'postern:refresh:', 1, 'x' x 300);
admin('ZADD', 'postern:refresh:', 1, 'unused.test');
ok(until_true(sub { !admin('ZSCORE', 'postern:refresh:', 'x' x 300) && !admin('ZSCORE', 'postern:refresh:', 'unused.test') }), 'and takes out what is not to be done');

# --- posternctl, as its user ---
for my $domain ('list.test', 'state.test', 'import.test') { admin('SET', "postern:dest:$domain", Policyd::json_record($domain, 0)) }
my $login = login('posternctl');
like(ctl($login, 'list add require list.test verify'), qr/^0 added/, 'posternctl adds to a list');
ok(answers('list.test', qr/^OK verify/), 'and policyd goes by it');
like(ctl($login, 'list add require list.test encrypt'), qr/^0 replaced/, 'replaces');
ok(answers('list.test', qr/^OK encrypt/), 'and policyd goes by that');
like(ctl($login, 'list show require'), qr/^0 .*list\.test/s, 'shows');
like(ctl($login, 'list show'), qr/^0 .*require +1/s, 'shows all');
like(ctl($login, "list export require $redis_dir/require"), qr/^0 /, 'exports');
write_file("$redis_dir/import", "import.test\nmore.test\n");
like(ctl($login, "list import local $redis_dir/import"), qr/^0 /, 'imports');
write_file("$redis_dir/import", "import.test encrypt\n");
like(ctl($login, "list import --replace require $redis_dir/import"), qr/^0 /, 'imports in the place of what was there');
ok(answers('import.test', qr/^OK encrypt/) && answers('list.test', qr/^NOTFOUND/), 'policyd goes by that');
like(ctl($login, 'list del local more.test'), qr/^0 taken out/, 'takes out');
like(ctl($login, 'list clear local'), qr/^0 /, 'clears');
like(ctl($login, 'fallback report state.test mx.state.test handshake'), qr/^0 /, 'reports a failure');
ok(answers('state.test', qr/^OK none/), 'policyd goes by it');
like(ctl($login, 'fallback show'), qr/^0 .*mx\.state\.test/s, 'shows all states');
like(ctl($login, 'fallback show state.test'), qr/^0 .*mx\.state\.test/s, 'one of them');
like(ctl($login, 'fallback clear state.test'), qr/^0 /, 'clears one');
ok(answers('state.test', qr/^NOTFOUND/), 'policyd hears of it');
like(ctl($login, 'fallback report state.test mx.state.test handshake') . ctl($login, 'fallback clear'), qr/^0 .*^0 /ms, 'clears all');
ok(until_true(sub { -s "$redis_dir/state/lists" && file("$redis_dir/state/lists") =~ /import\.test/ }), 'policyd has put the lists aside');
admin('DEL', 'postern:list:', 'postern:list:require');
like(ctl($login, 'list restore'), qr/^0 /, 'which are put back');
like(ctl($login, 'list show require'), qr/^0 .*import\.test/s, 'as they were');
admin('DEL', 'postern:list:', 'postern:list:require');
like(ctl($login, 'list restore --discard'), qr/^0 /, 'or given up');
my $rule = q('cards: body matches "\\d{16}" -> requiretls');
like(ctl($login, "rules add $rule"), qr/^0 added: cards/, 'adds a rule');
like(ctl($login, "rules move cards --first") . ctl($login, "rules replace $rule"), qr/^0 moved: cards.*^0 replaced: cards/ms, 'moves and replaces it');
like(ctl($login, "rules save $redis_dir/rules") . ctl($login, "rules load $redis_dir/rules"), qr/^0 .*1 rules in the place of 1/s, 'saves and loads all');
like(ctl($login, 'rules show') . ctl($login, 'rules del cards'), qr/^0 .*cards: body .*^0 taken out: cards/ms, 'shows them, and takes one out');
is_deeply(admin('ACL', 'LOG'), [], 'nothing that they sent was refused') or diag explain admin('ACL', 'LOG');
unlike(world_log($_), qr/warning redis_/, "$_ has nothing to complain of") for qw(stsd policyd);
is(world_end(), '', 'they end as they should');

# --- what each may not ---
my %may = map { my ($user, $rights) = /^user (\S+)(.*)/; ($user => [$rights =~ / \+(\S+)/g]) } $users =~ /^user .*/mg;
sub of_category { my %is = map { $_ => 1 } @{ admin('ACL', 'CAT', $_[1]) }; return join ' ', grep { $is{$_} } @{ $may{ $USER{$_[0]} } } }
is(of_category($_, 'write'), '', "$_ has no command that writes") for qw(policyd milter);
is(of_category($_, 'dangerous') . of_category($_, 'admin'), '', "$_ has no dangerous one") for @PROGRAMS;

my $lists = 'postern:list:require';
my $facts = 'postern:dest:d1.test';
my $state = 'postern:fallback:d1.test';
my $rules = 'postern:rules:';
admin('FLUSHALL');
admin('HSET', $lists, 'd1.test', '{}');
admin('HSET', 'postern:list:', 'n', 1);
admin('SET', $facts, '{}');
admin('HSET', $state, 'mx.test', '{}');
admin('HSET', $rules, 'g', 'x', 'n', 1, 'text', '');
admin('SET', 'other', 'x');
my $KEY = qr/^-NOPERM .*key/i;
my $COMMAND = qr/^-NOPERM .*command/i;
my $IN_SCRIPT = qr/^-.*(?:NOPERM|can't run|can't access)/i; # a script may not what its user may not
my @tries = ( # who, the reply, the command
    ['policyd', qr/^\{\}$/, 'GETRANGE', $facts, 0, 100],
    ['policyd', ['d1.test', '{}'], 'HGETALL', $lists],
    ['policyd', ['1', undef], 'HMGET', 'postern:list:', 'n', 'g'],
    ['policyd', ['mx.test', '{}'], 'HGETALL', $state],
    ['policyd', ['0', ['d1.test', '{}']], 'EVAL_RO', "return redis.call('hscan', KEYS[1], ARGV[1])", 1, $lists, 0],
    ['policyd', $IN_SCRIPT, 'EVAL_RO', "return redis.call('hset', '$lists', 'a', 'b')", 0],
    ['policyd', $IN_SCRIPT, 'EVAL_RO', "return redis.call('hgetall', KEYS[1])", 1, 'other'],
    ['policyd', $COMMAND, 'EVAL', "return redis.call('hset', '$lists', 'a', 'b')", 0],
    ['policyd', $COMMAND, 'SET', $facts, 'x'],
    ['policyd', $COMMAND, 'HSET', $lists, 'a', 'b'],
    ['policyd', $COMMAND, 'DEL', $lists],
    ['policyd', $KEY, 'GETRANGE', 'other', 0, 1],
    ['policyd', $KEY, 'GETRANGE', 'postern:lock:d1.test', 0, 1],
    ['policyd', $COMMAND, 'PUBLISH', '__redis__:invalidate', 'x'],

    ['milter', ['x', '1', ''], 'HMGET', $rules, 'g', 'n', 'text'],
    ['milter', ['1', undef], 'HMGET', 'postern:list:', 'n', 'g'],
    ['milter', ['0', ['d1.test', '{}']], 'EVAL_RO', "return redis.call('hscan', KEYS[1], ARGV[1])", 1, $lists, 0],
    ['milter', $IN_SCRIPT, 'EVAL_RO', "return redis.call('hset', '$rules', 'a', 'b')", 0],
    ['milter', $COMMAND, 'EVAL', "return redis.call('hset', '$rules', 'a', 'b')", 0],
    ['milter', $COMMAND, 'HSET', $rules, 'text', 'b'],
    ['milter', $COMMAND, 'DEL', $rules],
    ['milter', $KEY, 'HMGET', 'postern:lock:d1.test', 'a'],
    ['milter', $KEY, 'HMGET', $state, 'mx.test'],
    ['milter', $COMMAND, 'GETRANGE', $facts, 0, 1],

    ['policyd', $KEY, 'HMGET', $rules, 'text'],
    ['stsd', $KEY, 'DEL', $rules],
    ['tlsrptd', $KEY, 'HGET', $rules, 'text'],

    ['stsd', $KEY, 'GETRANGE', $lists, 0, 1],
    ['stsd', $KEY, 'SET', $lists, 'x'],
    ['stsd', $KEY, 'SET', $state, 'x'],
    ['stsd', $KEY, 'DEL', 'postern:list:'],
    ['stsd', $KEY, 'ZADD', $lists, 1, 'x'],
    ['stsd', $KEY, 'EVAL', "return redis.call('del', KEYS[1])", 1, $lists],
    ['stsd', $IN_SCRIPT, 'EVAL', "return redis.call('del', '$lists')", 0],
    ['stsd', $KEY, 'HSET', $lists, 'a', 'b'],
    ['stsd', '1', 'HSET', 'postern:published:policies', 'a', 'b'],
    ['stsd', '', 'GETRANGE', 'postern:acme:x', 0, 512],
    ['stsd', $KEY, 'SET', 'postern:acme:x', 'x'],
    ['stsd', $KEY, 'HSET', 'postern:published:other', 'a', 'b'],
    ['policyd', $KEY, 'HMGET', 'postern:published:policies', 'a'],
    ['milter', $KEY, 'HMGET', 'postern:published:policies', 'a'],
    ['tlsrptd', $KEY, 'HSET', 'postern:published:policies', 'a', 'b'],
    ['stsd', $COMMAND, 'FLUSHALL'],

    ['posternctl', '1', 'EVAL', "return redis.call('hset', KEYS[1], 'a', 'b')", 1, $lists],
    ['posternctl', '1', 'EVAL', "return redis.call('hset', KEYS[1], 'a', 'b')", 1, $state],
    ['posternctl', '1', 'EVAL', "return redis.call('hset', KEYS[1], 'a', 'b')", 1, $rules],
    ['posternctl', $COMMAND, 'GETRANGE', $facts, 0, 100],
    ['posternctl', $KEY, 'SET', $facts, 'x'],
    ['posternctl', 'OK', 'SET', 'postern:acme:x', 'x', 'EX', 3600],
    ['posternctl', '1', 'EVAL', "return redis.call('hdel', KEYS[1], 'a')", 1, 'postern:published:policies'],
    ['posternctl', $KEY, 'DEL', $facts],
    ['posternctl', $KEY, 'UNLINK', $facts],
    ['posternctl', $KEY, 'TYPE', $facts],
    ['posternctl', $KEY, 'HSET', $facts, 'a', 'b'],
    ['posternctl', $KEY, 'RENAME', $lists, $facts],
    ['posternctl', $KEY, 'RENAME', $facts, $lists],
    ['posternctl', $KEY, 'EVAL', "return redis.call('del', KEYS[1])", 1, $facts],
    ['posternctl', $IN_SCRIPT, 'EVAL', "return redis.call('del', '$facts')", 0],
    ['posternctl', $KEY, 'EXPIRE', 'postern:used:', 1],

    ['tlsrptd', '1', 'EVAL', "return redis.call('hset', KEYS[1], 'c', 'd')", 1, $state],
    ['tlsrptd', '1', 'EVAL', "return redis.call('hincrby', KEYS[1], 'c', 1)", 1, 'postern:tlsrpt:2026-11-22:a.test'],
    ['tlsrptd', 'OK', 'SET', 'postern:tlsrpt-applied:0', 1],
    ['posternctl', ['0', ['c', '1']], 'HSCAN', 'postern:tlsrpt:2026-11-22:a.test', 0],
    ['posternctl', $KEY, 'HSET', 'postern:tlsrpt:2026-11-22:a.test', 'c', 2],
    ['tlsrptd', '1', 'EVAL', "return redis.call('hset', KEYS[1], 'c', 'd')", 1, 'postern:tlsrpt-sent:2026-11-22:a.test'],
    ['tlsrptd', $KEY, 'SET', $facts, 'x'],
    ['tlsrptd', $KEY, 'SADD', 'postern:used:', 'x'],
    ['tlsrptd', $KEY, 'HSET', $lists, 'a', 'b'],
    ['tlsrptd', $KEY, 'HGET', $lists, 'd1.test'],
    ['tlsrptd', $KEY, 'EVAL', "return redis.call('del', KEYS[1])", 1, $facts],
    map { ([$_, $COMMAND, 'CONFIG', 'SET', 'dir', '/tmp'], [$_, $COMMAND, 'ACL', 'SETUSER', 'x'], [$_, $COMMAND, 'KEYS', '*']) } @PROGRAMS,
);
for (@tries) {
    my ($program, $want, @words) = @$_;
    my $got = as($program, @words);
    my $name = "$program: @words";
    if (ref $want eq 'Regexp') { like($got, $want, $name) } elsif (ref $want) { is_deeply($got, $want, $name) } else { is($got, $want, $name) }
}
is(join(' ', admin('GET', $facts), admin('HGET', $lists, 'd1.test'), admin('GET', 'other')), '{} {} x', 'nothing was harmed');

# --- a login or a right is missing: as if Redis were away ---
my $NO_LISTS = qq(\nlists_file = "");
sub in_trouble {
    my ($what, $want, %logins) = @_;
    admin('FLUSHALL');
    admin('HSET', 'postern:list:', 'g', '0123456789abcdef', 'n', 1);
    admin('HSET', 'postern:list:require', 'a.test', '{"v":1,"value":"encrypt","by":"a","created":1}');
    world_start(%world, %logins);
    is(ask_policyd('postfix', 'd1.test'), $SECURE, "$what: mail goes on");
    for my $daemon (sort keys %$want) { ok(log_has($daemon, $want->{$daemon}), "$what: $daemon says why") or diag world_log($daemon) }
    sleep 2; # it is tried again several times meanwhile
    for my $daemon (sort keys %$want) {
        my @lines = grep { /redis_/ } split /\n/, world_log($daemon);
        cmp_ok(scalar(@lines), '<=', 3, "$what: $daemon says it once") or diag join "\n", @lines;
    }
    is(ask_policyd('postfix', 'd2.test'), $SECURE, "$what: and still");
    is(world_end(), '', "$what: the end");
}
like(ctl($login =~ s/secret/no/r, 'list show'), qr/^1 posternctl: Redis at .*: reply to AUTH: WRONGPASS /, 'posternctl with a wrong password');
admin('ACL', 'SETUSER', 'posternctl', '-hset');
admin('FLUSHALL');
unlink "$redis_dir/state/lists";
like(ctl($login, 'list add local a.test'), qr/^1 posternctl: .*(?:NOPERM|can't run)/, 'and without a right that it needs');
my $WRONG = qr/warning redis-down link=commands .*error="reply to AUTH: WRONGPASS /;
in_trouble('a wrong password', { stsd => $WRONG, policyd => $WRONG }, stsd => login('stsd') =~ s/secret/no/r, policyd => login('policyd') =~ s/secret/no/r . $NO_LISTS);
for (['hmget', undef, qr/warning redis-error command=HMGET error="NOPERM /], ['eval_ro', undef, qr/warning redis-error command=EVAL_RO error="NOPERM /],
    ['subscribe', qr/warning redis-down link=changes .*NOPERM/], ['client|tracking', qr/warning redis-(?:down|error) .*NOPERM/],
    ['client|id', qr/warning redis-down link=changes .*NOPERM/], ['getrange', qr/warning redis-error command=GETRANGE error="NOPERM /],
    ['ping', qr/warning redis-down link=commands .*error="reply to PING: NOPERM /]) {
    my ($right, $stsd, $policyd) = (@$_, $_->[1]);
    admin('ACL', 'SETUSER', $USER{$_}, "-$right") for qw(stsd policyd);
    in_trouble("without +$right", { policyd => $policyd, $stsd ? (stsd => $stsd) : () }, stsd => login('stsd'), policyd => login('policyd') . $NO_LISTS);
    admin('ACL', 'SETUSER', $USER{$_}, "+$right") for qw(stsd policyd);
}
done_testing();
