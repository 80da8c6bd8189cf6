// A label set: what identifies a stream or series.
//
// Sorted by name, names unique, no empty values (an empty value means the same as no label).
// Threads: immutable after construction, share freely.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace varve {

struct Label {
  std::string name;
  std::string value;
  bool operator==(const Label&) const = default;
  auto operator<=>(const Label&) const = default;
};

class Labels {
 public:
  Labels() = default;
  // Sorts, and drops labels with an empty value. Names must be unique (see FirstDuplicateName).
  static Labels FromUnsorted(std::vector<Label> labels);
  // Reads what Canonical() wrote. Names and values are taken as they are.
  static bool FromCanonical(std::string_view bytes, Labels* out);

  // The value, or "" when there is no such label.
  std::string_view Get(std::string_view name) const;
  bool Has(std::string_view name) const { return !Get(name).empty(); }

  size_t size() const { return labels_.size(); }
  bool empty() const { return labels_.empty(); }
  auto begin() const { return labels_.begin(); }
  auto end() const { return labels_.end(); }
  const Label& operator[](size_t i) const { return labels_[i]; }

  // The bytes that decide identity: for each label, varint length + name, varint length + value.
  std::string Canonical() const;
  // `{a="b", c="d"}`, values quoted as Go's strconv.Quote does.
  std::string ToString() const;

  bool operator==(const Labels&) const = default;
  auto operator<=>(const Labels&) const = default;

 private:
  std::vector<Label> labels_;
};

// The first name that occurs twice in `labels` (in any order), or null.
const std::string* FirstDuplicateName(const std::vector<Label>& labels);

// [a-zA-Z_][a-zA-Z0-9_]*
bool IsValidLabelName(std::string_view name);

// Appends `text` in double quotes, escaped as Go's strconv.Quote: \a \b \f \n \r \t \v \\ \", \xNN for
// bytes that are not UTF-8, \u00NN / \uNNNN / \UNNNNNNNN for what Go does not print.
void AppendGoQuoted(std::string* out, std::string_view text);
std::string GoQuoted(std::string_view text);

}  // namespace varve
