// Names with wildcards, as a person writes them.
#pragma once

#include <string_view>

namespace base {

// '*' stands for any run of characters, '?' for one; everything else for itself.
bool matches_glob(std::string_view text, std::string_view glob);

}  // namespace base
