// The trace of PDUs: GET /v1/trace, POST /v1/trace/start {"memory": "16M", "data_bytes": 256},
// POST /v1/trace/stop, which answers with a pcapng file.
#pragma once

#include "target/admin/array_parts.hpp"

namespace admin {

std::vector<Route> trace_routes(const ArrayParts& array);

}  // namespace admin
