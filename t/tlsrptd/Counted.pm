# Counted.pm - what tlsrptd has counted (tlsrptd/counts.h), as one line that can be compared.
package Counted;
use strict;
use warnings;
use Exporter 'import';
use JSON::PP qw(decode_json);

our @EXPORT = qw(counted counted_line);

# From the fields in Redis: { POLICY-TYPE => { successful => N, failed => N, TYPE-OF-FAILURE => N } }
sub counted {
    my ($fields) = @_;
    my (%type, %counts);
    for (keys %$fields) {
        $type{$1} = decode_json($fields->{$_})->{'policy-type'} if /^policy (\w+)$/;
    }
    for (keys %$fields) {
        $counts{ $type{$2} // 'unknown' }{$1} += $fields->{$_} if /^(successful|failed) (\w+)$/;
        $counts{ $type{$1} // 'unknown' }{ decode_json($2)->{'result-type'} } += $fields->{$_} if /^failure (\w+) (.*)$/s;
    }
    return \%counts;
}

# "sts successful=1 failed=0; tlsa …"
sub counted_line {
    my ($counts) = @_;
    return join '; ', map {
        my ($type, $n) = ($_, $counts->{$_});
        my @failures = grep { !/^(?:successful|failed)$/ } sort keys %$n;
        join ' ', $type, 'successful=' . ($n->{successful} // 0), 'failed=' . ($n->{failed} // 0), map { "$_=$n->{$_}" } @failures;
    } sort keys %$counts;
}

1;
