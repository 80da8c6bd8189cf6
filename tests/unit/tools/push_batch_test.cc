#include "tools/push_batch.h"

#include <gtest/gtest.h>
#include <snappy.h>

#include <protozero/pbf_reader.hpp>
#include <utility>
#include <vector>

namespace varve {
namespace {

class FixedClock final : public Clock {
 public:
  int64_t NowNs() const override { return now_ns; }
  int64_t now_ns = 1'793'514'600'000'000'123;
};

struct Decoded {
  std::string labels;
  std::vector<std::pair<int64_t, std::string>> entries;
};

Decoded Decode(const std::string& body) {
  std::string request;
  EXPECT_TRUE(snappy::Uncompress(body.data(), body.size(), &request));
  Decoded decoded;
  protozero::pbf_reader streams(request);
  EXPECT_TRUE(streams.next(1));
  protozero::pbf_reader stream = streams.get_message();
  while (stream.next()) {
    if (stream.tag() == 1) {
      decoded.labels = stream.get_string();
      continue;
    }
    protozero::pbf_reader entry = stream.get_message();
    int64_t ns = 0;
    std::string line;
    while (entry.next()) {
      if (entry.tag() == 2) {
        line = entry.get_string();
        continue;
      }
      protozero::pbf_reader timestamp = entry.get_message();
      while (timestamp.next()) {
        ns += timestamp.tag() == 1 ? timestamp.get_int64() * 1'000'000'000 : timestamp.get_int32();
      }
    }
    decoded.entries.emplace_back(ns, line);
  }
  return decoded;
}

TEST(PushBatch, TakesTheTimeOfALineWhereItSaysOne) {
  FixedClock clock;
  LineOptions options;
  options.timestamp_format = "unix";
  const auto shaper = LineShaper::Create(options);
  ASSERT_TRUE(shaper.ok());
  PushBatch batch(Labels::FromUnsorted({{"job", "a"}}), clock, shaper->get());
  for (const char* line : {"no time yet", "5 one", "5 one", "  continued", "4 out of order"}) batch.Add(line);
  const std::vector<std::pair<int64_t, std::string>> expected = {{clock.now_ns, "no time yet"},
                                                                 {5'000'000'000, "5 one"},
                                                                 {5'000'000'000, "5 one"},
                                                                 {5'000'000'001, "  continued"},
                                                                 {4'000'000'000, "4 out of order"}};
  EXPECT_EQ(expected, Decode(batch.Body()).entries);
}

TEST(PushBatch, IsALokiPushRequest) {
  FixedClock clock;
  PushBatch batch(Labels::FromUnsorted({{"job", "a \"b\""}, {"host", "h"}}), clock);
  batch.Add("one");
  batch.Add("");
  const Decoded decoded = Decode(batch.Body());
  EXPECT_EQ(R"({host="h", job="a \"b\""})", decoded.labels);
  ASSERT_EQ(2u, decoded.entries.size());
  EXPECT_EQ("one", decoded.entries[0].second);
  EXPECT_EQ("", decoded.entries[1].second);
  EXPECT_EQ(2u, batch.lines());
  EXPECT_EQ(3u, batch.line_bytes());
}

TEST(PushBatch, GivesEachLineALaterTimeThanTheLast) {
  FixedClock clock;
  PushBatch batch(Labels::FromUnsorted({{"a", "b"}}), clock);
  batch.Add("1");
  batch.Add("2");
  EXPECT_EQ(clock.now_ns, Decode(batch.Body()).entries[0].first);
  EXPECT_EQ(clock.now_ns + 1, Decode(batch.Body()).entries[1].first);
  batch.Clear();
  EXPECT_EQ(0u, batch.lines());
  clock.now_ns -= 1000;  // the clock was set back
  batch.Add("3");
  EXPECT_EQ(clock.now_ns + 1002, Decode(batch.Body()).entries[0].first);
}

}  // namespace
}  // namespace varve
