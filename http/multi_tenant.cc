#include "http/multi_tenant.h"

#include <algorithm>

#include "http/tenant.h"

namespace varve {
namespace {

Status ReadOnly() { return InternalError("several tenants at once are only read"); }

Labels WithTenant(const Labels& labels, const std::string& tenant) {
  std::vector<Label> all;
  all.reserve(labels.size() + 1);
  for (const Label& label : labels) {
    all.push_back({label.name == kTenantLabel ? std::string(kOriginalTenantLabel) : label.name, label.value});
  }
  all.push_back({std::string(kTenantLabel), tenant});
  return Labels::FromUnsorted(std::move(all));
}

// The snapshots of several tenants as one: their streams sorted together, their sources one after the other.
class MultiTenantSnapshot final : public LogSnapshot {
 public:
  struct Part {
    std::string tenant;
    std::unique_ptr<const LogSnapshot> snapshot;
    uint32_t source_begin = 0;
  };

  explicit MultiTenantSnapshot(std::vector<Part> parts) : parts_(std::move(parts)) {
    for (size_t p = 0; p < parts_.size(); ++p) {
      Part& part = parts_[p];
      part.source_begin = source_count_;
      source_count_ += part.snapshot->source_count();
      for (uint32_t s = 0; s < part.snapshot->streams().size(); ++s) {
        const SelectedStream& stream = part.snapshot->streams()[s];
        origins_.push_back({WithTenant(*stream.labels, part.tenant), p, s});
      }
    }
    std::sort(origins_.begin(), origins_.end(),
              [](const Origin& a, const Origin& b) { return a.labels < b.labels; });
    AddStreams();
  }

  const std::vector<SelectedStream>& streams() const override { return streams_; }
  const std::vector<LogSlice>& slices() const override { return slices_; }
  uint32_t source_count() const override { return source_count_; }
  std::string SourceName(uint32_t source) const override {
    const Part& part = PartOf(source);
    return part.snapshot->SourceName(source - part.source_begin);
  }
  uint64_t SourceBytesOnDisk(uint32_t source) const override {
    const Part& part = PartOf(source);
    return part.snapshot->SourceBytesOnDisk(source - part.source_begin);
  }
  Result<std::shared_ptr<const LogColumns>> Load(uint32_t source, ColumnMask want,
                                                 MemoryBudget* budget) const override {
    const Part& part = PartOf(source);
    return part.snapshot->Load(source - part.source_begin, want, budget);
  }
  Status DropHidden(const LogSlice& slice, MemoryBudget* budget, std::vector<uint32_t>* rows) const override {
    if (!slice.may_hide()) return Status::Ok();
    const Part& part = PartOf(slice.source);
    LogSlice own = slice;
    own.stream = origins_[slice.stream].stream;
    own.source = slice.source - part.source_begin;
    own.older_overlapping.clear();
    return part.snapshot->DropHidden(own, budget, rows);
  }

 private:
  struct Origin {
    Labels labels;
    size_t part = 0;
    uint32_t stream = 0;  // in the part's snapshot
  };

  const Part& PartOf(uint32_t source) const {
    const auto after = std::upper_bound(parts_.begin(), parts_.end(), source,
                                        [](uint32_t s, const Part& part) { return s < part.source_begin; });
    return *(after - 1);
  }

  void AddStreams() {
    // Where each stream's slices begin in its part: they stand together.
    std::vector<std::vector<std::pair<uint32_t, uint32_t>>> groups;  // by part and stream: first, count
    for (const Part& part : parts_) {
      auto& of_part = groups.emplace_back(part.snapshot->streams().size());
      const std::vector<LogSlice>& slices = part.snapshot->slices();
      for (uint32_t i = 0; i < slices.size(); ++i) {
        auto& [first, count] = of_part[slices[i].stream];
        if (count++ == 0) first = i;
      }
    }
    for (uint32_t s = 0; s < origins_.size(); ++s) {
      const Origin& origin = origins_[s];
      const Part& part = parts_[origin.part];
      streams_.push_back({part.snapshot->streams()[origin.stream].ordinal, &origin.labels});
      const auto [first, count] = groups[origin.part][origin.stream];
      const auto begin = static_cast<uint32_t>(slices_.size());
      for (uint32_t i = first; i < first + count; ++i) {
        LogSlice& slice = slices_.emplace_back(part.snapshot->slices()[i]);
        slice.stream = s;
        slice.source += part.source_begin;
        for (uint32_t& older : slice.older_overlapping) older = older - first + begin;
      }
    }
  }

