/*
 * stop.h - how a server is asked to end: SIGINT, SIGTERM, or its own stop_request().
 *
 * The request makes a pipe readable, and nobody ever empties it: whoever polls, in any
 * thread or child process, sees it. A second signal ends the process at once.
 */
#ifndef PORTLAB_SERVER_STOP_H
#define PORTLAB_SERVER_STOP_H

/* Makes the pipe and takes over the signals. Returns 0, or -1 with errno. */
int stop_prepare(void);

/* Readable, or hung up, when the server is to end. */
int stop_fd(void);

/* Asks for the end. Safe in a signal handler. */
void stop_request(void);

/*
 * In a child process: lets go of the pipe's other end, so that the child sees the end of
 * its parent too, and leaves the keyboard's Ctrl-C to the parent.
 */
void stop_in_child(void);

#endif
