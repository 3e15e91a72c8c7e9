/* print.h - lines of the instruments, for people. */
#ifndef PORTLAB_PRINT_H
#define PORTLAB_PRINT_H

/* printf to standard output; a failure is remembered in narrate. */
#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
void print(const char *format, ...);

/* How many lines print() has ended so far. */
unsigned long print_lines(void);

#endif
