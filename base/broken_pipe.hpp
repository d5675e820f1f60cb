// Who reads a pipe or a connection may go at any time.
#pragma once

namespace base {

// From now on writing to who has gone is an error of the write (EPIPE) and no longer the end of the
// process (SIGPIPE). For who writes by a library that does not ask for that itself, as libiscsi.
void ignore_broken_pipes();

}  // namespace base
