#include "query/exec/context_query.h"

#include <random>
#include <set>

#include "query_fixture.h"

namespace varve::testing {
namespace {

class ContextQueryTest : public QueryFixture {
 protected:
  explicit ContextQueryTest() { limits_.max_query_length_ns = 0; }

  Result<ContextResult> Context(const std::string& text, const ContextRequest& request) {
    VARVE_ASSIGN_OR_RETURN(const auto expr, logql::ParseExpr(text));
    auto result = RunContextQuery(recording_, std::get<logql::LogSelector>(expr->node), request, limits_);
    EXPECT_EQ(engine_.query_budget()->used_bytes(), 0) << text;
    return result;
  }
  std::string Around(const std::string& text, int64_t second, uint32_t before, uint32_t after,
                     bool same_stream = true, const char* line = nullptr, const char* labels = nullptr) {
    ContextRequest request;
    request.time_ns = second * kSecond;
    request.before = before;
    request.after = after;
    request.same_stream = same_stream;
    if (line != nullptr) request.line = line;
    if (labels != nullptr) request.labels = *logql::ParseMatchers(labels);
    request.range = range_;
    const auto result = Context(text, request);
    if (!result.ok()) return std::string(CodeName(result.status().code())) + ": " + result.status().message();
    return Text(result->streams);
  }

