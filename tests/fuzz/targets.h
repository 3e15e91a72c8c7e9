/*
 * targets.h - every parser of the suite that reads what somebody else wrote, as a function of
 * bytes. Each must end, neither crash nor read or write out of bounds, and keep what it
 * promises (support.h: must()). The name is also that of its directory in corpus/.
 */
#ifndef PORTLAB_FUZZ_TARGETS_H
#define PORTLAB_FUZZ_TARGETS_H

#include <stddef.h>
#include <stdint.h>

struct fuzz_target {
	const char *name;
	void (*run)(const uint8_t *bytes, size_t length);
};

extern const struct fuzz_target fuzz_targets[];
extern const size_t fuzz_target_count;

/* text_targets.c: words, lines and numbers */
void fuzz_port(const uint8_t *bytes, size_t length);
void fuzz_registry(const uint8_t *bytes, size_t length);
void fuzz_endpoint(const uint8_t *bytes, size_t length);
void fuzz_greeting(const uint8_t *bytes, size_t length);
void fuzz_text(const uint8_t *bytes, size_t length);
void fuzz_json(const uint8_t *bytes, size_t length);
void fuzz_options(const uint8_t *bytes, size_t length);

/* page_targets.c: what the runner reads */
void fuzz_worksheet(const uint8_t *bytes, size_t length);
void fuzz_match(const uint8_t *bytes, size_t length);
void fuzz_directive(const uint8_t *bytes, size_t length);
void fuzz_progress(const uint8_t *bytes, size_t length);
void fuzz_terminal(const uint8_t *bytes, size_t length);

/* wire_targets.c: packets */
void fuzz_frame(const uint8_t *bytes, size_t length);
void fuzz_segment(const uint8_t *bytes, size_t length);
void fuzz_tcp(const uint8_t *bytes, size_t length);
void fuzz_conversation(const uint8_t *bytes, size_t length);
void fuzz_pcap(const uint8_t *bytes, size_t length);

/* kernel_targets_linux.c: what Linux answers. The portable build asks nothing: they are empty.
 */
void fuzz_diag(const uint8_t *bytes, size_t length);
void fuzz_proc(const uint8_t *bytes, size_t length);
void fuzz_link(const uint8_t *bytes, size_t length);

#endif
