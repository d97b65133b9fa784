#!/usr/bin/perl
# fake_daemon.pl SOCKET REPLY-DIRECTORY - answers one call after another with what the file REPLY-DIRECTORY/VERB holds: "STATUS TEXT".
# Verb and argument are noted in REPLY-DIRECTORY/asked. Without such a file the connection is closed unanswered; the file "raw" is sent as it is.
use strict;
use warnings;
use IO::Socket::UNIX;

my ($path, $dir) = @ARGV;
# Under its name once it listens: between bind and listen a connection is refused.
my $listener = IO::Socket::UNIX->new(Type => SOCK_STREAM, Local => "$path.new", Listen => 5) or die "$path: $!";
rename "$path.new", $path or die "$path: $!";

sub slurp {
    my ($name) = @_;
    open(my $fh, '<:raw', "$dir/$name") or return undef;
    local $/;
    my $text = <$fh>;
    $text =~ s/\n\z//;
    return $text;
}

sub note {
    my ($text) = @_;
    open(my $fh, '>>:raw', "$dir/asked") or die;
    print $fh "$text\n";
}

while (my $client = $listener->accept) {
    my $in = '';
    while ($in !~ /^(\d+):/ || length($in) < length($1) + $1 + 2) {
        sysread($client, $in, 4096, length $in) or last;
    }
    $in =~ /^\d+:1 (\d+) (\S+) (.*),\z/s or next;
    my ($id, $verb, $arg) = ($1, $2, $3);
    note("$verb|$arg");
    if (defined(my $raw = slurp('raw'))) {
        print $client $raw;
    } elsif (defined(my $reply = slurp($verb))) {
        my $data = "1 $id $reply";
        print $client length($data) . ":$data,";
    }
    close $client;
}
