#include "engine/pack_catalog.h"

#include "engine/base/bytes.h"
#include "engine/base/time.h"

namespace varve {
namespace {

constexpr uint8_t kVersionOfCuts = 1;  // origin is the pack's number, no deletes applied
constexpr uint8_t kVersion = 2;

}  // namespace

PackSummary SummaryOf(const PackDirectory& directory, uint64_t origin) {
  return {.min_ts_ns = directory.min_ts_ns,
          .max_ts_ns = directory.max_ts_ns,
          .row_count = directory.row_count,
          .line_bytes = directory.line_bytes,
          .encoded_bytes = directory.encoded_bytes,
          .block_count = static_cast<uint32_t>(directory.blocks.size()),
          .stream_count = static_cast<uint32_t>(directory.streams.size()),
          .origin = origin,
          .deletes_applied = {}};
}

PackSummary SummaryOf(const MetricPackDirectory& directory, uint64_t origin) {
  const auto ns = [](int64_t ms) {
    int64_t product = 0;
    if (!__builtin_mul_overflow(ms, kNsPerMs, &product)) return product;
    return ms < 0 ? INT64_MIN : INT64_MAX;
  };
  return {.min_ts_ns = ns(directory.min_ts_ms),
          .max_ts_ns = ns(directory.max_ts_ms),
          .row_count = directory.floats + directory.histograms,
          .line_bytes = 0,
          .encoded_bytes = directory.encoded_bytes,
          .block_count = static_cast<uint32_t>(directory.blocks.size()),
          .stream_count = directory.series_count(),
          .origin = origin,
          .deletes_applied = {}};
}

std::string EncodeCatalogKey(const PackId& id) { return PackKey(id, kPackDirectoryBlock); }

MetaCommit::Pack EncodeCatalogPack(const CatalogPack& pack) {
  MetaCommit::Pack bytes;
  bytes.key = EncodeCatalogKey(pack.id);
  std::string& out = bytes.summary;
  const bool as_cut = pack.summary.origin == pack.id.number && pack.summary.deletes_applied.empty();
  out.push_back(static_cast<char>(as_cut ? kVersionOfCuts : kVersion));
  PutSignedVarint(&out, pack.summary.min_ts_ns);
  PutSignedVarint(&out, pack.summary.max_ts_ns);
  PutVarint(&out, pack.summary.row_count);
  PutVarint(&out, pack.summary.line_bytes);
  PutVarint(&out, pack.summary.encoded_bytes);
  PutVarint(&out, pack.summary.block_count);
  PutVarint(&out, pack.summary.stream_count);
  if (as_cut) return bytes;
  PutVarint(&out, pack.summary.origin);
  PutVarint(&out, pack.summary.deletes_applied.size());
  for (const uint64_t number : pack.summary.deletes_applied) PutVarint(&out, number);
  return bytes;
}

Result<CatalogPack> DecodeCatalogPack(const MetaCommit::Pack& bytes) {
  CatalogPack pack;
  uint32_t block = 0;
  if (!ParsePackKey(bytes.key, &pack.id, &block))
    return Corruption("hot database: a pack's key is malformed");
  ByteReader reader(bytes.summary);
  const auto version = reader.Fixed<uint8_t>();
  pack.summary.min_ts_ns = reader.SignedVarint();
  pack.summary.max_ts_ns = reader.SignedVarint();
  pack.summary.row_count = reader.Varint();
  pack.summary.line_bytes = reader.Varint();
  pack.summary.encoded_bytes = reader.Varint();
  pack.summary.block_count = static_cast<uint32_t>(reader.Varint());
  pack.summary.stream_count = static_cast<uint32_t>(reader.Varint());
  pack.summary.origin = pack.id.number;
  bool ascending = true;
  if (version == kVersion) {
    pack.summary.origin = reader.Varint();
    const uint64_t applied = reader.Varint();
    for (uint64_t i = 0; i < applied && reader.ok(); ++i) {
      const uint64_t number = reader.Varint();
      ascending = ascending && (i == 0 || number > pack.summary.deletes_applied.back());
      pack.summary.deletes_applied.push_back(number);
    }
  }
  if ((version != kVersion && version != kVersionOfCuts) || !reader.AtEnd() || !ascending ||
      pack.summary.origin > pack.id.number) {
    return Corruption("hot database: the summary of " + pack.id.ToString() + " is malformed");
  }
  return pack;
}

}  // namespace varve
