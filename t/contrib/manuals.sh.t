#!/usr/bin/perl
# The manual pages say what the programs say: each has one; its options are those of -h; posternctl(1) has every command with the options that it takes, and
# no other; postern-lists(5) has every list and value. (postern.conf(5) is looked at in t/shared/conf/sample.t.c.)
use strict;
use warnings;
use FindBin;
use Test::More;

my $doc = "$FindBin::Bin/../../doc";
my $ctl = $ENV{POSTERNCTL} // './ctl/posternctl';
sub slurp { open my $fh, '<', $_[0] or die "$_[0]: $!"; local $/; return <$fh> }
sub says { my ($program, @words) = @_; my $text = `$program @words 2>&1`; die "$program @words: $text" if $?; return $text }
sub section { my ($page, $name) = @_; return $page =~ /^\.Sh \Q$name\E\n(.*?)(?=^\.Sh |\z)/ms ? $1 : '' }
sub words { my %seen; return join ' ', sort grep { !$seen{$_}++ } @_ }

# --- the daemons ---
for my $name (qw(milter policyd relayd stsd tlsrptd)) {
    my $page = slurp("$doc/postern-$name.8");
    my $usage = says("./$name/postern-$name", '-h');
    like($page, qr/^\.Nm postern-$name\n/m, "postern-$name has a manual page");
    my @flags;
    for ($page =~ /^.*\bFl [a-zA-Z].*$/mg) { # ".Fl c , f , t , V", ".Op Fl c Ar file", ".It Fl c Ar file"
        my ($list) = /Fl (.*)/;
        push @flags, grep { /^[a-zA-Z]$/ } /^\.Fl/ ? split(/[ ,|]+/, $list) : map { /^([a-zA-Z])\b/ ? $1 : () } split(/Fl /, $list);
    }
    is(words(@flags), words($usage =~ /^  -([a-zA-Z]) /mg), "postern-$name: the options of -h");
}

# --- posternctl ---
my $page = slurp("$doc/posternctl.1");
my %options;
for (split /^\.Nm\n/m, section($page, 'SYNOPSIS')) {
    my ($line) = /^\.Cm (.*)$/m or next;
    my ($command) = $line =~ /^([a-z -]*[a-z])(?: Fl|$)/ or next;
    my @found = map { "--$_" } /(?:Fl |\| )-([a-z-]+)/g;
    push @{ $options{$command} }, @found;
}
my %described = map { $_ => 1 } $page =~ /^\.It Cm ((?:[a-z-]+ ?)+)/mg;
my $help = says($ctl, '-h');
my ($lines) = $help =~ /^commands:\n(.*?)^$/ms;
my @commands;
for (split /\n/, $lines) {
    my ($text) = /^  ([a-z][a-z -]*[a-z])/;
    my (@name, $usage);
    for my $word (split / /, $text) {
        push @name, $word;
        last if ($usage = says($ctl, @name, '-h')) =~ /^usage: posternctl \Q@name\E(?: |$)/m;
    }
    push @commands, "@name";
    is(words(@{ $options{"@name"} // ['no such command in the synopsis'] }), words($usage =~ /^      (--[a-z-]+)/mg), "posternctl(1): the options of @name");
    ok((grep { $_ =~ /^\Q@name\E(?: |$)/ } keys %described), "posternctl(1): @name is described");
}
cmp_ok(scalar @commands, '>', 35, 'there are commands');
is(words(keys %options), words(@commands), 'posternctl(1): no command that there is not');
my ($own) = $help =~ /^options, before.*?\n(.*?)^of some/ms;
for ($own =~ /^  -([a-z]), --/mgi) { like($page, qr/^\.It Fl $_ .*Fl -/m, "posternctl(1): -$_") }
for (words(map { @$_ } values %options) =~ /--(\S+)/g) { like(section($page, 'DESCRIPTION'), qr/\bFl -\Q$_\E\b|, -\Q$_\E\b/, "posternctl(1): --$_ is described") }

# --- the lists ---
my $lists = slurp("$doc/postern-lists.5");
my $completion = says($ctl, 'completion', 'bash');
my ($names) = $completion =~ /'list show:0'\) _posternctl_words (.*?) ;;/;
my ($first) = section($lists, 'DESCRIPTION') =~ /^\.Bl(.*?)^\.El/ms;
is(words($first =~ /^\.It Ic (\S+)$/mg), words(split / /, $names), 'postern-lists(5): every list, and no other');
my ($values) = $completion =~ /'list add:2'\) case .*?\n(.*?)esac/s;
my %items = section($lists, 'VALUES') =~ /^\.It Ic (\S+)\n(.*?)(?=^\.It|^\.El)/msg;
while ($values =~ /^ +(\S+)\) _posternctl_words (.*?) ;;/mg) {
    my ($list, @values) = ($1, split / /, $2);
    like($items{$list} // '', qr/^\.Li (?:[a-z]+ , )*\Q$_\E(?: |$)/m, "postern-lists(5): $list $_") for @values;
}

# --- all of them ---
my @pages = sort map { s{.*/}{}r } glob "$doc/*.[1-8]";
my $installed = slurp("$doc/Makefile.inc") =~ /^dist_man_MANS \+= ((?:.*\\\n)*.*)$/m ? $1 : '';
is(words($installed =~ m{doc/(\S+)}g), words(@pages), 'every page is installed');
for my $name (@pages) {
    my $text = slurp("$doc/$name");
    for my $to ($text =~ /^\.Xr (postern\S*? \d)/mg) { ok(-e "$doc/" . $to =~ s/ /./r, "$name: $to is there") }
}
done_testing();
