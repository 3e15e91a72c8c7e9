/*
 * shell.c - lab shell: a shell in the private network. The first one makes the network, the
 * others join it, the last one out removes it.
 */
#include "instruments/print.h"
#include "instruments/sandbox.h"
#include "kit/machine.h"
#include "kit/narrate.h"
#include "kit/options.h"
#include "runner/guardian.h"
#include "runner/page.h"
#include "runner/shared_network.h"
#include "runner/surroundings.h"
#include "subcommand.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help_text[] =
    "usage: lab shell [--admin] [-- COMMAND ...]\n"
    "A shell in a private network: every port is free there, and nobody is disturbed. All\n"
    "lab shells of an account share one network; the last one out removes it.\n"
    "\n"
    "  --admin        as root of this network, with no new power over anything else\n"
    "  -- COMMAND     run that instead of a shell\n"
    "\n"
    "  lab shell                    in one window: server 80 is refused there\n"
    "  lab shell --admin            in another: the same network, with all power over it\n";

/* A plain prompt that says where one is; start-up files could hide it. */
static void run_shell(bool admin)
{
	const char *shell = getenv("SHELL");
	const char *name = shell != NULL ? strrchr(shell, '/') : NULL;

	(void)setenv("PS1", admin ? "lab-admin# " : "lab$ ", 1);
	if (name != NULL && strcmp(name, "/bash") == 0)
		(void)execl(shell, "bash", "--norc", "--noprofile", "-i", (char *)NULL);
	else if (name != NULL && strcmp(name, "/zsh") == 0)
		(void)execl(shell, "zsh", "-f", "-i", (char *)NULL);
	else if (name != NULL && strcmp(name, "/fish") == 0)
		(void)execl(shell, "fish", (char *)NULL);
	(void)unsetenv("ENV");
	(void)execl("/bin/sh", "sh", "-i", (char *)NULL);
}

struct call {
	bool admin;
	char **command; /* or NULL */
	struct surroundings place;
};

static void child(const struct call *call)
{
	struct sandbox_refusal refusal;
	bool was_root = sandbox_by_root();

	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGQUIT, SIG_DFL);
	(void)signal(SIGPIPE, SIG_DFL); /* ignored here; what is ignored stays so in a command */
	(void)signal(SIGXFSZ, SIG_DFL);
	if (sandbox_enter(&call->place.sandbox, call->admin ? SANDBOX_ADMIN : SANDBOX_ORDINARY,
	                  &refusal) == -1) {
		complain("cannot enter the private network: %s: %s", refusal.call,
		         strerror(refusal.error));
		_exit(EXIT_FAILURE);
	}
	/* Root's own directory may be closed to the account that it has become. */
	if (was_root && !call->admin && call->place.sandbox.admin_fd == -1 &&
	    (chdir(call->place.directory) == -1 || setenv("HOME", call->place.directory, 1) == -1 ||
	     unsetenv("XDG_STATE_HOME") == -1))
		complain("cannot go to %s: %s", call->place.directory, strerror(errno));
	terminal_prepare_program(&call->place);
	if (call->command == NULL)
		run_shell(call->admin);
	else
		(void)execvp(call->command[0], call->command);
	complain("cannot run %s: %s", call->command == NULL ? "a shell" : call->command[0],
	         strerror(errno));
	_exit(127);
}

/* Until the child ends, or a signal asks to end. Returns the exit status. */
static int wait_for(pid_t pid, const sigset_t *signals)
{
	int status = 0, number = SIGCHLD;

	while (waitpid(pid, &status, WNOHANG) != pid)
		if (sigwait(signals, &number) == 0 && number != SIGCHLD)
			return 128 + number;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void greet(const struct call *call, bool fresh)
{
	if (call->command != NULL)
		return;
	page_prepare(NARRATE_COLOR_AUTO);
	page_text(fresh ? "You are in a private network. Every port is free here."
	                : "You have joined the private network that another window opened.",
	          "");
	page_text(!call->admin ? "You are an ordinary account here."
	          : call->place.sandbox.admin_fd != -1
	              ? "You are root of this network, and of nothing else."
	              : "You are root of this network, and of the whole machine as before.",
	          "");
	page_text("`server`, `client` and `lab` are found. Another window joins with `lab shell`; "
	          "`exit` leaves.",
	          "");
	(void)fflush(stdout);
}

static int refuse(const struct sandbox_refusal *refusal)
{
	const char *why, *advice;

	sandbox_reason(refusal, &why, &advice);
	complain("this system allows no private network: %s: %s", refusal->call,
	         strerror(refusal->error));
	fprintf(stderr, "  why  %s\n  try  %s\n", why, advice);
	fprintf(stderr, "       server, client and the looking subcommands work without\n");
	return EXIT_SKIPPED;
}

/* In the worker: joins, starts the shell, and waits for its end. */
static int visit(struct call *call)
{
	struct sandbox_refusal refusal = {NULL, 0};
	struct sandbox network;
	sigset_t signals, before;
	bool fresh = false;

	if (surroundings_make(&call->place, NETWORK_HOST, &refusal) == -1) {
		complain("cannot make a directory: %s", strerror(refusal.error));
		return EXIT_FAILURE;
	}
	if (shared_network_join(&network, &fresh, &refusal) == -1)
		return refusal.call != NULL ? refuse(&refusal) : EXIT_FAILURE;
	call->place.sandbox = network;
	greet(call, fresh);
	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGCHLD);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &signals, &before);
	(void)signal(SIGINT, SIG_IGN); /* for the shell's own programs */
	(void)signal(SIGQUIT, SIG_IGN);
	pid_t pid = fork();
	if (pid == 0) {
		(void)sigprocmask(SIG_SETMASK, &before, NULL);
		child(call);
	}
	if (pid == -1 || shared_network_settle(&network, &refusal) == -1) {
		complain("cannot start a shell: %s", strerror(pid == -1 ? errno : refusal.error));
		guardian_end_all();
		return EXIT_FAILURE;
	}
	guardian_watch_again();
	int status = wait_for(pid, &signals);
	guardian_end_all();
	bool others = shared_network_leave();
	if (call->command == NULL)
		print("You have left the private network. %s\n",
		      others ? "It stays: another window is still in it." : "It is gone.");
	return status;
}

static int run(int argc, char **argv)
{
	enum { OPTION_ADMIN = 256 };
	static const struct option long_options[] = {
	    {"admin", no_argument, NULL, OPTION_ADMIN},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	struct call call = {.admin = false};
	int option;

	while ((option = options_next(argc, argv, "h", long_options)) != -1) {
		if (option == 'h')
			return options_help(help_text);
		if (option != OPTION_ADMIN)
			return EXIT_USAGE;
		call.admin = true;
	}
	call.command = optind < argc ? argv + optind : NULL;
	if (machine_in_lab_network()) {
		complain("you are in the private network already; for another shell in it open another "
		         "window");
		return EXIT_FAILURE;
	}
	if (call.command == NULL && isatty(STDIN_FILENO) != 1) {
		complain("lab shell needs a terminal; for one command: lab shell -- COMMAND");
		return EXIT_USAGE;
	}
	if (surroundings_prepare() == -1)
		return EXIT_FAILURE;
	if (guardian_begin(surroundings_remove, NULL) == -1) {
		complain("cannot start: %s", strerror(errno));
		return EXIT_FAILURE;
	}
	int status = visit(&call);
	surroundings_remove(NULL);
	(void)narrate_finish();
	_exit(status);
}

const struct subcommand subcommand_shell = {
    "shell", "[--admin]", "a shell in a private network: every port is free", help_text, run};
