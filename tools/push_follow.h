// varve push --follow: files that grow, sent as they do, each line once.
//
// Everything a batch holds is decided before it is sent (which lines, their times, their labels) and can be decided the
// same way again: from the line itself, or, for lines without a time, from the state, which is written first. So a batch
// that the server took while nobody heard of it (either side was killed, the connection broke) is sent again as it was,
// and the engine keeps it once. What the server has taken is written into the state afterwards.
//
//   loop: take lines of all files → (state) → POST, again and again until it is answered → commit → state
//
// A line is sent at once when little happens, at most 20 batches a second; under load batches fill up.
#pragma once

#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/labels.h"
#include "tools/api_client.h"
#include "tools/push_line.h"

namespace varve {

struct FollowOptions {
  ServerAddress address;
  std::vector<std::string> patterns;
  Labels labels;
  LineOptions lines;
  std::string state_file;
  std::string file_name_label = "filename";  // empty = none
  bool from_end = false;                     // skip what is in the files when there is no state yet
  bool stop_at_end = false;                  // return when everything is sent
};

// Returns on SIGTERM or SIGINT, after what is in flight is answered (at most two seconds) and the state is written.
Status PushFollow(const FollowOptions& options);

}  // namespace varve
