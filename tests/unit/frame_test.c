/*
 * frame_test.c - Ethernet frames, byte by byte as RFC 894 and RFC 826 lay them out: the answer
 * to an ARP question, and the packet inside a frame.
 */
#include "wire/frame.h"

#include "tap.h"

#include <arpa/inet.h>
#include <stdbool.h>

static const uint8_t our_mac[MAC_SIZE] = {2, 0, 0, 0, 0, 2};
static struct in_addr address;

/* 10.78.0.1 at 52:54:00:12:34:56 asks everybody for 10.78.0.2. */
static const uint8_t question[FRAME_ARP_SIZE] = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x52, 0x54, 0x00, 0x12, 0x34, 0x56, 0x08, 0x06,
    0x00, 0x01, 0x08, 0x00, 6,    4,    0x00, 0x01, 0x52, 0x54, 0x00, 0x12, 0x34, 0x56,
    10,   78,   0,    1,    0,    0,    0,    0,    0,    0,    10,   78,   0,    2,
};

static const uint8_t expected_answer[FRAME_ARP_SIZE] = {
    0x52, 0x54, 0x00, 0x12, 0x34, 0x56, 2,    0,    0,    0,    0,  2,  0x08, 0x06,
    0x00, 0x01, 0x08, 0x00, 6,    4,    0x00, 0x02, 2,    0,    0,  0,  0,    2,
    10,   78,   0,    2,    0x52, 0x54, 0x00, 0x12, 0x34, 0x56, 10, 78, 0,    1,
};

/* Whether the question is answered, after that byte of it was changed. */
static bool answers_with(size_t place, uint8_t value)
{
	uint8_t frame[FRAME_ARP_SIZE], answer[FRAME_ARP_SIZE];

	memcpy(frame, question, sizeof frame);
	frame[place] = value;
	return frame_answer_arp(frame, sizeof frame, our_mac, address, answer) == 0;
}

static void test_arp(void)
{
	uint8_t answer[FRAME_ARP_SIZE];

	CHECK(frame_answer_arp(question, sizeof question, our_mac, address, answer) == 0 &&
	          memcmp(answer, expected_answer, sizeof answer) == 0,
	      "a question for our address gets our MAC, sent to whoever asked");
	CHECK(frame_answer_arp(question, sizeof question - 1, our_mac, address, answer) == -1,
	      "a question that is cut short gets none");
	CHECK(!answers_with(41, 3), "a question for another address gets none");
	CHECK(!answers_with(21, 2), "an answer gets none");
	CHECK(!answers_with(13, 0x00), "what is not ARP gets none");
	CHECK(!answers_with(19, 16), "addresses of another size get none");
}

static void test_packet(void)
{
	uint8_t frame[FRAME_HEADER + 20] = {0};
	size_t length = 0;

	frame_begin(frame, our_mac, question + MAC_SIZE, FRAME_IP);
	CHECK(memcmp(frame, our_mac, MAC_SIZE) == 0 &&
	          memcmp(frame + MAC_SIZE, question + MAC_SIZE, MAC_SIZE) == 0 &&
	          frame[12] == 0x08 && frame[13] == 0x00,
	      "a header is: to, from, what it carries");
	memcpy(frame + FRAME_HEADER + 16, &address, sizeof address);
	CHECK(frame_packet(frame, sizeof frame, address, &length) == frame + FRAME_HEADER &&
	          length == 20,
	      "a packet for our address is found behind the header");
	CHECK(frame_packet(frame, sizeof frame - 1, address, &length) == NULL,
	      "less than an IP header is no packet");
	frame[FRAME_HEADER + 19] = 9;
	CHECK(frame_packet(frame, sizeof frame, address, &length) == NULL,
	      "a packet for another address is not ours");
	CHECK(frame_packet(question, sizeof question, address, &length) == NULL,
	      "ARP is no packet");
}

int main(void)
{
	(void)inet_pton(AF_INET, "10.78.0.2", &address);
	test_arp();
	test_packet();
	return tap_done();
}
