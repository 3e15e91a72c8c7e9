# portlab. "make help" lists what can be made.

VERSION = 0.1.0

BUILD = build
BIN = bin
PREFIX = /usr/local
DESTDIR =
PLATFORM = $(if $(filter Linux,$(shell uname -s)),linux,posix)
SANITIZE =

# Warnings stand in a variable of their own, so that "make CFLAGS=-O0" still warns.
WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wformat=2 \
	-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wundef -Wvla \
	-Wcast-qual -Wcast-align -Wpointer-arith -Wwrite-strings
CFLAGS = -O2 -g
HARDENING = -fstack-protector-strong -fPIE $(if $(SANITIZE),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
RELRO = $(if $(filter linux,$(PLATFORM)),-Wl$(comma)-z$(comma)relro$(comma)-z$(comma)now)
comma = ,

override CPPFLAGS += -D_POSIX_C_SOURCE=200809L -DPORTLAB_VERSION='"$(VERSION)"' -Ilab -I$(BUILD)
override CFLAGS += -std=c11 $(WARNINGS) $(HARDENING) -pthread
override LDFLAGS += -pie $(RELRO) -pthread
ifneq ($(SANITIZE),)
override CFLAGS += -fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all
override LDFLAGS += -fsanitize=$(SANITIZE)
endif
# musl's own headers come first; the kernel's (linux/*.h), which it lacks, after them.
ifneq ($(findstring musl,$(CC)),)
override CPPFLAGS += -idirafter /usr/include -idirafter /usr/include/$(shell gcc -print-multiarch)
endif

# Files named *_linux.c or *_posix.c are twins: one of each pair is built.
OTHER_PLATFORM = $(if $(filter linux,$(PLATFORM)),posix,linux)
sources = $(filter-out %_$(OTHER_PLATFORM).c,$(wildcard $(1)/*.c))
objects = $(patsubst %.c,$(BUILD)/%.o,$(call sources,$(1)))

KIT = $(BUILD)/libkit.a
LAB = $(BUILD)/liblab.a
PROGRAMS = $(BIN)/server $(BIN)/client $(BIN)/lab
UNIT_TESTS = $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/*_test.c)) \
	$(BUILD)/unit/replay_test
# What tests need beside Bats: clients honest and hostile; each call made to fail.
CROWD = $(BUILD)/support/crowd
FAULT_TOOLS = $(if $(filter linux,$(PLATFORM)),$(BUILD)/support/walk $(BUILD)/support/interposer.so)
# Each target has a directory there; FUZZ_SECONDS for each: twenty minutes,
# which are ten of processor time on a machine that has other work, too.
FUZZ_TARGETS = $(notdir $(wildcard tests/fuzz/corpus/*))
FUZZ_SECONDS = 60
FUZZ_OBJECTS = $(filter-out $(1)/tests/fuzz/fuzz.o $(1)/tests/fuzz/replay_test.o, \
	$(patsubst $(BUILD)/%,$(1)/%,$(call objects,tests/fuzz)))

# make V=1 shows the whole commands.
say = $(if $(V),,@echo '  $(1)' '$@';)

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all demo test faults fuzz bench models survival soak unit install uninstall clean \
	help FORCE

all: $(PROGRAMS) ## build bin/server, bin/client and bin/lab

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo 'PLATFORM=posix            without any Linux-only file'
	@echo 'SANITIZE=address,undefined, or =thread'
	@echo 'V=1  CC=clang  CFLAGS=-O0  PREFIX=/usr  DESTDIR=/tmp/stage  BUILD=build/x BIN=build/x/bin'

$(BIN)/server: $(call objects,server) $(KIT)
$(BIN)/client: $(call objects,client) $(KIT)
$(BIN)/lab: $(call objects,lab) $(LAB) $(KIT)
$(PROGRAMS):
	@mkdir -p $(@D)
	$(call say,link)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

$(KIT): $(call objects,lab/kit)
$(LAB): $(call objects,lab/instruments) $(call objects,lab/wire) $(call objects,lab/runner)
$(KIT) $(LAB):
	@rm -f $@
	$(call say,ar  )$(AR) rc $@ $^

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,cc  )$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/lab/kit/registry.o: $(BUILD)/iana_ports.inc
$(BUILD)/iana_ports.inc: lab/kit/iana-ports.awk lab/kit/iana-ports.tsv
	@mkdir -p $(@D)
	$(call say,awk )awk -f lab/kit/iana-ports.awk lab/kit/iana-ports.tsv > $@

# Another compiler or other flags: everything is built again.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(subst ','\'',$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) $(PLATFORM))' > $@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

unit: $(UNIT_TESTS)
$(BUILD)/unit/%: $(BUILD)/tests/unit/%.o $(LAB) $(KIT)
	@mkdir -p $(@D)
	$(call say,link)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

DEMO_PAUSE = 2.5
demo: all ## the whole story in one terminal (DEMO_PAUSE=0: without pauses)
	@$(BIN)/lab run --demo --pause $(DEMO_PAUSE) 0

test: all unit $(CROWD) $(FAULT_TOOLS) ## every test; STRICT=1: a skipped test is a failure
	@BIN=$(BIN) BUILD=$(BUILD) PLATFORM=$(PLATFORM) sh tests/run.sh

# The clients, honest and hostile, of tests/survival.bats.
$(CROWD): $(BUILD)/tests/support/crowd.o
	@mkdir -p $(@D)
	$(call say,link)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

# Stands before the C library in any build: without a sanitizer, and without _FORTIFY_SOURCE.
TOOL_FLAGS = -std=c11 -O2 -g $(WARNINGS)
$(BUILD)/support/interposer.so: tests/support/interposer.c tests/support/interposer.h $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,link)$(CC) $(TOOL_FLAGS) -fPIC -shared -o $@ $< -ldl
$(BUILD)/support/walk: tests/support/walk.c tests/support/interposer.h $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,link)$(CC) $(TOOL_FLAGS) -o $@ $<

$(BUILD)/unit/replay_test: $(BUILD)/tests/fuzz/replay_test.o $(call FUZZ_OBJECTS,$(BUILD)) \
		$(LAB) $(KIT)
	@mkdir -p $(@D)
	$(call say,link)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

# In a build of its own: libFuzzer watches which code an input reaches.
fuzz: ## all parsers under libFuzzer (clang), FUZZ_SECONDS=60 for each
	@$(MAKE) --no-print-directory CC=clang BUILD=build/fuzz BIN=build/fuzz/bin \
		SANITIZE=fuzzer-no-link,address,undefined build/fuzz/libkit.a build/fuzz/liblab.a \
		$(call FUZZ_OBJECTS,build/fuzz)
	@for target in $(FUZZ_TARGETS); do \
		mkdir -p build/fuzz/new/$$target && \
		clang -std=c11 -g -DTARGET=$$target -fsanitize=fuzzer,address,undefined -pthread \
			-o build/fuzz/$$target tests/fuzz/fuzz.c $(call FUZZ_OBJECTS,build/fuzz) \
			build/fuzz/liblab.a build/fuzz/libkit.a && \
		build/fuzz/$$target -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 \
			-verbosity=0 -print_final_stats=1 -artifact_prefix=build/fuzz/$$target- \
			build/fuzz/new/$$target tests/fuzz/corpus/$$target || exit 1; \
	done

bench: all ## measure against bare loops, as ratios (Linux; a few minutes)
	@BIN=$(BIN) BUILD=$(BUILD) CC='$(CC)' bash tests/bench/pair.sh
	@BIN=$(BIN) BUILD=$(BUILD) CC='$(CC)' bash tests/bench/lab.sh

models: all ## measure the serving models beside each other (Linux; a minute)
	@BIN=$(BIN) BUILD=$(BUILD) CC='$(CC)' bash tests/bench/models.sh

faults: all $(FAULT_TOOLS) ## every error path: each call fails with each of its errors (Linux)
	@BIN=$(BIN) BUILD=$(BUILD) bash tests/support/faults.sh

survival: all $(CROWD) ## what the server survives, in figures (Linux; two minutes at most)
	@BIN=$(BIN) BUILD=$(BUILD) bash tests/bench/survival.sh

soak: all ## twenty minutes of clients for each model: nothing may grow (SOAK_SECONDS=1200)
	@BIN=$(BIN) BUILD=$(BUILD) bash tests/bench/soak.sh

# The exercises say "server"; where that name is installed, it must not be in everybody's way.
SHORT_NAMES = $(DESTDIR)$(PREFIX)/libexec/portlab
EXERCISES = $(DESTDIR)$(PREFIX)/share/portlab/exercises

install: all ## programs, man pages and exercises under DESTDIR and PREFIX
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1
	install -d $(SHORT_NAMES) $(EXERCISES)
	install -m 755 $(BIN)/server $(DESTDIR)$(PREFIX)/bin/portlab-server
	install -m 755 $(BIN)/client $(DESTDIR)$(PREFIX)/bin/portlab-client
	install -m 755 $(BIN)/lab $(DESTDIR)$(PREFIX)/bin/portlab
	install -m 644 server/server.1 $(DESTDIR)$(PREFIX)/share/man/man1/portlab-server.1
	install -m 644 client/client.1 $(DESTDIR)$(PREFIX)/share/man/man1/portlab-client.1
	install -m 644 lab/lab.1 $(DESTDIR)$(PREFIX)/share/man/man1/portlab.1
	ln -sf ../../bin/portlab-server $(SHORT_NAMES)/server
	ln -sf ../../bin/portlab-client $(SHORT_NAMES)/client
	ln -sf ../../bin/portlab $(SHORT_NAMES)/lab
	install -m 644 lab/exercises/*.md $(EXERCISES)

uninstall: ## take them away again
	rm -rf $(SHORT_NAMES) $(DESTDIR)$(PREFIX)/share/portlab
	rm -f $(DESTDIR)$(PREFIX)/bin/portlab-server $(DESTDIR)$(PREFIX)/bin/portlab-client
	rm -f $(DESTDIR)$(PREFIX)/bin/portlab $(DESTDIR)$(PREFIX)/share/man/man1/portlab.1
	rm -f $(DESTDIR)$(PREFIX)/share/man/man1/portlab-server.1
	rm -f $(DESTDIR)$(PREFIX)/share/man/man1/portlab-client.1

clean: ## remove everything that was built
	rm -rf $(BUILD) $(BIN)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
