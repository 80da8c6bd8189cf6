// Live tails over the engine in memory: who gets what, in which form, and what happens to those who do not
// read.
#include "http/tail_hub.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "engine/model/log_entry.h"
#include "query/logql/parser.h"
#include "tail_client.h"
#include "tests/support/memory_engine.h"

namespace varve {
namespace {

using ::testing::ElementsAre;
using testing::FakeLink;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::MemoryEngine;
using ::testing::Not;
using testing::TakeMessages;

Labels App(const char* app) { return Labels::FromUnsorted({{"app", app}}); }

std::string Metadata(std::vector<MetadataPair> pairs) {
  std::string encoded;
  EncodeMetadata(&pairs, &encoded);
  return encoded;
}

class TailHubTest : public ::testing::Test {
 protected:
  struct Opened {
    std::shared_ptr<TailSession> session;
    std::shared_ptr<FakeLink> link = std::make_shared<FakeLink>();
  };

  TailHub& hub() {
    if (!hub_) hub_.emplace(&engine_, options_);
    return *hub_;
  }
  Result<std::shared_ptr<TailSession>> Join(const std::string& query, TailForm form = TailForm::kMerged,
                                            uint32_t concurrent_max = 0) {
    TailRequest request;
    const auto expr = logql::ParseExpr(query);
    EXPECT_TRUE(expr.ok()) << query;
    request.tenant = tenant_;
    request.expr = expr->get();
    request.form = form;
    request.delay_ms = delay_ms_;
    if (form == TailForm::kCategorized) request.flags_json = "[\"categorize-labels\"]";
    return hub().Join(request, concurrent_max);
  }
  Opened Open(const std::string& query, TailForm form = TailForm::kMerged) {
    Opened opened;
    auto session = Join(query, form);
    EXPECT_TRUE(session.ok()) << session.status().message();
    if (!session.ok()) return opened;
    opened.session = *session;
    EXPECT_TRUE(opened.session->GoLive({}).ok());
    opened.session->OnOpen(opened.link);
    return opened;
  }
  std::vector<std::string> Take(const Opened& opened) {
    hub().WaitUntilIdle();
    return TakeMessages(opened.session.get());
  }

