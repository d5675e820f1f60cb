#include "tools/copymgrd/options.hpp"

#include <algorithm>
#include <array>
#include <sstream>

#include <boost/program_options.hpp>
#include <fmt/format.h>

#include "target/admin/group_keeper.hpp"
#include "target/iscsi/login.hpp"

namespace copymgrd {
namespace {

namespace po = boost::program_options;
using Ok = base::Result<void, std::string>;

// clang-format off
const po::options_description& options() {
  static const po::options_description all = [] {
    const copymgr::CopySettings copies;
    const auto number = [](auto value) { return po::value<decltype(value)>()->default_value(value); };
    const auto text = [](const char* name) { return po::value<std::string>()->value_name(name); };
    const auto size = [&](const char* value) { return text("SIZE")->default_value(value); };
    po::options_description out("Options");
    out.add_options()
        ("portal", text("ADDRESS:PORT[,OPTION]..."), "listen here; may repeat; port 0 takes a free one; default 127.0.0.1:3260; see Portals")
        ("target", text("IQN"), "a target; may repeat; the options behind it up to the next --target are its own")
        ("lun", text("N=STORE"), "of a target: logical unit N; may repeat; see Stores")
        ("chap", text("NAME:FILE[,initiator=NAME]"), "of a target: initiators must prove this account by CHAP; the secret is the file's first line; with initiator= only those with this name (* and ?) may use it; may repeat")
        ("mutual-chap", text("NAME:FILE"), "of a target: the account that it proves to initiators which ask")
        ("alias", text("TEXT"), "of a target: a name for people, told at login")
        ("allow", text("NAME"), "of a target: only initiators with this name may log in; * and ? stand for any characters and any one; may repeat")
        ("allow-from", text("NETWORK"), "of a target: only from these addresses, for example 192.0.2.0/24; may repeat")
        ("map", text("NAME=LUN:N[,...]"), "of a target: initiators with this name see logical unit N as LUN; with a map, those that match none see nothing; may repeat")
        ("portal-group", text("N[,N]..."), "of a target: reached through portals of these groups only")
        ("redirect", text("ADDRESS:PORT[,permanent]"), "of a target: logins are sent there")
        ("offline", "of a target: no login for now")
        ("discovery-chap", text("NAME:FILE"), "the same as --chap, for discovery sessions; may repeat")
        ("header-digest", text("any|none|crc32c")->default_value("any"), "of headers: what the initiator prefers, never, or no login without")
        ("data-digest", text("any|none|crc32c")->default_value("any"), "of data: the same")
        ("login-timeout", number(30u), "seconds that a login may take")
        ("nop-interval", number(15u), "seconds of silence after which an initiator is pinged; 0: never")
        ("nop-timeout", number(15u), "seconds that it then has to answer")
        ("max-connections-per-session", number(std::uint32_t{1}), "connections that one session may have (MC/S)")
        ("max-connections", number(net::ServerSettings().connections_max), "open connections; further ones are closed as they come")
        ("max-sessions", number(net::ServerSettings().sessions_max), "sessions; further ones are refused at login")
        ("state-dir", text("DIR"), "what must survive a restart, and the admin socket; default: a private directory that is removed at the end")
        ("ready-file", text("FILE"), "written with the bound ADDRESS:PORT lines when logins are accepted")
        ("workers", number(0u), "threads that serve connections; 0: one for each processor")
        ("pool-threads", number(4u), "threads for what blocks: cold reads, flushes, copies")
        ("copy", text("KEY=VALUE[,KEY=VALUE]..."), "settings of copies for all logical units; may repeat; see Copies")
        ("max-tokens", number(copies.tokens.live_tokens_max), "live tokens of the array; beyond it the least recently used is revoked")
        ("max-copies", number(copies.operations_max), "copies of the array that run at once")
        ("token-persistence", text("on|off"), "tokens of file and block LUNs survive a restart, and kill -9; default on with --state-dir, else off; docs/odx.md tells what survives what")
        ("group", text("NAME"), "the copy manager group that the array is in, as copymgr group create; see docs/arrays.md")
        ("group-secret-file", text("FILE"), "its secret is the file's first line, at least 16 bytes")
        ("group-member", text("NAME=ADDRESS:PORT[,...]"), "another member: its designator or a name, and its portals; may repeat")
        ("group-pulls", number(copymgr::PullLimits().pulls_at_once), "copies at once from one member; the others wait their turn")
        ("group-bandwidth", size("0"), "bytes a second from one member; 0: no bound")
        ("side-space", size("8G"), "room for each LUN's old data that live tokens still need; beyond it tokens are cancelled")
        ("background-copies", number(copies.background_slices_at_once),
         "copies in background that move data at once; the others wait their turn")
        ("result-lifetime", number(120u), "seconds that the result of a copy is kept for RECEIVE ROD TOKEN INFORMATION")
        ("work-budget", number(4u), "seconds after which a WRITE USING TOKEN stops early and reports how far it got")
        ("strict-nexus", "results of token commands are told only to the session that sent the command (default: to any session of that initiator)")
        ("log-level", text("LEVEL")->default_value("info"), "debug, info, warning or error")
        ("help", "this text")
        ("version", "the version");
    return out;
  }();
  return all;
}
// clang-format on

Ok take_lun(const std::string& value, admin::TargetConfiguration& target) {
  auto lun = admin::parse_lun_spec(value);
  if (!lun) return base::fail(lun.error());
  if (target.luns.emplace(lun->lun, lun->unit).second) return {};
  return base::fail(fmt::format("LUN {} of {} is given twice", lun->lun.value, target.name));
}

Ok take_chap(const std::string& option, const std::string& value,
             iscsi::Authentication& authentication) {
  auto account = admin::read_chap_account(value);
  if (!account) return base::fail(account.error());
  if (option == "mutual-chap") {
    authentication.target = std::move(*account);
  } else {
    authentication.initiators.push_back(std::move(*account));
  }
  return {};
}

Ok take_new_target(const std::string& value, admin::Configuration& configuration) {
  auto name = admin::parse_target_name(value);
  if (!name) return base::fail(name.error());
  for (const auto& other : configuration.targets) {
    if (other.name == *name) return base::fail(fmt::format("target {} is given twice", *name));
  }
  configuration.targets.push_back({*name});
  return {};
}

// Takes what `parse` makes of `value` into `place`.
template <typename T>
Ok take_parsed(base::Result<T, std::string> parsed, T& place) {
  if (!parsed) return base::fail(parsed.error());
  place = std::move(*parsed);
  return {};
}

Ok take_access(const std::string& option, const std::string& value,
               admin::TargetConfiguration& target) {
  if (option == "allow") {
    target.access.initiators.push_back(iscsi::normalized_name(value));
    return {};
  }
  if (option == "allow-from") {
    return take_parsed(net::parse_network(value), target.access.networks.emplace_back());
  }
  return take_parsed(admin::parse_lun_map(value), target.lun_maps.emplace_back());
}

Ok take_target_option(const std::string& option, const std::string& value,
                      admin::TargetConfiguration& target) {
  if (option == "lun") return take_lun(value, target);
  if (option == "chap" || option == "mutual-chap") {
    return take_chap(option, value, target.authentication);
  }
  if (option == "allow" || option == "allow-from" || option == "map") {
    return take_access(option, value, target);
  }
  if (option == "portal-group") {
    return take_parsed(admin::parse_portal_groups(value), target.portal_groups);
  }
  if (option == "redirect") {
    return take_parsed(admin::parse_redirection(value), target.redirection.emplace());
  }
  if (option == "alias") target.alias = value;
  if (option == "offline") target.online = false;
  return {};
}

bool is_of_a_target(const std::string& option) {
  constexpr std::array<std::string_view, 10> of_a_target{
      "lun",        "chap", "mutual-chap",  "alias",    "allow",
      "allow-from", "map",  "portal-group", "redirect", "offline"};
  return std::find(of_a_target.begin(), of_a_target.end(), option) != of_a_target.end();
}

Ok take_one(const std::string& option, const std::string& value,
            admin::Configuration& configuration) {
  if (option == "target") return take_new_target(value, configuration);
  if (option == "discovery-chap") {
    return take_chap(option, value, configuration.discovery_authentication);
  }
  if (!is_of_a_target(option)) return {};
  if (configuration.targets.empty()) {
    return base::fail(fmt::format("--{} needs a --target before it", option));
  }
  return take_target_option(option, value, configuration.targets.back());
}

// Options of a target count in the order in which they stand.
Ok take_targets(const po::parsed_options& parsed, admin::Configuration& configuration) {
  for (const auto& option : parsed.options) {
    const std::string value = option.value.empty() ? std::string() : option.value.front();
    if (auto ok = take_one(option.string_key, value, configuration); !ok) return ok;
  }
  if (configuration.targets.empty()) {
    return base::fail(
        std::string("nothing to serve: give at least one --target with --lun; see --help"));
  }
  for (const auto& target : configuration.targets) {
    if (auto fault = admin::fault_of(target.authentication)) return base::fail(*fault);
  }
  return {};
}

Ok take_portals(const po::parsed_options& parsed, admin::Configuration& configuration) {
  for (const auto& option : parsed.options) {
    if (option.string_key != "portal") continue;
    auto portal = admin::parse_portal(option.value.front());
    if (!portal) return base::fail(portal.error());
    configuration.portals.push_back(*portal);
  }
  if (configuration.portals.empty())
    configuration.portals.push_back({{"127.0.0.1", net::iscsi_port}});
  for (const auto& target : configuration.targets) {
    if (auto fault = admin::fault_of(target, configuration.portals)) return base::fail(*fault);
  }
  return {};
}

Ok take_size(const po::variables_map& values, const char* name, base::ByteCount& out) {
  auto size = store::parse_size(values[name].as<std::string>());
  if (!size) return base::fail(fmt::format("--{}: {}", name, size.error()));
  out = *size;
  return {};
}

Ok take_copies(const po::parsed_options& parsed, admin::Configuration& configuration) {
  std::vector<admin::CopySetting> for_all;
  for (const auto& option : parsed.options) {
    if (option.string_key != "copy") continue;
    auto settings = admin::parse_copy_settings(option.value.front());
    if (!settings) return base::fail("--copy: " + settings.error());
    for_all.insert(for_all.end(), settings->begin(), settings->end());
  }
  return admin::take_copy_settings(for_all, configuration);
}

Ok take_array_limits(const po::variables_map& values, admin::Configuration& configuration) {
  if (auto ok = take_size(values, "side-space", configuration.guard.side_bytes_max); !ok) return ok;
  copymgr::CopySettings& copies = configuration.copies;
  copies.tokens.live_tokens_max = values["max-tokens"].as<std::uint32_t>();
  copies.operations_max = values["max-copies"].as<std::uint32_t>();
  if (copies.tokens.live_tokens_max == 0 || copies.operations_max == 0) {
    return base::fail(std::string("--max-tokens and --max-copies must be at least 1"));
  }
  copies.background_slices_at_once = values["background-copies"].as<std::uint32_t>();
  if (copies.background_slices_at_once == 0) {
    return base::fail(std::string("--background-copies must be at least 1"));
  }
  copies.record_lifetime = std::chrono::seconds(values["result-lifetime"].as<unsigned>());
  copies.work_budget = std::chrono::seconds(values["work-budget"].as<unsigned>());
  copies.relaxed_nexus_matching = values.count("strict-nexus") == 0;
  return {};
}

// A private state directory ends with the daemon: nothing could be found again.
Ok take_token_persistence(const po::variables_map& values, admin::Configuration& configuration) {
  const bool can = !configuration.state_directory.empty();
  configuration.token_persistence = can;
  if (values.count("token-persistence") == 0) return {};
  const std::string& text = values["token-persistence"].as<std::string>();
  if (text != "on" && text != "off") {
    return base::fail(fmt::format("--token-persistence {}: use on or off", text));
  }
  if (text == "on" && !can) {
    return base::fail(std::string("--token-persistence on needs a --state-dir"));
  }
  configuration.token_persistence = text == "on";
  return {};
}

// Without --group: what the state directory keeps.
Ok take_group(const po::parsed_options& parsed, const po::variables_map& values,
              admin::Configuration& configuration) {
  copymgr::Group group;
  for (const auto& option : parsed.options) {
    if (option.string_key != "group-member") continue;
    auto member = copymgr::parse_group_member(option.value.front());
    if (!member) return base::fail("--group-member: " + member.error());
    group.members.push_back(std::move(*member));
  }
  if (values.count("group") == 0) {
    const bool alone = group.members.empty() && values.count("group-secret-file") == 0;
    return alone ? Ok()
                 : base::fail(std::string("--group-secret-file and --group-member need "
                                          "--group"));
  }
  if (values.count("group-secret-file") == 0) {
    return base::fail(std::string("--group needs --group-secret-file"));
  }
  auto secret = admin::read_group_secret(values["group-secret-file"].as<std::string>());
  if (!secret) return base::fail(secret.error());
  group.name = values["group"].as<std::string>();
  group.secret = std::move(*secret);
  group.limits.pulls_at_once = std::max(1u, values["group-pulls"].as<std::uint32_t>());
  if (values["group-bandwidth"].as<std::string>() != "0") {
    if (auto ok = take_size(values, "group-bandwidth", group.limits.bytes_per_second); !ok)
      return ok;
  }
  if (auto fault = copymgr::fault_of(group)) return base::fail(*fault);
  configuration.group = std::move(group);
  return {};
}

Ok take_digest(const po::variables_map& values, const std::string& option,
               iscsi::DigestPolicy& policy) {
  const std::string& text = values[option].as<std::string>();
  if (text == "any") {
    policy = iscsi::DigestPolicy::any;
  } else if (text == "none") {
    policy = iscsi::DigestPolicy::none;
  } else if (text == "crc32c") {
    policy = iscsi::DigestPolicy::crc32c;
  } else {
    return base::fail(fmt::format("--{} {}: use any, none or crc32c", option, text));
  }
  return {};
}

Ok take_connection_settings(const po::variables_map& values,
                            iscsi::ConnectionSettings& connection) {
  const auto seconds = [&](const char* option) {
    return std::chrono::seconds(values[option].as<unsigned>());
  };
  connection.login_timeout = seconds("login-timeout");
  connection.nop_interval = seconds("nop-interval");
  connection.nop_timeout = seconds("nop-timeout");
  connection.offer.max_connections = values["max-connections-per-session"].as<std::uint32_t>();
  if (connection.offer.max_connections == 0 || connection.offer.max_connections > UINT16_MAX) {
    return base::fail(std::string("--max-connections-per-session must be from 1 to 65535"));
  }
  if (auto ok = take_digest(values, "header-digest", connection.offer.header_digest); !ok)
    return ok;
  return take_digest(values, "data-digest", connection.offer.data_digest);
}

base::Result<base::log::Level, std::string> parse_log_level(const std::string& text) {
  using base::log::Level;
  if (text == "debug") return Level::debug;
  if (text == "info") return Level::info;
  if (text == "warning") return Level::warning;
  if (text == "error") return Level::error;
  return base::fail(
      fmt::format("'{}' is not a log level: use debug, info, warning or error", text));
}

bool may_repeat(const std::string& key) {
  return key == "target" || key == "portal" || key == "group-member" || key == "discovery-chap" ||
         key == "copy" || is_of_a_target(key);
}

base::Result<CommandLine, std::string> take_all(const po::parsed_options& parsed) {
  po::variables_map values;
  // The repeatable ones are read in order from `parsed`; the map would refuse a second one.
  po::parsed_options single(&options());
  for (const auto& option : parsed.options) {
    const std::string& key = option.string_key;
    if (!may_repeat(key)) single.options.push_back(option);
  }
  po::store(single, values);
  CommandLine out;
  if (values.count("help") != 0) out.wish = CommandLine::Wish::help;
  if (values.count("version") != 0) out.wish = CommandLine::Wish::version;
  if (out.wish != CommandLine::Wish::serve) return out;
  admin::Configuration& configuration = out.configuration;
  if (auto ok = take_targets(parsed, configuration); !ok) return base::fail(ok.error());
  if (auto ok = take_portals(parsed, configuration); !ok) return base::fail(ok.error());
  if (auto ok = take_array_limits(values, configuration); !ok) return base::fail(ok.error());
  if (auto ok = take_copies(parsed, configuration); !ok) return base::fail(ok.error());
  if (auto ok = take_connection_settings(values, configuration.server.connection); !ok)
    return base::fail(ok.error());
  if (values.count("state-dir") != 0)
    configuration.state_directory = values["state-dir"].as<std::string>();
  if (auto ok = take_token_persistence(values, configuration); !ok) return base::fail(ok.error());
  if (auto ok = take_group(parsed, values, configuration); !ok) return base::fail(ok.error());
  if (values.count("ready-file") != 0)
    configuration.ready_file = values["ready-file"].as<std::string>();
  configuration.server.connections_max = values["max-connections"].as<std::size_t>();
  configuration.server.sessions_max = values["max-sessions"].as<std::size_t>();
  configuration.server.workers = values["workers"].as<unsigned>();
  configuration.pool_threads = std::max(1u, values["pool-threads"].as<unsigned>());
  auto level = parse_log_level(values["log-level"].as<std::string>());
  if (!level) return base::fail(level.error());
  out.log_level = *level;
  return out;
}

}  // namespace

base::Result<CommandLine, std::string> parse_command_line(int argc, const char* const* argv) {
  try {
    const auto parsed =
        po::command_line_parser(argc, argv)
            .options(options())
            .positional(po::positional_options_description())
            .style(po::command_line_style::unix_style & ~po::command_line_style::allow_guessing)
            .run();
    return take_all(parsed);
  } catch (const po::error& error) {
    return base::fail(std::string(error.what()) + "; see copymgrd --help");
  }
}

std::string help_text() {
  std::ostringstream out;
  out << "copymgrd serves SCSI logical units over iSCSI, with offloaded copies (ODX).\n\n"
         "Usage: copymgrd [--portal ADDRESS:PORT]... --target IQN --lun N=STORE... [--target "
         "...]\n\n"
         "Example, no root and no configuration file needed:\n"
         "  copymgrd --portal 127.0.0.1:0 --target iqn.2026-11.io.copymgr:demo \\\n"
         "           --lun 0=file:/tmp/a.img,size=1G --lun 1=memory:256M,blocksize=4096 "
         "--ready-file /tmp/ready\n\n"
         "Stores:\n"
         "  file:PATH[,size=SIZE]     a regular file; with size= created sparse, or of that size "
         "already,\n"
         "                            or of the one that copymgr lun resize gave it since\n"
         "  block:PATH                a block device\n"
         "  memory:SIZE               memory; gone at the end\n"
         "  null:SIZE                 reads zeros, forgets writes\n"
         "  behind any of them: ,blocksize=512 or 4096; behind file and block: ,direct=on for "
         "O_DIRECT\n"
         "  and for the disk: ,physical=512 or 4096, bytes of a physical block; default 4096\n"
         "  readonly=on                write protected; the file is never written, others may "
         "serve it so "
         "too\n"
         "  removable=on              a medium that hosts eject and load\n"
         "  thin=on|off               off: fully provisioned, its room is reserved at the start; "
         "default on\n"
         "  provisioned=SIZE          what a thin disk may use of its medium; default all\n"
         "  threshold=PERCENT         hosts are told when that much of it is used, and by\n"
         "  available-threshold=PERCENT   when no more than that is left; default never\n"
         "  exhausted=fail|wait       what a write to a full disk is answered: 07h/27h/07h or "
         "02h/04h/14h\n"
         "  protection=1|2|3          T10 protection information of that type; default none\n\n"
         "Portals:\n"
         "  ADDRESS:PORT,group=N      belongs to portal group N, 1 to 65535; default 1\n"
         "  ADDRESS:PORT,dscp=N       what it sends is marked with DSCP N, 0 to 63\n"
         "  ADDRESS:PORT,priority=N   and has socket priority N, 0 to 7 (a VLAN maps it to "
         "802.1p)\n\n"
         "Copies, behind --copy for all logical units or --lun N=STORE for one, with the names of "
         "VPD page 8Fh:\n"
      << admin::help_on_copy_settings() << '\n'
      << options()
      << "\nEnds cleanly on SIGTERM and SIGINT. Exit status: 0 done, 1 failed, 2 usage.\n";
  return out.str();
}

}  // namespace copymgrd
