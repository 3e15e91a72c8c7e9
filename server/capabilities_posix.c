/* capabilities_posix.c - a system where the uid is all there is. Twin: capabilities_linux.c. */
#include "capabilities.h"

int capabilities_drop(void)
{
	return 0;
}

bool capabilities_held(void)
{
	return false;
}
