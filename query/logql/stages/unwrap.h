// | unwrap x, | unwrap duration(x), | unwrap bytes(x): a label's value as the row's sample.
//
// Rows without the label, or with an empty one, are skipped; a value that does not convert gives
// __error__="SampleExtractionErr". Filters behind unwrap still see the label.
#pragma once

#include <memory>
#include <vector>

#include "query/logql/ast.h"
#include "query/logql/stages/stage.h"

namespace varve::logql {

struct UnwrappedValue {
  double number = 0;
  std::string_view text;  // points into the row
};

class UnwrapStep {
 public:
  // With `keep_label` the unwrapped label stays (it is grouped by). With `as_text` only its text is wanted;
  // nothing is converted, hence nothing fails to.
  static Result<UnwrapStep> Create(const Unwrap& unwrap, bool keep_label, bool as_text = false);
  bool Apply(Row* row, UnwrappedValue* value) const;

 private:
  std::string label_;
  uint32_t hash_ = 0;
  UnwrapConversion conversion_ = UnwrapConversion::kNone;
  bool keep_label_ = false;
  bool as_text_ = false;
  std::vector<std::unique_ptr<RowStage>> post_filters_;
};

}  // namespace varve::logql
