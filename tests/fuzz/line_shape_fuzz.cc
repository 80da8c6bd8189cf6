// Any bytes as a log line: tokens are in order and within it, and its pattern, if it has one, finds it.
#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/base/check.h"
#include "query/patterns/pattern_set.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  std::vector<varve::ShapeToken> tokens;
  varve::SplitLine(line, &tokens);
  VARVE_CHECK(tokens.size() <= varve::kTokensMax);
  uint32_t at = 0;
  for (const varve::ShapeToken& token : tokens) {
    VARVE_CHECK(token.begin >= at && token.begin < token.end && token.end <= line.size());
    at = token.end;
  }
  varve::ShapeTable table(10);
  for (int i = 0; i < 10; ++i) table.Add(line, tokens);
  const std::vector<varve::Shape> shapes = table.Take();
  const varve::PatternSet patterns = varve::PatternSet::Mine(shapes, 10);
  varve::PatternAssigner assigner(patterns);
  if (const auto pattern = assigner.Find(line)) VARVE_CHECK(patterns.Matches(*pattern, line));
  return 0;
}
