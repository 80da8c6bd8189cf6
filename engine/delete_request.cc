#include "engine/delete_request.h"

#include <algorithm>

#include "engine/base/bytes.h"
#include "engine/codec/checksum.h"

namespace varve {
namespace {

constexpr uint8_t kVersion = 1;

}  // namespace

std::string EncodeDeleteRequest(const DeleteRequest& request) {
  std::string out;
  out.push_back(static_cast<char>(kVersion));
  PutVarint(&out, request.number);
  PutLengthPrefixed(&out, request.id);
  PutLengthPrefixed(&out, request.tenant);
  PutLengthPrefixed(&out, request.query);
  PutSignedVarint(&out, request.start_ns);
  PutSignedVarint(&out, request.end_ns);
  PutSignedVarint(&out, request.created_ns);
  PutVarint(&out, request.through);
  out.push_back(static_cast<char>(request.state));
  PutSignedVarint(&out, request.processed_ns);
  PutVarint(&out, request.changed);
  PutVarint(&out, request.packs_concerned);
  PutFixed<uint64_t>(&out, Checksum(out));
  return out;
}

Result<DeleteRequest> DecodeDeleteRequest(std::string_view bytes) {
  if (bytes.size() < 1 + sizeof(uint64_t)) {
    return Corruption("hot database: a delete request of " + std::to_string(bytes.size()) + " bytes");
  }
  if (static_cast<uint8_t>(bytes[0]) != kVersion) {
    return Corruption("hot database: a delete request of version " +
                      std::to_string(static_cast<uint8_t>(bytes[0])) + "; this program knows version 1");
  }
  const std::string_view checked = bytes.substr(0, bytes.size() - sizeof(uint64_t));
  if (LoadFixed<uint64_t>(checked.data() + checked.size()) != Checksum(checked)) {
    return Corruption("hot database: the checksum of a delete request is wrong");
  }
  ByteReader reader(checked.substr(1));
  DeleteRequest request;
  request.number = reader.Varint();
  request.id = reader.LengthPrefixed();
  request.tenant = reader.LengthPrefixed();
  request.query = reader.LengthPrefixed();
  request.start_ns = reader.SignedVarint();
  request.end_ns = reader.SignedVarint();
  request.created_ns = reader.SignedVarint();
  request.through = reader.Varint();
  const auto state = reader.Fixed<uint8_t>();
  request.processed_ns = reader.SignedVarint();
  request.changed = reader.Varint();
  request.packs_concerned = reader.Varint();
  if (!reader.AtEnd() || state > static_cast<uint8_t>(DeleteRequest::State::kCancelled)) {
    return Corruption("hot database: a delete request is malformed");
  }
  request.state = static_cast<DeleteRequest::State>(state);
  return request;
}

uint32_t PercentDone(const DeleteRequest& request) {
  if (request.packs_concerned == 0) return 0;
  const uint64_t left = std::min(request.packs_left, request.packs_concerned);
  return static_cast<uint32_t>(std::min<uint64_t>(99, 100 - 100 * left / request.packs_concerned));
}

}  // namespace varve
