#include "engine/model/packed_labels.h"

#include <algorithm>

#include "engine/base/bytes.h"
#include "engine/base/check.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace varve {
namespace {

// Whether `name` can stand before braces, unquoted.
bool IsLegacyMetricName(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == ':';
  });
}

}  // namespace

PackedLabels PackedLabels::FromCanonical(std::string bytes) {
  PackedLabels out;
  out.bytes_ = std::move(bytes);
  return out;
}

PackedLabels PackedLabels::FromLabels(const Labels& labels) { return FromCanonical(labels.Canonical()); }

PackedLabels PackedLabels::FromUnsorted(std::vector<LabelView> labels) {
  std::sort(labels.begin(), labels.end(), [](const LabelView& a, const LabelView& b) { return a.name < b.name; });
  PackedLabels out;
  for (const LabelView& label : labels) {
    if (label.value.empty()) continue;
    PutLengthPrefixed(&out.bytes_, label.name);
    PutLengthPrefixed(&out.bytes_, label.value);
  }
  return out;
}

PackedLabels::Iterator::Iterator(const char* at, const char* end) : at_(at), next_(at), end_(end) { Read(); }

void PackedLabels::Iterator::Read() {
  if (at_ == end_) return;
  ByteReader reader(std::string_view(at_, static_cast<size_t>(end_ - at_)));
  label_.name = reader.LengthPrefixed();
  label_.value = reader.LengthPrefixed();
  VARVE_CHECK(reader.ok());
  next_ = end_ - reader.remaining();
}

PackedLabels::Iterator& PackedLabels::Iterator::operator++() {
  at_ = next_;
  Read();
  return *this;
}

std::string_view PackedLabels::Get(std::string_view name) const {
  for (const LabelView& label : *this) {
    if (label.name == name) return label.value;
  }
  return {};
}

size_t PackedLabels::size() const { return static_cast<size_t>(std::distance(begin(), end())); }

uint64_t PackedLabels::Hash() const { return XXH3_64bits(bytes_.data(), bytes_.size()); }

namespace {

void AppendPair(std::string* out, const LabelView& label) {
  if (!out->empty()) out->append(", ");
  if (IsValidLabelName(label.name)) {
    out->append(label.name);
  } else {
    AppendGoQuoted(out, label.name);
  }
  out->push_back('=');
  AppendGoQuoted(out, label.value);
}

}  // namespace

std::string PackedLabels::ToString() const {
  const std::string_view name = metric_name();
  const bool bare = IsLegacyMetricName(name);
  std::string out;
  if (bare) out.append(name);
  std::string inside;
  if (!name.empty() && !bare) AppendGoQuoted(&inside, name);
  for (const LabelView& label : *this) {
    if (label.name != kMetricName) AppendPair(&inside, label);
  }
  if (!inside.empty() || !bare) out += "{" + inside + "}";
  return out;
}

std::string PackedLabels::ToBracedString() const {
  std::string inside;
  for (const LabelView& label : *this) AppendPair(&inside, label);
  return "{" + inside + "}";
}

Labels PackedLabels::ToLabels() const {
  Labels out;
  VARVE_CHECK(Labels::FromCanonical(bytes_, &out));
  return out;
}

std::strong_ordering PackedLabels::operator<=>(const PackedLabels& other) const {
  Iterator a = begin();
  Iterator b = other.begin();
  for (; a != end() && b != other.end(); ++a, ++b) {
    if (const auto order = a->name <=> b->name; order != 0) return order;
    if (const auto order = a->value <=> b->value; order != 0) return order;
  }
  if (a != end()) return std::strong_ordering::greater;
  return b != other.end() ? std::strong_ordering::less : std::strong_ordering::equal;
}

void PackedLabelsBuilder::Reset(const PackedLabels& base) {
  labels_.clear();
  for (const LabelView& label : base) labels_.push_back({std::string(label.name), std::string(label.value)});
}

void PackedLabelsBuilder::Set(std::string_view name, std::string_view value) {
  if (value.empty()) return Delete(name);
  const auto at = std::lower_bound(labels_.begin(), labels_.end(), name,
                                   [](const Label& label, std::string_view n) { return label.name < n; });
  if (at != labels_.end() && at->name == name) {
    at->value = value;
  } else {
    labels_.insert(at, {std::string(name), std::string(value)});
  }
}

void PackedLabelsBuilder::Delete(std::string_view name) {
  std::erase_if(labels_, [&](const Label& label) { return label.name == name; });
}

void PackedLabelsBuilder::Keep(std::span<const std::string> names) {
  std::erase_if(labels_, [&](const Label& label) {
    return !std::binary_search(names.begin(), names.end(), label.name);
  });
}

void PackedLabelsBuilder::Drop(std::span<const std::string> names) {
  std::erase_if(labels_, [&](const Label& label) {
    return std::binary_search(names.begin(), names.end(), label.name);
  });
}

std::string_view PackedLabelsBuilder::Get(std::string_view name) const {
  for (const Label& label : labels_) {
    if (label.name == name) return label.value;
  }
  return {};
}

PackedLabels PackedLabelsBuilder::Build() const {
  std::string bytes;
  for (const Label& label : labels_) {
    PutLengthPrefixed(&bytes, label.name);
    PutLengthPrefixed(&bytes, label.value);
  }
  return PackedLabels::FromCanonical(std::move(bytes));
}

}  // namespace varve
