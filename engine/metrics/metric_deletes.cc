#include "engine/metrics/metric_deletes.h"

#include <algorithm>

#include "engine/base/bytes.h"
#include "engine/engine_impl.h"
#include "engine/metrics/metric_snapshot.h"
#include "engine/metrics/metric_store_impl.h"

namespace varve {
namespace {

constexpr std::string_view kPrefix = "metric_delete/";
constexpr uint8_t kVersion = 1;

std::string KeyOf(uint64_t number) {
  std::string key(kPrefix);
  PutBigEndian64(&key, number);
  return key;
}

// Keeps of parallel columns the elements outside the range; `starts` may be empty.
template <typename T, typename TimeOf>
void KeepOutside(MetricRange range, TimeOf&& time_of, std::vector<T>* items, std::vector<int64_t>* starts) {
  size_t kept = 0;
  for (size_t i = 0; i < items->size(); ++i) {
    if (range.Contains(time_of(i))) continue;
    (*items)[kept] = (*items)[i];
    if (!starts->empty()) (*starts)[kept] = (*starts)[i];
    ++kept;
  }
  items->resize(kept);
  if (!starts->empty()) starts->resize(kept);
}

}  // namespace

bool MetricDelete::TakesSeries(const PackedLabels& labels) const {
  return std::all_of(matchers.begin(), matchers.end(),
                     [&](const Matcher& matcher) { return matcher.Matches(labels.Get(matcher.name())); });
}

bool MetricDelete::Concerns(const PackSummary& pack) const {
  return pack.origin <= through && MsOfPackTime(pack.max_ts_ns) >= range.min_ms &&
         MsOfPackTime(pack.min_ts_ns) <= range.max_ms &&
         !std::binary_search(pack.deletes_applied.begin(), pack.deletes_applied.end(), number);
}

void MetricDelete::DropFrom(SeriesSamples* samples) const {
  const auto histogram_time = [&](size_t i) { return samples->histograms[i].ts_ms; };
  KeepOutside(range, histogram_time, &samples->histograms, &samples->histogram_starts_ms);
  const auto float_time = [&](size_t i) { return samples->float_ts_ms[i]; };
  KeepOutside(range, float_time, &samples->floats, &samples->float_starts_ms);
  std::erase_if(samples->float_ts_ms, [this](int64_t ts_ms) { return range.Contains(ts_ms); });
}

std::string EncodeMetricDelete(const MetricDelete& request) {
  std::string out;
  out.push_back(static_cast<char>(kVersion));
  PutVarint(&out, request.number);
  PutLengthPrefixed(&out, request.tenant_name);
  PutSignedVarint(&out, request.range.min_ms);
  PutSignedVarint(&out, request.range.max_ms);
  PutVarint(&out, request.through);
  PutVarint(&out, request.matchers.size());
  for (const Matcher& matcher : request.matchers) {
    out.push_back(static_cast<char>(matcher.op()));
    PutLengthPrefixed(&out, matcher.name());
    PutLengthPrefixed(&out, matcher.value());
  }
  return out;
}

Result<MetricDelete> DecodeMetricDelete(std::string_view bytes) {
  ByteReader reader(bytes);
  MetricDelete request;
  const auto version = reader.Fixed<uint8_t>();
  if (reader.ok() && version != kVersion) return Corruption("a delete request of metrics of an unknown version");
  request.number = reader.Varint();
  request.tenant_name = reader.LengthPrefixed();
  request.range.min_ms = reader.SignedVarint();
  request.range.max_ms = reader.SignedVarint();
  request.through = reader.Varint();
  for (uint64_t count = reader.Varint(); count != 0 && reader.ok(); --count) {
    const auto op = reader.Fixed<uint8_t>();
    const std::string name(reader.LengthPrefixed());
    const std::string value(reader.LengthPrefixed());
    if (!reader.ok() || op > static_cast<uint8_t>(MatchOp::kRegexNotMatch)) break;
    VARVE_ASSIGN_OR_RETURN(Matcher matcher, Matcher::Create(name, static_cast<MatchOp>(op), value));
    request.matchers.push_back(std::move(matcher));
    if (count == 1) break;
  }
  if (!reader.AtEnd()) return Corruption("hot database: a delete request of metrics is malformed");
  return request;
}

Status MetricDeleteLedger::Load(const std::function<Result<TenantId>(std::string_view)>& tenant_of) {
  auto live = std::make_shared<MetricDeletes>();
  VARVE_RETURN_IF_ERROR(meta_->ForEachRecord(kPrefix, [&](std::string_view, std::string_view value) -> Status {
    VARVE_ASSIGN_OR_RETURN(MetricDelete request, DecodeMetricDelete(value));
    VARVE_ASSIGN_OR_RETURN(request.tenant, tenant_of(request.tenant_name));
    live->push_back(std::make_shared<const MetricDelete>(std::move(request)));
    return Status::Ok();
  }));
  const MutexLock lock(mu_);
  live_ = std::move(live);
  return Status::Ok();
}

Status MetricDeleteLedger::Add(MetricDelete request) {
  const MutexLock lock(mu_);
  VARVE_RETURN_IF_ERROR(
      meta_->WriteRecords({{.key = KeyOf(request.number), .value = EncodeMetricDelete(request)}}, {}));
  auto live = std::make_shared<MetricDeletes>(*live_);
  live->push_back(std::make_shared<const MetricDelete>(std::move(request)));
  live_ = std::move(live);
  return Status::Ok();
}

Status MetricDeleteLedger::Remove(const std::vector<uint64_t>& numbers) {
  std::vector<std::string> keys;
  for (const uint64_t number : numbers) keys.push_back(KeyOf(number));
  const MutexLock lock(mu_);
  VARVE_RETURN_IF_ERROR(meta_->WriteRecords({}, keys));
  auto live = std::make_shared<MetricDeletes>(*live_);
  std::erase_if(*live, [&](const MetricDeletePtr& one) {
    return std::find(numbers.begin(), numbers.end(), one->number) != numbers.end();
  });
  live_ = std::move(live);
  return Status::Ok();
}

std::shared_ptr<const MetricDeletes> MetricDeleteLedger::all() const {
  const MutexLock lock(mu_);
  return live_;
}

MetricDeletes MetricDeleteLedger::Live(TenantId tenant, MetricRange range) const {
  MetricDeletes out;
  const std::shared_ptr<const MetricDeletes> live = all();
  for (const MetricDeletePtr& one : *live) {
    if (one->tenant == tenant && one->range.min_ms <= range.max_ms && one->range.max_ms >= range.min_ms) {
      out.push_back(one);
    }
  }
  return out;
}

Status MetricStoreImpl::DeleteSamples(TenantId tenant, const std::vector<Matcher>& matchers, MetricRange range) {
  const uint32_t requests_max = engine_->options_.delete_requests_max;
  if (deletes_.all()->size() >= requests_max) {
    return ResourceExhausted("too many delete requests are pending (compactor.delete_requests_max: " +
                             std::to_string(requests_max) + ")");
  }
  VARVE_RETURN_IF_ERROR(engine_->Flush());
  MetricDelete request;
  request.tenant_name = engine_->streams_.TenantName(tenant);
  request.tenant = tenant;
  request.matchers = matchers;
  request.range = range;
  {
    // Whatever is in packs by now has a lower number. No merge may be committed before the request is there: its output
    // would be too new for it.
    const MutexLock lock(engine_->commit_mu_);
    request.number = engine_->last_pack_number_.fetch_add(1, std::memory_order_relaxed) + 1;
    request.through = request.number;
    VARVE_RETURN_IF_ERROR(deletes_.Add(std::move(request)));
  }
  // The journal's log carries it; a delete that was acknowledged should be as durable as a commit.
  return engine_->stores_.journal->Sync();
}

}  // namespace varve
