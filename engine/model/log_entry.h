// What a log entry is made of, and the encoded form of its structured metadata.
//
// Metadata travels as one byte string: for each pair, varint length + name, varint length + value, in
// ascending order of name; names unique, values not empty. "" means no metadata. Two entries of a
// stream are the same entry when timestamp, line and these bytes are equal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/bytes.h"

namespace varve {

// Views into a buffer that someone else owns.
struct LogEntryView {
  int64_t ts_ns = 0;
  std::string_view line;
  std::string_view metadata;  // encoded, see above
};

using MetadataPair = std::pair<std::string_view, std::string_view>;  // name, value

// Sorts `pairs` by name and appends their encoded form. Names must be unique, values not empty.
void EncodeMetadata(std::vector<MetadataPair>* pairs, std::string* out);

// Calls fn(name, value) for each pair of encoded metadata. False when the bytes are malformed.
template <typename Fn>
bool ForEachMetadata(std::string_view encoded, Fn&& fn) {
  ByteReader reader(encoded);
  while (reader.remaining() != 0) {
    const std::string_view name = reader.LengthPrefixed();
    const std::string_view value = reader.LengthPrefixed();
    if (!reader.ok()) return false;
    fn(name, value);
  }
  return true;
}

}  // namespace varve
