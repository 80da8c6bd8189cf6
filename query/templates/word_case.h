// Texts in capitals, in small letters and as titles.
#pragma once

#include <string>
#include <string_view>

namespace varve::templates {

std::string UpperCase(std::string_view text);
std::string LowerCase(std::string_view text);
// The first letter of each word as a capital, as golang.org/x/text/cases: an apostrophe, a full stop or a
// colon between letters ends no word, nor does an underscore. `lower_rest`: the other letters become small
// ones.
std::string TitleCase(std::string_view text, bool lower_rest);

}  // namespace varve::templates
