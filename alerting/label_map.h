// Labels and annotations of alerts: few, small, often changed and compared, sorted by name.
#pragma once

#include <functional>
#include <map>
#include <string>

namespace varve {

using LabelMap = std::map<std::string, std::string, std::less<>>;

}  // namespace varve
