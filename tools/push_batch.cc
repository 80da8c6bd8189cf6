#include "tools/push_batch.h"

#include <snappy.h>

#include <algorithm>
#include <protozero/pbf_writer.hpp>

#include "engine/base/time.h"

namespace varve {
namespace {

// Field numbers of logproto's PushRequest, StreamAdapter, EntryAdapter and Timestamp.
constexpr protozero::pbf_tag_type kRequestStreams = 1;
constexpr protozero::pbf_tag_type kStreamLabels = 1;
constexpr protozero::pbf_tag_type kStreamEntries = 2;
constexpr protozero::pbf_tag_type kEntryTimestamp = 1;
constexpr protozero::pbf_tag_type kEntryLine = 2;
constexpr protozero::pbf_tag_type kTimestampSeconds = 1;
constexpr protozero::pbf_tag_type kTimestampNanos = 2;

}  // namespace

void PushBatch::Add(std::string_view line) {
  last_ns_ = std::max(clock_.NowNs(), last_ns_ + 1);
  protozero::pbf_writer stream(entries_);
  protozero::pbf_writer entry(stream, kStreamEntries);
  {
    protozero::pbf_writer timestamp(entry, kEntryTimestamp);
    timestamp.add_int64(kTimestampSeconds, last_ns_ / kNsPerSecond);
    timestamp.add_int32(kTimestampNanos, static_cast<int32_t>(last_ns_ % kNsPerSecond));
  }
  entry.add_string(kEntryLine, line.data(), line.size());
  ++lines_;
  line_bytes_ += line.size();
}

std::string PushBatch::Body() const {
  std::string stream;
  stream.reserve(labels_.size() + entries_.size() + 16);
  protozero::pbf_writer(stream).add_string(kStreamLabels, labels_);
  stream += entries_;
  std::string request;
  protozero::pbf_writer(request).add_message(kRequestStreams, stream);
  std::string body;
  snappy::Compress(request.data(), request.size(), &body);
  return body;
}

void PushBatch::Clear() {
  entries_.clear();
  lines_ = 0;
  line_bytes_ = 0;
}

}  // namespace varve
