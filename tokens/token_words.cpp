#include "tokens/token_words.hpp"

#include <fmt/format.h>

#include "base/log.hpp"
#include "scsi/rod_token.hpp"

namespace tokens {

std::string_view word_of(TokenFault fault) {
  switch (fault) {
    case TokenFault::unsupported_type:
      return "type not supported";
    case TokenFault::remote:
    case TokenFault::creator_unreachable:
      return "of another target device";
    case TokenFault::unknown:
      return "unknown";
    case TokenFault::corrupt:
      return "corrupt";
    case TokenFault::revoked:
      return "revoked";
    case TokenFault::expired:
      return "expired";
    case TokenFault::cancelled:
      return "cancelled";
    case TokenFault::deleted:
      return "deleted";
    case TokenFault::invalid_length:
      return "invalid length";
  }
  return "unknown";
}

void note_creation(const scsi::RodTokenBytes& token, std::uint32_t inactivity_timeout_seconds) {
  if (!base::log::wanted(base::log::Level::debug)) return;
  const std::string hash = scsi::hash_of(token);
  base::log::event(base::log::Level::debug, "token.created",
                   {{"token", hash}, {"inactivity_timeout_seconds", inactivity_timeout_seconds}},
                   fmt::format("token {} is created", hash));
}

void note_end(const scsi::RodTokenBytes& token, std::string_view reason) {
  if (!base::log::wanted(base::log::Level::debug)) return;
  const std::string hash = scsi::hash_of(token);
  base::log::event(base::log::Level::debug, "token.ended", {{"token", hash}, {"reason", reason}},
                   fmt::format("token {} is {}", hash, reason));
}

}  // namespace tokens
