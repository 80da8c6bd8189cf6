#include "tools/push_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>

#include "engine/model/labels.h"
#include "engine/model/regex.h"

namespace varve {
namespace {

constexpr int kGroupsMax = 32;
constexpr std::string_view kTimestampGroup = "timestamp";
constexpr std::string_view kLevel = "level";

struct FieldRule {
  Regex regex;
  struct Group {
    std::string name;
    size_t number;
  };
  std::vector<Group> groups;
  size_t timestamp = 0;  // the group that holds the line's time; 0 = none
};

struct LevelRule {
  std::string level;
  Regex regex;
};

Result<FieldRule> ParseFields(const std::string& text) {
  Result<Regex> regex = CompileRegex(text, {});
  if (!regex.ok()) return InvalidArgument(fmt::format("--fields {}: {}", text, regex.status().message()));
  FieldRule rule;
  rule.regex = std::move(*regex);
  if (rule.regex->NumberOfCapturingGroups() >= kGroupsMax) {
    return InvalidArgument(fmt::format("--fields {}: more than {} groups", text, kGroupsMax - 1));
  }
  for (const auto& [number, name] : rule.regex->CapturingGroupNames()) {
    if (name == kTimestampGroup) {
      rule.timestamp = static_cast<size_t>(number);
    } else if (!IsValidLabelName(name)) {
      return InvalidArgument(fmt::format("--fields {}: {} is no name for a field", text, name));
    } else {
      rule.groups.push_back({name, static_cast<size_t>(number)});
    }
  }
  if (rule.groups.empty() && rule.timestamp == 0) {
    return InvalidArgument(fmt::format("--fields {}: has no named group such as (?P<ip>\\S+)", text));
  }
  return rule;
}

Result<LevelRule> ParseLevel(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
    return InvalidArgument(fmt::format("--level {}: expected LEVEL=REGEX", text));
  }
  Result<Regex> regex = CompileRegex(text.substr(equals + 1), {});
  if (!regex.ok()) return InvalidArgument(fmt::format("--level {}: {}", text, regex.status().message()));
  return LevelRule{text.substr(0, equals), std::move(*regex)};
}

}  // namespace

struct LineShaper::Impl {
  std::optional<LineTimeFormat> times;
  std::vector<FieldRule> fields;
  std::vector<LevelRule> levels;
  std::array<re2::StringPiece, kGroupsMax> groups;
};

void AddLineOptions(CLI::App* command, LineOptions* options) {
  command
      ->add_option("--timestamp-format", options->timestamp_format,
                   "what lines begin with: syslog, rfc3339, unix, or as of strptime, such as \"%Y-%m-%d %H:%M:%S,%f\"")
      ->type_name("FORMAT");
  command->add_option("--time-zone", options->time_zone, "of times that do not say theirs")->type_name("ZONE");
  command
      ->add_option("--fields", options->fields,
                   "named groups become structured metadata; of several the first that matches. A group named timestamp "
                   "holds the line's time")
      ->type_name("REGEX")
      ->allow_extra_args(false);
  command
      ->add_option("--level", options->levels, "lines that match get structured metadata level=LEVEL; the first one counts")
      ->type_name("LEVEL=REGEX")
      ->allow_extra_args(false);
}

Result<std::unique_ptr<LineShaper>> LineShaper::Create(const LineOptions& options) {
  auto impl = std::make_unique<Impl>();
  if (!options.timestamp_format.empty()) {
    VARVE_ASSIGN_OR_RETURN(impl->times, LineTimeFormat::Parse(options.timestamp_format, options.time_zone));
  } else if (!options.time_zone.empty()) {
    return InvalidArgument("--time-zone needs --timestamp-format");
  }
  for (const std::string& text : options.fields) {
    VARVE_ASSIGN_OR_RETURN(FieldRule rule, ParseFields(text));
    if (rule.timestamp != 0 && !impl->times.has_value()) {
      return InvalidArgument(fmt::format("--fields {}: the group timestamp needs --timestamp-format", text));
    }
    impl->fields.push_back(std::move(rule));
  }
  for (const std::string& text : options.levels) {
    VARVE_ASSIGN_OR_RETURN(LevelRule rule, ParseLevel(text));
    impl->levels.push_back(std::move(rule));
  }
  return std::make_unique<LineShaper>(std::move(impl));
}

LineShaper::LineShaper(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LineShaper::~LineShaper() = default;

bool LineShaper::has_times() const { return impl_->times.has_value(); }

void LineShaper::Shape(std::string_view line, int64_t previous_ns, int64_t now_ns, Line* out) {
  Impl& in = *impl_;
  out->ts_ns.reset();
  out->metadata.clear();
  std::string_view time_text = line;
  bool has_level = false;
  const re2::StringPiece text(line.data(), line.size());
  for (const FieldRule& rule : in.fields) {
    const int count = rule.regex->NumberOfCapturingGroups() + 1;
    if (!rule.regex->Match(text, 0, text.size(), re2::RE2::UNANCHORED, in.groups.data(), count)) continue;
    for (const FieldRule::Group& group : rule.groups) {
      const re2::StringPiece& value = in.groups[group.number];
      if (value.empty()) continue;
      out->metadata.emplace_back(group.name, std::string_view(value.data(), value.size()));
      has_level = has_level || group.name == kLevel;
    }
    if (rule.timestamp != 0) {
      const re2::StringPiece& value = in.groups[rule.timestamp];
      time_text = std::string_view(value.data(), value.size());
    }
    break;
  }
  if (in.times.has_value()) out->ts_ns = in.times->Read(time_text, previous_ns, now_ns);
  if (has_level) return;
  for (const LevelRule& rule : in.levels) {
    if (!RegexMatches(*rule.regex, line)) continue;
    out->metadata.emplace_back(kLevel, rule.level);
    break;
  }
}

}  // namespace varve
