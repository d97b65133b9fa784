#!/bin/sh
# setup.sh.t - posternctl setup: words, options, and what is in the way before any mail server is. The lab has a real one (t/lab/86-setup-postfix.t). POSTERNCTL and
# POSTERN_REDIS_SERVER name the binaries.
. "$(dirname "$0")/lib.sh"

s() { run -c "$dir/conf" setup "$@"; }
code() { [ "$rc" -eq "$1" ]; }
printf 'posternctl { setup_folder = "%s/kept" }\n' "$dir" >"$dir/conf"

s
ok "no server" eval 'code 2 && says "setup: a word is missing"'
s nonesuch
ok "no such server" eval 'code 2 && says "setup nonesuch: there is no such mail server here; there are: postfix"'
s postfix --apply --undo
ok "two things" eval 'code 2 && says "say one of them"'
s postfix --fresh
ok "an option of another command" eval 'code 2 && says "setup: takes no option --fresh"'
run -c "$dir/nonesuch" setup postfix
ok "no postern.conf" eval 'code 2 && says "nonesuch: there is no such file"'
printf 'nonesuch { }\n' >"$dir/wrong"
run -c "$dir/wrong" setup postfix
ok "a wrong postern.conf" eval 'code 2 && says "no such section"'
ok "nothing was kept" [ ! -e "$dir/kept" ]

# --undo needs no Postfix where nothing was done
s postfix --undo
ok "nothing to take back" eval 'code 0 && prints "^postfix: there is nothing to take back$"'
s postfix --undo --json
ok "the same as JSON" eval 'code 0 && json "\$j->{undone} && \$j->{said}[0] =~ /nothing to take back/"'
ok "the folder is mine alone" [ "$(stat -c %a "$dir/kept/postfix")" = 700 ]

# What was kept
printf '{}' >"$dir/kept/postfix/manifest"
s postfix --undo
ok "a manifest that is none" eval 'code 1 && says "manifest: it is not of version 1"'
rm "$dir/kept/postfix/manifest"
chmod 770 "$dir/kept"
s postfix --undo
ok "a folder that others may write to" eval 'code 1 && says "kept: is no folder that .* alone may write to"'
chmod 700 "$dir/kept"
mv "$dir/kept" "$dir/elsewhere"
ln -s elsewhere "$dir/kept"
s postfix --undo
ok "a folder that is a link" eval 'code 1 && says "kept: is no folder"'
rm "$dir/kept"
mkdir -m 777 "$dir/open"
mkdir -m 700 "$dir/open/kept"
printf 'posternctl { setup_folder = "%s/open/kept" }\n' "$dir" >"$dir/conf.open"
run -c "$dir/conf.open" setup postfix --undo
ok "a folder that others may put another one in the place of" eval 'code 1 && says "open/kept: others may put another folder in its place, as .*/open is not of root"'

# Another server's run has the same postern.conf
mkdir -m 700 "$dir/kept"
flock "$dir/kept/lock" "$ctl" -c "$dir/conf" setup postfix --undo >"$dir/out" 2>"$dir/err"
rc=$?
ok "one at a time" eval 'code 1 && says "another posternctl setup is at work"'
rm -r "$dir/kept"

# A manifest of a run that was broken off: a file, and a setting of postern.conf
mkdir -m 700 "$dir/kept" "$dir/kept/postfix"
printf 'before\n' >"$dir/kept/postfix/0.kept"
printf 'half\n' >"$dir/file"
printf 'new\n' >"$dir/new"
printf 'ne' >"$dir/new.postern-new"
sum=$(sha256sum <"$dir/kept/postfix/0.kept" | cut -d' ' -f1)
cat >"$dir/kept/postfix/manifest" <<END
{"version":1,"stage":"applying","server":"postfix","conf":"$dir/conf","when":1,"done":[],"files":[
 {"path":"$dir/file","before":"$sum","after":"","edited":false,"mode":384,"uid":$(id -u),"gid":$(id -g),"number":0},
 {"path":"$dir/new","before":"","after":"","edited":false,"mode":0,"uid":0,"gid":0,"number":1}]}
END
cp "$dir/kept/postfix/manifest" "$dir/manifest"
s postfix --apply
ok "broken off" eval '[ "$rc" -ne 0 ]'
PATH=$dir:$PATH s postfix --undo --force
ok "taken back" eval 'code 0 && prints "^Taken back" && [ "$(cat "$dir/file")" = before ] && [ ! -e "$dir/new" ]'
ok "mail that is not on hold is no error then" silent err
ok "with what was half written" [ ! -e "$dir/new.postern-new" ]
ok "with its permissions" [ "$(stat -c %a "$dir/file")" = 600 ]
ok "and nothing is kept" [ ! -e "$dir/kept/postfix/manifest" ]

# A copy that was changed is not put back
cp "$dir/manifest" "$dir/kept/postfix/manifest"
printf 'other\n' >"$dir/kept/postfix/0.kept"
printf 'half\n' >"$dir/file"
s postfix --undo --force
ok "a copy that was changed" eval 'code 1 && says "0.kept: is not $dir/file as it was" && [ "$(cat "$dir/file")" = half ]'
s postfix --undo --force --json
ok "the same as JSON" eval 'code 1 && says "0.kept: is not" && json "!\$j->{undone} && @{ \$j->{said} } > 0"'

# A folder that is not there is no other one's set-up: its name is its path. One that went after --apply is found by that.
gone="$dir/kept/postfix$(printf %s "$dir/gone" | tr / ,)"
printf 'before\n' >"$dir/kept/postfix/0.kept"
s postfix --undo --force --config-dir "$dir/gone/"
ok "a folder that is not there" eval 'code 2 && says "setup postfix: $dir/gone/: No such file or directory" && [ "$(cat "$dir/file")" = half ]'
ok "and nothing is made for it" [ ! -e "$gone" ]
s postfix --undo --force --config-dir gone
ok "one that is not there from here" eval 'code 2 && says "setup postfix: gone: No such file or directory"'
mv "$dir/kept/postfix" "$gone"
s postfix --undo --force --config-dir "$dir/gone/"
ok "a folder that went after --apply" eval 'code 0 && prints "^Taken back" && [ "$(cat "$dir/file")" = before ]'
mkdir "$dir/a,b"
s postfix --undo --config-dir "$dir/a,b"
ok "a folder whose name would be that of another" eval 'code 2 && says "a,b: has a comma in its name"'
finish
