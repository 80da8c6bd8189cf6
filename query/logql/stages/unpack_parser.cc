// Two passes over the members: whether the line is packed is known only at its end, and nothing may be set
// before. Even when no label is needed the line is unpacked, since later stages see it; errors are then
// not raised, as for every skipped parser.

#include "query/logql/stages/unpack_parser.h"

#include "query/logql/stages/json_scan.h"
#include "query/logql/stages/label_key.h"

namespace varve::logql {
namespace {

constexpr std::string_view kEntryKey = "_entry";
constexpr std::string_view kNotAnObject = "expecting json object(6), but it is not";

// Calls member(key, value) for each member of the object. The error of a malformed line, or "".
template <typename Member>
std::string_view ForEachMember(std::string_view line, RowArena* arena, Member&& member) {
  const char* end = line.data() + line.size();
  const char* p = json::SkipSpace(line.data() + 1, end);
  if (p == nullptr) return json::kMalformedJson;
  while (*p != '}') {
    if (*p != '"') return json::kMalformedObject;
    bool escaped = false;
    const char* key_begin = p + 1;
    p = json::StringEnd(key_begin, end, &escaped);
    if (p == nullptr) return json::kMalformedJson;
    std::string_view key(key_begin, static_cast<size_t>(p - 1 - key_begin));
    if (escaped && !json::Unescape(key, arena, &key)) return json::kBadEscape;
    p = json::SkipSpace(p, end);
    if (p == nullptr || *p != ':') return json::kMalformedJson;
    p = json::SkipSpace(p + 1, end);
    if (p == nullptr) return json::kMalformedJson;
    json::Value value;
    std::string_view error;
    p = json::ReadValue(p, end, &value, &error);
    if (p == nullptr) return error;
    if (value.type == json::ValueType::kString) member(key, value);
    p = json::SkipSpace(p, end);
    if (p == nullptr) return json::kMalformedArray;
    if (*p == ',') {
      p = json::SkipSpace(p + 1, end);
      if (p == nullptr) return json::kMalformedArray;
    } else if (*p != '}') {
      return json::kMalformedObject;
    }
  }
  return {};
}

}  // namespace

bool UnpackParserStage::Apply(Row* row) const {
  if (row->line.empty()) return true;
  RowLabels& labels = row->labels;
  RowArena& arena = labels.arena();
  std::string_view error = kNotAnObject;
  json::Value entry;
  bool packed = false;
  if (row->line[0] == '{') {
    error = ForEachMember(row->line, &arena, [&](std::string_view key, const json::Value& value) {
      if (key != kEntryKey) return;
      entry = value;
      packed = true;
    });
  }
  if (!error.empty()) {
    if (!needed_.none()) labels.SetError(kJsonParserError, error);
    return true;
  }
  if (!packed) return true;
  if (!needed_.none()) {
    ForEachMember(row->line, &arena, [&](std::string_view key, const json::Value& value) {
      if (key == kEntryKey || key.size() > kLabelNameBytesMax) return;
      row->scratch.clear();
      AppendSanitisedKey(&row->scratch, key);
      if (row->scratch.empty()) return;
      const std::string_view name = arena.Store(row->scratch);
      const RowLabels::Target target = labels.ExtractionTarget(name, HashName(name));
      if (needed_.Contains(target)) {
        labels.Set(target.name, json::LabelValue(value, &arena), LabelCategory::kParsed);
      }
    });
  }
  row->line = json::LabelValue(entry, &arena);
  return true;
}

}  // namespace varve::logql
