#include "query/logql/line_match/line_filter.h"

#include <algorithm>

#include "engine/model/regex.h"
#include "query/logql/ip_match.h"
#include "query/logql/line_match/regex_literals.h"
#include "query/logql/stages/pattern_expression.h"

namespace varve::logql {
namespace {

// More literals than this cost more passes over the lines than one regex does.
constexpr size_t kLiteralsMax = 16;

class ContainsTest : public LineTest {
 public:
  explicit ContainsTest(const std::string& needle) {
    literals.emplace_back(needle);
    exact = true;
  }
  bool Matches(std::string_view line) const override { return literals[0].Contains(line); }
};

class RegexTest : public LineTest {
 public:
  RegexTest(Regex regex, const RegexLiterals& found) : regex_(std::move(regex)) {
    if (found.any_of.size() > kLiteralsMax) return;
    for (const std::string& literal : found.any_of) literals.emplace_back(literal, found.ignore_case);
    exact = found.exact;
  }
  bool Matches(std::string_view line) const override {
    const bool possible =
        literals.empty() || std::any_of(literals.begin(), literals.end(),
                                        [&](const SubstringSearch& s) { return s.Contains(line); });
    return possible && (exact || RegexMatches(*regex_, line));
  }

 private:
  Regex regex_;
};

// |> as Loki has it: literals are found one after the other, a capture between them is never empty, and
// the line ends where the pattern does. The first literal may stand anywhere.
class PatternTest : public LineTest {
 public:
  explicit PatternTest(const PatternExpression& expression) {
    for (const PatternNode& node : expression) {
      if (!node.is_capture) searches_.emplace_back(node.text);
    }
    starts_with_capture_ = !expression.empty() && expression.front().is_capture;
    ends_with_capture_ = !expression.empty() && expression.back().is_capture;
    empty_ = expression.empty();
    const auto longest =
        std::max_element(searches_.begin(), searches_.end(),
                         [](const auto& a, const auto& b) { return a.needle().size() < b.needle().size(); });
    if (longest != searches_.end()) literals.push_back(*longest);
  }
  bool Matches(std::string_view line) const override {
    if (line.empty() || empty_) return line.empty() && empty_;
    bool capture_before = starts_with_capture_;
    for (const SubstringSearch& search : searches_) {
      const size_t found = search.Find(line);
      if (found == std::string_view::npos || (capture_before && found == 0)) return false;
      line.remove_prefix(found + search.needle().size());
      capture_before = true;
    }
    return ends_with_capture_ != line.empty();
  }

 private:
  std::vector<SubstringSearch> searches_;
  bool starts_with_capture_ = false;
  bool ends_with_capture_ = false;
  bool empty_ = false;
};

class IpTest : public LineTest {
 public:
  explicit IpTest(const IpMatcher& matcher) : matcher_(matcher) {}
  bool Matches(std::string_view line) const override { return matcher_.MatchesAny(line); }

 private:
  IpMatcher matcher_;
};

// Null when every line matches.
Result<std::unique_ptr<LineTest>> CompileTerm(LineFilterOp op, const LineFilterTerm& term) {
  using Test = std::unique_ptr<LineTest>;
  if (term.is_ip) {
    if (op != LineFilterOp::kContains && op != LineFilterOp::kNotContains) {
      return InvalidArgument("ip: invalid operation");
    }
    VARVE_ASSIGN_OR_RETURN(const IpMatcher matcher, IpMatcher::Create(term.text));
    return Test(std::make_unique<IpTest>(matcher));
  }
  switch (op) {
    case LineFilterOp::kContains:
    case LineFilterOp::kNotContains:
      return term.text.empty() ? Test() : Test(std::make_unique<ContainsTest>(term.text));
    case LineFilterOp::kRegex:
    case LineFilterOp::kNotRegex: {
      VARVE_ASSIGN_OR_RETURN(Regex regex, CompileRegex(term.text, {}));
      const RegexLiterals literals = FindRegexLiterals(term.text);
      return literals.matches_everything ? Test()
                                         : Test(std::make_unique<RegexTest>(std::move(regex), literals));
    }
    case LineFilterOp::kPattern:
    case LineFilterOp::kNotPattern: break;
  }
  VARVE_ASSIGN_OR_RETURN(const PatternExpression expression, ParseFilterPattern(term.text));
  return Test(std::make_unique<PatternTest>(expression));
}

// The row of a position in the lines, at or after `row`.
uint32_t RowOf(const LogColumns& columns, uint32_t row, uint32_t row_end, size_t position) {
  // Gallop, then bisect: hits are often near.
  uint32_t step = 1;
  uint32_t low = row;
  while (row_end - low > step && columns.line_offsets[low + step] <= position) {
    low += step;
    step *= 2;
  }
  const uint32_t high = row_end - low > step ? low + step : row_end;
  const auto begin = columns.line_offsets.begin();
  const auto next = std::upper_bound(begin + low + 1, begin + high, position);
  return static_cast<uint32_t>(next - begin) - 1;
}

// Walks the rows that hold one literal, in order.
class LiteralCursor {
 public:
  LiteralCursor(const SubstringSearch& search, const LogColumns& columns, uint32_t row, uint32_t row_end)
      : search_(&search), columns_(&columns), row_end_(row_end), row_(row) {
    Seek(row);
  }

