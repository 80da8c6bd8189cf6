#include "query/templates/html_escaper.h"

#include <algorithm>
#include <array>
#include <utility>

#include "query/templates/go_format.h"
#include "query/templates/go_json.h"
#include "query/templates/template_text.h"
#include "query/templates/url_escape.h"

namespace varve::templates {
namespace {

using Text = std::string_view;

// What is put in place of a value that cannot be made safe; Go's word, so that it is found.
constexpr Text kUnsafe = "ZgotmplZ";

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r'; }
char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string Lowered(Text text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), Lower);
  return result;
}

bool StartsWithIgnoringCase(Text text, Text prefix) {
  return text.size() >= prefix.size() && Lowered(text.substr(0, prefix.size())) == prefix;
}

enum class HtmlPlace : uint8_t { kText, kUnquoted };

// `keep_entities`: '&' stays, for text that is HTML already.
void AppendHtml(Text text, HtmlPlace place, bool keep_entities, std::string* out) {
  const bool unquoted = place == HtmlPlace::kUnquoted;
  for (const char c : text) {
    switch (c) {
      case '\0': *out += unquoted ? "&#xfffd;" : "\xEF\xBF\xBD"; continue;
      case '"': *out += "&#34;"; continue;
      case '\'': *out += "&#39;"; continue;
      case '+': *out += "&#43;"; continue;
      case '<': *out += "&lt;"; continue;
      case '>': *out += "&gt;"; continue;
      case '&':
        if (!keep_entities) {
          *out += "&amp;";
          continue;
        }
        break;
      case '\t':
      case '\n':
      case '\v':
      case '\f':
      case '\r':
      case ' ':
      case '=':
      case '`':
        if (unquoted) {
          *out += "&#" + std::to_string(static_cast<int>(c)) + ";";
          continue;
        }
        break;
      default: break;
    }
    out->push_back(c);
  }
}

// Only schemes that cannot run anything.
bool IsSafeUrl(Text url) {
  const size_t colon = url.find(':');
  if (colon == Text::npos || url.substr(0, colon).find('/') != Text::npos) return true;
  const std::string scheme = Lowered(url.substr(0, colon));
  return scheme == "http" || scheme == "https" || scheme == "mailto";
}

// Percent-encodes. `normalize`: what is reserved in URLs, and what is encoded already, stays.
std::string EncodedUrl(Text text, bool normalize) {
  static constexpr char kHex[] = "0123456789abcdef";
  const auto is_hex = [](char c) { return IsDigit(c) || (Lower(c) >= 'a' && Lower(c) <= 'f'); };
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool encoded = c == '%' && i + 2 < text.size() && is_hex(text[i + 1]) && is_hex(text[i + 2]);
    const bool kept = IsLetter(c) || IsDigit(c) || Text("-._~").find(c) != Text::npos ||
                      (normalize && (encoded || Text("!#$&*+,/:;=?@[]").find(c) != Text::npos));
    if (kept) {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(kHex[static_cast<uint8_t>(c) >> 4]);
      out.push_back(kHex[static_cast<uint8_t>(c) & 15]);
    }
  }
  return out;
}

std::string ScriptString(Text text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    switch (c) {
      case '\t': out += "\\t"; continue;
      case '\n': out += "\\n"; continue;
      case '\f': out += "\\f"; continue;
      case '\r': out += "\\r"; continue;
      case '/': out += "\\/"; continue;
      case '\\': out += "\\\\"; continue;
      default: break;
    }
    const bool separator = text.substr(i, 3) == "\xE2\x80\xA8" || text.substr(i, 3) == "\xE2\x80\xA9";
    if (separator) {
      out += text[i + 2] == '\xA8' ? "\\u2028" : "\\u2029";
      i += 2;
    } else if (static_cast<uint8_t>(c) < ' ' || Text("\"`&'+<>").find(c) != Text::npos) {
      out += "\\u00";
      out.push_back(kHex[static_cast<uint8_t>(c) >> 4]);
      out.push_back(kHex[static_cast<uint8_t>(c) & 15]);
    } else {
      out.push_back(c);
    }
  }
  return out;
}

// As JSON, in which < > & are escaped; what could grow together with its neighbours gets spaces.
std::string ScriptValue(const TemplateValue& value) {
  std::string json;
  std::string error;
  if (!AppendGoJson(value, &json, &error)) return " null ";
  const auto joins = [](char c) { return IsLetter(c) || IsDigit(c) || c == '_' || c == '-' || c == '$'; };
  if (joins(json.front())) json.insert(0, " ");
  if (joins(json.back())) json.push_back(' ');
  return json;
}