  std::vector<Part> parts_;
  uint32_t source_count_ = 0;
  std::vector<Origin> origins_;  // beside streams_
  std::vector<SelectedStream> streams_;
  std::vector<LogSlice> slices_;
};

}  // namespace

Result<std::vector<std::string>> SplitTenants(std::string_view names) {
  std::vector<std::string> tenants;
  while (true) {
    const size_t bar = std::min(names.find('|'), names.size());
    const std::string_view name = names.substr(0, bar);
    if (name.empty()) return InvalidArgument("no org id");
    VARVE_RETURN_IF_ERROR(ValidateTenantName(name));
    tenants.emplace_back(name);
    if (bar == names.size()) break;
    names.remove_prefix(bar + 1);
  }
  std::sort(tenants.begin(), tenants.end());
  tenants.erase(std::unique(tenants.begin(), tenants.end()), tenants.end());
  if (tenants.size() > kTenantsMax) {
    return InvalidArgument("too many tenant IDs present. max: " + std::to_string(kTenantsMax) +
                           " actual: " + std::to_string(tenants.size()));
  }
  return tenants;
}

MultiTenantEngine::MultiTenantEngine(Engine* engine, std::vector<std::string> tenants) : engine_(engine) {
  for (std::string& name : tenants) {
    const Result<TenantId> id = engine->FindTenant(name);
    if (id.ok()) tenants_.push_back({std::move(name), *id});
  }
}

Result<MultiTenantEngine::Selection> MultiTenantEngine::Select(const std::vector<Matcher>& matchers) const {
  Selection selection;
  for (const Tenant& tenant : tenants_) selection.tenants.push_back(&tenant);
  for (const Matcher& matcher : matchers) {
    if (matcher.name() == kTenantLabel) {
      std::erase_if(selection.tenants, [&](const Tenant* tenant) { return !matcher.Matches(tenant->name); });
    } else if (matcher.name() == kOriginalTenantLabel) {
      VARVE_ASSIGN_OR_RETURN(Matcher own,
                             Matcher::Create(std::string(kTenantLabel), matcher.op(), matcher.value()));
      selection.matchers.push_back(std::move(own));
    } else {
      selection.matchers.push_back(matcher);
    }
  }
  return selection;
}

Result<std::unique_ptr<const LogSnapshot>> MultiTenantEngine::SnapshotLogs(
    TenantId /*tenant*/, const std::vector<Matcher>& matchers, TimeRange range) const {
  VARVE_ASSIGN_OR_RETURN(const Selection selection, Select(matchers));
  std::vector<MultiTenantSnapshot::Part> parts;
  for (const Tenant* tenant : selection.tenants) {
    MultiTenantSnapshot::Part& part = parts.emplace_back();
    part.tenant = tenant->name;
    VARVE_ASSIGN_OR_RETURN(part.snapshot, engine_->SnapshotLogs(tenant->id, selection.matchers, range));
  }
  return std::unique_ptr<const LogSnapshot>(std::make_unique<MultiTenantSnapshot>(std::move(parts)));
}

Result<std::vector<const Labels*>> MultiTenantEngine::SelectStreams(TenantId /*tenant*/,
                                                                    const std::vector<Matcher>& matchers,
                                                                    TimeRange range) const {
  VARVE_ASSIGN_OR_RETURN(const Selection selection, Select(matchers));
  std::vector<const Labels*> found;
  for (const Tenant* tenant : selection.tenants) {
    VARVE_ASSIGN_OR_RETURN(const std::vector<const Labels*> streams,
                           engine_->SelectStreams(tenant->id, selection.matchers, range));
    MutexLock lock(mu_);
    for (const Labels* labels : streams) {
      found.push_back(&labels_.emplace_back(WithTenant(*labels, tenant->name)));
    }
  }
  std::sort(found.begin(), found.end(), [](const Labels* a, const Labels* b) { return *a < *b; });
  return found;
}

Status MultiTenantEngine::Recover(const ReplayFn& /*replay*/) { return ReadOnly(); }
Result<TenantId> MultiTenantEngine::InternTenant(std::string_view /*name*/) { return ReadOnly(); }
Result<StreamOrdinal> MultiTenantEngine::InternStream(TenantId /*tenant*/, const Labels& /*labels*/) {
  return ReadOnly();
}
Status MultiTenantEngine::Append(const AppendBatch& /*batch*/, std::string_view /*record*/) {
  return ReadOnly();
}
Status MultiTenantEngine::Flush() { return ReadOnly(); }
Status MultiTenantEngine::Compact() { return ReadOnly(); }
Status MultiTenantEngine::Checkpoint(const std::string& /*directory*/) { return ReadOnly(); }
Result<DeleteRequest> MultiTenantEngine::AddDelete(std::string_view /*tenant*/, std::string_view /*query*/,
                                                   int64_t /*start_ns*/, int64_t /*end_ns*/) {
  return ReadOnly();
}
Status MultiTenantEngine::CancelDelete(std::string_view /*tenant*/, std::string_view /*id*/, bool /*force*/) {
  return ReadOnly();
}
Status MultiTenantEngine::Close() { return ReadOnly(); }

}  // namespace varve
