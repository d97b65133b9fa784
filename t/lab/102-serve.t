#!/usr/bin/perl
# stsd publishes the policies of own domains behind real web servers, with the files of contrib: another stsd fetches them as any sender does. Edits are seen,
# while Redis is away, and after a start without it, they are served on; answers to ACME challenges.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use JSON::PP qw(decode_json encode_json);
use Lab;
use Nodes;
use Test::More;
use Time::HiRes qw(sleep);

my $CONTRIB = "$FindBin::Bin/../../contrib";
my $CADDY = "$ENV{POSTERN_LAB_ROOT}/caddy/usr/bin/caddy";
my $WEB = "$Lab::DIR/tmp/publish";
my @domains = map { "serve-$_.test" } 1 .. 3;    # serve-4.test publishes nothing
my $edits = 0;

mkdir $WEB;
certificate();
Nodes::start_redis();
Nodes::start_node('one', stsd => qq(publish_listen = "inet:127.0.0.1:8466"\n    publish_file = "$Nodes::DIR/one/published"));
publish($_, 'enforce', 'mx.sts-good.test') for @domains;
publish("many-$_.test", 'testing', "mx$_.test") for 1 .. 300;
start_nginx();
through('nginx');
edited();
challenges();
redis_away();
Nodes::stop('publish-nginx', 'QUIT');
start_caddy();
through('Caddy');
Nodes::stop('publish-caddy', 'TERM');
for my $name ('one-policyd', 'one-stsd') {
    is(Nodes::stop($name, 'TERM'), 0, "$name ends well");
    unlike(join("\n", Nodes::log_of($name)), qr/Sanitizer|runtime error/, "$name: nothing for the sanitizers");
}
Nodes::stop('nodes-redis', 'TERM') if Nodes::running('nodes-redis');
done_testing();

# --- what there is ---

sub certificate {
    my $names = join ',', map { "DNS:mta-sts.$_" } @domains, 'serve-4.test', map { "many-$_.test" } 1 .. 300;
    my ($status, undef, $err) = Lab::capture(qw(openssl req -x509 -days 10 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /O=Lab),
        '-CA', "$Lab::DIR/certs/ca.pem", '-CAkey', "$Lab::DIR/certs/ca.key", '-addext', 'basicConstraints=critical,CA:false', '-addext', "subjectAltName=$names",
        '-keyout', "$WEB/privkey.pem", '-out', "$WEB/fullchain.pem");
    is($status, 0, 'a certificate of all names') or diag($err);
    return;
}

# As posternctl does, in one script
sub publish {
    my ($domain, $mode, @mx) = @_;
    my $json = encode_json({ v => 1, mode => $mode, max_age => 86400, mx => \@mx, id => 'id' . ++$edits, changed => time, since => time, by => 'lab' });
    Nodes::redis('EVAL', q(local n = redis.call('HINCRBY', KEYS[2], 'n', 1) redis.call('HSET', KEYS[2], string.format('e%d', math.fmod(n, 16)), ARGV[1])
        redis.call('HSETNX', KEYS[2], 'g', '0123456789abcdef') return redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])),
        2, 'postern:published:policies', 'postern:published:', $domain, $json);
    return;
}

sub slurp { return join '', map { "$_\n" } Lab::lines($_[0]) }
sub spew { my ($file, $text) = @_; open my $out, '>', $file or die "$file: $!"; print $out $text; close $out; return }
sub with_certificate { return slurp($_[0]) =~ s{/etc/ssl/mta-sts/}{$WEB/}gr }

sub start_nginx {
    spew("$WEB/mta-sts.conf", with_certificate("$CONTRIB/nginx/mta-sts.conf"));
    spew("$WEB/nginx.conf", "daemon off;\nworker_processes 1;\npid $WEB/nginx.pid;\nevents {}\nhttp {\n    access_log $WEB/access.log;\n"
        . join('', map { "    ${_}_temp_path $WEB/$_;\n" } qw(client_body proxy fastcgi scgi uwsgi)) . "    include $WEB/mta-sts.conf;\n}\n");
    Nodes::start('publish-nginx', sub { listens(443) }, 'nginx', '-e', "$Lab::DIR/log/publish-nginx.out", '-c', "$WEB/nginx.conf");
    return;
}

