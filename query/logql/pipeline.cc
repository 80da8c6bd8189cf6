// Compilation in two steps: first the names that the pipeline reads are collected (templates are parsed for
// that), then the stages are built, parsers with the names they have to extract.
//
// Line filters commute with everything that leaves the line as it is, so all of them up to the first stage
// that changes the line (line_format, unpack, decolorize) are leading, cheapest first.

#include "query/logql/pipeline.h"

#include <algorithm>

#include "query/logql/filter_probe.h"
#include "query/logql/line_match/line_filter.h"
#include "query/logql/needed_names.h"
#include "query/logql/printer.h"
#include "query/logql/stages/decolorize.h"
#include "query/logql/stages/drop_keep.h"
#include "query/logql/stages/json_expression.h"
#include "query/logql/stages/json_parser.h"
#include "query/logql/stages/label_filter.h"
#include "query/logql/stages/label_format.h"
#include "query/logql/stages/line_format.h"
#include "query/logql/stages/logfmt_parser.h"
#include "query/logql/stages/pattern_parser.h"
#include "query/logql/stages/regexp_parser.h"
#include "query/logql/stages/unpack_parser.h"
#include "query/logql/stages/unwrap.h"

namespace varve::logql {

struct Pipeline::Impl {
  NeededNames needed;  // stages refer to it
  std::vector<CompiledLineFilter> leading;
  std::vector<std::unique_ptr<RowStage>> stages;
  std::optional<UnwrapStep> unwrap;
  std::unique_ptr<const FilterProbe> probe;  // may be null
  bool needs_lines = false;
  bool needs_metadata = false;
  bool empty = true;
};

namespace {

using StagePtr = std::unique_ptr<RowStage>;

// A line filter behind a stage that changes the line.
class LineFilterStage : public RowStage {
 public:
  explicit LineFilterStage(CompiledLineFilter filter) : filter_(std::move(filter)) {}
  bool Apply(Row* row) const override { return filter_.Matches(row->line); }

 private:
  const CompiledLineFilter filter_;
};

Status StageError(const Stage& stage, const Status& status) {
  if (status.code() != Code::kInvalidArgument) return status.Clone();
  return InvalidArgument("parse error : stage '" + Print(stage) + "' : " + status.message());
}

Status ParserError(std::string_view parser, const Status& status) {
  return InvalidArgument("parse error : invalid " + std::string(parser) + " parser: " + status.message());
}

class Compiler {
 public:
  Compiler(Pipeline::Impl* impl, const std::vector<Stage>& stages, const std::optional<Unwrap>& unwrap,
           const LabelNeeds& needs)
      : impl_(*impl), stages_(stages), unwrap_(unwrap), needs_(needs) {}

  Status Run() {
    impl_.empty = stages_.empty() && !unwrap_.has_value();
    VARVE_RETURN_IF_ERROR(ParseTemplates());
    CollectNames();
    for (const Stage& stage : stages_) {
      VARVE_RETURN_IF_ERROR(std::visit([&](const auto& node) { return Add(stage, node); }, stage));
    }
    if (unwrap_) {
      const bool grouped_by = !needs_.all && std::find(needs_.names.begin(), needs_.names.end(),
                                                       unwrap_->label) != needs_.names.end();
      Result<UnwrapStep> step = UnwrapStep::Create(*unwrap_, grouped_by, needs_.unwrap_as_text);
      if (!step.ok()) return InvalidArgument("parse error : " + step.status().message());
      impl_.unwrap = std::move(*step);
      impl_.needs_metadata = true;
    }
    if (impl_.needed.all()) {
      VARVE_ASSIGN_OR_RETURN(impl_.probe, FilterProbe::Create(stages_));
    }
    std::stable_sort(impl_.leading.begin(), impl_.leading.end(),
                     [](const auto& a, const auto& b) { return a.cost() < b.cost(); });
    return Status::Ok();
  }

