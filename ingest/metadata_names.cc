#include "ingest/metadata_names.h"

#include <cstring>
#include <string>

#include "engine/model/labels.h"
#include "ingest/utf8_repair.h"

namespace varve {
namespace {

bool IsAlphaNumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsReserved(std::string_view name) {
  return name.size() > 4 && name.starts_with("__") && name.ends_with("__");
}

// Whether only letters, digits and single underscores occur.
bool IsClean(std::string_view name) {
  bool after_underscore = false;
  for (const char c : name) {
    const bool underscore = c == '_';
    if (!underscore && !IsAlphaNumeric(c)) return false;
    if (underscore && after_underscore) return false;
    after_underscore = underscore;
  }
  return true;
}

size_t WriteClean(std::string_view name, char* out) {
  char* const begin = out;
  for (const char c : name) {
    if (IsAlphaNumeric(c)) {
      *out++ = c;
    } else if (out == begin || out[-1] != '_') {
      *out++ = '_';
    }
  }
  return static_cast<size_t>(out - begin);
}

}  // namespace

bool IsStoredMetadataName(std::string_view name) {
  if (name.empty() || IsDigit(name[0])) return false;
  return IsClean(IsReserved(name) ? name.substr(2, name.size() - 4) : name);
}

Result<std::string_view> StoredMetadataName(std::string_view name, ByteArena* arena) {
  if (name.empty()) return InvalidArgument("label name is empty");
  if (IsStoredMetadataName(name)) return name;
  constexpr std::string_view kKey = "key_";
  char* const out = arena->Allocate(name.size() + kKey.size());
  if (out == nullptr) return arena->TakeStatus();
  size_t size = 0;
  if (IsReserved(name)) {
    std::memcpy(out, "__", 2);
    size = 2 + WriteClean(name.substr(2, name.size() - 4), out + 2);
    std::memcpy(out + size, "__", 2);
    size += 2;
  } else {
    if (IsDigit(name[0])) {
      std::memcpy(out, kKey.data(), kKey.size());
      size = kKey.size();
    }
    size += WriteClean(name, out + size);
  }
  arena->Trim(out, size);
  const std::string_view stored(out, size);
  if (stored.find_first_not_of('_') == std::string_view::npos) {
    return InvalidArgument("normalization for label name " + GoQuoted(name) + " resulted in invalid name " +
                           GoQuoted(stored));
  }
  return stored;
}

}  // namespace varve
