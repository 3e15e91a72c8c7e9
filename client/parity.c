/* parity.c - see parity.h. */
#include "parity.h"

#include "kit/machine.h"
#include "kit/narrate.h"
#include "kit/waiting.h"

#include <stdio.h>

enum {
	SURE = 32,       /* so many of one parity in a row are no chance */
	PACE_AFTER = 100 /* so many are enough for an average */
};

static const char *parity_name(unsigned parity)
{
	return parity == 0 ? "even" : "odd";
}

/* How many ports of that parity the range has. */
static unsigned ports_of(const struct port_range *range, unsigned parity)
{
	unsigned count = (unsigned)(range->last - range->first) + 1;

	return range->first % 2 == parity ? (count + 1) / 2 : count / 2;
}

/*
 * Whether the first ones had the parity that is to be used up first: for connect() that of the
 * range's first port, for bind() the other. If not, ports of the usual one were in use before,
 * and now some have come back.
 */
static bool began_as_usual(const struct parity *parity)
{
	struct port_range range;

	return machine_ephemeral_range(&range) == -1 ||
	       (range.first % 2 == parity->first) != parity->by_bind;
}

static void tell_change(const struct parity *parity, uint16_t port, uint32_t id)
{
	const char *usual = parity_name(parity->first);
	struct port_range range;
	char text[80];

	snprintf(text, sizeof text, "source port %u is %s", port, parity_name(port % 2));
	narrate(&(struct event){
	    .name = "parity",
	    .id = id,
	    .text = text,
	    .facts = FACTS({"port", NULL, port}, {"before", NULL, (long long)parity->before}),
	});
	narrate_detail("all %lu before it were %s: Linux takes every second", parity->before,
	               usual);
	if (machine_ephemeral_range(&range) == 0)
		narrate_detail("port first; %u-%u has %u %s ones", range.first, range.last,
		               ports_of(&range, parity->first), usual);
	else
		narrate_detail("port of its range first");
	narrate_detail("while they are in use it looks through them in vain each");
	narrate_detail("time, and only then takes one of the others: that is slower");
}

void parity_add(struct parity *parity, uint16_t port, uint32_t id)
{
	if (parity->seen == 0) {
		parity->first = port % 2;
		parity->started_ms = clock_ms();
	} else if (parity->before == 0 && port % 2 != parity->first) {
		parity->before = parity->seen;
		parity->changed_ms = clock_ms();
		parity->told = parity->before >= SURE && began_as_usual(parity);
		if (parity->told)
			tell_change(parity, port, id);
	}
	parity->seen++;
}

void parity_tell_pace(const struct parity *parity)
{
	unsigned long since = parity->seen - parity->before;
	char text[80];

	if (!parity->told || since < PACE_AFTER)
		return;
	double before = (double)(parity->changed_ms - parity->started_ms) / (double)parity->before;
	double after = (double)(clock_ms() - parity->changed_ms) / (double)since;
	snprintf(text, sizeof text, "%.3f ms each up to #%lu, %.3f since", before, parity->before,
	         after);
	narrate(&(struct event){
	    .name = "pace",
	    .text = text,
	    .facts = FACTS({"before", NULL, (long long)parity->before},
	                   {"us_before", NULL, (long long)(before * 1000)},
	                   {"us_since", NULL, (long long)(after * 1000)}),
	});
}
