// What is read out of a line of a log before it is sent: its time, fields for structured metadata, a level.
//
// Threads: thread-compatible.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/status.h"
#include "tools/push_time.h"

namespace CLI {
class App;
}

namespace varve {

struct LineOptions {
  std::string timestamp_format;     // push_time.h; empty = lines have no time of their own
  std::string time_zone;            // IANA; empty = the system's
  std::vector<std::string> fields;  // expressions with named groups; the first that matches a line counts
  std::vector<std::string> levels;  // LEVEL=EXPRESSION; the first that matches gives metadata "level"
};
void AddLineOptions(CLI::App* command, LineOptions* options);

class LineShaper {
 public:
  struct Line {
    std::optional<int64_t> ts_ns;  // nullopt: the line does not say
    std::vector<std::pair<std::string_view, std::string_view>> metadata;  // views into the line and the shaper
  };

  // kInvalidArgument names the option.
  static Result<std::unique_ptr<LineShaper>> Create(const LineOptions& options);
  struct Impl;
  explicit LineShaper(std::unique_ptr<Impl> impl);
  ~LineShaper();
  LineShaper(const LineShaper&) = delete;
  LineShaper& operator=(const LineShaper&) = delete;

  // Whether lines have times.
  bool has_times() const;
  // `previous_ns` and `now_ns` as of LineTimeFormat::Read. *out is valid until the next call and as long as `line` is.
  void Shape(std::string_view line, int64_t previous_ns, int64_t now_ns, Line* out);

 private:
  const std::unique_ptr<Impl> impl_;
};

}  // namespace varve
