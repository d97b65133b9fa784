#!/bin/sh
# The core is pure: its objects call nothing that reads a clock, a socket, a file, the environment or a random source, that logs or exits. What they may call is
# named here; anything else fails. gmtime_r, strftime, strptime and timegm turn a given time into text and back.
echo 1..1
allowed='^(json_|ldns_|idn2_|pcre2_|X509_|EVP_PKEY_|d2i_|ERR_(pop_to|set|clear_last)_mark$|(__)?(asan|ubsan)_|__(asan|ubsan|sanitizer|sancov|stack_chk)_)|'
allowed="$allowed"'^(malloc|(__)?explicit_bzero(_chk)?|calloc|realloc|reallocarray|free|mem[a-z]+|str[a-z]+|v?snprintf|qsort|bsearch|inet_pton|inet_ntop|gmtime_r|timegm|'
allowed="$allowed"'__(mem[a-z]+|str[a-z]+|v?snprintf)_chk|__isoc99_sscanf|__ctype_[a-z_]+|_GLOBAL_OFFSET_TABLE_|__tls_get_addr)$'
lib=${LIBCORE:-./libcore.a}
nm --defined-only "$lib" | awk 'NF == 3 { print $3 }' | sort -u >purity.defined.$$
bad=$(nm -u "$lib" | awk '$1 == "U" { print $2 }' | sort -u | comm -23 - purity.defined.$$ | grep -vE "$allowed")
count=$(nm -u "$lib" | grep -c ' U ')
rm -f purity.defined.$$
if [ -z "$bad" ] && [ "$count" -gt 100 ]; then
    echo "ok 1 - the core calls only what is pure ($count calls looked at)"
else
    echo "not ok 1 - the core calls only what is pure ($count calls looked at)"
    echo "$bad" | sed 's/^/# calls /'
fi
