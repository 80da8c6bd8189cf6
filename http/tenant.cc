#include "http/tenant.h"

#include <cctype>

#include "http/error_map.h"

namespace varve {

Status ValidateTenantName(std::string_view name) {
  constexpr size_t kNameMax = 150;
  constexpr std::string_view kPunctuation = "!-_.*'()";
  for (const char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && kPunctuation.find(c) == std::string_view::npos) {
      return InvalidArgument("tenant ID '" + std::string(name) + "' contains unsupported character '" +
                             std::string(1, c) + "'");
    }
  }
  if (name.size() > kNameMax) return InvalidArgument("tenant ID is too long: max 150 characters");
  if (name == "." || name == "..") return InvalidArgument("tenant ID is '.' or '..'");
  return Status::Ok();
}

TenantLookup ResolveTenant(const HttpRequest& request, bool auth_enabled, bool for_write) {
  TenantLookup lookup;
  if (!auth_enabled) {
    lookup.name = kSingleTenant;
    return lookup;
  }
  lookup.name = request.Header("x-scope-orgid");
  if (lookup.name.empty()) {
    lookup.refusal = ErrorText(401, "no org id\n");
  } else if (for_write && lookup.name.find('|') != std::string::npos) {
    lookup.refusal = ErrorText(400, "multiple org IDs present\n");
  } else if (const Status valid = ValidateTenantName(lookup.name); !valid.ok()) {
    lookup.refusal = LokiPushError(valid);
  }
  return lookup;
}

}  // namespace varve
