#!/usr/bin/perl
# What becomes of mail when TLS fails, in each mode of fallback and with each fault: the attempts that a sender makes, one
# after the other, and what came of each, as tlsrptd reads it in the sender's log. What binds is never left.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Lab;
use Nodes;
use Test::More;
use Time::HiRes qw(sleep time);

my @modes = ('hold', 'plain', 'alternate', 'alternate-any', 'plain-for');

# By mode and fault: what comes of the attempts for one message, and behind the bar for the next one. An attempt in plain
# text (plain) or over sound TLS (tls) delivers; others leave the message in the queue. They are the words of
# posternctl fallback report, too.
my %attempts = (
    hold => {
        'handshake' => 'handshake handshake handshake | handshake',
        'handshake-once' => 'handshake tls | tls',
        'later' => 'later later later | later',
        'later-once' => 'later tls | tls',
    },
    plain => {
        'handshake' => 'handshake plain | plain',
        'handshake-once' => 'handshake plain | plain',
        'later' => 'later plain | plain',
        'later-once' => 'later plain | plain',
    },
    alternate => {
        'handshake' => 'handshake plain | handshake plain',
        'handshake-once' => 'handshake plain | tls',
        'later' => 'later later later | later',
        'later-once' => 'later tls | tls',
    },
    'alternate-any' => {
        'handshake' => 'handshake plain | handshake plain',
        'handshake-once' => 'handshake plain | tls',
        'later' => 'later plain | later plain',
        'later-once' => 'later plain | tls',
    },
    'plain-for' => {
        'handshake' => 'handshake plain | plain',
        'handshake-once' => 'handshake plain | plain',
        'later' => 'later plain | plain',
        'later-once' => 'later plain | plain',
    },
);
my $kept = 'handshake handshake handshake | handshake';
my %bound = (
    'sts-handshake.test' => $kept,
    'dane-handshake.test' => $kept,
    'require-handshake.test' => $kept,
    'sts-later.test' => $kept =~ s/handshake/later/gr,
    'dane-later.test' => $kept =~ s/handshake/later/gr,
    'require-later.test' => $kept =~ s/handshake/later/gr,
    'sts-handshake-once.test' => 'handshake tls | tls',
    'dane-handshake-once.test' => 'handshake tls | tls',
    'sts-later-once.test' => 'later tls | tls',
    'dane-later-once.test' => 'later tls | tls',
);

Nodes::start_redis();
Nodes::start_node('one', policyd => 'default_level = "encrypt"', tlsrptd => "log = \"$Lab::DIR/log/strict.log\"");
ok(Nodes::tracking('one'), 'policyd is told of changes');
Nodes::start_strict();
Nodes::start_daemon('one', 'tlsrptd');

my @stories = map { my $mode = $_; map { story("$mode-$_.test", $mode, $attempts{$mode}{$_}) } sort keys %{ $attempts{$mode} } } @modes;
push @stories, story('two-handshake.test', 'plain', 'tls | tls');
push @stories, map { story("default-$_.test", '', $attempts{hold}{$_}) } 'handshake', 'later';
push @stories, map { story($_, 'plain', $bound{$_}) } sort keys %bound;
ctl('list', 'add', 'require', "require-$_.test", 'encrypt') for 'handshake', 'later';
run_stories(@stories);
every_mode_holds_what_binds();
the_time_of_plain_for_ends();
the_mode_of_the_configuration();
what_is_cleared_is_forgotten();
what_is_no_state();

Nodes::stop_strict();
is(Nodes::stop($_, 'TERM'), 0, "$_ ends well") for 'one-tlsrptd', 'one-policyd', 'one-stsd';
unlike(join("\n", map { Nodes::log_of("one-$_") } 'stsd', 'policyd', 'tlsrptd'), qr/Sanitizer|runtime error/, 'nothing for the sanitizers');
Nodes::stop('nodes-redis', 'TERM');
done_testing();

sub ctl {
    my ($status, $out, $err) = Nodes::ctl_all('one', @_);
    is($status, 0, "posternctl @_") or diag($err);
    return $out;
}

# The value of a mode in the list: one of them has a time.
sub mode_words { my ($mode) = @_; return $mode eq 'plain-for' ? ('plain-for', '1h') : $mode }

sub story {
    my ($domain, $mode, $attempts) = @_;
    my ($first, $second) = split / \| /, $attempts;
    my $name = "$domain, fallback " . ($mode || 'as the configuration says');
    return { domain => $domain, mode => $mode, name => $name, messages => [[split ' ', $first], [split ' ', $second]] };
}

# --- attempts ---

# All stories go on side by side, an attempt each at a time.
sub run_stories {
    my @stories = @_;
    ctl('list', 'add', 'fallback', $_->{domain}, mode_words($_->{mode})) for grep { $_->{mode} } @stories;
    while (my @now = grep { @{ $_->{messages} } } @stories) {
        # of a failure and an attempt in plain text within one second nobody can tell which came first
        my $second = int time;
        Lab::until_true(sub { time >= $second + 1 }) if grep { $_->{attempts} } @now;
        expects($_) for @now;
        attempt($_) for @now;
        attempted($_) for @now;
    }
    return;
}

# policyd's answer is for the attempt that shall be next.
sub expects {
    my ($story) = @_;
    my $wanted = $story->{messages}[0][0];
    my $answer;
    Lab::until_true(sub { (($answer = Nodes::ask('one', $story->{domain})) eq 'OK none') == ($wanted eq 'plain') });
    my $what = "$story->{name}: attempt " . ++$story->{attempts} . ', ' . ($wanted eq 'plain' ? 'in plain text' : 'over TLS');
    if ($wanted eq 'plain') { is($answer, 'OK none', $what) }
    else { like($answer, qr/^(?:NOTFOUND $|OK encrypt$|OK secure|OK dane-only)/, $what) }
    return;
}

