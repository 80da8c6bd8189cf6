// The streaming log query against the one that collects: the same entries in the same order, whatever the
// layout.
#include "query/exec/log_cursor.h"

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "query_fixture.h"

namespace varve::testing {
namespace {

class LogCursorTest : public QueryFixture {
 protected:
  using Row = std::tuple<int64_t, std::string, std::string>;  // time, stream, line

  Result<std::unique_ptr<LogCursor>> Open(const std::string& text) {
    VARVE_ASSIGN_OR_RETURN(const auto expr, logql::ParseExpr(text));
    return LogCursor::Open(recording_, *expr, request_, limits_);
  }
  std::vector<Row> ReadAll(const std::string& text) {
    std::vector<Row> rows;
    auto cursor = Open(text);
    EXPECT_TRUE(cursor.ok()) << cursor.status().message();
    if (!cursor.ok()) return rows;
    for (;;) {
      const Result<bool> found = (*cursor)->Next();
      EXPECT_TRUE(found.ok()) << found.status().message();
      if (!found.ok() || !*found) break;
      rows.emplace_back((*cursor)->ts_ns(), (*cursor)->stream_labels().ToString(), (*cursor)->line());
    }
    EXPECT_FALSE(*(*cursor)->Next()) << "stays at the end";
    return rows;
  }
  void Between(int64_t start_ns, int64_t end_ns, Direction direction) {
    request_.start_ns = start_ns;
    request_.end_ns = end_ns;
    request_.direction = direction;
    request_.tenant = *engine_.FindTenant("fake");
  }
};

TEST_F(LogCursorTest, GivesWhatACollectingQueryGives) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int i = 0; i < 3000; ++i) {
    const std::vector<Label> stream = {{"app", std::string(1, static_cast<char>('a' + random() % 5))}};
    // Coarse times and few lines: equal times, exact duplicates, late entries.
    AddNs(stream, static_cast<int64_t>(random() % 400), "line " + std::to_string(random() % 7));
    if (random() % 300 == 0) engine_.Seal();
  }
  for (const Direction direction : {Direction::kForward, Direction::kBackward}) {
    for (const char* query :
         {"{app=~\".+\"}", "{app=~\"a|c\"} |= \"3\"", "{app=\"b\"} | line_format \"{{.app}}\""}) {
      Between(10, 390, direction);
      request_.limit = 1'000'000;
      limits_.max_entries_limit_per_query = 0;
      const auto collected = Run(query);
      ASSERT_TRUE(collected.ok());
      std::map<std::string, std::vector<Row>> expected, found;
      size_t count = 0;
      for (const ResultStream& stream : std::get<Streams>(collected->data).streams) {
        std::vector<Label> labels;
        for (const auto& [name, value] : stream.labels) labels.push_back({name, value});
        const std::string name = Labels::FromUnsorted(std::move(labels)).ToString();
        for (const ResultEntry& entry : stream.entries)
          expected[name].emplace_back(entry.ts_ns, name, entry.line);
        count += stream.entries.size();
      }
      request_.limit =
          random() % 3 == 0 ? 0U : 1U + static_cast<uint32_t>(random() % 20);  // of the first batches
      const std::vector<Row> rows = ReadAll(query);
      EXPECT_EQ(rows.size(), count);
      EXPECT_TRUE(std::is_sorted(rows.begin(), rows.end(), [&](const Row& a, const Row& b) {
        return direction == Direction::kForward ? std::get<0>(a) < std::get<0>(b)
                                                : std::get<0>(a) > std::get<0>(b);
      }));
      for (const Row& row : rows) found[std::get<1>(row)].push_back(row);
      EXPECT_EQ(found, expected) << query;
    }
  }
}

TEST_F(LogCursorTest, NamesTheEntryAsItWasPushed) {
  Add({{"app", "x"}}, 1, "code=7", {{"trace", "t"}});
  Between(0, 10 * kSecond, Direction::kForward);
  auto cursor = Open("{app=\"x\"} | logfmt | line_format \"changed\"");
  ASSERT_TRUE(cursor.ok() && *(*cursor)->Next());
  EXPECT_EQ((*cursor)->line(), "changed");
  EXPECT_EQ((*cursor)->stored_line(), "code=7");
  EXPECT_EQ((*cursor)->stored_metadata(), std::string("\x05trace\x01t"));
  EXPECT_EQ((*cursor)->stream(), *engine_.InternStream(request_.tenant, (*cursor)->stream_labels()));
  EXPECT_EQ((*cursor)->labels().Get("code"), "7");
}

TEST_F(LogCursorTest, OpensSourcesWhenTheirTurnComesAndGivesThemBack) {
  for (int block = 0; block < 20; ++block) {
    Add({{"app", "x"}}, block, std::string(1000, 'l'));
    engine_.Seal();
  }
  Between(0, 100 * kSecond, Direction::kForward);
  auto cursor = Open("{app=\"x\"}");
  ASSERT_TRUE(cursor.ok());
  EXPECT_TRUE(recording_.TakeLoads().empty());
  int64_t most = 0;
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(*(*cursor)->Next());
    most = std::max(most, engine_.query_budget()->used_bytes());
    if (i == 0) {
      EXPECT_LE(recording_.TakeLoads().size(), 4u);
    }
  }
  EXPECT_LT(most, 8 * 1000) << "a source or two at a time";
  cursor->reset();
  EXPECT_EQ(engine_.query_budget()->used_bytes(), 0);
}

TEST_F(LogCursorTest, StopsWhereASourceIsDamagedOrTheClientIsGone) {
  for (int block = 0; block < 3; ++block) {
    Add({{"app", "x"}}, block, "line");
    engine_.Seal();
  }
  Between(0, 100 * kSecond, Direction::kForward);
  recording_.FailLoadAfter(1);
  auto damaged = Open("{app=\"x\"}");
  ASSERT_TRUE(damaged.ok());
  Result<bool> found = true;
  while (found.ok() && *found) found = (*damaged)->Next();
  EXPECT_EQ(found.status().code(), Code::kCorruption);

  CancelToken cancel;
  request_.cancel = &cancel;
  auto cancelled = Open("{app=\"x\"}");
  ASSERT_TRUE(cancelled.ok());
  cancel.Cancel();
  EXPECT_EQ((*cancelled)->Next().status().code(), Code::kCancelled);
}

TEST_F(LogCursorTest, RefusesMetricQueriesAndWhatIsBeyondTheLimits) {
  engine_.Add(Labels::FromUnsorted({{"app", "x"}}), 1, "line");
  Between(0, 10, Direction::kForward);
  EXPECT_EQ(Open("count_over_time({app=\"x\"}[1m])").status().message(), "only log selector is supported");
  limits_.max_query_length_ns = 5;
  EXPECT_EQ(Open("{app=\"x\"}").status().code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace varve::testing
