#!/usr/bin/env python3
"""Every way to install skipc, each from a clean machine: a fresh clone, an empty folder, env -i with a PATH.

    packages.py [--work DIR] [SECTION ...]

The clone is of what is committed, with what is changed in the working tree. Sections are the methods of Test. What a
machine lacks is said as NOT RUN.
"""
import argparse
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import shells
import wine

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, ".."))
VENV = os.path.join(ROOT, ".venv", "bin")
PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
RECOGNISED = "357 of 360 held-out digits recognised"

# What a user's project has.
CMAKE_C = """\
cmake_minimum_required(VERSION 3.20)
project(app C)
find_package(skipc 0.1 REQUIRED)
skipc_add_model(digits digits.onnx)
skipc_add_model(net large.onnx NAME other OPTIONS --target=c --weights=bin)
add_subdirectory(costly)
if(WRONG)
	skipc_add_model(x y z)
endif()
add_executable(app app.c)
target_link_libraries(app PRIVATE digits net costly skipc::pool skipc::weights)
get_target_property(weights net SKIPC_WEIGHTS)
target_compile_definitions(app PRIVATE "WEIGHTS=\\"${weights}\\"")
"""
CMAKE_CXX = """\
cmake_minimum_required(VERSION 3.20)
project(app CXX)
set(CMAKE_CXX_STANDARD 11)
find_package(skipc REQUIRED)
skipc_add_model(digits digits/digits.onnx)
skipc_add_model(highway digits/highway.onnx)
add_executable(app two_networks/main.cpp)
target_link_libraries(app PRIVATE digits highway)
"""
APP_C = """\
#include "costly.h"
#include "digits.h"
#include "other.h"
#include "skipc_pool.h"
#include "skipc_weights.h"
#include <stdio.h>

int main(void)
{
	static struct digits digits;
	static struct costly costly;
	static _Alignas(64) char prepared[DIGITS_PREPARED_SIZE + COSTLY_PREPARED_SIZE + 1];
	struct skipc_pool *pool = skipc_pool_create(2);
	FILE *weights = fopen(WEIGHTS, "rb");

	if (digits_init(&digits, prepared, NULL) != 0 || costly_init(&costly, prepared, NULL) != 0 || pool == NULL || weights == NULL)
		return 1;
	puts("three networks");
	return 0;
}
"""
# As much of Arduino, Zephyr and ESP-IDF as their packages use.
ARDUINO_H = """\
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
struct Port {
	void begin(long) {}
	void print(const char *s) { fputs(s, stdout); }
	void print(unsigned long v) { printf("%lu", v); }
	void print(double v) { printf("%.2f", v); }
	void println(const char *s = "") { puts(s); }
};
extern Port Serial;
unsigned long micros();
void delay(unsigned long);
"""
ARDUINO_MAIN = """\
Port Serial;
unsigned long micros() { return 0; }
void delay(unsigned long) {}
int main()
{
	setup();
	loop();
}
"""
# A board that is this machine, as arduino-builder wants one described.
ARDUINO_BOARDS = "host.name=This machine\nhost.build.board=HOST\nhost.build.core=native\nhost.build.mcu=host\nhost.build.f_cpu=1\n"
ARDUINO_PLATFORM = """\
name=This machine
version=1.0.0
recipe.c.o.pattern=cc -c -Os -Wall -Werror {includes} "{source_file}" -o "{object_file}"
recipe.cpp.o.pattern=c++ -c -Os -std=gnu++11 -Wall -Werror {includes} "{source_file}" -o "{object_file}"
recipe.ar.pattern=ar rcs "{archive_file_path}" "{object_file}"
recipe.c.combine.pattern=c++ {object_files} "{build.path}/{archive_file}" -o "{build.path}/program"
recipe.preproc.macros=c++ -w -x c++ -E -CC {includes} "{source_file}" -o "{preprocessed_file_path}"
"""
# What reads the packages' files in the tools themselves.
KCONFIG_READ = """\
import kconfiglib, sys
k = kconfiglib.Kconfig(sys.argv[1], warn_to_stderr=False)
s = k.syms["SKIPC_" + sys.argv[2].upper()]
assert kconfiglib.TYPE_TO_STR[s.type] == "bool" and s.str_value == "y" and not k.warnings, (str(s), k.warnings)
"""
MODULE_READ = """\
import sys, yaml
m = yaml.safe_load(open(sys.argv[1]))
assert m == {"name": sys.argv[2], "build": {"cmake": ".", "kconfig": "Kconfig"}}, m
"""
MANIFEST_READ = """\
import sys
from idf_component_tools.manager import ManifestManager
m = ManifestManager(sys.argv[1], sys.argv[2])
m.validate()
assert str(m.manifest.version) == "1.0.0" and "skipc" in m.manifest.description, m.manifest
"""
ZEPHYR = """\
set(CONFIG_SKIPC_DIGITS y)
set(CONFIG_DEBUG_OPTIMIZATIONS y)
macro(zephyr_library_named name)
	add_library(${name} STATIC)
	set(library ${name})
endmacro()
macro(zephyr_library_sources)
	target_sources(${library} PRIVATE ${ARGN})
endmacro()
macro(zephyr_library_compile_options)
	target_compile_options(${library} PRIVATE ${ARGN})
endmacro()
function(zephyr_include_directories)
	foreach(path IN LISTS ARGN)
		get_filename_component(path ${path} ABSOLUTE)
		set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY INCLUDE_DIRECTORIES ${path})
	endforeach()
endfunction()
"""
ESP_IDF = """\
function(idf_component_register)
	cmake_parse_arguments(arg "" "" "SRCS;INCLUDE_DIRS" ${ARGN})
	add_library(digits STATIC ${arg_SRCS})
	target_include_directories(digits PUBLIC ${arg_INCLUDE_DIRS})
	set(COMPONENT_LIB digits PARENT_SCOPE)
endfunction()
"""
PYTHON_USE = """\
import os, sys, threading
import numpy as np
import skipc

folder = sys.argv[1]
path = os.path.join(folder, "digits.onnx")
images, labels = np.load(f"{folder}/images.npy"), np.load(f"{folder}/labels.npy")

def right(net):
    return sum(int(np.argmax(net(x.reshape(1, 1, 8, 8)))) == int(y) for x, y in zip(images, labels))

net = skipc.compile(path)
assert right(net) == 357, right(net)
assert net.inputs == (skipc.Value("image", np.dtype("f4"), (1, 1, 8, 8)),) and net.outputs[0].name == "scores"
work = net.folder
assert os.path.exists(f"{work}/net.c") and "image" in repr(net)
one = net(image=images[0].reshape(1, 1, 8, 8))

# bytes, options, a folder that stays, threads of a call: the same bits
many = skipc.compile(open(path, "rb").read(), folder="kept", threads=3)
assert np.array_equal(one, many(images[0].reshape(1, 1, 8, 8).astype("f8"))) and os.path.exists("kept/net.h")
assert np.abs(skipc.compile(path, "--target=c")(images[0].reshape(1, 1, 8, 8)) - one).max() < 1e-5

# callers in threads of their own
for network in (net, many):
    found = [None] * 8
    def work_of(k):
        found[k] = [network(x.reshape(1, 1, 8, 8)).tobytes() for x in images[k::8]]
    threads = [threading.Thread(target=work_of, args=(k,)) for k in range(8)]
    [t.start() for t in threads]; [t.join() for t in threads]
    assert all(found[k] == [net(x.reshape(1, 1, 8, 8)).tobytes() for x in images[k::8]] for k in range(8))

# names, several inputs and outputs, other types, an open dimension, a scalar
open("sum.skipc", "w").write('''input %a : f32[2,3] #"a b"
input %b : f32[1,3]
%c = Add(%a, %b)
%d = Cast(%c) {to=i32}
output %c #"sum\\u00e9"
output %d as i64
''')
two = skipc.compile("sum.skipc")
a, b = np.arange(6, dtype="f4").reshape(2, 3), np.ones((1, 3), "f4")
c, d = two(a, b=b)
assert np.array_equal(c, a + b) and d.dtype == np.int64 and np.array_equal(d, (a + b).astype("i8")), (c, d)
assert np.array_equal(two(a.T.copy().T, b)[0], c)

# what is wrong is said
def refused(kind, words, call):
    try:
        call()
    except kind as e:
        assert words in str(e), str(e)
    else:
        raise AssertionError(words)

refused(ValueError, "its shape is (2, 3), not (3, 2)", lambda: two(a.T, b))
refused(TypeError, "the inputs are a b, b", lambda: two(a))
refused(TypeError, "its type is float32, not complex64", lambda: two(a * 1j, b))
refused(skipc.Error, "nowhere.onnx", lambda: skipc.compile("nowhere.onnx"))
refused(skipc.Error, "no-compiler", lambda: skipc.compile(path, cc="no-compiler"))
refused(skipc.Error, "--dim wants NAME=N", lambda: skipc.compile(path, dims={"n": 0}))
del net, network
import gc; gc.collect()
assert not os.path.exists(work)
print("all is as it should be")
"""
EXTERNAL = """import onnx, sys
onnx.save(onnx.load(sys.argv[1]), sys.argv[2], save_as_external_data=True, location='large.data', size_threshold=0)"""


