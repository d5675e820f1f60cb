// The whole array in one process: assembled here by constructor arguments, top to bottom, so that
// it reads as the architecture.
#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"
#include "target/admin/start.hpp"

namespace admin {

class Array {
 public:
  // Opens every store, binds every portal; nothing is served yet. The error is one line for a
  // person.
  static base::Result<std::unique_ptr<Array>, std::string> open(const Start& start);
  ~Array();
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;

  // Serves until SIGTERM or SIGINT; SIGHUP reads the configuration file again. Writes the ready
  // file once logins are accepted.
  base::Result<void, std::string> run();

 private:
  Array();
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace admin
