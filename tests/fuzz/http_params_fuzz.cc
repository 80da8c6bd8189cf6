// Arbitrary parameters, headers and lines through everything of http/ that reads what clients send.
//
// The first line of the input is a URL's query, the second a header, the rest a form body or a log line.
// Whatever they are: no crash, a parsed range is usable, and what is written as JSON is valid UTF-8 without
// control characters.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/check.h"
#include "engine/base/json_writer.h"
#include "http/access_log.h"
#include "http/detected_fields.h"
#include "http/form.h"
#include "http/gzip_response.h"
#include "http/loki_responses.h"
#include "http/query_params.h"
#include "http/tenant.h"

namespace varve {
namespace {

std::string_view TakeLine(std::string_view* rest) {
  const size_t end = std::min(rest->find('\n'), rest->size());
  const std::string_view line = rest->substr(0, end);
  rest->remove_prefix(std::min(end + 1, rest->size()));
  return line;
}

void CheckJsonString(std::string_view text) {
  std::string json;
  AppendJsonString(&json, text);
  VARVE_CHECK(json.size() >= 2 && json.front() == '"' && json.back() == '"');
  VARVE_CHECK(std::none_of(json.begin(), json.end(), [](char c) { return static_cast<uint8_t>(c) < 0x20; }));
  VARVE_CHECK(json.find_first_of("<>&") == std::string::npos);
}

void CheckParams(const FormParams& params) {
  constexpr int64_t kNow = 1'793'500'000LL * kNsPerSecond;
  constexpr uint32_t kPointsMax = 11000;
  Result<RangeParams> range = ParseRangeParams(params, kNow, kPointsMax);
  if (!range.ok()) {
    VARVE_CHECK(range.status().code() == Code::kInvalidArgument && !range.status().message().empty());
    return;
  }
  VARVE_CHECK(range->step_ns > 0 && range->interval_ns >= 0 && range->limit > 0);
  const __int128 span = static_cast<__int128>(range->bounds.end_ns) - range->bounds.start_ns;
  VARVE_CHECK(span >= 0 && span / range->step_ns <= kPointsMax);
  ApplyTimeLimits(QueryLimits(), kNow, &range->bounds).IgnoreError("either answer is fine");
}

}  // namespace
}  // namespace varve

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace varve;  // NOLINT(google-build-using-namespace): the whole target is about it
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  HttpRequest request;
  request.method = "POST";
  request.url_query = TakeLine(&rest);
  request.target = "/x?" + request.url_query;
  const std::string header(TakeLine(&rest));
  request.headers = {{"content-type", "application/x-www-form-urlencoded"}, {"x-scope-orgid", header}};
  request.body = rest;

  if (const Result<FormParams> params = FormParams::Parse(request); params.ok()) CheckParams(params.value());
  AcceptsGzip(header);
  EncodingFlags::Parse(header);
  const TenantLookup tenant = ResolveTenant(request, true, true);
  VARVE_CHECK(tenant.refusal.has_value() || ValidateTenantName(tenant.name).ok());
  RequestRecord record;
  record.request = &request;
  VARVE_CHECK(AccessLogPayload(record).find('\n') == std::string::npos);
  CheckJsonString(rest);
  FieldDetector detector(100);
  ResultEntry entry;
  entry.line = rest;
  detector.Add({{"app", "x"}}, entry);
  VARVE_CHECK(detector.fields().size() <= 100);
  return 0;
}
