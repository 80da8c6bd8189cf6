// What a million streams cost: CPU time to load them at open, bytes in memory, time to select.
//
//   stream_table_bench [STREAMS]
#include <malloc.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "engine/index/stream_table.h"

namespace varve {
namespace {

// Of this process: the machine may be shared.
double CpuSeconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

size_t HeapBytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

void TimeSelect(const StreamTable& table, TenantId tenant, const char* what, std::vector<Matcher> matchers) {
  const double begin = CpuSeconds();
  const size_t found = table.Select(tenant, matchers).size();
  std::printf("  %-44s %9.3f ms  %zu streams\n", what, (CpuSeconds() - begin) * 1e3, found);
}

int Run(size_t count) {
  std::vector<std::string> canonical;
  canonical.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    canonical.push_back(
        Labels::FromUnsorted({{"app", "app-" + std::to_string(i % 200)},
                              {"namespace", "ns-" + std::to_string(i % 50)},
                              {"container", "c" + std::to_string(i % 20)},
                              {"node", "node-" + std::to_string(i % 1000)},
                              {"pod", "app-" + std::to_string(i % 200) + "-7c9f8b6d5-" + std::to_string(i)}})
            .Canonical());
  }
  StreamTable table;
  const size_t before = HeapBytes();
  const double begin = CpuSeconds();
  for (size_t i = 0; i < count; ++i) {
    if (Status status = table.Load("t", canonical[i], i * 0x9E3779B97F4A7C15); !status.ok()) return 1;
  }
  const auto per_stream = [count](size_t bytes) {
    return static_cast<double>(bytes) / static_cast<double>(count);
  };
  std::printf("%zu streams of 5 labels: loaded in %.3f CPU-s; %.0f bytes a stream, of which postings %.0f\n",
              count, CpuSeconds() - begin, per_stream(HeapBytes() - before),
              per_stream(table.IndexMemoryBytes()));
  const TenantId tenant = *table.FindTenant("t");
  const auto matcher = [](const char* name, MatchOp op, const char* value) {
    return *Matcher::Create(name, op, value);
  };
  TimeSelect(table, tenant, "{pod=\"app-7-7c9f8b6d5-7\"}",
             {matcher("pod", MatchOp::kEqual, "app-7-7c9f8b6d5-7")});
  TimeSelect(table, tenant, "{app=\"app-7\", container=\"c7\"}",
             {matcher("app", MatchOp::kEqual, "app-7"), matcher("container", MatchOp::kEqual, "c7")});
  TimeSelect(table, tenant, "{app=~\"app-1.*\"}", {matcher("app", MatchOp::kRegexMatch, "app-1.*")});
  TimeSelect(table, tenant, "{app=\"app-7\", pod=~\".*-77.*\"}",
             {matcher("app", MatchOp::kEqual, "app-7"), matcher("pod", MatchOp::kRegexMatch, ".*-77.*")});
  TimeSelect(table, tenant, "{pod=~\".*-77.*\"}", {matcher("pod", MatchOp::kRegexMatch, ".*-77.*")});
  TimeSelect(table, tenant, "{namespace!=\"ns-1\", app=~\".+\"}",
             {matcher("namespace", MatchOp::kNotEqual, "ns-1"), matcher("app", MatchOp::kRegexMatch, ".+")});
  return 0;
}

}  // namespace
}  // namespace varve

int main(int argc, char** argv) {
  return varve::Run(argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000);
}
