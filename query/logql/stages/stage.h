// One step of a compiled pipeline, and the row that goes through it.
//
// Threads: stages are immutable and shared; a Row belongs to one worker and carries all scratch space.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "query/logql/row_labels.h"

namespace varve::logql {

struct Row {
  int64_t ts_ns = 0;
  std::string_view line;  // the entry's line, or bytes in labels.arena()
  RowLabels labels;
  std::string scratch;  // free for use within one Apply
};

class RowStage {
 public:
  virtual ~RowStage() = default;
  // False: the row is filtered out.
  virtual bool Apply(Row* row) const = 0;
};

inline constexpr std::string_view kJsonParserError = "JSONParserErr";
inline constexpr std::string_view kLogfmtParserError = "LogfmtParserErr";
inline constexpr std::string_view kLabelFilterError = "LabelFilterErr";
inline constexpr std::string_view kTemplateFormatError = "TemplateFormatErr";
inline constexpr std::string_view kSampleExtractionError = "SampleExtractionErr";

}  // namespace varve::logql
