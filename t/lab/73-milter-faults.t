#!/usr/bin/perl
# postern-milter killed, its Redis gone, emptied and back: mail is put off or flagged, and never goes on unflagged. Clients that must
# use STARTTLS. M9.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Lab;
use Flags;
use Test::More;

my $n = 0;
sub mail { return { name => 'fault' . ++$n, to => ['a+requiretls@remote.test', 'b@remote.test', 'h@home.test'], @_ } }

my $all = 'a+requiretls@remote.test b+requiretls@remote.test h@home.test';
my $temporary = qr/^4\d\d /;

Flags::begin();

# It waits for a Redis that does not come: looked at in the end.
Flags::configure(url => "unix:$Lab::DIR/no-redis.sock", listen => qq("unix:$Lab::DIR/milter/alone.sock"), lists_file => '""', rules_file => '""');
my ($alone, $alone_pid) = ("$Lab::DIR/log/alone.out", fork // die);
if (!$alone_pid) {
    rename $Flags::CONF, "$Flags::CONF.alone";
    open STDOUT, '>', $alone;
    open STDERR, '>&', \*STDOUT;
    exec 'timeout', 300, "$ENV{POSTERN_BUILD}/milter/postern-milter", '-f', '-c', "$Flags::CONF.alone";
}
Lab::until_true(sub { -e "$Flags::CONF.alone" });

Flags::configure(listen => '"inet:127.0.0.1:8463"');
Flags::ctl('list', 'add', 'local', 'home.test');
Flags::ctl('list', 'add', 'inbound-require', '127.0.0.77');
Flags::start_milter();
Flags::start_postfix();
ok(Flags::read_rules(qq(first: subject is "first" -> requiretls\n)), 'rules are read');
by_tcp();
Flags::configure();
restart('KILL');
starttls_required();
killed_in_the_middle();
killed_while_idle();
redis_goes();
nothing_unflagged();
is(waitpid($alone_pid, 0), $alone_pid, 'no Redis, and no file: it has ended');
isnt($?, 0, 'refused');
like(join("\n", Lab::lines($alone)), qr/Redis cannot be reached.*no file has the lists and rules/, 'and says why');
is(Flags::stop('TERM'), 0, 'the milter ends well');
done_testing();

sub restart {
    my ($signal) = @_;
    Nodes::stop('milter', $signal) if Nodes::running('milter');
    Flags::start_milter();
    return;
}

sub flagged {
    my ($what, $mail, $reply) = @_;
    like($reply, qr/^250/, "$what: taken in");
    is(Flags::recipients(Flags::held()->{ $mail->{name} }), $all, "$what: flagged");
    return;
}

sub by_tcp {
    my $mail = mail();
    flagged('the milter by TCP', $mail, Flags::session(port => 2526)->transmit($mail));
    return;
}

sub starttls_required {
    my $from = '127.0.0.77';
    my $bare = Flags::session(from => $from);
    is($bare->command('MAIL FROM:<sender@home.test>'), "530 5.7.0 Must issue a STARTTLS command first\n", 'a client on inbound-require, without STARTTLS: refused at MAIL');
    is($bare->command('MAIL FROM:<>'), "530 5.7.0 Must issue a STARTTLS command first\n", 'and again, with a null sender');
    like(Flags::tls_session(from => $from)->command('MAIL FROM:<sender@home.test>'), qr/^250/, 'with STARTTLS: not');
    like(Flags::session(from => '127.0.0.78')->command('MAIL FROM:<sender@home.test>'), qr/^250/, 'another client without: not');
    return;
}

# In a session that has got so far; then the rest of the message
sub killed_in_the_middle {
    my @steps = ('MAIL FROM:<sender@home.test>', 'RCPT TO:<a+requiretls@remote.test>', 'DATA');
    my @sessions = map { { smtp => Flags::session(), done => $_ } } 0 .. @steps;
    for my $s (@sessions) { $s->{smtp}->command($_) for @steps[0 .. $s->{done} - 1] }
    my ($body) = grep { $_->{done} == @steps } @sessions;
    $body->{smtp}{fh}->print("Subject: first\r\nX-Name: half\r\nX-Hold: yes\r\n\r\nHalf of the text\r\n");
    Nodes::stop('milter', 'KILL');
    for my $s (@sessions) {
        my $last = '';
        for my $step (@steps[$s->{done} .. $#steps]) {
            $last = $s->{smtp}->command($step);
            last if $last !~ /^[23]/;
        }
        $last = $s->{smtp}->command("the rest\r\n.") if $last eq '' || $last =~ /^354/;
        like($last, $temporary, "killed after $s->{done} commands: put off");
    }
    return;
}

sub killed_while_idle {
    my $smtp = Flags::session();
    my $mail = mail();
    like($smtp->transmit($mail), $temporary, 'a session without the milter: put off');
    my @programs = map { mail() } 1 .. 2;
    is(Flags::submit($_), 0, 'a program sends') for $programs[0];
    ok(Lab::until_true(sub { grep { m{postfix/again/smtp.*status=deferred} } Lab::lines("$Lab::DIR/log/flag.log") }), 'its mail waits in the queue');
    is(scalar keys %{ Flags::held() }, 1, 'nothing has gone on but what was flagged before');
    restart('KILL');
    $mail = mail();
    flagged('started again', $mail, Flags::session()->transmit($mail));
    is(Flags::submit($_), 0, 'a program sends') for $programs[1];
    for my $mail (@programs) {
        my $got = Lab::until_true(sub { Lab::capture('postqueue', '-f'); Flags::held()->{ $mail->{name} } });    # what is just being put off takes no notice
        is(Flags::recipients($got), $all, 'what programs sent before and after: flagged');
    }
    return;
}

sub redis_goes {
    my $smtp = Flags::session();
    my @flow = map { mail() } 1 .. 40;
    my @replies;
    for my $i (0 .. $#flow) {
        Nodes::stop('nodes-redis', 'KILL') if $i == 10;
        Nodes::start_redis() if $i == 20;
        Nodes::redis('FLUSHALL') if $i == 30;
        $smtp = Flags::session() if $i % 5 == 0;
        push @replies, $smtp->transmit($flow[$i]);
    }
    is(scalar(grep { /^250/ } @replies), 40, 'Redis is killed, back without anything, emptied: all mail is taken in');
    my $held = Flags::held();
    is(scalar(grep { Flags::recipients($held->{ $_->{name} }) eq $all } @flow), 40, 'and flagged, but for those that are ours');
    Nodes::stop('nodes-redis', 'KILL');
    my $mail = mail(header => "Subject: first\n", to => ['a@remote.test', 'b@remote.test', 'h@home.test']);
    flagged('Redis gone: a rule', $mail, Flags::session()->transmit($mail));
    restart('KILL');
    $mail = mail(header => "Subject: first\n", to => ['a@remote.test', 'b@remote.test', 'h@home.test']);
    flagged('started without Redis: a rule and the list local, of the files', $mail, Flags::session()->transmit($mail));
    is(Flags::session(from => '127.0.0.77')->command('MAIL FROM:<>') =~ s/ .*//sr, '530', 'and inbound-require');
    return;
}

sub nothing_unflagged {
    my $held = Flags::held();
    is_deeply([grep { Flags::recipients($held->{$_}) ne $all } sort keys %$held], [], 'nothing in the queue is unflagged');
    ok(!exists $held->{half}, 'nor is there half a message');
    return;
}
