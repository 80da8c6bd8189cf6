// What Prometheus's API answers, as JSON: the envelope, values, series, histograms.
//
// Numbers are texts, as short as they read back; times are numbers of seconds. Strings: json_writer.h.
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/metric_store.h"
#include "engine/model/packed_labels.h"
#include "http/message.h"
#include "query/promql/eval/query.h"

namespace varve {

// Warnings, and infos, that an answer shows; how many more there were is told in one more.
inline constexpr size_t kPromNotesMax = 10;

// Without quotes: fixed notation unless the magnitude is below 1e-6 or from 1e21 on. NaN, +Inf, -Inf.
void AppendPromFloat(std::string* out, double value);
// Seconds; three decimals where there are any.
void AppendPromTime(std::string* out, int64_t ts_ms);
// {"a":"b","c":"d"}
void AppendLabelsJson(std::string* out, const PackedLabels& labels);
// ["a","b"]
void AppendTextsJson(std::string* out, const std::vector<std::string>& texts);
// {"count":"6","sum":"5","buckets":[[0,"0.5","1","3"]]}; empty buckets are left out, and so is the list when all are.
void AppendHistogramJson(std::string* out, const promql::FloatHistogram& histogram);

// The members of `data` for a query: {"resultType":…,"result":…} and, if `stats` is not empty, the statistics.
enum class StatsDetail { kNone, kTotals, kPerStep };
void AppendQueryData(std::string* out, const promql::QueryResult& result, StatsDetail stats);
// Somewhat more than AppendQueryData will write.
size_t EstimateQueryBytes(const promql::QueryResult& result);

void AppendExemplarsJson(std::string* out, const std::vector<ExemplarSeries>& series);

// {"status":"success","data":…} around `data`, which is JSON.
HttpResponse PromSuccess(std::string data, const std::vector<std::string>& warnings = {},
                         const std::vector<std::string>& infos = {});
// {"status":"error","errorType":…,"error":…}
HttpResponse PromError(int status, std::string_view type, std::string_view message);

}  // namespace varve
