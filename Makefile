# Evidence: the build.  `make help` lists the targets.
#
# Everything built goes below build/, one directory a variant: the default one, another
# compiler's, a sanitizer's.  Objects are rebuilt when the flags they were built with change.

##V CC=gcc                    the compiler: gcc or clang
##V ARCH=native               -march=; empty for the compiler's default (portable binaries)
##V OPT='-O3 -g'              optimisation and debug information (-O2 -g with SAN); no fast-math
##V CFLAGS=, CPPFLAGS=, LDFLAGS=   added after the project's own flags
##V SAN=                      sanitizers, e.g. address,undefined, in a directory of their own
##V WERROR=                   1: warnings are errors
##V CHECK_FLAGS=--mutants on  options for `evidence check`
##V MODEL=gmvae               what `make train` trains: gmvae, vae or vqvae
##V TRAIN_FLAGS=              more options for `evidence train` in `make train`
##V ONLY=                     the tests to run, as 'suite/name' with wildcards
##V TEST_MULTIPLIER=          makes the randomised tests that many times longer
##V TEST_JOBS=2               tests run at once
##V TEST_TIMEOUT=300          seconds before a test is given up
##V DATASET=                  the folder of images that training reads by default
##V FUZZ_SECONDS=20           how long each fuzz target runs
##V SOAK_SEEDS=1000          seeds of `make soak`
##V SOAK_MINUTES=240         `make soak` ends after so many, wherever it is
##V NAME=                     the topic for `make new`
##V TERM=                     cairolatex: `make plots` writes figures with labels set by TeX
##V V=                        1: print whole commands
##V prefix=/usr/local, DESTDIR=   where `make install` goes

MAKEFLAGS += --no-builtin-rules --no-builtin-variables --no-print-directory
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

ifeq ($(origin CC),default)
CC := gcc
endif
ifeq ($(origin CC),undefined)
CC := gcc
endif
ARCH ?= native
MODEL ?= gmvae
OPT ?= $(if $(SAN),-O2 -g,-O3 -g)
TEST_JOBS ?= 2
TEST_TIMEOUT ?= 300
FUZZ_SECONDS ?= 20
# Debian's package dataset-fashion-mnist
DATASET ?= /usr/share/datasets/fashion-mnist
SOAK_SEEDS ?= 1000
SOAK_MINUTES ?= 240
prefix ?= /usr/local
bindir ?= $(prefix)/bin
docdir ?= $(prefix)/share/doc/evidence
datadir ?= $(prefix)/share/evidence/report
INSTALL ?= install
PKG_CONFIG ?= pkg-config
GNUPLOT ?= gnuplot
# Only a TERM said to make is a choice: the shell's own names a terminal.
TERM_OF_PLOTS := $(if $(filter command%,$(origin TERM)),$(TERM),drawn)
ifeq ($(filter drawn cairolatex,$(TERM_OF_PLOTS)),)
$(error TERM=$(TERM): the choice is cairolatex, or none)
endif
Q := $(if $(filter 1,$(V)),,@)
say = @$(if $(filter 1,$(V)),:,printf '  %-5s %s\n' $(1) $(2))

# --- Where things go ------------------------------------------------------------------------

comma := ,
hash := \#
compiler := $(filter-out gcc cc,$(notdir $(firstword $(CC))))
variant := $(subst $(comma),-,$(subst $() ,-,$(strip $(compiler) $(if $(SAN),san-$(SAN)))))
VARIANT ?= $(variant)
B := build$(addprefix /,$(VARIANT))
GEN := $(B)/gen
OBJ := $(B)/obj
PROGRAM := $(B)/evidence
TESTS := $(B)/run-tests

# --- What there is --------------------------------------------------------------------------

