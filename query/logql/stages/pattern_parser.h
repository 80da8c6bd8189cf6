// | pattern: the text between literals becomes labels.
//
// A leading literal must stand at the start of the line; a capture whose following literal is missing takes
// the rest of the line and ends the parse, without an error.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "query/logql/needed_names.h"
#include "query/logql/stages/pattern_expression.h"
#include "query/logql/stages/stage.h"
#include "query/logql/substring_search.h"

namespace varve::logql {

class PatternParserStage : public RowStage {
 public:
  static Result<std::unique_ptr<RowStage>> Create(const std::string& pattern, const NeededNames& needed);
  bool Apply(Row* row) const override;

 private:
  struct Capture {
    std::string name;                        // "" when unnamed
    std::unique_ptr<SubstringSearch> until;  // the literal that ends it; null: the end of the line
  };
  explicit PatternParserStage(const NeededNames& needed) : needed_(needed) {}

  const NeededNames& needed_;
  std::string prefix_;
  std::vector<Capture> captures_;
};

}  // namespace varve::logql
