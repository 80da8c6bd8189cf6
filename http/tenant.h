// Who a request is for: X-Scope-OrgID, with Loki's rules and texts.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/base/status.h"
#include "http/message.h"

namespace varve {

// The only tenant while authentication is off; Loki's name for it.
inline constexpr std::string_view kSingleTenant = "fake";

// At most 150 of a-z A-Z 0-9 ! - _ . * ' ( ), and neither "." nor "..".
Status ValidateTenantName(std::string_view name);

struct TenantLookup {
  std::string name;
  std::optional<HttpResponse> refusal;  // 401 `no org id`, or 400
};
// `for_write`: a push names exactly one tenant ("A|B" is `multiple org IDs present`).
TenantLookup ResolveTenant(const HttpRequest& request, bool auth_enabled, bool for_write);

}  // namespace varve
