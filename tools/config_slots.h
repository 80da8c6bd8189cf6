// The kinds of values in a configuration: where one lives, how it is read from YAML and printed back.
//
// A slot points into a Config; whoever holds slots keeps the Config alive. Errors: kInvalidArgument saying
// what is wrong with the value, not where it stands.
// Threads: thread-compatible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/base/status.h"
#include "engine/options.h"
#include "engine/retention_policy.h"
#include "ingest/mask.h"
#include "ingest/otlp_config.h"
#include "query/exec/query.h"

namespace YAML {
class Node;
}

namespace varve {

struct Flag {
  bool* value;
};
struct Text {
  std::string* value;
};
struct TextList {
  std::vector<std::string>* value;
};
struct Choice {
  std::string* value;
  std::vector<std::string_view> choices;
};
struct DurabilityChoice {
  Durability* value;
};
struct Port {
  uint16_t* value;
};
struct Count {
  uint32_t* value;
};
struct CountSize {
  size_t* value;
};
struct Real {
  double* value;
};
struct Bytes {
  int64_t* value;
};
struct Bytes32 {
  uint32_t* value;
};
struct BytesSize {
  size_t* value;
};
struct DurationMs {
  int64_t* value;
};
struct DurationNs {
  int64_t* value;
};
// An instant, RFC 3339; 0 (printed as "") is none.
struct InstantNs {
  int64_t* value;
};
// [{selector: '{app="a"}', priority: 1, period: 24h}, …]
struct RetentionStreams {
  std::vector<RetentionStream>* value;
};
// [{pattern: 'rate(…)', regex: false, types: [metric], hash: 0}, …]
struct BlockedQueries {
  std::vector<BlockedQuery>* value;
};
// [{regex: 'token=\\S+', replacement: 'token=****'}, …]
struct Masks {
  std::shared_ptr<const LineMask>* value;
};
// {resource_attributes: {…}, scope_attributes: […], log_attributes: […], severity_text_as_label: false}
struct OtlpSettings {
  OtlpConfig* value;
};
// {name: text, …}
struct TextMap {
  std::map<std::string, std::string, std::less<>>* value;
};
// URLs, comma-separated; passwords in them are not printed.
struct Urls {
  std::string* value;
};
// A part of the file that has a parser of its own: its text, behind as many empty lines as stand above it in the file, so
// that the parser's line numbers are the file's.
struct YamlSection {
  std::string text;  // empty: not there
  std::string file;  // for the parser's errors
};
// Only a whole top-level key of a file (or --set) can be one. Passwords in it are not printed.
struct Section {
  YamlSection* value;
  std::string_view none;  // how "not there" is printed: {} or []
};
using Slot = std::variant<Flag, Text, TextList, Choice, DurabilityChoice, Port, Count, CountSize, Real, Bytes,
                          Bytes32, BytesSize, DurationMs, DurationNs, InstantNs, RetentionStreams,
                          BlockedQueries, Masks, OtlpSettings, TextMap, Urls, Section>;

// Reads `node` into the slot; after an error the slot is as it was. A Section is read by whoever has the file's text.
Status ReadSlot(const YAML::Node& node, const Slot& slot);
// As a YAML value that ReadSlot takes, on one line.
std::string PrintSlot(const Slot& slot);

// The type std::from_chars reads, in full; the text of the error names the bounds.
Status ReadPort(const std::string& text, uint16_t* port);

}  // namespace varve
