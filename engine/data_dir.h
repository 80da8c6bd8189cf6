// The data directory's outermost layer: its existence, its VERSION file, where its parts lie.
//
// Bytes on disk: docs/format.md, "Data directory". Threads: free functions.
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/status.h"

namespace rocksdb {
class Env;
}

namespace varve {

inline constexpr uint32_t kFormatVersion = 1;

// Settings in the hot database that hold for the directory's life.
inline constexpr char kShardCountSetting[] = "shard_count";
inline constexpr char kMetricShardCountSetting[] = "metric_shard_count";
inline constexpr char kBucketSetting[] = "bucket_ns";

std::string HotPath(const std::string& data_dir);
std::string PacksPath(const std::string& data_dir);

// Creates the directory and its VERSION file when missing. kInvalidArgument: written by a version this
// program does not know. kCorruption: databases without a VERSION, or a VERSION that is no number.
// kIoError: cannot be created or written. Every message names the path. `env` null = the real one.
Status PrepareDataDir(const std::string& data_dir, rocksdb::Env* env);

// kInvalidArgument for a version that this program does not know.
Status CheckFormatVersion(const std::string& data_dir, uint32_t version);

// The version of an existing directory, or why it cannot be read. Does not judge the number.
Result<uint32_t> ReadFormatVersion(const std::string& data_dir, rocksdb::Env* env);

}  // namespace varve
