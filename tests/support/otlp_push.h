// Pushes OTLP requests to a RecordingEngine and replays what was journalled: what tests of OTLP look at.
//
// Threads: thread-compatible.
#pragma once

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "ingest/write_path.h"
#include "tests/support/recording_engine.h"
#include "tests/support/replay_sinks.h"

namespace varve::testing {

class OtlpPush {
 public:
  explicit OtlpPush(IngestLimits limits = {}) : path_(&engine_, std::move(limits)) {}

  PushOutcome Push(std::string_view body, std::string_view content_type, std::string_view encoding = "") {
    PushRequest request;
    request.content_type = content_type;
    request.content_encoding = encoding;
    request.body = body;
    request.otlp = true;
    return path_.Push(request);
  }

  // What is stored of a body, a line for each entry; or the error. Replay must give the same, also under
  // other limits.
  std::string Stored(std::string_view body, std::string_view content_type = "application/json",
                     std::string_view encoding = "") {
    engine_.Forget();
    const PushOutcome outcome = Push(body, content_type, encoding);
    EXPECT_EQ(engine_.ingest_budget()->used_bytes(), 0);
    std::string text = outcome.status.ok() ? "" : "error: " + std::string(outcome.status.message()) + "\n";
    if (engine_.journal_records().empty()) return text;
    EXPECT_EQ(engine_.journal_records().size(), 1U);
    IngestLimits others;
    others.discover_service_name = {};
    others.discover_log_levels = false;
    others.otlp_config.ignore_defaults = true;
    WritePath other_path(&engine_, others);
    std::string replayed;
    LogReplaySink sink([&](const AppendBatch& batch) { replayed += engine_.Describe(batch); });
    const Status status = other_path.MakeReplay()(engine_.journal_records()[0], &sink);
    EXPECT_TRUE(status.ok()) << status.ToString();
    EXPECT_EQ(replayed, engine_.appended());
    return engine_.appended() + text;
  }

  RecordingEngine& engine() { return engine_; }
  WritePath& path() { return path_; }

 private:
  RecordingEngine engine_;
  WritePath path_;
};

}  // namespace varve::testing
