#include "http/prometheus_label_api.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/json_writer.h"
#include "engine/model/labels.h"
#include "http/prometheus_json.h"
#include "http/prometheus_params.h"
#include "ingest/utf8_repair.h"

namespace varve {
namespace {

constexpr std::string_view kTruncated = "results truncated due to limit";

// What all listings are asked with.
struct Listing {
  size_t limit = 0;  // 0: none
  MetricRange range;
  std::vector<std::vector<Matcher>> selectors;
};

Result<size_t> LimitParam(const PromCall& call) {
  Result<size_t> limit = ParsePromLimit(call.params.Get("limit"));
  if (!limit.ok()) return InvalidParameter("limit", limit.status().message());
  return limit;
}

// Prometheus looks at blocks and chunks that touch the range, and those touch one whose end comes first as well: so
// listings take the time between both, whichever is first.
MetricRange Between(const PromBounds& bounds) {
  return {std::min(bounds.start_ms, bounds.end_ms), std::max(bounds.start_ms, bounds.end_ms)};
}

Result<Listing> ParseListing(const PromCall& call) {
  Listing listing;
  VARVE_ASSIGN_OR_RETURN(listing.limit, LimitParam(call));
  VARVE_ASSIGN_OR_RETURN(const PromBounds bounds, ParsePromBounds(call.params));
  listing.range = Between(bounds);
  VARVE_ASSIGN_OR_RETURN(listing.selectors, ParseMatchParams(call));
  return listing;
}

// Sorted texts, cut at the limit.
HttpResponse TextsAnswer(std::vector<std::string> texts, size_t limit) {
  std::vector<std::string> warnings;
  if (limit != 0 && texts.size() > limit) {
    texts.resize(limit);
    warnings.emplace_back(kTruncated);
  }
  std::string data;
  AppendTextsJson(&data, texts);
  return PromSuccess(std::move(data), warnings);
}

// The union of what `list` gives for each selector, or for none at all when there are no selectors.
template <typename List>
Result<std::vector<std::string>> ListTexts(const Listing& listing, List list) {
  if (listing.selectors.empty()) return list(std::vector<Matcher>());
  if (listing.selectors.size() == 1) return list(listing.selectors.front());
  std::set<std::string> all;
  for (const std::vector<Matcher>& matchers : listing.selectors) {
    VARVE_ASSIGN_OR_RETURN(std::vector<std::string> some, list(matchers));
    all.insert(std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
  }
  return std::vector<std::string>(all.begin(), all.end());
}

// What a listing fails with is the query's doing, as in Prometheus.
Status AsExecution(Status status) {
  if (status.code() == Code::kInvalidArgument) return ExecutionError(status.message());
  return status;
}

Result<HttpResponse> LabelNames(const PromCall& call) {
  VARVE_ASSIGN_OR_RETURN(const Listing listing, ParseListing(call));
  Result<std::vector<std::string>> names = ListTexts(listing, [&](const std::vector<Matcher>& matchers) {
    return call.metrics().LabelNames(call.tenant, matchers, listing.range);
  });
  if (!names.ok()) return AsExecution(std::move(names).status());
  return TextsAnswer(*std::move(names), listing.limit);
}

Result<HttpResponse> LabelValues(const PromCall& call) {
  const std::string name = UnescapeName(call.request.path_params.front());
  if (name.empty() || !IsValidUtf8(name)) return InvalidArgument("invalid label name: " + GoQuoted(name));
  VARVE_ASSIGN_OR_RETURN(const Listing listing, ParseListing(call));
  Result<std::vector<std::string>> values = ListTexts(listing, [&](const std::vector<Matcher>& matchers) {
    return call.metrics().LabelValues(call.tenant, name, matchers, listing.range);
  });
  if (!values.ok()) return AsExecution(std::move(values).status());
  return TextsAnswer(*std::move(values), listing.limit);
}

// One more than the limit, to know whether there are more.
size_t Wanted(size_t limit) { return limit == 0 || limit == SIZE_MAX ? limit : limit + 1; }

Result<std::vector<PackedLabels>> SelectSeries(const PromCall& call, const Listing& listing) {
  std::vector<PackedLabels> all;
  for (const std::vector<Matcher>& matchers : listing.selectors) {
    VARVE_ASSIGN_OR_RETURN(
        std::vector<PackedLabels> some,
        call.metrics().SelectSeries(call.tenant, matchers, listing.range, Wanted(listing.limit)));
    all.insert(all.end(), std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
  }
  if (listing.selectors.size() > 1) {
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
  }
  return all;
}

Result<HttpResponse> Series(const PromCall& call) {
  if (!call.form_error.ok()) {
    return InvalidArgument("error parsing form values: " + call.form_error.message());
  }
  if (!call.params.Has("match[]")) return InvalidArgument("no match[] parameter provided");
  Listing listing;
  VARVE_ASSIGN_OR_RETURN(listing.limit, LimitParam(call));
  VARVE_ASSIGN_OR_RETURN(const PromBounds bounds, ParsePromBounds(call.params));
  listing.range = Between(bounds);
  Result<std::vector<std::vector<Matcher>>> selectors = ParseMatchParams(call);
  if (!selectors.ok()) return InvalidParameter("match[]", selectors.status().message());
  listing.selectors = *std::move(selectors);

  Result<std::vector<PackedLabels>> found = SelectSeries(call, listing);
  if (!found.ok()) return AsExecution(std::move(found).status());
  std::vector<std::string> warnings;
  if (listing.limit != 0 && found->size() > listing.limit) {
    found->resize(listing.limit);
    warnings.emplace_back(kTruncated);
  }
  std::string data = "[";
  for (const PackedLabels& labels : *found) {
    if (data.back() != '[') data.push_back(',');
    AppendLabelsJson(&data, labels);
  }
  return PromSuccess(std::move(data.append("]")), warnings);
}

// A parameter of the metadata endpoints; -1 when absent.
Result<int64_t> NumberParam(const PromCall& call, std::string_view name) {
  const std::string_view value = call.params.Get(name);
  if (value.empty()) return int64_t{-1};
  Result<int64_t> number = ParseGoAtoi(value);
  if (!number.ok()) return InvalidArgument(std::string(name) + " must be a number");
  return number;
}

Result<HttpResponse> Metadata(const PromCall& call) {
  VARVE_ASSIGN_OR_RETURN(const int64_t limit, NumberParam(call, "limit"));
  VARVE_ASSIGN_OR_RETURN(const int64_t limit_per_metric, NumberParam(call, "limit_per_metric"));
  const std::vector<MetricMetadata> all = call.metrics().Metadata(call.tenant, call.params.Get("metric"));
  std::string data = "{";
  int64_t metrics = 0;
  for (size_t i = 0; i < all.size();) {
    if (limit >= 0 && metrics >= limit) break;
    if (metrics++ != 0) data.push_back(',');
    AppendJsonString(&data, all[i].metric);
    data.append(":[");
    int64_t of_metric = 0;
    const std::string& metric = all[i].metric;
    for (; i < all.size() && all[i].metric == metric; ++i, ++of_metric) {
      if (limit_per_metric > 0 && of_metric >= limit_per_metric) continue;
      data.append(of_metric == 0 ? "{\"type\":" : ",{\"type\":");
      AppendJsonString(&data, MetricTypeName(all[i].type));
      data.append(",\"unit\":");
      AppendJsonString(&data, all[i].unit);
      data.append(",\"help\":");
      AppendJsonString(&data, all[i].help);
      data.push_back('}');
    }
    data.push_back(']');
  }
  return PromSuccess(std::move(data.append("}")));
}

// Scraping is others' business: there are no targets, so there is nothing to say of their metrics.
Result<HttpResponse> TargetMetadata(const PromCall& call) {
  VARVE_RETURN_IF_ERROR(NumberParam(call, "limit").status().Clone());
  return PromSuccess("[]");
}

}  // namespace

void PrometheusLabelApi::AddRoutes(Router* router) {
  const auto add = [&](std::vector<std::string> methods, std::string_view pattern, PromAnswer answer) {
    AddPrometheusRoute(context_, router, std::move(methods), pattern, Worker::kQuery, answer);
  };
  add({"GET", "POST"}, "/labels", LabelNames);
  add({"GET"}, "/label/{name}/values", LabelValues);
  add({"GET", "POST"}, "/series", Series);
  add({"GET"}, "/metadata", Metadata);
  add({"GET"}, "/targets/metadata", TargetMetadata);
}

}  // namespace varve
