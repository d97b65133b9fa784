#!/bin/sh
# restore.sh.t - a Redis that has lost the lists that this node knows: posternctl writes nothing there until somebody has decided. WRITE_LISTS names the helper.
. "$(dirname "$0")/lib.sh"
start_redis
write=${WRITE_LISTS:-./t/ctl/write_lists}
g=0123456789abcdef
l() { run -c "$dir/conf" list "$@"; }
code() { [ "$rc" -eq "$1" ]; }
is() { [ "$1" = "$2" ] || { echo "# is: $1" && false; }; }
# lost NAME WORD...: the command is refused, with the ways out, and writes nothing
lost() {
    name=$1
    shift
    before=$(redis KEYS '*')
    "$ctl" -c "$dir/conf" list "$@" >"$dir/out" 2>"$dir/err" <<E
new.example
E
    rc=$?
    ok "$name" eval 'code 1 && says "posternctl list restore\".*posternctl list restore --discard\"" && silent out && is "$(redis KEYS "*")" "$before"'
}

l add only a.example
ok "no snapshot: edits go" code 0
l restore
ok "no snapshot: nothing to restore" eval 'code 1 && says "this node knows no lists: there is no file $dir/lists"'
redis FLUSHALL >/dev/null
"$write" $g 7 </dev/null >"$dir/lists"
l add only a.example
ok "an empty snapshot: edits go" code 0
redis FLUSHALL >/dev/null

cat >"$dir/known" <<'E'
require a.example secure by=anna created=2026-01-01T00:00:00Z # x
require b.example verify
exclude .c.example override expires=2099-01-01T00:00:00Z
inbound-exclude 192.0.2.0/24
E
"$write" $g 7 <"$dir/known" >"$dir/lists"
redis HSET postern:list:exclude byhand.example '{"v":1}' >/dev/null
lost "lost: add" add only new.example
lost "lost: del" del exclude byhand.example
lost "lost: clear" clear exclude
lost "lost: import" import only -
ok "how many are known" says '(4 entries in .*/lists)'
l import only "$dir/known" --dry-run
l show exclude
ok "lost: show goes" eval 'code 0 && prints "^byhand.example"'
"$ctl" -c "$dir/conf" list import only - --dry-run </dev/null >"$dir/out" 2>"$dir/err"
rc=$?
ok "lost: a dry run goes" code 0

l restore
ok "restore" eval 'code 0 && prints "^4 entries of $dir/lists are in Redis again$"'
ok "restore: the generation, and one edit more" is "$(redis HGET postern:list: g) $(redis HGET postern:list: n)" "$g 8"
l export require
ok "restore: a list as it was" is "$(cat "$dir/out")" 'a.example secure by=anna created=2026-01-01T00:00:00Z # x
b.example verify'
l export exclude
ok "restore: each list is what it was" is "$(cat "$dir/out")" '.c.example override expires=2099-01-01T00:00:00Z'
ok "restore: nothing that ends" is "$(redis TTL postern:list:require)" -1
ok "restore: nothing else is left" is "$(redis KEYS '*' | sort | tr '\n' ' ')" "postern:list: postern:list:exclude postern:list:inbound-exclude postern:list:require "
l restore
ok "restore once more" eval 'code 1 && says "nothing to restore"'
l add only new.example
ok "edits go again" eval 'code 0 && is "$(redis HGET postern:list: n)" 9'

redis_user posternctl
mv "$dir/conf.posternctl" "$dir/conf"
redis HSET postern:list: n 5 >/dev/null
lost "older lists: add" add only other.example
ok "older lists: told" says 'Redis has older lists than this node knows'
l restore
ok "older lists: restore" eval 'code 0 && is "$(redis HGET postern:list: n)" 8'

redis DEL postern:list: >/dev/null
lost "lost again" add only other.example
redis HSET postern:list:only byhand.example '{"v":1}' >/dev/null
l restore --discard
ok "discard" eval 'code 0 && prints "go on from what Redis has"'
ok "discard: another generation" eval '[ "$(redis HGET postern:list: g)" != $g ] && is "$(redis HGET postern:list: n)" 1'
ok "discard: what Redis has stays" is "$(redis HLEN postern:list:only)" 1
l add only other.example
ok "discard: edits go" code 0
l restore
ok "discard: nothing to restore" code 1

head -c 100 "$dir/lists" >"$dir/cut" && mv "$dir/cut" "$dir/lists"
l add only third.example
ok "a damaged snapshot, Redis has lists: edits go" code 0
redis FLUSHALL >/dev/null
l add only other.example
ok "a damaged snapshot, Redis has none: refused" eval 'code 1 && says "cannot be told: $dir/lists: .*restore --discard" && is "$(redis KEYS "*")" ""'
l restore
ok "a damaged snapshot is not restored" eval 'code 1 && says "^posternctl: $dir/lists: " && is "$(redis KEYS "*")" ""'
l restore --discard
l add only other.example
ok "discard helps" code 0
finish
