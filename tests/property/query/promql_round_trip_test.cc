// Random PromQL expressions: printing and parsing give the same tree, in both printed forms.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "query/promql/syntax/function_table.h"
#include "query/promql/syntax/parser.h"

namespace varve::promql {
namespace {

class RandomQuery {
 public:
  explicit RandomQuery(uint64_t seed) : random_(seed) {}

  std::string Of(ValueType type, int depth) {
    switch (type) {
      case ValueType::kScalar: return Scalar(depth);
      case ValueType::kString: return Pick({"\"a\"", "'b\\n'", "`c\"`", "\"\\u00fc\""});
      case ValueType::kMatrix: return Matrix(depth);
      default: return Vector(depth);
    }
  }

 private:
  size_t Below(size_t n) { return random_() % n; }
  std::string Pick(const std::vector<std::string>& texts) { return texts[Below(texts.size())]; }
  std::string Labels() { return Pick({"()", "(a)", "(a, by)", "(\"x.y\", on,)"}); }

  std::string Duration(int depth) {
    if (depth <= 0 || Below(2) == 0) return Pick({"5m", "1h30m", "90", "step()", "range()", "1d"});
    const std::string a = Duration(depth - 1);
    const std::string b = Duration(depth - 1);
    return Pick({"(" + a + ")", a + " * " + b, a + " + " + b, "(" + a + " - " + b + ")", "max_of(" + a + ", " + b + ")",
                 a + " ^ 2", "-(" + a + ") + " + b});
  }
  std::string Shift(int depth) {
    const std::string offset = Pick({"", "", " offset 5m", " offset -1w", " offset (" + Duration(depth) + ")",
                                     " offset -step()", " offset min_of(1m, step())"});
    const std::string at = Pick({"", "", " @ 1234.5", " @ start()", " @ end()", " @ -3"});
    return Below(2) == 0 ? offset + at : at + offset;
  }
  std::string Selector() {
    return Pick({"up", "a:b", "sum", "offset", "up{a=\"b\"}", "{__name__=~\"x.+\",b!~\"c\"}", "{\"m.n\", 'a.b'!='c'}",
                 "up{a=~\"(b|c)\",}"});
  }
  std::string Matrix(int depth) {
    if (depth > 0 && Below(3) == 0) {
      const std::string step = Below(2) == 0 ? "" : Duration(1);
      return "(" + Vector(depth - 1) + ")[" + Duration(1) + ":" + step + "]" + Shift(1);
    }
    return Selector() + "[" + Duration(1) + "]" + Pick({"", "", " anchored", " smoothed"}) + Shift(1);
  }
  std::string Scalar(int depth) {
    if (depth <= 0) return Pick({"1", "0.5", "0x10", "1e-9", "NaN", "5m", "-3", "time()"});
    switch (Below(4)) {
      case 0: return "scalar(" + Vector(depth - 1) + ")";
      case 1: return "-(" + Scalar(depth - 1) + ")";
      case 2: return Scalar(depth - 1) + Pick({" + ", " ^ ", " % ", " == bool "}) + Scalar(depth - 1);
      default: return Scalar(0);
    }
  }
  std::string Vector(int depth) {
    // In parentheses: an offset that begins with one would go on with the operator behind it.
    if (depth <= 0) return "(" + Selector() + Shift(1) + ")";
    switch (Below(6)) {
      case 0: return Aggregate(depth);
      case 1: return Binary(depth);
      case 2: return Pick({"-", "+"}) + Vector(depth - 1);
      case 3: return "(" + Vector(depth - 1) + ")";
      case 4: return "logql(`sum(rate({a=\"b\"}[5m]))`)";
      default: return Call(depth);
    }
  }
  std::string Aggregate(int depth) {
    const std::string modifier = Pick({"", "", " by " + Labels(), " without " + Labels()});
    const std::string op = Pick({"sum", "avg", "group", "stddev", "topk", "quantile", "count_values", "limit_ratio"});
    const bool number = op == "topk" || op == "quantile" || op == "limit_ratio";
    const std::string parameter = op == "count_values" ? "\"v\", " : number ? Scalar(depth - 1) + ", " : "";
    const std::string body = "(" + parameter + Vector(depth - 1) + ")";
    return Below(2) == 0 ? op + modifier + body : op + body + modifier;
  }
  std::string Binary(int depth) {
    const bool set = Below(4) == 0;
    const std::string op = set ? Pick({"and", "or", "unless"})
                               : Pick({"+", "-", "*", "/", "%", "^", "atan2", "==", "!=", "< bool", ">=", "</", ">/"});
    std::string match = Pick({"", "on (m)", "ignoring (m, n)"});
    if (!set && !match.empty()) match += Pick({"", " group_left ()", " group_right (x)"});
    if (!set) match += Pick({"", "", " fill (0)", " fill_right (-1.5) fill_left (2)"});
    return Vector(depth - 1) + " " + op + " " + match + " " + Vector(depth - 1);
  }
  std::string Call(int depth) {
    const auto functions = AllFunctions();
    while (true) {
      const FunctionSignature& function = functions[Below(functions.size())];
      if (function.result != ValueType::kVector || function.name == "info") continue;
      std::string args;
      for (size_t i = 0; i < function.args.size(); ++i) {
        args += (i == 0 ? "" : ", ") + Of(function.args[i], depth - 1);
      }
      return std::string(function.name) + "(" + args + ")";
    }
  }

  std::mt19937_64 random_;
};

TEST(PromqlRoundTrip, PrintedTextHasTheSameTree) {
  const char* given = std::getenv("VARVE_TEST_SEED");
  const uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  SCOPED_TRACE("VARVE_TEST_SEED=" + std::to_string(seed));
  RandomQuery random(seed);
  for (int i = 0; i < 4000; ++i) {
    const std::string text = random.Of(i % 8 == 0 ? ValueType::kScalar : ValueType::kVector, 1 + i % 4);
    const Result<ExprPtr> parsed = ParseExpr(text);
    ASSERT_TRUE(parsed.ok()) << text << "\n" << parsed.status().message();
    const std::string printed = ToString(**parsed);
    for (const std::string& form : {printed, Prettify(**parsed)}) {
      const Result<ExprPtr> again = ParseExpr(form);
      ASSERT_TRUE(again.ok()) << text << "\n" << form << "\n" << again.status().message();
      ASSERT_EQ(ToString(**again), printed) << text;
    }
  }
}

}  // namespace
}  // namespace varve::promql
