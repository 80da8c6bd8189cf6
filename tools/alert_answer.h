// Reads what /api/v2/silences and /api/v1/alarms answer.
//
// Errors: kCorruption when the answer is not what the API promises; what else is in it is ignored.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/status.h"

namespace varve {

struct SilenceRow {
  std::string id;
  std::string state;
  std::string matchers;  // alertname="A" host=~"web.*"
  std::string starts_at, ends_at;  // RFC 3339
  std::string created_by, comment;
};
Result<std::vector<SilenceRow>> ParseSilencesAnswer(const std::string& json);
// The id of a silence that was made.
Result<std::string> ParseSilenceIdAnswer(const std::string& json);

struct AlarmRow {
  std::string state, rule, group;
  std::string labels;  // {host="a"}
  std::string since;   // RFC 3339
  std::string reason;
};
Result<std::vector<AlarmRow>> ParseAlarmsAnswer(const std::string& json);

// What an error's body says: a JSON text, or the member `message` or `error` of an object; else the body as it is.
std::string ErrorText(const std::string& body);

}  // namespace varve
