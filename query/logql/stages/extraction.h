// What the full parsers (json, logfmt, regexp, pattern) share: one run of a parser over one row.
//
// Claim decides whether a found key becomes a label, and under which name; Put sets it. Keys not needed
// cost one lookup and their values are never decoded.
#pragma once

#include <string_view>

#include "query/logql/needed_names.h"
#include "query/logql/row_labels.h"

namespace varve::logql {

class RowExtraction {
 public:
  RowExtraction(const NeededNames& needed, RowLabels* labels)
      : needed_(needed), labels_(*labels), counting_(needed.may_stop_early()) {
    if (counting_) missing_ = needed.CountMissing(*labels);
  }

  // Whether a value found under `name` (sanitised) becomes a label. With `stable` false the name is
  // copied into the row's arena.
  bool Claim(std::string_view name, bool stable, RowLabels::Target* target) {
    *target = labels_.ExtractionTarget(name, HashName(name));
    if (!needed_.Contains(*target) || labels_.WasExtracted(*target)) return false;
    if (!stable && target->name.data() == name.data()) target->name = labels_.Store(name);
    return true;
  }
  void Put(const RowLabels::Target& target, std::string_view value) {
    labels_.SetExtracted(target, value);
    if (counting_ && missing_ > 0) --missing_;
  }
  // Every needed name has been found: the rest of the line cannot add anything.
  bool done() const { return counting_ && missing_ == 0; }

  const NeededNames& needed() const { return needed_; }
  RowLabels& labels() { return labels_; }

 private:
  const NeededNames& needed_;
  RowLabels& labels_;
  const bool counting_;
  size_t missing_ = 0;
};

}  // namespace varve::logql
