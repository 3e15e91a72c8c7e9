/*
 * pcap.h - a file of packets that tcpdump and Wireshark read.
 *
 * Source: the pcap file format (draft-ietf-opsawg-pcap): version 2.4, link type 101 (raw IP),
 * times in microseconds, numbers in this machine's byte order.
 */
#ifndef PORTLAB_PCAP_H
#define PORTLAB_PCAP_H

#include "wire/capture.h"

#include <stdio.h>

/* Begins a new file; one that exists is not touched. Returns NULL with errno. */
FILE *pcap_open(const char *path);

/* Returns 0, or -1 where it could not be written. */
int pcap_add(FILE *file, const struct captured *captured);

#endif
