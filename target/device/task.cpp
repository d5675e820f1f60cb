#include "target/device/task.hpp"

#include <algorithm>

namespace device {

void Task::stop_counting() {
  if (running != nullptr) std::exchange(running, nullptr)->leave();
}

void Task::end() {
  stop_counting();
  owner->task_finished(*this);
}

void Task::finish_good() {
  end();
}

void Task::finish_data(std::vector<std::uint8_t> bytes, std::uint64_t allocation_length) {
  data_in_bytes = std::move(bytes);
  data_in = base::ByteView(data_in_bytes)
                .first(static_cast<std::size_t>(
                    std::min<std::uint64_t>(data_in_bytes.size(), allocation_length)));
  transfer_length = base::ByteCount(data_in.size());
  end();
}

void Task::finish_buffer(base::Buffer bytes) {
  data_in_buffer = std::move(bytes);
  data_in = data_in_buffer.view();
  transfer_length = base::ByteCount(data_in.size());
  end();
}

void Task::finish_check_condition(const scsi::Sense& why) {
  status = scsi::Status::check_condition;
  sense = why;
  data_in = {};
  end();
}

void Task::finish_status(scsi::Status other) {
  status = other;
  end();
}

void Task::reset() {
  lun_field = 0;
  attribute = scsi::TaskAttribute::simple;
  cdb.fill(0);
  data_out_announced = {};
  data_out = {};
  status = scsi::Status::good;
  sense.reset();
  transfer_length = {};
  data_in_buffer = {};
  data_in_bytes.clear();
  data_in = {};
  running = nullptr;
}

}  // namespace device
