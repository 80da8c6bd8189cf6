#include "query/promql/values/annotations.h"

#include <fmt/format.h>

#include <algorithm>

namespace varve::promql {
namespace {

// ` (line:col)`, both from 1, the column in bytes.
std::string PositionText(std::string_view query, int32_t at) {
  const std::string_view before = query.substr(0, std::min(query.size(), static_cast<size_t>(std::max(at, 0))));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0
  return fmt::format(" ({}:{})", line, before.size() - line_begin + 1);
}

}  // namespace

void Annotations::AddWarning(PositionRange pos, std::string text) { warnings_.insert({pos.begin, std::move(text)}); }
void Annotations::AddInfo(PositionRange pos, std::string text) { infos_.insert({pos.begin, std::move(text)}); }

void Annotations::Merge(const Annotations& other) {
  warnings_.insert(other.warnings_.begin(), other.warnings_.end());
  infos_.insert(other.infos_.begin(), other.infos_.end());
}

std::vector<std::string> Annotations::Texts(const std::set<Note>& notes, std::string_view kind,
                                            std::string_view query, size_t limit) {
  std::vector<std::string> out;
  for (const Note& note : notes) {
    out.push_back(fmt::format("PromQL {}: {}{}", kind, note.text, PositionText(query, note.begin)));
  }
  std::sort(out.begin(), out.end());
  if (limit != 0 && out.size() > limit) {
    const size_t left_out = out.size() - limit;
    out.resize(limit);
    out.push_back(fmt::format("{} more {} annotations omitted", left_out, kind));
  }
  return out;
}

std::vector<std::string> Annotations::Warnings(std::string_view query, size_t limit) const {
  return Texts(warnings_, "warning", query, limit);
}
std::vector<std::string> Annotations::Infos(std::string_view query, size_t limit) const {
  return Texts(infos_, "info", query, limit);
}

}  // namespace varve::promql
