# Milter.pm - for the tests of the built postern-milter: a private directory, the daemon in it, and an MTA's side of the milter protocol. It speaks it packet by
# packet, so that it can do what no MTA does, and shows exactly what the daemon asks for.
package Milter;
use strict;
use warnings;
use Exporter 'import';
use FindBin;
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use Socket qw(SOCK_STREAM);
use lib "$FindBin::Bin/../policyd", "$FindBin::Bin/../shared";
use Daemon;
use Policyd qw(start_redis stop_redis redis until_true $redis_dir $redis_url);

our @EXPORT = qw(prepare run start wait_end stop session message step send_packet reply connect_to hang_up log_text logs metric spew slurp $dir $pid $program %ACTION %STEP
    start_redis stop_redis redis until_true $redis_dir $redis_url);
$program = $ENV{POSTERN_MILTER} // './milter/postern-milter';
$metrics = 'postern_milter_';

# A new private directory with a configuration. $more: what else goes into the section milter, DIR in it is the directory; $redis: the url, or none.
sub prepare {
    my ($more, $redis, $listen) = @_;
    my $section = '    user = "' . daemon_folder() . "\"\n";
    for (['listen', $listen // 'unix:DIR/milter.sock'], ['lists_file', 'DIR/lists'], ['rules_file', 'DIR/rules'], ['metrics_listen', 'unix:DIR/metrics.sock']) {
        $section .= "    $_->[0] = \"$_->[1]\"\n" if $more !~ /$_->[0] =/;
    }
    spew("$dir/postern.conf", sprintf("redis { url = \"%s\" }\nmilter {\n%s    %s\n}\n", $redis // '', $section, $more) =~ s/DIR/$dir/gr);
}

sub start {
    prepare(@_);
    return started();
}

# --- the protocol ---

our %ACTION = (ADDHDRS => 1, CHGBODY => 2, ADDRCPT => 4, DELRCPT => 8, CHGHDRS => 0x10, QUARANTINE => 0x20, CHGFROM => 0x40, ADDRCPT_PAR => 0x80, SETSYMLIST => 0x100);
our %STEP = (NOHELO => 2, NOBODY => 0x10, NOEOH => 0x40, NR_HDR => 0x80, NOUNKNOWN => 0x100, NODATA => 0x200, SKIP => 0x400, NR_CONN => 0x1000, NR_MAIL => 0x4000, NR_RCPT => 0x8000, NR_EOH => 0x40000);

# By command: the bit that says that it is not wanted, and the one that says that it is not answered.
my %never = (C => 1, H => 2, M => 4, R => 8, B => 0x10, L => 0x20, N => 0x40, U => 0x100, T => 0x200);
my %silent = (L => 0x80, C => 0x1000, H => 0x2000, M => 0x4000, R => 0x8000, T => 0x10000, U => 0x20000, N => 0x40000, B => 0x80000);

# By TCP where the daemon listens there
sub connect_to {
    my ($inet) = slurp("$dir/postern.conf") =~ /^ *listen = "inet:(.*)"/m;
    return (defined $inet ? IO::Socket::INET->new(PeerAddr => $inet) : IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => "$dir/milter.sock")) // die "connect: $!";
}

sub send_packet {
    my ($s, $command, $data) = @_;
    my $all = pack('N', 1 + length($data // '')) . $command . ($data // '');
    while (length $all) { substr($all, 0, syswrite($s->{fh}, $all) // return, '') }
}

# The next packet, command and data; nothing when the connection ends, or for a minute nothing comes.
sub reply {
    my ($s) = @_;
    while (1) {
        my $have = $s->{in} // '';
        if (length $have >= 4 && length $have >= 4 + unpack('N', $have)) {
            my $packet = substr($s->{in}, 0, 4 + unpack('N', $have), '');
            return (substr($packet, 4, 1), substr($packet, 5));
        }
        return if !IO::Select->new($s->{fh})->can_read(60);
        return if !sysread($s->{fh}, $s->{in}, 65536, length $have);
    }
}

# A reply that ends a step, as text; 550 5.7.1 and so on as they are
my %verdict = (c => 'continue', a => 'accept', r => 'reject', t => 'tempfail', s => 'skip', d => 'discard');
sub verdict { my ($got, $text) = @_; return $got eq 'y' ? $text =~ s/\0\z//r : $verdict{$got} // "what is $got?" }

# One step of a session: what it is answered, as text. 'unwanted', 'silent': as agreed upon it is not sent, or not answered.
sub step {
    my ($s, $command, $data) = @_;
    return 'unwanted' if $s->{steps} & ($never{$command} // 0);
    send_packet($s, $command, $data);
    return 'silent' if $s->{steps} & ($silent{$command} // 0);
    my ($got, $text) = reply($s);
    return 'closed' if !defined $got;
    return verdict($got, $text);
}

sub words { return join '', map { "$_\0" } @_ }

sub macros { my ($s, $command, %m) = @_; send_packet($s, 'D', $command . words(%m)) if %m }

# session(client => ['name', '192.0.2.1'], macros => {...}, actions => bits, steps => bits): negotiates, and tells of the client. {refused} says how that went wrong.
sub session {
    my (%o) = @_;
    my $s = { fh => connect_to() };
    send_packet($s, 'O', pack('NNN', 6, $o{actions} // 0x1ff, $o{steps} // 0x1fffff));
    my ($got, $data) = reply($s);
    if (($got // 'closed') ne 'O') { $s->{refused} = $got // 'closed'; return $s }
    (my $version, @$s{qw(actions steps)}, my $lists) = unpack('NNNa*', $data);
    while (length $lists) { (my $stage, my $names, $lists) = unpack('NZ*a*', $lists); $s->{asks}{$stage} = $names }
    my ($name, $address) = @{ $o{client} // ['client.test', '192.0.2.1'] };
    macros($s, 'C', %{ $o{macros} // {} });
    my $family = !defined $address ? 'U' : $address =~ /:/ ? '6' : '4';
    $s->{connected} = step($s, 'C', "$name\0" . ($family eq 'U' ? 'U' : $family . pack('n', 4711) . "$address\0"));
    return $s;
}

my %change = ('-' => 'delete', '+' => 'add', '2' => 'add', e => 'from', h => 'header', i => 'insert', m => 'change', b => 'body', q => 'quarantine');

# message(SESSION, from => [words], to => [[words], ...], header => [[name, value], ...], body => [pieces], macros => {...}, until => what is left out from there on: a
# command). Gives what ended it: {reply}, {at} (the command), and what was asked for before that: {changes}, each a line; {sent} pieces of the body were sent.
sub message {
    my ($s, %o) = @_;
    return { reply => 'refused', at => 'O', changes => [] } if $s->{refused};
    my @pieces = @{ $o{body} // ["A text.\r\n"] };
    my @steps = (['M', words(@{ $o{from} // ['<s@client.test>'] })], (map { ['R', words($_), '{rcpt_mailer}' => 'error', '{rcpt_host}' => '5.1.1'] } @{ $o{refused} // [] }),
        (map { ['R', words(ref $_ ? @$_ : $_), $o{refused} ? ('{rcpt_mailer}' => 'smtp', '{rcpt_host}' => 'far.test') : ()] } @{ $o{to} // ['<u@far.test>'] }), ['T', ''],
        (map { ['L', words(@$_)] } @{ $o{header} // [['Subject', 'a subject']] }), ['N', ''], (map { ['B', $_] } @pieces));
    my $sent = 0;
    for (@steps) {
        my ($command, $data, @macros) = @$_;
        return { reply => 'left', at => $command, changes => [] } if ($o{until} // '') eq $command;
        macros($s, 'M', %{ $o{macros} // {} }) if $command eq 'M';
        macros($s, $command, @macros);
        my $reply = step($s, $command, $data);
        $sent++ if $command eq 'B' && $reply ne 'unwanted';
        last if $reply eq 'skip';
        return { reply => $reply, at => $command, changes => [], sent => $sent } if $reply !~ /^(?:continue|silent|unwanted)$/;
    }
    macros($s, 'E', i => 'queue-id');
    send_packet($s, 'E', '');
    my @changes;
    while (my ($got, $data) = reply($s)) {
        next if $got eq 'p';
        if ($got eq 'm') { my ($index, $name, $value) = unpack('NZ*Z*', $data); push @changes, "change $name $index: $value"; next }
        if ($got eq 'h') { push @changes, sprintf 'header %s: %s', unpack('Z*Z*', $data); next }
        if ($change{$got}) { push @changes, join(' ', $change{$got}, grep { length } split /\0/, $data); next }
        return { reply => verdict($got, $data), at => 'E', changes => \@changes, sent => $sent };
    }
    return { reply => 'closed', at => 'E', changes => \@changes, sent => $sent };
}

sub hang_up { my ($s) = @_; send_packet($s, 'Q'); close $s->{fh} }

1;
