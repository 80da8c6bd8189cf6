// Lines of a file of metrics on their way to a server: cut where lines that belong together end, if they can be.
//
// Threads: thread-compatible. Ownership: lines are copied.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace varve {

enum class MetricsFormat { kUnknown, kJson, kOpenMetrics, kPrometheus };

// By a line of a file: JSON by its brace, OpenMetrics by what only it has, Prometheus's by times that can only be
// milliseconds. kUnknown: the line does not tell.
MetricsFormat SniffMetricsFormat(std::string_view line);

class MetricsBatch {
 public:
  // Beyond kBytesWanted a batch is sent before the next family of metrics, beyond kBytesMax before any line.
  static constexpr size_t kBytesWanted = 1 << 20;
  static constexpr size_t kBytesMax = 4 << 20;

  // Whether the batch should be sent before this line is added.
  bool IsFullBefore(std::string_view line) const;
  void Add(std::string_view line);
  // Begins the next batch, with the TYPE, HELP and UNIT of the family that the last one ended in.
  void Next();
  // Forgets the file.
  void Reset();

  bool empty() const { return lines_ == 0; }
  uint64_t lines() const { return lines_; }
  const std::string& body() const { return body_; }
  // The server's text with "line 7" made a line of the file.
  std::string InLinesOfTheFile(std::string_view text) const;

 private:
  std::string body_;
  std::string family_;        // the comment lines of the family
  std::string family_name_;
  uint64_t repeated_ = 0;     // lines at the beginning that the file does not have here
  uint64_t lines_ = 0;        // of the file
  uint64_t lines_before_ = 0; // of the file, in earlier batches
};

}  // namespace varve
