#include "tools/push_follow.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <map>
#include <optional>
#include <set>

#include "engine/base/clock.h"
#include "tools/follow_files.h"
#include "tools/push_body.h"
#include "tools/time_text.h"
#include "tools/units.h"

namespace varve {
namespace {

using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr uint64_t kBatchBytes = 2 << 20;
constexpr uint64_t kBatchLines = 20'000;
constexpr auto kBetweenSmallBatches = milliseconds(50);
constexpr auto kScanInterval = milliseconds(1000);
constexpr auto kPollInterval = milliseconds(250);  // of files, where the kernel tells nothing
constexpr auto kSaveInterval = milliseconds(200);
constexpr auto kStopGrace = milliseconds(2000);
constexpr int64_t kRequestTimeoutMs = 60'000;
constexpr int64_t kFirstBackoffMs = 100;
constexpr int64_t kBackoffMsMax = 10'000;

std::atomic<bool> stop_requested{false};  // set by the signal handler, read by everybody; lock-free

extern "C" void RequestStop(int /*signal*/) { stop_requested.store(true); }

void InstallSignals() {
  struct sigaction action {};
  action.sa_handler = RequestStop;  // no SA_RESTART: what waits is to wake up
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  // A file is kept open for as long as it is followed.
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
}

void Log(const std::string& text) {
  fmt::print(stderr, "{} {}\n", FormatUtcTime(Clock::System().NowNs()), text);
  std::fflush(stderr);
}

// Tells when something happens in folders.
class FolderWatch {
 public:
  FolderWatch() : fd_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {}
  ~FolderWatch() {
    if (fd_ >= 0) close(fd_);
  }
  FolderWatch(const FolderWatch&) = delete;
  FolderWatch& operator=(const FolderWatch&) = delete;

  void SetFolders(const std::set<std::string>& folders) {
    complete_ = fd_ >= 0;
    for (const std::string& folder : folders) {
      if (watched_.contains(folder)) continue;
      const uint32_t events = IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB | IN_ONLYDIR;
      const int watch = fd_ < 0 ? -1 : inotify_add_watch(fd_, folder.c_str(), events);
      complete_ = complete_ && watch >= 0;
      if (watch >= 0) watched_[folder] = watch;
    }
    for (auto it = watched_.begin(); it != watched_.end();) {
      if (folders.contains(it->first)) {
        ++it;
        continue;
      }
      inotify_rm_watch(fd_, it->second);
      it = watched_.erase(it);
    }
  }

  // Waits; true: files were created, renamed or removed.
  bool Wait(milliseconds at_most) {
    if (!complete_) at_most = std::min(at_most, milliseconds(kPollInterval));
    pollfd waiting{.fd = fd_, .events = POLLIN, .revents = 0};
    poll(&waiting, fd_ >= 0 ? 1 : 0, static_cast<int>(at_most.count()));
    bool names_changed = false;
    alignas(inotify_event) char buffer[16 << 10];
    ssize_t got = 0;
    while (fd_ >= 0 && (got = read(fd_, buffer, sizeof(buffer))) > 0) {
      for (ssize_t at = 0; at < got;) {
        inotify_event event;
        std::copy_n(buffer + at, sizeof(event), reinterpret_cast<char*>(&event));
        if ((event.mask & IN_IGNORED) != 0) Forget(event.wd);
        names_changed = names_changed || (event.mask & ~uint32_t{IN_MODIFY}) != 0;
        at += static_cast<ssize_t>(sizeof(event) + event.len);
      }
    }
    return names_changed;
  }

 private:
  // The folder is gone; one of the same name is watched anew.
  void Forget(int watch) {
    std::erase_if(watched_, [watch](const auto& entry) { return entry.second == watch; });
  }

  const int fd_;
  bool complete_ = false;  // every folder is watched
  std::map<std::string, int> watched_;
};

class Follower {
 public:
  explicit Follower(const FollowOptions& options)
      : options_(options), client_(options.address), state_file_(options.state_file) {}

  Status Run();

