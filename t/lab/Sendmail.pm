package Sendmail;
# Sendmail.pm - Debian's Sendmail with contrib/sendmail/postern.m4, for the tests that send through it

use strict;
use warnings;
use Flags;
use FindBin;
use Lab;
use Nodes;

our $DIR = "$Lab::DIR/sendmail";
our $ROOT = "$ENV{POSTERN_LAB_ROOT}/sendmail/usr";
our $CF = "$DIR/sendmail.cf";
my $PROGRAM = "$ROOT/libexec/sendmail/sendmail";

# configure(define => { NAME => VALUE }, lines => TEXT): of sendmail.mc, before the MAILER lines. Gives what m4 says of it; '0' when all is well
sub configure {
    my (%more) = @_;
    mkdir $DIR;
    mkdir "$DIR/queue", 0700;
    write_file("$DIR/deliver", "#!/bin/sh\ncase \$* in *daemon*) sleep 3 ;; esac\nexec cat >/dev/null\n");
    chmod 0755, "$DIR/deliver";
    my $more = join '', map { "define(`$_', `$more{define}{$_}')dnl\n" } sort keys %{ $more{define} // {} };
    $more .= $more{lines} // '';
    write_file("$DIR/sendmail.mc", <<"MC");
VERSIONID(`lab')dnl
OSTYPE(`linux')dnl
define(`QUEUE_DIR', `$DIR/queue')dnl
define(`confPID_FILE', `$DIR/pid')dnl
define(`STATUS_FILE', `$DIR/statistics')dnl
define(`HELP_FILE', `')dnl
define(`ALIAS_FILE', `null:none')dnl
define(`LOCAL_MAILER_PATH', `$DIR/deliver')dnl
define(`confDOMAIN_NAME', `client.test')dnl
define(`confDELIVERY_MODE', `q')dnl
define(`confTO_IDENT', `0')dnl
define(`confSERVER_CERT', `$Lab::DIR/certs/snakeoil.crt')dnl
define(`confSERVER_KEY', `$Lab::DIR/certs/snakeoil.key')dnl
define(`confCACERT', `$Lab::DIR/certs/ca.pem')dnl
define(`confMAX_RCPTS_PER_MESSAGE', `200')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`nocanonify')dnl
FEATURE(`no_default_msa')dnl
DAEMON_OPTIONS(`Port=2525, Addr=127.0.0.1, Name=MTA')dnl
LOCAL_DOMAIN(`ours.test unlisted.test')dnl
define(`POSTERN_MILTER', `unix:$Flags::DIR/milter.sock')dnl
${more}MAILER(`smtp')dnl
MAILER(`local')dnl
include(`$FindBin::Bin/../../contrib/sendmail/postern.m4')dnl
LOCAL_RULESETS
STranslate
R\$* \$\$| \$*	\$: \$1 \$| \$2
MC
    my ($status, $cf, $err) = Lab::capture('m4', "-D_CF_DIR_=$ROOT/share/sendmail/cf/", "$ROOT/share/sendmail/cf/m4/cf.m4", "$DIR/sendmail.mc");
    write_file($CF, $cf);
    return "$status$err";
}

sub write_file {
    my ($file, $text) = @_;
    open my $out, '>', $file or die "$file: $!";
    print $out $text;
    close $out;
    return;
}

# Whatever else the machine does: under a high load average Sendmail only queues mail (by its size, from 8 for each processor on), and takes none (from 12 on).
our @WHATEVER_LOAD = ('-OQueueLA=1000', '-ORefuseLA=1000');

# sendmail with its configuration: status, standard output, standard error
sub run { return Lab::capture($PROGRAM, '-C', $CF, @WHATEVER_LOAD, @_) }

# Rules tried: lines as for sendmail -bt. There a $| between words is written $$| in an address, behind the ruleset Translate.
sub try_rules {
    my (@lines) = @_;
    write_file("$DIR/lines", join '', map { "$_\n" } @lines);
    return (Lab::capture('sh', '-c', "exec $PROGRAM -C $CF -bt <$DIR/lines 2>&1"))[1];
}

# Hands a message to Sendmail, which delivers it at once; gives what Sendmail says of it, the session with the server, too. No bounce is asked for.
# enqueue leaves it for the next run of the queue.
sub deliver { return hand_in('-odi -v', @_) }

sub enqueue { return hand_in('-odq', @_) }

sub hand_in {
    my ($mode, @to) = @_;
    write_file("$DIR/message.$$", "Subject: through Postern\n\nHello.\n");
    my ($status, $out) = Lab::capture('sh', '-c', 'program=$1 cf=$2 message=$3 mode=$4; shift 4; exec "$program" -C "$cf" -OQueueLA=1000 $mode -N never -f sender@client.test "$@" <"$message" 2>&1',
        'sh', $PROGRAM, $CF, "$DIR/message.$$", $mode, @to);
    unlink "$DIR/message.$$";
    return $out;
}

# All of the queue once more; what Sendmail says
sub run_queue { return (run('-q', '-v'))[1] }

# { ADDRESS => why it waits }, of the queue
sub queue {
    my %queue;
    for my $file (glob "$DIR/queue/qf*") {
        my @lines = Lab::lines($file);
        my ($why) = map { /^M(.*)/ } @lines;
        $queue{$_} = $why // '' for map { /^R\w*:<?(.*?)>?$/ } @lines;
    }
    return \%queue;
}

sub start {
    Nodes::start('sendmail', sub { eval { Flags::session()->{greeting} =~ /^220 / } }, $PROGRAM, '-C', $CF, @WHATEVER_LOAD, '-bD');
    return;
}

1;
