#include "alerting/notify/config_yaml.h"

#include <algorithm>
#include <charconv>

#include "query/promql/syntax/number_text.h"

namespace varve {
namespace {

constexpr int kMergeDepthMax = 16;

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

bool YamlFile::Load(std::string_view text, YAML::Node* root) {
  if (text.size() > kBytesMax) {
    errors_.push_back(name_ + ": longer than 4 MiB");
    return false;
  }
  try {
    *root = YAML::Load(std::string(text));
    return true;
  } catch (const YAML::Exception& e) {
    errors_.push_back(name_ + ":" + std::to_string(std::max(e.mark.line, 0) + first_line_) + ": " + e.msg);
    return false;
  }
}

void YamlFile::Fail(const YAML::Node& at, std::string_view where, std::string_view what) {
  if (errors_.size() >= kErrorsMax) return;
  const int line = std::max(at.Mark().line, 0) + first_line_;
  std::string text = name_ + ":" + std::to_string(line) + ": ";
  if (!where.empty()) text.append(where).append(": ");
  errors_.push_back(text.append(what));
}

Status YamlFile::Errors() const {
  if (errors_.empty()) return Status::Ok();
  std::string text;
  for (const std::string& error : errors_) text += (text.empty() ? "" : "\n") + error;
  return InvalidArgument(std::move(text));
}

bool YamlFile::Count() {
  if (++nodes_ <= kNodesMax) return true;
  if (nodes_ == kNodesMax + 1) errors_.push_back(name_ + ": more than 200000 values (anchors count where they are used)");
  return false;
}

bool YamlIsEmpty(const YAML::Node& node) { return !node.IsDefined() || node.IsNull(); }

YamlMap::YamlMap(YamlFile* file, const YAML::Node& node, std::string where)
    : file_(file), node_(node), where_(std::move(where)) {
  if (YamlIsEmpty(node)) return;
  if (!node.IsMap()) {
    Fail("expected a mapping of keys to values");
    return;
  }
  AddEntries(node, false, 0);
}

void YamlMap::AddEntries(const YAML::Node& node, bool merged, int depth) {
  std::vector<YAML::Node> merges;
  for (const auto& pair : node) {
    if (!file_->Count()) return;
    if (!pair.first.IsScalar()) {
      file_->Fail(pair.first, where_, "a key must be a text");
      continue;
    }
    const std::string& key = pair.first.Scalar();
    if (key == "<<") {
      merges.push_back(pair.second);
    } else if (Find(key) == nullptr) {
      entries_.push_back({key, pair.first, pair.second, false});
    } else if (!merged) {
      file_->Fail(pair.first, where_, "key \"" + key + "\" is there twice");
    }
  }
  // Keys of the mapping itself win over those merged into it, and those merged first over later ones.
  for (const YAML::Node& merge : merges) AddMerged(merge, depth + 1);
}

void YamlMap::AddMerged(const YAML::Node& value, int depth) {
  if (depth > kMergeDepthMax) {
    Fail("merge keys (<<) are nested too deeply");
  } else if (value.IsMap()) {
    AddEntries(value, true, depth);
  } else if (value.IsSequence()) {
    for (const auto& element : value) AddMerged(element, depth + 1);
  } else {
    Fail("a merge key (<<) needs a mapping");
  }
}

YamlMap::Entry* YamlMap::Find(std::string_view key) {
  const auto it = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.key == key; });
  return it == entries_.end() ? nullptr : &*it;
}

std::optional<YAML::Node> YamlMap::Take(std::string_view key) {
  Entry* entry = Find(key);
  if (entry == nullptr) return std::nullopt;
  entry->taken = true;
  return entry->value;
}

bool YamlMap::Has(std::string_view key) const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const Entry& entry) { return entry.key == key && !YamlIsEmpty(entry.value); });
}

std::optional<std::pair<std::string, YAML::Node>> YamlMap::Scalar(std::string_view key) {
  std::optional<YAML::Node> value = Take(key);
  if (!value || YamlIsEmpty(*value)) return std::nullopt;
  if (!value->IsScalar()) {
    FailAt(key, "expected a single value");
    return std::nullopt;
  }
  return std::make_pair(value->Scalar(), *value);
}

