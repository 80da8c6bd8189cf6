#include "alerting/yaml_files.h"

#include <glob.h>

#include <cstdint>
#include <filesystem>
#include <fstream>

#include "alerting/yaml_document.h"

namespace varve {

Result<std::string> ReadConfigText(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    return InvalidArgument(path + (error ? ": no such file" : ": not a file"));
  }
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const std::streamoff size = file ? std::streamoff(file.tellg()) : -1;
  if (size < 0) return InvalidArgument(path + ": cannot be read");
  if (static_cast<uint64_t>(size) > kYamlBytesMax) {
    return InvalidArgument(path + ": larger than " + std::to_string(kYamlBytesMax >> 20) + " MiB");
  }
  std::string text(static_cast<size_t>(size), '\0');
  file.seekg(0);
  if (!file.read(text.data(), size)) return InvalidArgument(path + ": cannot be read");
  return text;
}

Result<std::vector<std::string>> MatchingFiles(const std::string& pattern) {
  glob_t found{};
  const int error = ::glob(pattern.c_str(), 0, nullptr, &found);
  std::vector<std::string> paths;
  for (size_t i = 0; error == 0 && i < found.gl_pathc; ++i) paths.emplace_back(found.gl_pathv[i]);
  ::globfree(&found);
  if (error != 0 && error != GLOB_NOMATCH) return InvalidArgument(pattern + ": cannot be searched for files");
  const bool wildcard = pattern.find_first_of("*?[") != std::string::npos;
  if (paths.empty() && !wildcard) return NotFound(pattern + ": no such file");
  return paths;
}

}  // namespace varve
