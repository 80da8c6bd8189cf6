// Pushes to and reads from an engine in tests, with a record format of its own and a model to compare
// with: for each stream the set of its entries.
//
// Threads: thread-compatible; give each thread its own client of a shared engine.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "engine/engine.h"

namespace varve {

// Timestamp, line, encoded metadata.
using TestEntry = std::tuple<int64_t, std::string, std::string>;
// By Labels::ToString().
using TestContents = std::map<std::string, std::set<TestEntry>>;

struct TestPush {
  struct Stream {
    Labels labels;
    std::vector<TestEntry> entries;
  };
  std::vector<Stream> streams;

  void AddTo(TestContents* contents) const;
};

Labels MakeLabels(std::vector<Label> labels);

class EngineClient {
 public:
  explicit EngineClient(Engine* engine, std::string tenant = "t")
      : engine_(engine), tenant_(std::move(tenant)) {}

  Status Push(const TestPush& push);
  // One entry of one stream.
  Status Push(const Labels& labels, int64_t ts_ns, const std::string& line, const std::string& metadata = "");

  // Everything a reader sees, without the duplicates that slices announce. Any entry that still
  // occurs twice, any row outside its slice's span, any unsorted slice gives kInternal.
  Result<TestContents> ReadAll(const std::vector<Matcher>& matchers = {}, TimeRange range = {}) const;

 private:
  Engine* const engine_;
  const std::string tenant_;
};

// Decodes the records that EngineClient and MetricClient write.
ReplayFn TestReplay(Engine* engine);

}  // namespace varve
