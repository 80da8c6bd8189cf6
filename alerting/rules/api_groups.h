// Rule groups that came by the API, durable: what they say, in binary (docs/format.md, "Records of rules").
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "alerting/rules/rule_group.h"
#include "engine/base/status.h"
#include "engine/record_store.h"

namespace varve {

std::string ApiGroupKey(std::string_view tenant, std::string_view rule_namespace, std::string_view name);
std::string EncodeApiGroup(std::string_view tenant, const RuleGroup& group);

struct ApiGroup {
  std::string tenant;
  RuleGroup group;  // its file is its namespace
};
Result<ApiGroup> DecodeApiGroup(std::string_view bytes);
// kCorruption names the record.
Result<std::vector<ApiGroup>> ReadApiGroups(const RecordStore& records);

}  // namespace varve
