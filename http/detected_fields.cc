#include "http/detected_fields.h"

#include <algorithm>
#include <charconv>
#include <functional>

#include "query/exec/humanized_text.h"
#include "query/logql/row_arena.h"
#include "query/logql/stages/json_scan.h"
#include "query/logql/stages/label_key.h"
#include "query/logql/stages/logfmt_scan.h"
#include "query/logql/values/byte_size.h"
#include "query/logql/values/duration.h"
#include "query/logql/values/number.h"

namespace varve {
namespace {

namespace json = logql::json;
using logql::RowArena;

// Objects nested deeper than this are left out.
constexpr size_t kJsonDepthMax = 32;

bool IsInt(std::string_view value) {
  if (value.starts_with('+')) value.remove_prefix(1);
  int64_t ignored = 0;
  const auto result = std::from_chars(value.data(), value.data() + value.size(), ignored);
  return result.ec == std::errc() && result.ptr == value.data() + value.size();
}

bool IsBool(std::string_view value) {
  for (const std::string_view known :
       {"t", "T", "true", "TRUE", "True", "f", "F", "false", "FALSE", "False"}) {
    if (value == known) return true;
  }
  return false;
}

// The narrowest type that holds values of both.
FieldType Widen(FieldType a, FieldType b) {
  if (a == b) return a;
  const auto number = [](FieldType type) { return type == FieldType::kInt || type == FieldType::kFloat; };
  return number(a) && number(b) ? FieldType::kFloat : FieldType::kString;
}

// Calls fn(path, value) for every leaf of a JSON object, nested ones included; arrays and nulls are none.
// False when the text is no JSON object.
class JsonLeaves {
 public:
  using Fn = std::function<void(const std::vector<std::string>& path, std::string_view value)>;
  JsonLeaves(RowArena* arena, const Fn& fn) : arena_(arena), fn_(fn) {}

  bool Visit(std::string_view text) {
    const char* const end = text.data() + text.size();
    const char* p = json::SkipSpace(text.data(), end);
    if (p == nullptr || p == end || *p != '{') return false;
    p = json::SkipSpace(p + 1, end);
    if (p != nullptr && p != end && *p == '}') return true;
    while (p != nullptr && p != end) {
      if (*p != '"' || !Member(&p, end)) return false;
      p = json::SkipSpace(p, end);
      if (p == nullptr || p == end) return false;
      if (*p == '}') return true;
      if (*p != ',') return false;
      p = json::SkipSpace(p + 1, end);
    }
    return false;
  }

 private:
  // "key": value, leaving *position behind the value.
  bool Member(const char** position, const char* end) {
    const char* const key_begin = *position + 1;
    bool escaped = false;
    const char* p = json::StringEnd(key_begin, end, &escaped);
    if (p == nullptr) return false;
    std::string_view key(key_begin, static_cast<size_t>(p - 1 - key_begin));
    if (escaped && !json::Unescape(key, arena_, &key)) return false;
    p = json::SkipSpace(p, end);
    if (p == nullptr || p == end || *p != ':') return false;
    p = json::SkipSpace(p + 1, end);
    if (p == nullptr || p == end) return false;
    json::Value value;
    std::string_view error;
    p = json::ReadValue(p, end, &value, &error);
    if (p == nullptr) return false;
    *position = p;
    path_.emplace_back(key);
    bool ok = true;
    if (value.type == json::ValueType::kObject) {
      ok = path_.size() >= kJsonDepthMax || Visit(value.text);
    } else if (value.type != json::ValueType::kArray && value.type != json::ValueType::kNull) {
      fn_(path_, json::LabelValue(value, arena_));
    }
    path_.pop_back();
    return ok;
  }