 private:
  Status ParseTemplates() {
    for (const Stage& stage : stages_) {
      if (const auto* line = std::get_if<LineFormat>(&stage)) {
        Result<Template> parsed = Template::Parse("line", line->template_text);
        if (!parsed.ok()) return TemplateError(stage, "invalid line template: ", parsed.status());
        templates_.push_back(std::move(*parsed));
      } else if (const auto* label = std::get_if<LabelFormat>(&stage)) {
        VARVE_RETURN_IF_ERROR(ParseLabelTemplates(stage, *label));
      }
    }
    return Status::Ok();
  }

  Status ParseLabelTemplates(const Stage& stage, const LabelFormat& format) {
    for (size_t i = 0; i < format.assignments.size(); ++i) {
      const LabelFormat::Assignment& assignment = format.assignments[i];
      if (assignment.name == kErrorLabel) {
        return StageError(stage, InvalidArgument("__error__ cannot be formatted"));
      }
      for (size_t k = 0; k < i; ++k) {
        if (format.assignments[k].name != assignment.name) continue;
        return StageError(stage, InvalidArgument("multiple label name '" + assignment.name +
                                                 "' not allowed in a single format operation"));
      }
    }
    for (const LabelFormat::Assignment& assignment : format.assignments) {
      if (assignment.is_rename) continue;
      Result<Template> parsed = Template::Parse("label", assignment.value);
      if (!parsed.ok()) {
        return TemplateError(stage,
                             "invalid template for label '" + assignment.name + "': ", parsed.status());
      }
      templates_.push_back(std::move(*parsed));
    }
    return Status::Ok();
  }

  static Status TemplateError(const Stage& stage, const std::string& what, const Status& status) {
    if (status.code() != Code::kInvalidArgument) return status.Clone();
    return StageError(stage, InvalidArgument(what + status.message()));
  }

  void CollectNames() {
    if (needs_.all) {
      impl_.needed = NeededNames::All();
      return;
    }
    std::vector<std::string> names = needs_.names;
    const auto add = [&](const std::string& name) { names.push_back(name); };
    for (const Stage& stage : stages_) {
      if (const auto* filter = std::get_if<LabelFilterStage>(&stage)) {
        ForEachFilteredName(*filter->filter, add);
      } else if (const auto* format = std::get_if<LabelFormat>(&stage)) {
        for (const LabelFormat::Assignment& assignment : format->assignments) {
          if (assignment.is_rename) add(assignment.value);
        }
      }
    }
    for (const Template& parsed : templates_) {
      if (parsed.reads_all_labels()) {
        impl_.needed = NeededNames::All();
        return;
      }
      for (const std::string& field : parsed.fields()) add(field);
    }
    if (unwrap_) {
      add(unwrap_->label);
      for (const LabelFilterPtr& filter : unwrap_->post_filters) ForEachFilteredName(*filter, add);
    }
    impl_.needed = NeededNames::Only(names);
  }

  void AddStage(StagePtr stage, bool reads_line) {
    impl_.stages.push_back(std::move(stage));
    impl_.needs_lines = impl_.needs_lines || reads_line;
    impl_.needs_metadata = true;
  }

  Status Add(const Stage& stage, const LineFilter& filter) {
    Result<CompiledLineFilter> compiled = CompiledLineFilter::Compile(filter);
    if (!compiled.ok()) return StageError(stage, compiled.status());
    if (compiled->always_true()) return Status::Ok();
    impl_.needs_lines = true;
    if (line_changed_) {
      impl_.stages.push_back(std::make_unique<LineFilterStage>(std::move(*compiled)));
    } else {
      impl_.leading.push_back(std::move(*compiled));
    }
    return Status::Ok();
  }

