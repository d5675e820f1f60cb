// Data-Out that nobody asked for, or not so (RFC 7143 11.7, 11.8, 11.17.1).
#include "tests/hostile/case.hpp"

namespace hostile {
namespace {

constexpr std::uint16_t blocks = 16;
constexpr std::uint32_t bytes = blocks * block_bytes;

// After a login and an R2T for 8 KiB.
auto asked(std::function<void(Client&, const Pdu& r2t)> send) {
  return [=](Client& c) {
    c.log_in();
    send(c, c.start_write(64, blocks));
  };
}

// The Data-Out that answers the R2T, with one field changed.
auto bent_data(std::size_t at, std::size_t width, std::uint64_t value) {
  return asked([=](Client& c, const Pdu& r2t) {
    c.send(Client::data_for(r2t, pattern(bytes)).set(at, width, value));
  });
}

// One Data-Out of `length` bytes at `offset` of what was asked.
auto piece(std::uint32_t offset, std::size_t length, bool final, std::uint32_t data_sn = 0) {
  return asked([=](Client& c, const Pdu& r2t) {
    c.send(Client::data_for(r2t, pattern(length), final, data_sn, offset));
  });
}

// Two, the second one wrong.
auto second_piece(std::uint32_t offset, std::size_t length, bool final, std::uint32_t data_sn) {
  return asked([=](Client& c, const Pdu& r2t) {
    c.send(Client::data_for(r2t, pattern(4096), false));
    c.send(Client::data_for(r2t, pattern(length), final, data_sn, offset));
  });
}

void data_again(Client& c, const Pdu& r2t) {
  const Pdu data = Client::data_for(r2t, pattern(bytes));
  c.ask(data);
  c.send(data);
}

// What a refused transfer has brought must not be on the disk.
void refused_data_stays_away(Client& c) {
  c.log_in();
  const std::uint32_t lba = 4096;
  const Bytes good = pattern(bytes, 7);
  c.ask(c.write_blocks(lba, blocks, good));
  const Pdu r2t = c.start_write(lba, blocks);
  c.send(Client::data_for(r2t, pattern(4096, 99), false));
  c.ask(Client::data_for(r2t, pattern(4096, 99), true, 5, 4096));
  Bytes back;
  c.send(c.read_blocks(lba, blocks));
  while (back.size() < bytes) {
    const Pdu data = c.answer();
    back.insert(back.end(), data.data.begin(), data.data.end());
  }
  if (back != good) throw std::runtime_error("refused data reached the store");
}

void many_unanswered(Client& c) {
  c.log_in();
  for (int i = 0; i < 100; ++i)
    c.start_write(0, 128);
}

void logout_in_the_middle(Client& c, const Pdu& r2t) {
  c.send(Client::data_for(r2t, pattern(4096), false));
  c.send(c.logout(0));
  c.send(Client::data_for(r2t, pattern(4096), true, 1, 4096));
}

}  // namespace

Cases data_cases() {
  const std::string misplaced = "Status 02 0b/4b/00, alive";
  const std::string wrong_amount = "Status 02 0b/0c/0d, alive";
  // clang-format off
  return {
      {"Data-Out of no task", [](Client& c) {
         c.log_in();
         c.send(support::data_out(0x5a5a5a5a, 1, 0, 0, pattern(512), true));
       }, "alive"},  // it may be the data of a task that was aborted
      {"unsolicited Data-Out of no task", [](Client& c) {
         c.log_in();
         c.send(support::data_out(0x5a5a5a5a, no_tag, 0, 0, pattern(512), true));
       }, "alive"},
      {"unsolicited Data-Out though InitialR2T=Yes", bent_data(20, 4, no_tag), "Reject 09, alive"},
      {"a transfer tag that was not given out", bent_data(20, 4, 0x7fffffff), "Reject 09, alive"},
      {"transfer tag 0", bent_data(20, 4, 0), "Reject 09, alive"},
      {"another task's tag", bent_data(16, 4, 0x5a5a5a5a), "alive"},
      {"DataSN 1 first", bent_data(36, 4, 1), misplaced},
      {"DataSN 2^32-1", bent_data(36, 4, 0xffffffff), misplaced},
      {"Buffer Offset too far", bent_data(40, 4, 512), misplaced},
      {"Buffer Offset 2^32-1", bent_data(40, 4, 0xffffffff), misplaced},
      {"Buffer Offset and length that wrap around", bent_data(40, 4, 0xffffe000), misplaced},
      {"more than was asked for", piece(0, bytes + 512, true), wrong_amount},
      {"more than was asked for, not final", piece(0, bytes + 4, false), wrong_amount},
      {"less than was asked for", piece(0, 4096, true), wrong_amount},
      {"nothing, and that final", piece(0, 0, true), wrong_amount},
      {"all, but not final", piece(0, bytes, false), wrong_amount},
      {"a DataSN again", second_piece(4096, 4096, true, 0), misplaced},
      {"a DataSN left out", second_piece(4096, 4096, true, 2), misplaced},
      {"an offset again", second_piece(0, 4096, true, 1), misplaced},
      {"an offset left out", second_piece(4608, 3584, true, 1), misplaced},
      {"the end first", piece(4096, 4096, true, 0), misplaced},
      {"1,000 pieces of nothing", asked([](Client& c, const Pdu& r2t) {
         for (std::uint32_t i = 0; i < 1000; ++i) c.send(Client::data_for(r2t, {}, false, i));
         c.send(Client::data_for(r2t, pattern(bytes), true, 1000));
       }), "Status 00, alive"},
      {"one byte at a time", asked([](Client& c, const Pdu& r2t) {
         for (std::uint32_t i = 0; i < bytes; ++i) c.send(Client::data_for(r2t, {1}, i + 1 == bytes, i, i));
       }), "Status 00, alive"},
      {"the data again", asked(data_again), "alive"},
      {"an R2T that nobody answers", asked([](Client&, const Pdu&) {}), "alive"},
      {"100 R2Ts that nobody answers", many_unanswered, "alive"},
      {"an R2T unanswered, then the end", asked([](Client& c, const Pdu&) { c.half_close(); }), "dropped"},
      {"half the data, then the end", asked([](Client& c, const Pdu& r2t) {
         c.send(Client::data_for(r2t, pattern(4096), false));
         c.half_close();
       }), "dropped"},
      {"half a data segment, then the end", asked([](Client& c, const Pdu& r2t) {
         Bytes all = Client::data_for(r2t, pattern(bytes)).wire();
         all.resize(4000);
         c.send_bytes(all);
         c.half_close();
       }), "dropped"},
      {"logout in the middle of the data", asked(logout_in_the_middle), "Logout 0, dropped"},
      {"what was refused is not written", refused_data_stays_away, "alive"},
  };
  // clang-format on
}

}  // namespace hostile
