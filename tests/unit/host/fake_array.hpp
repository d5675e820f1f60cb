// An array with real memory and a copy manager that can be told to stop short, fail, forget and
// lie. Its parser of token commands is the target's own (scsi/), so what the host sends is checked
// on the way.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <random>
#include <vector>

#include "scsi/copy_results.hpp"
#include "scsi/third_party_copy_page.hpp"
#include "scsi/token_parameters.hpp"
#include "tools/host/lun.hpp"

namespace host::test {

using Bytes = std::vector<std::uint8_t>;

Reply good(std::size_t data_in_bytes = 0);
Reply with_status(scsi::Status status);
Reply with_sense(const scsi::Sense& sense);
scsi::Sense sense_of(scsi::SenseKey key, scsi::AdditionalSense additional,
                     std::optional<std::uint64_t> information = std::nullopt);
// 0A/0D/04 with INFORMATION.
scsi::Sense underrun(std::optional<std::uint64_t> information);

// What the copy manager does wrong, or early.
struct Behaviour {
  std::uint64_t blocks_per_write_max = 0;        // 0: all; else WRITE USING TOKEN stops there
  std::uint64_t blocks_per_token_max = 0;        // POPULATE TOKEN represents no more
  std::optional<std::uint64_t> information_lie;  // INFORMATION of a short write
  bool information_missing = false;              // a short write without INFORMATION
  bool records_missing = false;                  // 05/24/00 for every question
  bool tokens_of_zero_blocks = false;
  bool tokens_missing = false;
  std::optional<std::uint64_t> transfer_count_lie;
  std::optional<std::uint8_t> operation_status;      // in every record
  std::uint64_t writes_per_token_max = 0;            // then 05/23/07
  std::optional<std::uint64_t> bad_destination_lba;  // WRITE USING TOKEN fails there, 03/0C/00
  bool bad_write_leaves_count = false;               // and its record tells what was written before
};

struct FakeArray;

class FakeLun final : public Lun {
 public:
  FakeLun(FakeArray& array, std::uint64_t blocks, std::uint32_t block_length);

  void start(const Command& command, Done done) override;
  std::optional<Readiness> readiness() override { return std::nullopt; }
  void service(short events) override;
  void pause(base::Duration duration) override { paused += duration; }

  // Answers a command in the array's place; nullopt: the array answers. Runs before every command.
  std::function<std::optional<Reply>(const Command&)> intercept;
  // Answers given before anything else, to the next commands that are not INQUIRY.
  std::deque<Reply> next_replies;

  Bytes memory;
  base::BlockLength block_length;
  Bytes standard_inquiry, supported_pages, third_party_copy_page, block_limits_page;
  base::Duration paused{0};
  std::vector<Command> seen;  // data spans are not valid any more
  std::size_t in_flight_most = 0;

  std::uint64_t blocks() const { return memory.size() / block_length.bytes; }
  base::ByteSpan block_span(std::uint64_t lba, std::uint64_t count);
  std::size_t count(std::uint8_t opcode, int service_action = -1) const;
  void fill(std::uint32_t seed);

 private:
  Reply run(const Command& command);
  Reply media(const Command& command, bool write);
  Reply inquiry(const Command& command);
  Reply capacity(const Command& command);
  Reply populate_token(const Command& command);
  Reply write_using_token(const Command& command);
  Reply token_information(const Command& command);
  std::uint64_t move(const scsi::WriteUsingToken& request, const Bytes& rod, std::uint64_t most);

  FakeArray& array_;
  std::deque<std::pair<Command, Done>> queue_;
};

struct FakeArray {
  struct Rod {
    Bytes bytes;
    std::uint64_t writes = 0;
  };
  Behaviour behaviour;
  std::map<std::uint64_t, Rod> tokens;  // by identifier
  std::map<std::uint32_t, scsi::CopyResult> records;
  std::uint64_t next_token = 1;
  std::mt19937 shuffle{1};
  bool answers_out_of_order = false;

  void forget_tokens() { tokens.clear(); }
};

}  // namespace host::test
