#include "query/exec/found_entry.h"

#include <algorithm>
#include <map>

namespace varve {
namespace {

using logql::LabelCategory;
using logql::RowLabel;
using logql::RowLabels;

// Bytes of entries found before they are counted against the query's budget.
constexpr int64_t kUncountedBytesMax = 1 << 20;

// Position and stream are left to the caller.
FoundEntry MakeEntry(std::string_view line, const RowLabels& labels, const Labels& stream) {
  FoundEntry found;
  found.entry.line = line;
  size_t untouched = 0;
  for (const RowLabel& label : labels.labels()) {
    if (label.category == LabelCategory::kStream) {
      untouched += !labels.modified() || stream.Get(label.name) == label.value ? 1 : 0;
    } else if (label.category == LabelCategory::kMetadata) {
      found.entry.metadata.emplace_back(label.name, label.value);
    } else {
      found.entry.parsed.emplace_back(label.name, label.value);
    }
  }
  if (!labels.error().empty()) found.entry.parsed.emplace_back("__error__", labels.error());
  if (!labels.error_details().empty()) {
    found.entry.parsed.emplace_back("__error_details__", labels.error_details());
  }
  std::sort(found.entry.metadata.begin(), found.entry.metadata.end());
  std::sort(found.entry.parsed.begin(), found.entry.parsed.end());
  if (untouched != stream.size()) {
    LabelPairs& left = found.stream_labels.emplace();
    for (const RowLabel& label : labels.labels()) {
      if (label.category == LabelCategory::kStream) left.emplace_back(label.name, label.value);
    }
    std::sort(left.begin(), left.end());
  }
  return found;
}

LabelPairs ToPairs(const Labels& labels) {
  LabelPairs pairs;
  for (const Label& label : labels) pairs.emplace_back(label.name, label.value);
  return pairs;
}

}  // namespace

int64_t FoundEntry::MemoryBytes() const {
  size_t bytes = sizeof(*this) + entry.line.size();
  for (const LabelPairs* pairs : {&entry.metadata, &entry.parsed}) {
    for (const auto& [name, value] : *pairs) bytes += name.size() + value.size() + sizeof((*pairs)[0]);
  }
  return static_cast<int64_t>(bytes);
}

FoundEntry TakeEntry(const LogScan& scan, const OrderedRows& rows) {
  FoundEntry found = MakeEntry(rows.line(), rows.labels(), scan.StreamLabels(rows.stream()));
  found.position = rows.position();
  found.stream = rows.stream();
  found.entry.ts_ns = found.position.ts_ns;
  return found;
}

Status FoundEntries::Add(FoundEntry entry) {
  uncounted_bytes_ += entry.MemoryBytes();
  entries_.push_back(std::move(entry));
  if (uncounted_bytes_ < kUncountedBytesMax) return Status::Ok();
  VARVE_RETURN_IF_ERROR(reservation_.Add(uncounted_bytes_));
  uncounted_bytes_ = 0;
  return Status::Ok();
}

Streams GroupByStream(const LogScan& scan, std::vector<FoundEntry> entries) {
  std::map<LabelPairs, std::vector<ResultEntry>> streams;
  std::map<uint32_t, std::vector<ResultEntry>*> unmodified;
  for (FoundEntry& found : entries) {
    std::vector<ResultEntry>* into = nullptr;
    if (found.stream_labels.has_value()) {
      into = &streams[std::move(*found.stream_labels)];
    } else {
      std::vector<ResultEntry>*& known = unmodified[found.stream];
      if (known == nullptr) known = &streams[ToPairs(scan.StreamLabels(found.stream))];
      into = known;
    }
    into->push_back(std::move(found.entry));
  }
  Streams result;
  for (auto& [labels, stream_entries] : streams)
    result.streams.push_back({labels, std::move(stream_entries)});
  return result;
}

}  // namespace varve
