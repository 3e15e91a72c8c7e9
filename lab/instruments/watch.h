/*
 * watch.h - what lab watch knows, and how it is drawn. watch.c reads the table and the keys;
 * watch_picture.c draws.
 */
#ifndef PORTLAB_WATCH_H
#define PORTLAB_WATCH_H

#include "instruments/socket_list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FRAME_SIZE = 65536 };

enum order { ORDER_PORTS, ORDER_STATE, ORDER_CHANGE, ORDER_COUNT };

struct watched {
	struct listed listed;
	int64_t changed_at; /* clock; 0: it was there from the start */
};

struct watch {
	struct socket_filter filter;
	int64_t interval_ms;
	enum order order;
	bool log, color, utf8, paused, help;
	struct watched *sockets; /* in the order of socket_list */
	size_t count;
	size_t counts[TCP_STATE_COUNT];
	int64_t state_changed_at[TCP_STATE_COUNT];
	bool started;
	char typed[8]; /* the port that is being typed after f; "" else */
	bool typing;
};

/* A picture while it is being drawn. */
struct frame {
	char text[FRAME_SIZE];
	int columns, rows; /* 0 rows: as many as needed */
	int used;
	bool color;
};

/* Draws the whole picture, or the page of help, into frame->text. */
void watch_draw(struct frame *frame, const struct watch *watch);

/* Adds the line of keys as the last one of the window, without a newline. */
void watch_draw_keys(struct frame *frame, const struct watch *watch);

/* Cuts every line at the window's edge: one that wraps would push the rest down. */
void watch_cut_lines(char *text, int columns);

#endif
