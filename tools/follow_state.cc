#include "tools/follow_state.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <simdjson.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

namespace varve {
namespace {

constexpr uint64_t kVersion = 1;
constexpr size_t kStateBytesMax = 256 << 20;

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

std::string Reason() { return std::strerror(errno); }

Status WriteAll(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t wrote = write(fd, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return IoError(fmt::format("{}: {}", path, Reason()));
    text.remove_prefix(static_cast<size_t>(wrote));
  }
  if (fsync(fd) != 0) return IoError(fmt::format("{}: {}", path, Reason()));
  return Status::Ok();
}

Status SyncFolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return IoError(fmt::format("{}: {}", folder, Reason()));
  const bool synced = fsync(fd) == 0 || errno == EINVAL;  // not every file system can
  Status status = synced ? Status::Ok() : IoError(fmt::format("{}: {}", folder, Reason()));
  close(fd);
  return status;
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

FollowStateFile::~FollowStateFile() {
  if (lock_fd_ >= 0) close(lock_fd_);
}

Status FollowStateFile::Lock() {
  const std::string lock = path_ + ".lock";
  lock_fd_ = open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock_fd_ < 0) return IoError(fmt::format("{}: {}", lock, Reason()));
  if (flock(lock_fd_, LOCK_EX | LOCK_NB) == 0) return Status::Ok();
  return Unavailable(fmt::format("{}: another varve push --follow uses this state", path_));
}

Result<FollowState> FollowStateFile::Load(bool* existed) const {
  std::ifstream file(path_, std::ios::binary);
  *existed = file.is_open();
  if (!*existed) {
    if (access(path_.c_str(), F_OK) == 0) return IoError(fmt::format("{}: cannot be read", path_));
    return FollowState();
  }
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (text.size() > kStateBytesMax) return Corruption(fmt::format("{}: larger than {} bytes", path_, kStateBytesMax));
  Result<FollowState> state = ParseFollowState(text);
  if (state.ok()) return state;
  return Corruption(fmt::format("{}: not the state of a follower: {}", path_, state.status().message()));
}

Status FollowStateFile::Save(const FollowState& state) const {
  const std::string temporary = path_ + ".tmp";
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return IoError(fmt::format("{}: {}", temporary, Reason()));
  Status status = WriteAll(fd, PrintFollowState(state), temporary);
  if (close(fd) != 0 && status.ok()) status = IoError(fmt::format("{}: {}", temporary, Reason()));
  VARVE_RETURN_IF_ERROR(std::move(status));
  if (rename(temporary.c_str(), path_.c_str()) != 0) return IoError(fmt::format("{}: {}", path_, Reason()));
  return SyncFolderOf(path_);
}

}  // namespace varve
