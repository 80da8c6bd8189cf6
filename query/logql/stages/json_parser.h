// | json: every field of an object becomes a label; nested keys are joined with "_", arrays and null are
// skipped, the first of duplicate keys wins.
#pragma once

#include "query/logql/needed_names.h"
#include "query/logql/stages/stage.h"

namespace varve::logql {

class JsonParserStage : public RowStage {
 public:
  explicit JsonParserStage(const NeededNames& needed) : needed_(needed) {}
  bool Apply(Row* row) const override;

 private:
  const NeededNames& needed_;  // of the pipeline, which outlives its stages
};

}  // namespace varve::logql
