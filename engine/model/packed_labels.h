// A label set in one piece of memory: Labels::Canonical() bytes. What PromQL and the metric store pass around.
//
// Ascending by name, names unique, values not empty; any bytes are allowed (validity is checked on receipt).
// The same bytes mean the same set. Order (operator<=>) is that of Prometheus: label by label, name before value,
// and a set that is a prefix of another comes first.
// Threads: a value type.
#pragma once

#include <compare>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/labels.h"

namespace varve {

inline constexpr std::string_view kMetricName = "__name__";

struct LabelView {
  std::string_view name;
  std::string_view value;
  bool operator==(const LabelView&) const = default;
};

class PackedLabels {
 public:
  PackedLabels() = default;
  // `bytes` are canonical.
  static PackedLabels FromCanonical(std::string bytes);
  static PackedLabels FromLabels(const Labels& labels);
  // Sorts; drops empty values. Names must be unique.
  static PackedLabels FromUnsorted(std::vector<LabelView> labels);

  class Iterator {
   public:
    using value_type = LabelView;
    using difference_type = std::ptrdiff_t;
    using pointer = const LabelView*;
    using reference = const LabelView&;
    using iterator_category = std::forward_iterator_tag;
    Iterator() = default;
    Iterator(const char* at, const char* end);
    const LabelView& operator*() const { return label_; }
    const LabelView* operator->() const { return &label_; }
    Iterator& operator++();
    void operator++(int) { ++*this; }
    bool operator==(const Iterator& other) const { return at_ == other.at_; }

   private:
    void Read();
    const char* at_ = nullptr;    // where label_ begins
    const char* next_ = nullptr;  // behind it
    const char* end_ = nullptr;
    LabelView label_;
  };
  Iterator begin() const { return {bytes_.data(), bytes_.data() + bytes_.size()}; }
  Iterator end() const { return {bytes_.data() + bytes_.size(), bytes_.data() + bytes_.size()}; }

  // "" when there is no such label. Valid as long as this object is not changed.
  std::string_view Get(std::string_view name) const;
  bool Has(std::string_view name) const { return !Get(name).empty(); }
  std::string_view metric_name() const { return Get(kMetricName); }
  bool empty() const { return bytes_.empty(); }
  size_t size() const;  // labels; counts them
  const std::string& canonical() const { return bytes_; }
  uint64_t Hash() const;  // xxh3
  // `name{a="b", c="d"}`, `{…}` without a name, `{}` when empty: as one writes a series.
  std::string ToString() const;
  // `{__name__="name", a="b"}`: Prometheus's Labels.String(), as its errors quote series.
  std::string ToBracedString() const;
  Labels ToLabels() const;

  bool operator==(const PackedLabels&) const = default;
  std::strong_ordering operator<=>(const PackedLabels& other) const;

 private:
  std::string bytes_;
};

struct PackedLabelsHash {
  size_t operator()(const PackedLabels& labels) const { return labels.Hash(); }
};

// Changes a label set: Set and Delete in any order, then Build. Reusable by Reset.
class PackedLabelsBuilder {
 public:
  PackedLabelsBuilder() = default;
  explicit PackedLabelsBuilder(const PackedLabels& base) { Reset(base); }
  void Reset(const PackedLabels& base);
  // An empty value deletes.
  void Set(std::string_view name, std::string_view value);
  void Delete(std::string_view name);
  // Only these names stay, or none of these; `names` ascending.
  void Keep(std::span<const std::string> names);
  void Drop(std::span<const std::string> names);
  std::string_view Get(std::string_view name) const;
  PackedLabels Build() const;

 private:
  std::vector<Label> labels_;  // ascending by name
};

}  // namespace varve
