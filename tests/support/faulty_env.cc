#include "tests/support/faulty_env.h"

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <filesystem>
#include <map>
#include <string>
#include <system_error>

#include "engine/base/mutex.h"

namespace varve {
namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

// What the files and the plan share.
class Faults {
 public:
  IOStatus Pass() {
    const MutexLock lock(mu_);
    if (frozen_) return IOStatus::IOError("frozen");
    ++calls_;
    const bool fails = plan_.fail_at != 0 && (plan_.once ? calls_ == plan_.fail_at : calls_ >= plan_.fail_at);
    if (!fails) return IOStatus::OK();
    failed_ = true;
    return plan_.error == FaultyEnv::Error::kNoSpace ? IOStatus::NoSpace("injected: no space left")
                                                     : IOStatus::IOError("injected");
  }
  void Arm(const FaultyEnv::Plan& plan) {
    const MutexLock lock(mu_);
    plan_ = plan;
    calls_ = 0;
    failed_ = false;
  }
  uint64_t calls() const {
    const MutexLock lock(mu_);
    return calls_;
  }
  bool failed() const {
    const MutexLock lock(mu_);
    return failed_;
  }
  void Freeze() {
    const MutexLock lock(mu_);
    frozen_ = true;
  }
  void Created(const std::string& path, uint64_t size) {
    const MutexLock lock(mu_);
    files_[path] = {.size = size, .synced = size};
  }
  void Appended(const std::string& path, uint64_t bytes) {
    const MutexLock lock(mu_);
    files_[path].size += bytes;
  }
  void Synced(const std::string& path) {
    const MutexLock lock(mu_);
    File& file = files_[path];
    file.synced = file.size;
  }
  void Renamed(const std::string& from, const std::string& to, bool keep) {
    const MutexLock lock(mu_);
    const auto it = files_.find(from);
    if (it == files_.end()) return;
    files_[to] = it->second;
    if (!keep) files_.erase(from);
  }
  void Deleted(const std::string& path) {
    const MutexLock lock(mu_);
    files_.erase(path);
  }
  Status DropUnsynced() {
    const MutexLock lock(mu_);
    for (const auto& [path, file] : files_) {
      std::error_code error;
      if (file.synced == file.size || !std::filesystem::exists(path, error)) continue;
      std::filesystem::resize_file(path, file.synced, error);
      if (error) return IoError(path + ": " + error.message());
    }
    files_.clear();
    frozen_ = false;
    plan_ = {};
    return Status::Ok();
  }

 private:
  struct File {
    uint64_t size = 0;
    uint64_t synced = 0;
  };
  mutable Mutex mu_;
  FaultyEnv::Plan plan_;
  uint64_t calls_ = 0;
  bool failed_ = false;
  bool frozen_ = false;
  std::map<std::string, File> files_;
};

class FaultyFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  FaultyFile(std::unique_ptr<rocksdb::FSWritableFile> file, std::string path, std::shared_ptr<Faults> faults)
      : FSWritableFileOwnerWrapper(std::move(file)), path_(std::move(path)), faults_(std::move(faults)) {}

  using FSWritableFileOwnerWrapper::Append;
  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options, IODebugContext* debug) override {
    const IOStatus fault = faults_->Pass();
    if (!fault.ok()) return fault;
    const IOStatus status = FSWritableFileOwnerWrapper::Append(data, options, debug);
    if (status.ok()) faults_->Appended(path_, data.size());
    return status;
  }
  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo&,
                  IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    const IOStatus fault = faults_->Pass();
    if (!fault.ok()) return fault;
    const IOStatus status = FSWritableFileOwnerWrapper::Sync(options, debug);
    if (status.ok()) faults_->Synced(path_);
    return status;
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    const IOStatus fault = faults_->Pass();
    if (!fault.ok()) return fault;
    const IOStatus status = FSWritableFileOwnerWrapper::Fsync(options, debug);
    if (status.ok()) faults_->Synced(path_);
    return status;
  }

 private:
  const std::string path_;
  const std::shared_ptr<Faults> faults_;
};

