#include "http/index_api.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/json_writer.h"
#include "http/loki_responses.h"
#include "http/stream_volume.h"
#include "query/logql/parser.h"

namespace varve {
namespace {

constexpr std::string_view kMatchesEverything =
    "parse error : queries require at least one regexp or equality matcher that does not have an "
    "empty-compatible value. For instance, app=~\".*\" does not meet this requirement, but app=~\".+\" will";

using SteadyClock = std::chrono::steady_clock;

// A snapshot with the means to count in it.
struct Counting {
  std::unique_ptr<const LogSnapshot> snapshot;
  TimeRange range;
  VolumeWork work;
  SteadyClock::time_point begun = SteadyClock::now();

  Status Sum(const ReadCall& call, int64_t bucket_ns, const std::function<void(const VolumeCell&)>& add) {
    if (snapshot == nullptr) return Status::Ok();
    MemoryBudget budget("index query", call.context.limits.max_query_memory_bytes,
                        call.context.engine->query_budget());
    return SumVolumes(*snapshot, range, bucket_ns, &budget, *call.request.cancel, add, &work);
  }
  QueryStats Stats() const {
    QueryStats stats;
    stats.streams = snapshot == nullptr ? 0 : snapshot->streams().size();
    stats.sources = snapshot == nullptr ? 0 : snapshot->source_count();
    stats.sources_loaded = work.sources_loaded;
    stats.lines_processed = work.entries;
    stats.bytes_processed = work.line_bytes;
    stats.exec_seconds = std::chrono::duration<double>(SteadyClock::now() - begun).count();
    return stats;
  }
};

Result<Counting> StartCounting(const ReadCall& call, const std::vector<Matcher>& matchers,
                               const TimeBounds& bounds) {
  Counting counting;
  counting.range = ClosedRange(bounds);
  if (!counting.range.empty()) {
    VARVE_ASSIGN_OR_RETURN(counting.snapshot,
                           call.context.engine->SnapshotLogs(call.tenant, matchers, counting.range));
  }
  return counting;
}

// What a selector selects: {"streams":n,"chunks":n,"bytes":n,"entries":n}.
struct SelectionStats {
  std::string json;
  QueryStats work;
};

Result<SelectionStats> CountSelection(const ReadCall& call) {
  VARVE_ASSIGN_OR_RETURN(const TimeBounds bounds, ParseListBounds(call));
  VARVE_ASSIGN_OR_RETURN(const std::vector<Matcher> matchers, logql::ParseMatchers(call.params.Get("query")));
  if (matchers.empty()) return InvalidArgument(std::string(kMatchesEverything));
  VARVE_ASSIGN_OR_RETURN(Counting counting, StartCounting(call, matchers, bounds));
  std::set<uint32_t> streams;
  VARVE_RETURN_IF_ERROR(counting.Sum(call, 0, [&](const VolumeCell& cell) { streams.insert(cell.stream); }));
  SelectionStats selection;
  std::string& out = selection.json;
  out.append("{\"streams\":");
  AppendUint(&out, streams.size());
  out.append(",\"chunks\":");
  AppendUint(&out, counting.work.slices);
  out.append(",\"bytes\":");
  AppendUint(&out, counting.work.line_bytes);
  out.append(",\"entries\":");
  AppendUint(&out, counting.work.entries);
  out.push_back('}');
  selection.work = counting.Stats();
  return selection;
}

// ---- Volume -----------------------------------------------------------------------------------------

struct VolumeParams {
  std::vector<Matcher> matchers;
  std::vector<std::string> targets;
  bool by_labels = false;  // aggregateBy=labels
  uint32_t limit = 0;
};

Result<VolumeParams> ParseVolumeParams(const ReadCall& call) {
  const QueryLimits& limits = call.context.limits;
  if (!limits.volume_enabled) return NotFound("not found");
  VolumeParams params;
  const std::string_view limit = call.params.Get("limit");
  // Here 0 asks for the default.
  VARVE_ASSIGN_OR_RETURN(params.limit, ParseLimit(limit == "0" ? std::string_view() : limit));
  if (limits.volume_max_series != 0) params.limit = std::min(params.limit, limits.volume_max_series);
  const std::string_view aggregate = call.params.Get("aggregateBy");
  if (!aggregate.empty() && aggregate != "series" && aggregate != "labels") {
    return InvalidArgument("invalid aggregation option");
  }
  params.by_labels = aggregate == "labels";
  std::string_view targets = call.params.Get("targetLabels");
  while (!targets.empty()) {
    const size_t comma = std::min(targets.find(','), targets.size());
    if (comma != 0) params.targets.emplace_back(targets.substr(0, comma));
    targets.remove_prefix(std::min(comma + 1, targets.size()));
  }
  VARVE_ASSIGN_OR_RETURN(params.matchers, logql::ParseMatchers(call.params.Get("query")));
  return params;
}

// The label sets that a stream's bytes are counted under: one for `series`, one a label for `labels`, none
// when it lacks a label that was asked for.
std::vector<LabelPairs> VolumeKeys(const VolumeParams& params, const Labels& stream) {
  std::vector<LabelPairs> keys;
  const auto wanted = [&](const std::string& name) {
    return params.targets.empty() ||
           std::find(params.targets.begin(), params.targets.end(), name) != params.targets.end();
  };
  if (params.by_labels) {
    for (const Label& label : stream) {
      if (wanted(label.name)) keys.push_back({{label.name, ""}});
    }
    return keys;
  }
  for (const std::string& target : params.targets) {
    if (!stream.Has(target)) return keys;
  }
  LabelPairs key;
  for (const Label& label : stream) {
    const auto matched = [&](const Matcher& matcher) { return matcher.name() == label.name; };
    const bool in_selector =
        params.matchers.empty() || std::any_of(params.matchers.begin(), params.matchers.end(), matched);
    if (params.targets.empty() ? in_selector : wanted(label.name)) key.emplace_back(label.name, label.value);
  }
  keys.push_back(std::move(key));
  return keys;
}

// Bytes by label set and bucket.
using Volumes = std::map<LabelPairs, std::map<int64_t, uint64_t>>;

// `bucket_time_ms` gives a bucket's time stamp. The largest `limit` label sets, largest first.
std::vector<ResultSeries> LargestVolumes(const Volumes& volumes, uint32_t limit,
                                         const std::function<int64_t(int64_t)>& bucket_time_ms) {
  std::vector<std::pair<uint64_t, const Volumes::value_type*>> totals;
  for (const auto& volume : volumes) {
    uint64_t total = 0;
    for (const auto& [bucket, bytes] : volume.second) total += bytes;
    totals.emplace_back(total, &volume);
  }
  std::stable_sort(totals.begin(), totals.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  if (totals.size() > limit) totals.resize(limit);
  std::vector<ResultSeries> series;
  for (const auto& [total, volume] : totals) {
    ResultSeries one;
    one.labels = volume->first;
    for (const auto& [bucket, bytes] : volume->second) {
      one.points.push_back({bucket_time_ms(bucket), static_cast<double>(bytes)});
    }
    series.push_back(std::move(one));
  }
  return series;
}

Result<Volumes> CollectVolumes(const ReadCall& call, const VolumeParams& params, int64_t bucket_ns,
                               Counting* counting) {
  Volumes volumes;
  if (counting->snapshot == nullptr) return volumes;
  std::vector<std::vector<std::map<int64_t, uint64_t>*>> sums_of_stream;
  for (const SelectedStream& stream : counting->snapshot->streams()) {
    auto& sums = sums_of_stream.emplace_back();
    for (LabelPairs& key : VolumeKeys(params, *stream.labels)) sums.push_back(&volumes[std::move(key)]);
  }
  VARVE_RETURN_IF_ERROR(counting->Sum(call, bucket_ns, [&](const VolumeCell& cell) {
    for (auto* sums : sums_of_stream[cell.stream]) (*sums)[cell.bucket] += cell.line_bytes;
  }));
  std::erase_if(volumes, [](const auto& volume) { return volume.second.empty(); });
  return volumes;
}

// ---- Detected labels --------------------------------------------------------------------------------

bool IsUuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : std::isxdigit(static_cast<unsigned char>(text[i])) == 0) return false;
  }
  return true;
}

