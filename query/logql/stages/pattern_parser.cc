#include "query/logql/stages/pattern_parser.h"

#include "query/logql/stages/extraction.h"

namespace varve::logql {

Result<std::unique_ptr<RowStage>> PatternParserStage::Create(const std::string& pattern,
                                                             const NeededNames& needed) {
  VARVE_ASSIGN_OR_RETURN(const PatternExpression expression, ParseParserPattern(pattern));
  auto stage = std::unique_ptr<PatternParserStage>(new PatternParserStage(needed));
  for (size_t i = 0; i < expression.size(); ++i) {
    const PatternNode& node = expression[i];
    if (node.is_capture) {
      stage->captures_.push_back({node.is_unnamed() ? "" : node.text, nullptr});
    } else if (i == 0) {
      stage->prefix_ = node.text;
    } else {
      stage->captures_.back().until = std::make_unique<SubstringSearch>(node.text);
    }
  }
  return std::unique_ptr<RowStage>(std::move(stage));
}

bool PatternParserStage::Apply(Row* row) const {
  std::string_view rest = row->line;
  if (needed_.none() || rest.empty() || !rest.starts_with(prefix_)) return true;
  rest.remove_prefix(prefix_.size());
  RowExtraction extraction(needed_, &row->labels);
  for (const Capture& capture : captures_) {
    const size_t end = capture.until == nullptr ? std::string_view::npos : capture.until->Find(rest);
    if (!capture.name.empty()) {
      RowLabels::Target target;
      if (extraction.Claim(capture.name, /*stable=*/true, &target))
        extraction.Put(target, rest.substr(0, end));
    }
    if (end == std::string_view::npos || extraction.done()) return true;
    rest.remove_prefix(end + capture.until->needle().size());
  }
  return true;
}

}  // namespace varve::logql
