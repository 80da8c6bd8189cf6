#include "alerting/notify/silence_store.h"

#include <algorithm>
#include <cstdio>
#include <random>
#include <utility>

#include "alerting/notify/notify_records.h"
#include "alerting/notify/route_tree.h"

namespace varve {
namespace {

// RFC 9562, version 4.
std::string RandomUuid() {
  std::random_device random;
  const auto word = [&random] { return static_cast<uint32_t>(random()); };
  const uint32_t a = word(), b = word(), c = word(), d = word();
  char text[37];
  std::snprintf(text, sizeof(text), "%08x-%04x-4%03x-%04x-%04x%08x", a, b >> 16, b & 0xFFF, 0x8000 | (c & 0x3FFF),
                c >> 16, d);
  return text;
}

Status CheckSilence(const Silence& silence) {
  if (silence.matchers.empty()) return InvalidArgument("invalid silence: at least one matcher required");
  bool all_match_empty = true;
  for (const Matcher& matcher : silence.matchers) {
    if (matcher.name().empty()) return InvalidArgument("invalid silence: invalid label name \"\"");
    const bool positive = matcher.op() == MatchOp::kEqual || matcher.op() == MatchOp::kRegexMatch;
    all_match_empty = all_match_empty && positive && matcher.MatchesEmpty();
  }
  if (all_match_empty) {
    return InvalidArgument("invalid silence: at least one matcher must not match the empty string");
  }
  if (silence.ends_at_ms == 0) return InvalidArgument("invalid silence: invalid zero end timestamp");
  return Status::Ok();
}

bool SameMatchers(const std::vector<Matcher>& a, const std::vector<Matcher>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Matcher& x, const Matcher& y) {
    return x.name() == y.name() && x.op() == y.op() && x.value() == y.value();
  });
}

// Whether `from` can become `to` without changing what it has silenced.
bool CanUpdate(const Silence& from, const Silence& to, int64_t now_ms) {
  if (!SameMatchers(from.matchers, to.matchers)) return false;
  switch (from.StateAt(now_ms)) {
    case SilenceState::kActive:
      return from.starts_at_ms / 1000 == to.starts_at_ms / 1000 && to.ends_at_ms >= now_ms;
    case SilenceState::kPending: return to.starts_at_ms >= now_ms;
    case SilenceState::kExpired: break;
  }
  return false;
}

Silence Expired(Silence silence, int64_t now_ms) {
  if (silence.StateAt(now_ms) == SilenceState::kPending) silence.starts_at_ms = now_ms;
  silence.ends_at_ms = now_ms;
  silence.updated_at_ms = now_ms;
  return silence;
}

Status NoSuchSilence(std::string_view id) { return NotFound("silence " + std::string(id) + " not found"); }

}  // namespace

Status SilenceStore::Load() {
  return records_->ForEachRecord(kSilenceRecords, [this](std::string_view key, std::string_view value) {
    std::string tenant;
    VARVE_ASSIGN_OR_RETURN(Silence silence, DecodeSilence(key, value, &tenant));
    Put(&tenants_[tenant], std::move(silence));
    return Status::Ok();
  });
}

void SilenceStore::Put(Tenant* tenant, Silence silence) {
  Entry& entry = tenant->by_id[silence.id];
  tenant->by_version.erase(entry.version);
  entry.version = ++version_;
  tenant->by_version.emplace(entry.version, silence.id);
  entry.silence = std::move(silence);
  entry.cheap_first = entry.silence.matchers;
  std::stable_partition(entry.cheap_first.begin(), entry.cheap_first.end(), [](const Matcher& matcher) {
    return matcher.op() == MatchOp::kEqual || matcher.op() == MatchOp::kNotEqual;
  });
}

Result<std::string> SilenceStore::Set(std::string_view tenant, Silence silence, int64_t now_ms) {
  if (silence.starts_at_ms == 0) silence.starts_at_ms = now_ms;
  VARVE_RETURN_IF_ERROR(CheckSilence(silence));
  if (silence.starts_at_ms >= silence.ends_at_ms) {
    return InvalidArgument("Failed to create silence: start time must be before end time");
  }
  if (silence.ends_at_ms < now_ms) {
    return InvalidArgument("Failed to create silence: end time can't be in the past");
  }
  const size_t bytes = EncodeSilence(silence).size();
  if (bytes > kSilenceBytesMax) {
    return InvalidArgument("silence exceeded maximum size: " + std::to_string(bytes) + " bytes (limit: " +
                           std::to_string(kSilenceBytesMax) + " bytes)");
  }
  // A tenant whose silences are refused leaves nothing behind.
  const auto known = tenants_.find(tenant);
  if (known == tenants_.end() && !silence.id.empty()) return NoSuchSilence(silence.id);
  auto& of_tenant = known != tenants_.end() ? known->second : tenants_[std::string(tenant)];
  const Silence* old = nullptr;
  if (!silence.id.empty()) {
    const auto at = of_tenant.by_id.find(silence.id);
    if (at == of_tenant.by_id.end()) return NoSuchSilence(silence.id);
    old = &at->second.silence;
  }
  std::vector<Silence> changed;
  silence.updated_at_ms = now_ms;
  if (old == nullptr || !CanUpdate(*old, silence, now_ms)) {
    if (per_tenant_max_ > 0 && of_tenant.by_id.size() >= per_tenant_max_) {
      return ResourceExhausted("exceeded maximum number of silences: " + std::to_string(of_tenant.by_id.size()) +
                               " (limit: " + std::to_string(per_tenant_max_) + ")");
    }
    if (old != nullptr && old->StateAt(now_ms) != SilenceState::kExpired) changed.push_back(Expired(*old, now_ms));
    silence.id = RandomUuid();
    silence.starts_at_ms = std::max(silence.starts_at_ms, now_ms);
  }
  std::string id = silence.id;
  changed.push_back(std::move(silence));
  std::vector<RecordStore::Record> put;
  for (const Silence& one : changed) put.push_back({SilenceRecordKey(tenant, one.id), EncodeSilence(one)});
  VARVE_RETURN_IF_ERROR(records_->WriteRecords(put, {}));
  for (Silence& one : changed) Put(&of_tenant, std::move(one));
  return id;
}

