// fromJson: JSON text as a value. Text that is no JSON is nil, as in sprig; nesting is bounded.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "query/logql/values/number.h"
#include "query/templates/template_call.h"
#include "query/templates/template_text.h"

namespace varve::templates {
namespace {

class JsonReader {
 public:
  enum class Outcome : uint8_t { kOk, kInvalid, kTooDeep, kNoMemory };

  JsonReader(std::string_view text, TemplateMemory* memory) : rest_(text), memory_(*memory) {}

  Outcome Read(TemplateValue* value) {
    if (!Element(0, value)) return outcome_;
    SkipSpace();
    return rest_.empty() ? Outcome::kOk : Outcome::kInvalid;
  }

 private:
  bool Fail(Outcome outcome) {
    outcome_ = outcome;
    return false;
  }
  bool Invalid() { return Fail(Outcome::kInvalid); }

  void SkipSpace() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }

  bool Accept(char c) {
    SkipSpace();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool Word(std::string_view word, TemplateValue result, TemplateValue* value) {
    if (!rest_.starts_with(word)) return Invalid();
    rest_.remove_prefix(word.size());
    *value = result;
    return true;
  }

  bool Element(int depth, TemplateValue* value) {
    if (depth > kTemplateJsonDepthMax) return Fail(Outcome::kTooDeep);
    SkipSpace();
    if (rest_.empty()) return Invalid();
    switch (rest_[0]) {
      case '{': return Object(depth, value);
      case '[': return Array(depth, value);
      case '"': {
        std::string_view text;
        if (!String(&text)) return false;
        *value = TemplateValue::String(text);
        return true;
      }
      case 't': return Word("true", TemplateValue::Bool(true), value);
      case 'f': return Word("false", TemplateValue::Bool(false), value);
      case 'n': return Word("null", TemplateValue::Nil(), value);
      default: return Number(value);
    }
  }

  bool Array(int depth, TemplateValue* value) {
    rest_.remove_prefix(1);
    std::vector<TemplateValue> items;
    if (!Accept(']')) {
      do {
        if (!Element(depth + 1, &items.emplace_back())) return false;
      } while (Accept(','));
      if (!Accept(']')) return Invalid();
    }
    auto* copy = memory_.AllocateArray<TemplateValue>(items.size());
    auto* list = memory_.AllocateArray<TemplateList>(1);
    if (copy == nullptr || list == nullptr) return Fail(Outcome::kNoMemory);
    std::copy(items.begin(), items.end(), copy);
    list->items = {copy, items.size()};
    *value = TemplateValue::List(list);
    return true;
  }

  bool Object(int depth, TemplateValue* value) {
    rest_.remove_prefix(1);
    std::vector<TemplateMap::Entry> entries;
    if (!Accept('}')) {
      do {
        SkipSpace();
        TemplateMap::Entry& entry = entries.emplace_back();
        if (!rest_.starts_with('"')) return Invalid();
        if (!String(&entry.key)) return false;
        if (!Accept(':')) return Invalid();
        if (!Element(depth + 1, &entry.value)) return false;
      } while (Accept(','));
      if (!Accept('}')) return Invalid();
    }
    return StoreMap(&entries, value);
  }

  // The last of equal keys counts.
  bool StoreMap(std::vector<TemplateMap::Entry>* entries, TemplateValue* value) {
    std::stable_sort(entries->begin(), entries->end(),
                     [](const auto& a, const auto& b) { return a.key < b.key; });
    auto* copy = memory_.AllocateArray<TemplateMap::Entry>(entries->size());
    auto* map = memory_.AllocateArray<TemplateMap>(1);
    if (copy == nullptr || map == nullptr) return Fail(Outcome::kNoMemory);
    size_t count = 0;
    for (size_t i = 0; i < entries->size(); ++i) {
      if (i + 1 < entries->size() && (*entries)[i + 1].key == (*entries)[i].key) continue;
      copy[count++] = (*entries)[i];
    }
    map->entries = {copy, count};
    *value = TemplateValue::Map(ValueType::kMap, map);
    return true;
  }

  bool Number(TemplateValue* value) {
    size_t size = 0;
    const auto digits = [&] {
      const size_t begin = size;
      while (size < rest_.size() && rest_[size] >= '0' && rest_[size] <= '9') ++size;
      return size > begin;
    };
    if (rest_[0] == '-') ++size;
    if (size < rest_.size() && rest_[size] == '0') {
      ++size;
    } else if (!digits()) {
      return Invalid();
    }
    if (size < rest_.size() && rest_[size] == '.') {
      ++size;
      if (!digits()) return Invalid();
    }
    if (size < rest_.size() && (rest_[size] | 0x20) == 'e') {
      ++size;
      if (size < rest_.size() && (rest_[size] == '+' || rest_[size] == '-')) ++size;
      if (!digits()) return Invalid();
    }
    double number = 0;
    // A number that float64 cannot hold is nil.
    const bool fits = logql::ParseGoFloat(rest_.substr(0, size), &number, nullptr) && std::isfinite(number);
    *value = fits ? TemplateValue::Float64(number) : TemplateValue::Nil();
    rest_.remove_prefix(size);
    return true;
  }

  // A plain text stays where it is; one with escapes or invalid UTF-8 is decoded into memory.
  bool String(std::string_view* text) {
    rest_.remove_prefix(1);
    size_t size = 0;
    while (size < rest_.size() && rest_[size] != '"' && rest_[size] != '\\' && rest_[size] >= ' ') ++size;
    if (size < rest_.size() && rest_[size] == '"') {
      *text = rest_.substr(0, size);
      rest_.remove_prefix(size + 1);
      return true;
    }
    std::string decoded;
    if (!DecodeString(&decoded)) return Invalid();
    char* const copy = memory_.Allocate(decoded.size());
    if (copy == nullptr) return Fail(Outcome::kNoMemory);
    if (!decoded.empty()) std::memcpy(copy, decoded.data(), decoded.size());
    *text = {copy, decoded.size()};
    return true;
  }

  bool DecodeString(std::string* out) {
    static constexpr std::string_view kEscapes = "\"\\/bfnrt";
    static constexpr std::string_view kDecoded = "\"\\/\b\f\n\r\t";
    while (!rest_.empty() && rest_[0] != '"') {
      if (static_cast<uint8_t>(rest_[0]) < ' ') return false;
      if (rest_[0] != '\\') {
        const auto [rune, size] = FirstRune(rest_);
        AppendRune(rune, out);
        rest_.remove_prefix(size);
        continue;
      }
      if (rest_.size() < 2) return false;
      if (rest_[1] == 'u') {
        if (!DecodeUnicode(out)) return false;
        continue;
      }
      const size_t which = kEscapes.find(rest_[1]);
      if (which == std::string_view::npos) return false;
      out->push_back(kDecoded[which]);
      rest_.remove_prefix(2);
    }
    if (rest_.empty()) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // \uXXXX at the start; false when it is none.
  bool HexRune(uint32_t* rune) const {
    if (rest_.size() < 6 || rest_[0] != '\\' || rest_[1] != 'u') return false;
    *rune = 0;
    for (const char c : rest_.substr(2, 4)) {
      const char lower = static_cast<char>(c | 0x20);
      const bool digit = c >= '0' && c <= '9';
      if (!digit && (lower < 'a' || lower > 'f')) return false;
      *rune = *rune << 4 | static_cast<uint32_t>(digit ? c - '0' : lower - 'a' + 10);
    }
    return true;
  }

  bool DecodeUnicode(std::string* out) {
    uint32_t rune = 0;
    if (!HexRune(&rune)) return false;
    rest_.remove_prefix(6);
    uint32_t low = 0;
    if (rune >= 0xD800 && rune < 0xDC00 && HexRune(&low) && low >= 0xDC00 && low < 0xE000) {
      rune = 0x10000 + ((rune - 0xD800) << 10) + (low - 0xDC00);
      rest_.remove_prefix(6);
    }
    AppendRune(rune, out);
    return true;
  }

  std::string_view rest_;
  TemplateMemory& memory_;
  Outcome outcome_ = Outcome::kInvalid;
};

bool FromJson(TemplateCall* call) {
  TemplateValue value;
  switch (JsonReader(call->Text(0), call->memory).Read(&value)) {
    case JsonReader::Outcome::kOk: return call->Return(value);
    case JsonReader::Outcome::kInvalid: return call->Return(TemplateValue::Nil());
    case JsonReader::Outcome::kTooDeep:
      return call->Fail(LimitError("template_json_depth_max", kTemplateJsonDepthMax));
    case JsonReader::Outcome::kNoMemory: break;
  }
  return call->FailMemory();
}

constexpr TemplateFunction kFunctions[] = {{"fromJson", "s", FromJson}};

}  // namespace

std::span<const TemplateFunction> JsonFunctions() { return kFunctions; }

}  // namespace varve::templates
