// A compiled pipeline: everything after the stream selector.
//
//   auto pipeline = Pipeline::Compile(stages, unwrap, hints);          // once per query
//   PipelineRunner runner(*pipeline);                                  // once per thread
//   runner.SetStream(labels);
//   pipeline->SelectLines(columns, row_begin, row_end, &selection);    // leading line filters, in bulk
//   for (uint32_t row : selection)
//     if (runner.Process(ts, columns.Line(row), columns.Metadata(row))) use(runner.line(), runner.labels());
//
// Line filters that stand before any stage that could change the line are *leading*: SelectLines applies
// them to the whole run of rows at once (searching the lines back to back), Process does not repeat them.
// Threads: Pipeline is immutable and thread-safe; a PipelineRunner belongs to one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/scan.h"
#include "query/logql/ast.h"
#include "query/logql/row_labels.h"

namespace varve::logql {

// What the consumer of a metric query needs of each row's labels. Parsers then extract only that, and
// are skipped when nothing is needed (a documented Loki behaviour: skipped parsers raise no errors).
struct LabelNeeds {
  bool all = true;                   // log queries, `without`, ungrouped range aggregations
  std::vector<std::string> names;    // with all == false: group labels (unwrap and filters are added)
  bool unwrap_as_text = false;       // the unwrapped value is wanted as it stands: nothing to convert
};

class Pipeline {
 public:
  struct Impl;
  // kInvalidArgument: a stage does not compile, worded as Loki does ("parse error : stage '…' : …").
  // kUnimplemented: names the template function or stage that is not supported.
  static Result<std::unique_ptr<const Pipeline>> Compile(const std::vector<Stage>& stages,
                                                         const std::optional<Unwrap>& unwrap,
                                                         const LabelNeeds& needs);
  ~Pipeline();

  // Whether any stage, leading line filters included, must see the line's bytes.
  bool needs_lines() const;
  // Whether any stage or filter depends on structured metadata.
  bool needs_metadata() const;
  // Whether Process does nothing (no stages other than leading line filters).
  bool only_line_filters() const;
  // Whether there are no stages at all.
  bool empty() const;

  // Appends to `selection` the rows of [row_begin, row_end) that pass the leading line filters. All of
  // them when there are none (columns.lines may then be absent).
  void SelectLines(const LogColumns& columns, uint32_t row_begin, uint32_t row_end,
                   std::vector<uint32_t>* selection) const;

  const Impl& impl() const { return *impl_; }

 private:
  explicit Pipeline(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

class PipelineRunner {
 public:
  explicit PipelineRunner(const Pipeline& pipeline);
  ~PipelineRunner();

  void SetStream(const Labels& stream);
  // Runs the remaining stages. False: the row is filtered out. The line's and metadata's bytes must
  // live until the results have been read.
  bool Process(int64_t ts_ns, std::string_view line, std::string_view metadata);

  // Valid after Process returned true, until the next call.
  std::string_view line() const;
  const RowLabels& labels() const;
  // The unwrapped value. The unwrapped label is already removed from labels(), unless LabelNeeds names it
  // (sum by (code) (sum_over_time(… | unwrap code [1m]))). When the row has an error (labels().has_error())
  // the value is meaningless.
  double value() const;
  // The unwrapped label's value as it stood, where LabelNeeds::unwrap_as_text.
  std::string_view value_text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace varve::logql
