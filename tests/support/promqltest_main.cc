// promqltest [-v] SCRIPT…: runs test scripts, prints what failed and how many of their evals passed, a line a script.
//
// The exit status is 0 only if every eval of every script passed.
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/support/promqltest.h"

int main(int argc, char** argv) {
  using namespace varve;  // NOLINT(google-build-using-namespace): one function
  size_t evals = 0;
  size_t passed = 0;
  bool ok = argc > 1;
  for (int i = 1; i < argc; ++i) {
    const std::string path = argv[i];
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    if (!file) {
      std::fprintf(stderr, "%s: cannot be read\n", path.c_str());
      return 2;
    }
    const std::string name = path.substr(path.rfind('/') + 1);
    const Result<promqltest::ScriptReport> report = promqltest::RunScript(name, text.str());
    if (!report.ok()) {
      std::printf("%s: %s\n", name.c_str(), report.status().message().c_str());
      ok = false;
      continue;
    }
    for (const std::string& failure : report->failures) std::printf("%s\n", failure.c_str());
    std::printf("%-28s %4zu evals, %4zu pass as written, %4zu in every way\n", name.c_str(), report->evals,
                report->passed_as_written, report->passed);
    std::fflush(stdout);
    evals += report->evals;
    passed += report->passed;
    ok = ok && report->evals > 0 && report->passed == report->evals;
  }
  std::printf("%zu of %zu evals passed\n", passed, evals);
  return ok ? 0 : 1;
}
