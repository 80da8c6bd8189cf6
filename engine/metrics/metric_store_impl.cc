#include "engine/metrics/metric_store_impl.h"

#include <algorithm>
#include <limits>

#include "engine/engine_impl.h"
#include "engine/metrics/metric_snapshot.h"

namespace varve {

MetricStoreImpl::MetricStoreImpl(EngineImpl* engine, const MemoryPlan& plan, MemoryBudget* total)
    : engine_(engine),
      heads_budget_("metric_heads", plan.metric_heads_bytes, total),
      blocks_budget_("metric_blocks", plan.metric_blocks_bytes, total),
      indexes_budget_("metric_pack_index", plan.metric_index_bytes, total),
      packs_(engine->stores_.packs.get(), &series_, &engine->streams_, &blocks_budget_, &indexes_budget_),
      deletes_(engine->stores_.meta.get()),
      exemplars_(engine->stores_.meta.get(), &series_, engine->options_.exemplars_max),
      metadata_(engine->stores_.meta.get(), engine->options_.metadata_max) {}

MetricStoreImpl::~MetricStoreImpl() = default;

Status MetricStoreImpl::Load(std::vector<Catalog> catalogs) {
  for (size_t i = 0; i < catalogs.size(); ++i) {
    auto shard = std::make_unique<MetricShard>();
    shard->number = static_cast<uint16_t>(kMetricShardFirst + i);
    for (const CatalogPackPtr& pack : catalogs[i]) {
      shard->packs_max_ms = std::max(shard->packs_max_ms, MsOfPackTime(pack->summary.max_ts_ns));
    }
    const WriterLock lock(shard->mu);
    shard->active = std::make_shared<MetricHead>(&heads_budget_);
    shard->catalog = std::make_shared<Catalog>(std::move(catalogs[i]));
    shards_.push_back(std::move(shard));
  }
  VARVE_RETURN_IF_ERROR(engine_->stores_.meta->ForEachSeries([&](const StreamRecord& series) -> Status {
    VARVE_ASSIGN_OR_RETURN(const TenantId tenant, engine_->streams_.InternTenant(series.tenant));
    return series_.Load(tenant, series.tenant, series.canonical, series.fingerprint);
  }));
  VARVE_RETURN_IF_ERROR(
      deletes_.Load([this](std::string_view tenant) { return engine_->streams_.InternTenant(tenant); }));
  for (const MetricDeletePtr& request : *deletes_.all()) engine_->RaiseLastPackNumber(request->through);
  VARVE_RETURN_IF_ERROR(exemplars_.Load());
  return metadata_.Load();
}

Result<SeriesOrdinal> MetricStoreImpl::InternSeries(TenantId tenant, const PackedLabels& labels, uint64_t series_max) {
  const std::string name = engine_->streams_.TenantName(tenant);
  const int32_t today = DayOf(engine_->options_.clock->NowNs() / kNsPerMs);
  return series_.Intern(tenant, name, labels, series_max, today,
                        [&](std::string_view canonical, uint64_t fingerprint) {
                          return engine_->stores_.meta->PutSeries({.tenant = name,
                                                                   .canonical = std::string(canonical),
                                                                   .fingerprint = fingerprint});
                        });
}

int64_t MetricStoreImpl::RetentionBeginMs(TenantId tenant) const {
  const int64_t period_ns = RetentionPolicyOf(engine_->options_)->BasePeriodNs(engine_->streams_.TenantName(tenant));
  const int64_t begin_ns = RetentionPolicy::BeginNs(period_ns, engine_->options_.clock->NowNs());
  return begin_ns == std::numeric_limits<int64_t>::min() ? begin_ns : begin_ns / kNsPerMs;
}

int64_t MetricStoreImpl::PeriodNs(const CatalogPack& pack, const RetentionPolicy& policy) const {
  const Result<std::shared_ptr<const MetricPackIndex>> index = packs_.Index(pack.id);
  if (!index.ok()) return 0;  // damaged: the query that needs it will say
  int64_t longest_ns = 0;
  for (const std::string& tenant : (*index)->directory.tenants) {
    const int64_t period_ns = policy.BasePeriodNs(tenant);
    if (period_ns <= 0) return 0;
    longest_ns = std::max(longest_ns, period_ns);
  }
  return longest_ns;
}

Result<std::vector<PackedLabels>> MetricStoreImpl::SelectSeries(TenantId tenant, const std::vector<Matcher>& matchers,
                                                                MetricRange range, size_t limit) const {
  VARVE_ASSIGN_OR_RETURN(const MetricSelection selection, SelectListed(tenant, matchers, range));
  std::vector<PackedLabels> out;
  for (const MetricSelection::Series& series : selection.series) {
    if (limit != 0 && out.size() == limit) break;
    out.push_back(series_.LabelsOf(series.ordinal));
  }
  return out;
}

Result<std::vector<std::string>> MetricStoreImpl::LabelNames(TenantId tenant, const std::vector<Matcher>& matchers,
                                                             MetricRange range) const {
  VARVE_ASSIGN_OR_RETURN(const MetricSelection selection, SelectListed(tenant, matchers, range));
  std::set<std::string, std::less<>> names;
  for (const MetricSelection::Series& series : selection.series) {
    const PackedLabels labels = series_.LabelsOf(series.ordinal);
    for (const LabelView& label : labels) {
      if (!names.contains(label.name)) names.emplace(label.name);
    }
  }
  return std::vector<std::string>(names.begin(), names.end());
}

Result<std::vector<std::string>> MetricStoreImpl::LabelValues(TenantId tenant, std::string_view name,
                                                              const std::vector<Matcher>& matchers,
                                                              MetricRange range) const {
  VARVE_ASSIGN_OR_RETURN(const MetricSelection selection, SelectListed(tenant, matchers, range));
  std::set<std::string, std::less<>> values;
  for (const MetricSelection::Series& series : selection.series) {
    const PackedLabels labels = series_.LabelsOf(series.ordinal);
    const std::string_view value = labels.Get(name);
    if (!value.empty() && !values.contains(value)) values.emplace(value);
  }
  return std::vector<std::string>(values.begin(), values.end());
}

Result<std::vector<ExemplarSeries>> MetricStoreImpl::Exemplars(TenantId tenant,
                                                               const std::vector<std::vector<Matcher>>& selectors,
                                                               MetricRange range) const {
  // A series may have exemplars and no samples; so whatever matches is asked for.
  std::vector<SeriesOrdinal> series;
  std::set<SeriesOrdinal> seen;
  for (const std::vector<Matcher>& matchers : selectors) {
    for (const SeriesOrdinal ordinal : series_.Select(tenant, matchers, DayRange{})) {
      if (seen.insert(ordinal).second) series.push_back(ordinal);
    }
  }
  range.min_ms = std::max(range.min_ms, RetentionBeginMs(tenant));
  std::vector<ExemplarSeries> found = exemplars_.Select(series, range);
  std::sort(found.begin(), found.end(),
            [](const ExemplarSeries& a, const ExemplarSeries& b) { return a.series < b.series; });
  return found;
}

std::vector<MetricMetadata> MetricStoreImpl::Metadata(TenantId tenant, std::string_view metric) const {
  return metadata_.Select(engine_->streams_.TenantName(tenant), metric);
}

CardinalityReport MetricStoreImpl::Cardinality(TenantId tenant, size_t limit) const {
  CardinalityReport report = series_.Cardinality(tenant, limit);
  report.min_ms = INT64_MAX;
  report.max_ms = INT64_MIN;
  for (const auto& shard : shards_) {
    const ReaderLock lock(shard->mu);
    const auto widen = [&report](MetricRange span) {
      report.min_ms = std::min(report.min_ms, span.min_ms);
      report.max_ms = std::max(report.max_ms, span.max_ms);
    };
    widen(shard->active->span());
    report.chunks += shard->active->series_count();
    if (shard->sealed != nullptr) {
      widen(shard->sealed->span());
      report.chunks += shard->sealed->series_count();
    }
    for (const CatalogPackPtr& pack : *shard->catalog) {
      widen({.min_ms = MsOfPackTime(pack->summary.min_ts_ns), .max_ms = MsOfPackTime(pack->summary.max_ts_ns)});
      report.chunks += pack->summary.stream_count;
    }
  }
  if (report.min_ms > report.max_ms) report.min_ms = report.max_ms = 0;
  return report;
}

MetricStoreStats MetricStoreImpl::Stats() const {
  const auto load = [](const std::atomic<uint64_t>& counter) { return counter.load(std::memory_order_relaxed); };
  MetricStoreStats stats;
  stats.series = series_.size();
  stats.series_table_bytes = series_.MemoryBytes();
  stats.appended_samples = load(counters_.samples);
  stats.appended_histograms = load(counters_.histograms);
  stats.appended_exemplars = load(counters_.exemplars);
  stats.out_of_order_samples = load(counters_.out_of_order);
  stats.refused_conflict = load(counters_.conflict);
  stats.refused_too_old = load(counters_.too_old);
  for (const auto& shard : shards_) {
    const ReaderLock lock(shard->mu);
    for (const MetricHead* head : {static_cast<const MetricHead*>(shard->active.get()), shard->sealed.get()}) {
      if (head == nullptr) continue;
      stats.head_series += head->series_count();
      stats.head_samples += head->sample_count();
      stats.head_bytes += static_cast<uint64_t>(head->memory_bytes());
    }
    for (const CatalogPackPtr& pack : *shard->catalog) {
      ++stats.packs;
      stats.pack_bytes += pack->summary.encoded_bytes;
      stats.pack_samples += pack->summary.row_count;
    }
  }
  return stats;
}

}  // namespace varve
