/*
 * fuzz.c - what libFuzzer calls: one target, by its name in TARGET. Built by "make fuzz".
 */
#include "targets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_OF(target) #target
#define NAME_IN(target) NAME_OF(target)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < fuzz_target_count; i++)
		if (strcmp(fuzz_targets[i].name, NAME_IN(TARGET)) == 0) {
			fuzz_targets[i].run(bytes, length);
			return 0;
		}
	fprintf(stderr, "there is no target %s\n", NAME_IN(TARGET));
	exit(1);
}
