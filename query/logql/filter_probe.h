// Looks whether a row would be filtered out before its parser runs in full.
//
// `| json | level="error"` extracts every field of every line, only to drop most of them. The probe runs the
// same parser for the filtered names alone (it stops as soon as it has them) and the filters on that; only
// rows that pass go through the pipeline proper, which decides. It may let a row pass that is dropped later,
// never the other way:
//   - lenient logfmt, regexp and pattern raise no errors, so the filters see the same in both runs;
//   - json may stop at an error before it reaches a label the probe finds. Therefore only string filters
//     that a missing label fails qualify behind it: fewer labels then never make a row pass.
// Threads: FilterProbe is immutable and shared; its State belongs to one worker.
#pragma once

#include <memory>
#include <vector>

#include "query/logql/ast.h"
#include "query/logql/needed_names.h"
#include "query/logql/stages/stage.h"

namespace varve::logql {

class FilterProbe {
 public:
  struct State {
    Row row;
    uint32_t probed = 0;    // since the last decision
    uint32_t rejected = 0;  // of those
    uint32_t resting = 0;   // rows to let pass unprobed, because rejecting did not pay
  };

  // Null when the pipeline does not begin (line filters apart) with a parser and filters that qualify.
  static Result<std::unique_ptr<const FilterProbe>> Create(const std::vector<Stage>& stages);

  // Whether the row is certain to be filtered out.
  bool Rejects(int64_t ts_ns, std::string_view line, std::string_view metadata, State* state) const;

 private:
  FilterProbe() = default;

  NeededNames needed_;  // stages_ refers to it
  std::vector<std::unique_ptr<RowStage>> stages_;
};

}  // namespace varve::logql
