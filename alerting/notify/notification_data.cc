#include "alerting/notify/notification_data.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <limits>

#include "engine/base/json_writer.h"

namespace varve {
namespace {

using templates::Datum;
using templates::DatumFields;
using templates::DatumKind;
using templates::DatumList;

constexpr std::string_view kSingleTenant = "fake";
constexpr std::string_view kZeroTime = "0001-01-01T00:00:00Z";  // Go's, of an alert that has not ended

void KeepEqual(const LabelMap& other, LabelMap* common) {
  std::erase_if(*common, [&](const auto& pair) {
    const auto it = other.find(pair.first);
    // Go's maps give "" for what is not there.
    return (it == other.end() ? std::string_view() : std::string_view(it->second)) != pair.second;
  });
}

// Adds a field in place: GCC 12 sees uninitialised members in a Datum that is moved.
template <typename Value>
void AddField(std::string_view name, Value value, DatumKind kind, DatumFields* out) {
  auto& [field, datum] = out->emplace_back();
  field = std::string(name);
  datum.value.emplace<Value>(std::move(value));
  datum.kind = kind;
}

void AddText(std::string_view name, std::string_view text, DatumFields* out) {
  AddField(name, std::string(text), DatumKind::kPlain, out);
}

void AddLabels(std::string_view name, const LabelMap& labels, DatumFields* out) {
  DatumFields fields;
  for (const auto& [label, value] : labels) AddText(label, value, &fields);
  AddField(name, std::move(fields), DatumKind::kLabelSet, out);
}

std::string_view StatusOf(bool firing) { return firing ? "firing" : "resolved"; }

DatumFields AlertFields(const Notification& notification, size_t at) {
  const PostedAlert& alert = notification.alerts[at];
  const bool resolved = alert.ResolvedAt(notification.now_ms);
  const int64_t ends_ns = resolved ? alert.ends_at_ms * 1'000'000 : std::numeric_limits<int64_t>::min();
  DatumFields fields;
  AddText("Status", StatusOf(!resolved), &fields);
  AddLabels("Labels", alert.labels, &fields);
  AddLabels("Annotations", alert.annotations, &fields);
  AddField("StartsAt", Datum::Time{alert.starts_at_ms * 1'000'000}, DatumKind::kPlain, &fields);
  AddField("EndsAt", Datum::Time{ends_ns}, DatumKind::kPlain, &fields);
  AddText("GeneratorURL", alert.generator_url, &fields);
  AddText("Fingerprint", at < notification.fingerprints.size() ? notification.fingerprints[at] : "", &fields);
  return fields;
}

void AppendMember(std::string_view name, std::string_view value, std::string* out) {
  AppendJsonString(out, name);
  *out += ':';
  AppendJsonString(out, value);
}

void AppendLabels(const LabelMap& labels, std::string* out) {
  *out += '{';
  bool first = true;
  for (const auto& [name, value] : labels) {
    if (!first) *out += ',';
    first = false;
    AppendMember(name, value, out);
  }
  *out += '}';
}

void AppendAlert(const Notification& notification, size_t at, std::string* out) {
  const PostedAlert& alert = notification.alerts[at];
  const bool resolved = alert.ResolvedAt(notification.now_ms);
  *out += '{';
  AppendMember("status", StatusOf(!resolved), out);
  *out += ",\"labels\":";
  AppendLabels(alert.labels, out);
  *out += ",\"annotations\":";
  AppendLabels(alert.annotations, out);
  *out += ',';
  AppendMember("startsAt", JsonTime(alert.starts_at_ms), out);
  *out += ',';
  AppendMember("endsAt", resolved ? JsonTime(alert.ends_at_ms) : std::string(kZeroTime), out);
  *out += ',';
  AppendMember("generatorURL", alert.generator_url, out);
  *out += ',';
  AppendMember("fingerprint", at < notification.fingerprints.size() ? notification.fingerprints[at] : "", out);
  *out += '}';
}

}  // namespace

bool Notification::AnyFiring() const {
  return std::any_of(alerts.begin(), alerts.end(), [&](const PostedAlert& alert) { return !alert.ResolvedAt(now_ms); });
}

std::string GroupIdentity(const Notification& notification) {
  if (notification.tenant.empty() || notification.tenant == kSingleTenant) return notification.group_key;
  return notification.tenant + "/" + notification.group_key;
}

CommonParts CommonPartsOf(const std::vector<PostedAlert>& alerts) {
  CommonParts common;
  if (alerts.empty()) return common;
  common = {alerts[0].labels, alerts[0].annotations};
  for (const PostedAlert& alert : alerts) {
    KeepEqual(alert.labels, &common.labels);
    KeepEqual(alert.annotations, &common.annotations);
  }
  return common;
}

Datum NotificationDatum(const Notification& notification) {
  const CommonParts common = CommonPartsOf(notification.alerts);
  DatumList alerts(notification.alerts.size());
  for (size_t i = 0; i < alerts.size(); ++i) {
    alerts[i].value.emplace<DatumFields>(AlertFields(notification, i));
    alerts[i].kind = DatumKind::kAlert;
  }
  DatumFields fields;
  AddText("Receiver", QuotedMeta(notification.receiver), &fields);
  AddText("Status", StatusOf(notification.AnyFiring()), &fields);
  AddField("Alerts", std::move(alerts), DatumKind::kAlerts, &fields);
  AddLabels("GroupLabels", notification.group_labels, &fields);
  AddLabels("CommonLabels", common.labels, &fields);
  AddLabels("CommonAnnotations", common.annotations, &fields);
  AddText("ExternalURL", notification.external_url, &fields);
  Datum data;
  data.value.emplace<DatumFields>(std::move(fields));
  data.kind = DatumKind::kNotification;
  return data;
}

std::string WebhookJson(const Notification& notification, uint64_t alerts_max) {
  const size_t all = notification.alerts.size();
  const size_t shown = alerts_max == 0 ? all : static_cast<size_t>(std::min<uint64_t>(alerts_max, all));
  const std::vector<PostedAlert> kept(notification.alerts.begin(),
                                      notification.alerts.begin() + static_cast<std::ptrdiff_t>(shown));
  const CommonParts common = CommonPartsOf(kept);
  const bool firing = std::any_of(kept.begin(), kept.end(),
                                  [&](const PostedAlert& alert) { return !alert.ResolvedAt(notification.now_ms); });
  std::string out = "{";
  AppendMember("receiver", QuotedMeta(notification.receiver), &out);
  out += ',';
  AppendMember("status", StatusOf(firing), &out);
  out += ",\"alerts\":[";
  for (size_t i = 0; i < shown; ++i) {
    if (i > 0) out += ',';
    AppendAlert(notification, i, &out);
  }
  out += "],\"groupLabels\":";
  AppendLabels(notification.group_labels, &out);
  out += ",\"commonLabels\":";
  AppendLabels(common.labels, &out);
  out += ",\"commonAnnotations\":";
  AppendLabels(common.annotations, &out);
  out += ',';
  AppendMember("externalURL", notification.external_url, &out);
  out += ",\"version\":\"4\",";
  AppendMember("groupKey", GroupIdentity(notification), &out);
  out += ",\"truncatedAlerts\":";
  AppendUint(&out, all - shown);
  return out + "}\n";
}

std::string JsonTime(int64_t ms) {
  time_t seconds = ms / 1'000;
  int64_t fraction = ms % 1'000;
  if (fraction < 0) {
    fraction += 1'000;
    --seconds;
  }
  tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03d", utc.tm_year + 1900, utc.tm_mon + 1,
                utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, static_cast<int>(fraction));
  std::string out = buffer.data();
  while (out.back() == '0') out.pop_back();
  if (out.back() == '.') out.pop_back();
  return out + "Z";
}

std::string QuotedMeta(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("\\.+*?()|[]{}^$").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string TruncatedInRunes(std::string_view text, size_t runes) {
  size_t seen = 0;
  size_t cut = 0;  // where the last character that stays with a … begins
  for (size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0) == 0x80) continue;
    if (++seen == runes) cut = i;
    if (seen > runes) return std::string(text.substr(0, cut)) + "…";
  }
  return std::string(text);
}

MessageTemplates::MessageTemplates(const templates::TemplateSet* set, const Notification& notification)
    : set_(set), data_(NotificationDatum(notification)) {
  means_.external_url = notification.external_url;
  means_.now_ns = notification.now_ms * 1'000'000;
}

std::string MessageTemplates::Execute(std::string_view text, templates::Escape escape) {
  if (!status_.ok()) return "";
  if (text.find("{{") == std::string_view::npos) return std::string(text);
  auto result = set_->Execute("", text, data_, escape, means_);
  if (result.ok()) return std::move(*result);
  status_ = std::move(result).status();
  return "";
}

}  // namespace varve
