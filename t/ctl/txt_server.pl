#!/usr/bin/perl
# txt_server.pl PORT-FILE RECORDS - a DNS server on loopback, whose port goes into a file. RECORDS is a folder: the file NAME.N holds the Nth TXT record of NAME,
# and
# NAME.mx its MX hosts, a line each; while there is a file `validated`, answers say that they are (AD).
use strict;
use warnings;
use IO::Socket::INET;

my ($port_file, $records) = @ARGV;
my $socket = IO::Socket::INET->new(Proto => 'udp', LocalAddr => '127.0.0.1') or die "$!";
open(my $fh, '>', "$port_file.new") or die;
print $fh $socket->sockport, "\n";
close $fh;
rename "$port_file.new", $port_file or die;

sub data_of {
    my ($file) = @_;
    local $/;
    open(my $in, '<:raw', $file) or die;
    my $text = <$in>;
    return join '', map { chr(length) . $_ } $text =~ /.{1,255}/gs;
}

sub hosts_of {
    my ($file) = @_;
    open(my $in, '<', $file) or die;
    chomp(my @host = <$in>);
    return map { pack('n', 10) . join('', map { chr(length) . $_ } split /\./) . "\0" } @host;
}

while (my $from = $socket->recv(my $packet, 4096)) {
    my ($name, $at) = ('', 12);
    while (my $len = ord substr $packet, $at, 1) { $name .= substr($packet, $at + 1, $len) . '.'; $at += $len + 1 }
    chop $name;
    my $type = unpack 'n', substr $packet, $at + 1, 2;
    my @mx = grep { -f } "$records/" . lc($name) . '.mx';
    my @data = $type == 15 ? map { hosts_of($_) } @mx : map { data_of($_) } sort glob "$records/" . lc($name) . '.[0-9]';
    my $reply = substr($packet, 0, 2) . pack('nnnnn', 0x8180 | (-e "$records/validated" ? 0x20 : 0) | (@data || @mx ? 0 : 3), 1, scalar @data, 0, 0) . substr($packet, 12, $at - 7);
    $reply .= "\xc0\x0c" . substr($packet, $at + 1, 4) . pack('Nn', 300, length) . $_ for @data;
    $socket->send($reply, 0, $from);
}
