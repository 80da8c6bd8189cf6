// promqltest_run [--differs LIST] SCRIPT…: runs test scripts, prints what failed and how many of their evals passed, a
// line a script.
//
// LIST names evals that expect what later versions of Prometheus do not do, as `script.test:17 why`; each of them must
// fail, so that the list stays true. The exit status is 0 only if everything else passed.
#include <cstdio>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "tests/support/promqltest.h"

namespace {

struct Totals {
  size_t evals = 0;
  size_t passed = 0;
  bool ok = true;
};

bool ReadFile(const std::string& path, std::string* text) {
  std::ifstream file(path);
  std::stringstream all;
  all << file.rdbuf();
  *text = all.str();
  if (!file) std::fprintf(stderr, "%s: cannot be read\n", path.c_str());
  return static_cast<bool>(file);
}

// `script.test:17` of each line that is not a comment.
std::set<std::string> Places(const std::string& list) {
  std::set<std::string> places;
  std::stringstream lines(list);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line[0] != '#') places.insert(line.substr(0, line.find(' ')));
  }
  return places;
}

void RunOne(const std::string& name, const std::string& text, const std::set<std::string>& differs, Totals* totals) {
  const varve::Result<varve::promqltest::ScriptReport> report = varve::promqltest::RunScript(name, text);
  if (!report.ok()) {
    std::printf("%s: %s\n", name.c_str(), report.status().message().c_str());
    totals->ok = false;
    return;
  }
  size_t listed = 0;
  for (const std::string& place : differs) listed += place.starts_with(name + ":") ? 1 : 0;
  size_t failed_as_listed = 0;
  for (const varve::promqltest::Failure& failure : report->failures) {
    if (differs.contains(name + ":" + std::to_string(failure.line))) {
      ++failed_as_listed;
    } else {
      std::printf("%s\n", failure.text.c_str());
    }
  }
  std::printf("%-28s %4zu evals, %4zu pass as written, %4zu in every way", name.c_str(), report->evals,
              report->passed_as_written, report->passed);
  if (listed > 0) std::printf(", %zu of %zu listed differ", failed_as_listed, listed);
  std::printf("\n");
  std::fflush(stdout);
  totals->evals += report->evals;
  totals->passed += report->passed;
  const bool complete = report->passed + listed == report->evals && failed_as_listed == listed;
  totals->ok = totals->ok && report->evals > 0 && complete;
}

}  // namespace

int main(int argc, char** argv) {
  Totals totals;
  std::set<std::string> differs;
  int first = 1;
  std::string text;
  if (argc > 2 && std::string(argv[1]) == "--differs") {
    if (!ReadFile(argv[2], &text)) return 2;
    differs = Places(text);
    first = 3;
  }
  for (int i = first; i < argc; ++i) {
    const std::string path = argv[i];
    if (!ReadFile(path, &text)) return 2;
    RunOne(path.substr(path.rfind('/') + 1), text, differs, &totals);
  }
  std::printf("%zu of %zu evals passed\n", totals.passed, totals.evals);
  return totals.ok && totals.evals > 0 ? 0 : 1;
}
