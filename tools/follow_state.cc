#include "tools/follow_state.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <cerrno>
#include <cstdlib>

namespace varve {
namespace {

constexpr uint64_t kVersion = 1;

std::string Quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    if (static_cast<uint8_t>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<uint8_t>(c));
    } else {
      out.push_back(c);
    }
  }
  return out + "\"";
}

std::string PrintPrint(const FilePrint& print) {
  return fmt::format("{{\"bytes\": {}, \"xxh3\": \"{:016x}\"}}", print.bytes, print.hash);
}

using Object = simdjson::dom::object;

Status Missing(std::string_view key) {
  return Corruption(fmt::format("\"{}\" is missing, or of another kind", key));
}

template <typename T>
Status Get(const Object& object, std::string_view key, T* value) {
  T found{};
  if (object[key].get(found) != simdjson::SUCCESS) return Missing(key);
  *value = found;
  return Status::Ok();
}
Status Get(const Object& object, std::string_view key, std::string* value) {
  std::string_view found;
  VARVE_RETURN_IF_ERROR(Get(object, key, &found));
  *value = found;
  return Status::Ok();
}
Status Get(const Object& object, std::string_view key, FilePrint* value) {
  Object inner;
  VARVE_RETURN_IF_ERROR(Get(object, key, &inner));
  VARVE_RETURN_IF_ERROR(Get(inner, "bytes", &value->bytes));
  std::string hash;
  VARVE_RETURN_IF_ERROR(Get(inner, "xxh3", &hash));
  char* end = nullptr;
  errno = 0;
  value->hash = std::strtoull(hash.c_str(), &end, 16);
  return errno == 0 && !hash.empty() && *end == '\0' ? Status::Ok() : Missing("xxh3");
}

Status ParseFile(const Object& object, FollowedFileState* file) {
  VARVE_RETURN_IF_ERROR(Get(object, "path", &file->path));
  VARVE_RETURN_IF_ERROR(Get(object, "name", &file->name));
  VARVE_RETURN_IF_ERROR(Get(object, "device", &file->device));
  VARVE_RETURN_IF_ERROR(Get(object, "inode", &file->inode));
  VARVE_RETURN_IF_ERROR(Get(object, "offset", &file->offset));
  VARVE_RETURN_IF_ERROR(Get(object, "head", &file->head));
  VARVE_RETURN_IF_ERROR(Get(object, "tail", &file->tail));
  VARVE_RETURN_IF_ERROR(Get(object, "seen_ns", &file->seen_ns));
  VARVE_RETURN_IF_ERROR(Get(object, "last_ns", &file->last_ns));
  if (file->head.bytes > FollowedFileState::kHeadBytesMax || file->tail.bytes > FollowedFileState::kTailBytesMax ||
      file->tail.bytes > file->offset) {
    return Corruption("a fingerprint is longer than can be");
  }
  Object pending;
  if (object["pending"].get(pending) != simdjson::SUCCESS) return Status::Ok();
  VARVE_RETURN_IF_ERROR(Get(pending, "end", &file->pending.end));
  return Get(pending, "first_ns", &file->pending.first_ns);
}

}  // namespace

std::string PrintFollowState(const FollowState& state) {
  std::string out = fmt::format("{{\"version\": {}, \"files\": [", kVersion);
  bool first = true;
  for (const FollowedFileState& file : state.files) {
    out += fmt::format(
        "{}\n  {{\"path\": {}, \"name\": {}, \"device\": {}, \"inode\": {}, \"offset\": {}, \"head\": {}, \"tail\": {}, "
        "\"seen_ns\": {}, \"last_ns\": {}",
        first ? "" : ",", Quoted(file.path), Quoted(file.name), file.device, file.inode, file.offset,
        PrintPrint(file.head), PrintPrint(file.tail), file.seen_ns, file.last_ns);
    if (file.pending.end != 0) {
      out += fmt::format(", \"pending\": {{\"end\": {}, \"first_ns\": {}}}", file.pending.end, file.pending.first_ns);
    }
    out += "}";
    first = false;
  }
  return out + "\n]}\n";
}

Result<FollowState> ParseFollowState(std::string_view text) {
  simdjson::dom::parser parser;
  Object document;
  if (parser.parse(text.data(), text.size()).get(document) != simdjson::SUCCESS) return Corruption("not a JSON object");
  uint64_t version = 0;
  VARVE_RETURN_IF_ERROR(Get(document, "version", &version));
  if (version != kVersion) return Corruption(fmt::format("version {}, known is {}", version, kVersion));
  simdjson::dom::array files;
  VARVE_RETURN_IF_ERROR(Get(document, "files", &files));
  FollowState state;
  for (const simdjson::dom::element& element : files) {
    Object object;
    if (element.get(object) != simdjson::SUCCESS) return Missing("files");
    VARVE_RETURN_IF_ERROR(ParseFile(object, &state.files.emplace_back()));
  }
  return state;
}

Result<FollowState> FollowStateFile::Load(bool* existed) const {
  std::string text;
  VARVE_ASSIGN_OR_RETURN(*existed, file_.Read(&text));
  if (!*existed) return FollowState();
  Result<FollowState> state = ParseFollowState(text);
  if (state.ok()) return state;
  return Corruption(fmt::format("{}: not the state of a follower: {}", file_.path(), state.status().message()));
}

Status FollowStateFile::Save(const FollowState& state) const { return file_.Replace(PrintFollowState(state)); }

}  // namespace varve
