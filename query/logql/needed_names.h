// Which label names the parsers of a pipeline have to extract ("parser hints" in Loki).
//
// Everything for log queries; for metric queries the group labels plus the names that filters, formatters
// and unwrap of the pipeline itself read.
// Threads: immutable after construction, share freely.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "query/logql/row_labels.h"

namespace varve::logql {

class NeededNames {
 public:
  static NeededNames All() {
    NeededNames needed;
    needed.all_ = true;
    return needed;
  }
  static NeededNames Only(const std::vector<std::string>& names) {
    NeededNames needed;
    for (const std::string& name : names) needed.Add(name);
    return needed;
  }

  bool all() const { return all_; }
  // Nothing at all: parsers are skipped and raise no errors.
  bool none() const { return !all_ && names_.empty(); }
  // Whether a parser may stop once every name was found. Not when errors are looked at.
  bool may_stop_early() const { return !all_ && !errors_; }

  bool Contains(const RowLabels::Target& target) const {
    if (all_) return true;
    if ((mask_ >> (target.hash & 63) & 1) == 0) return false;
    for (const Name& name : names_) {
      if (name.hash == target.hash && name.text == target.name) return true;
    }
    return false;
  }
  // Whether some needed name is, or may start with, `prefix`: else nested objects can be skipped.
  bool AnyBelow(std::string_view prefix) const {
    if (all_) return true;
    for (const Name& name : names_) {
      if (std::string_view(name.text).starts_with(prefix)) return true;
    }
    return false;
  }
  // Needed names that a parser could still extract from this row.
  size_t CountMissing(const RowLabels& labels) const {
    size_t missing = 0;
    for (const Name& name : names_) {
      if (labels.WasExtracted({name.text, name.hash, false})) continue;
      // A base name is extracted under another name; only with the suffix may it be a target all the same.
      if (labels.HasBase(name.text) && !name.text.ends_with(kExtractedSuffix)) continue;
      ++missing;
    }
    return missing;
  }

 private:
  struct Name {
    std::string text;
    uint32_t hash = 0;
  };
  void Add(const std::string& name) {
    for (const Name& known : names_) {
      if (known.text == name) return;
    }
    if (name == kErrorLabel || name == kErrorDetailsLabel) errors_ = true;
    const uint32_t hash = HashName(name);
    names_.push_back({name, hash});
    mask_ |= 1ULL << (hash & 63);
  }

  bool all_ = false;
  bool errors_ = false;
  std::vector<Name> names_;
  uint64_t mask_ = 0;
};

}  // namespace varve::logql
