// READ(16) and WRITE(16) in flight on several units at once, each with its own patience. The owner
// bounds how many, keeps their memory until they are done, and drains the queue before it goes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/extent.hpp"
#include "base/unique_function.hpp"
#include "tools/host/lun.hpp"

namespace host {

class TransferQueue {
 public:
  // Nullopt: every byte moved. Otherwise one line that names command and LBA.
  using Done = base::UniqueFunction<void(std::optional<std::string> trouble)>;

  TransferQueue(Lun& first, Lun& second);
  ~TransferQueue();
  TransferQueue(const TransferQueue&) = delete;
  TransferQueue& operator=(const TransferQueue&) = delete;

  // The memory holds exactly the range, in blocks of the unit.
  void read(Lun& lun, const base::BlockRange& range, base::ByteSpan into, Done done);
  void write(Lun& lun, const base::BlockRange& range, base::ByteView from, Done done);

  bool idle() const { return in_flight_ == 0; }
  // Waits until something happened; sends again what has to be sent again.
  void wait();

  std::uint64_t reads() const { return reads_; }
  std::uint64_t writes() const { return writes_; }

 private:
  struct Transfer;
  void start(std::unique_ptr<Transfer> transfer);
  void finish(std::unique_ptr<Transfer> transfer, const Reply& reply);

  Lun& first_;
  Lun& second_;
  std::size_t in_flight_ = 0;  // those in again_ among them
  std::vector<std::unique_ptr<Transfer>> again_;
  bool pause_first_ = false;  // a unit was busy and nothing else is under way to wait for
  std::uint64_t reads_ = 0, writes_ = 0;
};

}  // namespace host
