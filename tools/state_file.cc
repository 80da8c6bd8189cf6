#include "tools/state_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

namespace varve {
namespace {

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

StateFile::~StateFile() {
  if (lock_fd_ >= 0) close(lock_fd_);
}

Status StateFile::Lock() {
  const std::string lock = path_ + ".lock";
  lock_fd_ = open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock_fd_ < 0) return IoError(fmt::format("{}: {}", lock, Reason()));
  if (flock(lock_fd_, LOCK_EX | LOCK_NB) == 0) return Status::Ok();
  close(lock_fd_);
  lock_fd_ = -1;
  return Unavailable(fmt::format("{}: another process uses this state", path_));
}

Result<bool> StateFile::Read(std::string* text) const {
  std::ifstream file(path_, std::ios::binary);
  if (!file.is_open()) {
    if (access(path_.c_str(), F_OK) != 0) return false;
    return IoError(fmt::format("{}: cannot be read", path_));
  }
  text->assign(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  if (text->size() > kBytesMax) return Corruption(fmt::format("{}: larger than {} bytes", path_, kBytesMax));
  return true;
}

Status StateFile::Replace(std::string_view text) const {
  const std::string temporary = path_ + ".tmp";
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return IoError(fmt::format("{}: {}", temporary, Reason()));
  Status status = WriteAll(fd, text, temporary);
  if (close(fd) != 0 && status.ok()) status = IoError(fmt::format("{}: {}", temporary, Reason()));
  VARVE_RETURN_IF_ERROR(std::move(status));
  if (rename(temporary.c_str(), path_.c_str()) != 0) return IoError(fmt::format("{}: {}", path_, Reason()));
  return SyncFolderOf(path_);
}

}  // namespace varve
