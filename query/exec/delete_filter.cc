#include "query/exec/delete_filter.h"

#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "query/logql/ast.h"
#include "query/logql/parser.h"
#include "query/logql/pipeline.h"

namespace varve {
namespace {

class DeleteFilter final : public RowFilter {
 public:
  DeleteFilter(std::vector<Matcher> matchers, std::unique_ptr<const logql::Pipeline> pipeline)
      : matchers_(std::move(matchers)), pipeline_(std::move(pipeline)) {}

  bool TakesStream(const Labels& stream) const override { return MatchesAll(matchers_, stream); }

  ColumnMask columns() const override {
    if (pipeline_->empty()) return 0;
    ColumnMask columns = kTimestamps;
    if (pipeline_->needs_lines()) columns |= kLines;
    if (pipeline_->needs_metadata()) columns |= kMetadata;
    return columns;
  }

  void TakeRows(const Labels& stream, const LogColumns& columns, std::vector<uint32_t>* rows) const override {
    if (pipeline_->empty()) return;
    std::vector<uint32_t> passed;
    for (size_t begin = 0; begin < rows->size();) {  // run by run of neighbouring rows
      size_t end = begin + 1;
      while (end < rows->size() && (*rows)[end] == (*rows)[end - 1] + 1) ++end;
      pipeline_->SelectLines(columns, (*rows)[begin], (*rows)[end - 1] + 1, &passed);
      begin = end;
    }
    if (!pipeline_->only_line_filters()) {
      const bool has_lines = pipeline_->needs_lines();
      logql::PipelineRunner runner(*pipeline_);
      runner.SetStream(stream);
      std::erase_if(passed, [&](uint32_t row) {
        return !runner.Process(columns.timestamps_ns[row],
                               has_lines ? columns.Line(row) : std::string_view(), columns.Metadata(row));
      });
    }
    *rows = std::move(passed);
  }

 private:
  const std::vector<Matcher> matchers_;
  const std::unique_ptr<const logql::Pipeline> pipeline_;
};

}  // namespace

Result<std::unique_ptr<const RowFilter>> CompileDeleteFilter(std::string_view query) {
  VARVE_ASSIGN_OR_RETURN(const logql::ExprPtr expr, logql::ParseExpr(query));
  const auto* selector = std::get_if<logql::LogSelector>(&expr->node);
  if (selector == nullptr) return InvalidArgument("only log queries select entries to delete");
  VARVE_ASSIGN_OR_RETURN(auto pipeline,
                         logql::Pipeline::Compile(selector->stages, std::nullopt, logql::LabelNeeds{}));
  return std::unique_ptr<const RowFilter>(
      std::make_unique<DeleteFilter>(selector->matchers, std::move(pipeline)));
}

}  // namespace varve
