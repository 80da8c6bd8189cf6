#include <array>
#include <cmath>
#include <limits>

#include "engine/base/check.h"
#include "engine/base/time.h"
#include "query/logql/literals.h"
#include "tests/support/logql_ast.h"

namespace varve::logql {
namespace {

class Generator {
 public:
  explicit Generator(std::mt19937_64& random) : random_(random) {}

  ExprPtr Expression(int depth) { return Chance(4) ? LogQuery(depth) : Metric(depth); }

  ExprPtr LogQuery(int depth) {
    LogSelector log;
    Selector(&log, depth);
    return Make(std::move(log));
  }

 private:
  size_t Below(size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random_); }
  bool Chance(size_t one_in) { return Below(one_in) == 0; }
  template <typename Enum>
  Enum Pick(Enum last) {
    return static_cast<Enum>(Below(static_cast<size_t>(last) + 1));
  }
  template <typename Node>
  static ExprPtr Make(Node node) {
    return std::make_unique<const Expr>(Expr{std::move(node)});
  }

  std::string Name() {
    // Function names are labels too, and so is whatever else the language itself uses after a parenthesis.
    static constexpr std::array<const char*, 16> kNames = {
        "a",  "job",      "Level",  "_x1",       "sum", "rate", "count", "bytes",
        "ip", "duration", "vector", "__error__", "of",  "topk", "sort",  "label_replace"};
    return kNames[Below(kNames.size())];
  }
  std::vector<std::string> Names(size_t max) {
    std::vector<std::string> names(Below(max + 1));
    for (std::string& name : names) name = Name();
    return names;
  }
  std::string Text() {
    static constexpr std::array<std::string_view, 14> kPieces = {
        "x",      "foo bar", "\"",   "\\",   "\n",           "`",    "\t",
        "{{.a}}", "\xff",    "日本", "\x01", "# no comment", "a.b*", "\u2028"};
    std::string text;
    for (size_t i = Below(4); i > 0; --i) text += kPieces[Below(kPieces.size())];
    return text;
  }
  std::string Pattern() {
    static constexpr std::array<const char*, 7> kPatterns = {"a|b",      ".*", "a.b",  "(?i)x+",
                                                             "\\d{2}\"", "",   "日|\n"};
    return kPatterns[Below(kPatterns.size())];
  }
  double Number() {
    switch (Below(4)) {
      case 0: return static_cast<double>(Below(1000));
      case 1: return static_cast<double>(Below(1'000'000'000)) / 1000;
      case 2: return std::ldexp(static_cast<double>(random_() >> 11), static_cast<int>(Below(1500)) - 900);
      default: return static_cast<double>(Below(10)) * 1e20;
    }
  }

  Matcher OneMatcher(std::string name, bool dot_matches_newline) {
    const MatchOp op = Pick(MatchOp::kRegexNotMatch);
    const bool is_regex = op == MatchOp::kRegexMatch || op == MatchOp::kRegexNotMatch;
    Result<Matcher> matcher =
        Matcher::Create(std::move(name), op, is_regex ? Pattern() : Text(), dot_matches_newline);
    VARVE_CHECK(matcher.ok());
    return *std::move(matcher);
  }

  void Selector(LogSelector* out, int depth) {
    for (size_t i = Below(3); i > 0; --i) out->matchers.push_back(OneMatcher(Name(), true));
    Result<Matcher> selective = Matcher::Create(Name(), MatchOp::kEqual, "v" + Text(), true);
    VARVE_CHECK(selective.ok());
    out->matchers.push_back(*std::move(selective));
    for (size_t i = Below(4); i > 0; --i) {
      Stage stage = OneStage(depth);
      if (out->stages.empty() || !WouldBeItsMatcher(out->stages.back(), stage))
        out->stages.push_back(std::move(stage));
    }
  }

  // In `| keep a != "x"` the line filter belongs to the name before it.
  static bool WouldBeItsMatcher(const Stage& before, const Stage& stage) {
    const auto* filter = std::get_if<LineFilter>(&stage);
    if (filter == nullptr ||
        (filter->op != LineFilterOp::kNotContains && filter->op != LineFilterOp::kNotRegex)) {
      return false;
    }
    const auto* drop = std::get_if<DropLabels>(&before);
    const auto* keep = std::get_if<KeepLabels>(&before);
    return (drop != nullptr && !drop->items.back().matcher) ||
           (keep != nullptr && !keep->items.back().matcher);
  }

  Stage OneStage(int depth) {
    switch (Below(13)) {
      case 0: return JsonParser{Extractions()};
      case 1: return LogfmtParser{Chance(2), Chance(2), Extractions()};
      case 2: return RegexpParser{Text()};
      case 3: return PatternParser{Text()};
      case 4: return UnpackParser();
      case 5: return LineFormat{Text()};
      case 6: return LabelFormats();
      case 7: return Decolorize();
      case 8: return DropLabels{Selections()};
      case 9: return KeepLabels{Selections()};
      case 10: return LabelFilterStage{Filter(depth)};
      default: return LineFilters();
    }
  }

  std::vector<Extraction> Extractions() {
    std::vector<Extraction> extractions(Below(3));
    for (Extraction& extraction : extractions) {
      extraction.name = Name();
      extraction.explicit_expression = Chance(2);
      extraction.expression = extraction.explicit_expression ? Text() : extraction.name;
    }
    return extractions;
  }
  LabelFormat LabelFormats() {
    LabelFormat format;
    for (size_t i = 1 + Below(2); i > 0; --i) {
      const bool is_rename = Chance(2);
      format.assignments.push_back({Name(), is_rename ? Name() : Text(), is_rename});
    }
    return format;
  }
  std::vector<LabelSelection> Selections() {
    std::vector<LabelSelection> items(1 + Below(2));
    for (LabelSelection& item : items) {
      item.name = Name();
      if (Chance(2)) item.matcher = OneMatcher(item.name, false);
    }
    return items;
  }
  LineFilter LineFilters() {
    LineFilter filter;
    filter.op = Pick(LineFilterOp::kNotPattern);
    const bool is_regex = filter.op == LineFilterOp::kRegex || filter.op == LineFilterOp::kNotRegex;
    const bool is_substring = filter.op == LineFilterOp::kContains || filter.op == LineFilterOp::kNotContains;
    for (size_t i = 1 + Below(3); i > 0; --i) {
      filter.terms.push_back({is_regex ? Pattern() : Text(), is_substring && Chance(4)});
    }
    return filter;
  }

  LabelFilterPtr Filter(int depth) {
    LabelFilter filter{IpLabelFilter{Name(), Chance(2), Text()}};
    switch (Below(depth > 0 ? 8 : 5)) {
      case 0: filter.node = StringLabelFilter{OneMatcher(Name(), false)}; break;
      case 1: {
        const double value = Number() * (Chance(3) ? -1 : 1);
        std::string text;
        AppendPlainNumber(&text, value);
        filter.node = NumberLabelFilter{Name(), Pick(CompareOp::kLe), value, text};
        break;
      }
      case 2: filter.node = DurationLabelFilter{Name(), Pick(CompareOp::kLe), Duration()}; break;
      case 3: filter.node = BytesLabelFilter{Name(), Pick(CompareOp::kLe), random_() >> Below(64)}; break;
      case 4: break;
      default: filter.node = BinaryLabelFilter{Chance(2), Filter(depth - 1), Filter(depth - 1)}; break;
    }
    return std::make_shared<const LabelFilter>(std::move(filter));
  }
  int64_t Duration() {
    switch (Below(3)) {
      case 0: return static_cast<int64_t>(Below(100)) * kNsPerSecond;
      case 1: return static_cast<int64_t>(random_());
      default: return static_cast<int64_t>(random_() >> Below(64)) / 2;
    }
  }

  ExprPtr Metric(int depth) {
    if (depth <= 0) return Chance(3) ? Make(VectorFunction{Number()}) : Range(depth);
    switch (Below(5)) {
      case 0: return Range(depth);
      case 1: return Vector(depth);
      case 2: return Replace(depth);
      case 3: return Make(VectorFunction{Number()});
      default: return Operation(depth);
    }
  }

  std::optional<Grouping> Group() {
    if (Chance(2)) return std::nullopt;
    return Grouping{Chance(2), Names(3)};
  }

  ExprPtr Range(int depth) {
    RangeAggregation aggregation;
    aggregation.op = Pick(kLastRangeOp);
    Selector(&aggregation.range.selector, depth);
    aggregation.range.range_ns = static_cast<int64_t>(Below(1ULL << 40)) * kNsPerMs / (Chance(2) ? 1 : 1000);
    aggregation.range.range_ns -= aggregation.range.range_ns % kNsPerMs;
    if (Chance(3)) aggregation.range.offset_ns = Duration();
    bool may_group = true;
    bool unwraps = true;
    switch (aggregation.op) {
      case RangeOp::kCountOverTime:
      case RangeOp::kBytesOverTime:
      case RangeOp::kBytesRate: unwraps = may_group = false; break;
      case RangeOp::kRate:
      case RangeOp::kAbsentOverTime:
        unwraps = Chance(2);
        may_group = false;
        break;
      case RangeOp::kSumOverTime:
      case RangeOp::kRateCounter: may_group = false; break;
      case RangeOp::kQuantileOverTime: aggregation.parameter = Number(); break;
      default: break;
    }
    if (may_group) aggregation.grouping = Group();
    if (unwraps) {
      Unwrap& unwrap = aggregation.range.unwrap.emplace();
      unwrap.label = Name();
      if (aggregation.op != RangeOp::kCountDistinctOverTime) {
        unwrap.conversion = Pick(UnwrapConversion::kBytes);
      }
      for (size_t i = Below(3); i > 0; --i) unwrap.post_filters.push_back(Filter(depth));
    }
    return Make(std::move(aggregation));
  }

  ExprPtr Vector(int depth) {
    VectorAggregation aggregation;
    aggregation.op = Pick(VectorOp::kSortDesc);
    aggregation.grouping = Group();
    switch (aggregation.op) {
      case VectorOp::kTopk:
      case VectorOp::kBottomk: aggregation.parameter = 1 + static_cast<int64_t>(Below(20)); break;
      case VectorOp::kApproxTopk:
        aggregation.parameter = std::numeric_limits<int64_t>::max();
        aggregation.grouping.reset();
        break;
      case VectorOp::kSort:
      case VectorOp::kSortDesc: aggregation.grouping.reset(); break;
      default: break;
    }
    aggregation.operand = Chance(8) ? Literal() : Metric(depth - 1);
    return Make(std::move(aggregation));
  }

  ExprPtr Literal() {
    switch (Below(8)) {
      case 0: return Make(LiteralNumber{std::numeric_limits<double>::infinity()});
      case 1: return Make(LiteralNumber{-std::numeric_limits<double>::infinity()});
      case 2: return Make(LiteralNumber{std::numeric_limits<double>::quiet_NaN()});
      default: return Make(LiteralNumber{Chance(3) ? -Number() : Number()});
    }
  }

  ExprPtr Replace(int depth) {
    LabelReplace replace;
    replace.operand = Metric(depth - 1);
    replace.destination = Text();
    replace.replacement = Text();
    replace.source = Text();
    replace.pattern = Pattern();
    replace.regex = *CompileRegex(replace.pattern, {.anchored = true});
    return Make(std::move(replace));
  }

  ExprPtr Operation(int depth) {
    BinaryOperation operation;
    operation.op = Pick(BinaryOp::kLe);
    operation.left = Metric(depth - 1);
    operation.right = Metric(depth - 1);
    // Two literals would fold, and sets take none.
    if (!IsSetOp(operation.op) && Chance(3)) (Chance(2) ? operation.left : operation.right) = Literal();
    operation.return_bool = Chance(4);
    if (Chance(2)) {
      VectorMatching& matching = operation.matching;
      matching.explicit_matching = true;
      matching.on = Chance(2);
      matching.labels = Names(2);
      matching.cardinality = Pick(VectorMatching::Cardinality::kOneToMany);
      if (matching.cardinality != VectorMatching::Cardinality::kOneToOne) matching.include = Names(2);
    }
    return Make(std::move(operation));
  }

  std::mt19937_64& random_;
};

}  // namespace

ExprPtr RandomExpr(std::mt19937_64& random, int depth) { return Generator(random).Expression(depth); }
ExprPtr RandomLogQuery(std::mt19937_64& random, int depth) { return Generator(random).LogQuery(depth); }

}  // namespace varve::logql
