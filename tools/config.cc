// One table, Settings(), names every key and points at its place in a Config; reading, printing and the
// list of keys all walk it. yaml-cpp throws, so its one call stands behind LoadYaml.
#include "tools/config.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <fstream>
#include <limits>
#include <set>
#include <sstream>
#include <variant>

#include "tools/units.h"

namespace varve {
namespace {

constexpr size_t kConfigBytesMax = 1 << 20;

// Where a value lives and how it is written.
struct Flag {
  bool* value;
};
struct Text {
  std::string* value;
};
struct TextList {
  std::vector<std::string>* value;
};
struct Choice {
  std::string* value;
  std::vector<std::string_view> choices;
};
struct DurabilityChoice {
  Durability* value;
};
struct Port {
  uint16_t* value;
};
struct Count {
  uint32_t* value;
};
struct CountSize {
  size_t* value;
};
struct Real {
  double* value;
};
struct Bytes {
  int64_t* value;
};
struct Bytes32 {
  uint32_t* value;
};
struct BytesSize {
  size_t* value;
};
struct DurationMs {
  int64_t* value;
};
struct DurationNs {
  int64_t* value;
};
using Slot = std::variant<Flag, Text, TextList, Choice, DurabilityChoice, Port, Count, CountSize, Real, Bytes,
                          Bytes32, BytesSize, DurationMs, DurationNs>;

struct Setting {
  std::string_view key;
  Slot slot;
  std::string_view meaning;
};

void AddServerSettings(Config* c, std::vector<Setting>* out) {
  HttpOptions& http = c->http;
  out->insert(
      out->end(),
      {
          {"auth_enabled", Flag{&http.auth_enabled},
           "tenants by the X-Scope-OrgID header, which must then be there (`--multi-tenant`)"},
          {"server.http_listen_address", Text{&http.listen_address},
           "numeric address to listen on (`--listen`)"},
          {"server.http_listen_port", Port{&http.listen_port}, "0 takes any free port (`--listen`)"},
          {"server.log_level", Choice{&c->log_level, {"debug", "info", "warn", "error"}}, "`--log-level`"},
          {"server.log_format", Choice{&c->log_format, {"logfmt", "json"}}, "`--log-format`"},
          {"server.log_requests", Flag{&http.log_requests}, "write a line for each request"},
          {"server.http_server_read_timeout", DurationMs{&http.body_timeout_ms},
           "without a byte of a request's body arriving"},
          {"server.http_server_read_header_timeout", DurationMs{&http.header_timeout_ms},
           "from a request's first byte to the end of its header"},
          {"server.http_server_write_timeout", DurationMs{&http.write_timeout_ms},
           "without a byte of the answer being taken"},
          {"server.http_server_idle_timeout", DurationMs{&http.idle_timeout_ms},
           "between the requests of a connection"},
          {"server.graceful_shutdown_timeout", DurationMs{&http.stop_timeout_ms},
           "SIGTERM waits this long for running requests, then cancels them"},
          {"server.http_listen_conn_limit", CountSize{&http.connections_max},
           "connections; more are closed on arrival"},
          {"querier.tail_max_duration", DurationMs{&http.tail.duration_max_ms}, "then a live tail is closed"},
          {"querier.tail_memory", Bytes{&http.tail.memory_bytes}, "of all live tails together"},
          {"querier.tail_backlog_max", Bytes{&http.tail.backlog_bytes_max},
           "of what waits for the client of one live tail; more is dropped"},
          {"querier.tail_slow_client_timeout", DurationMs{&http.tail.slow_client_timeout_ms},
           "a live tail whose client takes nothing for so long is cut"},
          {"server.header_bytes_max", BytesSize{&http.header_bytes_max}, "of a request's header"},
          {"server.form_bytes_max", BytesSize{&http.form_bytes_max}, "of any request body but a push's"},
          {"server.io_threads", Count{&http.io_threads}, "0: 1 per 4 cores, 1 to 4"},
          {"server.push_threads", Count{&http.push_threads}, "0: one per core, at least 2"},
          {"server.query_threads", Count{&http.query_threads},
           "requests answered at a time; 0: two per core, at least 4"},
          {"server.push_queue_max", CountSize{&http.push_queue_max}, "waiting pushes; beyond it 503"},
          {"server.query_queue_max", CountSize{&http.query_queue_max}, "waiting queries; beyond it 429"},
          {"frontend.compress_responses", Flag{&http.compress_responses},
           "gzip, when the client asks for it"},
      });
}

void AddStorageSettings(Config* c, std::vector<Setting>* out) {
  EngineOptions& engine = c->engine;
  out->insert(
      out->end(),
      {
          {"memory.budget", Bytes{&engine.memory_budget_bytes},
           "shared by journal, heads, caches and queries; 0: a quarter of the machine, at most 4 GB"},
          {"storage.data_dir", Text{&engine.data_dir}, "`--data-dir`"},
          {"storage.durability", DurabilityChoice{&engine.durability},
           "`process`: an acknowledged push survives kill -9; `disk`: also a power cut (`--durability`)"},
          {"storage.sync_interval", DurationMs{&engine.sync_interval_ms},
           "what a power cut can take with durability `process`"},
          {"storage.shard_count", Count{&engine.shard_count},
           "lock domains; fixed when a data directory is created; 0: 4 per core, at least 8"},
          {"storage.encode_threads", Count{&engine.encode_threads}, "0: half the cores, at least 1"},
          {"storage.query_threads", Count{&engine.query_threads}, "scan blocks for queries; 0: one per core"},
          {"storage.cut_bytes", Bytes{&engine.cut_bytes},
           "of lines in a shard's head; 0: from the memory budget"},
          {"storage.cut_age", DurationMs{&engine.cut_age_ms}, "the longest a line waits in a head"},
          {"storage.journal_bytes_max", Bytes{&engine.journal_bytes_max},
           "of journalled bodies before cuts are forced; 0: from the memory budget"},
          {"storage.append_wait_max", DurationMs{&engine.append_wait_ms_max},
           "a push waits this long for room in the heads, then 429 or 503"},
          {"storage.block_bytes", Bytes32{&engine.block_bytes}, "of lines in a block"},
          {"storage.block_rows", Count{&engine.block_rows}, "entries in a block"},
          {"storage.retention_check_interval", DurationMs{&engine.retention_check_interval_ms},
           "how often expired data is dropped"},
          {"storage.disk_full_fraction", Real{&engine.disk_full_fraction},
           "pushes are refused (507) when the file system is fuller than this"},
          {"limits.retention_period", DurationNs{&engine.retention_ns},
           "older data is dropped and refused; 0s keeps everything"},
      });
}

void AddIngestSettings(Config* c, std::vector<Setting>* out) {
  IngestLimits& in = c->ingest;
  out->insert(
      out->end(),
      {
          {"limits.discover_service_name", TextList{&in.discover_service_name},
           "labels that `service_name` is taken from; [] turns it off"},
          {"limits.discover_log_levels", Flag{&in.discover_log_levels}, "add `detected_level`"},
          {"limits.log_level_fields", TextList{&in.log_level_fields}, "where `detected_level` is looked for"},
          {"limits.log_level_from_json_max_depth", Count{&in.log_level_from_json_max_depth},
           "of JSON lines searched for a level"},
          {"limits.reject_old_samples", Flag{&in.reject_old_samples}, "refuse old lines"},
          {"limits.reject_old_samples_max_age", DurationMs{&in.reject_old_samples_max_age_ms}, "how old"},
          {"limits.creation_grace_period", DurationMs{&in.creation_grace_period_ms},
           "how far in the future a line may be"},
          {"limits.max_line_size", Bytes{&in.max_line_size}, "0: no limit of its own"},
          {"limits.max_line_size_truncate", Flag{&in.max_line_size_truncate},
           "cut longer lines instead of refusing them"},
          {"limits.max_label_names_per_series", Count{&in.max_label_names_per_series}, "labels of a stream"},
          {"limits.max_label_name_length", Count{&in.max_label_name_length}, "bytes"},
          {"limits.max_label_value_length", Count{&in.max_label_value_length}, "bytes"},
          {"limits.allow_structured_metadata", Flag{&in.allow_structured_metadata},
           "take structured metadata"},
          {"limits.max_structured_metadata_size", Bytes{&in.max_structured_metadata_size}, "of a line"},
          {"limits.max_structured_metadata_entries_count", Count{&in.max_structured_metadata_entries_count},
           "of a line"},
          {"limits.ingestion_rate_mb", Real{&in.ingestion_rate_mb}, "MB/s of a tenant; 0: no limit"},
          {"limits.ingestion_burst_size_mb", Real{&in.ingestion_burst_size_mb}, "MB"},
          {"limits.per_stream_rate_limit", Real{&in.per_stream_rate_limit_mb},
           "MB/s of a stream; 0: no limit"},
          {"limits.per_stream_rate_limit_burst", Real{&in.per_stream_rate_limit_burst_mb}, "MB"},
          {"limits.max_global_streams_per_user", Count{&in.max_global_streams_per_user},
           "streams of a tenant; 0: no limit"},
          {"limits.max_recv_msg_size", Bytes{&in.max_recv_msg_size}, "of a push on the wire"},
          {"limits.max_decompressed_size", Bytes{&in.max_decompressed_size}, "of a push after decompression"},
      });
}

void AddQuerySettings(Config* c, std::vector<Setting>* out) {
  QueryLimits& query = c->query;
  out->insert(
      out->end(),
      {
          {"limits.max_query_length", DurationNs{&query.max_query_length_ns},
           "end minus start; 0s: no limit"},
          {"limits.max_query_lookback", DurationNs{&query.max_query_lookback_ns},
           "how far back a query may reach; 0s: no limit"},
          {"limits.max_query_range", DurationNs{&query.max_query_range_ns},
           "of a range such as [5m]; 0s: no limit"},
          {"limits.max_entries_limit_per_query", Count{&query.max_entries_limit_per_query},
           "lines; 0: no limit"},
          {"limits.max_query_series", Count{&query.max_query_series}, "series in an answer"},
          {"limits.max_streams_matchers_per_query", Count{&query.max_streams_matchers_per_query},
           "of one query"},
          {"limits.max_points_per_series", Count{&query.max_points_per_series}, "(end - start) / step"},
          {"limits.max_query_bytes_read", Bytes{&query.max_query_bytes_read}, "0: no limit"},
          {"limits.max_query_memory", Bytes{&query.max_query_memory_bytes}, "of one query"},
          {"limits.max_concurrent_tail_requests", Count{&query.max_concurrent_tail_requests},
           "live tails of a tenant; 0: no limit"},
          {"limits.query_timeout", DurationMs{&query.query_timeout_ms}, "then 504"},
          {"limits.required_labels", TextList{&query.required_labels}, "labels every query must match on"},
          {"limits.minimum_labels_number", Count{&query.minimum_labels_number}, "matchers a query needs"},
      });
}

// Every key, pointing into `config`; a section's keys stand together.
std::vector<Setting> Settings(Config* config) {
  std::vector<Setting> settings;
  AddServerSettings(config, &settings);
  AddStorageSettings(config, &settings);
  AddIngestSettings(config, &settings);
  AddQuerySettings(config, &settings);
  return settings;
}

// ---- Reading one value --------------------------------------------------------------------------

template <typename T>
Status ReadInteger(const std::string& text, T* value) {
  T parsed{};
  const auto [after, error] = std::from_chars(text.data(), text.data() + text.size(), parsed);
  if (error != std::errc() || after != text.data() + text.size()) {
    return InvalidArgument(
        fmt::format("\"{}\" is not a whole number from 0 to {}", text, std::numeric_limits<T>::max()));
  }
  *value = parsed;
  return Status::Ok();
}

template <typename T>
Status ReadBytes(const std::string& text, T* value) {
  VARVE_ASSIGN_OR_RETURN(const int64_t bytes, ParseByteSize(text));
  if (static_cast<uint64_t>(bytes) > static_cast<uint64_t>(std::numeric_limits<T>::max())) {
    return InvalidArgument(fmt::format("\"{}\" is too large", text));
  }
  *value = static_cast<T>(bytes);
  return Status::Ok();
}

Status ReadDuration(const std::string& text, int64_t unit_ns, int64_t* value) {
  VARVE_ASSIGN_OR_RETURN(const int64_t ns, ParseDuration(text));
  if (ns < 0) return InvalidArgument(fmt::format("\"{}\" is negative", text));
  *value = ns / unit_ns;
  return Status::Ok();
}

Status ReadChoice(const std::string& text, const std::vector<std::string_view>& choices) {
  for (const std::string_view choice : choices) {
    if (choice == text) return Status::Ok();
  }
  return InvalidArgument(fmt::format("\"{}\" is none of {}", text, fmt::join(choices, ", ")));
}

struct ScalarReader {
  const std::string& text;