  MemoryEngine engine_;
  TailOptions options_;
  std::string tenant_ = "fake";
  int64_t delay_ms_ = 0;
  std::optional<TailHub> hub_;
};

TEST_F(TailHubTest, ShowsWhatMatchesAndNothingElse) {
  engine_.Add(App("x"), 1, "before");
  const Opened tail = Open("{app=\"x\"} |= \"e\"");
  engine_.Add(App("x"), 10, "here");
  engine_.Add(App("x"), 11, "not");
  engine_.Add(App("y"), 12, "elsewhere");
  engine_.Add(App("x"), 13, "else", {}, "other tenant");
  EXPECT_THAT(Take(tail), ElementsAre(R"({"streams":[{"stream":{"app":"x"},"values":[["10","here"]]}],)"
                                      R"("dropped_entries":null})"));
  EXPECT_GE(tail.link->wakes, 1);
  EXPECT_EQ(hub().counters().entries_sent, 1u);
}

TEST_F(TailHubTest, WaitsForATenantThatHasNeverPushed) {
  tenant_ = "new";
  const Opened tail = Open("{app=\"x\"}");
  engine_.Add(App("x"), 10, "other", {}, "fake");
  engine_.Add(App("x"), 11, "mine", {}, "new");
  EXPECT_THAT(Take(tail), ElementsAre(HasSubstr(R"([["11","mine"]])")));
}

TEST_F(TailHubTest, SeesStreamsThatNobodyWantedBefore) {
  const Opened first = Open("{app=\"x\"}");
  engine_.Add(App("y"), 1, "nobody");
  EXPECT_THAT(Take(first), IsEmpty());
  engine_.Add(App("y"), 2, "nobody again");
  const Opened second = Open("{app=\"y\"}");
  engine_.Add(App("y"), 3, "somebody");
  EXPECT_THAT(Take(second), ElementsAre(HasSubstr(R"([["3","somebody"]])")));
  EXPECT_THAT(Take(first), IsEmpty());
}

TEST_F(TailHubTest, MergesOrCategorizesLabelsAsAsked) {
  const Opened merged = Open("{app=\"x\"} | logfmt");
  const Opened categorized = Open("{app=\"x\"} | logfmt", TailForm::kCategorized);
  const Opened legacy = Open("{app=\"x\"} | logfmt", TailForm::kLegacy);
  engine_.Add(App("x"), 1'500'000'000, "code=7", Metadata({{"trace", "t1"}}));
  engine_.Add(App("x"), 2'000'000'000, "<plain>");
  EXPECT_THAT(Take(merged), ElementsAre(HasSubstr(
                                R"([{"stream":{"app":"x","code":"7","trace":"t1"},"values":[["1500000000",)"
                                R"("code=7"]]})")));
  const std::vector<std::string> frames = Take(categorized);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0], R"({"streams":[{"stream":{"app":"x"},"values":[["1500000000","code=7",)"
                       R"({"structuredMetadata":{"trace":"t1"},"parsed":{"code":"7"}}],)"
                       R"(["2000000000","\u003cplain\u003e",{}]]}],)"
                       R"("dropped_entries":null,"encodingFlags":["categorize-labels"]})");
  EXPECT_THAT(Take(legacy),
              ElementsAre(HasSubstr(R"([{"labels":"{app=\"x\", code=\"7\", trace=\"t1\"}","entries":[{"ts":)"
                                    R"("1970-01-01T00:00:01.5Z","line":"code=7"}]})")));
}

TEST_F(TailHubTest, SortsWhatComesTogetherByTime) {
  const Opened tail = Open("{app=~\".+\"}");
  AppendBatch batch;
  const TenantId tenant = *engine_.InternTenant("fake");
  batch.streams = {{*engine_.InternStream(tenant, App("x")), 0, 2},
                   {*engine_.InternStream(tenant, App("y")), 2, 1}};
  batch.entries = {{30, "c", ""}, {10, "a", ""}, {20, "b", ""}};
  ASSERT_TRUE(engine_.Append(batch, "").ok());
  EXPECT_THAT(Take(tail), ElementsAre(HasSubstr(R"([{"stream":{"app":"x"},"values":[["10","a"]]},)"
                                                R"({"stream":{"app":"y"},"values":[["20","b"]]},)"
                                                R"({"stream":{"app":"x"},"values":[["30","c"]]}])")));
}

TEST_F(TailHubTest, ShowsAnEntryThatIsPushedAgainOnce) {
  const Opened tail = Open("{app=\"x\"}");
  engine_.Add(App("x"), 10, "same");
  engine_.Add(App("x"), 10, "same");
  EXPECT_THAT(Take(tail), ElementsAre(HasSubstr(R"("values":[["10","same"]])")));
  engine_.Add(App("x"), 10, "same");
  engine_.Add(App("x"), 10, "same", Metadata({{"but", "not quite"}}));
  EXPECT_THAT(Take(tail), ElementsAre(HasSubstr(R"({"app":"x","but":"not quite"})")));
}

TEST_F(TailHubTest, HoldsBackUntilTheHistoryIsThereAndRepeatsNothingOfIt) {
  const auto session = *Join("{app=\"x\"}");
  const auto link = std::make_shared<FakeLink>();
  session->OnOpen(link);
  engine_.Add(App("x"), 10, "both");
  engine_.Add(App("x"), 11, "live");
  hub().WaitUntilIdle();
  EXPECT_THAT(TakeMessages(session.get()), IsEmpty());

  // What a history that was read by now would hold.
  const StreamOrdinal stream = *engine_.InternStream(*engine_.FindTenant("fake"), App("x"));
  const auto labels = std::make_shared<const std::string>(R"({"app":"x"})");
  std::vector<TailEntry> entries = {
      {9, TailIdentity(stream, 9, "old", ""), 0, labels, R"(["9","old"])"},
      {10, TailIdentity(stream, 10, "both", ""), 0, labels, R"(["10","both"])"}};
  auto frame = TailFrame::Make(TailForm::kMerged, entries, 0, 2, hub().budget());
  ASSERT_TRUE(frame.ok());
  ASSERT_TRUE(session->GoLive({*frame}).ok());
  EXPECT_THAT(TakeMessages(session.get()),
              ElementsAre(HasSubstr(R"("values":[["9","old"],["10","both"]]})"),
                          HasSubstr(R"([{"stream":{"app":"x"},"values":[["11","live"]]}])")));
  // Nor later.
  engine_.Add(App("x"), 9, "old");
  engine_.Add(App("x"), 12, "more");
  hub().WaitUntilIdle();
  EXPECT_THAT(TakeMessages(session.get()), ElementsAre(HasSubstr(R"("values":[["12","more"]])")));
}

TEST_F(TailHubTest, DelaysAndSortsInWhatComesLate) {
  delay_ms_ = 1;
  const Opened tail = Open("{app=\"x\"}");
  // One push: both arrive at once, so the earlier one goes first however the worker is scheduled.
  AppendBatch batch;
  batch.streams = {{*engine_.InternStream(*engine_.InternTenant("fake"), App("x")), 0, 2}};
  batch.entries = {{20, "later", ""}, {10, "earlier", ""}};
  ASSERT_TRUE(engine_.Append(batch, "").ok());
  while (tail.link->wakes == 0) std::this_thread::yield();
  EXPECT_THAT(TakeMessages(tail.session.get()),
              ElementsAre(HasSubstr(R"("values":[["10","earlier"],["20","later"]])")));
}

TEST_F(TailHubTest, CutsFramesAtAHundredEntries) {
  const Opened tail = Open("{app=\"x\"}");
  AppendBatch batch;
  std::vector<std::string> lines;
  for (int i = 0; i < 250; ++i) lines.push_back("line " + std::to_string(i));
  for (int i = 0; i < 250; ++i) batch.entries.push_back({i, lines[static_cast<size_t>(i)], ""});
  batch.streams = {{*engine_.InternStream(*engine_.InternTenant("fake"), App("x")), 0, 250}};
  ASSERT_TRUE(engine_.Append(batch, "").ok());
  const std::vector<std::string> frames = Take(tail);
  ASSERT_EQ(frames.size(), 3u);
  EXPECT_THAT(frames[0], HasSubstr("\"line 99\""));
  EXPECT_THAT(frames[1], HasSubstr("\"line 100\""));
  EXPECT_THAT(frames[2], HasSubstr("\"line 249\""));
}

TEST_F(TailHubTest, SharesOneFrameAmongAllWhoWantTheSame) {
  const Opened a = Open("{app=\"x\"}");
  const Opened b = Open("{app=\"x\"}");
  engine_.Add(App("x"), 1, "shared");
  hub().WaitUntilIdle();
  const WebSocketNext from_a = a.session->Next();
  const WebSocketNext from_b = b.session->Next();
  ASSERT_TRUE(std::holds_alternative<WebSocketMessage>(from_a));
  ASSERT_TRUE(std::holds_alternative<WebSocketMessage>(from_b));
  EXPECT_EQ(std::get<WebSocketMessage>(from_a).shared->data(),
            std::get<WebSocketMessage>(from_b).shared->data());
}

TEST_F(TailHubTest, TellsAClientThatDoesNotReadWhatItMissed) {
  options_.backlog_bytes_max = 100;
  const Opened slow = Open("{app=\"x\"}");
  const Opened quick = Open("{app=\"x\"}");
  const std::string line(80, 'l');
  for (int i = 1; i <= 3; ++i) {
    engine_.Add(App("x"), i, line);
    EXPECT_EQ(Take(quick).size(), 1u) << "harms nobody else";
  }
  const std::vector<std::string> frames = Take(slow);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_THAT(frames[0], HasSubstr("[\"1\",\"lll"));
  EXPECT_THAT(frames[0], HasSubstr(R"("dropped_entries":[{"timestamp":"2","labels":{"app":"x"}},)"
                                   R"({"timestamp":"3","labels":{"app":"x"}}]})"));
  EXPECT_EQ(hub().counters().entries_dropped, 2u);
  engine_.Add(App("x"), 4, line);
  EXPECT_THAT(Take(slow), ElementsAre(HasSubstr("\"dropped_entries\":null")));
}

TEST_F(TailHubTest, ListsAThousandDroppedEntriesAtMost) {
  options_.backlog_bytes_max = 1;
  const Opened slow = Open("{app=\"x\"}");
  for (int i = 0; i < 1100; ++i) {
    engine_.Add(App("x"), i, "l" + std::to_string(i));
    if (i == 0) hub().WaitUntilIdle();
  }
  hub().WaitUntilIdle();
  const std::vector<std::string> frames = TakeMessages(slow.session.get());
  size_t listed = 0;
  for (const std::string& frame : frames) {
    for (size_t at = 0; (at = frame.find("\"timestamp\"", at)) != std::string::npos; ++at) ++listed;
  }
  EXPECT_EQ(listed, 1000u);
  EXPECT_GE(hub().counters().entries_dropped, 1000u);
}

TEST_F(TailHubTest, StaysWithinItsMemoryAndLetsOthersReadOn) {
  options_.memory_bytes = 256 << 10;
  const Opened slow = Open("{app=\"x\"}");
  const Opened quick = Open("{app=\"x\"}");
  const std::string line(8 << 10, 'l');
  size_t seen = 0;
  for (int i = 0; i < 200; ++i) {
    engine_.Add(App("x"), i, line);
    seen += Take(quick).size();
    ASSERT_LE(hub().budget()->used_bytes(), options_.memory_bytes);
  }
  EXPECT_GT(seen, 15u);
  EXPECT_GT(hub().counters().entries_dropped, 0u);
  EXPECT_FALSE(Take(slow).empty());
}

TEST_F(TailHubTest, GivesBackItsMemoryWhenTheLastTailEnds) {
  {
    const Opened tail = Open("{app=\"x\"}");
    engine_.Add(App("x"), 1, "one");
    hub().WaitUntilIdle();
    EXPECT_GT(hub().budget()->used_bytes(), 0);
    EXPECT_EQ(hub().counters().open, 1);
    tail.session->OnClosed(WebSocketEnd::kLost);
    EXPECT_EQ(hub().counters().open, 0);
    EXPECT_THAT(TakeMessages(tail.session.get()), IsEmpty());
  }
  engine_.Add(App("x"), 2, "nobody listens");
  hub().WaitUntilIdle();
  EXPECT_EQ(hub().budget()->used_bytes(), 0);
}

TEST_F(TailHubTest, CountsThoseThatWereCutForNotReading) {
  const Opened tail = Open("{app=\"x\"}");
  tail.session->OnClosed(WebSocketEnd::kStalled);
  EXPECT_EQ(hub().counters().slow_clients_closed, 1u);
}

TEST_F(TailHubTest, RefusesMoreThanTheLimitOfATenant) {
  const auto first = Join("{app=\"x\"}", TailForm::kMerged, 2);
  const auto second = Join("{app=\"y\"}", TailForm::kMerged, 2);
  ASSERT_TRUE(first.ok() && second.ok());
  const auto third = Join("{app=\"x\"}", TailForm::kMerged, 2);
  ASSERT_FALSE(third.ok());
  EXPECT_EQ(third.status().message(), "max concurrent tail requests limit exceeded, count > limit (3 > 2)");
  tenant_ = "another";
  EXPECT_TRUE(Join("{app=\"x\"}", TailForm::kMerged, 2).ok());
  tenant_ = "fake";
  (*first)->OnClosed(WebSocketEnd::kLost);
  EXPECT_TRUE(Join("{app=\"x\"}", TailForm::kMerged, 2).ok());
}

TEST_F(TailHubTest, RefusesWhatCannotBeTailed) {
  EXPECT_EQ(Join("count_over_time({app=\"x\"}[1m])").status().message(), "only log selector is supported");
  EXPECT_EQ(hub().counters().open, 0);
}

TEST_F(TailHubTest, EndsATailThatHasLastedLongEnough) {
  options_.duration_max_ms = 0;
  const Opened tail = Open("{app=\"x\"}");
  EXPECT_THAT(TakeMessages(tail.session.get()), ElementsAre("close 1011 reached tail max duration limit"));
}

}  // namespace
}  // namespace varve
