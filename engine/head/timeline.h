// Timestamps of a head, shared by the series that are scraped together.
//
// A *timeline* is an ascending list of timestamps. A series' in-order samples are *runs*: consecutive entries of a
// timeline. The series of one target that are written with the same timestamps share one timeline, whoever comes first
// extends it, so that a timestamp costs 4 bytes a target instead of 8 a sample. A series that misses an entry, or
// comes at a time of its own, starts another run: 12 bytes.
// Threads: thread-compatible.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

namespace varve {

class Timelines {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  struct Run {
    uint32_t timeline = kNone;
    uint32_t begin = 0;
    uint32_t count = 0;
  };

  // Adds a timestamp, later than the run's last. False when its timeline goes on otherwise: a new run must start.
  bool Extend(Run* run, int64_t ts_ms);
  // A run of one sample, of a series of `target` whose run before (kNone when there is none) was in timeline `before`.
  // Not `shared`: in a timeline of its own, for a series that was in step with nobody.
  Run Start(uint32_t target, uint32_t before, int64_t ts_ms, bool shared);

  int64_t At(const Run& run, uint32_t i) const {
    const Timeline& line = lines_[run.timeline];
    return line.base_ms + line.offsets[run.begin + i];
  }
  // The number of the sample in the run.
  std::optional<uint32_t> Find(const Run& run, int64_t ts_ms) const;
  // The number of the first sample of the run that is not before `ts_ms`.
  uint32_t LowerBound(const Run& run, int64_t ts_ms) const;

  size_t size() const { return lines_.size(); }
  int64_t memory_bytes() const { return memory_bytes_; }

 private:
  // Offsets are 32 bits: a timeline ends when it would span more than 49 days.
  struct Timeline {
    int64_t base_ms = 0;
    std::vector<uint32_t> offsets;  // ascending, none twice
  };
  static constexpr size_t kCandidates = 4;

  std::optional<Run> Join(uint32_t timeline, int64_t ts_ms) const;
  static std::optional<uint32_t> OffsetOf(const Timeline& line, int64_t ts_ms);
  void Push(Timeline* line, uint32_t offset);

  std::deque<Timeline> lines_;
  std::unordered_map<uint32_t, std::vector<uint32_t>> by_target_;  // the newest last
  int64_t memory_bytes_ = 0;
};

}  // namespace varve
