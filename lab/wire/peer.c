/*
 * peer.c - lab peer: a second host that is nothing but this program. It holds one end of a
 * cable, answers ARP, has a small TCP of its own (small_tcp.c), and makes trouble on request:
 * a segment that is damaged, lost, late, or there twice.
 *
 *   this network  10.78.0.1  peer0 ======== this program  10.78.0.2
 */
#include "instruments/print.h"
#include "kit/explain.h"
#include "kit/narrate.h"
#include "kit/options.h"
#include "kit/text.h"
#include "kit/waiting.h"
#include "subcommand.h"
#include "wire/conversation.h"
#include "wire/ethernet.h"
#include "wire/links.h"
#include "wire/small_tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help_text[] =
    "usage: lab peer [options] PORT\n"
    "A second host that is nothing but this program, with a TCP of its own: it is at\n"
    "10.78.0.2, on a cable to this network, and serves PORT: it greets and sends everything\n"
    "back. On request the first segment that it sends back meets trouble on its way. It\n"
    "needs power over this network: use it in lab shell --admin.\n"
    "\n"
    "  --trouble KIND  flip: one bit is turned; swap: two 16-bit words change places;\n"
    "                  drop: it is lost; delay: it comes a second later; twice: it comes "
    "twice\n"
    "\n"
    "  lab peer --trouble flip 7        then, in another window: client -m hello 10.78.0.2 7\n";

enum trouble {
	TROUBLE_NONE,
	TROUBLE_FLIP,
	TROUBLE_SWAP,
	TROUBLE_DROP,
	TROUBLE_DELAY,
	TROUBLE_TWICE,
	TROUBLE_COUNT
};

enum { DELAY_MS = 1000 };

struct peer {
	uint16_t port;
	enum trouble trouble; /* NONE once it was made */
	struct ethernet ethernet;
	struct small_tcp tcp;
	struct conversations conversations;
	int counters_fd;    /* the other side's /proc/net/snmp */
	long wrong_before;  /* its count of wrong checksums */
	bool watch_counter; /* until it moves */
	uint32_t greeted;   /* connection whose greeting has gone out */
	uint8_t late[SEGMENT_SIZE_MOST];
	size_t late_length;
	int64_t late_at; /* when to send it; -1: nothing is late */
};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	(void)number;
	stopped = 1;
}

/* ---- the other side's count ---- */

/* "Tcp: ... InCsumErrors" of that network, or -1: the names stand above the numbers. */
static long count_wrong_checksums(const struct peer *peer)
{
	char text[4096], *names, *numbers, *rest_names = NULL, *rest_numbers = NULL;
	ssize_t length = pread(peer->counters_fd, text, sizeof text - 1, 0);

	if (length <= 0)
		return -1;
	text[length] = '\0';
	names = strstr(text, "\nTcp: ");
	numbers = names != NULL ? strstr(names + 1, "\nTcp: ") : NULL;
	if (numbers == NULL)
		return -1;
	*numbers++ = '\0';
	numbers[strcspn(numbers, "\n")] = '\0';
	char *name = strtok_r(names + 1, " ", &rest_names);
	char *number = strtok_r(numbers, " ", &rest_numbers);
	while (name != NULL && number != NULL) {
		if (strcmp(name, "InCsumErrors") == 0)
			return strtol(number, NULL, 10);
		name = strtok_r(NULL, " ", &rest_names);
		number = strtok_r(NULL, " ", &rest_numbers);
	}
	return -1;
}

static void look_at_counter(struct peer *peer)
{
	long now = count_wrong_checksums(peer);

	if (!peer->watch_counter || now == -1 || now == peer->wrong_before)
		return;
	print("         the kernel counts wrong checksums: %ld before, %ld now (InCsumErrors)\n",
	      peer->wrong_before, now);
	peer->watch_counter = false;
}

/* ---- what is told ---- */

static void tell(struct peer *peer, const char *direction, const uint8_t *packet, size_t length,
                 enum tcp_state state)
{
	struct segment segment;
	struct told told;
	char flags[FLAGS_TEXT_SIZE], numbers[48] = "", data[24] = "";

	if (segment_decode(packet, length, &segment) == -1)
		return;
	conversations_take(&peer->conversations, &segment, &told);
	text_add(numbers, sizeof numbers, "seq %lu", (unsigned long)told.relative_sequence);
	if (segment.flags & SEGMENT_ACK)
		text_add(numbers, sizeof numbers, " ack %lu",
		         (unsigned long)told.relative_acknowledgement);
	if (segment.data_length > 0)
		text_add(data, sizeof data, "%zu bytes", segment.data_length);
	print("  %-5s  %-8s  %-16s  %-9s  checksum %-5s  %s\n", direction,
	      segment_flags(segment.flags, flags), numbers, data,
	      checksum_verdict_words(segment_verdict(&segment)), tcp_state_name(state));
}

