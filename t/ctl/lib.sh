# lib.sh - what the tests of the built posternctl share: TAP, running it, looking into its JSON. Sourced.
ctl=${POSTERNCTL:-./ctl/posternctl}
dir=$(mktemp -d) || exit 99
count=0
daemons=

clean_up() {
    for pid in $daemons; do
        kill "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 99' HUP INT TERM

# ok NAME COMMAND...: a test that passes when the command does
ok() {
    name=$1
    shift
    count=$((count + 1))
    if "$@"; then
        echo "ok $count - $name"
    else
        echo "not ok $count - $name"
        [ -z "${rc:-}" ] || echo "# exit code $rc"
        sed 's/^/# stdout: /' "$dir/out"
        sed 's/^/# stderr: /' "$dir/err"
    fi
}

# run WORD...: posternctl, its output in $dir/out and $dir/err, its exit code in $rc
run() {
    "$ctl" "$@" >"$dir/out" 2>"$dir/err" </dev/null
    rc=$?
}

# exits CODE NAME WORD...: run and compare the exit code
exits() {
    want=$1 name=$2
    shift 2
    run "$@"
    ok "$name" [ "$rc" -eq "$want" ]
}

says() { grep -q -e "$1" "$dir/err"; }
prints() { grep -q -e "$1" "$dir/out"; }
silent() { [ ! -s "$dir/$1" ]; }

# json EXPRESSION: the output is one line, one JSON object ($j), and the Perl expression about it is true
json() {
    perl -MJSON::PP -e '
        local $/;
        my $text = <STDIN>;
        $text =~ /\A[^\n]+\n\z/ or die "not one line\n";
        my $j = JSON::PP->new->utf8->decode($text);
        ref $j eq "HASH" or die "no object\n";
        exit(eval($ARGV[0]) ? 0 : 1);' "$1" <"$dir/out" 2>>"$dir/err"
}

# json_exits CODE NAME EXPRESSION WORD...: run with --json; exit code and object are as wanted
json_exits() {
    want=$1 name=$2 expression=$3
    shift 3
    run --json "$@"
    ok "$name" eval '[ "$rc" -eq "$want" ] && silent err && json "$expression"'
}

# start_daemon NAME [SOCKET]: a fake daemon on $dir/NAME.sock, or that SOCKET, that answers with the files in $dir/NAME
start_daemon() {
    socket=${2:-$dir/$1.sock}
    mkdir -p "$dir/$1"
    perl "$(dirname "$0")/fake_daemon.pl" "$socket" "$dir/$1" &
    daemons="$daemons $!"
    tries=0
    until [ -S "$socket" ] || [ $tries -ge 600 ]; do
        tries=$((tries + 1))
        sleep 0.1
    done
}

# start_redis: a private one on $dir/redis.sock, and $dir/conf, which names it and $dir/lists as the file of policyd's lists
start_redis() {
    "${POSTERN_REDIS_SERVER:-redis-server}" --port 0 --unixsocket "$dir/redis.sock" --save '' --dir "$dir" >"$dir/redis.log" 2>&1 &
    redis_pid=$!
    daemons="$daemons $redis_pid"
    tries=0
    until [ "$(redis PING 2>/dev/null)" = PONG ] || [ $tries -ge 600 ]; do
        tries=$((tries + 1))
        sleep 0.1
    done
    printf 'redis { url = "unix:%s/redis.sock" }\npolicyd { lists_file = "%s/lists" }\n' "$dir" "$dir" >"$dir/conf"
}

# redis WORD...: a command; prints strings and numbers, a line each, nothing for what is not there
redis() {
    perl -MIO::Socket::UNIX -e '
        my $fh = IO::Socket::UNIX->new(Peer => shift) or exit 1;
        print $fh "*" . @ARGV . "\r\n", map { "\$" . length($_) . "\r\n$_\r\n" } @ARGV;
        sub reply {
            my $line = <$fh> // exit 1;
            $line =~ s/\r\n//;
            my ($type, $rest) = $line =~ /^(.)(.*)/s;
            if ($type eq "*") { reply() for 1 .. $rest }
            elsif ($type ne "\$") { print "$rest\n" }
            elsif ($rest >= 0) { read($fh, my $text, $rest + 2); print substr($text, 0, $rest), "\n" }
        }
        reply();' "$dir/redis.sock" "$@"
}

# redis_user NAME: a configuration $dir/conf.NAME that logs in as the user of contrib/redis/users.conf
redis_user() {
    rights=$(sed -n "s/^user $1 on #[^ ]* //p" "$(dirname "$0")/../../contrib/redis/users.conf")
    redis ACL SETUSER "$1" on '>secret' $rights >/dev/null
    { cat "$dir/conf" && printf 'posternctl { redis_username = "%s" redis_password = "secret" }\n' "$1"; } >"$dir/conf.$1"
}

finish() { echo "1..$count"; }
