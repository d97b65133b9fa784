/* flag.c - see flag.h. */
#include "flag.h"

#include "flag_address.h"
#include "flag_merge.h"
#include "flag_parameters.h"

#include <stdlib.h>
#include <string.h>

#define SHOWN_MAX 80 /* octets of an address in a sentence */

/* What is at work for one message. */
struct flagging {
    const struct flag_options *options;
    const struct flag_message *message;
    struct flag_plan *plan;
    struct flag_address *address; /* of each recipient */
    bool whole;                   /* all remote recipients are flagged */
    struct err *e;
};

const char *flag_why_name(enum flag_why why)
{
    static const char *const names[] = {"none", "tag", "mail-from", "rule", "header"};

    return names[why];
}

static int no_memory(struct err *e)
{
    (void)err_set(e, "no memory for the recipients");
    return FLAG_NO_MEMORY;
}

/* A reply is ASCII, and one line. */
static int refuse(struct err *e, const char *address, const char *why)
{
    char shown[SHOWN_MAX + 1];
    size_t len = strnlen(address, SHOWN_MAX);

    for (size_t i = 0; i < len; i++)
        shown[i] = (char)(address[i] < 0x20 || address[i] > 0x7e ? '?' : address[i]);
    shown[len] = '\0';
    return err_set(e, "recipient %s%s: %s", shown, address[len] != '\0' ? "..." : "", why);
}

static int addresses_read(struct flagging *f, bool *tag, flag_is_local *is_local, void *context)
{
    const struct flag_message *m = f->message;
    struct buf base;
    int rc = 0;

    buf_init(&base, ADDRESS_TAG_MAX);
    for (size_t i = 0; rc == 0 && i < m->recipients; i++) {
        rc = flag_address_read(&f->address[i], &base, f->options, m->recipient[i].address, is_local, context);
        *tag = *tag || f->address[i].requires;
    }
    buf_clear(&base);
    return rc;
}

static enum flag_why why_required(const struct flag_message *m, bool tag)
{
    if (m->mail_requiretls)
        return FLAG_BY_SENDER;
    if (m->rule != NULL && m->rule->action == RULE_REQUIRETLS)
        return FLAG_BY_RULE;
    return tag ? FLAG_BY_TAG : FLAG_NOT;
}

static enum flag_why why_optional(const struct flag_message *m)
{
    if (m->rule != NULL && m->rule->action == RULE_TLS_OPTIONAL)
        return FLAG_BY_RULE;
    return m->no == TLS_REQUIRED_NO ? FLAG_BY_HEADER : FLAG_NOT;
}

static void message_judge(struct flagging *f, bool tag)
{
    struct flag_plan *p = f->plan;

    tag = tag || (f->message->refused_tag && f->options->whole_message);
    p->required = why_required(f->message, tag);
    f->whole = p->required != FLAG_NOT && (p->required != FLAG_BY_TAG || f->options->whole_message);
    p->optional = why_optional(f->message);
}

static enum flag_tags wanted(const struct flagging *f, const struct flag_address *a)
{
    if (a->local)
        return FLAG_TAGS_NONE;
    if (f->whole || a->requires)
        return FLAG_TAGS_REQUIRETLS;
    return f->plan->optional != FLAG_NOT && !a->bare ? FLAG_TAGS_OPTIONAL : FLAG_TAGS_NONE;
}

/* One that no tag can be put on or taken from. Returns 0 when it may stay as it is. */
static int unfit(const struct flagging *f, size_t recipient)
{
    const char *address = f->message->recipient[recipient].address;

    if (f->whole)
        return refuse(f->e, address,
                      "the message goes only with REQUIRETLS, which an address of this form cannot be marked with");
    if (f->address[recipient].mentions)
        return refuse(f->e, address, "it has a tag that says how to deliver, but is no address of a plain form");
    return 0;
}

static int edit_add(struct flagging *f, size_t recipient, char *address)
{
    struct flag_edit *edit = &f->plan->edit[f->plan->edits++];
    struct buf unrouted;

    *edit = (struct flag_edit){.recipient = recipient, .address = address};
    if (!f->address[recipient].routed)
        return 0;
    buf_init(&unrouted, ADDRESS_TAG_MAX);
    if (flag_address_unroute(&unrouted, f->message->recipient[recipient].address) != 0) {
        buf_clear(&unrouted);
        return no_memory(f->e);
    }
    edit->unrouted = unrouted.data;
    return 0;
}

/* Put the tag that is wanted in the place of those that are there. */
static int recipient_change(struct flagging *f, size_t recipient, enum flag_tags tags)
{
    const char *address = f->message->recipient[recipient].address;
    struct buf made;

    buf_init(&made, ADDRESS_TAG_MAX + 1 + strlen(f->options->requiretls.word) + strlen(f->options->optional.word));
    if (flag_address_make(&made, f->options, address, tags) != 0) {
        buf_clear(&made);
        return no_memory(f->e);
    }
    if (made.len <= ADDRESS_TAG_MAX)
        return edit_add(f, recipient, made.data);
    buf_clear(&made);
    if (tags == FLAG_TAGS_REQUIRETLS)
        return refuse(f->e, address,
                      "the message goes only with REQUIRETLS, and the address is too long to be marked with it");
    return 0;
}

