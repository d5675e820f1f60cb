// The routes of ROD tokens, /v1/tokens...
//
// A token is named by its hash (some of its first digits, at least 4, if they say which) or, behind
// "0x", by its identifier. Nowhere does its answer hold the bytes of a token: they are a
// capability.
#pragma once

#include "target/admin/inspected.hpp"

namespace admin {

// GET /v1/tokens?target=NAME&lun=N&dead=1&sort=age|left|bytes|side|uses&limit=N
//   The living ones (dead=1: also those that are remembered), the oldest first.
// GET /v1/tokens/{token}
// POST /v1/tokens/{token}/expire, /revoke, /delete
//   At once; a use that runs goes on to its end. 409 when it is dead already.
// POST /v1/tokens/lookup   {"token": 1024 hexadecimal digits}: what becomes of who shows it
std::vector<Route> token_routes(const Inspected& array);

}  // namespace admin
