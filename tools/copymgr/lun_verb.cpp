// `copymgr lun`; lun delete and resize: the logical units of a running daemon.

#include <array>
#include <cstdio>

#include <fmt/format.h>

#include "tools/copymgr/verb.hpp"
#include "tools/host/admin_client.hpp"

namespace cli {
namespace {

namespace po = boost::program_options;

Usage delete_usage() {
  Usage out{
      "lun delete",
      "TARGET LUN [options]",
      "Takes a logical unit out of a target, under the number that it has there. What runs on\n"
      "it ends, its tokens are cancelled, initiators are told to look again. Its file or\n"
      "device is closed and stays as it is. A daemon that is started again serves it again.\n",
      "  copymgr lun delete iqn.2026-11.io.copymgr:demo 1\n",
      po::options_description("options"),
      {"TARGET", "LUN"}};
  add_daemon_options(out.options);
  return out;
}

int run_delete(const std::vector<std::string>& arguments) {
  const auto values = parse(delete_usage(), arguments);
  if (!values) return done;
  const std::string resource =
      fmt::format("/v1/targets/{}/luns/{}", (*values)["TARGET"].as<std::string>(),
                  (*values)["LUN"].as<std::string>());
  const auto answer = host::ask_admin(socket_of(*values), {resource, {}, true});
  if (!answer) return complain("lun delete", answer.error()), failed;
  if (values->count("json") != 0) fmt::print("{}\n", *answer);
  return done;
}

Usage resize_usage() {
  Usage out{
      "lun resize",
      "TARGET LUN SIZE [options]",
      "Makes a logical unit SIZE long (bytes, or 512K, 256M, 10G, 1T) while hosts use it; they "
      "are\n"
      "told to read its capacity again. Its file or memory grows with it; a block device only has\n"
      "what it has, looked at anew. Shrinking cuts off what lies behind SIZE for good, and "
      "cancels\n"
      "the tokens that stand for any of it: it has to be asked for.\n"
      "The state directory of the daemon remembers the size: a --lun with the size= of old opens\n"
      "the file as it is now. Memory is gone at the end and starts with its old size.\n",
      "  copymgr lun resize iqn.2026-11.io.copymgr:demo 0 20G\n"
      "  copymgr lun resize iqn.2026-11.io.copymgr:demo 0 512M --shrink\n",
      po::options_description("options"),
      {"TARGET", "LUN", "SIZE"}};
  add_daemon_options(out.options);
  out.options.add_options()("shrink", "cut off what lies behind SIZE, if it is less than now");
  return out;
}

int run_resize(const std::vector<std::string>& arguments) {
  const auto values = parse(resize_usage(), arguments);
  if (!values) return done;
  const std::string resource =
      fmt::format("/v1/targets/{}/luns/{}/size", (*values)["TARGET"].as<std::string>(),
                  (*values)["LUN"].as<std::string>());
  const std::string size = (*values)["SIZE"].as<std::string>();
  // Neither quote nor backslash is part of a size: nothing to escape in JSON.
  if (size.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") !=
      std::string::npos) {
    throw UsageError{fmt::format("'{}' is not a size: write bytes, or 512K, 256M, 10G, 1T", size)};
  }
  const std::string body =
      fmt::format(R"({{"size":"{}","shrink":{}}})", size, values->count("shrink") != 0);
  const auto answer = host::ask_admin(socket_of(*values), {resource, body});
  if (!answer) return complain("lun resize", answer.error()), failed;
  if (values->count("json") != 0) fmt::print("{}\n", *answer);
  return done;
}

constexpr std::array verbs{
    Verb{"delete", "take one out", run_delete},
    Verb{"provisioning", "what one uses and may use of its medium", run_lun_provisioning},
    Verb{"resize", "make one longer or shorter", run_resize},
};

}  // namespace

int run_lun(const std::vector<std::string>& arguments) {
  return dispatch("lun", verbs, arguments);
}

}  // namespace cli
