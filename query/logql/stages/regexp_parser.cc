#include "query/logql/stages/regexp_parser.h"

#include <algorithm>
#include <set>

#include "query/logql/line_match/regex_literals.h"
#include "query/logql/stages/extraction.h"
#include "query/logql/stages/label_key.h"

namespace varve::logql {
namespace {

// More searches than this cost more than the regex.
constexpr size_t kLiteralsMax = 4;

}  // namespace

Result<std::unique_ptr<RowStage>> RegexpParserStage::Create(const std::string& pattern,
                                                            const NeededNames& needed) {
  VARVE_ASSIGN_OR_RETURN(Regex regex, CompileRegex(pattern, {}));
  auto stage = std::unique_ptr<RegexpParserStage>(new RegexpParserStage(std::move(regex), needed));
  std::set<std::string> seen;
  for (const auto& [index, name] : stage->regex_->CapturingGroupNames()) {
    std::string key;
    AppendSanitisedKey(&key, name);
    if (!seen.insert(key).second) return InvalidArgument("duplicate extracted label name '" + name + "'");
    stage->groups_.push_back({static_cast<size_t>(index), std::move(key)});
    stage->submatches_ = index + 1;
  }
  if (stage->groups_.empty()) return InvalidArgument("at least one named capture must be supplied");
  const RegexLiterals literals = FindRegexLiterals(pattern);
  if (literals.any_of.size() <= kLiteralsMax) {
    for (const std::string& text : literals.any_of) stage->literals_.emplace_back(text, literals.ignore_case);
  }
  return std::unique_ptr<RowStage>(std::move(stage));
}

bool RegexpParserStage::Apply(Row* row) const {
  if (needed_.none()) return true;
  const std::string_view line = row->line;
  if (!literals_.empty() &&
      std::none_of(literals_.begin(), literals_.end(),
                   [&](const SubstringSearch& search) { return search.Contains(line); })) {
    return true;
  }
  RowLabels& labels = row->labels;
  re2::StringPiece inline_groups[kInlineGroups];
  std::vector<re2::StringPiece> many;
  re2::StringPiece* found = inline_groups;
  if (static_cast<size_t>(submatches_) > kInlineGroups) {
    many.resize(static_cast<size_t>(submatches_));
    found = many.data();
  }
  const re2::StringPiece text(line.data(), line.size());
  if (!regex_->Match(text, 0, text.size(), re2::RE2::UNANCHORED, found, submatches_)) return true;
  RowExtraction extraction(needed_, &labels);
  for (const Group& group : groups_) {
    RowLabels::Target target;
    if (!extraction.Claim(group.name, /*stable=*/true, &target)) continue;
    const re2::StringPiece& value = found[group.index];
    extraction.Put(target, std::string_view(value.data(), value.size()));
  }
  return true;
}

}  // namespace varve::logql
