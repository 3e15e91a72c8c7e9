/*
 * bare_scan.c - the least that a connect scan can be: all 65,535 ports of 127.0.0.1 with
 * blocking connects, one socket until somebody answers. What lab scan is measured against.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	const struct linger at_once = {1, 0};
	int fd = -1, open = 0;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (int port = 1; port <= 65535; port++) {
		if (fd == -1 && (fd = socket(AF_INET, SOCK_STREAM, 0)) == -1)
			return 1;
		address.sin_port = htons((in_port_t)port);
		if (connect(fd, (struct sockaddr *)&address, sizeof address) == -1)
			continue;
		open++;
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
		(void)close(fd);
		fd = -1;
	}
	printf("%d open\n", open);
	return 0;
}
