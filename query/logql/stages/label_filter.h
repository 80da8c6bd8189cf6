// | label = "x", | n > 5, | took >= 1s, | size < 4KB, | addr = ip("…"), with and / or.
//
// A missing label fails every comparison but those of strings, which see "". Number, duration and byte
// filters keep rows whose label does not convert, with __error__ set unless it was already; ip filters pass
// every row that has an error.
#pragma once

#include <memory>

#include "query/logql/ast.h"
#include "query/logql/stages/stage.h"

namespace varve::logql {

// kInvalidArgument: `ip: invalid pattern: "hello"`.
Result<std::unique_ptr<RowStage>> CompileLabelFilter(const LabelFilter& filter);

// Calls visit(name) for every label the filter looks at.
template <typename Visit>
void ForEachFilteredName(const LabelFilter& filter, const Visit& visit) {
  std::visit(
      [&](const auto& node) {
        using Node = std::decay_t<decltype(node)>;
        if constexpr (std::is_same_v<Node, BinaryLabelFilter>) {
          ForEachFilteredName(*node.left, visit);
          ForEachFilteredName(*node.right, visit);
        } else if constexpr (std::is_same_v<Node, StringLabelFilter>) {
          visit(node.matcher.name());
        } else {
          visit(node.name);
        }
      },
      filter.node);
}

// What a string filter compares: the label's value, "" when it is missing; __error__ and __error_details__
// are the row's own.
inline std::string_view FilteredValue(const RowLabels& labels, std::string_view name, uint32_t hash) {
  if (name == kErrorLabel) return labels.error();
  if (name == kErrorDetailsLabel) return labels.error_details();
  const RowLabel* label = labels.Find(name, hash);
  return label == nullptr ? std::string_view() : label->value;
}

}  // namespace varve::logql
