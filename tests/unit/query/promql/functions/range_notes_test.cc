#include "query/promql/functions/range_notes.h"

#include <gmock/gmock.h>

namespace varve::promql {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> CounterInfos(std::string_view name, bool type_labels, const PackedLabels& labels) {
  Annotations notes;
  RangeCall call;
  call.metric_name = name;
  call.labels = &labels;
  call.notes = &notes;
  call.type_and_unit_labels = type_labels;
  NoteUnlessCounter(call);
  return notes.Infos("q", 0);
}

TEST(NoteUnlessCounter, GoesByTheEndOfTheName) {
  for (const char* name : {"a_total", "a_sum", "a_count", "a_bucket", ""}) {
    EXPECT_THAT(CounterInfos(name, false, {}), IsEmpty()) << name;
  }
  EXPECT_THAT(CounterInfos("up", false, {}),
              ElementsAre("PromQL info: metric might not be a counter, name does not end in "
                          "_total/_sum/_count/_bucket: \"up\" (1:1)"));
}

TEST(NoteUnlessCounter, GoesByTheTypeLabelWhereThatIsOn) {
  EXPECT_THAT(CounterInfos("up", true, PackedLabels::FromUnsorted({{"__type__", "counter"}})), IsEmpty());
  EXPECT_THAT(CounterInfos("up", true, PackedLabels::FromUnsorted({{"__type__", "histogram"}})), IsEmpty());
  EXPECT_THAT(CounterInfos("a_total", true, PackedLabels::FromUnsorted({{"__type__", "gauge"}})),
              ElementsAre("PromQL info: metric might not be a counter, __type__ label is not set to \"counter\" or "
                          "\"histogram\", got \"gauge\": \"a_total\" (1:1)"));
}

TEST(RangeNotes, AreInPrometheusWords) {
  Annotations notes;
  RangeCall call;
  call.metric_name = "a\"b";
  call.notes = &notes;
  NoteNotACounter(call);
  NoteNotAGauge(call);
  NoteMixedSchemas(call);
  NoteReconciledBounds(call, "subtraction");
  NoteConflictingResets(call, "aggregation");
  EXPECT_THAT(notes.Warnings("q", 0),
              ElementsAre("PromQL warning: conflicting counter resets during histogram aggregation (1:1)",
                          "PromQL warning: this native histogram metric is not a counter: \"a\\\"b\" (1:1)",
                          "PromQL warning: this native histogram metric is not a gauge: \"a\\\"b\" (1:1)",
                          "PromQL warning: vector contains a mix of histograms with exponential and custom buckets "
                          "schemas for metric name \"a\\\"b\" (1:1)"));
  EXPECT_THAT(notes.Infos("q", 0),
              ElementsAre("PromQL info: mismatched custom buckets were reconciled during subtraction (1:1)"));
}

}  // namespace
}  // namespace varve::promql
