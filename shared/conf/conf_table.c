/*
 * conf_table.c - every key of the configuration: name, kind, default, limits, where it is stored and one line of help.
 * The reader, -t, posternctl and the manual page go by these tables; a key that is not here does not exist.
 */
#include "conf.h"
#include "rule.h"

#define DAY       ((int64_t)86400)
#define SECOND_MS ((int64_t)1000)

#define TEXT_MAX 255
#define LIST_MAX 64

#define REDIS(member)   offsetof(struct conf_redis, member)
#define STSD(member)    offsetof(struct conf_stsd, member)
#define POLICYD(member) offsetof(struct conf_policyd, member)
#define MILTER(member)  offsetof(struct conf_milter, member)
#define RELAYD(member)  offsetof(struct conf_relayd, member)
#define CTL(member)     offsetof(struct conf_posternctl, member)

/* Of each section that is a program's. */
#define REDIS_USERNAME_HELP "name to log in to Redis with; \"\" for that of the section redis"
#define REDIS_PASSWORD_HELP "password to log in to Redis with; \"\" for that of the section redis"

/* clang-format off */
static const struct conf_option redis_options[] = {
    {"url", CONF_ADDRESS, "\"tcp:127.0.0.1:6379\"", 0, TEXT_MAX, REDIS(url),
     "the Redis server: \"unix:/path\" or \"tcp:ADDRESS:PORT\"; \"\" for none", NULL},
    {"prefix", CONF_STRING, "\"postern:\"", 0, 64, REDIS(prefix),
     "what every key begins with; nodes that share lists and facts share it", NULL},
    {"username", CONF_STRING, "\"\"", 0, TEXT_MAX, REDIS(username),
     "name to log in with, of programs that have none of their own; \"\" for the default user", NULL},
    {"password", CONF_STRING, "\"\"", 0, TEXT_MAX, REDIS(password),
     "password to log in with, of programs that have none of their own; \"\" for none", NULL},
    {"database", CONF_NUMBER, "0", 0, 65535, REDIS(database),
     "number of the Redis database", NULL},
    {"timeout", CONF_MILLIS, "500ms", 10, 30 * SECOND_MS, REDIS(timeout_ms),
     "longest wait for the reply to one command", NULL},
    {NULL, CONF_STRING, NULL, 0, 0, 0, NULL, NULL},
};