// What identifies single things rather than groups of them. 0 and 1 pass for flags.
bool LooksLikeId(std::string_view value) {
  if (value == "0" || value == "1") return false;
  const bool number = !value.empty() && value.find_first_not_of("0123456789.+-") == std::string_view::npos &&
                      value.find_first_of("0123456789") != std::string_view::npos;
  return number || IsUuid(value);
}

bool IsWorthDetecting(std::string_view name, const std::set<std::string_view>& values) {
  for (const std::string_view known : {"cluster", "namespace", "instance", "pod"}) {
    if (name == known) return true;
  }
  return !std::all_of(values.begin(), values.end(), LooksLikeId);
}

}  // namespace

IndexApi::IndexApi(ReadContext context) : context_(std::move(context)) {}

void IndexApi::AddRoutes(Router* router) {
  using Answer = Result<HttpResponse> (IndexApi::*)(const ReadCall&) const;
  const auto add = [&](std::string_view pattern, Answer answer) {
    router->Add({"GET", "POST"}, pattern, Worker::kQuery, [this, answer](const HttpRequest& request) {
      return AnswerRead(context_, request,
                        [this, answer](const ReadCall& call) { return (this->*answer)(call); });
    });
  };
  add("/loki/api/v1/index/stats", &IndexApi::Stats);
  add("/loki/api/v1/index/shards", &IndexApi::Shards);
  add("/loki/api/v1/index/volume", &IndexApi::Volume);
  add("/loki/api/v1/index/volume_range", &IndexApi::VolumeRange);
  add("/loki/api/v1/detected_labels", &IndexApi::DetectedLabels);
}

