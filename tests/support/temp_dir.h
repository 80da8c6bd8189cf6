// A directory that is removed with everything in it. In memory where the system has such a place:
// tests open and close many databases, and on a disk most of their time would go into syncs.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace varve {

class TempDir {
 public:
  TempDir() {
    const bool has_memory = access("/dev/shm", W_OK) == 0 && getenv("TMPDIR") == nullptr;
    const std::filesystem::path parent = has_memory ? "/dev/shm" : std::filesystem::temp_directory_path();
    std::string pattern = (parent / "varve_test_XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace varve
