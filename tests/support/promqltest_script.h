// A test script as a list of commands: clear, load, eval.
//
// The language: prom_surface 5.1. Threads: values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/regex.h"
#include "query/promql/values/series_description.h"

namespace varve::promqltest {

using promql::SequenceValue;
using promql::SeriesDescription;

struct Clear {};

struct LoadedSeries {
  PackedLabels labels;
  std::vector<SequenceValue> values;
  std::vector<std::optional<int64_t>> starts_ms;  // behind each sample's time; empty: none
};

struct Load {
  int64_t step_ms = 0;
  bool with_nhcb = false;
  std::vector<LoadedSeries> series;
  int line = 0;
};

// What a text must be: exactly this, or like this.
struct TextMatch {
  std::optional<std::string> message;
  Regex regex;  // null with a message, and where any text will do
  bool Matches(std::string_view text) const;
  std::string ToString() const;
};

struct ExpectedSeries {
  PackedLabels labels;
  std::vector<SequenceValue> values;
};

struct Eval {
  int line = 0;
  std::string query;
  bool is_range = false;
  // Of the query; the grid of the expected values, for ranges.
  int64_t start_ms = 0;
  int64_t end_ms = 0;
  int64_t step_ms = 0;

  bool ordered = false;
  std::optional<TextMatch> fail;
  // Old style: at least one; new style: each matches one, and each is matched.
  bool some_warning = false;
  bool some_info = false;
  std::vector<TextMatch> warnings;
  std::vector<TextMatch> infos;
  bool no_warnings = false;
  bool no_infos = false;

  bool instant_only = false;  // the result is a range vector or a string
  std::optional<std::string> text;
  std::optional<double> scalar;
  std::vector<ExpectedSeries> series;
};

using Command = std::variant<Clear, Load, Eval>;

// kInvalidArgument: `line 17: …`.
Result<std::vector<Command>> ParseScript(std::string_view text);

}  // namespace varve::promqltest
