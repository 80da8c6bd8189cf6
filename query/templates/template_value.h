// A value inside a template: what fields, constants and functions yield. The types are those Go code would
// see, because comparisons, printf and error texts tell int from int64.
//
// Threads: thread-compatible. Ownership: values are views into the row or data, the template or the arena of
// one evaluation, and end with it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace varve::templates {

class TimeZone;

enum class ValueType : uint8_t {
  kMissing,  // no value at all: a pipeline's start
  kInvalid,  // nil that lost its type; prints as <no value>
  kNil,      // nil as an element of JSON or an argument; prints as <nil>
  kBool,
  kInt,    // constants, len, int
  kInt64,  // add and its kin
  kUint8,  // a byte of a string
  kInt32,  // character constants
  kMonth,
  kWeekday,
  kDuration,  // nanoseconds
  kFloat64,
  kString,
  kList,
  kMap,     // a JSON object
  kLabels,  // a map of strings; without one in `map`, the row's labels
  kStruct,  // a map with Go's fields, in their order
  kTime,
};

// Go's name for a type that is more than its ValueType: it decides on methods, escaping and what %T shows.
enum class GoType : uint8_t {
  kNone,
  // Strings that html/template takes for safe.
  kHtml,
  kUrl,
  // Lists.
  kStringSlice,
  kStrings,  // Alertmanager's []string with a Join
  kPairs,
  kAlerts,
  kAlertSlice,
  kQueryResult,
  // Maps of strings.
  kKv,
  // Structs.
  kPair,
  kAlert,
  kNotification,
  kSample,
  kRule,
};

// A point in time and how to show it.
struct TimeValue {
  int64_t seconds = 0;  // since 1970
  int32_t nanoseconds = 0;
  int32_t offset_seconds = 0;          // east of UTC
  std::string_view zone = "UTC";       // abbreviation; empty: none known
  const TimeZone* location = nullptr;  // null: UTC, or fixed to offset_seconds
};

struct TemplateList;
struct TemplateMap;

struct TemplateValue {
  ValueType type = ValueType::kMissing;
  GoType named = GoType::kNone;
  union {
    bool truth;
    int64_t integer = 0;
    double number;
    const TemplateList* list;
    const TemplateMap* map;  // of kMap, kLabels and kStruct
    const TimeValue* time;
  };
  std::string_view text;

  static TemplateValue Invalid() { return Of(ValueType::kInvalid); }
  static TemplateValue Nil() { return Of(ValueType::kNil); }
  static TemplateValue Bool(bool value) {
    TemplateValue result = Of(ValueType::kBool);
    result.truth = value;
    return result;
  }
  static TemplateValue Int(int64_t value) { return Integer(ValueType::kInt, value); }
  static TemplateValue Int64(int64_t value) { return Integer(ValueType::kInt64, value); }
  static TemplateValue Integer(ValueType type, int64_t value) {
    TemplateValue result = Of(type);
    result.integer = value;
    return result;
  }
  static TemplateValue Float64(double value) {
    TemplateValue result = Of(ValueType::kFloat64);
    result.number = value;
    return result;
  }
  static TemplateValue String(std::string_view value) {
    TemplateValue result = Of(ValueType::kString);
    result.text = value;
    return result;
  }
  static TemplateValue List(const TemplateList* value) {
    TemplateValue result = Of(ValueType::kList);
    result.list = value;
    return result;
  }
  static TemplateValue Map(ValueType type, const TemplateMap* value) {
    TemplateValue result = Of(type);
    result.map = value;
    return result;
  }
  static TemplateValue Time(const TimeValue* value) {
    TemplateValue result = Of(ValueType::kTime);
    result.time = value;
    return result;
  }

  static TemplateValue Struct(GoType named, const TemplateMap* value) {
    return Map(ValueType::kStruct, value).As(named);
  }
  TemplateValue As(GoType name) const {
    TemplateValue result = *this;
    result.named = name;
    return result;
  }

  bool missing() const { return type == ValueType::kMissing; }
  bool valid() const { return type > ValueType::kInvalid; }
  bool is_nil() const { return type == ValueType::kInvalid || type == ValueType::kNil; }
  bool is_integer() const { return type >= ValueType::kInt && type <= ValueType::kDuration; }
  bool is_map() const { return type == ValueType::kMap || type == ValueType::kLabels; }

 private:
  static TemplateValue Of(ValueType type) {
    TemplateValue result;
    result.type = type;
    return result;
  }
};

struct TemplateList {
  std::span<const TemplateValue> items;
};

struct TemplateMap {
  struct Entry {
    std::string_view key;
    TemplateValue value;
  };
  std::span<const Entry> entries;  // sorted by key, unique; of a struct in the order of its fields

  // Null when there is none. Not for structs.
  const TemplateValue* Find(std::string_view key) const;
  const TemplateValue* FindField(std::string_view name) const;  // of a struct
};

// "string", "[]interface {}", "time.Time"…; "<nil>" for no value.
std::string_view TemplateTypeName(const TemplateValue& value);

// Whether `if` takes it for true: what is not empty, zero, false or nil.
bool IsTrue(const TemplateValue& value);

std::string_view MonthName(int64_t month);      // of 1 to 12, else empty
std::string_view WeekdayName(int64_t weekday);  // of 0, Sunday, to 6, else empty

// A map of one's own making as TemplateMap wants it.
void SortEntries(std::span<TemplateMap::Entry> entries);

}  // namespace varve::templates
