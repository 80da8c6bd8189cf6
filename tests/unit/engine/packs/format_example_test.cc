// The annotated dumps in docs/format.md are what the encoders write. VARVE_UPDATE_GOLDEN=1 rewrites them; any
// other difference means that the format changed, which takes a new version.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "engine/base/bytes.h"
#include "engine/codec/log_block.h"
#include "engine/codec/log_block_builder.h"
#include "engine/codec/metric_block.h"
#include "engine/model/log_entry.h"
#include "engine/model/packed_labels.h"
#include "engine/model/sample.h"
#include "engine/packs/metric_pack_directory.h"
#include "engine/packs/pack_directory.h"
#include "engine/packs/pack_id.h"

namespace varve {
namespace {

// Offset, up to 16 bytes a line, and the meaning beside the first line.
class Dump {
 public:
  explicit Dump(std::string_view bytes) : bytes_(bytes) {}

  void Add(size_t size, const std::string& meaning) {
    for (size_t done = 0; done < size || done == 0; done += 16) {
      std::string hex;
      for (size_t i = done; i < std::min(size, done + 16); ++i) {
        hex += fmt::format("{:02x} ", static_cast<uint8_t>(bytes_[offset_ + i]));
      }
      text_ += fmt::format("    {:04x}  {:<48}", offset_ + done, hex);
      if (done == 0) text_ += " " + meaning;
      text_.erase(text_.find_last_not_of(' ') + 1);
      text_ += "\n";
    }
    offset_ += size;
  }
  size_t offset() const { return offset_; }
  const std::string& text() const { return text_; }

