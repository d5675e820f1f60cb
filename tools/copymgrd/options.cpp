#include "tools/copymgrd/options.hpp"

#include <algorithm>
#include <filesystem>
#include <sstream>

#include <boost/program_options.hpp>
#include <fmt/format.h>

#include "target/admin/array_settings.hpp"
#include "target/admin/document.hpp"
#include "target/admin/group_document.hpp"
#include "tools/troff.hpp"

namespace copymgrd {
namespace {

namespace po = boost::program_options;
using Ok = base::Result<void, std::string>;

// clang-format off
const po::options_description& options() {
  static const po::options_description all = [] {
    const auto text = [](const char* name) { return po::value<std::string>()->value_name(name); };
    po::options_description out("Options");
    out.add_options()
        ("config", text("FILE"), "the array as a TOML file, in place of --portal, --target and what is theirs; read again at SIGHUP; docs/operating.md")
        ("check-config", text("FILE"), "say what is wrong with such a file, and end; opens nothing")
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
        ("state-dir", text("DIR"), "what must survive a restart, and the admin socket; default: a private directory that is removed at the end")
        ("ready-file", text("FILE"), "written with the bound ADDRESS:PORT lines when logins are accepted")
        ("copy", text("KEY=VALUE[,KEY=VALUE]..."), "settings of copies for all logical units; may repeat; see Copies")
        ("group", text("NAME"), "the copy manager group that the array is in, as copymgr group create; see docs/arrays.md")
        ("group-secret-file", text("FILE"), "its secret is the file's first line, at least 16 bytes")
        ("group-member", text("NAME=ADDRESS:PORT[,...]"), "another member: its designator or a name, and its portals; may repeat")
        ("group-pulls", po::value<std::uint32_t>()->value_name("N")->default_value(copymgr::PullLimits().pulls_at_once), "copies at once from one member; the others wait their turn")
        ("group-bandwidth", text("SIZE")->default_value("0"), "bytes a second from one member; 0: no bound")
        ("help", "this text")
        ("man", "the manual page, in troff")
        ("version", "the version");
    for (const admin::ArraySetting& setting : admin::array_settings()) {
      auto* value = po::value<std::string>()->value_name(std::string(setting.value_name));
      if (setting.name == "strict-nexus") value->implicit_value("on");
      const std::string standard = setting.default_text.empty() ? "" : "; default " + setting.default_text;
      out.add_options()(std::string(setting.name).c_str(), value, (std::string(setting.meaning) + standard).c_str());
    }
    return out;
  }();
  return all;
}
// clang-format on

using admin::Document;

std::string working_directory() {
  std::error_code ignored;
  return std::filesystem::current_path(ignored).string();
}

Ok take_lun(const std::string& value, admin::TargetDocument& target) {
  auto lun = admin::parse_lun_words(value);
  if (!lun) return base::fail(lun.error());
  lun->backing = admin::absolute_backing(lun->backing, working_directory());
  if (target.luns.emplace(lun->number, *lun).second) return {};
  return base::fail(fmt::format("LUN {} of {} is given twice", lun->number, target.name));
}

// A daemon that goes on with what it saved may run elsewhere.
std::string absolute_path(const std::string& path) {
  return admin::absolute_backing("file:" + path, working_directory()).substr(5);
}

// Of "NAME:FILE[,initiator=NAME]".
std::string absolute_account(const std::string& value) {
  const std::size_t end = std::min(value.rfind(",initiator="), value.size());
  const std::size_t colon = value.substr(0, end).rfind(':');
  if (colon == std::string::npos) return value;
  const std::string file = absolute_path(value.substr(colon + 1, end - colon - 1));
  return value.substr(0, colon + 1) + file + value.substr(end);
}

bool is_of_a_target(const std::string& option) {
  return option == "lun" || admin::is_target_option(option);
}

Ok take_one(const std::string& option, const std::string& value, Document& document) {
  if (option == "target") {
    document.targets.push_back({value, {}});
    return {};
  }
  if (option == "portal") {
    document.portals.push_back({option, value});
    return {};
  }
  if (option == "discovery-chap" || option == "copy") {
    const bool account = option != "copy";
    document.settings.push_back({option, account ? absolute_account(value) : value});
    return {};
  }
  if (!is_of_a_target(option)) {
    const admin::ArraySetting* const setting = admin::find_array_setting(option);
    if (setting == nullptr) return {};
    document.settings.push_back({option, setting->path ? absolute_path(value) : value});
    return {};
  }
  if (document.targets.empty()) {
    return base::fail(fmt::format("--{} needs a --target before it", option));
  }
  admin::TargetDocument& target = document.targets.back();
  if (option == "lun") return take_lun(value, target);
  const bool account = option == "chap" || option == "mutual-chap";
  target.options.push_back({option, account ? absolute_account(value) : value});
  return {};
}

// Without --group: what the array had, or what the file says.
Ok take_group(const po::parsed_options& parsed, const po::variables_map& values,
              Document& document) {
  std::vector<admin::Word>& words = document.group;
  for (const auto& option : parsed.options) {
    if (option.string_key == "group-member") words.push_back({"member", option.value.front()});
  }
  const bool named = values.count("group") != 0,
             has_secret = values.count("group-secret-file") != 0;
  if (!named && words.empty() && !has_secret) return {};
  if (!named) {
    return base::fail(std::string("--group-secret-file and --group-member need --group"));
  }
  if (!has_secret) return base::fail(std::string("--group needs --group-secret-file"));
  const std::string secret = "file:" + values["group-secret-file"].as<std::string>();
  words.push_back({"name", values["group"].as<std::string>()});
  words.push_back({"secret-file", admin::absolute_backing(secret, working_directory()).substr(5)});
  if (!values["group-pulls"].defaulted())
    words.push_back({"pulls", fmt::format("{}", values["group-pulls"].as<std::uint32_t>())});
  if (!values["group-bandwidth"].defaulted())
    words.push_back({"bandwidth", values["group-bandwidth"].as<std::string>()});
  admin::sort_group(words);
  const auto meaning = admin::group_of(words);
  return meaning ? Ok() : base::fail(meaning.error().front().text);
}

bool may_repeat(const std::string& key) {
  return key == "target" || key == "portal" || key == "group-member" || key == "discovery-chap" ||
         key == "copy" || is_of_a_target(key);
}

bool is_of_the_array(const std::string& option) {
  return option == "target" || option == "portal" || is_of_a_target(option);
}

// Options of a target count in the order in which they stand.
Ok take_document(const po::parsed_options& parsed, admin::Start& start) {
  bool any = false;
  for (const auto& option : parsed.options) {
    const std::string& key = option.string_key;
    any = any || is_of_the_array(key);
    if (any && !start.config_file.empty()) {
      return base::fail(
          std::string("--config names the whole array: no --portal, --target or what "
                      "is theirs beside it"));
    }
    const std::string value = option.value.empty() ? std::string() : option.value.front();
    const bool of_flag = option.value.empty() && key == "strict-nexus";
    if (auto ok = take_one(key, of_flag ? "on" : value, start.document); !ok) return ok;
  }
  start.given = any || !start.config_file.empty();
  if (!start.config_file.empty() || (start.state_directory.empty() ? false : !any)) return {};
  if (start.document.targets.empty()) {
    return base::fail(std::string(
        "nothing to serve: give at least one --target with --lun, or --config, or a --state-dir to "
        "go on with what it has; see --help"));
  }
  return {};
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
  const auto text = [&](const char* name) {
    return values.count(name) == 0 ? std::string() : values[name].as<std::string>();
  };
  CommandLine out;
  if (values.count("help") != 0) out.wish = CommandLine::Wish::help;
  if (values.count("man") != 0) out.wish = CommandLine::Wish::man_page;
  if (values.count("version") != 0) out.wish = CommandLine::Wish::version;
  if (out.wish != CommandLine::Wish::serve) return out;
  out.start.config_file = text("config");
  out.start.state_directory = text("state-dir");
  out.start.ready_file = text("ready-file");
  if (values.count("check-config") != 0) {
    out.wish = CommandLine::Wish::check;
    out.start.config_file = text("check-config");
  }
  if (auto ok = take_document(parsed, out.start); !ok) return base::fail(ok.error());
  if (auto ok = take_group(parsed, values, out.start.document); !ok) return base::fail(ok.error());
  if (!out.start.config_file.empty()) return out;
  if (out.start.document.portals.empty() && out.start.given) {
    out.start.document.portals.push_back(admin::default_portal());
  }
  const auto meaning = admin::configuration_of(out.start.document, admin::base_of(out.start));
  if (!meaning) return base::fail(meaning.error().front().text);
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

// The help as it is, for it says all.
std::string man_page() {
  std::string out = ".TH COPYMGRD 8 \"\" \"copymgrd " COPYMGR_VERSION
                    "\" \"System Administration\"\n"
                    ".SH NAME\ncopymgrd \\- a storage array in one process: an iSCSI target with a "
                    "SCSI copy manager\n"
                    ".SH DESCRIPTION\n.nf\n";
  out += man::escaped(help_text());
  return out + ".fi\n.SH SEE ALSO\n.BR copymgr (1)\n";
}

}  // namespace copymgrd
