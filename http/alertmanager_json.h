// Alerts, groups and silences as Alertmanager's API v2 writes and reads them.
//
// Errors of reading: kInvalidArgument, in the words of Alertmanager's API where it has some.
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/notify/notifier.h"
#include "alerting/notify/silence.h"
#include "engine/base/status.h"

namespace varve {

void AppendAlertViewJson(std::string* out, const AlertView& view);
void AppendAlertGroupJson(std::string* out, const AlertGroupView& group);
void AppendSilenceJson(std::string* out, const Silence& silence, int64_t now_ms);

// The body of POST /api/v2/alerts. What is wrong with single alerts, a line each, goes to `invalid`; they are left out.
Result<std::vector<PostedAlert>> ReadPostedAlerts(std::string_view json, std::string* invalid);
// The body of POST /api/v2/silences.
Result<Silence> ReadSilence(std::string_view json);

}  // namespace varve
