#include "target/device/task.hpp"

#include <algorithm>

#include "target/device/nexus.hpp"

namespace device {

void Task::leave_task_set() {
  if (place.path != nullptr) place.path->nexus->leave_task_set(*this);
}

void Task::finish() {
  if (place.meter != nullptr) {
    place.meter->ended(kind_of(cdb_view()), place.begun_at, status == scsi::Status::good);
    place.meter = nullptr;
  }
  leave_task_set();
  owner->task_finished(*this);
}

void Task::finish_good() {
  finish();
}

void Task::finish_data(std::vector<std::uint8_t> bytes, std::uint64_t allocation_length) {
  data_in_bytes = std::move(bytes);
  data_in = base::ByteView(data_in_bytes)
                .first(static_cast<std::size_t>(
                    std::min<std::uint64_t>(data_in_bytes.size(), allocation_length)));
  transfer_length = base::ByteCount(data_in.size());
  finish();
}

void Task::finish_buffer(base::Buffer bytes) {
  data_in_buffer = std::move(bytes);
  data_in = data_in_buffer.view();
  transfer_length = base::ByteCount(data_in.size());
  finish();
}

void Task::finish_check_condition(const scsi::Sense& why) {
  status = scsi::Status::check_condition;
  sense = why;
  data_in = {};
  // Others may have to end first.
  if (place.path != nullptr && place.path->nexus->aborts_others(*this)) return;
  finish();
}

void Task::finish_status(scsi::Status other) {
  status = other;
  finish();
}

void Task::reset() {
  leave_task_set();
  place = {};
  lun_field = 0;
  attribute = scsi::TaskAttribute::simple;
  cdb.fill(0);
  cdb_length = 16;
  data_out_announced = {};
  data_out = {};
  status = scsi::Status::good;
  sense.reset();
  transfer_length = {};
  data_in_buffer = {};
  data_in_bytes.clear();
  data_in = {};
}

}  // namespace device