class Failure(Exception):
    pass


def check(holds, what):
    if not holds:
        raise Failure(what)


class NotRun(Exception):
    pass


def need(*programs):
    for p in programs:
        if not shutil.which(p, path=PATH):
            raise NotRun(f"{p} is not installed")


def files_below(folder):
    return sorted(os.path.relpath(os.path.join(path, f), folder)
                  for path, folders, files in os.walk(folder)
                  for f in files + [d for d in folders if os.path.islink(os.path.join(path, d))])


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)


class Test:
    def __init__(self, work):
        self.work = work
        self.home = os.path.join(work, "home")
        os.makedirs(self.home)
        self.clone = os.path.join(work, "clone")
        subprocess.run(["git", "clone", "-q", ROOT, self.clone], check=True)
        changed = subprocess.run(["git", "ls-files", "-z", "-m", "-o", "--exclude-standard"], cwd=ROOT, check=True,
                                 capture_output=True, text=True).stdout.split("\0")
        for name in filter(None, changed):
            if os.path.exists(os.path.join(ROOT, name)):
                os.makedirs(os.path.dirname(os.path.join(self.clone, name)), exist_ok=True)
                shutil.copy2(os.path.join(ROOT, name), os.path.join(self.clone, name), follow_symlinks=False)
            elif os.path.exists(os.path.join(self.clone, name)):
                os.remove(os.path.join(self.clone, name))
        self.digits = os.path.join(self.clone, "examples", "digits")
        self.model = os.path.join(work, "digits.onnx")  # stays where it is when the clone is away
        shutil.copy(os.path.join(self.digits, "digits.onnx"), self.model)

    def folder(self, name):
        """An empty one."""
        path = os.path.join(self.work, name)
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path)
        return path

    def run(self, *command, cwd=None, status=0, python=False, **variables):
        """In an empty environment; with `python`, python3 is one that has onnxruntime."""
        environment = {"PATH": f"{VENV}:{PATH}" if python else PATH, "HOME": self.home, **variables}
        with tempfile.TemporaryFile("w+", errors="replace", newline="") as output:  # no pipe: who stays, as Wine's server, has it, too
            done = subprocess.run(command, cwd=cwd or self.folder("empty"), env=environment, stdin=subprocess.DEVNULL, stdout=output,
                                  stderr=subprocess.STDOUT, timeout=1800)
            output.seek(0)
            said = output.read()
        check(status in (None, done.returncode), f"{' '.join(command)}: exit status {done.returncode}\n{said[-3000:]}")
        return said

    def make(self, *words, **options):
        return self.run("make", "-j2", *words, cwd=self.clone, **options)

    def away(self):
        """The clone is not there: with self.away(): .."""
        return Moved(self.clone)

    def helpers_work(self, skipc, **variables):
        """diff, bench and others find what they run, from any folder."""
        said = self.run(skipc, "diff", self.model, python=True, **variables)
        check("ok" in said, said)
        said = self.run(skipc, "bench", self.model, "--runs", "1", "--threads", "2", "--layers", "--json", python=True, **variables)
        times = json.loads(said[said.index("{"):said.rindex("}") + 1])
        check([r["name"] for r in times["results"]][:1] == ["skipc"], said)
        check("--quick" in self.run(skipc, "tune", "--help"), "tune --help")
        said = self.run(skipc, "lesion", self.model, "--rows", "2", "--alone", python=True, **variables)
        check("stays: " in said, said)

    def installed(self):
        """The prefix of an installation, made once; the clone is no more needed."""
        prefix = os.path.join(self.work, "usr")
        if not os.path.exists(prefix):
            self.make("install", f"PREFIX={prefix}")
        return prefix

    def example(self, name, *parts):
        """A copy of the examples that a build of another project takes, and nothing else of the tree."""
        folder = self.folder(name)
        for part in parts:
            shutil.copytree(os.path.join(self.clone, "examples", part), os.path.join(folder, part), symlinks=True)
        return folder

    def recognises(self, program, folder):
        check(RECOGNISED in self.run(program, f"{folder}/digits/images.npy", f"{folder}/digits/labels.npy"), program)

    def firmware(self, kernel):
        """What a Cortex-M4 says: all ten digits, and the bits of this machine."""
        said = self.run("timeout", "120", "qemu-system-arm", "-M", "mps2-an386", "-nographic", "-monitor", "none", "-serial",
                        "none", "-semihosting-config", "enable=on,target=native", "-kernel", kernel)
        host, source = self.folder("host"), os.path.join(self.clone, "examples", "firmware")
        self.run(f"{self.installed()}/bin/skipc", "compile", self.model, "--target=c", "-o", host)
        self.run("sh", "-c", f"cc -O2 -I {host} -I {source} {host}/*.c {source}/main.c {source}/infer.c {source}/board_host.c -o {host}/x")
        bits = re.search(r"hash (\w+)", self.run(f"{host}/x"))[1]
        check("found 0 1 2 3 4 5 6 7 8 9" in said and f"hash {bits}" in said, said)

    def made_again(self, build, path, wanted):
        """A build that does nothing; then that file is touched, and the network is compiled."""
        check(wanted not in self.run(*build), f"{build}: it is made again for nothing")
        os.utime(path)
        check(wanted in self.run(*build), f"{build}: not made again when {path} changes")

    # ---- sections -------------------------------------------------------------------------------

    def offline(self):
        """make check-offline installs nothing, and recognises digits."""
        tools = self.folder("tools")
        for name in ("apt-get", "apt-cache", "dpkg-query", "pip", "pip3"):
            write(f"{tools}/{name}", f"#!/bin/sh\necho {name} >> {tools}/called\nexit 1\n", 0o755)
        said = self.make("check-offline", PATH=f"{tools}:{PATH}")
        check(RECOGNISED in said and "Failures: 0" in said, said[-3000:])
        check(not os.path.exists(f"{tools}/called"), "it called what installs")

    def install(self):
        """make install: the program finds its helpers, staged, in place and copied; uninstall takes all away."""
        prefix, stage, copy = (self.folder(n) for n in ("prefix", "stage", "copy"))
        write(f"{prefix}/bin/other", "#!/bin/sh\n", 0o755)
        self.make("install", f"DESTDIR={stage}", "PREFIX=/usr")
        self.make("install", f"PREFIX={prefix}")
        shutil.copy(f"{prefix}/bin/skipc", f"{copy}/skipc")
        os.symlink(f"{prefix}/bin/skipc", f"{copy}/link")
        check(files_below(stage) == [f"usr/{f}" for f in files_below(prefix) if f != "bin/other"], "other files under DESTDIR")
        version = self.run(f"{copy}/skipc", "--version").split()[1]
        for file, said in (("packaging/cmake/skipcConfigVersion.cmake", f'(PACKAGE_VERSION "{version}")'), ("debian/changelog", f"skipc ({version})")):
            check(said in open(os.path.join(self.clone, file)).read(), f"{file} is not of version {version}")
        with self.away():
            for skipc in (f"{prefix}/bin/skipc", f"{copy}/skipc"):
                self.helpers_work(skipc)
            self.run(f"{stage}/usr/bin/skipc", "diff", self.model, python=True)
            self.run(f"{copy}/link", "diff", self.model, python=True)
            said = self.run(f"{prefix}/bin/skipc", "diff", self.model, status=4)
            check("pip install" in said and "make venv" not in said, said)
        self.make("uninstall", f"DESTDIR={stage}", "PREFIX=/usr")
        self.make("uninstall", f"PREFIX={prefix}")
        check(files_below(stage) == [] and files_below(prefix) == ["bin/other"], "uninstall leaves files")
        said = self.run(f"{copy}/skipc", "diff", self.model, status=1)
        check("there is no tools/compare.py in" in said and "SKIPC_HELPERS" in said, said)
        self.run(f"{copy}/skipc", "diff", self.model, python=True, SKIPC_HELPERS=self.clone)

    def elsewhere(self):
        """make BUILD=.. : the program of a folder that is not in the tree, and a copy of it."""
        copy = self.folder("copy")
        self.make(f"BUILD={self.folder('out')}")
        self.helpers_work(f"{self.work}/out/skipc")
        shutil.move(f"{self.work}/out/skipc", f"{copy}/skipc")
        self.helpers_work(f"{copy}/skipc")

    def cmake_c(self):
        """CMake, a project in C with three models in a folder with a blank: dependencies, names, options, Debug."""
        need("cmake", "ninja")
        folder = self.folder("a project") + "/p"
        write(f"{folder}/CMakeLists.txt", CMAKE_C)
        write(f"{folder}/machine.costs", "")
        write(f"{folder}/app.c", APP_C)
        write(f"{folder}/costly/CMakeLists.txt", 'skipc_add_model(costly ../digits.onnx OPTIONS --target=c --costs ../machine.costs)\n')
        shutil.copy(self.model, folder)
        self.run(f"{VENV}/python", "-c", EXTERNAL, self.model, f"{folder}/large.onnx")
        for generator in ("Unix Makefiles", "Ninja"):
            build = f"{folder}/{generator}"
            self.run("cmake", "-G", generator, "-S", folder, "-B", build, "-DCMAKE_BUILD_TYPE=Debug", f"-DCMAKE_PREFIX_PATH={self.installed()}")
            said = self.run("cmake", "--build", build, "-v")
            for part in ("digits", "digits_weights", "digits_gemm", "other"):
                check(re.search(rf" -O2 .*{part}\.c\.o\b", said), f"{part} is not optimised:\n{said}")
            check(not re.search(r" -O2 .*app\.c\.o\b", said), f"the project's own file is optimised:\n{said}")
            check("--target=" + {"x86_64": "x86-64", "aarch64": "aarch64"}.get(os.uname().machine, "c") in said, said)
            check("three networks" in self.run(f"{build}/app"), "app")
            for changed, name in (("digits.onnx", "digits"), ("large.onnx", "other"), ("large.data", "other"), ("machine.costs", "costly")):
                self.made_again(("cmake", "--build", build), f"{folder}/{changed}", f"Compiling the network {name}")
            self.made_again(("cmake", "--build", build), f"{self.installed()}/bin/skipc", "Compiling the network other")
        said = self.run("cmake", "-S", folder, "-B", f"{build}2", f"-DCMAKE_PREFIX_PATH={self.installed()}", "-DWRONG=ON", status=1)
        check("skipc_add_model(TARGET MODEL [NAME name] [OPTIONS option ...]), not: x;y;z" in said, said)
        self.run("cmake", "-S", folder, "-B", f"{build}3", f"-DCMAKE_PREFIX_PATH={self.installed()}", "-DCMAKE_C_FLAGS=-O1")
        said = self.run("cmake", "--build", f"{build}3", "-v")
        check("-O1" in said and "-O2" not in said, "the user's own optimisation counts")

    def cmake_cxx(self):
        """CMake, a project in C++ alone with two networks; the example."""
        need("cmake", "c++")
        folder = self.example("cxx", "two_networks", "digits")
        write(f"{folder}/CMakeLists.txt", CMAKE_CXX)
        self.run("cmake", "-S", folder, "-B", f"{folder}/build", f"-Dskipc_DIR={self.installed()}/share/cmake/skipc")
        self.run("cmake", "--build", f"{folder}/build")
        self.run(f"{folder}/build/app", f"{folder}/digits/images.npy")
        folder = self.example("cxx", "cmake", "two_networks", "digits")
        self.run("cmake", "-S", f"{folder}/cmake", "-B", f"{folder}/build", f"-DCMAKE_PREFIX_PATH={self.installed()}")
        self.run("cmake", "--build", f"{folder}/build")
        self.run(f"{folder}/build/two_networks", f"{folder}/digits/images.npy")
        self.recognises(f"{folder}/build/classify", folder)

    def cmake_arm(self):
        """CMake, a toolchain file for arm-none-eabi: the firmware of the example, under QEMU."""
        need("cmake", "arm-none-eabi-gcc", "qemu-system-arm")
        folder = self.example("arm", "cmake", "firmware", "digits")
        self.run("cmake", "-S", f"{folder}/cmake", "-B", f"{folder}/build", f"-Dskipc_DIR={self.installed()}/share/cmake/skipc",
                 "-DCMAKE_TOOLCHAIN_FILE=cortex-m4.cmake", "-DCMAKE_BUILD_TYPE=Debug")
        said = self.run("cmake", "--build", f"{folder}/build", "-v")
        check("--target=c" in said, said)
        self.firmware(f"{folder}/build/firmware.elf")

    def meson(self):
        """Meson, the example: C and C++ without optimisation but of the networks, and for arm-none-eabi."""
        need("meson", "ninja", "c++", "arm-none-eabi-gcc", "qemu-system-arm")
        folder = self.example("meson", "meson", "two_networks", "digits", "firmware")
        os.remove(f"{folder}/meson/subprojects/skipc")
        shutil.copytree(f"{self.installed()}/share/skipc/meson", f"{folder}/meson/subprojects/skipc")
        path = f"{self.installed()}/bin:{PATH}"
        self.run("meson", "setup", f"{folder}/build", f"{folder}/meson", "--buildtype=debug", PATH=path)
        said = self.run("ninja", "-v", "-C", f"{folder}/build", PATH=path)
        check(re.search(r" -O2 .*digits\.c", said) and not re.search(r" -O2 .*main\.cpp", said), said)
        self.recognises(f"{folder}/build/classify", folder)
        self.run(f"{folder}/build/two_networks", f"{folder}/digits/images.npy")
        self.made_again(("ninja", "-C", f"{folder}/build"), f"{folder}/digits/digits.onnx", "Generating digits")
        self.run("meson", "setup", f"{folder}/arm", f"{folder}/meson", f"--cross-file={folder}/meson/cortex-m4.ini", PATH=path)
        self.run("ninja", "-C", f"{folder}/arm", PATH=path)
        self.firmware(f"{folder}/arm/firmware.elf")

    def arduino(self):
        """--package=arduino: what Arduino and PlatformIO want of a library; its example runs, on a board that is this machine."""
        need("c++")
        folder = self.folder("arduino")
        write(f"{folder}/Arduino.h", ARDUINO_H)
        write(f"{folder}/two.skipc", "input %a : f32[2,3]\ninput %b : i32[2]\n%c = Relu(%a)\n%d = Add(%b, %b)\noutput %c\noutput %d as i64\n")
        for model, name, printed in ((self.model, "digits", 10), (f"{folder}/two.skipc", "two", 6)):
            library = f"{folder}/{name}"
            self.run(f"{self.installed()}/bin/skipc", "compile", model, "-o", library, "--package=arduino")
            check(files_below(library) == sorted([f"examples/{name}/{name}.ino", "library.json", "library.properties",
                                                  *(f"src/{name}{end}" for end in (".c", ".h", "_gemm.c", "_weights.c"))]), files_below(library))
            given = dict(line.split("=", 1) for line in open(f"{library}/library.properties").read().splitlines())
            check(set(given) == set("name version author maintainer sentence paragraph category url architectures includes".split()) and
                  (given["name"], given["includes"], given["architectures"]) == (name, f"{name}.h", "*") and given["category"] == "Data Processing" and
                  re.fullmatch(r"\d+\.\d+\.\d+", given["version"]), given)
            check(json.load(open(f"{library}/library.json"))["name"] == name, "library.json")
            write(f"{folder}/sketch.cpp", f'#include "Arduino.h"\n{open(f"{library}/examples/{name}/{name}.ino").read()}\n{ARDUINO_MAIN}')
            self.run("sh", "-c", f"cc -Os -c -Wall -Werror -I {library}/src {library}/src/*.c && "
                     f"c++ -std=gnu++11 -Wall -Werror -I {folder} -I {library}/src {folder}/sketch.cpp *.o -o {folder}/sketch")
            said = self.run(f"{folder}/sketch")
            check(len(said.split("us:")[1].split()) == printed, said)
            if shutil.which("arm-none-eabi-gcc", path=PATH):
                self.run("sh", "-c", f"arm-none-eabi-gcc -mcpu=cortex-m0plus -mthumb -Os -c -Wall -Werror -I {library}/src {library}/src/*.c")
        self.run(f"{self.tools('platformio')}/pio", "pkg", "pack", "-o", f"{folder}/digits.tar.gz", f"{folder}/digits")
        packed = self.run("tar", "tzf", f"{folder}/digits.tar.gz").split()
        check({"library.json", "src/digits.c", "examples/digits/digits.ino"} <= set(packed), packed)
        self.builder(folder)

    def builder(self, folder):
        """Arduino's own builder finds the library by its header, and builds its example: for this machine; on AVR it is said what lacks."""
        need("arduino-builder", "avr-gcc")
        core = f"{folder}/boards/skipc/native/cores/native"
        write(f"{core}/Arduino.h", f"#pragma once\n{ARDUINO_H}void setup();\nvoid loop();\n")
        write(f"{core}/main.cpp", f'#include "Arduino.h"\n{ARDUINO_MAIN}')
        write(f"{folder}/boards/skipc/native/boards.txt", ARDUINO_BOARDS)
        write(f"{folder}/boards/skipc/native/platform.txt", ARDUINO_PLATFORM)
        os.makedirs(f"{folder}/libraries")
        os.rename(f"{folder}/digits", f"{folder}/libraries/digits")
        for board, hardware, status in (("skipc:native:host", f"{folder}/boards", 0),
                                        ("arduino:avr:mega:cpu=atmega2560", "/usr/share/arduino/hardware", 1)):
            build = f"{folder}/build-{status}"
            os.makedirs(build)
            said = self.run("arduino-builder", "-compile", "-hardware", hardware, "-hardware", "/usr/share/arduino-builder", "-tools", f"{folder}/boards",
                            "-prefs=runtime.tools.avr-gcc.path=/usr", "-libraries", f"{folder}/libraries", "-fqbn", board, "-build-path", build,
                            f"{folder}/libraries/digits/examples/digits/digits.ino", status=status)
            check(os.path.exists(f"{build}/sketch/digits.ino.cpp.o") and os.path.isdir(f"{build}/libraries/digits"), said)
            if status:
                check("#error" in said and "this needs 32 bits of int" in said, said)
            else:
                check(len(self.run(f"{build}/program").split("us:")[1].split()) == 10, said)

    def tools(self, *names):
        """The programs of an environment with these packages of Python's."""
        venv = os.path.join(self.work, f"venv-{names[0]}")
        if not os.path.exists(venv):
            self.run("python3", "-m", "venv", venv)
            self.run(f"{venv}/bin/pip", "install", "-q", "--disable-pip-version-check", *names)
        return f"{venv}/bin"

    def in_components(self, package, stubs):
        """The folder that --package makes, in a CMake build that has the functions of that system: here and for a Cortex-M4."""
        need("cmake", "arm-none-eabi-gcc")
        folder = self.example(package, "cmake", "digits")
        self.run(f"{self.installed()}/bin/skipc", "compile", self.model, "-o", f"{folder}/net", f"--package={package}")
        write(f"{folder}/CMakeLists.txt", f"cmake_minimum_required(VERSION 3.20)\nproject(app C)\n{stubs}\nadd_subdirectory(net)\n"
                                          "add_executable(classify digits/classify.c)\ntarget_link_libraries(classify PRIVATE digits)\n")
        self.run("cmake", "-S", folder, "-B", f"{folder}/build")
        said = self.run("cmake", "--build", f"{folder}/build", "-v")
        check(re.search(r" -O2 .*digits\.c\.o\b", said), said)
        self.recognises(f"{folder}/build/classify", folder)
        self.run("cmake", "-S", folder, "-B", f"{folder}/arm", f"-DCMAKE_TOOLCHAIN_FILE={folder}/cmake/cortex-m4.cmake")
        self.run("cmake", "--build", f"{folder}/arm", "--target", "digits")
        return f"{folder}/net"

    def zephyr(self):
        """--package=zephyr: a module whose CMakeLists.txt and Kconfig say what Zephyr asks; without Zephyr itself."""
        self.in_components("zephyr", ZEPHYR)
        programs = self.tools("kconfiglib", "pyyaml")  # which Zephyr reads these by
        for name in ("digits", "on"):  # which is a truth value in YAML
            folder = f"{self.work}/module-{name}"
            self.run(f"{self.installed()}/bin/skipc", "compile", self.model, "-o", folder, "--name", name, "--package=zephyr")
            self.run(f"{programs}/python", "-c", KCONFIG_READ, f"{folder}/Kconfig", name)
            self.run(f"{programs}/python", "-c", MODULE_READ, f"{folder}/zephyr/module.yml", name)

    def esp_idf(self):
        """--package=esp-idf: a component; without ESP-IDF itself."""
        net = self.in_components("esp-idf", ESP_IDF)
        self.run(f"{self.tools('idf-component-manager')}/python", "-c", MANIFEST_READ, net, "digits")

    def wheel(self):
        """pip install . and a wheel, in environments without anything: the command, and skipc.compile()."""
        out, venv = self.folder("wheels"), self.folder("python")
        self.run("python3", "-m", "venv", venv)
        python = f"{venv}/bin/python"
        self.run(python, "-m", "pip", "wheel", "-q", "--no-deps", "-w", out, ".", cwd=self.clone)
        self.run(python, "-m", "pip", "install", "-q", f"{out}/{os.listdir(out)[0]}")
        needed = re.findall(r"NEEDED\s+(\S+)", self.run("sh", "-c", f"objdump -p {venv}/lib/python3*/site-packages/skipc/bin/skipc"))
        check("manylinux" not in os.listdir(out)[0] or set(needed) <= {"libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2"}, f"it needs {needed}")
        with self.away():
            for command in ([f"{venv}/bin/skipc"], [python, "-m", "skipc"]):
                said = self.run(*command, "inspect", self.model)
                check("digits.onnx" in said, said)
                check("--peers" in self.run(*command, "bench", "--help"), "bench --help")
            write(f"{self.work}/use.py", PYTHON_USE)
            shutil.copytree(f"{self.clone}-away/examples/digits", f"{self.work}/data", dirs_exist_ok=True)
            said = self.run(python, f"{self.work}/use.py", f"{self.work}/data")
            check(said.endswith("all is as it should be\n"), said)
            self.run(python, "-m", "pip", "install", "-q", "skipc[diff]")
            self.run(python, "-c", f"import onnx, skipc; assert skipc.compile(onnx.load('{self.model}')).outputs[0].shape == (1, 10)")
            self.helpers_work(f"{venv}/bin/skipc")
            check(not any("tools" in f and f.endswith(".pyc") for f in files_below(f"{self.work}/data")), "compiled files")
        venv = self.folder("python2")
        self.run("python3", "-m", "venv", venv)
        self.run(f"{venv}/bin/python", "-m", "pip", "install", "-q", ".", cwd=self.clone)
        self.run(f"{venv}/bin/skipc", "--version")
        self.run(f"{venv}/bin/python", "-m", "pip", "uninstall", "-q", "-y", "skipc")
        check(not any("skipc" in f for f in files_below(venv)), "uninstalled, and something is left")

    def deb(self):
        """dpkg-buildpackage, lintian, and the package in place: it runs, and finds its helpers; then it is purged."""
        need("dpkg-buildpackage", "dh", "dh_python3", "lintian")
        if os.geteuid() != 0:
            raise NotRun("only root can install the package")
        if self.status("skipc"):
            raise NotRun("the package skipc is installed here")
        source = self.folder("deb") + "/skipc"
        shutil.copytree(self.clone, source, symlinks=True, ignore=shutil.ignore_patterns(".git", "build"))
        said = self.run("dpkg-buildpackage", "-us", "-uc", cwd=source)
        check(RECOGNISED in said and "Failures: 0" in said, said[-3000:])
        changes = glob.glob(f"{self.work}/deb/*.changes")
        said = self.run("lintian", "--allow-root", "--fail-on", "error,warning", "--tag-display-limit", "0", *changes, cwd=f"{self.work}/deb")
        print(f"lintian: {said.strip() or 'nothing to say'}")
        package = glob.glob(f"{self.work}/deb/skipc_*.deb")
        before = self.status("python3")
        try:
            self.run("dpkg", "-i", *package, DEBIAN_FRONTEND="noninteractive")
            with self.away():
                shutil.rmtree(source)
                self.run("skipc", "--version")
                out = self.folder("out")
                self.run("skipc", "compile", self.model, "-o", out, "--main")
                self.run("sh", "-c", f"cc -O2 -I {out} {out}/*.c -o {out}/program")
                self.helpers_work("/usr/bin/skipc")
                self.complete()
                check(".B diff MODEL" in self.run("zcat", "/usr/share/man/man1/skipc.1.gz").replace("\\", ""), "the manual page")
                folder = self.folder("cxx")
                write(f"{folder}/CMakeLists.txt", "cmake_minimum_required(VERSION 3.20)\nproject(x C)\nfind_package(skipc REQUIRED)\n"
                                                  f"skipc_add_model(digits {self.model})\n")
                self.run("cmake", "-S", folder, "-B", f"{folder}/build")
                self.run("cmake", "--build", f"{folder}/build")
        finally:
            self.run("dpkg", "--purge", "skipc")
        check(not os.path.exists("/usr/share/skipc") and self.status("python3") == before, "purged, and something is left")

    def complete(self):
        """The shells find what is installed, and offer it."""
        for shell in shells.SHELLS:
            if shells.missing(shell) or shell == "bash" and not os.path.exists("/usr/share/bash-completion/bash_completion"):
                raise Failure(f"{shell} or its completions are not installed: make setup-packages")
            found, said = shells.offers(shell, None, ["skipc ins", "skipc compile --targ"], self.folder("empty"))
            check(list(found.values()) == [{"inspect"}, {"--target"}], f"{shell} offers {found}\n{said}")

    def status(self, package):
        done = subprocess.run(["dpkg-query", "-W", "-f", "${Status}", package], capture_output=True, text=True)
        return "ok installed" in done.stdout

    def windows(self):
        """Cross-built by MinGW, all of it without a warning; under Wine it writes the bytes that this machine's does."""
        compiler = "x86_64-w64-mingw32-gcc"
        need(compiler, "apt-get", "dpkg-source")
        folder = self.folder("windows")
        self.source_packages(folder, "protobuf-c", "nettle")
        nettle, protobuf = (glob.glob(f"{folder}/{n}-*/")[0] for n in ("nettle", "protobuf-c"))
        write(f"{folder}/include/config.h", "")
        os.symlink(nettle, f"{folder}/include/nettle")
        objects = []
        for source in (f"{protobuf}protobuf-c/protobuf-c.c", *(f"{nettle}{f}.c" for f in ("sha256", "sha256-compress", "write-be32"))):
            objects.append(f"{folder}/{os.path.basename(source)}.o")
            self.run(compiler, "-O2", "-w", "-I", protobuf, "-I", nettle, "-I", f"{folder}/include", "-c", source, "-o", objects[-1])
        words = ["BUILD=" + os.path.join(folder, "build"), "LIBXSMM=", "PKG_CONFIG=false", f"LIBRARIES={' '.join(objects)}"]
        # of the C library's macros for isnan() and such
        said = self.make(f"CC={compiler}", *words, f"CPPFLAGS=-I{protobuf} -I{folder}/include -Wno-float-conversion -Werror", "LDFLAGS=-static")
        check("warning" not in said, said)
        if wine.program() is None:
            raise NotRun("wine64 is not installed; the program was built")
        with wine.Wine(f"{folder}/wine") as w:
            self.under_wine(lambda *words, **options: self.run(w.program, f"{folder}/build/skipc.exe", *words, **w.settings, **options).replace("\r", ""),
                            f"{self.installed()}/bin/skipc")

    def under_wine(self, exe, native):
        exe("--version")
        check(exe("--help").split("\n")[-30:] == self.run(native, "--help").split("\n")[-30:], "--help")
        same = 0
        for model in sorted(glob.glob(os.path.join(self.clone, "tests", "cases", "*", "model.onnx")))[::23] + [self.model]:
            for options in (["--target=c", "--main", "--for-build"], ["--target=aarch64", "--weights=bin"]):
                given = ["compile", model, "--name", "net", "-o", "out", *options]
                ours, theirs = self.folder("ours"), self.folder("theirs")
                self.run(native, *given, cwd=ours)
                exe(*given, cwd=theirs)
                check(files_below(ours) == files_below(theirs), f"{model}: {files_below(ours)}, {files_below(theirs)}")
                for f in files_below(ours):
                    a, b = (open(os.path.join(d, f), "rb").read() for d in (ours, theirs))
                    b = b.replace(b"Z:/", b"/") if f.endswith(".d") else b  # paths without links
                    check(a == b, f"{model} {' '.join(options)}: {f} differs")
                same += 1
        check(same > 20, f"{same} compilations")
        out = "Z:" + self.folder("out").replace("/", "\\")
        exe("compile", "Z:" + self.model.replace("/", "\\"), "-o", f"{out}\\a\\b", "--target=c")
        check(files_below(f"{self.work}/out") == ["a/b/digits.c", "a/b/digits.h", "a/b/digits_weights.c"], "a path of Windows")
        check(json.loads(exe("inspect", "--json", self.model, "--target=c"))["name"] == "digits", "inspect")
        check("nowhere.onnx" in exe("compile", "nowhere.onnx", "-o", "x", status=1), "a file that is not there")

    def source_packages(self, folder, *names):
        """Unpacked there, by apt, from where this system has its packages."""
        lists = []
        for path in ["/etc/apt/sources.list", *glob.glob("/etc/apt/sources.list.d/*")]:
            text = open(path).read() if os.path.exists(path) else ""
            if re.search(r"debian|ubuntu", os.path.basename(path) + text):
                lists.append((path, re.sub(r"(?m)^(Types:) .*", r"\1 deb-src", re.sub(r"(?m)^deb ", "deb-src ", text))))
        os.makedirs(f"{folder}/apt/parts")
        os.makedirs(f"{folder}/apt/lists/partial")
        for path, text in lists:
            name = os.path.basename(path)
            write(f"{folder}/apt/parts/{name if name != 'sources.list' else 'system.list'}", text)
        options = [f"-oDir::Etc::sourceparts={folder}/apt/parts", "-oDir::Etc::sourcelist=/dev/null", f"-oDir::State::lists={folder}/apt/lists",
                   "-oAPT::Sandbox::User=root"]
        try:
            self.run("apt-get", "-q", *options, "update")
            self.run("apt-get", "-q", *options, "source", *names, cwd=folder)
        except Failure as e:
            raise NotRun(f"no source packages of {' and '.join(names)}: {e}") from None