sub attempt {
    my ($story) = @_;
    $story->{since} = Lab::lines("$Lab::DIR/log/strict.log");
    if ($story->{to}) {
        # what Postfix has logged it has still to put into that queue; it would take no notice before
        Lab::until_true(sub { () = glob "$Lab::DIR/strict/spool/deferred/*/$story->{id}" });
        Lab::capture('postqueue', '-i', $story->{id});
    }
    else { $story->{to} = Lab::send_mail($story->{domain}) }
    return;
}

sub attempted {
    my ($story) = @_;
    my ($domain, $to) = @$story{qw(domain to)};
    my $wanted = shift @{ $story->{messages}[0] };
    my $got = Lab::outcome($to, undef, $story->{since}) || { status => 'no verdict', reason => '', lines => [], id => '' };
    my @events = events_of($got);
    my $event = $events[-1][0];
    is($event, $wanted, "$story->{name}: attempt $story->{attempts} comes to that") or diag(join "\n", @{ $got->{lines} });
    ok(!Lab::mailbox($to), "$story->{name}: attempt $story->{attempts} delivers nothing") if $got->{status} ne 'sent';
    $story->{id} = $got->{id};
    return if @{ $story->{messages}[0] };
    Lab::forget($got->{id}) if $got->{status} ne 'sent';
    delete $story->{to};
    shift @{ $story->{messages} };
    return;
}

# What came of an attempt, as whoever reads the log would say: a list of [EVENT, MX HOST], the last one being the end
sub events_of {
    my ($got) = @_;
    my $log = join "\n", @{ $got->{lines} };
    my ($host) = $log =~ /.*relay=([^\[,]+)\[/s;
    my $tls = defined $host && $log =~ /TLS connection established to \Q$host\E/;
    my @failed = map { ['handshake', $_] } $log =~ /SSL_connect error to ([^\[]+)\[/g;
    return (@failed, [$tls ? 'tls' : 'plain', $host]) if $got->{status} eq 'sent';
    return @failed if @failed && $got->{reason} =~ /Cannot start TLS: handshake failure/;
    return ['later', $host] if $tls && $got->{reason} =~ /lost connection/;
    return ["$got->{status}: $got->{reason}", $host];
}

sub report {
    my ($domain, $event, $host) = @_;
    my ($status, undef, $err) = Nodes::ctl_all('one', 'fallback', 'report', $domain, $host, $event);
    is($status, 0, "posternctl fallback report $domain $host $event") or diag($err);
    return;
}

# --- what else there is to show ---

# TLS has failed there just now, and so it goes on.
sub every_mode_holds_what_binds {
    my @domains = map { ("sts-$_.test", "dane-$_.test", "require-$_.test") } 'handshake', 'later';
    for my $mode (@modes) {
        my @now = map { story($_, $mode, $_ =~ /handshake/ ? 'handshake | ' : 'later | ') } @domains;
        pop @{ $_->{messages} } for @now;
        run_stories(@now);
    }
    return;
}

sub the_time_of_plain_for_ends {
    my $domain = 'plain-for-handshake-once.test';
    my $patience = 3;
    report($domain, 'handshake', "mx.$domain");
    ctl('list', 'add', 'fallback', $domain, 'plain-for', "${patience}s");
    my $story = story($domain, 'plain-for', 'tls | ');
    $story->{name} .= ", after ${patience} s, though nobody has touched anything";
    expects($story);
    attempt($story);
    attempted($story);
    return;
}

# And the sender's own level where nothing binds
sub the_mode_of_the_configuration {
    Nodes::configure('one', policyd => 'fallback = "plain"');
    Nodes::signal('one-policyd', 'HUP');
    report('default-later.test', 'later', 'later.faulty.test');
    my $story = story('default-later.test', '', 'plain | ');
    expects($story);
    attempt($story);
    attempted($story);
    return;
}

sub what_is_cleared_is_forgotten {
    my $domain = 'plain-handshake.test';
    like(ctl('fallback', 'show'), qr/\Q$domain\E/, 'fallback show names the next hops where TLS failed');
    like(ctl('fallback', 'show', $domain), qr/handshake\.faulty\.test/, 'and their MX hosts');
    is(Nodes::ask('one', $domain), 'OK none', 'fallback: before the state is cleared');
    ctl('fallback', 'clear', $domain);
    my $answer;
    Lab::until_true(sub { ($answer = Nodes::ask('one', $domain)) eq 'NOTFOUND ' });
    is($answer, 'NOTFOUND ', 'and after that');
    return;
}

# By hand: it leads to TLS, and is named in the log.
sub what_is_no_state {
    for my $case (['plain-later.test', 'later\.faulty\.test', 'HSET', 'postern:fallback:plain-later.test', 'later.faulty.test', '{"v":1,"later":"x"}'],
        ['plain-later-once.test', '', 'SET', 'postern:fallback:plain-later-once.test', 'x']) {
        my ($domain, $host, @command) = @$case;
        is(Nodes::ask('one', $domain), 'OK none', "$domain: before its state is broken");
        Nodes::redis(@command);    # SET takes the place of a hash at once: without any state it would lead to TLS, too
        my $answer;
        Lab::until_true(sub { ($answer = Nodes::ask('one', $domain)) eq 'NOTFOUND ' });
        is($answer, 'NOTFOUND ', "$domain: a state that is none leads to TLS");
        ok(Lab::until_true(sub { grep { /key=fallback:\Q$domain\E.*$host/ } Nodes::log_of('one-policyd') }), "$domain: the log names it");
    }
    return;
}
