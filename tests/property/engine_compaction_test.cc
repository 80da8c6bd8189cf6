// Random pushes (late, duplicate, of equal times, of two tenants), cuts, deletes, cancellations, compactions with
// failures in between, retention and restarts: what readers see, and in which order, must be what a plain
// list of everything that arrived says, and a compaction must change nothing at all.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <random>

#include "tests/support/engine_client.h"
#include "tests/support/memory_stores.h"
#include "tests/support/status_matchers.h"
#include "tests/support/word_row_filter.h"

namespace varve {
namespace {

constexpr int64_t kBaseNs = 1'700'000'000 * kNsPerSecond;
constexpr int64_t kCancelPeriodNs = 1000;

class FakeClock final : public Clock {
 public:
  int64_t NowNs() const override { return now_ns.load(std::memory_order_relaxed); }
  std::atomic<int64_t> now_ns{kBaseNs + 1'000'000};
};

// By stream; a reader's order.
using Ordered = std::map<std::string, std::vector<TestEntry>>;

// Everything that ever arrived, in order, and what hides it.
class Model {
 public:
  void Add(const std::string& tenant, const Labels& labels, const TestEntry& entry) {
    arrived_[tenant].push_back({labels, entry, {}});
  }
  void Delete(const std::string& tenant, const std::string& id, const WordRowFilter& filter, int64_t start_ns,
              int64_t end_ns) {
    for (Arrived& arrived : arrived_[tenant]) {
      const auto& [ts_ns, line, metadata] = arrived.entry;
      if (ts_ns >= start_ns && ts_ns <= end_ns && filter.Takes(arrived.labels, line)) arrived.hidden_by.insert(id);
    }
  }
  void Cancel(const std::string& tenant, const std::string& id) {
    for (Arrived& arrived : arrived_[tenant]) arrived.hidden_by.erase(id);
  }
  Ordered Expected(const std::string& tenant, TimeRange range) const {
    Ordered expected;
    const auto it = arrived_.find(tenant);
    if (it == arrived_.end()) return expected;
    std::map<std::string, std::set<TestEntry>> seen;
    for (const Arrived& arrived : it->second) {
      const std::string stream = arrived.labels.ToString();
      if (!arrived.hidden_by.empty() || !range.Contains(std::get<0>(arrived.entry))) continue;
      if (seen[stream].insert(arrived.entry).second) expected[stream].push_back(arrived.entry);
    }
    for (auto& [stream, entries] : expected) {
      std::stable_sort(entries.begin(), entries.end(), [](const TestEntry& a, const TestEntry& b) {
        return std::get<0>(a) < std::get<0>(b);
      });
    }
    return expected;
  }
  const TestEntry* AnyEntry(const std::string& tenant, const Labels& labels, uint32_t dice) const {
    const auto it = arrived_.find(tenant);
    if (it == arrived_.end()) return nullptr;
    std::vector<const TestEntry*> found;
    for (const Arrived& arrived : it->second) {
      if (arrived.labels == labels) found.push_back(&arrived.entry);
    }
    return found.empty() ? nullptr : found[dice % found.size()];
  }

