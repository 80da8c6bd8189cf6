// Random rows through LogBlockBuilder, EncodeLogBlock, DecodeLogBlock: what comes out is what went in.
// VARVE_SEED repeats a run; VARVE_ROUNDS lengthens it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>
#include <random>

#include "engine/codec/integers.h"
#include "engine/codec/log_block.h"
#include "engine/codec/log_block_builder.h"
#include "engine/model/log_entry.h"

namespace varve {
namespace {

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

struct Row {
  int64_t ts_ns;
  std::string line;
  std::string metadata;
};

class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed) {}

  uint64_t Below(uint64_t bound) { return random_() % bound; }
  bool OneIn(uint64_t n) { return Below(n) == 0; }
  // Mostly small, now and then of any size: bit lengths are uniform.
  uint64_t AnySize() { return random_() >> Below(64); }

  std::string Bytes(size_t size) {
    std::string out(size, '\0');
    for (char& c : out) c = static_cast<char>(random_());
    return out;
  }

  std::string Line() {
    switch (Below(6)) {
      case 0: return "";
      case 1: return Bytes(Below(20));  // often not UTF-8
      case 2: return "level=info msg=\"request served\" duration=" + std::to_string(Below(1000));
      case 3: return std::string(Below(300), 'x');
      case 4: return OneIn(500) ? std::string(1 << 20, 'y') : "short";
      default: return "GET /api/v1/" + std::to_string(Below(9)) + " HTTP/1.1";
    }
  }

  // A way for timestamps to advance that a stream keeps to.
  uint64_t Step(unsigned style) {
    switch (style) {
      case 0: return 0;
      case 1: return 1'000'000 * Below(5000);
      case 2: return 15'000'000'000;
      case 3: return Below(1ULL << 40);
      case 4: return OneIn(100) ? 1ULL << 45 : 1000;
      default: return AnySize();
    }
  }

  std::string Metadata(unsigned style) {
    std::vector<std::string> values;
    std::vector<MetadataPair> pairs;
    const std::string level(OneIn(3) ? "warn" : "info");
    const std::string id = "id-" + std::to_string(Below(1 << 20));
    const std::string other = Bytes(1 + Below(5));
    if (style == 0) return "";
    if (style == 1 || style == 3) pairs.emplace_back("detected_level", level);
    if (style >= 2 && !OneIn(4)) pairs.emplace_back("trace_id", id);
    if (style == 4 && !OneIn(3)) pairs.emplace_back("a", other);
    if (style == 4 && OneIn(50)) return Bytes(Below(30));  // not metadata at all
    std::string out;
    EncodeMetadata(&pairs, &out);
    return out;
  }

  std::vector<Row> Stream() {
    std::vector<Row> rows(1 + (OneIn(3) ? Below(3000) : Below(10)));
    const auto step_style = static_cast<unsigned>(Below(6));
    const auto metadata_style = static_cast<unsigned>(Below(5));
    int64_t ts_ns = static_cast<int64_t>(random_());
    if (OneIn(4)) ts_ns = std::numeric_limits<int64_t>::min();
    for (Row& row : rows) {
      row = {ts_ns, Line(), Metadata(metadata_style)};
      const uint64_t room =
          static_cast<uint64_t>(std::numeric_limits<int64_t>::max()) - static_cast<uint64_t>(ts_ns);
      const uint64_t step = std::min(Step(step_style), room);
      ts_ns = static_cast<int64_t>(static_cast<uint64_t>(ts_ns) + step);
      if (OneIn(1000)) ts_ns = std::numeric_limits<int64_t>::max();
    }
    return rows;
  }

  uint64_t Next() { return random_(); }

 private:
  std::mt19937_64 random_;
};

TEST(LogBlockProperty, EveryRowComesBackAsItWentIn) {
  const uint64_t first_seed = FromEnvironment("VARVE_SEED", 20261120);
  const uint64_t rounds = FromEnvironment("VARVE_ROUNDS", 60);
  LogBlockBuilder builder;  // kept, as a pack writer keeps it
  for (uint64_t seed = first_seed; seed < first_seed + rounds; ++seed) {
    SCOPED_TRACE("VARVE_SEED=" + std::to_string(seed));
    Generator generator(seed);
    builder.Clear();
    std::vector<Row> rows;
    std::vector<LogBlockStream> streams;
    for (uint64_t s = generator.Below(12); s > 0; --s) {
      streams.push_back({generator.Next(), 0});
      builder.StartStream(streams.back().fingerprint);
      for (Row& row : generator.Stream()) {
        ASSERT_TRUE(builder.Add(row.ts_ns, row.line, row.metadata).ok());
        ++streams.back().row_count;
        rows.push_back(std::move(row));
      }
    }
    std::string bytes;
    ASSERT_TRUE(builder.Encode(&bytes).ok());
    LogColumns columns;
    const Status status = DecodeLogBlock(bytes, kTimestamps | kLines | kMetadata, &columns);
    ASSERT_TRUE(status.ok()) << status.ToString();
    ASSERT_EQ(columns.row_count, rows.size());
    for (uint32_t i = 0; i < columns.row_count; ++i) {
      ASSERT_EQ(columns.timestamps_ns[i], rows[i].ts_ns) << i;
      ASSERT_EQ(columns.Line(i), rows[i].line) << i;
      ASSERT_EQ(columns.Metadata(i), rows[i].metadata) << i;
    }
    ASSERT_EQ(DecodeLogBlockStreams(bytes).value(), streams);
    ASSERT_TRUE(VerifyLogBlock(bytes).ok());
    ASSERT_LE(columns.MemoryBytes(), LogBlockDecodedBytes(bytes, kTimestamps | kLines | kMetadata).value());
  }
}

TEST(IntegersProperty, EveryColumnComesBackAsItWentIn) {
  const uint64_t first_seed = FromEnvironment("VARVE_SEED", 7);
  const uint64_t rounds = FromEnvironment("VARVE_ROUNDS", 500);
  for (uint64_t seed = first_seed; seed < first_seed + rounds; ++seed) {
    Generator generator(seed);
    std::vector<uint64_t> values(generator.Below(700));
    const uint64_t style = generator.Below(4);
    const uint64_t base = generator.AnySize();
    for (uint64_t& value : values) {
      value = style == 0 ? generator.AnySize() : base + generator.Below(1 + (base >> 3));
      if (style == 2 && generator.OneIn(60)) value = generator.AnySize();
    }
    std::string bytes;
    EncodeIntegers(values, &bytes);
    ByteReader reader(bytes);
    std::vector<uint64_t> decoded(values.size());
    ASSERT_TRUE(DecodeIntegers(&reader, decoded)) << "VARVE_SEED=" << seed;
    ASSERT_TRUE(reader.AtEnd()) << "VARVE_SEED=" << seed;
    ASSERT_EQ(decoded, values) << "VARVE_SEED=" << seed;
  }
}

}  // namespace
}  // namespace varve
