#include "http/remote_read_message.h"

#include <snappy.h>

#include <array>
#include <bit>
#include <optional>
#include <utility>

#include "engine/base/bytes.h"
#include "ingest/message_cursor.h"

namespace varve {
namespace {

void PutTag(uint32_t field, WireType type, std::string* out) { PutVarint(out, Tag(field, type)); }

// Zero is what an absent field means.
void PutNumber(uint32_t field, uint64_t value, std::string* out) {
  if (value == 0) return;
  PutTag(field, WireType::kVarint, out);
  PutVarint(out, value);
}

void PutSint(uint32_t field, int64_t value, std::string* out) { PutNumber(field, ZigZag(value), out); }

void PutAnyDouble(uint32_t field, double value, std::string* out) {
  PutTag(field, WireType::kFixed64, out);
  PutFixed(out, value);
}

void PutDouble(uint32_t field, double value, std::string* out) {
  if (std::bit_cast<uint64_t>(value) != 0) PutAnyDouble(field, value, out);
}

void PutBytes(uint32_t field, std::string_view bytes, std::string* out) {
  PutTag(field, WireType::kBytes, out);
  PutLengthPrefixed(out, bytes);
}

void PutDoubles(uint32_t field, const std::vector<double>& values, std::string* out) {
  if (values.empty()) return;
  PutTag(field, WireType::kBytes, out);
  PutVarint(out, values.size() * sizeof(double));
  for (const double value : values) PutFixed(out, value);
}

void PutSints(uint32_t field, const std::vector<int64_t>& values, std::string* out) {
  if (values.empty()) return;
  std::string packed;
  for (const int64_t value : values) PutVarint(&packed, ZigZag(value));
  PutBytes(field, packed, out);
}

void PutSpans(uint32_t field, const std::vector<BucketSpan>& spans, std::string* out) {
  for (const BucketSpan& span : spans) {
    std::string message;
    PutSint(1, span.offset, &message);
    PutNumber(2, span.length, &message);
    PutBytes(field, message, out);
  }
}

void PutLabels(const PackedLabels& labels, std::string* out) {
  std::string message;
  for (const LabelView& label : labels) {
    message.clear();
    PutBytes(1, label.name, &message);
    PutBytes(2, label.value, &message);
    PutBytes(1, message, out);
  }
}

std::string HistogramMessage(const HistogramSample& sample) {
  const NativeHistogram& h = *sample.histogram;
  std::string out;
  if (h.is_float) {
    PutAnyDouble(2, h.float_count, &out);
  } else {
    PutTag(1, WireType::kVarint, &out);
    PutVarint(&out, h.count);
  }
  PutDouble(3, h.sum, &out);
  PutSint(4, h.schema, &out);
  PutDouble(5, h.zero_threshold, &out);
  if (h.is_float) {
    PutAnyDouble(7, h.float_zero_count, &out);
  } else {
    PutTag(6, WireType::kVarint, &out);
    PutVarint(&out, h.zero_count);
  }
  PutSpans(8, h.negative_spans, &out);
  PutSints(9, h.negative_deltas, &out);
  PutDoubles(10, h.negative_counts, &out);
  PutSpans(11, h.positive_spans, &out);
  PutSints(12, h.positive_deltas, &out);
  PutDoubles(13, h.positive_counts, &out);
  PutNumber(14, static_cast<uint64_t>(h.hint), &out);
  PutNumber(15, static_cast<uint64_t>(sample.ts_ms), &out);
  PutDoubles(16, h.custom_values, &out);
  return out;
}

Result<Matcher> DecodeMatcher(std::string_view bytes) {
  MessageCursor cursor(bytes);
  uint64_t type = 0;
  std::string_view name;
  std::string_view value;
  while (!cursor.AtEnd()) {
    const uint64_t tag = cursor.Varint();
    if (tag == Tag(1, WireType::kVarint)) {
      type = cursor.Varint();
    } else if (tag == Tag(2, WireType::kBytes)) {
      name = cursor.Bytes();
    } else if (tag == Tag(3, WireType::kBytes)) {
      value = cursor.Bytes();
    } else {
      VARVE_RETURN_IF_ERROR(SkipUnknownField(&cursor, tag, FieldsUpTo(3), "LabelMatcher"));
    }
  }
  if (!cursor.ok()) return MalformedMessage("LabelMatcher");
  constexpr std::array<MatchOp, 4> kOps = {MatchOp::kEqual, MatchOp::kNotEqual, MatchOp::kRegexMatch,
                                           MatchOp::kRegexNotMatch};
  if (type >= kOps.size()) return InvalidArgument("invalid matcher type");
  return Matcher::Create(std::string(name), kOps[type], std::string(value));
}

Result<RemoteReadQuery> DecodeQuery(std::string_view bytes, size_t* matchers_left) {
  MessageCursor cursor(bytes);
  RemoteReadQuery query;
  query.range = {0, 0};
  while (!cursor.AtEnd()) {
    const uint64_t tag = cursor.Varint();
    if (tag == Tag(1, WireType::kVarint)) {
      query.range.min_ms = static_cast<int64_t>(cursor.Varint());
    } else if (tag == Tag(2, WireType::kVarint)) {
      query.range.max_ms = static_cast<int64_t>(cursor.Varint());
    } else if (tag == Tag(3, WireType::kBytes)) {
      if (*matchers_left == 0) return InvalidArgument("too many matchers");
      --*matchers_left;
      VARVE_ASSIGN_OR_RETURN(Matcher matcher, DecodeMatcher(cursor.Bytes()));
      query.matchers.push_back(std::move(matcher));
    } else if (tag == Tag(4, WireType::kBytes)) {
      cursor.Bytes();  // hints
    } else {
      VARVE_RETURN_IF_ERROR(SkipUnknownField(&cursor, tag, FieldsUpTo(4), "Query"));
    }
  }
  if (!cursor.ok()) return MalformedMessage("Query");
  return query;
}

// The first of the types in `numbers` that there is, if none has been found yet.
void TakeType(uint64_t number, std::optional<ReadResponseType>* type) {
  if (!type->has_value() && number <= static_cast<uint64_t>(ReadResponseType::kStreamedXorChunks)) {
    *type = static_cast<ReadResponseType>(number);
  }
}

constexpr std::array<uint32_t, 256> kCrcTable = [] {
  constexpr uint32_t kPolynomial = 0x82f63b78;  // reversed
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < table.size(); ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ kPolynomial : crc >> 1;
    table[i] = crc;
  }
  return table;
}();

}  // namespace

