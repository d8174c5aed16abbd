// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * All interleavings of code with what others do meanwhile.
 *
 * Concept: the code touches shared memory through shm.h alone. In front of each access there is a choice: go on, or let
 * something else come first: an event of the scenario's (a sender, a hostile peer), another thread, a store that has
 * waited in its thread's buffer. A schedule is a list of choices that are not "go on". All schedules with none of those
 * are tried, with one, with two..., so that the first that goes wrong is one of the shortest; most mistakes need one or
 * two (Musuvathi, Qadeer, "Iterative Context Bounding", PLDI 2007). With `buffers` stores wait, in order, as on x86
 * (Owens, Sarkar, Sewell, "A Better x86 Memory Model: x86-TSO", TPHOLs 2009).
 *
 * Who judges: a program with a student's code in it only logs each access, one after the other (--log). The golden
 * program replays that (--replay): it explores by itself, and where it would call the code it takes from the log what
 * the code did. Memory, schedules and verdicts are its own; a log from which nothing follows ends the report.
 *
 *      il_explore()  --run-->  thread  --il_call()-->  code  --shm_load()-->  choice, access, log
 *                                        in a replay: the log's next accesses, up to what the call returned
 *
 * Invariant: what a thread does follows from shared memory and what il_call() returned, never from anything else that
 * the code has written.
 */
#ifndef LABS_KIT_INTERLEAVE_H
#define LABS_KIT_INTERLEAVE_H

#include "labs/kit/shm.h"

#include <stdbool.h>
#include <stddef.h>

#define IL_THREADS 2
#define IL_WORDS   64

struct il_scenario {
    void *data;
    void (*reset)(void *data); /* before each run; shared memory is 0 */
    unsigned int nr_threads;
    void (*thread[IL_THREADS])(void *data);
    unsigned int nr_events;
    bool (*possible)(void *data, unsigned int event);
    void (*event)(void *data, unsigned int event);
    uint64_t (*service)(void *data, unsigned int what, uint64_t arg); /* what code calls by il_service() */
    bool (*blocked)(void *data, unsigned int thread);                 /* does one that waits have to wait still? */
    void (*ended)(void *data);                                        /* all threads are at their end, or wait */
    const char *(*word)(unsigned int i);
    const char *const *event_names, *const *thread_names, *const *service_names;
    unsigned int nr_services;
    bool buffers;
    unsigned int most; /* choices in a schedule that are not "go on" */
};

/* "": all went well. Else what went wrong, and the schedule. */
void il_explore(const struct il_scenario *s, char *text, size_t size);

/* --- for threads, events and services --- */

extern shm_t il_memory[IL_WORDS];
/* A call of the code that is checked: fn(arg) says what it returns. */
uint64_t il_call(uint64_t (*fn)(void *arg), void *arg);
/* Something may come first here as well. */
void il_choice(void);
/* The thread waits while blocked() says so. */
void il_wait(void);
/* Shared memory, at once: for the other side. */
uint64_t il_peek(unsigned int i);
void il_poke(unsigned int i, uint64_t value);
/* It went wrong: this run is over. */
_Noreturn void il_wrong(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* From code, a service: part of the log as accesses are; all its stores are seen first. */
uint64_t il_service(unsigned int what, uint64_t arg);

/* --- for kit_main() --- */

/* This program writes a log, and nothing else; or it replays that of file descriptor 3. */
void il_log_begin(void);
bool il_replay_begin(void);
bool il_logs(void);

#endif
