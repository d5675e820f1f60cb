// What GET /v1/sessions/{tsih} tells of a session besides what a list does: what was agreed on at
// login, what it has under way, what its commands were.
#pragma once

#include <nlohmann/json.hpp>

#include "target/admin/array_parts.hpp"

namespace admin {

// Nullopt: it has ended.
std::optional<nlohmann::json> details_of(const ArrayParts& array,
                                         const net::SessionRegistry::Entry& entry);

}  // namespace admin
