// varve tail: shows log lines as they come in, across restarts of the server.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/json_writer.h"
#include "tools/api_client.h"
#include "tools/client_options.h"
#include "tools/commands.h"
#include "tools/query_answer.h"
#include "tools/query_output.h"
#include "tools/seen_entries.h"
#include "tools/terminal.h"
#include "tools/time_text.h"
#include "tools/websocket_client.h"

namespace varve {
namespace {

constexpr uint32_t kPageLines = 5000;  // what a server gives at once, by default
constexpr int kReceiveMs = 500;
constexpr std::chrono::milliseconds kRetryFirst{250};
constexpr std::chrono::milliseconds kRetryLast{5'000};
// Loki's words for a tail that is over only because it has lasted an hour.
constexpr std::string_view kMaxDuration = "reached tail max duration limit";

struct TailCommandOptions {
  ServerAddress address;
  std::string query;
  uint32_t limit = 10;
  uint32_t delay_for = 0;
  OutputFormat format = OutputFormat::kText;
  bool no_colour = false;
};

// Written by the signal handler, read by the loop; lock-free.
std::atomic<bool> interrupted{false};

void CatchInterrupts() {
  struct sigaction action = {};
  action.sa_handler = [](int) { interrupted.store(true, std::memory_order_relaxed); };
  sigemptyset(&action.sa_mask);
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // a second one ends the process
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

class TailRun {
 public:
  explicit TailRun(const TailCommandOptions& options)
      : options_(options), terminal_(IsTerminal(STDOUT_FILENO)) {
    style_.colour = WantsColour(STDOUT_FILENO) && !options.no_colour;
    seen_.SetFloor(Clock::System().NowNs() - kNsPerHour);
  }

  Status Run() {
    auto retry = kRetryFirst;
    while (!interrupted.load(std::memory_order_relaxed)) {
      const Status ended = Follow();
      if (ended.ok()) return Status::Ok();
      if (ended.code() != Code::kUnavailable || !connected_once_) return ended.Clone();
      if (was_connected_) {
        retry = kRetryFirst;
        fmt::print(stderr, "varve: {}; connecting again\n", ended.message());
      }
      Pause(retry);
      retry = std::min(2 * retry, kRetryLast);
    }
    return Status::Ok();
  }

 private:
  // One connection. Ok: interrupted. kUnavailable: worth another try.
  Status Follow() {
    was_connected_ = false;
    ApiClient::Parameters parameters = {{"query", options_.query}};
    if (options_.delay_for != 0) parameters.emplace_back("delay_for", std::to_string(options_.delay_for));
    if (connected_once_) {
      VARVE_RETURN_IF_ERROR(CatchUp());
      parameters.emplace_back("start", std::to_string(seen_.resume_ns()));
    }
    parameters.emplace_back("limit", std::to_string(connected_once_ ? kPageLines : options_.limit));
    VARVE_ASSIGN_OR_RETURN(const auto socket,
                           WebSocketClient::Connect(options_.address, "/loki/api/v1/tail", parameters));
    was_connected_ = connected_once_ = true;
    for (;;) {
      if (interrupted.load(std::memory_order_relaxed)) {
        socket->Close();
        return Status::Ok();
      }
      const WebSocketClient::Received received = socket->Receive(kReceiveMs);
      if (received.kind == WebSocketClient::Received::Kind::kMessage) {
        VARVE_RETURN_IF_ERROR(ShowFrame(received.text));
      } else if (received.kind == WebSocketClient::Received::Kind::kClosed) {
        return WhyClosed(received);
      }
    }
  }

  static Status WhyClosed(const WebSocketClient::Received& closed) {
    if (closed.text == kMaxDuration) return Unavailable("the server ends tails after a while");
    if (closed.close_code == WebSocketClient::kAbnormal) return Unavailable("the connection was lost");
    // Going away, restarting, try again later.
    if (closed.close_code == 1001 || closed.close_code == 1012 || closed.close_code == 1013) {
      return Unavailable("the server stops");
    }
    return InvalidArgument(
        closed.text.empty() ? fmt::format("the server ended the tail ({})", closed.close_code) : closed.text);
  }

  // A tail begins with 5,000 lines at most; what else came while there was no connection is paged in first.
  Status CatchUp() {
    ApiClient client(options_.address);
    int64_t from_ns = seen_.resume_ns();
    for (;;) {
      ApiClient::Parameters parameters = {
          {"query", options_.query}, {"limit", std::to_string(kPageLines)}, {"direction", "forward"}};
      const int64_t to_ns = std::max(Clock::System().NowNs(), from_ns) + kNsPerHour;
      AppendTimeParameters({from_ns, to_ns}, &parameters);
      VARVE_ASSIGN_OR_RETURN(const HttpAnswer answer, client.Get("/loki/api/v1/query_range", parameters));
      if (answer.status == 429 || answer.status >= 500) return Unavailable("the server is not ready");
      if (answer.status != 200) return InvalidArgument(answer.body);
      VARVE_ASSIGN_OR_RETURN(const QueryResult result, ParseQueryAnswer(answer.body));
      const auto* const streams = std::get_if<Streams>(&result.data);
      if (streams == nullptr) return Corruption("the server's answer has no streams");
      size_t count = 0;
      int64_t last_ns = from_ns;
      for (const ResultStream& stream : streams->streams) {
        count += stream.entries.size();
        for (const ResultEntry& entry : stream.entries) last_ns = std::max(last_ns, entry.ts_ns);
      }
      Show(*streams);
      if (count < kPageLines || interrupted.load(std::memory_order_relaxed)) return Status::Ok();
      from_ns = last_ns == from_ns ? last_ns + 1 : last_ns;
    }
  }

  Status ShowFrame(const std::string& json) {
    VARVE_ASSIGN_OR_RETURN(const TailFrameAnswer frame, ParseTailFrame(json));
    if (first_frame_ && !frame.streams.streams.empty()) {
      // The history: it was cut off at its first entry on purpose.
      first_frame_ = false;
      int64_t oldest_ns = std::numeric_limits<int64_t>::max();
      for (const ResultStream& stream : frame.streams.streams) {
        for (const ResultEntry& entry : stream.entries) oldest_ns = std::min(oldest_ns, entry.ts_ns);
      }
      seen_.SetFloor(oldest_ns);
    }
    Show(frame.streams);
    if (frame.dropped != 0) {
      fmt::print(stderr, "varve: the server left out {} lines: they came faster than they were read\n",
                 frame.dropped);
    }
    return Status::Ok();
  }

  // Oldest first, each once.
  void Show(const Streams& streams) {
    struct Row {
      const LabelPairs* labels;
      const ResultEntry* entry;
    };
    std::vector<Row> rows;
    for (const ResultStream& stream : streams.streams) {
      for (const ResultEntry& entry : stream.entries) rows.push_back({&stream.labels, &entry});
    }
    std::stable_sort(rows.begin(), rows.end(),
                     [](const Row& a, const Row& b) { return a.entry->ts_ns < b.entry->ts_ns; });
    std::string out;
    for (const Row& row : rows) {
      if (seen_.Add(*row.labels, row.entry->ts_ns, row.entry->line)) Append(*row.labels, *row.entry, &out);
    }
    std::fwrite(out.data(), 1, out.size(), stdout);
    std::fflush(stdout);
  }

  void Append(const LabelPairs& labels, const ResultEntry& entry, std::string* out) const {
    if (options_.format == OutputFormat::kJson) {
      *out += fmt::format("{{\"ts\":\"{}\",\"labels\":{{", entry.ts_ns);
      for (size_t i = 0; i < labels.size(); ++i) {
        if (i != 0) out->push_back(',');
        AppendJsonString(out, labels[i].first);
        out->push_back(':');
        AppendJsonString(out, labels[i].second);
      }
      *out += "},\"line\":";
      AppendJsonString(out, entry.line);
      *out += "}\n";
    } else if (terminal_) {
      *out += fmt::format("{} {} {}\n", style_.Dim(FormatUtcTime(entry.ts_ns)),
                          style_.Cyan(Printable(FormatLabelSet(labels))), Printable(entry.line));
    } else {
      *out += entry.line;
      out->push_back('\n');
    }
  }

  static void Pause(std::chrono::milliseconds time) {
    const auto until = std::chrono::steady_clock::now() + time;
    while (!interrupted.load(std::memory_order_relaxed) && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }

  const TailCommandOptions options_;
  const bool terminal_;
  Style style_;
  SeenEntries seen_;
  bool connected_once_ = false;
  bool was_connected_ = false;  // during the latest Follow
  bool first_frame_ = true;
};

Status RunTailCommand(const TailCommandOptions& options) {
  CatchInterrupts();
  return TailRun(options).Run();
}

}  // namespace

void AddTailCommand(CLI::App* app, ChosenCommand* chosen) {
  CLI::App* command = app->add_subcommand("tail", "Show log lines as they come in");
  auto options = std::make_shared<TailCommandOptions>();
  command->add_option("QUERY", options->query, "a LogQL log query")->required()->type_name("");
  command->add_option("--limit", options->limit, "lines of the last hour to begin with")
      ->check(CLI::Range(1U, kPageLines))
      ->capture_default_str();
  command
      ->add_option("--delay-for", options->delay_for,
                   "wait so many seconds, and sort by time what comes meanwhile")
      ->check(CLI::Range(0U, 5U))
      ->type_name("SECONDS");
  const std::map<std::string, OutputFormat> formats = {{"text", OutputFormat::kText},
                                                       {"json", OutputFormat::kJson}};
  command->add_option("-o,--output", options->format, "text or JSON lines")
      ->transform(CLI::CheckedTransformer(formats).description(""))
      ->type_name("text|json");
  command->add_flag("--no-color", options->no_colour, "as does NO_COLOR in the environment");
  AddServerOptions(command, &options->address);
  command->footer(
      "Runs until Ctrl-C. When the connection is lost it is made again, and what came meanwhile is shown:\n"
      "no line is missing or shown twice. In a pipe, text is the bare lines.\n\n"
      "Examples:\n"
      "  varve tail '{job=\"sshd\"} |= \"Failed password\"'\n"
      "  varve tail '{app=\"api\"} | logfmt | status >= 500' -o json | jq .line");
  command->callback([options, chosen] { *chosen = [options] { return RunTailCommand(*options); }; });
}

}  // namespace varve
