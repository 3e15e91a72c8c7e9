/* pcap.c - see pcap.h. */
#include "wire/pcap.h"

#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

static int add32(FILE *file, uint32_t value)
{
	return fwrite(&value, sizeof value, 1, file) == 1 ? 0 : -1;
}

static int write_header(FILE *file)
{
	static const uint16_t version[] = {2, 4};

	if (add32(file, 0xa1b2c3d4) == -1 || fwrite(version, sizeof version, 1, file) != 1 ||
	    add32(file, 0) == -1 || add32(file, 0) == -1 || add32(file, PACKET_SIZE_MOST) == -1 ||
	    add32(file, 101) == -1)
		return -1;
	return fflush(file) == 0 ? 0 : -1;
}

FILE *pcap_open(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	FILE *file = fd != -1 ? fdopen(fd, "w") : NULL;

	if (file == NULL) {
		if (fd != -1)
			(void)close(fd);
		return NULL;
	}
	if (write_header(file) == 0)
		return file;
	(void)fclose(file);
	return NULL;
}

int pcap_add(FILE *file, const struct captured *captured)
{
	uint32_t length = (uint32_t)captured->length;

	if (add32(file, (uint32_t)captured->time.tv_sec) == -1 ||
	    add32(file, (uint32_t)(captured->time.tv_nsec / 1000)) == -1 ||
	    add32(file, length) == -1 || add32(file, length) == -1 ||
	    fwrite(captured->packet, 1, length, file) != length)
		return -1;
	return fflush(file) == 0 ? 0 : -1; /* whoever interrupts has what was seen so far */
}
