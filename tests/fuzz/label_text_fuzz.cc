// Stream labels as text: what parses is printed, and reads the same again.
#include "engine/base/check.h"
#include "ingest/label_text.h"
#include "tests/support/push_bodies.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const varve::Result<std::vector<varve::Label>> labels = varve::ParseLabelText(text);
  if (!labels.ok()) {
    VARVE_CHECK(labels.status().message().find("parse error: ") != std::string::npos);
    return 0;
  }
  for (const varve::Label& label : *labels) {
    if (!varve::IsValidLabelName(label.name)) return 0;  // a metric name with ':' comes back as a label
  }
  const varve::Result<std::vector<varve::Label>> again =
      varve::ParseLabelText(varve::testing::LabelTextOf(*labels));
  VARVE_CHECK(again.ok() && *again == *labels);
  return 0;
}
