#include "http/alarms_api.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "alerting/rules/ruler.h"
#include "engine/base/json_writer.h"
#include "engine/model/labels.h"
#include "http/alerting_json.h"
#include "http/prometheus_json.h"
#include "http/prometheus_params.h"

namespace varve {
namespace {

void AppendAlarm(std::string* out, const AlarmStatus& alarm) {
  const auto text = [&](std::string_view name, std::string_view value) {
    out->append(name);
    AppendJsonString(out, value);
  };
  text("{\"rule\":", alarm.rule);
  text(",\"group\":", alarm.group);
  text(",\"file\":", alarm.file);
  out->append(",\"labels\":");
  AppendLabelMapJson(out, alarm.labels);
  text(",\"state\":", AlarmStateName(alarm.state));
  text(",\"reason\":", alarm.reason);
  out->append(",\"since\":");
  AppendGoTimeJson(out, alarm.since_ms);
  out->append(",\"evaluationPeriods\":");
  AppendUint(out, alarm.spec.evaluation_periods);
  out->append(",\"datapointsToAlarm\":");
  AppendUint(out, alarm.spec.datapoints_to_alarm);
  text(",\"treatMissing\":", TreatMissingName(alarm.spec.treat_missing));
  out->push_back('}');
}

bool Takes(const std::vector<std::string_view>& wanted, std::string_view value) {
  return wanted.empty() || std::find(wanted.begin(), wanted.end(), value) != wanted.end();
}

}  // namespace

void AlarmsApi::AddRoutes(Router* router) {
  AddPrometheusRoute(context_, router, {"GET"}, "/alarms", Worker::kAdmin,
                     [this](const PromCall& call) { return List(call); });
}

Result<HttpResponse> AlarmsApi::List(const PromCall& call) const {
  const std::vector<std::string_view> states = call.params.All("state");
  const std::vector<std::string_view> rules = call.params.All("rule");
  for (const std::string_view state : states) {
    const auto is = [&](AlarmState known) { return AlarmStateName(known) == state; };
    if (!is(AlarmState::kOk) && !is(AlarmState::kAlarm) && !is(AlarmState::kInsufficientData)) {
      return InvalidParameter("state", GoQuoted(state) + " is none of OK, ALARM, INSUFFICIENT_DATA");
    }
  }
  std::string data = R"({"alarms":[)";
  for (const AlarmStatus& alarm : ruler_ == nullptr ? std::vector<AlarmStatus>() : ruler_->Alarms(call.tenant_name)) {
    if (!Takes(states, AlarmStateName(alarm.state)) || !Takes(rules, alarm.rule)) continue;
    if (data.back() != '[') data.push_back(',');
    AppendAlarm(&data, alarm);
  }
  return PromSuccess(std::move(data.append("]}")));
}

}  // namespace varve
