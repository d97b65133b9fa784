package Prometheus;
# Prometheus.pm - a Prometheus on the sending host that scrapes the daemons there, by contrib's own scrape.yml and with its alert rules; only that it does so every
# second is ours. It is asked over its HTTP API.

use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use JSON::PP qw(decode_json);
use Lab;
use Nodes;

our $PROGRAMS = "$ENV{POSTERN_LAB_ROOT}/prometheus/usr/bin";
our $SHIPPED = abs_path(dirname(__FILE__) . '/../../contrib/prometheus');
my $DIR = "$Lab::DIR/prometheus";
my $LISTEN = '127.0.0.1:9090';

sub start {
    mkdir $DIR;
    symlink "$SHIPPED/postern.rules.yml", "$DIR/postern.rules.yml";
    open my $out, '>', "$DIR/prometheus.yml" or die "$DIR: $!";
    print $out "global: {scrape_interval: 1s, evaluation_interval: 1s}\n", map { "$_\n" } Lab::lines("$SHIPPED/scrape.yml");
    close $out;
    my $ready = sub { (Lab::capture('curl', '-sf', "http://$LISTEN/-/ready"))[0] == 0 };
    Nodes::start('prometheus', $ready, "$PROGRAMS/prometheus", "--config.file=$DIR/prometheus.yml", "--storage.tsdb.path=$DIR/data", "--web.listen-address=$LISTEN");
    return;
}

sub stop { return Nodes::stop('prometheus', 'TERM') }

# get(PATH, 'NAME=VALUE', ...): what the API has there, and what it has against being asked
sub get {
    my ($path, @fields) = @_;
    my (undef, $text) = Lab::capture('curl', '-s', '-m', $Lab::PATIENCE, '-G', map({ ('--data-urlencode', $_) } @fields), "http://$LISTEN/api/v1/$path");
    my $answer = eval { decode_json($text) } // { error => "no JSON: $text" };
    return ($answer->{data}, $answer->{error});
}

# query(EXPRESSION): the labels of each series that has a number, and an error
sub query {
    my ($data, $error) = get('query', "query=$_[0]");
    return ([map { $_->{metric} } grep { $_->{value}[1] ne 'NaN' } @{ $data->{result} // [] }], $error);
}

# The values of a label of a metric, as Grafana's label_values() has them
sub label_values {
    my ($metric, $label) = @_;
    return @{ (get("label/$label/values", "match[]=$metric"))[0] // [] };
}

# The alert rules, as the API has them
sub rules { return map { @{ $_->{rules} } } @{ (get('rules'))[0]{groups} // [] } }

# The state of an alert about a daemon: 'pending', 'firing' or ''
sub alert {
    my ($name, $daemon) = @_;
    my ($state) = map { $_->{state} } grep { $_->{labels}{alertname} eq $name && $_->{labels}{daemon} eq $daemon } @{ (get('alerts'))[0]{alerts} // [] };
    return $state // '';
}

1;
