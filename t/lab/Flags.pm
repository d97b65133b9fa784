package Flags;
# Flags.pm - a Postfix with postern-milter, of a test's own: both started, stopped and given mail here, and what came of it read
# in the queue, the log and the mailboxes. Its configuration is /etc/postfix-flag (lib/mail.sh says what is in it); the
# milter's is written here, and its Redis is that of Nodes.pm.

use strict;
use warnings;
use IO::Handle;
use IO::Socket::INET;
use IPC::Open2 ();
use Lab;
use MIME::Base64 ();
use Nodes;
use POSIX ();
use Socket qw(IPPROTO_TCP TCP_NODELAY);

our $DIR = "$Lab::DIR/milter";
our $CONF = "$DIR/postern.conf";
our $HELD = "$Lab::DIR/flag/spool/hold";
my $MILTER = "$ENV{POSTERN_BUILD}/milter/postern-milter";

# --- the milter ---

# A Redis that is empty, and nothing of an earlier test
sub begin {
    unlink glob("$DIR/*"), "$Nodes::DIR/redis.sock";
    Nodes::start_redis();
    return;
}

# configure(KEY => 'VALUE', ...): of the section milter, as the file has them; url: the Redis
sub configure {
    my (%more) = @_;
    my (undef, undef, $uid, $gid) = getpwnam('postern');
    mkdir $DIR;
    chown $uid, $gid, $DIR;
    my %keys = (listen => qq("unix:$DIR/milter.sock"), user => '"postern"', record_header => '"X-Postern"', lists_file => qq("$DIR/lists"), rules_file => qq("$DIR/rules"), %more);
    my $url = delete $keys{url} // "unix:$Nodes::REDIS";
    open my $out, '>', $CONF or die "$CONF: $!";
    print $out qq(redis {\n    url = "$url"\n}\nmilter {\n), map({ "    $_ = $keys{$_}\n" } sort keys %keys), "}\n";
    close $out;
    return;
}

# The rules in Redis, as from the hand of an operator; edits are counted here. read_rules waits until the milter has them.
our $edits = 0;

sub put_rules {
    my ($text) = @_;
    Nodes::redis('HSET', 'postern:rules:', 'g', '0123456789abcdef', 'n', ++$edits, 'text', $text);
    return;
}

sub read_rules {
    put_rules(@_);
    return Lab::until_true(sub { grep { /rules-read edits=$edits / } Nodes::log_of('milter') });
}

sub start_milter {
    my $ready = sub { defined IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => 8463) || Nodes::listening("$DIR/milter.sock") };
    Nodes::start('milter', $ready, $MILTER, '-f', '-c', $CONF);
    return;
}

# A milter that must not start: its exit status, and what it says
sub start_in_vain {
    my ($status, $out, $err) = Lab::capture('timeout', $Lab::PATIENCE, $MILTER, '-f', '-c', $CONF);
    return ($status, $out . $err);
}

# posternctl with the milter's configuration: status, standard output, standard error
sub ctl {
    return Lab::capture("$ENV{POSTERN_BUILD}/ctl/posternctl", '-c', $CONF, @_);
}

# --- Postfix ---

