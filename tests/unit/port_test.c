/* port_test.c - classes at every boundary, parsing, and names (kit/port, kit/registry). */
#include "kit/port.h"
#include "kit/registry.h"

#include "tap.h"

#include <stdlib.h>

static void test_classes(void)
{
	/* From RFC 6335 section 6; port 0 is reserved there. */
	static const struct {
		uint16_t port;
		const char *class;
	} cases[] = {
	    {0, "reserved"},      {1, "system"},         {1023, "system"},   {1024, "registered"},
	    {3306, "registered"}, {49151, "registered"}, {49152, "dynamic"}, {65535, "dynamic"},
	};
	char what[64];

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		snprintf(what, sizeof what, "port %u is %s", cases[i].port, cases[i].class);
		CHECK_STRING(port_class_of(cases[i].port)->name, cases[i].class, what);
	}
}

static void test_classes_cover_everything(void)
{
	size_t count;
	const struct port_class *classes = port_classes(&count);
	unsigned next = 0;
	int gaps = 0;

	for (size_t i = 0; i < count; i++) {
		gaps += classes[i].first != next;
		next = classes[i].last + 1U;
	}
	CHECK_NUMBER(gaps, 0, "no gap and no overlap between the classes");
	CHECK_NUMBER(next, 65536, "they end at 65535");
}

static void test_numbers(void)
{
	static const char *const refused[] = {"",
	                                      " 80",
	                                      "80 ",
	                                      "80x",
	                                      "-1",
	                                      "+80",
	                                      "0x50",
	                                      "1e3",
	                                      "65536",
	                                      "8 0",
	                                      "99999999999999999999",
	                                      "3306.0"};
	char reason[PORT_REASON_SIZE], what[80];
	uint16_t port;

	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		port = 7;
		snprintf(what, sizeof what, "'%s' is refused and nothing changed", refused[i]);
		CHECK(port_number_parse(refused[i], &port, reason) == -1 && port == 7 &&
		          reason[0] != '\0',
		      what);
	}
	CHECK(port_number_parse("0", &port, reason) == 0 && port == 0, "0 is a number");
	CHECK(port_number_parse("65535", &port, reason) == 0 && port == 65535, "65535 is the last");
	CHECK(port_number_parse("0080", &port, reason) == 0 && port == 80,
	      "leading zeros: decimal");
}

static void test_names(void)
{
	char reason[PORT_REASON_SIZE];
	uint16_t port = 0;

	CHECK(port_parse("MongoDB", TRANSPORT_TCP, &port, reason) == 0 && port == 27017,
	      "a name that only the registry has, in any case");
	CHECK(port_parse("no-such-service", TRANSPORT_TCP, &port, reason) == -1,
	      "an unknown name is refused");
	CHECK(port_parse("4-tieropmgw", TRANSPORT_TCP, &port, reason) == 0 && port == 2933,
	      "a registered name that begins with a digit and a hyphen (IANA: 2933)");
	CHECK(port_parse("3com-tsmux", TRANSPORT_TCP, &port, reason) == 0 && port == 106,
	      "a name may begin with a digit");
	CHECK(port_parse("80x", TRANSPORT_TCP, &port, reason) == -1, "80x is no name");
}

static void test_registry(void)
{
	const struct registry_entry *entry = registry_find(3306, TRANSPORT_TCP);
	size_t count, disorder = 0;
	const struct registry_entry *entries = registry_entries(&count);

	CHECK_STRING(entry != NULL ? entry->name : NULL, "mysql", "3306 is mysql");
	CHECK(registry_find(8, TRANSPORT_TCP) == NULL, "8 is registered to nobody");
	CHECK(registry_find(50000, TRANSPORT_TCP) == NULL, "no dynamic port is registered");
	entry = registry_find(6010, TRANSPORT_TCP);
	CHECK_STRING(entry != NULL ? entry->name : NULL, "x11", "6010 lies in x11's range");
	entry = registry_find(512, TRANSPORT_UDP);
	CHECK_STRING(entry != NULL ? entry->name : NULL, "comsat",
	             "512/udp is comsat, another service than 512/tcp");
	entry = registry_find(512, TRANSPORT_TCP);
	CHECK_STRING(entry != NULL ? entry->name : NULL, "exec", "512/tcp is exec");
	for (size_t i = 1; i < count; i++)
		disorder +=
		    entries[i].first < entries[i - 1].first || entries[i].last < entries[i - 1].last;
	CHECK_NUMBER(disorder, 0, "in ascending order, as the binary search needs");
	CHECK(count > 7000, "the whole registry");
	CHECK_NUMBER(strlen(registry_date()), 10, "it has a date");
}

int main(void)
{
	test_classes();
	test_classes_cover_everything();
	test_numbers();
	test_names();
	test_registry();
	return tap_done();
}
