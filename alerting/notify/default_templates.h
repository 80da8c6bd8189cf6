// The templates that receivers use where the configuration names none, by Alertmanager's names: __subject,
// slack.default.title, email.default.html, …; and those of the configuration's files, which may replace them.
//
// Threads: pure functions.
#pragma once

#include <memory>
#include <string_view>

#include "alerting/notify/notify_config.h"
#include "engine/base/status.h"
#include "query/templates/template_set.h"

namespace varve {

std::string_view DefaultTemplates();

// The default ones, then `template_files` in their order, then a check of every template in the receivers.
// kInvalidArgument: file and line in Go's words, or receiver and key. kIoError: a file.
Result<std::shared_ptr<const templates::TemplateSet>> LoadTemplates(const NotifyConfig& config);

}  // namespace varve
