/* narrate_test.c - what is told is written at once, line by line or in blocks, and never in
 * halves. */
#include "kit/narrate.h"

#include "tap.h"

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LINES = 1000, LENGTH = 101 }; /* no whole number of these is a block */

/* In a process of its own, whose standard output keeps each write() apart from the next. */
static void tell(int fd, bool blocks)
{
	char line[LENGTH + 1];

	if (dup2(fd, STDOUT_FILENO) == -1)
		_exit(2);
	narrate_prepare();
	narrate_in_blocks(blocks);
	for (int i = 0; i < LINES; i++) {
		snprintf(line, sizeof line, "%0*d\n", LENGTH - 1, i);
		if (narrate_raw(line, LENGTH) == -1)
			_exit(1);
	}
	_exit(narrate_finish() == 0 ? 0 : 1);
}

static void test_writes(bool blocks)
{
	static char bytes[LINES * LENGTH];
	int ends[2], pieces = 0, halves = 0, status = -1;
	size_t all = 0;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == -1)
		return;
	(void)fflush(stdout); /* what the checks have said is not the child's to write */
	pid_t pid = fork();
	if (pid == 0)
		tell(ends[1], blocks);
	(void)close(ends[1]);
	for (ssize_t length; (length = recv(ends[0], bytes, sizeof bytes, 0)) > 0; pieces++) {
		all += (size_t)length;
		halves += length % LENGTH != 0;
	}
	(void)close(ends[0]);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0, "all could be told");
	CHECK_NUMBER(all, LINES * LENGTH, "and all was written");
	CHECK_NUMBER(halves, 0, "no write ends within a line");
	if (blocks)
		CHECK(pieces < LINES / 100, "and in few pieces");
	else
		CHECK_NUMBER(pieces, LINES, "and each line by itself");
}

int main(void)
{
	test_writes(false);
	test_writes(true);
	return tap_done();
}
