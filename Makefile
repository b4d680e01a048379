# trailfs.  `make help` lists the targets.  Set CFLAGS, LDFLAGS, PREFIX, SBINDIR,
# DESTDIR and BUILD (the directory of all built files) as you like.  WERROR=1 turns
# warnings into errors, V=1 shows the commands.

CFLAGS ?= -O2 -g
PREFIX ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
BUILD ?= build
PROGRAMS ?= $(abspath $(BUILD))
PKG_CONFIG ?= pkg-config

.DELETE_ON_ERROR:
.SUFFIXES:
Q := $(if $(V),,@)
comma := ,
say = $(if $(V),,@echo '  $(1)')

# _FORTIFY_SOURCE needs an optimising compiler and does not go with sanitizers.
level := $(lastword $(filter -O%,$(CFLAGS)))
fortify := $(if $(filter-out -O0,$(level)),$(if \
	$(findstring -fsanitize,$(CFLAGS)),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2))
compile := $(CC) -std=c17 -D_GNU_SOURCE -I. -Wall -Wextra \
	$(if $(WERROR),-Werror) -pthread -fPIE -fstack-protector-strong \
	$(fortify) $(if $(MUTANT),-DTF_MUTANT=TF_$(MUTANT)) $(CPPFLAGS) $(CFLAGS)
link := $(CC) $(CFLAGS) -pthread -pie -Wl,-z,relro,-z,now $(LDFLAGS)

# Expanded only where needed, so that the other targets work without them.
fuse_cflags = -DFUSE_USE_VERSION=314 $(shell $(PKG_CONFIG) --cflags fuse3)
fuse_libs = $(shell $(PKG_CONFIG) --libs fuse3)
check_cflags = $(shell $(PKG_CONFIG) --cflags check)
check_libs = $(shell $(PKG_CONFIG) --libs check)
archive_cflags = $(shell $(PKG_CONFIG) --cflags libarchive)
archive_libs = $(shell $(PKG_CONFIG) --libs libarchive)

# --- programs and tests -------------------------------------------------

rooms := anchor org find package audit archive view vault seal commit sign node store \
	crypt terminal ledger base	# in the order of linking
archives := $(rooms:%=$(BUILD)/libtf-%.a)
programs := $(BUILD)/trailfs $(BUILD)/trailctl $(BUILD)/trailfs-signer
tests := $(addprefix $(BUILD)/,test-mount test-nomem test-unit test-faults \
	test-bitflip test-org)
