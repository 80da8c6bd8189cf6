// What configuration files say: their keys in full, one after another, each read into the place that the table of
// keys (config.cc) has for it. yaml-cpp throws, so its one call stands behind LoadYaml.
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <utility>

#include "tools/config.h"
#include "tools/config_settings.h"

namespace varve {
namespace {

constexpr size_t kConfigBytesMax = 1 << 20;

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
  const size_t own = key.size() - (key.rfind('.') == std::string_view::npos ? 0 : key.rfind('.') + 1);
  size_t smallest = std::min<size_t>(6, own / 2 + 1);  // of "limits.x" only the x can be wrong
  for (const Setting& setting : settings) {
    if (key.size() > kComparedBytesMax) break;
    if (setting.key.starts_with(std::string(key) + ".")) {  // a section, which is no mistyped key
      nearest = {};
      break;
    }
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
    Status status = ReadSlot(value, setting.slot);
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

Status AddOccurrences(const YAML::Node& map, const std::string& prefix, const std::vector<Setting>& settings,
                      std::string_view name, std::vector<Occurrence>* found);

// A key that has keys below it, or a value. No setting has more than a few dots, and that bounds the recursion.
Status AddOccurrence(const std::string& key, const YAML::Node& value, int line, const std::vector<Setting>& settings,
                     std::string_view name, std::vector<Occurrence>* found) {
  const auto is = [&](const Setting& setting) { return setting.key == key; };
  const auto below = [&](const Setting& setting) {
    return setting.key.size() > key.size() && setting.key[key.size()] == '.' && setting.key.starts_with(key);
  };
  const bool whole = std::any_of(settings.begin(), settings.end(), is);
  const bool top = key.find('.') == std::string::npos;
  if (value.IsMap() && !whole && (top || std::any_of(settings.begin(), settings.end(), below))) {
    return AddOccurrences(value, key + ".", settings, name, found);
  }
  // "limits:" with nothing below it sets nothing.
  if (!top || !value.IsNull()) found->push_back({key, value, line});
  return Status::Ok();
}

Status AddOccurrences(const YAML::Node& map, const std::string& prefix, const std::vector<Setting>& settings,
                      std::string_view name, std::vector<Occurrence>* found) {
  for (const auto& entry : map) {
    const int line = entry.first.Mark().line + 1;
    if (!entry.first.IsScalar()) {
      return InvalidArgument(fmt::format("{}:{}: a key is not a text", name, line));
    }
    VARVE_RETURN_IF_ERROR(
        AddOccurrence(prefix + entry.first.Scalar(), entry.second, line, settings, name, found));
  }
  return Status::Ok();
}

size_t LineBegin(const std::string& text, size_t line) {
  size_t begin = 0;
  for (; line > 0; --line) begin = std::min(text.find('\n', begin), text.size() - 1) + 1;
  return begin;
}

// What stands below a top-level key, at its place: see YamlSection.
std::string SectionText(const std::string& text, const YAML::Node& document, const std::string& key) {
  std::string section;
  YAML::Node value;
  bool inside = false;
  size_t begin = 0, end = text.size();
  for (const auto& entry : document) {
    const auto line = static_cast<size_t>(std::max(entry.first.Mark().line, 0));
    if (inside) {
      end = LineBegin(text, line);
      break;
    }
    if (!entry.first.IsScalar() || entry.first.Scalar() != key) continue;
    inside = true;
    value = entry.second;
    begin = LineBegin(text, line);
    section.assign(line, '\n');
  }
  if (!inside || value.size() == 0) return {};
  const size_t colon = text.find(':', begin + key.size());
  if (document.Style() != YAML::EmitterStyle::Flow && colon < end) {
    std::string in_place = section + std::string(colon + 1 - begin, ' ') + text.substr(colon + 1, end - colon - 1);
    // Not by itself what it is in the file: an alias, or what follows "...".
    const Result<YAML::Node> again = LoadYaml(in_place, "");
    if (again.ok() && again->size() == value.size() && again->Type() == value.Type()) return in_place;
  }
  return section + YAML::Dump(value);
}

// Reads one key's value into its place.
Status ApplyOccurrence(const Occurrence& occurrence, const std::string& text, const YAML::Node& document,
                       std::string_view name, const std::vector<Setting>& settings) {
  for (const Setting& setting : settings) {
    const auto* section = std::get_if<Section>(&setting.slot);
    if (section == nullptr || setting.key != occurrence.key) continue;
    if (!occurrence.value.IsMap() && !occurrence.value.IsSequence()) {
      return InvalidArgument(fmt::format("{}: takes {}", setting.key, section->none == "[]" ? "a list" : "a map"));
    }
    *section->value = {SectionText(text, document, occurrence.key), std::string(name)};
    return Status::Ok();
  }
  return ApplyNode(occurrence.key, occurrence.value, settings);
}

Result<std::string> ReadConfigFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kConfigBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) return IoError(fmt::format("{}: cannot read the configuration", path));
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > kConfigBytesMax) {
    return InvalidArgument(fmt::format("{}: larger than {} bytes", path, kConfigBytesMax));
  }
  return text;
}

