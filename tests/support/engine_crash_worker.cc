// Pushes to an engine until a kill point ends it: engine_crash_worker DIR FIRST COUNT.
//
// Entry i is the line "entry i". Writes "tried i" before and "acked i" after each push to standard
// output, unbuffered. Flushes and compacts now and then; with VARVE_TEST_RETENTION set, everything
// expires in the end. With VARVE_TEST_METRICS set, entry i is a sample of value i, i times five hours after 2023-11-14.
#include <cstdio>
#include <cstdlib>

#include "tests/support/engine_client.h"
#include "tests/support/memory_stores.h"
#include "tests/support/metric_client.h"

namespace {

varve::Status PushLines(varve::EngineClient* client, int i) {
  varve::TestPush push;  // each push spans shards and buckets
  for (int s = 0; s < 4; ++s) {
    push.streams.push_back({.labels = varve::MakeLabels({{"app", std::to_string((i + s) % 7)}}),
                            .entries = {{i, "entry " + std::to_string(i), ""}}});
  }
  return client->Push(push);
}

// Each push spans shards and days.
varve::Status PushSamples(varve::Engine* engine, int i) {
  varve::TestMetricPush push;
  for (int s = 0; s < 4; ++s) {
    const std::string instance = std::to_string((i + s) % 7);
    push.series.push_back({.labels = varve::MetricLabelsOf({{"__name__", "m"}, {"instance", instance}}),
                           .samples = {{.ts_ms = 1'700'000'000'000 + i * 18'000'000LL, .value = double(i)}}});
  }
  VARVE_ASSIGN_OR_RETURN(const varve::TenantId tenant, engine->InternTenant("t"));
  return std::move(varve::MetricClient(&engine->metrics(), tenant).Push(push)).status();
}

}  // namespace

int main(int argc, char** argv) {
  using namespace varve;  // NOLINT: a test program
  if (argc != 4) return 2;
  std::setvbuf(stdout, nullptr, _IONBF, 0);
  EngineOptions options;
  options.data_dir = argv[1];
  options.memory_budget_bytes = 64 << 20;
  options.shard_count = 3;
  options.encode_threads = 1;
  options.query_threads = 1;
  options.disk_full_fraction = 1.0;
  options.bucket_ns = 10;
  Result<std::unique_ptr<Engine>> engine = Engine::Open(options);
  if (!engine.ok() || !(*engine)->Recover(TestReplay(engine->get())).ok()) return 1;
  EngineClient client(engine->get());
  const int first = std::atoi(argv[2]);
  const int count = std::atoi(argv[3]);
  for (int i = first; i < first + count; ++i) {
    std::printf("tried %d\n", i);
    if (std::getenv("VARVE_TEST_METRICS") != nullptr) {
      if (!PushSamples(engine->get(), i).ok()) return 1;
    } else if (!PushLines(&client, i).ok()) {
      return 1;
    }
    std::printf("acked %d\n", i);
    if (i % 5 == 4 && !(*engine)->Flush().ok()) return 1;
    if (i % 10 == 9 && !(*engine)->Compact().ok()) return 1;
  }
  if (std::getenv("VARVE_TEST_RETENTION") != nullptr) {
    // Only now, in an engine of its own: the background check may come at any moment.
    if (!(*engine)->Close().ok()) return 1;
    *engine = nullptr;
    std::printf("retention\n");
    options.retention_ns = 1;  // everything is old
    engine = Engine::Open(options);
    if (!engine.ok() || !(*engine)->Recover(TestReplay(engine->get())).ok()) return 1;
    if (!EngineTestPeer(engine->get()).RunRetentionOnce().ok()) return 1;
  }
  return 0;
}
