#include "query/promql/eval/label_hash.h"

#include <cstdint>
#include <string>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace varve::promql {
namespace {

// Lengths below 255 in a byte, others as 255 and three bytes, low ones first.
void PutSized(std::string* out, std::string_view text) {
  const size_t size = text.size();
  if (size < 255) {
    out->push_back(static_cast<char>(size));
  } else {
    out->push_back(static_cast<char>(255));
    for (const int shift : {0, 8, 16}) out->push_back(static_cast<char>((size >> shift) & 0xff));
  }
  out->append(text);
}

}  // namespace

double LabelHashFraction(const PackedLabels& labels) {
  std::string bytes;
  for (const LabelView& label : labels) {
    PutSized(&bytes, label.name);
    PutSized(&bytes, label.value);
  }
  return static_cast<double>(XXH64(bytes.data(), bytes.size(), 0)) / static_cast<double>(UINT64_MAX);
}

}  // namespace varve::promql
