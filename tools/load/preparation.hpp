// A session before its load: connected, logged in, its unit attentions told, its unit's size known.
#pragma once

#include "tools/load/login.hpp"
#include "tools/load/settings.hpp"

namespace load {

struct Unit {
  base::BlockLength block_length;
  base::BlockCount capacity;
};

struct Prepared {
  Socket socket;
  LoggedIn login;
  Unit unit;
};

// Blocking. The error is one line for a person.
base::Result<Prepared, std::string> prepare(const Settings& settings, const Isid& isid);

}  // namespace load
