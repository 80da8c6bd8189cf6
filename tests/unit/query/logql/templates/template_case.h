// Renders a template over one fixed row, for tables of expectations.
#pragma once

#include <string>

#include "query/logql/templates/template.h"

namespace varve::logql {

// "refused: …" when it does not parse; the error's text when it fails.
inline std::string RenderText(const std::string& text) {
  const auto parsed = Template::Parse("line", text);
  if (!parsed.ok()) return "refused: " + parsed.status().message();
  Row row;
  const Labels stream = Labels::FromUnsorted({{"csv", "a,b,c"},
                                              {"json", R"({"a":[1,2,{"b":"c"}],"n":1.5,"s":"<x>"})"},
                                              {"multi", "l1\nl2"},
                                              {"name", "Hello World"},
                                              {"num", "42"},
                                              {"path", "/api/v1/users"},
                                              {"s", "  padded  "},
                                              {"uni", "Zo\xC3\xAB \xE6\x97\xA5"}});
  row.labels.Reset(stream, {});
  row.line = "the line";
  row.ts_ns = 1'793'494'800'123'456'021;  // 2026-11-01T01:00:00.123456021Z
  std::string out;
  std::string error;
  return parsed->Execute(&row, &out, &error) ? out : error;
}

// One action.
inline std::string Render(const std::string& action) { return RenderText("{{ " + action + " }}"); }

struct TemplateCase {
  const char* action;
  const char* result;
};

}  // namespace varve::logql
