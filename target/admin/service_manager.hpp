// What a service manager is told of the daemon: sd_notify(3)'s datagrams, if it asked for them by
// NOTIFY_SOCKET. Where nobody asked, nothing happens.
#pragma once

#include <string_view>

namespace admin {

// "READY=1", "STOPPING=1" (sd_notify(3)). An abstract socket ("@name") or a path. What cannot be
// told is not: the daemon serves all the same.
void tell_service_manager(std::string_view state);

}  // namespace admin