sub start_caddy {
    my $hosts = join ', ', map { "https://mta-sts.$_" } @domains, 'serve-4.test';
    spew("$WEB/Caddyfile", "{\n\tadmin off\n\tauto_https disable_redirects\n}\n" . with_certificate("$CONTRIB/caddy/mta-sts.caddy") =~ s{https://mta-sts\.example\.com}{$hosts}r);
    $ENV{HOME} = $ENV{XDG_DATA_HOME} = $ENV{XDG_CONFIG_HOME} = $WEB;
    my ($status, undef, $err) = Lab::capture($CADDY, 'validate', '--adapter', 'caddyfile', '--config', "$WEB/Caddyfile");
    is($status, 0, 'Caddy takes its file') or diag($err);
    Nodes::start('publish-caddy', sub { listens(443) }, $CADDY, 'run', '--adapter', 'caddyfile', '--config', "$WEB/Caddyfile");
    return;
}

sub listens { return defined IO::Socket::INET->new(PeerAddr => "192.0.2.25:$_[0]") }

# curl as a sender: status, type, body; and all fields
sub fetch {
    my ($url, @options) = @_;
    my ($host) = $url =~ m{//([^/:]+)};
    my (undef, $out) = Lab::capture('curl', '-sS', '-i', '--http1.1', '--max-time', $Lab::PATIENCE, '--cacert', "$Lab::DIR/certs/ca.pem", '--resolve', "$host:443:192.0.2.25",
        '--resolve', "$host:80:192.0.2.25", @options, $url);
    my ($head, $body) = split /\r\n\r\n/, $out, 2;
    my ($status) = ($head // '') =~ /^HTTP\/1\.1 (\d+)/;
    my ($type) = ($head // '') =~ /^content-type: (.*?)\r?$/mi;
    return { status => $status // 0, type => $type // '', body => $body // '', head => $head // '' };
}

sub policy { return fetch("https://mta-sts.$_[0]/.well-known/mta-sts.txt") }
sub becomes { my ($domain, $pattern, $what) = @_; my $got; Lab::until_true(sub { ($got = policy($domain))->{body} =~ $pattern }); like($got->{body}, $pattern, $what); return }

# What the lab's own stsd makes of the domain, looked up anew
sub resolved {
    my ($domain) = @_;
    my (undef, $out, $err) = Lab::capture('posternctl', 'resolve', '--fresh', '--json', $domain);
    return eval { decode_json($out) } // { why => "$out$err" };
}

# --- the tests ---

sub through {
    my ($server) = @_;
    becomes($_, qr/^mode: enforce\r\nmx: mx\.sts-good\.test\r\n/m, "$server: $_") for @domains;
    my $got = policy('serve-1.test');
    is($got->{status}, 200, "$server: served");
    is($got->{type}, 'text/plain; charset=utf-8', "A4 $server: as plain text");
    like($got->{body}, qr/\Aversion: STSv1\r\n(?:[a-z_]+: \S+\r\n)+\z/, "A5 $server: with CRLF");
    like($got->{head}, qr/^cache-control: max-age=60\r?$/mi, "$server: nobody keeps it for long");
    is(policy('serve-4.test')->{status}, 404, "$server: nothing for a domain that publishes nothing");
    is(fetch('https://mta-sts.serve-1.test/')->{status}, 404, "$server: nor elsewhere");
    is(fetch('http://mta-sts.serve-1.test/.well-known/mta-sts.txt')->{status}, 404, "$server: policies go by HTTPS alone");
    for my $domain (@domains) {
        my $sts = resolved($domain)->{sts} // {};
        my $text = encode_json($sts);
        like($text, qr/mode: enforce/, "$server: another stsd fetches the policy of $domain");
        like($text, qr/mx\.sts-good\.test/, "$server: with its MX host");
    }
    return;
}

sub edited {
    becomes("many-$_.test", qr/^mx: mx$_\.test\r$/m, "nginx: many domains, $_") for 1, 150, 300;
    publish('serve-2.test', 'testing', 'mx.sts-good.test', '*.example.net');
    becomes('serve-2.test', qr/mode: testing\r\nmx: mx\.sts-good\.test\r\nmx: \*\.example\.net\r\n/, 'an edit is seen');
    publish('serve-2.test', 'enforce', 'mx.sts-good.test');
    becomes('serve-2.test', qr/mode: enforce/, 'and edited back');
    return;
}

sub challenges {
    Nodes::redis('SET', 'postern:acme:token_1', 'token_1.thumbprint', 'EX', 3600);
    my $got = fetch('http://mta-sts.serve-1.test/.well-known/acme-challenge/token_1');
    is("$got->{status} $got->{body}", '200 token_1.thumbprint', 'an answer to a challenge');
    is(fetch('http://mta-sts.serve-1.test/.well-known/acme-challenge/other')->{status}, 404, 'none to another');
    return;
}

sub redis_away {
    Nodes::stop('nodes-redis', 'KILL');
    is(policy('serve-3.test')->{status}, 200, 'without Redis they are served');
    is(fetch('http://mta-sts.serve-1.test/.well-known/acme-challenge/token_1')->{status}, 503, 'challenges must wait');
    is(Nodes::stop('one-stsd', 'TERM'), 0, 'stsd ends');
    Nodes::start_daemon('one', 'stsd');
    becomes("many-300.test", qr/mode: testing/, 'a start without Redis: served from the file');
    is(policy('serve-4.test')->{status}, 404, 'and no more than that');
    Nodes::start_redis();
    ok(Lab::until_true(sub { Nodes::redis('HLEN', 'postern:published:policies') =~ /^303$/m }), 'Redis comes back empty: it is given all back');
    publish('serve-1.test', 'testing', 'mx.sts-good.test');
    becomes('serve-1.test', qr/mode: testing/, 'and edits go on');
    publish('serve-1.test', 'enforce', 'mx.sts-good.test');
    becomes('serve-1.test', qr/mode: enforce/, 'and back');
    return;
}
