/* check_parse_test.c - "check": what it accepts, what it then looks for, what it refuses. */
#include "runner/check.h"

#include "tap.h"

static struct check check;
static char reason[CHECK_REASON_SIZE];

/* A text in one line, without the sign that means something in TAP. */
static const char *in_one_line(const char *text)
{
	static char line[80];

	snprintf(line, sizeof line, "'%.70s'", text);
	for (char *c = line; *c != '\0'; c++)
		*c = *c == '\n' || *c == '\t' ? ' ' : *c == '#' ? '%' : *c;
	return line;
}

static void parsed(const char *text)
{
	reason[0] = '\0';
	if (!tap_check(check_parse(text, &check, reason) == 0, in_one_line(text), __FILE__,
	               __LINE__))
		printf("# %s\n", reason);
}

static void refused(const char *text, const char *word)
{
	reason[0] = '\0';
	CHECK_NUMBER(check_parse(text, &check, reason), -1, in_one_line(text));
	if (!tap_check(strstr(reason, word) != NULL, "the reason names it", __FILE__, __LINE__))
		printf("# no '%s' in: %s\n", word, reason);
}

static void condition(size_t index, enum check_attribute attribute, enum comparison comparison,
                      const char *value)
{
	CHECK(index < check.condition_count, "there are as many conditions");
	CHECK_NUMBER(check.conditions[index].attribute, attribute, "of this attribute");
	CHECK_NUMBER(check.conditions[index].comparison, comparison, "with this comparison");
	CHECK_STRING(check.conditions[index].value, value, "and this value");
}

static void described(const char *text, const char *words)
{
	char description[400] = "";

	parsed(text);
	check_describe(&check, description, sizeof description);
	CHECK_STRING(description, words, "in words");
}

static void test_the_simplest(void)
{
	parsed("tcp");
	CHECK_NUMBER(check.transport, TRANSPORT_TCP, "TCP");
	CHECK_NUMBER(check.condition_count, 0, "no condition");
	CHECK_NUMBER(check.comparison, GREATER_EQUAL, "where nothing is said: at least");
	CHECK_NUMBER(check.number, 1, "one");
	CHECK_NUMBER(check.distinct, CHECK_ATTRIBUTES, "nothing must be distinct");
	CHECK_STRING(check.setting, "", "no setting");
	CHECK_STRING(check.next_step, "", "no words");
	parsed("udp");
	CHECK_NUMBER(check.transport, TRANSPORT_UDP, "UDP");
}

static void test_conditions(void)
{
	parsed("tcp state=ESTABLISHED remote-port=3306 count>=3 distinct local-port>=2\n"
	       "     Open three  connections,\n\tall at once. ");
	CHECK_NUMBER(check.condition_count, 2, "two conditions");
	condition(0, CHECK_STATE, EQUAL, "ESTABLISHED");
	condition(1, CHECK_REMOTE_PORT, EQUAL, "3306");
	CHECK_NUMBER(check.comparison, GREATER_EQUAL, "at least");
	CHECK_NUMBER(check.number, 3, "three");
	CHECK_NUMBER(check.distinct, CHECK_LOCAL_PORT, "different local ports");
	CHECK_NUMBER(check.distinct_comparison, GREATER_EQUAL, "at least");
	CHECK_NUMBER(check.distinct_number, 2, "two");
	CHECK_STRING(check.next_step, "Open three connections, all at once.",
	             "the lines below, with single blanks");

	parsed("udp local-port!=1024-49151 remote-port<1024 local-address=127.0.0.2 "
	       "remote-address!=any program=server capability=no count=0");
	CHECK_NUMBER(check.condition_count, 6, "six conditions");
	condition(0, CHECK_LOCAL_PORT, NOT_EQUAL, "1024-49151");
	condition(1, CHECK_REMOTE_PORT, LESS, "1024");
	condition(2, CHECK_LOCAL_ADDRESS, EQUAL, "127.0.0.2");
	condition(3, CHECK_REMOTE_ADDRESS, NOT_EQUAL, "any");
	condition(4, CHECK_PROGRAM, EQUAL, "server");
	condition(5, CHECK_CAPABILITY, EQUAL, "no");
	CHECK_NUMBER(check.comparison, EQUAL, "exactly");
	CHECK_NUMBER(check.number, 0, "none");

	parsed("tcp threads=1 threads>=4 count=3 distinct process=1");
	CHECK_NUMBER(check.condition_count, 2, "two conditions");
	condition(0, CHECK_THREADS, EQUAL, "1");
	condition(1, CHECK_THREADS, GREATER_EQUAL, "4");
	CHECK_NUMBER(check.distinct, CHECK_PROCESS, "different processes");
	CHECK_NUMBER(check.distinct_comparison, EQUAL, "exactly");
	CHECK_NUMBER(check.distinct_number, 1, "one");

	parsed("tcp state!=listen local-port=system");
	condition(0, CHECK_STATE, NOT_EQUAL, "listen");
	condition(1, CHECK_LOCAL_PORT, EQUAL, "system");
	parsed("tcp local-port<=80 remote-port>=80 local-port>80 local-port=kernel-range "
	       "remote-port!=dynamic program!=nc local-address=::1 capability=yes");
	CHECK_NUMBER(check.condition_count, CHECK_CONDITIONS_MOST, "as many as there may be");
	condition(0, CHECK_LOCAL_PORT, LESS_EQUAL, "80");
	condition(1, CHECK_REMOTE_PORT, GREATER_EQUAL, "80");
	condition(2, CHECK_LOCAL_PORT, GREATER, "80");
	condition(6, CHECK_LOCAL_ADDRESS, EQUAL, "::1");
}