class Moved:
    def __init__(self, path):
        self.path = path

    def __enter__(self):
        os.rename(self.path, self.path + "-away")

    def __exit__(self, *_):
        os.rename(self.path + "-away", self.path)


SECTIONS = [Test.offline, Test.install, Test.elsewhere, Test.cmake_c, Test.cmake_cxx, Test.cmake_arm, Test.meson, Test.arduino, Test.zephyr, Test.esp_idf, Test.wheel, Test.deb, Test.windows]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", help="where everything is made, and stays")
    p.add_argument("sections", nargs="*", metavar="SECTION", help=" ".join(s.__name__ for s in SECTIONS))
    a = p.parse_args()
    chosen = [s for s in SECTIONS if not a.sections or s.__name__ in a.sections]
    if len(chosen) < len(a.sections):
        p.error(f"sections are {' '.join(s.__name__ for s in SECTIONS)}")
    failed = left_out = 0
    with tempfile.TemporaryDirectory(prefix="skipc-packages-") as temporary:
        test = Test(os.path.abspath(a.work) if a.work else temporary)
        for section in chosen:
            start, how = time.time(), "ok"
            try:
                section(test)
            except NotRun as e:
                left_out += 1
                how = f"NOT RUN: {e}"
            except (Failure, OSError, ValueError, subprocess.SubprocessError) as e:
                failed += 1
                how = f"FAILED: {e}"
            print(f"packages: {section.__name__}, {time.time() - start:.0f} s: {how}", flush=True)
    print(f"packages.py: {len(chosen) - failed - left_out} passed, {failed} failed, {left_out} not run")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
