#include "ingest/otlp_buckets.h"

namespace varve {
namespace {

// So many empty buckets are written rather than a new span begun.
constexpr int64_t kGapMax = 2;

class SpanWriter {
 public:
  SpanWriter(std::vector<BucketSpan>* spans, std::vector<int64_t>* deltas) : spans_(*spans), deltas_(*deltas) {}

  // Indexes ascend from call to call; counts are not 0.
  bool Add(int64_t index, uint64_t count) {
    if (index < INT32_MIN || index > INT32_MAX || count > INT64_MAX) return false;
    const int64_t gap = spans_.empty() ? index : index - next_;
    if (spans_.empty() || gap > kGapMax) {
      if (gap > INT32_MAX) return false;
      spans_.push_back({static_cast<int32_t>(gap), 0});
    } else {
      for (int64_t i = 0; i < gap; ++i) Append(0);
    }
    Append(static_cast<int64_t>(count));
    next_ = index + 1;
    return true;
  }

 private:
  void Append(int64_t count) {
    ++spans_.back().length;
    deltas_.push_back(count - before_);
    before_ = count;
  }

  std::vector<BucketSpan>& spans_;
  std::vector<int64_t>& deltas_;
  int64_t next_ = 0;    // behind the last bucket written
  int64_t before_ = 0;  // its count
};

}  // namespace

bool MakeSpans(const std::vector<uint64_t>& counts, int32_t offset, int32_t scale_down, int32_t shift,
               std::vector<BucketSpan>* spans, std::vector<int64_t>* deltas) {
  SpanWriter writer(spans, deltas);
  for (size_t i = 0; i < counts.size();) {
    const int64_t index = (static_cast<int64_t>(i) + offset) >> scale_down;
    uint64_t sum = 0;
    for (; i < counts.size() && (static_cast<int64_t>(i) + offset) >> scale_down == index; ++i) {
      if (__builtin_add_overflow(sum, counts[i], &sum)) return false;
    }
    if (sum != 0 && !writer.Add(index + shift, sum)) return false;
  }
  return true;
}

}  // namespace varve
