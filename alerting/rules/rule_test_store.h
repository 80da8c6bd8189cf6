// The store that a rule test runs on: an Engine in a directory of its own, filled as the test's time goes on.
//
//   Open · SetInput · (LoadUntil · evaluate)*
// Threads: thread-compatible.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/rules/rule_query.h"
#include "alerting/rules/rule_test_file.h"
#include "alerting/rules/ruler.h"
#include "engine/base/status.h"

namespace varve {

// Of the values of a test's series, gaps included.
inline constexpr size_t kTestValuesMax = 20'000'000;

class RuleTestStore {
 public:
  static constexpr std::string_view kTenant = "fake";

  RuleTestStore();
  ~RuleTestStore();

  Status Open(const std::string& directory, int64_t subquery_step_ms);
  // kInvalidArgument quotes the series or stream that cannot be read.
  Status SetInput(const RuleTest& test);
  // Stores what of the input lies at or before that time and was not stored yet.
  Status LoadUntil(int64_t ts_ms);

  const RulerMeans& means() const { return means_; }
  Result<std::unique_ptr<TenantQueries>> Queries() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
  RulerMeans means_;
};

}  // namespace varve
