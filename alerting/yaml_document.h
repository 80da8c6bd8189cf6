// YAML text as a tree with line numbers, for files that people write.
//
// Strict where yaml-cpp is not: a key that stands twice in a map, a map as a key, and bytes that are not UTF-8 are
// errors. Aliases and merge keys (`<<: *defaults`) are expanded, so the tree has no sharing; what it may grow to
// is bounded, as are depth and size of the text. Only the first document of the text is read.
// Errors: kInvalidArgument, `name:line: what`.
// Threads: pure function; nodes are values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"

namespace varve {

inline constexpr size_t kYamlBytesMax = 16 << 20;
inline constexpr size_t kYamlDepthMax = 64;
// Of [ ] { } and commas in the text: yaml-cpp keeps some 250 bytes for each until a list or map in brackets ends.
inline constexpr size_t kYamlFlowMarksMax = 500'000;
inline constexpr size_t kYamlNodesMax = 2'000'000;          // aliases expanded
inline constexpr size_t kYamlExpandedBytesMax = 64 << 20;   // of scalars, aliases expanded

struct YamlNode {
  enum class Kind : uint8_t { kNull, kScalar, kSequence, kMap };
  Kind kind = Kind::kNull;
  bool plain = false;  // a scalar without quotes
  uint32_t line = 0;   // from 1
  std::string text;    // of a scalar
  std::vector<YamlNode> items;  // of a sequence; of a map: its values
  std::vector<YamlNode> keys;   // of a map: scalars, as many as items

  bool is_null() const { return kind == Kind::kNull; }
  bool is_scalar() const { return kind == Kind::kScalar; }
  bool is_sequence() const { return kind == Kind::kSequence; }
  bool is_map() const { return kind == Kind::kMap; }
  // The value of a map's key, or null.
  const YamlNode* Find(std::string_view key) const;
};
// "a list", "a map"… for errors.
std::string_view YamlKindName(const YamlNode& node);

struct YamlDocument {
  YamlNode root;              // kNull: the text is empty
  bool more_documents = false;  // behind the first
};

// `first_line` is the number of the text's first line, for text that is part of a file.
Result<YamlDocument> ParseYaml(std::string_view text, std::string_view name, uint32_t first_line = 1);

}  // namespace varve
