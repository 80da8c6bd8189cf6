#include "tools/push_batch.h"

#include <algorithm>

namespace varve {

void PushBatch::Add(std::string_view line) {
  const int64_t now_ns = clock_.NowNs();
  if (shaper_ != nullptr) shaper_->Shape(line, last_ns_, now_ns, &shaped_);
  if (shaped_.ts_ns.has_value()) {
    last_ns_ = *shaped_.ts_ns;
  } else {
    const bool continues = last_ns_ != 0 && shaper_ != nullptr && shaper_->has_times();
    last_ns_ = continues ? last_ns_ + 1 : std::max(now_ns, last_ns_ + 1);
  }
  body_.Add(labels_, last_ns_, line, shaped_.metadata);
}

}  // namespace varve
