#include "alerting/reports/report_state.h"

#include "engine/base/bytes.h"

namespace varve {
namespace {

constexpr uint8_t kVersion = 1;

}  // namespace

std::string EncodeReportState(const ReportState& state) {
  std::string out;
  out.push_back(static_cast<char>(kVersion));
  PutSignedVarint(&out, state.handled_s);
  PutLengthPrefixed(&out, state.last_date);
  PutLengthPrefixed(&out, state.last_error);
  PutVarint(&out, state.runs.size());
  for (const PendingRun& run : state.runs) {
    PutLengthPrefixed(&out, run.date);
    out.push_back(static_cast<char>(run.stage));
    PutVarint(&out, run.attempts);
    PutSignedVarint(&out, run.due_ms);
    PutLengthPrefixed(&out, run.error);
    PutVarint(&out, run.receivers.size());
    for (const std::string& receiver : run.receivers) PutLengthPrefixed(&out, receiver);
  }
  return out;
}

Result<ReportState> DecodeReportState(std::string_view record) {
  ByteReader reader(record);
  const auto version = reader.Fixed<uint8_t>();
  if (!reader.ok() || version != kVersion) return Corruption("report record: unknown version");
  ReportState state;
  state.handled_s = reader.SignedVarint();
  state.last_date = reader.LengthPrefixed();
  state.last_error = reader.LengthPrefixed();
  for (uint64_t left = reader.Varint(); left > 0 && reader.ok(); --left) {
    PendingRun run;
    run.date = reader.LengthPrefixed();
    const auto stage = reader.Fixed<uint8_t>();
    if (stage > static_cast<uint8_t>(RunStage::kFailed)) return Corruption("report record: unknown stage");
    run.stage = static_cast<RunStage>(stage);
    run.attempts = static_cast<uint32_t>(reader.Varint());
    run.due_ms = reader.SignedVarint();
    run.error = reader.LengthPrefixed();
    for (uint64_t more = reader.Varint(); more > 0 && reader.ok(); --more) {
      run.receivers.emplace_back(reader.LengthPrefixed());
    }
    state.runs.push_back(std::move(run));
  }
  if (!reader.AtEnd()) return Corruption("report record: cut short or too long");
  return state;
}

}  // namespace varve