# start_postfix(FOLDER): with that configuration, a changed copy of /etc/postfix-flag
sub start_postfix {
    my ($folder) = @_;
    ($ENV{MAIL_CONFIG}, $Lab::SENDER) = ($folder // '/etc/postfix-flag', 'flag');
    my $log = "$Lab::DIR/log/flag.log";
    my $before = () = Lab::lines($log);
    my $ready = sub { my @log = Lab::lines($log); grep { /daemon started/ } @log[$before .. $#log] };
    Nodes::start('flag', $ready, 'postfix', 'start-fg');
    return;
}

# All that a test starts here, ended, the milter by a signal; the milter's status.
sub stop {
    my ($signal) = @_;
    my $status = Nodes::running('milter') ? Nodes::stop('milter', $signal // 'KILL') : -1;
    Lab::capture('postfix', 'stop');
    Nodes::stop('flag', 'TERM');
    Lab::capture('postsuper', '-d', 'ALL');
    Nodes::stop($_, 'KILL') for grep { Nodes::running($_) } 'nodes-redis', 'users';
    return $status;
}

# Users that may log in: any, with any password. Stands for Dovecot's, which would say the same.
sub start_users {
    my $path = "$Lab::DIR/flag/auth.sock";
    unlink $path;
    my $listen = IO::Socket::UNIX->new(Local => $path, Listen => 9) or die "$path: $!";
    chmod 0666, $path;
    Nodes::start('users', sub { 1 }, sub { users($listen) });
    return;
}

sub users {
    my ($listen) = @_;
    while (my $fh = $listen->accept) {
        next if fork;
        $fh->autoflush(1);
        print $fh "VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t1\nDONE\n";
        while (<$fh>) { print $fh "OK\t$1\tuser=" . (split /\0/, MIME::Base64::decode($2))[1] . "\n" if /^AUTH\t(\d+)\t.*resp=(\S+)/ }
        POSIX::_exit(0);
    }
    return;
}

# --- mail ---

# session(from => ADDRESS, to => ADDRESS, port => PORT): an SMTP session behind EHLO
sub session {
    my (%at) = @_;
    my $self = bless {}, __PACKAGE__;
    $self->{fh} = IO::Socket::INET->new(PeerAddr => $at{to} // '127.0.0.1', PeerPort => $at{port} // 2525, Timeout => $Lab::PATIENCE,
        LocalAddr => $at{from}) or die "no session: $@\n";
    setsockopt $self->{fh}, IPPROTO_TCP, TCP_NODELAY, 1;
    $self->{greeting} = $self->reply;
    $self->command('EHLO somebody.test');
    return $self;
}

# The same behind STARTTLS. What openssl shows first is a line of the reply to its own EHLO.
sub tls_session {
    my (%at) = @_;
    my $self = bless {}, __PACKAGE__;
    my $from = $at{from} // '127.0.0.1';
    IPC::Open2::open2($self->{out}, $self->{fh}, 'sh', '-c', "exec openssl s_client -quiet -no_ign_eof -starttls smtp -bind $from:0 -connect 127.0.0.1:2525 2>/dev/null");
    $self->{fh}->autoflush(1);
    $self->{fh}->print("EHLO somebody.test\r\n");
    until ($self->reply =~ /^250-/) { }
    return $self;
}

# All lines of a reply as one text; '' when the connection is closed
sub reply {
    my ($self) = @_;
    my ($all, $line) = ('');
    my $fh = $self->{out} // $self->{fh};
    local $SIG{ALRM} = sub { die "no reply\n" };
    alarm 2 * $Lab::PATIENCE;
    while (defined($line = <$fh>)) { $all .= $line =~ s/\r//r; last if $line =~ /^\d+ / }
    alarm 0;
    return $all;
}

sub command {
    my ($self, $line) = @_;
    $self->{fh}->print("$line\r\n");
    return $self->reply;
}

# The envelope of a message: its commands
sub envelope {
    my ($mail) = @_;
    return 'MAIL FROM:<' . ($mail->{from} // 'sender@home.test') . '>' . ($mail->{parameters} ? " $mail->{parameters}" : ''),
        map({ 'RCPT ' . (/^TO:/ ? $_ : 'TO:' . (/^</ ? $_ : s{^((?:"[^"]*"|\S)*)}{<$1>}r)) } @{ $mail->{to} }), 'DATA';
}

# text(MAIL): the message; name: what the test knows it by; hold => 0: it goes out; header: more fields; body
sub text {
    my ($mail) = @_;
    my $text = "X-Name: $mail->{name}\n" . (($mail->{hold} // 1) ? "X-Hold: yes\n" : '');
    $text .= "Subject: through the milter\n" unless ($mail->{header} // '') =~ /^Subject:/mi;
    $text .= "Message-Id: <$mail->{name}\@somebody.test>\n" . ($mail->{header} // '');
    $text .= "\n" unless $text =~ /\n\z/;
    return "$text\n" . ($mail->{body} // "Hello.\n");
}

# Sends a message: { name, from, parameters, to => ['user@example.test NOTIFY=NEVER', ...], ... as for text }. Gives the first reply
# that is a refusal, of the commands or the message, or the last one.
sub transmit {
    my ($self, $mail) = @_;
    my @commands = envelope($mail);
    $self->{fh}->print(join '', map { "$_\r\n" } @commands);
    my @replies = map { $self->reply } @commands;
    my ($bad) = grep { !/^[23]/ } @replies;
    if ($replies[-1] =~ /^354/) {
        my $text = text($mail) =~ s/^\./../mgr =~ s/(?<!\r)\n/\r\n/gr;
        $self->{fh}->print("$text.\r\n");
        my $end = $self->reply;
        return $bad // $end;
    }
    $self->command('RSET');
    return $bad;
}

# The same by sendmail(1); gives its status
sub submit {
    my ($mail) = @_;
    my $pid = open(my $pipe, '|-', 'sendmail', '-i', '-f', $mail->{from} // 'sender@home.test', @{ $mail->{options} // [] }, @{ $mail->{to} }) or die;
    print $pipe text($mail);
    close $pipe;
    return $? >> 8;
}

# --- what came of it ---

# The held messages, by name: { id, sender, ret, envid, header, rcpt => { ADDRESS => { orcpt, notify, orig } } }
sub held {
    my %held;
    my @ids = map { m{([^/]+)$} } grep { -x } glob "$HELD/*";    # before cleanup(8) makes it executable, a file is not whole
    return {} unless @ids;
    my (undef, $out) = Lab::capture('postcat', '-eh', '-q', @ids);
    for my $file (split /^(?=\*\*\* ENVELOPE RECORDS )/m, $out) {
        my $mail = read_file($file);
        $held{ $mail->{name} } = $mail;
    }
    return \%held;
}

sub read_file {
    my ($file) = @_;
    my ($id) = $file =~ m{^\*\*\* ENVELOPE RECORDS \w+/(\w+)};
    my ($header) = $file =~ /^\*\*\* MESSAGE CONTENTS .*?\n(.*?)^\*\*\* HEADER EXTRACTED/ms;
    my %mail = (id => $id, header => $header, name => $header =~ /^X-Name: (.*)$/m ? $1 : '', rcpt => {});
    my %next;
    for ($file =~ s/^\*\*\* MESSAGE CONTENTS .*?^(?=\*\*\* HEADER EXTRACTED)//msr =~ /^.*$/mg) {
        $mail{sender} = $1 if /^sender: (.*)/;
        $mail{ret} = { 1 => 'FULL', 2 => 'HDRS' }->{$1} if /^named_attribute: ret_flags=(\d+)/;
        $mail{envid} = $1 if /^named_attribute: envelope_id=(.*)/;
        $next{orcpt} = $1 if /^named_attribute: dsn_orig_rcpt=(.*)/;
        $next{notify} = $1 if /^named_attribute: notify_flags=(.*)/;
        $next{orig} = $1 if /^original_recipient: (.*)/;
        next unless /^(canceled_)?recipient: (.*)/;
        $mail{rcpt}{$2} = {%next} unless $1;
        %next = ();
    }
    return \%mail;
}

# The addresses that a held message goes to, as one text
sub recipients { return join ' ', sort keys %{ $_[0]{rcpt} } }

# Our header fields in it
sub record { return join '|', ($_[0]{header} // '') =~ /^X-Postern: (.*(?:\n[ \t].*)*)/mg }

sub forget_held {
    Lab::capture('postsuper', '-d', 'ALL', 'hold');
    return;
}

# Verdicts of the log, { by => SERVICE, to, orig_to, relay, status, reason }, of a message by its Message-Id; waits until
# it has left the queue.
sub verdicts {
    my ($name) = @_;
    my @verdicts;
    Lab::until_true(sub {
        my @log = Lab::lines("$Lab::DIR/log/flag.log");
        my ($id) = map { /cleanup\[\d+\]: (\w+): message-id=<\Q$name\E\@somebody\.test>/ ? $1 : () } @log;
        return unless $id && grep { /qmgr\[\d+\]: $id: removed/ } @log;
        @verdicts = map { m{postfix/(\S+)\[\d+\]: $id: to=<([^>]*)>,(?: orig_to=<([^>]*)>,)? relay=([^,]*), .*status=(\w+) \((.*)\)$}
            ? { by => $1, to => $2, orig_to => $3, relay => $4, status => $5, reason => $6 } : () } @log;
        return 1;
    });
    return @verdicts;
}

# The messages in the mailbox home.test, bounces too, whose text fits
sub home {
    my ($fits) = @_;
    return grep { $_ =~ $fits } map { join "\n", Lab::lines($_) } glob "$Lab::DIR/mail/home.test/new/*";
}

1;
