#include "query/promql/values/annotations.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "query/promql/values/number_text.h"

namespace varve::promql {
namespace {

// ` (line:col)`, both from 1, the column in bytes.
std::string PositionText(std::string_view query, int32_t at) {
  const std::string_view before = query.substr(0, std::min(query.size(), static_cast<size_t>(std::max(at, 0))));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0
  return fmt::format(" ({}:{})", line, before.size() - line_begin + 1);
}

// `1970-01-01T00:01:00Z`
std::string SecondText(int64_t ms) {
  const auto day = std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds(std::chrono::seconds(ms / 1000)));
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(std::chrono::seconds(ms / 1000) - day.time_since_epoch());
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), time.hours().count(),
                     time.minutes().count(), time.seconds().count());
}

}  // namespace

void Annotations::AddWarning(PositionRange pos, std::string text) { Put(text, {.begin = pos.begin}, &warnings_); }
void Annotations::AddInfo(PositionRange pos, std::string text) { Put(text, {.begin = pos.begin}, &infos_); }

void Annotations::AddCountedWarning(PositionRange pos, std::string text) {
  Put(text, {.begin = pos.begin, .detail = Detail::kCount}, &warnings_);
}

void Annotations::AddMonotonicityFix(PositionRange pos, std::string text, const MonotonicityRange& range) {
  Put(text, {.begin = pos.begin, .detail = Detail::kMonotonicity, .range = range}, &infos_);
}

// As Prometheus merges them: a plain note replaces the one before; those with details keep the first position.
void Annotations::Put(const std::string& text, const Note& note, Notes* notes) {
  const auto [at, added] = notes->emplace(text, note);
  if (added) return;
  Note& kept = at->second;
  if (note.detail == Detail::kNone) {
    kept = note;
    return;
  }
  kept.count += note.count;
  kept.range.min_ms = std::min(kept.range.min_ms, note.range.min_ms);
  kept.range.max_ms = std::max(kept.range.max_ms, note.range.max_ms);
  kept.range.min_bound = std::min(kept.range.min_bound, note.range.min_bound);
  kept.range.max_bound = std::max(kept.range.max_bound, note.range.max_bound);
  kept.range.max_diff = std::max(kept.range.max_diff, note.range.max_diff);
}

void Annotations::Merge(const Annotations& other) {
  for (const auto& [text, note] : other.warnings_) Put(text, note, &warnings_);
  for (const auto& [text, note] : other.infos_) Put(text, note, &infos_);
}

std::vector<std::string> Annotations::Texts(const Notes& notes, std::string_view kind, std::string_view query,
                                            size_t limit) {
  std::vector<std::string> out;
  for (const auto& [text, note] : notes) {
    std::string detail;
    if (note.detail == Detail::kCount && note.count > 1) detail = fmt::format(" ({} occurrences)", note.count);
    if (note.detail == Detail::kMonotonicity) {
      detail = fmt::format(", from buckets {} to {}, with a max diff of {}, over {} samples from {} to {}",
                           GoG(note.range.min_bound), GoG(note.range.max_bound), GoG2(note.range.max_diff), note.count,
                           SecondText(note.range.min_ms), SecondText(note.range.max_ms));
    }
    out.push_back(fmt::format("PromQL {}: {}{}{}", kind, text, detail, PositionText(query, note.begin)));
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