  Status operator()(const Flag& slot) const {
    VARVE_RETURN_IF_ERROR(ReadChoice(text, {"true", "false"}));
    *slot.value = text == "true";
    return Status::Ok();
  }
  Status operator()(const Text& slot) const {
    *slot.value = text;
    return Status::Ok();
  }
  Status operator()(const TextList&) const {
    return InvalidArgument(fmt::format("\"{}\" is not a list such as [a, b]", text));
  }
  Status operator()(const Choice& slot) const {
    VARVE_RETURN_IF_ERROR(ReadChoice(text, slot.choices));
    *slot.value = text;
    return Status::Ok();
  }
  Status operator()(const DurabilityChoice& slot) const {
    VARVE_RETURN_IF_ERROR(ReadChoice(text, {"process", "disk"}));
    *slot.value = text == "disk" ? Durability::kDisk : Durability::kProcess;
    return Status::Ok();
  }
  Status operator()(const Real& slot) const {
    double parsed = 0;
    const auto [after, error] = std::from_chars(text.data(), text.data() + text.size(), parsed);
    if (error != std::errc() || after != text.data() + text.size() || !(parsed >= 0) || parsed > 1e18) {
      return InvalidArgument(fmt::format("\"{}\" is not a number from 0", text));
    }
    *slot.value = parsed;
    return Status::Ok();
  }
  Status operator()(const Port& slot) const { return ReadInteger(text, slot.value); }
  Status operator()(const Count& slot) const { return ReadInteger(text, slot.value); }
  Status operator()(const CountSize& slot) const { return ReadInteger(text, slot.value); }
  Status operator()(const Bytes& slot) const { return ReadBytes(text, slot.value); }
  Status operator()(const Bytes32& slot) const { return ReadBytes(text, slot.value); }
  Status operator()(const BytesSize& slot) const { return ReadBytes(text, slot.value); }
  Status operator()(const DurationMs& slot) const { return ReadDuration(text, kNsPerMs, slot.value); }
  Status operator()(const DurationNs& slot) const { return ReadDuration(text, 1, slot.value); }
};

Status ReadNode(const YAML::Node& node, const Slot& slot) {
  if (const auto* list = std::get_if<TextList>(&slot); list != nullptr && node.IsSequence()) {
    std::vector<std::string> items;
    for (const YAML::Node& item : node) {
      if (!item.IsScalar()) return InvalidArgument("the list holds something that is not a text");
      items.push_back(item.Scalar());
    }
    *list->value = std::move(items);
    return Status::Ok();
  }
  if (!node.IsScalar()) return InvalidArgument(node.IsNull() ? "needs a value" : "takes a single value");
  return std::visit(ScalarReader{node.Scalar()}, slot);
}

// ---- Printing one value -------------------------------------------------------------------------

std::string Quoted(const std::string& text) {
  YAML::Emitter emitter;
  emitter << YAML::DoubleQuoted << text;
  return emitter.c_str();
}

struct Printer {
  std::string operator()(const Flag& slot) const { return *slot.value ? "true" : "false"; }
  std::string operator()(const Text& slot) const { return Quoted(*slot.value); }
  std::string operator()(const TextList& slot) const {
    std::string out = "[";
    for (const std::string& item : *slot.value) out += (out.size() > 1 ? ", " : "") + Quoted(item);
    return out + "]";
  }
  std::string operator()(const Choice& slot) const { return *slot.value; }
  std::string operator()(const DurabilityChoice& slot) const {
    return *slot.value == Durability::kDisk ? "disk" : "process";
  }
  std::string operator()(const Real& slot) const { return fmt::format("{}", *slot.value); }
  std::string operator()(const Port& slot) const { return fmt::format("{}", *slot.value); }
  std::string operator()(const Count& slot) const { return fmt::format("{}", *slot.value); }
  std::string operator()(const CountSize& slot) const { return fmt::format("{}", *slot.value); }
  std::string operator()(const Bytes& slot) const { return FormatByteSize(*slot.value); }
  std::string operator()(const Bytes32& slot) const { return FormatByteSize(*slot.value); }
  std::string operator()(const BytesSize& slot) const {
    return FormatByteSize(static_cast<int64_t>(*slot.value));
  }
  std::string operator()(const DurationMs& slot) const { return FormatDuration(*slot.value * kNsPerMs); }
  std::string operator()(const DurationNs& slot) const { return FormatDuration(*slot.value); }
};

// ---- Whole documents ----------------------------------------------------------------------------

// The key that is meant, for the error about one that is not there: the known key with the smallest
// edit distance, when that is small.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

Status UnknownKey(std::string_view key, const std::vector<Setting>& settings) {
  constexpr size_t kComparedBytesMax = 200;
  std::string_view nearest;
  size_t smallest = 6;
  for (const Setting& setting : settings) {
    if (key.size() > kComparedBytesMax) break;
    const size_t distance = EditDistance(key, setting.key);
    if (distance < smallest) {
      smallest = distance;
      nearest = setting.key;
    }
  }
  if (nearest.empty()) return InvalidArgument(fmt::format("unknown key \"{}\"", key));
  return InvalidArgument(fmt::format("unknown key \"{}\"; did you mean \"{}\"?", key, nearest));
}

Status ApplyNode(std::string_view key, const YAML::Node& value, const std::vector<Setting>& settings) {
  for (const Setting& setting : settings) {
    if (setting.key != key) continue;
    Status status = ReadNode(value, setting.slot);
    if (status.ok()) return status;
    return InvalidArgument(fmt::format("{}: {}", key, status.message()));
  }
  return UnknownKey(key, settings);
}

Result<YAML::Node> LoadYaml(const std::string& text, std::string_view name) {
  try {
    return YAML::Load(text);
  } catch (const YAML::Exception& e) {
    return InvalidArgument(fmt::format("{}:{}: not valid YAML: {}", name, e.mark.line + 1, e.msg));
  }
}

struct Occurrence {
  std::string key;
  YAML::Node value;
  int line;
};

// The document's keys in full, in order.
Result<std::vector<Occurrence>> Flatten(const YAML::Node& document, std::string_view name) {
  std::vector<Occurrence> found;
  for (const auto& entry : document) {
    const int line = entry.first.Mark().line + 1;
    if (!entry.first.IsScalar())
      return InvalidArgument(fmt::format("{}:{}: a key is not a text", name, line));
    const std::string& section = entry.first.Scalar();
    if (!entry.second.IsMap()) {
      // "limits:" with nothing below it sets nothing.
      if (!entry.second.IsNull()) found.push_back({section, entry.second, line});
      continue;
    }
    for (const auto& inner : entry.second) {
      const int inner_line = inner.first.Mark().line + 1;
      if (!inner.first.IsScalar()) {
        return InvalidArgument(fmt::format("{}:{}: a key is not a text", name, inner_line));
      }
      found.push_back({section + "." + inner.first.Scalar(), inner.second, inner_line});
    }
  }
  return found;
}

}  // namespace

Config::Config() : log_level("info"), log_format("logfmt") { engine.data_dir = "./varve-data"; }

Status ApplyConfigText(const std::string& text, std::string_view name, Config* config) {
  VARVE_ASSIGN_OR_RETURN(const YAML::Node document, LoadYaml(text, name));
  if (document.IsNull()) return Status::Ok();
  if (!document.IsMap()) return InvalidArgument(fmt::format("{}: not a map of keys to values", name));
  VARVE_ASSIGN_OR_RETURN(const std::vector<Occurrence> occurrences, Flatten(document, name));
  const std::vector<Setting> settings = Settings(config);
  std::set<std::string_view> seen;
  for (const Occurrence& occurrence : occurrences) {
    Status status = ApplyNode(occurrence.key, occurrence.value, settings);
    if (status.ok() && !seen.insert(occurrence.key).second) {
      status = InvalidArgument(fmt::format("{}: given twice", occurrence.key));
    }
    if (!status.ok()) {
      return InvalidArgument(fmt::format("{}:{}: {}", name, occurrence.line, status.message()));
    }
  }
  return Status::Ok();
}

Status ApplyConfigFile(const std::string& path, Config* config) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kConfigBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) return IoError(fmt::format("{}: cannot read the configuration", path));
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > kConfigBytesMax) {
    return InvalidArgument(fmt::format("{}: larger than {} bytes", path, kConfigBytesMax));
  }
  return ApplyConfigText(text, path, config);
}

