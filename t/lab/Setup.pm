package Setup;
# Setup.pm - what tests of `posternctl setup` have in common: files as a whole, a run and what it says, the list `local`.

use strict;
use warnings;
use Exporter 'import';
use JSON::PP ();
use Lab;
use Test::More;

our @EXPORT = qw(slurp spew diff_of ok_setup local_list);

our @CTL;    # posternctl with its -c FILE
our $RUN;    # runs `setup` with more words, as Lab::capture does

sub slurp {
    my ($path) = @_;
    open my $in, '<', $path or return;
    local $/;
    return scalar <$in>;
}

sub spew {
    my ($path, $text) = @_;
    open my $out, '>', $path or die "$path: $!";
    print $out $text;
    close $out;
    return;
}

# Keys whose values differ
sub diff_of {
    my ($before, $after) = @_;
    return [grep { ($before->{$_} // '') ne ($after->{$_} // '') } sort keys %{ { %$before, %$after } }];
}

sub ok_setup {
    my ($name, $want, $output, $errors, @words) = @_;
    my ($status, $out, $err) = $RUN->(@words);
    my $good = is($status, $want, "$name: exit status");
    $good &&= like($out, $output, "$name: what it prints") if $output;
    $good &&= like($err, $errors, "$name: and its error") if $errors;
    diag($out, $err) if !$good;
    return $out;
}

sub local_list {
    my ($status, $out) = Lab::capture(@CTL, 'list', 'show', 'local', '--json');
    return [sort map { $_->{pattern} } @{ JSON::PP->new->utf8->decode($out)->{entries} }];
}

1;