 private:
  Status Start();
  Status Round(bool* read_something);
  Result<bool> FillFrom(FollowedFile* file);
  void AddLine(FollowedFile* file, uint64_t begin, std::string_view line);
  Status SendBatch();
  enum class Verdict { kTaken, kRefused, kAgain };
  static Verdict Judge(const HttpAnswer& answer);
  Status Deliver(const std::string& body);
  Status HandleTruncated(const std::vector<FollowedFile*>& truncated);
  void Scan();
  Status ScanWhileWaiting();
  Status Save();
  Status SaveIfDirty() { return dirty_ ? Save() : Status::Ok(); }
  void Sleep(milliseconds time) const;
  const std::string& LabelsOf(const FollowedFile& file);
  bool Full() const { return body_.line_bytes() >= kBatchBytes || body_.lines() >= kBatchLines; }

  const FollowOptions& options_;
  const Clock& clock_ = Clock::System();
  ApiClient client_;
  FollowStateFile state_file_;
  std::unique_ptr<LineShaper> shaper_;
  std::unique_ptr<FollowedFiles> files_;
  FolderWatch watch_;
  PushBody body_;
  LineShaper::Line shaped_;                   // scratch
  std::map<std::string, std::string> labels_; // by the file's name, as text
  bool dirty_ = false;                        // the state on disk is not that of now
  bool times_unsaved_ = false;                // … and lines in the batch would get other times from it
  std::set<std::string> unreadable_;          // files that were complained about
  size_t next_file_ = 0;                      // where the next batch begins, so that none is left waiting
  Steady::time_point saved_at_ = Steady::now();
  Steady::time_point scanned_at_;
  Steady::time_point sent_at_;
  std::optional<Steady::time_point> stop_at_;
  uint64_t lines_ = 0;
  uint64_t line_bytes_ = 0;
  uint64_t refused_batches_ = 0;
};

Status Follower::Start() {
  InstallSignals();
  VARVE_ASSIGN_OR_RETURN(shaper_, LineShaper::Create(options_.lines));
  VARVE_RETURN_IF_ERROR(state_file_.Lock());
  bool existed = false;
  VARVE_ASSIGN_OR_RETURN(FollowState state, state_file_.Load(&existed));
  files_ = std::make_unique<FollowedFiles>(options_.patterns, std::move(state), options_.from_end && !existed, Log);
  client_.SetTimeout(kRequestTimeoutMs, [this] {
    if (!stop_requested.load()) return false;
    if (!stop_at_.has_value()) stop_at_ = Steady::now() + kStopGrace;
    return Steady::now() > *stop_at_;
  });
  Scan();
  // Whether the state can be written shall be known now.
  return Save();
}

Status Follower::Run() {
  VARVE_RETURN_IF_ERROR(Start());
  const auto start = Steady::now();
  while (!stop_requested.load()) {
    if (Steady::now() - scanned_at_ >= kScanInterval) Scan();
    bool read_something = false;
    VARVE_RETURN_IF_ERROR(Round(&read_something));
    if (read_something) continue;
    VARVE_RETURN_IF_ERROR(SaveIfDirty());
    if (options_.stop_at_end && !files_->undecided()) break;
    const auto pause = Steady::now() - sent_at_;
    if (pause < kBetweenSmallBatches) Sleep(std::chrono::ceil<milliseconds>(kBetweenSmallBatches - pause));
    if (stop_requested.load()) break;
    if (watch_.Wait(kScanInterval)) Scan();
  }
  VARVE_RETURN_IF_ERROR(SaveIfDirty());
  const std::chrono::duration<double> elapsed = Steady::now() - start;
  fmt::print("pushed {} lines, {} in {:.2f} s\n", lines_, FormatByteSizeRounded(static_cast<double>(line_bytes_)),
             elapsed.count());
  if (refused_batches_ == 0) return Status::Ok();
  return InvalidArgument(fmt::format("{} batches were not taken, or not in full", refused_batches_));
}

void Follower::Scan() {
  scanned_at_ = Steady::now();
  files_->DropClosed();
  if (files_->Scan(clock_.NowNs())) dirty_ = true;
  watch_.SetFolders(files_->folders());
}

// While the server is away files are rotated: one that is renamed twice meanwhile has to be open before the second time,
// and a copy known before it goes. None is dropped, since a batch is under way.
Status Follower::ScanWhileWaiting() {
  if (Steady::now() - scanned_at_ < kScanInterval) return Status::Ok();
  scanned_at_ = Steady::now();
  if (files_->Scan(clock_.NowNs())) dirty_ = true;
  return SaveIfDirty();
}

// One batch, from where the last one stopped.
Status Follower::Round(bool* read_something) {
  const auto& files = files_->files();
  std::vector<FollowedFile*> truncated;
  for (size_t n = 0; n < files.size() && !Full(); ++n) {
    FollowedFile* const file = files[(next_file_ + n) % files.size()].get();
    if (file->held) continue;
    Result<bool> more = FillFrom(file);
    if (!more.ok()) {  // it is tried again: what becomes of the file shows in the next scans
      if (unreadable_.insert(file->state().path).second) Log(std::string(more.status().message()));
      continue;
    }
    if (!unreadable_.empty()) unreadable_.erase(file->state().path);
    if (*more) truncated.push_back(file);
    std::string_view rest;
    const uint64_t begin = file->taken();
    if (file->closing && !*more && file->AtEnd() && file->TakeRest(&rest)) AddLine(file, begin, rest);
    if (Full()) next_file_ = (next_file_ + n + 1) % files.size();
  }
  *read_something = body_.lines() != 0 || !truncated.empty();
  VARVE_RETURN_IF_ERROR(SendBatch());
  return HandleTruncated(truncated);
}

// Takes lines until there are no more or the batch is full; true: the file was truncated.
Result<bool> Follower::FillFrom(FollowedFile* file) {
  while (!Full()) {
    std::string_view line;
    const uint64_t begin = file->taken();
    VARVE_ASSIGN_OR_RETURN(const FollowedFile::Next next, file->ReadLine(&line));
    if (next == FollowedFile::Next::kTruncated) return true;
    if (next == FollowedFile::Next::kNothing) return false;
    AddLine(file, begin, line);
  }
  return false;
}

Status Follower::HandleTruncated(const std::vector<FollowedFile*>& truncated) {
  if (stop_requested.load()) return Status::Ok();  // what is in flight may not be committed
  for (FollowedFile* const file : truncated) {
    dirty_ = true;
    if (!files_->Truncated(file, clock_.NowNs())) continue;
    std::string_view rest;
    const uint64_t begin = file->taken();
    if (file->TakeRest(&rest)) AddLine(file, begin, rest);
    VARVE_RETURN_IF_ERROR(SendBatch());
    if (!file->in_batch) file->StartOver(clock_.NowNs());
  }
  return Status::Ok();
}

void Follower::AddLine(FollowedFile* file, uint64_t begin, std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  const FollowedFileState& state = file->state();
  const int64_t last_ns = file->last_ns();
  int64_t now_ns = clock_.NowNs();
  // A first line's year is inferred by when the file was first seen, which the state knows.
  shaper_->Shape(line, last_ns, last_ns == 0 ? state.seen_ns : now_ns, &shaped_);
  int64_t ts_ns = 0;
  if (shaped_.ts_ns.has_value()) {
    ts_ns = *shaped_.ts_ns;
  } else if (shaper_->has_times()) {
    ts_ns = last_ns == 0 ? state.seen_ns : last_ns + 1;
  } else if (file->in_batch) {
    ts_ns = last_ns + 1;
  } else if (begin < state.pending.end) {
    ts_ns = state.pending.first_ns;
  } else {
    ts_ns = std::max(now_ns, last_ns + 1);
  }
  if (!file->in_batch) {
    file->in_batch = true;
    file->batch_first_ns = ts_ns;
    times_unsaved_ = times_unsaved_ || !shaper_->has_times() || state.offset == 0;
  }
  file->set_last_ns(ts_ns);
  body_.Add(LabelsOf(*file), ts_ns, line, shaped_.metadata);
}

const std::string& Follower::LabelsOf(const FollowedFile& file) {
  const auto [found, fresh] = labels_.try_emplace(file.state().name);
  if (!fresh) return found->second;
  std::vector<Label> labels(options_.labels.begin(), options_.labels.end());
  if (!options_.file_name_label.empty()) labels.push_back({options_.file_name_label, file.state().name});
  found->second = Labels::FromUnsorted(std::move(labels)).ToString();
  return found->second;
}

Status Follower::SendBatch() {
  if (body_.lines() == 0) return Status::Ok();
  if (times_unsaved_) {
    for (const auto& file : files_->files()) {
      if (!file->in_batch || shaper_->has_times()) continue;
      PendingTimes* const pending = &file->mutable_state()->pending;
      *pending = {std::max(file->taken(), pending->end), file->batch_first_ns};
      dirty_ = true;
    }
    VARVE_RETURN_IF_ERROR(SaveIfDirty());
  }
  Status status = Deliver(body_.Encode());
  if (status.code() == Code::kCancelled) {  // told to stop; the state says where to go on
    body_.Clear();
    return Status::Ok();
  }
  VARVE_RETURN_IF_ERROR(std::move(status));
  for (const auto& file : files_->files()) {
    if (file->in_batch) file->Commit();
  }
  lines_ += body_.lines();
  line_bytes_ += body_.line_bytes();
  body_.Clear();
  dirty_ = true;
  times_unsaved_ = false;
  sent_at_ = Steady::now();
  return sent_at_ - saved_at_ > kSaveInterval ? Save() : Status::Ok();
}

Follower::Verdict Follower::Judge(const HttpAnswer& answer) {
  switch (answer.status) {
    case 200:
    case 202:
    case 204: return Verdict::kTaken;
    // The body is what is wrong with these, or some lines of it.
    case 400:
    case 413:
    case 422: return Verdict::kRefused;
    default: return Verdict::kAgain;
  }
}

// Until the body is taken or refused. kCancelled: told to stop.
Status Follower::Deliver(const std::string& body) {
  int64_t backoff_ms = kFirstBackoffMs;
  bool complained = false;
  while (true) {
    Result<HttpAnswer> answer = client_.Post("/loki/api/v1/push", "application/x-protobuf", body);
    const Verdict verdict = answer.ok() ? Judge(*answer) : Verdict::kAgain;
    std::string said = answer.ok() ? fmt::format("answered {}: {}", answer->status, answer->body.substr(0, 500))
                                   : std::string(answer.status().message());
    while (said.ends_with('\n')) said.pop_back();
    if (verdict == Verdict::kRefused) {
      ++refused_batches_;
      Log(fmt::format("a batch of {} lines was not taken in full: {}", body_.lines(), said));
    }
    if (verdict != Verdict::kAgain) {
      if (complained) Log("the server takes lines again");
      return Status::Ok();
    }
    if (stop_requested.load()) return Cancelled("told to stop");
    if (!complained) Log(fmt::format("waiting for the server: {}", said));
    complained = true;
    const int64_t asked_ms = answer.ok() ? answer->retry_after_ms : 0;
    const auto again_at = Steady::now() + milliseconds(std::clamp(asked_ms, backoff_ms, kBackoffMsMax));
    while (Steady::now() < again_at && !stop_requested.load()) {
      VARVE_RETURN_IF_ERROR(ScanWhileWaiting());
      Sleep(std::min(std::chrono::ceil<milliseconds>(again_at - Steady::now()), kScanInterval));
    }
    if (stop_requested.load()) return Cancelled("told to stop");
    backoff_ms = std::min(backoff_ms * 2, kBackoffMsMax);
  }
}

Status Follower::Save() {
  VARVE_RETURN_IF_ERROR(state_file_.Save(files_->State()));
  dirty_ = false;
  saved_at_ = Steady::now();
  return Status::Ok();
}

// Until the time is over or a signal comes.
void Follower::Sleep(milliseconds time) const {
  const auto end = Steady::now() + time;
  while (!stop_requested.load() && Steady::now() < end) {
    const auto left = std::chrono::ceil<milliseconds>(end - Steady::now());
    poll(nullptr, 0, static_cast<int>(std::min(left, milliseconds(200)).count()));
  }
}

}  // namespace

Status PushFollow(const FollowOptions& options) { return Follower(options).Run(); }

}  // namespace varve
