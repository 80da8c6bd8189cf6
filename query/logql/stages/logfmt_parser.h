// | logfmt: every pair becomes a label; the first of duplicate keys wins, empty values are dropped unless
// --keep-empty, malformed pairs are skipped unless --strict.
// | logfmt a, x="b": only these; a missing one is empty, the last of duplicate keys wins. A pair called x
// sets the label x as well as one called b does.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "query/logql/ast.h"
#include "query/logql/needed_names.h"
#include "query/logql/stages/stage.h"

namespace varve::logql {

class LogfmtParserStage : public RowStage {
 public:
  LogfmtParserStage(bool strict, bool keep_empty, const NeededNames& needed)
      : strict_(strict), keep_empty_(keep_empty), needed_(needed) {}
  bool Apply(Row* row) const override;

 private:
  const bool strict_;
  const bool keep_empty_;
  const NeededNames& needed_;
};

class LogfmtExpressionStage : public RowStage {
 public:
  // kInvalidArgument: "cannot parse expression []: syntax error: unexpected $end, expecting STRING or KEY".
  static Result<std::unique_ptr<RowStage>> Create(const LogfmtParser& parser, const NeededNames& needed);
  bool Apply(Row* row) const override;

 private:
  struct Wanted {
    std::string name;
    std::string key;
  };
  LogfmtExpressionStage(bool strict, const NeededNames& needed) : strict_(strict), needed_(needed) {}

  const bool strict_;
  const NeededNames& needed_;
  std::vector<Wanted> wanted_;
};

}  // namespace varve::logql
