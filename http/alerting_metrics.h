// What rules, notifications and reports count, for /metrics.
//
// Threads: pure functions.
#pragma once

namespace varve {

class FamilyList;
struct AlertingParts;

void AddAlerting(const AlertingParts& alerting, FamilyList* out);

}  // namespace varve
