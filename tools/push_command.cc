// varve push: lines of files to a server, in batches of about a megabyte; with --follow as they grow.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "engine/model/labels.h"
#include "tools/api_client.h"
#include "tools/client_options.h"
#include "tools/commands.h"
#include "tools/line_reader.h"
#include "tools/progress_bar.h"
#include "tools/push_batch.h"
#include "tools/push_follow.h"
#include "tools/push_line.h"
#include "tools/push_metrics.h"
#include "tools/retrying_post.h"
#include "tools/units.h"

namespace varve {
namespace {

constexpr uint64_t kBatchBytes = 1 << 20;
constexpr uint64_t kBatchLines = 20'000;
constexpr int kIdleMs = 500;  // a pipe that pauses this long has its lines sent

struct PushOptions {
  ServerAddress address;
  std::vector<std::string> files;
  std::vector<std::string> labels;
  bool metrics = false;
  std::string format = "auto";
  uint32_t retries = 10;
  LineOptions lines;
  bool follow = false;
  std::string state_file;
  std::string file_name_label = "filename";
  bool from_end = false;
  bool stop_at_end = false;
};

Result<Labels> ParseLabels(const std::vector<std::string>& texts) {
  std::vector<Label> labels;
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos || !IsValidLabelName(std::string_view(text).substr(0, equals))) {
      return InvalidArgument(
          fmt::format("--label {}: expected NAME=VALUE with a name like job or host_name", text));
    }
    if (equals + 1 == text.size())
      return InvalidArgument(fmt::format("--label {}: the value is empty", text));
    labels.push_back({text.substr(0, equals), text.substr(equals + 1)});
  }
  if (const std::string* name = FirstDuplicateName(labels); name != nullptr) {
    return InvalidArgument(fmt::format("--label {} is given twice", *name));
  }
  return Labels::FromUnsorted(std::move(labels));
}

class Pusher {
 public:
  Pusher(const PushOptions& options, const Labels& labels, LineShaper* shaper)
      : options_(options), client_(options.address), batch_(labels, Clock::System(), shaper) {}

  Status PushFile(const std::string& path);
  Status Flush();
  Status Finish();

 private:
  Status SendWithRetries(const std::string& body);
  void ShowProgress(const std::string& path, const LineReader& reader);

  const PushOptions& options_;
  ApiClient client_;
  PushBatch batch_;
  ProgressBar progress_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  bool reached_server_ = false;
  uint64_t lines_ = 0;
  uint64_t line_bytes_ = 0;
  uint64_t rejected_batches_ = 0;
};

Status Pusher::PushFile(const std::string& path) {
  VARVE_ASSIGN_OR_RETURN(const std::unique_ptr<LineReader> reader, LineReader::Open(path));
  while (true) {
    std::string_view line;
    VARVE_ASSIGN_OR_RETURN(const LineReader::Next next, reader->Read(&line, kIdleMs));
    if (next == LineReader::Next::kEnd) return Status::Ok();
    if (next == LineReader::Next::kLine) batch_.Add(line);
    const bool full = batch_.line_bytes() >= kBatchBytes || batch_.lines() >= kBatchLines;
    if (full || next == LineReader::Next::kIdle) {
      VARVE_RETURN_IF_ERROR(Flush());
      ShowProgress(path, *reader);
    }
  }
}

void Pusher::ShowProgress(const std::string& path, const LineReader& reader) {
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start_;
  progress_.Update(path, reader.bytes_read(), reader.bytes_total(),
                   fmt::format("{} lines  {}/s", lines_,
                               FormatByteSizeRounded(static_cast<double>(line_bytes_) / elapsed.count())));
}

Status Pusher::Flush() {
  if (batch_.lines() == 0) return Status::Ok();
  VARVE_RETURN_IF_ERROR(SendWithRetries(batch_.Body()));
  batch_.Clear();
  return Status::Ok();
}

// What is wrong with one batch is printed and the next one follows.
Status Pusher::SendWithRetries(const std::string& body) {
  VARVE_ASSIGN_OR_RETURN(
      HttpAnswer answer,
      PostWithRetries(&client_, "/loki/api/v1/push", "application/x-protobuf", body, options_.retries, &reached_server_));
  if (answer.status / 100 == 2) {
    lines_ += batch_.lines();
    line_bytes_ += batch_.line_bytes();
    return Status::Ok();
  }
  ++rejected_batches_;
  progress_.Clear();
  while (answer.body.ends_with('\n')) answer.body.pop_back();
  fmt::print(stderr, "varve: a batch of {} lines was answered with {}: {}\n", batch_.lines(), answer.status,
             answer.body.substr(0, 500));
  return Status::Ok();
}

Status Pusher::Finish() {
  progress_.Clear();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start_;
  fmt::print("pushed {} lines, {} in {:.2f} s\n", lines_,
             FormatByteSizeRounded(static_cast<double>(line_bytes_)), elapsed.count());
  if (rejected_batches_ == 0) return Status::Ok();
  return InvalidArgument(fmt::format("{} batches were not taken, or not in full", rejected_batches_));
}

