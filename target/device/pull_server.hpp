// The device server that another member of the group meets: one session, one logical unit, which
// has nothing to read until PULL OPEN has shown that the member knows a token and the secret of the
// group; from then on it is the token's data. It has seven commands of its own and no way to any
// unit of a target (docs/adr/0005).
#pragma once

#include <memory>
#include <string>

#include "copymgr/copy_manager.hpp"
#include "copymgr/peers.hpp"
#include "copymgr/pull_proof.hpp"
#include "copymgr/served_token.hpp"
#include "target/device/nexus.hpp"
#include "target/device/task.hpp"

namespace device {

class PullServer final : public TaskServer {
 public:
  // All references outlive it. `opener`: the name that the member logged in with, for the log.
  PullServer(copymgr::CopyManager& copy_manager, copymgr::Peers& peers, std::string opener,
             const WorkerContext& worker);
  ~PullServer() override;

  base::ByteCount data_out_wanted(const Task& task) const override;
  void accept(Task&) override {}
  void execute(Task& task) override;
  // All that it does ends soon by itself.
  void stop(Task&) override {}
  void manage(TaskManagementFunction function, std::uint64_t lun_field, Managed done) override;
  void set_owner(TaskOwner*) override {}

 private:
  struct Row;
  static const Row* find_row(base::ByteView cdb);

  void test_unit_ready(Task& task);
  void challenge(Task& task);
  void open(Task& task);
  void opened(Task& task);
  void release(Task& task);
  void read_capacity(Task& task);
  void get_lba_status(Task& task);
  void read(Task& task);

  void finish_open(Task& task,
                   base::Result<std::shared_ptr<copymgr::ServedToken>, tokens::TokenFault> served);
  // The range of the command in bytes; nullopt: the task has been finished.
  std::optional<base::Extent> extent_of(Task& task, const base::BlockRange& range);
  scsi::Sense sense_of_failed_read() const;

  copymgr::CopyManager& copy_manager_;
  copymgr::Peers& peers_;
  const std::string opener_;
  const WorkerContext worker_;
  // Null: no PULL CHALLENGE since the last PULL OPEN.
  std::optional<scsi::pull::Nonce> nonce_;
  copymgr::PullContext context_;  // of what is open
  std::shared_ptr<const copymgr::GroupView> group_;
  std::shared_ptr<copymgr::ServedToken> token_;  // null: nothing is open
  bool opening_ = false;
};

}  // namespace device
