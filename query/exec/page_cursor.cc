#include "query/exec/page_cursor.h"

#include <xxhash.h>

#include "engine/base/bytes.h"
#include "query/logql/printer.h"

namespace varve {
namespace {

constexpr uint8_t kVersion = 1;
// Version, direction, seven numbers, checksum.
constexpr size_t kBytes = 2 + 7 * 8 + 8;

uint64_t Hash(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

std::string ToHex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) {
    text.push_back(kDigits[static_cast<uint8_t>(byte) >> 4]);
    text.push_back(kDigits[static_cast<uint8_t>(byte) & 15]);
  }
  return text;
}

// Empty when `text` is not hexadecimal.
std::string FromHex(std::string_view text) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  std::string bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    const int high = digit(text[i]);
    const int low = digit(text[i + 1]);
    if (high < 0 || low < 0) return {};
    bytes.push_back(static_cast<char>(high * 16 + low));
  }
  return bytes;
}

}  // namespace

std::string EncodePageCursor(const logql::Expr& expr, const QueryRequest& request,
                             const EntryPosition& last) {
  std::string bytes;
  bytes.push_back(static_cast<char>(kVersion));
  bytes.push_back(request.direction == Direction::kForward ? 1 : 0);
  PutFixed<int64_t>(&bytes, request.start_ns);
  PutFixed<int64_t>(&bytes, request.end_ns);
  PutFixed<int64_t>(&bytes, request.interval_ns);
  PutFixed<int64_t>(&bytes, last.ts_ns);
  PutFixed<uint64_t>(&bytes, last.stream_hash);
  PutFixed<uint64_t>(&bytes, last.index);
  PutFixed<uint64_t>(&bytes, Hash(logql::Print(expr)));
  PutFixed<uint64_t>(&bytes, Hash(bytes));
  return ToHex(bytes);
}

Status ApplyPageCursor(std::string_view cursor, const logql::Expr& expr, QueryRequest* request) {
  const Status malformed = InvalidArgument("could not parse 'cursor' parameter: not a cursor of this server");
  if (cursor.size() != 2 * kBytes) return malformed.Clone();
  const std::string bytes = FromHex(cursor);
  if (bytes.size() != kBytes) return malformed.Clone();
  ByteReader reader(bytes);
  const auto version = reader.Fixed<uint8_t>();
  const auto direction = reader.Fixed<uint8_t>();
  const auto start_ns = reader.Fixed<int64_t>();
  const auto end_ns = reader.Fixed<int64_t>();
  const auto interval_ns = reader.Fixed<int64_t>();
  EntryPosition after;
  after.ts_ns = reader.Fixed<int64_t>();
  after.stream_hash = reader.Fixed<uint64_t>();
  after.index = reader.Fixed<uint64_t>();
  const auto query = reader.Fixed<uint64_t>();
  const auto checksum = reader.Fixed<uint64_t>();
  if (checksum != Hash(std::string_view(bytes).substr(0, kBytes - 8)) || version != kVersion ||
      direction > 1 || end_ns < start_ns || interval_ns < 0) {
    return malformed.Clone();
  }
  if (query != Hash(logql::Print(expr))) {
    return InvalidArgument("the 'cursor' parameter belongs to another query");
  }
  request->direction = direction == 1 ? Direction::kForward : Direction::kBackward;
  request->start_ns = start_ns;
  request->end_ns = end_ns;
  request->interval_ns = interval_ns;
  request->after = after;
  request->paging = true;
  return Status::Ok();
}

}  // namespace varve
