#include "engine/pack_index_cache.h"

#include <algorithm>

namespace varve {

Status CommittedPackError(Status status) {
  return status.code() == Code::kNotFound ? Corruption(status.message()) : std::move(status);
}

int64_t PackIndex::MemoryBytes() const {
  return static_cast<int64_t>(sizeof(*this) + streams.capacity() * sizeof(StreamOrdinal) +
                              first_entry.capacity() * sizeof(uint32_t) + entries.capacity() * sizeof(Entry) +
                              block_bytes.capacity() * sizeof(uint32_t));
}

PackIndexCache::~PackIndexCache() {
  const MutexLock lock(mu_);
  for (const Slot& slot : newest_first_) budget_->Release(slot.bytes);
}

Result<std::shared_ptr<const PackIndex>> PackIndexCache::Convert(const PackDirectory& directory) const {
  // The directory's streams as ordinals, and the order that sorts them.
  std::vector<StreamOrdinal> ordinals;
  ordinals.reserve(directory.streams.size());
  for (const PackStream& stream : directory.streams) {
    auto ordinal = streams_->FindFingerprint(stream.fingerprint);
    if (!ordinal.has_value()) {
      Status loaded =
          streams_->Load(directory.tenants[stream.tenant], stream.canonical_labels, stream.fingerprint);
      ordinal = streams_->FindFingerprint(stream.fingerprint);  // or another thread was faster
      if (!ordinal.has_value()) return loaded;
    }
    ordinals.push_back(*ordinal);
  }
  auto index = std::make_shared<PackIndex>();
  index->streams = ordinals;
  std::sort(index->streams.begin(), index->streams.end());
  std::vector<uint32_t> rank(ordinals.size());
  for (size_t i = 0; i < ordinals.size(); ++i) {
    rank[i] = static_cast<uint32_t>(
        std::lower_bound(index->streams.begin(), index->streams.end(), ordinals[i]) - index->streams.begin());
  }
  // A counting sort of the ranges by stream keeps the order of blocks.
  index->first_entry.assign(ordinals.size() + 1, 0);
  for (const PackRowRange& range : directory.ranges) ++index->first_entry[rank[range.stream] + 1];
  for (size_t i = 1; i < index->first_entry.size(); ++i) index->first_entry[i] += index->first_entry[i - 1];
  std::vector<uint32_t> next(index->first_entry.begin(), index->first_entry.end() - 1);
  index->entries.resize(directory.ranges.size());
  for (uint32_t block = 0; block < directory.blocks.size(); ++block) {
    index->block_bytes.push_back(directory.blocks[block].encoded_bytes);
    for (const PackRowRange& range : directory.RangesOf(directory.blocks[block])) {
      index->entries[next[rank[range.stream]]++] = {.block = block,
                                                    .row_begin = range.row_begin,
                                                    .row_count = range.row_count,
                                                    .line_bytes = range.line_bytes,
                                                    .min_ts_ns = range.min_ts_ns,
                                                    .max_ts_ns = range.max_ts_ns};
    }
  }
  return std::shared_ptr<const PackIndex>(std::move(index));
}

void PackIndexCache::Insert(const PackId& id, const std::shared_ptr<const PackIndex>& index) {
  const int64_t bytes = index->MemoryBytes();
  const MutexLock lock(mu_);
  if (by_number_.contains(id.number)) return;
  while (!budget_->Reserve(bytes).ok()) {
    if (newest_first_.empty()) return;  // larger than the whole cache: not kept
    budget_->Release(newest_first_.back().bytes);
    by_number_.erase(newest_first_.back().number);
    newest_first_.pop_back();
  }
  newest_first_.push_front({.number = id.number, .index = index, .bytes = bytes});
  by_number_[id.number] = newest_first_.begin();
}

Result<std::shared_ptr<const PackIndex>> PackIndexCache::Get(const PackId& id) {
  {
    const MutexLock lock(mu_);
    if (const auto it = by_number_.find(id.number); it != by_number_.end()) {
      newest_first_.splice(newest_first_.begin(), newest_first_, it->second);
      return it->second->index;
    }
  }
  Result<PackDirectory> directory = store_->ReadDirectory(id);
  if (!directory.ok()) return CommittedPackError(std::move(directory).status());
  VARVE_ASSIGN_OR_RETURN(std::shared_ptr<const PackIndex> index, Convert(*directory));
  Insert(id, index);
  return index;
}

Status PackIndexCache::Put(const PackId& id, const PackDirectory& directory) {
  VARVE_ASSIGN_OR_RETURN(const std::shared_ptr<const PackIndex> index, Convert(directory));
  Insert(id, index);
  return Status::Ok();
}

void PackIndexCache::Erase(const PackId& id) {
  const MutexLock lock(mu_);
  const auto it = by_number_.find(id.number);
  if (it == by_number_.end()) return;
  budget_->Release(it->second->bytes);
  newest_first_.erase(it->second);
  by_number_.erase(it);
}

}  // namespace varve