static void test_settings(void)
{
	parsed("sysctl net.ipv4.ip_unprivileged_port_start<=80\n Lower it.");
	CHECK_STRING(check.setting, "net.ipv4.ip_unprivileged_port_start", "the setting's name");
	CHECK_NUMBER(check.comparison, LESS_EQUAL, "at most");
	CHECK_NUMBER(check.number, 80, "80");
	CHECK_STRING(check.next_step, "Lower it.", "what to do");
	refused("sysctl", "sysctl");
	refused("sysctl net.ipv4.x", "net.ipv4.x");
	refused("sysctl net.ipv4.x=y", "net.ipv4.x=y");
	refused("sysctl net.ipv4.x=1 2", "'2'");
	refused("sysctl =1", "=1");
	/* A setting's name is no way to other files. */
	refused("sysctl ../../etc/passwd=1", "passwd");
	refused("sysctl net..ipv4=1", "net..ipv4");
	refused("sysctl net/ipv4/x=1", "net/ipv4");
	refused("sysctl /etc/x=1", "/etc/x");
	refused("sysctl Net.ipv4.x=1", "Net");
}

static void test_mistakes(void)
{
	char text[400] = "tcp local-port=";

	refused("", "tcp, udp or sysctl");
	refused("\n Words without a check.", "Words");
	refused("TCP state=LISTEN", "'TCP'");
	refused("sctp state=LISTEN", "'sctp'");
	refused("state=LISTEN tcp", "'state=LISTEN'");
	refused("tcp LISTEN", "'LISTEN'");
	refused("tcp state", "'state'");
	refused("tcp state=", "'state='");
	refused("tcp =LISTEN", "'=LISTEN'");
	refused("tcp state==LISTEN", "state==LISTEN");
	refused("tcp state = LISTEN", "'state'");
	refused("tcp state=WAITING", "state=WAITING");
	refused("tcp state<LISTEN", "state<LISTEN");
	refused("tcp port=80", "'port'");
	refused("tcp Local-port=80", "'Local-port'");
	refused("tcp local-port=65536", "65536");
	refused("tcp local-port=-1", "-1");
	refused("tcp local-port=http", "http");
	refused("tcp local-port=90-80", "90-80");
	refused("tcp local-port<1-10", "1-10");
	refused("tcp local-port<system", "system");
	refused("tcp local-address=localhost", "localhost");
	refused("tcp local-address=127.0.0.1:80", "127.0.0.1:80");
	refused("tcp local-address=127.0.0.256", "256");
	refused("tcp local-address>127.0.0.1", "127.0.0.1");
	refused("tcp program<server", "program<server");
	refused("tcp capability=maybe", "maybe");
	refused("tcp capability!=yes", "capability!=yes");
	refused("tcp threads=", "threads=");
	refused("tcp threads=many", "threads=many");
	refused("tcp threads=-1", "threads=-1");
	refused("tcp threads=1.5", "threads=1.5");
	/* A pid is known to nobody who writes a page. */
	refused("tcp process=1", "process=1");
	refused("tcp process!=1", "process!=1");
	refused("tcp distinct process", "process");
	refused("tcp distinct processes=1", "processes");
	refused("tcp count=", "count=");
	refused("tcp count>=many", "many");
	refused("tcp count>=-1", "-1");
	refused("tcp count>=99999999999", "99999999999");
	refused("tcp distinct", "distinct");
	refused("tcp distinct local-port", "local-port");
	refused("tcp distinct local-port>=x", "local-port>=x");
	refused("tcp distinct colour>=2", "colour");
	refused("tcp local-port=1 local-port=2 local-port=3 local-port=4 local-port=5 local-port=6 "
	        "local-port=7 local-port=8 local-port=9",
	        "local-port=9");
	memset(text + strlen(text), '1', 100);
	refused(text, "local-port=111");
	memset(text, 'x', 300);
	refused(text, "too long");
}

static void test_words(void)
{
	described("tcp", "at least 1 TCP socket");
	described("tcp state=LISTEN local-port=3306",
	          "at least 1 TCP socket with state LISTEN, local port 3306");
	described("udp local-port=80 count=2", "exactly 2 UDP sockets with local port 80");
	described("tcp remote-port<1024 count<=3",
	          "at most 3 TCP sockets with remote port below 1024");
	described(
	    "tcp local-port!=80 distinct remote-port>=2",
	    "at least 1 TCP socket with local port not 80, and among them at least 2 different "
	    "values of the remote port");
	described("tcp threads<=2 distinct process=1",
	          "at least 1 TCP socket with the process's threads at most 2, and among them "
	          "exactly 1 different value of the process");
	described("sysctl net.ipv4.ip_unprivileged_port_start<=80",
	          "the setting net.ipv4.ip_unprivileged_port_start to be at most 80");
}

/* Text of a worksheet may be long; what is kept of it ends where there is no room. */
static void test_long_words(void)
{
	char text[1000] = "tcp\n";

	memset(text + 4, 'x', sizeof text - 5);
	text[sizeof text - 1] = '\0';
	parsed(text);
	CHECK(strlen(check.next_step) < sizeof check.next_step, "long words are cut, not overrun");
}

int main(void)
{
	test_the_simplest();
	test_conditions();
	test_settings();
	test_mistakes();
	test_words();
	test_long_words();
	return tap_done();
}
