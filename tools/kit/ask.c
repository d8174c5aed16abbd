// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An algorithm's process, asked: wire.h says what is said, tools/sandbox/guarded.h how the process is held.
 *
 * Invariant: whatever comes of it, the command says so in its own words (a->why), with the function that was called,
 * the number of the call and the model's time.
 */
#include "tools/kit/kit.h"

#include <stdarg.h>
#include <string.h>

#include "tools/printable.h"

/* Where it was is added to the words. */
static bool gone(struct kit_asked *a, const char *what)
{
    if (a->gone)
        return false;
    if (a->process.rc == 1)
        snprintf(a->why, sizeof(a->why), "%.640s", what);
    else if (!a->calls)
        snprintf(a->why, sizeof(a->why), "%.640s in its constructors", what);
    else
        snprintf(a->why, sizeof(a->why), "%.640s in %s, call %llu%s%s", what, a->model->hooks[a->hook],
                 (unsigned long long)a->calls, a->at[0] ? ", at " : "", a->at);
    a->gone = true;
    a->rc = a->process.rc;
    return false;
}

bool kit_fault(struct kit_asked *a, const char *fmt, ...)
{
    char text[480];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    guarded_gone(&a->process, "%s", text);
    return gone(a, a->process.why);
}

static bool unstarted(struct kit_asked *a, const char *what, const char *why)
{
    guarded_show(&a->process);
    guarded_unstarted(&a->process, what, why);
    return gone(a, a->process.why);
}

static bool message_send(struct kit_asked *a)
{
    const struct iovec v = { &a->message, KIT_HEAD + a->message.len };

    a->process.now = a->now;
    a->process.call = a->calls;
    return guarded_send(&a->process, &v, 1) || gone(a, a->process.why);
}

/* The next message, of a kind that is expected or one of those that are always possible. */
static bool message_receive(struct kit_asked *a, uint32_t kind)
{
    struct kit_message *m = &a->message;
    const size_t n = guarded_receive(&a->process, m, sizeof(*m));

    if (!n)
        return gone(a, a->process.why);
    if (n < KIT_HEAD || n != KIT_HEAD + m->len)
        return kit_fault(a, "answered what is no answer (it has another length)");
    if (m->kind == KIT_FORBIDDEN) {
        guarded_forbidden(&a->process, (long)m->value);
        return gone(a, a->process.why);
    }
    if (m->kind == KIT_NOT_LOADED && !a->calls) {
        m->bytes[m->len ? m->len - 1 : 0] = '\0';
        make_printable(m->bytes, strlen(m->bytes), false);
        return unstarted(a, "cannot be loaded", m->bytes); /* its words, or a constructor's */
    }
    return m->kind == kind || kit_fault(a, "answered what is no answer (it is of another kind)");
}

void kit_passed(struct kit_asked *a, int64_t now)
{
    a->now = now;
    if (a->look)
        a->look(a, a->data);
}

bool kit_ask(struct kit_asked *a, unsigned int hook, const void *bytes, size_t len, size_t least, size_t most)
{
    struct kit_message *m = &a->message;

    if (a->gone)
        return false;
    if (hook != KIT_INIT)
        kit_passed(a, a->now);
    m->kind = KIT_CALL;
    m->hook = a->hook = hook;
    m->call = ++a->calls;
    m->len = (uint32_t)len;
    memcpy(m->bytes, bytes, len);
    if (!message_send(a) || !message_receive(a, KIT_ANSWER))
        return false;
    if (m->call != a->calls)
        return kit_fault(a, "answered what is no answer (it answers another call)");
    return (m->len >= least && m->len <= most) || kit_fault(a, "answered what is no answer (it has another length)");
}

bool kit_start(struct kit_asked *a, const struct kit_model *model, const char *object, unsigned int limit,
               uint64_t seed, FILE *asked)
{
    char text[160];
    uint32_t hooks;

    memset(a, 0, sizeof(*a));
    a->model = model;
    if (!guarded_start(&a->process, "xenlab-kit", object, limit, asked))
        return gone(a, a->process.why);
    a->message = (struct kit_message){ .kind = KIT_BEGIN, .len = (uint32_t)strlen(model->name) + 1 };
    memcpy(a->message.bytes, model->name, a->message.len);
    if (!message_send(a) || !message_receive(a, KIT_HERE) || !message_receive(a, KIT_HERE) ||
        !message_receive(a, KIT_LOADED))
        return false;
    a->message.bytes[a->message.len ? a->message.len - 1 : 0] = '\0';
    snprintf(a->name, sizeof(a->name), "%.63s", a->message.bytes);
    make_printable(a->name, strlen(a->name), false);
    hooks = (uint32_t)a->message.value;
    for (unsigned int i = 0; model->hooks[i]; i++) {
        snprintf(text, sizeof(text), "xenlab_%s_ops has no %s", model->name, model->hooks[i]);
        if (model->required >> i & 1 && !(hooks >> i & 1))
            return unstarted(a, text, "");
    }
    snprintf(text, sizeof(text), "xenlab_%s_ops has no name", model->name);
    if (!a->name[0])
        return unstarted(a, text, "");
    seed = guarded_seed(seed);
    return !(hooks >> KIT_INIT & 1) || kit_ask(a, KIT_INIT, &seed, sizeof(seed), 0, 0);
}

void kit_end(struct kit_asked *a) { guarded_end(&a->process); }
