/* endpoint_test.c - addresses and ports as text, both ways, and when two are the same. */
#include "kit/endpoint.h"

#include "tap.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <unistd.h>

/* Made with inet_pton() and by hand, not with the functions under test. */
static struct endpoint make4(const char *address, uint16_t port)
{
	struct endpoint endpoint;
	struct sockaddr_in in4;

	memset(&endpoint, 0, sizeof endpoint);
	memset(&in4, 0, sizeof in4);
	in4.sin_family = AF_INET;
	in4.sin_port = htons(port);
	(void)inet_pton(AF_INET, address, &in4.sin_addr);
	memcpy(&endpoint.address, &in4, sizeof in4);
	endpoint.length = sizeof in4;
	return endpoint;
}

static struct endpoint make6(const char *address, unsigned scope, uint16_t port)
{
	struct endpoint endpoint;
	struct sockaddr_in6 in6;

	memset(&endpoint, 0, sizeof endpoint);
	memset(&in6, 0, sizeof in6);
	in6.sin6_family = AF_INET6;
	in6.sin6_port = htons(port);
	in6.sin6_scope_id = scope;
	(void)inet_pton(AF_INET6, address, &in6.sin6_addr);
	memcpy(&endpoint.address, &in6, sizeof in6);
	endpoint.length = sizeof in6;
	return endpoint;
}

static void check_both_ways(struct endpoint endpoint, const char *text, uint16_t port)
{
	char seen[ENDPOINT_TEXT_SIZE], what[160];
	struct endpoint read;

	memset(&read, 0xff, sizeof read);
	snprintf(what, sizeof what, "written as %s", text);
	CHECK_STRING(endpoint_format(&endpoint, seen), text, what);
	CHECK_NUMBER(endpoint_port(&endpoint), port, "with its port in host byte order");
	snprintf(what, sizeof what, "%s is read", text);
	CHECK(endpoint_parse(text, &read) == 0, what);
	CHECK(endpoint_equal(&read, &endpoint) && endpoint_port(&read) == port &&
	          endpoint_family(&read) == endpoint_family(&endpoint),
	      "and is the same again");
}

static void test_text(void)
{
	check_both_ways(make4("127.0.0.1", 3306), "127.0.0.1:3306", 3306);
	check_both_ways(make4("0.0.0.0", 0), "0.0.0.0:0", 0);
	check_both_ways(make4("255.255.255.255", 65535), "255.255.255.255:65535", 65535);
	check_both_ways(make6("::1", 0, 3306), "[::1]:3306", 3306);
	check_both_ways(make6("::", 0, 1), "[::]:1", 1);
	check_both_ways(make6("2001:db8::ff00:42:8329", 0, 443), "[2001:db8::ff00:42:8329]:443",
	                443);
	check_both_ways(make6("1111:2222:3333:4444:5555:6666:7777:8888", 0, 65535),
	                "[1111:2222:3333:4444:5555:6666:7777:8888]:65535", 65535);
	check_both_ways(make6("::ffff:192.0.2.1", 0, 80), "[::ffff:192.0.2.1]:80", 80);
}

/* RFC 4007: a link-local address needs its interface, by name or by number. */
static void test_scope(void)
{
	char interface[IF_NAMESIZE], text[ENDPOINT_TEXT_SIZE], seen[ENDPOINT_TEXT_SIZE];
	struct endpoint read, other;

	if (if_indextoname(1, interface) == NULL) {
		CHECK(1, "scope # SKIP this system has no first interface");
		return;
	}
	struct endpoint scoped = make6("fe80::1", 1, 3306);
	snprintf(text, sizeof text, "[fe80::1%%%s]:3306", interface);
	check_both_ways(scoped, text, 3306);
	CHECK(endpoint_parse("[fe80::1%1]:3306", &read) == -1,
	      "one spelling: an interface that has a name is not read by its number");
	other = make6("fe80::1", 2, 3306);
	CHECK(!endpoint_equal(&scoped, &other), "the same address on another interface differs");
	CHECK(!endpoint_same_address(&scoped, &other), "as an address, too");
	other = make6("fe80::1", 4000000000U, 3306);
	CHECK_STRING(endpoint_format(&other, seen), "[fe80::1%4000000000]:3306",
	             "an interface that is gone is shown by its number");
	CHECK_STRING(endpoint_format_address(&scoped, seen), strtok(text + 1, "]"),
	             "the address alone keeps its interface");
}

