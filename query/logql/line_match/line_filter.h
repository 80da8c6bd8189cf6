// A compiled line filter: |= != |~ !~ |> !> with its `or` alternatives.
//
// Matches answers for one line. Select answers for a run of rows at once: literals that a match must contain
// are searched over the lines back to back, and only lines that hold one are looked at further, if at all.
// Threads: immutable, share freely.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/scan.h"
#include "query/logql/ast.h"
#include "query/logql/substring_search.h"

namespace varve::logql {

// One alternative: whether a line matches, and what every match contains.
class LineTest {
 public:
  virtual ~LineTest() = default;
  virtual bool Matches(std::string_view line) const = 0;

  // A line that contains none of these cannot match; empty: unknown.
  std::vector<SubstringSearch> literals;
  // Whether containing one of them is all there is to it.
  bool exact = false;
};

class CompiledLineFilter {
 public:
  // kInvalidArgument with the text that follows Loki's "stage '…' : ".
  static Result<CompiledLineFilter> Compile(const LineFilter& filter);

  bool Matches(std::string_view line) const { return MatchesAny(line) != negated_; }

  // Appends the rows of [row_begin, row_end) that match.
  void Select(const LogColumns& columns, uint32_t row_begin, uint32_t row_end,
              std::vector<uint32_t>* rows) const;

  // Every line matches; such a filter may be left out.
  bool always_true() const { return constant_ && !negated_; }
  // Cheaper filters go first: substring searches, then what needs a look at some lines, then at all.
  int cost() const { return cost_; }

 private:
  bool MatchesAny(std::string_view line) const;
  void SelectByLiterals(const LogColumns& columns, uint32_t row_begin, uint32_t row_end,
                        std::vector<uint32_t>* rows) const;

  std::vector<std::unique_ptr<LineTest>> tests_;
  // All literals of all tests when each test has some; else empty, and every line is looked at.
  std::vector<const SubstringSearch*> literals_;
  bool exact_ = false;
  bool negated_ = false;
  bool constant_ = false;  // before negation every line matches
  int cost_ = 0;
};

}  // namespace varve::logql
