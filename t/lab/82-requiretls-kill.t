#!/usr/bin/perl
# 5,000 flagged messages flow while postern-relayd is killed at random; then a tenth of that while it is stopped, and another one while Postfix and hosts of the
# other side go: nothing is lost, nothing comes twice but where SMTP itself leaves no other way, nothing is in clear, and nothing stays behind. R6, S9.
#
# A message may come twice when the next server has taken it, and its word has not yet got to the MTA (RFC 5321 4.5.3.2.6, 6.1): whoever is between the two then cannot
# tell, and asks again. Each message that came once more is shown here to be of that kind, or the test fails:
#     the host       nothing came on its connection behind that message: it was the last thing that relayd did there
#     Postfix        did not get the reply to it (which has a number of its own), and says so: "may be sent more than once"; or it was ended itself then
#     a host's end   the host has died behind that message, and relayd put it off for that
#
# environment: KILL_MESSAGES, KILL_KILLS (both of the part with SIGKILL), KILL_SEED (all random choices), KILL_SHOW (each of those that came twice)
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Lab;
use Flags;
use List::Util qw(max min shuffle sum0);
use Nodes;
use Relayed;
use Test::More;
use Time::HiRes qw(sleep time);
use Wire;

my $DIR = "$Lab::DIR/kill";
my $RELAYD = "$ENV{POSTERN_BUILD}/relayd/postern-relayd";
my $CONTROL = 'for-all-to-be-read';
my $MARK = 'sekrit';    # in all names, addresses and texts of messages
my $POSTFIX = '/etc/postfix-kill';
my @DOMAINS = qw(akill.test bkill.test b-both-kill.test b-slow-kill.test ckill.test lkill.test);
my @TOGETHER = grep { /^b/ } @DOMAINS;    # of one next hop
my $SESSIONS = 6;

my $sanitized = (Lab::capture('grep', '-q', '__asan_init', $RELAYD))[0] == 0;
my $messages = $ENV{KILL_MESSAGES} // ($sanitized ? 1000 : 5000);
my $kills = $ENV{KILL_KILLS} // ($sanitized ? 20 : 40);
my $seed = $ENV{KILL_SEED} // time % 1_000_000_000;
srand $seed;
$Lab::PATIENCE = 120;

# --- logs, read on ---

my (%at, %rest);

