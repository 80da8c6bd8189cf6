#include "engine/packs/duplicate_run.h"

#include "engine/codec/checksum.h"

namespace varve {

namespace {
uint64_t Hash(std::string_view line, std::string_view metadata) {
  return Checksum(line) ^ (Checksum(metadata) * 0x9E3779B97F4A7C15ULL);
}
}  // namespace

bool DuplicateRun::IsDuplicate(int64_t ts_ns, std::string_view line, std::string_view metadata) {
  if (!has_first_ || ts_ns != ts_ns_) {
    if (!others_.empty()) Reset();
    has_first_ = true;
    ts_ns_ = ts_ns;
    first_ = {line, metadata};
    return false;
  }
  if (others_.empty()) {
    others_.push_back(first_);
    by_hash_.emplace(Hash(first_.line, first_.metadata), 0);
  }
  const uint64_t hash = Hash(line, metadata);
  const auto [begin, end] = by_hash_.equal_range(hash);
  for (auto it = begin; it != end; ++it) {
    const Entry& entry = others_[it->second];
    if (entry.line == line && entry.metadata == metadata) return true;
  }
  by_hash_.emplace(hash, static_cast<uint32_t>(others_.size()));
  others_.push_back({line, metadata});
  return false;
}

}  // namespace varve