 private:
  const std::string_view bytes_;
  size_t offset_ = 0;
  std::string text_;
};

std::string ExampleBlock() {
  LogBlockBuilder builder;
  std::vector<MetadataPair> pairs = {{"detected_level", "error"}};
  std::string metadata;
  EncodeMetadata(&pairs, &metadata);
  builder.StartStream(0x1111111111111111);
  EXPECT_TRUE(builder.Add(1'700'000'000'000'000'000, "GET / 200", "").ok());
  EXPECT_TRUE(builder.Add(1'700'000'000'250'000'000, "GET /a 500", metadata).ok());
  EXPECT_TRUE(builder.Add(1'700'000'001'000'000'000, "GET /b 200", "").ok());
  builder.StartStream(0x2222222222222222);
  EXPECT_TRUE(builder.Add(1'700'000'000'000'000'007, "up", "").ok());
  std::string bytes;
  EXPECT_TRUE(builder.Encode(&bytes).ok());
  return bytes;
}

std::string DumpBlock(std::string_view bytes) {
  Dump dump(bytes);
  dump.Add(4, "magic");
  dump.Add(4, "version 1, codec RAW, 5 sections, reserved");
  dump.Add(16, "4 rows, 2 streams, 31 bytes of lines, bytes of the block");
  dump.Add(16, "least and greatest timestamp");
  const char* kinds[] = {"STREAMS", "TIMESTAMPS", "LENGTHS", "LINES", "METADATA"};
  for (const char* kind : kinds) {
    dump.Add(24, std::string(kind) + ": kind, compression, offset, stored, decoded, xxh3");
  }
  dump.Add(8, "xxh3 of all before");
  const auto stored = [bytes](size_t section) {
    return LoadFixed<uint32_t>(bytes.data() + 40 + 24 * section + 8);
  };
  dump.Add(stored(0), "STREAMS: fingerprint, 3 rows; fingerprint, 1 row");
  dump.Add(stored(1), "TIMESTAMPS: firsts {0, 7}; divisor 250,000,000; differences {1, 3}");
  dump.Add(stored(2), "LENGTHS: packed, 9 10 10 2");
  dump.Add(stored(3), "LINES: not compressed, too short");
  dump.Add(stored(4), "METADATA: two sets, \"\" and detected_level=error; codes 0 1 0 0; no columns");
  EXPECT_EQ(dump.offset(), bytes.size());
  return dump.text();
}

std::string ExampleDirectory() {
  PackDirectory directory;
  directory.tenants = {"fake"};
  directory.streams = {{0x1111111111111111, 0,
                        std::string("\x03"
                                    "job\x03"
                                    "web",
                                    8)},
                       {0x2222222222222222, 0,
                        std::string("\x03"
                                    "job\x02"
                                    "db",
                                    7)}};
  directory.blocks = {{4, 31, 275, 0, 1'700'000'000'000'000'000, 1'700'000'001'000'000'000, 0, 2}};
  directory.ranges = {{0, 0, 3, 29, 1'700'000'000'000'000'000, 1'700'000'001'000'000'000},
                      {1, 3, 1, 2, 1'700'000'000'000'000'007, 1'700'000'000'000'000'007}};
  std::string bytes;
  EncodePackDirectory(directory, &bytes);
  return bytes;
}

std::string DumpDirectory(std::string_view bytes) {
  Dump dump(bytes);
  dump.Add(8, "magic, version 1, not compressed, reserved");
  dump.Add(8, "payload bytes as stored and decoded");
  dump.Add(6, "1 tenant: \"fake\"");
  dump.Add(1, "2 streams");
  dump.Add(18, "fingerprint, tenant 0, labels job=web");
  dump.Add(17, "fingerprint, tenant 0, labels job=db");
  dump.Add(1, "1 block");
  dump.Add(13, "tenant 0, 275 bytes encoded, least timestamp, 2 ranges");
  dump.Add(9, "stream +0, 3 rows, 29 bytes, +0 ns, 1,000,000,000 ns long");
  dump.Add(5, "stream +1, 1 row, 2 bytes, +7 ns, 0 ns long");
  dump.Add(8, "xxh3 of all before");
  EXPECT_EQ(dump.offset(), bytes.size());
  return dump.text();
}

std::string DumpKey() {
  const std::string bytes = PackKey({0, 472222, 3, 17}, kPackDirectoryBlock);
  Dump dump(bytes);
  dump.Add(1, "class 0");
  dump.Add(4, "bucket 472,222: 2023-11-14T22:00Z in hours");
  dump.Add(2, "shard 3");
  dump.Add(8, "pack 17");
  dump.Add(4, "its directory");
  return dump.text();
}

constexpr int64_t kMetricBegin = 1'700'006'400'000;  // 2023-11-15T00:00Z

class ExampleTimelineSource : public TimelineSource {
 public:
  Result<std::shared_ptr<const ParsedTimelines>> BlockOf(uint32_t) const override {
    VARVE_ASSIGN_OR_RETURN(ParsedTimelines parsed, ParsedTimelines::Parse(ExampleTimelines(), nullptr));
    return std::make_shared<const ParsedTimelines>(std::move(parsed));
  }
  // Lives as long as the program, as what is parsed from it refers to it.
  static const std::string& ExampleTimelines() {
    static const std::string bytes = [] {
      TimelineBlockBuilder builder({.begin_ms = kMetricBegin, .length_ms = kMetricSpanMs}, 0);
      std::vector<int64_t> regular;
      std::vector<int64_t> jittered;
      for (int64_t i = 0; i < 8; ++i) regular.push_back(kMetricBegin + 500 + i * 15'000);
      for (int64_t i = 0; i < 8; ++i) jittered.push_back(kMetricBegin + i * 15'000 + (i * 5) % 4);
      builder.Add(regular);
      builder.Add(jittered);
      std::string out;
      builder.Encode(&out);
      return out;
    }();
    return bytes;
  }
};

std::string ExampleMetricBlock() {
  MetricBlockBuilder builder({.begin_ms = kMetricBegin, .length_ms = kMetricSpanMs});
  const std::vector<std::vector<double>> values = {{1, 1, 1, 1, 1, 1, 1, 1},
                                                   {10.5, 10.75, 11.5, 11.5, 12.25, 13, 13.25, StaleNan()}};
  for (uint32_t series = 0; series < values.size(); ++series) {
    SeriesSamples samples;
    samples.floats = values[series];
    samples.float_ts_ms.resize(samples.floats.size());
    std::string chunk;
    EXPECT_TRUE(EncodeMetricChunk(samples, series, 0, &chunk).ok());
    builder.Add(series, chunk);
  }
  std::string bytes;
  builder.Encode(&bytes);
  return bytes;
}

std::string DumpTimelines() {
  const std::string& bytes = ExampleTimelineSource::ExampleTimelines();
  Dump dump(bytes);
  dump.Add(8, "magic, version 1, reserved");
  dump.Add(12, "span: begin 1,700,006,400,000 ms, length 7,200,000 ms");
  dump.Add(12, "first timeline 0, 2 timelines, bytes of the block");
  const auto first_bytes = static_cast<uint8_t>(bytes[32]);
  const auto second_bytes = static_cast<uint8_t>(bytes[33]);
  dump.Add(2, "bytes of each timeline");
  dump.Add(first_bytes, "8 timestamps, LINE from 500 by 15,000");
  dump.Add(second_bytes, "8 timestamps, DELTA from 0: 1 miniblock of 3 bits, base 14,997: 4 4 4 0 4 4 4");
  dump.Add(8, "xxh3 of all before");
  EXPECT_EQ(dump.offset(), bytes.size());
  return dump.text();
}

std::string DumpMetricBlock() {
  const std::string bytes = ExampleMetricBlock();
  Dump dump(bytes);
  dump.Add(8, "magic, version 1, reserved");
  dump.Add(12, "span: begin 1,700,006,400,000 ms, length 7,200,000 ms");
  dump.Add(12, "2 chunks, bytes of the index, of the block");
  dump.Add(4, "index: series +0, 5 bytes; series +1");
  dump.Add(static_cast<uint8_t>(bytes[33]), "floats, timeline 0; DIV 10^0; CONSTANT 1");
  dump.Add(7, "floats, timeline 1; DIV 10^2, patches: 1 run, behind 7 values 1 of them stale");
  dump.Add(static_cast<uint8_t>(bytes[35]) - 7u, "DELTA, divisor 25, from 1050: 1 miniblock of 2 bits, base 0: 1 3 0 3 3 1");
  dump.Add(8, "xxh3 of all before");
  EXPECT_EQ(dump.offset(), bytes.size());
  return dump.text();
}

std::string ExampleMetricDirectory() {
  MetricPackDirectory directory;
  directory.tenants = {"fake"};
  directory.tenant_ends = {2};
  directory.fingerprints = {0x1111111111111111, 0x2222222222222222};
  for (const char* instance : {"a", "b"}) {
    directory.label_bytes += PackedLabels::FromUnsorted({{"__name__", "up"}, {"i", instance}}).canonical();
    directory.label_ends.push_back(static_cast<uint32_t>(directory.label_bytes.size()));
  }
  const MetricSpan span{.begin_ms = kMetricBegin, .length_ms = kMetricSpanMs};
  directory.blocks = {{.kind = MetricBlockKind::kTimelines,
                       .span = span,
                       .encoded_bytes = static_cast<uint32_t>(ExampleTimelineSource::ExampleTimelines().size()),
                       .timeline_count = 2},
                      {.kind = MetricBlockKind::kChunks,
                       .span = span,
                       .encoded_bytes = static_cast<uint32_t>(ExampleMetricBlock().size()),
                       .last_series = 1,
                       .chunk_count = 2,
                       .floats = 16,
                       .min_ts_ms = kMetricBegin,
                       .max_ts_ms = kMetricBegin + 105'500}};
  std::string bytes;
  EncodeMetricPackDirectory(directory, &bytes);
  return bytes;
}

std::string DumpMetricDirectory() {
  const std::string bytes = ExampleMetricDirectory();
  Dump dump(bytes);
  dump.Add(8, "magic, version 1, core and labels not compressed, reserved");
  dump.Add(16, "bytes of the core, as stored and decoded; of the labels");
  dump.Add(7, "1 tenant: \"fake\", 2 series");
  dump.Add(16, "fingerprints");
  dump.Add(1, "2 blocks");
  dump.Add(9, "TIMELINES, 0 halvings, span +60,444,672; its bytes; from 0 on, 2 of them");
  dump.Add(13, "CHUNKS, 0 halvings, span +0; its bytes; series 0 to 1, 2 chunks, 16 floats, 0 histograms, +0 ms, 105,500 ms");
  dump.Add(18, "labels: 0 shared, 16 more: __name__=up, i=a");
  dump.Add(3, "labels: 15 shared, 1 more: b");
  dump.Add(8, "xxh3 of all before");
  EXPECT_EQ(dump.offset(), bytes.size());
  return dump.text();
}

constexpr const char* kDocument = VARVE_SOURCE_DIR "/docs/format.md";

struct Example {
  const char* name;
  std::string (*dump)();
};

class FormatExample : public testing::TestWithParam<Example> {};

TEST_P(FormatExample, InTheDocumentIsWhatTheEncoderWrites) {
  std::ifstream file(kDocument, std::ios::binary);
  std::string document((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const std::string marker = std::string("<!-- example: ") + GetParam().name + " -->\n\n";
  const size_t begin = document.find(marker);
  ASSERT_NE(begin, std::string::npos) << kDocument << " has no " << marker;
  const size_t text_begin = begin + marker.size();
  const size_t text_end = document.find("\n<!-- end -->", text_begin);
  ASSERT_NE(text_end, std::string::npos);
  const std::string expected = GetParam().dump();
  if (std::getenv("VARVE_UPDATE_GOLDEN") != nullptr) {
    document.replace(text_begin, text_end - text_begin, expected);
    std::ofstream(kDocument, std::ios::binary) << document;
    return;
  }
  EXPECT_EQ(document.substr(text_begin, text_end - text_begin), expected);
}

INSTANTIATE_TEST_SUITE_P(All, FormatExample,
                         testing::Values(Example{"log_block", [] { return DumpBlock(ExampleBlock()); }},
                                         Example{"pack_directory",
                                                 [] { return DumpDirectory(ExampleDirectory()); }},
                                         Example{"timeline_block", DumpTimelines},
                                         Example{"metric_block", DumpMetricBlock},
                                         Example{"metric_pack_directory", DumpMetricDirectory},
                                         Example{"pack_key", [] { return DumpKey(); }}),
                         [](const auto& param) { return param.param.name; });

TEST(FormatExamples, CanBeRead) {
  EXPECT_TRUE(VerifyLogBlock(ExampleBlock()).ok());
  const auto directory = DecodePackDirectory(ExampleDirectory());
  ASSERT_TRUE(directory.ok());
  EXPECT_EQ(directory.value().blocks[0].encoded_bytes, ExampleBlock().size());
  const std::string block_bytes = ExampleMetricBlock();
  const auto block = ParsedMetricBlock::Parse(block_bytes, nullptr);
  ASSERT_TRUE(block.ok());
  SeriesSamples samples;
  ASSERT_TRUE(block->Read(1, {}, ExampleTimelineSource(), &samples).ok());
  EXPECT_EQ(samples.floats[5], 13);
  EXPECT_EQ(samples.float_ts_ms[3], kMetricBegin + 45'003);
  const auto metric_directory = DecodeMetricPackDirectory(ExampleMetricDirectory(), MetricLabels::kRead);
  ASSERT_TRUE(metric_directory.ok()) << metric_directory.status().ToString();
  EXPECT_EQ(metric_directory->floats, 16u);
}

}  // namespace
}  // namespace varve
