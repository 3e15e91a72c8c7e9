/* machine_test.c - what this machine says about itself, against /proc read here. */
#include "kit/machine.h"
#include "kit/unix.h"

#include "tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

/* Whether the kit was built to ask this kernel. */
static int asks_linux(void)
{
#ifdef __linux__
	struct port_range range;
	return access("/proc/sys/net/ipv4/ip_local_port_range", R_OK) == 0 &&
	       (getenv("PLATFORM") == NULL ? machine_ephemeral_range(&range) == 0
	                                   : strcmp(getenv("PLATFORM"), "linux") == 0);
#else
	return 0;
#endif
}

/* The file's numbers, at most two. Returns how many. */
static int numbers_of(const char *path, long numbers[2])
{
	FILE *file = fopen(path, "r");
	int count = 0;

	if (file == NULL)
		return 0;
	while (count < 2 && fscanf(file, "%ld", &numbers[count]) == 1)
		count++;
	(void)fclose(file);
	return count;
}

static void test_range(void)
{
	struct port_range range = {7, 7};
	long numbers[2];

	if (!asks_linux()) {
		CHECK(machine_ephemeral_range(&range) == -1 && range.first == 7 && range.last == 7,
		      "the ephemeral range cannot be asked, and nothing is made up");
		return;
	}
	CHECK_NUMBER(machine_ephemeral_range(&range), 0, "the ephemeral range can be asked");
	CHECK_NUMBER(numbers_of("/proc/sys/net/ipv4/ip_local_port_range", numbers), 2,
	             "two numbers");
	CHECK_NUMBER(range.first, numbers[0], "its first port is the sysctl's first");
	CHECK_NUMBER(range.last, numbers[1], "its last port is the sysctl's second");
}

static void test_limit(void)
{
	long numbers[2];

	if (asks_linux() &&
	    numbers_of("/proc/sys/net/ipv4/ip_unprivileged_port_start", numbers) == 1)
		CHECK_NUMBER(machine_unprivileged_start(), numbers[0], "the limit is the sysctl's");
	else
		CHECK_NUMBER(machine_unprivileged_start(), -1, "no limit can be asked: it says so");
}

/* Whether the port can really be bound; -1 where it cannot be found out (in use). */
static int can_bind(uint16_t port)
{
	struct sockaddr_in address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	memset(&address, 0, sizeof address);
	address.sin_family = AF_INET;
	address.sin_port = htons(port);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int result = bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 ? 1
	             : errno == EACCES                                                ? 0
	                                                                              : -1;
	(void)close(fd);
	return result;
}

/* What is said about the right to bind agrees with what bind() does. */
static void test_right(void)
{
	static const uint16_t ports[] = {1, 7, 79, 511, 1022, 1023, 1024, 1025};
	char what[80];

	for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++) {
		enum bind_right right = machine_bind_right(ports[i]);
		int said = right != BIND_RIGHT_NONE && right != BIND_RIGHT_FOREIGN;
		int can = can_bind(ports[i]);
		snprintf(what, sizeof what, "port %u: what is said is what bind() does", ports[i]);
		CHECK(can == -1 || right == BIND_RIGHT_UNKNOWN || said == can, what);
	}
	CHECK(machine_bind_right(0) == BIND_RIGHT_ANYBODY, "port 0 needs no right");
	CHECK(machine_bind_right(65535) == BIND_RIGHT_ANYBODY, "the last port neither");
	if (asks_linux() && machine_unprivileged_start() == 1024) {
		CHECK(machine_bind_right(1024) == BIND_RIGHT_ANYBODY, "from the limit on: anybody");
		CHECK(machine_bind_right(1023) != BIND_RIGHT_ANYBODY &&
		          machine_bind_right(1023) != BIND_RIGHT_LOWERED,
		      "below it: not anybody");
	}
}

static void test_system(void)
{
	struct utsname name;
	char text[300], small[8];

	memset(small, '#', sizeof small);
	machine_system(text, sizeof text);
	CHECK(uname(&name) == 0 && strstr(text, name.sysname) == text &&
	          strstr(text, name.release) != NULL,
	      "the system's name and release are uname()'s");
	machine_system(small, 4);
	CHECK(strlen(small) == 3 && small[4] == '#', "cut where there is little room");
}

static void test_container(void)
{
	const char *said = machine_container_sign();
	int marked = access("/.dockerenv", F_OK) == 0 || access("/run/.containerenv", F_OK) == 0;

	CHECK(asks_linux() ? (said != NULL) == marked : said == NULL,
	      "a container is named where there is its mark, and only there");
}

static void test_descriptors(void)
{
	struct rlimit before, after;

	CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0, "the limit before");
	unsigned long said = machine_raise_descriptor_limit();
	CHECK(getrlimit(RLIMIT_NOFILE, &after) == 0 && said == (unsigned long)after.rlim_cur,
	      "the number said is the limit in force");
	CHECK(after.rlim_cur >= before.rlim_cur && after.rlim_cur <= after.rlim_max &&
	          after.rlim_max == before.rlim_max,
	      "it was raised, not above the hard limit, and that was left alone");
}

static void test_addresses(void)
{
	struct endpoint found[64];
	int count = machine_addresses(AF_INET, found, 64), loopback = 0;

	for (int i = 0; i < count; i++)
		loopback += endpoint_is_loopback(&found[i]) && endpoint_port(&found[i]) == 0;
	CHECK(loopback >= 1, "127.0.0.1 is one of this machine's addresses");
	CHECK(count <= 0 || machine_addresses(AF_INET, found, 1) == 1,
	      "no more than there is room for");
	CHECK_NUMBER(machine_addresses(AF_INET, found, 0), 0, "none where there is none");
}

int main(void)
{
	test_range();
	test_limit();
	test_right();
	test_system();
	test_container();
	test_descriptors();
	test_addresses();
	return tap_done();
}
