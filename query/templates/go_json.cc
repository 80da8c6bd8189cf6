#include "query/templates/go_json.h"

#include <array>
#include <cmath>
#include <utility>

#include "engine/base/json_writer.h"
#include "query/templates/go_format.h"
#include "query/templates/go_time_layout.h"

namespace varve::templates {
namespace {

// As the tags of Alertmanager's structs have it.
std::string_view JsonName(GoType type, std::string_view field) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 15> kNames = {{
      {"Alerts", "alerts"},
      {"Annotations", "annotations"},
      {"CommonAnnotations", "commonAnnotations"},
      {"CommonLabels", "commonLabels"},
      {"EndsAt", "endsAt"},
      {"ExternalURL", "externalURL"},
      {"Fingerprint", "fingerprint"},
      {"GeneratorURL", "generatorURL"},
      {"GroupLabels", "groupLabels"},
      {"Labels", "labels"},
      {"NotificationReason", "notification_reason"},
      {"Receiver", "receiver"},
      {"RouteLabels", "routeLabels"},
      {"StartsAt", "startsAt"},
      {"Status", "status"},
  }};
  if (type != GoType::kAlert && type != GoType::kNotification) return field;
  for (const auto& [name, shown] : kNames) {
    if (name == field) return shown;
  }
  return field;
}

// encoding/json's float: as %g's shortest, but with plain digits from 1e-6 to 1e21.
bool AppendFloat(double value, std::string* out, std::string* error) {
  if (!std::isfinite(value)) {
    *error = "json: unsupported value: ";
    AppendGoFloat(value, error);
    return false;
  }
  const double magnitude = std::fabs(value);
  if (magnitude == 0 || (magnitude >= 1e-6 && magnitude < 1e21)) {
    varve::AppendGoFloat(out, value);
    return true;
  }
  std::string text;
  AppendGoFloat(value, &text);
  // e-09 is written e-9.
  if (const size_t zero = text.find("e-0"); zero != std::string::npos) text.erase(zero + 2, 1);
  *out += text;
  return true;
}

bool AppendFields(const TemplateValue& value, std::string* out, std::string* error) {
  out->push_back('{');
  bool first = true;
  for (const TemplateMap::Entry& entry : value.map->entries) {
    if (!std::exchange(first, false)) out->push_back(',');
    AppendJsonString(out, JsonName(value.named, entry.key));
    out->push_back(':');
    if (!AppendGoJson(entry.value, out, error)) return false;
  }
  out->push_back('}');
  return true;
}

}  // namespace

bool AppendGoJson(const TemplateValue& value, std::string* out, std::string* error) {
  switch (value.type) {
    case ValueType::kMissing:
    case ValueType::kInvalid:
    case ValueType::kNil: *out += "null"; return true;
    case ValueType::kBool: *out += value.truth ? "true" : "false"; return true;
    case ValueType::kFloat64: return AppendFloat(value.number, out, error);
    case ValueType::kString: AppendJsonString(out, value.text); return true;
    case ValueType::kTime: {
      std::string text;
      AppendTime(*value.time, "2006-01-02T15:04:05.999999999Z07:00", &text);
      AppendJsonString(out, text);
      return true;
    }
    case ValueType::kList: {
      out->push_back('[');
      bool first = true;
      for (const TemplateValue& item : value.list->items) {
        if (!std::exchange(first, false)) out->push_back(',');
        if (!AppendGoJson(item, out, error)) return false;
      }
      out->push_back(']');
      return true;
    }
    case ValueType::kMap:
    case ValueType::kLabels:
    case ValueType::kStruct: return AppendFields(value, out, error);
    default: AppendInt(out, value.integer); return true;
  }
}

}  // namespace varve::templates