// One tenant's overrides: limits by their names without the section's.
Status ReadTenant(const YAML::Node& key, const YAML::Node& limits, std::string_view name,
                  const Config& defaults, std::map<std::string, Config>* tenants) {
  const int line = key.Mark().line + 1;
  if (!key.IsScalar()) return InvalidArgument(fmt::format("{}:{}: a key is not a text", name, line));
  const std::string& tenant = key.Scalar();
  const auto [own, fresh] = tenants->try_emplace(tenant, defaults);
  if (!fresh) return InvalidArgument(fmt::format("{}:{}: {}: given twice", name, line, tenant));
  own->second.retention_streams.clear();  // what is left is the tenant's own (retention_policy.h)
  if (limits.IsNull()) return Status::Ok();
  if (!limits.IsMap())
    return InvalidArgument(fmt::format("{}:{}: {}: not a map of limits", name, line, tenant));
  std::vector<Setting> settings = Settings(&own->second);
  std::erase_if(settings, [](const Setting& setting) { return !setting.key.starts_with(kLimitsSection); });
  std::set<std::string> seen;
  for (const auto& entry : limits) {
    const int entry_line = entry.first.Mark().line + 1;
    Status status = InvalidArgument("a key is not a text");
    if (entry.first.IsScalar()) {
      status = ApplyNode(std::string(kLimitsSection) + entry.first.Scalar(), entry.second, settings);
      if (status.ok() && !seen.insert(entry.first.Scalar()).second) {
        status = InvalidArgument(fmt::format("{}: given twice", entry.first.Scalar()));
      }
    }
    if (!status.ok()) {
      return InvalidArgument(fmt::format("{}:{}: {}: {}", name, entry_line, tenant, status.message()));
    }
  }
  return Status::Ok();
}

}  // namespace