// Words, numbers and colours.
std::string StyleValue(Text text) {
  static constexpr Text kForbidden("\0\"'()/;@[\\]`{}<>", 16);
  const auto forbidden = [](char c) { return kForbidden.find(c) != Text::npos; };
  const bool bad = std::any_of(text.begin(), text.end(), forbidden) || text.find("--") != Text::npos;
  std::string word;
  for (const char c : text) {
    if (IsLetter(c)) word.push_back(Lower(c));
  }
  const bool runs =
      word.find("expression") != std::string::npos || word.find("mozbinding") != std::string::npos;
  return bad || runs ? std::string(kUnsafe) : std::string(text);
}

// The function that a pipeline ends with: html and urlquery, by which a template escapes itself.
Text LastFunction(const TemplateNode& pipe) {
  const TemplateNode& callee = *pipe.children.back()->children[0];
  return callee.kind == NodeKind::kIdentifier ? Text(callee.text) : Text();
}

}  // namespace

HtmlEscaper::AttributeKind HtmlEscaper::KindOf(Text name) {
  static constexpr std::array<Text, 17> kUrls = {
      "action", "archive",  "background", "cite",   "classid", "codebase", "data",   "formaction", "href",
      "icon",   "longdesc", "manifest",   "poster", "profile", "src",      "srcset", "usemap"};
  if (name.starts_with("data-")) name.remove_prefix(5);
  if (const size_t colon = name.find(':'); colon != Text::npos) {
    if (name.substr(0, colon) == "xmlns") return AttributeKind::kUrl;
    name.remove_prefix(colon + 1);
  }
  if (std::find(kUrls.begin(), kUrls.end(), name) != kUrls.end()) return AttributeKind::kUrl;
  if (name == "style") return AttributeKind::kStyle;
  if (name.starts_with("on") || name == "srcdoc") return AttributeKind::kScript;
  if (name.find("src") != Text::npos || name.find("uri") != Text::npos || name.find("url") != Text::npos)
    return AttributeKind::kUrl;
  return AttributeKind::kPlain;
}

void HtmlEscaper::AppendText(Text text, std::string* out) {
  while (!text.empty()) text.remove_prefix(Step(text, out));
}

size_t HtmlEscaper::Step(Text text, std::string* out) {
  if (state_ == State::kText || state_ == State::kRcdata) return StepText(text, out);
  size_t read = 0;
  if (state_ == State::kComment) {
    const size_t end = text.find("-->");
    if (end == Text::npos) return text.size();
    state_ = State::kText;
    return end + 3;
  }
  switch (state_) {
    case State::kTag: read = StepTag(text); break;
    case State::kAttributeName:
    case State::kAfterName: read = StepName(text); break;
    case State::kBeforeValue: read = StepBeforeValue(text); break;
    default: read = delimiter_ != 0 ? StepValue(text) : StepElement(text); break;
  }
  *out += text.substr(0, read);
  return read;
}

size_t HtmlEscaper::StepText(Text text, std::string* out) {
  const size_t open = text.find('<');
  *out += text.substr(0, open);
  if (open == Text::npos) return text.size();
  const Text tag = text.substr(open);
  if (state_ == State::kRcdata) {
    const Text name = element_ == Element::kTitle ? "title" : "textarea";
    if (tag.starts_with("</") && StartsWithIgnoringCase(tag.substr(2), name)) {
      *out += tag.substr(0, 2 + name.size());
      state_ = State::kTag;
      closing_ = true;
      element_ = Element::kNone;
      return open + 2 + name.size();
    }
    *out += "&lt;";
    return open + 1;
  }
  if (tag.starts_with("<!--")) {
    state_ = State::kComment;
    return open + 4;
  }
  if (StartsWithIgnoringCase(tag, "<!doctype")) {
    out->push_back('<');
    return open + 1;
  }
  size_t end = 1;
  closing_ = tag.size() > 1 && tag[1] == '/';
  if (closing_) ++end;
  const size_t begin = end;
  if (end < tag.size() && IsLetter(tag[end])) {
    while (end < tag.size() &&
           (IsLetter(tag[end]) || IsDigit(tag[end]) || tag[end] == '-' || tag[end] == ':'))
      ++end;
  }
  if (end == begin) {
    *out += "&lt;";
    return open + 1;
  }
  const std::string name = Lowered(tag.substr(begin, end - begin));
  element_ = Element::kNone;
  if (!closing_) {
    if (name == "script") element_ = Element::kScript;
    if (name == "style") element_ = Element::kStyle;
    if (name == "textarea") element_ = Element::kTextarea;
    if (name == "title") element_ = Element::kTitle;
  }
  state_ = State::kTag;
  *out += tag.substr(0, end);
  return open + end;
}