class FaultyDirectory final : public rocksdb::FSDirectoryWrapper {
 public:
  FaultyDirectory(std::unique_ptr<rocksdb::FSDirectory> directory, std::shared_ptr<Faults> faults)
      : FSDirectoryWrapper(std::move(directory)), faults_(std::move(faults)) {}
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    const IOStatus fault = faults_->Pass();
    return fault.ok() ? FSDirectoryWrapper::Fsync(options, debug) : fault;
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* debug,
                               const rocksdb::DirFsyncOptions& directory_options) override {
    const IOStatus fault = faults_->Pass();
    return fault.ok() ? FSDirectoryWrapper::FsyncWithDirOptions(options, debug, directory_options) : fault;
  }

 private:
  const std::shared_ptr<Faults> faults_;
};

class FaultyFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  explicit FaultyFileSystem(std::shared_ptr<Faults> faults)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), faults_(std::move(faults)) {}

  const char* Name() const override { return "FaultyFileSystem"; }

  IOStatus NewWritableFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext* debug) override {
    return Open(path, 0, result, [&](std::unique_ptr<rocksdb::FSWritableFile>* file) {
      return FileSystemWrapper::NewWritableFile(path, options, file, debug);
    });
  }
  IOStatus ReopenWritableFile(const std::string& path, const FileOptions& options,
                              std::unique_ptr<rocksdb::FSWritableFile>* result,
                              IODebugContext* debug) override {
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    return Open(path, error ? 0 : size, result, [&](std::unique_ptr<rocksdb::FSWritableFile>* file) {
      return FileSystemWrapper::ReopenWritableFile(path, options, file, debug);
    });
  }
  IOStatus NewDirectory(const std::string& path, const IOOptions& options,
                        std::unique_ptr<rocksdb::FSDirectory>* result, IODebugContext* debug) override {
    std::unique_ptr<rocksdb::FSDirectory> directory;
    const IOStatus status = FileSystemWrapper::NewDirectory(path, options, &directory, debug);
    if (status.ok()) *result = std::make_unique<FaultyDirectory>(std::move(directory), faults_);
    return status;
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* debug) override {
    const IOStatus fault = faults_->Pass();
    if (!fault.ok()) return fault;
    const IOStatus status = FileSystemWrapper::RenameFile(from, to, options, debug);
    if (status.ok()) faults_->Renamed(from, to, /*keep=*/false);
    return status;
  }
  IOStatus LinkFile(const std::string& from, const std::string& to, const IOOptions& options,
                    IODebugContext* debug) override {
    const IOStatus fault = faults_->Pass();
    if (!fault.ok()) return fault;
    const IOStatus status = FileSystemWrapper::LinkFile(from, to, options, debug);
    if (status.ok()) faults_->Renamed(from, to, /*keep=*/true);
    return status;
  }
  IOStatus DeleteFile(const std::string& path, const IOOptions& options, IODebugContext* debug) override {
    const IOStatus fault = faults_->Pass();
    if (!fault.ok()) return fault;
    const IOStatus status = FileSystemWrapper::DeleteFile(path, options, debug);
    if (status.ok()) faults_->Deleted(path);
    return status;
  }

 private:
  template <typename OpenIt>
  IOStatus Open(const std::string& path, uint64_t size, std::unique_ptr<rocksdb::FSWritableFile>* result,
                OpenIt&& open_it) {
    const IOStatus fault = faults_->Pass();
    if (!fault.ok()) return fault;
    std::unique_ptr<rocksdb::FSWritableFile> file;
    const IOStatus status = open_it(&file);
    if (!status.ok()) return status;
    faults_->Created(path, size);
    *result = std::make_unique<FaultyFile>(std::move(file), path, faults_);
    return status;
  }

  const std::shared_ptr<Faults> faults_;
};

}  // namespace

struct FaultyEnv::Impl {
  std::shared_ptr<Faults> faults = std::make_shared<Faults>();
  std::unique_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(std::make_shared<FaultyFileSystem>(faults));
};

FaultyEnv::FaultyEnv() : impl_(std::make_unique<Impl>()) {}
FaultyEnv::~FaultyEnv() = default;

rocksdb::Env* FaultyEnv::env() { return impl_->env.get(); }
void FaultyEnv::Arm(const Plan& plan) { impl_->faults->Arm(plan); }
uint64_t FaultyEnv::calls() const { return impl_->faults->calls(); }
bool FaultyEnv::failed() const { return impl_->faults->failed(); }
void FaultyEnv::Freeze() { impl_->faults->Freeze(); }
Status FaultyEnv::DropUnsynced() { return impl_->faults->DropUnsynced(); }

}  // namespace varve
