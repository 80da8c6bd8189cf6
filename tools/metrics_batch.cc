#include "tools/metrics_batch.h"

#include <algorithm>
#include <charconv>

namespace varve {
namespace {

bool IsFamilyComment(std::string_view line) {
  return line.starts_with("# TYPE ") || line.starts_with("# HELP ") || line.starts_with("# UNIT ");
}

std::string_view FamilyName(std::string_view line) {
  line.remove_prefix(std::string_view("# TYPE ").size());
  return line.substr(0, line.find(' '));
}

// What follows the value of a sample, or "".
std::string_view TimeText(std::string_view line) {
  const size_t brace = line.rfind('}');
  std::string_view rest = brace == std::string_view::npos ? line : line.substr(brace + 1);
  if (brace == std::string_view::npos) {
    const size_t space = rest.find(' ');
    if (space == std::string_view::npos) return {};
    rest = rest.substr(space);
  }
  const auto skip = [&] { rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size())); };
  skip();
  rest.remove_prefix(std::min(rest.find_first_of(" \t"), rest.size()));
  skip();
  return rest.substr(0, rest.find_first_of(" \t"));
}

}  // namespace

MetricsFormat SniffMetricsFormat(std::string_view line) {
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  if (line.starts_with("{\"metric\"") || line.starts_with("{\"values\"") || line.starts_with("{\"timestamps\"")) {
    return MetricsFormat::kJson;
  }
  if (line.starts_with("# UNIT ") || line == "# EOF") return MetricsFormat::kOpenMetrics;
  if (line.empty() || line.starts_with('#')) return MetricsFormat::kUnknown;
  if (line.find(" # {") != std::string_view::npos) return MetricsFormat::kOpenMetrics;
  const std::string_view time = TimeText(line);
  if (time.empty()) return MetricsFormat::kUnknown;
  double number = 0;
  const auto [after, error] = std::from_chars(time.data(), time.data() + time.size(), number);
  if (error != std::errc() || after != time.data() + time.size()) return MetricsFormat::kUnknown;
  // In seconds this would be after the year 5000.
  constexpr double kMilliseconds = 1e11;
  return number < kMilliseconds ? MetricsFormat::kOpenMetrics : MetricsFormat::kPrometheus;
}

bool MetricsBatch::IsFullBefore(std::string_view line) const {
  if (lines_ == 0) return false;
  const size_t size = body_.size() + line.size() + 1;
  if (size > kBytesMax) return true;
  const bool next_family = line.starts_with('{') || (IsFamilyComment(line) && FamilyName(line) != family_name_);
  return size > kBytesWanted && next_family;
}

void MetricsBatch::Add(std::string_view line) {
  body_.append(line);
  body_.push_back('\n');
  ++lines_;
  if (!IsFamilyComment(line)) return;
  if (FamilyName(line) != family_name_) family_.clear();
  family_name_ = FamilyName(line);
  family_.append(line);
  family_.push_back('\n');
}

void MetricsBatch::Next() {
  body_ = family_;
  repeated_ = static_cast<uint64_t>(std::count(family_.begin(), family_.end(), '\n'));
  lines_before_ += lines_;
  lines_ = 0;
}

void MetricsBatch::Reset() { *this = MetricsBatch(); }

std::string MetricsBatch::InLinesOfTheFile(std::string_view text) const {
  constexpr std::string_view kLine = "line ";
  std::string out;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    const std::string_view one = text.substr(0, end);
    text.remove_prefix(end);
    uint64_t number = 0;
    if (one.starts_with(kLine)) {
      const auto after = std::from_chars(one.data() + kLine.size(), one.data() + one.size(), number).ptr;
      if (number > repeated_) {
        out += "line " + std::to_string(lines_before_ + number - repeated_);
        out.append(after, one.data() + one.size());
        continue;
      }
    }
    out.append(one);
  }
  return out;
}

}  // namespace varve
