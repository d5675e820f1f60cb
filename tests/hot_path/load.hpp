// READs and WRITEs of 4 KiB in batches, through everything that a command of a session meets but
// its socket: the engine, the device server, the guard, the store.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/story/world.hpp"
#include "tests/support/temp_dir.hpp"

namespace hot_path {

inline constexpr std::uint32_t batch_commands = 32;

// What a receive() and the sends after it do for the socket of a connection, and nothing else:
// tests/hot_path/instructions.sh counts what runs inside it.
extern "C" [[gnu::noinline]] std::size_t hot_path_serve(iscsi::Connection& connection,
                                                        const std::uint8_t* stream,
                                                        std::size_t bytes);

struct Load {
  std::string name;  // "read file": what of it, and of which store
  std::uint32_t writes_of_8 = 0;
  std::string store;
  bool token = false;  // one that covers the unit is live
};
// All that are tested, by name.
const std::vector<Load>& loads();

class Traffic {
 public:
  explicit Traffic(const Load& load);
  // Served, and answered with GOOD; throws otherwise.
  void batch() { serve(next_batch()); }
  // Batches made in advance, so that making them is not counted; no others come between.
  std::vector<std::uint8_t> next_batch();
  void serve(const std::vector<std::uint8_t>& stream);

 private:
  const Load load_;
  test::TempDir dir_;
  story::Array array_;
  story::Host host_;
  std::mt19937 random_{1};
  std::uint32_t made_ = 0;
};

}  // namespace hot_path