Result<HttpResponse> IndexApi::Stats(const ReadCall& call) const {
  VARVE_ASSIGN_OR_RETURN(const SelectionStats selection, CountSelection(call));
  return JsonResponse(selection.json + "\n");
}

// One shard, which is everything: there is nothing to gain from asking one process in several pieces.
Result<HttpResponse> IndexApi::Shards(const ReadCall& call) const {
  VARVE_ASSIGN_OR_RETURN(const SelectionStats selection, CountSelection(call));
  std::string out =
      R"({"shards":[{"bounds":{"min":"0000000000000000","max":"ffffffffffffffff"},"stats":)";
  out.append(selection.json).append("}],\"statistics\":");
  AppendLokiStats(selection.work, &out);
  return JsonResponse(out.append("}\n"));
}

Result<HttpResponse> IndexApi::Volume(const ReadCall& call) const {
  VARVE_ASSIGN_OR_RETURN(const TimeBounds bounds, ParseListBounds(call));
  VARVE_ASSIGN_OR_RETURN(const VolumeParams params, ParseVolumeParams(call));
  VARVE_ASSIGN_OR_RETURN(Counting counting, StartCounting(call, params.matchers, bounds));
  VARVE_ASSIGN_OR_RETURN(const Volumes volumes, CollectVolumes(call, params, 0, &counting));
  QueryResult result;
  const int64_t end_ms = bounds.end_ns / kNsPerMs;
  result.data = VectorResult{LargestVolumes(volumes, params.limit, [end_ms](int64_t) { return end_ms; })};
  result.stats = counting.Stats();
  return JsonResponse(LokiQueryJson(result, {}));
}

Result<HttpResponse> IndexApi::VolumeRange(const ReadCall& call) const {
  VARVE_ASSIGN_OR_RETURN(const TimeBounds bounds, ParseListBounds(call));
  VARVE_ASSIGN_OR_RETURN(const int64_t step_ns,
                         ParseStep(call.params.Get("step"), bounds, call.context.limits.max_points_per_series));
  VARVE_ASSIGN_OR_RETURN(const VolumeParams params, ParseVolumeParams(call));
  VARVE_ASSIGN_OR_RETURN(Counting counting, StartCounting(call, params.matchers, bounds));
  // Whatever lies on the end belongs to the last step, which ends there.
  counting.range.end_ns = bounds.end_ns;
  VARVE_ASSIGN_OR_RETURN(const Volumes volumes, CollectVolumes(call, params, step_ns, &counting));
  // A step's time stamp is its last millisecond, that of the last step the end of the range.
  const auto bucket_time_ms = [&](int64_t bucket) {
    const __int128 bucket_end_ns = (static_cast<__int128>(bucket) + 1) * step_ns;
    if (bucket_end_ns >= bounds.end_ns) return bounds.end_ns / kNsPerMs;
    return static_cast<int64_t>(bucket_end_ns / kNsPerMs) - 1;
  };
  QueryResult result;
  std::vector<ResultSeries> series = LargestVolumes(volumes, params.limit, bucket_time_ms);
  const auto single = [](const ResultSeries& one) { return one.points.size() <= 1; };
  // As Loki answers: a matrix only where some series has more than one step.
  if (std::all_of(series.begin(), series.end(), single)) {
    result.data = VectorResult{std::move(series)};
  } else {
    result.data = MatrixResult{std::move(series)};
  }
  result.stats = counting.Stats();
  return JsonResponse(LokiQueryJson(result, {}));
}

Result<HttpResponse> IndexApi::DetectedLabels(const ReadCall& call) const {
  VARVE_ASSIGN_OR_RETURN(const TimeBounds bounds, ParseListBounds(call));
  std::vector<Matcher> matchers;
  if (const std::string_view query = call.params.Get("query"); !query.empty()) {
    VARVE_ASSIGN_OR_RETURN(matchers, logql::ParseMatchers(query));
  }
  std::map<std::string_view, std::set<std::string_view>> values;
  if (const TimeRange range = ClosedRange(bounds); !range.empty()) {
    VARVE_ASSIGN_OR_RETURN(const std::vector<const Labels*> streams,
                           call.context.engine->SelectStreams(call.tenant, matchers, range));
    for (const Labels* labels : streams) {
      for (const Label& label : *labels) values[label.name].insert(label.value);
    }
  }
  std::erase_if(values, [](const auto& label) { return !IsWorthDetecting(label.first, label.second); });
  std::string out = "{";
  if (!values.empty()) {
    out.append("\"detectedLabels\":[");
    bool first = true;
    for (const auto& [name, of_name] : values) {
      out.append(first ? "{\"label\":" : ",{\"label\":");
      first = false;
      AppendJsonString(&out, name);
      out.append(",\"cardinality\":");
      AppendUint(&out, of_name.size());
      out.push_back('}');
    }
    out.push_back(']');
  }
  return JsonResponse(out.append("}\n"));
}

}  // namespace varve
