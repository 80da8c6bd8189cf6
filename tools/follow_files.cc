#include "tools/follow_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <glob.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "engine/base/time.h"

namespace varve {
namespace {

using Steady = std::chrono::steady_clock;

// A process may go on writing into a file that was renamed until it is told of it; into one that was deleted, too, but
// holding that one keeps its space from being freed.
constexpr auto kRenamedIdle = std::chrono::hours(1);
constexpr auto kDeletedIdle = std::chrono::seconds(60);
constexpr int64_t kCopyingNsMax = 10 * kNsPerSecond;
constexpr std::array<std::string_view, 6> kCompressed = {".gz", ".bz2", ".xz", ".zst", ".lz4", ".zip"};

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}
std::string BaseOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}
std::string Join(const std::string& path, const std::string& name) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? name : path.substr(0, slash + 1) + name;
}

bool IsCompressed(std::string_view path) {
  return std::any_of(kCompressed.begin(), kCompressed.end(), [&](std::string_view end) { return path.ends_with(end); });
}

// Whether the text can be a label's value in a JSON state file.
bool IsPlainUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<uint8_t>(text[i]);
    const int more = c < 0x80 ? 0 : c >= 0xC2 && c < 0xE0 ? 1 : c >= 0xE0 && c < 0xF0 ? 2 : c >= 0xF0 && c < 0xF5 ? 3 : -1;
    if (more < 0 || i + static_cast<size_t>(more) >= text.size()) return false;
    for (int k = 0; k < more; ++k) {
      if ((static_cast<uint8_t>(text[++i]) & 0xC0) != 0x80) return false;
    }
  }
  return true;
}

// Whether a state is that of a copy which is not read beside its original: at its end without having been read.
bool IsHeld(const FollowedFileState& state) {
  return state.offset > 0 && state.tail.bytes == 0 && state.name != state.path;
}

// The names in a folder; *refused: it is there and cannot be read for now.
std::vector<std::string> NamesIn(const std::string& folder, bool* refused) {
  std::vector<std::string> names;
  DIR* const dir = opendir(folder.c_str());
  *refused = dir == nullptr && errno != ENOENT && errno != ENOTDIR;
  if (dir == nullptr) return names;
  while (const dirent* entry = readdir(dir)) names.emplace_back(entry->d_name);
  closedir(dir);
  std::sort(names.begin(), names.end());
  return names;
}

class OpenFile {
 public:
  explicit OpenFile(const std::string& path)
      : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)), error_(fd_ < 0 ? errno : 0) {}
  ~OpenFile() {
    if (fd_ >= 0) close(fd_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int fd() const { return fd_; }
  int error() const { return error_; }
  // The file is there, and cannot be opened for now: its mode, or too many open files.
  bool Refused() const { return fd_ < 0 && error_ != ENOENT; }

 private:
  const int fd_;
  const int error_;
};

}  // namespace

FollowedFiles::FollowedFiles(std::vector<std::string> patterns, FollowState state, bool from_end, Log log)
    : patterns_(std::move(patterns)), from_end_(from_end), log_(std::move(log)) {
  for (FollowedFileState& file : state.files) {
    const Identity identity{file.device, file.inode};
    saved_[identity] = std::move(file);
  }
}

FollowedFile* FollowedFiles::Find(const Identity& identity) const {
  const auto found = by_identity_.find(identity);
  return found == by_identity_.end() ? nullptr : found->second;
}

