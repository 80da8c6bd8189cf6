#include "ingest/reject_list.h"

#include <algorithm>

#include "engine/base/check.h"

namespace varve {

void RejectList::Add(uint32_t first, uint32_t count) {
  if (count == 0) return;
  if (!runs_.empty()) {
    Run& last = runs_.back();
    VARVE_CHECK(first >= last.first + last.count);
    if (first == last.first + last.count) {
      last.count += count;
      return;
    }
  }
  runs_.push_back({first, count});
}

void RejectList::DropFrom(uint32_t first) {
  while (!runs_.empty() && runs_.back().first >= first) runs_.pop_back();
  if (!runs_.empty()) runs_.back().count = std::min(runs_.back().count, first - runs_.back().first);
}

const RejectList::Run* RejectList::Find(uint32_t entry) const {
  const auto after = std::upper_bound(runs_.begin(), runs_.end(), entry,
                                      [](uint32_t value, const Run& run) { return value < run.first; });
  return after == runs_.begin() ? nullptr : &*(after - 1);
}

bool RejectList::Contains(uint32_t entry) const {
  const Run* run = Find(entry);
  return run != nullptr && entry - run->first < run->count;
}

bool RejectList::ContainsAll(uint32_t first, uint32_t count) const {
  if (count == 0) return true;
  const Run* run = Find(first);
  return run != nullptr && uint64_t{first} + count <= uint64_t{run->first} + run->count;
}

void RejectList::Encode(std::string* out) const {
  PutVarint(out, runs_.size());
  uint32_t end = 0;
  for (const Run& run : runs_) {
    PutVarint(out, run.first - end);
    PutVarint(out, run.count);
    end = run.first + run.count;
  }
}

bool RejectList::Decode(ByteReader* reader) {
  runs_.clear();
  const uint64_t count = reader->Varint();
  uint64_t end = 0;
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t gap = reader->Varint();
    const uint64_t length = reader->Varint();
    // Runs that touch are one run, so only the first may have no gap.
    if (!reader->ok() || length == 0 || (gap == 0 && i != 0)) return false;
    if (gap > UINT32_MAX || length > UINT32_MAX || end + gap + length > UINT32_MAX) return false;
    runs_.push_back({static_cast<uint32_t>(end + gap), static_cast<uint32_t>(length)});
    end += gap + length;
  }
  return reader->ok();
}

}  // namespace varve
