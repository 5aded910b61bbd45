# SPDX-License-Identifier: MIT
# A short front for CMake and CTest. `make help` lists what there is.
BUILD  ?= build
PREFIX ?= /usr/local
JOBS   ?= $(shell nproc)
CTEST  ?= ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS) --output-log $(BUILD)/check.log
SOURCES = $(shell git ls-files '*.[ch]')

all: configure ## build the library, build/coppice and the tests
	@cmake --build $(BUILD) -j $(JOBS)

configure: deps
	@test -f $(BUILD)/build.ninja || cmake -G Ninja -B $(BUILD) -DCMAKE_INSTALL_PREFIX=$(PREFIX) $(CMAKE_FLAGS)

deps: ## install from Debian what is missing, saying what and why
	@scripts/deps.sh

demo: configure ## the main job on real memory maps, in under two minutes
	@cmake --build $(BUILD) -j $(JOBS) --target coppice_tool
	@scripts/demo.sh $(BUILD)/coppice

check: all ## build and run every test
	@$(CTEST)
	@BUILD=$(BUILD) scripts/bare.sh table

install: all ## headers, libraries, pkg-config file, tool, maps and man page under DESTDIR/PREFIX
	@DESTDIR=$(DESTDIR) cmake --install $(BUILD) --prefix $(PREFIX)

amalgamation: ## build/amalgamation/ARCH/coppice.[ch] for a freestanding kernel
	@scripts/amalgamate.sh $(BUILD)/amalgamation

bare: deps ## boot the library on QEMU's machines, against real MMUs; one table (make check runs them too)
	@BUILD=$(BUILD) scripts/bare.sh all

fuzz: deps ## fuzz every reader, FUZZ_SECONDS each (default 60)
	@for target in iomem fdt klog schedule inspect_elf inspect_frames inspect_kdump inspect_raw inspect_replies \
		inspect_vmcoreinfo; do scripts/fuzz.sh $$target $(or $(FUZZ_SECONDS),60) || exit 1; done

format: deps ## rewrite the sources as .clang-format says
	@clang-format -i $(SOURCES)

lint: all ## clang-format and clang-tidy, as the CI does
	@scripts/lint.sh $(BUILD)

clean: ## remove the build directory
	@rm -rf $(BUILD)

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile | expand -t 22

.PHONY: all configure deps demo check install amalgamation bare fuzz format lint clean help
