#include "engine/data_dir.h"

#include <rocksdb/env.h>

#include <charconv>

#include "engine/journal/hot_db.h"

namespace varve {
namespace {

std::string VersionPath(const std::string& data_dir) { return data_dir + "/VERSION"; }

rocksdb::Env* OrDefault(rocksdb::Env* env) { return env == nullptr ? rocksdb::Env::Default() : env; }

// Written beside and renamed, so that a crash leaves no half of it.
Status WriteVersion(const std::string& data_dir, rocksdb::Env* env) {
  const std::string path = VersionPath(data_dir);
  const std::string text = std::to_string(kFormatVersion) + "\n";
  const std::string context = "data directory " + data_dir + " is not writable";
  VARVE_RETURN_IF_ERROR(
      FromRocksDb(rocksdb::WriteStringToFile(env, text, path + ".tmp", /*should_sync=*/true), context));
  VARVE_RETURN_IF_ERROR(FromRocksDb(env->RenameFile(path + ".tmp", path), context));
  std::unique_ptr<rocksdb::Directory> directory;
  VARVE_RETURN_IF_ERROR(FromRocksDb(env->NewDirectory(data_dir, &directory), context));
  return FromRocksDb(directory->Fsync(), context);
}

}  // namespace

std::string HotPath(const std::string& data_dir) { return data_dir + "/hot"; }
std::string PacksPath(const std::string& data_dir) { return data_dir + "/packs"; }

Status CheckFormatVersion(const std::string& data_dir, uint32_t version) {
  if (version == kFormatVersion) return Status::Ok();
  return InvalidArgument("data directory " + data_dir + " has format version " + std::to_string(version) +
                         "; this program knows version " + std::to_string(kFormatVersion));
}

Result<uint32_t> ReadFormatVersion(const std::string& data_dir, rocksdb::Env* env) {
  std::string text;
  VARVE_RETURN_IF_ERROR(FromRocksDb(rocksdb::ReadFileToString(OrDefault(env), VersionPath(data_dir), &text),
                                    "reading the format version of " + data_dir));
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  uint32_t version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error != std::errc() || end != text.data() + text.size()) {
    return Corruption(VersionPath(data_dir) + " holds no version number");
  }
  return version;
}

Status PrepareDataDir(const std::string& data_dir, rocksdb::Env* env_or_null) {
  rocksdb::Env* env = OrDefault(env_or_null);
  if (data_dir.empty()) return InvalidArgument("no data directory given");
  VARVE_RETURN_IF_ERROR(
      FromRocksDb(env->CreateDirIfMissing(data_dir), "creating data directory " + data_dir));
  const rocksdb::Status has_version = env->FileExists(VersionPath(data_dir));
  if (has_version.ok()) {
    VARVE_ASSIGN_OR_RETURN(const uint32_t version, ReadFormatVersion(data_dir, env));
    return CheckFormatVersion(data_dir, version);
  }
  if (!has_version.IsNotFound()) {
    return FromRocksDb(has_version, "looking for the format version of " + data_dir);
  }
  for (const std::string& part : {HotPath(data_dir), PacksPath(data_dir)}) {
    if (env->FileExists(part).ok()) {
      return Corruption("data directory " + data_dir + " has no VERSION file, but there is " + part);
    }
  }
  return WriteVersion(data_dir, env);
}

}  // namespace varve
