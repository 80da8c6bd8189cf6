// | unpack: undoes Promtail's pack. An object with a string "_entry" becomes that line, its other string
// members labels; anything else stays as it is.
#pragma once

#include "query/logql/needed_names.h"
#include "query/logql/stages/stage.h"

namespace varve::logql {

class UnpackParserStage : public RowStage {
 public:
  explicit UnpackParserStage(const NeededNames& needed) : needed_(needed) {}
  bool Apply(Row* row) const override;

 private:
  const NeededNames& needed_;
};

}  // namespace varve::logql