void HtmlEscaper::EndTag() {
  slash_ = false;
  switch (element_) {
    case Element::kNone: state_ = State::kText; break;
    case Element::kScript: state_ = State::kScript; break;
    case Element::kStyle: state_ = State::kStyle; break;
    default: state_ = State::kRcdata; break;
  }
}

size_t HtmlEscaper::StepTag(Text text) {
  size_t i = 0;
  while (i < text.size() && IsSpace(text[i])) ++i;
  if (i == text.size()) return i;
  if (text[i] == '>') {
    EndTag();
    return i + 1;
  }
  name_.clear();
  state_ = State::kAttributeName;
  // What is no name (a slash, a stray quote) is one character of one.
  if (text[i] == '=' || text[i] == '"' || text[i] == '\'') {
    name_.push_back(text[i]);
    ++i;
  }
  return i;
}

size_t HtmlEscaper::StepName(Text text) {
  size_t i = 0;
  if (state_ == State::kAttributeName) {
    while (i < text.size() && !IsSpace(text[i]) && text[i] != '=' && text[i] != '>')
      name_.push_back(Lower(text[i++]));
    if (i == text.size()) return i;
    state_ = State::kAfterName;
  }
  while (i < text.size() && IsSpace(text[i])) ++i;
  if (i == text.size()) return i;
  if (text[i] == '=') {
    state_ = State::kBeforeValue;
    return i + 1;
  }
  state_ = State::kTag;
  return i;
}

void HtmlEscaper::EnterValue(char delimiter) {
  delimiter_ = delimiter;
  url_part_ = UrlPart::kNone;
  slash_ = false;
  switch (KindOf(name_)) {
    case AttributeKind::kPlain: state_ = State::kAttribute; break;
    case AttributeKind::kUrl: state_ = State::kUrl; break;
    case AttributeKind::kScript: state_ = State::kScript; break;
    case AttributeKind::kStyle: state_ = State::kStyle; break;
  }
}

size_t HtmlEscaper::StepBeforeValue(Text text) {
  size_t i = 0;
  while (i < text.size() && IsSpace(text[i])) ++i;
  if (i == text.size()) return i;
  if (text[i] == '>') {
    EndTag();
    return i + 1;
  }
  const bool quoted = text[i] == '"' || text[i] == '\'';
  EnterValue(quoted ? text[i] : ' ');
  return i + (quoted ? 1 : 0);
}

size_t HtmlEscaper::StepValue(Text text) {
  const size_t end = delimiter_ == ' ' ? text.find_first_of(" \t\n\f\r>") : text.find(delimiter_);
  FollowValue(text.substr(0, end));
  if (end == Text::npos) return text.size();
  state_ = State::kTag;
  const bool quoted = delimiter_ != ' ';
  delimiter_ = 0;
  return end + (quoted ? 1 : 0);
}

void HtmlEscaper::FollowValue(Text text) {
  if (state_ == State::kUrl) {
    if (text.find_first_of("#?") != Text::npos) {
      url_part_ = UrlPart::kQuery;
    } else if (url_part_ == UrlPart::kNone && !std::all_of(text.begin(), text.end(), IsSpace)) {
      url_part_ = UrlPart::kBeforeQuery;
    }
  } else if (state_ != State::kAttribute && state_ != State::kStyle) {
    // An entity may stand for a quote.
    slash_ = slash_ || text.find('&') != Text::npos;
    FollowScript(text);
  }
}

size_t HtmlEscaper::StepElement(Text text) {
  const Text name = element_ == Element::kStyle ? "style" : "script";
  for (size_t at = text.find("</"); at != Text::npos; at = text.find("</", at + 2)) {
    if (!StartsWithIgnoringCase(text.substr(at + 2), name)) continue;
    // StepText reads the tag.
    state_ = State::kText;
    element_ = Element::kNone;
    return at;
  }
  if (state_ != State::kStyle) FollowScript(text);
  return text.size();
}

