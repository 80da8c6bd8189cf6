#include "tools/config_slots.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <set>

#include "query/logql/parser.h"
#include "tools/otlp_settings.h"
#include "tools/time_text.h"
#include "tools/units.h"

namespace varve {
namespace {

constexpr std::string_view kSecretText = "<secret>";

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

  Status NoList() const { return InvalidArgument(fmt::format("\"{}\" is not a list of maps", text)); }

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
  Status operator()(const RetentionStreams&) const { return NoList(); }
  Status operator()(const BlockedQueries&) const { return NoList(); }
  Status operator()(const Masks&) const { return NoList(); }
  Status operator()(const OtlpSettings&) const {
    return InvalidArgument(fmt::format("\"{}\" is not a map", text));
  }
  Status operator()(const TextMap&) const { return InvalidArgument(fmt::format("\"{}\" is not a map", text)); }
  Status operator()(const Section&) const { return InternalError("a section has no value of its own"); }
  Status operator()(const Urls& slot) const {
    *slot.value = text;
    return Status::Ok();
  }
  Status operator()(const InstantNs& slot) const {
    int64_t instant = 0;
    // ParseTime also knows "now" and the like, which would mean something else at every reload.
    const bool rfc3339 = text.size() >= 20 && text[10] == 'T';
    const Result<int64_t> parsed = ParseTime(text, 0);
    if (!text.empty() && (!rfc3339 || !parsed.ok())) {
      return InvalidArgument(fmt::format("\"{}\" is not an instant such as 2026-11-20T00:00:00Z", text));
    }
    if (!text.empty()) instant = *parsed;
    *slot.value = instant;
    return Status::Ok();
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

// ---- Lists ---------------------------------------------------------------------------------------

constexpr size_t kListItemsMax = 10'000;

// The items of a list of maps with these keys: calls read(key, value, &item) for each key.
template <typename Item, typename Read>
Status ReadMaps(const YAML::Node& node, std::vector<Item>* items, Read&& read) {
  std::vector<Item> parsed;
  if (node.size() > kListItemsMax) return InvalidArgument("the list is too long");
  for (const YAML::Node& map : node) {
    if (!map.IsMap()) return InvalidArgument("the list holds something that is not a map");
    Item item;
    for (const auto& entry : map) {
      if (!entry.first.IsScalar()) return InvalidArgument("a key is not a text");
      VARVE_RETURN_IF_ERROR(read(entry.first.Scalar(), entry.second, &item));
    }
    parsed.push_back(std::move(item));
  }
  *items = std::move(parsed);
  return Status::Ok();
}

// A value of a map in a list, by the reader of its kind.
Status ReadField(const std::string& key, const YAML::Node& node, const Slot& slot) {
  Status status = ReadSlot(node, slot);
  return status.ok() ? std::move(status) : InvalidArgument(fmt::format("{}: {}", key, status.message()));
}

Status ReadRetentionStreams(const YAML::Node& node, std::vector<RetentionStream>* streams) {
  std::vector<RetentionStream> parsed;
  const auto read = [](const std::string& key, const YAML::Node& value, RetentionStream* item) -> Status {
    if (key == "selector") return ReadField(key, value, Text{&item->selector});
    if (key == "period") return ReadField(key, value, DurationNs{&item->period_ns});
    if (key != "priority") return InvalidArgument(fmt::format("unknown key \"{}\"", key));
    uint32_t priority = 0;
    VARVE_RETURN_IF_ERROR(ReadField(key, value, Count{&priority}));
    item->priority = priority;
    return Status::Ok();
  };
  VARVE_RETURN_IF_ERROR(ReadMaps(node, &parsed, read));
  for (RetentionStream& stream : parsed) {
    Result<std::vector<Matcher>> matchers = logql::ParseMatchers(stream.selector);
    if (!matchers.ok()) {
      return InvalidArgument(fmt::format("selector {}: {}", stream.selector, matchers.status().message()));
    }
    stream.matchers = std::move(*matchers);
    if (stream.matchers.empty()) return InvalidArgument("selector: names no label");
    if (stream.period_ns <= 0) {
      return InvalidArgument(fmt::format("selector {}: needs a period above 0", stream.selector));
    }
  }
  *streams = std::move(parsed);
  return Status::Ok();
}

Status ReadBlockedQueries(const YAML::Node& node, std::vector<BlockedQuery>* queries) {
  std::vector<BlockedQuery> parsed;
  const auto read = [](const std::string& key, const YAML::Node& value, BlockedQuery* item) -> Status {
    if (key == "pattern") return ReadField(key, value, Text{&item->pattern});
    if (key == "regex") return ReadField(key, value, Flag{&item->regex});
    if (key == "hash") return ReadField(key, value, Count{&item->hash});
    if (key != "types") return InvalidArgument(fmt::format("unknown key \"{}\"", key));
    // Loki also takes the list as one text: "metric,filter".
    if (!value.IsScalar()) return ReadField(key, value, TextList{&item->types});
    std::string_view rest = value.Scalar();
    while (!rest.empty()) {
      const size_t comma = std::min(rest.find(','), rest.size());
      if (comma != 0) item->types.emplace_back(rest.substr(0, comma));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    return Status::Ok();
  };
  VARVE_RETURN_IF_ERROR(ReadMaps(node, &parsed, read));
  for (BlockedQuery& query : parsed) {
    for (const std::string& type : query.types) {
      VARVE_RETURN_IF_ERROR(ReadChoice(type, {"metric", "filter", "limited"}));
    }
    if (!query.regex) continue;
    Result<Regex> compiled = CompileRegex(query.pattern, {});
    if (!compiled.ok()) return InvalidArgument(fmt::format("pattern: {}", compiled.status().message()));
    query.compiled = std::move(*compiled);
  }
  *queries = std::move(parsed);
  return Status::Ok();
}

Status ReadTextMap(const YAML::Node& node, std::map<std::string, std::string, std::less<>>* map) {
  if (node.size() > kListItemsMax) return InvalidArgument("the map is too large");
  std::map<std::string, std::string, std::less<>> parsed;
  for (const auto& entry : node) {
    if (!entry.first.IsScalar() || !entry.second.IsScalar()) {
      return InvalidArgument("the map holds something that is not a text");
    }
    if (!parsed.emplace(entry.first.Scalar(), entry.second.Scalar()).second) {
      return InvalidArgument(fmt::format("{}: given twice", entry.first.Scalar()));
    }
  }
  *map = std::move(parsed);
  return Status::Ok();
}

Status ReadMasks(const YAML::Node& node, std::shared_ptr<const LineMask>* mask) {
  std::vector<MaskRule> rules;
  const auto read = [](const std::string& key, const YAML::Node& value, MaskRule* rule) -> Status {
    if (key == "regex") return ReadField(key, value, Text{&rule->regex});
    if (key == "replacement") return ReadField(key, value, Text{&rule->replacement});
    return InvalidArgument(fmt::format("unknown key \"{}\"", key));
  };
  VARVE_RETURN_IF_ERROR(ReadMaps(node, &rules, read));
  if (rules.empty()) {
    mask->reset();
    return Status::Ok();
  }
  VARVE_ASSIGN_OR_RETURN(*mask, LineMask::Compile(std::move(rules)));
  return Status::Ok();
}

// ---- Printing one value -------------------------------------------------------------------------

std::string Quoted(const std::string& text) {
  YAML::Emitter emitter;
  emitter << YAML::DoubleQuoted << text;
  return emitter.c_str();
}

// scheme://user:password@host: the password goes.
std::string WithoutPassword(std::string url) {
  const size_t scheme = url.find("://");
  const size_t begin = scheme == std::string::npos ? 0 : scheme + 3;
  const size_t end = std::min(url.find_first_of("/?#", begin), url.size());
  const size_t at = url.rfind('@', end);
  const size_t colon = url.find(':', begin);
  if (at == std::string::npos || at < begin || colon > at) return url;
  return url.replace(colon + 1, at - colon - 1, kSecretText);
}

// As one line; what keys of secrets hold is left out.
void EmitSection(const YAML::Node& node, bool secret, uint32_t depth, YAML::Emitter* out) {
  constexpr uint32_t kDepthMax = 64;
  static const std::set<std::string, std::less<>> kSecrets = {
      "password", "credentials", "bearer_token", "client_secret", "secret", "headers", "proxy_connect_header"};
  if (node.IsMap() && depth < kDepthMax) {
    *out << YAML::BeginMap;
    for (const auto& entry : node) {
      const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : std::string();
      *out << YAML::Key << YAML::DoubleQuoted << key << YAML::Value;
      EmitSection(entry.second, secret || kSecrets.count(key) != 0, depth + 1, out);
    }
    *out << YAML::EndMap;
  } else if (node.IsSequence() && depth < kDepthMax) {
    *out << YAML::BeginSeq;
    for (const YAML::Node& item : node) EmitSection(item, secret, depth + 1, out);
    *out << YAML::EndSeq;
  } else if (!node.IsScalar()) {
    *out << YAML::Null;
  } else if (secret) {
    *out << YAML::DoubleQuoted << std::string(kSecretText);
  } else if (node.Tag() == "!") {  // it was between quotes
    *out << YAML::DoubleQuoted << WithoutPassword(node.Scalar());
  } else {
    *out << WithoutPassword(node.Scalar());
  }
}

std::string PrintSection(const YamlSection& section, std::string_view none) {
  if (section.text.empty()) return std::string(none);
  YAML::Emitter emitter;
  emitter.SetMapFormat(YAML::Flow);
  emitter.SetSeqFormat(YAML::Flow);
  try {
    EmitSection(YAML::Load(section.text), false, 0, &emitter);
  } catch (const YAML::Exception&) {
    return std::string(none);  // it was valid when it was read
  }
  std::string line = emitter.c_str();
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
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
  std::string operator()(const InstantNs& slot) const {
    return Quoted(*slot.value == 0 ? std::string() : FormatUtcTime(*slot.value));
  }
  std::string operator()(const RetentionStreams& slot) const {
    std::vector<std::string> items;
    for (const RetentionStream& stream : *slot.value) {
      items.push_back(fmt::format("{{selector: {}, priority: {}, period: {}}}", Quoted(stream.selector),
                                  stream.priority, FormatDuration(stream.period_ns)));
    }
    return fmt::format("[{}]", fmt::join(items, ", "));
  }
  std::string operator()(const TextMap& slot) const {
    std::string out = "{";
    for (const auto& [name, text] : *slot.value) {
      out += (out.size() > 1 ? ", " : "") + Quoted(name) + ": " + Quoted(text);
    }
    return out + "}";
  }
  std::string operator()(const Urls& slot) const {
    std::vector<std::string> urls;
    std::string_view rest = *slot.value;
    while (!rest.empty()) {
      const size_t comma = std::min(rest.find(','), rest.size());
      urls.push_back(WithoutPassword(std::string(rest.substr(0, comma))));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    return Quoted(fmt::format("{}", fmt::join(urls, ",")));
  }
  std::string operator()(const Section& slot) const { return PrintSection(*slot.value, slot.none); }
  std::string operator()(const OtlpSettings& slot) const { return PrintOtlpConfig(*slot.value); }
  std::string operator()(const Masks& slot) const {
    if (*slot.value == nullptr) return "[]";
    std::vector<std::string> items;
    for (const MaskRule& rule : (*slot.value)->rules()) {
      items.push_back(
          fmt::format("{{regex: {}, replacement: {}}}", Quoted(rule.regex), Quoted(rule.replacement)));
    }
    return fmt::format("[{}]", fmt::join(items, ", "));
  }
  std::string operator()(const BlockedQueries& slot) const {
    std::vector<std::string> items;
    for (const BlockedQuery& query : *slot.value) {
      items.push_back(fmt::format("{{pattern: {}, regex: {}, types: [{}], hash: {}}}", Quoted(query.pattern),
                                  query.regex, fmt::join(query.types, ", "), query.hash));
    }
    return fmt::format("[{}]", fmt::join(items, ", "));
  }
};

}  // namespace

Status ReadPort(const std::string& text, uint16_t* port) { return ReadInteger(text, port); }

Status ReadSlot(const YAML::Node& node, const Slot& slot) {
  if (node.IsSequence()) {
    if (const auto* streams = std::get_if<RetentionStreams>(&slot)) {
      return ReadRetentionStreams(node, streams->value);
    }
    if (const auto* queries = std::get_if<BlockedQueries>(&slot)) {
      return ReadBlockedQueries(node, queries->value);
    }
    if (const auto* masks = std::get_if<Masks>(&slot)) return ReadMasks(node, masks->value);
    if (const auto* list = std::get_if<TextList>(&slot)) {
      std::vector<std::string> items;
      for (const YAML::Node& item : node) {
        if (!item.IsScalar()) return InvalidArgument("the list holds something that is not a text");
        items.push_back(item.Scalar());
      }
      *list->value = std::move(items);
      return Status::Ok();
    }
  }
  if (const auto* otlp = std::get_if<OtlpSettings>(&slot); otlp != nullptr && node.IsMap()) {
    return ReadOtlpConfig(node, otlp->value);
  }
  if (const auto* map = std::get_if<TextMap>(&slot); map != nullptr && node.IsMap()) {
    return ReadTextMap(node, map->value);
  }
  if (!node.IsScalar()) return InvalidArgument(node.IsNull() ? "needs a value" : "takes a single value");
  return std::visit(ScalarReader{node.Scalar()}, slot);
}

std::string PrintSlot(const Slot& slot) { return std::visit(Printer(), slot); }

}  // namespace varve
