// What must not be forgotten of a report, and its record: docs/format.md, "Report record".
// Threads: values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"

namespace varve {

enum class RunStage : uint8_t {
  kAsking,   // the entry is not known to be stored
  kSending,  // it is; `receivers` are still to be told
  kFailed,   // given up; `receivers` are still to be told of that
};

// A run that is not done.
struct PendingRun {
  std::string date;
  RunStage stage = RunStage::kAsking;
  uint32_t attempts = 0;  // that failed, of this stage for kFailed
  int64_t due_ms = 0;
  std::string error;                   // of the last attempt
  std::vector<std::string> receivers;  // not in kAsking

  bool operator==(const PendingRun&) const = default;
};

struct ReportState {
  int64_t handled_s = 0;  // the schedule's times up to this one are done or pending
  std::string last_date;
  std::string last_error;
  std::vector<PendingRun> runs;  // oldest first

  bool operator==(const ReportState&) const = default;
};

inline constexpr std::string_view kReportRecords = "reports/";

std::string EncodeReportState(const ReportState& state);
// kCorruption.
Result<ReportState> DecodeReportState(std::string_view record);

}  // namespace varve
