#!/usr/bin/perl
# What bash and zsh offer behind posternctl: every command and every option that the program knows, and nothing else. The shells themselves run it; without
# zsh its part is left out.
use strict;
use warnings;
use File::Temp qw(tempdir);
use Test::More;

my $ctl = $ENV{POSTERNCTL} // './ctl/posternctl';
my $dir = tempdir(CLEANUP => 1);
my @shells = ('bash', grep { -x "/usr/bin/$_" || -x "/bin/$_" } 'zsh');
diag 'no zsh: what it offers is not looked at' if @shells == 1;
sub slurp { open my $fh, '<', $_[0] or die "$_[0]: $!"; local $/; return <$fh> // '' }
sub spew { my ($name, $text) = @_; open my $fh, '>', $name or die "$name: $!"; print $fh $text }
sub help { my $text = `$ctl @_ -h 2>&1`; die $text if $?; return $text }
for (@shells) { is(system("$ctl completion $_ >$dir/$_"), 0, "$_: the program writes it"); is(system("$_ -n $dir/$_"), 0, "$_: it can be read") }

# The words before the cursor are arguments, the last is what is typed so far. In zsh its own functions that offer are ours here, and print.
my %run = (
    bash => 'source $0; COMP_WORDS=(posternctl "$@"); COMP_CWORD=$#; _posternctl; for w in "${COMPREPLY[@]}"; do printf "%s\n" "$w"; done',
    zsh => 'compdef() { : }; _files() { print -- "${1:-files}" }; _describe() { local name=$argv[-1]; local -a got; got=("${(@P)name}"); print -l -- "${got[@]%%:*}" }; source $0; words=(posternctl "$@"); CURRENT=$#words; _posternctl',
);
my %flag = (bash => '--norc --noprofile', zsh => '-f');

sub offered {
    my ($shell, @words) = @_;
    my $pid = open(my $fh, '-|') // die;
    if (!$pid) {
        open STDERR, '>', "$dir/err";
        chdir "$dir/files" or die;
        exec $shell, split(/ /, $flag{$shell}), '-c', $run{$shell}, "$dir/$shell", @words or die;
    }
    my @got = map { chomp; $_ } <$fh>;
    close $fh;
    my $typed = $words[-1];
    @got = grep { $_ eq 'files' || $_ eq '-/' || index($_, $typed) == 0 } @got; # zsh takes those that fit
    my $err = slurp("$dir/err");
    return $err eq '' ? join(' ', sort @got) : "error: $err";
}

sub offers { my ($want, @words) = @_; is(offered($_, @words), $want, "$_: posternctl @words") for @shells }

mkdir "$dir/files" or die;
mkdir "$dir/files/folder" or die;
spew("$dir/files/a file", '');

# --- every command, word by word, and every option of it ---
my %next;
my @commands;
for (help() =~ /^commands:\n(.*?)^$/msg) {
    for (split /\n/) {
        my ($name) = /^  ([a-z][a-z -]*[a-z])/ or next;
        push @commands, $name;
    }
}
# The names end where the arguments or the summary begin: the program itself says what is a name.
@commands = map { my @w = split / /; my @name; while (@w) { push @name, shift @w; my $usage = help(@name); last if $usage =~ /^usage: posternctl \Q@name\E(?: |$)/m } join ' ', @name } @commands;
cmp_ok(scalar @commands, '>', 35, 'there are commands');
for my $name (@commands) {
    my @words = split / /, $name;
    push @{ $next{ join ' ', @words[0 .. $_ - 1] } }, $words[$_] for 0 .. $#words;
}
for my $way (sort keys %next) {
    my %seen;
    offers(join(' ', sort grep { !$seen{$_}++ } @{ $next{$way} }), split(/ /, $way), '');
}
for my $name (@commands) {
    my @options = help(split / /, $name) =~ /^      (--[a-z-]+)/mg;
    offers(join(' ', sort @options, qw(--config --help --version)), split(/ /, $name), '--');
}
my @all = help() =~ /^      (--[a-z-]+)/mg;
cmp_ok(scalar @all, '>', 25, 'there are options');

# --- what stands behind them ---
my $lists = join ' ', sort `$ctl list show -h` ? qw(exclude only require sts-exclude protocols smtps inbound-exclude inbound-require local fallback requiretls) : ();
offers(@$_) for (
    [$lists, qw(list show), ''],
    [$lists, qw(list add), ''],
    ['require requiretls', qw(list add req)],
    ['', qw(list add require), ''],
    ['dane-only encrypt secure verify', qw(list add require example.com), ''],
    ['alternate alternate-any hold plain plain-for', qw(list add fallback example.com), ''],
    ['alternate alternate-any', qw(list add fallback example.com al)],
    ['enforce opportunistic opportunistic+starttls', qw(list add requiretls example.com), ''],
    ['', qw(list add exclude example.com), ''],
    ['', qw(list add protocols example.com), ''],
    ['list', 'li'],
    ['', 'nonesuch', ''],
    ['', qw(list nonesuch), ''],
    ['handshake later plain tls', qw(fallback report example.com mx1.example.com), ''],
    ['ed25519 p256 rsa rsa2048 rsa3072 rsa4096', qw(report key new --type), ''],
    ['ed25519', qw(report key new --type e)],
    ['bash zsh', 'completion', ''],
    ['', qw(report show --day), ''],
    ['', qw(explain --timeout), ''],
    ['--json', qw(explain --j)],
    # options between, with and without values
    ['dane-only encrypt secure verify', qw(list add --comment exclude require --override example.com), ''],
    ['dane-only encrypt secure verify', qw(-c conf --comment list list add require example.com), ''],
    ['add clear del export import restore show', qw(--config conf list), ''],
    # behind -- all is words
    ['', qw(list add -- --js)],
    ['dane-only encrypt secure verify', qw(list -- add require -x), ''],
);
for (['a file folder', 'files', qw(check sts-policy), ''], ['a file folder', 'files', qw(rules save), ''], ['a file folder', 'files', '--config', ''], ['a file folder', 'files', '-c', ''],
    ['a file', 'files', qw(list import require a)], ['a file folder', 'files', qw(rules test --rules), ''], ['folder', '-/', qw(check postfix --config-dir), '']) {
    my ($bash, $zsh, @words) = @$_;
    is(offered('bash', @words), $bash, "bash: posternctl @words: files");
    is(offered('zsh', @words), $zsh, "zsh: posternctl @words: files") if @shells > 1;
}
is(offered('bash', qw(report key new --type =), ''), 'ed25519 p256 rsa rsa2048 rsa3072 rsa4096', 'bash: --type=, which it takes for three words');

# --- as the shells load it ---
is(`bash --norc --noprofile -c 'source $dir/bash; complete -p posternctl' 2>&1`, "complete -F _posternctl posternctl\n", 'bash: it is for posternctl');
if (@shells > 1) {
    mkdir "$dir/functions" or die;
    spew("$dir/functions/_posternctl", slurp("$dir/zsh"));
    is(`zsh -f -c 'fpath=($dir/functions \$fpath); autoload -U compinit; compinit -u -d $dir/dump; print \$_comps[posternctl]' 2>&1`, "_posternctl\n", 'zsh: it is for posternctl');
}
is(system("$ctl completion fish >$dir/out 2>$dir/err") >> 8, 2, 'no other shell');
is(slurp("$dir/out"), '', 'and nothing for it');
done_testing();
