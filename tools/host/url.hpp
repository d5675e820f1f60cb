// iscsi://[user[%secret]@]host[:port]/target-name/lun as a value. The secret never appears in
// anything that is printed; where the URL has a user and no secret it is taken from
// LIBISCSI_CHAP_PASSWORD.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace host {

struct Url {
  std::string portal;  // "host:port"; an IPv6 address stays in its brackets
  std::string target_name;
  std::uint16_t lun = 0;
  std::string user;
  std::string secret;

  // The URL without user and secret.
  std::string shown() const;
};

// The error is one line that says what is wrong; it never quotes the secret.
base::Result<Url, std::string> parse_url(std::string_view text);

}  // namespace host
