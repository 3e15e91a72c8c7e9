/*
 * measure.h - what the loads share: a private network, a server under measurement on the
 * same processor as its load, clocks, percentiles. A failure ends the program, having said
 * what failed: a measurement that is not whole is none. Linux only.
 */
#ifndef PORTLAB_BENCH_MEASURE_H
#define PORTLAB_BENCH_MEASURE_H

#include <stddef.h>
#include <sys/types.h>

enum { PORT = 3306 };

/* Says what failed, with errno, ends the programs under measurement, and exits 1. */
void die(const char *what);

/*
 * Enters a network namespace of this process's own, brings its loopback up and, where
 * `range` is not NULL, gives it these ephemeral ports. Needs to be root of a user namespace.
 */
void measure_enter_network(const char *range);

/* This process, and what it starts, stays on one processor from now on. */
void measure_pin(void);

/* Raises the limit of descriptors; dies if fewer than `needed` are allowed. */
void measure_need_descriptors(long needed);

/*
 * Starts the program; its standard output goes to `output` (NULL: thrown away). It is ended
 * with this one.
 */
pid_t measure_start(char **command, const char *output);

/* Until somebody listens on PORT, at most 5 seconds; tried on a connection of its own. */
void measure_await_listener(void);

/* SIGTERM, and its end. Returns the processor seconds it and its awaited children used. */
double measure_stop(pid_t pid);

double wall_seconds(void);
/* Processor seconds of a process with all its threads, so far; 0: this one. */
double cpu_seconds(pid_t pid);
/* Bytes of memory of its own (no file's) that a process and its children have in RAM. */
long memory_bytes(pid_t pid);

/* Sorts the values and returns the one below which `share` (0 to 1) of them lie. */
double percentile(double *values, size_t count, double share);

#endif