 private:
  struct Arrived {
    Labels labels;
    TestEntry entry;
    std::set<std::string> hidden_by;
  };
  std::map<std::string, std::vector<Arrived>> arrived_;  // by tenant
};

// All rows of a tenant in a reader's order: by time, then source, then row.
Result<Ordered> ReadOrdered(Engine* engine, const std::string& tenant_name, TimeRange range) {
  Ordered read;
  const auto tenant = engine->FindTenant(tenant_name);
  if (!tenant.ok()) return read;
  VARVE_ASSIGN_OR_RETURN(const auto snapshot, engine->SnapshotLogs(*tenant, {}, range));
  struct Row {
    uint32_t source;
    uint32_t row;
    TestEntry entry;
  };
  const auto visible = [&](const LogSlice& slice) -> Result<std::vector<Row>> {
    VARVE_ASSIGN_OR_RETURN(
        const auto columns, snapshot->Load(slice.source, kTimestamps | kLines | kMetadata, engine->query_budget()));
    std::vector<uint32_t> rows;
    for (uint32_t row = slice.row_begin; row < std::min(slice.row_end, columns->row_count); ++row) rows.push_back(row);
    if (slice.counts_exact && (slice.may_hide() || rows.size() != slice.row_end - slice.row_begin)) {
      return InternalError("counts that are not exact");
    }
    VARVE_RETURN_IF_ERROR(snapshot->DropHidden(slice, engine->query_budget(), &rows));
    std::vector<Row> found;
    for (const uint32_t row : rows) {
      const int64_t ts_ns = columns->timestamps_ns[row];
      if (ts_ns < slice.min_ts_ns || ts_ns > slice.max_ts_ns) return InternalError("a row outside its slice");
      found.push_back({slice.source, row,
                       {ts_ns, std::string(columns->Line(row)), std::string(columns->Metadata(row))}});
    }
    return found;
  };
  std::map<std::string, std::vector<Row>> by_stream;
  for (const LogSlice& slice : snapshot->slices()) {
    std::set<TestEntry> older;
    for (const uint32_t other : slice.older_overlapping) {
      VARVE_ASSIGN_OR_RETURN(const auto rows, visible(snapshot->slices()[other]));
      for (const Row& row : rows) older.insert(row.entry);
    }
    VARVE_ASSIGN_OR_RETURN(const auto rows, visible(slice));
    for (const Row& row : rows) {
      if (older.contains(row.entry) || !range.Contains(std::get<0>(row.entry))) continue;
      by_stream[snapshot->streams()[slice.stream].labels->ToString()].push_back(row);
    }
  }
  for (auto& [stream, rows] : by_stream) {
    std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
      return std::tuple(std::get<0>(a.entry), a.source, a.row) < std::tuple(std::get<0>(b.entry), b.source, b.row);
    });
    for (Row& row : rows) read[stream].push_back(std::move(row.entry));
  }
  return read;
}

class World {
 public:
  explicit World(uint32_t seed) : random_(seed) {}

  void Run(int steps) {
    Open();
    for (int i = 0; i < steps && !testing::Test::HasFatalFailure(); ++i) {
      Step();
      if (Below(3) == 0) Compare({});
    }
    Compare({});
    ASSERT_OK(engine_->Flush());
    clock_.now_ns += 2 * kCancelPeriodNs;
    ASSERT_OK(engine_->Compact());
    Compare({});
    ExpectNothingHiddenIsLeft();
    Restart();
    Compare({});
    stats_copied += engine_->Stats().compaction_blocks_copied;
  }

  static inline std::atomic<uint64_t> stats_copied{0};
  static inline std::atomic<uint64_t> stats_decoded{0};
  static inline std::atomic<uint64_t> stats_removed{0};

 private:
  uint32_t Below(uint32_t n) { return static_cast<uint32_t>(random_() % n); }

  EngineOptions Options() const {
    EngineOptions options;
    options.data_dir = "/";
    options.memory_budget_bytes = 64 << 20;
    options.shard_count = 2;
    options.encode_threads = 1;
    options.query_threads = 1;
    options.disk_full_fraction = 1.0;
    options.cut_bytes = 1 << 30;
    options.cut_age_ms = int64_t{1} << 40;
    options.retention_check_interval_ms = int64_t{1} << 40;
    options.bucket_ns = 100;
    options.block_bytes = 120;
    options.block_rows = 5;
    options.clock = &clock_;
    options.row_filter_factory = CompileWordRowFilter;
    options.delete_cancel_period_ns = kCancelPeriodNs;
    options.compaction_enabled = false;  // the test does it
    options.compaction_bytes_per_second = 0;
    return options;
  }
  void Open() {
    Result<std::unique_ptr<Engine>> engine =
        OpenWith(Options(), MakeMemoryStores(disk_, [this](std::string_view step) {
                   return step == failing_step_ && failures_left_.fetch_sub(1) > 0 ? IoError("injected") : Status::Ok();
                 }));
    ASSERT_OK(engine);
    engine_ = std::move(engine).value();
    const Result<std::vector<PackInfo>> stored = disk_.packs->List();
    ASSERT_OK(stored);
    EXPECT_EQ(stored->size(), engine_->Stats().packs) << "orphans are left";
    ASSERT_OK(engine_->Recover(TestReplay(engine_.get())));
  }
  void Restart() {
    const EngineStats stats = engine_->Stats();
    stats_copied += stats.compaction_blocks_copied;
    stats_decoded += stats.compaction_blocks_decoded;
    stats_removed += stats.compaction_rows_removed;
    engine_.reset();
    Open();
  }