find_c = $(sort $(shell find $(1) -name '*.c' 2>/dev/null))
SRC := $(call find_c,src)
# A module each, and what they are made of: parts in a folder of the module's name, and the
# models that several modules share in checks/fixtures.
CHECKS := $(sort $(wildcard checks/*.c))
CHECK_PARTS := $(sort $(wildcard checks/*/*.c))
# The topics with data for plots.
SERIES := $(patsubst checks/%/series.c,%,$(sort $(wildcard checks/*/series.c)))
TEST_SRC := $(filter-out tests/bench/% tests/fuzz/%,$(call find_c,tests))
BENCH_SRC := $(sort $(wildcard tests/bench/*.c))
FUZZ_SRC := $(sort $(wildcard tests/fuzz/*.c))
DERIVATIONS := $(filter-out derivations/README.md,$(sort $(wildcard derivations/*.md)))
PLOTS := $(patsubst plots/%.gp,%,$(filter-out plots/style.gp,$(sort $(wildcard plots/*.gp))))

MAIN := src/cli/main.c
LIB_OBJ := $(patsubst %.c,$(OBJ)/%.o,$(filter-out $(MAIN),$(SRC)) $(CHECKS) $(CHECK_PARTS)) \
           $(OBJ)/checks_table.o
MAIN_OBJ := $(OBJ)/src/cli/main.o
TEST_OBJ := $(TEST_SRC:%.c=$(OBJ)/%.o)
BENCH := $(filter-out $(B)/bench/soak,$(BENCH_SRC:tests/bench/%.c=$(B)/bench/%))
SOAK := $(B)/bench/soak
FUZZ := $(FUZZ_SRC:tests/fuzz/%.c=$(B)/fuzz/%)

# --- Flags ----------------------------------------------------------------------------------

CODE_FLAGS := -std=c11 $(OPT) $(if $(ARCH),-march=$(ARCH)) -ffp-contract=off -fopenmp \
              $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer) \
              $(CFLAGS)
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wdouble-promotion \
            -Wstrict-prototypes -Wmissing-prototypes -Wvla $(if $(filter 1,$(WERROR)),-Werror)
# A sanitizer keeps clang from vectorising loops that ask for it: no cause for alarm.
WARNINGS += $(if $(findstring clang,$(CC)),-Wno-pass-failed)
# Vectors are passed among the functions of one file alone: no matter how, where the machine has none
# so long.
WARNINGS += -Wno-psabi
PACKAGES := openblas gsl jansson zlib libpng
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PACKAGES) 2>/dev/null)
# The BLAS stands before GSL, whose own would answer to the same names.
LIBS := $(or $(shell $(PKG_CONFIG) --libs openblas 2>/dev/null),-lopenblas) -lcubature -larpack \
        $(or $(shell $(PKG_CONFIG) --libs gsl jansson zlib libpng 2>/dev/null),\
             -lgsl -lgslcblas -ljansson -lz -lpng) -lm
CRITERION_LIBS := $(or $(shell $(PKG_CONFIG) --libs criterion 2>/dev/null),-lcriterion)
CRITERION_CFLAGS := $(shell $(PKG_CONFIG) --cflags criterion 2>/dev/null)

COMPILE := $(CC) -D_POSIX_C_SOURCE=200809L -Isrc -I$(GEN) $(WARNINGS) $(PKG_CFLAGS) $(CODE_FLAGS) \
           '-ffile-prefix-map=$(CURDIR)=.' $(CPPFLAGS)
LINK := $(CC) $(CODE_FLAGS) $(LDFLAGS)

# Criterion's assertions store an int in a one-bit field, which gcc's -Wconversion reports in
# the test that uses them; conversions that lose a fraction are still reported.
TEST_FLAGS := -Itests -DEV_PROGRAM='"$(PROGRAM)"' -DEV_SOURCE_DIR='"."' $(CRITERION_CFLAGS) \
              -Wno-conversion -Wno-sign-conversion -Wfloat-conversion

$(OBJ)/tests/%.o: private COMPILE += $(TEST_FLAGS)
# A square root that must set errno can't be vectorised, nor a choice that must raise no exception
# flag on the way not taken; values, NaN among them, are the same without.
FLOAT_FLAGS := -fno-math-errno -fno-trapping-math
$(OBJ)/src/nn/%.o $(OBJ)/src/models/%.o: private COMPILE += $(FLOAT_FLAGS)
# Products are fused with their sums in the inner loops of convolutions and of sparse products.
$(OBJ)/src/nn/conv_kernels.o $(OBJ)/src/nn/sparse.o: private COMPILE += -ffp-contract=fast
$(OBJ)/src/data/image_set.o: private COMPILE += -DEV_DATASET='"$(DATASET)"'
# Their one function is declared by the generated table; a fuzz target's by libFuzzer.
$(OBJ)/checks/%.o $(OBJ)/tests/fuzz/%.o: private COMPILE += -Ichecks -Wno-missing-prototypes

# --- Targets --------------------------------------------------------------------------------

CHECK_FLAGS ?= --mutants on

.PHONY: all check test tests bench train soak plots report fuzz fuzz-run format layout lint install sources new clean help FORCE

all: $(PROGRAM) ## build the program, build/evidence (the default)

check: $(PROGRAM) ## check every derivation, line by line, and print the table
	@test -n '$(DERIVATIONS)' || { echo 'make check: no derivations found' >&2; exit 1; }
	@$(PROGRAM) check $(CHECK_FLAGS) $(DERIVATIONS)

# Neither Criterion's "always succeed", nor a filter that matches nothing, nor a leak that a
# sanitizer reports after the test has been counted as passed may look like success.  A leak of
# Criterion's own, which ends its runner with the sanitizers' exit status, is no failure.  With clang
# leaks are not looked for: its search reads the stacks of OpenMP's threads while they end, and now and
# then crashes there ("LeakSanitizer has encountered a fatal error", one process in a hundred).  gcc's
# run looks for them.
test: $(TESTS) $(PROGRAM) ## run the tests
	@unset CRITERION_ALWAYS_SUCCEED CRITERION_TEST_PATTERN; \
	rm -f $(B)/sanitizer.log.* $(B)/tests.tap; \
	export OMP_WAIT_POLICY="$${OMP_WAIT_POLICY:-passive}"; \
	$(if $(SAN),export ASAN_OPTIONS="exitcode=99:log_path='$(CURDIR)/$(B)/sanitizer.log'$(if \
	    $(findstring clang,$(CC)),:detect_leaks=0):$$ASAN_OPTIONS";) \
	status=0; \
	$(TESTS) --jobs $(TEST_JOBS) --timeout $(TEST_TIMEOUT) --tap=$(B)/tests.tap \
	    $(if $(ONLY),--filter '$(ONLY)') || status=$$?; \
	for log in $$(grep -l ERROR: $(B)/sanitizer.log.* 2>/dev/null); do \
	    leaks=$$(grep -c ' leak of ' $$log); \
	    criterion=$$(grep -c '[#]1 .*libcriterion\.so' $$log); \
	    if grep -q 'ERROR: LeakSanitizer' $$log && [ "$$leaks" = "$$criterion" ]; then \
	        continue; \
	    fi; \
	    cat $$log >&2; \
	    echo 'make test: a sanitizer found errors (above)' >&2; exit 1; \
	done; \
	if [ $$status = 99 ] && ! grep -q '^not ok ' $(B)/tests.tap; then status=0; fi; \
	if ! grep -E '^(not )?ok ' $(B)/tests.tap | grep -qv '# SKIP'; then \
	    echo 'make test: no test was run' >&2; exit 1; \
	fi; \
	exit $$status

tests: $(TESTS) ## build the tests without running them

# A benchmark finds in EV_PYTHON a Python with NumPy and SciPy, to run its peers
# (tests/bench/*.py) with; it is empty where there is none.  EV_TORCH: the same with PyTorch.
bench: $(BENCH) $(PROGRAM) ## run the benchmarks, beside NumPy and SciPy where they are installed
	@test -n '$(BENCH)' || echo 'make bench: nothing in tests/bench'
	@EV_PYTHON=; for python in $(or $(PYTHON),python3 /usr/bin/python3); do \
	    if $$python -c 'import numpy, scipy' 2>/dev/null; then EV_PYTHON=$$python; break; fi; \
	done; \
	EV_TORCH=; for python in $(or $(PYTHON),python3 /usr/bin/python3); do \
	    if $$python -c 'import torch' 2>/dev/null; then EV_TORCH=$$python; break; fi; \
	done; \
	export EV_PYTHON EV_TORCH; \
	test -n "$$EV_PYTHON" || \
	    echo 'make bench: no Python with NumPy and SciPy (python3-numpy, python3-scipy): no peers'; \
	status=0; \
	for program in $(BENCH); do $$program || status=1; done; \
	exit $$status

# The figures of a run that replaces the committed one: make soak SOAK_FILE=tests/bench/soak.tsv
SOAK_FILE ?= $(B)/soak.tsv
soak: $(SOAK) ## judge the derivations, whole and broken, under SOAK_SEEDS seeds; figures in SOAK_FILE
	@$(SOAK) $(SOAK_SEEDS) $(SOAK_MINUTES) $(SOAK_FILE)

# Audits every second epoch are points enough for a figure.
train: $(PROGRAM) ## train a MODEL on Fashion-MNIST, into build/train/MODEL (a few minutes)
	rm -rf '$(B)/train/$(MODEL)'
	$(PROGRAM) train $(MODEL) --out '$(B)/train/$(MODEL)' $(if $(filter vqvae,$(MODEL)),,--audit 2) $(TRAIN_FLAGS)

plots: $(PLOTS:%=$(B)/plots/%.$(TERM_OF_PLOTS)) ## draw every figure: build/plots/NAME-FIGURE.svg, .pdf, .png
	@test -n '$(PLOTS)' || echo 'make plots: nothing in plots'
	@$(foreach m,$(RUN_MODELS),test -e $(B)/train/$(m)/metrics.tsv || \
	    echo 'no run in $(B)/train/$(m) (make train MODEL=$(m)): its figures are left out';)

# The ledger is made again when the program or a document has changed; a verdict that is not as
# expected is in it, and is shown.
report: $(B)/report/report.html $(B)/report/report.pdf ## weave derivations, evidence and figures into a page and a PDF

$(B)/report/ledger.jsonl: $(PROGRAM) $(DERIVATIONS) $(GEN)/probed-report
	$(call say,JUDGE,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(PROGRAM) check $(CHECK_FLAGS) --format jsonl --out $@ $(DERIVATIONS) || test $$? = 1

REPORT_FILES := $(wildcard report/*.lua report/template.* report/*.css report/results/*)
$(B)/report/report.html $(B)/report/report.pdf: $(B)/report/%: $(B)/report/ledger.jsonl $(REPORT_FILES) \
        $(PLOTS:%=$(B)/plots/%.$(TERM_OF_PLOTS))
	$(call say,WEAVE,$@)
	$(Q)$(PROGRAM) report --ledger $< --figures $(B)/plots $(if $(wildcard report/results),--results report/results) \
	    $(if $(wildcard $(B)/train/*),--runs $(B)/train) \
	    --out $@ $(DERIVATIONS)

fuzz: ## fuzz the readers of untrusted input (clang's libFuzzer, FUZZ_SECONDS each)
	@$(MAKE) CC='$(if $(findstring clang,$(CC)),$(CC),clang)' VARIANT=fuzz \
	    SAN=fuzzer-no-link,address,undefined fuzz-run

format: ## reformat the C files
	clang-format -i $(C_FILES)

layout: ## report what clang-format would change
	@clang-format --dry-run --Werror --ferror-limit=1 $(C_FILES)

lint: layout $(GEN)/build_info.h ## layout, and what clang-tidy finds
	@printf '%s\n' $(filter %.c,$(C_FILES)) | xargs -P 2 -n 1 sh -c 'clang-tidy --quiet \
	    --warnings-as-errors="*" "$$0" -- $(LINT_FLAGS) 2>$(GEN)/lint.$$$$ || \
	    { cat $(GEN)/lint.$$$$ >&2; exit 1; }'
	@rm -f $(GEN)/lint.*

install: $(PROGRAM) ## install the program and the derivations (prefix, DESTDIR)
	$(INSTALL) -d '$(DESTDIR)$(bindir)' '$(DESTDIR)$(docdir)/derivations'
	$(INSTALL) -m 755 $(PROGRAM) '$(DESTDIR)$(bindir)/evidence'
	$(INSTALL) -m 644 LICENSE $(wildcard README.md CHANGELOG.md) '$(DESTDIR)$(docdir)'
	$(if $(wildcard derivations/*.md),$(INSTALL) -m 644 $(wildcard derivations/*.md) \
	    '$(DESTDIR)$(docdir)/derivations')
	$(INSTALL) -d '$(DESTDIR)$(datadir)'
	$(INSTALL) -m 644 $(wildcard report/*.lua report/*.css report/template.*) '$(DESTDIR)$(datadir)'

# The rows of the first table are the assignment's, those of the second are printed elsewhere.
sources: $(PROGRAM) ## write the table of printed lines in derivations/README.md again
	$(Q)$(PROGRAM) tabulate sources --effort full --format markdown --out $(B)/sources.md
	$(Q)awk -v rows=$(B)/sources.md '/^\| printed in \|/ { n++; print; getline; print; \
	    while ((getline row < rows) > 0) if (row !~ /^\| printed in|^\|---/ && \
	        (row ~ /^\| [0-9]/) == (n == 1)) print row; \
	    close(rows); skip = 1; next } /^\| / && skip { next } { skip = 0; print }' \
	    derivations/README.md >$(B)/README.md
	$(Q)mv $(B)/README.md derivations/README.md

new: ## scaffold derivations/NAME.md, checks/NAME.c, plots/NAME.gp: a claim, its second voice, a plot
	@case '$(NAME)' in '' | *[!a-z0-9_]*) \
	    echo 'make new NAME=topic: lower-case letters, digits and underscores' >&2; exit 2;; \
	esac
	@for file in derivations/$(NAME).md checks/$(NAME).c plots/$(NAME).gp; do \
	    if test -e $$file; then echo "make new: $$file is there already" >&2; exit 2; fi; \
	done
	@printf '%s\n' "$$NEW_DERIVATION" >derivations/$(NAME).md
	@printf '%s\n' "$$NEW_CHECK" >checks/$(NAME).c
	@mkdir -p plots
	@printf '%s\n' "$$NEW_PLOT" >plots/$(NAME).gp
	@echo 'written: derivations/$(NAME).md checks/$(NAME).c plots/$(NAME).gp'

clean: ## remove build/
	rm -rf build

help: ## list the targets and the variables
	@echo 'targets:'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-9s %s\n", $$1, $$2 }' Makefile
	@echo 'variables:'
	@sed -n 's/^##V /  /p' Makefile

# --- Rules ----------------------------------------------------------------------------------

$(PROGRAM): $(MAIN_OBJ) $(LIB_OBJ) $(GEN)/link
	$(call say,LD,$@)
	$(Q)$(LINK) -o $@ $(filter %.o,$^) $(LIBS)

# Where tests/judge/test_planted_bugs.c plants its bugs.
WRAPPED := ev_stream_normals ev_hermite_run ev_compare

$(TESTS): $(TEST_OBJ) $(LIB_OBJ) $(GEN)/link $(GEN)/link-tests
	$(call say,LD,$@)
	$(Q)$(LINK) $(WRAPPED:%=-Wl,--wrap=%) -o $@ $(filter %.o,$^) $(CRITERION_LIBS) $(LIBS)

$(BENCH) $(SOAK): $(B)/bench/%: $(OBJ)/tests/bench/%.o $(LIB_OBJ) $(GEN)/link
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(LINK) -o $@ $(filter %.o,$^) $(LIBS)

$(FUZZ): $(B)/fuzz/%: $(OBJ)/tests/fuzz/%.o $(LIB_OBJ) $(GEN)/link
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(LINK) -fsanitize=fuzzer -o $@ $(filter %.o,$^) $(LIBS)

$(OBJ)/%.o: %.c $(GEN)/flags $(GEN)/probed | $(GEN)/build_info.h
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(COMPILE) -MMD -MP -c -o $@ $<

$(OBJ)/checks_table.o: $(GEN)/checks_table.c $(GEN)/flags $(GEN)/probed
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(COMPILE) -MMD -MP -c -o $@ $<

$(TEST_OBJ): $(GEN)/probed-tests

plots_into = $(B)/plots$(if $(filter cairolatex,$(TERM_OF_PLOTS)),/tex)
# A script plots/NAME.gp reads data-SERIES.tsv and writes plot-FIGURE, both below build/plots; it is
# run once for each format.  The file made here says that all its figures are there.
#   "# run: MODEL SERIES..." in it: these series are of the run that `make train` has left, if there
#   is one.  Figures of a run that is gone are removed.
runs_of = $(shell sed -n 's/^$(hash) run: *//p' plots/$(1).gp)
series_of_run = $(if $(wildcard $(B)/train/$(firstword $(1))/metrics.tsv),$(wordlist 2,99,$(1)))
$(B)/plots/%.$(TERM_OF_PLOTS): plots/%.gp plots/style.gp $(PROGRAM) $(GEN)/probed-plots
	$(call say,PLOT,$<)
	$(Q)mkdir -p $(plots_into)
	$(Q)rm -f $(B)/plots/$*-*.* $(plots_into)/$*-*.*
	$(Q)set -e; $(if $(filter $*,$(SERIES)),for series in $$($(PROGRAM) tabulate series | \
	        awk '$$1 == "$*" { print $$2 }'); do \
	    $(PROGRAM) tabulate $* $$series --out $(B)/plots/$*-$$series.tsv; \
	done;,$(if $(call runs_of,$*),,$(PROGRAM) tabulate $* --out $(B)/plots/$*-steps.tsv;)) \
	$(foreach series,$(call series_of_run,$(call runs_of,$*)), \
	    $(PROGRAM) tabulate $(B)/train/$(firstword $(call runs_of,$*)) $(series) --out $(B)/plots/$*-$(series).tsv;) \
	for format in $(if $(filter cairolatex,$(TERM_OF_PLOTS)),cairolatex,svg pdf png); do \
	    $(GNUPLOT) -e "format='$$format'; plot='$(B)/plots/$*'; into='$(plots_into)/$*'; \
	        run='$(if $(call series_of_run,$(call runs_of,$*)),$(B)/train/$(firstword $(call runs_of,$*)))'" \
	        plots/style.gp $< </dev/null; \
	done
	$(if $(filter cairolatex,$(TERM_OF_PLOTS)),$(Q)for f in $(plots_into)/$*-*.tex; do \
	    test ! -e $$f || sed -i 's|{$(plots_into)/|{|' $$f; done)
	$(Q)touch $@
# Drawn again when their run has changed, has come or has gone.
RUN_MODELS := gmvae vqvae
$(GEN)/run-%: export TEXT = $(wildcard $(B)/train/$*/metrics.tsv)
$(GEN)/run-%: FORCE
	$(write_if_changed)
.PRECIOUS: $(GEN)/run-%
run_files = $(wildcard $(B)/train/$(1)/*.tsv $(B)/train/$(1)/*.png $(B)/train/$(1)/*.jsonl)
$(foreach plot,$(PLOTS),$(foreach model,$(firstword $(call runs_of,$(plot))),$(eval \
    $(B)/plots/$(plot).$(TERM_OF_PLOTS): $(GEN)/run-$(model) $(call run_files,$(model)))))

# What fuzz-run finds that is new stays in build/fuzz/corpus; what fails, in build/fuzz/*-crash-*.
# The seeds are the derivations and tests/fuzz/corpus/NAME, or else all of tests/fuzz/corpus.
fuzz-run: $(FUZZ)
	@test -n '$(FUZZ)' || echo 'make fuzz: nothing in tests/fuzz'
	@status=0; for target in $(FUZZ); do \
	    name=$${target##*/}; corpus=$(B)/corpus/$$name; mkdir -p $$corpus; \
	    seeds=derivations; \
	    for seed in tests/fuzz/corpus/$$name tests/fuzz/corpus; do \
	        if test -d $$seed; then seeds="$$seeds $$seed"; break; fi; \
	    done; \
	    dict=; test ! -f tests/fuzz/$$name.dict || dict=-dict=tests/fuzz/$$name.dict; \
	    echo "$$name, $(FUZZ_SECONDS) s"; \
	    $$target -max_total_time=$(FUZZ_SECONDS) -timeout=10 -print_final_stats=1 -verbosity=0 \
	        -artifact_prefix=$(B)/$$name- $$dict $$corpus $$seeds || status=1; \
	done; exit $$status
$(FUZZ:$(B)/fuzz/%=$(OBJ)/tests/fuzz/%.o): $(GEN)/probed-fuzz

C_FILES = $(sort $(shell find src checks tests -name '*.[ch]'))
LINT_FLAGS = -std=c11 -D_POSIX_C_SOURCE=200809L -Isrc -Ichecks -Itests -I$(GEN) -fopenmp \
             -DEV_PROGRAM=\"\" -DEV_SOURCE_DIR=\"\" $(PKG_CFLAGS) $(CRITERION_CFLAGS)

# --- What `make new` writes --------------------------------------------------------------------

claim = $(subst _,-,$(NAME))-second-moment
define NEW_DERIVATION
# $(subst _, ,$(NAME))

Say here what is derived, from what, and where it is printed.

Assume $$J \in \{1,\dots,3\}$$, $$\mu \in \mathbb{R}^J$$ and $$\sigma \in \mathbb{R}_{>0}^J$$. Define
$$$$ q(z) = \mathcal{N}(z;\, \mu, \operatorname{diag}(\sigma^2)). $$$$

<!-- claim: $(claim) -->
$$$$
\mathbb{E}_{q(z)}\Big[\sum_{j=1}^{J} z_j^2\Big] = \sum_{j=1}^{J} (\mu_j^2 + \sigma_j^2)
$$$$
endef

define NEW_CHECK
/* The independent second voice of derivations/$(NAME).md. */
#include "judge/check.h"

void check_$(NAME)(ev_check *check)
{
    static const double J = 2, mu[] = {0.5, -1}, sigma[] = {1, 2};
    static const ev_binding at[] = {{"J", 1, &J}, {"\\mu", 2, mu}, {"\\sigma", 2, sigma}};
    double ours = 0, error = 0;
    for (int j = 0; j < 2; j++)
        ours += mu[j] * mu[j] + sigma[j] * sigma[j];
    double documents = ev_check_document_value(check, "$(claim)", 1, 0, 3, at, &error);
    ev_check_compare(check, "$(claim)", 1, ours, 1e-14, documents, error, 1e-9);
}
endef
define NEW_PLOT
# How far the steps of derivations/$(NAME).md agree: the table of `evidence tabulate $(NAME)`.
eval figure("steps", 2.4)
set datafile separator tab
set ylabel 'digits that both sides share'
set yrange [0:16.5]
set xtics noenhanced rotate by -30
set boxwidth 0.7
set style fill solid 0.5
plot data("steps") every ::1 using 0:2:xticlabels(1) with boxes linecolor rgb blue
endef
new: export NEW_PLOT := $(NEW_PLOT)
new: export NEW_DERIVATION := $(NEW_DERIVATION)
new: export NEW_CHECK := $(NEW_CHECK)

# --- Generated files, rewritten only when what they say changes -------------------------------

define write_if_changed
	@mkdir -p $(@D)
	@printf '%s\n' "$$TEXT" >$@.$$$$; \
	if cmp -s $@.$$$$ $@; then rm -f $@.$$$$; else mv -f $@.$$$$ $@; fi
endef

define newline


endef

# One entry for each checks/NAME.c, which defines void check_NAME(ev_check *check).
check_names := $(patsubst checks/%.c,%,$(CHECKS))
define checks_table
/* Generated from the names in checks/. */
#include "judge/check.h"

#include <stddef.h>

$(foreach n,$(check_names),void check_$(n)(ev_check *check);$(newline))
extern const ev_check_entry ev_check_table[];
const ev_check_entry ev_check_table[] = {
$(foreach n,$(check_names),    {"$(n)", check_$(n)},$(newline))    {NULL, NULL},
};

#include "numerics/series.h"

$(foreach n,$(SERIES),extern const ev_series $(n)_series[];$(newline))
const ev_series_entry ev_series_table[] = {
$(foreach n,$(SERIES),    {"$(n)", $(n)_series},$(newline))    {NULL, NULL},
};
endef

$(GEN)/checks_table.c: export TEXT = $(checks_table)
$(GEN)/checks_table.c: FORCE
	@for name in $(check_names); do case $$name in *[!A-Za-z0-9_]*) \
	    echo "checks/$$name.c: only letters, digits and underscores in its name" >&2; exit 1;; \
	esac; done
	$(write_if_changed)

# Compiler, flags and revision, as C strings; no paths in them.
c_string = "$(subst ",\",$(subst \,\\,$(strip $(1))))"
compiler_version := $(shell $(CC) --version 2>/dev/null | sed 1q)
revision = $(or $(shell test -e .git && \
    git describe --always --dirty --abbrev=12 --exclude='*' 2>/dev/null),unknown)
define build_info
/* Generated: how this program was built. */
#define EV_BUILD_COMPILER $(call c_string,$(compiler_version))
#define EV_BUILD_FLAGS $(call c_string,$(filter-out -I% -L% -isystem% /%,$(CODE_FLAGS)))
#define EV_BUILD_REVISION $(call c_string,$(revision))
endef

$(GEN)/build_info.h: export TEXT = $(build_info)
$(GEN)/build_info.h: FORCE
	$(write_if_changed)

$(GEN)/flags: export TEXT = $(compiler_version) $(COMPILE) $(TEST_FLAGS) $(FLOAT_FLAGS) $(DATASET)
$(GEN)/link: export TEXT = $(LINK) $(LIB_OBJ) $(LIBS)
$(GEN)/link-tests: export TEXT = $(TEST_OBJ) $(CRITERION_LIBS)
$(GEN)/flags $(GEN)/link $(GEN)/link-tests: FORCE
	$(write_if_changed)

# --- The dependencies, by name and by the Debian package that brings each ----------------------

# Probed once for each variant, and again when its flags (pkg-config's among them) change.
empty_main := int main(void) { return 0; }
try_c = echo '$(or $(2),$(empty_main))' | $(CC) $(CPPFLAGS) $(CFLAGS) $(PKG_CFLAGS) $(LDFLAGS) \
        $(1) -x c - -o /dev/null >/dev/null 2>&1
lack = missing="$$missing  $(strip $(1)) ($(strip $(2)))\n"
finish_probe = test -z "$$missing" || { \
	    echo 'missing, with the Debian package that brings it:' >&2; printf "$$missing" >&2; \
	    echo './setup.sh installs what is needed; with --develop, clang and its tools too.' >&2; \
	    exit 1; }; \
	touch $@

$(GEN)/probed: $(GEN)/flags
	@missing=; \
	if ! command -v $(firstword $(CC)) >/dev/null; then \
	    $(call lack,$(firstword $(CC)),$(or $(compiler),gcc)); \
	elif ! $(call try_c,-include stdio.h); then $(call lack,the C library,libc6-dev); \
	else \
	    $(if $(ARCH),$(call try_c,-march=$(ARCH)) || \
	        { echo '$(CC) refuses -march=$(ARCH): say make ARCH=' >&2; exit 1; };) \
	    $(call try_c,-fopenmp -include omp.h) || \
	        $(call lack,OpenMP,$(if $(compiler),libomp-dev,gcc)); \
	    $(if $(SAN),$(call try_c,-fsanitize=$(SAN)) || \
	        $(call lack,sanitizers $(SAN),$(if $(compiler),libclang-rt-dev,gcc));) \
	    $(call try_c,-c -include Random123/philox.h) || $(call lack,Random123,librandom123-dev); \
	    $(call try_c,-include cubature.h -lcubature -lm) || $(call lack,Cubature,libcubature-dev); \
	    $(call try_c,-include arpack/arpack.h -larpack) || $(call lack,ARPACK,libarpack2-dev); \
	fi; \
	if ! command -v $(PKG_CONFIG) >/dev/null; then $(call lack,pkg-config,pkg-config); fi; \
	$(PKG_CONFIG) --exists openblas 2>/dev/null || $(call lack,OpenBLAS,libopenblas-dev); \
	$(PKG_CONFIG) --exists gsl 2>/dev/null || $(call lack,GSL,libgsl-dev); \
	$(PKG_CONFIG) --exists jansson 2>/dev/null || $(call lack,Jansson,libjansson-dev); \
	$(PKG_CONFIG) --exists zlib 2>/dev/null || $(call lack,zlib,zlib1g-dev); \
	$(PKG_CONFIG) --exists libpng 2>/dev/null || $(call lack,libpng,libpng-dev); \
	test -d '$(DATASET)' || \
	    echo 'no data set in $(DATASET) (dataset-fashion-mnist): training needs --data' >&2; \
	$(finish_probe)

$(GEN)/probed-tests: $(GEN)/probed
	@missing=; \
	$(PKG_CONFIG) --exists criterion || $(call lack,Criterion,libcriterion-dev); \
	$(finish_probe)

$(GEN)/probed-fuzz: $(GEN)/probed
	@missing=; \
	$(call try_c,-fsanitize=fuzzer,int LLVMFuzzerTestOneInput(void) { return 0; }) || \
	    $(call lack,libFuzzer,clang libclang-rt-dev); \
	$(finish_probe)

$(GEN)/probed-plots:
	@missing=; mkdir -p $(@D); \
	command -v $(GNUPLOT) >/dev/null || $(call lack,gnuplot,gnuplot-nox); \
	$(finish_probe)

$(GEN)/probed-report:
	@missing=; mkdir -p $(@D); \
	command -v pandoc >/dev/null || $(call lack,pandoc,pandoc); \
	command -v lualatex >/dev/null || $(call lack,LuaLaTeX,texlive-luatex); \
	kpsewhich booktabs.sty fontspec.sty >/dev/null 2>&1 || \
	    $(call lack,booktabs and fontspec,texlive-latex-recommended); \
	test -z "$$missing" || missing="$$missing  ./setup.sh --report installs them\n"; \
	$(finish_probe)

FORCE:

-include $(patsubst %.o,%.d,$(LIB_OBJ) $(MAIN_OBJ) $(TEST_OBJ) \
    $(BENCH_SRC:%.c=$(OBJ)/%.o) $(FUZZ_SRC:%.c=$(OBJ)/%.o))