Status ApplySetting(std::string_view key_equals_value, Config* config) {
  const size_t equals = key_equals_value.find('=');
  if (equals == std::string_view::npos) {
    return InvalidArgument(fmt::format("--set {}: expected KEY=VALUE", key_equals_value));
  }
  const std::string_view key = key_equals_value.substr(0, equals);
  const std::string name = fmt::format("--set {}", key);
  VARVE_ASSIGN_OR_RETURN(const YAML::Node value,
                         LoadYaml(std::string(key_equals_value.substr(equals + 1)), name));
  Status status = ApplyNode(key, value, Settings(config));
  if (status.ok()) return status;
  return InvalidArgument(fmt::format("--set: {}", status.message()));
}

Status ApplyListenAddress(std::string_view host_port, Config* config) {
  const size_t colon = host_port.rfind(':');
  uint16_t port = 0;
  if (colon == std::string_view::npos || !ReadInteger(std::string(host_port.substr(colon + 1)), &port).ok()) {
    return InvalidArgument(fmt::format("--listen {}: expected HOST:PORT, such as 127.0.0.1:3100", host_port));
  }
  std::string_view host = host_port.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty()) host = "0.0.0.0";
  if (host == "localhost") host = "127.0.0.1";
  config->http.listen_address = host;
  config->http.listen_port = port;
  return Status::Ok();
}

std::string ToYaml(const Config& config) {
  Config copy = config;  // Settings wants to point into something it may write
  std::string out;
  std::set<std::string> printed;
  const std::vector<Setting> settings = Settings(&copy);
  for (const Setting& first : settings) {
    const size_t dot = first.key.find('.');
    if (dot == std::string_view::npos) {
      out += fmt::format("{}: {}\n", first.key, std::visit(Printer(), first.slot));
      continue;
    }
    const std::string section(first.key.substr(0, dot));
    if (!printed.insert(section).second) continue;
    out += section + ":\n";
    for (const Setting& setting : settings) {
      if (!setting.key.starts_with(section + ".")) continue;
      out += fmt::format("  {}: {}\n", setting.key.substr(dot + 1), std::visit(Printer(), setting.slot));
    }
  }
  return out;
}

std::vector<ConfigKey> ConfigKeys() {
  Config defaults;
  std::vector<ConfigKey> keys;
  for (const Setting& setting : Settings(&defaults)) {
    keys.push_back(
        {std::string(setting.key), std::visit(Printer(), setting.slot), std::string(setting.meaning)});
  }
  return keys;
}

}  // namespace varve
