#include "engine/model/log_entry.h"

#include <algorithm>

namespace varve {

void EncodeMetadata(std::vector<MetadataPair>* pairs, std::string* out) {
  std::sort(pairs->begin(), pairs->end());
  for (const auto& [name, value] : *pairs) {
    PutLengthPrefixed(out, name);
    PutLengthPrefixed(out, value);
  }
}

}  // namespace varve
