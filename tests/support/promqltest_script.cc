#include "tests/support/promqltest_script.h"

#include <array>

#include <re2/re2.h>

#include "engine/model/labels.h"
#include "query/promql/syntax/number_text.h"
#include "query/promql/syntax/parser.h"

namespace varve::promqltest {
namespace {

struct Lines {
  std::vector<std::string> lines;  // trimmed; comments are empty
  size_t at = 0;

  const std::string& current() const { return lines[at]; }
  // The next line of a command's body, or null at its end.
  const std::string* NextOfBody() {
    if (at + 1 >= lines.size() || lines[at + 1].empty()) return nullptr;
    return &lines[++at];
  }
};

Lines SplitLines(std::string_view text) {
  Lines out;
  while (true) {
    const size_t newline = text.find('\n');
    std::string_view line = text.substr(0, newline);
    const size_t begin = line.find_first_not_of(" \t\r");
    line = begin == std::string_view::npos ? std::string_view()
                                           : line.substr(begin, line.find_last_not_of(" \t\r") - begin + 1);
    out.lines.emplace_back(line.starts_with("#") ? std::string_view() : line);
    if (newline == std::string_view::npos) return out;
    text.remove_prefix(newline + 1);
  }
}

Result<int64_t> Milliseconds(const std::string& text) {
  VARVE_ASSIGN_OR_RETURN(const int64_t ns, promql::ParseDurationNs(text));
  return ns / 1'000'000;
}

Result<TextMatch> MatchOf(const std::string& kind, const std::string& text) {
  TextMatch match;
  if (kind == "msg") {
    match.message = text;
  } else if (kind == "regex") {
    VARVE_ASSIGN_OR_RETURN(match.regex, CompileRegex(text, {}));
  }
  return match;
}

Result<Load> ParseLoad(Lines* lines) {
  static const re2::RE2 kLoad(R"(load(?:_(with_nhcb))?\s+(.+?))");
  Load load;
  load.line = static_cast<int>(lines->at) + 1;
  std::string nhcb;
  std::string step;
  if (!re2::RE2::FullMatch(lines->current(), kLoad, &nhcb, &step)) return InvalidArgument("invalid load command");
  load.with_nhcb = !nhcb.empty();
  VARVE_ASSIGN_OR_RETURN(load.step_ms, Milliseconds(step));
  std::optional<promql::StartTimes> starts;
  while (const std::string* line = lines->NextOfBody()) {
    if (promql::IsStartTimesLine(*line)) {
      if (starts) return InvalidArgument("an @st line has no following sample line");
      VARVE_ASSIGN_OR_RETURN(starts, promql::ParseStartTimes(*line));
      continue;
    }
    VARVE_ASSIGN_OR_RETURN(SeriesDescription series, promql::ParseSeriesDescription(*line));
    LoadedSeries loaded{std::move(series.labels), std::move(series.values), {}};
    if (starts) {
      if (starts->labels != loaded.labels || starts->offsets_ms.size() != loaded.values.size()) {
        return InvalidArgument("an @st line does not fit the sample line that follows");
      }
      loaded.starts_ms = std::move(starts->offsets_ms);
      starts.reset();
    }
    // A series that is described twice is what the last description says.
    std::erase_if(load.series, [&](const LoadedSeries& other) { return other.labels == loaded.labels; });
    load.series.push_back(std::move(loaded));
  }
  if (starts) return InvalidArgument("an @st line has no following sample line");
  return load;
}

// `expect …`, all forms but those with a range or a string.
Status ParseExpect(const std::string& line, Eval* eval) {
  static const re2::RE2 kExpect(R"(expect\s+(ordered|fail|warn|no_warn|info|no_info)(?:\s+(regex|msg):(.+))?)");
  std::string what;
  std::string kind;
  std::string text;
  if (!re2::RE2::FullMatch(line, kExpect, &what, &kind, &text)) return InvalidArgument("invalid expect statement");
  text.erase(0, text.find_first_not_of(" \t"));
  text.erase(text.find_last_not_of(" \t") + 1);
  VARVE_ASSIGN_OR_RETURN(TextMatch match, MatchOf(kind, text));
  if (what == "ordered") eval->ordered = true;
  if (what == "no_warn") eval->no_warnings = true;
  if (what == "no_info") eval->no_infos = true;
  if (what == "warn") eval->warnings.push_back(std::move(match));
  if (what == "info") eval->infos.push_back(std::move(match));
  if (what == "fail") {
    if (eval->fail && (eval->fail->message || eval->fail->regex)) return InvalidArgument("several expect fail lines");
    eval->fail = std::move(match);
  }
  return Status::Ok();
}

Status ParseExpectRange(const std::string& line, Eval* eval) {
  static const re2::RE2 kRange(R"(expect range vector\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+))");
  std::array<std::string, 3> texts;
  if (!re2::RE2::FullMatch(line, kRange, &texts[0], &texts[1], &texts[2])) {
    return InvalidArgument("invalid range vector definition");
  }
  VARVE_ASSIGN_OR_RETURN(eval->start_ms, Milliseconds(texts[0]));
  VARVE_ASSIGN_OR_RETURN(eval->end_ms, Milliseconds(texts[1]));
  VARVE_ASSIGN_OR_RETURN(eval->step_ms, Milliseconds(texts[2]));
  eval->instant_only = true;
  return Status::Ok();
}

// True when the line ends the command.
Result<bool> ParseEvalLine(const std::string& line, Eval* eval) {
  for (const std::string_view kind : {"expected_fail_message", "expected_fail_regexp"}) {
    if (!eval->fail || !line.starts_with(kind)) continue;
    std::string text = line.substr(kind.size());
    text.erase(0, text.find_first_not_of(" \t"));
    VARVE_ASSIGN_OR_RETURN(eval->fail, MatchOf(kind.ends_with("message") ? "msg" : "regex", text));
    return true;
  }
  if (line.starts_with("expect range vector")) {
    VARVE_RETURN_IF_ERROR(ParseExpectRange(line, eval));
    return false;
  }
  if (line.starts_with("expect string")) {
    VARVE_ASSIGN_OR_RETURN(eval->text, promql::Unquote(std::string_view(line).substr(line.find_first_of("\"'`"))));
    eval->instant_only = true;
    return false;
  }
  if (line.starts_with("expect ")) {
    VARVE_RETURN_IF_ERROR(ParseExpect(line, eval));
    return false;
  }
  if (const Result<double> number = promql::ParseWholeNumber(line); number.ok()) {
    eval->scalar = *number;
    return true;
  }
  VARVE_ASSIGN_OR_RETURN(SeriesDescription series, promql::ParseSeriesDescription(line));
  if (series.values.empty()) return InvalidArgument("no value is expected of a series");
  if (series.values.size() > 1 && !eval->is_range && eval->step_ms == 0) {
    return InvalidArgument("expecting multiple values in instant evaluation not allowed");
  }
  eval->series.push_back({std::move(series.labels), std::move(series.values)});
  return false;
}

Result<Eval> ParseEval(Lines* lines) {
  static const re2::RE2 kInstant(R"(eval(?:_(fail|warn|ordered|info))?\s+instant\s+(?:at\s+(.+?))?\s+(.+))");
  static const re2::RE2 kRange(
      R"(eval(?:_(fail|warn|info))?\s+range\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+?)\s+(.+))");
  Eval eval;
  eval.line = static_cast<int>(lines->at) + 1;
  std::string modifier;
  std::array<std::string, 3> times;
  if (re2::RE2::FullMatch(lines->current(), kInstant, &modifier, &times[0], &eval.query)) {
    VARVE_ASSIGN_OR_RETURN(eval.start_ms, Milliseconds(times[0].empty() ? "0" : times[0]));
    eval.end_ms = eval.start_ms;
  } else if (re2::RE2::FullMatch(lines->current(), kRange, &modifier, &times[0], &times[1], &times[2], &eval.query)) {
    eval.is_range = true;
    VARVE_ASSIGN_OR_RETURN(eval.start_ms, Milliseconds(times[0]));
    VARVE_ASSIGN_OR_RETURN(eval.end_ms, Milliseconds(times[1]));
    VARVE_ASSIGN_OR_RETURN(eval.step_ms, Milliseconds(times[2]));
  } else {
    return InvalidArgument("invalid evaluation command");
  }
  const Result<promql::ExprPtr> parsed = promql::ParseExpr(eval.query);
  if (!parsed.ok()) return InvalidArgument(parsed.status().message());
  eval.ordered = modifier == "ordered";
  eval.some_warning = modifier == "warn";
  eval.some_info = modifier == "info";
  if (modifier == "fail") eval.fail.emplace();
  while (const std::string* line = lines->NextOfBody()) {
    VARVE_ASSIGN_OR_RETURN(const bool last, ParseEvalLine(*line, &eval));
    if (last) break;
  }
  return eval;
}

Result<Command> ParseCommand(Lines* lines) {
  const std::string& line = lines->current();
  if (line == "clear") return Command(Clear{});
  if (line.starts_with("load")) {
    VARVE_ASSIGN_OR_RETURN(Load load, ParseLoad(lines));
    return Command(std::move(load));
  }
  if (line.starts_with("eval")) {
    VARVE_ASSIGN_OR_RETURN(Eval eval, ParseEval(lines));
    return Command(std::move(eval));
  }
  return InvalidArgument("invalid command " + GoQuoted(line));
}

}  // namespace

bool TextMatch::Matches(std::string_view text) const {
  if (message) return *message == text;
  return regex == nullptr || RegexMatches(*regex, text);
}

std::string TextMatch::ToString() const {
  if (message) return GoQuoted(*message);
  return regex == nullptr ? "any text" : "/" + regex->pattern() + "/";
}

Result<std::vector<Command>> ParseScript(std::string_view text) {
  Lines lines = SplitLines(text);
  std::vector<Command> commands;
  for (; lines.at < lines.lines.size(); ++lines.at) {
    if (lines.current().empty()) continue;
    Result<Command> command = ParseCommand(&lines);
    if (!command.ok()) {
      return std::move(command).status().WithContext("line " + std::to_string(lines.at + 1) + ": " + lines.current());
    }
    commands.push_back(std::move(*command));
  }
  return commands;
}

}  // namespace varve::promqltest