Result<RemoteReadRequest> DecodeRemoteRead(std::string_view body) {
  size_t size = 0;
  if (!snappy::GetUncompressedLength(body.data(), body.size(), &size)) {
    return InvalidArgument("snappy: corrupt input");
  }
  if (size > kRemoteReadBytesMax) {
    return InvalidArgument("snappy: decoded length " + std::to_string(size) + " exceeds limit " +
                           std::to_string(kRemoteReadBytesMax));
  }
  // Snappy gains at most 21 times; who claims more lies.
  constexpr size_t kGainMax = 64;
  std::string plain;
  if (size > kGainMax * (body.size() + 1) || !snappy::Uncompress(body.data(), body.size(), &plain)) {
    return InvalidArgument("snappy: corrupt input");
  }
  RemoteReadRequest request;
  MessageCursor cursor(plain);
  std::optional<ReadResponseType> type;
  bool any_type = false;
  size_t matchers_left = kRemoteReadMatchersMax;
  while (!cursor.AtEnd()) {
    const uint64_t tag = cursor.Varint();
    if (tag == Tag(1, WireType::kBytes)) {
      if (request.queries.size() == kRemoteReadQueriesMax) return InvalidArgument("too many queries");
      VARVE_ASSIGN_OR_RETURN(RemoteReadQuery query, DecodeQuery(cursor.Bytes(), &matchers_left));
      request.queries.push_back(std::move(query));
    } else if (tag == Tag(2, WireType::kVarint)) {
      TakeType(cursor.Varint(), &type);
      any_type = true;
    } else if (tag == Tag(2, WireType::kBytes)) {
      for (MessageCursor packed(cursor.Bytes()); packed.ok() && !packed.AtEnd();) {
        TakeType(packed.Varint(), &type);
        any_type = true;
      }
    } else {
      VARVE_RETURN_IF_ERROR(SkipUnknownField(&cursor, tag, FieldsUpTo(2), "ReadRequest"));
    }
  }
  if (!cursor.ok()) return MalformedMessage("ReadRequest");
  if (any_type && !type.has_value()) {
    return InvalidArgument("server does not support any of the requested response types; "
                           "supported: SAMPLES, STREAMED_XOR_CHUNKS");
  }
  request.type = type.value_or(ReadResponseType::kSamples);
  return request;
}

void AppendTimeSeries(const PackedLabels& labels, const SeriesSamples& samples, std::string* out) {
  std::string series;
  PutLabels(labels, &series);
  std::string message;
  for (size_t i = 0; i < samples.floats.size(); ++i) {
    message.clear();
    PutDouble(1, samples.floats[i], &message);
    PutNumber(2, static_cast<uint64_t>(samples.float_ts_ms[i]), &message);
    PutBytes(2, message, &series);
  }
  for (const HistogramSample& sample : samples.histograms) PutBytes(4, HistogramMessage(sample), &series);
  PutBytes(1, series, out);
}

void AppendQueryResult(std::string_view time_series, std::string* out) { PutBytes(1, time_series, out); }

std::string CompressSnappy(std::string_view plain) {
  std::string out;
  snappy::Compress(plain.data(), plain.size(), &out);
  return out;
}

void AppendChunkFrame(const PackedLabels& labels, const std::vector<ReadChunk>& chunks, size_t begin, size_t end,
                      uint64_t query_index, std::string* out) {
  std::string series;
  PutLabels(labels, &series);
  std::string message;
  for (size_t i = begin; i < end; ++i) {
    message.clear();
    PutNumber(1, static_cast<uint64_t>(chunks[i].min_ms), &message);
    PutNumber(2, static_cast<uint64_t>(chunks[i].max_ms), &message);
    PutNumber(3, static_cast<uint64_t>(chunks[i].encoding), &message);
    PutBytes(4, chunks[i].data, &message);
    PutBytes(2, message, &series);
  }
  std::string response;
  PutBytes(1, series, &response);
  PutNumber(2, query_index, &response);
  PutVarint(out, response.size());
  PutBigEndian32(out, Crc32c(response));
  out->append(response);
}

uint32_t Crc32c(std::string_view bytes) {
  uint32_t crc = ~uint32_t{0};
  for (const char c : bytes) crc = crc >> 8 ^ kCrcTable[(crc ^ static_cast<uint8_t>(c)) & 0xff];
  return ~crc;
}

}  // namespace varve
