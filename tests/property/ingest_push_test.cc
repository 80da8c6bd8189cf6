// Random pushes: both wire forms give the same entries, and a replayed record gives what was appended.
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ingest/write_path.h"
#include "tests/support/push_bodies.h"
#include "tests/support/recording_engine.h"
#include "tests/support/replay_sinks.h"

namespace varve {
namespace {

using testing::kNowNs;
using testing::PushEntry;
using testing::PushStream;
using testing::RecordingEngine;

class RandomPush : public ::testing::Test {
 protected:
  RandomPush() : seed_(std::random_device{}()), random_(seed_) {}

  size_t Below(size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random_); }

  std::string Text(size_t max_size) {
    static const std::string kCharacters =
        std::string("abcXYZ019_.-\"\\/\n\t{}[]=:, ") + '\0' + '\x1f' + '\x7f';
    std::string text;
    for (size_t n = Below(max_size + 1); n > 0; --n) {
      switch (Below(12)) {
        case 0: text += "\u00e9"; break;
        case 1: text += "\u65e5"; break;
        case 2: text += "\U0001F600"; break;
        case 3: text += "level=error "; break;
        default: text += kCharacters[Below(kCharacters.size())];
      }
    }
    return text;
  }

  std::vector<PushStream> Streams() {
    std::vector<PushStream> streams(1 + Below(4));
    for (PushStream& stream : streams) {
      static const char* const kNames[] = {"app", "level", "job", "service_name", "a1", "_x"};
      for (const char* name : kNames) {
        if (Below(3) == 0) stream.labels.push_back({name, Text(6)});
      }
      for (size_t n = Below(6); n > 0; --n) {
        PushEntry entry{static_cast<int64_t>(Below(3'000'000'000)) * 1'000'000'007 - 7, Text(40), {}};
        for (size_t m = Below(4) == 0 ? Below(5) : 0; m > 0; --m)
          entry.metadata.emplace_back("n" + Text(5), Text(5));
        stream.entries.push_back(std::move(entry));
      }
    }
    return streams;
  }

  static IngestLimits TightLimits() {
    IngestLimits limits;
    limits.max_line_size = 40;
    limits.max_label_value_length = 12;
    limits.max_structured_metadata_entries_count = 3;
    return limits;
  }

  static PushOutcome Push(WritePath* path, const std::string& body, const char* type) {
    PushRequest request;
    request.content_type = type;
    request.body = body;
    return path->Push(request);
  }

  const unsigned seed_;
  std::mt19937 random_;
};

TEST_F(RandomPush, BothWireFormsGiveTheSameEntriesAndErrors) {
  RecordingEngine protobuf_engine, json_engine;
  WritePath protobuf(&protobuf_engine, TightLimits());
  WritePath json(&json_engine, TightLimits());
  for (int i = 0; i < 3000; ++i) {
    const std::vector<PushStream> streams = Streams();
    const PushOutcome a =
        Push(&protobuf, testing::Snappy(testing::ProtobufBody(streams)), "application/x-protobuf");
    const PushOutcome b = Push(&json, testing::JsonBody(streams), "application/json");
    ASSERT_EQ(a.status.ToString(), b.status.ToString()) << "seed " << seed_;
    ASSERT_EQ(a.entries_stored, b.entries_stored) << "seed " << seed_;
  }
  EXPECT_EQ(protobuf_engine.appended(), json_engine.appended()) << "seed " << seed_;
  EXPECT_EQ(protobuf.Stats().entries_received, json.Stats().entries_received);
  EXPECT_GT(protobuf_engine.appended().size(), 10'000u);
}

TEST_F(RandomPush, ReplayGivesWhatWasAppended) {
  RecordingEngine engine;
  WritePath path(&engine, TightLimits());
  for (int i = 0; i < 2000; ++i) {
    const std::vector<PushStream> streams = Streams();
    if (Below(2) == 0) {
      (void)Push(&path, testing::Snappy(testing::ProtobufBody(streams)), "application/x-protobuf");
    } else {
      (void)Push(&path, testing::JsonBody(streams), "application/json");
    }
  }
  RecordingEngine second;
  WritePath replaying(&second, {});
  const ReplayFn replay = replaying.MakeReplay();
  std::string replayed;
  for (const std::string& record : engine.journal_records()) {
    LogReplaySink sink([&](const AppendBatch& batch) { replayed += second.Describe(batch); });
    const Status status = replay(record, &sink);
    ASSERT_TRUE(status.ok()) << "seed " << seed_ << ": " << status.ToString();
  }
  EXPECT_EQ(replayed, engine.appended()) << "seed " << seed_;
  EXPECT_GT(engine.journal_records().size(), 100u);
}

TEST_F(RandomPush, DamagedBodiesAreRefusedOrStoredWhole) {
  RecordingEngine engine;
  WritePath path(&engine, {});
  for (int i = 0; i < 3000; ++i) {
    const bool json = Below(2) == 0;
    std::string body = json ? testing::JsonBody(Streams()) : testing::ProtobufBody(Streams());
    for (size_t n = 1 + Below(3); n > 0 && !body.empty(); --n) {
      const size_t at = Below(body.size());
      if (Below(2) == 0) {
        body[at] = static_cast<char>(Below(256));
      } else {
        body.erase(at, 1 + Below(4));
      }
    }
    const size_t records = engine.journal_records().size();
    const PushOutcome outcome = Push(&path, json ? body : testing::Snappy(body),
                                     json ? "application/json" : "application/x-protobuf");
    ASSERT_EQ(engine.journal_records().size() - records, outcome.entries_stored != 0 ? 1u : 0u) << "seed " << seed_;
    ASSERT_EQ(engine.ingest_budget()->used_bytes(), 0) << "seed " << seed_;
  }
}

}  // namespace
}  // namespace varve
