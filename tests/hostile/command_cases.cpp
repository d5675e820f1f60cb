// Commands, their numbers and tags, operation codes, task management (RFC 7143 4.2.2, 11.2-11.6).
#include <fmt/format.h>

#include "tests/hostile/case.hpp"

namespace hostile {
namespace {

// After a login.
auto in_session(std::function<void(Client&)> send) {
  return [=](Client& c) {
    c.log_in();
    send(c);
  };
}

auto sends(std::function<Pdu(Client&)> make) {
  return in_session([=](Client& c) { c.send(make(c)); });
}

// A TEST UNIT READY that lies `ahead` of the number that is due.
auto number_off_by(std::uint32_t ahead) {
  return in_session([=](Client& c) {
    c.cmd_sn += ahead;
    const Pdu pdu = c.test_unit_ready();
    c.cmd_sn -= ahead + 1;
    c.send(pdu);
  });
}

constexpr std::size_t read_word = 20;  // Expected Data Transfer Length

void all_additional_headers(Client& c) {
  c.log_in();
  for (unsigned words = 1; words <= 255; ++words) {
    Bytes bytes = c.test_unit_ready().wire();
    bytes[4] = static_cast<std::uint8_t>(words);
    Bytes additional(words * 4, 0);
    additional[1] = static_cast<std::uint8_t>(words * 4 - 3);  // AHSLength; the type is reserved
    additional[2] = 0x3e;
    bytes.insert(bytes.end(), additional.begin(), additional.end());
    c.send_bytes(bytes);
    if (c.answer().status() != 0) throw std::runtime_error(fmt::format("{} words", words));
  }
}

// Immediate commands have no window: writes that wait for data pile up until the target says stop.
void immediate_flood(Client& c) {
  c.log_in();
  for (int i = 0; i < 2000; ++i) {
    Pdu pdu = immediate(c.write_blocks(0, 1));
    --c.cmd_sn;
    const Pdu answer = c.ask(pdu.set(24, 4, c.cmd_sn));
    if (answer.opcode() == 0x3f) {
      c.send(pdu.set(16, 4, 0x55555555));
      return;
    }
  }
  throw std::runtime_error("2,000 immediate commands at once");
}

// The window is full of writes that wait for data; the next number lies outside.
void full_window(Client& c) {
  c.log_in();
  for (;;) {
    const Pdu answer = c.start_write(0, 1);
    if (static_cast<std::int32_t>(answer.max_cmd_sn() - c.cmd_sn) < 0) break;
  }
  c.send(c.test_unit_ready());
}

// Data for more writes than there is memory for: 4 MiB each.
void too_much_write_data(Client& c) {
  c.log_in();
  for (int i = 0; i < 100; ++i) {
    if (c.ask(c.write_blocks(0, 8192)).opcode() != 0x31) {
      c.send(c.write_blocks(0, 8192));
      return;
    }
  }
  throw std::runtime_error("400 MiB of writes at once");
}

// 200 MiB are asked for and nothing of it is read; then the initiator is gone.
void reads_that_nobody_takes(Client& c) {
  c.log_in();
  Bytes all;
  for (int i = 0; i < 200; ++i)
    all = all + c.read_blocks(0, 2048).wire();
  c.send_bytes(all);
}

void abort_of_a_waiting_write(Client& c) {
  c.log_in();
  const Pdu r2t = c.start_write(0, 16);
  c.send(c.manage(1, r2t.task_tag(), c.cmd_sn - 1));
  // Its data comes all the same, and belongs to nobody.
  c.send(Client::data_for(r2t, pattern(8192)));
}

void management_flood(Client& c) {
  c.log_in();
  Bytes all;
  for (int i = 0; i < 500; ++i)
    all = all + c.manage(1, 0xdead0000 + static_cast<std::uint32_t>(i)).wire();
  c.send_bytes(all);
  for (int i = 0; i < 499; ++i)
    c.answer();
}

}  // namespace

Cases command_cases() {
  const auto lun = [](std::uint64_t field) {
    return sends([=](Client& c) { return c.test_unit_ready().set(8, 8, field); });
  };
  const auto manage = [](std::uint8_t function, std::uint64_t lun_field = 0) {
    return sends([=](Client& c) { return c.manage(function).set(8, 8, lun_field); });
  };
  const auto inquiry = [](std::uint32_t expected) {
    return sends([=](Client& c) { return c.command(reads, expected, {0x12, 0, 0, 0, 36, 0}); });
  };
  const auto reset = [](std::uint8_t function) {
    return [=](Client& c) {
      c.log_in({}, reset_victim);
      c.send(c.manage(function));
    };
  };
  // clang-format off
  Cases out{
      {"CmdSN one below the window", number_off_by(0xffffffff), "alive"},
      {"CmdSN a million below the window", number_off_by(0xfff00000), "alive"},
      {"CmdSN just above the window", number_off_by(256), "alive"},
      {"CmdSN far above the window", number_off_by(100000), "alive"},
      {"CmdSN half the number space away", number_off_by(0x7fffffff), "alive"},
      {"CmdSN at the other end of the number space", number_off_by(0x80000000), "alive"},
      {"a gap in CmdSN", number_off_by(1), "dropped"},  // nobody can fill it at error recovery level 0
      {"a window full of writes", full_window, "alive"},
      {"a tag in use", in_session([](Client& c) {
         const Pdu r2t = c.start_write(0, 1);
         c.send(c.test_unit_ready().set(16, 4, r2t.task_tag()));
       }), "Reject 07, alive"},
      {"the reserved tag", sends([](Client& c) { return c.test_unit_ready().set(16, 4, no_tag); }), "Reject 09, alive"},
      {"the tag of a command that has ended", in_session([](Client& c) {
         const Pdu ended = c.ask(c.test_unit_ready());
         c.send(c.test_unit_ready().set(16, 4, ended.task_tag()));
       }), "Status 00, alive"},
      {"a command that reads and writes", sends([](Client& c) { return c.command(reads | writes, 512, {0x28}); }), "Reject 09, alive"},
      {"data with a read", sends([](Client& c) { return c.read_blocks(0, 1).with(pattern(512)); }), "Reject 04, alive"},
      {"data with a command that moves none", sends([](Client& c) { return c.test_unit_ready().with(pattern(512)); }), "Reject 04, alive"},
      {"more data than announced", sends([](Client& c) { return c.write_blocks(0, 1, pattern(1024)); }), "Reject 04, alive"},
      {"more immediate data than FirstBurstLength", sends([](Client& c) { return c.write_blocks(0, 256, pattern(131072)); }), "Reject 04, alive"},
      {"unsolicited data announced though InitialR2T=Yes", in_session([](Client& c) {
         Pdu pdu = c.write_blocks(0, 16);
         pdu.header[1] &= 0x7f;
         c.send(pdu);
       }), "Reject 04, alive"},
      {"a data segment one byte too long", sends([](Client& c) { return c.nop(pattern(262145)); }), "Reject 04, dropped"},
      {"a data segment of 2^24-1 bytes", in_session([](Client& c) {
         Bytes bytes = c.write_blocks(0, 1).wire();
         bytes[5] = bytes[6] = bytes[7] = 0xff;
         c.send_bytes(bytes + Bytes(1 << 20, 0));
       }), "Reject 04, dropped"},
      {"additional headers of every length", all_additional_headers, "alive"},
      {"an additional header on a NOP-Out", in_session([](Client& c) {
         Bytes bytes = c.nop().wire();
         bytes[4] = 3;
         c.send_bytes(bytes + Bytes(12, 0));
       }), "dropped"},
      // Who receives reserved bits ignores them (RFC 7143 11).
      {"reserved bits in a command's header", sends([](Client& c) {
         Pdu pdu = c.test_unit_ready().set(2, 2, 0xffff);
         pdu.header[0] |= 0x80;
         pdu.header[1] |= 0x18;
         return pdu;
       }), "Status 00, alive"},
      {"reserved bits in a ping's header", sends([](Client& c) { return c.nop().set(2, 2, 0xffff).set(32, 8, ~0ull).set(40, 8, ~0ull); }), "NOP-In 0, alive"},
      {"a reserved task attribute", sends([](Client& c) {
         Pdu pdu = c.test_unit_ready();
         pdu.header[1] |= 0x07;
         return pdu;
       }), "Status 00, alive"},
      {"a LUN that is not there", lun(0x0009000000000000), "Status 02 05/25/00, alive"},
      {"a LUN of all ones", lun(0xffffffffffffffff), "Status 02 05/25/00, alive"},
      {"a LUN with a second level", lun(0x0000000100000000), "Status 02 05/25/00, alive"},
      {"an operation code that is none", sends([](Client& c) { return c.command(0, 0, {0xff}); }), "Status 02 05/20/00, alive"},
      {"a reserved bit in a CDB", sends([](Client& c) { return c.command(0, 0, {0x00, 0xff}); }), "Status 02 05/24/00, alive"},
      {"a read behind the end", sends([](Client& c) { return c.read_blocks(0xfffffffe, 1); }), "Status 02 05/21/00, alive"},
      {"a write behind the end", sends([](Client& c) { return c.write_blocks(0xfffffffe, 1, pattern(512)); }), "Status 02 05/21/00, alive"},
      {"INQUIRY that expects nothing", inquiry(0), "Status 00 O36, alive"},
      {"INQUIRY that expects 4 GiB", inquiry(0xffffffff), "Data-In 36 Status 00 U4294967259, alive"},
      {"a read that expects less", sends([](Client& c) { return c.read_blocks(0, 2).set(read_word, 4, 100); }), "Data-In 100 Status 00 O924, alive"},
      {"a read announced as a write", sends([](Client& c) { return c.command(writes, 512, {0x28, 0, 0, 0, 0, 0, 0, 0, 1}).with(pattern(512)); }), "Status 00 O512, alive"},
      {"a write announced as a read", sends([](Client& c) { return c.command(reads, 512, {0x2a, 0, 0, 0, 0, 0, 0, 0, 1}); }), "Status 00 O512, alive"},
      {"a write announced as neither", sends([](Client& c) { return c.command(0, 512, {0x2a, 0, 0, 0, 0, 0, 0, 0, 1}); }), "Status 00 O512, alive"},
      {"too many immediate commands", immediate_flood, "Reject 06, alive"},
      {"write data beyond what there is memory for", too_much_write_data, "Status 28, alive"},
      {"task management function 0", manage(0), "Task 5, alive"},
      {"task management function 9", manage(9), "Task 5, alive"},
      {"task management function 127", manage(127), "Task 5, alive"},
      {"CLEAR ACA where there is none", manage(3), "Task 5, alive"},
      {"TASK REASSIGN at error recovery level 0", manage(8), "Task 4, alive"},
      {"abort of a task that is not there", sends([](Client& c) { return c.manage(1, 0x12345678, c.cmd_sn + 1000); }), "Task 1, alive"},
      {"abort of the abort itself", sends([](Client& c) { return c.manage(1, c.task_tag, c.cmd_sn); }), "Task 1, alive"},
      {"a reset of a unit that is not there", manage(5, 0x0009000000000000), "Task 2, alive"},
      {"a reset of a unit of all ones", manage(5, 0xffffffffffffffff), "Task 2, alive"},
      {"abort of a write that waits, then its data", abort_of_a_waiting_write, "Task 0, alive"},
      {"500 aborts at once", management_flood, "Task 1, alive"},
      {"cold reset", reset(7), "Task 0, dropped"},
  };
  // clang-format on
  for (unsigned opcode = 0; opcode < 0x40; ++opcode) {
    const bool of_initiators = opcode <= 0x06 || opcode == 0x10;
    if (of_initiators) continue;
    out.push_back({fmt::format("opcode {:02x} in a session", opcode),
                   in_session([opcode](Client& c) {
                     Pdu pdu = c.test_unit_ready();
                     --c.cmd_sn;
                     pdu.header[0] = static_cast<std::uint8_t>(opcode);
                     c.send(pdu);
                   }),
                   "Reject 05, alive"});
  }
  out.push_back({"200 MiB of reads that nobody takes",
                 [](Client& c) {
                   reads_that_nobody_takes(c);
                   c.full_feature = false;
                   throw std::runtime_error("gone");
                 },
                 "gone"});
  return out;
}

}  // namespace hostile
