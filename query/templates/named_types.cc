// The methods of Alertmanager's template types, as its template package documents them.

#include <algorithm>
#include <vector>

#include "query/templates/document_host.h"
#include "query/templates/go_format.h"
#include "query/templates/template_call.h"
#include "query/templates/value_methods.h"

namespace varve::templates {
namespace {

using Value = TemplateValue;

// The name of the alert comes first, the others sorted.
std::vector<TemplateMap::Entry> Sorted(const Value& labels) {
  std::vector<TemplateMap::Entry> all(labels.map->entries.begin(), labels.map->entries.end());
  std::stable_partition(all.begin(), all.end(), [](const auto& entry) { return entry.key == "alertname"; });
  return all;
}

bool SortedPairs(TemplateCall* call) {
  std::vector<Value> pairs;
  for (const TemplateMap::Entry& entry : Sorted(call->arguments[0])) {
    auto* fields = call->memory->AllocateArray<TemplateMap::Entry>(2);
    auto* pair = call->memory->AllocateArray<TemplateMap>(1);
    if (fields == nullptr || pair == nullptr) return call->FailMemory();
    fields[0] = {"Name", Value::String(entry.key)};
    fields[1] = {"Value", entry.value};
    pair->entries = {fields, 2};
    pairs.push_back(Value::Struct(GoType::kPair, pair));
  }
  return ReturnList(call, pairs, GoType::kPairs);
}

template <bool kNames>
bool LabelTexts(TemplateCall* call) {
  std::vector<Value> texts;
  for (const TemplateMap::Entry& entry : Sorted(call->arguments[0]))
    texts.push_back(kNames ? Value::String(entry.key) : entry.value);
  return ReturnList(call, texts, GoType::kStrings);
}

bool Remove(TemplateCall* call) {
  std::vector<TemplateMap::Entry> kept;
  const std::span<const Value> gone = call->arguments[1].list->items;
  for (const TemplateMap::Entry& entry : call->arguments[0].map->entries) {
    if (std::none_of(gone.begin(), gone.end(), [&](const Value& name) { return name.text == entry.key; }))
      kept.push_back(entry);
  }
  auto* entries = call->memory->AllocateArray<TemplateMap::Entry>(kept.size());
  auto* map = call->memory->AllocateArray<TemplateMap>(1);
  if (entries == nullptr || map == nullptr) return call->FailMemory();
  std::copy(kept.begin(), kept.end(), entries);
  map->entries = {entries, kept.size()};
  return call->Return(Value::Map(ValueType::kLabels, map).As(GoType::kKv));
}

template <size_t kField>
bool PairTexts(TemplateCall* call) {
  std::vector<Value> texts;
  for (const Value& pair : call->arguments[0].list->items) texts.push_back(pair.map->entries[kField].value);
  return ReturnList(call, texts, GoType::kStrings);
}

bool Join(TemplateCall* call) {
  std::string out;
  for (const Value& item : call->arguments[0].list->items) {
    if (&item != call->arguments[0].list->items.data()) out += call->Text(1);
    out += item.text;
    if (out.size() > call->memory->bytes_max()) return call->FailMemory();
  }
  return call->ReturnCopy(out);
}

template <bool kFiring>
bool WithStatus(TemplateCall* call) {
  std::vector<Value> alerts;
  for (const Value& alert : call->arguments[0].list->items) {
    const Value* status = alert.map->FindField("Status");
    if (status != nullptr && status->text == (kFiring ? "firing" : "resolved")) alerts.push_back(alert);
  }
  return ReturnList(call, alerts, GoType::kAlertSlice);
}

bool Text(TemplateCall* call) {
  std::string out;
  AppendGoValue(call->arguments[0], &out);
  return call->ReturnCopy(out);
}

constexpr TemplateFunction kKvMethods[] = {
    {"Names", "a", LabelTexts<true>},   {"Remove", "al", Remove},
    {"SortedPairs", "a", SortedPairs},  {"String", "a", Text},
    {"Values", "a", LabelTexts<false>},
};
constexpr TemplateFunction kPairsMethods[] = {
    {"Names", "a", PairTexts<0>}, {"String", "a", Text}, {"Values", "a", PairTexts<1>}};
constexpr TemplateFunction kStringsMethods[] = {{"Join", "as", Join}};
constexpr TemplateFunction kAlertsMethods[] = {{"Firing", "a", WithStatus<true>},
                                               {"Resolved", "a", WithStatus<false>}};

}  // namespace

std::span<const TemplateFunction> NamedTypeMethods(GoType receiver) {
  switch (receiver) {
    case GoType::kKv: return kKvMethods;
    case GoType::kPairs: return kPairsMethods;
    case GoType::kStrings: return kStringsMethods;
    case GoType::kAlerts: return kAlertsMethods;
    default: return {};
  }
}

}  // namespace varve::templates
