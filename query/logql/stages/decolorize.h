// | decolorize: takes ANSI escape sequences (colours, cursor movements, titles) out of the line.
#pragma once

#include "query/logql/stages/stage.h"

namespace varve::logql {

class DecolorizeStage : public RowStage {
 public:
  bool Apply(Row* row) const override;
};

// The length of the escape sequence that `text` starts with, or 0.
size_t AnsiSequenceLength(std::string_view text);

}  // namespace varve::logql