static const struct conf_option stsd_options[] = {
    {"listen", CONF_ADDRESS, "\"unix:/run/postern/stsd.sock\"", 1, TEXT_MAX, STSD(listen),
     "where policyd and posternctl ask; there is no login, so a unix socket, or loopback, is advised", NULL},
    {"redis_username", CONF_STRING, "\"\"", 0, TEXT_MAX, STSD(redis.username), REDIS_USERNAME_HELP, NULL},
    {"redis_password", CONF_STRING, "\"\"", 0, TEXT_MAX, STSD(redis.password), REDIS_PASSWORD_HELP, NULL},
    {"user", CONF_STRING, "\"postern\"", 0, 64, STSD(user),
     "user to run as when started as root", NULL},
    {"metrics_listen", CONF_ADDRESS, "\"\"", 0, TEXT_MAX, STSD(metrics_listen),
     "where Prometheus may GET /metrics, such as \"inet:127.0.0.1:9462\"; \"\" for nowhere", NULL},
    {"pid_file", CONF_STRING, "\"\"", 0, TEXT_MAX, STSD(pid_file),
     "file that holds the process id; \"\" for none", NULL},
    {"resolvers", CONF_RESOLVERS, "{}", 0, 16, STSD(resolvers),
     "DNS servers, such as {\"127.0.0.1:53\", \"[::1]:53\"}; {} for those of /etc/resolv.conf", NULL},
    {"trust_ad", CONF_BOOL, "no", 0, 0, STSD(trust_ad),
     "believe the AD bit also of resolvers that are not on loopback; the network to them must be safe", NULL},
    {"dns_timeout", CONF_MILLIS, "1500ms", 50, 30 * SECOND_MS, STSD(dns_timeout_ms),
     "wait for the first DNS answer; later tries wait longer", NULL},
    {"dns_tries", CONF_NUMBER, "4", 1, 20, STSD(dns_tries),
     "tries of one DNS query, over the resolvers in turn", NULL},
    {"ca_file", CONF_STRING, "\"\"", 0, TEXT_MAX, STSD(ca_file),
     "PEM file of the authorities that policy hosts' certificates must come from; \"\" for the system's", NULL},
    {"https_port", CONF_NUMBER, "443", 1, 65535, STSD(https_port),
     "port of policy hosts; anything but 443 is for tests", NULL},
    {"https_timeout", CONF_MILLIS, "30s", 100, 60 * SECOND_MS, STSD(https_timeout_ms),
     "longest time for one policy fetch (RFC 8461 3.3 suggests a minute)", NULL},
    {"https_concurrency", CONF_NUMBER, "2000", 1, 100000, STSD(https_concurrency),
     "policy fetches at one time, a tenth of them from one host; more wait, and the slowest give way", NULL},
    {"lookup_timeout", CONF_MILLIS, "40s", 100, 90 * SECOND_MS, STSD(lookup_timeout_ms),
     "longest time for all facts of one domain; what is missing then counts as a temporary failure", NULL},
    {"lookup_concurrency", CONF_NUMBER, "2000", 1, 100000, STSD(lookup_concurrency),
     "domains looked up at one time; more wait", NULL},
    {"lookup_queue", CONF_NUMBER, "10000", 0, 1000000, STSD(lookup_queue),
     "domains that may wait, for their turn or a policy host; more are refused for now", NULL},
    {"memory_records", CONF_NUMBER, "20000", 1, 10000000, STSD(memory_records),
     "domains whose facts are kept in memory, for when Redis is away", NULL},
    {"dane", CONF_BOOL, "yes", 0, 0, STSD(dane),
     "look for TLSA records (RFC 7672)", NULL},
    {"sts", CONF_BOOL, "yes", 0, 0, STSD(sts),
     "look for MTA-STS policies (RFC 8461)", NULL},
    {"ttl_min", CONF_SECONDS, "0", 0, 3600, STSD(ttl_min),
     "facts are kept at least so long, whatever their TTL in DNS", NULL},
    {"refetch_after", CONF_SECONDS, "1d", 1, 30 * DAY, STSD(refetch_after),
     "a policy older than this is fetched again though its id is the same (RFC 8461 10.2: a day)", NULL},
    {"retry_after", CONF_SECONDS, "5m", 1, DAY, STSD(retry_after),
     "no new fetch so soon after a failed one (RFC 8461 3.3: five minutes or longer; less is for tests)", NULL},
    {"refresh_used_within", CONF_SECONDS, "30d", 0, 366 * DAY, STSD(refresh_used_within),
     "policies of domains that were asked about within that time are kept fresh; 0 for none", NULL},
    {NULL, CONF_STRING, NULL, 0, 0, 0, NULL, NULL},
};

