// One pass over the line. Nested objects are entered in place with an explicit stack (a hostile line nests
// as deep as it likes without recursion); only the outermost of them is measured by its brackets first,
// because an object that is never closed must not contribute labels.

#include "query/logql/stages/json_parser.h"

#include <cstdint>
#include <cstring>

#include "query/logql/stages/extraction.h"
#include "query/logql/stages/json_scan.h"
#include "query/logql/stages/label_key.h"

namespace varve::logql {
namespace {

class ObjectReader {
 public:
  ObjectReader(const NeededNames& needed, Row* row)
      : row_(*row), extraction_(needed, &row->labels), arena_(row->labels.arena()) {
    row_.scratch.clear();
  }

  // The error of a malformed line; labels read before it stay. "" when all is well.
  std::string_view Read(std::string_view line) {
    const char* p = json::SkipSpace(line.data(), line.data() + line.size());
    end_ = line.data() + line.size();
    if (p == nullptr || *p != '{') return json::kMalformedObject;
    p = json::SkipSpace(p + 1, end_);
    if (p == nullptr) return json::kMalformedJson;
    p_ = p;
    while (!finished_) {
      const std::string_view error = ReadMember();
      if (!error.empty()) return error;
    }
    return {};
  }

 private:
  // Reads one member, or closes the current object. `p_` is at the first token of what is to be read.
  std::string_view ReadMember() {
    if (*p_ == '}') return Close(p_ + 1);
    if (*p_ != '"') return json::kMalformedObject;
    bool escaped = false;
    const char* key_begin = p_ + 1;
    const char* p = json::StringEnd(key_begin, end_, &escaped);
    if (p == nullptr) return json::kMalformedJson;
    std::string_view key(key_begin, static_cast<size_t>(p - 1 - key_begin));
    if (escaped && !json::Unescape(key, &arena_, &key)) return json::kBadEscape;
    p = json::SkipSpace(p, end_);
    if (p == nullptr || *p != ':') return json::kMalformedJson;
    p = json::SkipSpace(p + 1, end_);
    if (p == nullptr) return json::kMalformedJson;
    if (*p == '{') return Open(key, p);

    json::Value value;
    std::string_view error;
    p = json::ReadValue(p, end_, &value, &error);
    if (p == nullptr) return error;
    if (value.type != json::ValueType::kArray && value.type != json::ValueType::kNull) Extract(key, value);
    return Next(p);
  }

  // Enters the object at `p`, or steps over it when nothing in it is needed.
  std::string_view Open(std::string_view key, const char* p) {
    const char* object_end = nullptr;
    if (depth_ == 0) {
      object_end = json::BlockEnd(p, end_, '{', '}');
      if (object_end == nullptr) return json::kMalformedObject;
    }
    const size_t prefix_size = row_.scratch.size();
    if (prefix_size != 0) row_.scratch.push_back('_');
    AppendSanitisedKey(&row_.scratch, key);
    const bool wanted =
        row_.scratch.size() < kLabelNameBytesMax && extraction_.needed().AnyBelow(row_.scratch);
    if (!wanted) {
      row_.scratch.resize(prefix_size);
      if (object_end == nullptr) object_end = json::BlockEnd(p, end_, '{', '}');
      if (object_end == nullptr) return json::kMalformedObject;
      return Next(object_end);
    }
    if (depth_ == 0) {
      line_end_ = end_;
      end_ = object_end;
    }
    PushPrefix(prefix_size);
    p_ = json::SkipSpace(p + 1, end_);
    return p_ == nullptr ? json::kMalformedJson : std::string_view();
  }

  // The current object ends before `p`.
  std::string_view Close(const char* p) {
    if (depth_ == 0) {
      finished_ = true;
      return {};
    }
    PopPrefix();
    if (depth_ == 0) {
      p = end_;
      end_ = line_end_;
    }
    return Next(p);
  }

  // Steps from the end of a value to the next member or closing bracket.
  std::string_view Next(const char* p) {
    if (extraction_.done()) {
      finished_ = true;
      return {};
    }
    p = json::SkipSpace(p, end_);
    if (p == nullptr) return json::kMalformedArray;
    if (*p == ',') {
      p = json::SkipSpace(p + 1, end_);
      if (p == nullptr) return json::kMalformedArray;
    } else if (*p != '}') {
      return json::kMalformedObject;
    }
    p_ = p;
    return {};
  }

  void Extract(std::string_view key, const json::Value& value) {
    RowLabels::Target target;
    const size_t prefix_size = row_.scratch.size();
    if (prefix_size == 0 && IsCleanLabelKey(key) && key.size() <= kLabelNameBytesMax) {
      if (!extraction_.Claim(key, /*stable=*/true, &target)) return;
    } else {
      if (prefix_size != 0) row_.scratch.push_back('_');
      AppendSanitisedKey(&row_.scratch, key);
      const bool claimed = !row_.scratch.empty() && row_.scratch.size() <= kLabelNameBytesMax &&
                           extraction_.Claim(row_.scratch, /*stable=*/false, &target);
      row_.scratch.resize(prefix_size);
      if (!claimed) return;
    }
    extraction_.Put(target, json::LabelValue(value, &arena_));
  }

  // Prefix lengths of the enclosing objects: the first levels inline, deeper ones in the arena.
  void PushPrefix(size_t size) {
    if (depth_ == capacity_) {
      auto* grown = reinterpret_cast<uint32_t*>(arena_.Allocate(capacity_ * 2 * sizeof(uint32_t) + 3));
      grown = reinterpret_cast<uint32_t*>((reinterpret_cast<uintptr_t>(grown) + 3) & ~uintptr_t{3});
      std::memcpy(grown, prefixes_, capacity_ * sizeof(uint32_t));
      prefixes_ = grown;
      capacity_ *= 2;
    }
    prefixes_[depth_++] = static_cast<uint32_t>(size);
  }
  void PopPrefix() { row_.scratch.resize(prefixes_[--depth_]); }

  Row& row_;  // row_.scratch is the prefix of the current object
  RowExtraction extraction_;
  RowArena& arena_;
  const char* p_ = nullptr;
  const char* end_ = nullptr;
  const char* line_end_ = nullptr;
  bool finished_ = false;
  uint32_t inline_prefixes_[32];
  uint32_t* prefixes_ = inline_prefixes_;
  size_t capacity_ = 32;
  size_t depth_ = 0;
};

}  // namespace

bool JsonParserStage::Apply(Row* row) const {
  if (needed_.none()) return true;
  const std::string_view error = ObjectReader(needed_, row).Read(row->line);
  if (!error.empty()) row->labels.SetError(kJsonParserError, error);
  return true;
}

}  // namespace varve::logql
