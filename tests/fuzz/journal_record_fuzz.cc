// Journal records. The checksum is made right first, so that mutations get past it; replay must then end in
// a batch or in kCorruption.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "engine/base/bytes.h"
#include "tests/support/push_fuzz.h"
#include "tests/support/replay_sinks.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < sizeof(uint64_t)) return 0;
  std::string record(reinterpret_cast<const char*>(data), size - sizeof(uint64_t));
  varve::PutFixed(&record, static_cast<uint64_t>(XXH3_64bits(record.data(), record.size())));
  static varve::testing::RecordingEngine engine({.store = false});
  varve::WritePath path(&engine, {});
  varve::LogReplaySink sink([&](const varve::AppendBatch& batch) { (void)engine.Describe(batch); });
  const varve::Status status = path.MakeReplay()(record, &sink);
  VARVE_CHECK(status.ok() || status.code() == varve::Code::kCorruption);
  VARVE_CHECK(engine.ingest_budget()->used_bytes() == 0);
  return 0;
}
