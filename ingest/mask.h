// limits.mask: regular expressions whose matches are replaced in what is pushed, so that secrets never reach disk.
//
//   mask:
//     - regex: '(password|token)=\S+'       # RE2; what it matches is replaced, all of it
//       replacement: '$1=****'              # $1, ${1}, ${name}: a group; $$: a dollar sign
//
// Rules are applied in their order, each to what the one before left. One pass over all expressions at once decides
// whether a text has to be looked at more closely: nearly every text ends there.
// Threads: immutable after construction, thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"

namespace varve {

struct MaskRule {
  std::string regex;
  std::string replacement = "****";
  bool operator==(const MaskRule&) const = default;
};

struct MaskCounts {
  uint64_t entries = 0;       // lines that were changed
  uint64_t values = 0;        // values of structured metadata that were
  uint64_t replacements = 0;  // in both
};

class LineMask {
 public:
  static constexpr size_t kRulesMax = 100;
  static constexpr size_t kRegexBytesMax = 4096;
  static constexpr size_t kReplacementBytesMax = 1024;

  // kInvalidArgument: a bad expression, one that matches the empty text, a group that is not there, too many or too
  // long ones; says which.
  static Result<std::shared_ptr<const LineMask>> Compile(std::vector<MaskRule> rules);

  // For Compile.
  struct Impl;
  explicit LineMask(std::unique_ptr<const Impl> impl);
  ~LineMask();
  LineMask(const LineMask&) = delete;
  LineMask& operator=(const LineMask&) = delete;

  const std::vector<MaskRule>& rules() const;

  // Whether a rule may have something to replace in `text`, which is valid UTF-8.
  bool MayChange(std::string_view text) const;
  // Replaces: *out is the result, the value how many replacements were made. nullopt: the result would be larger than
  // `size_max` bytes.
  std::optional<uint64_t> Replace(std::string_view text, size_t size_max, std::string* out) const;

 private:
  const std::unique_ptr<const Impl> impl_;
};

}  // namespace varve
