// A rule's expression, parsed once, and its value at a time.
//
//   RuleQuery query = *RuleQuery::Parse(expr, language);
//   TenantQueries tenant(means, …);            // for as long as an iteration
//   Result<std::vector<RuleSample>> vector = query.Run(tenant, ts_ms, &cancel);
//
// Threads: a RuleQuery is immutable; TenantQueries is thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/rules/rule_group.h"
#include "engine/base/cancel.h"
#include "engine/base/per_tenant.h"
#include "engine/engine.h"
#include "engine/model/packed_labels.h"
#include "query/exec/query.h"
#include "query/promql/eval/query.h"

namespace varve {

struct RuleSample {
  PackedLabels labels;
  double value = 0;                     // 0 of a histogram
  promql::FloatHistogramPtr histogram;  // or null
};

// What one tenant's rules ask.
class TenantQueries {
 public:
  // All outlive it; the tenant's limits are those of now.
  TenantQueries(Engine* engine, const promql::PromqlEngine* promql, const PerTenant<QueryLimits>* limits,
                std::string_view tenant, TenantId id);
  ~TenantQueries();

  Engine* engine() const { return engine_; }
  const promql::PromqlEngine& promql() const { return *promql_; }
  const QueryLimits& limits() const { return *limits_; }
  TenantId id() const { return id_; }
  const promql::SampleSource& samples() const { return *samples_; }
  const promql::LogqlSource& logs() const { return *logs_; }

 private:
  Engine* const engine_;
  const promql::PromqlEngine* const promql_;
  const TenantId id_;
  std::shared_ptr<const QueryLimits> limits_;
  std::unique_ptr<const promql::SampleSource> samples_;
  std::unique_ptr<const promql::LogqlSource> logs_;
};

class RuleQuery {
 public:
  // kInvalidArgument: it does not parse.
  static Result<std::unique_ptr<const RuleQuery>> Parse(std::string_view expr, RuleLanguage language);
  // The expression with `bool` where it is a comparison at the top, so that it has 0 for what does not hold; null when it
  // is none.
  static Result<std::unique_ptr<const RuleQuery>> ParseWithBool(std::string_view expr, RuleLanguage language);
  ~RuleQuery();

  // An instant query; a scalar is one sample without labels. kExecution: "rule result is not a vector or scalar"; else
  // the query's own errors.
  Result<std::vector<RuleSample>> Run(const TenantQueries& tenant, int64_t ts_ms, const CancelToken* cancel) const;

  // Whether its value may depend on samples of that metric name.
  bool Reads(std::string_view metric) const;
  // As links show it.
  const std::string& text() const;
  RuleLanguage language() const;

  struct Parts;
  explicit RuleQuery(std::unique_ptr<const Parts> parts);  // Parse's

 private:
  const std::unique_ptr<const Parts> parts_;
};

// Any PromQL text at a time, for templates.
Result<std::vector<RuleSample>> RunPromqlText(const TenantQueries& tenant, std::string_view text, int64_t ts_ms,
                                              const CancelToken* cancel);

}  // namespace varve
