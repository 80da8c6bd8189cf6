#include "tools/probe_state.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <simdjson.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "engine/base/json_writer.h"

namespace varve {
namespace {

constexpr uint64_t kVersion = 1;
constexpr size_t kLogBytesMax = 1 << 20;  // read at once

using Object = simdjson::dom::object;

template <typename T>
Status Get(const Object& object, std::string_view key, T* value) {
  T found{};
  if (object[key].get(found) != simdjson::SUCCESS) {
    return Corruption(fmt::format("\"{}\" is missing, or of another kind", key));
  }
  *value = found;
  return Status::Ok();
}

Status ParseDomain(const Object& object, ProbeState* state) {
  std::string_view name;
  std::string_view serial;
  ProbeState::Domain domain;
  VARVE_RETURN_IF_ERROR(Get(object, "domain", &name));
  VARVE_RETURN_IF_ERROR(Get(object, "successes", &domain.successes));
  VARVE_RETURN_IF_ERROR(Get(object, "failures", &domain.failures));
  VARVE_RETURN_IF_ERROR(Get(object, "serial", &serial));
  VARVE_RETURN_IF_ERROR(Get(object, "not_after", &domain.not_after_s));
  VARVE_RETURN_IF_ERROR(Get(object, "changed", &domain.changed_s));
  VARVE_RETURN_IF_ERROR(Get(object, "reported", &domain.reported));
  domain.serial = serial;
  state->domains[std::string(name)] = std::move(domain);
  return Status::Ok();
}

std::string_view TakeWord(std::string_view* line) {
  line->remove_prefix(std::min(line->find_first_not_of(" \t\r"), line->size()));
  const std::string_view word = line->substr(0, line->find_first_of(" \t\r"));
  line->remove_prefix(word.size());
  return word;
}

}  // namespace

bool ProbeState::AddCheck(const std::string& label, const CertificateCheck& check, int64_t now_s) {
  const auto bucket = std::lower_bound(kBounds.begin(), kBounds.end(), check.seconds) - kBounds.begin();
  ++checks[static_cast<size_t>(bucket)];
  check_seconds += check.seconds;
  if (!check.presented) return false;
  Domain& domain = domains[label];
  const bool renewed = !domain.serial.empty() && check.serial != domain.serial && check.not_after_s > domain.not_after_s;
  if (renewed && !domain.reported) {
    ++domain.successes;
    domain.changed_s = now_s;
  }
  if (renewed) domain.reported = false;
  domain.serial = check.serial;
  domain.not_after_s = check.not_after_s;
  return renewed;
}

void ProbeState::AddReport(const std::string& label, bool success, int64_t now_s) {
  Domain& domain = domains[label];
  if (!success) {
    ++domain.failures;
    return;
  }
  const bool counted = domain.changed_s != 0 && now_s - domain.changed_s <= kReportAfterChangeS;
  domain.changed_s = 0;
  if (counted) return;
  ++domain.successes;
  domain.reported = true;
}

std::string PrintProbeState(const ProbeState& state) {
  std::string out = fmt::format("{{\"version\": {}, \"renewal_log\": {{\"inode\": {}, \"offset\": {}}},\n", kVersion,
                                state.log_inode, state.log_offset);
  out += fmt::format("\"check_seconds\": {:.6f}, \"checks\": [{}], \"domains\": [", state.check_seconds,
                     fmt::join(state.checks, ", "));
  bool first = true;
  for (const auto& [name, domain] : state.domains) {
    out += first ? "\n  {\"domain\": " : ",\n  {\"domain\": ";
    AppendJsonString(&out, name);
    out += fmt::format(
        ", \"successes\": {}, \"failures\": {}, \"serial\": \"{}\", \"not_after\": {}, \"changed\": {}, \"reported\": {}}}",
        domain.successes, domain.failures, domain.serial, domain.not_after_s, domain.changed_s, domain.reported);
    first = false;
  }
  return out + "\n]}\n";
}

Result<ProbeState> ParseProbeState(std::string_view text) {
  simdjson::dom::parser parser;
  Object document;
  if (parser.parse(text.data(), text.size()).get(document) != simdjson::SUCCESS) return Corruption("not a JSON object");
  uint64_t version = 0;
  VARVE_RETURN_IF_ERROR(Get(document, "version", &version));
  if (version != kVersion) return Corruption(fmt::format("version {}, known is {}", version, kVersion));
  ProbeState state;
  Object log;
  VARVE_RETURN_IF_ERROR(Get(document, "renewal_log", &log));
  VARVE_RETURN_IF_ERROR(Get(log, "inode", &state.log_inode));
  VARVE_RETURN_IF_ERROR(Get(log, "offset", &state.log_offset));
  VARVE_RETURN_IF_ERROR(Get(document, "check_seconds", &state.check_seconds));
  simdjson::dom::array checks;
  VARVE_RETURN_IF_ERROR(Get(document, "checks", &checks));
  if (checks.size() != state.checks.size()) return Corruption("\"checks\" has another number of buckets");
  for (size_t i = 0; i < state.checks.size(); ++i) {
    if (checks.at(i).get(state.checks[i]) != simdjson::SUCCESS) return Corruption("\"checks\" holds no numbers");
  }
  simdjson::dom::array domains;
  VARVE_RETURN_IF_ERROR(Get(document, "domains", &domains));
  for (const simdjson::dom::element& element : domains) {
    Object object;
    if (element.get(object) != simdjson::SUCCESS) return Corruption("\"domains\" holds no objects");
    VARVE_RETURN_IF_ERROR(ParseDomain(object, &state));
  }
  return state;
}

bool ReadRenewals(const std::string& path, const ProbeConfig& config, int64_t now_s, ProbeState* state,
                  std::vector<std::string>* log) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  struct stat info {};
  fstat(fd, &info);
  const bool same = info.st_ino == state->log_inode && static_cast<uint64_t>(info.st_size) >= state->log_offset;
  if (!same) {
    state->log_inode = info.st_ino;
    state->log_offset = 0;
  }
  std::string text(std::min<size_t>(kLogBytesMax, static_cast<uint64_t>(info.st_size) - state->log_offset), '\0');
  const ssize_t got = pread(fd, text.data(), text.size(), static_cast<off_t>(state->log_offset));
  close(fd);
  text.resize(static_cast<size_t>(std::max<ssize_t>(got, 0)));
  std::string_view rest = text;
  bool read_something = false;
  for (size_t end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    state->log_offset += end + 1;
    read_something = true;
    const std::string label(TakeWord(&line));
    const std::string_view result = TakeWord(&line);
    if (label.empty() || label.starts_with('#')) continue;
    const bool known = std::any_of(config.targets.begin(), config.targets.end(),
                                   [&](const ProbeTarget& target) { return target.label == label; });
    if (!known || (result != "success" && result != "failure")) {
      log->push_back(fmt::format("{}: not a renewal: {} {}", path, label, result));
      continue;
    }
    state->AddReport(label, result == "success", now_s);
  }
  return read_something;
}

}  // namespace varve
