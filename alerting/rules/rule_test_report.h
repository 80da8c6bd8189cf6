// Compares what rule tests expect with what came, and says what differs in promtool's form.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "alerting/rules/rule_test_file.h"
#include "engine/base/status.h"
#include "engine/model/packed_labels.h"

namespace varve {

struct TestSample {
  PackedLabels labels;
  double value = 0;
  std::string histogram;  // in the notation of series, or empty
};

// Empty: they are the same, in whatever order.
std::string CompareAlerts(std::string_view test_name, const AlertTest& test, std::vector<ExpectedAlert> expected,
                          std::vector<ExpectedAlert> got);
// Values are the same if they compare equal, so that NaN never is; with `fuzzy`, neighbours are the same, too.
std::string CompareSamples(const ExpressionTest& test, bool fuzzy, std::vector<TestSample> expected,
                           std::vector<TestSample> got);
std::string ExpressionErrorText(const ExpressionTest& test, const Status& error);

}  // namespace varve
