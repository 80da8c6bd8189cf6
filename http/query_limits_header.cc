#include "http/query_limits_header.h"

#include <simdjson.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "query/logql/literals.h"

namespace varve {
namespace {

using simdjson::dom::element;

Status Malformed(std::string_view what) {
  return InvalidArgument("could not parse X-Loki-Query-Limits: " + std::string(what));
}

// 0 stands for "no limit".
template <typename T>
void Lower(T asked, T* limit) {
  if (asked > 0 && (*limit <= 0 || asked < *limit)) *limit = asked;
}

Result<int64_t> DurationNs(std::string_view key, const element& value) {
  std::string_view text;
  int64_t number = 0;
  if (value.get(number) == simdjson::SUCCESS && number >= 0) return number;  // Go's own form: nanoseconds
  if (value.get(text) != simdjson::SUCCESS) return Malformed(std::string(key) + " is not a duration");
  const std::optional<int64_t> parsed = logql::ParseAnyDuration(text);
  if (!parsed.has_value() || *parsed < 0) return Malformed(std::string(key) + " is not a duration");
  return *parsed;
}

Result<int64_t> Bytes(std::string_view key, const element& value) {
  std::string_view text;
  uint64_t bytes = 0;
  if (value.get(bytes) != simdjson::SUCCESS) {
    if (value.get(text) != simdjson::SUCCESS) return Malformed(std::string(key) + " is not a size");
    const std::optional<uint64_t> parsed = logql::ParseByteSize(text);
    if (!parsed.has_value()) return Malformed(std::string(key) + " is not a size");
    bytes = *parsed;
  }
  return static_cast<int64_t>(std::min<uint64_t>(bytes, std::numeric_limits<int64_t>::max()));
}

Result<uint32_t> Number(std::string_view key, const element& value) {
  uint64_t number = 0;
  if (value.get(number) != simdjson::SUCCESS || number > std::numeric_limits<uint32_t>::max()) {
    return Malformed(std::string(key) + " is not a whole number");
  }
  return static_cast<uint32_t>(number);
}

Status RequireLabels(std::string_view key, const element& value, std::vector<std::string>* labels) {
  simdjson::dom::array names;
  if (value.get(names) != simdjson::SUCCESS) return Malformed(std::string(key) + " is not a list");
  for (const element item : names) {
    std::string_view name;
    if (item.get(name) != simdjson::SUCCESS) return Malformed(std::string(key) + " is not a list of texts");
    if (std::find(labels->begin(), labels->end(), name) == labels->end()) labels->emplace_back(name);
  }
  return Status::Ok();
}

Status ApplyField(std::string_view key, const element& value, QueryLimits* limits) {
  if (value.is_null()) return Status::Ok();
  constexpr std::pair<std::string_view, int64_t QueryLimits::*> kDurations[] = {
      {"maxQueryLength", &QueryLimits::max_query_length_ns},
      {"maxQueryInterval", &QueryLimits::max_query_range_ns},
      {"maxQueryLookback", &QueryLimits::max_query_lookback_ns},
  };
  for (const auto& [name, member] : kDurations) {
    if (key != name) continue;
    VARVE_ASSIGN_OR_RETURN(const int64_t asked, DurationNs(key, value));
    Lower(asked, &(limits->*member));
  }
  if (key == "maxQueryTime") {
    VARVE_ASSIGN_OR_RETURN(const int64_t asked, DurationNs(key, value));
    if (asked > 0) Lower(std::max<int64_t>(1, asked / kNsPerMs), &limits->query_timeout_ms);
  } else if (key == "maxQueryBytesRead") {
    VARVE_ASSIGN_OR_RETURN(const int64_t asked, Bytes(key, value));
    Lower(asked, &limits->max_query_bytes_read);
  } else if (key == "maxEntriesLimitPerQuery") {
    VARVE_ASSIGN_OR_RETURN(const uint32_t asked, Number(key, value));
    Lower(asked, &limits->max_entries_limit_per_query);
  } else if (key == "minimumLabelsNumber") {
    VARVE_ASSIGN_OR_RETURN(const uint32_t asked, Number(key, value));
    limits->minimum_labels_number = std::max(limits->minimum_labels_number, asked);
  } else if (key == "requiredLabels") {
    return RequireLabels(key, value, &limits->required_labels);
  }
  return Status::Ok();
}

}  // namespace

Status TightenLimits(std::string_view header, QueryLimits* limits) {
  simdjson::dom::parser parser;
  element document;
  if (parser.parse(simdjson::padded_string(header)).get(document) != simdjson::SUCCESS) {
    return Malformed("not valid JSON");
  }
  simdjson::dom::object object;
  if (document.get(object) != simdjson::SUCCESS) return Malformed("not a JSON object");
  QueryLimits tightened = *limits;
  for (const auto& [key, value] : object) VARVE_RETURN_IF_ERROR(ApplyField(key, value, &tightened));
  *limits = std::move(tightened);
  return Status::Ok();
}

}  // namespace varve
