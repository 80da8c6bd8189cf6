// The query limits of a call, by whom it is for.
//
// Threads: pure functions over thread-safe tables.
#pragma once

#include <string>
#include <vector>

#include "http/read_call.h"

namespace varve {

// Those of the tenant at this moment; of several, the tightest of each limit. `tenants` is not empty.
QueryLimits LimitsOfTenants(const ReadContext& context, const std::vector<std::string>& tenants);

}  // namespace varve
