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
  PutKey(&body_, Length(1));
  PutVarint(&body_, size);
  for (const LabelView& label : series) {
    PutKey(&body_, Length(1));
    PutVarint(&body_, label_size(label));
    PutKey(&body_, Length(1));
    PutLengthPrefixed(&body_, label.name);
    PutKey(&body_, Length(2));
    PutLengthPrefixed(&body_, label.value);
  }
  PutKey(&body_, Length(field));
  PutLengthPrefixed(&body_, message);
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

void SampleBatch::Clear() {
  body_.clear();
  samples_ = 0;
}

SampleWrite WriteSamples(MetricWritePath* writes, std::string_view tenant, const SampleBatch& batch) {
  std::string body;
  snappy::Compress(batch.body().data(), batch.body().size(), &body);
  const MetricWriteOutcome outcome = writes->Write({.tenant = tenant,
                                                    .wire = MetricWire::kRemoteWrite,
                                                    .content_type = "application/x-protobuf",
                                                    .content_encoding = "snappy",
                                                    .body = body});
  SampleWrite result;
  result.written = outcome.samples_written + outcome.histograms_written;
  result.status = StatusOf(outcome);
  result.refused = result.status.code() == Code::kInvalidArgument;
  return result;
}

Status WriteLines(WritePath* writes, std::string_view tenant, std::string_view job,
                  const std::vector<TimedLine>& lines) {
  if (lines.empty()) return Status::Ok();
  std::string body = "{\"streams\":[{\"stream\":{\"job\":";
  AppendJsonString(&body, job);
  body += "},\"values\":[";
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i != 0) body += ',';
    body += "[\"";
    AppendInt(&body, lines[i].ts_ms * kNsPerMs);
    body += "\",";
    AppendJsonString(&body, lines[i].line);
    body += ']';
  }
  body += "]}]}";
  PushRequest request;
  request.tenant = tenant;
  request.content_type = "application/json";
  request.body = body;
  return std::move(writes->Push(request).status);
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
