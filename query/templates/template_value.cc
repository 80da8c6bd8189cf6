#include "query/templates/template_value.h"

#include <algorithm>

namespace varve::templates {

const TemplateValue* TemplateMap::Find(std::string_view key) const {
  const auto found =
      std::lower_bound(entries.begin(), entries.end(), key,
                       [](const Entry& entry, std::string_view wanted) { return entry.key < wanted; });
  return found == entries.end() || found->key != key ? nullptr : &found->value;
}

const TemplateValue* TemplateMap::FindField(std::string_view name) const {
  const auto found =
      std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.key == name; });
  return found == entries.end() ? nullptr : &found->value;
}

void SortEntries(std::span<TemplateMap::Entry> entries) {
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
}

std::string_view TemplateTypeName(const TemplateValue& value) {
  switch (value.named) {
    case GoType::kNone: break;
    case GoType::kHtml: return "template.HTML";
    case GoType::kUrl: return "template.URL";
    case GoType::kStringSlice: return "[]string";
    case GoType::kStrings: return "template.Strings";
    case GoType::kPairs: return "template.Pairs";
    case GoType::kAlerts: return "template.Alerts";
    case GoType::kAlertSlice: return "[]template.Alert";
    case GoType::kQueryResult: return "template.queryResult";
    case GoType::kKv: return "template.KV";
    case GoType::kPair: return "template.Pair";
    case GoType::kAlert: return "template.Alert";
    case GoType::kNotification: return "*template.Data";
    case GoType::kSample: return "*template.sample";
    case GoType::kRule:
      return "struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; Value "
             "float64 }";
  }
  switch (value.type) {
    case ValueType::kMissing:
    case ValueType::kInvalid:
    case ValueType::kNil: return "<nil>";
    case ValueType::kBool: return "bool";
    case ValueType::kInt: return "int";
    case ValueType::kInt64: return "int64";
    case ValueType::kUint8: return "uint8";
    case ValueType::kInt32: return "int32";
    case ValueType::kMonth: return "time.Month";
    case ValueType::kWeekday: return "time.Weekday";
    case ValueType::kDuration: return "time.Duration";
    case ValueType::kFloat64: return "float64";
    case ValueType::kString: return "string";
    case ValueType::kList: return "[]interface {}";
    case ValueType::kMap: return "map[string]interface {}";
    case ValueType::kLabels: return "map[string]string";
    case ValueType::kStruct: return "struct";
    case ValueType::kTime: return "time.Time";
  }
  return "";
}

bool IsTrue(const TemplateValue& value) {
  switch (value.type) {
    case ValueType::kMissing:
    case ValueType::kInvalid:
    case ValueType::kNil: return false;
    case ValueType::kBool: return value.truth;
    case ValueType::kFloat64: return value.number != 0;
    case ValueType::kString: return !value.text.empty();
    case ValueType::kList: return !value.list->items.empty();
    case ValueType::kMap:
    case ValueType::kLabels: return !value.map->entries.empty();
    case ValueType::kStruct:
    case ValueType::kTime: return true;
    default: return value.integer != 0;
  }
}

std::string_view MonthName(int64_t month) {
  static constexpr std::string_view kNames[] = {"January",   "February", "March",    "April",
                                                "May",       "June",     "July",     "August",
                                                "September", "October",  "November", "December"};
  return month >= 1 && month <= 12 ? kNames[month - 1] : std::string_view();
}

std::string_view WeekdayName(int64_t weekday) {
  static constexpr std::string_view kNames[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                "Thursday", "Friday", "Saturday"};
  return weekday >= 0 && weekday <= 6 ? kNames[weekday] : std::string_view();
}

}  // namespace varve::templates