Status SilenceStore::Expire(std::string_view tenant, std::string_view id, int64_t now_ms) {
  const auto of_tenant = tenants_.find(tenant);
  if (of_tenant == tenants_.end()) return NoSuchSilence(id);
  const auto at = of_tenant->second.by_id.find(id);
  if (at == of_tenant->second.by_id.end()) return NoSuchSilence(id);
  if (at->second.silence.StateAt(now_ms) == SilenceState::kExpired) return Status::Ok();
  Silence expired = Expired(at->second.silence, now_ms);
  VARVE_RETURN_IF_ERROR(records_->WriteRecords({{SilenceRecordKey(tenant, id), EncodeSilence(expired)}}, {}));
  Put(&of_tenant->second, std::move(expired));
  return Status::Ok();
}

Result<Silence> SilenceStore::Find(std::string_view tenant, std::string_view id) const {
  const auto of_tenant = tenants_.find(tenant);
  if (of_tenant == tenants_.end()) return NoSuchSilence(id);
  const auto at = of_tenant->second.by_id.find(id);
  if (at == of_tenant->second.by_id.end()) return NoSuchSilence(id);
  return at->second.silence;
}

std::vector<Silence> SilenceStore::List(std::string_view tenant, int64_t now_ms) const {
  std::vector<Silence> list;
  const auto of_tenant = tenants_.find(tenant);
  if (of_tenant == tenants_.end()) return list;
  for (const auto& [id, entry] : of_tenant->second.by_id) list.push_back(entry.silence);
  const auto rank = [](SilenceState state) {
    return state == SilenceState::kActive ? 0 : state == SilenceState::kPending ? 1 : 2;
  };
  std::stable_sort(list.begin(), list.end(), [&](const Silence& a, const Silence& b) {
    const SilenceState x = a.StateAt(now_ms), y = b.StateAt(now_ms);
    if (x != y) return rank(x) < rank(y);
    if (x == SilenceState::kPending) return a.starts_at_ms < b.starts_at_ms;
    return x == SilenceState::kActive ? a.ends_at_ms < b.ends_at_ms : a.ends_at_ms > b.ends_at_ms;
  });
  return list;
}

std::vector<std::string> SilenceStore::Silencing(std::string_view tenant, const LabelMap& labels, int64_t now_ms,
                                                 SilenceMatch* match) const {
  std::vector<std::string> active;
  const auto at = tenants_.find(tenant);
  if (at == tenants_.end()) return active;
  const Tenant& of_tenant = at->second;
  std::vector<std::string> matching;
  for (std::string& id : match->ids) {
    // One that has changed since is among the new ones.
    const auto entry = of_tenant.by_id.find(id);
    if (entry == of_tenant.by_id.end() || entry->second.version > match->version) continue;
    if (now_ms < entry->second.silence.ends_at_ms) matching.push_back(std::move(id));
  }
  for (auto i = of_tenant.by_version.upper_bound(match->version); i != of_tenant.by_version.end(); ++i) {
    const Entry& entry = of_tenant.by_id.find(i->second)->second;
    const Silence& silence = entry.silence;
    if (now_ms < silence.ends_at_ms && MatchesAll(entry.cheap_first, labels)) matching.push_back(silence.id);
  }
  for (const std::string& id : matching) {
    if (of_tenant.by_id.find(id)->second.silence.StateAt(now_ms) == SilenceState::kActive) active.push_back(id);
  }
  match->version = version_;
  match->ids = std::move(matching);
  return active;
}

Status SilenceStore::Sweep(int64_t now_ms) {
  std::vector<std::string> removed;
  std::vector<std::pair<Tenant*, std::string>> gone;
  for (auto& [tenant, of_tenant] : tenants_) {
    for (const auto& [id, entry] : of_tenant.by_id) {
      if (entry.silence.ends_at_ms + retention_ms_ > now_ms) continue;
      removed.push_back(SilenceRecordKey(tenant, id));
      gone.emplace_back(&of_tenant, id);
    }
  }
  if (removed.empty()) return Status::Ok();
  VARVE_RETURN_IF_ERROR(records_->WriteRecords({}, removed));
  for (const auto& [of_tenant, id] : gone) {
    const auto at = of_tenant->by_id.find(id);
    of_tenant->by_version.erase(at->second.version);
    of_tenant->by_id.erase(at);
  }
  return Status::Ok();
}

SilenceCounts SilenceStore::Counts(int64_t now_ms) const {
  SilenceCounts counts;
  for (const auto& [tenant, of_tenant] : tenants_) {
    for (const auto& [id, entry] : of_tenant.by_id) {
      const SilenceState state = entry.silence.StateAt(now_ms);
      switch (state) {
        case SilenceState::kPending: ++counts.pending; break;
        case SilenceState::kActive: ++counts.active; break;
        case SilenceState::kExpired: ++counts.expired; break;
      }
    }
  }
  return counts;
}

}  // namespace varve
