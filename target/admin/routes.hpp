// The resources of the admin API: what can be asked of a running array, and done to it.
#pragma once

#include "target/admin/array_parts.hpp"

namespace admin {

// GET /v1   {"routes": [{"method": "GET", "path": "/v1/sessions"}, ...]}
// GET /v1/openapi.yaml: docs/openapi.yaml, which describes all of this
// GET /v1/stats
// GET /metrics: for Prometheus, as text
// GET /v1/sessions, GET /v1/sessions/{tsih}
// POST /v1/sessions/{tsih}/logout   {"grace_seconds": 10}
// /v1/configuration: configuration_routes.hpp
// /v1/targets..., /v1/portals...: target_routes.hpp
// /v1/targets/{name}/chap, /v1/reservations...: access_routes.hpp
// /v1/luns, /v1/targets/{name}/luns...: lun_routes.hpp
// /v1/targets/{name}/port-groups...: port_group_routes.hpp
// /v1/tokens...: token_routes.hpp
// /v1/copy-operations...: copy_operation_routes.hpp
// /v1/group...: group_routes.hpp
// /v1/events: event_routes.hpp
// /v1/trace...: trace_routes.hpp
// /v1/history: history.hpp
Api make_api(const ArrayParts& array);

// docs/openapi.yaml, as it is compiled in.
std::string_view openapi_text();

}  // namespace admin
