// `copymgr token decode`: what the 512 bytes of a ROD token say, of any array, without one.

#include <fstream>
#include <iostream>
#include <iterator>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "tools/copymgr/verb.hpp"
#include "tools/host/admin_client.hpp"
#include "tools/host/document_table.hpp"
#include "tools/host/token_report.hpp"

namespace cli {
namespace {

namespace po = boost::program_options;

// More than any way to write 512 bytes as text; a device would never end.
constexpr std::size_t input_bytes_max = 16384;

Usage decode_usage() {
  Usage out{
      "token decode",
      "[FILE|-] [options]",
      "Explains the 512 bytes of a ROD token, this array's or another's, without asking any: its\n"
      "type, who made it, for how many bytes it stands, what is not as the standard wants it, and\n"
      "which sense its use would meet for that. FILE (- or nothing: standard input) has the bytes\n"
      "as they are, or as hexadecimal text. With --socket the daemon is asked too whether the "
      "token\n"
      "lives. The token goes to that daemon only; its secret part is not printed.\n",
      "  copymgr token decode token.bin\n"
      "  xxd -p token.bin | copymgr token decode --json\n"
      "  copymgr token decode token.bin --socket /var/lib/copymgr/admin.socket\n",
      po::options_description("options"),
      {"FILE"},
      "-"};
  out.options.add_options()("help,h", "this help")("json", "print JSON")(
      "socket", po::value<std::string>()->value_name("PATH"),
      "ask the daemon with this admin socket: is it alive?");
  return out;
}

std::string read_some(std::istream& in) {
  std::string out(input_bytes_max, 0);
  in.read(out.data(), static_cast<std::streamsize>(out.size()));
  out.resize(static_cast<std::size_t>(in.gcount()));
  return out;
}

base::Result<std::string, std::string> read_input(const std::string& path) {
  if (path == "-") return read_some(std::cin);
  std::ifstream file(path, std::ios::binary);
  if (!file) return base::fail(fmt::format("cannot read {}", path));
  return read_some(file);
}

base::Result<host::TokenVerdict, std::string> ask(const host::AdminAddress& socket,
                                                  const scsi::RodTokenBytes& token) {
  const std::string body = fmt::format(R"({{"token":"{}"}})", base::to_hex(token));
  const auto answer = host::ask_admin(socket, {"/v1/tokens/lookup", body});
  if (!answer) return base::fail(answer.error());
  return host::TokenVerdict{host::text_member(*answer, "state"),
                            host::text_member(*answer, "sense"),
                            host::text_member(*answer, "seal")};
}

}  // namespace

int run_token_decode(const std::vector<std::string>& arguments) {
  const auto values = parse(decode_usage(), arguments);
  if (!values) return done;
  const auto input = read_input((*values)["FILE"].as<std::string>());
  if (!input) return complain("token decode", input.error()), failed;
  const auto token = host::read_token(base::as_bytes(*input));
  if (!token) return complain("token decode", token.error()), failed;
  std::optional<host::TokenVerdict> verdict;
  if (values->count("socket") != 0) {
    auto told = ask((*values)["socket"].as<std::string>(), *token);
    if (!told) return complain("token decode", told.error()), failed;
    verdict = std::move(*told);
  }
  const host::Rows rows = host::token_rows(*token, verdict);
  return fmt::print("{}", values->count("json") != 0 ? to_json(rows) : to_table(rows)), done;
}

}  // namespace cli