static void test_nothing(void)
{
	struct endpoint none, loopback = make4("127.0.0.1", 1);
	char seen[ENDPOINT_TEXT_SIZE];

	memset(&none, 0, sizeof none);
	CHECK_STRING(endpoint_format(&none, seen), "-", "no endpoint is a dash");
	CHECK_STRING(endpoint_format_address(&none, seen), "-", "and so is no address");
	CHECK_NUMBER(endpoint_port(&none), 0, "it has no port");
	CHECK_NUMBER(endpoint_family(&none), AF_UNSPEC, "and no family");
	endpoint_set_port(&none, 7);
	CHECK_NUMBER(endpoint_port(&none), 0, "nor can it be given one");
	CHECK(!endpoint_is_loopback(&none) && !endpoint_is_wildcard(&none), "it is neither kind");
	CHECK(!endpoint_equal(&none, &loopback) && !endpoint_same_address(&loopback, &none),
	      "it equals no other");
}

static void test_refused(void)
{
	static const char *const refused[] = {
	    "",
	    ":",
	    "-",
	    "127.0.0.1",
	    "127.0.0.1:",
	    ":80",
	    "127.0.0.1:80 ",
	    " 127.0.0.1:80",
	    "127.0.0.1:+80",
	    "127.0.0.1:-1",
	    "127.0.0.1:65536",
	    "127.0.0.1:80x",
	    "127.0.0.1:0x50",
	    "127.0.0.1:99999999999999999999",
	    "127.0.0.1 :80",
	    "127.0.0.1:80:80",
	    "localhost:80",
	    "*:80",
	    "[]:80",
	    "[::1]",
	    "[::1]80",
	    "[::1:80",
	    "::1]:80",
	    "::1:80",
	    "[::1] :80",
	    "[ ::1]:80",
	    "[[::1]]:80",
	    "[::1]]:80",
	    "[::1]:",
	    "[::1]:65536",
	    "[::g]:80",
	    "[localhost]:80",
	    "[127.0.0.1]:80",
	    "/127.0.0.1:80",
	};
	char what[80], longest[400];
	struct endpoint endpoint, untouched;

	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		memset(&endpoint, 0x5a, sizeof endpoint);
		untouched = endpoint;
		snprintf(what, sizeof what, "'%s' is refused and nothing changed", refused[i]);
		CHECK(endpoint_parse(refused[i], &endpoint) == -1 &&
		          memcmp(&endpoint, &untouched, sizeof endpoint) == 0,
		      what);
	}
	memset(longest, '1', sizeof longest);
	memcpy(longest + sizeof longest - 4, ":80", 4);
	CHECK(endpoint_parse(longest, &endpoint) == -1, "a very long number is refused");
	longest[0] = '[';
	longest[sizeof longest - 5] = ']';
	CHECK(endpoint_parse(longest, &endpoint) == -1, "in brackets, too");
}

static void test_equality(void)
{
	struct endpoint one = make4("192.0.2.1", 80), mapped = make6("::ffff:192.0.2.1", 0, 80);
	struct endpoint port = make4("192.0.2.1", 81), address = make4("192.0.2.2", 80);
	struct endpoint six = make6("2001:db8::1", 0, 80), compatible = make6("::192.0.2.1", 0, 80);

	CHECK(endpoint_equal(&one, &one), "an endpoint equals itself");
	CHECK(endpoint_equal(&one, &mapped) && endpoint_equal(&mapped, &one),
	      "an IPv4-mapped address equals the IPv4 one, either way round");
	CHECK(!endpoint_equal(&one, &port) && endpoint_same_address(&one, &port),
	      "another port: the same address, another endpoint");
	CHECK(!endpoint_equal(&one, &address) && !endpoint_same_address(&one, &address),
	      "another address");
	CHECK(!endpoint_equal(&one, &six) && !endpoint_equal(&one, &compatible),
	      "an IPv6 address that is not mapped is another");
	endpoint_set_port(&port, 80);
	CHECK(endpoint_equal(&one, &port), "a port that is set to the same");
	endpoint_set_port(&six, 65535);
	CHECK_NUMBER(endpoint_port(&six), 65535, "the port of an IPv6 endpoint can be set");
}

