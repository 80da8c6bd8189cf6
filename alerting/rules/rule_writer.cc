#include "alerting/rules/rule_writer.h"

#include <snappy.h>

#include <bit>
#include <cmath>

#include "engine/base/bytes.h"
#include "engine/base/json_writer.h"
#include "engine/base/time.h"
#include "engine/model/sample.h"

namespace varve {
namespace {

// About the size of a request: none is refused as a whole for its size.
constexpr size_t kRequestBytes = 8 << 20;

// Fields of messages, in wire form: number << 3 | type.
constexpr uint8_t Varint(uint8_t field) { return static_cast<uint8_t>(field << 3); }
constexpr uint8_t Fixed64(uint8_t field) { return static_cast<uint8_t>(field << 3 | 1); }
constexpr uint8_t Length(uint8_t field) { return static_cast<uint8_t>(field << 3 | 2); }

void PutKey(std::string* out, uint64_t key) { PutVarint(out, key); }

void PutDouble(std::string* out, uint8_t field, double value) {
  PutKey(out, Fixed64(field));
  PutFixed(out, std::bit_cast<uint64_t>(value));
}

void PutNumber(std::string* out, uint64_t field, uint64_t value) {
  PutKey(out, field << 3);
  PutVarint(out, value);
}

void PutBytes(std::string* out, uint8_t field, std::string_view bytes) {
  PutKey(out, static_cast<uint64_t>(field) << 3 | 2);
  PutLengthPrefixed(out, bytes);
}

size_t VarintSize(uint64_t value) {
  size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

void PutSpans(std::string* out, uint8_t field, const std::vector<BucketSpan>& spans) {
  for (const BucketSpan& span : spans) {
    std::string message;
    PutNumber(&message, 1, ZigZag(span.offset));
    PutNumber(&message, 2, span.length);
    PutBytes(out, field, message);
  }
}

void PutDoubles(std::string* out, uint8_t field, const std::vector<double>& values) {
  if (values.empty()) return;
  std::string packed;
  for (const double value : values) PutFixed(&packed, std::bit_cast<uint64_t>(value));
  PutKey(out, static_cast<uint64_t>(field) << 3 | 2);
  PutLengthPrefixed(out, packed);
}

// remote_write_histogram.h has the message.
std::string HistogramMessage(const NativeHistogram& h, int64_t ts_ms) {
  std::string out;
  PutDouble(&out, 2, h.float_count);
  PutDouble(&out, 3, h.sum);
  PutNumber(&out, 4, ZigZag(h.schema));
  PutDouble(&out, 5, h.zero_threshold);
  PutDouble(&out, 7, h.float_zero_count);
  PutSpans(&out, 8, h.negative_spans);
  PutDoubles(&out, 10, h.negative_counts);
  PutSpans(&out, 11, h.positive_spans);
  PutDoubles(&out, 13, h.positive_counts);
  PutNumber(&out, 14, static_cast<uint64_t>(h.hint));
  PutNumber(&out, 15, static_cast<uint64_t>(ts_ms));
  PutDoubles(&out, 16, h.custom_values);
  return out;
}

Status StatusOf(const MetricWriteOutcome& outcome) {
  const int http = outcome.http_status;
  if (http < 300) return Status::Ok();
  if (http == 429) return ResourceExhausted(outcome.message);
  if (http < 500) return InvalidArgument(outcome.message);
  if (http == 507) return StorageFull(outcome.message);
  return Unavailable(outcome.message);
}

}  // namespace

void SampleBatch::AddSeries(const PackedLabels& series, uint8_t field, std::string_view message) {
  const auto label_size = [](const LabelView& label) {
    return 2 + VarintSize(label.name.size()) + label.name.size() + VarintSize(label.value.size()) +
           label.value.size();
  };
  size_t size = 1 + VarintSize(message.size()) + message.size();
  for (const LabelView& label : series) size += 1 + VarintSize(label_size(label)) + label_size(label);
  if (bodies_.empty() || bodies_.back().size() >= kRequestBytes) bodies_.emplace_back();
  std::string* const body = &bodies_.back();
  PutKey(body, Length(1));
  PutVarint(body, size);
  for (const LabelView& label : series) {
    PutKey(body, Length(1));
    PutVarint(body, label_size(label));
    PutKey(body, Length(1));
    PutLengthPrefixed(body, label.name);
    PutKey(body, Length(2));
    PutLengthPrefixed(body, label.value);
  }
  PutKey(body, Length(field));
  PutLengthPrefixed(body, message);
  ++samples_;
}

void SampleBatch::AddFloat(const PackedLabels& series, int64_t ts_ms, double value) {
  std::string message;
  PutDouble(&message, 1, value);
  PutKey(&message, Varint(2));
  PutVarint(&message, static_cast<uint64_t>(ts_ms));
  AddSeries(series, 2, message);
}

void SampleBatch::Add(const PackedLabels& series, int64_t ts_ms, double value,
                      const promql::FloatHistogramPtr& histogram) {
  if (histogram != nullptr) {
    AddSeries(series, 4, HistogramMessage(histogram->ToNative(), ts_ms));
    return;
  }
  AddFloat(series, ts_ms, std::isnan(value) ? std::bit_cast<double>(kNormalNanBits) : value);
}

void SampleBatch::AddStale(const PackedLabels& series, int64_t ts_ms) { AddFloat(series, ts_ms, StaleNan()); }

size_t SampleBatch::bytes() const {
  size_t bytes = 0;
  for (const std::string& body : bodies_) bytes += body.size();
  return bytes;
}

void SampleBatch::Clear() {
  bodies_.clear();
  samples_ = 0;
}

SampleWrite WriteSamples(MetricWritePath* writes, std::string_view tenant, const SampleBatch& batch) {
  SampleWrite result;
  result.refused = true;
  for (const std::string& bytes : batch.bodies()) {
    std::string body;
    snappy::Compress(bytes.data(), bytes.size(), &body);
    const MetricWriteOutcome outcome = writes->Write({.tenant = tenant,
                                                      .wire = MetricWire::kRemoteWrite,
                                                      .content_type = "application/x-protobuf",
                                                      .content_encoding = "snappy",
                                                      .body = body});
    result.written += outcome.samples_written + outcome.histograms_written;
    Status status = StatusOf(outcome);
    if (status.ok()) continue;
    if (status.code() != Code::kInvalidArgument) result.refused = false;
    // The one that may go away counts more than what is refused for good.
    if (result.status.ok() || status.code() != Code::kInvalidArgument) result.status = std::move(status);
  }
  if (result.status.ok()) result.refused = false;
  return result;
}

namespace {

Status PushLines(WritePath* writes, std::string_view tenant, std::string body) {
  body += "]}]}";
  PushRequest request;
  request.tenant = tenant;
  request.content_type = "application/json";
  request.body = body;
  PushOutcome outcome = writes->Push(request);
  // Whatever status clients are told: it is over some time.
  if (outcome.blocked_status != 0) return Unavailable(outcome.status.message());
  return std::move(outcome.status);
}

// Repeating the push would not help.
bool IsRefused(const Status& status) {
  return status.code() == Code::kInvalidArgument || status.code() == Code::kOutOfRange ||
         status.code() == Code::kTooLarge;
}

}  // namespace

LineWrite WriteLines(WritePath* writes, std::string_view tenant, std::string_view job,
                     const std::vector<TimedLine>& lines) {
  std::string head = "{\"streams\":[{\"stream\":{\"job\":";
  AppendJsonString(&head, job);
  head += "},\"values\":[";
  LineWrite result;
  while (result.done < lines.size()) {
    std::string body = head;
    size_t end = result.done;
    for (; end < lines.size() && body.size() < kRequestBytes; ++end) {
      if (end != result.done) body += ',';
      body += "[\"";
      AppendInt(&body, lines[end].ts_ms * kNsPerMs);
      body += "\",";
      AppendJsonString(&body, lines[end].line);
      body += ']';
    }
    Status status = PushLines(writes, tenant, std::move(body));
    const bool again = !status.ok() && !IsRefused(status);
    if (!status.ok()) result.status = std::move(status);
    if (again) return result;
    result.done = end;
  }
  return result;
}

void AppendReadableJsonString(std::string* out, std::string_view text) {
  std::string escaped;
  AppendJsonString(&escaped, text);
  // Only the three that HTML has trouble with differ; a backslash of the text itself is written as two.
  for (size_t i = 0; i < escaped.size(); ++i) {
    if (escaped[i] != '\\') {
      *out += escaped[i];
      continue;
    }
    const std::string_view code = std::string_view(escaped).substr(i, 6);
    const char plain = code == "\\u003c" ? '<' : code == "\\u003e" ? '>' : code == "\\u0026" ? '&' : '\0';
    if (plain != '\0') {
      *out += plain;
      i += 5;
    } else {
      out->append(escaped, i, 2);
      i += 1;
    }
  }
}

}  // namespace varve