  RowArena* const arena_;
  const Fn& fn_;
  std::vector<std::string> path_;
};

std::string FieldName(const std::vector<std::string>& path) {
  std::string name;
  for (const std::string& part : path) {
    if (!name.empty()) name.push_back('_');
    logql::AppendSanitisedKey(&name, part);
  }
  return name;
}

struct LineField {
  std::string name;
  std::string value;
  std::vector<std::string> json_path;
};

// The fields of a line, the first of each name; `parser` is "" when it is neither JSON nor logfmt.
std::vector<LineField> ReadLine(std::string_view line, std::string_view* parser) {
  RowArena arena;
  std::vector<LineField> fields;
  std::set<std::string> seen;
  const auto add = [&](std::string name, std::string_view value, std::vector<std::string> path) {
    if (name.empty() || name.size() > logql::kLabelNameBytesMax || value.empty()) return;
    if (!seen.insert(name).second) return;
    fields.push_back({std::move(name), std::string(value), std::move(path)});
  };
  *parser = "json";
  const JsonLeaves::Fn add_leaf = [&](const std::vector<std::string>& path, std::string_view value) {
    add(FieldName(path), value, path);
  };
  if (JsonLeaves(&arena, add_leaf).Visit(line)) return fields;
  fields.clear();
  seen.clear();
  *parser = "logfmt";
  logql::LogfmtScanner scanner(line, &arena);
  while (!scanner.at_end()) {
    if (!scanner.Next()) continue;
    std::string name;
    logql::AppendSanitisedKey(&name, scanner.key());
    add(std::move(name), scanner.value(), {});
  }
  if (fields.empty()) *parser = "";
  return fields;
}

bool HasLabel(const LabelPairs& labels, std::string_view name) {
  return std::any_of(labels.begin(), labels.end(), [&](const auto& label) { return label.first == name; });
}

}  // namespace

std::string_view FieldTypeName(FieldType type) {
  switch (type) {
    case FieldType::kInt: return "int";
    case FieldType::kFloat: return "float";
    case FieldType::kBoolean: return "boolean";
    case FieldType::kDuration: return "duration";
    case FieldType::kBytes: return "bytes";
    case FieldType::kString: return "string";
  }
  return "string";
}

FieldType DetectFieldType(std::string_view value) {
  double number = 0;
  int64_t duration_ns = 0;
  uint64_t bytes = 0;
  if (IsInt(value)) return FieldType::kInt;
  if (logql::ParseGoFloat(value, &number, nullptr)) return FieldType::kFloat;
  if (IsBool(value)) return FieldType::kBoolean;
  if (logql::ParseGoDuration(value, &duration_ns, nullptr)) return FieldType::kDuration;
  if (logql::ParseByteSize(value, &bytes, nullptr)) return FieldType::kBytes;
  return FieldType::kString;
}

std::string QueryableValue(std::string_view value) {
  uint64_t bytes = 0;
  if (DetectFieldType(value) != FieldType::kBytes || !logql::ParseByteSize(value, &bytes, nullptr)) {
    return std::string(value);
  }
  std::string text = HumanizedBytes(bytes);
  std::erase(text, ' ');
  return text;
}

void FieldDetector::Add(const LabelPairs& stream, const ResultEntry& entry) {
  for (const auto& [name, value] : entry.metadata) {
    AddValue(name, value, "", {});
    const auto field = fields_.find(name);
    if (field != fields_.end()) field->second.metadata_values.emplace(value);
  }
  std::string_view parser;
  std::set<std::string> in_line;
  for (LineField& field : ReadLine(entry.line, &parser)) {
    if (HasLabel(stream, field.name)) field.name += "_extracted";
    AddValue(field.name, field.value, parser, field.json_path);
    in_line.insert(std::move(field.name));
  }
  // What only the query's own pipeline sees (an expression, a pattern, a formatted label).
  for (const auto& [name, value] : entry.parsed) {
    if (!name.starts_with("__error") && !in_line.contains(name) && !value.empty())
      AddValue(name, value, parser, {});
  }
}

void FieldDetector::AddValue(const std::string& name, std::string_view value, std::string_view parser,
                             const std::vector<std::string>& json_path) {
  auto found = fields_.find(name);
  const FieldType type = DetectFieldType(value);
  if (found == fields_.end()) {
    if (fields_.size() >= fields_max_) return;
    found = fields_.emplace(name, DetectedField()).first;
    found->second.type = type;
  }
  DetectedField& field = found->second;
  field.type = Widen(field.type, type);
  field.values.emplace(value);
  if (!parser.empty() &&
      std::find(field.parsers.begin(), field.parsers.end(), parser) == field.parsers.end()) {
    field.parsers.emplace_back(parser);
  }
  if (field.json_path.empty()) field.json_path = json_path;
}

}  // namespace varve
