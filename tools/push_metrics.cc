#include "tools/push_metrics.h"

#include <fmt/format.h>

#include <chrono>
#include <memory>

#include "tools/line_reader.h"
#include "tools/metrics_batch.h"
#include "tools/progress_bar.h"
#include "tools/retrying_post.h"
#include "tools/units.h"

namespace varve {
namespace {

constexpr int kIdleMs = 500;  // a pipe that pauses this long has its lines sent

MetricsFormat FormatNamed(const std::string& name) {
  if (name == "json") return MetricsFormat::kJson;
  if (name == "openmetrics") return MetricsFormat::kOpenMetrics;
  return name == "prometheus" ? MetricsFormat::kPrometheus : MetricsFormat::kUnknown;
}

class MetricsPusher {
 public:
  explicit MetricsPusher(const PushMetricsOptions& options) : options_(options), client_(options.address) {}

  Status PushFile(const std::string& path);
  Status Finish();

 private:
  Status Flush(const std::string& path);
  void ShowProgress(const std::string& path, const LineReader& reader);

  const PushMetricsOptions& options_;
  ApiClient client_;
  MetricsBatch batch_;
  MetricsFormat format_ = MetricsFormat::kUnknown;  // of the file
  ProgressBar progress_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  bool reached_server_ = false;
  uint64_t lines_ = 0;
  uint64_t bytes_ = 0;
  uint64_t rejected_batches_ = 0;
};

Status MetricsPusher::PushFile(const std::string& path) {
  VARVE_ASSIGN_OR_RETURN(const std::unique_ptr<LineReader> reader, LineReader::Open(path));
  format_ = FormatNamed(options_.format);
  batch_.Reset();
  while (true) {
    std::string_view line;
    VARVE_ASSIGN_OR_RETURN(const LineReader::Next next, reader->Read(&line, kIdleMs));
    if (next == LineReader::Next::kEnd) return Flush(path);
    if (next == LineReader::Next::kIdle) {
      VARVE_RETURN_IF_ERROR(Flush(path));
      continue;
    }
    if (format_ == MetricsFormat::kUnknown) format_ = SniffMetricsFormat(line);
    if (batch_.IsFullBefore(line)) {
      VARVE_RETURN_IF_ERROR(Flush(path));
      ShowProgress(path, *reader);
    }
    batch_.Add(line);
  }
}

void MetricsPusher::ShowProgress(const std::string& path, const LineReader& reader) {
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start_;
  progress_.Update(path, reader.bytes_read(), reader.bytes_total(),
                   fmt::format("{} lines  {}/s", lines_,
                               FormatByteSizeRounded(static_cast<double>(bytes_) / elapsed.count())));
}

// A file whose lines have no times and nothing else that tells is Prometheus's text.
Status MetricsPusher::Flush(const std::string& path) {
  if (batch_.empty()) return Status::Ok();
  const bool json = format_ == MetricsFormat::kJson;
  const char* const endpoint = json ? "/api/v1/import" : "/api/v1/import/prometheus";
  const char* const type = json                                     ? "application/json"
                           : format_ == MetricsFormat::kOpenMetrics ? "application/openmetrics-text"
                                                                    : "text/plain";
  VARVE_ASSIGN_OR_RETURN(const HttpAnswer answer, PostWithRetries(&client_, endpoint, type, batch_.body(),
                                                                  options_.retries, &reached_server_));
  lines_ += batch_.lines();
  bytes_ += batch_.body().size();
  if (answer.status / 100 != 2) {
    ++rejected_batches_;
    progress_.Clear();
    constexpr size_t kShownMax = 4000;
    std::string text = batch_.InLinesOfTheFile(answer.body.substr(0, kShownMax));
    while (text.ends_with('\n')) text.pop_back();
    fmt::print(stderr, "varve: {}: not all of {} lines was taken ({}):\n{}\n", path, batch_.lines(), answer.status,
               text);
  }
  batch_.Next();
  return Status::Ok();
}

Status MetricsPusher::Finish() {
  progress_.Clear();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start_;
  fmt::print("pushed {} lines of metrics, {} in {:.2f} s\n", lines_, FormatByteSizeRounded(static_cast<double>(bytes_)),
             elapsed.count());
  if (rejected_batches_ == 0) return Status::Ok();
  return InvalidArgument(fmt::format("{} batches were not taken in full", rejected_batches_));
}

}  // namespace

Status PushMetrics(const PushMetricsOptions& options) {
  MetricsPusher pusher(options);
  for (const std::string& file : options.files) VARVE_RETURN_IF_ERROR(pusher.PushFile(file));
  return pusher.Finish();
}

}  // namespace varve
