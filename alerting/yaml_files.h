// Finding and reading the files that YAML stands in.
//
// Threads: pure functions of the file system.
#pragma once

#include <string>
#include <vector>

#include "engine/base/status.h"

namespace varve {

// A file of at most kYamlBytesMax. Errors begin with its path.
Result<std::string> ReadConfigText(const std::string& path);
// Ascending; none where a pattern with a wildcard (* ? [) matches nothing. kNotFound: a path without one is not there.
Result<std::vector<std::string>> MatchingFiles(const std::string& pattern);

}  // namespace varve
