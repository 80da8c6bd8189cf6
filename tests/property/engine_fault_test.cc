// The file system fails under the engine: at the n-th call for n = 1, 2, 3…, for good or once, with an
// I/O error or a full disk; or the power goes. After each, the directory opens again and holds every
// acknowledged entry exactly once, and nothing that was never pushed.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/support/engine_client.h"
#include "tests/support/faulty_env.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace varve {
namespace {

EngineOptions Options(const std::string& dir, FaultyEnv* env) {
  EngineOptions options;
  options.data_dir = dir;
  options.env = env == nullptr ? nullptr : env->env();
  options.memory_budget_bytes = 64 << 20;
  options.shard_count = 2;
  options.encode_threads = 1;
  options.query_threads = 1;
  options.disk_full_fraction = 1.0;
  options.sync_interval_ms = 20;
  return options;
}

// Pushes one entry per call; remembers what was tried and what was acknowledged.
class Ledger {
 public:
  void Push(Engine* engine) {
    const std::string line = "entry " + std::to_string(tried_.size());
    const Labels labels = MakeLabels({{"app", std::to_string(tried_.size() % 5)}});
    tried_.insert(line);
    order_.push_back(line);
    if (EngineClient(engine).Push(labels, static_cast<int64_t>(tried_.size()), line).ok())
      acknowledged_.insert(line);
  }

  // Opens the directory again, without faults.
  void Check(const std::string& dir, bool all_acknowledged = true) {
    Result<std::unique_ptr<Engine>> engine = Engine::Open(Options(dir, nullptr));
    ASSERT_OK(engine);
    ASSERT_OK((*engine)->Recover(TestReplay(engine->get())));
    const Result<TestContents> contents = EngineClient(engine->get()).ReadAll();
    ASSERT_OK(contents);
    std::set<std::string> present;
    for (const auto& [stream, entries] : *contents) {
      for (const TestEntry& entry : entries) present.insert(std::get<1>(entry));
    }
    const EngineStats stats = (*engine)->Stats();
    EXPECT_EQ(stats.head_entries + stats.pack_entries, present.size()) << "an entry is there twice";
    EXPECT_TRUE(std::includes(tried_.begin(), tried_.end(), present.begin(), present.end()));
    if (all_acknowledged) {
      EXPECT_TRUE(std::includes(present.begin(), present.end(), acknowledged_.begin(), acknowledged_.end()))
          << present.size() << " present, " << acknowledged_.size() << " acknowledged";
    } else {
      // Entries were pushed one after another: what is left is a beginning.
      for (size_t i = 0; i < order_.size(); ++i) {
        EXPECT_EQ(present.contains(order_[i]), i < present.size()) << order_[i];
      }
    }
    ASSERT_OK(EngineClient(engine->get()).Push(MakeLabels({{"app", "after"}}), 1, "works again"));
  }

 private:
  std::set<std::string> tried_;
  std::set<std::string> acknowledged_;
  std::vector<std::string> order_;
};

// Opens, pushes, flushes, pushes. Errors are expected anywhere.
void Workload(const EngineOptions& options, Ledger* ledger) {
  Result<std::unique_ptr<Engine>> engine = Engine::Open(options);
  if (!engine.ok() || !(*engine)->Recover(TestReplay(engine->get())).ok()) return;
  for (int i = 0; i < 6; ++i) ledger->Push(engine->get());
  (*engine)->Flush().IgnoreError("may be what fails");
  for (int i = 0; i < 3; ++i) ledger->Push(engine->get());
  const Result<TestContents> contents = EngineClient(engine->get()).ReadAll();
  EXPECT_OK(contents);  // reads go on whatever happened to writes
  (*engine)->Close().IgnoreError("may be what fails");
}

struct Sweep {
  const char* name;
  FaultyEnv::Plan plan;
  uint64_t stride;
};

class EngineFault : public testing::TestWithParam<Sweep> {};

TEST_P(EngineFault, LosesNothingAcknowledgedWhicheverCallFails) {
  uint64_t failures = 0;
  for (uint64_t n = 1;; n += GetParam().stride) {
    SCOPED_TRACE("call " + std::to_string(n));
    const TempDir dir;
    FaultyEnv env;
    FaultyEnv::Plan plan = GetParam().plan;
    plan.fail_at = n;
    env.Arm(plan);
    Ledger ledger;
    Workload(Options(dir.path(), &env), &ledger);
    const bool failed = env.failed();
    env.Disarm();
    ledger.Check(dir.path());
    if (HasFailure()) return;
    if (!failed) break;
    ++failures;
  }
  EXPECT_GT(failures, 20u);
}

INSTANTIATE_TEST_SUITE_P(
    Sweeps, EngineFault,
    testing::Values(Sweep{"IoErrorForGood", {.once = false, .error = FaultyEnv::Error::kIo}, 2},
                    Sweep{"IoErrorOnce", {.once = true, .error = FaultyEnv::Error::kIo}, 1},
                    Sweep{"DiskFullForGood", {.once = false, .error = FaultyEnv::Error::kNoSpace}, 3}),
    [](const auto& sweep) { return std::string(sweep.param.name); });

TEST(EnginePowerCut, LosesNothingAcknowledgedWithDurabilityDiskAndOnlyATailWithProcess) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 24; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    const bool disk = round % 2 == 0;
    const TempDir dir;
    FaultyEnv env;
    EngineOptions options = Options(dir.path(), &env);
    options.durability = disk ? Durability::kDisk : Durability::kProcess;
    options.sync_interval_ms = 1'000'000;  // the tail is everything since the last cut
    Ledger ledger;
    {
      Result<std::unique_ptr<Engine>> engine = Engine::Open(options);
      ASSERT_OK(engine);
      ASSERT_OK((*engine)->Recover(TestReplay(engine->get())));
      for (auto i = random() % 20; i > 0; --i) {
        ledger.Push(engine->get());
        if (random() % 6 == 0) ASSERT_OK((*engine)->Flush());
      }
      env.Freeze();
      (*engine)->Close().IgnoreError("the disk is gone");
    }
    ASSERT_OK(env.DropUnsynced());
    ledger.Check(dir.path(), /*all_acknowledged=*/disk);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace varve