bool YamlMap::Read(std::string_view key, std::string* out) {
  auto scalar = Scalar(key);
  if (scalar) {
    *out = std::move(scalar->first);
    return !out->empty();
  }
  const Entry* entry = Find(key);
  if (entry != nullptr && YamlIsEmpty(entry->value)) out->clear();
  return false;
}

bool YamlMap::Read(std::string_view key, bool* out) {
  std::optional<bool> read;
  if (!Read(key, &read)) return false;
  *out = *read;
  return true;
}

bool YamlMap::Read(std::string_view key, std::optional<bool>* out) {
  const auto scalar = Scalar(key);
  if (!scalar) return false;
  const std::optional<bool> flag = BoolOf(scalar->first);
  if (!flag) {
    FailAt(key, "expected true or false, found \"" + scalar->first + "\"");
    return false;
  }
  *out = flag;
  return true;
}

bool YamlMap::Read(std::string_view key, uint64_t* out) {
  const auto scalar = Scalar(key);
  if (!scalar) return false;
  const std::string& text = scalar->first;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  if (error == std::errc() && end == text.data() + text.size()) return true;
  FailAt(key, "expected a whole number, found \"" + text + "\"");
  return false;
}

bool YamlMap::Read(std::string_view key, std::vector<std::string>* out) {
  const std::optional<YAML::Node> value = Take(key);
  if (!value || YamlIsEmpty(*value)) return false;
  out->clear();
  if (value->IsScalar()) {  // Go's YAML takes one value for a list of it
    out->push_back(value->Scalar());
    return true;
  }
  if (!value->IsSequence()) {
    FailAt(key, "expected a list");
    return false;
  }
  for (const auto& element : *value) {
    if (!file_->Count()) return false;
    if (element.IsScalar()) {
      out->push_back(element.Scalar());
    } else {
      file_->Fail(element, where_, std::string(key) + ": expected a list of texts");
    }
  }
  return true;
}

bool YamlMap::Read(std::string_view key, LabelMap* out) {
  const std::optional<YAML::Node> value = Take(key);
  if (!value || YamlIsEmpty(*value)) return false;
  YamlMap map(file_, *value, where_ + ": " + std::string(key));
  for (Entry& entry : map.entries_) {
    if (YamlIsEmpty(entry.value)) {
      (*out)[entry.key] = "";
    } else if (entry.value.IsScalar()) {
      (*out)[entry.key] = entry.value.Scalar();
    } else {
      map.FailAt(entry.key, "expected a single value");
    }
  }
  return true;
}

bool YamlMap::ReadDurationMs(std::string_view key, int64_t* out) {
  const auto scalar = Scalar(key);
  if (!scalar) return false;
  if (scalar->first == "0") {
    *out = 0;
    return true;
  }
  // Digits alone are a number of seconds to PromQL, and nothing to Alertmanager.
  const bool bare = scalar->first.find_first_not_of("0123456789") == std::string::npos;
  const auto ns = promql::ParseDurationNs(scalar->first);
  if (bare || !ns.ok() || *ns < 0) {
    FailAt(key, "\"" + scalar->first + "\" is not a duration such as 30s or 1h30m");
    return false;
  }
  *out = *ns / 1'000'000;
  return true;
}

bool YamlMap::ReadGoDurationMs(std::string_view key, int64_t* out) {
  const auto scalar = Scalar(key);
  if (!scalar) return false;
  const std::optional<int64_t> ms = GoDurationMs(scalar->first);
  if (!ms) {
    FailAt(key, "\"" + scalar->first + "\" is not a duration such as 30s or 1h30m");
    return false;
  }
  *out = *ms;
  return true;
}

void YamlMap::Each(std::string_view key, const std::function<void(const YAML::Node&)>& element) {
  const std::optional<YAML::Node> value = Take(key);
  if (!value || YamlIsEmpty(*value)) return;
  if (!value->IsSequence()) {
    FailAt(key, "expected a list");
    return;
  }
  for (const auto& node : *value) {
    if (!file_->Count()) return;
    element(node);
  }
}

void YamlMap::Finish() {
  for (const Entry& entry : entries_) {
    if (!entry.taken) file_->Fail(entry.key_node, where_, "unknown key \"" + entry.key + "\"");
  }
}

void YamlMap::FailAt(std::string_view key, std::string_view what) {
  const Entry* entry = Find(key);
  file_->Fail(entry != nullptr ? entry->key_node : node_, where_, std::string(key) + ": " + std::string(what));
}

}  // namespace varve