Status Follow(const PushOptions& options, const Labels& labels) {
  FollowOptions follow;
  follow.address = options.address;
  for (const std::string& file : options.files) {
    if (file == "-") return InvalidArgument("--follow takes files, not standard input");
    std::error_code error;  // a path that is not absolute stays as it is where there is no current folder
    const std::filesystem::path path = std::filesystem::absolute(file, error);
    follow.patterns.push_back(error ? file : path.lexically_normal().string());
  }
  follow.labels = labels;
  follow.lines = options.lines;
  follow.state_file = options.state_file;
  follow.file_name_label = options.file_name_label;
  follow.from_end = options.from_end;
  follow.stop_at_end = options.stop_at_end;
  if (!follow.file_name_label.empty() && !IsValidLabelName(follow.file_name_label)) {
    return InvalidArgument(fmt::format("--label-file-name {}: not a name like filename", follow.file_name_label));
  }
  if (labels.Has(follow.file_name_label)) {
    return InvalidArgument(fmt::format("--label {0} is also the label of the file name (--label-file-name)",
                                       follow.file_name_label));
  }
  return PushFollow(follow);
}

void AddFollowOptions(CLI::App* command, PushOptions* options) {
  CLI::Option* const follow =
      command->add_flag("--follow", options->follow, "go on sending what is written to the files; patterns are allowed");
  CLI::Option* const state =
      command->add_option("--state", options->state_file, "where --follow remembers how far it has come")->type_name("FILE");
  follow->needs(state);
  state->needs(follow);
  command
      ->add_option("--label-file-name", options->file_name_label,
                   "the label that holds a file's first path; empty: none")
      ->type_name("NAME")
      ->capture_default_str()
      ->needs(follow);
  command->add_flag("--from-end", options->from_end, "without a state yet: only what is written from now on")->needs(follow);
  command->add_flag("--stop-at-end", options->stop_at_end, "end when everything is sent")->needs(follow);
}

Status RunPush(const PushOptions& options) {
  if (options.metrics) return PushMetrics({options.address, options.files, options.format, options.retries});
  VARVE_ASSIGN_OR_RETURN(const Labels labels, ParseLabels(options.labels));
  if (options.follow) return Follow(options, labels);
  VARVE_ASSIGN_OR_RETURN(const std::unique_ptr<LineShaper> shaper, LineShaper::Create(options.lines));
  Pusher pusher(options, labels, shaper.get());
  for (const std::string& file : options.files) VARVE_RETURN_IF_ERROR(pusher.PushFile(file));
  VARVE_RETURN_IF_ERROR(pusher.Flush());
  return pusher.Finish();
}

}  // namespace

void AddPushCommand(CLI::App* app, ChosenCommand* chosen) {
  CLI::App* command = app->add_subcommand("push", "Send the lines of files, or metrics, to a server");
  auto options = std::make_shared<PushOptions>();
  command->add_option("FILE", options->files, "plain or gzip; - is standard input")->required();
  // Lines of logs belong to a stream; metrics say themselves what they are.
  CLI::App* kind = command->add_option_group("Kind", "lines of a log, with --label, or --metrics");
  kind->add_option("-l,--label", options->labels, "a label of the stream; repeat for more")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);  // one value each, so that what follows is a FILE
  kind->add_flag("--metrics", options->metrics, "the files hold metrics, with times of their own");
  kind->require_option(1);
  command
      ->add_option("--format", options->format, "of metrics: json (a series a line), openmetrics, prometheus")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"auto", "json", "openmetrics", "prometheus"}).description(""))
      ->capture_default_str();
  command->add_option("--retries", options->retries, "tries again on 429, 5xx and broken connections")
      ->capture_default_str();
  AddLineOptions(command, &options->lines);
  AddFollowOptions(command, options.get());
  AddServerOptions(command, &options->address);
  command->footer(
      "A line of a log gets the time it begins with (--timestamp-format), else the current time. Lines that the "
      "server refuses are reported; then the exit status is 1. --follow ends on SIGTERM; docs/operations.md, "
      "\"Following files\".\n\n"
      "Examples:\n"
      "  varve push --label job=sshd /var/log/auth.log\n"
      "  varve push --label job=sshd --label host=web1 auth.log.1.gz auth.log.2.gz\n"
      "  varve push --follow --state /var/lib/varve/push.json --label job=sshd --timestamp-format syslog \\\n"
      "    --fields 'from (?P<ip>\\S+) port (?P<port>\\d+)' '/var/log/auth.log*'\n"
      "  journalctl -f -o cat | varve push --label job=journal -\n"
      "  varve push --metrics backfill.om export.jsonl.gz");
  command->callback([options, chosen] { *chosen = [options] { return RunPush(*options); }; });
}

}  // namespace varve