sub news {
    my ($file) = @_;
    open my $in, '<', $file or return;
    seek $in, $at{$file} // 0, 0;
    local $/;
    my $text = ($rest{$file} // '') . (<$in> // '');
    $at{$file} = tell $in;
    my @lines = split /\n/, $text, -1;
    $rest{$file} = pop @lines;
    return @lines;
}

# What hosts have taken: [{ key => 'NAME DOMAIN', id, time, where, followed, closed }]
my (@taken, %last, %closed, @clear);

sub read_hosts {
    for my $file (glob "$DIR/*/*.log") {
        my ($host) = $file =~ m{([^/]+)\.log$};
        read_host($host, $_) for news($file);
    }
    return scalar @taken;
}

sub read_host {
    my ($host, $line) = @_;
    my ($number, $what, $text) = $line =~ /^(\d+) (\S+) ?(.*)/;
    my $connection = "$host $number";
    my $last = $what eq 'closed' ? $last{$connection} : delete $last{$connection};
    $last->{ $what eq 'closed' ? 'closed' : 'followed' } = 1 if $last && $what ne 'open';
    $closed{$connection} = $what eq 'closed' if $what =~ /^(?:open|closed)$/;
    push @clear, $line if $what eq 'clear' && $text !~ /^(?:EHLO client\.test|STARTTLS|QUIT)$/;
    return unless $what eq 'message';
    my (undef, undef, $id, $time, $name) = split / /, $text;
    my $domain = $host =~ s/^[^.]+\.//r;
    # what the client has sent before it closed the connection may be read after that
    push @taken, $last{$connection} = { key => "$name $domain", id => $id, time => $time, where => $connection, closed => $closed{$connection} };
    return;
}

# What Postfix said of each recipient: { 'NAME DOMAIN' => [[STATUS, TEXT], ...] }
my (%said, $sent);

sub read_postfix {
    for (news("$Lab::DIR/log/flag.log")) {
        next unless m{ to=<($MARK\w+)\+requiretls\@([^>]+)>.* status=(\w+) \((.*)\)$};
        push @{ $said{"$1 $2"} }, [$3, $4];
        $sent++ if $3 eq 'sent';
    }
    return $sent;
}

# --- mail ---

my (%wanted, %with_others, $made);

# So many new messages: { name, to }. One in eight is for three domains of one next hop, and only the first recipient has the tag: the milter flags the others.
sub new_messages {
    my ($count) = @_;
    return map {
        my $name = sprintf '%s%06d', $MARK, ++$made;
        my @domains = $made % 8 == 0 ? shuffle(@TOGETHER) : $DOMAINS[$made % @DOMAINS];
        $wanted{"$name $_"} = 1 for @domains;
        $with_others{$name} = 1 if @domains > 1;
        { name => $name, hold => 0, from => "$MARK\@home.test", header => "Subject: $MARK\n", body => "The $MARK of $name.\n" x (1 + $made % 20),
            to => [map { $name . ($_ == 0 ? '+requiretls' : '') . "\@$domains[$_]" } 0 .. $#domains] }
    } 1 .. $count;
}

# Gives them to Postfix in some sessions beside each other; wait_loaders waits for these.
my $load = 0;

sub load {
    my (@mail) = @_;
    my @share = map { [] } 1 .. $SESSIONS;
    push @{ $share[$_ % $SESSIONS] }, $mail[$_] for 0 .. $#mail;
    for my $share (@share) {
        Nodes::start('load' . ++$load, sub { 1 }, sub {
            my $session = Flags::session();
            for (@$share) { die "not taken in\n" unless $session->transmit($_) =~ /^250/ }
        });
    }
    return;
}

sub wait_loaders {
    my @statuses = map { Nodes::stop("load$_", 0) } grep { Nodes::running("load$_") } 1 .. $load;
    return !grep { $_ } @statuses;
}

# --- the parts ---

# Hosts of the other side, in two processes, so that some may die
sub start_hosts {
    my ($group) = @_;
    my @lines = grep { !/ absent\./ && (/ mx1?\.(?:akill|bkill|b-both-kill)\./ xor $group eq 'far') } Lab::lines("$Lab::DIR/scripted.down");
    mkdir $_ for $DIR, "$DIR/$group";
    open my $out, '>', "$DIR/$group/hosts" or die;
    print $out map { "$_\n" } @lines;
    close $out;
    unlink "$Lab::DIR/log/hosts-$group.out";
    Nodes::start("hosts-$group", sub { grep { $_ eq 'ready' } Nodes::log_of("hosts-$group") }, 'nsenter', '--net=/run/netns/mx', 'sh', '-c',
        'exec "$0" "$1" 25 <"$1/hosts"', "$ENV{POSTERN_BUILD}/t/relayd/receiver", "$DIR/$group");
    return;
}

sub configure_postfix {
    Lab::capture('cp', '-a', '/etc/postfix-flag', $POSTFIX);
    Lab::capture('postconf', '-c', $POSTFIX, '-e', 'queue_run_delay=1s', 'minimal_backoff_time=1s', 'maximal_backoff_time=2s');
    Lab::capture('postconf', '-c', $POSTFIX, '-P', 'requiretls/unix/lmtp_lhlo_timeout=5s');    # see contrib/postfix/master.cf
    Lab::capture('sh', '-c', "touch -d '1 minute ago' $POSTFIX/*");
    return;
}

# All that is asked for so far has been sent, as Postfix says, and its queue is empty. A message that is just being moved may be overlooked there, and one that was
# put off may be left alone for minutes once nothing else comes in: Postfix is asked to look.
sub all_sent {
    my $asked = 0;
    return Lab::until_true(sub {
        read_hosts();
        return if read_postfix() < keys %wanted && time < $asked + 2;
        $asked = time;
        if (grep { (Lab::capture('postqueue', '-j'))[1] ne '' } 1 .. 3) {
            Lab::capture('postqueue', '-f');
            return;
        }
        read_hosts();
        read_postfix();
        return 1;
    }, 300) || show_waiting();
}

# For whoever looks into it
sub show_waiting {
    diag map { "$_ is waiting\n" } grep { my $key = $_; !grep { $_->[0] eq 'sent' } @{ $said{$key} } } sort keys %wanted;
    diag((Lab::capture('postqueue', '-p'))[1], (Lab::capture('ss', '-tnp'))[1]);
    return 0;
}

# Does something at so many random moments while so much comes to the hosts.
sub at_random {
    my ($times, $comes, $do) = @_;
    my $before = read_hosts();
    for my $moment (sort { $a <=> $b } map { int($before + $comes * rand(0.95)) } 1 .. $times) {
        Lab::until_true(sub { read_postfix(); read_hosts() >= $moment }, 240) or last;
        sleep rand 0.05;
        $do->();
    }
    return;
}

# --- what came twice ---

my %came;    # 'NAME DOMAIN' => [what was taken, ...]

# All but the one that Postfix knows of in the end
sub surplus {
    my ($key) = @_;
    my ($word) = reverse map { $_->[1] } grep { $_->[0] eq 'sent' } @{ $said{$key} };
    return grep { ($word // '') !~ /kept \Q$_->{id}\E\b/ } @{ $came{$key} };
}

# nearest(TIME, TIMES): how long behind the time the nearest of these is
sub nearest {
    my ($time, $times) = @_;
    my ($best) = sort { abs $a <=> abs $b } map { $_ - $time } @$times;
    return $best;
}

sub while_stopped {
    my ($one, $stops) = @_;
    return grep { $one->{time} > $_->[0] - 1 && $one->{time} < $_->[1] + 1 } @$stops;
}

my @windows = (    # verdicts of Postfix that fit, whether the host is to have died
    ['relayd was killed', qr/may be sent more than once/, 0],
    ['the host died', qr/host \S+ .*closed the connection within the message/, 1],
);

# Which kind it is, or 'no reason'. $verdicts: those of its recipient that have not explained another one.
sub kind {
    my ($one, $verdicts, $stops) = @_;
    for my $window (@windows) {
        my ($kind, $fits, $died) = @$window;
        my ($found) = grep { $verdicts->[$_][0] eq 'deferred' && $verdicts->[$_][1] =~ $fits } 0 .. $#$verdicts;
        next if !defined $found;
        # Where the connection was used again already, the reply was held up by another domain.
        next if $one->{followed} ? $died || held_up($one) ne 'others of the same message' : ($died xor !$one->{closed});
        splice @$verdicts, $found, 1;
        return $kind;
    }
    return while_stopped($one, $stops) ? 'Postfix was stopped' : 'no reason';
}

# What held the reply up, if anything did
sub held_up {
    my ($one) = @_;
    return 'others of the same message' if $with_others{ (split / /, $one->{key})[0] };
    return $one->{where} =~ /slow/ ? 'the host was slow' : 'nothing';
}

# All that is known of it: the host's word, relayd's log, Postfix's verdicts
sub story {
    my ($one, $read, $times) = @_;
    return sprintf '%s, connection %s, ID %s, %s; %s the nearest end of a process; relayd has %s the reply; Postfix: %s', $one->{key}, $one->{where}, $one->{id},
        $one->{followed} ? 'more came behind it' : $one->{closed} ? 'the last on its connection' : 'the last of the host',
        @$times ? sprintf('%.1f ms to', 1000 * nearest($one->{time}, $times)) : 'without', $read ? 'read' : 'not read', join '; ', map { "@$_" } @{ $said{ $one->{key} } // [] };
}

# --- one part: messages flow, and something happens ---

my (%kinds, %why, @windows_ms, $unread);

# Its verdict of `sent` went with Postfix's log process: it has come while Postfix was stopped, and it is not in the queue any more.
sub unheard {
    my ($key, $stops) = @_;
    return !(grep { $_->[0] eq 'sent' } @{ $said{$key} }) && grep { while_stopped($_, $stops) } @{ $came{$key} };
}

# How often Postfix says `sent`, and then sends once more: it was stopped before it had noted that in the queue, which it does after it has said so.
sub not_noted {
    my ($key, $stops) = @_;
    my (undef, @before) = reverse grep { $_->[0] eq 'sent' } @{ $said{$key} };
    return scalar grep { my $word = $_->[1]; grep { $word =~ /kept \Q$_->{id}\E\b/ && while_stopped($_, $stops) } @{ $came{$key} } } @before;
}

sub count_twice {
    my ($part, $one, $kind, $times) = @_;
    $kinds{"$part: $kind"}++;
    $why{ held_up($one) }++;
    push @windows_ms, 1000 * nearest($one->{time}, $times) if $kind eq 'relayd was killed' && held_up($one) eq 'nothing';
    return;
}

# check_part(NAME, KINDS, TIMES, STOPS): what became of all that was wanted; what may come twice; when something was ended, and from when to when Postfix was away
sub check_part {
    my ($part, $allowed, $times, $stops) = @_;
    my %read = map { $_ => 1 } join("\n", Nodes::log_of('relayd')) =~ /kept (\d+\.\d+\.\d+)/g;
    my (@lost, @bad, @not_sent, $twice);
    %came = ();
    push @{ $came{ $_->{key} } }, $_ for @taken;
    for my $key (sort keys %wanted) {
        my @sent = grep { $_->[0] eq 'sent' } @{ $said{$key} };
        my @others = grep { $_->[0] ne 'sent' } @{ $said{$key} };
        my @surplus = surplus($key);
        pop @surplus if unheard($key, $stops);
        push @not_sent, $key if (@sent != 1 + not_noted($key, $stops) && !unheard($key, $stops)) || grep { $_->[0] ne 'deferred' } @others;
        push @lost, $key if @{ $came{$key} // [] } != @surplus + 1;
        $twice += @surplus;
        for my $one (@surplus) {
            my $kind = kind($one, \@others, $stops);
            my $story = story($one, $read{ $one->{id} }, $times);
            push @bad, $story if !grep { $kind eq $_ } @$allowed;
            note "$part, twice, $kind: $story" if $ENV{KILL_SHOW};
            count_twice($part, $one, $kind, $times);
            $unread++ unless $read{ $one->{id} };
        }
    }
    is_deeply([@not_sent], [], "$part: Postfix says `sent` once of each recipient");
    is_deeply([@lost], [], "$part: nothing is lost: what it was told of is there");
    is_deeply([@bad], [], "$part: nothing comes twice but where that cannot be helped");
    is(scalar(grep { !$wanted{$_} } keys %came), 0, "$part: nothing else comes");
    note sprintf '%s: %d recipients, %d deferrals, %d came twice', $part, scalar keys %wanted, sum0(map { scalar @$_ } values %said) - keys %wanted, $twice;
    @taken = %last = %wanted = %said = ();
    $sent = 0;
    return;
}

sub restart {
    my ($signal, $times) = @_;
    push @$times, time;
    my $status = Relayed::stop($signal);
    Relayed::start();
    return $status;
}

sub comes { return scalar keys %wanted }

# --- memory and descriptors of relayd ---

sub relayd_pids {
    return grep { (readlink("/proc/$_/exe") // '') eq $RELAYD } map { m{/proc/(\d+)$} ? $1 : () } glob '/proc/[0-9]*';
}

sub descriptors { return scalar(() = glob "/proc/$_[0]/fd/*") }

sub memory { return join("\n", Lab::lines("/proc/$_[0]/status")) =~ /^VmRSS:\s+(\d+)/m ? $1 : 0 }

sub at_rest {
    return Lab::until_true(sub { my $m = Relayed::metrics(); defined $m->{upstreams} && $m->{upstreams} + $m->{connections} == 0 });
}

# --- the beginning ---

note "seed $seed, $messages messages, $kills kills", $sanitized ? ' (fewer: the build has sanitizers)' : '';
Flags::begin();
Flags::configure();
Flags::ctl('list', 'add', 'local', 'home.test');
Flags::start_milter();
Relayed::configure(idle_timeout => '"1s"');
Relayed::start();
configure_postfix();
start_hosts($_) for 'near', 'far';
Wire::start('client', $MARK, $CONTROL);
Flags::start_postfix($POSTFIX);
read_postfix();
my $begun = time;

{
    my @times;
    load(new_messages($messages));
    at_random($kills, comes(), sub { restart('KILL', \@times) });
    ok(wait_loaders(), 'SIGKILL: all messages are taken in');
    ok(all_sent(), 'SIGKILL: all are sent, and the queue is empty');
    is(scalar(@times), $kills, "SIGKILL: it was killed $kills times");
    check_part('SIGKILL', ['relayd was killed'], \@times, []);
}

{
    my (@times, @bad);
    load(new_messages(int($messages * 0.1)));
    at_random(max(3, $kills / 8), comes(), sub { push @bad, grep { $_ } restart('TERM', \@times) });
    ok(wait_loaders() && all_sent(), 'SIGTERM: all are sent, and the queue is empty');
    is("@bad", '', 'SIGTERM: it ends well each time');
    check_part('SIGTERM', [], \@times, []);
}

{
    my (@stops, @times);
    Relayed::stop('TERM');
    load(new_messages(int($messages * 0.1)));
    ok(wait_loaders(), 'ends of others: all messages are taken in while relayd is away');
    Relayed::start();
    my $turn = 0;
    at_random(4, comes(), sub {
        push @times, time;
        if ($turn++ % 2) {
            Lab::capture('postfix', 'stop');
            Nodes::stop('flag', 'TERM');
            at_rest();    # what relayd was at has come to an end
            push @stops, [$times[-1], time];
            Flags::start_postfix($POSTFIX);
        } else {
            Nodes::stop('hosts-near', 'KILL');
            sleep rand 0.5;
            start_hosts('near');
        }
    });
    ok(all_sent(), 'ends of others: all are sent, and the queue is empty');
    check_part('ends of others', ['the host died', 'Postfix was stopped'], \@times, \@stops);
}

{
    my ($pid) = relayd_pids();
    my (@descriptors, @memory);
    # Twice all comes at once, so that relayd has needed before what it may need at one time on a busy machine, and only then is measured.
    for my $round (1 .. 4) {
        Nodes::signal('relayd', 'STOP') if $round <= 2;
        load(new_messages(int($messages * 0.05)));
        sleep 1.5;
        Nodes::signal('relayd', 'CONT');
        ok(wait_loaders() && all_sent() && at_rest(), 'undisturbed: all are sent, the queue is empty, no connection is left');
        Lab::until_true(sub { !@descriptors || descriptors($pid) <= $descriptors[0] });
        check_part('undisturbed', [], [], []);
        next if $round <= 2;
        push @descriptors, descriptors($pid);
        push @memory, memory($pid);
    }
    cmp_ok($descriptors[1], '<=', $descriptors[0], 'relayd has no more descriptors than before');
    cmp_ok($memory[1] - $memory[0], '<', $sanitized ? 100_000 : 2000, "and memory: $memory[0] kB, then $memory[1] kB");
}

is_deeply([Flags::home(qr/$MARK/)], [], 'nothing was given back to the sender');
Wire::say_clear(join ' ', $CONTROL, Wire::base64_forms($CONTROL));
Wire::is_clean('client', $MARK, $CONTROL);
is_deeply([@clear], [], 'no host has heard anything of a message in clear');

my ($relayd, $milter) = Relayed::finish();
is($relayd, 0, 'relayd ends well');
is($milter, 0, 'the milter ends well');
Nodes::stop("hosts-$_", 'KILL') for 'near', 'far';
is(scalar(relayd_pids()), 0, 'no relayd is left');

@windows_ms = sort { $a <=> $b } @windows_ms;
diag sprintf 'seed %d: %d messages, %d kills, %.0f s; came twice: %s; reply held up by: %s; not read by relayd: %d; held up by nothing, ended so long behind: %s', $seed,
    $made, $kills, time - $begun, join(', ', map { "$kinds{$_} ($_)" } sort keys %kinds) || 'none', join(', ', map { "$why{$_} ($_)" } sort keys %why) || 'none', $unread // 0,
    @windows_ms ? sprintf 'median %.1f ms, longest %.1f ms', $windows_ms[@windows_ms / 2], $windows_ms[-1] : 'none';
done_testing();
