// Secrets that came by the admin API: each a file of its own in the state directory, which a
// document names as it names those of a person.
#pragma once

#include <string>

#include "target/admin/document.hpp"

namespace admin {

// The path that holds it now, for this user alone; a name that says nothing, so that another secret
// is another word of the document. The error is one line for a person.
base::Result<std::string, std::string> keep_secret(const std::string& secret,
                                                   const std::string& directory);

// Removes the files there that no word of the document names any more.
void remove_old_secrets(const Document& document, const std::string& directory);

}  // namespace admin