  void Step() {
    EngineTestPeer peer(engine_.get());
    switch (Below(16)) {
      case 0: Restart(); break;
      case 1:
      case 2:
      case 3: ASSERT_OK(peer.CutShard(Below(peer.shard_count()))); break;
      case 4: ASSERT_OK(engine_->Flush()); break;
      case 5: Unchanged([&] { ASSERT_OK(engine_->Compact()); }); break;
      case 6:
      case 7: Unchanged([&] { ASSERT_OK(peer.CompactByTheRules()); }); break;
      case 8: CompactionThatFails(); break;
      case 9: Delete(); break;
      case 10: Cancel(); break;
      case 11: clock_.now_ns += Below(kCancelPeriodNs); break;
      default: Push();
    }
  }

  template <typename Fn>
  void Unchanged(Fn&& fn) {
    // A snapshot from before goes on showing what it showed.
    Result<Ordered> before = ReadOrdered(engine_.get(), "t", {});
    ASSERT_OK(before);
    std::unique_ptr<const LogSnapshot> held;
    if (const auto tenant = engine_->FindTenant("t"); tenant.ok()) {
      auto snapshot = engine_->SnapshotLogs(*tenant, {}, {});
      ASSERT_OK(snapshot);
      held = std::move(snapshot).value();
    }
    fn();
    const Result<Ordered> after = ReadOrdered(engine_.get(), "t", {});
    ASSERT_OK(after);
    ASSERT_EQ(*before, *after);
    if (held == nullptr) return;
    for (const LogSlice& slice : held->slices()) {
      ASSERT_OK(held->Load(slice.source, kLines, engine_->query_budget()));
    }
  }

  void CompactionThatFails() {
    static constexpr const char* kSteps[] = {"pack", "commit", "commit reported", "drop"};
    failing_step_ = kSteps[Below(std::size(kSteps))];
    failures_left_ = 1;
    Unchanged([&] { engine_->Compact().IgnoreError("fails if there was anything to do"); });
    failing_step_ = "";
    if (Below(2) == 0) Restart();
  }

  void Push() {
    TestPush push;
    const std::string tenant = Below(4) == 0 ? "u" : "t";
    for (uint32_t s = Below(3); s < 3; ++s) {
      TestPush::Stream stream;
      stream.labels = MakeLabels({{"app", std::string(1, static_cast<char>('a' + Below(3)))}});
      const bool late = Below(3) == 0;
      const int64_t from = kBaseNs + (late ? Below(Below(4) == 0 ? 9000 : 600) : Below(150));
      int64_t ts = from;
      for (uint32_t i = Below(25); i > 0; --i) {
        const TestEntry* old = Below(6) == 0 ? model_.AnyEntry(tenant, stream.labels, random_() & 0xFFFF) : nullptr;
        ts += late && Below(3) == 0 ? Below(200) : Below(4);  // often the same
        stream.entries.push_back(old != nullptr ? *old
                                                : TestEntry{ts, RandomLine(), Below(3) == 0 ? "\x01k\x01v" : ""});
      }
      for (const TestEntry& entry : stream.entries) model_.Add(tenant, stream.labels, entry);
      push.streams.push_back(std::move(stream));
    }
    ASSERT_OK(EngineClient(engine_.get(), tenant).Push(push));
  }
  std::string RandomLine() {
    return std::string(Below(3), static_cast<char>('x' + Below(2))) +
           (Below(2) == 0 ? std::to_string(++serial_) : "same");
  }

