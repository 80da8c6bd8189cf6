// parse(print(tree)) == tree, on random trees.
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "query/logql/parser.h"
#include "query/logql/printer.h"
#include "tests/support/logql_ast.h"

namespace varve::logql {
namespace {

constexpr int kTrees = 5000;
constexpr int kDepth = 4;

TEST(LogqlRoundTrip, PrintingAndParsingGivesTheSameTree) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int i = 0; i < kTrees; ++i) {
    const ExprPtr tree = RandomExpr(random, kDepth);
    const std::string text = Print(*tree);
    const Result<ExprPtr> parsed = ParseExpr(text);
    ASSERT_TRUE(parsed.ok()) << text << "\n" << parsed.status().message();
    ASSERT_EQ(Dump(**parsed), Dump(*tree)) << text;
  }
}

TEST(LogqlRoundTrip, PrettyTextParsesAndSettles) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int i = 0; i < kTrees; ++i) {
    // The first printing rounds sizes and splits negated line filters; 999.6kB, rounded, is 1000kB and
    // so 1.0MB the second time. From then on the text stays.
    std::string text = PrintPretty(*RandomExpr(random, kDepth));
    for (int round = 0; round < 2; ++round) {
      const Result<ExprPtr> parsed = ParseExpr(text);
      ASSERT_TRUE(parsed.ok()) << text << "\n" << parsed.status().message();
      const std::string again = PrintPretty(**parsed);
      if (round == 1) {
        ASSERT_EQ(again, text);
      }
      text = again;
    }
  }
}

}  // namespace
}  // namespace varve::logql
