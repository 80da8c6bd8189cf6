#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "query/promql/syntax/function_table.h"

namespace varve::promql {
namespace {

// The names in the documentation's code spans: abs, rate(m)…
std::set<std::string> DocumentedNames() {
  std::ifstream file(VARVE_SOURCE_DIR "/docs/promql.md");
  std::stringstream text;
  text << file.rdbuf();
  std::set<std::string> names;
  std::string word;
  for (const char c : text.str()) {
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_') {
      word += c;
    } else {
      names.insert(word);
      word.clear();
    }
  }
  return names;
}

TEST(PromqlDocs, NameEveryFunction) {
  const std::set<std::string> documented = DocumentedNames();
  for (const FunctionSignature& function : AllFunctions()) {
    EXPECT_TRUE(documented.contains(std::string(function.name))) << function.name;
  }
}

}  // namespace
}  // namespace varve::promql
