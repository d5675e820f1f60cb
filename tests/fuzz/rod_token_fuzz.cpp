// The bytes of a token as a hostile host shows them: explained, looked up and leased. Only the
// exact bytes that were given out may ever be leased. The first byte chooses what is shown: one of
// the tokens of the table with some bytes changed, or what the input says.
#include <cstdlib>
#include <random>

#include "scsi/rod_token_anatomy.hpp"
#include "tests/fuzz/bytes.hpp"
#include "tests/unit/tokens/token_world.hpp"

namespace {

using fuzz::Reader;
using scsi::RodTokenBytes;

void require(bool holds) {
  if (!holds) std::abort();
}

void explain(const RodTokenBytes& token) {
  const scsi::RodTokenAnatomy anatomy = scsi::dissect(token);
  require(anatomy.creator.designator.bytes.size() <= 20);
  require(!anatomy.target || anatomy.target->bytes.size() <= 255);
  require(anatomy.extended.at + anatomy.extended.bytes <= token.size());
  for (const scsi::TokenFlaw& flaw : anatomy.flaws)
    require(flaw.byte < token.size());
  static_cast<void>(scsi::to_text(anatomy.rod_type));
  static_cast<void>(scsi::to_text(anatomy.creator.designator));
  if (anatomy.target) static_cast<void>(scsi::to_text(*anatomy.target));
  if (const auto sense = scsi::sense_of_bytes(anatomy)) static_cast<void>(scsi::to_text(*sense));
}

void show(tokens::test::TokenWorld& world, const RodTokenBytes& token, bool is_alive) {
  const bool usable = !world.table.fault_of(token);
  const auto lease = world.table.lease(token);
  require(lease.has_value() == usable);
  require(usable == is_alive);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Reader input({data, size});
  tokens::test::TokenWorld world({8, 8, 60});
  std::vector<RodTokenBytes> made;
  for (int i = 0; i < 4; ++i)
    made.push_back(world.create());
  world.table.revoke(scsi::identifier_of(made[3]));

  const std::uint8_t choice = input.u8();
  RodTokenBytes token{};
  bool is_alive = false;
  if (choice % 2 == 0) {
    const base::ByteView bytes = input.take(token.size());
    std::copy(bytes.begin(), bytes.end(), token.begin());
  } else {
    const RodTokenBytes& original = made[choice / 2 % made.size()];
    token = original;
    for (unsigned changes = input.u8(); changes != 0; --changes)
      token[input.u16() % token.size()] ^= input.u8();
    is_alive = token == original && &original != &made[3];
  }
  explain(token);
  show(world, token, is_alive);
  return 0;
}
