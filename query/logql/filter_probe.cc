#include "query/logql/filter_probe.h"

#include "query/logql/stages/json_parser.h"
#include "query/logql/stages/label_filter.h"
#include "query/logql/stages/logfmt_parser.h"
#include "query/logql/stages/pattern_parser.h"
#include "query/logql/stages/regexp_parser.h"

namespace varve::logql {
namespace {

// After this many probed rows it is decided whether probing goes on.
constexpr uint32_t kRoundRows = 256;
constexpr uint32_t kRestRows = 4096;

// Whether every comparison in `filter` is one of strings that a missing label fails.
bool FailsWithoutLabels(const LabelFilter& filter) {
  if (const auto* binary = std::get_if<BinaryLabelFilter>(&filter.node)) {
    return FailsWithoutLabels(*binary->left) && FailsWithoutLabels(*binary->right);
  }
  const auto* string = std::get_if<StringLabelFilter>(&filter.node);
  return string != nullptr && !string->matcher.MatchesEmpty();
}

bool LooksAtErrors(const LabelFilter& filter) {
  bool found = false;
  ForEachFilteredName(filter, [&](const std::string& name) {
    found = found || name == kErrorLabel || name == kErrorDetailsLabel;
  });
  return found;
}

}  // namespace

Result<std::unique_ptr<const FilterProbe>> FilterProbe::Create(const std::vector<Stage>& stages) {
  using Probe = std::unique_ptr<const FilterProbe>;
  size_t next = 0;
  while (next < stages.size() && std::holds_alternative<LineFilter>(stages[next])) ++next;
  if (next == stages.size()) return Probe();
  const Stage& parser = stages[next++];
  const auto* json = std::get_if<JsonParser>(&parser);
  const auto* logfmt = std::get_if<LogfmtParser>(&parser);
  const auto* regexp = std::get_if<RegexpParser>(&parser);
  const auto* pattern = std::get_if<PatternParser>(&parser);
  const bool whole_line = (json != nullptr && json->extractions.empty()) ||
                          (logfmt != nullptr && logfmt->extractions.empty()) || regexp != nullptr ||
                          pattern != nullptr;
  if (!whole_line) return Probe();
  const bool may_fail = json != nullptr || (logfmt != nullptr && logfmt->strict);

  std::unique_ptr<FilterProbe> probe(new FilterProbe());
  std::vector<std::string> names;
  std::vector<std::unique_ptr<RowStage>> filters;
  for (; next < stages.size(); ++next) {
    const auto* stage = std::get_if<LabelFilterStage>(&stages[next]);
    if (stage == nullptr || LooksAtErrors(*stage->filter)) break;
    if (may_fail && !FailsWithoutLabels(*stage->filter)) break;
    ForEachFilteredName(*stage->filter, [&](const std::string& name) { names.push_back(name); });
    VARVE_ASSIGN_OR_RETURN(std::unique_ptr<RowStage> filter, CompileLabelFilter(*stage->filter));
    filters.push_back(std::move(filter));
  }
  if (filters.empty()) return Probe();
  probe->needed_ = NeededNames::Only(names);
  if (json != nullptr) {
    probe->stages_.push_back(std::make_unique<JsonParserStage>(probe->needed_));
  } else if (logfmt != nullptr) {
    probe->stages_.push_back(
        std::make_unique<LogfmtParserStage>(logfmt->strict, logfmt->keep_empty, probe->needed_));
  } else {
    VARVE_ASSIGN_OR_RETURN(std::unique_ptr<RowStage> stage,
                           regexp != nullptr ? RegexpParserStage::Create(regexp->pattern, probe->needed_)
                                             : PatternParserStage::Create(pattern->pattern, probe->needed_));
    probe->stages_.push_back(std::move(stage));
  }
  for (auto& filter : filters) probe->stages_.push_back(std::move(filter));
  return Probe(std::move(probe));
}

bool FilterProbe::Rejects(int64_t ts_ns, std::string_view line, std::string_view metadata,
                          State* state) const {
  if (state->resting > 0) {
    --state->resting;
    return false;
  }
  state->row.ts_ns = ts_ns;
  state->row.line = line;
  state->row.labels.Reset(metadata);
  bool rejects = false;
  for (const auto& stage : stages_) {
    rejects = !stage->Apply(&state->row);
    if (rejects) break;
  }
  state->rejected += rejects ? 1 : 0;
  if (++state->probed == kRoundRows) {
    // A probe costs a quarter of a full run or less.
    if (state->rejected < kRoundRows / 4) state->resting = kRestRows;
    state->probed = 0;
    state->rejected = 0;
  }
  return rejects;
}

}  // namespace varve::logql
