// Escaping by context as html/template does it: what an action gives is made harmless for the place in the
// document where it stands.
//
// The text of the template is followed while it is written, and values, once escaped, never change the place.
// Places that Go escapes and this refuses or blanks: values in a script behind a slash that may begin a
// regular expression, and values in CSS strings that hold more than plain words. Threads: one evaluation, one
// thread.
#pragma once

#include <string>
#include <string_view>

#include "query/templates/template_evaluator.h"

namespace varve::templates {

class HtmlEscaper : public OutputEscaper {
 public:
  void AppendText(std::string_view text, std::string* out) override;
  bool AppendValue(const TemplateValue& value, const TemplateNode& pipe, std::string* out,
                   std::string* error) override;

  // Whether a document may end here.
  bool in_text() const { return state_ == State::kText; }

 private:
  enum class State : uint8_t {
    kText,
    kComment,
    kRcdata,  // <title>, <textarea>
    kTag,
    kAttributeName,
    kAfterName,
    kBeforeValue,
    // The value of an attribute, up to `delimiter_`.
    kAttribute,
    kUrl,
    // In an attribute or an element.
    kScript,
    kScriptDoubleQuoted,
    kScriptSingleQuoted,
    kScriptTemplate,
    kScriptLineComment,
    kScriptBlockComment,
    kStyle,
  };
  enum class Element : uint8_t { kNone, kScript, kStyle, kTextarea, kTitle };
  enum class AttributeKind : uint8_t { kPlain, kUrl, kScript, kStyle };
  enum class UrlPart : uint8_t { kNone, kBeforeQuery, kQuery };

  // Each reads some of `text`, which is not empty, and returns how much.
  size_t Step(std::string_view text, std::string* out);
  size_t StepText(std::string_view text, std::string* out);
  size_t StepTag(std::string_view text);
  size_t StepName(std::string_view text);
  size_t StepBeforeValue(std::string_view text);
  size_t StepValue(std::string_view text);
  size_t StepElement(std::string_view text);
  void EndTag();
  void EnterValue(char delimiter);
  void FollowScript(std::string_view text);
  void FollowValue(std::string_view text);
  static AttributeKind KindOf(std::string_view name);

  State state_ = State::kText;
  Element element_ = Element::kNone;
  bool closing_ = false;  // </…>
  std::string name_;      // of the attribute being read, in lower case
  char delimiter_ = 0;    // of its value: a quote, or ' ' for none; 0 outside of values
  UrlPart url_part_ = UrlPart::kNone;
  bool slash_ = false;  // a script had a slash that may begin a regular expression
};

}  // namespace varve::templates