static void test_kinds(void)
{
	static const struct {
		const char *address;
		int six, loopback, wildcard;
	} cases[] = {
	    {"127.0.0.1", 0, 1, 0},
	    {"127.255.255.254", 0, 1, 0},
	    {"126.255.255.255", 0, 0, 0},
	    {"128.0.0.1", 0, 0, 0},
	    {"0.0.0.0", 0, 0, 1},
	    {"0.0.0.1", 0, 0, 0},
	    {"::1", 1, 1, 0},
	    {"::", 1, 0, 1},
	    {"::2", 1, 0, 0},
	    {"::ffff:127.0.0.1", 1, 1, 0},
	    {"fe80::1", 1, 0, 0},
	};
	char what[80];

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct endpoint endpoint =
		    cases[i].six ? make6(cases[i].address, 0, 9) : make4(cases[i].address, 9);
		snprintf(what, sizeof what, "%s is%s loopback", cases[i].address,
		         cases[i].loopback ? "" : " not");
		CHECK(endpoint_is_loopback(&endpoint) == (cases[i].loopback != 0), what);
		snprintf(what, sizeof what, "%s is%s wildcard", cases[i].address,
		         cases[i].wildcard ? "" : " not");
		CHECK(endpoint_is_wildcard(&endpoint) == (cases[i].wildcard != 0), what);
	}
	struct endpoint made = endpoint_loopback(AF_INET, 80), expected = make4("127.0.0.1", 80);
	CHECK(memcmp(&made, &expected, sizeof made) == 0, "loopback is made as 127.0.0.1");
	made = endpoint_loopback(AF_INET6, 80);
	expected = make6("::1", 0, 80);
	CHECK(memcmp(&made, &expected, sizeof made) == 0, "over IPv6 as ::1");
	made = endpoint_wildcard(AF_INET, 80);
	expected = make4("0.0.0.0", 80);
	CHECK(memcmp(&made, &expected, sizeof made) == 0, "the wildcard as 0.0.0.0");
}

static void test_of_socket(void)
{
	struct endpoint wanted = endpoint_loopback(AF_INET, 0), name, peer;
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int client = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(bind(listener, (const struct sockaddr *)&wanted.address, wanted.length) == 0 &&
	          listen(listener, 1) == 0 && endpoint_of_socket(listener, &name) == 0,
	      "a listener has a name");
	CHECK(endpoint_port(&name) != 0 && endpoint_is_loopback(&name), "with the port it got");
	CHECK(endpoint_of_peer(listener, &peer) == -1 && peer.length == 0, "it has no peer");
	CHECK(connect(client, (const struct sockaddr *)&name.address, name.length) == 0 &&
	          endpoint_of_peer(client, &peer) == 0 && endpoint_equal(&peer, &name),
	      "its client's peer is that name");
	(void)close(client);
	(void)close(listener);
	CHECK(endpoint_of_socket(listener, &name) == -1 && name.length == 0,
	      "a closed descriptor has no name");
}

static void test_resolve(void)
{
	struct endpoint found[4], expected = make4("192.0.2.7", 99);
	const char *reason = NULL;

	CHECK_NUMBER(endpoint_resolve("192.0.2.7", 99, AF_UNSPEC, TRANSPORT_TCP, found, 4, &reason),
	             1, "a number is one address");
	CHECK(endpoint_equal(&found[0], &expected), "with the port that was given");
	CHECK_NUMBER(endpoint_resolve("192.0.2.7", 99, AF_INET6, TRANSPORT_UDP, found, 4, &reason),
	             -1, "an IPv4 number is no IPv6 address");
	CHECK(reason != NULL && reason[0] != '\0', "and there is a reason in words");
}

int main(void)
{
	test_text();
	test_scope();
	test_nothing();
	test_refused();
	test_equality();
	test_kinds();
	test_of_socket();
	test_resolve();
	return tap_done();
}
