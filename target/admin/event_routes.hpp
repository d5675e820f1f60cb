// GET /v1/events?after=N&limit=M: what has happened.
#pragma once

#include <vector>

#include "target/admin/event_ring.hpp"
#include "target/admin/inspected.hpp"

namespace admin {

// Answers with at most `limit` (1000) events that came after number `after` (0), the oldest first:
// {"events": [...], "last": number of the last event there is, "lost": how many after `after` are
// not kept any more}. Who asks again with the number of the last event that it got misses nothing
// but those.
std::vector<Route> event_routes(const EventRing& ring, const Inspected& array);

}  // namespace admin
