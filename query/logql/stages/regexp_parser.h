// | regexp: the named groups of the first match become labels. No match gives no labels and no error; a
// group that did not take part gives an empty one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/model/regex.h"
#include "query/logql/needed_names.h"
#include "query/logql/stages/stage.h"
#include "query/logql/substring_search.h"

namespace varve::logql {

class RegexpParserStage : public RowStage {
 public:
  // kInvalidArgument: "at least one named capture must be supplied", "duplicate extracted label name 'v'".
  static Result<std::unique_ptr<RowStage>> Create(const std::string& pattern, const NeededNames& needed);
  bool Apply(Row* row) const override;

 private:
  static constexpr size_t kInlineGroups = 32;
  struct Group {
    size_t index = 0;  // of the submatch
    std::string name;
  };
  RegexpParserStage(Regex regex, const NeededNames& needed) : regex_(std::move(regex)), needed_(needed) {}

  const Regex regex_;
  const NeededNames& needed_;
  std::vector<SubstringSearch> literals_;  // a line without any of them cannot match; empty: unknown
  std::vector<Group> groups_;              // the named ones, in order
  int submatches_ = 0;                     // how many RE2 has to report: up to the last named one
};

}  // namespace varve::logql
