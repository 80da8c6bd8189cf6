#include "engine/head/timeline.h"

#include <algorithm>

namespace varve {

std::optional<uint32_t> Timelines::OffsetOf(const Timeline& line, int64_t ts_ms) {
  const uint64_t offset = static_cast<uint64_t>(ts_ms) - static_cast<uint64_t>(line.base_ms);
  if (ts_ms < line.base_ms || offset > UINT32_MAX) return std::nullopt;
  return static_cast<uint32_t>(offset);
}

void Timelines::Push(Timeline* line, uint32_t offset) {
  const size_t before = line->offsets.capacity();
  line->offsets.push_back(offset);
  memory_bytes_ += static_cast<int64_t>((line->offsets.capacity() - before) * sizeof(uint32_t));
}

bool Timelines::Extend(Run* run, int64_t ts_ms) {
  Timeline& line = lines_[run->timeline];
  const std::optional<uint32_t> offset = OffsetOf(line, ts_ms);
  if (!offset.has_value()) return false;
  const size_t next = size_t{run->begin} + run->count;
  if (next < line.offsets.size()) {
    if (line.offsets[next] != *offset) return false;
  } else {
    Push(&line, *offset);
  }
  ++run->count;
  return true;
}

std::optional<Timelines::Run> Timelines::Join(uint32_t timeline, int64_t ts_ms) const {
  const Timeline& line = lines_[timeline];
  const std::optional<uint32_t> offset = OffsetOf(line, ts_ms);
  if (!offset.has_value()) return std::nullopt;
  // Mostly the newest entry is meant.
  auto at = line.offsets.end() - 1;
  if (*at != *offset) {
    at = std::lower_bound(line.offsets.begin(), line.offsets.end(), *offset);
    if (at == line.offsets.end() || *at != *offset) return std::nullopt;
  }
  return Run{.timeline = timeline, .begin = static_cast<uint32_t>(at - line.offsets.begin()), .count = 1};
}

Timelines::Run Timelines::Start(uint32_t target, uint32_t before, int64_t ts_ms, bool shared) {
  if (shared) {
    if (before != kNone) {
      if (const std::optional<Run> run = Join(before, ts_ms)) return *run;
      // It missed some, and is now the first of its kin: they will follow.
      Timeline& line = lines_[before];
      const std::optional<uint32_t> offset = OffsetOf(line, ts_ms);
      if (offset.has_value() && *offset > line.offsets.back()) {
        Push(&line, *offset);
        return {.timeline = before, .begin = static_cast<uint32_t>(line.offsets.size() - 1), .count = 1};
      }
    }
    if (const auto known = by_target_.find(target); known != by_target_.end()) {
      for (const uint32_t timeline : known->second) {
        if (const std::optional<Run> run = Join(timeline, ts_ms)) return *run;
      }
    }
  }
  const auto timeline = static_cast<uint32_t>(lines_.size());
  lines_.emplace_back().base_ms = ts_ms;
  memory_bytes_ += sizeof(Timeline);
  Push(&lines_.back(), 0);
  if (shared) {
    constexpr int64_t kTargetBytes = 88;  // of a map's node with its list
    std::vector<uint32_t>& candidates = by_target_[target];
    if (candidates.empty()) memory_bytes_ += kTargetBytes;
    if (candidates.size() == kCandidates) candidates.erase(candidates.begin());
    candidates.push_back(timeline);
  }
  return {.timeline = timeline, .begin = 0, .count = 1};
}

uint32_t Timelines::LowerBound(const Run& run, int64_t ts_ms) const {
  const Timeline& line = lines_[run.timeline];
  if (ts_ms <= line.base_ms) return 0;
  const std::optional<uint32_t> offset = OffsetOf(line, ts_ms);
  if (!offset.has_value()) return run.count;
  const auto begin = line.offsets.begin() + run.begin;
  return static_cast<uint32_t>(std::lower_bound(begin, begin + run.count, *offset) - begin);
}

std::optional<uint32_t> Timelines::Find(const Run& run, int64_t ts_ms) const {
  const uint32_t at = LowerBound(run, ts_ms);
  if (at == run.count || At(run, at) != ts_ms) return std::nullopt;
  return at;
}

}  // namespace varve
