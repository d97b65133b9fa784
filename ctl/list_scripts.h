/*
 * list_scripts.h - the scripts of list_store_io.c, and of nobody else. KEYS[1] is the list, KEYS[2] the hash about all
 * lists, ARGV[1] a generation if there is none yet.
 */
#ifndef POSTERN_LIST_SCRIPTS_H
#define POSTERN_LIST_SCRIPTS_H

#include "redis_hash_io.h"

#define NUMBER_(n) #n
#define NUMBER(n)  NUMBER_(n)

#define WRONG_ANY REDIS_WRONG REDIS_CHECK("wrong(KEYS[1]) or wrong(KEYS[2])")

/* What could fail comes first: a script that fails in the middle is not undone. */
#define EDITED "redis.call('HINCRBY', KEYS[2], 'n', 1) redis.call('HSETNX', KEYS[2], 'g', ARGV[1]) "

/* ARGV: g, field, value, octets of a value. Replies the old value, or nil. */
static const char script_put[] =                        //
    WRONG_ANY                                           //
    "local old = redis.call('HGET', KEYS[1], ARGV[2]) " //
    EDITED                                              //
    "redis.call('HSET', KEYS[1], ARGV[2], ARGV[3]) "
    "return old and string.sub(old, 1, tonumber(ARGV[4]))";

/* ARGV: g, field, another field, octets of a value. Replies the field and its value, or nil. */
static const char script_del[] = //
    WRONG_ANY                    //
    "local field = ARGV[2] "
    "if not redis.call('HGET', KEYS[1], field) then field = ARGV[3] end "
    "local old = redis.call('HGET', KEYS[1], field) "
    "if not old then return false end " //
    EDITED                              //
    "redis.call('HDEL', KEYS[1], field) "
    "return {field, string.sub(old, 1, tonumber(ARGV[4]))}";

/* ARGV: g. Replies how many there were. */
static const char script_clear[] =            //
    REDIS_WRONG REDIS_CHECK("wrong(KEYS[2])") //
    "local count = redis.call('EXISTS', KEYS[1]) "
    "if count == 0 then return 0 end "
    "if not wrong(KEYS[1]) then count = redis.call('HLEN', KEYS[1]) end " //
    EDITED                                                                //
    "redis.call('UNLINK', KEYS[1]) "
    "return count";

/* KEYS[1] is the staging hash. ARGV: fields and values. */
static const char script_stage[] = //
    "redis.call('HSET', KEYS[1], unpack(ARGV)) "
    "return redis.call('EXPIRE', KEYS[1], " NUMBER(LIST_STAGE_SECONDS) ")";

#define WHOLE                                                                                \
    "local function lost(key, count) "                                                       \
    "  if redis.call('HLEN', key) ~= tonumber(count) then "                                  \
    "    return redis.error_reply('LOST what was put aside in ' .. key .. ' is not there') " \
    "  end "                                                                                 \
    "end "

/* KEYS[3] is the staging hash. ARGV: g, entries in it, 1 to replace. */
static const char script_place[] =                        //
    WRONG_ANY WHOLE REDIS_CHECK("lost(KEYS[3], ARGV[2])") //
    EDITED                                                //
    "if ARGV[3] == '1' or redis.call('EXISTS', KEYS[1]) == 0 then "
    "  redis.call('RENAME', KEYS[3], KEYS[1]) "
    "  redis.call('PERSIST', KEYS[1]) "
    "else "
    "  local all = redis.call('HGETALL', KEYS[3]) "
    "  for i = 1, #all, 1000 do "
    "    redis.call('HSET', KEYS[1], unpack(all, i, math.min(i + 999, #all))) "
    "  end "
    "  redis.call('UNLINK', KEYS[3]) "
    "end "
    "return redis.status_reply('OK')";

/* KEYS[1] is the hash about all lists. ARGV: g. */
static const char script_discard[] = //
    "redis.call('UNLINK', KEYS[1]) "
    "redis.call('HSET', KEYS[1], 'g', ARGV[1], 'n', 1) "
    "return redis.status_reply('OK')";

/* A field of KEYS[1], cut; "": not there. */
#define SEEN                                                                \
    "local function seen(field) "                                           \
    "  return string.sub(redis.call('HGET', KEYS[1], field) or '', 1, 32) " \
    "end "

/*
 * KEYS: the hash about all lists, then each list and its staging hash. ARGV: g and n as they were seen, g and n to be,
 * entries in each staging hash.
 */
static const char script_restore[] =                //
    REDIS_WRONG REDIS_CHECK("wrong(KEYS[1])") WHOLE //
        SEEN                                        //
    "if seen('g') ~= ARGV[1] or seen('n') ~= ARGV[2] then "
    "  return redis.error_reply('THERE the lists have been edited meanwhile') "
    "end "
    "for i = 5, #ARGV do "
    "  local w = lost(KEYS[2 * i - 7], ARGV[i]) if w then return w end "
    "end "
    "redis.call('UNLINK', KEYS[1]) "
    "redis.call('HSET', KEYS[1], 'g', ARGV[3], 'n', ARGV[4]) "
    "for i = 5, #ARGV do "
    "  local list, staged = KEYS[2 * i - 8], KEYS[2 * i - 7] "
    "  redis.call('UNLINK', list) "
    "  if ARGV[i] ~= '0' then "
    "    redis.call('RENAME', staged, list) "
    "    redis.call('PERSIST', list) "
    "  end "
    "end "
    "return redis.status_reply('OK')";

/* KEYS[1] is the hash about all lists. Replies g and n. */
static const char script_head[] =             //
    REDIS_WRONG REDIS_CHECK("wrong(KEYS[1])") //
    SEEN                                      //
    "return {seen('g'), seen('n')}";

#endif
