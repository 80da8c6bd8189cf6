#include "engine/packs/duplicate_run.h"

#include "engine/codec/checksum.h"

namespace varve {

namespace {
uint64_t Hash(std::string_view line, std::string_view metadata) {
  return Checksum(line) ^ (Checksum(metadata) * 0x9E3779B97F4A7C15ULL);
}
}  // namespace

bool DuplicateRun::IsDuplicate(int64_t ts_ns, std::string_view line, std::string_view metadata) {
  if (entries_.empty() || ts_ns != ts_ns_) {
    if (!by_hash_.empty()) by_hash_.clear();
    entries_.clear();
    entries_.push_back({line, metadata});
    ts_ns_ = ts_ns;
    return false;
  }
  if (by_hash_.empty()) by_hash_.emplace(Hash(entries_[0].line, entries_[0].metadata), 0);
  const uint64_t hash = Hash(line, metadata);
  const auto [begin, end] = by_hash_.equal_range(hash);
  for (auto it = begin; it != end; ++it) {
    const Entry& entry = entries_[it->second];
    if (entry.line == line && entry.metadata == metadata) return true;
  }
  by_hash_.emplace(hash, static_cast<uint32_t>(entries_.size()));
  entries_.push_back({line, metadata});
  return false;
}

}  // namespace varve
