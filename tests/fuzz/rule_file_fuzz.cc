// Rule files, files of rule tests, and groups of the configuration APIs: whatever the bytes, an error or rules that are
// read back the same once printed.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "alerting/rules/rule_file.h"
#include "alerting/rules/rule_test_file.h"
#include "engine/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  varve::ParseRuleTestFile(text, "fuzz").IgnoreError("any bytes");
  for (const varve::RuleLanguage language : {varve::RuleLanguage::kPromql, varve::RuleLanguage::kLogql}) {
    varve::ParseRuleGroup(text, "fuzz", language).IgnoreError("any bytes");
    const auto groups = varve::ParseRuleFile(text, "fuzz", language);
    if (!groups.ok()) {
      VARVE_CHECK(!groups.status().message().empty());
      continue;
    }
    for (const varve::RuleGroup& group : groups.value()) {
      if (group.rules.empty()) continue;  // Mimir refuses them
      const auto again = varve::ParseRuleGroup(varve::PrintRuleGroup(group), "fuzz", varve::RuleLanguage::kPromql);
      VARVE_CHECK(again.ok());
      VARVE_CHECK(again->rules.size() == group.rules.size());
    }
  }
  return 0;
}
