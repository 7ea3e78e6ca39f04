# skipc.   make          build/skipc
#          make demo     compiles a trained network, classifies held-out images, compares with onnxruntime
#          make check    all tests; make check-fast: the quick ones; make check-offline: without installing anything
#          make install  below PREFIX (/usr/local) and DESTDIR; make uninstall
# demo and check install what is missing. Everything made goes to build/, but for the Python environment (.venv).

CC       ?= cc
CFLAGS   ?= -O2 -g
WARN      = -Wall -Wextra -Wpedantic -Wconversion -Wshadow
# No contraction: constants are folded to the same bits on every host. MINGW: the C library's own printf, on Windows.
override CPPFLAGS += -ffp-contract=off -D_POSIX_C_SOURCE=200809L -D__USE_MINGW_ANSI_STDIO=1 -Icompiler -I$(BUILD)
PKG_CONFIG ?= pkg-config
LIBRARIES := $(shell $(PKG_CONFIG) --libs libprotobuf-c nettle 2> /dev/null || echo -lprotobuf-c -lnettle)
override CPPFLAGS += $(shell $(PKG_CONFIG) --cflags libprotobuf-c nettle 2> /dev/null)
LDLIBS    = $(LIBRARIES) -lm
# libxsmm makes the small matrix products of --target=x86-64; where it is not installed, or LIBXSMM= is empty, skipc says so.
LIBXSMM  ?= $(wildcard /usr/include/libxsmm_generator.h)
ifneq ($(LIBXSMM),)
override CPPFLAGS += -DSKIPC_HAVE_LIBXSMM
LDLIBS   += -lxsmmgen -lxsmm -lxsmmnoblas -lpthread -ldl -lrt
endif
PYTHON    = .venv/bin/python
BUILD    ?= build
EXE      := $(if $(findstring mingw,$(shell $(CC) -dumpmachine)),.exe)

# Where make install puts things, below DESTDIR. What diff, bench and others run is found from the program's folder, by
# ../libexec/skipc, or where this says.
PREFIX   ?= /usr/local
BINDIR   ?= $(PREFIX)/bin
HELPERDIR ?= $(PREFIX)/libexec/skipc
HELPERS  ?= $(HELPERDIR)
DATADIR  ?= $(PREFIX)/share

SOURCES   = $(sort $(wildcard compiler/*.c compiler/*/*.c))
LIBRARY   = $(filter-out $(BUILD)/compiler/main.o,$(SOURCES:%.c=$(BUILD)/%.o)) \
	    $(BUILD)/compiler/import/onnx.pb-c.o $(BUILD)/templates.o
