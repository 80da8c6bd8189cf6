#include "query/exec/delete_filter.h"

#include <set>

#include "tests/support/status_matchers.h"
#include "tests/unit/query/exec/query_fixture.h"

namespace varve::testing {
namespace {

class DeleteFilterTest : public QueryFixture {
 protected:
  DeleteFilterTest() : QueryFixture(WithDeletes()) {}

  static MemoryEngineOptions WithDeletes() {
    MemoryEngineOptions options;
    options.engine.row_filter_factory = CompileDeleteFilter;
    return options;
  }
  void Delete(const std::string& query, int64_t start = 0, int64_t end = 1000) {
    ASSERT_OK(engine_.AddDelete("fake", query, start * kSecond, end * kSecond));
  }
  void AddSome() {
    Add({{"app", "web"}}, 1, R"({"level":"error","n":1})");
    Add({{"app", "web"}}, 2, R"({"level":"info","n":2})", {{"trace", "abc"}});
    Add({{"app", "web"}}, 3, "plain error");
    Add({{"app", "db"}}, 4, "plain error");
  }
};

struct Case {
  const char* name;
  const char* query;
  const char* left;  // of the seconds 1 to 4
};

class DeleteFilterQueries : public DeleteFilterTest, public ::testing::WithParamInterface<Case> {};

TEST_P(DeleteFilterQueries, HideWhatTheyWouldAnswerWith) {
  AddSome();
  Delete(GetParam().query);
  request_.start_ns = 0;
  request_.end_ns = 10 * kSecond;
  request_.direction = Direction::kForward;
  const auto result = Run("{app=~\".+\"}");
  ASSERT_OK(result);
  std::set<std::string> left;
  for (const ResultStream& stream : std::get<Streams>(result->data).streams) {
    for (const ResultEntry& entry : stream.entries) left.insert(std::to_string(entry.ts_ns / kSecond));
  }
  std::string text;
  for (const std::string& second : left) text += second;
  EXPECT_EQ(text, GetParam().left);
  EXPECT_EQ(Instant("sum(count_over_time({app=~\".+\"}[1m]))", 10),
            left.empty() ? "" : "{} 10=" + std::to_string(left.size()));
}

INSTANTIATE_TEST_SUITE_P(Queries, DeleteFilterQueries,
                         ::testing::Values(Case{"selector", R"({app="web"})", "4"},
                                           Case{"regex_selector", R"({app=~".+"})", ""},
                                           Case{"line_filter", R"({app=~".+"} |= "plain")", "12"},
                                           Case{"two_line_filters", R"({app=~".+"} |= "error" != "plain")", "234"},
                                           Case{"parser", R"({app=~".+"} | json | level="info")", "134"},
                                           Case{"number", R"({app="web"} | json | n > 1)", "134"},
                                           Case{"metadata", R"({app="web"} | trace="abc")", "134"},
                                           Case{"line_format",
                                                R"({app="web"} | json | line_format "{{.n}}" |= "1")", "234"},
                                           Case{"nothing", R"({app="mail"})", "1234"}),
                         [](const auto& query) { return std::string(query.param.name); });

TEST_F(DeleteFilterTest, CoverOnlyTheirTimeAndWhatWasStoredBefore) {
  AddSome();
  Delete(R"({app="web"})", 2, 3);
  Add({{"app", "web"}}, 2, "pushed later");
  Add({{"app", "web"}}, 3, "plain error");  // again: its original is deleted, so it is seen
  EXPECT_EQ(Instant("count_over_time({app=\"web\"}[1m])", 10), "{app=\"web\"} 10=3");
  EXPECT_EQ(Instant("bytes_over_time({app=\"web\"} |= \"plain\" [1m])", 10), "{app=\"web\"} 10=11");
}

TEST_F(DeleteFilterTest, CancelledOnesHideNothing) {
  AddSome();
  const auto request = engine_.AddDelete("fake", "{app=\"web\"}", 0, 1000 * kSecond);
  ASSERT_OK(request);
  ASSERT_OK(engine_.CancelDelete("fake", request->id, false));
  EXPECT_EQ(Instant("sum(count_over_time({app=\"web\"}[1m]))", 10), "{} 10=3");
}

TEST_F(DeleteFilterTest, RefusesWhatSelectsNoEntries) {
  for (const char* query : {"", "{", "{}", R"({app=~".*"})", R"(count_over_time({app="web"}[5m]))", "1",
                            R"({app="web"} |= )", R"({app="web"} | line_format "{{")"}) {
    const auto filter = CompileDeleteFilter(query);
    EXPECT_EQ(filter.status().code(), Code::kInvalidArgument) << query;
  }
}

}  // namespace
}  // namespace varve::testing
