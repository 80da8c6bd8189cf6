#include "alerting/reports/report_state.h"

#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace varve {
namespace {

ReportState Example() {
  ReportState state;
  state.handled_s = 1'795'132'800;
  state.last_date = "2026-11-17";
  state.last_error = "it was raining";
  state.runs = {{"2026-11-18", RunStage::kSending, 2, 1'795'132'900'000, "refused", {"ops", "boss"}},
                {"2026-11-19", RunStage::kAsking, 0, -1, "", {}}};
  return state;
}

TEST(ReportState, ReadsBackWhatItWrote) {
  const Result<ReportState> state = DecodeReportState(EncodeReportState(Example()));
  ASSERT_OK(state.status());
  EXPECT_EQ(*state, Example());
  EXPECT_EQ(*DecodeReportState(EncodeReportState({})), ReportState{});
}

TEST(ReportState, IsWrittenAsTheFormatSays) {
  ReportState state;
  state.handled_s = 1;
  state.last_date = "d";
  state.runs = {{"e", RunStage::kFailed, 3, 2, "x", {"r"}}};
  EXPECT_EQ(EncodeReportState(state), std::string("\x01\x02\x01"
                                                  "d\x00\x01\x01"
                                                  "e\x02\x03\x04\x01x\x01\x01r",
                                                  16));
}

TEST(ReportState, RefusesEveryCutAndOtherVersions) {
  const std::string record = EncodeReportState(Example());
  for (size_t size = 0; size < record.size(); ++size) {
    EXPECT_FALSE(DecodeReportState(record.substr(0, size)).ok()) << size;
  }
  EXPECT_FALSE(DecodeReportState(record + "x").ok());
  std::string other = record;
  other[0] = 2;
  EXPECT_EQ(DecodeReportState(other).status().code(), Code::kCorruption);
}

}  // namespace
}  // namespace varve
