// Which streams carry which label: name → value → stream ordinals, for one tenant.
//
// In memory only; rebuilt from the stream table at open (docs/architecture.md has the figures behind
// that choice, and behind plain sorted vectors instead of compressed bitmaps).
// Ordinals are handed out in ascending order, so appending keeps every list sorted.
// Threads: thread-compatible; StreamTable guards it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/append_batch.h"
#include "engine/model/labels.h"
#include "engine/model/matcher.h"

namespace varve {

class LabelIndex {
 public:
  using Ordinals = std::vector<StreamOrdinal>;  // ascending, unique
  using LabelsOf = std::function<const Labels&(StreamOrdinal)>;

  // `stream` is greater than any added before.
  void Add(StreamOrdinal stream, const Labels& labels);

  // The streams that every matcher accepts; all when there is none. `labels_of` resolves ordinals that
  // were added. Work: matchers with few candidates first; a regex runs once per distinct value of its
  // label, or once per remaining candidate where that is less.
  Ordinals Select(const std::vector<Matcher>& matchers, const LabelsOf& labels_of) const;

  size_t stream_count() const { return all_.size(); }
  // Heap bytes, roughly.
  size_t MemoryBytes() const;

 private:
  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  // Hashed: a label may have as many values as there are streams.
  using Values = std::unordered_map<std::string, Ordinals, TextHash, std::equal_to<>>;

  const Values* FindName(std::string_view name) const;
  // How many streams (for a lookup) or values (for a scan) a matcher makes us touch.
  struct Cost {
    bool is_lookup = false;
    size_t size = 0;
  };
  static Cost CostOf(const Values* values, const Matcher& matcher);
  // The streams whose value of the label (they have one) is accepted, or with `accepted` false, not.
  static Ordinals StreamsWhere(const Values& values, const Matcher& matcher, bool accepted);

  Ordinals all_;
  std::map<std::string, Values, std::less<>> names_;
};

}  // namespace varve
