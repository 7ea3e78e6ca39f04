# skipc. `make` builds build/skipc; `make demo` and `make check` also install what is missing.
# Everything made goes to build/, but for the Python environment (.venv).

CC      ?= cc
CFLAGS  ?= -O2 -g
WARN     = -Wall -Wextra -Wpedantic -Wconversion -Wshadow
CPPFLAGS += -D_POSIX_C_SOURCE=200809L -Icompiler -Ibuild
LDLIBS   = -lprotobuf-c -lnettle -lm
PYTHON   = .venv/bin/python

SOURCES   = $(wildcard compiler/*.c)
OBJECTS   = $(SOURCES:compiler/%.c=build/compiler/%.o) build/templates.o build/compiler/onnx.pb-c.o
LIBRARY   = $(filter-out build/compiler/main.o,$(OBJECTS))
TEMPLATES = $(wildcard templates/*.c templates/*/*.c)

all: build/skipc

build/skipc: $(OBJECTS)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

build/compiler/%.o: compiler/%.c build/compiler/onnx.pb-c.h
	@mkdir -p $(@D)
	$(CC) -std=c11 $(CPPFLAGS) $(CFLAGS) $(WARN) -MMD -c -o $@ $<

build/compiler/onnx.pb-c.c build/compiler/onnx.pb-c.h &: compiler/onnx.proto
	@mkdir -p $(@D)
	protoc-c --c_out=build $<

build/compiler/onnx.pb-c.o: build/compiler/onnx.pb-c.c
	$(CC) -std=c11 $(CPPFLAGS) $(CFLAGS) -w -c -o $@ $<

build/templates.c: $(TEMPLATES) tools/embed.sh
	@mkdir -p $(@D)
	sh tools/embed.sh $(TEMPLATES) > $@.tmp && mv $@.tmp $@

build/templates.o: build/templates.c
	$(CC) -std=c11 $(CPPFLAGS) $(CFLAGS) $(WARN) -c -o $@ $<

clean:
	rm -rf build

-include $(wildcard build/compiler/*.d)

.PHONY: all clean
