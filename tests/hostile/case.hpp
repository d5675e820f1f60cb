// A case of the battery: what a hostile initiator sends, and how RFC 7143 says that it ends.
//
// To add one, add a line to a table: a name, what is sent (a lambda over a fresh connection), and
// the end in words: the answers that follow what the lambda has read itself, then what becomes of
// the connection, all separated by ", ":
//
//   "Reject 04, alive"     the PDU is rejected with that reason and the session goes on
//   "Login 0203, dropped"  a login refused with that class and detail, then the end
//   "Status 02 05/24/00, alive", "Task 5, alive", "alive" (ignored), "dropped" (not a word)
//   "waiting"              no answer, and the connection stands; where no session is to be probed
//
// words_of() in client.cpp knows the words.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/hostile/client.hpp"

namespace hostile {

struct Case {
  std::string name;
  std::function<void(Client&)> send;
  std::string end;
};
using Cases = std::vector<Case>;

// Each in the file of its name.
Cases stream_cases();   // what is no PDU, or not one that may come first
Cases login_cases();    // statuses, stages, keys
Cases command_cases();  // numbers, tags, CDBs, operation codes, task management
Cases data_cases();     // Data-Out
Cases text_cases();     // text, NOP, logout, discovery sessions
Cases digest_cases();
Cases join_cases();     // several connections in one session
Cases silence_cases();  // those that wait for a timeout

// How it ended, in the same words.
std::string run(const Case& one, const std::string& portal, const std::string& initiator);

}  // namespace hostile
