#include "query/promql/functions/label_functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "engine/model/regex.h"

namespace varve::promql {
namespace {

// Whether `text` is UTF-8 as Go sees it: no overlong forms, no surrogates, nothing above U+10FFFF.
bool IsUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto byte = [&](size_t at) { return static_cast<uint8_t>(at < text.size() ? text[at] : 0); };
    const uint8_t lead = byte(i);
    const size_t length = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
    if (length == 0) return false;
    for (size_t k = 1; k < length; ++k) {
      if ((byte(i + k) & 0xC0) != 0x80) return false;
    }
    const uint8_t second = byte(i + 1);
    if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) || (lead == 0xF0 && second < 0x90) ||
        (lead == 0xF4 && second > 0x8F)) {
      return false;
    }
    i += length;
  }
  return true;
}

bool IsLabelName(std::string_view name) { return !name.empty() && IsUtf8(name); }

bool IsWordByte(char c) {
  // Letters beyond ASCII belong to names, too; no group can be called so.
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<uint8_t>(c) >= 0x80;
}

// A piece of a replacement: text as it is, or a capturing group.
struct Piece {
  std::string text;
  int group = -1;  // -1: `text`
};

// The group that a reference means; a negative number for one there is not.
int GroupOf(const re2::RE2& regex, std::string_view name) {
  const bool digits = std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (digits && !(name.size() > 1 && name[0] == '0')) {
    int number = 0;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), number);
    return parsed.ec == std::errc() && number <= regex.NumberOfCapturingGroups() ? number : -1;
  }
  const auto& named = regex.NamedCapturingGroups();
  const auto found = named.find(std::string(name));
  return found == named.end() ? -1 : found->second;
}

// Cuts a replacement into pieces: $1, $name, ${name}, $$; a '$' that begins none of these stands for itself.
std::vector<Piece> ParseReplacement(const re2::RE2& regex, std::string_view text) {
  std::vector<Piece> pieces(1);
  const auto add_text = [&](std::string_view more) {
    if (pieces.back().group >= 0) pieces.emplace_back();
    pieces.back().text += more;
  };
  while (!text.empty()) {
    const size_t dollar = text.find('$');
    add_text(text.substr(0, dollar));
    if (dollar == std::string_view::npos) break;
    text.remove_prefix(dollar + 1);
    if (text.starts_with('$')) {
      add_text("$");
      text.remove_prefix(1);
      continue;
    }
    const bool braced = text.starts_with('{');
    const std::string_view inner = text.substr(braced ? 1 : 0);
    const auto end = static_cast<size_t>(std::find_if_not(inner.begin(), inner.end(), IsWordByte) - inner.begin());
    if (end == 0 || (braced && !inner.substr(end).starts_with('}'))) {
      add_text("$");
      continue;
    }
    const int group = GroupOf(regex, inner.substr(0, end));
    if (group >= 0) pieces.push_back({"", group});
    text = inner.substr(end + (braced ? 1 : 0));
  }
  return pieces;
}

// Stops when the text is longer than a value may be.
std::string Expand(const std::vector<Piece>& pieces, const std::vector<re2::StringPiece>& groups) {
  std::string out;
  for (const Piece& piece : pieces) {
    if (out.size() > kLabelValueBytesMax) break;
    if (piece.group < 0) {
      out += piece.text;
    } else {
      const re2::StringPiece& group = groups[static_cast<size_t>(piece.group)];
      out.append(group.data(), group.size());
    }
  }
  return out;
}

// Gives labels new values. Calls inside calls could double a value each time; both a value and what all labels of a
// call take are limited.
class LabelSetter {
 public:
  LabelSetter(std::string_view function, MemoryBudget* budget) : function_(function) {
    if (budget != nullptr) reservation_.emplace(budget);
  }

  Status Set(StepSeries* series, std::string_view name, std::string_view value) {
    if (value.size() > kLabelValueBytesMax) {
      return ExecutionError(
          fmt::format("label value too long in {}(): the limit is {} bytes", function_, kLabelValueBytesMax));
    }
    builder_.Reset(series->labels);
    builder_.Set(name, value);
    series->labels = builder_.Build();
    if (name == kMetricName) series->drop_name = false;  // it is another name now
    if (!reservation_) return Status::Ok();
    return reservation_->Add(static_cast<int64_t>(series->labels.canonical().size()));
  }

 private:
  const std::string_view function_;
  std::optional<MemoryReservation> reservation_;
  PackedLabelsBuilder builder_;
};

}  // namespace

Result<StepMatrix> LabelReplace(const SeriesCall& call, std::vector<SeriesArgument>* args) {
  const std::string& destination = (*args)[1].text;
  const std::string& source = (*args)[3].text;
  const std::string& pattern = (*args)[4].text;
  const Result<Regex> regex = CompileRegex(pattern, {.anchored = true, .dot_matches_newline = true});
  if (!regex.ok()) return ExecutionError("invalid regular expression in label_replace(): " + pattern);
  if (!IsLabelName(destination)) {
    return ExecutionError("invalid destination label name in label_replace(): " + destination);
  }
  const std::vector<Piece> replacement = ParseReplacement(**regex, (*args)[2].text);
  std::vector<re2::StringPiece> groups(static_cast<size_t>((*regex)->NumberOfCapturingGroups()) + 1);
  StepMatrix out = std::move(*(*args)[0].vector);
  LabelSetter setter("label_replace", call.budget);
  for (StepSeries& series : out) {
    const std::string_view value = series.labels.Get(source);
    const re2::StringPiece text(value.data(), value.size());
    if (!(*regex)->Match(text, 0, text.size(), re2::RE2::ANCHOR_BOTH, groups.data(),
                         static_cast<int>(groups.size()))) {
      continue;
    }
    VARVE_RETURN_IF_ERROR(setter.Set(&series, destination, Expand(replacement, groups)));
  }
  return MergeSameLabels(std::move(out));
}

Result<StepMatrix> LabelJoin(const SeriesCall& call, std::vector<SeriesArgument>* args) {
  const std::string& destination = (*args)[1].text;
  const std::string& separator = (*args)[2].text;
  for (size_t i = 3; i < args->size(); ++i) {
    if (!IsLabelName((*args)[i].text)) {
      return ExecutionError("invalid source label name in label_join(): " + (*args)[i].text);
    }
  }
  if (!IsLabelName(destination)) {
    return ExecutionError("invalid destination label name in label_join(): " + destination);
  }
  StepMatrix out = std::move(*(*args)[0].vector);
  LabelSetter setter("label_join", call.budget);
  std::string joined;
  for (StepSeries& series : out) {
    joined.clear();
    for (size_t i = 3; i < args->size() && joined.size() <= kLabelValueBytesMax; ++i) {
      if (i > 3) joined += separator;
      joined += series.labels.Get((*args)[i].text);
    }
    VARVE_RETURN_IF_ERROR(setter.Set(&series, destination, joined));
  }
  return MergeSameLabels(std::move(out));
}

}  // namespace varve::promql