  Status Add(const Stage& stage, const JsonParser& parser) {
    if (parser.extractions.empty()) return AddParser(std::make_unique<JsonParserStage>(impl_.needed));
    Result<StagePtr> compiled = JsonExpressionStage::Create(parser.extractions, impl_.needed);
    if (!compiled.ok()) return StageError(stage, compiled.status());
    return AddParser(std::move(*compiled));
  }
  Status Add(const Stage& stage, const LogfmtParser& parser) {
    if (parser.extractions.empty()) {
      return AddParser(std::make_unique<LogfmtParserStage>(parser.strict, parser.keep_empty, impl_.needed));
    }
    Result<StagePtr> compiled = LogfmtExpressionStage::Create(parser, impl_.needed);
    if (!compiled.ok()) return StageError(stage, compiled.status());
    return AddParser(std::move(*compiled));
  }
  Status Add(const Stage& /*stage*/, const RegexpParser& parser) {
    Result<StagePtr> compiled = RegexpParserStage::Create(parser.pattern, impl_.needed);
    if (!compiled.ok()) return ParserError("regexp", compiled.status());
    return AddParser(std::move(*compiled));
  }
  Status Add(const Stage& /*stage*/, const PatternParser& parser) {
    Result<StagePtr> compiled = PatternParserStage::Create(parser.pattern, impl_.needed);
    if (!compiled.ok()) return ParserError("pattern", compiled.status());
    return AddParser(std::move(*compiled));
  }
  // A parser of which nothing is needed is not run, so it raises no errors either.
  Status AddParser(StagePtr parser) {
    if (!impl_.needed.none()) AddStage(std::move(parser), /*reads_line=*/true);
    return Status::Ok();
  }
  Status Add(const Stage& /*stage*/, const UnpackParser& /*parser*/) {
    AddStage(std::make_unique<UnpackParserStage>(impl_.needed), /*reads_line=*/true);
    line_changed_ = true;
    return Status::Ok();
  }

  Status Add(const Stage& stage, const LabelFilterStage& node) {
    Result<StagePtr> compiled = CompileLabelFilter(*node.filter);
    if (!compiled.ok()) return StageError(stage, compiled.status());
    AddStage(std::move(*compiled), /*reads_line=*/false);
    return Status::Ok();
  }

  Status Add(const Stage& /*stage*/, const LineFormat& /*format*/) {
    AddStage(std::make_unique<LineFormatStage>(std::move(templates_[next_template_++])), /*reads_line=*/true);
    line_changed_ = true;
    return Status::Ok();
  }

  Status Add(const Stage& /*stage*/, const LabelFormat& format) {
    std::vector<LabelFormatStage::Assignment> assignments;
    bool reads_line = false;
    for (const LabelFormat::Assignment& assignment : format.assignments) {
      LabelFormatStage::Assignment& compiled = assignments.emplace_back();
      compiled.name = assignment.name;
      compiled.is_rename = assignment.is_rename;
      if (assignment.is_rename) {
        compiled.source = assignment.value;
      } else {
        compiled.value = std::move(templates_[next_template_++]);
        reads_line = reads_line || compiled.value.reads_line();
      }
    }
    AddStage(std::make_unique<LabelFormatStage>(std::move(assignments)), reads_line);
    return Status::Ok();
  }

  Status Add(const Stage& /*stage*/, const Decolorize& /*node*/) {
    impl_.stages.push_back(std::make_unique<DecolorizeStage>());
    impl_.needs_lines = true;
    line_changed_ = true;
    return Status::Ok();
  }
  Status Add(const Stage& /*stage*/, const DropLabels& drop) {
    AddStage(std::make_unique<DropStage>(drop.items), /*reads_line=*/false);
    return Status::Ok();
  }
  Status Add(const Stage& /*stage*/, const KeepLabels& keep) {
    AddStage(std::make_unique<KeepStage>(keep.items), /*reads_line=*/false);
    return Status::Ok();
  }

