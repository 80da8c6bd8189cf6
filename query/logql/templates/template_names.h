// The names a template may use: Go's built-in functions and Loki's.
#pragma once

#include <string_view>

namespace varve::logql {

// Whether a function of that name exists (in Loki), supported here or not.
bool IsTemplateFunction(std::string_view name);

// if, range, with, define, block, template, end, else, break, continue.
bool IsTemplateKeyword(std::string_view name);

}  // namespace varve::logql
