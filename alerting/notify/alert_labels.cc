#include "alerting/notify/alert_labels.h"

#include <cstdio>
#include <string_view>

#include "engine/model/labels.h"

namespace varve {
namespace {

constexpr uint64_t kFnvOffset = 14695981039346656037u;
constexpr uint64_t kFnvPrime = 1099511628211u;

void Mix(uint64_t* sum, std::string_view bytes) {
  for (const char c : bytes) *sum = (*sum ^ static_cast<uint8_t>(c)) * kFnvPrime;
  *sum = (*sum ^ 0xFF) * kFnvPrime;
}

}  // namespace

uint64_t AlertFingerprint(const LabelMap& labels) {
  uint64_t sum = kFnvOffset;
  for (const auto& [name, value] : labels) {
    Mix(&sum, name);
    Mix(&sum, value);
  }
  return sum;
}

std::string FingerprintText(uint64_t fingerprint) {
  char text[17];
  std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(fingerprint));
  return text;
}

std::string LabelSetText(const LabelMap& labels) {
  std::string text = "{";
  for (const auto& [name, value] : labels) {
    if (text.size() > 1) text += ", ";
    text += name;
    text += '=';
    AppendGoQuoted(&text, value);
  }
  text += '}';
  return text;
}

bool LabelSetBefore(const LabelMap& a, const LabelMap& b) {
  if (a.size() != b.size()) return a.size() < b.size();
  // Of equal size, so that the first difference decides: a name that the other lacks, or a value.
  for (auto x = a.begin(), y = b.begin(); x != a.end(); ++x, ++y) {
    // The least name that only one has: the set without it comes first.
    if (x->first != y->first) return x->first > y->first;
    if (x->second != y->second) return x->second < y->second;
  }
  return false;
}

bool AlertBefore(const LabelMap& a, const LabelMap& b) {
  for (const std::string_view name : {"job", "instance"}) {
    const auto x = a.find(name), y = b.find(name);
    if (x == a.end() && y == b.end()) continue;
    if (x == a.end()) return false;
    if (y == b.end()) return true;
    if (x->second != y->second) return x->second < y->second;
  }
  return LabelSetBefore(a, b);
}

}  // namespace varve
