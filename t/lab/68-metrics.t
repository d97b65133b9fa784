#!/usr/bin/perl
# The numbers of each daemon while mail flows, as Prometheus reads them; that the alert rules, the dashboard and doc/metrics.md speak of
# metrics that there are; and that a real Prometheus, which scrapes them all, has an answer for each question of dashboard and rules.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Flags;
use JSON::PP qw(decode_json);
use Lab;
use Nodes;
use Prometheus;
use Relayed;
use Reports;
use Test::More;

my $SOURCE = "$FindBin::Bin/../..";
my $PROMTOOL = "$Prometheus::PROGRAMS/promtool";
my %port = (policyd => 9461, stsd => 9462, milter => 9463, relayd => 9464, tlsrptd => 9465);    # as in contrib/prometheus/scrape.yml
my %histogram;    # names, from all pages
my %family;       # name => type

start();
scraped_twice();
mail_flows();
my %page = map { $_ => page($_) } sort keys %port;
pages();
numbers();
names();
rules();
dashboard();
alerts();
hostile();
my ($relayd, $milter) = Relayed::finish();
daemon_down();
is($relayd, 0, 'relayd ends well');
is($milter, 0, 'the milter ends well');
is(Nodes::stop('demo-tlsrptd', 'TERM'), 0, 'tlsrptd ends well');
is(Prometheus::stop(), 0, 'Prometheus ends well');
done_testing();

# --- mail ---

# tlsrptd reads the log of the lab's own Postfix; flagged mail has one of its own (Flags.pm), which is started when it is wanted.
sub start {
    Lab::capture('posternctl', 'report', 'key', 'new', '--type', 'rsa', "$Lab::DIR/postern/rsa.pem");
    chown +(getpwnam('postern'))[2, 3], "$Lab::DIR/postern/rsa.pem";
    Reports::start_demo(qq(metrics_listen = "inet:127.0.0.1:$port{tlsrptd}"));
    start_flagging();
    Prometheus::start();
    return;
}

sub start_flagging {
    Flags::begin();
    Flags::configure(metrics_listen => qq("inet:127.0.0.1:$port{milter}"));
    Flags::ctl('list', 'add', 'local', 'home.test');
    Flags::start_milter();
    Relayed::configure(metrics_listen => qq("inet:127.0.0.1:$port{relayd}"));
    Relayed::start();
    return;
}

# How often something has happened it knows only of what it has seen not to have happened yet.
sub scraped_twice {
    my $daemons = keys %port;
    my $query = "count(sum_over_time(up{job=\"postern\"}[1h]) >= 2) == $daemons";
    ok(Lab::until_true(sub { @{ (Prometheus::query($query))[0] } }), 'Prometheus has scraped each daemon twice');
    return;
}

# With and without policies, one that fails, and flagged mail to a host that offers REQUIRETLS, and to one that does not
sub mail_flows {
    my @domains = qw(rpt-good.test rpt-enforce-expired.test rpt-dane.test rpt-none.test);
    is((Lab::capture('posternctl', 'resolve', 'rpt-good.test', '--fresh'))[0], 0, 'a policy is fetched, though it may be known from another test');
    my %to = map { $_ => Lab::send_mail($_) } @domains;
    ok(Lab::outcome($to{$_}), "$_: the fate of the mail") for @domains;
    Lab::answer('rpt-good.test') for 1 .. 3;
    Flags::start_postfix();
    like(Relayed::mail({ name => 'flagged', to => ['flagged+requiretls@rt-sts.test', 'flagged+requiretls@rt-without.test'] }), qr/^250/, 'flagged mail is taken in');
    return;
}

# --- pages ---

sub page {
    my ($daemon) = @_;
    my (undef, $text) = Lab::capture('curl', '-s', '-m', $Lab::PATIENCE, "http://127.0.0.1:$port{$daemon}/metrics");
    while ($text =~ /^# TYPE (\S+) (\S+)$/mg) {
        $family{$1} = $2;
        $histogram{$1} = 1 if $2 eq 'histogram';
    }
    return $text;
}

sub number {
    my ($daemon, $name) = @_;
    return page($daemon) =~ /^postern_${daemon}_\Q$name\E (\S+)$/m ? $1 : -1;
}

