// What Alertmanager makes of label sets: fingerprints, text, order.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <string>

#include "alerting/label_map.h"

namespace varve {

// FNV-1a of names and values, each followed by a byte 0xff: the same number as Prometheus's and Alertmanager's.
uint64_t AlertFingerprint(const LabelMap& labels);
// 16 hex digits.
std::string FingerprintText(uint64_t fingerprint);

// `{a="b", c="d"}`, values quoted as Go quotes them.
std::string LabelSetText(const LabelMap& labels);

// Smaller sets first, then by name and value.
bool LabelSetBefore(const LabelMap& a, const LabelMap& b);
// The order of alerts within a notification: by job, instance, then as LabelSetBefore.
bool AlertBefore(const LabelMap& a, const LabelMap& b);

}  // namespace varve
