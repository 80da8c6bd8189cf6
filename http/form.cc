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

// Appends the pairs that are well-formed; the error is the first one's that is not.
Status ParsePairs(std::string_view text, std::vector<std::pair<std::string, std::string>>* out) {
  Status first_error;
  const auto keep = [&](Status error) {
    if (first_error.ok()) first_error = std::move(error);
  };
  while (!text.empty()) {
    const size_t end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.find(';') != std::string_view::npos) {
      keep(InvalidArgument("invalid semicolon separator in query"));
      continue;
    }
    if (pair.empty()) continue;
    const size_t equals = std::min(pair.find('='), pair.size());
    Result<std::string> name = PercentDecode(pair.substr(0, equals), true);
    if (!name.ok()) {
      keep(std::move(name).status());
      continue;
    }
    Result<std::string> value = PercentDecode(pair.substr(std::min(equals + 1, pair.size())), true);
    if (!value.ok()) {
      keep(std::move(value).status());
      continue;
    }
    out->emplace_back(std::move(*name), std::move(*value));
  }
  return first_error;
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

FormParams FormParams::ParseWhatCan(const HttpRequest& request, Status* error) {
  FormParams params;
  const bool may_have_form = request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  if (may_have_form &&
      StartsWithIgnoringCase(request.Header("content-type"), "application/x-www-form-urlencoded")) {
    *error = ParsePairs(request.body, &params.values_);
  }
  Status of_url = ParsePairs(request.url_query, &params.values_);
  if (error->ok()) *error = std::move(of_url);
  return params;
}

Result<FormParams> FormParams::Parse(const HttpRequest& request) {
  Status error;
  FormParams params = ParseWhatCan(request, &error);
  VARVE_RETURN_IF_ERROR(std::move(error));
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
