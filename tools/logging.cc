#include "tools/logging.h"

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "tools/time_text.h"

namespace varve {
namespace {

bool IsNameChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

void AppendQuoted(std::string_view text, std::string* out) {
  out->push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      *out += {'\\', c};
    } else if (c == '\n') {
      *out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      *out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      out->push_back(c);
    }
  }
  out->push_back('"');
}

// One `name=value` or `name="value"` off the front; the value without its quotes.
bool TakePair(std::string_view* rest, std::string_view* name, std::string* value) {
  size_t equals = 0;
  while (equals < rest->size() && IsNameChar((*rest)[equals])) ++equals;
  if (equals == 0 || equals == rest->size() || (*rest)[equals] != '=') return false;
  *name = rest->substr(0, equals);
  rest->remove_prefix(equals + 1);
  value->clear();
  if (rest->starts_with('"')) {
    size_t i = 1;
    for (; i < rest->size() && (*rest)[i] != '"'; ++i) {
      if ((*rest)[i] == '\\' && i + 1 < rest->size()) ++i;
      value->push_back((*rest)[i]);
    }
    if (i == rest->size()) return false;
    rest->remove_prefix(i + 1);
  } else {
    const size_t space = std::min(rest->find(' '), rest->size());
    *value = rest->substr(0, space);
    rest->remove_prefix(space);
  }
  if (rest->empty()) return true;
  if (!rest->starts_with(' ')) return false;
  rest->remove_prefix(1);
  return true;
}

// The payload's pairs, or msg=payload when it is not logfmt from end to end.
std::vector<std::pair<std::string, std::string>> Pairs(std::string_view payload) {
  std::vector<std::pair<std::string, std::string>> pairs;
  std::string_view rest = payload;
  std::string_view name;
  std::string value;
  while (!rest.empty()) {
    if (!TakePair(&rest, &name, &value)) return {{"msg", std::string(payload)}};
    pairs.emplace_back(name, value);
  }
  return pairs;
}

bool NeedsQuotes(std::string_view value) {
  for (const char c : value) {
    if (c == ' ' || c == '"' || c == '=' || c == '\\' || static_cast<unsigned char>(c) < 0x20) return true;
  }
  return value.empty();
}

class LogfmtFormatter final : public spdlog::formatter {
 public:
  explicit LogfmtFormatter(bool json) : json_(json) {}

  void format(const spdlog::details::log_msg& msg, spdlog::memory_buf_t& dest) override {
    const auto since_epoch = msg.time.time_since_epoch();
    const int64_t t_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(since_epoch).count();
    const std::string_view level = msg.level >= spdlog::level::err    ? "error"
                                   : msg.level == spdlog::level::warn ? "warn"
                                   : msg.level == spdlog::level::info ? "info"
                                                                      : "debug";
    std::string line =
        FormatLogLine(FormatUtcTime(t_ns), level, {msg.payload.data(), msg.payload.size()}, json_);
    line.push_back('\n');
    dest.append(line.data(), line.data() + line.size());
  }
  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<LogfmtFormatter>(json_);
  }

 private:
  const bool json_;
};

}  // namespace

std::string FormatLogLine(std::string_view utc_time, std::string_view level, std::string_view payload,
                          bool json) {
  std::string line = json ? fmt::format("{{\"ts\":\"{}\",\"level\":\"{}\"", utc_time, level)
                          : fmt::format("ts={} level={}", utc_time, level);
  for (const auto& [name, value] : Pairs(payload)) {
    if (json) {
      line += ",\"" + name + "\":";
      AppendQuoted(value, &line);
      continue;
    }
    line += " " + name + "=";
    if (NeedsQuotes(value)) {
      AppendQuoted(value, &line);
    } else {
      line += value;
    }
  }
  if (json) line.push_back('}');
  return line;
}

Status StartLogging(const std::string& level, const std::string& format) {
  const auto logger =
      std::make_shared<spdlog::logger>("varve", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_formatter(std::make_unique<LogfmtFormatter>(format == "json"));
  if (level == "debug") {
    logger->set_level(spdlog::level::debug);
  } else if (level == "info") {
    logger->set_level(spdlog::level::info);
  } else if (level == "warn") {
    logger->set_level(spdlog::level::warn);
  } else if (level == "error") {
    logger->set_level(spdlog::level::err);
  } else {
    return InvalidArgument(fmt::format("log level \"{}\" is none of debug, info, warn, error", level));
  }
  logger->flush_on(spdlog::level::debug);
  spdlog::set_default_logger(logger);
  return Status::Ok();
}

}  // namespace varve
