// Remote write requests for tests, made by hand.
//
// Ownership: values.
#pragma once

#include <snappy.h>

#include <bit>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/model/native_histogram.h"

namespace varve::testing {

using LabelPairs = std::vector<std::pair<std::string, std::string>>;

struct RwSample {
  int64_t ts_ms = 0;
  double value = 0;
  int64_t start_ms = 0;
};
struct RwExemplar {
  LabelPairs labels;
  double value = 0;
  int64_t ts_ms = 0;
};
struct RwHistogram {
  int64_t ts_ms = 0;
  NativeHistogram histogram;
  int64_t start_ms = 0;
};
struct RwMetadata {
  std::string metric;  // of 2.0: unused
  int type = 0;
  std::string help;
  std::string unit;
};
struct RwSeries {
  LabelPairs labels;
  std::vector<RwSample> samples;
  std::vector<RwExemplar> exemplars = {};
  std::vector<RwHistogram> histograms = {};
  RwMetadata metadata = {};  // of 2.0
};

inline std::string Snapped(std::string_view bytes) {
  std::string out;
  snappy::Compress(bytes.data(), bytes.size(), &out);
  return out;
}

// One message, field by field.
class ProtoWriter {
 public:
  ProtoWriter& Bytes(uint32_t field, std::string_view bytes) {
    PutVarint(&out_, field << 3 | 2);
    PutLengthPrefixed(&out_, bytes);
    return *this;
  }
  ProtoWriter& Number(uint32_t field, uint64_t value) {
    if (value == 0) return *this;
    PutVarint(&out_, field << 3);
    PutVarint(&out_, value);
    return *this;
  }
  ProtoWriter& Double(uint32_t field, double value) {
    PutVarint(&out_, field << 3 | 1);
    PutFixed(&out_, std::bit_cast<uint64_t>(value));
    return *this;
  }
  ProtoWriter& Fixed64(uint32_t field, uint64_t value) {
    PutVarint(&out_, field << 3 | 1);
    PutFixed(&out_, value);
    return *this;
  }
  const std::string& str() const { return out_; }

 private:
  std::string out_;
};

inline std::string SpansMessage(const BucketSpan& span) {
  return ProtoWriter().Number(1, ZigZag(span.offset)).Number(2, span.length).str();
}

inline std::string HistogramMessage(const RwHistogram& item) {
  const NativeHistogram& h = item.histogram;
  ProtoWriter out;
  const auto deltas = [](const std::vector<int64_t>& values) {
    std::string packed;
    for (const int64_t value : values) PutSignedVarint(&packed, value);
    return packed;
  };
  const auto counts = [](const std::vector<double>& values) {
    std::string packed;
    for (const double value : values) PutFixed(&packed, value);
    return packed;
  };
  if (h.is_float) {
    out.Double(2, h.float_count);
  } else {
    out.Number(1, h.count);
  }
  out.Double(3, h.sum).Number(4, ZigZag(h.schema)).Double(5, h.zero_threshold);
  if (h.is_float) {
    out.Double(7, h.float_zero_count);
  } else {
    out.Number(6, h.zero_count);
  }
  for (const BucketSpan& span : h.negative_spans) out.Bytes(8, SpansMessage(span));
  if (!h.negative_deltas.empty()) out.Bytes(9, deltas(h.negative_deltas));
  if (!h.negative_counts.empty()) out.Bytes(10, counts(h.negative_counts));
  for (const BucketSpan& span : h.positive_spans) out.Bytes(11, SpansMessage(span));
  if (!h.positive_deltas.empty()) out.Bytes(12, deltas(h.positive_deltas));
  if (!h.positive_counts.empty()) out.Bytes(13, counts(h.positive_counts));
  out.Number(14, static_cast<uint64_t>(h.hint)).Number(15, static_cast<uint64_t>(item.ts_ms));
  if (!h.custom_values.empty()) out.Bytes(16, counts(h.custom_values));
  out.Number(17, static_cast<uint64_t>(item.start_ms));
  return out.str();
}

// prometheus.WriteRequest, not compressed.
inline std::string RemoteWrite1Body(const std::vector<RwSeries>& series, const std::vector<RwMetadata>& metadata = {}) {
  const auto add_labels = [](const LabelPairs& labels, ProtoWriter* out) {
    for (const auto& [name, value] : labels) out->Bytes(1, ProtoWriter().Bytes(1, name).Bytes(2, value).str());
  };
  ProtoWriter request;
  for (const RwSeries& one : series) {
    ProtoWriter out;
    add_labels(one.labels, &out);
    for (const RwSample& s : one.samples) {
      out.Bytes(2, ProtoWriter().Double(1, s.value).Number(2, static_cast<uint64_t>(s.ts_ms)).str());
    }
    for (const RwExemplar& e : one.exemplars) {
      ProtoWriter exemplar;
      add_labels(e.labels, &exemplar);
      out.Bytes(3, exemplar.Double(2, e.value).Number(3, static_cast<uint64_t>(e.ts_ms)).str());
    }
    for (const RwHistogram& h : one.histograms) out.Bytes(4, HistogramMessage(h));
    request.Bytes(1, out.str());
  }
  for (const RwMetadata& m : metadata) {
    request.Bytes(3, ProtoWriter()
                         .Number(1, static_cast<uint64_t>(m.type))
                         .Bytes(2, m.metric)
                         .Bytes(4, m.help)
                         .Bytes(5, m.unit)
                         .str());
  }
  return request.str();
}

// io.prometheus.write.v2.Request, not compressed.
inline std::string RemoteWrite2Body(const std::vector<RwSeries>& series) {
  std::vector<std::string> symbols = {""};
  std::map<std::string, uint64_t> numbers = {{"", 0}};
  const auto number = [&](const std::string& text) {
    const auto [at, added] = numbers.try_emplace(text, symbols.size());
    if (added) symbols.push_back(text);
    return at->second;
  };
  const auto refs = [&](const LabelPairs& labels) {
    std::string packed;
    for (const auto& [name, value] : labels) {
      PutVarint(&packed, number(name));
      PutVarint(&packed, number(value));
    }
    return packed;
  };
  ProtoWriter body;
  for (const RwSeries& one : series) {
    ProtoWriter out;
    out.Bytes(1, refs(one.labels));
    for (const RwSample& s : one.samples) {
      out.Bytes(2, ProtoWriter()
                       .Double(1, s.value)
                       .Number(2, static_cast<uint64_t>(s.ts_ms))
                       .Number(3, static_cast<uint64_t>(s.start_ms))
                       .str());
    }
    for (const RwHistogram& h : one.histograms) out.Bytes(3, HistogramMessage(h));
    for (const RwExemplar& e : one.exemplars) {
      out.Bytes(4, ProtoWriter()
                       .Bytes(1, refs(e.labels))
                       .Double(2, e.value)
                       .Number(3, static_cast<uint64_t>(e.ts_ms))
                       .str());
    }
    out.Bytes(5, ProtoWriter()
                     .Number(1, static_cast<uint64_t>(one.metadata.type))
                     .Number(3, number(one.metadata.help))
                     .Number(4, number(one.metadata.unit))
                     .str());
    body.Bytes(5, out.str());
  }
  ProtoWriter request;
  for (const std::string& symbol : symbols) request.Bytes(4, symbol);
  return request.str() + body.str();
}

}  // namespace varve::testing