/* ---- trouble ---- */

static void flip(uint8_t *data)
{
	print("         on its way one bit of byte 1 is turned: 0x%02x becomes 0x%02x\n", data[0],
	      data[0] ^ 0x01);
	data[0] ^= 0x01;
}

static void swap(uint8_t *data)
{
	uint8_t first[2] = {data[0], data[1]};

	print("         on its way two 16-bit words change places: 0x%02x%02x and 0x%02x%02x\n",
	      data[0], data[1], data[2], data[3]);
	memcpy(data, data + 2, 2);
	memcpy(data + 2, first, 2);
}

/* Makes the trouble that was asked for. Returns how often the packet is to be sent now. */
static int make_trouble(struct peer *peer, uint8_t *packet, size_t length, size_t data_length)
{
	enum trouble trouble = peer->trouble;
	uint8_t *data = packet + length - data_length;

	if (trouble == TROUBLE_SWAP && data_length < 4)
		return 1; /* there are no two words yet */
	peer->trouble = TROUBLE_NONE;
	peer->watch_counter = trouble == TROUBLE_FLIP;
	if (trouble == TROUBLE_FLIP) {
		flip(data);
	} else if (trouble == TROUBLE_SWAP) {
		swap(data);
	} else if (trouble == TROUBLE_DROP) {
		print("         on its way it is lost\n");
		return 0;
	} else if (trouble == TROUBLE_TWICE) {
		print("         on its way it is doubled: it comes twice\n");
		return 2;
	} else if (trouble == TROUBLE_DELAY) {
		print("         on its way it is held up for a second\n");
		memcpy(peer->late, packet, length);
		peer->late_length = length;
		peer->late_at = clock_ms() + DELAY_MS;
		return 0;
	}
	return 1;
}

/* ---- sending and receiving ---- */

static void send_packet(struct peer *peer, const uint8_t *packet, size_t length)
{
	if (ethernet_send(&peer->ethernet, packet, length) == -1)
		complain("cannot send: %s", strerror(errno));
}

/* small_tcp hands a segment out. */
static void send_segment(void *argument, const struct segment *segment, bool again)
{
	struct peer *peer = argument;
	uint8_t packet[SEGMENT_SIZE_MOST];
	size_t length = segment_build(segment, segment->flags & SEGMENT_SYN ? 1460 : 0, packet);
	bool greeting = segment->data_length > 0 && peer->greeted != peer->tcp.connections;
	int times = 1;

	if (again)
		print("         nothing was acknowledged: once more, whole\n");
	tell(peer, "out", packet, length, peer->tcp.state);
	if (peer->trouble != TROUBLE_NONE && segment->data_length > 0 && !greeting && !again)
		times = make_trouble(peer, packet, length, segment->data_length);
	if (greeting)
		peer->greeted = peer->tcp.connections;
	for (int i = 0; i < times; i++)
		send_packet(peer, packet, length);
}

static void take_packet(struct peer *peer, const uint8_t *packet, size_t length)
{
	struct segment segment;

	if (segment_decode(packet, length, &segment) == -1 ||
	    endpoint_port(&segment.destination) != peer->port)
		return;
	tell(peer, "in", packet, length, peer->tcp.state);
	if (segment_verdict(&segment) == CHECKSUM_GOOD) /* the others never were */
		small_tcp_take(&peer->tcp, &segment, clock_ms(), send_segment, peer);
	look_at_counter(peer);
}

static int64_t next_moment(const struct peer *peer)
{
	int64_t moment = clock_ms() + 100; /* a signal may come just before the wait */

	if (peer->tcp.resend_at != -1 && peer->tcp.resend_at < moment)
		moment = peer->tcp.resend_at;
	if (peer->late_at != -1 && peer->late_at < moment)
		moment = peer->late_at;
	return moment;
}

static int serve(struct peer *peer)
{
	uint8_t packet[2048];

	while (!stopped && !narrate_failed()) {
		long length = ethernet_receive(&peer->ethernet, packet, sizeof packet);
		if (length == -1) {
			complain("cannot receive: %s", strerror(errno));
			return EXIT_FAILURE;
		}
		if (length > 0) {
			take_packet(peer, packet, (size_t)length);
			continue;
		}
		look_at_counter(peer);
		small_tcp_tick(&peer->tcp, clock_ms(), send_segment, peer);
		if (peer->late_at != -1 && clock_ms() >= peer->late_at) {
			print("         now the one that was held up arrives\n");
			send_packet(peer, peer->late, peer->late_length);
			peer->late_at = -1;
		}
		(void)wait_for_fd(peer->ethernet.fd, POLLIN, next_moment(peer));
	}
	print("%lu connection%s\n", (unsigned long)peer->tcp.connections,
	      peer->tcp.connections == 1 ? "" : "s");
	return EXIT_SUCCESS;
}

