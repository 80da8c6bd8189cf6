#include <algorithm>
#include <limits>

#include "query/templates/document_host.h"
#include "query/templates/template_limits.h"
#include "query/templates/value_methods.h"

namespace varve::templates {
namespace {

// The smallest of times stands for Go's zero time: an alert that has not ended.
constexpr int64_t kGoZeroTimeSeconds = -62'135'596'800;

using Value = TemplateValue;

GoType StructType(DatumKind kind) {
  switch (kind) {
    case DatumKind::kAlert: return GoType::kAlert;
    case DatumKind::kNotification: return GoType::kNotification;
    default: return GoType::kRule;
  }
}

class Converter {
 public:
  explicit Converter(TemplateMemory* memory) : memory_(memory) {}

  bool Convert(const Datum& datum, int depth, Value* value) {
    if (depth > kTemplateDataDepthMax) return false;
    if (const auto* truth = std::get_if<bool>(&datum.value)) {
      *value = Value::Bool(*truth);
    } else if (const auto* integer = std::get_if<int64_t>(&datum.value)) {
      *value = Value::Int(*integer);
    } else if (const auto* number = std::get_if<double>(&datum.value)) {
      *value = Value::Float64(*number);
    } else if (const auto* text = std::get_if<std::string>(&datum.value)) {
      *value = Value::String(*text);
    } else if (const auto* time = std::get_if<Datum::Time>(&datum.value)) {
      auto* copy = memory_->AllocateArray<TimeValue>(1);
      if (copy == nullptr) return false;
      *copy = TimeFromUnixNs(time->ns);
      if (time->ns == std::numeric_limits<int64_t>::min()) {
        copy->seconds = kGoZeroTimeSeconds;
        copy->nanoseconds = 0;
      }
      *value = Value::Time(copy);
    } else if (const auto* list = std::get_if<DatumList>(&datum.value)) {
      return List(*list, datum.kind, depth, value);
    } else if (const auto* fields = std::get_if<DatumFields>(&datum.value)) {
      return Fields(*fields, datum.kind, depth, value);
    } else {
      *value = Value::Nil();
    }
    return true;
  }

 private:
  bool List(const DatumList& list, DatumKind kind, int depth, Value* value) {
    auto* items = memory_->AllocateArray<Value>(list.size());
    auto* result = memory_->AllocateArray<TemplateList>(1);
    if (items == nullptr || result == nullptr) return false;
    bool strings = !list.empty();
    for (size_t i = 0; i < list.size(); ++i) {
      const auto* fields = std::get_if<DatumFields>(&list[i].value);
      if (kind == DatumKind::kAlerts && fields == nullptr) return false;
      const bool ok = kind == DatumKind::kAlerts ? Fields(*fields, DatumKind::kAlert, depth + 1, &items[i])
                                                 : Convert(list[i], depth + 1, &items[i]);
      if (!ok) return false;
      strings = strings && items[i].type == ValueType::kString;
    }
    result->items = {items, list.size()};
    const GoType plain = strings ? GoType::kStringSlice : GoType::kNone;
    *value = Value::List(result).As(kind == DatumKind::kAlerts ? GoType::kAlerts : plain);
    return true;
  }

  bool Fields(const DatumFields& fields, DatumKind kind, int depth, Value* value) {
    TemplateMap::Entry* entries = nullptr;
    TemplateMap* map = NewMap(memory_, fields.size(), &entries);
    if (map == nullptr) return false;
    const bool of_strings = kind == DatumKind::kStringMap || kind == DatumKind::kLabelSet;
    for (size_t i = 0; i < fields.size(); ++i) {
      entries[i].key = fields[i].first;
      if (!Convert(fields[i].second, depth + 1, &entries[i].value)) return false;
      if (of_strings && entries[i].value.type != ValueType::kString) return false;
    }
    if (kind != DatumKind::kPlain && !of_strings) {
      *value = Value::Struct(StructType(kind), map);
      return true;
    }
    // The last of equal names counts.
    std::stable_sort(entries, entries + fields.size(),
                     [](const auto& a, const auto& b) { return a.key < b.key; });
    size_t count = 0;
    for (size_t i = 0; i < fields.size(); ++i) {
      if (i + 1 < fields.size() && entries[i + 1].key == entries[i].key) continue;
      entries[count++] = entries[i];
    }
    map->entries = {entries, count};
    *value = Value::Map(of_strings ? ValueType::kLabels : ValueType::kMap, map);
    if (kind == DatumKind::kLabelSet) *value = value->As(GoType::kKv);
    return true;
  }

  TemplateMemory* memory_;
};

}  // namespace

Datum::Datum() = default;
Datum::Datum(Value of, DatumKind what) : value(std::move(of)), kind(what) {}
Datum::Datum(const Datum& other) = default;
Datum::Datum(Datum&& other) noexcept = default;
Datum& Datum::operator=(const Datum& other) = default;
Datum& Datum::operator=(Datum&& other) noexcept = default;
Datum::~Datum() = default;

bool ValueOfDatum(const Datum& datum, TemplateMemory* memory, TemplateValue* value) {
  return Converter(memory).Convert(datum, 0, value);
}

TemplateMap* NewMap(TemplateMemory* memory, size_t count, TemplateMap::Entry** entries) {
  *entries = memory->AllocateArray<TemplateMap::Entry>(count);
  auto* map = memory->AllocateArray<TemplateMap>(1);
  if (*entries == nullptr || map == nullptr) return nullptr;
  map->entries = {*entries, count};
  return map;
}

bool ReturnList(TemplateCall* call, std::span<const TemplateValue> items, GoType named) {
  auto* copy = call->memory->AllocateArray<TemplateValue>(items.size());
  auto* list = call->memory->AllocateArray<TemplateList>(1);
  if (copy == nullptr || list == nullptr) return call->FailMemory();
  std::copy(items.begin(), items.end(), copy);
  list->items = {copy, items.size()};
  return call->Return(TemplateValue::List(list).As(named));
}

}  // namespace varve::templates
