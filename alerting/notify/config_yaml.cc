#include "alerting/notify/config_yaml.h"

#include <algorithm>
#include <charconv>

#include "query/promql/syntax/number_text.h"

namespace varve {
namespace {

// What Go's YAML takes for true and false.
std::optional<bool> BoolOf(std::string_view text) {
  for (const std::string_view yes : {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no : {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "n", "N"}) {
    if (text == no) return false;
  }
  return std::nullopt;
}

// 1.5h, 300ms, 2m30s; 0 without a unit. Milliseconds, rounded down.
std::optional<int64_t> GoDurationMs(std::string_view text) {
  if (text == "0") return 0;
  double total = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (error != std::errc() || number < 0) return std::nullopt;
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    constexpr std::pair<std::string_view, double> kUnits[] = {{"ns", 1e-6}, {"us", 1e-3}, {"µs", 1e-3}, {"ms", 1},
                                                              {"s", 1e3},   {"m", 6e4},   {"h", 3.6e6}};
    const auto* unit = std::find_if(std::begin(kUnits), std::end(kUnits),
                                    [&](const auto& candidate) { return text.starts_with(candidate.first); });
    if (unit == std::end(kUnits)) return std::nullopt;
    text.remove_prefix(unit->first.size());
    total += number * unit->second;
  }
  if (total > 1e15) return std::nullopt;
  return static_cast<int64_t>(total);
}

}  // namespace

bool YamlFile::Load(std::string_view text) {
  auto document = ParseYaml(text, name_, first_line_);
  if (!document.ok()) {
    errors_.push_back(document.status().message());
    return false;
  }
  document_ = std::move(*document);
  return true;
}

std::string YamlFile::Place(const YamlNode& at) const {
  return name_ + ":" + std::to_string(at.line == 0 ? first_line_ : at.line);
}

void YamlFile::Fail(const YamlNode& at, std::string_view where, std::string_view what) {
  if (errors_.size() >= kErrorsMax) return;
  std::string text = Place(at) + ": ";
  if (!where.empty()) text.append(where).append(": ");
  errors_.push_back(text.append(what));
}

Status YamlFile::Errors() const {
  if (errors_.empty()) return Status::Ok();
  std::string text;
  for (const std::string& error : errors_) text += (text.empty() ? "" : "\n") + error;
  return InvalidArgument(std::move(text));
}

YamlMap::YamlMap(YamlFile* file, const YamlNode& node, std::string where)
    : file_(file), node_(node), where_(std::move(where)) {
  if (!node.is_null() && !node.is_map()) Fail("expected a mapping of keys to values");
}

const YamlNode* YamlMap::Take(std::string_view key) {
  taken_.emplace_back(key);
  const YamlNode* value = node_.is_map() ? node_.Find(key) : nullptr;
  return value == nullptr || value->is_null() ? nullptr : value;
}

bool YamlMap::Has(std::string_view key) const {
  const YamlNode* value = node_.is_map() ? node_.Find(key) : nullptr;
  return value != nullptr && !value->is_null();
}

const YamlNode* YamlMap::Key(std::string_view key) const {
  const auto it = std::find_if(node_.keys.begin(), node_.keys.end(), [&](const YamlNode& k) { return k.text == key; });
  return it == node_.keys.end() ? nullptr : &*it;
}

const YamlNode* YamlMap::Scalar(std::string_view key) {
  const YamlNode* value = Take(key);
  if (value == nullptr || value->is_scalar()) return value;
  FailAt(key, "expected a single value");
  return nullptr;
}

bool YamlMap::Read(std::string_view key, std::string* out) {
  if (const YamlNode* scalar = Scalar(key); scalar != nullptr) {
    *out = scalar->text;
    return !out->empty();
  }
  if (Key(key) != nullptr) out->clear();
  return false;
}

bool YamlMap::Read(std::string_view key, bool* out) {
  std::optional<bool> read;
  if (!Read(key, &read)) return false;
  *out = *read;
  return true;
}

bool YamlMap::Read(std::string_view key, std::optional<bool>* out) {
  const YamlNode* scalar = Scalar(key);
  if (scalar == nullptr) return false;
  const std::optional<bool> flag = BoolOf(scalar->text);
  if (!flag) {
    FailAt(key, "expected true or false, found \"" + scalar->text + "\"");
    return false;
  }
  *out = flag;
  return true;
}

bool YamlMap::Read(std::string_view key, uint64_t* out) {
  const YamlNode* scalar = Scalar(key);
  if (scalar == nullptr) return false;
  const std::string& text = scalar->text;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  if (error == std::errc() && end == text.data() + text.size()) return true;
  FailAt(key, "expected a whole number, found \"" + text + "\"");
  return false;
}

bool YamlMap::Read(std::string_view key, std::vector<std::string>* out) {
  const YamlNode* value = Take(key);
  if (value == nullptr) return false;
  out->clear();
  if (value->is_scalar()) {  // Go's YAML takes one value for a list of it
    out->push_back(value->text);
    return true;
  }
  if (!value->is_sequence()) {
    FailAt(key, "expected a list");
    return false;
  }
  for (const YamlNode& element : value->items) {
    if (element.is_scalar()) {
      out->push_back(element.text);
    } else {
      file_->Fail(element, where_, std::string(key) + ": expected a list of texts");
    }
  }
  return true;
}

bool YamlMap::Read(std::string_view key, LabelMap* out) {
  const YamlNode* value = Take(key);
  if (value == nullptr) return false;
  const YamlMap map(file_, *value, where_ + ": " + std::string(key));
  for (size_t i = 0; i < value->keys.size(); ++i) {
    if (value->items[i].is_scalar() || value->items[i].is_null()) {
      (*out)[value->keys[i].text] = value->items[i].text;
    } else {
      file_->Fail(value->keys[i], map.where(), value->keys[i].text + ": expected a single value");
    }
  }
  return true;
}

bool YamlMap::ReadDurationMs(std::string_view key, int64_t* out) {
  const YamlNode* scalar = Scalar(key);
  if (scalar == nullptr) return false;
  if (scalar->text == "0") {
    *out = 0;
    return true;
  }
  // Digits alone are a number of seconds to PromQL, and nothing to Alertmanager.
  const bool bare = scalar->text.find_first_not_of("0123456789") == std::string::npos;
  const auto ns = promql::ParseDurationNs(scalar->text);
  if (bare || !ns.ok() || *ns < 0) {
    FailAt(key, "\"" + scalar->text + "\" is not a duration such as 30s or 1h30m");
    return false;
  }
  *out = *ns / 1'000'000;
  return true;
}

bool YamlMap::ReadGoDurationMs(std::string_view key, int64_t* out) {
  const YamlNode* scalar = Scalar(key);
  if (scalar == nullptr) return false;
  const std::optional<int64_t> ms = GoDurationMs(scalar->text);
  if (!ms) {
    FailAt(key, "\"" + scalar->text + "\" is not a duration such as 30s or 1h30m");
    return false;
  }
  *out = *ms;
  return true;
}

void YamlMap::Each(std::string_view key, const std::function<void(const YamlNode&)>& element) {
  const YamlNode* value = Take(key);
  if (value == nullptr) return;
  if (!value->is_sequence()) {
    FailAt(key, "expected a list");
    return;
  }
  for (const YamlNode& node : value->items) element(node);
}

void YamlMap::Finish() {
  for (const YamlNode& key : node_.keys) {
    if (std::find(taken_.begin(), taken_.end(), key.text) == taken_.end()) {
      file_->Fail(key, where_, "unknown key \"" + key.text + "\"");
    }
  }
}

void YamlMap::FailAt(std::string_view key, std::string_view what) {
  const YamlNode* at = Key(key);
  file_->Fail(at != nullptr ? *at : node_, where_, std::string(key) + ": " + std::string(what));
}

}  // namespace varve
