// What people call the ends of tokens: in the log and for an administrator.
#pragma once

#include <string_view>

#include "tokens/token_table.hpp"

namespace tokens {

std::string_view word_of(TokenFault fault);  // "expired"

// In the log, without the bytes of the token.
void note_creation(const scsi::RodTokenBytes& token, std::uint32_t inactivity_timeout_seconds);
void note_end(const scsi::RodTokenBytes& token, std::string_view reason);

}  // namespace tokens
