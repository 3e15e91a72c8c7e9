/*
 * worksheet.h - an exercise, read from its Markdown file. The format is described for
 * teachers in lab/exercises/README.md.
 *
 * Everything points into the worksheet's own copy of the file and lives as long as it does.
 * Lines are counted from 1.
 */
#ifndef PORTLAB_WORKSHEET_H
#define PORTLAB_WORKSHEET_H

#include "runner/check.h"

#include <stdbool.h>
#include <stddef.h>

/* ---- what is typed, and what must appear ---- */

enum script_kind {
	SCRIPT_COMMAND, /* "$ ..." */
	SCRIPT_INPUT,   /* "> ...", with Enter */
	SCRIPT_KEY,     /* "^C": text is "C" */
	SCRIPT_OUTPUT,  /* a pattern, see match.h */
};

struct script_line {
	enum script_kind kind;
	int number; /* in the file */
	char terminal;
	bool admin;
	char *text;
};

struct script {
	struct script_line *lines;
	size_t count, room;
};

/* ---- the page, in its order ---- */

enum section {
	SECTION_INTRODUCTION,
	SECTION_WORDS,
	SECTION_PREDICT,
	SECTION_DO,
	SECTION_OTHER,
	SECTION_TURN,
	SECTION_REVIEW
};

enum item_kind {
	ITEM_HEADING,
	ITEM_TEXT,     /* a paragraph, or one entry of a list; Markdown, possibly several lines */
	ITEM_VERBATIM, /* lines that stay as they are: a fence, a table */
	ITEM_CONSOLE,
	ITEM_EXPECT,
	ITEM_CHOICE, /* text without its number */
	ITEM_ANSWER, /* number: the right choice; text: why */
	ITEM_KEY,    /* the answer to the review question before it */
};

struct item {
	enum item_kind kind;
	enum section section;
	int line;
	char *text;
	int number;           /* of a choice or answer */
	const char *needs;    /* of a console block: a program, or NULL */
	struct script script; /* of a console block */
};

/* A term or a command that the exercise introduces. */
struct word {
	char text[48];
	bool command;
	int line;
};

struct note {
	char *text;
	int line;
};

enum { WORDS_MOST = 32, HINTS_MOST = 8, WRONGS_MOST = 8, CHECKS_MOST = 8 };

enum worksheet_network {
	NETWORK_SANDBOX, /* a private network */
	NETWORK_HOST,    /* this machine's own */
	NETWORK_EITHER   /* a private one where this system allows it */
};

struct worksheet {
	char path[512];
	int number;
	int minutes;
	char *title; /* "The client's port" */
	enum worksheet_network network;
	unsigned claims;  /* bit 1 << N: C1 to C22 */
	unsigned dispels; /* bit 1 << N: beliefs 1 to 10 */
	char *needs[8];
	size_t need_count;

	struct item *items;
	size_t item_count, item_room;

	struct word words[WORDS_MOST];
	size_t word_count;
	struct check checks[CHECKS_MOST];
	size_t check_count;
	struct note hints[HINTS_MOST];
	size_t hint_count;
	struct script solution;
	struct script wrongs[WRONGS_MOST];
	size_t wrong_count;

	char *text; /* the file */
};

enum { CLAIMS = 22, BELIEFS = 10, WORKSHEET_TERMINALS_MOST = 8 };

struct worksheet_error {
	int line;
	char words[400];
};

/*
 * Reads the file. Returns the worksheet, to be freed; or NULL with the first mistake, its
 * line 0 where the file cannot be read.
 */
struct worksheet *worksheet_read(const char *path, struct worksheet_error *error);

/* The same from text in memory, which is copied; path is for messages and the number. */
struct worksheet *worksheet_parse(const char *text, size_t length, const char *path,
                                  struct worksheet_error *error);

void worksheet_free(struct worksheet *worksheet);

#endif