/* What has the tag that it should have, in any case and with any quotes, stays: it is the same address to an MTA. */
static int recipient_judge(struct flagging *f, size_t recipient)
{
    const struct flag_address *a = &f->address[recipient];
    enum flag_tags tags = wanted(f, a);

    if (!a->fit)
        return unfit(f, recipient);
    return tags == a->tags ? 0 : recipient_change(f, recipient, tags);
}

/* All recipients as they will be, but for those that are not fit: nothing can become the same as these. */
static size_t places(const struct flagging *f, struct flag_place *place)
{
    struct flag_edit *edit = f->plan->edit, *end = edit + f->plan->edits;
    struct flag_parameters parameters;
    size_t count = 0;

    for (size_t i = 0; i < f->message->recipients; i++) {
        const struct flag_recipient *r = &f->message->recipient[i];
        bool changed = edit < end && edit->recipient == i;
        const char *address = changed ? edit->address : r->address;

        if (f->address[i].fit) {
            flag_parameters_read(&parameters, r->parameters);
            place[count++] = (struct flag_place){
                .edit = changed ? edit : NULL, .address = address, .recipient = i, .demands = parameters.demands};
        }
        edit += changed;
    }
    return count;
}

/* Parameters of the one at a place, if it has them. */
static int parameters_make(const struct flagging *f, const struct flag_place *place)
{
    const struct flag_recipient *r = &f->message->recipient[place->recipient];
    struct flag_parameters parameters;
    struct buf base, out;
    int rc;

    if (place->edit == NULL)
        return 0;
    buf_init(&base, ADDRESS_TAG_MAX);
    buf_init(&out, FLAG_PARAMETER_MAX * 2 + 50);
    rc = flag_address_make(&base, f->options, r->address, FLAG_TAGS_NONE);
    flag_parameters_read(&parameters, r->parameters);
    if (rc == 0 && place->edit->address != NULL)
        flag_parameters_write(&out, &parameters, place->demands, base.data);
    buf_str(&out, "");
    buf_clear(&base);
    place->edit->parameters = buf_ok(&out) ? out.data : NULL;
    if (rc == 0 && place->edit->parameters != NULL)
        return 0;
    place->edit->parameters = NULL;
    buf_clear(&out);
    return no_memory(f->e);
}

static int edits_finish(const struct flagging *f)
{
    struct flag_place *place;
    size_t count;
    int rc = 0;

    if (f->plan->edits == 0)
        return 0;
    place = calloc(f->message->recipients + 1, sizeof(*place));
    if (place == NULL)
        return no_memory(f->e);
    count = places(f, place);
    flag_merge(place, count);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = parameters_make(f, &place[i]);
    free(place);
    return rc;
}

/* Those of the recipients that are left; one that is not changed has what is wanted, or can have no tag. */
static void count_kinds(struct flagging *f)
{
    const struct flag_edit *edit = f->plan->edit, *end = edit + f->plan->edits;

    for (size_t i = 0; i < f->message->recipients; i++) {
        const struct flag_address *a = &f->address[i];
        bool changed = edit < end && edit->recipient == i;
        bool gone = !a->fit || (changed && edit->address == NULL);
        enum flag_tags tags = changed ? wanted(f, a) : a->tags;

        edit += changed;
        f->plan->required_count += !gone && tags == FLAG_TAGS_REQUIRETLS;
        f->plan->optional_count += !gone && tags == FLAG_TAGS_OPTIONAL;
    }
    if (f->plan->optional_count == 0)
        f->plan->optional = FLAG_NOT;
}

static int plan(struct flagging *f, flag_is_local *is_local, void *context)
{
    bool tag = false;
    int rc;

    if (addresses_read(f, &tag, is_local, context) != 0)
        return no_memory(f->e);
    message_judge(f, tag);
    for (size_t i = 0; i < f->message->recipients; i++) {
        rc = recipient_judge(f, i);
        if (rc != 0)
            return rc;
    }
    rc = edits_finish(f);
    if (rc == 0)
        count_kinds(f);
    return rc;
}

bool flag_has_tag(const struct flag_options *options, const char *address)
{
    const struct address_tag tags[] = {options->requiretls, options->optional};
    size_t seen[2] = {0, 0};
    struct buf rest;
    int rc;

    buf_init(&rest, ADDRESS_TAG_MAX);
    rc = address_tags_remove(&rest, seen, tags, 2, address, strlen(address), NULL);
    buf_clear(&rest);
    return rc > 0 && seen[0] > 0;
}

int flag_plan_make(struct flag_plan *out, const struct flag_options *options, const struct flag_message *message,
                   flag_is_local *is_local, void *context, struct err *e)
{
    size_t room = message->recipients + 1; /* never 0 */
    struct flagging f = {.options = options, .message = message, .plan = out, .e = e};
    int rc;

    *out = (struct flag_plan){.edit = calloc(room, sizeof(*out->edit))};
    if (out->edit == NULL)
        return no_memory(e);
    f.address = calloc(room, sizeof(*f.address));
    rc = f.address == NULL ? no_memory(e) : plan(&f, is_local, context);
    free(f.address);
    if (rc != 0)
        flag_plan_clear(out);
    return rc;
}

void flag_plan_clear(struct flag_plan *plan)
{
    for (size_t i = 0; i < plan->edits; i++) {
        free(plan->edit[i].unrouted);
        free(plan->edit[i].address);
        free(plan->edit[i].parameters);
    }
    free(plan->edit);
    *plan = (struct flag_plan){.edits = 0};
}