model := $(BUILD)/test-model
suites := $(wildcard tests/shell/*.sh)
wire := $(BUILD)/mirror-wire
attack := $(BUILD)/attack
# Of the tests of engines: tests/org.
org_rig := $(addprefix $(BUILD)/org-,writers proxy blobs)
org_suites := $(filter-out $(addprefix tests/org/,bucket.sh ceph.sh \
	postgresql.sh),$(wildcard tests/org/*.sh))
benches := $(addprefix $(BUILD)/bench-,ledger files limits waits org audit)
# Each file is one fuzz target; driver.c replays the kept corpus.
fuzz_names := $(filter-out driver,$(basename $(notdir $(wildcard \
	tests/fuzz/*.c))))
fuzzers := $(fuzz_names:%=$(BUILD)/fuzz-%)
objects = $(patsubst %.c,$(BUILD)/%.o,$(wildcard $(1)/*.c))
all_objects := $(foreach d,$(rooms:%=core/%) fs tools tools/signer tests/unit tests/mount \
	tests/model tests/faults tests/bench tests/fuzz tests/bitflip \
	tests/nomem tests/attack tests/org tests/org/rig,\
	$(call objects,$(d)))
manuals := $(wildcard man/*.[1-9])
# Engines of organisations (core/org/engine.h): each is built if its library is
# there, and only it is linked with the library.
library_postgresql := libpq
library_s3 := libcurl expat
engines := $(foreach e,postgresql s3,$(if $(wildcard core/$(e)/*.c),$(shell \
	$(PKG_CONFIG) --exists $(library_$(e)) 2>/dev/null && echo $(e))))
plugins := $(engines:%=$(BUILD)/trailfs-%.so)

all: $(programs) $(plugins) ## build trailfs, trailctl and trailfs-signer (the default)

$(foreach r,$(rooms),$(eval \
	$(BUILD)/libtf-$(r).a: $(call objects,core/$(r))))
$(BUILD)/trailfs: $(call objects,fs) $(archives)
$(BUILD)/trailctl: $(call objects,tools) $(archives)
$(BUILD)/trailfs-signer: $(call objects,tools/signer) $(archives)
$(BUILD)/test-unit: $(call objects,tests/unit) \
	$(BUILD)/tests/bitflip/store.o $(archives)
$(BUILD)/test-mount: $(filter-out %/slow_names.o,\
	$(call objects,tests/mount)) \
	$(addprefix $(BUILD)/fs/,sandbox.o landlock.o seccomp.o) $(archives)
$(BUILD)/test-faults: $(filter-out %/shim.o,\
	$(call objects,tests/faults)) \
	$(patsubst %.c,$(BUILD)/%.o,$(wildcard \
	tests/mount/harness*.c)) $(archives)
$(BUILD)/test-bitflip: $(call objects,tests/bitflip) $(archives)
$(BUILD)/test-nomem: $(call objects,tests/nomem) \
	$(BUILD)/tests/bitflip/store.o $(archives)
# It loads the plug-ins from beside itself.
$(BUILD)/test-org: $(call objects,tests/org) $(archives) | $(plugins)
$(attack): $(call objects,tests/attack) $(BUILD)/libtf-base.a
$(org_rig): $(BUILD)/org-%: $(BUILD)/tests/org/rig/%.o $(archives)
# The model shares no code with the vault that it checks.
$(model): $(call objects,tests/model)
$(benches): $(BUILD)/bench-%: $(BUILD)/tests/bench/%.o $(archives)
# FUZZER=1, with clang: libFuzzer replaces the driver.
$(fuzzers): $(BUILD)/fuzz-%: $(BUILD)/tests/fuzz/%.o $(archives) \
	$(if $(FUZZER),,$(BUILD)/tests/fuzz/driver.o)
$(BUILD)/fuzz-fuse: $(filter-out %/main.o,$(call objects,fs))
$(BUILD)/fuzz-router: $(addprefix $(BUILD)/fs/,router_message.o router_ids.o)
# What needs no libcurl.
$(BUILD)/fuzz-s3: $(addprefix $(BUILD)/core/s3/,answer_xml.o target.o)

$(BUILD)/trailfs: libs = $(fuse_libs)
$(BUILD)/trailctl: libs = $(archive_libs)
$(tests): libs = $(check_libs)
$(BUILD)/bench-limits: libs = $(fuse_libs)
$(BUILD)/test-unit: libs += $(patsubst %,-Wl$(comma)--wrap=%,clock_gettime \
	getpwuid_r getgrgid_r pthread_create free realloc)
$(BUILD)/test-nomem: libs = $(patsubst %,-Wl$(comma)--wrap=%,malloc calloc \
	realloc reallocarray strdup strndup sqlite3_step)
$(fuzzers): libs = $(if $(FUZZER),-fsanitize=fuzzer)
$(BUILD)/fuzz-fuse: libs += $(fuse_libs)
$(BUILD)/fs/%.o: extra = $(fuse_cflags)
$(BUILD)/tools/import_archive.o: extra = $(archive_cflags)
$(BUILD)/tests/%.o: extra = $(check_cflags) \
	-DTF_VECTORS='"$(CURDIR)/tests/vectors"' \
	-DTF_TSA='"$(CURDIR)/tests/tsa"' \
	-DTF_CCTV_AGE='"$(CURDIR)/build/cctv-age/index.js"' \
	-DTF_TRACES='"$(CURDIR)/tests/model/regressions"' \
	-DTRAILFS='"$(PROGRAMS)/trailfs"' \
	-DTRAILCTL='"$(PROGRAMS)/trailctl"' \
	-DFAULTS_SHIM='"$(abspath $(BUILD))/shim.so"' \
	-DSLOW_NAMES='"$(abspath $(BUILD))/slow_names.so"'
$(BUILD)/tests/fuzz/%.o: extra = -DTF_VECTORS='"$(CURDIR)/tests/vectors"' \
	-DTF_CORPUS='"$(CURDIR)/tests/fuzz/corpus"' \
	-DTF_PACKAGES='"$(CURDIR)/tests/packages"'
$(BUILD)/tests/fuzz/fuse.o $(BUILD)/tests/bench/limits.o: extra += $(fuse_cflags)
# A plug-in has its own copy of what it needs of core/base, all of it hidden.
pic_objects = $(patsubst %.c,$(BUILD)/pic/%.o,$(wildcard $(1)/*.c))
$(BUILD)/pic/libtf-base.a: $(call pic_objects,core/base)
	$(call say,AR $@)
	$(Q)mkdir -p $(@D) && rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)
$(foreach e,postgresql s3,$(eval $(BUILD)/trailfs-$(e).so: \
	$(call pic_objects,core/$(e)) $(BUILD)/pic/libtf-base.a))
$(foreach e,$(engines),$(eval $(BUILD)/pic/core/$(e)/%.o: \
	extra = $(shell $(PKG_CONFIG) --cflags $(library_$(e)))))
$(plugins): $(BUILD)/trailfs-%.so:
	$(call say,LD $@)
	$(Q)$(CC) $(CFLAGS) -pthread -shared -Wl,-z,relro,-z,now,-z,defs \
		-Wl,--exclude-libs,ALL $(LDFLAGS) -o $@ $(filter %.o,$^) \
		$(filter %.a,$^) $(shell $(PKG_CONFIG) --libs $(library_$*)) \
		-lcrypto
$(BUILD)/pic/%.o: %.c $(BUILD)/flags
	$(Q)mkdir -p $(@D)
	$(Q)$(compile) -fPIC -fvisibility=hidden $(extra) -MMD -MP -c -o $@ $<

# These tests start the programs; the fault tests load shim.so into them.
$(BUILD)/test-mount $(BUILD)/test-faults $(model): | $(programs) \
	$(BUILD)/shim.so $(BUILD)/slow_names.so

# Preloaded libraries are built without sanitizers, whatever CFLAGS says.
$(wire): tests/mirror/wire.c $(BUILD)/flags
	$(call say,LD $@)
	$(Q)mkdir -p $(@D)
	$(Q)$(compile) -o $@ $< $(LDFLAGS)

$(BUILD)/shim.so: tests/faults/shim.c tests/faults/fault.h
$(BUILD)/beneath.so: tests/memcheck/beneath.c
$(BUILD)/slow_names.so: tests/mount/slow_names.c
$(BUILD)/shim.so $(BUILD)/beneath.so $(BUILD)/slow_names.so:
	$(call say,LD $@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=c17 -D_GNU_SOURCE -Wall -Wextra $(if $(WERROR),-Werror) \
		-O2 -fPIC -shared -o $@ $<

$(archives):
	$(call say,AR $@)
	$(Q)mkdir -p $(@D) && rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)

$(programs) $(tests) $(model) $(attack) $(org_rig) $(benches) $(fuzzers):
	$(call say,LD $@)
	$(Q)$(link) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(libs) -lsqlite3 \
		-lzip -lz -lutf8proc -lyaml -lexpat -lcrypto

$(BUILD)/%.o: %.c $(BUILD)/flags
	$(Q)mkdir -p $(@D)
	$(Q)$(compile) $(extra) -MMD -MP -c -o $@ $<

# Texts that are compiled into the programs.
$(BUILD)/core/archive/description.o: core/archive/package-VERIFY.txt \
	core/archive/package-verify.sh core/archive/package-verify.ps1
$(BUILD)/core/view/page.o: core/view/page.js core/view/page.css
$(BUILD)/core/terminal/player.o: core/terminal/player.js \
	core/terminal/player.css
$(BUILD)/pic/core/postgresql/ledger.o: core/postgresql/organisation.sql

# Changed flags rebuild all objects.
flags := $(compile) $(link)
ifneq ($(flags),$(file <$(BUILD)/flags))
.PHONY: $(BUILD)/flags
endif
$(BUILD)/flags:
	$(Q)mkdir -p $(@D)
	$(Q)printf '%s\n' '$(subst ','\'',$(flags))' >$@

-include $(all_objects:.o=.d) $(patsubst %.o,%.d,$(foreach d,base \
	$(engines),$(call pic_objects,core/$(d))))

# --- checking -----------------------------------------------------------

test: ## install what is missing, build, run all tests
	$(Q).ci/setup test
	$(Q).ci/setup org
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) all test-programs
	$(Q)$(MAKE) --no-print-directory check

check: all test-programs ## run all tests, with what is installed
	$(Q)BUILD=$(BUILD) tests/run $(org_suites) $(tests) $(model) \
		$(suites) $(fuzzers)

# Anywhere: no /dev/fuse, no root, no network, other versions of the libraries.
unit = $(addprefix $(BUILD)/,test-unit test-bitflip) $(fuzzers)
check-unit: all $(unit) ## run tests that need no mount, no root and no network
	$(Q)BUILD=$(BUILD) tests/run $(unit)

model: all $(model) ## compare random operations with a model (STEPS=1000000 SEED=1)
	$(Q)$(model) --steps $(or $(STEPS),1000000) \
		--seed $(or $(SEED),$$(date +%s)) --save $(BUILD)/model.ops

attack: all $(attack) ## attack a mounted vault as other users (REQUESTS=100000)
	$(Q)BUILD=$(BUILD) REQUESTS=$(or $(REQUESTS),100000) \
		FORGED=all TEST_TIMEOUT=14400 tests/run tests/shell/attack.sh \
		$(wildcard tests/shell/forged-*.sh)

# Engines of organisations against the real programs (as root).
test-org: ## try the engines of organisations with PostgreSQL and Ceph
	$(Q).ci/setup org
	$(Q)$(MAKE) --no-print-directory all $(BUILD)/test-org $(org_rig)
	$(Q)BUILD=$(BUILD) tests/run $(org_suites) $(BUILD)/test-org
torture-org: all $(BUILD)/test-org ## try 1,000 hosts with 3 nodes of PostgreSQL (RUNS= HOSTS= SEED=)
	$(Q).ci/setup org
	$(Q)BUILD=$(BUILD) RUNS=$(or $(RUNS),10) HOSTS=$(or $(HOSTS),1000) \
		SEED=$(or $(SEED),1) tests/org/hosts.sh

torture: all $(tests) $(model) $(attack) $(wire) ## run the long tests: faults, mutants, model (CYCLES= SEED=)
	$(Q)+BUILD=$(BUILD) MAKE='$(MAKE)' tests/torture.sh $(or $(CYCLES),1000) \
		$(SEED)

bench: all $(benches) ## compare the speed with ext4, bindfs, git (ENTRIES, ROUNDS, CURVE)
	$(Q).ci/setup bench
	$(Q)tests/bench/bench.py $(BUILD) --rounds $(or $(ROUNDS),5) \
		--curve '$(CURVE)' --ledger $(or $(ENTRIES),1000000)

demo: ## record the sample session in a real mount, try to tamper with it
	$(Q)BUILD=$(BUILD) tests/demo.sh

layers: $(archives) ## print the include arrows; fail on a forbidden one
	$(Q)BUILD=$(BUILD) CC='$(CC)' CFLAGS='$(CFLAGS)' \
		PKG_CONFIG=$(PKG_CONFIG) .ci/layers

lint: $(archives) ## clang-format, cppcheck, clang-tidy, mandoc, shellcheck, circles
	$(Q)BUILD=$(BUILD) .ci/lint

format: ## rewrite the sources with clang-format
	clang-format -i $(wildcard core/*.h core/*/*.[ch] fs/*.[ch] \
		tools/*.[ch] tools/*/*.[ch] tests/*/*.[ch])

sanitizer := -O1 -g -fno-omit-frame-pointer -fsanitize
sanitize: ## run the tests under AddressSanitizer and UBSan
	$(Q)$(MAKE) --no-print-directory check BUILD=$(BUILD)/asan \
		CFLAGS='$(sanitizer)=address,undefined -fno-sanitize-recover=undefined'

tsan: ## run the tests under ThreadSanitizer
	$(Q)$(MAKE) --no-print-directory check BUILD=$(BUILD)/tsan \
		CFLAGS='$(sanitizer)=thread'

# Without suites that count calls or places, which memcheck changes.
memchecked = $(valgrind)/test-mount $(valgrind)/test-model \
	$(filter tests/shell/tools-% tests/shell/tamper-% \
	tests/shell/package-% tests/shell/second-%,$(suites)) \
	$(addprefix $(valgrind)/memcheck/,test-unit test-bitflip \
	$(fuzz_names:%=fuzz-%))
valgrind = $(abspath $(BUILD))/valgrind
valgrind: ## run the tests with all programs under memcheck (hours)
	$(Q).ci/setup valgrind
	$(Q)$(MAKE) --no-print-directory all test-programs BUILD=$(valgrind) \
		$(valgrind)/beneath.so CFLAGS='-O1 -g' \
		PROGRAMS=$(valgrind)/memcheck
	$(Q)tests/valgrind.sh $(valgrind) $(memchecked)

test-programs: $(tests) $(model) $(attack) $(fuzzers) $(wire) $(org_rig)

fuzz: ## fuzz with libFuzzer and clang (FUZZ_TIME=60 seconds per target)
	$(Q).ci/setup fuzz
	$(Q)$(MAKE) --no-print-directory fuzzers BUILD=$(BUILD)/fuzz CC=clang \
		FUZZER=1 CFLAGS='$(sanitizer)=fuzzer-no-link,address,undefined \
		-fno-sanitize-recover=undefined'
	$(Q)FUZZ_TIME=$(or $(FUZZ_TIME),60) tests/fuzz.sh $(BUILD)/fuzz \
		$(fuzz_names)

fuzzers: $(fuzzers)

coverage: ## run the tests and report which lines and branches they reach
	$(Q)find $(BUILD)/coverage -name '*.gcda' -delete 2>/dev/null || :
	$(Q).ci/setup coverage
	$(Q)$(MAKE) --no-print-directory check BUILD=$(BUILD)/coverage \
		CFLAGS='-O0 -g --coverage -DTF_NO_SANDBOX'; status=$$?; \
		.ci/coverage $(BUILD)/coverage && exit $$status

# --- installing ---------------------------------------------------------

bindir = $(DESTDIR)$(PREFIX)/bin
sbindir = $(DESTDIR)$(SBINDIR)
plugindir = $(DESTDIR)$(PREFIX)/lib/trailfs
mandir = $(DESTDIR)$(PREFIX)/share/man
unitdir = $(DESTDIR)$(PREFIX)/lib/systemd/system
sysusersdir = $(DESTDIR)$(PREFIX)/lib/sysusers.d
tmpfilesdir = $(DESTDIR)$(PREFIX)/lib/tmpfiles.d
# What programs read, and what people copy.
datadir = $(DESTDIR)$(PREFIX)/share/trailfs
exampledir = $(DESTDIR)$(PREFIX)/share/doc/trailfs/examples
# Each shell looks for the completions of a program in a file of its name.
bashdir = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions
zshdir = $(DESTDIR)$(ZSHDIR)
fishdir = $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
completed := trailfs trailfs-signer fsck.trailfs mkfs.trailfs
units := $(wildcard $(addprefix tools/systemd/*.,service timer target path \
	socket))
monitoring := $(wildcard tools/monitoring/*)
examples := $(wildcard $(addprefix tools/systemd/,example.* *.mount \
	*.automount))
# trailctl under the names that fsck(8) and mkfs(8) call.
names := fsck.trailfs fsck.fuse.trailfs mkfs.trailfs
sections := $(sort $(subst .,,$(suffix $(manuals))))
# Each verb has a manual of its name: a link to the page whose NAME has the verb.
# PAGE.1:LINK.1, in the order of the pages.
manlinks = $(shell awk 'FNR == 1 { on = 1 } /^\.Sh SYNOPSIS/ { on = 0 } \
	on && $$1 == ".Nm" && FILENAME != "man/" $$2 ".1" { \
	sub("man/", "", FILENAME); print FILENAME ":" $$2 ".1" }' \
	man/trailctl-*.1)

# Units and manuals name programs and files of trailfs below /usr/local.  Programs
# that users add there stay where they are.
located := s=/usr/local/(bin/trail|share/(doc/)?trailfs)=$(PREFIX)/\1=g

install: all ## install below $(DESTDIR)$(PREFIX)
	install -d $(bindir) $(sbindir) $(sections:%=$(mandir)/man%) \
		$(unitdir) $(sysusersdir) $(tmpfilesdir) $(datadir) $(exampledir) \
		$(bashdir) $(zshdir) $(fishdir)
	install -m 755 $(programs) $(bindir)
	$(if $(plugins),install -d $(plugindir) && \
		install -m 644 $(plugins) $(plugindir))
	ln -sf ../bin/trailfs $(sbindir)/mount.fuse.trailfs
	$(Q)for n in $(names); do ln -sf ../bin/trailctl $(sbindir)/$$n; done
	$(Q)set -e; for f in $(manuals) $(units); do \
		case $$f in \
		man/*) to=$(mandir)/man$${f##*.} ;; \
		*) to=$(unitdir) ;; \
		esac; \
		sed -E '$(located)' $$f >$$to/$${f##*/}; \
		chmod 644 $$to/$${f##*/}; \
	done
	$(Q)for l in $(manlinks); do \
		ln -sf $${l%:*} $(mandir)/man1/$${l#*:}; \
	done
	ln -sf trailfs.8 $(mandir)/man8/mount.fuse.trailfs.8
	ln -sf fsck.trailfs.8 $(mandir)/man8/fsck.fuse.trailfs.8
	install -m 644 tools/systemd/sysusers.conf $(sysusersdir)/trailfs.conf
	install -m 644 tools/systemd/tmpfiles.conf $(tmpfilesdir)/trailfs.conf
	install -m 644 $(monitoring) $(datadir)
	install -m 644 $(examples) $(exampledir)
	install -m 644 tools/completion/trailctl.bash $(bashdir)/trailctl
	install -m 644 tools/completion/_trailctl $(zshdir)
	install -m 644 tools/completion/trailctl.fish $(fishdir)
	$(Q)for n in $(completed); do ln -sf trailctl $(bashdir)/$$n; \
		ln -sf trailctl.fish $(fishdir)/$$n.fish; done

# Directories go if they are empty.  Those that a system has below /usr and
# /usr/local anyway stay.
uninstall: ## remove what install put there
	rm -f $(programs:$(BUILD)/%=$(bindir)/%) \
		$(plugindir)/trailfs-postgresql.so \
		$(plugindir)/trailfs-s3.so $(addprefix \
		$(sbindir)/,mount.fuse.trailfs $(names)) \
		$(sysusersdir)/trailfs.conf $(tmpfilesdir)/trailfs.conf \
		$(mandir)/man8/mount.fuse.trailfs.8 \
		$(mandir)/man8/fsck.fuse.trailfs.8
	$(Q)rm -f $(foreach l,$(manlinks),$(mandir)/man1/$(lastword $(subst \
		:, ,$(l))))
	$(Q)rm -f $(foreach m,$(notdir $(manuals)),$(mandir)/man$(subst \
		.,,$(suffix $(m)))/$(m))
	rm -f $(addprefix $(unitdir)/,$(notdir $(units))) \
		$(addprefix $(datadir)/,$(notdir $(monitoring))) \
		$(addprefix $(exampledir)/,$(notdir $(examples)))
	rm -f $(addprefix $(bashdir)/,trailctl $(completed)) $(zshdir)/_trailctl \
		$(patsubst %,$(fishdir)/%.fish,trailctl $(completed))
	$(Q)rmdir $(bashdir) $(bashdir:/completions=) $(zshdir) \
		$(zshdir:/site-functions=) $(fishdir) \
		$(fishdir:/vendor_completions.d=) 2>/dev/null || :
	$(Q)rmdir $(plugindir) $(datadir) $(exampledir) $(exampledir:/examples=) \
		$(sections:%=$(mandir)/man%) $(unitdir) $(unitdir:/system=) \
		$(sysusersdir) $(tmpfilesdir) $(if $(filter-out \
		/usr /usr/local,$(PREFIX)),$(mandir) $(bindir) $(sbindir) \
		$(addprefix $(DESTDIR)$(PREFIX),/share/doc /share /lib /)) \
		2>/dev/null || :

version = $(shell sed -n 's/^\#define TF_VERSION "\(.*\)"/\1/p' core/types.h)
dist: ## make build/trailfs-VERSION.tar.gz from the last commit
	$(Q)mkdir -p $(BUILD)
	git archive --prefix=trailfs-$(version)/ HEAD | gzip -9n \
		>$(BUILD)/trailfs-$(version).tar.gz

deb: ## make Debian packages in build/deb, and check them with lintian
	$(Q).ci/setup deb
	$(Q)tools/packages/deb.sh $(BUILD)/deb

deb-test: ## build and install the package in clean chroots (needs root, network)
	$(Q).ci/setup deb
	$(Q)DEBFLAGS=-S tools/packages/deb.sh $(BUILD)/deb-test
	$(Q)tests/deb.sh $(BUILD)/deb-test $(RELEASES)

booted: ## try the package of make deb under systemd (needs root, network)
	$(Q)tests/booted.sh $(BUILD)/deb

clean: ## remove everything that was built
	$(Q)chattr -i $(BUILD)/demo/mnt 2>/dev/null || :
	rm -rf --one-file-system $(BUILD)

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-10s %s\n", $$1, $$2 }' \
		Makefile

.PHONY: all test check check-unit model attack test-org torture torture-org \
	bench demo layers lint format sanitize tsan valgrind test-programs fuzz \
	fuzzers coverage install uninstall dist deb deb-test booted clean help
