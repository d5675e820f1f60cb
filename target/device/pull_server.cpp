#include "target/device/pull_server.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "scsi/block_cdbs.hpp"
#include "scsi/inquiry_data.hpp"
#include "scsi/primary_cdbs.hpp"
#include "scsi/provisioning_cdbs.hpp"
#include "target/device/copy_sense.hpp"
#include "target/device/store_sense.hpp"

namespace device {
namespace {

namespace pull = scsi::pull;

constexpr std::uint64_t read_bytes_max = 4u << 20;
constexpr std::uint64_t status_descriptors_max = 1024, longest_range = 0xffffffff;

scsi::Sense sense_of_token(tokens::TokenFault fault) {
  return sense_of(copymgr::CopyFault{copymgr::CopyFault::Kind::token, fault});
}

}  // namespace

// No command but these exists here.
struct PullServer::Row {
  const scsi::CdbLayout& layout;
  void (PullServer::*handler)(Task& task);
};

const PullServer::Row* PullServer::find_row(base::ByteView cdb) {
  static constexpr Row rows[] = {
      {scsi::test_unit_ready::layout, &PullServer::test_unit_ready},
      {scsi::media::read_16, &PullServer::read},
      {scsi::read_capacity::layout_16, &PullServer::read_capacity},
      {scsi::get_lba_status::layout, &PullServer::get_lba_status},
      {pull::challenge_layout, &PullServer::challenge},
      {pull::open_layout, &PullServer::open},
      {pull::opened_layout, &PullServer::opened},
      {pull::release_layout, &PullServer::release},
  };
  for (const Row& row : rows) {
    const auto& action = row.layout.service_action;
    if (cdb[0] != row.layout.opcode) continue;
    if (!action || scsi::service_action_field.read(cdb) == *action) return &row;
  }
  return nullptr;
}

PullServer::PullServer(copymgr::CopyManager& copy_manager, copymgr::Peers& peers,
                       std::string opener, const WorkerContext& worker)
    : copy_manager_(copy_manager), peers_(peers), opener_(std::move(opener)), worker_(worker) {}

PullServer::~PullServer() {
  if (token_ != nullptr) token_->end();
}

base::ByteCount PullServer::data_out_wanted(const Task& task) const {
  const Row* row = find_row(task.cdb_view());
  if (row == nullptr || row->handler != &PullServer::open || task.lun_field != 0) return {};
  const std::uint64_t length = pull::parameter_list_length.read(task.cdb_view());
  return base::ByteCount(std::min<std::uint64_t>(length, pull::open_bytes));
}

void PullServer::execute(Task& task) {
  if (task.lun_field != 0) {
    return task.finish_check_condition(
        scsi::sense::illegal_request(scsi::asc::logical_unit_not_supported));
  }
  const Row* row = find_row(task.cdb_view());
  if (row == nullptr) return task.finish_check_condition(scsi::sense::invalid_operation_code());
  if (const auto bad = scsi::first_reserved_bit(row->layout, task.cdb_view())) {
    return task.finish_check_condition(scsi::sense::invalid_field_in_cdb(*bad));
  }
  (this->*row->handler)(task);
}

void PullServer::manage(TaskManagementFunction, std::uint64_t, Managed done) {
  done(TaskManagementResponse::function_not_supported);
}

void PullServer::test_unit_ready(Task& task) {
  if (token_ != nullptr) return task.finish_good();
  task.finish_check_condition(
      scsi::sense::make(scsi::SenseKey::not_ready, scsi::asc::medium_not_present));
}

void PullServer::challenge(Task& task) {
  nonce_.emplace();
  peers_.randomness().fill(*nonce_);
  task.finish_data(
      pull::encode(pull::Challenge{copymgr::pull_protocol_version, peers_.own(), *nonce_}),
      pull::allocation_length.read(task.cdb_view()));
}

// A nonce is good for one attempt. What is wrong with an attempt is not told: token unknown.
void PullServer::open(Task& task) {
  const auto request = pull::decode_open(task.data_out.view());
  task.transfer_length = base::ByteCount(task.data_out.view().size());
  const auto nonce = std::exchange(nonce_, std::nullopt);
  group_ = peers_.group();
  const bool possible = request && request->version == copymgr::pull_protocol_version && nonce &&
                        group_ != nullptr && token_ == nullptr && !opening_;
  if (!possible) {
    return task.finish_check_condition(
        scsi::sense::illegal_request(scsi::asc::command_sequence_error));
  }
  opening_ = true;
  context_ = {peers_.own(), request->opener, *nonce, request->nonce, {}};
  const auto proven = [&](const scsi::RodTokenBytes& bytes) {
    context_.token = bytes;
    return base::equal_in_constant_time(copymgr::prove(group_->open_proof, context_),
                                        request->proof);
  };
  copy_manager_.serve_token(request->identifier, proven, [this, &task](auto served) mutable {
    worker_.home.post([this, &task, served = std::move(served)]() mutable {
      finish_open(task, std::move(served));
    });
  });
}

void PullServer::finish_open(
    Task& task, base::Result<std::shared_ptr<copymgr::ServedToken>, tokens::TokenFault> served) {
  opening_ = false;
  if (served) {
    token_ = std::move(*served);
    return task.finish_good();
  }
  base::log::warning("copy manager group: {} may not open a token: {}", opener_,
                     scsi::to_text(sense_of_token(served.error())));
  task.finish_check_condition(sense_of_token(served.error()));
}

void PullServer::opened(Task& task) {
  if (token_ == nullptr) {
    return task.finish_check_condition(
        scsi::sense::illegal_request(scsi::asc::command_sequence_error));
  }
  const pull::Opened out{copymgr::pull_protocol_version, token_->block_length(), token_->size(),
                         copymgr::prove(group_->opened_proof, context_)};
  task.finish_data(pull::encode(out), pull::allocation_length.read(task.cdb_view()));
}

// Returns when a deletion is kept.
void PullServer::release(Task& task) {
  const auto token = std::exchange(token_, nullptr);
  if (token == nullptr) {
    return task.finish_check_condition(
        scsi::sense::illegal_request(scsi::asc::command_sequence_error));
  }
  const bool deletes = pull::delete_token.is_set(task.cdb_view());
  worker_.pool.post([this, &task, token, deletes] {
    token->end(deletes);
    copy_manager_.token_table().when_kept(
        [this, &task](bool) { worker_.home.post([&task] { task.finish_good(); }); });
  });
}

void PullServer::read_capacity(Task& task) {
  if (token_ == nullptr) return test_unit_ready(task);
  scsi::CapacityData data;
  data.capacity = token_->block_length().whole_blocks(token_->size());
  data.block_length = token_->block_length();
  task.finish_data(scsi::read_capacity_16_data(data),
                   scsi::read_capacity::allocation_length.read(task.cdb_view()));
}

std::optional<base::Extent> PullServer::extent_of(Task& task, const base::BlockRange& range) {
  if (token_ == nullptr) {
    test_unit_ready(task);
    return std::nullopt;
  }
  const base::BlockLength length = token_->block_length();
  const base::BlockCount capacity = length.whole_blocks(token_->size());
  if (base::within(range, capacity)) return base::to_extent(range, length);
  task.finish_check_condition(
      scsi::sense::lba_out_of_range(std::max(range.first.value, capacity.value)));
  return std::nullopt;
}

scsi::Sense PullServer::sense_of_failed_read() const {
  return sense_of_token(tokens::TokenFault::cancelled);
}

void PullServer::read(Task& task) {
  const scsi::media::Request request = scsi::media::decode(task.cdb_view());
  if (request.protect != 0) {
    return task.finish_check_condition(scsi::sense::invalid_field_in_cdb(scsi::media::rdprotect));
  }
  const auto extent = extent_of(task, request.range);
  if (!extent) return;
  if (extent->length.value > read_bytes_max) {
    return task.finish_check_condition(scsi::sense::invalid_field_in_cdb(scsi::media::length_16));
  }
  if (extent->empty()) return task.finish_good();
  task.data_in_buffer = worker_.buffers.take(extent->length.value);
  worker_.pool.post([this, &task, token = token_, at = extent->offset] {
    auto done = token->read(at, task.data_in_buffer.span());
    const bool lost = token->lost();
    worker_.home.post([this, &task, done, lost] {
      if (done) return task.finish_buffer(std::move(task.data_in_buffer));
      task.finish_check_condition(lost ? sense_of_failed_read() : sense_of_read(done.error()));
    });
  });
}

void PullServer::get_lba_status(Task& task) {
  const base::Lba first(scsi::media::lba_16.read(task.cdb_view()));
  const auto here = extent_of(task, {first, base::BlockCount(1)});
  if (!here) return;
  const std::uint64_t allocation = scsi::get_lba_status::allocation_length.read(task.cdb_view());
  const std::uint64_t room = std::max<std::uint64_t>(allocation, scsi::lba_status_header_bytes) -
                             scsi::lba_status_header_bytes;
  const std::size_t most = std::clamp<std::uint64_t>(room / scsi::lba_status_descriptor_bytes, 1,
                                                     status_descriptors_max);
  const base::Extent rest{here->offset, token_->size() - base::ByteCount(here->offset.value)};
  worker_.pool.post([this, &task, token = token_, rest, first, most, allocation] {
    const auto runs = token->map(rest, most);
    std::vector<scsi::LbaStatusRange> ranges;
    base::Lba at = first;
    for (std::size_t i = 0; runs && i < runs->size(); ++i) {
      const std::uint64_t blocks = token->block_length().whole_blocks((*runs)[i].length).value;
      const base::BlockCount count(std::min(blocks, longest_range));
      ranges.push_back(
          {{at, count}, (*runs)[i].hole ? scsi::LbaStatus::deallocated : scsi::LbaStatus::mapped});
      at += count;
      if (count.value != blocks) break;
    }
    worker_.home.post([this, &task, ranges = std::move(ranges), allocation] {
      if (ranges.empty()) return task.finish_check_condition(sense_of_failed_read());
      task.finish_data(scsi::lba_status_data(ranges), allocation);
    });
  });
}

}  // namespace device
