#include "http/alerting_json.h"

#include "engine/base/json_writer.h"
#include "engine/base/time.h"
#include "http/legacy_api.h"

namespace varve {

void AppendLabelMapJson(std::string* out, const LabelMap& labels) {
  out->push_back('{');
  for (const auto& [name, value] : labels) {
    if (out->back() != '{') out->push_back(',');
    AppendJsonString(out, name);
    out->push_back(':');
    AppendJsonString(out, value);
  }
  out->push_back('}');
}

void AppendGoTimeJson(std::string* out, int64_t ms) {
  AppendJsonString(out, ms == 0 ? "0001-01-01T00:00:00Z" : Rfc3339NanoText(ms * kNsPerMs));
}

void AppendMilliTimeJson(std::string* out, int64_t ms) {
  const int64_t thousandths = (ms % 1000 + 1000) % 1000;
  std::string text = Rfc3339NanoText((ms - thousandths) * kNsPerMs);  // whole seconds: "…:56Z"
  text.pop_back();
  AppendJsonString(out, text + "." + std::to_string(1000 + thousandths).substr(1) + "Z");
}

}  // namespace varve
