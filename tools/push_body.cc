#include "tools/push_body.h"

#include <snappy.h>

#include <protozero/pbf_writer.hpp>

#include "engine/base/time.h"

namespace varve {
namespace {

// Field numbers of logproto's PushRequest, StreamAdapter, EntryAdapter, Timestamp and LabelPairAdapter.
constexpr protozero::pbf_tag_type kRequestStreams = 1;
constexpr protozero::pbf_tag_type kStreamLabels = 1;
constexpr protozero::pbf_tag_type kStreamEntries = 2;
constexpr protozero::pbf_tag_type kEntryTimestamp = 1;
constexpr protozero::pbf_tag_type kEntryLine = 2;
constexpr protozero::pbf_tag_type kEntryMetadata = 3;
constexpr protozero::pbf_tag_type kTimestampSeconds = 1;
constexpr protozero::pbf_tag_type kTimestampNanos = 2;
constexpr protozero::pbf_tag_type kPairName = 1;
constexpr protozero::pbf_tag_type kPairValue = 2;

}  // namespace

void PushBody::Add(const std::string& labels, int64_t ts_ns, std::string_view line, Metadata metadata) {
  int64_t seconds = ts_ns / kNsPerSecond;
  int64_t nanos = ts_ns % kNsPerSecond;
  if (nanos < 0) {
    nanos += kNsPerSecond;
    --seconds;
  }
  protozero::pbf_writer stream(streams_[labels]);
  protozero::pbf_writer entry(stream, kStreamEntries);
  {
    protozero::pbf_writer timestamp(entry, kEntryTimestamp);
    timestamp.add_int64(kTimestampSeconds, seconds);
    timestamp.add_int32(kTimestampNanos, static_cast<int32_t>(nanos));
  }
  entry.add_string(kEntryLine, line.data(), line.size());
  for (const auto& [name, value] : metadata) {
    protozero::pbf_writer pair(entry, kEntryMetadata);
    pair.add_string(kPairName, name.data(), name.size());
    pair.add_string(kPairValue, value.data(), value.size());
  }
  ++lines_;
  line_bytes_ += line.size();
}

std::string PushBody::Encode() const {
  std::string request;
  for (const auto& [labels, entries] : streams_) {
    std::string head;
    protozero::pbf_writer(head).add_string(kStreamLabels, labels);
    protozero::pbf_writer writer(request);
    writer.add_message(kRequestStreams, head + entries);
  }
  std::string body;
  snappy::Compress(request.data(), request.size(), &body);
  return body;
}

void PushBody::Clear() {
  streams_.clear();
  lines_ = 0;
  line_bytes_ = 0;
}

}  // namespace varve
