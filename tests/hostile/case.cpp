#include "tests/hostile/case.hpp"

namespace hostile {
namespace {

std::vector<std::string> split(const std::string& end) {
  std::vector<std::string> out;
  std::size_t from = 0;
  for (std::size_t at; (at = end.find(", ", from)) != std::string::npos; from = at + 2) {
    out.push_back(end.substr(from, at - from));
  }
  out.push_back(end.substr(from));
  return out;
}

// Reads on until the probe is answered or the connection ends.
std::string fate_of(Client& client, bool expects_end) {
  std::string seen;
  if (!client.full_feature && !expects_end) {
    return client.open_and_silent() ? "waiting" : "not silent";
  }
  if (!expects_end) client.send(client.probe());
  for (;;) {
    const auto pdu = client.next();
    if (!pdu) return seen + "dropped";
    if (Client::answers_probe(*pdu)) return seen + "alive";
    seen += words_of(*pdu) + ", ";
  }
}

}  // namespace

std::string run(const Case& one, const std::string& portal, const std::string& initiator) {
  std::string seen;
  try {
    Client client(portal, initiator);
    one.send(client);
    const std::vector<std::string> expected = split(one.end);
    for (std::size_t i = 0; i + 1 < expected.size(); ++i) {
      seen += words_of(client.answer()) + ", ";
    }
    return seen + fate_of(client, expected.back() == "dropped");
  } catch (const std::exception& error) {
    return seen + error.what();
  }
}

}  // namespace hostile
