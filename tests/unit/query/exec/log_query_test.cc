#include "query/exec/log_query.h"

#include "tests/unit/query/exec/query_fixture.h"

namespace varve {
namespace {

class LogQuery : public testing::QueryFixture {
 protected:
  void Forward() { request_.direction = Direction::kForward; }
};

TEST_F(LogQuery, IncludesItsStartAndExcludesItsEnd) {
  for (int64_t second : {10, 20, 30}) Add({{"a", "1"}}, second, "x" + std::to_string(second));
  Forward();
  EXPECT_EQ(Log(R"({a="1"})", 10, 30), R"({a="1"} 10:x10 20:x20)");
  EXPECT_EQ(Log(R"({a="1"})", 11, 31), R"({a="1"} 20:x20 30:x30)");
  EXPECT_EQ(Log(R"({a="1"})", 20, 20), R"({a="1"} 20:x20)");  // that very nanosecond
  EXPECT_EQ(Log(R"({a="1"})", 21, 21), "");
}

TEST_F(LogQuery, LimitCountsOverAllStreamsFromTheEndAskedFor) {
  for (int64_t second = 0; second < 10; ++second) {
    Add({{"a", second % 2 == 0 ? "even" : "odd"}}, second, std::to_string(second));
    if (second % 3 == 0) engine_.Seal();
  }
  request_.limit = 3;
  EXPECT_EQ(Log(R"({a=~".+"})", 0, 100), "{a=\"even\"} 8:8\n{a=\"odd\"} 9:9 7:7");
  Forward();
  EXPECT_EQ(Log(R"({a=~".+"})", 0, 100), "{a=\"even\"} 0:0 2:2\n{a=\"odd\"} 1:1");
}

TEST_F(LogQuery, EqualTimesKeepTheOrderOfArrivalOrExactlyItsReverse) {
  for (const char* line : {"c", "a", "b"}) Add({{"s", "1"}}, 5, line);
  engine_.Seal();
  for (const char* line : {"e", "d"}) Add({{"s", "1"}}, 5, line);
  EXPECT_EQ(Log(R"({s="1"})", 0, 10), R"({s="1"} 5:d 5:e 5:b 5:a 5:c)");
  Forward();
  EXPECT_EQ(Log(R"({s="1"})", 0, 10), R"({s="1"} 5:c 5:a 5:b 5:e 5:d)");
  request_.limit = 4;
  EXPECT_EQ(Log(R"({s="1"})", 0, 10), R"({s="1"} 5:c 5:a 5:b 5:e)");
}

TEST_F(LogQuery, WhatALimitCutsOffAmongStreamsAtOneTimeIsWhatLokiCutsOff) {
  for (const char* part : {"1", "2"}) {
    for (const char* line : {"first", "second"}) {
      Add({{"job", "samets"}, {"part", part}, {"service_name", "samets"}}, 5, part + std::string(line));
    }
  }
  request_.limit = 2;
  EXPECT_EQ(Log(R"({job="samets"})", 0, 10),
            R"({job="samets", part="2", service_name="samets"} 5:2second 5:2first)");
  Forward();
  EXPECT_EQ(Log(R"({job="samets"})", 0, 10),
            R"({job="samets", part="2", service_name="samets"} 5:2first 5:2second)");
}

TEST_F(LogQuery, ShowsDuplicatesOfOlderSlicesOnce) {
  for (int copy = 0; copy < 3; ++copy) {
    Add({{"s", "1"}}, 5, "same");
    Add({{"s", "2"}}, 5, "same");
    Add({{"s", "1"}}, 5, "same", {{"k", "1"}});
    Add({{"s", "1"}}, 6 + copy, "same");
    engine_.Seal();
  }
  Forward();
  EXPECT_EQ(Log(R"({s=~".+"})", 0, 10),
            "{s=\"1\"} 5:same 5:same[k=\"1\"|] 6:same 7:same 8:same\n{s=\"2\"} 5:same");
  EXPECT_EQ(stats_.duplicates, 6u);
}

TEST_F(LogQuery, IntervalThinsOverAllStreamsTogether) {
  for (int64_t second = 0; second < 20; ++second) {
    Add({{"s", second % 2 == 0 ? "x" : "y"}}, second, std::to_string(second));
    if (second % 4 == 3) engine_.Seal();
  }
  request_.interval_ns = 5 * kSecond;
  Forward();
  EXPECT_EQ(Log(R"({s=~".+"})", 1, 20), "{s=\"x\"} 6:6 16:16\n{s=\"y\"} 1:1 11:11");
  request_.limit = 2;
  EXPECT_EQ(Log(R"({s=~".+"})", 1, 20), "{s=\"x\"} 6:6\n{s=\"y\"} 1:1");
  request_.limit = 100;
  request_.direction = Direction::kBackward;
  EXPECT_EQ(Log(R"({s=~".+"})", 1, 20), "{s=\"x\"} 14:14 4:4\n{s=\"y\"} 19:19 9:9");
}

TEST_F(LogQuery, ShowsLabelsWhereTheyBelong) {
  Add({{"s", "1"}, {"t", "x"}}, 5, "k=v t=inner", {{"trace", "9"}});
  EXPECT_EQ(Log(R"({s="1"})", 0, 10), R"({s="1", t="x"} 5:k=v t=inner[trace="9"|])");
  EXPECT_EQ(Log(R"({s="1"} | logfmt)", 0, 10),
            R"({s="1", t="x"} 5:k=v t=inner[trace="9"|k="v", t_extracted="inner"])");
  EXPECT_EQ(Log(R"({s="1"} | drop t, trace)", 0, 10), R"({s="1"} 5:k=v t=inner)");
  EXPECT_EQ(Log(R"({s="1"} | keep trace)", 0, 10), R"({} 5:k=v t=inner[trace="9"|])");
  EXPECT_EQ(Log(R"({s="1"} | label_format t="new")", 0, 10), R"({s="1"} 5:k=v t=inner[trace="9"|t="new"])");
}

TEST_F(LogQuery, StreamsThatBecomeAlikeAreShownAsOne) {
  Add({{"s", "1"}, {"t", "x"}}, 1, "a");
  Add({{"s", "1"}, {"t", "y"}}, 2, "b");
  Add({{"s", "1"}}, 3, "c");
  Forward();
  EXPECT_EQ(Log(R"({s="1"} | drop t)", 0, 10), R"({s="1"} 1:a 2:b 3:c)");
}

TEST_F(LogQuery, StopsOnceNoOtherSourceCanMatter) {
  for (int64_t second = 0; second < 400; ++second) {
    Add({{"s", "1"}}, second, "line");
    if (second % 10 == 9) engine_.Seal();
  }
  request_.limit = 5;
  EXPECT_EQ(Log(R"({s="1"})", 0, 1000), R"({s="1"} 399:line 398:line 397:line 396:line 395:line)");
  EXPECT_LE(stats_.sources_loaded, 4u);  // one, and one for each thread that began before it was known
  EXPECT_EQ(stats_.entries_returned, 5u);
}

TEST_F(LogQuery, DoesNotReadMetadataOfLinesThatDoNotMatch) {
  Add({{"s", "1"}}, 1, "hay", {{"k", "v"}});
  engine_.Seal();
  Add({{"s", "1"}}, 2, "needle", {{"k", "v"}});
  engine_.Seal();
  recording_.TakeLoads();
  EXPECT_EQ(Log(R"({s="1"} |= "needle")", 0, 10), R"({s="1"} 2:needle[k="v"|])");
  int metadata_loads = 0;
  for (const auto& load : recording_.TakeLoads()) metadata_loads += (load.want & kMetadata) != 0 ? 1 : 0;
  EXPECT_EQ(metadata_loads, 1);
}

TEST_F(LogQuery, AnswersNothingForNothing) {
  EXPECT_EQ(Log(R"({s="1"})", 0, 10), "");
  Add({{"s", "1"}}, 20, "late");
  EXPECT_EQ(Log(R"({s="1"})", 0, 10), "");
  EXPECT_EQ(Log(R"({s="1"} |= "absent")", 0, 100), "");
}

}  // namespace
}  // namespace varve
