#include "query/logql/stages/logfmt_parser.h"

#include "query/logql/stages/extraction.h"
#include "query/logql/stages/json_path.h"
#include "query/logql/stages/label_key.h"
#include "query/logql/stages/logfmt_scan.h"

namespace varve::logql {
namespace {

bool IsKeyStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

// The key an expression names: an identifier, or a quoted string. Further strings may follow, and make it a
// key that no line has.
Result<std::string> ParseKey(std::string_view text) {
  std::string key;
  for (bool first = true;; first = false) {
    while (!text.empty() && (text[0] == ' ' || text[0] == '\t' || text[0] == '\n')) text.remove_prefix(1);
    if (!text.empty() && text[0] == '"') {
      text.remove_prefix(1);
      const std::string_view quoted = TakeQuoted(&text);
      key += first ? std::string(quoted) : "%!(EXTRA string=" + std::string(quoted) + ")";
    } else if (!text.empty() && IsKeyStart(text[0])) {
      if (!first) return InvalidArgument("syntax error: unexpected KEY");
      size_t size = 1;
      while (size < text.size() && (IsKeyStart(text[size]) || (text[size] >= '0' && text[size] <= '9')))
        ++size;
      key = text.substr(0, size);
      text.remove_prefix(size);
    } else if (first) {
      return InvalidArgument("syntax error: unexpected $end, expecting STRING or KEY");
    } else if (!text.empty()) {
      return InvalidArgument("unexpected char " + std::string(FirstCharacter(text)));
    } else {
      return key;
    }
  }
}

}  // namespace

bool LogfmtParserStage::Apply(Row* row) const {
  if (needed_.none()) return true;
  RowArena& arena = row->labels.arena();
  RowExtraction extraction(needed_, &row->labels);
  LogfmtScanner scanner(row->line, &arena);
  while (!scanner.at_end()) {
    if (!scanner.Next()) {
      if (strict_ && scanner.has_error()) break;
      continue;
    }
    if (!keep_empty_ && scanner.value().empty()) continue;
    RowLabels::Target target;
    const std::string_view key = scanner.key();
    if (key.size() > kLabelNameBytesMax) continue;
    if (IsCleanLabelKey(key)) {
      if (!extraction.Claim(key, /*stable=*/true, &target)) continue;
    } else {
      row->scratch.clear();
      AppendSanitisedKey(&row->scratch, key);
      if (row->scratch.empty() || !extraction.Claim(row->scratch, /*stable=*/false, &target)) continue;
    }
    extraction.Put(target, ReplaceInvalidUtf8(scanner.value(), &arena));
    if (extraction.done()) break;
  }
  if (strict_ && scanner.has_error()) row->labels.SetError(kLogfmtParserError, scanner.ErrorText());
  return true;
}

Result<std::unique_ptr<RowStage>> LogfmtExpressionStage::Create(const LogfmtParser& parser,
                                                                const NeededNames& needed) {
  auto stage = std::unique_ptr<LogfmtExpressionStage>(new LogfmtExpressionStage(parser.strict, needed));
  for (const Extraction& extraction : parser.extractions) {
    Result<std::string> key = ParseKey(extraction.expression);
    if (!key.ok()) {
      return InvalidArgument("cannot parse expression [" + extraction.expression +
                             "]: " + key.status().message());
    }
    stage->wanted_.push_back({extraction.name, *std::move(key)});
  }
  return std::unique_ptr<RowStage>(std::move(stage));
}

bool LogfmtExpressionStage::Apply(Row* row) const {
  if (needed_.none()) return true;
  RowLabels& labels = row->labels;
  const auto set = [&](const std::string& name, std::string_view value) {
    const RowLabels::Target target = labels.ExtractionTarget(name, HashName(name));
    if (needed_.Contains(target)) labels.SetExtracted(target, value);
  };
  for (const Wanted& wanted : wanted_) {
    if (!labels.HasBase(wanted.name)) set(wanted.name, {});
  }
  LogfmtScanner scanner(row->line, &labels.arena());
  while (!scanner.at_end()) {
    if (!scanner.Next()) {
      if (strict_ && scanner.has_error()) {
        labels.SetError(kLogfmtParserError, scanner.ErrorText());
        return true;
      }
      continue;
    }
    std::string_view key = scanner.key();
    if (!IsCleanLabelKey(key)) {
      row->scratch.clear();
      AppendSanitisedKey(&row->scratch, key);
      key = row->scratch;
    }
    for (const Wanted& wanted : wanted_) {
      // As in Loki, a pair named like the label itself counts too, whatever key was asked for.
      if (key == wanted.key || key == wanted.name)
        set(wanted.name, ReplaceInvalidUtf8(scanner.value(), &labels.arena()));
    }
  }
  return true;
}

}  // namespace varve::logql