bool FollowedFiles::Scan(int64_t now_ns) {
  changed_ = false;
  folders_.clear();
  std::map<std::string, struct stat> matches;  // what the patterns give now
  for (const auto& file : files_) file->matched = false;
  for (const std::string& pattern : patterns_) {
    folders_.insert(FolderOf(pattern));
    glob_t found{};
    const int code = glob(pattern.c_str(), GLOB_NOSORT | GLOB_BRACE, nullptr, &found);
    for (size_t i = 0; code == 0 && i < found.gl_pathc; ++i) {
      const std::string path = found.gl_pathv[i];
      struct stat info {};
      if (IsCompressed(path) || stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
      folders_.insert(FolderOf(path));
      matches[path] = info;
    }
    globfree(&found);
  }
  // What the state knows comes first: what is new may be a copy of it.
  for (const auto& [path, info] : matches) {
    if (saved_.contains({info.st_dev, info.st_ino})) TakeSaved(path, info, now_ns);
  }
  ResolveSaved();
  std::map<Identity, int64_t> undecided;
  undecided.swap(undecided_);
  for (const auto& [path, info] : matches) Adopt(path, info, now_ns, undecided);
  for (const auto& file : files_) {
    if (file->held) file->SkipToEnd();
    if (file->matched) continue;
    folders_.insert(FolderOf(file->state().path));
    const auto idle = Steady::now() - file->last_growth;
    // What nobody could read (the server was away) is no sign of a file that grows no more.
    file->closing = (idle > kRenamedIdle || (idle > kDeletedIdle && file->deleted())) && file->AtEnd();
  }
  first_scan_ = false;
  return changed_;
}

// A path that a pattern gave.
void FollowedFiles::Adopt(const std::string& path, const struct stat& info, int64_t now_ns,
                          const std::map<Identity, int64_t>& undecided) {
  const Identity identity{info.st_dev, info.st_ino};
  if (FollowedFile* const known = Find(identity); known != nullptr) {
    known->matched = true;
    known->closing = false;
    if (known->state().path != path) {
      changed_ = true;
      known->mutable_state()->path = path;
    }
    return;
  }
  if (!IsPlainUtf8(path) || files_.size() >= kFilesMax) {
    if (refused_.size() < kFilesMax && refused_.insert(path).second) {
      log_(fmt::format("{}: not followed: {}", path,
                       files_.size() >= kFilesMax ? fmt::format("there are {} files already", kFilesMax)
                                                  : "its name is not UTF-8"));
    }
    return;
  }
  FollowedFileState state;
  state.name = path;
  state.seen_ns = now_ns;
  const FollowedFileState* original = nullptr;
  switch (IsCopy(path, &original)) {
    case Copy::kPerhapsLater: {
      const auto since = undecided.find(identity);
      const int64_t since_ns = since == undecided.end() ? now_ns : since->second;
      if (now_ns - since_ns >= kCopyingNsMax) break;
      undecided_[identity] = since_ns;
      return;
    }
    case Copy::kYes:
      state = *original;
      state.pending = {};
      log_(fmt::format("{}: a copy of {}, not read beside it", path, original->path));
      break;
    case Copy::kNo: break;
  }
  if (first_scan_ && from_end_ && original == nullptr) state.offset = static_cast<uint64_t>(info.st_size);
  const bool copy = original != nullptr;
  FollowedFile* const opened = Open(path, std::move(state));
  if (opened == nullptr || !copy) return;
  opened->held = true;
  opened->SkipToEnd();
}

// A file that the state knows by device and inode.
void FollowedFiles::TakeSaved(const std::string& path, const struct stat& info, int64_t now_ns) {
  const auto found = saved_.find({info.st_dev, info.st_ino});
  const OpenFile file(path);
  if (file.Refused()) {  // its state waits until it can be
    if (refused_.size() < kFilesMax && refused_.insert(path).second) {
      log_(fmt::format("{}: {}", path, std::strerror(file.error())));
    }
    found->second.path = path;
    return;
  }
  FollowedFileState state = std::move(found->second);
  saved_.erase(found);
  if (file.fd() >= 0 && FollowedFile::Fits(file.fd(), state)) {
    const bool held = IsHeld(state);
    FollowedFile* const opened = Open(path, std::move(state));
    if (opened != nullptr) opened->held = held;
    return;
  }
  // Truncated, or the inode is another file's by now.
  const bool continued = ContinueInCopy(state);
  if (!continued) log_(fmt::format("{}: is another file than before, read from its beginning", path));
  FollowedFileState fresh;
  fresh.name = path == state.path ? state.name : path;
  fresh.seen_ns = now_ns;
  if (path == state.path) fresh.last_ns = state.last_ns;
  Open(path, std::move(fresh));
}

// Files of the state that no pattern gave: renamed while nobody looked.
void FollowedFiles::ResolveSaved() {
  std::map<Identity, FollowedFileState> saved;
  saved.swap(saved_);
  for (auto& [identity, state] : saved) {
    changed_ = true;
    if (Find(identity) != nullptr) continue;
    bool found = false;
    bool refused = false;
    for (const std::string& name : NamesIn(FolderOf(state.path), &refused)) {
      const std::string path = Join(state.path, name);
      struct stat info {};
      if (stat(path.c_str(), &info) != 0 || Identity{info.st_dev, info.st_ino} != identity) continue;
      const OpenFile file(path);
      refused = file.Refused();
      if (file.fd() < 0 || !FollowedFile::Fits(file.fd(), state)) break;
      FollowedFile* const opened = Open(path, state);
      found = opened != nullptr;
      if (found) opened->matched = false;
      break;
    }
    if (refused) {  // tried again at the next scan
      saved_[identity] = std::move(state);
    } else if (!found && !ContinueInCopy(state)) {
      log_(fmt::format("{}: is gone; what was written to it after byte {} is not sent", state.path, state.offset));
    }
  }
}

// Whether the file is a copy, made under a longer name, of one that is followed.
FollowedFiles::Copy FollowedFiles::IsCopy(const std::string& path, const FollowedFileState** original) const {
  const OpenFile file(path);
  struct stat info {};
  if (file.fd() < 0 || fstat(file.fd(), &info) != 0) return Copy::kNo;
  const auto size = static_cast<uint64_t>(info.st_size);
  for (const auto& other : files_) {
    const FollowedFileState& state = other->state();
    const bool related = path.size() > state.name.size() && path.starts_with(state.name) &&
                         path.find('/', state.name.size()) == std::string::npos;
    if (!related || state.head.bytes == 0) continue;
    const FilePrint head = PrintOf(file.fd(), 0, state.head.bytes);
    if (head.bytes < state.head.bytes) {  // a copy that has only begun, perhaps
      const OpenFile whole(state.path);
      if (whole.fd() >= 0 && PrintOf(whole.fd(), 0, head.bytes) == head) return Copy::kPerhapsLater;
      continue;
    }
    if (head != state.head) continue;
    // Where no line is known yet, any beginning would do.
    if (state.offset == 0 || size < state.offset) return Copy::kPerhapsLater;
    if (!FollowedFile::Fits(file.fd(), state)) continue;
    // Unless the original was truncated meanwhile, it holds all that a copy does.
    const OpenFile whole(state.path);
    const uint64_t end_bytes = std::min(size, FollowedFileState::kTailBytesMax);
    if (whole.fd() >= 0 && FollowedFile::Fits(whole.fd(), state) &&
        PrintOf(whole.fd(), size - end_bytes, end_bytes) != PrintOf(file.fd(), size - end_bytes, end_bytes)) {
      continue;
    }
    *original = &state;
    return Copy::kYes;
  }
  return Copy::kNo;
}

bool FollowedFiles::ContinueInCopy(const FollowedFileState& state) {
  if (state.head.bytes == 0) return false;
  const std::string base = BaseOf(state.name);
  bool refused = false;
  for (const std::string& name : NamesIn(FolderOf(state.path), &refused)) {
    const std::string path = Join(state.path, name);
    struct stat info {};
    if (!name.starts_with(base) || path == state.path || IsCompressed(name) || stat(path.c_str(), &info) != 0 ||
        !S_ISREG(info.st_mode)) {
      continue;
    }
    const OpenFile file(path);
    if (file.fd() < 0 || !FollowedFile::Fits(file.fd(), state)) continue;
    const Identity identity{info.st_dev, info.st_ino};
    if (const auto saved = saved_.find(identity); saved != saved_.end()) {
      if (!IsHeld(saved->second)) continue;  // it goes on by itself
      saved_.erase(saved);
    }
    if (FollowedFile* const known = Find(identity); known != nullptr) {
      // One that is read for itself is no copy, however alike they begin.
      if (known->in_batch || !(known->held || known->untouched())) continue;
      const Status status = known->GoOnFrom(state);
      if (!status.ok()) log_(std::string(status.message()));
    } else {
      FollowedFile* const opened = Open(path, state);
      if (opened == nullptr) continue;
      opened->matched = false;
    }
    changed_ = true;
    log_(fmt::format("{}: truncated; the rest of it is in {}", state.path, path));
    return true;
  }
  return false;
}

bool FollowedFiles::Truncated(FollowedFile* file, int64_t now_ns) {
  changed_ = true;
  if (!ContinueInCopy(file->state())) {
    log_(fmt::format("{}: truncated, read from its beginning", file->state().path));
    if (file->has_rest()) return true;
  }
  file->StartOver(now_ns);
  return false;
}

FollowedFile* FollowedFiles::Open(const std::string& path, FollowedFileState state) {
  const uint64_t offset = state.offset;
  Result<std::unique_ptr<FollowedFile>> file = FollowedFile::Open(path, std::move(state));
  if (!file.ok()) {
    if (refused_.size() < kFilesMax && refused_.insert(path).second) log_(std::string(file.status().message()));
    return nullptr;
  }
  refused_.erase(path);
  log_(fmt::format("{}: followed from byte {}", path, offset));
  files_.push_back(std::move(*file));
  by_identity_[{files_.back()->state().device, files_.back()->state().inode}] = files_.back().get();
  changed_ = true;
  return files_.back().get();
}

void FollowedFiles::DropClosed() {
  const auto closed = [](const std::unique_ptr<FollowedFile>& file) {
    return file->closing && !file->in_batch && !file->has_rest() && file->AtEnd();
  };
  if (std::none_of(files_.begin(), files_.end(), closed)) return;
  std::erase_if(files_, closed);
  by_identity_.clear();
  for (const auto& file : files_) by_identity_[{file->state().device, file->state().inode}] = file.get();
}

FollowState FollowedFiles::State() const {
  FollowState state;
  for (const auto& file : files_) state.files.push_back(file->state());
  for (const auto& [identity, file] : saved_) state.files.push_back(file);
  return state;
}

}  // namespace varve
