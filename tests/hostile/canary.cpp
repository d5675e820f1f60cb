#include "tests/hostile/canary.hpp"

#include "tests/hostile/client.hpp"

namespace hostile {
namespace {

Bytes read_back(Client& c, std::uint32_t lba, std::uint16_t blocks) {
  Bytes out;
  c.send(c.read_blocks(lba, blocks));
  for (;;) {
    const Pdu pdu = c.answer();
    out.insert(out.end(), pdu.data.begin(), pdu.data.end());
    if ((pdu.flags() & 0x01) == 0) continue;
    if (words_of(pdu).find("Status 00") == std::string::npos) {
      throw std::runtime_error("a read ended with " + words_of(pdu));
    }
    return out;
  }
}

void write_out(Client& c, std::uint32_t lba, const Bytes& data) {
  const auto blocks = static_cast<std::uint16_t>(data.size() / block_bytes);
  const bool small = data.size() <= 8192;  // as immediate data, else asked for
  Pdu answer = c.ask(c.write_blocks(lba, blocks, small ? data : Bytes{}));
  if (!small) answer = c.ask(Client::data_for(answer, data));
  if (words_of(answer) != "Status 00") {
    throw std::runtime_error("a write ended with " + words_of(answer));
  }
}

}  // namespace

Canary::Canary(const std::string& portal, const std::string& target)
    : thread_([this, portal, target] { sing(portal, target); }) {}

Canary::~Canary() {
  stop();
}

std::string Canary::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
  return fault_;
}

void Canary::sing(const std::string& portal, const std::string& target) {
  try {
    Client c(portal, "canary");
    c.log_in({}, target);
    for (std::uint32_t round = 0; !stopping_; ++round) {
      const std::uint32_t lba = round * 131 % 8192;
      const std::size_t bytes = block_bytes << round % 8;  // 512 bytes to 64 KiB
      const Bytes data = pattern(bytes, static_cast<std::uint8_t>(round));
      write_out(c, lba, data);
      if (read_back(c, lba, static_cast<std::uint16_t>(bytes / block_bytes)) != data) {
        throw std::runtime_error("other data came back at block " + std::to_string(lba));
      }
      ++transfers_;
    }
  } catch (const std::exception& error) {
    fault_ = error.what();
  }
  ended_ = true;
}

}  // namespace hostile
