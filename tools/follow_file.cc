#include "tools/follow_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace varve {
namespace {

constexpr size_t kChunkBytes = 256 << 10;

FilePrint PrintOfText(std::string_view text) { return {text.size(), XXH3_64bits(text.data(), text.size())}; }

}  // namespace

FilePrint PrintOf(int fd, uint64_t begin, uint64_t bytes) {
  std::array<char, FollowedFileState::kHeadBytesMax> buffer;
  const size_t wanted = std::min<uint64_t>(bytes, buffer.size());
  size_t have = 0;
  while (have < wanted) {
    const ssize_t got = pread(fd, buffer.data() + have, wanted - have, static_cast<off_t>(begin + have));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    have += static_cast<size_t>(got);
  }
  return PrintOfText({buffer.data(), have});
}

bool FollowedFile::Fits(int fd, const FollowedFileState& state) {
  struct stat info {};
  if (fstat(fd, &info) != 0 || static_cast<uint64_t>(info.st_size) < state.offset) return false;
  if (PrintOf(fd, 0, state.head.bytes) != state.head && state.head.bytes != 0) return false;
  return state.tail.bytes == 0 || PrintOf(fd, state.offset - state.tail.bytes, state.tail.bytes) == state.tail;
}

Result<std::unique_ptr<FollowedFile>> FollowedFile::Open(const std::string& path, FollowedFileState state) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return IoError(fmt::format("{}: {}", path, std::strerror(errno)));
  struct stat info {};
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    close(fd);
    return IoError(fmt::format("{}: not a plain file", path));
  }
  state.path = path;
  state.device = info.st_dev;
  state.inode = info.st_ino;
  return std::make_unique<FollowedFile>(fd, std::move(state));
}

FollowedFile::FollowedFile(int fd, FollowedFileState state)
    : last_growth(std::chrono::steady_clock::now()),
      fd_(fd),
      state_(std::move(state)),
      taken_(state_.offset),
      last_ns_(state_.last_ns),
      buffer_begin_(state_.offset - state_.tail.bytes) {
  if (state_.tail.bytes == 0) return;
  buffer_.resize(state_.tail.bytes);
  const ssize_t got = pread(fd_, buffer_.data(), buffer_.size(), static_cast<off_t>(buffer_begin_));
  if (got != static_cast<ssize_t>(buffer_.size())) truncated_ = true;
  next_ = scanned_ = buffer_.size();
}

FollowedFile::~FollowedFile() { close(fd_); }

bool FollowedFile::deleted() const {
  struct stat info {};
  return fstat(fd_, &info) != 0 || info.st_nlink == 0;
}

bool FollowedFile::AtEnd() const {
  struct stat info {};
  if (fstat(fd_, &info) != 0) return true;
  return static_cast<uint64_t>(info.st_size) == buffer_begin_ + buffer_.size() &&
         buffer_.find('\n', scanned_) == std::string::npos;
}

// Whether the file is other than when it was last looked at.
bool FollowedFile::Changed() {
  struct stat info {};
  if (fstat(fd_, &info) != 0) return false;
  const bool same = info.st_size == seen_size_ && info.st_mtim.tv_sec == seen_time_.tv_sec &&
                    info.st_mtim.tv_nsec == seen_time_.tv_nsec;
  if (same) return false;
  seen_size_ = info.st_size;
  seen_time_ = info.st_mtim;
  return true;
}

// Whether what was read is still what the file begins with. Learns more of the first bytes while there are few.
bool FollowedFile::Intact() {
  struct stat info {};
  if (fstat(fd_, &info) != 0 || static_cast<uint64_t>(info.st_size) < buffer_begin_ + buffer_.size()) return false;
  if (state_.head.bytes != 0 && PrintOf(fd_, 0, state_.head.bytes) != state_.head) return false;
  if (state_.head.bytes == FollowedFileState::kHeadBytesMax) return true;
  const FilePrint more = PrintOf(fd_, 0, FollowedFileState::kHeadBytesMax);
  // Truncated between the two: the next look sees it.
  if (more.bytes > state_.head.bytes) state_.head = more;
  return true;
}

