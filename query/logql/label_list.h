// Labels of a row by name: a vector, with a table over it once it is long.
//
// Rows usually have a dozen labels, where comparing hashes one after the other is fastest; a hostile line may
// have tens of thousands, where that would cost the square. Names are unique.
// Threads: thread-compatible; lookups extend the table.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace varve::logql {

enum class LabelCategory : uint8_t { kStream, kMetadata, kParsed };

struct RowLabel {
  std::string_view name;
  std::string_view value;
  LabelCategory category = LabelCategory::kStream;
  bool base = false;       // the stream's labels or the metadata hold this name
  bool extracted = false;  // a parser found it in the line
  uint32_t hash = 0;       // HashName(name)
};

class LabelList {
 public:
  const std::vector<RowLabel>& labels() const { return labels_; }
  bool empty() const { return labels_.empty(); }

  const RowLabel* Find(std::string_view name, uint32_t hash) const {
    // Most lookups of absent names stop here.
    if ((mask_ >> (hash & 63) & 1) == 0) return nullptr;
    return FindSlow(name, hash);
  }
  RowLabel* Find(std::string_view name, uint32_t hash) {
    const RowLabel* found = static_cast<const LabelList*>(this)->Find(name, hash);
    return found == nullptr ? nullptr : &labels_[static_cast<size_t>(found - labels_.data())];
  }
  // False: no label can have this hash.
  bool MayHold(uint32_t hash) const { return (mask_ >> (hash & 63) & 1) != 0; }

  // The name must not be there yet.
  void Append(const RowLabel& label) {
    labels_.push_back(label);
    mask_ |= 1ULL << (label.hash & 63);
  }
  void Assign(const LabelList& other) {
    labels_ = other.labels_;
    mask_ = other.mask_;
    indexed_ = 0;
  }
  void Clear() {
    labels_.clear();
    mask_ = 0;
    indexed_ = 0;
  }
  // Removes every label for which `drop(label)` is true, calling removed(label) for it.
  template <typename Predicate, typename Removed>
  void RemoveIf(Predicate drop, Removed removed) {
    size_t kept = 0;
    for (size_t i = 0; i < labels_.size(); ++i) {
      if (drop(labels_[i])) {
        removed(labels_[i]);
      } else {
        labels_[kept++] = labels_[i];
      }
    }
    if (kept == labels_.size()) return;
    labels_.resize(kept);
    indexed_ = 0;
  }

 private:
  // Above this many labels lookups use the table.
  static constexpr size_t kLinearMax = 24;

  const RowLabel* FindSlow(std::string_view name, uint32_t hash) const;
  void Index() const;

  std::vector<RowLabel> labels_;
  uint64_t mask_ = 0;  // bit (hash & 63) of every label, and perhaps of some that are gone
  // Open addressing, index + 1 a slot, 0 free; covers the first `indexed_` labels.
  mutable std::vector<uint32_t> table_;
  mutable size_t indexed_ = 0;
};

}  // namespace varve::logql
