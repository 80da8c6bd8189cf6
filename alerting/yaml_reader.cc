#include "alerting/yaml_reader.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "engine/base/time.h"
#include "engine/model/labels.h"
#include "query/promql/syntax/number_text.h"

namespace varve {
namespace {

std::string Quoted(std::string_view key) { return "'" + std::string(key) + "'"; }

}  // namespace

void YamlReader::WrongKind(const YamlNode& node, std::string_view what, std::string_view wanted) const {
  Problem(node.line,
          std::string(what) + " must be " + std::string(wanted) + ", not " + std::string(YamlKindName(node)));
}

void YamlReader::Map(const YamlNode& node, std::string_view what, const std::vector<Field>& fields,
                     const std::vector<Refused>& refused) const {
  if (!node.is_map()) return WrongKind(node, what, "a map");
  for (size_t i = 0; i < node.keys.size(); ++i) {
    const YamlNode& key = node.keys[i];
    const auto has_key = [&](const auto& one) { return one.key == key.text; };
    const auto field = std::find_if(fields.begin(), fields.end(), has_key);
    if (field != fields.end()) {
      if (!node.items[i].is_null()) field->read(node.items[i]);
      continue;
    }
    std::string text;
    const auto known = std::find_if(refused.begin(), refused.end(), has_key);
    if (known != refused.end()) {
      text = "key " + GoQuoted(key.text) + " is not supported: " + std::string(known->why);
    } else {
      text = "unknown key " + GoQuoted(key.text) + ", known are";
      for (size_t k = 0; k < fields.size(); ++k) text += (k == 0 ? " " : ", ") + std::string(fields[k].key);
    }
    Problem(key.line, std::move(text));
  }
}

void YamlReader::List(const YamlNode& node, std::string_view what,
                      const std::function<void(const YamlNode&)>& item) const {
  if (!node.is_sequence()) return WrongKind(node, what, "a list");
  for (const YamlNode& one : node.items) item(one);
}

bool YamlReader::Text(const YamlNode& node, std::string_view key, std::string* value) const {
  if (node.is_scalar()) {
    *value = node.text;
    return true;
  }
  // What `summary: {{ $value }}` is to YAML.
  WrongKind(node, Quoted(key), node.is_map() ? "a text (one that begins with { needs quotes)" : "a text");
  return false;
}

void YamlReader::TextList(const YamlNode& node, std::string_view key, std::vector<std::string>* values) const {
  List(node, Quoted(key), [&](const YamlNode& one) {
    std::string text;
    if (Text(one, key, &text)) values->push_back(std::move(text));
  });
}

void YamlReader::Labels(const YamlNode& node, std::string_view key, LabelMap* labels) const {
  if (!node.is_map()) return WrongKind(node, Quoted(key), "a map");
  for (size_t i = 0; i < node.keys.size(); ++i) {
    std::string value;
    if (!node.items[i].is_null()) Text(node.items[i], std::string(key) + "." + node.keys[i].text, &value);
    labels->insert_or_assign(node.keys[i].text, std::move(value));
  }
}

void YamlReader::Duration(const YamlNode& node, std::string_view key, int64_t* ms) const {
  std::string text;
  if (!Text(node, key, &text)) return;
  const Result<int64_t> ns = promql::ParseDurationNs(text);
  if (!ns.ok()) return Problem(node.line, Quoted(key) + ": " + ns.status().message());
  *ms = ns.value() / kNsPerMs;
}

void YamlReader::Integer(const YamlNode& node, std::string_view key, int64_t min, int64_t max, int64_t* value) const {
  int64_t parsed = 0;
  const char* end = node.text.data() + node.text.size();
  const auto [stop, error] = std::from_chars(node.text.data(), end, parsed);
  if (node.is_scalar() && error == std::errc() && stop == end && parsed >= min && parsed <= max) {
    *value = parsed;
    return;
  }
  std::string text = Quoted(key) + " must be a whole number";
  if (min > std::numeric_limits<int64_t>::min()) text += " from " + std::to_string(min);
  Problem(node.line, text + " to " + std::to_string(max));
}

void YamlReader::Number(const YamlNode& node, std::string_view key, double* value) const {
  std::string_view text = node.text;
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.starts_with(".i") || text.starts_with(".I") || text.starts_with(".n") || text.starts_with(".N")) {
    text.remove_prefix(1);
  }
  const Result<double> number = promql::ParseNumber(text);
  if (!node.is_scalar() || !number.ok()) {
    return Problem(node.line, Quoted(key) + " must be a number" + (node.is_scalar() ? ", not " + GoQuoted(node.text) : ""));
  }
  *value = negative ? -*number : *number;
}

void YamlReader::Flag(const YamlNode& node, std::string_view key, bool* value) const {
  if (!node.is_scalar() || (node.text != "true" && node.text != "false")) {
    return Problem(node.line, Quoted(key) + " must be true or false");
  }
  *value = node.text == "true";
}

YamlReader::Field YamlReader::TextField(std::string_view key, std::string* value) const {
  return {key, [this, key, value](const YamlNode& node) { Text(node, key, value); }};
}

YamlReader::Field YamlReader::DurationField(std::string_view key, int64_t* ms) const {
  return {key, [this, key, ms](const YamlNode& node) { Duration(node, key, ms); }};
}

YamlReader::Field YamlReader::LabelsField(std::string_view key, LabelMap* labels) const {
  return {key, [this, key, labels](const YamlNode& node) { Labels(node, key, labels); }};
}

}  // namespace varve
