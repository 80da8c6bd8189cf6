// The examples of docs/logql.md do what it says.
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "query/logql/parser.h"

namespace varve::logql {
namespace {

// The lines of every block fenced as ```<language>.
std::vector<std::string> Lines(const std::string& language) {
  std::ifstream file(std::string(VARVE_SOURCE_DIR) + "/docs/logql.md");
  std::vector<std::string> lines;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("```")) {
      inside = line == "```" + language;
    } else if (inside) {
      lines.push_back(line);
    }
  }
  return lines;
}

TEST(LogqlDocsTest, ExamplesParse) {
  const std::vector<std::string> queries = Lines("logql");
  ASSERT_FALSE(queries.empty());
  for (const std::string& query : queries) {
    const Result<ExprPtr> parsed = ParseExpr(query);
    EXPECT_TRUE(parsed.ok()) << query << "\n" << parsed.status().message();
  }
}

TEST(LogqlDocsTest, RefusedExamplesAreRefusedInThoseWords) {
  const std::vector<std::string> lines = Lines("logql-refused");
  ASSERT_FALSE(lines.empty());
  ASSERT_EQ(lines.size() % 2, 0u) << "a query and its error";
  for (size_t i = 0; i < lines.size(); i += 2) {
    EXPECT_EQ(ParseExpr(lines[i]).status().message(), lines[i + 1]) << lines[i];
  }
}

}  // namespace
}  // namespace varve::logql