  TimeRange range_{INT64_MIN, INT64_MAX};
};

TEST_F(ContextQueryTest, FindsNeighboursOfOneStreamOrOfAll) {
  for (int i = 0; i < 10; ++i) {
    Add({{"a", "1"}}, i, "x" + std::to_string(i));
    Add({{"a", "2"}}, i, "y" + std::to_string(i));
    if (i == 5) engine_.Seal();
  }
  EXPECT_EQ(Around("{a=~\".+\"}", 5, 2, 3, true, "x5"), "{a=\"1\"} 3:x3 4:x4 5:x5 6:x6 7:x7 8:x8");
  // Both streams' entries of the seconds before and behind, whichever comes first at one time.
  EXPECT_EQ(Around("{a=~\".+\"}", 5, 3, 3, false, "x5").size(),
            std::string("{a=\"1\"} 4:x4 5:x5 6:x6\n{a=\"2\"} 3:y3 4:y4 5:y5 6:y6").size());
  EXPECT_EQ(Around("{a=~\".+\"}", 0, 5, 0, true, "y0"), "{a=\"2\"} 0:y0");
  EXPECT_EQ(Around("{a=~\".+\"}", 9, 0, 5, true, "y9"), "{a=\"2\"} 9:y9");
  EXPECT_EQ(Around("{a=\"1\"}", 5, 0, 0), "{a=\"1\"} 5:x5");
}

TEST_F(ContextQueryTest, NeighboursPassThePipelineAndAreShownByIt) {
  for (int i = 0; i < 10; ++i)
    Add({{"a", "1"}}, i, "n=" + std::to_string(i) + (i % 2 == 0 ? " even" : " odd"));
  EXPECT_EQ(Around("{a=\"1\"} |= \"even\" | logfmt n | line_format \"<{{.n}}>\"", 4, 1, 2, true, "<4>"),
            "{a=\"1\"} 2:<2>[|n=\"2\"] 4:<4>[|n=\"4\"] 6:<6>[|n=\"6\"] 8:<8>[|n=\"8\"]");
  // Who does not pass cannot be looked around.
  EXPECT_EQ(Around("{a=\"1\"} |= \"even\"", 5, 1, 1), "not found: no such entry at 5000000000");
}

TEST_F(ContextQueryTest, FindsTheAnchorByLineAndLabels) {
  Add({{"a", "1"}}, 1, "same", {{"trace", "t1"}});
  Add({{"a", "1"}}, 1, "same", {{"trace", "t2"}});
  Add({{"a", "2"}}, 1, "same");
  EXPECT_EQ(Around("{a=~\".+\"}", 1, 0, 0, true, "same", "{trace=\"t2\"}"),
            "{a=\"1\"} 1:same[trace=\"t2\"|]");
  EXPECT_EQ(Around("{a=~\".+\"}", 1, 0, 0, true, nullptr, "{a=\"2\"}"), "{a=\"2\"} 1:same");
  EXPECT_EQ(Around("{a=~\".+\"}", 1, 9, 9, true, "same", "{trace=\"t2\"}"),
            "{a=\"1\"} 1:same[trace=\"t1\"|] 1:same[trace=\"t2\"|]");
  EXPECT_EQ(Around("{a=~\".+\"}", 1, 0, 0, true, "other"), "not found: no such entry at 1000000000");
  EXPECT_EQ(Around("{a=~\".+\"}", 2, 0, 0), "not found: no such entry at 2000000000");
  // A stream whose labels are more than the anchor's is another stream.
  Add({{"a", "2"}, {"b", "3"}}, 2, "more");
  EXPECT_EQ(Around("{a=~\".+\"}", 1, 9, 9, true, nullptr, "{a=\"2\"}"), "{a=\"2\"} 1:same");
}

TEST_F(ContextQueryTest, WidensTheSearchUpToTheLimitsAndBounds) {
  for (const int64_t t : {0, 5, 300, 30'000, 1'000'000, 5'000'000}) Add({{"a", "1"}}, t, "x");
  EXPECT_EQ(Around("{a=\"1\"}", 5, 9, 9), "{a=\"1\"} 0:x 5:x 300:x 30000:x 1000000:x 5000000:x");
  EXPECT_EQ(Around("{a=\"1\"}", 5, 9, 3), "{a=\"1\"} 0:x 5:x 300:x 30000:x 1000000:x");
  range_ = {1 * kSecond, 30'000 * kSecond};
  EXPECT_EQ(Around("{a=\"1\"}", 5, 9, 9), "{a=\"1\"} 5:x 300:x");
  range_ = {400 * kSecond, 500 * kSecond};  // the anchor is shown all the same
  EXPECT_EQ(Around("{a=\"1\"}", 5, 9, 9), "{a=\"1\"} 5:x 300:x");
  range_ = {INT64_MIN, INT64_MAX};
  limits_.max_query_length_ns = 1000 * kSecond;
  EXPECT_EQ(Around("{a=\"1\"}", 5, 9, 9), "{a=\"1\"} 0:x 5:x 300:x");
  ContextRequest edge;
  edge.time_ns = INT64_MAX - 1;
  EXPECT_EQ(Context("{a=\"1\"}", edge).status().code(), Code::kNotFound);
  edge.time_ns = INT64_MIN;
  EXPECT_EQ(Context("{a=\"1\"}", edge).status().code(), Code::kNotFound);
  edge.before = limits_.max_entries_limit_per_query + 1;
  EXPECT_EQ(Context("{a=\"1\"}", edge).status().code(), Code::kInvalidArgument);
}

// Around every entry of random data, with many equal times: the same as cut from the whole list.
TEST_F(ContextQueryTest, AgreesWithTheWholeList) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int i = 0; i < 120; ++i) {
    AddNs({{"a", std::to_string(random() % 3)}}, static_cast<int64_t>(random() % 20) * kSecond,
          "line " + std::to_string(i), {{"m", std::to_string(i % 2)}});
    if (random() % 20 == 0) engine_.Seal();
  }
  // All of one time, ordered as a forward query with a growing limit gives them out.
  request_.direction = Direction::kForward;
  request_.start_ns = 0;
  request_.end_ns = 20 * kSecond;
  std::vector<std::pair<std::string, std::string>> list;  // stream, line
  for (request_.limit = 1; request_.limit <= 120; ++request_.limit) {
    const auto result = Run("{a=~\".+\"}");
    ASSERT_TRUE(result.ok());
    std::set<std::string> known;
    for (const auto& [stream, line] : list) known.insert(line);
    for (const ResultStream& stream : std::get<Streams>(result->data).streams) {
      for (const ResultEntry& entry : stream.entries) {
        if (!known.contains(entry.line)) list.emplace_back(stream.labels[0].second, entry.line);
      }
    }
  }
  for (const bool same_stream : {false, true}) {
    for (int round = 0; round < 20; ++round) {
      const size_t at = static_cast<size_t>(random() % list.size());
      const auto& [anchor_stream, anchor_line] = list[at];
      ContextRequest request;
      request.line = anchor_line;
      request.same_stream = same_stream;
      request.before = static_cast<uint32_t>(random() % 8);
      request.after = static_cast<uint32_t>(random() % 8);
      std::set<std::string> expected = {anchor_line};
      for (size_t i = at, left = request.before; i-- > 0 && left != 0;) {
        if (same_stream && list[i].first != anchor_stream) continue;
        expected.insert(list[i].second);
        --left;
      }
      for (size_t i = at + 1, left = request.after; i < list.size() && left != 0; ++i) {
        if (same_stream && list[i].first != anchor_stream) continue;
        expected.insert(list[i].second);
        --left;
      }
      std::optional<ContextResult> found;
      for (int second = 0; second < 20 && !found.has_value(); ++second) {
        request.time_ns = second * kSecond;
        auto result = Context("{a=~\".+\"}", request);
        if (result.ok()) found = std::move(*result);
      }
      ASSERT_TRUE(found.has_value());
      std::set<std::string> lines;
      for (const ResultStream& stream : found->streams.streams) {
        for (const ResultEntry& entry : stream.entries) EXPECT_TRUE(lines.insert(entry.line).second);
      }
      EXPECT_EQ(lines, expected) << anchor_line;
    }
  }
}

}  // namespace
}  // namespace varve::testing
