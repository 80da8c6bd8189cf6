#include "ingest/push_masking.h"

#include <cstring>
#include <optional>
#include <string>

#include "ingest/utf8_repair.h"

namespace varve {
namespace {

class Masking {
 public:
  Masking(const LineMask& mask, int64_t size_max, ByteArena* arena)
      : mask_(mask), room_(static_cast<size_t>(size_max)), arena_(arena) {}

  // Adds to *texts when the text changes.
  Status Apply(std::string_view* text, uint64_t* texts, uint64_t* replacements) {
    std::string_view input = *text;
    if (!IsAscii(input) && !IsValidUtf8(input)) {
      repaired_ = RepairedUtf8(input);
      input = repaired_;
    }
    if (!mask_.MayChange(input)) return Status::Ok();
    const std::optional<uint64_t> replaced = mask_.Replace(input, room_, &masked_);
    if (!replaced.has_value()) {
      return TooLarge("request body too large: limits.mask makes more of it than limits.max_decompressed_size");
    }
    if (*replaced == 0) return Status::Ok();
    char* const out = arena_->Allocate(masked_.size());
    if (out == nullptr) return arena_->TakeStatus();
    if (!masked_.empty()) std::memcpy(out, masked_.data(), masked_.size());
    room_ -= masked_.size();
    *text = {out, masked_.size()};
    ++*texts;
    *replacements += *replaced;
    return Status::Ok();
  }

 private:
  const LineMask& mask_;
  size_t room_;  // bytes that what changes may still take
  ByteArena* const arena_;
  std::string repaired_;
  std::string masked_;
};

}  // namespace

Status MaskPush(const LineMask& mask, int64_t size_max, DecodedPush* decoded, ByteArena* arena, MaskCounts* counts) {
  Masking masking(mask, size_max, arena);
  for (LogEntryView& entry : decoded->entries) {
    VARVE_RETURN_IF_ERROR(masking.Apply(&entry.line, &counts->entries, &counts->replacements));
  }
  // Of a value that several entries share, OTLP's resource attributes, each entry has a pair of its own.
  for (auto& [name, value] : decoded->pairs) {
    VARVE_RETURN_IF_ERROR(masking.Apply(&value, &counts->values, &counts->replacements));
  }
  return Status::Ok();
}

}  // namespace varve