/* ---- the cable ---- */

static int refuse(const char *what)
{
	int error = errno;
	char name[24];

	complain("cannot make the second host: %s: %s (%s)", what, strerror(error),
	         errno_name(error, name));
	if (error == ENOTSUP) {
		fprintf(stderr, "  why  this build knows no way; Linux has packet sockets\n");
		return EXIT_SKIPPED;
	}
	if (error == EPERM || error == EACCES)
		fprintf(stderr, "  why  to change the network needs CAP_NET_ADMIN over it\n"
		                "  try  lab shell --admin   a private network, whose root may\n");
	if (error == EEXIST)
		fprintf(stderr, "  why  a lab peer runs in this network already\n");
	return EXIT_FAILURE;
}

/*
 * The far end of the cable lies in a network of this program's own, so that no kernel answers
 * for it. Returns 0, or the status to end with.
 */
static int lay_cable(struct peer *peer)
{
	struct in_addr near, far;
	int near_fd = network_own();

	(void)inet_pton(AF_INET, "10.78.0.1", &near);
	(void)inet_pton(AF_INET, "10.78.0.2", &far);
	peer->counters_fd = open("/proc/self/net/snmp", O_RDONLY | O_CLOEXEC);
	if (near_fd == -1 || network_make() == -1)
		return refuse("a network");
	int far_fd = network_own();
	if (far_fd == -1 || link_make_pair_in_time("far0", "peer0", near_fd) == -1 ||
	    link_set_up("far0") == -1)
		return refuse("a cable");
	if (ethernet_open(&peer->ethernet, "far0", far) == -1)
		return refuse("its end");
	if (network_enter(near_fd) == -1 || link_make_checksums("peer0") == -1 ||
	    link_set_address("peer0", near) == -1 || network_enter(far_fd) == -1)
		return refuse("an address");
	struct endpoint local = {.length = sizeof local.address.in4};
	local.address.in4.sin_family = AF_INET;
	local.address.in4.sin_addr = far;
	endpoint_set_port(&local, peer->port);
	small_tcp_listen(&peer->tcp, &local);
	peer->wrong_before = count_wrong_checksums(peer);
	return EXIT_SUCCESS;
}

static bool take_trouble(const char *text, enum trouble *trouble)
{
	static const char *const names[TROUBLE_COUNT] = {"",     "flip",  "swap",
	                                                 "drop", "delay", "twice"};
	char quoted[80];

	for (int i = TROUBLE_NONE + 1; i < TROUBLE_COUNT; i++)
		if (strcmp(names[i], text) == 0) {
			*trouble = (enum trouble)i;
			return true;
		}
	complain("--trouble '%s': give flip, swap, drop, delay or twice",
	         text_escape(text, strlen(text), quoted, sizeof quoted));
	return false;
}

static int run(int argc, char **argv)
{
	enum { OPTION_TROUBLE = 256 };
	static const struct option long_options[] = {
	    {"help", no_argument, NULL, 'h'},
	    {"trouble", required_argument, NULL, OPTION_TROUBLE},
	    {NULL, 0, NULL, 0},
	};
	static struct peer peer = {.late_at = -1};
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	int option;

	while ((option = options_next(argc, argv, "h", long_options)) != -1) {
		if (option == 'h')
			return options_help(help_text);
		if (option != OPTION_TROUBLE || !take_trouble(optarg, &peer.trouble))
			return EXIT_USAGE;
	}
	if (optind + 1 != argc) {
		complain("give the port to serve");
		return EXIT_USAGE;
	}
	if (!options_port("the port", argv[optind], &peer.port))
		return EXIT_USAGE;
	if (peer.port == 0) {
		complain("nobody can serve port 0; give one from 1 to 65535");
		return EXIT_USAGE;
	}
	int status = lay_cable(&peer);
	if (status != EXIT_SUCCESS)
		return status;
	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	print("10.78.0.1  peer0 ======== this program  10.78.0.2\n");
	print("listening 10.78.0.2:%u, with a TCP of its own; Ctrl-C stops\n", peer.port);
	status = serve(&peer);
	(void)link_remove("far0"); /* else the kernel does, soon after */
	return status;
}

const struct subcommand subcommand_peer = {
    "peer", "PORT", "a second host that is nothing but this program", help_text, run};
