// Groups as YAML. Texts are plain where nothing could read them as anything else, blocks where they have several
// lines, quoted otherwise.
#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>

#include "alerting/rules/rule_expression.h"
#include "alerting/rules/rule_file.h"
#include "query/promql/syntax/number_text.h"

namespace varve {
namespace {

bool IsWordByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// What YAML 1.1 and 1.2 read as something else than text, in lower case.
constexpr std::string_view kReserved[] = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"};

bool IsPlain(std::string_view text) {
  if (text.empty() || !IsWordByte(text[0]) || (text[0] >= '0' && text[0] <= '9')) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (IsWordByte(c) || std::string_view("-./()=<>+*%").find(c) != std::string_view::npos) continue;
    const bool inside = i + 1 < text.size();
    if (c == ' ' && inside && text[i + 1] != ' ' && text[i + 1] != '#') continue;
    if (c == ':' && inside && text[i + 1] != ' ') continue;
    return false;
  }
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::find(std::begin(kReserved), std::end(kReserved), lower) == std::end(kReserved);
}

// Whether a block `|` gives the text back: printable lines that do not begin or end with blanks where it matters.
bool IsBlock(std::string_view text) {
  if (text.find('\n') == std::string_view::npos || text[0] == ' ' || text[0] == '\n') return false;
  if (text.ends_with("\n\n") || text.ends_with(' ')) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if ((c < ' ' && c != '\n') || c == 0x7f) return false;
    if (c >= 0x80) return false;  // some of them break lines
    if (c == '\n' && i != 0 && text[i - 1] == ' ') return false;
  }
  return true;
}

void AppendQuoted(std::string_view text, std::string* out) {
  constexpr std::string_view kHex = "0123456789abcdef";
  *out += '"';
  for (size_t at = 0; at < text.size();) {
    const promql::DecodedRune decoded = promql::DecodeRune(text, at);
    const int32_t rune = decoded.rune;
    if (rune == '"' || rune == '\\') {
      *out += '\\';
      *out += static_cast<char>(rune);
    } else if (rune == '\n') {
      *out += "\\n";
    } else if (rune == '\t') {
      *out += "\\t";
    } else if (rune < ' ' || (rune >= 0x7f && rune < 0xa0) || rune == 0x2028 || rune == 0x2029 || rune == 0xfeff) {
      *out += "\\u";
      for (int shift = 12; shift >= 0; shift -= 4) *out += kHex[static_cast<size_t>((rune >> shift) & 15)];
    } else {
      *out += text.substr(at, static_cast<size_t>(decoded.width));
    }
    at += static_cast<size_t>(decoded.width);
  }
  *out += '"';
}

// Whether a reader could take it for the other language.
bool RightInBoth(std::string_view expr) {
  return CheckRuleExpression(expr, RuleLanguage::kPromql).ok() && CheckRuleExpression(expr, RuleLanguage::kLogql).ok();
}

class RulePrinter {
 public:
  explicit RulePrinter(size_t indent) : indent_(indent) {}

  std::string Take() { return std::move(out_); }

  void Group(const RuleGroup& group, bool list_item) {
    if (list_item) out_ += std::string(indent_ - 2, ' ') + "- ";
    first_ = list_item;
    Text("name", group.name);
    if (group.interval_ms) Duration("interval", *group.interval_ms);
    if (group.query_offset_ms) Duration("query_offset", *group.query_offset_ms);
    if (group.limit != 0) Line("limit", std::to_string(group.limit));
    Line("rules", group.rules.empty() ? "[]" : "");
    indent_ += 4;
    for (const Rule& rule : group.rules) OneRule(rule, group.labels);
    indent_ -= 4;
  }

 private:
  void Key(std::string_view key) {
    if (!first_) out_.append(indent_, ' ');
    first_ = false;
    if (IsPlain(key)) {
      out_ += key;
    } else {
      AppendQuoted(key, &out_);
    }
    out_ += ':';
  }
  void Line(std::string_view key, std::string_view value) {
    Key(key);
    if (!value.empty()) (out_ += ' ') += value;
    out_ += '\n';
  }
  void Text(std::string_view key, std::string_view text) {
    Key(key);
    out_ += ' ';
    if (IsPlain(text)) {
      out_ += text;
    } else if (IsBlock(text)) {
      return Block(text);
    } else {
      AppendQuoted(text, &out_);
    }
    out_ += '\n';
  }
  void Block(std::string_view text) {
    out_ += text.ends_with('\n') ? "|\n" : "|-\n";
    while (!text.empty()) {
      const std::string_view line = text.substr(0, text.find('\n'));
      if (!line.empty()) (out_.append(indent_ + 2, ' ')) += line;
      out_ += '\n';
      text.remove_prefix(std::min(line.size() + 1, text.size()));
    }
  }
  void Duration(std::string_view key, int64_t ms) {
    std::string text;
    promql::AppendDuration(&text, ms);
    Line(key, text);
  }
  void Labels(std::string_view key, const LabelMap& labels) {
    if (labels.empty()) return;
    Line(key, "");
    indent_ += 2;
    for (const auto& [name, value] : labels) Text(name, value);
    indent_ -= 2;
  }
  void OneRule(const Rule& rule, const LabelMap& group_labels) {
    out_ += std::string(indent_ - 2, ' ') + "- ";
    first_ = true;
    Text(rule.recording() ? "record" : "alert", rule.name());
    Text("expr", rule.expr);
    if (rule.language_given && RightInBoth(rule.expr)) Line("type", RuleLanguageName(rule.language));
    if (rule.for_ms != 0) Duration("for", rule.for_ms);
    if (rule.keep_firing_for_ms != 0) Duration("keep_firing_for", rule.keep_firing_for_ms);
    LabelMap labels = rule.labels;
    labels.insert(group_labels.begin(), group_labels.end());
    Labels("labels", labels);
    Labels("annotations", rule.annotations);
    if (rule.alarm) Alarm(*rule.alarm);
  }
  void Alarm(const AlarmSpec& alarm) {
    Line("alarm", "");
    indent_ += 2;
    Line("evaluation_periods", std::to_string(alarm.evaluation_periods));
    Line("datapoints_to_alarm", std::to_string(alarm.datapoints_to_alarm));
    Line("treat_missing", TreatMissingName(alarm.treat_missing));
    if (alarm.notify_insufficient_data) Line("notify_insufficient_data", "true");
    indent_ -= 2;
  }

  size_t indent_;
  bool first_ = false;  // the next key stands behind a list's dash
  std::string out_;
};

std::string PrintedText(std::string_view text) {
  if (IsPlain(text)) return std::string(text);
  std::string quoted;
  AppendQuoted(text, &quoted);
  return quoted;
}

}  // namespace

std::string PrintRuleGroup(const RuleGroup& group) {
  RulePrinter printer(0);
  printer.Group(group, false);
  return printer.Take();
}

std::string PrintRuleNamespaces(const std::vector<RuleGroup>& groups) {
  if (groups.empty()) return "{}\n";
  std::vector<const RuleGroup*> sorted;
  for (const RuleGroup& group : groups) sorted.push_back(&group);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const RuleGroup* a, const RuleGroup* b) { return a->file < b->file; });
  std::string out;
  const RuleGroup* last = nullptr;
  for (const RuleGroup* group : sorted) {
    if (last == nullptr || last->file != group->file) out += PrintedText(group->file) + ":\n";
    RulePrinter printer(6);
    printer.Group(*group, true);
    out += printer.Take();
    last = group;
  }
  return out;
}

}  // namespace varve
