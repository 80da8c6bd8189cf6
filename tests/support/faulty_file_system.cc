#include "tests/support/faulty_file_system.h"

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <mutex>
#include <string>
#include <utility>

namespace varve {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

struct FaultyFileSystem::State {
  mutable std::mutex mu;  // guards all below
  uint64_t changes = 0;
  uint64_t failures = 0;
  uint64_t first_failing = std::numeric_limits<uint64_t>::max();
  uint64_t last_failing = 0;
  Fault fault = Fault::kIoError;

  IOStatus Change(const std::string& what) {
    const std::lock_guard<std::mutex> lock(mu);
    ++changes;
    if (changes < first_failing || changes > last_failing) return IOStatus::OK();
    ++failures;
    if (fault == Fault::kNoSpace) return IOStatus::NoSpace("injected", what);
    return IOStatus::IOError("injected", what);
  }
};

namespace {

template <typename State>
class FaultyFile : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  FaultyFile(std::unique_ptr<rocksdb::FSWritableFile> file, std::shared_ptr<State> state, std::string name)
      : FSWritableFileOwnerWrapper(std::move(file)), state_(std::move(state)), name_(std::move(name)) {}

  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options, IODebugContext* debug) override {
    const IOStatus status = state_->Change("append " + name_);
    return status.ok() ? FSWritableFileOwnerWrapper::Append(data, options, debug) : status;
  }
  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& verification, IODebugContext* debug) override {
    const IOStatus status = state_->Change("append " + name_);
    return status.ok() ? FSWritableFileOwnerWrapper::Append(data, options, verification, debug) : status;
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    const IOStatus status = state_->Change("sync " + name_);
    return status.ok() ? FSWritableFileOwnerWrapper::Sync(options, debug) : status;
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    const IOStatus status = state_->Change("sync " + name_);
    return status.ok() ? FSWritableFileOwnerWrapper::Fsync(options, debug) : status;
  }
  IOStatus Close(const IOOptions& options, IODebugContext* debug) override {
    const IOStatus status = state_->Change("close " + name_);
    return status.ok() ? FSWritableFileOwnerWrapper::Close(options, debug) : status;
  }

 private:
  const std::shared_ptr<State> state_;
  const std::string name_;
};

template <typename State>
class FaultyDirectory : public rocksdb::FSDirectoryWrapper {
 public:
  FaultyDirectory(std::unique_ptr<rocksdb::FSDirectory> directory, std::shared_ptr<State> state)
      : FSDirectoryWrapper(std::move(directory)), state_(std::move(state)) {}

  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    const IOStatus status = state_->Change("sync directory");
    return status.ok() ? FSDirectoryWrapper::Fsync(options, debug) : status;
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* debug,
                               const rocksdb::DirFsyncOptions& directory_options) override {
    const IOStatus status = state_->Change("sync directory");
    return status.ok() ? FSDirectoryWrapper::FsyncWithDirOptions(options, debug, directory_options) : status;
  }

 private:
  const std::shared_ptr<State> state_;
};

}  // namespace

class FaultyFileSystem::FileSystem : public rocksdb::FileSystemWrapper {
 public:
  explicit FileSystem(std::shared_ptr<State> state)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), state_(std::move(state)) {}

  const char* Name() const override { return "FaultyFileSystem"; }

  IOStatus NewWritableFile(const std::string& name, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* file, IODebugContext* debug) override {
    return Open("create " + name, name, file,
                [&] { return target()->NewWritableFile(name, options, file, debug); });
  }
  IOStatus ReopenWritableFile(const std::string& name, const FileOptions& options,
                              std::unique_ptr<rocksdb::FSWritableFile>* file,
                              IODebugContext* debug) override {
    return Open("reopen " + name, name, file,
                [&] { return target()->ReopenWritableFile(name, options, file, debug); });
  }
  IOStatus NewDirectory(const std::string& name, const IOOptions& options,
                        std::unique_ptr<rocksdb::FSDirectory>* directory, IODebugContext* debug) override {
    const IOStatus status = target()->NewDirectory(name, options, directory, debug);
    if (status.ok()) *directory = std::make_unique<FaultyDirectory<State>>(std::move(*directory), state_);
    return status;
  }
  IOStatus DeleteFile(const std::string& name, const IOOptions& options, IODebugContext* debug) override {
    const IOStatus status = state_->Change("delete " + name);
    return status.ok() ? target()->DeleteFile(name, options, debug) : status;
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* debug) override {
    const IOStatus status = state_->Change("rename " + from);
    return status.ok() ? target()->RenameFile(from, to, options, debug) : status;
  }
  IOStatus LinkFile(const std::string& from, const std::string& to, const IOOptions& options,
                    IODebugContext* debug) override {
    const IOStatus status = state_->Change("link " + from);
    return status.ok() ? target()->LinkFile(from, to, options, debug) : status;
  }

 private:
  template <typename Create>
  IOStatus Open(const std::string& what, const std::string& name,
                std::unique_ptr<rocksdb::FSWritableFile>* file, const Create& create) {
    IOStatus status = state_->Change(what);
    if (!status.ok()) return status;
    status = create();
    if (status.ok()) *file = std::make_unique<FaultyFile<State>>(std::move(*file), state_, name);
    return status;
  }

  const std::shared_ptr<State> state_;
};

FaultyFileSystem::FaultyFileSystem()
    : state_(std::make_shared<State>()),
      env_(rocksdb::NewCompositeEnv(std::make_shared<FileSystem>(state_))) {}

FaultyFileSystem::~FaultyFileSystem() = default;

rocksdb::Env* FaultyFileSystem::env() const { return env_.get(); }

void FaultyFileSystem::FailAt(uint64_t n, Fault fault, uint64_t more) {
  const std::lock_guard<std::mutex> lock(state_->mu);
  state_->changes = 0;
  state_->failures = 0;
  state_->first_failing = n;
  state_->last_failing = n > std::numeric_limits<uint64_t>::max() - more ? n : n + more;
  state_->fault = fault;
}

uint64_t FaultyFileSystem::changes() const {
  const std::lock_guard<std::mutex> lock(state_->mu);
  return state_->changes;
}

uint64_t FaultyFileSystem::failures() const {
  const std::lock_guard<std::mutex> lock(state_->mu);
  return state_->failures;
}

}  // namespace varve