static const struct conf_option policyd_options[] = {
    {"listen", CONF_ADDRESSES, "{\"unix:/run/postern/policyd.sock\", \"inet:127.0.0.1:8461\"}", 1, LIST_MAX, POLICYD(listen),
     "where MTAs ask, by the socketmap protocol", NULL},
    {"policy_listen", CONF_ADDRESSES, "{}", 0, LIST_MAX, POLICYD(policy_listen),
     "where Postfix 3.11 asks who has the tag (section milter), by the policy delegation protocol; {} for nowhere", NULL},
    {"control", CONF_ADDRESS, "\"unix:/run/postern/policyd.ctl\"", 1, TEXT_MAX, POLICYD(control),
     "where posternctl asks; there is no login, so a unix socket, or loopback, is advised", NULL},
    {"stsd", CONF_ADDRESS, "\"unix:/run/postern/stsd.sock\"", 1, TEXT_MAX, POLICYD(stsd),
     "where postern-stsd listens", NULL},
    {"redis_username", CONF_STRING, "\"\"", 0, TEXT_MAX, POLICYD(redis.username), REDIS_USERNAME_HELP, NULL},
    {"redis_password", CONF_STRING, "\"\"", 0, TEXT_MAX, POLICYD(redis.password), REDIS_PASSWORD_HELP, NULL},
    {"user", CONF_STRING, "\"postern\"", 0, 64, POLICYD(user),
     "user to run as when started as root", NULL},
    {"metrics_listen", CONF_ADDRESS, "\"\"", 0, TEXT_MAX, POLICYD(metrics_listen),
     "where Prometheus may GET /metrics, such as \"inet:127.0.0.1:9461\"; \"\" for nowhere", NULL},
    {"pid_file", CONF_STRING, "\"\"", 0, TEXT_MAX, POLICYD(pid_file),
     "file that holds the process id; \"\" for none", NULL},
    {"workers", CONF_NUMBER, "1", 1, 64, POLICYD(workers),
     "processes that answer, each with a memory and connections of its own", NULL},
    {"socket_mode", CONF_MODE, "0666", 0, 0777, POLICYD(socket_mode),
     "permissions of unix sockets in listen and policy_listen", NULL},
    {"cache_entries", CONF_NUMBER, "100000", 1, 10000000, POLICYD(cache_entries),
     "answers kept in memory, of each worker", NULL},
    {"connections", CONF_NUMBER, "10000", 1, 1000000, POLICYD(connections),
     "connections of MTAs at one time, of each worker; for one more the longest idle one is closed, or it waits", NULL},
    {"lookup_timeout", CONF_MILLIS, "45s", 100, 90 * SECOND_MS, POLICYD(lookup_timeout_ms),
     "longest wait for an answer of stsd; Postfix itself gives up after 100s", NULL},
    {"idle_timeout", CONF_MILLIS, "5m", 0, DAY * SECOND_MS, POLICYD(idle_timeout_ms),
     "a connection without a request for so long is closed; 0 for never", NULL},
    {"dane", CONF_BOOL, "yes", 0, 0, POLICYD(dane),
     "DANE counts; \"no\" when the MTA has no validating resolver", NULL},
    {"sts", CONF_BOOL, "yes", 0, 0, POLICYD(sts),
     "MTA-STS counts", NULL},
    {"sts_unknown_hold", CONF_SECONDS, "4h", 0, 30 * DAY, POLICYD(sts_unknown_hold),
     "mail to a domain whose MTA-STS record cannot be looked up waits so long; then it goes as without MTA-STS", NULL},
    {"stale_max", CONF_SECONDS, "1h", 0, 30 * DAY, POLICYD(stale_max),
     "facts that bind nothing are used so long past their time when no newer ones can be had", NULL},
    {"lists_file", CONF_STRING, "\"/var/lib/postern/lists\"", 0, TEXT_MAX, POLICYD(lists_file),
     "where the operator's lists are kept for a start without Redis; \"\" for nowhere", NULL},
    {"fallback", CONF_FALLBACK, "\"hold\"", 1, 64, POLICYD(fallback),
     "when TLS fails and nothing binds: hold, plain, alternate, alternate-any or \"plain-for TIME\"", NULL},
    {"fallback_keep", CONF_SECONDS, "1d", 1, 30 * DAY, POLICYD(fallback_keep),
     "a failure of TLS is forgotten after that, if nothing was heard since", NULL},
    {"default_level", CONF_CHOICE, "\"\"", 0, 16, POLICYD(default_level),
     "level to answer where nothing binds: \"may\" or \"encrypt\"; \"\" leaves it to the MTA", "may encrypt"},
    {NULL, CONF_STRING, NULL, 0, 0, 0, NULL, NULL},
};

