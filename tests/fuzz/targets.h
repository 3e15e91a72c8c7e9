/*
 * targets.h - every parser of the suite that reads what somebody else wrote, as a function of
 * bytes. Each must end, and neither crash nor read or write out of bounds.
 */
#ifndef PORTLAB_FUZZ_TARGETS_H
#define PORTLAB_FUZZ_TARGETS_H

#include <stddef.h>
#include <stdint.h>

struct fuzz_target {
	const char *name;
	void (*run)(const uint8_t *bytes, size_t length);
};

extern const struct fuzz_target fuzz_targets[];
extern const size_t fuzz_target_count;

#endif
