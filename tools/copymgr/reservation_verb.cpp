// `copymgr reservation list|clear`: who holds which logical unit of a running daemon.

#include <array>

#include <fmt/format.h>

#include "tools/copymgr/change.hpp"

namespace cli {
namespace {

namespace po = boost::program_options;
using Arguments = std::vector<std::string>;

int run_list(const Arguments& arguments) {
  const Usage usage = usage_of("reservation list", "[options]",
                               "Lists the logical units with a reservation or registrations.\n",
                               "  copymgr reservation list\n");
  const auto values = parse(usage, arguments);
  if (!values) return done;
  constexpr std::array columns{host::Column{"TARGET", "target"},
                               host::Column{"LUN", "lun"},
                               host::Column{"TYPE", "type"},
                               host::Column{"HOLDER", "holder"},
                               host::Column{"REGISTERED", "registered"},
                               host::Column{"PERSISTS", "persists"}};
  return print_table(usage, *values, "/v1/reservations", "reservations", columns);
}

int run_clear(const Arguments& arguments) {
  const Usage usage = usage_of(
      "reservation clear", "[TARGET/]LUN [options]",
      "Takes every reservation and registration from a logical unit, as CLEAR does: for those\n"
      "that a host left which does not come back. A cluster that lives may lose its disk.\n",
      "  copymgr reservation clear iqn.2026-11.io.copymgr:demo/0\n");
  const auto values = parse(usage, arguments);
  if (!values) return done;
  Arguments left = words_of(*values);
  const auto unit = take_unit(socket_of(*values), left);
  if (!unit) return complain(usage.verb, unit.error()), failed;
  const auto answer =
      host::ask_admin(socket_of(*values), {unit->resource() + "/reservations/clear", "{}"});
  if (!answer) return complain(usage.verb, answer.error()), failed;
  if (values->count("json") != 0) fmt::print("{}\n", *answer);
  return done;
}

constexpr std::array verbs{
    Verb{"list", "who holds what", run_list},
    Verb{"clear", "take all of them from one unit", run_clear},
};

}  // namespace

int run_reservation(const Arguments& arguments) {
  return dispatch("reservation", verbs, arguments);
}

}  // namespace cli