TEMPLATES = $(sort $(wildcard templates/*/*.c templates/*/*.h templates/report/* templates/package/*))
PARTS = $(wildcard templates/*/*.inc) # of templates: embed.sh puts them in
UNITS     = $(filter-out math_exhaustive fuzz_import,$(basename $(notdir $(wildcard tests/*.c))))

OBJECTS   = $(BUILD)/compiler/main.o $(LIBRARY)

all: $(BUILD)/skipc$(EXE)

# ---- the compiler ----

$(BUILD)/skipc$(EXE): $(OBJECTS)
	@echo "LD $@"
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/compiler/%.o: compiler/%.c $(BUILD)/compiler/import/onnx.pb-c.h
	@mkdir -p $(@D)
	@echo "CC $<"
	@$(CC) -std=c11 $(CPPFLAGS) $(CFLAGS) $(WARN) -MMD -MP -c -o $@ $<

$(BUILD)/compiler/import/onnx.pb-c.c: compiler/import/onnx.proto
	@mkdir -p $(@D)
	protoc-c --c_out=$(BUILD) $<

$(BUILD)/compiler/import/onnx.pb-c.h: $(BUILD)/compiler/import/onnx.pb-c.c ;

$(BUILD)/compiler/import/onnx.pb-c.o: $(BUILD)/compiler/import/onnx.pb-c.c
	@$(CC) -std=c11 $(CPPFLAGS) $(CFLAGS) -w -c -o $@ $<

$(BUILD)/templates.c: $(TEMPLATES) $(PARTS) tools/embed.sh
	@mkdir -p $(@D)
	@echo EMBED $@; sh tools/embed.sh $(TEMPLATES) > $@.tmp && mv $@.tmp $@

$(BUILD)/templates.o: $(BUILD)/templates.c
	@$(CC) -std=c11 $(CPPFLAGS) $(CFLAGS) $(WARN) -c -o $@ $<

-include $(wildcard $(BUILD)/compiler/*.d $(BUILD)/compiler/*/*.d)

# A build elsewhere, or a copy of it, finds tools/ here.
$(BUILD)/compiler/helper.o: override CPPFLAGS += -DHELPERS='"$(CURDIR)"'

# ---- installing ----

# The program that is installed knows where its helpers were: a copy of it finds them.
INSTALLED = $(BUILD)/installed

$(INSTALLED)/helper.o: compiler/helper.c FORCE
	@mkdir -p $(@D)
	@$(CC) -std=c11 $(CPPFLAGS) -DHELPERS='"$(HELPERS)"' $(CFLAGS) $(WARN) -c -o $@ $<

$(INSTALLED)/skipc$(EXE): $(INSTALLED)/helper.o $(filter-out %/helper.o,$(OBJECTS))
	@echo "LD $@"
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# Of tools/ what users run: not what draws figures of BENCHMARKS.md and sweeps other frameworks.
OURS = bench export_torch families flags networks_int8 peers torch_ops
TOOLS = $(filter-out $(OURS:%=tools/%.py) tools/icount.c,$(wildcard tools/*.py tools/*.c))

# Folders of what skipc prints itself.
GENERATED_TEXT = man/man1 bash-completion/completions zsh/vendor-completions fish/vendor_completions.d

install: $(INSTALLED)/skipc$(EXE)
	install -d "$(DESTDIR)$(BINDIR)" "$(DESTDIR)$(HELPERDIR)/tools/schema" "$(DESTDIR)$(HELPERDIR)/runtime"
	install -m 755 $< "$(DESTDIR)$(BINDIR)"
	install -m 644 $(TOOLS) "$(DESTDIR)$(HELPERDIR)/tools"
	install -m 644 $(wildcard tools/schema/*.json) "$(DESTDIR)$(HELPERDIR)/tools/schema"
	install -m 644 $(wildcard runtime/*.[ch]) "$(DESTDIR)$(HELPERDIR)/runtime"
	install -d "$(DESTDIR)$(DATADIR)/cmake/skipc" "$(DESTDIR)$(DATADIR)/skipc/meson"
	install -m 644 packaging/cmake/skipcConfig.cmake packaging/cmake/skipcConfigVersion.cmake "$(DESTDIR)$(DATADIR)/cmake/skipc"
	install -m 644 packaging/meson/meson.build "$(DESTDIR)$(DATADIR)/skipc/meson"
	install -d $(GENERATED_TEXT:%="$(DESTDIR)$(DATADIR)/%")
	@if $< --version > /dev/null 2>&1; then cd "$(DESTDIR)$(DATADIR)" && "$(abspath $<)" manual > man/man1/skipc.1 && \
		"$(abspath $<)" completion bash > bash-completion/completions/skipc && \
		"$(abspath $<)" completion zsh > zsh/vendor-completions/_skipc && \
		"$(abspath $<)" completion fish > fish/vendor_completions.d/skipc.fish; \
	else echo "no manual page and completions: skipc prints them, and it is for another machine"; fi

uninstall:
	rm -f "$(DESTDIR)$(BINDIR)/skipc$(EXE)" \
		"$(DESTDIR)$(DATADIR)/man/man1/skipc.1" "$(DESTDIR)$(DATADIR)/bash-completion/completions/skipc" \
		"$(DESTDIR)$(DATADIR)/zsh/vendor-completions/_skipc" "$(DESTDIR)$(DATADIR)/fish/vendor_completions.d/skipc.fish"
	rm -rf "$(DESTDIR)$(HELPERDIR)" "$(DESTDIR)$(DATADIR)/cmake/skipc" "$(DESTDIR)$(DATADIR)/skipc"

FORCE:

# ---- what a bare machine lacks ----

setup setup-check setup-compilers setup-packages:
	@sh tools/setup.sh $(@:setup-%=%)

.venv/done: tools/requirements.txt
	@sh tools/setup.sh
	python3 -m venv .venv
	.venv/bin/pip install -q --disable-pip-version-check -r tools/requirements.txt
	@touch $@

venv: .venv/done

# Without what they depend on: pnnx wants torch for what is not used here, OpenVINO what reports home.
.venv/peers: tools/requirements-peers.txt .venv/done
	.venv/bin/pip install -q --disable-pip-version-check --no-deps -r tools/requirements-peers.txt
	.venv/bin/pip install -q --disable-pip-version-check matplotlib
	@touch $@

venv-peers: .venv/peers

# torch and what it wants: gigabytes. So it is no part of .venv.
build/families-venv/done: tools/requirements.txt tools/requirements-families.txt
	python3 -m venv build/families-venv
	build/families-venv/bin/pip install -q --disable-pip-version-check -r tools/requirements.txt -r tools/requirements-families.txt
	@touch $@

venv-families: build/families-venv/done

# ---- the demonstration: make demo, or make demo MODEL=path.onnx ----

DEMO = $(BUILD)/demo

demo: setup .venv/done
	@$(MAKE) --no-print-directory $(BUILD)/skipc
ifdef MODEL
	$(BUILD)/skipc inspect "$(MODEL)"
	$(BUILD)/skipc diff "$(MODEL)" --float64
else
	@$(MAKE) --no-print-directory digits
	$(BUILD)/skipc diff examples/digits/digits.onnx --float64
endif

digits: $(BUILD)/skipc$(EXE)
	@rm -rf $(DEMO) && mkdir -p $(DEMO)
	$(BUILD)/skipc compile examples/digits/digits.onnx -o $(DEMO)
	$(CC) -O2 -I $(DEMO) $(DEMO)/*.c examples/digits/classify.c -o $(DEMO)/classify
	$(DEMO)/classify examples/digits/images.npy examples/digits/labels.npy

# The pictures of README.md, docs/ and examples/, made again, of no times: the same on every machine. Matplotlib and Chromium, some minutes.
GALLERY = docs

gallery: setup .venv/peers
	@$(MAKE) --no-print-directory all
	@mkdir -p "$(GALLERY)" $(BUILD)/gallery
	SKIPC=$(BUILD)/skipc SKIPC_PYTHON=$(PYTHON) sh examples/lesion/run.sh
	cp build/examples/lesion/lesion.png build/examples/lesion/gates.png "$(GALLERY)"
	$(PYTHON) tools/networks.py resnet18 -o $(BUILD)/gallery/resnet18.onnx
	$(BUILD)/skipc inspect $(BUILD)/gallery/resnet18.onnx --html $(BUILD)/gallery/resnet18.html > /dev/null
	@if command -v chromium > /dev/null; then chromium --headless --no-sandbox --hide-scrollbars --window-size=1240,1010 \
		--screenshot="$(GALLERY)/report.png" "file://$(abspath $(BUILD)/gallery/resnet18.html)" 2> /dev/null; \
	else echo "NOT RUN: report.png: Chromium is not installed"; fi

# Each example builds and runs.
examples: setup .venv/done
	@$(MAKE) --no-print-directory demo
	@for e in examples/*/run.sh; do echo "$$e"; SKIPC=$(BUILD)/skipc sh $$e || exit 1; done

# ---- tests ----

$(BUILD)/tests/%: tests/%.c $(LIBRARY) $(wildcard tests/*.h runtime/*)
	@mkdir -p $(@D)
	@echo "CC $<"
	@$(CC) -std=gnu11 $(CPPFLAGS) $(CFLAGS) $(WARN) -o $@ $< $(LIBRARY) $(LDFLAGS) $(LDLIBS) -lcheck -lsubunit -lrt -lpthread -ldl

units: $(UNITS:%=unit-%)

$(UNITS:%=unit-%): unit-%: $(BUILD)/tests/%
	@echo "$<"
	@$<

# The compiler itself under the sanitizers: what the cases and the bad inputs go through. Clang's see more.
SANITIZERS = $(shell command -v clang > /dev/null && echo address,undefined,float-cast-overflow,nullability || echo address,undefined)
sanitized:
	@$(MAKE) --no-print-directory BUILD=build/sanitized CC=$$(command -v clang || echo $(CC)) \
		CFLAGS="-O1 -g -DCHECK_ALIKE -fsanitize=$(SANITIZERS) -fno-sanitize-recover=all" build/sanitized/skipc

# Every template by itself, with both compilers.
lint-templates:
	@for f in $(filter %.c,$(TEMPLATES)); do \
		case $$f in templates/aarch64/*) compilers=aarch64-linux-gnu-gcc ;; *) compilers="gcc clang" ;; esac; \
		for cc in $$compilers; do command -v $$cc > /dev/null || continue; \
		$$cc -std=c99 -pedantic -Wall -Wextra -Wconversion -Wshadow -Werror -O2 -Itemplates -c $$f -o /dev/null || exit 1; \
	done; done

# Every file of the compiler for Windows, by MinGW, against the headers that are here: make check-packages links and runs it.
MINGW = x86_64-w64-mingw32-gcc
windows:
	@command -v $(MINGW) > /dev/null || { echo "NOT RUN: $(MINGW)"; exit 0; }; \
	mkdir -p build/windows/include && ln -sfn /usr/include/protobuf-c /usr/include/nettle build/windows/include && \
	$(MAKE) --no-print-directory CC=$(MINGW) BUILD=build/windows LIBXSMM= PKG_CONFIG=false \
		CPPFLAGS="-Ibuild/windows/include -Wno-float-conversion -Werror" objects

objects: $(OBJECTS)

# Each script by itself, and all side by side, the longest first: what one prints stays together.
SCRIPTS = commands documents prepared vectors lesion embed bench diff tune growth quantised graphs closed threads weights schema report spellings attributes runtime failures edges costs blocks drop gates paths onnx_proto opset_rows promises house
SIDE_BY_SIDE = $(MAKE) --no-print-directory --output-sync=target -j $(shell nproc)

$(SCRIPTS:%=script-%): script-%:
	$(PYTHON) tests/$*.py

cases:
	ASAN_OPTIONS=detect_leaks=0 $(PYTHON) tests/run.py --in-turn --skipc build/sanitized/skipc
	ASAN_OPTIONS=detect_leaks=0 $(PYTHON) tests/run.py --target=x86-64 --fast --skipc build/sanitized/skipc
	ASAN_OPTIONS=detect_leaks=0 $(PYTHON) tests/run.py --target=aarch64 --fast --skipc build/sanitized/skipc

check: setup-check .venv/done
	@$(SIDE_BY_SIDE) all sanitized
	@$(SIDE_BY_SIDE) cases $(SCRIPTS:%=script-%) units lint-templates windows

check-fast: setup .venv/done
	@$(SIDE_BY_SIDE) all
	@$(SIDE_BY_SIDE) UNITS="$(filter-out templates math,$(UNITS))" units
	$(PYTHON) tests/run.py --fast

# What can be tested with what is installed, for packagers: installs nothing, and says what it did not run.
check-offline:
	@$(SIDE_BY_SIDE) all
	@$(MAKE) --no-print-directory digits
	@if $(PKG_CONFIG) --exists check; then \
		$(SIDE_BY_SIDE) UNITS="$(filter-out templates math,$(UNITS))" units; \
	else echo "NOT RUN: unit tests: Check is not installed"; fi
	@if python3 -c 'import numpy, onnx' 2> /dev/null; then python3 tests/run.py --fast --skipc $(BUILD)/skipc; \
	else echo "NOT RUN: tests/run.py: numpy or onnx is not installed"; fi

# Every way to install skipc and to use it in other builds, each from a fresh clone: some minutes.
check-packages: setup-packages .venv/done
	$(PYTHON) tests/packages.py

# Every case with sanitizers and by both compilers: check has each of them once. A quarter of an hour.
check-cases: setup .venv/done
	@$(MAKE) --no-print-directory all sanitized
	ASAN_OPTIONS=detect_leaks=0 $(PYTHON) tests/run.py --all-compilers --skipc build/sanitized/skipc

# Every case on every instruction set of this machine, and many random shapes: half an hour.
check-x86: setup .venv/done
	@$(MAKE) --no-print-directory all
	$(PYTHON) tests/run.py --target=x86-64
	$(PYTHON) tests/vectors.py --models 200 shapes

# Every case on aarch64 by gcc and by clang under qemu, and random shapes.
check-aarch64: setup-check .venv/done
	@$(MAKE) --no-print-directory all
	$(PYTHON) tests/run.py --target=aarch64 --all-compilers
	$(PYTHON) tests/vectors.py --target=aarch64 --models 50 shapes

# ONNX's own tests of its operators, on both targets: a quarter of an hour. --write puts the table into BENCHMARKS.md.
check-onnx: setup .venv/done
	@$(SIDE_BY_SIDE) all
	$(PYTHON) tests/onnx_nodes.py --write

# Generated code under all compilers that Debian has, and the compiler itself under the newest: some minutes.
check-compilers: setup-compilers .venv/done
	@$(SIDE_BY_SIDE) all
	@$(MAKE) --no-print-directory warnings
	$(PYTHON) tests/compilers.py --write

# The compiler and what is linked beside its output, by each of them without a warning.
warnings: $(BUILD)/compiler/import/onnx.pb-c.h $(BUILD)/templates.c
	@for cc in gcc-11 gcc clang-13 clang clang-15 clang-16 clang-19 clang-22; do \
		command -v $$cc > /dev/null || { echo "NOT RUN: $$cc"; continue; }; echo "$$cc"; \
		for f in $(SOURCES) $(BUILD)/templates.c; do \
			$$cc -std=c11 $(CPPFLAGS) -DHELPERS='""' -O1 $(WARN) -Werror -c -o /dev/null $$f || exit 1; done; \
		for f in $(wildcard runtime/*.c); do $$cc -std=c99 -O1 $(WARN) -Werror -c -o /dev/null $$f || exit 1; done; done

# Time and memory of every operator in every form, and the worst files of 1 MB; every call that can fail: hours.
check-growth: setup .venv/done
	@$(MAKE) --no-print-directory all
	$(PYTHON) tests/growth.py --all
	$(PYTHON) tests/failures.py --all

# All floats through the functions of the generated code: some minutes.
check-math: $(BUILD)/tests/math_exhaustive
	$<

# Mutated models through the sanitized compiler, and random graphs through the whole of it: half an hour.
fuzz: setup .venv/done sanitized
	$(PYTHON) tests/fuzz.py --skipc build/sanitized/skipc --seconds 600
	$(PYTHON) tests/graphs.py --skipc build/sanitized/skipc --graphs 1000 --seed 1000

# The same by libFuzzer, on models taken apart as protobuf has them; what it finds is in build/fuzz.
FUZZ_SECONDS = 3600
FUZZ_FLAGS = -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all

fuzz-import: setup
	@$(MAKE) --no-print-directory BUILD=build/fuzzed CC=clang CFLAGS="$(FUZZ_FLAGS)" build/fuzzed/fuzz_import
	@mkdir -p build/fuzz/corpus build/fuzz/seeds
	@for f in tests/cases/*/model.onnx; do cp $$f build/fuzz/seeds/$$(basename $$(dirname $$f)).onnx; done
	@cp tests/bad/*.onnx build/fuzz/seeds
	build/fuzzed/fuzz_import -max_total_time=$(FUZZ_SECONDS) -max_len=20000 -timeout=60 -rss_limit_mb=2048 -detect_leaks=0 \
		-print_final_stats=1 -artifact_prefix=build/fuzz/ build/fuzz/corpus build/fuzz/seeds

# output.c is in it: files go nowhere.
$(BUILD)/fuzz_import: tests/fuzz_import.c $(LIBRARY)
	@$(CC) -std=gnu11 $(CPPFLAGS) $(CFLAGS) -fsanitize=fuzzer $(WARN) -o $@ $< \
		$(filter-out %/output.o,$(LIBRARY)) $(LDLIBS)

# Instructions a multiply-add on Arm, counted by QEMU: the same on any host. --write puts the table into BENCHMARKS.md.
count-instructions: setup-check .venv/done
	@$(MAKE) --no-print-directory all
	$(PYTHON) tests/instructions.py --write

bench: setup .venv/done
	@$(MAKE) --no-print-directory all
	$(PYTHON) tools/bench.py

# In turn with onnxruntime, OpenVINO, ncnn and MNN, on a machine that does nothing else: a quarter of an hour.
bench-peers: setup .venv/peers
	@$(MAKE) --no-print-directory all
	$(PYTHON) tools/bench.py --only peers

# 59 networks of timm's beside onnxruntime: an hour at first, when they are made.
bench-families: setup build/families-venv/done
	@$(MAKE) --no-print-directory all
	build/families-venv/bin/python tools/families.py

# ---- keeping house ----

CHECKED = $(SOURCES) $(wildcard runtime/*.c)

format:
	clang-format -i $(SOURCES) $(wildcard compiler/*.h compiler/*/*.h runtime/*.[ch])

lint:
	cppcheck -q -D__GNUC__ --enable=warning,portability --std=c11 --inline-suppr --error-exitcode=1 -Icompiler compiler runtime
	clang-tidy --quiet $(CHECKED) -- -std=c11 $(CPPFLAGS)

wc:
	@wc -l compiler/*.[ch] compiler/*/*.[ch] compiler/*/*.def | tail -n 1; wc -l $(TEMPLATES) | tail -n 1

clean:
	rm -rf build

.PHONY: all FORCE gallery install uninstall setup setup-check setup-compilers setup-packages venv venv-peers venv-families demo examples units sanitized windows objects lint-templates warnings cases digits check check-fast check-offline check-packages check-cases check-x86 check-aarch64 check-growth check-onnx check-compilers check-math fuzz fuzz-import count-instructions bench bench-peers bench-families format lint wc clean
