// What the push fuzz targets share: an input is pushed, and whatever was stored must replay to the same.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>

#include "engine/base/check.h"
#include "ingest/write_path.h"
#include "tests/support/recording_engine.h"
#include "tests/support/replay_sinks.h"

namespace varve::testing {

inline void FuzzPush(const PushRequest& request) {
  constexpr int64_t kBudgetBytes = 32 << 20;
  // One engine for all inputs: its threads take longer to start than an input takes.
  static RecordingEngine engine({.ingest_budget_bytes = kBudgetBytes, .store = false});
  engine.Forget();
  IngestLimits limits;
  limits.max_decompressed_size = 4 << 20;
  limits.max_line_size = 1000;
  // Of OTLP alone: a label from a record's attributes, and one from its severity.
  limits.otlp_config.log_attributes = {{OtlpAction::kIndexLabel, {}, "l.*"}, {OtlpAction::kDrop, {"d"}, ""}};
  limits.otlp_config.severity_text_as_label = true;
  WritePath path(&engine, limits);
  const PushOutcome outcome = path.Push(request);
  VARVE_CHECK(engine.ingest_budget()->used_bytes() == 0);
  VARVE_CHECK(engine.ingest_budget()->peak_bytes() <= kBudgetBytes);
  VARVE_CHECK(engine.journal_records().size() == (outcome.entries_stored != 0 ? 1u : 0u));
  if (engine.journal_records().empty()) return;
  std::string replayed;
  LogReplaySink sink([&](const AppendBatch& batch) { replayed += engine.Describe(batch); });
  const Status status = path.MakeReplay()(engine.journal_records()[0], &sink);
  VARVE_CHECK(status.ok());
  VARVE_CHECK(replayed == engine.appended());
}

inline void FuzzPush(std::string_view body, const char* content_type, const char* content_encoding,
                     bool legacy_json) {
  PushRequest request;
  request.content_type = content_type;
  request.content_encoding = content_encoding;
  request.body = body;
  request.legacy_json = legacy_json;
  FuzzPush(request);
}

inline void FuzzOtlpPush(std::string_view body, const char* content_type, const char* content_encoding) {
  PushRequest request;
  request.content_type = content_type;
  request.content_encoding = content_encoding;
  request.body = body;
  request.otlp = true;
  FuzzPush(request);
}

}  // namespace varve::testing
