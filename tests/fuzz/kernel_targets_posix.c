/* kernel_targets_posix.c - nothing is asked here. Twin: kernel_targets_linux.c. */
#include "targets.h"

void fuzz_diag(const uint8_t *bytes, size_t length)
{
	(void)bytes;
	(void)length;
}

void fuzz_proc(const uint8_t *bytes, size_t length)
{
	(void)bytes;
	(void)length;
}

void fuzz_link(const uint8_t *bytes, size_t length)
{
	(void)bytes;
	(void)length;
}