Status ApplyConfigText(const std::string& text, std::string_view name, Config* config) {
  VARVE_ASSIGN_OR_RETURN(const YAML::Node document, LoadYaml(text, name));
  if (document.IsNull()) return Status::Ok();
  if (!document.IsMap()) return InvalidArgument(fmt::format("{}: not a map of keys to values", name));
  const std::vector<Setting> settings = Settings(config);
  std::vector<Occurrence> occurrences;
  VARVE_RETURN_IF_ERROR(AddOccurrences(document, "", settings, name, &occurrences));
  std::set<std::string_view> seen;
  for (const Occurrence& occurrence : occurrences) {
    Status status = ApplyOccurrence(occurrence, text, document, name, settings);
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
  VARVE_ASSIGN_OR_RETURN(const std::string text, ReadConfigFile(path));
  VARVE_RETURN_IF_ERROR(ApplyConfigText(text, path, config));
  // Rule files and their like are looked for beside the file that names them, as Prometheus does.
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  AlertingConfig& alerting = config->alerting;
  const auto resolve = [&](std::string* file) {
    if (!file->empty() && std::filesystem::path(*file).is_relative()) *file = (folder / *file).string();
  };
  for (std::string& file : alerting.rule_files) resolve(&file);
  for (std::string& file : alerting.report_files) resolve(&file);
  resolve(&alerting.ruler_directory);
  resolve(&alerting.notify_config_file);
  return Status::Ok();
}

Result<std::map<std::string, Config>> ReadOverridesText(const std::string& text, std::string_view name,
                                                        const Config& defaults) {
  std::map<std::string, Config> tenants;
  VARVE_ASSIGN_OR_RETURN(const YAML::Node document, LoadYaml(text, name));
  if (document.IsNull()) return tenants;
  if (!document.IsMap()) return InvalidArgument(fmt::format("{}: not a map of keys to values", name));
  for (const auto& section : document) {
    const int line = section.first.Mark().line + 1;
    if (!section.first.IsScalar() || section.first.Scalar() != "overrides") {
      const std::string key = section.first.IsScalar() ? section.first.Scalar() : std::string();
      return InvalidArgument(
          fmt::format("{}:{}: unknown key \"{}\"; did you mean \"overrides\"?", name, line, key));
    }
    if (section.second.IsNull()) continue;
    if (!section.second.IsMap()) {
      return InvalidArgument(fmt::format("{}:{}: overrides: not a map of tenants", name, line));
    }
    for (const auto& tenant : section.second) {
      VARVE_RETURN_IF_ERROR(ReadTenant(tenant.first, tenant.second, name, defaults, &tenants));
    }
  }
  return tenants;
}

Result<std::map<std::string, Config>> ReadOverridesFile(const std::string& path, const Config& defaults) {
  VARVE_ASSIGN_OR_RETURN(const std::string text, ReadConfigFile(path));
  return ReadOverridesText(text, path, defaults);
}

Status ApplySetting(std::string_view key_equals_value, Config* config) {
  const size_t equals = key_equals_value.find('=');
  if (equals == std::string_view::npos) {
    return InvalidArgument(fmt::format("--set {}: expected KEY=VALUE", key_equals_value));
  }
  const std::string_view key = key_equals_value.substr(0, equals);
  const std::string name = fmt::format("--set {}", key);
  const std::string text(key_equals_value.substr(equals + 1));
  VARVE_ASSIGN_OR_RETURN(const YAML::Node value, LoadYaml(text, name));
  const std::vector<Setting> settings = Settings(config);
  for (const Setting& setting : settings) {
    const auto* section = std::get_if<Section>(&setting.slot);
    if (section == nullptr || setting.key != key) continue;
    if (!value.IsMap() && !value.IsSequence()) return InvalidArgument(fmt::format("{}: takes a map or a list", name));
    *section->value = {value.size() == 0 ? std::string() : text, name};
    return Status::Ok();
  }
  Status status = ApplyNode(key, value, settings);
  if (status.ok()) return status;
  return InvalidArgument(fmt::format("--set: {}", status.message()));
}

Status ApplyListenAddress(std::string_view host_port, Config* config) {
  const size_t colon = host_port.rfind(':');
  uint16_t port = 0;
  if (colon == std::string_view::npos || !ReadPort(std::string(host_port.substr(colon + 1)), &port).ok()) {
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
      out += fmt::format("{}: {}\n", first.key, PrintSlot(first.slot));
      continue;
    }
    const std::string section(first.key.substr(0, dot));
    if (!printed.insert(section).second) continue;
    out += section + ":\n";
    for (const Setting& setting : settings) {
      if (!setting.key.starts_with(section + ".")) continue;
      out += fmt::format("  {}: {}\n", setting.key.substr(dot + 1), PrintSlot(setting.slot));
    }
  }
  return out;
}

}  // namespace varve
