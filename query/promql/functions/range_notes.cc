#include "query/promql/functions/range_notes.h"

#include <fmt/format.h>

#include "query/promql/values/number_text.h"

namespace varve::promql {
namespace {

void WarnWithName(const RangeCall& call, std::string_view text) {
  if (call.notes == nullptr) return;
  call.notes->AddWarning(call.pos, fmt::format("{} {}", text, GoQuoted(call.metric_name)));
}

}  // namespace

void NoteMixedKinds(const RangeCall& call) {
  WarnWithName(call, "encountered a mix of histograms and floats for metric name");
}

void NoteIgnoredHistograms(const RangeCall& call) {
  if (call.notes == nullptr) return;
  call.notes->AddInfo(call.pos, "ignored histograms in a range containing both floats and histograms for metric name " +
                                    GoQuoted(call.metric_name));
}

void NoteStartOverlap(const RangeCall& call) {
  if (call.notes == nullptr) return;
  call.notes->AddCountedWarning(
      call.pos, "sample has start time that overlaps with previous sample timestamp for metric " +
                    GoQuoted(call.metric_name));
}

void NoteInvalidQuantile(const RangeCall& call, double quantile) {
  if (call.notes == nullptr) return;
  call.notes->AddWarning(call.pos, "quantile value should be between 0 and 1, got " + GoG(quantile));
}

void NoteNotACounter(const RangeCall& call) {
  WarnWithName(call, "this native histogram metric is not a counter:");
}

void NoteNotAGauge(const RangeCall& call) { WarnWithName(call, "this native histogram metric is not a gauge:"); }

void NoteMixedSchemas(const RangeCall& call) {
  WarnWithName(call,
               "vector contains a mix of histograms with exponential and custom buckets schemas for metric name");
}

void NoteReconciledBounds(const RangeCall& call, std::string_view operation) {
  if (call.notes == nullptr) return;
  call.notes->AddInfo(call.pos, fmt::format("mismatched custom buckets were reconciled during {}", operation));
}

void NoteConflictingResets(const RangeCall& call, std::string_view operation) {
  if (call.notes == nullptr) return;
  call.notes->AddWarning(call.pos, fmt::format("conflicting counter resets during histogram {}", operation));
}

void NoteUnlessCounter(const RangeCall& call) {
  const std::string_view name = call.metric_name;
  if (call.notes == nullptr || name.empty()) return;
  if (call.type_and_unit_labels) {
    const std::string_view type = call.labels == nullptr ? std::string_view() : call.labels->Get("__type__");
    if (type == "counter" || type == "histogram") return;
    call.notes->AddInfo(
        call.pos, fmt::format("metric might not be a counter, __type__ label is not set to \"counter\" or "
                              "\"histogram\", got {}: {}",
                              GoQuoted(type), GoQuoted(name)));
    return;
  }
  for (const std::string_view suffix : {"_total", "_sum", "_count", "_bucket"}) {
    if (name.ends_with(suffix)) return;
  }
  call.notes->AddInfo(call.pos, "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: " +
                                    GoQuoted(name));
}

}  // namespace varve::promql