// Reads once more; false: there was nothing, or (truncated_) something else than what continues the file.
Result<bool> FollowedFile::Fill() {
  if (!Changed()) return false;
  const size_t keep_from = next_ > FollowedFileState::kTailBytesMax ? next_ - FollowedFileState::kTailBytesMax : 0;
  buffer_.erase(0, keep_from);
  buffer_begin_ += keep_from;
  next_ -= keep_from;
  scanned_ -= keep_from;
  const size_t have = buffer_.size();
  buffer_.resize(have + kChunkBytes);
  ssize_t got = 0;
  do {
    got = pread(fd_, buffer_.data() + have, kChunkBytes, static_cast<off_t>(buffer_begin_ + have));
  } while (got < 0 && errno == EINTR);
  const int error = errno;
  buffer_.resize(have + static_cast<size_t>(std::max<ssize_t>(got, 0)));
  if (got < 0) {
    seen_size_ = -1;  // the next call tries again
    return IoError(fmt::format("{}: {}", state_.path, std::strerror(error)));
  }
  if (!Intact()) {
    buffer_.resize(have);
    truncated_ = true;
    return false;
  }
  if (static_cast<size_t>(got) == kChunkBytes) seen_size_ = -1;  // there may be more
  if (got > 0) last_growth = std::chrono::steady_clock::now();
  return got > 0;
}

Result<FollowedFile::Next> FollowedFile::ReadLine(std::string_view* line) {
  while (true) {
    size_t end = buffer_.find('\n', scanned_);
    const bool too_long = (end == std::string::npos ? buffer_.size() : end) - next_ >= kLineBytesMax;
    if (end != std::string::npos || too_long) {
      if (too_long) end = next_ + kLineBytesMax;
      *line = std::string_view(buffer_).substr(next_, end - next_);
      if (!too_long) ++end;
      taken_ += end - next_;
      next_ = scanned_ = end;
      return Next::kLine;
    }
    scanned_ = buffer_.size();
    if (truncated_) return Next::kTruncated;
    VARVE_ASSIGN_OR_RETURN(const bool more, Fill());
    if (!more) return truncated_ ? Next::kTruncated : Next::kNothing;
  }
}

bool FollowedFile::TakeRest(std::string_view* line) {
  if (!has_rest()) return false;
  *line = std::string_view(buffer_).substr(next_);
  taken_ += line->size();
  next_ = scanned_ = buffer_.size();
  return true;
}

void FollowedFile::Commit() {
  in_batch = false;
  state_.offset = taken_;
  state_.last_ns = last_ns_;
  const size_t tail = std::min<size_t>(next_, FollowedFileState::kTailBytesMax);
  state_.tail = tail == 0 ? FilePrint() : PrintOfText(std::string_view(buffer_).substr(next_ - tail, tail));
  if (state_.pending.end <= taken_) {
    state_.pending = {};
  } else {
    state_.pending.first_ns = last_ns_ + 1;
  }
}

void FollowedFile::StartOver(int64_t now_ns) {
  buffer_.clear();
  buffer_begin_ = taken_ = 0;
  next_ = scanned_ = 0;
  truncated_ = false;
  seen_size_ = -1;
  FollowedFileState fresh;
  fresh.path = state_.path;
  fresh.name = state_.name;
  fresh.device = state_.device;
  fresh.inode = state_.inode;
  fresh.seen_ns = now_ns;
  fresh.last_ns = last_ns_;
  state_ = std::move(fresh);
}

void FollowedFile::SkipToEnd() {
  struct stat info {};
  if (fstat(fd_, &info) != 0) return;
  state_.offset = taken_ = static_cast<uint64_t>(info.st_size);
  state_.tail = {};
  state_.pending = {};
  buffer_.clear();
  buffer_begin_ = taken_;
  next_ = scanned_ = 0;
}

Status FollowedFile::GoOnFrom(const FollowedFileState& original) {
  const FollowedFileState own = std::move(state_);
  state_ = original;
  state_.path = own.path;
  state_.device = own.device;
  state_.inode = own.inode;
  held = false;
  taken_ = state_.offset;
  last_ns_ = state_.last_ns;
  buffer_.resize(state_.tail.bytes);
  buffer_begin_ = state_.offset - state_.tail.bytes;
  next_ = scanned_ = buffer_.size();
  truncated_ = false;
  seen_size_ = -1;
  const ssize_t got = pread(fd_, buffer_.data(), buffer_.size(), static_cast<off_t>(buffer_begin_));
  if (got != static_cast<ssize_t>(buffer_.size())) return IoError(fmt::format("{}: cannot be read", state_.path));
  return Status::Ok();
}

}  // namespace varve
