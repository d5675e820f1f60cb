// Why a TCP connection to a portal does not come about, in words: libiscsi's own message does not
// tell.
#pragma once

#include <optional>
#include <string>

namespace host {

// `portal` is "host:port". Nullopt: a connection is possible, the trouble lies elsewhere.
std::optional<std::string> why_unreachable(const std::string& portal);

}  // namespace host