void HtmlEscaper::FollowScript(Text text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    switch (state_) {
      case State::kScript:
        if (c == '"') state_ = State::kScriptDoubleQuoted;
        if (c == '\'') state_ = State::kScriptSingleQuoted;
        if (c == '`') state_ = State::kScriptTemplate;
        if (text.substr(i).starts_with("<!--") || text.substr(i).starts_with("-->"))
          state_ = State::kScriptLineComment;
        if (c == '/' && next == '/') state_ = State::kScriptLineComment;
        if (c == '/' && next == '*') {
          state_ = State::kScriptBlockComment;
          ++i;
        } else if (c == '/' && next != '/') {
          slash_ = true;
        }
        break;
      case State::kScriptDoubleQuoted:
      case State::kScriptSingleQuoted:
      case State::kScriptTemplate: {
        const char end = state_ == State::kScriptDoubleQuoted   ? '"'
                         : state_ == State::kScriptSingleQuoted ? '\''
                                                                : '`';
        if (c == '\\') {
          // What follows in another text cannot be told.
          if (++i == text.size()) slash_ = true;
        } else if (c == end) {
          state_ = State::kScript;
        }
        break;
      }
      case State::kScriptLineComment:
        if (c == '\n' || c == '\r') state_ = State::kScript;
        break;
      case State::kScriptBlockComment:
        if (c == '*' && next == '/') {
          state_ = State::kScript;
          ++i;
        }
        break;
      default: break;
    }
  }
}

bool HtmlEscaper::AppendValue(const TemplateValue& value, const TemplateNode& pipe, std::string* out,
                              std::string* error) {
  if (state_ == State::kTag || state_ == State::kAfterName) {
    state_ = State::kAttributeName;
    name_.clear();
  }
  if (state_ == State::kBeforeValue) EnterValue(' ');
  std::string text;
  if (value.type == ValueType::kString) {
    text = value.text;
  } else if (!value.is_nil() && !value.missing()) {
    AppendGoValue(value, &text);
  }
  const Text escaped_by = LastFunction(pipe);
  bool is_html = value.named == GoType::kHtml || escaped_by == "html";
  switch (state_) {
    case State::kText:
      if (is_html) {
        *out += text;
      } else {
        AppendHtml(text, HtmlPlace::kText, false, out);
      }
      return true;
    case State::kRcdata: AppendHtml(text, HtmlPlace::kText, is_html, out); return true;
    case State::kComment:
    case State::kScriptLineComment:
    case State::kScriptBlockComment: return true;
    case State::kAttributeName: {
      const std::string name = Lowered(text);
      const bool plain =
          !name.empty() && KindOf(name) == AttributeKind::kPlain &&
          std::all_of(name.begin(), name.end(), [](char c) { return IsLetter(c) || IsDigit(c); });
      text = plain ? name : kUnsafe;
      name_ += text;
      *out += text;
      return true;
    }
    case State::kUrl:
      if (url_part_ == UrlPart::kNone && value.named != GoType::kUrl && !IsSafeUrl(text))
        text = "#" + std::string(kUnsafe);
      if (escaped_by != "urlquery")
        text = EncodedUrl(text, url_part_ != UrlPart::kQuery || value.named == GoType::kUrl);
      is_html = false;
      break;
    case State::kScript:
    case State::kScriptDoubleQuoted:
    case State::kScriptSingleQuoted:
    case State::kScriptTemplate:
      is_html = false;
      if (state_ == State::kScriptTemplate) {
        *error = "{{" + DescribeNode(pipe) + "}} appears in a JS template literal";
        return false;
      }
      if (slash_) {
        *error = "'/' could start a division or regexp: {{" + DescribeNode(pipe) + "}} stands behind it";
        return false;
      }
      text = state_ == State::kScript ? ScriptValue(value) : ScriptString(text);
      break;
    case State::kStyle:
      is_html = false;
      text = StyleValue(text);
      break;
    default: break;
  }
  if (delimiter_ == 0) {
    *out += text;
  } else if (delimiter_ == ' ') {
    AppendHtml(text.empty() ? kUnsafe : Text(text), HtmlPlace::kUnquoted, is_html, out);
  } else {
    AppendHtml(text, HtmlPlace::kText, is_html, out);
  }
  return true;
}

}  // namespace varve::templates