static const struct conf_option milter_options[] = {
    {"listen", CONF_ADDRESS, "\"inet:127.0.0.1:8463\"", 1, 100, MILTER(listen),
     "where the MTA asks, by the milter protocol", NULL},
    {"redis_username", CONF_STRING, "\"\"", 0, TEXT_MAX, MILTER(redis.username), REDIS_USERNAME_HELP, NULL},
    {"redis_password", CONF_STRING, "\"\"", 0, TEXT_MAX, MILTER(redis.password), REDIS_PASSWORD_HELP, NULL},
    {"user", CONF_STRING, "\"postern\"", 0, 64, MILTER(user),
     "user to run as when started as root", NULL},
    {"metrics_listen", CONF_ADDRESS, "\"\"", 0, TEXT_MAX, MILTER(metrics_listen),
     "where Prometheus may GET /metrics, such as \"inet:127.0.0.1:9463\"; \"\" for nowhere", NULL},
    {"pid_file", CONF_STRING, "\"\"", 0, TEXT_MAX, MILTER(pid_file),
     "file that holds the process id; \"\" for none", NULL},
    {"socket_mode", CONF_MODE, "0666", 0, 0777, MILTER(socket_mode),
     "permissions of a unix socket in listen", NULL},
    {"tag", CONF_TAG, "\"requiretls\"", 1, 64, MILTER(tag),
     "user+TAG@example.com goes only over verified TLS, or comes back", NULL},
    {"optional_tag", CONF_TAG, "\"tlsoptional\"", 1, 64, MILTER(optional_tag),
     "tag for recipients of messages with TLS-Required: No; taken off when somebody writes it", NULL},
    {"delimiter", CONF_CHOICE, "\"+\"", 1, 1, MILTER(delimiter),
     "what stands before a tag, recipient_delimiter of the MTA: +, -, =, # or _", "+ - = # _"},
    {"scope", CONF_CHOICE, "\"message\"", 1, 32, MILTER(scope),
     "a tag flags all remote recipients of the \"message\", or its \"recipient\" alone", "message recipient"},
    {"record_header", CONF_HEADER, "\"\"", 0, 64, MILTER(record_header),
     "header field that says why a message was flagged, such as \"X-Postern\"; \"\" for none", NULL},
    {"tls_required", CONF_CHOICE, "\"anyone\"", 1, 16, MILTER(tls_required),
     "who may write TLS-Required: No: anyone, submitters (users that log in, this machine), nobody", "anyone submitters nobody"},
    {"rules", CONF_RULES, "{}", 0, RULES_MAX, MILTER(rules),
     "rules about messages, before those that are in Redis", NULL},
    {"body_octets", CONF_NUMBER, "262144", 1024, 16777216, MILTER(body_octets),
     "how much of a message's body rules see", NULL},
    {"lists_file", CONF_STRING, "\"/var/lib/postern/milter.lists\"", 0, TEXT_MAX, MILTER(lists_file),
     "where the operator's lists are kept for a start without Redis; \"\" for nowhere", NULL},
    {"rules_file", CONF_STRING, "\"/var/lib/postern/milter.rules\"", 0, TEXT_MAX, MILTER(rules_file),
     "where the rules in Redis are kept for a start without it; \"\" for nowhere", NULL},
    {NULL, CONF_STRING, NULL, 0, 0, 0, NULL, NULL},
};

