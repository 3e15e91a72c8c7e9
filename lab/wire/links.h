/*
 * links.h - cables between networks: pairs of virtual Ethernet devices, whose ends are in two
 * network namespaces, made through netlink without any tool.
 *
 * Source: rtnetlink(7), veth(4), network_namespaces(7). It needs CAP_NET_ADMIN over both
 * networks. Every function returns 0, or -1 with errno. The portable twin has none: ENOTSUP.
 */
#ifndef PORTLAB_LINKS_H
#define PORTLAB_LINKS_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

/* The kernel's answer to one of the requests below, taken apart: 0, or -1 with its errno. */
int link_answer_read(const void *bytes, size_t length);

/* A pair: one end in this network, the other in that of the descriptor. */
int link_make_pair(const char *here, const char *there, int there_fd);

/*
 * The same, but waits for at most two seconds until the name is free: the kernel takes the
 * cables of an ended program away in its own time.
 */
int link_make_pair_in_time(const char *here, const char *there, int there_fd);

/* Takes a pair away, both ends. */
int link_remove(const char *name);

/* Up, with an address of a network of 24 bits. */
int link_set_address(const char *name, struct in_addr address);
int link_set_up(const char *name);

/* Everything that is nowhere else goes there. */
int link_set_gateway(struct in_addr gateway);

/*
 * Checksums are made and verified by the kernel itself on this device, instead of being left
 * to hardware that is not there.
 */
int link_make_checksums(const char *name);

/* The network in which this process is, as a descriptor to come back by; -1 with errno. */
int network_own(void);

/* Goes into a new one, with loopback up; into that of the descriptor. */
int network_make(void);
int network_enter(int fd);

#endif
