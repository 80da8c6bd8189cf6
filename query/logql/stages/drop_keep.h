// | drop a, b="x" removes labels (with a condition only where it holds); | keep a, b="x" removes all others.
// Both work on stream labels and metadata too. Errors are dropped by name, and always kept by keep.
#pragma once

#include <vector>

#include "query/logql/ast.h"
#include "query/logql/stages/stage.h"

namespace varve::logql {

class DropStage : public RowStage {
 public:
  explicit DropStage(std::vector<LabelSelection> items) : items_(std::move(items)) {}
  bool Apply(Row* row) const override;

 private:
  const std::vector<LabelSelection> items_;
};

class KeepStage : public RowStage {
 public:
  explicit KeepStage(std::vector<LabelSelection> items) : items_(std::move(items)) {}
  bool Apply(Row* row) const override;

 private:
  const std::vector<LabelSelection> items_;
};

}  // namespace varve::logql
