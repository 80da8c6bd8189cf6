# The five things a newcomer types. Each installs what is missing (Debian 12), configures and builds.
#
#   make run      build, then serve on 127.0.0.1:3100 with data in ./varve-data
#   make test     build everything and run the whole test suite
#   make build    build/varve only
#   make bench    the micro benchmarks
#   make format   clang-format over our sources
#
# Other builds (debug, asan, tsan, fuzz) are presets: cmake --workflow --preset asan.

JOBS ?= $(shell nproc)
LISTEN ?= 127.0.0.1:3100
DATA_DIR ?= ./varve-data

.PHONY: build run test bench format dependencies configure
.DEFAULT_GOAL := build

dependencies:
	@scripts/install_dependencies.sh

configure: dependencies
	@cmake --preset release

build: configure
	cmake --build build --parallel $(JOBS) --target varve

run: build
	build/varve serve --listen $(LISTEN) --data-dir $(DATA_DIR)

test: configure
	cmake --build build --parallel $(JOBS)
	ctest --test-dir build --parallel 2 --output-on-failure --no-tests=error

bench: configure
	cmake --build build --parallel $(JOBS) --target varve_bench
	set -e; for program in build/bench/*_bench; do echo "== $$program"; $$program; done

format:
	@scripts/install_dependencies.sh --develop
	git ls-files '*.cc' '*.h' | xargs clang-format -i
