// A group: the alerts that one route sends together, and when it looks at them next.
//
// Threads: thread-compatible; the dispatcher's owner synchronises.
// Ownership: the dispatcher owns groups, a group its lanes.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "alerting/label_map.h"
#include "alerting/notify/delivery_lane.h"
#include "alerting/notify/notify_records.h"
#include "alerting/notify/route_tree.h"
#include "alerting/notify/stored_alert.h"

namespace varve {

struct AggregationGroup {
  GroupRecord record;  // id, tenant, group key, receiver and times
  const AlertRoute* route = nullptr;
  LabelMap labels;
  std::string map_key;  // of the dispatcher's groups
  // By fingerprint. Never empty: a group without alerts is gone.
  std::map<uint64_t, std::shared_ptr<StoredAlert>> alerts;
  std::vector<std::shared_ptr<DeliveryLane>> lanes;  // of the receiver's integrations, in their order
  std::shared_ptr<const Flush> last;  // null: not flushed since the start
  bool redo = false;  // what was flushed before a stop or a reload has to be looked at again, at once

  int64_t DueMs() const { return redo ? 0 : record.next_flush_ms; }
  bool Finished() const {
    for (const auto& lane : lanes) {
      if (!lane->Finished()) return false;
    }
    return true;
  }
};

}  // namespace varve
