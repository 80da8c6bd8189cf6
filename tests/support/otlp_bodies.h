// OTLP requests in protobuf, field by field: what tests of OTLP send.
//
// Threads: pure functions.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/bytes.h"
#include "tests/support/push_bodies.h"

namespace varve::testing {

inline std::string Field(uint32_t number, std::string_view bytes) {
  std::string out;
  PutField(&out, number, bytes);
  return out;
}
inline std::string VarintField(uint32_t number, uint64_t value) {
  std::string out;
  PutVarint(&out, number << 3);
  PutVarint(&out, value);
  return out;
}
inline std::string Fixed64Field(uint32_t number, uint64_t value) {
  std::string out;
  PutVarint(&out, number << 3 | 1);
  PutFixed(&out, value);
  return out;
}
inline std::string Fixed32Field(uint32_t number, uint32_t value) {
  std::string out;
  PutVarint(&out, number << 3 | 5);
  PutFixed(&out, value);
  return out;
}

// AnyValue.
inline std::string StringValue(std::string_view text) { return Field(1, text); }
inline std::string BoolValue(bool value) { return VarintField(2, value ? 1 : 0); }
inline std::string IntValue(int64_t value) { return VarintField(3, static_cast<uint64_t>(value)); }
inline std::string DoubleValue(double value) { return Fixed64Field(4, std::bit_cast<uint64_t>(value)); }
inline std::string BytesValue(std::string_view bytes) { return Field(7, bytes); }
// `values` one after the other, each made by Field(1, …).
inline std::string ArrayValue(std::string_view values) { return Field(5, values); }
inline std::string MapValue(std::string_view values) { return Field(6, values); }

// KeyValue as field `number` of what holds it.
inline std::string Attribute(uint32_t number, std::string_view key, std::string_view value) {
  return Field(number, Field(1, key) + Field(2, value));
}
// An ExportLogsServiceRequest with one resource and one scope. `resource` holds attributes (field 1), `scope`
// the scope's fields, `record` those of the only record.
inline std::string OtlpRequest(std::string_view resource, std::string_view scope, std::string_view record) {
  return Field(1, Field(1, resource) + Field(2, Field(1, scope) + Field(2, record)));
}

}  // namespace varve::testing
