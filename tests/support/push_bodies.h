// Push requests as data, and their two wire forms: what tests of ingest send.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <snappy.h>

#include "engine/base/bytes.h"
#include "engine/base/time.h"
#include "engine/model/labels.h"

namespace varve::testing {

struct PushEntry {
  int64_t ts_ns = 0;
  std::string line;
  std::vector<std::pair<std::string, std::string>> metadata;
};

struct PushStream {
  std::vector<Label> labels;
  std::vector<PushEntry> entries;
};

inline void PutField(std::string* out, uint32_t number, std::string_view bytes) {
  PutVarint(out, number << 3 | 2);
  PutLengthPrefixed(out, bytes);
}

inline std::string LabelTextOf(const std::vector<Label>& labels) {
  std::string text = "{";
  for (const Label& label : labels)
    text += (text.size() > 1 ? ", " : "") + label.name + "=" + GoQuoted(label.value);
  return text + "}";
}

inline std::string ProtobufEntry(const PushEntry& entry) {
  std::string stamp;
  int64_t seconds = entry.ts_ns / kNsPerSecond;
  int64_t nanos = entry.ts_ns % kNsPerSecond;
  if (nanos < 0) {
    nanos += kNsPerSecond;
    --seconds;
  }
  stamp += '\x08';
  PutVarint(&stamp, static_cast<uint64_t>(seconds));
  if (nanos != 0) {
    stamp += '\x10';
    PutVarint(&stamp, static_cast<uint64_t>(nanos));
  }
  std::string out;
  PutField(&out, 1, stamp);
  PutField(&out, 2, entry.line);
  for (const auto& [name, value] : entry.metadata) {
    std::string pair;
    PutField(&pair, 1, name);
    PutField(&pair, 2, value);
    PutField(&out, 3, pair);
  }
  return out;
}

inline std::string ProtobufStream(const std::string& label_text, const std::vector<PushEntry>& entries) {
  std::string out;
  PutField(&out, 1, label_text);
  for (const PushEntry& entry : entries) PutField(&out, 2, ProtobufEntry(entry));
  return out;
}

// Not compressed.
inline std::string ProtobufBody(const std::vector<PushStream>& streams) {
  std::string out;
  for (const PushStream& stream : streams)
    PutField(&out, 1, ProtobufStream(LabelTextOf(stream.labels), stream.entries));
  return out;
}

inline std::string Snappy(std::string_view bytes) {
  std::string out;
  snappy::Compress(bytes.data(), bytes.size(), &out);
  return out;
}

inline std::string JsonString(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    char escape[8];
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<uint8_t>(c) < 0x20) {
      std::snprintf(escape, sizeof(escape), "\\u%04x", c);
      out += escape;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

inline std::string JsonBody(const std::vector<PushStream>& streams) {
  std::string out = R"({"streams":[)";
  const auto comma = [&](bool* first) {
    if (!*first) out += ",";
    *first = false;
  };
  bool first_stream = true;
  for (const PushStream& stream : streams) {
    comma(&first_stream);
    out += R"({"stream":{)";
    bool first = true;
    for (const Label& label : stream.labels) {
      comma(&first);
      out += JsonString(label.name) + ":" + JsonString(label.value);
    }
    out += R"(},"values":[)";
    first = true;
    for (const PushEntry& entry : stream.entries) {
      comma(&first);
      out += "[\"" + std::to_string(entry.ts_ns) + "\"," + JsonString(entry.line);
      if (!entry.metadata.empty()) {
        out += ",{";
        bool first_pair = true;
        for (const auto& [name, value] : entry.metadata) {
          comma(&first_pair);
          out += JsonString(name) + ":" + JsonString(value);
        }
        out += "}";
      }
      out += "]";
    }
    out += "]}";
  }
  return out + "]}";
}

}  // namespace varve::testing
