#include "http/form.h"

#include <cctype>

#include "engine/model/labels.h"

namespace varve {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool StartsWithIgnoringCase(std::string_view text, std::string_view lower_case_prefix) {
  if (text.size() < lower_case_prefix.size()) return false;
  for (size_t i = 0; i < lower_case_prefix.size(); ++i) {
    if (std::tolower(static_cast<unsigned char>(text[i])) != lower_case_prefix[i]) return false;
  }
  return true;
}

Status ParsePairs(std::string_view text, std::vector<std::pair<std::string, std::string>>* out) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.find(';') != std::string_view::npos)
      return InvalidArgument("invalid semicolon separator in query");
    if (pair.empty()) continue;
    const size_t equals = std::min(pair.find('='), pair.size());
    VARVE_ASSIGN_OR_RETURN(std::string name, PercentDecode(pair.substr(0, equals), true));
    VARVE_ASSIGN_OR_RETURN(std::string value,
                           PercentDecode(pair.substr(std::min(equals + 1, pair.size())), true));
    out->emplace_back(std::move(name), std::move(value));
  }
  return Status::Ok();
}

}  // namespace

Result<std::string> PercentDecode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '+' && plus_is_space) {
      out.push_back(' ');
    } else if (c != '%') {
      out.push_back(c);
    } else {
      const int high = i + 1 < text.size() ? HexDigit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
      if (high < 0 || low < 0) return InvalidArgument("invalid URL escape " + GoQuoted(text.substr(i, 3)));
      out.push_back(static_cast<char>(high << 4 | low));
      i += 2;
    }
  }
  return out;
}

Result<FormParams> FormParams::Parse(const HttpRequest& request) {
  FormParams params;
  const bool may_have_form = request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  if (may_have_form &&
      StartsWithIgnoringCase(request.Header("content-type"), "application/x-www-form-urlencoded")) {
    VARVE_RETURN_IF_ERROR(ParsePairs(request.body, &params.values_));
  }
  VARVE_RETURN_IF_ERROR(ParsePairs(request.url_query, &params.values_));
  return params;
}

std::string_view FormParams::Get(std::string_view name) const {
  for (const auto& [key, value] : values_) {
    if (key == name) return value;
  }
  return {};
}

bool FormParams::Has(std::string_view name) const {
  for (const auto& pair : values_) {
    if (pair.first == name) return true;
  }
  return false;
}

std::vector<std::string_view> FormParams::All(std::string_view name) const {
  std::vector<std::string_view> out;
  for (const auto& [key, value] : values_) {
    if (key == name) out.emplace_back(value);
  }
  return out;
}

}  // namespace varve
