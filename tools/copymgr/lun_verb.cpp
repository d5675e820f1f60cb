// `copymgr lun`: the logical units of a running daemon.

#include <array>

#include <fmt/format.h>

#include "tools/copymgr/change.hpp"

namespace cli {
namespace {

namespace po = boost::program_options;
using Arguments = std::vector<std::string>;

void nothing_left(const Arguments& left) {
  if (!left.empty()) throw UsageError{fmt::format("what is '{}'?", left.front())};
}

// KEY=VALUE, as behind --lun; "KEY=" takes the setting away.
void add_setting(const std::string& word, Json& options) {
  const std::size_t equals = word.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw UsageError{fmt::format("'{}' is not KEY=VALUE", word)};
  }
  const std::string value = word.substr(equals + 1);
  options[word.substr(0, equals)] = value.empty() ? Json() : Json(value);
}

// The options of a LUN that are options of the command line too.
constexpr std::array option_names{"size",        "blocksize", "physical", "thin",
                                  "provisioned", "exhausted", "readonly", "protection"};
void add_lun_options(po::options_description& options) {
  const auto text = [](const char* name) { return po::value<std::string>()->value_name(name); };
  options.add_options()("size", text("SIZE"),
                        "of a file: 10G, 512M; made sparse if it is not there")(
      "blocksize", text("BYTES"), "512 or 4096")("physical", text("BYTES"), "512 or 4096")(
      "thin", text("on|off"), "off: all room is reserved at once")(
      "provisioned", text("SIZE"), "what a thin LUN may use")("exhausted", text("fail|wait"),
                                                              "what a full one answers")(
      "readonly", text("on|off"), "write protected")("protection", text("1|2|3"),
                                                     "T10 protection information of that type");
}

int run_create(const Arguments& arguments) {
  Usage usage = usage_of(
      "lun create", "[TARGET[/LUN]] BACKING [KEY=VALUE]... [options]",
      "Makes a logical unit and shows it to hosts at once: they are told that the LUNs have\n"
      "changed. BACKING is file:PATH, block:PATH, memory:SIZE or null:SIZE; without a number the\n"
      "next that is free; without a target the only one. KEY=VALUE as behind copymgrd --lun.\n",
      "  copymgr lun create file:/srv/a.img --size 10G\n"
      "  copymgr lun create iqn.2026-11.io.copymgr:demo/7 block:/dev/sdb --blocksize 4096\n"
      "  copymgr lun create memory:1G maximum-tokens=100\n");
  add_lun_options(usage.options);
  const auto values = parse(usage, arguments);
  if (!values) return done;
  Arguments left = words_of(*values);
  const host::AdminAddress socket = socket_of(*values);
  Json body = Json::object();
  std::string named;
  if (!left.empty() && is_target_name(left.front())) {
    const std::size_t slash = left.front().rfind('/');
    named = left.front().substr(0, slash);
    if (slash != std::string::npos) {
      const std::string number = left.front().substr(slash + 1);
      body["number"] = Json::parse(number, nullptr, false);
      if (!body["number"].is_number_unsigned()) throw UsageError{number + " is not a LUN"};
    }
    left.erase(left.begin());
  }
  if (left.empty()) throw UsageError{"no BACKING given"};
  body["backing"] = absolute_backing(left.front());
  Json options = Json::object();
  for (std::size_t i = 1; i < left.size(); ++i)
    add_setting(left[i], options);
  for (const char* const name : option_names) {
    if (values->count(name) != 0) options[name] = (*values)[name].as<std::string>();
  }
  body["options"] = std::move(options);
  const auto target = target_named(socket, named);
  if (!target) return complain(usage.verb, target.error()), failed;
  return make_change(usage, *values, {resource_of(*target) + "/luns", body.dump()});
}

int run_list(const Arguments& arguments) {
  const Usage usage = usage_of("lun list", "[options]", "Lists the logical units of all targets.\n",
                               "  copymgr lun list\n  copymgr lun list --json\n");
  const auto values = parse(usage, arguments);
  if (!values) return done;
  constexpr std::array columns{host::Column{"TARGET", "target"},
                               host::Column{"LUN", "lun"},
                               host::Column{"SIZE", "size_bytes", host::Shown::bytes},
                               host::Column{"BLOCK", "block_bytes"},
                               host::Column{"READ-ONLY", "read_only"},
                               host::Column{"BACKING", "backing"}};
  return print_table(usage, *values, "/v1/luns", "luns", columns);
}

int run_show(const Arguments& arguments) {
  const Usage usage = usage_of("lun show", "[TARGET/]LUN [options]", "Tells of one logical unit.\n",
                               "  copymgr lun show 0\n"
                               "  copymgr lun show iqn.2026-11.io.copymgr:demo/0 --json\n");
  const auto values = parse(usage, arguments);
  if (!values) return done;
  Arguments left = words_of(*values);
  const auto unit = take_unit(socket_of(*values), left);
  if (!unit) return complain(usage.verb, unit.error()), failed;
  nothing_left(left);
  constexpr std::array lines{host::Column{"target", "target"},
                             host::Column{"LUN", "lun"},
                             host::Column{"backing", "backing"},
                             host::Column{"size", "size_bytes", host::Shown::bytes},
                             host::Column{"used", "used_bytes", host::Shown::bytes},
                             host::Column{"block bytes", "block_bytes"},
                             host::Column{"thin", "thin"},
                             host::Column{"read-only", "read_only"},
                             host::Column{"serial", "serial"},
                             host::Column{"options", "options"},
                             host::Column{"reads", "reads"},
                             host::Column{"writes", "writes"},
                             host::Column{"read", "bytes_read", host::Shown::bytes},
                             host::Column{"written", "bytes_written", host::Shown::bytes},
                             host::Column{"points in time", "snapshots_live"}};
  return print_table(usage, *values, unit->resource(), "", lines);
}

int run_resize(const Arguments& arguments) {
  Usage usage = usage_of(
      "lun resize", "[TARGET/]LUN SIZE [options]",
      "Makes a logical unit SIZE long (bytes, or 512K, 256M, 10G, 1T) while hosts use it; they "
      "are\n"
      "told to read its capacity again. Its file or memory grows with it; a block device only has\n"
      "what it has, looked at anew. Shrinking cuts off what lies behind SIZE for good, and "
      "cancels\n"
      "the tokens that stand for any of it: it has to be asked for.\n",
      "  copymgr lun resize iqn.2026-11.io.copymgr:demo/0 20G\n"
      "  copymgr lun resize 0 512M --shrink\n");
  usage.options.add_options()("shrink", "cut off what lies behind SIZE, if it is less than now");
  const auto values = parse(usage, arguments);
  if (!values) return done;
  Arguments left = words_of(*values);
  const auto unit = take_unit(socket_of(*values), left);
  if (!unit) return complain(usage.verb, unit.error()), failed;
  if (left.empty()) throw UsageError{"no SIZE given"};
  const Json body{{"size", left.front()}, {"shrink", values->count("shrink") != 0}};
  left.erase(left.begin());
  nothing_left(left);
  return make_change(usage, *values, {unit->resource() + "/size", body.dump()});
}

int run_set(const Arguments& arguments) {
  const Usage usage = usage_of(
      "lun set", "[TARGET/]LUN KEY=VALUE... [options]",
      "Changes settings of a logical unit, under the names that they have behind copymgrd --lun;\n"
      "KEY= takes one back. What cannot change while the unit is served is refused. Limits of "
      "copies\n"
      "hold at once, for sessions that are there too; a warning names those that Windows reads "
      "only\n"
      "when it starts a disk.\n",
      "  copymgr lun set 0 provisioned=20G exhausted=wait\n"
      "  copymgr lun set iqn.2026-11.io.copymgr:demo/0 maximum-tokens=50\n"
      "  copymgr lun set 0 maximum-token-transfer-size=64M\n");
  const auto values = parse(usage, arguments);
  if (!values) return done;
  Arguments left = words_of(*values);
  const auto unit = take_unit(socket_of(*values), left);
  if (!unit) return complain(usage.verb, unit.error()), failed;
  if (left.empty()) throw UsageError{"no KEY=VALUE given"};
  Json options = Json::object();
  for (const std::string& word : left)
    add_setting(word, options);
  return make_change(usage, *values, {unit->resource(), Json{{"options", options}}.dump()});
}

int run_delete(const Arguments& arguments) {
  const Usage usage = usage_of(
      "lun delete", "[TARGET/]LUN [options]",
      "Takes a logical unit out of a target, for good. What runs on it ends, its tokens are\n"
      "cancelled, its reservations forgotten, initiators are told to look again. Its file or\n"
      "device is closed and stays as it is.\n",
      "  copymgr lun delete iqn.2026-11.io.copymgr:demo/1\n");
  const auto values = parse(usage, arguments);
  if (!values) return done;
  Arguments left = words_of(*values);
  const auto unit = take_unit(socket_of(*values), left);
  if (!unit) return complain(usage.verb, unit.error()), failed;
  nothing_left(left);
  return make_change(usage, *values, {unit->resource(), {}, true});
}

int clone(const Usage& usage, const Arguments& arguments, bool readonly) {
  const auto values = parse(usage, arguments);
  if (!values) return done;
  Arguments left = words_of(*values);
  const auto unit = take_unit(socket_of(*values), left);
  if (!unit) return complain(usage.verb, unit.error()), failed;
  if (left.empty()) throw UsageError{"no PATH given"};
  const std::string path =
      left.front().starts_with("file:") ? left.front().substr(5) : left.front();
  Json body{{"path", absolute_backing("file:" + path).substr(5)}, {"readonly", readonly}};
  if (values->count("lun") != 0) body["number"] = (*values)["lun"].as<unsigned>();
  left.erase(left.begin());
  nothing_left(left);
  return make_change(usage, *values, {unit->resource() + "/clone", body.dump()});
}

int run_clone(const Arguments& arguments) {
  Usage usage = usage_of("lun clone", "[TARGET/]LUN PATH [options]",
                         "Makes a further logical unit of what one holds at this moment, in a new\n"
                         "file; hosts go on writing. Blocks are shared where the file system can "
                         "(XFS,\n"
                         "Btrfs), else copied.\n",
                         "  copymgr lun clone 0 /srv/b.img\n");
  usage.options.add_options()("lun", po::value<unsigned>()->value_name("N"),
                              "the number that it gets; default: the next that is free");
  return clone(usage, arguments, false);
}

int run_snapshot(const Arguments& arguments) {
  Usage usage =
      usage_of("lun snapshot", "[TARGET/]LUN PATH [options]", "A clone that hosts can only read.\n",
               "  copymgr lun snapshot 0 /srv/monday.img\n");
  usage.options.add_options()("lun", po::value<unsigned>()->value_name("N"),
                              "the number that it gets; default: the next that is free");
  return clone(usage, arguments, true);
}

constexpr std::array verbs{
    Verb{"create", "make one and show it to hosts", run_create},
    Verb{"list", "all of them", run_list},
    Verb{"show", "one of them", run_show},
    Verb{"resize", "make one longer or shorter", run_resize},
    Verb{"set", "change settings of one", run_set},
    Verb{"snapshot", "what one holds now, to be read as a further one", run_snapshot},
    Verb{"clone", "what one holds now, as a further one", run_clone},
    Verb{"delete", "take one out", run_delete},
    Verb{"provisioning", "what one uses and may use of its medium", run_lun_provisioning},
};

}  // namespace

int run_lun(const std::vector<std::string>& arguments) {
  return dispatch("lun", verbs, arguments);
}

}  // namespace cli
