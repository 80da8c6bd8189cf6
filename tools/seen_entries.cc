#include "tools/seen_entries.h"

#include <algorithm>
#include <functional>

namespace varve {
namespace {

uint64_t Fingerprint(const LabelPairs& labels, std::string_view line) {
  std::string text;
  for (const auto& [name, value] : labels) text.append(name).append("\xFF").append(value).append("\xFF");
  return std::hash<std::string_view>()(text.append("\xFE").append(line));
}

}  // namespace

bool SeenEntries::Add(const LabelPairs& labels, int64_t ts_ns, std::string_view line) {
  if (!by_time_[ts_ns].insert(Fingerprint(labels, line)).second) return false;
  ++count_;
  newest_ns_ = std::max(newest_ns_, ts_ns);
  const auto too_old = [this](int64_t t_ns) { return newest_ns_ - t_ns > kOverlapNs && t_ns != newest_ns_; };
  while (!by_time_.empty() && (count_ > kEntriesMax || too_old(by_time_.begin()->first)) &&
         by_time_.size() > 1) {
    count_ -= by_time_.begin()->second.size();
    forgotten_ns_ = by_time_.begin()->first;
    by_time_.erase(by_time_.begin());
  }
  return true;
}

int64_t SeenEntries::resume_ns() const {
  if (empty()) return floor_ns_;
  return std::max({floor_ns_, newest_ns_ - kOverlapNs, forgotten_ns_ + 1});
}

}  // namespace varve