  // The current row; row_end when there is none left.
  uint32_t row() const { return row_; }

  // Moves to the first row at or after `from` that holds the literal.
  void Seek(uint32_t from) {
    const std::vector<uint32_t>& offsets = columns_->line_offsets;
    const char* lines = columns_->lines.data();
    const char* end = lines + offsets[row_end_];
    size_t position = offsets[from];
    uint32_t row = from;
    while (row < row_end_) {
      const char* found = search_->Find(lines + position, end);
      if (found == nullptr) break;
      position = static_cast<size_t>(found - lines);
      row = RowOf(*columns_, row, row_end_, position);
      if (position + search_->needle().size() <= offsets[row + 1]) {
        row_ = row;
        return;
      }
      ++position;  // it runs over the end of a line
    }
    row_ = row_end_;
  }

 private:
  const SubstringSearch* search_;
  const LogColumns* columns_;
  uint32_t row_end_;
  uint32_t row_;
};

}  // namespace

Result<CompiledLineFilter> CompiledLineFilter::Compile(const LineFilter& filter) {
  CompiledLineFilter compiled;
  compiled.negated_ = filter.op == LineFilterOp::kNotContains || filter.op == LineFilterOp::kNotRegex ||
                      filter.op == LineFilterOp::kNotPattern;
  bool any_everything = false;
  for (const LineFilterTerm& term : filter.terms) {
    VARVE_ASSIGN_OR_RETURN(std::unique_ptr<LineTest> test, CompileTerm(filter.op, term));
    if (test == nullptr) {
      any_everything = true;
    } else {
      compiled.tests_.push_back(std::move(test));
    }
  }
  // As in Loki, an alternative that matches everything is ignored beside others (|= "a" or ""); but a line
  // that must not contain the empty string does not exist.
  compiled.constant_ = any_everything && (compiled.tests_.empty() || compiled.negated_);
  compiled.exact_ = true;
  for (const auto& test : compiled.tests_) {
    compiled.exact_ = compiled.exact_ && test->exact;
    for (const SubstringSearch& literal : test->literals) compiled.literals_.push_back(&literal);
  }
  const bool all_have_literals = std::all_of(compiled.tests_.begin(), compiled.tests_.end(),
                                             [](const auto& test) { return !test->literals.empty(); });
  if (!all_have_literals || compiled.literals_.size() > kLiteralsMax) {
    compiled.literals_.clear();
    compiled.exact_ = false;
  }
  if (compiled.constant_) {
    compiled.cost_ = 0;
  } else if (compiled.exact_) {
    compiled.cost_ = (compiled.negated_ ? 20 : 1) + static_cast<int>(compiled.literals_.size());
  } else {
    compiled.cost_ = (compiled.literals_.empty() ? 200 : 100) + (compiled.negated_ ? 20 : 0);
  }
  return compiled;
}

bool CompiledLineFilter::MatchesAny(std::string_view line) const {
  return constant_ ||
         std::any_of(tests_.begin(), tests_.end(), [&](const auto& test) { return test->Matches(line); });
}

void CompiledLineFilter::Select(const LogColumns& columns, uint32_t row_begin, uint32_t row_end,
                                std::vector<uint32_t>* rows) const {
  if (constant_) {
    for (uint32_t row = row_begin; row < row_end && !negated_; ++row) rows->push_back(row);
  } else if (literals_.empty()) {
    for (uint32_t row = row_begin; row < row_end; ++row) {
      if (Matches(columns.Line(row))) rows->push_back(row);
    }
  } else if (row_begin < row_end) {
    SelectByLiterals(columns, row_begin, row_end, rows);
  }
}

void CompiledLineFilter::SelectByLiterals(const LogColumns& columns, uint32_t row_begin, uint32_t row_end,
                                          std::vector<uint32_t>* rows) const {
  std::vector<LiteralCursor> cursors;
  cursors.reserve(literals_.size());
  for (const SubstringSearch* literal : literals_)
    cursors.emplace_back(*literal, columns, row_begin, row_end);
  uint32_t next = row_begin;  // rows before it are decided
  while (true) {
    uint32_t row = row_end;
    for (const LiteralCursor& cursor : cursors) row = std::min(row, cursor.row());
    const bool hit = row != row_end && (exact_ || MatchesAny(columns.Line(row)));
    if (negated_) {
      for (; next < row; ++next) rows->push_back(next);
      if (row != row_end && !hit) rows->push_back(row);
      next = row + 1;
    } else if (hit) {
      rows->push_back(row);
    }
    if (row == row_end) return;
    for (LiteralCursor& cursor : cursors) {
      if (cursor.row() == row) cursor.Seek(row + 1);
    }
  }
}

}  // namespace varve::logql
