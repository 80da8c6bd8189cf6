// A POST that is repeated while that may help.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/base/status.h"
#include "tools/api_client.h"

namespace varve {

// 429, 5xx and a broken connection are worth another try: a server that stored the body before the connection broke
// recognises it as the same. Other answers are final and returned, whatever their status. An error as long as
// `*reached_server` is false is final, too; it becomes true with the first answer.
Result<HttpAnswer> PostWithRetries(ApiClient* client, std::string_view path, std::string_view content_type,
                                   std::string_view body, uint32_t retries, bool* reached_server);

}  // namespace varve