static const struct conf_option relayd_options[] = {
    {"listen", CONF_ADDRESSES, "{\"inet:127.0.0.1:8689\", \"inet:127.0.1.1-16:8689\"}", 1, LIST_MAX, RELAYD(listen),
     "where the MTA delivers, by LMTP, mail that goes only over verified TLS; several, for as many queues in the MTA", NULL},
    {"stsd", CONF_ADDRESS, "\"unix:/run/postern/stsd.sock\"", 1, TEXT_MAX, RELAYD(stsd),
     "where postern-stsd listens", NULL},
    {"user", CONF_STRING, "\"postern\"", 0, 64, RELAYD(user),
     "user to run as when started as root", NULL},
    {"metrics_listen", CONF_ADDRESS, "\"\"", 0, TEXT_MAX, RELAYD(metrics_listen),
     "where Prometheus may GET /metrics, such as \"inet:127.0.0.1:9464\"; \"\" for nowhere", NULL},
    {"pid_file", CONF_STRING, "\"\"", 0, TEXT_MAX, RELAYD(pid_file),
     "file that holds the process id; \"\" for none", NULL},
    {"socket_mode", CONF_MODE, "0666", 0, 0777, RELAYD(socket_mode),
     "permissions of unix sockets in listen", NULL},
    {"name", CONF_STRING, "\"\"", 0, TEXT_MAX, RELAYD(name),
     "name of this host for EHLO and LHLO; \"\" for what the system says", NULL},
    {"ca_file", CONF_STRING, "\"\"", 0, TEXT_MAX, RELAYD(ca_file),
     "PEM file of the authorities that MX hosts' certificates must come from; \"\" for the system's", NULL},
    {"port", CONF_NUMBER, "25", 1, 65535, RELAYD(port),
     "port of MX hosts; anything but 25 is for tests", NULL},
    {"connect_timeout", CONF_MILLIS, "30s", 100, 300 * SECOND_MS, RELAYD(connect_timeout_ms),
     "longest wait for one address of an MX host to take the connection", NULL},
    {"command_timeout", CONF_MILLIS, "5m", 100, 600 * SECOND_MS, RELAYD(command_timeout_ms),
     "longest wait for a server's reply, for it to take data, and for the MTA's next command (RFC 5321 4.5.3.2)", NULL},
    {"data_timeout", CONF_MILLIS, "10m", 100, 1800 * SECOND_MS, RELAYD(data_timeout_ms),
     "longest wait for the reply to a message (RFC 5321 4.5.3.2.6: ten minutes)", NULL},
    {"transaction_timeout", CONF_MILLIS, "15m", 100, 3600 * SECOND_MS, RELAYD(transaction_timeout_ms),
     "longest time for one message in all; the MTA must be as patient (lmtp_data_done_timeout and others of Postfix)", NULL},
    {"connections", CONF_NUMBER, "1000", 1, 100000, RELAYD(connections),
     "LMTP connections at one time; more wait in the listen queue", NULL},
    {"per_domain", CONF_NUMBER, "20", 1, 10000, RELAYD(per_domain),
     "connections to the servers of one domain; recipients beyond that are put off at once", NULL},
    {"upstreams", CONF_NUMBER, "2000", 1, 100000, RELAYD(upstreams),
     "connections to servers in all", NULL},
    {"idle_timeout", CONF_MILLIS, "10s", 0, 300 * SECOND_MS, RELAYD(idle_timeout_ms),
     "a connection to a server is kept so long for the next message to its domain; 0 for not", NULL},
    {"size_max", CONF_NUMBER, "0", 0, ((int64_t)1 << 40), RELAYD(size_max),
     "octets that a message may have; 0 for no limit but that of the server it goes to", NULL},
    {"sts_unknown_hold", CONF_SECONDS, "4h", 0, 30 * DAY, RELAYD(sts_unknown_hold),
     "mail is put off so long while an MTA-STS record cannot be looked up", NULL},
    {NULL, CONF_STRING, NULL, 0, 0, 0, NULL, NULL},
};

static const struct conf_option posternctl_options[] = {
    {"redis_username", CONF_STRING, "\"\"", 0, TEXT_MAX, CTL(redis.username), REDIS_USERNAME_HELP, NULL},
    {"redis_password", CONF_STRING, "\"\"", 0, TEXT_MAX, CTL(redis.password), REDIS_PASSWORD_HELP, NULL},
    {NULL, CONF_STRING, NULL, 0, 0, 0, NULL, NULL},
};
/* clang-format on */

const struct conf_section conf_sections[] = {
    {"redis", redis_options, offsetof(struct conf, redis)},
    {"stsd", stsd_options, offsetof(struct conf, stsd)},
    {"policyd", policyd_options, offsetof(struct conf, policyd)},
    {"milter", milter_options, offsetof(struct conf, milter)},
    {"relayd", relayd_options, offsetof(struct conf, relayd)},
    {"posternctl", posternctl_options, offsetof(struct conf, posternctl)},
    {NULL, NULL, 0},
};