# promtool reads standard input; a page that it finds nothing wrong with gives no output.
sub pages {
    for my $daemon (sort keys %page) {
        open my $out, '>', "$Lab::DIR/tmp/$daemon.metrics" or die;
        print $out $page{$daemon};
        close $out;
        my ($status, @said) = Lab::capture('sh', '-c', "'$PROMTOOL' check metrics <'$Lab::DIR/tmp/$daemon.metrics'");
        is("$status @said", "0  ", "$daemon: promtool finds nothing wrong with the page");
        like($page{$daemon}, qr/^postern_build_info\{version="[^"]+"\} 1$/m, "$daemon: its version");
        like($page{$daemon}, qr/^process_start_time_seconds (\d+)$/m, "$daemon: its start");
    }
    return;
}

# What was counted is what happened.
sub numbers {
    my $lab_began = (stat "$Lab::DIR/expect.tsv")[9];    # an earlier test may have had policies fetched
    my @least = (
        ['policyd', 'answers_total{level="secure"}', 1], ['policyd', 'decisions_total{reason="mta-sts"}', 1], ['policyd', 'decisions_total{reason="dane"}', 1],
        ['policyd', 'memory_hits_total', 2], ['policyd', 'memory_misses_total', 4], ['policyd', 'lookup_seconds_count', 4], ['policyd', 'lists_current', 1],
        ['policyd', 'redis_up', 1], ['stsd', 'resolutions_total{outcome="sts-enforce"}', 1], ['stsd', 'resolutions_total{outcome="dane"}', 1],
        ['stsd', 'policy_fetches_total{outcome="ok"}', 1], ['stsd', 'policy_fetch_seconds_count', 1], ['stsd', 'resolution_seconds_bucket{le="+Inf"}', 4],
        ['stsd', 'policies{mode="enforce"}', 1], ['stsd', 'policy_oldest_fetch_timestamp_seconds', $lab_began], ['stsd', 'redis_up', 1],
        ['milter', 'requiretls_messages_total{reason="tag"}', 1], ['milter', 'list_entries{list="local"}', 1], ['milter', 'redis_up', 1],
        ['relayd', 'recipients_answered_total{answer="delivered"}', 1], ['relayd', 'recipients_answered_total{answer="refused"}', 1],
        ['relayd', 'connect_seconds_count', 1], ['relayd', 'delivery_seconds_count', 1],
        ['tlsrptd', 'sessions_total{source="log",result="success"}', 1], ['tlsrptd', 'sessions_total{source="log",result="certificate-expired"}', 1],
        ['tlsrptd', 'log_read_timestamp_seconds', time - 600], ['tlsrptd', 'log_entry_timestamp_seconds', time - 600], ['tlsrptd', 'log_followed', 1],
        ['tlsrptd', 'spool_limit_bytes', 1], ['tlsrptd', 'redis_up', 1],
    );
    for (@least) {
        my ($daemon, $name, $least) = @$_;
        my $got;
        ok(Lab::until_true(sub { ($got = number($daemon, $name)) >= $least }), "$daemon: $name") or diag("it is $got, not $least");
    }
    return;
}

# --- names ---

sub text_of {
    my ($file) = @_;
    open my $in, '<', "$SOURCE/$file" or die "$file: $!";
    local $/ = undef;
    return scalar <$in>;
}

# The families that a text speaks of
sub spoken_of {
    my ($text) = @_;
    my %spoken;
    for my $name ($text =~ /\b(?:postern_(?:policyd|stsd|milter|relayd|tlsrptd|build|certificate)_\w+|process_start_time_seconds)\b/g) {
        my $base = $name =~ s/_(?:bucket|sum|count)$//r;
        $spoken{ $histogram{$base} ? $base : $name } = 1;
    }
    return sort keys %spoken;
}

sub names {
    for my $file ('contrib/prometheus/postern.rules.yml', 'contrib/prometheus/postern.rules.test.yml', 'contrib/grafana/postern.json', 'doc/metrics.md') {
        my @spoken = spoken_of(text_of($file));
        cmp_ok(@spoken, '>', 10, "$file: speaks of metrics");
        is(join(' ', grep { !$family{$_} } @spoken), '', "$file: all of them are there");
    }
    my %row = text_of('doc/metrics.md') =~ /^\| `(\w+)` \| (counter|gauge|histogram) \|/mg;
    is_deeply(\%row, \%family, 'doc/metrics.md has a row for each metric, with its type');
    ok(eval { decode_json(text_of('contrib/grafana/postern.json'))->{panels} }, 'the dashboard is JSON');
    return;
}

sub rules {
    my $folder = "$SOURCE/contrib/prometheus";
    for (['check', 'rules', 'postern.rules.yml'], ['test', 'rules', 'postern.rules.test.yml'], ['check', 'config', 'scrape.yml']) {
        my ($status, @said) = Lab::capture($PROMTOOL, @$_[0, 1], "$folder/$_->[2]");
        is($status, 0, "promtool @$_") or diag(@said);
    }
    return;
}

# --- what Prometheus answers ---

# Asks all questions, [WHAT, EXPRESSION, LABEL, ...], until each has an answer: a series, with a number, that has these labels.
sub all_answered {
    my (@open) = @_;
    my %said;
    my $answered = sub {
        my (undef, $expression, @labels) = @{ $_[0] };
        my ($series, $error) = Prometheus::query($expression);
        $said{$expression} = $error // @$series . ' series';
        return grep { my $one = $_; !grep { !exists $one->{$_} } @labels } @$series;
    };
    my %answered;
    Lab::until_true(sub { @open = grep { !($answered{$_} = $answered->($_)) } @open; !@open });
    for (@_) {
        ok($answered{$_}, $_->[0]) or diag("$_->[1]: $said{$_->[1]}; labels wanted: @$_[2 .. $#$_]");
    }
    return;
}

# Each metric of an expression as it is chosen there, with the labels that it is chosen by: a misspelt one would go unseen behind !=.
sub selectors {
    my ($expression) = @_;
    my %seen;
    return grep { !$seen{$_}++ } map { s/(\w+)(?:!=|=~|!~|=)"[^"]*"/$&,$1!=""/gr } $expression =~ /\b(?:up|process_start_time_seconds|postern_\w+)\b(?:\{[^}]*\})?/g;
}

sub asked { my ($what, $expression) = @_; return map { ["$what: " . s/\{.*//r, $_] } selectors($expression) }

# As Grafana asks, with all instances chosen by hand. Nothing is empty where nothing has happened: each kind is there from the start, with 0.
sub dashboard {
    my $board = decode_json(text_of('contrib/grafana/postern.json'));
    my ($variable, @others) = grep { $_->{type} eq 'query' } @{ $board->{templating}{list} };
    my @values = Prometheus::label_values($variable->{query}{query} =~ /^label_values\((\w+), (\w+)\)$/);
    is(@others, 0, 'the dashboard has one variable that asks');
    is("$variable->{name} @values", join(' ', 'instance', map { "127.0.0.1:$_" } sort values %port), 'the variable instance: all daemons');
    my $instance = join '|', map { s/\./\\\\./gr } @values;
    my @asked;
    for my $panel (map { $_, @{ $_->{panels} // [] } } @{ $board->{panels} }) {
        for (@{ $panel->{targets} // [] }) {
            my $expression = $_->{expr} =~ s/\$instance\b/$instance/gr =~ s/\$__rate_interval\b/1h/gr;
            my $what = "panel $panel->{title}, $_->{legendFormat}";
            push @asked, [$what, $expression, $_->{legendFormat} =~ /\{\{\s*(\w+)\s*\}\}/g], asked($what, $expression);
        }
    }
    cmp_ok(@asked, '>', 100, 'the dashboard has questions');
    all_answered(@asked);
    return;
}

# Most rules are rightly quiet: what is wanted are the series that they look at. Two metrics have none, as there is no certificate here: that policyd's page speaks of them, names()
# has seen. What makes each rule speak is in postern.rules.test.yml; here, the one that the mail gives cause for.
sub alerts {
    my @rules = Prometheus::rules();
    cmp_ok(@rules, '>', 10, 'Prometheus has the alert rules');
    ok(Lab::until_true(sub { !grep { $_->{health} ne 'ok' } Prometheus::rules() }), 'it can evaluate all of them');
    all_answered(grep { $_->[1] !~ /^postern_certificate_(?:expires_seconds|trouble)$/ } map { asked("alert $_->{name}", $_->{query}) } @rules);
    ok(Lab::until_true(sub { Prometheus::alert('PosternFlaggedMailGivenBack', 'relayd') eq 'firing' }), 'the mail that was refused: PosternFlaggedMailGivenBack');
    return;
}

sub daemon_down {
    ok(Lab::until_true(sub { Prometheus::alert('PosternDaemonDown', $_) eq 'pending' }), "$_ is down: PosternDaemonDown, when it stays so") for 'relayd', 'milter';
    ok(Lab::until_true(sub { Prometheus::alert('PosternDaemonDown', 'stsd') eq '' }), 'stsd is not');    # it may have been late with its answer to Prometheus, which waits a second
    return;
}

# --- whoever asks otherwise ---

sub hostile {
    for my $daemon (sort keys %port) {
        my $url = "http://127.0.0.1:$port{$daemon}";
        for (['-I', "$url/metrics", 200], ["$url/", 404], ['-d', 'x', "$url/metrics", 405], ['-H', 'X: ' . 'x' x 9000, "$url/metrics", 400]) {
            my @words = @$_;
            my $want = pop @words;
            my (undef, $code) = Lab::capture('curl', '-s', '-m', $Lab::PATIENCE, '-o', '/dev/null', '-w', '%{http_code}', @words);
            is($code, $want, "$daemon: $want");
        }
    }
    return;
}
