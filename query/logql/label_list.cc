#include "query/logql/label_list.h"

#include <algorithm>
#include <bit>

namespace varve::logql {

void LabelList::Index() const {
  const size_t want = std::bit_ceil(labels_.size() * 2);
  if (indexed_ == 0 || table_.size() < want) {
    table_.assign(std::max(table_.size(), want), 0);
    indexed_ = 0;
  }
  const size_t slots_mask = table_.size() - 1;
  for (; indexed_ < labels_.size(); ++indexed_) {
    size_t slot = labels_[indexed_].hash & slots_mask;
    while (table_[slot] != 0) slot = (slot + 1) & slots_mask;
    table_[slot] = static_cast<uint32_t>(indexed_ + 1);
  }
}

const RowLabel* LabelList::FindSlow(std::string_view name, uint32_t hash) const {
  if (labels_.size() <= kLinearMax) {
    for (const RowLabel& label : labels_) {
      if (label.hash == hash && label.name == name) return &label;
    }
    return nullptr;
  }
  if (indexed_ != labels_.size()) Index();
  const size_t slots_mask = table_.size() - 1;
  for (size_t slot = hash & slots_mask; table_[slot] != 0; slot = (slot + 1) & slots_mask) {
    const RowLabel& label = labels_[table_[slot] - 1];
    if (label.hash == hash && label.name == name) return &label;
  }
  return nullptr;
}

}  // namespace varve::logql
