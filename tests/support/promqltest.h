// Runs a test script of Prometheus's promqltest language against our engine and a store in memory.
//
// Settings as in Prometheus's own runner: prom_surface 5.4. Every instant eval runs up to three ways (as written, with
// every time pinned by @ and evaluated at other times, and as the middle of a range), and must give the same in all.
// Threads: one script a thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"

namespace varve::promqltest {

struct Failure {
  int line = 0;
  std::string text;  // `name:17: <query>: expected …`
};

struct ScriptReport {
  size_t evals = 0;
  size_t passed_as_written = 0;  // the first way
  size_t passed = 0;             // all ways
  std::vector<Failure> failures;
};

// kInvalidArgument: the script itself is wrong.
Result<ScriptReport> RunScript(const std::string& name, std::string_view text);

}  // namespace varve::promqltest