  Pipeline::Impl& impl_;
  const std::vector<Stage>& stages_;
  const std::optional<Unwrap>& unwrap_;
  const LabelNeeds& needs_;
  std::vector<Template> templates_;  // of all format stages, in order
  size_t next_template_ = 0;
  bool line_changed_ = false;
};

// Below this many neighbouring rows a search over their lines is not worth setting up.
constexpr size_t kRunMin = 8;

// Narrows rows[first, …) to those that match `filter`.
void Refine(const CompiledLineFilter& filter, const LogColumns& columns, size_t first,
            std::vector<uint32_t>* rows) {
  std::vector<uint32_t> kept;
  for (size_t i = first; i < rows->size();) {
    size_t end = i + 1;
    while (end < rows->size() && (*rows)[end] == (*rows)[end - 1] + 1) ++end;
    if (end - i >= kRunMin) {
      filter.Select(columns, (*rows)[i], (*rows)[end - 1] + 1, &kept);
    } else {
      for (size_t k = i; k < end; ++k) {
        if (filter.Matches(columns.Line((*rows)[k]))) kept.push_back((*rows)[k]);
      }
    }
    i = end;
  }
  rows->resize(first);
  rows->insert(rows->end(), kept.begin(), kept.end());
}

}  // namespace

Pipeline::Pipeline(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Pipeline::~Pipeline() = default;

Result<std::unique_ptr<const Pipeline>> Pipeline::Compile(const std::vector<Stage>& stages,
                                                          const std::optional<Unwrap>& unwrap,
                                                          const LabelNeeds& needs) {
  auto impl = std::make_unique<Impl>();
  VARVE_RETURN_IF_ERROR(Compiler(impl.get(), stages, unwrap, needs).Run());
  return std::unique_ptr<const Pipeline>(new Pipeline(std::move(impl)));
}

bool Pipeline::needs_lines() const { return impl_->needs_lines; }
bool Pipeline::needs_metadata() const { return impl_->needs_metadata; }
bool Pipeline::only_line_filters() const { return impl_->stages.empty() && !impl_->unwrap.has_value(); }
bool Pipeline::empty() const { return impl_->empty; }

void Pipeline::SelectLines(const LogColumns& columns, uint32_t row_begin, uint32_t row_end,
                           std::vector<uint32_t>* selection) const {
  const size_t first = selection->size();
  if (impl_->leading.empty()) {
    for (uint32_t row = row_begin; row < row_end; ++row) selection->push_back(row);
    return;
  }
  impl_->leading[0].Select(columns, row_begin, row_end, selection);
  for (size_t i = 1; i < impl_->leading.size() && selection->size() > first; ++i) {
    Refine(impl_->leading[i], columns, first, selection);
  }
}

struct PipelineRunner::State {
  explicit State(const Pipeline& pipeline) : impl(pipeline.impl()) {}
  const Pipeline::Impl& impl;
  Row row;
  UnwrappedValue value;
  FilterProbe::State probe;
};

PipelineRunner::PipelineRunner(const Pipeline& pipeline) : state_(std::make_unique<State>(pipeline)) {}
PipelineRunner::~PipelineRunner() = default;

void PipelineRunner::SetStream(const Labels& stream) {
  state_->row.labels.SetStream(stream);
  if (state_->impl.probe != nullptr) state_->probe.row.labels.SetStream(stream);
}

bool PipelineRunner::Process(int64_t ts_ns, std::string_view line, std::string_view metadata) {
  const FilterProbe* probe = state_->impl.probe.get();
  if (probe != nullptr && probe->Rejects(ts_ns, line, metadata, &state_->probe)) return false;
  Row& row = state_->row;
  row.ts_ns = ts_ns;
  row.line = line;
  row.labels.Reset(metadata);
  for (const auto& stage : state_->impl.stages) {
    if (!stage->Apply(&row)) return false;
  }
  return !state_->impl.unwrap || state_->impl.unwrap->Apply(&row, &state_->value);
}

std::string_view PipelineRunner::line() const { return state_->row.line; }
const RowLabels& PipelineRunner::labels() const { return state_->row.labels; }
double PipelineRunner::value() const { return state_->value.number; }
std::string_view PipelineRunner::value_text() const { return state_->value.text; }

}  // namespace varve::logql
