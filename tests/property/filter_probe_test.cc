// Dropping rows early never changes an answer: random lines, good and broken, through pipelines that begin
// with a parser and filters, against the same stages behind a stage that does nothing but forbids the probe.
#include <cstdio>
#include <random>

#include <gtest/gtest.h>

#include "tests/support/pipeline_case.h"

namespace varve::logql {
namespace {

constexpr const char* kParsers[] = {"| json",
                                    "| logfmt",
                                    "| logfmt --strict",
                                    "| logfmt --keep-empty",
                                    "| regexp `(?P<a>\\w)=?(?P<b>\\w*)`",
                                    "| pattern `<a>=<b> <c>`"};
constexpr const char* kFilters[] = {"| a=`1`",
                                    "| a!=`1`",
                                    "| a=~`1|2`",
                                    "| a=``",
                                    "| a > 1",
                                    "| b=`1` or a=`2`",
                                    "| a=`1`, c!=`2`",
                                    "| app=`q`",
                                    "| app_extracted=`1`",
                                    "| b >= 1s",
                                    "| (a=`1` or b=`2`) and c=`1`",
                                    "| __error__=``",
                                    "| a_b=`1`"};
constexpr const char* kJsonPieces[] = {"\"a\":1",         "\"a\":\"2\"",       "\"b\":\"1s\"",  "\"c\":tru",
                                       "\"a\":{\"b\":1}", "\"a\":{\"x\":tru}", "\"app\":\"1\"", "\"c\" 1",
                                       "\"c\":[1,2]",     "\"a\":\"unterm"};
constexpr const char* kLogfmtPieces[] = {"a=1",        "a=2",     "b=1s",  "c=1", "=x",
                                         "a=\"unterm", "c=\"2\"", "app=1", "a=",  "b"};

TEST(FilterProbe, NeverChangesTheAnswer) {
  const unsigned seed = std::random_device{}();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  const auto below = [&](size_t n) { return random() % n; };
  for (int round = 0; round < 3000; ++round) {
    std::string stages = kParsers[below(std::size(kParsers))];
    for (size_t i = 1 + below(2); i > 0; --i)
      stages += std::string(" ") + kFilters[below(std::size(kFilters))];
    std::string line;
    const bool json = stages.starts_with("| json");
    for (size_t i = below(5); i > 0; --i) {
      if (!line.empty()) line += json ? "," : " ";
      line +=
          json ? kJsonPieces[below(std::size(kJsonPieces))] : kLogfmtPieces[below(std::size(kLogfmtPieces))];
    }
    if (json) line = "{" + line + (below(8) == 0 ? "" : "}");
    ASSERT_EQ(RunPipeline(stages, line), RunPipeline("| label_format zz=zz " + stages, line))
        << stages << " on " << line;
  }
}

}  // namespace
}  // namespace varve::logql
