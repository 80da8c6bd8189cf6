// A copy of the data directory while the engine runs: hard links of everything that does not change any more.
//
// No commit happens between the copies of the two databases, so that the packs which the one names are those that the
// other has. The hot database is copied last, with its journal: what is acknowledged after that is not in the copy.
#include <filesystem>

#include "engine/data_dir.h"
#include "engine/engine_impl.h"

namespace varve {

Status EngineImpl::Checkpoint(const std::string& directory) {
  if (stores_.hot == nullptr) return Unimplemented("a store in memory cannot be copied to a directory");
  std::error_code error;
  if (std::filesystem::exists(directory, error)) return InvalidArgument(directory + " is there already");
  VARVE_RETURN_IF_ERROR(Flush());  // so that there is little to replay
  std::filesystem::create_directories(std::filesystem::path(directory).parent_path(), error);
  if (error) return IoError("cannot create the directory of " + directory + ": " + error.message());
  Status status = PrepareDataDir(directory, options_.env);
  if (status.ok()) {
    const MutexLock lock(commit_mu_);
    status = stores_.packs->Checkpoint(PacksPath(directory));
    if (status.ok()) status = stores_.hot->Checkpoint(HotPath(directory));
  }
  if (!status.ok()) std::filesystem::remove_all(directory, error);
  return status;
}

}  // namespace varve