  void Delete() {
    const std::string tenant = Below(4) == 0 ? "u" : "t";
    const std::string query = std::string("app=") + static_cast<char>('a' + Below(3)) +
                              (Below(3) == 0 ? "" : Below(2) == 0 ? "|x" : "|same");
    const int64_t start = kBaseNs + Below(400);
    const int64_t end = start + Below(Below(2) == 0 ? 100 : 10'000);
    const auto request = engine_->AddDelete(tenant, query, start, end);
    ASSERT_OK(request);
    const auto filter = CompileWordRowFilter(query);
    model_.Delete(tenant, request->id, static_cast<const WordRowFilter&>(**filter), start, end);
    Compare({});
  }

  void Cancel() {
    for (const DeleteRequest& request : engine_->ListDeletes("t")) {
      if (request.state != DeleteRequest::State::kReceived || Below(2) == 0) continue;
      const Status cancelled = engine_->CancelDelete("t", request.id, false);
      if (cancelled.ok()) model_.Cancel("t", request.id);
    }
    Compare({});
  }

  void Compare(TimeRange range) {
    for (const char* tenant : {"t", "u"}) {
      const Result<Ordered> read = ReadOrdered(engine_.get(), tenant, range);
      ASSERT_OK(read);
      ASSERT_EQ(*read, model_.Expected(tenant, range)) << tenant;
    }
    if (range.begin_ns != kBaseNs && Below(3) == 0) {
      range.begin_ns = kBaseNs;
      range.end_ns = kBaseNs + Below(1000);
      Compare(range);
    }
  }

  void ExpectNothingHiddenIsLeft() {
    for (const char* tenant : {"t", "u"}) {
      for (const DeleteRequest& request : engine_->ListDeletes(tenant)) {
        EXPECT_EQ(request.state, DeleteRequest::State::kProcessed) << request.packs_left;
      }
    }
    // What is stored is what is seen: nothing hidden, and one pack a bucket and class, or packs in between.
    uint64_t seen = 0;
    for (const char* tenant : {"t", "u"}) {
      for (const auto& [stream, entries] : model_.Expected(tenant, {})) seen += entries.size();
    }
    EXPECT_GE(engine_->Stats().pack_entries, seen);
    EXPECT_EQ(engine_->Stats().delete_requests, 0u);
    const Result<std::vector<PackInfo>> stored = disk_.packs->List();
    ASSERT_OK(stored);
    for (const PackInfo& pack : *stored) {
      EXPECT_TRUE(VerifyPack(*disk_.packs, pack.id, [](const PackDamage& damage) {
        ADD_FAILURE() << damage.id.ToString() << ": " << damage.status.ToString();
      }));
    }
  }

  std::mt19937 random_;
  FakeClock clock_;
  MemoryDisk disk_;
  std::string failing_step_;
  std::atomic<int> failures_left_{0};
  std::unique_ptr<Engine> engine_;
  Model model_;
  uint64_t serial_ = 0;
};

TEST(EngineCompactionProperty, ReadersSeeTheSameBeforeAndAfter) {
  // VARVE_TEST_SEEDS: how many worlds, for a longer search by hand.
  const char* seeds = std::getenv("VARVE_TEST_SEEDS");
  const uint32_t count = seeds == nullptr ? 12 : static_cast<uint32_t>(std::atoi(seeds));
  const uint32_t first = std::random_device{}();
  for (uint32_t seed = first; seed < first + count && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World(seed).Run(120);
  }
  EXPECT_GT(World::stats_copied, 0u) << "no block was ever copied";
  EXPECT_GT(World::stats_decoded, 0u);
  EXPECT_GT(World::stats_removed, 0u) << "no deleted row was ever removed";
}

}  // namespace
}  // namespace varve
