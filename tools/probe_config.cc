#include "tools/probe_config.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <fstream>
#include <functional>
#include <iterator>
#include <map>

#include "engine/base/time.h"
#include "tools/units.h"

namespace varve {
namespace {

namespace dom = simdjson::dom;

constexpr size_t kFileBytesMax = 16 << 20;
constexpr double kDaysMax = 100'000;

Status ReadText(const dom::element& value, std::string* out) {
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) return InvalidArgument("not a text");
  *out = text;
  return Status::Ok();
}

Status ReadFlag(const dom::element& value, bool* out) {
  return value.get(*out) == simdjson::SUCCESS ? Status::Ok() : InvalidArgument("neither true nor false");
}

template <typename T>
Status ReadWhole(const dom::element& value, int64_t most, T* out) {
  int64_t number = 0;
  if (value.get(number) != simdjson::SUCCESS || number < 1 || number > most) {
    return InvalidArgument(fmt::format("not a whole number from 1 to {}", most));
  }
  *out = static_cast<T>(number);
  return Status::Ok();
}

Status ReadDays(const dom::element& value, double* out) {
  double days = 0;
  if (value.get(days) != simdjson::SUCCESS || !(days >= 0 && days <= kDaysMax)) return InvalidArgument("not a number of days");
  *out = days;
  return Status::Ok();
}

// "5m", or seconds.
Status ReadDuration(const dom::element& value, int64_t* ms) {
  std::string_view text;
  double seconds = 0;
  int64_t ns = 0;
  if (value.get(text) == simdjson::SUCCESS) {
    VARVE_ASSIGN_OR_RETURN(ns, ParseDuration(text));
  } else if (value.get(seconds) == simdjson::SUCCESS && seconds >= 0 && seconds < 1e8) {
    ns = static_cast<int64_t>(seconds * 1e9);
  } else {
    return InvalidArgument("not a duration such as \"5m\"");
  }
  constexpr int64_t kLeastMs = 100;
  if (ns < kLeastMs * kNsPerMs) return InvalidArgument("shorter than 100ms");
  *ms = ns / kNsPerMs;
  return Status::Ok();
}

using ReadKey = std::function<Status(std::string_view key, const dom::element& value, bool* known)>;

Status ForEachKey(const dom::element& element, const ReadKey& read) {
  dom::object object;
  if (element.get(object) != simdjson::SUCCESS) return InvalidArgument("not an object");
  for (const auto& [key, value] : object) {
    bool known = true;
    Status status = read(key, value, &known);
    if (!known) return InvalidArgument(fmt::format("unknown key \"{}\"", key));
    if (!status.ok()) return InvalidArgument(fmt::format("{}: {}", key, status.message()));
  }
  return Status::Ok();
}

Status ReadThresholds(const dom::element& element, ProbeTarget* target) {
  VARVE_RETURN_IF_ERROR(ForEachKey(element, [&](std::string_view key, const dom::element& value, bool* known) -> Status {
    if (key == "critical") return ReadDays(value, &target->critical_days);
    if (key == "warning") return ReadDays(value, &target->warning_days);
    *known = false;
    return Status::Ok();
  }));
  if (target->critical_days > target->warning_days) return InvalidArgument("critical is more than warning");
  return Status::Ok();
}

// What may stand with one domain and, as a default, with all.
Status ReadCommon(std::string_view key, const dom::element& value, ProbeTarget* target, bool* known) {
  if (key == "thresholds") return ReadThresholds(value, target);
  if (key == "interval") return ReadDuration(value, &target->interval_ms);
  if (key == "timeout") return ReadDuration(value, &target->timeout_ms);
  if (key == "ca_file") return ReadText(value, &target->ca_file);
  if (key == "verify") return ReadFlag(value, &target->verify);
  *known = false;
  return Status::Ok();
}

Status ReadTarget(const dom::element& element, ProbeTarget* target) {
  VARVE_RETURN_IF_ERROR(ForEachKey(element, [&](std::string_view key, const dom::element& value, bool* known) -> Status {
    if (key == "domain") return ReadText(value, &target->domain);
    if (key == "address") return ReadText(value, &target->address);
    if (key == "port") return ReadWhole(value, 65535, &target->port);
    if (key == "issuer") return ReadText(value, &target->issuer);
    return ReadCommon(key, value, target, known);
  }));
  if (target->domain.empty()) return InvalidArgument("domain is missing");
  if (target->address.empty()) target->address = target->domain;
  return Status::Ok();
}

Status ReadLabels(const dom::element& element, Labels* labels) {
  std::vector<Label> read;
  VARVE_RETURN_IF_ERROR(ForEachKey(element, [&](std::string_view key, const dom::element& value, bool*) -> Status {
    if (!IsValidLabelName(key)) return InvalidArgument("not the name of a label");
    if (key == "domain" || key == "issuer" || key == "status" || key == "result" || key == "le") {
      return InvalidArgument("the metrics have a label of that name");
    }
    read.push_back({std::string(key), {}});
    return ReadText(value, &read.back().value);
  }));
  *labels = Labels::FromUnsorted(std::move(read));
  return Status::Ok();
}

Status ReadTargets(const dom::element& element, const ProbeTarget& defaults, std::vector<ProbeTarget>* targets) {
  dom::array list;
  if (element.get(list) != simdjson::SUCCESS) return InvalidArgument("domains: not a list");
  size_t i = 0;
  for (const dom::element& item : list) {
    if (targets->size() == ProbeConfig::kTargetsMax) {
      return InvalidArgument(fmt::format("domains: more than {}", ProbeConfig::kTargetsMax));
    }
    Status status = ReadTarget(item, &targets->emplace_back(defaults));
    if (!status.ok()) return InvalidArgument(fmt::format("domains[{}]: {}", i, status.message()));
    ++i;
  }
  return targets->empty() ? InvalidArgument("domains: there are none") : Status::Ok();
}

Status ReadDocument(const dom::element& document, ProbeConfig* config) {
  config->labels = Labels::FromUnsorted({{"job", "certificates"}});
  ProbeTarget defaults;
  if (document.is_array()) return ReadTargets(document, defaults, &config->targets);
  dom::element domains;
  bool found = false;
  VARVE_RETURN_IF_ERROR(ForEachKey(document, [&](std::string_view key, const dom::element& value, bool* known) -> Status {
    if (key == "domains") {
      domains = value;
      found = true;
      return Status::Ok();
    }
    if (key == "labels") return ReadLabels(value, &config->labels);
    if (key == "push_interval") return ReadDuration(value, &config->push_interval_ms);
    if (key == "concurrency") return ReadWhole(value, ProbeConfig::kConcurrencyMax, &config->concurrency);
    if (key == "renewal_log") return ReadText(value, &config->renewal_log);
    return ReadCommon(key, value, &defaults, known);
  }));
  if (!found) return InvalidArgument("domains are missing");
  return ReadTargets(domains, defaults, &config->targets);
}

// Series are told apart by the label domain.
Status NameTargets(std::vector<ProbeTarget>* targets) {
  std::map<std::string, int> times;
  for (const ProbeTarget& target : *targets) ++times[target.domain];
  std::map<std::string, size_t> seen;
  for (size_t i = 0; i < targets->size(); ++i) {
    ProbeTarget& target = (*targets)[i];
    target.label = times[target.domain] == 1 ? target.domain : fmt::format("{}:{}", target.domain, target.port);
    if (!seen.try_emplace(target.label, i).second) {
      return InvalidArgument(fmt::format("domains[{}]: {} is given twice", i, target.label));
    }
  }
  return Status::Ok();
}

}  // namespace

Result<ProbeConfig> ParseProbeConfig(std::string_view text, std::string_view name) {
  dom::parser parser;
  dom::element document;
  if (const auto error = parser.parse(text.data(), text.size()).get(document); error != simdjson::SUCCESS) {
    return InvalidArgument(fmt::format("{}: not JSON: {}", name, simdjson::error_message(error)));
  }
  ProbeConfig config;
  Status status = ReadDocument(document, &config);
  if (status.ok()) status = NameTargets(&config.targets);
  if (!status.ok()) return InvalidArgument(fmt::format("{}: {}", name, status.message()));
  return config;
}

Result<ProbeConfig> ReadProbeConfig(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file.is_open()) return IoError(fmt::format("{}: cannot be read", path));
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (text.size() > kFileBytesMax) return InvalidArgument(fmt::format("{}: larger than {} bytes", path, kFileBytesMax));
  return ParseProbeConfig(text, path);
}

}  // namespace varve
